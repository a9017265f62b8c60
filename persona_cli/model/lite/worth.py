"""Whether a statement without any known attribute is worth remembering: what it is about, and for how long it holds.

"I ran my first marathon" tells something of a life; "I see", "I'm tired" and "I will try that" tell nothing in a
week. What is left after the passing, the polite and the talk about the talk is kept.
"""

from __future__ import annotations

import re

from persona_cli.english.lexicon import ADVERBS, BASE, OBJECTS, PEOPLE, PETS, STOP
from persona_cli.english.verbs import PAST

_ADV = (
    r"(?:(?:really|just|also|still|always|actually|so|very|totally|only|quite|too|now|do|already|completely"
    r"|definitely|personally|can|will) )*"
)

_TALK = re.compile(
    rf"^(?:(?:ok|well|yes) )?(?:I|we) {_ADV}(?:(?:do|did|does|could|would|will|cannot|can|am|was|have) )?(?:not"
    rf" )?{_ADV}"
    r"(?:(?:think|guess|see|understand|agree|mean|hope(?! to\b)|wonder|suppose|believe|know|get it|got it|appreciate"
    r"|apologi[sz]e|imagine|assume|bet|swear|promise|doubt|expect|figured?|care|mind|remember|forgot|forget"
    r"|recall|disagree|thought|knew|heard|noticed|realise|realize)\b"
    r"|(?:am|was|feel|are) (?:not )?(?:(?:so|really|very|just|all|a bit|a little|pretty|quite|feeling|super|too"
    r"|still|kind of|also|more) )*(?:sure|fine|ok|okay|good|great|well|alright|sorry|glad|back|here|tired"
    r"|hungry|thirsty|sleepy|bored|busy|cold|hot|warm|home|full|done|ready|kidding|joking|serious|curious"
    r"|asking|saying|talking|grateful|thankful|honou?red|in|out|off|confused|lost|right|wrong|late|better|lucky"
    r"|impressed|listening|interested|convinced)(?: (?:for a friend|now|today|again|too|thanks|tonight|already"
    r"|though|for"
    r" now|at the moment|right now|to hear (?:that|it)|and you|about (?:that|this|it)|of (?:that|it)|with"
    r" (?:that|it)|at home|in bed|for (?:asking|that|this)))*$"
    r"|(?:have|had|got|need|want|would like|would love|am looking for|could use|require) (?:(?:a|an|some|your"
    r"|one|another|more|any|little|bit of|the|quick|small) )*(?:questions?|advice|help|ideas?|suggestions?|tips"
    r"|recommendations?|problem|information|favou?r|moment|minute|second|chat|recipe|joke|coffee|drink|break"
    r"|nap|snack|opinion|point|doubt|answer)s?\b"
    r"|(?:want|need|would like|would love|am going|am trying|have|wanted|came|am here|like) to (?:know|ask|hear"
    r"|talk|say|chat|see(?! (?:the|my|a|an)\b)|understand|tell|discuss|go to bed|sleep|be honest|thank|share|check)\b"
    r"|(?:will|am going to|shall|should|can|could|must) (?:(?:definitely|surely|just|probably|also|certainly"
    r"|try to|try my best to) )*(?:try|check|think|consider|see|look|do|be|let|give it|keep|remember|take"
    r"|follow|go now|go to bed|get|make sure|have to|need|understand|ask|tell|share|search)\b"
    r"|(?:like|love|enjoy|hate|dislike|prefer) (?:it|that|this|them|those|these|you|your|how|when|what)\b"
    r"|(?:look|am looking) forward to (?:hearing|talking|it|that|your|seeing you)"
    r"|(?:do not|cannot|could not) (?:know|understand|think|get (?:it|that|this|you)|remember|believe|wait|tell"
    r"|say|see|decide|mind|care)\b"
    r"|(?:had|ate|am having|have had|made|cooked|grabbed|just had|am eating|drank) (?:(?!because|birthday|party"
    r"|with|first)[\w' ]){1,40}(?:for (?:breakfast|lunch|dinner|supper|brunch|a snack)|today|tonight|this"
    r" morning|earlier)\b(?!.*(?:because|with my))"
    r"|(?:woke up|got up|am going to bed|am off|am going to sleep|just woke|just got (?:home|back|up|in|here)"
    r"|am (?:on|at|in) (?:my way|the (?:bus|train|couch|sofa|shower)|bed|work|home)|am watching (?:tv"
    r"|television)|slept (?:well|badly|in|fine|ok)|am cooking|am eating|am sitting|am lying|am waiting|am"
    r" making|took a shower|had a shower|got in|got home)\b(?!.*because)"
    r"|(?:have to|must|should|need to|had better|got to) (?:go|run|leave|sleep|hurry|think|get going|be off)\b"
    r"|(?:cannot|could not) (?:sleep|breathe|think straight|concentrate|focus)$"
    r"|(?:cannot|could not|can) (?:argue|complain|agree|imagine|see|believe|wait)\b|feel (?:the same|like (?:it"
    r"|that)|you)|am (?:just )?(?:testing|checking|trying (?:this|it) out|typing|wondering|thinking about (?:it|that))"
    r"|(?:might as well|was only|would (?:kill|die) for|am not in the mood|am off to|said|told|asked|mentioned"
    r"|was saying|meant|mean|was talking|was thinking|was asking|was just|was"
    r" going to)\b)",
    re.I,
)
_ABOUT_TALK = re.compile(
    r"\b(?:you|your|yours|yourself|(?:pic|photo|picture|link|video)s? (?:I|we)"
    r"|since we (?:last )?(?:spoke|talked|chatted|met)|been a while|this app"
    r"|this chat|chatbot|the assistant|our (?:chats?|conversations?|talks?)|the"
    r" weather|advice|suggestions?|tips|my (?:question|point|message|request|last message|guess|opinion|advice"
    r"|apologies|bad|mistake|pleasure|turn|god|goodness|day (?:is|was) (?:good|fine|ok|great|going)))\b",
    re.I,
)
_YOU_FILLER = re.compile(r",? ?\byou (?:know|see)\b,?", re.I)
_MINE = re.compile(r"\b(?:I|[Mm]y|me|[Ww]e|[Oo]ur|us)\b")
_STRENGTH = (
    (
        2.2,
        r"\b(?:birthday|born|married|wedding|engaged|pregnant|died|passed away|funeral|diagnosed|surgery"
        r"|operation|hospital|graduated|promoted|promotion|new job|moved|moving|adopted|bought (?:a|my|our|the)"
        r" (?:\w+ )?(?:house|flat|apartment|car)|divorced|won|award|degree|marathon|accident|broke my|allergic"
        r"|my first|exam|interview)\b",
    ),
    (
        1.8,
        r"\b(?:am (?:planning|going|training|learning|studying|saving|hoping|trying|thinking)|plan to|want to"
        r"|would (?:like|love) to|hope to|decided to|dream|goal|signed up|booked|registered|applied|started"
        r"|joined|finished|every (?:day|week|month|year|morning|evening|night|\w+day)|usually|on (?:week(?:end"
        r"|day)s|\w+days))\b",
    ),
    (1.6, r"\b(?:because|since|so (?:happy|sad|proud|excited|angry|upset|nervous|worried|stressed))\b"),
    (
        1.4,
        r"\b(?:have|own|bought|got|play|collect|made|built|visited|went|travelled|traveled|met|saw|read|watched"
        r"|wrote|painted)\b",
    ),
)
_MOOD = re.compile(
    r"^(?:\w+ )?I (?:\w+ly |just |also |still )?(?:feel|felt|seem|am feeling|look)\b(?!.*\b(?:because|since"
    r"|when|after|about|as|when|that my|without|at home|homesick)\b)",
    re.I,
)
_POINTING = re.compile(
    r"^(?:\w+ )?(?:I|we) (?:\w+ly |just |also |will )?(?!am\b)\w+ (?:it|them|this|that|those|these|the"
    r" (?:process|idea|thought|experience))\b(?!.*\b(?:because|with my|to my|for my)\b)",
    re.I,
)
_SEEKING = re.compile(
    r"\bI am (?:also |just |still |currently )?(?:looking for|after|searching for) (?:(?:a|an|some|any|the|good"
    r"|nice|great|cheap|new) )*(?:restaurants?|books?"
    r"|movies?|films?|recipes?|recommendations?|places?|gifts?|presents?|songs?|ideas?|something|advice"
    r"|information|shows?|hotels?|cafes?|bars?)\b"
    r"|^I am (?:not )?(?:(?:really|so|very|quite|too|still) )*(?:sure|certain|confused|sorry|glad|curious)"
    r" (?:what|how|if|whether|about|which|why|where|when|for|that|on|to)\b",
    re.I,
)
_LACKING = re.compile(
    r"\b(?:do not|did not|cannot) have (?:(?:much|enough|any|the|a lot of|a) )*(?:time|money|budget|idea|clue"
    r"|energy|choice|plans?)\b|\b(?:have|had) no (?:idea|clue|time|plans?|choice|energy|opinion)\b|\bdecided on\b"
    r"|\bgoing to grab\b|\bbrb\b",
    re.I,
)
_OPENING = re.compile(
    r"^(?:(?:today|yesterday|tonight|recently|lately|sometimes|now|right now|currently|next time|these days"
    r"|at the moment|this (?:morning|afternoon|evening|week))\b,? ?)+(?=(?:I|my|we|our)\b)",
    re.I,
)
_PROMISE = re.compile(
    r"^(?:I|we) will (?!(?:\w+ly )?(?:be|have|turn|marry|move|retire|graduate|never|always|start|become)\b)"
    r"(?!.*\b(?:on|in|at|next|tomorrow|tonight) (?-i:[A-Z]|\d|the \d|week|month|year))(?!.*\b(?:tomorrow|tonight)\b)",
    re.I,
)
"""What is promised without a day is said to the listener: "I will pay attention to that"."""
_GENERAL = re.compile(
    r"^we (?:all )?(?:need|have|should|must|can|ought)\b"
    r"|^(?!(?:I|my|our|we)\b)(?:[\w'-]+ ){1,4}(?:can|could|may|might)\b",
    re.I,
)
_THIS = re.compile(
    r"(?<! than)(?<! like) \b(?:this|these|those|such) (?!morning|afternoon|evening|week|month|year|spring"
    r"|summer|autumn"
    r"|winter|fall|time|days|weekend|christmas|easter|as|an?\b|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|january|february|march"
    r"|april|may|june|july|august|september|october|november|december|coming|past|last)[a-z]+\b"
    r"(?! (?:in|of|at|from|with|that|which|called)\b)",
    re.I,
)
"""What "this problem" is stands elsewhere."""
_HALF = re.compile(
    r"(?:me|us|here (?:is|are)|check out|look at)\b"
    r"|(?:even (?:though|when|if)|although|because|since (?:I|we|it|they)|if|when|while|unless|until)\b[^,]*$",
    re.I,
)
"""A list of people, a picture held out, a clause without its main one."""
_ELLIPTICAL = re.compile(
    r"\b(?:am|is|are|was|were|do|does|did|has|have|had|can|will|would)(?:,|$)"
    r"|^(?:I|we) (?:do|did|does|have|had|am|was|can|could)(?: not)?(?: (?:until|since|before|once|too|so|anyway"
    r"|now)\b.*)?$"
    r"|\b(?:asked|told) (?:me|us)(?: (?:at|on|in|about|over|this|the other) [\w ]{1,20})?$",
    re.I,
)
"""A verb without its object says something only beside the sentence before."""
_STATE = re.compile(
    rf"^(?:my|our) (?!(?:[\w-]+ ){{0,2}}(?:{'|'.join(sorted(PEOPLE | PETS))})\b)(?:[\w-]+ ){{0,2}}?[\w-]+"
    rf"(?:'s| has| have| is| are) (?:just |already |finally |all |still )*"
    r"(?:gone|been|got|getting|going|stopped|run|ran|being|playing|killing)\b"
    r"(?:(?! (?:since|for|because)\b)(?! \d).){0,40}$",
    re.I,
)
"""How a thing is doing just now: "my tea's gone cold", "my internet has been down all day"."""
_PASSING = re.compile(
    r"^I am (?:so |very |really |just |a bit |absolutely |completely |totally |quite |rather |still )*"
    r"(?!retired|married|divorced|disabled|adopted|tattooed|separated|engaged|widowed|interested|determined)[a-z]+ed$"
    r"|^I am (?:\w+ly |so |very |really |just |a bit |a little |too |quite |pretty |still |also |feeling |not "
    r"|now |kind of )*"
    r"(?:tired|exhausted|sleepy|hungry|starving|thirsty|bored|busy|cold|hot|warm|full|fine|ok|okay|good|great"
    r"|well|sad|happy|angry"
    r"|upset|annoyed|mad|cross|excited|nervous|anxious|stressed|worried|scared|confused|lost|ready|done|late"
    r"|early|free|sick|ill|drunk"
    r"|awake|alone|lonely|glad|sorry|sure|proud|grateful|relieved|disappointed|frustrated|jealous|calm|relaxed"
    r"|crazy|kidding|joking"
    r"|back|here|home|right|wrong|better|worse|alive|stuck|impressed|surprised|shocked|listening|lucky|blessed"
    r"|dead|weird|curious|serious)"
    r"(?: (?:and|or|but)(?: feeling)?(?: \w+ly| both| very| so)*(?: \w+){1,4})?(?: (?:now|today|again|right now"
    r"|tonight|at the moment|lately|already|anyway))?$",
    re.I,
)


def worth(plain: str) -> float:
    """Return how much a tidied statement about the user is worth, 0 for nothing; known attributes score above."""
    plain = _OPENING.sub("", _YOU_FILLER.sub(" ", plain).strip())
    if _PROMISE.match(plain) or _GENERAL.match(plain) or _HALF.match(plain):
        return 0.0
    if not _MINE.search(plain) or _TALK.match(plain) or _ABOUT_TALK.search(plain):
        return 0.0
    if elliptical(plain) or _STATE.match(plain) or _THIS.search(plain):
        return 0.0
    telling = len(content_words(plain))
    if not telling or (telling < 2 and not _firm(plain)):
        return 0.0
    if (
        not _has_subject(plain)
        or _PASSING.match(plain)
        or _MOOD.match(plain)
        or _POINTING.match(plain)
        or _LACKING.search(plain)
        or _SEEKING.search(plain)
    ):
        return 0.0
    return next((weight for weight, pattern in _STRENGTH if re.search(pattern, plain, re.I)), 1.0)


def elliptical(plain: str) -> bool:
    """Tell whether a clause leaves out what the one before it said: "my whole family is"."""
    return _ELLIPTICAL.search(plain) is not None and not re.search(
        r"\b(?:like|than|as|so|what|which|who)\b", plain, re.I
    )


def _firm(plain: str) -> bool:
    """Tell whether one word of content is enough: "I cycle", "I play chess", "I have a car"."""
    words = list(re.findall(r"[\w'-]+", plain.lower()))
    return (
        len(words) > 1
        and words[-1] not in OBJECTS
        and (words[1] in BASE | PAST or words[1:2] == ["cannot"] or (words[:2] == ["i", "am"] and len(words) > 3))
    )


def _has_subject(plain: str) -> bool:
    words = re.findall(r"[\w'-]+", plain.lower())
    heads = {"i", "my", "we", "our", "today", "yesterday", "tomorrow", "tonight", "me"} | PEOPLE | PETS | ADVERBS
    return "i" in words or (any(word in heads for word in words[:6]) and any(_verb(word) for word in words))


def _verb(word: str) -> bool:
    return (
        word in BASE | PAST
        or word.endswith(("ed", "ing", "s"))
        or word in {"am", "is", "are", "have", "has", "will", "would", "might", "may", "cannot", "can", "do"}
    )


def content_words(plain: str) -> tuple[str, ...]:
    """Return the words that carry a sentence, in order, names as they are written."""
    words = re.findall(r"[^\W_]+(?:['-][^\W_]+)*", plain)
    seen: dict[str, str] = {}
    for word in words:
        bare = re.sub(r"'s$", "", word)
        if bare.lower() not in STOP | OBJECTS | ADVERBS and len(bare) > 1:
            seen.setdefault(bare.lower(), bare if bare[0].isupper() else bare.lower())
    return tuple(seen.values())
