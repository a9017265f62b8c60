"""The llama engine: one GGUF pair in this process, answering messages as a stream of text.

Lanes are sequences of one context. The response stage and the update tasks have lanes of their own, so neither
throws the other's evaluated prompt away; a lane gives its place up only when the cache is full and another needs it.
User text and memories are tokenized without special tokens, so nothing in them can open or close a message.
"""

from __future__ import annotations

import codecs
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from persona_cli.errors import ContextError, EngineError, Interrupted
from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.engines.llama.chat_template import QWEN, ChatTemplate, Fixed
from persona_cli.model.engines.llama.kept import KeptLane
from persona_cli.model.engines.llama.load_report import build_facts, load_facts, read_load
from persona_cli.model.engines.llama.native import Context, LoadedWeights, Loading, Stop, listening, suited_threads
from persona_cli.model.engines.llama.offload import Plan
from persona_cli.model.engines.llama.sampling import Sampler, log_probability
from persona_cli.model.engines.llama.sequence import Item, Lane, NoRoom, tokens_of
from persona_cli.model.engines.llama.vision import Vision
from persona_cli.model.grounding import PictureForm
from persona_cli.model.tasks import Fact


@dataclass(slots=True)
class Counts:
    """What an engine has done since it was opened; benchmarks and `persona doctor` read it."""

    prompt: int = 0
    """Prompt tokens of all calls."""
    evaluated: int = 0
    """Prompt tokens that had to be evaluated; the others were in the cache."""
    generated: int = 0
    encoded: int = 0
    """Pictures the vision tower worked on."""
    prompt_seconds: float = 0.0
    reply_seconds: float = 0.0
    lanes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """(prompt, evaluated) by lane."""


ENOUGH = 200
"""Tokens of prompts from which a speed can be told."""
TELLING = 0.2
"""Seconds of a reply from which it can be told how much of the processor it had."""


class LlamaEngine:
    """An `Engine` on llama.cpp's low-level API; safe to call from two threads, which take turns."""

    def __init__(
        self,
        text: Path,
        projection: Path | None,
        loading: Loading,
        cache: Path,
        *,
        cache_bytes: int = 512 * 2**20,
        plan: Plan | None = None,
    ) -> None:
        with listening() as heard:
            self._weights = LoadedWeights(text, loading)
            self._vision: Vision | None = None
            try:
                self._context = Context(self._weights, loading)
                if projection is not None:
                    self._vision = Vision(projection, self._weights, loading, cache, cache_bytes)
            except BaseException:
                self.close()
                raise
        self.loaded = read_load(heard)
        self._template = ChatTemplate(self._weights.template or QWEN, self._weights.bos, self._weights.eos)
        self._loading, self._plan = loading, plan
        self.name = text.stem
        self.counts = Counts()
        self._lanes: dict[str, Lane] = {}
        self._free = list(range(loading.sequences))
        self._clock = 0
        self._lock = threading.Lock()
        # with when a memory was forgotten last at that time
        self._kept: dict[str, tuple[KeptLane, int]] = {}

    @property
    def context(self) -> int:
        """Return how many tokens prompt and reply may have together."""
        return min(self._context.tokens, self._weights.longest)

    @property
    def sees(self) -> bool:
        """Tell whether there is a projection for pictures."""
        return self._vision is not None

    @property
    def form(self) -> PictureForm:
        """Return how the model sees a picture."""
        return self._vision.form if self._vision is not None else PictureForm()

    @property
    def prompt_speed(self) -> float | None:
        """Return how many tokens of prompts are evaluated in a second, once that can be told."""
        return self.counts.evaluated / self.counts.prompt_seconds if self.counts.evaluated > ENOUGH else None

    @property
    def reply_speed(self) -> float | None:
        """Return how many tokens of replies are written in a second, once that can be told."""
        return self.counts.generated / self.counts.reply_seconds if self.counts.generated > ENOUGH // 4 else None

    def about(self) -> tuple[Fact, ...]:
        """Return what llama.cpp was built with, and where this model really is."""
        return (*build_facts(), *load_facts(self.loaded, self._loading, self._plan, projection=self.sees))

    def count(self, content: Sequence[Message] | str) -> int:
        """Return the tokens of a text, or of messages with their template and pictures."""
        if isinstance(content, str):
            return len(self._weights.tokenize(content, special=False))
        with self._lock:
            return tokens_of(self._items(content))

    def generate(
        self,
        messages: Sequence[Message],
        *,
        grammar: str | None,
        stop: Stop,
        limit: int,
        lane: str,
        penalty: float = 1.0,
    ) -> Iterator[str]:
        """Yield the reply in pieces, greedily; raises `ContextError` where prompt and `limit` do not fit."""
        with self._turn(stop):
            items = self._items(messages)
            if tokens_of(items) + limit > self.context:
                raise ContextError(
                    f"a prompt of {tokens_of(items)} tokens and {limit} for the reply do not fit {self.context}",
                    fix="Raise model.context, or shorten the message.",
                )
            sampler = Sampler(self._weights, grammar, penalty)
            try:
                here = self._lane(lane)
                self._evaluate(here, items, stop, lane)
                yield from self._reply(here, items, sampler, stop, limit)
            finally:
                sampler.close()

    def likelihood(self, messages: Sequence[Message], reply: str) -> float | None:
        """Return the mean log-probability of a token of `reply` as the answer to `messages`."""
        with self._turn(_never):
            items = self._items(messages)
            tokens = self._weights.tokenize(reply, special=False)
            if not tokens or tokens_of(items) + len(tokens) > self.context:
                raise ContextError(
                    f"a reply of {len(tokens)} tokens cannot be weighed in {self.context}", fix="Raise model.context."
                )
            here, total = self._lane("likelihood"), 0.0
            self._evaluate(here, items, _never, "likelihood")
            for token in tokens:
                total += log_probability(self._context.logits(), token)
                items.append(token)
                self._step(here, items, token, _never)
            return total / len(tokens)

    def keep(self, lane: str, kept: KeptLane) -> bool:
        """Keep the state of a lane across runs; return whether there was one to go on from."""
        with self._lock:
            self._kept[lane] = kept, kept.forgotten()
            return kept.load(self._lane(lane), self._context)

    def forget(self, lane: str) -> None:
        """Drop what the cache holds for a lane."""
        with self._lock:
            if lane in self._lanes:
                self._lanes[lane].clear(self._context)

    def close(self) -> None:
        """Keep what is to be kept, then free vision tower, cache and weights, in this order."""
        for name, (kept, forgotten) in getattr(self, "_kept", {}).items():
            if name in self._lanes and kept.forgotten() == forgotten:
                kept.save(self._lanes[name], self._context)
        self._kept = {}
        for part in (self._vision, getattr(self, "_context", None), self._weights):
            if part is not None:
                part.close()

    @contextmanager
    def _turn(self, stop: Stop) -> Iterator[None]:
        while not self._lock.acquire(timeout=0.05):
            if stop():
                raise Interrupted("the answer was stopped")
        try:
            yield
        finally:
            self._lock.release()

    def _items(self, messages: Sequence[Message]) -> list[Item]:
        """Return the prompt as the model's own template writes it, opened for the assistant."""
        if self._vision is not None:
            self._vision.trim()
        items: list[Item] = []
        for piece in self._template.lay_out(messages):
            if isinstance(piece, ImagePart):
                items += self._picture(piece)
            elif isinstance(piece, Fixed):
                items += self._weights.tokenize(piece.text, special=True)
            else:
                items += self._weights.tokenize(piece, special=False)
        # a few templates write the token a text begins with themselves
        begin = self._weights.begin
        return items if begin is None or items[:1] == [begin] else [begin, *items]

    def _picture(self, part: ImagePart) -> list[Item]:
        if self._vision is None:
            raise EngineError(
                "this model was installed without its vision projection (mmproj), so it cannot see pictures",
                fix="Install the mmproj file of the same model, or ask without the picture.",
            )
        picture = self._vision.open(part.source, part.hash)
        return [*picture.before, picture, *picture.after]

    def _lane(self, name: str) -> Lane:
        self._clock += 1
        if name not in self._lanes:
            if not self._free:
                oldest = min(self._lanes, key=lambda other: self._lanes[other].used_at)
                self._lanes[oldest].clear(self._context)
                self._free.append(self._lanes.pop(oldest).number)
            self._lanes[name] = Lane(self._free.pop(0))
        self._lanes[name].used_at = self._clock
        return self._lanes[name]

    def _evaluate(self, lane: Lane, items: Sequence[Item], stop: Stop, name: str) -> None:
        before, began = lane.evaluated, time.perf_counter()
        while True:
            try:
                lane.evaluate(items, self._context, self._vision, stop)
                break
            except NoRoom:
                self._make_room(lane)
        evaluated = lane.evaluated - before
        self.counts.prompt_seconds += time.perf_counter() - began
        self.counts.prompt += tokens_of(items)
        self.counts.evaluated += evaluated
        prompt, done = self.counts.lanes.get(name, (0, 0))
        self.counts.lanes[name] = (prompt + tokens_of(items), done + evaluated)
        self.counts.encoded = self._vision.encoded if self._vision is not None else 0

    def _make_room(self, lane: Lane) -> None:
        others = [other for other in self._lanes.values() if other is not lane and other.held]
        if not others:
            raise ContextError(
                f"the prompt does not fit the {self._context.tokens} tokens of the context",
                fix="Raise model.context, or shorten the message.",
            )
        min(others, key=lambda other: other.used_at).clear(self._context)

    def _reply(self, lane: Lane, items: list[Item], sampler: Sampler, stop: Stop, limit: int) -> Iterator[str]:
        text = codecs.getincrementaldecoder("utf-8")(errors="replace")
        before, processor = self.counts.reply_seconds, 0.0
        for _ in range(limit):
            token = sampler.choose(self._context.logits())
            if self._weights.ends(token):
                break
            self.counts.generated += 1
            if piece := text.decode(self._weights.piece(token)):
                yield piece
            items.append(token)
            began, worked = time.perf_counter(), time.process_time()
            self._step(lane, items, token, stop)
            self.counts.reply_seconds += time.perf_counter() - began
            processor += time.process_time() - worked
        self._pace(self.counts.reply_seconds - before, processor)
        if rest := text.decode(b"", final=True):
            yield rest

    def _pace(self, wall: float, processor: float) -> None:
        """Write the next reply with as many threads as get on; a number of threads that is configured stays."""
        if wall > TELLING and not self._loading.threads and not self._loading.gpu_layers:
            context = self._context
            share = processor / wall / context.threads
            context.write_with(suited_threads(context.threads, context.most_threads, share))

    def _step(self, lane: Lane, items: Sequence[Item], token: int, stop: Stop) -> None:
        try:
            lane.append(token, self._context, stop)
        except NoRoom:
            # a full cache costs the lane its place: with room made, everything is evaluated again
            self._make_room(lane)
            lane.evaluate(items, self._context, self._vision, stop)


def _never() -> bool:
    return False
