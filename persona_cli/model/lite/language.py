"""Which language a message is in, as far as the built-in model has to know: it reads English and no other.

The script tells most others apart, common English words tell English; only what is left is shown to py3langid, whose
models take half a second to load.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from persona_cli.english.lexicon import ASKING, AUXILIARIES, BASE, STOP, TALKING, word_class
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
_ONLY, _COMMON = 0.1, 0.5
"""Share of words that only English has, and above which of common English words at all, that makes a text English: 97
of 100 messages are, and of 80 short sentences in 18 other languages none (30 were, by stop words alone)."""
_SURE = 0.8
"""Probability among the languages above from which a Latin text is taken for another language than English."""
_FEWEST = 3
"""Words below which Latin letters tell nothing: "no", "ok gracias"."""
_LOOKED_AT = 2_000


@lru_cache(maxsize=256)
def language_of(text: str) -> str:
    """Return the name of the language of a text; what cannot be told is English."""
    text = text[:_LOOKED_AT]
    letters = Counter(unicodedata.name(char, "LATIN").split(" ")[0] for char in text if char.isalpha())
    if letters and (script := letters.most_common(1)[0][0]) in _SCRIPTS:
        return _SCRIPTS["HIRAGANA"] if letters["HIRAGANA"] else _SCRIPTS[script]
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
    common = [word for word in words if word in _common()]
    only = sum(word not in words_of("shared_words") for word in common)
    if len(words) < _FEWEST or only >= _ONLY * len(words) or len(common) > _COMMON * len(words):
        return ENGLISH
    language, probability = _detector().classify(text)
    return _NAMES[language] if probability >= _SURE else ENGLISH


@cache
def _common() -> frozenset[str]:
    common = STOP | ASKING | TALKING | AUXILIARIES | BASE | word_class("topicless") | words_of("typed_english")
    return frozenset(word for word in common if len(word) > 1 or word in ("a", "i"))


@cache
def _detector() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages([language for language in _NAMES if language in detector.labels])
    return detector
