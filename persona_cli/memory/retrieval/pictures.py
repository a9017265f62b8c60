"""Which pictures answer a question: copies of what was shown, what looks like it, and what was spoken of.

How pictures look is CLIP's to say, and measured against noise, because every CLIP has its own scale: what resembles a
picture must be much closer to it than pictures of different things are to each other, and words must describe a
picture better than sentences about other things do. Where the line is drawn was measured on tiny CLIPs
(benchmarks/LOG.md): the weights of ViT-B/32 could not be had. With the cosines others report for it (different things
around 0.5, copies above 0.95) it is 0.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.picture_matches import PictureMatches
from persona_cli.memory.retrieval.lane_weights import UNRELATED
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.clip import Vectors
from persona_cli.memory.vectors.sight import Sight
from persona_cli.records import Hit, Image, ImageMemory, Kind, Ref, SemanticMemory, Turn

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

NEAR = 0.4
"""What is alike is closer than this part of the distance that pictures of different things have.

Of pairs of unlike pictures 0.0% were taken for alike with it, 2% with 0.5; alike ones were all found.
"""
SURE = 0.5
"""How probable it must be that words describe a picture, rather than any of the sentences that do not."""

_ENOUGH = 12
"""Pictures of one's own from which on those, and no longer drawn ones, say how different pictures are."""
_SAMPLE = 200
_SIDE = 96
_MOST = 20
_PICTURE_WORDS = re.compile(
    r"\b(?:photo(?:graph)?|picture|pic|image|selfie|snapshot|screenshot|drawing|painting)s?\b"
    r"|\blook(?:s|ed)? like\b|\bshow(?:ed|n)\b",
    re.IGNORECASE,
)
_SAYING_NOTHING = ("a photo", "a picture", "the picture I showed you", "what does it look like?")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the pictures of a question have to do with those that are stored."""

    same: Mapping[int, float]
    """PictureMatches of one shown, by id, with how much of their hashes agrees, 0 to 1."""
    alike: Mapping[int, float]
    """What only looks like one shown."""
    new: tuple[Image, ...]
    """The pictures nobody has met before, in any size: how they look is all there is to go by."""


def look_for(store: Store, matches: PictureMatches, shown: Sequence[Image], before: datetime | None) -> Seen:
    """Look for pictures among those that were met before that moment."""
    same: dict[int, float] = {}
    alike: dict[int, float] = {}
    new = []
    for picture in shown:
        found = matches.of(picture)
        for match in found:
            kind = same if match.same else alike
            kind[match.known.id] = max(kind.get(match.known.id, 0.0), match.closeness)
        if not any(match.same and _is_known(store, match.known, before) for match in found):
            new.append(picture)
    return Seen(same, {row_id: value for row_id, value in alike.items() if row_id not in same}, tuple(new))


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


def asks_to_see(text: str) -> bool:
    """Tell whether a question speaks of pictures: only then is CLIP opened for words, which takes seconds."""
    return _PICTURE_WORDS.search(text) is not None


class LooksLike:
    """Compares pictures, and words with pictures."""

    def __init__(self, store: Store, sight: Sight) -> None:
        self._store = store
        self._sight = sight

    def alike(self, shown: Sequence[Image]) -> dict[int, float]:
        """Return the other pictures that look like one of these, by id, with the cosine of the closest."""
        known = self._sight.known()
        mine = {image.id for image in shown}
        # the first picture of all has nothing to be compared with: no reason to load anything
        if not shown or not set(known.ids.tolist()) - mine:
            return {}
        found: dict[int, float] = {}
        looks = self._sight.looks_of(shown)
        least = self._least() if looks else 1.0
        for look in looks.values():
            for other, cosine in known.nearest(look, _MOST + len(mine)):
                if other not in mine and cosine >= least:
                    found[other] = max(cosine, found.get(other, 0.0))
        return found

    def showing(self, text: str) -> dict[int, float]:
        """Return the pictures that these words describe, by id, with how probable that is, from `SURE` to 1."""
        known = self._sight.known()
        if not len(known.ids) or not text.strip():
            return {}
        asked, scale = self._sight.read([text])
        if not len(asked) or not len(self._others):
            return {}
        logits = scale * (known.matrix @ np.concatenate([asked, self._others]).T)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        certain = odds[:, 0] / odds.sum(axis=1)
        best = np.argsort(-certain, kind="stable")[:_MOST]
        return {int(known.ids[row]): float(certain[row]) for row in best if certain[row] >= SURE}

    @cached_property
    def _others(self) -> Vectors:
        """Return the vectors of sentences that describe no picture in particular, or none of these."""
        return self._sight.read([*_SAYING_NOTHING, *UNRELATED])[0]

    def _least(self) -> float:
        """Return the cosine from which two pictures are alike: `NEAR` of the way from 1 to what is usual."""
        own = self._own()
        others = own if len(own) >= _ENOUGH else self._drawn
        usual = np.median((others @ others.T)[np.triu_indices(len(others), 1)]) if len(others) else 1.0
        return 1.0 - NEAR * (1.0 - float(usual))

    def _own(self) -> Vectors:
        """Return the looks of the latest whole pictures: a part of one resembles it and would tell nothing."""
        known = self._sight.known()
        latest = np.sort(known.ids)[-_SAMPLE:].tolist()
        whole = [image.id for image in self._store.images.many(latest) if image.crop_of is None]
        return known.matrix[np.isin(known.ids, whole)]

    @cached_property
    def _drawn(self) -> Vectors:
        """Return the looks of drawings with nothing in common, for as long as few pictures were shown.

        They are closer to each other than photographs are, so until then only what is very much alike is found.
        """
        return self._sight.see(_drawings())


def _drawings() -> list[Picture]:
    """Draw eight pictures: two gradients, noise, stripes, a disc, squares, a triangle and lines."""
    from PIL import Image as Pillow

    noise = np.random.default_rng(1).integers(0, 255, (_SIDE, _SIDE, 3), dtype=np.uint8)
    gradients = [make("L").resize((_SIDE, _SIDE)) for make in (Pillow.linear_gradient, Pillow.radial_gradient)]
    down, across = np.mgrid[0:_SIDE, 0:_SIDE]
    shapes: list[tuple[str, str, NDArray[np.bool_]]] = [
        ("black", "white", across // 8 % 2 == 0),
        ("yellow", "navy", np.hypot(across - 48, down - 48) < 30),
        ("red", "darkgreen", (across // 16 % 2 == 0) & (down // 16 % 2 == 0)),
        ("purple", "orange", abs(across - 48) < down / 2),
        ("brown", "white", down % 12 < 3),
    ]
    drawn = [Pillow.new("RGB", (_SIDE, _SIDE), back) for _, back, _ in shapes]
    for picture, (front, _, where) in zip(drawn, shapes, strict=True):
        picture.paste(front, mask=Pillow.fromarray(where))
    return [*(picture.convert("RGB") for picture in (*gradients, Pillow.fromarray(noise))), *drawn]
