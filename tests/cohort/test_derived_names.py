"""No column of the input bears the name of a derived one, and no endpoint of a plan that of a derived endpoint."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cohorts import EIGHT
from helpers import plain, problems_of, read, write_folder, write_sheet
from reinfuse import read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.patient_rows import patients_frame
from reinfuse.cohort.raw_tables import DERIVED, ROW, TIME
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.analysis_plan import Endpoint, Factor, Plan
from reinfuse.study import Study
from reinfuse.tabular.cell_parsing import clean

PLAN = Plan(factors=(Factor(name="cart1_cy_flu"), Factor(name="cart2_cy_flu")), models=())
OWN = ("lymphodepletion_class", "cart1_lymphodepletion_class", "_row", "_time", "_index", "_horizon", "_before", "_pd",
       "_first", "_part", "_whole", "_sum", "t", "source", "person", "cy_flu", "repeat", "*", "^.*$",
       f"{DERIVED}row")  # fmt: skip


def with_columns(tables):
    """Add a column of each name to every table, each cell `no`."""
    return {
        name: "\n".join(f"{line},{','.join(OWN if i == 0 else ['no'] * len(OWN))}" for i, line in enumerate(rows))
        for name, rows in ((name, text.splitlines()) for name, text in tables.items())
    }


def test_no_header_holds_what_derived_names_hold():
    assert all(DERIVED in name and clean(name) != name for name in (ROW, TIME, CLASS_SUFFIX))


def test_own_columns_change_nothing_in_dated_tables(tmp_path):
    own = {name: text.replace(f",{DERIVED}row", ",row") for name, text in with_columns(EIGHT).items()}
    with_own, without = (read(tmp_path, **tables) for tables in (own, EIGHT))
    frames = [patients_frame(analysis_set(cohort, PLAN), PLAN) for cohort in (with_own, without)]
    assert frames[1]["cart1_cy_flu"].to_list() == ["yes", "no", "yes", "yes", "no", "no", None, "no"]
    assert_frame_equal(*frames)


def test_own_columns_of_the_counts_and_infusions_change_no_estimate(tmp_path):
    plan = plain(PLAN)
    own = with_columns({"infusions": EIGHT["infusions"]}) | {"therapies": EIGHT["therapies"]}
    own = {name: text.replace(f",{DERIVED}row", ",row") for name, text in own.items()}
    found = [Study(read(tmp_path, **tables), plan).run() for tables in (EIGHT | own, EIGHT)]
    assert found[0].to_frame().equals(found[1].to_frame())


@pytest.mark.parametrize("name", ["cart1_lymphodepletion_class", "_row", "lymphodepletion_class", "source"])
def test_own_columns_change_nothing_in_a_wide_sheet(tmp_path, name):
    text = f"patient_id,cart1_lymphodepletion,os_days,os_event,{name}\nA,Cy/Flu,9,1,no\nB,Cy,8,0,no"
    plan = Plan(factors=(Factor(name="cart1_cy_flu"), Factor(name="mine", column=name)), models=())
    cohort = read_cohort(write_sheet(tmp_path, text), {}, used=plan.used_columns)
    data = analysis_set(cohort, plan)
    assert [f.values.to_list() for f in data.factors] == [["yes", "no"], ["no", "no"]]
    assert patients_frame(data, plan)[name].to_list() == ["no", "no"]


def test_patients_csv_is_read_again_without_loss(tmp_path):
    first = patients_frame(analysis_set(read(tmp_path, **EIGHT), PLAN), PLAN)
    first.write_csv(tmp_path / "patients.csv")
    second = patients_frame(analysis_set(read_cohort(tmp_path / "patients.csv"), PLAN), PLAN)
    assert_frame_equal(second.select(first.columns), first, check_dtypes=False)


@pytest.mark.parametrize("name", ["ttnt", "relapse", "nrm"])
def test_an_endpoint_of_the_plan_beside_the_derived_one_is_refused(tmp_path, name):
    plan = Plan(factors=(), models=(), endpoints=(Endpoint(name=name, value="LDH"),))
    with pytest.raises(PlanRefused) as refused:
        analysis_set(read_cohort(write_folder(tmp_path, **EIGHT), {}, used=plan.used_columns), plan)
    (problem,) = refused.value.problems
    assert (problem.table, problem.column) == ("plan", name)
    assert problem.rule == f"endpoint {name}: the cohort holds an endpoint of this name already"


def test_a_sheet_without_the_derived_endpoint_may_have_the_plans_own(tmp_path):
    text = "patient_id,os_days,os_event,weeks,again\nA,9,1,1,yes\nB,8,0,1,no"
    plan = Plan(factors=(), models=(), endpoints=(Endpoint(name="ttnt", time="weeks", event="again"),))
    data = analysis_set(read_cohort(write_sheet(tmp_path, text), {}, used=plan.used_columns), plan)
    assert [e.name for e in data.endpoints] == ["os", "ttnt"]
    text = text.replace("weeks,again", "ttnt_days,ttnt_event")
    plan = Plan(factors=(), models=(), endpoints=(Endpoint(name="ttnt", time="os_days", event="os_event"),))
    with pytest.raises(PlanRefused):
        analysis_set(read_cohort(write_sheet(tmp_path, text), {}, used=plan.used_columns), plan)


def test_a_name_that_is_a_pattern_names_its_own_column(tmp_path):
    text = "patient_id,os_days,os_event,^.*$,*\nA,9,1,x,1\nB,8,0,y,2"
    plan = Plan(factors=(Factor(name="one", column="^.*$"), Factor(name="two", column="*")), models=())
    cohort = read_cohort(write_sheet(tmp_path, text), {"product": "*"}, used=plan.used_columns)
    assert [f.values.to_list() for f in analysis_set(cohort, plan).factors] == [["x", "y"], [1.0, 2.0]]
    assert cohort.tables["sheet"].schema["os_days"] == pl.Float64


def test_a_row_of_a_problem_is_the_rows_own_number(tmp_path):
    (problem,) = problems_of(write_sheet(tmp_path, "patient_id,_row,os_days,os_event\nA,7,9,1\nB,8,x,0"))
    assert (problem.row, problem.column) == (2, "os_days")
