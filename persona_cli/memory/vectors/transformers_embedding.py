"""Any sentence-transformers model from a folder: every model that is not built in.

Importing sentence_transformers takes 5 seconds, so it is done when such a model is wanted; `clip` loads its own
through here. Everything works from files that are already on this machine: the hub is switched off before its client is
imported, nothing is downloaded in the middle of a chat, and no library prints a progress bar or a warning of its own.
"""

from __future__ import annotations

import hashlib
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import EngineError, WeightsError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}
_EDGE = 1 << 16

_TRIED = ("dimension",)
_SAME = 0.9999  # cosine of one text with itself

T = TypeVar("T")


class FolderEmbedder:
    """A sentence-transformers model in memory; any thread may call it, one at a time."""

    def __init__(self, model: SentenceTransformer, name: str, dimension: int) -> None:
        self.name = name
        self.dimension = dimension
        self._model: SentenceTransformer | None = model
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector per text to be stored, in order, each behind the model's prompt for documents."""
        return self._embed(texts, "document")

    def embed_query(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector per question, in order, each behind the model's prompt for queries."""
        return self._embed(texts, "query")

    def _embed(self, texts: Sequence[str], task: str) -> NDArray[np.float32]:
        with self._lock:
            if self._model is None:
                raise EngineError("the embedding model has been closed")
            if not texts:
                return np.empty((0, self.dimension), dtype=np.float32)
            return _encode(self._model, texts, task)

    def close(self) -> None:
        """Let go of the weights."""
        with self._lock:
            self._model = None


def find_model(model: str) -> Path:
    """Return the folder of a model given as a folder or by its name in the local hub cache; never downloads."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        found = _cached(model) or _cached(f"sentence-transformers/{model}")
        if found is None:
            raise WeightsError(
                f"embedding.model is {model!r}: no such folder, and no such model in the local cache",
                fix=f"Fetch it with `hf download {model}`, or go back with "
                "`persona config set embedding.model all-MiniLM-L6-v2`.",
            )
        folder = found
    if not (folder / "modules.json").is_file():
        raise WeightsError(
            f"{folder} holds no sentence-transformers model: modules.json is missing",
            fix="Name the folder that `SentenceTransformer.save()` wrote or `hf download` printed.",
        )
    return folder.resolve()


def open_folder(folder: Path, name: str | None = None) -> FolderEmbedder:
    """Load the model in `folder`; without a `name` it is called after the folder and its content."""

    def try_out(model: SentenceTransformer) -> tuple[int, bool]:
        plain, stored = _encode(model, _TRIED), _encode(model, _TRIED, "document")
        return plain.shape[1], bool((plain * stored).sum() < _SAME)

    model, (dimension, prompted) = load_model(folder, "embedding model", try_out, fix="Fetch it again.")
    _take_words_literally(model)
    # what an earlier persona stored was embedded without the prompt: another name, so that it is embedded again
    name = name or f"{folder.name}@{fingerprint(folder)}{'+document' if prompted else ''}"
    return FolderEmbedder(model, name, dimension)


def load_model(
    folder: Path, what: str, try_out: Callable[[SentenceTransformer], T], *, fix: str
) -> tuple[SentenceTransformer, T]:
    """Return a model and what trying it out gave; raises a `WeightsError` that calls it `what`."""
    with _undisturbed():
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            # on the processor: the accelerator's memory belongs to the model that answers
            model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            return model, try_out(model)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError) as exc:
            raise WeightsError(f"the {what} in {folder} cannot be loaded: {exc}", fix=fix) from exc


def _encode(model: SentenceTransformer, texts: Sequence[str], task: str = "") -> NDArray[np.float32]:
    # a lone surrogate, as a terminal may deliver it, is no text for the tokenizer
    clean = [text.encode("utf-8", errors="replace").decode("utf-8") for text in texts]
    encode = {"document": model.encode_document, "query": model.encode_query}.get(task, model.encode)
    # the library overlooks a "passage" beside the empty "document" that it gives every model
    named = (model.prompts.get(name) for name in ("document", "passage", "corpus"))
    prompt = next(filter(None, named), None) if task == "document" else None
    vectors = encode(clean, prompt=prompt, batch_size=32, show_progress_bar=False, normalize_embeddings=True)
    return np.asarray(vectors, dtype=np.float32)


def _take_words_literally(model: SentenceTransformer) -> None:
    """Keep "[SEP]" in a text from being read as the end of it."""
    model.tokenizer.split_special_tokens = True


def _cached(name: str) -> Path | None:
    with _undisturbed():
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(name, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError):
            return None


def fingerprint(folder: Path) -> str:
    """Return a short hash that another model, or the same one trained further, does not have.

    Sizes and both ends of every file: a gigabyte of weights is not read through at each start.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".json", ".safetensors", ".bin", ".txt"}):
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(folder)} {path.stat().st_size}".encode())
            digest.update(file.read(_EDGE))
            file.seek(max(0, path.stat().st_size - _EDGE))
            digest.update(file.read(_EDGE))
    return digest.hexdigest()[:12]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Import and load with the hub switched off and without warnings; the environment is as before afterwards."""
    before = {key: os.environ.get(key) for key in _OFFLINE}
    os.environ.update(_OFFLINE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
