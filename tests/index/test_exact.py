"""Exact search over blocks of vectors."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import numpy as np

from persona_cli.memory.store import Store
from persona_cli.memory.vectors.exact import ExactSearch, FieldChange, FieldVectors
from persona_cli.paths import Places
from persona_cli.records import Kind, Ref, SemanticMemory


def test_equal_vectors_come_in_the_order_of_their_ids() -> None:
    block = FieldVectors(np.array([9, 4, 7]), np.ones((3, 1), dtype=np.float32))
    assert [row for row, _ in block.nearest(np.ones(1, dtype=np.float32), 3)] == [4, 7, 9]
    assert block.nearest(np.ones(1, dtype=np.float32), 0) == ()


def test_a_block_follows_its_changes_and_an_older_one_stays_as_it_was() -> None:
    rows = np.eye(6, dtype=np.float32)

    def change(gone: list[int], ids: list[int]) -> FieldChange:
        return FieldChange(np.array(gone, dtype=np.int64), np.array(ids, dtype=np.int64), rows[: len(ids)])

    first = FieldVectors(np.array([2, 4]), rows[4:6])
    grown = first
    for number in range(5, 12):
        grown = grown.changed(change([], [number]))
    assert grown.ids.tolist() == [2, 4, *range(5, 12)]
    assert grown.nearest(rows[4], 1) == ((2, 1.0),)
    assert [row for row, cosine in grown.nearest(rows[0], 9) if cosine] == list(range(5, 12))
    again = grown.changed(change([5, 6], [4, 3]))
    assert again.ids.tolist() == [2, 3, 4, *range(7, 12)]
    assert again.nearest(rows[1], 1, np.array([3, 9, 99])) == ((3, 1.0),)
    assert first.nearest(rows[5], 1) == ((4, 1.0),)


def test_an_older_copy_that_is_restored_under_a_running_process_is_noticed(store: Store, places: Places) -> None:
    def learn(text: str, vector: list[float]) -> None:
        at = datetime(2026, 5, 12, tzinfo=UTC)
        row = store.semantic.add(SemanticMemory(0, text, (), "user", "q", at, at)).id
        store.vectors.put(Ref(Kind.SEMANTIC, row), "content", "mini", np.array(vector, dtype=np.float32))

    def known() -> list[int]:
        return [row for row, _ in exact.search(Kind.SEMANTIC, "content", np.ones(2, dtype=np.float32), 9, None)]

    exact, copied = ExactSearch(store, "mini"), places.home / "copy.db"
    learn("Likes tea.", [1, 0])
    with closing(sqlite3.connect(places.database)) as raw:
        raw.execute("VACUUM INTO ?", (str(copied),))
    learn("Likes coffee.", [1, 1])
    assert known() == [2, 1]
    with closing(sqlite3.connect(copied)) as copy, closing(sqlite3.connect(places.database)) as raw:
        copy.backup(raw)
    assert known() == [1]
    learn("Likes milk.", [1, 1])
    assert known() == [2, 1]
