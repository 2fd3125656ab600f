"""Published studies beside a cohort: in the records, the report, the brief and what is shared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from helpers import write_folder
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses import published_studies
from reinfuse.analyses.published_studies import published
from reinfuse.cohort.strata import level_of
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure.suppression import suppressed
from reinfuse.evidence import read_register
from reinfuse.exceptions import PlanRefused, RegisterRefused
from reinfuse.report.analyses.published_studies import SHOWN
from reinfuse.report.brief.content import brief
from reinfuse.report.brief.published import OtherStudies
from reinfuse.report.sections.contents import documents
from reinfuse.report.tables.study_tables import StudyTables
from test_cli import GOOD

OWN = """label = "Own 2024"
kind = "cohort"
journal = "unpublished"
year = 2024
diseases = ["ALL", "CLL", "NHL"]
construct = "CD19 4-1BB, same product"
antigens = ["CD19"]
reason = "the same product"
read_as = "full text"
read_by = "A. Reader"
read_on = 2024-01-02
review_by = 2025-01-02
"""
NOTICE = "study,kind,reference,raised_on\ngauthier2021,retraction,Blood 2027;149:600,2027-02-01\n"


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(datasets()[DEMO].path)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / "figures.csv").write_text("study,endpoint,statistic,events,n\nown,cr,proportion,3,9\n")
    return tmp_path


def findings_of(cohort, **evidence):
    plan = Plan.of({"evidence": {k: [str(x) for x in v] for k, v in evidence.items()}})
    return Study(cohort, plan).only(published_studies.NAME, "response", "toxicity", "flow")


def proportions(findings, endpoint, population="all"):
    place = ("published", endpoint, population, "proportion")
    return {level_of(e.group): (e.events, e.n) for e in findings.estimates
            if (e.analysis, e.endpoint, e.population, e.statistic) == place}  # fmt: skip


def test_numbers_are_those_of_the_register(cohort):
    findings = findings_of(cohort)
    studies = {"Gauthier 2021": (9, 44), "ZUMA-1 retreatment (Locke 2020)": (4, 13), "Blood Adv 2024": (5, 18)}
    assert proportions(findings, "cr") == studies
    assert proportions(findings, "cr", "diagnosis=CLL") == {"Gauthier 2021": (2, 9)}
    assert proportions(findings, "umrd_day28") == {}
    (one,) = [e for e in findings.estimates if e.analysis == "published" and e.term == "CRS" and e.population == "all"
              and e.group == "study=Gauthier 2021" and e.statistic == "proportion"]  # fmt: skip
    assert (one.events, one.n, one.level) == (4, 44, ">=3")
    assert (round(one.lower, 4), round(one.upper, 4)) == (0.0253, 0.2167)  # R: binom.test(4, 44)


def test_the_cohort_is_placed_among_what_a_further_study_may_show(cohort):
    findings = findings_of(cohort)
    (mean,) = [e for e in findings.estimates if e.endpoint == "cr" and e.statistic == "pooled_proportion"]
    assert (round(mean.estimate, 4), mean.events, mean.n) == (0.24, 18, 75)  # 18 of 75: tau is 0
    assert "cannot establish" in mean.note
    (place,) = [e for e in findings.estimates if e.endpoint == "cr" and e.statistic == "expected_events"]
    assert (place.analysis, place.events, place.n) == ("published_position", 9, 44)
    assert place.lower <= 9 <= place.upper
    (sentence,) = [t for t in SHOWN.text(StudyTables(findings)) if t.startswith("Complete response")]
    assert sentence.startswith("Complete response: 20% to 31% in 3 studies of 75 patients; pooled 24% (13% to 39%); ")
    assert sentence.endswith(f"9 of 44 (20%), within what is expected of as many patients of a further study "
                             f"({place.lower:.0f} to {place.upper:.0f}).")  # fmt: skip
    assert not any(e.analysis == "published_position" for e in suppressed(findings, 11)[0].estimates)


def test_a_cohort_of_one_diagnosis_is_shown_beside_patients_of_that_diagnosis(cohort):
    inputs = Study(cohort, Plan.built_in())._inputs()
    only = inputs.data.frame["diagnosis"] == "NHL"
    data = replace(inputs.data, frame=inputs.data.frame.filter(only), populations={"all": only.to_numpy()[only]})
    assert "The mix of diagnoses" in " ".join(SHOWN.text(StudyTables(findings_of(cohort))))
    records = published(replace(inputs, data=data), read_register(), on=date(2026, 11, 29))
    assert {(e.events, e.n) for e in records if e.endpoint == "cr" and e.statistic == "proportion"} == {
        (4, 21),
        (4, 13),
    }


def test_studies_of_a_folder_are_shown_and_stale_ones_say_so(cohort, folder):
    findings = findings_of(cohort, registers=[folder])
    assert proportions(findings, "cr")["Own 2024"] == (3, 9)
    text = " ".join(SHOWN.text(StudyTables(findings)))
    assert "This evidence is stale and may have changed: Own 2024." in text
    assert "read between 2024-01-02 and 2026-11-28; the first is to be read again by 2025-01-02" in text
    sentence = brief_of(findings)
    assert sentence == ("In 4 other studies, which we read on January 2, 2024, all signs of the cancer went away in 20 "
                        "to 33 of every 100 people. It is time to read them again. What is known may have changed."
                        )  # fmt: skip


def brief_of(findings, language="en"):
    return " ".join(block.text for block in OtherStudies(findings, language).published())


def test_a_retraction_of_the_reference_study_is_told_wherever_its_numbers_were(cohort, folder):
    (folder / "notices.csv").write_text(NOTICE)
    findings = findings_of(cohort, registers=[folder])
    assert "Gauthier 2021" not in proportions(findings, "cr")
    excluded = {level_of(e.group): e.note for e in findings.estimates if e.statistic == "excluded"}
    assert excluded["Gauthier 2021"] == "retracted"
    texts = list(SHOWN.text(StudyTables(findings)))
    assert texts[0] == ("Gauthier 2021: retraction: Blood 2027;149:600. Do not rely on figures of this study.")
    table = next(t for t in SHOWN.tables(StudyTables(findings)) if t.name == "studies_cr")
    assert "Not pooled: Gauthier 2021 (retracted)" in table.notes
    assert "One study was taken back by those who had put it out." in brief_of(findings)
    assert "lo retiraron" in brief_of(findings, "es")
    alarm = "Gauthier 2021 was retracted (Blood 2027;149:600): do not rely on what is cited from it."
    assert all(one.banners.count(alarm) == 1 for one in documents(findings, ()).values())
    assert not any("retracted" in " ".join(one.banners) for one in documents(findings_of(cohort), ()).values())


def test_one_s_own_patients_are_not_counted_twice(cohort):
    findings = findings_of(cohort, leave_out=["gauthier2021"])
    assert set(proportions(findings, "cr")) == {"ZUMA-1 retreatment (Locke 2020)", "Blood Adv 2024"}
    with pytest.raises(PlanRefused, match="did you mean 'gauthier2021'"):
        findings_of(cohort, leave_out=["gautier2021"])


def test_across_constructs_only_where_the_plan_asks(cohort):
    assert proportions(findings_of(cohort, across=["construct"]), "cr")["BMC Cancer 2022"] == (13, 19)


def test_a_folder_that_is_not_there_is_refused_before_anything_is_estimated(cohort, tmp_path):
    with pytest.raises(RegisterRefused, match="no such folder"):
        findings_of(cohort, registers=[tmp_path / "none"])


def test_folders_are_those_beside_the_plan(tmp_path):
    (tmp_path / "plan.toml").write_text('[evidence]\nregisters = ["ours"]\n')
    assert Plan.load(tmp_path / "plan.toml").evidence.registers == (str(tmp_path / "ours"),)


def test_published_numbers_may_leave_but_not_those_of_a_centre_s_own_folder(cohort, folder):
    shared = suppressed(findings_of(cohort), 11)[0]
    assert proportions(shared, "cr")["ZUMA-1 retreatment (Locke 2020)"] == (4, 13)
    own = suppressed(findings_of(cohort, registers=[folder]), 11)[0]
    assert not any(e.analysis == "published" for e in own.estimates)


@pytest.mark.parametrize("diagnosis", ["myeloma", "AML"])
def test_a_cohort_of_other_diseases_is_not_compared(tmp_path, diagnosis):
    tables = {name: text.replace("CLL", diagnosis).replace("NHL", "other") for name, text in GOOD.items()}
    assert diagnosis in tables["patients"]
    findings = Study(read_cohort(write_folder(tmp_path, **tables)), Plan.built_in()).only(
        published_studies.NAME, "response", "flow"
    )
    assert not any(e.analysis.startswith("published") for e in findings.estimates)


def test_nothing_is_said_where_nothing_is_comparable(tmp_path):
    cohort = read_cohort(write_folder(tmp_path, **GOOD))
    first = Study(cohort, Plan.built_in(1)).only(published_studies.NAME, "response", "flow")
    assert not any(e.analysis == "published" for e in first.estimates)
    assert brief_of(first) == ""
    assert list(SHOWN.text(StudyTables(first))) == []
    assert "other studies" not in str(brief(first))
