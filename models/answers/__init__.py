"""The line by which the built-in model tells what answers a question, and how it is fitted."""
