"""The catalogue: every entry is whole, and says what it needs."""

import re
from fnmatch import fnmatchcase

import pytest

from persona_cli.errors import NotFoundError
from persona_cli.model.catalog import CatalogEntry, Purpose, load_catalog

ENTRIES = load_catalog().entries


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_is_whole(entry: CatalogEntry) -> None:
    assert entry.about
    assert entry.licence
    assert entry.parts
    assert entry.memory > 0
    for part in entry.parts:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", part.repository)
        assert bool(part.files) != bool(part.pattern)
        assert part.revision == "main" or re.fullmatch(r"[0-9a-f]{40}", part.revision)
        for file in part.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.bytes > 1_000_000


@pytest.mark.parametrize("entry", [one for one in ENTRIES if one.purpose is Purpose.CHAT], ids=lambda entry: entry.name)
def test_chat_models_have_both_halves_and_the_limits_of_the_training(entry: CatalogEntry) -> None:
    roles = {part.role for part in entry.parts}
    assert roles in ({"text"}, {"text", "projection"}, {"checkpoint"})
    assert entry.max_pixels == 230_400
    assert entry.context == 16_384
    assert entry.quantization == "Q4_K_M"


def test_the_default_is_personavlm() -> None:
    catalog = load_catalog()
    entry = catalog.get(catalog.default)
    assert entry.name == "PersonaVLM-7B"
    assert entry.tuned


def test_patterns_match_the_publishers_names() -> None:
    entry = load_catalog().get("personavlm-7b")
    text, projection = entry.part("text"), entry.part("projection")
    assert text is not None
    assert projection is not None
    assert fnmatchcase("PersonaVLM.i1-Q5_K_M.gguf", text.wanted("Q5_K_M"))
    assert not fnmatchcase("PersonaVLM.i1-Q4_K_S.gguf", text.wanted("Q4_K_M"))
    assert fnmatchcase("PersonaVLM.mmproj-Q8_0.gguf", projection.wanted("Q5_K_M"))


def test_an_unknown_name_is_told_the_closest() -> None:
    with pytest.raises(NotFoundError) as raised:
        load_catalog().get("qwen2.5-vl-3")
    assert "Qwen2.5-VL-3B" in raised.value.fix
