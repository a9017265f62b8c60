"""States of a life that rule each other out: who is unemployed has found no job yet, who is single is not engaged.

A new state ends the old one without a word of change. Which sentences tell which state, and what each ends, stands in
states.toml.
"""

from __future__ import annotations

from persona_cli.english.kept_texts import kept
from persona_cli.remembering.rules.signs import STATES, signs


@kept
def states(content: str) -> frozenset[str]:
    """Return the states a sentence about somebody tells."""
    return frozenset(name for name, state in signs(STATES).items() if state.pattern.search(content))


def rules_out(new: str, old: str) -> bool:
    """Tell whether the state that `new` tells ends the one of `old`, both being of one person."""
    mine = states(new)
    # most sentences tell no state that ends another: the old one need not be read
    return bool(over := _ended_by(mine)) and bool(over & (states(old) - mine))


def state_words(new: str) -> str:
    """Return the words by which memories are found whose state `new` may end."""
    searched = (signs(STATES)[name].searched for name in _ended_by(states(new)))
    return " ".join(sorted({word for text in searched for word in text.split()}))


def _ended_by(told: frozenset[str]) -> frozenset[str]:
    return frozenset(ended for name in told for ended in signs(STATES)[name].ends)
