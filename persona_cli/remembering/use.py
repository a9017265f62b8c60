"""Which of the memories that a response was shown its answer made use of: those whose specific words it says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persona_cli.english.tokens import supported, values
from persona_cli.records import Kind, Recall, Ref, Topic

_ENOUGH = 2
"""Specific words of a memory that make it used; all of them where it has fewer."""


def used_memories(steps: Sequence[object], answer: str) -> tuple[Ref, ...]:
    """Return the facts, topics and habits that a response recalled and its answer speaks of, each once."""
    recalls = [step for step in steps if isinstance(step, Recall)]
    return tuple(dict.fromkeys(ref for recall in recalls for ref in _used(recall, answer)))


def _used(recall: Recall, answer: str) -> Iterator[Ref]:
    yield from (hit.ref for hit in recall.semantic if _says(answer, hit.memory.content))
    yield from (hit.ref for hit in recall.procedural if _says(answer, hit.memory.text))
    yield from (topic.hit.ref for topic in recall.episodic if _tells(answer, topic))
    for image in recall.images:
        yield from (Ref(Kind.SEMANTIC, one.id) for one in image.memories if _says(answer, one.content))


def _says(answer: str, text: str) -> bool:
    wanted = values(text)
    return bool(wanted) and len(supported(wanted, answer)) >= min(_ENOUGH, len(wanted))


def _tells(answer: str, topic: Topic) -> bool:
    """Tell whether an answer repeats what was said in one of the turns, or the words the topic is found by."""
    if _says(answer, " ".join(topic.hit.memory.keywords)):
        return True
    said = [values(turn.user) for turn in topic.turns]
    return any(len(supported(wanted, answer)) >= max(_ENOUGH, len(wanted) / 2) for wanted in said)
