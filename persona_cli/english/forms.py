"""From one grammatical person to another: the user says "I", another program's note "the user", an answer "you".

A turning is done where it is certain, else the answer is None and the caller quotes: the verb that has to agree is one
that is known, nothing in quotation marks is touched, nobody else speaks, and turning back gives the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from persona_cli.english.lexicon import AUXILIARIES, NOT_NAMES, PEOPLE, PETS, word_class, words
from persona_cli.english.speakers import Voice, stretches
from persona_cli.english.verbs import BASES, PAST, SAME_IN_PAST, base_verb, is_adverb, is_verb, singular

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|\s+|.", re.DOTALL)
_QUOTATION = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)['‘][^'‘’\n]{3,}['’](?!\w)")
_SHORT = {"im": "I'm", "ive": "I've", "i": "I", "i'm": "I'm", "i've": "I've", "i'll": "I'll", "i'd": "I'd"}
_SECOND = {
    "I": "you", "I'm": "you're", "I've": "you've", "I'll": "you'll", "I'd": "you'd",
    "me": "you", "my": "your", "mine": "yours", "myself": "yourself",
    "we": "you", "we're": "you're", "we've": "you've", "we'll": "you'll", "we'd": "you'd",
    "us": "you", "our": "your", "ours": "yours", "ourselves": "yourselves",
}  # fmt: skip
_FIRST = {"am": "are", "was": "were", "wasn't": "weren't", "amn't": "aren't"}
_YOURS = words("you your yours yourself yourselves you're you've you'll you'd u ur y'all ya thou thee")
_NO_VERB = words("much very so too this that no longer therefore")
_NUMBERED = words("war type part chapter phase stage act volume class category elizabeth charles james henry")
"""Before "I" it is a number: "World War I", "type I"."""
_SET_PHRASE = re.compile(
    r"\b(?:oh my\b|my (?:god|gosh|goodness|word|bad)\b|let['’]?s\b"
    r"|(?:excuse|pardon|bless|trust|believe|forgive|poor|dear|woe is) me\b)",
    re.IGNORECASE,
)
_ASKED_OF_ME = re.compile(r"\W*(?:please |just |now )*(?P<verb>\w+) (?:me|us)\b(?! and\b)", re.IGNORECASE)
_ONLY_PAST = PAST - AUXILIARIES - SAME_IN_PAST - word_class("other_words", "verbs") - words("left thought felt found")
_JOINING = words("and but or then yet")


def mirror(text: str) -> str | None:
    """Turn the user's own sentence to the second person: "I was in York" is "You were in York".

    None where that is not certain: it speaks to somebody, asks, is shouted, has somebody else's "I" in it, or its verb
    is not known.
    """
    parts = _parts(text)
    if parts is None or text.rstrip().endswith("?") or _SET_PHRASE.search(text) or _is_shouted(text):
        return None
    if any(voice is not Voice.OWN and text[start] not in _MARKS for start, voice in _spoken(text)):
        return None
    asked = _ASKED_OF_ME.match(text)
    if asked and asked["verb"].lower() in BASES:
        return None
    turned = [piece if quoted else _mirrored(piece) for piece, quoted in parts]
    if None in turned:
        return None
    said = "".join(piece for piece in turned if piece is not None)
    return said if _gives_back(said, text) else None


def to_second(content: str) -> str | None:
    """Turn a sentence about the user to the second person: "The user's dog is old" is "Your dog is old".

    None where the verb that goes with "the user" is not known, or "they" may be others.
    """
    own = _OWN.match(content) is not None
    return _turned(content, _YOU, own=own, alone=own and not _others_named(content))


def to_first(content: str) -> str | None:
    """Turn a sentence about the user into their own: "The user has sold her car" is "I have sold my car".

    None where a verb is not known, or where "she" or "they" come behind somebody else and may be either.
    """
    content = _TOGETHER.sub(lambda match: f"The user's {match['who']} and I ", content, count=1)
    own = _OWN.match(content) is not None
    content = _named_again(content) if own else content
    unclear = _ANYBODY if own else _SEVERAL
    if not unclear.isdisjoint(re.findall(r"[a-z']+", content.lower())):
        return None
    return _turned(content, _I, own=own, alone=False)


def _turned(content: str, person: _Person, *, own: bool, alone: bool) -> str | None:
    if not re.search(r"\bthe user\b", content, re.IGNORECASE):
        return capital(content)
    parts = _parts(content)
    if parts is None:
        return None
    turned = [piece if quoted else _told(piece, person, own=own, alone=alone) for piece, quoted in parts]
    return None if None in turned else capital("".join(piece for piece in turned if piece is not None))


def tells_of_one(content: str) -> bool:
    """Tell whether a sentence names nobody but who it begins with, so that "she" in the next one is the same."""
    return next(_named([token for token in _TOKEN.findall(content) if token.strip()]), None) is None


def capital(text: str) -> str:
    """Return `text` with its first letter large."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return `text` to go on inside a sentence: small first letter, unless the word is a name or "I"."""
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if first.lower().rstrip(",") in _OPENERS else text


_OPENERS = words(
    """you your you're you've you'll you'd the a an this that these those there it its on in at last next every some my
    his her their we he she they no not when where while after before once"""
)


def _parts(text: str) -> list[tuple[str, bool]] | None:
    """Return the text in pieces and whether each is quoted; None where a quotation mark is left over."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for match in _QUOTATION.finditer(text):
        pieces += [(text[at : match.start()], False), (match[0], True)]
        at = match.end()
    pieces.append((text[at:], False))
    return None if any(re.search(r"[\"“”«»]", piece) for piece, quoted in pieces if not quoted) else pieces


_MARKS = "\"“«'‘"


def _spoken(text: str) -> Iterator[tuple[int, Voice]]:
    return ((part.start, part.voice) for part in stretches(text))


def _is_shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return len(letters) > 6 and sum(letter.isupper() for letter in letters) > 0.6 * len(letters)


def _plain(word: str) -> str:
    """Return a word as the tables have it: small letters, "I" large, straight apostrophes."""
    lower = word.lower().replace("’", "'")
    return _SHORT.get(lower, lower)


def _mirrored(piece: str) -> str | None:
    """Turn what stands between quotations; None where a word of it is not certain."""
    tokens = _TOKEN.findall(piece)
    places = [place for place, token in enumerate(tokens) if token.strip()]
    plain = [_plain(tokens[place]) if tokens[place] != "US" else "US" for place in places]
    if not _YOURS.isdisjoint(plain):
        return None
    spoke = False
    for number, (place, word) in enumerate(zip(places, plain, strict=True)):
        before, after = plain[max(0, number - _NEAR) : number], plain[number + 1 : number + _NEAR]
        other = _SECOND.get(word)
        if word in _FIRST:
            agrees = _agreeing(word, before, after, spoke=spoke)
            if agrees is None:
                return None
            tokens[place] = agrees
        elif other is not None:
            if not _is_certain(word, before, after):
                return None
            first = not before or before[-1] in {".", "!", "…", ";"}
            tokens[place] = capital(other) if first and tokens[place][0].isupper() else other
        spoke = spoke or word in _SECOND
    return "".join(tokens)


_NEAR = 12
"""Words on either side of one that are looked at."""


def _agreeing(word: str, before: Sequence[str], after: Sequence[str], *, spoke: bool) -> str | None:
    """Return the form of "am" or "was" that goes with its subject; None where that is left out: "and was tired"."""
    subject = next((word for word in reversed(before) if not is_adverb(word)), "")
    if word == "am":
        return "am" if subject.isdigit() or subject == ":" else "are"
    if subject == "I" or after[:1] == ["I"]:
        return _FIRST[word]
    return None if spoke and subject in _JOINING | {","} else word


def _is_certain(word: str, before: Sequence[str], after: Sequence[str]) -> bool:
    if word == "mine":
        return bool(before) and before[-1] in AUXILIARIES | words("of than like to with as and")
    if word in {"I", "we"}:
        if before and before[-1] in _NUMBERED:
            return False
        inverted = before[-1:] and before[-1] in AUXILIARIES
        return bool(inverted) or _has_verb(after)
    return True


def _has_verb(after: Sequence[str]) -> bool:
    """Tell whether the next word that is no adverb is surely a verb, and not two in a row: "I rose gave"."""
    rest = list(after)
    while rest and (is_adverb(rest[0]) or rest[0] in _NO_VERB) and not (rest[0] in BASES and len(rest) == 1):
        rest.pop(0)
    if not rest or not is_verb(rest[0]):
        return False
    following = rest[1] if len(rest) > 1 else ""
    return rest[0] in AUXILIARIES | SAME_IN_PAST or following not in _ONLY_PAST


def _gives_back(turned: str, text: str) -> bool:
    """Tell whether turning back gives the words that were said, each "you" as one of what it stands for."""
    back, said = (list(_compared(one)) for one in (turned, text))
    return len(back) == len(said) and all(
        word == other or _SECOND.get(other) == word or (_FIRST.get(other) == word and _second_beside(back, place))
        for place, (word, other) in enumerate(zip(back, said, strict=True))
    )


def _compared(text: str) -> Iterator[str]:
    return (_plain(token) for token in _TOKEN.findall(text) if token.strip())


def _second_beside(words_: Sequence[str], place: int) -> bool:
    """Tell whether "you" is near enough a verb to be its subject."""
    return not _YOURS.isdisjoint(words_[max(0, place - 4) : place + 2])


_USER = re.compile(r"\b[Tt]he user(?P<whose>['’]s)?(?: and others)?\b")
_OWN = re.compile(r"The user\b(?!['’]s)")
_TOGETHER = re.compile(r"The user and (?:their|his|her) (?P<who>\w+(?: [A-Z][\w-]+)?) ")
_ANYBODY = words("they them their theirs themselves he him his himself she her hers herself")
_SEVERAL = words("they them their theirs themselves")
_IN_A_PLACE = words("in at near around")


@dataclass(frozen=True, slots=True)
class _Person:
    """The words for the user in one grammatical person."""

    subject: str
    object: str
    whose: str
    verbs: Mapping[str, str]
    """Forms that differ from those with "you"."""
    theirs: Mapping[str, str]
    """What takes the place of "they" and its forms, where only the user can be meant."""


_YOU = _Person(
    "you", "you", "your", {},
    {"their": "your", "theirs": "yours", "themselves": "yourself", "them": "you", "they": "you"},
)  # fmt: skip
_I = _Person("I", "me", "my", {"are": "am", "were": "was", "aren't": "am not", "weren't": "wasn't"}, {})


def _others_named(content: str) -> bool:
    """Tell whether somebody beside the user is in a sentence, whom "they" may mean."""
    found = re.findall(r"[\w'’-]+", content)
    named = any(word[0].isupper() and word.lower() not in NOT_NAMES for word in found[2:] if word[0].isalpha())
    return named or any(_is_person(word) for word in found)


def _is_person(word: str) -> bool:
    return word.lower().removesuffix("s") in PEOPLE | PETS


def _named_again(content: str) -> str:
    """Put "the user" for "she" and "they" up to the first word that may be the name of somebody else."""
    tokens = _TOKEN.findall(content)
    places = [place for place, token in enumerate(tokens) if token.strip()]
    words_ = [tokens[place] for place in places]
    somebody = next(_named(words_), len(words_))
    for number in range(2, somebody):
        after = words_[number + 1].lower() if number + 1 < len(words_) else ""
        tokens[places[number]] = _again(words_[number].lower(), after) or words_[number]
    return "".join(tokens)


def _named(words_: Sequence[str]) -> Iterator[int]:
    """Yield the places of words that may be somebody beside the first two: no name of a town, "at UZ Gent"."""
    in_place = False
    for number, word in enumerate(words_[2:], 2):
        capital_ = word[0].isupper() and word.lower() not in NOT_NAMES
        in_place = capital_ and (in_place or words_[number - 1].lower() in _IN_A_PLACE)
        if (capital_ and not in_place) or _is_person(word):
            yield number


def _again(word: str, after: str) -> str:
    """Return what stands for a pronoun of the user; "" for another word."""
    if word in {"their", "his"} or (word == "her" and not _is_object([after])):
        return "the user's"
    if word in {"themselves", "himself", "herself"}:
        return "myself"
    return "the user" if word in {"they", "them", "he", "him", "she", "her"} else ""


def _told(piece: str, person: _Person, *, own: bool, alone: bool) -> str | None:
    """Turn what a sentence tells of the user; None where a verb or "they" is not certain."""
    tokens = _TOKEN.findall(_USER.sub(lambda match: _MARK + (person.whose if match["whose"] else "you"), piece))
    places = [place for place, token in enumerate(tokens) if token.strip(f"{_MARK} ")]
    plain = [tokens[place].lower().replace("’", "'") for place in places]
    if own and not alone and not person.theirs.keys().isdisjoint(plain):
        return None

    def agree(verb: int) -> None:
        base = base_verb(tokens[places[verb]])
        tokens[places[verb]] = person.verbs.get(base, base)

    for number, (place, word) in enumerate(zip(places, plain, strict=True)):
        if word == "you" and place and tokens[place - 1] == _MARK:
            verb = _verb_place(plain, number + 1)
            if verb is None and not _is_object(plain[number + 1 : number + 2]):
                return None
            if verb is not None:
                if tokens[places[verb]] != tokens[places[verb]].lower():
                    return None
                agree(verb)
            tokens[place] = person.object if verb is None else person.subject
        elif own and word in _JOINING and (verb := _second_verb(plain, number + 1)) is not None:
            agree(verb)
        elif alone and word in person.theirs:
            tokens[place] = person.theirs[word]
    return "".join(tokens).replace(_MARK, "")


_MARK = "\x00"
"""Stands before the words put for "the user", so that they are told from a "you" that was there."""


_AGREEING = words("is has does was isn't hasn't doesn't wasn't")


def _verb_place(plain: Sequence[str], start: int) -> int | None:
    """Return where the verb of "you" stands, None where what follows is none."""
    place = start
    while place < len(plain) and (is_adverb(plain[place]) or plain[place] in _NO_VERB):
        place += 1
    if place == len(plain):
        return None
    word = plain[place]
    known = base_verb(word) in BASES or is_verb(word) or word in _AGREEING
    following = plain[place + 1] if place + 1 < len(plain) else ""
    doubled = following in _ONLY_PAST and word not in AUXILIARIES | SAME_IN_PAST
    return place if known and not doubled else None


def _is_object(after: Sequence[str]) -> bool:
    """Tell whether what follows shows that "you" is no subject: "gave you a rose", "near you."."""
    first = after[0] if after else "."
    return not first[0].isalpha() or first in word_class("stop") - AUXILIARIES or first in words("tomorrow today")


def _second_verb(plain: Sequence[str], start: int) -> int | None:
    """Return where a second verb stands after "and": in "sings and loves hiking", not in "likes walks and runs"."""
    verb = _verb_place(plain, start)
    if verb is None or verb + 1 >= len(plain) or not plain[verb + 1][0].isalpha():
        return None
    word = plain[verb]
    certain = word in _AGREEING or (base_verb(word) != word and singular(base_verb(word)) == word)
    return verb if certain else None
