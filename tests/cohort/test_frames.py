"""Data frames in: the same cohort and the same problems as from files, whatever library they are of."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest

from cohorts import EIGHT
from helpers import cells, estimates_agree, problems_of, write_folder, write_sheet
from reinfuse import Cohort, Plan, Study, read_cohort
from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import CohortRefused
from reinfuse.plan.analysis_plan import Analyses

SHEET = """patient_id,diagnosis,sex,age_years,bulky,response,pfs_days,pfs_event,os_days,os_event
P1,CLL,F,61,yes,CR,400,0,420,0
P2,NHL,M,70.5,no,PD,30,1,90,1
P3,NHL,M,,no,PR,200,1,300,1
P4,ALL,F,48,,CR,310,0,310,0
P5,CLL,F,55,yes,SD,60,1,250,0"""
PROBLEMS = {
    "patients": EIGHT["patients"].replace("P3,700,,,NHL", "P3,700,,treatment,NHL").replace(",M,66", ",Q,66"),
    "infusions": EIGHT["infusions"].replace("P2,2,90,JCAR014,2000000", "P2,2,90,JCAR014,-5")
                 + "\nP9,1,0,x,1000000,Cy,,,,",
    "responses": EIGHT["responses"].replace("P5,88,PD", "P5,88,good"),
}  # fmt: skip


def polars_frame(text):
    """Return rows as polars reads them: numbers as numbers, empty cells as null."""
    header, *rows = cells(text)
    columns = {name: [row[i] or None for row in rows] for i, name in enumerate(header)}
    return pl.DataFrame(columns).with_columns(
        pl.col(c).cast(pl.Float64)
        for c in columns
        if all(v is None or v.replace(".", "").isdigit() for v in columns[c])
    )


def pandas_frame(text):
    """Return rows as pandas keeps them by default: NaN where a cell is empty, so that whole numbers become floats."""
    header, *rows = cells(text)
    frame = pd.DataFrame([[cell or np.nan for cell in row] for row in rows], columns=header)
    return frame.apply(lambda column: pd.to_numeric(column) if _numeric(column) else column)


def _numeric(column):
    return bool(pd.to_numeric(column, errors="coerce").notna().equals(column.notna()))


def nullable_frame(text):
    """Return rows with the dtypes that know missing values, and categories."""
    frame = pandas_frame(text).convert_dtypes()
    texts = frame.select_dtypes("string").columns.drop("patient_id")
    return frame.astype(dict.fromkeys(texts, "category"))


FRAMES = {"polars": polars_frame, "pandas": pandas_frame, "nullable": nullable_frame}


@pytest.mark.parametrize("library", FRAMES)
def test_frames_give_the_estimates_of_the_files(library, tmp_path):
    plan = Plan(analyses=Analyses.none(), factors=[{"name": "bulky"}, {"name": "age_years"}])
    frames = {name: FRAMES[library](text) for name, text in EIGHT.items()}
    from_files = Study(read_cohort(write_folder(tmp_path, **EIGHT)), plan).run()
    from_frames = Study(Cohort.from_frames(**frames), plan).run()
    estimates_agree(from_frames.to_frame(), from_files.to_frame())
    assert from_frames.patients.equals(from_files.patients)
    sheet = FRAMES[library](SHEET)
    wide = Study(read_cohort(sheet), plan).run()
    estimates_agree(wide.to_frame(), Study(read_cohort(write_sheet(tmp_path, SHEET)), plan).run().to_frame())


@pytest.mark.parametrize("library", FRAMES)
def test_frames_have_the_problems_of_the_files(library, tmp_path):
    tables = {**EIGHT, **PROBLEMS}
    told = [p.as_dict() for p in problems_of(write_folder(tmp_path, **tables))]
    assert len(told) >= 5
    with pytest.raises(CohortRefused) as refused:
        Cohort.from_frames(**{name: FRAMES[library](text) for name, text in tables.items()})
    assert [p.as_dict() for p in refused.value.problems] == told
    place = "row 4, dose_cells_per_kg" if library == "polars" else "row 4 (index 3), dose_cells_per_kg"
    assert f"- infusions, {place}: dose_cells_per_kg is outside the possible range" in str(refused.value)


def test_the_tables_of_a_cohort_are_the_arguments():
    arguments = [p.name for p in inspect.signature(Cohort.from_frames).parameters.values()]
    assert arguments == [*TABLES, "name", "confirmed"]


def test_dates_of_pandas_and_polars_are_days(tmp_path):
    people = "patient_id,last_contact,death,diagnosis\nA,2022-05-01,,CLL\nB,2021-12-31,2021-12-31,CLL"
    given = "patient_id,infusion,date,dose_cells_per_kg,lymphodepletion\nA,1,2020-01-01,1e6,Cy\nA,2,2021-01-01,,Cy\n" \
            "B,1,2020-02-01,1e6,\nB,2,2021-02-01,1e6,Cy"  # fmt: skip
    files = read_cohort(write_folder(tmp_path, patients=people, infusions=given))
    frames = [pandas_frame(people), pandas_frame(given)]
    for frame, columns in zip(frames, (["last_contact", "death"], ["date"]), strict=True):
        frame[columns] = frame[columns].apply(pd.to_datetime)
    assert pd.isna(frames[0].loc[0, "death"])
    of_polars = [
        polars_frame(people).with_columns(pl.col("last_contact", "death").str.to_date()),
        polars_frame(given).with_columns(pl.col("date").str.to_date()),
    ]
    for patients, infusions in (frames, of_polars):
        cohort = Cohort.from_frames(patients=patients, infusions=infusions)
        assert all(cohort.tables[name].equals(files.tables[name]) for name in files.tables)


def test_an_index_that_numbers_rows_names_them_and_another_is_told():
    sheet = pandas_frame(SHEET.replace("P3,NHL,M", "P3,NHL,Q"))
    with pytest.raises(CohortRefused) as refused:
        read_cohort(sheet[sheet["patient_id"] != "P1"])
    assert "sheet, row 2 (index 2), sex: sex is not an accepted value" in str(refused.value)
    kept = read_cohort(pandas_frame(SHEET).set_index("diagnosis"))
    (reading,) = [r for r in kept.readings if "index" in r.what]
    assert reading.what == "the index of the data frame (diagnosis) is not read; frame.reset_index() makes it a column"
    assert not [r for r in read_cohort(pandas_frame(SHEET)).readings if "index" in r.what]


def test_an_index_that_is_the_missing_column_is_the_remedy():
    frames = {name: pandas_frame(EIGHT[name]) for name in ("patients", "infusions")}
    with pytest.raises(CohortRefused) as refused:
        Cohort.from_frames(patients=frames["patients"].set_index("patient_id"), infusions=frames["infusions"])
    assert "patients, patient_id: the column is missing → it is the index of the data frame: " in str(refused.value)


def test_the_index_of_patients_stands_in_no_exception():
    sheet = pandas_frame(SHEET.replace("P3,NHL,M", "P3,NHL,Q"))
    with pytest.raises(CohortRefused) as refused:
        read_cohort(sheet.set_index("patient_id", drop=False))
    assert "P3" not in str(refused.value)


@pytest.mark.parametrize(("value", "rule"), [
    (None, "is no data frame, but None"), ([1], "is no data frame, but of type list"), ({"a": [1]}, "but of type dict"),
    (np.zeros((2, 2)), "but of type ndarray"), (pd.Series([1]), "but of type Series"), (pd.DataFrame(), "is empty"),
    (pl.DataFrame({"l": [[1]]}), "holds a value of type list in the column 'l'"),
    (pd.DataFrame({"t": [pd.Timedelta("1D")]}), "holds a value of type Timedelta in the column 't'"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "has the column 'a' twice"),
    (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "names of columns in several levels"),
])  # fmt: skip
def test_what_is_no_table_is_named_with_the_remedy(value, rule):
    for read in (lambda: read_cohort(value), lambda: Cohort.from_frames(patients=value, infusions=value)):
        with pytest.raises(CohortRefused) as refused:
            read()
        assert all(rule in p.rule for p in refused.value.problems)
        assert all(p.remedy for p in refused.value.problems)
    assert len(refused.value.problems) == 2


def test_a_frame_of_another_format_is_named_for_what_it_is():
    adam = pd.DataFrame({"STUDYID": ["S"], "USUBJID": ["1"], "PARAMCD": ["OS"], "AVAL": [10.1], "CNSR": [0]})
    with pytest.raises(CohortRefused, match="this looks like a data set of ADaM"):
        read_cohort(adam)
    with pytest.raises(CohortRefused, match="no name of a column is a standard one"):
        Study.read(pd.DataFrame({"mpg": [1, 2], "cyl": [3, 4]}), Plan.built_in())


def test_a_lazy_frame_is_read_and_a_plan_maps_columns():
    lazy = polars_frame(SHEET).rename({"os_days": "OS", "os_event": "dead"}).lazy()
    cohort = read_cohort(lazy, {"os_days": "OS", "os_event": "dead"})
    assert cohort.tables["sheet"]["os_days"].to_list() == [420, 90, 300, 310, 250]
