"""The questions at the end of histories as files: prompts for reinforcement, and a benchmark `persona eval` reads.

rl.jsonl                  {"query", "at", "images", "options", "answer", "user", "task"}; user is a home beside the file
rl-swift.jsonl            ms-swift's: the first prompt as the program writes it, the last message is the reference
USER_PATH_DICT.json       by first prompt the home it is asked of
benchmark/Persona-MME.json, benchmark/samples/BUCKET/USER/user_data.json     the layout of Persona-MME
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from persona_cli.synthesis.dialogue import SpokenTurn
from persona_cli.synthesis.exam import ExamQuestion
from persona_cli.synthesis.lifeplan import Life
from persona_cli.synthesis.sft_rows import write_lines

BUCKETS = (50, 100, 200, 500)
"""Turns of the published users: 32k tokens for the first two, 128k for the others."""
FREE = 3
"""One in so many questions that have a reply of their own is asked without options."""


def rl_row(question: ExamQuestion, number: int, person: str, prompt: str) -> dict[str, Any]:
    """Return one prompt of reinforcement: a choice of four, or now and then a free answer."""
    free = question.free and number % FREE == 0
    return {
        "query": question.query, "at": f"{question.at:%Y-%m-%d %H:%M}", "images": [],
        **({} if free else {"options": list(question.options)}),
        "answer": question.reply if free else question.letter,
        "user": f"users/{person}", "task": question.task, "prompt": prompt,
    }  # fmt: skip


def write_rl(rows: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the prompts in both forms, with the homes they are asked of."""
    own = [{name: value for name, value in row.items() if name != "prompt"} for row in rows]
    write_lines(folder / "rl.jsonl", own)
    talks = [
        {"messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["answer"]}]}
        for row in rows
    ]
    write_lines(folder / "rl-swift.jsonl", talks)
    homes = {row["prompt"]: row["user"] for row in rows}
    (folder / "USER_PATH_DICT.json").write_text(json.dumps(homes, ensure_ascii=False, indent=1), encoding="utf-8")


def bench_records(questions: Iterable[ExamQuestion], turns: int, person: str) -> list[dict[str, Any]]:
    """Return the questions of one person as records of Persona-MME."""
    return [_record(question, f"./samples/{bucket_of(turns)}/{int(person)}/user_data.json") for question in questions]


def write_user(life: Life, spoken: Sequence[SpokenTurn], folder: Path) -> None:
    """Write a person's history into a benchmark's folder, the pictures beside it."""
    place = folder / "samples" / str(bucket_of(len(spoken))) / str(int(life.key))
    place.mkdir(parents=True, exist_ok=True)
    pictures: list[str] = []
    for said in spoken:
        if said.picture is not None:
            name = f"{len(pictures)}{said.picture.path.suffix}"
            shutil.copyfile(said.picture.path, place / name)
            pictures.append(f"./samples/{place.parent.name}/{place.name}/{name}")
    sessions = [
        [
            {"time": f"{said.at:%Y-%m-%d %H:%M}", "user": said.user, "assistant": said.answer}
            for said in spoken
            if said.session == number
        ]
        for number in range(len(life.sessions))
    ]
    poles = {trait: ("high" if pole > 0 else "low") for trait, pole in life.poles_at(len(sessions)).items() if pole}
    hidden = f"{life.persona}. " + ", ".join(f"{pole} in {trait}" for trait, pole in poles.items())
    user = {"profile": {"name": life.name}, "persona": hidden, "sessions": sessions, "imgs": pictures}
    (place / "user_data.json").write_text(json.dumps(user, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_benchmark(records: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the questions of a benchmark."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(list(records), ensure_ascii=False, indent=1) + "\n"
    (folder / "Persona-MME.json").write_text(text, encoding="utf-8")


def bucket_of(turns: int) -> int:
    """Return the published length of history that is nearest above."""
    return next((bucket for bucket in BUCKETS if turns <= bucket), BUCKETS[-1])


def _record(question: ExamQuestion, path: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "data_path": path, "type": question.aspect, "question_type": question.task,
        "time": f"{question.at:%Y-%m-%d %H:%M (%A)}", "query": question.query,
        "choices": {f"({'abcd'[place]})": option for place, option in enumerate(question.options)},
        "answer": question.letter,
    }  # fmt: skip
    if question.chosen:
        record["alignment"] = {"chosen": question.chosen, "rejected": question.rejected}
    return record
