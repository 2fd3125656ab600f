"""Curves and tests against a library that computes them independently, and where they are not defined."""

import greenwood as gw
import numpy as np
import polars as pl
import pytest

from reinfuse.statistics import nonparametric
from reinfuse.statistics.schoenfeld import schoenfeld

STATES = pl.Enum(["censored", "event", "competing"])


def _drawn(seed):
    """Return tied times, events, competing events, late entries, groups and columns of 40 patients."""
    rng = np.random.default_rng(seed)
    time = np.ceil(rng.exponential(9, 40)) + 1
    event = (rng.random(40) < 0.6) * 1.0
    competing = ((event == 0) & (rng.random(40) < 0.5)) * 1.0
    entry = np.floor(time * rng.random(40) * 0.8)
    return time, event, competing, entry, rng.choice(list("abc"), 40), rng.normal(size=(40, 2))


@pytest.mark.parametrize("seed", range(3))
def test_the_library_has_the_same_numbers(seed):
    time, event, competing, entry, groups, X = _drawn(seed)
    status = event.astype(int)
    names = ["time", "estimate", "conf_low", "conf_high", "n_risk", "n_event", "n_censor"]
    for late, surv in ((None, gw.Surv(time, event=status)), (entry, gw.Surv(entry, time2=time, event=status))):
        with np.errstate(all="ignore"):
            curve = gw.KaplanMeier(conf_type="log-log", conf_level=0.9).fit(surv).to_frame(format="polars")
        for name, numbers in zip(names, nonparametric.kaplan_meier(time, event, 0.9, entry=late), strict=True):
            np.testing.assert_array_equal(numbers, curve[name].to_numpy())
    surv = gw.Surv(time, event=status)
    assert nonparametric.log_rank(time, event, groups) == gw.logrank_test(surv, group=groups).p_value
    codes = np.where(event == 1, "event", np.where(competing == 1, "competing", "censored"))
    states = gw.Surv(time=time, event=pl.Series(codes.tolist(), dtype=STATES), type="mstate")
    with np.errstate(all="ignore"):
        table = gw.AalenJohansen(conf_type="log-log").fit(states).to_frame(format="polars").filter(cause="event")
    ours = nonparametric.aalen_johansen(time, event, competing, confidence=0.95)
    for name, numbers in zip(["time", "estimate", "conf_low", "conf_high"], ours, strict=True):
        np.testing.assert_array_equal(numbers, table[name].to_numpy())
    gray = gw.grays_test(states, group=groups.tolist(), cause="event")
    assert nonparametric.gray(time, event, competing, groups=groups.tolist()) == pytest.approx(
        (gray.statistic, gray.p_value), rel=1e-9
    )
    fit = gw.CoxPH(ties="breslow").fit(surv, X)
    for transform in ("km", "rank", "log", "identity"):
        table = fit.cox_zph(transform=transform).to_frame(format="polars")
        statistic, p = schoenfeld(X, time, event, transform=transform)
        assert statistic == pytest.approx(table["chisq"].to_numpy(), rel=1e-7)
        assert p == pytest.approx(table["p_value"].to_numpy(), rel=1e-7)


def test_what_compares_nobody_is_not_estimable():
    time, nobody = np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(4)
    groups = np.array(["a", "a", "b", "b"])
    assert nonparametric.log_rank(time, nobody, groups) is None
    assert np.isnan(nonparametric.gray(time, nobody, np.ones(4), groups=list(groups))).all()
    assert np.isnan(nonparametric.gray(time, np.ones(4), nobody, groups=["a"] * 4)).all()
    assert schoenfeld(np.ones((4, 1)), time, np.ones(4), transform="km") is None
