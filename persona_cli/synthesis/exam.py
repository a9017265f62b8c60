"""What a person is asked at the end of their history: the paper's fourteen tasks, four options of like length each.

All follows from the plan: the right option is what held last, the others are of the same kind and never true of the
person, but for the question after the latest preference, where the former one tempts. With some questions stands a pair
of replies that say the same in the tone that fits and in one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from persona_cli.evaluation.asking import choice_text
from persona_cli.evaluation.cases import CaseQuestion, Form
from persona_cli.evaluation.datasets.persona_mme import ASPECTS
from persona_cli.personality import NEUTRAL, Traits
from persona_cli.synthesis.dialogue import DialogueQuestion, SpokenTurn, TurnLabel, contrary, searches_for, toned
from persona_cli.synthesis.fact_kinds import LifeFact
from persona_cli.synthesis.lifeplan import Act, Beat, Life
from persona_cli.synthesis.phrasing import filled, load_table, pool, worded

OPTIONS = 4
_LOOKED_AT = 12
"""Candidates of which those of the most like length become the other options."""
LATER = timedelta(days=2)
"""After the last turn."""


@dataclass(frozen=True, slots=True)
class ExamQuestion:
    """One question with its options, the free answer, and where it may be the two replies."""

    task: str
    query: str
    options: tuple[str, ...]
    right: int
    at: datetime
    reply: str
    """A free answer that is right."""
    chosen: str = ""
    """The same in a tone that fits; "" where there is no pair."""
    rejected: str = ""

    free: bool = False
    """It can be asked without its options, and `reply` is then what to hold an answer against."""
    fact: LifeFact | None = None
    """What it is about, where memory has that as one fact."""

    @property
    def aspect(self) -> str:
        """Return the group of tasks it belongs to."""
        return ASPECTS[self.task]

    @property
    def put(self) -> str:
        """Return the question with its options, as `persona eval` puts it to a model."""
        text = CaseQuestion("", self.task, self.query, self.at, Form.CHOICE, options=self.options)
        return choice_text(text)

    @property
    def letter(self) -> str:
        """Return the letter of the right option in brackets."""
        return f"({'abcd'[self.right]})"

    @property
    def asked(self) -> DialogueQuestion | None:
        """Return what is wanted and how it is found; None where no one memory tells it."""
        fact = self.fact
        if fact is None:
            return None
        gold = (fact.content, fact.former.content) if self.task == _EVOLVES else (fact.content,)
        searches = searches_for(fact, self.query)
        return DialogueQuestion(fact.about_it, searches, gold, self.options[self.right], letter=self.letter)


def examine(life: Life, spoken: Sequence[SpokenTurn], seed: str) -> tuple[ExamQuestion, ...]:
    """Return the questions at the end of a history, those of a task together."""
    return tuple(_Examiner(life, spoken, Random(f"{seed}:{life.key}:exam")).questions())  # noqa: S311 - repeatable


def practice(life: Life, spoken: Sequence[SpokenTurn], seed: str, most: int) -> tuple[SpokenTurn, ...]:
    """Return questions with options as turns after a history, worded and shuffled anew, to learn to choose."""
    rng, last = Random(f"{seed}:{life.key}:practice"), spoken[-1]  # noqa: S311 - chance that can be repeated
    known = [question for question in examine(life, spoken, f"{seed}:practice") if question.fact is not None]
    turns = []
    for place, question in enumerate(rng.sample(known, min(most, len(known)))):
        assert question.fact is not None
        beat = Beat(Act.ASK, question.fact.kind.topic, question.fact)
        letter, label = question.letter, TurnLabel(Traits())
        turns.append(
            SpokenTurn(
                last.session + 1, place, question.at, question.put, letter, letter, "", beat, label, last.traits,
                question.asked,
            )
        )  # fmt: skip
    return tuple(turns)


class _Examiner:
    def __init__(self, life: Life, spoken: Sequence[SpokenTurn], rng: Random) -> None:
        self._life = life
        self._spoken = spoken
        self._rng = rng
        self._at = spoken[-1].at + LATER
        told = [turn.beat.fact for turn in spoken if turn.beat.act in (Act.TELL, Act.CHANGE) and turn.beat.fact]
        self._held = {fact.key: fact for fact in told}
        """What held last, by kind and by whose it is."""
        self._true = {fact.brief for fact in told}
        last = spoken[-1]
        poles = life.poles_at(last.session)
        self._poles = {trait: pole for trait, pole in poles.items() if pole}
        self._traits = last.traits

    def questions(self) -> Iterator[ExamQuestion]:
        for fact in self._held.values():
            yield self._recall(fact)
            if fact.changed:
                yield from self._evolution(fact)
            for use in fact.kind.use:
                query = worded(use.ask, fact.slots, self._rng)
                task = "Implicit Intent Recognition" if fact.kind.topic == "health" else _RECOMMENDS
                yield self._question(task, query, self._replies(fact, use.reply), pair=True, fact=fact)
        yield from self._natures()
        yield from self._meant()
        yield from self._seen()

    def _recall(self, fact: LifeFact) -> ExamQuestion:
        query = worded(fact.kind.ask, fact.slots, self._rng)
        reply = worded(fact.kind.answer, fact.slots, self._rng)
        tempting = (fact.former.brief,) if fact.changed else ()
        task = _LATEST if fact.changed and fact.kind.task in _TASTES else fact.kind.task
        options = [fact.brief, *self._others(fact, lambda other: other.brief, tempting)]
        return self._question(task, query, options, reply=reply, pair=self._rng.random() < 0.3, fact=fact)

    def _evolution(self, fact: LifeFact) -> Iterator[ExamQuestion]:
        table = load_table("scenes")["turned"]
        was = fact.former.brief
        word = next((word for word in fact.keywords if fact.value.casefold() not in word.casefold()), "")
        if not word:
            return
        query = worded(table["ask"], {"word": word}, self._rng)
        others = self._others(fact, lambda other: other.brief, ())
        ways = [(was, fact.brief), (fact.brief, was), (was, others[0]), (others[1], fact.brief)]
        options = [filled(table["option"], {"was": before, "value": after}) for before, after in ways]
        yield self._question(_EVOLVES, query, options, fact=fact)

    def _natures(self) -> Iterator[ExamQuestion]:
        """Yield what only the person's nature tells: how to explain things, and what they would do in a new place."""
        scenes = load_table("scenes")
        for trait, pole in self._poles.items():
            for scene in scenes["scene"]:
                if scene["trait"] == trait:
                    fits, unfits = (scene["high"], scene["low"])[::pole]
                    options = [self._rng.choice(fits), *self._rng.sample(unfits, 3)]
                    yield self._question(_GENERALIZES, self._rng.choice(scenes["scenes"]["ask"]), options, pair=True)
        told = scenes["told"]
        if len(self._poles) < OPTIONS - 1:
            return
        slots = {"thing": self._rng.choice(pool("things")), "study": self._rng.choice(pool("studies"))}
        slots["hobby"] = self._rng.choice(pool("hobbies"))
        ends = {trait: told[trait][::pole] for trait, pole in self._poles.items()}
        trait = self._rng.choice(list(ends))
        # the other end of each trait: nothing that might be true as well
        wrong = [unfit for _, unfit in self._rng.sample(list(ends.values()), len(ends))][: OPTIONS - 1]
        yield self._question(_EXPLAINS, worded(told["ask"], slots, self._rng), [ends[trait][0], *wrong], pair=True)

    def _meant(self) -> Iterator[ExamQuestion]:
        """Yield what somebody wanted to know when they asked."""
        asked = [turn for turn in self._spoken if turn.asked is not None and turn.beat.act in (Act.ASK, Act.USE)]
        about = list(dict.fromkeys(turn.asked.about_it for turn in asked if turn.asked))
        table = load_table("scenes")["meant"]
        for turn in self._rng.sample(asked, min(2, len(asked))):
            assert turn.asked is not None
            others = _alike(turn.asked.about_it, [other for other in about if other != turn.asked.about_it], self._rng)
            if len(others) == OPTIONS - 1:
                slots = {"date": f"{turn.at.day} {turn.at:%B}", "said": turn.user}
                query = worded(table["ask"], slots, self._rng)
                yield self._question("Explicit Intent Inference", query, [turn.asked.about_it, *others])

    def _seen(self) -> Iterator[ExamQuestion]:
        table = load_table("scenes")["seen"]
        for turn in self._spoken:
            picture = turn.picture
            if picture is None or turn.beat.act is not Act.SHOW:
                continue
            query = worded(table["ask"], {"naming": turn.label.subject}, self._rng)
            known = [other.picture.thing for other in self._spoken if other.picture and other.picture != picture]
            unlike = [thing for thing in (*known, *pool("things")) if thing != picture.thing]
            others = _alike(picture.thing, unlike, self._rng)
            yield self._question("Visual Detail Recall", query, [picture.thing, *others])

    def _replies(self, fact: LifeFact, forms: Sequence[str]) -> list[str]:
        """Return a reply with what is true of the person, and the same with what is not."""
        form = self._rng.choice(forms)
        others = self._others(fact, lambda other: worded([form], other.slots, self._rng), ())
        return [worded([form], fact.slots, self._rng), *others]

    def _others(self, fact: LifeFact, say: Callable[[LifeFact], str], tempting: Sequence[str]) -> list[str]:
        """Return what is of the same kind, of like length, and not true of the person; what tempts comes first."""
        slot = fact.kind.asked_for
        values = _dates(fact.value) if slot == "date" else pool(fact.kind.slots[slot])
        versions = [replace(fact, slots={**fact.slots, slot: value}) for value in values if value != fact.value]
        wrong = [say(version) for version in versions if version.brief not in self._true]
        left = [other for other in dict.fromkeys(wrong) if other not in tempting]
        return [*tempting, *_alike(say(fact), left, self._rng)][: OPTIONS - 1]

    def _question(
        self,
        task: str,
        query: str,
        options: Sequence[str],
        *,
        reply: str = "",
        pair: bool = False,
        fact: LifeFact | None = None,
    ) -> ExamQuestion:
        """Return a question whose first option is the right one, with the options shuffled."""
        order = self._rng.sample(range(OPTIONS), OPTIONS)
        plain = reply or f"{options[0][:1].upper()}{options[0][1:]}".rstrip(".") + "."
        chosen = rejected = ""
        if pair and any(abs(score - NEUTRAL) >= 0.5 for _, score in self._traits):
            chosen = toned(plain, self._traits, self._rng, always=True)
            rejected = toned(plain, contrary(self._traits), self._rng, always=True)
        shuffled = tuple(options[place] for place in order)
        return ExamQuestion(task, query, shuffled, order.index(0), self._at, plain, chosen, rejected, bool(reply), fact)


_LATEST, _RECOMMENDS = "Latest Preference Recognition", "Implicit Preference Recommendation"
_GENERALIZES, _EXPLAINS = "Generalizing to New Scenarios", "Tiered Explanation Delivery"
_EVOLVES = "Interest Evolution Analysis"
_TASTES = frozenset({_LATEST, _RECOMMENDS, _EVOLVES, "Semantic Information Recall"})


def _alike(text: str, others: Sequence[str], rng: Random) -> list[str]:
    """Return three of the others, of those that are drawn the most like in length."""
    unlike = list(dict.fromkeys(others))
    drawn = rng.sample(unlike, min(_LOOKED_AT, len(unlike)))
    return sorted(drawn, key=lambda other: abs(len(other) - len(text)))[: OPTIONS - 1]


def _dates(date: str) -> list[str]:
    day = datetime.strptime(date, "%d %B %Y")
    moved = [day + timedelta(days=days) for days in (-14, -8, -3, -1, 1, 4, 7, 10, 21)]
    return [f"{other.day} {other:%B %Y}" for other in moved]
