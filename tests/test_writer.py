"""All output goes through one writer, which passes on nothing that a terminal would obey or nobody would see."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.cli.render import json_text
from persona_cli.cli.writer import escaped, make_console, typed
from tests.terminal import persona, persona_process

CLI = Path(__file__).parent.parent / "persona_cli"
PRINTS = re.compile(r"(?<![\w.])print\(|typer\.echo\(|typer\.secho\(|click\.echo\(|sys\.std(?:out|err)\.write\(")
NASTY = {
    "a colour": "\x1b[31mred",
    "a title": "\x1b]0;owned\x07",
    "a bell": "ding\x07",
    "a line taken back": "good\rbad",
    "C1": "\x9b31m",
    "right to left": "abc\u202edef",
    "isolate": "\u2066x\u2069",
    "zero width": "pass\u200bword",
    "tags": "hi\U000e0041\U000e0042",
    "half a pair": "\udce9",
}


def test_nothing_else_prints() -> None:
    elsewhere = {
        f"{path.relative_to(CLI)}:{number}"
        for path in sorted(CLI.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PRINTS.search(line) and path.name != "writer.py"
    }
    assert elsewhere == set()


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_what_a_terminal_obeys_is_shown(text: str) -> None:
    shown = escaped(text)
    assert "\\" in shown
    assert escaped(shown) == shown


@given(st.text())
def test_what_is_written_is_printable(text: str) -> None:
    shown = escaped(text)
    shown.encode("utf-8")
    assert all(char >= " " or char in "\n\t" for char in shown)
    assert escaped(shown) == shown


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_json_says_the_same(text: str) -> None:
    written = json_text({"text": text})
    assert json.loads(written) == {"text": text}
    assert escaped(written) == written


def test_words_keep_their_joiners() -> None:
    assert escaped("👩\u200d🚀 می\u200cخواهم") == "👩\u200d🚀 می\u200cخواهم"


def test_a_console_reads_no_markup_and_obeys_nothing() -> None:
    from rich.table import Table

    console = make_console(stderr=False)
    console.file = io.StringIO()
    table = Table("a [bold]title[/bold]")
    table.add_row("see [server] \x1b[2J")
    console.print(table)
    console.print("[red]not red[/red]\x07")
    shown = console.file.getvalue()
    assert "[bold]title[/bold]" in shown
    assert "see [server] \\x1b[2J" in shown
    assert "[red]not red[/red]" in shown
    assert "\x07" not in shown


def test_typed_words_lose_what_nobody_typed() -> None:
    assert typed("\x1b[200~pasted\x1b[201~ text\r\nline\u202e") == "pasted text\nline"


def test_settings_with_brackets_are_shown() -> None:
    assert "see [server]" in " ".join(persona("config", "show").out.split())


@pytest.mark.parametrize(
    "arguments",
    [("chat",), ("memory", "add"), ("memory", "search"), ("memory", "about"), ("config", "get"), ("memory", "show")],
)
def test_bytes_that_are_no_text_are_one_clear_error(arguments: tuple[str, ...]) -> None:
    ran = persona_process(*arguments, "caf\udce9")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert "\udce9" not in ran.err
