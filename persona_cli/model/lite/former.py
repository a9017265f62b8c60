"""What was once so, told as such: in the past tense, with its end, and what has taken its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from persona_cli.english.forms import capital, lower_first
from persona_cli.english.verbs import PAST, base_verb
from persona_cli.model.lite.dates import day_of
from persona_cli.model.lite.evidence import Told, shares_words
from persona_cli.model.lite.questions import Form, Question
from persona_cli.model.lite.words import stems

_ENDING = re.compile(
    r"\b(?:stop|quit|give up|gave up|end|leave|left|break up|broke up|split|switch|change|move on|get rid|sell|cancel"
    r"|drop)\w*\b",
    re.IGNORECASE,
)
_ALWAYS = re.compile(r"\balways\b", re.IGNORECASE)
_BE = {"are": "were", "is": "was", "am": "was", "have": "had", "has": "had", "do": "did", "does": "did", "can": "could"}
_BE |= {"cannot": "could not", "don't": "didn't", "can't": "couldn't", "aren't": "weren't", "isn't": "wasn't"}


def past(sentence: str) -> str:
    """Return a sentence in the second or third person as it was: "You love jazz" is "You used to love jazz"."""
    sentence = re.sub(r"^([Yy]ou)['’]re\b", r"\1 are", sentence)
    found = re.match(
        r"(?P<who>[Yy]our? (?:and [\w' ]+? )?|[A-Z][\w'-]+ )"
        r"(?P<adverbs>(?:\w+ly |also |always |still |now |just |never )*)"
        r"(?P<verb>[\w']+)(?P<rest>.*)$",
        sentence,
        re.DOTALL,
    )
    own = re.match(
        r"(?P<who>[Yy]our\b.{1,60}?) (?P<verb>is|are|has|have|does|do|was|were) (?P<rest>.*)$", sentence, re.DOTALL
    )
    if own is not None:
        return f"{own['who']} {_BE.get(own['verb'], own['verb'])} {own['rest']}"
    if found is None or found["who"].startswith(("Your ", "your ")):
        return sentence
    verb = found["verb"]
    if verb.casefold() in _BE:
        return f"{found['who']}{found['adverbs']}{_BE[verb.casefold()]}{found['rest']}"
    if verb in PAST or verb.endswith("ed") or verb in ("was", "were", "had", "did", "could", "would"):
        return sentence
    adverbs = re.sub(r"\b(?:still|now|just) ", "", found["adverbs"])
    return f"{found['who']}{adverbs}used to {base_verb(verb)}{found['rest']}"


def once(told: Told, at: datetime) -> str:
    """Return what is no longer so, with until when it was."""
    until = f"until {day_of(told.until, at).removeprefix('on ')}" if told.until else ""
    return f"{capital(past(told.spoken()))}, {until}" if until else capital(past(told.spoken()))


def history(question: Question, told: Told, every: Sequence[Told], at: datetime) -> str:
    """Return the sentence that tells what was so before an answer; "" where nothing was."""
    before = [one for one in every if one.memory and one.successor and one.successor == told.memory]
    if not before or question.form is Form.WHEN:
        return ""
    latest = max(before, key=lambda one: one.until.timestamp() if one.until else 0.0)
    return f" Before that: {lower_first(once(latest, at))}."


def about_the_past(question: Question, matches: Sequence[Told], every: Sequence[Told], at: datetime) -> str:
    """Return the answer to "do I still", "did I always" and "when did I stop"; "" for any other question."""
    ended = _before_what_is_named(question, every) or next((one for one in matches if not one.current), None)
    if ended is None or ended.until is None or (question.form is Form.YES_NO and _STILL.search(question.text) is None):
        return ""
    now = next((one for one in every if one.memory and one.memory == ended.successor), None)
    after = f" Now: {_lately(now)}." if now is not None else ""
    if question.form is Form.WHEN and _ENDING.search(question.text):
        return f"{capital(day_of(ended.until, at))}: {lower_first(past(ended.spoken()))} until then.{after}"
    if question.form is not Form.YES_NO:
        named = question.formerly and ended is _before_what_is_named(question, every)
        return f"{once(ended, at)}.{after}" if named else ""
    # said again since, it holds
    newer = [
        one
        for one in matches
        if one.current and one.at and ended.until and one.at > ended.until and one.memory != ended.successor
    ]
    if newer and not _ALWAYS.search(question.text):
        return ""
    opening = "No" if _ALWAYS.search(question.text) else "Not any more"
    return f"{opening}: {lower_first(once(ended, at))}.{after}"


def _before_what_is_named(question: Question, every: Sequence[Told]) -> Told | None:
    """Return what the named thing took the place of: "before Monzo", "did I always like Coke"."""
    asked = question.entities | stems(question.topic)
    if not asked or not (question.formerly or _ALWAYS.search(question.text)):
        return None
    newer = {one.memory for one in every if one.memory and one.current and asked & one.stems}
    return next(
        (one for one in every if one.successor in newer and one.until and not question.entities & one.stems), None
    )


_STILL = re.compile(r"\b(?:still|always|yet|any ?more|any longer)\b|^(?:do|am|is|are|does|have|has)\b", re.IGNORECASE)


def _lately(told: Told) -> str:
    """Return what holds now, to go on inside a sentence."""
    return newer_half(told) or lower_first(told.spoken())


def newer_half(told: Told) -> str:
    """Return what "used to love Sprite, now it is Coke" says of now; "" for a sentence that says nothing of before."""
    said = re.search(r"\bused to\b.*\bnow (?P<new>(?:it is|it's|you|your) .+)$", told.spoken())
    return said["new"] if said else ""


def marked(every: Sequence[Told]) -> tuple[Told, ...]:
    """Let a sentence of a message end with the fact that was made of it, where the words are the same."""
    ended = [one for one in every if one.memory and not one.current]
    holding = [one for one in every if one.memory and one.current]
    return tuple(one if one.memory or one.at is None else _as_its_fact(one, ended, holding) for one in every)


def _as_its_fact(told: Told, ended: Sequence[Told], holding: Sequence[Told]) -> Told:
    mine = [one for one in ended if one.said_at == told.at and shares_words(one, told)]
    kept = [one for one in holding if one.said_at == told.at and shares_words(one, told)]
    if not mine or (kept and told.source != "message"):
        return told
    return replace(told, until=mine[0].until, successor=mine[0].successor)
