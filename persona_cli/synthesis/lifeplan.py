"""The plan of a made-up life: who somebody is, whom they know, and what each of their sessions tells, changes and asks.

Nothing is in words yet but the values. The same seed plans the same life; the calendar runs over months, in which
tastes, topics, relations and the personality itself shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from random import Random

from persona_cli.personality import TRAITS
from persona_cli.synthesis.fact_kinds import FactKind, LifeFact, fact_kinds
from persona_cli.synthesis.phrasing import Slots, load_table, pool

FIRST_DAY = datetime(2025, 1, 6, tzinfo=UTC)
SHIFT = 0.3
"""How likely one trait turns over in the middle of a life, and how likely a fact that can change does."""


class Act(StrEnum):
    """What a turn does."""

    NAME = "says their name"
    TELL = "tells a fact"
    CHANGE = "tells a change"
    SIGN = "shows a trait"
    TALK = "talks"
    SHOW = "shows a picture"
    ASK = "asks for a fact"
    ASK_FORMER = "asks what held before"
    ASK_WINDOW = "asks about a time"
    ASK_UNTOLD = "asks what was never told"
    USE = "asks for what a fact helps with"


ASKS = frozenset({Act.ASK, Act.ASK_FORMER, Act.ASK_WINDOW, Act.ASK_UNTOLD, Act.USE})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture a person can show, with what is seen in it."""

    path: Path
    caption: str
    thing: str = "picture"
    """What it shows, in a word: what the person gives a name to."""
    box: tuple[int, int, int, int] | None = None
    """Where that is in it, in pixels: left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One turn of a plan."""

    act: Act
    topic: str
    fact: LifeFact | None = None
    talk: str = ""
    """Which kind of talk it is."""
    trait: str = ""
    pole: int = 0
    window: int = 0
    """Of a question about a time: how many sessions ago that was."""
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One conversation."""

    at: datetime
    beats: tuple[Beat, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """A made-up person with the plan of all their conversations."""

    key: str
    persona: str
    """Who they are, in a line: the hidden truth, for judges."""
    name: str
    poles: Mapping[str, int]
    """By trait: 1 high, -1 low, 0 in between."""
    sessions: tuple[PlannedSession, ...]
    turned: tuple[str, int] | None = None
    """The trait that turned over, and from which session on."""

    def poles_at(self, session: int) -> Mapping[str, int]:
        """Return the poles as they are in a session."""
        if self.turned is None or session < self.turned[1]:
            return self.poles
        return {**self.poles, self.turned[0]: -self.poles[self.turned[0]]}


@dataclass(slots=True)
class _Schedule:
    """What is known of a life while it is being planned."""

    untold: list[LifeFact]
    told: list[LifeFact]
    """The versions that hold now."""
    at: datetime = FIRST_DAY
    """When the session that is planned takes place."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the beats of one session share: its number, what the talk is of, how many facts were told before."""

    number: int
    talk: str
    before: int


def load_personas(file: Path | None = None) -> tuple[str, ...]:
    """Return descriptions of people: the written list, or a file with {"persona": "..."} in each line."""
    if file is None:
        return tuple(line for line in load_table("personas")["personas"].splitlines() if line.strip())
    from persona_cli.synthesis.persona_file import read_personas

    return read_personas(file)


def plan_life(
    key: str, persona: str, turns: int, seed: str, pictures: Sequence[Picture] = (), *, shown: float = 0.3
) -> Life:
    """Return a life of so many turns.

    `shown` is how likely a fact that is told has a picture with it, where there are any: half as many turns in all.
    """
    rng = Random(f"{seed}:{key}")  # noqa: S311 - chance that can be repeated
    woman = rng.random() < 0.5
    name = rng.choice(pool("women" if woman else "men"))
    poles = {trait: rng.choice((-1, -1, 0, 1, 1)) for trait in TRAITS}
    schedule = _Schedule(_facts(rng, turns, name), [])
    sizes = _sizes(rng, turns)
    turned = _turning(rng, poles, len(sizes))
    life = Life(key, persona, name, poles, (), turned)
    at = FIRST_DAY + timedelta(days=rng.randrange(200), hours=rng.randrange(7, 21))
    sessions: list[PlannedSession] = []
    for number, size in enumerate(sizes):
        schedule.at = at
        beats = _session(rng, schedule, size, number, life.poles_at(number))
        if pictures:
            beats = _with_pictures(rng, beats, pictures, shown)
        sessions.append(PlannedSession(at, tuple(beats)))
        day = at.replace(hour=rng.randrange(7, 22), minute=rng.randrange(60))
        at = day + timedelta(days=rng.choice((1, 2, 3, 4, 5, 7, 9)))
    return replace(life, sessions=tuple(sessions))


def _sizes(rng: Random, turns: int) -> list[int]:
    sizes: list[int] = []
    while (left := turns - sum(sizes)) > 0:
        sizes.append(min(left, rng.randrange(4, 9)))
    return sizes


def _turning(rng: Random, poles: Mapping[str, int], sessions: int) -> tuple[str, int] | None:
    strong = [trait for trait, pole in poles.items() if pole]
    if sessions < 6 or not strong or rng.random() > SHIFT:
        return None
    return rng.choice(strong), sessions // 2 + rng.randrange(2)


def _facts(rng: Random, turns: int, user: str) -> list[LifeFact]:
    """Return all that there is to be told in a life, in the order of its telling."""
    people = _people(rng, 3 + turns // 25, user)
    animals = _animals(rng, 1 + turns // 60)
    of: Mapping[str, Sequence[Slots]] = {"user": [{}], "person": people, "pet": animals}
    facts: list[LifeFact] = []
    for kind in fact_kinds():
        beings = of[kind.about]
        some = beings if kind.about == "user" else rng.sample(beings, max(1, len(beings) // 2))
        facts += [_draw(rng, kind, being) for being in some]
    rng.shuffle(facts)
    basics = [fact for fact in facts if fact.kind.name in ("home", "job")]
    return basics + [fact for fact in facts if fact not in basics]


def _draw(rng: Random, kind: FactKind, being: Slots) -> LifeFact:
    # whose somebody is was decided with them
    slots = {name: rng.choice(pool(source)) for name, source in kind.slots.items() if name not in being}
    return LifeFact(kind, {**being, **slots}, being.get("name") or being.get("pet") or "user")


def _people(rng: Random, count: int, user: str) -> list[Slots]:
    relations = load_table("pools")["pool_of_relations"]
    people: list[Slots] = []
    for _ in range(count):
        woman = rng.random() < 0.5
        taken = {user, *(person["name"] for person in people)}
        names = [name for name in pool("women" if woman else "men") if name not in taken]
        mine = {person["rel"] for person in people}
        kin = [relation for relation in relations["woman" if woman else "man"] if relation not in mine]
        if not (names and kin):
            # a life of several hundred turns knows everybody there are words for, and nobody twice
            continue
        she, her, him = ("she", "her", "her") if woman else ("he", "his", "him")
        words = {"she": she, "her": her, "him": him, "She": she.capitalize()}
        people.append({"name": rng.choice(names), "rel": rng.choice(kin), **words})
    return people


def _animals(rng: Random, count: int) -> list[Slots]:
    known = pool("pet_names")
    names = rng.sample(known, min(count, len(known)))
    return [{"pet": name, "species": rng.choice(pool("species"))} for name in names]


def _session(rng: Random, schedule: _Schedule, size: int, number: int, poles: Mapping[str, int]) -> list[Beat]:
    """Return the beats of one session: a topic or two that are told of, questions, signs and some talk."""
    beats: list[Beat] = [Beat(Act.NAME, "names")] if number == 0 else []
    topics = list(dict.fromkeys(fact.kind.topic for fact in schedule.untold))[: rng.choice((1, 2, 2))]
    talk = rng.choice(load_table("talk")["talk"])
    setting = _Setting(number, str(talk["name"]), len(schedule.told))
    while len(beats) < size:
        beats.append(_beat(rng, schedule, topics, poles, setting))
    return _grouped(beats)


def _beat(rng: Random, schedule: _Schedule, topics: Sequence[str], poles: Mapping[str, int], setting: _Setting) -> Beat:
    dice = rng.random()
    if dice < 0.40 or not schedule.told:
        return _tell(rng, schedule, topics)
    if dice < 0.54:
        return _sign(rng, poles)
    if dice < 0.70:
        kinds = load_table("talk")["talk"]
        # one kind of talk a session mostly, so that it has few topics
        row = rng.choice(kinds) if rng.random() < 0.3 else next(kind for kind in kinds if kind["name"] == setting.talk)
        return Beat(Act.TALK, str(row["topic"]), talk=str(row["name"]))
    return _ask(rng, schedule, setting.number, setting.before)


def _tell(rng: Random, schedule: _Schedule, topics: Sequence[str]) -> Beat:
    changeable = [fact for fact in schedule.told if fact.kind.change and not fact.changed]
    if changeable and (not schedule.untold or rng.random() < SHIFT):
        old = rng.choice(changeable)
        new = old.successor(rng)
        schedule.told[schedule.told.index(old)] = new
        return Beat(Act.CHANGE, new.kind.topic, new)
    if not schedule.untold:
        return Beat(Act.TALK, "small talk", talk="small talk")
    near = [fact for fact in schedule.untold if fact.kind.topic in topics]
    fact = (near or schedule.untold)[0]
    schedule.untold.remove(fact)
    fact = _dated(rng, fact, schedule.at) if fact.kind.timed else fact
    schedule.told.append(fact)
    return Beat(Act.TELL, fact.kind.topic, fact)


def _dated(rng: Random, fact: LifeFact, at: datetime) -> LifeFact:
    """Return a fact with the day it happens on, and how that is said."""
    days = rng.choice((1, 2, 3, 5, 9, 16, 27, 40))
    day = at + timedelta(days=days)
    date = f"{day.day} {day:%B}"
    spans = {1: "tomorrow", 2: "in two days", 3: "in three days", 5: "in five days"}
    when = spans[days] if days in spans and rng.random() < 0.6 else f"on {date}"
    return replace(fact, slots={**fact.slots, "when": when, "date": f"{date} {day:%Y}"})


def _sign(rng: Random, poles: Mapping[str, int]) -> Beat:
    strong = [trait for trait, pole in poles.items() if pole]
    if strong and rng.random() < 0.85:
        trait = rng.choice(strong)
        return Beat(Act.SIGN, "mood", trait=trait, pole=poles[trait])
    return Beat(Act.SIGN, "mood", trait=rng.choice(TRAITS), pole=rng.choice((-1, 1)))


def _ask(rng: Random, schedule: _Schedule, number: int, before: int) -> Beat:
    # mostly of earlier sessions; sometimes of this one, which needs no search
    known = schedule.told[:before] if before and rng.random() < 0.85 else schedule.told
    dice = rng.random()
    former = [fact for fact in schedule.told if fact.changed and fact.kind.was]
    useful = [fact for fact in known if fact.kind.use]
    if dice < 0.10:
        return Beat(Act.ASK_UNTOLD, "questions")
    if dice < 0.25 and former:
        fact = rng.choice(former)
        return Beat(Act.ASK_FORMER, fact.kind.topic, fact)
    if dice < 0.40 and number > 1:
        return Beat(Act.ASK_WINDOW, "questions", window=rng.randrange(1, min(number, 6) + 1))
    if dice < 0.58 and useful:
        fact = rng.choice(useful)
        return Beat(Act.USE, fact.kind.topic, fact)
    fact = rng.choice(known)
    return Beat(Act.ASK, fact.kind.topic, fact)


def _with_pictures(rng: Random, beats: Sequence[Beat], pictures: Sequence[Picture], share: float) -> list[Beat]:
    """Return the beats with some of the talk replaced by a picture that is shown and named."""
    # never instead of a sign: readings of traits have little enough to go by
    shown = [beat if beat.act is not Act.TALK or rng.random() > 2 * share else _shown(rng, pictures) for beat in beats]
    return [beat if beat.act is not Act.TELL or rng.random() > share else _shown(rng, pictures, beat) for beat in shown]


def _shown(rng: Random, pictures: Sequence[Picture], beat: Beat | None = None) -> Beat:
    picture = rng.choice(pictures)
    return replace(beat, picture=picture) if beat is not None else Beat(Act.SHOW, "pictures", picture=picture)


def _grouped(beats: Sequence[Beat]) -> list[Beat]:
    """Return the beats topic by topic; what has none of its own stays with the one before it."""
    homes: list[str] = []
    for place, beat in enumerate(beats):
        rootless = beat.act is Act.SIGN or beat.topic == "small talk"
        later = next((other.topic for other in beats[place:] if _rooted(other)), "small talk")
        homes.append((homes[-1] if homes else later) if rootless else beat.topic)
    # a fact and what is asked of it have one topic, so no question comes before what it asks for
    order = sorted(range(len(beats)), key=lambda place: (homes.index(homes[place]), place))
    return [replace(beats[place], topic=homes[place]) for place in order]


def _rooted(beat: Beat) -> bool:
    return beat.act is not Act.SIGN and beat.topic != "small talk"
