"""How an answer is said: warmth, energy, brevity, reassurance and curiosity follow the user's own traits.

Tone adds or leaves out a few words around an answer and never touches what it says. Among several ways to say
the same the text itself chooses, by a checksum: the same message in the same situation gets the same answer.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from persona_cli.personality import Traits

HIGH, LOW = 3.5, 2.5
"""Where a trait starts to be heard. A vector that has moved this far has seen several readings, not one."""


class Mood(StrEnum):
    """What kind of answer is being given."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    NOTED = "noted"
    GREETING = "greeting"
    SMALL_TALK = "small talk"


@dataclass(frozen=True, slots=True)
class Tone:
    """Which of the five traits are heard."""

    warm: bool = False
    """Agreeableness."""
    brief: bool = False
    """Conscientiousness."""
    lively: bool = False
    """Extraversion."""
    reassuring: bool = False
    """Neuroticism."""
    curious: bool = False
    """Openness."""

    @classmethod
    def of(cls, traits: Traits) -> Tone:
        """Return the tone that suits a personality."""
        return cls(
            warm=traits.agreeableness >= HIGH,
            brief=traits.conscientiousness >= HIGH,
            lively=traits.extraversion >= HIGH,
            reassuring=traits.neuroticism >= HIGH,
            curious=traits.openness >= HIGH,
        )


_WARM = {
    Mood.NOTED: ("Thank you for telling me.", "Thanks for sharing that with me."),
    Mood.GREETING: ("It's good to have you here.", "Nice to hear from you."),
}
_REASSURING = {
    Mood.NOTED: ("It's safe with me.", "You can count on me to keep it."),
}
_CURIOUS = (
    "What is it like?",
    "I'd like to hear more about it.",
    "How did that come about?",
)
_CHEERFUL = frozenset({Mood.NOTED, Mood.GREETING, Mood.SMALL_TALK})
_SAD = re.compile(
    r"\b(?:died|dead|death|passed away|funeral|cancer|hospital|broke up|divorc\w*|fired|laid off|accident|sick|ill|sad"
    r"|lonely|depress\w*|anxious|terrible|awful|horrible|stolen|hurts?|pain|cry\w*|cried|miscarriage|failed|scared|afraid"
    r"|panic|miss (?:him|her|them)|broke my|burglar\w*|robbed|worried|exhausted|tired|stressed|overwhelmed"
    r"|burn(?:ed|t) out|heartbroken|lost (?:my|our|his|her|him))\b",
    re.I,
)
_GLAD = re.compile(
    r"\b(?:passed|promoted|promotion|engaged|married|won|accepted|born|finished|pregnant|proposed|got the job"
    r"|graduated|adopted|so happy|excited|great news|success\w*)\b",
    re.I,
)


def pick(variants: Sequence[str], seed: str) -> str:
    """Return one of the variants, always the same one for the same text."""
    return variants[zlib.crc32(seed.encode()) % len(variants)]


_SELDOM = 3
"""One reply in so many carries a word of its own: more of them sound like a form letter."""


def dress(answer: str, mood: Mood, tone: Tone, seed: str) -> str:
    """Return `answer` with the few words its tone now and then puts after it; a refusal gets none."""
    extra = []
    if mood is Mood.GREETING or zlib.crc32(seed.encode()[::-1]) % _SELDOM == 0:
        if tone.warm and mood in _WARM and not tone.brief:
            extra.append(pick(_WARM[mood], seed))
        elif tone.reassuring and mood in _REASSURING:
            extra.append(pick(_REASSURING[mood], seed))
    if tone.lively and mood in _CHEERFUL and answer.endswith(".") and not _SAD.search(seed):
        answer = answer.removesuffix(".") + "!"
    return " ".join([answer, *extra])


def feeling(statement: str) -> str:
    """Return a word of sympathy or joy where a statement plainly calls for one, else ""."""
    if _SAD.search(statement):
        return pick(("I'm sorry to hear that.", "I'm sorry, that sounds hard."), statement)
    if _GLAD.search(statement) and not re.search(r"n['’]t\b|\bnot\b|\bnever\b", statement):
        return pick(("Congratulations!", "That's wonderful news!"), statement)
    return ""


def wonder(tone: Tone, statement: str) -> str:
    """Return an open question about what was told, for those who like one, and never about a misfortune."""
    if not tone.curious or tone.brief or _SAD.search(statement):
        return ""
    return pick(_CURIOUS, statement)
