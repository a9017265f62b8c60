"""The one way of every format into memory: read and count, put in order, store, note what others had noted.

All of a file is read before anything is stored, so one that is damaged changes nothing. Storing goes on where it was
stopped, because every message is known by its key.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from persona_cli.agent.replay import Exchange, store_session
from persona_cli.errors import Interrupted, PictureError, TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Conversation, Format, Note, Options, Tally
from persona_cli.importers.exchanges import Told, stretches
from persona_cli.importers.notes import store_notes
from persona_cli.importers.photos.doubles import is_double
from persona_cli.importers.reasons import ABSENT, BROKEN, DOUBLES, SAME
from persona_cli.importers.spool import Spool
from persona_cli.memory import Memory
from persona_cli.memory.media import MAX_BYTES
from persona_cli.model.tasks import Stop
from persona_cli.records import Image

OnStored = Callable[[int, int], None]
"""Told exchanges stored and all of them."""

_AT_ONCE = 100
"""Exchanges in a transaction, as in a replay: the disk is waited for once."""
DATA_URL = "data:image/"
"""How a picture begins that stands in the message itself."""
_SHOWN = 80
_MOST_NOTES = 10_000
"""No program notes more about a person; all of them are in memory at once."""
_LONGEST_NOTE = 2_000
"""Characters of a note: it is one memory, which stands whole in prompts."""


@dataclass(slots=True)
class ExportContents:
    """What is in an export, and what of it is left out."""

    service: str
    conversations: int = 0
    turns: int = 0
    """Exchanges in which the person says or shows something."""
    context: int = 0
    """Stretches that only others wrote."""
    pictures: int = 0
    notes: int = 0
    """What the other program had noted of the person."""
    first: datetime | None = None
    last: datetime | None = None
    tally: Tally = field(default_factory=Tally)

    def count(self, told: Told) -> None:
        """Count one exchange."""
        self.turns += told.own
        self.context += not told.own
        self.pictures += len(told.pictures)
        self.first = min(self.first or told.at, told.at)
        self.last = max(self.last or told.last_at, told.last_at)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What an import stored."""

    added: int
    known: int
    """Exchanges and notes that were there already, or were forgotten since."""
    notes: int
    quarantined: int
    """Notes that read like instructions to a model."""


@dataclass(slots=True)
class Gathered:
    """A whole export, read and counted, ready to be stored."""

    found: ExportContents
    spool: Spool | None
    notes: list[Note] = field(default_factory=list)
    photos: bool = False
    """An exchange without its picture is none."""
    dropped: list[str] = field(default_factory=list)
    """SHA-256 of pictures that were kept and then seen to be doubles."""


def gather(bundle: Bundle, format_: Format, options: Options, gap: timedelta, spool: Spool | None = None) -> Gathered:
    """Read an export to its end; with a spool also keep what was read. Raises `TransferError` where it cannot be."""
    found = ExportContents(format_.name)
    gathered = Gathered(found, spool, photos=format_.photos)
    seen: set[str] = set()
    there = frozenset(bundle.names)
    for item in format_.read(bundle, options, found.tally):
        if isinstance(item, Note):
            if len(item.text) > _LONGEST_NOTE:
                found.tally.skip(f"notes over {_LONGEST_NOTE:,} characters")
            elif len(gathered.notes) < _MOST_NOTES:
                gathered.notes.append(item)
            else:
                found.tally.skip(f"notes beyond the first {_MOST_NOTES:,}")
            continue
        if item.id in seen:
            found.tally.skip(SAME)
            continue
        seen.add(item.id)
        _gather(item, gathered, gap, there)
    found.notes = len(gathered.notes)
    return gathered


def _gather(conversation: Conversation, gathered: Gathered, gap: timedelta, there: frozenset[str]) -> None:
    found, any_ = gathered.found, False
    for session in stretches(conversation, found.service, gap, found.tally):
        any_ = True
        for told in session:
            kept = tuple(name for name in told.pictures if name in there or name.startswith(DATA_URL))
            found.tally.skip(ABSENT, count=len(told.pictures) - len(kept))
            told.pictures = kept
            found.count(told)
        if gathered.spool is not None:
            gathered.spool.add(session, learn=conversation.learn)
    found.conversations += any_


def store(
    memory: Memory,
    bundle: Bundle,
    gathered: Gathered,
    now: datetime,
    *,
    mine: bool = False,
    on_stored: OnStored = lambda _done, _all: None,
    stop: Stop = lambda: False,
) -> TakenIn:
    """Store what was gathered, oldest first; raises `Interrupted` when stopped, and the same import goes on."""
    assert gathered.spool is not None
    found, added, done, before = gathered.found, 0, 0, _left_out(gathered)
    total = found.turns + found.context
    for batch in _batches(gathered.spool.in_order()):
        if stop():
            raise Interrupted("the import was stopped", fix="The same command goes on where it was.")
        added += _store_batch(memory, bundle, batch, gathered)
        done += sum(len(session) for _, session in batch)
        on_stored(done, total)
    _remove_dropped(memory, gathered.dropped)
    noted = store_notes(memory, found.service, gathered.notes, now, mine=mine)
    known = total - added - (_left_out(gathered) - before) + found.notes - noted.added
    return TakenIn(added, known, noted.added, noted.quarantined)


def _left_out(gathered: Gathered) -> int:
    """Return how many photos were left out so far that were counted as some before."""
    counts = gathered.found.tally.counts
    return counts[BROKEN] + counts[DOUBLES] if gathered.photos else 0


Session = tuple[bool, list[Told]]
"""Whether to learn from it, and its exchanges."""


def _batches(sessions: Iterable[Session]) -> Iterator[list[Session]]:
    """Yield sessions that are stored together; one with pictures is stored alone."""
    batch: list[Session] = []
    for session in sessions:
        shows = any(told.pictures for told in session[1])
        if batch and (shows or sum(len(told) for _, told in batch) >= _AT_ONCE):
            yield batch
            batch = []
        batch.append(session)
        if shows:
            yield batch
            batch = []
    if batch:
        yield batch


def _store_batch(memory: Memory, bundle: Bundle, batch: list[Session], gathered: Gathered) -> int:
    if len(batch) > 1:
        with memory.store.transaction():
            return sum(_store_session(memory, bundle, *session, gathered) for session in batch)
    return _store_session(memory, bundle, *batch[0], gathered)


def _store_session(memory: Memory, bundle: Bundle, learn: bool, session: list[Told], gathered: Gathered) -> int:
    tally = gathered.found.tally
    before: list[tuple[Image, datetime]] = []

    def show(place: int) -> tuple[Image, ...] | None:
        told = session[place]
        images = tuple(image for name in told.pictures if (image := _kept(memory, bundle, name, told.at, tally)))
        if not gathered.photos:
            return images
        if not images or _is_double(memory, images[0], told, before, gathered):
            return None
        before.append((images[0], told.at))
        return images

    exchanges = [Exchange(told.at, told.user, told.answer, key=told.key, learn=learn and told.own) for told in session]
    return store_session(memory, exchanges, show)


def _kept(memory: Memory, bundle: Bundle, name: str, at: datetime, tally: Tally) -> Image | None:
    """Keep a picture of the bundle; one that is damaged or none at all is counted, and its message stays."""
    try:
        content = b64decode(name.partition(",")[2]) if name.startswith(DATA_URL) else bundle.read(name, MAX_BYTES)
        return memory.media.add(content, at)
    except (PictureError, TransferError, ValueError):
        tally.skip(BROKEN, name[:_SHOWN])
        return None


def _is_double(
    memory: Memory, image: Image, told: Told, before: list[tuple[Image, datetime]], gathered: Gathered
) -> bool:
    """Tell whether a photo was brought in before; then it is let go, and known to be one from now on."""
    if not is_double(memory, image, told.at, before):
        return False
    gathered.found.tally.skip(DOUBLES, told.pictures[0])
    with memory.store.transaction():
        memory.store.imports.add(told.key)
        if all(image.id != kept.id for kept, _ in before):
            memory.store.images.drop_unused(image.id)
            gathered.dropped.append(image.hash)
    return True


def _remove_dropped(memory: Memory, dropped: list[str]) -> None:
    """Delete the files of doubles; of an import that is stopped they are what a kill leaves (orphans)."""
    spared = memory.in_backups() if dropped else ()
    for digest in dropped:
        if digest not in spared and memory.store.images.by_hash(digest) is None:
            memory.media.remove(digest)


def spool_in(folder: Path) -> Spool:
    """Return a spool on the disk that the memory is on; the folder is made where there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Spool(folder)
