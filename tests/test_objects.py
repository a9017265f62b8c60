"""Objects named in pictures: located, cut out, kept with their memory, found again, and forgotten with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.objects import named_object
from persona_cli.config import Settings
from persona_cli.errors import Interrupted, PictureError
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store, open_store
from persona_cli.model import grammar
from persona_cli.model.engines import ImagePart
from persona_cli.model.grounding import THOUSANDTHS, PictureForm
from persona_cli.model.lite import LiteModel
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import Locates, SemanticDraft
from persona_cli.paths import find_places
from persona_cli.records import Box, Image, Kind, Query, Ref, Retrieve, Turn
from tests.agents import NOW, exists
from tests.archives import exported, imported
from tests.conftest import StillClock
from tests.fakes import CannedEngine, ScriptedModel, SeeingModel

NAMED = "Max (Image Object: dog)"
DOG = Box(200, 100, 300, 180)


def never() -> bool:
    return False


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a picture of 600 x 400 with a dog in it: blobs of colour, which resize as photographs do."""
    picture = Pillow.linear_gradient("L").resize((600, 400)).convert("RGB")
    noise = np.random.default_rng(3).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    picture.paste(Pillow.fromarray(noise).resize((100, 80), Pillow.Resampling.BICUBIC), (200, 100))
    picture.save(tmp_path / "max.jpg", quality=95)
    return tmp_path / "max.jpg"


@pytest.fixture
def seeing() -> SeeingModel:
    return SeeingModel()


@pytest.fixture
def assistant(home: Path, weights: Path, seeing: SeeingModel, clock: StillClock) -> Iterator[Assistant]:
    places = find_places(env={"PERSONA_HOME": str(home)})
    opened = open_assistant(places, Settings(), model=seeing, clock=clock, notice=lambda _: None)
    yield opened
    opened.close()


def shown(assistant: Assistant, model: ScriptedModel, photo: Path, content: str = NAMED) -> Turn:
    list(assistant.respond("This is my dog Max.", (photo,)))
    turn = exists(assistant.last_turn)
    draft = SemanticDraft(content, ("dog", "Max"), images=(turn.images[0].hash,))
    model.enqueue("extract_semantic", [draft])
    return turn


def learnt(assistant: Assistant, seeing: SeeingModel, photo: Path, content: str = NAMED) -> Turn:
    """Show a picture in which the model finds the dog, and let the turn be learnt from."""
    turn = shown(assistant, seeing, photo, content)
    seeing.enqueue("locate", DOG)
    assert assistant.updates.run().failed == ()
    return turn


@pytest.mark.gguf
def test_the_crop_is_kept_with_the_memory_beside_the_picture(
    assistant: Assistant, seeing: SeeingModel, photo: Path
) -> None:
    turn = learnt(assistant, seeing, photo)
    assert seeing.called("locate") == [(turn.images[0], "Max (dog)")]
    store, media = assistant.memory.store, assistant.memory.media
    (memory,) = store.semantic.list()
    crop, whole = (exists(store.images.by_hash(image)) for image in memory.images)
    assert (whole, crop.crop_of) == (turn.images[0], whole.hash)
    assert (crop.width, crop.height) == (100, 80)
    with Pillow.open(media.path_of(crop)) as part, Pillow.open(media.path_of(whole)) as all_of_it:
        there = all_of_it.getpixel((202, 140))
        assert all(abs(a - b) < 30 for a, b in zip(part.getpixel((2, 40)), there, strict=True))  # type: ignore[arg-type] # RGB
    assert media.verify() == ()
    assert store.verify() == ()


@pytest.mark.gguf
def test_the_crop_is_recalled_with_the_turn_that_showed_it_and_found_by_picture(
    assistant: Assistant, seeing: SeeingModel, photo: Path, tmp_path: Path
) -> None:
    turn = learnt(assistant, seeing, photo)
    later = NOW + timedelta(days=2)
    found = assistant.memory.retriever.recall(Query("Who is my dog?", later), Retrieve("dog Max"))
    (one,) = found.images
    assert (one.hit.memory.crop_of, exists(one.turn).id) == (turn.images[0].hash, turn.id)
    with Pillow.open(photo) as whole:
        whole.crop((200, 100, 300, 180)).resize((300, 240)).save(tmp_path / "close.png")
    again = assistant.memory.media.add(tmp_path / "close.png", later)
    by_sight = assistant.memory.retriever.recall(Query("Who is this?", later, (again,)), Retrieve("this"))
    assert by_sight.images[0].hit.ref == one.hit.ref
    assert by_sight.images[0].hit.lanes["picture"] > 0.8


@pytest.mark.gguf
def test_forgetting_the_memory_or_the_picture_takes_the_crop_along(
    assistant: Assistant, seeing: SeeingModel, photo: Path
) -> None:
    turn = learnt(assistant, seeing, photo)
    memory, store = assistant.memory, assistant.memory.store
    (fact,) = store.semantic.list()
    memory.forget(Ref(Kind.SEMANTIC, fact.id))
    assert store.images.all() == turn.images
    learnt(assistant, seeing, photo)
    assert len(store.images.all()) == 2
    memory.forget(Ref(Kind.IMAGE, turn.images[0].id))
    assert (store.images.all(), memory.media.verify()) == ((), ())


@pytest.mark.gguf
@pytest.mark.parametrize("content", [NAMED, "The user has a dog named Max."])
def test_the_whole_picture_serves_without_a_box_and_only_named_objects_are_asked_for(
    assistant: Assistant, seeing: SeeingModel, photo: Path, content: str
) -> None:
    turn = shown(assistant, seeing, photo, content)
    assistant.updates.run()
    (memory,) = assistant.memory.store.semantic.list()
    assert memory.images == (turn.images[0].hash,)
    assert len(seeing.called("locate")) == (content == NAMED)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Return another picture, with a dog elsewhere in it."""
    picture = Pillow.radial_gradient("L").resize((600, 400)).convert("RGB")
    noise = np.random.default_rng(8).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    picture.paste(Pillow.fromarray(noise).resize((120, 90), Pillow.Resampling.BICUBIC), (400, 250))
    picture.save(tmp_path / "bella.jpg", quality=95)
    return tmp_path / "bella.jpg"


BELLA = Box(400, 250, 520, 340)


def show_both(assistant: Assistant, model: ScriptedModel, text: str, photos: tuple[Path, ...], *names: str) -> Turn:
    list(assistant.respond(text, photos))
    turn = exists(assistant.last_turn)
    hashes = tuple(image.hash for image in turn.images)
    model.enqueue("extract_semantic", [SemanticDraft(name, ("dog",), images=hashes) for name in names])
    return turn


@pytest.mark.gguf
def test_two_dogs_on_two_pictures_get_a_box_and_a_picture_each(
    assistant: Assistant, seeing: SeeingModel, photo: Path, second: Path
) -> None:
    bella = "Bella (Image Object: dog)"
    turn = show_both(assistant, seeing, "These are my dogs Max and Bella.", (photo, second), NAMED, bella)
    # asked for a dog, the model finds the one there is, whatever its name
    seeing.enqueue("locate", DOG, Box(201, 101, 301, 181), BELLA, Box(401, 249, 521, 339))
    assert assistant.updates.run().failed == ()
    store = assistant.memory.store
    by_name = {memory.content: memory.images for memory in store.semantic.list()}
    sizes = {}
    for (name, (crop, whole)), shown in zip(sorted(by_name.items(), reverse=True), turn.images, strict=True):
        assert whole == shown.hash
        part = exists(store.images.by_hash(crop))
        assert part.crop_of == whole
        sizes[name] = (part.width, part.height)
    assert sizes == {NAMED: (100, 80), bella: (120, 90)}
    again = assistant.memory.media.add(second, NOW + timedelta(days=1))
    found = assistant.memory.retriever.recall(Query("Who?", NOW + timedelta(days=1), (again,)), Retrieve("this"))
    assert [memory.content for memory in found.images[0].memories] == [bella]


@pytest.mark.gguf
def test_one_dog_on_two_pictures_is_cut_out_of_both(
    assistant: Assistant, seeing: SeeingModel, photo: Path, second: Path
) -> None:
    turn = show_both(assistant, seeing, "My dog Max, twice.", (photo, second), NAMED)
    seeing.enqueue("locate", DOG, BELLA)
    assistant.updates.run()
    store = assistant.memory.store
    (memory,) = store.semantic.list()
    assert memory.images[2:] == tuple(image.hash for image in turn.images)
    assert [exists(store.images.by_hash(one)).crop_of for one in memory.images[:2]] == list(memory.images[2:])


@pytest.mark.gguf
def test_a_picture_of_little_else_is_kept_whole_and_one_without_it_is_let_go(
    assistant: Assistant, seeing: SeeingModel, photo: Path, second: Path
) -> None:
    turn = show_both(assistant, seeing, "My dog Max, and the park.", (photo, second), NAMED)
    seeing.enqueue("locate", Box(0, 0, 600, 400))
    assistant.updates.run()
    store = assistant.memory.store
    assert store.semantic.list()[0].images == (turn.images[0].hash,)
    assert store.images.all() == turn.images


@pytest.mark.gguf
def test_undo_takes_the_crop_along_and_leaves_the_picture(
    assistant: Assistant, seeing: SeeingModel, photo: Path
) -> None:
    turn = learnt(assistant, seeing, photo)
    memory, store = assistant.memory, assistant.memory.store
    (crop,) = set(store.images.all()) - set(turn.images)
    assert memory.take_back(turn.id).files == (crop.hash,)
    assert (store.semantic.list(), [image.hash for image in store.images.all()]) == ((), [turn.images[0].hash])
    assert not memory.media.path_of(crop).exists()
    assert (memory.media.verify(), store.verify()) == ((), ())


@pytest.mark.gguf
def test_undo_leaves_a_crop_that_a_memory_said_again_still_has(
    assistant: Assistant, seeing: SeeingModel, photo: Path
) -> None:
    turn = learnt(assistant, seeing, photo)
    memory, store = assistant.memory, assistant.memory.store
    (fact,) = store.semantic.list()
    store.semantic.seen_again(fact.id, NOW + timedelta(days=1))
    assert memory.take_back(turn.id).files == ()
    assert (len(store.images.all()), memory.media.verify()) == (2, ())


@pytest.mark.gguf
def test_an_export_carries_crops_with_their_memories(
    assistant: Assistant, seeing: SeeingModel, photo: Path, tmp_path: Path
) -> None:
    learnt(assistant, seeing, photo)
    memory = assistant.memory
    copy = open_store(None)
    media = Media(tmp_path / "elsewhere", copy)
    imported(exported(memory.store, memory.media), copy, media)
    assert copy.images.all() == memory.store.images.all()
    assert copy.semantic.list() == memory.store.semantic.list()
    (crop,) = (image for image in copy.images.all() if image.crop_of)
    assert media.path_of(crop).read_bytes() == memory.media.path_of(crop).read_bytes()
    assert (media.verify(), copy.verify()) == ((), ())
    copy.close()


@pytest.mark.gguf
def test_what_the_gate_refuses_leaves_no_crop(assistant: Assistant, seeing: SeeingModel, photo: Path) -> None:
    turn = learnt(assistant, seeing, photo, "Zebulon (Image Object: dog)")
    store = assistant.memory.store
    assert (store.semantic.list(), store.images.all()) == ((), turn.images)


def test_a_crop_of_a_picture_whose_file_is_gone_is_one_clear_line(home: Path, store: Store, photo: Path) -> None:
    media = Media(home / "media", store)
    image = media.add(photo, NOW)
    media.path_of(image).unlink()
    with pytest.raises(PictureError, match="There is no file"):
        media.crop(image, DOG)


def picture(width: int = 960, height: int = 480) -> Image:
    return Image(1, "ab", "image/jpeg", width, height, 9, "0" * 16, NOW)


def located(texts: list[str], image: Image, **more: object) -> tuple[Box | None, CannedEngine]:
    engine = CannedEngine(deque(texts))
    model = PromptedModel(engine, load_prompts(), lambda one: Path(f"{one.hash}.jpg"), **more)  # type: ignore[arg-type] # most_pixels
    return model.locate(image, "Max (dog)", never), engine


def test_the_prompted_model_is_shown_the_picture_and_asked_for_a_box() -> None:
    box, engine = located(['[{"bbox_2d": [112, 84, 224, 168], "label": "dog"}]'], picture(), most_pixels=230_400)
    assert box == Box(136, 102, 344, 258)  # seen at 672 x 336
    (message,) = engine.prompts[0]
    assert message.parts[0] == ImagePart(Path("ab.jpg"), "ab")
    assert "Max (dog)" in message.text
    assert engine.grammars == [grammar.BOX]


def test_a_family_that_counts_in_thousandths_is_asked_and_read_so_and_one_without_boxes_is_not_asked() -> None:
    said = ['[{"bbox_2d": [250, 250, 500, 750], "label": "dog"}]']
    box, engine = located(said, picture(1000, 1000), form=PictureForm(32, counted=THOUSANDTHS))
    assert box == Box(212, 175, 538, 825)
    assert THOUSANDTHS in engine.prompts[0][0].text
    box, engine = located([], picture(), form=PictureForm(counted=""))
    assert (box, engine.prompts) == (None, [])


def test_a_reply_that_is_no_box_is_asked_for_once_more() -> None:
    box, engine = located(["There is a dog.", '[{"bbox_2d": [112, 84, 224, 168], "label": "dog"}]'], picture())
    assert (box, len(engine.prompts)) == (Box(136, 102, 344, 258), 2)
    assert engine.grammars == [grammar.BOX] * 2
    assert "it is no JSON list" in engine.prompts[1][-1].text


def test_a_model_that_gives_no_box_twice_leaves_the_whole_picture() -> None:
    box, engine = located(["A dog.", '[{"bbox_2d": [224, 84, 112, 168], "label": "dog"}]'], picture())
    assert (box, len(engine.prompts)) == (None, 2)


def test_what_is_not_there_is_asked_for_once() -> None:
    box, engine = located(["[]"], picture())
    assert (box, len(engine.prompts)) == (None, 1)


def test_a_box_in_a_strip_that_was_stretched_is_one_in_the_strip() -> None:
    box, _ = located(['[{"bbox_2d": [0, 0, 1022, 28], "label": "dog"}]'], picture(width=2048, height=4))
    assert box == Box(0, 0, 1178, 4)


def test_a_stopped_model_leaves_nothing_half_done() -> None:
    engine = CannedEngine(deque(["[]"]))
    model = PromptedModel(engine, load_prompts(), lambda one: Path(one.hash))
    with pytest.raises(Interrupted):
        model.locate(picture(), "Max", lambda: True)


def test_only_a_model_that_sees_is_asked() -> None:
    assert isinstance(PromptedModel(CannedEngine(), load_prompts(), lambda _: Path()), Locates)
    assert not issubclass(LiteModel, Locates)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (NAMED, "Max (dog)"),
        ("my grandmother's red mug (image object: mug).", "my grandmother's red mug (mug)"),
        ("The user has a dog named Max.", ""),
        ("Max (a dog)", ""),
    ],
)
def test_an_object_is_named_by_the_user_and_by_its_category(content: str, what: str) -> None:
    assert named_object(content) == what
