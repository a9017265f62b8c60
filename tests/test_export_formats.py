"""What each service's export is read as: which messages, whose, when, and what is left out and counted."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from persona_cli.errors import TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Note, Options, Tally
from persona_cli.importers.exchanges import Told, stretches
from persona_cli.importers.formats import named, recognised
from persona_cli.importers.markup import plain_text
from persona_cli.importers.open_webui import without_thoughts
from persona_cli.importers.streaming import json_items
from persona_cli.importers.times import DateOrder
from tests import exported
from tests.exported import as_bytes, folder, zip_bytes, zipped

GAP = timedelta(hours=1)
PLAIN = Options()


class Read:
    """An export as it was read."""

    def __init__(self, path: Path, format_: str, options: Options = PLAIN) -> None:
        self.tally = Tally()
        self.notes: list[Note] = []
        self.told: list[list[Told]] = []
        with Bundle(path) as bundle:
            found = recognised(bundle)
            self.format = found.name if found else ""
            for item in named(format_).read(bundle, options, self.tally):
                if isinstance(item, Note):
                    self.notes.append(item)
                else:
                    self.told += stretches(item, format_, GAP, self.tally)

    @property
    def exchanges(self) -> list[tuple[str, str]]:
        return [(told.user, told.answer) for session in self.told for told in session]

    @property
    def left_out(self) -> dict[str, int]:
        return dict(self.tally.counts)


@pytest.mark.parametrize("whole", [True, False], ids=["zip", "folder of zips"])
def test_claude(whole: bool, tmp_path: Path) -> None:
    files = {"conversations.json": exported.claude(), "users.json": [], "memories.json": exported.CLAUDE_NOTES}
    if whole:
        path = zipped(tmp_path / "data.zip", files)
    else:
        parts = {"conversations-000.zip": zip_bytes({"conversations.json": files["conversations.json"]})}
        notes = {"memories/a.json": exported.CLAUDE_NOTES[0]}
        path = folder(tmp_path / "data", {**parts, "memories-000.zip": zip_bytes(notes)})
    read = Read(path, "claude")
    assert read.format == "claude"
    assert read.exchanges == [
        ("I play the viola, not the cello.", "Ah, the viola.\nA long list."),
        ("My sister is called Ida.", "Nice."),
    ]
    assert read.told[0][0].at == datetime(2026, 6, 1, 10, 2, 0, 123456, UTC)
    assert [note.text for note in read.notes] == ["Ada is a nurse in Ghent.", "She works nights.", "She has a dog."]
    assert read.left_out == {
        "messages of other branches": 2,
        "attached files": 1,
        "messages without words or pictures": 1,
        "conversations that cannot be read": 1,
        "memories of projects": 1,
    }


def test_gemini_groups_prompts_by_their_times_oldest_first(tmp_path: Path) -> None:
    path = folder(tmp_path, {"Takeout/My Activity/Gemini Apps/MyActivity.json": exported.gemini()})
    read = Read(path, "gemini")
    assert read.format == "gemini"
    assert [[told.user[:1] for told in session] for session in read.told] == [["C"], ["A", "B"]]
    assert read.exchanges[0] == ("C question, number 2?", "Answer 2.\n\n- one")
    assert read.left_out == {"activity that is no prompt": 1, "answers that were made again": 1}


@pytest.mark.parametrize(
    ("before", "prompts", "said"),
    [
        ("Запит: ", 9, "A question, number 0?"),
        ("Запит: ", 3, "A question, number 0?"),
        ("Has escrito ", 9, "A question, number 0?"),
        # of three the person themselves may have begun all alike
        ("Has escrito ", 3, "Has escrito A question, number 0?"),
    ],
)
def test_gemini_in_another_language(before: str, prompts: int, said: str, tmp_path: Path) -> None:
    activity = exported.gemini(before, "Додатки Gemini", prompts)
    read = Read(folder(tmp_path, {"Takeout/Мої дії/Додатки Gemini/МоїДії.json": activity}), "gemini")
    assert said in [user for user, _ in read.exchanges]
    assert len(read.exchanges) == prompts


def test_gemini_as_a_page(tmp_path: Path) -> None:
    read = Read(folder(tmp_path, {"Takeout/My Activity/Gemini Apps/MyActivity.html": exported.gemini_page()}), "gemini")
    assert read.format == "gemini"
    assert read.exchanges == [
        ("I sail a boat.\nA small one.", "An answer & more."),
        ("<b>bold</b> is a tag?", "An answer & more."),
    ]
    assert read.told[0][0].at == datetime(2025, 11, 12, 15, 4, 5, tzinfo=UTC)
    assert read.left_out == {"prompts whose time cannot be read": 1}


def _page(*times: str) -> str:
    return exported.gemini_page([(time, f"Question {number}.") for number, time in enumerate(times)])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        # 12.04.2026 is of April, because another entry of the page is of the 20th
        (("20.04.2026, 10:00:11 MESZ", "12.04.2026, 09:05:00 MESZ"), "2026-04-12T07:05:00"),
        (("20 abr 2026, 9:00:11 CEST", "1 dic. 2025, 9:05:00 CET"), "2025-12-01T08:05:00"),
        (("1 févr. 2026, 9:05:00 CET",), "2026-02-01T08:05:00"),
        (("20 de abr. de 2026 9:05:00 WEST",), "2026-04-20T08:05:00"),
        (("2026/04/20 9:05:00 JST",), "2026-04-20T00:05:00"),
    ],
)
def test_the_times_of_a_page_are_in_the_words_of_its_language(
    times: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    read = Read(folder(tmp_path, {"Takeout/Gemini-Apps/MeineAktivitäten.html": _page(*times)}), "gemini")
    assert read.told[-1][0].at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert read.left_out == {}


def test_a_page_that_leaves_day_and_month_open_is_asked_about(tmp_path: Path) -> None:
    path = folder(tmp_path, {"Takeout/Gemini Apps/MyActivity.html": _page("04/05/2026, 10:00:11 UTC")})
    with pytest.raises(TransferError, match="may have its day or its month first"):
        Read(path, "gemini")
    read = Read(path, "gemini", Options(order=DateOrder.DAY_FIRST))
    assert read.told[0][0].at.month == 5


def test_claude_calls_the_person_by_their_name(tmp_path: Path) -> None:
    said = (
        "**Work context**\n\nAda is a nurse at UZ Gent. She works nights. Her boss is called Piet. She likes him."
        "\n\n*Recent months*\n\n- **Plans:** Planning a trip to Peru\n"
    )
    users = [{"uuid": "a", "full_name": "Ada Peeters"}]
    notes = [{"conversations_memory": said, "project_memories": {}, "account_uuid": "a"}]
    files = {"conversations.json": exported.claude(), "users.json": users, "memories.json": notes}
    read = Read(zipped(tmp_path / "data.zip", files), "claude")
    assert [note.text for note in read.notes] == [
        "Ada is a nurse at UZ Gent.",
        "Ada works nights.",
        "Ada's boss is called Piet.",
        # she may be somebody else by now
        "She likes him.",
        "Plans: Planning a trip to Peru",
    ]
    assert {note.name for note in read.notes} == {"Ada"}


def test_open_webui(tmp_path: Path) -> None:
    read = Read(folder(tmp_path, {"chat-export-1.json": exported.open_webui()}), "open-webui")
    assert read.format == "open-webui"
    assert read.exchanges == [("I keep bees.", "Hello!"), ("And hens.", "")]
    assert read.told[0][0].pictures[0].startswith("data:image/png;base64,")
    assert read.left_out == {
        "messages of other branches": 1,
        "attached files": 1,
        "conversations that cannot be read": 1,
    }


def test_open_webui_memories(tmp_path: Path) -> None:
    kept = [{"id": "1", "user_id": "u", "type": "user", "content": "Likes jazz", "updated_at": 1_750_000_000}]
    read = Read(folder(tmp_path, {"memories.json": kept}), "open-webui")
    assert read.format == "open-webui"
    assert [(note.text, note.at) for note in read.notes] == [("Likes jazz", datetime.fromtimestamp(1_750_000_000, UTC))]


@pytest.mark.parametrize("wrapped", [True, False])
def test_mem0(wrapped: bool, tmp_path: Path) -> None:
    content = exported.MEM0 if wrapped else exported.MEM0["results"]
    read = Read(folder(tmp_path, {"memories.json": content}), "mem0")
    assert read.format == "mem0"
    assert [note.text[:9] for note in read.notes] == ["Likes tea", "Ignore al"]
    assert read.notes[0].at == datetime(2025, 3, 1, 16, tzinfo=UTC)
    assert read.left_out == {"memories that cannot be read": 1}


def test_memories_as_openmemory_lists_them(tmp_path: Path) -> None:
    path = tmp_path / "memories.json"
    listed = {"id": "1", "content": "Likes tea", "created_at": 1_750_000_000, "state": "active"}
    path.write_text(json.dumps({"total": 1, "page": 1, "items": [listed]}), encoding="utf-8")
    read = Read(path, "mem0")
    assert read.format == "mem0"
    assert [(note.text, note.at) for note in read.notes] == [
        ("Likes tea", datetime.fromtimestamp(1_750_000_000, UTC)),
    ]


def test_a_pasted_list_of_saved_memories(tmp_path: Path) -> None:
    path = tmp_path / "saved.txt"
    path.write_text(exported.SAVED, encoding="utf-8")
    read = Read(path, "memories")
    assert read.format == "memories"
    assert [note.text for note in read.notes] == [
        "User is allergic to peanuts.",
        "User moved to Ghent.",
        "User's dog is called Max.",
        "User is a nurse.",
    ]
    assert read.notes[1].at == datetime(2025, 3, 27).astimezone()
    assert read.notes[0].at is None
    assert read.left_out == {"headings": 2}


def test_a_list_as_the_page_of_saved_memories_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "saved.txt"
    page = "Memory updated\nHas a dog named Max.\n2 months ago\nMemory updated\nPrefers window seats.\nyesterday\n"
    path.write_text(f"```\n{page}```\n", encoding="utf-8")
    read = Read(path, "memories")
    assert read.format == "memories"
    assert [note.text for note in read.notes] == ["Has a dog named Max.", "Prefers window seats."]
    assert read.left_out == {"headings": 2, "labels of the page": 4}


def test_a_diary_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("Today I slept long.\nThen I went to the sea.\n- alone\n", encoding="utf-8")
    with Bundle(tmp_path / "diary.txt") as bundle:
        assert recognised(bundle) is None


def test_a_picture_of_an_older_export_is_found_and_marks_of_sources_are_taken_out(tmp_path: Path) -> None:
    chat = exported.Gpt("c", "2024-05-12T16:30:00")
    parts = {
        "content_type": "multimodal_text",
        "parts": [exported.picture_part("file-service://file-AbC123"), "My bike."],
    }
    chat.say("user", "", "2024-05-12T16:30:00", content=parts)
    chat.say("assistant", "A fine one \ue200cite\ue202turn0search1\ue201indeed.")
    files = {"conversations.json": [chat.whole()], "file-AbC123-bike.png": exported.png("red")}
    read = Read(zipped(tmp_path / "export.zip", files), "chatgpt")
    assert read.told[0][0].pictures == ("file-AbC123-bike.png",)
    assert read.exchanges == [("My bike.", "A fine one indeed.")]


def test_chatgpt_conversations_not_to_be_remembered_come_when_asked_for(tmp_path: Path) -> None:
    path = folder(tmp_path, {"conversations.json": {"conversations": exported.chatgpt()}})
    assert len(Read(path, "chatgpt").told) == 3
    assert ("Nobody may know that I plan to quit.", "") in Read(path, "chatgpt", Options(everything=True)).exchanges


def test_a_message_without_a_time_has_that_of_the_one_before(tmp_path: Path) -> None:
    read = Read(folder(tmp_path, {"conversations.json": exported.chatgpt()}), "chatgpt")
    said = {told.user: told.at for session in read.told for told in session}
    assert said["He is three years old."] == datetime(2025, 2, 1, 10, 0, 5, tzinfo=UTC)


FIXTURES: dict[str, tuple[str, Callable[[], Any]]] = {
    "chatgpt": ("conversations.json", exported.chatgpt),
    "claude": ("conversations.json", exported.claude),
    "gemini": ("Gemini Apps.json", exported.gemini),
    "open-webui": ("chats.json", exported.open_webui),
    "mem0": ("memories.json", lambda: exported.MEM0),
}
JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e300,
    2**62,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": None},
    ["x"],
    "9999-12-31T23:59:59Z",
    "\ud800",
)


def spoil(value: Any, rate: float, chance: random.Random) -> Any:
    """Return a value in which some of what it is made of is something else."""
    if chance.random() < rate:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: spoil(inner, rate, chance) for key, inner in value.items() if chance.random() > rate / 2}
    return [spoil(inner, rate, chance) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", FIXTURES)
def test_whatever_stands_in_an_export_it_is_read_or_refused(name: str, tmp_path: Path) -> None:
    file, make = FIXTURES[name]
    chance, whole = random.Random(name), make()
    for attempt in range(24):
        rate = (0.01, 0.05, 0.2)[attempt % 3]
        path = folder(tmp_path / str(attempt), {file: json.dumps(spoil(copy.deepcopy(whole), rate, chance))})
        with suppress(TransferError):
            Read(path, name)


@pytest.mark.parametrize(
    "content", [b"", b"[", b"[[[[" * 50_000, b'[{"mapping": {}}', b"[1e999]", b"[9" + b"0" * 5_000]
)
def test_a_file_that_is_no_whole_json_is_refused(content: bytes, tmp_path: Path) -> None:
    path = folder(tmp_path, {"conversations.json": content})
    with Bundle(path) as bundle, pytest.raises(TransferError, match=r"conversations\.json"):
        list(json_items(bundle, "conversations.json", "item"))


def test_what_stands_at_a_path_is_found_and_all_else_passed_over(tmp_path: Path) -> None:
    content = {"name": "Ida", "list": [{"deep": [1, {"a": [2.5]}]}, 2], "other": {"list": [3]}, "none": None}
    with Bundle(folder(tmp_path, {"a.json": b"\xef\xbb\xbf" + as_bytes(content)})) as bundle:
        found = list(json_items(bundle, "a.json", "list.item", "name", "none"))
    assert found == [("name", "Ida"), ("list.item", {"deep": [1, {"a": [2.5]}]}), ("list.item", 2), ("none", None)]


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<div class=", "&", '<details type="reasoning" ', "</details>", "<"])
def test_markup_that_does_not_end_takes_no_quadratic_time(piece: str) -> None:
    # 3 s of the processor each with the standard library's parser, minutes with a pattern that looks for the end
    whole = piece * (200_000 // len(piece))
    plain_text(whole)
    without_thoughts(whole)
