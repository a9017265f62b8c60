"""Telegram Desktop's export in JSON: one chat, or a whole account with all its chats, each streamed.

Which messages are the person's own an account says itself, and so does a chat with one other person, whose id is the
chat's; of a group the person says it (`--me`). What was forwarded, or written by a bot in their name, is another's.
Times are those of `date_unixtime`; where an old export has none, `date` is the wall clock where it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import (
    Conversation,
    Format,
    Item,
    Options,
    Speaker,
    Tally,
    UnsettledError,
    WrittenMessage,
)
from persona_cli.importers.picture_names import is_picture
from persona_cli.importers.streaming import JsonItem, json_items
from persona_cli.importers.times import from_seconds

SERVICE = "service messages"
TIMELESS = "messages without a time"
UNREADABLE = "messages that cannot be read"
FILES = "sounds, films, stickers and documents"
NAMELESS = "chats without an id"

_CHATS = ("", "chats.list.item.", "left_chats.list.item.")
_FIELDS = ("name", "type", "id", "messages.item")
_MINE = "saved_messages"
_WITH_ONE = ("personal_chat", "bot_chat")


def _recognise(bundle: Bundle) -> bool:
    return bool(_exports(bundle))


def _exports(bundle: Bundle) -> tuple[str, ...]:
    found = bundle.named("result.json") or (bundle.names if len(bundle.names) == 1 else ())
    return tuple(name for name in found if _is_export(bundle.head(name)))


def _is_export(head: bytes) -> bool:
    account = b'"personal_information"' in head and b'"chats"' in head
    chat = b'"messages"' in head and b'"from_id"' in head
    return account or chat or b'"date_unixtime"' in head


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    for file in _exports(bundle):
        yield from _chats(bundle, file, options, tally)


TELEGRAM = Format("telegram", "Telegram", _recognise, _read)


@dataclass(slots=True)
class _Chat:
    """What is known of a chat before its messages."""

    name: str = ""
    kind: str = ""
    id: str = ""
    names: set[str] = field(default_factory=set)
    """Who wrote in it, to tell where nobody is the person."""


def _chats(bundle: Bundle, file: str, options: Options, tally: Tally) -> Iterator[Conversation]:
    folder = PurePosixPath(file).parent
    paths = [f"{chats}{name}" for chats in _CHATS for name in _FIELDS]
    me, chat = "", _Chat()
    # a chat has its name, type and id before its messages, which come one by one
    for is_message, items in groupby(
        json_items(bundle, file, "personal_information.user_id", *paths),
        key=lambda item: item.path.endswith("messages.item"),
    ):
        if not is_message:
            chat = _Chat()
            for item in items:
                if item.path == "personal_information.user_id":
                    me = f"user{item.value}"
                else:
                    _note(chat, item)
            continue
        if not chat.id:
            tally.skip(NAMELESS, f"{file}, {chat.name}")
            continue
        yield Conversation(chat.id, _messages(items, chat, _Own(me, options.me), folder, tally))
        if options.me and not me and chat.kind not in (_MINE, *_WITH_ONE) and not _is_there(options.me, chat):
            raise UnsettledError(
                f"nobody is called {options.me} in {chat.name}; there are {', '.join(sorted(chat.names)[:10])}",
                fix='Say it with --me "NAME".',
                names=sorted(chat.names),
            )


@dataclass(frozen=True, slots=True)
class _Own:
    """By what the person's own messages are known."""

    user: str
    """Their id, where an account says it."""
    name: str
    """As they say it."""


def _note(chat: _Chat, item: JsonItem) -> None:
    match item.path.rpartition(".")[2]:
        case "name":
            chat.name = str(item.value or "")
        case "type":
            chat.kind = str(item.value or "")
        case _:
            chat.id = str(item.value)


def _is_there(name: str, chat: _Chat) -> bool:
    return any(known.casefold() == name.casefold() for known in chat.names)


def _messages(
    items: Iterator[JsonItem], chat: _Chat, own: _Own, folder: PurePosixPath, tally: Tally
) -> Iterator[WrittenMessage]:
    for number, item in enumerate(items, 1):
        place = f"{chat.name}, message {number}"
        fields = item.value
        if not isinstance(fields, dict) or "id" not in fields:
            tally.skip(UNREADABLE, place)
        elif fields.get("type") != "message":
            tally.skip(SERVICE)
        elif (at := _time(fields)) is None:
            tally.skip(TIMELESS, place)
        else:
            chat.names.add(str(fields.get("from") or ""))
            speaker, name = _speaker(fields, chat, own)
            yield WrittenMessage(
                str(fields["id"]), speaker, _text(fields.get("text")), at, name, _pictures(fields, folder, tally)
            )


def _speaker(fields: Mapping[str, Any], chat: _Chat, own: _Own) -> tuple[Speaker, str]:
    name, source = str(fields.get("from") or "somebody"), str(fields.get("from_id"))
    if "forwarded_from" in fields or "via_bot" in fields:
        return Speaker.OTHER, str(fields.get("forwarded_from") or fields.get("via_bot") or "somebody")
    if own.user:
        mine = source == own.user
    elif chat.kind in _WITH_ONE:
        # the chat has the id of the other
        mine = source not in (f"user{chat.id}", f"channel{chat.id}")
    elif chat.kind == _MINE:
        mine = True
    elif own.name:
        mine = name.casefold() == own.name.casefold()
    else:
        raise UnsettledError(
            f"{chat.name or 'the chat'} does not say which messages are yours; {name} is one of those who write in it",
            fix='Say it with --me "NAME".',
            names=(name,),
        )
    return (Speaker.ME, "") if mine else (Speaker.OTHER, name)


def _time(fields: Mapping[str, Any]) -> datetime | None:
    with suppress(ValueError, OverflowError):
        if (at := from_seconds(int(str(fields.get("date_unixtime"))[:15]))) is not None:
            return at
    with suppress(ValueError, OverflowError):
        return datetime.fromisoformat(str(fields.get("date"))).astimezone()
    return None


def _text(text: Any) -> str:
    """Return the text of a message, which is one or a list of plain and marked pieces."""
    pieces = text if isinstance(text, list) else [text]
    plain = (piece.get("text") if isinstance(piece, dict) else piece for piece in pieces)
    return "".join(piece for piece in plain if isinstance(piece, str))


def _pictures(fields: Mapping[str, Any], folder: PurePosixPath, tally: Tally) -> tuple[str, ...]:
    photo, file = fields.get("photo"), fields.get("file")
    if isinstance(photo, str):
        # "(File not included. Change data exporting settings to download.)" is no file of it, and is counted as absent
        return (str(folder / photo),)
    if isinstance(file, str) and is_picture(file) and fields.get("media_type") != "sticker":
        return (str(folder / file),)
    if file is not None:
        tally.skip(FILES)
    return ()
