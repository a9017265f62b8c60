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
    if not any(marked.outcome.question.form in MEMORY_FORMS for marked in every):
        return {}
    points = [marked for marked in every if _is(marked, Form.EXTRACTED) and not marked.outcome.question.unanswerable]
    invented = [marked for marked in every if _is(marked, Form.EXTRACTED) and marked.outcome.question.unanswerable]
    weights = [marked.outcome.question.weight for marked in points]
    stages = {
        "extraction R": _mean([marked.mark.score for marked in points]),
        "weighted R": _mean([marked.mark.score for marked in points], weights),
        "FMR": _mean([marked.mark.score for marked in invented]),
    }
    stored = [marked for marked in every if _is(marked, Form.STORED)]
    stages["P"] = _mean(
        [marked.mark.score for marked in stored], [len(marked.outcome.reply.recalled) for marked in stored]
    )
    recall, precision = stages["extraction R"], stages["P"]
    if recall is not None and precision is not None and recall + precision:
        stages["F1"] = 2 * recall * precision / (recall + precision)
    for name, form in (("update", Form.UPDATED), ("answers", Form.OPEN)):
        mine = [marked.mark.label for marked in every if _is(marked, form)]
        for letter, labels in (("C", {Label.RIGHT}), ("H", {Label.WRONG, Label.PARTLY}), ("O", {Label.OMITTED})):
            stages[f"{name} {letter}"] = _mean([float(label in labels) for label in mine])
    return {column: share for column in COLUMNS if (share := stages.get(column)) is not None}


def _is(marked: Marked, form: Form) -> bool:
    return marked.outcome.question.form is form and marked.mark.label not in (Label.SKIPPED, Label.UNJUDGED)


def _mean(scores: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    shares = [1.0] * len(scores) if weights is None else weights
    whole = sum(shares)
    return sum(score * share for score, share in zip(scores, shares, strict=True)) / whole if whole else None
