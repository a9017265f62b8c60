"""Thirty kills, always the same commands in the same order; `make crash` does a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.living import COMMANDS, live


@pytest.mark.usefixtures("weights")
def test_thirty_kills_lose_nothing_and_leave_nothing(home: Path, tmp_path: Path) -> None:
    life = live(7, 30, home, tmp_path / "work", look_every=5, repair_every=15)
    assert life.killed.total() == 30
    assert life.killed.keys() == COMMANDS.keys()
    assert life.said
