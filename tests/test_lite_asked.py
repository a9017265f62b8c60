"""Questions to an imported memory through the real loop: what was told is answered, what was not is not known.

tests/data/ask_*.txt: ">" a day and what was said on it, "?" a question with what its answer must hold ("three|3"),
"!" a question about what was never told. Made up before the answers were seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.config import Settings
from persona_cli.paths import find_places
from persona_cli.records import Answer
from tests.conftest import StillClock
from tests.stories import REFUSALS

NOW = datetime(2026, 3, 31, 19, 0, tzinfo=UTC)
DATA = Path(__file__).parent / "data"


def listen(name: str, clock: StillClock, home: Path) -> Assistant:
    """Return an assistant that was told what the file tells."""
    opened = open_assistant(find_places(env={"PERSONA_HOME": str(home)}), Settings(), clock=clock, notice=print)
    told = [line[2:].split(" ", 1) for line in _lines(name) if line.startswith("> ")]
    exchanges = [Exchange(datetime.fromisoformat(f"{day}T18:00:00+00:00"), text, "") for day, text in told]
    assert not replay(opened, exchanges).updates.failed
    return opened


def ask(name: str, clock: StillClock, home: Path) -> Iterator[tuple[str, str, str]]:
    """Yield each question with its answer and what is wrong with it; "" where nothing is."""
    opened = listen(name, clock, home)
    for line in _lines(name):
        if line[:1] not in {"?", "!"}:
            continue
        clock.advance(hours=2)  # each in a session of its own
        question, _, wanted = line[2:].partition(" = ")
        answer = next(step.text for step in opened.respond(question) if isinstance(step, Answer))
        yield question, answer, _fault(answer, wanted)
    opened.close()


def _fault(answer: str, wanted: str) -> str:
    refused = any(refusal in answer for refusal in REFUSALS)
    if not wanted:
        return "" if refused else "invented"
    if refused:
        return "" if re.search(wanted, answer, re.I) else "refused"
    return "" if re.search(wanted, answer, re.I) else "wrong"


def _lines(name: str) -> list[str]:
    return (DATA / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(("name", "most"), [("ask_dev.txt", 5), ("ask_held.txt", 2)])
def test_what_was_told_is_answered_and_nothing_else(name: str, most: int, clock: StillClock, home: Path) -> None:
    clock.now = NOW
    faults = [(question, answer, fault) for question, answer, fault in ask(name, clock, home) if fault]
    invented = [fault for fault in faults if fault[2] in ("invented", "wrong")]
    assert len(invented) <= most, invented
    assert len(faults) <= 2 * most, faults
