"""Making a data set: people in processes, each one's part on disk once it is done, then the files made of all parts.

people/KEY.json      everything of one person: a run that was stopped goes on with those that are missing
transcripts/         what `persona import` reads
users/KEY/           the person's memory as it is at the end, as a home of the program
sft.jsonl …          lessons, in three forms
synth.json           what was made, in which shares, and what the checks refused
"""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from persona_cli import __version__
from persona_cli.errors import TransferError
from persona_cli.model.prompts import load_prompts
from persona_cli.paths import Places
from persona_cli.synthesis.dialogue import SpokenTurn, speak
from persona_cli.synthesis.exam import examine, practice
from persona_cli.synthesis.exam_files import bench_records, rl_row, write_benchmark, write_rl, write_user
from persona_cli.synthesis.home_writing import Housing
from persona_cli.synthesis.lessons import Pupil
from persona_cli.synthesis.lifeplan import Life, Picture, load_personas, plan_life
from persona_cli.synthesis.quality import PAPER, PICTURED, balanced, shares, without_twins
from persona_cli.synthesis.sft_rows import SftRow, read_row, row_of, write_all, write_lines
from persona_cli.synthesis.teacher import reworded

CHOICES = 5
"""Turns of a life for each question with options among its lessons."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made; what depends on anything here is made anew when it changes."""

    people: int = 50
    turns: int = 100
    seed: str = "0"
    context: int = 16_384
    """Tokens of the context that prompts are written for."""
    personas: Path | None = None
    pictures: tuple[Picture, ...] = ()
    judged: int = 0
    """Candidates of a search that are judged against the question, as in use; 0 for none."""
    held: int = 0
    """People beside those, of whom nothing is trained: the benchmark."""
    taught: bool = False
    """A teacher says the talk; else the grammar does."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of the people, those of the benchmark last."""
        return tuple(f"{number:04}" for number in range(self.people + self.held))

    def is_held(self, key: str) -> bool:
        """Tell whether a person is of the benchmark."""
        return int(key) >= self.people


@dataclass(frozen=True, slots=True)
class PersonPart:
    """One person's part."""

    key: str
    turns: int
    pictured: int
    rows: tuple[SftRow, ...]
    prompts: tuple[Mapping[str, Any], ...] = ()
    """For reinforcement."""
    records: tuple[Mapping[str, Any], ...] = ()
    """Of the benchmark."""
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """What was made."""

    people: int
    turns: int
    rows: int
    prompts: int
    """For reinforcement."""
    held: int
    """People of the benchmark."""
    questions: int
    """Of the benchmark."""
    by_task: Mapping[str, int]
    shares: Mapping[str, float]
    paper: Mapping[str, float]
    pictured: float
    paper_pictured: float
    twins: int
    """Rows that taught what another one teaches, and were left out."""
    counts: Mapping[str, Mapping[str, int]]
    """What was refused by which rule, and what searches found or not."""


def make(
    order: Order, places: Places, folder: Path, *, rows: int = 0, workers: int = 1, on_progress: OnProgress
) -> Made:
    """Make a data set in a folder, `rows` for training at most; the same call goes on where it was stopped."""
    claim(order, folder)
    missing = [key for key in order.keys if not _part_file(folder, key).exists()]
    done = len(order.keys) - len(missing)
    on_progress(done, len(order.keys))
    for _ in _worked(order, places, folder, missing, workers):
        done += 1
        on_progress(done, len(order.keys))
    return _assemble([_read_part(folder, key) for key in order.keys], order, folder, rows)


def make_people(order: Order, places: Places, folder: Path, keys: Sequence[str]) -> None:
    """Make the parts of some people, in this process."""
    housing, personas = Housing(places, folder / "users", judged=order.judged), load_personas(order.personas)
    try:
        for key in keys:
            _write_part(folder, _part(_life(order, key, personas), order, housing, folder))
    finally:
        housing.close()


def plan_all(order: Order) -> list[tuple[Life, tuple[SpokenTurn, ...]]]:
    """Return every life of an order with its talk in the grammar's words: what a teacher says anew."""
    personas = load_personas(order.personas)
    lives = [_life(order, key, personas) for key in order.keys]
    return [(life, speak(life, order.seed)) for life in lives]


def _life(order: Order, key: str, personas: Sequence[str]) -> Life:
    persona = personas[int(key) % len(personas)]
    return plan_life(key, persona, order.turns, order.seed, order.pictures)


def _part(life: Life, order: Order, housing: Housing, folder: Path) -> PersonPart:
    spoken = reworded(life, speak(life, order.seed), folder) if order.taught else speak(life, order.seed)
    exam = examine(life, spoken, order.seed)
    write_lines(folder / "transcripts" / f"{life.key}.jsonl", _transcript(spoken))
    acts = {"acts": dict(Counter(said.beat.act.value for said in spoken))}
    pictured = sum(said.picture is not None for said in spoken)
    if order.is_held(life.key):
        write_user(life, spoken, folder / "benchmark")
        records = tuple(bench_records(exam, len(spoken), life.key))
        return PersonPart(life.key, len(spoken), pictured, (), records=records, counts=acts)
    rng = Random(f"{order.seed}:{life.key}:lessons")  # noqa: S311 - chance that can be repeated
    with housing.open(life.key) as household:
        pupil = Pupil(life.key, household, load_prompts(), order.context, rng)
        sessions = [[said for said in spoken if said.session == number] for number in range(len(life.sessions))]
        lessons = [lesson for session in sessions for lesson in pupil.session(session)]
        lessons += pupil.merged(spoken)
        lessons += pupil.choices(practice(life, spoken, order.seed, max(2, order.turns // CHOICES)))
        traits = household.store.readings.latest()
        prompts = [pupil.first_prompt(question.put, question.at, traits) for question in exam]
    asked = zip(exam, prompts, strict=True)
    return PersonPart(
        life.key,
        len(spoken),
        pictured,
        tuple(row_of(lesson, lambda path: str(path.relative_to(folder))) for lesson in lessons),
        tuple(rl_row(question, place, life.key, prompt) for place, (question, prompt) in enumerate(asked)),
        counts={
            "refused": dict(pupil.refused),
            "answers found": dict(pupil.found),
            "answers not found": dict(pupil.unfound),
            **acts,
        },
    )


def _transcript(spoken: Sequence[SpokenTurn]) -> Iterator[dict[str, Any]]:
    for said in spoken:
        words = said.user.replace("<img>", "").strip()
        line: dict[str, Any] = {"time": f"{said.at:%Y-%m-%d %H:%M}", "user": words, "assistant": said.answer}
        if said.picture is not None:
            line["images"] = [str(said.picture.path.absolute())]
        yield line


def _worked(order: Order, places: Places, folder: Path, keys: Sequence[str], workers: int) -> Iterator[str]:
    """Yield the key of each person whose part is done."""
    if workers <= 1 or len(keys) <= 1:
        for key in keys:
            make_people(order, places, folder, [key])
            yield key
        return
    # several people a process at a time: the embedding is opened once for all of them
    size = max(1, min(8, len(keys) // workers))
    portions = [keys[at : at + size] for at in range(0, len(keys), size)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        jobs = {pool.submit(make_people, order, places, folder, portion): portion for portion in portions}
        for job in as_completed(jobs):
            job.result()
            yield from jobs[job]


def _assemble(parts: Sequence[PersonPart], order: Order, folder: Path, most: int) -> Made:
    every = [row for part in parts for row in part.rows]
    unlike = without_twins(every)
    chosen = balanced(unlike, order.seed, most)
    Random(f"{order.seed}:order").shuffle(chosen)  # noqa: S311 - chance that can be repeated
    write_all(chosen, folder)
    prompts = [row for part in parts for row in part.prompts]
    write_rl(prompts, folder)
    records = [record for part in parts for record in part.records]
    if records:
        write_benchmark(records, folder / "benchmark")
    counts: dict[str, Counter[str]] = {}
    for part in parts:
        for name, counted in part.counts.items():
            counts.setdefault(name, Counter()).update(counted)
    turns = sum(part.turns for part in parts)
    made = Made(
        people=order.people,
        turns=turns,
        rows=len(chosen),
        prompts=len(prompts),
        held=order.held,
        questions=len(records),
        by_task=dict(Counter(row.task for row in chosen)),
        shares=shares(chosen),
        paper=PAPER,
        pictured=sum(part.pictured for part in parts) / max(1, turns),
        paper_pictured=PICTURED,
        twins=len(every) - len(unlike),
        counts={name: dict(counted) for name, counted in counts.items()},
    )
    report = {"kind": "synth", "version": 1, "program": __version__, "order": _plain(order), **asdict(made)}
    (folder / "synth.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return made


def claim(order: Order, folder: Path) -> None:
    """Take a folder that is empty or was begun by the same order; raises `TransferError` for any other."""
    file = folder / "order.json"
    plain = json.dumps(_plain(order), indent=1, ensure_ascii=False)
    if file.exists():
        if file.read_text(encoding="utf-8") != plain:
            raise TransferError(f"{folder} was begun with other options", fix="Use those, or another folder.")
        return
    if folder.exists() and any(folder.iterdir()):
        raise TransferError(f"{folder} is not empty", fix="Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(plain, encoding="utf-8")


def _plain(order: Order) -> dict[str, Any]:
    return dict(json.loads(json.dumps(asdict(order), default=str)))


def _part_file(folder: Path, key: str) -> Path:
    return folder / "people" / f"{key}.json"


def _write_part(folder: Path, part: PersonPart) -> None:
    file = _part_file(folder, part.key)
    file.parent.mkdir(parents=True, exist_ok=True)
    begun = file.with_suffix(".part")
    begun.write_text(json.dumps(asdict(part), ensure_ascii=False), encoding="utf-8")
    begun.replace(file)


def _read_part(folder: Path, key: str) -> PersonPart:
    fields = json.loads(_part_file(folder, key).read_text(encoding="utf-8"))
    return PersonPart(**{**fields, "rows": tuple(map(read_row, fields["rows"]))})
