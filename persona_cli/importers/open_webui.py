"""Open WebUI's export of chats, each a tree of messages with pictures in it, and of what it has noted of a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from persona_cli.importers.branches import active_branch
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import (
    Conversation,
    Format,
    Item,
    Note,
    Options,
    Speaker,
    Tally,
    WrittenMessage,
)
from persona_cli.importers.reasons import ATTACHED, BRANCHES, TIMELESS, TOOLS, UNREADABLE
from persona_cli.importers.streaming import json_items, listing, mapping
from persona_cli.importers.times import from_seconds

_ROLES = {"user": Speaker.ME, "assistant": Speaker.ASSISTANT}
_CHAT = re.compile(rb'"history"\s*:\s*\{')
_SECONDS = re.compile(rb'"updated_at"\s*:\s*\d{9}')
_THOUGHT = re.compile(r'<details\s+type="(?:reasoning|tool_calls|code_interpreter)"')
_ENDED = "</details>"


def _recognise(bundle: Bundle) -> bool:
    heads = [bundle.head(name) for name in bundle.only(".json")]
    return any(
        (_CHAT.search(head) and (b'"currentId"' in head or b'"parentId"' in head))
        or (b'"user_id"' in head and b'"content"' in head and b'"memory"' not in head and _SECONDS.search(head))
        for head in heads
    )


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    del options
    for name in bundle.only(".json") or bundle.named("*.json"):
        for number, (_, value) in enumerate(json_items(bundle, name, "item"), 1):
            place = f"{name}, item {number}"
            fields = mapping(value)
            chat = mapping(fields.get("chat"))
            history = mapping(chat.get("history"))
            if isinstance(history.get("messages"), dict):
                own = str(fields.get("id") or chat.get("id") or fields.get("created_at"))
                yield Conversation(own, _messages(fields, history, tally, place))
            elif isinstance(text := fields.get("content"), str) and text.strip():
                yield Note(str(fields.get("id") or text), text.strip(), from_seconds(fields.get("updated_at")))
            else:
                tally.skip(UNREADABLE, place)


OPEN_WEBUI = Format("open-webui", "Open WebUI", _recognise, _read)


def without_thoughts(text: str) -> str:
    """Return an answer without the parts that show how it came about; takes time in proportion to the text."""
    kept, at = list[str](), 0
    while (begun := _THOUGHT.search(text, at)) and (end := text.find(_ENDED, begun.end())) >= 0:
        kept.append(text[at : begun.start()])
        at = end + len(_ENDED)
    return "".join((*kept, text[at:])).strip()


def _messages(
    fields: Mapping[str, Any], history: Mapping[str, Any], tally: Tally, place: str
) -> Iterator[WrittenMessage]:
    nodes = {name: node for name, node in history["messages"].items() if isinstance(node, dict)}

    def newest(name: str) -> float:
        at = from_seconds(nodes[name].get("timestamp"))
        return at.timestamp() if at else 0.0

    branch = active_branch(
        {name: node.get("parentId") for name, node in nodes.items()}, history.get("currentId"), newest
    )
    tally.skip(BRANCHES, count=len(nodes) - len(branch))
    at = from_seconds(fields.get("created_at"))
    for name in branch:
        at = from_seconds(nodes[name].get("timestamp")) or at
        speaker = _ROLES.get(str(nodes[name].get("role")))
        if at is None:
            tally.skip(TIMELESS, place)
            return
        if speaker is None:
            tally.skip(TOOLS)
            continue
        texts, shown = _content(nodes[name], tally)
        yield WrittenMessage(name, speaker, without_thoughts("\n".join(texts)), at, pictures=tuple(shown))


def _content(node: Mapping[str, Any], tally: Tally) -> tuple[list[str], list[str]]:
    """Return the texts of a message and its pictures, which stand in it as data URLs."""
    content = node.get("content")
    parts = listing(content) or [{"type": "text", "text": content}]
    texts, shown = list[str](), list[str]()
    for part in map(mapping, (*parts, *listing(node.get("files")))):
        kind = part.get("type")
        url = part.get("url") or mapping(part.get("image_url")).get("url")
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind in ("image", "image_url") and isinstance(url, str):
            shown.append(url)
        elif kind != "text":
            tally.skip(ATTACHED)
    return texts, shown
