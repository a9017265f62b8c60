"""What opening a model costs before its weights are mapped, and what a turn evaluates, quick and with reasoning.

The head of a file is read with a vocabulary of real size (`--vocabulary` names a folder with vocab.json and merges.txt;
without it as many invented words). The turns are those of tiny weights without sense, a task of learning after each:
what counts are tokens, and the processor's time to the first of a reply. Beside them stands
`llama_cpp.Llama.create_chat_completion` on the same messages, which has one cache for all of them. Without a vocabulary
a token is a byte; a real one has four of them in one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gguf
import llama_cpp
import numpy as np

from persona_cli.model.engines import Message
from persona_cli.model.engines.llama import LlamaOptions, open_llama
from persona_cli.model.engines.llama.gguf_file import read_text
from persona_cli.model.fitting import PromptWriter
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import SearchRound, Situation
from persona_cli.personality import Traits
from persona_cli.records import CoreMemory, Hit, Image, Kind, Query, Recall, Ref, Retrieve, SemanticMemory, Turn
from tests.tinytext import write_text_model

TOKENS = 151_936
AT = (5, 20, 50)
"""The turns at which it is looked."""
MOST_SECONDS = 0.1
CONTEXT = 32_768
_BEGIN = datetime(2026, 5, 12, 9, tzinfo=UTC)


def main(arguments: Sequence[str]) -> int:
    """Print both tables; 1 where reading the head takes longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks opening")
    parser.add_argument("--vocabulary", type=Path, help="a folder with vocab.json and merges.txt")
    options = parser.parse_args(arguments)
    known = read_vocabulary(options.vocabulary) if options.vocabulary else None
    with TemporaryDirectory() as folder:
        seconds = _head(Path(folder) / "head.gguf", known or invented())
        print(f"head of a file with {TOKENS:,} tokens: {seconds * 1000:.0f} ms of processor\n")
        print("| evaluated of the prompt, first token | " + " | ".join(f"turn {turn}" for turn in AT) + " |")
        print("|---|---|---|---|", flush=True)
        for name, looks in _turns(Path(folder), known):
            print(f"| {name} | " + " | ".join(map(str, looks)) + " |", flush=True)
    return int(seconds > MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class Look:
    """What one turn took until the first token of its reply."""

    prompt: int
    evaluated: int
    seconds: float
    """Of the processor."""

    def __str__(self) -> str:
        """Return it as a cell of the table."""
        return f"{self.evaluated:,} of {self.prompt:,}, {self.seconds * 1000:,.0f} ms"


def read_vocabulary(folder: Path) -> tuple[list[str], list[str]]:
    """Return the tokens in the order of their numbers, and the merges, from vocab.json and merges.txt."""
    known = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    return sorted(known, key=known.__getitem__), [line for line in lines if line and not line.startswith("#")]


def invented() -> tuple[list[str], list[str]]:
    """Return a vocabulary of that size that means nothing."""
    return [f"token{number}" for number in range(TOKENS)], [f"a{number} b{number}" for number in range(TOKENS)]


def _head(path: Path, vocabulary: tuple[list[str], list[str]]) -> float:
    """Write a file without weights to speak of, and return the processor's seconds to know what it is."""
    tokens, merges = vocabulary
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


def _turns(folder: Path, vocabulary: tuple[list[str], list[str]] | None) -> Iterator[tuple[str, list[Look]]]:
    """Yield what was looked at, by the way of answering, each followed by llama-cpp-python's own."""
    path = write_text_model(folder / "tiny.gguf", context=CONTEXT, vocabulary=vocabulary)
    for name, guided, quick in (
        ("quick, untrained", True, True),
        ("reasoning, untrained", True, False),
        ("reasoning, the order of PersonaVLM", False, False),
    ):
        opened = open_llama(path, None, LlamaOptions(context=CONTEXT, threads=1), folder / "cache")
        guide = [Message("system", (load_prompts().fill("guide"),))] if guided else []
        turns = _talk(PromptWriter(opened.engine, load_prompts(), _nothing, guide=guide), quick=quick)
        yield name, _ours(opened.engine, turns)
        opened.engine.close()
        yield f"{name}: create_chat_completion", _theirs(path, turns)


def _talk(writing: PromptWriter, *, quick: bool) -> list[list[Message]]:
    """Return the messages of each turn of a talk; the replies are given, their tokens are not generated."""
    recent: list[Turn] = []
    turns = []
    for number in range(1, max(AT) + 1):
        at = _BEGIN + timedelta(minutes=number)
        said = f"This is message {number} about my garden and the tomatoes in it, what do you think?"
        exchange = SearchRound("", Retrieve(said), Recall(semantic=(_fact(number),)))
        situation = Situation(
            Query(said, at), CoreMemory(), Traits(), tuple(recent), exchanges=(exchange,) if quick else ()
        )
        turns.append((writing.one_call(situation) if quick else writing.conversation(situation)).messages)
        recent.append(Turn(number, 1, at, said, f"I think they like the sun, as in message {number}.", "tiny"))
    return turns


def _task(number: int) -> list[Message]:
    """Return what is asked after a turn, to learn from it."""
    turn = f"User: This is message {number} about my garden and the tomatoes in it, what do you think?"
    return [Message("user", (load_prompts().fill("infer_personality", recent="(none)", turn=turn),))]


def _ours(engine: Any, turns: Sequence[Sequence[Message]]) -> list[Look]:
    looks = []
    for number, messages in enumerate(turns, start=1):
        before, began = (engine.counts.prompt, engine.counts.evaluated), time.process_time()
        list(engine.generate(messages, grammar=None, stop=lambda: False, limit=1, lane="respond"))
        seconds = time.process_time() - began
        if number in AT:
            looks.append(Look(engine.counts.prompt - before[0], engine.counts.evaluated - before[1], seconds))
        list(engine.generate(_task(number), grammar=None, stop=lambda: False, limit=1, lane="personality"))
    return looks


def _theirs(path: Path, turns: Sequence[Sequence[Message]]) -> list[Look]:
    """Ask for the turns that are looked at, each behind the turn before it and its task: nothing older counts."""
    model = llama_cpp.Llama(str(path), n_ctx=CONTEXT, n_threads=1, n_threads_batch=1, verbose=False)

    def ask(messages: Sequence[Message]) -> Look:
        said: Any = [{"role": message.role, "content": message.text} for message in messages]
        before, began = llama_cpp.llama_perf_context(model.ctx), time.process_time()
        reply: Any = model.create_chat_completion(said, max_tokens=1, temperature=0.0)
        seconds, after = time.process_time() - began, llama_cpp.llama_perf_context(model.ctx)
        evaluated = after.n_p_eval + after.n_eval - before.n_p_eval - before.n_eval
        return Look(reply["usage"]["prompt_tokens"], evaluated, seconds)

    looks = []
    for number in AT:
        ask(turns[number - 2])
        ask(_task(number - 1))
        looks.append(ask(turns[number - 1]))
    model.close()
    return looks


def _fact(number: int) -> Hit[SemanticMemory]:
    content = f"The user planted {number} tomatoes in the garden."
    memory = SemanticMemory(number, content, (), "user", content, recorded_at=_BEGIN, valid_from=_BEGIN)
    return Hit(Ref(Kind.SEMANTIC, number), memory, 1.0)


def _nothing(image: Image) -> Path:
    raise AssertionError(image)
