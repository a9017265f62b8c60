"""Replies to what is no question: statements, small talk, and requests the built-in model cannot fulfil."""

from __future__ import annotations

from datetime import datetime

from persona_cli.model.lite.acts import Act
from persona_cli.model.lite.dates import day_of
from persona_cli.model.lite.evidence import Told
from persona_cli.model.lite.persons import capital, lower_first, mirror

CANNOT = (
    "I can't do that: I am the built-in model, without general knowledge and without a language model. What I can do: "
    "remember what you tell me about your life and find it again. See the README for installing PersonaVLM."
)
NO_GENERAL = (
    "I don't know: the built-in model has no general knowledge, only what you tell me. "
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


def refuse(personal: bool) -> str:
    """Say plainly that nothing known answers the question."""
    if personal:
        return "I don't know that yet. If you tell me, I'll remember it."
    return NO_GENERAL


def small_talk(act: Act, name: str | None, at: datetime) -> str:
    """Answer a greeting, thanks, a goodbye."""
    who = f", {name}" if name else ""
    late = at.hour >= 21 or at.hour < 4
    said = {
        Act.GREETING: f"{_greeting(at)}{who}. What is on your mind?",
        Act.THANKS: f"You're welcome{who}.",
        Act.GOODBYE: f"Good night{who}." if late else f"Goodbye{who}. I'll remember.",
        Act.HOW_ARE_YOU: f"All is well here{who}, thank you. How are you?",
        Act.ABOUT_SELF: ABOUT_SELF,
        Act.FORGET: FORGET,
    }
    return said.get(act, "All right.")


def acknowledge(statement: str) -> str:
    """Show that a statement was understood, by giving it back in the second person."""
    said = mirror(statement.rstrip(" .!"))
    if said is None or len(said) > 160:
        return "Noted."
    return f"{capital(said)} — noted."


def reminds(told: Told, at: datetime) -> str:
    """Link an older memory to what was just said."""
    said = day_of(told.at, at) if told.at else "before"
    if told.quotable:
        return f"That reminds me: {said} you said “{told.content.strip()}”"
    return f"That reminds me of what you told me {said}: {lower_first(told.spoken())}."


def _greeting(at: datetime) -> str:
    if at.hour < 5 or at.hour >= 18:
        return "Good evening"
    return "Good morning" if at.hour < 12 else "Good afternoon"
