r"""The output formats as GBNF, one grammar per format, each with the root `root`: the contract cannot be broken.

Written by hand, because a converter from JSON schemas ignores the bounds of integers and lets raw newlines
into strings. Every repetition that could run on is bounded, so that even a model that rambles comes to the
end of its line before it comes to the end of its tokens; only the answer is not, for an answer that is cut
off is still one. A value may stand in quotes or without, as fine-tuned checkpoints differ in that.
"""

from __future__ import annotations

from typing import Any

_CHARACTERS = r"""
char ::= [^"\x00-\x1F\x7F-\x9F\u2028\u2029]
lead ::= [^"'`“”‘’<{}()*,.;:\[\]\x00-\x20\x7F-\xA0\u1680\u2000-\u200F\u2028-\u202F\u205F-\u2064\u3000\uFEFF-]
"""
"""A character of a line, and one that a value may begin with: blanks and marks alone would be no value."""

_TEXT = r"""
value ::= "\"" char{1,300} "\"" | lead char{0,300}
fact ::= "\"" lead char{9,300} "\"" | lead char{9,300}
""" + _CHARACTERS.lstrip()
"""A value may be null; a fact is longer than any word for nothing."""

_REPLY = r"""
answer ::= "<answer>" first prose* "</answer>"
retrieve ::= "<retrieve>\n" keywords start end "</retrieve>"
keywords ::= "\"keywords\": \"" lead{2} char{0,160} "\"\n"
start ::= "\"start_time\": " time "\n"
end ::= "\"end_time\": " time "\n"
time ::= "\"" ("null" | date " " clock) "\""
date ::= ("19" | "20") [0-9] [0-9] "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])
clock ::= ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9]
prose ::= [^<] | "<" [^/<] | "</" [^at<]
first ::= [^<\x00-\x20\x7F-\xA0\u1680\u2000-\u200F\u2028-\u202F\u205F-\u2064\u3000\uFEFF]
""" + _CHARACTERS.lstrip()

REASON = r"""root ::= "<think>" prose{1,1200} "</think>\n" (answer | retrieve)
""" + _REPLY.lstrip()
"""Thinking, then an answer or a retrieval."""

CHOOSE = r"""root ::= answer | retrieve
""" + _REPLY.lstrip()
"""An answer or a retrieval at once: the second attempt, when thinking did not come to an end."""

ANSWER = (
    r"""root ::= answer
"""
    + "\n".join(line for line in _REPLY.strip().splitlines() if line.startswith(("answer", "prose", "first")))
    + "\n"
)
"""An answer alone: there is no retrieval left."""

PROSE = (
    r"""root ::= first prose*
"""
    + "\n".join(line for line in _REPLY.strip().splitlines() if line.startswith(("prose", "first")))
    + "\n"
)
"""Plain words, some at least: the answer of a model that was not trained on tags."""

TRAITS = (
    "root ::= "
    + r' "\n" '.join(
        rf'"\"{trait}\": " [1-5]'
        for trait in ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
    )
    + ' "\\n"?\n'
)
"""Five lines in the paper's order."""

SEMANTIC = r"""root ::= reason (nothing | something)
reason ::= "\"reason\": " (lead char{0,160} | "\"" char{1,160} "\"") "\n"
nothing ::= "\"decision\": false\n\"content\": " value "\n" keywords
something ::= "\"decision\": true\n\"content\": " fact "\n" keywords
keywords ::= "\"keywords\": " value "\n"?
""" + _TEXT.lstrip()
"""Four lines; what is decided to be kept is there."""

TOPICS = r"""root ::= topic ("\n" topic){0,7}
topic ::= summary keywords indices
summary ::= "\"topic_summary\": " fact "\n"
keywords ::= "\"keywords\": " value "\n"
indices ::= "\"source_dialog_indices\": [" index (", " index){0,99} "]\n"
index ::= "0" | [1-9] [0-9]{0,2}
""" + _TEXT.lstrip()
"""One topic or more."""

PROCEDURAL = r"""root ::= "null" | line{1,5}
line ::= "\"" lead [^":\x00-\x1F\x7F-\x9F\u2028\u2029]{0,60} "\": " fact "\n"
""" + _TEXT.lstrip()
"""At most five lines, or null."""

CORE = r"""root ::= "null" | line{1,24}
line ::= "\"" [a-zA-Z] [a-zA-Z0-9_ ]{0,40} "\": " value "\n"
""" + _TEXT.lstrip()
"""Keys with their values, or null."""

SUMMARY = r"""root ::= "\"summary\": " fact "\n\"keywords\": " value "\n"?
""" + _TEXT.lstrip().replace("9,300", "9,500")
"""Two lines; a summary of several conversations may be longer than another fact."""

CAPTION = r"""root ::= "\"caption\": " value "\n"?
""" + _TEXT.lstrip().replace("0,300", "0,400")
"""One line; there may be nothing to say."""

BOX = r"""root ::= "[]" | "[{\"bbox_2d\": [" number ", " number ", " number ", " number "], \"label\": \"" label "\"}]"
number ::= "0" | [1-9] [0-9]{0,3}
label ::= [^"\\\x00-\x1F\x7F-\x9F\u2028\u2029]{1,80}
"""
"""One box in the model's own grounding format, or none."""


def _object(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with all of these, and nothing else."""
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _many(item: dict[str, Any]) -> dict[str, Any]:
    return _object(lines={"type": "array", "items": item})


_SAID: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_SCORE: dict[str, Any] = {"type": "integer", "enum": [1, 2, 3, 4, 5]}
_INDICES: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}

SCHEMAS: dict[str, dict[str, Any]] = {
    TRAITS: _object(
        openness=_SCORE, conscientiousness=_SCORE, extraversion=_SCORE, agreeableness=_SCORE, neuroticism=_SCORE
    ),
    SEMANTIC: _object(reason=_SAID, decision={"type": "boolean"}, content=_MAYBE, keywords=_MAYBE),
    TOPICS: _many(_object(topic_summary=_SAID, keywords=_SAID, source_dialog_indices=_INDICES)),
    PROCEDURAL: _many(_object(key=_SAID, value=_SAID)),
    CORE: _many(_object(key=_SAID, value=_SAID)),
    SUMMARY: _object(summary=_SAID, keywords=_SAID),
    CAPTION: _object(caption=_MAYBE),
}
"""The formats of what is learnt as JSON schemas, for servers that know those and no grammar; answers have none."""
