"""Topics of a session: cut where the talk turns, merged where it comes back, told in the user's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.model.lite.episodes import summarize_episodes
from persona_cli.records import Turn
from tests.stories import Embed, moment

pytestmark = pytest.mark.gguf

GARDEN = (
    "I planted tomatoes on the balcony this morning.",
    "The basil next to the tomatoes has green fly, I sprayed the plants with soap.",
)
MARATHON = (
    "I ran 25 kilometres on Sunday for my marathon training.",
    "My running coach says the marathon pace is too fast for me.",
)


@pytest.fixture
def embed(embedder: Embedder) -> Embed:
    return embedder.embed


def session(*texts: str) -> list[Turn]:
    return [
        Turn(number, 1, moment(f"2023-05-12T10:{number:02}"), text, "", "lite") for number, text in enumerate(texts, 1)
    ]


def test_two_topics_are_two_episodes(embed: Embed) -> None:
    first, second = summarize_episodes(session(*GARDEN, *MARATHON), embed)
    assert (first.turns, second.turns) == ((0, 1), (2, 3))
    assert "tomatoes" in first.keywords
    assert "marathon" in second.keywords


def test_a_topic_that_comes_back_is_one_episode(embed: Embed) -> None:
    turns = session(GARDEN[0], MARATHON[0], MARATHON[1], GARDEN[1])
    assert {episode.turns for episode in summarize_episodes(turns, embed)} == {(0, 3), (1, 2)}


def test_every_turn_belongs_to_exactly_one_topic(embed: Embed) -> None:
    turns = session("Hello!", *GARDEN, "ok", *MARATHON, "thanks, bye")
    places = [place for episode in summarize_episodes(turns, embed) for place in episode.turns]
    assert sorted(places) == list(range(len(turns)))


def test_a_summary_has_a_title_and_quotes_the_user_only(embed: Embed) -> None:
    turns = session(*GARDEN)
    turns[0] = replace(turns[0], answer="You should buy a greenhouse.")
    (episode,) = summarize_episodes(turns, embed)
    assert episode.summary.startswith("Planted tomatoes on the balcony; sprayed the plants with soap: “The basil")
    assert f"“{GARDEN[1]}”" in episode.summary
    assert "greenhouse" not in episode.summary


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("What is the weather like?", "Asked about weather."),
        ("Hi!", "Small talk."),
    ],
)
def test_a_session_that_tells_nothing_is_named_so(embed: Embed, text: str, summary: str) -> None:
    (episode,) = summarize_episodes(session(text), embed)
    assert episode.summary == summary


def test_no_turns_no_topics(embed: Embed) -> None:
    assert summarize_episodes([], embed) == ()


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("Marnie got engaged to Tom on Saturday!", "Marnie got engaged to Tom."),
        ("I moved to Sheffield yesterday, the new flat has a balcony.", "Moved to Sheffield; new flat has a balcony."),
        ("My husband Anders is from Norway.", "Husband Anders is from Norway."),
        ("Mum's 60th is on 22 August.", "Mum's 60th is on 22 August 2023."),
    ],
)
def test_a_title_reads_like_one(embed: Embed, text: str, summary: str) -> None:
    (episode,) = summarize_episodes(session(text), embed)
    assert episode.summary == summary


def test_names_keep_their_capitals_and_days_are_no_topic(embed: Embed) -> None:
    (episode,) = summarize_episodes(session("Marnie got engaged to Tom on Saturday!"), embed)
    assert set(episode.keywords) == {"Marnie", "Tom", "engaged"}
