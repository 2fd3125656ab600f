"""The folder that may leave the centre: what is in it, what is not, and what is refused."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pypdf
import pytest

from helpers import plain, read
from reinfuse import Plan, Study
from reinfuse.disclosure import Removed
from reinfuse.errors import CohortRefused, OutputRefused, ShareRefused
from reinfuse.findings import Findings
from reinfuse.share import is_telling, share

DATE = re.compile(r"(?<!\d)(19|20)\d\d-[01]\d-[0-3]\d(?!\d)")


@pytest.fixture(scope="module")
def results(demo_findings, tmp_path_factory):
    return demo_findings.save(tmp_path_factory.mktemp("share") / "results")


@pytest.fixture(scope="module")
def shared(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "out"
    return folder, share(results, folder)


def texts(folder: Path) -> dict[str, str]:
    """Return every text of a folder: files, parts of Word documents, pages of PDFs."""
    found = {}
    for path in (p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".docx":
            with ZipFile(path) as parts:
                found |= {f"{path.name}/{n}": parts.read(n).decode() for n in parts.namelist()
                          if n.endswith(".xml") and "core" not in n}  # fmt: skip
        elif path.suffix == ".pdf":
            reader = pypdf.PdfReader(path)
            found[path.name] = "\n".join(p.extract_text() for p in reader.pages) + str(reader.metadata)
        elif path.suffix != ".png":
            found[str(path.relative_to(folder))] = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text("utf-8"))
    return found


def test_no_patient_and_no_date_is_in_any_file(results, shared):
    ids = set(Findings.load(results).flow["patient_id"])
    before, after = texts(results), texts(shared[0])
    assert {"report.html", "report.pdf", "report.docx/word/document.xml", "brief.pdf", "estimates.csv"} <= set(after)
    assert any(i in before["findings.json"] for i in ids)  # the test can fail
    assert DATE.search(before["report.pdf"])
    for name, text in after.items():
        assert not ids & set(re.findall(r"[\w-]+", text)), name
        assert not DATE.search(text), name


def test_files_of_patients_are_not_in_it(results, shared):
    assert (results / "patients.csv").is_file()
    names = {str(p.relative_to(shared[0])) for p in shared[0].rglob("*") if p.is_file()}
    assert "patients.csv" not in names
    assert not any("swimmer" in n or "influence" in n for n in names)
    assert {"README.txt", "removed.csv", "findings.json", "estimates.csv", "report.docx"} <= names


def test_no_small_number_is_in_the_records_and_curves(shared):
    with (shared[0] / "estimates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    for row in rows:
        for name in ("n", "events"):
            assert row[name] == "" or int(row[name]) == 0 or int(row[name]) >= 11, row
    with (shared[0] / "curves.csv").open(encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))
    assert points
    assert all(p["events"] == p["censored"] == p["at_risk"] == "" for p in points)


def test_provenance_names_no_file_and_no_day(shared):
    told = json.loads((shared[0] / "findings.json").read_text(encoding="utf-8"))
    provenance = told["provenance"]
    assert re.fullmatch(r"\d{4}", provenance["date"])
    assert provenance["cohort"] == "shared results"
    assert list(provenance["inputs"]) == [f"input {i}" for i in range(1, len(provenance["inputs"]) + 1)]
    assert (told["flow"], told["warnings"]) == ([], [])


def test_what_was_removed_is_listed(shared):
    folder, removed = shared
    with (folder / "removed.csv").open(encoding="utf-8", newline="") as file:
        assert [Removed(r["what"], r["why"], int(r["count"])) for r in csv.DictReader(file)] == list(removed)
    assert Removed("row of a patient", "single patients", 44) in removed
    assert Removed("patients.csv", "single patients", 1) in removed
    text = (folder / "README.txt").read_text(encoding="utf-8")
    assert "from 1 to 10 are not shown" in text
    assert str(sum(r.count for r in removed)) in text


def test_a_shared_folder_can_be_read_but_not_shared_again(shared, tmp_path):
    """What is hidden in it could not be taken into account."""
    assert Findings.load(shared[0]).provenance["smallest_number_shown"] == 11
    with pytest.raises(ShareRefused):
        share(shared[0], tmp_path / "again", 20)


def test_the_plan_may_ask_for_more(small, tmp_path):
    """The brief of the plan shows numbers from 11 on; so does what is shared, asked for 5."""
    plan = small.plan.model_copy(update={"small_cells": 11})
    told = {**small.provenance, "declared": plan.model_dump(mode="json")}
    results = replace(small, plan=plan, provenance=told).save(tmp_path / "results")
    share(results, tmp_path / "out", 5)
    assert Findings.load(tmp_path / "out").provenance["smallest_number_shown"] == 11


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(CohortRefused) as refused:
        share(tmp_path, tmp_path / "out")
    assert "reinfuse analyze" in refused.value.problems[0].remedy
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_files_is_not_written_into(results):
    """Else patients.csv of the analysis would lie among what is shared."""
    with pytest.raises(OutputRefused):
        share(results, results)
    assert (results / "patients.csv").is_file()
    assert not (results / "removed.csv").exists()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return the findings of 12 patients: P0 to P11."""
    patients = "patient_id,last_contact,death,diagnosis\n" + "\n".join(f"P{i},{100 + i},,CLL" for i in range(12))
    infusions = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n" + "\n".join(
        f"P{i},{k},{50 * (k - 1)},1e6,Cy" for i in range(12) for k in (1, 2))  # fmt: skip
    cohort = read(tmp_path_factory.mktemp("small"), patients=patients, infusions=infusions)
    return Study(cohort, plain(Plan.built_in())).run()


def titled(findings, title, folder):
    """Save findings of a plan with this title."""
    told = {**findings.provenance, "title": title, "declared": {**findings.provenance["declared"], "title": title}}
    plan = findings.plan.model_copy(update={"title": title})
    return replace(findings, provenance=told, plan=plan).save(folder)


@pytest.mark.parametrize(("title", "rule"), [("Patients but P7", "identifier"), ("Seen on 2021-03-04", "date")])
def test_what_is_left_in_a_title_is_refused(small, tmp_path, title, rule):
    """Nothing is written, and the error holds no identifier."""
    results = titled(small, title, tmp_path / "results")
    with pytest.raises(ShareRefused) as refused:
        share(results, tmp_path / "out")
    assert {p.table for p in refused.value.problems} >= {
        "findings.json",
        "report.html",
        "report.docx/word/document.xml",
    }
    assert all(rule in p.rule for p in refused.value.problems)
    assert "P7" not in str(refused.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["results"]


def test_an_innocent_title_is_shared(small, tmp_path):
    share(titled(small, "Patients of P700, 2021", tmp_path / "results"), tmp_path / "out", 5)
    assert (tmp_path / "out" / "report.html").is_file()


def test_fewer_patients_than_may_be_shown_are_refused(small, tmp_path):
    results = small.save(tmp_path / "results")
    with pytest.raises(ShareRefused):
        share(results, tmp_path / "out", 13)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("identifier", "telling"), [("P7", True), ("7", False), ("1234", False), ("12345", True),
                                                     ("F", False), ("Smith", True)])  # fmt: skip
def test_which_identifiers_can_be_told_from_numbers(identifier, telling):
    assert is_telling(identifier) is telling
