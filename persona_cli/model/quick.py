"""The prompt of a quick answer for models that were not trained on persona's own: an ordinary conversation.

What never changes comes first, then the profile, then the turns of the last hour as turns, and last what was found and
what is said: each turn evaluates its own words, and a small model sees what it was trained on, which is talk.
"""

from __future__ import annotations

from collections.abc import Sequence

from persona_cli.model.engines import Message
from persona_cli.model.prompts import Prompts
from persona_cli.model.sections import NONE, Writer, plain, quoted
from persona_cli.model.tasks import Situation
from persona_cli.personality import NEUTRAL, Traits
from persona_cli.timewords import stamp

_AUDIBLE = 0.75
"""How far from neutral a score must be to be worth a word to a model that was not trained on scores."""


def head(prompts: Prompts, situation: Situation, writer: Writer, budget: int) -> Message:
    """Return the system message: the guide, and the profile within its budget."""
    profile = writer.profile(situation.core, budget)
    return Message("system", (prompts.fill("quick", profile=profile),))


def history(situation: Situation, writer: Writer, budget: int) -> list[Message]:
    """Return the recent turns as messages, the oldest cut first; a turn without an answer is left out."""
    answered = [turn for turn in situation.recent if turn.answer]
    start = writer.steady_start(answered, budget)
    return [message for turn in answered[start:] for message in _said(turn.user, stamp(turn.at), turn.answer)]


def memory(found: Sequence[str], traits: Traits) -> str:
    """Return what stands before the words of the user: what was found, and what their personality asks for."""
    recalled = "\n\n".join(text for text in found if text and text != NONE)
    marked = [f"{name} {score:.0f} of 5" for name, score in traits if abs(score - NEUTRAL) >= _AUDIBLE]
    parts = [f"What you remember that may bear on it:\n{recalled}"] if recalled else []
    parts += [f"The user's personality: {', '.join(marked)}."] if marked else []
    return "".join(f"{part}\n\n" for part in parts)


def words(situation: Situation, writer: Writer) -> str:
    """Return what the user says, with the pictures."""
    pictures = "".join(f"{writer.picture(image)}\n" for image in situation.query.images)
    return pictures + quoted(situation.query.text)


def _said(user: str, when: str, answer: str) -> tuple[Message, Message]:
    return Message("user", (f"[{when}] {quoted(user)}",)), Message("assistant", (plain(answer),))
