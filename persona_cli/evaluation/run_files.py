"""The folder of a run: what was run, one file of replies a person, one of verdicts; each line is written at once.

    RUN/run.json            the plan, the hashes of the inputs, what it ran on
    RUN/people/KEY.jsonl    a line for each question: the question, its gold, the reply, its cost
    RUN/verdicts/KEY.jsonl  a line for each reply that a judge has marked
    RUN/homes/KEY/          the scratch memory of a person under way; deleted when all of theirs is answered

A run that was stopped anywhere goes on from its files: half a line at the end of one is not counted.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from persona_cli.errors import TransferError, UsageError
from persona_cli.evaluation.cases import CaseQuestion, CaseReply, Form
from persona_cli.evaluation.judging.judge import Judgement
from persona_cli.evaluation.judging.pairwise import Comparison

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What one run is: the same plan in the same folder goes on, another one is refused."""

    dataset: str
    variant: str
    subject: str
    model: str
    limit: int = 0
    seed: int = 0
    top_k: int = 5
    pictures: bool = True
    context: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    """What else is not as it is by default and may change an answer."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    people: int = 0
    questions: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """One question of one person with its reply."""

    person: str
    context: str
    hidden: str
    question: CaseQuestion
    reply: CaseReply


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is read again."""

    folder: Path
    plan: RunPlan
    outcomes: tuple[AnsweredQuestion, ...]
    verdicts: Mapping[str, Judgement]
    seconds: float
    """That learning the histories took, all people together."""
    learnt: int
    """Exchanges learnt."""
    machine: Mapping[str, str]


class RunFolder:
    """Writes and reads one run."""

    def __init__(self, root: Path) -> None:
        # absolute: the scratch homes in it are opened by processes and as addresses of files
        self.root = root.absolute()

    def begin(self, plan: RunPlan, machine: Mapping[str, str]) -> None:
        """Make the folder, or go on with it; raises `UsageError` where another run is in it."""
        file = self.root / "run.json"
        if file.exists():
            there = read_plan(file)[0]
            if _comparable(there) != _comparable(plan):
                raise UsageError(f"{self.root} holds another run", fix="Name another folder with --to, or delete it.")
            return
        for name in ("people", "verdicts", "homes"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        text = json.dumps({"kind": "evaluation", "version": 1, "plan": asdict(plan), "machine": machine}, indent=1)
        file.write_text(text + "\n", encoding="utf-8")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from the run; raises `UsageError` where one is at work on it."""
        lock = FileLock(self.root / "run.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as exc:
            raise UsageError(
                f"another process is at work on {self.root}", fix="Wait for it, or name another folder with --to."
            ) from exc
        try:
            yield
        finally:
            lock.release()

    def remove_if_empty(self) -> None:
        """Delete a run in which nothing was answered and nothing learnt."""
        if not any(path.is_file() for name in ("people", "homes") for path in (self.root / name).rglob("*")):
            shutil.rmtree(self.root, ignore_errors=True)

    def replies_file(self, person: str) -> Path:
        """Return where a person's replies are."""
        return self.root / "people" / f"{file_name(person)}.jsonl"

    def verdicts_file(self, person: str) -> Path:
        """Return where a person's verdicts are."""
        return self.root / "verdicts" / f"{file_name(person)}.jsonl"

    def home(self, person: str) -> Path:
        """Return where a person's scratch memory is."""
        return self.root / "homes" / file_name(person)

    def answered(self, person: str) -> set[str]:
        """Return the questions of a person that have a reply."""
        return {row["question"]["key"] for row in read_lines(self.replies_file(person)) if "question" in row}

    def read(self) -> Run:
        """Return all there is; raises `TransferError` where this is no run."""
        plan, machine = read_plan(self.root / "run.json")
        outcomes: list[AnsweredQuestion] = []
        verdicts: dict[str, Judgement] = {}
        seconds, learnt = 0.0, 0
        for file in sorted((self.root / "people").glob("*.jsonl")):
            for row in read_lines(file):
                if "question" in row:
                    outcomes.append(_outcome(row))
                else:
                    seconds, learnt = seconds + row["seconds"], learnt + row["learnt"]
        for file in sorted((self.root / "verdicts").glob("*.jsonl")):
            for row in read_lines(file):
                verdicts[row["key"]] = Judgement(**{**row, "scores": tuple(row["scores"])})
        return Run(self.root, plan, tuple(outcomes), verdicts, seconds, learnt, machine)

    def comparisons(self) -> dict[str, list[Comparison]]:
        """Return what this run's answers were compared with, by the name of the other subject."""
        files = sorted(self.root.glob("against-*.jsonl"))
        return {file.stem.removeprefix("against-"): [Comparison(**row) for row in read_lines(file)] for file in files}


def file_name(key: str) -> str:
    """Return a key as a file name that no other key has."""
    plain = _UNFIT.sub("-", key)[:80]
    return plain if plain == key else f"{plain}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def append(file: Path, row: object) -> None:
    """Write one line, and have it on its way to the disk before this returns."""
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row, ensure_ascii=False, default=_plain) + "\n")


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file; the half line that a killed run may leave is no row."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def mend(file: Path) -> None:
    """Cut half a line off, so that the next one is not appended to it."""
    if file.exists() and (content := file.read_bytes()) and not content.endswith(b"\n"):
        file.write_bytes(content[: content.rfind(b"\n") + 1])


def outcome_row(outcome: AnsweredQuestion) -> dict[str, Any]:
    """Return an outcome as a line."""
    return asdict(outcome)


def read_plan(file: Path) -> tuple[RunPlan, dict[str, str]]:
    """Return the plan of a run and the machine it ran on."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        plan = RunPlan(**{**read["plan"], "notes": tuple(read["plan"]["notes"])})
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise TransferError(f"{file.parent} holds no run", fix="Name a folder that `persona eval run` made.") from exc
    return plan, dict(read.get("machine", {}))


def _comparable(plan: RunPlan) -> dict[str, Any]:
    """Return what makes two plans one run: the files' hashes do, the program's version does not."""
    row = asdict(plan)
    return {name: row[name] for name in row if name not in ("version", "notes")}


def _outcome(row: Mapping[str, Any]) -> AnsweredQuestion:
    asked, replied = dict(row["question"]), dict(row["reply"])
    asked |= {"at": datetime.fromisoformat(asked["at"]), "form": Form(asked["form"])}
    asked["evidence"] = frozenset(asked["evidence"])
    for name in ("options", "criteria", "former"):
        asked[name] = tuple(asked[name])
    asked["examples"] = tuple(tuple(example) for example in asked["examples"])
    replied["recalled"] = tuple(replied["recalled"])
    known = {part.name for part in fields(CaseQuestion)}
    question = CaseQuestion(**{name: value for name, value in asked.items() if name in known})
    return AnsweredQuestion(row["person"], row["context"], row["hidden"], question, CaseReply(**replied))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Iterable):
        return list(value)
    return str(value)
