"""A small ontology of everyday life: which words are one word, which are kinds of which, which speak of which.

Members of a kind exclude each other: that is what keeps a brother from answering for a sister.
"""

from __future__ import annotations

DERIVED = {
    form: base
    for base, forms in {
        "fly": "flight",
        "teach": "teacher",
        "bear": "born",
        "marry": "wedding married",
        "study": "student studies studied",
        "old": "age aged older",
        "paint": "painter painting paintings",
        "train": "training trained",
        "hurt": "hurts",
        "bake": "baked baking",
    }.items()
    for form in forms.split()
}
"""What speaks of the same by another word of the family; irregular forms stand in english/."""

SYNONYMS = (
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
        "illness": "diabet insomnia parkinson asthma cancer migraine arthritis pneumonia depress anxieti epilepsi "
        "dementia alzheim flu covid bronchiti anaemia eczema",
        "colleague": "coworker boss teammate",
        "friend": "friend mate buddy flatmate roommate",
        "pet": "dog cat hamster rabbit parrot budgie fish goldfish turtle tortoise horse pony guinea snake lizard",
        "animal": "squirrel fox deer owl hedgehog duck swan badger mouse rat frog "
        "dog cat hamster rabbit parrot bird fish turtle tortoise horse cow chicken pig sheep goat snake",
        "vehicle": "car bike motorbike scooter van truck camper boat",
        "instrument": "banjo mandolin drummer pianist guitarist violinist keyboard recorder oboe viola organ "
        "guitar piano violin cello drum flute trumpet saxophone ukulele bass harp clarinet accordion",
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

SIGNS = {
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
    "partner": "engage propose marry together",
    "boyfriend": "together partner",
    "girlfriend": "together partner",
    "breed": "dog " + _BREEDS,
    "wear": "clothes",
}
"""What speaks of the asked without naming it."""
