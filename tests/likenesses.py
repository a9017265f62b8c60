"""Pictures that are easily taken for one another, drawn from seeds: slides, skies, pages, chats, receipts, boards."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from PIL.Image import Image as Picture

_SYLLABLES = ["ka", "lo", "mi", "re", "ten", "sor", "ba", "du", "vel", "ne", "ri", "sa", "to", "un", "pa", "gel"]


def words(dice: random.Random, count: int) -> str:
    """Return words of no language."""
    return " ".join("".join(dice.choices(_SYLLABLES, k=dice.randint(1, 3))) for _ in range(count))


def slide(seed: int) -> Picture:
    """Return a slide of the one template: a bar, a logo, a title and three points."""
    dice, picture = random.Random(seed), Image.new("RGB", (1280, 720), "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 1280, 90), "#1f3864")
    pen.ellipse((1170, 10, 1240, 80), "#f4b183")
    pen.rectangle((0, 690, 1280, 720), "#d9e2f3")
    pen.text((40, 22), words(dice, 3).title(), "white", ImageFont.load_default(44))
    for row in range(3):
        pen.ellipse((60, 205 + 120 * row, 76, 221 + 120 * row), "#1f3864")
        pen.text((100, 190 + 120 * row), words(dice, dice.randint(4, 7)), "black", ImageFont.load_default(34))
    return picture


def sky(seed: int) -> Picture:
    """Return a sky: a gradient, and a cloud or two that hardly show."""
    dice = np.random.default_rng(seed)
    down = np.linspace(0, 1, 600)[:, None, None]
    top, low = np.array([70, 130, 210]) + dice.integers(-8, 9, 3), np.array([170, 205, 240]) + dice.integers(-8, 9, 3)
    sheet = np.broadcast_to(top + (low - top) * down, (600, 900, 3)) + dice.normal(0, 1.5, (600, 900, 3))
    picture = Image.fromarray(sheet.clip(0, 255).astype(np.uint8))
    cloud = Image.new("L", (900, 600), 0)
    pen = ImageDraw.Draw(cloud)
    for _ in range(2):
        x, y = int(dice.integers(0, 800)), int(dice.integers(0, 500))
        pen.ellipse((x, y, x + 220, y + 60), 40)
    picture.paste("white", mask=cloud.filter(ImageFilter.GaussianBlur(40)))
    return picture


def page(seed: int) -> Picture:
    """Return a white page with a heading and paragraphs."""
    dice, picture = random.Random(seed), Image.new("RGB", (1000, 1414), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((90, 90), words(dice, 3).title(), "black", ImageFont.load_default(36))
    for row in range(36):
        if row % 9 != 8:
            line = words(dice, 14)[: 62 if row % 9 != 7 else 40]
            pen.text((90, 170 + 32 * row), line, "black", ImageFont.load_default(22))
    return picture


def chat(seed: int) -> Picture:
    """Return a screenshot of a chat: bubbles left and right under a bar."""
    dice, picture = random.Random(seed), Image.new("RGB", (720, 1280), "#efe7dd")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 720, 100), "#075e54")
    pen.text((110, 30), words(dice, 2).title(), "white", ImageFont.load_default(34))
    pen.ellipse((25, 20, 85, 80), "#cccccc")
    top = 130
    while top < 1120:
        mine, rows = dice.random() < 0.5, dice.randint(1, 3)
        left, width = (230 if mine else 20), dice.randint(280, 460)
        pen.rounded_rectangle((left, top, left + width, top + 20 + 38 * rows), 16, "#dcf8c6" if mine else "white")
        for row in range(rows):
            pen.text(
                (left + 16, top + 10 + 38 * row), words(dice, 3)[: width // 15], "black", ImageFont.load_default(26)
            )
        top += 50 + 38 * rows
    pen.rectangle((0, 1200, 720, 1280), "#f0f0f0")
    return picture


def receipt(seed: int) -> Picture:
    """Return a receipt of the one shop: other things, other sums."""
    dice, picture = random.Random(seed), Image.new("RGB", (480, 1000), "#f7f5ef")
    pen = ImageDraw.Draw(picture)
    pen.text((120, 40), "CORNER SHOP", "black", ImageFont.load_default(34))
    pen.text((140, 90), "12 High Street", "black", ImageFont.load_default(24))
    for row in range(14):
        pen.text((40, 180 + 44 * row), words(dice, 2)[:18], "black", ImageFont.load_default(24))
        pen.text(
            (370, 180 + 44 * row),
            f"{dice.randint(1, 39)}.{dice.randint(0, 99):02}",
            "black",
            ImageFont.load_default(24),
        )
    pen.line((40, 820, 440, 820), "black", 3)
    pen.text((40, 840), f"TOTAL   {dice.randint(40, 99)}.{dice.randint(0, 99):02}", "black", ImageFont.load_default(34))
    return picture


def whiteboard(seed: int) -> Picture:
    """Return a photographed whiteboard: a frame, boxes, arrows and scribbles."""
    dice = random.Random(seed)
    shade = np.linspace(225, 245, 1200)[None, :, None] * np.ones((800, 1200, 3))
    picture = Image.fromarray(
        (shade + np.random.default_rng(seed).normal(0, 2, shade.shape)).clip(0, 255).astype(np.uint8)
    )
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 1199, 799), outline="#888888", width=24)
    for _ in range(7):
        x, y = dice.randint(60, 900), dice.randint(60, 620)
        colour = dice.choice(["#203090", "#a02020", "#207030", "#202020"])
        pen.rectangle((x, y, x + dice.randint(90, 220), y + dice.randint(50, 110)), outline=colour, width=5)
        pen.text((x + 10, y + 10), words(dice, 1), colour, ImageFont.load_default(30))
        pen.line((x, y, dice.randint(60, 1100), dice.randint(60, 740)), colour, 4)
    return picture


def photo(seed: int) -> Picture:
    """Return what is as full of detail as a photograph: blobs of colour, edges and grain."""
    dice = np.random.default_rng(seed)
    picture = Image.fromarray(dice.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize(
        (1200, 900), Image.Resampling.BICUBIC
    )
    pen = ImageDraw.Draw(picture)
    for _ in range(25):
        x, y, w, h = (int(v) for v in (*dice.integers(0, 1100, 2), *dice.integers(20, 260, 2)))
        pen.ellipse((x, y, x + w, y + h), tuple(int(v) for v in dice.integers(0, 255, 3)))
    grain = np.asarray(picture, dtype=np.float64) + dice.normal(0, 6, (900, 1200, 3))
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8))


KINDS: dict[str, tuple[Callable[[int], Picture], int]] = {
    "slide": (slide, 8),
    "sky": (sky, 6),
    "page": (page, 8),
    "chat": (chat, 6),
    "receipt": (receipt, 6),
    "whiteboard": (whiteboard, 6),
}
"""What there is, and how many pairs of it."""


def pairs() -> list[tuple[str, Callable[[], tuple[Picture, Picture]]]]:
    """Return forty pairs of different pictures of one kind, each drawn when it is called for."""
    numbered = [(name, number) for name, (_, count) in KINDS.items() for number in range(count)]
    return [(f"{name} {number}", partial(_pair, name, number)) for name, number in numbered]


def _pair(name: str, number: int) -> tuple[Picture, Picture]:
    draw, _ = KINDS[name]
    return draw(2 * number + 1), draw(2 * number + 2)


def encoded(picture: Picture, quality: int = 92) -> bytes:
    """Return a picture as the bytes of a JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def half(picture: Picture) -> Picture:
    """Return a copy of half the size."""
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)


def cropped(picture: Picture, part: float = 0.03) -> Picture:
    """Return a copy without that part of its width and height, all of it at the right and the bottom."""
    return picture.crop((0, 0, round(picture.width * (1 - part)), round(picture.height * (1 - part))))


def trimmed(picture: Picture, part: float = 0.03) -> Picture:
    """Return a copy without that part of its width and height, half of it at each side."""
    x, y = round(picture.width * part / 2), round(picture.height * part / 2)
    return picture.crop((x, y, picture.width - x, picture.height - y))
