"""A judge model behind an OpenAI-compatible URL: each criterion of a free answer is worth 0, a half or 1.

It sees the question, the gold answer, the hidden truth about the person and the reply; never which subject it comes
from. A reply of the judge that cannot be read is asked for again, twice; then the answer stays unjudged, which is
neither right nor wrong. A judge that is down stops the run: what was answered is kept, and the same command goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from persona_cli.config import Settings
from persona_cli.errors import EngineError
from persona_cli.evaluation.cases import CaseQuestion, CaseReply
from persona_cli.evaluation.judging import Label, Mark
from persona_cli.model.engines import Engine, Message

ATTEMPTS = 3
"""Of reading one verdict: the first and two retries."""
LIMIT = 300
PROMPT = """You grade the reply of an assistant with a long memory of its user.

Question: {question}
{gold}{hidden}Reply: {reply}

Criterion: {criterion}

Does the reply meet the criterion? Judge by meaning, not by wording; more details are no fault unless they contradict.
Answer with one line of JSON: {{"score": 0, 0.5 or 1, "unknown": whether the reply says that it does not know, "why":
"a few words"}}"""
_JSON = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge made of one reply; kept beside the run's replies."""

    key: str
    scores: tuple[float, ...]
    unknown: bool = False
    why: str = ""
    failed: str = ""
    tokens: int = 0

    def as_mark(self) -> Mark:
        """Return it as a mark."""
        if self.failed or not self.scores:
            return Mark(0.0, Label.UNJUDGED, why=self.failed or "no verdict")
        score = sum(self.scores) / len(self.scores)
        label = Label.RIGHT if score == 1 else Label.PARTLY if score else Label.OMITTED if self.unknown else Label.WRONG
        return Mark(score, label, why=self.why)


def open_judge(settings: Settings) -> Engine:
    """Connect to the judge; raises `EngineError` where it does not answer."""
    from persona_cli.model.opening import open_server

    try:
        return open_server(settings)
    except EngineError as exc:
        fix = "Start it, or correct its address (--judge, judge.url); the same command goes on where it was."
        raise EngineError(f"the judge: {exc.message}", fix=fix) from exc


def criteria_of(question: CaseQuestion) -> tuple[str, ...]:
    """Return what a free answer is judged by."""
    if question.criteria:
        return question.criteria
    if question.unanswerable:
        return ("The reply says that this was never told and cannot be known.",)
    return ("The reply gives the same answer as the gold answer.",)


def judge(engine: Engine, question: CaseQuestion, reply: CaseReply, hidden: str = "") -> Judgement:
    """Return the judge's verdict, one call a criterion. Raises `EngineError` where the judge is down."""
    gold = f"Gold answer: {question.answer}\n" if question.answer else ""
    truth = f"What is true of the user, and was not shown to the assistant: {hidden}\n" if hidden else ""
    scores: list[float] = []
    reasons: list[str] = []
    unknown, tokens = False, 0
    for criterion in criteria_of(question):
        text = PROMPT.format(question=question.text, gold=gold, hidden=truth, reply=reply.text, criterion=criterion)
        read, used = _ask(engine, text)
        tokens += used
        if read is None:
            return Judgement(question.key, (), failed="the judge's reply could not be read", tokens=tokens)
        scores.append(read[0])
        unknown = unknown or read[1]
        reasons.append(read[2])
    return Judgement(question.key, tuple(scores), unknown, "; ".join(filter(None, reasons)), tokens=tokens)


def parse_verdict(text: str) -> tuple[float, bool, str] | None:
    """Return score, whether it says unknown, and why; None where there is no such JSON."""
    for line in reversed(_JSON.findall(text)):
        try:
            value = json.loads(line)
            score = float(value["score"])
        except (ValueError, KeyError, TypeError):
            continue
        if score in (0.0, 0.5, 1.0):
            return score, value.get("unknown") is True, str(value.get("why", ""))
    return None


def _ask(engine: Engine, text: str) -> tuple[tuple[float, bool, str] | None, int]:
    messages: list[Message] = [Message("user", (text,))]
    tokens = 0
    for _ in range(ATTEMPTS):
        reply = converse(engine, messages)
        tokens += engine.count(messages)
        if (read := parse_verdict(reply)) is not None:
            return read, tokens
        again = Message(
            "user", ('That was no line of JSON with a "score" of 0, 0.5 or 1. Answer with that line only.',)
        )
        messages = [messages[0], Message("assistant", (reply or "(nothing)",)), again]
    return None, tokens


def converse(engine: Engine, messages: Sequence[Message]) -> str:
    """Return a judge's whole reply."""
    return "".join(engine.generate(messages, grammar=None, stop=lambda: False, limit=LIMIT, lane="judge"))
