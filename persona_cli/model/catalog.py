"""What there is to run: models/catalog.toml as frozen records.

An entry names its parts (text model, projection, checkpoint, folder) by repository and revision. Where the files are
pinned, their sizes and hashes stand here; where a repository's list is not fixed, a pattern does, and the hub is asked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from persona_cli.errors import NotFoundError
from persona_cli.paths import shipped

PARTS = ("text", "projection", "checkpoint", "folder")


class Purpose(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    SENTENCES = "sentences"
    PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file known by its hash before it is pulled."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelPart:
    """Where one part of a model comes from: `files` that are pinned, or those that match `pattern`."""

    role: str
    repository: str
    revision: str
    files: tuple[PinnedFile, ...] = ()
    pattern: str = ""
    """A shell pattern; {quant} stands for the quantization."""

    def wanted(self, quantization: str) -> str:
        """Return the pattern for a quantization."""
        return self.pattern.replace("{quant}", quantization)


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model that can be pulled."""

    name: str
    about: str
    purpose: Purpose
    licence: str
    tuned: bool
    """Whether the checkpoint was trained on persona's prompts; others get a guide with them."""
    context: int
    max_pixels: int
    memory: float
    """GiB it takes to run, at the default quantization and context."""
    parts: tuple[ModelPart, ...]
    quantization: str = ""
    built_in: bool = False
    download: float = 0.0
    """GiB to pull at the default quantization, roughly, where the files are not pinned."""

    def part(self, role: str) -> ModelPart | None:
        """Return a part by its role."""
        return next((part for part in self.parts if part.role == role), None)

    @property
    def tried(self) -> bool:
        """Tell whether its files are known by size and hash; what is named by a pattern nobody of us has pulled."""
        return all(part.files for part in self.parts)

    @property
    def bytes(self) -> int:
        """Return what has to be downloaded at the default quantization: of each pinned part the file that fits it."""
        if self.download:
            return int(self.download * 2**30)
        return sum(_preferred(part.files, self.quantization).bytes for part in self.parts if part.files)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All entries, and the name of the one to begin with."""

    default: str
    entries: tuple[CatalogEntry, ...]

    def get(self, name: str) -> CatalogEntry:
        """Return an entry by its name, in any case; raises `NotFoundError` that names the closest."""
        for entry in self.entries:
            if entry.name.casefold() == name.casefold():
                return entry
        names = {entry.name.casefold(): entry.name for entry in self.entries}
        close = get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
        raise NotFoundError(
            f"the catalogue has no model {name}",
            fix=f"Did you mean {names[close[0]]}?" if close else f"It has {', '.join(names.values())}.",
        )


@cache
def load_catalog() -> Catalog:
    """Return the catalogue that was installed with persona."""
    return parse_catalog(shipped("catalog.toml"))


def parse_catalog(path: Path) -> Catalog:
    """Read a catalogue; a missing or misspelt key is a KeyError or TypeError, as the file is persona's own."""
    loaded = tomllib.loads(path.read_text(encoding="utf-8"))
    return Catalog(loaded["default"], tuple(_entry(name, body) for name, body in loaded["models"].items()))


def _preferred(files: tuple[PinnedFile, ...], quantization: str) -> PinnedFile:
    """Return the file of a quantization, the first where none is named by it."""
    return next((file for file in files if quantization and quantization in file.name), files[0])


def _entry(name: str, body: Mapping[str, Any]) -> CatalogEntry:
    facts = {key: value for key, value in body.items() if key not in PARTS}
    parts = tuple(_part(role, body[role]) for role in PARTS if role in body)
    return CatalogEntry(name=name, parts=parts, **{**facts, "purpose": Purpose(facts["purpose"])})


def _part(role: str, body: Mapping[str, Any]) -> ModelPart:
    files = tuple(PinnedFile(**file) for file in body.get("files", ()))
    return ModelPart(role=role, **{**body, "files": files})
