"""What the tests of the llama engine have in common: a picture of noise, and one reply as a text."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.engines.llama.engine import LlamaEngine


def never() -> bool:
    return False


def picture(path: Path, seed: int, size: tuple[int, int] = (300, 200)) -> ImagePart:
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    file = path / f"{seed}.png"
    Image.fromarray(noise).save(file)
    return ImagePart(file, sha256(file.read_bytes()).hexdigest())


def say(
    engine: LlamaEngine, *messages: Message, lane: str = "respond", limit: int = 12, grammar: str | None = None
) -> str:
    return "".join(engine.generate(messages, grammar=grammar, stop=never, limit=limit, lane=lane))
