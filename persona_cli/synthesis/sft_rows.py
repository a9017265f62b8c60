"""Lessons as rows of training files: the program's own form, LLaVA's, and ms-swift's.

    own      {"task", "messages": [{"role", "content"}], "images": [...], "person", "turn", "act"}   what TRL reads
    LLaVA    a list of {"conversations": [{"from": "human" | "gpt", "value"}], "image": [...]}, text without "image"
    ms-swift {"messages": [...], "images": [...]}

A picture stands as "<image>" in the text, and its file, relative to the folder, in the list beside it. In every form
all messages of the assistant are to be learnt, and nothing else is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from persona_cli.model.engines import ImagePart, Message
from persona_cli.synthesis.lessons import Lesson, Stage

IMAGE = "<image>"
PER_TURN = frozenset({Stage.RESPONSE, Stage.PERSONALITY, Stage.SEMANTIC})


@dataclass(frozen=True, slots=True)
class SftRow:
    """One conversation to learn from."""

    task: str
    messages: tuple[Mapping[str, str], ...]
    images: tuple[str, ...]
    person: str
    turn: str
    act: str
    same: str

    @property
    def telling(self) -> bool:
        """Tell whether its reply finds something: a trait, a memory, a habit."""
        reply = self.messages[-1]["content"]
        if self.task == Stage.PERSONALITY:
            return any(not line.endswith(": 3") for line in reply.splitlines())
        return reply != "null" and '"decision": false' not in reply

    def as_own(self) -> dict[str, Any]:
        """Return the program's own form."""
        fields = asdict(self)
        del fields["same"]
        return fields

    def as_llava(self) -> dict[str, Any]:
        """Return LLaVA's form; "image" is absent where there is no picture."""
        sides = {"user": "human", "assistant": "gpt", "system": "system"}
        talk = [{"from": sides[message["role"]], "value": message["content"]} for message in self.messages]
        return {"conversations": talk, **({"image": list(self.images)} if self.images else {})}

    def as_swift(self) -> dict[str, Any]:
        """Return ms-swift's form."""
        return {"messages": list(self.messages), **({"images": list(self.images)} if self.images else {})}


def row_of(lesson: Lesson, relative: Callable[[Path], str]) -> SftRow:
    """Return a lesson as a row; `relative` names a picture as the files do."""
    messages = tuple({"role": str(message.role), "content": _content(message)} for message in lesson.messages)
    parts = [part for message in lesson.messages for part in message.parts if isinstance(part, ImagePart)]
    images = tuple(relative(part.source) for part in parts if isinstance(part.source, Path))
    told = lesson.said if lesson.stage in PER_TURN else lesson.messages[0].text
    same = f"{lesson.stage}|{told.casefold()}|{lesson.reply}"
    return SftRow(lesson.stage.value, messages, images, lesson.person, lesson.turn, lesson.act, same)


def read_row(fields: Mapping[str, Any]) -> SftRow:
    """Return the row that `asdict` made."""
    return SftRow(**{**fields, "messages": tuple(fields["messages"]), "images": tuple(fields["images"])})


def write_all(rows: Iterable[SftRow], folder: Path) -> None:
    """Write the rows in all three forms into a folder."""
    rows = list(rows)
    write_lines(folder / "sft.jsonl", (row.as_own() for row in rows))
    write_lines(folder / "sft-swift.jsonl", (row.as_swift() for row in rows))
    text = json.dumps([row.as_llava() for row in rows], ensure_ascii=False, indent=1)
    (folder / "sft-llava.json").write_text(text + "\n", encoding="utf-8")


def write_lines(path: Path, rows: Iterable[object]) -> None:
    """Write JSON Lines; the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    part.replace(path)


def _content(message: Message) -> str:
    """Return the text of a message with a mark for each picture; such a mark in the user's words is taken apart."""
    return "".join(IMAGE if isinstance(part, ImagePart) else part.replace(IMAGE, "< image>") for part in message.parts)
