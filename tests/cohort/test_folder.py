"""Every file of a folder and every sheet of a workbook is read, or told; one of nearly a table's name is refused."""

import openpyxl
import polars as pl
import pytest

from helpers import problems_of, write_folder, write_sheet, write_workbook
from reinfuse import read_cohort
from reinfuse.cohort.file_names import near_table, table_named
from reinfuse.cohort.template import write_template

PATIENTS = "patient_id,last_contact,death,diagnosis\nA,500,,CLL\nB,300,300,NHL"
INFUSIONS = (
    "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,2000000,Cy\nA,2,100,2000000,Cy\nB,1,0,2000000,Cy"
)
THERAPIES = "patient_id,day,therapy\nA,160,ibrutinib"
TABLES = {
    "patients": [["patient_id", "last_contact", "death", "diagnosis"], ["A", 500, None, "CLL"]],
    "infusions": [["patient_id", "infusion", "day", "dose_cells_per_kg", "lymphodepletion"], ["A", 1, 0, 2e6, "Cy"]],
}
TOXICITY = [["patient_id", "infusion", "kind", "grade"], ["A", 1, "CRS", 2]]


def folder(tmp_path, *others):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    for name in others:
        (cohort_folder / name).write_text(THERAPIES + "\n", encoding="utf-8")
    return cohort_folder


def template(tmp_path):
    write_template(tmp_path / "template")
    return tmp_path / "template" / "cohort.xlsx"


def errors(path):
    return [(p.table, p.value) for p in problems_of(path) if p.severity == "error"]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("therapy.csv", "therapies"),
        ("Therapy.CSV", "therapies"),
        ("therapies.csv.csv", "therapies"),
        ("therapies.tsv", "therapies"),
        ("therapies.txt", "therapies"),
        ("therapies", "therapies"),
        ("therapies.csv.bak", "therapies"),
        ("therapies.csv.gz", "therapies"),
        ("therapies (1).csv", "therapies"),
        ("Copy of therapies.csv", "therapies"),
        ("therapies_2024-03-01.csv", "therapies"),
        ("theraphies.csv", "therapies"),
        ("therapies.xlsx", "therapies"),
        ("therapies.json", "therapies"),
        ("therapies.sas7bdat", "therapies"),
        (".therapies.csv", "therapies"),
        ("toxicity.csv", "toxicities"),
        ("tox.csv", "toxicities"),
        ("response.csv", "responses"),
        ("Responses_final.csv", "responses"),
        ("MRDs.csv", "mrd"),
        ("mrd-results.csv", "mrd"),
        ("cell counts.csv", "counts"),
        ("patients (1).csv", "patients"),
        ("infusion.parquet", "infusions"),
        ("pacientes.csv", "patients"),
    ],
)
def test_a_file_of_nearly_a_tables_name_is_refused(tmp_path, name, table):
    cohort_folder = folder(tmp_path, name)
    assert errors(cohort_folder) == [(table, name)]
    (problem,) = problems_of(cohort_folder)
    assert problem.rule == f"is read from {table}.csv or {table}.parquet, and a file of nearly this name is not read"
    assert problem.remedy.startswith(f"save it as {table}.csv")


@pytest.mark.parametrize("name", ["Therapies.csv", "THERAPIES.CSV", " therapies .csv"])
def test_case_and_spaces_make_no_other_name(tmp_path, name):
    assert read_cohort(folder(tmp_path, name)).tables["therapies"].height == 1


@pytest.mark.parametrize(
    "name",
    [".DS_Store", "Thumbs.db", "desktop.ini", "~$patients.xlsx", "._patients.csv", ".~lock.patients.csv#", "plan.toml",
     "map.toml", "corrections.csv", "provenance.csv", ".gitignore"],
)  # fmt: skip
def test_files_that_stand_beside_the_tables_by_right_are_no_matter(tmp_path, name):
    cohort = read_cohort(folder(tmp_path, name))
    assert (cohort.warnings, cohort.readings) == ((), ())


def test_documents_are_told_in_a_note(tmp_path):
    cohort = read_cohort(folder(tmp_path, "README.md", "patients.pdf", "therapies protocol.docx", "notes.txt"))
    assert [(r.table, r.what, r.count) for r in cohort.readings] == [
        ("folder", "files that are not tables, not read", 4)
    ]
    assert cohort.warnings == ()


@pytest.mark.parametrize("name", ["labs.csv", "labs.parquet", "labs.xlsx", "scan.zip", "ecog.sav"])
def test_a_file_that_may_hold_data_is_a_warning(tmp_path, name):
    (warning,) = read_cohort(folder(tmp_path, name)).warnings
    assert (warning.table, warning.value, warning.severity) == ("folder", name, "warning")
    assert warning.rule == "file not read: its name is not that of a table"


def test_one_table_in_two_files_of_a_folder(tmp_path):
    cohort_folder = folder(tmp_path)
    pl.DataFrame({"patient_id": ["A"]}).write_parquet(cohort_folder / "patients.parquet")
    write_sheet(cohort_folder, PATIENTS, "x").rename(cohort_folder / "Patients.CSV")
    assert [(p.table, p.value, p.rule) for p in problems_of(cohort_folder) if p.rule == "is there in two files"] == [
        ("patients", "patients.csv", "is there in two files"),
        ("patients", "patients.parquet", "is there in two files"),
    ]


def test_a_workbook_with_tables_beside_files_is_refused(tmp_path):
    cohort_folder = folder(tmp_path)
    write_workbook(tmp_path, TABLES | {"Toxicity": TOXICITY}).rename(cohort_folder / "data.xlsx")
    assert errors(cohort_folder) == [("folder", "data.xlsx")]
    rule = "a workbook in the folder is not read, and has sheets for patients, infusions, toxicities"
    assert problems_of(cohort_folder)[0].rule == rule


def test_the_empty_template_beside_filled_files_is_no_matter(tmp_path):
    cohort_folder = folder(tmp_path)
    template(tmp_path).rename(cohort_folder / "cohort.xlsx")
    cohort = read_cohort(cohort_folder)
    assert (cohort.warnings, cohort.readings) == ((), ())


def test_a_sheet_of_the_template_that_was_filled_is_refused(tmp_path):
    cohort_folder = folder(tmp_path)
    book = openpyxl.load_workbook(template(tmp_path))
    book["therapies"].append(["A", "2024-01-01", "ibrutinib"])
    book.save(cohort_folder / "cohort.xlsx")
    assert errors(cohort_folder) == [("folder", "cohort.xlsx")]


@pytest.mark.parametrize("name", ["sheet.csv", "Sheet1.csv", "sheet (1).csv"])
def test_a_wide_sheet_beside_tables_is_refused(tmp_path, name):
    assert errors(folder(tmp_path, name)) == [("folder", name)]


def test_a_folder_with_one_file_of_another_name_says_how_it_is_read(tmp_path):
    cohort_folder = write_folder(tmp_path, outcomes="patient_id,os_days,os_event\nA,1,1")
    warning = next(p for p in problems_of(cohort_folder) if p.severity == "warning")
    assert (warning.value, "a wide sheet is read if you name the file itself" in warning.remedy) == (
        "outcomes.csv",
        True,
    )
    assert read_cohort(cohort_folder / "outcomes.csv").wide


def test_a_folder_of_a_tables_name_is_refused(tmp_path):
    cohort_folder = folder(tmp_path)
    (cohort_folder / "responses").mkdir()
    (cohort_folder / "old").mkdir()
    assert errors(cohort_folder) == [("responses", "responses")]


@pytest.mark.parametrize(
    ("title", "table"),
    [
        ("Toxicity", "toxicities"),
        ("Toxicities 2024", "toxicities"),
        ("responses_new", "responses"),
        ("MRD test", "mrd"),
    ],
)
def test_a_sheet_of_nearly_a_tables_name_is_refused(tmp_path, title, table):
    path = write_workbook(tmp_path, TABLES | {title: TOXICITY})
    assert errors(path) == [(table, title)]
    rule = f"is read from a sheet {table}, and a sheet of nearly this name is not read"
    assert [p.rule for p in problems_of(path)] == [rule]


def test_two_sheets_of_nearly_known_names_are_named(tmp_path):
    path = write_workbook(tmp_path, {"Patient": TABLES["patients"], "Infusion": TABLES["infusions"]})
    (problem,) = problems_of(path)
    assert problem.remedy.startswith("is 'Patient' the table patients?; is 'Infusion' the table infusions?")


@pytest.mark.parametrize("name", ["labs", "readme", "ecog", "outcomes", "demographics", "notes", "figures", "plan"])
def test_other_names_are_near_to_no_table(name):
    assert (table_named(name), near_table(f"{name}.csv")) == (None, None)


def test_a_file_name_is_printed_without_what_moves_the_terminal(tmp_path):
    (warning,) = read_cohort(folder(tmp_path, "\x1b[2J\nlabs.csv")).warnings
    assert warning.value == "?[2J?labs.csv"


def test_an_about_file_is_found_in_any_case(tmp_path):
    cohort_folder = folder(tmp_path)
    (cohort_folder / "About.TOML").write_text("synthetic = true")
    assert read_cohort(cohort_folder).about.synthetic


@pytest.mark.parametrize(("text", "rule"), [
    ("x = " + "[" * 100_000, "holds tables or lists nested deeper than 8"),
    ("x = " + "9" * 5000, "holds an integer beyond 9223372036854775808"),
    ("x = 1\n" * 2, "Cannot overwrite a value (at line 2, column 6)"),
    ("\ud800", "is not a text in UTF-8"),
])  # fmt: skip
def test_an_about_file_that_cannot_be_read_is_refused(tmp_path, text, rule):
    cohort_folder = folder(tmp_path)
    (cohort_folder / "about.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert [(p.table, p.rule) for p in problems_of(cohort_folder)] == [("about.toml", rule)]
