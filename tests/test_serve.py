"""The server by real clients: the openai package and the protocol's own, over a real socket."""

from __future__ import annotations

import base64
import io
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import openai
import pytest
import uvicorn
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from persona_cli.config import Settings
from persona_cli.errors import EngineError
from persona_cli.memory.store import Store
from persona_cli.records import Answer, AnswerDelta, Aspect, Author
from persona_cli.report.life_page import write_page
from persona_cli.serve.access import read_token
from persona_cli.serve.application import build_application
from persona_cli.serve.conversations import replaced_place
from persona_cli.serve.household import Household
from persona_cli.serve.jobs import client_frames, client_jobs, is_job, own_words
from tests.conftest import StillClock
from tests.fakes import ScriptedModel

pytestmark = pytest.mark.gguf

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


def test_only_this_machine_with_the_token_is_answered(running: Running) -> None:
    address = running.address
    assert ask(address, "/v1/models") == 200
    assert ask(address, "/v1/models", token="wrong") == 401
    assert ask(address, "/v1/models", host="evil.example") == 421
    assert ask(address, "/v1/models", origin="https://evil.example") == 403
    assert ask(address, "/v1/models", origin="null") == 403
    assert ask(address, "/v1/models", origin="http://[::1") == 403
    assert ask(address, "/v1/models", origin="http://localhost:3000") == 200
    assert ask(address, "/v1/models", origin="https://chat.example") == 200
    assert ask(address, "/mcp", host="evil.example", body=b"{}") == 421
    assert ask(address, "/nowhere") == 404
    with pytest.raises(openai.AuthenticationError):
        running.client.with_options(api_key="wrong").models.list()


def test_a_request_that_is_too_large_is_refused_before_it_is_read(running: Running) -> None:
    assert exchange(running.address, b"Content-Length: 999999999\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_a_request_that_sends_more_than_it_may_is_refused_and_nothing_is_logged(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("persona_cli.serve.access.MOST_BYTES", 100)
    piece = b"60\r\n" + b" " * 0x60 + b"\r\n"
    assert exchange(running.address, b"Transfer-Encoding: chunked\r\n\r\n" + piece * 4).startswith(b"HTTP/1.1 413")
    assert not caplog.records


def test_of_several_hosts_each_must_be_this_machine(running: Running) -> None:
    for more in (b"Host: evil.example\r\n\r\n", b"Origin: https://evil.example\r\nOrigin: http://localhost\r\n\r\n"):
        assert exchange(running.address, more)[:12] in (b"HTTP/1.1 421", b"HTTP/1.1 403")


def exchange(address: str, headers_and_body: bytes) -> bytes:
    """Send a request for an answer by hand, and return the beginning of what comes back."""
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=20) as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer let-me-in\r\n"
            + headers_and_body
        )
        return raw.recv(100)


def test_the_token_is_made_once_and_is_the_owners(home: Path) -> None:
    file = home / "serve.token"
    token = read_token(file)
    assert len(token) >= 32
    assert read_token(file) == token
    assert file.stat().st_mode & 0o777 == 0o600


def test_models_are_the_people_of_this_home(running: Running) -> None:
    assert [model.id for model in running.client.models.list()] == ["persona", "persona-plain"]
    assert running.client.models.retrieve("persona").owned_by == "persona"
    with pytest.raises(openai.NotFoundError, match="persona-plain"):
        running.say("hello", model="gpt-9")
    with pytest.raises(openai.NotFoundError):
        running.say("hello", model="persona:nobody")


def test_an_answer_comes_whole_and_in_pieces(running: Running) -> None:
    assert running.say("I have a dog.") == "You said: I have a dog."
    stream = running.client.chat.completions.create(
        model="persona",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "His name is Max."}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "You said: His name is Max."
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 6
    assert running.said() == ["I have a dog.", "His name is Max."]


def test_only_the_last_message_is_new(running: Running) -> None:
    first = running.say("I have a dog.", chat="a")
    running.say("I have a dog.", first, "His name is Max.", chat="a")
    assert running.said() == ["I have a dog.", "His name is Max."]
    running.say("I live in Oslo.", "Noted.", "I like tea.", chat="b")
    assert running.said() == ["I have a dog.", "His name is Max.", "I like tea."]


def test_another_answer_and_an_edit_take_the_place_of_the_turn_before(running: Running) -> None:
    first = running.say("I have a dog.", chat="a")
    second = running.say("I have a dog.", first, "My sister is Anna.", chat="a")
    running.learnt()
    # another answer
    running.model.enqueue("reason", Answer("Nice to meet Anna."))
    assert running.say("I have a dog.", first, "My sister is Anna.", chat="a") == "Nice to meet Anna."
    assert running.said() == ["I have a dog.", "My sister is Anna."]
    # an edit
    running.say("I have a dog.", first, "My sister is Hanna.", chat="a")
    assert running.said() == ["I have a dog.", "My sister is Hanna."]
    # going on
    running.say("I have a dog.", first, "My sister is Hanna.", second, "She is nice.", chat="a")
    assert running.said() == ["I have a dog.", "My sister is Hanna.", "She is nice."]


def test_of_what_no_message_may_be_as_long_as_only_the_last_is_refused(running: Running) -> None:
    endless = "My password is hunter2, and so on. " * 1_000
    with pytest.raises(openai.BadRequestError, match="characters"):
        running.say(endless)
    running.say(endless, "No.", "My password is hunter2.")
    running.say(endless, "No.", "My password is hunter2.", "No.", "I have a dog.")
    running.say(endless, "No.", "My password is hunter2.", "No.", "I have a cat.")
    assert running.said() == ["My password is [password removed].", "I have a cat."]


def test_the_same_words_again_later_in_a_conversation_are_new(running: Running) -> None:
    running.say("yes", chat="a")
    running.say("yes", "?", "yes", chat="a")
    running.say("yes", "?", "yes", "?", "yes", chat="a")
    assert running.said() == ["yes", "yes", "yes"]


@pytest.mark.parametrize(
    ("known", "said", "place"),
    [
        (["a"], ["a"], 0),
        (["a"], ["b"], 0),
        (["a"], ["a", "b"], None),
        (["a", "b"], ["a", "c"], 1),
        (["a", "b", "c"], ["a", "d"], 1),
        (["a", "b", "c"], ["b", "c"], 2),  # the client has cut its history
        (["a", "b", "c"], ["c", "d"], None),
        (["a", "b", "c"], ["d"], None),
        (["a", "b"], ["x", "y"], None),
        (["a", "a"], ["a", "a", "a"], None),
    ],
)
def test_a_turn_is_replaced_only_where_that_is_certain(known: list[str], said: list[str], place: int | None) -> None:
    assert replaced_place(known, said) == place


def test_a_message_sent_again_after_a_restart_is_known(running: Running, clock: StillClock) -> None:
    running.say("I have a dog.")
    assistant = running.household.assistant()
    clock.advance(minutes=1)
    said_by_terminal = list(assistant.respond("I have a cat."))
    assert said_by_terminal
    running.say("I have a cat.")
    assert running.said() == ["I have a dog.", "I have a cat."]


def test_what_a_client_wants_for_itself_is_never_remembered(running: Running) -> None:
    for job in client_jobs():
        assert is_job({}, job.example)
        running.say(job.example)
    reply = running.client.chat.completions.create(
        model="persona",
        messages=[{"role": "user", "content": "Give me five tags."}],
        extra_headers={"X-Task": "tags_generation"},
    )
    assert reply.choices[0].message.content == "To sum up: Give me five tags."
    assert not is_job({"x-task": "{{TASK}}"}, "I have a dog.")
    assert running.said() == []


def test_what_a_client_writes_in_front_of_the_words_is_not_the_persons(running: Running) -> None:
    for frame in client_frames():
        assert own_words(frame.example) == "Hello"
        assert own_words(f"What does {frame.begins} mean?") == f"What does {frame.begins} mean?"
        running.say(frame.example)
    assert running.said() == ["Hello"] * len(client_frames())


def test_the_plain_model_reads_and_writes_no_memory(running: Running) -> None:
    running.say("My sister is Anna.")
    assert running.say("I like tea.", "Good.", "Who am I?", model="persona-plain") == "To sum up: Who am I?"
    situation = running.model.called("answer")[-1][0]
    assert [turn.user for turn in situation.recent] == ["I like tea."]
    assert not situation.kept
    assert running.said() == ["My sister is Anna."]


def picture(colour: str) -> str:
    encoded = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(encoded, "PNG")
    return f"data:image/png;base64,{base64.b64encode(encoded.getvalue()).decode()}"


def show(running: Running, url: str) -> None:
    running.client.chat.completions.create(
        model="persona",
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "This is Max."}, {"type": "image_url", "image_url": {"url": url}}],
            }
        ],
    )


def test_pictures_come_as_data_and_nothing_is_fetched(running: Running) -> None:
    show(running, picture("red"))
    (turn,) = running.store.turns.all()
    assert [(image.width, image.height) for image in turn.images] == [(64, 48)]
    # another answer to the same picture: it is still there
    show(running, picture("red"))
    (turn,) = running.store.turns.all()
    assert running.household.memory().media.path_of(turn.images[0]).exists()
    with pytest.raises(openai.BadRequestError, match="data URL"):
        show(running, "http://127.0.0.1:9/secret.png")
    with pytest.raises(openai.BadRequestError, match="picture"):
        show(running, "data:image/png;base64,aGVsbG8=")
    assert running.said() == ["This is Max."]


def test_faults_are_in_the_shape_that_clients_know(running: Running) -> None:
    with pytest.raises(openai.BadRequestError, match="messages"):
        running.client.chat.completions.create(model="persona", messages=[])
    with pytest.raises(openai.BadRequestError, match="characters"):
        running.say("x" * 30_000)
    running.model.enqueue("reason", EngineError("the engine stopped", fix="Start it again."))
    with pytest.raises(openai.InternalServerError, match=r"Start it again\."):
        running.say("hello")
    running.model.enqueue("reason", [AnswerDelta("Well"), EngineError("the engine stopped")])
    stream = running.client.chat.completions.create(
        model="persona", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    with pytest.raises(openai.APIError, match="the engine stopped"):
        list(stream)
    assert running.said() == ["hello", "hi"]


def test_a_client_that_leaves_stops_the_answer_and_what_was_said_is_kept(running: Running) -> None:
    running.model.enqueue("reason", [AnswerDelta(f"word {at} ") for at in range(200_000)])
    stream = running.client.chat.completions.create(
        model="persona", messages=[{"role": "user", "content": "Tell me much."}], stream=True
    )
    next(iter(stream))
    stream.close()
    running.model.enqueue("reason", Answer("Here."))
    assert running.say("And now?") == "Here."
    first = next(iter(running.store.turns.all()))
    assert first.user == "Tell me much."
    assert len(first.answer) < 1_500_000


def test_embeddings_are_those_that_search_uses(running: Running) -> None:
    reply = running.client.embeddings.create(model="any", input=["tea", "green tea"])
    assert reply.model == "all-MiniLM-L6-v2"
    assert [len(one.embedding) for one in reply.data] == [384, 384]
    floats = running.client.embeddings.create(model="any", input="tea", encoding_format="float")
    assert floats.data[0].embedding == pytest.approx(reply.data[0].embedding, abs=1e-5)


def test_the_tools_are_there_over_http_with_the_same_memory(running: Running) -> None:
    running.say("I drink green tea.")

    async def talk() -> list[str]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            Client(streamable_http_client(f"{running.address}/mcp", http_client=http)) as client,
        ):
            recent = await client.call_tool("recent", {})
            assert recent.structured_content is not None
            return [memory["text"] for memory in recent.structured_content["memories"]]

    assert any("I drink green tea." in text for text in anyio.run(talk))


def test_the_page_is_live_and_the_browser_keeps_a_key_to_it_alone(running: Running) -> None:
    running.say("My sister is Anna.")
    running.store.core.put("home", "Oslo", Aspect.HUMAN, running.household.now())
    with httpx2.Client(base_url=running.address, follow_redirects=False) as browser:
        assert browser.get("/").status_code == 401
        assert browser.get("/?token=wrong").status_code == 401
        assert browser.get(f"/?token={TOKEN}").status_code == 401  # a client may not change what a person wrote
        entered = browser.get(f"/?token={PAGE_TOKEN}")
        cookie, where = entered.headers["set-cookie"], entered.headers["location"]
        # every port of this machine is sent its cookies: it is not the token, and only a secret address is sent it
        assert PAGE_TOKEN not in cookie + where
        assert f"Path={where}; HttpOnly; SameSite=Strict" in cookie
        assert len(where) > 30
        page = browser.get(where)
        assert page.status_code == 200
        assert "Oslo" in page.text
        value = cookie.split(";")[0].split("=")[1]
        for named in ("persona_page", "persona_token"):
            assert browser.get("/", headers={"Cookie": f"{named}={value}"}).status_code == 401
        assert httpx2.get(running.address + where).status_code == 401
        # the cookie opens the page alone
        assert browser.get("/v1/models", headers={"Cookie": f"persona_page={value}"}).status_code == 401
        assert browser.post("/mcp", json={}).status_code == 401


def test_what_is_changed_on_the_page_is_the_persons_own(running: Running) -> None:
    with httpx2.Client(base_url=running.address, follow_redirects=False) as browser:
        where = browser.get(f"/?token={PAGE_TOKEN}").headers["location"]
        own = {"Origin": running.address}

        def send(action: str, **fields: str) -> int:
            return browser.post(f"{where}{action}", data=fields, headers=own).status_code

        assert send("remember", words="I drink tea.  My PIN is 4711.") == 303
        (fact,) = running.store.semantic.list()
        assert (fact.author, "4711" in fact.content) == (Author.PERSON, False)
        assert "form-action &#39;self&#39;" in browser.get(where).text
        assert send("correct", name=f"s{fact.id}", words="I drink <b>coffee</b>.") == 303
        (now,) = running.store.semantic.list()
        assert (now.content, running.store.semantic.get(fact.id).superseded_by) == ("I drink <b>coffee</b>.", now.id)
        assert "I drink &lt;b&gt;coffee&lt;/b&gt;." in browser.get(where).text
        assert send("correct", name=f"s{fact.id}", words="I drink milk.") == 404  # it holds no more
        assert send("forget", name="no such thing") == 400
        assert send("forget", name=f"s{now.id}") == 303
        assert running.store.semantic.list(None) == (running.store.semantic.get(fact.id),)
        assert send("rename") == 404
        fields = {"words": "I was put here by another page."}
        for foreign in ({}, {"Origin": "http://localhost:1"}, {"Origin": "https://chat.example"}):
            assert browser.post(f"{where}remember", data=fields, headers=foreign).status_code == 401
        assert httpx2.post(f"{running.address}{where}remember", data=fields, headers=own).status_code == 401
        as_client = {**own, "Authorization": f"Bearer {TOKEN}"}
        assert httpx2.post(f"{running.address}{where}remember", data=fields, headers=as_client).status_code == 401
