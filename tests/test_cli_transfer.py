"""`persona export` and `persona import`: out and in again without a loss, and transcripts of other assistants."""

import json
import stat
from pathlib import Path

import pytest

from persona_cli.paths import find_places
from tests.terminal import persona
from tests.test_cli_chat import picture

pytestmark = pytest.mark.usefixtures("weights")

LINES = (
    {"time": "2024-05-12T18:30:00+02:00", "user": "My name is Ada and I live in Ghent.", "assistant": "Hello Ada!"},
    {"time": "2024-05-12T18:32:00+02:00", "user": "My brother Karl is a baker.", "assistant": "How nice."},
    {"time": "2024-05-20T09:00:00+02:00", "user": "I moved to Bruges.", "assistant": "Congratulations!"},
)


def transcript(path: Path, *extra: str) -> Path:
    path.write_text("\n".join([*map(json.dumps, LINES), *extra]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def lived(tmp_path: Path) -> Path:
    """Give a memory with facts that changed, a picture, readings and closed sessions."""
    shown = picture(tmp_path / "a dog.png")
    line = {
        "time": "2024-06-01 10:00",
        "user": "This is Max, my dog.",
        "assistant": "Hello Max!",
        "images": [shown.name],
    }
    ran = persona("import", str(transcript(tmp_path / "life.jsonl", json.dumps(line))))
    assert ran.code == 0, ran.err
    persona("memory", "add", "I am allergic to peanuts.")
    assert persona("update", "--close").code == 0
    return tmp_path


def everything() -> list[object]:
    """Return all a person can see."""
    commands = (
        ["memory", "list", "--all", "-n", "1000", "-k", "semantic", "-k", "core", "-k", "episodic"],
        ["memory", "list", "--all", "-n", "1000", "-k", "procedural", "-k", "message", "-k", "image"],
        ["profile"],
        ["profile", "--history"],
        ["why", "m1"],
    )
    # scores count how long ago something was, so of a search only the order is the same a moment later
    hits = persona("memory", "search", "where do I live?", "--json").json["hits"]
    return [*(persona(*command, "--json").json for command in commands), [hit["id"] for hit in hits]]


def test_an_export_comes_back_exactly(lived: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()
    assert persona("export", str(lived / "all.jsonl")).code == 0
    monkeypatch.setenv("PERSONA_HOME", str(lived / "new home"))
    ran = persona("import", str(lived / "all.jsonl"))
    assert ran.code == 0, ran.err
    assert everything() == before
    assert persona("doctor").code == 0
    assert persona("export", str(lived / "again.jsonl")).code == 0
    assert (lived / "again.jsonl").read_bytes() == (lived / "all.jsonl").read_bytes()


def test_an_export_is_private_and_not_overwritten(lived: Path) -> None:
    file = lived / "all.jsonl"
    assert persona("export", str(file)).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ran = persona("export", str(file))
    assert ran.code == 2
    assert "--force" in ran.err
    assert persona("export", str(file), "--force").code == 0
    assert [path.name for path in lived.glob(".*")] == []


def test_an_export_to_standard_output_is_nothing_else(lived: Path) -> None:
    ran = persona("export")
    assert json.loads(ran.out.splitlines()[0])["format"] == "persona-export"
    persona("export", str(lived / "file.jsonl"))
    assert (lived / "file.jsonl").read_text(encoding="utf-8") == ran.out


def test_markdown_is_for_reading(lived: Path) -> None:
    shown = persona("export", "--format", "markdown").out
    for words in ("Bruges", "Karl", "peanuts", "### 2024-05-20", "Congratulations!"):
        assert words in shown
    assert persona("export", str(lived / "life.md")).code == 0
    assert (lived / "life.md").read_text(encoding="utf-8") == shown


def test_an_export_is_not_mixed_into_another_memory(lived: Path) -> None:
    persona("export", str(lived / "all.jsonl"))
    before = everything()
    ran = persona("import", str(lived / "all.jsonl"))
    assert ran.code == 5
    assert "--user" in ran.err
    assert everything() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "\n".join(text.splitlines()[:-1]),
        lambda text: text.replace('"table":"turn"', '"table":"nothing"'),
        lambda text: text.replace('"content":"', '"content":"AAAA'),
        lambda text: text.replace('"version":1', '"version":99'),
        lambda text: text + "[]\n",
    ],
    ids=["half", "the last line missing", "an unknown table", "another picture", "of the future", "no object"],
)
def test_a_damaged_export_leaves_nothing_behind(damage: object, lived: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = persona("export").out
    file = lived / "damaged.jsonl"
    file.write_text(damage(whole), encoding="utf-8")  # type: ignore[operator] # one of the lambdas above
    assert file.read_text(encoding="utf-8") != whole
    monkeypatch.setenv("PERSONA_HOME", str(lived / "new home"))
    ran = persona("import", str(file))
    assert ran.code == 5
    assert ran.error
    assert persona("memory", "list", "-k", "message", "--json").json == []
    assert not [path for path in find_places().media.rglob("*") if path.is_file()]


def test_a_transcript_is_replayed_at_its_own_times(lived: Path) -> None:
    turns = persona("memory", "list", "-k", "message", "--json").json
    assert [turn["record"]["answer"] for turn in reversed(turns)] == [
        *(line["assistant"] for line in LINES),
        "Hello Max!",
    ]
    assert turns[-1]["at"].startswith("2024-05-12T")
    facts = persona("memory", "list", "-k", "semantic", "--since", "2024-05-01", "--until", "2024-05-31", "--json").json
    assert any("Karl" in fact["text"] for fact in facts)
    assert persona("memory", "list", "-k", "episodic", "--json").json


def test_a_transcript_may_be_imported_again(lived: Path) -> None:
    before = everything()
    ran = persona("import", str(lived / "life.jsonl"), "--json")
    assert (ran.json["added"], ran.json["known"]) == (0, 4)
    assert everything() == before


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "line 4"),
        ('["a", "list"]', "line 4"),
        ('{"user": "no time"}', "line 4"),
        ('{"time": "someday", "user": "hello"}', "'someday'"),
        ('{"time": 20240512, "user": "hello"}', "time"),
        ('{"time": ' + "9" * 5_000 + ', "user": "hello"}', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"time": "2024-05-12 10:00", "user": 7}', "user"),
        ('{"time": "2024-05-12 10:00", "user": "a", "asistant": "b"}', "line 4"),
        ('{"time": "2024-05-12 10:00", "user": "a", "images": "x.png"}', "images"),
        ('{"time": "2024-05-12 10:00", "user": "a", "images": ["none.png"]}', "none.png"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_stored(line: str, says: str, tmp_path: Path) -> None:
    ran = persona("import", str(transcript(tmp_path / "life.jsonl", line)))
    assert ran.code == 5
    assert says in ran.error
    assert "line 4" in ran.error
    assert persona("memory", "list", "-k", "message", "--json").json == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no file"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"\x89PNG\xff\xfe"), "UTF-8"),
    ],
    ids=["missing", "directory", "empty", "binary"],
)
def test_what_cannot_be_imported(make: object, says: str, tmp_path: Path) -> None:
    make(tmp_path / "x")  # type: ignore[operator] # one of the lambdas above
    ran = persona("import", str(tmp_path / "x"))
    assert ran.code == 5
    assert says in ran.error


def test_a_transcript_with_a_broken_picture(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture", encoding="utf-8")
    line = '{"time": "2024-06-12 10:00", "user": "a", "images": ["x.png"]}'
    ran = persona("import", str(transcript(tmp_path / "life.jsonl", line)))
    assert ran.code == 5
    assert "x.png" in ran.error


def test_an_export_to_a_place_that_is_not_there() -> None:
    ran = persona("export", "/nowhere/at/all.jsonl")
    assert ran.code == 3
    assert "/nowhere/at/all.jsonl" in ran.error
