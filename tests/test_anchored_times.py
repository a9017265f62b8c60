"""Times that hang on something remembered, through a real store, index and embedding model, in several time zones."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.config import Settings
from persona_cli.evaluation.judging.answers import says_unknown
from persona_cli.memory import Memory
from persona_cli.memory.retrieval import Retriever, SearchResult
from persona_cli.memory.retrieval.events import Surety, event_time, read_anchor
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.paths import find_places
from persona_cli.records import Answer, Aspect, Kind, Query, Recall, Retrieve, SemanticMemory, Window

pytestmark = pytest.mark.usefixtures("weights")

ZONES = ("Europe/Lisbon", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Auckland")
TALK = (
    ("2025-02-10", "My sister's birthday is on 2 March."),
    ("2025-03-01", "I moved to Lisbon last Saturday!"),
    ("2025-03-09", "I baked bread with rye flour."),
    ("2025-04-28", "Went to the cinema, a film about bees."),
    ("2025-04-29", "Got a red kite from Tomas today."),
    ("2025-05-01", "The kite is broken already."),
    ("2025-06-01", "I bought a green dress for the wedding."),
    ("2025-06-14", "The wedding is today, I am so nervous."),
    ("2025-06-16", "We hiked up a hill and saw goats."),
    ("2025-07-03", "I'm in Rome, eating too much ice cream."),
    ("2025-07-05", "Anna moved to Porto yesterday."),
    ("2025-07-08", "Back from Rome, and it rains."),
    ("2025-07-10", "We are flying to Oslo on 20 July for a week."),
    ("2025-07-20", "Our cat Max died yesterday."),
    ("2025-08-10", "I planted a lemon tree."),
    ("2025-08-12", "Since I moved to Lisbon I sleep well."),
)


def local(day: str, zone: str, hour: int = 0) -> datetime:
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=ZoneInfo(zone))


def live(memory: Memory, zone: str) -> None:
    """Tell what was said at seven in the evening of each day, and know a birthday by month and day."""
    store = memory.store
    for day, words in TALK:
        at = local(day, zone, 19)
        session = store.sessions.start(at)
        store.turns.add(session.id, at, words, "I see.", "test")
        store.sessions.close(session.id, at)
    store.core.put("birthday", "29 April", Aspect.HUMAN, local("2025-02-10", zone))
    embed_wanted(store, memory.embedder)


@pytest.fixture
def ask(memory: Memory) -> Callable[[str, str], SearchResult]:
    def asked(text: str, zone: str = ZONES[0]) -> SearchResult:
        if memory.store.turns.count() == 0:
            live(memory, zone)
        return memory.retriever.search(text, kinds={Kind.MESSAGE}, at=local("2025-09-01", zone, 12))

    return asked


WINDOWS = (
    "the day before my birthday = 2025-04-28..2025-04-29 | birthday: 29 April",
    "the week after my birthday = 2025-04-30..2025-05-07 | birthday: 29 April",
    "What am I doing on my next birthday? = 2026-04-29..2026-04-30 | birthday: 29 April",
    "the day before my birthday last year = 2024-04-28..2024-04-29 | birthday: 29 April",
    "on my sister's birthday = 2025-03-02..2025-03-03 | My sister's birthday is on 2 March.",
    "What have I done since I moved to Lisbon? = 2025-02-22.. | I moved to Lisbon last Saturday!",
    "What did I bake after I moved? = 2025-02-23.. | I moved to Lisbon last Saturday!",
    "Where was I before moving to Lisbon? = ..2025-02-22 | I moved to Lisbon last Saturday!",
    "What did we do since Anna moved to Porto? = 2025-07-04.. | Anna moved to Porto yesterday.",
    "What did we see after the wedding? = 2025-06-15.. | The wedding is today, I am so nervous.",
    "What did I buy two weeks before the wedding? = 2025-05-28..2025-06-04 | The wedding is today, I am so nervous.",
    "What did we see when we were in Oslo? = 2025-07-20..2025-07-27 | We are flying to Oslo on 20 July for a week.",
    "What did I eat when I was in Rome? = 2025-07-03..2025-07-09 | I'm in Rome, eating too much ice cream.",
    "What did I plant since Max died? = 2025-07-19.. | Our cat Max died yesterday.",
    "What did I bake the summer our cat died? = 2025-06-01..2025-09-01 | Our cat Max died yesterday.",
)


@pytest.mark.parametrize("zone", ZONES)
def test_what_is_known_dates_a_question_in_its_own_zone(zone: str, ask: Callable[[str, str], SearchResult]) -> None:
    for row in WINDOWS:
        text, _, wanted = row.partition(" = ")
        days, _, words = wanted.partition(" | ")
        found = ask(text, zone)
        start, end = (local(day, zone) if day else None for day in days.split(".."))
        source = found.window_source or " ".join(found.notes)
        assert words in source, text
        # the window is applied, or it was given up because nothing lies in it, and that is said
        assert found.window == Window(start, end) or "Nothing was found for" in source, text


@pytest.mark.parametrize(
    ("words", "question", "window"),
    [
        ("I was born on 4 June 1990.", "Where did I live in my twenties?", "2010-06-04..2020-06-04"),
        ("I was born on 4 June 1990.", "What did I do when I was 12?", "2002-06-04..2003-06-04"),
        ("My birthday is 4 June 1990.", "What did I like in my early thirties?", "2020-06-04..2024-06-04"),
        ("I am 34 years old.", "Where did I live in my twenties?", "2010-03-03..2021-03-02"),
        ("My sister Ada was born in 1995.", "Where did I meet her in Ada's twenties?", "2015-01-01..2025-12-31"),
        ("My son is 8 years old.", "Where did I live in my twenties?", ""),
        ("My birthday is 4 June.", "Where did I live in my twenties?", ""),
    ],
)
def test_an_age_hangs_on_a_birth(memory: Memory, words: str, question: str, window: str) -> None:
    said, at = local("2025-03-02", ZONES[0], 19), local("2025-09-01", ZONES[0], 12)
    session = memory.store.sessions.start(said)
    memory.store.turns.add(session.id, said, words, "I see.", "test")
    embed_wanted(memory.store, memory.embedder)
    start, _, end = window.partition("..")
    wanted = Window(local(start, ZONES[0]), local(end, ZONES[0])) if window else None
    assert memory.retriever.when(question, at) == wanted


def test_an_age_of_the_profile_is_counted_from_when_it_was_said(memory: Memory) -> None:
    memory.store.core.put("age", "34", Aspect.HUMAN, local("2025-03-02", ZONES[0]))
    window = memory.retriever.when("Where did I live as a teenager?", local("2025-09-01", ZONES[0], 12))
    assert window == Window(local("2003-03-03", ZONES[0]), local("2011-03-02", ZONES[0]))


def test_the_time_decides_what_is_found(ask: Callable[[str, str], SearchResult]) -> None:
    def first(text: str) -> str:
        return str(ask(text, ZONES[0]).hits[0].memory.user)  # type: ignore[union-attr]  # only messages are asked for

    assert first("What did I do the day before my birthday?") == "Went to the cinema, a film about bees."
    assert first("What did I get on my birthday?") == "Got a red kite from Tomas today."
    assert first("What did I plant since our cat died?") == "I planted a lemon tree."
    assert first("What happened two days after my birthday?") == "The kite is broken already."


def test_a_stay_is_said_from_its_first_to_its_last_day(ask: Callable[[str, str], SearchResult]) -> None:
    found = ask("What did we see before our flight to Oslo?", ZONES[0])
    assert found.window_source == (
        "before our flight to Oslo, between 20 July and 26 July"
        " (you said “We are flying to Oslo on 20 July for a week.” on 10 July)"
    )


def test_a_recall_says_where_its_time_came_from(memory: Memory) -> None:
    live(memory, ZONES[0])
    at = local("2025-09-01", ZONES[0], 12)
    text = "What did I do the day before my birthday?"
    recall = memory.retriever.recall(Query(text, at), Retrieve(text))
    assert recall.window_source.startswith("the day before my birthday, on 29 April (your profile says")
    assert [hit.memory.user for hit in recall.messages] == ["Went to the cinema, a film about bees."]
    given = memory.retriever.recall(Query(text, at), Retrieve(text, start=local("2025-06-16", ZONES[0])))
    assert given.window_source == "model"
    wished = memory.retriever.recall(Query("And then?", at), Retrieve("lemon tree, since our cat died"))
    assert wished.window_source.startswith("since our cat died, on 19 July")


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("What did I do before I met Bruno?", "I met Bruno"),
        ("What did I eat after my operation?", "my operation"),
        ("What did I cook since she left?", "she left"),
        ("What did we do since the wedding of Carla?", "the wedding of Carla"),
    ],
)
def test_an_anchor_nobody_told_of_is_words_of_the_question(
    text: str, anchor: str, ask: Callable[[str, str], SearchResult]
) -> None:
    found = ask(text, ZONES[0])
    assert found.window is None
    assert found.notes == (f"No time is known for “{anchor}”; it was searched for as words.",)


def test_a_question_without_an_anchor_is_searched_once(ask: Callable[[str, str], SearchResult], memory: Memory) -> None:
    ask("What did I plant?", ZONES[0])
    texts: list[str] = []
    embed = memory.embedder.embed_query

    class Counting:
        name = memory.embedder.name

        def embed_query(self, said: list[str]) -> object:
            texts.extend(said)
            return embed(said)

    memory.retriever._embedder = Counting()  # type: ignore[assignment]
    ask("What did I plant last summer?", ZONES[0])
    assert texts == ["What did I plant last summer?"]
    ask("the day before my birthday", ZONES[0])
    assert len(texts) == 2  # the profile knows it: no search of its own
    ask("What did I plant since our cat died?", ZONES[0])
    assert texts[2:] == ["our cat died", "What did I plant  ?"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What did I do the day before my birthday?", "cinema"),
        ("What did I bake before the wedding?", "bread with rye flour"),
        ("What did I do before I met Bruno?", ""),
    ],
)
def test_a_chat_answers_from_that_time(question: str, answer: str) -> None:
    def clock() -> datetime:
        return local("2025-09-01", ZONES[0], 12)

    assistant = open_assistant(find_places(), Settings(), clock=clock, notice=pytest.fail)
    try:
        talk = (*TALK, ("2025-02-11", "My birthday is on 29 April."))
        replay(assistant, [Exchange(local(day, ZONES[0], 19), words, "I see.") for day, words in talk])
        steps = list(assistant.respond(question))
    finally:
        assistant.close()
    (said,) = (step.text for step in steps if isinstance(step, Answer))
    assert answer in said
    assert says_unknown(said) is not bool(answer)
    assert "29 April" not in said
    recalls = [step for step in steps if isinstance(step, Recall)]
    assert len(recalls) <= 2
    assert all(recall.window is not None for recall in recalls) == ("Bruno" not in question)


AT = local("2025-09-01", "UTC", 12)
DAY = timedelta(days=1)
TELLS = (
    "I moved to Lisbon in March. | I moved to Lisbon | named",
    "We moved here in 2021, to Lisbon I mean. | I moved to Lisbon | named",
    "I've just moved to Lisbon. | I moved to Lisbon | just",
    "I moved to Lisbon for a job. | I moved to Lisbon | vague",
    "Yesterday Anna moved to Lisbon. | Anna moved | named",
    "My exam is on Friday. | my exam | named",
    "I passed my exam yesterday. | my exam | named",
    "The wedding was wonderful. | the wedding | vague",
    "I met Anna on 3 May at the choir. | I met Anna | named",
    "I'm in Rome! | I was in Rome | just",
    "I'm scared about tomorrow. | I was scared | just",
    "Moving to Lisbon on Monday. | moving to Lisbon | named",
)
DOES_NOT_TELL = (
    "Anna moved to Lisbon in March. | I moved to Lisbon",
    "I heard that Anna moved to Lisbon in March. | I moved to Lisbon",
    "I would love to move to Lisbon next year. | I moved to Lisbon",
    "I didn't move to Lisbon in March. | I moved to Lisbon",
    "Did I move to Lisbon in March? | I moved to Lisbon",
    "Since I moved to Lisbon I sleep well. | I moved to Lisbon",
    "I moved to Porto yesterday. | I moved to Lisbon",
    "I bought a dress for the wedding yesterday. | the wedding",
    "I am nervous about my exam. | my exam",
    "Anna's exam is on Friday. | my exam",
    "My brother met Anna on 3 May. | I met Anna",
    "I met Annabel on 3 May. | I met Anna",
    "I live in Lisbon. | I moved to Lisbon",
)


@pytest.mark.parametrize("row", TELLS)
def test_a_sentence_tells_when_it_was(row: str) -> None:
    said, anchor, surety = row.split(" | ")
    telling = event_time(said, AT, read_anchor(anchor))
    assert telling is not None
    assert telling.surety is Surety[surety.upper()]
    if telling.surety is not Surety.NAMED:
        assert telling.window.end is not None
        assert telling.window.end - AT <= DAY


@pytest.mark.parametrize("row", DOES_NOT_TELL)
def test_a_sentence_about_something_else_tells_nothing(row: str) -> None:
    said, anchor = row.split(" | ")
    assert event_time(said, AT, read_anchor(anchor)) is None


def test_a_fact_has_the_time_of_its_event(memory: Memory) -> None:
    at, married = local("2025-05-01", "UTC"), Window(local("2018-06-12", "UTC"), local("2018-06-13", "UTC"))
    fact = SemanticMemory(
        0,
        "The user married Tomas on a beach.",
        ("wedding",),
        "user",
        "I married Tomas on a beach.",
        at,
        at,
        event=married,
    )
    memory.store.semantic.add(fact)
    embed_wanted(memory.store, memory.embedder)
    window = memory.retriever.when("the year we married", AT)
    assert window == Window(local("2018-01-01", "UTC"), local("2019-01-01", "UTC"))
    later = memory.retriever.when("a week after I married Tomas", AT)
    assert later is not None
    assert local("2018-06-19", "UTC") in later


def test_an_event_to_come_is_no_past_one(memory: Memory) -> None:
    at = local("2025-08-30", "UTC", 19)
    session = memory.store.sessions.start(at)
    memory.store.turns.add(session.id, at, "My exam is on 10 September.", "Good luck.", "test")
    embed_wanted(memory.store, memory.embedder)
    when: Callable[[str, datetime], Window | None] = Retriever.when.__get__(memory.retriever)
    assert when("What did I do the day after my exam?", AT) is None
    ahead = when("What do I need to do before my exam?", AT)
    assert ahead == Window(None, local("2025-09-10", "UTC"))
