"""What runs until it is ended, as a process with every way out shut: it serves who comes, and asks nobody itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import openai
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from persona_cli.paths import find_places
from persona_cli.serve.access import read_token

pytestmark = [pytest.mark.gguf, pytest.mark.usefixtures("weights")]


@pytest.fixture
def tried(tmp_path: Path) -> Path:
    """Return the file that has a line for each way out that was tried: none of it exists as long as none was."""
    return tmp_path / "tried.txt"


def indoors(tried: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "tests.indoors", str(tried), *words]


@contextmanager
def served(tried: Path) -> Iterator[int]:
    """Run `persona serve`, wait until it answers, and end it as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(indoors(tried, "serve", "--port", str(port), "--write"), stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait() in (0, 130)


def test_the_shut_ways_are_shut(tried: Path) -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    shut = f"from pathlib import Path; from tests.indoors import shut; shut(Path({str(tried)!r})); {code}"
    assert subprocess.run([sys.executable, "-c", shut], capture_output=True, check=False).returncode == 1
    assert re.match(r"socket\.(getaddrinfo|connect) .*192\.0\.2\.1", tried.read_text(encoding="utf-8"))


def test_the_server_asks_nobody(tried: Path, home: Path) -> None:
    with served(tried) as port:
        places = find_places(env={"PERSONA_HOME": str(home)})
        token, page_token = read_token(places.token), read_token(places.page_token)
        with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=token, max_retries=0) as client:
            said = client.chat.completions.create(
                model="persona", messages=[{"role": "user", "content": "My dog is called Max."}]
            )
            assert said.choices[0].message.content
            assert client.embeddings.create(model="persona", input="a dog").data[0].embedding
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(f"http://127.0.0.1:{port}/?token={page_token}", timeout=60) as answer:
            assert answer.read().startswith(b"<!doctype html>")
    assert not tried.exists()


def test_the_tools_ask_nobody(tried: Path, home: Path) -> None:
    env = {"PERSONA_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    words = indoors(tried, "mcp", "--write")
    command = StdioServerParameters(command=words[0], args=words[1:], env=env)

    async def run() -> None:
        async with Client(stdio_client(command)) as client:
            await client.call_tool("remember", {"content": "I drink green tea."})
            found = await client.call_tool("search_memory", {"query": "tea"})
            assert "green tea" in str(found)

    anyio.run(run)
    assert not tried.exists()


def test_an_evaluation_asks_nobody(tried: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    command = indoors(tried, "eval", "run", "demo", "--limit", "2", "--to", out)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert not tried.exists()
