"""The vector index whatever happens to Chroma's files: built anew, or done without."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.memory.store import Store, open_store
from persona_cli.memory.vectors.index import open_index
from persona_cli.paths import Places
from persona_cli.records import Kind, Ref
from tests.crowd import DIMENSION, EMBEDDER, add_crowd
from tests.index.conftest import Open, after_looks, nearest

pytestmark = pytest.mark.chroma


def overwrite(path: Path) -> None:
    path.write_bytes(b"this is no database" * 500)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5_000])


def scribble(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4_096:40_960] = b"\xa5" * (40_960 - 4_096)
    path.write_bytes(raw)


def filled_and_closed(store: Store, opened: Open, count: int) -> tuple[list[int], NDArray[np.float32]]:
    """Store so many vectors and leave them in an index that nobody has open; return their ids, and them."""
    crowd = add_crowd(store, count)
    index = opened()
    index.sync()
    index.close()
    return crowd


@pytest.mark.parametrize("damage", [overwrite, truncate, scribble])
def test_a_damaged_database_is_built_anew(
    store: Store, opened: Open, places: Places, notices: list[str], damage: Callable[[Path], None]
) -> None:
    ids, vectors = filled_and_closed(store, opened, 80)
    damage(places.chroma / "chroma.sqlite3")
    index = opened()
    add_crowd(store, 1, seed=5)
    assert index.sync() == 81
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert len(notices) == 1
    assert "is rebuilt from the store" in notices[0]
    assert index.verify() == ()
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
    ids, vectors = filled_and_closed(store, opened, 1_500)  # from 1,000 on Chroma writes them
    (folder,) = (path.parent for path in places.chroma.glob("*/header.bin"))
    damage(folder)
    index = opened()
    add_crowd(store, 1, seed=5)
    index.sync()
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert index.verify() == ()
    assert len(notices) == 1
    assert "is rebuilt from the store" in notices[0]


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


def test_a_second_damage_is_the_last(store: Store, opened: Open, places: Places, notices: list[str]) -> None:
    ids, vectors = filled_and_closed(store, opened, 40)
    index = opened()
    for number in range(4):
        overwrite(places.chroma / "chroma.sqlite3")
        add_crowd(store, 1, seed=number)
        index.sync()
        assert nearest(index, vectors[7], 1) == [ids[7]]
        index.close()
    assert index.backend == "exact (Chroma cannot be used)"
    assert ["is rebuilt" in notices[0], "searching without it" in notices[1]] == [True, True]
    assert len(notices) == 2


def delete_database(folder: Path) -> None:
    (folder / "chroma.sqlite3").unlink()


@pytest.mark.parametrize("delete", [shutil.rmtree, delete_database])
def test_a_deleted_index_is_filled_again(
    store: Store, opened: Open, places: Places, notices: list[str], delete: Callable[[Path], None]
) -> None:
    ids, vectors = filled_and_closed(store, opened, 80)
    delete(places.chroma)
    index = opened()
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert index.sync() == 80
    assert index.verify() == ()
    assert notices == []


def test_an_index_deleted_while_it_is_open_is_filled_again(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, vectors = add_crowd(store, 80)
    index = opened()
    index.sync()
    shutil.rmtree(places.chroma)
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert "behind" in index.backend
    add_crowd(store, 5, seed=3)
    assert index.sync() == 85
    assert index.verify() == ()
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


def test_a_store_put_back_under_an_index_that_was_only_begun(
    store: Store, opened: Open, places: Places, tmp_path: Path
) -> None:
    ids, _ = add_crowd(store, 1_300)
    store.close()
    shutil.copy(places.database, tmp_path / "copy.db")
    index = open_index(places, later := open_store(places.database), EMBEDDER, DIMENSION, pytest.fail)
    add_crowd(later, 10, seed=4)
    assert index.sync(after_looks(2)) == 1_000
    index.close()
    later.close()
    for path in places.home.glob("persona.db*"):
        path.unlink()
    shutil.copy(tmp_path / "copy.db", places.database)
    index = open_index(places, earlier := open_store(places.database), EMBEDDER, DIMENSION, pytest.fail)
    earlier.forget(Ref(Kind.SEMANTIC, ids[3]))
    # anew, without a notice of damage: Chroma keeps the bytes of what it deletes
    assert index.sync() == 1_299
    assert index.verify() == ()
    index.close()
    earlier.close()


def test_a_damaged_index_goes_with_what_is_forgotten_as_a_whole_one_would(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, _ = filled_and_closed(store, opened, 80)
    scribble(places.chroma / "chroma.sqlite3")
    store.forget(Ref(Kind.SEMANTIC, ids[3]))
    assert opened().sync() == 79
    assert notices == []


def test_a_file_in_the_place_of_the_index_goes_after_something_was_forgotten(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, vectors = add_crowd(store, 40)
    store.forget(Ref(Kind.SEMANTIC, ids[3]))
    places.chroma.write_text("a file where the folder should be")
    index = opened()
    assert index.sync() == 39
    assert nearest(index, vectors[7], 1) == [ids[7]]
    assert notices == []


@pytest.mark.parametrize("state", ["unfinished", "missing"])
def test_an_index_set_aside_goes_with_what_is_forgotten_whatever_became_of_the_new_one(
    store: Store, opened: Open, places: Places, state: str
) -> None:
    ids, _ = filled_and_closed(store, opened, 80)
    shutil.copytree(places.chroma, places.home / "chroma.damaged-20260101-000000")
    marker = places.chroma / "persona.json"
    if state == "missing":
        shutil.rmtree(places.chroma)
    else:
        marker.unlink()
    store.forget(Ref(Kind.SEMANTIC, ids[3]))
    opened().sync()
    assert not list(places.home.glob("chroma.damaged-*"))


def test_an_index_of_an_older_layout_is_built_anew(
    store: Store, opened: Open, places: Places, notices: list[str]
) -> None:
    ids, vectors = filled_and_closed(store, opened, 80)
    marker = places.chroma / "persona.json"
    older = json.loads(marker.read_text())
    marker.write_text(json.dumps(older | {"place": "16 neighbours"}))
    index = opened()
    assert index.sync() == 80
    assert nearest(index, vectors[7], 1) == [ids[7]]
    index.close()
    assert json.loads(marker.read_text()) != older
    assert notices == []
