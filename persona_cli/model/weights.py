"""What is installed: one folder per model under the weights directory, each with a manifest.

A folder is prepared under a name that begins with a dot and renamed when it is whole, so a folder that can be seen is
complete. Files of one's own are linked, not copied, unless asked: they are large.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from persona_cli.errors import NotFoundError, StorageError, UsageError, WeightsError
from persona_cli.model.catalog import Purpose

BUILT_IN, SERVED = "lite", "server"
"""Names that stand for no weights: the built-in model, and the one of a server."""

MANIFEST = "manifest.toml"

Progress = Callable[[str, int, int], None]
"""Called with a file's name, and how many of how many bytes are done."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_QUANTIZED = re.compile(r"[-.](?:i1-)?((?:I?Q\d(?:_\w+)?)|F16|F32|BF16)$", re.IGNORECASE)


class Placing(Enum):
    """What becomes of files that are added."""

    LINK = "link"
    COPY = "copy"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of an installed model: a path in its folder, or an absolute one for a linked file."""

    role: str
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of an installed model; written beside its files."""

    name: str
    source: str
    """Repositories of the hub, or "own files" or "export of DIRECTORY"."""
    revision: str
    quantization: str
    added: str
    files: tuple[WeightFile, ...]
    purpose: Purpose = Purpose.CHAT
    licence: str = ""
    tuned: bool = False
    context: int = 16_384
    max_pixels: int = 230_400


@dataclass(frozen=True, slots=True)
class Installed:
    """A model on this machine."""

    manifest: Manifest
    folder: Path

    @property
    def name(self) -> str:
        """Return the name it is used by."""
        return self.manifest.name

    @property
    def size(self) -> int:
        """Return the bytes of its files."""
        return sum(file.bytes for file in self.manifest.files)

    def path(self, role: str) -> Path | None:
        """Return where the file of a role lies, or None; raises `WeightsError` where it is gone or was changed."""
        file = next((file for file in self.manifest.files if file.role == role), None)
        if file is None:
            return None
        path = self.folder / file.path
        if not path.is_file():
            raise WeightsError(
                f"{path} of {self.name} is gone", fix="Bring it back, or `persona model remove` and add it again."
            )
        if path.stat().st_size != file.bytes:
            raise WeightsError(
                f"{path} of {self.name} has {path.stat().st_size:,} bytes, not {file.bytes:,}",
                fix="It was changed or cut off; `persona model remove` it and pull or add it again.",
            )
        return path


@dataclass(frozen=True, slots=True)
class Weights:
    """The models under one directory."""

    root: Path

    def all(self) -> tuple[Installed, ...]:
        """Return the installed models by name; a folder without a readable manifest is a `WeightsError`."""
        found = sorted(self.root.glob(f"[!.]*/{MANIFEST}"))
        return tuple(Installed(_read(path), path.parent) for path in found)

    def get(self, name: str) -> Installed:
        """Return a model by its name, in any case; raises `NotFoundError`."""
        models = self.all()
        for model in models:
            if model.name.casefold() == name.casefold():
                return model
        have = ", ".join(model.name for model in models)
        raise NotFoundError(
            f"no model named {name} is installed",
            fix=(f"Installed: {have}. " if have else "") + "`persona model list` shows what can be pulled.",
        )

    def add(
        self,
        text: Path,
        projection: Path | None,
        *,
        name: str | None = None,
        keeping: Placing = Placing.LINK,
        source: str = "own files",
        tuned: bool = False,
        adapter: Path | None = None,
        progress: Progress = lambda _what, _done, _total: None,
    ) -> Installed:
        """Install a text model, with its projection if there is one, after checking that they belong together.

        An `adapter` is moved in, whatever becomes of the files of the model it is put onto.
        """
        longest = check_files(text, projection)
        quantization = quantization_of(text)
        name = self.check_free(name or _QUANTIZED.sub("", text.stem))
        given = [("text", text)] + ([("projection", projection)] if projection else [])
        with self.prepare(name) as folder:
            files = tuple(_place(folder, role, path, progress, keeping) for role, path in given)
            if adapter is not None:
                files = (*files, _place(folder, "adapter", adapter, progress, Placing.MOVE))
            manifest = Manifest(
                name=name,
                source=source,
                revision="",
                quantization=quantization,
                added=now(),
                files=files,
                tuned=tuned,
                context=min(longest, 16_384),
            )
            write_manifest(folder, manifest)
        return self.get(name)

    def remove(self, name: str) -> Installed:
        """Delete a model's folder; files that were linked stay where they are."""
        model = self.get(name)
        try:
            shutil.rmtree(model.folder)
        except OSError as exc:
            raise StorageError(f"{model.folder} cannot be deleted: {exc.strerror}", fix="Check permissions.") from exc
        return model

    @contextmanager
    def prepare(self, name: str, *, keep: bool = False) -> Iterator[Path]:
        """Give a folder to fill; it gets its name when the block ends well. `keep` leaves it for a later attempt."""
        folder = self.root / f".{name}.part"
        try:
            make_private(folder)
            yield folder
            target = self.root / name
            if target.exists():
                shutil.rmtree(target)
            folder.replace(target)
        except OSError as exc:
            raise StorageError(
                f"{folder} cannot be written: {exc.strerror or exc}", fix="Check the free disk and the permissions."
            ) from exc
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)

    def check_free(self, name: str) -> str:
        """Return `name`; raises `UsageError` where it is no name for a model or taken."""
        if name.casefold() in (BUILT_IN, SERVED) or not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a model",
                fix="Give one with --name: letters, digits, dots, dashes and underscores.",
            )
        if any(model.name.casefold() == name.casefold() for model in self.all()):
            raise UsageError(f"{name} is installed already", fix="`persona model remove` it, or choose another --name.")
        return name


def make_private(folder: Path) -> None:
    """Make a directory that only its owner can read, and those above it that are not there yet."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)


def check_files(text: Path, projection: Path | None) -> int:
    """Return the context of a text model; raises `WeightsError` for what does not chat or go together."""
    from persona_cli.model.engines.llama.gguf_file import check_pair, read_projection, read_text

    model = read_text(text)
    if projection is not None:
        check_pair(model, read_projection(projection))
    return model.context


def sort_pair(paths: Sequence[Path]) -> tuple[Path, Path | None]:
    """Tell text model and projection apart, in any order and by any name; a folder stands for the GGUF files in it.

    Raises `WeightsError` for what is no GGUF file, `UsageError` for anything but one text model and one projection.
    """
    from persona_cli.model.engines.llama.gguf_file import is_projection

    files = [file for path in paths for file in (sorted(path.glob("*.gguf")) if path.is_dir() else [path])]
    projections = [path for path in files if is_projection(path)]
    texts = [path for path in files if path not in projections]
    if len(texts) != 1 or len(projections) > 1:
        found = ", ".join(path.name for path in files) or "no GGUF file"
        raise UsageError(
            f"one text model and one mmproj file are wanted, not {found}",
            fix="Name both: persona model add MODEL.gguf mmproj-MODEL.gguf",
        )
    return texts[0], projections[0] if projections else None


def quantization_of(path: Path) -> str:
    """Return the quantization a file's name ends with, or ""."""
    found = _QUANTIZED.search(path.stem)
    return found[1].upper() if found else ""


def sha256_of(path: Path, progress: Progress = lambda _what, _done, _total: None) -> str:
    """Return a file's SHA-256."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(8 * 2**20):
            digest.update(chunk)
            done += len(chunk)
            progress(f"checking {path.name}", done, total)
    return digest.hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into its folder."""
    import tomli_w

    body: dict[str, Any] = asdict(manifest)
    body["files"] = [asdict(file) for file in manifest.files]
    (folder / MANIFEST).write_text(tomli_w.dumps(body), encoding="utf-8")


def now() -> str:
    """Return the moment as a manifest notes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _place(folder: Path, role: str, path: Path, progress: Progress, keeping: Placing) -> WeightFile:
    size, digest = path.stat().st_size, sha256_of(path, progress)
    if keeping is Placing.LINK:
        return WeightFile(role, str(path.resolve()), size, digest)
    if keeping is Placing.MOVE:
        shutil.move(path, folder / path.name)
    else:
        progress(f"copying {path.name}", 0, size)
        shutil.copyfile(path, folder / path.name)
    (folder / path.name).chmod(0o600)
    return WeightFile(role, path.name, size, digest)


def _read(path: Path) -> Manifest:
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
        files = tuple(WeightFile(**file) for file in body["files"])
        return Manifest(**{**body, "files": files, "purpose": Purpose(body["purpose"])})
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise WeightsError(
            f"{path} cannot be read: {exc}", fix=f"Delete {path.parent} and pull or add the model again."
        ) from exc


def free_memory() -> int:
    """Return the bytes of main memory that are free, or could be at once; 0 where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        facts = dict(line.split(":", 1) for line in lines)
        return int(facts["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        # elsewhere only the whole is known
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0
