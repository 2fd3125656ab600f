"""From a messy spreadsheet to a saved Word report in a real browser: plan, run, report, virtual trials, kinetics; the
curve by keyboard alone; no request leaves this machine, no axe violation, nothing wider than a phone."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZipFile

import pytest
from analysed import LITTLE
from asgi_client import Browser
from centre import MENDED, messy_sheet, to_problems
from started import started_app
from test_browser import Person, chromium  # noqa: F401  a fixture

from reinfuse.app.project import Project
from reinfuse.runtime import extras


@pytest.fixture
def project(tmp_path):
    """Return a project of a messy sheet whose columns are known and whose errors are mended."""
    browser = Browser()
    page = to_problems(browser, messy_sheet(tmp_path))
    for (row, column), (_, new) in MENDED.items():
        form = next(f for f in page.forms if (f["fields"].get("row"), f["fields"].get("column")) == (row, column))
        fields = {"new": new, "reason": "typing error", "decision": "correct"}
        page = browser.post(form["action"], {**form["fields"], **fields})
    page = browser.send(page, "/accept")
    browser.services.uploads.remove()
    return Project(browser.services.project(page.path.split("/")[-2]).folder)


def planned(person):
    """Lock a small plan by its text."""
    page = person.page
    page.wait_for_url("**/plan")
    person.look()
    page.locator("summary", has_text="The plan as text").click()
    page.fill("#plan-text", LITTLE.replace("kinetics = false", ""))
    page.get_by_role("button", name="Save the draft").last.click()
    page.wait_for_load_state()
    page.get_by_role("button", name="Lock the plan").click()
    page.wait_for_url("**/run")


def ran(person):
    page = person.page
    person.look()
    page.get_by_role("button", name="Run the analysis").click()
    page.wait_for_selector("progress")
    page.get_by_role("link", name="Go on: the report").wait_for(timeout=120_000)
    page.get_by_role("link", name="Go on: the report").click()


def walked_to_the_rows(person):
    """Reach a step of the curve with the keyboard, hear it, and open its rows: the cell of the centre's own sheet."""
    page = person.page
    page.wait_for_selector("[data-steps]")
    page.locator("[data-steps] a[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    heard = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert re.fullmatch(r"Day \d+: \d+% \(95% CI \d+% to \d+%\), \d at risk, \d events?, \d censored", heard)
    assert page.locator("[data-tell-here]").inner_text() == heard
    assert page.locator("[data-steps] a[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**day=**")
    assert "tracking.xlsx, CART pts 2019-24" in page.locator("#rows").inner_text()
    person.look()


def saved_word(person):
    """Read the report in its frame, and save it as Word."""
    page = person.page
    page.get_by_role("link", name="Documents").click()
    page.frame_locator("iframe").get_by_role("heading", name="Ours").first.wait_for()
    person.look()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save Word: Report").click()
    return download.value.path().read_bytes()


def test_a_cohort_becomes_a_report_that_is_saved_as_word(project, chromium):  # noqa: F811
    with started_app(project.folder) as (_, link):
        person = Person(chromium, link)
        page = person.page
        page.get_by_role("link", name="Plan").click()
        planned(person)
        ran(person)
        walked_to_the_rows(person)
        word = saved_word(person)
        for view in ("estimates", "share"):
            page.get_by_role("link", name=view.capitalize(), exact=True).click()
            page.wait_for_url(f"**view={view}")
            person.look()
        page.get_by_role("link", name="Kinetics").click()
        page.wait_for_url("**/kinetics")
        person.look()
        page.get_by_role("link", name="Virtual trials").click()
        page.wait_for_url("**/virtual")
        if all(map(extras._present, extras.MODULES["virtual"])):
            page.wait_for_selector("#outcomes table", timeout=60_000)
            before = page.locator("#outcomes table").inner_text()
            page.locator("input[name=dose2-A]").press("End")
            page.wait_for_function("before => document.querySelector('#outcomes table')?.innerText !== before && "
                                   "document.querySelector('#outcomes table')", arg=before)  # fmt: skip
        person.look()
    assert word == (project.results / "report.docx").read_bytes()
    assert "Progression-free survival" in ZipFile(BytesIO(word)).read("word/document.xml").decode()
    origin = link.partition("/enter")[0].rpartition("/")[0]
    assert {url for url in person.requests if not url.startswith(f"{origin}/")} == set()
    assert person.errors == []
