"""A question in the words of the one it asks about: "What did Anna paint?" is answered by "I painted ...".

A transcript gives every message its speaker ("Anna: I painted a lake"). The name says who may answer and is the
lane of the person; in a question's vector it only draws it to every message of that speaker, and to every message
that greets them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from persona_cli.memory.retrieval.terms import STOP_WORDS, names_in, speaker_of
from persona_cli.memory.store import Store

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_NAMES = 40  # that are looked up: a page that is pasted has hundreds of words that may be names
_LOOKED_AT = 3  # messages that begin with a name; "Will: " speaks, "Will you come?" does not


def speakers_named(store: Store, text: str) -> tuple[str, ...]:
    """Return the speakers of transcripts that a question names, folded, in its order."""
    found: dict[str, None] = {}
    for word in _names(text)[:_NAMES]:
        for line in store.turns.lines(store.texts.messages_opening(word, _LOOKED_AT)):
            speaker = speaker_of(line.user)
            if speaker and names_in(speaker, frozenset({word})):
                found[speaker] = None
    return tuple(found)


def as_told(text: str, speakers: Iterable[str]) -> str:
    """Return a question with "I", "my" and "we" in place of those it asks about."""
    names = {part for speaker in speakers for part in (speaker, *speaker.split())}
    if not names:
        return text
    name = "(?:" + "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True)) + ")"
    for pattern, word in (
        (rf"\b{name}(?:['’]s?)?,? (?:and|or) {name}['’]s?(?!\w)", "our"),
        (rf"\b{name},? (?:and|or) {name}\b", "we"),
        (rf"\b{name}['’]s?(?!\w)", "my"),
        (rf"\b{name}\b", "I"),
    ):
        text = re.sub(pattern, word, text, flags=re.IGNORECASE)
    return text


def _names(text: str) -> tuple[str, ...]:
    """Return the words that may be names, folded: the capitalised ones, or all where nothing is capitalised."""
    words = _WORD.findall(re.sub(r"['’]s\b", "", text))
    chosen = [word for word in words if word[0].isupper()] or words
    folded = dict.fromkeys(word.casefold().strip("'’") for word in chosen)
    return tuple(word for word in folded if len(word) > 1 and word not in STOP_WORDS)
