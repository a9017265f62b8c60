"""Measure what one turn costs without the model (`python -m benchmarks.turn`).

The real store, embedding, index, retrieval, prompts and parsers run; the engine behind them answers at once
with a retrieval and then an answer. So the time is the framework's own. What a turn does over memories of several
sizes is counted, with the built-in model (work.py). Tokens are the word pieces of MiniLM's
tokenizer: close to what a generative model counts in English, and here without any weights.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.work import filled, talked
from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import Settings
from persona_cli.memory.vectors.minilm import open_tokenizer
from persona_cli.memory.vectors.minilm_files import vocabulary
from persona_cli.model import grammar as formats
from persona_cli.model.engines import Message
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import Fact, Stop
from persona_cli.paths import find_places
from persona_cli.personality import TRAITS
from persona_cli.records import Image

TURNS = 60
GROWN = (200, 2_000, 20_000)
"""Memories over which what a turn with the built-in model does is counted."""
COUNTED = 18
PACE = timedelta(hours=2)
RETRIEVE = """<think>I should look it up.</think><retrieve>
"keywords": "green tea, orchestra"
"start_time": "null"
"end_time": "null"
</retrieve>"""
ANSWER = "<think>Now I know.</think><answer>You told me about it; it sounds lovely.</answer>"
TOPIC = '"topic_summary": The user talks about the week.\n"keywords": week, talk\n"source_dialog_indices": 0'
SAID = (
    "I played the cello with the orchestra again, concert {n} of this season.",
    "My sister called from Lisbon about flat {n}, she may move there.",
    "I tried green tea number {n} of the box and liked it.",
    "Work was long today, release {n} slipped by a day.",
)
WRITES = {
    formats.TRAITS: "\n".join(f'"{name}": 4' for name in TRAITS),
    formats.SEMANTIC: '"reason": small talk\n"decision": false\n"content": ""\n"keywords": ""',
    formats.TOPICS: TOPIC,
    formats.PROCEDURAL: '"cello": The user plays the cello.',
    formats.CORE: '"hobby": cello',
}


class InstantEngine:
    """An `Engine` that takes no time: it asks for one retrieval, then answers; and counts what it reads."""

    name = "instant"
    context = 16_384

    def __init__(self) -> None:
        self.read: list[int] = []
        """Tokens of each prompt of the response stage."""
        self._pieces = open_tokenizer(vocabulary())

    @property
    def sees(self) -> bool:
        """Be shown no pictures."""
        return False

    def about(self) -> tuple[Fact, ...]:
        """Say nothing."""
        return ()

    def count(self, content: Sequence[Message] | str) -> int:
        """Return the word pieces of a text, or of messages."""
        text = content if isinstance(content, str) else "\n".join(message.text for message in content)
        return len(self._pieces.encode(text, add_special_tokens=False).ids)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        grammar: str | None,
        stop: Stop,
        limit: int,
        lane: str,
        penalty: float = 1.0,
    ) -> Iterator[str]:
        """Yield the reply the grammar asks for; the response stage retrieves once, then answers."""
        if grammar in WRITES:
            yield WRITES[grammar]
            return
        self.read.append(self.count(messages))
        yield RETRIEVE if len(messages) == 1 else ANSWER

    def close(self) -> None:
        """Free nothing."""


class PacedClock:
    """A clock that moves on by hours with every turn, so that each turn is a session."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time it is."""
        return self.now


def converse(assistant: Assistant, clock: PacedClock, turns: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each response and of the updates after it."""
    responses, updates = [], []
    for number in range(turns):
        clock.now += PACE
        began = time.perf_counter()
        for _ in assistant.respond(SAID[number % len(SAID)].format(n=number)):
            pass
        answered = time.perf_counter()
        assistant.updates.run()
        responses.append((answered - began) * 1000)
        updates.append((time.perf_counter() - answered) * 1000)
    return responses, updates


def main(_arguments: Sequence[str] = ()) -> int:
    """Print the table."""
    engine, clock = InstantEngine(), PacedClock()

    def picture(image: Image) -> Path:
        return Path(image.hash)

    with tempfile.TemporaryDirectory(prefix="persona-turn-") as home:
        places = find_places(env={"PERSONA_HOME": home})
        model = PromptedModel(engine, load_prompts(), picture)
        assistant = open_assistant(places, Settings(), model=model, clock=clock, notice=print)
        try:
            responses, updates = converse(assistant, clock, TURNS)
        finally:
            assistant.close()
    print(f"| one turn, the last 20 of {TURNS} | median | largest |\n|---|---:|---:|")
    for name, unit, values in (
        ("response stage without the model", "ms", responses[-20:]),
        ("update stage without the model", "ms", updates[-20:]),
        ("prompt before the retrieval", "tokens", engine.read[0::2][-20:]),
        ("prompt after the retrieval", "tokens", engine.read[1::2][-20:]),
    ):
        print(f"| {name} | {statistics.median(values):.0f} {unit} | {max(values):.0f} {unit} |")
    print("\n| memories | steps of SQLite a turn | rows | passes of an encoder |\n|---:|---:|---:|---:|")
    for memories in GROWN:
        with tempfile.TemporaryDirectory(prefix="persona-turn-") as home:
            places = find_places(env={"PERSONA_HOME": home})
            filled(places, memories)
            done = talked(places, COUNTED)
        print(f"| {memories:,} | {done.steps:,} | {done.rows:,} | {done.passes:,} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
