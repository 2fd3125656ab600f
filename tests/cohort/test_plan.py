"""The analysis plan: what it refuses, all of it at once, with a word on what was perhaps meant."""

import pytest

from reinfuse.cohort.declarations import BUILT_IN_FACTORS, NEEDS_SECOND
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.analysis_plan import Endpoint, Factor, Plan


def refused(**told):
    with pytest.raises(PlanRefused) as caught:
        Plan.of(told)
    return [(p.column, p.value, p.rule, p.remedy) for p in caught.value.problems]


def test_the_built_in_plan_is_the_reference_study():
    plan = Plan.built_in()
    assert (plan.index_infusion, plan.confidence, plan.subgroups) == (2, 0.95, ("diagnosis",))
    assert tuple(f.name for f in plan.factors) == BUILT_IN_FACTORS
    assert [(m.endpoint, m.factors) for m in plan.models] == [
        ("response", ("cart1_cy_flu", "dose_increase")),
        ("pfs", ("cart1_cy_flu", "dose_increase")),
    ]
    assert plan.rules.umrd_window == (21, 42)
    assert Plan.of({}) == plan


def test_a_plan_file(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        """title = "Second infusions at our centre"
        index_infusion = 2
        subgroups = ["sex"]
        [columns]
        pfs_days = "PFS (days)"
        [rules]
        umrd_window = [20, 45]
        [[factors]]
        name = "cart1_cy_flu"
        [[factors]]
        name = "ldh_high"
        column = "LDH"
        above = 240
        [[endpoints]]
        name = "efs"
        time = "efs_months"
        event = "efs"
        unit = "months"
        [[models]]
        endpoint = "efs"
        factors = ["cart1_cy_flu", "ldh_high"]""",
        encoding="utf-8-sig",
    )
    plan = Plan.load(path)
    assert plan.columns == {"pfs_days": "PFS (days)"}
    assert plan.factors == (Factor(name="cart1_cy_flu"), Factor(name="ldh_high", column="LDH", above=240))
    assert plan.endpoints == (Endpoint(name="efs", time="efs_months", event="efs", unit="months"),)
    assert plan.models[0].factors == ("cart1_cy_flu", "ldh_high")
    assert plan.rules.umrd_window == (20, 45)
    assert plan.used_columns == ("LDH", "efs_months", "efs", "sex")


def test_a_plan_with_own_factors_has_no_models_of_the_reference_study():
    assert Plan.of({"factors": [{"name": "sex"}]}).models == ()


def test_the_plan_of_a_first_infusion_holds_nothing_of_the_second():
    plan = Plan.of({"index_infusion": 1})
    assert plan == Plan.built_in(1)
    assert {f.name for f in plan.factors} & NEEDS_SECOND == set()
    assert plan.models == ()


def test_factors_of_the_second_infusion_are_refused_at_the_first():
    factors = [
        {"name": n} for n in ("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "log2_dose_ratio", "interval_days")
    ]
    assert [rule for *_, rule, _ in refused(index_infusion=1, factors=factors)] == [
        "factor 'cart2_cy_flu' is not available at infusion 1",
        "factor 'dose_increase' is not available at infusion 1",
        "factor 'log2_dose_ratio' is not available at infusion 1",
        "factor 'interval_days' is not available at infusion 1",
    ]


def test_a_column_of_that_name_may_be_a_factor_at_the_first_infusion():
    plan = Plan.of({"index_infusion": 1, "factors": [{"name": "dose_increase", "column": "escalated"}]})
    assert plan.factors[0].column == "escalated"


@pytest.mark.parametrize(
    ("told", "column", "remedy"),
    [
        ({"confidense": 0.9}, "confidense", "did you mean confidence?"),
        ({"zzz": 1}, "zzz", "take it away"),
        ({"rules": {"umrd_windw": [1, 2]}}, "rules.umrd_windw", "did you mean umrd_window?"),
        ({"factors": [{"name": "sex", "colum": "Sex"}]}, "factors.0.colum", "did you mean column?"),
        (
            {"endpoints": [{"name": "e", "time": "t", "evnt": "x", "event": "x"}]},
            "endpoints.0.evnt",
            "did you mean event?",
        ),
        ({"models": [{"endpoint": "os", "factor": ["sex"], "factors": ["sex"]}]}, "models.0.factor", None),
    ],
)
def test_an_unknown_setting(told, column, remedy):
    (problem,) = refused(**told)
    assert problem[0] == column
    assert problem[2] == "is not a setting of a plan"
    assert problem[3] == (remedy or problem[3])


@pytest.mark.parametrize(
    ("told", "column", "rule"),
    [
        ({"confidence": 95}, "confidence", "Input should be less than 1"),
        ({"confidence": "high"}, "confidence", "Input should be a valid number, unable to parse string as a number"),
        ({"index_infusion": 0}, "index_infusion", "Input should be greater than or equal to 1"),
        ({"rules": {"umrd_window": [42, 21]}}, "rules", "umrd_window begins after it ends"),
        (
            {"rules": {"complete": ["VGPR"]}},
            "rules.complete.0",
            "Input should be 'CR', 'CRi', 'nPR', 'PR', 'SD', 'PD' or 'NE'",
        ),
        ({"factors": [{"name": "a b", "column": "x"}]}, "factors.0.name", "is no name"),
        ({"factors": [{"name": "ldh"}]}, "factors.0", "not a built-in factor; give it a column"),
        (
            {"factors": [{"name": "cart1_cyflu"}]},
            "factors.0",
            "not a built-in factor; did you mean cart1_cy_flu? give it a column",
        ),
        (
            {"factors": [{"name": "ldh", "column": "LDH", "above": 1, "per": 2}]},
            "factors.0",
            "above cannot stand together with scale or per",
        ),
        ({"factors": [{"name": "ldh", "column": "LDH", "scale": "ln"}]}, "factors.0.scale", "Input should be 'log2'"),
        (
            {"endpoints": [{"name": "os", "value": "x"}]},
            "endpoints.0",
            "a built-in endpoint has this name; map its columns under [columns], or rename it",
        ),
        (
            {"endpoints": [{"name": "e", "time": "x"}]},
            "endpoints.0",
            "give time and event (and competing), or value alone",
        ),
        (
            {"endpoints": [{"name": "e", "value": "x", "event": "y"}]},
            "endpoints.0",
            "give time and event (and competing), or value alone",
        ),
        (
            {"models": [{"endpoint": "os", "factors": []}]},
            "models.0.factors",
            "Tuple should have at least 1 item after validation, not 0",
        ),
        ({"models": [{"endpoint": "oss", "factors": ["sex"]}]}, None, "endpoint 'oss' is not known, did you mean os?"),
        ({"models": [{"endpoint": "os", "factors": ["sexx"]}]}, None, "factor 'sexx' is not known, did you mean sex?"),
        ({"columns": {"pfs_dayz": "x"}}, None, "column 'pfs_dayz' is not known, did you mean pfs_days?"),
        ({"factors": [{"name": "sex"}, {"name": "sex"}]}, None, "factor 'sex' occurs twice"),
    ],
)
def test_a_wrong_setting(told, column, rule):
    assert [(c, r) for c, _, r, _ in refused(**told)] == [(column, rule)]


def test_toxicities_may_be_mapped():
    assert Plan.of({"columns": {"toxicity_infection_grade": "Inf"}}).columns == {"toxicity_infection_grade": "Inf"}


def test_all_that_is_wrong_is_told_at_once():
    problems = refused(
        confidense=0.9,
        index_infusion=1.5,
        rules={"umrd_threshold": 2, "umrd_dy": 28},
        factors=[{"name": "ldh"}, {"name": "sex", "abov": 1}],
    )
    assert [(column, rule) for column, _, rule, _ in problems] == [
        ("index_infusion", "Input should be a valid integer, got a number with a fractional part"),
        ("factors.0", "not a built-in factor; give it a column"),
        ("factors.1.abov", "is not a setting of a plan"),
        ("rules.umrd_threshold", "Input should be less than 1"),
        ("rules.umrd_dy", "is not a setting of a plan"),
        ("confidense", "is not a setting of a plan"),
    ]


def test_names_that_do_not_fit_are_told_together():
    problems = refused(
        factors=[{"name": "sex"}],
        models=[{"endpoint": "oss", "factors": ["age"]}],
        columns={"respons": "x"},
    )
    assert [rule for *_, rule, _ in problems] == [
        "endpoint 'oss' is not known, did you mean os?",
        "factor 'age' is not known",
        "column 'respons' is not known, did you mean response?",
    ]


def test_unknown_settings_do_not_hide_names_that_do_not_fit():
    problems = refused(titel="x", models=[{"endpoint": "oss", "factors": ["sex"], "note": "y"}])
    assert [(column, rule) for column, _, rule, _ in problems] == [
        ("models.0.note", "is not a setting of a plan"),
        ("titel", "is not a setting of a plan"),
        (None, "endpoint 'oss' is not known, did you mean os?"),
    ]


@pytest.mark.parametrize("data", [b"title = ", b"\xff\xfe\x00", b"title: T\n"])
def test_a_file_that_is_no_toml(tmp_path, data):
    (tmp_path / "plan.toml").write_bytes(data)
    with pytest.raises(PlanRefused) as caught:
        Plan.load(tmp_path / "plan.toml")
    assert [(p.table, p.remedy) for p in caught.value.problems] == [("plan", "give a TOML file")]


def test_a_plan_that_is_not_there(tmp_path):
    with pytest.raises(PlanRefused) as caught:
        Plan.load(tmp_path / "nowhere.toml")
    assert [p.rule for p in caught.value.problems] == ["there is no such file"]


def test_the_digest_tells_plans_apart():
    assert Plan.of({"seed": 1}).digest == Plan.of({"seed": 1}).digest != Plan.of({"seed": 2}).digest


# What is learnt after the index infusion is no factor from day 0.


@pytest.mark.parametrize(
    "told",
    [
        {"models": [{"endpoint": "pfs", "factors": ["response"]}]},
        {"models": [{"endpoint": "os", "factors": ["umrd_day28"]}]},
        {"factors": [{"name": "mrd", "column": "umrd_day28"}]},
        {"factors": [{"name": "severe", "column": "crs_grade", "above": 2}]},
        {"factors": [{"name": "infection", "column": "toxicity_infection_grade", "above": 0}]},
        {"columns": {"response": "Best response"}, "factors": [{"name": "good", "column": "Best response"}]},
        {"endpoints": [{"name": "steroids", "value": "given"}], "factors": [{"name": "s", "column": "given"}]},
        {"factors": [{"name": "peak", "column": "peak", "known_at": 14}],
         "models": [{"endpoint": "os", "factors": ["peak"]}]},
    ],
    ids=["response", "uMRD", "column", "grade", "another toxicity", "mapped", "declared endpoint", "known later"],
)  # fmt: skip
def test_an_outcome_is_refused_as_a_factor_with_the_reason(told):
    with pytest.raises(PlanRefused) as refused:
        Plan.of(told)
    assert any("[[landmarks]] or [[time_dependent]]" in p.rule for p in refused.value.problems)


def test_a_factor_known_later_is_for_landmarks_only():
    told = {"factors": [{"name": "peak", "column": "peak", "known_at": 14}]}
    assert Plan.of({**told, "landmarks": [{"factor": "peak", "day": 14}]}).landmarks[0].day == 14
    with pytest.raises(PlanRefused) as refused:
        Plan.of({**told, "landmarks": [{"factor": "peak", "day": 7}]})
    assert [p.rule for p in refused.value.problems] == [
        "landmark on day 7: factor 'peak' is known on day 14 only"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"analyses": {"calibrate": "all"}}, "is not a setting of a plan"),
        ({"landmarks": [{"factor": "respons"}]}, "factor 'respons' is not known, did you mean response?"),
        ({"landmarks": [{"factor": "response", "endpoints": ["ps"]}]}, "endpoint 'ps' is not known"),
        ({"standardise": {"exposures": ["cart3_cy_flu"]}}, "factor 'cart3_cy_flu' is not known"),
        ({"time_dependent": [{"factor": "response", "endpoint": "oss"}]}, "endpoint 'oss' is not known"),
    ],
)
def test_mistakes_in_the_further_analyses_are_told(told, rule):
    with pytest.raises(PlanRefused) as refused:
        Plan.of(told)
    assert any(p.rule.startswith(rule) for p in refused.value.problems), refused.value.problems
