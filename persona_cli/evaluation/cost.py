"""What a run would take, said before it is started: calls and tokens, from the lengths of histories and questions."""

from __future__ import annotations

from dataclasses import dataclass

from persona_cli.evaluation.cases import MEMORY_FORMS, CaseQuestion, Collection, Form
from persona_cli.evaluation.datasets.open_ended import NAME as PAIRED
from persona_cli.evaluation.judging.judge import criteria_of
from persona_cli.evaluation.subjects import LEARNS


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run would take, before it is started."""

    subject: str
    questions: int
    exchanges: int
    """To be learnt, counted once for each person."""
    calls: int
    tokens: int
    """Of prompts, about four characters each; what the loop's own prompts add is a guess from our measurements."""


_PROMPT = 700
"""Tokens of a prompt of the loop, without what it quotes (docs/numbers.md: 442 before a retrieval, 689 after)."""


def cost_of(collection: Collection, subject: str, top_k: int) -> Cost:
    """Return what a subject would cost."""
    calls = tokens = 0
    for person in collection.people:
        history = sum(len(said.user) + len(said.assistant) for said in person.history) // 4
        each = history // max(1, len(person.history))
        sessions = len({said.session for said in person.history})
        if subject == LEARNS:
            # two calls a turn, three a session, and two a question
            calls += 2 * len(person.history) + 3 * sessions
            tokens += 2 * len(person.history) * (_PROMPT + each) + 3 * (sessions * _PROMPT + history)
        for question in person.questions:
            asked, per = _per_question(subject, question, history, each, top_k)
            calls, tokens = calls + asked, tokens + per
    return Cost(subject, collection.questions, sum(len(person.history) for person in collection.people), calls, tokens)


def judge_calls(collection: Collection, subjects: int) -> int:
    """Return how often a judge is asked: a call a criterion of a free answer, and pairs in both orders."""
    free = [asked for person in collection.people for asked in person.questions if asked.form is Form.OPEN]
    paired = 2 * len(free) * (subjects - 1) if collection.name.startswith(PAIRED) else 0
    return subjects * sum(len(criteria_of(asked)) for asked in free) + paired


def _per_question(subject: str, question: CaseQuestion, history: int, each: int, top_k: int) -> tuple[int, int]:
    if question.form in MEMORY_FORMS:
        return 0, 0
    text = (len(question.text) + sum(map(len, question.options)) + len(question.reply)) // 4 + 40
    shown = {"rag": top_k * each, "recent": top_k * each, "oracle": max(1, len(question.evidence)) * each}
    context = shown.get(subject, 0 if subject in ("none", "profile") else history)
    calls = 2 if question.form is Form.PAIR else 1
    if subject == "self-critic":
        calls *= 3
    if subject == LEARNS:
        return 2 * calls, 2 * calls * (_PROMPT + text + 4 * each)
    return calls, calls * (context + text)
