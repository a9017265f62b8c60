"""Words are found in scripts that do not part them by spaces, or grow them together."""

from datetime import timedelta

import pytest

from persona_cli.memory import Memory
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.schema import STEPS, bring_up_to_date
from persona_cli.memory.schema.migrations import migrations
from persona_cli.memory.store import Store
from persona_cli.memory.tables.recovering import rebuild_texts
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.records import Kind, Ref, Turn
from tests.talks import NOW
from tests.test_migrations import blank

SAID = {
    "chinese": "我昨天去了医院看医生。",
    "japanese": "昨日は東京タワーに行きました。",
    "thai": "ฉันทำงานที่โรงพยาบาลในกรุงเทพ",
    "arabic": "ذهبت إلى المستشفى أمس",
    "korean": "나는 병원에서 일한다",
    "hebrew": "הלכתי לבית החולים אתמול",
    "name": "My teacher 王小明 is kind, so is Ms 이영희.",
    "latin": "我的朋友Jessica搬到了Lisbon。",
    "english": "I went to the hospital yesterday.",
}


@pytest.fixture
def said(store: Store) -> dict[str, Ref]:
    session = store.sessions.start(NOW)
    turns = {name: store.turns.add(session.id, NOW, text, "", "test") for name, text in SAID.items()}
    return {name: Ref(Kind.MESSAGE, turn.id) for name, turn in turns.items()}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("医院", "chinese"),
        ("医生", "chinese"),
        ("看", "chinese"),
        ("東京タワー", "japanese"),
        ("タワー", "japanese"),
        ("โรงพยาบาล", "thai"),
        ("ที่", "thai"),
        ("مستشفى", "arabic"),
        ("للمستشفى", "arabic"),
        ("병원", "korean"),
        ("חולים", "hebrew"),
        ("小明", "name"),
        ("이영희", "name"),
        ("Jessica", "latin"),
        ("lisbon", "latin"),
        ("hospitals", "english"),
    ],
)
def test_a_word_is_found_wherever_it_stands(words: str, name: str, said: dict[str, Ref], store: Store) -> None:
    for _ in range(2):  # the second time from what is kept in memory
        by_word = store.texts.each(search_terms(words), None, 10)
        assert {Ref(kind, row) for places in by_word.values() for kind, row, _ in places} == {said[name]}
    assert [ref for ref, _ in store.texts.search(search_terms(words), {Kind.MESSAGE}, 10)] == [said[name]]
    assert store.texts.search(search_terms(words), {Kind.SEMANTIC}, 10) == ()


def test_a_sentence_is_asked_for_in_pieces() -> None:
    assert search_terms("我的猫叫什么?") == ("我的", "的猫", "猫叫", "叫什", "什么")
    assert search_terms("Wo ist 王小明, Anna?") == ("wo", "ist", "王小", "小明", "anna")
    assert search_terms("مستشفى") == ("مستش", "ستشف", "تشفى")


def test_the_whole_word_comes_before_a_part_of_it(store: Store) -> None:
    session = store.sessions.start(NOW)
    for text in ("我们去东南亚旅行", "我住在东京", "我在东京铁塔工作"):
        store.turns.add(session.id, NOW, text, "", "test")
    assert [ref.id for ref, _ in store.texts.search(search_terms("东京铁塔"), None, 10)] == [3, 2]


def test_what_the_assistant_said_counts_less(store: Store) -> None:
    session = store.sessions.start(NOW)
    for user, answer in (("你好", "医院在东边"), ("医院在哪里", "")):
        store.turns.add(session.id, NOW, user, answer, "test")
    both = store.texts.search(["医院"], None, 10)
    assert [ref.id for ref, _ in both] == [2, 1]
    assert [ref.id for ref, _ in store.texts.search(["医院"], None, 10, answers=0)] == [2]


def test_pairs_follow_what_is_edited_and_forgotten(store: Store) -> None:
    turn = store.turns.add(store.sessions.start(NOW).id, NOW, "我的狗叫小白", "好的，小白", "test")
    rows = "SELECT count(*) FROM gram"
    assert store._connection.number(rows) == 1
    assert [ref.id for ref in store.texts.holding_all(["我的", "的狗"], 5)] == [turn.id]
    store._connection.write("UPDATE turn SET user = 'My dog', answer = '' WHERE id = ?", (turn.id,))
    assert store._connection.number(rows) == 0
    store._connection.write("UPDATE turn SET user = '我的猫' WHERE id = ?", (turn.id,))
    assert store.texts.search(["的猫"], None, 5)
    store.forget(Ref(Kind.MESSAGE, turn.id))
    assert store._connection.number(rows) == 0
    assert not store._connection.rows("SELECT 1 FROM gram_data WHERE cast(block AS TEXT) LIKE '%的猫%'")


def test_what_was_there_before_the_table_is_in_it() -> None:
    database = blank()
    migrations.apply(database, stop_before=STEPS[STEPS.index("grams")])
    database.execute("INSERT INTO session VALUES (1, 'a', 'a', NULL)")
    database.execute(
        "INSERT INTO turn (id, session_id, at, user, answer, model) VALUES (3, 1, 'a', '去医院', 'ok', 'm'),"
        " (4, 1, 'a', 'plain', '', 'm')"
    )
    bring_up_to_date(database.conn, "here")
    assert database.execute("SELECT rowid, content FROM gram").fetchall() == [(28, " 去医  医院  院 ")]
    database.close()


def test_damaged_pairs_are_written_anew(said: dict[str, Ref], store: Store) -> None:
    store._connection.write("UPDATE gram_data SET block = x'00' WHERE id > 10")
    assert rebuild_texts(store._connection)
    assert [ref for ref, _ in store.texts.search(["医院"], None, 5)] == [said["chinese"]]
    assert not rebuild_texts(store._connection)


def test_a_long_text_is_paired_whole(store: Store) -> None:
    words = "".join(chr(0x4E00 + number) for number in range(1_200))
    store.turns.add(store.sessions.start(NOW + timedelta(hours=1)).id, NOW, words, "", "test")
    assert all(store.texts.search([words[at : at + 3]], None, 5) for at in (0, 498, 499, 500, 998, 1_197))


def test_a_search_finds_a_word_in_a_sentence(memory: Memory) -> None:
    for text in SAID.values():
        memory.store.turns.add(memory.store.sessions.start(NOW).id, NOW, text, "", "test")
    embed_wanted(memory.store, memory.embedder)
    for words, name in (("医院", "chinese"), ("タワー", "japanese"), ("โรงพยาบาล", "thai"), ("مستشفى", "arabic")):
        first = memory.retriever.search(words, at=NOW).hits[0]
        assert isinstance(first.memory, Turn)
        assert first.memory.user == SAID[name]
