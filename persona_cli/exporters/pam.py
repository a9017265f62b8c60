"""Portable AI Memory 1.0 (portable-ai-memory.org): one JSON document with memories, relations and an index of sessions.

Whole conversations are documents of their own there and are left out; the quoted words of the user come along.
Numbers in memories are written as text: RFC 8785, by which they are hashed, then asks for no more than sorted keys.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO
from uuid import UUID, uuid4

from persona_cli import __version__
from persona_cli.exporters.holdings import Exported, Holding, holdings, left_out, outer_id
from persona_cli.memory.store import Store
from persona_cli.records import Author, Kind, Ref

Json = dict[str, Any]
"""An object of the document, on its way into it."""

_SYSTEM = "persona"
_METHODS = {Author.PERSON: "explicit_user_input", Author.MODEL: "llm_inference"}


def write_pam(store: Store, out: TextIO, owner: UUID, at: datetime) -> Exported:
    """Write the document of an owner's memories; what has an id here has the same id in every export of theirs."""
    memories = [*_memories(holdings(store), owner), *_traits(store, owner)]
    relations, conversations = list(_relations(store, memories, owner)), list(_conversations(store, memories, owner))
    document = {
        "schema": "portable-ai-memory",
        "schema_version": "1.0",
        "spec_uri": "https://portable-ai-memory.org/spec/v1.0",
        "export_id": str(uuid4()),
        "exported_by": f"{_SYSTEM}/{__version__}",
        "export_date": _time(at),
        "owner": {"id": str(owner)},
        "memories": memories,
        "relations": relations,
        "conversations_index": conversations,
        "integrity": {
            "canonicalization": "RFC8785",
            "checksum": _checksum(memories),
            "total_memories": len(memories),
        },
        "export_type": "full",
    }
    json.dump(document, out, ensure_ascii=False, indent=1)
    out.write("\n")
    counts = {"memories": len(memories), "relations": len(relations), "conversations": len(conversations)}
    return Exported(counts, left_out(store))


def _memories(leaving: Sequence[Holding], owner: UUID) -> Iterator[Json]:
    for holding in leaving:
        if holding.text.strip():
            yield _memory(holding, owner)


def _memory(holding: Holding, owner: UUID) -> Json:
    kind, custom = _type(holding)
    status = "active" if holding.active else "superseded" if holding.successor is not None else "archived"
    seen = holding.last_seen
    return _without_none(
        {
            "id": outer_id(owner, holding.ref),
            "type": kind,
            "custom_type": custom,
            "status": status,
            "content": f"{holding.label}: {holding.text}" if holding.ref.kind is Kind.CORE else holding.text,
            "tags": _tags(holding.keywords),
            "temporal": _temporal(holding, owner),
            "provenance": _provenance(holding, owner),
            "confidence": None if seen is None or seen < holding.recorded_at else {"last_reinforced": _time(seen)},
            "metadata": _without_none(
                {
                    "ref": str(holding.ref),
                    "label": holding.label or None,
                    "quote": holding.quote or None,
                    "keywords": list(holding.keywords) or None,
                }
            ),
        }
    )


def _type(holding: Holding) -> tuple[str, str | None]:
    match holding.ref.kind:
        case Kind.CORE:
            return "identity", None
        case Kind.EPISODIC:
            return "context", None
        case Kind.PROCEDURAL:
            # a key begins with what it is; one that a language model chose may not
            return ("goal", None) if holding.label.startswith("goal") else ("custom", "habit")
        case _:
            return ("fact" if holding.label in ("", "user") else "relationship"), None


def _temporal(holding: Holding, owner: UUID) -> Json:
    until = holding.valid_to
    backwards = until is not None and until < holding.valid_from
    return _without_none(
        {
            "created_at": _time(holding.recorded_at),
            "valid_from": None if backwards else _time(holding.valid_from),
            "valid_until": None if until is None else _time(until),
            "superseded_by": None if holding.successor is None else outer_id(owner, holding.successor),
        }
    )


def _provenance(holding: Holding, owner: UUID) -> Json:
    session, turn = holding.session_id, holding.turn_id
    return _without_none(
        {
            "platform": _SYSTEM,
            "conversation_ref": None if session is None else _session_id(owner, session),
            "message_ref": None if turn is None else outer_id(owner, Ref(Kind.MESSAGE, turn)),
            "extraction_method": _METHODS[holding.author],
            "extracted_at": _time(holding.recorded_at),
        }
    )


def _traits(store: Store, owner: UUID) -> Iterator[Json]:
    readings = store.readings.all()
    if not readings:
        return
    last = readings[-1]
    for trait, score in store.readings.latest():
        text = f"{trait.capitalize()}: {score:.2f} on a scale from 1 to 5, 3 is neutral"
        yield {
            "id": outer_id(owner, f"trait {trait}"),
            "type": "custom",
            "custom_type": "big_five_trait",
            "status": "active",
            "content": text,
            "content_hash": _content_hash(text),
            "tags": ["personality"],
            "temporal": {"created_at": _time(last.at)},
            "provenance": {"platform": _SYSTEM, "extraction_method": _METHODS[last.author]},
            "metadata": {"trait": trait, "score": f"{score:.4f}"},
        }


def _relations(store: Store, memories: Sequence[Json], owner: UUID) -> Iterator[Json]:
    created = {memory["id"]: memory["temporal"]["created_at"] for memory in memories}
    for memory in memories:
        if (newer := memory["temporal"].get("superseded_by")) in created:
            yield _relation(newer, memory["id"], "supersedes", created[newer], owner)
    for conflict in store.conflicts.open():
        one, other = (outer_id(owner, Ref(Kind.SEMANTIC, side.id)) for side in (conflict.one, conflict.other))
        if one in created and other in created:
            yield _relation(one, other, "contradicts", _time(conflict.at), owner)


def _relation(one: str, other: str, kind: str, at: str, owner: UUID) -> Json:
    return {
        "id": outer_id(owner, f"{kind} {one} {other}"),
        "from": one,
        "to": other,
        "type": kind,
        "created_at": at,
    }


def _conversations(store: Store, memories: Sequence[Json], owner: UUID) -> Iterator[Json]:
    derived: defaultdict[str, list[str]] = defaultdict(list)
    for memory in memories:
        if conversation := memory["provenance"].get("conversation_ref"):
            derived[conversation].append(memory["id"])
    said: Counter[int] = Counter()
    for turn in store.turns.all():
        said[turn.session_id] += 1 + bool(turn.answer)
    for session in store.sessions.all():
        name = _session_id(owner, session.id)
        yield {
            "id": name,
            "platform": _SYSTEM,
            "message_count": said[session.id],
            "temporal": {
                "created_at": _time(session.started_at),
                "updated_at": _time(max(session.started_at, session.last_at)),
            },
            "derived_memories": derived[name],
        }


def _session_id(owner: UUID, session: int) -> str:
    return outer_id(owner, f"session {session}")


def _tags(keywords: Sequence[str]) -> list[str]:
    """Return keywords as the format's tags, of which letters beyond a to z have no place; all are in the metadata."""
    plain = (unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower() for word in keywords)
    return list(dict.fromkeys(tag for word in plain if (tag := re.sub(r"[^a-z0-9]+", "-", word).strip("-"))))


def _content_hash(content: str) -> str:
    normal = " ".join(unicodedata.normalize("NFC", content.strip().lower()).split())
    return f"sha256:{hashlib.sha256(normal.encode()).hexdigest()}"


def _checksum(memories: Sequence[Json]) -> str:
    ordered = sorted(memories, key=lambda memory: str(memory["id"]))
    canonical = json.dumps(ordered, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _without_none(fields: Mapping[str, Any]) -> Json:
    kept = {name: value for name, value in fields.items() if value is not None}
    if "content" in kept:
        kept["content_hash"] = _content_hash(kept["content"])
    return kept


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
