"""A reply as it streams: thinking, then an answer or a retrieval, told apart token by token.

`ReplyParser` is fed pieces of text and returns what can be shown at once. It never shows part of a tag, and holds back
the end of a piece for as long as that could still become one. Most models were never trained on the tags: prose without
any, or behind the thinking, is an answer and streams as one; headings stand for tags; JSON and bare `"keywords"` lines
are read once they are whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import tzinfo

from persona_cli.errors import FormatError
from persona_cli.model.echoes import echo_of
from persona_cli.model.headings import Headings
from persona_cli.model.parsing import keyed_lines, parse_retrieve
from persona_cli.records import Answer, AnswerDelta, Piece, Retrieve, Think, ThinkDelta

_TAGS = ("think", "answer", "retrieve")
_HELD = 32
"""Characters of text without a tag that are held back: what a model says before its first tag is no answer."""
_STRUCTURE = re.compile(r"""```|[\[{]|["'*]*(?:keywords|retrieve)\b""", re.IGNORECASE)
_ANSWERS, _THOUGHTS = ("answer", "response", "reply"), ("think", "thought", "thinking", "reasoning")


class ReplyParser:
    """Reads `<think>...</think>` and then `<answer>...</answer>` or `<retrieve>...</retrieve>`, or what stands for it.

    An answer that is one of `echoes`, as `echo_of` writes them, is none: it is the prompt's own placeholder.
    """

    def __init__(
        self,
        zone: tzinfo | None,
        *,
        answer_only: bool = False,
        thought: bool = False,
        echoes: Collection[str] = (),
    ) -> None:
        self._zone = zone
        self._answer_only = answer_only
        self._echoes = echoes
        self._headings = Headings()
        self._inside = ""
        self._waiting = ""
        self._texts = dict.fromkeys(_TAGS, "")
        self._space = ""
        self._closed: set[str] = set()
        self._held = ""
        self._prose = False
        self._said = ""
        self._second = thought
        # a second attempt has shown its thought already, an answer alone shows none
        self._thought = thought or answer_only

    @property
    def thought(self) -> str:
        """Return the thinking so far."""
        return self._texts["think"]

    @property
    def showing(self) -> bool:
        """Tell whether anything of an answer was shown."""
        return bool(self._said)

    def feed(self, piece: str) -> list[Piece]:
        """Return what the next piece of text lets be shown."""
        shown: list[Piece] = []
        for line in piece.splitlines(keepends=True):
            # headings within an answer are its own
            self._waiting += self._headings.give_up() + line if self._texts["answer"] else self._headings.feed(line)
            while self._step(shown):
                pass
        return shown

    def finish(self) -> list[Piece]:
        """Return the whole thought and what was decided; raises `FormatError` for a broken reply.

        A reply cut off inside its answer is an answer; one cut off before it has decided is broken.
        """
        self._waiting += self._headings.give_up() if self._texts["answer"] else self._headings.finish()
        shown: list[Piece] = []
        while self._step(shown):
            pass
        if not (self._inside and self._waiting.startswith("</")):
            self._show(self._waiting, shown)
        self._waiting = ""
        decision = self._decision(shown)
        if not self._thought:
            shown.append(self._end_thought())
        return [*shown, decision]

    def _step(self, shown: list[Piece]) -> bool:
        """Take one tag, or the text before it, off the waiting text; False when more is needed."""
        tags = (f"</{self._inside}>",) if self._inside else self._openings()
        at, tag = min(((self._waiting.find(tag), tag) for tag in tags if tag in self._waiting), default=(-1, ""))
        if at < 0:
            keep = max((_overlap(self._waiting, tag) for tag in tags), default=0)
            cut = len(self._waiting) - keep
            self._show(self._waiting[:cut], shown)
            self._waiting = self._waiting[cut:]
            return False
        self._show(self._waiting[:at], shown)
        self._waiting = self._waiting[at + len(tag) :]
        self._turn(tag, shown)
        return True

    def _openings(self) -> tuple[str, ...]:
        tags = tuple(f"<{tag}>" for tag in _TAGS if tag not in self._closed)
        # some servers open the thinking in the prompt, so that only its end is in the reply
        return tags if "think" in self._closed or self._prose else (*tags, "</think>")

    def _turn(self, tag: str, shown: list[Piece]) -> None:
        # what a model says before a tag is no answer, unless it went on and on
        held, self._held = self._held.strip(), ""
        self._space = "\n\n" if self._prose else ""
        if self._inside or tag == "</think>":
            if not self._inside and not self._thought and held:
                self._texts["think"] = held
                shown.append(ThinkDelta(held))
            self._closed.add(self._inside or "think")
            if tag == "</think>" and not self._thought:
                shown.append(self._end_thought())
            self._inside = ""
            return
        self._inside = tag.strip("<>")
        if self._inside != "think" and not self._thought:
            shown.append(self._end_thought())

    def _show(self, text: str, shown: list[Piece]) -> None:
        if not self._inside:
            self._show_outside(text, shown)
            return
        if self._inside == "answer":
            if "retrieve" not in self._closed:
                self._say(text, shown)
            return
        text = self._spaced(self._inside, text)
        self._texts[self._inside] += text
        if text and self._inside == "think" and not self._thought:
            shown.append(ThinkDelta(text))

    def _show_outside(self, text: str, shown: list[Piece]) -> None:
        if self._closed & {"answer", "retrieve"}:
            return
        if self._prose:
            self._say(text, shown)
            return
        self._held += text
        begins = self._held.lstrip()
        if len(begins) >= _HELD and not _STRUCTURE.match(begins):
            self._begin_prose(shown)

    def _begin_prose(self, shown: list[Piece]) -> None:
        held, self._held, self._prose = self._held, "", True
        if not self._thought:
            shown.append(self._end_thought())
        self._say(held, shown)

    def _say(self, text: str, shown: list[Piece]) -> None:
        """Add to the answer, and show what cannot be the prompt's own placeholder any more."""
        self._texts["answer"] += self._spaced("answer", text)
        whole = self._texts["answer"]
        begins = echo_of(whole)
        if not self._said and any(echo.startswith(begins) for echo in self._echoes):
            return
        if piece := whole[len(self._said) :]:
            shown.append(AnswerDelta(piece))
            self._said = whole

    def _spaced(self, section: str, text: str) -> str:
        """Return a text of a section without the blanks at its end, which wait for what follows them."""
        whole = self._space + text if self._texts[section] else text.lstrip()
        stripped = whole.rstrip()
        self._space = whole[len(stripped) :]
        return stripped

    def _end_thought(self) -> Think:
        self._thought = True
        self._closed.add("think")
        return Think(self._texts["think"])

    def _decision(self, shown: list[Piece]) -> Answer | Retrieve:
        if self._held.strip() and (decided := self._held_decision(shown)):
            return decided
        searches = "retrieve" in self._closed or self._inside == "retrieve"
        answer = self._texts["answer"]
        if answer and not self._said and echo_of(answer) in self._echoes:
            raise FormatError("The answer only repeats the words of the instructions: answer the user.")
        if answer and not (searches and self._prose and not self._answer_only):
            if rest := answer[len(self._said) :]:
                shown.append(AnswerDelta(rest))
            return Answer(answer)
        if searches:
            if not self._answer_only:
                return self._retrieve(self._texts["retrieve"])
            raise FormatError("There is no retrieval left: answer between <answer> and </answer>.")
        if self._inside == "think":
            raise FormatError("The thinking does not end: close it with </think>, then answer or retrieve.")
        raise FormatError("There is neither <answer>...</answer> with words in it nor <retrieve>...</retrieve>.")

    def _held_decision(self, shown: list[Piece]) -> Retrieve | None:
        """Read a whole reply without tags: JSON or lines that search or answer, else prose, which is the answer."""
        held = self._held
        lines = {key.strip().lower(): value.strip() for key, value in keyed_lines(held)}
        if _STRUCTURE.match(held.lstrip()) and lines:
            if thought := next((lines[key] for key in _THOUGHTS if lines.get(key)), ""):
                self._think(thought, shown)
            if lines.get("keywords") and not self._answer_only:
                return self._retrieve(held)
            if answer := next((lines[key] for key in _ANSWERS if lines.get(key)), ""):
                self._held = answer.strip('"')
        self._begin_prose(shown)
        return None

    def _think(self, thought: str, shown: list[Piece]) -> None:
        if not self._thought and not self._texts["think"]:
            self._texts["think"] = thought
            shown.append(ThinkDelta(thought))

    def _retrieve(self, text: str) -> Retrieve:
        wish = parse_retrieve(text, self._zone, timeless=self._second)
        if echo_of(wish.keywords) in self._echoes:
            raise FormatError("The keywords only repeat the words of the instructions: write what to search for.")
        return wish


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` could be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
