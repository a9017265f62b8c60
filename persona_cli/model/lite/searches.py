"""The searches worth making before a reply: for a question in its time and at any, for a request what bears on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from persona_cli.model.lite.matching import Asked
from persona_cli.model.lite.talk import looked_for
from persona_cli.records import Retrieve
from persona_cli.timewords import describe, find_anchors

LOOKED_AT = 32
"""Facts and messages that a search brings: no prompt has to hold them. Of 20 of a diary of fifty the answer was among
them for 85 questions in 100, of 32 for 96."""
_AHEAD = timedelta(days=3_650)
"""How far ahead what is told of is found."""


def for_question(asked: Asked, at: datetime) -> Iterator[tuple[str, Retrieve]]:
    """Yield the searches for a question in order, each with the thought behind it."""
    words = asked.question.text.strip().rstrip("?!. ")
    if find_anchors(words, at):
        yield f"Looking for “{words}”, then.", Retrieve(words, most=LOOKED_AT)
    elif asked.window is not None:
        when = describe(asked.window, at)
        yield f"Looking for “{words}”, {when}.", Retrieve(words, asked.window.start, asked.window.end, LOOKED_AT)
    yield f"Looking for “{words}”.", _at_any_time(words, at)
    wider = " ".join([*sorted(asked.names), looked_for(asked.question.slot)]).strip()
    if wider and asked.question.of_a_life:
        yield f"Not found yet; looking for “{wider}”.", _at_any_time(f"{words} {wider}", at)


def for_request(words: str, at: datetime) -> Iterator[Retrieve]:
    """Yield the searches for a request: what somebody cannot have or likes is seldom told in its words."""
    yield _at_any_time(words, at)
    yield from (_at_any_time(f"{words} {looked_for(of)}", at) for of in ("limits", "tastes"))


def _at_any_time(words: str, at: datetime) -> Retrieve:
    """Return a search that no time words narrow: who cooks on Sunday has to know what was told in March."""
    return Retrieve(words, end=at + _AHEAD, most=LOOKED_AT)
