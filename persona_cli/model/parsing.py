"""From a model's text to values: one parser per output format of the contract. Pure, no I/O.

Formats are lines of ``"key": value``. Models without a grammar add fences, bullets, braces, change quotes or
drop them, and put colons into values ("gym at 18:30"); all of that is read. What cannot be read raises
`FormatError`, whose message says what was wrong in words the model itself can act on: it is shown to the
model in the one repair attempt. Thinking, answers and retrievals are parsed as they stream in `replies`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from persona_cli.errors import FormatError
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, ProceduralDraft, SemanticDraft, SummaryDraft
from persona_cli.personality import HIGHEST, LOWEST, TRAITS, Traits
from persona_cli.records import Aspect, Retrieve

Lines = list[tuple[str, str]]

MOST_HABITS = 5

_OPEN, _CLOSE = "\"'“‘`", "\"'”’`"
_BULLET = r"(?:[-*•]\s+|\d{1,2}[.)]\s+)?\**"
_QUOTED_KEY = r""""(?P<double>[^"]{1,80})"|'(?P<single>[^']{1,80})'|“(?P<curly>[^”]{1,80})”|`(?P<tick>[^`]{1,80})`"""
_BARE_KEY = r"(?P<bare>[^\W\d_][\w /()&-]{0,60}?)"
_KEYED = re.compile(rf"^\s*{_BULLET}(?:{_QUOTED_KEY}|{_BARE_KEY})\**\s*[:=]\s*\**\s*(?P<value>.*)$")
_NOTHING = {"", "null", "none", "n/a", "na", "nil", "unknown", "-", "[]", "{}"}
_PERSONA_WORDS = re.compile(
    r"occupation|\bjob|profession|career|employer|\bwork|company|education|degree|\bschool|university|college"
    r"|\bmajor\b|field of study|studies|\brole\b|skill|qualification|industry|business"
)
_SCORE = re.compile(r"-?\d+(?:\.\d+)?(?!\.?\d|\s*(?:to|-|–)\s*\d)")
"""A score; "1 to 5" is the instruction given back."""
_STAMP = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::\d{2})?)?(?:\s*\(\w+\))?")


def parse_traits(text: str) -> Traits:
    """Return the scores of five trait lines; each must be there once, from 1 to 5."""
    found = {key.lower().strip(): value for key, value in keyed_lines(text)}
    scores = {}
    for name in TRAITS:
        match = _SCORE.search(found.get(name, ""))
        if match is None:
            raise FormatError(f'The line "{name}" with a score from 1 to 5 is missing.')
        if not LOWEST <= float(match[0]) <= HIGHEST:
            raise FormatError(f'"{name}" is {match[0]}; scores are 1, 2, 3, 4 or 5.')
        scores[name] = float(match[0])
    return Traits(**scores)


def parse_semantic(text: str) -> tuple[SemanticDraft, ...]:
    """Return what the four lines decide to remember: nothing when the decision is false.

    Several blocks of four lines are read as several memories.
    """
    blocks = _blocks(keyed_lines(text), first="reason", known=("reason", "decision", "content", "keywords"))
    if not any("decision" in block for block in blocks):
        raise FormatError('The line "decision" with true or false is missing.')
    drafts = (_semantic(block) for block in blocks if "decision" in block)
    return tuple(draft for draft in drafts if draft is not None)


def parse_topics(text: str, turns: int) -> tuple[EpisodeDraft, ...]:
    """Return the topics of a session of `turns` turns; indices outside it are dropped."""
    known = ("topic_summary", "keywords", "source_dialog_indices")
    blocks = _blocks(keyed_lines(text), first="topic_summary", known=known)
    topics = []
    for block in blocks:
        summary = _value(block.get("topic_summary", ""))
        if summary:
            indices = (int(digits) for digits in re.findall(r"(?<![\w.-])\d{1,6}\b", _spans(block.get(known[2], ""))))
            kept = tuple(sorted({index for index in indices if index < turns}))
            topics.append(EpisodeDraft(summary, parse_keywords(block.get("keywords", "")), kept))
    if not topics:
        raise FormatError('There is no topic: each needs "topic_summary", "keywords" and "source_dialog_indices".')
    return tuple(topics)


def parse_summary(text: str) -> SummaryDraft:
    """Return what several episodes tell together."""
    found = _first(keyed_lines(text), ("summary", "keywords"))
    summary = _value(found.get("summary", ""))
    if not summary:
        raise FormatError('The line "summary" is missing or empty.')
    return SummaryDraft(summary, parse_keywords(found.get("keywords", "")))


def parse_caption(text: str) -> str:
    """Return what a picture shows; "" where the model has nothing to say of it."""
    found = _first(keyed_lines(text), ("caption",))
    if "caption" not in found and not _is_nothing(text):
        raise FormatError('The line "caption" is missing.')
    return _value(found.get("caption", ""))


def parse_procedural(text: str) -> tuple[ProceduralDraft, ...]:
    """Return at most five habits and goals, a later line of the same key instead of an earlier one."""
    lines = {key.strip(): _value(value) for key, value in keyed_lines(text)}
    drafts = tuple(ProceduralDraft(key, value) for key, value in lines.items() if key and value)
    if not lines and not _is_nothing(text):
        raise FormatError('No line has the form "unique key": one sentence.')
    return drafts[:MOST_HABITS]


def parse_core(text: str) -> tuple[CoreDraft, ...]:
    """Return the keys of core memory that have a value; headings may say which aspect the lines below are."""
    aspect: Aspect | None = None
    drafts: dict[str, CoreDraft] = {}
    lines = keyed_lines(text)
    for key, raw in lines:
        heading = re.fullmatch(r"(human|persona)(?: aspects?)?", key.strip().lower())
        if heading and _value(raw) in ("", "{"):
            aspect = Aspect(heading[1])
        elif key.strip() and (value := _value(raw)):
            drafts[key.strip()] = CoreDraft(key.strip(), value, aspect or aspect_of(key))
    if not lines and not _is_nothing(text):
        raise FormatError('No line has the form "key": value.')
    return tuple(drafts.values())


def aspect_of(key: str) -> Aspect:
    """Return the half of core memory a key belongs to: work and education are persona, all else is human."""
    return Aspect.PERSONA if _PERSONA_WORDS.search(key.lower().replace("_", " ")) else Aspect.HUMAN


def parse_retrieve(body: str, zone: tzinfo | None, *, timeless: bool = False) -> Retrieve:
    """Return the search that the lines between the retrieve tags ask for; times are in `zone`.

    With `timeless` times that cannot be are left out: better a search of everything than none.
    """
    found = _first(keyed_lines(body), ("keywords", "start_time", "end_time"))
    keywords = _value(found.get("keywords", ""))
    if not keywords:
        raise FormatError('The line "keywords" of the retrieval is missing or empty.')
    try:
        return Retrieve(keywords, *_span(found, zone))
    except FormatError:
        if timeless:
            return Retrieve(keywords)
        raise


def _span(found: Mapping[str, str], zone: tzinfo | None) -> tuple[datetime | None, datetime | None]:
    start = parse_time(found.get("start_time", ""), zone)
    end = parse_time(found.get("end_time", ""), zone, closing=True)
    # a window that ends before it begins is a model's slip: a search of everything costs less than a second call
    return (None, None) if start and end and start >= end else (start, end)


def parse_time(text: str, zone: tzinfo | None, *, closing: bool = False) -> datetime | None:
    """Return the moment of `YYYY-MM-DD HH:MM` or of a date alone, None for null; `closing` takes a date's end."""
    text = _value(text)
    if not text:
        return None
    match = _STAMP.fullmatch(text)
    if match is None:
        raise FormatError(f'{text!r} is no time: write "YYYY-MM-DD HH:MM" or "null".')
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    try:
        moment = datetime(year, month, day, hour, minute, tzinfo=zone)
        return moment + timedelta(days=1) if closing and match[4] is None else moment
    except (ValueError, OverflowError) as exc:
        raise FormatError(f"{text!r} is no date of the calendar.") from exc


def parse_keywords(text: str) -> tuple[str, ...]:
    """Return comma separated words without quotes and brackets, each once, in order."""
    words = (word.strip().strip("[]" + _OPEN + _CLOSE).strip() for word in re.split(r"[,;]", text.strip("[] ")))
    return tuple(dict.fromkeys(word for word in words if word.lower() not in _NOTHING))


def keyed_lines(text: str) -> Lines:
    """Return every `"key": value` line; a line without a key continues the value before it."""
    text = _without_fences(text)
    if (lines := _json_lines(text)) is not None:
        return lines
    lines = []
    for line in text.splitlines():
        match = _KEYED.match(line.strip().lstrip("{").rstrip("}") if _braced(line) else line.rstrip())
        if match:
            key = next(match[name] for name in ("double", "single", "curly", "tick", "bare") if match[name])
            lines.append((key, match["value"]))
        elif lines and line.strip(" \t{}[],"):
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} {line.strip()}")
    return lines


def _semantic(block: Mapping[str, str]) -> SemanticDraft | None:
    decision = _value(block["decision"]).lower().rstrip(".")
    if decision in ("false", "no"):
        return None
    if decision not in ("true", "yes"):
        raise FormatError(f'"decision" is {decision!r}; it has to be true or false.')
    content = _value(block.get("content", ""))
    if not content:
        raise FormatError('"decision" is true, but the line "content" is missing or empty.')
    return SemanticDraft(content, parse_keywords(block.get("keywords", "")), reason=_value(block.get("reason", "")))


def _blocks(lines: Lines, *, first: str, known: tuple[str, ...]) -> list[dict[str, str]]:
    """Group lines into blocks: one begins with the key `first`, or with a key the block has already."""
    blocks: list[dict[str, str]] = []
    for key, value in lines:
        name = re.sub(r"[\s-]+", "_", key.strip().lower())
        if name not in known:
            continue
        if not blocks or name == first or name in blocks[-1]:
            blocks.append({})
        blocks[-1][name] = value
    return blocks


def _first(lines: Lines, known: tuple[str, ...]) -> dict[str, str]:
    blocks = _blocks(lines, first="", known=known)
    return blocks[0] if blocks else {}


def _value(text: str) -> str:
    """Return a value without its quotes and trailing comma; what means nothing is ""."""
    text = text.strip().rstrip(",").strip()
    while len(text) > 1 and (at := _OPEN.find(text[0])) >= 0 and text[-1] == _CLOSE[at]:
        text = text[1:-1].strip()
    text = text.strip("*").strip()
    if text and text[0] in '"“' and not any(mark in text[1:] for mark in '"”'):
        text = text[1:].strip()
    return "" if text.lower().rstrip(".") in _NOTHING else text


def _is_nothing(text: str) -> bool:
    return _json_lines(text.strip()) == [] or _without_fences(text).strip(" \n\t.\"'").lower() in _NOTHING


def _spans(text: str) -> str:
    """Write out "2-5" as "2, 3, 4, 5"."""

    def out(match: re.Match[str]) -> str:
        low, high = int(match[1]), int(match[2])
        return ", ".join(map(str, range(low, min(high, low + 1000) + 1)))

    return re.sub(r"\b(\d{1,6})\s*(?:-|–|to|through)\s*(\d{1,6})\b", out, text)


def without_thought(text: str) -> str:
    """Return a reply without the thinking before it: what it was asked for is the format alone."""
    return text.rpartition("</think>")[2] if "</think>" in text else text


def _without_fences(text: str) -> str:
    return re.sub(r"^[ \t]*```[\w-]*[ \t]*$", "", text, flags=re.MULTILINE).strip()


def _braced(line: str) -> bool:
    """Tell whether a line stands in braces of its own, as one-line JSON that is not quite JSON."""
    return line.strip().startswith("{")


def _json_lines(text: str) -> Lines | None:
    """Return the lines of a reply that is JSON after all; None when it is not."""
    if not text.startswith(("{", "[")):
        return None
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):  # a number of 5,000 digits is no JSONDecodeError
        return None
    # a schema has no place for a list at its top, nor for keys of the model's own
    if isinstance(loaded, dict) and list(loaded) == ["lines"] and isinstance(loaded["lines"], list):
        loaded = loaded["lines"]
    lines: Lines = []
    for entry in loaded if isinstance(loaded, list) else [loaded]:
        if not isinstance(entry, dict):
            return None
        lines += [(str(entry["key"]), _plain(entry["value"]))] if entry.keys() == {"key", "value"} else _flat(entry)
    return lines


def _flat(one: Mapping[str, object]) -> Lines:
    lines: Lines = []
    for key, value in one.items():
        if isinstance(value, dict):
            lines += [(key, ""), *_flat(value)]
        else:
            lines.append((key, _plain(value)))
    return lines


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value)
