"""Relative time words written as the dates they mean, and the words that are left alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Turn
from persona_cli.remembering.gate import Admitted, judge
from persona_cli.timewords import find_times, settle

AT = datetime(2026, 3, 31, 19, 0, tzinfo=UTC)  # a Tuesday
SETTLED = """
I moved yesterday => I moved on 30 March 2026
We met yesterday evening => We met on the evening of 30 March 2026
She married on Saturday => She married on Saturday 28 March 2026
It is tomorrow at 5pm => It is on 1 April 2026 at 5pm
Last summer I swam => In the summer of 2025 I swam
I ran two weeks ago => I ran around 17 March 2026
I moved three months ago => I moved around December 2025
She retired a year ago => She retired around 2025
I have run since last week => I have run since 23 March 2026
I have not smoked since November => I have not smoked since November 2025
Last night we ate out => On the night of 30 March 2026 we ate out
I have tickets for next Friday => I have tickets for Friday 3 April 2026
We went in May => We went in May 2025
I will marry next year => I will marry in 2027
On the interview: it is on 14 April at 10am => On the interview: it is on 14 April 2026 at 10am
I must be out by the end of June => I must be out by the end of June 2026
I ran a race at the weekend => I ran a race on the weekend of 28 March 2026
I've got an interview on 14 April => I've got an interview on 14 April 2026
My birthday is tomorrow => My birthday is on 1 April
My shift starts at 6 on Friday => My shift starts on Friday 3 April 2026 at 6
I met her at about 7 pm yesterday => I met her on 30 March 2026 about 7 pm
She usually swims, but I saw her there on Saturday => She usually swims, but I saw her there on Saturday 28 March 2026
She left. Yesterday we spoke => She left. On 30 March 2026 we spoke
My big day is tomorrow => My big day is on 1 April 2026
It is on Friday 3 April => It is on Friday 3 April 2026
It is on Friday, 3 April at 10 => It is on Friday, 3 April 2026 at 10
We met on Monday 2 March => We met on Monday 2 March 2026
We marry on 5 June next year => We marry on 5 June 2027
We met in May last year => We met in May 2025
I quit TODAY => I quit on 31 March 2026
"""
KEPT = """
My birthday is on 4 June
I work on Mondays
I rehearse on Tuesday nights
I run every Sunday
In May we always go sailing
I have lived here since 2015
I did a lot over the last two years
Last year's party was better
I was ill recently
I usually eat fish on Friday
I always go on holiday in August
We meet on Monday at 9 every week
She goes to church on Sunday
My favourite day is Saturday
My bin day is Thursday
It is on Friday 3 April 2026
I like the song Yesterday
I watched "The Day After Tomorrow"
I loved the film The Day After Tomorrow
I read Last Year in Marienbad
I work at Sunday Times
My friend Wednesday is goth
"""


@pytest.mark.parametrize("line", SETTLED.strip().splitlines())
def test_a_day_is_written_out(line: str) -> None:
    text, wanted = line.split(" => ")
    assert settle(text, find_times(text, AT)) == wanted


@pytest.mark.parametrize("text", KEPT.strip().splitlines())
def test_what_reads_the_same_in_a_year_is_kept(text: str) -> None:
    assert settle(text, find_times(text, AT)) == text


@pytest.mark.parametrize(
    "text", ["I moved to Leeds yesterday.", "I ran a marathon two weeks ago.", "I quit last week."]
)
def test_the_gate_knows_the_date_and_the_quote_keeps_the_words(text: str) -> None:
    turn = Turn(1, 1, AT, text, "", "lite")
    draft = SemanticDraft(settle(text, find_times(text, AT)), (), quote=text)
    assert "2026" in draft.content
    judged = judge(draft, turn, (), lambda _: False)
    assert isinstance(judged, Admitted)
    assert judged.quote in text
    assert "2026" not in judged.quote
