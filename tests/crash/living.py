"""A life of commands that are killed, and what must hold after every one of them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import PIL.Image

from persona_cli.cli.writer import write
from persona_cli.memory.backup import Backups
from persona_cli.memory.store import open_store
from tests.crash.former import FormerLife
from tests.crash.wholeness import Wholeness, check_derived, digest, messages_in
from tests.test_migrations import COMMITTED

_FOLDER = Path(__file__).parents[2]


class Attempt(NamedTuple):
    """One command, and what is noted of it by whether it finished and what it printed."""

    words: tuple[str, ...]
    note: Callable[[bool, str], None]
    home: Path | None = None
    """Where it runs; None for the home of this life."""


@dataclass
class Life:
    """One home, what was said in it, and what of that was acknowledged."""

    home: Path
    work: Path
    seed: int
    said: dict[str, str] = field(default_factory=dict)
    """Messages that must be there, with the file that was shown or ""."""
    gone: set[str] = field(default_factory=set)
    """Messages whose deletion was acknowledged."""
    perhaps: set[str] = field(default_factory=set)
    """Messages whose deletion was killed: there or gone, but whole."""
    killed: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)
    _ever: dict[str, str] = field(default_factory=dict)
    """All that was ever tried to say, with what was shown."""
    _archives: dict[str, frozenset[str]] = field(default_factory=dict)
    """Files of exports, with the messages in them."""
    _usual: dict[str, float] = field(default_factory=dict)
    """Seconds a command takes when it is let go on."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.work.mkdir(exist_ok=True)
        self._number = 0
        self._former = FormerLife(self.work / "former")
        self._runner = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.crash.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_FOLDER,
            # its threads would be lost in a fork, with what they hold
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
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

    def run(
        self, *words: str, home: Path | None = None, kill_after: float | None = None, here: bool = False
    ) -> tuple[int, str, float]:
        """Run one command; returns its exit code, what it printed, and its seconds."""
        output = self.work / "output"
        asked = {
            "words": words, "home": str(home or self.home), "output": str(output), "kill_after": kill_after,
            "here": here,
        }  # fmt: skip
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.write(json.dumps(asked) + "\n")
        self._runner.stdin.flush()
        answer = json.loads(self._runner.stdout.readline())
        errors = Path(f"{output}.err").read_text(encoding="utf-8")
        # doctor says by 1 that something is wrong
        assert answer["code"] in ((0, 1) if words[0] == "doctor" else (0, -9)), (words, answer, errors)
        return answer["code"], output.read_text(encoding="utf-8"), answer["seconds"]

    def begin(self) -> None:
        """Let every command run once, to know how long it takes."""
        for name in ("chat", "picture", "update"):
            self.step(name, here=True)
        for name in COMMANDS:
            self.step(name)

    def step(self, name: str, *, kill: bool = False, here: bool = False) -> None:
        """Run one command, with `kill` ended at a random moment of its usual time, and note what it acknowledged."""
        self._number += 1
        attempt = COMMANDS[name](self)
        if attempt is None:
            return
        after = self.random.uniform(0, self._usual[name] * 1.3) if kill else None
        code, printed, seconds = self.run(*attempt.words, home=attempt.home, kill_after=after, here=here)
        (self.finished if code == 0 else self.killed)[name] += 1
        if code == 0:
            self._usual[name] = seconds
        attempt.note(code == 0, printed)

    def check(self) -> None:
        """Look whether everything acknowledged is there, whole, and nothing twice."""
        with Wholeness(self.home) as whole:
            whole.check_rows()
            whole.check_said(self.said, self.gone, self.perhaps)
            whole.check_jobs()
        for backup in Backups(self.home / "persona.db").all():
            assert not messages_in(backup.path) & self.gone, f"forgotten and still in {backup.name}"

    def look(self, *, repaired: bool) -> None:
        """Look at a copy of the home: vectors, pictures and leftovers, or with `repaired` what doctor makes of it."""
        copy = self.work / "copy"
        shutil.copytree(self.home, copy, copy_function=_copy)
        if repaired:
            wrong = [check for check in self._doctor(copy) if check["verdict"] == "wrong"]
            # of a picture the file comes first: it may be there alone, never its row
            assert all(check["name"] == "pictures" and " has no file" not in check["finding"] for check in wrong), wrong
            self._mend(copy)
        else:
            check_derived(copy)
        shutil.rmtree(copy)

    def end(self) -> None:
        """Work everything off, and look at what is derived and left over as well."""
        self.run("update", "--close")
        self._mend(self.home)
        self.check()
        with Wholeness(self.home) as whole:
            whole.check_all_done()

    def _mend(self, home: Path) -> None:
        checks = self._doctor(home, "--fix", "--now")
        left = [check for check in checks if check["verdict"] == "wrong" or check["name"] == "leftovers"]
        assert not left, left
        with Wholeness(home) as whole:
            whole.check_no_orphan()

    def _doctor(self, home: Path, *options: str) -> list[dict[str, str]]:
        checks: list[dict[str, str]] = json.loads(self.run("doctor", "--json", *options, home=home)[1])
        return checks

    def _chat(self) -> Attempt:
        return self._saying(self._text())

    def _show(self) -> Attempt:
        path = self.work / f"{self._number}.png"
        PIL.Image.effect_noise((200 + self._number % 50, 120), 60).save(path)
        return self._saying(self._text(), str(path))

    def _saying(self, text: str, shown: str = "") -> Attempt:
        self._ever[text] = shown

        def note(_finished: bool, printed: str) -> None:
            # whatever was seen of an answer, the words are kept by then
            if printed:
                self.said[text] = shown

        return Attempt(("chat", text, *(("--image", shown) if shown else ())), note)

    def _update(self) -> Attempt:
        return Attempt(("update", "--close"), _nothing)

    def _tidy(self) -> Attempt:
        return Attempt(("memory", "tidy"), _nothing)

    def _private(self) -> Attempt:
        before = digest(self.home)

        def note(_finished: bool, _printed: str) -> None:
            assert digest(self.home) == before, "a private run changed the home"

        return Attempt(("chat", "--private", self._text()), note)

    def _import(self) -> Attempt:
        text = f"{self._text()} Imported."
        path = self.work / f"{self._number}.jsonl"
        users = (*(f"On day {self._number}.{number} I walked." for number in range(7)), text)
        lines = (
            json.dumps({"time": f"2025-03-{day:02d} 18:30", "user": user, "assistant": "Good."})
            for day, user in enumerate(users, 1)
        )
        path.write_text("\n".join(lines), encoding="utf-8")
        self._ever[text] = ""

        def note(finished: bool, _printed: str) -> None:
            if finished:
                self.said[text] = ""

        return Attempt(("import", str(path)), note)

    def _export(self) -> Attempt:
        path, messages = self.work / f"export-{self._number}.jsonl", messages_in(self.home / "persona.db")

        def note(finished: bool, _printed: str) -> None:
            # whole, or not there
            assert finished or not path.exists() or path.read_text(encoding="utf-8").endswith("}}\n")
            if finished:
                self._archives[str(path)] = messages

        return Attempt(("export", str(path)), note)

    def _back_up(self) -> Attempt:
        messages = messages_in(self.home / "persona.db")

        def note(finished: bool, printed: str) -> None:
            if finished:
                assert messages_in(Backups(self.home / "persona.db").find(printed.strip()).path) == messages

        return Attempt(("backup",), note)

    def _forget(self) -> Attempt | None:
        left = [text for text in self.said if text not in self.gone | self.perhaps]
        if len(left) < 3:
            return None
        chosen = self.random.choice(left)
        with closing(open_store(self.home / "persona.db")) as store:
            (turn,) = (turn for turn in store.turns.all() if turn.user == chosen)

        def note(finished: bool, _printed: str) -> None:
            (self.gone if finished else self.perhaps).add(chosen)

        return Attempt(("memory", "forget", f"m{turn.id}", "--yes"), note)

    def _restore(self) -> Attempt | None:
        backups = Backups(self.home / "persona.db").all()
        if not backups:
            return None
        chosen = self.random.choice(backups)
        return self._going_back(chosen.name, messages_in(chosen.path))

    def _take_archive(self) -> Attempt | None:
        if not self._archives:
            return None
        path = self.random.choice(sorted(self._archives))
        return self._going_back(path, self._archives[path])

    def _going_back(self, name: str, messages: frozenset[str]) -> Attempt:
        before = messages_in(self.home / "persona.db")

        def note(finished: bool, _printed: str) -> None:
            now = messages_in(self.home / "persona.db")
            assert now in ((messages,) if finished else (before, messages)), "half gone back"
            if now == messages:
                # an archive outside still has what was forgotten since
                self.gone -= messages
                self.said = {text: self._ever[text] for text in messages if text in self._ever}

        return Attempt(("restore", name, "--yes"), note)

    def _migrate(self) -> Attempt:
        if not self._former.home.exists():
            self._former.write(self.random.choice(list(COMMITTED)[:-1]))

        def note(finished: bool, _printed: str) -> None:
            if self._former.check(finished=finished):
                shutil.rmtree(self._former.home)

        return Attempt(("memory", "quarantine"), note, self._former.home)

    def _text(self) -> str:
        return f"My friend Zo{self._number}e collects stamps number {self._number}."


COMMANDS: dict[str, Callable[[Life], Attempt | None]] = {
    "chat": Life._chat,
    "picture": Life._show,
    "update": Life._update,
    "import": Life._import,
    "export": Life._export,
    "forget": Life._forget,
    "tidy": Life._tidy,
    "backup": Life._back_up,
    "private": Life._private,
    "migrate": Life._migrate,
    "restore": Life._restore,
    "restore archive": Life._take_archive,
}
"""What is killed; an attempt is None where there is nothing to do it with."""


def live(seed: int, kills: int, home: Path, work: Path, *, look_every: int, repair_every: int) -> Life:
    """Live through so many kills, look after each, and once more when everything is worked off.

    After some of them a copy of the home is looked at more closely, or repaired.
    """
    life = Life(home, work, seed)
    try:
        life.begin()
        life.check()
        drawn = _drawn(life.random)
        while (before := life.killed.total()) < kills:
            life.step(next(drawn), kill=True)
            life.check()
            count = life.killed.total()
            if count > before and not (count % look_every and count % repair_every):
                life.look(repaired=not count % repair_every)
        life.end()
    finally:
        life.close()
    return life


def _drawn(source: random.Random) -> Iterator[str]:
    """Yield the commands in an order that has every one of them in each round, talk twice."""
    while True:
        names = [*COMMANDS, "chat", "picture"]
        source.shuffle(names)
        yield from names


def _copy(source: str, target: str) -> None:
    # weights are large, and never written
    Path(target).hardlink_to(source) if "/models/" in source else shutil.copy2(source, target)


def _nothing(_finished: bool, _printed: str) -> None:
    pass


def main() -> None:
    """Kill as often as the first argument says, over lives of 100 kills from the seed that the second says."""
    count, first = (int(sys.argv[place]) if len(sys.argv) > place else 1_000 * (place == 1) for place in (1, 2))
    started, total = time.monotonic(), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        models = Path(name) / "models"
        for done in range(0, count, 100):
            folder = Path(name) / str(first + done // 100)
            (folder / "home").mkdir(mode=0o700, parents=True)
            # converted once
            if models.exists():
                shutil.copytree(models, folder / "home" / "models", copy_function=os.link)
            most, seed = min(100, count - done), first + done // 100
            life = live(seed, most, folder / "home", folder / "work", look_every=1, repair_every=10)
            if not models.exists():
                (folder / "home" / "models").rename(models)
            shutil.rmtree(folder)
            total += life.killed
            write(f"life {seed}: {life.killed.total()} kills, {len(life.said)} messages there at the end, 0 lost")
    by_command = ", ".join(f"{name} {count}" for name, count in total.most_common())
    write(f"{total.total()} kills in {time.monotonic() - started:.0f} s: {by_command}")


if __name__ == "__main__":
    main()
