"""What the prefix cache saves: a scripted session of 50 turns with 5 pictures on the tiny model.

The whole loop runs (prompts, retrievals, updates); only the words of the model are scripted, because random weights say
nothing. Compared with evaluating every prompt whole and encoding every picture each time, which is what the published
loop does. `--tone` lets each turn move the trait scores: they stand near the top of the response prompt (the order is
the contract's), so a moved score costs everything below it.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image as Pillow

from persona_cli.agent import open_assistant
from persona_cli.config import Settings
from persona_cli.model.engines import Engine, ImagePart, Message
from persona_cli.model.engines.llama import LlamaOptions, open_llama
from persona_cli.model.engines.llama.engine import LlamaEngine
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import Fact, Stop
from persona_cli.paths import find_places
from persona_cli.records import Image
from tests.tiny import build_tiny

TURNS = 50
PICTURES = 5
MOST_EVALUATED = 0.15
_BEGIN = datetime(2026, 5, 12, 9, tzinfo=UTC)
_TOPICS = ("the garden", "my sister Lena", "the marathon", "a new recipe", "work at the library", "the piano")


class Scripted:
    """An engine that evaluates every prompt for real and then says what the script wants."""

    def __init__(self, engine: Engine, *, tone: bool) -> None:
        self._engine = engine
        self.name, self.context = engine.name, engine.context
        self.tone = tone
        self.turn = 0
        self.shown = 0
        """Pictures in all prompts."""
        self.own = 0
        """Tokens of replies that went on: a real model's own words are in the cache already, a script's are not."""
        self.first_token: list[float] = []
        """Seconds to the first token of each response."""

    @property
    def sees(self) -> bool:
        """Leave captions out: the script has none."""
        return False

    def about(self) -> tuple[Fact, ...]:
        """Return what the real engine runs on."""
        return self._engine.about()

    def count(self, content: Sequence[Message] | str) -> int:
        """Count with the real tokenizer."""
        return self._engine.count(content)

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
        """Evaluate the prompt and one token, then yield the script's reply."""
        if len(messages) > 1:
            self.own += self._engine.count(messages[-2].text)
        started = time.perf_counter()
        self.shown += sum(isinstance(part, ImagePart) for message in messages for part in message.parts)
        for _ in self._engine.generate(messages, grammar=None, stop=stop, limit=1, lane=lane):
            pass
        if lane == "respond" and len(messages) == 1:
            self.first_token.append(time.perf_counter() - started)
        del grammar, limit
        yield self._says(lane, len(messages))

    def close(self) -> None:
        """Leave the real engine open."""

    def _says(self, lane: str, messages: int) -> str:
        topic = _TOPICS[self.turn % len(_TOPICS)]
        if lane == "respond" and messages == 1:
            lines = f'"keywords": "{topic}"\n"start_time": "null"\n"end_time": "null"\n'
            return f"<think>They speak of {topic}; I look for what I know.</think>\n<retrieve>\n{lines}</retrieve>"
        if lane == "respond":
            return f"<think>That is enough.</think>\n<answer>You told me about {topic}. Tell me more.</answer>"
        if lane == "personality":
            score = 1 + self.turn % 5 if self.tone else 3
            return "\n".join(
                f'"{trait}": {score}'
                for trait in ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
            )
        return '"reason": small talk\n"decision": false\n"content": null\n"keywords": null'


def main(arguments: Sequence[str] = ()) -> int:
    """Run the session, then show 100 pictures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks engine")
    parser.add_argument("--tone", action="store_true", help="let each turn move the trait scores")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gpu-layers", type=int, metavar="N", help="run it with N layers on the GPU (99 for all)")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as name:
        folder = Path(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # transformers' own, while it builds
            pair = build_tiny(folder / "tiny").pair
        on_gpu = None if given.gpu_layers is None else given.gpu_layers > 0
        wishes = LlamaOptions(threads=given.threads, gpu_layers=given.gpu_layers, project_on_gpu=on_gpu)
        opened = open_llama(pair.text, pair.projection, wishes, folder / "cache")
        met = _session(opened.engine, folder, tone=given.tone)
        flat = _soak(opened.engine, folder)
        opened.engine.close()
    return 0 if (met or given.tone) and flat else 1


def _session(engine: LlamaEngine, folder: Path, *, tone: bool) -> bool:
    scripted = Scripted(engine, tone=tone)
    converse(scripted, folder, TURNS)
    return _report(engine, scripted)


def converse(scripted: Scripted, folder: Path, turns: int) -> None:
    """Lead the scripted session through the whole loop, updates included."""
    pictures: dict[str, Path] = {}

    def where(image: Image) -> Path:
        return pictures.setdefault(image.hash, assistant.memory.media.path_of(image))

    now = [_BEGIN]
    model = PromptedModel(scripted, load_prompts(), where)
    places = find_places(env={"PERSONA_HOME": str(folder / "home")})
    assistant = open_assistant(places, Settings(), model=model, clock=lambda: now[0], notice=print)
    for turn in range(turns):
        scripted.turn = turn
        shown = (draw(folder, turn),) if turn % (TURNS // PICTURES) == 0 else ()
        topic = _TOPICS[turn % len(_TOPICS)]
        text = f"Turn {turn}: today I thought about {topic} again, and how much it has changed since I began with it."
        for _ in assistant.respond(text, shown):
            pass
        assistant.updates.run()
        now[0] += timedelta(minutes=1)
    assistant.memory.close()


def _report(engine: LlamaEngine, scripted: Scripted) -> bool:
    stages = Counter[str](), Counter[str]()
    for lane, (prompt, evaluated) in engine.counts.lanes.items():
        stage = "response" if lane == "respond" else "update"
        stages[0][stage] += prompt
        stages[1][stage] += evaluated - (scripted.own if stage == "response" else 0)
    print("| stage | prompt tokens | evaluated | share |\n|---|---|---|---|")
    for stage in stages[0]:
        share = stages[1][stage] / stages[0][stage]
        print(f"| {stage} | {stages[0][stage]:,} | {stages[1][stage]:,} | {share:.1%} |")
    for lane, (prompt, evaluated) in engine.counts.lanes.items():
        print(f"| lane {lane} | {prompt:,} | {evaluated:,} | {evaluated / prompt:.1%} |")
    print(f"\nThe response stage leaves out {scripted.own:,} tokens of the script's own replies.")
    print(f"Pictures: {PICTURES} shown, {scripted.shown} times in prompts, encoded {engine.counts.encoded} times.")
    first, last = scripted.first_token[0], scripted.first_token[-1]
    print(f"Time to the first token: {first * 1000:.0f} ms at turn 1, {last * 1000:.0f} ms at turn {TURNS}.")
    shares = (stages[1][stage] / stages[0][stage] for stage in stages[0])
    return engine.counts.encoded == PICTURES and all(share <= MOST_EVALUATED for share in shares)


def _soak(engine: LlamaEngine, folder: Path) -> bool:
    """Show 100 pictures one after another; memory must not grow once the engine holds its most (32)."""
    sizes = []
    for number in range(100):
        path = draw(folder, 1000 + number)
        messages = [Message("user", (ImagePart(path, f"{number:064x}"), "What is this?"))]
        for _ in engine.generate(messages, grammar=None, stop=lambda: False, limit=1, lane="respond"):
            pass
        sizes.append(_resident())
    grown = (sizes[-1] - sizes[40]) / 2**20
    print(f"Memory over 100 pictures: {sizes[40] / 2**20:.0f} MiB after 40, {sizes[-1] / 2**20:.0f} MiB after 100.")
    return grown < 16


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def draw(folder: Path, number: int) -> Path:
    """Draw a picture that differs from all others, and return its file."""
    path = folder / f"{number}.png"
    Pillow.linear_gradient("L").rotate(number * 7).convert("RGB").resize((480, 320 + number % 50)).save(path)
    return path
