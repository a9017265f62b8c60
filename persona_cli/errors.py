"""Every error a person can meet, each with an exit code and a message that names the fix.

::

    PersonaError                 1   anything expected to go wrong
    ├── UsageError               2   the command or its input is not usable
    │   ├── ConfigError          2   config.toml or a PERSONA_* variable
    │   ├── PictureError         2   a file that cannot be used as a picture
    │   ├── MessageError         2   an empty or much too long message
    │   └── NotFoundError        2   no such memory, turn or key
    ├── StorageError             3   the data directory: permissions, disk, damage
    │   ├── BusyError            3   another persona holds what is needed
    │   └── IndexDamagedError    3   the vector index; it is derived and can be rebuilt
    ├── ModelError               4   the generative or the embedding model
    │   ├── WeightsError         4   weights missing, truncated or of another model
    │   ├── ContextError         4   what was asked does not fit the model's context
    │   ├── EngineError          4   the engine or its server failed while running
    │   └── FormatError          4   the model's text broke its format, also after repair
    ├── TransferError            5   an export or import file
    └── Interrupted            130   stopped on purpose: Ctrl-C, or a query that comes first

Libraries' errors are mapped to this tree where the library is owned (``raise X from exc``); the one
broad ``except`` stands in the command line's ``main()``. Constructors have no side effects.
"""

from __future__ import annotations


class PersonaError(Exception):
    """Anything expected to go wrong; `fix` is a sentence that says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(PersonaError):
    """The command or its input is not usable as given."""

    exit_code = 2


class ConfigError(UsageError):
    """A key or value of config.toml or of a PERSONA_* variable is wrong."""


class PictureError(UsageError):
    """A file cannot be used as a picture."""


class MessageError(UsageError):
    """A message is empty or longer than can be answered."""


class NotFoundError(UsageError):
    """What was named does not exist."""


class StorageError(PersonaError):
    """The data directory cannot be read or written."""

    exit_code = 3


class BusyError(StorageError):
    """Another process holds the resource."""


class IndexDamagedError(StorageError):
    """The vector index cannot be opened; it holds copies only and can be rebuilt."""


class ModelError(PersonaError):
    """The generative or the embedding model cannot do what was asked."""

    exit_code = 4


class WeightsError(ModelError):
    """Weights are missing, truncated, or belong to another model."""


class ContextError(ModelError):
    """What was asked does not fit the model's context."""


class EngineError(ModelError):
    """The engine, or the server behind it, failed while running."""


class FormatError(ModelError):
    """The model's text broke its format and could not be repaired."""


class TransferError(PersonaError):
    """An export or import file is not usable."""

    exit_code = 5


class Interrupted(PersonaError):  # noqa: N818 - not a failure: somebody asked for it
    """Work was stopped on purpose, at a point where nothing is lost."""

    exit_code = 130
