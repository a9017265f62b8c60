"""Which sentences of a message become memories: examples, their training, and what came of it."""
