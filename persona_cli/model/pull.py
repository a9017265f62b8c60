"""Pulling weights from the Hugging Face hub: which files, is there room, download, check, install.

The hub is asked for the list of a repository; pinned files are compared with the catalogue, the others matched by
pattern and checked against the hub's own hashes. A download that breaks off goes on where it stopped. HF_ENDPOINT
names a mirror, HF_TOKEN a key for gated repositories.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented there, not in __all__
from tqdm.auto import tqdm

from persona_cli.errors import EngineError, StorageError, UsageError, WeightsError
from persona_cli.model.catalog import CatalogEntry, ModelPart, Purpose
from persona_cli.model.weights import (
    Installed,
    Manifest,
    Progress,
    WeightFile,
    Weights,
    check_files,
    now,
    sha256_of,
    write_manifest,
)

SPARE = 512 * 2**20
"""Bytes of disk a pull leaves free."""
_PROJECTIONS = ("Q8_0", "F16", "BF16")
"""Precisions of a projection, best choice first: at 8 bits its output cannot be told from the original's."""
_WEIGHTLESS = ("*.md", "*.gitattributes", ".git*", "*.onnx", "onnx/*", "openvino/*", "*.msgpack", "*.h5", "*.ot")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the hub that is wanted."""

    role: str
    repository: str
    revision: str
    name: str
    bytes: int
    sha256: str
    """"" where the hub keeps the file in git and gives no SHA-256; these are small."""


def pull(
    entry: CatalogEntry,
    weights: Weights,
    *,
    quantization: str = "",
    progress: Progress = lambda _what, _done, _total: None,
) -> Installed:
    """Download and install a model of the catalogue; raises one of `WeightsError`, `EngineError`, `StorageError`."""
    if entry.built_in:
        raise UsageError(f"{entry.name} is built in", fix="It needs no download.")
    wanted = quantization or entry.quantization
    with _mapped(entry):
        files = choose_files(entry, wanted)
    _check_disk(weights.root / f".{entry.name}.part", files)
    with weights.prepare(entry.name, keep=True) as folder:
        for file in files:
            with _mapped(entry):
                _fetch(file, folder, progress)
        _install(entry, folder, files, wanted)
    return weights.get(entry.name)


def choose_files(entry: CatalogEntry, quantization: str) -> tuple[RemoteFile, ...]:
    """Ask the hub which files an entry has, and return those that are wanted."""
    chosen: list[RemoteFile] = []
    for part in entry.parts:
        listed = _list(part)
        found = _pinned(part, listed, quantization) if part.files else _matching(part, listed, quantization)
        chosen += found
    return tuple(chosen)


def _list(part: ModelPart) -> list[RemoteFile]:
    found = _api().model_info(part.repository, revision=part.revision, files_metadata=True)
    return [
        RemoteFile(
            part.role,
            part.repository,
            found.sha or part.revision,
            file.rfilename,
            file.size or 0,
            file.lfs.sha256 if file.lfs else "",
        )
        for file in found.siblings or ()
        if not PurePosixPath(file.rfilename).is_absolute() and ".." not in PurePosixPath(file.rfilename).parts
    ]


def _pinned(part: ModelPart, listed: Sequence[RemoteFile], quantization: str) -> list[RemoteFile]:
    """Return the first pinned file of the wanted quantization; what the hub has must be what was pinned."""
    wanted = [file for file in part.files if part.role != "text" or f"-{quantization}." in file.name]
    if not wanted:
        have = ", ".join(file.name for file in part.files)
        raise WeightsError(f"{part.repository} is known in no {quantization}", fix=f"The catalogue has {have}.")
    pinned = wanted[0]
    there = next((file for file in listed if file.name == pinned.name), None)
    if there is None:
        raise _nothing(part, pinned.name, listed)
    if there.sha256 and there.sha256 != pinned.sha256:
        raise WeightsError(
            f"{pinned.name} on the hub is not the file the catalogue knows",
            fix="Do not use it; a newer persona may know the new one.",
        )
    return [RemoteFile(there.role, there.repository, there.revision, there.name, pinned.bytes, pinned.sha256)]


def _matching(part: ModelPart, listed: Sequence[RemoteFile], quantization: str) -> list[RemoteFile]:
    pattern = part.wanted(quantization)
    names = [file for file in listed if fnmatchcase(file.name.lower(), pattern.lower())]
    if part.role in ("checkpoint", "folder"):
        kept = [file for file in names if not any(fnmatchcase(file.name, out) for out in _WEIGHTLESS)]
        whole = any(file.name.endswith(".safetensors") for file in kept)
        kept = [file for file in kept if not (whole and file.name.endswith(".bin"))]
        if kept:
            return kept
    if part.role == "text":
        names = [file for file in names if "mmproj" not in file.name.lower()]
    names.sort(key=lambda file: (_rank(file.name), file.name))
    if not names:
        raise _nothing(part, pattern, listed)
    return names[:1]


def _rank(name: str) -> int:
    upper = name.upper()
    return next((rank for rank, precision in enumerate(_PROJECTIONS) if f"{precision}.GGUF" in upper), 9)


def _nothing(part: ModelPart, wanted: str, listed: Sequence[RemoteFile]) -> WeightsError:
    have = sorted(file.name for file in listed if file.name.endswith((".gguf", ".safetensors")))
    return WeightsError(
        f"{part.repository} has no {wanted}",
        fix="It has: " + (", ".join(have) or "no weights at all") + ". Choose with --quant.",
    )


def _check_disk(folder: Path, files: Sequence[RemoteFile]) -> None:
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0
    needed = sum(file.bytes for file in files) - there + SPARE
    above = folder
    while not above.exists():
        above = above.parent
    free = shutil.disk_usage(above).free
    if needed > free:
        raise StorageError(
            f"the download needs {needed / 2**30:.1f} GiB on the disk of {above}, where {free / 2**30:.1f} are free",
            fix="Free some, choose a smaller --quant, or set PERSONA_HOME to a directory on a larger disk.",
        )


def _fetch(file: RemoteFile, folder: Path, progress: Progress) -> None:
    """Download one file, going on where an earlier attempt stopped, and check it."""
    path, part = folder / file.name, folder / f"{file.name}.{file.sha256[:12]}.part"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(file, part, progress)
        part.replace(path)
    if file.sha256 and sha256_of(path, progress) != file.sha256:
        path.unlink()
        raise WeightsError(
            f"{file.name} arrived damaged: its SHA-256 is not {file.sha256[:12]}…",
            fix="Pull it again; if it happens twice, a proxy or the mirror changes what it passes on.",
        )


def _download(file: RemoteFile, part: Path, progress: Progress) -> None:
    # hf_hub_download starts afresh after a broken run (since huggingface_hub 2); its own http_get does not have to
    url = hf_hub_url(file.repository, file.name, revision=file.revision, endpoint=_endpoint())
    found = get_hf_file_metadata(url, endpoint=_endpoint())
    headers = build_hf_headers(library_name="persona")
    if urlsplit(found.location).netloc != urlsplit(url).netloc:
        # the address of the hub's storage is signed and must not see the user's key
        headers.pop("authorization", None)
    with part.open("ab") as opened:
        http_get(
            found.location,
            opened,
            resume_size=opened.tell(),
            headers=headers,
            expected_size=found.size,
            tqdm_class=_reporting(file, progress),
        )


def _reporting(file: RemoteFile, progress: Progress) -> type[Any]:
    class Reporting(tqdm):  # type: ignore[misc]  # tqdm comes without types
        """Tells `progress` what the hub's own bar would have shown."""

        def __init__(self, *given: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*given, **{**options, "disable": True})
            self.done = int(options.get("initial") or 0)
            progress(file.name, self.done, file.bytes)

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            progress(file.name, min(self.done, file.bytes), file.bytes)
            return None

    return Reporting


def _install(entry: CatalogEntry, folder: Path, files: Sequence[RemoteFile], quantization: str) -> None:
    text = next((folder / file.name for file in files if file.role == "text"), None)
    projection = next((folder / file.name for file in files if file.role == "projection"), None)
    if text is not None:
        check_files(text, projection)
    kept = tuple(
        WeightFile(
            file.role, file.name, (folder / file.name).stat().st_size, file.sha256 or sha256_of(folder / file.name)
        )
        for file in files
    )
    _clear_away(folder, {file.name for file in files})
    write_manifest(
        folder,
        Manifest(
            name=entry.name,
            source=", ".join(dict.fromkeys(file.repository for file in files)),
            revision=", ".join(dict.fromkeys(file.revision for file in files)),
            quantization=quantization if entry.purpose is Purpose.CHAT else "",
            added=now(),
            files=kept,
            purpose=entry.purpose,
            licence=entry.licence,
            tuned=entry.tuned,
            context=entry.context,
            max_pixels=entry.max_pixels,
        ),
    )


def _clear_away(folder: Path, kept: set[str]) -> None:
    """Delete what an earlier attempt at another quantization left."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in kept:
            path.unlink()


def _endpoint() -> str | None:
    # read now: the library reads it when it is imported
    return os.environ.get("HF_ENDPOINT") or None


def _api() -> HfApi:
    return HfApi(endpoint=_endpoint(), library_name="persona")


@contextmanager
def _mapped(entry: CatalogEntry) -> Iterator[None]:
    """Turn the library's errors into ours, each with what to do instead."""
    where = _endpoint() or "huggingface.co"
    by_hand = (
        "Without the hub: copy the model's GGUF file and its mmproj file to this machine and "
        "`persona model add MODEL.gguf MMPROJ.gguf`. What was pulled so far is kept."
    )
    try:
        yield
    except GatedRepoError as exc:
        raise WeightsError(
            f"{entry.name} is behind a licence to accept on the hub", fix="Accept it there and set HF_TOKEN."
        ) from exc
    except (RepositoryNotFoundError, RevisionNotFoundError) as exc:
        raise WeightsError(f"{where} has no such repository or revision: {_first_line(exc)}", fix=by_hand) from exc
    except OfflineModeIsEnabled as exc:
        raise EngineError("HF_HUB_OFFLINE forbids asking the hub", fix="Unset it. " + by_hand) from exc
    except HfHubHTTPError as exc:
        raise EngineError(f"{where} answered: {_first_line(exc)}", fix="Try again later. " + by_hand) from exc
    except (httpx2.HTTPError, ConnectionError) as exc:
        raise EngineError(f"{where} cannot be reached: {_first_line(exc)}", fix=by_hand) from exc
    except OSError as exc:
        if exc.errno is not None:
            raise
        # the library's way to say that fewer bytes came than were promised
        raise EngineError(f"{where} broke off: {_first_line(exc)}", fix="Pull again, it goes on from there.") from exc


def _first_line(exc: Exception) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:200]
