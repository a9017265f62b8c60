"""A reply as it streams: thinking, then an answer or a retrieval, told apart token by token.

`ReplyParser` is fed pieces of text and returns what can be shown at once. It never shows part of a tag, and
holds back the end of a piece for as long as that could still become one.
"""

from __future__ import annotations

from datetime import tzinfo

from persona_cli.errors import FormatError
from persona_cli.model.parsing import parse_retrieve
from persona_cli.records import Answer, AnswerDelta, Piece, Retrieve, Think, ThinkDelta

_TAGS = ("think", "answer", "retrieve")


class ReplyParser:
    """Reads `<think>...</think>` and then `<answer>...</answer>` or `<retrieve>...</retrieve>`."""

    def __init__(self, zone: tzinfo | None, *, answer_only: bool = False, thought: bool = False) -> None:
        self._zone = zone
        self._answer_only = answer_only
        self._inside = ""
        self._waiting = ""
        self._texts = dict.fromkeys(_TAGS, "")
        self._space = ""
        self._closed: set[str] = set()
        self._outside = ""
        self._second = thought
        # a second attempt has shown its thought already, an answer alone shows none
        self._thought = thought or answer_only

    @property
    def thought(self) -> str:
        """Return the thinking so far."""
        return self._texts["think"]

    def feed(self, piece: str) -> list[Piece]:
        """Return what the next piece of text lets be shown."""
        self._waiting += piece
        shown: list[Piece] = []
        while self._step(shown):
            pass
        return shown

    def finish(self) -> list[Piece]:
        """Return the whole thought and what was decided; raises `FormatError` for a broken reply.

        A reply cut off inside its answer is an answer; one cut off before it has decided is broken.
        """
        shown: list[Piece] = []
        if not (self._inside and self._waiting.startswith("</")):
            self._show(self._waiting, shown)
        self._waiting = ""
        if not self._thought:
            shown.append(self._end_thought())
        decision = self._decision(shown)
        return [*shown, decision]

    def _step(self, shown: list[Piece]) -> bool:
        """Take one tag, or the text before it, off the waiting text; False when more is needed."""
        tags = (
            (f"</{self._inside}>",) if self._inside else tuple(f"<{tag}>" for tag in _TAGS if tag not in self._closed)
        )
        at, tag = min(((self._waiting.find(tag), tag) for tag in tags if tag in self._waiting), default=(-1, ""))
        if at < 0:
            keep = max((_overlap(self._waiting, tag) for tag in tags), default=0)
            cut = len(self._waiting) - keep
            self._show(self._waiting[:cut], shown)
            self._waiting = self._waiting[cut:]
            return False
        self._show(self._waiting[:at], shown)
        self._waiting = self._waiting[at + len(tag) :]
        self._turn(tag, shown)
        return True

    def _turn(self, tag: str, shown: list[Piece]) -> None:
        self._space = ""
        if self._inside:
            self._closed.add(self._inside)
            if self._inside == "think" and not self._thought:
                shown.append(self._end_thought())
            self._inside = ""
            return
        self._inside = tag.strip("<>")
        if self._inside != "think" and not self._thought:
            shown.append(self._end_thought())

    def _show(self, text: str, shown: list[Piece]) -> None:
        if not self._inside:
            self._outside += text
            return
        whole = self._space + text if self._texts[self._inside] else text.lstrip()
        text = whole.rstrip()
        self._space = whole[len(text) :]
        if not text or (self._inside == "answer" and "retrieve" in self._closed):
            return
        self._texts[self._inside] += text
        if self._inside == "think" and not self._thought:
            shown.append(ThinkDelta(text))
        elif self._inside == "answer":
            shown.append(AnswerDelta(text))

    def _end_thought(self) -> Think:
        self._thought = True
        self._closed.add("think")
        return Think(self._texts["think"])

    def _decision(self, shown: list[Piece]) -> Answer | Retrieve:
        if self._texts["answer"]:
            return Answer(self._texts["answer"])
        if "retrieve" in self._closed or self._inside == "retrieve":
            if not self._answer_only:
                return parse_retrieve(self._texts["retrieve"], self._zone, timeless=self._second)
            raise FormatError("There is no retrieval left: answer between <answer> and </answer>.")
        if self._answer_only and self._outside.strip():
            text = self._outside.strip()
            shown.append(AnswerDelta(text))
            return Answer(text)
        if self._inside == "think":
            raise FormatError("The thinking does not end: close it with </think>, then answer or retrieve.")
        raise FormatError("There is neither <answer>...</answer> with words in it nor <retrieve>...</retrieve>.")


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` could be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
