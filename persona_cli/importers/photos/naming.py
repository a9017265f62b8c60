"""Dates that cameras and programs write into the names of files."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime

from persona_cli.importers.photos.details import DateSource, Taken

_DATE = r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)"
_TIME = r"(?:[-_ T.]{1,3}|[ _]at[ _])(\d{1,2})([-_.:h]?)(\d\d)[-_.:m]?(\d\d)(?:\d{3})?(?: ?([AP]M))?(?!\d)"
_NAMED = re.compile(f"{_DATE}(?:{_TIME})?", re.IGNORECASE)
_PIXEL = "PXL_"
"""Google's camera names its pictures in UTC, all others by the clock on the wall."""


def taken_by_name(name: str) -> Taken | None:
    """Return the date in a file name without its folder: IMG_20240512_183005, 2024-05-12 18.30.05."""
    for match in _NAMED.finditer(name):
        year, _, month, day, hour, _, minute, second, half = match.groups()
        with suppress(ValueError):
            if hour is None:
                # digits that go on are a number: IMG_202405123
                if name[match.end() : match.end() + 1].isdigit():
                    continue
                return Taken(datetime(int(year), int(month), int(day)), DateSource.NAME, day_only=True)
            at = datetime(int(year), int(month), int(day), _hour(int(hour), half), int(minute), int(second))
            return Taken(at.replace(tzinfo=UTC) if name.startswith(_PIXEL) else at, DateSource.NAME)
    return None


def _hour(hour: int, half: str | None) -> int:
    return hour if half is None else hour % 12 + (12 if half.upper() == "PM" else 0)
