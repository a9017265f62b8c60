"""Secrets are taken out of what a person writes before anything is stored.

Known key formats, card numbers that satisfy Luhn, private keys, and values named as a password. A scanner
for source code (detect-secrets and the like) brings entropy rules that fire on ordinary prose and miss
"my password is ..."; the formats below are the ones providers publish.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from persona_cli.records import Notice

_KEYS = re.compile(
    r"""\b(?:
        (?:AKIA|ASIA)[0-9A-Z]{16}                                   # Amazon
      | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{30,}   # GitHub
      | glpat-[A-Za-z0-9_-]{18,}                                    # GitLab
      | sk-[A-Za-z0-9_-]{20,}                                       # OpenAI, Anthropic
      | [srp]k_(?:live|test)_[A-Za-z0-9]{16,}                       # Stripe
      | xox[abeoprs]-[A-Za-z0-9-]{10,}                              # Slack
      | AIza[0-9A-Za-z_-]{35}                                       # Google
      | ya29\.[0-9A-Za-z_-]{20,}
      | hf_[A-Za-z0-9]{30,}                                         # Hugging Face
      | npm_[A-Za-z0-9]{30,} | pypi-[A-Za-z0-9_-]{40,}              # package indexes
      | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}                  # SendGrid
      | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}   # JSON web tokens
    )""",
    re.VERBOSE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_CARD = re.compile(r"(?<![\w.])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w]|\.\d)")
_PASSWORD = re.compile(
    r"""\b(?: pass(?:word|code|phrase) | passwd | pwd | api[ _-]?key | secret[ ]key | access[ _-]?token
          | (?P<pin>pin(?:[ ](?:code|number))?) )\b
        (?:\s+(?:for|to|of|on|at|in)\s[^.!?\n"'“‘`]{1,40}?)?
        \s*(?: \b(?:is|was)\b\s*[:=]? | [:=] )
        (?:\s*(?:now|just|still|currently)\b)?
        \s*(?P<open>["'“‘`]?)(?P<value>[^\s"'“”‘’`,;]*[^\s"'“”‘’`,;.!?)])""",
    re.VERBOSE | re.IGNORECASE,
)
_SAID_OF_PASSWORDS = """
a about again all always an any asked at bad been being better blank broken by case changed compromised correct
different difficult easy empty enough even ever expired expiring fine for forgotten from going good gone great hard
here i if ignored important in incorrect insecure invalid it leaked like long longer lost me missing more my needed
never new no none not nothing of okay old on one only or our out please pretty private quite really rejected required
reset right safe same saved secret secure set short simple so something stolen stored strong such sure terrible that
the their there this to too unique unknown used very weak what where which who why with working written wrong you your
"""
_NO_PASSWORD = frozenset(_SAID_OF_PASSWORDS.split())


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text without its secrets, and what kinds were taken out, each once."""
    found: list[str] = []

    def instead(kind: str) -> str:
        found.append(kind)
        return f"[{kind} removed]"

    text = _PRIVATE_KEY.sub(lambda _: instead("private key"), text)
    text = _KEYS.sub(lambda _: instead("key"), text)
    text = _CARD.sub(lambda match: instead("card number") if _luhn(match[0]) else match[0], text)
    text = _PASSWORD.sub(lambda match: _password(match, instead), text)
    return text, tuple(dict.fromkeys(found))


def redaction_notice(kinds: Sequence[str]) -> tuple[Notice, ...]:
    """Return the step that says what was taken out of a turn; none when nothing was."""
    named = ", ".join(dict.fromkeys(kinds))
    return (Notice(f"Taken out before anything is stored: {named}."),) if kinds else ()


def _password(match: re.Match[str], instead: Callable[[str], str]) -> str:
    value = match["value"]
    if match["pin"] and not re.fullmatch(r"\d{3,12}", value):
        return match[0]
    if value.startswith("[") or (value.lower() in _NO_PASSWORD and not match["open"]):
        return match[0]
    return match[0][: match.start("value") - match.start()] + instead("password")


def _luhn(number: str) -> bool:
    digits = [int(char) for char in number if char.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
