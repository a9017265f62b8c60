"""A teacher: another model that says the planned talk in words of its own, under the labels of the plan.

Any OpenAI-compatible server will do. Each session is one request, several at a time; what was accepted lies in
`teacher/` and is not asked for again. A turn is accepted where the label still rests on the new words (the gate),
nothing was added that nobody planned, no question has its answer, and the reply still says what it is to say. What is
refused is asked for once more, and after that the words of the grammar stay. The package's own retries bear with a
server that is slow or fails; one that is down ends the run, and the same command goes on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from persona_cli.english.tokens import supported, values
from persona_cli.errors import EngineError
from persona_cli.personality import manner
from persona_cli.records import Turn
from persona_cli.remembering.gate import ENOUGH, unsaid
from persona_cli.synthesis.dialogue import SpokenTurn
from persona_cli.synthesis.lifeplan import Act, Life
from persona_cli.synthesis.quality import leaks, refusal

ATTEMPTS = 2
"""Requests for one session: what was refused is asked for once more."""
RETRIES = 5
"""Of the package, each later than the one before, for what the server fails or is too slow at."""
LETTERS = 4
LONGEST = 1_500
"""Characters of one message."""
_EXTRA = 60
"""Tokens of a reply beside its words: brackets, keys."""

Ask = Callable[[str], str]
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Teacher:
    """Which server teaches, and how hard it is asked."""

    url: str
    model: str = ""
    """Which of its models; "" for the first."""
    key: str = ""
    seconds: float = 120.0
    """To wait for one reply before it is tried again."""
    temperature: float = 0.9


@dataclass(frozen=True, slots=True)
class TeachingCost:
    """What teaching would take, before it begins; estimated at four letters a token."""

    sessions: int
    prompt_tokens: int
    reply_tokens: int


@dataclass(slots=True)
class Taught:
    """What came of teaching."""

    accepted: int = 0
    kept: int = 0
    """Turns that stayed as the grammar has them."""
    refused: Counter[str] = field(default_factory=Counter)
    """Samples that were refused, by reason."""

    def add(self, other: Taught) -> None:
        """Count another session in."""
        self.accepted += other.accepted
        self.kept += other.kept
        self.refused.update(other.refused)


def connect(settings: Teacher) -> Ask:
    """Return what asks the teacher; raises `EngineError` where it cannot be reached."""
    import openai

    from persona_cli.model.engines.server_errors import mapped

    client = openai.OpenAI(
        base_url=settings.url, api_key=settings.key or "none", max_retries=RETRIES, timeout=settings.seconds
    )
    with mapped(settings.url):
        model = settings.model or next((listed.id for listed in client.models.list()), "")

    def ask(prompt: str) -> str:
        with mapped(settings.url):
            reply = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": prompt}], temperature=settings.temperature
            )
        return (reply.choices[0].message.content or "") if reply.choices else ""

    return ask


def estimate(lives: Sequence[tuple[Life, Sequence[SpokenTurn]]], folder: Path) -> TeachingCost:
    """Return what is still to be asked of the teacher."""
    prompts = replies = count = 0
    for life, session in _missing(lives, folder):
        count += 1
        prompts += len(prompt_of(life, session)) // LETTERS
        replies += sum((len(said.user) + len(said.answer)) // LETTERS + _EXTRA // 2 for said in session)
    return TeachingCost(count, prompts, replies)


def teach(
    lives: Sequence[tuple[Life, Sequence[SpokenTurn]]],
    folder: Path,
    ask: Ask,
    *,
    parallel: int,
    on_progress: OnProgress,
) -> Taught:
    """Have every session that is not there yet said anew; returns what was accepted and refused, of all of them."""
    pending = list(_missing(lives, folder))
    every = sum(len(_sessions(spoken)) for _, spoken in lives)
    done = every - len(pending)
    on_progress(done, every)
    failed: EngineError | None = None
    with ThreadPoolExecutor(max(1, parallel)) as pool:
        jobs = [pool.submit(_teach_session, life, session, folder, ask) for life, session in pending]
        for job in as_completed(jobs):
            try:
                job.result()
            except EngineError as exc:
                failed = exc
                break
            done += 1
            on_progress(done, every)
        for job in jobs:
            job.cancel()
    if failed is not None:
        raise EngineError(
            f"the teacher stopped: {failed.message}", fix="What it said is kept; the same command goes on."
        ) from failed
    return _count(lives, folder)


def reworded(life: Life, spoken: Sequence[SpokenTurn], folder: Path) -> tuple[SpokenTurn, ...]:
    """Return a dialogue in the teacher's words where they were accepted."""
    said_anew = {place: turn for number in range(len(life.sessions)) for place, turn in _read(folder, life, number)}

    def anew(said: SpokenTurn) -> SpokenTurn:
        turn = said_anew.get((said.session, said.place))
        mark = "<img> " if "<img>" in said.user else ""
        return said if turn is None else replace(said, user=mark + turn["user"], answer=turn["assistant"])

    return tuple(map(anew, spoken))


def prompt_of(life: Life, session: Sequence[SpokenTurn], only: Sequence[int] | None = None) -> str:
    """Return what the teacher is asked; with `only` the turns that are wanted."""
    template = Template(files("persona_cli.synthesis").joinpath("teacher_prompt.txt").read_text(encoding="utf-8"))
    manners = manner(session[0].traits)
    poles = life.poles_at(session[0].session)
    nature = ", ".join(f"{'high' if pole > 0 else 'low'} {trait}" for trait, pole in poles.items() if pole)
    wanted = [said for said in session if only is None or said.place in only]
    turns = "\n".join(
        json.dumps({"n": said.place, "user": _plain(said.user), "assistant": said.plain}, ensure_ascii=False)
        for said in wanted
    )
    tone = f"{nature or 'in between'}; the assistant is {', '.join(manners.values()) or 'friendly'}"
    return template.substitute(persona=life.persona, nature=tone, turns=turns)


def parse_turns(text: str) -> dict[int, tuple[str, str]]:
    """Return (user, assistant) by number of what the teacher wrote; what cannot be read is left out."""
    start, end = text.find("["), text.rfind("]")
    try:
        listed = json.loads(text[start : end + 1]) if 0 <= start < end else []
    except (ValueError, RecursionError):
        return {}
    turns: dict[int, tuple[str, str]] = {}
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("n"), int):
            user, answer = (" ".join(str(entry.get(side) or "").split()) for side in ("user", "assistant"))
            turns[entry["n"]] = (user, answer)
    return turns


def fault(said: SpokenTurn, user: str, answer: str, earlier: Sequence[Turn], known: str) -> str:
    """Return why what the teacher wrote for a turn cannot be taken; "" where it can.

    `known` is what was said in the conversation before: names in it are nothing new.
    """
    anew = replace(said, user=user, answer=answer)
    return _misshapen(said, anew) or _added(said, anew, known) or _unfounded(anew, earlier, known)


def _misshapen(planned: SpokenTurn, said: SpokenTurn) -> str:
    if not said.user or not said.answer or max(len(said.user), len(said.answer)) > LONGEST:
        return "empty or too long"
    if said.asked is not None and "?" in planned.user and "?" not in said.user:
        return "a question became a statement"
    return "the question has its answer" if leaks(said) else ""


def _added(planned: SpokenTurn, said: SpokenTurn, known: str) -> str:
    """Return whether a message has names or numbers that are in no message that was planned."""
    for written, meant in ((said.user, planned.user), (said.answer, f"{planned.plain} {planned.user}")):
        names, numbers = unsaid(written, f"{meant} {known}", said.at)
        if names or numbers:
            return "something was added"
    return ""


def _unfounded(said: SpokenTurn, earlier: Sequence[Turn], known: str) -> str:
    turn = Turn(0, 0, said.at, said.user, "", "")
    # what is named in a picture rests on the picture too
    rule = "" if said.beat.act is Act.SHOW else refusal(said.label, turn, earlier, lambda name: name in known)
    if rule:
        return f"the label does not rest on it: {rule}"
    meant = values(said.plain)
    if said.asked is not None and len(supported(meant, said.answer)) < ENOUGH * len(meant):
        return "the reply says something else"
    return ""


def _teach_session(life: Life, session: Sequence[SpokenTurn], folder: Path, ask: Ask) -> None:
    taught: dict[int, tuple[str, str]] = {}
    refused: Counter[str] = Counter()
    for _ in range(ATTEMPTS):
        left = [said.place for said in session if said.place not in taught]
        if not left:
            break
        written = parse_turns(ask(prompt_of(life, session, left)))
        for place in left:
            if place not in written:
                refused["not there, or no JSON"] += 1
            elif why := _fault(life, session, place, written[place], taught):
                refused[why] += 1
            else:
                taught[place] = written[place]
    turns = [{"n": place, "user": user, "assistant": answer} for place, (user, answer) in sorted(taught.items())]
    file = _file(folder, life.key, session[0].session)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    content = {"of": _identity(life, session), "turns": turns, "refused": refused}
    part.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(file)


def _fault(
    life: Life,
    session: Sequence[SpokenTurn],
    place: int,
    written: tuple[str, str],
    taught: Mapping[int, tuple[str, str]],
) -> str:
    before = [said for said in session if said.place < place]
    words = [taught.get(said.place, (said.user, ""))[0] for said in before]
    earlier = [Turn(0, 0, said.at, text, "", "") for said, text in zip(before, words, strict=True)]
    known = " ".join([*(said.user for said in session if said.place <= place), life.name])
    said = next(said for said in session if said.place == place)
    mark = "<img> " if "<img>" in said.user else ""
    return fault(said, f"{mark}{written[0]}", written[1], earlier, known)


def _missing(
    lives: Sequence[tuple[Life, Sequence[SpokenTurn]]], folder: Path
) -> Iterator[tuple[Life, list[SpokenTurn]]]:
    for life, spoken in lives:
        for session in _sessions(spoken):
            content = _content(folder, life.key, session[0].session)
            if content is None or content["of"] != _identity(life, session):
                yield life, session


def _sessions(spoken: Sequence[SpokenTurn]) -> list[list[SpokenTurn]]:
    sessions: dict[int, list[SpokenTurn]] = {}
    for said in spoken:
        sessions.setdefault(said.session, []).append(said)
    return list(sessions.values())


def _read(folder: Path, life: Life, number: int) -> Iterator[tuple[tuple[int, int], dict[str, str]]]:
    content = _content(folder, life.key, number)
    for turn in content["turns"] if content else ():
        yield (number, int(turn["n"])), turn


def _count(lives: Sequence[tuple[Life, Sequence[SpokenTurn]]], folder: Path) -> Taught:
    taught = Taught()
    for life, spoken in lives:
        for session in _sessions(spoken):
            content = _content(folder, life.key, session[0].session) or {"turns": [], "refused": {}}
            accepted = len(content["turns"])
            taught.add(Taught(accepted, len(session) - accepted, Counter(content["refused"])))
    return taught


def _content(folder: Path, key: str, number: int) -> dict[str, Any] | None:
    try:
        return dict(json.loads(_file(folder, key, number).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _file(folder: Path, key: str, number: int) -> Path:
    return folder / "teacher" / f"{key}-{number:03}.json"


def _identity(life: Life, session: Sequence[SpokenTurn]) -> str:
    """Return what tells whether an answer is to the same request."""
    import hashlib

    return hashlib.sha256(prompt_of(life, session).encode()).hexdigest()[:16]


def _plain(user: str) -> str:
    return user.replace("<img>", "").strip()
