"""The benchmark of growth: what it makes up, and that it measures the real thing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.everyday import BEGIN, END, PER_SESSION, messages, questions
from benchmarks.growth import Line, draw
from benchmarks.scale import COSINE, drawn_around, fill
from persona_cli.memory.store import Store


def test_made_up_messages_are_the_same_every_time_and_in_order() -> None:
    said = list(messages(100))
    assert said == list(messages(100))
    assert all(one.at <= after.at for one, after in pairwise(said))
    assert said[0].at >= BEGIN
    assert said[-1].at < END
    assert len({one.session for one in said}) == -(-100 // PER_SESSION)
    assert len(set(questions(50))) > 25


def test_fill_stores_as_many_memories_as_asked_for(store: Store) -> None:
    fill(store, 320)
    counts = store.tables()
    assert counts["turn"] == 160
    assert counts["episode"] == 20
    assert counts["turn"] + counts["semantic"] + counts["episode"] == 320


def test_drawn_vectors_are_unit_vectors_around_the_real_ones() -> None:
    real = np.eye(4, 384, dtype=np.float32)
    drawn = drawn_around(real, 50)
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1, atol=1e-5)
    assert np.allclose((drawn @ real.T).max(axis=1), COSINE, atol=1e-5)


def test_draw_writes_a_picture_with_every_line(tmp_path: Path) -> None:
    path = tmp_path / "growth.png"
    draw(path, "Growth", [Line("a", [(1_000, 2.0), (10_000, 9.0)]), Line("b", [(1_000, 5.0), (10_000, 60.0)])])
    with Image.open(path) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(100_000) or []}
    assert {(0, 114, 178), (213, 94, 0)} <= colours
