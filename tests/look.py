"""`make look`: the page of a made-up life in headless Chromium, in light, in dark, narrow and printed, for the eye.

The distribution's chromium does it (`apt-get install chromium`); the screenshots go to the folder that is named.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from persona_cli.config import Settings
from persona_cli.memory import open_memory
from persona_cli.paths import find_places
from persona_cli.report.life_page import write_page
from tests.portrayed import NOW, build_life

SHOTS = {
    "report-light.png": ["--window-size=1280,5200"],
    "report-dark.png": ["--window-size=1280,5200", "--blink-settings=preferredColorScheme=0", "--force-dark-mode"],
    "report-narrow.png": ["--window-size=500,7600"],
}


def main(folder: Path) -> None:
    """Write the page and what it looks like into `folder`."""
    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if browser is None:
        sys.exit("no chromium is installed: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    with tempfile.TemporaryDirectory() as home:
        memory = open_memory(find_places(env={"PERSONA_HOME": home}), Settings(), print)
        build_life(memory)
        page.write_text(write_page(memory, NOW), encoding="utf-8")
        memory.close()
    for name, options in SHOTS.items():
        shoot(browser, page, [f"--screenshot={folder / name}", *options])
    shoot(browser, page, [f"--print-to-pdf={folder / 'report.pdf'}", "--no-pdf-header-footer"])


def shoot(browser: str, page: Path, options: list[str]) -> None:
    """Open the page once, without a window, and write what is asked for."""
    still = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=2000"]
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *still, f"--user-data-dir={profile}", *options, page.resolve().as_uri()]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=300)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
