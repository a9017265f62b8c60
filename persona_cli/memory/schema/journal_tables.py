"""The schema of a memory's life: the journal with its triggers, conflicts, traits a person has set or locked.

Part of the migration `life` and, like it, never changed. The triggers write while `cause` names a turn or a
session, which the update queue does in the transaction of a job. A reading may be a person's own, of no turn.
"""

from __future__ import annotations

from collections.abc import Iterator

LIFE = """
    CREATE TABLE reading_next (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        turn_id INTEGER REFERENCES turn (id) ON DELETE CASCADE, at TEXT NOT NULL,
        inferred TEXT NOT NULL, momentum REAL NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
        author TEXT NOT NULL DEFAULT 'model' CHECK (author IN ('model', 'person'))
    ) STRICT
--
    INSERT INTO reading_next (id, turn_id, at, inferred, momentum, before, after)
        SELECT id, turn_id, at, inferred, momentum, before, after FROM reading
--
    DROP TABLE reading
--
    ALTER TABLE reading_next RENAME TO reading
--
    CREATE INDEX reading_turn ON reading (turn_id)
--
    CREATE TABLE trait_lock (trait TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT
--
    CREATE TABLE conflict (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        one_id INTEGER NOT NULL REFERENCES semantic (id) ON DELETE CASCADE,
        other_id INTEGER NOT NULL REFERENCES semantic (id) ON DELETE CASCADE,
        at TEXT NOT NULL, UNIQUE (one_id, other_id)
    ) STRICT
--
    CREATE INDEX conflict_other ON conflict (other_id)
--
    CREATE TABLE cause (one INTEGER PRIMARY KEY CHECK (one = 1), turn_id INTEGER, session_id INTEGER) STRICT
--
    INSERT INTO cause VALUES (1, NULL, NULL)
--
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        turn_id INTEGER REFERENCES turn (id) ON DELETE CASCADE,
        session_id INTEGER REFERENCES session (id) ON DELETE CASCADE,
        place TEXT NOT NULL, row_id INTEGER NOT NULL, before TEXT, after TEXT NOT NULL
    ) STRICT
--
    CREATE INDEX journal_turn ON journal (turn_id)
--
    CREATE INDEX journal_session ON journal (session_id)
--
    CREATE INDEX journal_row ON journal (place, row_id)
"""

_JOURNALED = {
    "semantic": "content keywords subject quote recorded_at valid_from turn_id event_start event_end slot valid_to"
    " superseded_by status seen last_seen author",
    "core": "key value aspect recorded_at turn_id author valid_to status",
    "habit": "key text recorded_at session_id valid_to status author",
    "reading": "turn_id at inferred momentum before after author",
}
"""The columns a change is kept of, as they were when the journal began."""


def journal_triggers() -> Iterator[str]:
    """Yield the statements that keep the journal."""
    for table, columns in _JOURNALED.items():
        old, new = (", ".join(f"'{name}', {row}.{name}" for name in columns.split()) for row in ("old", "new"))
        caused = "WHEN EXISTS (SELECT 1 FROM cause WHERE turn_id IS NOT NULL OR session_id IS NOT NULL)"
        values = f"turn_id, session_id, '{table}', new.id"
        write = "INSERT INTO journal (turn_id, session_id, place, row_id, before, after) SELECT"
        yield (
            f"CREATE TRIGGER {table}_written AFTER INSERT ON {table} {caused}"
            f" BEGIN {write} {values}, NULL, json_object({new}) FROM cause; END"
        )
        yield (
            f"CREATE TRIGGER {table}_altered AFTER UPDATE ON {table} {caused}"
            f" BEGIN {write} {values}, json_object({old}), json_object({new}) FROM cause; END"
        )
        # what is forgotten must not live on in the journal
        gone = f"DELETE FROM journal WHERE place = '{table}' AND row_id = old.id;"  # noqa: S608 - constants
        yield f"CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN {gone} END"
