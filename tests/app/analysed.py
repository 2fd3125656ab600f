"""A small cohort on its way through the app: a plan that asks for little, locked, run and waited for."""

from __future__ import annotations

import time

from cohorts import EIGHT
from helpers import QUICK
from reinfuse.app.project import Project

LITTLE = f"""title = "Ours"
models = []
subgroups = []
[[factors]]
name = "sex"{QUICK}"""


def to_plan(browser, tables=EIGHT, name="Eight"):
    """Send a cohort folder, and return the page of its plan and the project."""
    files = [(f"cohort/{table}.csv", text.encode()) for table, text in tables.items()]
    page = browser.post("open/files", {"folder": name}, files=files)
    assert page.status == 200
    folder = page.path.rsplit("/", 1)[0]
    return browser.get(f"{folder}/plan"), Project(browser.services.project(folder.rsplit("/", 1)[1]).folder)


def locked(browser, page, text=LITTLE):
    """Save a plan's text and lock it; return the page of the run."""
    page = browser.send(page, "plan/text", do="save", text=text)
    return browser.send(page, "plan/text", do="lock", text=text)


def waited(browser, page, part, seconds=120):
    """Return what a part of a screen answers when its job has ended."""
    until = time.monotonic() + seconds
    folder = page.path.rsplit("/", 1)[0]
    while "data-poll" in (answer := browser.get(f"{folder}/{part}")).text:
        assert time.monotonic() < until, answer.words
        time.sleep(0.1)
    return answer
