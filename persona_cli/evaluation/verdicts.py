"""The judging stage: what a judge model marks after all is answered, with as many requests at once as workers.

A verdict is on disk before the next is begun; a judge that is down ends the stage, and the same command goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TypeVar

from persona_cli.errors import EngineError
from persona_cli.evaluation.cases import Form
from persona_cli.evaluation.judging.judge import Judgement, judge
from persona_cli.evaluation.judging.pairwise import Comparison, compare
from persona_cli.evaluation.run import OnProgress
from persona_cli.evaluation.run_files import AnsweredQuestion, RunFolder, append, file_name, mend, read_lines
from persona_cli.model.engines import Engine

T = TypeVar("T")


def judge_all(folder: RunFolder, engine: Engine, *, workers: int, on_progress: OnProgress) -> int:
    """Have every free answer judged that is not yet; return how many were. A failed verdict is tried anew."""
    run = folder.read()
    done = {key for key, verdict in run.verdicts.items() if not verdict.failed}
    pending = [
        outcome
        for outcome in run.outcomes
        if outcome.question.form is Form.OPEN and not outcome.reply.failed and outcome.question.key not in done
    ]

    def work(outcome: AnsweredQuestion) -> tuple[AnsweredQuestion, Judgement]:
        return outcome, judge(engine, outcome.question, outcome.reply, outcome.hidden)

    for outcome in pending:
        mend(folder.verdicts_file(outcome.person))
    count = 0
    for outcome, verdict in _at_once(work, pending, workers):
        append(folder.verdicts_file(outcome.person), asdict(verdict))
        count += 1
        on_progress(count, len(pending), "judging")
    return count


def compare_all(first: RunFolder, other: RunFolder, engine: Engine, *, workers: int, on_progress: OnProgress) -> int:
    """Hold the answers of two runs against each other where both have one; return how many were compared."""
    others = {outcome.question.key: outcome.reply for outcome in other.read().outcomes}
    file = first.root / f"against-{file_name(other.read().plan.subject)}.jsonl"
    mend(file)
    done = {row["key"] for row in read_lines(file) if not row["failed"]}
    pending = [
        outcome
        for outcome in first.read().outcomes
        if outcome.question.form is Form.OPEN and outcome.question.key in others and outcome.question.key not in done
    ]

    def work(outcome: AnsweredQuestion) -> Comparison:
        key = outcome.question.key
        return compare(engine, outcome.question, outcome.reply, others[key], outcome.hidden)

    count = 0
    for comparison in _at_once(work, pending, workers):
        append(file, asdict(comparison))
        count += 1
        on_progress(count, len(pending), "comparing")
    return count


def _at_once(work: Callable[[AnsweredQuestion], T], pending: list[AnsweredQuestion], workers: int) -> Iterable[T]:
    """Yield what comes of each; the first `EngineError` ends it, after what was under way."""
    failed: EngineError | None = None
    with ThreadPoolExecutor(max(1, workers)) as pool:
        futures = [pool.submit(work, outcome) for outcome in pending]
        for future in futures:
            try:
                yield future.result()
            except EngineError as exc:
                failed = exc
                break
        for future in futures:
            future.cancel()
    if failed is not None:
        raise EngineError(
            f"the judge stopped: {failed.message}", fix="What was judged is kept; the same command goes on."
        ) from failed
