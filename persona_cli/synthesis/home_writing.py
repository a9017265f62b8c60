"""The memory of a made-up person: a real home on disk, written as the labels say, with the real retriever over it.

Nothing is asked of a model: what the update stage would have learnt is known. Everything of one life is one
transaction, and the embedding is opened once for all lives.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from persona_cli.config import EmbeddingSettings, MemorySettings
from persona_cli.english.tokens import words
from persona_cli.memory.media import Media
from persona_cli.memory.picture_matches import PictureMatches
from persona_cli.memory.retrieval.pictures import LooksLike
from persona_cli.memory.retrieval.retriever import Retriever
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.vectors.embedding import embed_wanted, open_embedder
from persona_cli.memory.vectors.index import open_index
from persona_cli.memory.vectors.sight import Sight
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, ProceduralDraft
from persona_cli.paths import Places
from persona_cli.personality import evolve, momentum
from persona_cli.records import Box, EpisodicMemory, Query, Recall, Ref, Retrieve, SemanticMemory, Turn
from persona_cli.synthesis.dialogue import SpokenTurn

if TYPE_CHECKING:
    from persona_cli.memory.vectors.embedding import Embedder
    from persona_cli.reading.judging import Judge

GAP = timedelta(minutes=60)
RECORDED = "synthesised"
"""The model name of the turns."""


class Housing:
    """What all households share: an empty database to begin with, the embedding, the judge."""

    def __init__(self, places: Places, folder: Path, *, judged: int = 0) -> None:
        self._places = places
        self.folder = folder
        self.judged = judged
        """Of the best that a search finds, so many are judged against the question, as in use; 0 is much quicker."""

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model, opened at its first use."""
        return open_embedder(EmbeddingSettings(), self._places, lambda _note: None)

    @cached_property
    def judge(self) -> Judge:
        """What tells which memories answer a question."""
        from persona_cli.memory.vectors.state_encoder import StateEncoder
        from persona_cli.reading.judging import FOLDER, open_judge

        return open_judge(StateEncoder(self._places.weights, lambda _note: None, folder=FOLDER))

    @cached_property
    def _blank(self) -> Path:
        # all migrations of an empty database take a quarter of a second, a copy none
        self.folder.mkdir(parents=True, exist_ok=True)
        # one for each: another process must not find it half made, nor delete it when it is done
        handle, name = tempfile.mkstemp(prefix=".blank-", suffix=".db", dir=self.folder)
        os.close(handle)
        path = Path(name)
        open_store(path).close()
        return path

    @contextmanager
    def open(self, key: str) -> Iterator[WrittenHome]:
        """Open the household of a person, empty; one that was there is begun anew."""
        home = self.folder / key
        if home.exists():
            shutil.rmtree(home)
        home.mkdir(parents=True, mode=0o700)
        places = replace(self._places, home=home)
        shutil.copy(self._blank, places.database)
        store = open_store(places.database)
        try:
            with store.transaction():
                yield WrittenHome(self, places, store)
        finally:
            store.close()

    def close(self) -> None:
        """Close the embedding and delete the empty database."""
        if "embedder" in self.__dict__:
            self.embedder.close()
        if "_blank" in self.__dict__:
            self._blank.unlink(missing_ok=True)


class WrittenHome:
    """One person's memory while it is being written and asked."""

    def __init__(self, housing: Housing, places: Places, store: Store) -> None:
        self.store = store
        self.places = places
        self.media = Media(places.media, store, places.cache)
        self._housing = housing
        self._session = 0
        self._turns = 0
        self._known: set[str] = set()

    def begin(self, at: datetime) -> None:
        """Begin a session."""
        self._session = self.store.sessions.start(at).id

    def hear(self, spoken: SpokenTurn) -> Turn:
        """Store a turn as it was said, with its picture."""
        shown = (self.media.add(spoken.picture.path, spoken.at),) if spoken.picture else ()
        user = spoken.user.replace("<img>", "").strip()
        return self.store.turns.add(self._session, spoken.at, user, spoken.answer, RECORDED, shown)

    def knows(self, name: str) -> bool:
        """Tell whether a name occurs in what is remembered so far."""
        return name.casefold() in self._known

    def learn(self, spoken: SpokenTurn, turn: Turn) -> None:
        """Write what the labels of a turn say: the reading of the traits, and the memory."""
        label, readings = spoken.label, self.store.readings
        before = readings.latest()
        after = evolve(before, label.scores, self._turns)
        readings.add(turn.id, turn.at, label.scores, momentum(self._turns), before, after)
        self._turns += 1
        if not label.content:
            return
        self._known |= {word.casefold() for word in words(label.content)}
        memory = SemanticMemory(
            0, label.content, label.keywords, label.subject, turn.user, turn.at, turn.at, turn.id,
            self._shown(spoken, turn), slot=slot_of(spoken),
        )  # fmt: skip
        held = self.store.semantic.active_in_slot(memory.slot) if memory.slot else ()
        kept = self.store.semantic.add(memory)
        for old in held:
            self.store.semantic.supersede(old.id, kept.id, turn.at, "synthesised")

    def _shown(self, spoken: SpokenTurn, turn: Turn) -> tuple[str, ...]:
        """Return the pictures of a memory; of one whose place in the picture is known, that part."""
        if spoken.label.box is None:
            return tuple(image.hash for image in turn.images)
        return (self.media.crop(turn.images[0], Box(*spoken.label.box)).hash,)

    def close_session(
        self,
        turns: Sequence[Turn],
        topics: Sequence[EpisodeDraft],
        habits: Sequence[ProceduralDraft],
        core: Sequence[CoreDraft],
    ) -> None:
        """Write what the labels of a session say, and close it."""
        last = turns[-1]
        for topic in topics:
            mine = [turns[place] for place in topic.turns]
            self.store.episodes.add(
                EpisodicMemory(
                    0, self._session, topic.summary, topic.keywords, tuple(turn.id for turn in mine),
                    mine[0].at, mine[-1].at, last.at,
                )
            )  # fmt: skip
        for habit in habits:
            self.store.habits.put(habit.key, habit.text, last.at, session_id=self._session)
        for draft in core:
            self.store.core.put(draft.key, draft.value, draft.aspect, last.at, turn_id=last.id)
        self.store.sessions.close(self._session, last.at)

    def search(self, rng: Random | None) -> Retriever:
        """Return the retriever over what is written so far; with `rng` it brings a number of memories by chance.

        The chance, 3 to 6 facts and 2 to 5 topics, is that of the published training: a model that always sees as many
        learns to count on it.
        """
        housing = self._housing
        embed_wanted(self.store, housing.embedder)
        settings = MemorySettings(judged=housing.judged)
        if rng is not None:
            settings = replace(settings, semantic=rng.randrange(3, 7), episodic=rng.randrange(2, 6))
        index = open_index(
            self.places, self.store, housing.embedder.name, housing.embedder.dimension, lambda _note: None
        )
        sight = Sight(self.places, self.store, self.media, "none", lambda _note: None)
        return Retriever(
            self.store, index, housing.embedder, PictureMatches(self.store, self.media), LooksLike(self.store, sight),
            judge=housing.judge, settings=settings, gap=GAP,
        )  # fmt: skip

    def recaller(self, rng: Random | None) -> Recaller:
        """Return a search that is opened when it is first asked."""
        return Recaller(self, rng)


class Recaller:
    """Searches as a response does; many responses never search, so nothing is opened before."""

    def __init__(self, household: WrittenHome, rng: Random | None) -> None:
        self._household = household
        self._rng = rng
        self._retriever: Retriever | None = None

    def __call__(self, query: Query, wish: Retrieve, shown: Collection[Ref]) -> Recall:
        """Return what a search brings back."""
        self._retriever = self._retriever or self._household.search(self._rng)
        return self._retriever.recall(query, wish, shown)


def slot_of(spoken: SpokenTurn) -> str:
    """Return the attribute that a told fact fills: a change takes the place of what filled it before."""
    fact = spoken.beat.fact
    return f"{fact.of}/{fact.kind.name}" if fact is not None and fact.kind.change else ""
