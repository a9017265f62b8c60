"""Answers to questions about the person's own life: the best of what is known, judged by the trained head.

Yes and No are said only where a memory of the same subject decides it; several answers are listed, the newest first;
what is not known is not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from persona_cli.english.forms import capital
from persona_cli.english.tokens import stem, stems
from persona_cli.model.lite import telling
from persona_cli.model.lite.knowledge import Known, Source, shares
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.matching import ONCE, Asked, Candidate, about, scores
from persona_cli.model.lite.session import Embed
from persona_cli.reading.judging import Bearing
from persona_cli.reading.statement import Statement
from persona_cli.records import Window

MOST = 6
"""Things listed in one answer."""
_JUDGED = 32
"""Things known that are judged for a question: a pass of the encoder each."""
ENOUGH = 0.45
"""Score from which something known answers."""
_DECIDES, _PLAINLY = 0.55, 0.9
"""Probability of a yes or a no from which it is said, and the same where hardly a word is shared."""
_NEAR = 0.3
"""How far behind the best another entry of a list may be."""
_TIE = 0.06
_LATER = 8
_AS_GOOD, _GIVES = 0.15, 0.85
_OF_ANOTHER = 0.4
"""What is left of a score where another one is asked for by name or role."""
_FORMERLY = 0.3
"""What has ended gains by a question for what was before."""
_CLOSE = 0.05
"""Score from which something known is offered where nothing answers."""
_OFFERED = 2
"""On the lives nothing was trained on the best is right for 41 of 100, one of the best two for 57."""
_DOUBT = 0.2
_PARTS = re.compile(r"[,;.]|\b(?:but|and|although|though)\b", re.I)
_NOT = re.compile(r"\b(?:no|not|never|none|cannot|without|stopped|quit|gave up|no longer)\b|n['’]?t\b", re.I)
_CANNOT_STAND = re.compile(r"\bca(?:nno|n['’]?)t stand\b", re.I)
_AVERSE = re.compile(r"\b(?:dislike|hate|detest|loathe|mind|avoid)\w*\b", re.I)
_CAPITAL = re.compile(r"\b(?!I\b|The\b|My\b|We\b|It\b)[A-Z][\w-]+")
_LISTS = ("list", "howmany", "summary")
_STILL = re.compile(r"\b(?:still|any ?more|these days|at the moment|currently|now)\b", re.I)


@dataclass(frozen=True, slots=True)
class Match:
    """Something known, and how it stands to a question."""

    known: Known
    bearing: Bearing
    score: float

    def chance(self, label: str) -> float:
        """Return the probability of one way to stand to the question."""
        return self.bearing.probabilities[label]


def aliases_of(every: Iterable[tuple[Statement, ...]], known: Sequence[Known]) -> dict[str, set[str]]:
    """Return which stems stand for the same person: "sister" and "Ada", from "my sister Ada"."""
    pairs: list[tuple[str, str]] = []
    for statements in every:
        for statement in statements:
            roles, names = statement.spans_of("role"), statement.spans_of("person", "pet")
            pairs += [
                (role.text, name.text)
                for role in roles
                for name in names
                if 0 <= name.start - role.end <= 14 and _OWN.search(statement.text[: role.start])
            ]
    for one in known:
        pairs += [(match["role"], match["name"]) for match in _PAIRED.finditer(one.text)]
    joined: dict[str, set[str]] = {}
    for role, name in pairs:
        short, long = stem(role.split()[-1]), stem(name.split()[0])
        joined.setdefault(short, set()).add(long)
        joined.setdefault(long, set()).add(short)
    return joined


_OWN = re.compile(r"\b(?:my|our)\s+(?:[\w-]+\s+)?$", re.IGNORECASE)
_PAIRED = re.compile(
    r"(?:[Tt]he user['’]s|[Mm]y|[Oo]ur) (?P<role>\w+)(?:['’]s name is| is called| called| named| is named|,)?"
    r" (?P<name>[A-Z][\w-]+)"
)


def rank(asked: Asked, every: Sequence[Known], listener: Listener, embed: Embed) -> list[Match]:
    """Return what bears on a question, the best first."""
    candidates = candidates_for(asked, every, listener, embed)
    matches = [
        Match(one.known, one.bearing, _scored(asked, one.known, chance))
        for one, chance in zip(candidates, scores(candidates), strict=True)
    ]
    return sorted(matches, key=lambda match: -match.score)


def candidates_for(asked: Asked, every: Sequence[Known], listener: Listener, embed: Embed) -> list[Candidate]:
    """Return the likeliest of what is known, judged."""
    chosen = _preselected(asked, every)
    if not chosen:
        return []
    texts = [_as_read(known) for known in chosen]
    vectors = embed([asked.question.text, *texts])
    cosines = (vectors[1:] @ vectors[0]).tolist()
    bearings = listener.judge(asked.question.text, texts)
    return [Candidate(*one) for one in zip(chosen, bearings, cosines, strict=True)]


def _scored(asked: Asked, known: Known, chance: float) -> float:
    """Return how well something known answers; "what did I do in June?" is answered by all that was of June."""
    if asked.window is not None and not asked.topic and _inside(known, asked.window):
        return max(chance, known.weight)
    chance = chance if about(asked, known) else chance * _OF_ANOTHER
    formerly = ONCE.search(asked.question.text) is not None and not known.holds
    return min(1.0, chance + _FORMERLY) if formerly else chance


def is_answered(matches: Sequence[Match]) -> bool:
    """Tell whether anything answers the question."""
    return bool(matches) and matches[0].score >= ENOUGH


def compose(asked: Asked, matches: Sequence[Match], at: datetime) -> str:
    """Return the answer that `matches`, of which the first answers, support."""
    best = matches[0]
    if asked.kind in _LISTS or (asked.window is not None and asked.kind == "what"):
        chosen = _distinct(match.known for match in matches if match.score >= max(ENOUGH, best.score - _NEAR))
        return _listed(asked, chosen[:MOST], at)
    if asked.kind == "yesno":
        return _decided(asked, matches, at) + _later(best, matches, at)
    if not best.known.holds and not ONCE.search(asked.question.text):
        return _since(best.known, matches, at)
    best = _newest_of_tied(matches)
    if _is_unsure(best):
        return _unsure(best.known, at)
    answer = telling.tell(best.known, at)
    if asked.kind == "when":
        answer = _when(best.known, at)
    more = [
        match.known
        for match in matches[:4]
        if match.score >= best.score - _TIE
        and match is not best
        and match.known.holds
        and not shares(match.known, best.known)
        and match.score > 0.7
    ]
    answer += _later(best, matches, at)
    return " ".join([answer, *(f"Also: {telling.within(telling.tell(known, at))}" for known in more[:1])])


def _later(best: Match, matches: Sequence[Match], at: datetime) -> str:
    """Return what was said later of the same by name, which may have changed it; "" where nothing was."""
    if best.known.doubted is not None:
        return f" That may have changed since: {telling.within(telling.tell(best.known.doubted, at))}"
    named, said = _capitals(best.known), best.known.at
    for match in sorted(matches[:_LATER], key=lambda match: -(match.known.at.timestamp() if match.known.at else 0.0)):
        known = match.known
        after = known.at is not None and said is not None and known.at > said and known.holds
        if after and named & _capitals(known) and not shares(known, best.known):
            return f" Later: {telling.within(telling.tell(known, at))}"
    return ""


def _capitals(known: Known) -> set[str]:
    return set(_CAPITAL.findall(known.text))


def closest(matches: Sequence[Match], at: datetime) -> str:
    """Return what comes closest to an answer, the best two; "" where nothing is close."""
    near = [match.known for match in matches if match.score >= _CLOSE]
    told = [telling.within(telling.tell(known, at)) for known in _distinct(near)[:_OFFERED]]
    return f"The closest I have: {' Or: '.join(told)}" if told else ""


def _preselected(asked: Asked, every: Sequence[Known]) -> list[Known]:
    """Return the likeliest by words and by their place among what was found, for the head to judge."""
    wanted = stems(asked.question.text) | asked.names

    def promise(known: Known) -> float:
        theirs = stems(f"{known.text} {known.subject}")
        shared = len(wanted & theirs) / max(1, len(wanted))
        place = 1 / (1 + 0.25 * known.place)
        return shared + 0.6 * place - 0.15 * known.source

    inside = [known for known in every if asked.window is None or _inside(known, asked.window)]
    # what happens then counts before what was said then
    inside = [known for known in inside if asked.window is not None and known.event is not None] or inside
    return sorted(inside or list(every), key=promise, reverse=True)[:_JUDGED]


def _inside(known: Known, window: Window) -> bool:
    if known.event is not None and known.event.start is not None:
        return window.overlaps(known.event.start, known.event.end or known.event.start)
    return known.at is not None and known.at in window


def _as_read(known: Known) -> str:
    """Return something known as the head reads it: as the person said it."""
    return re.sub(r"\b[Yy]our\b", "my", known.text) if known.source is Source.PROFILE else known.text


def _decided(asked: Asked, matches: Sequence[Match], at: datetime) -> str:
    near = [
        match for match in matches if match.score >= max(ENOUGH, matches[0].score - 0.15) and about(asked, match.known)
    ]
    for match in sorted(near or matches[:1], key=lambda match: (match.known.holds, match.score), reverse=True):
        yes, no = match.chance("yes"), match.chance("no")
        known = match.known
        if _is_unsure(match):
            return _unsure(known, at)
        if not known.holds:
            return _since(known, matches, at) if yes > no else telling.tell(known, at)
        if (
            not _denied_otherwise(asked, known, no=no > yes)
            and max(yes, no) >= (_DECIDES if _speaks_of(asked, known) else _PLAINLY)
            and about(asked, known)
        ):
            said = telling.tell(known, at)
            return f"{'Yes' if yes > no else 'No'}: {telling.within(said)}"
        return telling.tell(known, at)
    return telling.tell(matches[0].known, at)


def _denied_otherwise(asked: Asked, known: Known, *, no: bool) -> bool:
    """Tell whether the words on what is asked deny it where the head says yes, or do not where it says no."""
    plain = _CANNOT_STAND.sub("hate", known.text)
    about_it = [part for part in _PARTS.split(plain) if asked.topic & stems(part)]
    denials = {(_NOT.search(part) is not None) != (_AVERSE.search(part) is not None) for part in about_it}
    return bool(about_it) and denials != {no}


def _speaks_of(asked: Asked, known: Known) -> bool:
    """Tell whether something known has most of the words of what is asked: a triathlon is no marathon."""
    return 2 * len(asked.topic & stems(known.text)) >= len(asked.topic)


def _is_unsure(match: Match) -> bool:
    """Tell whether it was only a guess: by its own words, or by the head where these leave it open."""
    return match.known.unsure or (match.known.doubt >= _DOUBT and match.bearing.best.label == "unsure")


def _unsure(known: Known, at: datetime) -> str:
    return f"You were not sure about it. {telling.quote(known, at)}"


def _since(known: Known, matches: Sequence[Match], at: datetime) -> str:
    """Say what no longer holds, and what has taken its place."""
    until = f" {telling.day_of(known.until, at).removeprefix('on ')}" if known.until else ""
    now = next((match.known for match in matches if match.known.memory and match.known.memory == known.successor), None)
    was = telling.quote(known, at)
    after = f" Since then: {telling.within(telling.tell(now, at))}" if now is not None else ""
    return (
        f"Not any more, as far as I know. Until{until}: {telling.within(was)}{after}"
        if not after
        else (f"{telling.tell(now, at) if now else ''} Before that: {telling.within(was)}")
    )


def _when(known: Known, at: datetime) -> str:
    told = telling.tell(known, at)
    if known.event is None or known.event.start is None:
        return told
    named = telling.when(known.event, at)
    return told if named.casefold() in told.casefold() else f"{capital(named)}: {telling.within(told)}"


def _listed(asked: Asked, chosen: Sequence[Known], at: datetime) -> str:
    if len(chosen) == 1:
        return telling.tell(chosen[0], at)
    opening = "I know of these:" if asked.kind == "howmany" else "Here is what you told me:"
    return f"{opening}\n{telling.several(chosen, at)}"


def _newest_of_tied(matches: Sequence[Match]) -> Match:
    """Return the best, or a newer one that is as good: what was said last holds."""
    best = matches[0]
    tied = [match for match in matches if match.score >= best.score - _AS_GOOD and match.known.holds and match.known.at]
    same = [
        match
        for match in tied
        if (match.known.slot and match.known.slot == best.known.slot)
        or shares(match.known, best.known)
        or min(match.bearing.gives, best.bearing.gives) >= _GIVES
    ]
    return max(same, key=lambda match: match.known.at.timestamp() if match.known.at else 0.0, default=best)


def _distinct(every: Iterable[Known]) -> list[Known]:
    kept: list[Known] = []
    for known in every:
        if not any(shares(known, other) for other in kept):
            kept.append(known)
    return kept
