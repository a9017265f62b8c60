"""Two things said at once that cannot both hold: one car is not red and blue, one dog does not weigh 12 and 14 kilos.

Nobody can say which was meant, so both stay and the person is asked (`memory conflicts`). Only what is said of the
very same thing in the very same words counts, but for one colour, material or measure.
"""

from __future__ import annotations

import re

from persona_cli.memory.tables.conflicts import AT_ONCE
from persona_cli.records import SemanticMemory
from persona_cli.remembering.rules.signs import shows

_VALUES = {
    "colour": "red blue green yellow black white purple orange pink brown grey gray turquoise blond blonde ginger"
    " silver gold beige cream maroon violet",
    "material": "leather velvet cotton wool silk linen denim wood wooden metal steel plastic glass marble brick"
    " concrete oak pine bamboo ceramic paper",
}
_TYPE = {word: name for name, words in _VALUES.items() for word in words.split()}
_SHADES = frozenset(("dark", "light", "pale", "bright", "deep"))
_MEASURES = frozenset(
    ("kilos", "kilo", "kg", "pounds", "stone", "cm", "metres", "meters", "feet", "inches", "years", "months", "storeys")
)
_STATE = re.compile(r"\b(?:is|are|has|weighs?|measures?)\b", re.IGNORECASE)


def at_odds(one: SemanticMemory, other: SemanticMemory) -> bool:
    """Tell whether two memories, said at about the same time, give one thing two values of which it has one."""
    if abs(one.valid_from - other.valid_from) > AT_ONCE or one.subject.casefold() != other.subject.casefold():
        return False
    if one.event is not None or other.event is not None:
        return False
    mine, theirs = _valued(one.content), _valued(other.content)
    return mine is not None and theirs is not None and mine[0] == theirs[0] and mine[1] != theirs[1]


def _valued(content: str) -> tuple[tuple[str, ...], str] | None:
    """Return the words of a sentence with its one value left open, and the value; None without just one."""
    if shows("room for both", content) or not _STATE.search(content):
        return None
    words = [word for word in re.findall(r"\w+(?:['’]\w+)*", content.casefold()) if word not in _SHADES]
    frame, values = [], []
    for word, after in zip(words, [*words[1:], ""], strict=True):
        kind = _TYPE.get(word) or ("number" if word.isdigit() and after in _MEASURES else None)
        frame.append(f"<{kind}>" if kind else word)
        values += [word] if kind else []
    verb = next((place for place, word in enumerate(frame) if _STATE.fullmatch(word)), len(frame))
    said = [place for place, word in enumerate(frame) if word.startswith("<")]
    return (tuple(frame), values[0]) if len(values) == 1 and said[0] > verb else None
