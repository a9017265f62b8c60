"""Templates: one pass, nothing missing, overrides that are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cli.errors import ConfigError
from persona_cli.model.prompts import FIELDS, load_prompts


def test_every_prompt_has_all_its_fields() -> None:
    prompts = load_prompts()
    for name, fields in FIELDS.items():
        assert set(prompts.templates[name].get_identifiers()) == fields, name


def test_a_placeholder_in_what_a_user_wrote_stays_what_it_is() -> None:
    fields = {name: f"<{name}>" for name in FIELDS["reason"]} | {"query": "My $profile costs $5, $$ and ${traits}"}
    assert "My $profile costs $5, $$ and ${traits}" in load_prompts().fill("reason", **fields)


def test_a_missing_field_raises() -> None:
    with pytest.raises(KeyError):
        load_prompts().fill("repair")


def test_sections_stand_in_the_order_of_the_contract() -> None:
    text = load_prompts().fill("reason", **{name: f"<<{name}>>" for name in FIELDS["reason"]})
    order = [
        "<<profile>>",
        "<<traits>>",
        "<<recent>>",
        "<<now>>",
        "<<query>>",
        "How to respond",
        "<think>",
        "<retrieve>",
    ]
    assert sorted(order, key=text.index) == order


def test_a_file_takes_the_place_of_a_built_in_prompt(tmp_path: Path) -> None:
    (tmp_path / "repair.txt").write_text("Again, as $error costs $$1.")
    prompts = load_prompts(tmp_path)
    assert prompts.fill("repair", error="x") == "Again, as x costs $1.\n"
    assert prompts.templates["reason"].template == load_prompts().templates["reason"].template


def test_hidden_files_and_an_absent_folder_are_no_overrides(tmp_path: Path) -> None:
    (tmp_path / ".repair.txt.swp").write_text("x")
    assert load_prompts(tmp_path).fill("repair", error="x") == load_prompts(tmp_path / "no").fill("repair", error="x")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("reasn.txt", "x", "overrides no prompt"),
        ("repair.md", "$error", "overrides no prompt"),
        ("repair.txt", "costs $ 5: $error", "begins no field"),
        ("repair.txt", "$error $user", r"asks for \$user"),
        ("repair.txt", "Again.", r"leaves out \$error"),
        ("repair.txt", b"\xff\xfe$error", "cannot be read"),
    ],
)
def test_a_broken_override_is_refused(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=message) as refused:
        load_prompts(tmp_path)
    assert refused.value.fix
