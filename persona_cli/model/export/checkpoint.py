"""Reading a Hugging Face Qwen2.5-VL checkpoint: its configuration, its tokenizer, its tensors one at a time.

Published checkpoints differ in two ways that are smoothed over here: the text configuration stands at the top
(transformers 4) or under "text_config" (transformers 5), and tensor names carry a "model." or
"model.language_model." prefix. What is handed on always has the names of the original release.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import WeightsError

Section = Mapping[str, Any]

_IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
_IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class Tensor:
    """One weight: its name in the original release, its shape, and a way to read it as float32."""

    name: str
    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of the vocabulary."""

    text: str
    kind: str
    """"normal", "control", "user" (added but ordinary) or "unused" (padding of the embedding matrix)."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was found complete; tensors are read when asked for."""

    directory: Path
    text: Section
    vision: Section
    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    files: Mapping[str, Path]
    """The file of every tensor, by its name in the file."""

    @property
    def name(self) -> str:
        """Return the directory's name, which is how a checkpoint is called."""
        return self.directory.resolve().name

    @property
    def rope(self) -> Section:
        """Return the rotary parameters, with `rope_theta` and `mrope_section`."""
        given = self.text.get("rope_parameters") or self.text.get("rope_scaling") or {}
        return {"rope_theta": self.text.get("rope_theta", 1_000_000.0), **given}

    def tensors(self) -> Iterator[Tensor]:
        """Yield every tensor in the order of the files, without reading its weights."""
        from safetensors import safe_open

        for path in dict.fromkeys(self.files.values()):
            with safe_open(path, framework="pt") as opened:
                for key in opened.keys():  # noqa: SIM118 - safe_open is no mapping
                    shape = tuple(opened.get_slice(key).get_shape())
                    yield Tensor(_original_name(key), shape, _reader(path, key))

    def tokens(self) -> tuple[Token, ...]:
        """Return the vocabulary, padded to the rows of the embedding matrix."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.directory / "tokenizer.json"))
        texts = {number: text for text, number in tokenizer.get_vocab(with_added_tokens=True).items()}
        added = tokenizer.get_added_tokens_decoder()
        size = max(int(self.text["vocab_size"]), max(texts) + 1)
        return tuple(_token(number, texts.get(number), added.get(number)) for number in range(size))


def open_checkpoint(directory: Path) -> Checkpoint:
    """Return the checkpoint in `directory`; raises `WeightsError` that names what is missing."""
    config = _read_json(directory / "config.json")
    if config.get("model_type") != "qwen2_5_vl":
        raise WeightsError(
            f"{directory} holds a {config.get('model_type', 'model without a type')}, not a Qwen2.5-VL",
            fix="Only Qwen2.5-VL checkpoints, PersonaVLM among them, can be exported.",
        )
    if not (directory / "tokenizer.json").is_file():
        raise WeightsError(
            f"{directory} has no tokenizer.json", fix="Download the whole checkpoint, tokenizer included."
        )
    preprocessor = _read_json(directory / "preprocessor_config.json", optional=True)
    return Checkpoint(
        directory=directory,
        text={**config, **config.get("text_config", {})},
        vision=config["vision_config"],
        image_mean=tuple(preprocessor.get("image_mean", _IMAGE_MEAN)),
        image_std=tuple(preprocessor.get("image_std", _IMAGE_STD)),
        files=_weight_files(directory),
    )


def _weight_files(directory: Path) -> dict[str, Path]:
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        files = {key: directory / file for key, file in _read_json(index)["weight_map"].items()}
        if missing := sorted({file.name for file in files.values() if not file.is_file()}):
            raise WeightsError(f"{directory} lacks {', '.join(missing)}", fix="Download the missing files.")
        return files
    single = directory / "model.safetensors"
    if not single.is_file():
        raise WeightsError(f"{directory} has no model.safetensors", fix="Download the safetensors weights as well.")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(single, framework="pt") as opened:
            return dict.fromkeys(opened.keys(), single)
    except SafetensorError as exc:
        raise WeightsError(f"{single} is damaged: {exc}", fix="Download it again.") from exc


def _reader(path: Path, key: str) -> Callable[[], NDArray[np.float32]]:
    def read() -> NDArray[np.float32]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="pt") as opened:
                array: NDArray[np.float32] = opened.get_tensor(key).float().numpy()
                return array
        except SafetensorError as exc:
            raise WeightsError(f"{path} is damaged at {key}: {exc}", fix="Download it again.") from exc

    return read


def _original_name(key: str) -> str:
    for prefix, original in (("model.language_model.", "model."), ("model.visual.", "visual.")):
        if key.startswith(prefix):
            return original + key.removeprefix(prefix)
    return key


def _token(number: int, text: str | None, added: Any) -> Token:
    if text is None:
        return Token(f"[PAD{number}]", "unused")
    if added is None:
        return Token(text, "normal")
    return Token(text, "control" if added.special else "user")


def _read_json(path: Path, *, optional: bool = False) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        if optional:
            return {}
        raise WeightsError(
            f"{path.parent} has no {path.name}", fix="Name the folder of a Hugging Face checkpoint."
        ) from exc
    except (OSError, ValueError) as exc:
        raise WeightsError(f"{path} cannot be read: {exc}", fix="Download it again.") from exc
    return loaded
