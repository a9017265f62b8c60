"""Reading people from a file of JSON Lines with {"persona": "..."}, such as PersonaHub's persona.jsonl."""

from __future__ import annotations

import json
from pathlib import Path

from persona_cli.errors import TransferError

LONGEST = 2_000
"""Characters of one description."""


def read_personas(file: Path) -> tuple[str, ...]:
    """Return the descriptions; raises `TransferError` that names the first line that is wrong."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise TransferError(f"{file} cannot be read: {exc}", fix="It holds one JSON object a line.") from exc
    personas: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            persona = json.loads(line)["persona"]
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise TransferError(
                f"{file}, line {number} is no persona", fix='Each line is {"persona": "who somebody is"}.'
            ) from exc
        personas.append(" ".join(str(persona).split())[:LONGEST])
    if not personas:
        raise TransferError(f"{file} holds no persona", fix='Each line is {"persona": "who somebody is"}.')
    return tuple(personas)
