"""Two subjects' free answers held against each other: both orders, and a win only where both agree, else a tie.

Two criteria, accuracy and personalisation, and overall: how the paper makes one verdict of them is not published, so
the judge is asked for all three. It sees the gold answer, the evidence and the hidden traits, and no names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from persona_cli.evaluation.cases import CaseQuestion, CaseReply
from persona_cli.evaluation.judging.judge import ATTEMPTS, converse
from persona_cli.model.engines import Engine, Message

CRITERIA = ("accuracy", "personalization", "overall")
PROMPT = """Compare two replies of assistants with a long memory of their user.

Question: {question}
Gold answer: {gold}
What is true of the user, and was not shown to the assistants: {hidden}
Reply 1: {first}
Reply 2: {second}

accuracy: which reply is right by the facts of the history? personalization: which suits the user's personality and
preferences? overall: which is better? Answer with one line of JSON, each value 1, 2 or 0 for no difference:
{{"accuracy": …, "personalization": …, "overall": …}}"""
_JSON = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of one question: for each criterion 1 (the first wins), -1 (it loses) or 0 (a tie)."""

    key: str
    verdicts: Mapping[str, int]
    failed: str = ""


def compare(engine: Engine, question: CaseQuestion, first: CaseReply, second: CaseReply, hidden: str) -> Comparison:
    """Ask in both orders. Raises `EngineError` where the judge is down."""
    straight = _ask(engine, question, first, second, hidden)
    crossed = _ask(engine, question, second, first, hidden)
    if straight is None or crossed is None:
        return Comparison(question.key, {}, "the judge's reply could not be read")
    return Comparison(question.key, {name: _agreed(straight[name], crossed[name]) for name in CRITERIA})


def _agreed(straight: int, crossed: int) -> int:
    if (straight, crossed) == (1, 2):
        return 1
    return -1 if (straight, crossed) == (2, 1) else 0


def _ask(
    engine: Engine, question: CaseQuestion, first: CaseReply, second: CaseReply, hidden: str
) -> dict[str, int] | None:
    text = PROMPT.format(
        question=question.text, gold=question.answer, hidden=hidden or "(nothing)", first=first.text, second=second.text
    )
    for _ in range(ATTEMPTS):
        reply = converse(engine, [Message("user", (text,))])
        for line in reversed(_JSON.findall(reply)):
            try:
                read = {name: int(json.loads(line)[name]) for name in CRITERIA}
            except (ValueError, KeyError, TypeError):
                continue
            if set(read.values()) <= {0, 1, 2}:
                return read
    return None
