"""What is trained on: conversations for SFT (`sft.jsonl`), questions about a memory for GRPO (`rl.jsonl`).

A line of `sft.jsonl` is {"messages": [{"role", "content"}, …], "images": [path, …], "task": word}: a picture stands as
"<image>" where it is seen, paths are relative to the file. A line of `rl.jsonl` names the home of a person, what is
asked there and when, and the right answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona_cli.errors import TransferError

if TYPE_CHECKING:
    from datasets import Dataset

MARK = "<image>"
ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One conversation; the loss falls on what the assistant says in it."""

    messages: tuple[Said, ...]
    images: tuple[Path, ...] = ()
    task: str = ""


def read_lessons(file: Path) -> tuple[TrainingRow, ...]:
    """Return the conversations of a file; raises `TransferError` that names the line."""
    lessons = tuple(_lesson(file, number, body) for number, body in read_lines(file))
    if not lessons:
        raise TransferError(f"{file} is empty", fix="Make conversations first: persona synth.")
    return lessons


def read_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the lines of a JSONL file with their numbers."""
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, json.loads(line)
    except OSError as exc:
        raise TransferError(f"{file} cannot be read: {exc.strerror or exc}", fix="Name a file in JSONL.") from exc
    except ValueError as exc:
        raise TransferError(f"{file} is no JSONL: {exc}", fix="Each line has one JSON object.") from exc


def talks(lessons: Sequence[TrainingRow], *, sees: bool) -> Dataset:
    """Return the conversations as TRL takes them: words alone, or for a model that sees parts and pictures."""
    from datasets import Dataset, Image, List

    if not sees:
        words = [{"messages": [_plain(said) for said in lesson.messages]} for lesson in lessons if not lesson.images]
        return Dataset.from_list(words)
    rows = [
        {
            "messages": [{"role": said.role, "content": parts(said.content)} for said in lesson.messages],
            "images": [str(path) for path in lesson.images],
        }
        for lesson in lessons
    ]
    return Dataset.from_list(rows).cast_column("images", List(Image()))


def parts(content: str) -> list[dict[str, str | None]]:
    """Return a text as parts, a picture where each mark stands."""
    pieces: list[dict[str, str | None]] = []
    for place, words in enumerate(content.split(MARK)):
        if place:
            pieces.append({"type": "image", "text": None})
        if words:
            pieces.append({"type": "text", "text": words})
    return pieces


def _plain(said: Said) -> dict[str, str]:
    return {"role": said.role, "content": said.content}


def _lesson(file: Path, number: int, body: Any) -> TrainingRow:
    try:
        messages = tuple(Said(str(said["role"]), str(said["content"])) for said in body["messages"])
        images = tuple((file.parent / path).resolve() for path in body.get("images") or ())
        task = str(body.get("task", ""))
    except (KeyError, TypeError, AttributeError) as exc:
        raise _wrong(file, number, "has no messages with role and content") from exc
    if not any(said.role == "assistant" for said in messages) or any(said.role not in ROLES for said in messages):
        raise _wrong(file, number, "needs messages of user and assistant")
    if (marks := sum(said.content.count(MARK) for said in messages)) != len(images):
        raise _wrong(file, number, f"has {marks} times {MARK} and {len(images)} pictures")
    if missing := next((path for path in images if not path.is_file()), None):
        raise _wrong(file, number, f"shows {missing}, which is not there")
    return TrainingRow(messages, images, task)


def _wrong(file: Path, number: int, what: str) -> TransferError:
    return TransferError(f"line {number} of {file} {what}", fix="docs/training.md says what a line has.")
