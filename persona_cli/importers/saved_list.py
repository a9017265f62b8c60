"""A pasted list of what an assistant has saved of a person: one memory a line, as ChatGPT shows and Claude prints them.

Marks of a list are taken off, headings passed over, "[2025-03-01] - …" has its day.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from persona_cli.errors import TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Format, Item, Note, Options, Tally
from persona_cli.importers.own_words import is_worded
from persona_cli.importers.times import order_of, parse_time

_ENDINGS = (".txt", ".md")
_DATED = re.compile(r"\[([^\]]{1,40})\]\s*(?:[-–—:]\s*)?(.*)")
_MARK = re.compile(r"(?:[-*•·–]|\d{1,3}[.)])\s+")
_HEADING = re.compile(r"#.*|\*\*.*\*\*:?|[^.!?]{1,40}:|```.*")
_AGE = re.compile(r"(?:\d{1,3}|an?) \w{3,8} ago|yesterday|today|just now", re.IGNORECASE)
_TITLE = re.compile(r"[^.!?]{1,40}")
"""Where others have the mark of a list, a short line without one is none of them."""
_LONGEST = 2_000
_MOST = 2_000_000
_HEADINGS, _LONG, _OF_PAGE = "headings", "lines over 2,000 characters", "labels of the page"
_LABELS = frozenset({"memory updated", "updated saved memory", "saved memories", "reference saved memories"})
_NO_DATES = frozenset({"unknown", "date unknown", "no date", "unknown date", "n/a", "undated"})


def _recognise(bundle: Bundle) -> bool:
    for name in bundle.only(*_ENDINGS):
        text = bundle.head(name).decode("utf-8", "replace")
        lines = [line for line in map(str.strip, text.splitlines()) if line]
        of_page = _of_page(lines)
        listed = [
            line
            for line in lines
            if line in of_page or is_worded(line) or any(form.match(line) for form in (_MARK, _DATED, _HEADING))
        ]
        # a diary or a letter is no list
        return bool(lines) and len(listed) >= 0.8 * len(lines) and max(map(len, lines)) <= _LONGEST
    return False


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    lines = [line for name in bundle.only(*_ENDINGS) or bundle.names[:1] for line in _lines(bundle, name, tally)]
    dates = [(place, date) for place, date, _ in lines if date]
    order = order_of(dates, options.order)
    for place, date, text in lines:
        yield Note(text, text, parse_time(date, order, place) if date else None)


SAVED_LIST = Format("memories", "a list of saved memories", _recognise, _read)


def _lines(bundle: Bundle, name: str, tally: Tally) -> Iterator[tuple[str, str, str]]:
    """Yield place, date and text of every memory; the date may be empty."""
    try:
        text = bundle.read(name, _MOST).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise TransferError(f"{name} is not UTF-8 text", fix="Save it as UTF-8, one memory a line.") from exc
    marked = sum(bool(_MARK.match(line.strip())) for line in io.StringIO(text)) > 1
    of_page = _of_page([line.strip() for line in io.StringIO(text)])
    for number, line in enumerate(io.StringIO(text), 1):
        plain = _MARK.sub("", line.strip(), count=1)
        dated = _DATED.fullmatch(plain)
        date, said = (dated[1].strip(), dated[2].strip()) if dated else ("", plain.strip())
        if len(said) > _LONGEST:
            tally.skip(_LONG, f"{name}, line {number}")
        elif _HEADING.fullmatch(said) or (marked and plain == line.strip() and _TITLE.fullmatch(said)):
            tally.skip(_HEADINGS)
        elif said in of_page:
            tally.skip(_OF_PAGE)
        elif said:
            yield f"{name}, line {number}", "" if date.casefold() in _NO_DATES else date, said


def _of_page(lines: Sequence[str]) -> frozenset[str]:
    """Return the lines that came along from the page: a label that stands over each memory, and how old it is."""
    times = Counter(lines)
    labels = (line for line, count in times.items() if count > 1 and _TITLE.fullmatch(line) and not is_worded(line))
    return frozenset({*labels, *(line for line in times if _AGE.fullmatch(line) or line.casefold() in _LABELS)})
