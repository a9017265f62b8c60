"""The gate between what a model proposes and what memory keeps: rules that hold for every model. Pure.

Only the user's own words and pictures are evidence, never an answer and never recalled text. A draft passes
with the words it rests on as its quote, or is refused by the first of `RULES` that finds something. What of a
sentence nobody said (names, numbers, dates) is found here too; the calendar of the time words counts as said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from persona_cli.english.people import SOMEBODY, USER, unsaid_attributes, unsaid_relatives
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import (
    DAYS,
    MONTHS,
    NUMBERS,
    UNCOUNTED,
    abbreviated,
    is_date,
    names,
    numbers,
    stem,
    stems,
    supported,
    telling_words,
    values,
    word_stems,
    words,
)
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Turn
from persona_cli.remembering.instructions import is_instruction
from persona_cli.remembering.rules.signs import shows
from persona_cli.timewords import find_times, settled

ENOUGH = 0.5
"""Share of a content's specific words that the user must have said."""

Knows = Callable[[str], bool]
"""Tells whether a name occurs in what is already remembered."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A draft that may be kept, with the user's words it rests on."""

    quote: str
    quarantined: bool = False
    """It reads like an instruction to a model: kept for the person to see, never recalled."""
    misnamed: str = ""
    """What the draft calls something that the user called otherwise: then their own words are what is kept."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A draft that is not kept."""

    rule: str
    """The name of the rule that refused it."""
    reason: str


_SENTENCE = 3
"""Words that a quote needs to be understood by itself."""
_SPEAKING = frozenset(("i", "my", "me", "mine", "i'm", "i've"))
_GUESSED = re.compile(r"^\W*(?:maybe|perhaps)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft with what it may rest on."""

    draft: SemanticDraft
    turn: Turn
    quote: str
    """The user's own words that come closest; "" where none do."""
    earlier: str
    """What the user said in the turns before, which may lend names and is no evidence."""
    knows: Knows

    @property
    def shown(self) -> bool:
        """Tell whether the turn showed the pictures of the draft."""
        return bool(self.draft.images) and set(self.draft.images) <= {image.hash for image in self.turn.images}


def judge(draft: SemanticDraft, turn: Turn, recent: Sequence[Turn], knows: Knows) -> Admitted | Refused:
    """Decide whether `draft` rests on what the user said or showed in `turn`.

    What the user said in `recent` turns may lend names and settle pronouns; it is no evidence by itself.
    """
    earlier = " ".join(turn.user for turn in recent)
    proposal = Proposal(draft, turn, find_quote(draft, turn.user), earlier, knows)
    for name, rule in RULES:
        if reason := rule(proposal):
            return Refused(name, reason)
    told = (draft.content, draft.subject, " ".join(draft.keywords), proposal.quote)
    return Admitted(proposal.quote, any(map(is_instruction, told)), _misnamed(proposal))


def invention(content: str, turn: Turn, earlier: str, knows: Knows) -> str:
    """Return what of `content` nobody said: a name, a number or a date; "" when all of it was said."""
    missing_names, missing_numbers = unsaid(content, turn.user, turn.at)
    missing_names = [name for name in missing_names if not supported({stem(name)}, earlier) and not knows(name)]
    if missing := missing_names + missing_numbers:
        return "the user did not say " + ", ".join(missing)
    return ""


def rests_on(content: str, said: str, earlier: str = "") -> bool:
    """Tell whether enough of what is specific in `content` was said; words of earlier turns count neither way."""
    wanted = values(_without_category(content))
    found = supported(wanted, said)
    counted = wanted - (supported(wanted, earlier) - found)
    return bool(found) and len(found) >= ENOUGH * len(counted)


def find_quote(draft: SemanticDraft, said: str) -> str:
    """Return the user's own words a draft rests on: its quote if they are in the text, else the closest sentence."""
    if draft.quote and (place := _locate(draft.quote, said)):
        return place
    wanted = values(draft.content) | {stem(word) for keyword in draft.keywords for word in words(keyword)}
    best = max(sentences(said), key=lambda sentence: len(supported(wanted, sentence)), default="")
    return best if best and supported(values(draft.content), best) else ""


def not_stated(quote: str) -> bool:
    """Tell whether the words are a question or an imagined case."""
    return (quote.rstrip().endswith("?") and shows("question", quote)) or shows("imagined", quote)


def unsaid(content: str, said: str, at: datetime) -> tuple[list[str], list[str]]:
    """Return the names of `content` that were not `said`, and its numbers and dates that were not.

    What time words stand for was said ("yesterday" allows its date), and so was the date of the turn itself
    where the content writes it out.
    """
    there = word_stems(said)
    content = _without_date(content, at)
    missing = [name for name in names(content) if stem(name) not in there and not abbreviated(name, there)]
    dates = [word for word in words(content) if is_date(word) and stem(word) not in there]
    counted = {NUMBERS[word.casefold()] for word in words(content) if word.casefold() in NUMBERS.keys() - UNCOUNTED}
    uncounted = {int(digits[-9:]) for digits in re.findall(r"\d+", content)} | counted
    uncounted -= _spoken(said, numbers(said))
    if not (missing or dates or uncounted):
        return [], []
    # time words are looked at last, being the slow part of a long text
    calendar_words, calendar_numbers = _calendar(said, at)
    uncounted -= _spoken(said, calendar_numbers)
    missing = [name for name in missing if name.casefold() not in calendar_words]
    dates = [word for word in dates if word.casefold() not in calendar_words]
    return missing, dates + [str(number) for number in sorted(uncounted)]


def _said(proposal: Proposal) -> str:
    only_shown = proposal.shown and not proposal.turn.user.strip()
    return "" if proposal.quote or only_shown else "the user did not say it in this turn"


def _stated(proposal: Proposal) -> str:
    own = _locate(proposal.draft.content, proposal.turn.user)
    # a guess in the person's own words stays a guess, and "could you remember that" asks nothing
    quote = _GUESSED.sub("", own) if own else proposal.quote
    imagined = quote and (not_stated(quote) or _in_play(quote, proposal.turn.user))
    return "it was asked or imagined, not stated" if imagined else ""


def _telling(proposal: Proposal) -> str:
    return "" if stems(proposal.draft.content) else "it says nothing"


def _not_invented(proposal: Proposal) -> str:
    content = _without_category(proposal.draft.content)
    return invention(content, proposal.turn, proposal.earlier, proposal.knows)


def _of_somebody(proposal: Proposal) -> str:
    subject = proposal.draft.subject
    known = subject.casefold() in (USER, "the user", SOMEBODY, "") or _spoken_of(proposal)
    return "" if known else f"nobody spoke of {subject}"


def _named_by_user(proposal: Proposal) -> str:
    wanted = values(naming) if (naming := _naming(proposal.draft.content)) else set()
    return "" if supported(wanted, proposal.turn.user) == wanted else "the user did not name it so"


def _in_their_words(proposal: Proposal) -> str:
    founded = proposal.shown or rests_on(proposal.draft.content, proposal.turn.user, proposal.earlier)
    if not founded and proposal.draft.replaces:
        # what is put right has its other words from the sentence it puts right, and of its own perhaps a date alone
        wanted = values(proposal.draft.content)
        founded = supported(wanted, f"{proposal.turn.user} {proposal.earlier}") == wanted
    return "" if founded else "its words are not the user's"


RULES: tuple[tuple[str, Callable[[Proposal], str]], ...] = (
    ("said in this turn", _said),
    ("stated", _stated),
    ("tells something", _telling),
    ("nothing invented", _not_invented),
    ("of somebody spoken of", _of_somebody),
    ("named by the user", _named_by_user),
    ("in the user's words", _in_their_words),
)
"""What each draft has to be; a rule returns why it is not so, or "". The first that does refuses the draft."""


def _misnamed(proposal: Proposal) -> str:
    """Return the word for a job, a home, a relative that a model put there, or its "I" in words of its own.

    A small model makes "My job is to have a dog named Max" of "I have a dog called Max", and "The fact is that I am a
    nurse" of "I am a nurse"; every value of both was said. What is told of the user is told of "the user".
    """
    quote, draft = proposal.quote, proposal.draft
    whole = len(words(quote)) >= _SENTENCE and not quote.rstrip().endswith("?")
    if draft.quote or draft.images or draft.replaces or not whole:
        return ""
    said = proposal.turn.user
    invented = unsaid_attributes(draft.content, said)
    invented |= unsaid_relatives(draft.content, f"{said} {proposal.earlier}")
    if called := [word for word in words(draft.content) if stem(word) in invented]:
        return called[0]
    speaking = _SPEAKING & set(words(draft.content.casefold()))
    return min(speaking) if speaking and not _locate(draft.content, said) else ""


def _in_play(quote: str, said: str) -> bool:
    """Tell whether the quote is part of a sentence that asks to imagine something: "let's pretend I'm a king"."""
    return any(quote in sentence and shows("let us imagine", sentence) for sentence in sentences(said))


def _locate(quote: str, said: str) -> str:
    """Return the place in `said` that reads like `quote`, whatever its case, spaces, quotes and final stop."""
    parts = words(quote)
    if not parts:
        return ""
    pattern = r"[\W_]+".join(re.sub("['’]", "['’]", re.escape(part)) for part in parts)
    match = re.search(rf"(?<!\w){pattern}(?!\w)[.!?]?", said, re.IGNORECASE)
    return match[0] if match else ""


def _spoken_of(proposal: Proposal) -> bool:
    spoken = f"{proposal.turn.user} {proposal.earlier}"
    return all(
        supported({stem(word)}, spoken) or proposal.knows(word)
        for word in telling_words(proposal.draft.subject)
        if stem(word) != "user"
    )


def _naming(content: str) -> str:
    """Return what the user calls an object of a picture, which only their words can tell; "" where nothing is named."""
    return content.partition("(")[0].strip() if re.search(r"\(Image Object:", content, re.IGNORECASE) else ""


def _without_category(content: str) -> str:
    """Leave out the category of a named object, which comes from the picture: "(Image Object: dog)"."""
    return re.sub(r"\(Image Object:[^)]*\)", "", content, flags=re.IGNORECASE)


def _spoken(said: str, found: Set[int]) -> Set[int]:
    """Add to the numbers of a text the hours of the afternoon: 18 for "6 pm"."""
    if not re.search(r"\d\s*p\.?m|evening|night|afternoon", said, re.IGNORECASE):
        return found
    return found | {number + 12 for number in found if number < 12}


def _calendar(said: str, at: datetime) -> tuple[set[str], set[int]]:
    """Return the words and the numbers that dates of the time words in `said` are written with."""
    calendar_words: set[str] = set()
    calendar_numbers: set[int] = set()
    for phrase in find_times(said, at):
        for form in (settled(phrase), settled(phrase, yearly=True)):
            calendar_numbers |= {int(digits) for digits in re.findall(r"\d+", form or "")}
            calendar_words |= {word.casefold() for word in words(form or "")}
        for moment in _ends(phrase.window.start, phrase.window.end):
            calendar_words |= {MONTHS[moment.month - 1], MONTHS[moment.month - 1][:3]}
            calendar_words |= {DAYS[moment.weekday()], DAYS[moment.weekday()][:3]}
            calendar_numbers |= {moment.year, moment.month, moment.day, moment.hour, moment.minute}
    return calendar_words, calendar_numbers


def _ends(start: datetime | None, end: datetime | None) -> Iterator[datetime]:
    if start is not None:
        yield start
    if end is not None:
        yield end - timedelta(minutes=1)


def _without_date(content: str, at: datetime) -> str:
    month = MONTHS[at.month - 1]
    year = rf"(?:,?\s+{at.year})?"
    day = rf"0?{at.day}(?:st|nd|rd|th)?"
    weekday = rf"(?:{DAYS[at.weekday()]},?\s+)?"
    pattern = rf"\b(?:{at:%Y-%m-%d}|{weekday}{day}\s+(?:of\s+)?{month}{year}|{weekday}{month}\s+{day}{year})\b"
    return re.sub(pattern, " ", content, flags=re.IGNORECASE)
