"""What the sentences of a message do: ask, request, tell, greet.

Each line of a pattern is one way in which people put things.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from persona_cli.english.sentences import sentences


class Act(StrEnum):
    """What one sentence of a message does."""

    QUESTION = "question"
    REQUEST = "request"
    STATEMENT = "statement"
    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    HOW_ARE_YOU = "how are you"
    ABOUT_SELF = "about the assistant"
    FORGET = "forget"
    FILLER = "filler"


@dataclass(frozen=True, slots=True)
class Part:
    """One sentence of a message and what it does."""

    text: str
    act: Act


def _pattern(*ways: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{way})" for way in ways), re.I)


AUX = (
    r"(?:am|is|are|was|were|do|does|did|have|has|had|will|would|can|could|should|shall|may|might|isn't|aren't|wasn't"
    r"|weren't|don't|doesn't|didn't|haven't|hasn't|hadn't|won't|wouldn't|can't|couldn't|shouldn't)"
)
_OPENING = re.compile(
    r"^(?:(?:hey|hi|hello|so|and|but|ok(?:ay)?|well|now|also|then|please|by the way|oh|um|hmm|just|quick question"
    r"|actually)\b[,:!]?\s*)*",
    re.I,
)
_WRAPPER = _pattern(
    r"^(?:can|could|would|will) you (?:please )?(?:tell|remind) me(?: again)?(?: about)?\s+",
    r"^(?:tell|remind) me(?: again)?\s+(?!about)",
    r"^(?:do|can|could|did) you (?:still |happen to |perhaps )?(?:remember|recall|know)(?: if| whether| that)?\s+",
    r"^(?:any idea|remember|guess)\s+(?=wh|how)",
    r"^i (?:forgot|forget|wonder|can't remember|don't remember|can't recall|want to know|would like to know"
    r"|'d like to know)(?: again)?(?: if| whether)?\s+(?=wh|how|if|my|the)",
)
_WH = r"(?:what|which|who|whom|whose|when|where|why|how)"
_QUESTION = _pattern(
    rf"^(?!{_WH} (?:i|we|you|he|she|it|they|my|our|the)\b){_WH}(?:['’]s|['’]re|['’]d|s)?\s+(?:\S+\s+){{0,4}}?{AUX}\b",
    r"^(?:what|who|where|when|how)(?:['’]s|['’]re|s)\s",
    r"^(?:what|which|who|where|when|why|how)\s(?:\w+\s)?(?:can|could|would|should|do|does|did)n['’]t\s",
    rf"^{AUX}\s+(?:i|my|you|we|our|there|the|he|she|it|they|this|that)\b",
    r"^how (?:many|much|old|often|long|far)\b",
    r"^(?:what|how) about\b",
)
_RECALLING = _pattern(
    r"\btell me (?:again )?(?:what|who|where|when|how|something about|everything)",
    r"\btell me about (?:my|our|me)\b",
    r"\btell me about [A-Z]",
    r"\bremind me (?:again )?(?:what|who|where|when|which|how|about|of)\b",
    r"\bwhat do you (?:know|remember)",
    r"^list (?:all )?(?:my|everything)",
    r"\bdo you (?:still )?(?:remember|know)\b",
    r"\bi (?:forgot|can't remember|don't remember) (?:what|who|where|when|which|how|my)\b",
    r"\bi wonder (?:what|who|where|when|if|whether|how)\b",
    r"^show me (?:my|what)",
    r"^summari[sz]e (?:my|what i)",
)
_SMALL = (
    (
        Act.HOW_ARE_YOU,
        _pattern(
            r"^(?:(?:hi|hey|hello)[,!]?\s+)?how(?:'s| is| are) (?:you|it going|things|everything|your day)\b.{0,20}$",
            r"^(?:how do you do|what'?s up|how have you been)\W*$",
        ),
    ),
    (
        Act.GREETING,
        _pattern(
            r"^(?:hi|hey|hello|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|morning|evening)"
            r"(?:,?\s+(?:there|again|persona|everyone|you|my friend|friend|buddy|dear))*\W*$"
        ),
    ),
    (
        Act.THANKS,
        _pattern(
            r"^(?:(?:ok(?:ay)?|great|perfect|cool|oh|ah|nice|awesome|wonderful)[,!.]?\s+)?(?:many )?"
            r"(?:thanks|thank you|thx|ty|cheers|much appreciated|i appreciate (?:it|that))\b.{0,40}$"
        ),
    ),
    (
        Act.GOODBYE,
        _pattern(
            r"^(?:(?:ok(?:ay)?|well|alright)[,!.]?\s+)?(?:bye|goodbye|bye[- ]bye|see you|see ya|good ?night|ciao"
            r"|talk (?:to you )?(?:later|soon|tomorrow)|take care|until (?:next time|tomorrow)"
            r"|i(?:'ve| have)? (?:got to|gotta|have to|must) go|have a (?:nice|good|great) (?:day|evening|night"
            r"|weekend))\b.{0,30}$"
        ),
    ),
    (
        Act.FILLER,
        _pattern(
            r"^(?:ok(?:ay)?|yes|yeah|yep|no|nope|sure|right|exactly|cool|nice|great|wow|lol|haha+|hm+|i see|alright"
            r"|perfect|awesome|fine|good|indeed|true|oh|ah|interesting|really"
            r"|that'?s (?:right|great|nice|cool|true|good)|look(?: at (?:this|that|him|her|it))?|guess what|listen)\W*$"
        ),
    ),
)
_ABOUT_SELF = _pattern(
    r"^(?:who|what) (?:are|r) you\b",
    r"^what(?:'s| is) your name",
    r"^what can you do",
    r"^how (?:do|can) (?:i|you) (?:use|work)\b",
    r"^what (?:are you able|can i (?:ask|do))",
    r"^are you (?:a|an|real|human|alive|sentient|conscious)\b",
    r"^how do you (?:work|remember)",
    r"^help\W*$",
    r"^what is persona\b",
    r"^(?:do|can|will) you (?:have|feel|sleep|eat|dream|like|love|think|learn|understand|speak)\b",
)
_ADVICE = _pattern(
    r"^(?:what|where|which|who|how|when)(?: \w+){0,2} (?:should|shall|could) (?:i|we)\b",
    r"^should (?:i|we)\b",
    r"^(?:do you have )?any (?:ideas?|tips?|advice|suggestions?|recommendations?)\b",
    r"^how (?:can|should|could) (?:i|we|you|one)\b",
    r"^how do (?:i|you|we) (?:cook|make|fix|install|improve|learn|stop|get rid|bake|build|repair|clean|lose|find)\b",
    r"^what do you (?:think|recommend|suggest|advise)\b",
    r"^(?:can|could) you help\b",
)
_FORGET = _pattern(r"^(?:please )?(?:forget|delete|erase)\b(?!.*\?)")
_KEEP = _pattern(r"^(?:please )?(?:remember|note|keep in mind|don['’]t forget)\b")
_REQUEST = re.compile(
    r"^(?:please\s+|now\s+|ok(?:ay)?[, ]+)*"
    r"(?:(?:can|could|would|will) you (?:please |maybe )?|i (?:want|need|would like|'d like) you to "
    r"|help me (?:to )?|let's )?"
    r"(?:write|translate|explain|calculate|compute|draw|generate|create|compose|summari[sz]e|solve|define|debug|rewrite"
    r"|paraphrase|proofread|recommend|suggest|give me|make me|find me|search|google|look up|play me|sing"
    r"|tell me (?:a|another|some) (?:\w+ )?(?:joke|story|riddle|fact|poem)|tell me (?:how to|about the)"
    r"|order me|book me|call|send|open"
    r"|set (?:an? )?(?:alarm|timer|reminder)|describe|compare|convert|imagine|pretend|act as"
    r"|help(?: me)?|brainstorm|list (?:some|ten|five|\d+)|come up with|teach me)\b",
    re.I,
)


def read(message: str) -> tuple[Part, ...]:
    """Split a message into its parts, each with what it does."""
    return tuple(Part(text, act_of(text)) for text in sentences(message) if re.search(r"\w", text))


def act_of(sentence: str) -> Act:
    """Tell what one sentence does."""
    text = sentence.strip()
    small = next((act for act, pattern in _SMALL if pattern.match(text)), None)
    if small is not None:
        return small
    bare = unwrapped(text)
    ordered = (
        (Act.FORGET, _FORGET.match(bare) is not None),
        (Act.ABOUT_SELF, _ABOUT_SELF.match(bare) is not None and not re.search(r"\b(?:my|me)\b", bare, re.I)),
        (Act.QUESTION, _RECALLING.search(text) is not None),
        (Act.REQUEST, _REQUEST.match(bare) is not None or _ADVICE.match(bare) is not None),
        (Act.STATEMENT, _KEEP.match(bare) is not None),
        (Act.QUESTION, text.endswith("?") or _QUESTION.match(bare) is not None),
    )
    return next((act for act, does in ordered if does), Act.STATEMENT)


_ANNOUNCING = re.compile(
    r"\b(?:want(?:ed)?|like|love|going|need|have) to (?:talk|chat|share|discuss|tell|ask|speak)\b|\blet['’]s talk\b",
    re.I,
)


def announces(sentence: str) -> bool:
    """Tell whether a sentence only says what will be talked about."""
    return _ANNOUNCING.search(sentence) is not None


_APOSTROPHES = (
    (re.compile(r"\b(what|who|where|when|how|that|there|he|she|it)s\b(?=\s+[a-z])", re.I), r"\1's"),
    (re.compile(r"\b(do|does|did|is|are|was|were|have|has|ca|could|would|should)nt\b", re.I), r"\1n't"),
)


def unwrapped(text: str) -> str:
    """Return a sentence without "hey, can you tell me" around what it asks, its apostrophes put back."""
    rest = text.strip()
    for pattern, full in _APOSTROPHES:
        rest = pattern.sub(full, rest)
    for _ in range(2):
        rest = _OPENING.sub("", rest, count=1)
        rest = _WRAPPER.sub("", rest, count=1).strip()
    return rest or text.strip()
