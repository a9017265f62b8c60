"""Everything a situation holds that could answer a question, as one kind of thing: a told fact.

Facts come from semantic memory, the profile, habits, the turns of recalled topics, single messages, and the turns of
this very conversation, which no update has absorbed yet. Only what the user said counts, never an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from persona_cli.english.clauses import Saying, read_clauses
from persona_cli.english.forms import capital, mirror, to_second
from persona_cli.english.sentences import sentences
from persona_cli.model.lite.acts import Act, act_of
from persona_cli.model.lite.facts import Fact, facts_of_turn, find_facts, short_form
from persona_cli.model.lite.words import content_words, stems
from persona_cli.model.tasks import Situation
from persona_cli.records import CoreEntry, EpisodicMemory, Recall, SemanticMemory, Status, Turn, Window
from persona_cli.timewords import find_times
from persona_cli.timewords.ageing import counted_on

OPENING = re.compile(
    r"^(?:(?:however|but|and|so|yes|yeah|no|well|also|actually|oh|hi|hey|hello|anyway|by the way|plus|still|ok(?:ay)?"
    r"|alright|sure|great|thanks|thank you|finally|first|basically|honestly)\b[,!.]*\s+"
    r"|(?:besides(?: \w+)?(?: \w+)?|on (?:a|the) \w+ note"
    r"|in addition|of course|at the same time|to be honest|apart from"
    r" \w+|good news|update|guess what|lately|recently|although [^,]{1,40}|today|tonight"
    r"|this \w+),\s+|(?:today|lately|recently) (?=the user\b|you\b|i\b))+",
    re.I,
)
_OWN_WORDS = re.compile(r"(?:I|I['’]\w+|My|We|Our)\b")
"""How a fact begins that a person wrote themselves."""
_DEICTIC = {"yesterday": "the day before", "tomorrow": "the next day", "tonight": "that evening"}
_DAYS = re.compile(
    r"(?:(?<=\w) today\b(?! is\b))|(?!(?<=[a-z] )(?-i:[YT][a-z]))\b(?:yesterday|tomorrow|tonight)\b", re.I
)
"""Words that meant another day when they were said; not the song "Yesterday"."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing the user told: what, when, and where it is kept."""

    content: str
    """The fact in the third person, or the user's own sentence where `verbatim`."""
    at: datetime | None
    """When it was said."""
    source: str
    """"fact", "profile", "habit", "message", "episode" or "now"."""
    event: Window | None = None
    subject: str = ""
    slot: str = ""
    until: datetime | None = None
    """Since when it is no longer so."""
    verbatim: bool = False
    message: str = ""
    """The whole message of a verbatim sentence: why and how often stand in the next one."""
    stems: frozenset[str] = field(default=frozenset(), compare=False)
    memory: int = 0
    """Id of the semantic memory it is; 0 for anything else."""
    successor: int = 0
    """Id of the semantic memory that has taken its place."""
    said_at: datetime | None = None
    """When a fact was first said: the time of its message."""
    by_now: str = field(default="", compare=False)
    """Its content as it is at the time of the question, where an age has counted on; it is found by what was said."""

    @property
    def current(self) -> bool:
        """True while nothing replaced it."""
        return self.until is None

    def spoken(self) -> str:
        """Return it in the second person, as a sentence without its full stop."""
        if self.source == "episode":
            return self.content.strip().rstrip(".")
        if self.quotable:
            return f"“{self.content.strip()}”"
        own, content = self.verbatim or _OWN_WORDS.match(self.content) is not None, self.by_now or self.content
        text = (mirror(content) or content) if own else (to_second(content) or content)
        return capital(self._as_of_then(OPENING.sub("", text.strip())).rstrip(".!…").strip())

    def _as_of_then(self, text: str) -> str:
        """Return `text` with "today" and "tomorrow" as they are said on a later day."""
        if self.source == "now":
            return text
        return _DAYS.sub(lambda match: _DEICTIC.get(match[0].lower(), ""), text)

    @property
    def quotable(self) -> bool:
        """True where only the user's own words may be given."""
        return self.verbatim and mirror(self.content) is None


def gather(situation: Situation) -> tuple[Told, ...]:
    """Return everything told that the situation holds, facts before the messages they came from, each once."""
    found: dict[str, Told] = {}
    for told in _all(situation):
        key = re.sub(r"\W+", " ", told.content.lower()).strip()
        if key and key not in found:
            found[key] = told
    every = _outdated(_linked(tuple(found.values())))
    # the sentence an age was read from tells one too, and would be answered with as it stands
    aged = {told.at for told in every if _is_age(told)}
    return tuple(_by_now(told, situation.query.at, age=_is_age(told) or told.at in aged) for told in every)


def _is_age(told: Told) -> bool:
    return told.slot.endswith("/age")


def _by_now(told: Told, now: datetime, *, age: bool) -> Told:
    """Return what was told as it is at the time of the question, unless its words are quoted."""
    if told.at is None or not told.current or told.quotable or told.source == "now":
        return told
    content = counted_on(told.content, told.at, now, age=age)
    return told if content == told.content else replace(told, by_now=content)


def roles(every: Iterable[Told]) -> dict[str, str]:
    """Return the names of people and pets with what each is to the user: {"Neil": "brother"}."""
    known: dict[str, str] = {}
    for told in every:
        for match in _ROLE.finditer(told.content):
            if told.current:
                known.setdefault(match["name"] or match["called"], (match["role"] or match["of"]).lower())
    return known


_ROLE = re.compile(
    r"^(?P<name>[A-Z]\w+) (?:is|was) (?:the user['’]s|my) (?P<role>\w+)\b"
    r"|^(?:[Tt]he user['’]s|[Mm]y) (?P<of>\w+)(?:['’]s name is| (?:is|was) (?:called|named)) (?P<called>[A-Z]\w+)"
)


def _linked(every: tuple[Told, ...]) -> tuple[Told, ...]:
    """Let what is told of a name also speak of who that is: "Neil is an astronaut" of the brother."""
    linked = {next(iter(stems([name]))): stems([role]) for name, role in roles(every).items() if stems([name])}
    return tuple(
        replace(told, stems=told.stems.union(*(linked[name] for name in told.stems & linked.keys())))
        if told.stems & linked.keys()
        else told
        for told in every
    )


def _outdated(every: tuple[Told, ...]) -> tuple[Told, ...]:
    """Mark what a later word has replaced: messages stay as they were said, also where a fact has changed since."""
    newest: dict[tuple[str, str], datetime] = {}
    for told in every:
        if told.slot and told.at is not None and told.current:
            newest[_place(told)] = max(told.at, newest.get(_place(told), told.at))
    marked = [
        replace(told, until=newest[_place(told)])
        if told.current and told.at is not None and told.at < newest.get(_place(told), told.at)
        else told
        for told in every
    ]
    ended = [told for told in marked if told.slot and not told.current]
    return tuple(
        replace(told, until=_end_of(told, ended)) if told.verbatim and told.current else told for told in marked
    )


def _end_of(line: Told, ended: Sequence[Told]) -> datetime | None:
    """Return when a sentence of a message stopped to hold: with the fact of that message that has its words."""
    of_message = [told for told in ended if line.at in (told.at, told.said_at)]
    return next((told.until for told in of_message if shares_words(told, line)), None)


def shares_words(fact: Told, line: Told) -> bool:
    """Tell whether a sentence has at least half of the words of a fact, or the other way round."""
    return bool(fact.stems) and 2 * len(fact.stems & line.stems) >= min(len(fact.stems), max(len(line.stems), 1))


def _place(told: Told) -> tuple[str, str]:
    return told.subject.casefold(), told.slot


def _all(situation: Situation) -> Iterator[Told]:
    recalls = [exchange.recall for exchange in situation.exchanges]
    for recall in recalls:
        yield from (_fact(hit.memory) for hit in recall.semantic)
        for image in recall.images:
            yield from (_fact(memory) for memory in image.memories)
    yield from (_entry(entry) for entry in situation.core.entries if entry.status is Status.ACTIVE)
    for recall in recalls:
        yield from (_told(hit.memory.text, hit.memory.recorded_at, "habit") for hit in recall.procedural)
    for place in reversed(range(len(situation.recent))):
        turn = situation.recent[place]
        yield from (_new(fact, turn, "now") for fact in facts_of_turn(turn, situation.recent[:place]))
        yield from _lines(turn, "now")
    for recall in recalls:
        for turn in _turns(recall):
            yield from (_new(fact, turn, "message") for fact in find_facts(turn.user, turn.at))
    for recall in recalls:
        for turn in _turns(recall):
            yield from _lines(turn, "message")
    for recall in recalls:
        # what a summary tells may have changed since its first part: its turns and the facts say what is so now
        yield from (_episode(topic.hit.memory) for topic in recall.episodic if not topic.hit.memory.parts)


def _turns(recall: Recall) -> Iterator[Turn]:
    for topic in recall.episodic:
        yield from topic.turns
    yield from (hit.memory for hit in recall.messages)


def _lines(turn: Turn, source: str) -> Iterator[Told]:
    for sentence in sentences(turn.user):
        if act_of(sentence) is Act.STATEMENT and len(content_words(sentence)) > 1 and _tells(sentence):
            phrase = next((one for one in find_times(sentence, turn.at) if not one.repeating), None)
            event = phrase.window if phrase else None
            words = stems(content_words(sentence))
            yield Told(sentence, turn.at, source, event=event, verbatim=True, message=turn.user, stems=words)


def _tells(sentence: str) -> bool:
    """Tell a sentence about something from thanks, pleasantries and what was asked in passing."""
    if re.match(r"(?i)(?:nice|good|great|pleased|lovely) to (?:meet|see|hear|talk)", sentence):
        return False
    return any(clause.saying not in {Saying.QUESTION, Saying.SMALL_TALK} for clause in read_clauses(sentence))


def _fact(memory: SemanticMemory) -> Told:
    return Told(
        memory.content,
        memory.last_seen or memory.recorded_at,
        "fact",
        event=memory.event,
        subject=memory.subject,
        slot=memory.slot,
        until=memory.valid_to if memory.status is Status.SUPERSEDED else None,
        memory=memory.id,
        successor=memory.superseded_by or 0,
        said_at=memory.recorded_at,
        stems=stems(content_words(memory.content)),
    )


def _episode(memory: EpisodicMemory) -> Told:
    summary = re.sub(r"^\d{4}-\d\d-\d\d [\d:]+ \(\w+\): ", "", memory.summary)
    spoken = re.sub(r"^Asked about\b", "You asked about", re.sub(r"^[Tt]he user\b", "You", summary))
    told = _told(spoken, memory.started_at, "episode")
    return replace(told, event=Window(memory.started_at, memory.ended_at))


def _new(fact: Fact, turn: Turn, source: str) -> Told:
    words = stems(content_words(fact.content))
    return Told(fact.content, turn.at, source, event=fact.event, subject=fact.subject, slot=fact.slot, stems=words)


def _entry(entry: CoreEntry) -> Told:
    key, value = entry.key.replace("_", " ").strip(), entry.value.strip()
    if value.lower().startswith("the user"):
        return _told(value, entry.recorded_at, "profile")
    ended = re.match(r"no longer ([\w ]+?)(?: \([\w-]+\))?$", value)
    if ended and key == "partner":
        return replace(
            _told(f"The user is no longer with {ended[1]}", entry.recorded_at, "profile"), slot="user/partner"
        )
    slot = f"user/{_ONE_OF[key]}" if key in _ONE_OF else ""
    if slot and ended is None and (said := short_form(_ONE_OF[key], value)):
        return replace(_told(said.rstrip("."), entry.recorded_at, "profile"), slot=slot, subject="user")
    several = "," in value or key.endswith("s") or "(" in value
    return _told(f"The user's {key}{':' if several else ' is'} {value}", entry.recorded_at, "profile")


_ONE_OF = {"home": "home", "occupation": "job", "employer": "employer", "age": "age"}
"""Keys of the profile that hold one value, with the slot of the facts they are made of: what is newer counts."""


def _told(content: str, at: datetime, source: str) -> Told:
    return Told(content, at, source, stems=stems(content_words(content)))
