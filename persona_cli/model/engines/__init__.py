"""The lower protocol: an `Engine` turns messages into a stream of text and counts tokens; it knows no tasks.

Engines treat every text part as plain text: special tokens of a chat template that a user or a memory
happens to contain are never parsed as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from persona_cli.model.tasks import Fact, Stop
from persona_cli.records import PictureSource


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture within a message."""

    source: PictureSource
    hash: str
    """SHA-256 of its bytes: what an engine may cache its embedding by."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one side says: text and pictures in the order they are read."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[str | ImagePart, ...]

    @property
    def text(self) -> str:
        """Return the words alone."""
        return "".join(part for part in self.parts if isinstance(part, str))


class Engine(Protocol):
    """A language model as a stream of text; calls may raise `EngineError` or `ContextError`."""

    @property
    def name(self) -> str:
        """Return the name of the weights or of the model a server runs."""
        ...

    @property
    def context(self) -> int:
        """Return how many tokens prompt and reply may have together."""
        ...

    @property
    def sees(self) -> bool:
        """Tell whether messages may have pictures."""
        ...

    def about(self) -> tuple[Fact, ...]:
        """Return what the weights run on and how, for `--verbose`."""
        ...

    def count(self, content: Sequence[Message] | str) -> int:
        """Return the tokens of a text, or of messages with their template and pictures."""
        ...

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
        """Yield the reply in pieces, greedily, at most `limit` tokens; raise `Interrupted` once `stop()` is true.

        A `penalty` above 1 makes less likely what this reply has said already; an engine without one ignores it.

        `grammar` is GBNF with the root `root`; an engine without grammars ignores it. Calls of one `lane`
        share a prefix worth keeping; another lane does not throw it away.
        """
        ...

    def close(self) -> None:
        """Free the weights."""
        ...


@runtime_checkable
class Timed(Protocol):
    """An engine that measures itself; tokens a second, None before there is enough to tell by."""

    @property
    def prompt_speed(self) -> float | None:
        """Return how many tokens of prompts it evaluates in a second."""
        ...

    @property
    def reply_speed(self) -> float | None:
        """Return how many tokens of replies it writes in a second."""
        ...
