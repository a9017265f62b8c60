"""Turn MemoryBank conversations into transcripts: `python -m benchmarks.memorybank --data FILE --user Ivy > ivy.jsonl`.

MemoryBank dates its exchanges by day only. Here a day's conversation begins at seven in the evening, local time,
with two minutes from one exchange to the next, so that each day is one session.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

EVENING = time(19)
PACE = timedelta(minutes=2)


def exchanges(bank: dict[str, dict[str, object]], user: str) -> Iterator[dict[str, str]]:
    """Yield the exchanges of one user as transcript lines, oldest first; raises KeyError for an unknown user."""
    people = {name.strip().casefold(): person for name, person in bank.items()}
    history = people[user.strip().casefold()]["history"]
    assert isinstance(history, dict)
    for day in sorted(history):
        at = datetime.combine(date.fromisoformat(day), EVENING).astimezone()
        for exchange in history[day]:
            yield {"time": at.isoformat(), "user": exchange["query"], "assistant": exchange["response"]}
            at += PACE


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one user's transcript to standard output."""
    parser = argparse.ArgumentParser(description="Convert one MemoryBank user to a transcript for `persona import`.")
    parser.add_argument("--data", type=Path, required=True, help="memory_bank_en.json")
    parser.add_argument("--user", required=True, help="the user's name, in any case")
    asked = parser.parse_args(arguments)
    bank = json.loads(asked.data.read_text(encoding="utf-8"))
    try:
        for line in exchanges(bank, asked.user):
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    except KeyError:
        names = ", ".join(sorted(name.strip() for name in bank))
        sys.stderr.write(f"there is no user {asked.user}; there are {names}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
