"""Labels as a model writes them: each format of the program's tasks, and what a session's labels are made of."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from persona_cli.english.sentences import sentences
from persona_cli.model.parsing import MOST_HABITS, aspect_of
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, ProceduralDraft
from persona_cli.personality import Traits
from persona_cli.records import CoreMemory, EpisodicMemory, Retrieve
from persona_cli.synthesis.dialogue import SpokenTurn, TurnLabel, topics_of
from persona_cli.synthesis.lifeplan import ASKS, Act
from persona_cli.synthesis.phrasing import load_table

SHARED = 8
"""Keywords of a summary of several conversations at most."""
SAID = 80
"""Characters of a message that a summary quotes."""


def traits_text(scores: Traits) -> str:
    """Write five scores."""
    return "\n".join(f'"{name}": {score:.0f}' for name, score in scores)


def semantic_text(label: TurnLabel) -> str:
    """Write the four lines of what is to be remembered."""
    decided = "true" if label.content else "false"
    content, keywords = label.content or "null", ", ".join(label.keywords) or "null"
    return f'"reason": {label.reason}\n"decision": {decided}\n"content": {content}\n"keywords": {keywords}'


def topics_text(topics: Sequence[EpisodeDraft]) -> str:
    """Write three lines for each topic."""
    return "\n".join(
        f'"topic_summary": {topic.summary}\n"keywords": {", ".join(topic.keywords)}\n'
        f'"source_dialog_indices": [{", ".join(map(str, topic.turns))}]\n'
        for topic in topics
    )


def summary_text(episodes: Sequence[EpisodicMemory]) -> str:
    """Write what several conversations of one topic tell together: the first sentence of each, and their keywords."""
    firsts = (sentences(episode.summary)[0] for episode in episodes)
    words = dict.fromkeys(word for episode in episodes for word in episode.keywords)
    return f'"summary": {" ".join(dict.fromkeys(firsts))}\n"keywords": {", ".join(list(words)[:SHARED])}'


def habits_text(habits: Sequence[ProceduralDraft]) -> str:
    """Write a line for each habit, or null."""
    return "".join(f'"{habit.key}": {habit.text}\n' for habit in habits) or "null"


def core_text(core: Sequence[CoreDraft]) -> str:
    """Write a line for each key of the profile, or null."""
    return "".join(f'"{draft.key}": {draft.value}\n' for draft in core) or "null"


def think_text(thought: str, answer: str) -> str:
    """Write a thought and the answer."""
    return f"<think>{thought}</think>\n<answer>{answer}</answer>"


def search_text(thought: str, wish: Retrieve) -> str:
    """Write a thought and a search, as the conversation has it."""
    start, end = (f"{moment:%Y-%m-%d %H:%M}" if moment else "null" for moment in (wish.start, wish.end))
    return (
        f'<think>{thought}</think>\n<retrieve>\n"keywords": "{wish.keywords}"\n"start_time": "{start}"\n'
        f'"end_time": "{end}"\n</retrieve>'
    )


def topics_label(turns: Sequence[SpokenTurn], rng: Random) -> list[EpisodeDraft]:
    """Return the topics of a session, each with the turns that belong to it."""
    drafts = []
    for topic, mine in topics_of(turns):
        keywords = dict.fromkeys(word for turn in mine for word in turn.label.keywords)
        summary = _summary(mine, rng)
        words = [word for word in keywords if len(word) < 30][:6] or [topic]
        drafts.append(EpisodeDraft(summary, tuple(words), tuple(turn.place for turn in mine)))
    return drafts


def habits_label(turns: Sequence[SpokenTurn]) -> list[ProceduralDraft]:
    """Return the habits and goals that a session tells or changes."""
    habits = {}
    for turn in turns:
        if turn.label.content and turn.beat.fact is not None and (habit := turn.beat.fact.habit):
            habits[habit[0]] = ProceduralDraft(*habit)
    return list(habits.values())[-MOST_HABITS:]


def core_label(turns: Sequence[SpokenTurn], current: CoreMemory) -> list[CoreDraft]:
    """Return the keys of the profile that a session adds or changes."""
    core: dict[str, str] = {}
    for turn in turns:
        told = turn.beat.fact.profile if turn.label.content and turn.beat.fact is not None else None
        if turn.beat.act is Act.NAME:
            told = ("name", turn.label.keywords[1])
        if told is None:
            continue
        key, value = told[0].replace("-", " "), told[1]
        known = core.get(key) or current.get(key) or ""
        if key == "pets" and known and value not in known:
            value = f"{known}, {value}"
        if value != current.get(key):
            core[key] = value
    return [CoreDraft(key, value, aspect_of(key)) for key, value in core.items()]


def _summary(turns: Sequence[SpokenTurn], rng: Random) -> str:
    """Return a sentence or two: what was told, else what was asked, else what the talk was."""
    told = [turn.label.content for turn in turns if turn.label.content]
    if told:
        return " ".join(told[:3])
    asked = [turn.asked.about_it for turn in turns if turn.beat.act in ASKS and turn.asked]
    if asked:
        verb = rng.choice(("asked", "wanted to know"))
        return f"The user {verb} {' and '.join(asked[:2])}."
    talks = [turn for turn in turns if turn.beat.act is Act.TALK]
    if talks:
        row = next(row for row in load_table("talk")["talk"] if row["name"] == talks[0].beat.talk)
        return str(row["summary"]).format(said=_quote(talks[0].user))
    return f"The user spoke of how they are: {_quote(turns[0].user)}"


def _quote(said: str) -> str:
    words = said.replace('"', "'")
    return words if len(words) <= SAID else words[:SAID].rsplit(" ", 1)[0] + " …"
