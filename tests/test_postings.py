"""The words of the full text that are kept in memory: always what SQLite itself would find and score."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.memory.store import Store, open_store
from persona_cli.memory.tables import postings
from persona_cli.records import Aspect, Kind, Ref, SemanticMemory
from tests.test_store_safety import HOSTILE

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
WORDS = ("zebra", "running", "tea", "stripes", "harbour", "the", "nobody", "old-harbour", "Häfen", "?!")
SOME = [
    "zebra",
    "tea",
    "the",
    "harbour",
    "runs",
    "häfen",
    "old",
    "stripes",
    "over",
    "a",
    "long",
    "morning",
    "with",
    "tea",
    "and",
    "the",
    "zebra",
]


def fact(text: str, *keywords: str) -> SemanticMemory:
    return SemanticMemory(0, text, keywords, "user", "q", AT, AT)


def say(store: Store, text: str, answer: str = "") -> int:
    return store.turns.add(store.sessions.start(AT).id, AT, text, answer, "test").id


def fill(store: Store, count: int = 60) -> None:
    """Store messages and facts of different lengths, so that each word has many scores and some of them equal."""
    with store.transaction():
        for number in range(count):
            words = SOME[number % 7 : number % 7 + 1 + number % 11]
            turn = say(store, " ".join(words), " ".join(reversed(words[: number % 4])))
            if number % 3 == 0:
                store.semantic.add(fact(f"Zebra {number} {' '.join(words)}", "stripes", words[-1]))
            if turn % 10 == 0:
                store.core.put(f"animal {number}", "zebra and tea", Aspect.HUMAN, AT)


def check(store: Store, words: Sequence[str] = WORDS, limit: int = 12) -> None:
    """Look words up, in some kinds and in all, and hold what is found to what FTS5 says."""
    for kinds in (None, {Kind.MESSAGE}, {Kind.SEMANTIC, Kind.CORE}, set[Kind]()):
        expected = {word: store.texts.lookup([word], kinds, limit) for word in words}
        assert store.texts.each(words, kinds, limit) == expected
        for some in (words[:3], words[2:7]):
            scored = store.texts.lookup(some, kinds, 999)
            found = store.texts.search(some, kinds, 999)
            assert {ref: pytest.approx(score) for ref, score in found} == {Ref(kind, row): s for kind, row, s in scored}


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    check(store)
    assert store.texts.each(["zebra"], None, 12)["zebra"]
    return store


def reads(store: Store) -> list[str]:
    """Note from now on the reads of a whole word or of all lengths."""
    seen: list[str] = []
    store._connection.raw.set_trace_callback(
        lambda sql: seen.append(sql) if "text_word" in sql or "FROM text_docsize" in sql else None
    )
    return seen


def test_a_store_with_nothing_in_it_is_searched(store: Store) -> None:
    check(store)
    say(store, "zebra")
    check(store)


def test_what_is_added_is_found_and_nothing_kept_is_read_again(filled: Store) -> None:
    seen = reads(filled)
    say(filled, "a zebra had tea", "zebra zebra zebra")
    filled.semantic.add(fact("Runs along the harbour.", "zebra"))
    filled.core.put("tea", "green", Aspect.HUMAN, AT)
    filled.habits.put("zoo", "Sees the zebra.", AT)
    image = filled.images.add("a" * 64, "image/png", 1, 1, 1, "0" * 16, AT)
    filled.images.set_caption(image.id, "a zebra at the harbour")
    check(filled)
    assert [sql for sql in seen if "text_docsize" in sql or "'zebra'" in sql] == []


def test_what_is_edited_forgotten_or_hidden_is_followed(filled: Store) -> None:
    seen = reads(filled)
    for number, (_, row, _) in enumerate(filled.texts.lookup(["zebra"], {Kind.SEMANTIC}, 6)):
        if number % 2:
            filled.semantic.update(row, content="A horse with tea, tea and tea.", keywords=("stripes", "tea"))
        else:
            filled.forget(Ref(Kind.SEMANTIC, row))
        check(filled)
    for _, row, _ in filled.texts.lookup(["harbour"], {Kind.MESSAGE}, 3):
        filled.forget(Ref(Kind.MESSAGE, row))
    check(filled)
    assert seen == []


def test_what_another_connection_writes_is_followed(home: Path) -> None:
    store, other = open_store(home / "persona.db"), open_store(home / "persona.db")
    fill(store)
    check(store)
    check(other)
    say(other, "the old harbour with a zebra")
    gone = other.texts.lookup(["stripes"], {Kind.SEMANTIC}, 1)[0][1]
    other.forget(Ref(Kind.SEMANTIC, gone))
    check(store)
    store.semantic.update(store.texts.lookup(["tea"], {Kind.SEMANTIC}, 1)[0][1], content="stripes, stripes")
    check(other)
    check(store)
    store.close()
    other.close()


def test_what_is_taken_back_is_gone(filled: Store) -> None:
    turn = say(filled, "the zebra moved")
    with filled.transaction(), filled.journal.caused_by(turn):
        kept = filled.semantic.add(fact("The zebra moved to the harbour.", "tea"))
        filled.core.put("pet", "zebra", Aspect.HUMAN, AT, turn)
    check(filled)
    filled.journal.take_back(turn)
    check(filled)
    assert (Kind.SEMANTIC, kept.id) not in {one[:2] for one in filled.texts.each(["moved"], None, 99)["moved"]}


def test_what_is_rolled_back_was_never_there(filled: Store) -> None:
    given: list[int] = []

    def change_your_mind() -> None:
        with filled.transaction():
            given.append(say(filled, "zebra " * 9))
            assert filled.texts.each(["zebra"], None, 999)["zebra"][0][:2] == (Kind.MESSAGE, given[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_your_mind()
    # the id that came to nothing is given again
    assert say(filled, "the harbour") == given[0]
    check(filled)


def test_more_changes_than_are_worth_following_are_read_anew(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "_STEP_BY_STEP", 5)
    seen = reads(filled)
    fill(filled, 20)
    check(filled)
    assert any("text_docsize" in sql for sql in seen)


def test_ids_that_are_used_again_by_an_import_are_noticed(filled: Store) -> None:
    rows = [*filled.export_rows()]
    with filled.transaction():
        for table in ("job", "journal", "semantic", "core", "turn", "session"):
            filled._connection.write(f"DELETE FROM {table}")
    check(filled)
    changed = [(table, row | ({"user": "tea zebra"} if table == "turn" else {})) for table, row in rows]
    filled.import_rows(changed)
    check(filled)


def test_a_look_that_is_cut_off_leaves_nothing_half_taken_over(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = postings.Postings._make_room

    def stop(_: postings.Postings) -> None:
        raise KeyboardInterrupt

    for text in ("the zebra runs along the harbour", "tea, tea and a zebra"):
        say(filled, text, "zebra")
        monkeypatch.setattr(postings.Postings, "_make_room", stop)
        with pytest.raises(KeyboardInterrupt):
            filled.texts.each(["zebra"], None, 12)
        monkeypatch.setattr(postings.Postings, "_make_room", real)
        check(filled)


def test_what_was_cut_off_while_it_was_cut_into_words_is_not_counted_again() -> None:
    tokens = postings._Tokens()

    def two_rows() -> Iterator[tuple[int, str, str, str]]:
        yield 1, "zebra", "", ""
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tokens._run(two_rows(), "SELECT 1")
    assert tokens.of(["tea", "zebras"]) == [("tea",), ("zebra",)]
    tokens.close()


def test_an_older_copy_that_is_restored_under_a_running_process_is_noticed(home: Path) -> None:
    store = open_store(home / "persona.db")
    fill(store)
    with closing(sqlite3.connect(home / "persona.db")) as raw:
        raw.execute("VACUUM INTO ?", (str(home / "copy.db"),))
    check(store)
    say(store, "the zebra came later")
    check(store)
    with closing(sqlite3.connect(home / "copy.db")) as copy, closing(sqlite3.connect(home / "persona.db")) as raw:
        copy.backup(raw)
    check(store)
    say(store, "tea again")
    check(store)
    store.close()


def test_no_more_is_kept_than_there_is_room_for(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "_KEPT", 70)
    for _ in range(3):
        say(filled, "zebra and tea in the old harbour")
        check(filled)
        kept = filled.texts._postings
        assert kept is not None
        assert kept._kept == sum(len(word.places) for word in kept._words.values())
        assert kept._kept <= 70 or len(kept._words) == 1


def test_long_texts_count_by_their_length(filled: Store) -> None:
    say(filled, "zebra " + "word " * 200, "and " * 130)
    say(filled, "zebra " + "word " * 20_000)
    again = open_store(None)
    again.import_rows(filled.export_rows())
    for one in (filled, again):
        check(one)
        check(one, limit=999)
    again.close()


@pytest.mark.parametrize("text", HOSTILE)
def test_any_word_may_be_asked_for(filled: Store, text: str) -> None:
    say(filled, f"{text} walrus")
    filled.core.put("name", text, Aspect.HUMAN, AT + timedelta(days=1))
    check(filled, [text])
    check(filled, [*dict.fromkeys(text.split()), "walrus"])
