"""Whether two pictures are one: forty pairs that are easily confused, forty copies, pictures with nothing in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image as Pillow
from PIL.Image import Image as Picture

from persona_cli.errors import StorageError
from persona_cli.memory.likeness import METHOD, is_copy, read_print, take_print
from persona_cli.memory.media import Media
from persona_cli.memory.picture_matches import PictureMatches
from persona_cli.memory.store import Store
from persona_cli.records import Kind, Ref
from tests import likenesses

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


@pytest.fixture
def media(home: Path, store: Store) -> Media:
    return Media(home / "media", store)


@pytest.fixture
def copies(store: Store, media: Media) -> PictureMatches:
    return PictureMatches(store, media)


@pytest.mark.parametrize(("name", "draw"), likenesses.pairs(), ids=[name for name, _ in likenesses.pairs()])
def test_two_pictures_of_one_kind_are_not_confused(
    media: Media, copies: PictureMatches, name: str, draw: Callable[[], tuple[Picture, Picture]]
) -> None:
    first, second = (media.add(likenesses.encoded(picture), AT) for picture in draw())
    matches = {match.known.id: match for match in copies.of(second)}
    assert matches[second.id].same
    assert first.id not in matches or not matches[first.id].same


CHANGES: dict[str, Callable[[Picture], bytes]] = {
    "half": lambda picture: likenesses.encoded(likenesses.half(picture)),
    "recompressed": lambda picture: likenesses.encoded(picture, quality=40),
    "cropped": lambda picture: likenesses.encoded(likenesses.cropped(picture)),
    "trimmed and half": lambda picture: likenesses.encoded(likenesses.half(likenesses.trimmed(picture)), quality=60),
}
SHOWN: dict[str, tuple[Callable[[int], Picture], int]] = {
    "slide": (likenesses.slide, 11),
    "page": (likenesses.page, 12),
    "chat": (likenesses.chat, 13),
    "receipt": (likenesses.receipt, 14),
    "whiteboard 1": (likenesses.whiteboard, 1),
    "whiteboard 2": (likenesses.whiteboard, 2),
    **{f"photo {seed}": (likenesses.photo, seed) for seed in range(4)},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("shown", SHOWN)
def test_a_copy_is_known(media: Media, copies: PictureMatches, shown: str, change: str) -> None:
    draw, seed = SHOWN[shown]
    original = media.add(likenesses.encoded(draw(seed)), AT)
    media.add(likenesses.encoded(draw(seed + 100)), AT)
    again = media.add(CHANGES[change](draw(seed)), AT)
    assert {match.known.id for match in copies.of(again) if match.same} == {original.id, again.id}


def test_what_has_nothing_in_it_only_looks_like_itself_saved_again(media: Media, copies: PictureMatches) -> None:
    sky = likenesses.sky(1)
    first, again = media.add(likenesses.encoded(sky), AT), media.add(likenesses.encoded(sky, quality=60), AT)
    other = next(match for match in copies.of(again) if match.known.id == first.id)
    assert not other.same
    assert media.add(likenesses.encoded(sky), AT) == first
    assert [match.known for match in copies.of(first) if match.same] == [first]


def test_other_colours_are_another_picture() -> None:
    picture = likenesses.photo(1)
    red, green, blue = picture.split()
    swapped = Pillow.merge("RGB", (blue, green, red))
    assert not is_copy(*(read_print(take_print(one)) for one in (picture, swapped)))


def test_an_old_picture_gets_its_print_when_it_is_needed(media: Media, copies: PictureMatches, store: Store) -> None:
    picture = likenesses.photo(1)
    old = media.add(likenesses.encoded(picture), AT)
    store.images.keep_print(old.id, METHOD - 1, b"made by an earlier version")
    assert store.images.print_of(old.id, METHOD) is None
    again = media.add(likenesses.encoded(likenesses.half(picture)), AT)
    assert {match.known.id for match in copies.of(again) if match.same} == {again.id, old.id}
    assert store.images.print_of(old.id, METHOD) is not None


def test_without_its_file_an_old_picture_only_looks_alike(media: Media, copies: PictureMatches, store: Store) -> None:
    again = media.add(likenesses.encoded(likenesses.photo(1)), AT)
    lost = store.images.add("f" * 64, "image/jpeg", 9, 9, 9, again.phash, AT)
    assert [(match.known.id, match.same) for match in copies.of(again)] == [(again.id, True), (lost.id, False)]


def test_a_store_that_cannot_be_written_still_knows_copies(
    media: Media, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = media.add(likenesses.encoded(likenesses.photo(1)), AT)
    store.images.keep_print(image.id, METHOD - 1, b"")

    def refuse(*_: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(store.images, "keep_print", refuse)
    assert media.print_of(image) is not None


def test_a_forgotten_picture_leaves_no_print(media: Media, store: Store) -> None:
    image = media.add(likenesses.encoded(likenesses.photo(1)), AT)
    store.forget(Ref(Kind.IMAGE, image.id))
    assert store.images.print_of(image.id, METHOD) is None


def test_a_print_is_read_from_its_own_bytes_alone() -> None:
    with pytest.raises(ValueError, match="has 16576 bytes"):
        read_print(b"short")
