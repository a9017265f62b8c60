"""`persona memory`: search, list, show, add, edit and forget what is remembered; its life is in `memory_life`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli import memory_forget, memory_life, memory_quarantine, memory_review, memory_tidy
from persona_cli.cli.arguments import find, parse_moment, parse_window
from persona_cli.cli.invocation import Invocation, embed_new, invocation
from persona_cli.cli.writer import typed, write
from persona_cli.errors import UsageError
from persona_cli.records import Author, Image, Kind, Ref, SemanticMemory

if TYPE_CHECKING:
    from datetime import datetime

    from persona_cli.memory.store import Store

app = typer.Typer(no_args_is_help=True, help="Search, list, show, add, edit, forget and undo memories.")

Kinds = Annotated[
    list[Kind] | None,
    typer.Option(
        "--kind",
        "-k",
        metavar="KIND",
        help="Only core, semantic, episodic, procedural, message or image; may be given several times.",
    ),
]
Since = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Only from then on: 2024-05-12, yesterday, two weeks ago.")
]
SinceAny = Annotated[
    str | None, typer.Option("--since", metavar="WHEN", help='Only from then on: 2024-05-12, "I moved to Lisbon".')
]
Until = Annotated[str | None, typer.Option(metavar="WHEN", help="Only until then, that day included.")]
Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, max=10_000, help="How many at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[
    str, typer.Argument(metavar="ID", help="A memory as search and list print it: s12, e3, p4, c2, m120, i7")
]


@app.command()
def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What to look for.")],
    kind: Kinds = None,
    since: SinceAny = None,
    until: Until = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="WHEN", help="What was held to be true then.")] = None,
    limit: Limit = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Show why each was found.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find memories by meaning and by words; time words in the question count: "dog last summer"."""
    run = invocation(context)
    text = " ".join(words).strip()
    if not text:
        raise UsageError("there is nothing to search for", fix='Give some words: persona memory search "my dog"')
    with run.memory(reading=True) as memory:
        embed_new(memory)
        found = memory.retriever.search(
            text,
            kinds=kind or None,
            window=parse_window(since, until, lambda words: memory.retriever.when(words, _now())),
            as_of=parse_moment(as_of, end=True) if as_of else None,
            limit=limit,
            at=_now(),
        )
        from persona_cli.cli import memory_views

        doubts = memory_views.doubts_of(memory.store)
        if as_json:
            memory_views.print_found_json(found, doubts)
        else:
            memory_views.print_found(run, found, doubts, explain=explain)


@app.command("list")
def list_(
    context: typer.Context,
    kind: Kinds = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    every: Annotated[bool, typer.Option("--all", help="Also what was superseded, quarantined or has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List memories, newest first."""
    from persona_cli.cli import memory_views
    from persona_cli.cli.render import print_json

    run = invocation(context)
    with run.store(reading=True) as store:
        rows = memory_views.list_records(
            store, kind or memory_views.USUAL, parse_window(since, until), limit, every=every
        )
        doubts = memory_views.doubts_of(store)
        if as_json:
            print_json([memory_views.as_entry(ref, record, doubts) for ref, record in rows])
        else:
            memory_views.print_records(run, rows, doubts)


@app.command()
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show one memory whole: its words, its dates, and what it came from."""
    from persona_cli.cli import memory_views
    from persona_cli.cli.render import print_json

    run = invocation(context)
    with run.store(reading=True) as store:
        ref, record = find(store, name)
        if as_json:
            print_json(memory_views.as_entry(ref, record, memory_views.doubts_of(store)))
        else:
            memory_views.print_record(run, store, ref, record)
            if isinstance(record, Image):
                _preview(run, store, record)


@app.command()
def add(
    context: typer.Context,
    content: Annotated[str, typer.Argument(metavar="TEXT", help='One sentence: "I am allergic to nuts."')],
    subject: Annotated[str, typer.Option(help="Whom it is about.")] = "user",
    keywords: Annotated[str, typer.Option(help="Words to find it by, separated by commas.")] = "",
) -> None:
    """Remember something you write yourself; no model ever overwrites it."""
    from persona_cli.remembering.drafts import put_written

    run = invocation(context)
    text = typed(content).strip()
    if not text:
        raise UsageError("there is nothing to remember", fix='Give a sentence: persona memory add "I like tea."')
    now = _now()
    with run.memory() as memory:
        if (known := memory.store.semantic.same(text)) is not None:
            memory.store.semantic.seen_again(known.id, now)
            run.notice("That was known already.")
            write(Ref(Kind.SEMANTIC, known.id))
            return
        written = SemanticMemory(
            id=0,
            content=text,
            keywords=tuple(word.strip() for word in keywords.split(",") if word.strip()),
            subject=subject,
            quote=text,
            recorded_at=now,
            valid_from=now,
            author=Author.PERSON,
        )
        added = put_written(memory.store, written, memory.reader.read)
        if added.contradicts:
            others = ", ".join(f"s{other.id}" for other in added.contradicts)
            run.notice(f"It contradicts {others}; `persona memory conflicts` shows both sides.")
        write(Ref(Kind.SEMANTIC, added.memory.id))
        embed_new(memory)


@app.command()
def edit(context: typer.Context, name: Name) -> None:
    """Change a memory in your editor; afterwards it counts as written by you."""
    from persona_cli.cli import memory_edits
    from persona_cli.cli.editor import edit_text

    run = invocation(context)
    with run.store() as store:
        ref, record = find(store, name)
        before = memory_edits.to_form(ref, record)
    after = edit_text(before, ".toml")
    if after is None:
        run.notice("Nothing was changed.")
        return
    with run.memory() as memory:
        changed = memory_edits.apply_form(memory.store, ref, after, _now())
        embed_new(memory)
    write(changed)


app.command()(memory_forget.forget)
app.command()(memory_life.diff)
app.command()(memory_life.undo)
app.command()(memory_life.conflicts)
app.command()(memory_life.about)
app.command()(memory_tidy.tidy)
app.command()(memory_review.review)
app.command()(memory_quarantine.quarantine)


def _preview(run: Invocation, store: Store, image: Image) -> None:
    from persona_cli.cli.preview import show_picture
    from persona_cli.memory.media import Media

    show_picture(run, Media(run.places.media, store).source(image))


def _now() -> datetime:
    from datetime import datetime

    return datetime.now().astimezone()
