"""Load ONNX Runtime so that it neither prints anything nor sends anything; what is raised says what matters."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType

from persona_cli.errors import EngineError

_REINSTALL = (
    "Install it again: pip install --force-reinstall onnxruntime "
    "(on Windows it needs Microsoft's Visual C++ Redistributable too)."
)

_THEIRS = (b"onnxruntime", b"cpuinfo")

_loading = threading.Lock()  # two threads would put each other's standard error back


def load() -> ModuleType:
    """Import onnxruntime, quiet and with its telemetry off; raises `EngineError` where it cannot be loaded."""
    # from 1.29 on it tells its maker what it is used for, unless this is set before it is loaded; what can be turned
    # off afterwards is not all of it, but the only way for some Windows builds
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        with _loading:
            if "onnxruntime" in sys.modules:
                import onnxruntime
            else:
                with held_back():
                    import onnxruntime
    except ImportError as exc:
        raise EngineError(f"ONNX Runtime cannot be loaded: {exc}", fix=_REINSTALL) from exc
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
    with ExitStack() as stack:
        try:
            printed = stack.enter_context(tempfile.TemporaryFile())
            kept = os.dup(2)
        except OSError:  # nowhere to put it, or standard error is closed and nobody hears it anyway
            yield
            return
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            printed.seek(0)
            with suppress(OSError):
                os.write(2, b"".join(line for line in printed if not any(name in line for name in _THEIRS)))
