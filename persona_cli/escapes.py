r"""What a terminal would obey, or nobody would see, as escapes (`\\u202e`): for the terminal's writer and for pages."""

from __future__ import annotations

import re
from collections.abc import Callable

UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls, directions, invisible characters, halves of pairs, tags; words and emoji keep their joiners (U+200C, D)."""


def escaped(text: str, escape: Callable[[str], str] | None = None) -> str:
    """Return `text` with what nobody would see as escapes; line ends and tabs stay."""
    form = escape or _escape
    return UNSEEN.sub(lambda match: form(match[0]), text)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
