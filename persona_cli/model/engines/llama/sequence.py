"""One conversation's place in the key-value cache: what is evaluated already is not evaluated again.

A prompt is a list of items, tokens and pictures. `Lane.evaluate` compares it with what the cache holds, forgets
from the first difference on, and evaluates the rest; pictures are compared by the hash of their content. There is
no context shift: it aborts the process on M-RoPE models, so a prompt must fit before it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from persona_cli.errors import Interrupted
from persona_cli.model.engines.llama.native import Context, Stop
from persona_cli.model.engines.llama.vision import Vision, VisionPicture

Item = int | VisionPicture


def tokens_of(items: Sequence[Item]) -> int:
    """Return how many places in the cache `items` take."""
    return sum(item.tokens if isinstance(item, VisionPicture) else 1 for item in items)


def positions_of(items: Sequence[Item]) -> int:
    """Return how far `items` move the position; a picture moves it by its longer side only (M-RoPE)."""
    return sum(item.positions if isinstance(item, VisionPicture) else 1 for item in items)


class NoRoom(Exception):  # noqa: N818 - a signal to the engine, which makes room and tries again
    """The cache has no place left for this lane."""


@dataclass(slots=True)
class Lane:
    """One sequence of a context, with the items the cache holds for it."""

    number: int
    held: list[Item] = field(default_factory=list)
    used_at: int = 0
    evaluated: int = 0
    """Tokens evaluated in this lane so far, pictures included."""
    _end: int = 0
    """The position behind the last item held."""

    def evaluate(self, items: Sequence[Item], context: Context, vision: Vision | None, stop: Stop) -> int:
        """Make the cache hold exactly `items`; return the tokens that had to be evaluated.

        The last item is always evaluated, because its logits are wanted. Raises `Interrupted` once stopped and
        `NoRoom` where the cache is full; both leave the lane consistent.
        """
        keep = min(_common(self.held, items), len(items) - 1)
        self._cut(keep, context)
        before = self.evaluated
        while len(self.held) < len(items):
            if stop():
                raise Interrupted("the answer was stopped")
            start = len(self.held)
            if isinstance(first := items[start], VisionPicture):
                assert vision is not None
                code = vision.decode(first, context, self._end, self.number)
                self._account([first], code, context)
            else:
                run = _run_of_tokens(items, start, context.batch)
                self._account(run, context.decode(run, self._end, self.number, stop), context)
        return self.evaluated - before

    def append(self, token: int, context: Context, stop: Stop) -> None:
        """Evaluate one more token behind what is held; raises like `evaluate`."""
        if stop():
            raise Interrupted("the answer was stopped")
        self._account([token], context.decode([token], self._end, self.number, stop), context)

    def hold(self, items: Sequence[Item]) -> None:
        """Note that the cache has `items` for this lane: they were read from a file."""
        self.held = list(items)
        self._end = positions_of(self.held)

    def clear(self, context: Context) -> None:
        """Give the lane's place in the cache back."""
        self._cut(0, context)

    def _account(self, items: Sequence[Item], code: int, context: Context) -> None:
        if code == 0:
            self.held.extend(items)
            self._end += positions_of(items)
            self.evaluated += tokens_of(items)
            return
        # after an abort or a full cache llama.cpp leaves the sequence in doubt: start it afresh
        self._cut(0, context)
        if code == 1:
            raise NoRoom
        raise Interrupted("the answer was stopped")

    def _cut(self, keep: int, context: Context) -> None:
        if keep < len(self.held) or keep == 0:
            end = positions_of(self.held[:keep])
            if not context.cut(self.number, end):
                keep = end = 0
            self._end = end
            del self.held[keep:]


def _common(held: Sequence[Item], wanted: Sequence[Item]) -> int:
    count = 0
    for one, other in zip(held, wanted, strict=False):
        if not _same(one, other):
            break
        count += 1
    return count


def _same(one: Item, other: Item) -> bool:
    if isinstance(one, VisionPicture) and isinstance(other, VisionPicture):
        return one.hash == other.hash
    return not isinstance(one, VisionPicture) and not isinstance(other, VisionPicture) and one == other


def _run_of_tokens(items: Sequence[Item], start: int, most: int) -> list[int]:
    run: list[int] = []
    for item in items[start : start + most]:
        if isinstance(item, VisionPicture):
            break
        run.append(item)
    return run
