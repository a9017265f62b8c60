"""Full text in scripts whose words run together, by pairs of letters (the schema's `gram_tables`).

A part of such a run is a phrase of its pairs, so that any word in a sentence is found wherever it begins and ends. And
a Latin name that stands in a Chinese sentence without spaces is a word of its own here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from functools import cache

from persona_cli.memory.schema.gram_tables import LETTERS
from persona_cli.memory.tables.changes import KINDS
from persona_cli.memory.tables.connection import Connection
from persona_cli.records import Kind

_PAIRED = (
    "[\u1100-\u11ff\u3005\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U000323af]"
)
"""Scripts whose words have two letters more often than not: Chinese, Japanese, Korean."""
_K1 = 1.2  # as FTS5 has it; the length of a text is left out, pairs make every one as long as its letters
_LEAST = 1e-6  # what FTS5 makes of a word that more than half of the memories hold


class Grams:
    """The table of pairs; triggers write it, this only searches it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def empty(self) -> bool:
        """Tell whether no text has such letters."""
        return not self._connection.rows("SELECT 1 FROM gram_docsize LIMIT 1")

    def lookup(
        self, word: str, kinds: Collection[Kind] | None, limit: int, answers: float
    ) -> list[tuple[Kind, int, float]]:
        """Return the memories that hold a word, best first, as (kind, id, BM25); an answer's words count `answers`."""
        query = phrase(word)
        said = self._places(f"{{content}} : ({query})", kinds, limit)
        answered = self._places(f"{{answer}} : ({query})", kinds, limit) if answers > 0 else []
        if not said and not answered:
            return []
        memories = self._connection.number("SELECT count(*) FROM text_docsize")
        held = dict.fromkeys(answered, answers) | dict.fromkeys(said, 1.0)
        rarity = max(math.log((memories - len(held) + 0.5) / (len(held) + 0.5)), _LEAST)
        scores = ((place, rarity * often * (_K1 + 1) / (often + _K1)) for place, often in held.items())
        ranked = sorted(scores, key=lambda pair: (-pair[1], pair[0]))[:limit]
        return [(KINDS[place % 8], place // 8, score) for place, score in ranked]

    def _places(self, query: str, kinds: Collection[Kind] | None, limit: int) -> list[int]:
        numbers = [number for number, kind in enumerate(KINDS) if kinds is None or kind in kinds]
        rows = self._connection.rows(
            f"SELECT rowid FROM gram WHERE gram MATCH ? AND rowid % 8 IN ({', '.join(map(str, numbers))})"  # noqa: S608 - numbers
            " ORDER BY rowid LIMIT ?",
            (query, limit),
        )
        return [row[0] for row in rows]


def runs_together(word: str) -> bool:
    """Tell whether a word has letters of a script that writes words without spaces between them, or grown together."""
    return not word.isascii() and _runs().search(word) is not None


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(f"[{LETTERS}]+")


def pieces(run: str) -> list[str]:
    """Return the parts of a run of letters that may be words, each beginning one letter after the one before.

    Two letters in Chinese, Japanese and Korean, four elsewhere, where one is mostly a single sound.
    """
    size = 2 if re.match(_PAIRED, run) else 4
    return [run[start : start + size] for start in range(max(len(run) - size, 0) + 1)]


def phrase(word: str) -> str:
    """Return what FTS5 is asked for a word, quoted: its pairs one after the other, what is between runs as it is."""
    if len(word) == 1 and _runs().match(word):
        return f'"{word}" *'
    parts: list[str] = []
    end = 0
    for run in _runs().finditer(word):
        parts += [word[end : run.start()], *(run[0][at : at + 2] for at in range(max(len(run[0]) - 1, 1)))]
        end = run.end()
    return '"' + " ".join([*parts, word[end:]]).replace('"', '""').replace("\0", " ") + '"'
