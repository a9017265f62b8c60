"""Quantizing a text model with llama.cpp's own quantizer, in a child process.

The quantizer reports through llama.cpp's log and cannot be stopped once it runs; in a child it can be killed, and
a crash inside it is an error message here.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from persona_cli.errors import WeightsError

QUANTIZATIONS = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16")
"""What `persona model export --quant` takes, smallest first."""

_SHRINK = {"Q4_K_M": 0.31, "Q5_K_M": 0.36, "Q6_K": 0.41, "Q8_0": 0.53}
"""Size against F16, for the progress bar only."""

_CHILD = """
import ctypes, os, sys
import llama_cpp
source, target, name = sys.argv[1:4]
lines = []
log = llama_cpp.llama_log_callback(lambda level, text, data: lines.append(text.decode("utf-8", "replace")))
llama_cpp.llama_log_set(log, None)
params = llama_cpp.llama_model_quantize_default_params()
params.ftype = getattr(llama_cpp, "LLAMA_FTYPE_MOSTLY_" + name)
params.nthread = os.cpu_count() or 1
failed = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params))
if failed:
    sys.exit("".join(lines[-3:]) or "the quantizer gave no reason")
"""


def quantize(source: Path, target: Path, name: str, progress: Callable[[str, int, int], None]) -> None:
    """Write `source` (F16) as `target` in the quantization `name`; raises `WeightsError` with llama.cpp's reason."""
    expected = int(source.stat().st_size * _SHRINK[name])
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(source), str(target), name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while child.poll() is None:
            done = target.stat().st_size if target.exists() else 0
            progress(f"quantizing to {name}", min(done, expected), expected)
            time.sleep(0.1)
        _, said = child.communicate()
    finally:
        child.kill()
        child.wait()
        if child.stderr is not None:
            child.stderr.close()
    if child.returncode:
        raise WeightsError(f"llama.cpp could not quantize to {name}: {said.strip()}", fix="Try Q8_0 or F16.")
    progress(f"quantizing to {name}", expected, expected)
