"""The steps of an answer as JSON, and back.

Of a recall only references, scores, lanes and the window are kept: what was recalled is read from the store
when somebody asks why, so a memory that was forgotten is in no explanation either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from persona_cli.memory.tables.columns import json_from_column, legible, maybe_from_column, maybe_to_column
from persona_cli.personality import Traits
from persona_cli.records import (
    Answer,
    EpisodicMemory,
    Hit,
    Image,
    ImageMemory,
    Kind,
    Notice,
    Personality,
    ProceduralMemory,
    Recall,
    Ref,
    Retrieve,
    Section,
    SemanticMemory,
    Spent,
    Step,
    Think,
    Topic,
    Turn,
    Window,
)

KeptStep = Think | Retrieve | Recall | Personality | Notice | Spent | Answer
Found = Mapping[Ref, object]
"""The records that still exist, by reference; turns among them have no steps of their own."""

_KNOWN_FROM = re.compile(r" \((?:you said|your profile says) “(?P<words>.*)”[^”]*\)", re.DOTALL)
"""How a recall says what the time of an event is known from (`retrieval.when`): the one place that quotes."""


def encode(steps: Sequence[Step | Personality]) -> str:
    """Return the steps as JSON; the deltas are left out, being parts of a `Think` or an `Answer`."""
    written = [_encode(step) for step in steps if isinstance(step, KeptStep)]
    return json.dumps(written, ensure_ascii=False)


def decode(text: str, find: Callable[[frozenset[Ref]], Found]) -> tuple[KeptStep, ...]:
    """Return the steps; `find` is asked once for every record that any recall among them refers to."""
    found = find(references(text))
    with legible(text):
        return tuple(_decode(step, found) for step in json_from_column(text))


def references(text: str) -> frozenset[Ref]:
    """Return everything that any recall among the steps refers to."""
    with legible(text):
        steps = [step for step in json_from_column(text) if step["step"] == "recall"]
        return frozenset(Ref.parse(ref) for step in steps for ref in _refs(step))


def marks_of(refs: Collection[Ref]) -> tuple[str, ...]:
    """Return strings of which steps that refer to any of these have at least one; others may have one as well."""
    marks = [f'"{ref}"' for ref in refs]
    # the turns of topics and pictures, and the memories of pictures, stand there as bare numbers
    numbers = {ref.id for ref in refs if ref.kind in (Kind.MESSAGE, Kind.SEMANTIC)}
    marks += [form.format(number) for number in numbers for form in ("[{},", " {},", " {}]", "[{}]", ": {}}}")]
    return tuple(marks)


def without_thoughts(text: str) -> str:
    """Return the steps without what the model thought, nearly said or searched for once it had recalled something.

    All of that may quote what it had recalled.
    """
    kept, recalled = [], False
    for step in json_from_column(text):
        recalled = recalled or step["step"] == "recall"
        if step["step"] == "retrieve" and recalled:
            kept.append({**step, "keywords": ""})
        elif step["step"] != "think":
            kept.append({**step, "untoned": ""} if "untoned" in step else step)
    return json.dumps(kept, ensure_ascii=False)


def without_quotes(text: str, forgotten: Collection[str]) -> str:
    """Return the steps without the words by which a time was known, where these are of something forgotten."""

    def cut(told: str) -> str:
        return _KNOWN_FROM.sub(lambda found: "" if _is_of(found["words"], forgotten) else found[0], told)

    kept = json_from_column(text)
    for one in kept:
        if one["step"] == "recall":
            one |= {"window_source": cut(one["window_source"]), "notes": [cut(note) for note in one["notes"]]}
    return json.dumps(kept, ensure_ascii=False)


def _is_of(words: str, texts: Collection[str]) -> bool:
    return any(words.removesuffix("…") in " ".join(text.split()) for text in texts)


def _encode(step: KeptStep) -> dict[str, Any]:
    match step:
        case Recall():
            return _encode_recall(step)
        case Retrieve():
            start, end = maybe_to_column(step.start), maybe_to_column(step.end)
            return {"step": "retrieve", "keywords": step.keywords, "start": start, "end": end}
        case Personality():
            return {"step": "personality", "traits": dict(step.traits)}
        case Spent():
            sections = [[section.name, section.tokens, section.budget] for section in step.sections]
            return {"step": "spent", "total": step.total, "context": step.context, "sections": sections}
        case Answer(untoned=untoned) if untoned:
            return {"step": "answer", "text": step.text, "untoned": untoned}
        case _:
            return {"step": type(step).__name__.lower(), "text": step.text}


def _encode_recall(recall: Recall) -> dict[str, Any]:
    window = recall.window
    return {
        "step": "recall",
        "semantic": [_encode_hit(hit) for hit in recall.semantic],
        "episodic": [
            _encode_hit(topic.hit) | {"turns": [turn.id for turn in topic.turns]} for topic in recall.episodic
        ],
        "procedural": [_encode_hit(hit) for hit in recall.procedural],
        "images": [
            _encode_hit(image.hit)
            | {"memories": [memory.id for memory in image.memories], "turn": image.turn.id if image.turn else None}
            for image in recall.images
        ],
        "messages": [_encode_hit(hit) for hit in recall.messages],
        "window": None if window is None else [maybe_to_column(window.start), maybe_to_column(window.end)],
        "window_source": recall.window_source,
        "notes": list(recall.notes),
    }


def _encode_hit(hit: Hit[Any]) -> dict[str, Any]:
    return {"ref": str(hit.ref), "score": hit.score, "lanes": dict(hit.lanes)}


def _refs(one: dict[str, Any]) -> list[str]:
    refs = [hit["ref"] for part in ("semantic", "episodic", "procedural", "images", "messages") for hit in one[part]]
    refs += [f"m{turn}" for topic in one["episodic"] for turn in topic["turns"]]
    refs += [f"s{memory}" for image in one["images"] for memory in image["memories"]]
    return refs + [f"m{image['turn']}" for image in one["images"] if image["turn"] is not None]


def _decode(one: dict[str, Any], found: Found) -> KeptStep:
    match one["step"]:
        case "recall":
            return _decode_recall(one, found)
        case "retrieve":
            return Retrieve(one["keywords"], maybe_from_column(one["start"]), maybe_from_column(one["end"]))
        case "think":
            return Think(one["text"])
        case "notice":
            return Notice(one["text"])
        case "personality":
            return Personality(Traits(**one["traits"]))
        case _:
            return _decode_end(one)


def _decode_end(one: dict[str, Any]) -> Spent | Answer:
    if one["step"] == "spent":
        return Spent(one["total"], one["context"], tuple(Section(*section) for section in one["sections"]))
    return Answer(one["text"], one.get("untoned", ""))


def _decode_recall(one: dict[str, Any], found: Found) -> Recall:
    window = one["window"]
    return Recall(
        semantic=_hits(one["semantic"], SemanticMemory, found),
        episodic=tuple(_topic(hit, found) for hit in one["episodic"] if Ref.parse(hit["ref"]) in found),
        procedural=_hits(one["procedural"], ProceduralMemory, found),
        images=tuple(_image(hit, found) for hit in one["images"] if Ref.parse(hit["ref"]) in found),
        messages=_hits(one["messages"], Turn, found),
        window=None if window is None else Window(maybe_from_column(window[0]), maybe_from_column(window[1])),
        window_source=one["window_source"],
        notes=tuple(one["notes"]),
    )


def _hits(written: list[dict[str, Any]], of: type, found: Found) -> tuple[Hit[Any], ...]:
    hits = (_hit(one, found) for one in written if Ref.parse(one["ref"]) in found)
    return tuple(hit for hit in hits if isinstance(hit.memory, of))


def _hit(one: dict[str, Any], found: Found) -> Hit[Any]:
    ref = Ref.parse(one["ref"])
    return Hit(ref, found[ref], one["score"], one["lanes"])


def _topic(one: dict[str, Any], found: Found) -> Topic:
    hit: Hit[EpisodicMemory] = _hit(one, found)
    turns = (found.get(Ref(Kind.MESSAGE, turn)) for turn in one["turns"])
    return Topic(hit, tuple(turn for turn in turns if isinstance(turn, Turn)))


def _image(one: dict[str, Any], found: Found) -> ImageMemory:
    hit: Hit[Image] = _hit(one, found)
    memories = (found.get(Ref(Kind.SEMANTIC, memory)) for memory in one["memories"])
    turn = None if one["turn"] is None else found.get(Ref(Kind.MESSAGE, one["turn"]))
    return ImageMemory(
        hit,
        tuple(memory for memory in memories if isinstance(memory, SemanticMemory)),
        turn if isinstance(turn, Turn) else None,
    )
