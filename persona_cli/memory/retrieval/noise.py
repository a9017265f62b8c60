"""What "nothing to do with each other" looks like to an embedder that the weights were not chosen for."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from persona_cli.memory.retrieval.weights import Noise
from persona_cli.memory.vectors.embedding import Embedder

UNRELATED = (
    "My brother plays the cello in an orchestra.",
    "What time does the train to Lyon leave?",
    "The invoice for March has not been paid.",
    "I am allergic to hazelnuts.",
    "They repainted the fence over the weekend.",
    "Which of the planets has the most moons?",
    "Our cat sleeps on top of the bookshelf.",
    "The marathon was cancelled because of the storm.",
    "How do I sharpen a kitchen knife?",
    "She is writing her thesis about medieval trade.",
)


def measure(embedder: Embedder) -> Noise:
    """Return the mean and the deviation of the cosines between ten sentences, asked and stored, about ten things."""
    asked, stored = embedder.embed_query(UNRELATED), embedder.embed(UNRELATED)
    cosines = [float(asked[one] @ stored[other]) for one, other in permutations(range(len(UNRELATED)), 2)]
    return Noise(float(np.mean(cosines)), max(float(np.std(cosines)), 0.01))
