"""`make look`: what a person sees, photographed for the eye: the page, and the chat and the profile in a terminal.

Six weeks of a made-up life (tests/data/luthier.jsonl, pictures drawn here) are told to the program, which learns from
them as from anybody. The distribution's chromium takes the pictures and tmux is the terminal (`apt-get install
chromium tmux`); the screenshots go to the folder that is named.
"""

from __future__ import annotations

import io
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from rich.console import Console
from rich.text import Text

LIFE = Path(__file__).parent / "data" / "luthier.jsonl"
SHOTS = {
    "report.png": ["--window-size=1280,3300"],
    "report-dark.png": ["--window-size=1280,3300", "--blink-settings=preferredColorScheme=0", "--force-dark-mode"],
    "report-narrow.png": ["--window-size=500,5200"],
}
SCREENS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "profile": (("profile",), ()),
    "history": (("profile", "--history"), ()),
    "chat": (("chat",), ("What is my dog called?", "What am I allergic to?")),
}
"""By name the command, and what is typed when it waits."""
_WIDTH, _HEIGHT = 100, 46
_PATIENCE = 300
"""Seconds a screen may take until it stands still."""

Draws = Callable[[ImageDraw.ImageDraw], None]


def main(folder: Path) -> None:
    """Write the page and the screens into `folder`."""
    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if browser is None or shutil.which("tmux") is None:
        sys.exit("chromium and tmux are needed: apt-get install chromium tmux")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["PERSONA_HOME"] = home
        _persona("import", str(_life(folder / "life")))
        page = folder / "report.html"
        _persona("report", "-o", str(page), "--force")
        for name, options in SHOTS.items():
            shoot(browser, page, [f"--screenshot={folder / name}", *options])
        shoot(browser, _printed(page), [f"--screenshot={folder / 'report-print.png'}", "--window-size=900,1270"])
        shoot(browser, page, [f"--print-to-pdf={folder / 'report.pdf'}", "--no-pdf-header-footer"])
        for name, (command, typed) in SCREENS.items():
            drawn = folder / f"{name}.svg"
            drawn.write_text(_as_svg(screen(command, typed), f"persona {' '.join(command)}"), encoding="utf-8")
            shoot(browser, drawn, [f"--screenshot={folder / f'{name}.png'}", f"--window-size={_size_of(drawn)}"])
    for shot in folder.glob("*.png"):
        _reduce(shot)


def shoot(browser: str, page: Path, options: list[str]) -> None:
    """Open the page once, without a window, and write what is asked for."""
    still = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=2000"]
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *still, f"--user-data-dir={profile}", *options, page.resolve().as_uri()]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=300)


def screen(command: Sequence[str], typed: Sequence[str]) -> str:
    """Return what a terminal shows at the end of a command, with its colours as escapes."""
    tmux = ["tmux", "-L", f"persona-look-{os.getpid()}"]
    persona = shlex.join([sys.executable, "-m", "persona_cli", *command])
    size = ["-x", str(_WIDTH), "-y", str(_HEIGHT)]
    try:
        # the terminal stays when the command has ended
        subprocess.run([*tmux, "new-session", "-d", *size, f"{persona}; sleep {_PATIENCE}"], check=True)
        for line in typed:
            _still(tmux)
            subprocess.run([*tmux, "send-keys", "-l", line], check=True)
            subprocess.run([*tmux, "send-keys", "Enter"], check=True)
        return _still(tmux)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def _still(tmux: Sequence[str]) -> str:
    """Return the screen when it has not changed for five seconds."""
    until, last, since = time.monotonic() + _PATIENCE, "", time.monotonic()
    while time.monotonic() < until:
        time.sleep(0.5)
        shown = subprocess.run([*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True).stdout
        if shown != last:
            last, since = shown, time.monotonic()
        elif shown.strip() and time.monotonic() - since > 5:
            break
    return last


def _as_svg(shown: str, title: str) -> str:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown.rstrip()))
    return console.export_svg(title=title)


def _size_of(drawing: Path) -> str:
    """Return the width and height of a drawing as a window has them."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing.read_text(encoding="utf-8"))
    assert box is not None
    return ",".join(str(math.ceil(float(side))) for side in box.groups())


def _printed(page: Path) -> Path:
    """Return a copy of the page that looks on a screen as it does on paper."""
    text = page.read_text(encoding="utf-8").replace("@media print", "@media all")
    copy = page.with_name("report-print.html")
    copy.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text), encoding="utf-8")
    return copy


def _reduce(shot: Path) -> None:
    """Write a screenshot with 256 colours, the rare ones of curves among them: a third of its size."""
    few = Image.open(shot).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(shot, optimize=True)


def _persona(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "persona_cli", *arguments], check=True)


def _life(folder: Path) -> Path:
    """Write the transcript with its pictures, and return where it is."""
    folder.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        picture = Image.new("RGB", (640, 480), (200, 220, 240))
        draw(ImageDraw.Draw(picture))
        picture.filter(ImageFilter.GaussianBlur(1.2)).save(folder / name, quality=88)
    return Path(shutil.copy(LIFE, folder))


def _mill(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 330, 640, 480), fill=(120, 160, 90))
    pen.polygon([(270, 360), (370, 360), (345, 160), (295, 160)], fill=(150, 110, 80))
    for end in ((180, 60), (460, 60), (180, 280), (460, 280)):
        pen.line((320, 170, *end), fill=(90, 60, 40), width=10)


def _dog(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 0, 640, 480), fill=(170, 200, 150))
    pen.ellipse((180, 200, 460, 380), fill=(140, 90, 50))
    pen.ellipse((400, 130, 520, 250), fill=(150, 95, 55))
    pen.ellipse((470, 170, 485, 185), fill=(20, 20, 20))
    for x in (210, 270, 370, 420):
        pen.rectangle((x, 350, x + 25, 440), fill=(120, 80, 45))


def _cake(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 0, 640, 480), fill=(235, 215, 205))
    pen.rectangle((180, 240, 460, 380), fill=(240, 235, 220))
    for x in range(220, 450, 45):
        pen.rectangle((x, 170, x + 8, 240), fill=(200, 60, 60))
        pen.ellipse((x - 2, 150, x + 10, 172), fill=(250, 190, 60))


def _sea(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 240, 640, 480), fill=(50, 100, 150))
    pen.ellipse((260, 140, 380, 260), fill=(240, 160, 80))
    pen.polygon([(400, 320), (500, 320), (470, 350), (420, 350)], fill=(80, 50, 40))
    pen.polygon([(450, 320), (450, 220), (500, 310)], fill=(245, 245, 245))


PICTURES: Mapping[str, Draws] = {"mill.jpg": _mill, "dog.jpg": _dog, "cake.jpg": _cake, "sea.jpg": _sea}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
