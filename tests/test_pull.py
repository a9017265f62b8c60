"""Pulling from a hub on loopback: lists, patterns, hashes, resuming; and from no hub at all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from persona_cli.errors import EngineError, StorageError, UsageError, WeightsError
from persona_cli.memory.vectors.clip import find_clip, open_clip
from persona_cli.model import pull as pulling
from persona_cli.model.catalog import ModelPart, PinnedFile, load_catalog
from persona_cli.model.pull import pull
from persona_cli.model.weights import Weights
from tests.hub import COMMIT, Hub, serve_hub
from tests.terminal import persona
from tests.tiny import Tiny
from tests.tinyclip import classic, coloured

pytestmark = pytest.mark.gguf

ENTRY = load_catalog().get("PersonaVLM-7B")
TEXT, PROJECTION = (part.repository for part in ENTRY.parts)


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return Weights(tmp_path / "models")


@pytest.fixture
def hub(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    text, projection = tiny.pair.text.read_bytes(), tiny.pair.projection.read_bytes()
    repositories = {
        TEXT: {
            "PersonaVLM.i1-Q4_K_M.gguf": text,
            "PersonaVLM.i1-Q6_K.gguf": tiny.export("Q6_K").text.read_bytes(),
            "README.md": b"# a readme",
        },
        PROJECTION: {
            "PersonaVLM.Q8_0.gguf": text,
            "PersonaVLM.mmproj-f16.gguf": projection,
            "PersonaVLM.mmproj-Q8_0.gguf": projection,
        },
    }
    with serve_hub(repositories) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        # the library writes in steps of 10 MB, larger than these files
        monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 64 * 1024)
        yield served


def test_the_default_arrives_as_the_pair_of_two_repositories(hub: Hub, weights: Weights) -> None:
    shown: list[tuple[str, int, int]] = []
    model = pull(ENTRY, weights, progress=lambda *step: shown.append(step))
    assert [file.path for file in model.manifest.files] == ["PersonaVLM.i1-Q4_K_M.gguf", "PersonaVLM.mmproj-Q8_0.gguf"]
    assert model.manifest.source == f"{TEXT}, {PROJECTION}"
    assert model.manifest.revision == COMMIT
    assert model.manifest.tuned
    assert model.path("text") is not None
    assert {path.name for path in model.folder.iterdir()} == {
        "manifest.toml",
        "PersonaVLM.i1-Q4_K_M.gguf",
        "PersonaVLM.mmproj-Q8_0.gguf",
    }
    size = model.manifest.files[0].bytes
    assert ("PersonaVLM.i1-Q4_K_M.gguf", size, size) in shown
    assert len({done for what, done, _ in shown if what == "PersonaVLM.i1-Q4_K_M.gguf"}) > 10


def test_another_quantization_replaces_the_first(hub: Hub, weights: Weights) -> None:
    pull(ENTRY, weights)
    model = pull(ENTRY, weights, quantization="Q6_K")
    assert model.manifest.quantization == "Q6_K"
    assert len(weights.all()) == 1
    assert not (model.folder / "PersonaVLM.i1-Q4_K_M.gguf").exists()


def test_what_is_not_there_is_answered_with_what_is(hub: Hub, weights: Weights) -> None:
    with pytest.raises(WeightsError, match=r"has no \*Q2_K\.gguf") as raised:
        pull(ENTRY, weights, quantization="Q2_K")
    assert "PersonaVLM.i1-Q6_K.gguf" in raised.value.fix


def test_a_connection_that_breaks_is_taken_up_where_it_was(hub: Hub, weights: Weights) -> None:
    hub.cut_after = 300_000
    model = pull(ENTRY, weights)
    assert model.path("text") is not None
    assert any(asked != "bytes=0-" for asked in hub.ranges)


def test_an_interrupted_pull_goes_on_at_the_next(hub: Hub, weights: Weights) -> None:
    def stop_halfway(what: str, done: int, total: int) -> None:
        if what.startswith("PersonaVLM.i1") and done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(ENTRY, weights, progress=stop_halfway)
    assert weights.all() == ()
    hub.ranges.clear()
    pull(ENTRY, weights)
    assert int(hub.ranges[0].removeprefix("bytes=").rstrip("-")) > 1_000_000


def test_a_file_that_arrives_damaged_is_not_kept(hub: Hub, weights: Weights) -> None:
    hub.damaged.add("PersonaVLM.i1-Q4_K_M.gguf")
    with pytest.raises(WeightsError, match="arrived damaged"):
        pull(ENTRY, weights)
    assert weights.all() == ()
    hub.damaged.clear()
    assert pull(ENTRY, weights).path("text") is not None


def test_a_hub_that_has_another_file_than_was_pinned_is_refused(hub: Hub, weights: Weights) -> None:
    part = ModelPart("text", TEXT, "main", (PinnedFile("PersonaVLM.i1-Q4_K_M.gguf", 1, "0" * 64),))
    # the pinned name must carry its quantization as the catalogue's do
    entry = replace(ENTRY, parts=(replace(part, files=(replace(part.files[0], name="x-Q4_K_M.gguf"),)),))
    with pytest.raises(WeightsError, match="has no x-Q4_K_M"):
        pull(entry, weights)
    hub.repositories = {TEXT: {"x-Q4_K_M.gguf": b"other"}}
    with pytest.raises(WeightsError, match="not the file the catalogue knows"):
        pull(entry, weights)


def test_a_disk_without_room_is_found_out_before_the_download(
    hub: Hub, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "SPARE", 2**60)
    with pytest.raises(StorageError, match="GiB on the disk"):
        pull(ENTRY, weights)
    assert not weights.root.exists()


def test_a_repository_that_is_gone(hub: Hub, weights: Weights) -> None:
    entry = replace(ENTRY, parts=tuple(replace(part, repository="nobody/nothing") for part in ENTRY.parts))
    with pytest.raises(WeightsError, match="no such repository"):
        pull(entry, weights)


def test_names_that_lead_out_of_the_folder_are_ignored(hub: Hub, weights: Weights) -> None:
    hub.repositories = {TEXT: {"../../evil-Q4_K_M.gguf": b"x"}, PROJECTION: {}}
    with pytest.raises(WeightsError) as raised:
        pull(ENTRY, weights)
    assert "no weights at all" in raised.value.fix


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://hub.invalid"])
def test_without_a_hub_the_message_says_what_to_do_instead(
    endpoint: str, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(EngineError, match="cannot be reached") as raised:
        pull(ENTRY, weights)
    assert "persona model add" in raised.value.fix
    assert "\n" not in raised.value.message


def test_a_hub_that_goes_away_for_good(hub: Hub, weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _seconds: None)
    hub.cut_after = 300_000
    hub.goes_away = True
    with pytest.raises(EngineError, match="cannot be reached"):
        pull(ENTRY, weights)
    assert weights.all() == ()


def test_what_is_built_in_needs_no_pull(weights: Weights) -> None:
    with pytest.raises(UsageError, match="built in"):
        pull(load_catalog().get("all-MiniLM-L6-v2"), weights)


def test_a_pulled_clip_compares_pictures_from_then_on(
    tiny_clip: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out = classic(tiny_clip, tmp_path / "hub")
    files = {path.relative_to(laid_out).as_posix(): path.read_bytes() for path in laid_out.rglob("*") if path.is_file()}
    files |= {"0_CLIPModel/pytorch_model.bin": b"the same weights again", "README.md": b"# CLIP"}
    with serve_hub({"sentence-transformers/clip-ViT-B-32": files}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        pulled = persona("model", "pull", "clip-ViT-B-32")
    assert "pictures are compared by it" in " ".join(pulled.err.split())
    (row,) = (one for one in persona("model", "list", "--json").json if one["name"] == "clip-ViT-B-32")
    assert (row["installed"], row["in_use"], row["purpose"]) == (True, True, "pictures")
    folder = find_clip("clip-ViT-B-32", home / "models")
    assert folder is not None
    assert not list(folder.rglob("*.bin")), "the weights are there once"
    picture = coloured("red", 1)
    assert float(open_clip(folder).see([picture])[0] @ open_clip(tiny_clip).see([picture])[0]) > 0.9999
    persona("model", "remove", "clip-ViT-B-32", "--yes")
    assert find_clip("clip-ViT-B-32", home / "models") is None
