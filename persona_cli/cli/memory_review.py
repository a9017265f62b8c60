"""`persona memory review`: what waits to be remembered, accepted, edited or rejected, singly or in an editor."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_cli.cli.invocation import Invocation, embed_new, invocation
from persona_cli.cli.writer import typed
from persona_cli.errors import UsageError
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.agent.assistant import Assistant
    from persona_cli.agent.review import Decided, ReviewVerdict, WaitingJob

_HELP = "a accept, r reject, e edit, A accept all that is left, R reject all that is left, q leave the rest"
_SHEET = """\
# Each line is something persona would remember. Leave it to accept it; delete it, or put a # before it, to reject it;
# change the words behind the bar to have them in yours. Nothing is remembered if you save no change and answer no.
"""


def review(
    context: typer.Context,
    accept: Annotated[bool, typer.Option("--accept-all", help="Accept everything that waits.")] = False,
    reject: Annotated[bool, typer.Option("--reject-all", help="Reject everything that waits.")] = False,
    editor: Annotated[bool, typer.Option("--editor", help="Decide in your editor ($EDITOR), all at once.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what waits as JSON, and decide nothing.")] = False,
) -> None:
    """Decide what of your messages is remembered: facts, profile and habits that wait while memory.review is true.

    Messages themselves are kept as ever. What was rejected is not proposed again.
    """
    if sum((accept, reject, editor, as_json)) > 1:
        raise UsageError("choose one way to decide", fix="One of --accept-all, --reject-all, --editor and --json.")
    run = invocation(context)
    with run.assistant(keep_words=True) as assistant:
        waiting = list(assistant.review())
        if as_json:
            _print_json(waiting)
        elif not waiting:
            run.notice("Nothing waits." if run.settings.memory.review else "Nothing waits; memory.review is false.")
        elif accept or reject:
            _tell(run, [_all(assistant, one, accept=accept) for one in waiting])
        elif editor:
            _in_editor(run, assistant, waiting)
        else:
            _one_by_one(run, assistant, waiting)
        embed_new(assistant.memory)


def _all(assistant: Assistant, waiting: WaitingJob, *, accept: bool) -> Decided:
    from persona_cli.agent.review import ReviewDecision, ReviewVerdict

    verdict = ReviewVerdict(ReviewDecision.ACCEPT if accept else ReviewDecision.REJECT)
    return _decide(assistant, waiting, [verdict] * len(waiting.proposed.drafts))


def _decide(assistant: Assistant, waiting: WaitingJob, verdicts: Sequence[ReviewVerdict]) -> Decided:
    from persona_cli.agent.review import decide

    return decide(assistant.memory.store, waiting, verdicts, datetime.now().astimezone())


def _one_by_one(run: Invocation, assistant: Assistant, waiting: Sequence[WaitingJob]) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "there is nobody here to ask", fix="At a terminal, or with --accept-all, --reject-all, --editor or --json."
        )
    from persona_cli.agent.review import ReviewDecision, ReviewVerdict

    done: list[Decided] = []
    rest: ReviewVerdict | None = None
    run.notice(_HELP)
    for number, one in enumerate(waiting):
        verdicts: list[ReviewVerdict] = []
        _print_said(run, one)
        for draft in one.proposed.drafts:
            verdict = rest or _ask(run, draft)
            if verdict is None:
                _tell(run, done, sum(len(left.proposed.drafts) for left in waiting[number:]))
                return
            if isinstance(verdict, str):
                rest = verdict = ReviewVerdict(ReviewDecision.ACCEPT if verdict == "A" else ReviewDecision.REJECT)
            verdicts.append(verdict)
        done.append(_decide(assistant, one, verdicts))
    _tell(run, done)


def _ask(run: Invocation, draft: Any) -> ReviewVerdict | str | None:
    """Return what becomes of one proposal; "A" or "R" for all that are left, None to leave."""
    from persona_cli.agent.review import ReviewDecision, ReviewVerdict, name_of, words_of
    from persona_cli.cli.memory_lines import say

    say(run, f"  {name_of(draft)}: {words_of(draft)}", style="bold")
    while True:
        answer = typer.prompt("  a/r/e/A/R/q", default="a", err=True).strip()
        if answer in ("a", "r"):
            return ReviewVerdict(ReviewDecision.ACCEPT if answer == "a" else ReviewDecision.REJECT)
        if answer in ("A", "R"):
            return str(answer)
        if answer == "q":
            return None
        if answer == "e":
            words = typed(typer.prompt("  in your words", default=words_of(draft), err=True)).strip()
            return ReviewVerdict(ReviewDecision.ACCEPT, words)
        run.notice(_HELP)


def _in_editor(run: Invocation, assistant: Assistant, waiting: Sequence[WaitingJob]) -> None:
    from persona_cli.cli.editor import edit_text

    sheet = sheet_of(waiting)
    saved = edit_text(sheet)
    if saved is None and not typer.confirm("You changed nothing. Accept everything?", err=True):
        run.notice("Nothing was decided; it waits.")
        return
    verdicts = read_sheet(saved or sheet, waiting)
    _tell(run, [_decide(assistant, one, mine) for one, mine in zip(waiting, verdicts, strict=True)])


def sheet_of(waiting: Sequence[WaitingJob]) -> str:
    """Return what waits as lines to be edited: number, kind, bar, words; what was said stands above as a comment."""
    from persona_cli.agent.review import name_of, words_of

    lines, number = [_SHEET], 0
    for one in waiting:
        turn = one.proposed.turn
        lines.append(f"\n# {turn.at.astimezone():%Y-%m-%d}  {' '.join(turn.user.split())}\n")
        for draft in one.proposed.drafts:
            number += 1
            lines.append(f"{number} {name_of(draft)} | {' '.join(words_of(draft).split())}\n")
    return "".join(lines)


def read_sheet(text: str, waiting: Sequence[WaitingJob]) -> list[list[ReviewVerdict]]:
    """Return the verdicts of an edited sheet, for each job in order; raises `UsageError` for a line of another form."""
    from persona_cli.agent.review import ReviewDecision, ReviewVerdict

    kept: dict[int, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        head, bar, words = line.partition("|")
        label = head.split()[0] if head.split() else ""
        if not bar or not label.isdecimal() or not words.strip():
            raise UsageError(
                f"{line!r} is not a line of the review", fix="Keep its number and the bar; nothing was changed."
            )
        kept[int(label)] = typed(words).strip()
    verdicts, number = [], 0
    for one in waiting:
        mine = []
        for _ in one.proposed.drafts:
            number += 1
            edited = kept.pop(number, None)
            mine.append(
                ReviewVerdict(ReviewDecision.REJECT) if edited is None else ReviewVerdict(ReviewDecision.ACCEPT, edited)
            )
        verdicts.append(mine)
    if kept:
        raise UsageError(f"there is no proposal {min(kept)}", fix="Keep the numbers; nothing was changed.")
    return verdicts


def _print_said(run: Invocation, waiting: WaitingJob) -> None:
    from persona_cli.cli.memory_lines import say
    from persona_cli.cli.render import day

    turn = waiting.proposed.turn
    say(run, f"{day(turn.at)}  “{' '.join(turn.user.split())}”", style="dim")


def _print_json(waiting: Sequence[WaitingJob]) -> None:
    from persona_cli.agent.review import name_of, words_of
    from persona_cli.cli.render import print_json

    print_json(
        [
            {"message": f"m{one.proposed.turn.id}", "said": one.proposed.turn.user, "at": one.proposed.turn.at,
             "what": name_of(draft), "words": words_of(draft)}
            for one in waiting
            for draft in one.proposed.drafts
        ]
    )  # fmt: skip


def _tell(run: Invocation, done: Sequence[Decided], left: int = 0) -> None:
    accepted, edited, rejected = (
        sum(getattr(one, name) for one in done) for name in ("accepted", "edited", "rejected")
    )
    waits = f" {counted(left, 'proposals')} still {'waits' if left == 1 else 'wait'}." if left else ""
    run.notice(f"Accepted {accepted}, in your words {edited}, rejected {rejected}.{waits}")
