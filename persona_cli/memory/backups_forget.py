"""Forgetting in the backups of a home: each is written again without what was forgotten, or deleted."""

from __future__ import annotations

import shutil

from persona_cli.errors import PersonaError
from persona_cli.memory.backup import Backup, Backups
from persona_cli.memory.store import Receipt, open_store
from persona_cli.memory.tables.copying import is_current, says


def forget_in_backups(backups: Backups, receipt: Receipt) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Let the backups lose what was forgotten; returns the names of those rewritten, and of those deleted.

    One of an older schema, a damaged one, one that still has the words where the memory itself has them no more, and
    what was set aside as damaged is deleted. With a receipt that names nothing all of it is.
    """
    rewritten, dropped = [], []
    for backup in backups.all():
        if receipt.refs and _rewrite(backups, backup, receipt):
            rewritten.append(backup.name)
        else:
            backup.path.unlink(missing_ok=True)
            dropped.append(backup.name)
    for aside in backups.damaged():
        shutil.rmtree(aside, ignore_errors=True)
        dropped.append(aside.name)
    return tuple(rewritten), tuple(dropped)


def _rewrite(backups: Backups, backup: Backup, receipt: Receipt) -> bool:
    if not is_current(backup.path):
        return False
    try:
        with backups.unfinished() as copy:
            shutil.copyfile(backup.path, copy)
            store = open_store(copy)
            try:
                if there := store.find(receipt.refs):
                    store.forget(*there)
            finally:
                store.close()
            forgotten = [text for text in receipt.words if not says(backups.database, (text,))]
            if says(copy, tuple(forgotten)):
                return False
            copy.replace(backup.path)
    except PersonaError:
        return False
    return True
