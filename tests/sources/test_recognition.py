"""What a file is, is told without a map; and cBioPortal's files and folders of sheets are read."""

import polars as pl
import pytest

from conftest import SHARED
from reinfuse.data import datasets
from reinfuse.exceptions import CohortRefused
from reinfuse.sources.read import read_source
from reinfuse.sources.recognition import recognise
from reinfuse.study.cohort_reading import read_cohort
from sources.workbooks import EXAMPLES, TRACKING, write_sheets

FOREIGN = SHARED / "data" / "sources"
TABLES = {
    "redcap": ["record_id,redcap_event_name,age\n1,cart1_arm_1,60\n",
               "Study ID,Event Name,Repeat Instrument,Repeat Instance\n",
               "id;event\n1;cart1_arm_1\n", "record_id,ld___1,ld___2\n1,0,1\n",
               '"Variable / Field Name","Form Name","Field Type"\n', "record_id,age,baseline_complete\n1,60,2\n"],
    "adam": ["STUDYID,USUBJID,PARAMCD,AVAL,CNSR\nS,1,OS,10,0\n", "USUBJID,TRT01P,TRTSDT\n1,A,2020-01-01\n"],
    "sdtm": ["STUDYID,DOMAIN,USUBJID,EXTRT\nS,EX,1,CART\n"],
    "omop": ["person_id,gender_concept_id,year_of_birth\n1,8507,1960\n"],
    "cbioportal": ["#Patient\tOverall survival\n#a\tb\n#STRING\tNUMBER\n#1\t1\n"
                   "PATIENT_ID\tOS_MONTHS\tOS_STATUS\nP\t1\t0:LIVING\n"],
    "cohort": ["patient_id,pfs_days,pfs_event\nA,1,1\n", "patient_id,last_contact,death,diagnosis\n"],
    "csv": ["ID,Date of infusion,Dose\nP1,2020-01-01,2\n", "title\n\nPt,CR\n1,2\n"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TABLES.items() for text in texts])
def test_text_files_are_recognised_by_their_names(kind, text, tmp_path):
    (tmp_path / "patients.csv").write_text(text)
    found = recognise(tmp_path / "patients.csv")
    assert found.kind == kind
    assert found.why


@pytest.mark.parametrize(("name", "text", "kind"), [
    ("a.ndjson", '{"resourceType":"Patient","id":"1"}\n', "fhir"),
    ("x.json", '{"datasetJSONVersion":"1.1.0","name":"ADTTE","label":"x"}', "adam"),
    ("x.json", '{"datasetJSONVersion":"1.1.0","name":"DM","label":"x"}', "sdtm"),
    ("x.json", '{"a": 1}', None), ("adsl.xpt", "HEADER", "adam"), ("dm.sas7bdat", "x", "sdtm"),
    ("x.duckdb", "x", "omop"),
    ("x.xls", "x", None), ("x.docx", "x", None), ("x.xlsx", "no workbook", None), ("x.csv", "\x00", None),
])  # fmt: skip
def test_other_files_are_recognised_or_named_for_what_they_are(name, text, kind, tmp_path):
    (tmp_path / name).write_text(text)
    assert recognise(tmp_path / name).kind == kind
    assert recognise(tmp_path / name).why


@pytest.mark.parametrize(("text", "rule"), [
    ('<?xml version="1.0"?>\n<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" SourceSystem="REDCap">',
     "an ODM file (CDISC's XML) of REDCap, which is not read: export the records as CSV (raw data), and the data "
     "dictionary beside them"),
    ('<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3">',
     "an ODM file (CDISC's XML), which is not read: export its data as CSV, or as Dataset-JSON"),
    ('<Bundle xmlns="http://hl7.org/fhir">', "FHIR in XML, which is not read: export it as JSON or NDJSON"),
    ("<table/>", "an XML file, which is not read: export it as CSV"),
])  # fmt: skip
def test_xml_is_refused_by_name_with_what_to_give_instead(text, rule, tmp_path):
    path = tmp_path / "project.xml"
    path.write_text(text)
    assert recognise(path).why == rule
    with pytest.raises(CohortRefused) as refused:
        read_cohort(path)
    (problem,) = refused.value.problems
    assert f"{problem.rule}: {problem.remedy}" == f"is {rule}"


def test_the_projects_own_cohorts_are_cohorts():
    for name, dataset in datasets().items():
        assert recognise(dataset.path).kind == "cohort", name
        (problem,) = read_source(dataset.path).problems
        assert problem.rule.startswith("is a cohort already")


@pytest.mark.parametrize("name", EXAMPLES)
def test_messy_sheets_are_sheets(name, tmp_path):
    path = EXAMPLES[name].write(tmp_path)
    assert recognise(path).kind == ("excel" if path.suffix == ".xlsx" else "csv")


def test_a_workbook_with_the_contracts_sheets_is_a_cohort(tmp_path):
    sheets = {"Patients": ([["patient_id", "death"], ["A", None]], ()), "infusions": ([["patient_id"], ["A"]], ())}
    assert recognise(write_sheets(tmp_path / "a.xlsx", sheets)).kind == "cohort"


def test_exports_of_others_are_recognised():
    if not FOREIGN.exists():
        pytest.skip(f"no {FOREIGN}")
    kinds = {
        "redcap": "redcap",
        "dataset_json/adam": "adam",
        "dataset_json/sdtm": "sdtm",
        "fhir_bulk": "fhir",
        "mcode": "fhir",
    }
    for folder, kind in kinds.items():
        assert recognise(FOREIGN / folder).kind == kind or folder == "redcap"
    for folder in (FOREIGN / "redcap").iterdir():
        assert recognise(folder).kind == "redcap"


def test_a_folder_of_sheets_is_read_as_one_source(tmp_path):
    TRACKING.write(tmp_path)
    EXAMPLES["german"].write(tmp_path)
    pl.DataFrame({"ID": ["P1", "P2"], "CRS": [1, 2]}).write_parquet(tmp_path / "crs.parquet")
    source = read_source(tmp_path)
    assert source.problems == ()
    assert [t.name for t in source.tables] == ["Liste", "crs", "CART pts 2019-24"]
    assert source.table("crs").texts("CRS") == ["1", "2"]
    layouts = {t.name: t.layout for t in source.tables}
    again = read_source(tmp_path, kind="csv", layouts=layouts)
    assert (again.problems, [t.rows for t in again.tables]) == ((), [t.rows for t in source.tables])
    EXAMPLES["tracking"].write(tmp_path).rename(tmp_path / "copy.xlsx")
    TRACKING.write(tmp_path)
    assert [(p.table, p.rule) for p in read_source(tmp_path).problems] == [
        ("CART pts 2019-24", "stands in several files of the folder")
    ]


PATIENTS = """#Patient Identifier\tOverall Survival Status\tOverall Survival (Months)\tDiagnosis
#Identifier\tOverall patient survival status\tsince initial diagnosis\tDisease
#STRING\tSTRING\tNUMBER\tSTRING
#1\t1\t1\t1
PATIENT_ID\tOS_STATUS\tOS_MONTHS\tDIAGNOSIS
P1\t1:DECEASED\t12.5\tNHL
P2\t0:LIVING\t30\tALL\textra
P3\t\t\tCLL
"""


def test_clinical_files_of_cbioportal_are_read(tmp_path):
    (tmp_path / "data_clinical_patient.txt").write_text(PATIENTS)
    timeline = "PATIENT_ID\tSTART_DATE\tSTOP_DATE\tEVENT_TYPE\nP1\t10\t\tTREATMENT\n"
    (tmp_path / "data_timeline_treatment.txt").write_text(timeline)
    (tmp_path / "meta_study.txt").write_text("type_of_cancer: nhl\n")
    for path in (tmp_path, tmp_path / "data_clinical_patient.txt"):
        source = read_source(path)
        assert (source.kind, source.problems) == ("cbioportal", ())
        table = source.tables[0]
        assert [c.header for c in table.columns] == ["PATIENT_ID", "OS_STATUS", "OS_MONTHS", "DIAGNOSIS"]
        assert table.columns[2].label == "Overall Survival (Months): since initial diagnosis"
        assert (table.columns[2].declared, table.columns[1].choices) == ("NUMBER", {"1:DECEASED": "1", "0:LIVING": "0"})
        assert [(r.place, r.texts[0], r.texts[1]) for r in table.rows] == [
            ("row 6", "P1", "1:DECEASED"), ("row 7", "P2", "0:LIVING"), ("row 8", "P3", "")]  # fmt: skip
        label = "Overall Survival (Months): since initial diagnosis"
        told = f"OS_MONTHS may not count from an infusion (by its description: {label})"
        assert table.remarks == (told, "cells beyond the header are not read: row 7")
    timeline = read_source(tmp_path).table("data_timeline_treatment")
    assert timeline.texts("START_DATE") == ["10"]


def test_a_file_that_is_no_clinical_file_of_cbioportal_is_a_problem(tmp_path):
    (tmp_path / "data_clinical_patient.txt").write_text("#a\tb\nx\ty\n")
    (problem,) = read_source(tmp_path).problems
    assert (problem.table, problem.rule) == ("data_clinical_patient.txt", "has no column PATIENT_ID")
