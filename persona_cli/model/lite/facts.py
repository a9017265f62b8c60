"""Facts in the user's own words: what `extract_semantic` proposes to remember, and what a recent turn tells.

A message is cut into clauses; of the statements, patterns say which attribute they fill and a judgement of worth
lets other sentences about the user's life through. The sentence that is kept is the clause itself in the third
person, so nothing can be in it that was not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from persona_cli.english.clauses import Clause, Saying, read_clauses
from persona_cli.english.lexicon import PEOPLE
from persona_cli.english.third import third_person
from persona_cli.english.unfolding import unfold
from persona_cli.model.lite.attributes import attributes
from persona_cli.model.lite.belongings import belongings
from persona_cli.model.lite.changes import change_worth, changes
from persona_cli.model.lite.people import as_if_own, people
from persona_cli.model.lite.pictured import introduced
from persona_cli.model.lite.preferences import preferences
from persona_cli.model.lite.referents import Referents
from persona_cli.model.lite.tags import Tag
from persona_cli.model.lite.worth import content_words, elliptical, worth
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Change, Turn, Window
from persona_cli.timewords import TimePhrase, find_times, settle

MOST = 5
"""Facts proposed for one turn; a message that tells more than this is a story, and its turn stays searchable."""


LONGEST = 6000
"""Characters of a message that are read: more than anybody says of themselves at once is a text they pasted."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence about the user or somebody of theirs, with the words it rests on."""

    content: str
    quote: str
    keywords: tuple[str, ...]
    subject: str = "user"
    slot: str = ""
    value: str = ""
    relation: str = ""
    event: Window | None = None
    change: Change = Change.ADDS
    replaces: str = ""
    weight: float = 1.0
    pictured: bool = False
    """True when it says what the picture beside it shows."""


def find_facts(
    text: str, at: datetime, *, pictured: bool = False, before: Sequence[Fact] = (), earlier: Sequence[str] = ()
) -> tuple[Fact, ...]:
    """Return the facts `text`, said at `at`, tells of its writer, the most important first.

    `before` are facts of earlier messages: "actually, it's Coke" sets right the last of them. `earlier` are the
    messages themselves, oldest first: who they spoke of may be "she" here.
    """
    text = text[:LONGEST]
    times = [phrase for phrase in find_times(text, at) if not phrase.repeating]
    company = _company(text)
    referents = _introduced(earlier)
    facts: list[Fact] = []
    for clause in read_clauses(text):
        right = _set_right(clause, [*before, *facts])
        if right is not None:
            facts = [fact for fact in facts if fact.slot != right.slot]
            facts.append(right)
            continue
        for said in unfold(clause.plain):
            plain = referents.resolve(said)
            if clause.corrects:
                plain = re.sub(r"^the (?=\w+ \w+ (?:is|are|was)\b)", "my ", plain)
            if _tells(clause, plain, changed=plain != said, pictured=pictured) and (
                change_worth(plain) or not referents.dangling(plain)
            ):
                inside = [phrase for phrase in times if clause.start <= phrase.start < clause.end]
                facts += _facts(clause, plain, company, inside, frozenset(referents.names), pictured=pictured)
            referents.hear(plain)
    return _ordered(_named_later(facts))


def _named_later(facts: Sequence[Fact]) -> list[Fact]:
    """Put the name a message gives somebody into what it told of them before: "got a kitten (Mochi)"."""
    named: dict[str, str] = {}
    told: list[Fact] = []
    for fact in reversed(facts):
        naming = _NAMING.match(fact.content)
        if naming is not None:
            role, name = (naming["role"], naming["name"]) if naming["name"] else (naming["of"], naming["called"])
            named[role] = "" if named.get(role, name) != name else name
        told.append(_with_name(fact, named))
    return told[::-1]


_NAMING = re.compile(
    r"(?P<name>[A-Z][\w-]+) is the user's (?:[\w-]+ )??(?P<role>[\w-]+)\.$"
    r"|The user's (?:[\w-]+ )??(?P<of>[\w-]+?)(?:'s name is| is (?:called|named)) (?P<called>[A-Z][\w-]+)\.$"
)


def _with_name(fact: Fact, named: Mapping[str, str]) -> Fact:
    """Return what the user did or has with the name of whom it speaks of; what others have is not meant."""
    for role, name in named.items():
        pattern = rf"The user(?!')[^,]*?\b(?:an?|one) (?:[\w-]+ )??{re.escape(role)}\b(?! (?:called|named|[A-Z(]))"
        match = re.match(pattern, fact.content)
        if name and match is not None and name not in fact.content:
            content = f"{match[0]} ({name}){fact.content[match.end() :]}"
            return replace(fact, content=content, keywords=tuple(dict.fromkeys((*fact.keywords, name))))
    return fact


def _introduced(earlier: Sequence[str]) -> Referents:
    """Return whom earlier messages spoke of."""
    referents = Referents()
    for text in earlier:
        for clause in read_clauses(text[:LONGEST]):
            for said in unfold(clause.plain):
                referents.hear(referents.resolve(said))
        referents.next_message()
    return referents


def facts_of_turn(turn: Turn, recent: Sequence[Turn]) -> tuple[Fact, ...]:
    """Return the facts of a turn after those of `recent`."""
    return facts_after(recent, turn.user, turn.at, pictured=bool(turn.images))


def facts_after(recent: Sequence[Turn], text: str, at: datetime, *, pictured: bool) -> tuple[Fact, ...]:
    """Return the facts of a message; the last three of `recent` say who "she" is and what a correction corrects."""
    recent = recent[-3:]
    before = [fact for earlier in recent for fact in reversed(find_facts(earlier.user, earlier.at))]
    return find_facts(text, at, pictured=pictured, before=before, earlier=[earlier.user for earlier in recent])


def extract_semantic(turn: Turn, recent: Sequence[Turn]) -> tuple[SemanticDraft, ...]:
    """Return the facts worth remembering of `turn`; `recent` says what a correction corrects."""
    facts = facts_of_turn(turn, recent)
    shown = tuple(image.hash for image in turn.images)
    return tuple(_draft(fact, shown if fact.pictured else ()) for fact in facts[:MOST])


def _draft(fact: Fact, images: tuple[str, ...]) -> SemanticDraft:
    return SemanticDraft(
        content=fact.content,
        keywords=fact.keywords,
        reason=fact.relation or "about the user's life",
        subject=fact.subject,
        quote=fact.quote,
        event=fact.event,
        slot=fact.slot,
        change=fact.change,
        replaces=fact.replaces,
        images=images,
    )


def _tells(clause: Clause, plain: str, *, changed: bool, pictured: bool) -> bool:
    if clause.saying is Saying.STATEMENT:
        return True
    if clause.saying in {Saying.SMALL_TALK, Saying.REQUEST}:
        return introduced(plain, pictured=pictured) is not None or changed
    return False


def _facts(
    clause: Clause, plain: str, company: str, times: Sequence[TimePhrase], known: frozenset[str], *, pictured: bool
) -> Iterator[Fact]:
    times = [phrase for phrase in times if phrase.text.lower() in plain.lower()]
    if re.search(r"\bmy birthday\b", plain):
        plain = settle(plain, times)  # "my birthday is tomorrow" tells its date
    tags = [tag for tag in _tags(plain, known, pictured=pictured) if tag.aside or tag.slot or not elliptical(plain)]
    event = min(times, key=lambda phrase: phrase.soft).window if times else None
    sentence = third_person(plain, company)
    told = False
    for tag in tags:
        content = tag.content or (_short(tag) if told else _capitals(sentence, tag.names))
        told = told or not tag.aside
        if content:
            yield _fact(clause, tag, settle(content, times), None if tag.aside else event, pictured=pictured)
    value = 0.0 if told else worth(plain) or change_worth(plain)
    if value:
        yield _fact(clause, Tag("", weight=value), settle(sentence, times), event, pictured=pictured)


def _tags(plain: str, known: frozenset[str], *, pictured: bool) -> list[Tag]:
    """Return the tags of a clause, no slot twice; what has ended or is shown is not told as lasting too."""
    shown = introduced(plain, pictured=pictured)
    if shown is not None:
        return [shown]
    ended = list(changes(plain))
    if ended:
        return ended
    tags: dict[str, Tag] = {}
    for tag in [*attributes(plain), *belongings(plain), *people(plain, known), *preferences(plain)]:
        tags.setdefault(tag.slot or tag.relation, tag)
    ranked = sorted(tags.values(), key=lambda tag: -tag.weight)
    return [tag if tag.relation != "about" else _about(plain, tag) for tag in ranked]


def _about(plain: str, tag: Tag) -> Tag:
    """Return what is told of somebody else with the slot it would have, were it told of the user."""
    own = as_if_own(plain, tag.subject)
    for same in [*attributes(own), *belongings(own), *preferences(own)] if own else ():
        if same.slot and same.relation != "name" and not same.content:
            slot = tag.subject + same.slot.removeprefix("user")
            return replace(same, slot=slot, subject=tag.subject, names=(*tag.names, *same.names))
    return tag


_SHORT = {
    "name": "The user's name is {}.",
    "job": "The user works as {}.",
    "employer": "The user works for {}.",
    "home": "The user lives in {}.",
    "origin": "The user is from {}.",
    "age": "The user is {} years old.",
    "studies": "The user studies {}.",
    "diet": "The user is {}.",
}


def _short(tag: Tag) -> str:
    """Return a sentence for the second thing one clause tells, so that each can change without the other."""
    own = tag.change is not Change.ENDS and tag.subject == "user"
    return short_form(tag.relation, tag.value) if own else ""


def short_form(relation: str, value: str) -> str:
    """Return what an attribute of the user is as a sentence, "" for one that has no short form."""
    form = _SHORT.get(relation, "")
    if relation == "job" and re.match(r"\w+ing ", value):
        form = "The user's job is {}."
    elif relation == "job" and value.split()[-1:] and not re.match(r"(?i)(?:an?|the) ", value):
        value = ("an " if value[:1].lower() in "aeiou" else "a ") + value
    return form.format(value)


def _fact(clause: Clause, tag: Tag, content: str, event: Window | None, *, pictured: bool) -> Fact:
    words = (*tag.names, *content_words(_capitals(clause.plain, tag.names)))
    keywords = tuple(dict.fromkeys(words))[:10]
    deictic = re.search(r"\b(?:this|these|that|here)\b", clause.plain, re.I) is not None
    return Fact(
        content,
        clause.words,
        keywords,
        tag.subject,
        tag.slot,
        tag.value,
        tag.relation,
        event,
        tag.change,
        tag.replaces,
        tag.weight,
        pictured and (tag.relation == "picture" or deictic),
    )


def _capitals(text: str, names: Iterable[str]) -> str:
    for name in names:
        if "(" not in name:
            text = re.sub(rf"(?<![\w']){re.escape(name)}(?![\w])", str(name), text, flags=re.I)
    return text


_WITH = re.compile(
    rf"\b(?:my (?:[\w-]+ )?({'|'.join(sorted(PEOPLE))})(?: [A-Z]\w+)?) and I\b|\bwith my"
    rf" ({'|'.join(sorted(PEOPLE))})\b|\bme and my ({'|'.join(sorted(PEOPLE))})\b|\bmy"
    rf" ({'|'.join(sorted(PEOPLE))}) and (?:I|me)\b",
    re.I,
)


def _company(text: str) -> str:
    match = _WITH.search(text)
    return f"the user's {next(group for group in match.groups() if group).lower()}" if match else "others"


_RIGHT = re.compile(
    r"^(?:(?:it|he|she|that|they)(?: is| was| are)(?: now| actually)? |make (?:that|it) |I meant |I mean"
    r" )?(?P<new>[\w' .-]{1,40}?)(?:,? (?:now|not (?P<old>[\w' -]+)|instead|actually))?[.!]*$",
    re.I,
)


def _set_right(clause: Clause, earlier: Sequence[Fact]) -> Fact | None:
    """Return the earlier fact with its value set right by "actually it's Coke" or "no, I meant Tuesday"."""
    said = re.match(r"(?i)(?:it is|it was|make that|make it|i meant)\b", clause.plain)
    if (
        not clause.corrects
        or clause.saying in {Saying.QUESTION, Saying.HYPOTHETICAL}
        or re.match(r"(?i)(?:I (?!meant|mean)|my |we )", clause.plain)
    ):
        return None
    match = _RIGHT.match(clause.plain)
    wrong = next(
        (fact for fact in reversed(earlier) if fact.slot and fact.value and fact.value.lower() in fact.content.lower()),
        None,
    )
    if (
        match is None
        or wrong is None
        or (said is None and len(match["new"].split()) > 2)
        or match["new"].lower() in {"not", "thanks", "yes", "great"}
    ):
        return None
    new = re.sub(r"(?i)^(?:called |named )", "", match["new"]).strip()
    content = re.sub(re.escape(wrong.value), lambda _: new, wrong.content, count=1, flags=re.I)
    return replace(
        wrong,
        content=content,
        quote=clause.words,
        value=new,
        keywords=tuple(dict.fromkeys((*content_words(new), *content_words(content)))),
        change=Change.REPLACES,
        replaces=wrong.value,
        weight=3.0,
        event=None,
    )


def _ordered(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    unique: dict[str, Fact] = {}
    for fact in facts:
        same = f"{fact.slot}={fact.value}" if fact.slot and fact.value else fact.content
        unique.setdefault(same.lower(), fact)
    contents = {fact.content.lower(): fact for fact in reversed(unique.values())}
    inorder = list(contents.values())[::-1]
    return tuple(sorted(inorder, key=lambda fact: -fact.weight))
