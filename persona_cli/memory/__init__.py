"""The memory: store (SQLite, the truth), media, embedding, index (Chroma, derived) and retrieval."""
