"""The PEM: the published check values, and what must hold for any reading."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.personality import NEUTRAL, STEP, TRAITS, Traits, evolve, manner, momentum, steady

scores = st.floats(1.0, 5.0)
vectors = st.builds(Traits, *([scores] * 5))


@pytest.mark.parametrize(("turns", "expected"), [(0, 0.5), (25, 0.7), (50, 0.9), (1000, 0.9)])
def test_momentum_has_the_published_values(turns: int, expected: float) -> None:
    assert momentum(turns) == pytest.approx(expected)


def test_order_is_the_papers() -> None:
    assert TRAITS == ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")


def test_first_reading_moves_half_way() -> None:
    after = evolve(Traits(), Traits(extraversion=5.0), turns=0)
    assert after == Traits(extraversion=4.0)


@given(vectors, vectors, st.integers(0, 10_000))
def test_a_vector_moves_towards_its_reading_and_never_past_it(vector: Traits, reading: Traits, turns: int) -> None:
    after = evolve(vector, reading, turns)
    for name in TRAITS:
        if reading[name] == NEUTRAL:
            assert after[name] == vector[name]
        else:
            low, high = sorted((vector[name], reading[name]))
            assert low - 1e-9 <= after[name] <= high + 1e-9


@given(vectors, st.integers(0, 10_000), st.sampled_from(TRAITS))
def test_a_reading_of_exactly_three_leaves_its_trait_where_it_is(vector: Traits, turns: int, other: str) -> None:
    # drawn floats are near 3.0 and never that
    reading = replace(Traits(), **{other: 5.0})
    after = evolve(vector, reading, turns)
    assert {name: after[name] for name in TRAITS if name != other} == {
        name: vector[name] for name in TRAITS if name != other
    }


@given(st.floats().filter(lambda score: not 1.0 <= score <= 5.0))
def test_scores_outside_one_to_five_are_refused(score: float) -> None:
    with pytest.raises(ValueError, match="openness"):
        Traits(openness=score)


@given(vectors, vectors)
def test_a_conversation_keeps_its_scores_until_one_has_moved_audibly(shown: Traits, now: Traits) -> None:
    kept = steady(shown, now)
    assert kept in {shown, now}
    assert all(abs(kept[name] - now[name]) < STEP for name in TRAITS)
    assert manner(kept) == manner(now)


def test_small_moves_change_no_score_of_a_conversation() -> None:
    shown = Traits(openness=4.0)
    assert steady(shown, Traits(openness=4.2, extraversion=3.2)) == shown
    assert steady(shown, Traits(openness=4.4, extraversion=3.2)) == Traits(openness=4.4, extraversion=3.2)
    assert steady(shown, Traits(openness=4.0, extraversion=3.5)).extraversion == 3.5
