"""Google Takeout's JSON beside each photo: when it was taken, where, what it is called, and who is in it.

Which file belongs to which photo the names say, in several ways: `IMG_1.jpg.json`, lately
`IMG_1.jpg.supplemental-metadata.json`, both cut where the whole would be longer than 51 characters; the second photo of
a name is `IMG_1(1).jpg` and its file `IMG_1.jpg(1).json`; an edited copy, `IMG_1-edited.jpg`, has none of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from persona_cli.importers.photos.details import DateSource, Details, Taken, one_line, place_of
from persona_cli.importers.streaming import parsed

LARGEST = 1_000_000
"""Bytes of such a file; they have two thousand."""
_CUT = 46
"""Characters of a name that was cut have at least so many."""
_LABEL = "supplemental-metadata"
_NUMBER = re.compile(r"(?P<name>.*?)(?P<number>\(\d+\))?")
_EDITED = re.compile(r"-(?:edited|bearbeitet|modifié|editado|modificato|bewerkt|edytowane|effects)(?=\.|\()")


class Sidecars:
    """The JSON files of one bundle, found by the photo they speak of."""

    def __init__(self, names: Iterable[str]) -> None:
        self._whole: dict[tuple[str, str], str] = {}
        self._cut: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in names:
            path = PurePosixPath(name)
            if path.suffix.lower() != ".json":
                continue
            folder, of = str(path.parent), _photo_name(path.stem)
            self._whole.setdefault((folder, of.casefold()), name)
            if len(of) >= _CUT:
                self._cut[folder].append((of.casefold(), name))

    def of(self, photo: str) -> str | None:
        """Return the name of the file that speaks of a photo."""
        path = PurePosixPath(photo)
        folder, name = str(path.parent), path.name.casefold()
        for tried in dict.fromkeys((name, _EDITED.sub("", name))):
            if found := self._whole.get((folder, tried)):
                return found
            # of a name that was cut only the beginning is there
            if found := next((cut for start, cut in self._cut.get(folder, ()) if tried.startswith(start)), None):
                return found
        return None


def parse_takeout(content: bytes) -> Details:
    """Return what such a file says; nothing where it is another one."""
    fields = parsed(content)
    if not isinstance(fields, dict) or not isinstance(fields.get("photoTakenTime"), dict):
        return Details()
    people = fields.get("people")
    names = [person.get("name") for person in people if isinstance(person, dict)] if isinstance(people, list) else []
    return Details(
        _taken(fields["photoTakenTime"].get("timestamp")),
        one_line(fields["description"]) if isinstance(fields.get("description"), str) else "",
        tuple(one_line(name, 100) for name in names if isinstance(name, str) and name.strip()),
        _place(fields.get("geoData")) or _place(fields.get("geoDataExif")),
    )


def _photo_name(stem: str) -> str:
    """Return the photo that a file "STEM.json" is about: "a.jpg.supplemental-meta(1)" is about "a(1).jpg"."""
    match = _NUMBER.fullmatch(stem)
    assert match is not None
    name, number = match["name"], match["number"] or ""
    before, dot, label = name.rpartition(".")
    if dot and _LABEL.startswith(label.lower()):
        name = before
    if number and "." in name:
        start, dot, suffix = name.rpartition(".")
        return f"{start}{number}{dot}{suffix}"
    return name + number


def _taken(timestamp: Any) -> Taken | None:
    # a moment, told in UTC: 0 and what is before may be true
    try:
        return Taken(datetime.fromtimestamp(int(str(timestamp)[:15]), UTC), DateSource.SIDECAR)
    except (ValueError, OverflowError, OSError):
        return None


def _place(geo: Any) -> tuple[float, float] | None:
    if not isinstance(geo, dict):
        return None
    latitude, longitude = geo.get("latitude"), geo.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    return place_of(float(latitude), float(longitude))
