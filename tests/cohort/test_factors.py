"""Factors: from literal columns to design columns; what is not understood is a problem."""

import numpy as np
import polars as pl
import pytest

from helpers import read, write_sheet
from reinfuse import read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.factors import build
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.analysis_plan import Factor, Plan

FRAME = pl.DataFrame(
    {
        "patient_id": ["A", "B", "C", "D"],
        "cart1_lymphodepletion" + CLASS_SUFFIX: ["Cy-Flu", "Cy", None, "None"],
        "cart2_lymphodepletion" + CLASS_SUFFIX: ["Cy-Flu", "Other", "Flu", None],
        "cart1_dose_cells_per_kg": [2e6, 2e6, None, 1e6],
        "cart2_dose_cells_per_kg": [2e7, 2e6, 2e7, 5e5],
        "interval_days": [90.0, 60.0, None, 300.0],
        "sex": ["F", "M", "M", None],
        "LDH": ["240", "1,250.5", None, "241"],
        "stage": ["II", "III", "II", None],
        "lower": ["0.5", "0", None, "2"],
        "mixed": ["240", "<5", None, "n"],
        "flag": ["Yes", "no", "TRUE", None],
        "coded": ["1", "0", "1", None],
    }
)


def made(factor, frame=FRAME, dialect="point"):
    (column,), left_out, problems = build([factor], frame, dialect=dialect)
    assert (left_out, problems) == ([], [])
    return column


def problem(factor, frame=FRAME, dialect="point"):
    columns, left_out, (found,) = build([factor], frame, dialect=dialect)
    assert (columns, left_out, found.table, found.severity) == ([], [], "plan", "error")
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cart1_cy_flu", ["yes", "no", None, "no"]),
        ("cart2_cy_flu", ["yes", "no", "no", None]),
        ("dose_increase", ["yes", "no", None, "no"]),
        ("sex", ["F", "M", "M", None]),
    ],
)
def test_a_built_in_factor_stays_missing_where_its_source_is(name, expected):
    assert made(Factor(name=name)).values.to_list() == expected


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (Factor(name="log2_dose_ratio"), [np.log2(10), 0, None, -1]),
        (Factor(name="interval_days", per=30), [3, 2, None, 10]),
        (Factor(name="ldh", column="LDH"), [240, 1250.5, None, 241]),
        (Factor(name="ldh", column="LDH", per=10), [24, 125.05, None, 24.1]),
        (Factor(name="ldh", column="LDH", scale="log2"), [np.log2(240), np.log2(1250.5), None, np.log2(241)]),
        (Factor(name="coded", column="coded"), [1, 0, 1, None]),
    ],
)
def test_a_number(factor, expected):
    column = made(factor)
    assert (column.kind, column.terms) == ("number", (factor.name,))
    assert column.values.is_null().to_list() == [v is None for v in expected]
    design = [np.nan if v is None else v for v in expected]
    np.testing.assert_allclose(column.columns[:, 0], design, rtol=1e-15)


@pytest.mark.parametrize(
    ("factor", "label"),
    [
        (Factor(name="ldh_high", column="LDH", above=240), "ldh high above 240"),
        (Factor(name="ldh_high", column="LDH", above=240, label="Raised LDH"), "Raised LDH"),
        (Factor(name="age_years", column="LDH", per=10), "Age, per 10 years"),
        (Factor(name="age_years", column="LDH"), "Age, per year"),
        (Factor(name="prior_lines", column="LDH", per=2), "Prior lines of therapy, per 2 lines"),
        (Factor(name="LDH", column="LDH", scale="log2"), "LDH, per doubling"),
    ],
)
def test_a_label(factor, label):
    assert made(factor).label == label


def test_a_cut_is_above_and_stays_missing():
    column = made(Factor(name="ldh_high", column="LDH", above=240))
    assert (column.kind, column.levels, column.terms) == ("binary", ("no", "yes"), ("ldh_high",))
    assert column.values.to_list() == ["no", "yes", None, "yes"]
    assert column.columns[:, 0].tolist() == [0, 1, pytest.approx(np.nan, nan_ok=True), 1]


@pytest.mark.parametrize(
    ("factor", "kind", "levels", "values", "terms"),
    [
        (Factor(name="flag", column="flag"), "binary", ("no", "yes"), ["yes", "no", "yes", None], ("flag",)),
        (
            Factor(name="flag", column="flag", reference="yes"),
            "category",
            ("yes", "no"),
            ["yes", "no", "yes", None],
            ("flag=no",),
        ),
        (Factor(name="stage", column="stage"), "category", ("II", "III"), ["II", "III", "II", None], ("stage=III",)),
        (
            Factor(name="stage", column="stage", reference="III"),
            "category",
            ("III", "II"),
            ["II", "III", "II", None],
            ("stage=II",),
        ),
        (
            Factor(name="coded", column="coded", reference="0"),
            "category",
            ("0", "1"),
            ["1", "0", "1", None],
            ("coded=1",),
        ),
        (
            Factor(name="mixed", column="mixed", reference="240"),
            "category",
            ("240", "<5", "n"),
            ["240", "<5", None, "n"],
            ("mixed=<5", "mixed=n"),
        ),
    ],
)
def test_a_category(factor, kind, levels, values, terms):
    column = made(factor)
    assert (column.kind, column.levels, column.terms) == (kind, levels, terms)
    assert column.values.to_list() == values


@pytest.mark.parametrize(
    ("factor", "rule", "remedy"),
    [
        (
            Factor(name="ldh", column="LDHH"),
            "factor ldh needs a column that is not there",
            "did you mean 'LDH'?",
        ),
        (
            Factor(name="ldh", column="zzz"),
            "factor ldh needs a column that is not there",
            "correct the plan or add the column",
        ),
        (
            Factor(name="stage", column="stage", above=2),
            "factor stage needs numbers, and 3 values are not numbers",
            "correct the column or the factor",
        ),
        (
            Factor(name="stage", column="stage", per=2),
            "factor stage needs numbers, and 3 values are not numbers",
            "correct the column or the factor",
        ),
        (
            Factor(name="mixed", column="mixed"),
            "factor mixed holds 1 numbers and 2 non-numeric values",
            "correct the column, or name a reference in the plan to compare its values as categories",
        ),
        (
            Factor(name="low", column="lower", scale="log2"),
            "factor low has values of 0 or less, which have no logarithm",
            "leave out the scale, or cut with above",
        ),
        (
            Factor(name="stage", column="stage", reference="IV"),
            "factor stage has no value 'IV', its reference",
            "correct the reference; values: II, III",
        ),
    ],
)
def test_a_factor_that_cannot_be_made(factor, rule, remedy):
    refusal = problem(factor)
    assert (refusal.column, refusal.rule, refusal.remedy) == (factor.column, rule, remedy)


def test_a_factor_of_too_many_values_is_refused():
    frame = pl.DataFrame({"name": [f"n{i}" for i in range(21)]})
    assert problem(Factor(name="name", column="name"), frame).rule == (
        "factor name has 21 different values, more than 20"
    )


def test_numbers_with_two_readings_are_refused_where_commas_may_be_decimal():
    frame = pl.DataFrame({"LDH": ["1,250", "300"]})
    factor = Factor(name="ldh", column="LDH", above=240)
    assert made(factor, frame).values.to_list() == ["yes", "yes"]
    assert problem(factor, frame, "either").rule == "factor ldh needs numbers, and 1 values are not numbers"


def test_built_in_factors_that_the_data_lack_are_left_out():
    names = ("bulky", "prior_lines", "age_years", "diagnosis")
    columns, left_out, problems = build([Factor(name=n) for n in names], FRAME)
    assert (columns, left_out, problems) == ([], list(names), [])


PATIENTS = "patient_id,last_contact,death,diagnosis,LDH\nA,900,,CLL,1\nB,900,,ALL,2"
INFUSIONS = """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion,LDH,ECOG
A,1,0,2e6,Cy/Flu,200,0
A,2,100,2e7,Cy,300,1
B,1,0,2e6,Cy,210,0
B,2,130,2e6,Cy/Flu,,2"""


def values_of(cohort, plan, *names):
    data = analysis_set(cohort, plan)
    return {n: data.factor(n).values.to_list() for n in names}


def test_columns_of_infusions_are_those_of_the_index_infusion(tmp_path):
    cohort = read(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    factors = (
        Factor(name="ecog", column="ECOG"),
        Factor(name="ldh_index", column="LDH"),
        Factor(name="ldh_patient", column="LDH_patients"),
        Factor(name="interval_days"),
        Factor(name="dose_increase"),
        Factor(name="cart1_cy_flu"),
        Factor(name="cart2_cy_flu"),
    )
    plan = Plan(factors=factors, models=())
    assert values_of(cohort, plan, *(f.name for f in factors)) == {
        "ecog": [1, 2],
        "ldh_index": [300, None],
        "ldh_patient": [1, 2],
        "interval_days": [100, 130],
        "dose_increase": ["yes", "no"],
        "cart1_cy_flu": ["yes", "no"],
        "cart2_cy_flu": ["no", "yes"],
    }


CLASHING = {
    "patients": """patient_id,last_contact,death,diagnosis,age_years,prior_lines,os_days,interval_days,toxicity_x_grade
    A,900,,CLL,61,3,7,8,y
    B,900,,ALL,70,4,7,8,y""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion,response,crs_grade,age_years,sex
    A,1,0,2e6,Cy/Flu,CR,x,61,F
    A,2,100,2e7,Cy,CR,x,62,f
    B,1,0,2e6,Cy,CR,x,70,
    B,2,130,2e6,Cy/Flu,CR,x,71,M""",
    "responses": "patient_id,day,response\nA,130,SD\nB,160,PR",
    "toxicities": "patient_id,infusion,kind,grade\nA,2,CRS,2",
}


def test_columns_of_the_input_stand_apart_from_derived_ones(tmp_path):
    data = analysis_set(read(tmp_path, **CLASHING), Plan())
    assert data.grades == ("crs_grade",)
    assert data.frame["toxicity_x_grade_patients"].to_list() == ["y", "y"]
    names = ["response", "crs_grade", "os_days", "interval_days", "age_years", "prior_lines", "sex"]
    assert data.frame.select(names).rows() == [
        ("SD", 2, 800, 100, 61, 3, "F"),
        ("PR", 0, 770, 130, 70, 4, "M"),
    ]
    kept = ["response_infusions", "crs_grade_infusions", "os_days_patients", "interval_days_patients"]
    assert data.frame.select(*kept, "age_years_infusions").rows() == [
        ("CR", "x", "7", "8", 62),
        ("CR", "x", "7", "8", 71),
    ]
    assert "column response of the table infusions is kept as response_infusions, apart from the derived response" in (
        data.notes
    )


def test_two_wrong_factors_and_a_wrong_subgroup_are_told_at_once(tmp_path):
    cohort = read(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    factors = (Factor(name="a", column="ECOGG"), Factor(name="b", column="LDHH"))
    with pytest.raises(PlanRefused) as caught:
        analysis_set(cohort, Plan(factors=factors, models=(), subgroups=("stage",)))
    assert [(p.column, p.remedy) for p in caught.value.problems] == [
        ("ECOGG", "did you mean 'ECOG'?"),
        ("LDHH", "did you mean 'LDH'?"),
        ("stage", "correct the plan"),
    ]


def test_subgroups_are_the_levels_of_factors_and_columns(tmp_path):
    cohort = read(tmp_path, patients=PATIENTS, infusions=INFUSIONS)
    data = analysis_set(cohort, Plan(subgroups=("diagnosis", "cart1_cy_flu", "ECOG")))
    assert {name: mask.tolist() for name, mask in data.populations.items()} == {
        "all": [True, True],
        "diagnosis=ALL": [False, True],
        "diagnosis=CLL": [True, False],
        "cart1_cy_flu=no": [False, True],
        "cart1_cy_flu=yes": [True, False],
        "ECOG=1": [True, False],
        "ECOG=2": [False, True],
    }


def test_a_wide_sheet_gives_the_same_built_in_factors(tmp_path):
    sheet = """patient_id,cart1_lymphodepletion,cart2_lymphodepletion,cart1_dose_cells_per_kg,cart2_dose_cells_per_kg,\
crs_grade
    A,Cy/Flu,Cy,2x10^6,2e7,1
    B,,fludarabine + cyclophosphamide,2e6,,0
    C,Cy,none,2e6,1e6,2"""
    names = ("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "log2_dose_ratio")
    plan = Plan(factors=tuple(Factor(name=n) for n in names), models=())
    assert values_of(read_cohort(write_sheet(tmp_path, sheet)), plan, *names) == {
        "cart1_cy_flu": ["yes", None, "no"],
        "cart2_cy_flu": ["no", "yes", "no"],
        "dose_increase": ["yes", None, "no"],
        "log2_dose_ratio": [pytest.approx(np.log2(10)), None, -1],
    }


def test_a_sheet_may_hold_built_in_factors_ready_made(tmp_path):
    sheet = "patient_id,cart1_cy_flu,dose_increase,age_years,crs_grade\nA,yes,no,61,1\nB,no,,62,0"
    plan = Plan(factors=(Factor(name="cart1_cy_flu"), Factor(name="dose_increase")), models=())
    assert values_of(read_cohort(write_sheet(tmp_path, sheet)), plan, "cart1_cy_flu", "dose_increase") == {
        "cart1_cy_flu": ["yes", "no"],
        "dose_increase": ["no", None],
    }
