"""Patterns as data: how they are written in the TOML files beside this module, and how they become regular expressions.

A blank stands for white space, at most nine characters of it: what stands farther apart is no phrase, and a page of
blanks costs no more than one of words. A line break stands for nothing, ``{name}`` for a part of that name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_PART = re.compile(r"\{([a-z]\w*)\}")


@cache
def read_table(name: str) -> Mapping[str, Any]:
    """Return the TOML file of that name beside this module."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text("utf-8"))


def late(pattern: str) -> Callable[[], re.Pattern[str]]:
    """Return what compiles a pattern, in any case, when it is first asked for: long ones take a start milliseconds."""
    return cache(lambda: re.compile(pattern, re.IGNORECASE))


def expand(pattern: str, parts: Mapping[str, str]) -> str:
    """Return what `re` compiles, with the parts put in and theirs; raises `KeyError` for an unknown part."""
    while _PART.search(pattern):
        pattern = _PART.sub(lambda match: parts[match[1]], pattern)
    return pattern.replace("\n", "").replace(" ", r"(?:\s{1,9})")
