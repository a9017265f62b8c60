"""What the scores of a search mean: each lane in a line, for `why` and `memory search --explain`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from persona_cli.cli.invocation import Invocation
from persona_cli.records import Hit

MEANING: Mapping[str, str] = {
    "dense": "close in meaning",
    "keywords": "its keywords are closer than its words",
    "text": "shares words with the question",
    "neighbours": "the messages before and after it fit",
    "session": "its conversation fits",
    "person": "speaks of the person asked about",
    "answer": "has the time or the name that is asked for",
    "form": "tells something rather than asking or agreeing",
    "distilled": "a memory made of messages, which says more in less",
    "recency": "said lately",
    "repetition": "said several times",
    "fading": "of little weight, and neither said nor used for long",
    "judged": "answers the question, read together with it (less where it does not)",
    "turns": "its best message",
    "window": "of the time asked about",
    "picture": "the same picture",
    "looks": "looks like the picture shown",
    "shows": "shows what the words describe",
    "fact": "the fact that belongs to the picture",
    "caption": "what a model wrote that the picture shows",
}
"""What each lane of a score adds points for."""

_NEXT_TO_NOTHING = 0.005


def sum_of(hit: Hit[object]) -> str:
    """Return a score as the sum of its lanes, the largest first."""
    lanes = sorted(hit.lanes.items(), key=lambda one: -abs(one[1]))
    parts = ", ".join(f"{name} {value:+.2f}" for name, value in lanes if abs(value) >= _NEXT_TO_NOTHING)
    return f"{hit.score:.2f} = {parts}" if parts else f"{hit.score:.2f}"


def print_legend(run: Invocation, hits: Iterable[Hit[object]]) -> None:
    """Print what each lane in these scores stands for, in the order of `MEANING`."""
    seen = {name for hit in hits for name, value in hit.lanes.items() if abs(value) >= _NEXT_TO_NOTHING}
    if seen:
        lines = [f"{name}: {meaning}" for name, meaning in MEANING.items() if name in seen]
        run.out.print("Scores: " + "; ".join(lines) + ".", style="dim")
