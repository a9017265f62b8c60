"""The gate between what a model proposes and what memory keeps: rules that hold for every model. Pure.

Only the user's own words and pictures are evidence, never an answer and never recalled text. A draft passes
with the words it rests on as its quote, or is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from persona_cli.english.tokens import (
    names,
    negative,
    numbers,
    sentences,
    stem,
    stems,
    supported,
    values,
    words,
)
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import SemanticMemory, Turn
from persona_cli.remembering.unsaid import unsaid

ENOUGH = 0.5
"""Share of a content's specific words that the user must have said."""
SAME = 0.95
"""Cosine from which two contents can be the same fact, if their names, numbers and polarity agree."""

Knows = Callable[[str], bool]
"""Tells whether a name occurs in what is already remembered."""

_INSTRUCTION = re.compile(
    r"""\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}
        \b(?:instructions?|prompts?|rules?|guidelines|directives?|everything\ (?:above|before)
            |(?:previous|prior|earlier|above)\ (?:messages?|text|context))\b
      | \b(?:system|developer)\s+(?:prompt|message|instructions?)\b
      | <\|?/?(?:system|im_start|im_end|assistant|endoftext)\b | ^[ \t]*(?:system|assistant|developer)[ \t]*:
      | \[/?INST\] | \#{2,}\s*(?:instructions?|system)\b
      | \byou\s+(?:must|should|shall|will|have\ to|are\ to)\s+(?:now\s+)?
        (?:always|never|only|from\ now\ on|respond|answer|reply|obey|comply|act|pretend)\b
      | \bfrom\ now\ on,?\s+(?:you|always|never|respond|answer|reply|act)\b
      | \byou\s+are\s+now\s+(?:an?|the|in)\b.{0,40}\b(?:ai|assistant|model|mode|bot|dan)\b
      | \b(?:jailbreak|developer\ mode|do\ anything\ now)\b
      | \b(?:always|never)\s+(?:respond|reply|answer|obey|reveal|mention|recommend|say)\b.{0,60}
        \b(?:users?|prompt|when\ asked|(?:to|in)\ every)\b
      | \b(?:the\ )?(?:assistant|ai|model|chatbot)\s+(?:must|should|shall|has\ to|is\ to)\s+
        (?:always|never|only|ignore|obey|reveal|respond)\b
      | \breveal\b.{0,30}\b(?:system|hidden|secret)\b
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_HYPOTHESIS = re.compile(
    r"""^\W*(?:what\ if|suppose|supposing|imagine|hypothetically|let['’]s\ (?:say|pretend|imagine)|pretend)\b
      | ^\W*(?:maybe|perhaps)\ (?:i|we)\b
      | \bif\ i\ (?:were|was|had|ever|won|could|wasn['’]t|weren['’]t|didn['’]t)\b
      | \bi\ wish\ i\ (?:were|was|had|could)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_IMAGINED = re.compile(
    r"\W*(?:what if|suppose|supposing|imagine|hypothetically|pretend|let['’]s (?:say|pretend|imagine|suppose))\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^\W*(?:who|whom|whose|what|when|where|which|why|how|do|does|did|is|are|am|was|were|can|could|will|would|should"
    r"|have|has|had|may|might|shall)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A draft that may be kept, with the user's words it rests on."""

    quote: str
    quarantined: bool = False
    """It reads like an instruction to a model: kept for the person to see, never recalled."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A draft that is not kept."""

    reason: str


def judge(draft: SemanticDraft, turn: Turn, recent: Sequence[Turn], knows: Knows) -> Admitted | Refused:
    """Decide whether `draft` rests on what the user said or showed in `turn`.

    What the user said in `recent` turns may lend names and settle pronouns; it is no evidence by itself.
    """
    shown = bool(draft.images) and set(draft.images) <= {image.hash for image in turn.images}
    quote = find_quote(draft, turn.user)
    if not quote and not (shown and not turn.user.strip()):
        return Refused("the user did not say it in this turn")
    if quote and (not_stated(quote) or _in_play(quote, turn.user)):
        return Refused("it was asked or imagined, not stated")
    if reason := _unfounded(draft, turn, " ".join(one.user for one in recent), knows, shown=shown):
        return Refused(reason)
    return Admitted(quote, is_instruction(draft.content) or is_instruction(quote))


def invention(content: str, turn: Turn, earlier: str, knows: Knows) -> str:
    """Return what of `content` nobody said: a name, a number or a date; "" when all of it was said."""
    missing_names, missing_numbers = unsaid(content, turn.user, turn.at)
    missing_names = [name for name in missing_names if not _in(name, earlier) and not knows(name)]
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
    asked = quote.rstrip().endswith("?") and bool(_QUESTION.match(quote))
    return asked or bool(_HYPOTHESIS.search(quote))


def _in_play(quote: str, said: str) -> bool:
    """Tell whether the quote is part of a sentence that asks to imagine something: "let's pretend I'm a king"."""
    return any(quote in sentence and _IMAGINED.match(sentence) for sentence in sentences(said))


def is_instruction(text: str) -> bool:
    """Tell whether a text reads like an instruction to a language model rather than something about a life."""
    return bool(_INSTRUCTION.search(text))


def same_fact(new: SemanticDraft, old: SemanticMemory) -> bool:
    """Tell whether `new` says nothing that `old` does not, given that their vectors are close.

    "Has a cat named Tom" and "has a dog named Tom" lie closer together than most paraphrases: names, numbers
    and polarity must agree, the occasion must be the same, and `new` may bring no word of its own.
    """
    if new.subject.casefold() != old.subject.casefold() or negative(new.content) != negative(old.content):
        return False
    if set(map(stem, names(new.content))) != set(map(stem, names(old.content))):
        return False
    if numbers(new.content) != numbers(old.content) or not same_occasion(new, old):
        return False
    return supported(values(new.content), old.content) == values(new.content)


def same_occasion(new: SemanticDraft, old: SemanticMemory) -> bool:
    """Tell whether two facts can be of one event: a second run on another day is another memory."""
    if new.event is None or old.event is None or old.event.start is None or old.event.end is None:
        return new.event is None or old.event is None or new.event == old.event
    return new.event.overlaps(old.event.start, old.event.end) and new.event != type(new.event)()


def _unfounded(draft: SemanticDraft, turn: Turn, earlier: str, knows: Knows, *, shown: bool) -> str:
    """Return why the user's words do not carry a draft; "" when they do."""
    if not stems(draft.content):
        return "it says nothing"
    if reason := invention(_without_category(draft.content), turn, earlier, knows):
        return reason
    if draft.subject.casefold() not in ("user", "the user", "") and not _spoken_of(draft.subject, turn, earlier, knows):
        return f"nobody spoke of {draft.subject}"
    if (naming := _naming(draft.content)) and supported(values(naming), turn.user) != values(naming):
        return "the user did not name it so"
    return "" if shown or rests_on(draft.content, turn.user, earlier) else "its words are not the user's"


def _locate(quote: str, said: str) -> str:
    """Return the place in `said` that reads like `quote`, whatever its case, spaces, quotes and final stop."""
    parts = words(quote)
    if not parts:
        return ""
    pattern = r"[\W_]+".join(re.sub("['’]", "['’]", re.escape(part)) for part in parts)
    match = re.search(rf"(?<!\w){pattern}(?!\w)[.!?]?", said, re.IGNORECASE)
    return match[0] if match else ""


def _spoken_of(subject: str, turn: Turn, earlier: str, knows: Knows) -> bool:
    said = f"{turn.user} {earlier}"
    return all(
        supported({stem(word)}, said) or knows(word) for word in words(subject) if stems(word) and stem(word) != "user"
    )


def _in(name: str, said: str) -> bool:
    return bool(supported({stem(name)}, said))


def _naming(content: str) -> str:
    """Return what the user calls an object of a picture, which only their words can tell; "" where nothing is named."""
    return content.partition("(")[0].strip() if re.search(r"\(Image Object:", content, re.IGNORECASE) else ""


def _without_category(content: str) -> str:
    """Leave out the category of a named object, which comes from the picture: "(Image Object: dog)"."""
    return re.sub(r"\(Image Object:[^)]*\)", "", content, flags=re.IGNORECASE)
