"""Pictures people can show: a folder a person gives, each with what it shows beside it.

    rufus.jpg    rufus.txt: a line that says what is seen, then where it is known "thing: dog" and "box: 10 20 200 180"

Without such a file a model that sees describes the picture, and where there is none its name does ("red-circle.png").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from persona_cli.errors import TransferError
from persona_cli.synthesis.lifeplan import Picture

_KINDS = (".jpg", ".jpeg", ".png", ".webp", ".gif")


Describe = Callable[[Path], str]
"""What a model sees in a picture, "" for nothing to be said."""


def read_pictures(folder: Path, describe: Describe = lambda _path: "") -> tuple[Picture, ...]:
    """Return the pictures of a folder in the order of their names; raises `TransferError` where there are none.

    `describe` is asked for those that no file says anything of.
    """
    return tuple(_picture(path.absolute(), describe) for path in _files(folder))


def all_described(folder: Path) -> bool:
    """Tell whether each picture has a file that says what is seen."""
    return all(path.with_suffix(".txt").is_file() for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise TransferError(f"{folder} is no folder", fix="Name a folder of pictures.")
    pictures = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _KINDS]
    if not pictures:
        raise TransferError(f"{folder} has no pictures", fix=f"It may hold {', '.join(_KINDS)}.")
    return pictures


def _picture(path: Path, describe: Describe) -> Picture:
    beside = path.with_suffix(".txt")
    try:
        lines = beside.read_text(encoding="utf-8").splitlines() if beside.is_file() else []
    except (OSError, UnicodeDecodeError) as exc:
        raise TransferError(f"{beside} cannot be read: {exc}", fix="It is text in UTF-8.") from exc
    said = dict(line.split(":", 1) for line in lines[1:] if ":" in line)
    named = re.sub(r"[_\-\d]+", " ", path.stem).strip() or "picture"
    caption = (lines[0].strip() if lines else "") or describe(path) or named
    return Picture(path, caption, said.get("thing", "").strip() or named, _box(said.get("box", ""), beside))


def _box(text: str, beside: Path) -> tuple[int, int, int, int] | None:
    if not text.strip():
        return None
    numbers = [int(digits) for digits in re.findall(r"\d+", text)]
    if len(numbers) != 4 or numbers[0] >= numbers[2] or numbers[1] >= numbers[3]:
        raise TransferError(f"{beside}: box is {text.strip()!r}", fix="Write left, top, right, bottom in pixels.")
    return numbers[0], numbers[1], numbers[2], numbers[3]
