"""Problems in words: the user's own row and header, equal ones once, and no suggestion of another thing."""

from __future__ import annotations

import polars as pl
import pytest

from helpers import write_folder
from outputs import run
from reinfuse.cohort.raw_tables import read_raw
from reinfuse.cohort.schema import RESPONSES, TABLES, WIDE
from reinfuse.exceptions import Problem, nearest
from reinfuse.messages import lines
from reinfuse.plan.analysis_plan import Plan
from reinfuse.study import cohorts
from reinfuse.tabular.cell_parsing import read_choice
from test_cli import GOOD

WIDE_NAMES = [c.name for c in WIDE.columns]
OTHER_THINGS = [
    *((word, RESPONSES) for word in ("NR", "nr", "NED", "MR", "CRu", "CRh", "PRi", "VGPR", "SDi", "RP", "DC", "ORR")),
    *((word, WIDE_NAMES) for word in ("Reason", "DFS_days", "rfs_event", "cart1_dose", "dfs days", "cns_grade", "age",
                                      "cart3_dose_cells_per_kg", "n_patients", "grade", "pd_days", "os_date", "set")),
    *((word, ("undetectable", "detectable")) for word in ("not detectable", "nondetectable", "detected", "neg")),
    *((word, ("relapse", "progression", "planned", "no response")) for word in ("unplanned", "response", "relief")),
    ("P02", ("P01", "P03")), ("female", ("male",)), ("CD4", ("CD8", "total")), ("CLL", ("ALL", "NHL")),
    ("median", ("mean",)), ("stage", ("age",)), ("overall", ("over",)),
]  # fmt: skip
SLIPS = [
    ("respnse", WIDE_NAMES, "response"), ("os_dayz", WIDE_NAMES, "os_days"), ("pfs_events", WIDE_NAMES, "pfs_event"),
    ("pfs day", WIDE_NAMES, "pfs_days"), ("lymphodepletoin", ["lymphodepletion"], "lymphodepletion"),
    ("Diagnose", WIDE_NAMES, "diagnosis"), ("LDHH", ["LDH"], "LDH"), ("relpase", ["relapse"], "relapse"),
    ("undetectible", ["undetectable", "detectable"], "undetectable"), ("prior-linse", WIDE_NAMES, "prior_lines"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "names"), OTHER_THINGS)
def test_another_thing_is_not_suggested(word, names):
    assert nearest(word, names) is None


@pytest.mark.parametrize(("word", "names", "meant"), SLIPS)
def test_a_slip_of_the_pen_is_mended(word, names, meant):
    assert nearest(word, names) == meant


def test_between_two_names_that_are_as_near_none_is_chosen():
    assert nearest("respxnse", ["respinse", "response"]) is None


def test_no_response_is_offered_for_an_unknown_one():
    for word in ("NR", "MR", "CRu", "VGPR"):
        read = read_choice(word, RESPONSES, {}, free=False)
        assert (read.value, "did you mean" in read.remedy) == (None, False)


@pytest.mark.parametrize("name", ["Reason", "dfs_days", "cart1_dose"])
def test_columns_that_are_other_things_are_kept_without_a_word(name, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(f"patient_id,os_days,os_event,{name}\nA,400,0,1\nB,300,1,2\n")
    checked = cohorts.check(path)
    assert (checked.accepted, checked.problems) == (True, ())


@pytest.mark.parametrize(("name", "meant"), [("pfs_dys", "pfs_days"), ("psf_days", "pfs_days"), ("umrd_day_28", None)])
def test_misspelt_columns_are_not_lost(name, meant, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(f"patient_id,os_days,os_event,{name}\nA,400,0,1\nB,300,1,0\n")
    checked = cohorts.check(path)
    assert checked.accepted == (meant is None)
    if meant:
        (problem,) = checked.problems
        assert problem.rule == f"the column is not read, and its name is nearly {meant}"
        assert f'write {meant} = "{name}" under [columns] in the plan' in problem.remedy


def test_row_and_header_are_those_of_the_user(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("Patient ID;OS (Tage);tot;Best Response\nA;400;0;CR\n;;;\nB;soon;1;PR\nC;500;1;great\n")
    plan = Plan.of({"columns": {"os_days": "OS (Tage)", "os_event": "tot", "response": "Best Response"}})
    problems = cohorts.check(path, plan).problems
    days, response = (next(p for p in problems if p.column == c and p.value) for c in ("os_days", "response"))
    assert (days.row, days.sheet_row, days.header) == (3, 4, "OS (Tage)")
    assert (response.row, response.sheet_row, response.header) == (4, 5, "Best Response")
    assert set(days.as_dict()) == {"table", "row", "column", "value", "rule", "remedy", "severity"}
    assert (
        "ERROR: sheet, row 4 of the sheet, OS (Tage) (read as os_days): os_days is not a number [soon] → "
        in "\n".join(lines(problems))
    )
    frame = pl.read_csv(path, separator=";", infer_schema=False).fill_null("")
    frame.write_parquet(tmp_path / "x.parquet")
    in_parquet = cohorts.check(tmp_path / "x.parquet", plan).problems
    assert {p.sheet_row for p in in_parquet} == {None}


def test_equal_problems_are_told_once():
    texts = [*["NR"] * 30, *["n.e."] * 8, *"abcdefg"]
    cells = [Problem(table="sheet", row=i, sheet_row=i + 1, column="response", value=t, rule="is not accepted",
                     remedy=f"use {'CR' if t == 'NR' else 'PR'}") for i, t in enumerate(texts, 1)]  # fmt: skip
    other = Problem(table="sheet", column="x", rule="is not there", remedy="add it", severity="warning")
    first, second = lines([*cells, other])
    assert first == (
        "ERROR: sheet, response: 45 cells, 9 different texts: is not accepted [NR (30 times); n.e. (8 times); a; b; c; "
        "d, and 3 more] (rows 2, 3, 4, 5, 6 and 40 more of the sheet) → use CR; use PR"
    )
    assert second == "WARNING: sheet, x: is not there → add it"
    (alone,) = lines([Problem(table="t", row=3, column="c", rule="is empty", remedy="fill it")] * 2)
    assert alone == "ERROR: t, c: 2 times: is empty (row 3) → fill it"


def test_the_command_line_tells_equal_problems_once(tmp_path):
    bad = {**GOOD, "responses": "patient_id,day,response\nP1,128,NR\nP2,120,NR\nP2,150,nothing"}
    completed = run("check", write_folder(tmp_path, **bad))
    assert completed.returncode == 2
    (told,) = completed.stderr.decode().splitlines()
    assert told.startswith("ERROR: responses, response: 3 cells, 2 different texts: response is not an accepted value "
                           "[NR (2 times); nothing] (rows 2, 3, 4 of the sheet) → use one of: CR")  # fmt: skip


def test_tables_that_were_read_know_their_rows_above(tmp_path):
    raw = read_raw(write_folder(tmp_path, **GOOD))
    assert {t.above for t in raw.tables.values()} == {1}
    assert set(raw.tables) <= set(TABLES)
