"""Pictures of the app's screens for the gallery, of the bundled synthetic cohort.

Needs the development requirements and a Chromium: ``python docs/app_pictures.py docs/gallery`` writes ``app.md`` and
``app/*.png``. `generate.py` writes the page without pictures first, so that the site has it in any case.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH, HEIGHT = 1100, 800
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
TITLES = {"data": "Data", "problems": "Problems", "plan": "Plan", "run": "Run", "curves": "Report: curves",
          "rows": "Report: rows behind a step", "estimates": "Report: estimates", "documents": "Report: documents",
          "share": "Report: what may be shared", "virtual": "Virtual trials", "kinetics": "Kinetics"}  # fmt: skip


@contextmanager
def _started(home: Path) -> Iterator[str]:
    """Start the app with folders of its own, and give its link."""
    own = {"REINFUSE_PROJECTS": str(home / "projects"), "XDG_STATE_HOME": str(home / "state"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "reinfuse.cli", "app", "--no-browser"]
    app = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **own})
    assert app.stdout is not None
    try:
        link = re.search(r"http://\S+", app.stdout.readline())
        assert link is not None
        yield link[0]
    finally:
        app.terminate()
        app.communicate()


def _walk(page: Page) -> Iterator[str]:
    """Go through the app, and stop at each screen."""
    page.wait_for_selector("h1")
    yield "data"
    page.get_by_role("button", name=re.compile("Open: .*synthetic", re.IGNORECASE)).first.click()
    page.wait_for_url("**/p/**")
    base = page.url.rpartition("/")[0]
    for screen in ("problems", "plan"):
        page.goto(f"{base}/{screen}")
        yield screen
    page.get_by_role("button", name="Lock the plan").click()
    page.get_by_role("button", name="Run the analysis").click()
    page.wait_for_selector(".statements", timeout=300_000)
    yield "run"
    page.get_by_role("link", name="Go on: the report").wait_for(timeout=600_000)
    page.goto(f"{base}/report?chart=pfs_by_cart1_cy_flu&until=365")
    yield "curves"
    page.locator("[data-steps] a").nth(6).press("Enter")
    page.wait_for_url("**day=**")
    yield "rows"
    for view in ("estimates&words=hazard", "documents", "share"):
        page.goto(f"{base}/report?view={view}")
        page.wait_for_load_state("networkidle")
        yield view.partition("&")[0]
    for screen, ready in (("virtual", "#outcomes table"), ("kinetics", ".profiles")):
        page.goto(f"{base}/{screen}")
        page.wait_for_selector(ready, timeout=120_000)
        yield screen


def main(gallery: Path) -> None:
    """Write the page and its pictures."""
    from playwright.sync_api import sync_playwright

    folder = gallery / "app"
    folder.mkdir(parents=True, exist_ok=True)
    place = next(filter(None, map(shutil.which, CHROMIUM)), None)
    parts = ["# The app\n\nOf synthetic patients.\n"]
    with TemporaryDirectory() as home, _started(Path(home)) as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(link)
        for name in _walk(page):
            page.screenshot(path=str(folder / f"{name}.png"))
            parts.append(f"## {TITLES[name]}\n\n```{{image}} app/{name}.png\n:alt: {TITLES[name]}\n```\n")
        browser.close()
    (gallery / "app.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
