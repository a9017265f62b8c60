"""What somebody has said and is known of them, put into a memory for the tests of retrieval."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from persona_cli.memory import Memory
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.records import (
    Hit,
    Query,
    Retrieve,
    SemanticMemory,
    Turn,
)

NOW = datetime(2026, 5, 20, 18, 0, tzinfo=UTC)  # a Wednesday


def tell(memory: Memory, day: str, *texts: str) -> list[Turn]:
    at = datetime.fromisoformat(f"{day}T10:00:00+00:00")
    session = memory.store.sessions.start(at)
    turns = [
        memory.store.turns.add(session.id, at + timedelta(minutes=2 * i), text, "I see.", "test")
        for i, text in enumerate(texts)
    ]
    memory.store.sessions.close(session.id, turns[-1].at)
    return turns


def know(memory: Memory, content: str, day: str = "2026-04-01", **more: object) -> SemanticMemory:
    at = datetime.fromisoformat(f"{day}T10:00:00+00:00")
    fact = SemanticMemory(
        id=0, content=content, keywords=tuple(search_terms(content)), subject="user", quote=content,
        recorded_at=at, valid_from=at,
    )  # fmt: skip
    return memory.store.semantic.add(replace(fact, **more))  # type: ignore[arg-type]  # fields by name


def ask(text: str, at: datetime = NOW) -> tuple[Query, Retrieve]:
    return Query(text, at), Retrieve(text)


def texts(hits: tuple[Hit[Turn], ...]) -> list[str]:
    return [hit.memory.user for hit in hits]
