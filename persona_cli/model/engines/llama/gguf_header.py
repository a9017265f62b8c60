"""The head of a GGUF file without its weights: what is asked of it, read where it lies.

A vocabulary of 152,000 entries makes up nearly all of a head. The format has no index, so it is stepped over, entry by
entry, without making a string of any: 0.05 s, where a reader that builds them takes 17 s.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from persona_cli.errors import WeightsError

Value = str | int | float | bool

_SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_MOST_KEYS, _MOST_TENSORS, _MOST_DIMENSIONS = 65_536, 1_000_000, 8
_LENGTH = struct.Struct("<Q")

BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
}  # fmt: skip
"""(elements, bytes) of a block of each tensor type; of a type that is not here a tensor has one byte at least."""


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a value lies: for an array, its elements and how many there are."""

    kind: int
    at: int
    count: int = -1
    """-1 for what is no array."""


class Header:
    """The metadata of a GGUF file; raises `WeightsError` for what is none, or is cut off before its last tensor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._view = _mapped(path)
        try:
            if self._view[:4] != b"GGUF":
                raise WeightsError(
                    f"{path.name} is no GGUF file", fix="Name a file that ends in .gguf, or export a checkpoint."
                )
            self._at = 4
            if self._number("I") not in (2, 3):
                raise WeightsError(f"{path.name} is of a GGUF version persona does not read", fix="Export it again.")
            self.tensors, keys = self._count(_MOST_TENSORS), self._count(_MOST_KEYS)
            self._fields = {self._text(): self._skip(self._number("I")) for _ in range(keys)}
            self._check_whole()
        except (struct.error, ValueError, IndexError, OverflowError) as exc:
            raise WeightsError(f"{path.name} is truncated or damaged", fix="Download or export it again.") from exc

    def get(self, key: str) -> Value | None:
        """Return a text or a number, None where there is none of that name."""
        field = self._fields.get(key)
        if field is None or field.count >= 0:
            return None
        self._at = field.at
        if field.kind == _TEXT:
            return self._text()
        return self._number(_SCALARS[field.kind])

    def text(self, key: str) -> str:
        """Return a text, "" where there is none."""
        value = self.get(key)
        return value if isinstance(value, str) else ""

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return the numbers of an array, or a number alone as one of it; () where there are none."""
        field = self._fields.get(key)
        if field is None or field.kind == _TEXT:
            return ()
        count = max(field.count, 1)
        return struct.unpack_from(f"<{count}{_SCALARS[field.kind]}", self._view, field.at)

    def number(self, key: str) -> int:
        """Return a whole number; raises `WeightsError` where there is none."""
        if not (found := self.numbers(key)):
            raise WeightsError(f"{self.path.name} has no {key}", fix="Download or export it again.")
        return int(found[0])

    def _number(self, code: str) -> int:
        """Return the number that stands here, and go behind it."""
        (value,) = struct.unpack_from(f"<{code}", self._view, self._at)
        self._at += struct.calcsize(code)
        return value  # type: ignore[no-any-return] # as the code says

    def _count(self, most: int) -> int:
        count = self._number("Q")
        if count > most:
            raise ValueError(count)
        return count

    def _text(self) -> str:
        length = self._count(len(self._view))
        text = self._view[self._at : self._at + length]
        if len(text) < length:
            raise ValueError(length)
        self._at += length
        return text.decode("utf-8", "replace")

    def _skip(self, kind: int) -> _Field:
        """Go behind the value that stands here, and return where it is."""
        if kind == _ARRAY:
            kind, count = self._number("I"), self._count(len(self._view))
            field = _Field(kind, self._at, count)
            self._at = self._behind_texts(count) if kind == _TEXT else self._at + count * _size(kind)
        else:
            field = _Field(kind, self._at)
            self._at = self._behind_texts(1) if kind == _TEXT else self._at + _size(kind)
        if self._at > len(self._view):
            raise ValueError(self._at)
        return field

    def _behind_texts(self, count: int) -> int:
        # the one loop that runs 300,000 times: nothing in it but the length of each
        view, at, length_at = self._view, self._at, _LENGTH.unpack_from
        for _ in range(count):
            at += 8 + length_at(view, at)[0]
        return at

    def _check_whole(self) -> None:
        """Raise ValueError where the file ends before its last tensor does, or has none."""
        ends = [self._tensor_end() for _ in range(self.tensors)]
        alignment = int((self.numbers("general.alignment") or (32,))[0]) or 32
        begin = -(-self._at // alignment) * alignment
        if not ends or begin + max(ends) > len(self._view):
            raise ValueError(begin)

    def _tensor_end(self) -> int:
        self._at = self._behind_texts(1)
        dimensions = self._number("I")
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError(dimensions)
        elements = 1
        for _ in range(dimensions):
            elements *= self._number("Q")
        block, size = BLOCKS.get(self._number("I"), (elements or 1, 1))
        return self._number("Q") + elements // block * size


def _size(kind: int) -> int:
    if kind not in _SCALARS:
        raise ValueError(kind)
    return struct.calcsize(_SCALARS[kind])


def _mapped(path: Path) -> mmap.mmap | bytes:
    try:
        if path.exists() and not path.is_file():
            # a pipe would be waited for without end
            raise WeightsError(f"{path} is no ordinary file", fix="Name a file that ends in .gguf.")
        with path.open("rb") as file:
            if not path.stat().st_size:
                return b""
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as exc:
        raise WeightsError(f"{path} cannot be read: {exc.strerror}", fix="Check the path and its permissions.") from exc
