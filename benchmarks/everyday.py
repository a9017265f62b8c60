"""Made-up everyday life for the scale benchmark: messages, facts, topics and questions, the same for one seed.

Every text is a sentence about one of some thousand matters, a person with an activity, a place or a thing, so that
words repeat as they do in one user's life: names often, matters sometimes, details once. Times run over two years,
in sessions of a few messages.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2024, 3, 1, 7, 30, tzinfo=UTC)
END = BEGIN + timedelta(days=730)
PER_SESSION = 8


def _listed(names: str) -> list[str]:
    return [" ".join(name.split()) for name in names.split(",")]


_PEOPLE = _listed("""
Anna, Bruno, Carla, Dmitri, Elif, Farid, Greta, Hugo, Ines, Jonas, Kofi, Lena, Mei, Nadia, Oscar, Petra, Quentin,
Rosa, Samir, Tilda, Umberto, Vera, Wanda, Xavier, Yusuf, Zoe
""")
_PLACES = _listed("""
Lisbon, Porto, Bergen, Ghent, Kyoto, Oaxaca, Tallinn, Leipzig, Valencia, Dundee, Lucerne, Aarhus, Bologna, Quito,
Halifax, Kraków, Tartu, Hobart, Galway, Nantes
""")
_THINGS = _listed("""
cello, bicycle, greenhouse, kayak, sourdough, telescope, motorbike, pottery wheel, chess clock, espresso machine,
sewing machine, rowing boat, accordion, bookshelf, tomato bed, camera, running shoes, beehive, old radio, climbing
rope, easel, allotment, tent, piano, sailing course, knitting pattern, model railway, drone, herb garden, dance class,
language course, film club, pub quiz, choir, volleyball team, book group, swimming lane, darkroom, workbench, record
player
""")
_FOODS = _listed("""
green tea, black coffee, lentil soup, rye bread, ginger beer, mango ice, goat cheese, ramen, oat milk, pierogi
""")
_SAYINGS = (
    ("I spent the {part} with {person}; we worked on the {thing} and had {food}.", "What did I do with {person}?"),
    ("{person} is moving to {place} next month and sells the {thing}.", "Where is {person} moving?"),
    ("I took the {thing} to {place} for {count} days.", "When did I take the {thing} to {place}?"),
    ("My {thing} broke again, the repair in {place} costs {count} euros.", "What did the repair of the {thing} cost?"),
    ("{person} gave me a recipe for {food} that takes {count} minutes.", "Who gave me the recipe for {food}?"),
    ("Yesterday {person} told me about a new job in {place}.", "What is new with {person}'s job in {place}?"),
    ("I can't stand {food} any more since that trip to {place}.", "Do I like {food}?"),
    ("The {thing} has its anniversary, {person} wants {count} guests.", "How many guests does {person} want?"),
    ("Is there anything I should pack for {place}? {person} brings the {thing}.", "Who brings the {thing} to {place}?"),
    ("Work was long this {part}, release {count} slipped, only {food} helped.", "How was work this {part}?"),
)
_SOON = ("last week", "in May", "yesterday", "on Sunday", "in 2024")


@dataclass(frozen=True, slots=True)
class Said:
    """One message with the fact that was learnt from it."""

    at: datetime
    text: str
    answer: str
    fact: str
    keywords: tuple[str, ...]
    subject: str
    session: int


def messages(count: int, seed: int = 4) -> Iterator[Said]:
    """Yield `count` messages over the two years, oldest first."""
    dice = random.Random(seed)
    sessions = (count + PER_SESSION - 1) // PER_SESSION
    for number in range(count):
        session, place = divmod(number, PER_SESSION)
        at = BEGIN + (END - BEGIN) * session / sessions + timedelta(minutes=2 * place)
        words = _words(dice)
        text = dice.choice(_SAYINGS)[0].format(**words)
        fact = f"The user said of {words['person']}: {text}"
        keywords = (words["person"], words["thing"], words["place"])
        yield Said(at, text, f"That sounds like {words['place']}.", fact, keywords, words["person"], session)


def questions(count: int, seed: int = 5) -> list[str]:
    """Return questions about such a life, every fifth with words of time."""
    dice = random.Random(seed)
    asked = [dice.choice(_SAYINGS)[1].format(**_words(dice)) for _ in range(count)]
    return [f"{text[:-1]} {dice.choice(_SOON)}?" if number % 5 == 0 else text for number, text in enumerate(asked)]


def _words(dice: random.Random) -> dict[str, str]:
    return {
        "person": dice.choice(_PEOPLE),
        "place": dice.choice(_PLACES),
        "thing": dice.choice(_THINGS),
        "food": dice.choice(_FOODS),
        "part": dice.choice(("morning", "evening", "weekend", "afternoon")),
        "count": str(dice.randrange(2, 400)),
    }
