"""How a message is meant: examples, their training, and what came of it."""
