"""Changes a person makes on the page of `persona serve --write`: remember, correct, forget.

The page is theirs alone: its address and its cookie follow from the token. What they write there is theirs as what
they write at the command line is, and no model overwrites it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

from persona_cli.errors import NotFoundError, UsageError
from persona_cli.memory import Memory
from persona_cli.memory.vectors.embedding import embed_few
from persona_cli.records import Author, Kind, Ref, SemanticMemory, Status
from persona_cli.remembering.drafts import put_written
from persona_cli.serve.household import Household
from persona_cli.serve.tools import checked, fact


def change(household: Household, action: str, body: bytes) -> None:
    """Do what a form of the page asks; raises a `PersonaError` that says what was wrong."""
    fields = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", errors="replace")).items()}
    ACTIONS[action](household, fields)


def _remember(household: Household, fields: dict[str, str]) -> None:
    memory, words = household.memory(), checked(fields.get("words", ""))[0]
    if memory.store.semantic.same(words) is None:
        written = fact(words, "user", words, household.now())
        put_written(memory.store, replace(written, author=Author.PERSON), memory.reader.read)
        embed_few(memory.store, memory.embedder)


def _correct(household: Household, fields: dict[str, str]) -> None:
    memory, now = household.memory(), household.now()
    old, words = _fact_of(memory, fields), checked(fields.get("words", ""))[0]
    if words == old.content:
        return
    written = replace(fact(words, old.subject, words, now, old.keywords), author=Author.PERSON, slot=old.slot)
    with memory.store.transaction():
        new = memory.store.semantic.add(written)
        memory.store.semantic.supersede(old.id, new.id, now, "corrected")
    embed_few(memory.store, memory.embedder)


def _forget(household: Household, fields: dict[str, str]) -> None:
    memory = household.memory()
    memory.forget(Ref(Kind.SEMANTIC, _fact_of(memory, fields).id))


def _fact_of(memory: Memory, fields: dict[str, str]) -> SemanticMemory:
    name = fields.get("name", "")
    try:
        ref = Ref.parse(name)
    except ValueError as exc:
        raise UsageError(str(exc), fix="Open the page again.") from exc
    found = memory.store.get(ref)
    if not isinstance(found, SemanticMemory) or found.status is not Status.ACTIVE:
        raise NotFoundError(f"{ref} is no fact that holds", fix="Open the page again: it has changed meanwhile.")
    return found


ACTIONS: dict[str, Callable[[Household, dict[str, str]], None]] = {
    "remember": _remember, "correct": _correct, "forget": _forget,
}  # fmt: skip
