"""The export for reading: one Markdown document with the profile, the memories, and the conversations by day."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TextIO

from persona_cli.cli.render import day
from persona_cli.cli.writer import escaped
from persona_cli.memory.store import Store
from persona_cli.records import SemanticMemory, Status, Turn


def write_markdown(store: Store, out: TextIO) -> None:
    """Write everything a person would want to read."""
    out.write("# What persona remembers\n")
    for part in (_profile(store), _facts(store), _topics(store), _conversations(store)):
        for line in part:
            out.write(escaped(line) + "\n")


def _profile(store: Store) -> Iterator[str]:
    yield "\n## Profile\n"
    for entry in store.core.current().entries:
        yield f"- **{entry.key}**: {entry.value}"
    yield "\n### Personality (1 to 5, 3 is neutral)\n"
    for name, score in store.readings.latest():
        yield f"- {name}: {score:.2f}"
    habits = store.habits.current()
    if habits:
        yield "\n### Habits and goals\n"
    for habit in habits:
        yield f"- {habit.text}"


def _facts(store: Store) -> Iterator[str]:
    facts = store.semantic.list(None)
    for title, statuses in (("Facts", {Status.ACTIVE}), ("What was true before", {Status.SUPERSEDED})):
        chosen = [fact for fact in facts if fact.status in statuses]
        if chosen:
            yield f"\n## {title}\n"
        for fact in reversed(chosen):
            yield from _fact(fact)


def _fact(fact: SemanticMemory) -> Iterator[str]:
    until = f", until {day(fact.valid_to)}" if fact.valid_to else ""
    yield f"- {fact.content} *(s{fact.id}, {day(fact.recorded_at)}{until})*"
    if fact.quote and fact.quote != fact.content:
        yield f"  > {' '.join(fact.quote.split())}"


def _topics(store: Store) -> Iterator[str]:
    episodes = store.episodes.list()
    if episodes:
        yield "\n## Topics\n"
    for episode in sorted(episodes, key=lambda one: one.started_at):
        turns = ", ".join(f"m{number}" for number in episode.turn_ids)
        yield f"- {day(episode.started_at)}: {episode.summary} *({turns})*"


def _conversations(store: Store) -> Iterator[str]:
    yield "\n## Conversations"
    for date, turns in groupby(store.turns.all(), key=lambda turn: turn.at.astimezone().date()):
        yield f"\n### {date.isoformat()}\n"
        for turn in turns:
            yield from _turn(turn)


def _turn(turn: Turn) -> Iterator[str]:
    pictures = "".join(f" [picture {image.hash[:12]}]" for image in turn.images)
    yield f"**You** ({turn.at.astimezone():%H:%M}, m{turn.id}){pictures}: {_inline(turn.user)}\n"
    yield f"**persona**: {_inline(turn.answer)}\n"


def _inline(text: str) -> str:
    return "  \n".join(text.splitlines())
