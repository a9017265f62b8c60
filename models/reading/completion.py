"""Marks that writers left out, put in: who is named once under a person is marked wherever the name stands.

Writers mark what a memory would keep and leave the second "Philippa" bare; a tagger would learn from that that names
are names half of the time. Only words that the labels themselves name are marked: spans of the same person, and the
subject after the @. Never a word that stands inside another span.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from models.reading.corpus import Batch, Example, Marked, Message
from persona_cli.reading.labels import WHO

_REPEATED = ("person", "pet", "place", "org")
_NAMED = re.compile(r"[^\W\d_]{2,}(?:[ '’-][^\W\d_]+)*")


def completed(batch: Batch) -> Batch:
    """Return the batch with the marks that its own labels imply."""
    return replace(batch, people=tuple(_completed(messages) for messages in batch.people))


def _completed(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    labels: dict[str, Counter[str]] = {}
    for example in (example for message in messages for example in message):
        for name, label in _named(example):
            labels.setdefault(name, Counter())[label] += 1
    known = {name: counted.most_common(1)[0][0] for name, counted in labels.items()}
    return tuple(tuple(_marked(example, known) for example in message) for message in messages)


def _named(example: Example) -> Iterable[tuple[str, str]]:
    for span in example.spans:
        words = example.text[span.start : span.end]
        if span.label in _REPEATED and _NAMED.fullmatch(words) and words[0].isupper():
            yield words, span.label
    if example.subject and example.subject not in WHO and example.subject[0].isupper():
        yield example.subject, "pet" if "pets" in example.kinds else "person"


def _marked(example: Example, known: dict[str, str]) -> Example:
    spans = list(example.spans)
    wanted = dict(known)
    if example.subject and example.subject not in WHO and example.subject.islower():
        wanted[example.subject] = "role"
    for name, label in sorted(wanted.items(), key=lambda named: -len(named[0])):
        for match in re.finditer(rf"\b{re.escape(name)}\b", example.text):
            if all(match.end() <= span.start or match.start() >= span.end for span in spans):
                spans.append(Marked(match.start(), match.end(), label))
    return replace(example, spans=tuple(sorted(spans, key=lambda span: span.start)))
