"""What the built-in model says, and what of it is a wish that the loop fulfils; its sentences are read by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.model.lite.answer import Match, compose, is_answered, nearest, offered
from persona_cli.model.lite.knowledge import of_memory
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.matching import understand
from persona_cli.model.lite.reply import Decision, decide
from persona_cli.model.tasks import SearchRound, Situation
from persona_cli.personality import Traits
from persona_cli.reading.inquiry import question_of
from persona_cli.reading.judging import Bearing
from persona_cli.reading.labels import ANSWERS, Guess
from persona_cli.reading.statement import Statement
from persona_cli.records import (
    Aspect,
    CoreEntry,
    CoreMemory,
    Fulfilled,
    Hit,
    Kind,
    Query,
    Recall,
    Ref,
    Retrieve,
    SemanticMemory,
    Turn,
    Want,
    Wish,
)
from tests.readings import listening, read_as
from tests.stories import moment

NOW = moment("2026-05-12T09:30")


def alike(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return vectors that are all alike."""
    return np.ones((len(texts), 1), dtype=np.float32)


def remembered(content: str, number: int = 7, day: str = "2026-05-03", **more: object) -> SemanticMemory:
    at = moment(f"{day}T10:00")
    memory = SemanticMemory(number, content, (), "user", content, recorded_at=at, valid_from=at, turn_id=number + 100)
    return replace(memory, **more)  # type: ignore[arg-type]  # fields by name


def situation(text: str, *found: SemanticMemory, recent: tuple[Turn, ...] = (), **more: object) -> Situation:
    asked = Situation(Query(text, NOW), CoreMemory(), Traits(), recent)
    if found:
        hits = tuple(Hit(Ref(Kind.SEMANTIC, memory.id), memory, 1.0) for memory in found)
        asked = replace(asked, exchanges=(SearchRound("", Retrieve("x"), Recall(semantic=hits)),))
    return replace(asked, **more)  # type: ignore[arg-type]  # fields by name


def say(listener: Listener, asked: Situation) -> Decision:
    return decide(asked, listener, alike)


def ask(text: str, kind: str, memory: SemanticMemory, label: str, *known: Statement, who: str = "me") -> str:
    """Return the answer to a question with one memory that stands to it as `label` says."""
    question = read_as(text, "ask", asked=kind, worth=0, who=who)
    listener = listening(question, *known, bearings={(text, memory.content): label})
    return decide(situation(text, memory), listener, alike, may_search=False).answer


def test_what_is_not_to_be_stored_is_kept_out_and_said_so() -> None:
    text = "Do not store this. I cheated."
    listener = listening(read_as("Do not store this.", "nokeep"), read_as("I cheated."))
    asked = situation(text)
    assert say(listener, asked).next == Wish(Want.KEEP_OUT)
    done = replace(asked, fulfilled=(Fulfilled(Wish(Want.KEEP_OUT), ("Nothing is stored.",)),))
    assert "Nothing of this message is stored" in say(listener, done).answer
    assert "remember" not in say(listener, done).answer


def test_what_points_back_is_about_the_message_before() -> None:
    before = Turn(41, 1, NOW, "Kelly has a new man.", "Noted.", "lite")
    for text, act in (("forget that", "forget"), ("please don't save that", "nokeep")):
        listener = listening(read_as(text, act))
        assert say(listener, situation(text, recent=(before,))).next == Wish(Want.FORGET, (Ref(Kind.MESSAGE, 41),))
    assert say(listening(read_as("forget that", "forget")), situation("forget that")).next is None


def test_one_thing_that_is_meant_is_forgotten_with_its_message() -> None:
    text = "forget what I said about Kelly"
    listener = listening(read_as(text, "forget"))
    assert say(listener, situation(text)).next == Retrieve("Kelly")
    found = situation(text, remembered("Kelly has a new man."), remembered("I like tea.", 8))
    assert say(listener, found).next == Wish(Want.FORGET, (Ref(Kind.MESSAGE, 107),))


def test_where_several_could_be_meant_it_asks_first() -> None:
    text = "delete what I said about Kelly"
    listener = listening(read_as(text, "forget"))
    found = (remembered("Kelly has a new man."), remembered("Kelly wants weekends.", 8))
    asks = say(listener, situation(text, *found))
    assert asks.next is None
    assert "s7" in asks.answer
    assert "s8" in asks.answer
    before = Turn(50, 1, NOW, text, asks.answer, "lite")
    refs = (Ref(Kind.SEMANTIC, 7), Ref(Kind.SEMANTIC, 8))
    assert say(listening(), situation("yes, all of them", recent=(before,))).next == Wish(Want.FORGET, refs)
    assert say(listening(), situation("forget s8", recent=(before,))).next == Wish(Want.FORGET, refs[1:])
    assert say(listening(), situation("yes, all of them")).next is None


def test_nothing_is_forgotten_on_the_word_of_the_head_alone() -> None:
    text = "I lost my keys, that was silly"
    assert say(listening(read_as(text, "forget")), situation(text)).next is None


def test_what_is_known_of_somebody_is_looked_up_and_told() -> None:
    text = "what do you know about Ada?"
    listener = listening(read_as(text, "ask", asked="summary", who="other", name="Ada", worth=0))
    assert say(listener, situation(text)).next == Wish(Want.ABOUT, name="Ada")
    known = Fulfilled(Wish(Want.ABOUT, name="Ada"), memories=(remembered("my sister Ada lives in Ghent"),),
                      names=("Ada", "sister"))  # fmt: skip
    told = say(listener, situation(text, fulfilled=(known,))).answer
    assert told.startswith("Ada, your sister:\n- Your sister Ada lives in Ghent (3 May)")
    nobody = Fulfilled(Wish(Want.ABOUT, name="Ada"))
    assert "don't know anything about Ada" in say(listener, situation(text, fulfilled=(nobody,))).answer


def test_a_reminder_is_kept_and_it_is_said_that_it_does_not_ring() -> None:
    text = "remind me to call the dentist on Friday"
    answer = say(listening(read_as(text, "remind")), situation(text)).answer
    assert "Call the dentist on Friday" in answer
    assert "can't ring" in answer


@pytest.mark.parametrize(
    ("text", "kind", "answer"),
    [
        ("whats the date today", "now", "It is Tuesday, 12 May 2026, 09:30."),
        ("what's 17*23?", "world", "17*23 is 391."),
        ("what did we talk about last time?", "what", "This is the first time we talk, as far as I know."),
    ],
)
def test_what_needs_no_memory_is_answered_at_once(text: str, kind: str, answer: str) -> None:
    decision = say(listening(read_as(text, "ask", asked=kind, who="none")), situation(text))
    assert (decision.next, decision.answer) == (None, answer)


def turn(number: int, text: str) -> Turn:
    return Turn(number, number, moment(f"2026-05-0{number}T10:00"), text, "", "lite")


def found(text: str, *turns: Turn) -> Situation:
    hits = tuple(Hit(Ref(Kind.MESSAGE, said.id), said, 1.0) for said in turns)
    return situation(text, exchanges=(SearchRound("", Retrieve("x"), Recall(messages=hits)),))


def test_a_message_of_several_sentences_is_quoted_whole() -> None:
    said = turn(3, "The card came. Two days before!")
    text = "did my card come?"
    asked = read_as(text, "ask", asked="what", worth=0)
    read = [read_as("The card came."), read_as("Two days before!", start=15)]
    listener = listening(asked, *read, bearings={(text, "The card came."): "answers", (text, said.user): "answers"})
    answer = decide(found(text, said), listener, alike, may_search=False).answer
    assert answer == "You told me on 3 May: “The card came. Two days before!”"


def test_where_the_first_is_not_clearly_first_the_best_are_offered() -> None:
    texts = ("I lent my drill to Danno.", "I have a new drill.", "Danno is my neighbour.", "I like soup.")
    known = [of_memory(remembered(text, number)) for number, text in enumerate(texts, 1)]
    bearing = Bearing(Guess("close", 1.0), dict.fromkeys(ANSWERS, 0.0))
    matches = [Match(one, bearing, score) for one, score in zip(known, (0.2, 0.18, 0.15, 0.01), strict=True)]
    statement = read_as("who has my drill?", "ask", asked="who", worth=0)
    question = question_of(statement)
    assert question is not None
    near = nearest(understand(question, statement, None, {}), matches)
    assert not is_answered(matches)
    assert offered(near, NOW).split("\n")[1:] == [
        "- You lent your drill to Danno (3 May)",
        "- You have a new drill (3 May)",
        "- Danno is your neighbour (3 May)",
    ]
    like = replace(matches[3], cosine=0.9)
    assert nearest(understand(question, statement, None, {}), [*matches[:3], like]) == [*near, like.known]
    assert nearest(understand(question, statement, None, {}), [like]) == []


def test_yes_and_no_are_said_only_where_the_memory_decides() -> None:
    olives = remembered("I can't stand olives")
    assert ask("do I like olives?", "yesno", olives, "no").startswith("No: you can't stand olives")
    assert ask("do I like olives?", "yesno", olives, "answers").startswith("You can't stand olives")
    unsure = read_as("maybe I have diabetes", unsure=0.9)
    told = ask("do I have diabetes?", "yesno", remembered(unsure.text), "yes", unsure)
    assert told.startswith("You were not sure about it. You told me on 3 May: “maybe I have diabetes”")


@pytest.mark.parametrize(
    ("text", "slot", "found"),
    [
        ("What's my name?", "user/name", True),
        ("when is my birthday", "user/birthday", True),
        ("where do I live?", "user/home", True),
        ("where do I live?", "Ada/home", False),
        ("why do I live here?", "user/home", False),
        ("what is my favourite name for a horse?", "user/name", False),
    ],
)
def test_what_was_read_as_the_very_thing_is_answered_before_anything_is_judged(
    text: str, slot: str, found: bool
) -> None:
    memory = remembered("well, that one is Tom, as you know", slot=slot)
    kind = text.split("'", maxsplit=1)[0].split(maxsplit=1)[0].casefold()
    said = ask(text, kind, memory, "off")
    assert said.startswith("You told me") is found


def test_a_name_from_the_message_before_is_not_whom_a_plain_question_is_about() -> None:
    asked = read_as("What am I allergic to?", "ask", asked="what", worth=0, who="other")
    carried = replace(asked, subject=replace(asked.subject, name="Lena", said=False))
    question = question_of(carried)
    assert question is not None
    assert not understand(question, carried, None, {}).names
    leaning = replace(carried, text="What is she allergic to?")
    assert understand(replace(question, text=leaning.text), leaning, None, {}).names


def test_a_question_that_calls_the_person_by_name_is_about_them() -> None:
    memory, text = remembered("I'm allergic to walnuts"), "Which nuts is Mara allergic to?"
    question = read_as(text, "ask", asked="which", worth=0, who="other", name="Mara", spans=[("Mara", "person", "")])
    listener = listening(question, bearings={("Which nuts is I allergic to?", memory.content): "answers"})
    named = CoreMemory((CoreEntry(1, "name", "Mara", Aspect.HUMAN, NOW),))
    said = decide(replace(situation(text, memory), core=named), listener, alike, may_search=False).answer
    assert said == "You're allergic to walnuts — you told me on 3 May."


def test_what_is_of_somebody_else_is_no_answer() -> None:
    memory = remembered("My brother Tom is a nurse.")
    said = ask("what does my sister do?", "what", memory, "answers")
    assert "Tom" not in said.split("The nearest")[0]


def test_what_has_ended_is_told_with_its_end() -> None:
    from persona_cli.records import Status

    memory = remembered("I work at Halifax.", valid_to=moment("2026-05-09T10:00"), status=Status.SUPERSEDED)
    assert "Not any more" in ask("do I work at Halifax?", "yesno", memory, "yes")


def test_what_may_have_ended_something_stands_before_it() -> None:
    now = of_memory(remembered("I am at Lidl from today.", 8, "2026-05-09"))
    was = replace(of_memory(remembered("I work nights at Halifax.")), doubted=now)
    bearing = Bearing(Guess("answers", 1.0), dict.fromkeys(ANSWERS, 0.0))
    matches = [Match(was, bearing, 0.8), Match(now, bearing, 0.2)]
    statement = read_as("where do I work?", "ask", asked="where", worth=0)
    question = question_of(statement)
    assert question is not None
    asked = understand(question, statement, None, {})
    assert nearest(asked, matches) == [now, was]
    said = compose(asked, matches, NOW)
    assert said.startswith("You told me on 9 May: “I am at Lidl from today.”")
    assert said.endswith("Before that you told me on 3 May: “I work nights at Halifax.”")


def test_an_age_counts_on_from_the_day_it_was_told() -> None:
    memory = remembered("my son Leo is 8", day="2019-05-03", slot="Leo/age")
    assert "By now that makes about 15." in ask("how old is Leo?", "howmany", memory, "answers", who="none")


def test_sympathy_comes_before_anything_that_cannot_be_done() -> None:
    text = "my gran died last week. write a poem for her"
    listener = listening(
        read_as("my gran died last week.", worth=3),
        read_as("write a poem for her", "request"),
        stances={"gran died": "grief strong"},
    )
    answer = decide(situation(text), listener, alike, may_search=False).answer
    assert "sorry" in answer
    assert "can't" not in answer.split("\n")[0]


def test_what_is_told_is_taken_up_in_the_persons_own_words() -> None:
    text = "my sister Ada is in Ghent now with both boys"
    listener = listening(read_as(text, who="other", name="Ada", spans=[("Ada", "person", "sibling")]))
    assert f"“{text}”" in say(listener, situation(text)).answer
    assert say(listener, situation(text)).next is None


def test_of_several_sentences_none_is_thrown_back() -> None:
    text = "they say it was the celery and not the soup at all. who knew this. now i always have pills"
    read = [
        read_as(part) for part in ("they say it was the celery and not the soup at all.", "now i always have pills")
    ]
    assert "“" not in say(listening(*read), situation(text)).answer


def test_a_question_that_is_part_of_what_is_told_gets_no_search_result() -> None:
    text = "we walked on the beach, so cold. i think we are together now??"
    walked = read_as("we walked on the beach, so cold.", start=0)
    together = replace(read_as("i think we are together now??", "ask", asked="yesno", worth=0), told=0.9)
    found = situation(text, remembered("I got the job."))
    answer = decide(found, listening(walked, together), alike, may_search=False).answer
    assert "job" not in answer
    assert "know" not in answer
    asked = replace(together, told=0.1)
    assert "nearest" in decide(found, listening(walked, asked), alike, may_search=False).answer or "know" in (
        decide(found, listening(walked, asked), alike, may_search=False).answer
    )


def test_a_request_is_answered_with_what_bears_on_it_and_larger_models_are_named_once() -> None:
    text = "what can I cook for Bohdan on Saturday"
    celery = remembered("they say it is the celery, i cannot have it")
    listener = listening(read_as(text, "request"), bearings={(text, celery.content): "answers"})
    searched = say(listener, situation(text)).next
    assert isinstance(searched, Retrieve)
    assert searched.end is not None  # no "Saturday" narrows what was told
    assert searched.end > NOW
    found = situation(text, celery)
    first = decide(found, listener, alike, may_search=False).answer
    assert first.startswith(
        "What you told me that bears on it:\n- They say it is the celery, you cannot have it (3 May)"
    )
    assert first.count("persona model list") == 1
    again = replace(found, recent=(Turn(50, 1, NOW, text, first, "lite"),))
    assert "persona model list" not in decide(again, listener, alike, may_search=False).answer


def test_nothing_is_said_to_be_kept_that_is_not() -> None:
    text = "my sister Ada moved to Ghent, which is in Belgium as far as I know"
    private = situation(text, kept=False)
    for listener in (listening(read_as(text)), listening(read_as(text, worth=0))):
        answer = say(listener, private).answer
        assert not any(
            word in answer.lower() for word in ("noted", "got it", "have it", "have that", "remember", "kept")
        )


@pytest.mark.parametrize(
    ("stance", "mood"),
    [("grief strong", "sorry"), ("worry strong", "sorry"), ("win strong", "!"), ("joke", "Ha"), ("nuisance", "n")],
)
def test_a_reply_suits_how_the_message_is_meant(stance: str, mood: str) -> None:
    text = "this is what happened to us today"
    listener = listening(read_as(text), stances={text: stance})
    assert mood in say(listener, situation(text)).answer


def test_an_illness_is_not_laughed_about() -> None:
    text = "shrimp closes my throat, so in Recife I am a tragedy"
    listener = listening(read_as(text, kinds=["health"], worth=3), stances={text: "joke"})
    assert "Ha" not in say(listener, situation(text)).answer


def test_a_wish_is_answered_behind_the_feeling() -> None:
    text = "Please remember that I found a lump in my breast."
    listener = listening(read_as(text, "keep", worth=3), stances={text: "worry strong"})
    feeling, kept = say(listener, situation(text)).answer.split("\n\n")
    assert "sorry" in feeling
    assert "lump" in kept


def test_another_language_is_named_once() -> None:
    text = "Ich habe heute meinen Hund zum Tierarzt gebracht"
    first = say(listening(), situation(text)).answer
    assert "German" in first
    again = say(listening(), situation(text, recent=(Turn(1, 1, NOW, text, first, "lite"),))).answer
    assert again == "Kept as you wrote it."


def test_general_knowledge_is_not_pretended() -> None:
    text = "who wrote Faust?"
    listener = listening(read_as(text, "ask", asked="world", who="none"))
    answer = decide(situation(text), listener, alike, may_search=False).answer
    assert "Goethe" not in answer
    assert any(word in answer for word in ("not the world", "no general knowledge", "beyond me"))


def test_no_two_plain_things_in_a_row_are_answered_alike_not_even_days_apart() -> None:
    told = [read_as(f"I planted {thing}.") for thing in ("beans", "onions", "leeks")]
    before, endings = tuple[Turn, ...](), []
    for number, statement in enumerate(told, 1):
        asked = situation(statement.text, traits=Traits(openness=4.6), before=before)
        decision = say(listening(*told), asked)
        endings.append(bool(decision.untoned))
        assert decision.answer not in {turn.answer for turn in before}
        before = (Turn(number, number, NOW, statement.text, decision.answer, "lite"),)
    assert endings == [True, False, True]
