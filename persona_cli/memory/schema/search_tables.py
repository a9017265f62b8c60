"""The schema of what is searched: full text and vectors, and the triggers that keep them in step with the memories.

Part of the migrations `search` and `changes` and, like them, never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SEARCH = """
        CREATE VIRTUAL TABLE text USING fts5 (
            content, keywords, answer, kind UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2'
        )
--
        CREATE TABLE vector (
            kind TEXT NOT NULL, memory_id INTEGER NOT NULL, field TEXT NOT NULL, embedder TEXT NOT NULL,
            dimension INTEGER NOT NULL, vector BLOB NOT NULL, revision INTEGER NOT NULL,
            PRIMARY KEY (kind, memory_id, field, embedder)
        ) STRICT
--
        CREATE INDEX vector_revision ON vector (revision)
--
        CREATE TABLE vector_gone (
            kind TEXT NOT NULL, memory_id INTEGER NOT NULL, field TEXT NOT NULL, embedder TEXT NOT NULL,
            revision INTEGER NOT NULL, PRIMARY KEY (kind, memory_id, field, embedder)
        ) STRICT
--
        CREATE INDEX vector_gone_revision ON vector_gone (revision)
--
        CREATE TABLE revision (one INTEGER PRIMARY KEY CHECK (one = 1), value INTEGER NOT NULL) STRICT
--
        INSERT INTO revision VALUES (1, 0)
--
        CREATE TRIGGER vector_deleted AFTER DELETE ON vector BEGIN
            UPDATE revision SET value = value + 1;
            INSERT OR REPLACE INTO vector_gone
                SELECT old.kind, old.memory_id, old.field, old.embedder, value FROM revision;
        END
--
        CREATE VIEW embeddable (kind, memory_id, field, text) AS
            SELECT 'core', id, 'content', key || ': ' || value FROM core
                WHERE status IN ('active', 'superseded')
            UNION ALL SELECT 'semantic', id, 'content', content FROM semantic
                WHERE status IN ('active', 'superseded')
            UNION ALL SELECT 'semantic', id, 'keywords',
                (SELECT group_concat(value, ', ') FROM json_each(semantic.keywords)) FROM semantic
                WHERE status IN ('active', 'superseded') AND keywords <> '[]'
            UNION ALL SELECT 'episodic', id, 'content', summary FROM episode
                WHERE status IN ('active', 'superseded')
            UNION ALL SELECT 'episodic', id, 'keywords',
                (SELECT group_concat(value, ', ') FROM json_each(episode.keywords)) FROM episode
                WHERE status IN ('active', 'superseded') AND keywords <> '[]'
            UNION ALL SELECT 'procedural', id, 'content', text FROM habit
                WHERE status IN ('active', 'superseded')
            UNION ALL SELECT 'message', id, 'content', user FROM turn WHERE trim(user) <> ''
            UNION ALL SELECT 'image', id, 'content', caption FROM image WHERE caption <> ''
        """

CHANGES = """
        CREATE TABLE text_change (
            revision INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL UNIQUE
        ) STRICT
--
        CREATE VIRTUAL TABLE text_word USING fts5vocab (text, instance)
        """


@dataclass(frozen=True, slots=True)
class _Indexed:
    """One table whose texts are searched: where full text and vectors find them."""

    table: str
    kind: str
    number: int
    """Full-text row ids are id * 8 + this, so that every row of every table has one of its own."""
    content: str
    keywords: str = "''"
    answer: str = "''"

    @property
    def has_status(self) -> bool:
        """Tell whether its rows can be hidden: a message and a picture are there or not."""
        return self.table not in ("turn", "image")

    @property
    def watched(self) -> str:
        """Return the columns whose change changes the texts."""
        names = [self.content, self.keywords, self.answer]
        return ", ".join(dict.fromkeys(name.replace("new.", "") for name in names if name.startswith("new.")))


_INDEXED = (
    _Indexed("core", "core", 0, "new.key || ': ' || new.value"),
    _Indexed("semantic", "semantic", 1, "new.content", "new.keywords"),
    _Indexed("episode", "episodic", 2, "new.summary", "new.keywords"),
    _Indexed("habit", "procedural", 3, "new.text", "new.key"),
    _Indexed("turn", "message", 4, "new.user", "''", "new.answer"),
    _Indexed("image", "image", 5, "new.caption"),
)


def search_triggers() -> Iterator[str]:
    """Yield the triggers that write full text, and delete the vectors of what is changed, deleted or hidden."""
    for one in _INDEXED:
        row = f"(new.id * 8 + {one.number}, {one.content}, {one.keywords}, {one.answer}, '{one.kind}')"
        insert = f"INSERT INTO text (rowid, content, keywords, answer, kind) VALUES {row};"  # noqa: S608 - constants
        drop_text = f"DELETE FROM text WHERE rowid = old.id * 8 + {one.number};"  # noqa: S608 - constants
        drop_vectors = f"DELETE FROM vector WHERE kind = '{one.kind}' AND memory_id = old.id;"  # noqa: S608 - constants
        yield f"CREATE TRIGGER {one.table}_added AFTER INSERT ON {one.table} BEGIN {insert} END"
        yield (
            f"CREATE TRIGGER {one.table}_changed AFTER UPDATE OF {_watched(one)} ON {one.table} "
            f"BEGIN {drop_text} {insert} {drop_vectors} END"
        )
        yield f"CREATE TRIGGER {one.table}_deleted AFTER DELETE ON {one.table} BEGIN {drop_text} {drop_vectors} END"
        if one.has_status:
            yield (
                f"CREATE TRIGGER {one.table}_hidden AFTER UPDATE OF status ON {one.table} "
                f"WHEN new.status IN ('quarantined', 'forgotten') BEGIN {drop_vectors} END"
            )


def text_rows() -> Iterator[str]:
    """Yield the statements that write full text anew from the rows it was made of."""
    for one in _INDEXED:
        row = f"id * 8 + {one.number}, {one.content}, {one.keywords}, {one.answer}, '{one.kind}'".replace("new.", "")
        yield f"INSERT INTO text (rowid, content, keywords, answer, kind) SELECT {row} FROM {one.table}"  # noqa: S608 - constants


def change_triggers() -> Iterator[str]:
    """Yield the triggers that note what was edited, deleted or shown again."""
    for one in _INDEXED:
        note = f"INSERT OR REPLACE INTO text_change (place) VALUES (old.id * 8 + {one.number});"  # noqa: S608 - constants
        noted = {"edited": f"UPDATE OF {_watched(one)}", "removed": "DELETE"}
        for name, event in noted.items():
            yield f"CREATE TRIGGER {one.table}_{name} AFTER {event} ON {one.table} BEGIN {note} END"
        if one.has_status:
            yield (
                f"CREATE TRIGGER {one.table}_shown AFTER UPDATE OF status ON {one.table}"
                " WHEN old.status IN ('quarantined', 'forgotten') AND new.status IN ('active', 'superseded')"
                f" BEGIN {note} END"
            )


def _watched(one: _Indexed) -> str:
    """Return the columns whose change changes the texts."""
    return ", ".join(dict.fromkeys(re.findall(r"new\.(\w+)", f"{one.content} {one.keywords} {one.answer}")))
