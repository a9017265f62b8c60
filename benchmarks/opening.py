"""What opening a model costs before its weights are mapped, and what a turn evaluates, quick and with reasoning.

The head of a file is read with a vocabulary of real size (`--vocabulary` names a folder with vocab.json and merges.txt;
without it as many invented words). The turns are those of an untrained model on tiny weights: what counts are tokens,
not words. A token of these weights is a byte; a real vocabulary has four of them in one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gguf
import numpy as np

from persona_cli.model.engines import Message
from persona_cli.model.engines.llama import Wishes, open_llama
from persona_cli.model.engines.llama.gguf_file import read_text
from persona_cli.model.fitting import PromptWriter
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import Exchange, Situation
from persona_cli.personality import Traits
from persona_cli.records import CoreMemory, Hit, Image, Kind, Query, Recall, Ref, Retrieve, SemanticMemory, Turn
from tests.tinytext import write_text_model

TOKENS = 151_936
AT = (5, 20, 50)
"""The turns at which it is looked."""
MOST_SECONDS = 0.1
_BEGIN = datetime(2026, 5, 12, 9, tzinfo=UTC)


def main(arguments: Sequence[str]) -> int:
    """Print both tables; 1 where reading the head takes longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks opening")
    parser.add_argument("--vocabulary", type=Path, help="a folder with vocab.json and merges.txt")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        seconds = _head(Path(folder) / "head.gguf", options.vocabulary)
        print(f"head of a file with {TOKENS:,} tokens: {seconds * 1000:.0f} ms of processor\n")
        print("| tokens evaluated in a turn | " + " | ".join(f"turn {turn}" for turn in AT) + " |\n|---|---|---|---|")
        for name, counts in _turns(Path(folder)).items():
            print(f"| {name} | " + " | ".join(f"{evaluated:,} of {prompt:,}" for prompt, evaluated in counts) + " |")
    return int(seconds > MOST_SECONDS)


def _head(path: Path, vocabulary: Path | None) -> float:
    """Write a file without weights to speak of, and return the processor's seconds to know what it is."""
    tokens, merges = (
        [f"token{number}" for number in range(TOKENS)],
        [f"a{number} b{number}" for number in range(TOKENS)],
    )
    if vocabulary is not None:
        tokens = list(json.loads((vocabulary / "vocab.json").read_text(encoding="utf-8")))
        merges = (vocabulary / "merges.txt").read_text(encoding="utf-8").splitlines()
    writer = gguf.GGUFWriter(path, "llama")
    for add in (writer.add_block_count, writer.add_context_length, writer.add_embedding_length, writer.add_head_count):
        add(4)
    writer.add_token_list(tokens)
    writer.add_token_merges(merges)
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("output_norm.weight", np.zeros(8, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    began = time.process_time()
    read_text(path)
    return time.process_time() - began


def _turns(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Return (prompt, evaluated) at each of the turns, by the way of answering."""
    path = write_text_model(folder / "tiny.gguf", context=65_536)
    found: dict[str, list[tuple[int, int]]] = {}
    for name, guided, quick in (
        ("quick, untrained", True, True),
        ("reasoning, untrained", True, False),
        ("reasoning, the order of PersonaVLM", False, False),
    ):
        opened = open_llama(path, None, Wishes(context=65_536, threads=1), folder / "cache")
        guide = [Message("system", (load_prompts().fill("guide"),))] if guided else []
        writing = PromptWriter(opened.engine, load_prompts(), _nothing, guide=guide)
        found[name] = _talk(opened.engine, writing, quick=quick)
        opened.engine.close()
    return found


def _talk(engine: Any, writing: PromptWriter, *, quick: bool) -> list[tuple[int, int]]:
    """Talk for as many turns as are looked at; the replies are given, their tokens are not generated."""
    recent: list[Turn] = []
    counts = []
    for number in range(1, max(AT) + 1):
        at = _BEGIN + timedelta(minutes=number)
        said = f"This is message {number} about my garden and the tomatoes in it, what do you think?"
        exchange = Exchange("", Retrieve(said), Recall(semantic=(_fact(number),)))
        situation = Situation(
            Query(said, at), CoreMemory(), Traits(), tuple(recent), exchanges=(exchange,) if quick else ()
        )
        written = writing.one_call(situation) if quick else writing.conversation(situation)
        before = engine.counts.prompt, engine.counts.evaluated
        list(engine.generate(written.messages, grammar=None, stop=lambda: False, limit=1, lane="respond"))
        if number in AT:
            counts.append((engine.counts.prompt - before[0], engine.counts.evaluated - before[1]))
        recent.append(Turn(number, 1, at, said, f"I think they like the sun, as in message {number}.", "tiny"))
    return counts


def _fact(number: int) -> Hit[SemanticMemory]:
    content = f"The user planted {number} tomatoes in the garden."
    memory = SemanticMemory(number, content, (), "user", content, recorded_at=_BEGIN, valid_from=_BEGIN)
    return Hit(Ref(Kind.SEMANTIC, number), memory, 1.0)


def _nothing(image: Image) -> Path:
    raise AssertionError(image)
