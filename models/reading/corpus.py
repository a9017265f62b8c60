"""The corpus as values, and its checker: python -m models.reading.corpus prints counts and every fault.

The format is described in README.md. A line that breaks it is a fault with its place, never skipped in silence.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from persona_cli.reading.labels import ACTS, ANSWERS, ASKED, KINDS, RELATIONS, SLOTS, SPANS, SPEAKERS

HERE = Path(__file__).parent
HELD_BACK = "f"
"""The batch that nothing is trained or chosen on."""
_SPAN = re.compile(r"\[([^\[\]|]+)\|([^\[\]|]+)\]")
_TRAITS = re.compile(r"[OCEAN][+-]")


class FormatError(ValueError):
    """A line that breaks the format."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A span of a sentence: its place in the plain text, its label, and the slot it fills, if any."""

    start: int
    end: int
    label: str
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence with its labels; `subject` is as written, without the @, empty where none is given."""

    text: str
    act: str
    asked: str
    speaker: str
    unsure: bool
    negative: bool
    worth: int
    kinds: frozenset[str]
    subject: str
    traits: tuple[str, ...]
    spans: tuple[Marked, ...]


Message = tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and how the second stands to the first: memory and statement, or question and memory."""

    label: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one writer wrote."""

    name: str
    people: tuple[tuple[Message, ...], ...]
    pairs: tuple[Pair, ...]
    answers: tuple[Pair, ...]
    traits: tuple[tuple[str, str], ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message, in order."""
        return tuple(message for messages in self.people for message in messages)


def batches(folder: Path = HERE) -> tuple[Batch, ...]:
    """Return the batches of a folder in the order of their names; raises FormatError."""
    names = sorted(path.parent.name for path in folder.glob("*/messages.txt"))
    return tuple(read_batch(folder / name) for name in names)


def read_batch(folder: Path) -> Batch:
    """Return the batch in a folder; a file that is not there holds nothing."""
    traits = _table(folder / "traits.txt", 2)
    return Batch(
        folder.name,
        tuple(_people(folder / "messages.txt")),
        tuple(Pair(*parts) for parts in _table(folder / "pairs.txt", 3)),
        tuple(Pair(*parts) for parts in _table(folder / "answers.txt", 3)),
        tuple((parts[0], parts[1]) for parts in traits),
    )


def parse_example(line: str) -> Example:
    """Return the sentence of a line of messages.txt; raises FormatError."""
    written, bar, marked = line.partition(" | ")
    if not bar:
        raise FormatError("no ' | '")
    first, *words = written.split()
    act, _, asked = first.partition(":")
    if act not in ACTS or (act == "ask") != bool(asked) or (asked and asked not in ASKED):
        raise FormatError(f"act {first!r}")
    speakers = [word for word in words if word in SPEAKERS[1:]]
    kinds = [word for word in words if all(part in KINDS for part in word.split("+"))]
    subjects = [word[1:] for word in words if word.startswith("@") and len(word) > 1]
    traits = [word[2:] for word in words if word.startswith("t:")]
    worths = [word for word in words if word in "0123" and len(word) == 1]
    flags = {word for word in words if word in ("unsure", "neg")}
    known = [
        *speakers,
        *kinds,
        *worths,
        *flags,
        *(f"@{name}" for name in subjects),
        *(f"t:{trait}" for trait in traits),
    ]
    if unknown := Counter(words) - Counter(known):
        raise FormatError(f"label {next(iter(unknown))!r}")
    shown = tuple(pole for word in traits for pole in word.split(","))
    if not all(_TRAITS.fullmatch(pole) for pole in shown):
        raise FormatError(f"traits {traits[0]!r}")
    text, spans = _unmarked(marked)
    return Example(
        text,
        act,
        asked,
        speakers[0] if speakers else "own",
        "unsure" in flags,
        "neg" in flags,
        int(worths[0]) if worths else 0,
        frozenset(part for word in kinds for part in word.split("+")),
        subjects[0].replace("_", " ") if subjects else "",
        shown,
        spans,
    )


def faults(folder: Path) -> Iterator[str]:
    """Say where a batch breaks the format: file, line and what is wrong."""
    for number, line in _lines(folder / "messages.txt"):
        if line.strip() and not line.startswith("#"):
            try:
                parse_example(line)
            except FormatError as exc:
                yield f"{folder.name}/messages.txt:{number}: {exc}"
    for name, parts, labels in (("pairs", 3, RELATIONS), ("answers", 3, ANSWERS), ("traits", 2, ())):
        for number, line in _lines(folder / f"{name}.txt"):
            if not line.strip() or line.startswith("#"):
                continue
            found = [part.strip() for part in line.split("|")]
            poles = not labels and all(word == "-" or _TRAITS.fullmatch(word) for word in found[0].split())
            if len(found) != parts or not all(found) or not (poles or found[0] in labels):
                yield f"{folder.name}/{name}.txt:{number}: {line[:60]!r}"


def counts(batch: Batch) -> Counter[str]:
    """Return how often each label occurs in a batch."""
    counted = Counter({"messages": len(batch.messages)})
    for example in (example for message in batch.messages for example in message):
        counted["sentences"] += 1
        counted[f"act {example.act}"] += 1
        counted[f"speaker {example.speaker}"] += 1
        counted[f"worth {example.worth}"] += 1
        counted.update(f"kind {kind}" for kind in example.kinds)
        counted.update(f"span {span.label}" for span in example.spans)
        counted.update(name for name in ("unsure", "negative", "traits") if getattr(example, name))
    counted.update(f"pair {pair.label}" for pair in batch.pairs)
    counted.update(f"answer {pair.label}" for pair in batch.answers)
    counted.update("line without traits" if poles == "-" else "line with traits" for poles, _ in batch.traits)
    return counted


def _people(path: Path) -> Iterator[tuple[Message, ...]]:
    """Yield the messages of each person: a person begins with a line "# who:", a message ends at a blank line."""
    people: list[list[list[Example]]] = [[[]]]
    for _, line in _lines(path):
        if line.startswith("# who:"):
            people.append([[]])
        elif not line.strip():
            people[-1].append([])
        elif not line.startswith("#"):
            people[-1][-1].append(parse_example(line))
    for messages in people:
        if any(messages):
            yield tuple(tuple(message) for message in messages if message)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if path.exists():
        yield from enumerate(path.read_text(encoding="utf-8").splitlines(), 1)


def _table(path: Path, parts: int) -> Iterator[list[str]]:
    for number, line in _lines(path):
        if line.strip() and not line.startswith("#"):
            found = [part.strip() for part in line.split("|")]
            if len(found) != parts:
                raise FormatError(f"{path}:{number}: {len(found)} parts")
            yield found


def _unmarked(marked: str) -> tuple[str, tuple[Marked, ...]]:
    text, spans, end = "", [], 0
    for match in _SPAN.finditer(marked):
        text += marked[end : match.start()]
        label, _, slot = match[2].partition("=")
        if label not in SPANS or (slot and slot not in SLOTS):
            raise FormatError(f"span {match[0]}")
        spans.append(Marked(len(text), len(text) + len(match[1]), label, slot))
        text += match[1]
        end = match.end()
    text += marked[end:]
    if re.search(r"[\[\]|]", text):
        raise FormatError("stray [ ] or |")
    return text, tuple(spans)


def main(folders: Sequence[str]) -> None:
    """Print the counts of each batch, or of the given folders, and their faults."""
    chosen = [Path(name) for name in folders] or sorted(path.parent for path in HERE.glob("*/messages.txt"))
    for folder in chosen:
        broken = list(faults(folder))
        print(folder.name, *broken, f"{len(broken)} faults", sep="\n")
        if not broken:
            print(", ".join(f"{label} {count}" for label, count in sorted(counts(read_batch(folder)).items())))


if __name__ == "__main__":
    main(sys.argv[1:])
