"""Pictures found by how they look: embedded behind the conversation, compared, forgotten, embedded again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image as Pillow

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import EmbeddingSettings, Settings
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.retrieval.pictures import LooksLike, asks_to_see
from persona_cli.memory.vectors.clip import load_picture, name_of
from persona_cli.memory.vectors.sight import IN_PASSING
from persona_cli.model.sections import Writer
from persona_cli.model.tasks import SearchRound, SemanticDraft
from persona_cli.paths import find_places
from persona_cli.records import Box, Image, ImageMemory, Kind, Query, Ref, Retrieve
from tests.agents import NOW, exists
from tests.conftest import StillClock
from tests.fakes import SeeingModel
from tests.terminal import persona
from tests.tinyclip import COLOURS, build_clip, coloured

pytestmark = pytest.mark.gguf

LATER = NOW + timedelta(days=3)


def settings(clip: Path | str) -> Settings:
    return replace(Settings(), embedding=EmbeddingSettings(pictures=str(clip)))


def opened(notices: list[str], clip: Path | str, clock: StillClock, model: SeeingModel | None = None) -> Assistant:
    return open_assistant(
        find_places(), settings(clip), model=model or SeeingModel(), clock=clock, notice=notices.append
    )


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def model() -> SeeingModel:
    return SeeingModel()


@pytest.fixture
def assistant(
    weights: Path, tiny_clip: Path, notices: list[str], model: SeeingModel, clock: StillClock
) -> Iterator[Assistant]:
    assistant = opened(notices, tiny_clip, clock, model)
    yield assistant
    assistant.close()


def saved(folder: Path, colour: str, seed: int) -> Path:
    path = folder / f"{colour}{seed}.png"
    coloured(colour, seed).save(path)
    return path


def show(assistant: Assistant, text: str, path: Path) -> Image:
    list(assistant.respond(text, (path,)))
    assistant.updates.run()
    (image,) = exists(assistant.last_turn).images
    return image


def find(assistant: Assistant, path: Path, text: str = "Who is this?") -> tuple[ImageMemory, ...]:
    image = assistant.memory.media.add(path, LATER)
    return assistant.memory.retriever.recall(Query(text, LATER, (image,)), Retrieve("this")).images


@pytest.fixture
def life(assistant: Assistant, tmp_path: Path) -> dict[str, Image]:
    """Return the pictures shown, by colour: enough that they say themselves how unlike pictures are."""
    return {
        f"{colour}{seed}": show(assistant, f"My {colour} thing number {seed}.", saved(tmp_path, colour, seed))
        for colour in COLOURS
        for seed in (1, 2, 3)
    }


def test_pictures_are_embedded_behind_the_conversation(
    assistant: Assistant, tiny_clip: Path, tmp_path: Path, notices: list[str]
) -> None:
    image = show(assistant, "This is my mug.", saved(tmp_path, "red", 1))
    sight, looks = assistant.memory.sight, assistant.memory.store.looks
    assert sight.name == name_of(tiny_clip)
    assert (looks.count(sight.name), sight.waiting()) == (1, 0)
    seen = exists(sight.open()).see([load_picture(assistant.memory.media.path_of(image))])[0]
    assert float(exists(looks.get(image.id, sight.name)) @ seen) > 0.9999
    assert notices == []


def test_what_looks_alike_is_found_with_its_memory_and_what_does_not_is_not(
    assistant: Assistant, life: dict[str, Image], tmp_path: Path
) -> None:
    found = find(assistant, saved(tmp_path, "blue", 9))
    assert {one.hit.memory.hash for one in found} <= {life[f"blue{seed}"].hash for seed in (1, 2, 3)}
    assert len(found) == 2, "as many as a recall shows"
    assert "blue thing" in exists(found[0].turn).user
    assert found[0].hit.lanes["looks"] > 0.9
    assert "picture" not in found[0].hit.lanes


def test_unlike_pictures_are_not_found(assistant: Assistant, tmp_path: Path) -> None:
    show(assistant, "My red thing.", saved(tmp_path, "red", 1))
    assert find(assistant, saved(tmp_path, "blue", 2)) == ()


@pytest.mark.parametrize("change", ["resized", "recompressed"])
def test_the_same_picture_wins_over_one_that_looks_like_it(
    assistant: Assistant, life: dict[str, Image], tmp_path: Path, change: str
) -> None:
    with Pillow.open(tmp_path / "green2.png") as picture:
        if change == "resized":
            picture.resize((80, 60)).save(tmp_path / "again.png")
        else:
            picture.save(tmp_path / "again.jpg", quality=60)
    first = find(assistant, next(tmp_path.glob("again.*")))[0]
    assert first.hit.memory.hash == life["green2"].hash
    assert first.hit.lanes["picture"] > 0.85
    assert "looks" not in first.hit.lanes, "the same picture is met without a look at it"


def test_a_part_of_a_picture_finds_it(assistant: Assistant, life: dict[str, Image], tmp_path: Path) -> None:
    with Pillow.open(tmp_path / "yellow1.png") as picture:
        picture.crop((30, 20, 140, 110)).save(tmp_path / "part.png")
    found = find(assistant, tmp_path / "part.png")
    assert {one.hit.memory.hash for one in found} <= {life[f"yellow{seed}"].hash for seed in (1, 2, 3)}
    assert found


def test_a_crop_and_its_picture_take_one_place(
    assistant: Assistant, model: SeeingModel, life: dict[str, Image], tmp_path: Path
) -> None:
    assert life
    path = saved(tmp_path, "red", 20)
    list(assistant.respond("This is my kettle.", (path,)))
    (image,) = exists(assistant.last_turn).images
    model.enqueue(
        "extract_semantic", [SemanticDraft("kettle (Image Object: kettle)", ("kettle",), images=(image.hash,))]
    )
    model.enqueue("locate", Box(20, 20, 140, 100))
    assistant.updates.run()
    store = assistant.memory.store
    crop = next(one for one in store.images.all() if one.crop_of)
    assert store.looks.get(crop.id, assistant.memory.sight.name) is not None
    found = assistant.memory.retriever.search("kettle", kinds={Kind.IMAGE}, at=LATER).hits
    assert {image.id, crop.id} & {hit.ref.id for hit in found}
    assert not {image.id, crop.id} <= {hit.ref.id for hit in found}


def test_words_find_what_they_describe(assistant: Assistant, life: dict[str, Image]) -> None:
    hits = assistant.memory.retriever.search("a red picture", kinds={Kind.IMAGE}, at=LATER).hits
    best = [hit for hit in hits if "shows" in hit.lanes]
    assert best
    assert {hit.ref.id for hit in best} <= {life[f"red{seed}"].id for seed in (1, 2, 3)}


def test_only_a_question_that_speaks_of_pictures_opens_clip_for_its_words() -> None:
    assert all(map(asks_to_see, ["Which photo had the dog?", "What did it look like?", "I showed you my mug"]))
    assert not any(map(asks_to_see, ["What is my dog called?", "I look forward to Friday", "Imagine that"]))


def test_clip_is_opened_for_nothing_but_pictures(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        pytest.fail(f"{folder} was opened")

    monkeypatch.setattr("persona_cli.memory.vectors.sight.open_clip", refuse)
    list(assistant.respond("Which photo did I show you of my dog?"))
    assistant.updates.run()
    assert find(assistant, saved(tmp_path, "red", 1)) == (), "the first picture has nothing to be compared with"


def test_pictures_of_before_clip_was_installed_are_caught_up_with_a_few_at_a_time(
    weights: Path, tiny_clip: Path, tmp_path: Path, notices: list[str], clock: StillClock
) -> None:
    with_nothing = opened(notices, "clip-ViT-B-32", clock)
    media = with_nothing.memory.media
    for seed in range(IN_PASSING + 3):
        media.add(saved(tmp_path, "red", seed), NOW)
    assert (with_nothing.memory.sight.name, with_nothing.memory.sight.embed_wanted()) == ("", 0)
    with_nothing.close()
    shutil.copytree(tiny_clip, weights / "clip-ViT-B-32")
    for waiting in (3, 0):
        installed = opened(notices, "clip-ViT-B-32", clock)
        installed.updates.run()
        assert installed.memory.sight.waiting() == waiting
        installed.close()
    assert notices == []


def test_a_stop_ends_the_embedding_and_the_next_call_goes_on(assistant: Assistant, tmp_path: Path) -> None:
    for seed in range(20):
        assistant.memory.media.add(saved(tmp_path, "red", seed), NOW)
    sight, asked = assistant.memory.sight, iter([False, True])
    assert sight.embed_wanted(lambda: next(asked)) == 8
    assert (sight.waiting(), sight.embed_wanted(), sight.waiting()) == (12, 12, 0)


def test_another_clip_embeds_every_picture_again(
    assistant: Assistant, tmp_path: Path, notices: list[str], clock: StillClock
) -> None:
    show(assistant, "My red thing.", saved(tmp_path, "red", 1))
    before = assistant.memory.sight.name
    assistant.close()
    other = opened(notices, build_clip(tmp_path / "other", seed=5), clock)
    assert (other.memory.sight.waiting(), len(other.memory.sight.known().ids)) == (1, 0), "never compared across"
    other.updates.run()
    assert other.memory.sight.name != before
    assert other.memory.store.looks.count(before) == 0
    assert (other.memory.sight.waiting(), len(other.memory.sight.known().ids)) == (0, 1)
    (notice,) = notices
    assert notice == f"the picture embedding is {other.memory.sight.name} now: embedding every picture again"
    other.close()


def test_a_forgotten_picture_is_not_found_by_its_looks(
    assistant: Assistant, life: dict[str, Image], tmp_path: Path
) -> None:
    for seed in (1, 2, 3):
        assistant.memory.forget(Ref(Kind.IMAGE, life[f"blue{seed}"].id))
    assert find(assistant, saved(tmp_path, "blue", 9)) == ()


def test_a_model_is_told_what_a_new_picture_looks_like_and_that_it_is_not_the_same(
    assistant: Assistant, model: SeeingModel, life: dict[str, Image], tmp_path: Path
) -> None:
    assert life
    list(assistant.respond("Who is this?", (saved(tmp_path, "blue", 9),)))
    situation = model.called("reason")[-1][0]
    (seen,) = situation.seen_images
    assert seen.alike
    assert "blue thing" in exists(seen.turn).user
    writer, wish = Writer(len, lambda _: 1), Retrieve("this")
    assert "it looks like a picture the user showed on" in writer.query(situation)
    other = assistant.memory.media.add(saved(tmp_path, "blue", 10), LATER)
    found = assistant.memory.retriever.recall(Query("Who is this?", LATER, (other,)), wish)
    assert "(it only looks like the picture shown now)" in writer.recalled(SearchRound("", wish, found), 9_999)


def test_the_built_in_model_says_what_a_new_picture_looks_like(
    weights: Path, tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert weights.exists()
    monkeypatch.setenv("PERSONA_EMBEDDING_PICTURES", str(tiny_clip))
    persona("chat", "This is Whiskers, my cat.", "--image", str(saved(tmp_path, "red", 1)))
    told = persona("chat", "This is Rex, my dog.", "--image", str(saved(tmp_path, "blue", 1))).out
    assert "looks like" not in told
    asked = persona("chat", "Who is this?", "--image", str(saved(tmp_path, "red", 2))).out
    assert "I have not met this picture before, but it looks like one you showed me" in asked
    assert "Whiskers, my cat" in asked
    assert (
        "not met this picture before."
        in persona("chat", "Who is this?", "--image", str(saved(tmp_path, "yellow", 2))).out
    )


def test_a_broken_clip_costs_no_turn_and_is_said_once(
    weights: Path, tiny_clip: Path, tmp_path: Path, notices: list[str], clock: StillClock
) -> None:
    broken = Path(shutil.copytree(tiny_clip, weights / "clip-ViT-B-32"))
    (broken / "model.safetensors").write_bytes(b"nothing")
    assistant = opened(notices, "clip-ViT-B-32", clock)
    image = show(assistant, "This is my mug.", saved(tmp_path, "red", 1))
    show(assistant, "And this is my kettle.", saved(tmp_path, "blue", 1))
    assert assistant.updates.failed() == ()
    assert find(assistant, tmp_path / "red1.png")[0].hit.memory.hash == image.hash, "the perceptual match serves"
    assert find(assistant, saved(tmp_path, "green", 7)) == ()
    (notice,) = notices
    assert notice.startswith("pictures are compared without CLIP: the picture embedding in ")
    assert "persona model pull clip-ViT-B-32" in notice
    assistant.close()


def test_a_lost_file_does_not_keep_the_others_from_being_embedded(assistant: Assistant, tmp_path: Path) -> None:
    media, sight = assistant.memory.media, assistant.memory.sight
    lost, kept = (media.add(saved(tmp_path, colour, 1), NOW) for colour in ("red", "blue"))
    media.path_of(lost).unlink()
    assert (sight.embed_wanted(), sight.embed_wanted()) == (1, 0)
    assert sight.known().ids.tolist() == [kept.id]


def test_few_pictures_are_told_apart_by_drawings(assistant: Assistant, tmp_path: Path) -> None:
    memory: Memory = assistant.memory
    shown = [memory.media.add(saved(tmp_path, "red", seed), NOW) for seed in (1, 2)]
    memory.sight.embed_wanted()
    alike = LooksLike(memory.store, memory.sight).alike(shown[:1])
    assert alike.keys() == {shown[1].id}


def test_doctor_says_how_pictures_are_compared_and_embeds_what_waits(
    weights: Path, tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert persona("chat", "This is my mug.", "--image", str(saved(tmp_path, "red", 1))).code == 0
    without = " ".join(persona("doctor").out.split())
    assert "by the perceptual match; `persona model pull clip-ViT-B-32` also finds what looks like them" in without
    monkeypatch.setenv("PERSONA_EMBEDDING_PICTURES", str(tiny_clip))
    assert f"compared by CLIP, {name_of(tiny_clip)}: 0 embedded, 1 wait" in " ".join(persona("doctor").out.split())
    fixed = " ".join(persona("doctor", "--fix").out.split())
    assert "1 picture; in the index" in fixed
    assert "1 embedded, 0 wait" in fixed
    monkeypatch.setenv("PERSONA_EMBEDDING_PICTURES", str(tmp_path / "gone"))
    wrong = persona("doctor")
    assert wrong.code == 1
    assert "holds no CLIP" in " ".join(wrong.out.split())
    assert weights.exists()


def test_the_scores_of_looks_are_explained_and_an_import_embeds(
    weights: Path, tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_EMBEDDING_PICTURES", str(tiny_clip))
    for colour in ("red", "blue"):
        persona("chat", f"My {colour} thing.", "--image", str(saved(tmp_path, colour, 1)))
    explained = " ".join(persona("memory", "search", "a red picture", "--kind", "image", "--explain").out.split())
    assert "shows: shows what the words describe" in explained
    assert persona("export", str(tmp_path / "all.jsonl")).code == 0
    monkeypatch.setenv("PERSONA_HOME", str(tmp_path / "elsewhere"))
    shutil.copytree(weights, tmp_path / "elsewhere" / "models")
    assert persona("import", str(tmp_path / "all.jsonl")).code == 0
    memory = open_memory(find_places(), settings(tiny_clip), pytest.fail)
    assert (memory.sight.waiting(), len(memory.sight.known().ids)) == (0, 2)
    memory.close()
