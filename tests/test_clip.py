"""CLIP: a real, tiny one through sentence-transformers; its vectors in the store."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from persona_cli.errors import EngineError, PictureError, WeightsError
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store
from persona_cli.memory.tables.looks import Looks
from persona_cli.memory.vectors.clip import Clip, find_clip, load_picture, name_of, open_clip
from persona_cli.records import Image, Kind, Ref
from tests.agents import NOW, exists
from tests.tinyclip import COLOURS, classic, coloured


@pytest.fixture(scope="module")
def clip(tiny_clip: Path) -> Clip:
    return open_clip(tiny_clip)


def test_the_same_is_nearer_than_the_alike_and_the_alike_than_the_unlike(clip: Clip) -> None:
    red, blue = coloured("red", 1), coloured("blue", 1)
    vectors = clip.see([red, red.resize((80, 60)), red.crop((10, 10, 150, 110)), coloured("red", 2), blue])
    assert vectors.shape == (5, clip.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    same, cut, alike, unlike = (vectors[1:] @ vectors[0]).tolist()
    assert min(same, cut, alike) > 0.95
    assert unlike < 0.6


def test_words_find_the_picture_that_shows_them(clip: Clip) -> None:
    pictures = clip.see([coloured(colour, 5) for colour in COLOURS])
    best = (clip.read([f"a {colour} picture" for colour in COLOURS]) @ pictures.T).argmax(axis=1)
    assert best.tolist() == list(range(len(COLOURS)))


def test_long_and_odd_texts_are_read(clip: Clip) -> None:
    long, longer = clip.read(["red " * 40, "red " * 4_000])
    assert long @ longer > 0.999999
    marked, plain = clip.read(["a red<|endoftext|> blue", "a red"])
    assert marked @ plain < 0.99, "the mark is words like others, not the end of them"
    assert clip.read(["\ud800", ""]).shape == (2, clip.dimension)


def test_nothing_makes_no_vectors(clip: Clip) -> None:
    assert (clip.see([]).shape, clip.read([]).shape) == ((0, clip.dimension), (0, clip.dimension))


def test_the_layout_of_the_hub_gives_the_same_vectors(clip: Clip, tiny_clip: Path, tmp_path: Path) -> None:
    hub = open_clip(classic(tiny_clip, tmp_path / "clip-ViT-B-32"))
    assert hub.reads
    pictures = [coloured("green", 3), coloured("red", 4, 60, 200)]
    assert (hub.see(pictures) * clip.see(pictures)).sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    texts = ["a red picture", "Ünïcode ☃", "red " * 300]
    assert (hub.read(texts) * clip.read(texts)).sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert hub.scale == clip.scale


def test_a_closed_clip_says_so(tiny_clip: Path) -> None:
    opened = open_clip(tiny_clip)
    opened.close()
    opened.close()
    assert not opened.reads
    with pytest.raises(EngineError, match="closed"):
        opened.read(["red"])


def test_it_is_found_by_its_catalogued_name_or_by_folder_and_may_be_absent(tiny_clip: Path, tmp_path: Path) -> None:
    assert find_clip("clip-ViT-B-32", tmp_path) is None
    assert find_clip("none", tiny_clip.parent) is None
    assert find_clip(tiny_clip.name, tiny_clip.parent) == tiny_clip
    assert find_clip(str(tiny_clip), tmp_path) == tiny_clip
    with pytest.raises(WeightsError, match="holds no CLIP"):
        find_clip(str(tmp_path / "gone"), tmp_path)


def test_another_checkpoint_has_another_name(tiny_clip: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_clip, tmp_path / tiny_clip.name))
    assert name_of(copy) == name_of(tiny_clip)
    weights = copy / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert name_of(copy) != name_of(tiny_clip)


@pytest.mark.parametrize("damage", ["no weights", "truncated", "no settings"])
def test_a_damaged_folder_is_one_clear_line(tiny_clip: Path, tmp_path: Path, damage: str) -> None:
    folder = Path(shutil.copytree(tiny_clip, tmp_path / "clip"))
    weights = folder / "model.safetensors"
    if damage == "no weights":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:1_000])
    else:
        (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(WeightsError, match="cannot be loaded") as refused:
        open_clip(folder)
    assert "persona model pull" in refused.value.fix


@pytest.mark.gguf
def test_a_model_of_sentences_alone_is_refused() -> None:
    from persona_cli.memory.vectors.minilm_files import source_folder

    with pytest.raises(WeightsError, match="embeds no pictures"):
        open_clip(source_folder())


def test_a_lost_or_broken_file_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        load_picture(tmp_path / "gone.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(PictureError):
        load_picture(tmp_path / "broken.png")


@pytest.fixture
def images(store: Store, home: Path, tmp_path: Path) -> list[Image]:
    media, found = Media(home / "media", store), []
    for colour in ("red", "blue"):
        coloured(colour, 1).save(tmp_path / f"{colour}.png")
        found.append(media.add(tmp_path / f"{colour}.png", NOW))
    return found


def vector(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def test_looks_are_kept_by_picture_and_by_clip(store: Store, images: list[Image]) -> None:
    red, blue = images
    looks: Looks = store.looks
    assert looks.wanted("one") == (blue.id, red.id)
    assert looks.put(red.id, "one", vector(1, 0))
    assert exists(looks.get(red.id, "one")).tolist() == [1, 0]
    assert looks.get(red.id, "other") is None
    assert (looks.wanted("one"), looks.count_wanted("one"), looks.count("one")) == ((blue.id,), 1, 1)
    before = looks.state()
    assert looks.put(red.id, "other", vector(1, 2, 3))
    assert looks.state() != before
    assert (looks.count("one"), looks.count("other")) == (0, 1), "one look each: of the CLIP in use"
    ids, matrix = looks.matrix("other")
    assert (ids.tolist(), matrix.tolist()) == ([red.id], [[1, 2, 3]])
    assert looks.matrix("one")[0].tolist() == []
    assert not looks.put(99, "one", vector(1))


def test_a_forgotten_picture_takes_its_look_along(store: Store, images: list[Image]) -> None:
    for image in images:
        store.looks.put(image.id, "one", vector(1, 0))
    receipt = store.forget(Ref(Kind.IMAGE, images[0].id))
    assert receipt.counts["picture vectors"] == 1
    assert store.looks.matrix("one")[0].tolist() == [images[1].id]


def test_texts_do_not_want_what_pictures_have(store: Store, images: list[Image]) -> None:
    store.images.set_caption(images[0].id, "a red blob")
    store.looks.put(images[0].id, "one", vector(1, 0))
    assert [ref.id for ref, _, _ in store.vectors.wanted("text", 9)] == [images[0].id]
    assert store.vectors.counts() == {}
    assert store.vectors.revision() == 0, "the index of texts has nothing to catch up with"
    store.images.set_caption(images[0].id, "a red blob of paint")
    assert store.looks.count("one") == 1, "what a picture looks like does not change with what is said of it"


def test_a_stored_picture_is_read_as_it_is(images: list[Image], home: Path, store: Store) -> None:
    picture = load_picture(Media(home / "media", store).path_of(images[0]))
    assert (picture.mode, picture.size) == ("RGB", (images[0].width, images[0].height))
    assert isinstance(picture, Pillow.Image)
