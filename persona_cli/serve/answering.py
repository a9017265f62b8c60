"""Answers to the messages of clients: by the assistant of the person whose memory it is, or by one who knows nobody.

One response is made at a time, for there is one model; another process may chat beside it, as with any two of them.
A response runs in one thread from its first step to its last, since it holds the model's lock; what it yields goes
through a queue to the loop that serves.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import anyio.to_thread

from persona_cli.agent.replay import RECORDED
from persona_cli.errors import NotFoundError
from persona_cli.memory.store import Store
from persona_cli.model.tasks import Stop
from persona_cli.records import Answer, AnswerDelta, Step, Turn
from persona_cli.remembering.secrets import redact
from persona_cli.serve.client_jobs import is_job
from persona_cli.serve.completions import ChatRequest
from persona_cli.serve.conversations import Conversations, conversation_key
from persona_cli.serve.household import Household

NAME = "persona"
PLAIN = "persona-plain"
"""The model that reads and writes no memory."""
_TOLD = 200
"""Exchanges of a client's own history that it is told: more than any prompt has room for."""


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """One message of a client, and who is to answer it."""

    request: ChatRequest
    user: str
    """Whose memory; "" for the one the server was started for."""
    remembers: bool
    job: bool
    """A title or the like, which the client wants for itself."""
    conversation: str


@dataclass(slots=True)
class ResponseState:
    """What came of it, filled while the response runs."""

    steps: list[Step]
    text: str = ""
    pieces: int = 0
    turn: Turn | None = None


class Answering:
    """Everybody's conversations by way of this server."""

    def __init__(self, household: Household) -> None:
        self._household = household
        self._conversations = Conversations()
        self._turn = threading.Lock()
        self._stopped = threading.Event()

    def models(self) -> tuple[str, ...]:
        """Return the names of the models: one for each person, and the one without a memory."""
        return (NAME, *(f"{NAME}:{name}" for name in self._household.names()), PLAIN)

    def read(self, request: ChatRequest, headers: Mapping[str, str]) -> ClientMessage:
        """Return what is asked of whom; raises `NotFoundError` for a model there is not."""
        if request.model not in self.models():
            raise NotFoundError(f"there is no model {request.model}", fix=f"There are {', '.join(self.models())}.")
        user = request.model.partition(":")[2]
        job = is_job(headers, request.said[-1])
        remembers = request.model != PLAIN and not job
        return ClientMessage(request, user, remembers, job, conversation_key(user, headers, request.said))

    def steps(self, asked: ClientMessage, stop: threading.Event, spoken: ResponseState) -> Iterator[Step]:
        """Yield the steps of one response, in one thread; `spoken` has what came of it."""
        with self._turn, closing(self._answer(asked, stop, spoken)) as steps:
            for step in steps:
                if isinstance(step, AnswerDelta):
                    spoken.text += step.text
                    spoken.pieces += 1
                else:
                    spoken.steps.append(step)
                if isinstance(step, Answer):
                    spoken.text = step.text
                yield step

    def whole(self, asked: ClientMessage) -> ResponseState:
        """Return a response once it is there."""
        spoken = ResponseState([])
        for _ in self.steps(asked, self._stopped, spoken):
            pass
        return spoken

    async def stream(self, asked: ClientMessage, spoken: ResponseState) -> AsyncIterator[Step]:
        """Yield the steps of a response while it is made; a client that leaves stops it, and what was said is kept."""
        stop, steps = threading.Event(), queue.SimpleQueue[Step | BaseException | None]()

        def work() -> None:
            try:
                for step in self.steps(asked, stop, spoken):
                    steps.put(step)
                steps.put(None)
            except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
                steps.put(exc)

        threading.Thread(target=work, name="persona-answer", daemon=True).start()
        try:
            while (step := await anyio.to_thread.run_sync(steps.get, abandon_on_cancel=True)) is not None:
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            stop.set()

    def close(self) -> None:
        """Stop what is being answered and wait for it."""
        self._stopped.set()
        with self._turn:
            pass

    def _answer(
        self, asked: ClientMessage, stop: threading.Event, spoken: ResponseState
    ) -> Generator[Step, None, None]:
        if not asked.remembers:
            yield from self._as_stranger(asked, stop)
            return
        assistant = self._household.assistant(asked.user)
        memory, said = assistant.memory, _as_kept(asked.request.said, self._household.settings.chat.longest_message)
        now = self._household.now()
        recent = memory.store.turns.recent(now - assistant.gap, now)
        old = self._conversations.replaced(asked.conversation, said, memory.store, recent)
        for picture in asked.request.pictures:
            memory.media.check(picture)
        yield from assistant.respond(
            asked.request.said[-1], asked.request.pictures, stop=self._either(stop), instead_of=old
        )
        spoken.turn = assistant.last_turn
        if spoken.turn is not None:
            self._conversations.note(asked.conversation, spoken.turn, old)

    def _as_stranger(self, asked: ClientMessage, stop: threading.Event) -> Generator[Step, None, None]:
        known = self._household.assistant(asked.user)
        if asked.job and known.model.name == "lite":
            # it can write no title; clients take the first message where there is none
            yield Answer("")
            return
        stranger = self._household.stranger(asked.user)
        try:
            with known.updates.paused():
                _tell(stranger.memory.store, asked, self._household)
                yield from stranger.respond(asked.request.said[-1], asked.request.pictures, stop=self._either(stop))
        finally:
            self._household.dismiss(stranger)

    def _either(self, stop: threading.Event) -> Stop:
        return lambda: stop.is_set() or self._stopped.is_set()


def _as_kept(said: Sequence[str], longest: int) -> tuple[str, ...]:
    """Return a client's history with its last two messages in the words they are kept in, and each like the last.

    Only those are compared with what is kept. A whole history of 24 MB took four minutes to be read for secrets.
    """
    new, kept = said[-1], redact(said[-1])[0] if len(said[-1]) <= longest else ""
    before = tuple(redact(words)[0] if len(words) <= longest else "" for words in said[-2:-1])
    return (*(kept if words == new else words for words in said[:-2]), *before, kept)


def _tell(store: Store, asked: ClientMessage, household: Household) -> None:
    """Let a stranger know what was said before in the client's own history: it has no other memory of it."""
    now, exchanges = household.now(), asked.request.answered[-_TOLD:]
    longest = household.settings.chat.longest_message
    if not exchanges:
        return
    session = store.sessions.start(now - timedelta(seconds=len(exchanges)))
    for left, (user, answer) in zip(range(len(exchanges), 0, -1), exchanges, strict=True):
        store.turns.add(session.id, now - timedelta(seconds=left), user[:longest], answer[:longest], RECORDED)
