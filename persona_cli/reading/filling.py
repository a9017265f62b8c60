"""Which one-valued attribute a sentence fills, and of whom: what lets a later value take the place of an earlier one.

Only what is certain counts, for what fills a slot ends what filled it before: no guess, nothing of the past, and nobody
known by a role alone, of which there may be two.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from persona_cli.english.lexicon import word_class
from persona_cli.english.people import SOMEBODY, USER, holder, kin
from persona_cli.reading.statement import Span, Statement

ONE_VALUED = frozenset(
    "name nickname age birthday home origin job employer partner diet religion pregnancy species".split()  # noqa: SIM905
)
"""Slots of which somebody has one value at a time."""
_SURE = 0.7
_EVEN = 0.5
_REACH = 60
_PAST = re.compile(
    r"\b(?:was|were|used to|until|till|had|lived|worked|moved from|before|ex|back then|as a (?:kid|child))\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:s?he|him|his|hers?|they|them|their|it)\b", re.IGNORECASE)
_SHE_OR_HE = re.compile(r"\W*(?:(?:and|but|so|oh)\s+)?(?:s?he|his|her)\b|\W*s?hes\b", re.IGNORECASE)
_OPENING = r"(?:(?i:so|and|but|well|oh|btw|also|yeah|yes|no|now),?\s+)*"
_ELDER = r"(?:(?:best|older|younger|elder|little|big|new|late|own|eldest|youngest)\s+)?"
_NAME = r"(?:(?i:called|named)\s+)?(?:(?P<name>[A-Z][\w-]+)\b)?"
_WITH_ME = r"(?:and|or)\s+(?:I|me|i)\b"
_FIRST = re.compile(
    rf"^\W*{_OPENING}(?i:my|our)\s+{_ELDER}(?P<role>[a-z-]+)(?:['’]s)?,?\s+{_NAME}(?!\s*{_WITH_ME})(?!{_WITH_ME})"
)
"""A sentence that begins with somebody of one's own: "My wife loves orchids"."""
_PAST_AFTER = re.compile(r"\W*(?:until|till|back then|in (?:19|20)\d\d)\b", re.IGNORECASE)


def filled_slot(statement: Statement) -> tuple[str, Span] | None:
    """Return the slot a sentence fills now, "user/home", with the words that fill it; None where it is not certain."""
    who, subject = statement.subject.who.label, statement.subject
    if statement.unsure >= _EVEN or statement.negative >= _EVEN or who not in ("me", "we", "other"):
        return None
    if who == "other" and (subject.label not in ("person", "pet") or not subject.name):
        return None
    filling = [
        span
        for span in statement.spans
        if span.slot in ONE_VALUED and span.slot_probability * span.probability >= _SURE
    ]
    best = max(filling, key=lambda span: span.slot_probability, default=None) or plainly_filled(statement.text)
    if best is None or is_past(statement.text, best):
        return None
    return f"{subject.name if who == 'other' else USER}/{best.slot}", best


def plainly_filled(text: str) -> Span | None:
    """Return what fills a slot in one of the plain sentences everybody uses, where the reader marked nothing."""
    for slot, form in _plain_forms().items():
        if (match := form.match(text)) is not None:
            group = next(name for name, words in match.groupdict().items() if words and name != "kind")
            named = f"{slot} {match['kind'].casefold()}" if "kind" in form.groupindex else slot
            return Span(match[group], match.start(group), match.end(group), "value", 1.0, named, 1.0)
    return None


def is_past(text: str, span: Span) -> bool:
    """Tell whether a span is told of as it once was: "I lived in Rome until 2019"."""
    before, after = text[max(0, span.start - _REACH) : span.start], text[span.end :]
    return _PAST.search(before) is not None or _PAST_AFTER.match(after) is not None


@cache
def _plain_forms() -> dict[str, re.Pattern[str]]:
    """Return the form of each slot; a name begins with a capital, the rest is read in any case."""
    stored = tomllib.loads(files(__package__).joinpath("filling.toml").read_text(encoding="utf-8"))
    trades = "|".join(sorted(word_class("trades"), key=len, reverse=True))
    forms = {
        slot: entry["form"].replace("NAME", r"(?-i:[A-Z][\w&'’-]+(?: [A-Z][\w&'’-]+)*)")
        for slot, entry in stored.items()
    }
    forms = {slot: form.replace("TRADE", f"(?:{trades})") for slot, form in forms.items()}
    return {slot: re.compile(rf"\W*{_OPENING}(?:{form})", re.IGNORECASE) for slot, form in forms.items()}


def subject_name(statement: Statement) -> str:
    """Return whom a sentence is about, as a memory calls them: "user", "Ada", "my sister", "somebody"."""
    subject = statement.subject
    if subject.who.label == "other" and subject.name and (subject.said or _PRONOUN.search(statement.text)):
        return f"my {subject.name.lower()}" if subject.label == "role" else subject.name
    first = own_relative(statement.text)
    if first is None:
        unknown = subject.who.label == "other" and subject.who.probability >= _SURE and not subject.name
        return SOMEBODY if unknown and _SHE_OR_HE.match(statement.text) else USER
    role, name = first
    return name or f"my {role.casefold()}"


def own_relative(text: str) -> tuple[str, str] | None:
    """Return what somebody of one's own is and is called, with whom a sentence begins: "My wife loves orchids"."""
    first = _FIRST.match(text)
    if first is None or kin(first["role"]) not in holder(f"my {text[first.start('role') :]}"):
        return None
    return first["role"], first["name"] or ""
