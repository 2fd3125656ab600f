"""Each of 200 corrupted cohorts is refused with its problem named, or gives the same patients; nothing else happens."""

import csv

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from corruption import CORRUPTIONS, VARIANTS, write_variant
from reinfuse import Plan, read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.patient_rows import patients_frame
from reinfuse.data import DEMO, datasets
from reinfuse.exceptions import CohortRefused

TABLES = ("patients", "infusions", "responses", "mrd", "toxicities", "therapies")


@pytest.fixture(scope="module")
def clean():
    folder = datasets()[DEMO].path
    texts = {name: (folder / f"{name}.csv").read_text(encoding="utf-8") for name in TABLES}
    return {name: list(csv.reader(text.splitlines())) for name, text in texts.items()}


def _patients(folder) -> pl.DataFrame:
    plan = Plan.built_in()
    frame = patients_frame(analysis_set(read_cohort(folder), plan), plan)
    told = [c for c in frame.columns if not c.endswith("_source") and "lymphodepletion" not in c]
    return frame.select(sorted(told))


@pytest.fixture(scope="module")
def patients():
    return _patients(datasets()[DEMO].path)


def test_there_are_many_kinds():
    assert len(CORRUPTIONS) > 35


@pytest.mark.parametrize("number", range(VARIANTS))
def test_variant(number, clean, patients, tmp_path):
    what, expected = write_variant(number, clean, tmp_path)
    if expected.same:
        assert_frame_equal(_patients(tmp_path), patients)
        return
    with pytest.raises(CohortRefused) as refused:
        read_cohort(tmp_path)
    errors = [p for p in refused.value.problems if p.severity == "error"]
    named = [p for p in errors if p.table == expected.table]
    if expected.row is not None:
        named = [p for p in named if p.row == expected.row]
    if expected.column is not None:
        named = [p for p in named if p.column == expected.column]
    assert named, (what, expected, [(p.table, p.row, p.column, p.rule) for p in errors][:5])
    assert all(p.remedy for p in errors)
