"""What is trained to judge memories for a question: an adapter of MiniLM of its own, and one line over a pair.

Question and memory are looked at in one pass. The line sees the state of the first mark, that of the last, the means
of both texts against each other, and how near each piece of the question comes to some piece of the memory. It begins
as the reader does, whose two lowest layers it keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.answers.lists import Pieces
from models.reading.network import WIDTH, Adapter, adapted_bert, adapter_of, begin_from, padded
from persona_cli.memory.vectors.minilm import CLS, SEP
from persona_cli.reading.judging import GIVES
from persona_cli.reading.labels import ANSWERS

RANK = 32
KEPT = 2
"""Layers whose adapter stays that of the reader: a third of the time of a step."""
FEATURES = 4 * WIDTH + 2
_OF_IT = tuple(ANSWERS.index(label) for label in ANSWERS if label in GIVES)
_NOT_OF_IT = tuple(ANSWERS.index(label) for label in ANSWERS if label not in GIVES)
_DROPOUT = 0.1


class Judge(nn.Module):
    """The adapted encoder and its line."""

    def __init__(self, reader: Mapping[str, NDArray[np.float16]]) -> None:
        """Begin with the adapter of the reader."""
        super().__init__()
        self.bert = adapted_bert(RANK)
        begin_from(self.bert, reader)
        self.line = nn.Linear(FEATURES, len(ANSWERS) + 1)
        self.dropout = nn.Dropout(_DROPOUT)
        for module in self.bert.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # drawing the dice took half of the time
        for layer in self.bert.encoder.layer[:KEPT]:
            layer.requires_grad_(False)

    def forward(self, pairs: Sequence[Pieces]) -> Tensor:
        """Return the scores of pairs, the last one of the one text's ending the other: (n, labels + 1)."""
        pieces, mask = padded([[CLS, *asked, SEP, *told, SEP] for asked, told in pairs])
        with torch.autocast("cpu", torch.bfloat16):
            states = self.bert(input_ids=pieces, attention_mask=mask).last_hidden_state
        states = states.float()
        ends = torch.tensor([[1 + len(asked), 2 + len(asked) + len(told)] for asked, told in pairs])
        place = torch.arange(pieces.shape[1])[None]
        asked = ((place >= 1) & (place < ends[:, :1])).float()
        told = ((place > ends[:, :1]) & (place < ends[:, 1:])).float()
        one, other = _mean(states, asked), _mean(states, told)
        behind = states[torch.arange(len(pairs)), ends[:, 1]]
        seen = torch.cat([states[:, 0], behind, one * other, (one - other).abs()], 1)
        near = torch.stack([_nearness(states, asked, told), functional.cosine_similarity(one, other)], 1)
        return self.line(torch.cat([self.dropout(seen), near], 1))  # type: ignore[no-any-return]  # untyped torch

    def adapter(self) -> dict[str, NDArray[np.float16]]:
        """Return the adapter as it is shipped, without the narrow rows that hold nothing."""
        found = adapter_of(self.bert)
        for name in [name.removesuffix(".up") for name in found if name.endswith(".up")]:
            held = np.abs(found[f"{name}.up"]).max(axis=0) > 0
            found[f"{name}.up"], found[f"{name}.down"] = found[f"{name}.up"][:, held], found[f"{name}.down"][held]
        return found

    def written_line(self) -> NDArray[np.float16]:
        """Return the line as it is shipped: (features + 1, labels + 1)."""
        weights = [self.line.weight.detach().numpy().T, self.line.bias.detach().numpy()[None]]
        return np.vstack(weights).astype(np.float16)

    def trained(self) -> list[nn.Parameter]:
        """Return what is trained of the encoder."""
        modules = (module for module in self.bert.modules() if isinstance(module, Adapter))
        every = (weight for module in modules for weight in (module.down, module.up))
        return [weight for weight in every if weight.requires_grad]


def odds(scores: Tensor) -> Tensor:
    """Return the log-odds that a memory is of the very thing that is asked: (n, labels) to (n,)."""
    return scores[:, _OF_IT].logsumexp(1) - scores[:, _NOT_OF_IT].logsumexp(1)


def _mean(states: Tensor, among: Tensor) -> Tensor:
    found: Tensor = (states * among[..., None]).sum(1) / among.sum(1, keepdim=True).clamp(min=1)
    return found


def _nearness(states: Tensor, asked: Tensor, told: Tensor) -> Tensor:
    """Return how near the pieces of the question come to some piece of the memory, in the mean: (n,)."""
    unit = functional.normalize(states, dim=2)
    best = (unit @ unit.transpose(1, 2)).masked_fill(told[:, None, :] == 0, -1.0).amax(2)
    found: Tensor = (best * asked).sum(1) / asked.sum(1).clamp(min=1)
    return found
