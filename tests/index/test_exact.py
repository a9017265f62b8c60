"""Exact search over blocks of vectors."""

from __future__ import annotations

import numpy as np

from persona_cli.memory.exact import Block, Change


def test_equal_vectors_come_in_the_order_of_their_ids() -> None:
    block = Block(np.array([9, 4, 7]), np.ones((3, 1), dtype=np.float32))
    assert [row for row, _ in block.nearest(np.ones(1, dtype=np.float32), 3)] == [4, 7, 9]
    assert block.nearest(np.ones(1, dtype=np.float32), 0) == ()


def test_a_block_follows_its_changes_and_an_older_one_stays_as_it_was() -> None:
    rows = np.eye(6, dtype=np.float32)

    def change(gone: list[int], ids: list[int]) -> Change:
        return Change(np.array(gone, dtype=np.int64), np.array(ids, dtype=np.int64), rows[: len(ids)])

    first = Block(np.array([2, 4]), rows[4:6])
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
