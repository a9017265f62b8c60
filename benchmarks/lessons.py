"""What a model makes of lessons it has not seen: formats, searches, what was told.

    python -m benchmarks lessons sft.jsonl MODEL [--limit N]

Each lesson's prompt is put to an installed model as it stands, without a grammar and greedily; what comes back is held
against the reply that is right. A conversation with a search is asked twice: for the search, and, with what was found,
for the answer.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

from persona_cli.config import load_settings
from persona_cli.errors import FormatError
from persona_cli.evaluation.judging.answers import f1
from persona_cli.evaluation.letters import strict_letter
from persona_cli.model import parsing
from persona_cli.model.engines import Message
from persona_cli.model.opening import find_installed, open_weights
from persona_cli.model.weights import Weights
from persona_cli.paths import find_places

LIMITS = {"reason": 128, "answer": 96, "infer_personality": 56, "extract_semantic": 112}
_REPLY = re.compile(
    r"\s*<think>[^<]*</think>\s*(?:<answer>[^<]+</answer>|<retrieve>[^<]*keywords[^<]*</retrieve>)\s*", re.S
)
_SINGLE = re.compile(r"\s*<answer>[^<]+</answer>\s*", re.S)


def asked(row: dict[str, list[dict[str, str]]]) -> Iterator[tuple[list[Message], str]]:
    """Yield what is put to the model and the reply that is right, for each turn of the assistant."""
    messages = [Message(said["role"], (said["content"],)) for said in row["messages"]]  # type: ignore[arg-type]  # roles of a file
    for place, message in enumerate(messages):
        if message.role == "assistant":
            yield messages[:place], message.text


def marks(task: str, reply: str, right: str) -> dict[str, float]:
    """Return what a reply is worth, by what is looked at."""
    if task in ("reason", "answer"):
        form = _REPLY if task == "reason" else _SINGLE
        found = {"format": float(bool(form.fullmatch(reply)))}
        if task == "reason":
            found["search or answer as it should"] = float(("<retrieve>" in reply) == ("<retrieve>" in right))
        if letter := strict_letter(_inside(right)):
            found["the right option"] = float(strict_letter(_inside(reply)) == letter)
        elif "<answer>" in right:
            found["words of the answer (F1)"] = f1(_inside(reply), _inside(right))
        return found
    try:
        return {"format": 1.0, **_learnt(task, reply, right)}
    except FormatError:
        return {"format": 0.0, **dict.fromkeys(_learnt(task, right, right), 0.0)}


def _learnt(task: str, reply: str, right: str) -> dict[str, float]:
    if task == "infer_personality":
        said, gold = parsing.parse_traits(reply), parsing.parse_traits(right)
        return {"scores that are right": mean(float(said[name] == score) for name, score in gold)}
    if task == "extract_semantic":
        said_of, gold_of = parsing.parse_semantic(reply), parsing.parse_semantic(right)
        found = {"keep or not as it should": float(bool(said_of) == bool(gold_of))}
        if gold_of:
            found["words of what is kept (F1)"] = f1(said_of[0].content if said_of else "", gold_of[0].content)
        return found
    if task == "summarize_episodes":
        parsing.parse_topics(reply, 50)
    elif task == "update_core":
        parsing.parse_core(reply)
    else:
        parsing.parse_procedural(reply)
    return {"words (F1)": f1(reply, right)}


def _inside(text: str) -> str:
    return text.partition("<answer>")[2].partition("</answer>")[0]


def measure(file: Path, model: str, limit: int) -> dict[tuple[str, str], list[float]]:
    """Return the marks by task and by what was looked at."""
    places = find_places(None)
    settings = load_settings(places.config_file)
    engine = open_weights(find_installed(Weights(places.weights), model), settings.model, places.cache).engine
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    rows: Sequence[dict[str, list[dict[str, str]]]] = [json.loads(line) for line in file.open(encoding="utf-8")]
    for row in rows[:limit]:
        task = str(row["task"])
        for messages, right in asked(row):
            most = LIMITS.get(task, 160)
            pieces = engine.generate(messages, grammar=None, stop=lambda: False, limit=most, lane=task, penalty=1.0)
            for name, mark in marks(task, "".join(pieces), right).items():
                found[task, name].append(mark)
    engine.close()
    return found


def main(arguments: Sequence[str]) -> int:
    """Print the marks of a model as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("model")
    parser.add_argument("--limit", type=int, default=10_000)
    given = parser.parse_args(arguments)
    print(f"| {given.model} | | mean | of |\n|---|---|---|---|")
    for (task, name), values in sorted(measure(given.file, given.model, given.limit).items()):
        print(f"| {task} | {name} | {mean(values):.2f} | {len(values)} |")
    return 0
