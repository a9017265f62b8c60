"""COGX 0.1, Cognee's exchange format, packed as it travels: `NAME.cogx.tar.gz`, a manifest and JSONL files by kind.

What holds is a `memory`, the profile and the habits are `memory_blocks`, a session is an `episode` with its turns. What
no longer holds is a `fact`, the one kind that says until when something held: as a memory it would be taken for true.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, BinaryIO
from uuid import UUID

from persona_cli.errors import StorageError
from persona_cli.exporters.holdings import Exported, Holding, holdings, left_out, outer_id
from persona_cli.memory.store import Store
from persona_cli.records import Kind, Ref

Json = dict[str, Any]
"""A record of one of the files."""

_NOTE = "What no longer holds is in facts.jsonl, with invalid_at. Pictures and quarantined memories are left out."


def write_cogx(store: Store, out: BinaryIO, owner: UUID, at: datetime) -> Exported:
    """Write the archive of an owner's memories; each file is made twice, once to learn its size, and never held."""
    leaving = holdings(store)
    active = [holding for holding in leaving if holding.active and holding.ref.kind in (Kind.SEMANTIC, Kind.EPISODIC)]
    former = [holding for holding in leaving if not holding.active]
    parts: dict[str, tuple[str, Callable[[], Iterator[Json]]]] = {
        "episode": ("episodes", lambda: _episodes(store, owner)),
        "entity": ("entities", lambda: _entities(leaving, owner)),
        "fact": ("facts", lambda: _facts(former, owner)),
        "memory": ("memories", lambda: (_memory(holding, owner) for holding in active)),
        "memory_block": ("memory_blocks", lambda: _blocks(store, leaving, owner)),
    }
    sizes = {kind: _measure(records()) for kind, (_, records) in parts.items()}
    counts = {kind: count for kind, (count, _) in sizes.items() if count}
    manifest = {
        "cogx_version": "0.1",
        "source_system": "persona",
        "exported_at": _time(at),
        "counts": counts,
        "notes": [_NOTE],
    }
    with tarfile.open(fileobj=out, mode="w|gz") as archive:
        text = json.dumps(manifest, ensure_ascii=False, indent=2).encode()
        archive.addfile(_member("manifest.json", len(text), at), io.BytesIO(text))
        for kind in counts:
            name, records = parts[kind]
            add_records(archive, _member(f"{name}.jsonl", sizes[kind][1], at), records())
    written = {parts[kind][0].replace("_", " "): count for kind, count in counts.items()}
    return Exported(written, left_out(store))


def add_records(archive: tarfile.TarFile, member: tarfile.TarInfo, records: Iterable[Json]) -> None:
    """Add a file of records whose size was measured before; raises `StorageError` where they have another by now."""
    reader = _Lines(map(_line, records))
    try:
        archive.addfile(member, reader)
    except OSError as exc:
        # the tar file's own word for a file that ended early; a full disk says so itself
        if exc.errno is not None:
            raise
        raise _changed() from exc
    if reader.read(1):
        raise _changed()


def _episodes(store: Store, owner: UUID) -> Iterator[Json]:
    titles = {episode.session_id: episode.summary for episode in store.episodes.list()}
    # a session at a time: the turns of one are all that is held
    for session in store.sessions.all():
        turns = store.turns.of_session(session.id)
        said = [
            {"role": role, "content": text, "occurred_at": _time(turn.at)}
            for turn in turns
            for role, text in (("user", turn.user), ("assistant", turn.answer))
            if text
        ]
        record = _record("episode", f"session {session.id}", owner, session.started_at)
        yield {**record, "turns": said, "title": titles.get(session.id), "updated_at": _time(session.last_at)}


def _entities(leaving: Iterable[Holding], owner: UUID) -> Iterator[Json]:
    for subject in dict.fromkeys(_subject(holding) for holding in leaving):
        yield {**_record("entity", _entity_name(subject), owner), "name": subject}


def _facts(former: Iterable[Holding], owner: UUID) -> Iterator[Json]:
    for holding in former:
        entry = holding.ref.kind in (Kind.CORE, Kind.PROCEDURAL)
        source = [] if holding.turn_id is None else [outer_id(owner, Ref(Kind.MESSAGE, holding.turn_id))]
        yield {
            **_record("fact", holding.ref, owner, holding.recorded_at),
            "subject_ref": outer_id(owner, _entity_name(_subject(holding))),
            "predicate": holding.label if entry else "said",
            "object_ref": holding.text,
            "fact_text": f"{holding.label}: {holding.text}" if entry else holding.text,
            "valid_at": _time(holding.valid_from),
            # a topic that another sums up has no end of its own
            "invalid_at": None if holding.valid_to is None else _time(holding.valid_to),
            "provenance": source,
        }


def _memory(holding: Holding, owner: UUID) -> Json:
    record = _record("memory", holding.ref, owner, holding.recorded_at)
    record["metadata"].update(
        _without_none({"subject": holding.label or None, "quote": holding.quote or None, "by": holding.author.value})
    )
    return {**record, "content": holding.text, "categories": list(holding.keywords)}


def _blocks(store: Store, leaving: Iterable[Holding], owner: UUID) -> Iterator[Json]:
    kept = [holding for holding in leaving if holding.active and holding.ref.kind in (Kind.CORE, Kind.PROCEDURAL)]
    for label, block in groupby(sorted(kept, key=_block), key=_block):
        lines = [f"{holding.label}: {holding.text}" for holding in block]
        yield {**_record("memory_block", f"block {label}", owner), "label": label, "value": "\n".join(lines)}
    if store.readings.all():
        scores = "\n".join(f"{trait}: {score:.2f}" for trait, score in store.readings.latest())
        value = f"Big Five, 1 to 5, 3 is neutral\n{scores}"
        yield {**_record("memory_block", "block personality", owner), "label": "personality", "value": value}


def _block(holding: Holding) -> str:
    return holding.aspect or "habits"


def _subject(holding: Holding) -> str:
    return (holding.label if holding.ref.kind is Kind.SEMANTIC else "") or "user"


def _entity_name(subject: str) -> str:
    return f"subject {subject}"


def _record(kind: str, name: object, owner: UUID, created_at: datetime | None = None) -> Json:
    """Return what every record has; `metadata` tells what a memory is called here."""
    return {
        "kind": kind,
        "external_system": "persona",
        "external_id": outer_id(owner, name),
        "scope": {"user_id": str(owner)},
        "created_at": None if created_at is None else _time(created_at),
        "metadata": {"ref": str(name)} if isinstance(name, Ref) else {},
    }


def _measure(records: Iterable[Json]) -> tuple[int, int]:
    """Return how many records there are and how many bytes they take."""
    sizes = [len(_line(record)) for record in records]
    return len(sizes), sum(sizes)


def _changed() -> StorageError:
    return StorageError("the memory was changed while it was exported", fix="Export again.")


class _Lines(io.BytesIO):
    """A file to read whose lines are made as they are asked for."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        super().__init__()
        self._lines = lines
        self._rest = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, as many as were asked for unless that is the end."""
        pieces, wanted = [self._rest], (1 << 62 if size is None or size < 0 else size) - len(self._rest)
        while wanted > 0 and (line := next(self._lines, None)) is not None:
            pieces.append(line)
            wanted -= len(line)
        whole = b"".join(pieces)
        cut = len(whole) + min(wanted, 0)
        self._rest = whole[cut:]
        return whole[:cut]


def _member(name: str, size: int, at: datetime) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(at.timestamp())
    return member


def _line(record: Json) -> bytes:
    return json.dumps(_without_none(record), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _without_none(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
