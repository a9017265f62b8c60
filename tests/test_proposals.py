"""Requests are known by what they mean, and questions for what was told are none."""

import pytest

from persona_cli.memory import Memory
from persona_cli.memory.retrieval.proposals import asks_proposal

REQUESTS = [
    "what could i cook wednesday night",
    "find me a dessert to bring to ama's",
    "gift ideas for mum's 60th",
    "which restaurant would you pick for friday",
    "can you suggest something for dinner",
]
QUESTIONS = [
    "what did i cook on wednesday",
    "who is my dentist",
    "when did Maria move to Lisbon",
    "how much is the rent now",
    "what is the name of my sister's dog",
]


@pytest.mark.gguf
@pytest.mark.parametrize(("text", "request_"), [(t, True) for t in REQUESTS] + [(t, False) for t in QUESTIONS])
def test_a_request_is_known_by_its_meaning(memory: Memory, text: str, request_: bool) -> None:
    embedder = memory.embedder
    assert asks_proposal(text, embedder.embed_query([text])[0], embedder.name) is request_


def test_of_another_embedding_only_the_plain_forms_are_known(memory: Memory) -> None:
    vector = memory.embedder.embed_query(["gift ideas for mum's 60th"])[0]
    assert not asks_proposal("gift ideas for mum's 60th", vector, "another")
    assert asks_proposal("can you suggest something for dinner", vector, "another")
