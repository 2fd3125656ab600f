"""The register of published studies: nothing of what was read is lost, and what is wrong in a folder is refused."""

from __future__ import annotations

import csv
import re
from datetime import date

import pytest

from conftest import SHARED
from reinfuse.evidence import read_register
from reinfuse.exceptions import RegisterRefused

STUDY = """label = "Own 2025"
kind = "cohort"
journal = "unpublished"
year = 2025
doi = "10.1234/own"
diseases = ["CLL"]
construct = "CD19 4-1BB, same product"
antigens = ["CD19"]
reason = "the same product"
read_as = "full text"
read_by = "A. Reader"
read_on = 2026-01-02
review_by = 2027-01-02
"""
FIGURES = "study,endpoint,statistic,value,events,n\nown,cr,proportion,33,3,9\n"
NO_FIGURES = {"title": "title", "status": "status"}
"""What the file of readings holds and is no number: it stands in the file of the study, under this name."""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.toml").write_text(STUDY)
    (tmp_path / "figures.csv").write_text(FIGURES)
    return tmp_path


def counts(poolable):
    return [(f.study, f.events, f.n) for f in poolable.figures]


def problems_of(folder):
    with pytest.raises(RegisterRefused) as refused:
        read_register(folder)
    return {(p.table, p.row, p.column) for p in refused.value.problems}


def test_every_figure_that_was_read_is_in_the_register():
    file = SHARED / "data" / "evidence" / "repeat_infusion_register.csv"
    if not file.is_file():
        pytest.skip("the file of readings is not beside this checkout")
    register = read_register()
    with file.open(encoding="utf-8", newline="") as readings:
        rows = list(csv.DictReader(readings))
    assert len(rows) == 66
    assert {r["study_id"] for r in rows} == {s.name for s in register.studies}
    for row in rows:
        study = register.study(row["study_id"])
        if row["quantity"] in NO_FIGURES:
            assert row["value"] == getattr(study, NO_FIGURES[row["quantity"]])
            continue
        events, n = (int(row[c]) if row[c] else None for c in ("events", "n"))
        values = {float(x) for x in re.findall(r"\d+(?:\.\d+)?", row["value"].replace("HR not printed", ""))}
        held = [f for f in study.figures if (events is None or f.events == events) and (n is None or f.n == n)]
        assert held, row
        assert values <= {x for f in held for x in (f.value, f.lower, f.upper)}, row
        if not values and events is None:
            assert any(f.basis == "not printed" for f in held), row


def test_of_each_study_one_figure_of_all_its_patients_is_pooled():
    register = read_register()
    assert counts(register.poolable("cr")) == [
        ("gauthier2021", 9, 44), ("zuma1_retreatment2020", 4, 13), ("bloodadv2024_2182", 5, 18)
    ]  # fmt: skip
    assert counts(register.poolable("response", disease="NHL")) == [
        ("gauthier2021", 11, 21), ("zuma1_retreatment2020", 7, 13)
    ]  # fmt: skip
    assert counts(register.poolable("CRS", grade=">=3")) == [("gauthier2021", 4, 44), ("zuma1_retreatment2020", 0, 13)]


def test_another_construct_is_pooled_only_when_asked_for_and_left_out_with_its_reason():
    register = read_register()
    reasons = {e.study.name: e.reason for e in register.poolable("cr").excluded}
    assert reasons["bmccancer2022"] == "differs in construct: a humanized CAR after a murine one"
    assert ("bmccancer2022", 13, 19) in counts(register.poolable("cr", across=["construct"]))
    assert {f.study for f in register.figures(endpoint="cr", comparable=True)} == {
        "gauthier2021", "zuma1_retreatment2020", "bloodadv2024_2182", "holland2022"
    }  # fmt: skip


def test_a_centres_own_study_joins(folder):
    register = read_register(folder)
    assert counts(register.poolable("cr", disease="CLL")) == [("gauthier2021", 2, 9), ("own", 3, 9)]
    assert register.study("own").figures[0].diseases == ("CLL",)
    assert [s.name for s in register.stale(date(2027, 1, 3))] == ["own"]
    assert register.stale(date(2027, 1, 2)) == []


def test_of_studies_that_may_share_patients_the_larger_one_is_pooled(folder):
    (folder / "own.toml").write_text(STUDY + 'overlaps = ["gauthier2021"]\n')
    poolable = read_register(folder).poolable("cr", disease="CLL")
    assert counts(poolable) == [("own", 3, 9)]  # both have 9: the later name
    assert [e.study.name for e in poolable.excluded if "larger study" in e.reason] == ["gauthier2021"]


def test_a_retracted_study_is_left_out(folder):
    notice = "study,kind,reference,raised_on\ngauthier2021,retraction,Blood 2027,2027-02-01\n"
    (folder / "notices.csv").write_text(notice)
    register = read_register(folder)
    poolable = register.poolable("cr")
    assert "gauthier2021" not in {f.study for f in poolable.figures}
    assert ("gauthier2021", "retracted") in {(e.study.name, e.reason) for e in poolable.excluded}
    assert [s.name for s in register.alarms()] == ["gauthier2021"]
    assert read_register().alarms() == []


def test_all_that_is_wrong_is_refused_at_once(folder):
    (folder / "own.toml").write_text(
        STUDY.replace('"cohort"', '"series"').replace("2027-01-02", '"soon"').replace("journal", "jurnal")
        + 'doi2 = "x"\n'
    )
    (folder / "figures.csv").write_text(FIGURES.replace("33,3,9", "many,x,9"))
    assert problems_of(folder) >= {
        ("own.toml", None, "jurnal"), ("own.toml", None, "doi2"), ("figures.csv", 1, "value"),
        ("figures.csv", 1, "events")
    }  # fmt: skip
    (folder / "own.toml").write_text(STUDY.replace('"cohort"', '"series"').replace("2027-01-02", '"soon"'))
    assert problems_of(folder) >= {("own.toml", None, "kind"), ("own.toml", None, "review_by")}


@pytest.mark.parametrize(("row", "column"), [
    ("own,cr,proportion,44,3,9", "value"),  # 3 of 9 is 33 percent
    ("own,cr,proportion,,10,9", "events"),
    ("own,orr,proportion,33,3,9", "endpoint"),
    ("own,CRS,proportion,33,3,9", "grade"),
    ("other,cr,proportion,33,3,9", "study"),
    ("own,cr,rate_at,33,,9", "at_days"),
    ("own,cr,proportion,nan,,9", "value"),
    ("own,cr,proportion,33,3,9\nown,cr,proportion,,3,9", "subset"),
    (",cr,proportion,33,3,9", "study"),
])  # fmt: skip
def test_a_figure_that_cannot_be_true_is_refused_with_its_column(folder, row, column):
    (folder / "figures.csv").write_text(f"study,endpoint,statistic,value,events,n\n{row}\n")
    rows = row.count("\n") + 1
    assert ("figures.csv", rows, column) in problems_of(folder)


@pytest.mark.parametrize(("change", "column"), [
    (("own", "10.1182/blood.2020006770"), "doi"),
    (('reason = "the same product"', 'reason = "x"\nis_reference = true'), "is_reference"),
    (("2027-01-02", "2025-01-02"), "review_by"),
    (('["CLL"]', "[]"), "diseases"),
])  # fmt: skip
def test_a_study_that_cannot_be_true_is_refused(folder, change, column):
    text = STUDY.replace("10.1234/own", change[1]) if column == "doi" else STUDY.replace(*change)
    (folder / "own.toml").write_text(text)
    assert ("own.toml", None, column) in problems_of(folder)


def test_a_row_or_column_too_many_is_refused(folder):
    (folder / "figures.csv").write_text(FIGURES.replace("3,9", "3,9,more"))
    assert problems_of(folder) == {("figures.csv", 1, None)}
    (folder / "figures.csv").write_text("study,endpoint,statistic,n,events,n\nown,cr,proportion,9,3,9\n")
    assert problems_of(folder) == {("figures.csv", None, "n")}


def test_a_folder_without_studies_is_refused(tmp_path):
    assert problems_of(tmp_path) == {(None, None, None)}
    assert problems_of(tmp_path / "none") == {(None, None, None)}
