"""The response of the built-in model: one look at the message, a wish or a search where it needs one, then the reply.

A message may do several things: what it wants done with memory comes first, then its questions, then what it tells.
Sympathy is never behind a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from persona_cli.english.forms import capital
from persona_cli.english.tokens import stems
from persona_cli.model.lite import answer, searches, shown, telling
from persona_cli.model.lite.answer import Match
from persona_cli.model.lite.feeling import excerpt, gravest, occasion_of
from persona_cli.model.lite.knowledge import Known, Source, gather
from persona_cli.model.lite.language import ENGLISH, language_of
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.matching import Asked, understand
from persona_cli.model.lite.phrases import phrases_of
from persona_cli.model.lite.read import ASKED, draft_memories, is_worth_keeping, said_plainly, states
from persona_cli.model.lite.session import Embed
from persona_cli.model.lite.sums import reckon
from persona_cli.model.lite.talk import Talk, asks_to_sum_up, told_last_time
from persona_cli.model.lite.tone import Tone
from persona_cli.model.tasks import Situation
from persona_cli.personality import Traits
from persona_cli.reading.filling import filled_slot
from persona_cli.reading.inquiry import Question, question_of
from persona_cli.reading.labels import Guess
from persona_cli.reading.statement import Statement, Subject
from persona_cli.records import Retrieve, Turn, Want, Window, Wish
from persona_cli.timewords import event_of, query_window

ABOUT_SELF = (
    "I'm persona, running on the built-in model: no language model, but a memory. Tell me about your life, your people "
    "and your plans, show me pictures with a name, and ask me later. `persona model list` has models that talk freely."
)
FOREIGN = (
    "That looks like {language}. The built-in model reads English only: I keep your words as they are, and find them "
    "again by the words in them. `persona model list` shows models that read more."
)
FOREIGN_PRIVATE = (
    "That looks like {language}. The built-in model reads English only: `persona model list` has those that read more."
)
BEARS_ON_IT = "What you told me that bears on it:"
LARGER = "persona model list"
"""What shows that larger models were spoken of: once is enough."""
NO_RING = "I can't ring or send you anything; ask me what is planned, and I'll have it."
NO_WORDS = "I have no words to go by. Tell me about it?"
_OPEN_KINDS = ("world", "you", "now", "rhetorical")
_MEANT = ("tell", "chat", "keep", "correct", "remind", "request")
"""What a sentence does that shows how the message is meant; what is asked or supposed shows nothing."""
_CALM = ("", "quiet", "unclear", "opinion", "fine", "thanks")
"""Occasions that call for no more than to be heard."""
_BEYOND = 0.8
"""Score from which something known answers what does not look like a question about a life."""
_TOLD = 0.8
"""Probability of being only told from which a question that nothing answers is part of the message around it."""
_RATHER_ASKS = 0.5
"""Probability of being a question from which what looks told is answered as soon as something may well answer it."""
_QUESTIONS = 3
_LOOKED_INTO = 4
"""Sentences of a message that are looked at for what is grave, each by itself: a pass of the encoder each."""
_MINE = re.compile(r"\b(?:my|mine|our)\b", re.I)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next: search, have a wish fulfilled, or give the answer; and why."""

    thought: str
    next: Retrieve | Wish | None = None
    answer: str = ""
    untoned: str = ""
    """The answer a person with neutral traits would get, where it is another."""


def decide(situation: Situation, listener: Listener, embed: Embed, *, may_search: bool = True) -> Decision:
    """Return the next step for the query of `situation`."""
    reply = _Reply(situation, listener, embed)
    if may_search and (step := reply.next_step()) is not None:
        return step
    lately = tuple(turn.answer for turn in (*situation.before, *situation.recent)[-2:])
    at = situation.query.at
    day = f"{at:%A}, {at.day} {at:%B}"
    toned, untoned = (reply.answer(Tone(traits, lately, day)) for traits in (situation.traits, Traits()))
    return Decision(reply.verdict(), answer=toned, untoned="" if untoned == toned else untoned)


def _is_rhetorical(question: Question) -> bool:
    """Tell whether a question wants no answer: only what is not of the person's own life is taken for such."""
    return question.kind.label == "rhetorical" and _MINE.search(question.text) is None


def _corrects(statement: Statement) -> bool:
    """Tell whether a sentence says in its words that it corrects something: else it is only noted."""
    return statement.act.label == "correct" and phrases_of("correcting").search(statement.text) is not None


class _Reply:
    """One query, read once."""

    def __init__(self, situation: Situation, listener: Listener, embed: Embed) -> None:
        self._situation = situation
        self._listener = listener
        self._embed = embed
        self._text = situation.query.text
        self._at = situation.query.at
        self._language = language_of(self._text) if self._text.strip() else ENGLISH
        self._statements = listener.read(self._text, situation.recent)
        self._talk = Talk(situation, self._statements, listener)
        pictured = bool(situation.query.images)
        self._of_picture = pictured and any(shown.asks_about_picture(one.text) for one in self._statements)
        self._tells = [one for one in self._statements if states(one) and one.act.label != "chat"]
        self._matched: dict[str, list[Match]] = {}

    @cached_property
    def _questions(self) -> list[Asked]:
        found = []
        before = ""
        for statement in map(self._as_oneself, self._statements):
            question = question_of(replace(statement, asked=statement.asked or statement.perhaps))
            if question is not None and not stems(question.text):
                question = replace(question, text=f"{before} {question.text}".strip())  # "What was it?"
            before = statement.text
            rhetorical = len(self._statements) > 1 and question is not None and _is_rhetorical(question)
            if question is None or not statement.own or rhetorical:
                continue
            if asks_to_sum_up(statement) or (self._of_picture and shown.asks_about_picture(statement.text)):
                continue
            time = query_window(statement.text, self._at)
            window = time.window if time else self._dated
            found.append(understand(question, statement, window, self._aliases))
        return found[:_QUESTIONS]

    @cached_property
    def _asked(self) -> list[Asked]:
        """Return the questions: what only may be one is a question where something known answers it."""
        return [one for one in self._questions if one.statement.perhaps is None or self._is_met(one)]

    def _is_met(self, asked: Asked) -> bool:
        """Tell whether something known answers what may be a question, surely unless it rather is one."""
        best, perhaps = next(iter(self._matches(asked)), None), asked.statement.perhaps
        rather = perhaps is not None and perhaps.probability >= _RATHER_ASKS
        return best is not None and best.score >= (answer.LIKELY if rather else answer.ENOUGH)

    @property
    def _dated(self) -> Window | None:
        """Return the time of a question that only memory can date ("before the wedding"), once it is dated."""
        first = next(iter(self._situation.exchanges), None)
        return first.recall.window if first is not None and first.retrieve.end is None else None

    def _as_oneself(self, statement: Statement) -> Statement:
        """Return a question that calls the person by their own name as they would ask it themselves."""
        name = (self._situation.core.get("name") or "").split(" ")[0]
        if not name or re.search(rf"\b{re.escape(name)}\b", statement.text) is None:
            return statement
        text = re.sub(rf"\b{re.escape(name)}['’]s\b", "my", statement.text)
        spans = tuple(span for span in statement.spans if name not in span.text)
        subject = Subject(Guess("me", 1.0)) if name in statement.subject.name else statement.subject
        return replace(statement, text=re.sub(rf"\b{re.escape(name)}\b", "I", text), spans=spans, subject=subject)

    @cached_property
    def _known(self) -> tuple[Known, ...]:
        return gather(self._situation, self._listener)

    @cached_property
    def _aliases(self) -> dict[str, set[str]]:
        texts = [known.text for known in self._known if known.told_by and known.source is not Source.PROFILE]
        turns = self._listener.read_all(texts[:12]).values() if self._situation.exchanges else ()
        return answer.aliases_of(turns, self._known)

    def next_step(self) -> Decision | None:
        """Return the next wish to be fulfilled or search to be made, or None."""
        done = [exchange.retrieve for exchange in self._situation.exchanges]
        wish = self._talk.next_wish()
        if wish is not None and wish not in done:
            thought = "Looking for what is to be forgotten." if isinstance(wish, Retrieve) else f"Memory: {wish.want}."
            return Decision(thought, wish)
        if self._language != ENGLISH:
            retrieve = Retrieve(self._text[:300])
            return Decision("Looking for these words.", retrieve) if "?" in self._text and not done else None
        for asked in self._questions:
            if (
                asked.kind == "now"
                or reckon(asked.question.text)
                or phrases_of("last_time").search(asked.question.text)
            ):
                continue
            if done and answer.is_answered(self._matches(asked)):
                continue
            for thought, retrieve in searches.for_question(asked, self._at):
                if retrieve not in done and not (done and asked.statement.perhaps):
                    return Decision(thought, retrieve)
        return None if self._questions else self._search_for_request(done)

    def _search_for_request(self, done: Sequence[Retrieve]) -> Decision | None:
        words = " ".join(one.text for one in self._statements if one.act.label == "request")
        wanted = searches.for_request(words, self._at) if words else ()
        retrieve = next((retrieve for retrieve in wanted if retrieve not in done), None)
        return None if retrieve is None else Decision(f"Looking for what bears on “{words}”.", retrieve)

    def verdict(self) -> str:
        """Say in one line what the answer rests on."""
        if self._asked:
            found = sum(answer.is_answered(self._matches(asked)) for asked in self._asked)
            if found and (perhaps := self._asked[0].statement.perhaps) and perhaps.probability >= _RATHER_ASKS:
                return ASKED
            return (
                f"{found} of {len(self._asked)} questions are answered by what I was told."
                if found
                else ("Nothing I was told answers this.")
            )
        return "The user tells me something." if self._tells else "No search needed."

    def answer(self, tone: Tone) -> str:
        """Return the whole answer."""
        if self._language != ENGLISH:
            return self._foreign()
        parts = [self._talk.answer(self._at)]
        parts.append(self._picture() if self._situation.query.images else "")
        told = self._acknowledged(tone)
        if self._occasion in (*_CALM, "pleased") and (name := self._introduced):
            told = tone.plain("met", self._text, name)
        feeling = told if self._feeling else ""
        kept_out = any(fulfilled.wish.want is Want.KEEP_OUT for fulfilled in self._situation.fulfilled)
        asked = [one for one in self._asked if not kept_out and not self._only_said(one)]
        told = "" if asked and asked[0].statement.perhaps else told
        parts += [feeling, *(self._reply_to(one, tone) for one in asked)]
        parts += ["" if feeling or (parts[0] and not self._keeps) else told, self._requested(tone)]
        said = [part for part in dict.fromkeys(parts) if part]
        return "\n\n".join(said) or self._small_talk(tone)

    @property
    def _introduced(self) -> str:
        """Return the name by which somebody whose name is not known presents themselves in this message."""
        if self._situation.core.get("nickname") or self._situation.core.get("name"):
            return ""
        filled = [slot for one in self._tells if (slot := filled_slot(one)) is not None]
        return next((span.text for slot, span in filled if slot in ("user/name", "user/nickname")), "")

    def _only_said(self, asked: Asked) -> bool:
        """Tell whether a question is part of what is told: "i think we are together now??" wants no search's answer."""
        told = bool(self._tells) and asked.statement.told >= _TOLD and self._known_without_memory(asked) is None
        return told and not answer.is_met(asked, self._matches(asked))

    def _matches(self, asked: Asked) -> list[Match]:
        key = asked.question.text
        if key not in self._matched:
            self._matched[key] = answer.rank(asked, self._known, self._listener, self._embed)
        return self._matched[key]

    def _reply_to(self, asked: Asked, tone: Tone) -> str:
        text = asked.question.text
        if (known := self._known_without_memory(asked)) is not None:
            return known
        matches = self._matches(asked)
        least = 0.0 if asked.kind not in _OPEN_KINDS else _BEYOND
        if answer.is_answered(matches) and matches[0].score >= least:
            return tone.said(answer.compose(asked, matches, self._at), "known", text)
        if asked.kind in ("you", "world"):
            return ABOUT_SELF if asked.kind == "you" else tone.plain("world", text)
        if near := answer.nearest(asked, matches):
            occasion = "offered" if answer.is_likely(asked, matches) else "closest"
            return tone.plain(occasion, text, answer.offered(near, self._at))
        offer = tone.plain("offer", text) if self._situation.kept else ""
        return f"{tone.reply('unknown', text)} {offer}".rstrip()

    def _known_without_memory(self, asked: Asked) -> str | None:
        """Return the answer that needs no memory: a sum, the date, what was said last time; None for any other."""
        text = asked.question.text
        if sum_ := reckon(text):
            return sum_
        if asked.kind == "now":
            return f"It is {self._at:%A}, {self._at.day} {self._at:%B %Y}, {self._at:%H:%M}."
        if phrases_of("last_time").search(text):
            told = told_last_time(self._situation.before, self._listener, self._at)
            return told or "This is the first time we talk, as far as I know."
        return None

    @property
    def _keeps(self) -> list[Statement]:
        # in private nothing is kept, and nothing may be said to be
        return [one for one in self._tells if is_worth_keeping(one)] if self._situation.kept else []

    @cached_property
    def _occasion(self) -> str:
        """Return what the message calls for, by what it says beside its questions; "" for a plain fact."""
        meant = [
            statement
            for statement in self._statements
            if (statement.own and statement.act.label in _MEANT)
            or (statement.asked is not None and statement.asked.label == "rhetorical")
        ]
        if not meant:
            return ""
        said = " ".join(statement.text for statement in meant)
        weighty = any(kind.label == "health" for statement in meant for kind in statement.kinds)
        each = [self._listener.stance(statement.text) for statement in meant[:_LOOKED_INTO]] if len(meant) > 1 else []
        stance = gravest(self._listener.stance(said), each)
        return occasion_of(stance, len(said.split()), weighty=weighty)

    @property
    def _feeling(self) -> bool:
        """Tell whether the message calls for more than that it was heard."""
        return self._occasion not in _CALM

    def _acknowledged(self, tone: Tone) -> str:
        """Answer what was told: with feeling where it calls for it, else by taking up some of its words."""
        if not self._tells and not self._feeling:
            return ""
        kept = self._keeps
        wished = next((one for one in kept if one.act.label in ("keep", "remind") or _corrects(one)), None)
        asked_for = self._wished(wished, tone) if wished is not None else ""
        if self._feeling:
            felt = tone.reply(self._occasion, self._text)
            return f"{felt}\n\n{asked_for}" if asked_for else felt
        if asked_for or (self._situation.query.images and not kept):
            return asked_for
        occasion = self._occasion or ("noted" if kept else "heard")
        if not kept and occasion in ("quiet", "unclear"):
            occasion = "unkept"
        # of several sentences one thrown back says that the others were not heard
        alone = excerpt(kept or self._tells) if len(self._statements) == 1 else ""
        return tone.reply(occasion, self._text, alone)

    def _wished(self, statement: Statement, tone: Tone) -> str:
        """Answer a wish to remember, to be reminded or to correct, by what is kept."""
        turn = Turn(0, 0, self._at, self._text, "", "")
        drafts = draft_memories(self._listener, turn, self._situation.recent)
        content = next((one.content for one in drafts if one.quote == statement.text), said_plainly(statement))
        back = telling.second_person(content)
        told = capital(back) if back else f"“{content}”"
        occasion = "corrected" if statement.act.label == "correct" else "kept"
        said = tone.plain(occasion, self._text, told.rstrip(".!") + ".")
        if statement.act.label != "remind":
            return said
        event = event_of(statement.text, self._at)
        when = f" ({telling.when(event, self._at)})" if event and event.start else ""
        return f"{said.rstrip('.')}{when}. {NO_RING}"

    def _requested(self, tone: Tone) -> str:
        asked = [one for one in self._statements if one.act.label == "request" and one.own]
        if not asked or self._questions or self._situation.fulfilled:
            return ""
        text = " ".join(one.text for one in asked)
        if sum_ := reckon(text):
            return sum_
        helpful = answer.helpful(answer.bearing_on(asked[0], self._known, self._listener, self._embed))
        lines = f"{BEARS_ON_IT}\n{answer.listed(helpful, self._at)}" if helpful else ""
        lately = (*self._situation.before, *self._situation.recent)[-2:]
        # sympathy is not followed by what cannot be done, and that is said once
        quietly = self._feeling or (lines and any(LARGER in turn.answer for turn in lately))
        return "\n\n".join(part for part in (lines, "" if quietly else tone.plain("request", text)) if part)

    def _foreign(self) -> str:
        told_before = any(
            "reads English only" in turn.answer for turn in (*self._situation.recent, *self._situation.before)
        )
        kept = self._situation.kept
        again = "Kept as you wrote it." if kept else "I see."
        said = again if told_before else (FOREIGN if kept else FOREIGN_PRIVATE).replace("{language}", self._language)
        found = [
            known
            for hit in (hit for exchange in self._situation.exchanges for hit in exchange.recall.messages)
            if (known := Known(hit.memory.user, hit.memory.at, Source.MESSAGE)) and "?" not in known.text
        ][:2]
        lines = [telling.quote(known, self._at) for known in found]
        return "\n".join([said, *lines])

    def _picture(self) -> str:
        """Say what is known of the pictures of the query."""
        seen = self._situation.seen_images
        if known := [one for one in seen if not one.alike]:
            return "\n".join(shown.recognise(one, self._at) for one in known)
        if not self._of_picture and (self._tells or self._questions):
            return ""
        if seen:
            return "\n".join(shown.resembles(one, self._at) for one in seen)
        return shown.unknown(asked=self._of_picture, kept=self._situation.kept)

    def _small_talk(self, tone: Tone) -> str:
        text = self._text
        if not text.strip():
            return NO_WORDS
        name = self._situation.core.get("nickname") or self._situation.core.get("name")
        if phrases_of("greeting").match(text):
            hour = self._at.hour
            part = "Good evening" if hour < 5 or hour >= 18 else "Good morning" if hour < 12 else "Good afternoon"
            return tone.said(tone.plain("greeting", text, f"{part}{f', {name}' if name else ''}"), "greeting", text)
        for occasion in ("thanks", "goodnight", "goodbye", "how_are_you"):
            if phrases_of(occasion).search(text):
                return tone.reply(occasion, text)
        rhetorical = any(one.asked is not None for one in self._statements)
        occasion = "" if self._occasion == "unclear" else "unkept" if self._occasion == "quiet" else self._occasion
        return tone.reply(occasion or ("rhetorical" if rhetorical else "heard"), text)
