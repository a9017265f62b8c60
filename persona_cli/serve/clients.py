"""The block each client wants in its settings; paths are absolute, for not every client expands `~` or has a PATH."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Client(StrEnum):
    """A program that can use a memory."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    LM_STUDIO = "lm-studio"
    VSCODE = "vscode"
    OPEN_WEBUI = "open-webui"


@dataclass(frozen=True, slots=True)
class Block:
    """What to put where."""

    where: str
    text: str


_WHERE = {
    Client.CLAUDE_DESKTOP: "claude_desktop_config.json (Settings > Developer > Edit Config), then start it again",
    Client.CLAUDE_CODE: ".mcp.json in a project, or `claude mcp add-json persona '{...}'` with the inner object",
    Client.LM_STUDIO: "mcp.json (Program > Install > Edit mcp.json)",
    Client.VSCODE: ".vscode/mcp.json, or the user's mcp.json (MCP: Open User Configuration)",
    Client.OPEN_WEBUI: (
        "Admin Settings > External Tools (type MCP, streamable HTTP) and Connections > OpenAI; `persona serve` must run"
    ),
}


def block_for(client: Client, command: Sequence[str], env: Mapping[str, str], address: str, token: str) -> Block:
    """Return the block of a client: `command` starts the server over stdio, `address` is where `persona serve` is."""
    program, *arguments = command
    server: dict[str, object] = {"command": program, "args": arguments}
    if env:
        server["env"] = dict(env)
    match client:
        case Client.VSCODE:
            block: dict[str, object] = {"servers": {"persona": {"type": "stdio", **server}}}
        case Client.OPEN_WEBUI:
            block = {
                "tools": {"url": f"{address}/mcp", "auth": "bearer", "key": token},
                "model": {
                    "url": f"{address}/v1",
                    "key": token,
                    "headers": {"X-Conversation-Id": "{{CHAT_ID}}", "X-Task": "{{TASK}}"},
                },
            }
        case _:
            block = {"mcpServers": {"persona": server}}
    return Block(_WHERE[client], json.dumps(block, indent=2))
