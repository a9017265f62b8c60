"""The table of rules: which words are a time phrase, and the function that says what it means.

The lookarounds keep apart what only looks like a time: "march 5 miles", "the fall of Rome", "2000 steps".
"""

from __future__ import annotations

import re

from persona_cli.timewords.atoms import COUNT, FEAST, MONTH, NUMBER, SEASON, SHORT_DAY, UNIT, WEEKDAY, YEAR, Build
from persona_cli.timewords.meanings import (
    VAGUE,
    ago,
    before_last,
    calendar_unit,
    date,
    day_of_month,
    decade,
    earlier_today,
    every_weekday,
    feast,
    from_now,
    half_ago,
    iso,
    iso_month,
    last_units,
    month_alone,
    month_named,
    near_day,
    repeating,
    season,
    this_part,
    vague,
    weekday,
    weekday_of_month,
    weekdays_ago,
    weekend,
    whole_year,
    year,
)

_WHICH = r"(?:(?P<which>last|previous|this\s+past|this\s+coming|past|this|next|(?:the\s+)?coming|the\s+following)\s+)"
_ABOUT = r"(?:(?:about|around|almost|nearly|over|more\s+than|less\s+than|just\s+over|roughly|maybe|like)\s+)?"
_ST = r"(?:st|nd|rd|th)"
_DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])(?!\d|[.:]\d)"
_AND_YEAR = rf"(?:\s*,?\s*(?:of\s+)?{YEAR})?"
_WHILE = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(VAGUE, key=len, reverse=True))

_TABLE: tuple[tuple[str, Build], ...] = (
    (r"(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])-(?P<d>\d\d)(?:[T ](?P<hour>\d\d):(?P<minute>\d\d))?(?!\d)", iso),
    (r"(?P<d>\d{1,2})\.(?P<m>0?[1-9]|1[0-2])\.(?P<y>(?:19|20)\d\d)(?:\s+(?P<hour>\d\d):(?P<minute>\d\d))?", iso),
    (r"(?<![\d-])(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])(?![\d-])", iso_month),
    (rf"(?:on\s+)?(?:the\s+)?{_DAY}{_ST}?\s+(?:of\s+)?{MONTH}(?!\w){_AND_YEAR}", date),
    (
        rf"(?:on\s+)?{MONTH}(?<!\bmay)(?!\w)\s+(?:the\s+)?{_DAY}(?:{_ST})?\b"
        rf"(?!\s+(?:miles?|km|kilomet|people|hours?|times|steps|blocks|minutes|days|weeks|months|years|%)){_AND_YEAR}",
        date,
    ),
    (rf"(?P<month>(?-i:May|MAY))\s+(?:the\s+)?{_DAY}{_ST}?\b{_AND_YEAR}", date),
    (
        r"on\s+the\s+(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)\b(?!\s+(?:floor|of|day|time|century|grade|place))",
        day_of_month,
    ),
    (rf"{MONTH}(?!\w)\s*,?\s*(?:of\s+)?{YEAR}", month_named),
    (rf"{_WHICH}{MONTH}(?!\w)(?<!\b[mM]ay)", month_named),
    (rf"{_WHICH}(?P<month>(?-i:May|MAY))\b(?!\s+(?:be|have|not|I|we|you)\b)", month_named),
    (r"(?:(?P<which>last|next)\s+)(?P<month>may)\b", month_named),
    (rf"{MONTH}(?!\w)", month_alone),
    (rf"the\s+year\s+{YEAR}", whole_year),
    (
        rf"(?<![\d.,$€£#:/-]){YEAR}(?!\s*(?:%|km|miles|dollars|euros|people|steps|calories|meters|words|pages|pieces))(?![.,/]\d)",
        year,
    ),
    (r"the\s+(?:(?P<century>19|20)|'|’)?(?P<tens>[1-9]0|00)'?s\b", decade),
    (r"(?:the\s+)?day\s+(?:before\s+yesterday|after\s+tomorrow)|today|yesterday|tomorrow", near_day),
    (r"(?:last|yester)\s*night|tonight|this\s+(?:morning|afternoon|evening|noon)", this_part),
    (r"(?P<side>earlier|later)\s+today", earlier_today),
    (
        rf"{_ABOUT}(?:a\s+)?(?:good\s+)?(?P<count>{NUMBER})(?:\s+of)?(?P<half>\s+and\s+a\s+half)?\s+{UNIT}s?"
        r"(?P<half2>\s+and\s+a\s+half)?\s+(?:ago|back)\b(?!\s+to)",
        ago,
    ),
    (rf"half\s+an?\s+{UNIT}\s+ago", half_ago),
    (rf"in\s+{_ABOUT}{COUNT}{UNIT}s?(?:['’]?s?\s+time)?\b(?!\s+or\b)", from_now),
    (rf"{COUNT}{UNIT}s?\s+from\s+(?:now|today|tomorrow)", from_now),
    (rf"(?P<count>{NUMBER})\s+{WEEKDAY}s?\s+ago", weekdays_ago),
    (
        rf"(?:(?:in|over|during|for|within)\s+)?(?:the\s+|these\s+)?(?P<way>last|past|previous|next|coming|following)\s+"
        rf"(?:(?:a\s+)?(?P<count>{NUMBER})(?:\s+of)?\s+)?{UNIT}s?\b(?!\s+before)",
        last_units,
    ),
    (rf"{_WHICH}(?P<unit>week|weekend|month|year)\b", calendar_unit),
    (
        r"(?:the\s+)?(?P<unit>week|weekend|month|year|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\s+"
        r"(?P<way>before\s+last|after\s+next)",
        before_last,
    ),
    (r"(?:at|on|over|during|for|through)\s+(?:the|my)\s+(?P<unit>weekend)(?P<which>(?!))?", weekend),
    (rf"(?:on\s+)?{WEEKDAY}\s*(?:,\s*)?(?:of\s+)?(?P<week>last|this|next)\s+week", weekday),
    (rf"(?P<week>last|this|next)\s+week\s*(?:on\s+)?{WEEKDAY}", weekday),
    (rf"(?:on\s+)?{_WHICH}?{WEEKDAY}\b(?!\s+school)", weekday),
    (rf"(?:on|last|next|this|since|until|till|by)\s+(?-i:{SHORT_DAY})(?!\w)", weekday),
    (
        r"(?:in\s+|on\s+)?the\s+(?P<rank>first|second|third|fourth|last)\s+(?P<what>week|weekend|monday|tuesday|wednesday|"
        rf"thursday|friday|saturday|sunday)\s+(?:of|in)\s+(?:{MONTH}{_AND_YEAR}|{_WHICH}(?P<unit>month))",
        weekday_of_month,
    ),
    (rf"(?:in\s+the\s+|in\s+|during\s+the\s+|over\s+the\s+|the\s+)?{_WHICH}?{SEASON}\s+(?:of\s+)?{YEAR}", season),
    (
        rf"{_WHICH}{SEASON}(?P<year>(?!))?\b(?!\s+(?:of|break\s+from|asleep|apart|down|over|out|into|in\s+love))",
        season,
    ),
    (
        rf"(?:in|during|over|since|until|by|for|through)\s+(?:the\s+)?(?P<which>(?!))?{SEASON}(?P<year>(?!))?\b(?!\s+of)",
        season,
    ),
    (
        rf"(?:(?:at|on|over|for|during|around)\s+(?:the\s+)?)?{_WHICH}?{FEAST}(?!\w)"
        rf"(?!\s+(?:tree|present|gift|card|song|movie|cookie|market|decoration|carol|dinner\s+recipe|resolution)){_AND_YEAR}",
        feast,
    ),
    (rf"(?P<vague>{_WHILE})", vague),
    (
        rf"(?:on\s+)?(?:every|each)\s+(?:other\s+|second\s+|single\s+)?{WEEKDAY}(?:\s+(?:morning|afternoon|evening|night))?",
        every_weekday,
    ),
    (rf"(?:on\s+|most\s+)?{WEEKDAY}s\b(?:\s+and\s+(?:mon|tues|wednes|thurs|fri|satur|sun)days)?", every_weekday),
    (rf"{WEEKDAY}\s+(?:mornings|afternoons|evenings|nights)", every_weekday),
    (
        rf"(?:every|each)\s+(?:other\s+|second\s+|single\s+|{NUMBER}\s+)?(?:morning|afternoon|evening|night|hour|day|weekend|week|"
        rf"month|year|fortnight|spring|summer|autumn|fall|winter|january|february|march|april|may|june|july|august|september|"
        r"october|november|december|christmas|easter)s?\b",
        repeating,
    ),
    (
        r"(?:once|twice|three\s+times|four\s+times|five\s+times|\d\s+times|times)\s+(?:an?|per|each|every)\s+(?:day|week|month|year)",
        repeating,
    ),
    (r"(?:on|at)\s+(?:the\s+)?(?:weekends|weekdays)|most\s+(?:mornings|evenings|nights|days|weekends)", repeating),
    (r"\b(?:daily|weekly|monthly|yearly|annually|nightly)\b(?!\s+(?:mail|show|news))", repeating),
)

_START, _END = r"(?<![\w'’])(?:(?<!-)|(?<=mid-))", r"(?!\w)"

RULES: tuple[tuple[re.Pattern[str], Build], ...] = tuple(
    (re.compile(f"{_START}(?:{pattern}){_END}", re.IGNORECASE), build) for pattern, build in _TABLE
)
