"""Self-Critic: the model answers, criticises its own answer, and writes it anew.

The paper names this strategy and does not define it; the two further calls are our reading of the name.
"""

from __future__ import annotations

from persona_cli.evaluation.cases import CaseQuestion, CaseReply
from persona_cli.evaluation.subjects import TestSubject

CRITICISE = """{text}

A first answer to this was:
{answer}

Criticise this answer in two or three sentences: is it supported by what the user has said before, and does it suit the
user's personality and present preferences?"""
REVISE = """{text}

A first answer was:
{answer}

It was criticised like this:
{criticism}

Write the final answer, in the form that was asked for and nothing else."""


class CriticSubject:
    """Another subject, asked three times."""

    def __init__(self, inner: TestSubject) -> None:
        self._inner = inner
        self.chooser = inner.chooser
        self.learn, self.memories, self.likelihood, self.close = (
            inner.learn, inner.memories, inner.likelihood, inner.close,
        )  # fmt: skip

    def say(self, text: str, question: CaseQuestion) -> CaseReply:
        """Answer, criticise, revise; a model that follows no instructions answers once."""
        first = self._inner.say(text, question)
        if self.chooser is not None:
            return first
        criticism = self._inner.say(CRITICISE.format(text=text, answer=first.text), question)
        last = self._inner.say(REVISE.format(text=text, answer=first.text, criticism=criticism.text), question)
        calls = (first, criticism, last)
        return CaseReply(
            last.text,
            last.prompt,
            last.recalled,
            sum(said.tokens for said in calls),
            sum(said.generated for said in calls),
            max(said.left_out for said in calls),
        )
