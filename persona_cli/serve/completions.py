"""OpenAI's chat completions and embeddings: what a request asks for, and answers in the shape clients know."""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from persona_cli.errors import PictureError, UsageError
from persona_cli.escapes import UNSEEN
from persona_cli.records import Notice, Spent, Step, Turn
from persona_cli.serve.client_jobs import own_words

M = TypeVar("M", bound=BaseModel)

MOST_PICTURES = 8
"""Pictures one message may show."""
MOST_TEXTS = 512
"""Texts one request for embeddings may have."""


class _Text(BaseModel):
    type: Literal["text"]
    text: str


class _Address(BaseModel):
    url: str


class _Picture(BaseModel):
    type: Literal["image_url"]
    image_url: _Address


class _Message(BaseModel):
    role: str
    content: str | list[Annotated[_Text | _Picture, Field(discriminator="type")]] | None = None


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _Chat(BaseModel):
    model: str
    messages: list[_Message] = Field(min_length=1)
    stream: bool | None = False
    stream_options: _StreamOptions | None = None


class _Embed(BaseModel):
    model: str = ""
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client asks: its last user message is new, the others are its history."""

    model: str
    said: tuple[str, ...]
    """The user's messages, oldest first; the last is the one to answer."""
    pictures: tuple[bytes, ...]
    """Those of the last message."""
    answered: tuple[tuple[str, str], ...]
    """The exchanges before it."""
    stream: bool
    usage: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What a response took, as far as it is known."""

    prompt: int
    pieces: int

    def plain(self) -> dict[str, int]:
        """Return it as clients expect it; a piece is a token where the engine streams tokens."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.pieces,
            "total_tokens": self.prompt + self.pieces,
        }


def parse_chat(body: bytes) -> ChatRequest:
    """Return what a request for a completion asks; raises `UsageError` or `PictureError`."""
    request = _parsed(_Chat, body)
    last = max((at for at, message in enumerate(request.messages) if message.role == "user"), default=None)
    if last is None:
        raise UsageError("there is no message of the user's", fix="Send one with the role user.")
    earlier = request.messages[:last]
    return ChatRequest(
        model=request.model,
        said=tuple(_words(message) for message in request.messages[: last + 1] if message.role == "user"),
        pictures=_pictures(request.messages[last]),
        answered=_exchanges(earlier),
        stream=bool(request.stream),
        usage=request.stream_options is not None and request.stream_options.include_usage,
    )


def parse_texts(body: bytes) -> tuple[tuple[str, ...], bool]:
    """Return the texts to embed, and whether the vectors are wanted as base64."""
    request = _parsed(_Embed, body)
    texts = (request.input,) if isinstance(request.input, str) else tuple(request.input)
    if not 0 < len(texts) <= MOST_TEXTS:
        raise UsageError(f"a request has 1 to {MOST_TEXTS} texts", fix="Send the rest in another.")
    return texts, request.encoding_format == "base64"


class ChatCompletion:
    """One completion in the making, in the pieces clients expect."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())

    def chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        """Return a piece of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def usage_chunk(self, usage: Usage) -> bytes:
        """Return the last piece of a stream whose client asked what it took."""
        return event({**self._head("chat.completion.chunk"), "choices": [], "usage": usage.plain()})

    def whole(self, text: str, usage: Usage, told: dict[str, Any]) -> dict[str, Any]:
        """Return the completion in one piece."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage.plain(), "persona": told}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model}


def event(value: object) -> bytes:
    """Return a value as a server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
"""The end of a stream."""


def told_of(turn: Turn | None, steps: Sequence[Step]) -> dict[str, Any]:
    """Return what persona says beside the answer: the name of the turn, and what the person should know."""
    notices = [step.text for step in steps if isinstance(step, Notice)]
    return {"turn": f"m{turn.id}" if turn is not None else None, "notices": notices}


def usage_of(steps: Sequence[Step], pieces: int) -> Usage:
    """Return what a response took; 0 where the model has no prompts."""
    return Usage(sum(step.total for step in steps if isinstance(step, Spent)), pieces)


def models_list(names: Sequence[str]) -> dict[str, Any]:
    """Return the models there are."""
    return {"object": "list", "data": [model_entry(name) for name in names]}


def model_entry(name: str) -> dict[str, Any]:
    """Return one model."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "persona"}


def embeddings_list(model: str, vectors: NDArray[np.float32], *, packed: bool) -> dict[str, Any]:
    """Return vectors (n, d) in the order of their texts."""
    rows = [
        {
            "object": "embedding",
            "index": at,
            "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode() if packed else row.tolist(),
        }
        for at, row in enumerate(vectors)
    ]
    return {"object": "list", "data": rows, "model": model, "usage": {"prompt_tokens": 0, "total_tokens": 0}}


def _parsed(kind: type[M], body: bytes) -> M:
    try:
        return kind.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise UsageError(f"{where}: {first['msg']}", fix="The shape is that of OpenAI's API.") from exc


def _words(message: _Message) -> str:
    """Return what a message says, without what cannot be seen and without what its client put in front."""
    if message.content is None or isinstance(message.content, str):
        return own_words(UNSEEN.sub("", message.content or ""))
    return own_words(UNSEEN.sub("", "\n".join(part.text for part in message.content if isinstance(part, _Text))))


def _pictures(message: _Message) -> tuple[bytes, ...]:
    parts = message.content if isinstance(message.content, list) else []
    pictures = tuple(_picture(part.image_url.url) for part in parts if isinstance(part, _Picture))
    if len(pictures) > MOST_PICTURES:
        raise PictureError(f"a message shows {MOST_PICTURES} pictures at most", fix="Send the others with the next.")
    return pictures


def _picture(address: str) -> bytes:
    head, _, content = address.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise PictureError("a picture is no data URL", fix="Send data:image/…;base64,… : nothing is fetched from here.")
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as exc:
        raise PictureError("a picture's base64 is broken", fix="Send it again.") from exc


def _exchanges(messages: Sequence[_Message]) -> tuple[tuple[str, str], ...]:
    exchanges: list[tuple[str, str]] = []
    for message in messages:
        if message.role == "user":
            exchanges.append((_words(message), ""))
        elif message.role == "assistant" and exchanges:
            user, answer = exchanges[-1]
            exchanges[-1] = (user, f"{answer}\n{_words(message)}".strip())
    return tuple(exchanges)
