"""The loop: response stage, update stage, and the one place where everything is put together.

`open_assistant()` is that place, for the command line and for tests alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from persona_cli.config import Settings
from persona_cli.paths import Places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from persona_cli.agent.assistant import Assistant, Clock
    from persona_cli.memory import Keeping, Memory
    from persona_cli.model.tasks import Model


def open_assistant(
    places: Places,
    settings: Settings,
    *,
    model: Model | None = None,
    clock: Clock | None = None,
    notice: Callable[[str], None],
    keep_words: bool = False,
    keeping: Keeping | None = None,
    memory: Memory | None = None,
) -> Assistant:
    """Open memory and model; sessions that are over by now are closed, messages that were never answered marked.

    The update queue stands still until its `start()` or `run()`. A model that cannot be opened is an error at once, or
    with `keep_words` the error of the first response, whose turn is kept: for words that were said before this.
    `keeping` says whether memory is read and written; without it, both. A `memory` that is open already is taken over,
    and closed with the assistant.
    """
    from persona_cli.memory import Keeping, open_memory

    memory = memory or open_memory(places, settings, notice, keeping or Keeping.ALL)
    try:
        opened = model or _open_model(places, settings, memory, keep_words=keep_words)
        # behind the model, whose weights the system reads meanwhile: this takes as long as two small programs
        from persona_cli.agent.assistant import Assistant, system_clock
        from persona_cli.agent.record import mark_unanswered

        assistant = Assistant(memory, opened, settings, clock or system_clock, notice)
        mark_unanswered(memory.store)
        assistant.close_sessions()
    except BaseException:
        memory.close()
        raise
    return assistant


def _open_model(places: Places, settings: Settings, memory: Memory, *, keep_words: bool) -> Model:
    """Open the model the settings name, or one in its place that fails when it is asked."""
    from persona_cli.errors import ModelError
    from persona_cli.model.opening import open_model

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        # the embedder opens at its first use, not with the model
        return memory.embedder.embed(texts)

    try:
        return open_model(places, settings, memory.media.source, embed, lambda: memory.reader, keep=memory.lasting)
    except ModelError as exc:
        if not keep_words:
            raise
        from persona_cli.model.unopened import UnopenedModel

        return UnopenedModel(settings.model.name, exc)
