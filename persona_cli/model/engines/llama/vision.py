"""Pictures for the model: sized as in training, encoded once, and the embedding kept on disk by content.

What llama.cpp is given has its training size already (`sizing`) and needs no resizing any more.
"""

from __future__ import annotations

import ctypes
import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp import mtmd_cpp
from numpy.typing import NDArray

from persona_cli.errors import EngineError, WeightsError
from persona_cli.model.engines.llama.gguf_file import read_projection
from persona_cli.model.engines.llama.native import Context, LoadedWeights, Loading, default_threads, last_words
from persona_cli.model.engines.sizing import sized
from persona_cli.records import PictureSource

KEPT_OPEN = 32
"""Pictures that stay open from one prompt to the next."""


@dataclass(slots=True)
class VisionPicture:
    """A picture as the model takes it: what it costs, and the chunk llama.cpp places it by."""

    hash: str
    tokens: int
    positions: int
    before: tuple[int, ...]
    """Tokens that open a picture in the prompt."""
    after: tuple[int, ...]
    chunk: Any = field(repr=False)
    owner: Any = field(repr=False)


class Vision:
    """The vision tower (mmproj) of a text model, with its cache of embeddings."""

    def __init__(self, path: Path, weights: LoadedWeights, loading: Loading, cache: Path, cache_bytes: int) -> None:
        params = mtmd_cpp.mtmd_context_params_default()
        params.use_gpu = loading.project_on_gpu
        params.print_timings = False
        params.warmup = False
        params.n_threads = loading.threads or default_threads()
        self.form = read_projection(path).form
        # a picture comes in its size already: the limit only must not be in the way
        params.image_max_tokens = loading.image_pixels // self.form.side**2 + self.form.side
        self.pointer = mtmd_cpp.mtmd_init_from_file(os.fsencode(path), weights.pointer, params)
        if not self.pointer:
            raise WeightsError(
                f"{path.name} does not fit its text model: {last_words()}",
                fix="Use the mmproj file that was published with the text model.",
            )
        self.encoded = 0
        """Pictures the vision tower has worked on; cached ones do not count."""
        self._most_pixels = self.form.whole(loading.image_pixels)
        self._width = weights.width
        self._pictures: OrderedDict[str, VisionPicture] = OrderedDict()
        self._cache = EmbeddingCache(cache / _identity(path), cache_bytes)

    def open(self, source: PictureSource, digest: str) -> VisionPicture:
        """Return the picture in `source`, whose content has the SHA-256 `digest`."""
        if digest in self._pictures:
            self._pictures.move_to_end(digest)
            return self._pictures[digest]
        pixels = np.asarray(sized(source, self._most_pixels, self.form), dtype=np.uint8)
        picture = self._tokenize(np.ascontiguousarray(pixels), digest)
        self._pictures[digest] = picture
        return picture

    def trim(self) -> None:
        """Let go of the pictures opened longest ago; only between prompts, as all of one prompt must stay open."""
        while len(self._pictures) > KEPT_OPEN:
            _, oldest = self._pictures.popitem(last=False)
            mtmd_cpp.mtmd_input_chunks_free(oldest.owner)

    def decode(self, picture: VisionPicture, context: Context, position: int, sequence: int) -> int:
        """Place the picture at `position`; return llama.cpp's code, 0 for done, 1 for no room."""
        embedding = self._embedding(picture)
        after = llama_cpp.llama_pos(0)
        callback = mtmd_cpp.mtmd_helper_decode_image_chunk.argtypes[8]()
        return int(
            mtmd_cpp.mtmd_helper_decode_image_chunk(
                self.pointer,
                context.pointer,
                picture.chunk,
                embedding.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
                position,
                sequence,
                context.batch,
                ctypes.byref(after),
                callback,
                None,
            )
        )

    def close(self) -> None:
        """Free the vision tower."""
        for picture in self._pictures.values():
            mtmd_cpp.mtmd_input_chunks_free(picture.owner)
        self._pictures.clear()
        if self.pointer:
            mtmd_cpp.mtmd_free(self.pointer)
            self.pointer = None

    def _embedding(self, picture: VisionPicture) -> NDArray[np.float32]:
        shape = (picture.tokens, self._width)
        if (cached := self._cache.get(picture.hash, shape)) is not None:
            return cached
        if mtmd_cpp.mtmd_encode_chunk(self.pointer, picture.chunk):
            raise EngineError(f"the picture could not be encoded: {last_words()}", fix="Try a smaller picture.")
        self.encoded += 1
        pointer = ctypes.cast(mtmd_cpp.mtmd_get_output_embd(self.pointer), ctypes.POINTER(ctypes.c_float))
        embedding = np.ctypeslib.as_array(pointer, shape=shape).copy()
        self._cache.put(picture.hash, embedding)
        return embedding

    def _tokenize(self, pixels: NDArray[np.uint8], digest: str) -> VisionPicture:
        height, width, _ = pixels.shape
        data = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        with _bitmap(width, height, data) as bitmap:
            mtmd_cpp.mtmd_bitmap_set_id(bitmap, digest.encode())
            part = mtmd_cpp.mtmd_input_part()
            part.bitmap = bitmap
            parts = (ctypes.POINTER(mtmd_cpp.mtmd_input_part) * 1)(ctypes.pointer(part))
            chunks = mtmd_cpp.mtmd_input_chunks_init()
            if mtmd_cpp.mtmd_tokenize_from_parts(self.pointer, chunks, parts, 1, False):
                mtmd_cpp.mtmd_input_chunks_free(chunks)
                raise EngineError(f"the picture could not be read: {last_words()}", fix="Convert it to PNG or JPEG.")
        return _picture(chunks, digest)


class EmbeddingCache:
    """Embeddings as .npy files, one per picture; the least recently used go when the limit is reached.

    A limit of 0 reads what is there and writes nothing.
    """

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self._directory = directory
        self._most = most_bytes

    def get(self, digest: str, shape: tuple[int, int]) -> NDArray[np.float32] | None:
        """Return the embedding of a picture, or None where it is not there, damaged, or of another shape."""
        path = self._directory / f"{digest}.npy"
        try:
            loaded = np.load(path)
            if self._most:
                os.utime(path)
        except (OSError, ValueError, EOFError):
            return None
        return loaded if loaded.shape == shape and loaded.dtype == np.float32 else None

    def put(self, digest: str, embedding: NDArray[np.float32]) -> None:
        """Keep an embedding, unless it is larger than the limit."""
        if embedding.nbytes > self._most:
            return
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=self._directory, suffix=".part", delete=False) as file:
            np.save(file, embedding)
        Path(file.name).replace(self._directory / f"{digest}.npy")
        self._trim()

    def _trim(self) -> None:
        files = sorted(self._directory.glob("*.npy"), key=lambda path: path.stat().st_mtime)
        total = sum(path.stat().st_size for path in files)
        while files and total > self._most:
            total -= files[0].stat().st_size
            files.pop(0).unlink()


@contextmanager
def _bitmap(width: int, height: int, data: Any) -> Iterator[Any]:
    bitmap = mtmd_cpp.mtmd_bitmap_init(width, height, data)
    try:
        yield bitmap
    finally:
        mtmd_cpp.mtmd_bitmap_free(bitmap)


def _picture(chunks: Any, digest: str) -> VisionPicture:
    before: list[int] = []
    after: list[int] = []
    images: list[Any] = []
    for position in range(mtmd_cpp.mtmd_input_chunks_size(chunks)):
        chunk = mtmd_cpp.mtmd_input_chunks_get(chunks, position)
        if mtmd_cpp.mtmd_input_chunk_get_type(chunk) == mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_TEXT:
            count = ctypes.c_size_t()
            tokens = mtmd_cpp.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
            (after if images else before).extend(tokens[: count.value])
        else:
            images.append(chunk)
    if len(images) != 1:
        mtmd_cpp.mtmd_input_chunks_free(chunks)
        raise EngineError(
            f"the projection cuts a picture into {len(images)} pieces", fix="Add the text model without its projection."
        )
    (image,) = images
    return VisionPicture(
        hash=digest,
        tokens=mtmd_cpp.mtmd_input_chunk_get_n_tokens(image),
        positions=mtmd_cpp.mtmd_input_chunk_get_n_pos(image),
        before=tuple(before),
        after=tuple(after),
        chunk=image,
        owner=chunks,
    )


def _identity(path: Path) -> str:
    """Return a name for a projection file, so that two models do not share embeddings."""
    stat = path.stat()
    return f"{path.stem}-{stat.st_size}-{int(stat.st_mtime)}"
