"""`persona update`: work off what the update stage has still to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import Interrupted
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.agent.assistant import Assistant
    from persona_cli.agent.queue import Drained


def update(
    context: typer.Context,
    retry: Annotated[bool, typer.Option("--retry", help="Also try again what failed before.")] = False,
    close: Annotated[
        bool, typer.Option("--close", help="End the open session now, instead of an hour after its last turn.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the updates that are still queued: traits, facts, topics, habits, profile, and once a day tidying."""
    run = invocation(context)
    with run.assistant() as assistant:
        if retry:
            assistant.memory.store.jobs.retry_failed()
        if close:
            assistant.close_sessions(force=True)
        drained = drain(run, assistant, in_passing=False)
    if as_json:
        from persona_cli.cli.render import print_json

        print_json(drained)
    elif drained is not None:
        report(run, drained)
    if drained is None:
        raise typer.Exit(Interrupted.exit_code)
    if drained.failed:
        raise typer.Exit(1)


def drain(
    run: Invocation, assistant: Assistant, *, in_passing: bool = True, seconds: float | None = None
) -> Drained | None:
    """Run queued jobs under a progress bar, for so long at most; None when that or Ctrl-C left the rest queued."""
    from persona_cli.cli.render import progress

    until = None if seconds is None else time.monotonic() + seconds
    try:
        with progress(run.err, "remembering") as advance:
            return assistant.updates.run(
                lambda done, total, _job: advance(done, total),
                None if until is None else lambda: time.monotonic() > until,
                in_passing=in_passing,
            )
    except (KeyboardInterrupt, Interrupted):
        left = counted(assistant.updates.pending(), "updates")
        run.notice(f"{left} still queued; the next start or `persona update` goes on.")
        return None


def report(run: Invocation, drained: Drained) -> None:
    """Say what was done, what failed and why."""
    if drained.busy:
        run.notice("Another persona is working on the updates.")
        return
    run.notice(f"{counted(drained.done, 'updates')} done, {drained.left} left.")
    for job in drained.failed:
        about = f"turn m{job.turn_id}" if job.turn_id is not None else f"session {job.session_id}"
        run.notice(f"{job.task.value} of {about} failed after {counted(job.attempts, 'attempts')}: {job.error}")
    if drained.failed:
        run.notice("`persona update --retry` tries these again.")
