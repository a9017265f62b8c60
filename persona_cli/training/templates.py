"""The chat template of training: what the model's own template writes, with marks around what the assistant says.

The loss falls on what is between the marks and nowhere else, so they must be there, and the text must be the same as
the engine will send: both are checked on a conversation before anything is trained.
"""

from __future__ import annotations

from typing import Any

from persona_cli.errors import WeightsError

_CHATML = (
    "{%- if messages[0]['role'] != 'system' -%}{{ SYSTEM }}{%- endif -%}"
    "{%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{%- if message['role'] == 'assistant' -%}"
    "{% generation %}{{ WORDS + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{%- else -%}{{ WORDS + '<|im_end|>\\n' }}{%- endif -%}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"
)
_PARTS = (
    "{%- macro words(content) -%}{%- if content is string -%}{{ content }}{%- else -%}{%- for part in content -%}"
    "{%- if part['type'] == 'image' -%}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- else -%}{{ part['text'] }}{%- endif -%}{%- endfor -%}{%- endif -%}{%- endmacro -%}"
)
_PROBE = (
    {"role": "user", "content": "Where do I live?"},
    {"role": "assistant", "content": "<think>a</think>\n<answer>In Porto.</answer>"},
    {"role": "user", "content": " two\nlines "},
    {"role": "assistant", "content": "b"},
)


def training_template(tokenizer: Any) -> str:
    """Return the template with marks; raises `WeightsError` for a model whose template is not ChatML."""
    first = tokenizer.apply_chat_template([_PROBE[0]], tokenize=False)
    system, found, _ = first.partition("<|im_start|>user\n")
    template = _PARTS + _CHATML.replace("SYSTEM", repr(system)).replace("WORDS", "words(message['content'])")
    asked: list[dict[str, str]] = [{"role": "system", "content": "s"}, *_PROBE]
    same = found and all(
        tokenizer.apply_chat_template(talk, tokenize=False, **options)
        == tokenizer.apply_chat_template(talk, tokenize=False, chat_template=template, **options)
        for talk, options in ((list(_PROBE), {}), (asked, {}), (asked[:-1], {"add_generation_prompt": True}))
    )
    if not same:
        raise WeightsError(
            "this model's chat template is not ChatML",
            fix="Train a Qwen2.5-VL, a SmolLM2 or another model with ChatML.",
        )
    return template
