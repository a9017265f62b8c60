"""Photos that were brought in before in another file: a smaller copy, one saved again, the next of a burst.

Files with the same bytes are one before it comes to this. A picture that was only shown in a conversation is no double:
it tells nothing of when and where the photo was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from persona_cli.memory import Memory
from persona_cli.records import Image

BURST = timedelta(seconds=2)
"""Within which two photos that look alike are one."""
_NEAR = 10
"""Bits of 64 in which the hashes of two such photos differ at most; of two photos of different things 20 and more."""
_MOST = 20
"""White pages look like a thousand others: so many are compared."""


def is_double(memory: Memory, image: Image, at: datetime, before: Sequence[tuple[Image, datetime]]) -> bool:
    """Tell whether a photo is one that was brought in, or one of those `before` it that are on their way in."""
    store = memory.store
    close = dict(store.images.near(image.phash, _NEAR)[:_MOST])
    times = [(known, taken) for known, taken in before if known in close or known.id == image.id]
    for known in close:
        shown = (turn for turn in store.turns.of_image(known.hash) if store.imports.has_key(turn.id))
        times.extend((known, turn.at) for turn in shown)
    return any(
        known.id == image.id or abs(taken - at) <= BURST or memory.picture_matches.is_copy(image, known)
        for known, taken in times
    )
