"""Load ONNX Runtime so that it neither prints anything nor sends anything; what is raised says what matters."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

_THEIRS = (b"onnxruntime", b"cpuinfo")

_loading = threading.Lock()  # two threads would put each other's standard error back


def load() -> ModuleType:
    """Import onnxruntime, quiet and with its telemetry off."""
    # from 1.29 on it tells its maker what it is used for, unless this is set before it is loaded; what can be turned
    # off afterwards is not all of it, but the only way for some Windows builds
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    with _loading:
        if "onnxruntime" in sys.modules:
            import onnxruntime
        else:
            with held_back():
                import onnxruntime
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(4)
    module: ModuleType = onnxruntime
    return module


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back what the library prints to standard error; what others print meanwhile comes out afterwards.

    It looks for accelerators while it is loaded, before its log can be turned down, and on a Raspberry Pi, in WSL and
    in many containers warns that it cannot read them (onnxruntime 26763, 27092).
    """
    try:
        kept = os.dup(2)
    except OSError:  # standard error is closed: nobody hears anything
        yield
        return
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            printed.seek(0)
            with suppress(OSError):
                os.write(2, b"".join(line for line in printed if not any(name in line for name in _THEIRS)))
