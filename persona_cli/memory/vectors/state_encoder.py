"""The encoders that reading and judging look at: all-MiniLM-L6-v2 with an adapter, states in place of vectors.

An adapter (models/reading, models/answers, a megabyte or two: two narrow matrices for each wide one) is added to the
packaged weights once per home; so each has an encoder fitted to it, and the wheel carries no second one of 23 MB. The
file lies beside those of `minilm` under a name that tells the adapter, so that a newer one makes a newer file.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from persona_cli.errors import EngineError, WeightsError
from persona_cli.memory.vectors.minilm import CLS, SEP, open_session, open_tokenizer, run
from persona_cli.memory.vectors.minilm_files import LAYOUT, LONGEST, NAME, Graph, Tensors, graph, vocabulary
from persona_cli.paths import shipped
from persona_cli.reading.encoder import Part, Passage
from persona_cli.reading.heads import FOLDER

if TYPE_CHECKING:
    from onnx import ModelProto
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

ADAPTER = "adapter.npz"
_KEPT, _KEPT_CHARACTERS = 16, 2_000
"""Passages whose states are kept, and how long one may be: a message is read by itself and after those before it."""
_PAIR = (LONGEST - 2) // 2
"""Most pieces of each of two sentences with the mark behind it: a pair is looked at in one pass."""


class StateEncoder:
    """The encoder in memory, loaded when it is first needed; any thread may call it."""

    def __init__(
        self, weights: Path, notice: Callable[[str], None], adapter: Path | None = None, *,
        folder: str = FOLDER, keep: bool = True,
    ) -> None:  # fmt: skip
        """Take the adapter that ships in a `folder` of the models, or another one for the same purpose."""
        self._weights = weights
        self._keep = keep
        self._notice = notice
        self._folder = folder
        self._adapter = adapter or shipped(folder) / ADAPTER
        self._lock = threading.Lock()
        self._session: InferenceSession | None = None
        self._tokenizer: Tokenizer | None = None
        self._known: OrderedDict[tuple[str, ...], Passage] = OrderedDict()
        self._closed = False

    def encode(self, passages: Sequence[Sequence[str]]) -> tuple[Passage, ...]:
        """Return the states of each passage: [CLS] sentence [SEP] sentence [SEP], cut where a sentence is too long."""
        return tuple(self._once(tuple(passage)) for passage in passages)

    def close(self) -> None:
        """Free the weights; closing twice is allowed."""
        with self._lock:
            self._closed = True
            self._session = None
            self._known.clear()

    def _once(self, passage: tuple[str, ...]) -> Passage:
        session, tokenizer = self._opened()
        with self._lock:
            if (known := self._known.get(passage)) is not None:
                self._known.move_to_end(passage)
                return known
        seen = _encode(session, [_pieces(tokenizer, text) for text in passage])
        if sum(map(len, passage)) <= _KEPT_CHARACTERS:
            with self._lock:
                self._known[passage] = seen
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return seen

    def _opened(self) -> tuple[InferenceSession, Tokenizer]:
        with self._lock:
            if self._closed:
                raise EngineError("the encoder has been closed")
            if self._session is None:
                self._session = open_session(
                    states_graph(self._weights, self._adapter, self._notice, folder=self._folder, keep=self._keep)
                )
            if self._tokenizer is None:
                self._tokenizer = open_tokenizer(vocabulary())
            return self._session, self._tokenizer


def adapted(weights: Path, adapter: Path, notice: Callable[[str], None], folder: str = FOLDER) -> Path:
    """Return the file with the adapted weights, made now if it is not there; those of other adapters are deleted."""
    path = states_graph(weights, adapter, notice, folder=folder, keep=True)
    assert isinstance(path, Path)
    return path


def states_graph(
    weights: Path, adapter: Path, notice: Callable[[str], None], *, folder: str = FOLDER, keep: bool
) -> Graph:
    """Return the same to be opened: without `keep`, or where no file can be made, the graph itself."""
    try:
        digest = hashlib.sha256(adapter.read_bytes()).hexdigest()[:8]
    except OSError as exc:
        raise WeightsError(
            f"{adapter} cannot be read: {exc.strerror}", fix="Install persona-cli again: its files are incomplete."
        ) from exc
    path = weights / f"{NAME}.{folder}.{LAYOUT}.{digest}.onnx"
    fresh = not path.exists()

    def build(tensors: Tensors) -> ModelProto:
        from persona_cli.memory.vectors import minilm_graph

        with np.load(adapter, allow_pickle=False) as stored:
            return minilm_graph.states(_added(tensors, stored), LONGEST, int(stored["layers"]))

    found = graph(path, build, notice, keep=keep)
    if fresh and found == path:
        for other in weights.glob(f"{NAME}.{folder}.*"):
            if not other.name.startswith(path.stem):
                with suppress(OSError):  # Windows deletes nothing that an older persona still runs from
                    other.unlink()
    return found


def _added(tensors: Tensors, adapter: Tensors) -> Tensors:
    """Return the tensors with the product of the two narrow matrices added to each that has them."""
    changed = {
        name.removesuffix(".up"): adapter[name].astype(np.float32)
        @ adapter[f"{name.removesuffix('.up')}.down"].astype(np.float32)
        for name in adapter
        if name.endswith(".up")
    }
    return {name: tensor + changed[name] if name in changed else tensor for name, tensor in tensors.items()}


def _pieces(tokenizer: Tokenizer, text: str) -> Encoding:
    # a lone surrogate, as a terminal may deliver it, is no text; a "?" in its place leaves the others where they are
    return tokenizer.encode(text.encode("utf-8", errors="replace").decode("utf-8"))


def _encode(session: InferenceSession, sentences: Sequence[Encoding]) -> Passage:
    start, parts = np.zeros(0, dtype=np.float32), []
    for together in _passes(sentences, cut=_PAIR if len(sentences) == 2 else LONGEST - 2):
        ids = [CLS, *(piece for kept, _ in together for piece in (*kept, SEP))]
        states = run(session, "states", {"ids": np.array([ids], dtype=np.int64)})[0]
        start = start if len(start) else states[0]
        place = 1
        for kept, offsets in together:
            end = place + len(kept)
            parts.append(Part(states[place:end], np.array(offsets, dtype=np.int64).reshape(-1, 2), states[end]))
            place = end + 1
    return Passage(start, tuple(parts))


def _passes(sentences: Sequence[Encoding], cut: int) -> Iterator[list[tuple[list[int], list[tuple[int, int]]]]]:
    """Share sentences out among passes, in order: as many in one as there are places for, each cut at `cut` pieces."""
    together: list[tuple[list[int], list[tuple[int, int]]]] = []
    room = LONGEST - 1
    for sentence in sentences:
        kept = sentence.ids[: cut - 1]
        if together and len(kept) + 1 > room:
            yield together
            together, room = [], LONGEST - 1
        together.append((kept, sentence.offsets[: cut - 1]))
        room -= len(kept) + 1
    if together:
        yield together
