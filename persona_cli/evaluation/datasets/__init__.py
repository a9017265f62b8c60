"""The data sets: what each is, where a person gets it, and how it is read. None is shipped, none is downloaded.

A tiny version of each, written for this program in the published format, lies in `tiny/`; `demo` is made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from persona_cli.errors import NotFoundError, UsageError
from persona_cli.evaluation.cases import Collection, Person
from persona_cli.evaluation.datasets import (
    beam,
    halumem,
    locomo,
    longmemeval,
    open_ended,
    p_soups,
    persona_mme,
    personamem,
    personamem_two,
    prefeval,
)

TINY = Path(__file__).parents[1] / "tiny"
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One published data set."""

    name: str
    about: str
    source: str
    licence: str
    variants: tuple[str, ...]
    """The first is the default; "" where there is only one."""
    load: Callable[[Path, str], Collection]
    tiny: str
    """Which folder of `tiny/` is in its format."""
    any_variant: bool = False
    """Variants are made of parts, of which `variants` are examples."""


DATASETS = (
    Dataset(
        persona_mme.NAME, "the paper's: 13 four-way tasks, alignment as yes/no, pictures", persona_mme.SOURCE,
        "not stated", ("", "32k", "128k"), persona_mme.load, persona_mme.NAME,
    ),
    Dataset(
        personamem.NAME, "four-way questions in the middle of a shared context", personamem.SOURCE, "MIT",
        ("32k", "128k", "1M", "32k-uncut", "128k-uncut", "1M-uncut"), personamem.load, personamem.NAME,
    ),
    Dataset(
        personamem_two.NAME, "implicit preferences, four options or a judged reply", personamem_two.SOURCE,
        "CC BY 4.0 or MIT (sources differ)", ("32k", "128k", "32k-open", "128k-open"), personamem_two.load,
        personamem_two.NAME,
    ),
    Dataset(
        p_soups.NAME, "which of two replies suits somebody with a hidden preference", p_soups.SOURCE, "none stated",
        p_soups.PROTOCOLS, p_soups.load, p_soups.NAME,
    ),
    Dataset(
        open_ended.NAME, "200 questions of Persona-MME answered freely, pairs judged", open_ended.SOURCE, "not stated",
        ("", "32k", "128k"), open_ended.load, persona_mme.NAME,
    ),
    Dataset(
        locomo.NAME, "questions about very long talks of two friends", locomo.SOURCE, "CC BY-NC 4.0", ("", "all"),
        locomo.load, locomo.NAME,
    ),
    Dataset(
        longmemeval.NAME, "500 questions, each over 40 sessions of its own", longmemeval.SOURCE, "MIT",
        ("s", "oracle", "m"), longmemeval.load, longmemeval.NAME,
    ),
    Dataset(
        prefeval.NAME, "a preference said once, a request later", prefeval.SOURCE, "CC BY-NC 4.0",
        ("explicit", "choice", "persona", "explicit-open", "choice-50"), prefeval.load, prefeval.NAME, any_variant=True,
    ),
    Dataset(
        halumem.NAME, "extraction, update and answers of a memory, apart", halumem.SOURCE, "CC BY-NC-ND 4.0",
        ("medium", "long"), halumem.load, halumem.NAME,
    ),
    Dataset(
        beam.NAME, "ten abilities over long talks, graded by criteria", beam.SOURCE, "CC BY-SA 4.0",
        ("100k", "500k", "1m", "10m"), beam.load, beam.NAME,
    ),
)  # fmt: skip


def find_dataset(name: str) -> Dataset:
    """Return a data set by its name; raises `NotFoundError` that lists them."""
    for dataset in DATASETS:
        if dataset.name == name.casefold():
            return dataset
    known = ", ".join(dataset.name for dataset in DATASETS)
    raise NotFoundError(f"there is no data set {name}", fix=f"Known: {DEMO}, {known}.")


def load(name: str, folder: Path | None, variant: str = "") -> Collection:
    """Return a data set from the folder a person has it in; without one, its tiny version, or `demo`.

    Raises `TransferError` where the folder is not that data set, `UsageError` for a variant it does not have.
    """
    if name.casefold() == DEMO:
        return load_demo()
    dataset = find_dataset(name)
    first = variant.split("-", maxsplit=1)[0] if dataset.any_variant else variant
    if variant and first not in dataset.variants:
        raise UsageError(
            f"{name} has no variant {variant}", fix=f"It has: {', '.join(filter(None, dataset.variants))}."
        )
    loaded = dataset.load(folder or TINY / dataset.tiny, variant)
    # what is noted of counts is true of every tiny set, and no news
    return loaded if folder else replace(loaded, name=f"{loaded.name} (tiny)", notes=("a tiny set, made up",))


def load_demo() -> Collection:
    """Return the first person of several tiny sets: choices, free answers and the operations of memory in a minute."""
    people: list[Person] = []
    inputs: dict[str, str] = {}
    for name in (persona_mme.NAME, beam.NAME, halumem.NAME):
        loaded = load(name, None)
        inputs |= {f"{name}/{file}": digest for file, digest in loaded.inputs.items()}
        first = loaded.people[0]
        questions = tuple(replace(question, key=f"{name}-{question.key}", aspect=name) for question in first.questions)
        people.append(replace(first, key=f"{name}-{first.key}", questions=questions, context=""))
    return Collection(DEMO, "", tuple(people), inputs, ("made-up people from three tiny sets",))
