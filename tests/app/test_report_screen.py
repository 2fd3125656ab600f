"""The screens of a run and its report: what the app saved, from a curve to the rows, estimates, documents, sharing."""

from __future__ import annotations

import os
import re
from html import unescape

import pytest
from analysed import LITTLE, locked, to_plan, waited
from asgi_client import Browser
from test_security import HOSTILE

from cohorts import EIGHT
from reinfuse.study.plan_lock import locked_plan

FACTORS = LITTLE.replace('name = "sex"', 'name = "sex"\n[[factors]]\nname = "site"\ncolumn = "site"')


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A browser before the report of eight patients, one column of whom holds markup, and their project."""
    folder = tmp_path_factory.mktemp("ran")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REINFUSE_PROJECTS", str(folder / "projects"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        rows = EIGHT["patients"].splitlines()
        quoted = '"' + HOSTILE.replace('"', '""') + '"'
        sited = [f"{rows[0]},site", *(f"{r},{quoted if k % 2 else 'Seattle'}" for k, r in enumerate(rows[1:]))]
        browser = Browser()
        page, project = to_plan(browser, {**EIGHT, "patients": "\n".join(sited) + "\n"})
        page = browser.send(locked(browser, page, FACTORS), "run/start")
        assert waited(browser, page, "run/progress").words == "The analysis is complete."
        yield browser, page.path.rsplit("/", 1)[0], project
        browser.services.tasks.end()
        browser.services.uploads.remove()


@pytest.fixture
def report(ran):
    browser, folder, _ = ran
    return lambda query="": browser.get(f"{folder}/report{query}")


def test_what_the_app_saved_is_what_the_command_line_writes_to_the_byte(ran, main, tmp_path, sharp_pixels):
    browser, folder, project = ran
    shown = unescape(re.search(r"<pre[^>]*><code>(.*?)</code>", browser.get(f"{folder}/run").text, re.DOTALL)[1])
    place, command = shown.splitlines()
    assert place == f"cd {project.folder}"
    assert command == "reinfuse analyze source --plan plan.toml --out results"
    out = tmp_path / "out"
    status, _, errors = main(*command.split()[1:-1], out, cwd=project.folder)
    files = sorted(p.relative_to(out) for p in out.rglob("*") if p.is_file())
    assert (status, errors) == (0, "")
    assert files == sorted(p.relative_to(project.results) for p in project.results.rglob("*") if p.is_file())
    assert [str(f) for f in files if (out / f).read_bytes() != (project.results / f).read_bytes()] == []


def test_the_process_of_a_run_has_given_its_memory_back(ran):
    browser, _, project = ran
    assert browser.services.tasks._workers[project.id, "analysis"]._process.poll() == 0


def test_results_are_on_record_as_shown_and_of_the_plan(ran, report):
    browser, folder, project = ran
    assert locked_plan(project.plan).results_since
    assert "by the plan as it is now" in browser.get(f"{folder}/run").words
    text = project.plan.read_text()
    project.plan.write_text(text.replace("Ours", "Theirs"))
    try:
        assert "by an earlier plan" in browser.get(f"{folder}/run").words
        assert "of an earlier plan" in report().words
    finally:
        project.plan.write_text(text)


def test_each_step_says_day_estimate_interval_at_risk_and_events(report):
    page = report()
    steps = re.findall(r'class="step"[^>]*aria-label="([^"]*)"', page.text)
    assert len(steps) == 6
    assert all(re.fullmatch(r"Day [\d.]+: \d+% \((95% CI \d+% to \d+%|no interval)\), \d at risk, \d events?, "
                            r"\d censored", s) for s in steps)  # fmt: skip
    assert "8 patients, 6 events" in page.words


def test_every_step_of_every_curve_leads_to_rows_that_add_up(report):
    page, seen = report(), 0
    for chart in re.findall(
        r'<option value="([a-z_]+)"', page.text.partition('name="chart"')[2].partition("</select>")[0]
    ):
        links = re.findall(r'<a href="[^"]*(\?view=curves[^"]*)#rows" class="step', report(f"?chart={chart}").text)
        for link in map(unescape, links[::3]):
            words = report(link).words
            assert "do not agree" not in words
            assert re.search(r"P\d: (event|censored)", words) or (on_day(words) or "").endswith("site"), words
            assert re.search(r"(infusions|patients|responses|therapies), row \d", words)
            seen += 1
    assert seen > 20


def on_day(words):
    found = re.search(r"Day [\d.]+, (.*?) Day", words)
    return found and found[1]


def test_a_step_opens_the_row_that_decided_it_with_the_arithmetic(report):
    """P2 died on day 420, 300 days after the infusion on day 120: S = S before x (1 - 1 / at risk)."""
    page = report(
        "?view=curves&chart=os&curve=0&day="
        + re.search(r"chart=os&amp;[^\"]*day=([\d.]+)", report("?chart=os").text)[1]
    )
    assert re.search(r"S\([\d.]+\) = 1\.0000 × \(1 − 1/8\) = 0\.8750", page.words)
    assert re.search(r"P\d: event on day \d+ day \d+ − day \d+ = \d+ days infusions, row \d+", page.words)


def test_data_that_changed_since_are_not_shown_as_what_was_analysed(ran, report):
    _, _, project = ran
    link = unescape(re.search(r'<a href="[^"]*(\?view=curves[^"]*)#rows" class="step', report().text)[1])
    table = project.source / "responses.csv"
    text = table.read_text()
    table.write_text(text + "\n")
    try:
        assert "the data are not those that were analysed" in report(link).words
    finally:
        table.write_text(text)
    assert "not those that were analysed" not in report(link).words


def test_estimates_are_filtered_by_analysis_endpoint_and_words(report):
    page = report("?view=estimates")
    total = int(re.search(r"(\d+) of (\d+) estimates", page.words)[2])
    few = report("?view=estimates&endpoint=pfs&words=hazard+univariable")
    n, of = map(int, re.search(r"(\d+) of (\d+) estimates", few.words).groups())
    assert (of, 0 < n < 10) == (total, True)
    assert re.search(r"Sex: (M vs F|F vs M) \(univariable\) hazard ratio", few.words)
    assert "0 of" in report("?view=estimates&words=nothinglikethis").words


def test_documents_are_framed_without_scripts_and_saved_as_they_are(ran, report):
    browser, folder, project = ran
    page = report("?view=documents")
    frame = re.search(r'<iframe src="([^"]*)" sandbox', page.text)[1]
    framed = browser.get(frame)
    assert framed.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert framed.text == (project.results / "report.html").read_text()
    for name in ("report.docx", "report.pdf", "supplement.docx", "brief.pdf", "estimates.csv"):
        saved = browser.get(f"{folder}/report/document/{name}?save=yes")
        assert saved.body == (project.results / name).read_bytes()
        assert saved.headers["content-disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    "name", ["../plan.toml", "..%2fplan.toml", "nothing.html", "figures/km_os.svg", "reinfuse.manifest.json"]
)
def test_nothing_but_documents_is_served(ran, name):
    browser, folder, _ = ran
    assert browser.get(f"{folder}/report/document/{name}").status in (404, 422)


def test_sharing_eight_patients_is_refused_with_the_reason_and_with_three_shown_as_a_preview(ran, report):
    _, _, project = ran
    assert "has fewer than 11 patients" in report("?view=share").words
    page = report("?view=share&smallest=3")
    assert re.search(r"\d+ of \d+ estimates are not shown", page.words)
    assert "patients.csv single patients 1" in page.words
    assert not project.results.with_name("results-shared").exists()
    assert not any(p.name == "releases.jsonl" for p in os.scandir(os.environ["REINFUSE_RELEASES"]))


def test_markup_in_cells_and_levels_is_text_on_every_view(ran, report):
    browser, folder, _ = ran
    views = [report("?chart=pfs_by_site"), report("?chart=pfs_by_site&curve=0&day=60"), report("?view=estimates"),
             report("?view=share&smallest=3"), browser.get(f"{folder}/plan"), browser.get(f"{folder}/run")]  # fmt: skip
    assert "&lt;img src=x onerror" in views[0].text
    assert all("<img src=x" not in page.text and "<script>alert" not in page.text for page in views)


def test_without_a_locked_plan_no_report_is_shown(ran, report):
    browser, _, project = ran
    record = project.folder / "plan.record.toml"
    record.rename(record.with_suffix(".aside"))
    try:
        page = browser.followed(report())
        assert page.path.endswith("/data")
        assert "Report (later)" in page.words
    finally:
        record.with_suffix(".aside").rename(record)
