"""The prompts: one template per task in a file of its own, filled in one pass.

A template is text with `$name` where a field goes. Filling happens in a single pass, so a `$name` that a user
wrote stays what it is. A file of the same name in the prompts directory of the configuration takes the place
of a built-in one; a file that is no template, or one that asks for what does not exist, is a `ConfigError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from persona_cli.errors import ConfigError
from persona_cli.model.echoes import find_echoes

_RESPONSE = frozenset({"profile", "traits", "recent", "now", "query"})

FIELDS: Mapping[str, frozenset[str]] = {
    "guide": frozenset(),
    "ask": _RESPONSE,
    "quick": frozenset({"profile"}),
    "quick_ask": frozenset({"memory", "now", "query"}),
    "reason": _RESPONSE,
    "answer": _RESPONSE | {"recalled"},
    "recalled": frozenset({"recalled", "left"}),
    "infer_personality": frozenset({"recent", "turn"}),
    "extract_semantic": frozenset({"recent", "turn"}),
    "summarize_episodes": frozenset({"turns"}),
    "update_procedural": frozenset({"current", "turns"}),
    "update_core": frozenset({"current", "turns"}),
    "merge_episodes": frozenset({"episodes"}),
    "locate_object": frozenset({"picture", "what", "counted"}),
    "caption": frozenset({"picture"}),
    "repair": frozenset({"error"}),
}
"""The fields of each template: the guide and what is asked below it, the same for a quick answer, the eight tasks,
where in a picture a thing is, what it shows, what follows a retrieval, what follows a broken reply."""

_NEEDED = frozenset({"query", "recalled", "memory", "turn", "turns", "episodes", "error", "picture", "what"})
"""Fields without which a prompt makes no sense; a template of one's own may leave out the others."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """All templates by name."""

    templates: Mapping[str, Template]
    echoes: frozenset[str] = field(init=False)
    """What no value may be: the placeholders of the output formats, as `echo_of` writes them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "echoes", find_echoes(one.template for one in self.templates.values()))

    def fill(self, name: str, **given: str) -> str:
        """Return a template with its fields; raises KeyError for a field that is not given."""
        return self.templates[name].substitute(given)


def load_prompts(overrides: Path | None = None) -> Prompts:
    """Read the built-in templates, and those of `overrides` in their place; raises `ConfigError`."""
    here = Path(__file__).parent
    found = {name: here / f"{name}.txt" for name in FIELDS} | _overrides(overrides)
    return Prompts({name: _read(name, path) for name, path in found.items()})


def _overrides(folder: Path | None) -> dict[str, Path]:
    if folder is None or not folder.is_dir():
        return {}
    found = {path.stem: path for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    for name, path in found.items():
        if name not in FIELDS or path.suffix != ".txt":
            known = ", ".join(f"{known}.txt" for known in FIELDS)
            raise ConfigError(f"{path} overrides no prompt.", fix=f"Remove it, or name it one of {known}.")
    return found


def _read(name: str, path: Path) -> Template:
    try:
        template = Template(path.read_text(encoding="utf-8").strip() + "\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read as a prompt: {exc}", fix="Correct it or remove it.") from exc
    fields = ", ".join(f"${field}" for field in sorted(FIELDS[name]))
    if not template.is_valid():
        raise ConfigError(f"{path} has a $ that begins no field.", fix=f"Write $$ for a dollar; fields are {fields}.")
    asked = set(template.get_identifiers())
    if unknown := asked - FIELDS[name]:
        raise ConfigError(f"{path} asks for ${min(unknown)}, which {name} does not have.", fix=f"It has {fields}.")
    if missing := (FIELDS[name] & _NEEDED) - asked:
        raise ConfigError(f"{path} leaves out ${min(missing)}.", fix=f"Put it where it belongs; {name} has {fields}.")
    return template
