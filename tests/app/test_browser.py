"""The path from a messy spreadsheet in a real browser: drop, columns, problems; no request leaves this machine, no axe
violation in light and dark, nothing wider than a phone.

Skipped where there is no Chromium; REINFUSE_BROWSER=required makes that an error, as in CI.
"""

from __future__ import annotations

import os
import re
import shutil
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import ClassVar

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


ATTACK = """async (base) => {
    const outcome = (asked) => asked.then((answer) => answer.type, (error) => error.name);
    const all = {credentials: "include"};
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.src = `${base}/`;
    await new Promise((done) => { frame.onload = done; });
    const socket = new WebSocket(`${base.replace("http", "ws")}/`);
    const opened = new Promise((done) => {
        socket.onopen = () => done("open");
        socket.onerror = () => done("error");
    });
    return {
        read: await outcome(fetch(`${base}/`, all)),
        blind: await outcome(fetch(`${base}/`, {...all, mode: "no-cors"})),
        quit: await outcome(fetch(`${base}/quit`, {...all, mode: "no-cors", method: "POST"})),
        socket: await opened,
        frame: frame.contentDocument ? frame.contentDocument.body.innerText : "nothing",
    };
}"""


class Stranger(BaseHTTPRequestHandler):
    """Another server on this machine, and the cookies that the browser sends it."""

    cookies: ClassVar[set] = set()

    def do_GET(self):
        Stranger.cookies.add(self.headers.get("Cookie"))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>x</title><body></body>")

    def log_message(self, *arguments):
        pass


def no_violation(page):
    """Hold a page to the rules of axe."""
    page.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run().then(result => result.violations)")
    wrong = {v["id"]: [n["html"] for n in v["nodes"]] for v in violations}
    assert wrong == {}, wrong


class Person:
    """Somebody at a browser: each page that is looked at is held to the rules of all pages."""

    def __init__(self, chromium, link):
        self.page = chromium.new_page()
        self.requests, self.errors, self.looked_at = [], [], set()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(link)
        self.page.wait_for_selector("h1")

    def look(self):
        """Hold a page to the rules."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            no_violation(self.page)
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


def test_axe_finds_what_is_wrong_on_a_page(chromium):
    page = chromium.new_page()
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src=x><p style='color:#ccc'>faint</p></main>")
    with pytest.raises(AssertionError) as violations:
        no_violation(page)
    assert {"color-contrast", "image-alt"} <= set(re.findall(r"[a-z]+(?:-[a-z]+)+", str(violations.value)))


def test_a_page_on_another_port_of_this_machine_reads_sends_and_frames_nothing(chromium):
    stranger = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    Thread(target=stranger.serve_forever, daemon=True).start()
    with started_app() as (app, link):
        context = chromium.new_context()
        page = context.new_page()
        page.goto(link)
        page.wait_for_selector("h1")
        other = context.new_page()
        statuses = []
        other.on("response", lambda response: statuses.append((response.url, response.status)))
        base = link.partition("/enter")[0]
        other.goto(f"http://127.0.0.1:{stranger.server_address[1]}/")
        assert other.evaluate(ATTACK, base) == {"read": "TypeError", "blind": "TypeError", "quit": "TypeError",
                                                "socket": "error", "frame": "nothing"}  # fmt: skip
        assert {status for url, status in statuses if url.startswith(base)} == {403}
        assert Stranger.cookies == {None}
        assert page.reload().status == 200
        assert app.poll() is None
    stranger.shutdown()
    stranger.server_close()


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
