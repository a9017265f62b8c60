"""Prompts that fit: the conversation of a response within the context, every section within its budget.

A response is one conversation: the prompt, then for each retrieval what the model wrote and a message with what was
found. What a retrieval may take depends only on what stands before it, so a later call begins with the same tokens
and the engine's cache holds. Each takes a share of what is left, its thought and its headings counted in, so the whole
fits by itself; where even that is not enough (five retrievals in a tiny context), the oldest are left out. What was
cut is said, and what was spent is kept for `persona why`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from persona_cli.errors import ContextError
from persona_cli.model import quick
from persona_cli.model.engines import Engine, ImagePart, Message
from persona_cli.model.grounding import PictureForm
from persona_cli.model.prompts import Prompts
from persona_cli.model.sections import MARK, Writer, plain, shortened, traits
from persona_cli.model.tasks import SearchRound, Situation
from persona_cli.records import CoreMemory, Image, PictureSource, Retrieve, Section, Spent
from persona_cli.timewords import stamp

NEW_TOKENS = 1024
"""Tokens of one reply (PersonaVLM)."""
PROFILE, RECENT = 0.15, 0.35
"""Shares of what the instructions and the query leave free; the rest is for retrievals."""
FIRST, LATER = 0.45, 0.35
"""What a retrieval may take of what is left: most responses search once."""
QUICK = 0.5
"""What a quick answer's memories may take of what is left: the other half is room for what the counts leave out."""
THOUGHT = 0.2
"""What a thought may take of that."""
AGAIN = "Answer now, or retrieve again if something is still missing."
LAST = "There is no retrieval left: write <answer>your answer to the user</answer>."


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """The messages of one call, what was newly cut from them, and what they take of the context."""

    messages: list[Message]
    cut: list[str]
    spent: Spent


@dataclass(slots=True)
class _Parts:
    """One retrieval as two messages, with what it took."""

    asked: Message
    found: Message
    thought: int = 0
    memories: int = 0
    budget: int = 0
    cut: list[str] = field(default_factory=list)


class PromptWriter:
    """Fills templates and keeps them within an engine's context; `picture` says what a stored picture is read from."""

    def __init__(
        self,
        engine: Engine,
        prompts: Prompts,
        picture: Callable[[Image], PictureSource],
        *,
        guide: Sequence[Message] = (),
        most_pixels: int = 230_400,
        form: PictureForm | None = None,
    ) -> None:
        self._form = form or PictureForm()
        self.guide = list(guide)
        self._engine = engine
        self._prompts = prompts
        self._picture = picture
        self._most_pixels = most_pixels

    @property
    def reserve(self) -> int:
        """Return the tokens kept free for the reply, in a small context less than there are in a large one."""
        return min(NEW_TOKENS, self._engine.context // 4)

    @property
    def most(self) -> int:
        """Return the tokens the turns of an update prompt may have."""
        return (self._engine.context - self.reserve) // 2

    def writer(self) -> Writer:
        """Return a writer of sections that counts as the engine does."""
        return Writer(self._engine.count, self._picture_tokens)

    def message(self, text: str, writer: Writer) -> Message:
        """Return a user message with each picture where it was written."""
        parts: list[str | ImagePart] = []
        for place, chunk in enumerate(text.split(MARK)):
            if place % 2:
                parts.append(ImagePart(self._picture(writer.pictures[chunk]), chunk))
            elif chunk:
                parts.append(chunk)
        return Message("user", tuple(parts))

    def conversation(self, situation: Situation, *, last: bool = False) -> FittedPrompt:
        """Return the messages of a response so far; after the `last` retrieval nothing but the answer is left.

        What was sent in an earlier call stands there word for word.
        """
        first, sections, cut = self._first("ask" if self.guide else "reason", situation)
        searches = len(situation.exchanges)
        parts, given_up = self._retrievals(first, situation.exchanges, last=last), 0
        while len(parts) > 1 and self._room(self._joined(first, parts)) < 0:
            given_up += 1
            parts = self._retrievals(first, situation.exchanges[given_up:], last=last)
        # what was cut from the first prompt and from earlier retrievals has been said already
        cut = parts[-1].cut if parts else cut
        if given_up:
            cut = [*cut, f"what the first {given_up} of {searches} searches found"]
        if parts:
            sections += [_memories(parts), Section("thoughts", sum(part.thought for part in parts), 0)]
        messages = self._joined(first, parts)
        return FittedPrompt(messages, cut, self._spent(messages, sections))

    def one_call(self, situation: Situation) -> FittedPrompt:
        """Return the messages of a response without reasoning: one, or for untrained models an ordinary talk."""
        return self._quick(situation) if self.guide else self._one_message(situation)

    def _quick(self, situation: Situation) -> FittedPrompt:
        writer = self.writer()
        words = quick.words(situation, writer)
        bare = Message(
            "user", (self._prompts.fill("quick_ask", memory="", now=stamp(situation.query.at), query=words),)
        )
        free = self._room([quick.head(self._prompts, replace(situation, core=CoreMemory()), writer, 0), bare])
        if free < 0:
            raise self._too_long(-free, writer.size(words))
        system = quick.head(self._prompts, situation, writer, int(free * PROFILE))
        turns = quick.history(situation, writer, int(free * RECENT))
        budget = int((free - self._engine.count([system, *turns]) + self._engine.count([bare])) * QUICK)
        found: list[str] = []
        for exchange in situation.exchanges:
            if not exchange.recall.empty:
                found.append(writer.recalled(exchange, max(0, budget - sum(map(writer.size, found)))))
        asked = self._prompts.fill(
            "quick_ask", memory=quick.memory(found, situation.traits), now=stamp(situation.query.at), query=words
        )
        messages = [system, *turns, self.message(asked, writer)]
        sections = [
            Section("profile", writer.count(system.text), int(free * PROFILE)),
            Section("conversation", self._engine.count(turns) if turns else 0, int(free * RECENT)),
            Section("memories", sum(map(writer.size, found)), max(budget, 0)),
        ]
        return FittedPrompt(messages, writer.cut, self._spent(messages, sections))

    def _one_message(self, situation: Situation) -> FittedPrompt:
        free = self._free("answer", situation)
        budget = int(free * (1 - PROFILE - RECENT))
        while True:
            writer = self.writer()
            fields, sections = self._fields(situation, writer, free)
            left, found = budget, list[str]()
            for exchange in situation.exchanges:
                found.append(writer.recalled(exchange, left))
                left -= writer.size(found[-1])
            recalled = "\n\n".join(found) or "Nothing was searched for."
            messages = [*self.guide, self.message(self._prompts.fill("answer", **fields, recalled=recalled), writer)]
            if self._room(messages) >= 0 or budget == 0:
                break
            budget //= 2
        sections.append(Section("memories", sum(map(writer.size, found)), budget))
        return FittedPrompt(messages, writer.cut, self._spent(messages, sections))

    def repair(self, messages: Sequence[Message], written: str, error: str) -> list[Message]:
        """Return the messages that ask for a broken reply once more; a long one is shown in part."""
        asked = Message("user", (self._prompts.fill("repair", error=error),))
        room = self._room([*messages, Message("assistant", ("",)), asked]) + self.reserve // 2
        return [*messages, Message("assistant", (shortened(written, max(room, 0), self._engine.count),)), asked]

    def limit(self, messages: Sequence[Message], most: int = NEW_TOKENS) -> int:
        """Return the tokens a reply to `messages` may have, at most `most`; raises `ContextError` where none fits."""
        free = self._engine.context - self._engine.count(messages)
        if free < self.reserve // 2:
            raise ContextError(
                f"The prompt has {self._engine.context - free:,} tokens; {self._engine.name} has room for "
                f"{self._engine.context:,} with its reply.",
                fix="Use a model with a larger context, or shorten what is shown to it.",
            )
        return min(most, free)

    def _first(self, template: str, situation: Situation) -> tuple[Message, list[Section], list[str]]:
        writer = self.writer()
        fields, sections = self._fields(situation, writer, self._free(template, situation))
        return self.message(self._prompts.fill(template, **fields), writer), sections, writer.cut

    def _fields(self, situation: Situation, writer: Writer, free: int) -> tuple[dict[str, str], list[Section]]:
        for_profile, for_recent = int(free * PROFILE), int(free * RECENT)
        fields = {
            "profile": writer.profile(situation.core, for_profile),
            "traits": traits(situation.traits),
            "recent": writer.turns(situation.recent, for_recent, "recent turns"),
            "now": stamp(situation.query.at),
            "query": writer.query(situation),
        }
        sections = [
            Section("profile", writer.count(fields["profile"]), for_profile),
            Section("conversation", writer.count(fields["recent"]), for_recent),
        ]
        return fields, sections

    def _retrievals(self, first: Message, exchanges: Sequence[SearchRound], *, last: bool) -> list[_Parts]:
        parts: list[_Parts] = []
        for place, exchange in enumerate(exchanges):
            says = LAST if last and place == len(exchanges) - 1 else AGAIN
            share = LATER if place else FIRST
            parts.append(self._parts(exchange, int(self._room(self._joined(first, parts)) * share), says))
        return parts

    def _parts(self, exchange: SearchRound, budget: int, says: str) -> _Parts:
        """Write one retrieval within `budget`: what the model wrote, then what was found."""
        thought = shortened(plain(exchange.thought), int(budget * THOUGHT), self._engine.count)
        asked = Message("assistant", (_asked(exchange.retrieve, thought),))
        bare = Message("user", (self._prompts.fill("recalled", recalled="", left=says),))
        most = max(0, budget - self._engine.count([asked, bare]))
        writer = self.writer()
        recalled = writer.recalled(exchange, most)
        found = self.message(self._prompts.fill("recalled", recalled=recalled, left=says), writer)
        return _Parts(asked, found, self._engine.count(thought), writer.size(recalled), most, writer.cut)

    def _joined(self, first: Message, parts: Sequence[_Parts]) -> list[Message]:
        return [*self.guide, first, *(message for part in parts for message in (part.asked, part.found))]

    def _spent(self, messages: Sequence[Message], sections: Sequence[Section]) -> Spent:
        return Spent(self._engine.count(messages), self._engine.context, tuple(sections))

    def _free(self, template: str, situation: Situation) -> int:
        """Return the tokens left for profile, recent turns and recalls beside instructions and query."""
        writer = self.writer()
        query = writer.query(situation)
        fields = dict.fromkeys(("profile", "recent", "recalled"), "")
        fields |= {"traits": traits(situation.traits), "now": stamp(situation.query.at)}
        if template in ("reason", "ask"):
            del fields["recalled"]
        empty = self.message(self._prompts.fill(template, **fields, query=query), writer)
        free = self._room([*self.guide, empty])
        if free < 0:
            raise self._too_long(-free, writer.size(query))
        return free

    def _too_long(self, over: int, message: int) -> ContextError:
        has = f"{self._engine.name}, which has {self._engine.context:,} with its reply"
        if message > over:
            return ContextError(
                f"The message is about {over:,} tokens too long for {has}.",
                fix="Shorten it, show fewer pictures, or raise model.context.",
            )
        return ContextError(
            f"The instructions alone are about {over:,} tokens too long for {has}.",
            fix="Raise model.context, or use a model with a larger one.",
        )

    def _room(self, messages: Sequence[Message]) -> int:
        """Return the tokens left beside `messages` and the reply; below zero where they do not fit."""
        return self._engine.context - self.reserve - self._engine.count(messages)

    def _picture_tokens(self, image: Image) -> int:
        """Return the tokens of a picture at the size it is shown, with the two that stand around it."""
        return self._form.tokens(*self._form.size(image.width, image.height, self._most_pixels))


def _memories(parts: Sequence[_Parts]) -> Section:
    # what an earlier search left unused was shared out again, so its budget must not count twice
    earlier = sum(part.memories for part in parts[:-1])
    return Section("memories", earlier + parts[-1].memories, earlier + parts[-1].budget)


def _asked(wish: Retrieve, thought: str) -> str:
    """Write the turn of the model in which it asked for a retrieval, as it would have."""
    start, end = (f"{moment:%Y-%m-%d %H:%M}" if moment else "null" for moment in (wish.start, wish.end))
    keywords = plain(wish.keywords).replace('"', "'").replace("\n", " ")
    return (
        f"<think>{thought}</think>\n<retrieve>\n"
        f'"keywords": "{keywords}"\n"start_time": "{start}"\n"end_time": "{end}"\n</retrieve>'
    )
