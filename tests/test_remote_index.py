"""The index on a real Chroma server: filled, kept in step, searched, lost, and found again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from persona_cli.errors import ConfigError, StorageError
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.vectors.index import Index, open_index
from persona_cli.paths import find_places
from persona_cli.records import Kind, Ref, SemanticMemory

pytestmark = pytest.mark.chroma

NAME, DIMENSION = "toy", 8
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`chroma run` on loopback, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self._folder)]
        self._child = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the server did not start")

    def stop(self) -> None:
        self._child.terminate()
        self._child.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def filled() -> Iterator[Store]:
    with closing(open_store(find_places().database)) as store:
        rng = np.random.default_rng(3)
        for number in range(40):
            memory = store.semantic.add(
                SemanticMemory(0, f"fact {number}", (), "user", f"fact {number}", recorded_at=NOW, valid_from=NOW)
            )
            vector = rng.standard_normal(DIMENSION).astype(np.float32)
            store.vectors.put(Ref(Kind.SEMANTIC, memory.id), "content", NAME, vector / np.linalg.norm(vector))
        yield store


def open_remote(store: Store, url: str, told: list[str]) -> Index:
    return open_index(find_places(), store, NAME, DIMENSION, told.append, crossover=0, url=url)


def nearest(index: Index, store: Store) -> tuple[tuple[int, float], ...]:
    _, matrix = store.vectors.matrix(Kind.SEMANTIC, "content", NAME)
    return index.search(Kind.SEMANTIC, "content", matrix[7], 5)


def test_the_server_answers_what_the_blobs_answer(filled: Store, server: Server) -> None:
    told: list[str] = []
    with closing(open_remote(filled, server.url, told)) as index:
        assert index.sync() == 40
        by_server = nearest(index, filled)
        assert index.backend == "Chroma server (HNSW)"
        ids, matrix = filled.vectors.matrix(Kind.SEMANTIC, "content", NAME)
        by_blobs = index.search(Kind.SEMANTIC, "content", matrix[7], 5, among=ids)
        assert [row for row, _ in by_server] == [row for row, _ in by_blobs]
        assert index.verify() == ()
    assert told == []


def test_changes_follow(filled: Store, server: Server) -> None:
    with closing(open_remote(filled, server.url, [])) as index:
        index.sync()
        gone = filled.semantic.list()[0].id
        filled.forget(Ref(Kind.SEMANTIC, gone))
        nearest(index, filled)
        assert "behind" in index.backend
        assert index.sync() == 39, "anew, so that nothing forgotten is left on the server"
        assert index.sync() == 0
        assert gone not in {row for row, _ in index.search(Kind.SEMANTIC, "content", np.ones(8, np.float32), 40)}
        assert index.verify() == ()


def test_a_server_that_goes_away_costs_no_memory(filled: Store, server: Server) -> None:
    told: list[str] = []
    with closing(open_remote(filled, server.url, told)) as index:
        index.sync()
        expected = [row for row, _ in nearest(index, filled)]
        server.stop()
        assert [row for row, _ in nearest(index, filled)] == expected
        assert index.backend == "exact (Chroma cannot be used)"
        assert len(told) == 1
        assert "cannot be reached" in told[0]
    server.start()
    with closing(open_remote(filled, server.url, told)) as index:
        assert [row for row, _ in nearest(index, filled)] == expected
        assert index.backend == "Chroma server (HNSW)"


def test_nobody_there_from_the_start(filled: Store) -> None:
    told: list[str] = []
    with closing(open_remote(filled, f"http://127.0.0.1:{free_port()}", told)) as index:
        assert index.sync() == 0
        assert len(nearest(index, filled)) == 5
        with pytest.raises(StorageError, match="cannot be reached"):
            index.verify()
    assert len(told) == 1


def test_a_process_that_only_asks_searches_the_server_that_another_one_fills(filled: Store, server: Server) -> None:
    with (
        closing(open_remote(filled, server.url, [])) as filling,
        closing(open_remote(filled, server.url, [])) as asking,
    ):
        filling.sync()
        assert nearest(asking, filled) == nearest(filling, filled)
        assert asking.backend == "Chroma server (HNSW)"
        filled.forget(Ref(Kind.SEMANTIC, filled.semantic.list()[0].id))
        nearest(asking, filled)
        assert "behind" in asking.backend
        assert filling.sync() == 39
        assert nearest(asking, filled) == nearest(filling, filled)
        assert asking.backend == "Chroma server (HNSW)"


def test_what_is_no_address_is_refused(filled: Store) -> None:
    with closing(open_remote(filled, "localhost", [])) as index, pytest.raises(ConfigError, match=r"chroma\.url"):
        index.sync()
