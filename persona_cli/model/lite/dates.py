"""Dates as an answer says them."""

from __future__ import annotations

from datetime import datetime, timedelta

from persona_cli.records import Window
from persona_cli.timewords import describe


def day_of(moment: datetime, at: datetime) -> str:
    """Say on which day something was said, seen from `at`: "today", "on 12 May", "on 12 May 2022"."""
    moment = moment.astimezone(at.tzinfo)
    days = (at.date() - moment.date()).days
    if days == 0:
        return "earlier today" if at - moment > timedelta(hours=1) else "just now"
    if days == 1:
        return "yesterday"
    year = f" {moment.year}" if moment.year != at.year else ""
    return f"on {moment.day} {moment:%B}{year}"


def when(window: Window, at: datetime) -> str:
    """Say when something happened or will happen, absolute where it is further away."""
    return describe(window, at)
