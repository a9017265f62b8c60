"""English the built-in model can turn: contractions written out, chat spelling tidied, "I am" to "the user is".

`tidy` brings any spelling of a clause to plain full forms, so that every other module matches one form only;
`third_person` turns such a clause into one sentence about the user, with the verbs agreeing.
"""

from __future__ import annotations

import re

from persona_cli.english.lexicon import (
    ADVERBS,
    AUXILIARIES,
    BASE,
    KIN,
    MODALS,
    PEOPLE,
    PETS,
)
from persona_cli.english.verbs import LOOKS_PAST, PARTICIPLES, SAME_IN_PAST, is_adverb, is_past, singular

TOKEN = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|\s+|.", re.S)

_CURLY = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": '"', "”": '"'})


def straighten(text: str) -> str:
    """Return `text` with plain quotation marks and apostrophes; every character keeps its place."""
    return text.translate(_CURLY)


_SPELLING = {
    r"i'?m(?:a)?": "I am",
    r"i'?ve": "I have",
    r"i'll": "I will",
    r"ain't": "am not",
    r"wo(?:n't|nt)": "will not",
    r"shan'?t": "shall not",
    r"can'?t": "cannot",
    r"can not": "cannot",
    r"(do|does|did|is|are|was|were|have|has|had|would|could|should|must|need|might)n'?t": r"\1 not",
    r"(we|they|you)'re": r"\1 are",
    r"(we|they|you|he|she|it|there|that)'ll": r"\1 will",
    r"(we|they|you)'ve": r"\1 have",
    r"(he|she|it|that|there)'s (been|got|had|gone|become|started|moved|turned|finished|left|passed)": r"\1 has \2",
    r"(he|she|it|that|there|here|what|who|where)'s": r"\1 is",
    r"(name|birthday|favou?rite \w+)'s": r"\1 is",
    r"(name)s (?=[A-Za-z]+\b)": r"\1 is ",
    r"(s?he)s": r"\1 is",
    r"its (?=(?:an?|the|my|not|been|so|very|really|just|\w+ed)\b)": "it is ",
    r"gonna": "going to",
    r"gotta": "have to",
    r"wanna": "want to",
    r"(?:cuz|coz|cos|bc|'cause|'cos)": "because",
    r"luv": "love",
    r"fave?|favorite": "favourite",
    r"u": "you",
    r"ur": "your",
    r"yrs": "years",
    r"i": "I",
    r"gf": "girlfriend",
    r"bf": "boyfriend",
    r"bday": "birthday",
    r"(?:any ?more|anylonger|any longer)": "any more",
}
_SPELLED = tuple((re.compile(rf"(?<![\w'])(?:{old})(?![\w'])", re.I), new) for old, new in _SPELLING.items())
_WOULD = re.compile(r"\b(I|we|they|he|she|you)'?d(?= (?:(\w+) )?(\w+))", re.I)
_OWNED = re.compile(
    rf"\b({'|'.join(sorted(PEOPLE | PETS))})'s (?=(?:called|named|a|an|from|pregnant|getting|going|moving|retired|dead"
    rf"|ill|sick|away|back|coming|not|in|at|very|\w+ing(?! (?:is|was)))\b)",
    re.I,
)


_NO_OWNER = "Let It That What There Here Who How Where When Today He She Mother Father Valentine Year"
_AFTER_IS = "a an the called from expecting pregnant in not very really always still getting going moving coming having"
_NAMED_IS = re.compile(
    rf"\b(?!(?:{'|'.join(_NO_OWNER.split())})'s)([A-Z][a-z]+)'s (?=(?:{'|'.join(_AFTER_IS.split())})\b)"
)
_OWN_KIN = "mum mom dad mummy daddy nan nana gran granny grandma grandpa grandad granddad mama papa"
_BEFORE_KIN = "|".join(f"(?<={word} )" for word in ["and", "but", "with", "because", "so", "that"])
_KIN_ALONE = re.compile(
    rf"(?:^|{_BEFORE_KIN})(?:{'|'.join(_OWN_KIN.split())})(?='s? |,? \w+|$)(?! (?:of|and (?:a|the)|jokes?)\b)", re.I
)
"""One's own, without "my": "Dad's retired now"."""


def tidy(text: str) -> str:
    """Return `text` in full forms and one space: "im" and "I’m" become "I am", "dont" becomes "do not"."""
    text = " ".join(straighten(text).split())
    text = re.sub(r"\bid (?=(?:love|like|rather|prefer|been|always|never)\b)", "I'd ", text, flags=re.I)
    text = _WOULD.sub(_would_or_had, text)
    for pattern, new in _SPELLED:
        text = pattern.sub(new, text)
    text = _NAMED_IS.sub(r"\1 is ", _OWNED.sub(r"\1 is ", text))
    return _KIN_ALONE.sub(lambda match: f"my {match[0].lower()}", text)


def _would_or_had(match: re.Match[str]) -> str:
    following = [word.lower() for word in (match[2] or "", match[3]) if word]
    after = next((word for word in following if word not in ADVERBS), "")
    perfect = after in PARTICIPLES - SAME_IN_PAST - {"come", "become"} or (
        after.endswith("ed") and after not in LOOKS_PAST
    )
    return f"{match[1]} {'had' if perfect or after == 'better' else 'would'}"


_OTHER_SUBJECTS = frozenset(
    [
        "he",
        "she",
        "they",
        "it",
        "you",
        "who",
        "that",
        "which",
        "as",
        "because",
        "when",
        "where",
        "if",
        "while",
        "since",
        "until",
        "these",
        "those",
        "people",
    ]
)
_REPLACED = {
    "me": "the user",
    "my": "the user's",
    "mine": "the user's",
    "our": "the user's",
    "ours": "the user's",
    "myself": "themselves",
    "ourselves": "themselves",
}
_INVERTED = MODALS | {"am", "do", "have", "are"}
_PAST_SIGNS = re.compile(
    r"\b(?:yesterday|last (?:night|week|month|year|\w+day)|ago|this morning|finally|just|already|earlier)\b", re.I
)


def third_person(plain: str, company: str = "others") -> str:
    """Turn a tidied clause into one sentence about the user; `company` is who "we" are besides them."""
    return _Turner(plain, company).sentence()


class _Turner:
    """Walks over the words of a clause once; knows whether the next verb still has to agree with "the user"."""

    def __init__(self, plain: str, company: str) -> None:
        self.words = TOKEN.findall(plain)
        self.company = company
        self.told_as_past = bool(_PAST_SIGNS.search(plain))
        self.out: list[str] = []
        self.agree = False
        self.present = False
        self.before = ""

    def sentence(self) -> str:
        compound = self._compound_subject()
        for word in self.words[compound:]:
            self._take(word)
        text = re.sub(r"\s+", " ", "".join(self.out)).strip(" ,;:-")
        text = re.sub(r"\s+([,.;:!?])", r"\1", text)
        text = text.rstrip(".!?…") + "."
        return text[:1].upper() + text[1:]

    def _compound_subject(self) -> int:
        """Take "my wife and I" at the start as one plural subject; return how many words that was."""
        match = re.match(
            r"(?P<intro>\w+,? )??(?:(?P<other>(?:my )?[\w'-]+(?: [\w'-]+)?) and (?:I|me|myself)\b|(?:me|I) and"
            r" (?P<after>(?:my )?[\w'-]+))",
            "".join(self.words),
        )
        if match is None or any(word.lower() in AUXILIARIES | BASE for word in match[0].split()):
            return 0
        other = re.sub(r"(?i)^my\b", "the user's", match["other"] or match["after"])
        self.out.append(f"{match['intro'] or ''}the user and {other}")
        return len(TOKEN.findall(match[0]))

    def _take(self, word: str) -> None:
        lower = word.lower()
        if not word.strip():
            self.out.append(word)
            return
        self.out.append(self._turned(word, lower))
        self.before = lower

    def _turned(self, word: str, lower: str) -> str:
        if word == "I":
            return self._subject()
        if lower in {"we", "us"}:
            self.agree = self.present = False
            return f"the user and {self.company}"
        if lower in _REPLACED and not (lower == "mine" and self.before == "a"):
            return _REPLACED[lower]
        if self.agree:
            return self._verb(word, lower)
        if lower in _OTHER_SUBJECTS:
            self.present = False
        if self.present and self.before in {"and", "but", "or", "then"} | ADVERBS and lower in BASE | {"am"}:
            return singular(word) if self._coordinated() else word
        return word

    def _subject(self) -> str:
        if self.before in _INVERTED and self._inverted():
            place = max(i for i, out in enumerate(self.out) if out.lower() == self.before)
            self.out[place] = singular(self.before) if self.before in {"am", "do", "have", "are"} else self.before
        else:
            self.agree = True
        return "the user"

    def _inverted(self) -> bool:
        """Tell "so do I" and "nor am I" from "what I do, I do for fun"."""
        heads = {"so", "nor", "neither", "never", "only", "rarely", "as"}
        return any(word.lower() in heads for word in self.words) or self.out[0].lower() == self.before

    def _verb(self, word: str, lower: str) -> str:
        if is_adverb(lower) or lower == "no" or not word[0].isalpha():
            return word
        self.agree = False
        if lower in MODALS or (is_past(lower) and lower not in SAME_IN_PAST) or lower in KIN:
            self.present = False
            return word
        if lower in SAME_IN_PAST and self.told_as_past:
            return word
        self.present = True
        return singular(word)

    def _coordinated(self) -> bool:
        """Tell "I run and paint" from "I want to run and paint", where the second verb hangs on "to"."""
        heard = "".join(self.out).lower()
        tail = re.split(r"the user(?!')", heard)[-1]
        return re.search(r"\bto \w+|\b(?:do|does|did|will|can|would|not)\b", tail) is None
