"""What is known of one person or pet, under whatever name: "Julia", "my sister", "the user's sister"."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial

from persona_cli.english.lexicon import NOT_NAMES, STOP_WORDS, words
from persona_cli.errors import NotFoundError
from persona_cli.memory.store import Store
from persona_cli.records import Kind, Ref, SemanticMemory, Status

_NAME = r"(?P<name>[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*)"
_ROLE = r"(?P<role>[a-z][\w-]*(?: (?!called\b|named\b|is\b|was\b)[a-z][\w-]*)?)"
_OF_USER = r"(?:[Tt]he user(?:'s|’s)|[Mm]y|[Oo]ur)"
_PAIRS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_OF_USER} {_ROLE}(?:'s name)? (?:is|was)(?: called| named)? {_NAME}",
        rf"{_NAME} (?:is|was) {_OF_USER} {_ROLE}\b",
        rf"{_OF_USER} {_ROLE},? {_NAME}\b",
        rf"{_NAME}, {_OF_USER} {_ROLE}\b",
        rf"(?:[Tt]he user(?: and [\w' ]+?)?|\bI|\b[Ww]e) ha(?:s|ve) (?:an?|the|one) {_ROLE},?"
        rf" (?:called |named )?{_NAME}\b",
    )
)
_POSSESSIVE = re.compile(r"^(?:my|the user(?:'s|’s)?|the|his|her|a|an)\s+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]\w*")
_MOST = 2000
"""Memories that full text may bring for one name."""
_OFTEN_NAMES = words("april may june august")
_NAME_WORDS = 3
"""Words a subject may have to be a name."""

Speaking = Callable[[str], set[SemanticMemory]]
"""Finds the memories that may be of somebody, by a name."""


@dataclass(frozen=True, slots=True)
class About:
    """Somebody, and what is known of them."""

    name: str
    roles: tuple[str, ...]
    """What they are to the user: "sister", "cat"."""
    former_roles: tuple[str, ...]
    """What they once were: "girlfriend"."""
    facts: tuple[SemanticMemory, ...]
    """What holds now, oldest first."""
    former: tuple[SemanticMemory, ...]
    """What held once."""


def about(store: Store, asked: str) -> About:
    """Return what is known of a person or pet; raises `NotFoundError` when nobody is known by that name."""
    return _about(partial(_speaking_of, store), asked)


def _about(speaking: Speaking, asked: str) -> About:
    wanted = _bare(asked)
    found = speaking(wanted)
    pairs = set(_pairs(found))
    names = {name for name, role in pairs if wanted.casefold() in (name.casefold(), role.casefold())}
    roles = {role for name, role in pairs if name in names}
    for alias in (names | roles) - {wanted}:
        found |= speaking(alias)
    pairs |= set(_pairs(found))
    # of two sisters, nobody can say whose a fact about "my sister" is
    roles = {role for role in roles if len({name for name, other in pairs if other == role}) == 1}
    aliases = {alias.casefold() for alias in names | roles | ({wanted} if not names or roles else set())}
    theirs = sorted(_of(aliases, found), key=lambda one: (one.valid_from, one.id))
    if not theirs:
        raise NotFoundError(
            f"nobody called {asked!r} is known", fix=f'`persona memory search "{asked}"` looks everywhere.'
        )
    over = {role for role in roles if _is_over(role, found)}
    return About(
        name=", ".join(sorted(names)) or wanted,
        roles=tuple(sorted(roles - over)),
        former_roles=tuple(sorted(over)),
        facts=tuple(one for one in theirs if one.status is Status.ACTIVE),
        former=tuple(one for one in theirs if one.status is Status.SUPERSEDED and one.valid_to != one.valid_from),
    )


def people(store: Store, most: int) -> tuple[About, ...]:
    """Return the people and pets that are known by name and by what they are to the user, most told of first."""
    memories = [one for one in store.semantic.list(None) if one.status in (Status.ACTIVE, Status.SUPERSEDED)]
    named = {name for name, _ in _pairs(memories)}
    named |= {one.subject for one in memories if one.subject[:1].isupper() and len(one.subject.split()) <= _NAME_WORDS}
    speaking, told = _spoken_in(memories)
    known: list[About] = []
    for name in sorted(named, key=lambda name: (-told[name.split()[0].casefold()], name))[: 2 * most]:
        if any(name in other.name.split(", ") for other in known):
            continue
        with suppress(NotFoundError):
            known.append(_about(speaking, name))
        if len(known) == most:
            break
    return tuple(sorted(known, key=lambda one: -len(one.facts)))


def mentions(store: Store, asked: str) -> tuple[Ref, ...]:
    """Return everything that names somebody or is of them, messages included, under each of their names.

    A role that several people have is nobody's name. Raises `NotFoundError` where nothing does.
    """
    wanted = _bare(asked)
    try:
        known = about(store, asked)
    except NotFoundError:
        known = None
    of_them = {Ref(Kind.SEMANTIC, one.id) for one in (*known.facts, *known.former)} if known else set[Ref]()
    names = {wanted} if known is None else {wanted, *known.name.split(", ")}
    named = {ref for name in names for ref in store.naming(name)}
    if not (of_them or named):
        raise NotFoundError(f"nobody called {asked!r} is known", fix="Check the spelling.")
    return tuple(sorted(of_them | named, key=str))


def _speaking_of(store: Store, alias: str) -> set[SemanticMemory]:
    hits = store.texts.search(alias.split(), (Kind.SEMANTIC,), _MOST)
    named = store.semantic.many([ref.id for ref, _ in hits])
    subjects = [alias, f"my {alias}", f"the user's {alias}"]
    spoken = [one for subject in subjects for one in store.semantic.list(None, subject=subject)]
    return {one for one in (*named, *spoken) if one.status in (Status.ACTIVE, Status.SUPERSEDED)}


def _spoken_in(memories: Iterable[SemanticMemory]) -> tuple[Speaking, Counter[str]]:
    """Return what finds those of some memories that speak of somebody, and how many have each word.

    For many names at once: the database reads and full text would read each memory again for each of them.
    """
    having: defaultdict[str, dict[int, SemanticMemory]] = defaultdict(dict)
    subjects: defaultdict[str, dict[int, SemanticMemory]] = defaultdict(dict)
    for memory in memories:
        subjects[_bare(memory.subject).casefold()][memory.id] = memory
        for word in set(_WORD.findall(memory.content.casefold())):
            having[word][memory.id] = memory

    def speaking(alias: str) -> set[SemanticMemory]:
        named = [having.get(word, {}) for word in _WORD.findall(alias.casefold())] or [{}]
        every = set[int].intersection(*(set(of) for of in named))
        return {named[0][number] for number in every} | set(subjects.get(alias.casefold(), {}).values())

    return speaking, Counter({word: len(of) for word, of in having.items()})


def _pairs(memories: Iterable[SemanticMemory]) -> Iterator[tuple[str, str]]:
    """Yield (name, role) as memories tell them."""
    for memory in memories:
        yield from _told(memory.content)


@lru_cache(20_000)  # a page of 10,000 memories asks 260,000 times: half of its time
def _told(content: str) -> tuple[tuple[str, str], ...]:
    found = (match for pattern in _PAIRS if (match := pattern.search(content)))
    return tuple((match["name"], _role(match["role"])) for match in found if _is_pair(match["name"], match["role"]))


def _role(words_: str) -> str:
    """Return a role without what is no part of it: "old friend" is "friend"."""
    first, *others = words_.split()
    return others[-1] if others and first in ("own", "new", "old") else words_


def _is_pair(name: str, role: str) -> bool:
    """Tell a name and a role from "my mother every Sunday" and "I have a house in Ghent"."""
    words_ = role.split()
    return STOP_WORDS.isdisjoint(words_) and name.casefold() not in NOT_NAMES - _OFTEN_NAMES


def _is_over(role: str, memories: Iterable[SemanticMemory]) -> bool:
    """Tell whether the last that was said of a role is that it ended."""
    told = [memory for memory in memories if any(of == role for _, of in _pairs([memory]))]
    ends = [one.valid_to for one in told if one.valid_to and one.valid_to != one.valid_from]
    return bool(ends) and all(one.valid_from < max(ends) for one in told)


def _of(aliases: set[str], memories: Iterable[SemanticMemory]) -> Iterator[SemanticMemory]:
    """Yield the memories that are of somebody: their own, or naming them."""
    plain = {alias: re.compile(rf"\b{re.escape(alias)}\b") for alias in aliases}
    owned = {alias: re.compile(rf"(?:the user['’]s |my )\b{re.escape(alias)}\b") for alias in aliases}
    for memory in memories:
        text = memory.content.casefold()
        if _bare(memory.subject).casefold() in aliases or any(
            (owned if alias.islower() and not _named(memory, alias) else plain)[alias].search(text)
            for alias in aliases
            if alias in text
        ):
            yield memory


def _named(memory: SemanticMemory, alias: str) -> bool:
    return re.search(rf"\b{re.escape(alias.title())}\b", memory.content) is not None


def _bare(name: str) -> str:
    return _POSSESSIVE.sub("", name.strip())
