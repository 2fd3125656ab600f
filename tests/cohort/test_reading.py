"""Files as centres keep them: what is read, and what is refused and why."""

import zipfile
from datetime import date, datetime

import openpyxl
import polars as pl
import pytest

from helpers import places, problems_of, write_folder, write_sheet, write_workbook
from reinfuse import read_cohort
from reinfuse.cohort.raw_tables import ROW, TIME
from reinfuse.cohort.template import write_template
from reinfuse.cohort.typed_table import CLASS_SUFFIX

PATIENTS = """patient_id,last_contact,death,diagnosis
A,500,,CLL
B,300,300,NHL"""
INFUSIONS = """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
A,1,0,2000000,Cy/Flu
A,2,100,20000000,Cy/Flu
B,1,0,2000000,Cy
B,2,150,1000000,Cy/Flu"""
DOSES = [2e6, 2e7, 2e6, 1e6]


def write_bytes(folder, data, name="infusions.csv"):
    cohort_folder = write_folder(folder, patients=PATIENTS, infusions=INFUSIONS)
    (cohort_folder / name).write_bytes(data)
    return cohort_folder


def said(cohort):
    return [(r.table, r.column, r.what, r.count) for r in cohort.readings]


def test_a_plain_folder_is_read_without_a_word(tmp_path):
    cohort = read_cohort(write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS))
    assert cohort.tables["infusions"]["dose_cells_per_kg"].to_list() == DOSES
    assert cohort.tables["infusions"]["lymphodepletion" + CLASS_SUFFIX].to_list() == [
        "Cy-Flu",
        "Cy-Flu",
        "Cy",
        "Cy-Flu",
    ]
    assert cohort.tables["patients"]["death"].to_list() == [None, 300]
    assert (cohort.wide, cohort.warnings, said(cohort)) == (False, (), [])
    assert sorted(cohort.sources) == ["infusions.csv", "patients.csv"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (INFUSIONS.encode("utf-8-sig"), []),
        (INFUSIONS.encode("utf-16"), []),
        (INFUSIONS.replace("\n", "\r\n").encode(), []),
        (INFUSIONS.replace("\n", "\r").encode(), []),
        (INFUSIONS.replace(",", ";").encode(), [("infusions", None, "columns separated by ';' instead of a comma", 1)]),
        (
            INFUSIONS.replace(",", "\t").encode(),
            [("infusions", None, "columns separated by '\\t' instead of a comma", 1)],
        ),
        (INFUSIONS.replace(",100,", ',"100",').encode(), []),
        (INFUSIONS.replace("\nB", "\n\n,,,,\nB", 1).encode(), [("infusions", None, "empty rows left out", 2)]),
        (
            INFUSIONS.replace("A,1", " A\u00a0,  1").encode(),
            [("infusions", "patient_id", "spaces", 1), ("infusions", "infusion", "spaces", 1)],
        ),
        (
            INFUSIONS.replace("dose_cells_per_kg", "Dose (cells per kg)").encode(),
            [("infusions", "dose_cells_per_kg", "column name", 1)],
        ),
    ],
    ids=["bom", "utf-16", "crlf", "cr", "semicolon", "tab", "quoted", "blank rows", "spaces", "header"],
)
def test_the_same_table_written_otherwise(tmp_path, data, told):
    cohort = read_cohort(write_bytes(tmp_path, data))
    assert cohort.tables["infusions"]["dose_cells_per_kg"].to_list() == DOSES
    assert cohort.tables["infusions"]["patient_id"].to_list() == ["A", "A", "B", "B"]
    assert said(cohort) == told


def test_windows_1252_is_read_and_told(tmp_path):
    text = (
        PATIENTS.replace("diagnosis\n", "diagnosis,histology\n").replace("CLL", "CLL,Grünwald").replace("L\n", "L,\n")
    )
    cohort_folder = write_folder(tmp_path, infusions=INFUSIONS)
    (cohort_folder / "patients.csv").write_bytes((text + ",x").encode("cp1252"))
    cohort = read_cohort(cohort_folder)
    assert cohort.tables["patients"]["histology"].to_list() == ["Grünwald", "x"]
    assert said(cohort) == [("patients", None, "file in Windows-1252 instead of UTF-8", 1)]


def test_quoted_commas_and_line_ends_stay_in_their_cell(tmp_path):
    quoted = INFUSIONS.replace("A,2,100,20000000,Cy/Flu", 'A,2,100,"20,000,000","Cy,\nFlu"')
    cohort = read_cohort(write_bytes(tmp_path, quoted.encode()))
    assert cohort.tables["infusions"]["dose_cells_per_kg"].to_list() == DOSES
    assert cohort.tables["infusions"]["lymphodepletion" + CLASS_SUFFIX].to_list() == [
        "Cy-Flu",
        "Cy-Flu",
        "Cy",
        "Cy-Flu",
    ]


def test_rows_are_counted_with_the_blank_ones(tmp_path):
    blank = INFUSIONS.replace("\nB,1", "\n\nB,1", 1).replace("1000000,", "-5,")
    problems = problems_of(write_bytes(tmp_path, blank.encode()))
    assert places(problems) == [("infusions", 5, "dose_cells_per_kg", "-5", "error")]


@pytest.mark.parametrize(
    ("data", "table", "row", "column", "rule"),
    [
        (b"", "infusions", None, None, "is empty"),
        (b"\n\n", "infusions", None, None, "is empty"),
        (b"\x00\x01\x02rubbish", "infusions", None, None, "is not a text file"),
        (bytes(range(1, 256)), "infusions", None, None, "is not a text file"),
        (b"patient_id,infusion\xff\x8d\x90\n", "infusions", None, None, "is not a text file"),
        (INFUSIONS.encode("utf-16")[:-1], "infusions", None, None, "is not a text file"),
        (INFUSIONS.replace("Cy\n", '"Cy\n').encode(), "infusions", None, None, "is not valid CSV"),
        (INFUSIONS.replace("A,2,100", "A,2").encode(), "infusions", 2, None, "has 4 cells where the header has 5"),
        (INFUSIONS.replace("Cy/Flu", "Cy, Flu").encode(), "infusions", 1, None, "has 6 cells where the header has 5"),
        (INFUSIONS.replace("infusion,", "day,", 1).encode(), "infusions", None, "day", "the column occurs twice"),
        (INFUSIONS.replace("infusion,", ",", 1).encode(), "infusions", None, None, "column 2 has cells but no name"),
        (
            INFUSIONS.replace("infusion,", "Day,", 1).encode(),
            "infusions",
            None,
            "Day",
            "the columns 'day' and 'Day' are both read as day",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, data, table, row, column, rule):
    problems = problems_of(write_bytes(tmp_path, data))
    assert (table, row, column, rule) in [(p.table, p.row, p.column, p.rule) for p in problems]


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    (cohort_folder / "mrd.csv").mkdir()
    assert [(p.table, p.rule) for p in problems_of(cohort_folder)] == [("mrd", "is a folder, not a file")]


def test_a_path_that_does_not_exist(tmp_path):
    assert [(p.table, p.rule) for p in problems_of(tmp_path / "nowhere")] == [(None, "there is no such file or folder")]


def test_an_empty_folder_lacks_the_required_tables(tmp_path):
    problems = problems_of(tmp_path)
    assert [(p.table, p.rule) for p in problems] == [
        ("infusions", "the table is missing"),
        ("patients", "the table is missing"),
    ]
    assert problems[0].remedy.startswith("add infusions.csv or a sheet infusions")


def test_a_missing_table(tmp_path):
    cohort_folder = write_folder(tmp_path, infusions=INFUSIONS, responses="patient_id,day,response\nA,130,CR")
    assert [(p.table, p.rule) for p in problems_of(cohort_folder)] == [("patients", "the table is missing")]


@pytest.mark.parametrize("name", ["cohort.xls", "cohort.ods", "cohort", "cohort.pdf"])
def test_files_of_other_kinds_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    (problem,) = problems_of(tmp_path / name)
    assert problem.rule.endswith("are not read")
    assert problem.remedy == "save it as .xlsx, .csv or .parquet"


def test_one_table_in_two_files_is_refused(tmp_path):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    pl.DataFrame({"patient_id": ["A"]}).write_parquet(cohort_folder / "patients.parquet")
    assert ("patients", "is there in two files") in [(p.table, p.rule) for p in problems_of(cohort_folder)]


def test_tables_of_both_dates_and_days_are_refused(tmp_path):
    responses = "patient_id,date,response\nA,2024-01-01,CR"
    problems = problems_of(write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS, responses=responses))
    assert ("responses", None, "date", "the cohort is dated both by date and by day") in [
        (p.table, p.row, p.column, p.rule) for p in problems
    ]


def test_a_table_with_date_and_day_is_refused(tmp_path):
    both = INFUSIONS.replace("day,", "day,date,").replace(",0,2", ",0,2020-01-01,2")
    both = both.replace("100,", "100,2020-04-10,").replace("150,", "150,2020-05-30,")
    problems = problems_of(write_folder(tmp_path, patients=PATIENTS, infusions=both))
    assert ("infusions", "day", "has both a date and a day column") in [(p.table, p.column, p.rule) for p in problems]


def test_a_table_with_neither_date_nor_day_is_refused(tmp_path):
    problems = problems_of(write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS, mrd="patient_id,result\nA,x"))
    assert ("mrd", "date", "has neither a date nor a day column") in [(p.table, p.column, p.rule) for p in problems]


PARQUET = {
    "patients": pl.DataFrame(
        {
            "patient_id": [1, 2],
            "last_contact": [date(2021, 5, 15), date(2020, 10, 27)],
            "death": [None, datetime(2020, 10, 27)],
            "diagnosis": pl.Series(["CLL", "NHL"], dtype=pl.Categorical),
            "age_years": [61.5, None],
        }
    ),
    "infusions": pl.DataFrame(
        {
            "patient_id": [1, 1, 2, 2],
            "infusion": pl.Series([1, 2, 1, 2], dtype=pl.UInt8),
            "date": [date(2020, 1, 1), date(2020, 4, 10), date(2020, 1, 1), date(2020, 5, 30)],
            "dose_cells_per_kg": [2e6, 2e7, 2e6, float("nan")],
            "lymphodepletion": ["Cy/Flu", "Cy/Flu", "Cy", None],
            "bulky": [True, None, False, False],
        }
    ),
}


def test_parquet_keeps_its_types(tmp_path):
    for name, frame in PARQUET.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    cohort = read_cohort(tmp_path)
    patients, infusions = cohort.tables["patients"], cohort.tables["infusions"]
    assert patients["patient_id"].to_list() == ["1", "2"]
    assert patients["last_contact"].to_list() == [
        (d - date(1970, 1, 1)).days for d in PARQUET["patients"]["last_contact"]
    ]
    assert patients["death"].to_list() == [None, (date(2020, 10, 27) - date(1970, 1, 1)).days]
    assert patients["age_years"].to_list() == [61.5, None]
    assert infusions["dose_cells_per_kg"].to_list() == [2e6, 2e7, 2e6, None]
    assert infusions["bulky"].to_list() == ["yes", None, "no", "no"]
    assert infusions["lymphodepletion" + CLASS_SUFFIX].to_list() == ["Cy-Flu", "Cy-Flu", "Cy", None]
    assert infusions[TIME].to_list() == [18262, 18362, 18262, 18412]


def test_parquet_with_a_nested_column_is_refused(tmp_path):
    cohort_folder = write_folder(tmp_path, infusions=INFUSIONS)
    pl.DataFrame({"patient_id": ["A"], "diagnosis": [["CLL", "NHL"]]}).write_parquet(cohort_folder / "patients.parquet")
    rule = "holds lists or structures in a column, which are not read"
    assert [(p.table, p.rule) for p in problems_of(cohort_folder)] == [("patients", rule)]


@pytest.mark.parametrize("keep", [0, 3, 20, -4, -20])
def test_a_truncated_parquet_file_is_refused(tmp_path, keep):
    cohort_folder = write_folder(tmp_path, infusions=INFUSIONS)
    PARQUET["patients"].write_parquet(cohort_folder / "patients.parquet")
    data = (cohort_folder / "patients.parquet").read_bytes()
    (cohort_folder / "patients.parquet").write_bytes(data[:keep])
    assert [(p.table, p.rule) for p in problems_of(cohort_folder)] == [
        ("patients", "is not a Parquet file that can be read")
    ]


SHEETS = {
    "Patients": [
        ["patient_id", "last_contact", "death", "diagnosis", "age_years"],
        ["A", date(2021, 5, 15), None, "CLL", 61.5],
        [7, datetime(2020, 10, 27), date(2020, 10, 27), "NHL", "n/a"],
    ],
    " INFUSIONS": [
        ["patient_id", "infusion", "date", "dose_cells_per_kg", "lymphodepletion", "bulky", None],
        ["A", 1, datetime(2020, 1, 1), 2000000, "Cy/Flu", True],
        ["A", 2.0, datetime(2020, 4, 10), 2e7, "Cy/Flu", "no"],
        [None, None],
        [7, 1, datetime(2020, 1, 1), "2x10^6", "Cy", False],
    ],
    "explanations": [["table", "column"], ["patients", "patient_id"]],
}


def test_a_workbook_keeps_its_types(tmp_path):
    cohort = read_cohort(write_workbook(tmp_path, SHEETS))
    patients, infusions = cohort.tables["patients"], cohort.tables["infusions"]
    assert sorted(cohort.tables) == ["infusions", "patients"]
    assert patients["patient_id"].to_list() == ["A", "7"]
    assert patients["last_contact"].to_list() == [18762, 18562]
    assert patients["death"].to_list() == [None, 18562]
    assert patients["age_years"].to_list() == [61.5, None]
    assert infusions["infusion"].to_list() == [1, 2, 1]
    assert infusions["date"].to_list() == [18262, 18362, 18262]
    assert infusions["dose_cells_per_kg"].to_list() == [2e6, 2e7, 2e6]
    assert infusions["bulky"].to_list() == ["yes", "no", "no"]
    assert infusions[ROW].to_list() == [1, 2, 4]
    assert said(cohort) == [
        ("infusions", None, "empty rows left out", 1),
        ("patients", "age_years", "missing", 1),
        ("infusions", "dose_cells_per_kg", "power of ten", 1),
    ]


def test_other_sheets_are_left_out_with_a_word(tmp_path):
    cohort = read_cohort(write_workbook(tmp_path, SHEETS | {"Notes": [["call A"]], "empty": []}))
    assert [(p.table, p.value, p.rule, p.severity) for p in cohort.warnings] == [
        ("workbook", "Notes", "sheet not read: its name is not that of a table", "warning")
    ]


def test_a_workbook_with_two_sheets_of_unknown_names_is_refused(tmp_path):
    path = write_workbook(tmp_path, {"one": [["a"], ["b"]], "two": [["a"], ["b"]]})
    assert [p.rule for p in problems_of(path)] == ["has 2 filled sheets, none named as a table of a cohort"]


def test_one_table_in_two_sheets_is_refused(tmp_path):
    path = write_workbook(tmp_path, SHEETS | {"patients ": SHEETS["Patients"]})
    assert ("patients", "is there in two sheets") in [(p.table, p.rule) for p in problems_of(path)]


def test_a_formula_without_a_stored_result_is_refused(tmp_path):
    patients = [*SHEETS["Patients"], ["B", date(2021, 1, 1), None, "ALL", "=60+1"]]
    problems = problems_of(write_workbook(tmp_path, SHEETS | {"Patients": patients}))
    assert [(p.table, p.row, p.column, p.rule) for p in problems] == [
        ("patients", 3, "age_years", "holds a formula without a stored result")
    ]


def test_an_error_of_the_spreadsheet_program_is_a_problem(tmp_path):
    patients = [*SHEETS["Patients"], ["B", date(2021, 1, 1), None, "#REF!", "#DIV/0!"]]
    problems = problems_of(write_workbook(tmp_path, SHEETS | {"Patients": patients}))
    assert places(problems) == [
        ("patients", 3, "age_years", "#DIV/0!", "error"),
        ("patients", 3, "diagnosis", "#REF!", "error"),
    ]


def test_a_wrong_extent_in_a_workbook_cuts_nothing_off(tmp_path):
    path, cut = write_workbook(tmp_path, SHEETS), tmp_path / "cut.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(cut, "w") as new:
        assert b'<dimension ref="A1:G5"' in old.read("xl/worksheets/sheet2.xml")
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:G5"', b'<dimension ref="A1:F3"'))
    assert read_cohort(cut).tables["infusions"].equals(read_cohort(path).tables["infusions"])


def test_the_template_is_read_once_it_is_filled(tmp_path):
    write_template(tmp_path)
    book = openpyxl.load_workbook(tmp_path / "cohort.xlsx")
    for title, row in {
        "patients": {"patient_id": "A", "last_contact": date(2021, 5, 15), "diagnosis": "CLL"},
        "infusions": {"patient_id": "A", "infusion": 1, "date": date(2020, 1, 1)},
    }.items():
        header = [c.value for c in book[title][1]]
        book[title].append([row.get(name) for name in header])
    book.save(tmp_path / "cohort.xlsx")
    cohort = read_cohort(tmp_path / "cohort.xlsx")
    assert cohort.tables["patients"]["patient_id"].to_list() == ["A"]
    assert cohort.warnings == ()


@pytest.mark.parametrize("keep", [0, 4, 100, 1500, -30, -1])
def test_a_truncated_workbook_is_refused(tmp_path, keep):
    path = write_workbook(tmp_path, SHEETS)
    path.write_bytes(path.read_bytes()[:keep])
    assert [(p.table, p.rule) for p in problems_of(path)] == [(None, "is not a workbook that can be read")]


def test_a_workbook_with_a_damaged_sheet_is_refused(tmp_path):
    path, bad = write_workbook(tmp_path, SHEETS), tmp_path / "bad.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bad, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<worksheet><sheetData><row>" if "sheet1" in name else old.read(name))
    assert [(p.table, p.rule) for p in problems_of(bad)] == [(None, "is not a workbook that can be read")]


def test_a_workbook_renamed_to_csv_is_refused(tmp_path):
    path = write_workbook(tmp_path, SHEETS)
    renamed = path.rename(tmp_path / "cohort.csv")
    assert [(p.table, p.rule) for p in problems_of(renamed)] == [("sheet", "is not a text file")]


def test_a_csv_renamed_to_xlsx_is_refused(tmp_path):
    path = write_sheet(tmp_path, PATIENTS, "cohort.xlsx")
    assert [(p.table, p.rule) for p in problems_of(path)] == [(None, "is not a workbook that can be read")]


ODD_DOSES = {
    "a semicolon file with no other evidence": (";", ["1,500", "2,500"], None),
    "a tab file with no other evidence": ("\t", ["1,500", "2,500"], None),
    "a semicolon file with decimal commas": (";", ["1500,5", "2,500"], [1500.5, 2.5]),
    "a semicolon file with decimal points": (";", ["1500.5", "2,500"], [1500.5, 2500]),
}


@pytest.mark.parametrize("case", ODD_DOSES, ids=str)
def test_a_number_with_two_readings_follows_its_file(tmp_path, case):
    separator, texts, values = ODD_DOSES[case]
    rows = [f"A,{day},{text},cells/uL".split(",", 2) for day, text in zip((101, 102), texts, strict=True)]
    lines = ["patient_id,day,value,unit".replace(",", separator)]
    lines += [separator.join([p, d, *rest.rsplit(",", 1)]) for p, d, rest in rows]
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    (cohort_folder / "counts.csv").write_text("\n".join(lines))
    if values is None:
        expected = [("counts", i, "value", t, "error") for i, t in enumerate(texts, 1)]
        assert places(problems_of(cohort_folder)) == expected
    else:
        assert read_cohort(cohort_folder).tables["counts"]["value"].to_list() == values


def test_a_case_of_about_toml(tmp_path):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    (cohort_folder / "about.toml").write_text('title = "T"\nsynthetic = true\nlimits = ["a", "b"]')
    about = read_cohort(cohort_folder).about
    assert (about.title, about.synthetic, about.limits) == ("T", True, ("a", "b"))


def test_an_about_toml_that_is_no_toml_is_refused(tmp_path):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    (cohort_folder / "about.toml").write_text("title: T")
    rule = "Expected '=' after a key in a key/value pair (at line 1, column 6)"
    assert [(p.table, p.rule) for p in problems_of(cohort_folder)] == [("about.toml", rule)]
