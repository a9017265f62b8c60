"""No text is embedded twice: not by a process, and not what the store has a vector of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Vectors, embed_wanted
from persona_cli.memory.vectors.known import KnownVectors
from persona_cli.memory.vectors.once import EmbedOnce
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import SemanticMemory
from persona_cli.remembering.drafts import Remembering
from tests.agents import NOW


class Letters:
    """An `Embedder` whose vector of a text is how often it has each letter; it remembers what it was asked."""

    name = "letters"
    dimension = 26

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        counts = np.array([[text.lower().count(chr(97 + place)) for place in range(26)] for text in texts])
        counts = counts.reshape(-1, 26).astype(np.float32) + np.float32(1e-3)
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)

    def embed_query(self, texts: Sequence[str]) -> Vectors:
        return self.embed(texts)

    def close(self) -> None:
        self.asked.clear()


def test_a_text_goes_to_the_model_once_and_the_order_stays() -> None:
    letters = Letters()
    once = EmbedOnce(letters, most=3)
    first = once.embed(["a", "b", "a"])
    assert np.array_equal(first[0], first[2])
    again = once.embed(["b", "c", "a"])
    assert np.array_equal(again[[2, 0]], first[:2])
    assert letters.asked == ["a", "b", "c"]
    once.embed(["d", "e", "f", "a"])
    assert letters.asked == ["a", "b", "c", "d", "e", "f"]
    first[:] = 0  # what a caller does to its vectors stays with the caller
    assert once.embed(["a"]).any()
    once.embed_query(["a", "a"])
    once.embed_query(["a"])
    assert letters.asked == ["a", "b", "c", "d", "e", "f", "a"]  # a question is not what is stored
    assert once.embed([]).shape == (0, 26)
    assert (once.name, once.dimension) == ("letters", 26)


def test_where_a_question_is_embedded_as_a_text_is_either_is_known() -> None:
    class Same(Letters):
        embed_query = Letters.embed

    letters = Same()
    once = EmbedOnce(letters)
    assert np.array_equal(once.embed(["a"]), once.embed_query(["a"]))
    assert letters.asked == ["a"]


def test_a_change_is_looked_for_among_stored_vectors(store: Store) -> None:
    letters = Letters()
    for number in range(50):
        turn = store.turns.add(store.sessions.start(NOW).id, NOW, f"I play game {number}.", "", "m")
        content = f"The user plays game {number}."
        store.semantic.add(SemanticMemory(0, content, (), "user", turn.user, NOW, NOW, turn_id=turn.id))
    embed_wanted(store, letters)
    letters.asked.clear()
    later = NOW.replace(year=NOW.year + 1)
    turn = store.turns.add(store.sessions.start(later).id, later, "I switched to a new game.", "", "m")
    Remembering(store, letters, 5).remember([SemanticDraft("The user switched to a new game.", ())], turn, ())
    assert set(letters.asked) <= {turn.user, "The user switched to a new game."}
    known = store.semantic.list(subject="user")[1:4]
    letters.asked.clear()
    KnownVectors(store, letters).memories(known)
    assert letters.asked == []
