"""The assistant: one conversation over one memory with one model.

What the user says and shows is stored before anything is answered (record.py). A response is made while the update
queue is paused, so that both share the weights; its answer, the steps and the turn's two update jobs are written in
one transaction once it is there, or as far as it came where it was interrupted or failed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from persona_cli.agent.queue import UpdateQueue
from persona_cli.agent.record import answer, hear
from persona_cli.agent.respond import RespondOptions, respond
from persona_cli.agent.review import WaitingJob, look
from persona_cli.agent.sessions import close_session, close_sessions
from persona_cli.agent.tidying import OnProgress, Tidied, Tidying
from persona_cli.agent.update import Updates
from persona_cli.agent.wishes import Wishes
from persona_cli.config import Settings
from persona_cli.errors import Interrupted, MessageError, PersonaError
from persona_cli.memory import Keeping, Memory
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.model.tasks import ImageSeen, Model, Paced, Situation, Stop
from persona_cli.personality import Traits, steady
from persona_cli.records import (
    Answer,
    AnswerDelta,
    Fulfilled,
    Image,
    Kind,
    Notice,
    Personality,
    PictureSource,
    Query,
    Recall,
    Ref,
    Retrieve,
    Status,
    Step,
    ThinkDelta,
    Turn,
    Wish,
)
from persona_cli.remembering.secrets import asked_notice, redact, redaction_notice
from persona_cli.timewords import unread

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the time now, in the zone of this machine."""
    return datetime.now().astimezone()


class Assistant:
    """Answers, remembers, and keeps the update queue going."""

    def __init__(
        self, memory: Memory, model: Model, settings: Settings, clock: Clock, notice: Callable[[str], None]
    ) -> None:
        self.memory = memory
        self.model = model
        self.settings = settings
        self.last_turn: Turn | None = None
        """The turn the last response was kept as; None after one in private, or that was wished to leave none."""
        self._clock = clock
        self._stage = Updates(memory, model, settings)
        self.updates = UpdateQueue(memory, self._stage, notice)

    @property
    def gap(self) -> timedelta:
        """Return how long a silence ends a session; turns within it are in the prompt, not in a recall."""
        return timedelta(minutes=self.settings.session.gap_minutes)

    def respond(
        self,
        text: str,
        images: Sequence[PictureSource] = (),
        *,
        options: RespondOptions = RespondOptions(),  # noqa: B008 - frozen
        stop: Stop = lambda: False,
        instead_of: Turn | None = None,
    ) -> Generator[Step, None, None]:
        """Keep what is said, yield the steps of a response, then keep its answer.

        A turn that it is said `instead_of` is forgotten first, with all that was learnt from it.

        Raises `MessageError` or `PictureError` before anything is kept; an `Interrupted` or a `ModelError`
        comes after the turn was kept with what had been said so far.
        """
        self._check(text, images)
        if instead_of is not None:
            with self.updates.paused():
                self.memory.forget(Ref(Kind.MESSAGE, instead_of.id))
        yield from self._respond(text, images, options, stop)

    def rehearse(
        self,
        query: Query,
        *,
        options: RespondOptions = RespondOptions(),  # noqa: B008 - frozen
        stop: Stop = lambda: False,
    ) -> Iterator[Step]:
        """Yield the steps of a response of which nothing is kept: not its words, not its answer, no wish it speaks."""
        with self.updates.paused():
            situation = self._situation(query, None)
            most = self.settings.memory.retrievals
            paced = self._paced(options)
            yield from respond(self._search, Fulfilled, self.model, situation, options=paced, most=most, stop=stop)

    def close_sessions(self, now: datetime | None = None, *, force: bool = False) -> int:
        """Close the sessions that are over, with `force` all open ones; their jobs are queued."""
        store = self.memory.store
        with store.transaction():
            closed = close_sessions(store, now or self._clock(), self.gap)
            for session in store.sessions.all() if force else ():
                if session.closed_at is None:
                    close_session(store, session)
                    closed += 1
        self.updates.wake()
        return closed

    def tidy(
        self, *, dry_run: bool, again: bool = False, days: int | None = None,
        on_progress: OnProgress = lambda _done, _all: None, stop: Stop = lambda: False,
    ) -> Tidied:  # fmt: skip
        """Sum up old topics now, also what no job has come to; `dry_run` changes nothing.

        `again` looks at what was taken back before as well, `days` takes the place of the setting.
        """
        after = timedelta(days=self.settings.memory.tidy_after_days if days is None else days)
        tidying = Tidying(self.memory, self.model, after)
        with self.updates.paused():
            now = self._clock()
            found = tidying.propose(now, stop, again=again, on_progress=on_progress)
            if not dry_run:
                found = tidying.write(found, now)
                embed_wanted(self.memory.store, self.memory.embedder)
        return found

    def review(self, stop: Stop = lambda: False) -> Iterator[WaitingJob]:
        """Yield what waits to be looked at before it is remembered, oldest first (`memory.review`)."""
        with self.updates.paused():
            yield from look(self._stage, stop)

    def close(self) -> None:
        """Stop the queue where it is and close model and memory; what is queued stays queued."""
        self.updates.close()
        self.model.close()
        self.memory.close()

    def _respond(
        self, text: str, images: Sequence[PictureSource], options: RespondOptions, stop: Stop
    ) -> Iterator[Step]:
        self.last_turn = None
        text, secrets = redact(text)
        at = self._clock()
        self.close_sessions(at)
        query = Query(text, at, tuple(self.memory.media.add(picture, at) for picture in images))
        kept, wishes = _Kept(), Wishes(self.memory, query)
        # before anything is shown: what was said is kept, whatever becomes of the answer
        turn = hear(self.memory.store, query, self.model.name, self.gap)
        try:
            for notice in redaction_notice(secrets) or asked_notice(text):
                yield kept.add(notice)
            if left := unread(text):
                yield kept.add(
                    Notice(f"Of so long a message {left:,} characters in the middle are not read for dates.")
                )
            empty = self.memory.keeping is Keeping.NOTHING
            most, options = (
                (0, RespondOptions(reasoning=True))
                if empty
                else (self.settings.memory.retrievals, self._paced(options))
            )
            # inside, so that the words are kept also when the wait for the running job is cut short
            with self.updates.paused():
                situation = self._situation(query, turn)
                kept.steps.append(Personality(situation.traits))
                steps = respond(
                    self._search, wishes.fulfil, self.model, situation, options=options, most=most, stop=stop
                )
                for step in steps:
                    yield kept.add(step)
        except Interrupted:
            kept.add(Notice("The answer was interrupted."))
            raise
        except PersonaError as exc:
            kept.add(Notice(f"The answer failed: {exc.message}"))
            raise
        finally:
            # also when the caller stops reading
            if not self.memory.lasting:
                self.last_turn = None
                answer(self.memory.store, turn, kept.said, kept.steps)
            elif wishes.kept_out:
                self.memory.forget(Ref(Kind.MESSAGE, turn.id))
            else:
                self.last_turn = answer(self.memory.store, turn, kept.said, kept.steps)
            self.updates.wake()

    def _paced(self, options: RespondOptions) -> RespondOptions:
        """Return the options with how the model answers best here, where they leave it open."""
        if options.reasoning is not None:
            return options
        return replace(options, reasoning=not (isinstance(self.model, Paced) and self.model.quick))

    def _situation(self, query: Query, turn: Turn | None) -> Situation:
        store, own = self.memory.store, turn.id if turn is not None else 0
        recent = tuple(said for said in store.turns.recent(query.at - self.gap, query.at) if said.id != own)
        return Situation(
            query=query,
            core=store.core.current(),
            traits=self._steady_traits(recent),
            recent=recent,
            kept=self.memory.lasting,
            doubts=store.conflicts.doubts,
            before=store.turns.of_last_session(recent[0].at if recent else query.at),
            seen_images=tuple(seen for image in query.images if (seen := self._seen(image, own))),
        )

    def _steady_traits(self, recent: Sequence[Turn]) -> Traits:
        """Return the traits to answer with: those of the turn before, while they have not moved audibly since.

        What a person sets of themselves holds from the next answer on, however little it moves.
        """
        store = self.memory.store
        now = store.readings.latest()
        if not recent or store.readings.put_since(recent[-1].at):
            return now
        before = store.turns.get(recent[-1].id)
        shown = next((step.traits for step in before.steps if isinstance(step, Personality)), now)
        return steady(shown, now)

    def _search(self, query: Query, retrieve: Retrieve, shown: Collection[Ref]) -> Recall:
        # the retriever opens the embedding model: only a response that searches waits for it
        return self.memory.retriever.recall(query, retrieve, shown)

    def _seen(self, image: Image, now: int) -> ImageSeen | None:
        """Return what is known of a picture that was shown before, in any size, else of one that looks like it."""
        matches = self.memory.picture_matches.of(image)
        for match in matches:
            if match.same and (seen := self._known(image, match.known, now)):
                return seen
        alike = self.memory.looks.alike((image,))
        likest = [self.memory.store.images.get(row_id) for row_id in sorted(alike, key=alike.__getitem__, reverse=True)]
        for known in (*likest, *(match.known for match in matches if not match.same)):
            if seen := self._known(image, known, now):
                return replace(seen, alike=True)
        return None

    def _known(self, image: Image, known: Image, now: int) -> ImageSeen | None:
        """Return what is remembered of a stored picture that `image` stands for; None where it was never shown."""
        store = self.memory.store
        turns = [turn for turn in store.turns.of_image(known.crop_of or known.hash) if turn.id != now]
        if not turns:
            return None
        contents = tuple(
            memory.content for memory in store.semantic.of_image(known.hash) if memory.status is Status.ACTIVE
        )
        return ImageSeen(image.hash, contents, turns[0])

    def _check(self, text: str, images: Sequence[PictureSource]) -> None:
        longest = self.settings.chat.longest_message
        if not text.strip() and not images:
            raise MessageError("The message is empty.", fix="Write something, or show a picture with --image.")
        if len(text) > longest:
            raise MessageError(
                f"The message has {len(text):,} characters; {longest:,} are allowed.",
                fix="Shorten it, or raise chat.longest_message with `persona config set`.",
            )


class _Kept:
    """What of a response is stored with its turn: the steps without their pieces, and what was said."""

    def __init__(self) -> None:
        self.steps: list[Step | Personality] = []
        self._pieces: list[str] = []
        self._whole = ""

    def add(self, step: Step) -> Step:
        if isinstance(step, AnswerDelta):
            self._pieces.append(step.text)
        elif not isinstance(step, ThinkDelta | Wish):
            self.steps.append(step)
        if isinstance(step, Answer):
            self._whole = step.text
        return step

    @property
    def said(self) -> str:
        return self._whole or "".join(self._pieces)
