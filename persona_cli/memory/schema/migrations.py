"""The schema, as migrations that are only ever appended to; each runs in one transaction.

Every table is STRICT. Ids are never used twice (AUTOINCREMENT), so a reference kept in the steps of an old
answer can lose its memory but never mean another one. Triggers keep full text and vectors in step with the
memories, whoever writes them.

Tables: session, turn, image, turn_image, semantic, semantic_image, core, episode, episode_turn, habit,
reading, trait_lock, conflict, tidy, apart, used, job, cause, journal, refusal; derived: text, gram (FTS5), vector,
vector_gone, revision, look, text_change, text_word (fts5vocab), embedded, tidied, and the view embeddable.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from persona_cli.memory.schema.gram_tables import GRAMS, gram_statements
from persona_cli.memory.schema.journal_tables import LIFE, journal_triggers
from persona_cli.memory.schema.ruling_tables import RULINGS, ruling_triggers
from persona_cli.memory.schema.search_tables import CHANGES, SEARCH, change_triggers, search_triggers
from persona_cli.memory.schema.summary_tables import SUMMING, summing_triggers

migrations = Migrations("persona")


def migrate(database: Database) -> int:
    """Run the steps that are wanting, all or nothing, and return how many those were."""
    # the write lock first: of two processes that start on a new home, the second waits and finds it done
    database.execute("BEGIN IMMEDIATE")
    try:
        steps = len(migrations.pending(database))
        migrations.apply(database)
        database.execute("COMMIT")
    except BaseException:
        if database.conn.in_transaction:
            database.execute("ROLLBACK")
        raise
    return steps


def run_script(database: Database, script: str) -> None:
    """Run statements separated by a line that holds only `--`: executescript would commit behind our back."""
    for statement in script.split("\n--\n"):
        database.execute(statement)


@migrations()
def conversation(db: Database) -> None:
    """Sessions, turns and pictures."""
    run_script(
        db,
        """
        CREATE TABLE session (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            started_at TEXT NOT NULL, last_at TEXT NOT NULL, closed_at TEXT
        ) STRICT
--
        CREATE INDEX session_open ON session (last_at) WHERE closed_at IS NULL
--
        CREATE TABLE turn (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
            at TEXT NOT NULL, user TEXT NOT NULL, answer TEXT NOT NULL, model TEXT NOT NULL,
            steps TEXT NOT NULL DEFAULT '[]'
        ) STRICT
--
        CREATE INDEX turn_at ON turn (at, id)
--
        CREATE INDEX turn_session ON turn (session_id, at, id)
--
        CREATE TABLE image (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hash TEXT NOT NULL UNIQUE, mime TEXT NOT NULL,
            width INTEGER NOT NULL, height INTEGER NOT NULL, size INTEGER NOT NULL,
            phash TEXT NOT NULL, added_at TEXT NOT NULL, caption TEXT NOT NULL DEFAULT '', crop_of TEXT
        ) STRICT
--
        CREATE TABLE turn_image (
            turn_id INTEGER NOT NULL REFERENCES turn (id) ON DELETE CASCADE, place INTEGER NOT NULL,
            image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
            PRIMARY KEY (turn_id, place)
        ) STRICT
--
        CREATE INDEX turn_image_image ON turn_image (image_id)
        """,
    )


@migrations()
def memories(db: Database) -> None:
    """The four memories; core memory and habits as versions."""
    run_script(
        db,
        """
        CREATE TABLE semantic (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            content TEXT NOT NULL, keywords TEXT NOT NULL, subject TEXT NOT NULL, quote TEXT NOT NULL,
            recorded_at TEXT NOT NULL, valid_from TEXT NOT NULL,
            turn_id INTEGER REFERENCES turn (id) ON DELETE CASCADE,
            event_start TEXT, event_end TEXT, slot TEXT NOT NULL, valid_to TEXT,
            superseded_by INTEGER REFERENCES semantic (id) ON DELETE SET NULL,
            status TEXT NOT NULL CHECK (status IN ('active', 'superseded', 'quarantined', 'forgotten')),
            seen INTEGER NOT NULL, last_seen TEXT,
            author TEXT NOT NULL CHECK (author IN ('model', 'person')),
            folded TEXT NOT NULL
        ) STRICT
--
        CREATE INDEX semantic_folded ON semantic (folded)
--
        CREATE INDEX semantic_slot ON semantic (slot) WHERE slot <> ''
--
        CREATE INDEX semantic_turn ON semantic (turn_id)
--
        CREATE INDEX semantic_superseded ON semantic (superseded_by)
--
        CREATE TABLE semantic_image (
            semantic_id INTEGER NOT NULL REFERENCES semantic (id) ON DELETE CASCADE, place INTEGER NOT NULL,
            hash TEXT NOT NULL REFERENCES image (hash) ON DELETE CASCADE,
            PRIMARY KEY (semantic_id, place)
        ) STRICT
--
        CREATE INDEX semantic_image_hash ON semantic_image (hash)
--
        CREATE TABLE core (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL COLLATE NOCASE, value TEXT NOT NULL,
            aspect TEXT NOT NULL CHECK (aspect IN ('human', 'persona')), recorded_at TEXT NOT NULL,
            turn_id INTEGER REFERENCES turn (id) ON DELETE CASCADE,
            author TEXT NOT NULL CHECK (author IN ('model', 'person')), valid_to TEXT,
            status TEXT NOT NULL CHECK (status IN ('active', 'superseded', 'quarantined', 'forgotten'))
        ) STRICT
--
        CREATE UNIQUE INDEX core_current ON core (key) WHERE valid_to IS NULL
--
        CREATE INDEX core_turn ON core (turn_id)
--
        CREATE TABLE episode (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
            summary TEXT NOT NULL, keywords TEXT NOT NULL,
            started_at TEXT NOT NULL, ended_at TEXT NOT NULL, recorded_at TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('active', 'superseded', 'quarantined', 'forgotten')),
            author TEXT NOT NULL CHECK (author IN ('model', 'person'))
        ) STRICT
--
        CREATE INDEX episode_session ON episode (session_id)
--
        CREATE TABLE episode_turn (
            episode_id INTEGER NOT NULL REFERENCES episode (id) ON DELETE CASCADE, place INTEGER NOT NULL,
            turn_id INTEGER NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
            PRIMARY KEY (episode_id, place)
        ) STRICT
--
        CREATE INDEX episode_turn_turn ON episode_turn (turn_id)
--
        CREATE TABLE habit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL COLLATE NOCASE, text TEXT NOT NULL, recorded_at TEXT NOT NULL,
            session_id INTEGER REFERENCES session (id) ON DELETE CASCADE, valid_to TEXT,
            status TEXT NOT NULL CHECK (status IN ('active', 'superseded', 'quarantined', 'forgotten')),
            author TEXT NOT NULL CHECK (author IN ('model', 'person'))
        ) STRICT
--
        CREATE UNIQUE INDEX habit_current ON habit (key) WHERE valid_to IS NULL
--
        CREATE INDEX habit_session ON habit (session_id)
        """,
    )


@migrations()
def updates(db: Database) -> None:
    """Readings of the user's personality, and the queue of update jobs."""
    run_script(
        db,
        """
        CREATE TABLE reading (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            turn_id INTEGER NOT NULL REFERENCES turn (id) ON DELETE CASCADE, at TEXT NOT NULL,
            inferred TEXT NOT NULL, momentum REAL NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL
        ) STRICT
--
        CREATE INDEX reading_turn ON reading (turn_id)
--
        CREATE TABLE job (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            task TEXT NOT NULL CHECK (task IN ('personality', 'semantic', 'episodic', 'procedural', 'core')),
            turn_id INTEGER REFERENCES turn (id) ON DELETE CASCADE,
            session_id INTEGER REFERENCES session (id) ON DELETE CASCADE,
            state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
            attempts INTEGER NOT NULL, error TEXT NOT NULL, place INTEGER NOT NULL
        ) STRICT
--
        CREATE INDEX job_queue ON job (place) WHERE state <> 'done'
--
        CREATE INDEX job_turn ON job (turn_id)
--
        CREATE INDEX job_session ON job (session_id)
        """,
    )


@migrations()
def search(db: Database) -> None:
    """Full text and vectors, both derived, with the triggers that keep them in step."""
    run_script(db, SEARCH)
    for trigger in search_triggers():
        db.execute(trigger)


@migrations()
def life(db: Database) -> None:
    """What each turn changed, so that it can be taken back; what contradicts; traits a person has set or locked."""
    run_script(db, LIFE)
    for trigger in journal_triggers():
        db.execute(trigger)


@migrations()
def summing(db: Database) -> None:
    """Episodes summed up in others, what each tidying changed, and how often a memory was of use."""
    run_script(db, SUMMING)
    for statement in summing_triggers():
        db.execute(statement)


@migrations()
def looks(db: Database) -> None:
    """What pictures look like: one vector each, apart from those of texts, with which they are never compared."""
    run_script(
        db,
        """
        CREATE TABLE look (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            image_id INTEGER NOT NULL UNIQUE REFERENCES image (id) ON DELETE CASCADE,
            embedder TEXT NOT NULL, dimension INTEGER NOT NULL, vector BLOB NOT NULL
        ) STRICT
        """,
    )


@migrations()
def windows(db: Database) -> None:
    """What lies in a window of time, found without reading everything (45,000 facts: 8 ms each time)."""
    run_script(
        db,
        """
        CREATE INDEX semantic_valid ON semantic (valid_from)
--
        CREATE INDEX semantic_event ON semantic (coalesce(event_start, ''))
            WHERE coalesce(event_start, event_end) IS NOT NULL
--
        CREATE INDEX episode_time ON episode (started_at, ended_at, status)
        """,
    )


@migrations()
def captions(db: Database) -> None:
    """Who was asked to describe a picture, and captions in the journal.

    The journal keeps the words alone: who was asked stays so when they are taken back, so that nobody is asked again.
    """
    names = ["hash", "mime", "width", "height", "size", "phash", "added_at", "caption", "crop_of"]
    old, new = (", ".join(f"'{name}', {row}.{name}" for name in names) for row in ("old", "new"))
    run_script(
        db,
        f"""
        ALTER TABLE image ADD COLUMN caption_by TEXT
--
        CREATE TRIGGER image_described AFTER UPDATE OF caption ON image
            WHEN old.caption <> new.caption
                AND EXISTS (SELECT 1 FROM cause WHERE coalesce(turn_id, session_id, tidy_id) IS NOT NULL)
        BEGIN
            INSERT INTO journal (turn_id, session_id, tidy_id, place, row_id, before, after)
                SELECT turn_id, session_id, tidy_id, 'image', new.id,
                    json_object({old}, 'caption_by', new.caption_by),
                    json_object({new}, 'caption_by', new.caption_by) FROM cause;
        END
--
        CREATE TRIGGER image_gone AFTER DELETE ON image BEGIN
            DELETE FROM journal WHERE place = 'image' AND row_id = old.id;
        END
        """,  # noqa: S608 - constants
    )


@migrations()
def changes(db: Database) -> None:
    """Which texts were edited, deleted or shown again, so that what is derived from them follows without reading all.

    What is added needs no note: ids only grow. A note is the row id of the full text, or -1 for everything.
    """
    run_script(db, CHANGES)
    for trigger in change_triggers():
        db.execute(trigger)


@migrations()
def embedded(db: Database) -> None:
    """Until when every text has a vector of an embedder, as JSON of the last ids (tables/changes.py)."""
    db.execute("CREATE TABLE embedded (embedder TEXT PRIMARY KEY, moment TEXT NOT NULL) STRICT")


@migrations()
def rulings(db: Database) -> None:
    """Which rule ended a memory, and which one refused a draft."""
    run_script(db, RULINGS)
    for trigger in ruling_triggers():
        db.execute(trigger)


@migrations()
def grams(db: Database) -> None:
    """Full text by pairs of letters, for scripts whose words run together; one row for each text that has them."""
    db.execute(GRAMS)
    for statement in gram_statements():
        db.execute(statement)


@migrations()
def likenesses(db: Database) -> None:
    """The print of a picture, which tells its copies (likeness.py); one that was stored before gets it when needed."""
    db.execute(
        "CREATE TABLE likeness (image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,"
        " method INTEGER NOT NULL, print BLOB NOT NULL) STRICT"
    )


@migrations()
def imports(db: Database) -> None:
    """Which messages were imported, by a hash of where they came from, so that none is taken in twice.

    The key outlives its turn: what was imported and then forgotten does not come back with the next import.
    """
    run_script(
        db,
        """
        CREATE TABLE imported (
            key BLOB PRIMARY KEY, turn_id INTEGER REFERENCES turn (id) ON DELETE SET NULL
        ) STRICT, WITHOUT ROWID
--
        CREATE INDEX imported_turn ON imported (turn_id)
        """,
    )


@migrations()
def growth(db: Database) -> None:
    """What keeps a turn's work from growing with the memory: three indexes, and until where tidying has looked."""
    run_script(
        db,
        # the words of the last two are those of `Readings`: only the same words are answered by a partial index
        """
        CREATE INDEX semantic_subject ON semantic (lower(subject), recorded_at)
--
        CREATE INDEX reading_put ON reading (at) WHERE author = 'person'
--
        CREATE INDEX reading_telling ON reading (id) WHERE author <> 'person' AND inferred <>
        '{"openness": 3.0, "conscientiousness": 3.0, "extraversion": 3.0, "agreeableness": 3.0, "neuroticism": 3.0}'
--
        CREATE TABLE tidied (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            until TEXT, episodes INTEGER NOT NULL, fact_id INTEGER NOT NULL
        ) STRICT
        """,
    )
