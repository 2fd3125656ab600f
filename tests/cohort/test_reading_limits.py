"""No file takes all memory or all day: regular files only, each limit with its number in the message."""

import os
import zipfile

import polars as pl
import pytest

from helpers import problems_of, with_part, write_folder, write_sheet, write_workbook
from reinfuse.cohort.cohort import read_cohort
from reinfuse.tabular import limits

PATIENTS = "patient_id,last_contact,death,diagnosis\nA,500,,CLL"
INFUSIONS = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,2000000,Cy"
ROWS = b"<sheetData>"
WIDE = [["patient_id", "os_days", "os_event", "LDH"], ["A", 9, 1, 240], ["B", 8, 0, 300]]


def rules(path):
    return [p.rule for p in problems_of(path)]


def test_pipes_devices_and_circles_are_refused(tmp_path):
    made = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    os.mkfifo(made / "responses.csv")
    os.mkfifo(made / "about.toml")
    (made / "mrd.csv").symlink_to("/dev/zero")
    (made / "counts.csv").symlink_to("counts.csv")
    (made / "therapies.parquet").mkdir()
    assert [(p.table, p.rule) for p in problems_of(made)] == [
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
    assert rules(tmp_path / name) == ["is larger than 100 MB, the most that is read"]


def test_a_settings_file_that_would_take_minutes_is_refused(tmp_path):
    made = write_folder(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    (made / "about.toml").write_text("x." * 90_000 + "y = 1")
    assert rules(made) == ["holds tables or lists nested deeper than 8"]


CSV = {
    "more than 40 cells": ("a,b\n" + "1,2\n" * 20, "holds more than 40 cells, the most that are read"),
    "a long row of commas": ("a,b\n" + "," * 50, "holds more than 40 cells, the most that are read"),
    "rows without a cell": ("a\n" + "|\n" * 50, "holds more than 40 cells, the most that are read"),
    "a long cell": ("a,b\n1," + "x" * 40_000, "holds a cell of more than 32,767 characters, the most that is read"),
    "a longer one": ("a,b\n1," + "x" * 200_000, "holds a cell of more than 32,767 characters, the most that is read"),
    "an open quotation mark": ('a,b\n1,"' + "x,y\n" * 9, "is not valid CSV"),
}


@pytest.mark.parametrize("case", CSV, ids=str)
def test_a_text_file_beyond_the_limits(tmp_path, case, monkeypatch):
    monkeypatch.setattr("reinfuse.tabular.grid.CELLS", 40)
    text, rule = CSV[case]
    assert rules(write_sheet(tmp_path, text)) == [rule]


def test_a_few_bytes_of_parquet_that_stand_for_many_rows_are_not_unpacked(tmp_path):
    pl.select(patient_id=pl.repeat("P", 20_000_000)).write_parquet(tmp_path / "sheet.parquet")
    assert (tmp_path / "sheet.parquet").stat().st_size < 100_000
    assert rules(tmp_path / "sheet.parquet") == ["holds more than 1,048,576 rows, the most that are read"]


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_a_long_text_in_each_row_of_a_parquet_file_is_not_unpacked(tmp_path, dtype):
    frame = pl.select(patient_id=pl.repeat("P" * 30_000, 100_000).cast(dtype))
    frame.write_parquet(tmp_path / "sheet.parquet")
    assert rules(tmp_path / "sheet.parquet") == ["holds more than 200,000,000 characters, the most that is read"]


BOMBS = {
    "an XML tag of more than 1 MB": ROWS + b'<row x="' + b"a" * 2_000_000 + b'"/>',
    "more than 100 XML elements within each other": ROWS + b"<a>" * 200 + b"</a>" * 200,
    "more than 5,000 XML elements": ROWS + b"<row/>" * 6000,
}


@pytest.mark.parametrize("what", BOMBS, ids=str)
def test_a_workbook_beyond_the_limits(tmp_path, what, monkeypatch):
    monkeypatch.setattr(limits, "ELEMENTS", 5000)
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), ROWS, BOMBS[what])
    assert rules(path) == [f"holds {what}"]


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
    assert rules(path) == ["unpacks to more than 400 MB in 10,000 parts, the most that is read"]


def test_cells_far_apart_take_no_place(tmp_path):
    cells = "".join(f'<row r="{i}"><c r="A{i}"><v>{i}</v></c></row>' for i in (900_000, 1_048_576)).encode()
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b"</sheetData>", cells + b"</sheetData>")
    assert read_cohort(path).tables["sheet"]["patient_id"].to_list() == ["A", "B", "900000", "1048576"]


@pytest.mark.parametrize("place", ["XFE1", "A1048577", "A0"])
def test_a_cell_outside_every_sheet_is_refused(tmp_path, place):
    cell = f'<row><c r="{place}"><v>1</v></c></row></sheetData>'.encode()
    path = with_part(write_workbook(tmp_path, {"sheet": WIDE}), b"</sheetData>", cell)
    assert rules(path) == ["is not a workbook that can be read"]
