"""Where things live: one frozen `Places` per user, computed from the environment and never created here.

PERSONA_HOME puts everything, the configuration included, in one directory; otherwise the platform's own
data and config directories are used. Weights are shared by all users of a home: they are large and hold
nothing personal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from persona_cli.errors import ConfigError

MARKER, SERVER_MARKER = "persona.json", "chroma-server.json"
"""Files that say what the copy of the vectors holds: one in its folder, one in the home for a copy on a server."""
_USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Places:
    """The files and directories of one user."""

    home: Path
    """What belongs to the user; created with mode 0700."""
    config_file: Path
    """config.toml, shared by the users of one home."""
    prompts: Path
    """A directory whose files override the built-in prompts, shared like the configuration."""
    weights: Path
    """Model weights, shared by the users of one home."""

    @property
    def database(self) -> Path:
        """SQLite, the truth."""
        return self.home / "persona.db"

    @property
    def chroma(self) -> Path:
        """The vector index: derived, may be deleted at any time."""
        return self.home / "chroma"

    @property
    def media(self) -> Path:
        """Pictures, named by the SHA-256 of their content."""
        return self.home / "media"

    @property
    def backups(self) -> Path:
        """Copies of the database."""
        return self.home / "backups"

    @property
    def archive_key(self) -> Path:
        """The key that signs exports, shared like the configuration: it outlives a memory that is read anew."""
        return self.config_file.parent / "archive.key"

    @property
    def token(self) -> Path:
        """What a client of `persona serve` has to know; shared like the configuration."""
        return self.config_file.parent / "serve.token"

    @property
    def page_token(self) -> Path:
        """What opens the page of `persona serve`: for the person alone, no client is given it."""
        return self.config_file.parent / "serve-page.token"

    @property
    def cache(self) -> Path:
        """What engines derive from pictures: as personal as they are, and may be deleted at any time."""
        return self.home / "cache"

    @property
    def kept_prompt(self) -> tuple[Path, ...]:
        """The evaluated prompt of the conversation, the list of what is in it, and either half written: derived."""
        names = ("respond.state", "respond.json", "respond.part", "respond.json-part")
        return tuple(self.cache / name for name in names)

    @property
    def forgotten(self) -> Path:
        """Touched whenever a memory is forgotten: who has its words in a prompt then must not keep them."""
        return self.kept_prompt[0].with_suffix(".forgotten")

    @property
    def index_lock(self) -> Path:
        """Held by the one process that has Chroma open."""
        return self.home / "index.lock"

    @property
    def update_lock(self) -> Path:
        """Held by the one process that runs update jobs."""
        return self.home / "update.lock"


def find_places(user: str | None = None, env: Mapping[str, str] | None = None) -> Places:
    """Return the places of `user`, or of PERSONA_USER, or of the one unnamed user.

    Raises `ConfigError` for a user name that is no plain file name.
    """
    env = os.environ if env is None else env
    user = user or env.get("PERSONA_USER") or None
    if user is not None and not _USER_NAME.fullmatch(user):
        raise ConfigError(
            f"{user!r} cannot be used as a user name",
            fix="Use up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )
    root, config = _roots(env)
    home = root / "users" / user if user else root
    return Places(home=home, config_file=config / "config.toml", prompts=config / "prompts", weights=root / "models")


def list_users(env: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the names of those who have a memory of their own in this home, beside the unnamed one."""
    root, _ = _roots(os.environ if env is None else env)
    return tuple(sorted(home.parent.name for home in root.glob("users/*/persona.db")))


def shipped(name: str) -> Path:
    """Return a file or directory of models/, as installed with the package or as it stands in a checkout."""
    installed = Path(__file__).parent / "_models"
    return (installed if installed.is_dir() else Path(__file__).parent.parent / "models") / name


def _roots(env: Mapping[str, str]) -> tuple[Path, Path]:
    if given := env.get("PERSONA_HOME"):
        root = Path(given).expanduser().absolute()
        return root, root
    dirs = platformdirs.PlatformDirs("persona", appauthor=False)
    return dirs.user_data_path, dirs.user_config_path
