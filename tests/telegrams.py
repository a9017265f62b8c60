"""Chats as Telegram Desktop writes them, written by us: links, pictures, what was forwarded, bad entries included."""

from __future__ import annotations

from datetime import datetime
from typing import Any

ME, KARL = "user11", "user22"


def telegram(number: int, sender: str, text: Any, **more: Any) -> dict[str, Any]:
    names = {ME: "Ada L.", KARL: "Karl"}
    at = 1_700_000_000 + 60 * number
    return {
        "id": number,
        "type": "message",
        "date": datetime.fromtimestamp(at).isoformat(),
        "date_unixtime": str(at),
        "from": names.get(sender, "Bot"),
        "from_id": sender,
        "text": text,
        "text_entities": [],
        **more,
    }


LINKED = ["See ", {"type": "link", "text": "https://example.org"}, " and ", {"type": "bold", "text": "say"}]
ONE_CHAT: dict[str, Any] = {
    "name": "Karl",
    "type": "personal_chat",
    "id": 22,
    "messages": [
        {"id": 1, "type": "service", "date_unixtime": "1700000000", "action": "phone_call", "text": ""},
        telegram(2, KARL, "Hello"),
        telegram(3, ME, LINKED),
        telegram(4, ME, "Look", photo="photos/photo_1.jpg", width=10, height=10),
        telegram(5, ME, "", photo="(File not included. Change data exporting settings to download.)"),
        telegram(6, ME, "I was born on Mars", forwarded_from="A comedian"),
        telegram(7, ME, "", file="voice_messages/audio_1.ogg", media_type="voice_message"),
        {**telegram(8, ME, "no time"), "date_unixtime": None, "date": "soon"},
        {**telegram(9, ME, "old"), "date_unixtime": None, "date": "2019-07-01T12:00:00"},
        "nonsense",
    ],
}  # fmt: skip
