"""The path from a messy spreadsheet in a real browser: drop, columns, problems; no request leaves this machine, no axe
violation in light and dark, nothing wider than a phone.

Skipped where there is no Chromium; REINFUSE_BROWSER=required makes that an error, as in CI.
"""

from __future__ import annotations

import os
import shutil
from base64 import b64encode
from importlib.resources import files
from pathlib import Path

import pytest
from centre import ANSWERS, MENDED, messy_sheet
from started import started_app

PLACES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (390, 1280, 1920)


def lacking(reason):
    if os.environ.get("REINFUSE_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def chromium():
    """Return a Chromium: that of the system, or playwright's own."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("playwright is not installed")
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, PLACES)), None) or playwright.chromium.executable_path
        if not Path(path).exists():
            lacking("there is no Chromium on this machine")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Person:
    """Somebody at a browser: each page that is looked at is held to the rules of all pages."""

    def __init__(self, chromium, link):
        self.page = chromium.new_page()
        self.requests, self.errors, self.looked_at = [], [], set()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._axe = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        self.page.goto(link)
        self.page.wait_for_selector("h1")

    def look(self):
        """Hold a page to the rules."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.page.evaluate(self._axe)
            violations = self.page.evaluate("axe.run().then(result => result.violations)")
            assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations] == []
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width
        self.looked_at.add(self.page.url.rpartition("/")[2])

    def drop(self, path):
        """Drop a file on the page."""
        transfer = self.page.evaluate_handle("""([name, content]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""", [path.name, b64encode(path.read_bytes()).decode()])  # fmt: skip
        self.page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})

    def answer(self):
        """Answer every question of the page with the columns."""
        names = self.page.eval_on_selector_all("[name^='q:']", "all => [...new Set(all.map(e => e.name))]")
        for name in names:
            answer, field = ANSWERS.get(name.removeprefix("q:"), "yes"), self.page.locator(f'[name="{name}"]')
            if field.first.get_attribute("type") == "radio":
                self.page.check(f'[name="{name}"][value="{answer}"]')
            else:
                field.fill(answer)


def test_a_messy_spreadsheet_becomes_a_cohort(chromium, tmp_path):
    sheet = messy_sheet(tmp_path)
    with started_app() as (_, link):
        person = Person(chromium, link)
        page = person.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        person.look()
        person.drop(sheet)
        page.wait_for_url("**/data")
        person.look()
        page.click("text=Go on: Columns")
        page.wait_for_url("**/columns")
        person.look()
        person.answer()
        page.click("text=Save answers")
        page.wait_for_selector("text=Nothing is open")
        page.click("text=Import the cohort")
        page.wait_for_url("**/problems")
        person.look()
        for place, (old, new) in MENDED.items():
            form = page.locator("form.cell").filter(has=page.locator(f'input[name=row][value="{place[0]}"]'))
            assert form.locator("[name=new]").input_value() == old
            form.locator("[name=new]").fill(new)
            form.locator("[name=new]").press("Enter")
            page.wait_for_load_state()
        page.wait_for_selector("text=The data can be analysed")
        person.look()
        page.click("text=Close reinfuse")
        page.wait_for_selector("text=reinfuse is closed")
        person.look()
    origin = link.partition("/enter")[0].rpartition("/")[0]
    assert {url for url in person.requests if not url.startswith(f"{origin}/")} == set()
    assert person.errors == []
    assert {"", "data", "columns", "problems", "quit"} <= person.looked_at
