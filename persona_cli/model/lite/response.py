"""The response of the built-in model: one look at the message, a few searches, then an answer.

`decide()` is the whole course of it: it returns either a wish to search, with the reason for it, or the answer.
A message may do several things; its questions are answered first, then what it tells is acknowledged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.tokens import other_forms
from persona_cli.model.lite import pictures, replies
from persona_cli.model.lite.acts import Act, read
from persona_cli.model.lite.answers import compose, distinct
from persona_cli.model.lite.evidence import Told, gather
from persona_cli.model.lite.facts import find_facts
from persona_cli.model.lite.former import marked
from persona_cli.model.lite.kinds import asked_kind, looked_for
from persona_cli.model.lite.lasttime import asks_for_last_time, tell_last_time
from persona_cli.model.lite.ontology import KINDS
from persona_cli.model.lite.questions import Form, Question, other_years, understand, understand_looked_up
from persona_cli.model.lite.relevance import Embed, Match, rank
from persona_cli.model.lite.slots import LOOKED_FOR
from persona_cli.model.lite.tone import Mood, Tone, dress, feeling, wonder
from persona_cli.model.lite.words import content_words, stem, stems
from persona_cli.model.tasks import Situation
from persona_cli.records import Retrieve, Window
from persona_cli.timewords import describe

REMINDS = 0.5
"""Cosine from which an older memory is worth mentioning after a statement."""
HELPS = 0.3
"""Cosine from which a memory is worth offering in place of what cannot be done."""
_SAME = 0.8
"""Share of words from which two statements say the same thing."""

_MOODS = {
    Act.GREETING: Mood.GREETING,
    Act.HOW_ARE_YOU: Mood.GREETING,
    Act.THANKS: Mood.SMALL_TALK,
    Act.GOODBYE: Mood.SMALL_TALK,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next: search, or give the answer; and why."""

    thought: str
    retrieve: Retrieve | None = None
    answer: str = ""
    untoned: str = ""
    """The answer a user with neutral traits would get, where it is another."""


def decide(situation: Situation, embed: Embed, *, may_search: bool = True) -> Decision:
    """Return the next step for the query of `situation`."""
    embed = _once(embed)
    response = _Response(situation, embed, Tone.of(situation.traits))
    search = response.search() if may_search else None
    if search is not None:
        return search
    answer = response.answer()
    untoned = _Response(situation, embed, Tone()).answer() if Tone.of(situation.traits) != Tone() else answer
    return Decision(response.verdict(), answer=answer, untoned="" if untoned == answer else untoned)


def _once(embed: Embed) -> Embed:
    """Return an embedding that does the same texts but once: an answer is made with the tone and without."""
    done: dict[tuple[str, ...], NDArray[np.float32]] = {}

    def embed_once(texts: Sequence[str]) -> NDArray[np.float32]:
        if tuple(texts) not in done:
            done[tuple(texts)] = embed(texts)
        return done[tuple(texts)]

    return embed_once


class _Response:
    """One query, understood once."""

    def __init__(self, situation: Situation, embed: Embed, tone: Tone) -> None:
        self._situation = situation
        self._embed = embed
        self._at = situation.query.at
        self._tone = tone
        self._parts = read(situation.query.text)
        asked = [part for part in self._parts if part.act is Act.QUESTION]
        self._of_picture = bool(situation.query.images) and any(pictures.asks_about_picture(p.text) for p in asked)
        known, recalls = self._known_names, [exchange.recall for exchange in situation.exchanges]
        self._questions = [
            understand_looked_up(part.text, self._at, known, recalls) or understand(part.text, self._at, known)
            for part in asked
            if not (situation.query.images and pictures.asks_about_picture(part.text))
        ]
        self._statements = [part for part in self._parts if part.act is Act.STATEMENT]

    def search(self) -> Decision | None:
        """Return the next search worth making, or None."""
        done = [exchange.retrieve for exchange in self._situation.exchanges]
        for question in self._questions:
            if asks_for_last_time(question.text) or (done and self._matches(question)):
                continue
            for thought, retrieve in self._ways(question):
                if retrieve not in done:
                    return Decision(thought, retrieve)
        if self._questions or done:
            return None
        told = " ".join(part.text for part in self._parts if part.act in {Act.STATEMENT, Act.REQUEST})
        words = " ".join(content_words(told))
        return Decision(f"Looking for what “{words}” links to.", Retrieve(words)) if words else None

    def verdict(self) -> str:
        """Say in one line what the answer rests on."""
        if self._questions:
            found = sum(len(self._matches(question)) for question in self._questions)
            return (
                f"{found} of {len(self._told)} things I was told answer this."
                if found
                else "Nothing I was told answers this."
            )
        if self._statements:
            return "The user tells me something: acknowledging it."
        return "No search needed."

    def answer(self) -> str:
        """Return the whole answer."""
        said = [self._picture()] if self._situation.query.images else []
        said += [self._reply_to(question) for question in self._questions]
        if self._statements:
            said.append(self._acknowledgement())
        if not any(said):
            said = [self._small_talk()]
        return "\n\n".join(text for text in said if text)

    @cached_property
    def _told(self) -> tuple[Told, ...]:
        return marked(gather(self._situation))

    @cached_property
    def _known_names(self) -> frozenset[str]:
        names = {word for told in self._told for word in re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", told.content)}
        return frozenset(name.lower() for name in names)

    def _matches(self, question: Question) -> tuple[Match, ...]:
        """Return what answers a question; where a date has no year, of the latest year that holds an answer."""
        ranked = (rank(one, self._told, self._embed) for one in (question, *other_years(question)))
        return next((matches for matches in ranked if matches), ())

    def _remembered_year(self, question: Question) -> Window | None:
        """Return the window of a date without a year in the latest year that memory is known to reach."""
        entries = [entry.recorded_at for entry in self._situation.core.entries]
        years = {moment.year for moment in (*entries, *(turn.at for turn in self._situation.before))}
        windows = [one.time.window for one in other_years(question) if one.time is not None]
        return next((one for one in windows if one.start is not None and one.start.year in years), None)

    def _ways(self, question: Question) -> list[tuple[str, Retrieve]]:
        """Return the searches worth making for a question, in order."""
        words = (question.searched or question.text).strip().rstrip("?!. ")
        ways = []
        if question.time is not None and not question.searched:
            window = question.time.window
            asked = describe(window, self._at)
            ways.append((f"Looking for “{words}”, {asked}.", Retrieve(words, window.start, window.end)))
            earlier = self._remembered_year(question)
            if earlier is not None:
                known = describe(earlier, self._at)
                ways.append((f"Nothing of use {asked}; looking {known}.", Retrieve(words, earlier.start, earlier.end)))
            ways.append((f"Nothing of use {asked}; looking for “{words}” at any time.", Retrieve(words)))
        else:
            ways.append((f"Looking for “{words}”.", Retrieve(words)))
        wider = _widened(question)
        if wider and wider != words:
            ways.append((f"Not found yet; looking for “{wider}”.", Retrieve(wider)))
        return ways

    def _reply_to(self, question: Question) -> str:
        seed = question.text
        if asks_for_last_time(question.text):
            return tell_last_time(self._situation.before, self._at) or replies.FIRST_TIME
        matches = self._matches(question)
        if matches:
            return dress(compose(question, matches, self._at, self._told), Mood.KNOWN, self._tone, seed)
        names = question.entities & stems(self._known_names)
        personal = question.personal or bool(names)
        mood = Mood.UNKNOWN if personal else Mood.KNOWN
        return dress(replies.refuse(personal, seed), mood, self._tone, seed)

    def _acknowledgement(self) -> str:
        text = " ".join(part.text for part in self._statements)
        pictured = bool(self._situation.query.images)
        noted = replies.acknowledge(text, self._at, self._situation.recent, pictured=pictured)
        if noted is None:
            return feeling(text) or self._link(text) or replies.heard(text)
        said = [feeling(text), dress(noted, Mood.NOTED, self._tone, text), self._link(text)]
        if not self._questions and not said[-1]:
            said.append(wonder(self._tone, text))
        return " ".join(one for one in said if one)

    def _link(self, text: str) -> str:
        """Return a sentence on what changed, or on an older memory that is really close, or nothing."""
        older = [told for told in self._told if told.source in {"fact", "message"}]
        slots = {fact.slot: fact for fact in find_facts(text, self._at) if fact.slot}
        for told in older:
            fact = slots.get(told.slot)
            if fact is not None and told.current and fact.value.lower() not in told.content.lower():
                return replies.replaced(told, self._at)
        words = stems(content_words(text))
        fresh = [told for told in older if len(words & told.stems) < _SAME * max(len(words), len(told.stems))]
        if not fresh or len(words) < 2:
            return ""
        vectors = self._embed([text, *(told.content for told in fresh)])
        likeness = vectors[1:] @ vectors[0]
        best = int(likeness.argmax())
        return replies.reminds(fresh[best], self._at) if float(likeness[best]) >= REMINDS else ""

    def _picture(self) -> str:
        """Say what is known of the pictures of the query."""
        seen = self._situation.seen_images
        if known := [one for one in seen if not one.alike]:
            return "\n".join(pictures.recognise(one, self._at) for one in known)
        if not self._of_picture and (self._statements or self._questions):
            return ""
        # who says what a picture shows need not hear what it looks like
        if seen:
            return "\n".join(pictures.resembles(one, self._at) for one in seen)
        return pictures.unknown(asked=self._of_picture)

    def _small_talk(self) -> str:
        act = next((part.act for part in self._parts if part.act is Act.REQUEST), None)
        if not self._parts:
            return replies.NO_WORDS
        if act is not None:
            return "\n\n".join(text for text in (replies.CANNOT, self._help()) if text)
        last = self._parts[-1]
        reply = replies.small_talk(last.act, self._situation.core.get("name"), self._at)
        return dress(reply, _MOODS.get(last.act, Mood.KNOWN), self._tone, last.text)

    def _help(self) -> str:
        """Return memories that bear on a request which itself cannot be done."""
        text = self._situation.query.text
        close = [told for told in self._told if told.source != "now"]
        if not close:
            return ""
        vectors = self._embed([text, *(told.content for told in close)])
        ranked = sorted(zip((vectors[1:] @ vectors[0]).tolist(), range(len(close)), strict=True), reverse=True)
        good = distinct([close[place] for score, place in ranked if score >= HELPS])
        return replies.related(good[:3], self._at) if good else ""


def _widened(question: Question) -> str:
    """Return other words for what a question is about: its entities and their kinds, and the slot."""
    if question.open and question.form is Form.LIST:
        return "name, home, job, family, pets, likes, hobbies"
    words = [*sorted(question.entities), *question.topic]
    for word in question.topic:
        words += other_forms(word)  # "lost" has no stem in "lose"
    for entity in sorted(question.entities):
        words += sorted(KINDS.get(entity, frozenset()))[:8]
    if kind := asked_kind(question):
        words.append(looked_for(kind))
    if question.slot is not None:
        words.append(LOOKED_FOR[question.slot.name])
    return " ".join(dict.fromkeys(stem(word) if word in KINDS else word for word in words))
