"""Whom "she" and "his", and what "it", "one" and "there" stand for: the last that was spoken of, where it is certain.

A pronoun is replaced by words that were said; where two things could be meant it stays, and `dangling` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona_cli.english.clauses import Clause, read_clauses
from persona_cli.english.lexicon import NAME, NOT_NAMES, PEOPLE, PETS, words
from persona_cli.english.unfolding import unfold
from persona_cli.model.lite.people import KIN_OF, people

_SHE = words(
    """sister mum mom mother wife girlfriend daughter aunt auntie niece grandma granny gran nan nana grandmother
    granddaughter fiancée stepmum stepmom stepmother stepdaughter stepsister mother-in-law sister-in-law
    daughter-in-law landlady goddaughter godmother ex-wife ex-girlfriend"""
)
_HE = words(
    """brother dad father husband boyfriend son uncle nephew grandpa granddad grandad grandfather grandson fiancé
    stepdad stepfather stepson stepbrother father-in-law brother-in-law son-in-law landlord godson godfather
    ex-husband ex-boyfriend"""
)
_ROLES = "|".join(sorted((re.escape(w) for w in PEOPLE | PETS), key=len, reverse=True))
_MENTION = re.compile(rf"\b(?:my|our|an?) (?:[\w-]+ ){{0,2}}?({_ROLES})\b(?!s)", re.I)
_START = re.compile(r"^(he|she|it|his|her|its|him|who)\b(?='s|\s)", re.I)
_WITHIN = re.compile(r"(?<= )(he|she|him|his|her)(?: is\b)?(?=$|[\s,.;!])", re.I)
_OBJECT = re.compile(
    r"\s*(?:$|[,.;!]|(?:and|but|so|because|with|to|at|in|on|for|from|a|the|my|very|every|again|loads|too|now|when"
    r"|since|as|about|more|often|last|up|out|off|back)\b)",
    re.I,
)
_GIVEN = re.compile(
    r"\b(?:named|called|christened|(?:we|I) call|are calling|am calling)"
    r" (?P<whom>her|him|it) (?P<name>(?-i:[A-Z][\w'-]+))",
    re.I,
)
_SEEING = re.compile(r"\b(?:seeing|dating|met) (?:someone|somebody|this (?:girl|guy))\b", re.I)
_THING = re.compile(
    r"^(?:I|we) (?:(?:have|had|am|are|also|just|finally|recently|now|really|already|always|still) )*\w+ (?:up |out )?"
    r"(?P<thing>(?:an?|the|my|our|some|one) (?:[\w'-]+ ){0,3}?[\w'-]+)"
    r"(?=[,.;!]|$| (?:in|on|at|for|from|to|with|last|this|by|when|after|because|since|ago|today|yesterday|and|called"
    r"|named|that|which|every|two|three|a)\b)",
    re.I,
)
_LIKED = re.compile(
    r"^(?:I|we) (?:(?:really|absolutely|also|still|just|do|always|mostly) )*(?:love|like|enjoy|adore|prefer|hate|drink"
    r"|eat|play|collect|take)"
    r" (?P<thing>(?!to\b|it\b|that\b|this\b|them\b|you\b|when\b|how\b|what\b|\w+ing\b)[\w'-]+(?: [\w'-]+){0,2}?)"
    r"(?= (?:to|over|every|so|more|in|on|at|with|for|because) |[,.;!]|$)",
    re.I,
)
_PLACE = re.compile(
    r"\b(?P<how>in|at|to|for|near) (?P<where>(?:the |my |our |this |an? )?(?:[\w'&-]+ ){0,2}?(?-i:[A-Z])[\w'&.-]*"
    r"(?: (?-i:[A-Z])[\w'&.-]*){0,2}|(?:the |my |our |this |an? )(?:[\w'&-]+ ){0,2}?(?:flat|house|hospital|school"
    r"|office|shop|college|company|hotel|farm|bank|factory|club|gym|church|village|town|city))\b"
)
_SEVERAL = re.compile(
    rf"\b(?:my|our|two|three|four|five|\d+) (?:[\w-]+ ){{0,1}}?(?P<who>(?:{_ROLES})e?s|kids|children"
    r"|parents|grandparents|in-laws|twins|family)\b(?!')",
    re.I,
)
_COUPLE = re.compile(
    rf"\b(?P<one>{NAME}|my (?:{_ROLES}))(?:'s| and (?:his|her|my)) (?:{_ROLES}),? (?P<other>{NAME})",
    re.I,
)
_TRIP = re.compile(
    r"\b(?:going|flying|driving|travelling|traveling|off|trip|holiday|journey|heading|moving) to"
    r" (?P<where>(?-i:[A-Z])[\w'-]+(?: (?-i:[A-Z])[\w'-]+)*)"
)
_NO_REFERENT = re.compile(
    r"(?<=\w )(?P<word>it|them|one|there)(?=$|[\s,.;!])"
    r"(?! (?:is|was|are|were|to|of|day|more|another|time|thing|person)\b)(?! \()"
)
_JOINED = re.compile(
    r",|\b(?:because|since|when|while|so|and|but|which|who|that|until|before|after|if|as|where)\b", re.I
)
"""A pronoun after one of these stands for something said earlier in the clause itself."""
_SOMEBODY_ELSE = re.compile(
    r"(?:they|he|she|his|her|their|these|those)\b"
    r"|(?:even )?(?:when|if|though|although|while|after|before|since)\b[^,]{1,40}, (?:they|he|she)\b",
    re.I,
)
_HIM = re.compile(
    r"\b(?:him|(?<!of )her)(?=$|[,.]| (?:and|but|because|so|to|in|at|on|every|again|about|for|with)\b)", re.I
)
_ANYBODY = re.compile(r"\b(?:my|our|who|someone|somebody|friend|man|woman|guy|girl|boy)\b|\w (?-i:[A-Z])[a-z]", re.I)
_POINTING_AT = re.compile(r"(?<=[a-z] )(?:that|this|those|these)$", re.I)
_PLURAL = words("parents kids children grandparents in-laws twins family")
_FILLED = re.compile(
    r"\b(?:no|this|that|the|which|every|any|another|other|some|each|not|only|at least|make|made|get|got|about"
    r"|is|was|number|over|out|all|hi|as) (?:it|one|there)\b|\b(?:worth|call|find|hate|love|like) it (?:when|that|a)\b"
    r"|\bone of\b|\bI have been there\b|\bit (?:takes|took|rains?|rained|snows?|snowed|turns?|turned)\b"
    r"|\bthere (?:is|are|was|were)\b",
    re.I,
)


class Referents:
    """Remembers who and what was last spoken of, and puts them where a clause says a pronoun."""

    def __init__(self) -> None:
        self.role = ""
        self.name = ""
        self.names: set[str] = set()
        self.thing = ""
        self.place = ""
        self.group = ""
        self._since = 0
        self._kin = ""
        self._trip = ""

    def hear(self, plain: str) -> None:
        """Take note of the people, pets, things and places a clause speaks of."""
        self._hear_things(plain)
        called = re.match(r"(?i)(?:his|her|its) name is (?-i:([A-Z][\w'-]+))", plain)
        if called is not None:
            self.name = called[1]
            self.names.add(called[1])
        if _START.match(plain):
            return
        kin = KIN_OF.match(plain)
        if kin is not None:
            self._hear_group(plain)
            self.role, self.name = kin["of"].lower(), kin["names"] or ""
            self._kin = plain[: kin.end("names")] if kin["names"] else plain[: kin.end("of")]
            self.names |= {name for name in (kin["name"], kin["alone"], kin["names"]) if name}
            return
        self._kin = ""
        if _SEEING.search(plain):
            self.role, self.name = "partner", ""
            return
        match = _MENTION.search(plain)
        tags = [tag for tag in people(plain) if tag.subject not in {"user", ""}]
        tag = tags[0] if tags else None
        if match is not None and (tag is not None or re.search(r"\b(?:I|my|our|we)\b", plain, re.I)):
            self.role, self.name = match[1].lower(), ""
        if tag is not None and not tag.subject.startswith("my "):
            if tag.subject != self.name:
                self.role = match[1].lower() if match else ""
            self.name = tag.subject
        self._hear_group(plain)
        listed = next((tag.names for tag in people(plain) if tag.names), ())
        self.names |= {tag.subject for tag in tags if not tag.subject.startswith("my ")} | set(listed)
        if listed and listed[-1] != self.name:
            self.name = listed[-1]

    def next_message(self) -> None:
        """Forget what only the message itself can mean: people stay in mind, things do not."""
        self.thing = self.place = ""

    def resolve(self, plain: str) -> str:
        """Return `plain` with its pronouns replaced, in the user's voice; unchanged when unsure."""
        given = _GIVEN.search(plain)
        if given is not None and self.role and self._fits(given["whom"].lower()):
            return f"my {self.role} is called {given['name']}"
        plain = _without_tail(self._with_things(self._with_person(plain)))
        if self.group:
            plain = re.sub(r"(?i)^they(?= )", self.group, plain)
        if self.thing and (said := re.match(r"(?i)it (?=(?:is|was|has) )", plain)):
            return f"{self._known_thing} {plain[said.end() :]}"
        match = _START.match(plain)
        if match is None or not (self.role or self.name) or not self._fits(match[1].lower()):
            return plain
        rest = plain[match.end() :]
        return f"{self._who}'s{rest}" if match[1].lower() in {"his", "her", "its"} else f"{self._who}{rest}"

    def dangling(self, plain: str) -> bool:
        """Tell whether a resolved clause still points at a thing that is not in it."""
        if _SOMEBODY_ELSE.match(plain) or self._unnamed(plain):
            return True
        match = _NO_REFERENT.search(_FILLED.sub("", plain))
        if match is None:
            return _POINTING_AT.search(plain) is not None
        return _JOINED.search(plain, 0, match.start()) is None

    def _unnamed(self, plain: str) -> bool:
        """Tell whether "him" or "her" stands for nobody the clause has named before."""
        match = _HIM.search(plain)
        before = plain[: match.start()] if match else ""
        return match is not None and re.match(r"I|we\b", plain) is not None and _ANYBODY.search(before) is None

    @property
    def _who(self) -> str:
        if self._kin:
            return self._kin
        return " ".join(filter(None, (self.role and f"my {self.role}", self.name)))

    def _with_person(self, plain: str) -> str:
        """Replace "him" and "she" inside a clause that names nobody itself."""
        if not (self.role or self.name) or _START.match(plain) or _MENTION.search(plain):
            return plain
        match = _WITHIN.search(plain)
        if match is None or re.search(r"(?<=\w )(?-i:[A-Z][a-z]+)|\b(?:his|her) \w+ing\b", plain[: match.start()]):
            return plain
        pronoun = match[1].lower()
        if not self._fits(pronoun):
            return plain
        owning = pronoun == "his" or (pronoun == "her" and not _OBJECT.match(plain[match.end(1) :]))
        return f"{plain[: match.start(1)]}{self._who}{chr(39) + 's' if owning else ''}{plain[match.end(1) :]}"

    def _with_things(self, plain: str) -> str:
        match = _NO_REFERENT.search(plain)
        if match is None or _FILLED.search(plain):
            return plain
        word = match["word"].lower()
        if word == "it" and not self.thing and self._trip and plain[: match.start()].endswith("for "):
            return f"{plain[: match.start()]}{self._trip}{plain[match.end() :]}"
        stands = {"there": self.place, "one": self.thing and f"one ({_bare(self.thing)})"}.get(word, self._known_thing)
        return f"{plain[: match.start()]}{stands}{plain[match.end() :]}" if stands else plain

    @property
    def _known_thing(self) -> str:
        return re.sub(r"(?i)^(?:an?|some|one) ", "the ", self.thing)

    def _hear_things(self, plain: str) -> None:
        match = _LIKED.search(plain) or _THING.search(plain)
        if match is not None:
            self.thing, self._since = match["thing"], 0
        else:
            self._since += 1
            self.thing = self.thing if self._since < 2 else ""
        trip = _TRIP.search(plain)
        self._trip = trip["where"] if trip is not None else ""
        place = _PLACE.search(plain)
        if place is not None:
            how = {"to": "in", "for": "at"}.get(place["how"].lower(), place["how"].lower())
            self.place = f"{how} {place['where']}"

    def _hear_group(self, plain: str) -> None:
        several = _SEVERAL.search(plain)
        couple = _COUPLE.search(plain)
        if couple is not None:
            self.group = f"{couple['one']} and {couple['other']}"
        elif several is not None:
            self.group = f"my {several['who']}"

    def _fits(self, pronoun: str) -> bool:
        if self.name.lower() in NOT_NAMES or self.role in _PLURAL:
            return False
        female, male = pronoun in {"she", "her"}, pronoun in {"he", "his", "him"}
        if pronoun in {"it", "its"}:
            return self.role in PETS
        return not (female and self.role in _HE) and not (male and self.role in _SHE)


def read_resolved(text: str) -> Iterator[tuple[Clause, str]]:
    """Yield the clauses of a text with each thing they tell, pronouns replaced; not what points elsewhere."""
    referents = Referents()
    for clause in read_clauses(text):
        for said in unfold(clause.plain):
            plain = referents.resolve(said)
            if not referents.dangling(plain):
                yield clause, plain
            referents.hear(plain)


def _without_tail(plain: str) -> str:
    """Leave out "for it" and "with them" at the end where nothing says what is meant; the rest stands alone."""
    left = re.sub(
        r"(?i)^(.+ (?!along|up|away|on|off|out|down|over|get|got)\w+) "
        r"(?:for|with|from|of|about|because of|in|on|to|out of) (?:it|them|there)$",
        r"\1",
        plain,
    )
    return left if len(left.split()) > 3 else plain


def _bare(thing: str) -> str:
    return re.sub(r"(?i)^(?:an?|the|my|our|some|one) ", "", thing)
