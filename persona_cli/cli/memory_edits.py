"""The readable form a memory is edited in: TOML, because it keeps lists, quotes and line breaks apart."""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import Any

from persona_cli.errors import UsageError
from persona_cli.memory.store import Record, Store
from persona_cli.records import Author, CoreEntry, Image, ProceduralMemory, Ref, SemanticMemory

_ABOUT = "# Change what stands behind the equals signs, save and leave. Afterwards it counts as written by you.\n"


def to_form(ref: Ref, record: Record) -> str:
    """Return a record as the text to edit; raises `UsageError` for kinds that are not edited but forgotten."""
    import tomli_w

    return f"# {ref}\n{_ABOUT}" + tomli_w.dumps(_fields(ref, record), multiline_strings=True)


def apply_form(store: Store, ref: Ref, form: str, at: datetime) -> Ref:
    """Write the edited form as the person's own version; return the memory it is now."""
    record = store.get(ref)
    before, after = _fields(ref, record), _parse(form)
    if unknown := sorted(set(after) ^ set(before)):
        raise UsageError(f"the form's fields were changed: {', '.join(unknown)}", fix="Change only their values.")
    with store.transaction():
        if isinstance(record, SemanticMemory):
            store.semantic.update(
                record.id,
                content=_text(after, "text"),
                keywords=_words(after),
                subject=_text(after, "about"),
                author=Author.PERSON,
            )
            return ref
        if isinstance(record, CoreEntry):
            value = _text(after, "value")
            changed = store.core.put(record.key, value, record.aspect, at, record.turn_id, author=Author.PERSON)
            return Ref(ref.kind, changed.id)
        if isinstance(record, Image):
            store.images.set_caption(record.id, _text(after, "shows"))
            return ref
        assert isinstance(record, ProceduralMemory)
        habit = store.habits.put(record.key, _text(after, "text"), at, record.session_id, author=Author.PERSON)
        return Ref(ref.kind, habit.id)


def _fields(ref: Ref, record: Record) -> dict[str, Any]:
    if isinstance(record, SemanticMemory):
        return {"text": record.content, "about": record.subject, "keywords": list(record.keywords)}
    if isinstance(record, CoreEntry):
        return {"value": record.value}
    if isinstance(record, ProceduralMemory):
        return {"text": record.text}
    if isinstance(record, Image):
        return {"shows": record.caption}
    raise UsageError(
        f"{ref} is what happened and cannot be edited", fix=f"Delete it with `persona memory forget {ref}` instead."
    )


def _parse(form: str) -> dict[str, Any]:
    try:
        return tomllib.loads(form)
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"the form cannot be read: {exc}", fix="Keep the quotes around each text.") from exc


def _text(form: dict[str, Any], name: str) -> str:
    value = form[name]
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{name} must be a text", fix="To delete a memory use `persona memory forget`.")
    return value.strip()


def _words(form: dict[str, Any]) -> tuple[str, ...]:
    value = form["keywords"]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise UsageError("keywords must be a list of texts", fix='Write them as ["dog", "park"].')
    return tuple(word.strip() for word in value if word.strip())
