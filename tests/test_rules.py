"""The tables of the rules of change, held to their own examples."""

from __future__ import annotations

import tomllib

import pytest

from persona_cli.remembering.change import RULES
from persona_cli.remembering.rules.endings import WAYS, ended
from persona_cli.remembering.rules.signs import SIGNS, STATES, signs

ENTRIES = [(path, name) for path in (SIGNS, STATES) for name in signs(path)]
ENDINGS = tomllib.loads(WAYS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("path", "name"), ENTRIES, ids=lambda value: value if isinstance(value, str) else value.stem)
def test_an_entry_is_shown_by_its_examples_and_by_no_counterexample(path: object, name: str) -> None:
    entry = next(table for table in (signs(SIGNS), signs(STATES)) if name in table)[name]
    assert entry.yes
    assert entry.no
    assert [text for text in entry.yes if not entry.pattern.search(text)] == []
    assert [text for text in entry.no if entry.pattern.search(text)] == []


def test_a_state_ends_states_there_are_and_tells_how_to_find_them() -> None:
    table = signs(STATES)
    over = {name for state in table.values() for name in state.ends}
    assert over <= table.keys()
    assert [name for name in over if not table[name].searched] == []


@pytest.mark.parametrize("family", ENDINGS["yes"])
def test_a_family_of_endings_hears_its_examples_and_no_counterexample(family: str) -> None:
    for said, thing in ENDINGS["yes"][family].items():
        assert thing in [ending.thing for ending in ended(said)], said
    for said in ENDINGS["no"][family]:
        assert ended(said) == (), said


def test_every_family_of_endings_has_examples() -> None:
    families = {"denied", *ENDINGS["over"], *ENDINGS["begun"]}
    assert ENDINGS["yes"].keys() == ENDINGS["no"].keys() == families


def test_the_rules_of_change_have_an_order_and_each_a_name_of_its_own() -> None:
    names = [name for name, _ in RULES]
    assert names == [
        "same slot",
        "explicit ending",
        "denial",
        "state that rules another out",
        "correction",
        "return to a former state",
        "named by the model",
        "by its meaning",
    ]
