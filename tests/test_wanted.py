"""Which texts wait for a vector: after it was noted that none does, only what was written since is looked at."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from persona_cli.memory.store import Store, open_store
from persona_cli.memory.tables import vectors
from persona_cli.records import Aspect, Kind, Ref, SemanticMemory, Status

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
NAME = "mini"


def fact(text: str, status: Status = Status.ACTIVE) -> SemanticMemory:
    return SemanticMemory(0, text, ("word",), "user", "q", AT, AT, status=status)


def set_status(store: Store, row: int, status: Status) -> None:
    store._connection.update("semantic", row, {"status": status})


def texts(store: Store, name: str = NAME) -> list[str]:
    wanted = store.vectors.wanted(name, 999)
    assert len(wanted) == store.vectors.count_wanted(name)
    assert [store.vectors.wanted(name, most) for most in (0, 1, 2)] == [wanted[:most] for most in (0, 1, 2)]
    return [text for _, _, text in wanted]


def embed(store: Store, name: str = NAME) -> None:
    for ref, field, text in store.vectors.wanted(name, 999):
        assert store.vectors.put(ref, field, name, np.ones(2, dtype=np.float32), text)
    store.vectors.note_complete(name)


@pytest.fixture
def complete(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with something of each kind that waits for nothing, which is noted."""
    monkeypatch.setattr(vectors, "_WORTH_A_NOTE", 1)
    session = store.sessions.start(AT)
    store.turns.add(session.id, AT, "I have a zebra", "Lovely.", "test")
    for text in ("Has a zebra.", "Likes tea."):
        store.semantic.add(fact(text))
    store.core.put("pet", "zebra", Aspect.HUMAN, AT)
    store.habits.put("zoo", "Goes to the zoo.", AT)
    store.images.set_caption(store.images.add("a" * 64, "image/png", 1, 1, 1, "0" * 16, AT).id, "a zebra")
    assert len(texts(store)) == 8
    embed(store)
    assert texts(store) == []
    return store


def looked_at(store: Store) -> list[str]:
    """Note from now on where texts are looked for."""
    seen: list[str] = []
    store._connection.raw.set_trace_callback(lambda sql: seen.append(sql) if "embeddable AS one" in sql else None)
    return seen


def test_nothing_is_read_where_nothing_was_written(complete: Store) -> None:
    seen = looked_at(complete)
    assert complete.vectors.wanted(NAME, 9) == ()
    assert seen == []
    complete.semantic.add(fact("Likes coffee."))
    assert [text for _, _, text in complete.vectors.wanted(NAME, 9)] == ["Likes coffee.", "word"]
    assert len(seen) == 1
    assert "memory_id > 2" in seen[0]


def test_what_is_added_edited_or_shown_again_is_wanted(complete: Store) -> None:
    complete.semantic.update(1, content="Has two zebras.")
    assert texts(complete) == ["Has two zebras.", "word"]
    complete.images.set_caption(1, "a horse")
    complete.core.put("pet", "horse", Aspect.HUMAN, AT)
    assert sorted(texts(complete)) == ["Has two zebras.", "a horse", "pet: horse", "word"]
    embed(complete)
    assert texts(complete) == []
    set_status(complete, 2, Status.QUARANTINED)
    assert texts(complete) == []
    embed(complete)
    set_status(complete, 2, Status.ACTIVE)
    assert texts(complete) == ["Likes tea.", "word"]
    complete.forget(Ref(Kind.SEMANTIC, 2))
    assert texts(complete) == []


def test_nothing_is_noted_while_something_waits(complete: Store) -> None:
    complete.semantic.add(fact("Likes coffee."))
    complete.vectors.note_complete(NAME)
    assert texts(complete) == ["Likes coffee.", "word"]
    complete.semantic.add(fact("Obey.", Status.QUARANTINED))
    embed(complete)
    set_status(complete, 4, Status.ACTIVE)
    assert texts(complete) == ["Obey.", "word"]


def test_each_embedder_has_a_note_of_its_own(complete: Store) -> None:
    assert len(texts(complete, "other")) == 8
    complete.semantic.add(fact("Likes coffee."))
    embed(complete, "other")
    assert (texts(complete, "other"), texts(complete)) == ([], ["Likes coffee.", "word"])


def test_what_came_to_nothing_and_what_is_imported_is_looked_at(complete: Store) -> None:
    def add_in_vain() -> None:
        with complete.transaction():
            complete.semantic.add(fact("Likes coffee."))
            embed(complete)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_in_vain()
    complete.semantic.add(fact("Likes milk."))
    assert texts(complete) == ["Likes milk.", "word"]
    embed(complete)
    rows = [*complete.export_rows()]
    for table in ("journal", "semantic", "core", "habit", "turn", "session", "image"):
        complete._connection.write(f"DELETE FROM {table}")
    assert texts(complete) == []
    embed(complete)
    complete.import_rows(rows)
    assert len(texts(complete)) == 10


def test_what_another_connection_writes_is_wanted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_WORTH_A_NOTE", 1)
    store, other = open_store(home / "persona.db"), open_store(home / "persona.db")
    store.semantic.add(fact("Likes tea."))
    embed(store)
    assert texts(other) == []
    other.semantic.update(1, content="Likes coffee.")
    assert texts(store) == ["Likes coffee.", "word"]
    store.close()
    other.close()


def test_everything_is_looked_at_again_when_asked(complete: Store) -> None:
    complete._connection.write("DELETE FROM vector WHERE memory_id = 2")
    assert complete.vectors.wanted(NAME, 9) == ()
    assert complete.vectors.count_wanted(NAME) == 2
    complete.vectors.look_again()
    assert texts(complete) == ["Likes tea.", "word"]


def test_vectors_of_other_embedders_can_be_deleted(complete: Store) -> None:
    embed(complete, "other")
    count = complete.vectors.counts()[NAME]
    assert complete.vectors.drop_others("other") == count
    assert complete.vectors.counts() == {"other": count}
    assert (texts(complete, "other"), len(texts(complete))) == ([], count)
    assert complete.vectors.changed_since(0, NAME) == ()
    assert complete.vectors.drop_others("other") == 0
