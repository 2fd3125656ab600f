"""What was imported is a cohort of the contract, checked by its own rules; its folder says where each cell is from."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import replace

import pytest
from literal_sources import followed, rows, sheet

from reinfuse import read_cohort
from reinfuse.exceptions import OutputRefused, SourceRefused
from reinfuse.output import Destination
from reinfuse.sources.cohort_folder import check, checked_cohort, write_cohort
from reinfuse.sources.map_file import load_map

TEXT = """
ID,Dx,C1,C2,LDH,Best,=FU
17,CLL,12/03/2019,03/04/2020,240,CR,01/02/2021
-23,NHL,05/06/2019,,,,09/08/2019
"""
MAP = """
date_order = "dmy"
---
[patients]
patient_id = "ID"
diagnosis = "Dx"
last_contact = "=FU"
death = { const = "" }
[[infusions]]
patient_id = "ID"
infusion = 1
date = "C1"
[[infusions]]
patient_id = "ID"
infusion = 2
date = "C2"
ldh = "LDH"
[responses]
patient_id = "ID"
response = "Best"
date = { after = "infusion 2", day = 28, said = "not recorded" }
"""


def written(folder, text=TEXT, lines=MAP, force=False):
    """Write what a map makes of a sheet, and return the folder."""
    return write_cohort(checked_cohort(followed(lines, sheet(text))), Destination(folder, "import", force=force))


def test_the_folder_is_read_as_the_cohort_that_was_checked(tmp_path):
    imported = followed(MAP, sheet(TEXT))
    folder = written(tmp_path / "cohort")
    cohort = read_cohort(folder, used=("ldh",))
    checked = check(imported).cohort
    assert checked is not None
    assert {n: f.to_dict(as_series=False) for n, f in cohort.tables.items()} == {
        n: f.to_dict(as_series=False) for n, f in checked.tables.items()
    }
    assert cohort.tables["patients"]["patient_id"].to_list() == ["17", "-23"]
    assert cohort.tables["infusions"]["ldh"].to_list() == [None, "240", None]
    assert cohort.about.limits == imported.remarks
    assert sorted(p.name for p in folder.iterdir()) == [
        "about.toml", "infusions.csv", "map.toml", "patients.csv", "provenance.csv", "reinfuse.manifest.json",
        "responses.csv",
    ]  # fmt: skip


def test_provenance_lists_every_filled_cell_with_its_place_text_and_rule(tmp_path):
    folder = written(tmp_path / "cohort")
    imported = followed(MAP, sheet(TEXT))
    with (folder / "provenance.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["table", "row", "column", "source", "raw", "rule"]
    listed = {(t, int(r), c) for t, r, c, *_ in lines[1:]}
    filled = {(name, i, c) for name in imported.tables for i, row in enumerate(rows(imported, name)[1:], 1)
              for c, text in zip(imported.tables[name].columns, row, strict=True) if text}  # fmt: skip
    assert listed == filled
    by_cell = {tuple(line[:3]): line[3:] for line in lines[1:]}
    order = "date by the order of its numbers"
    assert by_cell["infusions", "2", "date"] == ["book.xlsx, CART, D2", "03/04/2020", order]
    assert by_cell["responses", "1", "date"] == [
        "book.xlsx, CART, F2",
        "CR",
        "day 28 after infusion 2; placed by the map; not recorded",
    ]
    assert by_cell["infusions", "2", "infusion"] == ["book.xlsx, CART, row 2", "", "constant of the map"]
    assert by_cell["infusions", "2", "ldh"] == ["book.xlsx, CART, E2", "240", "as it stands"]


def test_the_map_and_the_remarks_stand_beside_the_tables(tmp_path):
    folder = written(tmp_path / "cohort")
    about = tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))
    assert about["source"] == f"book.xlsx (SHA-256 {'0' * 64})"
    assert about["limits"] == ["infusions: no column of the source is read as dose_cells_per_kg, lymphodepletion, "
                               "left empty"]  # fmt: skip
    assert load_map(folder / "map.toml") == followed(MAP, sheet(TEXT)).map


def test_what_the_cohort_refuses_is_told_in_the_words_of_the_source():
    wrong = TEXT.replace("03/04/2020,240", "03/04/2018,240").replace("NHL", "")
    with pytest.raises(SourceRefused) as caught:
        checked_cohort(followed(MAP, sheet(wrong, first_row=5)))
    errors = [(p.table, p.row, p.column, p.value, p.rule) for p in caught.value.problems if p.severity == "error"]
    assert errors == [
        ("CART", 5, "C2", "03/04/2018",
         "the infusion is not after the previous one (infusions.date = 2018-04-03)"),
    ]  # fmt: skip


def test_what_is_open_is_told_alone_and_nothing_is_written(tmp_path):
    lines = MAP.replace('date_order = "dmy"', 'date_order = "?"')
    with pytest.raises(SourceRefused) as caught:
        written(tmp_path / "cohort", lines=lines)
    assert {p.column for p in caught.value.problems} == {"source.date_order", "C1", "C2", "=FU"}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_another_is_not_replaced(tmp_path):
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "mine.txt").write_text("mine")
    with pytest.raises(OutputRefused):
        written(tmp_path / "cohort")


def test_a_wide_sheet_with_derived_times_becomes_a_sheet(tmp_path):
    lines = """
        [sheet]
        patient_id = "ID"
        pfs_days = { column = "PFS (mo)", unit = "months" }
        pfs_event = "Event"
        """
    folder = written(tmp_path / "cohort", "ID,PFS (mo),Event\nA,2,1\nB,10,0\n", lines)
    frame = read_cohort(folder).tables["sheet"]
    assert frame["pfs_days"].to_list() == [60.875, 304.375]
    assert frame["pfs_event"].to_list() == ["yes", "no"]


def test_where_a_cohort_is_from_can_be_read_whatever_the_source_holds(tmp_path):
    remark = 'a "quoted" \\ text\twith \x7f and \x85'
    imported = replace(followed(MAP, sheet(TEXT)), remarks=(remark,))
    write_cohort(checked_cohort(imported), Destination(tmp_path / "cohort", "import"))
    assert tomllib.loads((tmp_path / "cohort" / "about.toml").read_text(encoding="utf-8"))["limits"] == [remark]


def test_what_a_person_confirmed_for_the_import_need_not_be_confirmed_again_in_a_plan(tmp_path):
    text = TEXT.replace("17,", "Total,")
    with pytest.raises(SourceRefused) as caught:
        written(tmp_path / "refused", text)
    assert "is named as a row of totals" in caught.value.problems[0].rule
    folder = written(tmp_path / "cohort", text, MAP.replace("---", 'confirmed = ["totals"]\n---', 1))
    assert tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))["confirmed"] == ["totals"]
    assert read_cohort(folder).tables["infusions"].height == 3
