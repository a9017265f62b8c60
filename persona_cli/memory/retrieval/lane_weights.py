"""How much each kind of evidence counts, in units of cosine: a score is a cosine with evidence added to it.

So the "dense" part of a score is the cosine itself, and every other part says how much closer in meaning a memory
without that evidence would have to be. The numbers were chosen on the development part of the conversations of
benchmarks/locomo.py; benchmarks/LOG.md has what was tried.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona_cli.memory.vectors.embedding import Embedder


@dataclass(frozen=True, slots=True)
class Noise:
    """Cosines between texts that have nothing to do with each other, by which one embedder differs from the next."""

    mean: float
    deviation: float


MINILM = Noise(mean=0.10, deviation=0.113)
"""all-MiniLM-L6-v2 over the questions and messages of whole talks; the weights are in units of its deviation."""

MEASURED = Noise(mean=0.0416, deviation=0.0791)
"""What `measure` says of all-MiniLM-L6-v2: ten sentences about ten things are less alike than one talk is."""

UNRELATED = (
    "My brother plays the cello in an orchestra.",
    "What time does the train to Lyon leave?",
    "The invoice for March has not been paid.",
    "I am allergic to hazelnuts.",
    "They repainted the fence over the weekend.",
    "Which of the planets has the most moons?",
    "Our cat sleeps on top of the bookshelf.",
    "The marathon was cancelled because of the storm.",
    "How do I sharpen a kitchen knife?",
    "She is writing her thesis about medieval trade.",
)
"""What "nothing to do with each other" looks like: ten sentences about ten things."""

REQUESTS = (
    "Can you recommend a good restaurant?",
    "Could you suggest a film for tonight?",
    "What should I cook this evening?",
    "Any ideas for the weekend?",
    "Help me plan my holiday.",
    "I'm looking for a present, what would you suggest?",
    "Which book should I read?",
    "Find me a place to stay.",
    "What would be a good hobby for me?",
    "Give me some tips for the winter.",
    "Where could we go on Sunday?",
    "I need something new to wear.",
    "Plan a day out for us.",
    "What can I do about it?",
    "Which one should I buy?",
    "Do you have a suggestion for lunch?",
    "How should I spend my free day?",
    "Pick a game for us, please.",
    "Can you help me choose?",
    "What shall I bring along?",
    "Got any advice for my first week?",
    "Make me a shopping list.",
    "Write me a plan for the month.",
    "How could I relax a little?",
    "Tell me what to listen to.",
    "Would you advise me on a new bike?",
)
"""Requests about many things: their mean is what makes a request one, whatever it is about."""

LEAST = 2.0
"""How relevant the best memory must be by itself, in deviations above the noise, for a response to be shown any.

Of 40 questions about what two people never said, 9 had a message above it; of 30 about what they said, all.
"""

LEAST_SEARCHED = 1.6
"""The same for a search: a person sees for themselves what is junk, and wonders about an empty page."""

TRAILING = 0.5
"""What part of the best score a memory that is less relevant than that must still have to be shown after it."""

WORDS = 4.0
"""What all the words of a question are worth, in the same units."""


@dataclass(frozen=True, slots=True)
class LaneWeights:
    """What evidence is worth at its fullest; "a share" is the part of the question's words, rare ones more."""

    noise: Noise = MINILM

    text: float = 0.3
    """A share of 1 in a message itself."""
    around: float = 0.52
    """A share of 1 in a message together with those up to two before and after it, whatever their length."""
    before: float = 0.2
    """Of the cosine above the noise of the message before."""
    reply: float = 0.35
    """The same once more, where the message before asks."""
    session: float = 0.24
    """A share of 1 in the session as a whole."""
    session_dense: float = 0.8
    """Of the cosine above the noise of the session's closest message."""
    person: float = 0.43
    """The person the question names speaks, or is who the memory is about."""
    time: float = 0.36
    """A message with a time in it, where the question asks when."""
    name: float = 0.3
    """A message with a name or a title in it, where the question asks for one."""
    dated: float = 0.037
    """A message with a time in it, whatever is asked."""
    named: float = 0.062
    """A message with a name in it, whatever is asked."""
    question: float = 0.13
    """Taken off a message that only asks."""
    reaction: float = 0.048
    """Taken off a message that begins with thanks, praise or assent."""
    window: float = 0.6
    """Said or happened in the time asked about."""
    stated: float = 0.5
    """A share of 1 in a statement."""
    stated_cover: float = 0.2
    """The same whatever its length."""
    distilled: float = 0.2
    """A statement rather than a message: it stands alone, no neighbour lends it evidence."""
    keywords: float = 0.5
    """Of what the cosine of the keywords has over that of the content."""
    turns: float = 0.3
    """Of what an episode's best message scores above the noise."""
    recency: float = 0.03
    """Said now rather than long ago."""
    repetition: float = 0.015
    """Each doubling of how often it was said."""
    fading: float = 0.05
    """Taken off what has faded altogether."""


def for_requests(weights: LaneWeights) -> LaneWeights:
    """Return the weights for a request: a preference stands by itself, in other words, and does not age."""
    return replace(
        weights,
        text=weights.text / 4,
        stated=weights.stated / 4,
        stated_cover=weights.stated_cover / 4,
        around=0.0,
        before=0.0,
        reply=0.0,
        session=0.0,
        session_dense=0.0,
        time=0.0,
        name=0.0,
        dated=0.0,
        named=0.0,
        recency=0.0,
        fading=0.0,
    )


def weights_for(noise: Noise) -> LaneWeights:
    """Return the weights for an embedder by its measured noise: the wider its cosines spread, the more all else counts.

    Those for MiniLM are the ones that were chosen; the noise of a talk is taken to be as far from the measured one.
    """
    factor = noise.deviation / MEASURED.deviation
    noise = Noise(noise.mean + factor * (MINILM.mean - MEASURED.mean), factor * MINILM.deviation)
    usual = LaneWeights()
    scaled = {
        weight.name: getattr(usual, weight.name) * factor
        for weight in fields(LaneWeights)
        if weight.name not in _OF_COSINES
    }
    return LaneWeights(noise=noise, **scaled)


_OF_COSINES = {"noise", "before", "reply", "session_dense", "keywords", "turns"}


def measure(embedder: Embedder) -> Noise:
    """Return the mean and the deviation of the cosines between ten sentences, asked and stored, about ten things."""
    import numpy as np

    asked, stored = embedder.embed_query(UNRELATED), embedder.embed(UNRELATED)
    cosines = [float(asked[row] @ stored[other]) for row, other in permutations(range(len(UNRELATED)), 2)]
    return Noise(float(np.mean(cosines)), max(float(np.std(cosines)), 0.01))
