"""A conversation that was edited or answered again is a tree; what the person saw last is one branch of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def active_branch(parents: Mapping[str, object], current: object, newest: Callable[[str], float]) -> tuple[str, ...]:
    """Return the nodes from the root to the one that was open last, given the parent of each.

    Where none that exists is named, it is the newest node that nothing follows. A circle ends where it closes.
    """
    node = str(current)
    if node not in parents:
        followed = set(map(str, parents.values()))
        node = max((name for name in parents if name not in followed), key=newest, default="")
    branch: dict[str, None] = {}
    while node in parents and node not in branch:
        branch[node] = None
        node = str(parents[node])
    return tuple(reversed(branch))
