"""The population model: by hand, beside the textbook density written in scipy, and against planted values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp
from scipy.special import expit

pytest.importorskip("jax", reason="needs the extra kinetics", exc_type=ImportError)
pytest.importorskip("numpyro", reason="needs the extra kinetics", exc_type=ImportError)

import jax
from numpyro.infer.util import log_density

from reinfuse.kinetics.population import simulate
from reinfuse.kinetics.population.curve import ROUNDED, log_likelihood
from reinfuse.kinetics.population.diagnostics import diagnose, ess, rhat
from reinfuse.kinetics.population.fit import MOST, PopulationFit, fit
from reinfuse.kinetics.population.layout import layout
from reinfuse.kinetics.population.parameters import (
    ACTED_ON,
    CMAX,
    FOLD,
    MOST_FB,
    NAMES,
    PARAMETERS,
    TMAX,
    centres,
    from_scale,
    to_scale,
)
from reinfuse.kinetics.population.posterior import model
from reinfuse.kinetics.population.predictive import GRID, checks, fitted, log_counts, shrinkage
from reinfuse.kinetics.population.records import METHOD, PRIOR, records
from reinfuse.kinetics.population.reparameterization import CountArrays, back, expected, place
from reinfuse.kinetics.population.sampler import Effort, PosteriorDraws
from reinfuse.kinetics.population.two_stage_fit import first_fit
from reinfuse.kinetics.profiles import Profile

UNIT = "copies/ug"
STEIN = simulate.Truth(centres(UNIT), np.array([0.19, 0.38, 0.65, 0.91, 0.80, 0.86]), np.full(6, 0.5), 0.56,
                       np.array([[0.2, 0.7, -0.3, 0.7]]))  # fmt: skip
DAYS = (1.0, 4, 7, 10, 14, 28, 90, 240)
EFFORT = Effort(2, 150, 150)
PATIENTS = 10


def on_scale(**own):
    """Parameters of one infusion on their scales, shape (6, 1): Stein's typical values where not given."""
    typical = {p.name: p.typical for p in PARAMETERS} | own
    return np.array([[to_scale(k, typical[name])] for k, name in enumerate(NAMES)])


def log_at(days, **own):
    return log_counts(on_scale(**own), np.array([days], dtype=float))[0]


def cohort(patients, truth=STEIN, seed=1, days=DAYS, limit=10.0):
    """Two infusions each, one yes/no factor: profiles and factor."""
    random = np.random.default_rng(seed)
    of = [f"p{i:03d}" for i in range(patients) for _ in (1, 2)]
    yes = random.permutation(np.arange(len(of)) % 2).astype(float)
    of_cohort = simulate.profiles(
        truth,
        yes[:, None] - yes.mean(),
        of,
        infusion=[1, 2] * patients,
        day=np.tile(days, (len(of), 1)),
        limit=limit,
        unit=UNIT,
        random=random,
    )
    return of_cohort, {"yes": yes}


@pytest.fixture(scope="module")
def small():
    """One cohort and its fit: compiling takes most of the time of this module."""
    profiles, factors = cohort(PATIENTS)
    told = []
    found = fit(profiles, factors, 3, effort=EFFORT, report=lambda done, of: told.append((done, of)))
    return profiles, factors, found, told


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


# The curve


def test_curve_by_hand():
    """Cmax 1000, foldx 100, Tmax 10, alpha 1, FB 0.1, beta 0.01."""
    own = {"foldx": 100, "tmax": 10, "cmax": 1000, "alpha": 1, "fb": 0.1, "beta": 0.01}
    at = log_at([0, 5, 10, 12, 500], **own)
    assert np.exp(at[0]) == pytest.approx(10, rel=1e-12)
    assert np.exp(at[1]) == pytest.approx(100, rel=1e-12)
    assert at[2] == pytest.approx(np.log(1000) - ROUNDED / 4, abs=1e-12)
    assert np.exp(at[3]) == pytest.approx(900 * np.exp(-2) + 100 * np.exp(-0.02), rel=1e-12)
    assert np.exp(at[4]) == pytest.approx(100 * np.exp(-4.9), rel=1e-12)


def test_rounding_lowers_the_peak_by_5_percent_and_nothing_outside_the_corner():
    day = np.linspace(0, 400, 40001)
    tmax, cmax, rho = 9.3, 24000.0, np.log(3900) / 9.3
    alpha, fb, beta = (PARAMETERS[k].typical for k in (3, 4, 5))
    rising = np.log(cmax) + rho * (day - tmax)
    falling = np.log(cmax * ((1 - fb) * np.exp(-alpha * (day - tmax)) + fb * np.exp(-beta * (day - tmax))))
    lowered = np.minimum(rising, falling) - log_at(day)
    outside = np.abs(rising - falling) >= ROUNDED
    assert np.abs(lowered[outside]).max() < 1e-10
    assert lowered.max() == pytest.approx(ROUNDED / 4, abs=1e-10)
    assert day[np.argmax(lowered)] == pytest.approx(tmax)
    assert lowered[~outside].min() >= 0
    assert np.ptp(day[~outside]) < 0.5
    assert day[np.argmax(log_at(day))] == pytest.approx(tmax, abs=0.25)


def test_curve_solves_the_differential_equations():
    """Cells grow at the rate rho; from Tmax a share FB is lost at the rate beta and the others at the rate alpha."""
    p = {q.name: q.typical for q in PARAMETERS}
    rho = np.log(p["foldx"]) / p["tmax"]
    told = {"rtol": 1e-10, "atol": 1e-10, "dense_output": True}
    before = solve_ivp(lambda _, y: rho * y, (0, p["tmax"]), [p["cmax"] / p["foldx"]], **told)
    assert before.y[0, -1] == pytest.approx(p["cmax"], rel=1e-8)
    split = before.y[0, -1] * np.array([1 - p["fb"], p["fb"]])
    rates = np.array([p["alpha"], p["beta"]])
    after = solve_ivp(lambda _, y: -rates * y, (p["tmax"], 365), split, **told)
    early, late = np.array([0, 1, 4, 8.0]), np.array([11, 14, 28, 90, 365.0])
    assert log_at(early) == pytest.approx(np.log(before.sol(early)[0]), abs=1e-6)
    assert log_at(late) == pytest.approx(np.log(after.sol(late).sum(axis=0)), abs=1e-6)


def test_counts_below_the_limit_enter_by_their_probability(double):
    theta = on_scale()
    day, value = np.array([[4.0, 14, 28, 0]]), np.array([[6.0, 9, 5, 99]])
    seen = (day, value, np.array([[1.0, 1, 0, 0]]))
    limits = np.log(np.array([[20.0, 10, 700, 1]]))
    below = (np.array([[90.0, 240, 28, 5]]), limits, np.array([[1.0, 1, 1, 0]]))
    expected = (stats.norm.logpdf(value[0, :2], log_counts(theta, day)[0, :2], 0.4).sum()
                + stats.norm.logcdf(limits[0, :3], log_counts(theta, below[0])[0, :3], 0.4).sum())  # fmt: skip
    assert float(log_likelihood(theta, 0.4, seen, below)[0]) == pytest.approx(expected, rel=1e-12)


def test_a_limit_far_below_the_curve_stays_finite(double):
    """40 standard deviations below: Phi(z) itself would be 0."""
    nothing = tuple(np.zeros((1, 4)) for _ in range(3))
    limit = log_counts(on_scale(), np.array([[20.0] * 4])) - 40 * 0.5
    found = float(log_likelihood(on_scale(), 0.5, nothing, (np.full((1, 4), 20.0), limit, np.eye(4)[:1]))[0])
    assert found == pytest.approx(stats.norm.logcdf(-40), rel=1e-10)


def test_scales_go_there_and_back():
    for k, p in enumerate(PARAMETERS):
        assert from_scale(k, np.array(to_scale(k, p.typical))) == pytest.approx(p.typical)
    assert to_scale(4, MOST_FB / 2) == 0
    assert to_scale(0, np.exp(np.e)) == pytest.approx(1)
    assert to_scale(1, np.e) == pytest.approx(1)
    assert centres(UNIT) == pytest.approx(on_scale()[:, 0])
    assert np.exp(centres("cells/uL")[CMAX]) == pytest.approx(115)


# The arrays


def profile(patient, infusion, value, below=None, unit=UNIT):
    flags = np.zeros(len(value), dtype=bool) if below is None else np.array(below)
    return Profile(
        patient, infusion, "total", unit, np.arange(1.0, len(value) + 1), np.array(value, dtype=float), flags
    )


def test_patients_with_most_infusions_come_first():
    arranged = layout([profile("A", 1, [1]), profile("C", 2, [2]), profile("B", 3, [3]), profile("C", 1, [4]),
                   profile("B", 1, [5]), profile("B", 2, [6]), profile("D", 2, [7]), profile("D", 3, [8])],
                  {"x": np.arange(8.0)})  # fmt: skip
    assert [(p.patient_id, p.infusion) for p in arranged.profiles] == [
        ("B", 1), ("C", 1), ("D", 2), ("A", 1), ("B", 2), ("C", 2), ("D", 3), ("B", 3)]  # fmt: skip
    assert arranged.blocks == (4, 3, 1)
    assert arranged.patients == 4
    assert np.exp(arranged.above[1][:, 0]) == pytest.approx([5, 4, 7, 1, 6, 2, 8, 3])
    assert (arranged.X[:, 0] + 3.5).tolist() == [4, 3, 6, 0, 5, 1, 7, 2]


def test_counts_are_parted_into_seen_and_below():
    arranged = layout([profile("A", 1, [5, 9, 2, np.nan], [False, False, True, True]), profile("B", 1, [3])], {})
    assert [a.shape for a in (*arranged.above, *arranged.below)] == [(2, 4)] * 6
    assert arranged.above[0].tolist() == [[1, 2, 0, 0], [1, 0, 0, 0]]
    assert np.exp(arranged.above[1][0, :2]) == pytest.approx([5, 9])
    assert arranged.above[2].tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]
    assert arranged.below[0].tolist() == [[3, 0, 0, 0], [0, 0, 0, 0]]
    assert np.exp(arranged.below[1][0, 0]) == pytest.approx(2)
    assert arranged.below[2].sum() == 1
    assert arranged.left_out == 1  # its limit is not known
    assert arranged.names == ()
    assert arranged.X.shape == (2, 0)


def test_factors_are_centred_and_a_missing_one_is_the_average():
    three = [profile(p, 1, [1.0]) for p in "ABC"]
    arranged = layout(
        three, {"same": [2, 2, 2], "x": [1, np.nan, 5], "none": [np.nan] * 3, "once": [np.nan, 1, np.nan]}
    )
    assert arranged.names == ("x",)
    assert arranged.X[:, 0].tolist() == [-2, 0, 2]
    assert arranged.centre.tolist() == [3]
    assert arranged.missing == (1,)


def test_mixed_units_are_refused():
    for some in ([], [profile("A", 1, [1]), profile("B", 1, [1], unit="cells/uL")]):
        with pytest.raises(ValueError, match="must have one unit"):
            layout(some, {})


# The posterior


INFUSIONS = [("A", 1), ("B", 1), ("C", 1), ("D", 1), ("A", 2), ("B", 2), ("A", 3)]


@pytest.fixture
def case(double):
    """Patients with three, two, one and one infusions, in coordinates chosen at random: layout, data, values."""
    random = np.random.default_rng(11)
    profiles = [profile(p, i, np.exp(random.normal(6, 2, 6)), random.random(6) < 0.3) for p, i in INFUSIONS]
    arranged = layout(profiles, {"x": random.normal(size=7), "y": random.normal(size=7)})
    root = random.normal(size=(7, 6, 6))
    curvature = (root @ root.transpose(0, 2, 1)).transpose(1, 2, 0)
    pull = np.einsum("ijn,jn->in", curvature, centres(UNIT)[:, None] + 0.3 * random.normal(size=(6, 7)))
    data = CountArrays(arranged.above, arranged.below, arranged.X, centres(UNIT), curvature, pull)
    between = np.array([p.between for p in PARAMETERS])
    values = {
        "mu": centres(UNIT) + 0.2 * random.normal(size=6), "tau": between * random.uniform(0.6, 1.6, 6),
        "share": random.uniform(0.1, 0.9, 6), "sigma": np.array(0.7), "coef": 0.4 * random.normal(size=(2, 4)),
        "w": random.normal(size=(6, 7)),
    }  # fmt: skip
    return arranged, data, values


def typical(values, X):
    """Expected parameters of each infusion, by the definition."""
    made = np.repeat(values["mu"][:, None], len(X), axis=1)
    for a, k in enumerate(ACTED_ON):
        made[k] += X @ values["coef"][:, a]
    return made


def covariance(tau, share, n):
    return (1 - share) * tau**2 * np.ones((n, n)) + share * tau**2 * np.eye(n)


def log_curve(theta, day):
    """Log count of one infusion."""
    foldx, tmax, cmax, alpha, fb, beta = (from_scale(k, value) for k, value in enumerate(theta))
    since = day - tmax
    rising = np.log(cmax) + np.log(foldx) / tmax * since
    falling = np.log(cmax) + np.log((1 - fb) * np.exp(-alpha * since) + fb * np.exp(-beta * since))
    corner = np.clip(ROUNDED - np.abs(rising - falling), 0, None)
    return np.minimum(rising, falling) - corner**2 / (4 * ROUNDED)


def textbook(values, theta, made):
    """Log density of population parameters, infusions' parameters and counts."""
    spread, between = (np.array([getattr(p, name) for p in PARAMETERS]) for name in ("spread", "between"))
    effect = [PARAMETERS[k].effect for k in ACTED_ON]
    total = stats.norm.logpdf(values["mu"], centres(UNIT), spread).sum()
    total += stats.lognorm.logpdf(values["tau"], 0.25, scale=between).sum()
    total += stats.beta.logpdf(values["share"], 2, 2).sum()
    total += stats.lognorm.logpdf(values["sigma"], 0.25, scale=0.56)
    total += stats.norm.logpdf(values["coef"], 0, effect).sum()
    expected = typical(values, made.X)
    patients = [p.patient_id for p in made.profiles]
    for patient in set(patients):
        own = [i for i, p in enumerate(patients) if p == patient]
        for k in range(6):
            spread = covariance(values["tau"][k], values["share"][k], len(own))
            total += stats.multivariate_normal.logpdf(theta[k, own], expected[k, own], spread)
    for i, p in enumerate(made.profiles):
        mean = log_curve(theta[:, i], p.day)
        total += stats.norm.logpdf(np.log(p.value), mean, values["sigma"])[p.counted].sum()
        total += stats.norm.logcdf(np.log(p.value), mean, values["sigma"])[p.below].sum()
    return total


def placed(case, w):
    made, data, values = case
    theta, total = place(np.asarray(w), expected(values, made.X), data, made.blocks)
    return np.asarray(theta), float(total.sum())


def test_posterior_is_the_textbook_density(case):
    """In the sampler's coordinates, with the volume of the map, which is linear in w: taken from unit steps."""
    made, data, values = case
    total, trace = log_density(model, ((data, None),), {"blocks": made.blocks}, values)
    theta = np.asarray(trace["theta"]["value"])
    origin = placed(case, np.zeros((6, 7)))[0].ravel()
    steps = [placed(case, unit.reshape(6, 7))[0].ravel() - origin for unit in np.eye(42)]
    sign, volume = np.linalg.slogdet(np.array(steps))
    assert sign == 1
    assert np.array(steps).T @ values["w"].ravel() + origin == pytest.approx(theta.ravel(), abs=1e-10)
    assert float(total) == pytest.approx(textbook(values, theta, made) + volume, abs=1e-9)


def test_the_map_is_a_bijection(case):
    """Back from theta: w = L' (theta - m), each infusion given the earlier ones of its patient."""
    made, data, values = case
    theta, _ = placed(case, values["w"])
    centres_of = typical(values, made.X)
    patients = [p.patient_id for p in made.profiles]
    there = np.empty_like(theta)
    for i, patient in enumerate(patients):
        earlier = [j for j in range(i) if patients[j] == patient]
        mean, variance = np.empty(6), np.empty(6)
        for k in range(6):
            both = covariance(values["tau"][k], values["share"][k], len(earlier) + 1)
            weight = np.linalg.solve(both[:-1, :-1], both[:-1, -1]) if earlier else np.empty(0)
            mean[k] = centres_of[k, i] + weight @ (theta[k, earlier] - centres_of[k, earlier])
            variance[k] = both[-1, -1] - weight @ both[:-1, -1]
        precision = data.curvature[:, :, i] + np.diag(1 / variance)
        centre = np.linalg.solve(precision, data.pull[:, i] + mean / variance)
        there[:, i] = np.linalg.cholesky(precision).T @ (theta[:, i] - centre)
    assert there == pytest.approx(values["w"], abs=1e-9)
    assert np.asarray(back(theta, expected(values, made.X), data, made.blocks)) == pytest.approx(there, abs=1e-9)


def test_a_normal_likelihood_leaves_standard_normal_coordinates(case):
    """Of seven patients with one infusion: log prior + likelihood + volume = constant - w'w/2."""
    made, data, values = case
    rest = []
    for w in (np.zeros((6, 7)), values["w"], 3 * values["w"][::-1]):
        theta, total = placed((replace(made, blocks=(7,)), data, values), w)
        normal = (data.pull * theta).sum() - 0.5 * np.einsum("in,ijn,jn->", theta, data.curvature, theta)
        rest.append(total + normal + 0.5 * (w**2).sum())
    assert np.ptp(rest) < 1e-8


# The first fit


def test_first_fit_finds_planted_values(double):
    """150 patients: a typical value has a standard error of 0.07 standard deviations between infusions."""
    days = (1.0, 3, 5, 7, 9, 11, 14, 21, 28, 60, 120, 240, 365, 540, 730, 1000)
    profiles, factors = cohort(150, seed=2, days=days, limit=1e-3)
    arranged = layout(profiles, factors)
    start = first_fit(arranged.above, arranged.below, arranged.X, centres(UNIT))
    assert np.asarray((start.mu - STEIN.mu) / STEIN.tau) == pytest.approx(np.zeros(6), abs=0.21)
    assert np.asarray(start.tau / STEIN.tau) == pytest.approx(np.ones(6), abs=0.15)
    assert float(start.sigma) == pytest.approx(STEIN.sigma, rel=0.12)
    assert np.asarray(start.coef) == pytest.approx(STEIN.coef, abs=0.3)
    assert np.linalg.eigvalsh(np.asarray(start.curvature).transpose(2, 0, 1)).min() > -1e-6


# The diagnostics


def chains(seed, rho, shift=0.0, shape=(4, 500)):
    """Autoregressive chains, the first of them shifted."""
    random = np.random.default_rng(seed)
    made = random.standard_normal(shape)
    for t in range(1, shape[1]):
        made[:, t] = rho * made[:, t - 1] + np.sqrt(1 - rho**2) * made[:, t]
    made[0] += shift
    return made


def test_independent_chains_are_passed_and_shifted_ones_are_not():
    good = chains(1, 0)
    assert rhat(good) == pytest.approx(1, abs=0.01)
    assert ess(good) > 1500
    assert rhat(chains(1, 0, shift=1.5)) > 1.1
    assert rhat(chains(1, 0) * np.array([[1], [1], [1], [4]])) > 1.1  # same place, other spread: the folded draws
    assert rhat(np.exp(3 * good)) == pytest.approx(rhat(good), abs=0.01)  # by ranks
    assert ess(chains(2, 0.9)) < 0.1 * good.size  # by theory a share of (1 - 0.9) / (1 + 0.9)


ARVIZ = {
    (3, 0.0, 0.0): (1.000235327270204, 1937.1395521535926),
    (3, 0.5, 0.0): (1.0038851834866607, 644.8207551114422),
    (3, 0.9, 0.0): (1.0363388577895192, 134.05094937783971),
    (4, 0.97, 0.0): (1.1061983459635325, 29.87197216401248),
    (5, -0.5, 0.0): (0.9999914253815009, 1996.6854799828204),
}
"""Seed, autocorrelation and shift of `chains`: R-hat, and the smaller of bulk and tail effective sample size, by arviz
0.23.4 (``rhat``, ``ess(method="bulk")``, ``ess(method="tail")``)."""


def test_diagnostics_beside_arviz():
    for told, (r, size) in ARVIZ.items():
        assert rhat(chains(*told)) == pytest.approx(r, rel=1e-9)
        assert ess(chains(*told)) == pytest.approx(size, rel=1e-9)
    few = chains(3, 0, shape=(4, 20))
    assert rhat(few) == pytest.approx(1.0183328891187142, rel=1e-9)
    assert ess(few) == pytest.approx(88.26734471485703, rel=1e-9)
    shifted = chains(3, 0.5, 0.5)
    assert rhat(shifted) == pytest.approx(1.0367408006230596, rel=1e-9)
    assert ess(shifted) == pytest.approx(348.7598305617469, rel=0.01)  # the sums of autocorrelations end elsewhere


def made_up(seed=1, shift=0.0, diverging=0, chains_of=(4, 500), **sites):
    """Independent draws around Stein's values, of the layout of the small cohort."""
    random = np.random.default_rng(seed)
    n = 2 * PATIENTS

    def around(value, spread, *shape):
        return value + spread * random.standard_normal((*chains_of, *shape))

    values = {
        "mu": around(STEIN.mu, 0.1, 6), "tau": STEIN.tau * np.exp(around(0, 0.1, 6)),
        "share": expit(around(0, 0.3, 6)), "sigma": np.exp(around(np.log(0.56), 0.05)),
        "coef": around(STEIN.coef, 0.1, 1, 4), "theta": around(STEIN.mu[:, None], 0.1, 6, n), **sites,
    }  # fmt: skip
    values["mu"][0, :, CMAX] += shift
    flags = np.zeros(chains_of, dtype=bool)
    flags.ravel()[:diverging] = True
    return PosteriorDraws(values, flags, random.standard_normal(chains_of), np.full(chains_of, 7))


SITES = ("mu", "tau", "share", "sigma", "coef")


def test_diagnose_names_the_worst():
    good = diagnose(made_up(), SITES)
    assert good.rhat < 1.01
    assert good.ess > 1000
    assert (good.divergences, good.iterations, good.chains) == (0, 2000, 4)
    assert (good.refused, good.doubts) == (None, None)
    bad = diagnose(made_up(shift=2), SITES)
    assert bad.where == (f"mu[{CMAX}]", f"mu[{CMAX}]")
    assert f"R-hat {bad.rhat:.2f} (mu[2]), above 1.05" in bad.refused
    assert "effective draws (mu[2]), below 100" in bad.refused
    assert bad.doubts is None


def test_divergences_are_doubted_then_refused():
    assert diagnose(made_up(diverging=20), SITES).refused is None
    assert diagnose(made_up(diverging=20), SITES).doubts == "sampling: 20 of 2000 iterations diverged"
    assert diagnose(made_up(diverging=21), SITES).refused == (
        "sampling did not converge: 21 of 2000 iterations diverged")  # fmt: skip


def test_energy_is_the_fraction_of_missing_information():
    """Steps of 1 between 0 and 1: mean square 1, variance 1/4; a slow chain has little."""
    draws = made_up(chains_of=(2, 500))
    swings = np.tile([0.0, 1.0], (2, 250))
    assert diagnose(replace(draws, energy=swings), SITES).energy == pytest.approx(4)
    swings[1] = np.linspace(0, 1, 500)
    slow = diagnose(replace(draws, energy=swings), SITES)
    assert slow.energy == pytest.approx((1 / 499) ** 2 / np.linspace(0, 1, 500).var())
    assert "fraction of missing information 0.00, below 0.3" in slow.doubts


def test_chains_that_do_not_move_are_refused():
    """Of constant chains neither R-hat nor effective draws exist; one stuck chain of four mixes with none."""
    with np.errstate(invalid="ignore"):
        stuck = diagnose(made_up(sigma=np.full((4, 500), 0.56)), SITES)
    assert stuck.where == ("sigma", "sigma")
    assert stuck.refused == (
        "sampling did not converge: R-hat nan (sigma), above 1.05; nan effective draws (sigma), below 100")  # fmt: skip
    one = chains(1, 0)
    one[0] = 0.3
    assert rhat(one) > 1.1


# The fit


def test_refusals_say_why():
    profiles, _ = cohort(PATIENTS)
    nothing = [replace(p, value=np.full(len(p.day), 10.0), below=np.ones(len(p.day), dtype=bool)) for p in profiles]
    assert fit(profiles[:4], {}, 1) == "4 infusions with a count above the limit, fewer than 5"
    assert fit(nothing, {}, 1) == "0 infusions with a count above the limit, fewer than 5"
    assert fit(profiles[:4] + nothing[4:], {}, 1) == "4 infusions with a count above the limit, fewer than 5"
    assert fit([], {}, 1) == "0 infusions with a count above the limit, fewer than 5"
    assert fit(profiles[:1] * (MOST + 1), {}, 1) == "5001 infusions, more than 5000: not run"


def test_fit_of_a_small_cohort_holds_the_planted_values(small):
    """Within four posterior standard deviations: the numbers of a correct model leave them once in 10,000 times."""
    _, _, found, _ = small
    draws = found.draws
    assert {s: draws.values[s].shape for s in draws.values if s != "w"} == {
        "mu": (2, 150, 6), "tau": (2, 150, 6), "share": (2, 150, 6), "sigma": (2, 150), "coef": (2, 150, 1, 4),
        "theta": (2, 150, 6, 20)}  # fmt: skip
    assert all(np.isfinite(v).all() for v in draws.values.values())
    assert found.sites == SITES
    assert (found.diagnostics.iterations, found.diagnostics.chains) == (300, 2)
    for site, own in (
        ("mu", STEIN.mu),
        ("sigma", np.log(STEIN.sigma)),
        ("coef", STEIN.coef),
        ("tau", np.log(STEIN.tau)),
    ):
        value = np.log(draws.flat(site)) if site in ("sigma", "tau") else draws.flat(site)
        assert (np.abs(value.mean(axis=0) - own) < 4 * value.std(axis=0)).all(), site
    prior = np.array([p.spread for p in PARAMETERS])
    assert (draws.flat("mu").std(axis=0)[[TMAX, CMAX]] < 0.6 * prior[[TMAX, CMAX]]).all()


def test_progress_is_told(small):
    told = small[3]
    assert told[-1] == (EFFORT.iterations, EFFORT.iterations) == (600, 600)
    assert [done for done, _ in told] == list(range(25, 601, 25))


def test_the_same_seed_gives_the_same_draws(small):
    profiles, factors, found, _ = small
    again = fit(profiles, factors, 3, effort=EFFORT)
    for site, value in found.draws.values.items():
        assert np.array_equal(again.draws.values[site], value), site
    assert np.array_equal(again.draws.energy, found.draws.energy)
    assert again.diagnostics == found.diagnostics


def test_chains_differ(small):
    mu = small[2].draws.values["mu"]
    assert not np.isclose(mu[0], mu[1]).any()


# What a fit says


def test_a_cohort_of_the_model_lies_within_its_bands_and_another_does_not(small):
    found = small[2]
    truth = simulate.Truth(**{s: np.median(found.draws.flat(s), axis=0) for s in SITES})

    def inside(truth):
        made = [*checks(replace(found, layout=layout(*cohort(PATIENTS, truth, 8))), np.random.default_rng(1))]
        assert [c.infusion for c in made] == [1, 2]
        assert all(c.counts.sum() == PATIENTS * len(DAYS) and c.limit == pytest.approx(10) for c in made)
        held = [(c.low <= c.observed) & (c.observed <= c.high) for c in made]
        there = [~np.isnan(c.observed) & ~np.isnan(c.low) for c in made]
        shares = np.concatenate([(c.below_low <= c.below) & (c.below <= c.below_high) for c in made])
        return np.concatenate([h[t] for h, t in zip(held, there, strict=True)]).mean(), shares.mean()

    assert min(inside(truth)) > 0.8
    lower = truth.mu - 3 * np.eye(6)[CMAX]  # peaks a twentieth
    assert max(inside(replace(truth, mu=lower))) < 0.8


def test_curves_of_infusions_run_through_their_counts(small):
    found = small[2]
    curves = fitted(found)
    assert len(curves) == 2 * PATIENTS
    assert all((c.low <= c.median).all() and (c.median <= c.high).all() for c in curves)
    day, value, there = found.layout.above
    off = np.concatenate([(v - np.interp(d, GRID, np.log(c.median)))[t > 0]
                          for c, d, v, t in zip(curves, day, value, there, strict=True)])  # fmt: skip
    assert off.std() < 1.3 * np.median(found.draws.flat("sigma"))


def test_shrinkage_is_near_1_without_information_and_near_0_with():
    random = np.random.default_rng(2)
    shape = (4, 500)
    n = 2 * PATIENTS
    draws = made_up(chains_of=shape)
    truth = STEIN.tau[:, None] * stats.norm.ppf((np.arange(n) + 0.5) / n)[random.permutation(n)]
    theta = draws.values["mu"][..., None] + truth
    nothing = draws.values["tau"][:, :, 0, None] * random.standard_normal((*shape, n))
    theta[:, :, 0] = draws.values["mu"][:, :, 0, None] + nothing
    arranged = layout(*cohort(PATIENTS))
    acted = np.einsum("nq,cdqa->cdan", arranged.X, draws.values["coef"])
    theta[:, :, list(ACTED_ON)] += acted
    fits = PopulationFit(arranged, replace(draws, values={**draws.values, "theta": theta}), diagnose(draws, SITES))
    shrunk = shrinkage(fits)
    assert shrunk[FOLD] > 0.95
    assert shrunk[1:] == pytest.approx(np.zeros(5), abs=0.06)


# The records


DIAGNOSTICS = {"rhat", "effective_draws", "divergences", "iterations", "chains", "energy"}


def recorded(draws):
    return records(PopulationFit(layout(*cohort(PATIENTS)), draws, diagnose(draws, SITES)), 0.9)


def test_records_of_a_fit():
    draws = made_up()
    made = recorded(draws)
    assert all((r.n, r.events) == (PATIENTS, 2 * PATIENTS) and r.method for r in made)
    at = {(r.endpoint, r.statistic, r.term): r for r in made}
    assert len(at) == len(made)
    peak = at["cmax", "typical", None]
    low, middle, high = np.exp(np.quantile(draws.flat("mu")[:, CMAX], (0.05, 0.5, 0.95)))
    assert (peak.lower, peak.estimate, peak.upper) == pytest.approx((low, middle, high))
    assert (peak.unit, peak.method, peak.note) == (UNIT, METHOD, None)
    share = at["fb", "typical", None]
    assert share.estimate == pytest.approx(0.0079, rel=0.02)
    ratio = at["cmax", "ratio", "yes"]
    assert ratio.estimate == pytest.approx(np.exp(0.7), rel=0.02)
    assert at["fb", "ratio", "yes"].note == "odds ratio of the persisting fraction"
    assert at["counts", "residual_sd", None].estimate == pytest.approx(0.56, rel=0.02)
    assert at["counts", "rhat", None].estimate == diagnose(draws, SITES).rhat
    assert {r.endpoint for r in made if r.statistic == "ratio"} == {"tmax", "cmax", "alpha", "fb"}
    assert {r.endpoint for r in made if r.statistic == "shrinkage"} == set(NAMES)
    assert sum(r.statistic == "between_infusion_share" for r in made) == 6


def test_priors_stand_beside():
    """Log-normal, 90 %: exp(1.645 sd) either side of the median; 20,000 draws."""
    at = {(r.endpoint, r.statistic): r for r in recorded(made_up()) if r.method == PRIOR}
    peak = at["cmax", "prior_typical"]
    assert np.log([peak.lower, peak.estimate, peak.upper]) == pytest.approx(
        np.log(24000) + 1.5 * 1.645 * np.array([-1, 0, 1]), abs=0.08)  # fmt: skip
    spread = at["tmax", "prior_total_sd"]
    assert np.log([spread.lower, spread.upper]) == pytest.approx(
        np.log(0.40) + 0.25 * 1.645 * np.array([-1, 1]), abs=0.02)  # fmt: skip
    share = at["beta", "prior_between_infusion_share"]
    assert [share.lower, share.upper] == pytest.approx(stats.beta(2, 2).ppf([0.05, 0.95]), abs=0.01)


def test_bad_chains_give_no_number_but_the_diagnostics():
    made = recorded(made_up(shift=2))
    own = [r for r in made if r.method == METHOD and r.statistic not in DIAGNOSTICS]
    assert len(own) == 6 * 3 + 1 + 4
    assert all(r.estimate is r.lower is r.upper is None for r in own)
    assert all(r.note.startswith("not estimable: sampling did not converge: R-hat") for r in own)
    told = [r for r in made if r.statistic in DIAGNOSTICS]
    assert {r.statistic for r in told} == DIAGNOSTICS
    assert all(r.estimate is not None and "did not converge" in r.note for r in told)
    assert {r.method for r in made} == {METHOD, PRIOR}
    assert not [r for r in made if r.statistic == "shrinkage"]


def test_doubts_stand_in_every_note():
    made = recorded(made_up(diverging=5))
    own = [r for r in made if r.method == METHOD and r.statistic != "shrinkage"]
    assert all("5 of 2000 iterations diverged" in r.note for r in own)
    assert all(r.estimate is not None for r in own)


def test_a_cohort_that_was_not_fitted_gives_one_record():
    (only,) = records("4 infusions with a count above the limit, fewer than 5", 0.9)
    assert only.note == "not estimable: 4 infusions with a count above the limit, fewer than 5"
    assert only.estimate is None
