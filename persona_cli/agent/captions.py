"""What pictures show, in the words of a model that sees them: written behind the conversation, once for each picture.

A caption is there to find a picture by, and to tell a person which one it is. It is the model's and never the user's
words: nothing is learnt from it, and a picture without one is a picture all the same. New pictures come first, those
of before there was such a model after them. What was taken back or came out empty is not asked for again.
"""

from __future__ import annotations

from collections.abc import Callable

from persona_cli.english.sentences import sentences
from persona_cli.errors import ContextError, FormatError, Interrupted, ModelError, NotFoundError, PictureError
from persona_cli.memory import Memory
from persona_cli.model.tasks import Describes, Model, Stop
from persona_cli.records import Image
from persona_cli.remembering.instructions import is_instruction
from persona_cli.remembering.secrets import redact

MOST_SENTENCES = 2
LONGEST = 400


class Captions:
    """Writes the captions of one user's pictures."""

    def __init__(self, memory: Memory, model: Model, notice: Callable[[str], None]) -> None:
        self._memory = memory
        self._model = model if isinstance(model, Describes) and model.sees else None
        self._notice = notice

    def write_wanted(self, stop: Stop, most: int) -> int:
        """Have up to `most` pictures described that nobody was asked about yet; return how many got a caption.

        Ends early once `stop` returns True. When the model fails, that is said once and it is not asked again.
        """
        written = 0
        for _ in range(most):
            wanted = self._memory.store.images.uncaptioned(1)
            if self._model is None or not wanted or stop():
                break
            try:
                written += self._write(self._model, *wanted[0], stop)
            except Interrupted:
                break
            except NotFoundError:
                # its message was forgotten meanwhile; where another one shows it, it is wanted still
                continue
            except ModelError as exc:
                self._model = None
                self._notice(f"Pictures wait for their captions: {exc.message} {exc.fix}".rstrip())
        return written

    def _write(self, model: Describes, image: Image, turn_id: int, stop: Stop) -> bool:
        try:
            said = tidied(model.caption(image, stop))
        except (FormatError, ContextError, PictureError):
            # it would be no other the next time
            said = ""
        store = self._memory.store
        with store.transaction(), store.journal.caused_by(turn_id):
            return store.images.describe(image.id, said, model.name) and bool(said)


def tidied(text: str) -> str:
    """Return what a model wrote of a picture, as it is kept: short, without secrets; nothing that instructs."""
    text, _ = redact(" ".join(text.split()))
    if is_instruction(text):
        return ""
    kept = " ".join(sentences(text)[:MOST_SENTENCES])
    return kept if len(kept) <= LONGEST else kept[:LONGEST].rsplit(" ", 1)[0] + " …"
