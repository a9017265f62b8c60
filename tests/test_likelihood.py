"""What the llama engine thinks of a given reply."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from persona_cli.errors import ContextError
from persona_cli.model.engines import Message
from persona_cli.model.engines.likelihood import Weighs
from persona_cli.model.engines.llama.engine import LlamaEngine
from persona_cli.model.engines.llama.native import Loading
from persona_cli.model.engines.llama.sampling import log_probability
from tests.tiny import Tiny

DIGIT = "root ::= [1-5]"


def test_log_probabilities_add_up() -> None:
    logits = np.array([1000.0, 1000.0, 999.0], dtype=np.float32)
    found = [log_probability(logits, token) for token in range(3)]
    assert sum(map(math.exp, found)) == pytest.approx(1.0)
    assert found[0] - found[2] == pytest.approx(1.0)


@pytest.mark.gguf
def test_what_the_engine_would_say_is_likelier_than_what_it_would_not(tiny: Tiny, tmp_path: Path) -> None:
    engine = LlamaEngine(tiny.pair.text, None, Loading(context=512, batch=128), tmp_path / "cache")
    try:
        assert isinstance(engine, Weighs)
        asked = [Message("user", ("who is it?",))]
        said = "".join(engine.generate(asked, grammar=DIGIT, stop=lambda: False, limit=1, lane="respond"))
        weighed = {digit: engine.likelihood(asked, digit) for digit in "12345"}
        assert None not in weighed.values()
        assert max(weighed, key=lambda digit: weighed[digit] or 0.0) == said
        # what is in the cache changes nothing but the last digits
        assert engine.likelihood(asked, "1") == pytest.approx(weighed["1"], abs=1e-3)
        assert engine.likelihood(asked, "12") != weighed["1"]
        with pytest.raises(ContextError):
            engine.likelihood(asked, "word " * 600)
    finally:
        engine.close()
