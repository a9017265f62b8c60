"""`persona model`: what there is to run, what is installed, and which of it answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.config import put_setting
from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.writer import write
from persona_cli.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from persona_cli.model.export import ExportedPair
    from persona_cli.model.weights import Installed, Weights
    from persona_cli.records import Image, PictureSource

app = typer.Typer(no_args_is_help=True, help="Get, choose and convert models.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A model, as `persona model list` shows it.")]
Quant = Annotated[
    str | None, typer.Option("--quant", metavar="QUANT", help="Q4_K_M, Q5_K_M, Q6_K, Q8_0 or F16; else as configured.")
]


@app.command("list", short_help="Show models: installed, in use, to be had.")
def list_(context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show which models are installed, which one answers, which can be pulled, and whether they fit this machine."""
    from persona_cli.cli.model_views import choices, table_of
    from persona_cli.cli.render import print_json

    run = invocation(context)
    rows = choices(run.places, run.settings)
    if as_json:
        print_json(rows)
    else:
        run.out.print(table_of(rows))


@app.command(short_help="Download a model of the catalogue.")
def pull(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A model of the catalogue; else PersonaVLM.")
    ] = None,
    quant: Quant = None,
    use_it: Annotated[bool, typer.Option("--use", help="Let it answer from now on.")] = False,
) -> None:
    """Download a model and check it. A download that was broken off goes on where it stopped."""
    get_model(invocation(context), name, quant, use_it=use_it)


def get_model(run: Invocation, name: str | None, quant: str | None, *, use_it: bool) -> None:
    """Pull a model of the catalogue unless it is there already, and let it answer where that is wished."""
    from persona_cli.cli.render import progress
    from persona_cli.model.catalog import load_catalog
    from persona_cli.model.weights import Weights

    catalog, weights = load_catalog(), Weights(run.places.weights)
    entry = catalog.get(name or catalog.default)
    wanted = (quant or run.settings.model.quantization).upper() if entry.quantization else ""
    model = next((there for there in weights.all() if there.name.casefold() == entry.name.casefold()), None)
    if model is not None and (not quant or model.manifest.quantization == wanted):
        run.notice(f"{entry.name} is installed already.")
    else:
        # the hub's library is heavy: a misspelt name should not wait for it
        from persona_cli.model.pull import pull as download

        run.notice(f"Pulling {entry.name}. Licence: {entry.licence}.")
        with progress(run.err, entry.name, in_bytes=True) as advance:
            model = download(
                entry,
                weights,
                quantization=wanted,
                progress=lambda what, done, total: advance(done, total, what),
            )
    if use_it and _chats(model):
        put_setting(run, "model.name", model.name)
        return
    run.notice(_next_step(model))


@app.command(short_help="Install GGUF files of your own.")
def add(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="The model's GGUF file, and its mmproj file if it has one; or their folder."
        ),
    ],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What to call it.")] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the files instead of linking them.")] = False,
    tuned: Annotated[
        bool, typer.Option("--tuned", help="It was trained on persona's prompts, as PersonaVLM was.")
    ] = False,
) -> None:
    """Install any chat model in GGUF after checking it; with an mmproj file that belongs to it, it sees pictures."""
    from persona_cli.cli.render import progress
    from persona_cli.model.opening import is_tuned
    from persona_cli.model.weights import Placing, Weights, sort_pair

    run = invocation(context)
    text, projection = sort_pair(paths)
    with progress(run.err, text.name, in_bytes=True) as advance:
        model = Weights(run.places.weights).add(
            text,
            projection,
            name=name,
            keeping=Placing.COPY if copy else Placing.LINK,
            tuned=tuned or is_tuned(text.stem),
            progress=lambda what, done, total: advance(done, total, what),
        )
    if projection is None:
        run.notice(
            "There is no mmproj file, so it sees no pictures: it describes none and finds nothing in them. "
            "What you show is kept all the same."
        )
    run.notice(_next_step(model))


@app.command(short_help="Choose the model that answers.")
def use(context: typer.Context, name: Name) -> None:
    """Let an installed model answer from now on: its name, 'lite' for the built-in one, or 'server'."""
    from persona_cli.model.opening import find_installed
    from persona_cli.model.weights import BUILT_IN, SERVED, Weights

    run = invocation(context)
    if name.casefold() == SERVED and not run.settings.server.url:
        raise ConfigError(
            "it is not known where the server is",
            fix="Say it first: persona config set server.url http://localhost:8080/v1",
        )
    if name.casefold() in (BUILT_IN, SERVED):
        put_setting(run, "model.name", name.casefold())
        return
    put_setting(run, "model.name", find_installed(Weights(run.places.weights), name).name)


@app.command(short_help="Try whether the model is up to it.")
def check(context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Try the model in use on ten prompts with known answers; what it is weak at the built-in one does from then on."""
    from persona_cli.cli.model_views import print_verdict
    from persona_cli.cli.render import print_json, progress
    from persona_cli.model import readiness
    from persona_cli.model.opening import checks_file, open_prompted
    from persona_cli.model.weights import BUILT_IN

    run = invocation(context)
    if run.settings.model.name.casefold() == BUILT_IN:
        raise UsageError("the built-in model needs no check", fix="Choose another first: persona model use NAME")
    model, identity = open_prompted(run.places, run.settings, _no_picture)
    try:
        with progress(run.err, "checking") as advance:
            verdict = readiness.check(model, lambda: False, lambda done, total: advance(done, total, model.name))
    finally:
        model.close()
    readiness.save_verdict(checks_file(run.places), identity, verdict)
    if as_json:
        print_json({"kind": "model check", "version": 1, "check": verdict})
    else:
        print_verdict(run.out, verdict)


@app.command(short_help="Delete an installed model.")
def remove(
    context: typer.Context, name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Delete the files of a model; files that were linked stay where they are."""
    from persona_cli.cli.model_views import size_of
    from persona_cli.model.weights import Weights

    run = invocation(context)
    weights = Weights(run.places.weights)
    model = weights.get(name)
    if not yes:
        typer.confirm(f"Delete {model.name} ({size_of(model.size)})?", abort=True, err=True)
    weights.remove(model.name)
    run.notice(f"{model.name} is removed.")
    if run.settings.model.name.casefold() == model.name.casefold():
        put_setting(run, "model.name", "lite")


@app.command(short_help="Convert a checkpoint or an adapter.")
def export(
    context: typer.Context,
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A Qwen2.5-VL checkpoint in safetensors, or a run of `persona train`."),
    ],
    quant: Quant = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="MODEL", help="Of an adapter: the installed model or GGUF file it is put onto."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What to call it.")] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write the pair there instead of installing it.")
    ] = None,
) -> None:
    """Convert a Qwen2.5-VL checkpoint to a GGUF pair and quantize it, or a LoRA adapter to one for a model.

    An interrupted run leaves no half file.
    """
    from persona_cli.model.export.adapter import find_adapter

    if (adapter := find_adapter(checkpoint)) is not None:
        _export_adapter(invocation(context), adapter, checkpoint, base=base, name=name, to=to)
        return
    from persona_cli.cli.model_views import quantization_given
    from persona_cli.cli.render import progress
    from persona_cli.model.export import export_checkpoint
    from persona_cli.model.weights import Weights, make_private

    run = invocation(context)
    wanted = quantization_given(quant or run.settings.model.quantization)
    called = name or checkpoint.resolve().name
    target = to or run.places.weights / f".{called}.export"
    if to is None:
        Weights(run.places.weights).check_free(called)
        make_private(run.places.weights)
    with progress(run.err, called, in_bytes=True) as advance:
        pair = export_checkpoint(
            checkpoint,
            target,
            quantization=wanted,
            name=called,
            progress=lambda what, done, total: advance(done, total, what),
        )
    if to is not None:
        write(f"{pair.text}\n{pair.projection}")
        return
    run.notice(_next_step(_adopt(run, pair, called, checkpoint)))


def _export_adapter(
    run: Invocation, adapter: Path, folder: Path, *, base: str | None, name: str | None, to: Path | None
) -> None:
    """Convert an adapter, and install it together with the model it is put onto."""
    from persona_cli.model.export.adapter import export_adapter
    from persona_cli.model.weights import Weights, make_private

    weights, called = Weights(run.places.weights), name or folder.resolve().name
    if to is not None:
        write(export_adapter(adapter, to / f"{called}-lora.gguf"))
        return
    text, projection = _base_files(weights, base or _trained_on(folder))
    weights.check_free(called)
    make_private(run.places.weights)
    scratch = run.places.weights / f".{called}.export"
    made = export_adapter(adapter, scratch / f"{called}-lora.gguf")
    source = f"adapter of {folder.resolve().name} on {text.name}"
    model = weights.add(text, projection, name=called, source=source, tuned=True, adapter=made)
    scratch.rmdir()
    run.notice(_next_step(model))


def _base_files(weights: Weights, base: str) -> tuple[Path, Path | None]:
    """Return the files of what an adapter is put onto: a GGUF file, or an installed model with its projection."""
    if Path(base).is_file():
        return Path(base), None
    model = weights.get(base)
    text = model.path("text")
    if text is None:
        raise UsageError(f"{base} is not converted yet", fix=f"persona model export {model.folder}")
    return text, model.path("projection")


def _trained_on(folder: Path) -> str:
    """Return the base that a run names, where it is one that can be loaded."""
    import json

    try:
        base = str(json.loads((folder / "run.json").read_text(encoding="utf-8"))["base"])
    except (OSError, ValueError, KeyError):
        base = ""
    if Path(base).is_file():
        return base
    raise UsageError(
        "it is not known which model the adapter is put onto",
        fix="Name it with --base: a GGUF file, or what `persona model export` made of its checkpoint.",
    )


def _adopt(run: Invocation, pair: ExportedPair, name: str, checkpoint: Path) -> Installed:
    """Move an exported pair among the installed models."""
    from persona_cli.model.opening import is_tuned
    from persona_cli.model.weights import Placing, Weights

    tuned = is_tuned(name) or is_tuned(checkpoint.resolve().name)
    source = f"export of {checkpoint.resolve().name}"
    model = Weights(run.places.weights).add(
        pair.text, pair.projection, name=name, keeping=Placing.MOVE, source=source, tuned=tuned
    )
    pair.text.parent.rmdir()
    return model


def _no_picture(image: Image) -> PictureSource:
    """Read no picture: none of the prompts of a check has one."""
    raise AssertionError(image)


def _chats(model: Installed) -> bool:
    from persona_cli.model.catalog import Purpose

    return model.manifest.purpose is Purpose.CHAT and any(file.role == "text" for file in model.manifest.files)


def _next_step(model: Installed) -> str:
    from persona_cli.model.catalog import Purpose

    if _chats(model):
        return f"{model.name} is installed. Let it answer: persona model use {model.name}"
    if any(file.role == "checkpoint" for file in model.manifest.files):
        return f"{model.name} is there. Convert it: persona model export {model.folder} --name PersonaVLM"
    if model.manifest.purpose is Purpose.PICTURES:
        return f"{model.name} is installed: pictures are compared by it where embedding.pictures names it."
    return f"{model.name} is installed and will be used where it fits."
