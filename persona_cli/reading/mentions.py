"""Those a sentence may be about: whom it names, and whom the sentences before it named or were about.

One who was named twice is one: "my mum" and "Mum", and "my sister" once she has a name. `antecedent` chooses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from persona_cli.english.people import kin
from persona_cli.reading.statement import Mention, Statement

NAMED = ("person", "role", "pet")
"""Labels of spans that somebody may be called by."""
_REMEMBERED = 8  # sentences back that "she" may reach
_MINE = re.compile(r"\b(?:my|our)(?:\s+[\w-]+){0,2}\s+$", re.IGNORECASE)
_BESIDE = re.compile(r"\b(?:with|for|to|from|of|at|by|about|and|than|like)\s+(?:(?:my|our|the)\s+)?$", re.IGNORECASE)
_THEIRS = re.compile(
    r"(?P<owner>[^\W\d_][\w-]*)['’]s(?:\s+[\w-]+)?\s+$|\b(?:his|her|their)\s+(?:\w+\s+)?$", re.IGNORECASE
)


_JOINED = re.compile(r"\s*(?:,\s*(?:my|our)?|is|called|named|is called)?\s*", re.IGNORECASE)


class Place(Protocol):
    """A labelled stretch of a sentence."""

    @property
    def start(self) -> int:
        """Where it begins."""
        ...

    @property
    def end(self) -> int:
        """Where it ends."""
        ...

    @property
    def label(self) -> str:
        """What it is."""
        ...


def mentions(text: str, spans: Sequence[Place]) -> tuple[Mention, ...]:
    """Return those a sentence names, in order."""
    found: list[Mention] = []
    before: Place | None = None
    for span in spans:
        if span.label not in NAMED:
            continue
        mention = _mention(text, span, first=not found)
        if before is not None and {before.label, span.label} == {"role", "person"} and _joined(text, before, span):
            mention = _together(found.pop(), mention)
        found.append(mention)
        before = span
    return tuple(found)


def candidates_for(here: Sequence[Mention], before: Sequence[Statement]) -> tuple[Mention, ...]:
    """Return everybody a sentence may be about: named in it, or in the sentences before, the latest mention of each."""
    return latest(here, (past_mentions(statement, back) for back, statement in enumerate(_back(before), start=1)))


def latest(here: Sequence[Mention], past: Iterable[Sequence[Mention]]) -> tuple[Mention, ...]:
    """Return the latest mention of each; a role is the one of that role who has a name, where there is one."""
    found = {_called(mention): mention for mention in reversed(here)}
    for mention in (mention for named in past for mention in named):
        found.setdefault(_called(mention), mention)
    named_by_role = {_last(mention.role): key for key, mention in found.items() if mention.role and not _bare(mention)}
    for role, key in named_by_role.items():
        if role in found and _bare(found[role]):
            bare, named = found.pop(role), found[key]
            later = bare.back < named.back
            found[key] = replace(bare, name=named.name, label=named.label) if later else named
    return tuple(found.values())


def _called(mention: Mention) -> str:
    return _last(mention.name) if _bare(mention) else mention.name.casefold()


def _bare(mention: Mention) -> bool:
    """Tell whether somebody is known by what they are alone: "my mum"."""
    return mention.label == "role"


def _last(words: str) -> str:
    return kin(words.rsplit(maxsplit=1)[-1]) if words.split() else ""


def past_mentions(statement: Statement, back: int) -> tuple[Mention, ...]:
    """Return those a sentence before named, or was about."""
    subject = statement.subject
    named = mentions(statement.text, statement.spans)
    if subject.name and all(subject.name != mention.name for mention in named):
        named = (Mention(subject.name, subject.label, subject.role, subject.owner, back), *named)
    return tuple(replace(mention, back=back, subject_before=mention.name == subject.name) for mention in named)


def _back(before: Sequence[Statement]) -> Iterator[Statement]:
    return reversed(before[-_REMEMBERED:])


def _joined(text: str, one: Place, other: Place) -> bool:
    """Tell whether a role and a name are of the same: "my sister Ada", "Ada, my sister", "my sister is called Ada"."""
    return bool(_JOINED.fullmatch(text[one.end : other.start]))


def _together(one: Mention, other: Mention) -> Mention:
    named, role = (one, other) if other.label == "role" else (other, one)
    return replace(one, name=named.name, label="person", role=role.name, owner=role.owner)


def _mention(text: str, span: Place, *, first: bool) -> Mention:
    before, after = text[: span.start], text[span.end :]
    owned = _THEIRS.search(before)
    mine = bool(_MINE.search(before)) and not owned
    owner = "me" if mine else (owned["owner"] or "") if owned else ""
    return Mention(
        text[span.start : span.end],
        span.label,
        text[span.start : span.end] if span.label == "role" else "",
        owner,
        0,
        first,
        mine,
        bool(_BESIDE.search(before)),
        after.startswith(("'s", "’s")),
        len(before.split()) < 3,
    )
