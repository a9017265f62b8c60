"""Which stored pictures are copies of one that is shown, and which only look like it by their large shapes.

The hash of 64 bits finds the few that may be; the prints of the two pictures decide (likeness.py). A picture whose
print was never taken, an old or an imported one, has it taken from its file when it is first needed; where the file
is gone nothing more can be said than that they look alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persona_cli.memory.media import Media
from persona_cli.memory.store import Store
from persona_cli.records import Image

_BITS = 64
_MAY_BE = 20
"""Bits of 64 in which the hashes of a picture and of one with 3% cut off differ at most (16 of 186 measured)."""
_LOOKS = 8
"""Bits from which on pictures that are no copies do not even look alike."""


@dataclass(frozen=True, slots=True)
class PictureMatch:
    """A stored picture that may be another one."""

    known: Image
    closeness: float
    """How much of their hashes agrees, 0 to 1."""
    same: bool
    """It is that picture; else it looks like it."""


class PictureMatches:
    """Finds the copies of pictures among those that are stored."""

    def __init__(self, store: Store, media: Media) -> None:
        self._store = store
        self._media = media

    def of(self, shown: Image) -> tuple[PictureMatch, ...]:
        """Return the copies of a picture, itself among them, and then what looks like it; the closest first."""
        return tuple(sorted(self._matches(shown), key=lambda match: (not match.same, -match.closeness, match.known.id)))

    def _matches(self, shown: Image) -> Iterator[PictureMatch]:
        for known, bits in self._store.images.near(shown.phash, _MAY_BE):
            same = known.hash == shown.hash or self.is_copy(shown, known)
            if same or bits <= _LOOKS:
                yield PictureMatch(known, 1.0 - bits / _BITS, same)

    def is_copy(self, shown: Image, known: Image) -> bool:
        """Tell whether a picture is another one, saved again, smaller or with a little cut off."""
        from persona_cli.memory.likeness import is_copy

        one, other = self._media.print_of(shown), self._media.print_of(known)
        return one is not None and other is not None and is_copy(one, other)
