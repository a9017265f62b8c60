"""The schema: migrations that are only ever appended to, by what they bring."""
