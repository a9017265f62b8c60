"""`python -m tests.llama_server`: the real llama_cpp.server, its streams sent by Starlette itself.

It streams by sse-starlette, and with version 3, which the Model Context Protocol's package needs, its streams stall
after their first chunk. Only what carries them is exchanged here: server, model and events stay as they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import anyio
from starlette.responses import StreamingResponse


class Events(StreamingResponse):
    """Sends what a producer writes into a channel as server-sent events."""

    def __init__(
        self,
        channel: AsyncIterator[Mapping[str, str]],
        data_sender_callable: Callable[[], Coroutine[Any, Any, None]],
        **_: Any,
    ) -> None:
        async def lines() -> AsyncIterator[str]:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(data_sender_callable)
                async for event in channel:
                    yield f"data: {event['data']}\n\n"

        super().__init__(lines(), media_type="text/event-stream")


def main() -> None:
    """Run the server with the options of `python -m llama_cpp.server`."""
    import llama_cpp
    from llama_cpp.server import __main__, app

    defaults = llama_cpp.llama_cpp.llama_model_default_params

    def without_repacking() -> llama_cpp.llama_model_params:
        params = defaults()
        # the server offers no option for it, and real weights end it on a processor with AMX (llama.cpp 20824)
        params.use_extra_bufts = False
        return params

    llama_cpp.llama_cpp.llama_model_default_params = without_repacking
    app.EventSourceResponse = Events
    __main__.main()


if __name__ == "__main__":
    main()
