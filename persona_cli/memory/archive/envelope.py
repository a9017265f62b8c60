"""The lines of an archive, each as what it says it is: the header, a row, a picture, or the end."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from persona_cli.memory.archive.row_schemas import ROWS
from persona_cli.memory.archive.shapes import Closed, Count, Hash, Short

Checked = TypeVar("Checked", bound=Closed)


class ArchiveHeader(Closed):
    """The first line: what the file is and how much it holds."""

    format: Literal["persona-export"]
    version: int
    rows: dict[Short, Count]
    pictures: Count


class RowLine(Closed):
    """A row of a table."""

    table: Short
    row: dict[Short, str | int | float | None]


class PictureLine(Closed):
    """A picture's file, as base64."""

    picture: Hash
    content: str


class End(Closed):
    """What the last line says of all before it."""

    sha256: Hash
    signature: Hash | None


class EndLine(Closed):
    """The last line."""

    end: End


Line = RowLine | PictureLine | EndLine


def parse_header(text: bytes) -> ArchiveHeader:
    """Return the first line; raises `ValueError` that says what is wrong with it."""
    return _checked(ArchiveHeader, _parse(text))


def parse_line(text: bytes) -> Line:
    """Return any other line, a row checked against its table; raises `ValueError` that says what is wrong."""
    line = _parse(text)
    if "picture" in line:
        return _checked(PictureLine, line)
    if "end" in line:
        return _checked(EndLine, line)
    row = _checked(RowLine, line)
    if (schema := ROWS.get(row.table)) is None:
        raise ValueError(f"there is no table {row.table[:50]!r}")
    _checked(schema, row.row)
    return row


def _parse(text: bytes) -> dict[str, object]:
    # with a limit to its depth, and without infinity
    line = from_json(text, allow_inf_nan=False)
    if not isinstance(line, dict):
        raise ValueError("no JSON object")
    return line


def _checked(schema: type[Checked], found: object) -> Checked:
    try:
        return schema.model_validate(found)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from exc
