"""Pictures by the hash of their bytes; the bytes themselves are in media/."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from persona_cli.memory.tables.connection import id_list
from persona_cli.memory.tables.table import Table, columns_of, record_of
from persona_cli.records import Image

_UNUSED = "id NOT IN (SELECT image_id FROM turn_image) AND hash NOT IN (SELECT hash FROM semantic_image)"
_UNCAPTIONED = "FROM image JOIN turn_image ON image_id = image.id WHERE caption_by IS NULL AND crop_of IS NULL"


class Uncaptioned(NamedTuple):
    """A picture nobody was asked to describe, and the turn that showed it first."""

    image: Image
    turn_id: int


class Images(Table[Image]):
    """The table of pictures, and which turn showed which."""

    table, noun, record = "image", "image", Image

    def add(
        self,
        hash: str,  # noqa: A002 - the field's name in the record
        mime: str,
        width: int,
        height: int,
        size: int,
        phash: str,
        at: datetime,
        crop_of: str | None = None,
    ) -> Image:
        """Return the picture with these bytes; it is added at its first showing only."""
        with self._connection.transaction():
            known = self.by_hash(hash)
            if known is not None:
                return known
            image = Image(0, hash, mime, width, height, size, phash, at, crop_of=crop_of)
            return replace(image, id=self._connection.insert("image", columns_of(image)))

    def by_hash(self, hash: str) -> Image | None:  # noqa: A002 - the field's name in the record
        """Return the picture with these bytes, or None."""
        return self._first("hash = ?", hash)

    def near(self, phash: str, distance: int = 8) -> tuple[tuple[Image, int], ...]:
        """Return the pictures whose perceptual hash differs in at most `distance` of 64 bits, nearest first."""
        wanted = int(phash, 16)
        # every hash is looked at, no more of a picture than that: 10,000 take 10 ms
        hashes = self._connection.rows("SELECT id, phash FROM image")
        measured = {row_id: (wanted ^ int(known, 16)).bit_count() for row_id, known in hashes}
        close = self.many([row_id for row_id, bits in measured.items() if bits <= distance])
        pairs = ((image, measured[image.id]) for image in close)
        return tuple(sorted(pairs, key=lambda pair: (pair[1], pair[0].id)))

    def print_of(self, image_id: int, method: int) -> bytes | None:
        """Return the print of a picture by that method (likeness.py), None where none was taken."""
        row = self._connection.row("SELECT print FROM likeness WHERE image_id = ? AND method = ?", (image_id, method))
        return None if row is None else bytes(row["print"])

    def keep_print(self, image_id: int, method: int, taken: bytes) -> None:
        """Keep the print of a picture in place of any other; nothing where the picture is gone."""
        self._connection.write(
            "INSERT OR REPLACE INTO likeness (image_id, method, print) SELECT id, ?, ? FROM image WHERE id = ?",
            (method, taken, image_id),
        )

    def set_caption(self, image_id: int, text: str) -> None:
        """Say what the picture shows in a person's own words."""
        self._connection.update("image", image_id, {"caption": text, "caption_by": ""})

    def describe(self, image_id: int, text: str, by: str) -> bool:
        """Say what the picture shows in the words of the model `by`; False where it is gone or has been described."""
        sql = "UPDATE image SET caption = ?, caption_by = ? WHERE id = ? AND caption_by IS NULL"
        return bool(self._connection.write(sql, (text, by, image_id)))

    def uncaptioned(self, most: int) -> tuple[Uncaptioned, ...]:
        """Return up to `most` pictures nobody was asked to describe, the newest first; parts of others are none."""
        rows = self._connection.rows(
            f"SELECT image.*, min(turn_id) AS shown_in {_UNCAPTIONED} GROUP BY image.id ORDER BY image.id DESC LIMIT ?",
            (most,),
        )
        return tuple(Uncaptioned(record_of(Image, row), row["shown_in"]) for row in rows)

    def count_captions(self) -> tuple[int, int]:
        """Return how many pictures have a caption, and how many nobody was asked to describe."""
        written = self._connection.number("SELECT count(*) FROM image WHERE caption <> ''")
        return written, self._connection.number(f"SELECT count(DISTINCT image.id) {_UNCAPTIONED}")

    def all(self) -> tuple[Image, ...]:
        """Return every picture, oldest first."""
        return self._where("true ORDER BY id")

    def unused(self) -> tuple[Image, ...]:
        """Return the pictures that no turn shows and no memory names."""
        return self._where(f"{_UNUSED} ORDER BY id")

    def drop_unused(self, image_id: int) -> None:
        """Delete a picture, unless something refers to it by now."""
        self._connection.write(f"DELETE FROM image WHERE id = ? AND {_UNUSED}", (image_id,))  # noqa: S608 - a constant

    def hashes(self) -> frozenset[str]:
        """Return the SHA-256 of every picture."""
        return frozenset(digest for (digest,) in self._connection.tuples("SELECT hash FROM image"))

    def of_turns(self, turn_ids: Collection[int]) -> dict[int, tuple[Image, ...]]:
        """Return the pictures of each turn that has any, in the order they were shown."""
        rows = self._connection.rows(
            "SELECT image.*, turn_id FROM turn_image JOIN image ON image.id = image_id"
            " WHERE turn_id IN (SELECT value FROM json_each(?)) ORDER BY turn_id, place",
            (id_list(turn_ids),),
        )
        found: defaultdict[int, list[Image]] = defaultdict(list)
        for row in rows:
            found[row["turn_id"]].append(record_of(Image, row))
        return {turn_id: tuple(images) for turn_id, images in found.items()}
