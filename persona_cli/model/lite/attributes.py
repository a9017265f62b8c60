"""Patterns for what a person has one of: a name, an age, a home, a job, a school, a way of eating."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from persona_cli.english.lexicon import CONDITIONS, DIETS, NOT_NAMES, TRADES, words
from persona_cli.model.lite.tags import END, Tag, key, named, trim
from persona_cli.records import Change

_ADV = (
    r"(?:(?:now|currently|just|actually|also|still|already|really|recently|finally|presently|both|only"
    r"|almost|nearly|about|officially) )*"
)
_NAME = r"([^\W\d_][\w'-]*(?: (?!and\b|but\b|from\b|i\b|by\b|in\b|nice\b|so\b|the\b)(?-i:[A-Z])[\w'-]*){0,2})"
_PLACE = (
    r"((?!(?:two|three|four|five|six|seven|eight|nine|ten|many|several|different|various|lots|bed|front|charge"
    r"|general|love|trouble|hospital|town|touch|fact|shock|my|a|an|it|this|pain"
    r"|need|college|school|therapy|tears|hurry|luck|peace|fear|recovery|debt|here"
    r"|there)\b)[^\W\d_][\w'.-]*(?:,? (?!and\b|but\b|with\b|for\b|because\b|since\b|as\b|where\b|who\b"
    r"|which\b|when\b|so\b|now\b|i\b|at\b|on\b|to\b|near\b|after\b|last\b|next\b|yesterday\b|this\b|by\b"
    r"|from\b|but\b|in\b|not\b|all\b|right\b|these\b|about\b|soon\b|tomorrow\b|again\b|alone\b|before\b|than\b"
    r"|too\b|today\b|if\b|together\b)[^\W\d_][\w'.-]*){0,3})"
)

Rule = Callable[[re.Match[str]], Tag | None]


def attributes(plain: str) -> Iterator[Tag]:
    """Yield what a tidied clause says of the user's own one-valued attributes."""
    for pattern, rule in _RULES:
        match = pattern.search(plain)
        tag = rule(match) if match else None
        if tag is not None:
            yield tag


def _slot(slot: str, weight: float = 2.0, change: Change = Change.ADDS, value: Callable[[str], str] = trim) -> Rule:
    def rule(match: re.Match[str]) -> Tag | None:
        found = value(next(group for group in match.groups() if group))
        names = (found,) if value is named else ()
        return (
            Tag(slot.rpartition("/")[2], f"user/{slot}", found, weight=weight, change=change, names=names)
            if found
            else None
        )

    return rule


def _name(match: re.Match[str]) -> Tag | None:
    word = match[1].split()[0].lower()
    whole = len(match[1].split()) > 1 and match[1][0].isupper()
    if word in NOT_NAMES | (frozenset() if whole else TRADES) | DIETS | CONDITIONS | _NO_NAME:
        return None
    if word.endswith(("ing", "ed")):
        return None
    return Tag("name", "user/name", named(match[1]), weight=4, names=(named(match[1]),))


_NO_NAME = words(
    """fine ok okay tired sick ill back home here there sorry glad sure happy sad hungry bored busy ready free new
    single afraid scared alone lost late early married pregnant vegan kidding curious good well great done into
    in on at from about allergic addicted obsessed interested excited nervous anxious proud worried half part
    also just now currently really very too so still always never usually only mostly left right male female gay
    straight trans lesbian bisexual nonbinary quite pretty rather more less terrible awful horrible better worse
    hopeless bad crazy weird ugly pretty smart lazy stupid dumb shy tall short fat thin old young rich poor blind deaf
    strong weak calm mad angry furious upset jealous broke drunk sober high dead alive safe sane insane human real fun
    funny rude mean nice kind gentle brave proud loud quiet stubborn clumsy messy tidy neat picky patient strict moody
    cranky grumpy sleepy thirsty starving full cold hot warm wet dry numb sore stiff weary dizzy queasy lonely homesick
    stuck torn sold down up out off over away around inside outside abroad online done set due able unable willing
    eager keen aware unaware unsure certain positive negative honest serious sensitive emotional vegetarian religious
    spiritual catholic christian muslim jewish hindu buddhist sikh atheist agnostic american british english irish
    scottish welsh french german italian spanish greek dutch polish russian chinese japanese korean indian mexican
    brazilian canadian australian swiss swedish danish turkish portuguese ukrainian african european asian latino
    introvert introverted extrovert extroverted gonna sort kinda basically actually honestly definitely probably maybe
    literally totally also mum mom dad grandma besides between under on their his her your its whatever nobody someone
    self awake asleep unemployed retired self-employed disabled overweight underweight dyslexic autistic bilingual"""
)


def _nickname(match: re.Match[str]) -> Tag | None:
    return (
        Tag("nickname", "user/nickname", named(match[1]), weight=3, names=(named(match[1]),))
        if match[1].lower() not in NOT_NAMES
        else None
    )


def _job(match: re.Match[str]) -> Tag | None:
    phrase = trim(re.split(rf"{END}| from | of the | who ", match[1])[0])
    heads = [word.lower() for word in re.split(r"[\s/-]+", phrase)]
    if (
        not heads
        or heads[0] in {"not", "no", "never"}
        or _doing(heads)
        or not any(head in TRADES or head.rstrip("s") in TRADES for head in heads[-2:])
    ):
        return None
    before = match.string[: match.start(1)].lower()
    slot = "studies" if heads[-1] == "student" else "job"
    changed = re.search(
        r"\bnow\b|became|become|promoted|new job|started (?:as|working)|retrained", match.string[: match.end()].lower()
    )
    return (
        None
        if " not " in before + " "
        else Tag("job", f"user/{slot}", phrase, weight=3, change=Change.REPLACES if changed else Change.ADDS)
    )


def _doing(heads: list[str]) -> bool:
    """Tell "seeing a doctor" from "nursing assistant": what somebody is doing takes an object, a trade none."""
    return heads[0].endswith("ing") and bool({"a", "an", "the", "my", "to", "with"} & set(heads))


def _any_job(match: re.Match[str]) -> Tag | None:
    value = trim(match[1])
    return (
        Tag("job", "user/job", value, weight=3)
        if value and value.lower() not in {"usual", "team", "volunteer"}
        else None
    )


_GERUNDS = {"teach": "teaching", "run": "running", "own": "owning", "manage": "managing", "drive": "driving"}


def _trade_as_verb(match: re.Match[str]) -> Tag | None:
    """Return the job that is told by what somebody does: "I teach maths", "I run a bakery"."""
    verb, done = next((match[f"verb{way}"], match[f"done{way}"]) for way in ("", "2", "3") if match[f"verb{way}"])
    return Tag("job", "user/job", f"{_GERUNDS[verb.lower()]} {done.strip()}", weight=3)


def _home(match: re.Match[str]) -> Tag | None:
    place = named(trim(match[1]))
    moved = re.search(r"(?i)\b(?:moved|moving|relocated|relocating|now|settled)\b", match.string[: match.end()])
    future = re.search(
        r"(?i)\b(?:might|may|will|going to|want to|would|am moving|are moving|planning|hoping|plan to|maybe"
        r"|thinking)\b",
        match.string[: match.end()],
    )
    if not place or (moved and future):
        return None if not place else Tag("move", "user/plan/move", place, names=(place,), weight=2)
    past = re.search(
        r"(?i)\b(?:used to live|(?<!have )lived|grew up|was living|were living)\b", match.string[: match.end()]
    )
    if past:
        return Tag("former home", value=place, names=(place,), weight=1.5)
    return Tag("home", "user/home", place, weight=3, change=Change.REPLACES if moved else Change.ADDS, names=(place,))


def _diet(match: re.Match[str]) -> Tag | None:
    plain = match.string.lower()
    if re.search(r"\bnot\b.*any more|\bno longer\b|used to be|stopped being", plain):
        return Tag("diet", "user/diet", match[1].lower(), change=Change.ENDS, replaces=match[1].lower(), weight=2.5)
    changed = re.search(r"\b(?:went|gone|became|turned|now|become)\b", plain) is not None
    return Tag("diet", "user/diet", match[1].lower(), change=Change.REPLACES if changed else Change.ADDS, weight=2.5)


def _language(match: re.Match[str]) -> Tag | None:
    value = match[1] or match[2]
    names = tuple(named(word) for word in re.findall(r"[^\W\d_]+", value) if word.lower() in _TONGUES)
    return Tag("language", value=", ".join(names), names=names, weight=2) if names else None


_TONGUES = words(
    """english french german spanish italian portuguese dutch polish russian ukrainian czech slovak hungarian romanian
    bulgarian greek turkish arabic hebrew persian farsi hindi urdu bengali punjabi tamil telugu marathi gujarati
    chinese mandarin cantonese japanese korean vietnamese thai indonesian malay tagalog swahili amharic yoruba
    igbo zulu afrikaans swedish norwegian danish finnish icelandic estonian latvian lithuanian croatian serbian
    slovene albanian welsh irish gaelic catalan basque esperanto latin latvian georgian armenian"""
)


def _rules(*pairs: tuple[str, Rule]) -> tuple[tuple[re.Pattern[str], Rule], ...]:
    return tuple((re.compile(pattern, re.I), rule) for pattern, rule in pairs)


_TRADE = r"((?:[\w'/-]+ ){0,4}?[\w'/-]+)"
_BUSINESS = (
    "bakery|shop|caf[eé]|restaurant|farm|business|company|studio|gallery|hotel|pub|bar|salon|store|school|nursery"
    "|practice|clinic|garage|workshop|bookshop|hostel|agency|firm|brewery|vineyard|market stall|food truck|guesthouse"
)
_DIETS = "|".join(sorted(DIETS - {"diabetic", "coeliac", "celiac"}))
_CONDITIONS = "|".join(sorted(CONDITIONS - {"pregnant", "lactose", "gluten", "hay", "fever"}))

_NATIONS = (
    "polish|british|english|scottish|welsh|irish|american|canadian|australian|french|german|spanish|italian|portuguese|dutch"
    "|belgian|swiss|austrian|swedish|norwegian|danish|finnish|icelandic|greek|turkish|russian|ukrainian|czech|hungarian"
    "|romanian|bulgarian|croatian|serbian|indian|pakistani|bangladeshi|chinese|japanese|korean|vietnamese|thai|filipino"
    "|mexican|brazilian|argentinian|colombian|chilean|cuban|jamaican|nigerian|ghanaian|kenyan|egyptian|moroccan|iranian"
    "|israeli|lebanese|syrian|american|european|african|asian"
)
_RULES = _rules(
    (rf"\bmy (?:full |first |real )?name is (?:actually )?{_NAME}", _name),
    (rf"^I am {_NAME}(?=[,.!]|$| and (?:I|my)\b| from\b|, )", _name),
    (rf"^(?:this is|it is) {_NAME} (?:here|speaking)$", _name),
    (rf"^(?:the )?name is {_NAME}", _name),
    (
        rf"\b(?:everyone|everybody|people|friends|my (?:friends|family|mates)|you can|they|just|please)(?:"
        rf" (?:at|in) \w+)? calls?"
        rf" me {_NAME}|\bI go by {_NAME}|\bmy nickname is {_NAME}",
        _slot("nickname", 3, value=named),
    ),
    (rf"^(?:just |please )?call me {_NAME}(?=,|$| (?:please|for short|everyone)\b)", _nickname),
    (
        rf"^I (?:am|have|just|will be|have just|am about to)? ?{_ADV}(?:turned|turn|turning|be)?"
        rf" ?(\d{{1,3}})(?: years? old|-years?-old|yo| y/o)?(?=[,.!]|$| (?:and|now|today|yesterday|tomorrow"
        rf"|last|next|this|in|on)\b| years old)",
        _slot("age", 3),
    ),
    (r"^I am (?:a |an )?(\d{1,2})[ -]years?[ -]old\b", _slot("age", 3)),
    (
        r"\b(?:my birthday (?:(?:is|falls) )?(?:on |in )?(?:the )?|I was born (?:on |in )(?:the )?)((?=.*\d"
        r"|.*(?:january|february|march|april|may|june|july|august|september|october|november"
        r"|december))[\w ,/.-]+?)(?=[,.;!]? (?:and|so|but|in [A-Z])\b|[.;!]|$)",
        _slot("birthday", 3),
    ),
    (
        rf"\b(?:I|we) (?:am |are |have been |have |was |were )?{_ADV}(?:used to live|live|lived|living|moved(?:"
        rf" house)?"
        rf"|move|moving|moving back|moved back|relocated|relocating|settled|based)(?: with [\w ]+?| together|"
        rf" alone| away| back| here| down| over| out)*? (?:in|to|near|outside) (?:the )?{_PLACE}",
        _home,
    ),
    (rf"\bI am based in {_PLACE}", _slot("home", 3, value=named)),
    (rf"^(?:my|our) (?:home|house|flat|apartment|place) is in {_PLACE}", _slot("home", 3, value=named)),
    (
        rf"\bI (?:am|come) {_ADV}(?:originally )?from {_PLACE}|\bI grew up in {_PLACE}|\bI was (?:born and"
        rf" )?raised in {_PLACE}|\bmy home ?town is {_PLACE}|\bI was born in {_PLACE}(?! \d)",
        _slot("origin", 2.5, value=named),
    ),
    (
        rf"\b(?:I am|I was|I became|I have become|I got promoted to|I was promoted to|I work as|I am working as"
        rf"|I worked as|I have worked as|I have been|I started as|my job is(?: being)?|my occupation is|I have"
        rf" been working"
        rf" as|I now work as|I am now|I qualified as|I am employed as) {_ADV}(?:an? |the )?{_TRADE}{END}",
        _job,
    ),
    (
        rf"\b(?:I work|I am working|I now work|I have been working|I have worked|I am employed)"
        rf" (?:(?:part[- ]time|full[- ]time|freelance|nights|shifts|there) )?{_ADV}as (?:an?"
        rf" |the )?{_TRADE}{END}",
        _any_job,
    ),
    (
        rf"\bI {_ADV}(?:(?P<verb>teach) (?P<done>(?!my\b|him\b|her\b|them\b|myself\b|you\b|the kids\b)"
        rf"[\w'&-]+(?: (?!at\b|in\b|and\b|for\b)[\w'&-]+){{0,3}}?)"
        rf"|(?P<verb2>run|own|manage) (?P<done2>(?:an?|the|my own|our own) (?:[\w-]+ ){{0,2}}(?:{_BUSINESS}))"
        rf"|(?P<verb3>drive) (?P<done3>an? (?:[\w-]+ )?(?:bus|taxi|cab|lorry|truck|ambulance|tram|train)))"
        rf"(?:{END}| (?:at|in|for)\b)",
        _trade_as_verb,
    ),
    (
        rf"\bI (?:work|am working|now work|started working|got a (?:new )?job|started|have been working|have"
        rf" worked|am employed|am interning|intern|got hired|was hired|accepted a job|took a job) {_ADV}(?:at"
        rf"|for|by) ((?!home\b|(?:my |the |a |an )?(?:current|same|company\b|place\b|office\b|firm\b)|night"
        rf"|the moment|all\b|\d|least|first|a while|last\b|next\b|noon|years\b|myself"
        rf"|about\b|more\b|over\b|several\b|many\b|almost\b)(?:an? |the |my )?[\w'&.-]+(?: [\w'&.-]+){{0,4}}?){END}",
        _slot("employer", 2.5),
    ),
    (
        rf"\bI (?:am|work as|am working as) {_ADV}(?:an? |the )(?:[\w-]+ ){{0,3}}"
        rf"(?:{'|'.join(sorted(TRADES - {'student'}))}) (?:at|with)"
        rf" ((?-i:[A-Z])[\w'&.-]*(?: (?-i:[A-Z])[\w'&.-]*){{0,3}}){END}",
        _slot("employer", 2.5),
    ),
    (
        rf"\bI (?:am studying|study|studied|am majoring in|major in|am doing a degree in|have a degree in|am"
        rf" reading|did my degree in|am doing a phd in|am doing my phd in|am getting a degree in|graduated in)"
        rf" {_ADV}((?!for\b|abroad|hard|in\b|at\b|every|all|a lot|with|my\b|about|the same|on\b|more|too\b"
        rf"|together)[\w'&-]+(?: [\w'&-]+){{0,3}}?){END}",
        _slot("studies", 2),
    ),
    (
        r"\b(?:first|second|third|fourth|final|last)[- ]year ((?:[\w'&-]+ ){0,2}[\w'&-]+) student\b"
        r"|\bI am an? ((?:[\w'&-]+ ){0,1}(?:science|engineering|studies|law|medicine|history|philosophy|physics|biology"
        r"|maths?|economics|psychology|chemistry|art|music|literature|architecture)) student\b",
        _slot("studies", 2),
    ),
    (
        rf"\bI (?:go|went|study|am studying|am a student|studied|graduated) (?:to|at|from) ((?:the"
        rf" )?(?:university|college|uni|school|[A-Z][\w'-]+)(?: [\w'-]+){{0,3}}?){END}",
        lambda m: (
            Tag("school", "user/school", trim(m[1]), weight=2)
            if re.search(
                r"(?i)univ|coll|school|academy|institut|\buni\b|MIT|ETH|oxford|cambridge|harvard|stanford|yale", m[1]
            )
            and not re.fullmatch(r"(?i)(?:the )?(?:school|college|uni|university)", m[1].strip())
            else None
        ),
    ),
    (
        r"\b(?:I|we) (?:am |are |have |was |do )?(?:not |also |both |fluently |only )*(?:speak|fluent in"
        r"|learning|learn|been learning|started learning|studying|working on|brushing up|bilingual in"
        r"|grew up speaking)(?: (?:to"
        r" speak|fluent|some|a little|a bit of|basic|both|good|my))* ([^.;!]+?)(?= (?:but|because|so|since"
        r"|for)\b|[.;!]|$)|\bmy (?:native language|mother tongue|first language) is (\w+)",
        _language,
    ),
    (
        rf"\b(?:I|we) (?:am|are|was|went|became|have gone|have been|have become|turned|go|stopped being|used to"
        rf" be) (?:(?:not|no longer|strictly|mostly|now|a|an|always|also|been|be|a strict|fully|basically)"
        rf" )*({_DIETS})\b",
        _diet,
    ),
    (
        r"\b(?:I|my) (?:am|have)? ?(?:also |severely |really |badly |quite |mildly |an? |a severe |very "
        r"|deathly )*(?:allerg(?:ic|y) to) ([\w ,'-]+?)(?=[.;!]|$| (?:so|but|because|which)\b)",
        lambda m: Tag("allergy", f"user/allergy/{key(m[1])}", trim(m[1]), weight=3),
    ),
    (
        r"\bI (?:have|have got|got) (?:an? |the )?(?:\w+ )?([a-z]+(?: and [a-z]+)?) (?:allergy|allergies"
        r"|intolerance)\b",
        lambda m: Tag("allergy", f"user/allergy/{key(m[1])}", trim(m[1]), weight=3),
    ),
    (
        r"\bI am (?:also )?(lactose|gluten)[ -]intolerant\b",
        lambda m: Tag("allergy", f"user/allergy/{m[1].lower()}", m[1].lower(), weight=3),
    ),
    (
        rf"\bI (?:have got|have|suffer from|am|was diagnosed with|have been diagnosed with|got diagnosed with|get"
        rf"|struggle with|live with|was just diagnosed with|have had) (?:(?:an?|the|mild|severe"
        rf"|chronic|bad|terrible|really|also|always|been|my) )*((?:type [12] )?(?:{_CONDITIONS}))\b",
        lambda m: Tag("health", f"user/health/{m[1].lower().split()[-1]}", m[1].lower(), weight=2.5),
    ),
    (
        r"\bI am (?:\w+ weeks |\w+ months |now )?(pregnant)\b",
        lambda m: Tag("health", "user/pregnancy", "pregnant", weight=2.5),
    ),
    (
        r"^I am (?:an? )?((?:trans |cis |non-?binary |transgender )?(?:man|woman|guy|girl|boy|female|male"
        r"|nonbinary|non-binary))(?=[,.!]|$| and\b)|\b(?:my )?pronouns(?: are|:)? ([\w/]+)\b",
        _slot("gender", 2),
    ),
    (
        r"^I am (?:an? |now |also |still |raised |(?:a )?practi[sc]ing |born )*(muslim|christian|catholic"
        r"|protestant|jewish"
        r"|hindu|buddhist|sikh|quaker|mormon|atheist|agnostic)\b",
        _slot("religion", 2, value=named),
    ),
    (
        rf"^I am (?:an? |half |originally |also |proudly )*({_NATIONS})(?=[,.;!]|$| and\b| but\b)",
        _slot("nationality", 2, value=named),
    ),
    (
        r"\bmy (?:main |big |own |next )*(?:goal|aim|ambition|dream|resolution"
        r"|target)(?: for [\w ]{1,20}?)? is (?:to )?"
        r"([^.;!,]+)|\bI am (?:training|saving(?: up)?|preparing) for ([^.;!,]+)|\bI hope to ((?!see|hear|talk"
        r"|be)[^.;!,]+)",
        lambda m: Tag("goal", value=trim(m[1] or m[2] or m[3]), weight=2),
    ),
    (
        r"^I am (?:now |still |currently |newly |happily )*(single|married|engaged|divorced|widowed"
        r"|separated)\b|\b(?:I|we) (?:just |recently |finally )?got (married|engaged|divorced)\b",
        _slot("relationship", 2.5),
    ),
)
