"""`persona why`: how an answer came about, and what became of its turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.memory_lines import print_hit, say, say_under, spent_words, window_words
from persona_cli.cli.render import day
from persona_cli.cli.scores import print_legend, sum_of
from persona_cli.errors import UsageError
from persona_cli.personality import manner
from persona_cli.records import Hit, Image, Kind, Recall, Ref, SemanticMemory, Topic
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.agent.why import SearchMade, Why


def why(
    context: typer.Context,
    turn: Annotated[str | None, typer.Argument(metavar="TURN", help="A turn, m12; the last one if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain an answer: what was searched, what was found and how it scored, what was remembered of the turn."""
    from persona_cli.agent.why import explain
    from persona_cli.cli.render import print_json

    run = invocation(context)
    with run.store(reading=True) as store:
        found = explain(store, parse_turn(turn))
        if as_json:
            print_json(found)
        else:
            print_why(run, found)


def print_why(run: Invocation, found: Why) -> None:
    """Print an explanation in sentences."""
    say(run, f"Turn m{found.turn.id}, {day(found.turn.at)}, answered by {found.turn.model}", "bold")
    say(run, f"You: {found.turn.user}")
    for number, image in enumerate(found.turn.images, 1):
        say(run, f"Picture {number}: {image.width} x {image.height}, {described(image)}")
    say(run, f"persona: {found.turn.answer}")
    for number, search in enumerate(found.searches, 1):
        _print_search(run, number, search)
    if found.thought:
        say(run, f"Thought: {found.thought}", "dim")
    for spent in found.spent:
        say(run, f"Prompt: {spent_words(spent)}")
    for notice in found.notices:
        say(run, f"Note: {notice}")
    print_legend(run, [row.hit for search in found.searches if search.recall for row in _rows(search.recall)])
    _print_tone(run, found)
    say(run, "What became of this turn", "bold")
    for line in list(_outcome(found)) or ["nothing was kept of it but the words"]:
        say(run, f"  {line}")


def _print_tone(run: Invocation, found: Why) -> None:
    if found.traits is None:
        return
    say(run, "Tone", "bold")
    heard = manner(found.traits)
    asked = [f"{name} {found.traits[name]:.1f} asks for a tone that is {words}" for name, words in heard.items()]
    say(run, f"  {'; '.join(asked) or 'your traits were close to neutral and asked for none'}")
    if found.untoned:
        say(run, f"  with neutral traits the answer would be: {found.untoned}")


def _outcome(found: Why) -> Iterator[str]:
    for memory in found.remembered:
        yield f"remembered s{memory.id}: {memory.content}"
    yield from _rulings(found)
    for reading in found.readings:
        for name, before in reading.before:
            if reading.after[name] != before:
                inferred, after = reading.inferred[name], reading.after[name]
                yield f"{name} {before:.2f} to {after:.2f}: read as {inferred:.1f}, weight {1 - reading.momentum:.2f}"
    for episode in found.episodes:
        yield f"part of e{episode.id}: {episode.summary}"
    for job in found.jobs:
        if job.state.value != "done":
            yield f"{job.task.value}: {job.state.value} {job.error}".rstrip()


def _rulings(found: Why) -> Iterator[str]:
    """Yield what the turn ended and what of it was refused, each with the rule that did."""
    for change in found.ended:
        if isinstance(change.after, SemanticMemory):
            yield f"ended s{change.after.id}: {change.after.content} (ended by: {change.rule})"
    for refusal in found.refused:
        yield f"refused “{refusal.content}”: {refusal.reason} (rule: {refusal.rule})"


def _print_search(run: Invocation, number: int, search: SearchMade) -> None:
    if search.thought:
        say(run, f"Thought: {search.thought}", "dim")
    say(run, f"Search {number}: {search.retrieve.keywords or '(forgotten)'}", "bold")
    if search.recall is None:
        say(run, "  the answer ended before anything came back")
        return
    recall = search.recall
    if recall.window is not None:
        say(run, f"  time: {window_words(recall.window)}, from {recall.window_source}")
    for note in recall.notes:
        say(run, f"  note: {note}")
    if recall.empty:
        say(run, "  found nothing; what was said within the last hour is not searched, it is before the model anyway")
    for row in _rows(recall):
        print_hit(run, row.hit.ref, row.at, row.words)
        say_under(run, sum_of(row.hit))


@dataclass(frozen=True, slots=True)
class _Row:
    hit: Hit[object]
    at: datetime
    words: str


def _rows(recall: Recall) -> list[_Row]:
    rows = [_Row(hit, hit.memory.recorded_at, hit.memory.content) for hit in recall.semantic]
    for topic in recall.episodic:
        episode = topic.hit.memory
        rows.append(_Row(topic.hit, episode.started_at, f"{episode.summary} ({_turns(topic)})"))
    rows += [_Row(hit, hit.memory.recorded_at, hit.memory.text) for hit in recall.procedural]
    for image in recall.images:
        rows.append(_Row(image.hit, image.hit.memory.added_at, described(image.hit.memory)))
    return rows + [_Row(hit, hit.memory.at, hit.memory.user) for hit in recall.messages]


def described(image: Image) -> str:
    """Return what a picture shows and who says so; its name where nobody does."""
    if not image.caption:
        return f"picture {image.hash[:12]}"
    return f"“{image.caption}” ({f'as {image.caption_by} describes it' if image.caption_by else 'in your words'})"


def _turns(topic: Topic) -> str:
    return f"{counted(len(topic.turns), 'messages')} shown"


def parse_turn(name: str | None) -> int | None:
    """Return the id of a turn a person named, m12 or 12; None stands for the last."""
    if name is None:
        return None
    try:
        ref = Ref.parse(name if not name.isdigit() else f"m{name}")
    except ValueError as exc:
        raise UsageError(f"{name!r} is no turn", fix="Turns look like m12.") from exc
    if ref.kind is not Kind.MESSAGE:
        raise UsageError(f"{name} is no turn", fix="Turns look like m12.")
    return ref.id
