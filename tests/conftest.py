"""Fixtures: a home of its own for every test, a store in memory, a clock that stands still, the tiny model."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import settings

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import Settings
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.store import Store, open_snapshot, open_store
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.paths import find_places
from persona_cli.reading.reader import Reader
from tests.fakes import ScriptedModel
from tests.tiny import Tiny, build_tiny
from tests.tinyclip import build_clip

# as the program does: threads that wait sleep, or a busy machine makes the tests a hundred times slower
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# the same examples every time, however busy the machine is
settings.register_profile("fixed", derandomize=True, deadline=None)
# other examples each time, and many: `make fuzz`
settings.register_profile("fuzz", max_examples=10_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


class StillClock:
    """A clock that moves when told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> datetime:
        """Move on by a timedelta's keywords, and return the time it is then."""
        self.now += timedelta(**span)
        return self.now


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    monkeypatch.setenv("PERSONA_HOME", str(place))
    return place


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of weights with the embedding model and the encoders of reader and judge, converted once."""
    from persona_cli.memory.vectors.minilm_files import converted
    from persona_cli.memory.vectors.state_encoder import ADAPTER, adapted
    from persona_cli.paths import shipped

    folder = tmp_path_factory.mktemp("minilm")
    converted(folder, pytest.fail)
    for purpose in ("reading", "answers"):
        adapted(folder, shipped(purpose) / ADAPTER, pytest.fail, purpose)
    return folder


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """Open and check each file of a model once in all: the homes of the tests link to the same files.

    A file that a test damages or makes anew is another one, or was changed since: that is read again.
    """
    from persona_cli.memory.vectors import minilm, minilm_files, state_encoder

    def once(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        known: dict[tuple[int, int, int], Any] = {}

        def reading(given: Path | bytes) -> Any:
            if isinstance(given, bytes):
                return read(given)
            file = given.stat()
            key = (file.st_ino, file.st_mtime_ns, file.st_size)
            if key not in known:
                known[key] = read(given)
            return known[key]

        return reading

    opened = once(minilm.open_session)
    with (
        patch.object(minilm, "open_session", opened),
        patch.object(state_encoder, "open_session", opened),
        patch.object(minilm_files, "_sha256", once(minilm_files._sha256)),
    ):
        yield


@pytest.fixture
def weights(home: Path, minilm: Path) -> Path:
    """Return the weights of this test's home with the embedding model in them: a second less than converting."""
    folder = home / "models"
    for directory in (home, folder):
        directory.mkdir(mode=0o700, exist_ok=True)
    for file in minilm.iterdir():
        if file.suffix != ".lock":
            os.link(file, folder / file.name)
    return folder


@pytest.fixture(scope="session")
def embedder(minilm: Path) -> Iterator[Embedder]:
    """Return the embedding model, opened once."""
    from persona_cli.memory.vectors.minilm import MiniLM

    opened = MiniLM(minilm, pytest.fail)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def reader(minilm: Path) -> Iterator[Reader]:
    """Return the reader, opened once."""
    from persona_cli.memory.vectors.state_encoder import StateEncoder
    from persona_cli.reading.judging import FOLDER, open_judge
    from persona_cli.reading.reader import open_reader

    encoder, judging = StateEncoder(minilm, pytest.fail), StateEncoder(minilm, pytest.fail, folder=FOLDER)
    yield open_reader(encoder, open_judge(judging))
    encoder.close()
    judging.close()


@pytest.fixture
def clock() -> StillClock:
    return StillClock(datetime(2026, 5, 12, 9, 30, tzinfo=UTC))


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with nothing in it, at the last migration: a tenth of the time that all of them take."""
    path = tmp_path_factory.mktemp("blank") / "persona.db"
    open_store(path).close()
    return path


@pytest.fixture
def store(blank: Path) -> Iterator[Store]:
    opened = open_snapshot(blank)
    yield opened
    opened.close()


@pytest.fixture
def memory(home: Path, weights: Path, blank: Path) -> Iterator[Memory]:
    """Return a real memory in this test's home."""
    shutil.copy(blank, home)
    opened = open_memory(find_places(), Settings(), pytest.fail)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return the tiny Qwen2.5-VL, built once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' own, while it builds
        return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tiny CLIP, trained once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' own, while it builds
        return build_clip(tmp_path_factory.mktemp("clip") / "tiny-clip")


@pytest.fixture
def model() -> ScriptedModel:
    """Return a model that says what is enqueued."""
    return ScriptedModel()


@pytest.fixture
def assistant(home: Path, weights: Path, blank: Path, model: ScriptedModel, clock: StillClock) -> Iterator[Assistant]:
    """Return an assistant over a real memory in a fresh home, with a scripted model and a clock that stands still."""
    shutil.copy(blank, home)
    notices: list[str] = []
    places = find_places(env={"PERSONA_HOME": str(home)})
    opened = open_assistant(places, Settings(), model=model, clock=clock, notice=notices.append)
    yield opened
    opened.close()
