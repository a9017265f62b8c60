"""Answers to questions about the person's own life: the best of what is known, judged by the trained head.

Yes and No are said only where a memory of the same subject decides it; several answers are listed, the newest first;
what is not known is not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from persona_cli.english.people import kin
from persona_cli.english.tokens import stem, stems
from persona_cli.model.lite import telling
from persona_cli.model.lite.knowledge import Known, Source, shares
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.matching import ONCE, Asked, Candidate, about, fills, scores, understand
from persona_cli.model.lite.session import Embed
from persona_cli.reading.inquiry import Question, question_of
from persona_cli.reading.judging import Bearing
from persona_cli.reading.labels import Guess
from persona_cli.reading.statement import Statement
from persona_cli.records import Window

MOST = 6
"""Things listed in one answer."""
_JUDGED, _JUDGED_FOR_REQUEST = 32, 64
"""Things known that are judged, a pass of the encoder each: a request shares no words with what bears on it."""
ENOUGH = 0.5
"""Probability from which the best is said to be the answer: 31 of 45 are then, of seven lives the judge has not seen,
and 2 of 58 questions about what was never told are answered so; from 0.36 on 55 of 87."""
ENOUGH_OF_FEW, FEW = 0.25, 8
"""The same where at most so few messages compete: of 354 questions to little lives 270 are right, 34 wrong."""
LIKELY, LIKELY_OF_FEW = 0.3, 0.14
"""Probability from which what is offered may well be it: the first answers 6 of 10 questions then, below that 3."""
_DECIDES, _PLAINLY = 0.55, 0.9
"""Probability of a yes or a no from which it is said, and the same where hardly a word is shared."""
_NEAR = 0.3
"""How far behind the best another entry of a list may be."""
_AS_GOOD, _GIVES = 0.15, 0.85
_FILLED = 0.9
"""Score of what was read as the very thing that is asked for: the name, the birthday, the home."""
_OF_ANOTHER = 0.2
"""What is left of a score where another one is asked for by name or role: never enough."""
_OF_ANOTHER_TIME = 0.5
"""The same where another time is asked for: of what may be told at another time than it happened."""
_FORMERLY = 0.3
"""What has ended gains by a question for what was before."""
_CLOSE = 0.05
"""Probability from which something known is offered where nothing answers."""
BEARS = 0.15
"""Probability from which something known is brought up for a request."""
_BESIDE = 0.25
"""Share of the score of the best from which something stands beside it: of a small memory not all of it is near."""
OFFERED = 3
"""So many: on lives nothing was fitted on, one of the first three answers 79 of 100 questions, the first 56."""
_DOUBT = 0.2
_PARTS = re.compile(r"[,;.]|\b(?:but|and|although|though)\b", re.I)
_NOT = re.compile(r"\b(?:no|not|never|none|cannot|without|stopped|quit|gave up|no longer)\b|n['’]?t\b", re.I)
_CANNOT_STAND = re.compile(r"\bca(?:nno|n['’]?)t stand\b", re.I)
_AVERSE = re.compile(r"\b(?:dislike|hate|detest|loathe|mind|avoid)\w*\b", re.I)
_LISTS = ("list", "howmany", "summary")


@dataclass(frozen=True, slots=True)
class Match:
    """Something known, and how it stands to a question."""

    known: Known
    bearing: Bearing
    score: float
    cosine: float = 0.0
    """How close it is to the question in meaning alone."""

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
                if (0 <= name.start - role.end <= 14 and _OWN.search(statement.text[: role.start]))
                or _APPOSED.fullmatch(statement.text[name.end : role.start])
            ]
    for one in known:
        pairs += [(match["role"], match["name"]) for form in _PAIRED for match in form.finditer(one.text)]
    joined: dict[str, set[str]] = {}
    for role, name in pairs:
        last, long = role.split()[-1].casefold(), stem(name.split()[0])
        for short in {stem(last), stem(kin(last))}:  # "mum" and "mother" are one
            joined.setdefault(short, set()).add(long)
            joined.setdefault(long, set()).add(short)
    return joined


_APPOSED = re.compile(r",? (?:is )?(?:my|our) (?:[\w-]+ )?", re.IGNORECASE)
"""Between a name and the role that says who that is: "Bram, our dog"."""
_OWN = re.compile(r"\b(?:my|our)\s+(?:[\w-]+\s+)?$", re.IGNORECASE)
_PAIRED = (
    re.compile(
        r"(?:[Tt]he user['’]s|[Mm]y|[Oo]ur) (?P<role>\w+)(?:['’]s name is| is called| called| is named| named| is|,)?"
        r" (?P<name>[A-Z][\w-]+)"
    ),
    re.compile(r"\b(?P<name>[A-Z][\w-]+), (?:my|our) (?P<role>\w+)"),
    re.compile(
        r"\b(?:[Ii] have|[Ww]e have|[Ii]['’]ve|[Gg]ot) an? (?P<role>\w+)(?: called| named|,) (?P<name>[A-Z][\w-]+)"
    ),
)
"""A role and the name that goes with it: "my sister Ada", "Bram, our dog", "I have a dog called Max"."""


def rank(asked: Asked, every: Sequence[Known], listener: Listener, embed: Embed, most: int = _JUDGED) -> list[Match]:
    """Return what bears on a question, the best first, of the `most` that promise most."""
    candidates = candidates_for(asked, every, listener, embed, most)
    matches = [
        Match(one.known, one.decisive, _scored(asked, one.known, chance), one.cosine)
        for one, chance in zip(candidates, scores(candidates), strict=True)
    ]
    return sorted(matches, key=lambda match: -match.score)


def candidates_for(
    asked: Asked, every: Sequence[Known], listener: Listener, embed: Embed, most: int = _JUDGED
) -> list[Candidate]:
    """Return the likeliest of what is known, judged: what was said in one message once."""
    chosen = _preselected(asked, _still_asked_of(asked, every))[:most]
    if not chosen:
        return []
    texts = list(dict.fromkeys(text for known in chosen for text in (_as_read(known), known.message) if text))
    vectors = embed([asked.question.text, *texts])
    close = dict(zip(texts, (vectors[1:] @ vectors[0]).tolist(), strict=True))
    judged = dict(zip(texts, listener.judge(asked.question.text, texts), strict=True))
    together: dict[int, list[Known]] = {}
    for place, known in enumerate(chosen):
        together.setdefault(known.turn or -1 - place, []).append(known)
    return [_candidate(asked, said, judged, close) for said in together.values()]


def _candidate(
    asked: Asked, said: Sequence[Known], judged: Mapping[str, Bearing], close: Mapping[str, float]
) -> Candidate:
    filling = [known for known in said if fills(asked, known)]
    best = max(filling or said, key=lambda known: judged[_as_read(known)].odds)
    # of a message it is its memories that say whose it is
    subjects = {known.subject for known in said if known.memory}
    subject = subjects.pop() if not best.memory and len(subjects) == 1 else best.subject
    known = replace(
        best,
        place=min(known.place for known in said),
        source=min(known.source for known in said),
        subject=subject,
    )
    text = _as_read(known)
    whole = known.message or text
    return Candidate(known, judged[text], judged[whole], max(close[text], close[whole]))


def _scored(asked: Asked, known: Known, chance: float) -> float:
    """Return how well something known answers; "what did I do in June?" is answered by all that was of June."""
    if asked.window is not None and not asked.topic and _inside(known, asked.window):
        return max(chance, known.weight)
    if fills(asked, known):
        return _FILLED + (1 - _FILLED) * chance
    chance = chance if about(asked, known) else chance * _OF_ANOTHER
    chance = chance if asked.window is None or _inside(known, asked.window) else chance * _OF_ANOTHER_TIME
    formerly = ONCE.search(asked.question.text) is not None and not known.holds
    return min(1.0, chance + _FORMERLY) if formerly else chance


def bearing_on(statement: Statement, every: Sequence[Known], listener: Listener, embed: Embed) -> list[Match]:
    """Return what bears on a request, which asks for no memory: the best first."""
    question = question_of(statement) or Question(statement.text, Guess("what", 0.5), "", statement.subject)
    return rank(understand(question, statement, None, {}), every, listener, embed, _JUDGED_FOR_REQUEST)


def is_answered(matches: Sequence[Match]) -> bool:
    """Tell whether anything answers the question."""
    return bool(matches) and matches[0].score >= (ENOUGH if len(matches) > FEW else ENOUGH_OF_FEW)


def is_likely(asked: Asked, matches: Sequence[Match]) -> bool:
    """Tell whether the best may well answer: what is of somebody else is only the nearest."""
    least = LIKELY if len(matches) > FEW else LIKELY_OF_FEW
    return matches[0].score >= least and about(asked, matches[0].known)


def is_met(asked: Asked, matches: Sequence[Match]) -> bool:
    """Tell whether anything answers the question, or may well."""
    return is_answered(matches) or (bool(matches) and is_likely(asked, matches))


def compose(asked: Asked, matches: Sequence[Match], at: datetime) -> str:
    """Return the answer that `matches`, of which the first answers, support."""
    best = matches[0]
    if asked.kind in _LISTS or (asked.window is not None and asked.kind == "what"):
        chosen = _distinct(match.known for match in matches if match.score >= best.score - _NEAR)
        return _listed(asked, chosen[:MOST], at)
    if (later := _later(best.known, matches)) is not None and not ONCE.search(asked.question.text):
        return _before(later, best.known, at)
    if asked.kind == "yesno":
        return _decided(asked, matches, at)
    if not best.known.holds and not ONCE.search(asked.question.text):
        return _since(best.known, matches, at)
    best = _newest_of_tied(matches)
    return _unsure(best.known, at) if _is_unsure(best) else telling.tell(best.known, at)


def _later(known: Known, matches: Sequence[Match]) -> Known | None:
    """Return what may have ended something since, where that is of what is asked too."""
    later = known.doubted
    if later is None or not any(match.known.turn == later.turn for match in matches if match.score >= _CLOSE):
        return None
    return next((match.known for match in matches if match.known.memory == later.memory), later)


def _before(now: Known, was: Known, at: datetime) -> str:
    """Tell what is newer, and what it was before."""
    return f"{telling.tell(now, at)} Before that {telling.within(telling.quote(was, at))}"


def nearest(asked: Asked, matches: Sequence[Match]) -> list[Known]:
    """Return the best few that are close at all, what may have ended one of them before it; more for a list.

    Behind them stands what is closest in meaning alone: it answers 6 of 100 questions that none of the best three does.
    """
    close: list[Known] = []
    for match in matches:
        if match.score >= max(_CLOSE, _BESIDE * matches[0].score):
            later = _later(match.known, matches)
            close += [later, match.known] if later is not None else [match.known]
    best = _distinct(close)[: MOST if asked.kind in _LISTS else OFFERED]
    closest = max(matches, key=lambda match: match.cosine, default=None)
    return _distinct([*best, closest.known]) if best and closest is not None else best


def offered(near: Sequence[Known], at: datetime) -> str:
    """Return what may answer, each whole and with its day."""
    return telling.within(telling.tell(near[0], at)) if len(near) == 1 else f"\n{listed(near, at)}"


def listed(known: Sequence[Known], at: datetime) -> str:
    """Return things known as a list, in their order."""
    return "\n".join(f"- {telling.line(one, at)}" for one in known)


def helpful(matches: Sequence[Match]) -> list[Known]:
    """Return what bears on a request, the likeliest first: what is rather not of it is left out."""
    return _distinct(match.known for match in matches if match.score >= BEARS)[:OFFERED]


def _still_asked_of(asked: Asked, every: Sequence[Known]) -> Sequence[Known]:
    """Leave out what something else known has taken the place of, where neither the past nor a yes or no is asked."""
    if asked.kind == "yesno" or ONCE.search(asked.question.text):
        return every
    there = {known.memory for known in every if known.holds}
    return [known for known in every if known.holds or not known.successor or known.successor not in there]


def _preselected(asked: Asked, every: Sequence[Known]) -> list[Known]:
    """Return what is known, the likeliest by words and by their place among what was found first, to be judged.

    A habit says nothing that the message it was taken from does not say whole.
    """
    wanted = stems(asked.question.text) | asked.names

    def promise(known: Known) -> float:
        theirs = stems(f"{known.text} {known.subject}")
        shared = len(wanted & theirs) / max(1, len(wanted))
        place = 1 / (1 + 0.25 * known.place)
        return shared + 0.6 * place - 0.15 * known.source + fills(asked, known)

    messages = "\n".join({known.message for known in every})
    several = [known for known in every if known.source is not Source.HABIT or known.text not in messages]
    chosen = sorted(several, key=promise, reverse=True)
    if asked.window is not None:
        inside = [known for known in chosen if _inside(known, asked.window)]
        # what happens then counts before what was said then
        inside = [known for known in inside if known.event is not None] or inside
        outside = [known for known in chosen if known not in inside] if asked.topic or not inside else []
        chosen = [*inside, *outside]
    return chosen


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
            return telling.decided("Yes" if yes > no else "No", known, at)
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
    """Say what no longer holds, behind what has taken its place where that is known."""
    now = next((match.known for match in matches if match.known.memory and match.known.memory == known.successor), None)
    if now is not None:
        return _before(now, known, at)
    until = f": until {telling.day_of(known.until, at).removeprefix('on ')}" if known.until else ""
    return f"Not any more, as far as I know{until}. {telling.quote(known, at)}"


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
