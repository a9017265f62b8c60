"""`persona model`: list, add, use, remove, export, pull, from the command line to the files."""

from pathlib import Path

import pytest

from tests.hub import serve_hub
from tests.terminal import persona
from tests.tiny import Tiny

pytestmark = pytest.mark.gguf


def row(name: str) -> dict[str, object]:
    found = persona("model", "list", "--json")
    assert found.code == 0, found.err
    (one,) = [one for one in found.json if one["name"] == name]
    assert isinstance(one, dict)
    return one


def test_a_fresh_home_has_the_built_in_model_and_the_catalogue() -> None:
    rows = persona("model", "list", "--json").json
    assert [one["name"] for one in rows if one["in_use"]] == ["lite"]
    assert {"lite", "PersonaVLM-7B", "Qwen2.5-VL-3B", "all-MiniLM-L6-v2"} <= {one["name"] for one in rows}
    assert set(rows[0]) == {
        "name", "installed", "in_use", "purpose", "quantization", "bytes", "memory_bytes", "fits", "licence", "about",
        "tried",
    }  # fmt: skip
    shown = persona("model", "list").out
    assert "PersonaVLM-7B" in shown
    assert "can be pulled" in shown


def test_a_pair_is_added_used_and_removed(tiny: Tiny) -> None:
    added = persona("model", "add", str(tiny.pair.projection), str(tiny.pair.text), "--name", "mine")
    assert added.code == 0, added.err
    assert "persona model use mine" in added.err
    assert row("mine")["fits"] is True
    assert persona("model", "use", "MINE").code == 0
    assert persona("config", "get", "model.name").out.strip() == "mine"
    assert row("mine")["in_use"] is True
    assert persona("model", "remove", "mine", "--yes").code == 0
    assert persona("config", "get", "model.name").out.strip() == "lite"
    assert tiny.pair.text.exists()


def test_what_is_made_is_private(tiny: Tiny, home: Path) -> None:
    persona("model", "add", str(tiny.pair.text), "--name", "mine")
    assert [path.stat().st_mode & 0o77 for path in (home, home / "models", home / "models" / "mine")] == [0, 0, 0]


def test_doctor_says_what_answers_and_what_is_wrong_with_it(tiny: Tiny, tmp_path: Path) -> None:
    copy = tmp_path / "copy-F16.gguf"
    copy.write_bytes(tiny.pair.text.read_bytes())
    persona("model", "add", str(copy), "--name", "mine")
    persona("model", "use", "mine")
    verdict, finding = _finding("model")
    assert verdict == "fine"
    assert finding == "mine F16, without mmproj: sees no pictures"
    assert "of 3 layers on the GPU" in _finding("offload")[1]
    assert _finding("context")[1] == "16,384 tokens"
    copy.unlink()
    verdict, finding = _finding("model")
    assert verdict == "wrong"
    assert "is gone" in finding


def test_verbose_tells_where_the_model_really_is(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_MODEL_THREADS", "1")
    monkeypatch.setenv("PERSONA_MODEL_CONTEXT", "4096")
    persona("model", "add", str(tiny.pair.text), str(tiny.pair.projection), "--name", "mine")
    persona("model", "use", "mine")
    said = persona("--verbose", "chat", "--json", "--no-memory", "Hello!")
    assert said.code == 0, said.err
    assert said.json["notices"] == []
    for line in ("llama.cpp: ", "devices: CPU (", "(3 on CPU", "encoded on CPU", "4,096 tokens in f16, 4 MiB on CPU"):
        assert line in said.err.replace("\n", " ")
    assert "flash attention on" in said.err.replace("\n", " ")
    assert "offload" not in persona("chat", "--json", "--no-memory", "Hello!").err
    checks = {check["name"]: check["finding"] for check in persona("--verbose", "doctor", "--json").json}
    assert checks["threads"].startswith("1; ")
    assert checks["tensors"].endswith(" on CPU_Mapped")


def test_verbose_with_the_built_in_model() -> None:
    said = persona("chat", "--verbose", "--no-memory", "Hello!")
    assert "offload: nothing" in said.err
    assert "offload" not in said.out


def _finding(name: str) -> tuple[str, str]:
    (check,) = [one for one in persona("doctor", "--json").json if one["name"] == name]
    return check["verdict"], check["finding"]


def test_removing_asks_first(tiny: Tiny) -> None:
    persona("model", "add", str(tiny.pair.text), "--name", "mine")
    assert persona("model", "remove", "mine", stdin="n\n").code != 0
    assert row("mine")["installed"] is True


def test_a_checkpoint_is_exported_and_installed(tiny: Tiny, home: Path) -> None:
    done = persona("model", "export", str(tiny.checkpoint), "--quant", "q4_k_m", "--name", "small")
    assert done.code == 0, done.err
    assert row("small")["quantization"] == "Q4_K_M"
    assert sorted(path.name for path in (home / "models").iterdir()) == ["small"]
    assert persona("model", "use", "small").code == 0


def test_an_export_to_a_folder_prints_the_pair(tiny: Tiny, tmp_path: Path) -> None:
    done = persona("model", "export", str(tiny.checkpoint), "--quant", "F16", "--to", str(tmp_path / "out"))
    assert done.code == 0, done.err
    assert all(Path(line).exists() for line in done.out.split())
    assert len(done.out.split()) == 2


def test_pull_and_use_in_one_go(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    text, projection = tiny.pair.text.read_bytes(), tiny.pair.projection.read_bytes()
    repositories = {
        "mradermacher/PersonaVLM-i1-GGUF": {"PersonaVLM.i1-Q4_K_M.gguf": text},
        "mradermacher/PersonaVLM-GGUF": {"PersonaVLM.mmproj-Q8_0.gguf": projection},
    }
    with serve_hub(repositories) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        done = persona("model", "pull", "--use")
    assert done.code == 0, done.err
    assert persona("config", "get", "model.name").out.strip() == "PersonaVLM-7B"
    assert row("PersonaVLM-7B")["in_use"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("use", "PersonaVLM-7B"), 4, "persona model pull PersonaVLM-7B"),
        (("use", "nonsense"), 4, "persona model list"),
        (("remove", "nonsense", "--yes"), 2, "persona model list"),
        (("pull", "personavlm"), 2, "Did you mean PersonaVLM-7B?"),
        (("add", "/nowhere/x.gguf"), 4, "Check the path"),
        (("export", "/nowhere"), 4, ""),
        (("export", "/nowhere", "--quant", "Q1"), 2, "Q4_K_M"),
    ],
)
def test_every_mistake_is_one_line_and_a_way_out(arguments: tuple[str, ...], code: int, says: str) -> None:
    done = persona("model", *arguments)
    assert done.code == code, done.err
    assert done.error
    assert says in done.err


def test_without_a_hub_pull_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    done = persona("model", "pull")
    assert done.code == 4
    assert "cannot be reached" in done.error
    assert "persona model add" in done.err


def test_choosing_a_server_asks_for_its_address() -> None:
    done = persona("model", "use", "server")
    assert done.code == 2
    assert "server.url" in done.err
    assert persona("config", "get", "model.name").out.strip() == "lite"


def test_the_list_says_how_large_each_model_is() -> None:
    sizes = {row["name"]: row["bytes"] for row in persona("model", "list", "--json").json}
    assert sizes["Qwen2.5-VL-3B"] == 1_929_901_056 + 844_757_728
    assert all(size > 2**20 for name, size in sizes.items() if name not in ("lite", "all-MiniLM-L6-v2"))


def test_the_list_says_which_models_nobody_has_pulled_yet() -> None:
    rows = {row["name"]: row["tried"] for row in persona("model", "list", "--json").json}
    assert rows["lite"]
    assert rows["Qwen2.5-VL-3B"]
    assert not rows["PersonaVLM-7B"]
    table = [line.split() for line in persona("model", "list").out.splitlines()]
    pulled, untried = (next(words for words in table if name in words) for name in ("Qwen2.5-VL-3B", "PersonaVLM-7B"))
    assert "pulled" in pulled
    assert "about" not in pulled[:7]
    assert untried[1:7] == ["not", "tried", "yet", "about", "5.6", "GiB"]
