"""The schema of rulings: which rule ended a memory, in the journal, and which one refused a draft.

Part of the migration `rulings` and, like it, never changed. A refused draft goes with its turn, and with any memory
of that turn that is deleted: what is forgotten must not live on in what was nearly kept of it.
"""

from __future__ import annotations

from collections.abc import Iterator

RULINGS = """
    CREATE TABLE refusal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        turn_id INTEGER NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
        content TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL
    ) STRICT
--
    CREATE INDEX refusal_turn ON refusal (turn_id)
--
    CREATE TRIGGER semantic_unrefused AFTER DELETE ON semantic BEGIN
        DELETE FROM refusal WHERE turn_id = old.turn_id;
    END
--
    ALTER TABLE cause ADD COLUMN rule TEXT NOT NULL DEFAULT ''
--
    ALTER TABLE journal ADD COLUMN rule TEXT NOT NULL DEFAULT ''
"""

_JOURNALED = (
    "content keywords subject quote recorded_at valid_from turn_id event_start event_end slot valid_to"
    " superseded_by status seen last_seen author"
)
"""The columns of a semantic memory a change is kept of, as they were when rules began to be named."""


def ruling_triggers() -> Iterator[str]:
    """Yield the statements that keep the name of a rule with what it altered."""
    old, new = (", ".join(f"'{name}', {row}.{name}" for name in _JOURNALED.split()) for row in ("old", "new"))
    yield "DROP TRIGGER semantic_altered"
    write = "INSERT INTO journal (turn_id, session_id, tidy_id, place, row_id, before, after, rule) SELECT"
    values = f"turn_id, session_id, tidy_id, 'semantic', new.id, json_object({old}), json_object({new}), rule"
    caused = "WHEN EXISTS (SELECT 1 FROM cause WHERE coalesce(turn_id, session_id, tidy_id) IS NOT NULL)"
    yield (f"CREATE TRIGGER semantic_altered AFTER UPDATE ON semantic {caused} BEGIN {write} {values} FROM cause; END")
