"""What the rules ask of a single sentence: its words as sets, what it says beside colour, whether it is of an end."""

from __future__ import annotations

from persona_cli.english.kept_texts import kept
from persona_cli.english.tokens import names, negative, numbers, stem, stem_set, stems, supported, values, word_stems
from persona_cli.remembering.rules.signs import shows, without

UNTELLING = stem_set("turn born birthday become name call has have got go goes is")
"""What says nothing of which thing is meant."""


@kept
def plainly(text: str) -> str:
    """Return a sentence without the words that only colour it: "really", "by the way", "one day"."""
    return without("colour", text).strip(" ,")


@kept
def is_over(content: str) -> bool:
    """Tell whether a sentence itself says that something has ended: nothing can end it once more."""
    return shows("over", content)


def says_no_more(new: str, old: str, slot: str = "") -> bool:
    """Tell whether all that is specific in `new` stands in `old` too: names, numbers, values, polarity.

    Words that only name the attribute both fill, the `slot`, count neither way.
    """
    new = plainly(new)
    if negative(new) != negative(old) or not numbers(new) <= numbers(old):
        return False
    if not set(map(stem, names(new))) <= word_stems(old):
        return False
    wanted = {one for one in stems(new) if one not in UNTELLING | stems(slot.replace("/", " "))}
    wanted = (wanted & values(new)) or wanted
    return (bool(wanted) or bool(numbers(new))) and supported(wanted, old) == wanted
