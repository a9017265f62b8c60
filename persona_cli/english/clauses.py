"""A message cut into clauses, each with its exact words, and what kind of saying it is.

Only statements are evidence: a question, a hypothetical, something asked of the assistant, a quotation, fiction
and small talk tell nothing about the user. "I have a dog, do you like dogs?" is a statement and a question.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from persona_cli.english.lexicon import AUXILIARIES, BASE, SPEAKING
from persona_cli.english.omitted import with_subject
from persona_cli.english.third import straighten, tidy
from persona_cli.english.verbs import PAST


class Saying(StrEnum):
    """What a clause does in a conversation."""

    STATEMENT = "statement"
    QUESTION = "question"
    HYPOTHETICAL = "hypothetical"
    REQUEST = "request"
    REPORTED = "reported"
    SMALL_TALK = "small talk"


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a message: where it stands, its exact words, the same in full forms, and what it does."""

    start: int
    end: int
    words: str
    plain: str
    saying: Saying
    corrects: bool = False
    """True when it was introduced by "actually", "no, I meant" and the like."""


_SUBJECT = r"(?:i|i'm|im|i've|ive|i'd|i'll|my|we|we're|we've|our|he|she|he's|she's|they|they're|it|it's|there's|there)"
_ASKING = (
    r"(?:(?:so |and |but |then |also )?(?:do|does|did|would|could|should|can|will|have|has|is|are|am|was"
    r"|were)(?:n't)? "
    r"(?:you|i|we|he|she|it|they|there|that|this|my|the|your|any\w*)\b"
    r"|(?:so |and |but |then |also )?(?:what|what's|whats|where|where's|when|why|how|how's|who|who's|whos|which"
    r"|whose)\b(?! a \w+ (?:day|week))"
    r"|any (?:idea|ideas|tips|advice|suggestions|recommendations|thoughts)\b|shall (?:i|we)\b|what about|how about)"
)
_HAVING = r"(?:is|was|has|had|lives?|works?|likes?|loves?|hates?|plays?|cannot|can't|goes|moved|got|will|does)\b"
_THEIRS = rf"(?:his|her|their|its) (?:[\w'-]+ ){{1,3}}?{_HAVING}|(?-i:[A-Z])[\w-]+ {_HAVING}"
_BREAKS = re.compile(
    rf"(?P<stop>[.!?…]+(?=[\s\"')]|$)|\n+|;+|\s[-–—]{{1,2}}\s|—|[\U0001F000-\U0001FAFF☀-➿❤️]+)"
    rf"|,\s\s?(?!which\s\s?(?:is|was|are|has|suits|makes|means)\b)"
    rf"(?!who\s\s?(?!(?:do|does|did|can|could|should|would|will|am|are)\b))(?={_ASKING})"
    rf"|\s\s?(?=(?:so|and|but)\s\s?(?:what|how|which|where|should|can|could|do|does|would|is|are)\s\s?(?:should|can"
    rf"|could|would|do|does|is|are|you|i|we|there|it)\b)"
    rf"|,?\s\s?(?:and|but|so|plus|also)\s\s?(?=(?:(?:now|then|also|actually|sometimes|today|yesterday|recently"
    rf"|usually)\s\s?)?{_SUBJECT}\b(?!\s\s?(?:and|or)\s))"
    rf"|,?\s\s?(?:and|but)\s\s?(?={_THEIRS})|,\s\s?(?=they\s\s?{_HAVING}|they're\b)"
    rf"|,\s\s?(?:and\s\s?|but\s\s?)?(?=(?:i|i'm|im|i've|ive|i'll|i'd|my|we|we're|we've|she's|he's|she|he|(?:his"
    rf"|her|its) names?)\s\s?\w+)"
    rf"|(?P<elided>,?\s\s?(?:and|but)\s\s?)(?=(?:now |then |also |just |recently )?(?:live|work|study|am|was|have"
    rf"|hate|love|enjoy|moved|got|like)\s\s?(?:in|as|at|for|a|an|two"
    rf"|three|my|to|the|allergic|\w+ing)\b"
    r"|(?:can't|cant|cannot|don't|dont|never|hate|prefer|dislike)\s\s?\w+)",
    re.I,
)
_RUN_ON = re.compile(
    r"(?<=[a-z])\s\s?(?=(?:(?-i:i'm|im|i am|i live|i work|i have|i've|i love|i like|i hate|i study)|my name"
    r"|my \w+ is)\b)",
    re.I,  # who writes "I" large writes stops too: "the pic I'm sending is lovely" is one clause
)
_RELATIVE = re.compile(
    r"\b(?:the|a|an|all|what|that|which|when|if|because|cuz|where|while|since|like|how|who|things?|as|than|and|or|but|"
    r"before|after|until|ensure|ensures|realise|realize|means|sure|time|reason|moment|everything|something"
    r"|think|know|hope|guess|feel|said|says|told|whenever|with|of|to|for|my|in|on|at|by|once"
    r"|so|though|although|is|was|not|love|like|hate|"
    r"me|you|wish|say|by)$",
    re.I,
)
_LEAD = re.compile(
    r"(?:(?:ha|hah|hehe|heh|meh|phew|yikes|who?a+h?|argh|gosh|blimey|man|dude|hiya|heya|typo|yikes|eek|aww+"
    r"|wahey|well|so|and|but|also|oh|ah|aw|hmm+|um+|uh|er|yeah|yep|yes|yup|nope|nah|no|ok|okay|right|sure|of"
    r" course|haha\w*|lol|omg|wow|btw|"
    r"tbh|ngl|fyi|imo|anyway|anyways|by the way|to be honest|honestly|frankly|you know(?: what)?|you see|i mean"
    r"|basically|"
    r"like|(?:hi|hello|hey)(?: there| everyone| friend)?|good (?:morning|evening|afternoon)|thanks|thank you"
    r"|great|cool|nice|"
    r"just so you know|for the record|besides|for example|in addition|moreover|furthermore|on a \w+ note"
    r"|apart from that|other than that|however|meanwhile"
    r"|(?:my |dear )?(?:ai )?(?:companion|assistant|buddy)(?=,)|fun fact|the thing is|guess what|as i said"
    r"|as you know|speaking of \w+|plus|"
    r"in fact|in general|to be fair|believe it or not|long story short|update|news|good news|bad news|ugh|yay"
    r"|hooray|sorry|"
    r"(?:my )?(?:dear )?friend(?=[,!.])|please remember(?: that)?|remember(?: that)?|don't forget(?: that)?|do"
    r" not forget(?:"
    r" that)?|note that|(?:i )?(?:just )?(?:wanted|want) to (?:tell you|let you know|say|mention)(?: that)?|"
    r"(?:i (?:have to|must) (?:say|admit)|let me tell you|i'll have you know|did i mention)(?: that)?|and yes|"
    r"i (?:think|guess|believe|suppose)(?: that)?(?= (?:I|my|we)\b(?! (?:should|could|would|need)))))\b[\s,:!.…-]*",
    re.I,
)
_ELIDED = re.compile(
    r"(?:now |then |also |just |recently )?(?:live|work|study|am|was|have|hate|love|enjoy|moved|got|like|cannot"
    r"|do not|never"
    r"|prefer|dislike)\b",
    re.I,
)
_ABBREVIATION = re.compile(
    r"(?<!['’])\b(?:mr|mrs|ms|dr|st|prof|vs|etc|e\.g|i\.e|a\.m|p\.m|approx|no|jr|sr|(?-i:[A-HJ-Z]))$", re.I
)


def read_clauses(text: str) -> tuple[Clause, ...]:
    """Cut `text` into clauses, in order; `words` of each is an exact substring of `text`."""
    plain = straighten(text)
    clauses: list[Clause] = []
    for start, end, asked in _sentences(plain):
        opening = True
        pieces = _pieces(plain, start, end)
        for number, (begin, finish) in enumerate(pieces):
            last = number == len(pieces) - 1
            clause = _clause(text, begin, finish, asked=asked and (last or (opening and _asks(plain[start:end]))))
            if clause is not None:
                clauses.append(clause)
            opening = opening and number < 0
    return tuple(_cancelled(clauses))


_LONGEST = 600
"""Characters of a sentence that are read as one: each cut looks at all that stands before it in its sentence."""


def _sentences(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield start, end and whether a question mark closes it, of each sentence outside quotation marks."""
    start = 0
    quoted = _quoted_spans(text)
    opened = [begin for begin, _ in quoted]
    for match in _BREAKS.finditer(text):
        mark = match["stop"]
        place = bisect_right(opened, match.start()) - 1
        if mark is None or (place >= 0 and match.start() < quoted[place][1]) or _no_end(text, match):
            continue
        yield from _bounded(text, start, match.start(), asked="?" in mark)
        start = match.end()
    yield from _bounded(text, start, len(text), asked=False)


def _bounded(text: str, start: int, end: int, *, asked: bool) -> Iterator[tuple[int, int, bool]]:
    """Cut what is longer than any sentence at blanks."""
    while end - start > _LONGEST:
        blank = text.rfind(" ", start + 1, start + _LONGEST)
        cut = blank if blank > 0 else start + _LONGEST
        yield start, cut, asked
        start = cut
    yield start, end, asked


def _no_end(text: str, match: re.Match[str]) -> bool:
    if match["stop"] == "." and re.match(r"(?i)etc$", text[max(0, match.start() - 3) : match.start()]):
        return not re.match(r" +[A-Z]", text[match.end() : match.end() + 20])
    return match["stop"] == "." and _ABBREVIATION.search(text[max(0, match.start() - 8) : match.start()]) is not None


def _quoted_spans(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r'"[^"\n]{2,400}"', text)]


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut one sentence where an independent clause begins."""
    sentence = text[start:end]
    if re.match(
        rf"\W*(?:{_ASKING}|if\b|imagine|suppose|what if|as the saying|as they say|according to)", sentence, re.I
    ):
        return _after_introduction(text, start, end)
    quoted = _quoted_spans(sentence)
    cuts = [
        match.span()
        for match in _BREAKS.finditer(sentence)
        if match["stop"] is None and _may_cut(sentence, match) and not any(a <= match.start() < b for a, b in quoted)
    ]
    cuts += [
        match.span()
        for match in _RUN_ON.finditer(sentence)
        if not _RELATIVE.search(sentence[: match.start()])
        and not re.search(r"(?i)\bused to\b", sentence[: match.start()])
    ]
    return _spans(text, start, end, cuts)


def _spans(text: str, start: int, end: int, cuts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cut where both sides stand alone."""
    sentence = text[start:end]
    spans, at = [], 0
    for a, b in sorted(cuts):
        apposed = re.match(r"(?i)(?:and )?(?:my|our)\b", sentence[b:]) and not _complete(sentence[b:])
        if a >= at and (_asks(sentence[b:]) or (_complete(sentence[at:a]) and not apposed)):
            spans.append((start + at, start + a))
            at = b
    return [*spans, (start + at, end)]


_OWN = re.compile(
    rf"\W*(?:(?:{_LEAD.pattern})|\w+,? )??(?:i|i'm|im|i've|ive|we|we're)\b(?!.*\b(?:he|she|they|who|it|you|my"
    rf" \w+(?: \w+)? (?:is|has|was|\w+ed|\w+s))\b)",
    re.I,
)
_VERBS = AUXILIARIES | PAST | BASE
_INCOMPLETE = re.compile(
    r"\b(?:but|and|so) (?:due to|despite|because of|after|before|during|when|while|if|since|without|at|on|in)\b[^,]*$",
    re.I,
)


def _complete(segment: str) -> bool:
    """Tell whether a segment can stand alone: "Yesterday" and "my brother" (of "and I") cannot."""
    words = re.findall(r"[\w']+", segment.lower())
    own = next(
        (i for i, word in enumerate(words) if re.fullmatch(r"i|i'm|im|i've|ive|i'd|i'll|we|we're|we've", word)), None
    )
    if _INCOMPLETE.search(segment) or not words:
        return False
    if own is not None:
        return len(words) > own + 1 or "'" in words[own]
    if _LEAD.fullmatch(segment.strip() + " ") or _SMALL_TALK.match(segment.strip()):
        return True
    return any(
        word in _VERBS or word.endswith(("ed", "n't", "'s", "'re")) or word.removesuffix("s") in BASE for word in words
    )


def _may_cut(sentence: str, match: re.Match[str]) -> bool:
    """Keep "if it rains, I stay in" and "when I was five, we moved" whole: half of each says something else."""
    if match["elided"] and not _OWN.match(sentence[: match.start()]):
        return False
    opening = re.match(
        r"\W*(?:(?:and|but|so|well|yes|no|oh)\W+)*(if|when|whenever|while|after|before|although|though|until"
        r"|unless|once|every time|as soon as|since|because|as)\b",
        sentence,
        re.I,
    )
    if re.search(r"\bused to\b", sentence[: match.start()], re.I) and re.match(
        r"[\W]*(?:and|but)?\W*now\b", sentence[match.start() :], re.I
    ):
        return False
    if opening is None or re.match(r"\W*as a\b", sentence, re.I):
        return not re.search(r"\bif (?:i|we|he|she|it|they|only)\b", sentence, re.I)
    asks = re.match(_ASKING, sentence[match.end() :], re.I) is not None
    return (asks and opening[1].lower() in {"since", "because", "as"}) or "," in sentence[: match.start()]


def _after_introduction(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Find what "did you know that I ..." takes for granted; any other question is one piece."""
    told = re.match(
        r"\W*(?:did|have) (?:i|you) (?:already )?(?:tell|told|mention|mentioned|know|hear|heard)(?: you)?(?:"
        r" that)? (?=(?:i|i'm|my|we)\b)",
        text[start:end],
        re.I,
    )
    return [(start + told.end(), end)] if told else [(start, end)]


_FACES = re.compile(r"\s*(?:[:;=]['-]?[()DPpo/|]+|<3+|\bx{2,}|:')(?!\w)")


def _clause(text: str, start: int, end: int, *, asked: bool) -> Clause | None:
    words = text[start:end]
    lead = re.match(r"[\s\W_]*", words)
    begin = start + (lead.end() if lead else 0)
    if words.lstrip()[:1] == '"':
        begin = start + len(words) - len(words.lstrip())
    finish = start + len(words.rstrip(" \t\n,;:-–—"))
    if begin >= finish:
        return None
    plain, corrects = _without_lead(tidy(_FACES.sub("", text[begin:finish])))
    before = text[max(0, start - 14) : begin].lower()
    if re.search(r"\b(?:and|but)\s+$", before) and _ELIDED.match(plain):
        plain = f"I {plain}"
    asked = asked or (
        _asks(plain) and not (re.match(r"(?i)who (?!do|did|can|should|would)", plain) and before.rstrip().endswith(","))
    )
    told = re.match(r"(?i)\W*(?:did|have) (?:i|you)", text[max(0, start - 40) : start]) is not None
    return Clause(begin, finish, text[begin:finish], plain, _saying(plain, asked=asked and not told), corrects)


_POLITE_TAIL = re.compile(
    r"(?:,? (?:(?:and )?(?:always|never|still) (?:have|has|did|do|will)(?: been)?"
    r"|(?:please )?(?:remind|wish|help|tell|advise|forgive|excuse|bless|trust|pray for) (?:me|us|him|her"
    r"|them)(?: luck)?"
    r"|go figure|fingers crossed|knock on wood|touch wood"
    r"|thanks|thank you|thx|lol|haha+|tbh|btw|by the way|you know|to be honest|i guess|please|mate|bro|dude"
    r"|though|ngl|fyi|xx?|and you))+\W*$",
    re.I,
)
_CORRECTING = re.compile(
    r"(?:actually|no|nope|sorry|typo|wait|i meant|i mean|correction|scratch that|rather|not \w+ but|my mistake"
    r"|oops)\b[\s,:!.…-]*(?:actually|wait|i meant|i mean|sorry|that's wrong)?[\s,:!.-]*",
    re.I,
)


def _without_lead(plain: str) -> tuple[str, bool]:
    """Take off "well, by the way, ..."; tell whether the clause sets something right."""
    corrects = False
    while True:
        correcting = _CORRECTING.match(plain)
        if correcting and correcting[0]:
            corrects = corrects or not re.fullmatch(r"(?i)no[\s,]*", correcting[0])
            plain = plain[correcting.end() :]
            continue
        plain = _POLITE_TAIL.sub("", plain)
        lead = _LEAD.match(plain)
        if lead is None or re.match(
            r"(?i)(?:no longer|no one|like (?:my|the)|so do|so am|right now|great (?:news)? )", plain
        ):
            return with_subject(plain), corrects
        plain = plain[lead.end() :]


_HYPOTHETICAL = re.compile(
    r"^(?:if|unless|imagine|suppose|supposing|assuming|pretend|let us say|let's say|say I (?:had|was|were)|what if"
    r"|hypothetically|in (?:another|a parallel|a different) (?:life|world|universe))\b"
    r"|\b(?:as if|even if|if only|if I|if my|if we) (?:\w+ )?(?:had|were|was|could|would|won|\w+ed)\b|\bI"
    r" wish\b|\bwould have\b|\bcould have\b|\bwould\b.*\bif\b|\bwere to\b|\bif I (?:ever|get|become|find|do)\b"
    r"|^I (?:have )?(?:never|did not) (?:say|said|claim|claimed)\b|\b(?:had|have) (?:a|this|the) (?:\w+"
    r" )?(?:dream|nightmare)\b|\b(?:I|we) (?:\w+ )?(?:should|could"
    r"|ought)\b|\bI dream(?:t|ed)? (?:that|of being|about being|I)\b|\bin my dream\b"
    r"|\b(?:almost|nearly) (?:bought|got|took|went|became|had|did|quit|left|sold|\w+ed)\b"
    r"|\bhypothetical|\bfor example I\b",
    re.I,
)
_REQUEST = re.compile(
    r"^(?:please |kindly |now |just |then )*(?:tell|write|give|show|help|explain|remind|remember|make|suggest"
    r"|recommend|translate|summari[sz]e|list|let|call(?! me [A-Z])|find|search|look|"
    r"describe|create|draft|calculate|compare|check|add|set|play|say|sing|act|answer|forget|delete|teach|name"
    r"|pick|choose|come|go|stop|keep|try|take|wait|listen|guess|see|think of|talk|consider|read|open|turn|put"
    r"|send|ask|do|be|don't|do not|never mind|have a|rewrite|rephrase|paraphrase|proofread|correct|edit|fix)\b"
    r"|\b(?:write|tell|make up|invent|compose) (?:me )?(?:a|an|the|some) (?:\w+ )?(?:story|poem|joke|song|tale"
    r"|letter|essay|email|scene|novel|script|limerick|haiku)\b"
    r"|^(?:can|could|would|will) you\b|\bI(?: would|'d)? (?:want|like|need|love) you to\b|\b(?:role-?play|act"
    r" as)\b|^in (?:this|the|my) (?:story|game|novel)\b",
    re.I,
)
_REPORTED = re.compile(
    rf"^(?!(?:my|our|the) (?:new |latest |last |blood |allergy )*(?:doctors?|dentist|vet|physio|therapist|boss"
    rf"|midwife|tests?|results?|scans?|scales|x-rays?)\b)(?!I\b)(?:[\w'-]+"
    rf" ){{0,4}}?(?:{'|'.join(sorted(SPEAKING))})(?! about\b)\b"
    rf"(?: (?:me|us|him|her|them|to me|everyone))?(?:,| that\b| he\b| she\b| I\b| my\b| we\b| they\b| it\b|"
    rf" there\b|:| \"|$)"
    r"|^according to\b|\b(?:people|they|some|everyone|everybody) (?:say|think|believe)\b|^(?:I|we) (?:heard"
    r"|read|saw) (?:that|somewhere|on the news)\b|^as the saying goes|\bquote\b"
    r"|\b(?:asked|asks|wonders?|wants? to know|keeps? (?:telling|saying|asking)|is telling) "
    r"(?:me |us |everyone |everybody |people |him |her )?(?:if|whether|that) (?:I|we|my)\b"
    r"|^\"|^(?:the|a|this) (?:main )?(?:movie|film|book|novel|story|song|article|character|hero|heroine|villain"
    r"|protagonist)\b|^in (?:the|a|this|that|my) (?:novel|book|film|movie|story|series|play|game)\b",
    re.I,
)
_SMALL_TALK = re.compile(
    r"^(?:hi|hello|hey|thanks|thank you|thx|ty|cheers|bye|goodbye|good (?:night|morning|evening|afternoon|luck"
    r"|idea|point)|see you|take care|welcome|congrats\w*|ok\w*|sure|yes|no|"
    r"great|cool|nice|perfect|awesome|wonderful|lovely|amazing|interesting|exactly|indeed|absolutely|definitely"
    r"|of course|no problem|never mind|nevermind|"
    r"got it|I got it|I see|I understand|I agree|me too|same here|same|not really|maybe|haha\w*|lol|wow|just"
    r" kidding|jk|kidding|sounds \w+|(?!you can call me\b)"
    r"(?!.*\b(?:birthday|anniversary|wedding|graduation|(?:first|last)"
    r" day)\b)(?:that|this|it|they(?!.*\bmy\b)|these(?! days)|those|you) .*"
    r"|there (?!(?:is|are|was|were) .*\b(?:in|on|at|of) (?:my|our)\b).*|what a .*)$",
    re.I | re.S,
)


def _asks(text: str) -> bool:
    return re.match(rf"\W*{_ASKING}", text, re.I) is not None


_SAYINGS = (
    (Saying.HYPOTHETICAL, _HYPOTHETICAL),
    (Saying.REQUEST, _REQUEST),
    (Saying.REPORTED, _REPORTED),
    (Saying.SMALL_TALK, _SMALL_TALK),
)


def _saying(plain: str, *, asked: bool) -> Saying:
    if re.search(r", (?:right|isn't it|don't you think|you know|huh|eh|is not it|do not you(?: think)?)$", plain, re.I):
        asked = False
    if asked or re.match(r"I (?:wonder|was wondering|am wondering)\b|do you\b", plain, re.I):
        return Saying.QUESTION
    return next((saying for saying, pattern in _SAYINGS if pattern.search(plain)), Saying.STATEMENT)


_FICTION = re.compile(
    r"(?:(?:can|could|would|will) you |please )*(?:imagine|suppose|pretend|role-?play|let us pretend|let us play"
    r"|let's (?:say|pretend|play)|(?:translate|rewrite|rephrase|paraphrase|proofread|correct|edit|summari[sz]e)"
    r" (?:this|the following|it)\b|translate"
    r"|(?:write|make up|invent|compose|tell)(?: me)?(?: a| an| the| some)?(?: \w+){0,2} (?:story|poem|song|tale"
    r"|script|letter|novel|scene|essay|email|fiction))\b",
    re.I,
)


def _cancelled(clauses: list[Clause]) -> list[Clause]:
    """Drop the statement that "just kidding" takes back; what follows "write a story" is the story."""
    kept: list[Clause] = []
    fiction = False
    for clause in clauses:
        if (
            re.match(
                r"(?i)(?:haha |lol )?(?:just |only )?(?:kidding|joking|jk)\b|I am (?:just |only )?(?:kidding"
                r"|joking)\b|that was a joke",
                clause.plain,
            )
            and kept
        ):
            kept.pop()
        kept.append(replace(clause, saying=Saying.REQUEST) if fiction else clause)
        fiction = fiction or _FICTION.match(clause.plain) is not None
    return kept
