"""Run the program as `python -m tests.indoors FILE COMMAND…` with every way out of this machine shut and written down.

For what runs until it is ended (serve, mcp) or starts processes of its own (eval): an audit hook sees each connection
and each question of names that Python makes, wherever in a library, refuses it, and adds a line to FILE.
"""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path

ASKED = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
"""Which argument of the event says where to."""


def shut(log: Path) -> None:
    """Refuse what leaves this machine from now on, in this process."""

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event in ASKED and not _at_home(arguments[ASKED[event]]):
            with log.open("a", encoding="utf-8") as lines:
                lines.write(f"{event} {arguments[ASKED[event]]!r}\n")
            raise OSError("no network in this test")

    sys.addaudithook(refuse)


def _at_home(place: object) -> bool:
    host = place[0] if isinstance(place, tuple) else place
    if host is None or (isinstance(host, str | bytes) and host[:1] in ("/", "\0", b"/", b"\0")):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    shut(Path(sys.argv.pop(1)))
    from persona_cli.cli.app import main

    main()
