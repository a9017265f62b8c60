"""Turns: what the user said and showed, the answer, and how it came about.

Reads of many turns leave the steps out: they would pull in every memory those answers recalled. `get` and
`latest` have them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from persona_cli.memory.tables import steps as step_json
from persona_cli.memory.tables.columns import Columns, bounds, from_column, instant, just_after, to_column
from persona_cli.memory.tables.connection import Connection, Value, id_list, missing
from persona_cli.memory.tables.images import Images
from persona_cli.memory.tables.table import Table, columns_of, record_of
from persona_cli.records import Image, Personality, Ref, Step, Turn, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 500


class MessageLine(NamedTuple):
    """What the user said, when and where: all that ranking hundreds of messages needs to know of each."""

    id: int
    session_id: int
    user: str
    stored_at: str
    """The moment as its column has it: reading hundreds of times costs more than ranking them."""

    @property
    def at(self) -> datetime:
        """When it was said."""
        return from_column(self.stored_at)


class Turns(Table[Turn]):
    """The table of turns."""

    table, noun, record = "turn", "message", Turn

    def __init__(
        self, connection: Connection, images: Images, find: Callable[[frozenset[Ref]], step_json.Found]
    ) -> None:
        super().__init__(connection)
        self._images = images
        self._find = find

    def add(
        self,
        session_id: int,
        at: datetime,
        user: str,
        answer: str,
        model: str,
        images: Sequence[Image] = (),
        steps: Sequence[Step | Personality] = (),
    ) -> Turn:
        """Store one turn and let its session last until then."""
        kept = tuple(step for step in steps if isinstance(step, step_json.KeptStep))
        with self._connection.transaction():
            turn = Turn(0, session_id, at, user, answer, model, tuple(images), kept)
            row_id = self._connection.insert("turn", {**columns_of(turn), "steps": step_json.encode(kept)})
            for place, image in enumerate(images):
                self._connection.insert("turn_image", {"turn_id": row_id, "place": place, "image_id": image.id})
            self._connection.write(
                "UPDATE session SET last_at = ? WHERE id = ? AND last_at < ?", (to_column(at), session_id, instant(at))
            )
        return replace(turn, id=row_id)

    def answer(self, turn_id: int, answer: str, steps: Sequence[Step | Personality]) -> None:
        """Store what was answered in a turn; raises `NotFoundError` for one that is gone."""
        kept = step_json.encode(tuple(step for step in steps if isinstance(step, step_json.KeptStep)))
        if not self._connection.write("UPDATE turn SET answer = ?, steps = ? WHERE id = ?", (answer, kept, turn_id)):
            raise missing("message", turn_id)

    def with_steps(self, steps: Sequence[step_json.KeptStep]) -> tuple[Turn, ...]:
        """Return the turns that have no answer and just these steps, oldest first."""
        return self._where("answer = '' AND steps = ? ORDER BY id", step_json.encode(tuple(steps)))

    def get(self, turn_id: int) -> Turn:
        """Return one turn with its steps; raises `NotFoundError`."""
        rows = self._connection.rows("SELECT * FROM turn WHERE id = ?", (turn_id,))
        if not rows:
            raise missing("message", turn_id)
        return replace(self._records(rows)[0], steps=step_json.decode(rows[0]["steps"], self._find))

    def lines(self, ids: Collection[int]) -> tuple[MessageLine, ...]:
        """Return the words of the turns among `ids` that exist, by id; ten times as quick as `many`."""
        rows = self._connection.tuples(
            "SELECT id, session_id, user, at FROM turn WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (id_list(ids),),
        )
        return tuple(map(MessageLine._make, rows))

    def last_lines(self, most: int) -> tuple[MessageLine, ...]:
        """Return the words of the last turns, oldest first."""
        rows = self._connection.tuples("SELECT id, session_id, user, at FROM turn ORDER BY id DESC LIMIT ?", (most,))
        return tuple(map(MessageLine._make, reversed(rows)))

    def answers(self, ids: Collection[int]) -> dict[int, str]:
        """Return what was answered in the turns among `ids` that have an answer."""
        rows = self._connection.tuples(
            "SELECT id, answer FROM turn WHERE id IN (SELECT value FROM json_each(?)) AND answer <> ''", (id_list(ids),)
        )
        return dict(rows)

    def ids_in(self, window: Window, most: int) -> NDArray[np.int64]:
        """Return the ids of the first turns of a window, oldest first, at most so many: (n,)."""
        return self._connection.numbers(
            "SELECT id AS number FROM turn WHERE at >= ? AND at < ? ORDER BY at, id LIMIT ?", (*bounds(window), most)
        )

    def latest(self) -> Turn | None:
        """Return the turn that was stored last, with its steps."""
        row = self._connection.row("SELECT id FROM turn ORDER BY id DESC LIMIT 1")
        return None if row is None else self.get(row["id"])

    def recent(self, since: datetime, until: datetime) -> tuple[Turn, ...]:
        """Return the turns from `since` to `until`, both included, oldest first."""
        return self._where("at >= ? AND at < ? ORDER BY at, id", instant(since), just_after(until))

    def of_session(self, session_id: int) -> tuple[Turn, ...]:
        """Return the turns of a session, oldest first."""
        return self._where("session_id = ? ORDER BY at, id", session_id)

    def of_last_session(self, until: datetime) -> tuple[Turn, ...]:
        """Return the turns of the session that the last turn before `until` belongs to, oldest first."""
        row = self._connection.row(
            "SELECT session_id FROM turn WHERE at < ? ORDER BY at DESC, id DESC LIMIT 1", (instant(until),)
        )
        return () if row is None else self.of_session(row["session_id"])

    def of_image(self, hash: str) -> tuple[Turn, ...]:  # noqa: A002 - the field's name in the record
        """Return the turns that showed a picture, oldest first."""
        return self._where(
            "id IN (SELECT turn_id FROM turn_image JOIN image ON image.id = image_id WHERE hash = ?) ORDER BY at, id",
            hash,
        )

    def count(self) -> int:
        """Return how many turns there are."""
        # without a test SQLite counts pages: 0.02 ms for 50,000 turns, not 2
        return self._connection.number("SELECT count(*) FROM turn")

    def count_before(self, turn_id: int, most: int) -> int:
        """Return how many turns were stored before one, `most` at most."""
        before = "SELECT 1 FROM turn WHERE id < ? LIMIT ?"
        return self._connection.number(f"SELECT count(*) FROM ({before})", (turn_id, most))  # noqa: S608 - from above

    def days(self) -> tuple[tuple[date, int], ...]:
        """Return how many turns each day had, in UTC, oldest first; days without any are left out."""
        rows = self._connection.tuples("SELECT substr(at, 1, 10), count(*) FROM turn GROUP BY 1 ORDER BY 1")
        return tuple((date.fromisoformat(day), count) for day, count in rows)

    def all(self, window: Window | None = None) -> Iterator[Turn]:
        """Yield the turns of a window, oldest first, reading page by page so that a writer never waits."""
        start, end = bounds(window)
        last: tuple[Value, Value] = ("", 0)
        while True:
            rows = self._connection.rows(
                "SELECT * FROM turn WHERE at >= ? AND at < ? AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?",
                (start, end, *last, _PAGE),
            )
            yield from self._records(rows)
            if len(rows) < _PAGE:
                return
            last = (rows[-1]["at"], rows[-1]["id"])

    def find_same(self, at: datetime, user: str) -> Turn | None:
        """Return the turn in which the user said exactly this at exactly this moment, or None."""
        return self._first("at >= ? AND at < ? AND user = ?", instant(at), just_after(at), user)

    def _records(self, rows: Sequence[Columns]) -> tuple[Turn, ...]:
        shown = self._images.of_turns([row["id"] for row in rows]) if rows else {}
        return tuple(record_of(Turn, row, images=shown.get(row["id"], ())) for row in rows)
