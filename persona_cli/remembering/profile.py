"""Core memory and habits: what may be put there, and how the profile follows a change of mind.

Nothing a model returns is trusted: a value must rest on the user's words, what a person wrote is never overwritten, and
what a superseded fact had put into the profile goes with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from persona_cli.english.tokens import negative, only_dates, supported, values
from persona_cli.memory.store import Store
from persona_cli.model.tasks import CoreDraft, ProceduralDraft
from persona_cli.records import Author, CoreEntry, CoreMemory, ProceduralMemory, SemanticMemory, Turn
from persona_cli.remembering.gate import invention, rests_on
from persona_cli.remembering.rules.sentence import is_over
from persona_cli.remembering.rules.subjects import in_third_person

_LISTS = frozenset(("likes", "dislikes", "hobbies", "allergies", "health", "pets", "languages", "people"))
_SINGLE = frozenset(("employer", "job", "home", "partner", "school", "studies", "diet", "relationship"))
MOST_IN_A_LIST = 7
"""Entries a list of preferences keeps (PersonaVLM, core memory)."""


def may_put_habit(draft: ProceduralDraft, current: Sequence[ProceduralMemory], said: str, last: Turn) -> bool:
    """Tell whether a habit or goal rests on what the user said and may take the place of the current one."""
    old = next((habit for habit in current if habit.key == draft.key), None)
    if old is not None and old.author is Author.PERSON:
        return False
    evidence = f"{said} {old.text if old else ''}"
    return not invention(draft.text, _saying(evidence, last), "", _nobody) and rests_on(draft.text, evidence)


def core_evidence(draft: CoreDraft, current: CoreMemory, turns: Sequence[Turn]) -> Turn | None:
    """Return the turn a value of core memory rests on, the last of equals; None when it must not be kept."""
    old = next((entry for entry in current.entries if entry.key == draft.key), None)
    if old is not None and old.author is Author.PERSON:
        return None
    known = f"{old.value if old else ''} {draft.key}"
    said = " ".join(turn.user for turn in turns)
    if invention(f"It is {draft.value}", _saying(f"{said} {known}", turns[-1]), "", _nobody):
        return None
    wanted = values(draft.value)
    literal = draft.value.casefold() in said.casefold()
    if not (rests_on(draft.value, said, known) or only_dates(draft.value) or (not wanted and literal)):
        return None
    return max(reversed(turns), key=lambda turn: len(supported(wanted, turn.user)))


def keep_newest(value: str) -> str:
    """Return a comma separated list cut to its last entries; any other value as it is."""
    entries = [entry.strip() for entry in value.split(",")]
    return value if len(entries) <= MOST_IN_A_LIST else ", ".join(entries[-MOST_IN_A_LIST:])


def follow(store: Store, old: SemanticMemory, new: SemanticMemory, turn: Turn) -> None:
    """Take out of the profile what rests on `old` and not on `new`; what a person wrote in it stays."""
    for entry in store.core.current().entries:
        if entry.author is not Author.MODEL or entry.recorded_at > turn.at:
            continue
        value = _without(entry, old, new)
        if not value:
            store.core.end(entry.key, turn.at)
        elif value != entry.value:
            store.core.put(entry.key, value, entry.aspect, turn.at, turn_id=turn.id)


def _without(entry: CoreEntry, old: SemanticMemory, new: SemanticMemory) -> str:
    """Return the value of an entry without what the old memory was about; "" where nothing is left of a list."""
    if entry.key in _LISTS:
        kept = [one for one in entry.value.split(", ") if not _rests_on(one.split(" (")[0], old, new)]
        return ", ".join(kept)
    gone = entry.key in _SINGLE and _rests_on(entry.value.split(" (")[0], old, new)
    return f"no longer {entry.value}" if gone and not entry.value.startswith("no longer ") else entry.value


def _rests_on(value: str, old: SemanticMemory, new: SemanticMemory) -> bool:
    """Tell whether a value is all in the old fact, which is about little else, and the new one does not keep it up."""
    wanted = values(value)
    if not wanted or supported(wanted, old.content) != wanted:
        return False
    told = in_third_person(old.content)
    beside = values(told) - supported(values(told), value)
    again = supported(wanted, new.content) == wanted and not (is_over(new.content) or negative(new.content))
    return len(beside) <= _BESIDE and not again


_BESIDE = 3
"""Values a fact may have beside the one in the profile to be about it."""


def _saying(text: str, turn: Turn) -> Turn:
    """Return a turn at the time of `turn` in which `text` was said: evidence gathered from several."""
    return Turn(turn.id, turn.session_id, turn.at, text, "", "")


def _nobody(_: str) -> bool:
    return False
