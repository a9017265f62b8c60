"""Putting a question to a subject: its text in the published form, one or two calls, one reply to be judged.

The wording of instructions is ours; order and form (options as "(a). text" in lines of their own, the reply to be
judged right behind the query) are the published ones.
"""

from __future__ import annotations

import time
from dataclasses import replace

from persona_cli.errors import Interrupted, PersonaError
from persona_cli.evaluation.cases import CHOSEN, MEMORY_FORMS, REJECTED, TIED, CaseQuestion, CaseReply, Form
from persona_cli.evaluation.datasets.published_files import letter
from persona_cli.evaluation.judging.answers import says_unknown
from persona_cli.evaluation.letters import first_letter
from persona_cli.evaluation.subjects import TestSubject

CHOOSE = "Answer with the letter of the one best option, such as (a), and nothing else."
FITS = (
    "Judge the following reply to this message by the user's personality as the history shows it: “{reply}”\nOptions:\n"
    "(a). it aligns with the user's personality\n(b). it does not align\nAnswer with (a) or (b) and nothing else."
)
PREFERS = (
    "{text}\nWhich of two replies to this would the user prefer?\nOptions:\n(a). {first}\n(b). {second}\n"
    "Answer with (a) or (b) and nothing else."
)


def ask(subject: TestSubject, question: CaseQuestion) -> CaseReply:
    """Return the reply to a question; an error of the subject is a reply that failed."""
    began = time.perf_counter()
    try:
        said = _ask(subject, question)
    except Interrupted:
        raise
    except PersonaError as exc:
        return CaseReply("", seconds=time.perf_counter() - began, failed=exc.message)
    except Exception as exc:  # noqa: BLE001 - one question must not end a run of hours; what happened is kept with it
        return CaseReply("", seconds=time.perf_counter() - began, failed=f"{type(exc).__name__}: {exc}")
    if said is None:
        return CaseReply("", skipped=True)
    return replace(said, seconds=time.perf_counter() - began)


def choice_text(question: CaseQuestion) -> str:
    """Return a question with its options, as it is put to a model."""
    lines = [f"({letter(place)}). {option}" for place, option in enumerate(question.options)]
    return "\n".join([question.text, "Options:", *lines, CHOOSE])


def _ask(subject: TestSubject, question: CaseQuestion) -> CaseReply | None:
    if question.form in MEMORY_FORMS:
        held = subject.memories(question)
        return None if held is None else CaseReply("\n".join(held), question.text, held)
    if question.form is Form.OPEN:
        return subject.say(question.text, question)
    if question.form is Form.PAIR:
        return _ask_pair(subject, question)
    if subject.chooser is not None:
        return _read_choice(subject, question)
    if question.form is Form.FIT:
        # published without a separator between query and instruction
        return subject.say(f"{question.text}{FITS.format(reply=question.reply)}", question)
    return subject.say(choice_text(question), question)


def _read_choice(subject: TestSubject, question: CaseQuestion) -> CaseReply:
    """Return the letter that the free answer of a model without instructions comes to."""
    chooser = subject.chooser
    assert chooser is not None
    said = subject.say(question.text, question)
    if question.form is Form.FIT:
        chosen = "a" if chooser.fit(question.reply) >= 0 else "b"
    else:
        # an answer that declines says nothing for any option
        answer = () if says_unknown(said.text) else (said.text,)
        chosen = letter(chooser.closest(question.text, question.options, (*answer, *said.recalled)))
    return replace(said, text=f"({chosen}) {said.text}")


def _ask_pair(subject: TestSubject, question: CaseQuestion) -> CaseReply | None:
    """Return which of two replies is preferred: by log-probability, or by a choice that holds in both orders."""
    chosen, rejected = question.options
    if question.answer == "logprob":
        weighed = [subject.likelihood(question, reply) for reply in (chosen, rejected)]
        if weighed[0] is None or weighed[1] is None:
            return None
        return CaseReply(CHOSEN if weighed[0] > weighed[1] else REJECTED, f"{weighed[0]:.4f} against {weighed[1]:.4f}")
    if subject.chooser is not None:
        fits = [subject.chooser.fit(reply) for reply in (chosen, rejected)]
        verdict = TIED if fits[0] == fits[1] else CHOSEN if fits[0] > fits[1] else REJECTED
        return CaseReply(verdict, f"{fits[0]:.3f} against {fits[1]:.3f}")
    orders = [
        subject.say(PREFERS.format(text=question.text, first=first, second=second), question)
        for first, second in ((chosen, rejected), (rejected, chosen))
    ]
    letters = [first_letter(said.text) for said in orders]
    verdict = {("a", "b"): CHOSEN, ("b", "a"): REJECTED}.get((letters[0], letters[1]), TIED)
    first, second = orders
    return CaseReply(
        verdict, f"{first.prompt}\n→ {first.text}\n{second.prompt}\n→ {second.text}", first.recalled,
        first.tokens + second.tokens, first.generated + second.generated, max(first.left_out, second.left_out),
    )  # fmt: skip
