"""Choosing the next token: the most likely one, held to a grammar where there is one.

The grammar is asked about the single best token first and about the whole vocabulary only where it refuses, which
is rare and saves most of the grammar's cost (a vocabulary has 152,000 entries).
"""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import EngineError
from persona_cli.model.engines.llama.native import LoadedWeights, last_words

_REMEMBERED = 256
"""Tokens that a penalty looks back."""
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


def log_probability(logits: NDArray[np.float32], token: int) -> float:
    """Return the natural logarithm of a token's probability under the logits of the whole vocabulary."""
    wide = logits.astype(np.float64)
    most = wide.max()
    return float(wide[token] - most - np.log(np.exp(wide - most).sum()))


class Sampler:
    """Greedy choice under an optional GBNF grammar with the root `root`."""

    def __init__(self, weights: LoadedWeights, grammar: str | None, penalty: float = 1.0) -> None:
        self._grammar: Any = None
        self._penalty = penalty
        self._said: list[int] = []
        self._count = weights.tokens
        if grammar is not None:
            self._grammar = llama_cpp.llama_sampler_init_grammar(weights.vocabulary, grammar.encode(), b"root")
            if not self._grammar:
                raise EngineError(
                    f"the grammar is not valid: {last_words()}", fix="This is a fault of persona: report it."
                )

    def choose(self, logits: NDArray[np.float32]) -> int:
        """Return the most likely token the grammar allows, and move the grammar past it."""
        logits = self._penalised(logits)
        best = int(logits.argmax())
        if self._grammar is not None:
            if not self._allows(best, float(logits[best])):
                best = self._best_allowed(logits)
            llama_cpp.llama_sampler_accept(self._grammar, best)
        self._said.append(best)
        return best

    def close(self) -> None:
        """Free the grammar."""
        if self._grammar:
            llama_cpp.llama_sampler_free(self._grammar)
            self._grammar = None

    def _penalised(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits with what this reply has said already made less likely (Keskar et al. 2019)."""
        if self._penalty == 1.0 or not self._said:
            return logits
        said = np.unique(self._said[-_REMEMBERED:])
        punished = logits.copy()
        punished[said] = np.where(punished[said] > 0, punished[said] / self._penalty, punished[said] * self._penalty)
        return punished

    def _allows(self, token: int, logit: float) -> bool:
        one = np.array([(token, logit, 0.0)], dtype=_CANDIDATE)
        self._apply(one)
        return bool(np.isfinite(one["logit"][0]))

    def _best_allowed(self, logits: NDArray[np.float32]) -> int:
        candidates = np.zeros(self._count, dtype=_CANDIDATE)
        candidates["id"] = np.arange(self._count, dtype=np.int32)
        candidates["logit"] = logits
        self._apply(candidates)
        best = int(candidates["logit"].argmax())
        if not np.isfinite(candidates["logit"][best]):
            raise EngineError("the grammar allows no token here", fix="This is a fault of persona: report it.")
        return int(candidates["id"][best])

    def _apply(self, candidates: NDArray[Any]) -> None:
        pointer = candidates.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        array = llama_cpp.llama_token_data_array(pointer, len(candidates), -1, False)
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(array))
