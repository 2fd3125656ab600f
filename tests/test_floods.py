"""Inputs that are wrong throughout: what is told of them, and what is compared for them, stays within a bound."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from cohorts import EIGHT
from helpers import read
from hostile import wide
from reinfuse import Plan, Study
from reinfuse.cohort import validation
from reinfuse.cohort.cohort import examine
from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.cohort.raw_tables import read_raw
from reinfuse.exceptions import nearest
from reinfuse.plan.options import Analyses
from reinfuse.report.export import results_folder
from reinfuse.runtime.second_process import worth_a_copy
from reinfuse.tabular.cell_parsing import read_number
from reinfuse.tabular.limits import CELL_CHARACTERS, LISTED


def written(folder: Path, name: str, rows: list[list[str]]) -> None:
    """Write a table of a cohort."""
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def problems_of(path: Path):
    """Return the errors of a cohort."""
    return [p for p in examine(read_raw(path))[1] if p.severity == "error"]


def all_wrong(folder: Path, patients: int) -> Path:
    """Write a cohort in which every cell is wrong and differs from every other."""
    for name, text in EIGHT.items():
        head = text.splitlines()[0].split(",")
        written(folder, name, [head, *([f"?{c} {i}" for c in head] for i in range(patients))])
    return folder


def test_a_cohort_that_is_wrong_in_every_cell_is_told_by_column_and_its_rows_are_counted(tmp_path):
    small, large = (Counter((p.table, p.column) for p in problems_of(all_wrong(tmp_path / str(n), n)))
                    for n in (LISTED + 200, 2 * LISTED))  # fmt: skip
    assert small == large
    assert max(large.values()) <= 2 * (LISTED + 1)
    rest = [p for p in problems_of(tmp_path / str(2 * LISTED)) if (p.table, p.column, p.row) == ("mrd", "day", None)]
    assert [p.rule for p in rest] == [f"{LISTED:,} more rows are wrong, or were not looked at after so many that are"]


def test_unknown_responses_are_counted_to_the_last(tmp_path):
    head, *_ = wide()["sheet"]
    rows = [[f"A{i}", "CLL", f"response {i}", "50", "1", "80", "1", "1", "a"] for i in range(LISTED + 234)]
    written(tmp_path, "sheet", [head, *rows])
    told = problems_of(tmp_path / "sheet.csv")
    assert [p.row for p in told] == [None, *range(1, LISTED + 1)]
    assert told[0].rule == "234 more rows are wrong, or were not looked at after so many that are"


def test_hints_for_unknown_patients_cost_no_more_in_more_tables(tmp_path, monkeypatch):
    compared: list[tuple[str, int]] = []

    def counting(word, names):
        compared.append((word, sum(map(len, names))))

    monkeypatch.setattr(validation, "nearest", counting)
    monkeypatch.setattr(validation, "_MOST_COMPARED", 5000)
    for name, text in EIGHT.items():
        rows = [line.split(",") for line in text.splitlines()]
        if name != "patients":
            rows[1:] = [[f"Q{i % 300}", *rows[1][1:]] for i in range(600)]
        written(tmp_path, name, rows)
    told = [p for p in problems_of(tmp_path) if p.rule == "the patient is not in the table patients"]
    assert len(told) == 600 * (len(EIGHT) - 1)
    assert len({word for word, _ in compared}) == len(compared) > 50
    assert sum(len(word) * letters for word, letters in compared) <= 5000


def test_a_hint_is_sought_among_as_many_names_as_can_be_compared():
    alike = [f"{'x' * 90}{i:06d}" for i in range(2000)]
    assert nearest("x" * 90 + "000001x", alike) is None
    assert nearest("x" * 90 + "000001x", alike[:20]) == alike[1]
    assert nearest("ldhh", ["LDH", *alike]) == "LDH"


@pytest.mark.parametrize("text", ["1" * 32_000 + "x", "1" * 16_000 + "." + "1" * 16_000 + "e", "2" * 32_000 + " x 11"])
def test_a_number_as_long_as_a_cell_is_looked_at_once(text):
    assert len(text) <= CELL_CHARACTERS
    assert read_number(text).rule == "is not a number"


def test_a_regimen_as_long_as_a_cell_is_looked_at_once():
    assert regimen_class("1." * 16_000 + "mgx") is None
    assert regimen_class("Flu 30,000.25 mg/m2 + Cy 1.5 g/m2 x 3") == "Cy-Flu"


def test_a_sheet_of_many_columns_is_not_copied_into_a_second_process(tmp_path, monkeypatch):
    assert worth_a_copy(200, 480)
    assert not worth_a_copy(16_000, 480)
    assert not worth_a_copy(100_000, 10)
    monkeypatch.setattr(results_folder, "worth_a_copy", lambda rows, columns: False)
    draft = tmp_path / "out"
    draft.mkdir()
    few = Plan.built_in().model_copy(update={"analyses": Analyses.none()})
    findings = Study(read(tmp_path, **EIGHT), few).run()
    results_folder.write_results(findings, draft, second=object())
    assert (draft / "report.html").is_file()
