"""What a session says of the person: entries of the profile, habits and goals, from what fills a slot or is a routine.

A key that a session does not touch is not returned, so it stays as it is. Nothing is concluded: a habit is what was
said to be one. What has ended is ended with its memory, which takes its entry of the profile along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from persona_cli.english.tokens import stems, telling_words
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import is_worth_keeping, said_plainly
from persona_cli.model.tasks import CoreDraft, ProceduralDraft
from persona_cli.reading.filling import is_past, plainly_filled
from persona_cli.reading.statement import Span, Statement
from persona_cli.records import Aspect, CoreMemory, ProceduralMemory, Turn

LONGEST = 7
"""Entries of a list; the paper keeps lists of preferences at five to seven."""
MOST = 5
"""Habits and goals of one session."""
ALIVE = 9
"""Habits and goals that are known at once; more would not be read."""
_SURE = 0.6
_OWN = 0.7
"""Probability from which a routine is the person's own: "the physio comes on Tuesdays" (0.6) may be for another."""
_WORDS = 6
"""Words of an entry; what is longer is told by its memory."""
_SAME = 0.5

_SINGLE = {
    "name": ("name", Aspect.HUMAN),
    "nickname": ("nickname", Aspect.HUMAN),
    "age": ("age", Aspect.HUMAN),
    "birthday": ("birthday", Aspect.HUMAN),
    "home": ("home", Aspect.HUMAN),
    "origin": ("from", Aspect.HUMAN),
    "diet": ("diet", Aspect.HUMAN),
    "religion": ("religion", Aspect.HUMAN),
    "job": ("occupation", Aspect.PERSONA),
    "employer": ("employer", Aspect.PERSONA),
    "study": ("studies", Aspect.PERSONA),
}
_LISTS = {
    "child": "family", "sibling": "family", "parent": "family", "friend": "people", "pet": "pets",
    "allergy": "allergies",
    "illness": "health", "medication": "medication", "likes": "likes", "favourite": "likes", "dislikes": "dislikes",
    "language": "languages", "hobby": "hobbies", "instrument": "hobbies", "sport": "hobbies", "vehicle": "vehicles",
}  # fmt: skip
_OWN_ROLE = re.compile(r"\b(?:my|our) (?:[\w-]+ )?$", re.IGNORECASE)
_ENDED = re.compile(
    r"\b(?:no longer|any ?more|stopped|quit|gave up|given up|dropped|cancelled|used to|finished)\b", re.I
)


def update_core(listener: Listener, turns: Sequence[Turn], current: CoreMemory) -> tuple[CoreDraft, ...]:
    """Return the keys of core memory that `turns` add or change, with their whole new values."""
    values = {entry.key: entry.value for entry in current.entries}
    drafts: dict[str, CoreDraft] = {}
    for place, turn in enumerate(turns):
        for statement in listener.read(turn.user, turns[:place]):
            for draft in _entries(statement, values) if _of_oneself(statement) else ():
                values[draft.key] = draft.value
                drafts[draft.key] = draft
    return tuple(draft for draft in drafts.values() if draft.value != current.get(draft.key))


def update_habits(
    listener: Listener, turns: Sequence[Turn], current: Sequence[ProceduralMemory]
) -> tuple[ProceduralDraft, ...]:
    """Return the habits and goals that were said to be such, at most five, and those said to have ended."""
    texts = {memory.key: memory.text for memory in current}
    fresh: dict[str, str] = {}
    for place, turn in enumerate(turns):
        for statement in listener.read(turn.user, turns[:place]):
            if is_worth_keeping(statement) and statement.subject.mine >= _OWN:
                for key, text in _habits(statement, texts):
                    texts[key] = fresh[key] = text
    known = {memory.key: memory.text for memory in current}
    new = [key for key in fresh if key not in known][: max(0, ALIVE - len(known))]
    changed = [ProceduralDraft(key, text) for key, text in fresh.items() if key in known or key in new]
    return tuple(draft for draft in changed if draft.text != known.get(draft.key))[:MOST]


def _of_oneself(statement: Statement) -> bool:
    return (
        is_worth_keeping(statement) and statement.unsure < 0.5 and statement.subject.who.label in ("me", "we", "other")
    )


def _entries(statement: Statement, values: dict[str, str]) -> Iterator[CoreDraft]:
    about_me = statement.subject.who.label in ("me", "we")
    plain = plainly_filled(statement.text) if about_me else None
    for span in (*statement.spans, *((plain,) if plain is not None else ())):
        if span.slot_probability * span.probability < _SURE or len(span.text.split()) > _WORDS:
            continue
        if about_me and span.slot in _SINGLE and statement.negative < 0.5 and not is_past(statement.text, span):
            key, aspect = _SINGLE[span.slot]
            yield CoreDraft(key, span.text, aspect)
        elif (
            span.slot == "partner" and span.label == "person" and _mine(statement) and not is_past(statement.text, span)
        ):
            yield CoreDraft("partner", _named(statement, span))
        elif (listed := _LISTS.get(span.slot)) is not None:
            if span.label == "role" and statement.spans_of("person", "pet"):
                if (name := _behind(statement, span)) is not None:
                    yield CoreDraft(listed, _added(values.get(listed, ""), _named(statement, name)))
                continue  # any other name has it beside it
            person = span.label in ("person", "pet")
            if (person and _mine(statement)) or (about_me and not person and statement.negative < 0.5):
                yield CoreDraft(listed, _added(values.get(listed, ""), _named(statement, span)))


def _mine(statement: Statement) -> bool:
    """Tell whether those a sentence names are the person's own: "my sister Ada", not the sister of a colleague."""
    return statement.subject.owner in ("", "me") and re.search(r"\b(?:my|our|I|we)\b", statement.text, re.I) is not None


def _behind(statement: Statement, role: Span) -> Span | None:
    """Return the name right behind a role of one's own, "my brother Clem", whatever slot the name was read to fill."""
    if _OWN_ROLE.search(statement.text[: role.start]) is None:
        return None
    named = statement.spans_of("person", "pet")
    return next((name for name in named if statement.text[role.end : name.start] in (" ", ", ", ",")), None)


def _named(statement: Statement, span: Span) -> str:
    """Return a name with the role that stands before it: "Ada (sister)"."""
    if span.label not in ("person", "pet"):
        return span.text
    near = [role for role in statement.spans_of("role") if 0 <= span.start - role.end <= 12]
    return f"{span.text} ({near[-1].text.lower()})" if near else span.text


def _added(value: str, entry: str) -> str:
    """Return a list with `entry` as its newest; one that is said again counts as new."""
    bare = entry.split(" (", maxsplit=1)[0].casefold()
    kept = [text for text in value.split(", ") if text and text.split(" (")[0].casefold() != bare]
    known = next((text for text in value.split(", ") if text.split(" (")[0].casefold() == bare and "(" in text), entry)
    return ", ".join([*kept, known if "(" not in entry else entry][-LONGEST:])


def _habits(statement: Statement, texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    told = said_plainly(statement)
    known = _closest(told, texts)
    if known is not None and (_ENDED.search(told) or statement.negative >= 0.5):
        yield known, told
        return
    routine = any(kind.label == "routine" for kind in statement.kinds) or statement.slot("habit") is not None
    kind = "goal" if statement.slot("goal") is not None else "habit" if routine else ""
    if kind and statement.unsure < 0.5 and not _ENDED.search(told):
        yield known or _key(kind, told, texts), told


def _closest(told: str, texts: dict[str, str]) -> str | None:
    """Return the key of the habit or goal that speaks of the same, by the words they share."""
    mine = stems(told)
    shares = {key: len(mine & stems(text)) / max(1, min(len(mine), len(stems(text)))) for key, text in texts.items()}
    best = max(shares, key=shares.__getitem__, default=None)
    return best if best is not None and shares[best] >= _SAME else None


def _key(kind: str, told: str, texts: dict[str, str]) -> str:
    telling = [word.lower() for word in telling_words(told)][:3]
    key = " ".join([kind, *telling])
    return key if key not in texts else f"{key} {sum(other.startswith(key) for other in texts) + 1}"
