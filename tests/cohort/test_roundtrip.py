"""`patients.csv` read again as a wide sheet gives the same estimates."""

from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from cohorts import EIGHT
from helpers import estimates_agree, plain, quick, read
from reinfuse import read_cohort
from reinfuse.plan.analysis_plan import Factor, Model, Plan
from reinfuse.plan.options import Analyses
from reinfuse.study import Study

BUNDLED = Path(str(files("reinfuse"))) / "data"
OWN = Plan(
    factors=(
        Factor(name="cart1_cy_flu"),
        Factor(name="ldh_high", column="LDH", above=240),
        Factor(name="LDH", column="LDH", scale="log2"),
        Factor(name="lymphoma", column="histology", reference="CLL"),
        Factor(name="bulky", label="Bulk"),
    ),
    models=(Model(endpoint="os", factors=("cart1_cy_flu", "ldh_high")),),
    subgroups=("cart1_cy_flu", "product"),
    confidence=0.9,
)
THIRD = Plan(index_infusion=3, factors=(Factor(name="cart1_cy_flu"), Factor(name="dose_increase")), models=())
FIRST = Plan.built_in(1)
AT_THIRD = EIGHT | {
    "infusions": EIGHT["infusions"]
    + "\nP1,3,620,JCAR014,3000000,bendamustine,planned,6,no,"
    + "\nP8,3,810,JCAR014,4000000,Cy/Flu,relapse,6,no,300",
}
OF_ROWS = pl.col("analysis") != "states"
"""Records that need no dated tables."""


def again(folder, tables, plan, drawn=False):
    """Return findings of a cohort, and of its own patients.csv: no outcome of CART1, no counts, no visits."""
    off = {"paired": False, "kinetics": False, "endpoint_rules": False}
    analyses = (quick if drawn else plain)(plan).analyses.model_copy(update=off)
    plan = plan.model_copy(update={"analyses": analyses})
    first = Study(read(folder, **tables), plan).run()
    first.patients.write_csv(folder / "patients.csv")
    second = Study(read_cohort(folder / "patients.csv", plan.columns, used=plan.used_columns), plan).run()
    return first, second


@pytest.mark.parametrize(
    ("tables", "plan", "drawn"),
    [(EIGHT, Plan.built_in(), True), (EIGHT, OWN, False), (EIGHT, FIRST, False)],
    ids=["built-in plan", "own columns", "first infusion"],
)
def test_all_records_are_equal_where_all_patients_are_analysed(tmp_path, tables, plan, drawn):
    first, second = again(tmp_path, tables, plan, drawn)
    assert second.cohort.wide
    estimates_agree(first.to_frame().filter(OF_ROWS), second.to_frame())


def test_a_third_infusion_and_patients_without_it(tmp_path):
    first, second = again(tmp_path, AT_THIRD, THIRD)
    assert first.patients["patient_id"].to_list() == ["P1", "P8"]
    no_flow = pl.col("analysis") != "flow"
    estimates_agree(first.to_frame().filter(OF_ROWS, no_flow), second.to_frame().filter(no_flow))


def test_the_second_reading_gives_the_same_patients(tmp_path):
    first, second = again(tmp_path, EIGHT, Plan(factors=(Factor(name="sex"),), models=()))
    assert second.patients.select(first.patients.columns).equals(first.patients)


def test_the_columns_of_patients_csv(tmp_path):
    plan = Plan(factors=(Factor(name="ldh_high", column="LDH", above=240), Factor(name="dose_increase")), models=())
    frame = Study(read(tmp_path, **EIGHT), plan).run().patients
    assert frame.columns == [
        "patient_id", "diagnosis", "sex", "age_years", "prior_lines", "bulky", "cart1_lymphodepletion",
        "cart1_dose_cells_per_kg", "cart2_lymphodepletion", "cart2_dose_cells_per_kg", "interval_days", "response",
        "umrd_day28", "crs_grade", "icans_grade", "pfs_days", "pfs_event", "os_days", "os_event", "dor_days",
        "dor_event", "ttnt_days", "ttnt_event", "relapse_days", "relapse_event", "nrm_days", "nrm_event",
        "first_assessment_day", "response_day", "umrd_day28_day", "umrd_day28_compartment", "transplant_day",
        "toxicity_infection_grade", "histology", "reason", "product", "LDH", "ldh_high", "dose_increase",
        "response_source", "umrd_day28_source", "pfs_source", "os_source", "dor_source", "ttnt_source",
        "relapse_source", "nrm_source", "crs_grade_source", "icans_grade_source", "toxicity_infection_grade_source",
    ]  # fmt: skip
    assert frame.select("patient_id", "response", "umrd_day28", "pfs_days", "pfs_event", "ldh_high").rows() == [
        ("P1", "CR", "yes", 480, "no", "yes"),
        ("P2", "SD", "no", 110, "yes", "yes"),
        ("P3", "PR", None, 200, "yes", None),
        ("P4", "CR", None, 110, "yes", "yes"),
        ("P5", "PD", None, 28, "yes", "yes"),
        ("P6", "CRi", "yes", 200, "no", "no"),
        ("P7", "NE", None, 90, "yes", "yes"),
        ("P8", "nPR", "no", 690, "yes", "no"),
    ]


OTHER = Plan(factors=(Factor(name="lymphoma", column="histology", reference="B-ALL"),), models=(),
             analyses=Analyses.none())  # fmt: skip


@pytest.mark.parametrize("plan", [plain(Plan.built_in()), OTHER], ids=["built-in plan", "own column"])
def test_the_bundled_cohort(tmp_path, plan):
    plan = plan.model_copy(update={"analyses": plan.analyses.model_copy(update={"kinetics": False})})
    first = Study(read_cohort(BUNDLED / "synthetic_gauthier_2021"), plan).run()
    first.patients.write_csv(tmp_path / "patients.csv")
    second = Study(read_cohort(tmp_path / "patients.csv", plan.columns, used=plan.used_columns), plan).run()
    estimates_agree(first.to_frame().filter(OF_ROWS), second.to_frame())


@pytest.mark.parametrize("name", ["brudno_2016", "sheih_2020"])
def test_a_bundled_wide_sheet(tmp_path, name):
    plan = quick(Plan.load(BUNDLED / name / "plan.toml"))
    first = Study(read_cohort(BUNDLED / name, plan.columns, used=plan.used_columns), plan).run()
    first.patients.write_csv(tmp_path / "patients.csv")
    second = Study(read_cohort(tmp_path / "patients.csv", plan.columns, used=plan.used_columns), plan).run()
    estimates_agree(first.to_frame(), second.to_frame())
