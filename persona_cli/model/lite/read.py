"""A message into drafts: the sentences worth keeping, whole and in the person's own words; nothing is written anew.

Whom "she" is, when "on Monday" is and which attribute a sentence fills stand beside it as annotations. A sentence
that only corrects ("Nilo, not Milo") is kept as what it corrects, with the words put in that were meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from persona_cli.english.people import USER
from persona_cli.english.tokens import NUMBERS, names, negative, stems
from persona_cli.english.verbs import is_verb
from persona_cli.model.lite.listener import KEEPING, Listener
from persona_cli.model.lite.phrases import without_opening, words_of
from persona_cli.model.tasks import SemanticDraft
from persona_cli.reading.filling import filled_slot, plainly_filled, subject_name
from persona_cli.reading.statement import Span, Statement
from persona_cli.records import Change, Turn
from persona_cli.timewords import event_of

LASTING = 0.4
"""Probability of being worth remembering from which a sentence is kept."""
WEIGHTY_KINDS = frozenset({"health", "family", "plan", "name"})
WEIGHTY = 0.3
"""The same for what must not be lost: health, family, plans and names."""
_FEW = 4
"""Words below which a sentence leans on the one before it: "a girl!", "in March"."""
_BARE_WEIGHTY = 0.4
"""The same for a few words without a verb that stand first in a message."""
_KEYWORDS = 10
_TOGETHER = 400
"""Characters of sentences that are kept as one memory."""
_PRONOUN = re.compile(
    r"(?:s?he|they|it|that|this|those|these|his|hers?|their|its|there)(?:['’](?:s|re|d|ll|ve))?\b|never\b|neither\b",
    re.I,
)
_LEANS_WHOLLY = re.compile(r"\W*(?:it|that|this|never|neither|those|these)\b", re.I)
"""What leans so is kept with the sentence before it even where that one weighs little."""

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
    if any(statement.act.label == "nokeep" for statement in statements):
        return ()
    before = [statement for earlier in recent[-2:] for statement in listener.read(earlier.user)]
    drafts = [
        (max(map(_weight, (statements[place] for place in group))), _draft(turn, statements, group, before))
        for group in _grouped(turn.user, statements)
    ]
    ordered = sorted(drafts, key=lambda weighed: -weighed[0])
    return tuple(draft for _, draft in ordered if stems(draft.content))


def _grouped(message: str, statements: Sequence[Statement]) -> list[list[int]]:
    """Return the places of what is worth keeping; what leans on the sentence before it is kept with that.

    "He's afraid of stairs" alone tells nobody who that is: "We adopted a greyhound called Bramble. He's ..." does.
    """
    groups: list[list[int]] = []
    for place, statement in enumerate(statements):
        if not is_worth_keeping(statement):
            continue
        bare = statement.act.label == "tell" and is_bare(said_plainly(statement))
        if bare and place == 0 and statement.worth[3] < _BARE_WEIGHTY:
            continue  # the answer to a question that is not in it tells nobody anything
        leans = place > 0 and statement.act.label == "tell" and (bare or leans_on_before(said_plainly(statement)))
        if leans and groups and groups[-1][-1] == place - 1:
            start = statements[groups[-1][0]].start
            if statement.end - start <= _TOGETHER:
                groups[-1].append(place)
                continue
        wholly = bare or (leans and _LEANS_WHOLLY.match(statement.text))
        if place and wholly and states(statements[place - 1]) and place - 1 not in set().union(*groups):
            groups.append([place - 1, place])
            continue
        groups.append([place])
    return groups


def is_worth_keeping(statement: Statement) -> bool:
    """Tell whether a sentence is the person's own statement and worth a memory."""
    if not states(statement):
        return False
    if statement.act.label in ("keep", "remind", "correct"):
        return True
    if plainly_filled(statement.text) is not None:
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
    if statement.act.label == "correct" and (mended := corrected(statement, (*before, *statements[:place]))):
        replaced, content = mended
    elif len(group) > 1:
        content = " ".join(f"{content}{quote[len(statement.text) :]}".split())
    slot = filled_slot(statement)
    changes = statement.act.label == "correct"
    return SemanticDraft(
        content,
        tuple(dict.fromkeys(word for place in group for word in _keywords(statements[place]))),
        reason=", ".join(kind.label for kind in statement.kinds) or "said to be kept",
        subject=_subject(statements, group),
        quote=quote,
        event=event_of(quote, turn.at),
        slot=slot[0] if slot else "",
        change=Change.REPLACES if changes else Change.ADDS,
        replaces=replaced,
        images=tuple(image.hash for image in turn.images),
    )


def _subject(statements: Sequence[Statement], group: Sequence[int]) -> str:
    """Return whom what stands together is about: the one for whom "she" stands at its end, else as it begins."""
    first, last = subject_name(statements[group[0]]), subject_name(statements[group[-1]])
    return first if last == USER else last


def is_bare(content: str) -> bool:
    """Tell whether a few words say nothing by themselves: no verb, no name, one thing at most, "90 days."."""
    spoken = [word.casefold() for word in content.split()]
    verbs = any(is_verb(word.strip(".,!")) or "'" in word or "’" in word for word in spoken)
    counted = [word for word in spoken if word.strip(".,!") in NUMBERS or not word.strip(".,!").isalpha()]
    telling = stems(content) - stems(" ".join(counted))
    alone = negative(content) or verbs or bool(names(content))
    return 0 < len(spoken) < _FEW and len(telling) < 2 and not alone


def leans_on_before(content: str) -> bool:
    """Tell whether a sentence needs the one before it: it begins with "he" or "it", or has but a few words."""
    words = content.casefold().split()
    if _PRONOUN.match(content):
        return True
    return 0 < len(words) < _FEW and words[0] in words_of("leaning")


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
    asked_for = statement.act.label in ("keep", "remind", "correct")
    return statement.worth[3] * 2 + statement.worth[2] + asked_for
