"""A message into drafts: the sentences worth keeping, whole and in the person's own words; nothing is written anew.

Whom "she" is, when "on Monday" is and which attribute a sentence fills stand beside it as annotations. A sentence
that only corrects ("Nilo, not Milo") is kept as what it corrects, with the words put in that were meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from persona_cli.english.tokens import names, stems
from persona_cli.model.lite.listener import KEEPING, Listener
from persona_cli.model.lite.phrases import without_opening, words_of
from persona_cli.model.tasks import SemanticDraft
from persona_cli.reading.filling import filled_slot, subject_name
from persona_cli.reading.statement import Statement
from persona_cli.records import Change, Turn, Window
from persona_cli.timewords import find_times

LASTING = 0.4
"""Probability of being worth remembering from which a sentence is kept."""
WEIGHTY_KINDS = frozenset({"health", "family", "plan", "name"})
WEIGHTY = 0.3
"""The same for what must not be lost: health, family, plans and names."""
_FEW = 4
"""Words below which a sentence leans on the one before it: "a girl!", "in March"."""
_KEYWORDS = 10

_INSTEAD = re.compile(
    r"(?P<meant>[\w'’ -]+?),? (?:and )?(?:not|isn't|instead of|rather than) (?P<wrong>[\w'’ -]+?)\W*$", re.IGNORECASE
)


def draft_memories(listener: Listener, turn: Turn, recent: Sequence[Turn]) -> tuple[SemanticDraft, ...]:
    """Return what is worth remembering of a turn, the weightiest first."""
    statements = listener.read(turn.user, recent)
    if any(statement.act.label == "nokeep" for statement in statements):
        return ()
    before = [statement for earlier in recent[-2:] for statement in listener.read(earlier.user)]
    drafts = [
        (_weight(statement), _draft(turn, statements, place, before))
        for place, statement in enumerate(statements)
        if is_worth_keeping(statement)
    ]
    ordered = sorted(drafts, key=lambda weighed: -weighed[0])
    return tuple(draft for _, draft in ordered if stems(draft.content))


def is_worth_keeping(statement: Statement) -> bool:
    """Tell whether a sentence is the person's own statement and worth a memory."""
    if not states(statement):
        return False
    if statement.act.label in ("keep", "remind", "correct"):
        return True
    weighty = any(kind.label in WEIGHTY_KINDS for kind in statement.kinds) or bool(names(statement.text))
    return statement.lasting >= (WEIGHTY if weighty else LASTING)


def states(statement: Statement) -> bool:
    """Tell whether a sentence states something in the person's own voice."""
    return (statement.act.label in KEEPING and statement.own and not statement.text.rstrip().endswith(("?", "?!"))) or (
        statement.act.label in ("keep", "remind")
    )


def said_plainly(statement: Statement) -> str:
    """Return what a sentence tells, whole, without what only opens it: "oh btw", "could you remember that"."""
    text = " ".join(statement.text.split())
    text = (
        without_opening(text, "fillers", "keeping", "reminding")
        if statement.act.label in ("keep", "remind")
        else (without_opening(text, "fillers"))
    )
    return text.rstrip("?").rstrip() if statement.act.label in ("keep", "remind") else text


def event_of(text: str, at: datetime) -> Window | None:
    """Return when what a sentence tells of happens, where it says so."""
    return next((phrase.window for phrase in find_times(text, at) if not phrase.repeating), None)


def _draft(turn: Turn, statements: Sequence[Statement], place: int, before: Sequence[Statement]) -> SemanticDraft:
    statement = statements[place]
    content, quote = said_plainly(statement), statement.text
    if statement.act.label == "correct" and (mended := _corrected(statement, (*before, *statements[:place]))):
        content = mended
    elif place and _leans(content) and states(statements[place - 1]):
        quote = turn.user[statements[place - 1].start : statement.end]
        content = " ".join(quote.split())
    slot = filled_slot(statement)
    changes = statement.act.label == "correct"
    return SemanticDraft(
        content,
        tuple(_keywords(statement)),
        reason=", ".join(kind.label for kind in statement.kinds) or "said to be kept",
        subject=subject_name(statement),
        quote=quote,
        event=event_of(statement.text, turn.at),
        slot=slot[0] if slot else "",
        change=Change.REPLACES if changes else Change.ADDS,
        images=tuple(image.hash for image in turn.images),
    )


def _leans(content: str) -> bool:
    """Tell whether a few words say nothing without the sentence before them."""
    words = content.casefold().split()
    return len(words) < _FEW and words[:1] != [] and words[0] in words_of("leaning")


def _corrected(statement: Statement, before: Sequence[Statement]) -> str:
    """Return the sentence that a correction mends, with what was meant in the place of what was said; "" for none."""
    told = said_plainly(statement)
    if (instead := _INSTEAD.search(told)) is not None:
        wrong, meant = instead["wrong"].strip(), instead["meant"].strip().split(" is ")[-1].split("s ")[-1]
        for earlier in reversed(before):
            place = re.search(rf"(?<!\w){re.escape(wrong)}(?!\w)", earlier.text, re.IGNORECASE)
            if place and states(earlier):
                return said_plainly(earlier).replace(place[0], meant)
    if len(told.split()) > _FEW:
        return ""
    for earlier in reversed(before[-6:]):
        for span in statement.spans:
            same = [other for other in earlier.spans if other.label == span.label and other.slot == span.slot]
            if states(earlier) and same:
                return said_plainly(earlier).replace(same[-1].text, span.text)
    return ""


def _keywords(statement: Statement) -> Iterator[str]:
    """Yield the words a memory is found by beside its own: whom it is about, what it names, its kinds."""
    named = [
        statement.subject.name,
        *(span.text for span in statement.spans),
        *(kind.label for kind in statement.kinds),
    ]
    yield from list(dict.fromkeys(name for name in named if name))[:_KEYWORDS]


def _weight(statement: Statement) -> float:
    asked_for = statement.act.label in ("keep", "remind", "correct")
    return statement.worth[3] * 2 + statement.worth[2] + asked_for
