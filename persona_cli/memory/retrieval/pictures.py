"""Which pictures answer a question: copies of what was shown, what looks like it, and what was spoken of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from persona_cli.memory.store import Store
from persona_cli.records import Hit, Image, ImageMemory, Kind, Ref, SemanticMemory, Turn

_BITS = 64
_SAME = 8
"""Bits of 64 in which the hashes of two copies of one picture may differ."""


def seen_before(store: Store, shown: Sequence[Image]) -> dict[int, float]:
    """Return the stored pictures that are copies of one shown, by id, with how alike they are, 0 to 1."""
    alike: dict[int, float] = {}
    for picture in shown:
        for known, bits in store.images.near(picture.phash, _SAME):
            alike[known.id] = max(alike.get(known.id, 0.0), 1.0 - bits / _BITS)
    return alike


def new_ones(store: Store, shown: Sequence[Image], before: datetime | None) -> tuple[Image, ...]:
    """Return the pictures nobody has met before that moment, in any size: how they look is all there is to go by."""
    return tuple(
        picture
        for picture in shown
        if not any(_is_known(store, known, before) for known, _ in store.images.near(picture.phash, _SAME))
    )


def spoken_of(store: Store, facts: Iterable[Hit[SemanticMemory]]) -> dict[int, Hit[SemanticMemory]]:
    """Return for each picture, by id, the best fact that belongs to it."""
    found: dict[int, Hit[SemanticMemory]] = {}
    for hit in facts:
        shown = [picture for name in hit.memory.images if (picture := store.images.by_hash(name))]
        cut = {picture.crop_of for picture in shown}
        for picture in shown:
            # the crop shows what the fact is about; the picture it was cut from would take the place of another
            if picture.hash not in cut and (picture.id not in found or hit.score > found[picture.id].score):
                found[picture.id] = hit
    return found


@dataclass(frozen=True, slots=True)
class Sights:
    """What speaks for pictures, by id, besides the facts that belong to them."""

    picture: Mapping[int, float] = field(default_factory=dict)
    """How nearly it is a copy of one shown."""
    looks: Mapping[int, float] = field(default_factory=dict)
    """How much it looks like one shown."""
    shows: Mapping[int, float] = field(default_factory=dict)
    """How probable it is that the words describe it."""
    caption: Mapping[int, float] = field(default_factory=dict)


def picture_hits(store: Store, told: Mapping[int, Hit[SemanticMemory]], sights: Sights) -> list[Hit[Image]]:
    """Rank pictures: a copy of one shown first, then by their looks and the facts and captions that speak of them.

    Of a picture and a part of it only the better is returned: they show the same.
    """
    hits = []
    for row_id in {*told, *sights.picture, *sights.looks, *sights.shows, *sights.caption}:
        fact = told.get(row_id)
        lanes = {
            "picture": sights.picture.get(row_id, 0.0),
            "looks": sights.looks.get(row_id, 0.0),
            "shows": sights.shows.get(row_id, 0.0),
            "fact": fact.score if fact else 0.0,
            "caption": sights.caption.get(row_id, 0.0),
        }
        kept = {name: value for name, value in lanes.items() if value}
        hits.append(Hit(Ref(Kind.IMAGE, row_id), store.images.get(row_id), sum(kept.values()), kept))
    hits.sort(key=lambda hit: (-hit.lanes.get("picture", 0.0), -hit.score, -hit.ref.id))
    return list(_without_echoes(hits))


def _without_echoes(hits: Iterable[Hit[Image]]) -> Iterator[Hit[Image]]:
    wholes, parts = set[str](), set[str]()
    for hit in hits:
        whole = hit.memory.crop_of
        if (whole or hit.memory.hash) in (wholes if whole else wholes | parts):
            continue
        (wholes if whole is None else parts).add(whole or hit.memory.hash)
        yield hit


def remember(store: Store, hit: Hit[Image], before: datetime | None) -> ImageMemory | None:
    """Return a picture with what is known of it; None for one that nothing is known of before that moment."""
    memories, turns = _met(store, hit.memory, before)
    return ImageMemory(hit, memories, turns[0] if turns else None) if memories or turns else None


def _is_known(store: Store, picture: Image, before: datetime | None) -> bool:
    return any(_met(store, picture, before))


def _met(store: Store, picture: Image, before: datetime | None) -> tuple[tuple[SemanticMemory, ...], tuple[Turn, ...]]:
    """Return what is remembered of a picture, and the turns that showed it before that moment, oldest first."""
    turns = store.turns.of_image(picture.crop_of or picture.hash)
    return store.semantic.of_image(picture.hash), tuple(turn for turn in turns if before is None or turn.at < before)
