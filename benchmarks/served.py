"""The server engine against a real llama-server with the tiny model (`python -m benchmarks served --binary PATH`).

PATH is the `llama-server` of a llama.cpp build. The sources that llama-cpp-python's sdist carries in `vendor/llama.cpp`
are enough: `cmake -B build -DLLAMA_OPENSSL=OFF -DLLAMA_USE_PREBUILT_UI=OFF`, then
`cmake --build build --target llama-server`.

First what works is checked, one line each: streaming, grammar, pictures, counted tokens, control tokens in what a
person writes, stopping, overflow, a wrong key, a server that dies and one that comes back. Then a session runs through
the whole loop, and the time to the first token and the share of the prompt that the server had in its cache are told.
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.engine import Scripted, converse, draw
from persona_cli.errors import ContextError, EngineError, FormatError, Interrupted, PersonaError
from persona_cli.model import grammar
from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.engines.server import ServerEngine
from persona_cli.model.engines.server_formats import Dialect
from persona_cli.model.export import ExportedPair
from persona_cli.model.replies import ReplyParser
from tests.tiny import build_tiny

CONTEXT = 16_384
KEY = "a key of the benchmark"
_SHAPE = r"<think>.+</think>\n(<answer>.+|<retrieve>\n.+</retrieve>)"
HELLO = Message("user", ("Hello, who are you?",))


@dataclass(slots=True)
class Served:
    """A llama-server on loopback that can be stopped and started again."""

    binary: Path
    pair: ExportedPair
    port: int
    slots: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it and wait until the model is loaded."""
        files = ["-m", str(self.pair.text), "--mmproj", str(self.pair.projection), "--alias", "tiny"]
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--api-key", KEY]
        sizes = ["-c", str(CONTEXT * self.slots), "-np", str(self.slots), "-t", "1", "--no-warmup"]
        command = [str(self.binary), *files, *where, *sizes]
        self.child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1).close()
                return
            except (urllib.error.URLError, OSError):
                if self.child.poll() is not None:
                    break
                time.sleep(0.1)
        self.kill()
        sys.exit(f"{self.binary} did not start")

    def kill(self) -> None:
        """End it at once."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None


def main(arguments: Sequence[str] = ()) -> int:
    """Check what works, then time a session with one and with four slots; 1 when something does not work."""
    parser = argparse.ArgumentParser(prog="benchmarks served")
    parser.add_argument("--binary", type=Path, required=True, metavar="PATH", help="llama-server")
    parser.add_argument("--turns", type=int, default=20)
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as name:
        folder = Path(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # transformers' own, while it builds
            pair = build_tiny(folder).pair
        failed = 0
        with running(given.binary, pair, 1) as served:
            for what, check in CHECKS.items():
                failed += _say(what, check, served, folder)
        print("\n| slots | first token, turn 1 | median | last turn | prompt tokens | in the cache |")
        print("|---|---|---|---|---|---|")
        for slots in (1, 4):
            with running(given.binary, pair, slots) as served:
                _time(served, folder / f"slots{slots}", given.turns)
    return 1 if failed else 0


@contextmanager
def running(binary: Path, pair: ExportedPair, slots: int) -> Iterator[Served]:
    """Run a server on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        served = Served(binary, pair, int(probe.getsockname()[1]), slots)
    served.start()
    try:
        yield served
    finally:
        served.kill()


def _say(what: str, check: Callable[[Served, ServerEngine, Path], str], served: Served, folder: Path) -> int:
    if served.child is None:
        served.start()
    engine = ServerEngine(served.url, "", KEY, context=CONTEXT)
    try:
        found, failed = check(served, engine, folder), 0
    except (AssertionError, PersonaError) as exc:
        found, failed = f"{type(exc).__name__} {exc}", 1
    finally:
        engine.close()
    print(f"{'fails' if failed else 'works'}: {what}: {found}", flush=True)
    return failed


def _reply(engine: ServerEngine, *messages: Message, form: str | None = None, limit: int = 200) -> list[str]:
    return list(engine.generate(messages, grammar=form, stop=lambda: False, limit=limit, lane="respond"))


def _streams(_served: Served, engine: ServerEngine, _folder: Path) -> str:
    started, arrived = time.perf_counter(), list[float]()
    for _ in engine.generate([HELLO], grammar=None, stop=lambda: False, limit=200, lane="respond"):
        arrived.append(time.perf_counter() - started)
    assert len(arrived) > 20, len(arrived)
    assert arrived[0] < arrived[-1], arrived[-1]
    return f"{len(arrived)} pieces, the first after {arrived[0] * 1000:.0f} ms, the last after {arrived[-1] * 1000:.0f}"


def _grammar(_served: Served, engine: ServerEngine, _folder: Path) -> str:
    assert engine.dialect is Dialect.LLAMA
    whole = 0
    for number in range(10):
        question = Message("user", (f"Question {number}: what is my dog called?",))
        reply = "".join(_reply(engine, question, form=grammar.REASON, limit=2048))
        assert re.fullmatch(_SHAPE, reply, re.DOTALL), reply[-80:]
        parser = ReplyParser(UTC)
        with suppress(FormatError):  # the 31st of November: the second attempt is for that
            parser.feed(reply)
            whole += bool(parser.finish())
    return f"10 of 10 replies of noise have its shape, {whole} can be used at once"


def _pictures(_served: Served, engine: ServerEngine, folder: Path) -> str:
    parts = [ImagePart(draw(folder, number), f"{number:064x}") for number in (1, 2)]
    _reply(engine, HELLO, limit=1)
    without = engine.counts.last_prompt
    _reply(engine, Message("user", (*HELLO.parts, *parts)), limit=1)
    took = engine.counts.last_prompt - without
    said = engine.count([Message("user", tuple(parts))]) - engine.count([Message("user", ("",))])
    assert took == said, f"{took} tokens, counted {said}"
    return f"two took {took} tokens, as counted beforehand"


def _counts(_served: Served, engine: ServerEngine, _folder: Path) -> str:
    messages = [
        Message("system", ("Be brief. " * 20,)),
        *[Message(role, ("The cello is in the car, number 12. " * 30,)) for role in ("user", "assistant", "user")],
    ]
    _reply(engine, *messages, limit=1)
    said, real = engine.count(messages), engine.counts.last_prompt
    assert real <= said <= real * 1.1 + 40, f"{said} counted, {real} real"
    return f"{said} counted, {real} real"


def _control_tokens(_served: Served, engine: ServerEngine, _folder: Path) -> str:
    sizes = []
    for text in ("", "<|im_end|>" * 20):
        _reply(engine, Message("user", (f"Say it: {text}",)), limit=1)
        sizes.append(engine.counts.last_prompt)
    assert sizes[1] - sizes[0] >= 60, sizes
    return f"20 of them are {sizes[1] - sizes[0]} tokens of text"


def _stops(_served: Served, engine: ServerEngine, _folder: Path) -> str:
    told = threading.Event()
    stream = engine.generate([HELLO], grammar=None, stop=told.is_set, limit=4000, lane="respond")
    next(stream)
    told.set()
    try:
        list(stream)
    except Interrupted:
        started = time.perf_counter()
        _reply(engine, HELLO, limit=1)
        return f"the next answer begins {(time.perf_counter() - started) * 1000:.0f} ms later"
    raise AssertionError("it went on")


def _overflow(served: Served, engine: ServerEngine, _folder: Path) -> str:
    assert engine.context == CONTEXT == engine.served
    larger = ServerEngine(served.url, "", KEY, context=4 * CONTEXT)
    assert larger.context == CONTEXT, larger.context
    larger.context = 4 * CONTEXT
    long = Message("user", ("word " * CONTEXT,))
    told = []
    for one in (engine, larger):
        try:
            _reply(one, long, limit=1)
        except ContextError as exc:
            told.append(exc.message)
    larger.close()
    assert len(told) == 2, told
    return f"seen beforehand; and the server's own words are understood: {told[1][:70]}"


def _key(served: Served, _engine: ServerEngine, _folder: Path) -> str:
    try:
        ServerEngine(served.url, "", "wrong", context=CONTEXT)
    except EngineError as exc:
        return exc.message
    raise AssertionError("a wrong key was taken")


def _dies(served: Served, engine: ServerEngine, _folder: Path) -> str:
    stream = engine.generate([HELLO], grammar=None, stop=lambda: False, limit=4000, lane="respond")
    next(stream)
    served.kill()
    try:
        list(stream)
    except EngineError as exc:
        return exc.message
    raise AssertionError("nobody noticed")


def _comes_back(served: Served, engine: ServerEngine, _folder: Path) -> str:
    served.kill()
    later = threading.Timer(1.0, served.start)
    later.start()
    started = time.perf_counter()
    try:
        _reply(engine, HELLO, limit=1)
    finally:
        later.join()
    return f"asked again until it was there, {time.perf_counter() - started:.1f} s"


CHECKS: dict[str, Callable[[Served, ServerEngine, Path], str]] = {
    "streaming": _streams,
    "the grammar of a response": _grammar,
    "pictures": _pictures,
    "tokens counted by the server": _counts,
    "control tokens in what a person writes": _control_tokens,
    "stopping": _stops,
    "a prompt too long": _overflow,
    "a wrong key": _key,
    "a server that dies in the middle of an answer": _dies,
    "a server that is away for a second": _comes_back,
}


def _time(served: Served, folder: Path, turns: int) -> None:
    folder.mkdir()
    engine = ServerEngine(served.url, "", KEY, context=CONTEXT)
    scripted = Scripted(engine, tone=False)
    converse(scripted, folder, turns)
    first = [seconds * 1000 for seconds in scripted.first_token]
    engine.close()
    counts = engine.counts
    times = f"{first[0]:.0f} ms | {statistics.median(first):.0f} ms | {first[-1]:.0f} ms"
    print(f"| {served.slots} | {times} | {counts.prompt:,} | {counts.cached / counts.prompt:.1%} |", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
