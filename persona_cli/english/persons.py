"""From one grammatical person to another: a memory says "the user", the user says "I", the answer says "you".

Only forms that are certain are changed; where a sentence speaks to the assistant ("you") it is not turned at all.
"""

from __future__ import annotations

import re

from persona_cli.english.lexicon import words as word_set
from persona_cli.english.verbs import base_verb

_THEMSELVES = re.compile(r"\bthemselves\b")
_ADVERB = (
    r"(?:(?:\w+ly|also|always|never|often|sometimes|still|no longer|just|now|once|already|usually|even|currently|only"
    r"|soon|seldom)\s+)*"
)
_SECOND_VERB = re.compile(
    rf"\b(and|but|or)\s+({_ADVERB})(is|was|has|does|goes|likes|loves|hates|lives|works|plays|wants|plans|prefers|"
    r"enjoys|studies|needs|runs|owns|thinks|hopes|takes|drinks|eats|doesn't|isn't|wasn't|hasn't)\b"
)
_FIRST = {
    "i": "you",
    "i'm": "you're",
    "i've": "you've",
    "i'll": "you'll",
    "i'd": "you'd",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "we": "you",
    "we're": "you're",
    "we've": "you've",
    "we'll": "you'll",
    "we'd": "you'd",
    "us": "you",
    "our": "your",
    "ours": "yours",
    "ourselves": "yourselves",
}


def to_second(content: str) -> str:
    """Turn a memory in the third person ("The user's dog is ...") to the second ("Your dog is ...")."""
    content = re.sub(r"\b([Tt]he user) and others\b", r"\1", content)
    about_user = re.match(r"the user\b", content, re.I) is not None
    text = re.sub(r"\b[Tt]he user['’]s\b", "your", content)
    text = re.sub(
        rf"\b[Tt]he user((?:\s+and\s+[^,.]{{1,40}}?)?\s+)({_ADVERB})(\w+(?:['’]t)?)\b",
        lambda match: f"you{match[1]}{match[2]}{base_verb(match[3]) if match[1].isspace() else match[3]}",
        text,
    )
    text = re.sub(r"\b[Tt]he user\b", "you", text)
    if about_user:
        text = _THEMSELVES.sub("yourself", text)
        text = _SECOND_VERB.sub(lambda match: f"{match[1]} {match[2]}{base_verb(match[3])}", text)
    return capital(text)


def mirror(text: str) -> str | None:
    """Turn the user's own sentence to the second person, or return None where that would not be safe."""
    if re.search(r"\b(?:you|your|yours|yourself)\b", text, re.I) or '"' in text:
        return None
    text = re.sub(r"\b(?:I|i)\s+(am|was)\b", lambda match: "you " + _IRREGULAR_FIRST[match[1]], text)
    text = re.sub(r"\b(am|was)\s+(?:I|i)\b", lambda match: _IRREGULAR_FIRST[match[1]] + " you", text)
    text = re.sub(r"\b(?:I|i)\s+(wasn['’]t)\b", "you weren't", text)
    return re.sub(r"[A-Za-z]+(?:['’][a-z]+)?", lambda match: _swap(match[0]), text)


def capital(text: str) -> str:
    """Return `text` with its first letter large."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return `text` to go on inside a sentence: small first letter, unless the word is a name or "I"."""
    first = text.split(" ", 1)[0]
    if first.lower().rstrip(",") in _OPENERS:
        return text[:1].lower() + text[1:]
    return text


_OPENERS = word_set(
    """
    you your you're you've you'll you'd the a an this that these those there it its on in at last next every
    some my his her their we he she they no not when where while after before once
    """
)
_IRREGULAR_FIRST = {"am": "are", "was": "were"}


def _swap(word: str) -> str:
    other = _FIRST.get(word.lower().replace("’", "'"))
    if other is None:
        return word
    return capital(other) if word[0].isupper() and word.lower() != "i" and not word.lower().startswith("i'") else other
