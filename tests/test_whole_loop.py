"""The whole loop on real weights: random ones, so the words are noise, but every structure must hold."""

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from persona_cli.agent import open_assistant
from persona_cli.config import Settings
from persona_cli.errors import PersonaError
from persona_cli.model.engines import Engine, Message
from persona_cli.model.engines.llama import LlamaOptions, Opened, open_llama
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import Situation, Stop
from persona_cli.paths import find_places
from persona_cli.personality import Traits
from persona_cli.records import Answer, CoreMemory, EpisodicMemory, Image, Query, Retrieve, Spent, Think, Turn
from tests.conftest import StillClock
from tests.terminal import persona
from tests.tiny import Tiny, build_tiny

pytestmark = [pytest.mark.gguf, pytest.mark.slow]

WORDS = ("mug", "dentist", "Lena", "14:30", "Löwe", "東京", "don't?", "$5", "<think>", "marathon", ":)", "cheese")


def never() -> bool:
    return False


def nowhere(image: Image) -> Path:
    raise AssertionError(image)


def turn(number: int) -> Turn:
    said = " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 4 + number % 9))
    at = datetime(2026, 5, 12, 9, tzinfo=UTC) + timedelta(minutes=number)
    return Turn(number, 1, at, said, f"answer {number}", "tiny")


def episode(number: int) -> EpisodicMemory:
    one = turn(number)
    return EpisodicMemory(number, 1, f"The user said {one.user}.", ("noise",), (one.id,), one.at, one.at, one.at)


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return an even smaller model than the tiny one: four times as quick, and as much noise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' own, while it builds
        directory = tmp_path_factory.mktemp("smaller")
        return build_tiny(directory, hidden=64, feed_forward=64, layers=1, heads=2, kv_heads=1, sections=(4, 6, 6))


@pytest.fixture(scope="module")
def opened(smaller: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    pair, cache = smaller.pair, tmp_path_factory.mktemp("cache")
    running = open_llama(pair.text, pair.projection, LlamaOptions(context=8192, threads=1), cache)
    yield running
    running.engine.close()


class Heard:
    """An engine that also keeps what it wrote."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.context, self.count, self.close = engine.name, engine.context, engine.count, engine.close
        self.about, self.sees = engine.about, engine.sees
        self.replies: list[str] = []

    def generate(
        self,
        messages: Sequence[Message],
        *,
        grammar: str | None,
        stop: Stop,
        limit: int,
        lane: str,
        penalty: float = 1.0,
    ) -> Iterator[str]:
        pieces = list(self._engine.generate(messages, grammar=grammar, stop=stop, limit=limit, lane=lane))
        self.replies.append("".join(pieces))
        yield from pieces


def reply(model: PromptedModel, number: int) -> None:
    query = Query(turn(number).user, turn(number).at)
    situation = Situation(query, CoreMemory(), Traits(openness=1 + number % 5), recent=(turn(number + 1),))
    pieces = list(model.reason(situation, never))
    assert sum(isinstance(piece, Think) for piece in pieces) == 1
    assert isinstance(pieces[-1], (Answer, Retrieve))


def final(model: PromptedModel, number: int) -> None:
    query = Query(turn(number).user, turn(number).at)
    assert isinstance(list(model.answer(Situation(query, CoreMemory(), Traits()), never))[-1], Answer)


TASKS: tuple[Callable[[PromptedModel, int], Any], ...] = (
    lambda model, number: model.infer_personality(turn(number), [turn(number + 1)], never),
    lambda model, number: model.extract_semantic(turn(number), [], never),
    lambda model, number: model.summarize_episodes([turn(number), turn(number + 1)], never),
    lambda model, number: model.update_procedural([turn(number)], [], never),
    lambda model, number: model.update_core([turn(number)], CoreMemory(), never),
    lambda model, number: model.merge_episodes([episode(number), episode(number + 1)], never),
    reply,
    final,
)


def test_a_chat_with_a_picture_runs_the_whole_loop(
    smaller: Tiny, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_MODEL_THREADS", "1")
    Pillow.new("RGB", (320, 240), (200, 30, 30)).save(tmp_path / "mug.png")
    assert persona("model", "add", str(smaller.pair.text), str(smaller.pair.projection), "--name", "noise").code == 0
    assert persona("model", "use", "noise").code == 0
    said = persona("chat", "--json", "--force-retrieve", "--image", str(tmp_path / "mug.png"), "This is my red mug.")
    assert said.code == 0, said.err
    assert said.json["model"] == "tiny-F16"
    assert said.json["answer"]
    assert said.json["retrievals"]
    assert len(said.json["recalled"]) == len(said.json["retrievals"])
    explained = " ".join(persona("why").out.split())
    assert re.search(r"Prompt: [\d,]+ of 16,384 tokens: profile \d+ of [\d,]+, conversation \d+ of", explained)
    assert all(
        section["budget"] >= section["tokens"] for section in persona("why", "--json").json["spent"][0]["sections"]
    )
    assert persona("memory", "show", "i1", "--json").json["record"]["caption_by"] == "tiny-F16"
    done = persona("doctor", "--json").json
    assert next(check for check in done if check["name"] == "updates")["finding"] == "0 queued, 0 failed"
    assert len(list((home / "cache" / "pictures").rglob("*.npy"))) == 1


def test_two_responses_in_a_row_share_their_beginning_and_the_picture(
    opened: Opened, home: Path, tmp_path: Path, clock: StillClock
) -> None:
    places = find_places(env={"PERSONA_HOME": str(home)})
    engine = opened.engine
    pictures: dict[str, Path] = {}
    model = PromptedModel(engine, load_prompts(), lambda image: pictures[image.hash])
    assistant = open_assistant(places, Settings(), model=model, clock=clock, notice=lambda _: None)
    picture = assistant.memory.media.add(_red(tmp_path), clock.now)
    pictures[picture.hash] = assistant.memory.media.path_of(picture)
    engine.forget("respond")
    encoded = engine.counts.encoded
    reused = []
    for text in ("This is my red mug.", "And what do you say now?"):
        prompt, evaluated = engine.counts.lanes.get("respond", (0, 0))
        steps = assistant.respond(text, (_red(tmp_path),))
        next(step for step in steps if not isinstance(step, Spent))  # the first piece: one prompt was evaluated
        after = engine.counts.lanes["respond"]
        reused.append((after[0] - prompt) - (after[1] - evaluated))
        list(steps)
        clock.advance(minutes=2)
    assistant.updates.run()
    assert engine.counts.encoded == encoded + 1
    assert reused[0] == 0
    assert reused[1] > 100
    assert assistant.memory.store.jobs.failed() == ()
    assistant.memory.close()


def _red(folder: Path) -> Path:
    path = folder / "mug.png"
    Pillow.new("RGB", (320, 240), (200, 30, 30)).save(path)
    return path


def test_a_box_is_asked_of_a_picture_in_the_grounding_format(opened: Opened, tmp_path: Path) -> None:
    path = _red(tmp_path)
    at = datetime(2026, 5, 12, 9, tzinfo=UTC)
    image = Image(1, hashlib.sha256(path.read_bytes()).hexdigest(), "image/png", 320, 240, 9, "0" * 16, at)
    heard = Heard(opened.engine)
    model = PromptedModel(heard, load_prompts(), lambda _: path, most_pixels=230_400)
    for word in WORDS:
        box = model.locate(image, f"my {word} (mug)", never)
        assert box is None or (0 <= box.left < box.right <= 320 and 0 <= box.top < box.bottom <= 240)
    assert len(heard.replies) == len(WORDS)
    for reply_ in heard.replies:
        assert all(len(entry["bbox_2d"]) == 4 for entry in json.loads(reply_))


@pytest.mark.parametrize(
    "first", [0, 25, *(pytest.param(first, marks=pytest.mark.weights) for first in range(50, 200, 25))]
)
def test_the_structure_holds_two_hundred_times_of_two_hundred(opened: Opened, first: int) -> None:
    model = PromptedModel(opened.engine, load_prompts(), nowhere)
    broken = []
    for number in range(first, first + 25):
        try:
            TASKS[number % len(TASKS)](model, number)
        except PersonaError as exc:
            broken.append((number, exc.message))
    assert broken == []
