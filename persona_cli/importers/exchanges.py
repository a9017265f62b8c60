"""Conversations as exchanges: what the person wrote, each with what came back, cut where a silence ends a session.

A message of the person begins an exchange. What an assistant or another person writes after it is its answer, which is
never evidence of anything; of other people each with the name before it. What others write where the person has not
spoken yet is an exchange without words of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from persona_cli.importers.correspondence import Conversation, Speaker, Tally, WrittenMessage
from persona_cli.importers.reasons import EMPTY, OTHERS_PICTURES, SHORTENED

LONGEST = 100_000
"""Characters of an exchange: five times what a message may have."""
_LONGEST_CONTEXT = 10_000
"""Characters of what others say at a stretch; more is another exchange."""


@dataclass(slots=True)
class Told:
    """One exchange before it is stored: `key` is what its first message is known by."""

    at: datetime
    last_at: datetime
    key: bytes
    user: str = ""
    answers: list[str] = field(default_factory=list)
    pictures: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """What came back, as one text."""
        return "\n".join(self.answers)

    @property
    def own(self) -> bool:
        """Whether the person said or showed anything."""
        return bool(self.user or self.pictures)


def stretches(conversation: Conversation, service: str, gap: timedelta, tally: Tally) -> Iterator[list[Told]]:
    """Yield the exchanges of a conversation, session by session."""
    session: list[Told] = []
    for message in conversation.messages:
        text = _text(message, tally)
        if not text and not message.pictures:
            tally.skip(EMPTY)
            continue
        # also where the clock goes back: by seconds it does so in every export, by hours it is another talk
        if session and abs(message.at - session[-1].last_at) > gap:
            yield session
            session = []
        if message.pictures and message.speaker is not Speaker.ME:
            tally.skip(OTHERS_PICTURES, count=len(message.pictures))
            if not text:
                continue
        _take(session, message, text, key_of(service, conversation.id, message.id))
    if session:
        yield session


def key_of(service: str, conversation: str, message: str) -> bytes:
    """Return what a message is known by from one import to the next: 16 bytes that say nothing about it."""
    return blake2b("\0".join((service, conversation, message)).encode("utf-8", "replace"), digest_size=16).digest()


def _text(message: WrittenMessage, tally: Tally) -> str:
    # a surrogate without its other half can be written nowhere
    text = message.text.encode("utf-8", "replace").decode().replace("\0", "").strip()
    if len(text) > LONGEST:
        tally.skip(SHORTENED)
        return text[:LONGEST]
    return text


def _take(session: list[Told], message: WrittenMessage, text: str, key: bytes) -> None:
    """Add a message to the last exchange of a session, or begin another with it."""
    if message.speaker is Speaker.ME:
        session.append(Told(message.at, message.at, key, text, pictures=message.pictures))
        return
    said = f"{message.name}: {text}" if message.name else text
    if not session or sum(map(len, session[-1].answers)) + len(said) > _room(session[-1]):
        session.append(Told(message.at, message.at, key))
    told = session[-1]
    told.answers.append(said)
    told.last_at = message.at


def _room(told: Told) -> int:
    return _LONGEST_CONTEXT if told.answers else LONGEST
