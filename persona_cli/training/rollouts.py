"""GRPO's roll-out: the program's own Response stage over a person's memory, answered by the model that learns.

Each roll-out goes in a thread of its own, and whoever waits for the model is answered together with all others that
wait. What the model sampled is kept token by token; what memory brought stands between, and carries no loss. As
published, the model may search three times, how much a search brings is drawn anew each time, a question with
options is searched for at least once, and a turn that neither answers nor searches well is a search with the query.
Pictures that a search brings are words here: the trainer takes those of the question alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from random import Random
from typing import Any

from persona_cli.agent.respond import RespondOptions, respond
from persona_cli.errors import FormatError, ModelError
from persona_cli.model import grammar as formats
from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.fitting import LAST
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.replies import ReplyParser
from persona_cli.model.tasks import Fact, Situation, Stop
from persona_cli.records import Fulfilled, PictureSource, Query, Recall, Ref, Retrieve

TURN, OPEN = "<|im_end|>\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
SEMANTIC, EPISODIC = (3, 6), (2, 5)
"""Least and most that one search brings of a kind, drawn anew each time (PersonaVLM)."""
_NOTHING = "<answer>(nothing)</answer>"
_PICTURE_TOKENS = 294

Generate = Callable[[list["Request"]], list[list[int]]]
"""Samples a continuation of each request, its end included."""
Search = Callable[[Query, Retrieve, Collection[Ref]], Recall]


@dataclass(slots=True)
class Request:
    """What one roll-out wants continued."""

    ids: list[int]
    pictures: tuple[PictureSource, ...] = ()
    reply: list[int] | None = None
    failed: BaseException | None = None
    ready: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class RollOut:
    """One response, as tokens: `mask` is 1 where the model sampled and 0 where it was told."""

    prompt: list[int]
    completion: list[int]
    mask: list[int]
    last: str
    """The last turn, in words."""
    searches: int


@dataclass(frozen=True, slots=True)
class Start:
    """What a roll-out begins with."""

    situation: Situation
    search: Search
    closed: bool
    """It has options, so that memory is to be searched before it is answered."""


class BatchedAnswers:
    """Answers the roll-outs that wait, all at once."""

    def __init__(self, generate: Generate) -> None:
        self._generate = generate
        self._changed = threading.Condition()
        self._waiting: list[Request] = []
        self._running = 0

    def ask(self, ids: list[int], pictures: tuple[PictureSource, ...]) -> list[int]:
        """Wait for a continuation; called by roll-outs."""
        request = Request(list(ids), pictures)
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()
        request.ready.wait()
        if request.failed is not None:
            raise request.failed
        assert request.reply is not None
        return request.reply

    def run(self, jobs: Sequence[Callable[[], RollOut]]) -> list[RollOut]:
        """Run roll-outs to their ends and return what they came to, in order."""
        self._running = len(jobs)
        with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
            futures = [pool.submit(self._counted, job) for job in jobs]
            while requests := self._next():
                try:
                    for request, reply in zip(requests, self._generate(requests), strict=True):
                        request.reply = reply
                except BaseException as exc:
                    for request in requests:
                        request.failed = exc
                    raise
                finally:
                    for request in requests:
                        request.ready.set()
            return [future.result() for future in futures]

    def _next(self) -> list[Request]:
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) == self._running)
            requests, self._waiting = self._waiting, []
            return requests

    def _counted(self, job: Callable[[], RollOut]) -> RollOut:
        try:
            return job()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()


class LearningEngine:
    """The `Engine` of one roll-out: it goes on from its own tokens, never from how they were written down again."""

    def __init__(self, words: Words, exchange: BatchedAnswers, start: Start, context: int) -> None:
        self._words = words
        self._exchange = exchange
        self._start = start
        self._seen = 0
        self._prompt: list[int] = []
        self._ids: list[int] = []
        self._mask: list[int] = []
        self._pictures: tuple[PictureSource, ...] = ()
        self._done = False
        self.context = context
        self.name = "learning"
        self.sees = words.sees
        self.last = ""
        self.searches = 0

    def about(self) -> tuple[Fact, ...]:
        """Return nothing: it runs on what is being trained."""
        return ()

    def count(self, content: Sequence[Message] | str) -> int:
        """Return the tokens of a text, or of messages."""
        return self._words.count(content)

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
        """Yield what the model samples next, or what is made of it as published."""
        if self._done:
            # the response stage asks once more for a broken reply; in training a broken one is the end
            yield _NOTHING
            return
        self._tell(messages)
        sampled = self._exchange.ask([*self._prompt, *self._ids], self._pictures)
        self._ids += sampled
        self._mask += [1] * len(sampled)
        self.last = self._words.written(sampled)
        yield self._heard(self.last, last=grammar != formats.REASON)

    def close(self) -> None:
        """Hold nothing."""

    def rolled_out(self) -> RollOut:
        """Return the tokens of the response so far."""
        completion, mask = self._ids, self._mask
        if not completion:
            completion, mask = [self._words.end], [1]
        return RollOut(self._prompt, completion, mask, self.last, self.searches)

    def _tell(self, messages: Sequence[Message]) -> None:
        """Take in what the response stage says after what was sampled."""
        if not self._seen:
            self._pictures = tuple(
                part.source for message in messages for part in message.parts if isinstance(part, ImagePart)
            )
            self._prompt = self._words.first(messages, self._pictures)
        else:
            said = [message for message in messages[self._seen :] if message.role == "user"]
            told = "\n".join(self._words.in_words(message) for message in said) or LAST
            ids = self._words.turn(told, ended=self._ids[-1:] == [self._words.end])
            self._ids += ids
            self._mask += [0] * len(ids)
        self._seen = max(self._seen, len(messages))

    def _heard(self, text: str, *, last: bool) -> str:
        """Return what the response stage is to read in a turn."""
        query = self._start.situation.query
        answered = "<answer>" in text and bool(text.partition("<answer>")[2].partition("</answer>")[0].strip())
        if answered and (last or self.searches or not self._start.closed):
            self._done = True
            return text
        if last:
            self._done = True
            return _NOTHING
        self.searches += 1
        if not answered and "<retrieve>" in text and _parses(text, query):
            return text
        thought = text.partition("</think>")[0].rpartition("<think>")[2] if "</think>" in text else ""
        keywords = query.text.partition("\nOptions:")[0].replace('"', "'").replace("\n", " ")
        return f'<think>{thought}</think>\n<retrieve>\n"keywords": "{keywords}"\n</retrieve>'


class Words:
    """How messages become tokens for a base, and tokens words."""

    def __init__(self, base: Any) -> None:
        self._processing = base.processing
        self._tokenizer = base.tokenizer
        self.sees = bool(base.sees)
        # whether special tokens are read is a state of the tokenizer, and roll-outs are threads
        self._lock = threading.Lock()
        self.end = int(self._tokenizer.convert_tokens_to_ids("<|im_end|>"))

    def count(self, content: Sequence[Message] | str) -> int:
        """Return the tokens of a text, or about those of messages."""
        if isinstance(content, str):
            return len(self._plain(content))
        pictures = sum(isinstance(part, ImagePart) for message in content for part in message.parts)
        return sum(len(self._plain(message.text)) + 6 for message in content) + pictures * _PICTURE_TOKENS + 24

    def conversation(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Return messages as the library takes them: words alone, or parts with places for pictures."""
        if not self.sees:
            return [{"role": message.role, "content": self.in_words(message)} for message in messages]
        return [
            {
                "role": message.role,
                "content": [
                    {"type": "image", "text": None} if isinstance(part, ImagePart) else {"type": "text", "text": part}
                    for part in message.parts
                ],
            }
            for message in messages
        ]

    def first(self, messages: Sequence[Message], pictures: Sequence[PictureSource]) -> list[int]:
        """Return the tokens of a prompt, its pictures at their size, opened for the reply."""
        text = self._tokenizer.apply_chat_template(
            self.conversation(messages), tokenize=False, add_generation_prompt=True
        )
        if not pictures:
            return self._special(text)
        with self._lock:
            self._tokenizer("", split_special_tokens=False)
            made = self._processing(images=[[opened(picture) for picture in pictures]], text=[text])
        return list(made["input_ids"][0])

    def turn(self, text: str, *, ended: bool) -> list[int]:
        """Return the tokens of what the user says behind a reply, opened for the next one."""
        opening = TURN.removeprefix("<|im_end|>") if ended else TURN
        return [*self._special(opening), *self._plain(text), *self._special(OPEN)]

    def written(self, ids: Sequence[int]) -> str:
        """Return sampled tokens as words."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def in_words(self, message: Message) -> str:
        """Return a message with a stand-in for each picture."""
        return "".join("(a picture)" if isinstance(part, ImagePart) else part for part in message.parts)

    def _plain(self, text: str) -> list[int]:
        # what somebody wrote opens and closes no turn
        with self._lock:
            return list(self._tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)

    def _special(self, text: str) -> list[int]:
        with self._lock:
            return list(self._tokenizer(text, add_special_tokens=False, split_special_tokens=False).input_ids)


def roll_out(engine: LearningEngine, model: PromptedModel, start: Start, retrievals: int) -> RollOut:
    """Go through the Response stage once; a response that cannot go on ends where it is."""
    options = RespondOptions(reasoning=True)
    steps = respond(
        start.search, Fulfilled, model, start.situation, options=options, most=retrievals, stop=lambda: False
    )
    try:
        for _ in steps:
            pass
    except ModelError:
        # the prompt is full, or the last reply was none
        pass
    return engine.rolled_out()


def opened(picture: PictureSource) -> Any:
    """Return a picture as the library takes it."""
    from PIL import Image

    return Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture)


def drawn(rng: Random) -> tuple[int, int]:
    """Return how many facts and topics the next search brings."""
    return rng.randint(*SEMANTIC), rng.randint(*EPISODIC)


def _parses(text: str, query: Query) -> bool:
    parser = ReplyParser(query.at.tzinfo)
    try:
        parser.feed(text)
        return any(isinstance(piece, Retrieve) for piece in parser.finish())
    except FormatError:
        return False
