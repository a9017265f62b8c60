"""The reward of a roll-out, on cases worked out by hand, and the two judges."""

from __future__ import annotations

from collections import deque

import pytest

from persona_cli.training.reward import KeyedQuestion, ModelJudge, RuleJudge, Score, score
from tests.fakes import CannedEngine

CLOSED = KeyedQuestion("Where do I live?\nOptions: …", "(b)", ("Porto", "Leeds", "Oslo", "Cork"))
OPEN = KeyedQuestion("Where do I live?", "You live in Leeds.")


class Fixed:
    """A judge whose word stands."""

    def accuracy(self, asked: KeyedQuestion, answer: str) -> float:
        return 0.4

    def consistency(self, asked: KeyedQuestion, thought: str, answer: str) -> float:
        return 0.5


@pytest.mark.parametrize(
    ("last", "judge", "reward"),
    [
        # accuracy * consistency + 0.5 * format
        ("<think>Memory says Leeds.</think>\n<answer>(b)</answer>", RuleJudge(), 1 * 1 + 0.5),
        ("<think>Memory says Leeds.</think><answer>(b) Leeds</answer>", RuleJudge(), 1 * 1 + 0.5),
        ("<think>Memory says Leeds.</think><answer>(a)</answer>", RuleJudge(), 0 * 0 + 0.5),
        ("<think>It is Oslo, so (c).</think><answer>(b)</answer>", RuleJudge(), 1 * 0 + 0.5),
        ("<think>Nothing is known.</think><answer>(b)</answer>", RuleJudge(), 1 * 1 + 0.5),
        ("<think>Memory says Leeds.</think><answer>Leeds.</answer>", RuleJudge(), 1 * 1 + 0.5),
        ("<answer>(b)</answer>", RuleJudge(), 1 * 1 + 0.0),
        ("Well. <think>Leeds</think><answer>(b)</answer>", RuleJudge(), 1 * 1 + 0.0),
        ("<think>Leeds</think><answer>(b)</answer> Bye!", RuleJudge(), 1 * 1 + 0.0),
        ("<think>a</think><think>Leeds</think><answer>(b)</answer>", RuleJudge(), 1 * 1 + 0.0),
        ("<think>Memory says Leeds.</think><answer>(b)", RuleJudge(), 0.0),
        ("<retrieve>\n\"keywords\": \"home\"\n</retrieve>", RuleJudge(), 0.0),
        ("<think>Leeds</think><answer>(b)</answer>", Fixed(), 1 * 0.5 + 0.5),
        ("<think>Leeds</think><answer>(d)</answer>", Fixed(), 0.4 * 0.5 + 0.5),
    ],
)  # fmt: skip
def test_the_reward_of_a_closed_question(last: str, judge: RuleJudge | Fixed, reward: float) -> None:
    assert score(CLOSED, last, judge).reward == pytest.approx(reward)


def test_the_reward_goes_from_nothing_to_one_and_a_half() -> None:
    assert Score().reward == 0.0
    assert Score(1.0, 1.0, 1.0).reward == 1.5


def test_an_open_answer_is_worth_what_the_judge_says() -> None:
    assert score(OPEN, "<think>Leeds</think><answer>In Leeds.</answer>", Fixed()).reward == pytest.approx(0.7)


def test_a_model_judges_by_the_first_whole_number_and_is_asked_three_times() -> None:
    judge = ModelJudge(CannedEngine(deque(["I say 8 of 10", "11", "well", "hm", "no idea"])))
    assert judge.accuracy(OPEN, "In Leeds.") == 0.8
    assert judge.consistency(OPEN, "Leeds", "In Leeds.") == 1.0, "what is above ten is ten"
    assert judge.consistency(OPEN, "Leeds", "In Leeds.") == 0.5, "no number in three replies"


def test_the_judge_is_shown_the_words_of_the_right_option() -> None:
    engine = CannedEngine(deque(["10"]))
    ModelJudge(engine).accuracy(CLOSED, "In Leeds, as you told me.")
    assert "Reference answer: (b) Leeds" in engine.prompts[0][0].text
