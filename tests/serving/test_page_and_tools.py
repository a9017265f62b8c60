"""What the server does besides: faults, embeddings, the tools of the protocol, the page."""

from __future__ import annotations

import anyio
import httpx2
import openai
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from persona_cli.errors import EngineError
from persona_cli.records import Answer, AnswerDelta, Aspect, Author
from tests.serving.conftest import PAGE_TOKEN, TOKEN, Running

pytestmark = pytest.mark.gguf


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
