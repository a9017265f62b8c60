"""How the chat looks at a terminal: Tab, a sign of life while nothing can be read, pictures where they can be shown."""

from __future__ import annotations

import io
import re
import time
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from rich.console import Console

from persona_cli.cli.chart import sparkline
from persona_cli.cli.tab import SlashCompleter
from persona_cli.cli.waiting import Waiting
from persona_cli.config import Settings
from persona_cli.memory import open_memory
from persona_cli.paths import find_places
from tests.portrayed import build_life
from tests.terminal import persona, persona_typed


def completed(line: str) -> list[str]:
    offered = SlashCompleter(["/help", "/image", "/why"]).get_completions(Document(line, len(line)), CompleteEvent())
    return [line[: len(line) + one.start_position] + one.text for one in offered]


def test_tab_completes_commands_and_paths_and_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cat.jpg").touch()
    monkeypatch.chdir(tmp_path)
    assert completed("/") == ["/help", "/image", "/why"]
    assert completed("/im") == ["/image"]
    assert completed("/image c") == ["/image cat.jpg"]
    assert completed("I want to /im") == []
    assert completed("hello") == []


def test_a_sign_of_life_comes_after_a_moment_and_goes() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, color_system=None, width=60, legacy_windows=False)
    quick = Waiting(console)
    quick.begin("thinking")
    quick.end()
    assert shown.getvalue() == ""
    slow = Waiting(console)
    slow.begin("thinking")
    deadline = time.monotonic() + 10
    while "thinking" not in shown.getvalue():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    slow.end()
    # the line is cleared, and the cursor is back
    assert shown.getvalue().rstrip().endswith(("\x1b[2K", "\x1b[?25h"))


def test_in_a_pipe_there_is_none() -> None:
    shown = io.StringIO()
    waiting = Waiting(Console(file=shown))
    waiting.begin("thinking")
    time.sleep(0.5)
    waiting.end()
    assert shown.getvalue() == ""


def test_a_curve_is_as_high_as_its_scores_and_says_nothing_where_nothing_moved() -> None:
    assert sparkline([3.0, 3.0], 2.5, 3.5, 20) == ""
    assert sparkline([2.5, 3.0, 3.5], 2.5, 3.5, 20) == "▁▅█"
    assert len(sparkline([3.0 + at / 100 for at in range(100)], 2.5, 4.5, 20)) == 20


def test_a_picture_is_shown_where_the_terminal_can_and_nowhere_else(home: Path) -> None:
    with closing(open_memory(find_places(), Settings(), pytest.fail)) as memory:
        build_life(memory)
    assert home.exists()
    assert "▄" not in persona("memory", "show", "i1").out
    colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    code, _ = persona_typed("memory", "show", "i1", env=colours)
    assert code == 0
    code, screen = persona_typed("memory", "show", "i1", env=colours, size=(24, 80))
    assert code == 0
    assert screen.count("▄") + screen.count("▀") > 100
    assert re.search(r"\x1b\[[\d;]*48;2;", screen)


def test_a_picture_is_shown_before_the_message_it_goes_with(weights: Path, tmp_path: Path) -> None:
    assert weights.is_dir()
    Image.new("RGB", (60, 40), "teal").save(tmp_path / "sea.png")
    typed = f"/image {tmp_path / 'sea.png'}\r/quit\r"
    code, screen = persona_typed("chat", "--no-memory", typed=typed, env={"TERM": "dumb"})
    assert code == 0
    assert "1 picture to be shown" in screen
