"""Competing events, proportional hazards, counting process, factors learnt later: against R and by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from columns import category, drawn, number, timed, yes_no

from reinfuse.analyses import association, competing_risks, landmark, proportional_hazards, standardization, survival
from reinfuse.analyses.design_matrix import design_of
from reinfuse.cohort.post_baseline import TimeDependentFactor, at_landmark
from reinfuse.statistics import fine_gray, firth_batch, firth_left_truncated, nonparametric
from reinfuse.statistics.schoenfeld import schoenfeld

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "association.json").read_text(encoding="utf-8"))


def _cases(name, wanted=lambda case: True):
    return pytest.mark.parametrize("case", [c for c in GOLDEN[name] if wanted(c)], ids=lambda c: str(c["name"]))


def _array(values):
    return np.array(values, dtype=float)


@_cases("gray")
def test_gray(case):
    time, status = _array(case["time"]), _array(case["status"])
    for cause, statistic, p in zip(case["cause"], case["statistic"], case["p"], strict=True):
        test = nonparametric.gray(
            time, (status == cause) * 1.0, (status == 3 - cause) * 1.0, groups=[str(g) for g in case["group"]]
        )
        assert test[0] == pytest.approx(statistic, rel=1e-6)
        assert test[1] == pytest.approx(p, rel=1e-6)


@_cases("fine_gray")
def test_fine_gray(case):
    status, cause = _array(case["status"]), np.ravel(case["failcode"])[0]
    coef, variance = fine_gray.fine_gray(_array(case["X"]), _array(case["time"]), (status == cause) * 1.0,
                                 competing=((status != cause) & (status > 0)) * 1.0)  # fmt: skip
    assert coef == pytest.approx(_array(case["coef"]), abs=1e-6)
    assert np.diag(variance) == pytest.approx(_array(case["var"]), rel=1e-5)


@_cases("fine_gray_empty")
def test_a_level_without_an_event_leaves_the_others_their_ratios(case):
    """Once a LinAlgError; R's numbers for the other levels."""
    status = _array(case["status"])
    end = timed(case["time"], status == 1, status == 2)
    by_term = {
        e.stratum: e
        for e in competing_risks.fine_gray(
            end, [category(case["group"], ("ALL", "CLL", "NHL"))], "univariable", confidence=0.95
        )
    }
    assert by_term["g=CLL"].estimate is None
    assert "no event at this level" in by_term["g=CLL"].note
    [coef], [se] = case["coef"], case["se"]
    got = by_term["g=NHL"]
    wanted = [coef, coef - 1.959964 * se, coef + 1.959964 * se]
    assert np.log([got.estimate, got.lower, got.upper]) == pytest.approx(wanted, abs=1e-5)


def test_a_reference_without_an_event_leaves_no_ratio():
    end = timed([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 0], [1, 0, 0, 1, 0, 0])
    records = competing_risks.fine_gray(
        end, [category(["A", "A", "B", "B", "C", "C"], ("A", "B", "C"))], "univariable", confidence=0.95
    )
    assert [e.estimate for e in records] == [None, None]
    assert all("the reference has no event" in e.note for e in records)


@_cases("gray_without")
def test_gray_leaves_out_a_group_that_is_never_at_risk(case):
    status = _array(case["status"])
    test = competing_risks.gray(timed(case["time"], status == 1, status == 2), category(case["group"], ("a", "b", "c")))
    assert test.p_value == pytest.approx(case["p"], rel=1e-6)
    assert (test.n, test.note) == (11, "left out, censored before the first event: c")


def test_a_sum_over_a_risk_set_does_not_underflow():
    """Two risk sets, by hand: of two patients with x = 0 one has the event, then the one with x = 1 alone."""
    rows = firth_left_truncated.Rows(np.array([[0.0], [0.0], [1.0]]), np.array([0.0, 0, 10]), np.array([5.0, 8, 20]),
                         np.array([1.0, 0, 1]))  # fmt: skip
    value, score, _ = rows.state(np.array([2000.0]), penalised=False)
    assert value == pytest.approx(-np.log(2))
    assert score == pytest.approx([0.0])


def test_late_entry_with_a_level_that_ends_before_the_others_begin_is_no_failure():
    """Effects that no risk set can tell apart run away; once the steps underflowed and the report was lost."""
    end = timed([5, 6, 7, 30, 40, 50, 60], [1, 1, 1, 1, 0, 1, 1], entry=[0, 0, 1, 10, 12, 20, 21])
    for factor in (category(list("aabccbc"), ("a", "b", "c")), number([1e3, 2, 1, 0.1, 5, 1e4, 2])):
        for e in association.associations(end, [factor], "univariable", confidence=0.95):
            assert e.estimate is None or e.lower is None or e.upper is None or e.lower < e.estimate < e.upper


@_cases("robust", lambda c: len(set(c["id"])) == len(c["id"]))
def test_without_competing_events_the_errors_are_the_robust_ones_of_cox(case):
    event = _array(case["event"])
    coef, variance = fine_gray.fine_gray(_array(case["X"]), _array(case["time"]), event, competing=np.zeros(len(event)))
    assert coef == pytest.approx(_array(case["coef"]), abs=1e-7)
    assert variance == pytest.approx(_array(case["vcov"]), rel=1e-6)


@_cases("weighted")
def test_weights(case):
    X, time, event, w = (_array(case[k]) for k in ("X", "time", "event", "weights"))
    fit = firth_batch.cox(X, time[None], event[None], weights=w[None], penalised=False)
    assert fit.coef[0] == pytest.approx(_array(case["coef"]), abs=1e-6)
    assert fit.value[0] == pytest.approx(case["loglik"][1], abs=1e-8)
    for day, survives in zip(case["at"], case["survival"], strict=True):
        data = standardization._Data(design_of(timed(time, event), [number(X[:, 0].tolist())]), X, X, day)
        assert standardization._outcome(data, np.ones(len(w), dtype=bool), w[None])[0] == pytest.approx(
            survives, abs=1e-12
        )


@_cases("zph", lambda c: "breslow" in c["ties"])
def test_proportional_hazards(case):
    X = _array(case["X"])
    tests = schoenfeld(X, _array(case["time"]), _array(case["event"]), transform=np.ravel(case["transform"])[0])
    assert tests[0] == pytest.approx(_array(case["chisq"]), rel=1e-6)
    assert tests[1] == pytest.approx(_array(case["p"]), rel=1e-6)


def _rows(case):
    X = _array(case["X"])
    scale = X.std(axis=0)
    return firth_left_truncated.Rows((X - X.mean(axis=0)) / scale, _array(case["start"]), _array(case["stop"]),
                         _array(case["event"])), scale  # fmt: skip


@_cases("counting")
def test_counting_process_without_the_penalty(case):
    rows, scale = _rows(case)
    b, value, converged = firth_left_truncated.greatest(rows, penalised=False)
    assert converged
    assert b / scale == pytest.approx(_array(case["coef"]), abs=1e-7)
    assert value == pytest.approx(case["loglik"][1], abs=1e-8)
    assert rows.state(np.zeros(len(b)), False)[0] == pytest.approx(case["loglik"][0], abs=1e-8)
    vcov = np.linalg.inv(rows.state(b, False)[2]) / np.outer(scale, scale)
    assert vcov == pytest.approx(_array(case["vcov"]), rel=1e-6)


@_cases("firth_counting")
def test_firth_in_counting_process_form(case):
    fit = firth_left_truncated.fit(
        _array(case["X"]), _array(case["start"]), _array(case["stop"]), _array(case["event"]), 0.95
    )
    assert fit.converged
    assert fit.coef == pytest.approx(_array(case["coef"]), abs=1e-6)
    assert fit.p_value == pytest.approx(_array(case["p"]), rel=1e-5)
    assert fit.lower == pytest.approx(_array(case["lower"]), abs=1e-5)
    assert fit.upper == pytest.approx(_array(case["upper"]), abs=1e-5)


def test_separation_is_seen_in_counting_process_form():
    cases = {np.ravel(c["name"])[0]: c for c in GOLDEN["firth_counting"]}
    for name, case in cases.items():
        fit = firth_left_truncated.fit(
            _array(case["X"]), _array(case["start"]), _array(case["stop"]), _array(case["event"]), 0.95
        )
        assert fit.infinite.any() == ("separated" in name), name


@_cases("left_truncated_km")
def test_kaplan_meier_with_late_entry(case):
    curve = survival.kaplan_meier(_array(case["stop"]), _array(case["event"]), 0.95, entry=_array(case["start"]))
    at = np.searchsorted(curve.time, _array(case["time"]))
    assert curve.time[at] == pytest.approx(_array(case["time"]))
    assert curve.survival[at] == pytest.approx(_array(case["survival"]), abs=1e-12)
    assert curve.at_risk[at] == pytest.approx(_array(case["at_risk"]))


def test_late_entry_in_a_model_is_the_counting_process():
    case = next(c for c in GOLDEN["firth_counting"] if np.ravel(c["name"])[0].startswith("delayed"))
    X = _array(case["X"])
    end = timed(case["stop"], case["event"], entry=case["start"])
    records = association.associations(
        end, [number(X[:, 0].tolist(), "x1"), number(X[:, 1].tolist(), "x2")], "m", confidence=0.95
    )
    assert [math.log(e.estimate) for e in records] == pytest.approx(case["coef"], abs=1e-6)
    assert {e.method for e in records} == {firth_left_truncated.METHOD}


def test_competing_events_of_a_factor():
    rng = np.random.default_rng(3)
    x = np.arange(60) % 2
    time, status = rng.integers(1, 40, 60), rng.integers(0, 3, 60)
    end = timed(time, status == 1, status == 2)
    gray = competing_risks.gray(end, yes_no(x))
    [e] = competing_risks.fine_gray(end, [yes_no(x)], "univariable", confidence=0.95)
    assert e.lower < e.estimate < e.upper
    assert (e.n, e.events) == (60, int((status == 1).sum()))
    assert gray.p_value == pytest.approx(e.p_value, abs=0.1)


def test_a_group_without_the_event_has_no_subdistribution_ratio():
    end = timed([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 1, 0])
    [e] = competing_risks.fine_gray(end, [yes_no([1, 1, 1, 0, 0, 0])], "univariable", confidence=0.95)
    assert e.estimate is None
    assert "one of the two groups has no event" in e.note
    assert competing_risks.gray(timed([1, 2], [0, 0], [1, 1]), yes_no([1, 0])).note == "not estimable: no event"
    assert competing_risks.gray(timed([1, 2], [1, 0], [0, 1]), yes_no([1, 1])).note == "not estimable: only one group"


def test_a_ratio_that_turns_round_fails_the_test_and_gets_its_time():
    """Exposed patients die early or not at all, the others in the middle."""
    rng = np.random.default_rng(2)
    x = np.arange(80) % 2 == 0
    time = np.where(x, np.where(rng.random(80) < 0.5, rng.uniform(1, 30, 80), 400), rng.uniform(40, 300, 80))
    records = proportional_hazards.proportional(timed(time, time < 400), [yes_no(x)], "univariable", 0.95)
    assert records[0].p_value < 0.01
    ratio, change = records[1:]
    assert ratio.term == "x"
    assert change.term == "x x doubling of time"
    assert change.upper < 1
    levels = category(np.where(x, "b", "a").tolist(), ("a", "b"))
    again = proportional_hazards.proportional(timed(time, time < 400), [levels], "univariable", 0.95)
    assert [(e.term, e.level) for e in again] == [("g", "b"), ("g", "b"), ("g x doubling of time", "b")]
    fine = proportional_hazards.proportional(timed(*drawn(60, 1)[3:]), [yes_no(drawn(60, 1)[0])], "univariable", 0.95)
    assert len(fine) == 1


def test_a_ratio_over_time_says_which_events_have_no_logarithm():
    """Exposed patients fail on day 0 or much later, the others in the middle; with most events on day 0, so is half."""
    rng = np.random.default_rng(2)
    x = np.arange(80) % 2 == 0
    time = np.where(x, np.where(rng.random(80) < 0.5, 0, 400), rng.uniform(40, 300, 80))
    tested, ratio, change = proportional_hazards.proportional(timed(time, time < 400), [yes_no(x)], "univariable", 0.95)
    assert tested.p_value < 0.01
    early = int((time == 0).sum())
    assert ratio.note.endswith(f"the median event time; {early} events on day 0 left out")
    assert change.estimate is not None
    time = np.where(x | (np.arange(80) < 24), time, 350)
    _, none = proportional_hazards.proportional(timed(time, time < 350), [yes_no(x)], "univariable", 0.95)
    assert none.estimate is None
    assert none.note == f"not estimable: {early} of the events are on day 0, which has no logarithm"


def test_monotone_likelihood_has_no_test_of_proportional_hazards():
    records = proportional_hazards.proportional(
        timed([1, 2, 3, 4], [1, 1, 0, 0]), [yes_no([1, 1, 0, 0])], "univariable", 0.95
    )
    assert [e.note for e in records] == ["not estimable: monotone likelihood"]


def test_a_landmark_leaves_out_who_ended_by_then():
    """Day 28: of times 10, 28, 29, 60c and 90 the last three go on, with 1, 32 and 62 days."""
    end = timed([10, 28, 29, 60, 90], [1, 1, 1, 0, 1])
    shifted, ended = at_landmark(end, 28)
    assert ended == 2
    assert shifted.time[2:] == pytest.approx([1, 32, 62])
    assert np.isnan(shifted.event[:2]).all()
    records, curves = landmark.landmark(end, yes_no([1, 0, 0, 1, 1]), [], day=28, confidence=0.95, ticks=[0.0, 30.0])
    ratio = records[0]
    assert (ratio.analysis, ratio.at, ratio.n, ratio.events) == ("landmark", 28, 3, 2)
    assert "2 of 5 patients had an event or were censored by day 28" in ratio.note
    assert curves["x=yes"].n == 2
    assert [e.estimate for e in records if e.statistic == "at_risk" and e.group == "x=yes"] == [2, 2]


def test_the_change_splits_each_patients_time():
    """Events at 4 (before any change), 6 (changed at 2), 9 (changed at 5); the one censored at 8 never changed.

    Risk sets: day 4: A no, B yes, C no, D no; day 6: B yes, C yes, D no; day 9: C alone. The partial likelihood
    1 / (3 + r) * r / (2 r + 1) is greatest where 1 / r = 1 / (3 + r) + 2 / (2 r + 1), that is r = sqrt(3 / 2).
    """
    end = timed([4, 6, 9, 8], [1, 1, 1, 0])
    X, start, stop, event = landmark._split(np.empty((4, 0)), np.zeros(4), np.asarray(end.time), event=end.event,
                                         day=_array([np.nan, 2, 5, np.nan]))  # fmt: skip
    assert sorted(zip(X[:, 0], start, stop, event, strict=True)) == [
        (0, 0, 2, 0), (0, 0, 4, 1), (0, 0, 5, 0), (0, 0, 8, 0), (1, 2, 6, 1), (1, 5, 9, 1),
    ]  # fmt: skip
    rows = firth_left_truncated.Rows(X, start, stop, event)
    b, _, converged = firth_left_truncated.greatest(rows, penalised=False)
    assert converged
    assert math.exp(b[0]) == pytest.approx(math.sqrt(3 / 2), abs=1e-6)
    [e] = landmark.time_dependent(
        end, TimeDependentFactor("response", "Response", _array([np.nan, 2, 5, np.nan])), [], confidence=0.95
    )
    assert (e.n, e.events) == (4, 3)
    assert e.note == "2 of 4 patients changed status"


def test_immortal_time_makes_no_effect():
    """The change comes to whoever lives long enough: known from day 0 it seems to protect, time-dependent not."""
    rng = np.random.default_rng(5)
    time = rng.exponential(100, 400)
    day = rng.uniform(0, 200, 400)
    changed = day < time
    end = timed(time, np.ones(400))
    [naive] = association.associations(end, [yes_no(changed)], "univariable", confidence=0.95)
    [right] = landmark.time_dependent(
        end, TimeDependentFactor("response", "Response", np.where(changed, day, np.nan)), [], confidence=0.95
    )
    assert naive.upper < 0.7
    assert right.lower < 1 < right.upper


def test_nobody_changed_is_said():
    end = timed([4, 6], [1, 1])
    [e] = landmark.time_dependent(
        end, TimeDependentFactor("response", "Response", _array([np.nan, 7])), [], confidence=0.95
    )
    assert e.note == "not estimable: no patient changed status under observation"
