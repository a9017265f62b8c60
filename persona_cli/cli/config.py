"""`persona config`: show, get, set, edit and locate config.toml; what is written is checked before it is written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from persona_cli.cli.editor import edit_text
from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.writer import write
from persona_cli.config import HIDDEN, check_value, declared, list_entries, load_settings, read_config, variable
from persona_cli.errors import ConfigError, StorageError

app = typer.Typer(no_args_is_help=True, help="Show and change the settings.")

Key = Annotated[
    str, typer.Argument(metavar="KEY", help="A setting, as `persona config show` lists them: memory.semantic")
]


@app.command()
def show(context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show every setting, its value, where the value comes from and what it means."""
    run = invocation(context)
    entries = list_entries(run.places.config_file)
    if as_json:
        from persona_cli.cli.render import print_json

        print_json(entries)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    # a name is for copying
    table.add_column("setting", no_wrap=True)
    for column in ("value", "from", "meaning"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        source = "config.toml" if entry.source == str(run.places.config_file) else entry.source
        table.add_row(entry.key, str(entry.value), source, entry.about)
    run.out.print(table)


@app.command()
def get(context: typer.Context, key: Key) -> None:
    """Print the value of one setting."""
    check_key(key)
    entries = {entry.key: entry for entry in list_entries(invocation(context).places.config_file)}
    write(str(entries[key].value).lower() if isinstance(entries[key].value, bool) else entries[key].value)


@app.command("set")
def set_(
    context: typer.Context, key: Key, value: Annotated[str, typer.Argument(metavar="VALUE", help="The new value.")]
) -> None:
    """Change one setting in config.toml."""
    put_setting(invocation(context), key, value)


@app.command()
def edit(context: typer.Context) -> None:
    """Open config.toml in your editor; it is written only if every setting in it is right."""
    run = invocation(context)
    file = run.places.config_file
    before = file.read_text(encoding="utf-8") if file.exists() else _commented_defaults()
    after = edit_text(before, ".toml")
    if after is None or after == before:
        run.notice("Nothing was changed.")
        return
    draft = file.with_suffix(".toml.draft")
    _write(draft, after)
    try:
        load_settings(draft)
    except ConfigError as exc:
        raise ConfigError(
            exc.message.replace(str(draft), "what you wrote"), fix=f"{exc.fix} Your text is kept in {draft}."
        ) from exc
    draft.replace(file)
    run.notice(f"{file} is written.")


@app.command()
def path(context: typer.Context) -> None:
    """Print where config.toml is, or would be."""
    write(invocation(context).places.config_file)


def put_setting(run: Invocation, key: str, value: str) -> None:
    """Write one checked setting into config.toml and say so."""
    file = run.places.config_file
    checked = check_value(key, value, "persona config set")
    loaded = read_config(file)
    section, name = key.split(".", 1)
    loaded.setdefault(section, {})[name] = checked
    write_config(file, loaded)
    shown = HIDDEN if dict(declared())[key].metadata["secret"] else checked
    run.notice(f"{key} = {shown} in {file}")
    if variable(key) in os.environ:
        run.notice(f"{variable(key)} is set and wins over the file.")


def check_key(key: str) -> None:
    """Raise `ConfigError` for a key that does not exist."""
    keys = tuple(name for name, _ in declared())
    if key not in keys:
        raise ConfigError(f"there is no setting {key}", fix="Known: " + ", ".join(keys) + ".")


def write_config(file: Path, loaded: dict[str, dict[str, str | int | float | bool]]) -> None:
    """Write config.toml whole or not at all."""
    import tomli_w

    _write(file, tomli_w.dumps(loaded))


def _write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(text, encoding="utf-8")
        part.chmod(0o600)
        part.replace(file)
    except OSError as exc:
        with suppress(OSError):
            part.unlink()
        raise StorageError(
            f"{file} cannot be written: {exc.strerror}", fix="Check its directory's permissions and the free disk."
        ) from exc


def _commented_defaults() -> str:
    lines: list[str] = []
    for key, setting in declared():
        section, name = key.split(".")
        if f"[{section}]" not in lines:
            lines += ["", f"[{section}]"]
        value = str(setting.default).lower() if isinstance(setting.default, bool) else repr(setting.default)
        lines.append(f"# {name} = {value}  # {setting.metadata['about']}".replace("'", '"'))
    return "\n".join(lines).strip() + "\n"
