"""The schema of summaries: which episode sums up which, what each tidying changed, how often a memory was of use.

Part of the migration `summing` and, like it, never changed. A summary has no turns of its own: they are those of
its parts. Where a part is deleted its summary goes with it, for it tells of the part; where a summary is deleted
its parts are as they were before. The journal knows tidyings and episodes from here on.
"""

from __future__ import annotations

from collections.abc import Iterator

SUMMING = """
    CREATE TABLE tidy (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        session_id INTEGER REFERENCES session (id) ON DELETE SET NULL,
        turn_id INTEGER REFERENCES turn (id) ON DELETE SET NULL
    ) STRICT
--
    CREATE INDEX tidy_session ON tidy (session_id)
--
    CREATE INDEX tidy_turn ON tidy (turn_id)
--
    CREATE TABLE apart (
        episode_id INTEGER PRIMARY KEY REFERENCES episode (id) ON DELETE CASCADE, reason TEXT NOT NULL
    ) STRICT
--
    CREATE TABLE used (
        kind TEXT NOT NULL, memory_id INTEGER NOT NULL, count INTEGER NOT NULL, last_at TEXT NOT NULL,
        PRIMARY KEY (kind, memory_id)
    ) STRICT
--
    ALTER TABLE episode ADD COLUMN merged_into INTEGER REFERENCES episode (id)
--
    ALTER TABLE episode ADD COLUMN merged_at TEXT
--
    CREATE INDEX episode_merged ON episode (merged_into) WHERE merged_into IS NOT NULL
--
    CREATE TRIGGER episode_parted AFTER DELETE ON episode BEGIN
        UPDATE episode SET status = 'active', merged_into = NULL, merged_at = NULL
            WHERE merged_into IN (old.id, old.merged_into);
        DELETE FROM episode WHERE id = old.merged_into;
    END
--
    CREATE TABLE job_next (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        task TEXT NOT NULL CHECK (task IN ('personality', 'semantic', 'episodic', 'procedural', 'core', 'tidy')),
        turn_id INTEGER REFERENCES turn (id) ON DELETE CASCADE,
        session_id INTEGER REFERENCES session (id) ON DELETE CASCADE,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
        attempts INTEGER NOT NULL, error TEXT NOT NULL, place INTEGER NOT NULL
    ) STRICT
--
    INSERT INTO job_next SELECT * FROM job
--
    DROP TABLE job
--
    ALTER TABLE job_next RENAME TO job
--
    CREATE INDEX job_queue ON job (place) WHERE state <> 'done'
--
    CREATE INDEX job_turn ON job (turn_id)
--
    CREATE INDEX job_session ON job (session_id)
--
    CREATE INDEX job_tidy ON job (id) WHERE task = 'tidy'
--
    ALTER TABLE cause ADD COLUMN tidy_id INTEGER
--
    ALTER TABLE journal ADD COLUMN tidy_id INTEGER REFERENCES tidy (id) ON DELETE CASCADE
--
    CREATE INDEX journal_tidy ON journal (tidy_id) WHERE tidy_id IS NOT NULL
"""

_JOURNALED = {
    "semantic": "content keywords subject quote recorded_at valid_from turn_id event_start event_end slot valid_to"
    " superseded_by status seen last_seen author",
    "core": "key value aspect recorded_at turn_id author valid_to status",
    "habit": "key text recorded_at session_id valid_to status author",
    "reading": "turn_id at inferred momentum before after author",
    "episode": "session_id summary keywords started_at ended_at recorded_at status author merged_into merged_at",
}
"""The columns a change is kept of, as they were when summaries began."""

_USED = {"semantic": "semantic", "episode": "episodic", "habit": "procedural"}
"""Tables whose memories are counted as used, and the kinds they are counted by."""


def summing_triggers() -> Iterator[str]:
    """Yield the statements that keep the journal, with episodes and tidyings, and the counts of use."""
    for table, columns in _JOURNALED.items():
        if table != "episode":
            yield f"DROP TRIGGER {table}_written"
            yield f"DROP TRIGGER {table}_altered"
        old, new = (", ".join(f"'{name}', {row}.{name}" for name in columns.split()) for row in ("old", "new"))
        caused = "WHEN EXISTS (SELECT 1 FROM cause WHERE coalesce(turn_id, session_id, tidy_id) IS NOT NULL)"
        values = f"turn_id, session_id, tidy_id, '{table}', new.id"
        write = "INSERT INTO journal (turn_id, session_id, tidy_id, place, row_id, before, after) SELECT"
        yield (
            f"CREATE TRIGGER {table}_written AFTER INSERT ON {table} {caused}"
            f" BEGIN {write} {values}, NULL, json_object({new}) FROM cause; END"
        )
        yield (
            f"CREATE TRIGGER {table}_altered AFTER UPDATE ON {table} {caused}"
            f" BEGIN {write} {values}, json_object({old}), json_object({new}) FROM cause; END"
        )
    # what is forgotten must not live on in the journal
    gone = "DELETE FROM journal WHERE place = 'episode' AND row_id = old.id;"
    yield f"CREATE TRIGGER episode_gone AFTER DELETE ON episode BEGIN {gone} END"
    for table, kind in _USED.items():
        gone = f"DELETE FROM used WHERE kind = '{kind}' AND memory_id = old.id;"  # noqa: S608 - constants
        yield f"CREATE TRIGGER {table}_unused AFTER DELETE ON {table} BEGIN {gone} END"
