"""The vector index between real processes: one owner at a time, and owners that die."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest

from persona_cli.memory.store import Store
from persona_cli.memory.vectors.index import open_index
from persona_cli.paths import Places
from persona_cli.records import Kind, Ref
from tests.crowd import DIMENSION, EMBEDDER, add_crowd

pytestmark = [pytest.mark.chroma, pytest.mark.slow]

_OPEN = f"""
import sys
from persona_cli.memory.vectors.index import open_index
from persona_cli.memory.store import open_store
from persona_cli.paths import find_places
places = find_places(env={{"PERSONA_HOME": sys.argv[1]}})
store = open_store(places.database)
index = open_index(places, store, {EMBEDDER!r}, {DIMENSION}, print)
"""


def start(code: str, places: Places) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _OPEN + code, str(places.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def test_one_process_owns_chroma_until_it_dies(store: Store, places: Places) -> None:
    ids, vectors = add_crowd(store, 300)
    owner = start("print(index.sync(), flush=True); sys.stdin.read()", places)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "300\n"
    index = open_index(places, store, EMBEDDER, DIMENSION, pytest.fail, crossover=0)
    add_crowd(store, 10, seed=1)
    assert index.sync() == 0
    assert index.search(Kind.SEMANTIC, "content", vectors[5], 1)[0][0] == ids[5]
    assert index.backend == "exact (another process holds Chroma)"
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    assert index.sync() == 310, "anew: nobody knows what a killed process has left"
    assert index.search(Kind.SEMANTIC, "content", vectors[5], 1)[0][0] == ids[5]
    assert index.backend == "Chroma (HNSW)"
    assert index.verify() == ()
    index.close()


def test_an_owner_killed_while_it_writes(store: Store, places: Places) -> None:
    add_crowd(store, 50)
    first = open_index(places, store, EMBEDDER, DIMENSION, pytest.fail, crossover=0)
    first.sync()
    first.close()
    add_crowd(store, 4_000, seed=1)
    # dies after Chroma has taken the vectors, before that is written down
    owner = start(
        "import os; from persona_cli.memory.vectors.chroma import Chroma\n"
        "Chroma.count = lambda _: os.kill(os.getpid(), 9)\n"
        "index.sync()",
        places,
    )
    owner.communicate(timeout=60)
    assert owner.returncode == -signal.SIGKILL
    second = open_index(places, store, EMBEDDER, DIMENSION, pytest.fail, crossover=0)
    assert second.sync() == 4_050
    assert second.verify() == ()
    second.close()


def test_four_processes_fill_a_deleted_index_at_once(store: Store, places: Places) -> None:
    add_crowd(store, 200)
    code = (
        "import numpy as np; from persona_cli.records import Kind\n"
        f"assert len(index.search(Kind.SEMANTIC, 'content', np.ones({DIMENSION}, dtype=np.float32), 7)) == 7\n"
        "index.sync(); index.close(); store.close()"
    )
    outcomes = [process.communicate(timeout=60) for process in [start(code, places) for _ in range(4)]]
    assert outcomes == [("", "")] * 4
    last = open_index(places, store, EMBEDDER, DIMENSION, pytest.fail, crossover=0)
    assert last.in_step
    assert last.verify() == ()
    last.close()


def test_nothing_forgotten_is_left_in_any_file(store: Store, places: Places) -> None:
    ids, vectors = add_crowd(store, 60)
    first = open_index(places, store, EMBEDDER, DIMENSION, lambda _: None)
    first.sync()
    first.close()
    shutil.copytree(places.chroma, places.home / "chroma.damaged-20260101-000000")
    part = vectors[3].tobytes()[8:64]

    def holding() -> list[str]:
        return [str(path) for path in places.home.glob("chroma*/**/*") if path.is_file() and part in path.read_bytes()]

    assert len(holding()) >= 2
    store.forget(Ref(Kind.SEMANTIC, ids[3]))
    # in a process of its own: Chroma fills files with whatever memory of the process it is given
    later = start("print(index.sync()); index.close(); store.close()", places)
    assert later.communicate(timeout=60) == ("59\n", "")
    assert holding() == []
