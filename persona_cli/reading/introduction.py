"""How people say who they are: "im tash", "it's Emre here", "call me Bea".

What stands there may as well be "tired" or "Scottish": a trained line over the state of the word alone tells whether
it is a name (models/reading/subject.py), however it is written. Of 20 words behind "I'm" that it had not seen it took
none for a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from persona_cli.reading.labels import Guess
from persona_cli.reading.statement import Span, Statement, Subject

_OPENING = r"\W*(?:(?:hi|hello|hey|so|oh|ok|well|and|(?:good )?(?:morning|evening)|there|btw|please|pls)\b[ ,!.]*)*"
_WORD = r"(?P<name>[^\W\d_][\w'’-]*(?: (?-i:[A-Z])[\w'’-]+)?)"
_ENDING = r"(?:,? (?:here|btw|by the way|speaking|from now on))?(?=\s*(?:[.,!;:)]|$|from\b|and\b))"
_SELF = re.compile(rf"{_OPENING}(?:i['’]?m|i am) {_WORD}{_ENDING}", re.IGNORECASE)
_THIS_IS = r"(?:it['’]?s|this is)"
_SPEAKING = re.compile(rf"{_OPENING}{_THIS_IS} {_WORD},? (?:here|speaking)(?=\s*(?:[.,!]|$|from\b))", re.IGNORECASE)
_GREETING = re.compile(
    rf"\W*(?:hi|hello|hey|good (?:morning|evening))\b(?: there)?[ ,!.]*{_THIS_IS} {_WORD}\W*$", re.IGNORECASE
)
"""Without a greeting or "here" it presents somebody else: "This is Max, my dog"."""
_CALLED = re.compile(
    rf"{_OPENING}(?:(?:you can|just|do) )?(?:call me|i go by|i['’]?m called|i am called"
    rf"|(?:everyone|everybody|people|they|friends)(?: all)? calls? me) {_WORD}{_ENDING}",
    re.IGNORECASE,
)
_HERE = re.compile(rf"{_OPENING}{_WORD} here(?=\s*(?:[.,!]|$))", re.IGNORECASE)
_FORMS = ((_CALLED, "nickname"), (_SELF, "name"), (_SPEAKING, "name"), (_GREETING, "name"), (_HERE, "name"))
NAMELY = 0.15
"""Probability from which a word is a name: of 18 names that people go by (tash, kev, nige) 17 lie above, of 18 words
that stand as often behind "I'm" (skint, peckish, dyslexic) none above 0.01."""
_SURE = 0.95
_WEIGHTY = (0.0, 0.0, 0.3, 0.7)


def introduced(statement: Statement, namely: Callable[[str], float]) -> Statement:
    """Return a sentence by which somebody says what they are called as such; any other as it is."""
    for form, slot in _FORMS:
        match = form.match(statement.text)
        if match is None:
            continue
        name, start = match["name"], match.start("name")
        if namely(name.split()[0]) < NAMELY:
            return statement
        span = Span(name, start, start + len(name), "person", _SURE, slot, _SURE)
        beside = (other for other in statement.spans if other.end <= start or other.start >= span.end)
        return replace(
            statement,
            act=Guess("tell", _SURE),
            asked=None,
            worth=_WEIGHTY,
            spans=tuple(sorted((span, *beside), key=lambda mark: mark.start)),
            subject=Subject(Guess("me", _SURE)),
        )
    return statement
