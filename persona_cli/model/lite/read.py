"""A message into drafts: the sentences worth keeping, whole and in the person's own words; nothing is written anew.

Whom "she" is, when "on Monday" is and which attribute a sentence fills stand beside it as annotations. A sentence
that only corrects ("Nilo, not Milo") is kept as what it corrects, with the words put in that were meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from persona_cli.english.tokens import names, stems
from persona_cli.model.lite.listener import KEEPING, Listener
from persona_cli.model.lite.phrases import phrases_of, without_opening
from persona_cli.model.tasks import SemanticDraft
from persona_cli.reading.filling import filled_slot
from persona_cli.reading.statement import Span, Statement
from persona_cli.reading.whose import whose
from persona_cli.records import Change, Think, Turn
from persona_cli.timewords import event_of

ASKED = "It looks told, but it asks for what I was told."
"""The thought behind an answer to what was no question by its form: then it is no memory either."""
WORTH = 0.6
"""Probability from which a sentence is worth a memory (models/keeping)."""
WEIGHTY_KINDS = frozenset({"health", "family", "plan", "name"})
WEIGHTY = 0.45
"""The same for what must not be lost: health, family, plans and names."""
APART = 0.3
"""Probability from which a sentence begins a memory of its own; of those marked by hand one in six does, but two that
stand together are still whole, and one that is torn is not."""
_NOTHING = 0.25
"""Probability below which a sentence at the edge of a memory is left out of it."""
_FEW = 4
"""Words that a correction has beside what it puts right, or few more."""
_CRY = 2
"""Words of a remark that may be what the sentences behind it are about."""
_ANSWERS_ITSELF = 0.95
"""Probability of being only told from which a question is one that the sentence behind it answers."""
_KEYWORDS = 10
_TOGETHER = 400
"""Characters of sentences that are kept as one memory."""
_ALONE = ("keep", "remind", "correct")
"""What a sentence does that is kept by itself, whatever stands beside it."""
_ONLY = re.compile(
    r"(?:it|that|he|she|(?:his|her|its|their|the) name)(?:['’]?s| is) (?P<meant>[\w'’-]+(?: [\w'’-]+)?)\W*$",
    re.IGNORECASE,
)
_FILLED = re.compile(r"(.* (?:is|are|was|called|named)) [\w'’-]+(?: [\w'’-]+)?\W*$")
"""What says of something that it is a word or two: another word or two may be meant."""
_INSTEAD = re.compile(
    r"(?P<meant>[\w'’ -]+?),? (?:and )?(?:not|isn't|instead of|rather than) (?P<wrong>[\w'’ -]+?)\W*$", re.IGNORECASE
)


def draft_memories(listener: Listener, turn: Turn, recent: Sequence[Turn]) -> tuple[SemanticDraft, ...]:
    """Return what is worth remembering of a turn, the weightiest first."""
    statements = listener.read(turn.user, recent)
    asked = any(isinstance(step, Think) and step.text == ASKED for step in turn.steps)
    if asked or any(statement.act.label == "nokeep" for statement in statements):
        return ()
    before = [statement for earlier in recent[-2:] for statement in listener.read(earlier.user)]
    drafts = [
        (max(map(_weight, (statements[place] for place in group))), _draft(turn, statements, group, before))
        for group in _grouped(statements, before)
    ]
    ordered = sorted(drafts, key=lambda weighed: -weighed[0])
    return tuple(draft for _, draft in ordered if stems(draft.content))


def _grouped(statements: Sequence[Statement], before: Sequence[Statement]) -> list[list[int]]:
    """Return the places of what is worth keeping; what goes on about the same is kept with what it goes on from.

    "Wednesday, in his chair." tells nobody anything: "Ron has died. Wednesday, in his chair." does.
    """
    groups: list[list[int]] = []
    alone = [_stands_alone(statements, place, before) for place in range(len(statements))]
    for place, statement in enumerate(statements):
        if not _is_told(statement) and not _leads_on(statements, place):
            continue
        goes_on = groups and groups[-1][-1] == place - 1 and not alone[place - 1] and _goes_on(statement)
        if goes_on and not alone[place] and statement.end - statements[groups[-1][0]].start <= _TOGETHER:
            groups[-1].append(place)
        else:
            groups.append([place])
    kept = (group for group in groups if any(is_worth_keeping(statements[place]) for place in group))
    return [_trimmed(statements, group) for group in kept]


def _is_told(statement: Statement) -> bool:
    """Tell whether a sentence may stand in a memory: it states something, or is a remark between what does."""
    remark = statement.act.label == "chat" and statement.own and "?" not in statement.text
    return states(statement) or remark


def _leads_on(statements: Sequence[Statement], place: int) -> bool:
    """Tell whether a question is answered by the next sentence: a joke without it is a punch line without its joke."""
    asked, behind = statements[place], statements[place + 1 : place + 2]
    wanting = asked.act.label == "ask" and asked.own and asked.told >= _ANSWERS_ITSELF
    return wanting and any(states(statement) and _goes_on(statement) for statement in behind)


def _goes_on(statement: Statement) -> bool:
    """Tell whether a sentence belongs to the one before it; what fills a slot does not, for it ends alone."""
    return statement.apart < APART and filled_slot(statement) is None


def _stands_alone(statements: Sequence[Statement], place: int, before: Sequence[Statement]) -> bool:
    """Tell whether a sentence is kept by itself whatever stands beside it: what is to come, and what it puts right."""
    return statements[place].act.label == "remind" or _mended(statements, place, before) is not None


def _mended(statements: Sequence[Statement], place: int, before: Sequence[Statement]) -> tuple[str, str] | None:
    """Return what a sentence puts right, as it was and as it is meant; None where it puts nothing right.

    Of the same message that needs words that say so: "I thought it was cream. It is yellow." corrects nothing.
    """
    statement = statements[place]
    worded = phrases_of("correcting").search(statement.text) or _INSTEAD.search(said_plainly(statement))
    if statement.act.label != "correct" or (place and not worded):
        return None
    return corrected(statement, (*before, *statements[:place]))


def _trimmed(statements: Sequence[Statement], group: Sequence[int]) -> list[int]:
    """Return a group without remarks at its edges; a word that is cried out before it may be what it is about."""
    telling = [
        row
        for row, place in enumerate(group)
        if is_worth_keeping(statements[place])
        or (states(statements[place]) and statements[place].keep >= _NOTHING)
        or _leads_on(statements, place)
    ]
    first = telling[0]
    while first and _names_it(statements[group[first - 1]]):
        first -= 1
    return list(group[first : telling[-1] + 1])


def _names_it(statement: Statement) -> bool:
    """Tell whether a remark of a word or two has matter in it: "KNIFE.", not "hi." or "sorry."."""
    opens = any(phrases_of(name).match(statement.text) for name in ("greeting", "fillers"))
    return not opens and statement.keep >= _NOTHING and len(statement.text.split()) <= _CRY


def is_worth_keeping(statement: Statement) -> bool:
    """Tell whether a sentence is the person's own statement and worth a memory."""
    if not states(statement):
        return False
    if statement.act.label in _ALONE or filled_slot(statement) is not None:
        return True
    weighty = any(kind.label in WEIGHTY_KINDS for kind in statement.kinds) or bool(names(statement.text))
    return statement.keep >= (WEIGHTY if weighty else WORTH)


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
        else without_opening(text, "fillers", *(("denying",) if statement.act.label == "correct" else ()))
    )
    return text.rstrip("?").rstrip() if statement.act.label in ("keep", "remind") else text


def _draft(
    turn: Turn, statements: Sequence[Statement], group: Sequence[int], before: Sequence[Statement]
) -> SemanticDraft:
    place = group[0]
    statement = statements[place]
    content, quote = said_plainly(statement), turn.user[statement.start : statements[group[-1]].end]
    replaced = ""
    if (mended := _mended(statements, place, before)) is not None:
        replaced, content = mended
    elif len(group) > 1:
        content = " ".join(f"{content}{quote[len(statement.text) :]}".split())
    slot = filled_slot(statement)
    changes = statement.act.label == "correct"
    return SemanticDraft(
        content,
        tuple(dict.fromkeys(word for place in group for word in _keywords(statements[place]))),
        reason=", ".join(kind.label for kind in statement.kinds) or "said to be kept",
        # what fills a slot is of the one whose slot it is
        subject=slot[0].partition("/")[0] if slot else whose([statements[place] for place in group]),
        quote=quote,
        event=event_of(quote, turn.at),
        slot=slot[0] if slot else "",
        change=Change.REPLACES if changes else Change.ADDS,
        replaces=replaced,
        images=tuple(image.hash for image in turn.images),
    )


def corrected(statement: Statement, before: Sequence[Statement]) -> tuple[str, str] | None:
    """Return the sentence that a correction mends, as it was and with what was meant in its place; None for none."""
    told = said_plainly(statement)
    if (instead := _INSTEAD.search(told)) is not None:
        wrong, meant = instead["wrong"].strip(), instead["meant"].strip().split(" is ")[-1].split("s ")[-1]
        for earlier in reversed(before):
            place = re.search(rf"(?<!\w){re.escape(wrong)}(?!\w)", earlier.text, re.IGNORECASE)
            if place and states(earlier):
                return said_plainly(earlier), said_plainly(earlier).replace(place[0], meant)
    return None if len(told.split()) > _FEW + 2 else _refilled(told, statement.spans, before)


def _refilled(told: str, spans: Sequence[Span], before: Sequence[Statement]) -> tuple[str, str] | None:
    """Return the last sentence of which a few words can be another value, and the same with these in its place."""
    only = _ONLY.match(told)
    for earlier in reversed(before[-4:]):
        said = said_plainly(earlier)
        filled = _FILLED.match(said)
        framed = _FILLED.match(told)
        if framed is not None and filled is not None and framed[1].casefold() == filled[1].casefold():
            return said, told
        if only is not None and filled is not None and states(earlier):
            return said, f"{filled[1]} {only['meant']}."
        for span in spans:
            alike = [other for other in earlier.spans if _kind(other) == _kind(span)]
            same = [other for other in alike if other.slot == span.slot] or (alike if len(alike) == 1 else [])
            if states(earlier) and same and same[-1].text.casefold() != span.text.casefold():
                return said, said.replace(same[-1].text, span.text)
    return None


def _kind(span: Span) -> str:
    """Return what a span is as far as one may be said for the other: whoever has a name may be a cat."""
    return "person" if span.label == "pet" else span.label


def _keywords(statement: Statement) -> Iterator[str]:
    """Yield the words a memory is found by beside its own: whom it is about, what it names, its kinds."""
    named = [
        statement.subject.name,
        *(span.text for span in statement.spans),
        *(kind.label for kind in statement.kinds),
    ]
    yield from list(dict.fromkeys(name for name in named if name))[:_KEYWORDS]


def _weight(statement: Statement) -> float:
    asked_for = statement.act.label in _ALONE
    return statement.worth[3] * 2 + statement.worth[2] + asked_for
