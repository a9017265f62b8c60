"""P-SOUPS, in the copy of AlignX: which of two replies somebody with a hidden preference would choose.

    FOLDER/student_phd.json    FOLDER/concise_detail.json    FOLDER/friendly_unfriendly.json

How the paper scored it is not published, so three protocols stand here, each named in the report: "choice" asks (a)
or (b) in both orders and counts it only where both agree; "fit" asks of each reply whether it fits; "logprob" takes the
reply that the engine itself finds likelier a token. A record's four examples of the same person are the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person
from persona_cli.evaluation.datasets.personamem import FIRST
from persona_cli.evaluation.datasets.published_files import PublishedFolder, PublishedRow, invented_times

NAME = "p-soups"
SOURCE = "https://github.com/JinaLeejnl/AlignX (benchmark/P-Soups)"
FILES = {
    "student_phd.json": "Expertise",
    "concise_detail.json": "Informativeness",
    "friendly_unfriendly.json": "Style",
}
RECORDS = 600
PROTOCOLS = ("choice", "fit", "logprob")


class _Example(PublishedRow):
    prompt: str
    chosen: str
    rejected: str


class _Record(_Example):
    ground_truth_persona: str = ""
    profile: str = ""
    examples: list[_Example] = Field(default=[], alias="Pair-wise Comparative Feedback")


def load(root: Path, variant: str = "") -> Collection:
    """Return the records of the files that are there, asked by one protocol."""
    protocol = variant or "choice"
    folder = PublishedFolder(root, name="P-SOUPS", source=SOURCE)
    people: list[Person] = []
    for path in folder.find(*FILES):
        records = folder.json(path, list[_Record])
        folder.expect(f"records of {path.name}", len(records), RECORDS)
        task = FILES[path.name]
        people += (_person(f"{path.stem}-{number}", task, record, protocol) for number, record in enumerate(records))
    folder.notes.append(f"protocol: {protocol}")
    return Collection(NAME, protocol, tuple(people), folder.inputs, tuple(folder.notes))


def _person(key: str, task: str, record: _Record, protocol: str) -> Person:
    # what was preferred is what the person is known by: the history shows it as the reply that was kept
    history = invented_times([[(example.prompt, example.chosen)] for example in record.examples], FIRST)
    questions = tuple(_questions(key, task, record, protocol))
    return Person(key, history, questions, record.profile, record.ground_truth_persona)


def _questions(key: str, task: str, record: _Record, protocol: str) -> Iterator[CaseQuestion]:
    at = FIRST + timedelta(days=len(record.examples) + 1)
    examples = tuple((example.prompt, example.chosen, example.rejected) for example in record.examples)
    if protocol == "fit":
        for name, truth, reply in (("chosen", "a", record.chosen), ("rejected", "b", record.rejected)):
            yield CaseQuestion(
                f"{key}-{name}", task, record.prompt, at, Form.FIT, truth, reply=reply, examples=examples
            )
        return
    yield CaseQuestion(
        key, task, record.prompt, at, Form.PAIR, protocol, options=(record.chosen, record.rejected), examples=examples
    )
