"""One person's part of a run: the history is learnt, the questions are put, every reply is on disk before the next.

A server is asked as many questions at once as there are workers: where there are fewer people than that, a baseline
puts several questions of one person together. persona itself asks one after the other, as a person would.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from persona_cli.errors import EngineError
from persona_cli.evaluation.asking import ask
from persona_cli.evaluation.cases import MEMORY_FORMS, CaseQuestion, CaseReply, Person
from persona_cli.evaluation.run_files import AnsweredQuestion, RunFolder, append, mend, outcome_row
from persona_cli.evaluation.subjects import LEARNS, Bench, TestSubject, open_subject

OnSteps = Callable[[int], None]
"""Told how many steps more are done: a step is a question, or an exchange that is learnt."""
_BROKEN = 3
"""Failures of the engine in a row that are a server which is down, not a question it cannot answer."""


@dataclass(frozen=True, slots=True)
class Work:
    """One person to be worked through, as it is sent to a process."""

    bench: Bench
    subject: str
    person: Person
    folder: Path
    together: int = 1
    """Questions put to a server at once."""


def left_of(folder: RunFolder, person: Person) -> list[CaseQuestion]:
    """Return the questions of a person that have no reply yet."""
    answered = folder.answered(person.key)
    return [question for question in person.questions if question.key not in answered]


def answer_person(work: Work, on_steps: OnSteps = lambda _: None) -> Generator[str, None, None]:
    """Let one person's history be learnt, and yield the key of each question once its reply is on disk."""
    folder = RunFolder(work.folder)
    file, home = folder.replies_file(work.person.key), folder.home(work.person.key)
    mend(file)
    left = left_of(folder, work.person)
    if any(question.form in MEMORY_FORMS for question in left):
        # what each session leaves is looked at, so it is learnt from the start again
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    subject = open_subject(work.subject, work.bench, work.person, home)
    try:
        seen, broken = 0, 0
        for upto, questions in groupby(sorted(left, key=_seen(work.person)), key=_seen(work.person)):
            began = time.perf_counter()
            subject.learn(work.person.history[seen:upto], on_steps if work.subject == LEARNS else lambda _: None)
            append(file, {"learnt": upto - seen, "seconds": time.perf_counter() - began})
            seen = upto
            for question, reply in _replies(subject, list(questions), work.together):
                broken = broken + 1 if reply.failed and "cannot be reached" in reply.failed else 0
                if broken >= _BROKEN:
                    raise EngineError(reply.failed, fix="Start it again; the same command goes on where it was.")
                outcome = AnsweredQuestion(work.person.key, work.person.context, work.person.hidden, question, reply)
                append(file, outcome_row(outcome))
                on_steps(1)
                yield question.key
    finally:
        subject.close()
    shutil.rmtree(home, ignore_errors=True)


def _seen(person: Person) -> Callable[[CaseQuestion], int]:
    whole = len(person.history)
    return lambda question: whole if question.seen is None else min(question.seen, whole)


def _replies(
    subject: TestSubject, questions: Sequence[CaseQuestion], together: int
) -> Iterator[tuple[CaseQuestion, CaseReply]]:
    """Yield each question with its reply, in order; several are asked at once, and none any more after an error."""
    if together <= 1:
        yield from ((question, ask(subject, question)) for question in questions)
        return
    pool = ThreadPoolExecutor(together)
    try:
        yield from zip(questions, pool.map(lambda question: ask(subject, question), questions), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
