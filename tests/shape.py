"""The shape of the code, checked by `make lint` (`python -m tests.shape`): what other checkers do not look at.

No pattern over 200 characters stands in code (a table of rules is data, with examples), no function is longer than
60 lines but a released migration, no two classes have one name, and no file name stands in two folders, but where one
of the two is a command or a table, named by the noun it is about.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent / "persona_cli"
LONGEST_PATTERN = 200
LONGEST_FUNCTION = 60
NOUNS = ("cli", "tables")
"""Folders whose files are called by the nouns of the whole program: a command, a table; each may share it with one."""


def patterns(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the first argument of every `re.compile` and of what is named like it, and long raw strings beside them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
            module = node.func.value
            if isinstance(module, ast.Name) and module.id in ("re", "regex"):
                yield node.args[0]


def long_patterns(source: str) -> int:
    """Return how many patterns in a module are longer than they may be, counted as they are written."""
    written = (ast.get_source_segment(source, pattern) or "" for pattern in patterns(ast.parse(source)))
    return sum(len(text) > LONGEST_PATTERN for text in written)


def long_functions(source: str) -> list[str]:
    """Return the functions of a module that are longer than they may be; released migrations are left out."""
    return [
        f"{node.name} ({length} lines)"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
        and not any(_is_migration(decorator) for decorator in node.decorator_list)
    ]


def repeated_names(files: list[Path]) -> list[str]:
    """Return the file names that stand in several folders, pairs with one of `NOUNS` aside."""
    folders: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.name != "__init__.py":
            folders[file.name].append(file.parent.name)
    return [
        f"{name} in {', '.join(sorted(places))}"
        for name, places in sorted(folders.items())
        if len(places) > 2 or (len(places) == 2 and not set(places) & set(NOUNS))
    ]


def repeated_classes(sources: Mapping[str, str]) -> list[str]:
    """Return the public classes that have the name of another one, with the modules they stand in."""
    modules: dict[str, list[str]] = defaultdict(list)
    for module, source in sources.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(module)
    return [f"{name} in {', '.join(places)}" for name, places in sorted(modules.items()) if len(places) > 1]


def faults() -> list[str]:
    """Return everything that is out of shape, one line each."""
    files = sorted(ROOT.rglob("*.py"))
    sources = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}
    found = [f"a file name stands twice: {repeat}" for repeat in repeated_names(files)]
    found += [f"two classes have one name: {repeat}" for repeat in repeated_classes(sources)]
    for name, source in sources.items():
        found += [f"{name}: a function is too long: {function}" for function in long_functions(source)]
        if count := long_patterns(source):
            found.append(f"{name}: {count} patterns are over {LONGEST_PATTERN} characters: make them data")
    return found


def _is_migration(decorator: ast.expr) -> bool:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(call, ast.Name) and call.id == "migrations"


def main() -> int:
    """Print what is out of shape; 1 where anything is."""
    found = faults()
    for fault in found:
        print(fault)  # noqa: T201 - this is a command
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
