"""The folder that may leave the centre: what is in it, what is not, and what is refused."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pypdf
import pytest

from drift import Drift
from helpers import plain, read
from pages import Page
from reinfuse import Plan, Study
from reinfuse.disclosure import Removed
from reinfuse.disclosure.identifying import holds_date, is_telling, pattern
from reinfuse.disclosure.release_log import Releases
from reinfuse.exceptions import CohortRefused, OutputRefused, ShareRefused
from reinfuse.plan.options import Analyses
from reinfuse.report.export import shared_folder
from reinfuse.report.export.readable_text import marked
from reinfuse.report.export.results_folder import BRIEF, write, write_results
from reinfuse.report.export.shared_folder import share
from reinfuse.results.findings import Findings

DATE = re.compile(r"(?<!\d)(19|20)\d\d-[01]\d-[0-3]\d(?!\d)")


@pytest.fixture
def results(demo_report):
    return demo_report


@pytest.fixture(scope="module")
def shared(demo_report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "out"
    return folder, share(demo_report, folder)


@cache
def texts(folder: Path, *names: str) -> dict[str, str]:
    """Return every text of a folder, or of its named files: files, parts of Word documents, pages of PDFs."""
    found = {}
    for path in (p for p in folder.rglob("*") if p.is_file() and (p.name in names or not names)):
        if path.suffix == ".docx":
            with ZipFile(path) as parts:
                found |= {f"{path.name}/{n}": parts.read(n).decode() for n in parts.namelist()
                          if n.endswith(".xml") and "core" not in n}  # fmt: skip
        elif path.suffix == ".pdf":
            reader = pypdf.PdfReader(path)
            found[path.name] = "\n".join(p.extract_text() for p in reader.pages) + str(reader.metadata)
        elif path.suffix != ".png":
            found[str(path.relative_to(folder))] = re.sub(r"data:image/svg[^\"]+", "", path.read_text("utf-8"))
    return found


def test_no_patient_and_no_date_is_in_any_file(results, shared):
    ids = set(Findings.load(results).flow["patient_id"])
    before, after = texts(results, "findings.json", "report.pdf"), texts(shared[0])
    assert {
        "report.html",
        "report.pdf",
        "report.docx/word/document.xml",
        "brief.pdf",
        "estimates.csv",
        "supplement.html",
        "supplement.pdf",
        "supplement.docx/word/document.xml",
    } <= set(after)
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
    assert {
        "README.txt",
        "removed.csv",
        "findings.json",
        "estimates.csv",
        "report.docx",
        "supplement.docx",
        "supplement.html",
        "supplement.pdf",
    } <= names


def test_no_small_number_is_in_the_records_and_curves(shared):
    with (shared[0] / "estimates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    assert any(row["analysis"] == "published" for row in rows)
    for row in (row for row in rows if row["analysis"] != "published"):
        for name in ("n", "events"):
            assert row[name] == "" or int(row[name]) == 0 or int(row[name]) >= 11, row
    with (shared[0] / "curves.csv").open(encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))
    assert points
    assert all(p["events"] == p["censored"] == p["at_risk"] == "" for p in points)


@pytest.mark.parametrize("name", ["report", "supplement"])
def test_every_number_of_a_shared_document_is_one_of_the_shared_records(shared, name):
    drift = Drift(json.loads((shared[0] / "findings.json").read_text(encoding="utf-8")))
    page = Page((shared[0] / f"{name}.html").read_text(encoding="utf-8"))
    assert drift.text(page.plain) == []
    assert [x for table in page.tables for x in drift.table(table)] == []


def test_provenance_names_no_file_and_no_day(shared):
    told = json.loads((shared[0] / "findings.json").read_text(encoding="utf-8"))
    provenance = told["provenance"]
    assert re.fullmatch(r"\d{4}", provenance["date"])
    assert provenance["cohort"] == "shared results"
    assert provenance["inputs"] == {}
    assert (told["flow"], told["warnings"]) == ([], [])


def test_no_hash_of_an_input_file_leaves(results, shared):
    """A table of one row is found by trying: its SHA-256 is that of one of the few rows that it can be."""
    digests = set(Findings.load(results).provenance["inputs"].values())
    assert len(digests) > 3
    assert any(d in texts(results, "findings.json")["findings.json"] for d in digests)  # the test can fail
    for name, text in texts(shared[0]).items():
        assert not [d for d in digests if d in text or d[:16] in text], name


def test_no_limit_in_the_shared_folder_is_a_single_patients_day(results, shared, demo_findings):
    """Searched as somebody would who has the patients' days: each shown limit against each patient's time."""
    rows = pl.read_csv(results / "patients.csv", infer_schema_length=None)

    def hits(folder):
        with (folder / "estimates.csv").open(encoding="utf-8", newline="") as file:
            told = [r for r in csv.DictReader(file) if r["analysis"] == "survival" and r["unit"] == "days"]
        found = 0
        for r in told:
            name, _, level = (r["group"] or (r["population"] if r["population"] != "all" else "")).partition("=")
            of = rows.filter(pl.col(name).cast(pl.String) == level) if level else rows
            event = "no" if r["statistic"] == "median_follow_up" else "yes"
            days = of.filter(pl.col(f"{r['endpoint']}_event") == event)[f"{r['endpoint']}_days"].to_list()
            for value in (float(r[x]) for x in ("lower", "upper") if r[x]):
                found += 0 < sum(abs(d - value) <= 30.4375 / 20 for d in days) < 11
        return found

    assert hits(results) > 50
    assert hits(shared[0]) == 0


def test_word_files_have_no_time_of_writing(shared, results, tmp_path):
    """Each entry of the archive has the same time, and the same findings give the same bytes."""
    share(results, tmp_path / "again", again=True)
    assert (tmp_path / "again" / "report.docx").read_bytes() == (shared[0] / "report.docx").read_bytes()
    with ZipFile(shared[0] / "report.docx") as parts:
        assert {i.date_time for i in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = parts.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"2000-01-01T00:00:00Z"}


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
        share(shared[0], tmp_path / "again", smallest=20)


def test_the_plan_may_ask_for_more(small, tmp_path):
    """The brief of the plan shows numbers from 11 on; so does what is shared, asked for 5."""
    plan = small.plan.model_copy(update={"small_cells": 11})
    told = {**small.provenance, "declared": plan.model_dump(mode="json")}
    results = numbers(replace(small, plan=plan, provenance=told), tmp_path / "results")
    share(results, tmp_path / "out", smallest=5)
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


def numbers(findings, folder):
    """Save findings with the shortest document alone: figures and documents of what is shared are made anew."""
    return write(findings, folder, parts={BRIEF})


def titled(findings, title, folder):
    """Save findings of a plan with this title."""
    told = {**findings.provenance, "title": title, "declared": {**findings.provenance["declared"], "title": title}}
    plan = findings.plan.model_copy(update={"title": title})
    return numbers(replace(findings, provenance=told, plan=plan), folder)


@pytest.mark.parametrize(("title", "rule"), [("Patients but P7", "identifier"), ("Seen on 2021-03-04", "date"),
                                             ("without p07.", "identifier"), ("since 3 March", "date")])  # fmt: skip
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
    assert "p7" not in str(refused.value).lower()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["results"]


def test_an_innocent_title_is_shared(small, tmp_path):
    share(titled(small, "Patients of P700, 2021", tmp_path / "results"), tmp_path / "out", smallest=5)
    assert (tmp_path / "out" / "report.html").is_file()


def test_fewer_patients_than_may_be_shown_are_refused(small, tmp_path):
    results = numbers(small, tmp_path / "results")
    with pytest.raises(ShareRefused):
        share(results, tmp_path / "out", smallest=13)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("identifier", "telling"), [("P7", True), ("7", False), ("1234", False), ("12345", True),
                                                     ("F", False), ("Smith", True)])  # fmt: skip
def test_which_identifiers_can_be_told_from_numbers(identifier, telling):
    assert is_telling(identifier) is telling


@pytest.mark.parametrize(
    ("identifier", "hits", "others"),
    [
        ("UPN-007", ["UPN-007", "upn 7", "UPN_07", "Upn007", "(upn-7)", "upn7."], ["upn 70", "upn 17", "UPNX7"]),
        ("P7", ["p7", "P-7", "P07", "p_7,", "'P7'", "x=P7"], ["P 7", "P70", "XP7", "P7a"]),
        ("12345", ["12345", "012345", "id 12345."], ["0.12345", "123456", "12345.6", "1.234e5"]),
        ("00007", ["00007"], ["7", "100007"]),
        ("Smith", ["smith", "SMITH,"], ["smithy"]),
        ("IT", ["IT"], ["it", "ITS"]),
        ("A&B-7", ["a&b-7", "A&B 07"], ["A&B-70"]),
        (" P7 ", ["p7"], []),
    ],
)
def test_identifiers_are_found_however_they_are_written(identifier, hits, others):
    found = pattern([identifier])
    assert [h for h in hits if not found.search(h)] == []
    assert [o for o in others if found.search(o)] == []


def test_a_level_and_a_number_are_no_identifier():
    found = pattern(["CLL-9", "UPN-9"], ["CLL"])
    assert [bool(found.search(t)) for t in ("CLL 9", "CLL\n9", "CLL-9", "cll9", "UPN 9")] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_identifiers_are_found_between_marks_but_not_in_them():
    found = pattern(["A<7", "H2", "P07"])
    assert found.search(marked('<p alt="x">H<b>2</b></p>'))
    assert found.search(marked('<svg><!-- p7 --><path d="M 0 0"/></svg>'))
    assert found.search(marked("<w:p><w:r><w:t>P</w:t></w:r><w:r><w:t>07</w:t></w:r></w:p>"))
    assert found.search(marked("<p>A&lt;7</p>"))
    assert found.search(marked('<img alt="of P07">'))
    assert not found.search(marked('<h2 class="P07" id="P07">Table 2</h2><style>.p7 {color: red}</style>'))


@pytest.mark.parametrize("text", [
    "2021-03-04", "2021/03/03", "2021.03.04", "20210304", "03.03.2021", "4/3/21", "3/4/2021", "04.03.21",
    "3 March 2021",
    "3rd of March, 2021", "March 3, 2021", "Mar-21", "Mar '21", "März 2021", "3. März 2021", "03MAR2021", "3-Mar-2021",
    "March 2021", "12 de marzo de 2021", "03/2021", "May 2021", "5 May", "1er août 2020", "in Dezember 2020", "JAN 12",
])  # fmt: skip
def test_dates_are_found_in_words_and_figures(text):
    assert holds_date(f"seen {text}, again later")


@pytest.mark.parametrize("text", [
    "Python 3.12.11", "0.20210304", "1.1999", "may 11 patients", "from 1 to 10 may be", "2021", "numpy 2.4.12",
    "Blood 2021;137:323-335", "3 arms", "44 patients, 3 deceased", "10 marginal", "at 6, 12 and 24 months", "2012-13",
    "20000000", "in 3 separate cohorts", "doi 10.1002/(SICI)1097-0258(19960229)15:4", "plan " + "9611a1feb1" * 4,
])  # fmt: skip
def test_numbers_are_no_dates(text):
    assert not holds_date(text)


def test_the_seed_is_no_date():
    assert holds_date("Seed 20210121")
    assert not holds_date("Seed 20210121", 20210121)


# Two releases


def cohort_of(folder, patients, last=0):
    """Return results of patients A0, A1, ...; `last` days more of follow-up for the first."""
    rows = "\n".join(f"A{i},{100 + i + last * (i == 0)},,CLL" for i in patients)
    infusions = "\n".join(f"A{i},{k},{50 * (k - 1)},1e6,Cy" for i in patients for k in (1, 2))
    cohort = read(folder, patients=f"patient_id,last_contact,death,diagnosis\n{rows}",
                  infusions=f"patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n{infusions}")  # fmt: skip
    plan = Plan.built_in().model_copy(update={"models": (), "analyses": Analyses.none()})
    return numbers(Study(cohort, plan).run(), folder / f"results_{len(list(folder.iterdir()))}")


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Return results of 12 patients, of 13, of 18, of 12 others, and of the 12 with one followed for longer."""
    folder = tmp_path_factory.mktemp("cohorts")
    every = {"first": range(12), "one more": range(13), "six more": range(18), "others": range(50, 62)}
    return {name: cohort_of(folder, of) for name, of in every.items()} | {"longer": cohort_of(folder, range(12), 9)}


@pytest.fixture
def short(monkeypatch):
    """Have the shortest document alone made of what is shared: the log of releases knows of none."""
    monkeypatch.setattr(shared_folder, "write_results", partial(write_results, parts={BRIEF}))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("second", "refused"), [("one more", True), ("six more", False), ("others", False),
                                                 ("longer", True), ("first", False)])  # fmt: skip
def test_a_release_that_differs_by_few_patients_is_refused(cohorts, tmp_path, second, refused):
    """At 5: one patient more, or one known better, is told by the difference; six more are not."""
    share(cohorts["first"], tmp_path / "a", smallest=5)
    if not refused:
        share(cohorts[second], tmp_path / "b", smallest=5)
        return
    with pytest.raises(ShareRefused) as error:
        share(cohorts[second], tmp_path / "b", smallest=5)
    assert "1 to 4 patients" in error.value.problems[0].rule
    assert not (tmp_path / "b").exists()
    share(cohorts[second], tmp_path / "b", smallest=5, again=True)
    assert len(Releases().earlier) == 2


@pytest.mark.usefixtures("short")
def test_the_same_patients_with_another_smallest_number_are_refused(cohorts, tmp_path):
    share(cohorts["first"], tmp_path / "a", smallest=5)
    with pytest.raises(ShareRefused):
        share(cohorts["first"], tmp_path / "b", smallest=8)


def test_the_log_is_private_and_tells_no_patient(cohorts, tmp_path):
    share(cohorts["first"], tmp_path / "a", smallest=5)
    log = Releases()
    assert len(log.earlier) == 1
    assert len(log.earlier[0].patients) == 12
    assert {p.stat().st_mode & 0o077 for p in (log.path, *log.path.iterdir())} == {0}
    text = (log.path / "releases.jsonl").read_text(encoding="utf-8")
    assert not re.search(r"\bA\d", text)
    plain_hashes = {
        hashlib.sha256(f"{before}A{i}".encode()).hexdigest() for i in range(12) for before in ("", "patient ")
    }
    assert not [h for h in plain_hashes if h in text]
    for name, shown in texts(tmp_path / "a").items():
        assert not [h for h in log.earlier[0].patients if h in shown], name


def test_what_was_refused_is_not_in_the_log(small, tmp_path):
    with pytest.raises(ShareRefused):
        share(titled(small, "Patients but P7", tmp_path / "results"), tmp_path / "out")
    assert Releases().earlier == []


def test_a_log_that_cannot_be_read_is_told(cohorts, tmp_path, monkeypatch):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "releases.jsonl").write_text("{", encoding="utf-8")
    monkeypatch.setenv("REINFUSE_RELEASES", str(tmp_path / "log"))
    with pytest.raises(OutputRefused) as error:
        share(cohorts["first"], tmp_path / "a", smallest=5)
    assert "log" in error.value.problems[0].rule
