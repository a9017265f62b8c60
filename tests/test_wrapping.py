"""An answer that comes in pieces is wrapped between words on a terminal, and left as it is in a pipe."""

from __future__ import annotations

import pytest

from persona_cli.cli.writer import Wrapped


def shown(capsys: pytest.CaptureFixture[str], *pieces: str, width: int | None = 20) -> str:
    wrapped = Wrapped(width)
    for piece in pieces:
        wrapped.write(piece)
    wrapped.end()
    return capsys.readouterr().out


def test_no_word_is_broken_at_the_edge(capsys: pytest.CaptureFixture[str]) -> None:
    whole = "You told me on 21 November that walnuts are out.\n- and their dust\n"
    lines = "You told me on 21\nNovember that\nwalnuts are out.\n- and their dust\n"
    assert shown(capsys, whole) == lines
    assert shown(capsys, *whole) == lines


def test_what_is_longer_than_a_line_and_wide_letters(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "see https://example.org/a/long/way now") == "see\nhttps://example.org/a/long/way\nnow"
    assert shown(capsys, "我喜欢喝绿茶 和 咖啡 每天早上") == "我喜欢喝绿茶 和 咖啡\n每天早上"


def test_a_pipe_gets_the_words_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "a " * 100, "end", width=None) == "a " * 100 + "end"
