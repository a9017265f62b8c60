"""What anything here knows of English, once: words and stems, sentences, persons, who speaks, people, lists. Pure."""
