"""What is no cohort is refused by check and by analyze, and named for what it is; what is one, never."""

from __future__ import annotations

import openpyxl
import polars as pl
import pytest

import reinfuse
from cohorts import INFUSIONS, PATIENTS, RESPONSES
from conftest import SHARED
from helpers import write_folder, write_sheet
from reinfuse.cohort.patient_rows import patients_frame
from reinfuse.cohort.raw_tables import read_raw
from reinfuse.data import datasets
from reinfuse.exceptions import CohortRefused, PlanRefused
from reinfuse.plan.analysis_plan import Plan
from reinfuse.study import Study, cohorts
from reinfuse.study.cohort_reading import examine
from reinfuse.tabular.csv_files import write_csv
from test_cli import GOOD

FOREIGN = {
    "redcap raw": ("redcap", "record_id,redcap_event_name,response\n1,cart1_arm_1,CR\n1,cart2_arm_1,PR\n"),
    "redcap repeats": ("redcap", "patient_id,redcap_repeat_instrument,redcap_repeat_instance,os_days,os_event\n"
                                 "1,,,400,0\n1,infusion,1,,\n"),
    "redcap labels": ("redcap", "Study ID,Event Name,Repeat Instrument,Repeat Instance,Response\n1,CART1,,,CR\n"),
    "redcap check boxes": ("redcap", "record_id,ld___1,ld___2,response\n1,1,0,CR\n2,0,1,PR\n"),
    "redcap forms": ("redcap", "record_id,response,sex,baseline_complete\n1,CR,F,2\n2,PR,M,2\n"),
    "redcap without its names": ("redcap", "id;event;response\n1;cart1_arm_1;CR\n2;cart1_arm_1;PR\n"),
    "redcap dictionary": ("redcap", '"Variable / Field Name","Form Name","Field Type"\nresponse,follow_up,text\n'),
    "adtte": ("adam", "STUDYID,USUBJID,PARAMCD,AVAL,CNSR,SEX\nS,1,OS,10.1,0,F\nS,2,OS,3.2,1,M\n"),
    "adtte without ids": ("adam", "SUBJID,PARAMCD,AVAL,CNSR\n1,OS,10.1,0\n"),
    "adsl": ("adam", "STUDYID,USUBJID,TRT01P,TRTSDT,SEX\nS,1,CART,2020-01-01,F\n"),
    "sdtm": ("sdtm", "STUDYID,DOMAIN,USUBJID,RSTESTCD,RSORRES\nS,RS,1,OVRLRESP,CR\n"),
    "omop": ("omop", "person_id,gender_concept_id,year_of_birth\n1,8507,1960\n"),
    "cbioportal": ("cbioportal", "patient_id,sex,diagnosis,os_status,os_months\nP1,F,NHL,1:DECEASED,12.5\n"),
}  # fmt: skip
NOT_STANDARD = {
    "iris": "sepal_length,sepal_width,species\n5.1,3.5,setosa\n4.9,3,setosa\n",
    "cars": "mpg;cyl;hp\n21;6;110\n22,8;4;93\n",
    "a bill": "Invoice 2024-17,,\nItem,Qty,Price\nChair,2,40\nTotal,,80\n",
    "aggregates": "endpoint,group,n,events,estimate,lower,upper\npfs,all,44,30,0.52,0.3,0.7\n",
    "a title above": "CAR-T 2017-2024,,\n,,\npatient_id,response,sex\nP1,CR,F\n",
    "a tracking sheet": ",CART #1,,CART #2,\nPt,Date,Dose,Date,Dose\nA,2020-01-01,120 Mio,2021-01-01,2e6/kg\n",
    "german": "Fallnummer;Ansprechen;Geschlecht\n1;CR;w\n2;PD;m\n",
    "months": "Pt,PFS (months),Progressed\nA,3.2,1\nB,14.1,0\n",
    "text": "Dear colleagues\nplease find the data attached\n",
    "survival of R": "inst,time,status,age\n3,306,2,74\n3,455,2,68\n",
}
IMPOSSIBLE = {
    "empty": "", "blank lines": "\n\n\n", "header alone": "patient_id,response\n", "a PDF": "%PDF-1.7\x00\x01 obj\n",
    "a zip": "PK\x03\x04\x00\x00\n", "html": "<html><table><tr><td>1</td></tr></table></html>\n",
    "json": '[{"patient_id": 1, "response": "CR"}]\n',
    "several rows": "patient_id,response\nA,CR\nA,PR\nB,SD\n", "several rows by ID": "ID,response\nA,CR\nA,PR\nB,SD\n",
    "several rows by MRN": "MRN,infusion,response\n17,1,CR\n17,2,PR\n18,1,SD\n",
    "a total": "patient_id,os_days,os_event\nA,400,0\nB,300,1\nC,500,0\nTotal,1200,1\n",
    "a mean": "patient_id,response,prior_lines,age_years,os_days,os_event\nA,CR,2,60,400,0\nB,PR,4,70,300,1\n"
              "C,SD,3,62,500,1\nD,PD,3,64,400,0\nx,,3,64,400,\n",
    "total cells": "patient_id,cart2_dose_cells_per_kg,os_days,os_event\n"
                   + "".join(f"P{i},{1 + i}20000000,{100 * i + 90},{i % 2}\n" for i in range(6)),
    "months as days": "patient_id,os_days,os_event\n" + "".join(f"P{i},{i + 1}.{i},1\n" for i in range(9)),
    "CNSR as the event": "patient_id,pfs_days,pfs_event,os_days,os_event\n"
                         + "".join(f"P{i},{300 + i},0,{300 + i},1\n" for i in range(6)),
    "progression after death": "patient_id,pfs_days,pfs_event,os_days,os_event\nA,400,1,300,1\nB,100,1,500,0\n",
    "no outcome": "patient_id,diagnosis,sex\nA,CLL,F\nB,NHL,M\n",
    "a sick name": "patient_id,os_dayz,os_event\nA,400,1\nB,300,0\n",
}  # fmt: skip


def refusals(path, plan=None):
    """Return the errors with which check and analyze refuse a cohort: the same ones."""
    try:
        checked = cohorts.check(path, plan)
        assert not checked.accepted, path
        told = [p for p in checked.problems if p.severity == "error"]
    except (CohortRefused, PlanRefused) as refused:
        told = [p for p in refused.problems if p.severity == "error"]
    with pytest.raises((CohortRefused, PlanRefused)) as again:
        Study.read(path, plan or Plan.built_in())
    assert [p for p in again.value.problems if p.severity == "error"] == told
    return told


def workbook(path, text):
    book = openpyxl.Workbook()
    separator = ";" if ";" in text else ","
    for line in text.splitlines():
        book.active.append([cell or None for cell in line.split(separator)])
    book.save(path)
    return path


@pytest.mark.parametrize("name", FOREIGN)
def test_other_formats_are_named_and_nothing_else_is_told(name, tmp_path):
    kind, text = FOREIGN[name]
    words = {"redcap": "REDCap", "adam": "ADaM", "sdtm": "SDTM", "omop": "OMOP", "cbioportal": "cBioPortal"}
    path = tmp_path / "my export.csv"
    path.write_text(text)
    (problem,) = refusals(path)
    assert problem.rule.startswith("this looks like ")
    assert words[kind] in problem.rule
    assert f"`reinfuse map '{path}' --out map.toml`" in problem.remedy
    (problem,) = refusals(workbook(tmp_path / "x.xlsx", text.replace('"', "")))
    assert words[kind] in problem.rule


@pytest.mark.parametrize("name", NOT_STANDARD)
def test_a_sheet_without_any_standard_name_is_one_problem_that_names_map(name, tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text(NOT_STANDARD[name])
    (problem,) = refusals(path)
    assert "no name in the first row of the sheet is a standard one" in problem.rule
    assert f"`reinfuse map {path} --out map.toml`" in problem.remedy


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_a_cohort_is_refused(name, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(IMPOSSIBLE[name])
    assert refusals(path)


@pytest.mark.parametrize("ending", ["pdf", "docx", "xls", "json", "ndjson", "xpt", "sav", "rds", "zip", "db", ""])
def test_other_endings_are_refused(ending, tmp_path):
    path = tmp_path / f"cohort.{ending}"
    path.write_text('{"resourceType": "Patient", "id": "1"}\n')
    assert len(refusals(path)) == 1


def test_several_rows_of_a_patient_are_counted_and_a_map_is_named(tmp_path):
    path = tmp_path / "x.csv"
    for text in (IMPOSSIBLE["several rows"], IMPOSSIBLE["several rows by ID"]):
        path.write_text(text)
        (problem,) = refusals(path)
        assert "3 rows" in problem.rule + problem.remedy
        assert "2 patients" in problem.rule + problem.remedy
        assert f"reinfuse map {path}" in problem.remedy


def test_exports_of_others_are_refused_and_named():
    if not SHARED.exists():
        pytest.skip(f"no {SHARED}")
    sources = SHARED / "data" / "sources"
    for folder in (*(sources / "redcap").iterdir(), sources / "dataset_json" / "adam", sources / "fhir_bulk"):
        (problem,) = refusals(folder)
        assert problem.rule.startswith("this looks like ")
    files = [f for f in sources.rglob("*") if f.is_file() and f.suffix in (".csv", ".xpt", ".json", ".ndjson", ".dsjc")]
    assert len(files) >= 40
    for file in files:
        assert len(refusals(file)) == 1, file
    for name in (
        "repeat_infusion_study_aggregates",
        "published_effect_sizes",
        "nct01865617_2018_blood_table1_aggregate",
    ):
        assert refusals(SHARED / "data" / "published" / f"{name}.csv")


OWN = [
    "patient_id,redcap_data_access_group,os_days,os_event\nA,x,400,0\nB,x,300,1\n",
    "patient_id,tox___1,tox___2,os_days,os_event\nA,0,1,400,0\nB,1,0,300,1\n",
    "record_id,patient_id,follow_up_complete,os_days,os_event\n1,A,2,400,0\n2,B,2,300,1\n",
    "patient_id,trial,os_days,os_event\nA,treatment_arm_1,400,0\nB,treatment_arm_2,300,1\n",
    "Patient ID,OS days,OS event\nA,400,0\nB,300,1\n",
    "patient_id,os_status,os_months,os_days,os_event\nA,alive,13.1,400,0\nB,dead,9.9,300,1\n",
    "ID,response,diagnosis\nA,CR,CLL\nB,PD,CLL\n",
]


@pytest.mark.parametrize("text", OWN)
def test_sheets_with_standard_names_are_read_as_before(text, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(text)
    assert cohorts.check(path).accepted
    assert reinfuse.read_cohort(workbook(tmp_path / "x.xlsx", text)).wide


def test_a_plan_says_how_other_sheets_are_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("record_id,t,dead,a_complete\n1,400,0,2\n2,300,1,2\n")
    assert "REDCap" in refusals(path)[0].rule
    assert cohorts.check(path, Plan.of({"columns": {"os_days": "t", "os_event": "dead"}, "subgroups": []})).accepted
    ends = [{"name": "death", "time": "t", "event": "dead"}]
    assert cohorts.check(path, Plan.of({"endpoints": ends, "subgroups": []})).accepted


def test_the_projects_own_cohorts_are_read(tmp_path):
    for dataset in datasets().values():
        assert examine(dataset.path, dataset.plan)[0] is not None
    assert cohorts.check(write_folder(tmp_path, **GOOD)).accepted


def test_the_patients_that_analyze_writes_are_read(tmp_path):
    folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS, responses=RESPONSES)
    study = Study.read(folder, Plan.built_in())
    frame = patients_frame(study.data, study.plan)
    write_csv(frame, tmp_path / "patients.csv")
    frame.cast(pl.String).write_parquet(tmp_path / "patients.parquet")
    for ending in ("csv", "parquet"):
        assert cohorts.check(tmp_path / f"patients.{ending}").accepted


def test_what_was_imported_is_not_looked_at_again(tmp_path):
    raw = read_raw(write_sheet(tmp_path, "patient_id,os_days,os_event\nA,400,0\nB,300,1"))
    assert cohorts.check(raw).accepted
