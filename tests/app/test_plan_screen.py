"""The screen where a plan is chosen by totals and locked: no outcome by any factor, every change on record."""

from __future__ import annotations

import hashlib
import re
import tomllib

import pytest
from analysed import LITTLE, locked, to_plan, waited

from cohorts import EIGHT
from reinfuse.app.analysis_state import plan_text
from reinfuse.app.project import project_of
from reinfuse.data import datasets
from reinfuse.study.plan_lock import note_results


@pytest.fixture
def plan(browser):
    return to_plan(browser)


def cells(page, table):
    """Return the rows of a table of the page, by its region's name, as texts."""
    text = page.text.partition(f'aria-label="{table}"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL)
    return [[re.sub(r"<[^>]+>", " ", c).split() for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.DOTALL)]
            for r in rows]  # fmt: skip


def test_endpoints_have_totals_and_events_per_effect(plan):
    page, _ = plan
    rows = {" ".join(r[0]): [" ".join(c) for c in r[1:]] for r in cells(page, "Endpoints with totals")[1:]}
    assert rows["Overall response"] == ["8", "5", "2", "2.5 few"]
    assert rows["Progression-free survival"] == ["8", "6", "2", "3.0 few"]
    assert "2 yes" not in page.words


def test_factors_show_levels_and_missing_values_and_later_screens_are_closed(plan):
    page, _ = plan
    assert "Cy-Flu before CART1 no 4 · yes 3 · 1 missing" in page.words
    assert "Age median 55, 27 to 70.5 · 1 missing" in page.words
    assert "Run (later)" in page.words
    assert "Report (later)" in page.words


def test_no_outcome_by_any_factor_is_on_the_page(browser, plan):
    """Whoever of two patients had which outcome: when they exchange a factor, nothing on the page changes."""
    exchanged = EIGHT["patients"].replace("NHL,FL,F,", "NHL,FL,?,").replace("CLL,CLL,M,66", "CLL,CLL,F,66")
    other, _ = to_plan(browser, {**EIGHT, "patients": exchanged.replace("NHL,FL,?,", "NHL,FL,M,")}, name="Eight")

    def without_project(page):
        return re.sub(r"p/[0-9a-f]{16}|value=\"[0-9a-f]{16}\"|Eight(-2)?", "", page.text)

    assert without_project(other) == without_project(plan[0])


def test_ticks_become_the_plan_s_file_and_the_rest_of_it_stays(browser, plan):
    page, project = plan
    page = browser.send(page, "plan/text", do="save", text="seed = 7\n[rules]\numrd_day = 30\n")
    page = browser.send(page, "plan/choose", do="save", title="Ours", factor=["sex", "age_years", "diagnosis"],
                        model=["pfs sex", "pfs age_years", "os bulky"], subgroup=["sex"])  # fmt: skip
    settings = tomllib.loads(project.plan.read_text())
    assert settings["factors"] == [{"name": "sex"}, {"name": "age_years", "per": 10.0}, {"name": "diagnosis"}]
    assert settings["models"] == [{"endpoint": "pfs", "factors": ["sex", "age_years"]}]
    assert (settings["subgroups"], settings["seed"], settings["rules"]) == (["sex"], 7, {"umrd_day": 30})
    assert page.status == 200


def test_a_number_of_one_s_own_is_cut_where_the_form_says(browser, plan):
    page, project = plan
    assert re.search(r"LDH median [0-9.]+, [0-9.]+ to [0-9.]+ · [0-9] missing", page.words)
    wrong = browser.send(page, "plan/choose", do="save", factor=["LDH"], **{"above:LDH": "high"})
    assert (wrong.status, "is no number" in wrong.words) == (422, True)
    browser.send(page, "plan/choose", do="save", factor=["LDH"], **{"above:LDH": "240"})
    assert tomllib.loads(project.plan.read_text())["factors"] == [{"name": "LDH", "column": "LDH", "above": 240.0}]


def test_at_the_first_infusion_factors_of_a_second_one_are_left_out(browser, plan):
    page, project = plan
    browser.send(page, "plan/choose", do="save", index="1")
    names = [f["name"] for f in tomllib.loads(project.plan.read_text())["factors"]]
    assert "cart2_cy_flu" not in names
    assert "cart1_cy_flu" in names


def test_what_cannot_be_followed_is_told_and_nothing_is_written(browser, plan):
    page, project = plan
    wrong = browser.send(page, "plan/text", do="lock", text='titel = "x"\n')
    assert (wrong.status, "did you mean" in wrong.words) == (422, True)
    fits_not = browser.send(page, "plan/text", do="lock", text="index_infusion = 4\n")
    assert (fits_not.status, "no patient has an infusion 4" in fits_not.words) == (422, True)
    assert not project.plan.exists()


def test_a_plan_that_does_not_fit_is_shown_with_what_is_wrong_and_can_be_mended(browser, plan):
    page, project = plan
    page = browser.send(page, "plan/text", do="save", text="index_infusion = 4\n")
    assert "no patient has an infusion 4" in page.words
    page = browser.send(page, "plan/choose", do="save", index="2")
    assert "Endpoint Patients Events" in page.words
    assert tomllib.loads(project.plan.read_text())["index_infusion"] == 2


def test_a_locked_plan_shows_its_digest_and_that_it_is_no_proof(browser, plan):
    page, project = plan
    page = locked(browser, page)
    assert page.path.endswith("/run")
    assert project.plan.read_text() == LITTLE
    page = browser.get(page.path.replace("/run", "/plan"))
    assert hashlib.sha256(LITTLE.encode()).hexdigest() in page.words
    assert "a record, not a proof" in page.words


def test_a_change_of_a_locked_plan_needs_a_reason_and_is_listed(browser, plan):
    page, project = plan
    locked(browser, page)
    page = browser.get(page.path)
    refused = browser.send(page, "plan/text", do="lock", text=LITTLE.replace("Ours", "Theirs"))
    assert (refused.status, "without a reason" in refused.words) == (422, True)
    assert project.plan.read_text() == LITTLE
    note_results(project.plan)
    page = browser.send(page, "plan/text", do="save", text=LITTLE.replace("Ours", "Theirs"), reason="a slip")
    page = browser.get(page.path)
    assert "after results had been seen" in page.words
    assert "title: Ours → Theirs. Reason: a slip." in page.words


def test_a_plan_changed_by_another_program_is_told(browser, plan):
    page, project = plan
    run = locked(browser, page)
    project.plan.write_text(LITTLE.replace("Ours", "Theirs"))
    assert "changed by another program" in browser.get(page.path).words
    assert "changed by another program" in browser.get(run.path).words


def test_an_older_page_changes_no_plan(browser, plan):
    page, project = plan
    browser.send(page, "plan/text", do="save", text='title = "One"\n')
    assert browser.send(page, "plan/text", do="save", text='title = "Two"\n').status == 409
    assert "One" in project.plan.read_text()


def test_power_tells_no_outcome_of_any_factor(browser, plan):
    page, _ = plan
    page = browser.send(page, "plan/text", do="save", text='models = []\n[[factors]]\nname = "sex"\n')
    page = browser.send(page, "plan/power")
    waited(browser, page, "plan/power")
    page = browser.get(page.path)
    head = [" ".join(c) for c in cells(page, "Power of this cohort")[0]]
    assert "Power at a ratio of 3" in head
    assert not {"n", "Events"} & set(head)
    assert "--draws 200" in page.words


def test_a_plan_that_came_with_the_data_is_told_and_a_stray_one_is_not_taken(browser, tmp_path):
    page = browser.post("open/bundled", {"name": "sheih_2020"})
    page = browser.get(page.path.rpartition("/")[0] + "/plan")
    assert "came with the data" in page.words
    assert "CART1 dose" in page.words
    (tmp_path / "plan.toml").write_text('title = "Stray"')
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes((datasets()["sheih_2020"].path / "sheet.csv").read_bytes())
    assert plan_text(project_of(sheet)) == ""
