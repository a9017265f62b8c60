"""Which formats there are, and which one a file is."""

from __future__ import annotations

from persona_cli.errors import TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.chatgpt import CHATGPT
from persona_cli.importers.claude import CLAUDE
from persona_cli.importers.correspondence import Format
from persona_cli.importers.gemini import GEMINI
from persona_cli.importers.mem0 import MEM0
from persona_cli.importers.open_webui import OPEN_WEBUI
from persona_cli.importers.photos import PHOTOS
from persona_cli.importers.saved_list import SAVED_LIST
from persona_cli.importers.sillytavern import SILLYTAVERN
from persona_cli.importers.telegram import TELEGRAM
from persona_cli.importers.whatsapp import WHATSAPP

FORMATS: tuple[Format, ...] = (
    *(CHATGPT, CLAUDE, GEMINI, OPEN_WEBUI, MEM0, TELEGRAM, SILLYTAVERN, WHATSAPP),
    # anything may look like a list
    SAVED_LIST,
    # and of photos nobody knows it that does not say so
    PHOTOS,
)
"""In the order in which they are asked: those that are known for certain first."""


def recognised(bundle: Bundle) -> Format | None:
    """Return the format that a bundle is of; None where none knows it."""
    return next((format_ for format_ in FORMATS if format_.recognise(bundle)), None)


def named(name: str) -> Format:
    """Return the format of that name; raises `TransferError` for one that is none."""
    for format_ in FORMATS:
        if format_.name == name:
            return format_
    known = ", ".join(format_.name for format_ in FORMATS)
    raise TransferError(f"there is no format {name}", fix=f"Formats: {known}, transcript, archive.")
