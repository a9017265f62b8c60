"""`persona profile set`, `lock`, `unlock`, `reset` and `quiz`: what a person says of themselves counts most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import UsageError
from persona_cli.personality import HIGHEST, LOWEST, NEUTRAL, TRAITS

QUIZ: tuple[tuple[str, bool, str], ...] = (
    ("openness", False, "I get carried away by new ideas, even ones of no use."),
    ("conscientiousness", True, "My things pile up until I can no longer find anything."),
    ("extraversion", False, "A room full of strangers gives me energy."),
    ("agreeableness", True, "If somebody makes a mistake, I let them feel it."),
    ("neuroticism", False, "Small worries keep me awake at night."),
    ("openness", True, "I would rather do things the way they have always been done."),
    ("conscientiousness", False, "What I promise is done by the day I said."),
    ("extraversion", True, "After an hour in company I long to be by myself."),
    ("agreeableness", False, "I can tell when someone is low, and I stay with them."),
    ("neuroticism", True, "When everything goes wrong I stay calm."),
)
"""Trait, whether agreeing speaks against it, and the statement."""

TraitName = Annotated[
    str,
    typer.Argument(metavar="TRAIT", help="openness, conscientiousness, extraversion, agreeableness or neuroticism."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def set_(
    context: typer.Context,
    trait: TraitName,
    value: Annotated[float, typer.Argument(metavar="VALUE", help="From 1 to 5; 3 is neutral.")],
) -> None:
    """Set a trait yourself; it goes on moving with what you say unless it is locked."""
    name = parse_trait(trait)
    if not LOWEST <= value <= HIGHEST:
        raise UsageError(f"{value:g} is not between 1 and 5", fix="3 is neutral, 5 is most.")
    _put(invocation(context), {name: value})


def lock(context: typer.Context, trait: TraitName) -> None:
    """Keep a trait where it is: nothing you say moves it any more."""
    name = parse_trait(trait)
    run = invocation(context)
    with run.store() as store:
        store.readings.lock(name, _now())
        run.notice(f"{name} stays at {store.readings.latest()[name]:.1f}.")


def unlock(context: typer.Context, trait: TraitName) -> None:
    """Let a trait move again with what you say."""
    name = parse_trait(trait)
    run = invocation(context)
    with run.store() as store:
        store.readings.unlock(name)
        run.notice(f"{name} moves again.")


def reset(context: typer.Context, yes: Yes = False) -> None:
    """Set all traits back to neutral and unlock them; the history stays."""
    run = invocation(context)
    if not yes and not typer.confirm("Set all five traits back to neutral?", err=True):
        run.notice("Nothing was changed.")
        raise typer.Exit(1)
    with run.store() as store:
        for name in store.readings.locked():
            store.readings.unlock(name)
    _put(run, dict.fromkeys(TRAITS, NEUTRAL))


def quiz(context: typer.Context, yes: Yes = False) -> None:
    """Rate yourself: ten statements, from 1 (not at all) to 5 (very much); a locked trait stays."""
    run = invocation(context)
    run.notice("How much is this like you? From 1, not at all, to 5, very much. Ctrl-C leaves everything as it is.")
    answers = [
        typer.prompt(f"{number:2}. {statement}", value_proc=_read_answer, err=True)
        for number, (_, _, statement) in enumerate(QUIZ, 1)
    ]
    scores = score_quiz(answers)
    with run.store() as store:
        locked = store.readings.locked()
    for name, score in scores.items():
        run.out.print(f"{name:18} {score:.1f}{', locked: it stays' if name in locked else ''}")
    if not yes and not typer.confirm("Keep this?", err=True):
        run.notice("Nothing was changed.")
        raise typer.Exit(1)
    _put(run, {name: score for name, score in scores.items() if name not in locked})


def score_quiz(answers: Sequence[int]) -> dict[str, float]:
    """Return the traits that ten answers from 1 to 5 stand for, the mean of two statements each."""
    if len(answers) != len(QUIZ) or not all(LOWEST <= answer <= HIGHEST for answer in answers):
        raise ValueError(f"{len(QUIZ)} answers from 1 to 5 are wanted, not {list(answers)}")
    counted = [
        (trait, 6 - answer if against else answer) for (trait, against, _), answer in zip(QUIZ, answers, strict=True)
    ]
    return {name: sum(score for trait, score in counted if trait == name) / 2 for name in TRAITS}


def parse_trait(text: str) -> str:
    """Return the trait a word means, its beginning is enough; raises `UsageError`."""
    found = [name for name in TRAITS if text and name.startswith(text.casefold())]
    if len(found) != 1:
        raise UsageError(f"{text!r} is no trait", fix=f"The traits are {', '.join(TRAITS)}.")
    return found[0]


def _read_answer(text: str) -> int:
    if text.strip() not in ("1", "2", "3", "4", "5"):
        raise typer.BadParameter("a number from 1 to 5, please")
    return int(text)


def _put(run: Invocation, scores: Mapping[str, float]) -> None:
    with run.store() as store:
        reading = store.readings.put(scores, _now())
    for name in scores:
        run.notice(f"{name} {reading.before[name]:.1f} → {reading.after[name]:.1f}")


def _now() -> datetime:
    return datetime.now().astimezone()
