"""What mem0 and its kin have noted of a person: a list of texts, under one of several names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Format, Item, Note, Options, Tally
from persona_cli.importers.reasons import NO_MEMORY
from persona_cli.importers.streaming import json_items
from persona_cli.importers.times import from_iso, from_seconds

_LISTS = ("item", "results.item", "memories.item", "items.item")
_TEXTS = ("memory", "text", "data", "content")
_KNOWN = re.compile(rb'"(?:memory|data)"\s*:\s*"')
_WRITTEN = re.compile(rb'"(?:content|text)"\s*:\s*"')
_LISTED = re.compile(rb'^\s*\{(?:\s*"\w+"\s*:\s*\d+,)*\s*"(?:results|memories|items)"\s*:\s*\[')
"""How many there are may stand before them."""


def _recognise(bundle: Bundle) -> bool:
    heads = [bundle.head(name) for name in bundle.only(".json")]
    return any(
        (_KNOWN.search(head) and (_LISTED.search(head) or b'"user_id"' in head or b'"created_at"' in head))
        or (_LISTED.search(head) and _WRITTEN.search(head) and b'"created_at"' in head)
        for head in heads
    )


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    del options
    for name in bundle.only(".json"):
        for number, (_, fields) in enumerate(json_items(bundle, name, *_LISTS), 1):
            text = _text(fields) if isinstance(fields, dict) else ""
            if text:
                # when it was made, not when it was touched: that is what it is known since
                times = (fields.get("created_at"), fields.get("updated_at"))
                at = next((at for time in times if (at := from_iso(time) or from_seconds(time))), None)
                yield Note(str(fields.get("id") or text), text, at)
            else:
                tally.skip(NO_MEMORY, f"{name}, memory {number}")


MEM0 = Format("mem0", "mem0", _recognise, _read)


def _text(fields: Mapping[str, Any]) -> str:
    return next((text.strip() for key in _TEXTS if isinstance(text := fields.get(key), str) and text.strip()), "")
