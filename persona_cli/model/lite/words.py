"""Words as the built-in model compares them: tokens, stems, and a small ontology of everyday life.

Embeddings tell what two sentences have in common, but hardly tell a sister from a brother or a car from a bike,
and those are the mistakes that make a memory lie. So the nouns that people ask for are kept here by kind:
a question for the kind ("pet") is met by any of its members ("dog"), a question for one member by no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


_NONE: frozenset[str] = frozenset()


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text as a set, for tables."""
    return frozenset(words.split())


STOP = word_set(
    """
    use used uses before after since ago anymore a an the and or but if so as of at by for from in into on onto to up with about over under than then that
    this these those there here it its is am are was were be been being do does did done doing have has had
    having will would can could should shall may might must not no nor i me my mine myself we us our ours you
    your yours he him his she her hers they them their theirs what which who whom whose when where why how all
    any some each every both more most much many other another such only own same too very just also again ever
    still already now yet please tell remember know say said mention mentioned remind told recall let think
    thing things anything something everything user one ones really actually quite lot lots kind sort bit off
    out get got gets getting go goes going went gone while because don't doesn't didn't isn't aren't wasn't
    weren't haven't hasn't won't can't couldn't i'm i've i'll i'd it's that's what's who's where's when's how's
    you're we're they're he's she's there's let's like hey hi hello oh well ok okay call called name named
    usually normally often currently nowadays these recently lately exactly maybe
    """
)
"""Words that carry no topic. "like", "name" and "go" are left to the slots of questions.py."""

_IRREGULAR = {
    form: base
    for base, forms in {
        "go": "went gone goes",
        "buy": "bought",
        "eat": "ate eaten",
        "drink": "drank drunk",
        "run": "ran",
        "see": "saw seen",
        "meet": "met",
        "give": "gave given",
        "make": "made",
        "take": "took taken",
        "fly": "flew flown flight",
        "drive": "drove driven",
        "swim": "swam swum",
        "sing": "sang sung",
        "write": "wrote written",
        "teach": "taught teacher",
        "think": "thought",
        "leave": "left",
        "lose": "lost",
        "sleep": "slept",
        "win": "won",
        "begin": "began begun",
        "speak": "spoke spoken",
        "break": "broke broken",
        "fall": "fell fallen",
        "grow": "grew grown",
        "wear": "wore worn",
        "sell": "sold",
        "pay": "paid",
        "find": "found",
        "bring": "brought",
        "build": "built",
        "spend": "spent",
        "keep": "kept",
        "feel": "felt",
        "hurt": "hurts",
        "ride": "rode ridden",
        "bake": "baked baking",
        "choose": "chose chosen",
        "child": "children",
        "person": "people",
        "foot": "feet",
        "tooth": "teeth",
        "bear": "born",
        "marry": "wedding married",
        "die": "died death dead dies",
        "study": "student studies studied",
        "allergy": "allergic allergies",
        "old": "age aged older",
        "throw": "threw thrown",
        "catch": "caught",
        "hear": "heard",
        "hold": "held",
        "send": "sent",
        "steal": "stole stolen",
        "forget": "forgot forgotten",
        "shoot": "shot",
        "wake": "woke woken",
        "draw": "drew drawn",
        "paint": "painter painting paintings",
        "diabet": "diabetic diabetes",
        "become": "became",
        "train": "training trained",
    }.items()
    for form in forms.split()
}

_GROUPS = (
    "mother mum mom mama mummy mommy",
    "father dad papa daddy",
    "grandmother grandma granny nana nan gran",
    "grandfather grandpa granddad grandad",
    "child kid",
    "boyfriend bf",
    "girlfriend gf",
    "partner spouse",
    "husband hubby",
    "flat apartment",
    "bike bicycle cycle",
    "car automobile",
    "motorbike motorcycle",
    "film movie",
    "holiday vacation trip travel journey",
    "job work profession occupation career employ",
    "begin start",
    "buy purchase",
    "doctor physician gp",
    "plan intend",
    "live home house reside address",
    "picture photo photograph",
    "phone mobile cellphone smartphone",
    "laptop notebook computer pc",
    "hobby pastime",
    "favourite favorite prefer preference",
    "colour color",
    "medicine medication pill tablet",
    "football soccer",
    "bday birthday",
    "cat kitty kitten",
    "dog puppy pup",
    "finish complete",
    "boss manager supervisor",
    "university uni college",
    "exam test",
    "exercise workout",
    "love adore",
    "hate dislike detest",
    "fear afraid scare scared frighten terrified terrify phobia",
    "want wish",
    "wake awake",
    "illness ill sick disease sickness condition diagnosis",
    "money cash",
    "employer company firm",
    "promote promotion",
    "angry furious mad",
    "train practise practice",
    "hurt pain ache sore",
    "propose proposal",
    "engage engagement",
    "marathon half-marathon",
    "cold flu",
    "weigh weight",
    "learn study",
)


_BREEDS = "beagle greyhound labrador poodle terrier spaniel retriever dachshund husky corgi pug collie mongrel shepherd"

KINDS: dict[str, frozenset[str]] = {
    kind: frozenset(members.split())
    for kind, members in {
        "sibling": "brother sister twin",
        "parent": "mother father stepmother stepfather",
        "grandparent": "grandmother grandfather",
        "child": "son daughter baby toddler stepson stepdaughter",
        "grandchild": "grandson granddaughter",
        "partner": "wife husband boyfriend girlfriend fiancé fiancée fiance fiancee",
        "relative": "brother sister mother father grandmother grandfather son daughter wife husband cousin aunt uncle "
        "niece nephew child sibling parent grandparent partner",
        "family": "brother sister mother father grandmother grandfather son daughter wife husband cousin aunt uncle "
        "niece nephew child sibling parent grandparent partner twin",
        "dog": _BREEDS,
        "car": "volvo bmw audi renault peugeot toyota ford fiat honda tesla mercedes volkswagen vw skoda opel mazda "
        "nissan hyundai kia citroen citroën porsche",
        "phone": "iphone android pixel samsung galaxy nokia",
        "laptop": "thinkpad macbook chromebook",
        "camera": "nikon canon leica fujifilm",
        "illness": "diabet insomnia parkinson asthma cancer migraine arthritis pneumonia depress anxieti epilepsi dementia "
        "alzheim flu covid bronchiti anaemia eczema",
        "colleague": "coworker boss teammate",
        "friend": "friend mate buddy flatmate roommate",
        "pet": "dog cat hamster rabbit parrot budgie fish goldfish turtle tortoise horse pony guinea snake lizard",
        "animal": "dog cat hamster rabbit parrot bird fish turtle tortoise horse cow chicken pig sheep goat snake",
        "vehicle": "car bike motorbike scooter van truck camper boat",
        "instrument": "guitar piano violin cello drum flute trumpet saxophone ukulele bass harp clarinet accordion",
        "sport": "football tennis swim run basketball volleyball hockey golf yoga climb ski cricket rugby judo karate "
        "boxing bike surf badminton row squash",
        "drink": "coffee tea water juice beer wine milk lemonade cola espresso cappuccino whisky cocktail chai sprite",
        "food": "pizza pasta sushi curry bread cheese chocolate soup salad meat fish rice fruit vegetable cake dish "
        "lasagna risotto burger noodle ramen steak",
        "meal": "breakfast lunch dinner supper brunch",
        "colour": "red blue green yellow black white purple orange pink brown grey turquoise",
        "subject": "math physics chemistry biology history geography",
        "season": "spring summer autumn winter",
        "language": "english german french spanish italian portuguese russian chinese mandarin japanese korean arabic "
        "polish dutch swedish turkish hindi greek finnish norwegian danish czech",
        "device": "phone laptop tablet camera",
        "professional": "doctor dentist lawyer therapist plumber hairdresser accountant vet landlord physiotherapist",
    }.items()
}
"""Members exclude each other: what is told of one says nothing about another of its kind."""

EXCLUSIVE = frozenset(word for members in KINDS.values() for word in members) | frozenset(KINDS)

_SIGNS = {
    "marry": "husband wife",
    "fiancé": "engage propose fiancée fiance",
    "fiance": "engage propose fiancé",
    "child": "twin",
    "doctor": "dr",
    "therapist": "therapi",
    "vegetarian": "vegan",
    "movie": "cinema",
    "sleep": "insomnia",
    "pregnant": "expect",
    "smoke": "cigarett",
    "employer": "boss",
    "live": "flat",
    "garden": "backyard",
    "conduct": "conductor",
    "partner": "engage propose marry",
    "breed": "dog " + _BREEDS,
    "wear": "clothes",
}
"""What speaks of the asked without naming it."""

_stemmer = snowballstemmer.stemmer("english")
_SYNONYMS = {
    form: group.split()[0]
    for group in _GROUPS
    for word in group.split()
    for form in (word, str(_stemmer.stemWord(word)))
}
_PHRASES = (
    (re.compile(r"\bg[eo]t(?:s|ting|ten)? up\b", re.I), "wake"),
    (re.compile(r"\b(?:broke|break) up\b", re.I), "breakup"),
)


def tokens(text: str) -> list[str]:
    """Return the words of `text` as written, without possessive endings."""
    return [re.sub(r"['’]s?$", "", token) for token in TOKEN.findall(text)]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return the form by which two words are compared: base form, then one name per meaning, then stem."""
    word = word.lower().replace("’", "'")
    word = _IRREGULAR.get(word, word)
    for form in (word, _singular(word)):
        if form in _SYNONYMS:
            return _SYNONYMS[form]
        if form in EXCLUSIVE:
            return form
    short = str(_stemmer.stemWord(word))
    return _SYNONYMS.get(short, short)


@lru_cache(maxsize=1)
def _implied() -> dict[str, frozenset[str]]:
    return {stem(word): frozenset(stem(sign) for sign in signs.split()) for word, signs in _SIGNS.items()}


def content_words(text: str) -> tuple[str, ...]:
    """Return the words that carry the topic, as written, each once."""
    found = dict.fromkeys(
        word for word in tokens(text) if word.lower() not in STOP and (len(word) > 1 or word.isdigit())
    )
    return tuple(found)


def stems(words: Iterable[str]) -> frozenset[str]:
    """Return the stems of `words`."""
    return frozenset(stem(word) for word in words)


def kinds_of(word: str) -> frozenset[str]:
    """Return the kinds a stem is a member of."""
    return frozenset(kind for kind, members in KINDS.items() if word in members)


def covers(asked: str, told: frozenset[str]) -> bool:
    """Tell whether what was told speaks of the stem that is asked for: itself, or a member of that kind."""
    return asked in told or bool((KINDS.get(asked, _NONE) | _implied().get(asked, _NONE)) & told)


def sentences(text: str) -> list[str]:
    """Split a message into sentences, the marks at their ends kept."""
    parts = re.split(
        r"(?<=[.!?…])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bProf\.)\s+(?=[\"'“‘(]?[\w¿¡])|\n+",
        text.strip(),
    )
    return [part.strip() for part in parts if part.strip()]


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
