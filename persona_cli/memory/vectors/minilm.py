"""all-MiniLM-L6-v2 through ONNX Runtime, in 8 bits, for what is stored and what is asked.

A text takes 1 to 2 ms, a quarter of the processor's time that F32 takes, at cosines of 0.977 and more with it (0.992
in the middle), and LoCoMo's recall is the same within what two of 786 questions make (benchmarks/LOG.md). The model is
loaded when it is first needed, in a twentieth of a second; vectors that an earlier persona stored in F32 stay, and are
compared with the others. Word pieces come from `tokenizers`, as in the original.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import EngineError, WeightsError
from persona_cli.memory.vectors.minilm_files import (
    DIMENSION,
    FILE,
    LONGEST,
    NAME,
    Graph,
    build_vectors,
    graph,
    vocabulary,
)
from persona_cli.memory.vectors.onnx_runtime import load

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

CLS, SEP = 101, 102
_AT_FIRST, _AT_MOST = 8_000, 64_000
"""Characters that are cut into pieces: nearly always enough for all that are read, and where they are not, at most.

20 MB of pasted text took a minute before 254 pieces of it were taken.
"""
_LONGEST_WORD = 100
"""Pieces of one word at most: so many more than are read, and the word that was cut is none of those."""

Vectors = NDArray[np.float32]


class MiniLM:
    """The model in memory; any thread may call it."""

    name = NAME
    dimension = DIMENSION

    def __init__(self, weights: Path, notice: Callable[[str], None], *, keep: bool = True) -> None:
        self._weights = weights
        self._keep = keep
        self._notice = notice
        self._lock = threading.Lock()
        self._session: InferenceSession | None = None
        self._closed = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in order: (n, 384)."""
        session = self._opened()
        # each by itself: what a layer is scaled by would depend on the other texts of a batch
        vectors = [_run(session, {"ids": np.array([_pieces(text)], dtype=np.int64)})[0] for text in texts]
        return np.array(vectors, dtype=np.float32).reshape(len(texts), DIMENSION)

    embed_query = embed

    def close(self) -> None:
        """Free the weights; closing twice is allowed."""
        with self._lock:
            self._closed = True
            self._session = None

    def _opened(self) -> InferenceSession:
        with self._lock:
            if self._closed:
                raise EngineError("the embedding model has been closed")
            if self._session is None:
                self._session = open_session(graph(self._weights / FILE, build_vectors, self._notice, keep=self._keep))
            return self._session


@cache
def open_tokenizer(vocabulary_file: Path) -> Tokenizer:
    """Return BERT's uncased word pieces, read once; a text that contains "[SEP]" is a text with brackets to it."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    tokenizer = Tokenizer(WordPiece.from_file(str(vocabulary_file), unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def open_session(given: Graph) -> InferenceSession:
    """Open a graph, or the file of one; raises `WeightsError`."""
    onnxruntime = load()
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.inter_op_num_threads = 1
    # a text is so short that threads would wait for each other longer than they compute: tens of milliseconds where
    # the cores are busy
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    except (native.Fail, native.InvalidGraph, native.InvalidProtobuf, native.NotImplemented, native.NoSuchFile) as exc:
        named = "the embedding model" if isinstance(given, bytes) else given
        raise WeightsError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {named}: {exc}",
            fix="Install it again: pip install --force-reinstall onnxruntime",
        ) from exc


def _pieces(text: str) -> list[int]:
    """Return the word pieces of a text between [CLS] and [SEP], cut as the original cuts."""
    # a lone surrogate, as a terminal may deliver it, is no text for the tokenizer
    clean = text.encode("utf-8", errors="replace").decode("utf-8")
    ids = _tokenizer().encode(clean[:_AT_FIRST]).ids
    if len(ids) < LONGEST + _LONGEST_WORD and len(clean) > _AT_FIRST:
        ids = _tokenizer().encode(clean[:_AT_MOST]).ids
    return [CLS, *ids[: LONGEST - 2], SEP]


@cache
def _tokenizer() -> Tokenizer:
    # by itself, so that the vocabulary is checked once
    return open_tokenizer(vocabulary())


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
