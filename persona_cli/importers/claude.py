"""Claude's export: conversations and what Claude has noted of the person, in one zip or in several.

Of a conversation with branches the one that was open last is read. What it thought, its tools and the text of attached
files are left out: they are not the person's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from persona_cli.english.forms import tells_of_one
from persona_cli.english.sentences import sentences
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
from persona_cli.importers.times import from_iso

_CONVERSATIONS = ("conversations.json", "conversations-*.json")
_MEMORIES = ("memories.json", "memories-*.json", "memories/*.json")
_SENDERS = {"human": Speaker.ME, "assistant": Speaker.ASSISTANT}
_PROJECTS = "memories of projects"
_HEADING = re.compile(r"#.*|(\*{1,3}|_{1,2})[^*_]+\1:?")
_PRONOUN = re.compile(r"(?:(?P<subject>She|He)|Her|His|Their)(?= )")


def _recognise(bundle: Bundle) -> bool:
    heads = [bundle.head(name) for name in _conversations(bundle)[:1]]
    heads += [bundle.head(name) for name in bundle.named(*_MEMORIES)[:1]]
    return any(_is_conversations(head) or b'"conversations_memory"' in head for head in heads)


def _is_conversations(head: bytes) -> bool:
    # a long summary may push the messages out of sight
    return b'"chat_messages"' in head or (b'"uuid"' in head and b'"account"' in head and b'"mapping"' not in head)


def _conversations(bundle: Bundle) -> tuple[str, ...]:
    return bundle.named(*_CONVERSATIONS) or bundle.only(".json")


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    del options
    called = _called(bundle)
    for name in bundle.named(*_MEMORIES):
        for _, memories in json_items(bundle, name, "item", ""):
            yield from _notes(memories, called, tally)
    for name in _conversations(bundle):
        for number, (_, fields) in enumerate(json_items(bundle, name, "item"), 1):
            place = f"{name}, conversation {number}"
            if isinstance(fields, dict) and isinstance(fields.get("chat_messages"), list) and fields.get("uuid"):
                yield Conversation(str(fields["uuid"]), _messages(fields, tally, place))
            elif isinstance(fields, dict) and "conversations_memory" in fields:
                yield from _notes(fields, called, tally)
            else:
                tally.skip(UNREADABLE, place)


CLAUDE = Format("claude", "Claude", _recognise, _read)


def _messages(fields: Mapping[str, Any], tally: Tally, place: str) -> Iterator[WrittenMessage]:
    at = from_iso(fields.get("created_at"))
    said = [message for message in listing(fields["chat_messages"]) if isinstance(message, dict)]
    for message in _thread(fields, said, tally):
        at = from_iso(message.get("created_at")) or at
        if at is None:
            tally.skip(TIMELESS, place)
            return
        speaker = _SENDERS.get(str(message.get("sender")))
        if speaker is None:
            tally.skip(TOOLS)
            continue
        tally.skip(ATTACHED, count=sum(len(listing(message.get(kind))) for kind in ("attachments", "files")))
        yield WrittenMessage(str(message.get("uuid")), speaker, _text(message), at)


def _thread(fields: Mapping[str, Any], said: list[dict[str, Any]], tally: Tally) -> list[dict[str, Any]]:
    """Return the messages of the branch that was open last; all of them where they do not say what they follow."""
    by_id = {str(message.get("uuid")): message for message in said}
    parents = {own: message.get("parent_message_uuid") for own, message in by_id.items()}
    if not any(str(parent) in by_id for parent in parents.values()):
        return said
    places = {own: float(place) for place, own in enumerate(by_id)}
    branch = active_branch(parents, fields.get("current_leaf_message_uuid"), places.__getitem__)
    tally.skip(BRANCHES, count=len(said) - len(branch))
    return [by_id[own] for own in branch]


def _text(message: Mapping[str, Any]) -> str:
    """Return what was said, without thoughts and tools; the field `text` has both in some exports."""
    blocks = listing(message.get("content"))
    texts = [
        block["text"]
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
    ]
    text = message.get("text")
    return "\n".join(texts) or (text if isinstance(text, str) and not blocks else "")


def _called(bundle: Bundle) -> str:
    """Return the first name of the account's owner, by which Claude's notes call them; "" where there is not one."""
    names = [
        name.split()[0]
        for file in bundle.named("users.json")
        for _, user in json_items(bundle, file, "item")
        if isinstance(name := mapping(user).get("full_name"), str) and name.strip()
    ]
    return names[0] if len(names) == 1 else ""


def _notes(memories: Any, called: str, tally: Tally) -> Iterator[Note]:
    """Yield the sentences that Claude has noted; headings say nothing by themselves."""
    if isinstance(memories, list):
        for each in memories:
            yield from _notes(each, called, tally)
        return
    if not isinstance(memories, dict) or not isinstance(text := memories.get("conversations_memory"), str):
        return
    for line in filter(None, map(str.strip, text.splitlines())):
        plain = line.replace("**", "").lstrip("*-• ")
        if not _HEADING.fullmatch(line):
            yield from (Note(sentence, said, name=called) for sentence, said in _named(sentences(plain), called))
    tally.skip(_PROJECTS, count=len(mapping(memories.get("project_memories"))))


def _named(paragraph: Sequence[str], called: str) -> Iterator[tuple[str, str]]:
    """Yield each sentence as it stands, and with the person's name for the "she" that can mean nobody else."""
    alone = False
    for sentence in paragraph:
        pronoun = _PRONOUN.match(sentence) if called and alone else None
        name = called if pronoun is None or pronoun["subject"] else f"{called}'s"
        said = sentence if pronoun is None else f"{name}{sentence[pronoun.end() :]}"
        alone = said.startswith(called) and tells_of_one(said)
        yield sentence, said
