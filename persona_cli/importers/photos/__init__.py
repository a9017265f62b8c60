"""A folder of photos: each is one message of the person at the moment it was taken, with what is known beside it.

Nothing in the folder is changed. A date is believed in this order: a file beside the photo (XMP, Google Takeout), the
camera (EXIF), the file's name, the time of the file; the last two are marked, as is a wall clock without a zone, which
is read in that of this machine. The caption is what the message says. People, place and marks stand in the answer,
which is never evidence, and nothing is learnt from either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath

from persona_cli.errors import PictureError, TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Conversation, Format, Item, Options, Speaker, Tally, WrittenMessage
from persona_cli.importers.photos import takeout, xmp
from persona_cli.importers.photos.details import DateSource, Details, Taken, merged
from persona_cli.importers.photos.naming import taken_by_name
from persona_cli.importers.photos.takeout import Sidecars, parse_takeout
from persona_cli.importers.photos.xmp import parse_xmp
from persona_cli.importers.picture_names import is_picture
from persona_cli.importers.reasons import BROKEN, DOUBLES
from persona_cli.memory.media import MAX_BYTES

_BESIDE = frozenset({".json", ".xmp", ".aae"})
_HIDDEN = frozenset({"@eaDir", "$RECYCLE.BIN"})

OTHERS = "files that are no pictures"
HIDDEN = "hidden files"
TIMELESS = "photos without any date"


def _recognise(_bundle: Bundle) -> bool:
    # a folder of pictures may be anything: photos are what somebody says they are
    return False


def _read(bundle: Bundle, _options: Options, tally: Tally) -> Iterator[Item]:
    yield Conversation("photos", _messages(bundle, tally), learn=False)


PHOTOS = Format("photos", "a folder of photos", _recognise, _read, photos=True)


def _messages(bundle: Bundle, tally: Tally) -> Iterator[WrittenMessage]:
    """Yield the photos in the order in which they were taken; of each only what is said of it is held."""
    shots: dict[str, tuple[WrittenMessage, WrittenMessage | None]] = {}
    for name, digest, details in _details(bundle, tally):
        if digest in shots:
            tally.skip(DOUBLES, name)
        elif details.taken is None:
            tally.skip(TIMELESS, name)
        else:
            shots[digest] = _shot(name, digest, details, details.taken)
    for shot, said in sorted(shots.values(), key=lambda shot: (shot[0].at, shot[0].pictures)):
        yield shot
        if said is not None:
            yield said


def _shot(name: str, digest: str, details: Details, taken: Taken) -> tuple[WrittenMessage, WrittenMessage | None]:
    # without a zone this is the clock of this machine, and is said to be
    at = taken.at.astimezone()
    shot = WrittenMessage(digest, Speaker.ME, details.caption, at, pictures=(name,))
    said = " ".join(_told(details, taken))
    return shot, WrittenMessage(f"{digest} details", Speaker.ASSISTANT, said, at) if said else None


def _told(details: Details, taken: Taken) -> Iterator[str]:
    """Yield the sentences that stand beside a photo."""
    if details.people:
        yield f"In the picture: {', '.join(details.people)}."
    if details.place is not None:
        yield f"Taken at {details.place[0]:.5f}, {details.place[1]:.5f}."
    if taken.source in (DateSource.NAME, DateSource.FILE):
        yield f"The date is that of {taken.source.value}{', without an hour' if taken.day_only else ''}."
    if taken.at.tzinfo is None and not taken.day_only:
        yield "Its time zone is not known; the time is read in that of the machine that imported it."


def _details(bundle: Bundle, tally: Tally) -> Iterator[tuple[str, str, Details]]:
    """Yield the name, the SHA-256 and the details of every photo that can be read, one file in memory at a time."""
    names = frozenset(bundle.names)
    sidecars = Sidecars(bundle.names)
    for name in bundle.names:
        path = PurePosixPath(name)
        if path.name.startswith(".") or not _HIDDEN.isdisjoint(path.parts):
            tally.skip(HIDDEN)
        elif not is_picture(name):
            if path.suffix.lower() not in _BESIDE:
                tally.skip(OTHERS, name)
        else:
            try:
                content = bundle.read(name, MAX_BYTES)
                details = _of_file(bundle, name, content, names, sidecars)
            except (PictureError, TransferError) as exc:
                tally.skip(BROKEN, f"{name}: {exc.message}")
                continue
            yield name, hashlib.sha256(content).hexdigest(), details


def _of_file(bundle: Bundle, name: str, content: bytes, names: frozenset[str], sidecars: Sidecars) -> Details:
    from persona_cli.importers.photos.embedded import read_embedded

    beside = (f"{name}.xmp", f"{name}.XMP", str(PurePosixPath(name).with_suffix(".xmp")))
    packets = [packet for packet in beside if packet in names and bundle.size(packet) <= xmp.LARGEST]
    said = [parse_xmp(bundle.read(packet, xmp.LARGEST), DateSource.SIDECAR) for packet in packets]
    if (beside_it := sidecars.of(name)) is not None and bundle.size(beside_it) <= takeout.LARGEST:
        said.append(parse_takeout(bundle.read(beside_it, takeout.LARGEST)))
    said.append(read_embedded(name, content))
    said.append(Details(taken_by_name(PurePosixPath(name).name) or _by_file(bundle, name)))
    return merged(said)


def _by_file(bundle: Bundle, name: str) -> Taken | None:
    """Return the time of the file, which a zip does not tell with its zone."""
    if not bundle.path.is_dir():
        return None
    try:
        return Taken(datetime.fromtimestamp((bundle.path / name).stat().st_mtime, UTC), DateSource.FILE)
    except (OSError, ValueError, OverflowError):
        return None
