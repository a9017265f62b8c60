"""Two years of conversations with known topics, as a home that tests can copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from persona_cli.agent import open_assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.config import MemorySettings, Settings
from persona_cli.memory.store import Store
from persona_cli.paths import find_places
from persona_cli.records import EpisodicMemory

START = datetime(2024, 1, 3, 18, tzinfo=UTC)
DAYS = 730
END = START + timedelta(days=DAYS)
SINGLE = "single"
"""The topic of what came up once only."""
_LINES = (Path(__file__).parent / "data" / "two_years.txt").read_text(encoding="utf-8").splitlines()


@dataclass(frozen=True)
class Conversation:
    """One session: its topic, when it was, and what was said in it."""

    topic: str
    at: datetime
    said: tuple[str, ...]


def conversations() -> list[Conversation]:
    """Return the sessions in order of time, the topics interleaved."""
    told = [line.split(" | ") for line in _LINES if line and not line.startswith("#")]
    totals, seen = Counter(topic for topic, *_ in told), Counter[str]()
    spread = []
    for topic, *said in told:
        spread.append(((seen[topic] + 0.5) / totals[topic], topic, tuple(said)))
        seen[topic] += 1
    step = timedelta(days=DAYS / len(spread))
    return [Conversation(topic, START + place * step, said) for place, (_, topic, said) in enumerate(sorted(spread))]


def build_years(home: Path) -> None:
    """Live through the two years in `home`, with nothing tidied."""
    untidied = Settings(memory=MemorySettings(tidy_after_days=0))
    places = find_places(env={"PERSONA_HOME": str(home)})
    assistant = open_assistant(places, untidied, clock=lambda: END, notice=print)
    exchanges = [
        Exchange(conversation.at + timedelta(minutes=2 * place), said, "")
        for conversation in conversations()
        for place, said in enumerate(conversation.said)
    ]
    assert not replay(assistant, exchanges).updates.failed
    assistant.close()


def topics_of(store: Store, episode: EpisodicMemory) -> Iterator[str]:
    """Yield the topic of each turn of an episode."""
    known = {said: conversation.topic for conversation in conversations() for said in conversation.said}
    yield from (known[turn.user] for turn in store.turns.many(episode.turn_ids))
