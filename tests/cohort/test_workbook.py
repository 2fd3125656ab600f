"""What a workbook's cells do not tell of themselves: merged, hidden, failed and never calculated ones."""

import zipfile

import openpyxl
import pytest

from helpers import places, problems_of, with_part, write_folder, write_sheet, write_workbook
from reinfuse import read_cohort
from reinfuse.exceptions import CohortRefused
from reinfuse.tabular.cell_parsing import is_fault, is_missing

PATIENTS = [["patient_id", "last_contact", "death", "diagnosis", "centre"],
            ["A", 500, None, "CLL", "Ulm"], ["B", 300, 300, "NHL", "Ulm"], ["C", 400, None, "ALL", "Bonn"]]  # fmt: skip
INFUSIONS = [["patient_id", "infusion", "day", "dose_cells_per_kg", "lymphodepletion"], ["A", 1, 0, 2e6, "Cy"]]
WIDE = [["patient_id", "os_days", "os_event", "LDH"], ["A", 9, 1, 240], ["B", 8, 0, 300]]


def changed(folder, sheets, change):
    path = write_workbook(folder, sheets)
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("cells", "row", "column", "value", "count"),
    [
        ("D2:D4", 1, "diagnosis", "CLL", 3),
        ("E2:E3", 1, "centre", "Ulm", 2),
        ("D3:E4", 2, "diagnosis", "NHL", 4),
        ("A1:B1", None, "patient_id", "patient_id", 2),
    ],
)
def test_merged_cells_are_refused(tmp_path, cells, row, column, value, count):
    sheets = {"patients": PATIENTS, "infusions": INFUSIONS}
    path = changed(tmp_path, sheets, lambda book: book["patients"].merge_cells(cells))
    problem = next(p for p in problems_of(path) if "merged" in p.rule)
    assert (problem.table, problem.row, problem.column, problem.value) == ("patients", row, column, value)
    assert problem.rule == "is merged with the cells beside or below it, of which only this one holds the value"
    assert problem.remedy == f"unmerge the {count} cells and fill each of them"


def test_merged_cells_without_a_value_are_no_matter(tmp_path):
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="A9:XFD1048576"/></mergeCells>'
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b"</sheetData>", merged)
    assert read_cohort(path).warnings == ()


@pytest.mark.parametrize(
    "text",
    ["#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#BLOCKED!", "#FIELD!",
     "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#PYTHON!", "#EXTERNAL!", "#GETTING_DATA", "#BEZUG!", "#WERT!", "#NOM?",
     "#ÜBERLAUF!", "#¡REF!", "#¿NOMBRE?", "Err:502", "####", "#TIMEOUT!"],
)  # fmt: skip
def test_an_error_of_a_spreadsheet_program_is_no_text(text):
    assert is_fault(text)
    assert not is_missing(text)


@pytest.mark.parametrize("text", ["#", "#1", "#12 lot", "grade #2!", "N/A", "CAR-T #2", "error"])
def test_other_texts_are_no_errors_of_a_spreadsheet_program(text):
    assert not is_fault(text)


@pytest.mark.parametrize("text", ["#N/A", "#NV", "#N/D"])
def test_not_available_is_missing_in_any_language(text):
    assert is_missing(text.casefold())


OWN = "patient_id,os_days,os_event,LDH\nA,9,1,#BLOCKED!\nB,8,0,high"


def test_an_error_in_a_column_of_ones_own_is_told_and_is_no_level(tmp_path):
    cohort = read_cohort(write_sheet(tmp_path, OWN))
    assert places(cohort.warnings) == [("sheet", 1, "LDH", "#BLOCKED!", "warning")]
    assert cohort.tables["sheet"]["LDH"].to_list() == [None, "high"]


def test_an_error_in_a_column_that_the_plan_uses_is_refused(tmp_path):
    with pytest.raises(CohortRefused) as refused:
        read_cohort(write_sheet(tmp_path, OWN), {}, used=("LDH",))
    assert places(refused.value.problems) == [("sheet", 1, "LDH", "#BLOCKED!", "error")]


def test_an_error_in_a_column_of_dated_tables_is_told(tmp_path):
    patients = "patient_id,last_contact,death,diagnosis,centre\nA,500,,CLL,#FIELD!"
    infusions = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,#SPILL!,Cy"
    problems = problems_of(write_folder(tmp_path, patients=patients, infusions=infusions))
    assert [p for p in places(problems) if p[1]] == [
        ("infusions", 1, "dose_cells_per_kg", "#SPILL!", "error"),
        ("patients", 1, "centre", "#FIELD!", "warning"),
    ]


def test_an_error_as_the_name_of_a_column_is_refused(tmp_path):
    problems = problems_of(write_sheet(tmp_path, "patient_id,os_days,os_event,#REF!\nA,9,1,4"))
    assert [(p.column, p.rule) for p in problems] == [("#REF!", "the column name is a spreadsheet error")]


def test_a_cell_of_the_type_error_is_one_whatever_its_name(tmp_path):
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b'<c r="B2" t="n"><v>9</v></c>',
                     b'<c r="B2" t="e"><v>#NEW-KIND</v></c>')  # fmt: skip
    assert places(problems_of(path)) == [("sheet", 1, "os_days", "#UNKNOWN!", "error")]


def test_formulas_never_calculated_are_named_by_row_and_column(tmp_path):
    rows = [["patient_id", "os_days", "os_event", "LDH", "age_years"], *([*r, 60] for r in WIDE[1:])]
    rows.append(["C", 7, 1, "=1+1", "=50+1"])
    problems = problems_of(write_workbook(tmp_path, {"sheet": rows}))
    assert places(problems) == [("sheet", 3, "LDH", None, "error"), ("sheet", 3, "age_years", None, "error")]


def test_a_formula_with_an_empty_text_as_its_result_is_an_empty_cell(tmp_path):
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b'<c r="D2" t="n"><v>240</v></c>',
                     b'<c r="D2" t="str"><f>IF(A2="","x","")</f><v></v></c>')  # fmt: skip
    cohort = read_cohort(path)
    assert cohort.tables["sheet"]["LDH"].to_list() == [None, "300"]
    assert cohort.warnings == ()


def test_hidden_rows_and_columns_are_read_and_told(tmp_path):
    def hide(book):
        book["sheet"].row_dimensions[3].hidden = True
        book["sheet"].column_dimensions["D"].hidden = True
        book["sheet"].column_dimensions["H"].hidden = True
        book["sheet"].row_dimensions[30].hidden = True

    cohort = read_cohort(changed(tmp_path, {"sheet": WIDE}, hide))
    assert cohort.tables["sheet"]["LDH"].to_list() == ["240", "300"]
    assert places(cohort.warnings) == [("sheet", None, "LDH", None, "warning"), ("sheet", 2, None, None, "warning")]
    assert [p.rule for p in cohort.warnings] == [
        "the column is hidden in the workbook, and is read as the others are",
        "the row is hidden in the workbook, and is read as the others are",
    ]


def test_a_hidden_sheet_of_lists_makes_no_second_wide_sheet(tmp_path):
    def hide(book):
        book["Lists"].sheet_state = "hidden"

    cohort = read_cohort(changed(tmp_path, {"Data": WIDE, "Lists": [["yes"], ["no"]]}, hide))
    assert cohort.tables["sheet"].height == 2
    assert [(p.table, p.value) for p in cohort.warnings] == [("workbook", "Lists")]


def test_a_hidden_table_is_read_and_told(tmp_path):
    def hide(book):
        book["responses"].sheet_state = "veryHidden"

    responses = [["patient_id", "day", "response"], ["A", 28, "CR"]]
    sheets = {"patients": PATIENTS[:2], "infusions": INFUSIONS, "responses": responses}
    cohort = read_cohort(changed(tmp_path, sheets, hide), {}, used=("centre",))
    assert cohort.tables["responses"].height == 1
    assert [(p.table, p.rule) for p in cohort.warnings] == [
        ("responses", "is a hidden sheet, and is read as the others are")
    ]


def test_a_stray_cell_at_the_end_of_the_sheet_is_named(tmp_path):
    path = changed(tmp_path, {"sheet": WIDE}, lambda book: book["sheet"].__setitem__("XFD1048576", "x"))
    problems = problems_of(path)
    assert [(p.row, p.column, p.rule, p.remedy) for p in problems] == [
        (None, None, "column 16384 has cells but no name", "give the column a name; row 1048575 holds its first cell"),
        (1048575, "patient_id", "patient_id is missing", "give the patient an id"),
    ]


def test_a_workbook_that_lacks_the_part_of_a_sheet_is_refused(tmp_path):
    sheets = {"patients": PATIENTS, "infusions": INFUSIONS, "therapies": [["patient_id", "day", "therapy"]]}
    path, cut = write_workbook(tmp_path, sheets), tmp_path / "cut.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(cut, "w") as target:
        for name in source.namelist():
            if name != "xl/worksheets/sheet3.xml":
                target.writestr(name, source.read(name))
    assert [p.rule for p in problems_of(cut)] == ["is not a workbook that can be read"]
