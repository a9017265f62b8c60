"""What is trained: an adapter of MiniLM's weights, and every head over its last states, all at once.

The adapter is two narrow matrices beside each wide one (LoRA); the packaged weights stay as they are. A message is
looked at as the reader will look at it: its sentences in one pass, each judged by the mean of its states and by the
mark behind it, each word by the mean of its pieces.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from persona_cli.memory.vectors.minilm_files import source_folder
from persona_cli.reading.heads import FILLED, SENTENCE, TAGS
from persona_cli.reading.labels import ANSWERS, RELATIONS, SPANS

RANK = 16
SCALE = 2.0
WIDTH = 384
SURFACE, SHAPE = 25, 14
_LORA_DROPOUT, _DROPOUT = 0.05, 0.1
_SLICES = tuple(len(labels) for labels in SENTENCE.values())


class Adapter(nn.Module):
    """A linear layer that stays as it is, and the product of two narrow ones added to it."""

    def __init__(self, linear: nn.Linear, rank: int = RANK) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / math.sqrt(linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        self.dropout = nn.Dropout(_LORA_DROPOUT)

    def forward(self, given: Tensor) -> Tensor:
        """Return what the layer makes of it, and what the adapter adds."""
        added = functional.linear(functional.linear(self.dropout(given), self.down), self.up)
        return self.linear(given) + SCALE * added  # type: ignore[no-any-return]  # torch has no types here


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages side by side: pieces (n, longest), and where in them sentences, words and spans are: (row, from, to)."""

    pieces: Tensor
    mask: Tensor
    sentences: NDArray[np.int64]
    surfaces: NDArray[np.float32]
    words: NDArray[np.int64]
    shapes: NDArray[np.float32]
    spans: NDArray[np.int64]
    """(row, from, to, number of the label, number of the sentence)."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What the heads make of passages."""

    sentences: tuple[Tensor, ...]
    """A matrix for each judgement of `heads.SENTENCE`."""
    words: Tensor
    slots: Tensor


class Network(nn.Module):
    """The adapted encoder and its heads."""

    def __init__(self) -> None:
        super().__init__()
        self.bert = adapted_bert(RANK)
        self.sentence = nn.Linear(2 * WIDTH + SURFACE, sum(_SLICES))
        self.word = nn.Linear(WIDTH + SHAPE, len(TAGS))
        self.slot = nn.Linear(2 * WIDTH + len(SPANS), len(FILLED))
        self.relation = nn.Linear(4 * WIDTH, len(RELATIONS))
        self.answer = nn.Linear(4 * WIDTH, len(ANSWERS))
        self.dropout = nn.Dropout(_DROPOUT)

    def read(self, given: Passages) -> Scores:
        """Return the scores of each sentence, word and span."""
        states = self._states(given.pieces, given.mask)
        sums = functional.pad(states.cumsum(1), (0, 0, 1, 0))
        rows, _, ends = torch.tensor(given.sentences).T
        behind = states[rows, ends]
        sentence = torch.cat(
            [self.dropout(_means(sums, given.sentences)), self.dropout(behind), torch.tensor(given.surfaces)], 1
        )
        word = torch.cat([self.dropout(_means(sums, given.words)), torch.tensor(given.shapes)], 1)
        labels = functional.one_hot(torch.tensor(given.spans[:, 3]), len(SPANS)).float()
        of = torch.tensor(given.spans[:, 4])
        span = torch.cat([self.dropout(_means(sums, given.spans[:, :3])), labels, self.dropout(behind[of])], 1)
        return Scores(self.sentence(sentence).split(_SLICES, 1), self.word(word), self.slot(span))

    def compare(self, pairs: Sequence[tuple[list[int], list[int]]], head: nn.Linear) -> Tensor:
        """Return the scores of pairs of texts, given as pieces, by one of the heads of pairs."""
        firsts = [(row, 1, 1 + len(first)) for row, (first, _) in enumerate(pairs)]
        seconds = [(row, 2 + len(one), 2 + len(one) + len(other)) for row, (one, other) in enumerate(pairs)]
        pieces, mask = padded([[101, *first, 102, *second, 102] for first, second in pairs])
        states = self._states(pieces, mask)
        sums = functional.pad(states.cumsum(1), (0, 0, 1, 0))
        places = np.array(seconds, dtype=np.int64)
        one, other = _means(sums, np.array(firsts, dtype=np.int64)), _means(sums, places)
        behind = states[torch.tensor(places[:, 0]), torch.tensor(places[:, 2])]
        seen = torch.cat([states[:, 0], behind, one * other, (one - other).abs()], 1)
        return head(self.dropout(seen))  # type: ignore[no-any-return]  # torch has no types here

    def adapter(self) -> dict[str, NDArray[np.float16]]:
        """Return the adapter as it is shipped: two narrow matrices by the name of the wide one, float16."""
        return adapter_of(self.bert)

    def _states(self, pieces: Tensor, mask: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            states = self.bert(input_ids=pieces, attention_mask=mask).last_hidden_state
        return states.float()  # type: ignore[no-any-return]  # torch has no types here


def adapted_bert(rank: int) -> BertModel:
    """Return MiniLM with an adapter beside each wide matrix; nothing else of it is trained."""
    # the quick way of attention that torch has takes three times as long back as this one, on a processor
    bert = BertModel.from_pretrained(source_folder(), add_pooling_layer=False, attn_implementation="eager")
    bert.requires_grad_(False)
    for layer in bert.encoder.layer:
        for holder, name in (
            (layer.attention.self, "query"),
            (layer.attention.self, "key"),
            (layer.attention.self, "value"),
            (layer.attention.output, "dense"),
            (layer.intermediate, "dense"),
            (layer.output, "dense"),
        ):
            setattr(holder, name, Adapter(getattr(holder, name), rank))
    # half the bits for what stays as it is: twice as quick where the processor has them
    for parameter in bert.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.bfloat16()
    return bert


def adapter_of(bert: BertModel) -> dict[str, NDArray[np.float16]]:
    """Return the adapter as it is shipped: two narrow matrices by the name of the wide one, float16."""
    found = {}
    for name, module in bert.named_modules():
        if isinstance(module, Adapter):
            found[f"{name}.weight.down"] = module.down.detach().numpy().astype(np.float16)
            found[f"{name}.weight.up"] = (SCALE * module.up.detach().numpy()).astype(np.float16)
    return found


def begin_from(bert: BertModel, stored: Mapping[str, NDArray[np.float16]]) -> None:
    """Put a shipped adapter in the place of a new one, into the first of its narrow rows where it is less narrow."""
    for name, module in bert.named_modules():
        if isinstance(module, Adapter):
            down = torch.tensor(stored[f"{name}.weight.down"].astype(np.float32))
            up = torch.tensor(stored[f"{name}.weight.up"].astype(np.float32)) / SCALE
            module.down.data[: len(down)], module.up.data[:, : up.shape[1]] = down, up


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return pieces of several texts side by side, and which of them are there: (n, longest) each."""
    pieces = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    mask = np.zeros_like(pieces)
    for place, row in enumerate(rows):
        pieces[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return torch.tensor(pieces), torch.tensor(mask)


def _means(sums: Tensor, places: NDArray[np.int64]) -> Tensor:
    rows, starts, ends = torch.tensor(places.reshape(-1, 3)).T
    means: Tensor = (sums[rows, ends] - sums[rows, starts]) / (ends - starts).clamp(min=1).unsqueeze(1)
    return means
