"""The sections of a prompt: memories and turns written as dated data, cut to a budget counted in tokens.

User text stays text: its lines are indented below the line that says who spoke, so it can open no heading of
its own, and a mark for a picture cannot be typed. What did not fit is reported, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from persona_cli.model.tasks import Exchange, ImageSeen, Situation
from persona_cli.personality import Traits
from persona_cli.records import CoreMemory, Hit, Image, ImageMemory, SemanticMemory, Topic, Turn
from persona_cli.timewords import stamp

MARK = "\x00"
"""Stands before and after the hash of a picture until the text is cut into the parts of a message."""

NONE = "(none)"

Count = Callable[[str], int]


@dataclass(slots=True)
class Writer:
    """Writes sections within their budgets, and notes what was cut and which pictures were written."""

    count: Count
    image_tokens: int
    pictures: dict[str, Image] = field(default_factory=dict)
    """By the hash that stands between two marks in the text."""
    cut: list[str] = field(default_factory=list)

    def profile(self, core: CoreMemory, budget: int) -> str:
        """Write core memory by aspect; the keys learnt last are cut first."""
        lines = [f"- {entry.key} ({entry.aspect}): {quoted(entry.value)}" for entry in core.entries]
        return self._fit(lines, budget, "entries of the profile")

    def turns(self, turns: Sequence[Turn], budget: int, what: str, *, numbered: bool = False) -> str:
        """Write turns oldest first; the oldest are cut first.

        They are cut several at a time, so that the next prompts begin with the same turn and the engine's cache holds.
        """
        texts = [dialogue(turn, f"{place} " if numbered else "") for place, turn in enumerate(turns)]
        if not numbered and (fitting := self._fitting(texts[::-1], budget)) < len(texts):
            kept = texts[_steady_start(turns, len(texts) - fitting) :]
            self.cut.append(f"{len(texts) - len(kept)} of {len(texts)} {what} did not fit the prompt")
            return "\n".join(kept) or NONE
        return self._fit(texts[::-1], budget, what, reverse=True)

    def query(self, situation: Situation) -> str:
        """Write what the user says, with their pictures and what is known of these."""
        lines = []
        for number, image in enumerate(situation.query.images, 1):
            lines.append(f"Picture {number}: {self.picture(image)}{_known(image, situation.seen_images)}")
        return "\n".join([*lines, plain(situation.query.text)])

    def recalled(self, exchange: Exchange, budget: int) -> str:
        """Write what one retrieval brought back, each kind within its share of the budget."""
        recall = exchange.recall
        if recall.empty:
            return "Nothing was found."
        topics = [self._topic(topic, budget * 6 // 16 // len(recall.episodic)) for topic in recall.episodic]
        parts = [
            self._kind("Habits and goals", [f"- {quoted(hit.memory.text)}" for hit in recall.procedural], budget // 16),
            self._kind("Facts", [_fact(hit) for hit in recall.semantic], budget * 3 // 16),
            self._kind("Pictures", [self._image(image) for image in recall.images], budget * 4 // 16),
            "\n".join(["## Past conversations", *topics]) if topics else "",
            self._kind("Single messages", [dialogue(hit.memory) for hit in recall.messages], budget * 2 // 16),
        ]
        return "\n\n".join(part for part in parts if part)

    def picture(self, image: Image) -> str:
        """Write a picture where it is to be seen."""
        self.pictures[image.hash] = image
        return f"{MARK}{image.hash}{MARK}"

    def _kind(self, heading: str, texts: Sequence[str], budget: int) -> str:
        return f"## {heading}\n{self._fit(texts, budget, heading.lower())}" if texts else ""

    def _fit(self, texts: Sequence[str], budget: int, what: str, *, reverse: bool = False) -> str:
        """Join texts while they fit; those that do not are counted as cut."""
        kept = texts[: self._fitting(texts, budget)]
        if len(kept) < len(texts):
            self.cut.append(f"{len(texts) - len(kept)} of {len(texts)} {what} did not fit the prompt")
        return "\n".join(kept[::-1] if reverse else kept) or NONE

    def _fitting(self, texts: Sequence[str], budget: int) -> int:
        """Return how many of the texts, from the first, fit the budget."""
        for place, text in enumerate(texts):
            budget -= self.count(text) + 1 + text.count(MARK) // 2 * self.image_tokens
            if budget < 0:
                return place
        return len(texts)

    def _topic(self, topic: Topic, budget: int) -> str:
        episode = topic.hit.memory
        heading = f"Topic from {stamp(episode.started_at)} to {stamp(episode.ended_at)}: {quoted(episode.summary)}"
        turns = [dialogue(turn) for turn in topic.turns]
        return f"{heading}\n{self._fit(turns, budget - self.count(heading), 'turns of a past conversation')}"

    def _image(self, found: ImageMemory) -> str:
        said = "; ".join(quoted(memory.content) for memory in found.memories)
        when = stamp(found.turn.at) if found.turn else stamp(found.hit.memory.added_at)
        words = f" The user said: {quoted(found.turn.user)}" if found.turn and found.turn.user else ""
        return f"- [{when}] {self.picture(found.hit.memory)} {said}{words}"


def _steady_start(turns: Sequence[Turn], first: int) -> int:
    """Return where to begin instead of `first`, so that the beginning stays when turns are added: at a round number."""
    fitting = len(turns) - first
    if fitting < 4:
        return first
    step = 1 << ((fitting // 2).bit_length() - 1)
    return next((place for place in range(first, len(turns)) if turns[place].id % step == 0), first)


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
    return "\n".join(f'"{plain(key)}": {quoted(value)}' for key, value in pairs) or NONE


def quoted(text: str) -> str:
    """Return text of others for use within a line: continuation lines are indented."""
    return plain(text).strip().replace("\n", "\n  ")


def plain(text: str) -> str:
    """Return text without what would be taken for the mark of a picture."""
    return text.replace(MARK, "")


def _fact(hit: Hit[SemanticMemory]) -> str:
    memory = hit.memory
    when = f"; it is about {stamp(memory.event.start)}" if memory.event and memory.event.start else ""
    return f"- [said {stamp(memory.recorded_at)}{when}] {quoted(memory.content)}"


def _known(image: Image, seen: Sequence[ImageSeen]) -> str:
    known = next((one for one in seen if one.hash == image.hash), None)
    if known is None:
        return ""
    when = f" on {stamp(known.turn.at)}" if known.turn else ""
    said = "; ".join(quoted(content) for content in known.contents)
    return f" (the user showed this picture before{when}{': ' + said if said else ''})"
