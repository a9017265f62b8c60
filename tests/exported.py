"""Exports as other services write them, written by us: branches, shards and bad lines included."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

Files = Mapping[str, object]
"""Content by name: bytes and text as they are, everything else as JSON."""


def folder(root: Path, files: Files) -> Path:
    """Write an export as a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_bytes(content))
    return root


def zipped(path: Path, files: Files) -> Path:
    """Write an export as a zip."""
    path.write_bytes(zip_bytes(files))
    return path


def zip_bytes(files: Files) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, as_bytes(content))
    return whole.getvalue()


def as_bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def png(colour: str) -> bytes:
    """Return a picture."""
    whole = io.BytesIO()
    drawn = Pillow.new("RGB", (96, 64), colour)
    drawn.paste("white", (8, 8, 40, 30))
    drawn.save(whole, "PNG")
    return whole.getvalue()


def seconds(at: str) -> float:
    return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


class Gpt:
    """A conversation of ChatGPT while it is written: a tree of messages."""

    def __init__(self, own: str, at: str, **fields: Any) -> None:
        self._nodes: dict[str, Any] = {"root": {"id": "root", "parent": None, "children": [], "message": None}}
        self._fields = {"title": own, "create_time": seconds(at), "update_time": seconds(at), **fields}
        self._own, self._last = own, "root"

    def say(self, role: str, text: str, at: str | None = None, *, after: str = "", **fields: Any) -> str:
        """Add a message and return its node; without `after` it follows the last one."""
        name, parent = f"{self._own}-{len(self._nodes)}", after or self._last
        content = {"content_type": "text", "parts": [text]}
        message = {
            "id": name, "author": {"role": role, "name": None, "metadata": {}}, "content": content,
            "create_time": seconds(at) if at else None, "status": "finished_successfully", "end_turn": True,
            "weight": 1.0, "metadata": {}, "recipient": "all", "channel": None, **fields,
        }  # fmt: skip
        self._nodes[name] = {"id": name, "parent": parent, "children": [], "message": message}
        self._nodes[parent]["children"].append(name)
        self._last = name
        return name

    def whole(self, current: str | None = None) -> dict[str, Any]:
        """Return the conversation as the export has it."""
        return {
            **self._fields, "mapping": self._nodes, "moderation_results": [], "current_node": current or self._last,
            "conversation_id": self._own, "id": self._own, "is_archived": False,
        }  # fmt: skip


def picture_part(pointer: str) -> dict[str, object]:
    return {"content_type": "image_asset_pointer", "asset_pointer": pointer, "width": 96, "height": 64}


def chatgpt() -> list[dict[str, Any]]:
    """Return three conversations, the newest first: a branch, what is hidden, a picture, null times, one unwanted."""
    secret = Gpt("c-secret", "2025-03-01T10:00:00", is_do_not_remember=True)
    secret.say("user", "Nobody may know that I plan to quit.", "2025-03-01T10:00:00")
    dog = Gpt("c-dog", "2025-02-01T10:00:00")
    dog.say("system", "", metadata={"is_visually_hidden_from_conversation": True}, weight=0.0)
    parts = {"content_type": "multimodal_text", "parts": [picture_part("sediment://file_00a1"), "This is my dog Max."]}
    dog.say("user", "", "2025-02-01T10:00:01", content=parts)
    dog.say("assistant", '{"query": "dogs"}', "2025-02-01T10:00:02", recipient="browser")
    dog.say("tool", "Found: dogs.", "2025-02-01T10:00:03")
    dog.say("assistant", "", content={"content_type": "thoughts", "thoughts": []})
    dog.say("assistant", "What a fine dog!", "2025-02-01T10:00:05")
    dog.say("user", "He is three years old.")
    dog.say("assistant", "A good age.")
    home = Gpt("c-home", "2024-05-12T16:30:00")
    home.say("user", "I live in Ghent.", "2024-05-12T16:30:00")
    home.say("assistant", "Ghent is lovely.", "2024-05-12T16:30:05")
    home.say("user", "I live in Brussels, I mean.", "2024-05-12T16:31:00", after="root")
    home.say("assistant", "Noted: Brussels.", "2024-05-12T16:31:04")
    home.say("user", "My password is hunter2", "2024-05-12T19:00:00")
    return [secret.whole(), dog.whole(), home.whole()]


def chatgpt_files() -> dict[str, object]:
    """Return the export as it is lately: shards, pictures as .dat with their names in a list."""
    secret, dog, home = chatgpt()
    return {
        "user.json": {"id": "user-1", "email": "a@example.org"},
        "conversations-000.json": [secret, dog, "nonsense"],
        "conversations-001.json": [home, home],
        "file_00a1.dat": png("brown"),
        "conversation_asset_file_names.json": {"file_00a1.dat": "max.png"},
        "message_feedback.json": [],
    }
