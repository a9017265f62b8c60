"""`PromptedModel`: the eight tasks as prompts to an engine, and the engine's text as values.

`fitting` writes the prompts and keeps them within the context. Each format has a grammar; where an engine has
none, a reply that breaks its format is shown to the model once more with the error, and after that a
`FormatError` is the end of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from persona_cli.errors import FormatError
from persona_cli.model import grammar, parsing
from persona_cli.model.echoes import Echo, refuse_echoes
from persona_cli.model.engines import Engine, Message, Timed
from persona_cli.model.fitting import NEW_TOKENS, FittedPrompt, PromptWriter
from persona_cli.model.grounding import PictureForm, parse_box
from persona_cli.model.loops import until_loop, without_circles
from persona_cli.model.prompts import Prompts
from persona_cli.model.replies import ReplyParser
from persona_cli.model.sections import Writer, keyed, quoted
from persona_cli.model.tasks import (
    CoreDraft,
    EpisodeDraft,
    Fact,
    ProceduralDraft,
    SemanticDraft,
    Situation,
    Stop,
    SummaryDraft,
)
from persona_cli.personality import Traits
from persona_cli.records import (
    Box,
    CoreMemory,
    EpisodicMemory,
    Image,
    Notice,
    PictureSource,
    Piece,
    ProceduralMemory,
    Think,
    Turn,
)
from persona_cli.timewords import stamp

T = TypeVar("T")

_SAMPLE = '"conscientiousness": 3 "decision": true "content": The user goes running every Monday at seven.'

PENALTY = 1.05
"""On what a reply has said already, as in training (GRPO); greedy decoding goes round in circles without."""
LIMITS = {
    grammar.TRAITS: 64,
    grammar.SEMANTIC: 256,
    grammar.TOPICS: 640,
    grammar.PROCEDURAL: 384,
    grammar.CORE: 384,
    grammar.SUMMARY: 256,
    grammar.CAPTION: 160,
    grammar.BOX: 96,
}
"""Tokens of what is learnt, by its format: no good reply is longer, and a model that rambles stops there."""


class PromptedModel:
    """A `Model` made of prompts; `picture` says what a stored picture is read from.

    `guided` puts a guide to tone and format before each response, for models that were not trained on the prompts.
    Pictures are shown to the model in its `form`, at `most_pixels` at most.
    """

    def __init__(
        self,
        engine: Engine,
        prompts: Prompts,
        picture: Callable[[Image], PictureSource],
        *,
        guided: bool = False,
        most_pixels: int = 230_400,
        form: PictureForm | None = None,
    ) -> None:
        guide = [Message("system", (prompts.fill("guide"),))] if guided else []
        self._engine = engine
        self._guided = guided
        self._prompts = prompts
        self._writing = PromptWriter(engine, prompts, picture, guide=guide, most_pixels=most_pixels, form=form)
        self._form, self._most_pixels = form or PictureForm(), most_pixels

    @property
    def name(self) -> str:
        """Return the name of the engine's weights."""
        return self._engine.name

    @property
    def sees(self) -> bool:
        """Tell whether the engine can be shown pictures."""
        return self._engine.sees

    @property
    def prompt_speed(self) -> float | None:
        """Return how many tokens of prompts the engine evaluates in a second, where it tells."""
        return self._engine.prompt_speed if isinstance(self._engine, Timed) else None

    @property
    def reply_speed(self) -> float | None:
        """Return how many tokens of replies the engine writes in a second, where it tells."""
        return self._engine.reply_speed if isinstance(self._engine, Timed) else None

    def about(self) -> tuple[Fact, ...]:
        """Return what the engine runs on, and how it is prompted."""
        prompts = (
            "with persona's guide to tone and format" if self._guided else "in the order and formats of PersonaVLM"
        )
        return (Fact("model", f"{self.name}, prompts {prompts}"), *self._engine.about())

    def reason(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield the thinking, then a retrieval or the answer."""
        written = self._writing.conversation(situation)
        yield from _told(written)
        yield from self._reply(written.messages, situation, stop, grammar.REASON, grammar.CHOOSE)

    def answer(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield the answer; in the same conversation when there was reasoning before."""
        if any(exchange.thought for exchange in situation.exchanges):
            written, free = self._writing.conversation(situation, last=True), False
        else:
            written, free = self._writing.one_call(situation), self._guided
        yield from _told(written)
        format_ = grammar.PROSE if free else grammar.ANSWER
        yield from self._reply(written.messages, situation, stop, format_, grammar.ANSWER)

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        """Return the five scores the model reads from one turn."""
        writer = self._writing.writer()
        message = self._task("infer_personality", writer, self._turn_fields(turn, recent, writer))
        return self._ask(message, grammar.TRAITS, parsing.parse_traits, stop, lane="personality")

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        """Return what the model decides to remember of one turn, with its pictures."""
        writer = self._writing.writer()
        message = self._task("extract_semantic", writer, self._turn_fields(turn, recent, writer))
        drafts = self._ask(message, grammar.SEMANTIC, parsing.parse_semantic, stop, lane="semantic")
        return [_with_pictures(draft, turn) for draft in drafts]

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        """Return the topics the model divides a session into."""
        writer = self._writing.writer()
        written = writer.turns(turns, self._writing.most, "turns", numbered=True)
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

    def merge_episodes(self, episodes: Sequence[EpisodicMemory], stop: Stop) -> SummaryDraft:
        """Return how the model sums old episodes of one topic up."""
        writer = self._writing.writer()
        message = self._task("merge_episodes", writer, {"episodes": writer.episodes(episodes, self._writing.most)})
        return self._ask(message, grammar.SUMMARY, parsing.parse_summary, stop)

    def locate(self, image: Image, what: str, stop: Stop) -> Box | None:
        """Return the part of a picture that shows `what`; None where it is not there, or no box was had."""
        if not self._form.counted:
            return None
        seen = self._form.counts_to(self._form.size(image.width, image.height, self._most_pixels))
        writer = self._writing.writer()
        fields = {"picture": writer.picture(image), "what": quoted(what), "counted": self._form.counted}
        message = self._task("locate_object", writer, fields)
        try:
            return self._ask(
                message, grammar.BOX, lambda text: parse_box(text, seen, (image.width, image.height)), stop
            )
        except FormatError:
            # a memory is not lost for a box: the whole picture serves
            return None

    def caption(self, image: Image, stop: Stop) -> str:
        """Return what the model sees in a picture."""
        writer = self._writing.writer()
        message = self._task("caption", writer, {"picture": writer.picture(image)})
        return self._ask(message, grammar.CAPTION, parsing.parse_caption, stop)

    def close(self) -> None:
        """Free the weights."""
        self._engine.close()

    def _turn_fields(self, turn: Turn, recent: Sequence[Turn], writer: Writer) -> dict[str, str]:
        pictures = "".join(f"Picture: {writer.picture(image)}\n" for image in turn.images)
        return {
            "recent": writer.turns(recent, self._writing.most // 2, "recent turns"),
            "turn": f"[{stamp(turn.at)}]\n{pictures}User: {quoted(turn.user)}",
        }

    def _reply(
        self, messages: Sequence[Message], situation: Situation, stop: Stop, first: str, second: str
    ) -> Iterator[Piece]:
        """Stream a reply; one that breaks the format is asked for once more, and not in the same words.

        A trained model is shown its error and thinks no more; another is asked for plain words, which always are one.
        """
        thinks = first is grammar.REASON
        parser = ReplyParser(situation.query.at.tzinfo, answer_only=not thinks, echoes=self._prompts.echoes)
        written: list[str] = []
        thought = False
        try:
            for piece in self._generate(messages, first, stop, "respond"):
                written.append(piece)
                for shown in parser.feed(piece):
                    thought = thought or isinstance(shown, Think)
                    yield shown
            yield from parser.finish()
        except FormatError as exc:
            if thinks and not thought:
                yield Think(parser.thought)
            if self._guided and first is not grammar.PROSE:
                again, format_ = self._writing.one_call(situation).messages, grammar.PROSE
            else:
                again, format_ = self._writing.repair(messages, "".join(written), exc.message), second
            yield from self._second(again, situation, stop, format_, answer_only=not thinks or format_ is grammar.PROSE)

    def _second(
        self, messages: Sequence[Message], situation: Situation, stop: Stop, format_: str, *, answer_only: bool
    ) -> Iterator[Piece]:
        zone, echoes = situation.query.at.tzinfo, self._prompts.echoes
        parser = ReplyParser(zone, answer_only=answer_only, thought=True, echoes=echoes)
        try:
            for piece in self._generate(messages, format_, stop, "respond"):
                yield from parser.feed(piece)
            yield from parser.finish()
        except FormatError as exc:
            raise _given_up(self.name, "reply", exc) from exc

    def _task(self, name: str, writer: Writer, fields: dict[str, str]) -> Message:
        return self._writing.message(self._prompts.fill(name, **fields), writer)

    def _session_task(self, name: str, known: str, turns: Sequence[Turn]) -> Message:
        writer = self._writing.writer()
        return self._task(name, writer, {"current": known, "turns": writer.turns(turns, self._writing.most, "turns")})

    def _ask(
        self, message: Message, format_: str, parse: Callable[[str], T], stop: Stop, *, lane: str = "session"
    ) -> T:
        """Return the parsed reply to the prompt of a task; one repair attempt, none for what repeats the prompt.

        The tasks after a turn have lanes of their own: their prompts begin as those of the turn before.
        """

        def read(text: str) -> T:
            reply = without_circles(parsing.without_thought(text))
            parsed = parse(reply)
            refuse_echoes(reply, self._prompts.echoes)
            return parsed

        written = self._text([message], format_, stop, lane)
        try:
            return read(written)
        except Echo:
            raise
        except FormatError as exc:
            again = self._text(self._writing.repair([message], written, exc.message), format_, stop, lane)
        try:
            return read(again)
        except FormatError as exc:
            raise _given_up(self.name, "update", exc) from exc

    def _text(self, messages: Sequence[Message], format_: str, stop: Stop, lane: str) -> str:
        return "".join(self._generate(messages, format_, stop, lane))

    def _generate(self, messages: Sequence[Message], format_: str, stop: Stop, lane: str) -> Iterator[str]:
        most = int(LIMITS[format_] * self._width) if format_ in LIMITS else NEW_TOKENS
        limit = self._writing.limit(messages, most)
        if lane == "respond":
            return until_loop(
                self._engine.generate(messages, grammar=format_, stop=stop, limit=limit, lane=lane, penalty=PENALTY)
            )
        # the words of a task repeat by right: five scores, the keys of lines
        return self._engine.generate(messages, grammar=format_, stop=stop, limit=limit, lane=lane)

    @cached_property
    def _width(self) -> float:
        """Return how many tokens this vocabulary has for one of an ordinary one, which has four letters."""
        return max(1.0, 4 * self._engine.count(_SAMPLE) / len(_SAMPLE))


def _told(written: FittedPrompt) -> Iterator[Piece]:
    """Yield what was cut from a prompt, and what it took of the context."""
    if written.cut:
        yield Notice(f"Did not fit the prompt: {'; '.join(written.cut)}.")
    yield written.spent


def _with_pictures(draft: SemanticDraft, turn: Turn) -> SemanticDraft:
    """Keep the pictures of a turn with what was said of them."""
    hashes = tuple(image.hash for image in turn.images)
    return SemanticDraft(draft.content, draft.keywords, draft.reason, images=hashes) if hashes else draft


def _given_up(name: str, what: str, error: FormatError) -> FormatError:
    return FormatError(
        f"{name} broke the format of its {what} twice: {error.message}",
        fix="Say it again, or use another model with `persona config set model.name`.",
    )
