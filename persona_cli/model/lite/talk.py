"""Wishes about memory said in talk: what is wanted, and what is said once it has been done.

Nothing is deleted on a guess: the reader must hear the wish and the words must name it, and where more than one thing
could be meant the person is shown what there is, and asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from persona_cli.english.forms import capital
from persona_cli.english.tokens import stems
from persona_cli.model.lite import telling
from persona_cli.model.lite.knowledge import Known, Source, gather, of_entry, of_memory
from persona_cli.model.lite.listener import Listener, points_back
from persona_cli.model.lite.phrases import phrases_of, table_of, without_opening
from persona_cli.model.tasks import Situation
from persona_cli.reading.statement import Statement
from persona_cli.records import Fulfilled, Kind, Ref, Retrieve, Turn, Want, Wish

_HEARD = 0.5
_SURE = 0.85
_SHOWN = 8
_ASKS = "Shall I forget these?"
"""How an answer begins that asks before it deletes; the yes to it finds the names of the memories there."""
_REFS = re.compile(r"\b[smecpi]\d+\b")
_LISTED = re.compile(r"^- ([smecpi]\d+): ", re.MULTILINE)
_WEIGHTY = ("health", "family", "name", "work", "home", "pets", "plan", "people", "study", "taste", "routine")


@dataclass(frozen=True, slots=True)
class Talk:
    """What one message wants done with memory."""

    situation: Situation
    statements: tuple[Statement, ...]
    listener: Listener

    def next_wish(self) -> Wish | Retrieve | None:
        """Return the next wish that is not fulfilled yet, or the search that finds what it is about."""
        done = {fulfilled.wish.want for fulfilled in self.situation.fulfilled}
        if Want.KEEP_OUT not in done and Want.FORGET not in done:
            if refs := self._confirmed():
                return Wish(Want.FORGET, refs)
            if self._wants_kept_out():
                back = self._turn_before() if self._points_back("nokeep") else None
                return Wish(Want.FORGET, (back,)) if back else Wish(Want.KEEP_OUT)
            if (forgets := self._forgets()) is not None:
                return self._forgetting(forgets)
        return self._looking_up(done)

    def answer(self, at: datetime) -> str:
        """Return what is said of the wishes that were fulfilled; "" where none was spoken."""
        said = [self._told(fulfilled, at) for fulfilled in self.situation.fulfilled]
        if (asks := self._asking_first()) and not self.situation.fulfilled:
            said.append(asks)
        return "\n".join(text for text in said if text)

    def _told(self, fulfilled: Fulfilled, at: datetime) -> str:
        match fulfilled.wish.want:
            case Want.KEEP_OUT:
                return "All right. Nothing of this message is stored, not even its words."
            case Want.FORGET if fulfilled.receipt:
                return f"Forgotten, for good. {' '.join(fulfilled.receipt)} This message isn't kept either."
            case Want.FORGET if not self.situation.kept:
                return "This conversation is private: nothing in memory is changed by it."
            case Want.FORGET:
                return "There is nothing left of that to forget."
            case Want.ABOUT:
                return about_somebody(fulfilled, at, kept=self.situation.kept)
            case Want.MYSELF:
                return about_you(self.situation, fulfilled, at)

    def _confirmed(self) -> tuple[Ref, ...]:
        """Return what the answer before asked about, once the person says yes to it, or names it."""
        text = self.situation.query.text.strip().rstrip(".!")
        named = tuple(Ref.parse(ref) for ref in _REFS.findall(text))
        if named and phrases_of("forgetting").search(text):
            return named
        before = self.situation.recent[-1].answer if self.situation.recent else ""
        if before.startswith(_ASKS) and phrases_of("all_of_them").fullmatch(text.replace(",", "")):
            return tuple(Ref.parse(ref) for ref in _LISTED.findall(before))
        return ()

    def _wants_kept_out(self) -> bool:
        text = self.situation.query.text
        heard = max((one.act.probability for one in self.statements if one.act.label == "nokeep"), default=0.0)
        return bool(phrases_of("keeping_out").search(text)) or heard >= _SURE

    def _points_back(self, act: str) -> bool:
        """Tell whether the message is nothing but a wish about what was said before it."""
        others = [one for one in self.statements if one.act.label not in (act, "chat")]
        return (
            not others
            and len(self.situation.query.text.split()) <= 12
            and bool(phrases_of("back").search(self.situation.query.text))
        )

    def _turn_before(self) -> Ref | None:
        turns = self.situation.recent or self.situation.before
        return Ref(Kind.MESSAGE, turns[-1].id) if turns else None

    def _forgets(self) -> Statement | None:
        return next(
            (
                one
                for one in self.statements
                if one.act.label == "forget"
                and one.act.probability >= _HEARD
                and phrases_of("forgetting").search(one.text)
            ),
            None,
        )

    def _topic(self, statement: Statement) -> str:
        """Return what is to be forgotten, in the words of the wish; "" where it only points back."""
        text = without_opening(statement.text, "fillers", "asking").strip(" .!,?").removesuffix(" please")
        if points_back(text.casefold()):
            return ""
        wish = phrases_of("forgetting").match(text)
        topic = without_opening(text[wish.end() :].strip(" .!,?"), "asking") if wish else text
        return "" if phrases_of("back").fullmatch(topic.strip(" .!,?")) else topic

    def _forgetting(self, statement: Statement) -> Wish | Retrieve | None:
        topic = self._topic(statement)
        if not stems(topic):
            back = self._turn_before()
            return Wish(Want.FORGET, (back,)) if back else None
        if not self.situation.exchanges:
            return Retrieve(topic)
        meant = self._meant(topic)
        return (
            Wish(Want.FORGET, _sources(meant)) if len({known.turn or -known.memory for known in meant}) == 1 else None
        )

    def _meant(self, topic: str) -> list[Known]:
        """Return what was told of a topic: what has all its words, else what has most of them."""
        wanted = stems(topic)
        scored = [
            (len(wanted & stems(f"{known.text} {known.subject}")) / len(wanted), known)
            for known in gather(self.situation, self.listener)
            if known.source is not Source.PROFILE
        ]
        best = max((share for share, _ in scored), default=0.0)
        return [known for share, known in scored if share >= max(0.5, best - 0.01)]

    def _asking_first(self) -> str:
        statement = self._forgets()
        if statement is None or not self.situation.exchanges:
            return ""
        meant = self._meant(self._topic(statement))
        lines = [f"- {_name(known)}: “{known.text}”" for known in {_name(known): known for known in meant}.values()][
            :_SHOWN
        ]
        if not lines:
            return "I find nothing about that, so there is nothing to forget."
        return "\n".join([_ASKS, *lines, "Say “yes, all of them”, or which: “forget s3”."])

    def _looking_up(self, done: set[Want]) -> Wish | None:
        for statement in self.statements:
            if not asks_to_sum_up(statement):
                continue
            name = statement.subject.name if statement.subject.who.label == "other" else ""
            if name and Want.ABOUT not in done:
                return Wish(Want.ABOUT, name=name)
            if not name and Want.MYSELF not in done and statement.subject.who.label in ("me", "we", "you"):
                return Wish(Want.MYSELF)
        return None


def asks_to_sum_up(statement: Statement) -> bool:
    """Tell whether a sentence wants to hear all that is known of somebody."""
    if phrases_of("summing").search(statement.text):
        return True
    summary = statement.asked is not None and statement.asked.label == "summary"
    return summary and statement.subject.who.label == "other" and bool(statement.subject.name)


def about_somebody(fulfilled: Fulfilled, at: datetime, *, kept: bool) -> str:
    """Return what is known of somebody, what holds before what held once; a promise only where words are `kept`."""
    name = fulfilled.wish.name
    if not fulfilled.memories:
        return f"I don't know anything about {name} yet.{' Tell me, and I will remember it.' if kept else ''}"
    who, *roles = fulfilled.names or (name,)
    heading = f"{capital(who)}{f', your {roles[0]}' if roles and roles[0].casefold() != who.casefold() else ''}:"
    known = [of_memory(memory) for memory in fulfilled.memories]
    holding = [one for one in known if one.holds] or known
    return f"{heading}\n{telling.several(holding[-_SHOWN:], at)}{_more(len(holding), f'memory about {name}')}"


def about_you(situation: Situation, fulfilled: Fulfilled, at: datetime) -> str:
    """Return what is known of the person: the profile, then what weighs most."""
    entries = [of_entry(entry) for entry in situation.core.entries if entry.valid_to is None]
    kinds = {word: place for place, word in enumerate(_WEIGHTY)}
    mine = sorted(
        (memory for memory in fulfilled.memories),
        key=lambda memory: (min((kinds.get(word, 99) for word in memory.keywords), default=99), -memory.id),
    )
    chosen = [of_memory(memory) for memory in mine[:_SHOWN]]
    if not entries and not chosen:
        offer = " Tell me about your life, your people and your plans, and I'll remember." if situation.kept else ""
        return f"Nothing yet.{offer}"
    lines = [f"- {telling.line(known, at)}" for known in entries[:_SHOWN]]
    lines += [f"- {telling.line(known, at)}" for known in chosen]
    return "This is what I know about you:\n" + "\n".join(dict.fromkeys(lines)) + _more(len(mine), "memory list")


def told_last_time(turns: Sequence[Turn], listener: Listener, at: datetime) -> str:
    """Return what the session before told; "" where there was none."""
    from persona_cli.model.lite.knowledge import of_statement
    from persona_cli.model.lite.read import is_worth_keeping

    read = listener.read_all([turn.user for turn in turns])
    told = [
        of_statement(statement, turn, Source.MESSAGE)
        for turn in turns
        for statement in read[turn.user]
        if is_worth_keeping(statement)
    ]
    if not turns:
        return ""
    day = telling.day_of(turns[-1].at, at).replace("just now", "a moment ago")
    if not told:
        return f"Last time, {day}, you said: “{turns[-1].user.strip()}”"
    return f"Last time, {day}, you told me:\n" + "\n".join(f"- {telling.line(known, at)}" for known in told[:_SHOWN])


def looked_for(slot: str) -> str:
    """Return words that what fills a slot is mostly told with."""
    return table_of("looked_for").get(slot, "")


def _sources(meant: Sequence[Known]) -> tuple[Ref, ...]:
    """Return what to delete: the message something came from, which takes all made of it along."""
    refs = [Ref(Kind.MESSAGE, known.turn) if known.turn else Ref(Kind.SEMANTIC, known.memory) for known in meant]
    return tuple(dict.fromkeys(refs))


def _name(known: Known) -> str:
    return f"s{known.memory}" if known.memory else f"m{known.turn}"


def _more(count: int, command: str) -> str:
    return f"\nThere is more: `persona {command}` shows all {count}." if count > _SHOWN else ""
