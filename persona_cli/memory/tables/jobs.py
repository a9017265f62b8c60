"""The queue of update jobs: written with the turn, so that no update is ever lost.

Nearly all jobs there ever were are done. "state <> 'done'", in the words of the index of the queue, has it used also
where it goes without saying: else each job would cost a look at all before it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta

from persona_cli.memory.tables.columns import instant
from persona_cli.memory.tables.table import Table
from persona_cli.records import Job, Session, Task

MAX_ATTEMPTS = 3


class Jobs(Table[Job]):
    """The table of update jobs."""

    table, noun, record = "job", "job", Job

    def add(self, task: Task, turn_id: int | None = None, session_id: int | None = None) -> Job:
        """Queue a job behind all others."""
        rows = self._connection.rows(
            "INSERT INTO job (task, turn_id, session_id, state, attempts, error, place)"
            " VALUES (?, ?, ?, 'queued', 0, '', (SELECT coalesce(max(place), 0) + 1 FROM job WHERE state <> 'done'))"
            " RETURNING id",
            (task, turn_id, session_id),
        )
        return Job(rows[0]["id"], task, turn_id, session_id)

    def add_tidy(self, session: Session, between: timedelta) -> None:
        """Queue a tidying behind all others, unless there was one less than `between` before the end of the session.

        One that still waits gives way to it: it would only come too early.
        """
        with self._connection.transaction():
            self._connection.write("DELETE FROM job WHERE task = 'tidy' AND state = 'queued'")
            last = self._connection.row(
                "SELECT 1 FROM job JOIN session ON session.id = session_id WHERE task = 'tidy' AND last_at >= ?",
                (instant(session.last_at - between),),
            )
            if last is None:
                self.add(Task.TIDY, session_id=session.id)

    def claim(self, but: Collection[Task] = ()) -> Job | None:
        """Mark the first job of the queue that is none of `but` as running and return it, or None without one."""
        with self._connection.transaction():
            row = self._connection.row(
                "SELECT id FROM job WHERE state = 'queued' AND state <> 'done'"
                " AND task NOT IN (SELECT value FROM json_each(?)) ORDER BY place, id LIMIT 1",
                (json.dumps(list(but)),),
            )
            if row is None:
                return None
            self._connection.write(
                "UPDATE job SET state = 'running', attempts = attempts + 1 WHERE id = ?", (row["id"],)
            )
            return self.get(row["id"])

    def done(self, job_id: int) -> None:
        """Note that a job has been done; one whose turn was forgotten meanwhile is gone, which is well too."""
        self._connection.write("UPDATE job SET state = 'done', error = '' WHERE id = ?", (job_id,))

    def requeue(self, job_id: int) -> None:
        """Put an interrupted job back where it was; an interruption is no failed attempt."""
        self._connection.write(
            "UPDATE job SET state = 'queued', attempts = max(attempts - 1, 0) WHERE id = ?", (job_id,)
        )

    def fail(self, job_id: int, error: str, *, for_good: bool = False) -> None:
        """Queue a job again behind the others, or give it up after the third attempt or at once; the error is kept."""
        self._connection.write(
            "UPDATE job SET error = ?, place = (SELECT coalesce(max(place), 0) + 1 FROM job WHERE state <> 'done'),"
            " state = iif(attempts >= ?, 'failed', 'queued') WHERE id = ?",
            (error, 0 if for_good else MAX_ATTEMPTS, job_id),
        )

    def recover(self) -> int:
        """Queue what a killed process left running, at its old place; return how many jobs that were."""
        return self._connection.write("UPDATE job SET state = 'queued' WHERE state = 'running' AND state <> 'done'")

    def pending(self, but: Collection[Task] = ()) -> int:
        """Return how many jobs are queued or running, those of `but` left out."""
        return self._connection.number(
            "SELECT count(*) FROM job WHERE state <> 'failed' AND state <> 'done'"
            " AND task NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(list(but)),),
        )

    def waiting(self, tasks: Collection[Task]) -> tuple[Job, ...]:
        """Return the queued jobs of some tasks in the order of the queue."""
        return self._where(
            "state = 'queued' AND state <> 'done' AND task IN (SELECT value FROM json_each(?)) ORDER BY place, id",
            json.dumps(list(tasks)),
        )

    def failed(self) -> tuple[Job, ...]:
        """Return the jobs that were given up, with their errors."""
        return self._where("state = 'failed' AND state <> 'done' ORDER BY place, id")

    def retry_failed(self) -> int:
        """Queue the jobs that were given up once more; return how many they are."""
        return self._connection.write(
            "UPDATE job SET state = 'queued', attempts = 0 WHERE state = 'failed' AND state <> 'done'"
        )

    def of_turn(self, turn_id: int) -> tuple[Job, ...]:
        """Return the jobs of a turn in the order they were queued."""
        return self._where("turn_id = ? ORDER BY id", turn_id)

    def of_session(self, session_id: int) -> tuple[Job, ...]:
        """Return the jobs of a session's end in the order they were queued."""
        return self._where("session_id = ? ORDER BY id", session_id)
