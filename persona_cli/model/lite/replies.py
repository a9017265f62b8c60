"""Replies to what is no question: statements, small talk, and requests the built-in model cannot fulfil."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from persona_cli.english.forms import capital, lower_first, to_second
from persona_cli.model.lite.acts import Act
from persona_cli.model.lite.dates import day_of
from persona_cli.model.lite.evidence import Told
from persona_cli.model.lite.facts import facts_after
from persona_cli.model.lite.tone import pick
from persona_cli.records import Turn

CANNOT = (
    "I can't do that: the built-in model has no general knowledge and writes no texts. What I can do is remember what "
    "you tell me about your life and find it again. See the README for installing PersonaVLM."
)
NO_GENERAL = (
    "I don't know: nothing you told me answers that, and the built-in model has no general knowledge. "
    "See the README for installing PersonaVLM."
)
ABOUT_SELF = (
    "I'm persona, running on the built-in model: no language model, but a memory. Tell me about your life, your people "
    "and your plans, show me pictures with a name, and ask me later. See the README for installing PersonaVLM, which "
    "can talk freely."
)
FORGET = (
    "Nothing is forgotten by talking: `persona memory search` finds the memory, `persona memory forget` deletes it."
)
FIRST_TIME = "This is the first time we talk, as far as I know."
NO_WORDS = "I have no words to go by. Tell me about it?"
_MOST_MIRRORED = 2


def refuse(personal: bool, seed: str) -> str:
    """Say plainly that nothing known answers the question."""
    if not personal:
        return NO_GENERAL
    offer = pick(("If you tell me, I'll remember it.", "Tell me, and I'll remember it."), seed)
    return f"I don't know that yet. {offer}"


def small_talk(act: Act, name: str | None, at: datetime) -> str:
    """Answer a greeting, thanks, a goodbye."""
    who = f", {name}" if name else ""
    late = at.hour >= 21 or at.hour < 4
    said = {
        Act.GREETING: f"{_greeting(at)}{who}. What is on your mind?",
        Act.THANKS: f"You're welcome{who}.",
        Act.GOODBYE: f"Good night{who}." if late else f"Goodbye{who}. See you soon.",
        Act.HOW_ARE_YOU: f"All is well here{who}, thank you. How are you?",
        Act.ABOUT_SELF: ABOUT_SELF,
        Act.FORGET: FORGET,
        Act.REQUEST: CANNOT,
    }
    return said.get(act, "All right.")


def heard(statement: str) -> str:
    """Answer a statement that tells nothing to keep."""
    return pick(("I see.", "I hear you.", "All right."), statement)


def acknowledge(statement: str, at: datetime, recent: Sequence[Turn] = (), *, pictured: bool) -> str | None:
    """Show that a statement was understood, by giving its facts back in the second person; None for no facts."""
    facts = sorted(facts_after(recent, statement, at, pictured=pictured), key=lambda fact: statement.find(fact.quote))
    contents = [fact.content for fact in facts if not re.match(r"(?:This|That|It) is\b", fact.content)]
    if not contents:
        return None
    said = [_as_told(content) for content in contents[:_MOST_MIRRORED]]
    if len(said) == 1:
        ways = (f"{capital(said[0])} — noted.", f"Noted: {said[0]}.", f"{capital(said[0])}. I'll remember that.")
        return pick(ways, statement)
    return f"Noted: {said[0]}, and {said[1]}."


def reminds(told: Told, at: datetime) -> str:
    """Link an older memory to what was just said."""
    said = day_of(told.at, at) if told.at else "before"
    if told.quotable:
        return f"That reminds me: {said} you said “{told.content.strip()}”"
    return f"That reminds me of what you told me {said}: {lower_first(told.spoken())}."


def replaced(told: Told, at: datetime) -> str:
    """Say what was known until now of something that has just changed."""
    since = f" (you told me {day_of(told.at, at)})" if told.at else ""
    return f"Until now I had noted: {lower_first(told.spoken())}{since}."


def related(told: Sequence[Told], at: datetime) -> str:
    """Offer what is known in place of what cannot be done."""
    lines = [f"- {capital(each.spoken())}" + (f" ({day_of(each.at, at)})" if each.at else "") for each in told]
    return "What I do know that may help:\n" + "\n".join(lines)


def _as_told(content: str) -> str:
    text = (to_second(content) or content).strip().rstrip(".")
    shows = re.match(r"The picture shows (.+)", text)
    return f"this picture shows {lower_first(shows[1])}" if shows else lower_first(text)


def _greeting(at: datetime) -> str:
    if at.hour < 5 or at.hour >= 18:
        return "Good evening"
    return "Good morning" if at.hour < 12 else "Good afternoon"
