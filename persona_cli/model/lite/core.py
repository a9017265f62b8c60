"""The user's profile from what a session said: one-valued keys are overwritten, lists keep their newest entries.

A key that a session does not touch is not returned, so it stays as it is. What has ended leaves its list, and a
single value that has ended says so; nothing is ever emptied silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from persona_cli.english.lexicon import KIN, PARTNERS
from persona_cli.model.lite.facts import Fact, find_facts
from persona_cli.model.lite.preferences import things
from persona_cli.model.tasks import CoreDraft
from persona_cli.records import Aspect, Change, CoreMemory, Turn

LONGEST = 7
"""Entries of a list; the paper keeps lists of preferences at five to seven."""

WORDS = 5
"""Words of a liking that is a thing and not a sentence; longer ones are told by the facts."""

_SINGLE = {
    "user/name": ("name", Aspect.HUMAN),
    "user/nickname": ("nickname", Aspect.HUMAN),
    "user/age": ("age", Aspect.HUMAN),
    "user/birthday": ("birthday", Aspect.HUMAN),
    "user/gender": ("gender", Aspect.HUMAN),
    "user/home": ("home", Aspect.HUMAN),
    "user/origin": ("from", Aspect.HUMAN),
    "user/relationship": ("relationship", Aspect.HUMAN),
    "user/diet": ("diet", Aspect.HUMAN),
    "user/religion": ("religion", Aspect.HUMAN),
    "user/nationality": ("nationality", Aspect.HUMAN),
    "user/pregnancy": ("pregnancy", Aspect.HUMAN),
    "user/job": ("occupation", Aspect.PERSONA),
    "user/employer": ("employer", Aspect.PERSONA),
    "user/studies": ("studies", Aspect.PERSONA),
    "user/school": ("school", Aspect.PERSONA),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry that a fact puts into a list, or takes out of it."""

    key: str
    text: str
    gone: bool = False


def update_core(turns: Sequence[Turn], current: CoreMemory) -> tuple[CoreDraft, ...]:
    """Return the keys of core memory that `turns` add or change, with their whole new values."""
    values = {entry.key: entry.value for entry in current.entries}
    drafts: dict[str, CoreDraft] = {}
    for turn in turns:
        found = find_facts(turn.user, turn.at, pictured=bool(turn.images))
        for fact in sorted(found, key=lambda fact: fact.weight):
            for draft in _drafts(fact, values):
                values[draft.key] = draft.value
                drafts[draft.key] = draft
    return tuple(draft for draft in drafts.values() if draft.value != current.get(draft.key))


def _drafts(fact: Fact, values: dict[str, str]) -> Iterator[CoreDraft]:
    if fact.slot in _SINGLE:
        key, aspect = _SINGLE[fact.slot]
        if key == "gender" and "/" in fact.value:
            key = "pronouns"
        value = _ended(values.get(key)) if fact.change is Change.ENDS else fact.value
        if value:
            yield CoreDraft(key, value, aspect)
    elif fact.slot == "user/partner" and fact.change is Change.ENDS and values.get("partner"):
        yield CoreDraft("partner", _ended(values["partner"]))
    for make in (_person, _pet, _liking, _owned, _listed):
        for entry in make(fact):
            value = _merged(values.get(entry.key, ""), entry)
            if value:
                yield CoreDraft(entry.key, value)


def _ended(value: str | None) -> str:
    return value if value is not None and value.startswith("no longer ") else f"no longer {value}" if value else ""


def _merged(value: str, entry: _Entry) -> str:
    """Return a list with `entry` as its newest, or without it; an entry said again counts as new."""
    if f"({entry.text})" in value:  # "sister", where she has a name already
        return value
    texts = [text for text in value.split(", ") if text and text != "none" and not text.startswith("no longer ")]
    bare = entry.text.split(" (")[0].lower()
    kept = [text for text in texts if text.split(" (")[0].lower() != bare]
    kind = re.search(r" \(.+\)$", entry.text)
    if entry.key == "likes" and kind is not None:  # one favourite of a kind
        kept = [text for text in kept if not text.endswith(kind[0])]
    if entry.gone:
        return ", ".join(kept) or ("none" if texts else "")
    return ", ".join([*kept, entry.text][-LONGEST:])


def _person(fact: Fact) -> Iterator[_Entry]:
    if fact.relation in PARTNERS and fact.value and fact.subject != "user":
        yield _Entry("partner", f"{fact.subject} ({fact.relation})")
    elif fact.slot.endswith("/relation") and fact.value in KIN:
        yield _Entry("family", f"{fact.subject} ({fact.value})")
    elif fact.slot.endswith("/relation"):
        yield _Entry("people", f"{fact.subject} ({fact.value})")
    elif fact.relation in KIN and fact.value and fact.subject == "user":
        for name in things(fact.value):
            yield _Entry("family", f"{name} ({fact.relation})" if name[:1].isupper() else name)
    elif fact.subject.startswith("my ") and fact.subject[3:] in KIN - PARTNERS:
        yield _Entry("family", fact.subject[3:])


def _pet(fact: Fact) -> Iterator[_Entry]:
    if fact.slot.endswith("/species"):
        yield _Entry("pets", f"{fact.subject} ({fact.value})")
    elif fact.slot.endswith("/alive"):
        yield _Entry("pets", fact.subject, gone=True)


def _owned(fact: Fact) -> Iterator[_Entry]:
    if fact.relation == "pet" and fact.subject == "user" and fact.value not in {"none", ""}:
        for name in things(fact.value):
            yield _Entry("pets", name)


def _liking(fact: Fact) -> Iterator[_Entry]:
    if fact.relation == "favourite" and fact.slot:
        kind = fact.slot.rpartition("/")[2]
        yield _Entry("likes", f"{fact.value} ({kind})")
    if not fact.slot.startswith("user/likes/"):
        return
    named = fact.slot.removeprefix("user/likes/")
    for one in things(_as_said(named, fact.content)):
        if len(one.split()) > WORDS:
            continue
        thing = re.sub(r"\b(?:my|our)\b", "the user's", one)
        if fact.value == "dislikes" and _AVOIDING.search(fact.content):
            yield _Entry("avoids", thing, gone=fact.change is Change.ENDS)
            continue
        liked = fact.value in {"likes", "prefers"} and fact.change is not Change.ENDS
        yield _Entry("likes", thing, gone=not liked)
        yield _Entry("dislikes", thing, gone=fact.value != "dislikes" or fact.change is Change.ENDS)
    if fact.change is Change.REPLACES and fact.replaces:
        yield _Entry("likes", fact.replaces, gone=True)


def _as_said(named: str, content: str) -> str:
    """Return the words of a slot with the capitals they have in the sentence."""
    place = re.search(re.escape(named), content, re.I)
    return place[0] if place else named


_AVOIDING = re.compile(r"\b(?:cannot|not|never) (?:\w+ )?(?:eat|drink|have)\b", re.I)
"""What is not eaten may be liked all the same."""

_LISTS: dict[str, str] = {
    "allergy": "allergies",
    "health": "health",
    "language": "languages",
    "hobby": "hobbies",
    "goal": "goals",
}


def _listed(fact: Fact) -> Iterator[_Entry]:
    key = _LISTS.get(fact.relation) if fact.subject == "user" else None
    if key is not None and fact.value and fact.slot != "user/pregnancy":
        for text in things(fact.value):
            yield _Entry(key, text, gone=fact.change is Change.ENDS)
    if fact.relation == "change" and fact.slot.startswith("user/does/"):
        yield _Entry("hobbies", fact.value.removeprefix("playing "), gone=True)
