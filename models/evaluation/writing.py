"""Writing the tiny benchmarks: pictures, JSON, JSON Lines and CSV, the same bytes every time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw


def draw(what: str, path: Path) -> None:
    """Draw a shape in its colour on white."""
    colour, shape = what.split()
    picture = Image.new("RGB", (112, 112), "white")
    pen = ImageDraw.Draw(picture)
    if shape == "circle":
        pen.ellipse((16, 16, 96, 96), fill=colour)
    elif shape == "square":
        pen.rectangle((20, 20, 92, 92), fill=colour)
    else:
        pen.polygon([(56, 12), (12, 96), (100, 96)], fill=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)


def dump(value: object, path: Path) -> None:
    """Write JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def jsonl(rows: Sequence[object], path: Path) -> None:
    """Write JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def table(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(out.getvalue(), encoding="utf-8")
