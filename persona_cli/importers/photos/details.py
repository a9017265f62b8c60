"""What is known of a photo beside what it shows: when and where it was taken, what it is called, who is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class DateSource(Enum):
    """Where a date comes from, as a person is told."""

    SIDECAR = "a file beside it"
    CAMERA = "the camera"
    NAME = "its file name"
    FILE = "the time of its file, which copying changes"


@dataclass(frozen=True, slots=True)
class Taken:
    """When a photo was taken."""

    at: datetime
    """With a zone where that is known; without one it is the wall clock of wherever that was."""
    source: DateSource
    day_only: bool = False
    """No hour is known: it is midnight."""


@dataclass(frozen=True, slots=True)
class Details:
    """What one source says of a photo; each field may be empty."""

    taken: Taken | None = None
    caption: str = ""
    people: tuple[str, ...] = ()
    place: tuple[float, float] | None = None
    """Latitude and longitude in degrees."""


def merged(sources: Iterable[Details]) -> Details:
    """Return what several sources say together; of what two say, the first is believed, people are all named."""
    every = tuple(sources)
    return Details(
        _taken([details.taken for details in every if details.taken is not None]),
        next((details.caption for details in every if details.caption), ""),
        tuple(dict.fromkeys(name for details in every for name in details.people)),
        next((details.place for details in every if details.place is not None), None),
    )


def _taken(said: list[Taken]) -> Taken | None:
    """Return the first date, with the zone of a later one that shows the same wall clock."""
    if not said or said[0].at.tzinfo is not None:
        return next(iter(said), None)
    clock = said[0].at.replace(microsecond=0)
    zoned = (taken for taken in said if taken.at.tzinfo and taken.at.replace(tzinfo=None, microsecond=0) == clock)
    return next(zoned, said[0])


def place_of(latitude: float, longitude: float) -> tuple[float, float] | None:
    """Return a place on the globe; None for what is none, and for 0, 0, which stands for none."""
    inside = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return (latitude, longitude) if inside and (latitude or longitude) else None


def one_line(text: str, longest: int = 2000) -> str:
    """Return a caption or a name as one line of words."""
    return " ".join(text.replace("\0", " ").split())[:longest].strip()
