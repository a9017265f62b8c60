"""The corpus keeps its format, and what is trained is trained on none of the batch held back."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.reading.completion import completed
from models.reading.corpus import HELD_BACK, HERE, FormatError, batches, counts, faults, parse_example, read_batch


@pytest.mark.parametrize("folder", sorted(HERE.glob("?")), ids=lambda folder: folder.name)
def test_every_batch_keeps_the_format(folder: Path) -> None:
    assert not list(faults(folder))
    counted = counts(read_batch(folder))
    assert counted["messages"] > 200
    assert all(counted[f"pair {label}"] > 10 for label in ("ends", "adds", "unrelated"))


def test_the_batches_are_six_and_one_is_held_back() -> None:
    assert [batch.name for batch in batches()] == ["a", "b", "c", "d", "e", HELD_BACK]


def test_a_line_becomes_an_example() -> None:
    example = parse_example(
        "tell 3 health+family @Old_Sam unsure t:N+ | [Sam|person] is allergic to [peanuts|value=allergy]"
    )
    assert example.text == "Sam is allergic to peanuts"
    assert (example.act, example.worth, example.subject, example.unsure) == ("tell", 3, "Old Sam", True)
    assert example.kinds == {"health", "family"}
    assert [(example.text[s.start : s.end], s.label, s.slot) for s in example.spans] == [
        ("Sam", "person", ""),
        ("peanuts", "value", "allergy"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "tell 3 no bar",
        "say 3 | x",
        "ask | x",
        "ask:whose | x",
        "tell:what | x",
        "tell 4 | x",
        "tell helth | x",
        "tell t:Q+ | x",
        "tell | [x|name]",
        "tell | [x|value=nothing]",
        "tell | a ] b",
    ],
)
def test_what_breaks_the_format_is_named(line: str) -> None:
    with pytest.raises(FormatError):
        parse_example(line)


def test_faults_name_the_file_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "messages.txt").write_text("# who: x\n\nsay 0 | x\n")
    (tmp_path / "pairs.txt").write_text("same | a\nsame | a | b\n")
    (tmp_path / "traits.txt").write_text("X+ | a\n- | a\n")
    assert [fault.split("/")[1].split(" ")[0] for fault in faults(tmp_path)] == [
        "messages.txt:3:",
        "pairs.txt:1:",
        "traits.txt:1:",
    ]


def test_a_name_marked_once_is_marked_wherever_the_person_writes_it(tmp_path: Path) -> None:
    (tmp_path / "messages.txt").write_text(
        "# who: x\ntell 3 @Philippa | [Philippa|person] rang\n\n"
        "tell 3 @Philippa | Philippa has found a [lump|value=illness]\n"
        "tell 2 @sister | my sister knows\n# who: y\ntell 2 @none | Philippa is a street\n"
    )
    found = [
        [example.text[span.start : span.end] for span in example.spans]
        for message in completed(read_batch(tmp_path)).messages
        for example in message
    ]
    assert found == [["Philippa"], ["Philippa", "lump"], ["sister"], []]
