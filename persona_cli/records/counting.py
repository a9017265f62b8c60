"""A number with its noun: "1 message", "12 messages"."""

from __future__ import annotations


def counted(number: int, plural: str) -> str:
    """Return a number with the noun that is counted, given in the plural: "1 memory" of "memories"."""
    if number != 1:
        return f"{number:,} {plural}"
    return f"1 {plural[:-3]}y" if plural.endswith("ies") else f"1 {plural[:-1]}"
