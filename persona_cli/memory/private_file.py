"""Files that leave the home: complete or not there, readable by nobody else, and never written through a link.

Who shares a folder can plant a link under any name that can be foreseen. So a file grows under a random name that
did not exist (O_EXCL), and gets its own name when it is whole: without following what stands there, and without
overwriting it unless that is asked for. A kill leaves at most the unfinished file, which nobody holds a lock on then:
the next run in that folder removes it.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from persona_cli.errors import StorageError, UsageError

UNFINISHED = ".persona-unfinished-"
"""How the names of files begin that are not whole yet."""


@contextmanager
def private_file(path: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Yield a new file of mode 0600 that gets its name when the block ends well.

    Raises `UsageError` where something stands there already and is not to be overwritten, and `StorageError`.
    """
    check_free(path, overwrite=overwrite)
    try:
        remove_unfinished(path.parent)
        handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                hold(out)
                yield out
                out.flush()
                os.fsync(out.fileno())
                _name(unfinished, path, overwrite=overwrite)
        finally:
            unfinished.unlink(missing_ok=True)
    except FileExistsError as exc:
        raise _taken(path) from exc
    except OSError as exc:
        raise StorageError(
            f"{path} cannot be written: {exc.strerror or exc}",
            fix="Check the directory, its permissions and the free disk.",
        ) from exc


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raise the `UsageError` that writing to this path would, before anything is done for it."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory", fix="Name a file in it.")
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise _taken(path)
    if not (path.is_symlink() or path.is_file()):
        raise UsageError(f"{path} is no ordinary file", fix="Choose another name.")


def find_unfinished(folder: Path) -> tuple[Path, ...]:
    """Return what killed runs of ours have left in a folder: files that no running program is writing to."""
    return tuple(path for path in sorted(folder.glob(f"{UNFINISHED}*")) if _is_left(path))


def remove_unfinished(folder: Path) -> int:
    """Delete what killed runs of ours have left in a folder, and return how many files that were."""
    removed = 0
    for left in find_unfinished(folder):
        # somebody else's, or gone meanwhile
        with suppress(OSError):
            left.unlink()
            removed += 1
    return removed


def hold(file: BinaryIO) -> None:
    """Let it be seen that a running program is still writing to a file."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path} exists already", fix="Choose another name, or overwrite it with --force.")


def _name(unfinished: Path, path: Path, *, overwrite: bool) -> None:
    """Give a file its name; what stands there is replaced, a link itself and not what it leads to, or is left."""
    if not overwrite:
        try:
            os.link(unfinished, path)
        except OSError as exc:
            if exc.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # no second names on a USB stick: the name is taken first, then what took it is replaced
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o600))
        else:
            return
    unfinished.replace(path)


def _is_left(path: Path) -> bool:
    # a database's log is held by whoever holds the database
    main = path.with_name(re.sub(r"-(wal|shm|journal)$", "", path.name))
    with suppress(FileNotFoundError):
        return not (path.is_symlink() or _is_held(main))
    return not path.is_symlink()


def _is_held(path: Path) -> bool:
    """Tell whether a running program is still writing; where there are no such locks, no open file can be deleted."""
    try:
        import fcntl
    except ImportError:
        return False
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
