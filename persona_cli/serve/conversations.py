"""Which message of a client's history is new, and which turn it takes the place of.

A client sends its whole history each time, and only its last message is new. Sent again it asks for another answer;
changed, it is an edit: in both cases the turn that was kept of it goes, and what was learnt from it goes with it.
Histories are cut by their clients, begin anew in the middle, and say "yes" twice: where it is not certain that a turn
is replaced, none is.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from persona_cli.memory.store import Store
from persona_cli.records import Turn

MOST = 500
"""Conversations whose turns are known by position; they are kept in no file."""
_LOOKED_AT = 50
"""Last turns among which a message that is sent again is looked for after a restart."""
_IDS = ("x-openwebui-chat-id", "x-conversation-id", "x-session-id")


class Conversations:
    """The conversations of this run of the server, each the ids of its turns in order."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, list[int]] = OrderedDict()

    def replaced(self, key: str, said: Sequence[str], store: Store, recent: Sequence[Turn]) -> Turn | None:
        """Return the turn that the last of the messages `said` takes the place of; None for a new one.

        `recent` are the turns of the last hour, for a conversation that this run of the server has not seen.
        """
        chain = store.turns.many(self._turns.get(key, ()))
        if chain:
            place = replaced_place([turn.user for turn in chain], said)
            return None if place is None else chain[place]
        return sent_again(recent[-_LOOKED_AT:], said)

    def note(self, key: str, turn: Turn, instead_of: Turn | None) -> None:
        """Note the turn a message became; what came after the one it replaces is of another branch now."""
        turns = self._turns.setdefault(key, [])
        if instead_of is not None and instead_of.id in turns:
            del turns[turns.index(instead_of.id) :]
        turns.append(turn.id)
        self._turns.move_to_end(key)
        while len(self._turns) > MOST:
            self._turns.popitem(last=False)


def conversation_key(user: str, headers: Mapping[str, str], said: Sequence[str]) -> str:
    """Return what a conversation is known by: the client's id for it, else its first message."""
    given = next((headers[name] for name in _IDS if headers.get(name)), "")
    named = given or f"begins {said[0]}"
    return hashlib.sha256(f"{user}\0{named}".encode()).hexdigest()


def replaced_place(known: Sequence[str], said: Sequence[str]) -> int | None:
    """Return the place among the messages `known` of a conversation that the last one `said` replaces, or None."""
    new, before = said[-1], said[-2] if len(said) > 1 else None
    last = len(known) - 1
    if known[last] == new and said.count(new) <= known.count(new) and (last == 0 or before in (None, known[last - 1])):
        return last
    if before is None:
        # the first message of a history: of a long one it may be what a client has left of it
        return last if last == 0 else None
    place = max((at for at, words in enumerate(known) if words == before), default=last)
    return place + 1 if place < last else None


def sent_again(recent: Sequence[Turn], said: Sequence[str]) -> Turn | None:
    """Return the last turn where it has just these words, after the message before it; None where it is not certain."""
    words = [turn.user for turn in recent]
    if not words or words[-1] != said[-1] or said.count(said[-1]) > words.count(said[-1]):
        return None
    return recent[-1] if len(said) == 1 or said[-2] in words[:-1] else None
