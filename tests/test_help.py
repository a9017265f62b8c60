"""Help for every command, and what a mistyped command line gets: one line and the way out."""

import pytest

from tests.commands import command_names
from tests.terminal import persona, persona_process

COMMANDS = command_names()


def test_the_commands() -> None:
    assert {"chat", "memory search", "profile", "why", "update", "export", "import", "doctor", "config set"} <= set(
        COMMANDS
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    ran = persona(*command.split(), "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert f"persona {command}" in ran.out


def test_every_option_is_explained() -> None:
    for command in COMMANDS:
        shown = persona(*command.split(), "-h").out
        options = shown.split("Options:")[-1].strip("\n").splitlines()
        bare = [line for line in options if line.strip().startswith("--") and len(line.split("  ")) < 3]
        assert not [line for line in bare if line.split()[-1].startswith("--")], command


def test_no_arguments_show_the_help() -> None:
    assert persona().out == persona("--help").out


def test_version() -> None:
    ran = persona("--version")
    assert ran.code == 0
    assert ran.out.startswith("persona ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["caht"], "No such command 'caht'"),
        (["memory", "serach", "tea"], "No such command 'serach'"),
        (["profile", "--histroy"], "No such option: --histroy"),
        (["memory", "search"], "Missing argument"),
        (["memory", "list", "--limit", "0"], "'--limit'"),
        (["memory", "list", "--limit", "many"], "'--limit'"),
        (["memory", "list", "--kind", "dreams"], "'--kind'"),
        (["chat", "hello", "--image"], "'--image' requires an argument"),
        (["export", "x", "--format", "pdf"], "'--format'"),
        (["chat", "one", "two"], "unexpected extra argument"),
    ],
)
def test_a_mistyped_command_line_is_one_error(arguments: list[str], says: str) -> None:
    ran = persona(*arguments)
    assert ran.code == 2
    assert says in ran.error
    assert ran.out == ""
    assert len(ran.err.splitlines()) <= 2


def test_narrow_terminals_are_respected() -> None:
    shown = persona_process("memory", "search", "--help", env={"COLUMNS": "50", "TERMINAL_WIDTH": "50"}).out
    assert max(len(line) for line in shown.splitlines()) <= 50


def test_completion_for_a_shell() -> None:
    # the shell named here, whichever this runs under
    ran = persona_process("--show-completion", "bash", env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"})
    assert ran.code == 0
    assert "persona" in ran.out
