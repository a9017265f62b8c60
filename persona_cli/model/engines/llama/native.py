"""The edge to llama.cpp: its log, its devices, and owned handles for a model, a context and a vision tower.

Everything that is a pointer stays in this module and in `sequence` and `pictures`; the engine above sees Python
objects with `close()`. Calls that return a null pointer or an error code become errors with llama.cpp's own last
words in them.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp import mtmd_cpp
from numpy.typing import NDArray

from persona_cli.errors import ContextError, EngineError, WeightsError

Stop = Callable[[], bool]

log_lines: deque[str] = deque(maxlen=400)
"""What llama.cpp said last, for error messages; never printed on its own."""
_listeners: list[list[str]] = []


@dataclass(frozen=True, slots=True)
class Device:
    """A processor llama.cpp was built for; memory in bytes, 0 where the driver does not tell."""

    name: str
    description: str
    kind: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Loading:
    """How a pair is put into memory."""

    context: int = 16_384
    """Tokens all sequences hold together."""
    sequences: int = 4
    batch: int = 512
    gpu_layers: int = 0
    project_on_gpu: bool = False
    threads: int = 0
    """0: one for each core this process may use."""
    flash_attention: bool = True
    kv_type: str = "f16"
    image_pixels: int = 230_400
    """Most pixels of one picture, as in training."""
    adapter: str = ""
    """A LoRA adapter in GGUF that is put onto the model."""


KV_TYPES = {"f32": 0, "f16": 1, "q8_0": 8}
_DEVICE_KINDS = {0: "cpu", 1: "gpu", 2: "gpu", 3: "accelerator"}


def _remember(level: int, text: bytes, _data: object) -> None:
    line = text.decode("utf-8", "replace")
    log_lines.append(line)
    for heard in _listeners:
        heard.append(line)


_log_callback = llama_cpp.llama_log_callback(_remember)


def start() -> None:
    """Initialise llama.cpp once, with its log kept instead of printed."""
    llama_cpp.llama_log_set(_log_callback, None)
    mtmd_cpp.mtmd_helper_log_set(_log_callback, None)
    mtmd_cpp.mtmd_log_set(_log_callback, None)
    llama_cpp.llama_backend_init()


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect everything llama.cpp says meanwhile, however much."""
    heard: list[str] = []
    _listeners.append(heard)
    try:
        yield heard
    finally:
        _listeners.remove(heard)


def last_words() -> str:
    """Return llama.cpp's last complaint, for an error message."""
    lines = [line.strip() for line in log_lines if line.strip(" .\n")]
    wrong = [line for line in lines if any(word in line.lower() for word in ("error", "fail", "unknown", "invalid"))]
    return (wrong or lines or ["llama.cpp gave no reason"])[-1]


def build_features() -> str:
    """Return what llama.cpp was compiled with, in its own words."""
    return str(llama_cpp.llama_print_system_info().decode()).strip(" |")


def backends() -> tuple[str, ...]:
    """Return the kinds of processor llama.cpp was built for: CPU, CUDA, Metal, Vulkan."""
    base = ctypes.CDLL(_base_library())
    from llama_cpp._ggml import libggml

    count, get = libggml.ggml_backend_reg_count, libggml.ggml_backend_reg_get
    count.restype, get.restype, get.argtypes = ctypes.c_size_t, ctypes.c_void_p, [ctypes.c_size_t]
    name = base.ggml_backend_reg_name
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    return tuple(name(get(position)).decode() for position in range(count()))


def devices() -> tuple[Device, ...]:
    """Return the devices llama.cpp can use in this process."""
    from llama_cpp._ggml import libggml

    count, get = libggml.ggml_backend_dev_count, libggml.ggml_backend_dev_get
    count.restype, get.restype, get.argtypes = ctypes.c_size_t, ctypes.c_void_p, [ctypes.c_size_t]
    base = ctypes.CDLL(_base_library())
    name, words = base.ggml_backend_dev_name, base.ggml_backend_dev_description
    for text in (name, words):
        text.restype, text.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    kind, memory = base.ggml_backend_dev_type, base.ggml_backend_dev_memory
    kind.restype, kind.argtypes = ctypes.c_int, [ctypes.c_void_p]
    memory.restype = None
    memory.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t)]
    found = []
    for position in range(count()):
        device = get(position)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        memory(device, ctypes.byref(free), ctypes.byref(total))
        label = _DEVICE_KINDS.get(kind(device), "other")
        found.append(Device(name(device).decode(), words(device).decode(), label, free.value, total.value))
    return tuple(found)


def _base_library() -> str:
    folder = Path(llama_cpp.__file__).parent / "lib"
    names = ("libggml-base.so", "libggml-base.dylib", "ggml-base.dll")
    return str(next(folder / name for name in names if (folder / name).exists()))


def default_threads() -> int:
    """Return how many threads serve where none are configured: one for each core, as llama.cpp does by itself.

    The second thread of a core computes with the same units and only makes the others wait.
    """
    return min(usable_cores(), _whole_cores() or usable_cores())


_CROWDED, _FREE = 0.5, 0.9
"""Shares of the time they ran in which threads really had a processor."""


def suited_threads(now: int, most: int, share: float) -> int:
    """Return how many threads to write the next reply with, after one in which each of `now` had `share` of a core.

    Each token waits for the slowest thread several hundred times: where others had the cores, two threads took 1.7
    times as long as one (measured). Of threads that had less than half a core each, half are as quick; a prompt is
    evaluated in long stretches and suffers less.
    """
    if share < _CROWDED:
        return max(1, now // 2)
    return min(most, 2 * now) if share > _FREE else now


def usable_cores() -> int:
    """Return the cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _whole_cores(topology: Path = Path("/sys/devices/system/cpu")) -> int:
    """Return how many different cores this process may run on; 0 where the system does not tell."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    siblings = set()
    for number in allowed:
        try:
            siblings.add((topology / f"cpu{number}" / "topology" / "thread_siblings_list").read_text().strip())
        except OSError:
            return 0
    return len(siblings)


class LoadedWeights:
    """A text model in memory."""

    def __init__(self, path: Path, loading: Loading) -> None:
        self.adapter: Any = None
        start()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = loading.gpu_layers
        # the repacked AMX buffers crash in quantized products with a batch above 1 (llama.cpp 20824)
        params.use_extra_bufts = False
        self.pointer = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
        if not self.pointer:
            raise WeightsError(
                f"{path.name} could not be loaded: {last_words()}", fix="Check it with `persona doctor`."
            )
        if loading.adapter:
            self._put_on(loading.adapter)
        self.vocabulary: Any = llama_cpp.llama_model_get_vocab(self.pointer)
        self.tokens = int(llama_cpp.llama_vocab_n_tokens(self.vocabulary))
        self.width = int(llama_cpp.llama_model_n_embd_inp(self.pointer))
        """Numbers of what takes a token's place: more than the embedding where inner layers are given something too."""
        self.layers = int(llama_cpp.llama_model_n_layer(self.pointer))
        self.size = int(llama_cpp.llama_model_size(self.pointer))
        self.longest = int(llama_cpp.llama_model_n_ctx_train(self.pointer))
        bos, eos = llama_cpp.llama_vocab_bos(self.vocabulary), llama_cpp.llama_vocab_eos(self.vocabulary)
        self.bos, self.eos = self._text(bos), self._text(eos)
        self.begin = bos if bos >= 0 and llama_cpp.llama_vocab_get_add_bos(self.vocabulary) else None
        """The token every text begins with, None where there is none."""
        self.template = (llama_cpp.llama_model_chat_template(self.pointer, None) or b"").decode("utf-8", "replace")

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Return the tokens of `text`; control tokens are recognised only where `special` says so."""
        raw = text.encode("utf-8", "replace")
        buffer = (llama_cpp.llama_token * (len(raw) + 8))()
        count = llama_cpp.llama_tokenize(self.vocabulary, raw, len(raw), buffer, len(buffer), False, special)
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """Return the bytes of `token`, however long; control tokens are empty."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = llama_cpp.llama_token_to_piece(self.vocabulary, token, buffer, size, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def _put_on(self, adapter: str) -> None:
        """Load a LoRA adapter; contexts made of these weights use it. It is freed with them."""
        self.adapter = llama_cpp.llama_adapter_lora_init(self.pointer, os.fsencode(adapter))
        if not self.adapter:
            self.close()
            raise WeightsError(
                f"the adapter {Path(adapter).name} does not fit the model: {last_words()}",
                fix="Export it again with the base it was trained on.",
            )

    def _text(self, token: int) -> str:
        """Return a token as a template writes it; "" for none."""
        return llama_cpp.llama_vocab_get_text(self.vocabulary, token).decode("utf-8", "replace") if token >= 0 else ""

    def ends(self, token: int) -> bool:
        """Tell whether `token` ends a generation."""
        return bool(llama_cpp.llama_vocab_is_eog(self.vocabulary, token))

    def close(self) -> None:
        """Free the weights."""
        if self.pointer:
            llama_cpp.llama_model_free(self.pointer)
            self.pointer = None


class Context:
    """The key-value cache and the graph of one model; one thread at a time."""

    def __init__(self, weights: LoadedWeights, loading: Loading) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = loading.context
        params.n_batch = params.n_ubatch = loading.batch
        params.n_seq_max = loading.sequences
        params.kv_unified = True
        self.threads = self.most_threads = loading.threads or default_threads()
        params.n_threads = params.n_threads_batch = self.threads
        params.type_k = params.type_v = KV_TYPES[loading.kv_type]
        params.flash_attn_type = (
            # "auto" turns it off where a device cannot; "enabled" would fall back to the processor in silence
            llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO
            if loading.flash_attention
            else llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        self.batch = loading.batch
        self.tokens = loading.context
        self._vocabulary = weights.tokens
        self._stop: Stop | None = None
        self.pointer = llama_cpp.llama_init_from_model(weights.pointer, params)
        if not self.pointer:
            raise ContextError(
                f"a context of {loading.context} tokens could not be made: {last_words()}",
                fix="Lower model.context or close what else uses the memory.",
            )
        if weights.adapter:
            adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(weights.adapter)
            llama_cpp.llama_set_adapters_lora(self.pointer, adapters, 1, (ctypes.c_float * 1)(1.0))
        self.memory = llama_cpp.llama_get_memory(self.pointer)
        self._abort = llama_cpp.ggml_abort_callback(self._asked_to_stop)
        llama_cpp.llama_set_abort_callback(self.pointer, self._abort, None)
        self._buffer = llama_cpp.llama_batch_init(loading.batch, 0, 1)

    def write_with(self, threads: int) -> None:
        """Let single tokens be evaluated by so many threads; prompts keep all of theirs."""
        if threads != self.threads:
            llama_cpp.llama_set_n_threads(self.pointer, threads, self.most_threads)
            self.threads = threads

    def decode(self, tokens: list[int], position: int, sequence: int, stop: Stop | None = None) -> int:
        """Evaluate at most `batch` tokens; return llama.cpp's code: 0 done, 1 no room left, 2 aborted by `stop`."""
        batch = self._buffer
        batch.n_tokens = len(tokens)
        for offset, token in enumerate(tokens):
            batch.token[offset] = token
            batch.pos[offset] = position + offset
            batch.n_seq_id[offset] = 1
            batch.seq_id[offset][0] = sequence
            batch.logits[offset] = offset == len(tokens) - 1
        self._stop = stop
        try:
            code = int(llama_cpp.llama_decode(self.pointer, batch))
        finally:
            self._stop = None
        if code not in (0, 1, 2):
            raise EngineError(
                f"llama.cpp failed while evaluating ({code}): {last_words()}", fix="Run `persona doctor`."
            )
        return code

    def logits(self) -> NDArray[np.float32]:
        """Return the logits of the last token evaluated, (vocabulary,), valid until the next call."""
        pointer = llama_cpp.llama_get_logits_ith(self.pointer, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary,))

    def cut(self, sequence: int, position: int) -> bool:
        """Forget everything of `sequence` from `position` on; False where all of it had to go.

        A recurrent cache has one state and not one for each token: it cannot go back to an earlier one.
        """
        if llama_cpp.llama_memory_seq_rm(self.memory, sequence, position, -1):
            return True
        llama_cpp.llama_memory_seq_rm(self.memory, sequence, -1, -1)
        return False

    def _asked_to_stop(self, _data: object) -> bool:
        return self._stop is not None and self._stop()

    def close(self) -> None:
        """Free the cache."""
        if self.pointer:
            llama_cpp.llama_batch_free(self._buffer)
            llama_cpp.llama_free(self.pointer)
            self.pointer = None
