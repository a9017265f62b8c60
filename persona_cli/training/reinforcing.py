"""GRPO on TRL: questions about memories that are there, roll-outs through the real Response stage, one reward."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import torch

from persona_cli.config import Settings
from persona_cli.errors import TransferError, UsageError
from persona_cli.evaluation.asking import choice_text
from persona_cli.evaluation.cases import CaseQuestion, Form
from persona_cli.evaluation.letters import strict_letter
from persona_cli.memory import Keeping, Memory, open_memory
from persona_cli.model.fitting import PromptWriter
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import Prompts
from persona_cli.model.tasks import Situation
from persona_cli.paths import Places
from persona_cli.records import Query, Recall, Ref, Retrieve
from persona_cli.training.base import Base, trained
from persona_cli.training.fine_tuning import Course, run, settings
from persona_cli.training.following import Following
from persona_cli.training.optimizing import MasterAdamW
from persona_cli.training.recipes import Precision
from persona_cli.training.reward import KeyedQuestion, Rater, score
from persona_cli.training.rollouts import (
    BatchedAnswers,
    LearningEngine,
    Request,
    RollOut,
    Search,
    Start,
    Words,
    drawn,
    opened,
    roll_out,
)
from persona_cli.training.training_rows import read_lines


@dataclass(frozen=True, slots=True)
class PosedQuestion:
    """One question, and the home of the person it is asked by."""

    asked: KeyedQuestion
    at: datetime
    home: Path
    images: tuple[Path, ...] = ()


def read_tasks(file: Path, *, judged: bool) -> tuple[PosedQuestion, ...]:
    """Return the questions of a file; without a judge those with options alone. Raises `TransferError`."""
    tasks = tuple(_task(file, number, body) for number, body in read_lines(file))
    kept = tuple(task for task in tasks if judged or task.asked.options)
    if not kept:
        raise TransferError(f"{file} has no question that can be judged", fix="Give a judge with --judge URL.")
    return kept


@dataclass(frozen=True, slots=True)
class World:
    """What roll-outs need beside the model: weights of the embedding, prompts, settings, the judge."""

    places: Places
    settings: Settings
    prompts: Prompts
    judge: Rater


def reinforce(base: Base, tasks: Sequence[PosedQuestion], course: Course, world: World) -> Path:
    """Train, going on from the last checkpoint in the folder, and return the folder of what was learnt."""
    import datasets
    from trl import GRPOConfig, GRPOTrainer

    datasets.disable_progress_bars()
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    with ExitStack() as stack:
        stage = Rehearsal(base, tasks, course, world, stack)
        recipe = course.recipe
        trainer = GRPOTrainer(
            model=base.model,
            reward_funcs=[stage.reward],
            args=GRPOConfig(
                **settings(course),
                num_generations=recipe.group,
                max_completion_length=recipe.new_tokens,
                beta=recipe.kl,
                temperature=recipe.temperature,
                top_p=recipe.top_p,
                top_k=recipe.top_k,
                repetition_penalty=recipe.penalty,
                mask_truncated_completions=True,
                use_vllm=_has_vllm(),
                vllm_mode="colocate",
            ),
            train_dataset=stage.rows(),
            processing_class=base.processing,
            callbacks=[Following(course.folder, course.watch, course.minutes)],
            optimizers=(_optimizer(base, course), None),
            rollout_func=stage.roll_out,
        )
        return run(trainer, base, course.folder)


class Rehearsal:
    """The memories of all who ask, opened as they are, and the roll-outs over them."""

    def __init__(
        self, base: Base, tasks: Sequence[PosedQuestion], course: Course, world: World, stack: ExitStack
    ) -> None:
        self._base = base
        self._words = Words(base)
        self._course = course
        self._world = world
        self._stack = stack
        self._memories: dict[Path, Memory] = {}
        self._turn = 0
        self._tasks: dict[str, PosedQuestion] = {}
        for task in tasks:
            self._tasks.setdefault(_key(self._prompt(task)), task)

    def rows(self) -> Any:
        """Return the data set: the first prompt of each question as the program writes it."""
        from datasets import Dataset, Image, List

        prompts = [(self._prompt(task), task) for task in self._tasks.values()]
        if not self._base.sees:
            return Dataset.from_list([{"prompt": prompt} for prompt, _ in prompts])
        rows = [{"prompt": prompt, "images": [str(path) for path in task.images]} for prompt, task in prompts]
        return Dataset.from_list(rows).cast_column("images", List(Image()))

    def roll_out(self, prompts: list[Any], trainer: Any) -> dict[str, Any]:
        """Return the roll-outs of prompts, as TRL wants them."""
        exchange = BatchedAnswers(lambda requests: self._sample(requests, trainer))
        tasks = [self._tasks[_key(prompt)] for prompt in prompts]
        self._turn += 1
        jobs = [self._job(task, exchange, f"{self._turn}:{place}") for place, task in enumerate(tasks)]
        done = exchange.run(jobs)
        return {
            "prompt_ids": [each.prompt for each in done],
            "completion_ids": [each.completion for each in done],
            "logprobs": None,
            "env_mask": [each.mask for each in done],
            "last": [each.last for each in done],
            "searches": [each.searches for each in done],
        }

    def reward(self, prompts: list[Any], last: list[str], searches: list[int], **rest: Any) -> list[float]:
        """Return the reward of each roll-out."""
        scores = [
            score(self._tasks[_key(prompt)].asked, turn, self._world.judge)
            for prompt, turn in zip(prompts, last, strict=True)
        ]
        if log := rest.get("log_metric"):
            log("searches", sum(searches) / len(searches))
            log("format", sum(each.format for each in scores) / len(scores))
        return [each.reward for each in scores]

    def _job(self, task: PosedQuestion, exchange: BatchedAnswers, seed: str) -> Callable[[], RollOut]:
        memory = self._memory(task)
        rng = Random(f"{self._course.seed}:{seed}")  # noqa: S311 - what is drawn must be drawn again
        start = Start(self._situation(task), _searching(memory, self._world.settings, rng), bool(task.asked.options))
        recipe = self._course.recipe
        engine = LearningEngine(self._words, exchange, start, recipe.most_tokens)
        model = PromptedModel(engine, self._world.prompts, memory.media.source, most_pixels=recipe.most_pixels)

        def job() -> RollOut:
            return roll_out(engine, model, start, recipe.retrievals)

        return job

    def _prompt(self, task: PosedQuestion) -> list[dict[str, Any]]:
        """Return the first prompt of a question."""
        start = Start(self._situation(task), _no_search, closed=False)
        engine = LearningEngine(self._words, BatchedAnswers(lambda _: []), start, self._course.recipe.most_tokens)
        source = self._memory(task).media.source
        writer = PromptWriter(engine, self._world.prompts, source, most_pixels=self._course.recipe.most_pixels)
        return self._words.conversation(writer.conversation(start.situation).messages)

    def _situation(self, task: PosedQuestion) -> Situation:
        memory = self._memory(task)
        images = tuple(memory.media.add(path, task.at) for path in task.images) if self._base.sees else ()
        store = memory.store
        return Situation(Query(task.asked.text, task.at, images), store.core.current(), store.readings.latest())

    def _memory(self, task: PosedQuestion) -> Memory:
        if task.home not in self._memories:
            own = self._world.places
            places = Places(task.home, task.home / "config.toml", own.prompts, own.weights)
            opened = open_memory(places, self._world.settings, lambda _notice: None, Keeping.PRIVATE)
            self._stack.callback(opened.close)
            self._memories[task.home] = opened
        return self._memories[task.home]

    def _sample(self, requests: list[Request], trainer: Any) -> list[list[int]]:
        """Let the model, as it is now, go on with each request."""
        ids = [request.ids for request in requests]
        fields: dict[str, Any] = {}
        pictures = [picture for request in requests for picture in request.pictures]
        if pictures:
            made = self._base.processing.image_processor([opened(each) for each in pictures], return_tensors="pt")
            mark = self._base.processing.image_token_id
            fields = {**made, "mm_token_type_ids": [[int(token == mark) for token in row] for row in ids]}
        shown: Any = [[*map(opened, request.pictures)] or None for request in requests] if pictures else None
        completions, _ = trainer._generate_single_turn(ids, shown, fields, 1)
        return [list(map(int, completion)) for completion in completions]


def _searching(memory: Memory, chosen: Settings, rng: Random) -> Search:
    from datetime import timedelta

    from persona_cli.memory.retrieval import Retriever

    def search(query: Query, wish: Retrieve, shown: Collection[Ref]) -> Recall:
        semantic, episodic = drawn(rng)
        retriever = Retriever(
            memory.store,
            memory.index,
            memory.embedder,
            memory.picture_matches,
            memory.looks,
            judge=memory.judge,
            settings=replace(chosen.memory, semantic=semantic, episodic=episodic),
            gap=timedelta(minutes=chosen.session.gap_minutes),
        )
        return retriever.recall(query, wish, shown)

    return search


def _no_search(_query: Query, _wish: Retrieve, _shown: Collection[Ref]) -> Recall:
    return Recall()


def _optimizer(base: Base, course: Course) -> torch.optim.Optimizer | None:
    if course.recipe.precision is not Precision.BF16:
        return None
    return MasterAdamW(trained(base.model), lr=course.recipe.learning_rate)


def _has_vllm() -> bool:
    from importlib.util import find_spec

    return torch.cuda.is_available() and find_spec("vllm") is not None


def _key(prompt: Any) -> str:
    """Return the words of a prompt: what a roll-out is told of its question is nothing else."""
    contents = [message["content"] for message in prompt]
    return "\n".join(
        content if isinstance(content, str) else "".join(part.get("text") or "\x00" for part in content)
        for content in contents
    )


def _task(file: Path, number: int, body: Any) -> PosedQuestion:
    try:
        options = tuple(str(option) for option in body.get("options") or ())
        at = datetime.strptime(str(body["at"]), "%Y-%m-%d %H:%M").astimezone()
        question = CaseQuestion(str(number), "", str(body["query"]), at, Form.CHOICE, options=options)
        text = choice_text(question) if options else question.text
        answer = str(body["answer"])
        home = (file.parent / str(body["user"])).resolve()
        images = tuple((file.parent / str(path)).resolve() for path in body.get("images") or ())
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise TransferError(
            f"line {number} of {file} is no question: {exc}", fix="docs/training.md says what a line has."
        ) from exc
    if not (home / "persona.db").is_file():
        raise TransferError(
            f"line {number} of {file} is about {home}, which is no home", fix="Run persona synth again."
        )
    if options and not strict_letter(answer):
        raise UsageError(f"line {number} of {file}: {answer!r} is no letter", fix='Write it as "(a)".')
    return PosedQuestion(KeyedQuestion(text, answer, options), at, home, images)
