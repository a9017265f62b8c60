"""The update queue: durable jobs, worked off one at a time, in order, behind the conversation.

The jobs are rows written with the turn they belong to. One process works at a time (a file lock), in it one
thread at a time: a background thread while the chat waits for the person, or the caller of `run` when a
command drains the queue. A query that comes first interrupts the running job between tokens; it goes back to
the front. A job that was running when the process died is queued again by the next process to take the lock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from filelock import FileLock, Timeout

from persona_cli.agent.captions import Captions
from persona_cli.agent.update import Updates
from persona_cli.errors import FormatError, Interrupted, PersonaError, StorageError
from persona_cli.memory import Memory
from persona_cli.memory.orphans import GRACE, remove_orphans
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.memory.vectors.sight import IN_PASSING
from persona_cli.model.tasks import Stop
from persona_cli.records import Job

OnProgress = Callable[[int, int, Job], None]
"""Told jobs done, jobs in all, and the job just finished."""

_CAPTIONS = 4
"""Pictures that are described while somebody waits for the queue, the rest behind a conversation."""
_RETRY_SECONDS = 2.0
"""How often the background thread asks for a lock another process holds."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What one run over the queue did."""

    done: int
    failed: tuple[Job, ...]
    """Jobs given up after several attempts, with their errors."""
    left: int
    busy: bool = False
    """Another process is working on the queue; nothing was done here."""


class UpdateQueue:
    """Works off the update jobs of one store."""

    def __init__(self, memory: Memory, updates: Updates, notice: Callable[[str], None]) -> None:
        self._memory = memory
        self._updates = updates
        self._notice = notice
        self._captions = Captions(memory, updates.model, notice)
        # filelock is told to share the lock between threads: the worker and a run() take turns by `_turn`
        self._file = FileLock(memory.places.update_lock, mode=0o600, thread_local=False)
        self._turn = threading.RLock()
        self._yield = threading.Event()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        # the last run may have been cut off between its jobs and their vectors
        self._stale = True
        self._swept = False

    def start(self) -> None:
        """Work in the background from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._background, name="persona-updates", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Say that there are new jobs."""
        self._wake.set()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Interrupt the running job and keep the background still: the model is the caller's meanwhile."""
        self._yield.set()
        with self._turn:
            self._yield.clear()
            try:
                yield
            finally:
                self._wake.set()

    def pending(self) -> int:
        """Return how many jobs wait or run."""
        return self._memory.store.jobs.pending(self._updates.held)

    def held(self) -> int:
        """Return how many jobs wait for a person to look at what they propose."""
        return len(self._memory.store.jobs.waiting(self._updates.held))

    def failed(self) -> tuple[Job, ...]:
        """Return the jobs that were given up."""
        return self._memory.store.jobs.failed()

    def run(
        self, on_progress: OnProgress | None = None, stop: Stop | None = None, *, in_passing: bool = False
    ) -> Drained:
        """Work until nothing waits; raises `Interrupted` when stopped, with the rest still queued.

        With `in_passing` Chroma is filled once enough has come together: opening it takes longer than the rest.
        """
        with self.paused():
            if not self._take():
                return Drained(0, self.failed(), self.pending(), busy=True)
            try:
                done = self._drain(on_progress, stop or _never, in_passing=in_passing)
            finally:
                self._file.release()
        return Drained(done, self.failed(), self.pending())

    def close(self) -> None:
        """End the background thread; what it was doing is queued again."""
        self._closing.set()
        self._yield.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _background(self) -> None:
        wait: float | None = 0.0
        warm = False
        while not self._closing.is_set():
            self._wake.wait(wait)
            self._wake.clear()
            try:
                if not warm:
                    # the person is still typing: the first answer takes a quarter of a second, not half of one
                    self._memory.warm()
                    warm = True
                wait = None if self._work_a_while() else _RETRY_SECONDS
            except PersonaError as exc:
                self._notice(f"Updates wait for the next message: {exc.message} {exc.fix}".rstrip())
                wait = None

    def _work_a_while(self) -> bool:
        """Work until the queue is empty or somebody wants the model; False when another process has it."""
        with self._turn:
            if self._is_wanted() or not (self._stale or self.pending()):
                return True
            if not self._take():
                return False
            try:
                self._drain(None, self._is_wanted, captions=sys.maxsize, in_passing=True)
            except Interrupted:
                return True
            finally:
                self._file.release()
        return True

    def _is_wanted(self) -> bool:
        return self._yield.is_set() or self._closing.is_set()

    def _take(self) -> bool:
        """Take the lock of the queue; jobs left running by a process that died are queued again."""
        try:
            self._file.acquire(timeout=0)
        except Timeout:
            return False
        except OSError as exc:
            raise StorageError(f"{self._file.lock_file} cannot be locked: {exc.strerror}") from exc
        self._memory.store.jobs.recover()
        return True

    def _drain(
        self, on_progress: OnProgress | None, stop: Stop, captions: int = _CAPTIONS, *, in_passing: bool = False
    ) -> int:
        done, total = 0, self.pending()
        while not stop():
            job = self._memory.store.jobs.claim(self._updates.held)
            if job is None:
                self._refresh(stop, in_passing=in_passing)
                if self._captions.write_wanted(stop, captions):
                    self._refresh(stop, in_passing=in_passing)
                return done
            self._work(job, stop)
            done += 1
            total = max(total, done)
            if on_progress is not None:
                on_progress(done, total, job)
        raise Interrupted("The updates were interrupted; they are still queued.")

    def _refresh(self, stop: Stop, *, in_passing: bool) -> None:
        """Embed what was written and shown, and bring Chroma in step, in passing once there is enough for it."""
        embed_wanted(self._memory.store, self._memory.embedder, stop)
        if not stop():
            index = self._memory.index
            (index.keep_up if in_passing else index.sync)(stop)
            # a stop in the middle: the rest waits for the next quiet moment
            self._stale = stop() or not (in_passing or index.in_step)
            if not self._swept:
                # what a run that was killed has left; once in a run is enough
                self._swept = True
                remove_orphans(self._memory, GRACE)
            # last and not all: pictures of before CLIP was installed may be thousands
            self._memory.sight.embed_wanted(stop, IN_PASSING)

    def _work(self, job: Job, stop: Stop) -> None:
        """Do one job; its writes and its end are one transaction. An error stays with the job."""
        jobs = self._memory.store.jobs
        try:
            write = self._updates.prepare(job, stop)
            store = self._memory.store
            with store.transaction(), store.journal.caused_by(job.turn_id, job.session_id):
                write()
                jobs.done(job.id)
            self._stale = True
        except (Interrupted, KeyboardInterrupt, SystemExit):
            jobs.requeue(job.id)
            raise
        except Exception as exc:  # noqa: BLE001 - the job runner: whatever a model does, the queue goes on
            # the same prompt at the same temperature breaks its format in the same way
            jobs.fail(job.id, f"{type(exc).__name__}: {exc}", for_good=isinstance(exc, FormatError))


def _never() -> bool:
    return False
