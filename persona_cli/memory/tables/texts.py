"""Full text (FTS5, porter stemming) over every memory kind and every message."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from persona_cli.memory.tables.changes import KINDS
from persona_cli.memory.tables.columns import ANSWER_WEIGHT
from persona_cli.memory.tables.connection import Connection
from persona_cli.memory.tables.grams import Grams, phrase, runs_together
from persona_cli.records import Kind, Ref

if TYPE_CHECKING:
    from persona_cli.memory.tables.postings import Postings

_PAYS = 24
"""Look-ups from which on it pays to read the length of every memory: those of some four turns, or of one question."""


class Texts:
    """The full-text table; triggers write it, this only searches it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._grams = Grams(connection)
        self._postings: Postings | None = None
        self._asked = 0
        """How often words were looked up, each question counting as `_PAYS`."""

    def search(
        self,
        words: Sequence[str],
        kinds: Collection[Kind] | None,
        limit: int,
        *,
        answers: float = ANSWER_WEIGHT,
    ) -> tuple[tuple[Ref, float], ...]:
        """Return the memories that hold any of the words, best first, with their BM25 score, higher is better.

        A word may be anything a person can type; one with spaces in it is a phrase. `answers` weighs the
        assistant's part of a message against the user's own words; 0 leaves it out.
        """
        if answers == ANSWER_WEIGHT and self._grams.empty():
            found = self._any(words, kinds, limit)
        else:
            found = self.lookup(words, kinds, limit, answers=answers)
        return tuple((Ref(kind, row_id), score) for kind, row_id, score in found)

    def lookup(
        self, words: Sequence[str], kinds: Collection[Kind] | None, limit: int, *, answers: float = ANSWER_WEIGHT
    ) -> list[tuple[Kind, int, float]]:
        """Return the same as (kind, id, score): hundreds are looked through for every word of a question."""
        if not self._grams.empty():
            return self._with_grams(words, kinds, limit, answers)
        return self._lookup(words, kinds, limit, answers)

    def _lookup(
        self, words: Sequence[str], kinds: Collection[Kind] | None, limit: int, answers: float
    ) -> list[tuple[Kind, int, float]]:
        query = _query(words, answers > 0)
        if not query:
            return []
        rows = self._connection.rows(
            # the kind is in the row id: its column would have to be fetched for every match before the sort
            "SELECT rowid, bm25(text, 1.0, 1.0, ?) AS score FROM text WHERE text MATCH ?"
            " AND (? IS NULL OR rowid % 8 IN (SELECT value FROM json_each(?))) ORDER BY score, rowid LIMIT ?",
            (answers, query, *_numbers(kinds), limit),
        )
        return [(KINDS[row_id % 8], row_id // 8, -score) for row_id, score in rows]

    def _with_grams(
        self, words: Sequence[str], kinds: Collection[Kind] | None, limit: int, answers: float
    ) -> list[tuple[Kind, int, float]]:
        scores: dict[tuple[Kind, int], float] = {}
        plain = [word for word in words if not runs_together(word)]
        for kind, row_id, score in self._lookup(plain, kinds, limit, answers):
            scores[kind, row_id] = score
        for word in words:
            for kind, row_id, score in self._grams.lookup(_searchable(word), kinds, limit, answers):
                # a name between spaces stands in both: it counts once
                known = scores.get((kind, row_id), 0.0)
                scores[kind, row_id] = known + score if runs_together(word) else max(known, score)
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], KINDS.index(pair[0][0]), pair[0][1]))
        return [(kind, row_id, score) for (kind, row_id), score in ranked[:limit]]

    def each(
        self, words: Sequence[str], kinds: Collection[Kind] | None, limit: int
    ) -> dict[str, list[tuple[Kind, int, float]]]:
        """Return what `lookup` finds for each word by itself, from the second call on from what is kept in memory."""
        with self._connection.steady():
            postings = self._kept(_PAYS)
            if postings is None:
                return {word: self.lookup([word], kinds, limit) for word in words}
            if not self._grams.empty():
                return {word: self._with_grams([word], kinds, limit, ANSWER_WEIGHT) for word in words}
            return dict(zip(words, self._each(postings, words, kinds, limit), strict=True))

    def _each(
        self, postings: Postings, words: Sequence[str], kinds: Collection[Kind] | None, limit: int
    ) -> Iterator[list[tuple[Kind, int, float]]]:
        numbers = None if kinds is None else _of(kinds)
        for word, tokens in zip(words, postings.tokens([_searchable(word) for word in words]), strict=True):
            if len(tokens) == 1:
                yield _named(postings.best(tokens[0], numbers, limit))
            else:
                yield self.lookup([word], kinds, limit)

    def _any(self, words: Sequence[str], kinds: Collection[Kind] | None, limit: int) -> list[tuple[Kind, int, float]]:
        """Return what holds any of the words, from what is kept in memory once that pays."""
        with self._connection.steady():
            postings = self._kept(1)
            tokens = () if postings is None else postings.tokens([_searchable(word) for word in words])
            if postings is None or any(len(parts) > 1 for parts in tokens):
                return self._lookup(words, kinds, limit, ANSWER_WEIGHT)
            numbers = None if kinds is None else _of(kinds)
            return _named(postings.best_of_any([token for parts in tokens for token in parts], numbers, limit))

    def _kept(self, weight: int) -> Postings | None:
        """Return the words in memory in step with the store, None while too little has been asked for to read them."""
        self._asked += weight
        if self._postings is None:
            if self._asked <= _PAYS:
                return None
            from persona_cli.memory.tables.postings import Postings

            self._postings = Postings(self._connection)
        self._postings.refresh()
        return self._postings

    def holding_all(self, words: Sequence[str], most: int) -> tuple[Ref, ...]:
        """Return what holds each of the words in any of its forms, the newest of a kind first, `most` at most."""
        # a text that has pairs of letters has its other words there, too
        table = "gram" if any(map(runs_together, words)) else "text"
        rows = self._connection.rows(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT ?",  # noqa: S608 - constants
            (" AND ".join(map(phrase, words)), most),
        )
        return tuple(Ref(KINDS[row[0] % 8], row[0] // 8) for row in rows)

    def close(self) -> None:
        """Let go of what is kept."""
        if self._postings is not None:
            self._postings.close()

    def messages_opening(self, word: str, limit: int) -> tuple[int, ...]:
        """Return the ids of the first messages that begin with a word, at most `limit`."""
        rows = self._connection.rows(
            "SELECT rowid / 8 FROM text WHERE text MATCH ? AND rowid % 8 = ? ORDER BY rowid LIMIT ?",
            (f"{{content}} : ^ {_quoted(word)}", KINDS.index(Kind.MESSAGE), limit),
        )
        return tuple(row[0] for row in rows)


def _named(found: Sequence[tuple[int, float]]) -> list[tuple[Kind, int, float]]:
    return [(KINDS[place % 8], place // 8, score) for place, score in found]


def _query(words: Sequence[str], answers: bool) -> str:
    quoted = [_quoted(word) for word in words if word.strip(" \0")]
    columns = "{content keywords answer}" if answers else "{content keywords}"
    return f"{columns} : ({' OR '.join(quoted)})" if quoted else ""


def _quoted(word: str) -> str:
    # quoted, nothing in a word is an operator; NUL would end the query inside its quotes
    return '"' + _searchable(word).replace('"', '""') + '"'


def _searchable(word: str) -> str:
    return word.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _numbers(kinds: Collection[Kind] | None) -> tuple[str | None, str | None]:
    if kinds is None:
        return None, None
    listed = json.dumps(_of(kinds))
    return listed, listed


def _of(kinds: Collection[Kind]) -> list[int]:
    return [number for number, kind in enumerate(KINDS) if kind in kinds]
