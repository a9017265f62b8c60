"""The same again: whether two sentences about a life say the same, and facts that slipped in beside each other twice.

Pure but for `find_doubles`, and on the careful side: what is not clearly the same is another memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.lexicon import words as word_set
from persona_cli.english.people import kin
from persona_cli.english.tokens import names, negative, numbers, stem, stem_set, stems, supported, values, words
from persona_cli.english.verbs import PAST
from persona_cli.memory.store import Store
from persona_cli.model.tasks import SemanticDraft, Stop
from persona_cli.records import Author, Kind, SemanticMemory, Status
from persona_cli.remembering.rules.permanence import LINKS, happened
from persona_cli.remembering.rules.sentence import is_over, plainly, says_no_more
from persona_cli.remembering.topics import go_on

_WISHING = stem_set("want hope plan wish intend dream would could consider think try")

_SAME_WORDS = """
like love enjoy adore fond keen into fan admirer lover support supporter follow enthusiast
marry married husband wife spouse
allergy allergic allergies intolerant intolerance
train training prepare preparing
live living home reside based
work working job employ employed employer
car drive driving
speak speaking fluent fluently
swim swimming swims
collect collecting collection collector
cook cooking
bake baking
fear afraid scared scare terrified frightened
born birthday
flat apartment
film movie
child children kid kids
bed bedtime
call called name named
study studies studying student
play plays playing player
"""

_ONE_NAME = {stem(word): stem(line.split()[0]) for line in _SAME_WORDS.strip().splitlines() for word in line.split()}

_BEING = word_set("is are was were has have name named called married work works")
"""What is the same from either side: "Rex is the user's husband" and "the user is married to Rex"."""

_EMPTY_WORDS = stem_set("every each something thing hobby big huge great get got do does go goes going come comes")

SAME = 0.95
"""Cosine from which two contents can be the same fact, if their names, numbers and polarity agree."""
ALIKE = 0.88
"""Cosine from which two sentences can say the same in other words; "likes jazz" and "plays jazz" have 0.89."""
_LIKING = stem_set("love like enjoy adore prefer fond into keen fan favourite favorite")
_LOOKED_AT = 2000
"""Facts that are compared with those before them, the latest."""

Near = Callable[[NDArray[np.float32]], Iterable[tuple[int, float]]]
"""Returns the ids and cosines of the facts that lie closest to a vector."""


@dataclass(frozen=True, slots=True)
class Double:
    """A fact that is there twice."""

    kept: SemanticMemory
    again: SemanticMemory
    """What says the same; it stays as superseded, and holds at no time."""

    def still_holds(self, store: Store) -> bool:
        """Tell whether both are as they were."""
        return store.semantic.many([self.kept.id, self.again.id]) == tuple(
            sorted((self.kept, self.again), key=lambda one: one.id)
        )

    def settle(self, store: Store) -> None:
        """Count the one with the other."""
        store.semantic.absorb(self.kept, self.again)


def find_doubles(store: Store, embedder: str, near: Near, stop: Stop, after_id: int = 0) -> tuple[Double, ...]:
    """Return the active facts that one before them says as well, each fact in one pair at most.

    Looks at those behind `after_id`, the latest of them. Raises `Interrupted` once `stop` returns True.
    """
    taken: set[int] = set()
    found = []
    for one, other in _close(store, embedder, near, store.semantic.newest(after_id, _LOOKED_AT), stop):
        ids = {one.id, other.id}
        if ids & taken or not _is_double(one, other) or store.conflicts.of(ids):
            continue
        kept, again = sorted((one, other), key=lambda fact: (fact.author is not Author.PERSON, not fact.slot, fact.id))
        if again.author is Author.MODEL and set(again.images) <= set(kept.images):
            found.append(Double(kept, again))
            taken |= ids
    return tuple(found)


def same_saying(new: str, old: str) -> bool:
    """Tell whether two sentences have the same words but for order, endings and colour, and the same polarity."""
    new, old = plainly(new), plainly(old)
    mine, theirs = sorted(stems(new)), sorted(stems(old))
    if _other_way_round(new, old):
        return False
    return bool(mine) and mine == theirs and negative(new) == negative(old) and numbers(new) == numbers(old)


def same_meaning(new: str, old: str) -> bool:
    """Tell whether two sentences say the same in other common words: "is a fan of jazz" and "loves jazz"."""
    new, old = plainly(new), plainly(old)
    if negative(new) != negative(old) or numbers(new) != numbers(old):
        return False
    if _other_way_round(new, old):
        return False
    before = [happened([word.casefold() for word in words(text)]) for text in (new, old)]
    return before[0] == before[1] and bool(_meant(new)) and _meant(new) == _meant(old)


def fills_alike(new: str, old: str, slot: str) -> bool:
    """Tell whether two sentences give one slot the same value: the same feeling, hour or day."""
    if negative(new) != negative(old) or is_over(new) != is_over(old):
        return False
    if "/likes/" in slot:
        return not {"prefers", "prefer"} & {word.casefold() for word in (*words(new), *words(old))}
    return slot.rpartition("/")[2] in _COUNTED and bool(numbers(new)) and numbers(new) == numbers(old)


def says_the_same(new: str, old: str) -> bool:
    """Tell whether two sentences whose vectors are as close as `ALIKE` say the same of the same, in whatever words.

    All that is specific stands in both, one is as much wish, liking or past as the other, and both are about the
    user, or begin with the same name.
    """
    return (
        _opening(new) == _opening(old)
        and _mood(new) == _mood(old)
        and says_no_more(new, old)
        and says_no_more(old, new)
    )


def same_fact(new: SemanticDraft, old: SemanticMemory) -> bool:
    """Tell whether `new` says nothing that `old` does not, given that their vectors are close.

    "Has a cat named Tom" and "has a dog named Tom" lie closer together than most paraphrases: names, numbers
    and polarity must agree, the occasion must be the same, and `new` may bring no word of its own.
    """
    if new.subject.casefold() != old.subject.casefold() or negative(new.content) != negative(old.content):
        return False
    if set(map(stem, names(new.content))) != set(map(stem, names(old.content))):
        return False
    if numbers(new.content) != numbers(old.content) or not same_occasion(new, old):
        return False
    return supported(values(new.content), old.content) == values(new.content)


def same_occasion(new: SemanticDraft, old: SemanticMemory) -> bool:
    """Tell whether two facts can be of one event: a second run on another day is another memory."""
    if new.event is None or old.event is None or old.event.start is None or old.event.end is None:
        return new.event is None or old.event is None or new.event == old.event
    return new.event.overlaps(old.event.start, old.event.end) and new.event != type(new.event)()


def _close(
    store: Store, embedder: str, near: Near, facts: Sequence[SemanticMemory], stop: Stop
) -> Iterator[tuple[SemanticMemory, SemanticMemory]]:
    """Yield each fact with the active ones before it that lie close to it, the oldest first."""
    vectors = store.vectors.among(Kind.SEMANTIC, [fact.id for fact in facts], embedder)
    for fact in facts:
        go_on(stop)
        hits = near(vectors[fact.id]) if fact.id in vectors else ()
        for other in store.semantic.many([row for row, cosine in hits if cosine >= ALIKE and row < fact.id]):
            if other.status is Status.ACTIVE:
                yield other, fact


def _is_double(one: SemanticMemory, other: SemanticMemory) -> bool:
    return (
        one.subject.casefold() == other.subject.casefold()
        and (one.slot == other.slot or not one.slot or not other.slot)
        and one.event == other.event
        and says_the_same(one.content, other.content)
    )


def _other_way_round(new: str, old: str) -> bool:
    """Tell whether one sentence has the user do what the other has somebody do: who gives is not who is given."""
    return any(
        re.match(r"[Tt]he user (?!and\b)", own) is not None
        and (first := re.match(r"[A-Z][\w-]+", other)) is not None
        and first[0] in names(own)
        and not _BEING & {word.casefold() for word in (*words(own), *words(other))}
        for own, other in ((new, old), (old, new))
    )


def _meant(text: str) -> frozenset[str]:
    """Return the words of a sentence, each by one name for all that mean the same."""
    found = {_ONE_NAME.get(one, one) for word in words(text) for one in stems(kin(word))}
    return frozenset(found) - _EMPTY_WORDS


def _opening(text: str) -> str:
    first = [word for word in words(text) if word.casefold() not in ("the", "a", "an")][:1]
    return first[0].casefold() if first else ""


def _mood(text: str) -> frozenset[str]:
    """Return how a sentence means what it says: "wants to live" and "lives", "likes jazz" and "plays jazz" differ."""
    found = [word.casefold() for word in words(text)]
    wishes = {stem(word) for word in found} & _WISHING
    likes = {stem(word) for word in found} & _LIKING and not wishes
    past = any(
        (word in PAST or (word.endswith("ed") and len(word) > 4)) and before not in LINKS
        for before, word in pairwise(["", *found])
    )
    return frozenset(name for name, holds in (("wish", wishes), ("liking", likes), ("past", past)) if holds)


_COUNTED = frozenset(("waking", "bedtime", "weight", "age", "birthday"))
"""Slots whose value is a number."""
