"""What an engine thinks of a given reply: not every engine tells, so it is a protocol of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from persona_cli.model.engines import Message


@runtime_checkable
class Weighs(Protocol):
    """An engine that tells how likely a reply is."""

    def likelihood(self, messages: Sequence[Message], reply: str) -> float | None:
        """Return the mean natural log-probability of a token of `reply` as the answer to `messages`.

        None where the server that runs it does not tell. Raises like `generate`.
        """
        ...
