"""Who speaks in each stretch of a message: the user, somebody quoted, a pasted text, or code and logs.

Known by the form alone, from speakers.toml: "> …", "Anna wrote:", the head of a mail, "She was like, I hate …", a time
stamp at the start of a line. What is not of such a form is the user's own. Takes time in proportion to the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from persona_cli.english.lexicon import KIN, NOT_NAMES
from persona_cli.english.sentences import sentence_spans

FORMS = Path(__file__).with_name("speakers.toml")


class Voice(StrEnum):
    """Whose words a stretch of a message is made of."""

    OWN = "own"
    QUOTED = "quoted"
    PASTED = "pasted"
    CODE = "code"
    """Code, configuration, a log."""


@dataclass(frozen=True, slots=True)
class VoicedStretch:
    """A part of a message that one voice speaks."""

    start: int
    end: int
    voice: Voice


@lru_cache(maxsize=256)
def stretches(text: str) -> tuple[VoicedStretch, ...]:
    """Return who speaks from where to where, in order and without a gap."""
    parts = [part for start, end, voice in _lines(text) for part in _within(text, start, end, voice)]
    joined: list[VoicedStretch] = []
    for voice, group in groupby((part for part in parts if part.end > part.start), key=lambda part: part.voice):
        members = list(group)
        joined.append(VoicedStretch(members[0].start, members[-1].end, voice))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class _Forms:
    rest: re.Pattern[str]
    line: re.Pattern[str]
    header: re.Pattern[str]
    code: re.Pattern[str]
    comment: re.Pattern[str]
    speech: re.Pattern[str]
    says: re.Pattern[str]
    announces: re.Pattern[str]


@cache
def _forms() -> _Forms:
    """Return the forms of speakers.toml, compiled at the first use."""
    told: dict[str, Any] = tomllib.loads(FORMS.read_text(encoding="utf-8"))
    verbs = "|".join(told["says"].split())
    kin = "|".join(sorted(map(re.escape, KIN), key=len, reverse=True))
    noun = r"(?:my|our|her|his|the|a|an) (?:[\w'-]+ ){0,2}?[\w-]+"
    who = rf"(?:she|he|they|(?-i:[A-Z])[\w-]+|{noun}|(?:{kin}))"
    how = r"(?: just| then| all| even| always| still| often)*"
    to = r"(?: to)?(?: (?:me|us|him|her|them))?(?: (?:yesterday|today|once|again|now|last \w+))?"
    speech = (
        rf"\b(?!I\b){who}(?:['’]s| is| was| were)?{how} (?:(?:be |being )?like,?|(?:{verbs}){to}(?P<mark>[:,]))\s+"
        rf"(?=(?P<own>(?:I|I['’]?(?:m|ve|ll|d)|my|we|our)\b)?)"
    )
    return _Forms(
        rest=_either(told["pasted"]["rest"]),
        line=_either(told["pasted"]["line"]),
        header=_either(told["pasted"]["header"]),
        code=_either(told["code"]["line"], flags=0),
        comment=_either(told["code"]["comment"]),
        speech=re.compile(speech, re.IGNORECASE),
        announces=re.compile(rf"\b(?:{'|'.join(told['writes'].split())})\b[^.!?]*:", re.IGNORECASE),
        says=re.compile(rf"\b(?:{verbs}|like)\b", re.IGNORECASE),
    )


def _either(patterns: list[str], flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), flags)


_LONG = 400
"""Characters of a line that are looked at for its form."""


def _lines(text: str) -> Iterator[tuple[int, int, Voice]]:
    """Yield the lines with the voice that their form shows."""
    spans = [match.span() for match in re.finditer(r"[^\n]*\n|[^\n]+", text)]
    lines = [text[start : min(end, start + _LONG)].rstrip() for start, end in spans]
    voices = _voices(lines)
    return ((start, end, voice) for (start, end), voice in zip(spans, voices, strict=True))


def _voices(lines: list[str]) -> list[Voice]:
    forms = _forms()
    code = [bool(line) and forms.code.fullmatch(line) is not None for line in lines]
    heads = [forms.header.fullmatch(line) is not None for line in lines]
    chat = _chat(lines)
    voices: list[Voice] = []
    fenced, reach = False, Reach.NONE
    for number, line in enumerate(lines):
        fence = re.match(r"\s*(?:```|~~~)", line) is not None
        comment = any(code[max(0, number - 1) : number + 2]) and forms.comment.fullmatch(line)
        if fence or fenced or code[number] or comment:
            fenced = fenced != fence
            voices.append(Voice.CODE)
            continue
        if reach is Reach.BLANK and not line and voices[-1:] == [Voice.PASTED] and lines[number - 1][-1:] != ":":
            reach = Reach.NONE
        mail = sum(heads[number : number + 2]) == 2
        reach = Reach.END if mail else reach or _reach(forms, lines, number)
        alone = chat[number] or (bool(line) and forms.line.fullmatch(line) is not None)
        voices.append(Voice.PASTED if reach or alone else Voice.OWN)
    return voices


class Reach(IntEnum):
    """How far a text of somebody else goes on from a line."""

    NONE = 0
    BLANK = 1
    """To the next empty line."""
    END = 2


_SPEAKER = re.compile(r"([A-Z][\w-]*(?: [A-Z][\w.-]*)?)(?: \d{1,2}[:.]\d{2})?: \S")


def _chat(lines: list[str]) -> list[bool]:
    """Tell which lines are of a pasted chat: two names or more, one of which speaks again or beside another."""
    names = [match[1].casefold() if (match := _SPEAKER.match(line)) else "" for line in lines]
    spoken = [name for name in names if name and name not in NOT_NAMES]
    is_chat = len(spoken) > 2 and 1 < len(set(spoken)) < len(spoken)
    return [is_chat and bool(name) for name in names]


def _reach(forms: _Forms, lines: list[str], number: int) -> Reach:
    """Tell how far a text goes that a line announces; nowhere if what follows is marked by itself."""
    line = lines[number].strip()
    named = forms.rest.fullmatch(line) is not None
    if not named and not (line.endswith(":") and forms.announces.search(line)):
        return Reach.NONE
    following = next((line for line in lines[number + 1 : number + 4] if line), "")
    if not following or following.startswith(">"):
        return Reach.NONE
    return Reach.END if named else Reach.BLANK


_QUOTATION = re.compile(r"\"[^\"]{3,600}\"|“[^”]{3,600}”|«[^»]{3,600}»")
_FIRST_PERSON = re.compile(r"\b(?:I|I['’]?(?:m|ve|ll|d)|my|me|we|our|us)\b", re.IGNORECASE)


def _within(text: str, start: int, end: int, voice: Voice) -> Iterator[VoicedStretch]:
    """Yield the stretches of one line: what is quoted in it is not the user's."""
    at = start
    if voice is Voice.OWN:
        for begin, finish in _quoted(text[start:end]):
            yield VoicedStretch(at, start + begin, Voice.OWN)
            yield VoicedStretch(start + begin, start + finish, Voice.QUOTED)
            at = start + finish
    yield VoicedStretch(at, end, voice)


def _quoted(line: str) -> list[tuple[int, int]]:
    """Return what somebody else says in a line: in quotation marks, or after "told me:" and "was like,"."""
    marked = [match.span() for match in _QUOTATION.finditer(line) if _is_speech(line, *match.span())]
    spoken = [
        (match.end(), finish)
        for start, finish in sentence_spans(line)
        for match in [_forms().speech.search(line, start, min(finish, start + _LONG))]
        if match and (match["mark"] == ":" or match["own"])
    ]
    found: list[tuple[int, int]] = []
    for begin, finish in sorted(marked + spoken):
        if not found or begin >= found[-1][1]:
            found.append((begin, finish))
    return found


def _is_speech(line: str, start: int, end: int) -> bool:
    """Tell whether a quotation is of what somebody else said: its own "I", or a verb of saying beside it, not mine."""
    beside = line[max(0, start - 30) : start] + " " + line[end : end + 30]
    if re.search(r"\bI(?: just| then)? (?:said|told|wrote|asked|was like|replied|texted)\b", beside):
        return False
    return bool(_FIRST_PERSON.search(line, start, end)) or _forms().says.search(beside) is not None
