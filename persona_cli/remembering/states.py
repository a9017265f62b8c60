"""States of a life that rule each other out: who is unemployed has found no job yet, who is single is not engaged.

A new state ends the old one without a word of change. Each state is a way in which sentences put it; the rules say
which old states a new one ends.
"""

from __future__ import annotations

import re

_STATES = {
    name: re.compile(pattern.replace(r"\ ", " ").replace(" ", r"\s+"), re.IGNORECASE)
    for name, pattern in {
        "single": r"\b(?:is|was|be|still|happily|again) single\b|\bno (?:boyfriend|girlfriend|partner)\b"
        r"|\bnot (?:in a relationship|dating anyone|seeing anyone)\b",
        "partnered": r"\bin a (?:\w+ )?relationship\b|\b(?:is|been|started|now) (?:dating|seeing) (?!a (?:doctor"
        r"|therapist|physio|specialist|dentist|counsellor))"
        r"|\b(?:has|got|found|met) (?:a|the user's) (?:new )?(?:boyfriend|girlfriend|partner)\b"
        r"|\bmoved in with (?:the user's )?(?:boyfriend|girlfriend|partner)\b",
        "engaged": r"\b(?:is|are|got|been) (?:now |just |recently )?engaged\b|\bproposed to\b|\bsaid yes to\b",
        "married": r"\b(?:is|are|got|been|was) (?:now |just |recently |happily )?married\b(?! in)"
        r"|\bthe user married\b|\btied the knot\b",
        "parted": r"\b(?:divorced|separated|broke(?:n)? up|split up|split from|called off the engagement|widowed"
        r"|dumped)\b|\bno longer (?:together|married|engaged)\b",
        "pregnant": r"\b(?:pregnant|expecting (?:a|the user's|their) (?:\w+ )?(?:baby|child))\b",
        "born": r"\b(?:baby|son|daughter|girl|boy|child|twins)\b[^.]{0,30}\b(?:was|were|is|has been) born\b"
        r"|\bgave birth\b|\bhad (?:a|the user's|their) (?:\w+ )?(?:baby|child)\b",
        "petless": r"\b(?:not have|not have any|have no|has no|never had|without|does not own"
        r"|no) (?:any )?(?:pets?|animals?)\b",
        "with pet": r"\b(?:adopted|got|bought|has|rescued|took in|have)\b[^.]{0,30}\b(?:dog|puppy|cat|kitten"
        r"|rabbit|hamster|parrot|beagle|labrador|poodle"
        r"|budgie|tortoise|turtle|goldfish|guinea pigs?|terrier|spaniel|retriever|greyhound|collie|dachshund"
        r"|corgi|pug|horse|pony|bird|snake|lizard|ferret|gecko)s?\b",
        "childless": r"\b(?:not have|has no|have no|without) (?:any )?(?:children|kids)\b",
        "jobless": r"\b(?:unemployed|between jobs|out of (?:work|a job)|jobless|on the dole|job ?hunting"
        r"|looking for (?:a (?:new )?job|work))\b|\bdoes not have a job\b",
        "lost job": r"\b(?:lost|quit|left|resigned from|was fired from|got fired from) the user's job\b"
        r"|\bwas (?:fired|laid off|made redundant|let go|sacked)\b"
        r"|\bgot (?:fired|laid off|sacked)\b",
        "employed": r"\b(?:found|got|landed|started|has|accepted|offered) (?:an?|the user's"
        r"|the) (?:\w+ ){0,2}(?:job|position|role|traineeship|apprenticeship)\b"
        r"|\bnew job\b|\b(?:is|was|got|been) (?:now )?(?:hired|employed)\b|\bstart(?:ed|s"
        r"|ing) (?:work(?:ing)? )?(?:at|as|for)\b|\bworks? (?:now )?(?:as|for|at) \w",
        "self-employed": r"\b(?:self-employed|freelanc\w+|own boss|runs? (?:the user's|an?) own (?:business"
        r"|company|shop))\b",
        "hired": r"\b(?:joined|employed (?:at|by)|permanent (?:job|contract|position)|steady job|works? for"
        r"|works? at)\b",
        "retired": r"\b(?:retired|in retirement|stopped working)\b",
        "working": r"\b(?:is|works as|was|job is) (?:now )?an? (?!retired|mother|father|member|fan|morning"
        r"|night)(?:[\w-]+ ){0,3}(?:\w+(?:er|or|ist|ian|ant|nurse|chef|cook|vet|clerk|judge|pilot))\b"
        r"|\bworks? (?:as|for|at|in)\b|\bteaches\b|\bemployed\b",
        "renting": r"\b(?:rents?|is renting|renting) (?:the user's |an? |their )?(?:\w+ )?(?:house|flat"
        r"|apartment|home|place)\b|\bpays rent\b",
        "owner": r"\b(?:bought|owns?|purchased) (?:the user's |an? |their )?(?:own |first |new |\w+ )?(?:house"
        r"|flat|apartment|home|place)\b",
        "alone": r"\blives? (?:now )?(?:alone|on the user's own|by themselves|by the user's self)\b|\b(?:has|got"
        r"|have|found) (?:got )?(?:the user's|an?|his|her|their) own (?:place|flat|apartment|home|house)\b"
        r"|\bmoved out\b",
        "together": r"\blives? with (?!a view|a (?:dog|cat)|the user's (?:dog|cat))|\bshar(?:es|ing) an? (?:flat"
        r"|house|apartment|place|room)\b|\bflatshare\b|\broommates?\b",
        "sleepless": r"\binsomnia\b|\b(?:cannot|can't|hardly|barely) sleeps?\b|\bsleeps? (?:badly|poorly"
        r"|terribly)\b|\btrouble sleeping\b",
        "rested": r"\bsleeps? (?:really |very |much |so )?(?:well|better|soundly|deeply|like a (?:baby|log"
        r"|stone))\b|\bsleeps? through\b",
        "early": r"\b(?:morning person|early bird|early riser|lark)\b",
        "late": r"\b(?:night owl|evening person|late riser|night person)\b",
        "long hair": r"\blong (?:\w+ )?hair\b|\bhair (?:is|was) (?:\w+ )?long\b",
        "short hair": r"\bhair (?:is |was )?(?:really |very |now |all |quite )*(?:short|shaved|off|cropped)\b"
        r"|\bshort (?:\w+ )?hair\b|\bshaved (?:the user's|her|his) head\b|\bhair cut (?:really |very )?short\b",
        "home office": r"\b(?:works?|working) from home\b|\bhome office\b|\b(?:works?"
        r"|working) (?:fully )?remote(?:ly)?\b",
        "in office": r"\b(?:back (?:in|at|to)|works? (?:in|at)|return(?:ed)? to"
        r"|goes (?:back )?(?:in)?to) the office\b",
        "glasses": r"\bwears? (?:\w+ )?(?:glasses|contacts|contact lenses)\b|\bhas glasses\b",
        "eyes mended": r"\b(?:laser(?:ed)?|eye) (?:eye )?(?:surgery|treatment|operation)\b|\bno (?:more"
        r"|longer \w+) glasses\b|\bnot (?:need|wear) (?:\w+ )?glasses\b",
        "student": r"\b(?:studies|is studying|study|studying|majors? in|is (?:an?|the) (?:\w+ )*student)\b"
        r"|\bat (?:university|college|uni)\b",
        "no student": r"\b(?:graduated|dropped out|finished (?:the user's |her |his |their )?(?:\w+ )*(?:degree"
        r"|studies|course|university|phd|master's)|got (?:the user's |her |his )(?:\w+ )*degree"
        r"|left (?:university|college|uni))\b",
        "learner driver": r"\b(?:learning to drive|driving lessons|no (?:driving|driver's) licen[cs]e"
        r"|not have a (?:driving|driver's) licen[cs]e)\b",
        "driver": r"\bpassed (?:the user's |her |his |the )?driving test\b|\bgot (?:the user's |her |his "
        r"|a )?(?:driving|driver's) licen[cs]e\b",
        "smoker": r"\b(?:smokes?|is a (?:\w+ )?smoker)\b",
        "non-smoker": r"\b(?:non-smoker|smoke-free|stopped smoking|quit smoking|gave up smoking|given up smoking"
        r"|no longer smokes?|not smoked)\b",
    }.items()
}
_ENDS: dict[str, str] = {
    "partnered": "single",
    "engaged": "single partnered",
    "married": "single engaged partnered",
    "parted": "partnered engaged married",
    "single": "partnered engaged married",
    "born": "pregnant childless",
    "with pet": "petless",
    "employed": "jobless retired",
    "jobless": "employed working",
    "lost job": "working",
    "hired": "self-employed jobless",
    "retired": "working employed jobless self-employed",
    "owner": "renting",
    "alone": "together",
    "together": "alone",
    "rested": "sleepless",
    "sleepless": "rested",
    "early": "late",
    "late": "early",
    "long hair": "short hair",
    "short hair": "long hair",
    "in office": "home office",
    "home office": "in office",
    "eyes mended": "glasses",
    "no student": "student",
    "driver": "learner driver",
    "non-smoker": "smoker",
}
_SEARCHED = {
    "single": "single relationship",
    "partnered": "relationship dating seeing boyfriend girlfriend partner",
    "engaged": "engaged fiancé fiancée",
    "married": "married husband wife",
    "pregnant": "pregnant expecting",
    "childless": "children kids",
    "petless": "pets pet animals",
    "jobless": "unemployed jobs work job",
    "employed": "job employed hired works",
    "working": "works work job employed teaches is a",
    "self-employed": "self-employed self employed freelance freelancer boss business",
    "retired": "retired retirement",
    "renting": "rent rents renting",
    "together": "lives live shares sharing flat",
    "alone": "lives alone own",
    "sleepless": "insomnia sleep sleeping",
    "rested": "sleep sleeps",
    "early": "morning early",
    "late": "night owl evening late",
    "long hair": "hair",
    "short hair": "hair",
    "home office": "home remotely",
    "in office": "office",
    "glasses": "glasses lenses",
    "student": "studies study student studying university college",
    "learner driver": "driving drive",
    "smoker": "smoke smokes smoker",
}


def states(content: str) -> frozenset[str]:
    """Return the states a sentence about somebody tells."""
    return frozenset(name for name, pattern in _STATES.items() if pattern.search(content))


def rules_out(new: str, old: str) -> bool:
    """Tell whether the state that `new` tells ends the one of `old`, both being of one person."""
    mine, theirs = states(new), states(old)
    over = {name for state in mine for name in _ENDS.get(state, "").split()}
    return bool(over & (theirs - mine))


def state_words(new: str) -> str:
    """Return the words by which memories are found whose state `new` may end."""
    over = {name for state in states(new) for name in _ENDS.get(state, "").split()}
    return " ".join(sorted({word for name in over for word in _SEARCHED.get(name, "").split()}))
