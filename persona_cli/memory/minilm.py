"""all-MiniLM-L6-v2 through llama.cpp's low-level API: the quick way for one query or a few hundred texts.

A sentence costs 3 to 8 ms and the model is there 0.2 s after the process starts; sentence-transformers needs
over four seconds for that, so it is left to bulk work (`embedding`). The low-level API, because `Llama` neither
turns off the extra buffer types (a default build crashes on AMX processors with them, llama.cpp 20824) nor loads
a model without swapping the process's file descriptors. Word pieces come from `tokenizers`, as in the original:
llama.cpp's own splitting loses the vowels of Korean and Hindi and differs at some 10,000 characters.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp import _logger
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from persona_cli.errors import EngineError, WeightsError
from persona_cli.memory.gguf_minilm import DIMENSION, LONGEST, NAME, vocabulary

# Attention inside a batch is over all of its tokens: 2,048 are a quarter slower than 512, 256 the same.
_BATCH_TOKENS = 512
_BATCH_TEXTS = 32

_CLS, _SEP = 101, 102


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator] # ctypes
def _quiet(_level: int, _text: bytes, _user: ctypes.c_void_p) -> None:
    """Drop what llama.cpp would print; a module global, because C keeps the pointer."""


class LlamaMiniLM:
    """The model in memory; any thread may call it, one at a time."""

    name = NAME
    dimension = DIMENSION

    def __init__(self, model: int, context: int, tokenizer: Tokenizer) -> None:
        self._model = model
        self._context = context
        self._tokenizer = tokenizer
        self._batch = llama_cpp.llama_batch_init(_BATCH_TOKENS, 0, 1)
        self._lock = threading.Lock()
        self._closed = False

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector per text, in order: (n, 384)."""
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        with self._lock:
            if self._closed:
                raise EngineError("the embedding model has been closed")
            pieces = [self._pieces(text) for text in texts]
            for batch in _batches([len(one) for one in pieces]):
                self._run([pieces[row] for row in batch])
                for sequence, row in enumerate(batch):
                    vectors[row] = self._pooled(sequence)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def close(self) -> None:
        """Free the weights; closing twice is allowed."""
        with self._lock:
            if not self._closed:
                self._closed = True
                llama_cpp.llama_batch_free(self._batch)
                llama_cpp.llama_free(self._context)
                llama_cpp.llama_model_free(self._model)

    def _pieces(self, text: str) -> list[int]:
        """Return the word pieces of `text` between [CLS] and [SEP], cut as the original cuts."""
        # a lone surrogate, as a terminal may deliver it, is no text for the tokenizer
        clean = text.encode("utf-8", errors="replace").decode("utf-8")
        return [_CLS, *self._tokenizer.encode(clean).ids[: LONGEST - 2], _SEP]

    def _run(self, texts: Sequence[Sequence[int]]) -> None:
        batch, row = self._batch, 0
        for sequence, pieces in enumerate(texts):
            for position, piece in enumerate(pieces):
                batch.token[row] = piece
                batch.pos[row] = position
                batch.n_seq_id[row] = 1
                batch.seq_id[row][0] = sequence
                batch.logits[row] = 1
                row += 1
        batch.n_tokens = row
        if code := llama_cpp.llama_encode(self._context, batch):
            raise EngineError(f"llama.cpp could not embed a text (code {code})")

    def _pooled(self, sequence: int) -> NDArray[np.float32]:
        pointer = llama_cpp.llama_get_embeddings_seq(self._context, sequence)
        return np.ctypeslib.as_array(pointer, shape=(DIMENSION,))


def open_minilm(path: Path) -> LlamaMiniLM:
    """Load a converted model; raises `WeightsError` where llama.cpp does not take it."""
    tokenizer = open_tokenizer(vocabulary())
    hush()
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), _model_params())
    if not model:
        raise WeightsError(f"llama.cpp cannot load {path}", fix="Delete the file: it is converted again.")
    context = llama_cpp.llama_init_from_model(model, _context_params())
    if not context:
        llama_cpp.llama_model_free(model)
        raise EngineError("llama.cpp could not open the embedding model: is there memory left?")
    return LlamaMiniLM(model, context, tokenizer)


def open_tokenizer(vocabulary_file: Path) -> Tokenizer:
    """Return BERT's uncased word pieces; a text that contains "[SEP]" is a text with brackets to it."""
    tokenizer = Tokenizer(WordPiece.from_file(str(vocabulary_file), unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def hush() -> None:
    """Silence llama.cpp, unless somebody already collects its log."""
    current, user = llama_cpp.llama_log_callback(), ctypes.c_void_p()
    llama_cpp.llama_log_get(ctypes.byref(current), ctypes.byref(user))
    if _address(current) in {None, _address(_logger.llama_log_callback)}:
        llama_cpp.llama_log_set(_quiet, None)


def _address(function: object) -> int | None:
    return ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type] # any C function


def _model_params() -> llama_cpp.llama_model_params:
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = 0
    params.use_extra_bufts = False
    return params


def _context_params() -> llama_cpp.llama_context_params:
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.n_seq_max = _BATCH_TEXTS
    params.kv_unified = True
    # llama.cpp's threads wait for each other spinning: two of them on two busy cores took 360 to 800 ms for
    # the sentence that one thread embeds in 5
    params.n_threads = params.n_threads_batch = max(1, min(4, (os.cpu_count() or 1) // 2))
    params.embeddings = True
    params.offload_kqv = params.op_offload = False
    params.pooling_type = llama_cpp.LLAMA_POOLING_TYPE_MEAN
    return params


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Group rows, shortest first, so that each group fits one call."""
    groups: list[list[int]] = []
    room = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if lengths[row] > room or len(groups[-1]) == _BATCH_TEXTS:
            groups.append([])
            room = _BATCH_TOKENS
        groups[-1].append(row)
        room -= lengths[row]
    return groups
