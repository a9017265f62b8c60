"""Fit the lines that choose whom a sentence is about: python -m models.reading.subject; some minutes of one core.

A softmax over those it may be, by gradient descent, on the @subject labels of `a` to `d`; `e` is left out and printed.
Whether a woman or a man is called so is learnt from which pronoun stands in sentences about somebody, and from
names.txt: names and roles of many countries, of which a corpus of 178 people has too few.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.reading.completion import completed
from models.reading.corpus import HELD_BACK, HERE, Batch, Example, batches
from persona_cli.english.people import kin
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.reading.antecedent import FEATURES, SUBJECTS, Antecedents, features, gendered
from persona_cli.reading.encoder import Encoder
from persona_cli.reading.heads import softmax
from persona_cli.reading.labels import WHO
from persona_cli.reading.mentions import latest, mentions
from persona_cli.reading.statement import Mention

Floats = NDArray[np.float64]
CHOOSING = "e"
SURE = 0.5
"""From which probability somebody who was named before is taken to be meant (benchmarks/LOG.md)."""
_BACK = 8
_STEPS, _RATE, _PENALTY = 3000, 0.5, 1e-4
_GENDER_STRENGTH = 0.1
_OTHERS = 1200
"""Words of the corpus that are nobody's name, beside those behind "I'm"."""
_AFTER_I = re.compile(r"\b(?:i['’]?m|i am)\s+(?:so |very |really |just |a bit |still |not )?([a-z'’-]+)", re.IGNORECASE)
_NAMELIKE = re.compile(r"[^\W\d_]{3,}")
_MOST = 3  # sentences about one person that count


@dataclass(frozen=True, slots=True)
class Choice:
    """Those a sentence may be about, what is seen of each, and which one it is; one more than the last is nobody."""

    example: Example
    candidates: tuple[Mention, ...]
    seen: Floats
    right: int


def fit_gender(chosen: Sequence[Batch], encoder: Encoder) -> NDArray[np.float32]:
    """Return the line over the state of a name."""
    from sklearn.linear_model import LogisticRegression

    told = [*_of_pronouns(chosen), *_of_names()]
    states = np.array([encoder.encode([[name]])[0].parts[0].mean() for name, _, _ in told])
    fitted = LogisticRegression(C=_GENDER_STRENGTH, max_iter=500)
    fitted.fit(states, [she for _, she, _ in told], sample_weight=[weight for _, _, weight in told])
    return np.append(fitted.coef_[0], fitted.intercept_[0]).astype(np.float32)


def fit_name(chosen: Sequence[Batch], encoder: Encoder) -> NDArray[np.float32]:
    """Return the line that tells a name from any other word, by the states of both."""
    from sklearn.linear_model import LogisticRegression

    named = {word.casefold() for name, _, _ in _of_names() for word in [name] if not word.islower()}
    examples = [example for batch in chosen for message in batch.messages for example in message]
    called = {
        word.casefold()
        for example in examples
        for span in example.spans
        if span.label in ("person", "pet")
        for word in _NAMELIKE.findall(example.text[span.start : span.end])
    }
    behind, others = (
        {word.casefold() for example in examples for word in form.findall(example.text)} - named - called
        for form in (_AFTER_I, _NAMELIKE)
    )
    told = sorted(named) + sorted(behind) + random.Random(1).sample(sorted(others), _OTHERS)
    states = np.array([encoder.encode([[word]])[0].parts[0].mean() for word in told])
    fitted = LogisticRegression(C=_GENDER_STRENGTH, max_iter=500).fit(states, [word in named for word in told])
    return np.append(fitted.coef_[0], fitted.intercept_[0]).astype(np.float32)


def fit_subject(choices: Sequence[Choice]) -> NDArray[np.float32]:
    """Return the line over `features`, the score of nobody last: (FEATURES + 1,)."""
    most = max(len(choice.candidates) for choice in choices)
    every = np.full((len(choices), most + 1, FEATURES + 1), np.nan)
    for row, choice in enumerate(choices):
        every[row, : len(choice.seen), :-1], every[row, : len(choice.seen), -1] = choice.seen, 0.0
        every[row, most] = np.eye(FEATURES + 1)[-1]
    right = np.array([most if choice.right == len(choice.candidates) else choice.right for choice in choices])
    there, known, line = np.isfinite(every[:, :, 0]), np.nan_to_num(every), np.zeros(FEATURES + 1)
    for _ in range(_STEPS):
        chances = softmax(np.where(there, known @ line, -1e9).astype(np.float32)).astype(np.float64)
        chances[np.arange(len(right)), right] -= 1
        line -= _RATE * (np.einsum("nc,ncf->f", chances, known) / len(right) + _PENALTY * line)
    return line.astype(np.float32)


def choices_of(batch: Batch, encoder: Encoder, lines: Antecedents) -> Iterator[Choice]:
    """Yield each sentence about somebody with those it may be about."""
    for messages in batch.people:
        before: list[Example] = []
        for example in (example for message in messages for example in message):
            if example.subject and example.subject not in WHO and (found := _candidates(example, before)):
                said = [earlier.text for earlier in before]
                seen = [
                    features(mention, example.text, said, lines.agreement(encoder, mention, example.text))
                    for mention in found
                ]
                right = next((at for at, mention in enumerate(found) if called(mention, example.subject)), len(found))
                yield Choice(example, found, np.array(seen, dtype=np.float64), right)
            before.append(example)


def called(mention: Mention, subject: str) -> bool:
    """Tell whether a mention is of the one written behind the @, by name or by role."""
    role = kin(subject.rsplit(maxsplit=1)[-1])
    same_role = role in {kin(words.split()[-1]) for words in (mention.name, mention.role) if words}
    return same_role or same(mention.name, subject) or (bool(mention.role) and same(mention.role, subject))


def same(name: str, other: str) -> bool:
    """Tell whether a name as it stands in a sentence is the one written behind the @."""
    one, two = name.casefold().split(), other.casefold().split()
    return one == two or (bool(one and two) and (one[-1] == two[-1] or one[0] == two[0]))


def report(choices: Sequence[Choice], line: NDArray[np.float32]) -> Iterator[str]:
    """Yield how often the right one is chosen, for a few probabilities from which somebody is named at all."""
    judged = []
    for choice in choices:
        scores = np.append(choice.seen @ line[:-1], line[-1])
        chances = softmax(scores[None].astype(np.float32))[0]
        here = [mention for mention in choice.candidates if mention.back == 0]
        leans = not any(called(mention, choice.example.subject) for mention in here)
        judged.append((int(chances.argmax()), float(chances.max()), choice, leans))
    yield "| from | sentences | named | of these right |\n|---|---|---:|---:|"
    for threshold in (0.0, 0.4, 0.5, 0.6, 0.7):
        for name, wanted in (("all", (False, True)), ("not named in the sentence", (True,))):
            rows = [row for row in judged if row[3] in wanted]
            said = [row for row in rows if row[1] >= threshold and row[0] < len(row[2].candidates)]
            right = sum(row[0] == row[2].right for row in said)
            shares = f"{len(said) / len(rows):.0%} | {right / max(1, len(said)):.0%}"
            yield f"| {threshold} | {name}, {len(rows)} | {shares} |"


def _of_pronouns(chosen: Sequence[Batch]) -> Iterator[tuple[str, bool, float]]:
    """Yield those of whom sentences say "she" or "he", with which, and how much that counts."""
    counted: dict[tuple[str, int, str], int] = defaultdict(int)
    for batch in chosen:
        for person, messages in enumerate(batch.people):
            for example in (example for message in messages for example in message):
                if example.subject and example.subject not in WHO:
                    counted[batch.name, person, example.subject] += gendered(example.text)
    for (_, _, name), balance in counted.items():
        if balance:
            yield name, balance > 0, min(_MOST, abs(balance)) / 2


def _of_names() -> Iterator[tuple[str, bool, float]]:
    for line in (HERE / "names.txt").read_text(encoding="utf-8").splitlines():
        letter, *told = line.split()
        yield from ((name, letter == "f", 1.0) for name in (told if letter in "fm" else ()))


def _candidates(example: Example, before: Sequence[Example]) -> tuple[Mention, ...]:
    past = []
    for back, earlier in enumerate(reversed(before[-_BACK:]), start=1):
        named, subject = list(mentions(earlier.text, earlier.spans)), earlier.subject
        known = bool(subject) and subject not in WHO
        if known and not any(called(mention, subject) for mention in named):
            named.insert(0, Mention(subject, "person", "", "", back))
        past.append(
            [replace(mention, back=back, subject_before=known and called(mention, subject)) for mention in named]
        )
    return latest(mentions(example.text, example.spans), past)


def main() -> None:
    """Fit on all but the batches left out, print what is read of one of them, and write the lines."""
    chosen = [completed(batch) for batch in batches() if batch.name not in (HELD_BACK, CHOOSING)]
    (left_out,) = (completed(batch) for batch in batches() if batch.name == CHOOSING)
    with tempfile.TemporaryDirectory() as weights:
        encoder = StateEncoder(Path(weights), print)
        blank = np.zeros(FEATURES + 1, dtype=np.float32)
        lines = Antecedents(blank, fit_gender(chosen, encoder), fit_name(chosen, encoder), SURE)
        choices = [choice for batch in chosen for choice in choices_of(batch, encoder, lines)]
        lines = replace(lines, subject=fit_subject(choices))
        print(*report(list(choices_of(left_out, encoder, lines)), lines.subject), sep="\n")
        lines.save(HERE / SUBJECTS)
        encoder.close()


if __name__ == "__main__":
    main()
