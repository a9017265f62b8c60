"""What anything here knows of English, once: words and stems, grammatical persons, clauses, people, lists. Pure."""
