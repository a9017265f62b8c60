"""Forgetting for good, as a person asks: the memory and everything that was made from it.

A message takes with it what only it is the source of. The topics and habits of its session are dropped and queued to
be written again, since nobody can take one turn out of a sentence, and so are the summaries that any of them is part
of: what else these summed up stands alone again. The personality is worked out again without its reading. With a fact
goes the entry of the profile that says no more than it. What a forgotten memory had taken the place of, or was counted
with, stands for itself again (`returning`). Thoughts and searches of later answers that had recalled what is forgotten
go as well: they may quote it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from sqlite3 import Row

from persona_cli.memory.tables import steps as step_json
from persona_cli.memory.tables.changes import EVERYTHING, TABLE_OF
from persona_cli.memory.tables.connection import Connection, id_list, missing
from persona_cli.memory.tables.copying import says
from persona_cli.memory.tables.jobs import Jobs
from persona_cli.memory.tables.readings import Readings
from persona_cli.memory.tables.returning import bring_back, in_profile, returning
from persona_cli.memory.tables.rows import TABLES
from persona_cli.records import Kind, Ref, Task

_MADE_OF = {
    Kind.MESSAGE: """
        SELECT 'semantic' AS kind, id FROM semantic WHERE turn_id = ?1
        UNION ALL SELECT 'core', id FROM core WHERE turn_id = ?1
        UNION ALL SELECT 'procedural', habit.id FROM habit JOIN turn USING (session_id)
            WHERE turn.id = ?1 AND author = 'model'
        UNION ALL SELECT 'episodic', episode_id FROM episode_turn WHERE turn_id = ?1
        UNION ALL SELECT 'episodic', merged_into FROM episode WHERE merged_into IS NOT NULL
            AND id IN (SELECT episode_id FROM episode_turn WHERE turn_id = ?1)
    """,
    Kind.EPISODIC: "SELECT 'episodic' AS kind, merged_into AS id FROM episode WHERE id = ? AND merged_into IS NOT NULL",
    Kind.IMAGE: "SELECT 'image' AS kind, id FROM image WHERE crop_of = (SELECT hash FROM image WHERE id = ?)",
}
"""What else goes with a memory, of each kind that others are made of."""
_QUOTABLE = {
    Kind.MESSAGE: "SELECT user FROM turn WHERE id IN (SELECT value FROM json_each(?))",
    Kind.SEMANTIC: "SELECT content, quote FROM semantic WHERE id IN (SELECT value FROM json_each(?))",
    Kind.CORE: "SELECT key || ': ' || value FROM core WHERE id IN (SELECT value FROM json_each(?))",
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

_PAGE = 1_000
"""Answers that are looked through at a time."""
_MANY = 100


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one forgetting has deleted."""

    refs: tuple[Ref, ...]
    """What was named."""
    counts: Mapping[str, int]
    """Deleted rows by what they were ("messages", "semantic memories", "vectors", ...); only what is not zero."""
    files: tuple[str, ...] = ()
    """SHA-256 of each picture nothing refers to any more: the caller deletes these files."""
    rewritten: int = 0
    """Sessions whose topics or habits are queued to be written again without it."""
    thoughts: int = 0
    """Answers whose thoughts and searches were dropped because they had seen what is forgotten."""
    again: tuple[Ref, ...] = ()
    """What holds again, now that what had taken its place is gone."""
    words: tuple[str, ...] = ()
    """The words of what is forgotten, for a look at where else they stand; they are kept nowhere."""
    sources: tuple[Ref, ...] = ()
    """The messages that forgotten facts came from, and which stay."""


class _TakenBackError(Exception):
    """Ends a rehearsal."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What forgetting would do beside deleting what was named."""

    gone: tuple[Ref, ...]
    """What else would be deleted."""
    again: tuple[Ref, ...]
    """What would hold again."""


class Forgetting:
    """Deletes one memory of any kind and what hangs on it, in one transaction."""

    def __init__(self, connection: Connection, jobs: Jobs, readings: Readings) -> None:
        self._connection = connection
        self._jobs = jobs
        self._readings = readings

    def foresee(self, refs: Collection[Ref]) -> Foreseen:
        """Return what forgetting all of `refs` would do; nothing is changed."""
        gone = frozenset[Ref]().union(*map(self._refs_with, refs))
        again = [one.ref for one in returning(self._connection, gone) if one.holds]
        return Foreseen(tuple(sorted(gone - set(refs), key=str)), tuple(again))

    def forget(self, refs: Collection[Ref]) -> Receipt:
        """Delete memories for good, all or none; raises `NotFoundError` for one that does not exist."""
        with self._connection.transaction():
            self._check_there(refs)
            before = self._count()
            hashes = self._hashes()
            gone = frozenset[Ref]().union(*map(self._refs_with, refs))
            forgotten, sources = self._texts(gone), self._sources(gone)
            again = returning(self._connection, gone)
            rewritten = self._delete(refs)
            self._delete_profile(gone)
            bring_back(self._connection, again)
            thoughts = self._drop_from_steps(gone, forgotten)
            # nothing can take back a tidying that left no trace, and a memory of none but these would not be empty
            self._connection.write(
                "DELETE FROM tidy WHERE id NOT IN (SELECT tidy_id FROM journal WHERE tidy_id IS NOT NULL)"
            )
            # deleting only hides words in FTS5; merging its segments drops them
            for table in ("text", "gram"):
                self._connection.write(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608 - constants
            after = self._count()
            files = tuple(sorted(hashes - self._hashes()))
        counts = {name: before[name] - after[name] for name in before if before[name] > after[name]}
        holding = tuple(memory.ref for memory in again if memory.holds)
        return Receipt(tuple(refs), counts, files, rewritten, thoughts, holding, tuple(forgotten), sources)

    def rehearse(self, refs: Collection[Ref]) -> frozenset[str]:
        """Return the words that stand nowhere any more once `refs` are forgotten, found by doing it and undoing it."""
        words = frozenset[str]()
        with suppress(_TakenBackError), self._connection.transaction():
            words = frozenset(self.forget(refs).words)
            words -= says(self._connection.raw, words)
            raise _TakenBackError
        return words

    def forget_everything(self) -> Mapping[str, int]:
        """Delete every row there is and let the file shrink; return how many of what those were."""
        with self._connection.transaction():
            counts = {name: count for name, count in self._count().items() if count}
            # no row of these has to wait for another
            self._connection.write("PRAGMA defer_foreign_keys = ON")
            for table in (*TABLES, "vector", "vector_gone", "look", "embedded", "tidied", "text_change", "imported"):
                self._connection.write(f"DELETE FROM {table}")  # noqa: S608 - constants
            # by the triggers there is none left; the words of the index itself are dropped here
            self._connection.write("INSERT INTO text (text) VALUES ('optimize')")
            self._connection.write("INSERT INTO text_change (place) VALUES (?)", (EVERYTHING,))
        self._connection.write("VACUUM")
        return counts

    def _check_there(self, refs: Collection[Ref]) -> None:
        for kind, table in TABLE_OF.items():
            ids = {ref.id for ref in refs if ref.kind is kind}
            sql = f"SELECT id FROM {table} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - a constant
            there = {row["id"] for row in self._connection.rows(sql, (id_list(ids),))} if ids else set()
            if absent := ids - there:
                noun = "message" if kind is Kind.MESSAGE else f"{kind} memory"
                raise missing(noun, min(absent))

    def _refs_with(self, ref: Ref) -> frozenset[Ref]:
        if ref.kind is Kind.SEMANTIC:
            return frozenset([ref, *in_profile(self._connection, [ref.id])])
        if ref.kind not in _MADE_OF:
            return frozenset([ref])
        derived = self._connection.rows(_MADE_OF[ref.kind], (ref.id,))
        return frozenset([ref, *(Ref(Kind(row["kind"]), row["id"]) for row in derived)])

    def _delete(self, refs: Collection[Ref]) -> int:
        """Delete what was named, and return for how many sessions topics or habits are to be written again."""
        ids = {kind: id_list(ref.id for ref in refs if ref.kind is kind) for kind in {ref.kind for ref in refs}}
        if images := ids.get(Kind.IMAGE):
            # what was cut from the picture shows what it showed
            self._connection.write(
                "DELETE FROM image WHERE crop_of IN"
                " (SELECT hash FROM image WHERE id IN (SELECT value FROM json_each(?)))",
                (images,),
            )
        rewritten = self._delete_messages(ids.pop(Kind.MESSAGE)) if Kind.MESSAGE in ids else 0
        for kind, listed in ids.items():
            sql = f"DELETE FROM {TABLE_OF[kind]} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - a constant
            self._connection.write(sql, (listed,))
        if Kind.SEMANTIC in ids:
            self._delete_unused_images()
        return rewritten

    def _delete_messages(self, ids: str) -> int:
        """Delete messages, given as a JSON array of their ids."""
        among = "IN (SELECT value FROM json_each(?))"
        sessions = self._connection.rows(f"SELECT DISTINCT session_id AS id FROM turn WHERE id {among}", (ids,))  # noqa: S608
        again = {row["id"]: self._delete_made_of(row["id"]) for row in sessions}
        reading = self._connection.rows(f"SELECT min(id) FROM reading WHERE turn_id {among}", (ids,))[0][0]  # noqa: S608
        self._connection.write(f"DELETE FROM turn WHERE id {among}", (ids,))  # noqa: S608 - a constant
        self._connection.write(
            "DELETE FROM episode WHERE id NOT IN (SELECT episode_id FROM episode_turn)"
            " AND id NOT IN (SELECT merged_into FROM episode WHERE merged_into IS NOT NULL)"
        )
        if reading is not None:
            self._readings.replay(reading)
        self._delete_unused_images()
        left = self._connection.rows("SELECT DISTINCT session_id AS id FROM turn")
        still = {row["id"] for row in left} & set(again)
        self._connection.write(
            "DELETE FROM session WHERE id IN (SELECT value FROM json_each(?))", (id_list(set(again) - still),)
        )
        for session_id in sorted(still):
            for task in again[session_id]:
                self._jobs.add(task, session_id=session_id)
        return sum(bool(again[session_id]) for session_id in still)

    def _delete_made_of(self, session_id: int) -> list[Task]:
        """Delete what was made of a whole session, and return what has to be made again."""
        again = [Task.EPISODIC] if self._delete_topics(session_id) else []
        return again + ([Task.PROCEDURAL] if self._delete_habits(session_id) else [])

    def _delete_topics(self, session_id: int) -> int:
        return self._connection.write("DELETE FROM episode WHERE author = 'model' AND session_id = ?", (session_id,))

    def _delete_habits(self, session_id: int) -> int:
        return self._connection.write("DELETE FROM habit WHERE author = 'model' AND session_id = ?", (session_id,))

    def _delete_profile(self, gone: frozenset[Ref]) -> None:
        entries = id_list(ref.id for ref in gone if ref.kind is Kind.CORE)
        self._connection.write("DELETE FROM core WHERE id IN (SELECT value FROM json_each(?))", (entries,))

    def _sources(self, gone: frozenset[Ref]) -> tuple[Ref, ...]:
        rows = self._connection.rows(
            "SELECT DISTINCT turn_id FROM semantic WHERE turn_id IS NOT NULL"
            " AND id IN (SELECT value FROM json_each(?)) ORDER BY turn_id",
            (id_list(ref.id for ref in gone if ref.kind is Kind.SEMANTIC),),
        )
        return tuple(one for row in rows if (one := Ref(Kind.MESSAGE, row["turn_id"])) not in gone)

    def _delete_unused_images(self) -> None:
        self._connection.write(
            "DELETE FROM image WHERE id NOT IN (SELECT image_id FROM turn_image)"
            " AND hash NOT IN (SELECT hash FROM semantic_image)"
        )

    def _drop_from_steps(self, gone: frozenset[Ref], forgotten: list[str]) -> int:
        """Drop what every answer that had recalled any of these thought, nearly said and searched for then.

        Where a time was known from forgotten words, these go too. Returns how many answers had thoughts to lose.
        """
        numbers, marks, dropped = {str(ref.id) for ref in gone}, step_json.marks_of(gone), 0
        for row in self._answers():
            steps = row["steps"]
            # 50,000 answers are 150 MB: looking for a number takes 0.1 s, for all marks 0.6, reading the JSON 7;
            # for hundreds of them reading is quicker
            near = len(gone) > _MANY or (
                any(number in steps for number in numbers) and any(mark in steps for mark in marks)
            )
            if near and gone & step_json.references(steps):
                steps = step_json.without_thoughts(steps)
                dropped += steps != row["steps"]
            # the mark first: no text without any such letter has to be looked through for it
            if forgotten and "“" in steps and "(you" in steps:
                steps = step_json.without_quotes(steps, forgotten)
            if steps != row["steps"]:
                self._connection.update("turn", row["id"], {"steps": steps})
        return dropped

    def _answers(self) -> Iterator[Row]:
        """Yield the steps of every answer that searched, a page at a time."""
        last = 0
        while page := self._connection.rows(
            "SELECT id, steps FROM turn WHERE id > ? AND steps <> '[]' ORDER BY id LIMIT ?", (last, _PAGE)
        ):
            yield from page
            last = page[-1]["id"]

    def _texts(self, gone: frozenset[Ref]) -> list[str]:
        """Return the words that the time of an event may be quoted from (see `retrieval.when`)."""
        found: list[str] = []
        for kind, sql in _QUOTABLE.items():
            ids = id_list(ref.id for ref in gone if ref.kind is kind)
            found += [text for row in self._connection.rows(sql, (ids,)) for text in row if text]
        return found

    def _count(self) -> dict[str, int]:
        return {
            name: self._connection.number(f"SELECT count(*) FROM {table}")  # noqa: S608 - constants
            for name, table in _COUNTED.items()
        }

    def _hashes(self) -> set[str]:
        return {row["hash"] for row in self._connection.rows("SELECT hash FROM image")}
