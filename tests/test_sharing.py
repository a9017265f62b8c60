"""A model of weights with the built-in one beside it: who does what, what the second opinion refuses, and the check."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.agent.update import _resting
from persona_cli.errors import ConfigError
from persona_cli.model import grammar
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import load_prompts
from persona_cli.model.readiness import CHAT_ONLY, GOOD, UNUSABLE, check, load_verdict, save_verdict
from persona_cli.model.sharing import SLOW, TASKS, SharedModel, agreed, parse_tasks, say_tasks
from persona_cli.model.tasks import SemanticDraft
from persona_cli.personality import Traits
from persona_cli.records import Answer, Image, Recall, Retrieve, Turn
from tests.fakes import CannedEngine, ScriptedModel
from tests.manners import Manner, serve, words
from tests.terminal import persona

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
TURN = Turn(1, 1, AT, "I am allergic to peanuts.", "", "m")
FACT = '"reason": r\n"decision": true\n"content": The user is allergic to peanuts.\n"keywords": peanuts'
NO_FACT = '"reason": r\n"decision": false\n"content": null\n"keywords": null'


def never() -> bool:
    return False


def nowhere(image: Image) -> Path:
    raise AssertionError(image)


def scores(*values: int) -> str:
    return "\n".join(f'"{name}": {value}' for (name, _), value in zip(Traits(), values, strict=True))


def prompted(*texts: str) -> PromptedModel:
    return PromptedModel(CannedEngine(deque(texts)), load_prompts(), nowhere, guided=True)


def shared(built_in: ScriptedModel, *texts: str, tasks: tuple[str, ...] = TASKS) -> SharedModel:
    return SharedModel(prompted(*texts), lambda: built_in, tasks)


@pytest.mark.parametrize(
    ("read", "second", "kept"),
    [
        ((1, 1, 1, 1, 1), (3, 3, 3, 3, 3), (3, 3, 3, 3, 3)),
        ((5, 5, 5, 5, 5), (3, 3, 4, 3, 2), (3, 3, 5, 3, 3)),
        ((5, 1, 5, 1, 3), (3, 3, 3, 3, 3), (3, 3, 3, 3, 3)),
        ((1, 2, 3, 4, 5), (3, 3, 3, 3, 3), (3, 3, 3, 3, 3)),
        ((1, 1, 2, 3, 4), (2, 3, 3, 3, 3), (1, 3, 3, 3, 3)),
        ((1, 3, 3, 4, 5), (3, 3, 3, 3, 3), (1, 3, 3, 4, 5)),
        ((4, 3, 2, 3, 3), (3, 3, 3, 3, 3), (4, 3, 2, 3, 3)),
        ((4, 3, 2, 3, 3), (2, 3, 1, 3, 5), (3, 3, 2, 3, 3)),
    ],
)
def test_a_reading_that_is_a_habit_or_contradicted_is_no_evidence(
    read: tuple[int, ...], second: tuple[int, ...], kept: tuple[int, ...]
) -> None:
    assert agreed(Traits(*read), Traits(*second)) == Traits(*kept)


def test_a_model_that_always_reads_one_moves_no_trait(assistant: Assistant, model: ScriptedModel) -> None:
    weak = shared(ScriptedModel(), *[scores(1, 1, 1, 1, 1)] * 3)
    for _ in range(3):
        assert weak.infer_personality(TURN, (), never) == Traits()


def test_a_task_the_model_is_weak_at_is_the_built_in_ones() -> None:
    built_in = ScriptedModel()
    built_in.enqueue("extract_semantic", [SemanticDraft("I am allergic to peanuts.", ())])
    weak = shared(built_in, scores(4, 3, 3, 3, 3), tasks=("traits",))
    assert weak.extract_semantic(TURN, (), never)[0].content == "I am allergic to peanuts."
    assert weak.infer_personality(TURN, (), never) == Traits(openness=4)
    assert (
        "facts, topics, habits, profile, summaries by the built-in reader"
        in {fact.name: fact.finding for fact in weak.about()}["learning"]
    )


def test_what_broke_its_format_twice_is_read_by_the_built_in_one() -> None:
    built_in = ScriptedModel()
    built_in.enqueue("extract_semantic", [SemanticDraft("I am allergic to peanuts.", ())])
    assert shared(built_in, "words", "words").extract_semantic(TURN, (), never)[0].content.endswith("peanuts.")
    assert shared(built_in, FACT).extract_semantic(TURN, (), never)[0].content.startswith("The user")


@pytest.mark.parametrize(
    ("text", "known", "tasks"),
    [
        ("auto", None, set(TASKS)),
        ("auto", ("facts",), {"facts"}),
        ("all", ("facts",), set(TASKS)),
        ("none", None, set()),
        ("facts, topics", None, {"facts", "topics"}),
    ],
)
def test_the_tasks_of_a_model_are_set_or_known(text: str, known: tuple[str, ...] | None, tasks: set[str]) -> None:
    assert parse_tasks(text, known) == tasks
    assert say_tasks(tasks)


def test_a_task_there_is_not_is_named() -> None:
    with pytest.raises(ConfigError, match="dreams"):
        parse_tasks("facts, dreams", None)


@pytest.mark.parametrize(
    ("reasons", "speed", "quick"), [(None, None, False), (None, SLOW / 2, True), (None, SLOW * 2, False),
                                    (True, SLOW / 2, False), (False, SLOW * 2, True)],
)  # fmt: skip
def test_a_slow_model_is_asked_in_one_call(reasons: bool | None, speed: float | None, quick: bool) -> None:
    model = SharedModel(prompted(), ScriptedModel, reasons=reasons, prompt_speed=speed)
    assert model.quick is quick


def test_the_loop_asks_a_quick_model_in_one_call(assistant: Assistant) -> None:
    built_in = ScriptedModel()
    weights = prompted("Max, the beagle.")
    assistant.model = SharedModel(weights, lambda: built_in, reasons=False)
    steps = list(assistant.respond("What is my dog called?"))
    assert [type(step) for step in steps if isinstance(step, Retrieve | Recall | Answer)] == [Retrieve, Recall, Answer]
    engine = weights._engine
    assert isinstance(engine, CannedEngine)
    assert engine.grammars == [grammar.PROSE]
    assert [message.role for message in engine.prompts[0]] == ["system", "user"]


ANSWERS = (
    "<think>A greeting.</think><answer>Hello!</answer>",
    '<think>Not known.</think><retrieve>\n"keywords": "dog"\n</retrieve>',
    "Your dog is called Max.",
    scores(3, 3, 1, 3, 4),
    scores(3, 3, 3, 3, 3),
    FACT,
    NO_FACT,
    '"topic_summary": The user planted tomatoes.\n"keywords": garden\n"source_dialog_indices": [0, 1]',
    '"name": Ines\n"occupation": nurse',
    '"running": The user goes running on Mondays at seven.',
    "Good morning!",
)


def test_a_good_model_passes_all_ten(tmp_path: Path) -> None:
    verdict = check(prompted(*ANSWERS), never)
    assert (verdict.verdict, len(verdict.tried), verdict.reasons) == (GOOD, 10, True)
    assert set(verdict.tasks) == set(TASKS)
    file = tmp_path / "models" / "checks.json"
    save_verdict(file, "one", verdict)
    kept = load_verdict(file, "one")
    assert kept is not None
    assert (kept.verdict, kept.tasks, kept.reasons) == (GOOD, verdict.tasks, True)
    assert load_verdict(file, "another") is None
    file.write_text("[]")
    assert load_verdict(file, "one") is None


def test_a_model_that_only_talks_is_for_chat_only() -> None:
    prose = ("Hello!", "I do not know.", "It is Max.", *["Sure!"] * 20)
    verdict = check(prompted(*prose), never)
    assert (verdict.verdict, verdict.tasks, verdict.reasons) == (CHAT_ONLY, (), False)


def test_a_model_that_says_nothing_of_sense_is_not_usable() -> None:
    assert check(prompted(*["Blah."] * 30), never).verdict == UNUSABLE


def test_the_check_of_a_model_is_kept_and_shown() -> None:
    assert persona("model", "check").code == 2
    with serve(Manner([words("Blah.")])) as manner:
        for key, value in (("url", manner.url), ("dialect", "plain")):
            persona("config", "set", f"server.{key}", value)
        persona("model", "use", "server")
        done = persona("model", "check", "--json")
        assert done.code == 0, done.err
        assert (done.json["kind"], done.json["check"]["verdict"]) == ("model check", UNUSABLE)
        assert "not usable" in persona("model", "check").out
        rows = {row["name"]: row["finding"] for row in persona("doctor", "--json").json}
    assert "profile, summaries by the built-in reader (checked: not usable)" in rows["learning"]


@pytest.mark.parametrize(
    ("summary", "rests"),
    [
        ("The user walked Max in the park.", True),
        ("A discussion of tax law in Norway.", False),
    ],
)
def test_a_topic_rests_on_what_was_said(summary: str, rests: bool) -> None:
    turn = Turn(1, 1, AT, "I walked Max in the park before breakfast.", "Nice!", "m")
    found = _resting(summary, [turn])
    assert (found == summary) is rests
    assert rests or "walked Max" in found
