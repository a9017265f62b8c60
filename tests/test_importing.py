"""`persona import` of what other services give out: each format once, and the one way all of them take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.exported import chatgpt, chatgpt_files, folder, zipped
from tests.terminal import persona, persona_typed

pytestmark = pytest.mark.usefixtures("weights")


def bring(*arguments: str) -> Any:
    ran = persona("import", *arguments, "--json")
    assert ran.code == 0, ran.err
    return ran.json


def messages() -> list[tuple[str, str]]:
    """Return what was said and answered, oldest first."""
    turns = persona("memory", "list", "-k", "message", "-n", "1000", "--json").json
    return [(turn["record"]["user"], turn["record"]["answer"]) for turn in reversed(turns)]


def left_out(done: Any) -> dict[str, int]:
    counts: dict[str, int] = done["found"]["tally"]["counts"]
    return counts


CHATGPT = [
    ("I live in Brussels, I mean.", "Noted: Brussels."),
    ("My password is [password removed]", ""),
    ("This is my dog Max.", "What a fine dog!"),
    ("He is three years old.", "A good age."),
]


def test_chatgpt_is_read_by_its_active_branch_oldest_first(tmp_path: Path) -> None:
    done = bring(str(zipped(tmp_path / "export.zip", chatgpt_files())))
    found = done["found"]
    assert (found["service"], found["conversations"], found["turns"], found["pictures"]) == ("chatgpt", 2, 4, 1)
    assert left_out(done) == {
        "messages of other branches": 2,
        "conversations not to be remembered": 1,
        "conversations that cannot be read": 1,
        "conversations that are in it twice": 1,
        "messages of the system and of tools": 2,
        "thoughts": 1,
        "hidden messages": 1,
    }
    assert messages() == CHATGPT
    facts = persona("memory", "list", "-k", "semantic", "--json").json
    assert any("Brussels" in fact["text"] for fact in facts)
    assert not any("lovely" in fact["text"] for fact in facts)
    (picture,) = persona("memory", "list", "-k", "image", "--json").json
    assert picture["record"]["width"] == 96
    assert persona("doctor").code == 0


def test_importing_twice_adds_nothing_and_more_only_what_is_new(tmp_path: Path) -> None:
    bring(str(folder(tmp_path / "old", {"conversations.json": chatgpt()[2:], "chat.html": "<html>"})))
    again = bring(str(zipped(tmp_path / "export.zip", chatgpt_files())))
    assert (again["added"], again["known"]) == (2, 2)
    third = bring(str(tmp_path / "export.zip"))
    assert (third["added"], third["known"]) == (0, 4)
    assert messages() == CHATGPT


PIPED = {
    "a list": ("User's dog is called Max.\nPrefers window seats.\n", "memories", ["My dog is called Max."]),
    "JSON": (json.dumps({"results": [{"memory": "Likes tea", "user_id": "a"}]}), "mem0", ["I like tea"]),
    "a transcript": ('{"time": "2024-05-12 18:30", "user": "I live in Ghent."}\n' * 2, "transcript", []),
}


@pytest.mark.parametrize("name", PIPED)
def test_what_is_piped_in_is_recognised_as_a_file_is(name: str) -> None:
    text, service, facts = PIPED[name]
    ran = persona("import", "-", "--dry-run", "--json", stdin=text)
    assert ran.code == 0, ran.err
    assert ran.json["found"]["service"] == service
    ran = persona("import", "-", stdin=text)
    assert ran.code == 0, ran.err
    kept = [fact["text"] for fact in persona("memory", "list", "-k", "semantic", "--json").json]
    assert set(facts) <= set(kept)
    again = persona("import", "-", stdin=text)
    assert "0 imported" in again.err or "0 exchanges imported" in again.err


def test_nothing_piped_in_is_said() -> None:
    ran = persona("import", "-")
    assert ran.code == 5
    assert "nothing came through the pipe" in ran.error
    code, seen = persona_typed("import", "-")
    assert code == 5
    assert "nothing is piped in" in seen


def test_a_text_that_is_nothing_known_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("We went to the sea.\nIt rained.\n", encoding="utf-8")
    ran = persona("import", str(tmp_path / "a.txt"))
    assert ran.code == 5
    assert "--as memories" in ran.err
