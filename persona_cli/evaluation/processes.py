"""People in processes: each process works through one person after the other, and tells how far it is.

A failure that ends a run lets the others finish their person; an interruption ends them at once, and so does a process
that was killed. Everything they have written is whole lines and transactions, so the same command goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.queues import Queue
from queue import Empty

from persona_cli.errors import EngineError, PersonaError
from persona_cli.evaluation.person_run import OnSteps, Work, answer_person

_POLL = 0.5


def work_in_processes(works: Sequence[Work], workers: int, on_steps: OnSteps) -> None:
    """Work through people in processes; the first failure that ends a run lets the others finish their person."""
    # spawned, not forked: llama.cpp and ONNX Runtime have threads
    context = multiprocessing.get_context("spawn")
    steps: Queue[int] = context.Queue()
    at_once = min(workers, len(works))
    failed: tuple[str, str] | None = None
    with ProcessPoolExecutor(at_once, mp_context=context, initializer=_begin, initargs=(steps,)) as pool:
        running: set[Future[tuple[str, str] | None]] = {pool.submit(_work_through, work) for work in works}
        try:
            while running:
                done, running = wait(running, _POLL, FIRST_COMPLETED)
                on_steps(_taken(steps))
                for future in done:
                    failed = failed or (None if future.cancelled() else future.result())
                if failed:
                    for future in running:
                        future.cancel()
        except BrokenProcessPool as exc:
            fix = "Try fewer --workers; the same command goes on where it was."
            raise EngineError("a process of the run was killed, perhaps for want of memory", fix=fix) from exc
        except (KeyboardInterrupt, SystemExit):
            # what they have written is whole lines and transactions; to finish their person they may need an hour
            for future in running:
                future.cancel()
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    on_steps(_taken(steps))
    if failed:
        raise EngineError(failed[0], fix=failed[1])


def _taken(steps: Queue[int]) -> int:
    """Return the sum of what the processes have reported."""
    total = 0
    with suppress(Empty):
        while True:
            total += steps.get_nowait()
    return total


def _begin(steps: Queue[int]) -> None:
    """Prepare a process: it alone has its core, threads of all of them together would stand in each other's way."""
    # an interruption in the terminal reaches all of them: the one that started them ends them
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _report  # noqa: PLW0603 - what a pool gives its processes has no other place
    _report = steps.put
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


_report: OnSteps = lambda _: None  # noqa: E731 - replaced in a process of a pool


def _work_through(work: Work) -> tuple[str, str] | None:
    """Run in a process: return what ended it, as values that travel; None for nothing."""
    try:
        for _ in answer_person(work, _report):
            pass
    except PersonaError as exc:
        return exc.message, exc.fix
    return None
