"""What lasts and what merely happened: only what lasts can cease to hold, what happened once is so for ever.

The first verb of a sentence tells, by word lists: a tagger would be a model of its own for a question this small.
"""

from __future__ import annotations

import re

from persona_cli.english.kept_texts import kept
from persona_cli.english.lexicon import words as word_set
from persona_cli.english.tokens import words
from persona_cli.english.verbs import PAST
from persona_cli.records import SemanticMemory

LINKS = word_set(
    """
    and but because since so as for now to with by after when which last this in on at a an every each per the
    from of or is are too also twice once most before during until daily weekly any again is while if all
    """
)
"""Words that stand between the parts of a sentence, where a verb's past form would not."""


def happened(found: list[str]) -> bool:
    """Tell whether a sentence tells of the past: its first verb, of `found` in small letters, is a past form."""
    for place, word in enumerate(found[:_VERB_BY]):
        if word in PAST or (word.endswith("ed") and len(word) > 4 and word not in _STATES):
            return True
        if word in _PRESENT or (
            place and word.endswith("s") and word not in _PLURALS and "'" not in word and "’" not in word
        ):
            return False
    return False


def lasts(memory: SemanticMemory) -> bool:
    """Tell whether what a memory says can cease to hold: a state, a habit, a plan; not what happened once.

    What was bought or begun lasts on, and so does what fills a slot: "moved to Hull" until the next move.
    """
    return bool(memory.slot) or _may_end(memory.content)


@kept
def _may_end(content: str) -> bool:
    found = [word.casefold() for word in words(content)]
    return not happened(found) or bool(_BEGUN & set(found[:_VERB_BY]))


def corrects(said: str) -> bool:
    """Tell whether the words set something right that was said before, even what happened."""
    return bool(_CORRECTING.search(said))


_CORRECTING = re.compile(
    r"^\W*(?:no|actually|sorry|correction|wait|oops)\b|\b(?:scratch that|i meant|(?:that )?was wrong|my mistake"
    r"|not .{1,30} but|, not \w+)\b",
    re.IGNORECASE,
)
_VERB_BY = 6
"""Words of a sentence among which its first verb stands."""
_STATES = word_set(
    """
    retired married engaged divorced separated interested tired scared addicted named called based employed bored used
    need
    """
)
_PRESENT = word_set("is are has have does do will can cannot am may might")
_PLURALS = word_set(
    "parents kids grandparents friends colleagues neighbours cats dogs twins sisters brothers others sometimes always"
)
_BEGUN = word_set(
    """
    bought got adopted joined started began took became signed rented leased opened subscribed switched moved changed
    """
)
