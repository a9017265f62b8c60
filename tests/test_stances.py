"""How a message is meant, by the trained head: on sentences it was not trained on, and the numpy that runs it."""

from __future__ import annotations

import numpy as np
import pytest

from persona_cli.model.lite.feeling import occasion_of
from persona_cli.reading.encoder import Part, Passage
from persona_cli.reading.labels import STANCES
from persona_cli.reading.pooling import PooledHead, all_states
from persona_cli.reading.reader import Reader


@pytest.mark.parametrize(
    ("text", "occasions"),
    [
        ("my grandmother died in her sleep on Monday", ("grief_strong",)),
        ("Auntie Joan has died.", ("grief_strong",)),
        ("He died in 1962, my father never knew him.", ("", "sorry", "quiet")),
        ("I passed my driving test!!", ("win_strong", "win", "joy")),
        ("they found a lump and the biopsy is on thursday", ("worry_strong", "sorry")),
        ("she left me and took the dog", ("hurt_strong", "hurt", "sorry", "quiet")),
        ("im fine", ("fine",)),
        ("thanks a lot!", ("thanks",)),
        ("the gym code is 4417 and it closes at nine", ("",)),
        ("I am allergic to cashews", ("",)),
        ("dentist on the 4th at half past three", ("",)),
        ("ok", ("",)),
    ],
)
def test_what_is_plain_to_anybody_is_heard(reader: Reader, text: str, occasions: tuple[str, ...]) -> None:
    assert occasion_of(reader.stance(text), len(text.split())) in occasions


@pytest.mark.parametrize(
    "text",
    [
        "My brother hasn't been to a lecture for weeks, and not telling mum yet with her operation coming.",
        "He writes that he kept thinking there would be time for his father to be wrong.",
        "I don't intend to tell Ben until there is something to tell.",
        "They laughed at my accent again.",
        "I keep thinking that I should be more frightened.",
    ],
)
def test_nothing_heavy_is_cheered_at(reader: Reader, text: str) -> None:
    assert occasion_of(reader.stance(text), len(text.split())) not in ("win", "win_strong", "joy", "relief", "joke")


def test_the_probabilities_of_a_stance_are_of_every_label(reader: Reader) -> None:
    stance = reader.stance("")
    assert tuple(stance.probabilities) == STANCES
    assert stance.of(*STANCES) == pytest.approx(1, abs=1e-3)
    assert stance.of(stance.label) == max(stance.probabilities.values())


def test_a_head_is_the_same_in_numpy_as_where_it_was_trained() -> None:
    torch = pytest.importorskip("torch")
    from models.pooled import Pooled

    torch.manual_seed(3)
    network = Pooled(8, 2, 3).eval()
    states = torch.randn(1, 5, 8)
    wanted = network(states, torch.ones(1, 5), torch.tensor([[0.5, -1.0]]))[0].detach().numpy()
    found = network.head().scores(states[0].numpy(), np.array([0.5, -1.0], dtype=np.float32))
    assert np.allclose(found, wanted, atol=1e-4)
    kept = network.head().stored()
    again = PooledHead.of(kept).scores(states[0].numpy(), np.array([0.5, -1.0], dtype=np.float32))
    assert np.allclose(again, wanted, atol=0.02)


def test_the_states_of_a_passage_are_in_order_with_its_marks() -> None:
    def state(value: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.full(2, value, dtype=np.float32)

    places = np.zeros((1, 2), dtype=np.int64)
    parts = (Part(state(1)[None], places, state(2)), Part(state(3)[None], places, state(4)))
    assert all_states(Passage(state(0), parts))[:, 0].tolist() == [0, 1, 2, 3, 4]
