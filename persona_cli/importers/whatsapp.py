"""WhatsApp's exported chats: one text file each, alone or in a zip with its media.

A message is a line `31.12.24, 21:41 - Name: text` (Android) or `[31/12/2024, 21:41:09] Name: text` (iPhone) and all
lines up to the next such one. How day and month are ordered is decided over the whole file: by numbers over twelve,
else by the one reading in which time never runs backwards, as it never does in a chat. No zone is written: it is the
wall clock, read in the zone of this machine. Lines of WhatsApp itself have no name before them, or begin with a mark
that nobody types.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import NamedTuple

from persona_cli.errors import TransferError
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
from persona_cli.importers.exchanges import LONGEST
from persona_cli.importers.line_files import BEYOND, text_lines
from persona_cli.importers.picture_names import is_picture
from persona_cli.importers.times import DateOrder

SYSTEM = "lines of WhatsApp itself"
OMITTED = "media that are not in the export"
FILES = "sounds, films and documents"
DELETED = "deleted messages"
UNREAD = "lines whose time is in no known form"
LOST = "lines before the first message"

_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))
_DATE = r"(\d{1,4})[.년年/-]\s?(\d{1,2})[.월月/-]\s?(\d{1,4})[.일日]?"
_CLOCK = r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?"
_WHEN = rf"{_DATE}[,،]?\s*([^\W\d][^\d:,\]]{{0,12}})??\s*{_CLOCK}(?:\s?([^\W\d][^\d:\]]{{0,12}}?))?"
_PHONE = re.compile(rf"\[{_WHEN}\] ?(.*)", re.DOTALL)
_ANDROID = re.compile(rf"{_WHEN} - (.*)", re.DOTALL)
_ALMOST = re.compile(r"\[?\d{1,4}[./-]\s?\d{1,2}[./-]\s?\d{1,4}[.,\s].{0,30}(?:\] | - )[^:]{1,60}: ")
_NAMED = re.compile(r"([^:\n\"“„«]{1,80}): ?(.*)", re.DOTALL)
_MARKED = re.compile(r"<[^<>:]{2,30}: ([^<>/\\]+\.\w{2,5})>")
_ATTACHED = (_MARKED, re.compile(r"([^\n/\\]+\.\w{2,5}) \([^()\n]{3,40}\)(?=\n|$)"))
_OWN = re.compile(r"[A-Z]{3}-\d{8}-WA\d+\.")
"""Names that WhatsApp gives: an attachment also where it is not in the export."""
_MARK = re.compile(r"\u200e?\[[^\]]*\] [^:]{1,80}: \u200e")
_OMITTED = re.compile(r"<[^<>:\n]{3,60}>")
_BEHIND = re.compile(r"\s?<([^<>\n]{5,60})>$")
_CLOCK_WORDS = frozenset({"klo", "kl", "um", "à", "alas"})


class Stamp(NamedTuple):
    """The numbers of a line's time as they stand there."""

    first: int
    second: int
    third: int
    hour: int
    minute: int
    clock_second: int

    def at(self, order: DateOrder | None) -> datetime:
        """Return the moment on the wall; raises `ValueError` where there is none."""
        if self.first > 31:
            year, month, day = self.first, self.second, self.third
        elif order is DateOrder.MONTH_FIRST:
            month, day, year = self.first, self.second, self.third
        else:
            day, month, year = self.first, self.second, self.third
        return datetime(year + 2000 if year < 100 else year, month, day, self.hour, self.minute, self.clock_second)


@dataclass(slots=True)
class _Line:
    """A message as it stands in the file."""

    number: int
    stamp: Stamp
    name: str
    """Empty for a line of WhatsApp itself."""
    text: str


def _recognise(bundle: Bundle) -> bool:
    return bool(_chats(bundle))


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    for file in _chats(bundle):
        yield _chat(bundle, file, options, tally)


WHATSAPP = Format("whatsapp", "WhatsApp", _recognise, _read)


def _chats(bundle: Bundle) -> tuple[str, ...]:
    return tuple(name for name in bundle.named("*.txt", "*.TXT") if _is_chat(bundle.head(name)))


def _is_chat(head: bytes) -> bool:
    lines = head.decode("utf-8-sig", "ignore").splitlines()[:20]
    return any(_line(0, line) is not None for line in lines)


def _chat(bundle: Bundle, file: str, options: Options, tally: Tally) -> Conversation:
    # the first reading decides what the whole file has to decide, and counts nothing
    names, stamps = Counter[str](), _Orders()
    for line in _lines(bundle, file, Tally()):
        stamps.see(line)
        names[line.name] += 1
    del names[""]
    title = _title(bundle, file)
    me = _me(options.me, tuple(names), title, file)
    order = stamps.decide(options.order, file)
    others = sorted(name for name in names if name != me)
    own = f"{me} and {others[0]}" if len(others) == 1 else title
    return Conversation(own, _messages(bundle, file, me, order, tally))


def _title(bundle: Bundle, file: str) -> str:
    """Return the name of the chat, which stands in that of the file or of the zip or folder around it."""
    path = PurePosixPath(bundle.path.name, file)
    stems = (PurePosixPath(part).stem for part in reversed(path.parts))
    stem = next((stem for stem in stems if not stem.lower().startswith("_chat")), "")
    prefix = next((prefix for prefix in _words()["title"] if stem.startswith(prefix)), "")
    return re.sub(r" ?\(\d+\)$", "", stem.removeprefix(prefix))


def _me(said: str, names: tuple[str, ...], title: str, file: str) -> str:
    """Return the name of the person: as they say it, else the one of two that is not the name of the chat."""
    if not names:
        raise TransferError(f"{file} has no messages of anybody", fix="Export the chat again.")
    if said:
        if found := next((name for name in names if name.casefold() == said.casefold()), None):
            return found
    elif len(names) == 2 and title in names:
        return next(name for name in names if name != title)
    shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
    wrong = f"nobody is called {said} in {file}" if said else f"{file} does not say which lines are yours"
    raise UnsettledError(f"{wrong}; there are {shown}", fix='Say it with --me "NAME".', names=names)


class _Orders:
    """What the lines of a file tell about the order of day and month."""

    def __init__(self) -> None:
        self._told: dict[DateOrder, str] = {}
        self._last: dict[DateOrder, datetime] = {}
        self._runs = {DateOrder.DAY_FIRST: True, DateOrder.MONTH_FIRST: True}
        self._open = ""

    def see(self, line: _Line) -> None:
        """Look at one more line, in the order of the file."""
        first, second = line.stamp[:2]
        if first > 31:
            return
        place = f"line {line.number}"
        if first > 12 >= second:
            self._told.setdefault(DateOrder.DAY_FIRST, place)
        elif second > 12 >= first:
            self._told.setdefault(DateOrder.MONTH_FIRST, place)
        elif first != second:
            self._open = self._open or place
        for order in DateOrder:
            try:
                at = line.stamp.at(order)
            except ValueError:
                continue
            # an hour of summer time comes twice
            if order in self._last and (self._last[order] - at).total_seconds() > 7200:
                self._runs[order] = False
            self._last[order] = at

    def decide(self, said: DateOrder | None, file: str) -> DateOrder | None:
        """Return the order; raises `TransferError` where the file contradicts itself or leaves it open."""
        if len(self._told) > 1:
            raise TransferError(
                f"{file}: {self._told[DateOrder.DAY_FIRST]} has the day first,"
                f" {self._told[DateOrder.MONTH_FIRST]} the month",
                fix="Export the chat again: one export has one order.",
            )
        if self._told or not self._open:
            return next(iter(self._told), said)
        running = [order for order in DateOrder if self._runs[order]]
        if len(running) == 1 or said is not None:
            return said or running[0]
        raise UnsettledError(
            f"{file}, {self._open}: nothing in the chat tells whether the day or the month stands first",
            fix="Say it with --day-first or --month-first.",
        )


def _messages(bundle: Bundle, file: str, me: str, order: DateOrder | None, tally: Tally) -> Iterator[WrittenMessage]:
    there = _beside(bundle, file)
    minute, said = datetime.min, Counter[str]()
    for line in _lines(bundle, file, tally):
        if not line.name:
            tally.skip(SYSTEM)
            continue
        try:
            wall = line.stamp.at(order)
        except ValueError:
            tally.skip(UNREAD, f"{file}, line {line.number}")
            continue
        text, pictures = _content(line.text, there, tally)
        if not text and not pictures:
            continue
        if wall != minute:
            minute, said = wall, Counter()
        # the same words twice in a minute are two messages
        words = f"{line.name}\0{text}\0{pictures}"
        said[words] += 1
        speaker = Speaker.ME if line.name == me else Speaker.OTHER
        name = "" if speaker is Speaker.ME else line.name
        yield WrittenMessage(
            f"{wall.isoformat()} {words} {said[words]}", speaker, text, wall.astimezone(), name, pictures
        )


def _lines(bundle: Bundle, file: str, tally: Tally) -> Iterator[_Line]:
    """Yield the messages of a file, each with the lines that follow it."""
    last: _Line | None = None
    for number, text in text_lines(bundle, file, tally):
        if (line := _line(number, text)) is not None:
            if last is not None:
                yield last
            last = line
        elif _ALMOST.match(text.translate(_MARKS)):
            tally.skip(UNREAD, f"{file}, line {number}")
        elif last is not None and len(last.text) > LONGEST:
            tally.skip(BEYOND, f"{file}, line {number}")
        elif last is not None:
            last.text += f"\n{text}"
        elif text.strip():
            tally.skip(LOST, f"{file}, line {number}")
    if last is not None:
        yield last


def _line(number: int, text: str) -> _Line | None:
    """Return the message that begins with a line; None for one that goes on."""
    bare = text.translate(_MARKS).replace("\u202f", " ").replace("\xa0", " ")
    match = _PHONE.fullmatch(bare) or _ANDROID.fullmatch(bare)
    if match is None or (stamp := _stamp(match)) is None:
        return None
    named = _NAMED.fullmatch(match[9])
    if named is None:
        return _Line(number, stamp, "", match[9])
    # WhatsApp marks what it says itself, in the place of a text: "Karl: \u200eimage omitted"
    own = _MARK.match(text) is not None and not any(form.match(named[2]) for form in _ATTACHED)
    if own and not _plain(named[2]).startswith(tuple(_words()["deleted_plain"])):
        return _Line(number, stamp, "", match[9])
    return _Line(number, stamp, named[1].removeprefix("~").strip(), named[2])


def _stamp(match: re.Match[str]) -> Stamp | None:
    numbers = [int(match[place] or 0) for place in (1, 2, 3, 5, 6, 7)]
    before, behind = (_plain(match[place] or "") for place in (4, 8))
    half = behind or ("" if before in _CLOCK_WORDS else before)
    if half and half not in _words()["morning_plain"] and half not in _words()["afternoon_plain"]:
        return None
    if half:
        numbers[3] = numbers[3] % 12 + (12 if half in _words()["afternoon_plain"] else 0)
    stamp = Stamp(*numbers)
    # of a year in two digits one that is first cannot be told from a day: WhatsApp writes no such date
    return None if stamp.hour > 23 or stamp.minute > 59 or (stamp.first > 31 and stamp.first < 1000) else stamp


def _content(text: str, there: dict[str, str], tally: Tally) -> tuple[str, tuple[str, ...]]:
    """Return the words of a message and the name of its picture."""
    for form in _ATTACHED:
        if (match := form.match(text)) is not None and (match[1] in there or form is _MARKED or _OWN.match(match[1])):
            rest = text[match.end() :].strip()
            if is_picture(match[1]):
                return rest, (there.get(match[1], match[1]),)
            tally.skip(FILES)
            return rest, ()
    # Android writes "null" for a picture that may be seen once
    if _OMITTED.fullmatch(text.strip()) or text.strip() == "null":
        tally.skip(OMITTED)
        return "", ()
    if _plain(text) in _words()["deleted_plain"]:
        tally.skip(DELETED)
        return "", ()
    behind = _BEHIND.search(text)
    edited = behind is not None and _plain(behind[1]) in _words()["edited_plain"]
    return (text[: behind.start()] if edited and behind is not None else text).strip(), ()


def _beside(bundle: Bundle, file: str) -> dict[str, str]:
    """Return the files in the folder of a chat, by their names without it."""
    folder = PurePosixPath(file).parent
    return {path.name: str(path) for name in bundle.names if (path := PurePosixPath(name)).parent == folder}


def _plain(text: str) -> str:
    return re.sub(r"[\s.]+", "", text.translate(_MARKS)).casefold()


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """Return the words of the table, and under NAME_plain how they are compared."""
    table = tomllib.loads((files("persona_cli.importers") / "whatsapp.toml").read_text(encoding="utf-8"))
    return {
        **{name: tuple(words) for name, words in table.items()},
        **{f"{name}_plain": tuple(map(_plain, words)) for name, words in table.items()},
    }
