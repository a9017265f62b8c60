"""CLIP: pictures and words as vectors of one space, from a folder that is already on this machine.

sentence-transformers opens both layouts in use: its own (`modules.json` and `0_CLIPModel/`, as the hub has it) and a
plain transformers checkpoint. Importing it takes 5 seconds, so nothing here is imported before a picture has to be
embedded; the name, which tells whether that has happened already, is read from the folder alone.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import EngineError, PictureError, WeightsError
from persona_cli.memory.vectors.transformers_embedding import fingerprint, load_model
from persona_cli.records import PictureSource

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from sentence_transformers import SentenceTransformer

NONE = "none"
_CHOOSE = "`persona model pull clip-ViT-B-32`, or `persona config set embedding.pictures none`."
_AT_ONCE = 8
_SCALE = 100.0  # at which OpenAI stopped the scale from growing, and where all of their CLIPs ended
_LONGEST = 20  # times the shorter side: more of a strip is not looked at, and would take gigabytes to enlarge

Vectors = NDArray[np.float32]


class Clip:
    """A CLIP in memory; any thread may call it, one at a time."""

    def __init__(self, model: SentenceTransformer, name: str, dimension: int) -> None:
        self.name = name
        self.dimension = dimension
        # what cosines of words and pictures were multiplied by in training, before the softmax
        self.scale = _scale(model)
        self._model: SentenceTransformer | None = model
        self._lock = threading.Lock()

    def see(self, pictures: Sequence[Picture]) -> Vectors:
        """Return one unit vector per picture, in order: float32 (n, dimension)."""
        return self._encode(list(pictures))

    def read(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text in the space of the pictures; what is over 77 tokens is cut off."""
        # a lone surrogate, as a terminal may deliver it, is no text for the tokenizer
        return self._encode([text.encode("utf-8", errors="replace").decode("utf-8") for text in texts])

    @property
    def reads(self) -> bool:
        """Tell whether there is a tower for words beside the one for pictures."""
        with self._lock:
            return self._model is not None and self._model.supports("text")

    def close(self) -> None:
        """Let go of the weights; closing twice is allowed."""
        with self._lock:
            self._model = None

    def _encode(self, given: list[Any]) -> Vectors:
        with self._lock:
            if self._model is None:
                raise EngineError("the picture embedding has been closed")
            if not given:
                return np.empty((0, self.dimension), dtype=np.float32)
            return _encode(self._model, given)


def find_clip(wanted: str, weights: Path) -> Path | None:
    """Return the folder of the CLIP the settings name; None where it is none, or is not installed yet.

    Raises `WeightsError` for a folder that is not there or holds no CLIP.
    """
    if wanted.casefold() == NONE:
        return None
    named = "/" not in wanted and "\\" not in wanted
    folder = weights / wanted if named and wanted else Path(wanted).expanduser()
    if named and not folder.exists():
        return None
    if not any((folder / file).is_file() for file in ("modules.json", "config.json")):
        raise WeightsError(f"embedding.pictures is {wanted!r}, and {folder} holds no CLIP", fix=_CHOOSE)
    return folder.resolve()


def name_of(folder: Path) -> str:
    """Return what is stored with every vector: another name means another CLIP, and embedding again."""
    try:
        return f"{folder.name}@{fingerprint(folder)}"
    except OSError as exc:
        raise WeightsError(f"the picture embedding in {folder} cannot be read: {exc.strerror}", fix=_CHOOSE) from exc


def open_clip(folder: Path) -> Clip:
    """Load the CLIP in `folder`; raises `WeightsError`."""
    model, dimension = load_model(folder, "picture embedding", _try_out, fix=_CHOOSE)
    return Clip(model, name_of(folder), dimension)


def load_picture(source: PictureSource) -> Picture:
    """Read a stored picture, of a long strip its middle; raises `PictureError`."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(BytesIO(source) if isinstance(source, bytes) else source) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError) as exc:
        named = "The picture" if isinstance(source, bytes) else source
        raise PictureError(f"{named} cannot be read as a picture: {exc}", fix="Run `persona doctor`.") from exc
    most = _LONGEST * min(picture.size)
    left, top = max(0, picture.width - most) // 2, max(0, picture.height - most) // 2
    return picture.crop((left, top, picture.width - left, picture.height - top)) if left or top else picture


def _encode(model: SentenceTransformer, given: list[Any]) -> Vectors:
    try:
        vectors = model.encode(given, batch_size=_AT_ONCE, show_progress_bar=False, normalize_embeddings=True)
    except (RuntimeError, ValueError, IndexError) as exc:
        raise EngineError(f"the picture embedding failed: {exc}", fix=_CHOOSE) from exc
    return np.asarray(vectors, dtype=np.float32)


def _try_out(model: SentenceTransformer) -> int:
    """Return the dimension; raises ValueError for a model of texts alone."""
    from PIL import Image as Pillow

    if not model.supports("image"):
        raise ValueError("it embeds no pictures")
    _read_literally(model)
    return int(_encode(model, [Pillow.new("RGB", (8, 8))]).shape[1])


def _read_literally(model: SentenceTransformer) -> None:
    """Keep "<|endoftext|>" in a text from being read as the end of it, and cut where the model's positions end."""
    if model.supports("text"):
        assert model.config is not None
        positions = model.config.text_config.max_position_embeddings
        model.tokenizer.split_special_tokens = True
        model.tokenizer.model_max_length = min(model.tokenizer.model_max_length, positions)


def _scale(model: SentenceTransformer) -> float:
    learnt = getattr(model.transformers_model, "logit_scale", None)
    return _SCALE if learnt is None else float(learnt.detach().exp())
