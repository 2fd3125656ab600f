"""No file takes all memory or all day: regular files only, each limit with its number in the message."""

import os
import zipfile

import polars as pl
import pytest

from helpers import problems_of, with_part, write_folder, write_sheet, write_workbook
from reinfuse import read_cohort
from reinfuse.tabular import limits

PATIENTS = "patient_id,last_contact,death,diagnosis\nA,500,,CLL"
INFUSIONS = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,2000000,Cy"
ROWS = b"<sheetData>"
WIDE = [["patient_id", "os_days", "os_event", "LDH"], ["A", 9, 1, 240], ["B", 8, 0, 300]]


def rules(path):
    return [p.rule for p in problems_of(path)]


def test_pipes_devices_and_circles_are_refused(tmp_path):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    os.mkfifo(cohort_folder / "responses.csv")
    os.mkfifo(cohort_folder / "about.toml")
    (cohort_folder / "mrd.csv").symlink_to("/dev/zero")
    (cohort_folder / "counts.csv").symlink_to("counts.csv")
    (cohort_folder / "therapies.parquet").mkdir()
    assert [(p.table, p.rule) for p in problems_of(cohort_folder)] == [
        ("about.toml", "is a pipe, not a file"),
        ("counts", "the file cannot be read"),
        ("mrd", "is a device, not a file"),
        ("responses", "is a pipe, not a file"),
        ("therapies", "is a folder, not a file"),
    ]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/dev/zero", "is a device, not a file"),
        ("x" * 300, "cannot be read"),
        ("/".join(["y" * 200] * 30), "cannot be read"),
        ("a\0b", "cannot be read"),
        ("sheet.csv/patients.csv", "there is no such file or folder"),
    ],
)
def test_a_path_that_is_no_file(tmp_path, path, rule):
    (tmp_path / "sheet.csv").write_text("a")
    assert rules(tmp_path / path) == [rule]


@pytest.mark.parametrize("name", ["sheet.csv", "sheet.parquet", "sheet.xlsx", "sheet.txt"])
def test_a_file_that_is_too_large_is_not_read(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        file.truncate(5_000_000_000)  # takes no place on the disk
    assert rules(tmp_path / name) == ["is larger than 100 MB, the limit"]


def test_a_settings_file_that_would_take_minutes_is_refused(tmp_path):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    (cohort_folder / "about.toml").write_text("x." * 90_000 + "y = 1")
    assert rules(cohort_folder) == ["holds tables or lists nested deeper than 8"]


CSV = {
    "more than 40 cells": ("a,b\n" + "1,2\n" * 20, "holds more than 40 cells, the limit"),
    "a long row of commas": ("a,b\n" + "," * 50, "holds more than 30 columns, the limit"),
    "more than 30 columns": ("a,b\n1," + "," * 30, "holds more than 30 columns, the limit"),
    "rows without a cell": ("a\n" + "|\n" * 50, "holds more than 40 cells, the limit"),
    "a long cell": ("a,b\n1," + "x" * 40_000, "holds a cell of more than 32,767 characters, the limit"),
    "a longer one": ("a,b\n1," + "x" * 200_000, "holds a cell of more than 32,767 characters, the limit"),
    "an open quotation mark": ('a,b\n1,"' + "x,y\n" * 9, "is not valid CSV"),
}


@pytest.mark.parametrize("case", CSV, ids=str)
def test_a_text_file_beyond_the_limits(tmp_path, case, monkeypatch):
    monkeypatch.setattr("reinfuse.tabular.grid.CELLS", 40)
    monkeypatch.setattr("reinfuse.tabular.grid.WIDEST", 30)
    text, rule = CSV[case]
    assert rules(write_sheet(tmp_path, text)) == [rule]


def test_a_few_bytes_of_parquet_that_stand_for_many_rows_are_not_unpacked(tmp_path):
    pl.select(patient_id=pl.repeat("P", 20_000_000)).write_parquet(tmp_path / "sheet.parquet")
    assert (tmp_path / "sheet.parquet").stat().st_size < 100_000
    assert rules(tmp_path / "sheet.parquet") == ["holds more than 1,048,576 rows, the limit"]


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_a_long_text_in_each_row_of_a_parquet_file_is_not_unpacked(tmp_path, dtype):
    frame = pl.select(patient_id=pl.repeat("P" * 30_000, 100_000).cast(dtype))
    frame.write_parquet(tmp_path / "sheet.parquet")
    assert rules(tmp_path / "sheet.parquet") == ["holds more than 200,000,000 characters, the limit"]


@pytest.mark.parametrize("kind", ["distinct texts in one group", "in many groups", "bytes"])
def test_texts_that_unpack_to_too_much_are_not_unpacked(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("reinfuse.tabular.parquet.UNPACKED_BYTES", 3_000_000)
    texts = (str(i) + "x" * 1000 for i in range(5000))
    frame = pl.DataFrame({"patient_id": [t.encode() if kind == "bytes" else t for t in texts]})
    frame.write_parquet(tmp_path / "sheet.parquet", row_group_size=100 if kind == "in many groups" else 10_000)
    assert (tmp_path / "sheet.parquet").stat().st_size < 100_000
    assert rules(tmp_path / "sheet.parquet") == ["unpacks to more than 3 MB, the limit"]


def test_lists_within_each_other_do_not_end_the_program(tmp_path):
    nested = pl.Series("patient_id", [1])
    for _ in range(300):
        nested = nested.implode()
    nested.alias("patient_id").to_frame().write_parquet(tmp_path / "sheet.parquet")
    assert rules(tmp_path / "sheet.parquet") == ["holds lists or structures in a column, which are not read"]


def test_the_end_of_a_parquet_file_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FOOTER_BYTES", 5_000_000)
    end = (6_000_000).to_bytes(4, "little") + b"PAR1"
    (tmp_path / "sheet.parquet").write_bytes(b"PAR1" + bytes(6_000_000) + end)
    assert rules(tmp_path / "sheet.parquet") == ["describes its columns in more than 5 MB, the limit"]


DAMAGED = (b"", b"\x15", b"\xff" * 30, b"\x19\xfc\xff\xff\xff\xff\x0f", b"\x1c" * 200, b"\x18\xff\x7f", b"\x00")


@pytest.mark.parametrize("end", DAMAGED)
def test_a_damaged_end_of_a_parquet_file_is_refused(tmp_path, end):
    data = b"PAR1" + end + len(end).to_bytes(4, "little") + b"PAR1"
    (tmp_path / "sheet.parquet").write_bytes(data)
    assert rules(tmp_path / "sheet.parquet") == ["is not a Parquet file that can be read"]


LONG = "an XML tag, or a text between two, of more than 1 MB"
BOMBS = {
    LONG: ROWS + b'<row x="' + b"a" * 2_000_000 + b'"/>',
    f"{LONG} in a text": ROWS + b'<row><c t="inlineStr"><is><t>' + b"a" * 2_000_000 + b"</t></is></c></row>",
    "more than 100 XML elements within each other": ROWS + b"<a>" * 200 + b"</a>" * 200,
    "more than 5,000 XML elements": ROWS + b"<row/>" * 6000,
}


@pytest.mark.parametrize("what", BOMBS, ids=str)
def test_a_workbook_beyond_the_limits(tmp_path, what, monkeypatch):
    monkeypatch.setattr(limits, "ELEMENTS", 5000)
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), ROWS, BOMBS[what])
    assert rules(path) == [f"holds {what.removesuffix(' in a text')}"]


def test_a_workbook_with_a_document_type_is_refused(tmp_path):
    entities = b'<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet '
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b"<worksheet ", entities)
    assert rules(path) == ["holds an XML document type, which no spreadsheet program writes"]


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path):
    path = write_workbook(tmp_path, {"sheet": WIDE})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/a", "w") as part:
        for _ in range(401):
            part.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000
    assert rules(path) == ["unpacks to more than 400 MB in 10,000 parts, the limit"]


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/styles.xml", b"</cellXfs>", b'<xf numFmtId="0"/>'),
        ("xl/workbook.xml", b"</workbook>", b"<a/>"),
        ("[Content_Types].xml", b"</Types>", b'<Override PartName="/a" ContentType="b"/>'),
        ("xl/_rels/workbook.xml.rels", b"</Relationships>", b'<Relationship Id="a" Type="b" Target="c"/>'),
    ],
)
def test_formats_and_names_without_end_are_refused(tmp_path, part, old, new, monkeypatch):
    monkeypatch.setattr(limits, "FORMATS", 1000)
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), old, new * 1001 + old, part)
    assert rules(path) == ["holds more than 1,000 XML elements beside its cells"]


def test_cells_of_all_sheets_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr("reinfuse.tabular.grid.CELLS", 30)
    sparse = [["x" if i == j else None for j in range(4)] for i in range(4)]
    assert rules(write_workbook(tmp_path, {"sheet": WIDE, "a": sparse})) == [
        "has 2 filled sheets, none named as a table of a cohort"
    ]
    assert rules(write_workbook(tmp_path, {"sheet": WIDE, "a": sparse, "b": sparse})) == [
        "holds more than 30 cells, the limit"
    ]


@pytest.mark.parametrize("cells", ['<c r="A2"><v>1</v></c>', '<c r="B9"><v>1</v></c><c r="B9"><v>2</v></c>'])
def test_two_cells_in_one_place_are_refused(tmp_path, cells):
    row = f"<row>{cells}</row></sheetData>".encode()
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b"</sheetData>", row)
    assert rules(path) == ["is not a workbook that can be read"]


@pytest.mark.parametrize("limit", ["number", "elements"])
def test_no_more_workbooks_beside_the_tables_are_opened_than_the_limits_allow(tmp_path, limit, monkeypatch):
    cohort_folder = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    book = write_workbook(tmp_path, {"patients": WIDE}).read_bytes()
    for i in range(9):
        (cohort_folder / f"n{i}.xlsx").write_bytes(book)
    monkeypatch.setattr(limits, "ELEMENTS", 900 if limit == "elements" else 1_000_000)
    monkeypatch.setattr("reinfuse.cohort.folder.WORKBOOKS_IN_FOLDER", 3 if limit == "number" else 100)
    problems = problems_of(cohort_folder)
    opened = [p for p in problems if p.severity == "error"]
    assert len(problems) == 9
    assert 0 < len(opened) < 9
    assert {p.rule for p in problems if p not in opened} == {"file not read: its name is not that of a table"}


def test_many_wrong_cells_are_told_by_their_number(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LISTED", 3)
    body = "".join(f"A{i // 2},x{i},1\n" for i in range(10))
    problems = problems_of(write_sheet(tmp_path, "patient_id,os_days,os_event\n" + body))
    assert [(p.column, p.row, p.rule.split(" ")[0]) for p in problems] == [
        ("os_days", None, "7"), ("patient_id", None, "2"), ("os_days", 1, "os_days"), ("os_days", 2, "os_days"),
        ("patient_id", 2, "patient_id"), ("os_days", 3, "os_days"), ("patient_id", 4, "patient_id"),
        ("patient_id", 6, "patient_id"),
    ]  # fmt: skip
    assert problems[0].rule == "7 more rows are wrong, or were not looked at after so many that are"


def test_a_last_contact_that_was_not_understood_is_not_called_empty_however_many_are(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LISTED", 3)
    patients = "patient_id,last_contact,death,diagnosis\n" + "".join(f"A{i},x{i},,CLL\n" for i in range(9))
    problems = problems_of(write_folder(tmp_path, patients=patients, infusions=INFUSIONS.replace("A,", "A1,")))
    assert [(p.table, p.row, p.column) for p in problems] == [
        ("patients", row, "last_contact") for row in (None, 1, 2, 3)
    ]


def test_an_error_behind_many_warnings_stays_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LISTED", 2)
    cells = ["#REF!"] * 5 + ["a\u202eb"]
    text = "patient_id,os_days,os_event,x\n" + "".join(f"A{i},9,1,{cell}\n" for i, cell in enumerate(cells))
    assert [(p.row, p.severity) for p in problems_of(write_sheet(tmp_path, text))] == [
        (6, "error"), (None, "warning"), (1, "warning"), (2, "warning"),
    ]  # fmt: skip


def test_more_kinds_of_toxicity_than_a_report_holds_are_refused(tmp_path):
    kinds = "patient_id,infusion,kind,grade,day\n" + "".join(f"A,1,K{i},2,5\n" for i in range(201))
    rule = "has more than 200 kinds of toxicity, the most that are analysed"
    assert rules(write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS, toxicities=kinds)) == [rule]
    names = ",".join(f"toxicity_k{i}_grade" for i in range(201))
    assert rules(write_sheet(tmp_path, f"patient_id,os_days,os_event,{names}\nA,9,1{',2' * 201}")) == [rule]


def test_more_patients_than_can_be_analysed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "PATIENTS", 2)
    rule = "holds more than 250,000 patients, the most that are analysed"
    assert rules(write_sheet(tmp_path, "patient_id,os_days,os_event\nA,1,1\nB,1,1\nC,1,1")) == [rule]
    patients = PATIENTS + "\nB,500,,CLL\nC,500,,CLL"
    assert rules(write_folder(tmp_path, patients=patients, infusions=INFUSIONS)) == [rule]


def test_marks_piled_upon_a_letter_are_refused_before_they_are_put_in_order(tmp_path):
    """The order of 30,000 marks takes seconds a cell; a file holds thousands of such cells."""
    piled = "a" + "\u0315" * 15_000 + "\u0300" * 15_000
    text = f"patient_id,os_days,os_event,x\nA,9,1,{piled}\nB,9,1,e" + "\u0301" * 30
    (problem,) = problems_of(write_sheet(tmp_path, text))
    assert (problem.row, problem.column) == (1, "x")
    assert problem.rule == "holds more than 30 accents or other marks upon one letter"


def test_cells_far_apart_take_no_place(tmp_path):
    cells = "".join(f'<row r="{i}"><c r="A{i}"><v>{i}</v></c></row>' for i in (900_000, 1_048_576)).encode()
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b"</sheetData>", cells + b"</sheetData>")
    assert read_cohort(path).tables["sheet"]["patient_id"].to_list() == ["A", "B", "900000", "1048576"]


@pytest.mark.parametrize("place", ["XFE1", "A1048577", "A0"])
def test_a_cell_outside_every_sheet_is_refused(tmp_path, place):
    cell = f'<row><c r="{place}"><v>1</v></c></row></sheetData>'.encode()
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b"</sheetData>", cell)
    assert rules(path) == ["is not a workbook that can be read"]
