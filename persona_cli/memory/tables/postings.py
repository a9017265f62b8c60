"""Where full text has each word, read when first asked for and kept in step with the store.

FTS5 ranks by visiting every memory that holds a word twice, each time with a read of its length: 10 ms for a word
that 20,000 memories hold. Here the same BM25 is computed over arrays: 0.3 ms, and 3 ms when the word is first asked
for. What was added since is known by the last id of each table, what was edited or deleted by `text_change`, which
triggers write, whoever the writer is; so a turn costs the few memories it wrote, not the words read before it. What
was read within a transaction that came to nothing is read anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.tables.changes import EVERYTHING, TABLES, Moment, added, gone_back, moment, noted
from persona_cli.memory.tables.columns import ANSWER_WEIGHT
from persona_cli.memory.tables.connection import Connection

Places = NDArray[np.int64]
"""Row ids of the full text, ascending."""

_K1, _B = 1.2, 0.75  # as FTS5 has them
_RARITY = 1e-6  # what FTS5 makes of a word that more than half of the memories hold
_KEPT = 2_000_000  # memories of all the words that are kept: 32 MB
_STEP_BY_STEP = 1_000  # changes from which on everything is read again: each costs 0.05 ms
_TOKENIZER = "porter unicode61 remove_diacritics 2"  # as the migration `search` has it
_COLUMNS = 4  # of the full text; the last one, the kind, has no tokens


@dataclass(frozen=True, slots=True)
class _Word:
    """The memories that hold a word."""

    places: Places
    weights: NDArray[np.float64]
    """How often each holds it, an answer counting for less."""

    def without(self, places: Places) -> _Word:
        at = np.searchsorted(self.places, places)
        inside = at < len(self.places)
        gone = at[inside][self.places[at[inside]] == places[inside]]
        return _Word(np.delete(self.places, gone), np.delete(self.weights, gone)) if len(gone) else self

    def joined(self, other: _Word) -> _Word:
        at = np.searchsorted(self.places, other.places)
        return _Word(np.insert(self.places, at, other.places), np.insert(self.weights, at, other.weights))


class Postings:
    """The words of the full text; only to be used within `Connection.steady()`, which also keeps threads apart."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tokens = _Tokens()
        self._words: OrderedDict[str, _Word] = OrderedDict()
        self._kept = 0
        self._seen: Moment | None = None
        self._lengths = np.zeros(0, dtype=np.int32)
        """Tokens of the memory at each place, -1 where there is none."""
        self._memories = self._total = 0
        self._rollbacks = connection.rollbacks

    def close(self) -> None:
        """Free what belongs to SQLite."""
        self._tokens.close()

    def tokens(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """Return what full text makes of each word: nothing, one token, or the tokens of a phrase."""
        return self._tokens.of(words)

    def best(self, token: str, numbers: Collection[int] | None, limit: int) -> list[tuple[int, float]]:
        """Return the (place, BM25) of the memories that hold a token, best first, as FTS5 would rank them.

        `numbers` are the tables to look in, by their place in `TABLES`.
        """
        places, scores = self._scored(token, numbers)
        best = _largest(scores, limit)
        return list(zip(places[best].tolist(), scores[best].tolist(), strict=True))

    def best_of_any(
        self, tokens: Iterable[str], numbers: Collection[int] | None, limit: int
    ) -> list[tuple[int, float]]:
        """Return the same of the memories that hold any of the tokens: the more of them, the better."""
        sums = np.zeros(len(self._lengths))
        for token in tokens:
            places, scores = self._scored(token, numbers)
            sums[places] += scores
        places = np.flatnonzero(sums)
        best = _largest(sums[places], limit)
        return list(zip(places[best].tolist(), sums[places[best]].tolist(), strict=True))

    def _scored(self, token: str, numbers: Collection[int] | None) -> tuple[Places, NDArray[np.float64]]:
        word = self._word(token)
        holding = len(word.places)
        if not holding:
            return word.places, word.weights
        rarity = float(np.log((self._memories - holding + 0.5) / (holding + 0.5)))
        length = _K1 * (1 - _B + _B * self._lengths[word.places] / (self._total / self._memories))
        scores = max(rarity, _RARITY) * ((word.weights * (_K1 + 1.0)) / (word.weights + length))
        places = word.places
        if numbers is not None:
            among = np.isin(np.arange(8), list(numbers))[places & 7]
            places, scores = places[among], scores[among]
        return places, scores

    def refresh(self) -> None:
        """Take over what was written since the last time."""
        if self._rollbacks != self._connection.rollbacks:
            self._rollbacks, self._seen = self._connection.rollbacks, None
        seen, now = self._seen, moment(self._connection)
        if seen == now:
            return
        # what is interrupted, or meets an error, is read anew: half of it may have been taken over
        self._seen = None
        edited = [] if seen is None else noted(self._connection, seen, _STEP_BY_STEP + 1)
        if (
            seen is None
            or gone_back(seen, now)
            or added(seen, now) + len(edited) > _STEP_BY_STEP
            or EVERYTHING in edited
        ):
            self._start_anew()
        else:
            given = [(number, seen[table] + 1, now[table] + 1) for number, table in enumerate(TABLES)]
            self._take_over([row * 8 + number for number, first, end in given for row in range(first, end)], edited)
        self._seen = now

    def _start_anew(self) -> None:
        self._words.clear()
        self._kept = 0
        ids = self._connection.numbers("SELECT id AS number FROM text_docsize ORDER BY id")
        sizes = self._connection.rows(
            "SELECT group_concat(hex(sz), '') FROM (SELECT sz FROM text_docsize ORDER BY id)"
        )[0][0]
        self._lengths = np.full(int(ids.max(initial=-1)) + 1, -1, dtype=np.int32)
        self._lengths[ids] = _token_counts(sizes or "")
        self._memories, self._total = len(ids), int(self._lengths[ids].sum())

    def _take_over(self, new: list[int], edited: list[int]) -> None:
        changed = np.unique(np.array([*new, *edited], dtype=np.int64))
        rows = self._connection.rows(
            "SELECT rowid, content, keywords, answer FROM text WHERE rowid IN (SELECT value FROM json_each(?))",
            (json.dumps(changed.tolist()),),
        )
        lengths, words = self._tokens.count(map(tuple, rows))
        self._measure(changed, lengths)
        if edited:
            gone = np.array(edited, dtype=np.int64)
            self._words = OrderedDict((token, word.without(gone)) for token, word in self._words.items())
        for token in self._words.keys() & words.keys():
            self._words[token] = self._words[token].joined(_word(np.array(words[token], dtype=np.int64)))
        self._kept = sum(len(word.places) for word in self._words.values())
        self._make_room()

    def _measure(self, changed: Places, lengths: dict[int, int]) -> None:
        missing = int(changed.max(initial=-1)) + 1 - len(self._lengths)
        if missing > 0:
            # an eighth of room: else every turn copies everything
            room = missing + len(self._lengths) // 8
            self._lengths = np.concatenate([self._lengths, np.full(room, -1, dtype=np.int32)])
        old = self._lengths[changed]
        new = np.array([lengths.get(place, -1) for place in changed.tolist()], dtype=np.int64)
        self._lengths[changed] = new
        self._memories += int((new >= 0).sum() - (old >= 0).sum())
        self._total += int(new[new >= 0].sum() - old[old >= 0].sum())

    def _word(self, token: str) -> _Word:
        word = self._words.get(token)
        if word is None:
            coded = self._connection.numbers(
                "SELECT doc * 2 + (col = 'answer') AS number FROM text_word WHERE term = ?", (token,)
            )
            word = self._words[token] = _word(coded)
            self._kept += len(word.places)
            self._make_room()
        self._words.move_to_end(token)
        return word

    def _make_room(self) -> None:
        while self._kept > _KEPT and len(self._words) > 1:
            self._kept -= len(self._words.popitem(last=False)[1].places)


class _Tokens:
    """The tokenizer of the full text, by way of a table in memory: SQLite has no other way to ask it."""

    def __init__(self) -> None:
        # the threads are kept apart by the connection to the store
        self._raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._raw.execute(
            f"CREATE VIRTUAL TABLE part USING fts5 (content, keywords, answer, content = '', tokenize = '{_TOKENIZER}')"
        )
        self._raw.execute("CREATE VIRTUAL TABLE word USING fts5vocab (part, instance)")

    def close(self) -> None:
        self._raw.close()

    def of(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the tokens of each word, in order."""
        texts = ((number, word, "", "") for number, word in enumerate(words, 1))
        found: list[list[str]] = [[] for _ in words]
        for number, token in self._run(texts, "SELECT doc, term FROM word ORDER BY doc, offset"):
            found[number - 1].append(token)
        return [tuple(tokens) for tokens in found]

    def count(self, rows: Iterable[tuple[int, str, str, str]]) -> tuple[dict[int, int], dict[str, list[int]]]:
        """Return how many tokens the text at each place has, and where each token stands, as `_word` takes it."""
        lengths: dict[int, int] = {}
        holding: dict[str, list[int]] = {}
        kept = list(rows)
        for token, doc, answer in self._run(kept, "SELECT term, doc, col = 'answer' FROM word ORDER BY term, doc, col"):
            lengths[doc] = lengths.get(doc, 0) + 1
            holding.setdefault(token, []).append(doc * 2 + answer)
        empty = {row[0]: 0 for row in kept}
        return empty | lengths, holding

    def _run(self, rows: Iterable[tuple[int, str, str, str]], sql: str) -> list[Any]:
        # first, not last: the time before may have been interrupted
        self._raw.execute("INSERT INTO part (part) VALUES ('delete-all')")
        self._raw.executemany("INSERT INTO part (rowid, content, keywords, answer) VALUES (?, ?, ?, ?)", rows)
        return self._raw.execute(sql).fetchall()


def _word(coded: NDArray[np.int64]) -> _Word:
    """Gather a word from where it stands: twice the place, one more in an answer; in order of the places."""
    places = coded >> 1
    first = np.flatnonzero(np.diff(places, prepend=-1))
    weights = np.where(coded & 1, ANSWER_WEIGHT, 1.0)
    return _Word(places[first], np.add.reduceat(weights, first) if len(first) else weights)


def _token_counts(sizes: str) -> NDArray[np.int64]:
    """Return the tokens of each memory from FTS5's record of them: a varint for each of its columns, in hexadecimal."""
    coded = np.frombuffer(bytes.fromhex(sizes), dtype=np.uint8)
    last = coded < 128
    ends = np.flatnonzero(last)
    number: NDArray[np.intp] = np.cumsum(last) - last
    sevens = 7 * (ends[number] - np.arange(len(coded)))
    counts = np.bincount(number, weights=(coded & 127).astype(np.int64) << sevens)
    return np.asarray(counts.reshape(-1, _COLUMNS).sum(axis=1), dtype=np.int64)


def _largest(scores: NDArray[np.float64], limit: int) -> NDArray[np.intp]:
    """Return where the largest are, largest first; of equal ones the first."""
    if limit < len(scores):
        least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        above = np.flatnonzero(scores > least)
        chosen = np.sort(np.concatenate([above, np.flatnonzero(scores == least)[: limit - len(above)]]))
    else:
        chosen = np.arange(len(scores))
    return chosen[np.argsort(-scores[chosen], kind="stable")]
