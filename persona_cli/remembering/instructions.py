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
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_OVERPRINTED = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*\x07?|[^\x08]\x08")
"""What a terminal would obey, and a letter that is taken back."""
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
"""Selectors of variants in a row stand for bytes, which nobody sees."""
_BACKWARDS = re.compile("\u202e([^\u202c]+)")
_SMALL_CAPITALS = re.compile(r"[\u0250-\u02af\u1d00-\u1d2b\ua730-\ua7ff]{2}")
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]{5,}")
_MARKUP = re.compile(r"<!--[^<>]{0,200}-->|</?[a-z][^<>]{0,100}>|[*_~`\[\]{}|]+|[\u2600-\u27bf\U0001f300-\U0001faff]+")
_JOINED = re.compile(r"[^\W_]+(?:(?:[^\w\s]|_)[^\W_]+){2,}")
_HUMPS = re.compile(r"\b[A-Z]?[a-z]+(?:[A-Z][a-z]+){3,}\b")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_OTHER_TAGS = re.compile("[\U000e0000-\U000e01ef]")
_MARKS = re.compile(r"[\u0300-\u036f\u0489]+")
_MIXED = re.compile(r"[a-z][\u0370-\u058f\u13a0-\u13ff\u1d00-\u1dbf]|[\u0370-\u058f\u13a0-\u13ff\u1d00-\u1dbf][a-z]")
"""Where Latin letters stand beside Greek, Cyrillic, Armenian, Cherokee or phonetic ones."""
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "’": "'", "‘": "'", "“": '"', "”": '"', "…": " "})
_DIGITS = str.maketrans("013457@$!|", "oieastasil")
_LEET = re.compile(r"[a-z][013457@$!|]|[013457@$!|][a-z]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}|(?:[A-Za-z0-9+/_-]{16,}\s+){1,200}[A-Za-z0-9+/_-]{4,}")
_ESCAPED = re.compile(r"(?:(?:%|\\u00|\\x)[0-9a-f]{2}){6,}|\b(?:[0-9a-f]{2}){12,}\b", re.IGNORECASE)
_URL_SAFE = str.maketrans("-_", "+/")
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
    text = _OVERPRINTED.sub("", text.replace("\u2800", " "))
    text = _OTHER_TAGS.sub("", _UNSEEN.sub("", unicodedata.normalize("NFKC", text)))
    text = _in_words(text, _SMALL_CAPITALS, lambda word: "".join(map(_capital, word)))
    text = _MARKS.sub("", unicodedata.normalize("NFD", text.casefold())).translate(_PLAIN)
    return _in_words(unicodedata.normalize("NFC", text), _MIXED, lambda word: "".join(map(_latin, word)))


def _as_it_is(_: str, plain: str) -> str:
    return plain


def _unveiled(text: str, plain: str) -> str:
    """Return what tags of plane 14 spell, and entities stand for; both are read by models and seen by nobody."""
    hidden = " ".join("".join(chr(ord(char) - 0xE0000) for char in run) for run in _TAGS.findall(text))
    hidden += " ".join(map(_selected, _SELECTORS.findall(text)))
    hidden += " ".join("".join(chr(ord(char) - 0x1F1E6 + 97) for char in run) for run in _FLAGS.findall(text))
    hidden += " ".join(run[::-1] for run in _BACKWARDS.findall(text))
    entities = html.unescape(text) if "&" in text else ""
    return folded(f"{hidden}\n{entities}") if hidden or (entities and entities != text) else plain


def _selected(run: str) -> str:
    codes = bytes(ord(char) - 0xFE00 if ord(char) < 0xFE10 else ord(char) - 0xE0100 + 16 for char in run)
    return codes.decode("utf-8", "ignore")


def _without_markup(_: str, plain: str) -> str:
    """Return a text without tags, comments, marks of emphasis and brackets, which may stand in the middle of words."""
    bare = re.sub(r"\((\w)\)", r"\1", plain)
    return _MARKUP.sub(lambda match: " " if ord(match[0][0]) > 0x2000 else "", bare)


def _taken_apart(text: str, plain: str) -> str:
    """Return a text with words apart that were joined: "ignore_all-previous.rules", "IgnoreAllPreviousRules"."""
    apart = _JOINED.sub(lambda match: re.sub(r"[^\w\s]|_", " ", match[0]), plain)
    humps = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", run) for run in _HUMPS.findall(text)]
    return "\n".join([apart, *map(folded, humps)])


def _digits_as_letters(_: str, plain: str) -> str:
    return _in_words(plain, _LEET, lambda word: word.translate(_DIGITS))


def _put_together(_: str, plain: str) -> str:
    """Return a text whose letters stand apart as words: "i g n o r e  a l l"; words are two spaces apart."""
    return _APART.sub(lambda match: re.sub(r"[ .\-_*]", "", match[0]), plain)


def _decoded(text: str, plain: str) -> str:
    """Return what is written in base64 in a text, which models read without being asked to."""
    found = [*map(_from_base64, _BASE64.findall(text)), *map(_from_escapes, _ESCAPED.findall(text))]
    return folded("\n".join(filter(None, found))) or plain


def _from_escapes(run: str) -> str:
    """Return what escapes of an address, of a program or plain hexadecimal digits spell."""
    digits = re.sub(r"%|\\u00|\\x", "", run, flags=re.IGNORECASE)
    return bytes.fromhex(digits).decode("utf-8", "ignore") if len(digits) % 2 == 0 else ""


def _from_base64(run: str) -> str:
    try:
        run = "".join(run.split()).translate(_URL_SAFE)
        return base64.b64decode(run + "=" * (-len(run) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""


WAYS: tuple[Callable[[str, str], str], ...] = (
    _as_it_is, _unveiled, _decoded, _digits_as_letters, _put_together, _without_markup, _taken_apart,
)  # fmt: skip
"""The ways a text is read, each of the text and of its folded form."""


def _in_words(text: str, sign: re.Pattern[str], change: Callable[[str], str]) -> str:
    """Change the words in which a sign is found; one expression for both would take quadratic time on one long word."""
    return re.sub(r"\S+", lambda match: change(match[0]) if sign.search(match[0]) else match[0], text)


@lru_cache(maxsize=512)
def _capital(char: str) -> str:
    """Return the letter that a small capital is one of, or the letter itself."""
    name = unicodedata.name(char, "")
    return name[-1].casefold() if re.fullmatch(r"LATIN LETTER SMALL CAPITAL [A-Z]", name) else char


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
