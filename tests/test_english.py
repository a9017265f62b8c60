"""The floor of English: stems as the full text has them, sentences, verbs and word lists."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from persona_cli.english import lexicon
from persona_cli.english.forms import mirror, to_second
from persona_cli.english.kept_texts import kept
from persona_cli.english.people import full_names, holder, kin, other_names, same_holder
from persona_cli.english.sentences import sentence_spans, sentences
from persona_cli.english.speakers import stretches
from persona_cli.english.third import third_person
from persona_cli.english.tokens import names, negative, numbers, porter, stem, stems, supported, values
from persona_cli.english.verbs import PAST, base_verb, irregular_bases, is_past, singular

DATA = Path(__file__).parent / "data"
_ENDINGS = lexicon.words(
    "s es ed ing er ers ly ness ment able ability ful fully ization ational ive ist y ies ied bly logy ibly"
)


def _words() -> list[str]:
    """Return some thousand words: all of the test data, and each with endings that the stemmer has rules for."""
    found = {word for path in DATA.glob("*.txt") for word in re.findall(r"[a-z]+", path.read_text().lower())}
    # no single letters: "eed", an ending and nothing before it, is the one string the two do not agree on
    stems_of = [word[:8] for word in sorted(found) if len(word) > 1][::7]
    return sorted(found | {word + ending for word in stems_of for ending in _ENDINGS} | {"a" * 70})


def test_the_stemmer_agrees_with_full_text() -> None:
    words = _words()
    assert len(words) > 10_000
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE VIRTUAL TABLE t USING fts5(w, tokenize = 'porter unicode61 remove_diacritics 2')")
        database.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(t, instance)")
        database.executemany("INSERT INTO t(rowid, w) VALUES (?, ?)", enumerate(words))
        theirs = {words[row]: term for term, row in database.execute("SELECT term, doc FROM terms")}
    database.close()
    assert {word: (theirs[word], porter(word)) for word in words if porter(word) != theirs[word]} == {}


@pytest.mark.parametrize("text", ["café cafés Café", "naïve naive", "fiancée fiancee"])
def test_diacritics_do_not_count(text: str) -> None:
    assert len({stem(word) for word in text.split()}) == 1


@pytest.mark.parametrize(
    "forms",
    [
        "die dies died dead death",
        "child children child's",
        "go goes went gone going",
        "buy buys bought buying",
        "marry marries married",
        "wife wives",
        "travel travels travelled travelling traveling",
        "allergy allergies allergic",
        "colour color colours",
        "think thinks thought",
    ],
)
def test_forms_of_one_word_have_one_stem(forms: str) -> None:
    assert len({stem(word) for word in forms.split()}) == 1


@pytest.mark.parametrize("pair", ["rose rise", "ground grind", "bit bite", "car care", "cat cater", "son song"])
def test_other_words_have_other_stems(pair: str) -> None:
    first, second = pair.split()
    assert stem(first) != stem(second)


SENTENCES = [
    ("I met Dr. Smith at 5 p.m. on Monday. He was nice.", 2),
    ("J. R. R. Tolkien wrote it. I love it.", 2),
    ("Mr. Lim retired, so I see Dr. I. Novak. ok", 2),
    ("My prof. is nice. He teaches at St. Mary's, e.g. maths.", 2),
    ("I work for Apple Inc. I like it. It costs 3.50. ok.", 4),
    ("We met at approx. 5. No. 5 is alive.", 2),
    ("My name is Anna J. I live in Rome.", 2),
    ("She said “I'm leaving. Now.” and left. Good.", 2),
    ('She said "I\'m leaving. Now." and left. Good.', 2),
    ("I said 'ok. fine.' and left.", 1),
    ("We have one (it's old. I know.) and more.", 1),
    ("I live at Storgata 12\n2.", 2),
    ("I live at Storgata 12\n2. floor.", 2),
    ("1. Buy milk\n2. Call mum\n3) Run", 3),
    ("- apples\n- pears", 2),
    ("Hi,\n\nmy name is Ed.\r\nI like tea", 3),
    ("i have a dog 😀 he is old ❤️ I love him", 3),
    ("mum's fine 😂😂", 1),
    ("I was tired… So I slept... Then I woke.", 3),
    ("What?! No way!! really??? yes", 4),
    ("Is that you?he asked", 2),
    ("im tired.My dog died.I am sad", 3),
    ("I saw node.js, main.py and www.example.com. It is v2.0.1 now.", 2),
    ("我住在北京。我喜欢猫！你呢？", 3),
    ("今日は。元気ですか？", 2),
    ("मैं ठीक हूँ। तुम कैसे हो?", 2),
    ("", 0),
    (" \n ", 0),
]


@pytest.mark.parametrize(("text", "count"), SENTENCES)
def test_sentences(text: str, count: int) -> None:
    spans = sentence_spans(text)
    assert len(spans) == count, sentences(text)
    assert sentences(text) == [text[start:end] for start, end in spans]
    assert re.sub(r"\s", "", "".join(sentences(text))) == re.sub(r"\s", "", text)


@pytest.mark.parametrize("verb", sorted(lexicon.BASE - {"am"}))
def test_a_verb_turned_and_turned_back_is_itself(verb: str) -> None:
    if verb != "have":
        assert base_verb(singular(verb)) == verb


@pytest.mark.parametrize(("verb", "past"), [("went", True), ("walked", True), ("need", False), ("red", False)])
def test_past_forms(verb: str, past: bool) -> None:
    assert is_past(verb) == past
    assert irregular_bases()["went"] == "go"
    assert {"was", "bought", "quit"} <= PAST


def test_evidence_goes_by_stems() -> None:
    assert stems("My children died") == {"child", "die"}
    assert values("The user works as a nurse") == {"nurs"}
    assert supported({"germani"}, "He is German") == {"germani"}
    assert negative("I don't like it")
    assert not negative("I like it")
    assert names("My sister Ada lives in Oslo. Dr. Novak came.") == ("Ada", "Oslo", "Novak")
    assert numbers("two dogs, 3 cats, half past six") == {2, 3, 30, 6}


def test_what_is_told_of_a_short_text_is_kept_and_of_a_page_is_not() -> None:
    asked: list[str] = []

    def tell(text: str) -> int:
        asked.append(text)
        return len(text)

    look_up = kept(tell)
    assert [look_up("short"), look_up("short"), look_up("long " * 200), look_up("long " * 200)] == [5, 5, 1000, 1000]
    assert asked == ["short", "long " * 200, "long " * 200]


def test_names_that_are_words() -> None:
    assert names("My brother Will met Rose and Grace.") == ("Will", "Rose", "Grace")
    assert names("Will moved to Rome. Will you come?") == ("Will", "Rome")
    assert names("I will go in May.") == ()


def test_people_by_any_of_their_names() -> None:
    assert kin("Mum") == kin("mother") == "mother"
    assert "my mother" in other_names("my mum")
    assert full_names("Lex") >= {"lex", "alexander"}
    assert same_holder(frozenset({"lex"}), frozenset({"alexander"}))
    assert not same_holder(frozenset({"lex"}), frozenset({"andrew"}))
    assert holder("The user's supervisor Ada is ill") == {"supervisor", "ada"}
    assert holder("The user's dentist appointment is on Monday") == frozenset()


def test_each_word_stands_in_one_of_the_lists_that_add_to_the_stop_list() -> None:
    lists = [lexicon.word_class(name) for name in ("stop", "asking", "weightless", "talking", "topicless")]
    together = [word for words in lists for word in words]
    assert len(together) == len(set(together))


def test_lists_are_read_late() -> None:
    every = "from persona_cli.cli.commands import NAMES, build; [build(name) for name in NAMES]"
    code = f"import sys; {every}; print([name for name in sys.modules if 'persona_cli.english' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LONG = [
    "and ",
    ", ",
    "a",
    ". ",
    '"',
    "“",
    "'",
    "‘",
    "(",
    "1. ",
    "😀 ",
    "approx. ",
    "\n",
    "... A",
    "I met Dr. Who. ",
    "12 ",
]


def growth(read: Callable[[str], object], pattern: str) -> float:
    """Return how many times the CPU time of 2,500 characters reading 20,000 takes, a floor of 3 ms under both."""
    cost = []
    for length in (2_500, 20_000):
        text = (pattern * length)[:length]
        times = []
        for _ in range(3):
            _forget_what_was_read()
            start = time.process_time()
            read(text)
            times.append(time.process_time() - start)
        cost.append(max(min(times), 0.003))
    return cost[1] / cost[0]


def _forget_what_was_read() -> None:
    sentence_spans.cache_clear()
    stretches.cache_clear()


CLAUSES = ("and ", ", ", "a", "I like ", "married to ", "I was and ", "the user ", '"a" ', "? ", "and really ")


@pytest.mark.parametrize("pattern", CLAUSES)
@pytest.mark.parametrize("read", [third_person, mirror, lambda text: to_second(f"The user {text}"), holder])
def test_turning_and_cutting_grow_with_the_text_and_not_faster(read: Callable[[str], object], pattern: str) -> None:
    assert growth(read, pattern) <= 16


READERS: tuple[Callable[[str], object], ...] = (
    sentences,
    stems,
    names,
    numbers,
    negative,
    lambda text: supported(values(text), text),
)


@pytest.mark.parametrize("pattern", LONG)
@pytest.mark.parametrize("read", READERS)
def test_reading_grows_with_the_text_and_not_faster(read: Callable[[str], object], pattern: str) -> None:
    assert growth(read, pattern) <= 16  # 8 times the text, and as much again for a busy machine
