"""Whom a sentence is about, by name: one of those it names, or one of those named before, for whom "she" stands.

A trained line over plain features of each mention: where it stands, who was spoken of before, and whether name and
pronoun go together, for which another line tells from the state of a name alone whether a woman is called so
(models/reading/subject.py). Where the likeliest is not likely enough it is said that nobody knows: a memory of nobody
is better than one of somebody else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped
from persona_cli.reading.encoder import Encoder
from persona_cli.reading.heads import FOLDER, softmax
from persona_cli.reading.labels import Guess
from persona_cli.reading.statement import Mention, Subject

Floats = NDArray[np.float32]

SUBJECTS = "subjects.npz"
FEATURES = 31
_SHE = re.compile(r"\b(?:she|hers?|herself)\b", re.IGNORECASE)
_HE = re.compile(r"\b(?:he|him|his|himself)\b", re.IGNORECASE)
_THEY = re.compile(r"\b(?:they|them|their)\b", re.IGNORECASE)
_IT = re.compile(r"\bits?\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:s?he|him|his|hers?|they|them|theirs?|its?|himself|herself)\b", re.IGNORECASE)
_PERSON = re.compile(r"\b(?:s?he|him|his|hers?|they|them|their)\b", re.IGNORECASE)
_OPENING = 12
"""Characters into a sentence up to which a pronoun opens it."""
_RECENT = 8
_ANIMAL = 0.3
"""What the name of an animal counts of what it would of somebody: tomcats are called Molly."""


@dataclass(frozen=True, slots=True)
class Antecedents:
    """The trained lines, and what they made of names already."""

    subject: Floats
    """Over the features of a mention, the score of nobody last: (FEATURES + 1,)."""
    gender: Floats
    """Over the state of a name, the intercept last: above 0 a woman's: (width + 1,)."""
    name: Floats
    """Over the state of a word, the intercept last: how far it is a name: (width + 1,)."""
    sure: float
    """Probability from which somebody is taken to be meant."""
    known: dict[tuple[str, str], float] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the lines of a file, or those that ship with the program."""
        with np.load(path or shipped(FOLDER) / SUBJECTS, allow_pickle=False) as stored:
            subject, gender, name = (stored[part].astype(np.float32) for part in ("subject", "gender", "name"))
            return cls(subject, gender, name, float(stored["sure"]))

    def save(self, path: Path) -> None:
        """Write the lines in the precision they need."""
        lines = {name: getattr(self, name).astype(np.float16) for name in ("subject", "gender", "name")}
        np.savez_compressed(path, sure=self.sure, **lines)

    def leaning(self, encoder: Encoder, name: str) -> float:
        """Return whether somebody of that name is a man or a woman, from -1 to 1; each name is looked at once."""
        return math.tanh(self._score("gender", encoder, name) / 2)

    def namely(self, encoder: Encoder, word: str) -> float:
        """Return how probable it is that a word is a name; each is looked at once."""
        return 1 / (1 + math.exp(-self._score("name", encoder, word)))

    def choose(
        self,
        encoder: Encoder,
        text: str,
        candidates: Sequence[Mention],
        before: Sequence[str],
        who: Guess,
        *,
        chances: Sequence[float] = (),
    ) -> Subject:
        """Return the subject of a sentence out of those it may be, after some sentences; `who` is its kind."""
        told = Subject(who, chances=tuple(chances))
        if not candidates:
            return told
        seen = [features(mention, text, before, self.agreement(encoder, mention, text)) for mention in candidates]
        scores = np.append(np.array(seen) @ self.subject[:-1], self.subject[-1])
        judged = softmax(scores[None].astype(np.float32))[0]
        told = replace(told, named=tuple(zip(candidates, judged.tolist(), strict=False)))
        best = int(judged.argmax())
        chance = float(judged[best])
        if who.label != "other":
            return told
        if best == len(candidates) or (chance < self.sure and candidates[best].back > 0):
            return replace(told, probability=chance)
        mention = candidates[best]
        return replace(
            told,
            name=mention.name,
            label=mention.label,
            role=mention.role,
            probability=chance,
            said=mention.back == 0,
            owner=mention.owner,
        )

    def _score(self, which: str, encoder: Encoder, word: str) -> float:
        if (which, word) not in self.known:
            line, state = getattr(self, which), encoder.encode([[word]])[0].parts[0].mean()
            self.known[which, word] = float(state @ line[:-1] + line[-1])
        return self.known[which, word]

    def agreement(self, encoder: Encoder, mention: Mention, text: str) -> float:
        """Return how well a name or role goes with the pronoun of a sentence, from -1 to 1; 0 where there is none."""
        if not (pronoun := gendered(text)):
            return 0.0
        leaning = self.leaning(encoder, mention.role or mention.name)
        return pronoun * leaning * (_ANIMAL if mention.label == "pet" else 1.0)


@cache
def open_antecedents() -> Antecedents:
    """Return the lines that ship with the program, read once."""
    return Antecedents.load()


def gendered(text: str) -> int:
    """Return 1 where a sentence says "she", -1 for "he", 0 for neither or both."""
    return bool(_SHE.search(text)) - bool(_HE.search(text))


def features(mention: Mention, text: str, before: Sequence[str], agrees: float) -> Floats:
    """Return what is known of a mention as the subject of a sentence: (FEATURES,); `agrees` from -1 to 1."""
    here = mention.back == 0
    return np.array(
        [*_of_place(mention, text, here=here), *_of_pronoun(mention, text, before, agrees)], dtype=np.float32
    )


def _of_place(mention: Mention, text: str, *, here: bool) -> list[float]:
    """Return where a mention stands, and what it is."""
    pronoun = bool(_PERSON.search(text))
    return [
        here,
        1 / (1 + mention.back),
        here and mention.first,
        here and mention.mine,
        here and mention.beside,
        here and mention.possessive,
        here and mention.early,
        mention.label == "role",
        mention.label == "pet",
        here and mention.label == "person",
        not here and pronoun,
        not here and mention.subject_before,
        not here and mention.subject_before and pronoun,
        not here and mention.first,
        mention.back == 1,
        mention.back == 2,
        mention.back > 3,
        not here and mention.mine,
        bool(mention.role) and mention.label == "person",
    ]


def _of_pronoun(mention: Mention, text: str, before: Sequence[str], agrees: float) -> list[float]:
    """Return how a mention goes with the pronouns of the sentence and of the one before it."""
    here = mention.back == 0
    first = _PRONOUN.search(text)
    place = first.start() if first else len(text)
    behind = here and first is not None and text.find(mention.name) > place
    both = bool(_SHE.search(text) and _HE.search(text))
    same = bool(before) and any(form.search(before[-1]) and form.search(text) for form in (_SHE, _HE))
    times = sum(mention.name.casefold() in said.casefold() for said in before[-_RECENT:])
    opens = first is not None and place < _OPENING
    return [
        0.0 if here else agrees,
        agrees if here else 0.0,
        both,
        not here and not gendered(text) and not both and bool(_THEY.search(text)),
        not here and mention.label == "pet" and bool(_IT.search(text)),
        same and mention.subject_before and mention.back == 1,
        min(times, 3) / 3,
        behind,
        behind and opens,
        not here and opens and mention.subject_before,
        not here and opens,
        not here and first is None,
    ]
