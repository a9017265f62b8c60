"""Text that instructs a language model, known for what it is however it is written.

A text is read several ways before the forms of instructions.toml are looked for: folded (compatibility forms, letters
of other scripts that look like Latin ones, accents and invisible characters gone), with digits read as letters, with
letters that stand apart put together, and with what is hidden in tags or entities brought to light. It does not ask who
wrote it: what a person pastes is no more theirs than what a picture says. A trained label would be one more of `WAYS`.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

FORMS = Path(__file__).with_name("instructions.toml")

_UNSEEN = re.compile(
    r"[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_OTHER_TAGS = re.compile("[\U000e0000-\U000e01ef]")
_MARKS = re.compile(r"[\u0300-\u036f\u0489]+")
_MIXED = re.compile(r"[a-z][\u0370-\u058f\u13a0-\u13ff\u1d00-\u1dbf]|[\u0370-\u058f\u13a0-\u13ff\u1d00-\u1dbf][a-z]")
"""Where Latin letters stand beside Greek, Cyrillic, Armenian, Cherokee or phonetic ones."""
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "’": "'", "‘": "'", "“": '"', "”": '"', "…": " "})
_DIGITS = str.maketrans("013457@$!|", "oieastasil")
_LEET = re.compile(r"[a-z][013457@$!|]|[013457@$!|][a-z]")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}")
_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .\-_*]){3,}[^\W\d_](?![^\W_])")


def is_instruction(text: str) -> bool:
    """Tell whether a text reads like an instruction to a language model rather than something about a life."""
    return form_of(text) != ""


@lru_cache(maxsize=2_048)
def form_of(text: str) -> str:
    """Return the name of the first form of instruction that a text has; "" for none."""
    for reading in readings(text):
        for form in forms():
            if form.pattern.search(reading):
                return form.name
    return ""


@dataclass(frozen=True, slots=True)
class InstructionForm:
    """One form of instruction, with texts that have it and near misses, which run as tests."""

    name: str
    pattern: re.Pattern[str]
    hits: tuple[str, ...]
    misses: tuple[str, ...]


@cache
def forms() -> tuple[InstructionForm, ...]:
    """Return the table of forms, compiled."""
    table = tomllib.loads(FORMS.read_text(encoding="utf-8"))
    return tuple(_form(entry, table["words"]) for entry in table["form"])


def readings(text: str) -> Iterator[str]:
    """Yield the ways a text can be read, each once, the plain one first."""
    seen = set[str]()
    plain = folded(text)
    for way in WAYS:
        reading = way(text, plain)
        if reading and reading not in seen:
            seen.add(reading)
            yield reading


def folded(text: str) -> str:
    """Return a text in small letters without accents, invisible characters and letters that only look Latin."""
    text = _OTHER_TAGS.sub("", _UNSEEN.sub("", unicodedata.normalize("NFKC", text)))
    text = _MARKS.sub("", unicodedata.normalize("NFD", text.casefold())).translate(_PLAIN)
    return _in_words(unicodedata.normalize("NFC", text), _MIXED, lambda word: "".join(map(_latin, word)))


def _as_it_is(_: str, plain: str) -> str:
    return plain


def _unveiled(text: str, plain: str) -> str:
    """Return what tags of plane 14 spell, and entities stand for; both are read by models and seen by nobody."""
    hidden = " ".join("".join(chr(ord(char) - 0xE0000) for char in run) for run in _TAGS.findall(text))
    entities = html.unescape(text) if "&" in text and ";" in text else ""
    return folded(f"{hidden}\n{entities}") if hidden or (entities and entities != text) else plain


def _digits_as_letters(_: str, plain: str) -> str:
    return _in_words(plain, _LEET, lambda word: word.translate(_DIGITS))


def _put_together(_: str, plain: str) -> str:
    """Return a text whose letters stand apart as words: "i g n o r e  a l l"; words are two spaces apart."""
    return _APART.sub(lambda match: re.sub(r"[ .\-_*]", "", match[0]), plain)


def _decoded(text: str, plain: str) -> str:
    """Return what is written in base64 in a text, which models read without being asked to."""
    return folded("\n".join(filter(None, map(_from_base64, _BASE64.findall(text))))) or plain


def _from_base64(run: str) -> str:
    try:
        return base64.b64decode(run + "=" * (-len(run) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""


WAYS: tuple[Callable[[str, str], str], ...] = (_as_it_is, _unveiled, _decoded, _digits_as_letters, _put_together)
"""The ways a text is read, each of the text and of its folded form."""


def _in_words(text: str, sign: re.Pattern[str], change: Callable[[str], str]) -> str:
    """Change the words in which a sign is found; one expression for both would take quadratic time on one long word."""
    return re.sub(r"\S+", lambda match: change(match[0]) if sign.search(match[0]) else match[0], text)


@lru_cache(maxsize=512)
def _latin(char: str) -> str:
    """Return the Latin letter that a letter of another script looks like, or the letter itself."""
    if char.isascii():
        return char
    # the table of the Unicode consortium; its 0.9 MB are read where a word mixes scripts, which is rare
    from confusable_homoglyphs import confusables

    found = confusables.is_confusable(char, preferred_aliases=["latin"], greedy=True) or []
    looks = (glyph["c"] for entry in found for glyph in entry["homoglyphs"] if glyph["c"].isascii())
    return next((look.casefold() for look in looks if look.isalpha()), char)


def _form(entry: dict[str, list[str]], words: dict[str, str]) -> InstructionForm:
    pattern = "|".join(entry["says"])
    for _ in range(2):  # a word may be made of words
        for name, meaning in words.items():
            pattern = pattern.replace(f"<{name}>", meaning)
    return InstructionForm(
        str(entry["name"]), re.compile(pattern, re.MULTILINE | re.DOTALL), tuple(entry["hits"]), tuple(entry["misses"])
    )
