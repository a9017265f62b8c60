"""What a message says is over: of whom, and what, in the speaker's words.

People say it in two orders, "I gave up chess" and "chess is behind me", so there are two tables of cues: those with
the thing after them and those with it before. Only what has happened counts: to think of selling the car is not to
have sold it, and not to drink coffee this week is not to have given it up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from persona_cli.agent.words import sentences


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that is over."""

    thing: str
    who: str = ""
    """Whose it was, as the message says it: "" for the writer, "my daughter", "Ella"."""
    aversion: bool = False
    """True when it is a dislike, a fear or an abstinence that is over: the thing itself has begun."""
    sentence: str = ""
    """The sentence that says so, in full forms."""


def ended(said: str) -> tuple[Ending, ...]:
    """Return what `said` tells is over, given up or replaced, each thing once."""
    found: dict[tuple[str, str, bool], Ending] = {}
    for sentence in sentences(said):
        plain = _plain(sentence)
        if _UNREAL.search(plain) or (plain.rstrip().endswith("?") and not _TOPIC.search(plain)):
            continue
        for ending in _of_sentence(plain):
            found.setdefault((ending.thing.casefold(), ending.who.casefold(), ending.aversion), ending)
    topics = [match["thing"] for match in _ASKED_AND_DENIED.finditer(_plain(said))]
    for thing in topics:
        found.setdefault((thing.casefold(), "", False), Ending(thing, sentence=said))
    return tuple(found.values())


def for_a_while(said: str) -> bool:
    """Tell whether the words speak of an exception or a time that passes, after which all is as it was."""
    return bool(_FOR_A_WHILE.search(said)) and not _FOR_GOOD.search(said)


def is_unreal(said: str) -> bool:
    """Tell whether a text speaks only of what may be: a wish, a plan, a question."""
    parts = [_plain(part) for sentence in sentences(said) for part in re.split(r"[,;] ", sentence)]
    return all(_UNREAL.search(part) or part.rstrip().endswith("?") for part in parts)


def _of_sentence(plain: str) -> Iterator[Ending]:
    # one reading of a sentence goes on where it speaks of its time; "this week" is over soon
    if for_a_while(plain):
        return
    for pattern in (*_AFTER, *_BEFORE):
        for match in pattern.finditer(plain):
            yield from _things(match)
    for pattern in _BEGUN:
        for match in pattern.finditer(plain):
            yield from _things(match, aversion=True)


def _things(match: re.Match[str], *, aversion: bool = False) -> Iterator[Ending]:
    groups = match.groupdict()
    who = groups.get("who") or ""
    thing = match["thing"].strip(" ,")
    if re.fullmatch(r"(?i)(?:I|we)?", who):
        who = ""
    if thing and thing.casefold() not in _EMPTY and thing.casefold().split()[0] not in ("i", "we"):
        yield Ending(thing, who, aversion, match.string)


_SPELLED = tuple(
    (re.compile(old, re.IGNORECASE), new)
    for old, new in (
        ("[’‘]", "'"),
        (r"\b(can)(?:'t|not)\b", "can not"),
        (r"\b(wo)n't\b", "will not"),
        (r"(\w)n't\b", r"\1 not"),
        (r"\bI'?m\b", "I am"),
        (r"\b(we|they|you)'re\b", r"\1 are"),
        (r"\b(I|we|they|you)'ve\b", r"\1 have"),
        (r"\b(he|she|it|that)'s\b", r"\1 is"),
        (r"'ll\b", " will"),
        (r"\b(I|we|he|she|they)'d\b", r"\1 would"),
        (r"\bany ?(?:more|longer)\b", "any more"),
        (r"\s+", " "),
    )
)


def _plain(text: str) -> str:
    for pattern, new in _SPELLED:
        text = pattern.sub(new, text)
    return text


_UNREAL = re.compile(
    r"\b(?:if|unless|imagine|suppose|supposing|pretend|wish|might|maybe|perhaps|should I|would|could|what if|whether"
    r"|thinking (?:of|about)|consider(?:ing)?|(?:want|wants|going|plan|plans|planning|hoping|hope|trying|try"
    r"|tempted|need"
    r"|about|not ready|unable|afraid) to(?! be\b)|almost|nearly|never|will|dream(?:t|ed)?|says? that|(?:said"
    r"|says):? [\"“])\b",
    re.IGNORECASE,
)
"""What makes a sentence tell of what may be and not of what is."""

_FOR_A_WHILE = re.compile(
    r"\b(?:this (?:week|weekend|month|morning|evening|afternoon|time)|today|tonight|tomorrow|yesterday|for (?:a"
    r"|the|two"
    r"|three|four|five|some|a few|a couple of) ?(?:next |of )?(?:few )?(?:day|week|month|bit|while|time|moment)s?"
    r"|for now|for once|temporarily|at the moment|until|till|just now|on holiday|during|in lent|in january only"
    r"|(?:day|week|month) off|day out|a break from)\b",
    re.IGNORECASE,
)
_FOR_GOOD = re.compile(
    r"\b(?:passed away|-free\b|for good|for ever|forever|any more|no longer|from now on|permanently|quit|gave up"
    r"|given up|sold|divorced"
    r"|broke up|split up|cancelled|died|retired|moved|left|over|done with|cut|bought|deleted|dropped|switched|closed"
    r"|joined|started|new|got rid)\b",
    re.IGNORECASE,
)
_EMPTY_TEXT = """
it them this that these those everything something anything him her me us you the all one things work time way and
home early bed lot town school house out off on a an there here job office late up down
"""
_EMPTY = frozenset(_EMPTY_TEXT.split()) | {
    *("my job", "a job", "the job", "the office", "my mind", "the house", "the same", "my own", "the first", "a lot"),
}
_DET = (
    r"(?:(?:my|the|an?|our|his|her|their|that|this|all|any|some|of|being|playing|doing|going|to|for|watching|eating"
    r"|drinking|having|taking|using|wearing|everything|it all|on|with|at|in|from|old|beloved|whole|entire|learning"
    r"|studying|following|reading|listening|practising|practicing|driving|riding|visiting|seeing|dating|working"
    r"|as)\ )*"
)
_THING = rf"(?P<thing>{_DET}[\w'&-]+(?:\ (?!and\b|but\b|because\b|so\b|any\ more\b)[\w'&-]+){{0,4}}?)"
_STOP = (
    r"(?=\ ?[,.;:!?)–—]|\ -|$|\ (?:and|but|because|since|so|as|for|now|to|with|by|after|when|which|last|this|in|on"
    r"|yesterday|today|any\ more|altogether|entirely|completely|it|years?|months?|weeks?|lately|recently|instead"
    r"|at|these"
    r"|nowadays|ages|long|a\ (?:while|week|month|year|few)|two|three|due|behind|forever|once|during|before|over|then"
    r"|the\ (?:day|moment|minute|other)|from|against|who|that|until|again|again|put|took|while|where|if|about)\b)"
)
_WHO = (
    r"(?P<who>\b(?:I|we|(?:my|our)\ (?:[\w-]+\ ){0,2}?[\w-]+|the\ user(?:'s\ (?:[\w-]+\ )?[\w-]+)?|(?-i:[A-Z][\w-]+)"
    r"|he|she|they))"
    r"(?:\ (?:\w+ly|just|also|now|even|since|have|has|had|am|is|are|was|were|been|be|got|grown|become|go|went|gone"
    r"|became|already|long|all|basically|totally|really|so|right|both|have\ to|had\ to|do|does|did|decided\ to"
    r"|made|me"
    r"|and\ [A-Z]\w+))*?\ "
)
_GAVE_UP = (
    r"quit|gave\ up(?:\ on)?|given\ up(?:\ on)?|stopped|left|sold|ditched|dumped|dropped(?:\ out\ of)?|cancelled"
    r"|canceled"
    r"|deleted|uninstalled|closed|abandoned|scrapped|got(?:ten)?\ rid\ of|rid\ of|finished(?:\ with)?|done\ with"
    r"|through\ with"
    r"|swore\ off|sworn\ off|cut\ out|packed\ in|broke(?:n)?\ up\ with|split(?:\ up)?\ (?:up\ )?(?:with|from)"
    r"|separated\ from"
    r"|divorced|fell\ out\ with|fallen\ out\ with|gone\ off|went\ off|(?:sick\ and\ )?tired\ of|sick\ of"
    r"|bored\ (?:of|with)|fed\ up\ with"
    r"|had\ (?:quite\ )?enough\ of|outgrown|outgrew|grown\ out\ of|grew\ out\ of|lost\ (?:my|his|her|all"
    r"|the)?\ ?(?:taste|interest|love"
    r"|appetite|passion|enthusiasm)\ (?:for|in)|fell\ out\ of\ love\ with|fallen\ out\ of\ love\ with"
    r"|moved\ (?:on|away|out)\ (?:from|of)"
    r"|moved\ on\ from|turned\ (?:my|his|her)\ back\ on|retired\ from|resigned\ from|walked\ (?:out\ of|away\ from)"
    r"|unsubscribed\ from|unfollowed|returned|let\ go\ of|kicked|came\ off|come\ off|weaned\ (?:myself\ )?off"
    r"|laid\ down|shelved|binned|threw\ (?:out|away)|thrown\ (?:out|away)|donated|gave\ away|given\ away"
    r"|stepped\ down\ (?:from|as)"
    r"|handed\ (?:in|back|over)|pulled\ out\ of|withdrew\ from|opted\ out\ of|called\ off|put\ an\ end\ to"
    r"|said\ goodbye\ to"
    r"|parted\ (?:ways\ )?with|renounced|not\ interested\ in|escaped(?:\ from)?|discontinued|deserted"
    r"|no\ longer\ (?:\w+ly\ )?"
    r"(?!(?:scared|afraid|allergic|hate|dislike|avoid|fear|mind)\b)(?:\w+(?:\ (?:at|for|as|in|with|to|on))?)|stop"
)


def _ways(*ways: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(way.replace(r"\ ", " ").replace(" ", r"\ "), re.IGNORECASE | re.VERBOSE) for way in ways)


_AVERSION = r"scared|afraid|frightened|terrified|hate|hates|dislike|dislikes|avoid|avoids|allergic|fear|fears"
r"|mind|detest|loathe"
_AFTER = _ways(
    rf"(?P<who>\b(?:I|we|(?:my|our)\ [\w-]+|(?-i:[A-Z][\w-]+)|he|she))\ (?:am|is|are|have\ got|has\ got"
    rf"|got)\ (?:so\ |totally\ "
    rf"|completely\ |really\ |well\ |pretty\ much\ |now\ |just\ |finally\ |kind\ of\ )*(?:over|off)\ {_THING}{_STOP}",
    rf"{_WHO}(?:{_GAVE_UP})\ (?!to\b|by\ |early|late|home\b){_THING}{_STOP}",
    rf"{_WHO}used\ to\ (?:be\ (?:into|a\ fan\ of|fond\ of|mad\ about|keen\ on|an?|in|on|at)|\w+(?:\ (?:at|for|as"
    rf"|in|with|to|on))?)"
    rf"\ (?!be\b){_THING}{_STOP}",
    rf"{_WHO}(?:do|does|am|is|are|can|could)\ not\ (?:\w+ly\ |want\ to\ |feel\ like\ |really\ |even\ )*"
    rf"(?!(?:{_AVERSION})\b)(?:be\ (?:bothered|arsed)\ (?:with|about)|believe\ in|\w+(?:\ (?:at|for|as|in|with"
    rf"|to|on|of|about))?)\ {_THING}"
    r"\ any\ more\b",
    rf"{_WHO}(?:switched|changed|gone|went|moved|converted|migrated|transitioned|upgraded|graduated|progressed"
    rf"|swapped)"
    rf"(?:\ (?:over|everything|all|my\ [\w-]+))*\ from\ {_THING}\ (?:over\ )?to\b",
    rf"{_WHO}(?:swapped|traded|exchanged|substituted|left|gave\ up|given\ up|ditched|dropped|sold|dumped"
    rf"|abandoned)(?:\ in)?"
    rf"\ {_THING}(?:\ in)?\ for\b",
    rf"{_WHO}(?:replaced)\ {_THING}\ (?:with|by)\b",
    rf"{_WHO}(?:put|puts|set|laid)\ {_THING}\ (?:aside|away|down|behind\ (?:me|him|her)|to\ rest|on\ ice)\b",
    rf"{_WHO}(?:gave|given|handed|passed|threw|thrown|took|taken)\ {_THING}\ (?:away|back|out|on|to\ (?:my|a|the"
    rf"|our|charity)\b)",
    rf"\btook\ me\ off\ {_THING}{_STOP}",
    rf"\b(?:instead\ of|rather\ than|in\ place\ of|no\ more|goodbye,?(?:\ to)?|farewell\ to"
    rf"|in\ favour\ of\ \w+\ over)\ {_THING}{_STOP}",
    rf",\ not\ {_THING}(?=\ any\ more|[.!]|$)",
    rf"\b(?:it\ is|that\ is|they\ are)\ not\ {_THING}\ any\ more\b",
    rf"\b(?:has|have)\ (?:replaced|taken\ over\ from|ousted|supplanted|dethroned|overtaken|beaten)\ {_THING}{_STOP}",
    rf"\b(?:replaced|taken\ the\ place\ of|took\ the\ place\ of|took\ over\ from)\ {_THING}{_STOP}",
    rf"\b(?:prefer\ [\w'\ -]+?\ (?:over|to)|like\ [\w'\ -]+?\ (?:better|more)\ than)\ {_THING}(?=[,.!;]|$"
    rf"|\ (?:now|these\ days|lately))",
    rf"\b{_THING}\ made\ me\ (?:quit|stop|give\ up)\b",
    rf"\bmade\ me\ (?:quit|stop|give\ up|leave)\ {_THING}{_STOP}",
)
_HEAD = (
    r"(?<![\w'])(?P<thing>(?:(?:my|the|our|his|her|that|all|this)\ )*[\w'&-]+(?:\ (?!and\b|but\b|is\b|has\b"
    r"|are\b|does\b|I\b)"
    r"[\w'&-]+){0,3}?)"
)
_BEFORE = _ways(
    rf"{_HEAD}\ (?:is|are)\ (?:now\ |finally\ |all\ |well\ and\ truly\ |definitely\ |ancient\ |so\ )*(?:history"
    rf"|over|off|gone"
    r"|behind\ me|a\ thing\ of\ the\ past|dead|done|in\ the\ past|yesterday's\ news|finished|cancelled|canceled|out"
    r"|no\ more|last\ year|toast|not\ happening)(?=[,.;:!]|$|\ (?:now|for|and|since|because|too|the\ table))",
    rf"{_HEAD}\ (?:has\ |have\ |sadly\ |just\ |finally\ |recently\ |unfortunately\ )*(?:died|passed\ away"
    rf"|closed(?:\ down)?|shut"
    r"(?:\ down)?|moved\ (?:out|away)|flew\ away|ran\ away|run\ away|broke\ down\ for\ good|packed\ up"
    r"|gave\ up\ the\ ghost|folded"
    r"|went\ bust|gone\ bust|left(?!\ (?:for|to|the|my|a|me\ a))|let\ me\ go|sacked\ me|fired\ me|laid\ me\ off"
    r"|made\ me\ redundant"
    r"|fell\ through|fallen\ through|split\ up|broke\ up|disbanded|is\ no\ more|got\ stolen|was\ stolen"
    r"|been\ (?:cancelled|scrapped"
    r"|called\ off|shelved|stolen|axed|sold|replaced|put\ down|put\ to\ sleep)|was\ (?:scrapped|called\ off|axed"
    r"|cancelled"
    r"|sold|replaced|put\ down)|is\ broken\ beyond\ repair|sold\ (?:the|his|her)\ (?:house|flat|business))\b",
    rf"{_HEAD}\ (?:do|does)\ not\ (?:do\ (?:it|anything)\ for\ me|appeal\ to\ me|interest\ me|taste|excite\ me"
    rf"|thrill\ me|work\ for\ me"
    r"|make\ me\ \w+|scare\ me|bother\ me)\ (?:\w+\ )?any\ more\b",
    rf"{_HEAD}\ (?:is|are|was|were)\ (?:not|no\ longer)\ (?:my|our|the\ user's|for\ me|a\ thing)\b",
    rf"{_HEAD}\ (?:no\ longer\ (?:does|do|is|appeals|interests|works|lives|tastes))\b",
    rf"{_HEAD}\ used\ to\ be\ (?:my|our|the\ user's)\b",
    rf"{_HEAD}\ (?:is|are)\ too\ \w+\ for\ me\b",
    rf"{_HEAD}\ and\ (?:I|me)\ (?:have\ |are\ |finally\ |just\ |recently\ |got\ |sadly\ )*(?:broke|broken|split"
    rf"|separated|divorced"
    r"|fell\ out|fallen\ out|parted|no\ longer|not\ together|called\ it\ (?:off|quits)|are\ not|do\ not\ (?:talk"
    r"|speak))\b",
    rf"(?:I|we)\ and\ {_HEAD}\ (?:have\ |are\ |finally\ |just\ |recently\ |got\ )*(?:broke|broken|split"
    rf"|separated|divorced|fell\ out)\b",
    rf"{_HEAD}\ (?:is|are)\ (?:my|the\ user's)\ ex\b",
    rf"(?:enough|done|finished|over\ and\ done)\ (?:of|with)\ {_HEAD}(?=[,.;!]|$)",
)
_BEGUN = _ways(
    rf"{_WHO}(?:come|came|coming)\ (?:round|around)\ to\ (?:liking\ |loving\ |the\ idea\ of\ )?{_THING}{_STOP}",
    rf"{_WHO}(?:come|came|grown|grew|learnt|learned|started|begun|began|getting)\ to\ (?:really\ )?(?:like|love"
    rf"|enjoy|appreciate|adore"
    rf"|tolerate|eat|drink)\ {_THING}{_STOP}",
    rf"{_WHO}(?:started|begun|began|back\ to|back\ on|taken\ up|took\ up)\ (?:eating|drinking|smoking|liking"
    rf"|loving|enjoying|having|taking"
    rf"|using|wearing|playing)\ {_THING}{_STOP}",
    rf"{_WHO}(?:eat|drink|smoke|have)\ {_THING}\ again\b",
    rf"{_WHO}(?:back\ on)\ {_THING}{_STOP}",
    rf"{_WHO}(?:warmed|taken|took)\ to\ {_THING}{_STOP}",
    rf"{_WHO}(?:fallen|fell)\ (?:madly\ )?in\ love\ with\ {_THING}{_STOP}",
    rf"{_WHO}(?:actually\ |rather\ |quite\ |do\ )*(?:like|love|enjoy|adore|eat|drink)s?\ {_THING}\ (?:now"
    rf"|after\ all|these\ days|nowadays)\b",
    rf"\bturns\ out\ (?:that\ )?{_WHO}(?:like|love|enjoy|adore)s?\ {_THING}{_STOP}",
    rf"{_HEAD}\ (?:has|have)\ (?:\w+ly\ )?(?:grown|grew)\ on\ me\b",
    rf"{_WHO}(?:do|does|am|is|are)\ not\ (?:really\ )?(?:{_AVERSION})(?:\ (?:of|to|about))?\ {_THING}"
    r"\ (?:any\ more|after\ all|now)\b",
    rf"{_WHO}no\ longer\ (?:{_AVERSION})(?:\ (?:of|to))?\ {_THING}{_STOP}",
    rf"{_WHO}(?:got\ over|gotten\ over|overcome|overcame|conquered|lost)\ (?:my|his|her)\ (?:fear|dislike|hatred"
    rf"|phobia|horror)"
    rf"\ (?:of|for)\ {_THING}{_STOP}",
    rf"{_WHO}(?:stopped|quit)\ (?:hating|disliking|avoiding|fearing)\ {_THING}{_STOP}",
)
_TOPIC = re.compile(r"\?.*\b(?:any more|no longer)\b", re.IGNORECASE)
_ASKED_AND_DENIED = re.compile(
    r"(?:^|[.!?]\s+)(?P<thing>[\w'&][\w'& -]{1,40}?)\?\s+(?:(?:that|it) is\s+)?(?:(?:no|nope|nah"
    r"|sorry)[,.]?\s+)?(?:not"
    r" (?:me|for me|my thing|mine|us|any ?more|these days|now)|no longer|never again|over it|over that"
    r"|been there|done with"
    r" (?:it|that)|gone off (?:it|that|them)|I am (?:over|done|off)|history|I (?:quit|gave (?:it|that|them) up"
    r"|stopped)|can"
    r" not stand|I (?:have )?(?:given|dropped|sold|ditched|left))\b",
    re.IGNORECASE,
)
