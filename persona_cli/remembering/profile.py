"""Core memory follows a change of mind: what a superseded fact had put into the profile goes with it."""

from __future__ import annotations

from persona_cli.english.tokens import negative, supported, values
from persona_cli.memory.store import Store
from persona_cli.records import Author, CoreEntry, SemanticMemory, Turn
from persona_cli.remembering.same import is_over

_LISTS = frozenset(("likes", "dislikes", "hobbies", "allergies", "health", "pets", "languages", "people"))
_SINGLE = frozenset(("employer", "job", "home", "partner", "school", "studies", "diet", "relationship"))


def follow(store: Store, old: SemanticMemory, new: SemanticMemory, turn: Turn) -> None:
    """Take out of the profile what rests on `old` and not on `new`; what a person wrote in it stays."""
    for entry in store.core.current().entries:
        if entry.author is not Author.MODEL or entry.recorded_at > turn.at:
            continue
        value = _without(entry, old, new)
        if value != entry.value:
            store.core.put(entry.key, value, entry.aspect, turn.at, turn_id=turn.id)


def _without(entry: CoreEntry, old: SemanticMemory, new: SemanticMemory) -> str:
    if entry.key in _LISTS:
        kept = [one for one in entry.value.split(", ") if not _rests_on(one.split(" (")[0], old, new)]
        return ", ".join(kept) or "none"
    gone = entry.key in _SINGLE and _rests_on(entry.value.split(" (")[0], old, new)
    return f"no longer {entry.value}" if gone and not entry.value.startswith("no longer ") else entry.value


def _rests_on(value: str, old: SemanticMemory, new: SemanticMemory) -> bool:
    """Tell whether a value is all in the old fact, which is about little else, and the new one does not keep it up."""
    wanted = values(value)
    if not wanted or supported(wanted, old.content) != wanted:
        return False
    beside = values(old.content) - supported(values(old.content), value)
    again = supported(wanted, new.content) == wanted and not (is_over(new.content) or negative(new.content))
    return len(beside) <= _BESIDE and not again


_BESIDE = 3
"""Values a fact may have beside the one in the profile to be about it."""
