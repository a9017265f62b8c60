"""A server over a real socket, and a client of it."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
import uvicorn

from persona_cli.config import Settings
from persona_cli.memory.store import Store
from persona_cli.report.life_page import write_page
from persona_cli.serve.application import build_application
from persona_cli.serve.household import Household
from tests.conftest import StillClock
from tests.fakes import ScriptedModel

TOKEN, PAGE_TOKEN = "let-me-in", "let-me-look"


@dataclass
class Running:
    address: str
    household: Household
    model: ScriptedModel
    client: openai.OpenAI

    @property
    def store(self) -> Store:
        return self.household.memory().store

    def say(self, *messages: str, model: str = "persona", chat: str = "") -> str:
        """Send a history of user and assistant messages in turn, and return the answer."""
        roles = ("user", "assistant")
        history: Any = [{"role": roles[at % 2], "content": words} for at, words in enumerate(messages)]
        headers = {"X-OpenWebUI-Chat-Id": chat} if chat else {}
        reply = self.client.chat.completions.create(model=model, messages=history, extra_headers=headers)
        return str(reply.choices[0].message.content)

    def said(self) -> list[str]:
        return [turn.user for turn in self.store.turns.all()]

    def learnt(self) -> None:
        """Wait until what was said has been learnt from."""
        deadline = time.monotonic() + 20
        while self.household.assistant().updates.pending():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def running(weights: Path, model: ScriptedModel, clock: StillClock) -> Iterator[Running]:
    assert weights.is_dir()
    household = Household(Settings(), lambda _: None, model=model, clock=clock)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    application = build_application(
        household,
        TOKEN,
        PAGE_TOKEN,
        write=True,
        origins=["https://chat.example"],
        show=lambda household: write_page(household.memory(), household.now(), editable=True),
    )
    server = uvicorn.Server(uvicorn.Config(application, port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    address = f"http://127.0.0.1:{port}"
    with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0) as client:
        yield Running(address, household, model, client)
    server.should_exit = True
    thread.join()


def ask(
    address: str, path: str, *, host: str = "", token: str = TOKEN, origin: str = "", body: bytes | None = None
) -> int:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    headers |= ({"Host": host} if host else {}) | ({"Origin": origin} if origin else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, body, headers), timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code
