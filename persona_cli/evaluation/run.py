"""Running a plan: which questions are drawn, who answers them where, and how far that is.

Answers come first, verdicts of a judge after them: a judge that is down loses nothing. A person whose questions are all
answered is not opened again; one that was stopped in the middle goes on with the memory it has.
"""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Callable
from dataclasses import fields, replace

from persona_cli import __version__
from persona_cli.config import Settings
from persona_cli.errors import PersonaError
from persona_cli.evaluation.cases import Collection
from persona_cli.evaluation.person_run import Work, answer_person, left_of
from persona_cli.evaluation.processes import work_in_processes
from persona_cli.evaluation.run_files import RunFolder, RunPlan
from persona_cli.evaluation.subjects import LEARNS, Bench
from persona_cli.evaluation.subjects.engines import is_served

OnProgress = Callable[[int, int, str], None]
"""Told steps done, all of them, and what is being done: a step is a question, or an exchange that is learnt."""


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


def make_plan(collection: Collection, subject: str, bench: Bench, *, limit: int, seed: int) -> RunPlan:
    """Return the plan of a subject on what was chosen."""
    settings = bench.settings
    model = settings.model.name
    if model == "server":
        model = f"server {settings.server.model or 'default'}"
    return RunPlan(
        collection.name, collection.variant, subject, model, limit, seed, bench.top_k, bench.pictures,
        settings.model.context, _changed(settings), dict(collection.inputs), collection.notes,
        len(collection.people), collection.questions, __version__,
    )  # fmt: skip


def answer_all(
    collection: Collection, plan: RunPlan, bench: Bench, folder: RunFolder, *, workers: int, on_progress: OnProgress
) -> None:
    """Have every question answered that has no reply yet.

    Raises what ends a run: a model that cannot be opened, a server that is down, another process at work on the same
    run. What was answered stays.
    """
    folder.begin(plan, machine())
    learns = plan.subject == LEARNS
    pending = [person for person in collection.people if left_of(folder, person)]
    together = _together(plan, bench, workers, len(pending))
    works = [Work(bench, plan.subject, person, folder.root, together) for person in pending]
    every = collection.questions + sum(len(person.history) for person in collection.people if learns)
    done = every - sum(_steps(work, folder, learns=learns) for work in works)

    def advance(steps: int) -> None:
        nonlocal done
        done = min(done + steps, every)
        on_progress(done, every, plan.subject)

    advance(0)
    with folder.held():
        try:
            if workers <= 1 or len(works) <= 1:
                for work in works:
                    for _ in answer_person(work, advance):
                        pass
            else:
                work_in_processes(works, workers, advance)
        except PersonaError:
            # a model that is not there is no run: nothing is left that a report would show
            folder.remove_if_empty()
            raise


def machine() -> dict[str, str]:
    """Return what a report says of the machine."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count() or 0),
    }


_ASIDE = ("name", "context", "gpu_layers", "project_on_gpu", "threads", "flash_attention", "quantization")
"""Settings of a model that a plan names by themselves, or that change the time alone."""


def _changed(settings: Settings) -> dict[str, str]:
    """Return the settings that are not as by default and may change an answer, by their dotted keys."""
    default = Settings()
    return {
        f"{section}.{part.name}": str(value)
        for section in ("model", "embedding", "memory", "personality", "session")
        for part in fields(getattr(settings, section))
        if part.name not in _ASIDE
        and (value := getattr(getattr(settings, section), part.name)) != getattr(getattr(default, section), part.name)
    }


def _steps(work: Work, folder: RunFolder, *, learns: bool) -> int:
    """Return how many steps a person is still away from the end."""
    return len(left_of(folder, work.person)) + (len(work.person.history) if learns else 0)


def _together(plan: RunPlan, bench: Bench, workers: int, people: int) -> int:
    """Return how many questions of one person are put to the model at once."""
    if plan.subject == LEARNS or not is_served(bench.settings):
        return 1
    return -(-workers // max(1, people))
