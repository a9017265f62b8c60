"""Pictures, for a model that cannot see: it goes by the words beside them and by having met them before."""

from __future__ import annotations

import re
from datetime import datetime

from persona_cli.english.forms import capital, lower_first, to_second
from persona_cli.model.lite.dates import day_of
from persona_cli.model.tasks import ImageSeen

CANNOT_SEE = "I can't see what is in a picture, the built-in model only knows again what you named for it."
ASK = "Who or what is it? If you tell me, I'll know this picture the next time."
_ABOUT_PICTURE = re.compile(
    r"\b(?:who|what|which|where)\b.{0,12}\b(?:is|are|was|were|['’]s)\b.{0,12}"
    r"\b(?:this|that|it|he|she|they|these|those)\b"
    r"|\b(?:in|on) (?:the|this|that) (?:picture|photo|image|pic)\b"
    r"|\b(?:who|what|where)(?:['’]s|s) (?:this|that|it|here)\b"
    r"|\b(?:recogni[sz]e|seen|know|remember|guess|identify|see)\b.{0,20}"
    r"\b(?:this|that|him|her|it|them|who|one|picture|photo)\b"
    r"|\bdescribe\b|\bwhat do you see\b|\bwhat(?:['’]s| is) (?:in|on) (?:the|this)\b",
    re.I,
)


def asks_about_picture(text: str) -> bool:
    """Tell whether words beside a picture ask what it shows."""
    return _ABOUT_PICTURE.search(text) is not None


def recognise(seen: ImageSeen, at: datetime) -> str:
    """Say what a picture met before was said to be, and when it was shown."""
    shown = (
        f"you showed me this picture {day_of(seen.turn.at, at)}" if seen.turn else "you showed me this picture before"
    )
    if not seen.contents:
        words = seen.turn.user.strip() if seen.turn else ""
        said = f", and said: “{words}”" if words else ", but not who or what it is"
        return f"I know this one: {shown}{said}."
    first, *others = seen.contents
    more = "".join(f" {(to_second(content) or content).rstrip('.')}." for content in others[:2])
    return f"{_that_is(first)}: {shown}.{more}"


def resembles(seen: ImageSeen, at: datetime) -> str:
    """Say which picture one that is new looks like, and what that was said to be, without taking it for the same."""
    said = " ".join(f"{(to_second(content) or content).rstrip('.')}." for content in seen.contents[:2])
    words = seen.turn.user.strip() if seen.turn else ""
    told = said or (f"You said: “{words}”" if words else "You did not say who or what it is.")
    when = f" {day_of(seen.turn.at, at)}" if seen.turn else ""
    return f"I have not met this picture before, but it looks like one you showed me{when}. {told}"


def unknown(asked: bool) -> str:
    """Say that a picture is new, without a guess at what it shows."""
    return f"I don't know: I have not met this picture before. {CANNOT_SEE} {ASK}" if asked else f"{CANNOT_SEE} {ASK}"


def _that_is(content: str) -> str:
    """Turn what is kept of a picture ("Max is the user's dog") into "That's Max, your dog"."""
    text = (to_second(content) or content).strip().rstrip(".")
    shows = re.match(r"(?:The|This|That|Your) (?:picture|photo|image) (?:shows|is of) (.+)", text)
    if shows:
        return f"That's {lower_first(shows[1])}"
    named = re.match(r"([A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*) (?:is|are) (.+)", text)
    if named and named[1] not in {"You", "Your", "This", "That", "It"}:
        return f"That's {named[1]}, {named[2]}"
    plain = re.match(r"(?:This|That|It) (?:is|are) (.+)", text)
    return f"That's {plain[1]}" if plain else f"I know this one. {capital(text)}"
