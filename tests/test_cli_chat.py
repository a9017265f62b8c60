"""`persona chat` with the built-in model: one message, a pipe, pictures, and what a person does wrong."""

import json
from pathlib import Path

import pytest
from PIL import Image

from persona_cli.cli.interactive import parse_paths
from persona_cli.paths import find_places
from tests.terminal import persona, persona_process, persona_typed

pytestmark = pytest.mark.usefixtures("weights")

DOG = "My dog is called Biscuit."
ASKS = "What is my dog called?"


def picture(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    """Draw something with a shape, so that it is known again when it is resized."""
    drawn = Image.new("RGB", size, "white")
    drawn.paste((20, 60, 200), (0, 0, size[0] // 2, size[1] // 3))
    drawn.paste((200, 30, 30), (size[0] // 2, size[1] // 2, size[0], size[1]))
    drawn.save(path)
    return path


def test_it_remembers_from_one_process_to_the_next() -> None:
    told = persona_process("chat", DOG)
    assert told.code == 0
    asked = persona_process("chat", ASKS)
    assert "Biscuit" in asked.out
    assert (told.err, asked.err) == ("", "")


def test_a_message_from_a_pipe() -> None:
    assert persona("chat", stdin=f"{DOG}\n").code == 0
    assert "Biscuit" in persona("chat", stdin=f"{ASKS}\n").out


@pytest.mark.parametrize(
    ("name", "address", "says"),
    [("server", "http://127.0.0.1:1/v1", "cannot be reached"), ("nowhere", "", "not installed")],
)
def test_what_was_said_to_a_model_that_does_not_open_is_kept_and_learnt_later(
    name: str, address: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persona_cli.model.engines.server.RETRIES", 0)
    with monkeypatch.context() as broken:
        broken.setenv("PERSONA_MODEL_NAME", name)
        broken.setenv("PERSONA_SERVER_URL", address)
        failed = persona("chat", DOG)
    assert failed.code == 4
    assert says in failed.error
    why = persona("why").out
    assert DOG in why
    assert says in why
    assert "Biscuit" in persona("chat", ASKS).out


def test_nothing_but_the_answer_on_standard_output() -> None:
    ran = persona_process("chat", DOG, "--show-thinking")
    assert "\x1b" not in ran.out + ran.err
    assert ran.out.strip()
    asked = persona_process("chat", ASKS, "--show-thinking")
    assert "searches for" in asked.err
    assert "searches for" not in asked.out


def test_json_is_one_document() -> None:
    persona("chat", DOG)
    turn = persona("chat", ASKS, "--json").json
    assert set(turn) == {"turn", "model", "answer", "thoughts", "retrievals", "recalled", "notices"}
    assert turn["turn"] == "m2"
    assert turn["model"] == "lite"
    assert "Biscuit" in turn["answer"]
    assert turn["retrievals"]


def test_without_memory_nothing_is_read_or_kept(tmp_path: Path) -> None:
    persona("chat", DOG)
    ran = persona("chat", ASKS, "--no-memory", "--json", "--image", str(picture(tmp_path / "x.png")))
    assert ran.json["turn"] is None
    assert "Biscuit" not in ran.json["answer"]
    assert len(persona("memory", "list", "-k", "message", "--json").json) == 1
    assert persona("memory", "list", "-k", "image", "--json").json == []


def test_forced_retrieval() -> None:
    persona("chat", DOG)
    assert persona("chat", "Good morning!", "--force-retrieve", "--json").json["retrievals"]


def test_a_picture_is_known_again_at_half_its_size(tmp_path: Path) -> None:
    whole = picture(tmp_path / "my dog.png", (400, 300))
    assert persona("chat", "this is Biscuit, my dog", "--image", str(whole)).code == 0
    half = tmp_path / "half.jpg"
    with Image.open(whole) as opened:
        opened.resize((200, 150)).save(half, quality=80)
    assert "Biscuit" in persona("chat", "who is this?", "--image", str(half)).out


def test_several_pictures(tmp_path: Path) -> None:
    first, second = picture(tmp_path / "1.png"), picture(tmp_path / "2.png", (48, 64))
    ran = persona("chat", "Two pictures of my garden.", "--image", str(first), "--image", str(second))
    assert ran.code == 0
    assert len(persona("memory", "show", "m1", "--json").json["record"]["images"]) == 2


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no file"),
        (lambda path: path.write_text("not a picture", encoding="utf-8"), "not a picture"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: picture(path).write_bytes(path.read_bytes()[:60]), "x.png"),
    ],
    ids=["missing", "text", "empty", "directory", "truncated"],
)
def test_what_is_no_picture(make: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    make(path)  # type: ignore[operator] # one of the lambdas above
    ran = persona("chat", "look", "--image", str(path))
    assert ran.code == 2
    assert says in ran.error
    assert persona("memory", "list", "-k", "message", "--json").json == []


@pytest.mark.parametrize("message", ["", "  \n "])
def test_an_empty_message(message: str) -> None:
    assert "empty" in persona("chat", message).error
    ran = persona("chat", stdin=message)
    assert ran.code == 2
    assert "empty" in ran.error


def test_a_message_that_is_much_too_long() -> None:
    for ran in (persona("chat", "a" * 100_000), persona("chat", stdin="a" * 100_000)):
        assert ran.code == 2
        assert "100,000" in ran.error
        assert "20,000" in ran.error


def test_a_pipe_that_is_no_text() -> None:
    ran = persona_process("chat", stdin=b"\xff\xfe\x00\x80" * 10)
    assert ran.code == 2
    assert "no text" in ran.error


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_in_a_pipe_is_told_for_what_it_is(encoding: str) -> None:
    ran = persona_process("chat", stdin="I like tea".encode(encoding))
    assert ran.code == 2
    assert "iconv" in ran.err


@pytest.mark.parametrize("command", [["import", f"{'a' * 300}.jsonl"], ["export", "a" * 300], ["restore", "a" * 300]])
def test_a_name_that_is_too_long_is_an_error_of_its_own(command: list[str]) -> None:
    ran = persona_process(*command)
    assert (ran.code, "too long" in ran.err) == (2, True)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_a_path_in_the_chat_that_can_be_no_file_is_taken_as_it_is(name: str) -> None:
    assert parse_paths(name) == (Path(name),)


def test_control_characters_do_not_reach_the_terminal() -> None:
    ran = persona("chat", "My cat is called \x1b[31mRed\x1b[0m\x07.")
    assert ran.code == 0
    assert "\x1b" not in ran.out + persona("memory", "list", "-k", "message", "-k", "semantic").out


def test_a_model_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_MODEL_NAME", "gpt-17")
    ran = persona("chat", "hello")
    assert ran.code == 4
    assert "gpt-17" in ran.error


@pytest.mark.parametrize("place", ["/proc/persona", "a file"])
def test_a_home_that_cannot_be_written(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "a file":
        (tmp_path / "file").write_text("", encoding="utf-8")
        place = str(tmp_path / "file")
    monkeypatch.setenv("PERSONA_HOME", place)
    ran = persona("chat", "hello")
    assert ran.code == 3
    assert place in ran.error


def test_the_turn_is_remembered_before_the_process_ends() -> None:
    persona("chat", DOG)
    assert any("Biscuit" in row["text"] for row in persona("memory", "list", "-k", "semantic", "--json").json)
    assert json.loads(persona("profile", "--json").out)["pending"] == 0
    assert find_places().database.stat().st_mode & 0o077 == 0


def test_why_explains_the_last_answer() -> None:
    persona("chat", DOG)
    persona("chat", ASKS)
    shown = persona("why").out
    assert ASKS in shown
    assert "Search 1:" in shown
    assert persona("why", "m1", "--json").json["turn"]["user"] == DOG


@pytest.mark.parametrize(("turn", "says"), [("m99", "99"), ("tea", "'tea'"), ("s1", "s1")])
def test_why_of_no_turn(turn: str, says: str) -> None:
    ran = persona("why", turn)
    assert ran.code == 2
    assert says in ran.error


@pytest.mark.parametrize("agreed", [False, True])
def test_a_conversation_whose_model_cannot_be_opened_asks_before_another_takes_its_place(
    weights: Path, agreed: bool
) -> None:
    typed = "y\nI have a parrot.\n/quit\n" if agreed else "n\n"
    code, screen = persona_typed("chat", typed=typed, env={"PERSONA_MODEL_NAME": "nothere"})
    assert "error: the model nothere is not installed" in screen
    assert "`persona model list` shows" in screen
    assert "Talk to the built-in model this once?" in screen
    told = persona("memory", "list", "--kind", "message", "--json").json
    if not agreed:
        assert (code, told) == (4, [])
        return
    assert code == 0, screen
    assert "in place of nothere" in " ".join(screen.split())
    assert [(one["record"]["user"], one["record"]["model"]) for one in told] == [("I have a parrot.", "lite")]


def test_what_is_no_picture_is_said_before_the_message_is_written(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    good = picture(tmp_path / "dog.png")
    typed = f"/image {good} {tmp_path}/notes.txt\n/image {good}\nThis is Biscuit, my dog.\n/quit\n"
    code, screen = persona_typed("chat", typed=typed)
    assert code == 0, screen
    said = " ".join(screen.split())
    assert said.index("is not a picture") < said.index("1 picture to be shown") < said.rindex("Biscuit")
    [told] = persona("memory", "list", "--kind", "message", "--json").json
    assert len(told["record"]["images"]) == 1
