"""Loading a pair for the first time in a child process, so that a crash is an error message and not a crash.

Drivers and builds differ; llama.cpp ends the process where it should return an error (a V100 with the wrong build, a
projection with a pattern it does not know). What has been seen to work is remembered by file, size, date, version and
offload, and not tried again.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import llama_cpp

from persona_cli.errors import EngineError, WeightsError
from persona_cli.model.engines.llama.native import Loading


def probe(
    text: Path, projection: Path | None, loading: Loading, remembered: Path, *,
    keep: bool = True, timeout: float = 600.0,
) -> None:  # fmt: skip
    """Load the pair and evaluate one token in a child, unless `remembered` says that it worked before.

    Raises `WeightsError` with llama.cpp's own reason, or `EngineError` where the child crashed.
    """
    key = identify(text, projection, loading)
    if key in _known(remembered):
        return
    request = {"text": str(text), "projection": str(projection) if projection else None, "loading": asdict(loading)}
    try:
        child = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    except subprocess.TimeoutExpired as exc:
        raise EngineError(f"loading {text.name} took more than {timeout:.0f} s", fix="Try a smaller model.") from exc
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise EngineError(
            f"llama.cpp crashed ({name}) while loading {text.name}",
            fix="Try model.gpu_layers = 0, or build llama-cpp-python again with CMAKE_ARGS=-DGGML_NATIVE=OFF.",
        )
    if child.returncode:
        said = child.stderr.strip().splitlines()
        reason = said[-1] if said else f"llama.cpp gave up on {text.name} without a word (exit code {child.returncode})"
        raise WeightsError(reason, fix="Check the files with `persona model list`.")
    if keep:
        _remember(remembered, key)


def identify(text: Path, projection: Path | None, loading: Loading) -> str:
    """Return a name for a pair of files as they are now, under this llama.cpp, loaded this way."""
    facts: list[object] = [llama_cpp.__version__, sorted(asdict(loading).items())]
    for path in (text, projection, Path(loading.adapter) if loading.adapter else None):
        if path is not None:
            facts += [str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _known(remembered: Path) -> list[str]:
    try:
        known: list[str] = json.loads(remembered.read_text())
    except (OSError, ValueError):
        return []
    return known


def _remember(remembered: Path, key: str) -> None:
    remembered.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = remembered.with_suffix(".part")
    part.write_text(json.dumps([*_known(remembered), key][-50:]))
    part.replace(remembered)


def _child() -> None:
    from tempfile import TemporaryDirectory

    from persona_cli.errors import PersonaError
    from persona_cli.model.engines import Message
    from persona_cli.model.engines.llama.engine import LlamaEngine

    request = json.load(sys.stdin)
    projection = Path(request["projection"]) if request["projection"] else None
    with TemporaryDirectory() as cache:
        try:
            engine = LlamaEngine(Path(request["text"]), projection, Loading(**request["loading"]), Path(cache))
            list(engine.generate([Message("user", ("hi",))], grammar=None, stop=lambda: False, limit=1, lane="probe"))
            engine.close()
        except PersonaError as exc:
            sys.exit(exc.message)


if __name__ == "__main__":
    _child()
