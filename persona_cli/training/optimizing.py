"""AdamW for weights in bfloat16: what it keeps of them is float32.

A step of the rate times the gradient is often smaller than the last bit of a bfloat16 weight (one in 256), so a weight
that is kept in bfloat16 alone stands still. The library's own answer, mixed precision, is for GPUs: on a processor
it takes three times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch


class MasterAdamW(torch.optim.Optimizer):
    """AdamW over float32 copies of the weights, which are rounded into the model after each step."""

    def __init__(
        self, params: Iterable[Any], lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move each weight that has a gradient."""
        for group in self.param_groups:
            first, second = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    copy = weight.detach().float().clone()
                    state |= {"step": 0, "copy": copy, "mean": torch.zeros_like(copy), "square": torch.zeros_like(copy)}
                state["step"] += 1
                gradient = weight.grad.float()
                state["mean"].lerp_(gradient, 1 - first)
                state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
                size = group["lr"] / (1 - first ** state["step"])
                spread = (state["square"] / (1 - second ** state["step"])).sqrt_().add_(group["eps"])
                state["copy"].addcdiv_(state["mean"], spread, value=-size)
                weight.copy_(state["copy"])

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a kept state as it is: the library would round it to the precision of the weights."""
        super().load_state_dict(state_dict)
        weights = [weight for group in self.param_groups for weight in group["params"]]
        for place, kept in state_dict["state"].items():
            state = self.state[weights[place]]
            for name in ("copy", "mean", "square"):
                state[name] = kept[name].float().clone()
