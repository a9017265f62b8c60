"""Training: supervised fine-tuning and GRPO of a model on this program's own prompts, on TRL, accelerate and peft.

    recipes     what a run is made of, as data: batch, rate, schedule; the paper's and smaller ones
    training_rows what is trained on: rows of conversations, and questions about a memory
    running     a run from beginning to end: plan, training, card
    base        the model that is trained: a Hugging Face checkpoint or a GGUF file; its processor and template
    templates   the chat template with marks around what is learnt; processor pictures without torchvision
    fine_tuning supervised fine-tuning: the loss on the assistant's turns alone
    ordering    rows of like length in a batch, batches in any order
    optimizing  AdamW for weights in bfloat16
    rollouts    GRPO's roll-out: the real Response stage over a real memory, many at once
    reward      accuracy * consistency + 0.5 * format, and who judges
    reinforcing GRPO itself
    estimating  what fits, how many steps, how many hours: from the shapes, before anything is loaded
    following   what is told while it runs; cards the curve and the model card it ends in

The libraries are the extra `persona-cli[train]`; `require_libraries()` says so where they are missing.
"""

from __future__ import annotations

from persona_cli.errors import UsageError

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


def require_libraries() -> None:
    """Raise `UsageError` where the libraries of training are not installed."""
    from importlib.util import find_spec

    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise UsageError(f"training needs {', '.join(missing)}", fix="Install them: pip install 'persona-cli[train]'")
