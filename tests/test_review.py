"""What waits to be remembered until a person has looked at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.review import ReviewDecision, ReviewVerdict, decide, words_of
from persona_cli.cli.memory_review import read_sheet, sheet_of
from persona_cli.config import MemorySettings, Settings
from persona_cli.errors import UsageError
from persona_cli.paths import find_places
from persona_cli.records import Author
from tests.conftest import StillClock
from tests.terminal import persona, persona_typed

ACCEPT, REJECT = ReviewVerdict(ReviewDecision.ACCEPT), ReviewVerdict(ReviewDecision.REJECT)
TOLD = ("My sister Ada lives in Leeds.", "I'm allergic to peanuts.")


@pytest.fixture
def assistant(home: Path, weights: Path, clock: StillClock) -> Assistant:
    settings = Settings(memory=MemorySettings(review=True))
    opened = open_assistant(find_places(env={"PERSONA_HOME": str(home)}), settings, clock=clock, notice=print)
    for text in TOLD:
        list(opened.respond(text))
        clock.advance(minutes=3)
    opened.updates.run()
    return opened


def test_nothing_is_learnt_until_it_is_accepted(assistant: Assistant, clock: StillClock) -> None:
    store = assistant.memory.store
    assert store.semantic.list() == ()
    assert (assistant.updates.pending(), assistant.updates.held()) == (0, 2)
    assert len(store.readings.all()) == 2  # what changes no memory goes on
    first, second = assistant.review()
    assert [words_of(draft) for draft in first.proposed.drafts] == [TOLD[0]]
    done = decide(store, first, [ACCEPT], clock.now)
    assert (done.accepted, done.edited, done.rejected) == (1, 0, 0)
    decide(store, second, [REJECT], clock.now)
    assert [(fact.content, fact.author) for fact in store.semantic.list()] == [(TOLD[0], Author.MODEL)]
    assert list(assistant.review()) == []
    assert [turn.user for turn in store.turns.recent(clock.now.replace(year=2000), clock.now)] == list(TOLD)
    assistant.close()


def test_an_edited_proposal_is_the_persons_own(assistant: Assistant, clock: StillClock) -> None:
    store = assistant.memory.store
    first, _ = assistant.review()
    decide(store, first, [ReviewVerdict(ReviewDecision.ACCEPT, "Ada lives in York.")], clock.now)
    (fact,) = store.semantic.list()
    assert (fact.content, fact.author, fact.turn_id) == ("Ada lives in York.", Author.PERSON, first.job.turn_id)
    assert decide(store, first, [ACCEPT], clock.now).accepted == 0  # decided already, by another process
    assert len(store.semantic.list()) == 1
    assistant.close()


def test_the_end_of_a_session_waits_with_it(assistant: Assistant, clock: StillClock) -> None:
    store = assistant.memory.store
    list(assistant.respond("My name is Tash."))
    assistant.close_sessions(force=True)
    assistant.updates.run()
    assert store.episodes.list()
    assert store.core.current().entries == ()
    for one in assistant.review():
        decide(store, one, [ACCEPT] * len(one.proposed.drafts), clock.now)
    assert assistant.updates.held() == 0
    assert store.core.current().get("name") == "Tash"
    assistant.close()


def test_a_sheet_says_what_is_kept(assistant: Assistant) -> None:
    waiting = list(assistant.review())
    sheet = sheet_of(waiting)
    assert [line for line in sheet.splitlines() if line[:1].isdigit()] == [
        f"1 fact about Ada | {TOLD[0]}", f"2 fact | {TOLD[1]}",
    ]  # fmt: skip
    assert read_sheet(sheet.replace("in Leeds", "in York").replace("2 fact |", "# 2 fact |"), waiting) == [
        [ReviewVerdict(ReviewDecision.ACCEPT, "My sister Ada lives in York.")], [REJECT],
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no proposal 7"):
        read_sheet("7 fact | I like tea.", waiting)
    with pytest.raises(UsageError, match="is not a line of the review"):
        read_sheet("I like tea.", waiting)
    assistant.close()


def test_the_command_decides(home: Path, weights: Path) -> None:
    assert persona("memory", "review").err.strip() == "Nothing waits; memory.review is false."
    assert persona("config", "set", "memory.review", "true").code == 0
    for text in TOLD:
        assert persona("chat", text).code == 0
    assert [one["words"] for one in persona("memory", "review", "--json").json] == list(TOLD)
    assert persona("memory", "review").code == 2  # nobody is there to ask
    code, screen = persona_typed("memory", "review", replies=[("a/r/e/A/R/q", "r"), ("a/r/e/A/R/q", "A")])
    assert code == 0, screen
    assert "Accepted 1, in your words 0, rejected 1." in screen
    listed = persona("memory", "list", "--kind", "semantic").out
    assert TOLD[1] in listed
    assert TOLD[0] not in listed
