"""The vector index: in step with the store, by whichever way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading

import numpy as np
import pytest
from filelock import FileLock

from persona_cli.errors import BusyError
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.chroma import Chroma, Folder
from persona_cli.memory.vectors.exact import Ids, Matrix
from persona_cli.paths import Places
from persona_cli.records import Kind, Ref, Status
from tests.crowd import DIMENSION, EMBEDDER, add_crowd, clustered
from tests.index.conftest import Open, after_looks, nearest

pytestmark = pytest.mark.chroma


def test_a_store_without_vectors(opened: Open, places: Places, notices: list[str]) -> None:
    index = opened()
    assert index.search(Kind.SEMANTIC, "content", clustered(1)[0], 5) == ()
    assert index.sync() == 0
    assert index.verify() == ()
    assert not places.chroma.exists()
    assert notices == []


def test_both_ways_find_the_same(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 300)
    index = opened()
    index.sync()
    for row in (0, 150, 299):
        approximate = index.search(Kind.SEMANTIC, "content", vectors[row], 10)
        assert index.backend == "Chroma (HNSW)"
        exact = index.search(Kind.SEMANTIC, "content", vectors[row], 10, np.array(ids))
        assert [one for one, _ in approximate] == [one for one, _ in exact]
        assert [cosine for _, cosine in approximate] == pytest.approx([cosine for _, cosine in exact], abs=1e-5)
        assert approximate[0][0] == ids[row]


def test_a_process_that_only_asks_does_not_open_chroma(store: Store, opened: Open, places: Places) -> None:
    add_crowd(store, 50)
    first = opened()
    first.sync()
    first.close()
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from persona_cli.memory.vectors.index import open_index\n"
        "from persona_cli.memory.store import open_store\n"
        "from persona_cli.paths import find_places\n"
        "from persona_cli.records import Kind\n"
        "places = find_places(env={'PERSONA_HOME': sys.argv[1]})\n"
        "store = open_store(places.database)\n"
        f"index = open_index(places, store, {EMBEDDER!r}, {DIMENSION}, print)\n"
        f"assert index.search(Kind.SEMANTIC, 'content', np.ones({DIMENSION}, dtype=np.float32), 3)\n"
        "assert 'chromadb' not in sys.modules\n"
        "print(index.backend)\n"
        "index.close(); store.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(places.home)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "exact (quicker than Chroma below 1,302,083 vectors of a kind)\n"


def test_few_vectors_are_searched_exactly(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 50)
    index = opened(crossover=51 * 4 * DIMENSION)
    index.sync()
    assert nearest(index, vectors[9], 1) == [ids[9]]
    assert index.backend == "exact (quicker than Chroma below 51 vectors of a kind)"
    add_crowd(store, 1, seed=1)
    index.sync()
    assert nearest(index, vectors[9], 1) == [ids[9]]
    assert index.backend == "Chroma (HNSW)"


def test_a_process_that_fills_nothing_searches_exactly_whatever_the_size(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 50)
    first = opened()
    first.sync()
    first.close()
    index = opened()
    assert nearest(index, vectors[9], 1) == [ids[9]]
    assert index.backend == "exact (quicker than opening Chroma)"


def test_only_the_ids_that_are_allowed(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 100)
    allowed = np.array(ids[10:14], dtype=np.int64)
    found = opened().search(Kind.SEMANTIC, "content", vectors[0], 10, allowed)
    assert {row for row, _ in found} == set(ids[10:14])
    assert opened().search(Kind.SEMANTIC, "content", vectors[0], 10, np.array([], dtype=np.int64)) == ()


def test_sync_is_incremental_and_idempotent(store: Store, opened: Open, notices: list[str]) -> None:
    add_crowd(store, 100)
    index = opened()
    assert index.sync() == 100
    assert index.sync() == 0
    ids, vectors = add_crowd(store, 20, seed=1)
    assert index.sync() == 20
    assert nearest(index, vectors[3], 1) == [ids[3]]
    assert index.verify() == ()
    assert notices == []


def test_sync_carries_changes_and_deletions(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 60)
    index = opened()
    index.sync()
    store.forget(Ref(Kind.SEMANTIC, ids[0]))
    store.semantic.update(ids[1], content="Something else altogether.")
    store.vectors.put(Ref(Kind.SEMANTIC, ids[2]), "content", EMBEDDER, -vectors[2])
    assert nearest(index, -vectors[2], 1) == [ids[2]], "what is not yet in Chroma is found all the same"
    assert "behind" in index.backend
    assert index.sync() == 58, "anew, for Chroma keeps the bytes of what it deletes"
    assert index.verify() == ()
    assert not {ids[0], ids[1]} & set(nearest(index, vectors[0], 60))
    assert index.backend == "Chroma (HNSW)"
    assert nearest(index, -vectors[2], 1) == [ids[2]]


def test_exact_search_follows_the_store(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 30)
    index = opened()
    everything = np.arange(1, 1_000)
    index.search(Kind.SEMANTIC, "content", vectors[0], 5, everything)
    store.forget(Ref(Kind.SEMANTIC, ids[0]))
    more, new = add_crowd(store, 3, seed=9)
    assert index.search(Kind.SEMANTIC, "content", new[1], 1, everything)[0][0] == more[1]
    assert ids[0] not in [row for row, _ in index.search(Kind.SEMANTIC, "content", vectors[0], 99, everything)]
    for row in (*ids[1:], *more):
        store.forget(Ref(Kind.SEMANTIC, row))
    assert index.search(Kind.SEMANTIC, "content", new[1], 5, everything) == ()


def test_verify_names_what_differs(store: Store, opened: Open, places: Places) -> None:
    ids, vectors = add_crowd(store, 10)
    index = opened()
    index.sync()
    index.close()
    raw = sqlite3.connect(places.database)
    raw.execute("DROP TRIGGER vector_deleted")
    raw.execute("DELETE FROM vector WHERE memory_id = ?", (ids[0],))
    raw.execute("UPDATE vector SET vector = ? WHERE memory_id = ?", ((-vectors[1]).tobytes(), ids[1]))
    raw.commit()
    raw.close()
    assert opened().verify() == (
        f"semantic {ids[1]} (content) has another vector in the index",
        f"semantic {ids[0]} (content) is in the index only",
    )


def test_rebuild_needs_no_embedding_model(store: Store, opened: Open, places: Places) -> None:
    ids, vectors = add_crowd(store, 70)
    index = opened()
    assert index.rebuild() == 70
    assert index.rebuild() == 70
    assert nearest(index, vectors[1], 1) == [ids[1]]
    assert index.verify() == ()


def test_another_embedder_gets_another_index(store: Store, opened: Open, notices: list[str]) -> None:
    add_crowd(store, 30)
    first = opened()
    first.sync()
    first.close()
    ids, vectors = add_crowd(store, 25, seed=2, dimension=16, embedder="another")
    second = opened("another", 16)
    assert nearest(second, vectors[4], 1) == [ids[4]]
    assert second.sync() == 25
    assert nearest(second, vectors[4], 1) == [ids[4]]
    assert second.verify() == ()
    assert notices == []


def test_while_another_process_holds_chroma(store: Store, opened: Open, places: Places, notices: list[str]) -> None:
    add_crowd(store, 3, seed=1)
    first = opened()
    first.sync()
    first.close()
    ids, vectors = add_crowd(store, 30)
    index = opened()
    with FileLock(places.index_lock):
        assert index.sync() == 0
        assert nearest(index, vectors[2], 1) == [ids[2]]
        assert index.backend == "exact (another process holds Chroma)"
        with pytest.raises(BusyError):
            index.rebuild()
        with pytest.raises(BusyError):
            index.verify()
    assert index.sync() == 30
    assert notices == []


def test_searching_while_another_thread_writes_and_syncs(store: Store, opened: Open, notices: list[str]) -> None:
    ids, vectors = add_crowd(store, 200)
    index = opened()
    index.sync()
    finished = threading.Event()

    def write() -> None:
        for seed in range(10, 22):
            add_crowd(store, 20, seed=seed)
            index.sync()
        finished.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not finished.is_set():
        assert nearest(index, vectors[50], 1) == [ids[50]]
        assert index.search(Kind.SEMANTIC, "content", vectors[51], 1, np.array(ids))[0][0] == ids[51]
    writer.join()
    assert index.verify() == ()
    assert notices == []


def test_a_quarantined_memory_leaves_the_index(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 10)
    index = opened()
    index.sync()
    store.semantic.end(ids[3], store.semantic.get(ids[3]).recorded_at)
    assert store.semantic.get(ids[3]).status is Status.SUPERSEDED
    index.sync()
    assert nearest(index, vectors[3], 1) == [ids[3]], "superseded facts stay searchable"


def test_a_copy_that_is_in_step_is_opened_where_it_is_worth_searching(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 60)
    first = opened()
    first.sync()
    first.close()
    few, many = opened(crossover=61 * 4 * DIMENSION), opened(crossover=60 * 4 * DIMENSION)
    for index, backend in ((few, "exact (quicker than Chroma below 61 vectors of a kind)"), (many, "Chroma (HNSW)")):
        assert index.sync() == 0
        assert nearest(index, vectors[9], 1) == [ids[9]]
        assert index.backend == backend


def test_behind_a_conversation_a_copy_is_filled_in_batches_and_closed_again(store: Store, opened: Open) -> None:
    enough = 1_000 * 4 * DIMENSION
    add_crowd(store, 200)
    first, second = opened(crossover=enough), opened(crossover=enough)
    assert first.keep_up() == 0
    add_crowd(store, 60, seed=7)
    assert first.keep_up() == 260
    assert first.in_step
    add_crowd(store, 1, seed=8)
    assert first.keep_up() == 0
    assert second.sync() == 1, "the first has let it go"
    add_crowd(store, 1, seed=9)
    assert second.keep_up() == 0
    assert opened().sync() == 0, "the second holds it, for it was told to bring all in step"
    second.close()
    searched = opened()
    assert searched.keep_up() == 1, "what is searched in it is always there"
    assert searched.verify() == ()


@pytest.mark.slow
def test_five_thousand_vectors_survive_a_restart(store: Store, opened: Open, notices: list[str]) -> None:
    ids, vectors = add_crowd(store, 5_000)
    first = opened()
    assert first.sync() == 5_000
    first.close()
    add_crowd(store, 1, seed=7)
    second = opened()
    assert second.sync() == 1
    assert second.verify() == ()
    for row in range(0, 5_000, 250):
        assert nearest(second, vectors[row], 1) == [ids[row]]
        assert second.backend == "Chroma (HNSW)"
    assert notices == []


@pytest.mark.slow
def test_filling_the_index_stops_between_steps_and_goes_on_in_another_process(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 2_300)
    index = opened()
    assert index.sync(after_looks(2)) == 1_000
    assert not index.in_step
    assert nearest(index, vectors[-1], 1) == [ids[-1]], "what is not in Chroma yet is found all the same"
    assert "behind" in index.backend
    index.close()
    later = opened()
    assert later.sync() == 1_300
    assert later.in_step
    assert later.verify() == ()


def test_forgetting_deletes_the_copies_and_waits_for_no_new_ones(store: Store, opened: Open, places: Places) -> None:
    ids, vectors = add_crowd(store, 2_400)
    index = opened()
    index.sync()
    store.forget(Ref(Kind.SEMANTIC, ids[7]))
    index.drop_gone()
    assert not places.chroma.exists()
    assert (index.lacking(), index.verify()) == (2_399, ())
    assert ids[7] not in nearest(index, vectors[7])
    index.drop_gone()
    assert index.sync() == 2_399
    index.drop_gone()
    assert (index.lacking(), index.in_step) == (0, True)


def test_what_another_process_forgot_leaves_chroma_when_it_is_closed(
    store: Store, opened: Open, places: Places
) -> None:
    ids, _ = add_crowd(store, 60)
    index = opened()
    index.sync()
    store.forget(Ref(Kind.SEMANTIC, ids[3]))
    index.close()
    assert not places.chroma.exists()


def test_what_is_in_the_index_when_ctrl_c_ends_the_filling_stays(
    store: Store, opened: Open, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_crowd(store, 2_300)
    index, upsert, calls = opened(), Chroma.upsert, iter((False, True))

    def interrupted(self: Chroma, kind: Kind, field: str, ids: Ids, matrix: Matrix) -> None:
        upsert(self, kind, field, ids, matrix)
        if next(calls):
            raise KeyboardInterrupt

    monkeypatch.setattr(Chroma, "upsert", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index.sync()
    monkeypatch.undo()
    index.close()
    later = opened()
    assert later.lacking() == 1_300
    assert later.sync() == 1_300
    assert later.verify() == ()
    assert notices == []


def test_what_is_forgotten_while_chroma_is_opened_is_noticed(
    store: Store, opened: Open, places: Places, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, _ = add_crowd(store, 1_300)
    first = opened()
    first.sync(after_looks(2))
    first.close()

    def slowly(self: Folder) -> Chroma:
        monkeypatch.undo()
        store.forget(Ref(Kind.SEMANTIC, ids[3]))
        return self.open()

    monkeypatch.setattr(Folder, "open", slowly)
    later = opened()
    assert later.sync() == 300 + 1_299, "built anew, for Chroma keeps the bytes of what it deletes"
    assert later.in_step
    assert later.verify() == ()
    assert notices == []


def test_recall_at_ten_thousand(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 10_000, dimension=384)
    index = opened(dimension=384)
    index.sync()
    found = 0
    for row in range(0, 10_000, 100):
        exact = index.search(Kind.SEMANTIC, "content", vectors[row], 20, np.array(ids))
        found += len({one for one, _ in exact} & set(nearest(index, vectors[row], 20)))
    assert found / (100 * 20) >= 0.99
