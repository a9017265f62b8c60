"""A plan in words: who says what when, and the labels that follow from the plan.

What the user says and what is answered comes from the grammar here; a teacher may say it in other words, under the same
labels. The tone of a reply follows the traits as they have been read up to that turn, by the program's own mechanism.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from persona_cli.personality import HEARD, NEUTRAL, TRAITS, Traits, evolve
from persona_cli.synthesis.fact_kinds import LifeFact
from persona_cli.synthesis.lifeplan import ASKS, Act, Beat, Life, Picture
from persona_cli.synthesis.phrasing import filled, load_table, pool, worded


@dataclass(frozen=True, slots=True)
class DialogueQuestion:
    """What a question wants, and how it is found."""

    about_it: str
    searches: tuple[str, ...]
    """Words for a first search and for one more."""
    gold: tuple[str, ...] = ()
    """Contents of memory that the answer rests on; empty for what was never told."""
    value: str = ""
    """The answer alone; "" for what was never told."""
    was: str = ""
    """What is asked for, where that is what held before `value`."""
    window: tuple[datetime, datetime] | None = None
    span: str = ""
    """How the time is said."""
    use: bool = False
    letter: str = ""
    """Of the right option, where it is a choice."""


@dataclass(frozen=True, slots=True)
class TurnLabel:
    """What the update stage should make of a turn."""

    scores: Traits
    content: str = ""
    """"" where nothing is worth remembering."""
    keywords: tuple[str, ...] = ()
    reason: str = ""
    subject: str = "user"
    box: tuple[int, int, int, int] | None = None
    """Where in the picture the named thing is: left, top, right, bottom, where that is known."""


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn of a dialogue with its labels."""

    session: int
    place: int
    at: datetime
    user: str
    answer: str
    plain: str
    """The answer without a tone."""
    thought: str
    beat: Beat
    label: TurnLabel
    traits: Traits
    """The user's traits as they are known before this turn."""
    asked: DialogueQuestion | None = None

    @property
    def picture(self) -> Picture | None:
        """Return the picture that was shown."""
        return self.beat.picture


def speak(life: Life, seed: str) -> tuple[SpokenTurn, ...]:
    """Return a life's dialogues in the words of the grammar."""
    speaker = _Speaker(life, Random(f"{seed}:{life.key}:words"))  # noqa: S311 - chance that can be repeated
    return tuple(turn for number in range(len(life.sessions)) for turn in speaker.session(number))


def toned(text: str, traits: Traits, rng: Random, *, always: bool = False) -> str:
    """Return a reply in the tone that the traits ask for, of one or two of those that are far from neutral."""
    heard = [(name, score > NEUTRAL) for name, score in traits if abs(score - NEUTRAL) >= HEARD]
    if not heard or (not always and rng.random() < 0.4):
        return text
    opening = closing = ""
    for name, high in rng.sample(heard, min(len(heard), rng.choice((1, 2)))):
        manners = load_table("replies")["tone"][name]["high" if high else "low"]
        if "open" in manners and not opening and rng.random() < 0.5:
            opening = rng.choice(manners["open"])
        elif not closing:
            closing = rng.choice(manners["close"])
    return " ".join(filter(None, (opening, text, closing)))


def contrary(traits: Traits) -> Traits:
    """Return the traits of somebody who would want the opposite tone."""
    return Traits(**{name: 2 * NEUTRAL - score for name, score in traits})


def searches_for(fact: LifeFact, query: str) -> tuple[str, str]:
    """Return the words of two searches for a fact: what it is found by but for what is asked, then the question."""
    words = [word for word in fact.keywords if fact.value.casefold() not in word.casefold()]
    return " ".join(words[:3]) or fact.about_it, query.rstrip("?.")


class _Speaker:
    """Says a life's sessions in order; what was read of the traits goes on from turn to turn."""

    def __init__(self, life: Life, rng: Random) -> None:
        self._life = life
        self._rng = rng
        self._traits = Traits()
        self._turns = 0
        self._told: list[tuple[int, LifeFact]] = []
        """What was told, with its session."""

    def session(self, number: int) -> list[SpokenTurn]:
        """Return the turns of one session."""
        planned, spoken = self._life.sessions[number], list[SpokenTurn]()
        at = planned.at
        for place, beat in enumerate(planned.beats):
            turn = self._turn(number, place, at, beat)
            spoken.append(turn)
            self._traits = evolve(self._traits, turn.label.scores, self._turns)
            self._turns += 1
            if beat.fact is not None and beat.act in (Act.TELL, Act.CHANGE):
                self._told.append((number, beat.fact))
            at += timedelta(minutes=self._rng.randrange(1, 6))
        return spoken

    def _turn(self, number: int, place: int, at: datetime, beat: Beat) -> SpokenTurn:
        if beat.act is Act.ASK_WINDOW and self._window(number, beat) is None:
            # nothing was told then: a question about what was never told takes its place
            beat = Beat(Act.ASK_UNTOLD, beat.topic)
        asked: DialogueQuestion | None = None
        if beat.act in ASKS:
            user, plain, thought, asked = self._question(number, at, beat)
            label = TurnLabel(Traits(), reason=self._rng.choice(("a question", "something is asked, not told")))
        else:
            user, plain, thought, label = self._statement(beat)
        answer = toned(plain, self._traits, self._rng)
        if beat.picture is not None and "<img>" not in user:
            user = f"<img> {user}"
        return SpokenTurn(number, place, at, user, answer, plain, thought, beat, label, self._traits, asked)

    def _statement(self, beat: Beat) -> tuple[str, str, str, TurnLabel]:
        match beat.act:
            case Act.SIGN:
                return self._sign(beat)
            case Act.TALK:
                return self._talk(beat)
            case Act.NAME:
                return self._name()
            case Act.SHOW:
                return self._show(beat)
            case _:
                return self._tell(beat)

    def _tell(self, beat: Beat) -> tuple[str, str, str, TurnLabel]:
        fact = beat.fact
        assert fact is not None
        told = load_table("talk")["told"]
        user, scores = self._dressed(fact.say(self._rng), "fact"), Traits()
        if self._rng.random() < 0.10 and beat.picture is None:
            sign, scores = self._sign_words(self._rng.choice(TRAITS), self._rng.choice((-1, 1)))
            user = f"{user} {sign}" if user[-1] in ".!?" else f"{user}. {sign}"
        thought = worded(told["think"], {**fact.slots, "about_it": fact.about_it}, self._rng)
        label = TurnLabel(scores, fact.content, fact.keywords, fact.kind.reason, fact.of)
        return user, self._rng.choice(told["reply"]), thought, label

    def _name(self) -> tuple[str, str, str, TurnLabel]:
        names, slots = load_table("replies")["names"], {"me": self._life.name}
        label = TurnLabel(Traits(), filled(names["content"], slots), ("name", self._life.name), "the user's name lasts")
        return worded(names["say"], slots, self._rng), f"Hello {self._life.name}!", "They tell me their name.", label

    def _show(self, beat: Beat) -> tuple[str, str, str, TurnLabel]:
        picture, table = beat.picture, load_table("talk")["shown"]
        assert picture is not None
        slots = {"naming": self._rng.choice(pool("pet_names")), "thing": picture.thing, "caption": picture.caption}
        content = filled(table["content"], slots)
        keywords = tuple(filled(word, slots) for word in table["keywords"])
        label = TurnLabel(Traits(), content, keywords, table["reason"], slots["naming"], picture.box)
        thought = self._rng.choice(table["think"])
        return worded(table["say"], slots, self._rng), worded(table["reply"], slots, self._rng), thought, label

    def _sign(self, beat: Beat) -> tuple[str, str, str, TurnLabel]:
        user, scores = self._sign_words(beat.trait, beat.pole)
        replies = load_table("replies")
        label = TurnLabel(
            scores, reason=self._rng.choice(("a mood, not a fact", "how they feel, nothing that is kept"))
        )
        return (
            self._dressed(user, ""),
            self._rng.choice(replies["answers"]["sign"]),
            self._rng.choice(replies["think"]["sign"]),
            label,
        )

    def _sign_words(self, trait: str, pole: int) -> tuple[str, Traits]:
        clear = self._rng.random() < 0.6
        forms = load_table("signs")[trait]["high" if pole > 0 else "low"]["clear" if clear else "slight"]
        score = NEUTRAL + pole * (2 if clear else 1)
        return worded(forms, self._anything(), self._rng), Traits(**{trait: score})

    def _talk(self, beat: Beat) -> tuple[str, str, str, TurnLabel]:
        row = next(row for row in load_table("talk")["talk"] if row["name"] == beat.talk)
        user = worded(row["say"], self._anything(), self._rng)
        label = TurnLabel(Traits(), reason=self._rng.choice(row["reason"]))
        return user, self._rng.choice(row["reply"]), self._rng.choice(row["think"]), label

    def _question(self, number: int, at: datetime, beat: Beat) -> tuple[str, str, str, DialogueQuestion]:
        match beat.act:
            case Act.ASK_UNTOLD:
                replies = load_table("replies")
                text, about_it, words = self._rng.choice(replies["unasked"]["ask"])
                asked = DialogueQuestion(about_it, (words, about_it.removeprefix("the ").removeprefix("their ")))
                plain = self._rng.choice(replies["answers"]["unknown"])
            case Act.ASK_WINDOW:
                text, plain, asked = self._asked_window(number, at, beat)
            case Act.USE:
                text, plain, asked = self._asked_use(beat)
            case _:
                text, plain, asked = self._asked_fact(beat)
        return self._dressed(text, "ask"), plain, "", asked

    def _asked_fact(self, beat: Beat) -> tuple[str, str, DialogueQuestion]:
        fact, former = beat.fact, beat.act is Act.ASK_FORMER
        assert fact is not None
        kind = fact.kind
        text = worded(kind.was if former else kind.ask, fact.slots, self._rng)
        plain = worded(kind.was_answer if former else kind.answer, fact.slots, self._rng)
        was = fact.slots.get(f"was_{kind.asked_for}", "") if former else ""
        gold = fact.former.content if former else fact.content
        return text, plain, DialogueQuestion(fact.about_it, searches_for(fact, text), (gold,), fact.brief, was)

    def _asked_use(self, beat: Beat) -> tuple[str, str, DialogueQuestion]:
        fact = beat.fact
        assert fact is not None
        use = self._rng.choice(fact.kind.use)
        words = filled(use.words, fact.slots)
        asked = DialogueQuestion(fact.about_it, (words, fact.about_it), (fact.content,), fact.value, use=True)
        return worded(use.ask, fact.slots, self._rng), worded(use.reply, fact.slots, self._rng), asked

    def _window(self, number: int, beat: Beat) -> tuple[int, LifeFact] | None:
        there = [fact for session, fact in self._told if session == number - beat.window]
        # a fact that has changed since would be told as if it held
        heirs = {fact.key for session, fact in self._told if session > number - beat.window and fact.changed}
        lasting = [fact for fact in there if fact.key not in heirs]
        return (number - beat.window, lasting[0]) if lasting else None

    def _asked_window(self, number: int, at: datetime, beat: Beat) -> tuple[str, str, DialogueQuestion]:
        found, table = self._window(number, beat), load_table("replies")["windows"]
        assert found is not None
        session, fact = found
        span, window = name_window(self._life.sessions[session].at, at, self._rng)
        word = next((word for word in fact.keywords if fact.value.casefold() not in word.casefold()), "news")
        slots = {"window": span, "about": fact.of if fact.of != "user" else f"my {word}"}
        form = self._rng.choice([form for form in table["ask"] if fact.of == "user" or "{about}" in form])
        said = worded(fact.kind.answer[:1], fact.slots, self._rng)
        plain = worded(table["answer"], {**slots, "said": said}, self._rng)
        words = f"{fact.of} {fact.kind.topic}" if fact.of != "user" else fact.kind.topic
        # who asks what was told at all has not said what it is about, and neither can a thought
        about_it, searches = (fact.about_it, (words, fact.about_it)) if "{about}" in form else table["anything"]
        asked = DialogueQuestion(about_it, tuple(searches), (fact.content,), fact.brief, window=window, span=span)
        return worded([form], slots, self._rng), plain, asked

    def _dressed(self, text: str, opener: str) -> str:
        """Return a sentence as people type: with an opener, something behind it, or without capitals."""
        rng, openers = self._rng, load_table("replies")["openers"]
        if opener and rng.random() < 0.25:
            start = rng.choice(openers[opener])
            # a name keeps its capital, and so does "I"
            first = text.split(" ", maxsplit=1)[0]
            small = first in _SMALL and not start.rstrip().endswith(("?", "!"))
            text = start + (text[:1].lower() + text[1:] if small else text)
        if opener == "fact" and rng.random() < 0.08:
            text += rng.choice(load_table("replies")["openers"]["closers"])
        if rng.random() < 0.05:
            text = text[:1].lower() + text[1:].rstrip(".")
        return text

    def _anything(self) -> Mapping[str, str]:
        """Return slots filled with anything at all, for talk that is not about the user's life."""
        return {slot: self._rng.choice(pool(name)) for slot, name in _ANY.items()}


_ANY = {
    "country": "countries", "city": "cities", "other_city": "cities", "animal": "animals", "food": "foods",
    "job": "jobs", "music": "music", "other_music": "music", "book": "books", "dish": "dishes", "tea": "teas",
    "other_tea": "teas", "hobby": "hobbies", "other_hobby": "hobbies", "instrument": "instruments",
    "allergen": "allergens", "rel": "relations", "language": "languages", "other_language": "languages",
    "species": "species", "colour": "colours", "thing": "things", "pet": "pet_names", "name": "women", "film": "films",
    "fear": "fears", "count": "counts", "employer": "employers", "sport": "sports",
}  # fmt: skip
_SMALL = frozenset(load_table("replies")["openers"]["small"].split())


def name_window(then: datetime, now: datetime, rng: Random) -> tuple[str, tuple[datetime, datetime]]:
    """Return how the day of `then` is spoken of at `now`, and the time that stands for."""
    day, today = (moment.replace(hour=0, minute=0) for moment in (then, now))
    days = (today - day).days
    whole_day = (day, day + timedelta(days=1))
    if days == 1:
        return "yesterday", whole_day
    monday = today - timedelta(days=today.weekday())
    if monday - timedelta(days=7) <= day < monday and rng.random() < 0.6:
        return "last week", (monday - timedelta(days=7), monday)
    if then.month != now.month and then.year == now.year and rng.random() < 0.5:
        first = day.replace(day=1)
        return f"in {then:%B}", (first, (first + timedelta(days=32)).replace(day=1))
    return f"on {then.day} {then:%B}", whole_day


def topics_of(turns: Sequence[SpokenTurn]) -> list[tuple[str, list[SpokenTurn]]]:
    """Return the topics of a session in order, each with its turns."""
    topics: dict[str, list[SpokenTurn]] = {}
    for turn in turns:
        topics.setdefault(turn.beat.topic, []).append(turn)
    return list(topics.items())
