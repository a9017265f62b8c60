"""Lives as values, and their checker: python -m models.answers.lives prints counts and every fault.

A life is what one person told over some months, or two wrote to each other, and what is asked of it later with the
numbers of the messages that answer. The form is described in README.md.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent / "lives"
CHOOSING = "e"
"""The batch that nothing is trained on: settings are chosen by it."""
HELD_BACK = ("s-06", "s-07", "s-08", "s-09", "s-10")
"""Lives that nothing is trained on: by them it is set from when an ending is asked about and when it acts alone."""
ASKED = ("what", "who", "when", "where", "why", "how", "howmany", "which", "list", "yesno", "none", "request")
KINDS = ("diary", "pair")
_NAMES = Path(__file__).parents[1] / "reading" / "names.txt"
_WORD_TEXT = "grace rose ruby daisy poppy lily ivy opal flora mark frank max will bill rob nick sue carol"
_WORDS_TOO = frozenset(_WORD_TEXT.split())
"""Names that are words as well: in lower case nobody knows which they are."""
_MESSAGE = re.compile(r"(?P<number>\d+) \| (?P<day>\d{4}-\d{2}-\d{2})(?: (?P<who>[^|]+?))? \| (?P<text>.+)")
_QUESTION = re.compile(r"\? (?P<kind>\w+) \| (?P<numbers>[^|]+?) \| (?P<text>.+)")
_NUMBERS = re.compile(
    r"(?P<right>\d+(?:, ?\d+)*)(?: not (?P<outdated>\d+(?:, ?\d+)*))?(?: (?P<verdict>yes|no|unsure))?"
)

_TURN = re.compile(r"> (?P<old>\d+) (?P<fate>ended|stands) (?P<new>\d+)")


class FormatError(ValueError):
    """A line that breaks the form."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message; `who` is empty where one person talks to an assistant."""

    number: int
    day: date
    who: str
    text: str

    @property
    def line(self) -> str:
        """Return it as a transcript has it."""
        return f"{self.who}: {self.text}" if self.who else self.text


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question with the numbers of the messages that answer it, and of those that did until something changed."""

    kind: str
    text: str
    right: tuple[int, ...] = ()
    outdated: tuple[int, ...] = ()
    verdict: str = ""
    """yes, no or unsure, for `yesno`."""


@dataclass(frozen=True, slots=True)
class Life:
    """What was told, in order, and what is asked."""

    name: str
    kind: str
    told: tuple[Said, ...]
    inquiries: tuple[Inquiry, ...]
    ended: tuple[tuple[int, int], ...] = ()
    """What holds no longer and what says so, by their numbers; empty where nobody has named them."""
    standing: tuple[tuple[int, int], ...] = ()
    """What still holds, and what looks as if it did not."""


def read_lives(folder: Path = HERE, *, held_back: bool = False) -> tuple[Life, ...]:
    """Read the lives of a folder: those that may be trained on or chosen by, or those held back."""
    paths = sorted(folder.glob("?-*.txt"))
    return tuple(read_life(path) for path in paths if (path.stem in HELD_BACK) is held_back)


def read_life(path: Path) -> Life:
    """Read one life; raises FormatError with the place of the first fault."""
    kind, told, inquiries = "", dict[int, Said](), list[Inquiry]()
    turns: dict[str, list[tuple[int, int]]] = {"ended": [], "stands": []}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            if line.startswith("# kind:"):
                kind = line.partition(":")[2].split()[0]
            elif line.startswith("?"):
                inquiries.append(_inquiry(line, told))
            elif line.startswith(">"):
                fate, pair = _turn(line, told)
                turns[fate].append(pair)
            elif line.strip() and not line.startswith("#"):
                said = _said(line)
                if said.number in told:
                    raise FormatError(f"message {said.number} is there twice")
                told[said.number] = said
        except (FormatError, ValueError) as exc:
            raise FormatError(f"{path.name}:{number}: {exc}: {line[:80]}") from exc
    if kind not in KINDS:
        raise FormatError(f"{path.name}: the line '# kind:' names none of {', '.join(KINDS)}")
    return Life(path.stem, kind, tuple(told.values()), tuple(inquiries), tuple(turns["ended"]), tuple(turns["stands"]))


def renamed(life: Life, dice: random.Random) -> Life:
    """Return a life whose people have other first names, each the same one throughout."""
    every = [line.split()[1:] for line in _NAMES.read_text(encoding="utf-8").splitlines()[3:]]
    other: dict[str, str] = {}
    for names in every:
        plain = [name for name in names if name.isalpha() and name.casefold() not in _WORDS_TOO]
        other |= {name.casefold(): new for name, new in zip(plain, dice.sample(plain, len(plain)), strict=True)}
    pattern = re.compile(rf"\b(?:{'|'.join(other)})(?=s?\b|['’])", re.IGNORECASE)

    def anew(text: str) -> str:
        return pattern.sub(lambda match: _in_case(other[match[0].casefold()], match[0]), text)

    return replace(
        life,
        told=tuple(replace(said, who=anew(said.who), text=anew(said.text)) for said in life.told),
        inquiries=tuple(replace(inquiry, text=anew(inquiry.text)) for inquiry in life.inquiries),
    )


def _in_case(name: str, written: str) -> str:
    return name.lower() if written.islower() else name


def _said(line: str) -> Said:
    match = _MESSAGE.fullmatch(line.rstrip())
    if match is None:
        raise FormatError("no message: NUMBER | DATE | TEXT")
    return Said(int(match["number"]), date.fromisoformat(match["day"]), match["who"] or "", match["text"].strip())


def _inquiry(line: str, told: dict[int, Said]) -> Inquiry:
    match = _QUESTION.fullmatch(line.rstrip())
    if match is None or match["kind"] not in ASKED:
        raise FormatError("no question: ? KIND | NUMBERS | TEXT")
    kind, text = match["kind"], match["text"].strip()
    if kind == "none" and match["numbers"] == "-":
        return Inquiry(kind, text)
    numbers = _NUMBERS.fullmatch(match["numbers"])
    if numbers is None or (kind == "yesno") != bool(numbers["verdict"]):
        raise FormatError("numbers as in `41 not 12`, with yes, no or unsure behind those of a yesno alone")
    right, outdated = _all_of(numbers["right"]), _all_of(numbers["outdated"])
    if unknown := set(right + outdated) - set(told):
        raise FormatError(f"no message {min(unknown)} before it")
    return Inquiry(kind, text, right, outdated, numbers["verdict"] or "")


def _turn(line: str, told: dict[int, Said]) -> tuple[str, tuple[int, int]]:
    match = _TURN.fullmatch(line.split("  ", maxsplit=1)[0].rstrip())
    if match is None:
        raise FormatError("no change: > OLD ended NEW, or > OLD stands NEW")
    old, new = int(match["old"]), int(match["new"])
    if unknown := {old, new} - set(told):
        raise FormatError(f"no message {min(unknown)} before it")
    if old >= new:
        raise FormatError(f"{new} cannot change what was said after it")
    return match["fate"], (old, new)


def _all_of(numbers: str | None) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers.split(",")) if numbers else ()


def _counted(lives: Sequence[Life]) -> Iterator[str]:
    for batch in sorted({life.name[0] for life in lives}):
        of_batch = [life for life in lives if life.name[0] == batch]
        kinds = Counter(inquiry.kind for life in of_batch for inquiry in life.inquiries)
        told = sum(len(life.told) for life in of_batch)
        yield f"{batch}: {len(of_batch)} lives, {told} messages, {sum(kinds.values())} questions: " + ", ".join(
            f"{kind} {kinds[kind]}" for kind in ASKED
        )


def main() -> int:
    """Check every life and print what there is."""
    faults, lives = 0, []
    for path in sorted(HERE.glob("?-*.txt")):
        try:
            lives.append(read_life(path))
        except FormatError as exc:
            print(exc)
            faults += 1
    print("\n".join(_counted(lives)))
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
