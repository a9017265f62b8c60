"""What a reply is worth: letters as published and strictly, words of free answers, points of a memory, verdicts."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources

import pytest

from persona_cli.evaluation.cases import CHOSEN, TIED, CaseQuestion, CaseReply, Form
from persona_cli.evaluation.judging import Label, Parse, mark
from persona_cli.evaluation.judging.answers import contains, f1, says_unknown
from persona_cli.evaluation.judging.judge import parse_verdict
from persona_cli.evaluation.letters import first_letter, strict_letter
from persona_cli.evaluation.run_files import AnsweredQuestion
from persona_cli.evaluation.scores import Marked
from persona_cli.evaluation.scores.intervals import resample
from persona_cli.evaluation.scores.stages import stages_of

NOW = datetime(2026, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reply", "published", "strict"),
    [
        ("(a)", "a", "a"),
        ("(B)", "b", "b"),
        ("a", "a", "a"),
        ("The answer is (c).", "c", "c"),
        ("(a). red, not (b)", "a", ""),
        ("<final_answer>(d)", "d", "d"),
        ("d.", "d", "d"),
        ("I think it is tea", "a", ""),
        ("", "", ""),
        (")", "", ""),
    ],
)
def test_letters(reply: str, published: str, strict: str) -> None:
    assert first_letter(reply) == published
    assert strict_letter(reply) == strict


def choice(answer: str = "b") -> CaseQuestion:
    return CaseQuestion("q", "task", "which?", NOW, Form.CHOICE, answer, options=("tea", "milk", "water", "wine"))


def test_a_choice_is_right_wrong_or_unreadable() -> None:
    assert mark(choice(), CaseReply("(b)")).label is Label.RIGHT
    assert mark(choice(), CaseReply("(a)")).label is Label.WRONG
    assert mark(choice(), CaseReply("")).label is Label.UNREADABLE
    assert mark(choice(), CaseReply("maybe (a) or (b)"), Parse.STRICT).label is Label.UNREADABLE
    failed = mark(choice(), CaseReply("", failed="out of memory"))
    assert (failed.score, failed.label, failed.why) == (0.0, Label.FAILED, "out of memory")


def test_a_pair_counts_only_where_both_orders_agree() -> None:
    pair = CaseQuestion("q", "Style", "hello", NOW, Form.PAIR, "choice", options=("hi!", "no."))
    assert mark(pair, CaseReply(CHOSEN)).score == 1.0
    assert mark(pair, CaseReply(TIED)).label is Label.UNREADABLE


@pytest.mark.parametrize(
    ("reply", "gold", "right"),
    [
        ("Your dog is called Boris.", "Boris", True),
        ("You adopted him in spring.", "Boris", False),
        ("They moved to the harbours.", "the harbour", True),
        ("No, you are retired now.", "no, I am retired", True),
        ("Yes, you are retired now.", "no, I am retired", False),
        ("On 15 October 2024.", "15 October", True),
        ("On 16 October 2024.", "15 October", False),
    ],
)
def test_gold_words_in_a_reply(reply: str, gold: str, right: bool) -> None:
    assert contains(reply, gold) is right


def test_f1_by_hand() -> None:
    # said: dog, is, call, bori; wanted: bori, dog: two common, precision 2/4, recall 2/2
    assert f1("the dog is called Boris", "Boris, the dog") == pytest.approx(2 * 0.5 * 1.0 / 1.5)
    assert f1("no", "Boris") == 0.0


@pytest.mark.parametrize(
    "reply", ["I don't know that yet.", "There is no information about it.", "", "It was never mentioned."]
)
def test_not_knowing(reply: str) -> None:
    assert says_unknown(reply)
    unknown = CaseQuestion("q", "abstention", "who?", NOW, Form.OPEN, "never said", unanswerable=True)
    assert mark(unknown, CaseReply(reply)).score == 1.0


def test_a_free_answer_is_right_wrong_or_omitted() -> None:
    asked = CaseQuestion("q", "single-hop", "what?", NOW, Form.OPEN, "a telescope")
    assert mark(asked, CaseReply("You bought a telescope.")).label is Label.RIGHT
    assert mark(asked, CaseReply("You bought a boat.")).label is Label.WRONG
    assert mark(asked, CaseReply("I don't know.")).label is Label.OMITTED
    assert mark(asked, CaseReply("I don't know. The closest I have: you like your telescope.")).label is Label.OMITTED
    assert mark(CaseQuestion("q", "travel", "what?", NOW, Form.OPEN), CaseReply("Rice.")).label is Label.UNJUDGED


def test_points_of_a_memory() -> None:
    held = CaseReply("", recalled=("I'm allergic to walnuts, which is a nuisance.", "The moon is made of cheese."))
    point = CaseQuestion("q", "extraction", "", NOW, Form.EXTRACTED, "Mara is allergic to walnuts.")
    assert mark(point, held).label is Label.RIGHT
    invented = CaseQuestion("q", "resists", "", NOW, Form.EXTRACTED, "Mara moves to Antwerp.", unanswerable=True)
    assert mark(invented, held).score == 1.0
    assert mark(invented, CaseReply("", recalled=("She moves to Antwerp",))).label is Label.WRONG
    stored = CaseQuestion("q", "precision", "", NOW, Form.STORED, criteria=("I'm allergic to walnuts, a nuisance.",))
    assert mark(stored, held).score == 0.5
    assert mark(stored, CaseReply("")).label is Label.SKIPPED


def test_an_update_is_there_and_the_old_is_gone() -> None:
    asked = CaseQuestion(
        "q", "update", "", NOW, Form.UPDATED, "Mara's favourite tea is rooibos.",
        former=("Mara's favourite tea is jasmine tea.",),
    )  # fmt: skip
    new, old = "My favourite tea is rooibos now.", "My favourite tea is jasmine tea."
    assert mark(asked, CaseReply("", recalled=(new,))).label is Label.RIGHT
    assert mark(asked, CaseReply("", recalled=(new, old))).label is Label.WRONG
    assert mark(asked, CaseReply("", recalled=())).label is Label.OMITTED


def test_the_stages_of_a_memory_by_hand() -> None:
    held = CaseReply("", recalled=("I'm allergic to walnuts.", "The moon is made of cheese."))
    point = CaseQuestion("1", "extraction", "", NOW, Form.EXTRACTED, "Mara is allergic to walnuts.", weight=3.0)
    asked = (
        point,
        replace(point, key="2", answer="Mara plays the accordion.", weight=1.0),
        replace(point, key="3", answer="Mara moves to Antwerp.", unanswerable=True),
        replace(point, key="4", form=Form.STORED, criteria=("I'm allergic to walnuts.",)),
        replace(point, key="5", form=Form.UPDATED, former=("Mara eats walnuts.",)),
    )
    every = [Marked(AnsweredQuestion("Mara", "", "", question, held), mark(question, held)) for question in asked]
    assert stages_of(every) == {
        "extraction R": 0.5, "weighted R": 0.75, "P": 0.5, "F1": 0.5, "FMR": 1.0, "update C": 1.0, "update H": 0.0,
        "update O": 0.0,
    }  # fmt: skip
    free = replace(point, form=Form.OPEN)
    assert stages_of([Marked(AnsweredQuestion("Mara", "", "", free, held), mark(free, held))]) == {}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"score": 1, "unknown": false, "why": "same"}', (1.0, False, "same")),
        ('Sure:\n```json\n{"score": 0.5}\n```', (0.5, False, "")),
        ('{"score": 0.7}', None),
        ("It is right.", None),
    ],
)
def test_verdicts(text: str, read: object) -> None:
    assert parse_verdict(text) == read


def test_intervals_hold_their_mean_and_people_stand_together() -> None:
    scores = [1.0] * 30 + [0.0] * 10
    apart = resample(scores, [str(number) for number in range(40)])
    together = resample(scores, [str(number // 5) for number in range(40)])
    assert apart is not None
    assert together is not None
    assert apart.mean == together.mean == 0.75
    assert apart.low <= 0.75 <= apart.high
    assert together.high - together.low > apart.high - apart.low
    assert resample([], []) is None


def test_every_way_in_which_the_built_in_model_declines_is_known_as_such() -> None:
    forms = tomllib.loads(resources.files("persona_cli.model.lite").joinpath("tone.toml").read_text(encoding="utf-8"))
    for form in (*forms["plain"]["unknown"], *forms["plain"]["closest"]):
        assert says_unknown(form.format("your cat is called Minka.")), form
    assert not says_unknown("This may be it: you told me that your cat is called Minka.")
