"""Each setting of a plan with a value of each other type: refused with its place, never a fault of the program."""

import tomllib

import pytest

from reinfuse.exceptions import PlanRefused
from reinfuse.plan.analysis_plan import (
    Analyses,
    Endpoint,
    Factor,
    Kinetics,
    Landmark,
    Model,
    Plan,
    Rules,
    Standardise,
    TimeDependent,
)
from reinfuse.plan.switches import declared

VALUES = ("'x'", "''", "-1", "1.5", "true", "nan", "inf", "[]", "[1]", "['x']", "[[]]", "[{}]", "{}", "{a = 1}",
          "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "[true]")  # fmt: skip
TABLES = {"": Plan, "[rules]": Rules, "[standardise]": Standardise, "[kinetics]": Kinetics, "[analyses]": Analyses}
LISTS = {
    "[[factors]]": (Factor, {"name": "'x'", "column": "'LDH'"}),
    "[[endpoints]]": (Endpoint, {"name": "'own'", "time": "'pfs_days'", "event": "'pfs_event'"}),
    "[[models]]": (Model, {"endpoint": "'pfs'", "factors": "['age_years']"}),
    "[[landmarks]]": (Landmark, {"factor": "'response'"}),
    "[[time_dependent]]": (TimeDependent, {"factor": "'response'"}),
}


def plans():
    for head, model in TABLES.items():
        for key in (*model.model_fields, *(declared() if model is Analyses else ())):
            yield from (f"{head}\n{key} = {value}\n" for value in VALUES)
    for head, (model, rest) in LISTS.items():
        for key in model.model_fields:
            yield from ("\n".join([head, *(f"{k} = {v}" for k, v in {**rest, key: value}.items())]) for value in VALUES)
    for key in ("pfs_days", "patient_id", "'x y'", "toxicity_x_grade"):
        yield from (f"[columns]\n{key} = {value}\n" for value in VALUES)


def refusal(text):
    """Return the problems with which a plan is refused; none if it is accepted."""
    try:
        Plan.of(tomllib.loads(text))
    except PlanRefused as refused:
        return refused.problems
    return ()


def test_no_type_of_any_setting_is_a_fault_of_the_program():
    problems = [refusal(text) for text in plans()]
    assert all(p.rule and p.remedy for told in problems for p in told)
    assert 50 < sum(not told for told in problems) < 400


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("index_infusion = true", "index_infusion"),
        ("small_cells = false", "small_cells"),
        ("[rules]\nmax_gap_days = true", "rules.max_gap_days"),
        ("[rules]\numrd_window = [true, 42]", "rules.umrd_window"),
        ("[kinetics]\narea_days = [true]", "kinetics.area_days"),
        ("[[factors]]\nname = 'x'\ncolumn = 'LDH'\nabove = true", "factors.0.above"),
        ("[[landmarks]]\nfactor = 'response'\nday = true", "landmarks.0.day"),
    ],
)
def test_true_is_no_number(text, column):
    with pytest.raises(PlanRefused) as refused:
        Plan.of(tomllib.loads(text))
    assert [(p.column, p.rule) for p in refused.value.problems] == [
        (column, "is true or false, and takes a number or a text")
    ]


def test_switches_stay_true_or_false():
    plan = Plan.of(tomllib.loads("[rules]\ncensor_at_new_therapy = false\n[analyses]\nrmst = true\npower = 0"))
    assert plan.rules.censor_at_new_therapy is False
    assert plan.analyses.value("rmst") is True
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan


def test_the_place_where_switches_are_kept_takes_no_others():
    with pytest.raises(PlanRefused) as refused:
        Plan.of({"analyses": {"further": {"a": 1}}})
    assert [p.rule for p in refused.value.problems] == ["'a' is not a setting of a plan"]
