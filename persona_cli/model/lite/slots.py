"""The slots of a life: how people ask for a name, an age, a home, and how the answer to each one looks.

A fact about the right person that does not have the right shape answers nothing: "your dog is called Max" is no
answer to how old the dog is. So a question that asks for one of these is only met by a sentence that shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from persona_cli.english.lexicon import DIETS, PEOPLE, PETS
from persona_cli.english.lexicon import words as word_set

_NO_TRADE = "|".join(sorted((re.escape(word) for word in PEOPLE | PETS | DIETS), key=len, reverse=True)) + (
    "|man|woman|boy|girl|guy|lad|person|fan|member|bit|lot|twin|vegetarian|smoker|star|hero|pain|mess|genius|nightmare"
    "|surprise|delight|night owl|early bird"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One attribute: the pattern of questions for it, the pattern of sentences that fill it."""

    name: str
    asked: re.Pattern[str]
    told: re.Pattern[str]
    words: frozenset[str]
    """Stems that belong to the slot, not to the topic: they need not be covered."""


def _ways(*ways: str, case: bool = False) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{way})" for way in ways), 0 if case else re.I)


_OF = r"\b(?:my|his|her|their|our|\w+['’]s)"
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_CALENDAR = rf"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|{_MONTHS}|Christmas|Easter|English|German|French|Spanish"
_NUMBER = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[- ]\w+)?)"
)
SLOTS: tuple[Slot, ...] = (
    Slot(
        "birthday",
        _ways(r"\bbirthdays?\b", r"\bb-?day\b", r"\bdate of birth\b", r"\bwhen (?:was|were) .{1,30} born\b"),
        _ways(r"\b(?:birthdays?|born|b-?day)\b", rf"\bturn(?:s|ed|ing)? (?:\d+|{_NUMBER})\b"),
        word_set("birthday bear date birth day"),
    ),
    Slot(
        "age",
        _ways(r"\bhow old\b", rf"{_OF} age\b", r"\bwhat age\b"),
        _ways(
            r"\b\d+[ -]?(?:years?|yrs?|months?|weeks?)?[ -]?old\b",
            r"\b(?:turn\w*|aged?|age is|is|am|are|just) \d{1,3}\b(?! (?:minutes|km|miles|hours))",
            r"\bborn\b",
            rf"\b(?:is|am|are|turned|turns|turning|i'm|just) (?:only |now |already )?{_NUMBER}\b"
            r"(?! (?:\w+ )?(?:of|minutes|km|miles|hours|days|o'clock))",
            r"\b\d+(?:st|nd|rd|th) birthday\b",
            rf"\b{_NUMBER} (?:years|months|weeks) old\b",
        ),
        word_set("old age"),
    ),
    Slot(
        "origin",
        _ways(
            r"\bwhere\b.{1,40}\b(?:from|born|grow up|grew up|raised)\b",
            r"\bhome ?town\b",
            r"\bwhere\b.{1,40}\bcome from\b",
        ),
        _ways(r"\b(?:from|born|grew up|raised|home ?town|originally|childhood)\b"),
        word_set("grow bear raise hometown come origin"),
    ),
    Slot(
        "job",
        _ways(
            r"\bfor (?:a |my |his |her )?(?:living|work)\b",
            r"\b(?:jobs?|profession|occupation|employ\w*|career|line of work)\b",
            r"^what (?:do|does) (?:(?:my|our) [\w-]+|[A-Z]\w+|he|she|they)(?: [A-Z]\w+)? do\W*$",
            r"\b(?:where|who|what|which)\b.{1,40}\bwork(?:s|ing)?(?: at| for| as| in)?\W*$",
        ),
        _ways(
            r"\b(?:works?|worked|working) (?!out\b)(?:as|at|for|in|from|with|part|full|on|nights?|days|shifts|late)\b",
            r"\b(?:jobs?|profession|employ\w*|career|hired|teach\w*|company|runs? an?|self-employed|freelanc\w*)\b",
            r"\b(?:manage[sd]?|own(?:s|ed)?) (?:an?|the) \w+",
            r"\b(?:is|am|was|as|became|become|being|been|i['’]m|are) (?:now |still |currently )?an? (?:[\w-]+ ){0,3}"
            r"\w*(?:er|or|ist|ian|ant|nurse|chef|cook|vet|clerk|judge|pilot|smith|student|midwife|intern)\b",
            r"\b(?:I['’]m|I am|is) [A-Z]\w+, an? (?:[\w-]+ ){0,2}\w+(?:er|or|ist|ian|ant|nurse|chef)\b",
            rf"^(?:(?:[Tt]he user['’]s|[Mm]y) [\w' -]+|[A-Z]\w+) (?:is|was) an? (?:[\w-]+ ){{0,2}}"
            rf"(?!(?:{_NO_TRADE})\b)[\w-]+(?=[.,!]|$| (?:at|in|for|with|and)\b)",
            r"\b(?:retired|unemployed|housewife)\b",
        ),
        word_set("job live work"),
    ),
    Slot(
        "home",
        _ways(
            r"\bwhere\b.{1,40}\b(?:live|lives|living|based|reside|home|stay(?:ing)?)\b",
            rf"{_OF} (?:home )?address\b",
            r"\b(?:city|town|country|neighbou?rhood|street|part of town)\b.{1,40}\b(?:live|lives|living)\b",
            r"\bwhere\b.{1,40}\bmov(?:e|ed) to\b",
        ),
        _ways(r"\b(?:live[sd]?|living|moved|moving|based|address|resides?|settled|flat|apartment|house|home)\b"),
        word_set("live move base stay city town country street"),
    ),
    Slot(
        "name",
        _ways(
            r"\bnames?\b",
            r"\bwhat\b.{1,30}\b(?:called|named)\b",
            r"\bwhat do (?:i|we) call\b",
            r"\bwho(?: is| are| was|['’]s|s) my\b",
        ),
        _ways(
            r"\b(?:[Cc]alled|[Nn]amed|[Nn]ames?)\b",
            rf"(?<=[a-z,:] )(?!{_CALENDAR})[A-Z][a-z]+",
            r"^(?!The |This |That |It )[A-Z][a-z]+ (?:is|was)\b",
            case=True,
        ),
        word_set("name"),
    ),
    Slot(
        "studies",
        _ways(
            r"\bwhat\b.{1,30}\b(?:study|studying|studied|reading at|major(?:ing)?)\b",
            r"\b(?:my|his|her|their|our|\w+['’]s) (?:degree|major|course|studies|subject)\b",
        ),
        _ways(
            r"\b(?:stud(?:y|ies|ied|ying)|students?|majors?|majored|majoring|degree|course|graduated)\b",
            r"\b(?:switched|changed|transferred) (?:from .{1,40} )?to\b",
        ),
        word_set("study studi learn degree major cours subject"),
    ),
    Slot(
        "hobby",
        _ways(r"\bhobb(?:y|ies)\b", r"\bfor fun\b", r"\b(?:free|spare) time\b", r"\bpastimes?\b"),
        _ways(
            r"\b(?:enjoys?|loves?|likes?|into|began|started|taken up|took up) (?:to )?(?!being|having|it\b)\w+ing\b",
            r"\b(?:enjoys?|loves?|likes?|passionate about|interested in) (?:to )?"
            r"(?!it\b|that\b|this\b|my\b|his\b|her\b)\w+",
            r"\b(?:your |user's )?likes:",
            r"\b(?:joined|member of|goes to|started|takes?) (?:an?|the) (?:\w+ ){0,2}"
            r"(?:club|class|classes|lessons|team|choir|band|group)\b",
            r"\b(?:goes|went|going|started|keeps?) (?!to\b|being\b|having\b)(?:\w+ )?\w+ing\b",
            r"\b(?:grows?|breeds?|bakes?|sews?|builds?|restores?|learning|learns)\b",
            r"\b(?:hobb(?:y|ies)|practi[cs]es?|plays?|collects?|paints?|knits?|gardens?|hikes?|sings?|dances?|passion\w*)\b",
            r"\b(?:free|spare) time\b",
        ),
        word_set("hobby fun free spare time pastim do"),
    ),
    Slot(
        "goal",
        _ways(
            r"\b(?:my|our) (?:\w+ )?(?:goals?|dreams?|ambitions?|aims?|resolutions?|wish(?:es)?)\b",
            r"\bwhat (?:do|did) (?:i|we) (?:want|dream|hope|wish)\b(?! to eat)",
        ),
        _ways(
            r"\b(?:wants?|wanted|dreams?|goals?|hop(?:e|es|ing)|wish\w*|ambition|aim\w*|resolution|saving)\b",
            r"\b(?:training for|would love|plans? to|planning to)\b",
        ),
        word_set("goal dream ambit aim resolut want hope wish"),
    ),
    Slot(
        "plan",
        _ways(
            r"\b(?:my|our|any) (?:\w+ )?plans?\b",
            r"\bwhat (?:am|are) (?:i|we) (?:doing|up to|planning)\b",
            r"\bcoming up\b",
        ),
        _ways(
            r"\b(?:plan\w*|going to|will|want\w*|tomorrow|next|starts?|begins?|appointment|booked|upcoming)\b",
            r"\b(?:scheduled|fly|flies|flying|trip|concert|exam|meeting|wedding|party|visit\w*|on \d)\b",
            rf"\bin (?:{_MONTHS})\b",
        ),
        word_set("plan come"),
    ),
    Slot(
        "likes",
        _ways(
            r"\b(?:like|love|enjoy|prefer|hate|dislike|adore|can['’]t stand|detest|loathe|despise)\b",
            r"\bfavou?rites?\b",
            r"\b(?:fond of|pet peeve)\b",
            r"\bcan(?:['’]|no)?t (?:i|we|he|she|they) (?:stand|bear|stomach)\b",
        ),
        _ways(
            r"\b(?:lik|lov|ador|hat|dislik|detest|loath|despis)(?:e|es|s|ed|ing)\b",
            r"\b(?:enjoy\w*|favou?rites?|prefer\w*|fond of|into|keen on|fan|obsessed|addicted|crazy about|hooked)\b",
            r"\bcan(?:['’]|no)?t (?:stand|get enough|bear|stomach|live without)\b",
            r"\b(?:passion\w*|hobb(?:y|ies)|the best)\b",
        ),
        word_set(
            "stand bear stomach loathe despise detest like love enjoy hate dislik prefer fond hobby fun free spare time"
            " favourite ador"
        ),
    ),
)
_NEGATIVE_LIKING = _ways(
    r"\b(?:hates?|hated|dislikes?|detests?|loathes?|despises?)\b",
    r"\bcan(?:['’]|no)?t (?:(?:i|we|he|she|they) )?(?:stand|bear|stomach)\b",
    r"(?:n['’]t|\bnot|\bnever|\bno longer)(?: \w+){0,2} (?:like|love|enjoy|fan|fond|keen|into)\b",
)
_NEGATION = _ways(
    r"\b(?:not|never|no longer|no more|stopped|quit|gave up|given up|without|neither|nobody|none|cannot)\b",
    r"\b(?:any ?more|used to|br[eo]ke?n? up|split up|separated|divorced)\b",
    r"n['’]t\b",
    r"\bno \w+\b",
)


LOOKED_FOR = {
    "birthday": "birthday, born, turned years old",
    "age": "years old, age, turned",
    "origin": "from, born in, grew up in",
    "job": "works as, job, working at, employed",
    "home": "lives in, moved to, home, flat",
    "name": "called, named, name is",
    "hobby": "hobby, enjoys, plays, free time",
    "goal": "wants to, goal, dream, training for",
    "plan": "going to, plan, next, appointment",
    "likes": "likes, loves, favourite, hates",
    "studies": "studies, student, degree, university",
}
"""Words that sentences which fill a slot tend to have, for a second search."""


def slot_of(question: str) -> Slot | None:
    """Return the slot a question asks for, or None."""
    return next((slot for slot in SLOTS if slot.asked.search(question)), None)


def dislikes(text: str) -> bool:
    """Tell whether `text` speaks of not liking."""
    return _NEGATIVE_LIKING.search(text) is not None


def negated(text: str) -> bool:
    """Tell whether `text` denies what it speaks of."""
    return _NEGATION.search(text) is not None
