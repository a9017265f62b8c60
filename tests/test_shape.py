"""The checks of `make lint` that are our own find what they are there to find."""

from __future__ import annotations

from pathlib import Path

from tests import shape


def test_a_long_pattern_is_found_however_it_is_used() -> None:
    long = "a|" * 120
    assert shape.long_patterns(f"import re\nX = re.compile(r'{long}')\nY = re.sub('{long}', '', text)\n") == 2
    assert shape.long_patterns("import re\nX = re.compile(r'short')\n") == 0


def test_a_pattern_counts_as_it_is_written() -> None:
    pieces = "\n".join(f"    r'piece number {number}'" for number in range(20))
    assert shape.long_patterns(f"import re\nX = re.compile(\n{pieces}\n)\n") == 1


def test_a_long_function_is_found_and_a_migration_is_not() -> None:
    body = "\n".join("    pass" for _ in range(shape.LONGEST_FUNCTION))
    assert shape.long_functions(f"def long():\n{body}\n") == [f"long ({shape.LONGEST_FUNCTION + 1} lines)"]
    assert shape.long_functions(f"@migrations()\ndef released(db):\n{body}\n") == []


def test_a_file_name_may_stand_in_one_folder() -> None:
    files = [Path(place) for place in ("a/words.py", "b/words.py", "a/__init__.py", "b/__init__.py", "b/other.py")]
    assert shape.repeated_names(files) == ["words.py in a, b"]
    assert shape.repeated_names([Path("cli/why.py"), Path("agent/why.py"), Path("memory/tables/a.py")]) == []
    three = [Path("memory/tables/turns.py"), Path("cli/turns.py"), Path("agent/turns.py")]
    assert shape.repeated_names(three) == ["turns.py in agent, cli, tables"]


def test_a_class_name_may_stand_in_one_module() -> None:
    sources = {"a.py": "class Known: ...\nclass _Row: ...", "b.py": "class Known: ...\nclass _Row: ..."}
    assert shape.repeated_classes(sources) == ["Known in a.py, b.py"]
