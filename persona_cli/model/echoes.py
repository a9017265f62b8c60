"""The prompt's own placeholders, which weak models give back as values: "your answer to the user", "the fact or null".

They are read off the templates that are in use, so that prompts of one's own are covered as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from persona_cli.errors import FormatError
from persona_cli.model.parsing import keyed_lines

_ANSWERED = re.compile(r"<(?:answer|think)>(.+?)</(?:answer|think)>", re.DOTALL)
_KEYED = re.compile(r'^"([^"]+)": (.+)$', re.MULTILINE)
_FREE = frozenset({"reason", "start_time", "end_time"})
"""Lines whose words nobody stores."""


class Echo(FormatError):  # noqa: N818 - a reply, and no fault of ours
    """A reply that gives the prompt's own words back: whoever does that once does it again."""


def echo_of(text: str) -> str:
    """Return a text as it is compared with placeholders: its letters and digits alone."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def find_echoes(templates: Iterable[str]) -> frozenset[str]:
    """Return what no value may be: the contents of tags and the values of lines in the output formats."""
    return frozenset(echo for template in templates for echo in _echoes(template) if " " in echo)


def refuse_echoes(reply: str, echoes: frozenset[str]) -> None:
    """Raise `Echo` for a reply in lines that gives a placeholder back as a value."""
    for key, value in keyed_lines(reply):
        if key.strip().lower() not in _FREE and echo_of(value) in echoes:
            raise Echo(f'"{key}" only repeats the words of the instructions: write a value of your own.')


def _echoes(template: str) -> Iterator[str]:
    """Yield the placeholders of one template; examples of searches are left out, as somebody may search for that."""
    _, found, formats = template.partition("# Output format")
    yield from map(echo_of, _ANSWERED.findall(template))
    yield from (echo_of(value) for _, value in _KEYED.findall(formats if found else "") if value[0] != "[")
