"""Questions for a member of a kind: what somebody told need not name the kind, and what is of another is no answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.model.lite.evidence import Told
from persona_cli.model.lite.kinds import asked_kind, members
from persona_cli.model.lite.questions import understand
from persona_cli.model.lite.relevance import rank
from persona_cli.model.lite.words import content_words, stems
from tests.agents import NOW

pytestmark = pytest.mark.gguf


def told(content: str) -> Told:
    return Told(content, NOW, "fact", subject="user", stems=stems(content_words(content)))


def answers(embedder: Embedder, question: str, *contents: str) -> list[str]:
    asked = understand(question, NOW + timedelta(days=1))
    return [match.told.content for match in rank(asked, [told(content) for content in contents], embedder.embed)]


@pytest.mark.parametrize(
    ("question", "content"),
    [
        ("Which food can't I stand?", "The user cannot stand olives."),
        ("What food do I hate?", "The user really hates coriander."),
        ("What kind of music can't I bear?", "The user can't bear heavy metal."),
        ("Which vegetable do I loathe?", "The user loathes mushrooms."),
        ("Is there any dish I detest?", "The user detests liver."),
        ("Which fish can't I stomach?", "The user can't stomach anchovies."),
        ("What sport do I do?", "The user has taken up rowing."),
        ("What sport do I practise?", "The user has started bouldering."),
        ("What's my sport?", "The user joined a fencing club."),
        ("Which instrument do I play?", "The user took up the cello in March."),
        ("What instrument am I learning?", "The user has been learning the harpsichord."),
        ("Which dish do I love?", "The user loves goulash."),
        ("Which sport do I hate?", "The user hates curling."),
    ],
)
def test_a_member_of_the_kind_answers(embedder: Embedder, question: str, content: str) -> None:
    assert answers(embedder, question, content, "The user lives in Lisbon.") == [content]


@pytest.mark.parametrize(
    ("question", "content"),
    [
        ("Which drink can't I stand?", "The user cannot stand olives."),
        ("Which music can't I stand?", "The user cannot stand olives."),
        ("Which food can't I stand?", "The user loves olives."),
        ("Which food can't I stand?", "The user cannot stand the boss."),
        ("Which food can't I stand?", "The user cannot stand traffic."),
        ("What sport do I do?", "The user has taken up knitting."),
        ("What sport do I do?", "The user gave up rowing."),
        ("What sport do I do?", "The user watched the rowing on television."),
        ("What sport do I do?", "The user's brother has taken up rowing."),
        ("Which instrument do I play?", "The user has taken up rowing."),
        ("Which sport do I watch?", "The user took up fencing."),
        ("Which film do I like?", "The user's likes: olives, purple (favourite colour)"),
        ("Which animal do I have?", "The user lives in Oslo."),
        ("Which fruit do I like?", "The user loves the garden."),
        ("Which family do I have?", "The user loves olives."),
    ],
)
def test_what_is_of_another_kind_or_somebody_else_does_is_no_answer(
    embedder: Embedder, question: str, content: str
) -> None:
    assert answers(embedder, question, content) == []


def test_only_a_question_for_a_kind_is_one() -> None:
    asked = {text: asked_kind(understand(text, NOW)) for text in ("Which dish do I hate?", "What did I do in May?")}
    assert asked == {"Which dish do I hate?": "food", "What did I do in May?": ""}
    assert asked_kind(understand("What sport did I use to do?", NOW)) == ""


def test_nothing_to_look_at_costs_no_embedding() -> None:
    assert members("sport", [told("I am.")], lambda _: pytest.fail("nothing is to be embedded")) == []
