"""Pictures of every kind a person has, and files that are none."""

import io
import os
import random
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import features
from PIL.Image import Image as Picture

from persona_cli.errors import PictureError, StorageError
from persona_cli.memory.media import LONGEST_SIDE, Media
from persona_cli.memory.picture_matches import PictureMatches
from persona_cli.memory.store import Store

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


@pytest.fixture
def media(home: Path, store: Store) -> Media:
    return Media(home / "media", store)


def photo(width: int = 320, height: int = 200, seed: int = 1) -> Picture:
    """Return smooth blobs of colour: what compresses and resizes as photographs do."""
    noise = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    return Pillow.fromarray(noise).resize((width, height), Pillow.Resampling.BICUBIC)


def saved(picture: Picture, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def opened(media: Media, content: bytes) -> Picture:
    with Pillow.open(media.path_of(media.add(content, AT))) as picture:
        picture.load()
        return picture


def test_a_photograph_is_kept_once_under_the_hash_of_its_bytes(media: Media, store: Store, tmp_path: Path) -> None:
    source = tmp_path / "a photo.jpg"
    source.write_bytes(saved(photo()))
    image = media.add(source, AT)
    path = media.path_of(image)
    assert path.name == f"{image.hash}.jpg"
    assert path.parent.name == image.hash[:2]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (image.width, image.height, image.size, image.mime) == (320, 200, path.stat().st_size, "image/jpeg")
    assert media.add(source, AT) == image
    assert media.add(path, AT) == image
    assert store.images.all() == (image,)
    assert media.verify() == ()


@pytest.mark.parametrize("change", ["half", "recompressed", "png"])
def test_a_picture_is_recognised_after_a_change(media: Media, store: Store, change: str) -> None:
    original = media.add(saved(photo(1200, 800), quality=95), AT)
    media.add(saved(photo(1200, 800, seed=7)), AT)
    changed = {
        "half": saved(photo(1200, 800).resize((600, 400))),
        "recompressed": saved(photo(1200, 800), quality=40),
        "png": saved(photo(1200, 800), "PNG"),
    }[change]
    again = media.add(changed, AT)
    matches = PictureMatches(store, media).of(again)
    assert [match.known for match in matches if match.same] in ([again, original], [original, again])


def png(width: int, height: int, row: bytes, colour: int, *, more: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    """Return a PNG of rows that are all the same, of 8 bits a colour."""
    packed = zlib.compressobj(1)
    rows = b"".join(packed.compress(b"\0" + row) for _ in range(height)) + packed.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), *more, (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def test_a_bar_of_99_million_pixels_is_refused_by_its_header(media: Media) -> None:
    with pytest.raises(PictureError, match="99,000,000 pixels long") as refused:
        media.add(png(99_000_000, 1, b"", 0), AT)
    assert refused.value.fix


def test_more_pixels_than_allowed_are_refused_by_the_header(media: Media) -> None:
    with pytest.raises(PictureError, match="more than 100 million pixels"):
        media.add(png(20_000, 20_000, b"", 2), AT)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of one process")
def test_a_huge_picture_takes_little_more_than_its_pixels(tmp_path: Path) -> None:
    """A palette with a see-through colour took 2.9 GB for 98 million pixels; each pixel is one byte."""
    palette = ((b"PLTE", bytes((200, 30, 30, 0, 0, 0))), (b"tRNS", b"\xff\x00"))
    (tmp_path / "huge.png").write_bytes(png(9_900, 9_900, b"\0" * 4_950 + b"\1" * 4_950, 3, more=palette))
    # what getrusage tells of a child begins with what the parent took
    script = (
        "import re, sys; from pathlib import Path; from persona_cli.memory import media;"
        "picture = media._reading(Path(sys.argv[1]));"
        "print(picture.size, picture.getpixel((9, 9)), picture.getpixel((2000, 9)));"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "huge.png")]
    seen, megabytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert seen == "(2048, 2048) (200, 30, 30) (255, 255, 255)"
    assert int(megabytes) < 700


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "CMYK", "I;16", "F", "1"])
def test_a_large_picture_looks_as_it_does_when_decoded_at_once(
    media: Media, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr("persona_cli.memory.media.LONGEST_SIDE", 100)
    monkeypatch.setattr("persona_cli.memory.media._STRIP", 9_000)
    whole = (
        photo(901, 603).convert("L").point(lambda shade: shade * 200, "I").convert(mode)
        if mode in {"I;16"}
        else (photo(901, 603).convert("L").convert("F") if mode == "F" else photo(901, 603).convert(mode))
    )
    strips = opened(media, saved(whole, "TIFF"))
    assert strips.size == (100, 67)
    monkeypatch.setattr("persona_cli.memory.media.LONGEST_SIDE", 10_000)
    once = opened(media, saved(whole, "TIFF")).resize((100, 67), Pillow.Resampling.LANCZOS)
    apart = np.abs(np.asarray(strips, dtype=float) - np.asarray(once, dtype=float))
    assert apart.mean() < 6


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
def test_a_damaged_avif_is_our_own_error(media: Media) -> None:
    whole, dice = saved(photo(), "AVIF"), random.Random(1)
    refusals = []
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(8):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            media.add(bytes(damaged[: dice.randint(60, len(damaged))]), AT)
        except PictureError as exc:
            refusals.append(exc)
    assert len(refusals) > 30
    assert all(refusal.fix for refusal in refusals)


def test_a_picture_on_its_side_is_turned_upright(media: Media) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    upright = opened(media, saved(photo(300, 200), exif=exif))
    assert upright.size == (200, 300)
    assert 0x0112 not in upright.getexif()


def test_transparency_becomes_white(media: Media) -> None:
    for mode in ("RGBA", "LA"):
        assert opened(media, saved(Pillow.new(mode, (80, 80)), "PNG")).getpixel((3, 3)) == (255, 255, 255)
    palette = Pillow.new("P", (80, 80), 1)
    assert opened(media, saved(palette, "GIF", transparency=1)).getpixel((3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_every_colour_mode_becomes_rgb(media: Media, mode: str) -> None:
    picture = opened(media, saved(photo().convert(mode), "TIFF"))
    assert (picture.mode, picture.size) == ("RGB", (320, 200))


def test_sixteen_bits_keep_their_shades(media: Media) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (100, 1))
    picture = opened(media, saved(Pillow.fromarray(ramp), "PNG"))
    assert [picture.getpixel((x, 50)) for x in (0, 128, 255)] == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]


def test_of_an_animation_the_first_frame_is_kept(media: Media) -> None:
    frames = [Pillow.new("RGB", (90, 90), colour) for colour in ("red", "blue")]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert opened(media, content).getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
def test_avif_needs_no_plugin(media: Media, brand: bytes) -> None:
    content = bytearray(saved(photo(), "AVIF"))
    content[8:12] = brand
    assert opened(media, bytes(content)).size == (320, 200)


def test_where_a_picture_was_taken_is_not_kept(media: Media) -> None:
    exif = Pillow.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "Camera"
    assert not opened(media, saved(photo(), exif=exif)).getexif()


def test_a_large_picture_is_made_smaller(media: Media) -> None:
    image = media.add(saved(photo(5000, 2500)), AT)
    assert (image.width, image.height) == (LONGEST_SIDE, LONGEST_SIDE // 2)


def test_a_drawing_stays_exact(media: Media) -> None:
    drawing = Pillow.new("RGB", (200, 200), "white")
    drawing.paste((1, 2, 3), (10, 10, 90, 90))
    assert media.add(saved(drawing, "PNG"), AT).mime == "image/png"
    assert opened(media, saved(drawing, "PNG")).getpixel((50, 50)) == (1, 2, 3)


def bomb() -> bytes:
    """Return a PNG that says it has 400 million pixels."""
    content = bytearray(saved(Pillow.new("1", (8, 8)), "PNG"))
    content[16:24] = (20_000).to_bytes(4) * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"Dear diary", "is not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a picture"),
        (saved(photo())[:-900], "cut off"),
        (saved(photo(), "PNG")[:900], "cut off"),
        (bomb(), "million pixels"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "pillow-heif"),
    ],
)
def test_what_is_no_usable_picture_is_refused_in_one_line(
    media: Media, store: Store, tmp_path: Path, content: bytes, said: str
) -> None:
    source = tmp_path / "file.jpg"
    source.write_bytes(content)
    with pytest.raises(PictureError) as refused:
        media.add(source, AT)
    assert said in refused.value.message
    assert str(source) in refused.value.message
    assert "\n" not in refused.value.message + refused.value.fix
    assert store.images.all() == ()


def test_broken_bytes_never_raise_anything_else(media: Media) -> None:
    dice = random.Random(5)
    for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        whole = saved(photo(64, 64), form)
        for _ in range(25):
            content = bytearray(whole)
            for _ in range(dice.randint(1, 12)):
                content[dice.randrange(len(content))] = dice.randrange(256)
            # anything that is not a PictureError fails the test, Pillow's warnings included
            with suppress(PictureError):
                assert media.path_of(media.add(bytes(content), AT)).is_file()


def test_paths_that_are_no_file_are_refused(media: Media, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, said in ((tmp_path, "directory"), (tmp_path / "no.jpg", "no file"), (tmp_path / "pipe", "ordinary")):
        with pytest.raises(PictureError, match=said):
            media.add(path, AT)


def test_a_place_that_cannot_be_written_is_named(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be stored"):
        Media(tmp_path / "file", store).add(saved(photo()), AT)


def test_verify_names_every_difference(media: Media, home: Path) -> None:
    lost, changed, kept = (media.add(saved(photo(seed=seed)), AT) for seed in (1, 2, 3))
    media.path_of(lost).unlink()
    media.path_of(changed).write_bytes(b"else")
    stray = home / "media" / "ff" / "stray.jpg"
    stray.parent.mkdir(exist_ok=True)
    stray.touch()
    assert media.verify() == (
        f"picture i{lost.id} has no file {media.path_of(lost)}",
        f"{stray} belongs to no picture",
        f"{media.path_of(changed)} is not the picture i{changed.id} that was stored",
    )
    assert media.remove(kept.hash)
    assert not media.remove(kept.hash)


def test_a_lost_file_is_written_again_and_only_with_its_own_bytes(media: Media) -> None:
    content = saved(photo())
    image = media.add(content, AT)
    kept = media.path_of(image).read_bytes()
    media.path_of(image).unlink()
    with pytest.raises(PictureError, match="not those"):
        media.restore(image, content + b" ")
    media.restore(image, kept)
    assert media.verify() == ()
    media.path_of(image).unlink()
    assert media.add(content, AT) == image
    assert media.verify() == ()
