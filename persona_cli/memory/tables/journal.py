"""The journal: what each turn, end of a session and tidying changed in memory, so that it can be shown and taken back.

Triggers write it, whoever the writer is, while a cause is named. Taking back is exact and never rough: what
somebody has changed since stays as it is now, and what had taken the place of something is healed out of the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from persona_cli.memory.tables.columns import Columns, json_from_column
from persona_cli.memory.tables.connection import Connection, Value
from persona_cli.memory.tables.episodes import Episodes
from persona_cli.memory.tables.readings import Readings
from persona_cli.memory.tables.semantic import parse_row
from persona_cli.memory.tables.table import record_of
from persona_cli.records import CoreEntry, EpisodicMemory, Image, ProceduralMemory, Reading, SemanticMemory

Written = SemanticMemory | CoreEntry | EpisodicMemory | ProceduralMemory | Reading | Image

_RECORDS: Mapping[str, type[Written]] = {
    "semantic": SemanticMemory,
    "core": CoreEntry,
    "habit": ProceduralMemory,
    "reading": Reading,
    "episode": EpisodicMemory,
    "image": Image,
}
_STANDING = ("valid_to", "superseded_by", "status")
"""The columns that say what has become of a row; they are restored together."""

_Heirs = dict[tuple[str, object], Mapping[str, Value] | None]
"""How what took the place of a row stands now; None where that stays, so that the row stays ended."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One memory that a turn or a tidying wrote or changed."""

    before: Written | None
    """None where it has written it."""
    after: Written
    rule: str = ""
    """The name of the rule that ended it, where one did."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an undo did."""

    changes: tuple[Changed, ...]
    """What was taken back."""
    kept: tuple[Changed, ...] = ()
    """What has been said again or edited since, and was left as it is."""
    jobs: int = 0
    """Updates of the turn that had not run yet, and now will not."""
    files: tuple[str, ...] = ()
    """SHA-256 of each part of a picture that was cut out for what is gone: the caller deletes these files."""


class Journal:
    """Reads the journal, and takes back what it says."""

    def __init__(self, connection: Connection, traits: Readings, topics: Episodes) -> None:
        self._connection = connection
        self._readings = traits
        self._episodes = topics

    @contextmanager
    def caused_by(
        self, turn_id: int | None = None, session_id: int | None = None, tidy_id: int | None = None
    ) -> Iterator[None]:
        """Keep account of what is written inside; to be used in a transaction, so that a fault leaves no cause."""
        told = "UPDATE cause SET turn_id = ?, session_id = ?, tidy_id = ?"
        self._connection.write(told, (turn_id, session_id, tidy_id))
        yield
        self._connection.write(told, (None, None, None))

    def of_turn(self, turn_id: int) -> tuple[Changed, ...]:
        """Return what a turn changed, in order, each memory once: how it was before and how the turn left it."""
        return self._merged(self._rows(turn_id))

    def of_tidy(self, tidy_id: int) -> tuple[Changed, ...]:
        """Return what a tidying changed, in the same way."""
        return self._merged(self._rows_of_tidy(tidy_id))

    def _merged(self, rows: list[Columns]) -> tuple[Changed, ...]:
        merged: dict[tuple[str, int], Changed] = {}
        for row in rows:
            place, number = row["place"], row["row_id"]
            change = Changed(_parse(place, number, row["before"]), _record(place, number, row["after"]), row["rule"])
            first = merged.get((place, number), change)
            merged[place, number] = Changed(first.before, change.after, change.rule or first.rule)
        topics = self._episodes.many([number for place, number in merged if place == "episode"])
        turns = {topic.id: topic.turn_ids for topic in topics}
        return tuple(
            Changed(_with_turns(change.before, turns), _with_turns(change.after, turns), change.rule)
            for change in merged.values()
            if change.before != change.after
        )

    def latest(self) -> int | None:
        """Return the id of the last turn that changed anything; a reading that moved no trait is no change."""
        found = self._connection.row(
            "SELECT max(turn_id) AS id FROM journal WHERE place <> 'reading' OR after ->> 'before' <> after ->> 'after'"
        )
        return None if found is None else found["id"]

    def take_back(self, turn_id: int) -> TakenBack:
        """Put everything back as it was before a turn, as far as nobody has changed it since."""
        with self._connection.transaction():
            changes, rows, kept = self.of_turn(turn_id), self._rows(turn_id), set[tuple[str, int]]()
            heirs = self._heirs([row for row in rows if row["before"] is None])
            for row in reversed(rows):
                if not self._revert(row, heirs):
                    kept.add((row["place"], row["row_id"]))
                self._connection.write("DELETE FROM journal WHERE id = ?", (row["id"],))
            jobs = self._connection.write(
                "UPDATE job SET state = 'done', error = 'taken back' WHERE turn_id = ? AND state <> 'done'", (turn_id,)
            )
            # what its own pictures show is not to be written after all
            self._connection.write(
                "UPDATE image SET caption_by = '' WHERE caption_by IS NULL"
                " AND id IN (SELECT image_id FROM turn_image GROUP BY image_id HAVING min(turn_id) = ?)",
                (turn_id,),
            )
            files = self._drop_unused_crops()
        return replace(_sorted(changes, kept, jobs), files=files)

    def take_back_tidy(self, tidy_id: int) -> TakenBack:
        """Put everything back as it was before a tidying; a summary a later one has added to stays with its parts."""
        with self._connection.transaction():
            changes, rows, kept = self.of_tidy(tidy_id), self._rows_of_tidy(tidy_id), set[tuple[str, int]]()
            grown = self._changed_since(rows)
            for row in reversed(rows):
                told = {row["row_id"], json_from_column(row["after"]).get("merged_into")}
                if (row["place"] == "episode" and told & grown) or not self._revert(row, {}):
                    kept.add((row["place"], row["row_id"]))
                self._connection.write("DELETE FROM journal WHERE id = ?", (row["id"],))
        return _sorted(changes, kept, 0)

    def _changed_since(self, rows: list[Columns]) -> set[int]:
        """Return the summaries among the rows that tell something else by now."""
        last = {row["row_id"]: row for row in rows if row["place"] == "episode"}
        return {number for number, row in last.items() if (now := self._now(row)) is not None and _is_retold(now, row)}

    def _rows_of_tidy(self, tidy_id: int) -> list[Columns]:
        return list(self._connection.rows("SELECT * FROM journal WHERE tidy_id = ? ORDER BY id", (tidy_id,)))

    def _rows(self, turn_id: int) -> list[Columns]:
        """Return the entries of a turn: its own, the profile that rests on it, what the session it ended has left."""
        return list(
            self._connection.rows(
                """
                SELECT * FROM journal WHERE turn_id = ?1
                UNION ALL SELECT ended.* FROM journal AS ended JOIN turn ON turn.id = ?1
                    WHERE ended.session_id = turn.session_id AND (
                        (place = 'core' AND EXISTS (
                            SELECT 1 FROM journal AS new WHERE new.session_id = ended.session_id
                                AND new.place = 'core' AND new.before IS NULL AND new.after ->> 'turn_id' = ?1
                                AND new.after ->> 'key' = ended.after ->> 'key'))
                        OR (place IN ('habit', 'episode') AND ?1 = (
                            SELECT id FROM turn AS last WHERE last.session_id = ended.session_id
                                ORDER BY at DESC, id DESC LIMIT 1)))
                ORDER BY id
                """,
                (turn_id,),
            )
        )

    def _heirs(self, added: list[Columns]) -> _Heirs:
        """Return, for what the added rows took the place of, how they themselves stand now: that is inherited."""
        heirs: _Heirs = {}
        for entry in added:
            place, now = entry["place"], self._now(entry)
            if now is None or place in ("reading", "episode"):
                continue
            standing = None if _is_used(now, entry) else {name: now[name] for name in _STANDING if name in now}
            if place == "semantic":
                ended = self._connection.rows("SELECT id FROM semantic WHERE superseded_by = ?", (now["id"],))
                heirs.update({(place, row["id"]): standing for row in ended})
            else:
                heirs[place, now["key"]] = standing
        return heirs

    def _revert(self, entry: Columns, heirs: _Heirs) -> bool:
        """Undo one entry; False where the row has changed since in a way that must stay."""
        place, number, now = entry["place"], entry["row_id"], self._now(entry)
        if now is None:
            return True
        if entry["before"] is None:
            return self._remove(entry, now)
        before, after = json_from_column(entry["before"]), json_from_column(entry["after"])
        wanted = {name: value for name, value in before.items() if value != after[name]}
        same = {name: value for name, value in wanted.items() if now[name] in (after[name], value)}
        heir = heirs.get((place, number if place == "semantic" else now.get("key")), before)
        if heir is None:
            same = {name: value for name, value in same.items() if name not in _STANDING}
        elif heir.get("valid_to") is not None:
            same |= {name: heir[name] for name in _STANDING if name in same}
        if same:
            self._connection.update(place, number, same)
        return len(same) == len(wanted)

    def _remove(self, entry: Columns, now: Mapping[str, Any]) -> bool:
        """Delete a row the turn has written, unless it was said again or edited since."""
        if _is_used(now, entry):
            return False
        if entry["place"] == "reading":
            self._readings.delete(now["id"])
        else:
            self._connection.write(f"DELETE FROM {entry['place']} WHERE id = ?", (now["id"],))  # noqa: S608 - a trigger's
        return True

    def _drop_unused_crops(self) -> tuple[str, ...]:
        unused = (
            "crop_of IS NOT NULL AND hash NOT IN (SELECT hash FROM semantic_image)"
            " AND id NOT IN (SELECT image_id FROM turn_image)"
        )
        crops = self._connection.rows(f"SELECT hash FROM image WHERE {unused} ORDER BY id")  # noqa: S608 - a constant
        self._connection.write(f"DELETE FROM image WHERE {unused}")  # noqa: S608 - a constant
        return tuple(crop["hash"] for crop in crops)

    def _now(self, entry: Columns) -> dict[str, Any] | None:
        sql = f"SELECT * FROM {entry['place']} WHERE id = ?"  # noqa: S608 - written by a trigger
        found = self._connection.row(sql, (entry["row_id"],))
        return None if found is None else dict(found)


def _is_used(now: Mapping[str, Any], entry: Columns) -> bool:
    """Tell whether what a turn has written was said again, edited or summed up since."""
    after = json_from_column(entry["after"])
    return bool(
        now["author"] != after["author"]
        or now.get("seen", 1) > after.get("seen", 1)
        or now.get("merged_into") != after.get("merged_into")
    )


def _is_retold(now: Mapping[str, Any], entry: Columns) -> bool:
    after = json_from_column(entry["after"])
    return bool(now["summary"] != after["summary"] or now["ended_at"] != after["ended_at"])


def _with_turns(record: Any, turns: Mapping[int, tuple[int, ...]]) -> Any:
    """Add to an episode its turns, which stand in no column of it."""
    return replace(record, turn_ids=turns.get(record.id, ())) if isinstance(record, EpisodicMemory) else record


def _sorted(changes: tuple[Changed, ...], kept: set[tuple[str, int]], jobs: int) -> TakenBack:
    left = tuple(change for change in changes if _key(change.after) in kept)
    return TakenBack(tuple(change for change in changes if change not in left), left, jobs)


def _parse(place: str, number: int, columns: str | None) -> Written | None:
    return None if columns is None else _record(place, number, columns)


def _record(place: str, number: int, columns: str) -> Written:
    row = {"id": number, **json_from_column(columns)}
    if place == "episode":
        return record_of(EpisodicMemory, row, turn_ids=())
    return parse_row(row, ()) if place == "semantic" else record_of(_RECORDS[place], row)


def _key(record: Written) -> tuple[str, int]:
    return next(place for place, kind in _RECORDS.items() if type(record) is kind), record.id
