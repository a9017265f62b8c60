"""Changes of mind, additions, repetitions and what is never kept, in words the rules were not written with.

How many are right: the floors are what is reached now. A false end is worse than one that is missed, so hardly any
addition may be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from persona_cli.config import Settings
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.vectors.embedding import Embedder, open_embedder
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import draft_memories
from persona_cli.paths import find_places
from persona_cli.reading.reader import Reader
from persona_cli.records import SemanticMemory, Status
from persona_cli.remembering.drafts import Remembering

DATA = Path(__file__).parent / "data" / "minds.txt"
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
APART = timedelta(days=80)
BESIDE = ("My sister-in-law Klara lives in Oslo.", "I love walking on the beach.", "I have a hamster called Pip.")
"""What else is known: none of it may end."""

Lines = list[tuple[list[str], list[str]]]


def lines(kind: str) -> Lines:
    found = [line for line in DATA.read_text(encoding="utf-8").splitlines() if line.startswith(f"{kind} |")]
    pairs = [line.rpartition(" = ") for line in found]
    return [(said.split(" | ")[1:], wanted.split(" > ")) for said, _, wanted in pairs]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    places = find_places(env={"PERSONA_HOME": str(tmp_path_factory.mktemp("home"))})
    opened = open_embedder(Settings(), places, print)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def listener(reader: Reader) -> Listener:
    return Listener(lambda: reader)


@dataclass(frozen=True)
class Found:
    """What each message has left in memory, and which memories are asked about."""

    memories: list[tuple[SemanticMemory, ...]]
    asked: frozenset[int]


def tell(store: Store, embedder: Embedder, listener: Listener, said: list[str]) -> Found:
    """Tell the messages weeks apart; returns what each has left in memory, as it is in the end."""
    turns = []
    for number, text in enumerate((*BESIDE, *said)):
        at = START + APART * number
        turn = store.turns.add(store.sessions.start(at).id, at, text, "", "m")
        remembering = Remembering(store, embedder, 5, endings=listener.open_reader().endings)
        remembering.remember(draft_memories(listener, turn, ()), turn, ())
        turns.append(turn)
    asked = frozenset(conflict.earlier.id for conflict in store.conflicts.open() if conflict.doubt)
    return Found([store.semantic.of_turn(turn.id) for turn in turns], asked)


def active(memories: tuple[SemanticMemory, ...]) -> list[SemanticMemory]:
    return [memory for memory in memories if memory.status is Status.ACTIVE]


def holds(memories: list[SemanticMemory], word: str) -> bool:
    return any(word in memory.content.casefold() for memory in memories)


def is_right(kind: str, everything: Found, wanted: list[str]) -> bool:
    found = everything.memories
    told = found[len(BESIDE) :]
    now = [one for memories in told for one in active(memories)]
    if any(len(active(memories)) != len(memories) for memories in found[: len(BESIDE)]):
        return False
    if kind in ("ends", "ends or is asked"):
        asked = everything.asked if kind != "ends" else frozenset[int]()
        left = [memory for memory in active(told[0]) if memory.id not in asked]
        return bool(told[0]) and not left and holds(active(told[1]), wanted[1])
    if kind == "adds":
        return all(word == "-" or holds(active(memories), word) for memories, word in zip(told, wanted, strict=True))
    if kind == "again":
        return holds(now, wanted[0]) and all(
            one.seen == len(told) for one in now if wanted[0] in one.content.casefold()
        )
    if kind == "never":
        return all(one.subject != "user" for one in now)
    kept = [one for one in now if wanted[0] in one.content.casefold()]
    return bool(kept) and all(one.subject != "user" for one in kept)


@pytest.fixture(scope="module")
def told(embedder: Embedder, listener: Listener) -> Callable[[str], list[tuple[Found, list[str]]]]:
    @cache
    def tell_all(kind: str) -> list[tuple[Found, list[str]]]:
        every = []
        for said, wanted in lines(kind):
            with closing(open_store(None)) as store:
                every.append((tell(store, embedder, listener, said), wanted))
        return every

    return tell_all


@pytest.mark.parametrize(
    ("kind", "floor"),
    [("ends", 120), ("ends or is asked", 150), ("adds", 70), ("again", 40), ("never", 35), ("other", 30)],
)
def test_so_many_are_right(told: Callable[[str], list[tuple[Found, list[str]]]], kind: str, floor: int) -> None:
    every = told(kind.split(maxsplit=1)[0])
    right = sum(is_right(kind, found, wanted) for found, wanted in every)
    assert right >= floor, f"{right} of {len(every)}"


EVENTS = [
    line.split(" | ")
    for line in DATA.with_name("events.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("said", EVENTS, ids=" ".join)
def test_what_happened_does_not_cease_to_have_happened(
    store: Store, embedder: Embedder, listener: Listener, said: list[str]
) -> None:
    tell(store, embedder, listener, said)
    assert {memory.status for memory in store.semantic.list(None)} == {Status.ACTIVE}
    assert {memory.seen for memory in store.semantic.list(None)} == {1}
