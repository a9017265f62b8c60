"""Six months of one life through the real loop: what is current, what was superseded, doubled, invented.

The strands are told interleaved, so that each has the others to be mistaken for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.config import Settings
from persona_cli.memory.store import Store
from persona_cli.paths import find_places
from persona_cli.records import SemanticMemory, Status

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
DATA = Path(__file__).parent / "data" / "life.txt"
APART = timedelta(days=80)


@dataclass(frozen=True)
class Strand:
    kind: str
    said: tuple[str, ...]
    wanted: tuple[str, ...]
    start: datetime

    def times(self) -> list[datetime]:
        return [self.start + number * APART for number in range(len(self.said))]


def read_strands() -> list[Strand]:
    lines = [line for line in DATA.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    strands = []
    for number, line in enumerate(lines):
        told, _, wanted = line.rpartition(" = ")
        kind, *said = [part.strip() for part in told.split(" | ")]
        # two strands a day, hours apart: each message is a session of its own
        start = START + timedelta(days=number // 4, hours=3 * (number % 4))
        strands.append(Strand(kind, tuple(said), tuple(wanted.split(" > ")), start))
    return strands


STRANDS = read_strands()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return the store after the six months."""
    places = find_places(env={"PERSONA_HOME": str(tmp_path_factory.mktemp("home"))})
    last = START + timedelta(days=185)
    opened = open_assistant(places, Settings(), clock=lambda: last, notice=print)
    said = [pair for strand in STRANDS for pair in zip(strand.times(), strand.said, strict=True)]
    done = replay(opened, [Exchange(at, text, "") for at, text in said])
    assert not done.updates.failed
    yield opened.memory.store
    opened.close()


def learnt(store: Store, at: datetime, text: str) -> tuple[SemanticMemory, ...]:
    """Return what a message left in semantic memory, whatever has become of it."""
    turn = store.turns.find_same(at, text)
    assert turn is not None
    return store.semantic.of_turn(turn.id)


def active(memories: Sequence[SemanticMemory]) -> list[SemanticMemory]:
    return [memory for memory in memories if memory.status is Status.ACTIVE]


def holds(memories: Sequence[SemanticMemory], word: str) -> bool:
    return any(word.casefold() in memory.content.casefold() for memory in memories)


def test_the_script_is_what_it_claims() -> None:
    counts = {kind: sum(strand.kind == kind for strand in STRANDS) for kind in ("change", "again", "later")}
    assert counts == {"change": 25, "again": 25, "later": 10}
    assert sum(strand.kind == "never" for strand in STRANDS) == 10
    assert sum(strand.kind == "other" for strand in STRANDS) == 10


def holds_later(life: Store, strand: Strand) -> bool:
    """The later word holds, and the earlier stays with its dates."""
    old, new = (learnt(life, at, text) for at, text in zip(strand.times(), strand.said, strict=True))
    before = life.semantic.list(as_of=strand.times()[1] - timedelta(hours=1))
    return (
        holds(old, strand.wanted[0])
        and not active(old)
        and {memory.valid_to for memory in old} == {strand.times()[1]}
        and holds(active(new), strand.wanted[1])
        and holds(before, strand.wanted[0])
    )


def is_counted(life: Store, strand: Strand) -> bool:
    """The same again is counted and not doubled."""
    told = [one for at, text in zip(strand.times(), strand.said, strict=True) for one in learnt(life, at, text)]
    now = active(told)
    return (
        len(now) == 1
        and holds(now, strand.wanted[0])
        and (now[0].seen, now[0].last_seen) == (len(strand.said), strand.times()[-1])
    )


def is_left(life: Store, strand: Strand) -> bool:
    """What was imagined is not kept."""
    return not (
        learnt(life, strand.start, strand.said[0])
        or holds(life.semantic.list(None), strand.wanted[0])
        or any(strand.wanted[0] in entry.value for entry in life.core.history())
    )


def is_of_others(life: Store, strand: Strand) -> bool:
    """What is said of others is about them."""
    word, about = strand.wanted
    told = [one for one in active(learnt(life, strand.start, strand.said[0])) if holds([one], word)]
    theirs = all(about.casefold() in memory.subject.casefold() for memory in told)
    return bool(told) and theirs and not any(word in entry.value for entry in life.core.history())


RULES: dict[str, tuple[Callable[[Store, Strand], bool], int]] = {
    "change": (holds_later, 20),
    "later": (holds_later, 7),
    "again": (is_counted, 21),
    "never": (is_left, 9),
    "other": (is_of_others, 9),
}
"""Of each kind what has to be true, and of how many strands it is at least: what is reached with the reader now."""


@pytest.mark.parametrize("kind", RULES)
def test_so_many_strands_are_right(life: Store, kind: str) -> None:
    rule, floor = RULES[kind]
    told = [strand for strand in STRANDS if strand.kind == kind]
    wrong = [strand.said for strand in told if not rule(life, strand)]
    assert len(told) - len(wrong) >= floor, wrong
