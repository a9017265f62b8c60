"""Who speaks in a message, by its form."""

from __future__ import annotations

import time
import tomllib

import pytest

from persona_cli.english.forms import mirror
from persona_cli.english.sentences import sentence_spans
from persona_cli.english.speakers import FORMS, Voice, stretches

TABLE = tomllib.loads(FORMS.read_text(encoding="utf-8"))
VOICES = (Voice.QUOTED, Voice.PASTED, Voice.CODE)


@pytest.mark.parametrize(("voice", "text"), [(voice, text) for voice in VOICES for text in TABLE[voice]["yes"]])
def test_others_are_known_by_their_form(voice: Voice, text: str) -> None:
    assert voice in {part.voice for part in stretches(text)}, stretches(text)
    last = [part for part in stretches(text) if text[part.start : part.end].strip(' .,"”')]
    own = "".join(text[part.start : part.end] for part in last if part.voice is Voice.OWN)
    assert not any(first in own.split() for first in ("I", "I'm", "im"))


@pytest.mark.parametrize("text", [text for voice in VOICES for text in TABLE[voice]["no"]])
def test_ones_own_words_are_ones_own(text: str) -> None:
    assert {part.voice for part in stretches(text)} <= {Voice.OWN}, stretches(text)


def test_stretches_have_no_gaps() -> None:
    text = "Look:\n> I am ill\nI am fine. Lena told me: I quit! Good for her.\n```\nx = 1\n```\nbye"
    parts = stretches(text)
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert [part.voice for part in parts] == [
        Voice.OWN, Voice.PASTED, Voice.OWN, Voice.QUOTED, Voice.OWN, Voice.CODE, Voice.OWN,
    ]  # fmt: skip


def test_what_somebody_else_says_is_not_turned() -> None:
    assert mirror("She was like, I hate my husband") is None
    assert mirror("Lena told me: I quit my job") is None
    assert mirror("Lena told me that I snore") == "Lena told you that you snore"


LONG = (
    "and ",
    ", ",
    "a",
    "She said, I ",
    "> I\n",
    '"I" ',
    "told me: I ",
    "x = 1;\n",
    "# a\n",
    "Anna wrote:\n",
    "From: a\n",
    "my ",
)


@pytest.mark.parametrize("pattern", LONG)
def test_reading_grows_with_the_text_and_not_faster(pattern: str) -> None:
    cost = []
    for length in (2_500, 20_000):
        text = (pattern * length)[:length]
        times = []
        for _ in range(3):
            stretches.cache_clear()
            sentence_spans.cache_clear()
            start = time.process_time()
            stretches(text)
            times.append(time.process_time() - start)
        cost.append(max(min(times), 0.003))
    assert cost[1] / cost[0] <= 16
