"""The vector index: in step with the store, by whichever way, whatever happens to Chroma."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray

from persona_cli.errors import BusyError
from persona_cli.memory.exact import Block, Change
from persona_cli.memory.index import Index, embed_again, embed_wanted, open_index
from persona_cli.memory.replica import BIG
from persona_cli.memory.store import Store, open_store
from persona_cli.paths import Places, find_places
from persona_cli.records import Kind, Ref, Status
from tests.crowd import DIMENSION, EMBEDDER, add_crowd, clustered

pytestmark = pytest.mark.chroma

Open = Callable[..., Index]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_places(env={"PERSONA_HOME": str(tmp_path)})


@pytest.fixture
def store(places: Places) -> Iterator[Store]:
    store = open_store(places.database)
    yield store
    store.close()


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def opened(places: Places, store: Store, notices: list[str]) -> Iterator[Open]:
    every: list[Index] = []

    def opened(embedder: str = EMBEDDER, dimension: int = DIMENSION, small: int = 0, big: int = BIG) -> Index:
        every.append(open_index(places, store, embedder, dimension, notices.append, small=small, big=big))
        return every[-1]

    yield opened
    for index in every:
        index.close()


def nearest(index: Index, vector: NDArray[np.float32], k: int = 5) -> list[int]:
    return [row for row, _ in index.search(Kind.SEMANTIC, "content", vector, k)]


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
        "from persona_cli.memory.index import open_index\n"
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
    assert done.stdout == "exact (quicker than opening Chroma)\n"


def test_few_vectors_are_searched_exactly(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 50)
    index = opened(small=51)
    index.sync()
    assert nearest(index, vectors[9], 1) == [ids[9]]
    assert index.backend == "exact (quicker than Chroma for 50 vectors)"
    add_crowd(store, 1, seed=1)
    index.sync()
    assert nearest(index, vectors[9], 1) == [ids[9]]
    assert index.backend == "Chroma (HNSW)"


def test_a_big_store_is_searched_through_chroma(store: Store, opened: Open, places: Places) -> None:
    ids, vectors = add_crowd(store, 50)
    first = opened()
    first.sync()
    first.close()
    index = opened(big=50)
    assert nearest(index, vectors[9], 1) == [ids[9]]
    assert index.backend == "Chroma (HNSW)"
    assert index.sync() == 0
    index.close()
    add_crowd(store, 1, seed=1)
    behind = opened(big=50)
    assert nearest(behind, vectors[9], 1) == [ids[9]]
    assert behind.backend == "exact (Chroma is behind the store)"
    assert behind.sync() == 1
    assert nearest(behind, vectors[9], 1) == [ids[9]]
    assert behind.backend == "Chroma (HNSW)"


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
    assert index.sync() == 3
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


def test_a_deleted_index_is_rebuilt_by_the_next_search(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, vectors = add_crowd(store, 80)
    first = opened()
    first.sync()
    first.close()
    shutil.rmtree(places.chroma)
    assert nearest(opened(), vectors[7], 1) == [ids[7]]
    assert notices == ["the index was missing and has been rebuilt from the store (80 vectors)"]
    assert opened().search(Kind.SEMANTIC, "content", vectors[7], 1)
    assert len(notices) == 1


def test_an_index_deleted_while_it_is_open_is_rebuilt(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, vectors = add_crowd(store, 80)
    index = opened()
    index.sync()
    shutil.rmtree(places.chroma)
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert notices == ["the index was missing and has been rebuilt from the store (80 vectors)"]
    add_crowd(store, 5, seed=3)
    assert index.sync() == 5
    assert index.verify() == ()


def overwrite(path: Path) -> None:
    path.write_bytes(b"this is no database" * 500)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5_000])


def scribble(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4_096:40_960] = b"\xa5" * (40_960 - 4_096)
    path.write_bytes(raw)


@pytest.mark.parametrize("damage", [overwrite, truncate, scribble, Path.unlink])
def test_a_damaged_database_is_set_aside(
    store: Store, opened: Open, places: Places, notices: list[str], damage: Callable[[Path], None]
) -> None:
    ids, vectors = add_crowd(store, 80)
    first = opened()
    first.sync()
    first.close()
    damage(places.chroma / "chroma.sqlite3")
    index = opened()
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert len(notices) == 1
    assert "set aside" in notices[0]
    assert "has been rebuilt from the store (80 vectors)" in notices[0]
    assert index.verify() == ()
    assert len(list(places.home.glob("chroma.damaged-*"))) == 1
    assert nearest(index, vectors[8], 1) == [ids[8]]
    assert index.backend == "Chroma (HNSW)"
    assert len(notices) == 1


def flip(name: str) -> Callable[[Path], None]:
    def flip_in(folder: Path) -> None:
        raw = bytearray((folder / name).read_bytes())
        raw[len(raw) // 2] ^= 255
        (folder / name).write_bytes(raw)

    return flip_in


@pytest.mark.parametrize("damage", [shutil.rmtree, flip("header.bin"), flip("data_level0.bin"), flip("link_lists.bin")])
def test_damaged_hnsw_files_are_noticed(
    store: Store, opened: Open, places: Places, notices: list[str], damage: Callable[[Path], None]
) -> None:
    ids, vectors = add_crowd(store, 1_500)  # from 1,000 on Chroma writes them
    first = opened()
    first.sync()
    first.close()
    (folder,) = (path.parent for path in places.chroma.glob("*/header.bin"))
    damage(folder)
    index = opened()
    add_crowd(store, 1, seed=5)
    index.sync()
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert index.verify() == ()
    assert len(notices) == 1
    assert "rebuilt from the store (1,501 vectors)" in notices[0]


def test_what_cannot_be_built_ends_in_exact_search(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, vectors = add_crowd(store, 40)
    places.index_lock.mkdir()
    index = opened()
    for _ in range(3):
        assert nearest(index, vectors[7], 1) == [ids[7]]
        index.sync()
    assert index.backend == "exact (Chroma cannot be used)"
    assert len(notices) == 1
    assert "searching without it" in notices[0]


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


def test_a_store_put_back_from_a_copy(store: Store, opened: Open, places: Places, tmp_path: Path) -> None:
    add_crowd(store, 30)
    store.close()
    shutil.copy(places.database, tmp_path / "copy.db")
    index = open_index(places, later := open_store(places.database), EMBEDDER, DIMENSION, pytest.fail)
    add_crowd(later, 10, seed=4)
    index.sync()
    index.close()
    later.close()
    for path in tmp_path.glob("persona.db*"):
        path.unlink()
    shutil.copy(tmp_path / "copy.db", places.database)
    index = open_index(places, earlier := open_store(places.database), EMBEDDER, DIMENSION, pytest.fail)
    index.sync()
    assert index.verify() == ()
    index.close()
    earlier.close()


def test_a_second_damage_is_the_last(store: Store, opened: Open, places: Places, notices: list[str]) -> None:
    ids, vectors = add_crowd(store, 40)
    places.chroma.write_text("a file where the folder should be")
    index = opened()
    for number in range(4):
        assert nearest(index, vectors[7], 1) == [ids[7]]
        index.close()
        overwrite(places.chroma / "chroma.sqlite3")
        add_crowd(store, 1, seed=number)
        index.sync()
    assert index.backend == "exact (Chroma cannot be used)"
    assert ["set aside" in notices[0], "searching without it" in notices[1]] == [True, True]
    assert len(notices) == 2


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


def test_equal_vectors_come_in_the_order_of_their_ids() -> None:
    block = Block(np.array([9, 4, 7]), np.ones((3, 1), dtype=np.float32))
    assert [row for row, _ in block.nearest(np.ones(1, dtype=np.float32), 3)] == [4, 7, 9]
    assert block.nearest(np.ones(1, dtype=np.float32), 0) == ()


class LetterEmbedder:
    """Embeds a text as how often each letter occurs in it."""

    dimension = 26

    def __init__(self, name: str = "letters") -> None:
        self.name = name
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        counts = [[text.lower().count(chr(97 + letter)) + 1e-3 for letter in range(26)] for text in texts]
        matrix = np.array(counts, dtype=np.float32)
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        return matrix

    def close(self) -> None:
        """Nothing to free."""


def test_wanted_texts_are_embedded_once(store: Store, opened: Open) -> None:
    ids, _ = add_crowd(store, 90)
    embedder = LetterEmbedder()
    assert embed_wanted(store, embedder) == 90
    assert embed_wanted(store, embedder) == 0
    assert len(embedder.texts) == 90
    store.semantic.update(ids[5], content="zzz")
    assert embed_wanted(store, embedder) == 1
    assert nearest(opened("letters", 26, small=99), embedder.embed(["zz"])[0], 1) == [ids[5]]


def test_a_changed_embedder_embeds_again(store: Store, opened: Open) -> None:
    add_crowd(store, 10)
    embed_wanted(store, LetterEmbedder("old"))
    new = LetterEmbedder("new")
    assert embed_wanted(store, new) == 10
    index = opened("new", 26)
    index.sync()
    assert index.verify() == ()
    assert len(index.search(Kind.SEMANTIC, "content", new.embed(["sheep"])[0], 20)) == 10


def test_a_new_model_embeds_everything_again_and_says_so(store: Store, notices: list[str]) -> None:
    assert embed_again(store, LetterEmbedder("old"), notices.append) == 0
    add_crowd(store, 10)
    assert embed_again(store, LetterEmbedder("new"), notices.append) == 10
    assert embed_again(store, LetterEmbedder("new"), notices.append) == 0
    assert notices == ["the embedding model is new now: embedding every memory again"]


def test_embedding_stops_between_batches(store: Store) -> None:
    add_crowd(store, 200)
    embedder = LetterEmbedder()
    done = embed_wanted(store, embedder, stop=lambda: len(embedder.texts) >= 64)
    assert done == len(embedder.texts) == 64
    assert embed_wanted(store, embedder) == 136


def test_a_quarantined_memory_leaves_the_index(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 10)
    index = opened()
    index.sync()
    store.semantic.end(ids[3], store.semantic.get(ids[3]).recorded_at)
    assert store.semantic.get(ids[3]).status is Status.SUPERSEDED
    index.sync()
    assert nearest(index, vectors[3], 1) == [ids[3]], "superseded facts stay searchable"


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
def test_recall_at_ten_thousand(store: Store, opened: Open) -> None:
    ids, vectors = add_crowd(store, 10_000, dimension=384)
    index = opened(dimension=384)
    index.sync()
    found = 0
    for row in range(0, 10_000, 100):
        exact = index.search(Kind.SEMANTIC, "content", vectors[row], 20, np.array(ids))
        found += len({one for one, _ in exact} & set(nearest(index, vectors[row], 20)))
    assert found / (100 * 20) >= 0.99


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


def test_an_index_of_an_older_layout_is_built_anew(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, vectors = add_crowd(store, 80)
    first = opened()
    first.sync()
    first.close()
    marker = places.chroma / "persona.json"
    older = json.loads(marker.read_text())
    del older["neighbours"]
    marker.write_text(json.dumps(older))
    assert nearest(opened(), vectors[7], 1) == [ids[7]]
    assert notices == ["the index was of an older layout and has been rebuilt from the store (80 vectors)"]
    assert json.loads(marker.read_text())["neighbours"] == 64
