"""A life of commands that are killed, and what must hold after every one of them."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import PIL.Image

from persona_cli.agent.update import AFTER_SESSION, AFTER_TURN
from persona_cli.cli.writer import write
from persona_cli.memory.store import Store, open_store

COMMANDS = ("chat", "chat", "picture", "picture", "update", "import", "export", "forget", "tidy", "backup", "private")
"""What is killed, by how often."""
_FOLDER = Path(__file__).parents[2]


@dataclass
class Life:
    """One home, what was said in it, and what of that was acknowledged."""

    home: Path
    work: Path
    seed: int
    said: dict[str, str] = field(default_factory=dict)
    """Acknowledged messages, with the file that was shown or ""."""
    gone: set[str] = field(default_factory=set)
    """Messages whose deletion was acknowledged."""
    perhaps: set[str] = field(default_factory=set)
    """Messages whose deletion was killed: there or gone, but whole."""
    killed: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)
    _usual: dict[str, float] = field(default_factory=dict)
    """Seconds a command takes when it is let go on."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.work.mkdir(exist_ok=True)
        self._number = 0
        self._runner = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.crash.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_FOLDER,
            env={**os.environ, "PERSONA_HOME": str(self.home)},
        )
        assert self._runner.stdout is not None
        assert self._runner.stdout.readline() == "ready\n"

    def close(self) -> None:
        """End the process that forks."""
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.close()
        self._runner.wait(30)
        self._runner.stdout.close()

    def run(self, *words: str, kill_after: float | None = None) -> tuple[int, str, float]:
        """Run one command; returns its exit code, what it printed, and its seconds."""
        output = self.work / "output"
        asked = {"words": words, "output": str(output), "kill_after": kill_after}
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.write(json.dumps(asked) + "\n")
        self._runner.stdin.flush()
        answer = json.loads(self._runner.stdout.readline())
        errors = Path(f"{output}.err").read_text(encoding="utf-8")
        assert answer["code"] in (0, -9), (words, answer, errors)
        return answer["code"], output.read_text(encoding="utf-8"), answer["seconds"]

    def begin(self) -> None:
        """Let every command run once, to know how long it takes."""
        for name in dict.fromkeys(COMMANDS):
            self.step(name, kill=False)

    def step(self, name: str, *, kill: bool = True) -> None:
        """Run one command, killed at a random moment of its usual time, and note what it acknowledged."""
        self._number += 1
        text = f"My friend Zo{self._number}e collects stamps number {self._number}."
        shown = self._picture() if name == "picture" else ""
        words = self._words(name, text, shown)
        if not words:
            return
        kept_home = _digest(self.home) if name == "private" else ""
        after = self.random.uniform(0, self._usual[name] * 1.3) if kill else None
        code, printed, seconds = self.run(*words, kill_after=after)
        (self.finished if code == 0 else self.killed)[name] += 1
        if code == 0:
            self._usual[name] = seconds
        if name in ("chat", "picture") and printed:
            # whatever was seen of an answer, the words are kept by then
            self.said[text] = shown
        elif name == "import" and code == 0:
            self.said[f"{text} Imported."] = ""
        elif name == "forget":
            (self.gone if code == 0 else self.perhaps).add(self._chosen)
        elif name == "export" and code == 0:
            assert Path(words[1]).read_text(encoding="utf-8").count("\n") > 1
        elif name == "private":
            assert _digest(self.home) == kept_home, "a private run changed the home"

    def check(self) -> None:
        """Look whether everything acknowledged is there, whole, and nothing twice."""
        with closing(open_store(self.home / "persona.db")) as store:
            assert store.verify() == ()
            turns = {turn.user: turn for turn in store.turns.all()}
            assert len(turns) == store.turns.count(), "a message stands twice"
            for text, shown in self.said.items():
                if text in self.gone:
                    assert text not in turns, f"forgotten and still there: {text}"
                elif text not in self.perhaps:
                    assert text in turns, f"said and gone: {text}"
                    assert len(turns[text].images) == bool(shown)
            for image in store.images.all():
                (file,) = (self.home / "media").glob(f"*/{image.hash}.*")
                assert hashlib.sha256(file.read_bytes()).hexdigest() == image.hash
            self._check_jobs(store)

    def end(self) -> None:
        """Work everything off, and look at what is derived and left over as well."""
        self.run("update", "--close")
        self.run("doctor", "--fix")
        _, printed, _ = self.run("doctor", "--json")
        wrong = [check for check in json.loads(printed) if check["verdict"] == "wrong" or check["name"] == "leftovers"]
        assert not wrong, wrong
        self.check()
        with closing(open_store(self.home / "persona.db")) as store:
            assert store.jobs.pending() == 0
            for turn in store.turns.all():
                assert Counter(job.task for job in store.jobs.of_turn(turn.id)) == Counter(AFTER_TURN)
            pictures = {image.hash for image in store.images.all()}
        assert {path.stem for path in (self.home / "media").glob("*/*")} == pictures
        assert not list((self.home / "media").glob(".new-*"))

    def _check_jobs(self, store: Store) -> None:
        for turn in store.turns.all():
            tasks = Counter(job.task for job in store.jobs.of_turn(turn.id))
            assert not tasks or tasks == Counter(AFTER_TURN), f"jobs of m{turn.id}: {tasks}"
        for session in store.sessions.all():
            tasks = Counter(job.task for job in store.jobs.of_session(session.id))
            if session.closed_at is not None:
                assert all(tasks[task] >= 1 for task in AFTER_SESSION)

    def _words(self, name: str, text: str, shown: str) -> tuple[str, ...]:
        if name == "forget":
            return self._forgetting()
        if name == "import":
            return ("import", str(self._transcript(text)))
        fixed = {
            "chat": ("chat", text),
            "picture": ("chat", text, "--image", shown),
            "private": ("chat", "--private", text),
            "update": ("update", "--close"),
            "tidy": ("memory", "tidy"),
            "export": ("export", str(self.work / f"export-{self._number}.jsonl")),
            "backup": ("backup",),
        }
        return fixed[name]

    def _forgetting(self) -> tuple[str, ...]:
        left = [text for text in self.said if text not in self.gone | self.perhaps]
        if len(left) < 3:
            return ()
        self._chosen = self.random.choice(left)
        with closing(open_store(self.home / "persona.db")) as store:
            (turn,) = (turn for turn in store.turns.all() if turn.user == self._chosen)
        return ("memory", "forget", f"m{turn.id}", "--yes")

    def _picture(self) -> str:
        path = self.work / f"{self._number}.png"
        PIL.Image.effect_noise((200 + self._number % 50, 120), 60).save(path)
        return str(path)

    def _transcript(self, text: str) -> Path:
        path = self.work / f"{self._number}.jsonl"
        times = (f"2025-03-{day:02d} 18:30" for day in range(1, 9))
        users = (*(f"On day {self._number}.{number} I walked." for number in range(7)), f"{text} Imported.")
        lines = (
            json.dumps({"time": time, "user": user, "assistant": "Good."})
            for time, user in zip(times, users, strict=True)
        )
        path.write_text("\n".join(lines), encoding="utf-8")
        return path


def live(seed: int, kills: int, home: Path, work: Path) -> Life:
    """Live through so many kills, look after each, and once more when everything is worked off."""
    life = Life(home, work, seed)
    try:
        life.begin()
        life.check()
        while life.killed.total() < kills:
            life.step(life.random.choice(COMMANDS))
            life.check()
        life.end()
    finally:
        life.close()
    return life


def _digest(home: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_relative_to(home / "models"):
            found.update(str(path).encode() + path.read_bytes())
    return found.hexdigest()


def main() -> None:
    """Kill as often as the argument says, over lives of 100 kills, and print what was killed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    started, total = time.monotonic(), Counter[str]()
    for seed in range(-(-count // 100)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            life = live(seed, min(100, count - seed * 100), folder / "home", folder / "work")
            total += life.killed
            write(f"life {seed}: {life.killed.total()} kills, {len(life.said)} messages kept, 0 lost")
    by_command = ", ".join(f"{name} {count}" for name, count in total.most_common())
    write(f"{total.total()} kills in {time.monotonic() - started:.0f} s: {by_command}")


if __name__ == "__main__":
    main()
