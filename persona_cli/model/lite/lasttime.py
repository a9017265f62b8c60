"""What was talked about last time: told from the session before this one, since "last time" names no day to search."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from persona_cli.english.forms import capital, lower_first, to_second
from persona_cli.model.lite.acts import Act, read
from persona_cli.model.lite.dates import day_of
from persona_cli.model.lite.evidence import OPENING
from persona_cli.model.lite.facts import find_facts
from persona_cli.records import Turn

MOST = 5
"""Things told of a session; the whole of it is in `persona memory list`."""
_LAST = (
    r"(?:last time|the other (?:day|time)|previously|before(?: this)?|most recently|recently"
    r"|(?:in|during) (?:our|the|my) (?:last|previous) (?:chat|conversation|session|talk|message)s?)"
)
_SPOKE = r"(?:talk(?:ed|ing)?|speak|spoke|chat(?:ted)?|discuss(?:ed)?|tell|told|say|said|mention(?:ed)?)"
_ASKED = re.compile(
    rf"^(?:so )?what (?:did|were|was|have|had) (?:we|i|you and i)(?: been)?"
    rf" {_SPOKE}(?: (?:to )?you)?(?: about)?,? {_LAST}\W*$"
    rf"|^what (?:was|were) (?:our|the|my) (?:last|previous) (?:chat|conversation|session|talk|topic)s?(?: about)?\W*$"
    rf"|^(?:where|what) (?:did|were) we (?:leave off|stop)(?: {_LAST})?\W*$"
    rf"|^what (?:did|do) (?:we|i) {_SPOKE} (?:about )?when we last \w+\W*$",
    re.I,
)


def asks_for_last_time(question: str) -> bool:
    """Tell whether a question asks for nothing but what was said in the session before."""
    return _ASKED.match(question.strip()) is not None


def tell_last_time(turns: Sequence[Turn], at: datetime) -> str:
    """Return what `turns`, the session before, told or asked; "" where there was none."""
    lines = list(dict.fromkeys(_lines(turns)))
    if not lines:
        return ""
    day = day_of(turns[-1].at, at).replace("just now", "a moment ago")
    if len(lines) == 1:
        return f"Last time, {day}, {lower_first(lines[0])}."
    more = f"\n- … and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return f"Last time, {day}, we talked about this:\n" + "\n".join(f"- {line}" for line in lines[:MOST]) + more


def _lines(turns: Sequence[Turn]) -> Iterator[str]:
    facts = [fact for turn in turns for fact in find_facts(turn.user, turn.at)[:2]]
    told = [capital(OPENING.sub("", to_second(fact.content) or fact.content)).rstrip(".") for fact in facts]
    yield from told
    if not told:
        for turn in turns:
            yield from (f"You asked: “{part.text}”" for part in read(turn.user) if part.act is Act.QUESTION)
