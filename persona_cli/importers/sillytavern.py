"""SillyTavern's chats: one file of JSON lines for each, a header and then the messages as they are shown.

A chat there is a play: it is kept to be found again, and nothing is learnt from it. Of several answers (swipes) the one
that is shown is in the message itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Conversation, Format, Item, Options, Speaker, Tally, WrittenMessage
from persona_cli.importers.line_files import text_lines
from persona_cli.importers.streaming import parsed
from persona_cli.importers.times import from_iso, from_seconds

UNREADABLE = "lines that cannot be read"
SYSTEM = "notes of the program"
TIMELESS = "messages without a time"
PICTURES = "pictures that lie with the program"

# "2024-5-1@10h30m05s123ms", as its files are called, and "May 1, 2024 8:05pm", as its messages say
_NAMED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2}) ?@ ?(\d{1,2})h ?(\d{1,2})m ?(?:(\d{1,2})s ?(?:(\d{1,3})ms)?)?")
_WRITTEN = ("%B %d, %Y %I:%M%p", "%B %d, %Y %I:%M %p", "%b %d, %Y %I:%M%p")


def _recognise(bundle: Bundle) -> bool:
    return bool(_chats(bundle))


def _chats(bundle: Bundle) -> tuple[str, ...]:
    return tuple(name for name in bundle.named("*.jsonl") if _is_header(bundle.head(name).partition(b"\n")[0]))


def _is_header(line: bytes) -> bool:
    fields = parsed(line.removeprefix(b"\xef\xbb\xbf"))
    # the first line of a branch of old has no metadata
    return isinstance(fields, dict) and {"user_name", "character_name"} <= fields.keys()


def _read(bundle: Bundle, _options: Options, tally: Tally) -> Iterator[Item]:
    for file in _chats(bundle):
        header = parsed(bundle.head(file).partition(b"\n")[0].removeprefix(b"\xef\xbb\xbf"))
        # chats may be renamed; who talks and when that began stay
        own = json.dumps([header.get(name) for name in ("character_name", "create_date")])
        yield Conversation(own, _messages(bundle, file, tally), learn=False)


SILLYTAVERN = Format("sillytavern", "SillyTavern", _recognise, _read)


def _messages(bundle: Bundle, file: str, tally: Tally) -> Iterator[WrittenMessage]:
    for number, line in text_lines(bundle, file, tally):
        place = f"{file}, line {number}"
        if number == 1 or not line.strip():
            continue
        fields = parsed(line)
        if not isinstance(fields, dict) or not isinstance(fields.get("mes"), str):
            tally.skip(UNREADABLE, place)
        elif fields.get("is_system") is True:
            tally.skip(SYSTEM)
        elif (at := _time(fields.get("send_date"))) is None:
            tally.skip(TIMELESS, place)
        else:
            yield _message(number, fields, at, tally)


def _message(number: int, fields: Mapping[str, Any], at: datetime, tally: Tally) -> WrittenMessage:
    extra = fields.get("extra")
    if isinstance(extra, dict) and isinstance(extra.get("image"), str):
        tally.skip(PICTURES)
    mine = fields.get("is_user") is True
    name = "" if mine else str(fields.get("name") or "")
    # a message that was written anew stands at the same place with another time
    return WrittenMessage(
        f"{number} {fields.get('send_date')}", Speaker.ME if mine else Speaker.ASSISTANT, fields["mes"], at, name
    )


def _time(said: Any) -> datetime | None:
    """Return when a message was sent, in any of the forms the program has had; without a zone it is the wall clock."""
    if isinstance(said, int | float):
        # of a number of 400 digits there is no thousandth
        return from_seconds(said // 1000 if isinstance(said, int) else said / 1000)
    if not isinstance(said, str):
        return None
    return from_iso(said) or _named(said.strip()) or _written(said.strip())


def _named(said: str) -> datetime | None:
    match = _NAMED.fullmatch(said)
    year, month, day, hour, minute, second, part = (
        (int(number or 0) for number in match.groups()) if match else (0,) * 7
    )
    try:
        return datetime(year, month, day, hour, minute, second, part * 1000).astimezone()
    except (ValueError, OverflowError):
        return None


def _written(said: str) -> datetime | None:
    for form in _WRITTEN:
        with suppress(ValueError, OverflowError):
            return datetime.strptime(said, form).astimezone()
    return None
