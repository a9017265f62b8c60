"""Files of lines: one at a time, and of each no more than counts, whatever stands in them."""

from __future__ import annotations

import io
from collections.abc import Iterator

from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Tally
from persona_cli.importers.exchanges import LONGEST

BEYOND = f"lines over {LONGEST:,} characters, of which the rest"


def text_lines(bundle: Bundle, name: str, tally: Tally) -> Iterator[tuple[int, str]]:
    """Yield each line of a UTF-8 file with its number, without its end; bytes that are no UTF-8 become U+FFFD."""
    with bundle.open(name) as file, io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="\n") as text:
        number, whole = 1, True
        while line := text.readline(LONGEST + 1):
            if whole:
                yield number, line[:LONGEST].removesuffix("\n").removesuffix("\r")
            elif line.endswith("\n"):
                tally.skip(BEYOND, f"{name}, line {number}")
            whole = line.endswith("\n")
            number += whole
