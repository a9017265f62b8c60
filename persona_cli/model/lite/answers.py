"""Answers to questions about the user's own life, from what was told: dated, in the second person, nothing made up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from persona_cli.english.forms import capital, lower_first
from persona_cli.model.lite.dates import day_of, when
from persona_cli.model.lite.evidence import Told
from persona_cli.model.lite.former import about_the_past, history, newer_half, once
from persona_cli.model.lite.questions import Form, Question
from persona_cli.model.lite.relevance import Match
from persona_cli.model.lite.slots import dislikes, negated
from persona_cli.model.lite.words import content_words, stem, stems
from persona_cli.records import Window

MOST = 5
"""Things listed in one answer."""
_TIE = 0.06
"""How far behind it counts as just as good, so that both are given."""
_LONGEST_QUOTE = 300
_NEAR = 0.18
"""How far behind the best one may be to be listed with it."""


def compose(question: Question, matches: Sequence[Match], at: datetime, every: Sequence[Told] = ()) -> str:
    """Return the answer that `matches`, best first and not empty, support, with what was so before; of all told."""
    if earlier := about_the_past(question, [match.told for match in matches], every, at):
        return earlier
    told = [_in_its_time(question, one, every) for one in _worth_saying(question, matches)]
    answer = _composed(question, matches, told, at)
    return answer + (history(question, told[0], every, at) if len(told) == 1 else "")


def _composed(question: Question, matches: Sequence[Match], told: Sequence[Told], at: datetime) -> str:
    if question.form is Form.YES_NO:
        return _yes_or_no(question, _latest(matches), at)
    if question.form is Form.WHEN:
        return _when(told[0], at)
    if question.form in {Form.WHY, Form.HOW}:
        best = _latest(matches) if question.form is Form.HOW else matches[0].told
        return _in_full(best, [match.told for match in matches], at)
    if question.form is Form.HOW_MANY:
        return _how_many(told, at)
    if len(told) > 1:
        return listed(told, at)
    points = _ELSEWHERE.search(told[0].content)
    return _in_full(told[0], [match.told for match in matches], at) if points else one(told[0], at)


_ELSEWHERE = re.compile(
    r"\b(?:try|watch|read|visit|see|take|use|do|check out)"
    r" (?:to \w+ )?(?:this|that|these|those) \w+",
    re.I,
)
"""What a sentence shows that points at its neighbours for the name of the thing."""


def one(told: Told, at: datetime) -> str:
    """Give one fact with the day it was told."""
    if told.until is not None and not told.quotable:
        return f"{once(told, at)} — {_source(told, at)}."
    if told.quotable:
        return f"{capital(_said(told, at))} you said: “{told.content.strip()}”"
    now = newer_half(told)
    return f"{f'Now {now}' if now else capital(told.spoken())} — {_source(told, at)}."


def distinct(told: Sequence[Told]) -> list[Told]:
    """Return what says something new, in order."""
    kept: list[Told] = []
    for each in told:
        if not any(len(each.stems & other.stems) >= 0.75 * min(len(each.stems), len(other.stems)) for other in kept):
            kept.append(each)
    return kept


def _in_full(best: Told, told: Sequence[Told], at: datetime) -> str:
    """Give the whole message around the best sentence: reasons and manners mostly stand in the next one."""
    for each in told:
        same = len(each.stems & best.stems) >= 0.6 * len(best.stems)
        if each.verbatim and same and len(each.message) <= _LONGEST_QUOTE:
            return f"{capital(_said(each, at))} you said: “{each.message.strip()}”"
    return one(best, at)


def listed(told: Sequence[Told], at: datetime) -> str:
    """Give several facts as a dated list."""
    lines = [f"- {once(each, at) if each.until else capital(each.spoken())} ({_short_date(each, at)})" for each in told]
    return "Here is what you told me:\n" + "\n".join(lines)


def _worth_saying(question: Question, matches: Sequence[Match]) -> list[Told]:
    best = matches[0].score
    near = [match for match in matches if match.score >= best - _NEAR]
    current = [match.told for match in near if match.told.current or question.formerly]
    current = current or [
        match.told for match in matches if match.told.current and _same_slot(match.told, near[0].told)
    ]
    current = current or [near[0].told]
    if question.formerly:
        current = [match.told for match in near if not match.told.current] or current
    if _wants_list(question):
        return distinct(current)[:MOST]
    newest = _newest_of_alike(current)
    if question.form is not Form.WHAT or newest is not current[0]:
        return [newest]
    close = [match.told for match in near if match.score >= best - _TIE and match.told in current]
    return distinct(close)[:3] or [newest]


def _in_its_time(question: Question, told: Told, every: Sequence[Told]) -> Told:
    """Return what took the place of something former, or for a question about before what something replaced."""
    if question.formerly and told.current and told.memory:
        return next((one for one in every if one.successor == told.memory and one.memory), told)
    if not question.formerly and not told.current and question.time is None:
        return next((one for one in every if one.memory and one.memory == told.successor and one.current), told)
    return told


def _same_slot(one: Told, other: Told) -> bool:
    return bool(one.slot) and (one.slot, one.subject) == (other.slot, other.subject)


def _wants_list(question: Question) -> bool:
    if question.form in {Form.LIST, Form.HOW_MANY} or question.open or question.many:
        return True
    if question.form in {Form.YES_NO, Form.WHEN, Form.WHERE}:
        return False
    return (
        question.slot is not None
        and question.slot.name == "likes"
        and not re.search(r"\bfavou?rite\b", question.text, re.I)
    )


def _newest_of_alike(told: Sequence[Told]) -> Told:
    """Return the best one, or a later one that says something else in the same slot."""
    best = told[0]
    if not best.slot:
        return best
    same = [each for each in told if each.slot == best.slot and each.at is not None and each.current]
    return max(same, key=lambda each: each.at.timestamp() if each.at else 0.0, default=best)


def _yes_or_no(question: Question, told: Told, at: datetime) -> str:
    missing = [word for word in question.topic if word[0].isupper() and stem(word) not in told.stems]
    if missing:
        return f"Not as far as I know: {lower_first(one(told, at))}"
    if (_DONE.match(question.text) and _MEANT.search(told.content)) or _only_meant(question, told):
        return f"Not as far as I know: {lower_first(one(told, at))}"  # a wish to go is no journey
    asked, said = _denies(question.text, ()), _denies(told.content, (*question.topic, *question.entities))
    if said is None or asked is None:
        return one(told, at)
    return f"{'Yes' if asked == said else 'No'}, {lower_first(one(told, at))}"


def _only_meant(question: Question, told: Told) -> bool:
    """Tell whether what is asked for was only wished, planned or thought of: "thinking of buying a boat" has none."""
    meant = _MEANT.search(told.content)
    if meant is None or _MEANT.search(question.text) or _AHEAD.search(question.text):
        return False
    asked = {stem(word) for word in question.topic} | question.entities
    return bool(asked & stems(content_words(told.content[meant.end() :]))) and not (
        asked <= stems(content_words(told.content[: meant.start()]))
    )


_AHEAD = re.compile(r"\b(?:will|shall|going|planning|want|wish|like|love|soon|next|tomorrow|ever)\b", re.I)
_DONE = re.compile(r"^(?:have|has|had|did|was|were|am|are|is)(?:n['’]t)? (?!i going|we going)", re.I)
_MEANT = re.compile(
    r"(?:\b|(?=['’]d\b))(?:wants?|(?:would|['’]d) (?:\w+ )?(?:like|love)|hop(?:e"
    r"|es|ing) (?:to|for)|plan(?:s|ning)? (?:to|on)|think(?:s|ing)? (?:of|about)|consider(?:s|ing)?|going to"
    r"|dream(?:s|ing)? (?:of|about)|saving (?:up )?(?:for|to)|looking (?:for|to)|wish(?:es)?|might|(?-i:may)"
    r"|(?:would|['’]d) rather|cannot afford|can['’]t afford)\b",
    re.I,
)


def _latest(matches: Sequence[Match]) -> Told:
    """Return the last word on a matter that may have changed: the newest of what bears on it well."""
    good = [match.told for match in matches if match.score >= matches[0].score - 2 * _NEAR and match.told.current]
    return max(good or [matches[0].told], key=lambda told: told.at.timestamp() if told.at else 0.0)


def _denies(text: str, about: Sequence[str]) -> bool | None:
    """Tell whether the part of `text` that speaks of `about` denies it; None where that cannot be told."""
    plain = re.sub(r"(?i)^(?:don't|didn't|isn't|aren't|haven't|wasn't|doesn't)\b", "", text)
    clauses = re.split(r"[,;.]|\bbut\b|\balthough\b|\bbecause\b", plain)
    wanted = stems(about)
    inside = [clause for clause in clauses if wanted & stems(content_words(clause))] or clauses
    denials = {dislikes(clause) or negated(clause) for clause in inside}
    return denials.pop() if len(denials) == 1 else None


def _when(told: Told, at: datetime) -> str:
    if told.event is not None and not _DATE.search(told.content):
        return f"{capital(when(told.event, at))}: {lower_first(told.spoken())} — {_source(told, at)}."
    if told.event is not None or _HOUR.search(told.content):
        return one(told, at)
    return f"{capital(_said(told, at))} you told me: {lower_first(told.spoken())}. You did not say when exactly."


_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}|\b{_MONTH} \d{{1,2}}|\b(?:19|20)\d\d\b", re.I)
_HOUR = re.compile(rf"\d|\b(?:every|each|birthday|{_MONTH}|morning|evening|noon|night|\w+days?)\b", re.I)


def _how_many(told: Sequence[Told], at: datetime) -> str:
    counted = [
        each
        for each in told
        if re.search(r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twice|once|every|no)\b", each.content)
    ]
    if counted or len(told) == 1:
        return one((counted or told)[0], at)
    return f"I know of {len(told)}:\n" + "\n".join(
        f"- {capital(each.spoken())} ({_short_date(each, at)})" for each in told
    )


def _source(told: Told, at: datetime) -> str:
    if told.source == "now":
        return "you told me just now"
    return f"you told me {day_of(told.at, at)}" if told.at else "you told me"


def _said(told: Told, at: datetime) -> str:
    return day_of(told.at, at) if told.at else "before"


def _around(event: Window, told_at: datetime | None) -> bool:
    """Tell whether an event's time is but "lately" or "soon": then the day of telling says more."""
    if told_at is None or event.start is None or event.end is None or event.end - event.start < timedelta(days=20):
        return False
    return min(abs(told_at - event.start), abs(event.end - told_at)) < timedelta(days=2)


def _short_date(told: Told, at: datetime) -> str:
    if told.event is not None and not _around(told.event, told.at):
        return when(told.event, at)
    return day_of(told.at, at).removeprefix("on ") if told.at else "undated"
