"""How well a batch is read: python -m models.reading.measure BATCH [--from FOLDER] prints its tables as Markdown.

Everything goes through the encoder and the heads as they run in the program, in 8 bits. `--from` names the folder of
an adapter and coefficients that were trained without the batch; what ships was trained on every batch but the one
held back.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.reading.completion import completed
from models.reading.corpus import HERE, Batch, Example, read_batch
from models.reading.prepared import who_of
from models.reading.subject import called
from persona_cli.memory.vectors.state_encoder import ADAPTER, StateEncoder
from persona_cli.reading.heads import COEFFICIENTS, Heads
from persona_cli.reading.judging import open_judge
from persona_cli.reading.labels import ACTS, ASKED, KINDS, SPANS, SPEAKERS, WHO
from persona_cli.reading.reader import Reader
from persona_cli.reading.statement import Mention, Statement

Row = tuple[str, int, float, float, float]
"""A label, how often it is there, precision, recall, F1."""


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence of the corpus and what was read from it."""

    wanted: Example
    found: Statement


def scored(pairs: Iterable[tuple[Hashable, Hashable]], labels: Sequence[str]) -> list[Row]:
    """Return the row of each label out of (wanted, found), and the mean of those that are there."""
    wanted, found, both = Counter[Hashable](), Counter[Hashable](), Counter[Hashable]()
    for want, got in pairs:
        wanted[want] += 1
        found[got] += 1
        both[want] += want == got
    rows = [_row(label, both[label], found[label], wanted[label]) for label in labels if wanted[label]]
    means = (float(np.mean([row[place] for row in rows])) for place in (2, 3, 4))
    precision, recall, middle = means
    return [*rows, ("mean", sum(wanted.values()), precision, recall, middle)]


def read_all(reader: Reader, batch: Batch) -> Iterator[Read]:
    """Yield every sentence of a batch as it is read, with what the person said before."""
    for messages in batch.people:
        before: list[Statement] = []
        for message in messages:
            texts = [example.text for example in message]
            parts = reader.encoder.encode([texts])[0].parts
            read = reader.judge([(text, 0) for text in texts], parts, before)
            before += read
            yield from (Read(wanted, found) for wanted, found in zip(message, read, strict=True))


def sentence_tables(read: Sequence[Read]) -> Iterator[tuple[str, list[Row]]]:
    """Yield a table for each head of sentences."""
    yield "act", scored(((one.wanted.act, one.found.act.label) for one in read), ACTS)
    asked = [(one.wanted.asked, one.found.asked.label) for one in read if one.wanted.asked and one.found.asked]
    yield "asked", scored(asked, ASKED)
    yield "speaker", scored(((one.wanted.speaker, one.found.speaker.label) for one in read), SPEAKERS)
    unsure = [(one.wanted.unsure, one.found.unsure > 0.5) for one in read]
    negative = [(one.wanted.negative, one.found.negative > 0.5) for one in read]
    yield "flags", [flag("unsure", unsure), flag("negative", negative)]
    worth = [(str(one.wanted.worth), str(int(np.argmax(one.found.worth)))) for one in read]
    lasting = [(one.wanted.worth > 1, one.found.lasting > 0.5) for one in read]
    yield "worth", [*scored(worth, "0123"), flag("2 or 3", lasting)]
    kinds = [{guess.label for guess in one.found.kinds} for one in read]
    yield (
        "kinds",
        [
            flag(kind, [(kind in one.wanted.kinds, kind in found) for one, found in zip(read, kinds, strict=True)])
            for kind in KINDS
        ],
    )
    yield (
        "subject",
        scored(((who_of(one.wanted), one.found.subject.who.label) for one in read if one.wanted.subject), WHO),
    )


def span_tables(read: Sequence[Read]) -> Iterator[tuple[str, list[Row]]]:
    """Yield the table of spans, and those of whose words only a part was found."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    slots = []
    for one in read:
        wanted = {(span.start, span.end): span for span in one.wanted.spans}
        for span in one.found.spans:
            counted[span.label][1] += 1
            right = wanted.get((span.start, span.end))
            if right is not None and right.label == span.label:
                counted[span.label][0] += 1
                slots.append((right.slot or "none", span.slot or "none"))
        for marked in wanted.values():
            counted[marked.label][2] += 1
            near = [span for span in one.found.spans if span.start < marked.end and span.end > marked.start]
            counted[marked.label][3] += bool(near)
    rows = [_row(label, *counted[label][:3]) for label in SPANS if counted[label][2]]
    both, found, there, touched = (sum(numbers[place] for numbers in counted.values()) for place in range(4))
    yield "spans", [*rows, _row("all", both, found, there), ("all, touched", there, 0.0, touched / max(1, there), 0.0)]
    agreeing = sum(want == got for want, got in slots) / max(1, len(slots))
    yield "slots of right spans", [("all", len(slots), agreeing, agreeing, agreeing)]


def subject_row(read: Sequence[Read]) -> Row:
    """Return the row of who is meant by name, where somebody is: the same name, or the role said with it."""
    named = [one for one in read if who_of(one.wanted) == "other"]
    found = [one for one in named if one.found.subject.name]
    right = sum(called(_mention(one.found), one.wanted.subject) for one in found)
    return _row("whom by name", right, len(found), len(named))


def flag(name: str, pairs: Sequence[tuple[bool, bool]]) -> Row:
    """Return the row of what is there or not, out of (wanted, found)."""
    return _row(name, sum(w and f for w, f in pairs), sum(f for _, f in pairs), sum(w for w, _ in pairs))


def _row(label: str, both: int, found: int, wanted: int) -> Row:
    return label, wanted, both / max(1, found), both / max(1, wanted), 2 * both / max(1, found + wanted)


def _mention(found: Statement) -> Mention:
    subject = found.subject
    return Mention(subject.name, subject.label, subject.role, subject.owner, 0)


def print_table(name: str, rows: Sequence[Row]) -> None:
    """Print a table as Markdown."""
    print(f"\n| {name} | n | precision | recall | F1 |\n|---|---:|---:|---:|---:|")
    for label, count, *numbers in rows:
        print(f"| {label} | {count} | {' | '.join(f'{100 * number:.0f}' for number in numbers)} |")


def main() -> None:
    """Print the tables of one batch."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("batch")
    options.add_argument("--from", dest="folder", type=Path, default=HERE)
    given = options.parse_args()
    batch = completed(read_batch(HERE / given.batch))
    with tempfile.TemporaryDirectory() as weights:
        encoder = StateEncoder(Path(weights), print, given.folder / ADAPTER)
        reader = Reader(encoder, Heads.load(given.folder / COEFFICIENTS), open_judge(encoder))  # nothing is judged
        read = list(read_all(reader, batch))
        for name, rows in (*sentence_tables(read), *span_tables(read)):
            print_table(name, rows)
        print_table("whom", [subject_row(read)])
        encoder.close()


if __name__ == "__main__":
    main()
