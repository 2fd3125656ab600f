"""What is answered about clinical records in the app decides on the page, as at import, which patients there are."""

from __future__ import annotations

import re

import pytest
from centre import answers_of, to_columns

from reinfuse.app.project import Project

CDM = {
    "person": """person_id,gender_concept_id,year_of_birth
1,8507,1950
2,8532,1960
3,8507,1970
""",
    "drug_exposure": """person_id,drug_concept_id,drug_exposure_start_date,drug_source_value
1,792844,2020-03-01,Q2041
2,0,2020-04-01,CAR-T CELLS
3,792844,2020-05-01,Q2041
3,0,2021-05-01,CAR-T CELLS
""",
    "observation_period": """person_id,observation_period_end_date,period_type_concept_id
1,2021-03-01,32817
2,2022-04-01,32817
3,2023-05-01,32817
""",
}
ASKED = "q:values.infusion_records.drug CAR-T CELLS|value"


def opened(browser):
    """Send the tables as a browser sends a folder, and return the page with their columns."""
    files = [(f"cdm/{name}.csv", text.encode()) for name, text in CDM.items()]
    return to_columns(browser, browser.post("open/files", {"folder": "cdm"}, files=files))


def counts(page):
    """Return how many patients and infusions the page shows."""
    return tuple(
        int(re.search(rf"{row} · (\d+) filled", page.words)[1]) for row in ("patients, sex", "infusions, date")
    )


@pytest.mark.parametrize(("answer", "after"), [("infusion", (3, 4)), ("no infusion", (2, 2))])
def test_page_and_cohort_follow_what_is_answered_about_records(browser, tmp_path, main, answer, after):
    pytest.importorskip("ibis")
    page = opened(browser)
    words = "2 records of 2 patients, drug CAR-T CELLS"
    assert f"asked about, and counted as infusions until then: {words}" in page.words
    assert counts(page) == (3, 4)

    page = browser.send(page, "/answer", **{ASKED: answer})
    assert counts(page) == after
    assert "counted as infusions until then" not in page.words
    assert (f"dropped, no infusion: {words}" in page.words) == (answer == "no infusion")

    again = browser.send(page, "/again", key=ASKED.removeprefix("q:"))
    assert counts(again) == (3, 4)
    page = browser.send(again, "/answer", **{**answers_of(again), ASKED: answer})
    assert counts(page) == after
    assert browser.send(page, "/import").status == 200

    project = Project((tmp_path / "projects" / "cdm").resolve())
    assert main("import", project.source, "--map", project.map, "--out", tmp_path / "cohort")[0] == 0
    for name, rows in zip(("patients", "infusions"), after, strict=True):
        own = (project.cohort / f"{name}.csv").read_bytes()
        assert own == (tmp_path / "cohort" / f"{name}.csv").read_bytes()
        assert len(own.splitlines()) == 1 + rows


def test_records_that_came_after_the_map_are_refused(browser, tmp_path):
    pytest.importorskip("ibis")
    page = opened(browser)
    page = browser.send(page, "/answer", **{**answers_of(page), ASKED: "infusion"})
    drugs = Project((tmp_path / "projects" / "cdm").resolve()).source / "drug_exposure.csv"
    drugs.write_text(f"{CDM['drug_exposure']}2,0,2021-06-01,car t again\n")
    problems = browser.send(page, "/import")
    assert "1 records of 1 patients that may be infusions are not in the map" in problems.words
    assert "drug car t again" in problems.words
