"""Everything the server serves, as one Starlette application: the page, /v1 and /mcp, behind one guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
import numpy as np
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from persona_cli.errors import NotFoundError, PersonaError
from persona_cli.records import AnswerDelta, ThinkDelta
from persona_cli.serve import completions
from persona_cli.serve.access import MOST_BYTES, TOO_LARGE, Guard, PageKey, page_key
from persona_cli.serve.answering import Answering, ResponseState
from persona_cli.serve.editing import ACTIONS, change
from persona_cli.serve.faults import fault, fault_of, status_of
from persona_cli.serve.household import Household
from persona_cli.serve.model_context import build_server

_LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
Shown = Callable[[Household], str]
"""Writes the page of somebody's memory."""


def build_application(
    household: Household, token: str, page_token: str, *, write: bool, show: Shown, origins: Collection[str] = ()
) -> Guard:
    """Return the application; what is open is closed when it ends.

    Clients know the `token`; by the `page_token` a person opens the page, where with `write` they may change more.
    """
    answering = Answering(household)
    tools = build_server(household, write=write)
    # its own check of Host and Origin would refuse what the guard has been told to allow
    open_to_guard = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    by_protocol = tools.streamable_http_app(
        streamable_http_path="/mcp", max_request_body_size=MOST_BYTES, transport_security=open_to_guard
    )
    routes = [
        Route("/v1/models", partial(_models, answering)),
        Route("/v1/models/{name}", partial(_model, answering)),
        Route("/v1/chat/completions", partial(_complete, answering, household), methods=["POST"]),
        Route("/v1/embeddings", partial(_embed, household), methods=["POST"]),
        *by_protocol.routes,
    ]
    page = page_key(page_token)
    routes.insert(0, Route("/", partial(_enter, page)))
    routes.insert(1, Route(page.path, partial(_page, household, show)))
    if write:
        routes.insert(2, Route(f"{page.path}{{action}}", partial(_edit, household, page), methods=["POST"]))
    application = Starlette(
        routes=routes,
        lifespan=partial(_living, household, answering, tools),
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=list(origins),
                allow_origin_regex=_LOOPBACK,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["*"],
            )
        ],
        exception_handlers={PersonaError: _explain, ClientDisconnect: _cut_off, 404: _unknown, 405: _unknown},
    )
    return Guard(application, token, page_token, origins)


@asynccontextmanager
async def _living(
    household: Household, answering: Answering, tools: MCPServer[None], _: Starlette
) -> AsyncIterator[None]:
    async with tools.session_manager.run():
        yield
    await anyio.to_thread.run_sync(answering.close)
    await anyio.to_thread.run_sync(household.close)


async def _models(answering: Answering, _: Request) -> Response:
    return JSONResponse(completions.models_list(answering.models()))


async def _model(answering: Answering, request: Request) -> Response:
    name = request.path_params["name"]
    if name not in answering.models():
        raise NotFoundError(f"there is no model {name}", fix=f"There are {', '.join(answering.models())}.")
    return JSONResponse(completions.model_entry(name))


async def _complete(answering: Answering, household: Household, request: Request) -> Response:
    asked = answering.read(completions.parse_chat(await request.body()), request.headers)
    reply = completions.ChatCompletion(asked.request.model)
    if not asked.request.stream:
        spoken = await anyio.to_thread.run_sync(answering.whole, asked)
        usage = completions.usage_of(spoken.steps, spoken.pieces)
        return JSONResponse(reply.whole(spoken.text, usage, completions.told_of(spoken.turn, spoken.steps)))

    async def events() -> AsyncIterator[bytes]:
        spoken, thinking = ResponseState([]), household.settings.chat.show_thinking
        yield reply.chunk({"role": "assistant", "content": ""})
        try:
            async for step in answering.stream(asked, spoken):
                if isinstance(step, AnswerDelta):
                    yield reply.chunk({"content": step.text})
                elif isinstance(step, ThinkDelta) and thinking:
                    yield reply.chunk({"reasoning_content": step.text})
        except PersonaError as exc:
            # the status has been sent: clients look for this in the stream
            yield completions.event(fault_of(exc))
        else:
            yield reply.chunk({}, "stop", persona=completions.told_of(spoken.turn, spoken.steps))
            if asked.request.usage:
                yield reply.usage_chunk(completions.usage_of(spoken.steps, spoken.pieces))
        yield completions.DONE

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _embed(household: Household, request: Request) -> Response:
    texts, packed = completions.parse_texts(await request.body())

    def embed() -> Response:
        embedder = household.memory().embedder
        vectors = np.asarray(embedder.embed(texts), dtype=np.float32)
        return JSONResponse(completions.embeddings_list(embedder.name, vectors, packed=packed))

    return await anyio.to_thread.run_sync(embed)


async def _enter(page: PageKey, _: Request) -> Response:
    # the address that was opened has the token in it; the one that stays does not
    headers = {"Set-Cookie": page.header(), "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(page.path, status_code=303, headers=headers)


async def _page(household: Household, show: Shown, _: Request) -> Response:
    page = await anyio.to_thread.run_sync(show, household)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
    return Response(page, media_type="text/html", headers=headers)


async def _edit(household: Household, page: PageKey, request: Request) -> Response:
    action, body = request.path_params["action"], await request.body()
    if action not in ACTIONS:
        return Response(f"There is no {action} here.", status_code=404, media_type="text/plain")
    try:
        await anyio.to_thread.run_sync(change, household, action, body)
    except PersonaError as exc:
        return Response(f"{exc.message}. {exc.fix}\n", status_code=status_of(exc), media_type="text/plain")
    return RedirectResponse(f"{page.path}#facts", status_code=303, headers={"Cache-Control": "no-store"})


async def _explain(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, PersonaError)
    return JSONResponse(fault_of(exc), status_code=status_of(exc))


async def _cut_off(_: Request, __: Exception) -> Response:
    # nobody reads it where a client has left; one that sends more than it said, or may, does
    return JSONResponse(fault(TOO_LARGE, 413), status_code=413)


async def _unknown(request: Request, exc: Exception) -> Response:
    status = getattr(exc, "status_code", 404)
    return JSONResponse(fault(f"There is no {request.method} {request.url.path} here.", status), status_code=status)
