"""Headings for tags: a model that writes "## Answer" where it was asked for `<answer>` means the same.

Only a heading in Markdown with one of a few names, alone in its line or before the text, and only before the answer has
begun: what an answer itself has headings for is its own affair.
"""

from __future__ import annotations

import re

_NAMES = {
    "think": "think", "thinking": "think", "thought": "think", "thoughts": "think", "reasoning": "think",
    "answer": "answer", "final answer": "answer", "response": "answer", "reply": "answer",
    "retrieve": "retrieve", "retrieval": "retrieve", "search": "retrieve",
}  # fmt: skip
_HEADING = re.compile(
    rf"(?:#{{1,6}}\s*|\*\*\s*)+({'|'.join(_NAMES)})\b\s*:?\s*\**\s*:?[ \t]*(.*)", re.IGNORECASE | re.DOTALL
)
_LONGEST = 80
"""Characters after which a line is no heading any more, so that nothing is held back for long."""


class Headings:
    """Passes text on, at most a line at a time, with the headings in it turned into tags."""

    def __init__(self) -> None:
        self._line = ""
        self._fresh = True
        self._open = ""

    def feed(self, part: str) -> str:
        """Return what is certain of the text so far: the beginning of a line that may become a heading waits."""
        if not self._line and not (self._fresh and part.lstrip(" ").startswith(("#", "*"))):
            self._fresh = part.endswith("\n")
            return part
        self._line += part
        if not self._line.endswith("\n") and len(self._line) < _LONGEST:
            return ""
        self._fresh = self._line.endswith("\n")
        return self.finish()

    def finish(self) -> str:
        """Return what still waits."""
        line = self.give_up()
        return self._turned(line) if line else ""

    def give_up(self) -> str:
        """Return what still waits as it was written."""
        line, self._line = self._line, ""
        return line

    def _turned(self, line: str) -> str:
        heading = _HEADING.fullmatch(line.lstrip(" "))
        if heading is None:
            return line
        closed = f"</{self._open}>" if self._open else ""
        self._open = _NAMES[heading[1].lower()]
        return f"{closed}<{self._open}>{heading[2]}"
