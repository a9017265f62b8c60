"""What a time phrase is, once it has been understood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from persona_cli.records import Window

Direction = Literal["past", "future", "any"]


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """Words that name a stretch of time, where they stand in the text, and the stretch they name."""

    text: str
    start: int
    end: int
    """Character span in the text: text[start:end] are the words."""
    window: Window
    soft: timedelta
    """How far outside the window still counts: hours for "yesterday", weeks for "recently"."""
    direction: Direction
    """Which way the words, or the tense around them, point; "any" when neither tells."""
    repeating: bool = False
    """True for "every Thursday": the window is the next occurrence, or open where there is none to name."""

    @property
    def wide(self) -> Window:
        """The window with its softness on both sides: what a search should let through."""
        start, end = self.window.start, self.window.end
        return Window(start and start - self.soft, end and end + self.soft)
