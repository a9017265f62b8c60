"""How a model that follows no instructions takes part in choices: the built-in one quotes, it writes no letters.

Its free answer and what it recalled are the evidence. Of several options the one that the evidence supports most is
taken; a reply fits a person whose trait readings it shares. Reports name this, as it is no published protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from persona_cli.english.tokens import stems, supported
from persona_cli.personality import NEUTRAL, TRAITS, Traits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Embed = Callable[[Sequence[str]], NDArray[np.float32]]

_FIRST = 1.0
_FADING = 0.9
"""What a piece of evidence is worth against the one before it: the answer comes first, then hits, best first."""
_LOOKED_AT = 12
"""Pieces of evidence read: what is further down says little about the question."""


@dataclass(frozen=True, slots=True)
class Chooser:
    """The sentence embedding and the trait heads of the built-in model."""

    embed: Embed
    traits_of: Callable[[str], Traits]
    known: Callable[[], Traits]
    """The traits of the person as read so far."""

    def closest(self, question: str, options: Sequence[str], evidence: Sequence[str]) -> int:
        """Return the place of the option that the evidence supports most, by words it shares and by meaning."""
        pieces = [piece for piece in evidence if piece.strip()][:_LOOKED_AT]
        if not pieces:
            return 0
        asked = self.embed([f"{question} {option}" for option in options])
        shown = self.embed(pieces)
        near = asked @ shown.T
        words = [[self._share(option, piece) for piece in pieces] for option in options]
        worth = [_FIRST * _FADING**place for place in range(len(pieces))]
        scores = [
            max(weight * (float(near[row, column]) + words[row][column]) for column, weight in enumerate(worth))
            for row in range(len(options))
        ]
        return max(range(len(options)), key=scores.__getitem__)

    def fit(self, reply: str) -> float:
        """Return how far the traits shown in a reply agree with the person's: above 0 they do."""
        shown, known = self.traits_of(reply), self.known()
        return sum((known[name] - NEUTRAL) * (shown[name] - NEUTRAL) for name in TRAITS)

    def _share(self, option: str, piece: str) -> float:
        wanted = stems(option)
        return len(supported(wanted, piece)) / len(wanted) if wanted else 0.0
