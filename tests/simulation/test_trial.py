"""Trials: sums in blocks, the same in any order; means and intervals by hand and by simulation; protocols."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import t as student

from reinfuse.exceptions import PlanRefused
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.simulation.population.random_effects import DIFFERENCE, SHARE, Moments, difference, moments
from reinfuse.simulation.trial.accumulators import BINS, added, binned, quantile
from reinfuse.simulation.trial.protocol import Arm, FactorialDesign, Infusion, Protocols, dose_text
from reinfuse.simulation.trial.records import records
from reinfuse.simulation.trial.trial import QUANTITIES, Trial, block_of, in_threads, run

GRID = FactorialDesign(regimens=(("Cy", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6, 2e7))
PROTOCOLS = Protocols(grid=GRID)


@pytest.fixture(scope="module")
def ensemble():
    z = 0.3 * np.random.default_rng(1).standard_normal((10, len(UNKNOWNS)))
    return Ensemble(z, np.full(10, -4.0))


@pytest.fixture(scope="module")
def trial(ensemble):
    return Trial(PROTOCOLS, ensemble, 7)


@pytest.fixture(scope="module")
def tally(trial):
    return run(trial, 1100, in_threads(2))


def test_blocks_give_the_same_sums_in_any_number_of_threads(trial, tally):
    alone = added(block_of(trial, b) for b in trial.blocks(1100))
    for name in ("given", "total", "gain_square", "courses"):
        assert np.array_equal(getattr(alone, name), getattr(tally, name))


def test_every_patient_meets_every_arm(tally):
    assert np.array_equal(tally.met.sum(axis=0), np.full(4, 1100))
    assert np.all(tally.given <= tally.met)


def test_arms_that_differ_at_the_second_infusion_alone_select_the_same_patients(tally):
    assert np.array_equal(tally.given[:, 0], tally.given[:, 1])
    assert np.array_equal(tally.both[:, 1], tally.given[:, 0])


def test_the_reference_differs_from_itself_by_nothing(tally):
    assert np.all(tally.gain[:, 0] == 0)


def test_records_tell_n_and_events(tally):
    estimates = list(records(PROTOCOLS, tally))
    response = next(e for e in estimates if e.endpoint == "response" and e.group == PROTOCOLS.all_arms[0].name)
    assert response.n == tally.given[:, 0].sum()
    assert response.events == tally.total[:, 0, 0].sum()
    assert response.lower < response.estimate < response.upper
    same = [e for e in estimates if e.model == "same patients" and e.statistic == "risk_difference"]
    assert same
    assert all(e.n == tally.both[:, 1].sum() for e in same if e.group == PROTOCOLS.all_arms[1].name)


def test_moments_by_hand():
    n, total = np.array([2.0, 2.0]), np.array([1.0, 1.0])
    pooled = moments(n, total, total)  # two members with one yes and one no each
    assert pooled.mean == 0.5
    assert pooled.sampling == pytest.approx(0.5 / 4)  # s2 = (4 x 0.25)/(4 - 2)
    assert pooled.between == 0


def test_moments_find_the_variance_between_members():
    random = np.random.default_rng(5)
    mean = random.normal(0, 2.0, 4000)
    values = mean[:, None] + random.normal(0, 3.0, (4000, 5))
    pooled = moments(np.full(4000, 5.0), values.sum(axis=1), (values**2).sum(axis=1))
    assert pooled.between == pytest.approx(4.0, rel=0.1)
    assert pooled.sampling == pytest.approx(9 / 20000, rel=0.05)


def test_limits_of_a_share_cover_populations_of_the_ensemble():
    random = np.random.default_rng(6)
    inside = []
    for _ in range(300):
        n = random.integers(10, 40, 100).astype(float)
        yes = random.binomial(n.astype(int), random.beta(4, 6, 100)).astype(float)
        low, high = moments(n, yes, yes).limits(SHARE)
        inside.append(low < random.beta(4, 6) < high)
    assert 0.90 <= np.mean(inside) <= 0.985


def test_the_difference_of_two_groups_by_hand():
    one, other = (
        (np.array([4.0]), np.array([3.0]), np.array([3.0])),
        (np.array([4.0]), np.array([1.0]), np.array([1.0])),
    )
    contrast = difference(one, other, (np.zeros(1),) * 4)
    assert contrast.mean == 0.5
    assert contrast.sampling == pytest.approx(2 * 0.25 / 4)  # s2 of 3 in 4: 0.75/3


def test_the_difference_of_the_same_patients_as_seen_is_that_in_the_same_patients():
    """Four patients in each of two members: 1, 1, 0, 0 against 0, 1, 0, 0, and 1, 1, 1, 0 against 0, 0, 0, 0."""
    n, one, other = np.array([4.0, 4.0]), np.array([2.0, 3.0]), np.array([1.0, 0.0])
    product, gain = np.array([1.0, 0.0]), np.array([1.0, 3.0])
    selected = difference((n, one, one), (n, other, other), (n, one, other, product))
    same = moments(n, gain, gain)  # gains are 0 and 1
    assert selected.mean == same.mean == 0.5
    assert selected.n == same.n == 8
    # within: 1 - 1/4 and 3 - 9/4, of 6 degrees of freedom: 0.25; of members' means 1/4 and 3/4: 1/8, less 0.25/4
    assert same.between == pytest.approx(0.0625)
    assert same.sampling == pytest.approx(0.25 / 8)
    assert (selected.between, selected.sampling) == pytest.approx((same.between, same.sampling))
    assert selected.limits(DIFFERENCE) == pytest.approx(same.limits(DIFFERENCE))


def test_a_difference_as_seen_keeps_what_lies_between_populations():
    """100 members of 30 patients who meet both arms with the same frailty; arms differ by 0.25 with sd 0.08."""
    random, inside, alone = np.random.default_rng(3), [], []
    for _ in range(300):
        gain, of = random.normal(0.25, 0.08, 101), np.repeat(np.arange(100), 30)
        frailty, shift = random.uniform(size=3000), random.normal(0, 0.1, 100)
        other = (frailty < (0.4 + shift)[of]).astype(float)
        one = (frailty < (0.4 + shift + gain[:100])[of]).astype(float)
        n = np.full(100, 30.0)
        first, second, product = (np.bincount(of, v, 100) for v in (one, other, one * other))
        sums = (n, first, first), (n, second, second)
        low, high = difference(*sums, (n, first, second, product)).limits(DIFFERENCE)
        inside.append(low < gain[100] < high)
        low, high = difference(*sums, (0 * n,) * 4).limits(DIFFERENCE)  # as if patients were others
        alone.append(low < gain[100] < high)
    assert 0.92 <= np.mean(inside) <= 0.98
    assert np.mean(alone) < 0.9


def test_an_interval_without_noise_is_students():
    values = np.array([1.0, 2.0, 4.0, 9.0, 5.0, 3.0, 2.5, 5.5])
    pooled = moments(np.full(8, 1e9), values * 1e9, values**2 * 1e9)
    half = student.ppf(0.975, 7) * np.sqrt(1.125 * values.var(ddof=1))
    assert pooled.between == pytest.approx(values.var(ddof=1))
    low, high = pooled.limits()
    assert (low, high) == pytest.approx((4 - half, 4 + half), rel=0.01)


def test_the_confidence_in_a_variance_between_populations_by_hand():
    """Three members: their variance v over tau2 + noise is exponential, so that 1/(tau2 + noise) = w/v, w to c at most.

    c = v/noise = 2. Of w: the mean of min(w, c) is 1 - exp(-c); of w below c it is (1 - (1 + c) exp(-c))/(1 - exp(-c)).
    """
    one = Moments(0.0, 2.0, 0.0, 30, observed=4.0, noise=2.0, free=2.0)
    variances, weight = one.variances
    precision = float(weight @ (1 / (variances / (4 / 3) + 2.0)))
    none = np.exp(-2.0)  # confidence that tau2 is 0
    by_hand = (0.9 * (1 - none) + 0.1 * (1 - 3 * none) / (1 - none)) / 4.0
    assert precision == pytest.approx(by_hand, rel=1e-3)
    assert weight.sum() == pytest.approx(1.0)


def test_the_noise_of_members_is_that_of_their_own_patients():
    """Members of four patients who differ, and of one or eight who do not: populations are the same, noise is not."""
    n, total = np.array([4.0, 4.0, 8.0, 8.0]), np.array([2.0, 2.0, 8.0, 8.0])
    pooled = moments(n, total, total)
    # means 1/2 and 1; own noise (1/3)/4 and 0; weights 4/(4 + 6) and 8/(8 + 6), of which 2 x 2
    w, v = np.array([0.4, 0.4, 4 / 7, 4 / 7]), np.array([0.25, 0.25, 0.0, 0.0]) / 3
    spread, total_weight = 2 * 0.4 * (4 / 7) / (0.4 + 4 / 7) * 0.25, w.sum()
    room = total_weight - np.sum(w**2) / total_weight
    expected = np.sum(w * v) - np.sum(w**2 * v) / total_weight
    assert pooled.between == pytest.approx((spread - expected) / room)


def test_intervals_keep_the_bounds_of_the_quantity():
    """Few patients who keep their cells for long: 0 days but in three members."""
    n, total = np.full(10, 3.0), np.array([0.0] * 7 + [100.0, 200.0, 300.0])
    days = moments(n, total, total**2 / 2)
    low, high = days.limits((0.0, 365.0))
    assert 0 <= low < days.mean < high <= 365
    assert days.limits()[0] < 0
    for k in (0, 30):
        none_or_all = moments(n, np.full(10, k / 10), np.full(10, k / 10))
        low, high = none_or_all.limits(SHARE)
        assert (low, high)[k == 30] == none_or_all.mean == k / 30
        assert 0.85 < (high if k == 0 else 1 - low) + 0.85 < 1.0
    nobody = moments(n, np.zeros(10), np.zeros(10)).limits(DIFFERENCE)
    assert nobody == pytest.approx((-0.12, 0.12), abs=0.02)  # none of 30 differs


def test_every_estimate_of_a_trial_lies_in_its_interval_and_its_bounds(tally):
    for e in records(PROTOCOLS, tally):
        if e.lower is None:
            continue
        assert e.lower <= e.estimate <= e.upper, e
        if e.statistic in ("proportion", "mean"):
            assert e.lower >= 0
        if e.statistic == "proportion":
            assert e.upper <= 1
        if e.unit == "days":
            assert e.lower >= -365
            assert e.upper <= 365


def test_records_of_arms_that_share_their_patients_agree(tally):
    """Arms 0 and 1 differ at the second infusion alone: the study sees the same patients."""
    estimates = [
        e for e in records(PROTOCOLS, tally) if e.group == PROTOCOLS.all_arms[1].name and e.statistic != "ratio"
    ]
    same = {e.endpoint: e for e in estimates if e.model == "same patients" and e.statistic != "probability_greater"}
    selected = {e.endpoint: e for e in estimates if e.model == "as selected"}
    for name, one in same.items():
        assert selected[name].estimate == pytest.approx(one.estimate)
        wide, other = one.upper - one.lower, selected[name].upper - selected[name].lower
        assert other == pytest.approx(wide, rel=0.15), name


def test_an_outcome_later_than_the_follow_up_is_left_out(ensemble):
    short = PROTOCOLS.model_copy(update={"follow_days": 56.0})
    sums = run(Trial(short, ensemble, 7), 64, in_threads(1))
    estimates = list(records(short, sums))
    for name, day in (("pfs_6_months", "182.6"), ("seen_day90", "90"), ("seen_day180", "180")):
        of = [e for e in estimates if e.endpoint == name]
        assert len(of) == 4
        assert all(e.estimate is None and f"day {day}" in e.note and "day 56" in e.note for e in of)
    assert all(e.estimate is not None for e in estimates if e.endpoint in ("response", "seen_day28", "pfs_days")
               and e.statistic != "probability_greater")  # fmt: skip
    whole = list(records(PROTOCOLS, sums))
    assert all(e.estimate is not None for e in whole if e.endpoint == "pfs_6_months" and e.statistic == "proportion")


def test_nobody_given_is_not_an_error():
    zero = np.zeros(3)
    assert moments(zero, zero, zero).limits() is None


def test_bins_and_their_quantiles():
    counts = np.array([0.0, 1.0, 1.0, 10.0, np.nan, -1e-12])[:, None]
    bins = binned(counts)[0]
    assert bins.sum() == 5
    assert bins.shape == (BINS,)
    assert quantile(bins, 0.5) == pytest.approx(1.0, rel=0.025)
    assert quantile(bins, 0.2) == 0
    assert np.isnan(quantile(np.zeros(BINS, dtype=int), 0.5))


def test_doses_are_told_in_words():
    assert [dose_text(d) for d in (2e6, 6e6, 2.5e7)] == ["2e6/kg", "6e6/kg", "2.5e7/kg"]


def test_a_split_dose_is_given_on_consecutive_days():
    arm = Arm(name="split", infusions=(Infusion(lymphodepletion="Cy", dose_cells_per_kg=1e6, shares=(0.1, 0.3, 0.6)),))
    event = arm.schedule.event
    assert event[:, 0].tolist() == [-3, 0, 1, 2]
    assert event[:, 3] == pytest.approx(np.array([0, 0.1, 0.3, 0.6]) * 1e6 * 75 / 5e8)
    assert event[0, 1:3].tolist() == [1, 0]


@pytest.mark.parametrize(("text", "message"), [
    ("", "declare"),
    ("[grid]\nregimens=[['Cy','Cyclo']]\ncart2_dose_cells_per_kg=[2e6]", "Input should be"),
    ("reference='x'\n[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]", "reference must be"),
    ("[[arms]]\nname='a'\n[[arms.infusions]]\nlymphodepletion='Cy'\ndose_cells_per_kg=-1", "greater than 0"),
    ("[[arms]]\nname='a'\n[[arms.infusions]]\nlymphodepletion='Cy'\ndose_cells_per_kg=1e6\nshares=[0.5]", "sum to 1"),
    ("title = ", "Invalid value"),
    ("selected='yes'\n[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]", "valid boolean"),
    ("selected=1\n[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]", "valid boolean"),
    ("[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[true]", "valid number"),
    ("[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=['2e6']", "valid number"),
    ("[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[nan]", "finite number"),
    ("follow_days='365'\n[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]", "valid number"),
    ("[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]\ninterval_days=[30]", "from day 31 on"),
    ("[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]\ninterval_days=[120, 28]", "; day 28"),
])  # fmt: skip
def test_bad_protocols_are_refused_with_a_remedy(tmp_path, text, message):
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(PlanRefused) as refused:
        Protocols.load(path)
    assert any(message in f"{p.rule}; {p.remedy}" for p in refused.value.problems)


def test_all_problems_of_a_protocols_file_are_told_at_once(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("follow_days=1\nwhat=2\n[grid]\nregimens=[]\ncart2_dose_cells_per_kg=[-1]")
    with pytest.raises(PlanRefused) as refused:
        Protocols.load(path)
    assert len(refused.value.problems) == 4


def test_whole_numbers_of_days_and_doses_are_numbers(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("follow_days=100\n[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2000000]")
    assert Protocols.load(path).follow_days == 100


def test_an_infusion_may_follow_soon_where_it_does_not_depend_on_the_response():
    soon = FactorialDesign(regimens=(("Cy", "Cy"),), cart2_dose_cells_per_kg=(2e6,), interval_days=(14.0,))
    assert Protocols(grid=soon, selected=False).all_arms[0].infusions[1].after_days == 14
    at = FactorialDesign(regimens=(("Cy", "Cy"),), cart2_dose_cells_per_kg=(2e6,), interval_days=(31.0,))
    out = block_of(Trial(Protocols(grid=at), Ensemble(np.zeros((1, len(UNKNOWNS))), np.zeros(1)), 1), (0, 64))
    assert 0 < out.given.sum() < 64  # the response is read


def test_the_bundled_protocols_are_nine_arms():
    from importlib.resources import files

    path = files("reinfuse.simulation").joinpath("protocols.toml")
    bundled = Protocols.load(str(path))
    assert len(bundled.all_arms) == 9
    assert bundled.all_arms[0].name == bundled.reference


def test_a_small_study_of_the_coverage_of_every_interval():
    """The study of benchmarks/virtual, small: levels and differences, shares and days, paired and as seen."""
    path = Path(__file__).parents[2] / "benchmarks" / "virtual" / "interval_coverage.py"
    spec = importlib.util.spec_from_file_location("interval_coverage", path)
    study = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = study
    spec.loader.exec_module(study)
    coverage = study.study(study.Setting(60, 40, 0.6, "most"), 30, 5)
    assert set(coverage["interval"]) == {"level", "same patients", "as selected"}
    assert set(coverage["quantity"]) == set(QUANTITIES)
    pooled = coverage.group_by("interval").agg(pl.col("coverage").mean())["coverage"]
    assert pooled.min() > 0.93
    assert pooled.max() < 0.98
