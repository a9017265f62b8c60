"""Closed word classes the built-in model reads English by: verbs, kin, animals, trades, and words of no weight.

They are lists and not a tagger, because a tagger is a download and these classes hardly grow. A word that is
missing makes a sentence less well tagged, never wrong.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the words of `text` as a class."""
    return frozenset(text.split())


NAME = r"(?-i:[A-Z](?:[\w-]|'(?!s\b))+)"
"""A name as it is written, without its possessive ending."""

PAST = words(
    """ate became began bent bit bled blew bought bound bred broke brought built burnt came caught chose clung crept
    dealt did drank dreamt drew drove dug fell fed felt fled flew forbade forgave forgot fought found froze gave got
    grew had heard held hid hung kept knelt knew laid lay leapt learnt led left lent lit lost made meant met paid
    proved quit ran rang rode rose said sang sank sat saw sent sewed shook shot shone showed slept slid sold sought
    spent spilt spoke spoilt spun stole stood stuck stung swam swept swore taught thought threw told took tore
    understood used was went were wept woke won wore wrote hurt hit beat bet cut overslept overcame mistook withdrew
    undertook ended"""
)
"""Past forms without -ed; the ones that are also base forms ("hit") are told more often as past."""

ED_BASES = words("need feed breed speed bleed seed exceed succeed proceed embed shed wed bed weed heed")
"""Base forms that only look like a past."""

PARTICIPLES = PAST | words(
    "been begun broken chosen done drawn driven drunk eaten fallen flown forgotten frozen given gone grown known lain "
    "ridden risen seen shaken shown sung sunk spoken stolen sworn swum taken thrown torn woken worn written"
    " become come"
)

BASE = words(
    """adore am avoid bake believe belong bike brush build buy call care clean climb coach collect come commute cook
    crochet cycle dance daydream despise detest do draw dread drink drive earn eat enjoy enter exercise fancy
    farm feed feel find fish fly garden get give go grow hate have hike hope jog keep knit know lead learn like
    listen live loathe love make manage meditate meet miss need own paint plan play practise practice prefer
    read rent ride row run sail save sell sew share sing skate ski sleep smoke speak spend start stay struggle
    study suffer support surf swear swim take teach tend think train travel try use visit volunteer wake walk
    want watch wear weigh wish work worry write"""
)
"""Verbs that still are verbs after "and": in "I run and paint", but not in "I love cheese and wine"."""

AUXILIARIES = words(
    "am is are was were be have has had do does did can could will would shall should may might must cannot used ought"
)
MODALS = words("can could will would shall should may might must cannot used ought had did was were is are has does")

ADVERBS = words(
    """also always never ever often sometimes still just now once already usually even currently only soon seldom rarely
    normally generally really actually totally absolutely definitely probably certainly truly deeply secretly
    recently finally lately mostly mainly mostly kinda sorta kind sort of too so very quite both all almost nearly
    hardly barely simply honestly personally regularly occasionally frequently literally especially particularly
    genuinely basically practically initially originally eventually suddenly apparently obviously sadly luckily
    unfortunately fortunately first then no longer not to be fair rather much"""
) - words("of no to be fair much so all")

KIN = words(
    """sister brother mum mom mother dad father parents wife husband partner girlfriend boyfriend fiancé fiancée fiance
    fiancee son daughter child kid kids children baby twin twins cousin aunt auntie uncle niece nephew grandma granny
    gran nan nana grandpa granddad grandad grandfather grandmother grandparents grandson granddaughter grandchild
    stepmum stepmom stepdad stepmother stepfather stepson stepdaughter stepsister stepbrother mother-in-law
    father-in-law sister-in-law brother-in-law son-in-law daughter-in-law in-laws sibling ex ex-wife ex-husband
    ex-boyfriend ex-girlfriend spouse godmother godfather goddaughter godson family"""
)
PEOPLE = KIN | words(
    """friend bestie mate buddy pal roommate flatmate housemate neighbour neighbor colleague coworker co-worker boss
    manager teacher professor tutor supervisor mentor coach trainer doctor dentist therapist landlord landlady
    classmate teammate bandmate client student nanny babysitter assistant crush"""
)
"""Words for a person by what they are to the user."""

PARTNERS = words("wife husband partner girlfriend boyfriend fiancé fiancée fiance fiancee spouse")

PETS = words(
    """dog puppy pup cat kitten kitty rabbit bunny hamster parrot budgie canary bird horse pony goldfish fish turtle
    tortoise snake lizard gecko hedgehog ferret chinchilla gerbil rat mouse hen chicken goat donkey pig labrador lab
    retriever poodle beagle corgi dachshund husky terrier spaniel collie bulldog pug shepherd chihuahua tabby siamese
    pet guinea iguana cockatiel duck sheep cow llama alpaca axolotl greyhound whippet schnauzer rottweiler"""
)

TRADES = words(
    """accountant actor actress analyst architect artist astronomer baker banker barber barista bartender biologist
    blogger bookkeeper bricklayer builder butcher caregiver carer carpenter cashier chef chemist cleaner clerk coach
    composer consultant contractor cook counsellor counselor courier curator dancer dentist designer dev developer
    director doctor driver economist editor electrician engineer entrepreneur estimator farmer filmmaker firefighter
    fisherman florist freelancer gardener geologist guard hairdresser historian housewife illustrator inspector
    instructor intern interpreter investor janitor jeweller joiner journalist judge lab labourer lawyer lecturer
    librarian lifeguard manager marketer mason mathematician mechanic medic midwife miner model musician nanny nurse
    nutritionist officer optician painter paralegal paramedic pharmacist photographer physician physicist
    physiotherapist physio pianist pilot plumber poet policeman policewoman porter postdoc potter priest producer
    professor programmer psychologist psychiatrist publisher radiographer realtor receptionist recruiter reporter
    researcher roofer sailor salesman salesperson scientist sculptor secretary security seller singer soldier
    solicitor statistician stylist supervisor surgeon surveyor tailor teacher technician tester therapist trader
    trainer translator tutor vet veterinarian videographer violinist waiter waitress welder writer zookeeper
    undertaker apprentice trainee assistant student pensioner"""
)

DIETS = words("vegetarian vegan pescatarian pescetarian coeliac celiac diabetic flexitarian kosher halal keto teetotal")

CONDITIONS = words(
    """asthma asthmatic diabetes diabetic migraine migraines epilepsy epileptic adhd autism autistic anxiety depression
    arthritis insomnia eczema psoriasis hypertension anaemia anemia cancer coeliac celiac dyslexia dyslexic ibs
    endometriosis tinnitus scoliosis hay fever tourette ptsd ocd bipolar hypothyroidism pregnant deaf blind
    colourblind colorblind lactose gluten"""
)

OBJECTS = words("it this that these those them there one so him her everything something anything nothing stuff things")
"""What stands for something said elsewhere: a clause whose only content is one of these tells nothing alone."""

STOP = words(
    """a an the and or but nor if so as of at by for from in into on onto to up with about over under than then that
    this these those there here it its is am are was were be been being do does did done doing have has had having will
    would can could should shall may might must not no cannot i me my mine myself we us our ours you your he him his she
    her hers they them their theirs what which who whom whose when where why how all any some each every both more
    most much many other another such only own same too very just also again ever still already now yet really actually
    quite lot lots kind sort bit off out get got gets getting because since while until before after during user
    others called named longer"""
)
"""Words that are no keywords."""

SPEAKING = words(
    "say says said tell tells told think thinks thought claim claims claimed believe believes reckon reckons"
    " insist insists insisted ask asks asked joke joked jokes"
)

NOT_NAMES = words(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december christmas easter halloween ramadan diwali hanukkah eid the a an my his her our
    their your this that these those it he she they we you i there here what when where who why how which yes no not so
    and but or if because since although though while after before then also maybe perhaps well ok okay oh hi hello hey
    thanks thank sorry please today yesterday tomorrow tonight now just only really actually honestly sometimes
    everyone everybody someone somebody nobody people life work school university college home god internet google
    python english french german spanish italian all both some many most one two three four five another each every
    happy good great nice lovely new old last next every other getting going being having doing never always ever still
    lol haha omg guess speaking looking thinking according apparently unfortunately luckily sadly finally recently
    currently usually as at in on for to from with without of by about mr mrs ms dr mum mom dad grandma grandpa nothing
    something anything everything once despite during even let's lets do does did is are was were can could will
    would should have has had may might must had"""
)
"""Words that begin a sentence with a capital and name nobody."""
