"""`persona export` and `persona import`: out and in again without a loss, and transcripts of other assistants."""

import json
import os
import stat
from pathlib import Path

import pytest

from persona_cli.cli.sealed import opened, written
from persona_cli.errors import TransferError
from persona_cli.paths import find_places
from tests.terminal import persona, persona_typed
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
    ran = persona("import", str(lived / "all.jsonl"), "--mine")
    assert ran.code == 0, ran.err
    assert everything() == before
    assert persona("doctor").code == 0
    assert persona("export", str(lived / "again.jsonl")).code == 0
    first, again = ((lived / name).read_bytes().splitlines() for name in ("all.jsonl", "again.jsonl"))
    # the last line is signed, and by another key there
    assert again[:-1] == first[:-1]


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
        lambda text: text.replace('"version":2', '"version":99'),
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
        ('{"time": ' + "9" * 5_000 + ', "user": "hello"}', "too many digits"),
        ("[" * 90_000, "too deep"),
        ("[" * 200_000, "100,000 characters"),
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


def test_what_another_machine_sends_is_ones_own_only_if_one_says_so(
    lived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persona("export", str(lived / "all.jsonl"))

    def author_after(home: str, *options: str) -> str:
        monkeypatch.setenv("PERSONA_HOME", str(lived / home))
        ran = persona("import", str(lived / "all.jsonl"), *options)
        assert ran.code == 0, ran.err
        facts = persona("memory", "list", "-k", "semantic", "--json").json
        return next(str(fact["record"]["author"]) for fact in facts if "peanuts" in fact["text"])

    assert author_after("stranger") == "model"
    assert author_after("mine", "--mine") == "person"


def test_what_was_exported_here_is_known_again(lived: Path) -> None:
    persona("export", str(lived / "all.jsonl"))
    before = everything()
    ran = persona("--user", "again", "import", str(lived / "all.jsonl"))
    assert "written by hand" not in ran.err
    facts = persona("--user", "again", "memory", "list", "-k", "semantic", "--json").json
    assert [fact["record"]["author"] for fact in facts if "peanuts" in fact["text"]] == ["person"]
    assert everything() == before


def test_at_a_terminal_it_is_asked_whose_an_export_is(lived: Path) -> None:
    persona("export", str(lived / "all.jsonl"))
    new = {"PERSONA_HOME": str(lived / "asked")}
    code, seen = persona_typed("import", str(lived / "all.jsonl"), typed="y\n", env=new)
    assert code == 0, seen
    assert "Is it your own" in seen
    assert "written by hand elsewhere" not in seen


def test_an_export_sealed_with_a_passphrase(lived: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()
    sealed = lived / "all.jsonl.age"
    assert persona("export", str(sealed), "--encrypt").code == 2
    assert not sealed.exists()
    monkeypatch.setenv("PERSONA_PASSPHRASE", "several words that nobody guesses")
    assert persona("export", str(sealed), "--encrypt").code == 0
    content = sealed.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n")
    assert b"Bruges" not in content
    monkeypatch.setenv("PERSONA_HOME", str(lived / "new home"))
    monkeypatch.setenv("PERSONA_PASSPHRASE", "another one")
    assert persona("import", str(sealed)).code == 5
    (lived / "changed.age").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setenv("PERSONA_PASSPHRASE", "several words that nobody guesses")
    assert persona("import", str(lived / "changed.age")).code == 5
    assert persona("import", str(sealed), "--mine").code == 0
    assert everything() == before


def test_what_memory_has_no_room_to_seal_is_refused_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_PASSPHRASE", "several words that nobody guesses")
    large, piece = tmp_path / "all.age", bytes(1 << 20)

    def fill(file: Path) -> None:
        with written(file, force=False, encrypt=True) as out:
            for _ in range(40):
                out.write(piece)

    fill(large)
    monkeypatch.setattr("persona_cli.model.weights.free_memory", lambda: 60_000_000)
    with pytest.raises(TransferError, match="are free") as opening:
        opened(large)
    assert "age -d" in opening.value.fix
    with pytest.raises(TransferError, match="are free"):
        fill(tmp_path / "b")
    assert not (tmp_path / "b").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_passphrase_is_asked_for_twice(lived: Path) -> None:
    good = "one of several words"
    asked = [("Passphrase: ", good), ("confirmation: ", "a slip"), ("Passphrase: ", good), ("confirmation: ", good)]
    code, seen = persona_typed("export", str(lived / "all.age"), "--encrypt", replies=asked)
    assert code == 0, seen
    assert (lived / "all.age").read_bytes().startswith(b"age-encryption.org/v1\n")
    new = {"PERSONA_HOME": str(lived / "new")}
    code, seen = persona_typed("import", str(lived / "all.age"), "--mine", replies=[("all.age: ", good)], env=new)
    assert code == 0, seen
    assert good not in seen


@pytest.mark.parametrize("command", ["import", "restore", "model add"])
def test_what_may_never_end_is_not_read(command: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    for place in (tmp_path / "pipe.gguf", Path("/dev/zero")):
        ran = persona(*command.split(), str(place), *(["--yes"] if command == "restore" else []))
        assert ran.code in (2, 4, 5), ran.err
