"""What the letters of a sentence show beside its meaning: quotes, indentation, capitals, digits, its place.

Meaning is blurred about these, and they are what tells a pasted line from a spoken one and a name from a word.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")
_I_TEXT = "i i'm i've i'd i'll im ive my me mine myself"
_WE_TEXT = "we we're we've we'll our ours us ourselves"
_YOU_TEXT = "you you're you've your yours u ur"
_THEY_TEXT = "he he's she she's her hers his him they they're their them himself herself"
_I, _WE, _YOU, _THEY = (frozenset(text.split()) for text in (_I_TEXT, _WE_TEXT, _YOU_TEXT, _THEY_TEXT))


def words(text: str) -> list[tuple[int, int]]:
    """Return where each word, number and mark of a text begins and ends."""
    return [match.span() for match in _WORD.finditer(text)]


def sentence_features(text: str, place: int, count: int) -> Floats:
    """Return what the letters of a sentence show, which is the `place`-th (from 0) of `count`: (25,), about 0 to 1."""
    spoken = [text[start:end].casefold().replace("’", "'") for start, end in words(text)]
    stripped, length = text.strip(), max(1, len(text))
    folded = set(spoken)
    marks = sum(not char.isalnum() and not char.isspace() for char in text)
    return np.array(
        [
            stripped.endswith("?"),
            "?" in text,
            stripped.endswith("!"),
            stripped.endswith("."),
            stripped[:1] in tuple("\"'“‘«"),
            any(mark in text for mark in '"“«'),
            stripped.startswith(">"),
            bool(re.match(r"\w+(?: \w+)?:", stripped)),
            stripped[:1].isupper(),
            text[:1].isspace(),
            3 * sum(char.isupper() for char in text) / length,
            3 * sum(char.isdigit() for char in text) / length,
            3 * marks / length,
            min(len(spoken), 40) / 20,
            len(spoken) < 4,
            place == 0,
            place == count - 1,
            count == 1,
            min(count, 8) / 8,
            not folded.isdisjoint(_I),
            not folded.isdisjoint(_WE),
            not folded.isdisjoint(_YOU),
            not folded.isdisjoint(_THEY),
            any(ord(char) > 0x2600 for char in text),
            bool(re.search(r"[{}=;<>_/\\]|\d\d:\d\d", text)),
        ],
        dtype=np.float32,
    )


def word_features(text: str, places: list[tuple[int, int]]) -> Floats:
    """Return the shape of each word: (words, 14), 0 or 1."""
    shapes = np.zeros((len(places), 14), dtype=np.float32)
    for row, (start, end) in enumerate(places):
        word, before = text[start:end], text[:start].rstrip()
        shapes[row] = (
            word[0].isupper(),
            word.isupper() and len(word) > 1,
            word[0].isdigit(),
            any(char.isdigit() for char in word),
            not word[0].isalnum(),
            row == 0,
            row == len(places) - 1,
            "'" in word or "’" in word,
            len(word) < 3,
            len(word) > 7,
            before[-1:] in ("", ".", "!", "?", '"', "“"),
            before.casefold().endswith(("my", "our")),
            row > 0 and text[places[row - 1][0]].isupper(),
            row + 1 < len(places) and text[places[row + 1][0]].isupper(),
        )
    return shapes
