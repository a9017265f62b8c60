"""The built-in model answers what it was told of little lives: a ratchet over the reader as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.model.lite import open_lite
from persona_cli.reading.reader import Reader
from tests.stories import Embed, Person, read_stories, verdict

pytestmark = pytest.mark.gguf


@pytest.fixture(scope="session")
def embed(embedder: Embedder) -> Embed:
    known: dict[str, NDArray[np.float32]] = {}

    def remembering(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, embedder.embed(new) if new else (), strict=True))
        return np.stack([known[text] for text in texts])

    return remembering


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1], ids=["calibrated on", "held out"])
def test_stories(embed: Embed, reader: Reader, half: int) -> None:
    """Hardly ever a wrong answer; what is not sure enough is offered as the closest thing, and counts as refused."""
    model = open_lite(embed, lambda: reader)
    counts: Counter[str] = Counter()
    failures = []
    for story in read_stories()[half::2]:
        person = Person(model, embed, story.turns)
        for question, wanted in story.questions:
            answer = person.ask(question, story.now)
            result = verdict(answer, wanted)
            counts[result] += 1
            if result != "right":
                failures.append(f"{result}: {story.name}: {question} [{wanted}] -> {answer}")
    total = counts.total()
    assert counts["right"] >= RIGHT * total, f"{counts}\n" + "\n".join(failures)
    assert counts["wrong"] + counts["invented"] <= WRONG * total, f"{counts}\n" + "\n".join(failures)


RIGHT, WRONG = 0.7, 0.2
"""What is reached now; the reader is trained on none of these lives."""
