"""Boxes as the model writes them, and as the stored picture needs them."""

from __future__ import annotations

import pytest

from persona_cli.errors import FormatError
from persona_cli.model.grounding import parse_box
from persona_cli.records import Box

SEEN, STORED = (560, 280), (1120, 560)
HERE = Box(170, 85, 430, 215)


@pytest.mark.parametrize(
    "text",
    [
        '[{"bbox_2d": [100, 50, 200, 100], "label": "dog"}]',
        '```json\n[\n  {"bbox_2d": [100, 50, 200, 100], "label": "dog"}\n]\n```',
        '[{"label": "dog", "bbox_2d": [100, 50, 200, 100]}, {"bbox_2d": [0, 0, 9, 9], "label": "cat"}]',
        "<|object_ref_start|>dog<|object_ref_end|><|box_start|>(100,50),(200,100)<|box_end|>",
    ],
)
def test_a_box_is_scaled_to_the_stored_picture_with_its_margin(text: str) -> None:
    assert parse_box(text, SEEN, STORED) == HERE


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ("0, 0, 100, 100", Box(0, 0, 230, 230)),
        ("460, 180, 560, 280", Box(890, 330, 1120, 560)),
        ("280, 140, 281, 141", Box(559, 279, 563, 283)),
    ],
)
def test_the_margin_ends_at_the_edge_of_the_picture(corners: str, box: Box) -> None:
    assert parse_box(f'[{{"bbox_2d": [{corners}]}}]', SEEN, STORED) == box


@pytest.mark.parametrize("text", ["[]", " [ ]\n", "```json\n[]\n```"])
def test_an_empty_list_says_that_it_is_not_there(text: str) -> None:
    assert parse_box(text, SEEN, STORED) is None


@pytest.mark.parametrize("corners", ["0, 0, 560, 280", "5, 5, 555, 275", "60, 30, 500, 250"])
def test_nearly_all_of_the_picture_is_the_whole_of_it(corners: str) -> None:
    assert parse_box(f'[{{"bbox_2d": [{corners}]}}]', SEEN, STORED) == Box(0, 0, *STORED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I see no dog.",
        "[" * 100_000,
        '{"bbox_2d": [100, 50, 200, 100]}',
        "[[100, 50, 200, 100]]",
        '[{"label": "dog"}]',
        '[{"bbox_2d": null}]',
        '[{"bbox_2d": [100, 50, 200]}]',
        '[{"bbox_2d": [100, 50, 200, 100, 7]}]',
        '[{"bbox_2d": [true, 50, 200, 100]}]',
        '[{"bbox_2d": [0.1, 0.1, 0.5, 0.5]}]',
        '[{"bbox_2d": ["100", "50", "200", "100"]}]',
        '[{"bbox_2d": [200, 50, 100, 100]}]',
        '[{"bbox_2d": [100, 100, 200, 50]}]',
        '[{"bbox_2d": [100, 50, 100, 100]}]',
        '[{"bbox_2d": [-5, 50, 200, 100]}]',
        '[{"bbox_2d": [100, 50, 561, 100]}]',
        "<|box_start|>(200,50),(100,100)<|box_end|>",
    ],
)
def test_what_is_no_box_in_the_picture_breaks_the_format(text: str) -> None:
    with pytest.raises(FormatError):
        parse_box(text, SEEN, STORED)
