"""Pictures, for a model that cannot see: it goes by the words beside them and by having met them before."""

from __future__ import annotations

import re
from datetime import datetime

from persona_cli.english.forms import capital, lower_first, to_second
from persona_cli.model.lite.phrases import phrases_of
from persona_cli.model.lite.telling import day_of, second_person
from persona_cli.model.tasks import ImageSeen

CANNOT_SEE = "I can't see what is in a picture, the built-in model only knows again what you named for it."
ASK = "Who or what is it?"
OFFER = "If you tell me, I'll know this picture the next time."


def asks_about_picture(text: str) -> bool:
    """Tell whether words beside a picture ask what it shows."""
    return phrases_of("about_picture").search(text) is not None


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
    more = "".join(f" {_spoken(content).rstrip('.')}." for content in others[:2])
    return f"{_that_is(first)}: {shown}.{more}"


def resembles(seen: ImageSeen, at: datetime) -> str:
    """Say which picture one that is new looks like, and what that was said to be, without taking it for the same."""
    said = " ".join(f"{_spoken(content).rstrip('.')}." for content in seen.contents[:2])
    words = seen.turn.user.strip() if seen.turn else ""
    told = said or (f"You said: “{words}”" if words else "You did not say who or what it is.")
    when = f" {day_of(seen.turn.at, at)}" if seen.turn else ""
    return f"I have not met this picture before, but it looks like one you showed me{when}. {told}"


def unknown(*, asked: bool, kept: bool) -> str:
    """Say that a picture is new, without a guess at what it shows; what is not `kept` will be new the next time too."""
    new = "I don't know: I have not met this picture before. " if asked else ""
    return f"{new}{CANNOT_SEE} {ASK} {OFFER}" if kept else f"{new}{CANNOT_SEE}"


def _that_is(content: str) -> str:
    """Turn what is kept of a picture ("Max is the user's dog") into "That's Max, your dog"."""
    text = _spoken(content).strip().rstrip(".")
    shows = re.match(r"(?:The|This|That|Your) (?:picture|photo|image) (?:shows|is of) (.+)", text)
    if shows:
        return f"That's {lower_first(shows[1])}"
    named = re.match(r"([A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*) (?:is|are) (.+)", text)
    if named and named[1] not in {"You", "Your", "This", "That", "It"}:
        return f"That's {named[1]}, {named[2]}"
    plain = re.match(r"(?:This|That|It) (?:is|are) (.+)", text)
    return f"That's {plain[1]}" if plain else f"I know this one. {capital(text)}"


def _spoken(content: str) -> str:
    """Return what is kept of a picture as it is said to the person, in its own words where no turning is certain."""
    return capital(to_second(content) or second_person(content) or content)
