"""Pictures on disk: whatever a person shows becomes one upright RGB file, named by the SHA-256 of its bytes.

`media/ab/abcd….jpg` (or `.png` for drawings and icons); a row in the store says the rest. The file is written
before the row, so a crash leaves at worst a file nobody refers to, which `verify` names.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import struct
import tempfile
import warnings
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.errors import PictureError, StorageError
from persona_cli.memory.likeness import METHOD, Print, read_print, take_print
from persona_cli.memory.store import Store
from persona_cli.records import Box, Image, PictureSource

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

LONGEST_SIDE = 2048
MAX_PIXELS = 100_000_000
"""Decoding takes four bytes a pixel: more than any phone's picture, and less than a machine's memory."""
MAX_SIDE = 60_000
"""What is longer is a bar, and no picture that can be shown: of 99,000,000 x 1 nothing is left in 2048 x 1."""
MAX_BYTES = 200_000_000
# EPS would run Ghostscript on a stranger's program; the rest of Pillow's formats are no pictures people show
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "ICO", "PPM", "JPEG2000")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}
_ORIENTATION = 0x0112
_STRIP = 8_000_000
"""Pixels that are turned into colours at a time."""
_DRAWING_COLOURS = 256
_ICON_SIDE = 64
# what Pillow's decoders raise for bytes that are not what their header says
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    AttributeError,
    RuntimeError,
    AssertionError,
    struct.error,
    zlib.error,
)


class Media:
    """The pictures of one home; `derived` is where others keep what they made of them, named by the same hash.

    With `transient` no file is written or deleted: what is added stays in this process's memory.
    """

    def __init__(self, root: Path, store: Store, derived: Path | None = None, *, transient: bool = False) -> None:
        self._root = root
        self._added: dict[str, bytes] | None = {} if transient else None
        self._derived = derived
        self._store = store

    def add(self, source: Path | bytes, at: datetime, *, crop_of: str | None = None) -> Image:
        """Keep a picture and return its record; the same file gives the same record.

        Raises `PictureError` for what is no usable picture and `StorageError` where it cannot be written.
        """
        name, content = ("The picture", source) if isinstance(source, bytes) else (str(source), _read(source))
        if not content:
            raise PictureError(f"{name} is empty.", fix="Choose a file that holds a picture.")
        known = self._store.images.by_hash(hashlib.sha256(content).hexdigest())
        if known is not None and (isinstance(there := self.source(known), bytes) or there.exists()):
            return known
        picture = _decode(name, content)
        mime, encoded = _encode(picture)
        digest = hashlib.sha256(encoded).hexdigest()
        self._write(digest, mime, encoded)
        size = (picture.width, picture.height, len(encoded))
        image = self._store.images.add(digest, mime, *size, _perceptual_hash(picture), at, crop_of)
        self._store.images.keep_print(image.id, METHOD, take_print(picture))
        return image

    def check(self, source: PictureSource) -> None:
        """Raise the `PictureError` that keeping a picture would; nothing is kept."""
        _reading(source).close()

    def crop(self, image: Image, box: Box) -> Image:
        """Keep a part of a picture as a picture of its own; raises `PictureError` where the file is gone."""
        with _reading(self.source(image)) as whole:
            part = whole.crop((box.left, box.top, box.right, box.bottom))
        mime, encoded = _encode(part)
        digest = hashlib.sha256(encoded).hexdigest()
        self._write(digest, mime, encoded)
        size = (part.width, part.height, len(encoded))
        crop_of = image.crop_of or image.hash
        cut = self._store.images.add(digest, mime, *size, _perceptual_hash(part), image.added_at, crop_of=crop_of)
        self._store.images.keep_print(cut.id, METHOD, take_print(part))
        return cut

    def print_of(self, image: Image) -> Print | None:
        """Return the print by which copies are known, taken now where none is kept; None without a file."""
        kept = self._store.images.print_of(image.id, METHOD)
        if kept is None:
            try:
                with _reading(self.path_of(image)) as picture:
                    kept = take_print(picture)
            except PictureError:
                return None
            with suppress(StorageError):  # where nothing can be written it is taken again the next time
                self._store.images.keep_print(image.id, METHOD, kept)
        return read_print(kept)

    def restore(self, image: Image, content: bytes) -> None:
        """Write the file of a picture the store knows, as an export carries it; checks that it is the one."""
        if hashlib.sha256(content).hexdigest() != image.hash:
            raise PictureError(
                f"The bytes are not those of picture i{image.id}.", fix="The export is damaged: export again."
            )
        self._write(image.hash, image.mime, content)

    @staticmethod
    def fault(content: bytes, row: Mapping[str, object]) -> str:
        """Return what a stranger's picture has that its row does not say, or does not have; "" when they agree."""
        from PIL import Image as Pillow

        if len(content) != row["size"]:
            return "a picture of another size than its row says"
        kind = {"image/jpeg": "JPEG", "image/png": "PNG"}[str(row["mime"])]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Pillow.open(io.BytesIO(content), formats=[kind]) as opened:
                    size = opened.size
        except (*_BROKEN, Pillow.DecompressionBombError):
            return f"a picture that is no {kind}"
        return "" if size == (row["width"], row["height"]) else "a picture of other measures than its row says"

    def path_of(self, image: Image) -> Path:
        """Return where the bytes of a picture are, or would be if they were kept."""
        return self._path(image.hash, image.mime)

    def source(self, image: Image) -> PictureSource:
        """Return what to read a picture from: its file, or its bytes where they are in memory alone."""
        added = (self._added or {}).get(image.hash)
        return self.path_of(image) if added is None else added

    def remove(self, hash: str) -> bool:  # noqa: A002 - the field's name in the record
        """Delete the file of a picture and what was derived from it; False when there was no file."""
        removed = False
        if self._added is not None:
            return self._added.pop(hash, None) is not None
        if self._derived is not None:
            for made in self._derived.rglob(f"{hash}.*"):
                made.unlink(missing_ok=True)
        for mime in _SUFFIXES:
            path = self._path(hash, mime)
            with suppress(FileNotFoundError):
                path.unlink()
                removed = True
            with suppress(OSError):  # another picture is beside it
                path.parent.rmdir()
        return removed

    def clear(self) -> None:
        """Delete every picture and what was derived from any."""
        for folder in (self._root, self._derived):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def verify(self, spared: Collection[str] = ()) -> tuple[str, ...]:
        """Return what is wrong, one sentence each: rows without a file, files without a row, changed bytes.

        `spared` are hashes of pictures that others than the rows here have.
        """
        expected = {self.path_of(image): image for image in self._store.images.all()}
        there = {path for path in self._root.glob("*/*") if path.is_file()}
        strays = sorted(path for path in there - set(expected) if path.stem not in spared)
        found = [f"picture i{image.id} has no file {path}" for path, image in expected.items() if path not in there]
        found += [f"{path} belongs to no picture" for path in strays]
        found += [
            f"{path} is not the picture i{image.id} that was stored"
            for path, image in expected.items()
            if path in there and hashlib.sha256(path.read_bytes()).hexdigest() != image.hash
        ]
        return tuple(found)

    def _path(self, digest: str, mime: str) -> Path:
        return self._root / digest[:2] / (digest + _SUFFIXES[mime])

    def _write(self, digest: str, mime: str, content: bytes) -> None:
        if self._added is not None:
            self._added[digest] = content
            return
        path = self._path(digest, mime)
        try:
            for directory in (self._root, path.parent):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_atomically(path, content)
        except OSError as exc:
            full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
            raise StorageError(
                f"The picture cannot be stored in {self._root}: {exc.strerror}.",
                fix="Free some space and try again." if full else "Check the permissions of that directory.",
            ) from exc


@contextmanager
def open_picture(name: str, content: bytes) -> Iterator[Picture]:
    """Open a picture without decoding it; raises `PictureError` where it cannot be, also later and in the block."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    _need_heif_plugin(name, content)
    Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS
    with warnings.catch_warnings():
        # broken metadata and the like: the picture either decodes or it does not
        warnings.simplefilter("ignore")
        # also for the pictures that others hold inside, whose size no header of the file tells
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        Pillow.init()
        try:
            with Pillow.open(io.BytesIO(content), formats=[form for form in _FORMATS if form in Pillow.OPEN]) as opened:
                _check_size(name, opened)
                yield opened
        except UnidentifiedImageError as exc:
            raise PictureError(f"{name} is not a picture.", fix="Use a JPEG, PNG, WebP, GIF or TIFF file.") from exc
        except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as exc:
            raise _too_large(name) from exc
        except MemoryError as exc:
            raise PictureError(f"{name} is too large for this machine's memory.", fix="Save a smaller copy.") from exc
        except _BROKEN as exc:
            raise PictureError(f"{name} is damaged or cut off.", fix="Copy or download it again.") from exc


def _reading(source: PictureSource) -> Picture:
    return _decode("The picture", source) if isinstance(source, bytes) else _decode(str(source), _read(source))


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise PictureError(f"{path} is a directory.", fix="Name a picture in it.")
        if not path.exists():
            raise PictureError(f"There is no file {path}.", fix="Check the path; quote it if it has spaces.")
        if not path.is_file():
            raise PictureError(f"{path} is no ordinary file.", fix="Save the picture to a file first.")
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.", fix="Save a smaller copy.")
        return path.read_bytes()
    except OSError as exc:
        raise PictureError(f"{path} cannot be read: {exc.strerror}.", fix="Check its permissions.") from exc


def _decode(name: str, content: bytes) -> Picture:
    from PIL import Image as Pillow

    with open_picture(name, content) as opened:
        # a JPEG decodes at a half or a quarter of its size at hardly any cost
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        opened.load()
        picture = _upright(_small(opened), opened)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Pillow.Resampling.LANCZOS)
    return picture


def _small(opened: Picture) -> Picture:
    """Return a decoded picture as RGB, of a huge one a whole fraction of it, made in strips.

    Its colours take up to eight times the bytes its pixels take on disk, and the steps to RGB as much again: of a whole
    picture of a hundred million pixels they took 2.9 GB, strip by strip they take what it decodes to.
    """
    from PIL import Image as Pillow

    factor = max(opened.size) // (2 * LONGEST_SIDE)
    if factor < 2:
        return _to_rgb(opened, _shades(opened))
    shades = _shades(opened)
    height = -(-opened.height // factor)
    small = Pillow.new("RGB", (-(-opened.width // factor), height))
    rows = max(1, _STRIP // max(1, opened.width * factor))
    for top in range(0, height, rows):
        box = (0, top * factor, opened.width, min(opened.height, (top + rows) * factor))
        strip = opened.crop(box)
        strip.info = opened.info  # which colour is none
        small.paste(_to_rgb(strip, shades).reduce(factor), (0, top))
    return small


def _upright(picture: Picture, opened: Picture) -> Picture:
    from PIL import ImageOps

    picture.getexif()[_ORIENTATION] = opened.getexif().get(_ORIENTATION, 1)
    return ImageOps.exif_transpose(picture)


def _need_heif_plugin(name: str, content: bytes) -> None:
    # "mif1" is any picture of this container, AVIF too, which Pillow reads itself
    if content[4:8] != b"ftyp" or content[8:12] not in _HEIC_BRANDS or b"avif" in content[8:64]:
        return
    try:
        import_module("pillow_heif").register_heif_opener()
    except ImportError as exc:
        raise PictureError(
            f"{name} is a HEIC picture, which needs the package pillow-heif.",
            fix="`pip install pillow-heif` beside persona, or save the picture as JPEG.",
        ) from exc


def _check_size(name: str, opened: Picture) -> None:
    if opened.width * opened.height > MAX_PIXELS:
        raise _too_large(name)
    if max(opened.size) > MAX_SIDE:
        raise PictureError(
            f"{name} is {max(opened.size):,} pixels long; {MAX_SIDE:,} are allowed.",
            fix="Cut out what matters.",
        )


def _too_large(name: str) -> PictureError:
    return PictureError(
        f"{name} has more than {MAX_PIXELS // 1_000_000} million pixels.", fix="Save a smaller copy and use that."
    )


def _to_rgb(picture: Picture, shades: tuple[float, float]) -> Picture:
    from PIL import Image as Pillow

    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        white = Pillow.new("RGBA", seen.size, "white")
        return Pillow.alpha_composite(white, seen).convert("RGB")
    if picture.mode.startswith(("I", "F")):
        picture = _to_eight_bits(picture, shades)
    return picture.convert("RGB")


def _shades(picture: Picture) -> tuple[float, float]:
    """Return what is black and what is white in a picture of more than 8 bits."""
    if not picture.mode.startswith(("I", "F")):
        return 0.0, 255.0
    low, high = (float(shade) for shade in picture.getextrema())  # type: ignore[arg-type]  # one band: two numbers
    return (0.0, 65535.0) if picture.mode != "F" and low >= 0 and high <= 65535 else (low, high)


def _to_eight_bits(picture: Picture, shades: tuple[float, float]) -> Picture:
    import numpy as np
    from PIL import Image as Pillow

    # Pillow's own conversion cuts off at 255, which leaves a 16-bit scan white
    low, high = shades
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    scaled = (values - low) * (255.0 / (high - low)) if high > low else values * 0
    return Pillow.fromarray(scaled.round().clip(0, 255).astype(np.uint8))


def _encode(picture: Picture) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    drawn = picture.getcolors(_DRAWING_COLOURS) is not None or max(picture.size) <= _ICON_SIDE
    if drawn:
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "JPEG", quality=92)
    return ("image/png" if drawn else "image/jpeg"), buffer.getvalue()


def _perceptual_hash(picture: Picture) -> str:
    # imagehash imports scipy at its first use (0.3 s): only a picture is worth that
    import imagehash

    return str(imagehash.phash(picture))


def _write_atomically(path: Path, content: bytes) -> None:
    # beside the media directories, so that a file half written is in none of them
    handle, temporary = tempfile.mkstemp(dir=path.parent.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
