"""HTML as the text that it shows, for answers that a service gives out as pages.

By its tags alone and in linear time: the standard library's parser takes quadratic time for broken HTML (10,000
characters of "<a " took 1.6 s), and a page of a gigabyte is not to be in memory as a tree.
"""

from __future__ import annotations

import re
from html import unescape

_ITEM = re.compile(r"<li\b[^<>]*>", re.IGNORECASE)
_BLOCK = re.compile(r"</?(?:p|div|br|li|tr|h[1-6]|pre|blockquote|table|ul|ol|hr)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")


def plain_text(html: str) -> str:
    """Return the words of a piece of HTML, a line for each of its blocks."""
    text = unescape(_TAG.sub("", _BLOCK.sub("\n", _ITEM.sub("\n- ", html))))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
