"""A turn over ten times as many memories does hardly more: it looks at what is near, and at what is new."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.work import Work, filled, talked
from persona_cli.paths import find_places

pytestmark = pytest.mark.slow
TURNS = 9


@pytest.mark.usefixtures("weights")
def test_a_turn_does_not_grow_with_the_memory(home: Path) -> None:
    done: dict[int, Work] = {}
    for memories in (200, 2_000):
        places = find_places(env={"PERSONA_HOME": str(home), "PERSONA_USER": f"of{memories}"})
        filled(places, memories)
        done[memories] = talked(places, TURNS)
    few, many = done[200], done[2_000]
    # 200 memories are fewer than those a search looks at in any home
    assert many.rows <= 2 * few.rows, done
    assert many.steps <= 3 * few.steps, done
    assert many.passes <= 1.5 * few.passes, done
