"""What Tab completes in the chat: the commands, and paths behind /image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

PICTURE = "/image "


class SlashCompleter(Completer):
    """Completes a line that begins with a slash; anything else is words, which nobody completes."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Yield what the line may become."""
        line = document.text_before_cursor
        if line.startswith(PICTURE):
            path = line.removeprefix(PICTURE)
            yield from self._paths.get_completions(Document(path, len(path)), complete_event)
        elif line.startswith("/") and " " not in line:
            yield from (Completion(name, -len(line)) for name in self._names if name.startswith(line))
