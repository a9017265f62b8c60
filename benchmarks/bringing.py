"""Measure an import of many messages (`python -m benchmarks bringing`, options by `--help`): time and peak memory.

A life is made up (everyday.py) and written as ChatGPT writes its export: shards of a hundred conversations in a zip,
the newest first. Each step runs in a process of its own: reading alone (`--dry-run`), reading and storing, and the
same once more. Learning from what was stored is the queue's, as always, and no part of it. With `--photos` it is a
folder of drawn photos instead, each with the time of its shot and its zone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from subprocess import PIPE, run
from typing import Any

from PIL import Image, ImageDraw

from benchmarks.everyday import Said, messages
from persona_cli.config import Settings
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Options
from persona_cli.importers.formats import recognised
from persona_cli.importers.photos import PHOTOS
from persona_cli.importers.pipeline import gather, spool_in, store
from persona_cli.memory import open_memory
from persona_cli.paths import find_places

MESSAGES = 100_000
STEPS = ("read", "read and store", "once more")
SHARD = 100
"""Conversations in a file of the export."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one process did; times in seconds, memory in MiB."""

    what: str
    seconds: float
    cpu: float
    peak: float
    added: int
    known: int


def main(arguments: Sequence[str] = ()) -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks bringing", description="How an import grows.")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"how many (default {MESSAGES:,})")
    parser.add_argument("--photos", type=int, default=0, help="a folder of so many photos instead of messages")
    parser.add_argument("--padding", type=int, default=0, help="characters that every answer is longer by")
    parser.add_argument("--steps", type=int, default=len(STEPS), help="how many of the steps (1: reading alone)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--step", nargs=2, metavar=("NAME", "ZIP"), help=argparse.SUPPRESS)
    options = parser.parse_args(list(arguments))
    if options.step:
        print(json.dumps(asdict(take(options.step[0], Path(options.step[1])))))
        return 0
    with tempfile.TemporaryDirectory(prefix="persona-bringing-") as folder:
        path = Path(folder, "photos" if options.photos else "export.zip")
        if options.photos:
            what, unpacked = f"{options.photos:,} photos", write_photos(path, options.photos)
        else:
            what = f"{options.messages:,} messages"
            unpacked = write_export(path, options.messages, options.padding)
        steps = [_in_a_process(name, path, Path(folder, "home")) for name in STEPS[: options.steps]]
    if options.json:
        print(json.dumps({"unpacked": unpacked, "steps": [asdict(step) for step in steps]}, indent=2))
    else:
        print(f"{what}, {unpacked / 2**20:,.0f} MiB\n\n{table(steps)}")
    return 0


def take(what: str, path: Path) -> Step:
    """Do one step in this process and measure it."""
    began, cpu = time.perf_counter(), time.process_time()
    places, gap, added, known = find_places(), timedelta(minutes=Settings().session.gap_minutes), 0, 0
    with Bundle(path) as bundle:
        format_ = PHOTOS if path.is_dir() else recognised(bundle)
        assert format_ is not None
        if what == "read":
            found = gather(bundle, format_, Options(), gap).found
            added = found.turns
        else:
            memory = open_memory(places, Settings(), lambda _: None)
            with spool_in(places.home) as spool:
                done = store(memory, bundle, gather(bundle, format_, Options(), gap, spool), datetime.now(UTC))
            added, known = done.added, done.known
            memory.close()
    return Step(what, time.perf_counter() - began, time.process_time() - cpu, peak(), added, known)


def peak() -> float:
    """Return the most memory this process has had, in MiB; `ru_maxrss` would be that of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def write_export(path: Path, count: int, padding: int) -> int:
    """Write an export of `count` messages, half of them answers; return how many bytes it unpacks to."""
    said = messages(count // 2)
    conversations = (conversation(number, list(group), padding) for number, (_, group) in enumerate(_sessions(said)))
    unpacked = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        while shard := list(islice(conversations, SHARD)):
            content = json.dumps(shard[::-1])
            unpacked += len(content)
            archive.writestr(f"conversations-{len(archive.filelist):03}.json", content)
    return unpacked


def write_photos(folder: Path, count: int) -> int:
    """Draw so many photos of 1280 x 960, an hour apart; return how many bytes they have."""
    folder.mkdir()
    drawing = random.Random(0)
    for number in range(count):
        photo = Image.new("RGB", (1280, 960), _colour(drawing))
        pen = ImageDraw.Draw(photo)
        for _ in range(12):
            x, y = drawing.randrange(1280), drawing.randrange(960)
            pen.ellipse((x, y, x + drawing.randrange(40, 500), y + drawing.randrange(40, 500)), fill=_colour(drawing))
        exif = Image.Exif()
        shot = exif.get_ifd(0x8769)
        shot[0x9003] = f"{datetime(2025, 1, 1) + timedelta(hours=number):%Y:%m:%d %H:%M:%S}"
        shot[0x9011] = "+01:00"
        photo.save(folder / f"DSC{number:05}.jpg", quality=90, exif=exif)
    return sum(path.stat().st_size for path in folder.iterdir())


def _colour(drawing: random.Random) -> tuple[int, int, int]:
    return drawing.randrange(256), drawing.randrange(256), drawing.randrange(256)


def conversation(number: int, said: Sequence[Said], padding: int) -> dict[str, Any]:
    """Return a conversation as the export has it: a tree of messages."""
    nodes: dict[str, Any] = {"root": {"id": "root", "parent": None, "children": [], "message": None}}
    last = "root"
    for place, message in enumerate(said):
        answer = message.answer + " and so on" * (padding // 10)
        for role, text in (("user", message.text), ("assistant", answer)):
            own = f"{number:06}-{place}-{role}"
            content = {"content_type": "text", "parts": [text]}
            fields = {"id": own, "author": {"role": role, "name": None, "metadata": {}}, "content": content}
            more = {"create_time": message.at.timestamp(), "weight": 1.0, "metadata": {}, "recipient": "all"}
            nodes[own] = {"id": own, "parent": last, "children": [], "message": {**fields, **more}}
            last = own
    at = said[0].at.timestamp()
    return {"id": f"c{number:06}", "title": "", "create_time": at, "current_node": last, "mapping": nodes}


def table(steps: Sequence[Step]) -> str:
    """Return the steps as a table."""
    head = "| step | seconds | processor's | peak, MiB | exchanges stored | known |\n|---|---:|---:|---:|---:|---:|"
    lines = [
        f"| {step.what} | {step.seconds:,.0f} | {step.cpu:,.0f} | {step.peak:,.0f} | {step.added:,} | {step.known:,} |"
        for step in steps
    ]
    return "\n".join([head, *lines])


def _sessions(said: Iterator[Said]) -> groupby[int, Said]:
    return groupby(said, key=lambda message: message.session)


def _in_a_process(name: str, path: Path, home: Path) -> Step:
    env = {**os.environ, "PERSONA_HOME": str(home)}
    command = [sys.executable, "-m", "benchmarks.bringing", "--step", name, str(path)]
    made = run(command, env=env, check=True, stdout=PIPE, text=True).stdout.splitlines()[-1]
    return Step(**json.loads(made))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
