"""The ledger of corrections: what it changes, what it refuses, and that nothing of it is lost or passed over."""

from __future__ import annotations

import pytest
from literal_sources import map_of

from cohorts import EIGHT
from helpers import write_folder
from reinfuse.cohort.raw_tables import read_raw
from reinfuse.exceptions import SourceRefused
from reinfuse.sources.corrections import (
    Correction,
    corrected_raw,
    corrected_source,
    last_decisions,
    ledger_text,
    read_ledger,
    with_originals,
)
from reinfuse.sources.follow import follow
from reinfuse.sources.source_table import Source, SourceColumn, SourceRow, SourceTable
from reinfuse.study.corrections import note_correction, take_back

TIME = "2026-01-02T03:04:05+00:00"
HEAD = "table,row,column,old,new,reason,time\n"


def source(*rows):
    columns = tuple(SourceColumn(header=h) for h in ("ID", "Dx", "FU"))
    lines = tuple(SourceRow(f"row {i}", texts) for i, texts in enumerate(rows, 5))
    return Source("excel", "s.xlsx", (SourceTable("S", "s.xlsx", columns, lines),))


def one(row, column, old, new, reason="", table="S"):
    return Correction(table, row, column, old, new, reason, TIME)


def test_cells_are_corrected_in_order_and_the_source_says_how_many():
    before = source(("P1", "CL", "2020-01-01"), ("P2", "CLL", "2020-01-02"))
    ledger = [one("5", "Dx", "CL", "CLL"), one("6", "FU", "2020-01-02", "2020-02-01"),
              one("6", "FU", "2020-02-01", "2021-02-01"), one("6", "Dx", "CLL", "CLL", "so")]  # fmt: skip
    after = corrected_source(before, ledger)
    assert [r.texts for r in after.tables[0].rows] == [("P1", "CLL", "2020-01-01"), ("P2", "CLL", "2021-02-01")]
    assert after.problems == ()
    assert after.remarks == ("2 cells corrected by hand, with the reason of each in corrections.csv",)
    assert len(after.files["corrections.csv"]) == 64
    assert before.tables[0].rows[0].texts == ("P1", "CL", "2020-01-01")
    assert corrected_source(before, []) is before


@pytest.mark.parametrize(("correction", "rule"), [
    (one("5", "Dx", "NHL", "CLL"), "holds another text than the cell"),
    (one("5", "Dx", "NHL", "NHL", "so"), "holds another text than the cell"),
    (one("9", "Dx", "CL", "CLL"), "names a cell that is not there"),
    (one("5", "Diagnosis", "CL", "CLL"), "names a cell that is not there"),
    (one("5", "Dx", "CL", "CLL", table="T"), "names a table that is not there"),
])  # fmt: skip
def test_a_correction_of_what_is_not_there_refuses_the_source(correction, rule):
    after = corrected_source(source(("P1", "CL", "2020-01-01")), [correction])
    [problem] = after.problems
    assert (problem.severity, rule in problem.rule, problem.column) == ("error", True, correction.column)
    assert after.tables[0].rows[0].texts == ("P1", "CL", "2020-01-01")


@pytest.mark.parametrize(("lines", "text"), [
    ((("CL", "CLL"), ("NHL", "ALL")), "ALL"),  # the source was changed, and somebody decided anew
    ((("CL", "NHL"),), "NHL"),  # the source was corrected as the ledger says
    ((("CL", "CLL"), ("CLL", "NHL")), "NHL"),
    ((("NHL", "CLL"), ("CLL", "NHL")), "NHL"),
])  # fmt: skip
def test_a_source_that_was_changed_since_is_taken_where_the_last_decision_fits_it(lines, text):
    after = corrected_source(source(("P1", "NHL", "2020-01-01")), [one("5", "Dx", old, new) for old, new in lines])
    assert (after.tables[0].rows[0].texts[1], after.problems) == (text, ())


def test_provenance_has_the_source_s_own_text_and_the_reason():
    ledger = [one("5", "Dx", "CL", "CL?", "first try"), one("5", "Dx", "CL?", "CLL", "letter missing")]
    source_map = map_of('[patients]\nsheet = "S"\npatient_id = "ID"\ndiagnosis = "Dx"\n'
                        'last_contact = "FU"\n')  # fmt: skip
    before = source(("P1", "CL", "2020-01-01"))
    imported = follow(corrected_source(before, ledger), source_map)
    table = with_originals(imported, before, ledger).tables["patients"]
    cell = table.rows[0][table.columns.index("diagnosis")]
    assert (cell.raw, cell.text, cell.rule) == ("CL", "CLL", "corrected to 'CLL': letter missing")


def test_a_cohort_s_tables_are_corrected_by_their_data_rows(tmp_path):
    raw = read_raw(write_folder(tmp_path, **EIGHT))
    after = corrected_raw(raw, [one("3", "age_years", "55", "56", table="patients")])
    assert after.tables["patients"].frame["age_years"].to_list()[2] == "56"
    assert [(r.table, r.column, r.count) for r in after.readings[-1:]] == [("patients", "age_years", 1)]
    assert "1 cell corrected by hand" in after.about.limits[-1]
    assert corrected_raw(raw, [one("3", "age_years", "54", "56", table="patients")]).problems[-1].row == 3


def test_a_ledger_is_read_as_it_was_written_and_no_text_in_it_is_a_formula(tmp_path):
    path = tmp_path / "corrections.csv"
    assert read_ledger(path) == ()
    texts = ("=1+1", 'a "quoted", text', "line\nbreak", "-2", "'=x", " padded")
    lines = tuple(one(str(i), "Dx", text, "CLL", text) for i, text in enumerate(texts))
    path.write_text(ledger_text(lines), encoding="utf-8", newline="")
    assert read_ledger(path) == lines
    assert "\n=1+1" not in path.read_text(encoding="utf-8").replace(",", "\n")


@pytest.mark.parametrize(("content", "rule"), [
    (b"", "no list of corrections"), (b"a,b\n", "no list of corrections"), (HEAD.encode() + b"S,5,Dx\n", "has 3 cells"),
    (b"\xff\xfe\x00", "no text in UTF-8"),
])  # fmt: skip
def test_another_file_is_refused(tmp_path, content, rule):
    (tmp_path / "corrections.csv").write_bytes(content)
    with pytest.raises(SourceRefused) as refused:
        read_ledger(tmp_path / "corrections.csv")
    assert rule in refused.value.problems[0].rule


def test_a_decision_is_noted_behind_the_earlier_ones_and_leaving_needs_a_reason(tmp_path):
    path = tmp_path / "corrections.csv"
    note_correction(path, table="S", row="5", column="Dx", old="CL", new=" CLL ", reason="letter\n missing")
    with pytest.raises(SourceRefused):
        note_correction(path, table="S", row="5", column="FU", old="x", new="x", reason=" ")
    note_correction(path, table="S", row="", column="", old="few patients", new="few patients", reason="all we have")
    first, second = read_ledger(path)
    assert (first.new, first.reason, first.changes) == ("CLL", "letter missing", True)
    assert (second.row, second.reason, second.changes) == ("", "all we have", False)


def test_a_decision_is_taken_back_by_a_further_line_and_only_the_last_one_about_its_cell(tmp_path):
    path = tmp_path / "corrections.csv"
    for old, new in (("CL", "CL?"), ("CL?", "CLL")):
        note_correction(path, table="S", row="5", column="Dx", old=old, new=new, reason="typing")
    note_correction(path, table="S", row="", column="", old="few patients", new="few patients", reason="all we have")
    with pytest.raises(SourceRefused):
        take_back(path, 0)
    take_back(path, 1)
    take_back(path, 2)
    with pytest.raises(SourceRefused):
        take_back(path, 1)
    lines = read_ledger(path)
    left = ("few patients", "few patients", "taken back")
    assert [(c.old, c.new, c.reason) for c in lines[3:]] == [("CLL", "CL?", "taken back"), left]
    assert last_decisions(lines) == set()
    after = corrected_source(source(("P1", "CL", "2020-01-01")), lines)
    assert (after.tables[0].rows[0].texts[1], after.problems, after.remarks[0][:6]) == ("CL?", (), "1 cell")
    undone = [one("5", "Dx", "CL", "CLL"), one("5", "Dx", "CLL", "CL", "taken back")]
    assert corrected_source(source(("P1", "CL", "2020-01-01")), undone).remarks == ()
