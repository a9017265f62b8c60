"""Secrets are taken out before anything is stored: the table's own examples, and how the places look afterwards."""

from __future__ import annotations

import tomllib

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.records import Notice
from persona_cli.remembering.secrets import FORMATS, asked_notice, redact, redaction_notice

TABLE = tomllib.loads(FORMATS.read_text(encoding="utf-8"))


def examples(name: str) -> list[str]:
    """Return what the table says must go (`hits`) or must stay (`misses`)."""
    return [text for row in (*TABLE["key"], *TABLE["named"], TABLE["password"]) for text in row[name]]


@pytest.mark.parametrize("text", examples("hits"))
def test_what_must_go_goes(text: str) -> None:
    left, kinds = redact(text)
    assert kinds
    assert left != text
    assert redact(left) == (left, ())


@pytest.mark.parametrize("text", examples("misses"))
def test_what_must_stay_stays(text: str) -> None:
    assert redact(text) == (text, ())


def test_asking_for_a_secret_says_that_none_is_kept() -> None:
    table = TABLE["asked"]
    assert [text for text in table["hits"] if not asked_notice(text)] == []
    assert [text for text in table["misses"] if asked_notice(text)] == []
    assert asked_notice("What is my PIN?")[0].text.startswith("I never keep passwords")


def test_whatever_model_answers_it_is_said(assistant: Assistant) -> None:
    steps = list(assistant.respond("What is my PIN?"))
    assert [step.text for step in steps if isinstance(step, Notice)] == [asked_notice("What is my PIN?")[0].text]


def test_a_person_is_told_what_was_not_kept() -> None:
    (notice,) = redaction_notice(("password", "PIN", "password"))
    assert notice.text.startswith("I never keep passwords")
    assert notice.text.endswith("password, PIN.")
    assert redaction_notice(()) == ()


@pytest.mark.parametrize(
    ("text", "left", "kind"),
    [
        ("my password is hunter2.", "my password is [password removed].", "password"),
        ("Wifi password for the cabin: Tr0ub4dor&3", "Wifi password for the cabin: [password removed]", "password"),
        ("the pin is 4512", "the pin is [PIN removed]", "PIN"),
        ("pay with 4111-1111-1111-1111, exp 12/27", "pay with [card number removed], exp 12/27", "card number"),
        ("use AKIAIOSFODNN7EXAMPLE", "use [key removed]", "key"),
        ("sk-proj-abcdefghijklmnopqr5tuvwx is mine", "[key removed] is mine", "key"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nok",
            "[private key removed]\nok",
            "private key",
        ),
    ],
)
def test_secrets_are_redacted(text: str, left: str, kind: str) -> None:
    assert redact(text) == (left, (kind,))


@pytest.mark.parametrize(
    "text",
    [
        "I forgot my password again",
        "my password is too long",
        "My pin collection is huge, and my pin was a gift",
        "call me on +31 6 1234 5678 or 415 555 2671",
        "order 4111 1111 1111 1112 has shipped",
        "I weigh 82.5 and ran 10000 steps on 2026-05-12 at 18:30",
        "task-force-of-the-century-is-here",
        "My password manager is great",
    ],
)
def test_ordinary_words_and_numbers_stay(text: str) -> None:
    assert redact(text) == (text, ())
