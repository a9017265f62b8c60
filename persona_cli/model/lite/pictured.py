"""What somebody says a picture shows: "this is Max, my dog", "look at my new bike", "that's my sister on the left"."""

from __future__ import annotations

import re

from persona_cli.english.lexicon import NOT_NAMES, PEOPLE, PETS
from persona_cli.english.third import third_person
from persona_cli.model.lite.people import shown
from persona_cli.model.lite.tags import Tag, named

_ROLES = "|".join(sorted((re.escape(word) for word in PEOPLE | PETS), key=len, reverse=True))
_NAME = r"(?P<name>[^\W\d_][\w'-]*)"
_FORMS = tuple(
    re.compile(form, re.I)
    for form in (
        rf"^{_NAME},? (?P<whose>my|our) (?P<thing>[\w' -]+?)(?P<rest>,.*| (?:in|on|at|with|when|from|last|this"
        rf"|as|during|after|before|who)\b.*)?$",
        rf"^(?P<whose>my|our) (?P<thing>(?:[\w'-]+ ){{0,3}}?(?:{_ROLES})),? (?:called |named )?(?!in\b|on\b"
        rf"|at\b|with\b|and\b|when\b|from\b|last\b|this\b|who\b|is\b|as\b|having\b"
        rf"|playing\b){_NAME}(?P<rest>,.*| .*)?$",
        r"^(?P<whose>my|our) (?P<thing>[\w' -]+?),? (?:called|named) (?P<name>[^\W\d_][\w'-]*)(?P<rest>.*)$",
    )
)


def introduced(plain: str, *, pictured: bool) -> Tag | None:
    """Return whom a tidied clause introduces, in the picture beside it or by name alone; None for nobody."""
    who = shown(plain)
    if not who or re.match(
        r"(?i)(?:a |the )?(?:great|good|nice|why|what|how|so|very|not|it|all|fine|true|funny|cool)\b", who
    ):
        return None
    for form in _FORMS:
        match = form.match(who)
        if match and match["name"].lower() not in NOT_NAMES:
            return _named_thing(match, pictured=pictured)
    return _thing(who) if pictured else None


def _named_thing(match: re.Match[str], *, pictured: bool) -> Tag:
    name, thing = named(match["name"]), match["thing"].strip()
    kind = thing.split()[-1].lower()
    slot = f"{name}/species" if kind in PETS else f"{name}/relation"
    rest = third_person(match["rest"] or "").rstrip(".").strip(" ,")
    rest = f" ({rest[:1].lower()}{rest[1:]})" if rest else ""
    content = f"{name} is the user's {thing}{rest}."
    names = (name, f"{name} (Image Object: {kind})") if pictured else (name,)
    relation = "picture" if pictured else "pet" if kind in PETS else kind
    return Tag(relation, slot, kind, subject=name, weight=4, content=content, names=names)


def _thing(who: str) -> Tag | None:
    words = who.split()
    if len(words) == 1 and (not who[:1].isupper() or who.lower() in NOT_NAMES) and who.lower() != "me":
        return None
    name = re.match(r"(?:[A-Z][\w'-]+)(?: [A-Z][\w'-]+)*", who)
    mine = re.search(r"\b(?:my|our|me|us|we|I)\b", who)
    if name is None and mine is None and not re.match(r"(?i)(?:a|an|the)\b", who):
        return None
    seen = third_person(f"the picture shows {who}")
    label = (
        name[0]
        if name and name[0].lower() not in NOT_NAMES
        else re.split(r" (?:in|on|at|with|from|that|which|I|when)\b", re.sub(r"(?i)^(?:my|our|a|an|the) ", "", who))[0]
    )
    names = (label, f"{label} (Image Object: {label.split()[-1].lower()})") if label != "me" else ()
    return Tag(
        "picture", subject=name[0] if name and label == name[0] else "user", weight=3.5, content=seen, names=names
    )
