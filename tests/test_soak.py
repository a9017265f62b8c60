"""The long conversation: what it measures, in a short one."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from benchmarks.soak import plot, soak
from persona_cli.memory.store import open_store


@pytest.mark.usefixtures("weights")
def test_a_soak_measures_the_real_thing_and_leaks_no_handle(home: Path, tmp_path: Path) -> None:
    rows = list(soak(home, 20, rows=4))
    assert [row.turns for row in rows] == [5, 10, 15, 20]
    # SQLite opens a file for large sorts now and then
    assert abs(rows[-1].handles - rows[1].handles) <= 3
    store = open_store(home / "persona.db")
    assert store.turns.count() == 20
    assert len(store.images.all()) == 1
    assert store.jobs.pending() == 0
    store.close()
    plot(tmp_path / "soak.png", rows)
    with PIL.Image.open(tmp_path / "soak.png") as drawn:
        assert drawn.width > 500
