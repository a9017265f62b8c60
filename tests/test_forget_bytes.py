"""What is forgotten is gone: after each way to forget, every byte of the home is searched for it, backups included."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow

from persona_cli.paths import find_places
from tests.terminal import persona

pytestmark = [pytest.mark.gguf, pytest.mark.slow]

TALK = (
    ("2024-05-12 18:30", "My name is Ada and I live in Ghent.", "Hello Ada!"),
    ("2024-06-01 10:00", "My aunt Wilhelmina keeps a quokka called Zebedee.", "Zebedee, how nice."),
    ("2024-06-01 10:05", "I play the theorbo every Thursday.", "A theorbo!"),
    ("2024-07-03 09:00", "I moved to Bruges.", "Congratulations!"),
)
WORDS = ("Wilhelmina", "quokka", "Zebedee")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """Live once: talk with a picture, memories by hand, an edit, two backups, an export elsewhere."""
    folder = tmp_path_factory.mktemp("lived")
    home = folder / "home"
    (home / "models").mkdir(parents=True)
    for file in minilm.iterdir():
        (home / "models" / file.name).hardlink_to(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONA_HOME", str(home))
        Pillow.radial_gradient("L").resize((300, 200)).convert("RGB").save(folder / "zebedee.png")
        lines: list[dict[str, object]] = [{"time": at, "user": user, "assistant": answer} for at, user, answer in TALK]
        lines[1] |= {"images": ["zebedee.png"]}
        (folder / "talk.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        for command in (
            ("import", str(folder / "talk.jsonl")),
            ("update", "--close"),
            ("backup",),
            ("memory", "add", "The quokka Zebedee eats figs.", "--subject", "Wilhelmina"),
            ("chat", "What does Zebedee eat?"),
            ("backup", "--list"),
            ("export", str(folder / "elsewhere.jsonl")),
        ):
            ran = persona(*command)
            assert ran.code == 0, ran.err
    return home


@pytest.fixture
def copy(lived: Path, home: Path) -> Path:
    shutil.copytree(lived, home, copy_function=_copy)
    return home


def _copy(source: str, target: str) -> None:
    # weights are large, and never written
    Path(target).hardlink_to(source) if "/models/" in source else shutil.copy2(source, target)


def files_with(home: Path, *needles: bytes) -> dict[str, list[bytes]]:
    """Return the files of a home that have any of these bytes, in any case; weights aside."""
    found = {}
    for path in home.rglob("*"):
        if path.is_file() and path.parent.name != "models":
            content = path.read_bytes().lower()
            if hits := [needle for needle in needles if needle.lower() in content]:
                found[str(path.relative_to(home))] = hits
    return found


def spellings(*words: str) -> list[bytes]:
    return [word.encode(encoding) for word in words for encoding in ("utf-8", "utf-16-le", "utf-16-be")]


def named(words: str, *kinds: str) -> list[str]:
    """Return the names of the memories that have any of these words."""
    options = [part for kind in kinds for part in ("-k", kind)]
    listed = persona("memory", "list", "--all", "-n", "1000", *options, "--json").json
    return [row["id"] for row in listed if any(word in json.dumps(row) for word in words.split())]


WAYS: dict[str, Callable[[], list[str]]] = {
    "messages": lambda: named("quokka Zebedee Wilhelmina", "message", "semantic"),
    "a person": lambda: ["--about", "Zebedee"],
    "sessions": lambda: ["--session", "m2"],
    "a span of time": lambda: ["--since", "2024-06-01", "--until", "2024-06-30"],
    "everything": lambda: ["--everything"],
}


def test_the_search_finds_what_is_there(copy: Path) -> None:
    found = files_with(copy, *spellings(*WORDS))
    assert "persona.db" in found
    assert sum(name.startswith("backups/") for name in found) >= 1


@pytest.mark.parametrize("way", WAYS)
def test_no_byte_of_it_is_left(way: str, copy: Path) -> None:
    picture = next(path for path in find_places().media.rglob("*") if path.is_file())
    drawn = picture.read_bytes()
    ran = persona("memory", "forget", *WAYS[way](), "--yes")
    assert ran.code == 0, ran.err
    assert "elsewhere.jsonl" in ran.err
    if way in ("sessions", "a span of time"):
        # said by hand and asked another day: of another session, and of another time
        rest = named(" ".join(WORDS), "message", "semantic", "core", "episodic", "procedural")
        assert rest
        assert persona("memory", "forget", *rest, "--yes").code == 0
    assert files_with(copy, *spellings(*WORDS), drawn[100:164], picture.stem.encode()) == {}
    assert not picture.exists()
    if way == "everything":
        assert persona("memory", "list", "--all", "-k", "message", "--json").json == []
        assert not list((copy / "backups").glob("*.db"))
    else:
        assert "theorbo" in persona("memory", "search", "theorbo").out or way in ("sessions", "a span of time")
        assert [path for path in (copy / "backups").glob("*.db") if b"Ghent" in path.read_bytes()]
    ran = persona("doctor")
    assert ran.code == 0, ran.out


def test_a_picture_alone(copy: Path) -> None:
    picture = next(path for path in find_places().media.rglob("*") if path.is_file())
    drawn = picture.read_bytes()
    assert persona("memory", "forget", "i1", "--yes").code == 0
    assert files_with(copy, drawn[100:164], picture.stem.encode()) == {}
    assert "quokka" in persona("memory", "list", "-k", "message").out


def test_one_memory_by_hand(copy: Path) -> None:
    (name,) = named("figs", "semantic")
    assert persona("memory", "forget", name, "--yes").code == 0
    # what the assistant answered from it is named, and goes as it is asked
    for other in named("figs", "message", "episodic", "core", "semantic", "procedural"):
        persona("memory", "forget", other, "--yes")
    assert files_with(copy, *spellings("figs")) == {}


def test_it_is_shown_first_and_a_no_changes_nothing(copy: Path) -> None:
    before = persona("export").out.splitlines()[:-1]
    ran = persona("memory", "forget", "--about", "Zebedee", stdin="n\n")
    assert ran.code == 1
    assert "Zebedee" in ran.out
    assert "Nothing was deleted" in ran.err
    assert persona("export").out.splitlines()[:-1] == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "nothing named"),
        (["m1", "--everything"], "in one way"),
        (["--about", "Nobody"], "nobody called"),
        (["--since", "2031-01-01"], "nothing of that kind"),
        (["m1", "m99", "--yes"], "m99"),
    ],
)
def test_what_cannot_be_forgotten(options: list[str], says: str, copy: Path) -> None:
    ran = persona("memory", "forget", *options)
    assert ran.code == 2
    assert says in ran.error
    assert len(persona("memory", "list", "-k", "message", "--json").json) == 5
