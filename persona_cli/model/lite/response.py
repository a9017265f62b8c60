"""The response of the built-in model: one look at the message, at most three searches, then an answer.

`decide()` is the whole course of it: it returns either a wish to search, with the reason for it, or the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from persona_cli.model.lite import replies
from persona_cli.model.lite.acts import Act, Part, read
from persona_cli.model.lite.answers import compose
from persona_cli.model.lite.evidence import gather
from persona_cli.model.lite.ontology import KINDS
from persona_cli.model.lite.questions import Question, understand
from persona_cli.model.lite.relevance import Embed, rank
from persona_cli.model.lite.words import content_words, stem
from persona_cli.model.tasks import Situation
from persona_cli.records import Retrieve
from persona_cli.timewords import describe


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next: search, or give the answer; and why."""

    thought: str
    retrieve: Retrieve | None = None
    answer: str = ""


def decide(situation: Situation, embed: Embed, *, may_search: bool = True) -> Decision:
    """Return the next step for the query of `situation`."""
    parts = read(situation.query.text)
    questions = [understand(part.text, situation.query.at) for part in parts if part.act is Act.QUESTION]
    statements = [part for part in parts if part.act is Act.STATEMENT]
    if may_search and (search := _search(situation, questions, statements, embed)):
        return search
    said = [_answer(question, situation, embed) for question in questions]
    said += _acknowledge(statements, situation)
    if not said:
        said = [_small_talk(parts, situation)]
    return Decision(f"{len(gather(situation))} things to go by; answering.", answer="\n\n".join(said))


def _search(situation: Situation, questions: list[Question], statements: list[Part], embed: Embed) -> Decision | None:
    done = [exchange.retrieve for exchange in situation.exchanges]
    if questions:
        for question in questions:
            if done and rank(question, gather(situation), embed):
                continue
            for thought, retrieve in _ways(question, situation):
                if retrieve not in done:
                    return Decision(thought, retrieve)
    elif statements and not done:
        words = " ".join(content_words(" ".join(part.text for part in statements)))
        if words:
            return Decision("The user tells me something; looking for what it links to.", Retrieve(words))
    return None


def _ways(question: Question, situation: Situation) -> list[tuple[str, Retrieve]]:
    """Return the searches worth making for a question, in order."""
    words = " ".join(content_words(question.text)) or question.text
    ways = []
    if question.time is not None:
        window = question.time.window
        asked = describe(window, situation.query.at)
        ways.append((f"Looking for “{words}”, {asked}.", Retrieve(words, window.start, window.end)))
        ways.append((f"Nothing of use {asked}; looking for “{words}” at any time.", Retrieve(words)))
    else:
        ways.append((f"Looking for “{words}”.", Retrieve(words)))
    wider = _widened(question)
    if wider and wider != words:
        ways.append((f"Not found yet; looking for “{wider}”.", Retrieve(wider)))
    return ways


def _widened(question: Question) -> str:
    """Return other words for what a question is about: its entities and their kinds, and the slot."""
    words = [*sorted(question.entities), *question.topic]
    for entity in sorted(question.entities):
        words += sorted(KINDS.get(entity, frozenset()))[:8]
    if question.slot is not None:
        words.append(question.slot.name)
    return " ".join(dict.fromkeys(stem(word) if word in KINDS else word for word in words))


def _answer(question: Question, situation: Situation, embed: Embed) -> str:
    matches = rank(question, gather(situation), embed)
    if matches:
        return compose(question, matches, situation.query.at)
    return replies.refuse(question.personal)


def _acknowledge(statements: list[Part], situation: Situation) -> list[str]:
    return [replies.acknowledge(statements[-1].text)] if statements else []


def _small_talk(parts: tuple[Part, ...], situation: Situation) -> str:
    if not parts:
        return "I have no words to go by. Tell me about it?"
    if any(part.act is Act.REQUEST for part in parts):
        return replies.CANNOT
    return replies.small_talk(parts[-1].act, situation.core.get("name"), situation.query.at)
