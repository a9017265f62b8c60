"""The loop: response stage, update stage, and the one place where everything is put together."""
