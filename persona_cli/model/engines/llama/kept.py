"""A lane's evaluated prompt kept across runs of the program.

On two cores a 3B model evaluates 55 tokens a second and a 7B model half of that, while reading the state back takes
milliseconds: a conversation that goes on in a new process is answered at once instead of after half a minute. What is
kept is the text of the prompt in another form, so it lies in the user's own directory and goes when a memory is
forgotten; a process that was in the middle of a conversation then keeps nothing of it.
"""

from __future__ import annotations

import ctypes
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp

from persona_cli.model.engines.llama.native import Context
from persona_cli.model.engines.llama.sequence import Item, Lane
from persona_cli.model.engines.llama.vision import VisionPicture

LEAST_TOKENS = 200
"""A shorter prompt is evaluated again sooner than it is worth a file."""

_STALE = 60.0
"""Seconds after which nobody is still writing a file: a state takes some."""


@dataclass(frozen=True, slots=True)
class KeptLane:
    """Where a lane's state is kept, and what it must have been made with to be taken back."""

    path: Path
    identity: str
    most_bytes: int = 2**30

    def save(self, lane: Lane, context: Context) -> bool:
        """Write the state of `lane`; False where it is too short or too large to be worth it."""
        size = int(llama_cpp.llama_state_seq_get_size(context.pointer, lane.number))
        if len(lane.held) < LEAST_TOKENS or size > self.most_bytes:
            self.drop()
            return False
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self.path.with_suffix(".part")
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        none = (llama_cpp.llama_token * 1)()
        written = llama_cpp.llama_state_seq_save_file(context.pointer, os.fsencode(part), lane.number, none, 0)
        if not written:
            part.unlink()
            return False
        # the list goes last: a state without its list is not taken back
        self._list.unlink(missing_ok=True)
        try:
            part.replace(self.path)
            self._write_list([_plain(item) for item in lane.held])
        except FileNotFoundError:
            # a memory was forgotten at this moment, and the words went with it
            self.drop()
            return False
        return True

    def load(self, lane: Lane, context: Context) -> bool:
        """Fill an empty `lane` from the file; False where there is none, or it was made with something else."""
        self.clear_up()
        items = self._read_list()
        if not items or not self.path.exists() or sum(_size(item) for item in items) > context.tokens:
            return False
        count = ctypes.c_size_t()
        none = (llama_cpp.llama_token * 1)()
        read = llama_cpp.llama_state_seq_load_file(
            context.pointer, os.fsencode(self.path), lane.number, none, 1, ctypes.byref(count)
        )
        if not read:
            lane.clear(context)
            self.drop()
            return False
        lane.hold([_item(item) for item in items])
        return True

    def forgotten(self) -> int:
        """Return when a memory was forgotten last, 0 for never: what was evaluated before then is not to be kept."""
        try:
            return self.path.with_suffix(".forgotten").stat().st_mtime_ns
        except OSError:
            return 0

    def clear_up(self) -> None:
        """Delete what a process that was killed while it wrote has left: it is of no use, and as personal."""
        for part in (self.path.with_suffix(".part"), self._list.with_suffix(".json-part")):
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _STALE:
                    part.unlink()

    def drop(self) -> None:
        """Delete what is kept."""
        self._list.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    @property
    def _list(self) -> Path:
        return self.path.with_suffix(".json")

    def _write_list(self, items: list[Any]) -> None:
        part = self._list.with_suffix(".json-part")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"identity": self.identity, "items": items}, file)
        part.replace(self._list)

    def _read_list(self) -> list[Any]:
        try:
            kept = json.loads(self._list.read_text())
            items: list[Any] = kept["items"] if kept["identity"] == self.identity else []
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return items


def _plain(item: Item) -> int | list[str | int]:
    return [item.hash, item.tokens, item.positions] if isinstance(item, VisionPicture) else item


def _item(plain: Any) -> Item:
    if isinstance(plain, int):
        return plain
    digest, tokens, positions = plain
    # it is only compared and counted; a picture that has to be evaluated again comes from the prompt
    return VisionPicture(digest, tokens, positions, (), (), chunk=None, owner=None)


def _size(plain: Any) -> int:
    return 1 if isinstance(plain, int) else int(plain[1])
