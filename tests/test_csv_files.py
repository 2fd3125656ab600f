"""CSV files: harmless in a spreadsheet program, the same numbers, the same texts when read again."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from helpers import plain, write_folder
from reinfuse import Plan, Study, read_cohort
from reinfuse.tabular.csv_files import harmless, original, read_csv, write_csv, write_rows

BAD = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "'=1",
    "''=1",
    "-",
    "+x",
    "\uff1d1",
    "-inf",
]
GOOD = ["-3.5", "+5", "-1e-3", "-0,5", "1", "a=b", "'", "'a", "", "Cy/Flu"]


@pytest.mark.parametrize("text", BAD)
def test_a_formula_gets_an_apostrophe_and_loses_it_again(text):
    assert harmless(text) == f"'{text}"
    assert original(harmless(text)) == text


@pytest.mark.parametrize("text", GOOD)
def test_numbers_and_plain_texts_stay_as_they_are(text):
    assert harmless(text) == text
    assert original(text) == text


def test_a_frame_is_read_as_it_was_written(tmp_path):
    frame = pl.DataFrame({"=head": [*BAD, None], "n": [-1.5, *range(len(BAD))], "plain": ["a"] * (len(BAD) + 1)})
    write_csv(frame, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        cells = [c for row in csv.reader(file) for c in row]
    assert not [c for c in cells if re.match(r"\s*[=+@\-\t\r]", c) and not re.fullmatch(r"-[\d.]+", c)]
    assert "-1.5" in cells
    assert_frame_equal(read_csv(tmp_path / "a.csv", {"=head": pl.String}), frame)


def test_rows_are_written_the_same_way(tmp_path):
    write_rows([("a", "=b"), ("-x", -1)], tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines() == ["a,'=b", "'-x,-1"]


def test_patients_with_formulas_for_names_give_the_same_estimates_again(tmp_path):
    """Identifier, diagnosis and a factor's level begin as formulas do."""
    people = "\n".join(f"=P{i},{100 + i},,{'@ALL' if i % 2 else '-x'},{'+up' if i % 3 else '=down'}" for i in range(12))
    infusions = "\n".join(f"=P{i},{k},{50 * (k - 1)},1e6,Cy" for i in range(12) for k in (1, 2))
    people = f"patient_id,last_contact,death,diagnosis,arm\n{people}"
    infusions = f"patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n{infusions}"
    folder = write_folder(tmp_path, patients=people, infusions=infusions)
    plan = plain(Plan.built_in()).model_copy(update={"models": (), "subgroups": ("diagnosis", "arm")})
    findings = Study(read_cohort(folder, plan.columns, used=plan.used_columns), plan).run()
    write_csv(findings.patients, tmp_path / "patients.csv")
    assert "'=P0," in (tmp_path / "patients.csv").read_text(encoding="utf-8")
    again = Study(read_cohort(tmp_path / "patients.csv", plan.columns, used=plan.used_columns), plan).run()
    assert again.described.populations == findings.described.populations
    assert any("arm=+up" in p for p in again.described.populations)
    assert again.patients["patient_id"].to_list() == findings.patients["patient_id"].to_list()
    assert any("apostrophe" in w["text"] for w in again.warnings)


def test_only_the_one_writer_writes_csv():
    """A new file is harmless too: nothing else calls polars' writer or the csv module's."""
    source = Path(__file__).parents[1] / "src" / "reinfuse"
    writes = re.compile(r"\.write_csv\((?!\))|csv\.(?:Dict)?[wW]riter\(")
    callers = [str(p.relative_to(source)) for p in source.rglob("*.py") if writes.search(p.read_text(encoding="utf-8"))]
    assert [c for c in callers if not c.startswith("data/")] == ["tabular/csv_files.py"]
