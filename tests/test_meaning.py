"""A newer statement ends an older one by its meaning where that is certain; where it is probable, that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from persona_cli.config import Settings
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Embedder, open_embedder
from persona_cli.model.tasks import SemanticDraft
from persona_cli.paths import find_places
from persona_cli.reading.reader import Reader
from persona_cli.remembering.drafts import Remembering
from persona_cli.remembering.meaning import ALONE, ASKED
from tests.agents import NOW

pytestmark = pytest.mark.usefixtures("weights")


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    opened = open_embedder(Settings(), find_places(), print)
    yield opened
    opened.close()


@dataclass(frozen=True)
class Teller:
    """Tells what was said with what a model makes of it, weeks apart."""

    store: Store
    embedder: Embedder
    reader: Reader

    def told(self, *pairs: tuple[str, str]) -> list[str]:
        """Return what has become of each: active, superseded, or asked about."""
        for number, (said, content) in enumerate(pairs):
            at = NOW + timedelta(days=20 * number)
            turn = self.store.turns.add(self.store.sessions.start(at).id, at, said, "", "m")
            remembering = Remembering(self.store, self.embedder, 5, endings=self.reader.endings, read=self.reader.read)
            remembering.remember([SemanticDraft(content, ())], turn, ())
        asked = {conflict.earlier.id for conflict in self.store.conflicts.open()}
        memories = reversed(self.store.semantic.list(None))
        return ["asked" if memory.id in asked else memory.status.value for memory in memories]


@pytest.fixture
def teller(store: Store, embedder: Embedder, reader: Reader) -> Teller:
    return Teller(store, embedder, reader)


TENNIS = ("I play tennis on Sundays.", "The user plays tennis on Sundays.")


SNOOKER = ("I love watching snooker.", "The user loves watching snooker.")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            ("I use an Android phone.", "The user uses an Android phone."),
            ("I traded my phone for an iPhone in May.", "The user has an iPhone."),
        ),
        (
            ("I'm studying maths in Ghent.", "The user studies maths in Ghent."),
            ("I've changed my major, I'm studying physics now.", "The user studies physics."),
        ),
        (
            ("My dentist is Dr Moss.", "The user's dentist is Dr Moss."),
            ("I switched dentists, I'm with Dr Pike now.", "The user's dentist is Dr Pike."),
        ),
        (
            ("I love Fanta.", "The user loves Fanta."),
            ("Fanta is history, give me tonic water now.", "The user now prefers tonic water over Fanta."),
        ),
        (
            ("I work at Halifax.", "The user works at Halifax."),
            ("I've just started my new job at Starling.", "The user has started a new job at Starling."),
        ),
        (
            ("I'm single.", "The user is single."),
            ("I got engaged on Friday!", "The user got engaged."),
        ),
    ],
)
def test_a_change_in_any_words_ends_what_it_is_about(
    teller: Teller, old: tuple[str, str], new: tuple[str, str]
) -> None:
    one, changed, last = teller.told(TENNIS, old, new)
    assert (one, last) == ("active", "active")
    assert changed in ("superseded", "asked")


@pytest.mark.parametrize(
    "new",
    [
        ("I just bought a new racket for tennis.", "The user bought a new racket for tennis."),
        ("I've taken up badminton as well.", "The user has taken up badminton."),
        ("I'm not playing tennis this week.", "The user is not playing tennis this week."),
        ("My sister plays squash now.", "The user's sister plays squash now."),
        ("I might switch from tennis to golf.", "The user might switch to golf."),
    ],
)
def test_something_more_or_passing_or_of_others_ends_nothing(teller: Teller, new: tuple[str, str]) -> None:
    assert teller.told(TENNIS, new)[0] != "superseded"


def drafts(kind: str) -> list[list[str]]:
    lines = (Path(__file__).parent / "data" / "drafts.txt").read_text(encoding="utf-8").splitlines()
    return [line.split(" | ")[1:] for line in lines if line.startswith(f"{kind} |")]


@pytest.mark.parametrize("line", drafts("ends"), ids=" ".join)
def test_what_a_language_model_drafts_ends_what_it_contradicts(teller: Teller, line: list[str]) -> None:
    states = teller.told(SNOOKER, (line[0], line[1]), (line[2], line[3]))
    assert states == ["active", "superseded", "active"]


@pytest.mark.parametrize("line", drafts("asks"), ids=" ".join)
def test_what_probably_ends_by_its_meaning_is_asked(teller: Teller, line: list[str]) -> None:
    assert teller.told(SNOOKER, (line[0], line[1]), (line[2], line[3])) == ["active", "asked", "active"]


@pytest.mark.parametrize("line", drafts("stays"), ids=" ".join)
def test_what_a_language_model_drafts_leaves_the_rest(teller: Teller, line: list[str]) -> None:
    assert "superseded" not in teller.told(SNOOKER, (line[0], line[1]), (line[2], line[3]))


def test_each_old_statement_is_judged_by_itself(reader: Reader) -> None:
    older = ["I live at my brother's.", "My boiled egg takes four minutes."]
    ends, stands = reader.endings("Got the keys to my own place, finally!", older)
    assert ends > ASKED > stands
    assert reader.endings("Got the keys to my own place, finally!", older[1:]).tolist() == [stands]
    assert ALONE > ASKED
