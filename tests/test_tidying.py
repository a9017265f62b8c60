"""Old topics summed up: the right ones, in words that were said, taken back exactly, nothing ever lost."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.tidying import Tidying, take_back
from persona_cli.config import Settings
from persona_cli.english.tokens import words
from persona_cli.memory.store import Store, open_store
from persona_cli.paths import find_places
from persona_cli.records import EpisodicMemory, Kind, Query, Ref, Retrieve, Status, Task
from tests.archives import exported, imported
from tests.years import END, SINGLE, build_years, topics_of

pytestmark = [pytest.mark.gguf, pytest.mark.slow]

KEPT = ("turn", "session", "semantic", "core", "habit", "episode", "episode_turn", "reading", "used", "journal")


@pytest.fixture(scope="module")
def untidied(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    home = tmp_path_factory.mktemp("years")
    (home / "models").mkdir()
    for file in minilm.iterdir():
        if file.suffix != ".lock":
            (home / "models" / file.name).hardlink_to(file)
    build_years(home)
    return home


@pytest.fixture
def years(untidied: Path, home: Path) -> Iterator[Assistant]:
    """Return an assistant at the end of the two years."""
    shutil.copytree(untidied, home, dirs_exist_ok=True, copy_function=_linked)
    places = find_places(env={"PERSONA_HOME": str(home)})
    opened = open_assistant(places, Settings(), clock=lambda: END, notice=print)
    yield opened
    opened.close()


def _linked(source: str, target: str) -> str:
    # weights are never written to
    if source.endswith(".gguf"):
        Path(target).hardlink_to(source)
        return target
    return shutil.copy2(source, target)


def summaries(store: Store) -> list[EpisodicMemory]:
    return [episode for episode in store.episodes.list() if episode.parts]


def rows(store: Store, *but: str) -> list[object]:
    return [pair for pair in store.export_rows() if pair[0] in KEPT and pair[0] not in but]


def summary_of(store: Store, topic: str) -> EpisodicMemory:
    (found,) = [summary for summary in summaries(store) if topic in set(topics_of(store, summary))]
    return found


def test_only_what_is_of_one_topic_is_merged_and_most_of_it_is(years: Assistant) -> None:
    store = years.memory.store
    leaves = store.episodes.list(every=True)
    known = {leaf.id: Counter(topics_of(store, leaf)).most_common(1)[0][0] for leaf in leaves}
    store.jobs.add(Task.TIDY, session_id=max(session.id for session in store.sessions.all()))
    assert not years.updates.run().failed
    merged = [pair for summary in summaries(store) for pair in combinations(summary.parts, 2)]
    assert all(known[one] == known[other] != SINGLE for one, other in merged)
    old = [leaf for leaf in leaves if leaf.ended_at <= END - timedelta(days=30)]
    same = [(one, other) for one, other in combinations(old, 2) if known[one.id] == known[other.id] != SINGLE]
    assert len(merged) >= 0.6 * len(same)
    assert len(summaries(store)) >= 10


def test_nothing_is_deleted_and_a_summary_has_the_turns_of_its_parts(years: Assistant) -> None:
    store = years.memory.store
    before = store.episodes.list(every=True)
    turns = list(store.turns.all())
    years.tidy(dry_run=False)
    assert list(store.turns.all()) == turns
    after = {episode.id: episode for episode in store.episodes.list(every=True)}
    for one in before:
        assert (after[one.id].summary, after[one.id].turn_ids) == (one.summary, one.turn_ids)
    for one in summaries(store):
        parts = [after[part] for part in one.parts]
        assert set(one.turn_ids) == {turn_id for part in parts for turn_id in part.turn_ids}
        assert one.started_at == min(part.started_at for part in parts)
        assert one.ended_at == max(part.ended_at for part in parts)
        assert {(part.status, part.merged_into) for part in parts} == {(Status.SUPERSEDED, one.id)}
    assert store.verify() == ()


def test_the_built_in_model_invents_no_word(years: Assistant) -> None:
    store = years.memory.store
    years.tidy(dry_run=False)
    for summary in summaries(store):
        parts = store.episodes.many(summary.parts)
        told = " ".join(f"{part.summary} {part.started_at:%Y-%m-%d} {' '.join(part.keywords)}" for part in parts)
        when = f"to and {summary.started_at:%B %Y} {summary.ended_at:%B %Y}"
        assert set(words(summary.summary.casefold())) <= set(words(f"{told} {when}".casefold()))
        # what stands in quotes is what was said, to the letter
        said = " ".join(turn.user for turn in store.turns.many(summary.turn_ids))
        assert all(quote in said for quote in re.findall("“(.*?)”", summary.summary))


def test_what_one_job_leaves_the_next_goes_on_with(years: Assistant) -> None:
    tidying = Tidying(years.memory, years.model, timedelta(days=30))
    whole = tidying.propose(END, lambda: False)
    first = tidying.propose(END, lambda: False, most=2)
    rest = tidying.go_on(first, END, lambda: False)
    assert (len(first.merged), rest.rest) == (2, ())
    assert (*first.merged, *rest.merged) == whole.merged
    assert rest.looked == whole.looked
    years.memory.forget(Ref(Kind.EPISODIC, first.rest[0].ids[0]))
    assert len(tidying.go_on(first, END, lambda: False).merged) == len(rest.merged) - 1


def test_a_dry_run_changes_nothing_and_tells_what_a_run_does(years: Assistant) -> None:
    store = years.memory.store
    before = list(store.export_rows())
    shown = years.tidy(dry_run=True)
    assert list(store.export_rows()) == before
    done = years.tidy(dry_run=False)
    assert [merging.added for merging in done.merged] == [merging.added for merging in shown.merged]
    assert [merging.summary.summary for merging in done.merged] == [merging.summary.summary for merging in shown.merged]


def test_tidying_twice_is_tidying_once(years: Assistant) -> None:
    store = years.memory.store
    years.tidy(dry_run=False)
    once = list(store.export_rows())
    assert years.tidy(dry_run=False).empty
    assert list(store.export_rows()) == once


def test_taking_back_leaves_everything_as_it_was_and_it_stays_so(years: Assistant) -> None:
    store = years.memory.store
    before = rows(store)
    years.tidy(dry_run=False)
    assert rows(store) != before
    tidied = store.tidies.latest()
    assert tidied is not None
    assert not take_back(years.memory, tidied.id).kept
    assert rows(store) == before
    assert store.tidies.latest() is None
    assert years.tidy(dry_run=False).empty
    assert years.tidy(dry_run=True, again=True).merged


def test_a_summary_grows_and_each_growth_is_taken_back_by_itself(years: Assistant) -> None:
    store = years.memory.store
    years.tidy(dry_run=False, days=300)
    first = {summary.id: summary for summary in summaries(store)}
    between = rows(store, "journal")
    years.tidy(dry_run=False, days=30)
    grown = [
        summary for summary in summaries(store) if summary.id in first and summary.parts != first[summary.id].parts
    ]
    assert grown
    assert all(set(first[one.id].parts) < set(one.parts) for one in grown)
    second = store.tidies.latest()
    assert second is not None
    assert not take_back(years.memory, second.id).kept
    assert rows(store, "journal") == between
    remaining = store.tidies.latest()
    assert remaining is not None
    assert remaining.id < second.id


def test_a_tidying_that_a_later_one_built_on_keeps_what_has_grown(years: Assistant) -> None:
    store = years.memory.store
    years.tidy(dry_run=False, days=300)
    first = store.tidies.latest()
    assert first is not None
    old = {summary.id: summary for summary in summaries(store)}
    years.tidy(dry_run=False, days=30)
    done = take_back(years.memory, first.id)
    left = {summary.id for summary in summaries(store)}
    for one in old.values():
        assert (one.id in left) == any(change.after.id == one.id for change in done.kept)
    assert store.verify() == ()


def test_forgetting_a_message_takes_the_summary_with_it_and_frees_its_parts(years: Assistant) -> None:
    store = years.memory.store
    years.tidy(dry_run=False)
    chosen = summary_of(store, "sourdough")
    walnuts = next(turn for turn in store.turns.many(chosen.turn_ids) if "walnuts" in turn.user)
    years.memory.forget(Ref(Kind.MESSAGE, walnuts.id))
    assert "walnuts" not in str(list(store.export_rows()))
    left = store.episodes.many(chosen.parts)
    assert len(left) == len(chosen.parts) - 1
    assert {(one.status, one.merged_into, one.merged_at) for one in left} == {(Status.ACTIVE, None, None)}
    assert not store.episodes.many([chosen.id])
    assert store.verify() == ()


def test_forgetting_a_summary_frees_its_parts(years: Assistant) -> None:
    store = years.memory.store
    years.tidy(dry_run=False)
    chosen = summary_of(store, "chess")
    years.memory.forget(Ref(Kind.EPISODIC, chosen.id))
    assert {episode.status for episode in store.episodes.many(chosen.parts)} == {Status.ACTIVE}
    assert store.verify() == ()


def test_an_export_of_summaries_comes_back_to_the_byte(years: Assistant) -> None:
    years.tidy(dry_run=False)
    first = exported(years.memory.store, years.memory.media)
    store = open_store(None)
    imported(first, store, years.memory.media)
    assert exported(store, years.memory.media) == first
    assert [summary.parts for summary in summaries(store)] == [
        summary.parts for summary in summaries(years.memory.store)
    ]
    store.close()


def test_a_search_finds_the_summary_and_the_parts_as_of_then(years: Assistant) -> None:
    store = years.memory.store
    search = years.memory.retriever.search
    before = END - timedelta(seconds=1)
    wanted = {hit.ref for hit in search("tomatoes on the balcony", kinds=[Kind.EPISODIC], at=END).hits}
    years.tidy(dry_run=False)
    chosen = summary_of(store, "garden-balcony")
    (best, *others) = search("tomatoes on the balcony", kinds=[Kind.EPISODIC], at=END).hits
    assert best.ref.id == chosen.id
    assert not {hit.ref.id for hit in others} & set(chosen.parts)
    then = search("tomatoes on the balcony", kinds=[Kind.EPISODIC], at=END, as_of=before).hits
    assert {hit.ref for hit in then} >= {ref for ref in wanted if ref.id in chosen.parts}
    assert chosen.id not in {hit.ref.id for hit in then}


def test_a_summary_is_told_by_the_turns_that_answer_best(years: Assistant) -> None:
    years.tidy(dry_run=False)
    chosen = summary_of(years.memory.store, "marathon")
    asked = Query("How long did I take for the marathon?", END)
    recall = years.memory.retriever.recall(asked, Retrieve("marathon finished hours"))
    topic = next(topic for topic in recall.episodic if topic.hit.ref.id == chosen.id)
    assert len(topic.turns) <= 8 < len(chosen.turn_ids)
    assert any("four hours and ten minutes" in turn.user for turn in topic.turns)
    shown = {turn.id for turn in topic.turns}
    assert not shown & {hit.ref.id for hit in recall.messages}
