"""Train a `PooledHead`: the same network in torch, dropout on what it sees and on what it pools, half a minute.

The states come from the encoder as it runs in the program, in 8 bits, so nothing is lost between training and use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from persona_cli.reading.pooling import PooledHead

Floats = NDArray[np.float32]
Loss = Callable[[Tensor, NDArray[np.int64]], Tensor]
"""The loss of some scores, (n, labels), and the numbers of the texts they are of."""

NARROW, WEIGHTINGS = 48, 4
DROPOUT, DECAY, RATE = 0.4, 0.05, 2e-3
WARM_UP, AT_ONCE = 30, 32


class Pooled(nn.Module):
    """The network; see `PooledHead` for what its weights are."""

    def __init__(self, width: int, more: int, labels: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.narrow = nn.Linear(width, NARROW)
        self.beside = nn.Linear(3 * NARROW, NARROW)
        self.weighing = nn.Linear(NARROW, WEIGHTINGS)
        self.out = nn.Linear((WEIGHTINGS + 1) * NARROW + width + more, labels)

    def forward(self, states: Tensor, mask: Tensor, more: Tensor) -> Tensor:
        """Return scores: (n, pieces, width), (n, pieces) and (n, more) to (n, labels)."""
        even, known = self.norm(states), mask[:, :, None]
        narrowed = _gelu(self.narrow(self.dropout(even))) * known
        before, behind = narrowed.roll(1, 1), narrowed.roll(-1, 1)
        before[:, 0], behind[:, -1] = 0, 0
        narrowed = narrowed + _gelu(self.beside(torch.cat([before, narrowed, behind], 2)))
        weights = self.weighing(narrowed).masked_fill(known == 0, -1e4).softmax(1)
        pooled = torch.einsum("npa,npw->naw", weights, narrowed).flatten(1)
        largest = narrowed.masked_fill(known == 0, -1e4).amax(1)
        mean = (even * known).sum(1) / mask.sum(1, keepdim=True)
        seen = torch.cat([pooled, largest, mean, more], 1)
        return self.out(self.dropout(seen))  # type: ignore[no-any-return]  # torch has no types here

    def head(self) -> PooledHead:
        """Return the weights as the program takes them."""
        layers = (self.narrow, self.beside, self.weighing, self.out)
        rows = [np.vstack([layer.weight.detach().numpy().T, layer.bias.detach().numpy()]) for layer in layers]
        return PooledHead(*(row.astype(np.float32) for row in rows))


def fit(states: Sequence[Floats], more: Floats, labels: int, loss_of: Loss, epochs: int) -> PooledHead:
    """Return the head after so many epochs over texts given by their states; the same texts give the same head."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network, dice = Pooled(states[0].shape[1], more.shape[1], labels), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    total, done = epochs * -(-len(states) // AT_ONCE), 0
    for _ in range(epochs):
        order = dice.permutation(len(states))
        for first in range(0, len(order), AT_ONCE):
            rows = order[first : first + AT_ONCE]
            scores = network(*_side_by_side([states[row] for row in rows]), torch.tensor(more[rows]))
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1, done / WARM_UP) * (1 - done / total)
            optimizer.zero_grad()
            loss_of(scores, rows).backward()  # type: ignore[no-untyped-call]  # torch has no types here
            optimizer.step()
            done += 1
    return network.eval().head()


def _side_by_side(states: Sequence[Floats]) -> tuple[Tensor, Tensor]:
    longest = max(len(rows) for rows in states)
    every = np.zeros((len(states), longest, states[0].shape[1]), dtype=np.float32)
    mask = np.zeros((len(states), longest), dtype=np.float32)
    for place, rows in enumerate(states):
        every[place, : len(rows)], mask[place, : len(rows)] = rows, 1
    return torch.tensor(every), torch.tensor(mask)


def _gelu(given: Tensor) -> Tensor:
    return functional.gelu(given, approximate="tanh")
