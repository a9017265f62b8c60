"""Which language a message is in, as far as the built-in model has to know: it reads English and no other.

The script tells most others apart, common English words tell English; only what is left is shown to py3langid, whose
models take half a second to load.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from persona_cli.model.lite.phrases import words_of

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

ENGLISH = "English"
_NAMES = {
    "de": "German", "es": "Spanish", "fr": "French", "it": "Italian", "pt": "Portuguese", "nl": "Dutch",
    "pl": "Polish", "sv": "Swedish", "da": "Danish", "no": "Norwegian", "nb": "Norwegian", "fi": "Finnish",
    "cs": "Czech", "hu": "Hungarian", "ro": "Romanian", "tr": "Turkish", "hr": "Croatian", "id": "Indonesian",
    "vi": "Vietnamese", "ca": "Catalan", "en": ENGLISH,
}  # fmt: skip
_SCRIPTS = {
    "CJK": "Chinese or Japanese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "THAI": "Thai",
    "ARABIC": "Arabic", "HEBREW": "Hebrew", "CYRILLIC": "Cyrillic script", "GREEK": "Greek", "DEVANAGARI": "Hindi",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_PLAINLY = 0.2
"""Share of common English words from which a text is English: German and Spanish ones stay below 0.1."""
_SURE = 0.8
"""Probability among the languages above from which a Latin text is taken for another language than English."""
_FEWEST = 3
"""Words below which Latin letters tell nothing: "no", "ok gracias"."""
_LOOKED_AT = 2_000


@cache
def language_of(text: str) -> str:
    """Return the name of the language of a text; what cannot be told is English."""
    text = text[:_LOOKED_AT]
    letters = Counter(unicodedata.name(char, "LATIN").split(" ")[0] for char in text if char.isalpha())
    if letters and (script := letters.most_common(1)[0][0]) in _SCRIPTS:
        return _SCRIPTS["HIRAGANA"] if letters["HIRAGANA"] else _SCRIPTS[script]
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
    common = sum(word in words_of("english") for word in words)
    if len(words) < _FEWEST or common >= _PLAINLY * len(words):
        return ENGLISH
    language, probability = _detector().classify(text)
    return _NAMES[language] if probability >= _SURE else ENGLISH


@cache
def _detector() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages([language for language in _NAMES if language in detector.labels])
    return detector
