"""`persona memory`: what a person can look at, write, change and delete."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from persona_cli.paths import find_places
from tests.terminal import persona

pytestmark = pytest.mark.usefixtures("weights")

TEA = "I drink green tea every morning."
SISTER = "My sister lives in Lisbon."


def add(text: str) -> str:
    ran = persona("memory", "add", text)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    script = tmp_path / "editor.py"
    script.write_text(f"import sys, pathlib\nfile = pathlib.Path(sys.argv[1])\n{code}\n", encoding="utf-8")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.delenv("VISUAL", raising=False)


def test_an_empty_memory_says_so() -> None:
    for command in (["memory", "list"], ["memory", "search", "tea"], ["profile", "--history"]):
        ran = persona(*command)
        assert ran.code == 0
        assert ran.out == ""
        assert ran.err != ""


def test_what_is_added_is_found_by_words_and_by_meaning() -> None:
    tea, sister = add(TEA), add(SISTER)
    assert persona("memory", "search", "green", "tea", "--json").json["hits"][0]["id"] == tea
    assert persona("memory", "search", "Where does my sibling live?", "--json").json["hits"][0]["id"] == sister


def test_adding_it_again_is_seen_again() -> None:
    assert add(TEA) == add("i drink green tea every morning")
    assert len(persona("memory", "list", "--json").json) == 1
    assert "said 2 times" in persona("memory", "list").out


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_cannot_be_added_or_searched(text: str) -> None:
    assert persona("memory", "add", text).code == 2
    assert persona("memory", "search", text).code == 2


def test_show_has_the_words_and_where_they_came_from() -> None:
    name = add(TEA)
    shown = persona("memory", "show", name).out
    assert TEA in shown
    assert "written by you" in shown
    assert persona("memory", "show", name, "--json").json["record"]["author"] == "person"


@pytest.mark.parametrize("command", ["show", "edit", "forget"])
@pytest.mark.parametrize(("name", "says"), [("s99", "s99"), ("tea", "'tea'"), ("s", "'s'"), ("x1", "'x1'")])
def test_a_name_nothing_has(command: str, name: str, says: str) -> None:
    ran = persona("memory", command, name)
    assert ran.code == 2
    assert says in ran.error


def test_kinds_and_limits() -> None:
    for number in range(4):
        add(f"Fact number {number} is about rivers.")
    assert len(persona("memory", "list", "-n", "2", "--json").json) == 2
    assert persona("memory", "list", "--kind", "core", "--json").json == []
    assert len(persona("memory", "list", "-k", "core", "-k", "semantic", "--json").json) == 4
    assert len(persona("memory", "search", "rivers", "--limit", "3", "--json").json["hits"]) == 3


@pytest.mark.parametrize(
    ("window", "found"),
    [
        (["--since", "today"], 1),
        (["--since", "yesterday"], 1),
        (["--until", "yesterday"], 0),
        (["--since", "2 weeks ago", "--until", "2 days ago"], 0),
        (["--since", "2020-01-01"], 1),
        (["--until", "2020-01-01"], 0),
    ],
)
def test_windows_take_dates_and_time_words(window: list[str], found: int) -> None:
    add(TEA)
    assert len(persona("memory", "list", "--json", *window).json) == found
    assert len(persona("memory", "search", "tea", "--json", *window).json["hits"]) == found


@pytest.mark.parametrize(
    ("window", "says"),
    [(["--since", "blue"], "'blue'"), (["--since", "2026-05-02", "--until", "2026-05-01"], "not before")],
)
def test_windows_that_are_none(window: list[str], says: str) -> None:
    ran = persona("memory", "list", *window)
    assert ran.code == 2
    assert says in ran.error


def test_a_search_takes_what_is_remembered_for_a_time() -> None:
    add("I moved to Lisbon in March 2020.")
    tea = add(TEA)
    found = persona("memory", "search", "tea", "--json", "--since", "I moved to Lisbon").json
    assert found["window"]["start"].startswith("2020-03-01")
    assert found["hits"][0]["id"] == tea
    shown = persona("memory", "search", "which tea have I drunk since I moved to Lisbon?", "--explain")
    source = "since I moved to Lisbon, in March 2020 (you said “I moved to Lisbon in March 2020.” today)"
    assert source in " ".join(shown.err.split())
    unknown = persona("memory", "search", "tea", "--since", "I met Bruno")
    assert unknown.code == 2
    assert "is no time persona knows" in unknown.error


def test_explain_shows_scores_that_add_up() -> None:
    add(TEA)
    found = persona("memory", "search", "tea", "--json").json
    hit = found["hits"][0]
    assert found["backend"].startswith("exact")
    assert sum(hit["lanes"].values()) == pytest.approx(hit["score"])
    shown = persona("memory", "search", "tea", "--explain").out
    assert f"{hit['score']:.2f} = " in shown


def test_edit_changes_the_words_and_what_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = add(TEA)
    editor(tmp_path, monkeypatch, "file.write_text(file.read_text().replace('green tea', 'black coffee'))")
    assert persona("memory", "edit", name).code == 0
    assert "black coffee" in persona("memory", "show", name).out
    assert persona("memory", "search", "coffee", "--json").json["hits"][0]["id"] == name


def test_an_edit_that_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = add(TEA)
    editor(tmp_path, monkeypatch, "pass")
    ran = persona("memory", "edit", name)
    assert ran.code == 0
    assert "Nothing was changed" in ran.err


@pytest.mark.parametrize(
    "code",
    [
        "file.write_text('text = \"no end')",
        "file.write_text('about = \"user\"')",
        "file.write_text(file.read_text().replace('I drink green tea every morning.', ''))",
        "sys.exit(3)",
    ],
    ids=["broken", "a field left out", "no text", "the editor fails"],
)
def test_an_edit_that_cannot_be_used_leaves_the_memory(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = add(TEA)
    editor(tmp_path, monkeypatch, code)
    assert persona("memory", "edit", name).code == 2
    assert TEA in persona("memory", "show", name).out


def test_forget_asks_first() -> None:
    name = add(TEA)
    ran = persona("memory", "forget", name, stdin="n\n")
    assert ran.code == 1
    assert TEA in ran.err + ran.out
    assert persona("memory", "show", name).code == 0


def test_forget_without_an_answer_deletes_nothing() -> None:
    name = add(TEA)
    assert persona("memory", "forget", name, stdin="").code == 1
    assert persona("memory", "show", name).code == 0


@pytest.mark.parametrize(("options", "stdin"), [([], "y\n"), (["--yes"], "")])
def test_forgotten_is_gone_everywhere_and_receipted(options: list[str], stdin: str) -> None:
    tea, sister = add(TEA), add(SISTER)
    persona("memory", "search", "tea")
    ran = persona("memory", "forget", tea, *options, stdin=stdin)
    assert ran.code == 0
    assert f"{tea} is deleted: 1 semantic" in ran.err
    assert persona("memory", "show", tea).code == 2
    assert tea not in [hit["id"] for hit in persona("memory", "search", "tea", "--json").json["hits"]]
    assert persona("memory", "show", sister).code == 0
    assert persona("doctor").code == 0


def test_a_forgotten_message_takes_its_picture_along(tmp_path: Path) -> None:
    photo = tmp_path / "a photo.png"
    Image.new("RGB", (80, 60), "green").save(photo)
    assert persona("chat", "this is Max, my dog", "--image", str(photo)).code == 0
    media = find_places().media
    assert [path for path in media.rglob("*") if path.is_file()]
    assert persona("memory", "forget", "m1", "--yes").code == 0
    assert not [path for path in media.rglob("*") if path.is_file()]
    assert persona("memory", "list", "-k", "image", "--json").json == []


def test_what_happened_is_not_edited() -> None:
    persona("chat", "I like rain.")
    ran = persona("memory", "edit", "m1")
    assert ran.code == 2
    assert "persona memory forget m1" in ran.err


def test_users_are_kept_apart() -> None:
    assert persona("--user", "ann", "memory", "add", TEA).code == 0
    assert persona("memory", "list", "--json").json == []
    assert len(persona("--user", "ann", "memory", "list", "--json").json) == 1
