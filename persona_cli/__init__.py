"""persona: a personal assistant that remembers you, on your own machine.

The package is layered and data flows one way (CONTRIBUTING.md has the diagram):
cli > agent > (model | memory) > records > personality > config > paths > errors.
"""

__version__ = "0.1.0"
