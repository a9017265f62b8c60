"""Settings: frozen dataclasses filled from defaults < config.toml < PERSONA_* variables < options.

Each section of config.toml is a dataclass here; each field's docstring is what `persona config show` prints
beside it. An unknown key or a value of the wrong kind is a `ConfigError` that names the key, the place it
came from and what is allowed: a misspelt setting never falls back to its default in silence.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from persona_cli.errors import ConfigError, StorageError

Value = str | int | float | bool

HIDDEN = "(set, not shown)"
"""Stands for a secret wherever settings are shown."""


def setting(
    default: Value,
    about: str,
    *,
    least: float | None = None,
    most: float | None = None,
    of: tuple[str, ...] = (),
    number: bool = False,
    secret: bool = False,
) -> Any:
    """Declare one setting: its default, what it means, and the values allowed.

    A text with `number` is one of `of` or a whole number from `least` to `most`; a `secret` is never shown.
    """
    metadata = {"about": about, "least": least, "most": most, "of": of, "number": number, "secret": secret}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """[model]: which model answers."""

    name: str = setting(
        "lite", "the model that answers: 'lite' (built in), an installed model, or 'server' (see [server])"
    )
    context: int = setting(16_384, "tokens prompt and reply may have together", least=1_024, most=131_072)
    gpu_layers: str = setting(
        "auto", "layers on the GPU; auto goes by its free memory", of=("auto",), number=True, least=0, most=999
    )
    project_on_gpu: str = setting("auto", "whether pictures are encoded on the GPU", of=("auto", "true", "false"))
    threads: int = setting(0, "processor threads; 0 takes one a core, fewer where it is busy", least=0, most=1_024)
    flash_attention: bool = setting(True, "the quicker attention; turn it off where a driver has trouble with it")
    kv_type: str = setting("f16", "precision of the cache; q8_0 halves its memory", of=("f32", "f16", "q8_0"))
    reasoning: str = setting(
        "auto",
        "whether it searches in rounds; off searches once and answers in one call, auto does that where it is slow",
        of=("auto", "on", "off"),
    )
    tasks: str = setting("auto", "what it learns by itself: auto (as `persona model check` found), all, none, or some")
    quantization: str = setting("Q4_K_M", "what is pulled and exported", of=("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16"))


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """[server]: an OpenAI-compatible server that runs the model, for model.name = 'server'."""

    url: str = setting("", "its address, usually ending in /v1: http://localhost:8080/v1")
    model: str = setting("", "which of its models; empty takes the first")
    key: str = setting("", "its key; better kept in PERSONA_SERVER_KEY", secret=True)
    dialect: str = setting(
        "auto",
        "how it holds a reply to a format; auto asks it once, plain is not at all",
        of=("auto", "llama", "vllm", "json", "tools", "plain"),
    )


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """[judge]: an OpenAI-compatible server whose model judges free answers in `persona eval`."""

    url: str = setting("", "its address, usually ending in /v1; empty judges by words alone")
    model: str = setting("", "which of its models; empty takes the first")
    key: str = setting("", "its key; better kept in PERSONA_JUDGE_KEY", secret=True)


@dataclass(frozen=True, slots=True)
class TeacherSettings:
    """[teacher]: the server of `persona synth --teacher URL`, which words the talk of made-up people."""

    model: str = setting("", "which of its models; empty takes the first")
    key: str = setting("", "its key; better kept in PERSONA_TEACHER_KEY", secret=True)


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """[embedding]: what search compares texts and pictures by."""

    model: str = setting(
        "all-MiniLM-L6-v2", "all-MiniLM-L6-v2 (built in), or the folder of any sentence-transformers model"
    )
    pictures: str = setting(
        "clip-ViT-B-32", "the CLIP that compares pictures, once it is pulled; or the folder of one, or none"
    )


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """[memory]: what one search of long-term memory brings back, and how much a turn may write."""

    semantic: int = setting(4, "semantic memories per retrieval", least=0, most=50)
    episodic: int = setting(2, "topics per retrieval, each with its turns", least=0, most=20)
    procedural: int = setting(2, "habits and goals per retrieval", least=0, most=20)
    images: int = setting(2, "image memories per retrieval", least=0, most=20)
    retrievals: int = setting(5, "retrievals in one response at most", least=1, most=10)
    judged: int = setting(
        24, "of the best that a search finds, so many are judged against the question, 4 ms each; 0 for none",
        least=0, most=100,
    )  # fmt: skip
    review: bool = setting(False, "let facts, profile and habits wait until you accept them: `persona memory review`")
    writes: int = setting(5, "semantic memories one turn may write at most", least=1, most=50)
    tidy_after_days: int = setting(
        30, "days after which topics that belong together become one summary; 0 leaves them apart", least=0, most=36_500
    )


@dataclass(frozen=True, slots=True)
class PersonalitySettings:
    """[personality]: how readings move the traits."""

    count_telling_turns: bool = setting(
        False, "let only turns that show something of a trait slow its moving; false counts every turn, as published"
    )


@dataclass(frozen=True, slots=True)
class ChromaSettings:
    """[chroma]: where the vector index is."""

    url: str = setting("", "a Chroma server of your own, http://localhost:8000; empty for the local folder")


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """[session]: where one conversation ends and the next begins."""

    gap_minutes: int = setting(60, "minutes without a turn that end a session", least=1, most=1440)


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """[chat]: how the chat looks."""

    show_thinking: bool = setting(False, "show the model's thinking on stderr")
    history: bool = setting(True, "let the arrow keys bring back what you said before, from memory")
    upcoming: bool = setting(True, "say when a chat begins what is today and tomorrow, and what was to be lately")
    update_seconds: int = setting(
        30, "seconds a single message may go on learning after its answer; the rest waits", least=0, most=86_400
    )
    longest_message: int = setting(20_000, "characters one message may have", least=100, most=1_000_000)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, by section."""

    model: ModelSettings = ModelSettings()
    server: ServerSettings = ServerSettings()
    judge: JudgeSettings = JudgeSettings()
    teacher: TeacherSettings = TeacherSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    memory: MemorySettings = MemorySettings()
    personality: PersonalitySettings = PersonalitySettings()
    chroma: ChromaSettings = ChromaSettings()
    session: SessionSettings = SessionSettings()
    chat: ChatSettings = ChatSettings()


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as it stands: its dotted key, value, where the value came from, and its declaration."""

    key: str
    value: Value
    source: str
    about: str
    default: Value


def declared() -> Iterator[tuple[str, Field[Any]]]:
    """Yield every dotted key with its declaration, in the order of `Settings`."""
    for section in fields(Settings):
        for option in fields(type(cast(Any, section.default))):
            yield f"{section.name}.{option.name}", option


def load_settings(
    config_file: Path, env: Mapping[str, str] | None = None, options: Mapping[str, Value] | None = None
) -> Settings:
    """Return the settings in force; raises `ConfigError` for the first key or value that is not allowed."""
    settings = Settings()
    for key, (value, _) in _given(config_file, os.environ if env is None else env, options or {}).items():
        section, name = key.split(".")
        settings = replace(settings, **{section: replace(getattr(settings, section), **{name: value})})
    return settings


def list_entries(config_file: Path, env: Mapping[str, str] | None = None) -> tuple[Entry, ...]:
    """Return every setting with its value and the place the value came from; secrets are hidden."""
    given = _given(config_file, os.environ if env is None else env, {})
    entries = []
    for key, one in declared():
        default = cast(Value, one.default)
        value, source = given.get(key, (default, "default"))
        shown = HIDDEN if one.metadata["secret"] and value else value
        entries.append(Entry(key, shown, source, one.metadata["about"], default))
    return tuple(entries)


def read_config(config_file: Path) -> dict[str, dict[str, Value]]:
    """Return config.toml as sections of checked values; an absent file is empty."""
    try:
        loaded = tomllib.loads(config_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"{config_file} is not valid TOML: {exc}", fix="Correct it with `persona config edit`."
        ) from exc
    except OSError as exc:
        raise StorageError(f"{config_file} cannot be read: {exc.strerror}", fix="Check its permissions.") from exc
    for section, body in loaded.items():
        if not isinstance(body, dict):
            raise _unknown(section, str(config_file))
        for name in body:
            body[name] = check_value(f"{section}.{name}", body[name], str(config_file))
    return loaded


def check_value(key: str, value: object, source: str) -> Value:
    """Return `value` as the kind `key` wants; text is converted, as variables and the command line give it."""
    one = dict(declared()).get(key)
    if one is None:
        raise _unknown(key, source)
    assert one.default is not MISSING
    converted = _convert(value, type(one.default)) if isinstance(value, str) else value
    if isinstance(one.default, str) and one.metadata["of"] and isinstance(converted, (int, bool)):
        # gpu_layers = 20 and project_on_gpu = true are what people write
        converted = str(converted).lower()
    if isinstance(one.default, float) and isinstance(converted, int) and not isinstance(converted, bool):
        converted = float(converted)
    if type(converted) is not type(one.default) or not _within(converted, one):
        shown = HIDDEN if one.metadata["secret"] else repr(value)
        raise ConfigError(f"{source}: {key} = {shown} is not allowed", fix=f"{key} takes {allowed(one)}.")
    return converted


def allowed(one: Field[Any]) -> str:
    """Say in words which values a setting takes."""
    least, most, of = one.metadata["least"], one.metadata["most"], one.metadata["of"]
    if one.metadata["number"]:
        return f"{' or '.join(of)}, or a whole number from {least} to {most}"
    if of:
        return "one of " + ", ".join(of)
    kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[type(one.default)]
    return f"{kind} from {least} to {most}" if least is not None else kind


def variable(key: str) -> str:
    """Return the environment variable of a dotted key: memory.top -> PERSONA_MEMORY_TOP."""
    return "PERSONA_" + key.replace(".", "_").upper()


def _given(config_file: Path, env: Mapping[str, str], options: Mapping[str, Value]) -> dict[str, tuple[Value, str]]:
    given: dict[str, tuple[Value, str]] = {}
    for section, body in read_config(config_file).items():
        for name, value in body.items():
            given[f"{section}.{name}"] = (value, str(config_file))
    variables = {variable(key): key for key, _ in declared()}
    sections = tuple(f"PERSONA_{section.name.upper()}_" for section in fields(Settings))
    for name, text in env.items():
        if name in variables:
            given[variables[name]] = (check_value(variables[name], text, name), name)
        elif name.startswith(sections) or (name.startswith("PERSONA_") and get_close_matches(name, variables, 1, 0.85)):
            raise _unknown(name, "the environment", among=tuple(variables))
    for key, value in options.items():
        given[key] = (check_value(key, value, "option"), "option")
    return given


def _convert(text: str, kind: type) -> object:
    if kind is bool:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def _within(value: object, one: Field[Any]) -> bool:
    least, most, of = one.metadata["least"], one.metadata["most"], one.metadata["of"]
    if one.metadata["number"] and isinstance(value, str) and value.isdecimal():
        value = int(value)
    elif of:
        return value in of
    return least is None or (isinstance(value, (int, float)) and least <= value <= most)


def _unknown(key: str, source: str, among: tuple[str, ...] | None = None) -> ConfigError:
    names = among or tuple(name for name, _ in declared())
    close = get_close_matches(key, names, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else "Known: " + ", ".join(names) + "."
    return ConfigError(f"{source}: there is no setting {key}", fix=hint)
