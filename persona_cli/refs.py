"""How a memory is named: kind and row id in one short word ("s12"), which people type and explanations print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a memory is; a message is a verbatim turn, an image a picture the user showed."""

    CORE = "core"
    SEMANTIC = "semantic"
    EPISODIC = "episodic"
    PROCEDURAL = "procedural"
    MESSAGE = "message"
    IMAGE = "image"


_LETTERS = {
    Kind.CORE: "c",
    Kind.SEMANTIC: "s",
    Kind.EPISODIC: "e",
    Kind.PROCEDURAL: "p",
    Kind.MESSAGE: "m",
    Kind.IMAGE: "i",
}


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A memory of any kind by its row id; reads and prints as one word, "s12"."""

    kind: Kind
    id: int

    def __str__(self) -> str:
        return f"{_LETTERS[self.kind]}{self.id}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Return the reference that `text` prints as; raises ValueError for anything else."""
        match = re.fullmatch(r"([csepmi])(\d{1,18})", text.strip().lower())
        if match is None:
            raise ValueError(f"{text!r} is no memory; they look like s12, e3, p4, c2, m120 or i7")
        kind = next(kind for kind, letter in _LETTERS.items() if letter == match[1])
        return cls(kind, int(match[2]))
