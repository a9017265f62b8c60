"""How another program words what it notes of a person, brought to their own words."""

import pytest

from persona_cli.importers.own_words import in_own_words, is_worded


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("User prefers window seats", "I prefer window seats"),
        ("The user's dog is called Max", "My dog is called Max"),
        ("Is allergic to peanuts", "I am allergic to peanuts"),
        ("Allergic to peanuts", "I am allergic to peanuts"),
        ("Does not drink alcohol", "I do not drink alcohol"),
        ("Currently lives in Berlin", "I currently live in Berlin"),
        ("Moved to Berlin in 2019", "I moved to Berlin in 2019"),
        ("Planning a trip to Peru", "I am planning a trip to Peru"),
        ("Born in Ghent", "I was born in Ghent"),
        ("Favorite color is green", "My favorite color is green"),
        ("Dog is called Max", "My dog is called Max"),
        ("Wife's name is Anna", "My wife's name is Anna"),
        ("Ada runs marathons", "I run marathons"),
        ("Ada's son Ben plays chess; Ada coaches him", "My son Ben plays chess; I coach him"),
        ("User lives with Tom and their two kids", "The user lives with Tom and their two kids"),
    ],
)
def test_a_note_is_said_as_the_person_would(note: str, expected: str) -> None:
    assert in_own_words(note, "Ada") == expected
    assert note.startswith("Ada") or is_worded(note)


@pytest.mark.parametrize(
    "note", ["Running is her hobby", "Yesterday I was tired", "Hat einen Hund", "User, a nurse, likes tea", "Max barks"]
)
def test_what_is_not_certain_stays_as_it_was_noted(note: str) -> None:
    assert in_own_words(note, "Ada") == note
