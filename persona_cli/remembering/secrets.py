"""Secrets are taken out of what a person writes before anything is stored.

Keys in the formats that providers publish, values that are named as a secret ("my password is ..."), numbers with a
checksum (cards, IBAN, seed phrases). A scanner for source code (detect-secrets and the like) brings entropy rules
that fire on ordinary prose and miss what people say; so the table is ours, secrets.toml, with hits and near misses.
The checksums are those of python-stdnum and, for seed phrases, of the reference implementation of BIP-39.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from persona_cli.records import Notice

FORMATS = Path(__file__).with_name("secrets.toml")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_QUOTED = ("q1", "q2", "q3")
_ASKED = r"(?:^|[.!?,]\s+){begins}\b[^.!?\n]{{0,60}}?\b(?:my|our|the) (?:\w+ ){{0,2}}{called}(?=\s(?:for|of|to)\s|\W*$)"
"""A question, and whose secret it is for: "tell me the code for the gate"."""


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text without its secrets, and what kinds were taken out, each once."""
    kinds: list[str] = []

    def instead(kind: str) -> str:
        kinds.append(kind)
        return f"[{kind} removed]"

    formats = _formats()
    text = _PRIVATE_KEY.sub(lambda _: instead("private key"), text)
    text = formats.key.sub(lambda _: instead("key"), text)
    for named in formats.named:
        text = named.pattern.sub(lambda match, named=named: _named(match, named, instead), text)  # type: ignore[misc]
    text = formats.password.sub(lambda match: _password(match, instead), text)
    return text, tuple(dict.fromkeys(kinds))


def redaction_notice(kinds: Sequence[str]) -> tuple[Notice, ...]:
    """Return the step that says what was taken out of a turn; none when nothing was."""
    named = ", ".join(dict.fromkeys(kinds))
    told = f"I never keep passwords, keys and the like. Taken out before anything is stored: {named}."
    return (Notice(told),) if kinds else ()


def asked_notice(text: str) -> tuple[Notice, ...]:
    """Return the step that says that no secret is kept, where a message asks for one; none where it does not."""
    told = "I never keep passwords, PINs, card numbers and the like, so there is none that I could tell."
    return (Notice(told),) if _formats().asked.search(text) else ()


@dataclass(frozen=True, slots=True)
class NamedSecret:
    """A way of writing a secret with what it is: only its `value` is taken out."""

    kind: str
    pattern: re.Pattern[str]
    check: str = ""


def _named(match: re.Match[str], named: NamedSecret, instead: Callable[[str], str]) -> str:
    value = match["value"]
    if value.startswith("[") or not _CHECKS[named.check](value):
        return match[0]
    start, end = match.start("value") - match.start(), match.end("value") - match.start()
    return match[0][:start] + instead(named.kind) + match[0][end:]


def _password(match: re.Match[str], instead: Callable[[str], str]) -> str:
    if group := next((name for name in _QUOTED if match[name]), None):
        value = match[group]
        return match[0][: match.start(group) - match.start() - 1] + instead("password") if value else match[0]
    value = match["bare"]
    if value.startswith("[") or value.lower() in _formats().none:
        return match[0]
    return match[0][: match.start("bare") - match.start()] + instead("password")


def _luhn(value: str) -> bool:
    from stdnum import luhn

    # those of other scripts too
    digits = "".join(str(unicodedata.digit(char)) for char in value if char.isdigit())
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and bool(luhn.is_valid(digits))


def _iban(value: str) -> bool:
    from stdnum import iban

    return bool(iban.is_valid("".join(value.split())))


def _seed(value: str) -> bool:
    """Tell whether any twelve to twenty-four words in a row are a seed phrase by their checksum."""
    from mnemonic import Mnemonic

    words = re.findall(r"[a-z]+", value)
    known = Mnemonic("english")
    listed = set(known.wordlist)
    if sum(word in listed for word in words) < 12:
        return False
    return any(
        known.check(" ".join(words[start : start + length]))
        for length in (24, 21, 18, 15, 12)
        for start in range(len(words) - length + 1)
    )


_CHECKS: dict[str, Callable[[str], bool]] = {"": bool, "luhn": _luhn, "iban": _iban, "seed": _seed}


@dataclass(frozen=True, slots=True)
class SecretFormats:
    """The table secrets.toml, compiled."""

    key: re.Pattern[str]
    named: tuple[NamedSecret, ...]
    password: re.Pattern[str]
    none: frozenset[str]
    """What is said of passwords and is none."""
    asked: re.Pattern[str]


@cache
def _formats() -> SecretFormats:
    table = tomllib.loads(FORMATS.read_text(encoding="utf-8"))
    parts, asked = table["password"], table["asked"]
    return SecretFormats(
        re.compile(rf"(?<![\w-])(?:{'|'.join(row['pattern'] for row in table['key'])})"),
        tuple(NamedSecret(row["kind"], re.compile(row["pattern"]), row.get("check", "")) for row in table["named"]),
        re.compile(rf"\b{parts['called']}\b{parts['of']}\s*{parts['link']}\s*{parts['value']}", re.IGNORECASE),
        frozenset(parts["none"].split()),
        re.compile(_ASKED.format(**asked), re.IGNORECASE),
    )
