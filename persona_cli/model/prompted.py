"""`PromptedModel`: the seven tasks as prompts to an engine, and the engine's text as values.

A response is one conversation: the prompt, then for each retrieval what the model wrote and a message with
what was found. Budgets depend on the first prompt alone, so every later call begins with the same tokens and
the engine's cache holds. Each format has a grammar; where an engine has none, a reply that breaks its format
is shown to the model once more with the error, and after that a `FormatError` is the end of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar

from persona_cli.errors import ContextError, FormatError, PictureError
from persona_cli.model import grammar, parsing
from persona_cli.model.engines import Engine, ImagePart, Message
from persona_cli.model.grounding import parse_box, training_size
from persona_cli.model.prompts import Prompts
from persona_cli.model.replies import ReplyParser
from persona_cli.model.sections import MARK, Writer, keyed, plain, quoted, traits
from persona_cli.model.tasks import (
    CoreDraft,
    EpisodeDraft,
    Exchange,
    Fact,
    ProceduralDraft,
    SemanticDraft,
    Situation,
    Stop,
)
from persona_cli.personality import Traits
from persona_cli.records import Box, CoreMemory, Image, Notice, Piece, ProceduralMemory, Retrieve, Think, Turn
from persona_cli.timewords import stamp

NEW_TOKENS = 1024
"""Tokens of one reply (PersonaVLM)."""

T = TypeVar("T")


class PromptedModel:
    """A `Model` made of prompts; `picture` returns where the file of a stored picture lies.

    `guided` puts a guide to tone and format before each response, for models that were not trained on the prompts.
    Pictures are shown to the model at `most_pixels` at most, which its boxes are counted in.
    """

    def __init__(
        self,
        engine: Engine,
        prompts: Prompts,
        picture: Callable[[Image], Path],
        *,
        guided: bool = False,
        most_pixels: int = 230_400,
    ) -> None:
        self._guide = [Message("system", (prompts.fill("guide"),))] if guided else []
        self._engine = engine
        self._prompts = prompts
        self._picture = picture
        self._most_pixels = most_pixels

    @property
    def name(self) -> str:
        """Return the name of the engine's weights."""
        return self._engine.name

    def about(self) -> tuple[Fact, ...]:
        """Return what the engine runs on, and how it is prompted."""
        prompts = "with persona's guide to tone and format" if self._guide else "as PersonaVLM was trained on"
        return (Fact("model", f"{self.name}, prompts {prompts}"), *self._engine.about())

    def reason(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield the thinking, then a retrieval or the answer."""
        messages, cut = self._conversation(situation, "Answer now, or retrieve again if something is still missing.")
        yield from map(Notice, cut)
        yield from self._reply(messages, situation.query.at.tzinfo, stop, grammar.REASON, grammar.CHOOSE)

    def answer(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield the answer; in the same conversation when there was reasoning before."""
        if any(exchange.thought for exchange in situation.exchanges):
            left = "There is no retrieval left: write <answer>your answer to the user</answer>."
            messages, cut = self._conversation(situation, left)
        else:
            messages, cut = self._one_call(situation)
        yield from map(Notice, cut)
        yield from self._reply(messages, situation.query.at.tzinfo, stop, grammar.ANSWER, grammar.ANSWER)

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        """Return the five scores the model reads from one turn."""
        writer = self._writer()
        message = self._task("infer_personality", writer, self._turn_fields(turn, recent, writer))
        return self._ask(message, grammar.TRAITS, parsing.parse_traits, stop, lane="personality")

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        """Return what the model decides to remember of one turn, with its pictures."""
        writer = self._writer()
        message = self._task("extract_semantic", writer, self._turn_fields(turn, recent, writer))
        drafts = self._ask(message, grammar.SEMANTIC, parsing.parse_semantic, stop, lane="semantic")
        return [_with_pictures(draft, turn) for draft in drafts]

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        """Return the topics the model divides a session into."""
        writer = self._writer()
        written = writer.turns(turns, self._most(), "turns", numbered=True)
        message = self._task("summarize_episodes", writer, {"turns": written})
        return self._ask(message, grammar.TOPICS, lambda text: parsing.parse_topics(text, len(turns)), stop)

    def update_procedural(
        self, turns: Sequence[Turn], current: Sequence[ProceduralMemory], stop: Stop, history: Sequence[Turn] = ()
    ) -> Sequence[ProceduralDraft]:
        """Return the habits and goals after a session; earlier turns are left to the list so far."""
        known = keyed((habit.key, habit.text) for habit in current)
        message = self._session_task("update_procedural", known, turns)
        return self._ask(message, grammar.PROCEDURAL, parsing.parse_procedural, stop)

    def update_core(self, turns: Sequence[Turn], current: CoreMemory, stop: Stop) -> Sequence[CoreDraft]:
        """Return the keys of the profile a session adds or changes."""
        known = keyed((entry.key, entry.value) for entry in current.entries)
        message = self._session_task("update_core", known, turns)
        return self._ask(message, grammar.CORE, parsing.parse_core, stop)

    def locate(self, image: Image, what: str, stop: Stop) -> Box | None:
        """Return the part of a picture that shows `what`; None where the model sees none, or nothing but it."""
        try:
            seen = training_size(image.width, image.height, self._most_pixels)
        except PictureError:
            return None
        writer = self._writer()
        message = self._task("locate_object", writer, {"picture": writer.picture(image), "what": quoted(what)})
        self._check([message])
        # a reply that is no box is an answer too: the whole picture serves
        return parse_box(self._text([message], grammar.BOX, stop, "session"), seen, (image.width, image.height))

    def close(self) -> None:
        """Free the weights."""
        self._engine.close()

    def _conversation(self, situation: Situation, left: str) -> tuple[list[Message], list[str]]:
        """Return the messages of a response so far, and what was newly cut from them."""
        writer = self._writer()
        budget = self._free("reason", situation, writer)
        text = self._prompts.fill("reason", **self._response_fields(situation, writer, budget))
        messages = [*self._guide, self._message(text, writer)]
        cut = writer.cut
        for place, exchange in enumerate(situation.exchanges):
            later = self._writer()
            recalled = later.recalled(exchange, _share(budget, place))
            says = left if place == len(situation.exchanges) - 1 else ""
            messages.append(Message("assistant", (_asked(exchange),)))
            follow_up = self._prompts.fill("recalled", recalled=recalled, left=says)
            messages.append(self._message(follow_up, later))
            cut = later.cut
        self._check(messages)
        return messages, cut

    def _one_call(self, situation: Situation) -> tuple[list[Message], list[str]]:
        """Return the single message of a response without reasoning, and what was cut from it."""
        writer = self._writer()
        budget = self._free("answer", situation, writer)
        fields = self._response_fields(situation, writer, budget)
        found = [writer.recalled(exchange, _share(budget, at)) for at, exchange in enumerate(situation.exchanges)]
        text = self._prompts.fill("answer", **fields, recalled="\n\n".join(found) or "Nothing was searched for.")
        messages = [*self._guide, self._message(text, writer)]
        self._check(messages)
        return messages, writer.cut

    def _response_fields(self, situation: Situation, writer: Writer, budget: int) -> dict[str, str]:
        return {
            "profile": writer.profile(situation.core, budget * 15 // 100),
            "traits": traits(situation.traits),
            "recent": writer.turns(situation.recent, budget * 35 // 100, "recent turns"),
            "now": stamp(situation.query.at),
            "query": writer.query(situation),
        }

    def _free(self, template: str, situation: Situation, writer: Writer) -> int:
        """Return the tokens left for profile, recent turns and recalls beside instructions and query."""
        fields = {"profile": "", "recent": "", "recalled": "", "traits": traits(situation.traits), "now": ""}
        if template == "reason":
            del fields["recalled"]
        empty = self._prompts.fill(template, **fields, query=Writer(writer.count, 0).query(situation))
        pictures = len(situation.query.images) * writer.image_tokens
        guide = self._engine.count(self._guide) if self._guide else 0
        free = self._engine.context - self._reserve() - guide - self._engine.count(plain(empty)) - pictures
        if free < 0:
            raise ContextError(
                f"The message is about {-free:,} tokens too long for {self.name}, which has {self._engine.context:,}.",
                fix="Shorten the message, or show fewer pictures.",
            )
        return free

    def _turn_fields(self, turn: Turn, recent: Sequence[Turn], writer: Writer) -> dict[str, str]:
        pictures = "".join(f"Picture: {writer.picture(image)}\n" for image in turn.images)
        return {
            "recent": writer.turns(recent, self._most() // 2, "recent turns"),
            "turn": f"[{stamp(turn.at)}]\n{pictures}User: {quoted(turn.user)}",
        }

    def _reply(
        self, messages: Sequence[Message], zone: tzinfo | None, stop: Stop, first: str, second: str
    ) -> Iterator[Piece]:
        """Stream a reply; one that breaks the format is asked for once more, without thinking."""
        thinks = first is grammar.REASON
        parser = ReplyParser(zone, answer_only=not thinks)
        written: list[str] = []
        thought = False
        try:
            for piece in self._engine.generate(messages, grammar=first, stop=stop, limit=NEW_TOKENS, lane="respond"):
                written.append(piece)
                for shown in parser.feed(piece):
                    thought = thought or isinstance(shown, Think)
                    yield shown
            yield from parser.finish()
        except FormatError as exc:
            if thinks and not thought:
                yield Think(parser.thought)
            again = self._repair(messages, "".join(written), exc)
            yield from self._second(again, zone, stop, second, answer_only=not thinks)

    def _second(
        self, messages: Sequence[Message], zone: tzinfo | None, stop: Stop, format_: str, *, answer_only: bool
    ) -> Iterator[Piece]:
        parser = ReplyParser(zone, answer_only=answer_only, thought=True)
        try:
            for piece in self._engine.generate(messages, grammar=format_, stop=stop, limit=NEW_TOKENS, lane="respond"):
                yield from parser.feed(piece)
            yield from parser.finish()
        except FormatError as exc:
            raise _given_up(self.name, "reply", exc) from exc

    def _task(self, name: str, writer: Writer, fields: dict[str, str]) -> Message:
        return self._message(self._prompts.fill(name, **fields), writer)

    def _session_task(self, name: str, known: str, turns: Sequence[Turn]) -> Message:
        writer = self._writer()
        return self._task(name, writer, {"current": known, "turns": writer.turns(turns, self._most(), "turns")})

    def _ask(
        self, message: Message, format_: str, parse: Callable[[str], T], stop: Stop, *, lane: str = "session"
    ) -> T:
        """Return the parsed reply to the prompt of a task; one repair attempt.

        The tasks after a turn have lanes of their own: their prompts begin as those of the turn before.
        """
        self._check([message])
        written = self._text([message], format_, stop, lane)
        try:
            return parse(written)
        except FormatError as exc:
            again = self._text(self._repair([message], written, exc), format_, stop, lane)
        try:
            return parse(again)
        except FormatError as exc:
            raise _given_up(self.name, "update", exc) from exc

    def _text(self, messages: Sequence[Message], format_: str, stop: Stop, lane: str) -> str:
        return "".join(self._engine.generate(messages, grammar=format_, stop=stop, limit=NEW_TOKENS, lane=lane))

    def _repair(self, messages: Sequence[Message], written: str, error: FormatError) -> list[Message]:
        asked = self._prompts.fill("repair", error=error.message)
        return [*messages, Message("assistant", (written,)), Message("user", (asked,))]

    def _message(self, text: str, writer: Writer) -> Message:
        """Return a user message with each picture where it was written."""
        parts: list[str | ImagePart] = []
        for place, chunk in enumerate(text.split(MARK)):
            if place % 2:
                parts.append(ImagePart(self._picture(writer.pictures[chunk]), chunk))
            elif chunk:
                parts.append(chunk)
        return Message("user", tuple(parts))

    def _writer(self) -> Writer:
        return Writer(self._engine.count, _IMAGE_TOKENS)

    def _most(self) -> int:
        """Return the tokens the turns of an update prompt may have."""
        return (self._engine.context - self._reserve()) // 2

    def _reserve(self) -> int:
        """Return the tokens kept free for the reply, in a small context less than there are in a large one."""
        return min(NEW_TOKENS, self._engine.context // 4)

    def _check(self, messages: Sequence[Message]) -> None:
        needed = self._engine.count(messages)
        if needed + self._reserve() > self._engine.context:
            raise ContextError(
                f"The prompt has {needed:,} tokens; {self.name} has room for {self._engine.context:,} with its reply.",
                fix="Use a model with a larger context, or shorten what is shown to it.",
            )


_IMAGE_TOKENS = 300
"""Tokens of a picture at the training's 230,400 pixels: 294 and its two marks (PersonaVLM)."""


def _share(budget: int, place: int) -> int:
    """Return what the retrieval at `place` may take of a response's budget: half of it is for recalls.

    The first gets two fifths of that half, as most responses search once; the others share the rest.
    """
    return budget * (20 if place == 0 else 7) // 100


def _asked(exchange: Exchange) -> str:
    """Write the turn of the model in which it asked for a retrieval, as it would have."""
    wish: Retrieve = exchange.retrieve
    times = (f"{moment:%Y-%m-%d %H:%M}" if moment else "null" for moment in (wish.start, wish.end))
    start, end = times
    keywords = plain(wish.keywords).replace('"', "'").replace("\n", " ")
    return (
        f"<think>{plain(exchange.thought)}</think>\n<retrieve>\n"
        f'"keywords": "{keywords}"\n"start_time": "{start}"\n"end_time": "{end}"\n</retrieve>'
    )


def _with_pictures(draft: SemanticDraft, turn: Turn) -> SemanticDraft:
    """Keep the pictures of a turn with what was said of them."""
    hashes = tuple(image.hash for image in turn.images)
    return SemanticDraft(draft.content, draft.keywords, draft.reason, images=hashes) if hashes else draft


def _given_up(name: str, what: str, error: FormatError) -> FormatError:
    return FormatError(
        f"{name} broke the format of its {what} twice: {error.message}",
        fix="Say it again, or use another model with `persona config set model.name`.",
    )
