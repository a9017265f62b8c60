"""The objects a memory names in a picture: asked of a model that can say where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from persona_cli.model.tasks import Locates, Model, SemanticDraft, Stop
from persona_cli.records import Box, Image, Turn

_NAMED = re.compile(r"^(?P<naming>.*?)\s*\(Image Object:\s*(?P<category>[^)]+?)\s*\)", re.IGNORECASE | re.DOTALL)

Located = dict[str, tuple[tuple[Image, Box], ...]]
"""By the content of a draft: the pictures its object was found in, and where."""

_SAME = 0.7
"""What two boxes share from which on they are of one thing."""


def named_object(content: str) -> str:
    """Return what to look for in a picture: the user's naming with its category; "" where nothing is named."""
    named = _NAMED.match(content.strip())
    return f"{named['naming']} ({named['category']})".strip() if named else ""


def locate_objects(model: Model, drafts: Sequence[SemanticDraft], turn: Turn, stop: Stop) -> Located:
    """Ask the model for the box of each named object in every picture of the turn; nothing where it cannot say.

    A box that two objects claim, as of two dogs on two photos, is that of the one that has the fewest so far, the
    earlier one of equals.
    """
    if not isinstance(model, Locates):
        return {}
    named = {draft.content: named_object(draft.content) for draft in drafts}
    found: Located = {content: () for content, what in named.items() if what}
    for image in turn.images:
        boxes = {
            draft.content: box
            for draft in drafts
            if draft.content in found
            and image.hash in draft.images
            and (box := model.locate(image, named[draft.content], stop))
        }
        for content, box in _undisputed(boxes, found):
            found[content] += ((image, box),)
    return found


def narrowed(draft: SemanticDraft, found: Located) -> SemanticDraft:
    """Return a draft with the pictures its object was seen in, and with all of them where it was seen in none."""
    seen = tuple(image.hash for image, _ in found.get(draft.content, ()))
    return replace(draft, images=seen) if seen else draft


def parts_of(draft: SemanticDraft, found: Located) -> tuple[tuple[Image, Box], ...]:
    """Return what is to be cut out for a draft: nothing of a picture that shows little else."""
    return tuple(
        (image, box)
        for image, box in found.get(draft.content, ())
        if (box.width, box.height) != (image.width, image.height)
    )


def _undisputed(boxes: Mapping[str, Box], found: Located) -> Iterator[tuple[str, Box]]:
    taken: list[Box] = []
    for content in sorted(boxes, key=lambda one: len(found[one])):
        if all(_overlap(boxes[content], other) < _SAME for other in taken):
            taken.append(boxes[content])
            yield content, boxes[content]


def _overlap(one: Box, other: Box) -> float:
    """Return the part two boxes share of what they cover together, 0 to 1."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0, across) * max(0, down)
    return shared / (one.width * one.height + other.width * other.height - shared)
