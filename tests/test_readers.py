"""Whatever stands in a file, its reader returns what it read or says what is wrong with it (hypothesis).

`make test` tries 300 inputs, 34 of each kind; `make fuzz` 10,000 of each.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from persona_cli.config import Settings, load_settings
from persona_cli.errors import ConfigError, PersonaError, PictureError, TransferError
from persona_cli.importers.transcript import read_transcript
from persona_cli.memory.archive.reading import is_export, read_archive
from persona_cli.memory.backup import Backup, Backups
from persona_cli.memory.media import Media
from persona_cli.memory.sealing import is_sealed, seal, unseal
from persona_cli.memory.store import Store, open_snapshot, open_store
from persona_cli.memory.tables.copying import count_messages, damage
from persona_cli.model.parsing import (
    parse_caption,
    parse_core,
    parse_procedural,
    parse_semantic,
    parse_summary,
    parse_topics,
    parse_traits,
)
from persona_cli.records import Kind, Ref
from tests.archives import imported
from tests.test_archives import AT, Life, forged

IN_TEST = 34
fuzzing = settings.get_current_profile_name() == "fuzz"
tried = settings() if fuzzing else settings(max_examples=IN_TEST, suppress_health_check=list(HealthCheck))

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1, 2, 2**31, 2**53, 2**63 - 1, 2**63, 10**400]),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["", "[]", "{}", "null", "../../x", "1e400", "\x00", "\u202e", "9999-12-31T23:59:59.999999Z[UTC]"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
"""Values that stand nowhere in a good file."""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    somebody = Life(tmp_path_factory.mktemp("life"))
    yield somebody
    somebody.store.close()


@pytest.fixture(scope="module")
def empty() -> Iterator[Store]:
    store = open_store(None)
    yield store
    store.close()


def spoilt(life: Life, data: st.DataObject) -> bytes:
    """Return the archive of a life with one to three things in it changed; its counts and checksum fit."""
    lines = life.lines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(1, len(lines) - 2))
        match data.draw(st.sampled_from(["value", "value", "value", "drop", "double", "swap", "json"])):
            case "drop":
                del lines[place]
            case "double":
                lines.insert(place, json.loads(json.dumps(lines[place])))
            case "swap":
                other = data.draw(st.integers(1, len(lines) - 2))
                lines[place], lines[other] = lines[other], lines[place]
            case "json":
                _change(lines[place].get("row", {}), data, st.sampled_from(["steps", "before", "after", "keywords"]))
            case _:
                row: dict[str, Any] = lines[place].get("row", lines[place])
                row[data.draw(st.sampled_from([*row, "id"]))] = data.draw(ODD)
    return forged(lines)


def _change(row: dict[str, Any], data: st.DataObject, names: st.SearchStrategy[str]) -> None:
    """Change one value of the JSON in a column, where the row has that column."""
    name = data.draw(names)
    # what is there may have been spoilt before
    with suppress(ValueError):
        if isinstance(row.get(name), str) and (inner := json.loads(row[name])):
            chosen = inner[data.draw(st.integers(0, len(inner) - 1))] if isinstance(inner, list) else inner
            if isinstance(chosen, dict):
                chosen[data.draw(st.sampled_from([*chosen, "x"]))] = data.draw(ODD)
            row[name] = json.dumps(inner)


@tried
@given(data=st.data())
def test_archives(life: Life, blank: Path, data: st.DataObject) -> None:
    content = spoilt(life, data)
    try:
        read_archive(io.BytesIO(content), life.store)
    except TransferError:
        return
    store = open_snapshot(blank)
    with tempfile.TemporaryDirectory() as folder:
        media = Media(Path(folder), store)
        try:
            imported(content, store, media)
        except TransferError:
            assert store.empty()
            assert not [path for path in Path(folder).rglob("*") if path.is_file()]
        else:
            read_all(store)
            assert (store.verify(), media.verify()) == ((), ())
            store.forget(*(Ref(Kind.MESSAGE, turn.id) for turn in store.turns.all()))
            assert store.verify() == ()
        finally:
            store.close()


def read_all(store: Store) -> None:
    """Let every reader read what was taken over."""
    for turn in store.turns.all():
        store.turns.get(turn.id)
        store.journal.of_turn(turn.id)
        store.foresee([Ref(Kind.MESSAGE, turn.id)])
    for read in (store.core.history, store.habits.history, store.readings.all, store.images.all, store.jobs.failed):
        read()
    store.semantic.list(None)
    store.episodes.list(every=True)


EXCHANGE = st.fixed_dictionaries(
    {},
    optional={
        "time": ODD | st.sampled_from(["2023-04-27 18:30", "5/3/2023", "28/11/2022", "Tuesday", "18:30 EST"]),
        "user": ODD | st.just("hello"),
        "assistant": ODD,
        "images": ODD,
        "x": ODD,
    },
)
LINE = st.one_of(EXCHANGE.map(lambda line: json.dumps(line).encode()), st.binary(max_size=40), st.just(b"[" * 5_000))


@tried
@given(lines=st.lists(LINE, max_size=4))
def test_transcripts(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.jsonl"
        path.write_bytes(b"\n".join(lines))
        try:
            read = read_transcript(path)
        except TransferError:
            return
        assert all(exchange.at.tzinfo is not None for exchange in read)


SETTING = st.sampled_from(["model", "memory", "session", "embedding", "chroma", "server", "model.name", "x"])
CONFIG = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.tuples(SETTING, st.sampled_from(["name", "semantic", "gap_minutes", "url", "x"]), ODD).map(
        lambda drawn: f"[{drawn[0]}]\n{drawn[1]} = {json.dumps(drawn[2])}\n".encode("utf-8", "replace")
    ),
)


@tried
@given(content=CONFIG)
def test_settings(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_bytes(content)
        with suppress(ConfigError):
            assert isinstance(load_settings(path, env={}), Settings)


def _drawn(kind: str) -> bytes:
    buffer = io.BytesIO()
    Pillow.linear_gradient("L").resize((40, 30)).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


PICTURES = [_drawn(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "PPM", "JPEG2000")]


@tried
@given(data=st.data())
def test_pictures(empty: Store, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(PICTURES)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    with tempfile.TemporaryDirectory() as folder:
        media, before = Media(Path(folder), empty), len(empty.images.all())
        try:
            kept = media.add(bytes(content), AT)
        except PictureError:
            assert len(empty.images.all()) == before
            return
        assert media.path_of(kept).exists()


PARSERS: list[Callable[[str], object]] = [
    parse_traits, parse_semantic, lambda text: parse_topics(text, 4), parse_procedural, parse_core, parse_summary,
    parse_caption,
]  # fmt: skip
PIECE = st.sampled_from(
    [
        '"content": ',
        '"decision": true',
        '"reason"',
        '"topic_summary": ',
        '"openness": 4',
        "```",
        "{",
        "}",
        "\n",
        ",",
        ":",
    ]
)


@tried
@given(text=st.lists(PIECE | st.text(max_size=10), max_size=20).map("".join), parser=st.sampled_from(PARSERS))
def test_what_a_model_wrote(text: str, parser: Callable[[str], object]) -> None:
    with suppress(PersonaError):
        parser(text)


def scratched(whole: bytes, data: st.DataObject) -> bytes:
    """Return a file with one to four stretches of it overwritten, and now and then its end cut off."""
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        drawn = data.draw(st.binary(min_size=1, max_size=200))
        content[start : start + len(drawn)] = drawn
    return bytes(content[: data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content)


@tried
@given(data=st.data())
def test_backups(life: Life, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "persona.db"
        path.write_bytes(scratched(_database(life), data))
        assert count_messages(path) in (-1, 0, 1, 2)
        damage(path)
        with suppress(PersonaError):
            open_store(path).close()


@tried
@given(data=st.data())
def test_going_back_to_a_backup(life: Life, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database, source = Path(folder) / "persona.db", Path(folder) / "source.db"
        database.write_bytes(_database(life))
        source.write_bytes(scratched(database.read_bytes(), data))
        before = database.read_bytes()
        try:
            kept = Backups(database).put_back(source, AT)
        except PersonaError:
            assert database.read_bytes() == before
            return
        assert isinstance(kept, Backup)
        assert kept.messages == life.store.turns.count()
        with suppress(PersonaError), closing(open_store(database)) as store:
            store.verify()
            read_all(store)


@tried
@given(data=st.data())
def test_archive_files(life: Life, empty: Store, data: st.DataObject) -> None:
    file = io.BytesIO(scratched(forged(life.lines()), data))
    if is_sealed(file) or not is_export(file):
        return
    with suppress(TransferError):
        read_archive(file, empty)


@tried
@given(data=st.data())
def test_sealed_files(sealed: bytes, data: st.DataObject) -> None:
    with tempfile.TemporaryFile() as file:
        # behind the header, whose passphrase takes a second to be tried
        body = sealed.index(b"\n---") + 1
        file.write(sealed[:body].replace(b"scrypt", b"scrupt") + scratched(sealed[body:], data))
        file.seek(0)
        assert is_sealed(file)
        with pytest.raises(TransferError):
            unseal(file.read(), "several words")


@pytest.fixture(scope="module")
def sealed(life: Life) -> bytes:
    return seal(forged(life.lines()), "several words")


def _database(life: Life) -> bytes:
    return life.store._connection.raw.serialize()
