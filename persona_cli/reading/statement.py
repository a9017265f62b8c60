"""What was read from one sentence, as values; every judgement comes with its probability."""

from __future__ import annotations

from dataclasses import dataclass

from persona_cli.reading.labels import Guess


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of words that names something: its place in the sentence, its label, the slot it fills, if any."""

    text: str
    start: int
    end: int
    label: str
    probability: float
    slot: str = ""
    slot_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody named in a sentence, or before it; "my sister Ada" is Ada, whose role is sister."""

    name: str
    label: str
    role: str
    owner: str
    back: int
    """How many sentences ago, 0 for this one."""
    first: bool = False
    mine: bool = False
    beside: bool = False
    possessive: bool = False
    early: bool = False
    subject_before: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a sentence is about.

    `who` is me, we, other, none or you (`labels.WHO`); for others `name` is what they are called where they are named
    ("Ada", "sister"), empty where it is not known, and `label` that of the words: person, role or pet.
    """

    who: Guess
    name: str = ""
    label: str = ""
    role: str = ""
    """What they are to somebody where that is said with the name: sister, in "my sister Ada"."""
    probability: float = 0.0
    """That it is this one of those named."""
    said: bool = False
    """Whether the sentence itself names them; else it was said before, and "she" stands for it."""
    owner: str = ""
    """Whose sister or dog: "me", or a name; empty where nothing tells."""
    chances: tuple[float, ...] = ()
    """How probable each of `labels.WHO` is."""
    named: tuple[tuple[Mention, float], ...] = ()
    """All whom it may be about, and how probable each is where it is about somebody else; the rest is for nobody."""

    @property
    def mine(self) -> float:
        """Return how probable it is that it is about the person who speaks, alone or with others."""
        return sum(self.chances[:2]) if self.chances else self.who.probability * (self.who.label in ("me", "we"))

    @property
    def others(self) -> float:
        """Return how probable it is that it is about somebody else."""
        return self.chances[2] if self.chances else self.who.probability * (self.who.label == "other")


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, read."""

    text: str
    start: int
    end: int
    """Where it stands in the message, in characters."""
    act: Guess
    asked: Guess | None
    """What kind of answer a question asks for; None for what is no question."""
    speaker: Guess
    unsure: float
    """How probable it is that it is a guess, hearsay, or not decided yet."""
    negative: float
    """How probable it is that it says no."""
    worth: tuple[float, float, float, float]
    """How probable it is that it is nothing to remember, of today, worth remembering, weighty."""
    kinds: tuple[Guess, ...]
    """What it is about, each with a probability of a half or more, the most probable first."""
    spans: tuple[Span, ...]
    subject: Subject
    keep: float = 0.0
    """How probable it is that it is part of something worth a memory, among the sentences beside it."""
    apart: float = 1.0
    """How probable it is that it begins a memory of its own, and does not go on with what is said before it."""
    told: float = 0.0
    """How probable it is that it only tells, and asks nothing of the assistant, whatever its form is."""
    perhaps: Guess | None = None
    """What kind of answer is asked for where what looks told may be a question, with how probable that is."""

    @property
    def lasting(self) -> float:
        """Return how probable it is that it is worth remembering, or weighty."""
        return self.worth[2] + self.worth[3]

    @property
    def own(self) -> bool:
        """Tell whether the words are the person's own."""
        return self.speaker.label == "own"

    def spans_of(self, *labels: str) -> tuple[Span, ...]:
        """Return the spans with these labels, in order."""
        return tuple(span for span in self.spans if span.label in labels)

    def slot(self, name: str) -> Span | None:
        """Return what fills a slot, the most probable where there are several."""
        filling = [span for span in self.spans if span.slot == name]
        return max(filling, key=lambda span: span.slot_probability) if filling else None
