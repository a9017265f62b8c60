"""A new statement beside an old memory: what the encoder makes of the two in one pass, which `remembering` judges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from persona_cli.reading.encoder import Encoder, Floats
from persona_cli.reading.heads import pair_input


def side_by_side(encoder: Encoder, old: Sequence[str], new: str) -> Floats:
    """Return what a new statement is beside each of some memories, in order: (n, 4 times the width); a pass each."""
    passages = encoder.encode([(memory, new) for memory in old])
    return np.array([pair_input(passage) for passage in passages], dtype=np.float32)
