"""Fine-tuning: what is learnt from and what is not, a run on the tiny model that sees, and going on with it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

from persona_cli.errors import TransferError
from persona_cli.report.charts import chart, smoothed
from persona_cli.training.base import open_base
from persona_cli.training.following import read_marks
from persona_cli.training.optimizing import MasterAdamW
from persona_cli.training.ordering import LikeLengths
from persona_cli.training.recipes import Training, get_recipe, load_recipes
from persona_cli.training.templates import training_template
from persona_cli.training.training_rows import parts, read_lessons
from tests.terminal import persona
from tests.tiny import Tiny

WORDS = [
    {"role": "user", "content": "Where do I live?"},
    {"role": "assistant", "content": "<think>a</think>\n<answer>In Porto.</answer>"},
]
SEEN = [
    {"role": "user", "content": "<image>\nThis is Max."},
    {"role": "assistant", "content": "<answer>A dog.</answer>"},
    {"role": "user", "content": "And <image>?"},
    {"role": "assistant", "content": "<answer>The sea.</answer>"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    Image.new("RGB", (60, 40), (200, 30, 30)).save(tmp_path / "a.png")
    Image.new("RGB", (40, 90), (20, 30, 230)).save(tmp_path / "b.png")
    lines = [{"messages": WORDS}, {"messages": SEEN, "images": ["a.png", "b.png"], "task": "reason"}] * 2
    (tmp_path / "sft.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return tmp_path / "sft.jsonl"


def test_a_run_over_words_and_pictures_learns_and_goes_on(tiny: Tiny, rows: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ("train", "sft", str(rows), "--base", str(tiny.checkpoint), "--recipe", "gpu-sft", "--batch", "2",
               "--rate", "0.02", "--to", str(run))  # fmt: skip
    done = persona(*command, "--steps", "2")
    assert done.code == 0, done.err
    first = read_marks(run)
    assert [mark.step for mark in first] == [1, 2]
    weights = (run / "model" / "adapter_model.safetensors").read_bytes()

    again = persona(*command, "--steps", "3", "--json")
    assert again.code == 0, again.err
    assert again.json["last"]["step"] == 3
    marks = read_marks(run)
    assert marks[:2] == first, "steps that were done are not done again"
    assert marks[2].loss < first[0].loss
    assert marks[2].tokens > first[1].tokens, "tokens are counted on"
    assert Path(
        json.loads((run / "model" / "adapter_config.json").read_text())["base_model_name_or_path"]
    ).is_absolute()
    assert (run / "model" / "adapter_model.safetensors").read_bytes() != weights
    assert "| steps | 3 of 3, 2 a step |" in (run / "README.md").read_text(encoding="utf-8")
    ElementTree.fromstring((run / "curve.svg").read_text(encoding="utf-8"))
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["recipe"]["batch"] == 2


def test_the_loss_falls_on_what_the_assistant_says_and_its_end(tiny: Tiny) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny.checkpoint)
    made = tokenizer.apply_chat_template(
        [WORDS + WORDS], chat_template=training_template(tokenizer), return_dict=True, return_assistant_tokens_mask=True
    )
    learnt = [token for token, said in zip(made["input_ids"][0], made["assistant_masks"][0], strict=True) if said]
    assert tokenizer.decode(learnt) == 2 * "<think>a</think>\n<answer>In Porto.</answer><|im_end|>"


def test_pictures_stand_where_they_were_seen() -> None:
    kinds = [part["type"] for part in parts("<image>\nThis is Max, and <image>.")]
    assert kinds == ["image", "text", "image", "text"]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('{"messages": [{"role": "user", "content": "hi"}]}', "needs messages of user and assistant"),
        ('{"messages": [{"role": "assistant", "content": "<image>"}]}', "has 1 times <image> and 0 pictures"),
        ('{"messages": [{"role": "assistant", "content": "<image>"}], "images": ["no.png"]}', "which is not there"),
        ('{"turns": []}', "has no messages with role and content"),
        ("[1]", "has no messages with role and content"),
    ],
)
def test_a_line_that_cannot_be_learnt_from_is_named(line: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "sft.jsonl"
    file.write_text(json.dumps({"messages": WORDS}) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(TransferError, match=f"line 2 .*{wrong}"):
        read_lessons(file)


def test_the_optimizer_is_adamw_and_keeps_what_bfloat16_would_lose() -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(8, 4), [torch.randn(8, 4) for _ in range(5)]
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    half = start.bfloat16().requires_grad_()
    steps = [
        MasterAdamW([ours], lr=1e-2),
        torch.optim.AdamW([theirs], lr=1e-2, weight_decay=0.0),
        MasterAdamW([half], lr=1e-5),
    ]
    for gradient in gradients:
        for weight, step in zip((ours, theirs, half), steps, strict=True):
            weight.grad = gradient.to(weight.dtype)
            step.step()
    torch.testing.assert_close(ours, theirs)
    kept = steps[2].state_dict()
    moved = kept["state"][0]["copy"] - start.bfloat16().float()
    assert 0 < moved.abs().max() < 1e-4, "smaller than the last bit of the weights"
    other = MasterAdamW([half], lr=1e-5)
    other.load_state_dict(kept)
    assert torch.equal(other.state_dict()["state"][0]["copy"], kept["state"][0]["copy"])


def test_rows_of_like_length_share_a_batch_and_batches_are_mixed() -> None:
    lengths = [100 + 7 * (place % 50) for place in range(402)]
    order = list(LikeLengths(lengths, 4, 1))
    assert sorted(order) == list(range(402))
    assert order == list(LikeLengths(lengths, 4, 1)) != list(LikeLengths(lengths, 4, 2))
    batches = [[lengths[row] for row in order[place : place + 4]] for place in range(0, 400, 4)]
    assert all(max(batch) < 1.25 * min(batch) for batch in batches)
    means = [sum(batch) / 4 for batch in batches]
    assert abs(sum(means[:50]) / 50 - sum(means[50:]) / 50) < 60, "the second half is not the short half"


def test_the_recipes_are_those_of_the_paper_where_they_say_so() -> None:
    sft, grpo = get_recipe("paper-sft"), get_recipe("paper-grpo")
    assert (sft.batch, sft.learning_rate, sft.warmup, sft.most_tokens) == (64, 2e-5, 0.03, 16_384)
    assert (grpo.batch, grpo.learning_rate, grpo.warmup, grpo.group, grpo.penalty) == (72, 2e-6, 0.05, 6, 1.05)
    assert {recipe.stage for recipe in load_recipes().values()} == set(Training)
    assert all(recipe.most_pixels == 230_400 for recipe in load_recipes().values())


def test_recipes_are_shown_and_launch_files_written(tmp_path: Path) -> None:
    shown = persona("train", "recipes", "--to", str(tmp_path / "launch"), "--json")
    assert {recipe["name"] for recipe in shown.json["recipes"]} == set(load_recipes())
    assert "zero_stage: 3" in (tmp_path / "launch" / "zero3.yaml").read_text(encoding="utf-8")


def test_a_dry_run_counts_the_weights_and_says_whether_they_fit(tiny: Tiny, rows: Path) -> None:
    from safetensors import safe_open

    said = persona("train", "sft", str(rows), "--base", str(tiny.checkpoint), "--recipe", "paper-sft", "--batch", "2",
                   "--dry-run", "--json").json["estimate"]  # fmt: skip
    real = 0
    for file in tiny.checkpoint.glob("*.safetensors"):
        with safe_open(file, framework="pt") as opened:
            for key in opened.keys():  # noqa: SIM118 - safe_open is no mapping
                real += opened.get_tensor(key).numel()
    assert 0.8 < said["weights"] / real < 1.1
    assert said["rows"] == 4
    assert said["steps"] == 2
    assert said["needed"] > 16 * said["learning"] / said["devices"]


def test_in_full_training_the_merger_learns_and_the_tower_does_not(tiny: Tiny, tmp_path: Path) -> None:
    opened = open_base(tiny.checkpoint, get_recipe("paper-sft"), tmp_path)
    learns = {name: weight.requires_grad for name, weight in opened.model.named_parameters()}
    tower = {name for name in learns if ".visual." in name and ".merger." not in name}
    assert tower
    assert any(".merger." in name for name in learns)
    assert {name for name, learning in learns.items() if not learning} == tower


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is there")
def test_qlora_says_what_it_needs(tiny: Tiny, rows: Path, tmp_path: Path) -> None:
    refused = persona("train", "sft", str(rows), "--base", str(tiny.checkpoint), "--method", "qlora", "--to",
                      str(tmp_path / "run"))  # fmt: skip
    assert refused.code == 2
    assert "QLoRA needs bitsandbytes" in refused.error
    assert "--method lora" in refused.err


def test_a_recipe_of_the_other_stage_is_refused(tiny: Tiny, rows: Path) -> None:
    refused = persona("train", "sft", str(rows), "--base", str(tiny.checkpoint), "--recipe", "paper-grpo")
    assert refused.code == 2
    assert "is a recipe for grpo" in refused.error


def test_a_chart_is_svg_with_a_line_for_each() -> None:
    drawn = chart("A <title>", {"loss": {"a": [(1, 2.0), (2, 1.0)], "b": smoothed([(1, 2.0), (2, 1.0)])}})
    root = ElementTree.fromstring(drawn)
    assert len(root.findall(".//{http://www.w3.org/2000/svg}polyline")) == 2
    assert smoothed([(1, 2.0), (2, 1.0)], 0.5) == [(1, 2.0), (2, 1.5)]
