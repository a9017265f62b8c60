"""Simple arithmetic and units, by simpleeval and pint: the only questions about the world that are answered."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from persona_cli.model.lite.phrases import table_of

if TYPE_CHECKING:
    from pint import UnitRegistry

_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_SUM = re.compile(
    rf"(?<![\w.])[(\s]*-?{_NUMBER}(?:\s*\)*\s*(?:\*\*|[-+*/x×÷^%])\s*[(\s]*-?{_NUMBER})+[\s)]*(?![\w.])", re.I
)
_PERCENT = re.compile(rf"({_NUMBER})\s*(?:%|percent|per cent)\s+of\s+({_NUMBER})", re.I)
_WORDED = {
    r"(?<=[\d)]) plus (?=[\d(])": " + ",
    r"(?<=[\d)]) minus (?=[\d(])": " - ",
    r"(?<=[\d)]) (?:times|multiplied by) (?=[\d(])": " * ",
    r"(?<=[\d)]) (?:divided by|over) (?=[\d(])": " / ",
    r"(?<=[\d)]) to the power of (?=[\d(])": " ** ",
    r"\b(?:split|share|divide) (\d+) (?:by|among|between) (\d+)": r"\1 / \2",
    r"(?<=\d) squared\b": " ** 2",
    r"(?<=\d) cubed\b": " ** 3",
    r"\bhalf of (?=\d)": "0.5 * ",
    r"\bsquare root of (\d[\d.]*)": r"\1 ** 0.5",
    rf"({_NUMBER}) ?(?:%|percent|per cent) off ({_NUMBER})": r"\2 * (1 - \1 / 100)",
}
"""How sums are said in words, as patterns, and how they are written."""
_CONVERSION = re.compile(
    rf"(?P<number>{_NUMBER}|an?\b)\s*(?P<unit>[a-z°]+(?: [a-z]+)?)\s+(?:in(?:to)?|to|as)\s+(?P<wanted>[a-z°]+)", re.I
)
_HOW_MANY = re.compile(
    rf"how (?:many|much) (?P<wanted>[a-z]+) (?:is|are|in|make)(?: there in)?"
    rf" (?P<number>{_NUMBER}|an?\b)\s*(?P<unit>[a-z°]+)",
    re.I,
)
_LONGEST = 200


def reckon(text: str) -> str | None:
    """Return the answer to a sum or a conversion of units, None where a text asks for neither."""
    if len(text) > _LONGEST or not re.search(r"\d|\ban?\b", text):
        return None
    return _converted(text) or _summed(text)


def _summed(text: str) -> str | None:
    if match := _PERCENT.search(text):
        return f"{match[0].strip()} is {_shown(_number(match[1]) / 100 * _number(match[2]))}."
    for worded, written in _WORDED.items():
        text = re.sub(worded, written, text, flags=re.I)
    match = _SUM.search(text)
    if match is None or re.fullmatch(r"\s*\d{1,4}([-/]\d{1,4}){1,2}\s*", match[0]):
        return None
    from simpleeval import simple_eval

    said = match[0].strip()
    plain = re.sub(r"[x×]", "*", said.replace(",", ""), flags=re.I).replace("÷", "/").replace("^", "**")
    try:
        return f"{said} is {_shown(float(simple_eval(plain)))}."
    except Exception:  # noqa: BLE001 - whatever stands there is no sum: the library has a dozen errors of its own
        return None


def _converted(text: str) -> str | None:
    match = _CONVERSION.search(text) or _HOW_MANY.search(text)
    units = table_of("units")
    if match is None or match["wanted"].lower() not in units:
        return None
    unit = next((name for name in (match["unit"].lower(), match["unit"].lower().split()[0]) if name in units), "")
    if not unit:
        return None
    number = 1.0 if match["number"].lower() in ("a", "an") else _number(match["number"])
    try:
        value = _units().Quantity(number, units[unit]).to(units[match["wanted"].lower()]).magnitude
    except Exception:  # noqa: BLE001 - what cannot be converted is no question of units: "5 miles in kg"
        return None
    return f"{_shown(number)} {match['unit'].strip()} is {_shown(float(value))} {match['wanted']}."


@cache
def _units() -> UnitRegistry[float]:
    from pint import UnitRegistry

    return UnitRegistry(autoconvert_offset_to_baseunit=True)


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _shown(number: float) -> str:
    return (
        f"{number:,.0f}"
        if number == int(number) and abs(number) < 1e15
        else f"{number:,.4g}"
        if abs(number) < 1e4
        else f"{number:,.2f}"
    )
