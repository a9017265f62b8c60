"""Forgetting in the backups of a home, before the memory itself forgets: a kill in between leaves nothing in them.

Each is written again without what is forgotten, or deleted. After going back to a backup the numbers of new memories
are those of others in the copies made before, so what is forgotten is known there by when it was noted.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from persona_cli.errors import PersonaError
from persona_cli.memory.backup import Backup, Backups
from persona_cli.memory.store import Record, Store, open_store
from persona_cli.memory.tables.copying import is_current, pictures_of
from persona_cli.records import Image, Kind, Ref, Turn


def forget_in_backups(
    backups: Backups, forgotten: Mapping[Ref, Record], words: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Let the backups lose what is forgotten; returns the names of those rewritten, and of those deleted.

    One of an older schema, a damaged one, one that has `words` elsewhere, which the memory itself will have nowhere any
    more, and what was set aside as damaged is deleted.
    """
    rewritten, dropped = [], []
    backups.remove_unfinished()
    for backup in backups.all():
        match _rewrite(backups, backup, forgotten, words):
            case True:
                rewritten.append(backup.name)
            case False:
                backup.path.unlink(missing_ok=True)
                dropped.append(backup.name)
            case None:
                pass
    return tuple(rewritten), (*dropped, *_drop_damaged(backups))


def drop_backups(backups: Backups) -> tuple[str, ...]:
    """Delete every backup and what was set aside as damaged, and return their names."""
    every = backups.all()
    backups.remove_unfinished()
    for backup in every:
        backup.path.unlink(missing_ok=True)
    return (*(backup.name for backup in every), *_drop_damaged(backups))


def pictures_in_backups(backups: Backups) -> frozenset[str]:
    """Return the SHA-256 of each picture that a backup has: going back to it wants their files."""
    return frozenset[str]().union(*(pictures_of(backup.path) for backup in backups.all()))


def _drop_damaged(backups: Backups) -> Iterator[str]:
    for aside in backups.damaged():
        shutil.rmtree(aside, ignore_errors=True)
        yield aside.name


def _rewrite(backups: Backups, backup: Backup, forgotten: Mapping[Ref, Record], words: Collection[str]) -> bool | None:
    """Tell whether a backup has lost what is forgotten; None where it never had it."""
    if not is_current(backup.path):
        return False
    try:
        with backups.unfinished() as copy:
            shutil.copyfile(backup.path, copy)
            store = open_store(copy)
            try:
                there = tuple(_there(store, forgotten))
                if there:
                    store.forget(*there)
                if store.says(words):
                    return False
            finally:
                store.close()
            if there:
                copy.replace(backup.path)
    except PersonaError:
        return False
    return True if there else None


def _there(store: Store, forgotten: Mapping[Ref, Record]) -> Iterator[Ref]:
    """Yield what is forgotten as the copy calls it."""
    copies = store.find(tuple(forgotten))
    for ref, record in forgotten.items():
        if isinstance(record, Image):
            if (image := store.images.by_hash(record.hash)) is not None:
                yield Ref(Kind.IMAGE, image.id)
        elif (copy := copies.get(ref)) is not None and _noted(copy) == _noted(record):
            yield ref


def _noted(record: Record) -> datetime:
    match record:
        case Image():
            return record.added_at
        case Turn():
            return record.at
        case _:
            return record.recorded_at
