"""`persona serve`: the memory for the programs on this machine, as a model, as tools and as a page."""

from __future__ import annotations

from typing import Annotated

import typer

from persona_cli.cli.invocation import invocation
from persona_cli.cli.mcp import PORT, check_installed
from persona_cli.errors import BusyError

_CONNECTIONS = 100
"""At once: somebody who opens them and says nothing takes no handles from the memory."""


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65_535, help="Where to listen, on loopback.")] = PORT,
    write: Annotated[
        bool, typer.Option("--write", help="Also let clients of /mcp remember, correct and delete memories.")
    ] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="ORIGIN", help="A page that may ask from a browser: https://chat.example."),
    ] = None,
) -> None:
    """Serve your memory to the programs on this machine, until Ctrl-C.

    /v1 speaks as OpenAI's API does, with a model for each person; /mcp has the tools of `persona mcp`; / is the page of
    `persona report`. It listens on loopback alone and wants its token, made at the first start.
    """
    check_installed()
    import uvicorn

    from persona_cli.report.life_page import write_page
    from persona_cli.serve.access import read_token
    from persona_cli.serve.application import build_application
    from persona_cli.serve.household import Household

    run = invocation(context)
    token, page_token = read_token(run.places.token), read_token(run.places.page_token)
    household = Household(run.settings, run.notice, run.user)

    def show(household: Household) -> str:
        return write_page(household.memory(), household.now(), editable=write)

    application = build_application(household, token, page_token, write=write, origins=origin or (), show=show)
    _check_free(port)
    run.notice(f"Model: http://127.0.0.1:{port}/v1   tools: http://127.0.0.1:{port}/mcp   Ctrl-C ends it.")
    run.notice(f"Page: http://127.0.0.1:{port}/?token={page_token}")
    run.notice(f"The token stands in {run.places.token}; clients send it as their API key.")
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        ws="none",
        limit_concurrency=_CONNECTIONS,
    )


def _check_free(port: int) -> None:
    """Raise `BusyError` where somebody listens already."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            raise BusyError(
                f"port {port} cannot be listened on: {exc.strerror}", fix="Choose another: --port."
            ) from exc
