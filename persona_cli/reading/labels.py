"""The labels of the reading heads, as the corpus (models/reading) writes them, and what a label is given with."""

from __future__ import annotations

from dataclasses import dataclass

ACTS = ("tell", "ask", "request", "suppose", "chat", "keep", "nokeep", "forget", "correct", "remind")
"""What a sentence does: states, asks, wants done, plays or supposes, talks; wishes about memory; wants reminding."""

_LIFE_TEXT = "yesno what who when where why how howmany which list summary"
ASKED = (*_LIFE_TEXT.split(), "world", "now", "you", "rhetorical")
"""What a question asks for: of the person's own life, then of the world, the calendar, the assistant, of nobody."""

SPEAKERS = ("own", "quoted", "pasted", "code")
"""Whose words a sentence is made of."""

_KIND_TEXT = """
health family people pets home work study belongings money taste plan event routine skill feeling belief travel food
name date
"""
KINDS = tuple(_KIND_TEXT.split())
"""What a sentence is about; several may hold."""

SPANS = ("person", "role", "pet", "place", "org", "job", "thing", "date", "value")
"""What a stretch of words names: `role` is a sister or a boss, `value` whatever else fills a slot."""

_SLOT_TEXT = """
name nickname age birthday home origin job employer study partner child sibling parent friend pet species allergy diet
illness medication pregnancy likes dislikes favourite language religion hobby instrument sport skill vehicle owns habit
plan goal appointment event feeling belief
"""
SLOTS = tuple(_SLOT_TEXT.split())
"""Which attribute of its subject a span fills."""

WHO = ("me", "we", "other", "none", "you")
"""Whom a sentence is about: the person, with theirs, somebody of theirs, nobody of theirs, the assistant."""

STANCES = (
    *("grief", "moved", "worry", "hurt", "anger", "nuisance", "win", "joy", "relief", "joke"),
    *("fine", "thanks", "plain", "plan", "opinion", "secret"),
)
"""How a whole message is meant; `moved` is bitter and sweet at once, `hurt` any sorrow that is no death."""

RELATIONS = ("same", "ends", "corrects", "returns", "adds", "unrelated", "maybe")
"""How a new statement stands to an old memory; with `maybe` a fair person would ask."""

ANSWERS = ("answers", "yes", "no", "unsure", "close", "off")
"""How a memory stands to a question: gives what is asked, decides it, is of it but open, is of the matter, is not."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A label with its probability, from 0 to 1."""

    label: str
    probability: float
