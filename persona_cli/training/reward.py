"""The reward of a roll-out: accuracy * consistency + 0.5 * format, from 0 to 1.5 (PersonaVLM's second stage).

accuracy     1 where the answer begins with the right letter; else what the judge says of it
consistency  whether the answer is what the thought before it came to
format       1 where the last turn is a thought and right behind it an answer, and nothing else

The judge is a model behind a URL, or rules, which know closed questions alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from persona_cli.evaluation.datasets.published_files import letter
from persona_cli.evaluation.judging.judge import converse
from persona_cli.evaluation.letters import strict_letter
from persona_cli.model.engines import Engine, Message

_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.S)
_THOUGHT = re.compile(r"<think>(.*?)</think>", re.S)
_WHOLE = re.compile(
    r"\s*<think>((?!<(?:think|answer)>).)*</think>\s*<answer>((?!<(?:think|answer)>).)*</answer>\s*", re.S
)
_LETTER = re.compile(r"\(([a-j])\)", re.I)
_NUMBER = re.compile(r"\d+")
ATTEMPTS = 3
UNREADABLE = 0.5
"""What a verdict that cannot be read is worth, as published: errors of the judge move a reward to the middle."""
_CORRECT = """You grade the answer of an assistant with a long memory of its user.

Question: {question}
Reference answer: {reference}
Answer: {answer}

How correct is the answer, from 0 to 10? A closed question is worth 0 or 10. Of an open one judge the facts, how far it
agrees with the reference, and whether its tone suits the user as the reference does. Write one whole number."""
_CONSISTENT = """Question: {question}
Thought: {thought}
Answer: {answer}

Is the answer the result that the thought supports, from 0 (it contradicts the thought, or comes from nowhere) to 10 (it
is what the thought came to)? Write one whole number."""


@dataclass(frozen=True, slots=True)
class KeyedQuestion:
    """A question with its right answer: a letter like "(a)" of the options, or a reply."""

    text: str
    answer: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The parts of a reward, each from 0 to 1."""

    accuracy: float = 0.0
    consistency: float = 0.0
    format: float = 0.0

    @property
    def reward(self) -> float:
        """Return what the policy is trained on."""
        return self.accuracy * self.consistency + 0.5 * self.format


class Rater(Protocol):
    """Rates from 0 to 1."""

    def accuracy(self, asked: KeyedQuestion, answer: str) -> float:
        """Return how correct an answer is that does not begin with the right letter."""
        ...

    def consistency(self, asked: KeyedQuestion, thought: str, answer: str) -> float:
        """Return whether an answer is what its thought came to."""
        ...


def score(asked: KeyedQuestion, last: str, judge: Rater) -> Score:
    """Return the parts of the reward for the last turn of a roll-out; all 0 where its answer does not end."""
    if "</answer>" not in last:
        return Score()
    answers, thoughts = _ANSWER.findall(last), _THOUGHT.findall(last)
    answer = answers[-1].strip() if answers else last.partition("</answer>")[0].strip()
    thought = thoughts[-1].strip() if thoughts else ""
    right = bool(asked.options) and answer.lower().startswith(asked.answer.lower())
    return Score(
        1.0 if right else judge.accuracy(asked, answer),
        judge.consistency(asked, thought, answer),
        1.0 if _WHOLE.fullmatch(last) else 0.0,
    )


class RuleJudge:
    """Judges closed questions without a model."""

    def accuracy(self, asked: KeyedQuestion, answer: str) -> float:
        """Return 1 for the right letter anywhere in an answer that names no other, or the words of the right option."""
        if not asked.options:
            return UNREADABLE
        right = strict_letter(asked.answer)
        said = strict_letter(answer) or _option(asked.options, answer)
        return 1.0 if said == right else 0.0

    def consistency(self, asked: KeyedQuestion, thought: str, answer: str) -> float:
        """Return 0 where the thought names options, and the answer is none of them."""
        said = strict_letter(answer) or _option(asked.options, answer)
        named = {found.lower() for found in _LETTER.findall(thought)}
        named |= {
            letter(place) for place, option in enumerate(asked.options) if option.casefold() in thought.casefold()
        }
        return 0.0 if named and said not in named else 1.0


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """Asks a model for whole numbers from 0 to 10."""

    engine: Engine

    def accuracy(self, asked: KeyedQuestion, answer: str) -> float:
        """Return how correct the model finds an answer."""
        reference = asked.answer
        if asked.options:
            reference += " " + asked.options[ord(strict_letter(asked.answer)) - ord("a")]
        return self._rate(_CORRECT.format(question=asked.text, reference=reference, answer=answer))

    def consistency(self, asked: KeyedQuestion, thought: str, answer: str) -> float:
        """Return whether the model finds an answer supported."""
        return self._rate(_CONSISTENT.format(question=asked.text, thought=thought, answer=answer))

    def _rate(self, prompt: str) -> float:
        for _ in range(ATTEMPTS):
            found = _NUMBER.search(converse(self.engine, [Message("user", (prompt,))]))
            if found:
                return min(10, int(found[0])) / 10
        return UNREADABLE


def _option(options: Sequence[str], answer: str) -> str:
    """Return the letter of the option whose words an answer is, "" for none."""
    plain = answer.strip(" .").casefold()
    return next((letter(place) for place, option in enumerate(options) if option.strip(" .").casefold() == plain), "")
