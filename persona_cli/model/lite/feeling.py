"""What a message calls for in reply, by how it is meant, and which of its sentences the reply takes up.

Only what is sure is answered with feeling, and cheer has to be surest. What may be heavy and is not sure gets a quiet
reply that suits any heavy thing, what is likely good a mild word that suits any good one; a plain fact is noted, and
what is none of these surely gets thanks alone: nothing said besides can be out of place then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from persona_cli.model.lite.read import said_plainly
from persona_cli.reading.stance import Stance
from persona_cli.reading.statement import Statement

_SURE = {
    "win": 0.9,
    "nuisance": 0.9,
    "joy": 0.85,
    "relief": 0.85,
    "hurt": 0.8,
    "anger": 0.8,
    "secret": 0.8,
    "joke": 0.85,
}
_ELSE = 0.7
"""Probability of a stance from which it is answered as such: 86 of 100 lines not trained on are right from 0.7 on, and
most others are kindred (benchmarks/LOG.md); what was wrong in whole diaries decided those above: cheer at a parting
hurts, and a plain reply to a triumph is only plain."""
_KINDRED, _KINDRED_GLAD = 0.85, 0.9
"""The same for stances that one mild reply suits all of."""
_HEAVY = ("grief", "worry", "hurt", "moved", "anger", "secret")
_SORROWS, _ANNOYANCES, _GLAD = ("grief", "worry", "hurt"), ("anger", "nuisance"), ("win", "joy", "relief")
_GRAVE, _SURELY_GRAVE = ("grief", "worry"), 0.8
_LIGHT, _DRY = (*_GLAD, "joke"), ("plain", "plan")
_QUIET, _QUIET_WEIGHTY = 0.5, 0.3
"""Probability of something heavy from which a reply is quiet; the same where it is about health."""
_TOUCHED = 0.12
"""The same from which nothing is cheered at or laughed about."""
_PLEASED, _STILL_PLEASED = 0.55, 0.3
"""Probability of something good from which a mild word is said, and of something heavy up to which: of 350 messages of
seven diaries nine are so told, all of them good."""
_PLAIN = 0.5
"""The same of a plain fact or plan from which it is noted as such."""
_FEW_WORDS = 8
"""Words to which thanks and "I'm fine" are all that a message says."""
_STRONG = 0.5
_SHOWN = 48
"""Characters of the person's own words that a reply takes up; behind more of them "noted" reads like an office."""
_LEAST = 9
"""Words of a message from which a reply takes up some of them: of a shorter one it would be an echo."""
_WHOLE = 5
"""Words that a whole sentence has at least."""
_MARKS = " .!,;:-–—…"
_HALF = re.compile(r"(?:because|cos|cause|so|and|but|if|when|while|then|from|which|who|that)\b", re.I)
"""What only half a thought begins with."""


def occasion_of(stance: Stance, words: int, *, weighty: bool = False) -> str:
    """Return what a message of so many words calls for: a form of [plain] in tone.toml, "" for a plain fact.

    What is `weighty`, an allergy or an illness, is not laughed about, however funnily it is told.
    """
    label, heavy = stance.label, stance.of(*_HEAVY)
    if label in ("fine", "thanks"):
        return label if words <= _FEW_WORDS and stance.of(label) >= _STRONG else "unclear"
    sure = stance.of(label) >= _SURE.get(label, _ELSE) and label not in _DRY
    if sure and (label not in _LIGHT or heavy <= _TOUCHED) and not (weighty and label == "joke"):
        return _named(label, stance)
    kindred = {
        "joy": heavy <= _TOUCHED and stance.of(*_GLAD) >= _KINDRED_GLAD,
        "sorry": stance.of(*_SORROWS) >= _KINDRED,
        "anger": stance.of(*_ANNOYANCES) >= _KINDRED,
        "pleased": heavy <= _STILL_PLEASED and stance.of(*_GLAD) >= _PLEASED,
        "quiet": heavy >= (_QUIET_WEIGHTY if weighty else _QUIET),
        "": stance.of(*_DRY) >= _PLAIN and not weighty,
    }
    return next((occasion for occasion, holds in kindred.items() if holds), "unclear")


def gravest(whole: Stance, each: Sequence[Stance]) -> Stance:
    """Return how a message is meant: as the sentence that is surely of a death or a danger, else as a whole.

    "Ron has died. Wednesday, in his chair. There is only Walter now." is blurred as a whole.
    """
    grave = max(each, key=lambda stance: stance.of(*_GRAVE), default=whole)
    return grave if grave.of(*_GRAVE) >= _SURELY_GRAVE else whole


def excerpt(statements: Sequence[Statement]) -> str:
    """Return the weightiest statement where it is a short whole sentence, in the person's own words; "" for none.

    Of a longer one nothing is taken up: half a sentence thrown back reads like mockery.
    """
    if sum(len(statement.text.split()) for statement in statements) < _LEAST:
        return ""
    statement = max(statements, key=lambda statement: statement.worth[2] + 2 * statement.worth[3])
    text = said_plainly(statement).strip(_MARKS)
    return text if _stands_alone(text) else ""


def _named(label: str, stance: Stance) -> str:
    if label in ("joke", "opinion", "relief", "moved", "secret", "nuisance", "joy"):
        return label
    strong = f"{label}_strong"
    if label == "grief":
        return strong if stance.strong >= _STRONG else "sorry"
    return strong if stance.strong >= _STRONG else label


def _stands_alone(clause: str) -> bool:
    odd = re.search(r'["“”]|[?]|https?:', clause) or _HALF.match(clause)
    return not odd and len(clause.split()) >= _WHOLE and len(clause) <= _SHOWN
