"""Exports of other services that nobody wrote: each is read, or refused with a reason, and nothing else comes of it."""

from __future__ import annotations

import copy
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persona_cli.errors import PersonaError, TransferError
from persona_cli.importers import bundle as bundles
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Options
from persona_cli.importers.formats import recognised
from persona_cli.importers.pipeline import gather
from persona_cli.importers.spool import Spool
from tests.exported import chatgpt, folder, zip_bytes
from tests.test_readers import IN_TEST, ODD, fuzzing

tried = settings() if fuzzing else settings(max_examples=IN_TEST, suppress_health_check=list(HealthCheck))


def read(path: Path) -> int:
    """Read an export to its end, and return how many exchanges are in it."""
    with Bundle(path) as bundle, Spool(path.parent) as spool:
        form = recognised(bundle)
        if form is None:
            return 0
        gather(bundle, form, Options(), timedelta(hours=1), spool)
        return sum(len(session) for _, session in spool.in_order())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something stands in a JSON value."""
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from places(inner, (*path, key))


def spoilt(export: Any, data: st.DataObject) -> Any:
    """Return an export with one to three values in it replaced or gone."""
    changed = copy.deepcopy(export)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(list(places(changed)) or [(0,)]))
        holder = changed
        for key in way:
            holder = holder[key]
        if data.draw(st.booleans()) or isinstance(holder, list):
            holder[last] = data.draw(ODD)
        else:
            del holder[last]
    return changed


@tried
@given(data=st.data())
def test_whatever_stands_in_an_export_it_is_read_or_refused(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "conversations.json"
        path.write_bytes(json.dumps(spoilt(chatgpt(), data)).encode())
        try:
            assert read(path) >= 0
        except PersonaError:
            return


@tried
@given(data=st.data())
def test_a_damaged_zip_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(zip_bytes({"conversations.json": chatgpt(), "inner.zip": zip_bytes({"a.png": b"x" * 500})}))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "export.zip"
        path.write_bytes(whole)
        try:
            assert read(path) >= 0
        except PersonaError:
            return


@pytest.mark.parametrize("seconds", [2**62, 1e308, -1, 0, True, "12", None, [], 253402300800])
def test_a_time_that_is_none_leaves_the_message_at_the_one_before(seconds: Any, tmp_path: Path) -> None:
    content = {"content_type": "text", "parts": ["hi"]}
    message = {"id": "m", "author": {"role": "user"}, "create_time": seconds, "content": content}
    export = [{"id": "c", "create_time": 1_700_000_000, "mapping": {"a": {"parent": None, "message": message}}}]
    assert read(folder(tmp_path / "e", {"conversations.json": export}) / "conversations.json") == 1


def test_a_message_that_is_none_does_not_end_the_reading(tmp_path: Path) -> None:
    export = [{"id": "c", "mapping": {"a": {"message": "text"}, "b": {"message": ["x"]}, "c": 5}}]
    assert read(folder(tmp_path / "e", {"conversations.json": export}) / "conversations.json") == 0


def test_nothing_outside_an_export_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    inside = folder(tmp_path / "e", {"conversations.json": chatgpt()})
    (inside / "link.png").symlink_to(tmp_path / "secret.txt")
    (inside / "away").symlink_to(tmp_path)
    with Bundle(inside) as bundle:
        assert bundle.names == ("conversations.json",)
        with pytest.raises(TransferError), bundle.open("../secret.txt"):
            pass


def test_zips_within_a_zip_fill_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "_NESTED", 50_000)
    inner = zip_bytes({f"{number}.txt": b"0" * 10 for number in range(300)})
    assert len(inner) < 50_000 < 2 * len(inner)
    path = tmp_path / "export.zip"
    path.write_bytes(zip_bytes({"one.zip": inner}))
    with Bundle(path) as bundle:
        assert len(bundle.names) == 300
    path.write_bytes(zip_bytes({"one.zip": inner, "two.zip": inner}))
    with pytest.raises(TransferError, match="too large"), Bundle(path) as bundle:
        assert bundle.names


def test_a_bomb_is_refused_by_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "_BOMB", 1_000_000)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", b" " * 2_000_000)
    path = tmp_path / "export.zip"
    path.write_bytes(whole.getvalue())
    with pytest.raises(TransferError, match="would unpack"):
        read(path)


def test_a_number_of_400_digits_is_no_time(tmp_path: Path) -> None:
    lines = [{"user_name": "A", "character_name": "B"}, {"mes": "hi", "is_user": True, "send_date": 10**400}]
    (tmp_path / "chat.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert read(tmp_path / "chat.jsonl") == 0
