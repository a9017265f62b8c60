"""Forgetting for good, as a person asks: the memory and everything that was made from it.

A message takes with it what only it is the source of. The topics of its session are dropped and queued to be
written again, since nobody can take one turn out of a sentence, and so are the summaries that any of them is part
of: what else these summed up stands alone again. The personality is worked out again without
its reading. Thoughts of later answers that had recalled what is forgotten go as well: they may quote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from persona_cli.memory.tables import steps as step_json
from persona_cli.memory.tables.connection import Connection, missing
from persona_cli.memory.tables.jobs import Jobs
from persona_cli.memory.tables.readings import Readings
from persona_cli.records import Kind, Ref, Task

_TABLES = {
    Kind.CORE: "core",
    Kind.SEMANTIC: "semantic",
    Kind.EPISODIC: "episode",
    Kind.PROCEDURAL: "habit",
    Kind.MESSAGE: "turn",
    Kind.IMAGE: "image",
}
_COUNTED = {
    "messages": "turn",
    "semantic memories": "semantic",
    "core memories": "core",
    "episodes": "episode",
    "habits": "habit",
    "pictures": "image",
    "readings": "reading",
    "jobs": "job",
    "sessions": "session",
    "vectors": "vector",
    "picture vectors": "look",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one forgetting has deleted."""

    ref: Ref
    counts: Mapping[str, int]
    """Deleted rows by what they were ("messages", "semantic memories", "vectors", ...); only what is not zero."""
    files: tuple[str, ...] = ()
    """SHA-256 of each picture nothing refers to any more: the caller deletes these files."""
    rewritten: int = 0
    """Sessions whose topics are queued to be summarised again without it."""
    thoughts: int = 0
    """Answers whose thinking was dropped because it had seen what is forgotten."""


class Forgetting:
    """Deletes one memory of any kind and what hangs on it, in one transaction."""

    def __init__(self, connection: Connection, jobs: Jobs, readings: Readings) -> None:
        self._connection = connection
        self._jobs = jobs
        self._readings = readings

    def forget(self, ref: Ref) -> Receipt:
        """Delete a memory for good; raises `NotFoundError` where there is none."""
        with self._connection.transaction():
            before = self._count()
            hashes = self._hashes()
            gone = self._refs_with(ref)
            rewritten = self._delete(ref)
            thoughts = self._drop_thoughts(gone)
            # deleting only hides words in FTS5; merging its segments drops them
            self._connection.write("INSERT INTO text (text) VALUES ('optimize')")
            after = self._count()
            files = tuple(sorted(hashes - self._hashes()))
        counts = {name: before[name] - after[name] for name in before if before[name] > after[name]}
        return Receipt(ref, counts, files, rewritten, thoughts)

    def _refs_with(self, ref: Ref) -> frozenset[Ref]:
        if ref.kind is not Kind.MESSAGE:
            return frozenset([ref])
        derived = self._connection.rows(
            "SELECT 'semantic' AS kind, id FROM semantic WHERE turn_id = ?1"
            " UNION ALL SELECT 'core', id FROM core WHERE turn_id = ?1"
            " UNION ALL SELECT 'episodic', episode_id FROM episode_turn WHERE turn_id = ?1"
            " UNION ALL SELECT 'episodic', merged_into FROM episode WHERE merged_into IS NOT NULL"
            " AND id IN (SELECT episode_id FROM episode_turn WHERE turn_id = ?1)",
            (ref.id,),
        )
        return frozenset([ref, *(Ref(Kind(row["kind"]), row["id"]) for row in derived)])

    def _delete(self, ref: Ref) -> int:
        if ref.kind is Kind.MESSAGE:
            return self._delete_message(ref.id)
        if ref.kind is Kind.IMAGE:
            # what was cut from the picture shows what it showed
            self._connection.write("DELETE FROM image WHERE crop_of = (SELECT hash FROM image WHERE id = ?)", (ref.id,))
        table = _TABLES[ref.kind]
        if not self._connection.write(f"DELETE FROM {table} WHERE id = ?", (ref.id,)):  # noqa: S608 - a constant
            raise missing(f"{ref.kind} memory", ref.id)
        if ref.kind is Kind.SEMANTIC:
            self._delete_unused_images()
        return 0

    def _delete_message(self, turn_id: int) -> int:
        row = self._connection.row("SELECT session_id FROM turn WHERE id = ?", (turn_id,))
        if row is None:
            raise missing("message", turn_id)
        session_id = row["session_id"]
        summarised = self._connection.write(
            "DELETE FROM episode WHERE author = 'model' AND session_id = ?", (session_id,)
        )
        readings = self._readings.of_turn(turn_id)
        self._connection.write("DELETE FROM turn WHERE id = ?", (turn_id,))
        self._connection.write(
            "DELETE FROM episode WHERE id NOT IN (SELECT episode_id FROM episode_turn)"
            " AND id NOT IN (SELECT merged_into FROM episode WHERE merged_into IS NOT NULL)"
        )
        if readings:
            self._readings.replay(readings[0].id)
        self._delete_unused_images()
        if not self._connection.number("SELECT count(*) FROM turn WHERE session_id = ?", (session_id,)):
            self._connection.write("DELETE FROM session WHERE id = ?", (session_id,))
            return 0
        if summarised:
            self._jobs.add(Task.EPISODIC, session_id=session_id)
        return int(summarised > 0)

    def _delete_unused_images(self) -> None:
        self._connection.write(
            "DELETE FROM image WHERE id NOT IN (SELECT image_id FROM turn_image)"
            " AND hash NOT IN (SELECT hash FROM semantic_image)"
        )

    def _drop_thoughts(self, gone: frozenset[Ref]) -> int:
        """Drop the thinking of every answer that had recalled any of these."""
        rows = self._connection.rows("""SELECT id, steps FROM turn WHERE steps LIKE '%"step": "think"%'""")
        saw = [row for row in rows if gone & step_json.references(row["steps"])]
        for row in saw:
            self._connection.update("turn", row["id"], {"steps": step_json.without_thoughts(row["steps"])})
        return len(saw)

    def _count(self) -> dict[str, int]:
        return {
            name: self._connection.number(f"SELECT count(*) FROM {table}")  # noqa: S608 - constants
            for name, table in _COUNTED.items()
        }

    def _hashes(self) -> set[str]:
        return {row["hash"] for row in self._connection.rows("SELECT hash FROM image")}
