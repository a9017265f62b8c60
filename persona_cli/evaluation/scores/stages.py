"""The operations of a memory apart, as HaluMem reports them, so that it is seen which of the three is weak.

R and weighted R: points found, counted alike and by importance; P: memories that rest on what was said, all sessions
together; FMR: inventions of the assistant that were not stored; then update and answers as correct, hallucinated (said
or held wrongly) and omitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from persona_cli.evaluation.cases import MEMORY_FORMS, Form
from persona_cli.evaluation.judging import Label

if TYPE_CHECKING:
    from persona_cli.evaluation.scores import Marked

COLUMNS = (
    "extraction R", "weighted R", "P", "F1", "FMR", "update C", "update H", "update O", "answers C", "answers H",
    "answers O",
)  # fmt: skip


def stages_of(every: Sequence[Marked]) -> dict[str, float]:
    """Return what a run has of the columns, from 0 to 1; nothing for a data set that asks for no memories."""
    if not any(one.outcome.question.form in MEMORY_FORMS for one in every):
        return {}
    points = [one for one in every if _is(one, Form.EXTRACTED) and not one.outcome.question.unanswerable]
    invented = [one for one in every if _is(one, Form.EXTRACTED) and one.outcome.question.unanswerable]
    weights = [one.outcome.question.weight for one in points]
    found = {
        "extraction R": _mean([one.mark.score for one in points]),
        "weighted R": _mean([one.mark.score for one in points], weights),
        "FMR": _mean([one.mark.score for one in invented]),
    }
    stored = [one for one in every if _is(one, Form.STORED)]
    found["P"] = _mean([one.mark.score for one in stored], [len(one.outcome.reply.recalled) for one in stored])
    recall, precision = found["extraction R"], found["P"]
    if recall is not None and precision is not None and recall + precision:
        found["F1"] = 2 * recall * precision / (recall + precision)
    for name, form in (("update", Form.UPDATED), ("answers", Form.OPEN)):
        mine = [one.mark.label for one in every if _is(one, form)]
        for letter, labels in (("C", {Label.RIGHT}), ("H", {Label.WRONG, Label.PARTLY}), ("O", {Label.OMITTED})):
            found[f"{name} {letter}"] = _mean([float(label in labels) for label in mine])
    return {column: share for column in COLUMNS if (share := found.get(column)) is not None}


def _is(one: Marked, form: Form) -> bool:
    return one.outcome.question.form is form and one.mark.label not in (Label.SKIPPED, Label.UNJUDGED)


def _mean(scores: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    shares = [1.0] * len(scores) if weights is None else weights
    whole = sum(shares)
    return sum(score * share for score, share in zip(scores, shares, strict=True)) / whole if whole else None
