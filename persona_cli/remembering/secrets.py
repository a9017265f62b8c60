"""Secrets are taken out of what a person writes before anything is stored.

Known key formats, card numbers that satisfy Luhn, private keys, and values named as a password. A scanner
for source code (detect-secrets and the like) brings entropy rules that fire on ordinary prose and miss
"my password is ..."; the formats of secrets.toml are the ones providers publish.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from persona_cli.records import Notice

FORMATS = Path(__file__).with_name("secrets.toml")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_CARD = re.compile(r"(?<![\w.])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w]|\.\d)")


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text without its secrets, and what kinds were taken out, each once."""
    found: list[str] = []

    def instead(kind: str) -> str:
        found.append(kind)
        return f"[{kind} removed]"

    text = _PRIVATE_KEY.sub(lambda _: instead("private key"), text)
    text = _patterns().key.sub(lambda _: instead("key"), text)
    text = _CARD.sub(lambda match: instead("card number") if _luhn(match[0]) else match[0], text)
    text = _patterns().password.sub(lambda match: _password(match, instead), text)
    return text, tuple(dict.fromkeys(found))


def redaction_notice(kinds: Sequence[str]) -> tuple[Notice, ...]:
    """Return the step that says what was taken out of a turn; none when nothing was."""
    named = ", ".join(dict.fromkeys(kinds))
    return (Notice(f"Taken out before anything is stored: {named}."),) if kinds else ()


def _password(match: re.Match[str], instead: Callable[[str], str]) -> str:
    value = match["value"]
    if match["pin"] and not re.fullmatch(r"\d{3,12}", value):
        return match[0]
    if value.startswith("[") or (value.lower() in _patterns().none and not match["open"]):
        return match[0]
    return match[0][: match.start("value") - match.start()] + instead("password")


def _luhn(number: str) -> bool:
    digits = [int(char) for char in number if char.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The table secrets.toml, compiled."""

    key: re.Pattern[str]
    password: re.Pattern[str]
    none: frozenset[str]
    """What is said of passwords and is none."""


@cache
def _patterns() -> _Patterns:
    table = tomllib.loads(FORMATS.read_text(encoding="utf-8"))
    parts = table["password"]
    return _Patterns(
        re.compile(rf"\b(?:{'|'.join(table['keys'].values())})"),
        re.compile(
            rf"\b{parts['called']}\b{parts['of']}\s*{parts['link']}\s*{parts['value']}",
            re.IGNORECASE,
        ),
        frozenset(parts["none"].split()),
    )
