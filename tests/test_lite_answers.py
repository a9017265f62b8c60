"""The built-in model answers what it was told, and only that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.model.lite import open_lite
from persona_cli.model.lite.acts import Act, act_of, unwrapped
from persona_cli.model.lite.answers import compose
from persona_cli.model.lite.evidence import Told, gather, roles
from persona_cli.model.lite.questions import Form, understand
from persona_cli.model.lite.relevance import Match
from persona_cli.model.tasks import Situation
from persona_cli.personality import Traits
from persona_cli.records import Answer, CoreMemory, Query
from tests.stories import Embed, Listener, moment, read_stories, said, verdict

pytestmark = pytest.mark.gguf


@pytest.fixture(scope="session")
def embed(embedder: Embedder) -> Embed:
    known: dict[str, NDArray[np.float32]] = {}

    def remembering(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, embedder.embed(new) if new else (), strict=True))
        return np.stack([known[text] for text in texts])

    return remembering


@pytest.fixture
def listener(embed: Embed) -> Listener:
    turns = (
        said(1, "2023-05-12T10:00", "I have a dog called Max. He is a beagle."),
        said(2, "2023-05-14T10:00", "My brother Tom works as a nurse in Hamburg."),
        said(3, "2023-05-20T10:00", "Last Sunday I visited my grandmother in Kiel."),
        said(4, "2023-05-22T10:00", "I don't like coffee, I drink green tea every morning."),
        said(5, "2023-06-01T10:00", "I live in Berlin. I'm allergic to peanuts."),
    )
    return Listener(open_lite(embed), embed, turns)


NOW = moment("2023-06-10T09:00")


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1], ids=["calibrated on", "held out"])
def test_stories(embed: Embed, half: int) -> None:
    """Nine in ten right, and hardly ever an answer to what was never told."""
    model = open_lite(embed)
    counts: Counter[str] = Counter()
    failures = []
    for story in read_stories()[half::2]:
        person = Listener(model, embed, story.turns)
        for question, wanted in story.questions:
            answer = person.ask(question, story.now)
            result = verdict(answer, wanted)
            counts[result] += 1
            if result != "right":
                failures.append(f"{result}: {story.name}: {question} [{wanted}] -> {answer}")
    total = counts.total()
    assert counts["right"] >= 0.9 * total, "\n".join(failures)
    assert counts["wrong"] + counts["invented"] <= 0.05 * total, "\n".join(failures)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Do I like coffee?", "No, you "),
        ("Do I have a pet?", "Yes, "),
        ("where does tom work", "Your brother Tom works as a nurse in Hamburg — you told me on 14 May."),
        ("When did I visit my grandmother?", "On 14 May: "),
    ],
)
def test_an_answer_is_in_the_second_person_and_dated(listener: Listener, question: str, answer: str) -> None:
    assert listener.ask(question, NOW).startswith(answer)


@pytest.mark.parametrize(
    "question",
    [
        "What is my sister's name?",
        "How old is my dog?",
        "Which car do I drive?",
        "What is Tom's wife called?",
        "Where does my grandmother work?",
        "What does my cat eat?",
    ],
)
def test_what_was_never_told_is_not_known(listener: Listener, question: str) -> None:
    assert listener.ask(question, NOW).startswith("I don't know that yet.")


@pytest.mark.parametrize("question", ["What is the capital of France?", "Who wrote Faust?"])
def test_general_knowledge_is_refused_honestly(listener: Listener, question: str) -> None:
    answer = listener.ask(question, NOW)
    assert "no general knowledge" in answer
    assert "README" in answer


def test_a_window_is_asked_for_and_dropped_when_it_holds_nothing(listener: Listener) -> None:
    answer = listener.ask("What did I drink yesterday?", NOW)
    first, second = listener.retrieved[:2]
    assert (first.start, first.end) == (moment("2023-06-09T00:00"), moment("2023-06-10T00:00"))
    assert second.start is None
    assert answer.startswith("I don't know that yet.")


def test_recent_turns_say_who_she_is(embed: Embed) -> None:
    now = moment("2023-06-10T09:00")
    age = "She turned three in May."
    told = (said(1, "2023-06-10T08:55", "My cat is called Rio."), said(2, "2023-06-10T08:57", age))
    listener = Listener(open_lite(embed), embed)
    assert "Rio turned three in May 2023" in listener.ask("How old is my cat?", now, recent=told)
    assert "Rio turned three in May 2023" in listener.ask(age, now, recent=told[:1])


def test_recent_turns_count_before_any_update(embed: Embed) -> None:
    now = moment("2023-06-10T09:00")
    recent = (said(1, "2023-06-10T08:55", "My parrot is called Rio."),)
    answer = Listener(open_lite(embed), embed).ask("What's my parrot's name?", now, recent=recent)
    assert "Rio" in answer
    assert "just now" in answer


@pytest.mark.parametrize(
    ("sentence", "act"),
    [
        ("where do i live", Act.QUESTION),
        ("Can you tell me what my dog is called?", Act.QUESTION),
        ("Do you remember my sister's name", Act.QUESTION),
        ("When I was young I lived in Rome.", Act.STATEMENT),
        ("Remember that my locker code is 12.", Act.STATEMENT),
        ("Write me a poem", Act.REQUEST),
        ("could you translate this", Act.REQUEST),
        ("What should I cook tonight?", Act.REQUEST),
        ("Hello!", Act.GREETING),
        ("thanks a lot", Act.THANKS),
        ("Good night", Act.GOODBYE),
        ("how are you?", Act.HOW_ARE_YOU),
        ("Who are you?", Act.ABOUT_SELF),
        ("I love this song", Act.STATEMENT),
    ],
)
def test_acts(sentence: str, act: Act) -> None:
    assert act_of(sentence) is act


@pytest.mark.parametrize(
    ("sentence", "form", "slot"),
    [
        ("How old is Max?", Form.WHAT, "age"),
        ("When is my birthday?", Form.WHEN, "birthday"),
        ("How many children do I have?", Form.HOW_MANY, None),
        ("Where do I live?", Form.WHERE, "home"),
        ("Do I like jazz?", Form.YES_NO, "likes"),
        ("What does my sister do?", Form.WHAT, "job"),
    ],
)
def test_questions_are_understood(sentence: str, form: Form, slot: str | None) -> None:
    question = understand(sentence, NOW)
    assert (question.form, question.slot and question.slot.name) == (form, slot)


def test_wrapping_is_taken_off() -> None:
    assert unwrapped("Hey, can you tell me where my keys are?") == "where my keys are?"


def test_the_story_file_is_large_enough_to_mean_something() -> None:
    questions = [
        wanted
        for story in read_stories(Path(__file__).parent / "data" / "stories.txt")
        for _, wanted in story.questions
    ]
    assert len(questions) >= 300
    assert questions.count("no") >= 80


def test_what_was_said_last_time_is_told_from_the_session_before(embed: Embed) -> None:
    before = (
        said(1, "2023-06-08T18:00", "I joined a rowing club."),
        said(2, "2023-06-08T18:03", "Lately I've been sleeping badly because of the heat."),
    )
    model = open_lite(embed)
    for question in ("What did we talk about last time?", "what did i tell you last time"):
        situation = Situation(Query(question, NOW), CoreMemory(), Traits(), before=before)
        pieces = list(model.reason(situation, lambda: False))
        answer = next(piece.text for piece in pieces if isinstance(piece, Answer))
        assert answer.startswith("Last time, on 8 June")
        assert "rowing club" in answer
        assert "You have been sleeping badly" in answer


@pytest.mark.parametrize(
    ("told", "question", "answer"),
    [
        ("Jonas and I broke up in May.", "Am I still with Jonas?", "No, "),
        ("I'd love to see Iceland one day.", "Have I been to Iceland?", "Not as far as I know: "),
        (
            "The school Easter fair is on 3 July.",
            "When is the school Easter fair?",
            "The school Easter fair is on 3 July",
        ),
    ],
)
def test_what_ended_or_was_only_wished_is_no_yes(embed: Embed, told: str, question: str, answer: str) -> None:
    turns = (said(1, "2023-06-02T18:00", told),)
    assert Listener(open_lite(embed), embed, turns).ask(question, NOW).startswith(answer)


def test_a_favourite_that_changed_is_told_as_it_is_now(embed: Embed) -> None:
    turns = (
        said(1, "2023-04-02T18:00", "My favourite singer is Adele."),
        said(2, "2023-06-02T18:00", "Actually my favourite singer these days is Hozier."),
    )
    answer = Listener(open_lite(embed), embed, turns).ask("Who's my favourite singer?", NOW)
    assert "Hozier" in answer
    assert "Adele" not in answer


def test_a_date_without_a_year_falls_back_to_the_year_that_has_memories(embed: Embed) -> None:
    turns = (said(1, "2021-03-14T18:00", "Today I repaired the old canoe with my uncle."),)
    answer = Listener(open_lite(embed), embed, turns).ask("What did I do on 14 March?", NOW)
    assert "canoe" in answer
    assert "2021" in answer


def test_the_asked_noun_need_not_be_said(embed: Embed) -> None:
    turns = (said(1, "2023-06-02T18:00", "I learned to cook a spicy lentil stew today."),)
    answer = Listener(open_lite(embed), embed, turns).ask("What recipe did I learn to cook?", NOW)
    assert "lentil stew" in answer


def test_the_asked_noun_decides_where_it_was_said(embed: Embed) -> None:
    turns = (
        said(1, "2023-05-01T18:00", "I have been wanting to learn how to cook recently."),
        said(2, "2023-05-20T18:00", "I learned to cook a new dish today, lamb tagine."),
    )
    assert "lamb tagine" in Listener(open_lite(embed), embed, turns).ask("What dish did I learn to cook?", NOW)


def test_what_is_told_of_a_name_answers_for_the_role() -> None:
    turns = (said(1, "2023-06-10T08:50", "Neil is my brother. Neil is an astronaut. Chelsea is my cat."),)
    every = gather(Situation(Query("What does my brother do?", NOW), CoreMemory(), Traits(), turns))
    assert roles(every) == {"Neil": "brother", "Chelsea": "cat"}
    of_the_brother = [told.content for told in every if "brother" in told.stems]
    assert any("astronaut" in content for content in of_the_brother)
    assert not any(content.startswith("Chelsea") for content in of_the_brother)


def test_what_was_only_thought_of_is_no_yes(embed: Embed) -> None:
    turns = (said(1, "2023-05-12T10:00", "I'm thinking of buying a boat someday."),)
    answer = Listener(open_lite(embed), embed, turns).ask("Do I have a boat?", NOW)
    assert answer.startswith("Not as far as I know")


def test_who_came_is_known_by_the_name_given_later(embed: Embed) -> None:
    turns = (said(1, "2023-05-12T10:00", "We got a kitten last week, her name is Mochi."),)
    answer = Listener(open_lite(embed), embed, turns).ask("When did we get Mochi?", NOW)
    assert "in the week of 1 May 2023" in answer


def test_what_holds_now_is_the_answer_however_far_behind_what_has_ended() -> None:
    nurse = Told("The user works as a nurse.", NOW, "fact", subject="user", slot="user/job", until=NOW)
    teacher = Told("The user works as a teacher.", NOW, "fact", subject="user", slot="user/job")
    matches = (Match(nurse, 1.2), Match(teacher, 0.6))
    answer = compose(understand("What job do I have?", NOW), matches, NOW)
    assert answer.startswith("You work as a teacher")


@pytest.mark.parametrize(
    ("content", "spoken"),
    [
        ("The user likes the song Yesterday.", "You like the song Yesterday"),
        ("The user met Tom yesterday.", "You met Tom the day before"),
    ],
)
def test_a_song_keeps_its_name(content: str, spoken: str) -> None:
    assert Told(content, NOW, "fact", subject="user").spoken() == spoken
