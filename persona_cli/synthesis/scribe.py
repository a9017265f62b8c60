"""An engine that writes down what the program asks a model, and replies as the labels say.

Prompts are made by the program itself (`PromptedModel`), so what is trained on is, to the letter, what is asked later;
a label that breaks its format is a `FormatError` here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.tasks import Fact, Stop

LETTERS = 4
"""Of one token, about, in English: budgets are kept, whatever vocabulary is trained."""
PICTURE = 296
"""Tokens of a picture of 230,400 pixels with its two marks."""

Reply = Callable[[Sequence[Message]], str]


class Scribe:
    """An `Engine` without a model: `reply` makes the next reply of what it is asked, `calls` keeps both."""

    name = "scribe"
    sees = True

    def __init__(self, context: int) -> None:
        self.context = context
        self.reply: Reply = lambda _messages: ""
        self.calls: list[tuple[Message, ...]] = []
        """The messages of each call, the reply last."""

    def about(self) -> tuple[Fact, ...]:
        """Return what it is."""
        return (Fact("model", "replies as the labels say"),)

    def count(self, content: Sequence[Message] | str) -> int:
        """Return about how many tokens that is."""
        if isinstance(content, str):
            return -(-len(content) // LETTERS)
        parts = [part for message in content for part in message.parts]
        pictures = sum(isinstance(part, ImagePart) for part in parts)
        return 4 * len(content) + PICTURE * pictures + sum(self.count(part) for part in parts if isinstance(part, str))

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
        """Yield the reply of the labels, and keep what was asked with it."""
        said = self.reply(messages)
        self.calls.append((*messages, Message("assistant", (said,))))
        yield said

    def close(self) -> None:
        """Do nothing: there is nothing to free."""
