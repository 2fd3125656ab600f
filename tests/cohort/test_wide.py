"""Wide sheets: standard names, the plan's column map, event flags, declared endpoints."""

import math

import polars as pl
import pytest

from helpers import places, problems_of, write_sheet, write_workbook
from reinfuse import read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.exceptions import CohortRefused, PlanRefused
from reinfuse.plan.analysis_plan import Endpoint, Factor, Plan

SHEET = """patient_id,diagnosis,response,umrd_day28,crs_grade,pfs_days,pfs_event,os_days,os_event
A,CLL,CR,yes,1,100,1,400,0
B,NHL,,,,90.5,0,200,1
C,ALL,PR,no,4,,,300,0"""


def sheet(folder, text, columns=None):
    return read_cohort(write_sheet(folder, text), columns or {})


def ends(cohort, plan=None):
    data = analysis_set(cohort, plan or Plan(factors=(), models=()))
    return {e.name: e for e in data.endpoints}


def known(values):
    return [None if math.isnan(v) else v for v in values]


def test_a_sheet_of_standard_names(tmp_path):
    cohort = sheet(tmp_path, SHEET)
    endpoints = ends(cohort)
    assert cohort.wide
    assert cohort.warnings == ()
    assert list(endpoints) == ["response", "cr", "umrd_day28", "pfs", "os"]
    assert known(endpoints["response"].event) == [1, 0, 0]
    assert known(endpoints["cr"].event) == [1, 0, 0]
    assert known(endpoints["umrd_day28"].event) == [1, None, 0]
    assert (known(endpoints["pfs"].time), known(endpoints["pfs"].event)) == ([100, 90.5, None], [1, 0, None])
    assert endpoints["pfs"].known.tolist() == [True, True, False]
    assert cohort.tables["sheet"]["crs_grade"].to_list() == [1, None, 4]


def test_patients_without_a_time_are_told(tmp_path):
    notes = analysis_set(sheet(tmp_path, SHEET), Plan()).notes
    assert "Progression-free survival: missing in 1 of 3 patients, who are excluded from it" in notes


def test_every_patient_of_a_sheet_is_in_the_flow(tmp_path):
    flow = analysis_set(sheet(tmp_path, SHEET), Plan()).flow
    assert flow.rows() == [("A", "analysed", None), ("B", "analysed", None), ("C", "analysed", None)]


@pytest.mark.parametrize(
    ("texts", "event"),
    [
        ("1,0,1", ["yes", "no", "yes"]),
        ("1.0,0.0,", ["yes", "no", None]),
        ("yes,no,Y", ["yes", "no", "yes"]),
        ("TRUE,false,True", ["yes", "no", "yes"]),
        ("N,n,NA", ["no", "no", None]),
    ],
)
def test_event_flags(tmp_path, texts, event):
    rows = [f"P{i},{'100' if e else ''},{t}" for i, (t, e) in enumerate(zip(texts.split(","), event, strict=True))]
    cohort = sheet(tmp_path, "\n".join(["patient_id,os_days,os_event", *rows]))
    assert cohort.tables["sheet"]["os_event"].to_list() == event


def test_event_flags_of_a_workbook(tmp_path):
    path = write_workbook(tmp_path, {"Tabelle1": [["patient_id", "os_days", "os_event"], ["A", 9, True], ["B", 8, 0]]})
    assert read_cohort(path).tables["sheet"].select("os_days", "os_event").rows() == [(9, "yes"), (8, "no")]


def test_event_flags_of_a_parquet_file(tmp_path):
    path = tmp_path / "sheet.parquet"
    pl.DataFrame({"patient_id": ["A", "B"], "os_days": [9.5, 8], "os_event": [True, False]}).write_parquet(path)
    assert read_cohort(path).tables["sheet"].select("os_days", "os_event").rows() == [(9.5, "yes"), (8, "no")]


BAD = [
    ("os_event", "P,100,2", ("sheet", 1, "os_event", "2", "os_event is neither yes nor no")),
    ("os_event", "P,100,dead", ("sheet", 1, "os_event", "dead", "os_event is neither yes nor no")),
    ("os_event", "P,100,", ("sheet", 1, "os_event", None, "os_event is missing where os_days is given")),
    ("os_event", "P,,1", ("sheet", 1, "os_days", None, "os_days is missing where os_event is given")),
    (
        "os_event",
        "P,-1,1",
        ("sheet", 1, "os_days", "-1", "os_days is outside the possible range, from 0 to 36500 days"),
    ),
    ("os_event", "P,1 year,1", ("sheet", 1, "os_days", "1 year", "os_days is not a number")),
    ("os_event", "P,9,1\nP,8,1", ("sheet", 2, "patient_id", "P", "patient_id already occurs in an earlier row")),
    ("os_event", "P,9,1\n,8,1", ("sheet", 2, "patient_id", None, "patient_id is missing")),
    ("pfs_days", "P,9,1", ("sheet", None, "os_event", None, "os_days is there without os_event")),
    ("pfs_days", "P,9,1", ("sheet", None, "pfs_event", None, "pfs_days is there without pfs_event")),
    (
        "crs_grade",
        "P,9,6",
        ("sheet", 1, "crs_grade", "6", "crs_grade is outside the possible range, from 0 to 5"),
    ),
    (
        "toxicity_infection_grade",
        "P,9,7",
        (
            "sheet",
            1,
            "toxicity_infection_grade",
            "7",
            "toxicity_infection_grade is outside the possible range, from 0 to 5",
        ),
    ),
    (
        "cart3_dose_cells_per_kg",
        "P,9,2",
        (
            "sheet",
            1,
            "cart3_dose_cells_per_kg",
            "2",
            "cart3_dose_cells_per_kg is outside the possible range, from 1000 to 1e+09 cells/kg",
        ),
    ),
    ("response", "P,9,VGPR", ("sheet", 1, "response", "VGPR", "response is not an accepted value")),
    ("umrd_day28", "P,9,<1e-4", ("sheet", 1, "umrd_day28", "<1e-4", "umrd_day28 is neither yes nor no")),
]


@pytest.mark.parametrize(("column", "rows", "expected"), BAD)
def test_what_a_sheet_may_not_hold(tmp_path, column, rows, expected):
    problems = problems_of(write_sheet(tmp_path, f"patient_id,os_days,{column}\n{rows}"))
    assert expected in [(p.table, p.row, p.column, p.value, p.rule) for p in problems if p.severity == "error"]


def test_a_cell_that_is_not_understood_is_not_called_missing_too(tmp_path):
    problems = problems_of(write_sheet(tmp_path, "patient_id,os_days,os_event\nA,100,dead\nB,x,1"))
    assert places(problems) == [("sheet", 1, "os_event", "dead", "error"), ("sheet", 2, "os_days", "x", "error")]


def test_all_problems_of_a_sheet_at_once(tmp_path):
    text = """patient_id,diagnosis,sex,age_years,cart1_lymphodepletion,response,crs_grade,os_days,os_event,pfs_days
    A,CLL,F,61,Cy/Flu,CR,1,100,1,50
    A,CLL,Q,161,magic,great,9,x,maybe,60"""
    problems = problems_of(write_sheet(tmp_path, text))
    assert places(problems) == [
        ("sheet", None, "pfs_event", None, "error"),
        ("sheet", 2, "age_years", "161", "error"),
        ("sheet", 2, "cart1_lymphodepletion", "magic", "error"),
        ("sheet", 2, "crs_grade", "9", "error"),
        ("sheet", 2, "os_days", "x", "error"),
        ("sheet", 2, "os_event", "maybe", "error"),
        ("sheet", 2, "patient_id", "A", "error"),
        ("sheet", 2, "response", "great", "error"),
        ("sheet", 2, "sex", "Q", "error"),
    ]


def test_progression_later_than_death_is_refused(tmp_path):
    text = "patient_id,pfs_days,pfs_event,os_days,os_event\nA,101,1,100,1\nB,100,1,100,1"
    told = problems_of(write_sheet(tmp_path, text))
    assert places(told) == [("sheet", 1, "pfs_days", "101", "error")]


def test_a_sheet_without_ids_names_patients_by_their_row(tmp_path):
    cohort = sheet(tmp_path, "os_days,os_event\n100,1\n\n90,0")
    assert cohort.tables["sheet"]["patient_id"].to_list() == ["row 1", "row 3"]
    assert "no such column: patients are named by their row" in [r.what for r in cohort.readings]


def test_a_sheet_without_rows_is_refused(tmp_path):
    assert [p.rule for p in problems_of(write_sheet(tmp_path, "patient_id,os_days,os_event"))] == ["holds no patient"]


@pytest.mark.parametrize("text", ["hello\nthis is a log\nof nothing", "patient_id,followed,dead\nA,100,1"])
def test_a_sheet_that_holds_nothing_to_analyse_is_refused(tmp_path, text):
    with pytest.raises(CohortRefused) as caught:
        analysis_set(sheet(tmp_path, text), Plan())
    assert caught.value.problems[0].rule.startswith("holds no outcome that the plan analyses")


def test_a_name_that_is_nearly_a_standard_one_is_refused(tmp_path):
    (problem,) = problems_of(write_sheet(tmp_path, "patient_id,os_days,os_event,respons,LDH\nA,100,1,CR,240"))
    assert (problem.table, problem.column, problem.severity) == ("sheet", "respons", "error")
    assert problem.rule == "the column is not read, and its name is nearly response"


def test_a_name_like_a_standard_one_that_is_there_too_is_a_warning(tmp_path):
    cohort = sheet(tmp_path, "patient_id,os_days,os_event,response,responses\nA,100,1,CR,2")
    assert places(cohort.warnings) == [("sheet", None, "responses", None, "warning")]
    assert cohort.warnings[0].remedy.startswith("did you mean response? ")


@pytest.mark.parametrize("column", ["umrd_day14", "cart9_dose_cells_per_kg", "crs_grade_2", "os_months", "LDH", "age"])
def test_another_column_is_no_misspelt_one(tmp_path, column):
    cohort = sheet(tmp_path, f"patient_id,os_days,os_event,{column}\nA,100,1,")
    assert [p for p in cohort.warnings if p.severity == "error"] == []


MAPPED = """Subject,PFS (months),Progressed,Best resp.,LDH
A,100,1,CR,200
B,90,0,PD,300"""
COLUMNS = {"patient_id": "Subject", "pfs_days": "PFS (months)", "pfs_event": "progressed", "response": "Best resp."}


def test_a_column_map(tmp_path):
    cohort = sheet(tmp_path, MAPPED, COLUMNS)
    assert cohort.tables["sheet"].select("patient_id", "pfs_days", "pfs_event", "response").rows() == [
        ("A", 100, "yes", "CR"),
        ("B", 90, "no", "PD"),
    ]
    assert cohort.warnings == ()
    assert [r.what for r in cohort.readings] == ["column named by the plan"] * 4


def test_a_mapped_column_keeps_its_own_name_for_factors(tmp_path):
    cohort = sheet(tmp_path, "id,Age,os_days,os_event\nA,61,9,1\nB,59,8,0", {"age_years": "Age"})
    plan = Plan(factors=(Factor(name="old", column="Age", above=60), Factor(name="age_years")), models=())
    data = analysis_set(cohort, plan)
    assert [f.values.to_list() for f in data.factors] == [["yes", "no"], [61, 59]]


def test_a_mapped_column_that_is_nearly_the_standard_name(tmp_path):
    cohort = sheet(tmp_path, "patient_id,OS Days,os event\nA,9,1", {"os_days": "OS Days", "os_event": "os event"})
    assert cohort.tables["sheet"].select("os_days", "os_event").rows() == [(9, "yes")]
    assert cohort.warnings == ()


def test_a_map_is_not_needed_where_the_standard_name_is_there(tmp_path):
    cohort = sheet(tmp_path, SHEET, {"pfs_days": "PFS (months)"})
    assert cohort.tables["sheet"]["pfs_days"].to_list() == [100, 90.5, None]


@pytest.mark.parametrize(
    ("columns", "column", "rule", "remedy"),
    [
        (
            {"os_days": "Progresed"},
            "Progresed",
            "the plan reads os_days from a column that is not there",
            "did you mean 'Progressed'?",
        ),
        (
            {"os_days": "zzz"},
            "zzz",
            "the plan reads os_days from a column that is not there",
            "correct the plan's [columns]",
        ),
        (
            {"LDH": "Progressed"},
            "LDH",
            "the plan reads LDH from 'Progressed', but the sheet has a column LDH too",
            "rename or map one of the two",
        ),
    ],
)
def test_a_map_that_cannot_be_followed(tmp_path, columns, column, rule, remedy):
    problems = problems_of(write_sheet(tmp_path, MAPPED), columns)
    assert (column, rule, remedy) in [(p.column, p.rule, p.remedy) for p in problems]


def test_two_columns_for_one_standard_name_are_refused(tmp_path):
    problems = problems_of(write_sheet(tmp_path, "patient_id,OS days,os-days,os_event\nA,1,2,1"))
    assert [(p.column, p.rule) for p in problems if p.severity == "error"] == [
        ("os-days", "the columns 'OS days' and 'os-days' are both read as os_days")
    ]


DECLARED = """id,months,status,cause,cured,years
A,12,Dead,disease,yes,1
B,24,alive,,no,2
C,6,dead,toxicity,,0.5
D,3,unknown,,1,
E,,alive,,0,3"""


def declared(folder, **settings):
    plan = Plan(factors=(), models=(), endpoints=(Endpoint(name="mine", **settings),))
    return ends(sheet(folder, DECLARED), plan)["mine"]


def test_an_endpoint_in_months_with_its_event_value(tmp_path):
    end = declared(tmp_path, time="months", event="status", event_value="dead", unit="months", label="My survival")
    assert (end.kind, end.label, end.competing) == ("time", "My survival", None)
    assert known(end.time) == [365.25, 730.5, 182.625, 91.3125, None]
    assert known(end.event) == [1, 0, 1, None, 0]
    assert end.known.tolist() == [True, True, True, False, False]


def test_an_endpoint_with_a_competing_event(tmp_path):
    end = declared(
        tmp_path, time="years", unit="years", event="cause", event_value="disease", competing="status",
        competing_value="dead",
    )  # fmt: skip
    assert known(end.time) == [365.25, 730.5, 182.625, None, 1095.75]
    assert known(end.event) == [1, None, 0, None, None]
    assert known(end.competing) == [0, 0, 1, None, 0]


def test_a_binary_endpoint(tmp_path):
    end = declared(tmp_path, value="cured")
    assert (end.kind, end.time, end.label) == ("binary", None, "mine")
    assert known(end.event) == [1, 0, None, 1, 0]


@pytest.mark.parametrize(
    ("texts", "event_value", "expected"),
    [("0,1,0", "0", [1, 0, 1]), ("0.0,1.0,2.0", "1", [0, 1, 0]), ("Event ,EVENT,none", "event", [1, 1, 0])],
)
def test_the_value_that_means_the_event_is_met_in_any_writing(tmp_path, texts, event_value, expected):
    rows = [f"P{i},9,{t}" for i, t in enumerate(texts.split(","))]
    cohort = sheet(tmp_path, "\n".join(["patient_id,days,CNSR", *rows]))
    end = Endpoint(name="mine", time="days", event="CNSR", event_value=event_value)
    assert known(ends(cohort, Plan(factors=(), models=(), endpoints=(end,)))["mine"].event) == expected


@pytest.mark.parametrize(
    ("settings", "table", "column", "rule"),
    [
        ({"value": "curedd"}, "plan", "curedd", "endpoint mine needs a column that is not there"),
        (
            {"time": "months", "event": "status", "event_value": "Tod"},
            "plan",
            "status",
            "endpoint mine: no row has the value 'Tod'",
        ),
        (
            {"time": "cause", "event": "cured"},
            "plan",
            "cause",
            "endpoint mine needs times of 0 to 36500 days in every row that has one",
        ),
        (
            {"time": "months", "event": "status"},
            "sheet",
            "status",
            "endpoint mine: status is neither yes nor no",
        ),
    ],
)
def test_a_declared_endpoint_that_cannot_be_made(tmp_path, settings, table, column, rule):
    with pytest.raises(PlanRefused) as caught:
        declared(tmp_path, **settings)
    assert (table, column, rule) in [(p.table, p.column, p.rule) for p in caught.value.problems]


def test_times_below_nothing_are_refused(tmp_path):
    cohort = sheet(tmp_path, "id,days,dead\nA,-1,1\nB,4,0")
    plan = Plan(factors=(), models=(), endpoints=(Endpoint(name="mine", time="days", event="dead"),))
    with pytest.raises(PlanRefused) as caught:
        analysis_set(cohort, plan)
    assert [p.column for p in caught.value.problems] == ["days"]


def test_a_row_whose_event_is_not_understood_is_named(tmp_path):
    with pytest.raises(PlanRefused) as caught:
        declared(tmp_path, time="months", event="status")
    assert places(caught.value.problems) == [
        ("sheet", 1, "status", "Dead", "error"),
        ("sheet", 2, "status", "alive", "error"),
        ("sheet", 3, "status", "dead", "error"),
        ("sheet", 5, "status", "alive", "error"),
    ]
