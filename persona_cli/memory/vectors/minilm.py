"""all-MiniLM-L6-v2 through ONNX Runtime: one model for what is stored, a quicker one for what is asked.

What is stored is embedded in F32, in batches, as sentence-transformers does it (cosines above 0.99999) and quicker
than it. A question goes through the same weights in 8 bits: 1 to 2 ms instead of 3 to 6, at cosines of 0.98 to 0.995
with F32, which moves no recall that could be measured (benchmarks/LOG.md). Each model is loaded when it is first
needed, in a tenth of a second, so that a search by itself loads the small one alone. Word pieces come from
`tokenizers`, as in the original.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import EngineError, WeightsError
from persona_cli.memory.vectors.minilm_files import DIMENSION, LONGEST, NAME, Use, converted, vocabulary
from persona_cli.memory.vectors.onnx_runtime import load

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

# Of one batch: 16 texts as long as they can be take 150 MB, and no more at once are any quicker.
_BATCH_TEXTS = 32
_BATCH_PIECES = 16 * LONGEST

_QUESTIONS_KEPT = 64  # a turn searches several times for the same words

_MOST_THREADS = 8  # a container may show 64 cores and be given the time of two

CLS, SEP = 101, 102

Vectors = NDArray[np.float32]


class MiniLM:
    """The model in memory; any thread may call it."""

    name = NAME
    dimension = DIMENSION

    def __init__(self, weights: Path, notice: Callable[[str], None]) -> None:
        self._weights = weights
        self._notice = notice
        self._lock = threading.Lock()
        self._sessions: dict[Use, InferenceSession] = {}
        self._tokenizer: Tokenizer | None = None
        self._asked: OrderedDict[str, Vectors] = OrderedDict()
        self._closed = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text to be stored, in order: (n, 384)."""
        pieces, session = self._pieces(texts), self._session(Use.DOCUMENTS)
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for rows in _batches([len(one) for one in pieces]):
            vectors[rows] = _run(session, _padded([pieces[row] for row in rows]))
        return vectors

    def embed_query(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per question, in order: (n, 384); the last 64 are kept."""
        session = self._session(Use.QUESTIONS)
        with self._lock:
            known = {text: self._asked[text] for text in texts if text in self._asked}
        for text in texts:
            if text not in known:
                # each by itself: what a layer is scaled by would depend on the other texts of a batch
                known[text] = _run(session, {"ids": np.array(self._pieces([text]), dtype=np.int64)})[0]
        with self._lock:
            for text in texts:
                self._asked[text] = known[text]
                self._asked.move_to_end(text)
            while len(self._asked) > _QUESTIONS_KEPT:
                self._asked.popitem(last=False)
        return np.array([known[text] for text in texts], dtype=np.float32).reshape(len(texts), DIMENSION)

    def close(self) -> None:
        """Free the weights; closing twice is allowed."""
        with self._lock:
            self._closed = True
            self._sessions.clear()
            self._asked.clear()

    def _session(self, use: Use) -> InferenceSession:
        with self._lock:
            if self._closed:
                raise EngineError("the embedding model has been closed")
            if use not in self._sessions:
                self._sessions[use] = open_session(
                    converted(self._weights, use, self._notice), 1 if use is Use.QUESTIONS else most_threads()
                )
            return self._sessions[use]

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the word pieces of each text between [CLS] and [SEP], cut as the original cuts."""
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = open_tokenizer(vocabulary())
            tokenizer = self._tokenizer
        # a lone surrogate, as a terminal may deliver it, is no text for the tokenizer
        clean = (text.encode("utf-8", errors="replace").decode("utf-8") for text in texts)
        return [[CLS, *tokenizer.encode(text).ids[: LONGEST - 2], SEP] for text in clean]


def open_tokenizer(vocabulary_file: Path) -> Tokenizer:
    """Return BERT's uncased word pieces; a text that contains "[SEP]" is a text with brackets to it."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    tokenizer = Tokenizer(WordPiece.from_file(str(vocabulary_file), unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def open_session(path: Path, threads: int) -> InferenceSession:
    """Open a graph; raises `WeightsError`.

    One thread for what is short: several would wait for each other longer than they compute, tens of milliseconds
    where the cores are busy.
    """
    onnxruntime = load()
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (native.Fail, native.InvalidGraph, native.InvalidProtobuf, native.NotImplemented, native.NoSuchFile) as exc:
        raise WeightsError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {path}: {exc}",
            fix="Install it again: pip install --force-reinstall onnxruntime",
        ) from exc


def most_threads() -> int:
    """Return how many threads a long text is worth."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    return min(_MOST_THREADS, cores)


def _run(session: InferenceSession, given: dict[str, NDArray[np.generic]]) -> Vectors:
    vectors = run(session, "vectors", given)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def run(session: InferenceSession, wanted: str, given: dict[str, NDArray[np.generic]]) -> Vectors:
    """Return one output of a graph; raises `EngineError`."""
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    try:
        found: Vectors = session.run([wanted], given)[0]
    except (native.Fail, native.RuntimeException) as exc:
        raise EngineError(f"ONNX Runtime could not embed a text: {exc}") from exc
    return found


def _padded(texts: Sequence[Sequence[int]]) -> dict[str, NDArray[np.generic]]:
    longest = max(map(len, texts))
    ids = np.zeros((len(texts), longest), dtype=np.int64)
    mask = np.zeros((len(texts), longest), dtype=np.float32)
    for row, pieces in enumerate(texts):
        ids[row, : len(pieces)] = pieces
        mask[row, : len(pieces)] = 1
    return {"ids": ids, "mask": mask}


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Group rows, shortest first, so that little is padded and no batch takes much memory."""
    groups: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or len(groups[-1]) >= min(_BATCH_TEXTS, _BATCH_PIECES // lengths[row]):
            groups.append([])
        groups[-1].append(row)
    return groups
