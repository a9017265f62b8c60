"""The open-ended comparison: 200 questions of Persona-MME answered freely, two systems compared by a judge.

Which 200 is not published: they are drawn here with a fixed seed, evenly over the tasks. The answers of two runs are
compared in both orders; a win counts only where both agree, else it is a tie.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person
from persona_cli.evaluation.datasets import persona_mme

NAME = "open-ended"
SOURCE = persona_mme.SOURCE
QUESTIONS = 200
_SEED = 200


def load(root: Path, variant: str = "") -> Collection:
    """Return the people of Persona-MME with the questions that were drawn, to be answered without options."""
    whole = persona_mme.load(root, variant)
    drawn = {question.key for question in _draw(whole.people)}
    people = tuple(
        replace(person, questions=tuple(_freely(question) for question in person.questions if question.key in drawn))
        for person in whole.people
    )
    people = tuple(person for person in people if person.questions)
    note = f"{len(drawn)} questions drawn with the seed {_SEED}, evenly over the tasks"
    return Collection(NAME, variant, people, whole.inputs, (*whole.notes, note))


def _freely(question: CaseQuestion) -> CaseQuestion:
    gold = question.options["abcdefgh".index(question.answer)]
    return replace(question, form=Form.OPEN, answer=gold, options=())


def _draw(people: tuple[Person, ...]) -> list[CaseQuestion]:
    by_task: defaultdict[str, list[CaseQuestion]] = defaultdict(list)
    for person in people:
        for question in person.questions:
            if question.form is Form.CHOICE:
                by_task[question.task].append(question)
    chance = random.Random(_SEED)  # noqa: S311 - the same draw for everyone
    for questions in by_task.values():
        chance.shuffle(questions)
    drawn: list[CaseQuestion] = []
    while len(drawn) < QUESTIONS and any(by_task.values()):
        drawn += [questions.pop() for _, questions in sorted(by_task.items()) if questions]
    return drawn[:QUESTIONS]
