"""Which pictures answer a question: the ones that look like what was shown, and the ones that were spoken of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from persona_cli.memory.store import Store
from persona_cli.records import Hit, Image, ImageMemory, Kind, Ref, SemanticMemory

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


def picture_hits(
    store: Store, alike: Mapping[int, float], told: Mapping[int, Hit[SemanticMemory]], captions: Mapping[int, float]
) -> list[Hit[Image]]:
    """Rank pictures: a copy of one shown first, then by the facts and captions that speak of them."""
    hits = []
    for row_id in {*alike, *told, *captions}:
        fact = told.get(row_id)
        lanes = {
            "picture": alike.get(row_id, 0.0),
            "fact": fact.score if fact else 0.0,
            "caption": captions.get(row_id, 0.0),
        }
        kept = {name: value for name, value in lanes.items() if value}
        hits.append(Hit(Ref(Kind.IMAGE, row_id), store.images.get(row_id), sum(kept.values()), kept))
    return sorted(hits, key=lambda hit: (-hit.lanes.get("picture", 0.0), -hit.score, -hit.ref.id))


def remember(store: Store, hit: Hit[Image], before: datetime | None) -> ImageMemory | None:
    """Return a picture with what is known of it; None for one that nothing is known of before that moment."""
    memories = store.semantic.of_image(hit.memory.hash)
    shown = hit.memory.crop_of or hit.memory.hash
    turns = [turn for turn in store.turns.of_image(shown) if before is None or turn.at < before]
    if not memories and not turns:
        return None
    return ImageMemory(hit, memories, turns[0] if turns else None)
