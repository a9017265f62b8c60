"""Six months of one life through the real loop: what is current, what was superseded, doubled, invented.

The strands are told interleaved, so that each has the others to be mistaken for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def of_kind(*kinds: str) -> list[pytest.ParameterSet]:
    return [pytest.param(strand, id=strand.said[-1]) for strand in STRANDS if strand.kind in kinds]


def test_the_script_is_what_it_claims() -> None:
    counts = {kind: sum(strand.kind == kind for strand in STRANDS) for kind in ("change", "again", "later")}
    assert counts == {"change": 25, "again": 25, "later": 10}
    assert sum(strand.kind == "never" for strand in STRANDS) == 10
    assert sum(strand.kind == "other" for strand in STRANDS) == 10


@pytest.mark.parametrize("strand", of_kind("change", "later"))
def test_the_later_word_holds_and_the_earlier_stays_with_its_dates(life: Store, strand: Strand) -> None:
    old, new = (learnt(life, at, text) for at, text in zip(strand.times(), strand.said, strict=True))
    assert holds(old, strand.wanted[0])
    assert [memory.content for memory in active(old)] == []
    assert {memory.valid_to for memory in old} == {strand.times()[1]}
    assert holds(active(new), strand.wanted[1])
    assert holds(life.semantic.list(as_of=strand.times()[1] - timedelta(hours=1)), strand.wanted[0])


@pytest.mark.parametrize("strand", of_kind("again"))
def test_the_same_again_is_counted_and_not_doubled(life: Store, strand: Strand) -> None:
    found = [one for at, text in zip(strand.times(), strand.said, strict=True) for one in learnt(life, at, text)]
    (memory,) = active(found)
    assert holds([memory], strand.wanted[0])
    assert (memory.seen, memory.last_seen) == (len(strand.said), strand.times()[-1])


@pytest.mark.parametrize("strand", of_kind("never"))
def test_what_was_imagined_is_not_kept(life: Store, strand: Strand) -> None:
    assert learnt(life, strand.start, strand.said[0]) == ()
    assert not holds(life.semantic.list(None), strand.wanted[0])
    assert not any(strand.wanted[0] in entry.value for entry in life.core.history())


@pytest.mark.parametrize("strand", of_kind("other"))
def test_what_is_said_of_others_is_about_them(life: Store, strand: Strand) -> None:
    word, about = strand.wanted
    found = [one for one in active(learnt(life, strand.start, strand.said[0])) if holds([one], word)]
    assert found
    assert [memory.subject for memory in found if about.casefold() not in memory.subject.casefold()] == []
    assert not any(word in entry.value for entry in life.core.history())
