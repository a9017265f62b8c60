"""Chats with people and with characters: WhatsApp, Telegram and SillyTavern, written as they write them."""

import json
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cli.errors import TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Conversation, Format, Options, Speaker, Tally, WrittenMessage
from persona_cli.importers.formats import recognised
from persona_cli.importers.pipeline import ExportContents, gather
from persona_cli.importers.sillytavern import SILLYTAVERN
from persona_cli.importers.telegram import TELEGRAM
from persona_cli.importers.times import DateOrder
from persona_cli.importers.whatsapp import WHATSAPP
from tests.telegrams import KARL, ME, ONE_CHAT, telegram
from tests.terminal import persona, persona_typed

GAP = timedelta(hours=1)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be in one zone, whose wall clock is that of every line without one."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def messages(path: Path, form: Format, **options: Any) -> tuple[list[WrittenMessage], Tally]:
    """Return the messages of all conversations, and what was left out."""
    tally = Tally()
    with Bundle(path) as bundle:
        assert recognised(bundle) is form
        read = [
            message
            for item in form.read(bundle, Options(**options), tally)
            if isinstance(item, Conversation)
            for message in item.messages
        ]
    return read, tally


def found(path: Path, form: Format, **options: Any) -> ExportContents:
    with Bundle(path) as bundle:
        return gather(bundle, form, Options(**options), GAP).found


def said(read: list[WrittenMessage]) -> list[tuple[str, str]]:
    return [(message.name or message.speaker.value, message.text) for message in read]


ANDROID = """\
13.12.24, 21:41 - Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.
13.12.24, 21:41 - Karl Müller: Hast du den Kuchen gebacken?
13.12.24, 21:42 - Ada: Ja!
Mit Nüssen.

Und: mit Zimt.
13.12.24, 21:42 - Ada: Ja!
13.12.24, 21:42 - Ada: Ja!
13.12.24, 21:43 - Ada: IMG-20241213-WA0001.jpg (Datei angehängt)
Das ist er
13.12.24, 21:44 - Karl Müller: <Medien ausgeschlossen>
13.12.24, 21:45 - Karl Müller: Diese Nachricht wurde gelöscht.
14.12.24, 08:00 - Ada: Bis später <Diese Nachricht wurde bearbeitet>
14.12.24, 08:01 - Ada: PTT-20241214-WA0002.opus (Datei angehängt)
14.12.24, 08:02 - Ada hat die Gruppenbeschreibung zu "Kuchen: heute" geändert
"""


def test_a_chat_of_android(tmp_path: Path) -> None:
    file = tmp_path / "WhatsApp Chat mit Karl.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("WhatsApp Chat mit Karl.txt", ANDROID)
        archive.writestr("IMG-20241213-WA0001.jpg", b"picture")
        archive.writestr("PTT-20241214-WA0002.opus", b"sound")
    read, tally = messages(file, WHATSAPP, me="ada")
    assert said(read) == [
        ("Karl Müller", "Hast du den Kuchen gebacken?"),
        ("me", "Ja!\nMit Nüssen.\n\nUnd: mit Zimt."),
        ("me", "Ja!"),
        ("me", "Ja!"),
        ("me", "Das ist er"),
        ("me", "Bis später"),
    ]
    assert len({message.id for message in read}) == 6
    assert read[4].pictures == ("IMG-20241213-WA0001.jpg",)
    assert read[0].at.isoformat() == "2024-12-13T21:41:00+01:00"
    assert tally.counts == {
        "lines of WhatsApp itself": 2,
        "media that are not in the export": 1,
        "deleted messages": 1,
        "sounds, films and documents": 1,
    }
    counted = found(file, WHATSAPP, me="Ada")
    assert (counted.conversations, counted.turns, counted.context, counted.pictures) == (1, 5, 1, 1)


def test_a_picture_that_was_seen_once_is_no_word(tmp_path: Path) -> None:
    file = tmp_path / "WhatsApp Chat mit Karl.txt"
    file.write_text(
        "13.12.24, 21:41 - Karl: Hallo\n13.12.24, 21:42 - Ada: null\n13.12.24, 21:43 - Ada: Ja\n", encoding="utf-8"
    )
    read, tally = messages(file, WHATSAPP)
    assert said(read) == [("Karl", "Hallo"), ("me", "Ja")]
    assert tally.counts == {"media that are not in the export": 1}


PHONE = """\
[31/12/2024, 9:41:09\u202fPM] Trip: \u200eMessages and calls are end-to-end encrypted.
[31/12/2024, 9:41:10\u202fPM] Karl: Hi
\u200e[31/12/2024, 9:42:00\u202fPM] Karl: \u200e<attached: 00000002-PHOTO-2024-12-31-21-42-00.jpg>
[31/12/2024, 11:59:59\u202fPM] Ada: <3 : love
[1/1/2025, 12:00:01\u202fAM] ~\u202fBo: Happy new year: to all!
[1/1/2025, 12:00:02\u202fAM] Karl: \u200eimage omitted
[1/1/2025, 12:00:03\u202fAM] Ada: Two words: \u200eשלום
[1/1/2025, 12:00:03\u202fAM] Ada: \u200eYou deleted this message.
[1/1/2025 nonsense] Ada: when?
"""


def test_a_chat_of_an_iphone(tmp_path: Path) -> None:
    folder = tmp_path / "WhatsApp Chat - Trip"
    folder.mkdir()
    (folder / "_chat.txt").write_text(PHONE, encoding="utf-8")
    (folder / "00000002-PHOTO-2024-12-31-21-42-00.jpg").write_bytes(b"picture")
    read, tally = messages(folder, WHATSAPP, me="Ada")
    assert said(read) == [
        ("Karl", "Hi"),
        ("Karl", ""),
        ("me", "<3 : love"),
        ("Bo", "Happy new year: to all!"),
        ("me", "Two words: שלום"),
    ]
    assert [message.at.strftime("%d.%m. %H:%M:%S") for message in read[-3:-1]] == ["31.12. 23:59:59", "01.01. 00:00:01"]
    assert read[1].pictures == ("00000002-PHOTO-2024-12-31-21-42-00.jpg",)
    assert tally.counts["lines of WhatsApp itself"] == 2
    assert tally.counts["deleted messages"] == 1
    assert tally.places["lines whose time is in no known form"] == ["_chat.txt, line 9"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("12/31/24, 9:41 PM - A: x", "2024-12-31 21:41"),
        ("31.12.2024 klo 21.41 - A: x", "2024-12-31 21:41"),
        ("31.12.2024 21.41 - A: x", "2024-12-31 21:41"),
        ("31-12-2024 21:41 - A: x", "2024-12-31 21:41"),
        ("2024-12-31, 9:41 p.m. - A: x", "2024-12-31 21:41"),
        ("31/12/24, 9:41 p. m. - A: x", "2024-12-31 21:41"),
        ("31/12/24 à 21:41 - A: x", "2024-12-31 21:41"),
        ("2024. 12. 31. 21:41 - A: x", "2024-12-31 21:41"),
        ("2024년 12월 31일 오후 9:41 - A: x", "2024-12-31 21:41"),
        ("2024/12/31 下午9:41 - A: x", "2024-12-31 21:41"),
        ("[2024/12/31 21:41:09] A: x", "2024-12-31 21:41"),
        ("[31.12.24, 21:41:09] A: x", "2024-12-31 21:41"),
        ("[31-12-2024 21:41:09] A: x", "2024-12-31 21:41"),
        ("31/12/24, 12:05 am - A: x", "2024-12-31 00:05"),
        ("٣١/١٢/٢٠٢٤، ٩:٤١ م - A: x", "2024-12-31 21:41"),
    ],
)
def test_times_as_each_language_writes_them(line: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "_chat.txt").write_text(line + "\n", encoding="utf-8")
    read, _ = messages(tmp_path / "_chat.txt", WHATSAPP, me="A")
    assert [f"{message.at:%Y-%m-%d %H:%M}" for message in read] == [expected]


def chat(path: Path, *dates: str) -> Path:
    path.write_text("".join(f"{date}, 10:00 - A: x\n" for date in dates), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (("5/3/24", "13/3/24"), "2024-03-05"),
        (("5/3/24", "5/13/24"), "2024-05-03"),
        # time runs forwards in one of the two readings alone
        (("1/2/24", "2/1/24"), "2024-01-02"),
        (("2/1/24", "1/2/24"), "2024-01-02"),
        (("5/5/24", "6/6/24"), "2024-05-05"),
    ],
)
def test_day_and_month_are_decided_over_the_whole_file(dates: tuple[str, ...], first: str, tmp_path: Path) -> None:
    read, _ = messages(chat(tmp_path / "chat.txt", *dates), WHATSAPP, me="A")
    assert f"{read[0].at:%Y-%m-%d}" == first


def test_day_and_month_are_asked_for_where_nothing_tells(tmp_path: Path) -> None:
    path = chat(tmp_path / "chat.txt", "5/3/24", "5/4/24", "6/5/24")
    with pytest.raises(TransferError) as caught:
        messages(path, WHATSAPP, me="A")
    assert "line 1" in caught.value.message
    assert "--day-first" in caught.value.fix
    read, _ = messages(path, WHATSAPP, me="A", order=DateOrder.MONTH_FIRST)
    assert f"{read[0].at:%Y-%m-%d}" == "2024-05-03"
    with pytest.raises(TransferError, match=r"line 1 has the day first, line 2 the month"):
        messages(chat(tmp_path / "chat.txt", "13/3/24", "3/14/24"), WHATSAPP, me="A")


def test_who_i_am_is_said_or_the_only_one_it_can_be(tmp_path: Path) -> None:
    lines = "13/3/24, 10:00 - Ada: x\n13/3/24, 10:01 - Karl: y\n"
    group = tmp_path / "WhatsApp Chat with Family.txt"
    group.write_text(lines, encoding="utf-8")
    for options, word in (({}, "does not say which lines are yours"), ({"me": "Bob"}, "nobody is called Bob")):
        with pytest.raises(TransferError, match=word) as caught:
            messages(group, WHATSAPP, **options)
        assert "Ada, Karl" in caught.value.message
        assert "--me" in caught.value.fix
    alone = group.rename(tmp_path / "WhatsApp Chat with Karl (1).txt")
    assert said(messages(alone, WHATSAPP)[0]) == [("me", "x"), ("Karl", "y")]


def test_a_chat_that_went_on_has_the_same_messages_again(tmp_path: Path) -> None:
    first = chat(tmp_path / "chat.txt", "13/3/24", "14/3/24")
    before = [message.id for message in messages(first, WHATSAPP, me="A")[0]]
    again = chat(tmp_path / "chat (2).txt", "13/3/24", "14/3/24", "15/3/24")
    assert [message.id for message in messages(again, WHATSAPP, me="A")[0]][:2] == before


@settings(max_examples=50)
@given(st.text(st.sampled_from("19:/.-[]<> \u200e\n\tAaPpMm(),ب年:"), max_size=200))
def test_no_text_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.txt"
    file.write_text(f"13/3/24, 10:00 - Ada: x\n{text}", encoding="utf-8")
    with Bundle(file) as bundle:
        for item in WHATSAPP.read(bundle, Options("Ada", DateOrder.DAY_FIRST), Tally()):
            assert isinstance(item, Conversation)
            list(item.messages)


def test_the_command_says_what_is_in_a_chat_before_it_stores_anything(tmp_path: Path) -> None:
    file = tmp_path / "WhatsApp Chat mit Freunde.txt"
    file.write_text(ANDROID, encoding="utf-8")
    ran = persona("import", str(file), "--dry-run")
    assert ran.code == 5
    assert "--me" in ran.err
    ran = persona("import", str(file), "--me", "Ada", "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["found"]["service"], ran.json["found"]["turns"]) == ("whatsapp", 5)
    assert ran.json["found"]["tally"]["counts"]["pictures that are not in the export"] == 1


def test_at_a_terminal_a_person_is_asked_for_what_a_chat_leaves_open(tmp_path: Path) -> None:
    file = tmp_path / "WhatsApp Chat with Family.txt"
    file.write_text("5/3/24, 10:00 - Ada: x\n6/4/24, 10:01 - Karl: y\n", encoding="utf-8")
    replies = (("Which of these is you?", "Bob"), ("Which of these is you?", "ada"), ("Does the day stand first?", "n"))
    code, shown = persona_typed("import", str(file), "--dry-run", replies=replies)
    assert code == 0, shown
    assert "nobody is called Bob" in shown
    assert "2024-05-03 to 2024-06-04" in " ".join(shown.split())


def test_one_chat_of_telegram(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "photo_1.jpg").write_bytes(b"picture")
    (tmp_path / "result.json").write_text(json.dumps(ONE_CHAT), encoding="utf-8")
    read, tally = messages(tmp_path, TELEGRAM)
    assert said(read) == [
        ("Karl", "Hello"),
        ("me", "See https://example.org and say"),
        ("me", "Look"),
        ("me", ""),
        ("A comedian", "I was born on Mars"),
        ("me", ""),
        ("me", "old"),
    ]
    assert read[0].at.timestamp() == 1_700_000_120
    assert read[-1].at.isoformat() == "2019-07-01T12:00:00+02:00"
    assert tally.counts == {
        "service messages": 1,
        "sounds, films, stickers and documents": 1,
        "messages without a time": 1,
        "messages that cannot be read": 1,
    }
    counted = found(tmp_path, TELEGRAM)
    assert (counted.conversations, counted.turns, counted.pictures) == (1, 3, 1)
    assert counted.tally.counts["pictures that are not in the export"] == 1


def test_an_account_of_telegram_says_who_i_am(tmp_path: Path) -> None:
    group = {
        "name": "Family",
        "type": "private_group",
        "id": 33,
        "messages": [telegram(1, KARL, "a"), telegram(2, ME, "b")],
    }
    saved = {"type": "saved_messages", "id": 11, "messages": [telegram(1, ME, "milk, eggs")]}
    account = {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 11, "first_name": "Ada"},
        "chats": {"about": "…", "list": [group, {**ONE_CHAT, "messages": ONE_CHAT["messages"][:2]}, saved]},
        "left_chats": {"list": [{"name": "Old", "type": "private_group", "id": 44, "messages": []}]},
    }
    (tmp_path / "result.json").write_text(json.dumps(account), encoding="utf-8")
    read, _ = messages(tmp_path / "result.json", TELEGRAM)
    assert said(read) == [("Karl", "a"), ("me", "b"), ("Karl", "Hello"), ("me", "milk, eggs")]
    assert found(tmp_path, TELEGRAM).conversations == 3


def test_a_group_of_telegram_has_to_be_told_who_i_am(tmp_path: Path) -> None:
    group = {
        "name": "Family",
        "type": "private_group",
        "id": 33,
        "messages": [telegram(1, KARL, "a"), telegram(2, ME, "b")],
    }
    (tmp_path / "result.json").write_text(json.dumps(group), encoding="utf-8")
    for options in ({}, {"me": "Nobody"}):
        with pytest.raises(TransferError) as caught:
            messages(tmp_path, TELEGRAM, **options)
        assert "Karl" in caught.value.message
        assert "--me" in caught.value.fix
    assert said(messages(tmp_path, TELEGRAM, me="ada l.")[0]) == [("Karl", "a"), ("me", "b")]


def test_a_chat_of_sillytavern_is_a_play(tmp_path: Path) -> None:
    lines = [
        {"user_name": "Ada", "character_name": "Sage", "create_date": "2024-5-1@10h30m05s", "chat_metadata": {}},
        {
            "name": "Sage",
            "is_user": False,
            "mes": "Hail!",
            "send_date": "May 1, 2024 10:30am",
            "swipes": ["a", "Hail!"],
        },
        {"name": "Ada", "is_user": True, "mes": "I am a dragon.", "send_date": 1714552260000},
        {"name": "Sage", "is_user": False, "mes": "*bows*", "send_date": "2024-05-01T08:32:00.000Z"},
        {"name": "Ada", "is_user": True, "mes": "Fly.", "send_date": "2024-5-1@10h33m05s12ms", "extra": {"image": "x"}},
        {"name": "System", "is_system": True, "mes": "hidden", "send_date": 1714552260000},
        {"name": "Ada", "is_user": True, "mes": "when", "send_date": "one day"},
    ]
    file = tmp_path / "Sage - 2024-5-1.jsonl"
    file.write_text("\n".join([*map(json.dumps, lines), '{"mes": ', "[1]", ""]), encoding="utf-8")
    read, tally = messages(file, SILLYTAVERN)
    assert said(read) == [("Sage", "Hail!"), ("me", "I am a dragon."), ("Sage", "*bows*"), ("me", "Fly.")]
    assert [f"{message.at.astimezone():%H:%M:%S}" for message in read] == [
        "10:30:00",
        "10:31:00",
        "10:32:00",
        "10:33:05",
    ]
    assert {message.speaker for message in read} == {Speaker.ASSISTANT, Speaker.ME}
    assert tally.counts == {
        "notes of the program": 1,
        "messages without a time": 1,
        "lines that cannot be read": 2,
        "pictures that lie with the program": 1,
    }
    with Bundle(file) as bundle:
        assert [
            item.learn for item in SILLYTAVERN.read(bundle, Options(), Tally()) if isinstance(item, Conversation)
        ] == [False]
