"""Fixtures every test may use."""

from __future__ import annotations

import warnings

import pytest

from tests.tiny import Tiny, build_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return the tiny Qwen2.5-VL, built once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' own, while it builds
        return build_tiny(tmp_path_factory.mktemp("tiny"))
