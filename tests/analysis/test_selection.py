"""Model averaging, stability, optimism, influence, sensitivity: by hand and against single fits."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from columns import binary, category, drawn, number, timed, yes_no

from reinfuse.analyses import bootstrap_stability, leave_one_out, model_averaging, sensitivity
from reinfuse.analyses.association import associations
from reinfuse.analyses.design_matrix import design_of
from reinfuse.results.estimate import Estimate

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "association.json").read_text(encoding="utf-8"))


def _of(records, statistic):
    return {e.term: e for e in records if e.statistic == statistic}


def test_averaging_of_one_factor_by_hand():
    """Firth's fit of a 2 x 2 table adds one half to each cell, that of an intercept one half to both outcomes.

    5 of 6 exposed and 2 of 8 others: logs of the likelihoods with and without the factor, and BIC = -2 l + p log 14.
    """
    x, y = [1] * 6 + [0] * 8, [1] * 5 + [0] + [1] * 2 + [0] * 6

    def log_likelihood(events, n, chance):
        return events * math.log(chance) + (n - events) * math.log(1 - chance)

    with_it = log_likelihood(5, 6, 5.5 / 7) + log_likelihood(2, 8, 2.5 / 9)
    without = log_likelihood(7, 14, 7.5 / 15)
    expected = 1 / (1 + math.exp(-(2 * (with_it - without) - math.log(14)) / 2))
    records = model_averaging.averaged(binary(y), [yes_no(x)])
    assert _of(records, "inclusion_probability")["x"].estimate == pytest.approx(expected, abs=1e-9)
    assert _of(records, "odds_ratio")["x"].estimate == pytest.approx(5.5 * 6.5 / (1.5 * 2.5), abs=1e-6)
    assert _of(records, "model_probability")["x"].estimate == pytest.approx(expected, abs=1e-9)
    assert _of(records, "model_probability")["no factor"].estimate == pytest.approx(1 - expected, abs=1e-9)


def test_averaging_is_the_sum_over_single_models():
    """Every subset of three factors fitted on its own, times to event; the size of the sample is that of the events."""
    from itertools import chain, combinations

    from reinfuse.statistics import firth_batch

    x, z, _, time, event = drawn(40, 2)
    g = [("a", "b", "c")[i % 3] for i in range(40)]
    factors = [yes_no(x), number(z), category(g, ("a", "b", "c"))]
    end = timed(time, event)
    logs, effects = {}, {}
    for subset in chain.from_iterable(combinations(range(3), k) for k in range(4)):
        if not subset:
            fit = firth_batch.cox(np.zeros((40, 1)), time[None], event[None], used=np.zeros((1, 1), dtype=bool))
            logs[subset] = fit.value[0]
            continue
        design = design_of(end, [factors[i] for i in subset])
        fit = firth_batch.cox(design.X, time[None], event[None])
        logs[subset] = firth_batch.plain_value(fit)[0] - design.X.shape[1] * math.log(event.sum()) / 2
        effects[subset] = fit.coef[0][0]
    weight = {s: math.exp(v - max(logs.values())) for s, v in logs.items()}
    total = sum(weight.values())
    records = model_averaging.averaged(end, factors)
    for i, name in enumerate("xzg"):
        expected = sum(w for s, w in weight.items() if i in s) / total
        assert _of(records, "inclusion_probability")[name].estimate == pytest.approx(expected, abs=1e-9)
    mean = sum(weight[s] * effects[s] for s in effects if 0 in s) / sum(weight[s] for s in effects if 0 in s)
    assert _of(records, "hazard_ratio")["x"].estimate == pytest.approx(math.exp(mean), abs=1e-6)


def test_too_many_factors_are_not_averaged():
    x = [yes_no(np.arange(20) % (k + 2) == 0, f"x{k}") for k in range(13)]
    [e] = model_averaging.averaged(binary([0, 1] * 10), x)
    assert e.note.startswith("not estimable")


def test_a_strong_factor_is_selected_and_keeps_its_sign():
    rng = np.random.default_rng(1)
    x = np.arange(60) < 30
    time = rng.exponential(np.where(x, 10, 200))
    factors = [yes_no(x), number(rng.normal(size=60))]
    records = bootstrap_stability.stability(timed(time, np.ones(60)), factors, 200, rng=np.random.default_rng(2))
    assert _of(records, "inclusion_frequency")["x"].estimate == 1
    assert 0.05 < _of(records, "inclusion_frequency")["z"].estimate < 0.6
    assert _of(records, "sign_stability")["x"].estimate == 1
    assert records == bootstrap_stability.stability(
        timed(time, np.ones(60)), factors, 200, rng=np.random.default_rng(2)
    )


def test_noise_enters_about_as_often_as_its_threshold_says():
    """In bootstrap samples a factor without effect enters more often than in 15.7 % of new samples."""
    x, z, _, _, _ = drawn(80, 3)
    y = np.random.default_rng(9).permutation(np.arange(80) % 2)
    records = bootstrap_stability.stability(binary(y), [yes_no(x), number(z)], 300, rng=np.random.default_rng(1))
    for e in _of(records, "inclusion_frequency").values():
        assert 0.1 < e.estimate < 0.7


def test_concordance_by_hand():
    """Pairs of times (1, 2, 3c): 1 before 2 and 3, 2 before 3; scores 3, 1, 2 order two of three pairs."""
    design = design_of(timed([1, 2, 3], [1, 1, 0]), [number([3.0, 1, 2])])
    indices = bootstrap_stability.concordance(design, np.array([[3.0, 1, 2], [1, 1, 1]]), weights=np.ones((2, 3)))
    assert indices == pytest.approx([2 / 3, 0.5])
    # of a binary outcome: events against others, (2 against 1, 3): one of two; patient 3 counts twice
    design = design_of(binary([0, 1, 0]), [number([1.0, 2, 3])])
    indices = bootstrap_stability.concordance(
        design, np.array([[1.0, 2, 3]] * 2), weights=np.array([[1.0, 1, 1], [1, 1, 2]])
    )
    assert indices == pytest.approx([1 / 2, 1 / 3])


def test_optimism_is_large_where_there_is_nothing():
    rng = np.random.default_rng(6)
    factors = [number(rng.normal(size=30), f"z{k}") for k in range(6)]
    made = _of(bootstrap_stability.optimism(binary(np.arange(30) % 2), factors, 200, rng=rng), "c_index")
    corrected = bootstrap_stability.optimism(binary(np.arange(30) % 2), factors, 200, rng=np.random.default_rng(1))
    apparent = made[None].estimate
    by = {e.statistic: e.estimate for e in corrected}
    assert by["c_index_corrected"] < apparent - 0.05
    assert by["calibration_slope_corrected"] < 0.8


@pytest.mark.parametrize("kind", ["binary", "time"])
def test_leaving_one_out_is_fitting_without_that_patient(kind):
    x, z, y, time, event = drawn(24, 8)
    ids = [f"P{i}" for i in range(24)]

    def end(keep):
        return binary(y[keep]) if kind == "binary" else timed(time[keep], event[keep])

    everybody = np.ones(24, dtype=bool)
    records = leave_one_out.influence(end(everybody), [yes_no(x), number(z)], "m", 0.95, ids)
    full = {e.term: e for e in associations(end(everybody), [yes_no(x), number(z)], "m", confidence=0.95)}
    assert len([e for e in records if e.group]) >= 16
    for e in (e for e in records if e.group):
        keep = np.array([f"without={i}" != e.group for i in ids])
        again = {a.term: a for a in associations(end(keep), [yes_no(x[keep]), number(z[keep])], "m", confidence=0.95)}[
            e.term
        ]
        assert e.estimate == pytest.approx(again.estimate, rel=1e-5)
        assert e.p_value == pytest.approx(again.p_value, rel=1e-5)
        assert (e.n, e.events) == (again.n, again.events)
        changes = (again.p_value < 0.05) != (full[e.term].p_value < 0.05)
        assert (e.note == "changes the conclusion") == changes


def test_the_most_influential_patients_come_first():
    _, z, y, _, _ = drawn(30, 4)
    records = leave_one_out.influence(binary(y), [number(z)], "u", 0.95, [str(i) for i in range(30)])
    [full] = associations(binary(y), [number(z)], "u", confidence=0.95)
    moved = [abs(math.log(e.estimate / full.estimate)) for e in records if e.group and not e.note]
    assert moved == sorted(moved, reverse=True)
    assert records[0].statistic == "patients_changing"
    assert records[0].estimate == sum(1 for e in records if e.note == "changes the conclusion")


def _effect(statistic, value, low, high, events, n=100, p=None):
    return Estimate(
        "association",
        "os",
        statistic,
        model="multivariable",
        term="x",
        estimate=value,
        lower=low,
        upper=high,
        confidence=0.95,
        p_value=p,
        n=n,
        events=events,
    )


def test_e_values_of_the_paper():
    """VanderWeele and Ding 2017: a risk ratio of 3.9 (1.8 to 8.7) has E-values 7.2 and 3.0; 0.80 has that of 1.25."""
    point, limit = sensitivity.e_values([_effect("odds_ratio", 3.9, 1.8, 8.7, 5)])
    assert point.estimate == pytest.approx(7.26, abs=0.005)
    assert limit.estimate == pytest.approx(3.0)
    assert sensitivity.e_value(0.8) == pytest.approx(1.25 + math.sqrt(1.25 * 0.25))


def test_e_values_of_common_outcomes():
    """A common outcome: the odds ratio 4 is about a risk ratio of 2, E-value 2 + sqrt 2; hazard ratio 1 is 1."""
    point, limit = sensitivity.e_values([_effect("odds_ratio", 4.0, 0.9, 20.0, 50)])
    assert point.estimate == pytest.approx(2 + math.sqrt(2))
    assert limit.estimate == 1
    assert sensitivity.risk_ratio(1.0, "hazard_ratio", common=True) == pytest.approx(1)
    below = sensitivity.risk_ratio(0.5, "hazard_ratio", common=True)
    assert 0.5 < below < 1
    assert below == pytest.approx(1 / sensitivity.risk_ratio(2.0, "hazard_ratio", common=True))
    assert sensitivity.e_values([_effect("odds_ratio", None, None, None, 50)]) == []


@pytest.mark.parametrize("case", GOLDEN["p_adjust"], ids=lambda c: c["name"])
def test_benjamini_and_hochberg(case):
    assert sensitivity.adjusted(np.array(case["p"])) == pytest.approx(case["adjusted"])


def test_the_false_discovery_rate_is_over_the_tests_that_have_a_p_value():
    """0.01 * 2 / 1 and 0.04: the untested effect does not count."""
    effects = [_effect("odds_ratio", 2.0, 1.1, 3.0, 9, p=p) for p in (0.04, None, 0.01)]
    assert [e.p_value for e in sensitivity.false_discovery(effects)] == pytest.approx([0.04, 0.02])


def test_influence_beyond_its_size_says_so(monkeypatch):
    x, _, y, _, _ = drawn(40)
    monkeypatch.setattr(leave_one_out, "MOST_PATIENTS", 30)
    [e] = leave_one_out.influence(binary(y), [yes_no(x)], "univariable", 0.95, [str(i) for i in range(40)])
    assert (e.statistic, e.estimate, e.n) == ("patients_changing", None, 40)
    assert e.note == "not estimable: over 30 patients: not run"


@pytest.mark.parametrize("value", [1e-60, 1e60])
def test_a_risk_ratio_of_a_huge_hazard_ratio_is_a_number(value):
    """Once a division by 0 that cost the report; for small x, 1 - 0.5^x is x log 2."""
    assert sensitivity.risk_ratio(value, "hazard_ratio", common=True) == pytest.approx(
        math.log(2) ** math.copysign(1, -math.log(value)) * math.sqrt(value), rel=1e-9)  # fmt: skip
