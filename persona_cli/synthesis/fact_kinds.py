"""What people tell: the table of `grammar/facts.toml` as values, and one telling of it with its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from persona_cli.synthesis.phrasing import Slots, filled, load_table, pool, worded


@dataclass(frozen=True, slots=True)
class FactUse:
    """A request that somebody who knows the fact answers better."""

    ask: tuple[str, ...]
    words: str
    """What to search for."""
    reply: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactKind:
    """One kind of fact; the fields are explained at the top of the table."""

    name: str
    about: str
    topic: str
    slots: Mapping[str, str]
    say: tuple[str, ...]
    content: str
    keywords: tuple[str, ...]
    reason: str
    about_it: str
    ask: tuple[str, ...]
    brief: str
    answer: tuple[str, ...]
    task: str
    value: str = ""
    """The slot that is asked for; "" for the first."""
    timed: bool = False
    """It happens on a day: {when} is how that is said, {date} which one it is."""
    fixed: tuple[str, ...] = ()
    """Slots that a change leaves as they are."""
    change: tuple[str, ...] = ()
    changed: str = ""
    was: tuple[str, ...] = ()
    was_answer: tuple[str, ...] = ()
    core: str = ""
    core_value: str = ""
    habit: str = ""
    use: tuple[FactUse, ...] = ()

    @property
    def asked_for(self) -> str:
        """Return the slot that is asked for and that distractors differ in."""
        return self.value or next(iter(self.slots))


@dataclass(frozen=True, slots=True)
class LifeFact:
    """One version of something that is true of a person's life."""

    kind: FactKind
    slots: Slots
    of: str
    """Whose it is: "user", or a name."""
    changed: bool = False
    """It took the place of an earlier version, whose slots are there as {was_...}."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what later versions share: the kind and whose it is."""
        return (self.kind.name, self.of)

    @property
    def value(self) -> str:
        """Return what is asked for."""
        return self.slots[self.kind.asked_for]

    @property
    def content(self) -> str:
        """Return what memory keeps."""
        return filled(self.kind.changed if self.changed else self.kind.content, self.slots)

    @property
    def keywords(self) -> tuple[str, ...]:
        """Return the words it is found by."""
        return tuple(dict.fromkeys(filled(word, self.slots) for word in self.kind.keywords))

    @property
    def about_it(self) -> str:
        """Return how a thought names what is asked."""
        return filled(self.kind.about_it, self.slots)

    @property
    def brief(self) -> str:
        """Return the answer alone, as an option of a question."""
        return filled(self.kind.brief, self.slots)

    @property
    def profile(self) -> tuple[str, str] | None:
        """Return key and value for the profile, if it belongs there."""
        if not self.kind.core:
            return None
        return filled(self.kind.core, self.slots), filled(self.kind.core_value, self.slots)

    @property
    def habit(self) -> tuple[str, str] | None:
        """Return key and sentence of the habit or goal it is, if it is one."""
        return (filled(self.kind.habit, self.slots), self.content) if self.kind.habit else None

    @property
    def former(self) -> LifeFact:
        """Return what it took the place of."""
        was = {name.removeprefix("was_"): value for name, value in self.slots.items() if name.startswith("was_")}
        return LifeFact(self.kind, {**self.slots, **was}, self.of)

    def say(self, rng: Random) -> str:
        """Return how the person tells it."""
        return worded(self.kind.change if self.changed else self.kind.say, self.slots, rng)

    def successor(self, rng: Random) -> LifeFact:
        """Return what takes its place when it changes."""
        old = {f"was_{name}": value for name, value in self.slots.items() if name in self.kind.slots}
        new = {
            name: rng.choice([value for value in pool(source) if value != self.slots[name]])
            for name, source in self.kind.slots.items()
            if name not in self.kind.fixed
        }
        return LifeFact(self.kind, {**self.slots, **new, **old}, self.of, changed=True)


@cache
def fact_kinds() -> tuple[FactKind, ...]:
    """Return every kind of fact of the table."""
    return tuple(_kind(row) for row in load_table("facts")["fact"])


def _kind(row: Mapping[str, Any]) -> FactKind:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    fields["use"] = tuple(FactUse(tuple(use["ask"]), use["words"], tuple(use["reply"])) for use in row.get("use", ()))
    return FactKind(**fields)
