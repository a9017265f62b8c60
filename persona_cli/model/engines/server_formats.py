"""How a server holds a reply to a format: asked of it once, and remembered.

Servers say little of what they can do, and some take a parameter and do nothing with it. So each way is tried with a
reply that no model gives of itself: a grammar, a JSON schema, a tool whose arguments are the reply. What the server
really keeps is used; where it keeps none, replies are read as they come.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import openai

from persona_cli.model.engines.server_errors import mapped
from persona_cli.model.grammar import SCHEMAS

_WORD = "kestrel 47"
_GRAMMAR = f'root ::= "{_WORD}"'
_SCHEMA = {
    "type": "object",
    "properties": {"bird": {"type": "string", "enum": [_WORD]}},
    "required": ["bird"],
    "additionalProperties": False,
}
_TOOL = "write"
_ASKING = 64
"""Tokens a try may take."""


class Dialect(StrEnum):
    """How a server is told the format of a reply; `PLAIN` cannot be, so replies are parsed and repaired instead."""

    LLAMA = "llama"
    VLLM = "vllm"
    JSON = "json"
    TOOLS = "tools"
    PLAIN = "plain"

    @property
    def about(self) -> str:
        """Return in words what becomes of replies."""
        return {
            Dialect.LLAMA: "held to a grammar",
            Dialect.VLLM: "held to a grammar (vLLM's)",
            Dialect.JSON: "answers are free; what is learnt is held to a JSON schema",
            Dialect.TOOLS: "answers are free; what is learnt comes as the arguments of a tool",
            Dialect.PLAIN: "without a grammar: parsed, and asked for once more when broken",
        }[self]


class Formats:
    """What one server keeps; `configured` spares the asking, `guessed` is tried first."""

    def __init__(
        self,
        client: openai.OpenAI,
        url: str,
        model: str,
        *,
        configured: Dialect | None,
        guessed: Dialect,
        remembered: Path | None,
    ) -> None:
        self._client, self._url, self._model = client, url, model
        self._configured, self._guessed, self._remembered = configured, guessed, remembered
        self._sure = True

    @cached_property
    def dialect(self) -> Dialect:
        """Return how this server holds a reply to a format; raises `EngineError` where it does not answer."""
        if self._configured is not None:
            return self._configured
        known = self._known()
        key = f"{self._url} {self._model}"
        if key in known:
            return Dialect(known[key])
        order = sorted((way for way in Dialect if way is not Dialect.PLAIN), key=lambda way: way is not self._guessed)
        kept = next((way for way in order if self._keeps(way)), Dialect.PLAIN)
        if self._sure and self._remembered is not None:
            self._remembered.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._remembered.write_text(json.dumps(known | {key: kept.value}), encoding="utf-8")
        return kept

    def request(self, grammar: str | None) -> dict[str, Any]:
        """Return what a request says of its format: nothing where the server has no way to keep this one."""
        if grammar is None:
            return {}
        return _request(self.dialect, grammar, SCHEMAS.get(grammar))

    def _keeps(self, way: Dialect) -> bool:
        """Try one way; a server that fails for other reasons than the request leaves it open what it can do."""
        with mapped(self._url):
            try:
                reply = self._client.with_options(max_retries=0).chat.completions.create(
                    model=self._model,
                    messages=[{"role": "user", "content": "Greet me."}],
                    temperature=0,
                    max_tokens=_ASKING,
                    **_request(way, _GRAMMAR, _SCHEMA),
                )
            except openai.APIConnectionError:
                raise
            except openai.APIStatusError as exc:
                self._sure = self._sure and exc.status_code in (400, 404, 405, 422, 501)
                return False
            except (openai.APIError, httpx2.HTTPError, ValueError):
                return False
        return _kept(way, reply)

    def _known(self) -> dict[str, str]:
        try:
            known = json.loads(self._remembered.read_text(encoding="utf-8")) if self._remembered else {}
            return {key: way for key, way in known.items() if way in list(Dialect)}
        except (OSError, ValueError, AttributeError):
            return {}


@dataclass(slots=True)
class StreamedReply:
    """A reply as it streams, put together to one text: reasoning in its tags, a tool's arguments as a retrieval."""

    bare: bool
    """The reply is the format alone: arguments are it, and no retrieval."""
    finished: bool = False
    _thinking: bool = False
    _arguments: list[str] = field(default_factory=list)

    def feed(self, chunk: Any) -> str:
        """Return the text of a chunk, which may be empty in every way there is."""
        choice = chunk.choices[0] if chunk.choices else None
        if choice is None:
            return ""
        self.finished = self.finished or choice.finish_reason is not None
        delta = choice.delta
        if delta is None:
            return ""
        for call in delta.tool_calls or ():
            self._arguments.append((call.function and call.function.arguments) or "")
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None) or ""
        text = f"{'' if self._thinking else '<think>'}{thought}" if thought else ""
        self._thinking = self._thinking or bool(thought)
        return text + (self._closing() + delta.content if delta.content else "")

    def rest(self) -> str:
        """Return what is left to say once the stream has ended."""
        arguments = "".join(self._arguments)
        if not arguments:
            return self._closing()
        return self._closing() + (arguments if self.bare else f"<retrieve>\n{arguments}\n</retrieve>")

    def _closing(self) -> str:
        closing, self._thinking = "</think>\n" if self._thinking else "", False
        return closing


def guess(model: dict[str, Any]) -> Dialect:
    """Return the way to try first, by who a server says owns a model."""
    owner = str(model.get("owned_by", "")).lower()
    # llama-server says "llamacpp", llama-cpp-python's server "me"
    return {"vllm": Dialect.VLLM, "llamacpp": Dialect.LLAMA, "me": Dialect.LLAMA}.get(owner, Dialect.JSON)


def _request(way: Dialect, grammar: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    if way is Dialect.LLAMA:
        return {"extra_body": {"grammar": grammar}}
    if way is Dialect.VLLM:
        return {"extra_body": {"structured_outputs": {"grammar": grammar}}}
    if schema is None or way is Dialect.PLAIN:
        return {}
    if way is Dialect.JSON:
        named = {"name": "reply", "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    tool = {"name": _TOOL, "description": "Write the reply.", "parameters": schema}
    return {
        "tools": [{"type": "function", "function": tool}],
        "tool_choice": {"type": "function", "function": {"name": _TOOL}},
    }


def _kept(way: Dialect, reply: Any) -> bool:
    try:
        message = reply.choices[0].message
        if way in (Dialect.LLAMA, Dialect.VLLM):
            return str(message.content).strip() == _WORD
        text = message.content if way is Dialect.JSON else message.tool_calls[0].function.arguments
        return bool(json.loads(text) == {"bird": _WORD})
    except (AttributeError, IndexError, TypeError, ValueError):
        return False
