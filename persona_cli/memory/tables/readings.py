"""Readings of the user's personality, each with the turn that is its evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from persona_cli.memory.tables.columns import json_from_column, to_column, traits_from_column, traits_to_column
from persona_cli.memory.tables.table import Table, columns_of, record_of
from persona_cli.personality import Traits, blend
from persona_cli.records import Author, Reading

_NEUTRAL = traits_to_column(Traits())


class Readings(Table[Reading]):
    """The table of readings; the last one's `after` is how the user is seen now."""

    table, noun, record = "reading", "reading", Reading

    def add(
        self, turn_id: int | None, at: datetime, inferred: Traits, momentum: float, before: Traits, after: Traits
    ) -> Reading:
        """Store one reading of a model with the vector before and after it."""
        reading = Reading(0, turn_id, at, inferred, momentum, before, after)
        return replace(reading, id=self._connection.insert("reading", columns_of(reading)))

    def put(self, scores: Mapping[str, float], at: datetime) -> Reading:
        """Store what a person says of themselves: these traits are so from now on, the others as they were."""
        before = self.latest()
        after = replace(before, **scores)
        reading = Reading(0, None, at, replace(Traits(), **scores), 0.0, before, after, Author.PERSON)
        columns = columns_of(reading) | {"inferred": json.dumps(dict(scores))}
        return replace(reading, id=self._connection.insert("reading", columns))

    def lock(self, trait: str, at: datetime) -> None:
        """Let no reading of a model move a trait any more."""
        self._connection.write("INSERT OR IGNORE INTO trait_lock (trait, at) VALUES (?, ?)", (trait, to_column(at)))

    def unlock(self, trait: str) -> None:
        """Let a trait move again."""
        self._connection.write("DELETE FROM trait_lock WHERE trait = ?", (trait,))

    def locked(self) -> frozenset[str]:
        """Return the traits that a person has locked."""
        return frozenset(row["trait"] for row in self._connection.rows("SELECT trait FROM trait_lock"))

    def delete(self, reading_id: int) -> None:
        """Delete one reading and work out the vectors after it again."""
        self._connection.write("DELETE FROM reading WHERE id = ?", (reading_id,))
        self.replay(reading_id)

    def latest(self) -> Traits:
        """Return the vector after the last reading; neutral before the first."""
        row = self._connection.row("SELECT after FROM reading ORDER BY id DESC LIMIT 1")
        return Traits() if row is None else traits_from_column(row["after"])

    def put_since(self, at: datetime) -> bool:
        """Tell whether a person has set scores since `at`."""
        query = "SELECT 1 FROM reading WHERE author = 'person' AND at > ? LIMIT 1"
        return self._connection.row(query, (to_column(at),)) is not None

    def telling(self, most: int) -> int:
        """Return how many readings of a model found something of a trait, `most` at most."""
        # values and not parameters: only in the words of its index is the query answered by it
        told = f"SELECT 1 FROM reading WHERE author <> 'person' AND inferred <> '{_NEUTRAL}' LIMIT ?"  # noqa: S608 - a constant
        return self._connection.number(f"SELECT count(*) FROM ({told})", (most,))  # noqa: S608 - from above

    def all(self) -> tuple[Reading, ...]:
        """Return every reading, oldest first."""
        return self._where("true ORDER BY id")

    def of_turn(self, turn_id: int) -> tuple[Reading, ...]:
        """Return the readings a turn has caused."""
        return self._where("turn_id = ? ORDER BY id", turn_id)

    def replay(self, after_id: int) -> None:
        """Work out the vectors again from reading `after_id` on, after one of them was deleted."""
        row = self._connection.row("SELECT after FROM reading WHERE id < ? ORDER BY id DESC LIMIT 1", (after_id,))
        vector = Traits() if row is None else traits_from_column(row["after"])
        for row in self._connection.rows("SELECT * FROM reading WHERE id >= ? ORDER BY id", (after_id,)):
            reading = record_of(Reading, row)
            if reading.author is Author.PERSON:
                moved = replace(vector, **json_from_column(row["inferred"]))
            else:
                moved = blend(vector, reading.inferred, reading.momentum)
            self._connection.update(
                "reading", reading.id, {"before": traits_to_column(vector), "after": traits_to_column(moved)}
            )
            vector = moved
