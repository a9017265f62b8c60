"""The objects a memory names in a picture: asked of a model that can say where they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from persona_cli.model.tasks import Locates, Model, SemanticDraft, Stop
from persona_cli.records import Box, Image, Turn

_NAMED = re.compile(r"^(?P<naming>.*?)\s*\(Image Object:\s*(?P<category>[^)]+?)\s*\)", re.IGNORECASE | re.DOTALL)

Located = dict[str, tuple[tuple[Image, Box], ...]]
"""By the content of a draft: the picture its object was found in, and where."""


def named_object(content: str) -> str:
    """Return what to look for in a picture: the user's naming with its category; "" where nothing is named."""
    named = _NAMED.match(content.strip())
    return f"{named['naming']} ({named['category']})".strip() if named else ""


def locate_objects(model: Model, drafts: Sequence[SemanticDraft], turn: Turn, stop: Stop) -> Located:
    """Ask the model for the box of each object that is named in a picture of the turn; nothing where it cannot say."""
    if not isinstance(model, Locates):
        return {}
    found: Located = {}
    for draft in drafts:
        if what := named_object(draft.content):
            shown = [image for image in turn.images if image.hash in draft.images]
            found[draft.content] = _first_box(model, what, shown, stop)
    return found


def _first_box(model: Locates, what: str, images: Sequence[Image], stop: Stop) -> tuple[tuple[Image, Box], ...]:
    """Return the first of the pictures the object is in: it was named once."""
    for image in images:
        if box := model.locate(image, what, stop):
            return ((image, box),)
    return ()
