"""The chat template of a model: what stands around each message, as the file that has the weights says.

A template is a program in Jinja, run in the sandbox of the library that is made for it. It is given a mark in place of
each text and picture, so nothing that is said is ever seen by it: what it writes between the marks is its own, and the
only text in which control tokens are control tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NoReturn

from persona_cli.errors import EngineError
from persona_cli.model.engines import ImagePart, Message

QWEN = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""What a Qwen2.5-VL was trained on, for files that leave it out; its own says the same where pictures are parts."""
_MARK = re.compile("\ue000(\\d+)\ue001")
_OPEN_THOUGHT = re.compile(r"<think>\s*\Z")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A piece of the template itself."""

    text: str


Laid = Fixed | str | ImagePart
"""A piece of a prompt: the template's, or a text or picture of what is said."""


class ChatTemplate:
    """One template; `bos` and `eos` are the texts of the tokens that begin and end a text, "" for none."""

    def __init__(self, source: str, bos: str, eos: str) -> None:
        self._source = source
        self._names = {"bos_token": bos, "eos_token": eos}

    def lay_out(self, messages: Sequence[Message]) -> list[Laid]:
        """Return a prompt that is open for the assistant's reply; raises `EngineError` where it cannot be written.

        A template that knows no system message gets its words at the head of the first message.
        """
        try:
            return self._lay_out(messages)
        except _Refused as exc:
            if not messages or messages[0].role != "system":
                raise self._unusable(exc) from exc
        try:
            return self._lay_out(_folded(messages))
        except _Refused as exc:
            raise self._unusable(exc) from exc

    def _lay_out(self, messages: Sequence[Message]) -> list[Laid]:
        parts: list[str | ImagePart] = []
        marked = []
        for message in messages:
            places = range(len(parts), len(parts) + len(message.parts))
            marked.append({"role": message.role, "content": "".join(f"\ue000{place}\ue001" for place in places)})
            parts += message.parts
        pieces = _MARK.split(self._render(marked))
        if sorted(map(int, pieces[1::2])) != list(range(len(parts))):
            raise _Refused("it leaves out what is said, or says it twice")
        laid: list[Laid] = []
        for place, piece in enumerate(pieces):
            if place % 2:
                laid.append(parts[int(piece)])
            elif piece:
                laid.append(Fixed(piece))
        return laid

    def _render(self, messages: list[dict[str, str]]) -> str:
        from jinja2 import TemplateError

        try:
            text = str(
                self._template.render(
                    messages=messages, add_generation_prompt=True, enable_thinking=False, **self._names
                )
            )
        # a template is a program of somebody else's: it may fail in any way a program can
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError, IndexError, ArithmeticError) as exc:
            raise _Refused(str(exc) or type(exc).__name__) from exc
        # persona's prompts say themselves where a thought begins
        return _OPEN_THOUGHT.sub("", text)

    @cached_property
    def _template(self) -> Any:
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        # as transformers renders them, which is what their writers try them with
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals |= {"raise_exception": _refuse, "strftime_now": _now}
        return environment.from_string(self._source)

    def _unusable(self, exc: Exception) -> EngineError:
        return EngineError(
            f"the model's chat template cannot be used: {exc}", fix="Use another file of the same model."
        )


class _Refused(Exception):  # noqa: N818 - a signal between two attempts
    """A template does not take these messages."""


def _refuse(reason: str) -> NoReturn:
    raise _Refused(reason)


def _now(form: str) -> str:
    return datetime.now().astimezone().strftime(form)


def _folded(messages: Sequence[Message]) -> list[Message]:
    """Return messages whose system message stands at the head of the first of the user."""
    system, *others = messages
    first = others[0] if others else Message("user", ())
    return [Message("user", (*system.parts, "\n\n", *first.parts)), *others[1:]]
