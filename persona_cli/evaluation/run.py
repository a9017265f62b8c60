"""Running a plan: people in processes, questions in order, every reply on disk before the next is asked for.

Answers come first, verdicts of a judge after them: a judge that is down loses nothing. A person whose questions are all
answered is not opened again; one that was stopped in the middle goes on with the memory it has.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import random
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from persona_cli import __version__
from persona_cli.errors import EngineError, PersonaError
from persona_cli.evaluation.asking import ask
from persona_cli.evaluation.cases import MEMORY_FORMS, Collection, Form, Person, Question
from persona_cli.evaluation.run_files import Outcome, Plan, RunFolder, append, mend, outcome_row
from persona_cli.evaluation.subjects import Bench, open_subject

OnProgress = Callable[[int, int, str], None]
"""Told questions done, all of them, and what is being done."""
_BROKEN = 3
"""Failures of the engine in a row that are a server which is down, not a question it cannot answer."""
_POLL = 0.5


@dataclass(frozen=True, slots=True)
class Work:
    """One person to be worked through, as it is sent to a process."""

    bench: Bench
    subject: str
    person: Person
    folder: Path


def choose(collection: Collection, limit: int, seed: int) -> Collection:
    """Return at most `limit` questions, drawn by the seed evenly over the people; 0 for all."""
    if not limit or limit >= collection.questions:
        return collection
    chance = random.Random(seed)  # noqa: S311 - the same draw for the same seed
    shuffled = {person.key: chance.sample(person.questions, len(person.questions)) for person in collection.people}
    drawn: set[str] = set()
    while len(drawn) < limit:
        for person in collection.people:
            if shuffled[person.key] and len(drawn) < limit:
                drawn.add(shuffled[person.key].pop().key)
    people = (
        replace(person, questions=tuple(asked for asked in person.questions if asked.key in drawn))
        for person in collection.people
    )
    return replace(collection, people=tuple(person for person in people if person.questions))


def make_plan(collection: Collection, subject: str, bench: Bench, *, limit: int, seed: int) -> Plan:
    """Return the plan of a subject on what was chosen."""
    settings = bench.settings
    model = settings.model.name
    if model == "server":
        model = f"server {settings.server.model or 'default'}"
    return Plan(
        collection.name, collection.variant, subject, model, limit, seed, bench.top_k, bench.pictures,
        settings.model.context, dict(collection.inputs), collection.notes, len(collection.people), collection.questions,
        __version__,
    )  # fmt: skip


def answer_all(
    collection: Collection, plan: Plan, bench: Bench, folder: RunFolder, *, workers: int, on_progress: OnProgress
) -> None:
    """Have every question answered that has no reply yet.

    Raises what ends a run: a model that cannot be opened, a server that is down. What was answered stays.
    """
    folder.begin(plan, machine())
    pending = [person for person in collection.people if _left(folder, person)]
    done = collection.questions - sum(len(_left(folder, person)) for person in pending)
    on_progress(done, collection.questions, plan.subject)
    works = [Work(bench, plan.subject, person, folder.root) for person in pending]
    if workers <= 1 or len(works) <= 1:
        for work in works:
            for _ in answer_person(work):
                done += 1
                on_progress(done, collection.questions, plan.subject)
        return
    _in_processes(works, workers, lambda: on_progress(_count(folder, collection), collection.questions, plan.subject))


def answer_person(work: Work) -> Generator[str, None, None]:
    """Let one person's history be learnt, and yield the key of each question once its reply is on disk."""
    folder = RunFolder(work.folder)
    file, home = folder.replies_file(work.person.key), folder.home(work.person.key)
    mend(file)
    left = _left(folder, work.person)
    if any(question.form in MEMORY_FORMS for question in left):
        # what each session leaves is looked at, so it is learnt from the start again
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    subject = open_subject(work.subject, work.bench, work.person, home)
    try:
        seen, broken = 0, 0
        for upto, questions in groupby(sorted(left, key=_seen(work.person)), key=_seen(work.person)):
            began = time.perf_counter()
            subject.learn(work.person.history[seen:upto])
            append(file, {"learnt": upto - seen, "seconds": time.perf_counter() - began})
            seen = upto
            for question in questions:
                reply = ask(subject, question)
                broken = broken + 1 if reply.failed and "cannot be reached" in reply.failed else 0
                if broken >= _BROKEN:
                    raise EngineError(reply.failed, fix="Start it again; the same command goes on where it was.")
                outcome = Outcome(work.person.key, work.person.context, work.person.hidden, question, reply)
                append(file, outcome_row(outcome))
                yield question.key
    finally:
        subject.close()
    shutil.rmtree(home, ignore_errors=True)


def machine() -> dict[str, str]:
    """Return what a report says of the machine."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count() or 0),
    }


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


def estimate(collection: Collection, subject: str, top_k: int) -> Cost:
    """Return what a subject would cost."""
    calls = tokens = 0
    for person in collection.people:
        history = sum(len(said.user) + len(said.assistant) for said in person.history) // 4
        each = history // max(1, len(person.history))
        sessions = len({said.session for said in person.history})
        if subject == "persona":
            # two calls a turn, three a session, and two a question
            calls += 2 * len(person.history) + 3 * sessions
            tokens += 2 * len(person.history) * (_PROMPT + each) + 3 * (sessions * _PROMPT + history)
        for question in person.questions:
            asked, per = _per_question(subject, question, history, each, top_k)
            calls, tokens = calls + asked, tokens + per
    return Cost(subject, collection.questions, sum(len(person.history) for person in collection.people), calls, tokens)


def _per_question(subject: str, question: Question, history: int, each: int, top_k: int) -> tuple[int, int]:
    if question.form in MEMORY_FORMS:
        return 0, 0
    text = (len(question.text) + sum(map(len, question.options)) + len(question.reply)) // 4 + 40
    shown = {"rag": top_k * each, "recent": top_k * each, "oracle": max(1, len(question.evidence)) * each}
    context = shown.get(subject, 0 if subject in ("none", "profile") else history)
    calls = 2 if question.form is Form.PAIR else 1
    if subject == "self-critic":
        calls *= 3
    if subject == "persona":
        return 2 * calls, 2 * calls * (_PROMPT + text + 4 * each)
    return calls, calls * (context + text)


def _left(folder: RunFolder, person: Person) -> list[Question]:
    answered = folder.answered(person.key)
    return [question for question in person.questions if question.key not in answered]


def _seen(person: Person) -> Callable[[Question], int]:
    whole = len(person.history)
    return lambda question: whole if question.seen is None else min(question.seen, whole)


def _count(folder: RunFolder, collection: Collection) -> int:
    return sum(len(folder.answered(person.key)) for person in collection.people)


def _in_processes(works: Sequence[Work], workers: int, on_poll: Callable[[], None]) -> None:
    """Work through people in processes; the first failure that ends a run lets the others finish their person."""
    # spawned, not forked: llama.cpp and ONNX Runtime have threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(works)), mp_context=context) as pool:
        running: set[Future[tuple[str, str, str] | None]] = {pool.submit(_work_through, work) for work in works}
        failed: tuple[str, str, str] | None = None
        while running:
            done, running = wait(running, _POLL, FIRST_COMPLETED)
            on_poll()
            for future in done:
                failed = failed or (None if future.cancelled() else future.result())
            if failed:
                for future in running:
                    future.cancel()
    if failed:
        raise EngineError(failed[1], fix=failed[2])


def _work_through(work: Work) -> tuple[str, str, str] | None:
    """Run in a process: return what ended it, as values that travel; None for nothing."""
    # each process alone has its core: threads of all of them together would stand in each other's way
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        for _ in answer_person(work):
            pass
    except PersonaError as exc:
        return type(exc).__name__, exc.message, exc.fix
    return None
