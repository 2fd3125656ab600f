"""Nothing of a plan is ignored in silence: each setting is used, or said in words before anything is written."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

from pooling.splitting import in_one_table, pooled, split, study_of
from pooling.test_exchange import CENTRES, SHEETS, STUDY, answer, planned
from reinfuse.analyses.interactions import RATIO
from reinfuse.cohort.declarations import Endpoint, Factor
from reinfuse.exceptions import PlanRefused
from reinfuse.output import Destination
from reinfuse.plan.analysis_plan import Model, Plan
from reinfuse.plan.options import Analyses
from reinfuse.plan.switches import declared
from reinfuse.pooling.not_pooled import ALWAYS, OUTSIDE, OUTSIDE_ANALYSES, USED, USED_ANALYSES, not_pooled
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.statistics import firth_joint
from reinfuse.study import pooling

YES_NO, STAGES = ("no", "yes"), ("I", "II", "III")


def test_every_setting_of_a_plan_is_used_or_named():
    assert sorted((*USED, *OUTSIDE)) == sorted(Plan.model_fields)
    assert sorted((*USED_ANALYSES, *OUTSIDE_ANALYSES)) == sorted({*Analyses.model_fields, *declared()} - {"further"})


def test_every_setting_of_a_model_a_factor_and_an_endpoint_is_known_here():
    """Used: all but `reference`, `known_at` and `entry`, which are refused; `competing` is said in words."""
    assert set(Model.model_fields) == {"endpoint", "factors", "interactions"}
    assert set(Factor.model_fields) == {
        "name", "column", "label", "above", "reference", "group", "scale", "per", "known_at"}  # fmt: skip
    assert set(Endpoint.model_fields) == {"name", "label", "time", "entry", "event", "event_value", "competing",
                                          "competing_value", "value", "unit"}  # fmt: skip


MORE = """
[plan.analyses]
bayesian = true
rmst = 365
centres = "site"
[plan.standardise]
day = 180
[plan.estimands]
missed_visits_days = 90
[[plan.landmarks]]
factor = "response"
day = 60
[plan.report]
journal = "Lancet"
[[plan.endpoints]]
name = "discharge"
time = "stay"
event = "left"
"""


def test_what_a_plan_asks_for_beyond_a_pooled_study_is_said_before_anything_is_written(tmp_path, main, monkeypatch):
    (tmp_path / "study.toml").write_text(STUDY + '[[plan.models]]\nendpoint = "pfs"\nfactors = ["bulky", "ldh"]\n'
                                         + MORE, encoding="utf-8")  # fmt: skip
    prepared = pooling.prepare_pool(tmp_path / "study.toml", Destination(tmp_path / "out", "pool", ()))
    assert not (tmp_path / "out").exists()
    words = " ".join(prepared.words)
    assert ALWAYS in words
    for part in ("analyses.bayesian", "analyses.rmst", "analyses.centres", "standardise", "estimands", "landmarks",
                 "report", "models of pfs", "endpoint discharge"):  # fmt: skip
        assert part in words
    monkeypatch.setattr(pooling, "_write_request", lambda *_: pytest.fail("written before it was said"))
    with pytest.raises(pytest.fail.Exception):
        main("pool", "plan", "study.toml", "--out", "out", cwd=tmp_path)


def test_a_plan_of_defaults_leaves_out_nothing_that_was_set():
    assert not_pooled(study_of(tuple("ABC"), {"f": YES_NO}, {"x": "binary"})) == ()


def test_the_report_and_its_records_say_what_was_left_out(tmp_path):
    folder, report = tmp_path / "exchange", tmp_path / "report"
    text = 'centres = ["Aarhus", "Bonn", "Delft"]\nendpoints = ["response"]\nsmall_cells = 0\n[plan]\n' \
        'factors = [{name = "bulky"}]\n[plan.analyses]\nrmst = 365\n'  # fmt: skip
    planned(folder, text)
    for centre in ("Aarhus", "Bonn", "Delft"):
        answer(folder, 1, centre, SHEETS[centre], tmp_path / "c")
    pooling.combine_answers(folder, Destination(report, "pool", ()))
    said = [w["text"] for w in json.loads((report / "findings.json").read_text())["warnings"] if w["about"] == "plan"]
    assert said[0] == ALWAYS
    assert "analyses.rmst: restricted mean survival time" in said[-1]
    assert "analyses.rmst: restricted mean survival time" in (report / "report.html").read_text(encoding="utf-8")


def two_factors(seed=4, n=90):
    rng = np.random.default_rng(seed)
    values = {"f": rng.integers(0, 2, n), "g": rng.integers(0, 2, n)}
    chance = 1 / (1 + np.exp(-(0.4 * values["f"] - 0.8 * values["g"] + 1.2 * values["f"] * values["g"])))
    event = (rng.random(n) < chance).astype(float)
    return values, event, np.ceil(rng.exponential(20, n)), np.arange(n) % 3


def test_an_interaction_of_two_factors_by_hand():
    """Of a saturated logistic model Firth's penalty adds half a patient to each cell: the ratio of the odds ratios."""
    values, event, _, site = two_factors()
    ends = {"x": (event, None)}
    study = study_of(tuple("ABC"), {"f": YES_NO, "g": YES_NO}, {"x": "binary"}, models=[("x", ("f", "g"))],
                     pairs=[("f", "g")])  # fmt: skip
    _, records = pooled(study, split(study, values, ends, site))
    odds = {}
    for f, g in product((0, 1), (0, 1)):
        cell = event[(values["f"] == f) & (values["g"] == g)]
        odds[f, g] = (cell.sum() + 0.5) / ((1 - cell).sum() + 0.5)
    (one,) = [e for e in records if e.analysis == "interaction"]
    assert (one.statistic, one.term) == (RATIO, "f x g")
    assert one.estimate == pytest.approx(odds[1, 1] * odds[0, 0] / (odds[0, 1] * odds[1, 0]))
    assert (one.n, one.events) == (90, event.sum())


@pytest.mark.parametrize("kind", ["binary", "time"])
def test_an_interaction_has_the_test_and_interval_of_one_table(kind):
    """Three levels by two: each product with its own test. A hazard ratio compares within centres, as with strata."""
    values, event, time, site = two_factors(9, 150)
    values["g"] = np.random.default_rng(2).integers(0, 3, 150)
    time = None if kind == "binary" else time
    ends = {"x": (event, time)}
    study = study_of(tuple("ABC"), {"f": YES_NO, "g": STAGES}, {"x": kind}, models=[("x", ("f", "g"))],
                     pairs=[("f", "g")])  # fmt: skip
    _, records = pooled(study, split(study, values, ends, site))
    tests = [e for e in records if e.analysis == "interaction"]
    assert [e.term for e in tests] == ["f x g=II", "f x g=III"]
    model = next(m for m in study.models if m.pair)
    whole = in_one_table(study, model, values, ends, site)
    for e, j in zip(tests, (3, 4), strict=True):
        assert np.log([e.estimate, e.lower, e.upper]) == pytest.approx(
            [whole.coef[j], whole.lower[j], whole.upper[j]], abs=1e-6)  # fmt: skip
        assert e.p_value == pytest.approx(whole.p_value[j], abs=1e-6)
    if kind == "binary":
        X = np.column_stack([values["f"], values["g"] == 1, values["g"] == 2, values["f"] * (values["g"] == 1),
                             values["f"] * (values["g"] == 2)]).astype(float)  # fmt: skip
        own = firth_joint.effect("logistic", X, event, column=3)  # as one cohort is tested
        assert tests[0].p_value == pytest.approx(own.p_value, abs=1e-6)
    assert not [e for e in records if e.analysis in ("influence", "heterogeneity") and " x " in (e.term or "")]


def test_an_interaction_with_too_few_events_is_not_estimable():
    values, _, _, site = two_factors(1, 30)
    event = (np.arange(30) < 9).astype(float)  # 3 in each centre
    study = study_of(tuple("ABC"), {"f": YES_NO, "g": YES_NO}, {"x": "binary"}, models=[("x", ("f", "g"))],
                     pairs=[("f", "g")])  # fmt: skip
    _, records = pooled(study, split(study, values, {"x": (event, None)}, site))
    (one,) = [e for e in records if e.analysis == "interaction"]
    assert one.estimate is None
    assert "9 events for 3 parameters, fewer than 5 for each" in one.note


def test_the_hierarchy_is_held_by_hand():
    """Holm: of two primary p-values the smaller counts twice, the other once, never below the one before."""
    values, event, _, site = two_factors(11)
    ends = {"x": (event, None)}
    study = study_of(tuple("ABC"), {"f": YES_NO, "g": YES_NO}, {"x": "binary"},
                     hierarchy={"primary": {"endpoints": ["x"], "factors": ["f", "g"]}})  # fmt: skip
    _, records = pooled(study, split(study, values, ends, site))
    raw = {e.term: e.p_value for e in records if (e.method or "").startswith("Firth") and e.analysis == "association"}
    low, high = sorted(raw, key=raw.get)
    adjusted = {e.term: e.p_value for e in records if e.analysis == "hierarchy"}
    assert adjusted[low] == pytest.approx(min(1, 2 * raw[low]))
    assert adjusted[high] == pytest.approx(min(1, max(2 * raw[low], raw[high])))


def test_a_factor_that_a_model_alone_names_and_one_on_a_scale_of_logarithms_have_their_coding():
    text = {"endpoints": [{"name": "x", "value": "x"}],
            "factors": [{"name": "ldh", "column": "LDH", "scale": "log2"}],
            "models": [{"endpoint": "x", "factors": ["ldh", "bulky"]}]}  # fmt: skip
    numbers = {"ldh": {"unit": "U/L", "lowest": 64, "highest": 1024}}
    study = PooledStudy(centres=CENTRES, endpoints=("x",), numbers=numbers, plan=Plan.of(text))
    assert [m.key for m in study.models] == ["x: ldh", "x: bulky", "x: ldh + bulky"]
    measurement = study.measurement_of("ldh")
    assert (measurement.lowest, measurement.highest, measurement.unit) == (6, 10, "log2 U/L")
    with pytest.raises(PlanRefused, match="its lowest value must be above 0"):
        PooledStudy(centres=CENTRES, endpoints=("x",), plan=Plan.of(text),
                    numbers={"ldh": {"unit": "U/L", "lowest": 0, "highest": 1024}})  # fmt: skip


def test_a_time_with_a_competing_event_has_no_curve_and_that_is_said():
    rng = np.random.default_rng(3)
    n = 60
    plan = Plan.of({"subgroups": [], "factors": [{"name": "f", "column": "f"}],
                    "endpoints": [{"name": "x", "time": "x_t", "event": "x_e", "competing": "x_c"}]})  # fmt: skip
    study = PooledStudy(centres=("A", "B", "C"), endpoints=("x",), levels={"f": YES_NO}, plan=plan, small_cells=0)
    ends = {"x": ((rng.random(n) < 0.5).astype(float), rng.exponential(300, n))}
    centres = split(study, {"f": rng.integers(0, 2, n)}, ends, np.arange(n) % 3)
    _, records = pooled(study, centres)
    (rate,) = [e for e in records if e.statistic == "rate_at"]
    assert rate.estimate is None
    assert "a competing event would be counted as survival" in rate.note
    assert any("cause-specific" in line for line in not_pooled(study))
