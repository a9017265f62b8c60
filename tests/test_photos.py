"""Folders of photos: what is known of each beside what it shows, from every source that says so."""

import json
import os
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from persona_cli.errors import PictureError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Conversation, Options, Tally, WrittenMessage
from persona_cli.importers.formats import recognised
from persona_cli.importers.photos import PHOTOS
from persona_cli.importers.photos.details import DateSource
from persona_cli.importers.photos.embedded import read_embedded
from persona_cli.importers.photos.naming import taken_by_name
from persona_cli.importers.photos.takeout import Sidecars, parse_takeout
from persona_cli.importers.photos.xmp import parse_xmp
from persona_cli.importers.pipeline import TakenIn, gather, spool_in, store
from persona_cli.memory import Memory
from tests.terminal import persona

EXIF, GPS = 0x8769, 0x8825
XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 exif:DateTimeOriginal="2019-08-03T14:05:06+02:00" exif:GPSLatitude="52,31.2N" exif:GPSLongitude="13,24,18W">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">At the
 lake</rdf:li></rdf:Alt></dc:description>
<mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Bag>
<rdf:li><rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face"/></rdf:li>
<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Tower</mwg-rs:Name><mwg-rs:Type>BarCode</mwg-rs:Type></rdf:li>
</rdf:Bag></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions>
<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Tom</rdf:li><rdf:li>Ada</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be in one zone."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def photo(path: Path, shade: int = 0, taken: str = "", offset: str = "", **more: Any) -> Path:
    """Write a photo of its own shade with what its camera says."""
    exif = Image.Exif()
    if taken:
        exif.get_ifd(EXIF)[0x9003] = taken
    if offset:
        exif.get_ifd(EXIF)[0x9011] = offset
    exif.update(more.pop("tags", {}))
    if gps := more.pop("gps", None):
        exif.get_ifd(GPS).update(gps)
    drawn = Image.radial_gradient("L").resize((48, 32)).point(lambda grey: (grey + shade * 40) % 256)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.convert("RGB").save(path, exif=exif, quality=95, **more)
    return path


def read(folder: Path) -> tuple[list[WrittenMessage], Tally]:
    tally = Tally()
    with Bundle(folder) as bundle:
        items = [item for item in PHOTOS.read(bundle, Options(), tally) if isinstance(item, Conversation)]
        assert [item.learn for item in items] == [False]
        return [message for item in items for message in item.messages], tally


def at(message: WrittenMessage) -> str:
    return f"{message.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


NORTH = {1: "N", 2: (52.0, 30.0, 36.0), 3: "W", 4: (13.0, 22.0, 12.0)}


def test_what_the_camera_says(tmp_path: Path) -> None:
    tags = {0x010E: "Lunch with Ada\0", 0x010F: "NIKON"}
    photo(tmp_path / "a.jpg", 0, "2024:05:12 18:30:05", "+09:00", tags=tags, gps=NORTH)
    messages, tally = read(tmp_path)
    shot, said = messages
    assert (at(shot), shot.text, shot.pictures) == ("2024-05-12T09:30:05Z", "Lunch with Ada", ("a.jpg",))
    assert said.text == "Taken at 52.51000, -13.37000."
    assert not tally.counts


@pytest.mark.parametrize("words", ["OLYMPUS DIGITAL CAMERA         ", "Nikon D3", "\0\0"])
def test_the_name_of_a_camera_is_no_caption(words: str, tmp_path: Path) -> None:
    content = photo(tmp_path / "a.jpg", tags={0x010E: words, 0x010F: "NIKON CORPORATION"}).read_bytes()
    assert read_embedded("a.jpg", content).caption == ""


def test_a_wall_clock_without_a_zone_is_marked(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", 0, "2024:05:12 18:30:05")
    (shot, said), _ = read(tmp_path)
    assert at(shot) == "2024-05-12T16:30:05Z"
    assert said.text.startswith("Its time zone is not known")


def test_only_the_time_of_the_file_is_marked(tmp_path: Path) -> None:
    file = photo(tmp_path / "a.png", tags={0x0132: "2001:01:01 00:00:00"})
    os.utime(file, (1_700_000_000, 1_700_000_000))
    (shot, said), _ = read(tmp_path)
    assert at(shot) == "2023-11-14T22:13:20Z"
    assert said.text == "The date is that of the time of its file, which copying changes."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_20240512_183005.jpg", "2024-05-12T18:30:05"),
        ("PXL_20240512_163005123.jpg", "2024-05-12T16:30:05+00:00"),
        ("2024-05-12 18.30.05.heic", "2024-05-12T18:30:05"),
        ("Screenshot_2024-05-12-18-30-05-12_abc.png", "2024-05-12T18:30:05"),
        ("Screenshot 2024-05-12 at 6.30.05 PM.png", "2024-05-12T18:30:05"),
        ("WhatsApp Image 2024-05-12 at 18.30.05.jpeg", "2024-05-12T18:30:05"),
        ("signal-2024-05-12-18-30-05-123.jpg", "2024-05-12T18:30:05"),
        ("IMG-20240512-WA0001.jpg", "2024-05-12T00:00:00"),
        ("20240512.jpg", "2024-05-12T00:00:00"),
        ("IMG_20241512_183005.jpg", ""),
        ("IMG_202405123.jpg", ""),
        ("DSC01234.jpg", ""),
        ("120240512.jpg", ""),
    ],
)
def test_dates_in_names(name: str, expected: str) -> None:
    taken = taken_by_name(name)
    assert ("" if taken is None else taken.at.isoformat()) == expected
    assert taken is None or taken.day_only == expected.endswith("T00:00:00")


def test_xmp_in_a_file_beside_it_comes_first(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", 0, "2020:01:01 00:00:00", "+00:00", tags={0x010E: "other"})
    (tmp_path / "a.jpg.xmp").write_text(XMP, encoding="utf-8")
    (shot, said), tally = read(tmp_path)
    assert (at(shot), shot.text) == ("2019-08-03T12:05:06Z", "At the lake")
    assert said.text == "In the picture: Tom, Ada. Taken at 52.52000, -13.40500."
    assert not tally.counts


def test_xmp_and_iptc_within_a_picture(tmp_path: Path) -> None:
    inside = read_embedded("a.jpg", photo(tmp_path / "a.jpg", xmp=XMP.encode()).read_bytes())
    assert (inside.caption, inside.people) == ("At the lake", ("Tom", "Ada"))
    assert inside.taken is not None
    assert inside.taken.source is DateSource.CAMERA
    caption = "Grüße".encode()
    record = b"\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + b"\0" * (len(record) % 2)
    app13 = b"Photoshop 3.0\0" + block
    plain = photo(tmp_path / "b.jpg").read_bytes()
    tagged = plain[:2] + b"\xff\xed" + struct.pack(">H", len(app13) + 2) + app13 + plain[2:]
    assert read_embedded("b.jpg", tagged).caption == "Grüße"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a",
        b"\xff\xfe<",
        b'<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>',
        b"<a>" * 50_000 + b"</a>" * 50_000,
        XMP.encode("utf-16"),
    ],
)
def test_what_is_no_xmp_says_nothing(content: bytes) -> None:
    details = parse_xmp(content, DateSource.SIDECAR)
    assert (details.taken, details.caption, details.people) == (None, "", ())


def test_takeout_tells_time_place_and_people(tmp_path: Path) -> None:
    album = tmp_path / "Takeout" / "Google Photos" / "Lake"
    photo(album / "a.jpg", 0, "2024:05:12 18:30:05")
    fields = {
        "title": "a.jpg",
        "description": "First swim",
        "photoTakenTime": {"timestamp": "1715531405", "formatted": "12.05.2024, 16:30:05 UTC"},
        "geoData": {"latitude": 0.0, "longitude": 0.0},
        "geoDataExif": {"latitude": 47.5, "longitude": -8.25},
        "people": [{"name": "Ada"}, {}, "x"],
    }
    (album / "a.jpg.supplemental-metadata.json").write_text(json.dumps(fields), encoding="utf-8")
    (album / "metadata.json").write_text('{"title": "Lake"}', encoding="utf-8")
    (shot, said), tally = read(tmp_path)
    assert (at(shot), shot.text) == ("2024-05-12T16:30:05Z", "First swim")
    assert said.text == "In the picture: Ada. Taken at 47.50000, -8.25000."
    assert not tally.counts


@pytest.mark.parametrize(
    ("beside", "name"),
    [
        ("a.jpg.json", "a.jpg"),
        ("a.jpg.supplemental-metadata.json", "a.jpg"),
        ("a.jpg.suppl.json", "a.jpg"),
        ("a.jpg(1).json", "a(1).jpg"),
        ("a.jpg.supplemental-metadata(1).json", "a(1).jpg"),
        ("a.jpg.json", "a-edited.jpg"),
        ("a.jpg.json", "A-bearbeitet.JPG"),
        (
            "Screenshot_20240512-183005_A very long name of.json",
            "Screenshot_20240512-183005_A very long name of an app.png",
        ),
    ],
)
def test_takeout_names_its_files_in_many_ways(beside: str, name: str) -> None:
    assert Sidecars(("x/other.json", f"x/{beside}", "y/a.jpg.json")).of(f"x/{name}") == f"x/{beside}"


def test_doubles_are_one_and_what_is_broken_is_named(tmp_path: Path) -> None:
    first = photo(tmp_path / "b.jpg", 1, "2024:05:12 18:30:05", "+02:00")
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "copy.jpg").write_bytes(first.read_bytes())
    photo(tmp_path / "a.jpg", 2, "2025:01:01 00:00:00", "+02:00")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / ".hidden.jpg").write_bytes(b"")
    messages, tally = read(tmp_path)
    assert [message.pictures for message in messages] == [("album/copy.jpg",), ("a.jpg",)]
    assert tally.counts == {
        "photos that are there twice": 1,
        "pictures that cannot be read": 1,
        "files that are no pictures": 1,
        "hidden files": 1,
    }
    assert tally.places["pictures that cannot be read"] == ["broken.jpg: broken.jpg is not a picture."]


def scene(path: Path, seed: int, shift: int = 0) -> Image.Image:
    """Draw something with detail, the same for one seed, moved a little by a shift."""
    drawn = Image.effect_noise((40, 30), 180) if not seed else Image.new("L", (40, 30), 30 * seed)
    for number in range(12):
        left, top = (number * 37 * seed) % 30 + shift, (number * 23 * seed) % 22
        drawn.paste((number * 53 * seed) % 256, (left, top, left + 6 + number % 4, top + 5))
    path.parent.mkdir(parents=True, exist_ok=True)
    return drawn.resize((640, 480), Image.Resampling.BICUBIC).convert("RGB")


def shoot(path: Path, seed: int, taken: str, *, shift: int = 0, quality: int = 92, size: int = 640) -> Path:
    exif = Image.Exif()
    exif.get_ifd(EXIF).update({0x9003: taken, 0x9011: "+00:00"})
    picture = scene(path, seed, shift)
    picture.thumbnail((size, size))
    picture.save(path, exif=exif, quality=quality)
    return path


def take_in(memory: Memory, folder: Path) -> tuple[TakenIn, Tally]:
    with Bundle(folder) as bundle, spool_in(memory.places.home) as spool:
        gathered = gather(bundle, PHOTOS, Options(), timedelta(hours=1), spool)
        return store(memory, bundle, gathered, datetime(2026, 1, 1, tzinfo=UTC)), gathered.found.tally


def test_a_folder_is_taken_in_once_and_left_as_it_is(memory: Memory, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    first = shoot(folder / "a.jpg", 1, "2024:05:12 10:00:00")
    shoot(folder / "a small.jpg", 1, "2024:06:20 08:00:00", quality=70, size=400)  # as a messenger sends it on
    shoot(folder / "b.jpg", 2, "2024:05:12 10:10:00")
    shoot(folder / "b burst.jpg", 2, "2024:05:12 10:10:01", shift=1)
    shoot(folder / "c.jpg", 3, "2024:07:01 00:00:00")
    (folder / "cut.jpg").write_bytes(first.read_bytes()[:9000])
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    done, tally = take_in(memory, folder)
    assert (done.added, done.known) == (3, 0)
    assert tally.counts == {"photos that are there twice": 2, "pictures that cannot be read": 1}
    assert tally.places["pictures that cannot be read"] == ["cut.jpg"]
    turns = list(memory.store.turns.all())
    assert [(f"{turn.at:%m-%d %H:%M}", len(turn.images)) for turn in turns] == [
        *(("05-12 12:00", 1), ("05-12 12:10", 1)),
        ("07-01 02:00", 1),
    ]
    assert [session.closed_at is not None for session in memory.store.sessions.all()] == [True, True]
    assert memory.media.verify() == ()
    assert not memory.store.images.unused()
    # nothing is learnt from them, and a model that sees may describe each
    assert not memory.store.jobs.pending()
    assert len(memory.store.images.uncaptioned(10)) == 3
    done, _ = take_in(memory, folder)
    assert (done.added, memory.store.turns.count(), len(memory.store.images.all())) == (0, 3, 3)
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()} == before


def test_the_command_says_what_is_in_a_folder(tmp_path: Path) -> None:
    photo(tmp_path / "photos" / "a.jpg", 0, "2024:05:12 18:30:05", "+00:00")
    (tmp_path / "photos" / "b.jpg").write_bytes(b"no picture")
    ran = persona("import", str(tmp_path / "photos"), "--as", "photos", "--dry-run")
    assert ran.code == 0, ran.err
    assert "1 picture" in ran.err
    assert "b.jpg is not a picture." in ran.err
    assert "Nothing was stored." in ran.err


def test_photos_are_what_somebody_says_they_are(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    with Bundle(tmp_path) as bundle:
        assert recognised(bundle) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("name", "timestamp")), inner),
    max_leaves=6,
)
TAKEOUT = ("photoTakenTime", "description", "people", "geoData", "geoDataExif", "latitude")


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(TAKEOUT), JSON), st.text(st.sampled_from("0129-_. :TPMat"), max_size=30))
def test_nothing_beside_a_photo_breaks_its_reader(fields: dict[str, Any], name: str) -> None:
    parse_takeout(json.dumps(fields).encode())
    taken_by_name(f"{name}.jpg")
    date, place = f'DateTimeOriginal="{name}"', f'GPSLatitude="{name}N"'
    for spoilt in (XMP.replace('DateTimeOriginal="2019-08-03T14:05:06+02:00"', date), XMP.replace("52,31.2N", place)):
        parse_xmp(spoilt.encode(), DateSource.SIDECAR)


def test_broken_metadata_are_no_metadata(tmp_path: Path) -> None:
    plain = photo(tmp_path / "a.jpg", 0, "2024:05:12 18:30:05", gps=NORTH).read_bytes()
    start = plain.index(b"Exif\0\0")
    for place in range(start + 6, start + 150, 7):
        read_embedded("a.jpg", plain[:place] + b"\xff\xff\xff" + plain[place + 3 :])
    with pytest.raises(PictureError):
        read_embedded("a.jpg", plain[:10])
