"""The server engine: the same checkpoint run elsewhere, behind any OpenAI-compatible endpoint.

llama-server, vLLM, Ollama, LM Studio and `python -m llama_cpp.server` all speak this API; they differ in how a
reply is held to a format (`server_formats` asks) and whether tokens can be counted. The `openai` package brings
streaming, retries with back-off and typed errors; pictures travel as data URIs, so the server must be one you trust
with them. They are sent at their training size: every server of a Qwen2.5-VL takes that as it is, so their tokens are
known here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, cast

import httpx2
import openai

from persona_cli.errors import ContextError, EngineError, Interrupted
from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.engines.server_errors import mapped
from persona_cli.model.engines.server_formats import Dialect, Formats, StreamedReply, guess
from persona_cli.model.engines.sizing import sized
from persona_cli.model.grounding import PictureForm
from persona_cli.model.tasks import Fact, Stop
from persona_cli.records import PictureSource

RETRIES = 4
"""Attempts after the first on connection errors, 429 and 5xx; the package waits 0.5 to 8 s between them."""
PATIENCE = 10.0
"""Seconds for what needs no model to run: the list of models, a count of tokens."""
MOST_PIXELS = 230_400
"""Of a picture, as in training (PersonaVLM)."""
_CHARACTERS_PER_TOKEN = 3.2
_AROUND, _OPENING = 6, 30
"""Tokens around a message, and before and behind all of them: templates may add a system message of their own."""
_CONTROL = re.compile(r"<(?=\|\w+\|>)")


@dataclass(slots=True)
class ServerCounts:
    """What the server says it did, where it says so; benchmarks read it."""

    prompt: int = 0
    """Prompt tokens of all calls."""
    cached: int = 0
    """Prompt tokens it had in its cache."""
    generated: int = 0
    last_prompt: int = 0

    def note(self, chunk: Any) -> None:
        """Add the usage a chunk carries, if it is the one that does."""
        usage = getattr(chunk, "usage", None)
        if usage is None:
            return
        details = getattr(usage, "prompt_tokens_details", None)
        self.last_prompt = usage.prompt_tokens
        self.prompt += usage.prompt_tokens
        self.generated += usage.completion_tokens
        self.cached += getattr(details, "cached_tokens", None) or 0


class ServerEngine:
    """An `Engine` whose model runs on a server."""

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        *,
        context: int = 16_384,
        dialect: Dialect | None = None,
        remembered: Path | None = None,
        timeout: float = 300.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._client = openai.OpenAI(
            base_url=self._url,
            api_key=key or "none",
            max_retries=RETRIES,
            timeout=httpx2.Timeout(timeout, connect=PATIENCE),
        )
        self.most_pixels = MOST_PIXELS
        self.counts = ServerCounts()
        self._counter: str | Literal["unknown"] | None = "unknown"
        self._counted = lru_cache(maxsize=8192)(self._count_anew)
        self._pictures = lru_cache(maxsize=32)(_encode)
        models = self._models()
        self.name = self._pick(model, models)
        self._formats = Formats(
            self._client,
            self._url,
            self.name,
            configured=dialect,
            guessed=(owner := guess(models[self.name])),
            remembered=remembered,
        )
        # it tells log-probabilities whether or not it was started with a way to hold replies to a format
        self._weighs = Dialect.VLLM in (dialect, owner)
        self.configured, self.served = context, _context_of(models[self.name])
        self.context = min(context, self.served or context)

    @property
    def dialect(self) -> Dialect:
        """Return how the server holds a reply to a format; it is asked the first time."""
        return self._formats.dialect

    @property
    def sees(self) -> bool:
        """Take it for granted that the model sees pictures: servers do not tell."""
        return True

    def about(self) -> tuple[Fact, ...]:
        """Return where the model runs and what the server can do; layers and threads are the server's own affair."""
        if self._counter == "unknown":
            self._counter = self._find_counter()
        counted = "by the server" if self._counter else "estimated, as the server has no address for it"
        return (
            Fact("server", f"{self._url}, model {self.name}; what is offloaded is the server's own affair"),
            Fact("replies", self.dialect.about),
            Fact("context", f"{self.context:,} tokens ({self._whose_context()}); tokens counted {counted}"),
            Fact("vision", f"pictures are sent at {self.most_pixels:,} pixels at most, as in training"),
        )

    def count(self, content: Sequence[Message] | str) -> int:
        """Return the tokens of a text or of messages: the server's own count, or an estimate where it has none.

        The estimate is on the large side, so that a prompt which fits it fits the server.
        """
        if isinstance(content, str):
            return self._count_text(content)
        images = [part for message in content for part in message.parts if isinstance(part, ImagePart)]
        texts = sum(self._count_text(message.text) + _AROUND for message in content)
        return texts + sum(self._pictures(part.source, part.hash)[1] for part in images) + _OPENING

    def generate(
        self,
        messages: Sequence[Message],
        *,
        grammar: str | None,
        stop: Stop,
        limit: int,
        lane: str,
        penalty: float = 1.0,
    ) -> Iterator[str]:
        """Yield the reply in pieces; `lane` is left to the server's own prefix cache, `penalty` to its settings."""
        del lane, penalty
        if stop():
            raise Interrupted("the answer was stopped")
        if (size := self.count(messages)) + limit > self.context:
            # some servers find this out in the middle of the stream and then just hang up
            raise ContextError(
                f"a prompt of {size} tokens and {limit} for the reply do not fit {self.context}",
                fix="Raise model.context to what the server runs with, or shorten the message.",
            )
        with mapped(self._url):
            stream = self._client.chat.completions.create(
                model=self.name,
                messages=cast(Any, [self._as_data(message) for message in messages]),
                temperature=0,
                max_tokens=limit,
                stream=True,
                stream_options={"include_usage": True},
                **self._formats.request(grammar),
            )
            reply = StreamedReply(bare=grammar is not None)
            with stream:
                for chunk in stream:
                    if stop():
                        raise Interrupted("the answer was stopped")
                    self.counts.note(chunk)
                    if text := reply.feed(chunk):
                        yield text
            if not reply.finished:
                raise EngineError(f"{self._url} ended the answer in the middle", fix="Is the server still running?")
            if text := reply.rest():
                yield text

    def likelihood(self, messages: Sequence[Message], reply: str) -> float | None:
        """Return the mean log-probability of a token of `reply`, which vLLM tells; None from other servers."""
        if not self._weighs:
            return None
        asked = [self._as_data(message) for message in messages]
        # the prompt alone, then with the reply as a last message that is left open: what is more is the reply
        before = self._complete({"messages": asked})["usage"]["prompt_tokens"]
        whole = self._complete({
            "messages": [*asked, {"role": "assistant", "content": _harmless(reply)}],
            "prompt_logprobs": 0, "add_generation_prompt": False, "continue_final_message": True,
        })  # fmt: skip
        told = [next(iter(place.values()))["logprob"] for place in whole["prompt_logprobs"][before:]]
        return sum(told) / len(told) if told else None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a completion of one token whole, with what no client of the API knows of."""
        with mapped(self._url):
            answer = self._client.post(
                "/chat/completions",
                body={"model": self.name, "max_tokens": 1, "temperature": 0, **body},
                cast_to=httpx2.Response,
            )
        try:
            return dict(answer.json())
        except (TypeError, ValueError) as exc:
            raise EngineError(f"{self._url} answered with no JSON", fix="Is it an OpenAI-compatible server?") from exc

    def _whose_context(self) -> str:
        if self.served is None:
            return "model.context; the server does not tell its own"
        return f"the server runs with {self.served:,}, model.context is {self.configured:,}"

    def _as_data(self, message: Message) -> dict[str, Any]:
        if all(isinstance(part, str) for part in message.parts):
            return {"role": message.role, "content": _harmless(message.text)}
        return {"role": message.role, "content": [self._part(part) for part in message.parts]}

    def _part(self, part: str | ImagePart) -> dict[str, Any]:
        if isinstance(part, str):
            return {"type": "text", "text": _harmless(part)}
        return {"type": "image_url", "image_url": {"url": self._pictures(part.source, part.hash)[0]}}

    def _models(self) -> dict[str, dict[str, Any]]:
        # read here and not by the package, which takes any web page for a list and fails on it
        with mapped(self._url):
            answer = self._client.with_options(timeout=PATIENCE).get("/models", cast_to=httpx2.Response)
        try:
            return {str(model["id"]): dict(model) for model in answer.json()["data"] or ()}
        except (KeyError, TypeError, ValueError) as exc:
            raise EngineError(
                f"{self._url} answers, but not with a list of models", fix="server.url usually ends in /v1."
            ) from exc

    def _pick(self, wanted: str, models: dict[str, dict[str, Any]]) -> str:
        if not models:
            raise EngineError(f"{self._url} serves no model", fix="Load a Qwen2.5-VL model in the server.")
        if not wanted:
            return next(iter(models))
        if wanted not in models:
            raise EngineError(
                f"{self._url} has no model {wanted}", fix="Set server.model to one of: " + ", ".join(models) + "."
            )
        return wanted

    def _count_text(self, text: str) -> int:
        if self._counter == "unknown":
            self._counter = self._find_counter()
        return self._counted(_harmless(text))

    def _count_anew(self, text: str) -> int:
        if self._counter is None:
            return int(len(text.encode()) / _CHARACTERS_PER_TOKEN) + 1
        try:
            with mapped(self._url):
                return self._ask_count(str(self._counter), text, retries=RETRIES)
        except (KeyError, TypeError, ValueError) as exc:
            raise EngineError(
                f"{self._counter} no longer counts tokens", fix="Is the server still the same? Try again."
            ) from exc

    def _find_counter(self) -> str | None:
        """Return the address that counts tokens, None for a server that has none.

        Raises `EngineError` where the server does not answer: only one that has answered is known to have none, and
        from then on tokens are estimated.
        """
        root = self._url.removesuffix("/v1")
        with mapped(self._url):
            for address in (f"{root}/tokenize", f"{root}/extras/tokenize/count"):
                try:
                    if self._ask_count(address, "one two three", retries=0) > 0:
                        return address
                except openai.APIConnectionError:
                    raise
                except (openai.APIError, KeyError, TypeError, ValueError):
                    continue
        return None

    def _ask_count(self, address: str, text: str, *, retries: int) -> int:
        # each server reads the field it knows: llama-server "content", vLLM "prompt", llama_cpp.server "input"
        body = {"content": text, "prompt": text, "input": text, "model": self.name}
        patient = self._client.with_options(max_retries=retries, timeout=PATIENCE)
        answer = patient.post(address, body=body, cast_to=httpx2.Response)
        found = answer.json()
        return int(found["count"]) if "count" in found else len(found["tokens"])


def _encode(source: PictureSource, _digest: str) -> tuple[str, int]:
    """Return a picture as a data URI at its training size, and its tokens; PNG, because that changes no pixel."""
    picture, data = sized(source, MOST_PIXELS), BytesIO()
    picture.save(data, "PNG")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}", PictureForm().tokens(*picture.size)


def _harmless(text: str) -> str:
    """Return a text in which no server finds a control token: `<|im_end|>` in it would close the message."""
    return _CONTROL.sub("<\u2060", text)


def _context_of(model: dict[str, Any]) -> int | None:
    """Return the tokens a server says it runs a model with: llama-server in "meta", vLLM beside the name."""
    said = (model.get("meta") or {}).get("n_ctx") or model.get("max_model_len")
    return int(said) if said else None
