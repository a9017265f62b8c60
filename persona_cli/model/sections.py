"""The sections of a prompt: memories and turns written as dated data, cut to a budget counted in tokens.

User text stays text: its lines are indented below the line that says who spoke, so it can open no heading of
its own, and a mark for a picture cannot be typed. What did not fit is reported, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from persona_cli.model.tasks import ImageSeen, SearchRound, Situation
from persona_cli.personality import Traits
from persona_cli.records import CoreMemory, EpisodicMemory, Hit, Image, ImageMemory, SemanticMemory, Topic, Turn
from persona_cli.timewords import stamp

MARK = "\x00"
"""Stands before and after the hash of a picture until the text is cut into the parts of a message."""

NONE = "(none)"
NOTHING_FITS = "What was found did not fit."
_CUT = " …"
_WORTH_SHORTENING = 24
"""Tokens below which the beginning of a memory says nothing."""

Count = Callable[[str], int]


@dataclass(slots=True)
class Writer:
    """Writes sections within their budgets, and notes what was cut and which pictures were written."""

    count: Count
    image_tokens: Callable[[Image], int]
    pictures: dict[str, Image] = field(default_factory=dict)
    """By the hash that stands between two marks in the text."""
    cut: list[str] = field(default_factory=list)

    def profile(self, core: CoreMemory, budget: int) -> str:
        """Write core memory by aspect; the keys learnt last are cut first."""
        lines = [f"- {quoted(entry.key)} ({entry.aspect}): {quoted(entry.value)}" for entry in core.entries]
        return self._fit(lines, budget, "entries of the profile")

    def turns(self, turns: Sequence[Turn], budget: int, what: str, *, numbered: bool = False) -> str:
        """Write turns oldest first; the oldest are cut first.

        They are cut several at a time, so that the next prompts begin with the same turn and the engine's cache holds.
        """
        texts = [dialogue(turn, f"{place} " if numbered else "") for place, turn in enumerate(turns)]
        if not numbered and (fitting := self._fitting(texts[::-1], budget)) < len(texts):
            if not fitting:
                return self._fit(texts[::-1], budget, what)
            kept = texts[_steady_start(turns, len(texts) - fitting) :]
            self.cut.append(f"{len(texts) - len(kept)} of {len(texts)} {what}")
            return "\n".join(kept) or NONE
        return self._fit(texts[::-1], budget, what, reverse=True)

    def steady_start(self, turns: Sequence[Turn], budget: int) -> int:
        """Return from which of the turns on they fit the budget, at a place that stays when turns are added."""
        first = len(turns) - self._fitting([dialogue(turn) for turn in turns[::-1]], budget)
        start = _steady_start(turns, first) if first else 0
        if start:
            self.cut.append(f"{start} of {len(turns)} recent turns")
        return start

    def episodes(self, episodes: Sequence[EpisodicMemory], budget: int) -> str:
        """Write episodes oldest first, each with its time; the oldest are cut first."""
        lines = [f"[{stamp(episode.started_at)}] {quoted(episode.summary)}" for episode in episodes]
        return self._fit(lines[::-1], budget, "conversations", reverse=True)

    def query(self, situation: Situation) -> str:
        """Write what the user says, with their pictures and what is known of these."""
        lines = []
        for number, image in enumerate(situation.query.images, 1):
            lines.append(f"Picture {number}: {self.picture(image)}{_known(image, situation.seen_images)}")
        return "\n".join([*lines, f"User: {quoted(situation.query.text)}"])

    def recalled(self, exchange: SearchRound, budget: int) -> str:
        """Write what one retrieval brought back within the budget, headings included.

        Each kind has its share, and what the kinds before it left over.
        """
        recall = exchange.recall
        if recall.empty:
            return "Nothing was found."
        habits = [f"- {quoted(hit.memory.text)}" for hit in recall.procedural]
        left = self._kind("Habits and goals", habits, budget // 16, parts := list[str]())
        left = self._kind("Facts", [_fact(hit) for hit in recall.semantic], left + budget * 3 // 16, parts)
        left = self._kind("Pictures", [self._image(image) for image in recall.images], left + budget // 4, parts)
        left = self._topics(recall.episodic, left + budget * 6 // 16, parts)
        self._kind("Single messages", [dialogue(hit.memory) for hit in recall.messages], left + budget // 8, parts)
        return "\n\n".join(parts) or NOTHING_FITS

    def size(self, text: str) -> int:
        """Return the tokens of what was written, its pictures included."""
        chunks = text.split(MARK)
        return self.count("".join(chunks[::2])) + sum(self.image_tokens(self.pictures[hash_]) for hash_ in chunks[1::2])

    def picture(self, image: Image) -> str:
        """Write a picture where it is to be seen."""
        self.pictures[image.hash] = image
        return f"{MARK}{image.hash}{MARK}"

    def _kind(self, heading: str, texts: Sequence[str], budget: int, parts: list[str]) -> int:
        """Add a kind under its heading to `parts`; return what is left of the budget."""
        if not texts:
            return budget
        title = f"## {heading}\n"
        written = self._fit(texts, budget - self.count(title) - 2, heading.lower())
        if written == NONE:
            return budget
        parts.append(title + written)
        return budget - self.size(parts[-1]) - 2

    def _topics(self, topics: Sequence[Topic], budget: int, parts: list[str]) -> int:
        texts: list[str] = []
        left = budget - self.count("## Past conversations\n") - 2
        for place, topic in enumerate(topics):
            if written := self._topic(topic, left // (len(topics) - place)):
                texts.append(written)
                left -= self.size(written) + 1
        if not texts:
            return budget
        parts.append("\n".join(["## Past conversations", *texts]))
        return left

    def _fit(self, texts: Sequence[str], budget: int, what: str, *, reverse: bool = False) -> str:
        """Join texts while they fit; those that do not are counted as cut.

        Where not even the first fits, its beginning is better than nothing.
        """
        kept = list(texts[: self._fitting(texts, budget)])
        if len(kept) < len(texts):
            self.cut.append(f"{len(texts) - len(kept)} of {len(texts)} {what}")
        if texts and not kept and MARK not in texts[0] and budget >= _WORTH_SHORTENING:
            kept = [shortened(texts[0], budget - 1, self.count)]
            self.cut[-1] += ", the first but for its beginning"
        return "\n".join(kept[::-1] if reverse else kept) or NONE

    def _fitting(self, texts: Sequence[str], budget: int) -> int:
        """Return how many of the texts, from the first, fit the budget."""
        for place, text in enumerate(texts):
            budget -= self.size(text) + 1
            if budget < 0:
                return place
        return len(texts)

    def _topic(self, topic: Topic, budget: int) -> str:
        """Write a topic with those of its turns that fit; nothing where its heading does not."""
        episode = topic.hit.memory
        heading = f"Topic from {stamp(episode.started_at)} to {stamp(episode.ended_at)}: {quoted(episode.summary)}"
        if (size := self.count(heading) + 1) > budget:
            self.cut.append("a past conversation")
            return ""
        turns = self._fit([dialogue(turn) for turn in topic.turns], budget - size, "turns of a past conversation")
        return heading if turns == NONE else f"{heading}\n{turns}"

    def _image(self, found: ImageMemory) -> str:
        said = "; ".join(quoted(memory.content) for memory in found.memories)
        when = stamp(found.turn.at) if found.turn else stamp(found.hit.memory.added_at)
        words = f" The user said: {quoted(found.turn.user)}" if found.turn and found.turn.user else ""
        # alike is not the same: who or what it is must not be taken from another picture unasked
        alike = " (it only looks like the picture shown now)" if "looks" in found.hit.lanes else ""
        caption = found.hit.memory.caption
        seen = f" A model described it: {quoted(caption)}" if caption and found.hit.memory.caption_by else ""
        return f"- [{when}] {self.picture(found.hit.memory)}{alike} {said}{words}{seen}"


def _steady_start(turns: Sequence[Turn], first: int) -> int:
    """Return where to begin instead of `first`, so that the beginning stays when turns are added: at a round number."""
    fitting = len(turns) - first
    if fitting < 4:
        return first
    step = 1 << ((fitting // 2).bit_length() - 1)
    return next((place for place in range(first, len(turns)) if turns[place].id % step == 0), first)


def shortened(text: str, budget: int, count: Count) -> str:
    """Return as much of the beginning of `text` as fits the budget, cut between words and marked as cut."""
    if count(text) <= budget:
        return text
    words = text.split(" ")
    fits, over = 0, len(words)
    while over - fits > 1:
        middle = (fits + over) // 2
        if count(" ".join(words[:middle]) + _CUT) <= budget:
            fits = middle
        else:
            over = middle
    return " ".join(words[:fits]) + _CUT if fits else ""


def traits(vector: Traits) -> str:
    """Write the five scores with one decimal."""
    return "\n".join(f"- {name}: {score:.1f}" for name, score in vector)


def dialogue(turn: Turn, label: str = "") -> str:
    """Write one turn with its time."""
    shown = " (with a picture)" if turn.images else ""
    lines = [f"[{label}{stamp(turn.at)}]", f"User{shown}: {quoted(turn.user)}"]
    return "\n".join([*lines, f"Assistant: {quoted(turn.answer)}"] if turn.answer else lines)


def keyed(pairs: Iterable[tuple[str, str]]) -> str:
    """Write what is known as the lines the model is to answer with."""
    return "\n".join(f'"{quoted(key)}": {quoted(value)}' for key, value in pairs) or NONE


def quoted(text: str) -> str:
    """Return text of others for use within a line: continuation lines, however they are broken, are indented."""
    return "\n  ".join(plain(text).strip().splitlines())


def plain(text: str) -> str:
    """Return text without what would be taken for the mark of a picture."""
    return text.replace(MARK, "")


def _fact(hit: Hit[SemanticMemory]) -> str:
    memory = hit.memory
    when = f"; it is about {stamp(memory.event.start)}" if memory.event and memory.event.start else ""
    # the date and not the status: a fact that is over must not be told as if it held
    over = f"; true until {stamp(memory.valid_to)}" if memory.valid_to else ""
    return f"- [said {stamp(memory.recorded_at)}{when}{over}] {quoted(memory.content)}"


def _known(image: Image, seen: Sequence[ImageSeen]) -> str:
    known = next((one for one in seen if one.hash == image.hash), None)
    if known is None:
        return ""
    when = f" on {stamp(known.turn.at)}" if known.turn else ""
    said = "; ".join(quoted(content) for content in known.contents)
    before = "it looks like a picture the user showed" if known.alike else "the user showed this picture before"
    return f" ({before}{when}{': ' + said if said else ''})"
