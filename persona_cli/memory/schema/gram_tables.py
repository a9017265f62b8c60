"""The schema of full text in scripts that do not part their words by spaces, or grow words together.

FTS5 takes a Chinese, Japanese or Thai sentence for one word, and an Arabic word with its article for another one. So
every text that has such letters has a second row, in `gram`: its letters in overlapping pairs, the last of a run also
by itself, everything else as it stands: "Jessica" and two such letters are "Jessica", the pair and the second letter.
Any part of a run is then a phrase of pairs. Plain SQL, so that whoever writes the store keeps it in step; texts without
such letters have no row and cost no time.

Part of the migration `grams` and, like it, never changed.
"""

from __future__ import annotations

from collections.abc import Iterator

LETTERS = (
    "\u0590-\u08ff"  # Hebrew, Arabic and its kin
    "\u0e00-\u0fff"  # Thai, Lao, Tibetan
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u1100-\u11ff\u3005\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\uac00-\ud7ff"  # Korean, Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Chinese
    "\ufb1d-\ufdff\ufe70-\ufefc\uff66-\uff9f"  # forms of them
)
"""The letters that are written in pairs, as a class of GLOB or of a regular expression has them."""

_CHUNK = 500
"""Letters taken at a time: SQLite finds the n-th letter by counting from the first. (The LIMIT below keeps it from
taking each letter out of the whole text after all: 22,000 letters took 6.6 s.)"""

_PLACES = "json_each('[' || substr(replace(hex(zeroblob({count})), '00', ',0'), 2) || ']')"
"""The numbers from 0 on, as keys."""

_GRAMS = f"""(
    SELECT group_concat(
        CASE WHEN letter NOT GLOB '[{LETTERS}]' THEN letter
             WHEN next GLOB '[{LETTERS}]' THEN ' ' || letter || next || ' ' ELSE ' ' || letter || ' ' END, '')
    FROM (
        SELECT substr(part, place.key + 1, 1) AS letter, substr(part, place.key + 2, 1) AS next
        FROM (
            SELECT key AS number, substr({{text}}, {_CHUNK} * key + 1, {_CHUNK} + 1) AS part
            FROM {_PLACES.format(count=f"(length({{text}}) + {_CHUNK} - 1) / {_CHUNK}")} LIMIT -1
        ), {_PLACES.format(count=f"min(length(part), {_CHUNK})")} AS place
        ORDER BY number, place.key
    ))"""  # noqa: S608 - constants

GRAMS = """
        CREATE VIRTUAL TABLE gram USING fts5 (
            content, answer, tokenize = "porter unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
        )
        """

_TABLES = (
    ("core", 0, "{row}.key || ': ' || {row}.value", "''"),
    ("semantic", 1, "{row}.content || ' ' || {row}.keywords", "''"),
    ("episode", 2, "{row}.summary || ' ' || {row}.keywords", "''"),
    ("habit", 3, "{row}.text || ' ' || {row}.key", "''"),
    ("turn", 4, "{row}.user", "{row}.answer"),
    ("image", 5, "{row}.caption", "''"),
)
"""Each table, the number of its rows among all (id * 8 + number), what it says, and what the assistant says in it."""


def gram_statements() -> Iterator[str]:
    """Yield what fills the pairs from the texts there are, and the triggers that keep them in step."""
    for table, number, said, answer in _TABLES:
        parts = (said.format(row="new"), answer.format(row="new"))
        watched = ", ".join(dict.fromkeys(word[4:] for part in parts for word in part.split() if word[:4] == "new."))
        insert, drop = _insert(number, *parts, "new.id"), f"DELETE FROM gram WHERE rowid = old.id * 8 + {number};"  # noqa: S608 - constants
        yield f"CREATE TRIGGER {table}_grams_added AFTER INSERT ON {table} WHEN {_has(*parts)} BEGIN {insert}; END"
        yield (
            f"CREATE TRIGGER {table}_grams_changed AFTER UPDATE OF {watched} ON {table}"
            f" WHEN {_has(*parts)} OR {_has(said.format(row='old'), answer.format(row='old'))}"
            f" BEGIN {drop} {insert} WHERE {_has(*parts)}; END"
        )
        yield (
            f"CREATE TRIGGER {table}_grams_deleted AFTER DELETE ON {table}"
            f" WHEN {_has(said.format(row='old'), answer.format(row='old'))} BEGIN {drop} END"
        )
    yield from gram_rows()


def gram_rows() -> Iterator[str]:
    """Yield the statements that write the pairs anew from the rows they are made of."""
    for table, number, said, answer in _TABLES:
        parts = (said.format(row=table), answer.format(row=table))
        yield f"{_insert(number, *parts, f'{table}.id')} FROM {table} WHERE {_has(*parts)}"


def _insert(number: int, said: str, answer: str, row_id: str) -> str:
    columns = f"{row_id} * 8 + {number}, {_GRAMS.format(text=f'({said})')}, {_GRAMS.format(text=f'({answer})')}"
    return f"INSERT INTO gram (rowid, content, answer) SELECT {columns}"


def _has(*texts: str) -> str:
    return "(" + " OR ".join(f"({text}) GLOB '*[{LETTERS}]*'" for text in texts) + ")"
