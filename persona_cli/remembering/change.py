"""Which of the memories held to be true a new statement makes outdated, whatever model proposed it.

`RULES` is the whole of it: named rules in the order in which they are asked. A memory ends by the first rule that
fires, whose name is journalled with it. What none of them shows stays as it is: a change that is missed can be said
again, a memory ended by mistake is gone from every answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from persona_cli.english.people import other_names
from persona_cli.english.tokens import names, stem, stems, supported, telling_words, values, word_stems
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.known import KnownVectors
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Change, Kind, SemanticMemory, Status, Turn
from persona_cli.remembering.meaning import ALONE, ALSO, ASKED, ByMeaning, Judged
from persona_cli.remembering.rules.corrections import names_role, renames, reschedules, revises
from persona_cli.remembering.rules.denials import opposed, recovers
from persona_cli.remembering.rules.endings import (
    Ending,
    ended,
    for_a_while,
    is_of_use,
    is_over_with,
    is_unreal,
)
from persona_cli.remembering.rules.permanence import corrects, lasts
from persona_cli.remembering.rules.sentence import is_over, says_no_more
from persona_cli.remembering.rules.signs import shows
from persona_cli.remembering.rules.states import rules_out, state_words
from persona_cli.remembering.rules.subjects import apart, as_compared, draft_as_compared, of_user, same_subject

MEANT = 0.6
"""Cosine from which a memory without a slot is taken to be the one a change speaks of."""
_SHORT = 160
_NEWEST = 60
"""Memories of the same person that are compared whatever their words."""
_LATEST = 200
"""Memories of anybody that a meaning may end, whatever their words: "got the keys" may end "at my brother's"."""
_NEAR = 60
"""Memories that full text proposes for a comparison."""
_LOOKED_UP = 200
"""Different words of a message that they are looked up by: of a page of 20,000 characters all took 7 seconds."""
_HEIRS = 20
"""Memories that may have taken the place of each other one after another, as far as they are followed."""
_KEPT = frozenset(("relation", "species", "name", "birthday", "origin", "age", "gender"))
"""Attributes that change, if ever, by their own slot alone."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new, with all a rule may look at; contents are in the third person."""

    draft: SemanticDraft
    quote: str
    turn: Turn
    over: Mapping[int, Ending] = field(default_factory=dict)
    """By id the memories about what the message says is over."""
    former: Mapping[int, SemanticMemory] = field(default_factory=dict)
    """By id the memories that took the place of something that is so again."""
    vectors: KnownVectors | None = None
    judged: tuple[Judged, ...] = ()
    """What it may end by its meaning, the most probable first."""

    @property
    def said(self) -> str:
        """Return what was said around it: the whole message where it is short, else the words it rests on."""
        return self.turn.user if len(self.turn.user) <= _SHORT or not self.quote else self.quote


@dataclass(frozen=True, slots=True)
class Outdated:
    """A memory that holds no longer, and the name of the rule that says so."""

    memory: SemanticMemory
    rule: str


Memories = Sequence[SemanticMemory]
Rule = Callable[[News, Memories, bool], Iterable[SemanticMemory]]
"""Returns which of the memories end; the last argument tells whether an earlier rule has ended one already."""


def _each(test: Callable[[News, SemanticMemory], bool]) -> Rule:
    """Return a rule that judges memory by memory."""
    return lambda news, memories, _fired: [memory for memory in memories if test(news, memory)]


def same_slot(news: News, old: SemanticMemory) -> bool:
    """Tell whether the slot of an old memory has another value now, or is said to be empty."""
    draft = news.draft
    if not draft.slot or old.slot != draft.slot or apart(draft, old):
        return False
    if draft.change is Change.ENDS:
        return _ends(draft, old)
    # what only says more of the same ("my brother Owen lives in Dublin") ends the shorter one, and nothing besides
    return draft.change is Change.REPLACES or not says_no_more(old.content, draft.content, draft.slot)


def explicit_ending(news: News, old: SemanticMemory) -> bool:
    """Tell whether the user's own words say that what an old memory is about is over."""
    return old.id in news.over


def denial(news: News, old: SemanticMemory) -> bool:
    """Tell whether the new sentence denies the old one, or what hurt in it is well again."""
    new = news.draft.content
    return (
        _may_contradict(news, old)
        and old.event is None
        and same_subject(news.draft, old)
        and (opposed(new, old.content) or recovers(new, old.content))
    )


def ruled_out(news: News, old: SemanticMemory) -> bool:
    """Tell whether somebody cannot be in the old state and in the new one."""
    return _may_contradict(news, old) and rules_out(news.draft.content, old.content) and same_subject(news.draft, old)


def correction(news: News, old: SemanticMemory) -> bool:
    """Tell whether the new sentence gives another name, way, day or number for what the old one gives one for."""
    new, said = news.draft.content, news.quote or news.draft.content
    if not _may_contradict(news, old) or apart(news.draft, old):
        return False
    return renames(new, old.content, said) or (
        same_subject(news.draft, old)
        and ((old.event is None and revises(new, old.content, said)) or reschedules(new, old.content, news.turn.user))
    )


def return_to_former(news: News, old: SemanticMemory) -> bool:
    """Tell whether an old memory took the place of what is so again."""
    return old.id in news.former


def named_by_model(news: News, memories: Memories, fired: bool) -> Memories:
    """Return the one memory a model says is replaced or over, where it names no slot."""
    draft, turn = news.draft, news.turn
    if fired or draft.change is Change.ADDS or news.vectors is None:
        return ()
    meant = draft.replaces or draft.content
    named = [
        memory
        for memory in memories
        if memory.turn_id != turn.id
        and (memory.event is None or meant == memory.content)
        and (lasts(memory) or corrects(turn.user) or meant == memory.content)
        and not is_of_use(memory, turn.user)
        and not is_over(memory.content)
        and (memory.subject.casefold() == draft.subject.casefold() or meant == memory.content)
        and not apart(draft, memory)
        and memory.slot in ("", draft.slot)
        and _speaks_of(draft, memory)
        and supported(values(meant), memory.content)
    ]
    ranked = news.vectors.ranked(meant, named)
    return [ranked[0][1]] if ranked and ranked[0][0] >= MEANT else ()


def by_meaning(news: News, memories: Memories, fired: bool) -> Memories:
    """Return the one memory that the new one certainly ends by its meaning, where no rule says so."""
    best = next(iter(news.judged), None)
    if fired or best is None or best.ending < ALONE or for_a_while(news.said):
        return ()
    same = (old for old in memories if old.id == best.memory.id)
    return [
        old
        for old in same
        if _may_end(old, news)
        and not is_of_use(old, news.said)
        and (same_subject(news.draft, old) or (of_user(news.draft) and names_role(old.content)))
    ]


def may_have_ended(news: News) -> tuple[Judged, ...]:
    """Return the memories of which a person is asked whether they still hold, the most doubtful first."""
    if for_a_while(news.said) or is_unreal(news.said):
        return ()
    # beside the most doubtful one only what would be doubted for certain
    least = (ASKED, *[ALSO] * len(news.judged))
    return tuple(judged for judged, from_ in zip(news.judged, least, strict=False) if judged.ending >= from_)


CORRECTION = "correction"
"""The one rule that acts only where the meaning may end something too: by its words alone it was wrong in 6 of 11."""
RULES: tuple[tuple[str, Rule], ...] = (
    ("same slot", _each(same_slot)),
    ("explicit ending", _each(explicit_ending)),
    ("denial", _each(denial)),
    ("state that rules another out", _each(ruled_out)),
    (CORRECTION, _each(correction)),
    ("return to a former state", _each(return_to_former)),
    ("named by the model", named_by_model),
    ("by its meaning", by_meaning),
)
"""What ends a memory, in the order in which it is asked; the first that fires for a memory wins."""
AT_ONCE, IN_THE_END = RULES[:-1], RULES[-1:]
"""The rules for each draft, and the last one, asked once a turn where none of the others has found anything."""


class Changes:
    """Asks the rules about the active memories of a store."""

    def __init__(self, store: Store, vectors: KnownVectors | None = None, meaning: ByMeaning | None = None) -> None:
        """Ask only the rules that need no vectors where there are none, nor what judges by meaning."""
        self._store = store
        self._vectors = vectors
        self._meaning = meaning

    def news(self, draft: SemanticDraft, quote: str, turn: Turn, over: Mapping[int, Ending]) -> News:
        """Return a draft as the rules look at it."""
        compared = draft_as_compared(draft)
        return News(compared, quote, turn, over, self._former(compared, turn), self._vectors)

    def judged(self, said: str, every: Sequence[News]) -> tuple[Judged, ...]:
        """Return what a message may end by its meaning, judged in the words it was said in."""
        if self._meaning is None:
            return ()
        found = [memory for news in every for memory in self._candidates(news, whole=True)]
        found += self._store.semantic.newest(0, _LATEST)
        near = list({memory.id: memory for memory in found}.values())

        def may_end(old: SemanticMemory) -> bool:
            compared = as_compared(old)
            return any(_may_be_outdated(compared, news) for news in every)

        return self._meaning.judged(said, [news.draft.content for news in every], near, may_end)

    def outdated(self, news: News) -> tuple[Outdated, ...]:
        """Return what no longer holds, each memory by the first of the rules that fires for it; not by its meaning."""
        return self._outdated(news, self._candidates(news, whole=False), AT_ONCE)

    def outdated_in_the_end(self, news: News) -> tuple[Outdated, ...]:
        """Return what no longer holds by the meaning of what was judged."""
        return self._outdated(news, [judged.memory for judged in news.judged], IN_THE_END)

    def _outdated(
        self, news: News, memories: Sequence[SemanticMemory], rules: tuple[tuple[str, Rule], ...]
    ) -> tuple[Outdated, ...]:
        known = {memory.id: memory for memory in memories}
        left = {number: as_compared(memory) for number, memory in known.items()}
        ended_by: dict[int, str] = {}
        for name, rule in rules:
            for memory in rule(news, list(left.values()), bool(ended_by)):
                if name != CORRECTION or self._is_likely(news, known[memory.id]):
                    ended_by[memory.id] = name
            left = {number: memory for number, memory in left.items() if number not in ended_by}
        return tuple(Outdated(known[number], name) for number, name in ended_by.items())

    def _is_likely(self, news: News, old: SemanticMemory) -> bool:
        """Tell whether a statement may end a memory by its meaning as well, where that can be judged."""
        said = news.quote or news.draft.content
        if self._meaning is None or renames(news.draft.content, as_compared(old).content, said):
            return True
        return self._meaning.judged(said, (), [old])[0].ending >= ASKED

    def over(self, turn: Turn) -> dict[int, Ending]:
        """Return by id the active memories of earlier turns about what the user's words say is over."""
        over: dict[int, Ending] = {}
        for ending in ended(turn.user):
            for memory in self.near(f"{ending.thing} {ending.who}"):
                if memory.turn_id != turn.id and is_over_with(ending, as_compared(memory)):
                    over.setdefault(memory.id, ending)
        return over

    def near(self, text: str, slot: str = "", status: Status = Status.ACTIVE) -> list[SemanticMemory]:
        """Return memories that share words with `text`, or its slot."""
        telling = list(dict.fromkeys(telling_words(text)))[:_LOOKED_UP]
        hits = self._store.texts.search(telling, (Kind.SEMANTIC,), _NEAR)
        memories = self._store.semantic.many([ref.id for ref, _ in hits])
        slotted = self._store.semantic.active_in_slot(slot) if slot else ()
        unique = {memory.id: memory for memory in (*memories, *slotted) if memory.status is status}
        return list(unique.values())

    def _candidates(self, news: News, *, whole: bool) -> list[SemanticMemory]:
        """Return what may speak of the same: by shared words, and the newest of the same person by what they are.

        With `whole` the words of the whole message count.
        """
        draft = news.draft
        met = self.near(f"{draft.content} {news.turn.user if whole else draft.replaces}", draft.slot)
        met += self.near(state_words(draft.content))
        for name in other_names(draft.subject):
            met += self._store.semantic.list(subject=name, limit=_NEWEST)
        named = self._store.semantic.many({*news.over, *news.former})
        return list({memory.id: memory for memory in (*met, *named) if memory.status is Status.ACTIVE}.values())

    def _former(self, draft: SemanticDraft, turn: Turn) -> dict[int, SemanticMemory]:
        """Return by the id of what took its place each former memory that holds again."""
        if not shows("again", draft.content) or for_a_while(turn.user) or is_unreal(turn.user):
            return {}
        former = {}
        for memory in self.near(draft.content, status=Status.SUPERSEDED):
            compared = as_compared(memory)
            heir = self._heir(memory) if _is_again(draft, compared) else None
            if heir is not None and heir.turn_id != turn.id and _stands_for(as_compared(heir), compared):
                former[heir.id] = memory
        return former

    def _heir(self, memory: SemanticMemory) -> SemanticMemory | None:
        """Return the active memory that took the place of one, at the end of the chain."""
        for _ in range(_HEIRS):
            if memory.superseded_by is None:
                return None
            memory = self._store.semantic.get(memory.superseded_by)
            if memory.status is Status.ACTIVE:
                return memory
        return None


def _is_again(draft: SemanticDraft, former: SemanticMemory) -> bool:
    """Tell whether a sentence says that what once held does again, and little more."""
    wanted, told = values(former.content), values(draft.content)
    beside = told - supported(told, former.content) - _BACK
    # one goes back to a town for a weekend, to an employer to work
    travels = former.slot.endswith("/home") and not shows("settles", draft.content)
    return (
        bool(wanted)
        and supported(wanted, draft.content) == wanted
        and len(beside) <= 1
        and not travels
        and (same_subject(draft, former))
    )


_BACK = frozenset(map(stem, ["back", "again", "return", "returned", "once", "took", "taken", "up", "together"]))


def _stands_for(heir: SemanticMemory, former: SemanticMemory) -> bool:
    """Tell whether what took a former memory's place cannot hold beside it: its slot's value, or word of its end."""
    in_slot = bool(former.slot) and heir.slot == former.slot
    return in_slot or (is_over(heir.content) and bool(supported(values(former.content), heir.content)))


def _may_contradict(news: News, old: SemanticMemory) -> bool:
    """Tell whether a sentence of another turn may end an old one by what it says: that must be able to end."""
    return (
        old.turn_id != news.turn.id
        and not is_over(old.content)
        and (lasts(old) or corrects(news.turn.user))
        and not for_a_while(news.quote)
    )


def _speaks_of(draft: SemanticDraft, memory: SemanticMemory) -> bool:
    """Tell whether the names in what is said to end are those of the memory."""
    over = replace(draft, content=draft.replaces) if draft.replaces else draft
    said = {stem(name) for name in names(over.content)} - word_stems(draft.subject)
    return draft.change is not Change.ENDS or supported(said, memory.content) == said


def _ends(draft: SemanticDraft, memory: SemanticMemory) -> bool:
    """Tell whether the memory of a slot is the one that is said to end: "my job" is any, "the brewery" only that."""
    said = values(draft.replaces) if draft.replaces else set()
    generic = said <= stems(draft.slot.replace("/", " "))
    return _speaks_of(draft, memory) and (generic or bool(supported(said, memory.content)))


def _may_be_outdated(old: SemanticMemory, news: News) -> bool:
    """Tell whether an old memory is of another turn, not yet over and not said once more."""
    return (
        old.turn_id != news.turn.id
        and old.valid_from < news.turn.at
        and not is_over(old.content)
        and not apart(news.draft, old)
        and not says_no_more(news.draft.content, old.content, news.draft.slot)
    )


def _may_end(old: SemanticMemory, news: News) -> bool:
    """Tell whether an old memory is of something that lasts, and not of what happened once."""
    if is_over(old.content) or not lasts(old) or says_no_more(news.draft.content, old.content, news.draft.slot):
        return False
    kept = old.slot.rpartition("/")[2] in _KEPT
    # a favourite gives way to a favourite only
    favourite = "/favourite " in old.slot and not re.search(r"(?i)favou?rite|best|prefer|number one", news.quote)
    happened = old.event is not None and old.event.end is not None and old.event.end <= news.turn.at
    return not (kept or favourite or happened)
