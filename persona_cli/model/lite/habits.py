"""Habits and goals of a user: what is stated ("every Thursday", "I'm training for") and what keeps coming back.

An activity that was spoken of on three days is a habit nobody had to state. A goal that was reached, or a habit
that was given up, keeps its key and says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from persona_cli.english.clauses import Saying
from persona_cli.english.lexicon import words
from persona_cli.english.third import third_person
from persona_cli.english.tokens import stem
from persona_cli.model.lite.facts import LONGEST
from persona_cli.model.lite.referents import read_resolved
from persona_cli.model.lite.worth import content_words, worth
from persona_cli.model.tasks import ProceduralDraft
from persona_cli.records import ProceduralMemory, Turn
from persona_cli.timewords import find_times, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Embed = Callable[[Sequence[str]], NDArray[np.float32]]

MOST = 5
ALIVE = 7
"""Habits and goals that are known at once; more would not be read."""

DAYS = 3
"""Different days on which an activity makes a habit."""

ALIKE = 0.62
"""Cosine from which two sentences tell of the same activity: on MiniLM, "went for a run" and "ran in the park"."""

_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_HABIT = re.compile(
    rf"\b(?:every|each|most) (?:other )?(?:single )?(?:day|night|morning|evening|afternoon|week|weekend|month"
    rf"|year|summer|winter|spring|autumn|{_WEEKDAY})s?\b"
    rf"|\b(?:on|at) (?:{_WEEKDAY}s|weekends|weekdays|the weekends?)\b|\b(?:usually|normally|typically|generally"
    rf"|always|often|regularly|rarely|tend to)\b"
    r"|\b(?:once|twice|\w+ times|several times|a few times) (?:a|per|every) (?:day|week|month|year)\b"
    r"|\b(?:daily|weekly|whenever I|before bed|after work|before work|in the mornings?|in the evenings?)\b",
    re.I,
)
_LASTING = (
    r"(?:become|learn|improve|get (?:better|fit|fitter|healthier|into shape|married)|lose|save|quit|stop|give"
    r" up|master|write|finish|run (?:a|my|the)|open|build"
    r"|study|graduate|reach|read|eat (?:healthier|less|more|better)|exercise|speak|retire|travel the world|be"
    r" (?:a|an|more|less)|buy (?:a|my|our) (?:own |first )?(?:house|flat|home)|start (?:a|my|an)|move to"
    r"|complete|qualify|go back to|climb)"
)
"""What somebody can want for months; "want to wear this dress" is over by the evening."""

_GOAL = re.compile(
    r"\bI (?:(?:really|also|still|have always|have|finally|just|do|now|definitely|seriously) )*"
    rf"(?:(?:want to|wanted to|plan to|aim to|hope to|intend to|decided to|resolved to|would (?:really"
    rf" )?(?:like|love) to|am (?:planning|hoping|determined|aiming) to) (?:\w+ly )?{_LASTING}\b"
    r"|(?:promised myself|dream of"
    r"|am (?:(?:currently|also|still|really|now|actually) )*(?:training for|trying to|saving|working towards"
    r"|preparing for|learning)"
    r"|have been (?:training for|trying to|saving|working towards|preparing for|learning)|need to save)\b)"
    r"|\bmy (?:\w+ )?(?:goal|dream|aim|ambition|resolution|new year's resolution)s? (?:is|are|this|for)\b",
    re.I,
)
_REACHED = re.compile(
    r"\bI (?:(?:have|just|finally|actually|did|already|recently) )*(?:finished|ran|completed|passed|reached"
    r"|achieved|made it|did|got|won|bought|visited|went|graduated|published|moved|managed|learned|learnt|saved"
    r"|lost|climbed|swam)\b",
    re.I,
)
_ENDED = re.compile(
    r"\b(?:no longer|not .* any more|stopped|quit|gave up|given up|dropped|cancelled|changed my mind|decided"
    r" not to|decided against|used to)\b",
    re.I,
)
_VAGUE = frozenset(
    map(
        stem,
        words(
            """
    goal dream plan time day week month year thing good new want make try learn usual every always often really
    start first go great best lot work hope decide friend feel recent enjoy love like monday tuesday wednesday
    thursday friday saturday sunday weekend weekday morning even night afternoon
    """
        ),
    )
)
"""Stems that do not tell one habit from another."""


@dataclass(frozen=True, slots=True)
class _Told:
    """One statement of the user about themselves."""

    plain: str
    sentence: str
    stems: frozenset[str]
    at: datetime


def update_procedural(
    turns: Sequence[Turn],
    current: Sequence[ProceduralMemory],
    history: Sequence[Turn] = (),
    embed: Embed | None = None,
) -> tuple[ProceduralDraft, ...]:
    """Return at most five habits and goals that are new or have changed; the others hold as they are."""
    texts = {memory.key: memory.text for memory in current}
    fresh: dict[str, str] = {}
    told = [statement for turn in turns for statement in _told(turn)]
    for statement in told:
        for key, text in _stated(statement, texts):
            texts[key] = fresh[key] = text
    earlier = [statement for turn in history for statement in _told(turn)]
    for key, text in _repeated(told, earlier, texts, embed):
        texts[key] = fresh[key] = text
    known = {memory.key: memory.text for memory in current}
    room = max(0, ALIVE - len(known))
    new = [key for key in fresh if key not in known][:room]
    changed = [
        ProceduralDraft(key, fresh[key]) for key in fresh if key in new or known.get(key, fresh[key]) != fresh[key]
    ]
    return tuple(changed[:MOST])


def _told(turn: Turn) -> Iterator[_Told]:
    for clause, plain in read_resolved(turn.user[:LONGEST]):
        if clause.saying is Saying.STATEMENT and re.search(r"\b(?:I|[Ww]e|[Mm]y|[Oo]ur)\b", plain):
            yield _Told(plain, third_person(plain), _stems(plain), turn.at)


def _stems(plain: str) -> frozenset[str]:
    said = [word.lower() for word in content_words(plain)]
    return frozenset(map(stem, said)) - _VAGUE


def _stated(told: _Told, texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what a statement says of a habit or a goal: an ending of a known one, else a new or finer one."""
    known = _closest(told, texts)
    over = _ENDED.search(told.plain) or _REACHED.search(told.plain)
    if known is not None and over and not _GOAL.search(told.plain):
        yield known, told.sentence
        return
    kind = _kind(told.plain)
    if kind and worth(told.plain):
        key = known if known is not None else _key(kind, told, texts)
        if known is None or len(told.sentence) > len(texts[known]) or _ENDED.search(texts[known]):
            yield key, settle(told.sentence, find_times(told.plain, told.at))


def _kind(plain: str) -> str:
    if _GOAL.search(plain) and not re.search(r"\b(?:would not|do not|did not) (?:\w+ )?(?:want|like|plan)\b", plain):
        return "goal"
    present = re.search(r"\b(?:was|were|had|did|went|used to|wanted|will|would)\b", plain) is None
    return "habit" if present and _HABIT.search(plain) else ""


def _closest(told: _Told, texts: dict[str, str]) -> str | None:
    """Return the key of the habit or goal that speaks of the same thing, by the words they share."""
    best, most = None, 0.0
    for key, text in texts.items():
        stems = _stems(text) - {"habit", "goal"}
        shared = stems & told.stems
        share = len(shared) / max(1, min(len(stems), len(told.stems)))
        if shared and share > max(most, 0.34):
            best, most = key, share
    return best


def _key(kind: str, told: _Told, texts: dict[str, str]) -> str:
    telling = [word.lower() for word in content_words(told.plain) if _stems(word)]
    key = " ".join([kind, *telling[:3]])
    return key if key not in texts else f"{key} {sum(other.startswith(key) for other in texts) + 1}"


def _repeated(
    told: Sequence[_Told], earlier: Sequence[_Told], texts: dict[str, str], embed: Embed | None
) -> Iterator[tuple[str, str]]:
    """Yield the activities of this session that were spoken of on enough days."""
    doings = [one for one in told if _DOING.search(one.plain) and worth(one.plain)]
    past = [one for one in earlier if _DOING.search(one.plain) and worth(one.plain)]
    for one in doings:
        same = [one, *_same(one, [*past, *doings], embed)]
        if len({other.at.date() for other in same}) >= DAYS and _closest(one, texts) is None:
            text = _timeless(one.plain)
            yield _key("habit", one, texts), f"On several days the user {text}" if text else ""
            return


_DOING = re.compile(
    r"\bI (?:(?:just|also|finally|again|then) )*(?:\w+ed|went|ran|swam|rode|took|made|read|wrote|saw|met|had"
    r"|drew|sang|cycled|did|drove|flew|taught)\b",
    re.I,
)


def _same(one: _Told, others: Sequence[_Told], embed: Embed | None) -> list[_Told]:
    alike = {id(other) for other in others if len(one.stems & other.stems) >= min(2, len(one.stems)) and one.stems}
    if embed is not None and others:
        vectors = embed([one.plain, *(other.plain for other in others)])
        for other, closeness in zip(others, vectors[1:] @ vectors[0], strict=True):
            if closeness >= ALIKE:
                alike.add(id(other))
    return [other for other in others if id(other) in alike and other is not one]


def _timeless(plain: str) -> str:
    """Return what was done without when: "today I went for a run in the park" is "went for a run in the park."."""
    for phrase in reversed(find_times(plain, datetime(2000, 1, 1).astimezone())):
        plain = plain[: phrase.start] + plain[phrase.end :]
    match = re.search(r"\bI (.+)", " ".join(plain.split()))
    return third_person(f"I {match[1]}").removeprefix("The user ") if match else ""
