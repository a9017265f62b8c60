"""ChatGPT's export: conversations.json or its shards in a zip or folder, each conversation a tree of messages.

Of a tree the branch that was open last is read. Hidden messages, instructions, what goes to tools and comes from them,
and thoughts are left out. Pictures lie beside it under their id, lately as `.dat`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from persona_cli.importers.branches import active_branch
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Conversation, Format, Item, Options, Speaker, Tally, WrittenMessage
from persona_cli.importers.reasons import ATTACHED, BRANCHES, HIDDEN, THOUGHTS, TIMELESS, TOOLS, UNREADABLE, UNWANTED
from persona_cli.importers.streaming import json_items, listing, mapping, parsed
from persona_cli.importers.times import from_seconds

_FILES = ("conversations.json", "conversations-*.json")
_NAMES = "conversation_asset_file_names.json"
_NAMES_SIZE = 20_000_000
_ASSET = re.compile(r"file[-_][A-Za-z0-9]+")
_CITATION = re.compile("\ue200[^\ue200\ue201]*\ue201")
"""Where a source is shown; the letters are of the area for private use."""
_TEXTS = ("text", "multimodal_text", "code")
_THOUGHTS = ("thoughts", "reasoning_recap")
_ROLES = {"user": Speaker.ME, "assistant": Speaker.ASSISTANT}


def _recognise(bundle: Bundle) -> bool:
    return any(b'"mapping"' in bundle.head(name) for name in _files(bundle)[:1])


def _files(bundle: Bundle) -> tuple[str, ...]:
    return bundle.named(*_FILES) or bundle.only(".json")


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    pictures = _Pictures(bundle)
    for name in _files(bundle):
        for number, (_, fields) in enumerate(json_items(bundle, name, "item", "conversations.item"), 1):
            place = f"{name}, conversation {number}"
            if not isinstance(fields, dict) or not isinstance(fields.get("mapping"), dict):
                tally.skip(UNREADABLE, place)
            elif fields.get("is_do_not_remember") is True and not options.everything:
                tally.skip(UNWANTED, place)
            elif (own := fields.get("conversation_id") or fields.get("id")) and isinstance(own, str):
                yield Conversation(own, _messages(fields, pictures, tally, place))
            else:
                tally.skip(UNREADABLE, place)


CHATGPT = Format("chatgpt", "ChatGPT", _recognise, _read)


def _messages(fields: Mapping[str, Any], pictures: _Pictures, tally: Tally, place: str) -> Iterator[WrittenMessage]:
    thread = _thread(fields, tally)
    known = (from_seconds(message.get("create_time")) for message in thread)
    at = from_seconds(fields.get("create_time")) or next((moment for moment in known if moment), None)
    if at is None:
        tally.skip(TIMELESS, place)
        return
    for message in thread:
        # some messages have no time: they are said to be of the one before, which they follow at once
        at = from_seconds(message.get("create_time")) or at
        if read := _message(message, at, pictures, tally):
            yield read


def _thread(fields: Mapping[str, Any], tally: Tally) -> list[Mapping[str, Any]]:
    """Return the messages from the root to the node that was open last."""
    nodes: dict[str, Any] = {name: node for name, node in fields["mapping"].items() if isinstance(node, dict)}

    def newest(name: str) -> float:
        at = from_seconds(mapping(nodes[name].get("message")).get("create_time"))
        return at.timestamp() if at else 0.0

    branch = active_branch(
        {name: node.get("parent") for name, node in nodes.items()}, fields.get("current_node"), newest
    )
    thread = [nodes[name]["message"] for name in branch if isinstance(nodes[name].get("message"), dict)]
    said = sum(isinstance(node.get("message"), dict) for node in nodes.values())
    tally.skip(BRANCHES, count=said - len(thread))
    return thread


def _message(message: Mapping[str, Any], at: datetime, pictures: _Pictures, tally: Tally) -> WrittenMessage | None:
    content, details = mapping(message.get("content")), mapping(message.get("metadata"))
    speaker = _ROLES.get(str(mapping(message.get("author")).get("role")))
    if reason := _left_out(message, content, details, spoken=speaker is not None):
        tally.skip(reason)
        return None
    texts, shown = _parts(content, pictures)
    tally.skip(ATTACHED, count=max(0, len(listing(details.get("attachments"))) - len(shown)))
    assert speaker is not None
    return WrittenMessage(
        str(message.get("id")), speaker, _CITATION.sub("", "\n".join(texts)), at, pictures=tuple(shown)
    )


def _left_out(
    message: Mapping[str, Any], content: Mapping[str, Any], details: Mapping[str, Any], *, spoken: bool
) -> str:
    """Return why a message is left out; "" for one that was said and seen."""
    marks = (details.get("is_visually_hidden_from_conversation"), details.get("is_user_system_message"))
    if True in marks or message.get("weight") == 0:
        return HIDDEN
    kind = content.get("content_type")
    if kind in _THOUGHTS or message.get("channel") == "commentary":
        return THOUGHTS
    said = spoken and message.get("recipient") in ("all", None) and kind in _TEXTS
    return "" if said else TOOLS


def _parts(content: Mapping[str, Any], pictures: _Pictures) -> tuple[list[str], list[str]]:
    """Return the texts of a message and the names of its pictures."""
    parts = content.get("parts")
    texts, shown = list[str](), list[str]()
    for part in parts if isinstance(parts, list) else [content.get("text")]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("content_type") == "image_asset_pointer":
            shown.append(pictures.name_of(str(part.get("asset_pointer"))))
        elif isinstance(part, dict) and isinstance(text := part.get("text"), str):
            # what was spoken, as it was heard
            texts.append(text)
    return texts, shown


class _Pictures:
    """Where the bytes of a picture lie that a message points at."""

    def __init__(self, bundle: Bundle) -> None:
        self._by_id: dict[str, str] = {}
        self._by_name = {PurePosixPath(name).name: name for name in bundle.names}
        for name in bundle.names:
            if found := _ASSET.match(PurePosixPath(name).name):
                self._by_id.setdefault(found[0], name)
        self._real: dict[str, str] = {}
        for listed in bundle.named(_NAMES)[:1]:
            names = mapping(parsed(bundle.read(listed, _NAMES_SIZE)))
            self._real = {str(key).removesuffix(".dat"): str(real) for key, real in names.items()}

    def name_of(self, pointer: str) -> str:
        """Return the name in the bundle, or the pointer itself where it is not there: it is counted as absent."""
        # "file-service://file-AbC": the scheme looks like a name too
        own = (_ASSET.search(pointer.rpartition("/")[2]) or [pointer])[0]
        return self._by_id.get(own) or self._by_name.get(self._real.get(own, "")) or pointer
