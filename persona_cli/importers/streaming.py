"""JSON of any size, one item at a time: what is read is never larger than the largest item.

`ijson` parses; the items are put together here, because its own ways of doing that have no limit to how deep or how
large one may be (100,000 brackets, which are 100 KB, took more memory than there is).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from persona_cli.errors import TransferError
from persona_cli.importers.bundle import Bundle

DEEPEST = 200
"""Brackets within each other; the deepest export has a dozen."""
LARGEST = 64_000_000
"""Bytes of an item: the longest conversations have a few million."""
_PIECE = 65_536
_STEPS = 8
"""No path that is asked for is longer."""
_SCALARS = frozenset({"null", "boolean", "number", "string"})


class JsonItem(NamedTuple):
    """A value that stands at one of the places asked for."""

    path: str
    value: Any


def json_items(bundle: Bundle, name: str, *paths: str) -> Iterator[JsonItem]:
    """Yield the values of a JSON file at these paths, in order, each as plain Python.

    A path is keys joined by dots, with `item` for what stands in a list: "item" is each entry of a list at the top,
    "conversations.item" each of the list under that key, "name" the value of a key. Raises `TransferError` for what is
    no JSON, and for an item that is too deep or too large.
    """
    import ijson

    place = f"{name} in {bundle.path}" if name != bundle.path.name else str(bundle.path)
    with bundle.open(name) as file:
        pieces = _Pieces(file)
        try:
            yield from _found(ijson.basic_parse(pieces, buf_size=_PIECE, use_float=True), frozenset(paths), pieces)
        except ijson.JSONError as exc:
            raise TransferError(
                f"{place} is no whole JSON: {_first_line(exc)}", fix="Download the export again."
            ) from exc
        except (_TooMuchError, ValueError, OverflowError) as exc:
            raise TransferError(f"{place}: {exc}", fix="Export again: no export looks like this.") from exc


def parsed(text: bytes | str) -> Any:
    """Return a JSON text as plain Python, None where it is none."""
    try:
        return json.loads(text)
    # a number of 5,000 digits is a ValueError, brackets 1,000 deep are the other
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value where it is an object, else an empty one: nobody vouches for what a file holds."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> Sequence[Any]:
    """Return the value where it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


class _TooMuchError(Exception):
    """An item that is deeper or larger than any export has."""


class _Pieces:
    """A file without a byte order mark, which counts what was read since the last item."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._first = True
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        if self._first and size:
            piece, self._first = piece.removeprefix(codecs.BOM_UTF8), False
        self.since += len(piece)
        if self.since > LARGEST:
            raise _TooMuchError(f"an item has more than {LARGEST:,} bytes")
        return piece


def _found(events: Iterator[tuple[str, Any]], paths: frozenset[str], pieces: _Pieces) -> Iterator[JsonItem]:
    """Yield what stands at the paths; everything else is passed over as it comes."""
    steps: list[str] = []  # of the containers that are open: a key, or "item"
    for event, value in events:
        pieces.since = 0
        if event == "map_key":
            steps[-1] = value
            continue
        if event in ("end_map", "end_array"):
            steps.pop()
            continue
        # beyond a few steps nothing is asked for, and joining all of them would take quadratic time
        path = ".".join(steps) if len(steps) <= _STEPS else None
        if path in paths:
            yield JsonItem(str(path), value if event in _SCALARS else _built(event, events))
        elif event in ("start_map", "start_array"):
            if len(steps) > DEEPEST:
                raise _TooMuchError(f"more than {DEEPEST} brackets stand within each other")
            steps.append("item" if event == "start_array" else "")


def _built(event: str, events: Iterator[tuple[str, Any]]) -> Any:
    """Return the list or object that has just begun."""
    whole: Any = {} if event == "start_map" else []
    open_: list[Any] = [whole]
    keys: list[str] = [""]
    for kind, value in events:
        if kind == "map_key":
            keys[-1] = value
        elif kind in ("end_map", "end_array"):
            open_.pop()
            keys.pop()
            if not open_:
                return whole
        else:
            inner = {} if kind == "start_map" else [] if kind == "start_array" else value
            top = open_[-1]
            if isinstance(top, list):
                top.append(inner)
            else:
                top[keys[-1]] = inner
            if kind in ("start_map", "start_array"):
                if len(open_) > DEEPEST:
                    raise _TooMuchError(f"more than {DEEPEST} brackets stand within each other")
                open_.append(inner)
                keys.append("")
    return whole


def _first_line(exc: Exception) -> str:
    said = exc.args[0] if exc.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return text.strip().splitlines()[0] if text.strip() else "it ends too early"
