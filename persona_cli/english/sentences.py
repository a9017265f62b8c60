"""A text cut into sentences, with their places: the one splitter.

`sentencex` (Wikimedia's, in Rust: 1 ms to import, 20,000 characters in 0.4 ms; pysbd took 1.2 s and was last released
in 2021) knows abbreviations, initials, quotations and other scripts. Around it stands what messages need: a line end
closes a sentence, emoji do, a number that opens a line belongs to what follows, and a blank after a stop is forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_ABBREVIATION = re.compile(
    r"(?<!\w)(?:approx|incl|excl|appt|apt|ext|tel|dept|govt|misc|min|max|temp|prof|dr)\.\s*$", re.I
)
_NUMBER_AHEAD = re.compile(r"(?<!\w)(?:no|nr|p|pp|vol|ch|fig)\.\s*$", re.I)
_MARKER = re.compile(r"\s*(?:\(?\d{1,3}[.)]|[-*•–]|[a-z][.)])\s*$")
_QUOTED = re.compile(
    r"\"[^\"]{1,400}\"|“[^”]{1,400}”|«[^»]{1,400}»|\([^()]{1,400}\)|(?<!\w)['‘][^'‘’]{1,400}['’](?!\w)"
)
_STRAIGHT = str.maketrans("“”«»„‟‹›‘'", '""""""""’’') | dict.fromkeys(range(0xD800, 0xE000), "x")
# a lone surrogate, as a terminal may deliver it, is no text to sentencex
_SMILE = r"(?:[\U0001F000-\U0001FAFF\u2600-\u27BF][\u200d\ufe0f\U0001F3FB-\U0001F3FF]*)+"
_MARKS = tuple(
    re.compile(mark)
    for mark in (
        rf"{_SMILE}(?:\s+(?=\w))",  # "he is old 😀 i love him"
        r"(?<=[^\W\d_]{2})[!?]+(?=[^\W\d_]{2})",  # "is that you?he asked"
        r"(?<=\w)[!?]+\s+(?=[a-z])",  # "was it you??? no!!! yes"
        r"(?<=[a-z]{2})\.(?=[A-Z][a-z]|(?:i|im|i'm|my)\s)",  # "im tired.My dog died": names of files go on small
        r"(?<=\w\w)(?:…+|\.{3,})\s+(?=[A-Z])",
        r"(?<=\w)\.\s+(?=I(?:['’]\w+)? [a-z])",  # "My name is Anna J. I live in Rome."
    )
)
_TITLED = re.compile(r"(?<!\w)(?:Mr|Mrs|Ms|Dr|St|Prof|vs)\.\s*$")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text as they stand in it."""
    return [text[start:end] for start, end in sentence_spans(text)]


@lru_cache(maxsize=512)
def sentence_spans(text: str) -> tuple[Span, ...]:
    """Return where each sentence begins and ends, blanks around it left out."""
    return tuple(span for line in _LINE.finditer(text) for span in _trimmed(text, _joined(text, _cut(line))))


def _cut(line: re.Match[str]) -> Iterator[Span]:
    """Yield what sentencex and the marks inside its sentences make of one line."""
    from sentencex import get_sentence_boundaries

    text, offset = line[0], line.start()
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    marks = (mark for pattern in _MARKS for mark in pattern.finditer(text))
    cuts = [mark.end() for mark in marks if not _TITLED.search(text, max(0, mark.start() - 6), mark.end())]
    straight = text.translate(_STRAIGHT)  # an opening quote that nothing closes costs it the square of the length
    ends = [int(found["end_index"]) for found in get_sentence_boundaries("en", straight)]
    at = 0
    for end in [*_outside(text, sorted({*cuts, *ends} - {len(text)}), quoted), len(text)]:
        if end > at:
            yield offset + at, offset + end
            at = end


def _outside(text: str, places: list[int], quoted: list[Span]) -> list[int]:
    """Return the places, in order, that lie in no quotation nor before its "… and left"; both lists are walked once."""
    kept, number = [], 0
    for place in places:
        while number < len(quoted) and quoted[number][1] < place - 1:
            number += 1
        start, end = quoted[number] if number < len(quoted) else (place, place)
        goes_on = end <= place and text[place : place + 1].islower() and text[end - 1] != ")"
        if place <= start or (end <= place and not goes_on):
            kept.append(place)
    return kept


def _joined(text: str, spans: Iterator[Span]) -> Iterator[Span]:
    """Yield the spans, what does not end a sentence joined with what follows: "approx. 5", "No. 5", "2. floor"."""
    start: int | None = None
    for begin, end in spans:
        start = begin if start is None else start
        tail = max(start, end - 12)
        goes_on = _ABBREVIATION.search(text, tail, end) or (
            _NUMBER_AHEAD.search(text, tail, end) and text[end : end + 1].isdigit()
        )
        if goes_on or (end - start < 8 and _MARKER.fullmatch(text, start, end)):
            continue
        yield start, end
        start = None
    if start is not None:
        yield start, end


def _trimmed(text: str, spans: Iterator[Span]) -> Iterator[Span]:
    for begin, end in spans:
        piece = text[begin:end]
        if kept := piece.strip():
            start = begin + len(piece) - len(piece.lstrip())
            yield start, start + len(kept)
