"""Calibration: a posterior known by hand, targets' likelihoods by hand, and one small calibration from start to end."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit
from scipy.stats import binom, norm

from reinfuse.simulation.calibration import posterior_checks
from reinfuse.simulation.calibration.abc_smc import sample
from reinfuse.simulation.calibration.emulator import fit
from reinfuse.simulation.calibration.posterior import likelihood
from reinfuse.simulation.calibration.reference_study import simulate
from reinfuse.simulation.calibration.targets import CALIBRATED, HELD_OUT, TARGETS, Target
from reinfuse.simulation.model.parameters import MECHANISMS
from reinfuse.simulation.population.ensemble import Ensemble, bundled, read
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import PRIOR

RHO = UNKNOWNS.index("rho")


def of_rho(points):
    """A likelihood known by hand: rho seen with an error of half its spread, one prior spread above."""
    return norm.logpdf(points[:, RHO], 1.0, 0.5)


def drawn(particles, moves, seed):
    return sample(of_rho, particles=particles, unknowns=len(UNKNOWNS), moves=moves, seed=seed)


def test_sampling_draws_from_a_posterior_known_by_hand():
    posterior = drawn(600, 4, 1)
    assert posterior.z[:, RHO].mean() == pytest.approx(0.8, abs=0.08)  # precision 1 + 4, mean 4/5
    assert posterior.z[:, RHO].std() == pytest.approx(np.sqrt(0.2), abs=0.06)
    others = np.delete(posterior.z, RHO, axis=1)
    assert np.abs(others.mean(axis=0)).max() < 0.25
    assert np.abs(others.std(axis=0) - 1).max() < 0.2
    assert posterior.stages[-1].power == 1


def test_sampling_is_the_same_from_the_same_seed():
    one, again, other = (drawn(40, 1, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.z, again.z)
    assert not np.array_equal(one.z, other.z)


def test_surfaces_find_a_quadratic_and_its_noise():
    random = np.random.default_rng(2)
    z = random.standard_normal((900, 30))
    truth = 1 + z[:, 0] - 0.5 * z[:, 1] ** 2 + 0.7 * z[:, 2] * z[:, 3]
    values = np.column_stack([truth + 0.1 * random.standard_normal(900), np.full(900, np.nan)])
    emulator, new = fit(z, values), random.standard_normal((200, 30))
    expected = 1 + new[:, 0] - 0.5 * new[:, 1] ** 2 + 0.7 * new[:, 2] * new[:, 3]
    assert np.std(emulator(new)[:, 0] - expected) < 0.07
    assert emulator.error[0] == pytest.approx(0.11, abs=0.02)
    assert emulator.error[1] == np.inf


def test_a_surface_through_points_that_lie_around_a_posterior_has_its_constant():
    """A linear result is met also where the points' mean is not 0, as in later rounds."""
    z = np.random.default_rng(4).standard_normal((300, 12)) + 0.5
    emulator = fit(z, 2.0 * z[:, :1] + 1.0)
    assert emulator(np.zeros((1, 12)))[0, 0] == pytest.approx(1.0, abs=0.03)
    assert emulator.error[0] < 0.03


def test_likelihood_by_surfaces_is_that_of_the_targets():
    target = target_of("log", 10.0, 20, 0.6)
    surface = fit(np.zeros((50, len(UNKNOWNS))) + np.eye(50, len(UNKNOWNS)), np.full((50, 1), np.log(20.0)))
    points = np.zeros((2, len(UNKNOWNS) + 1))
    points[1, -1] = 1.0
    assert surface.error[0] == pytest.approx(0.0, abs=1e-9)
    assert likelihood(surface, [target])(points) == pytest.approx(
        [float(target.log_likelihood(np.log(20.0), d)) for d in (0.25, 0.25 * np.exp(0.5))]
    )


def target_of(kind, value=0.5, n=16, error=0.0):
    return Target("of a test", "calibrated", None, "CART1, Cy-Flu", "response", None, kind, value, n, error, "nobody")


def test_likelihood_of_a_proportion_is_binomial_without_discrepancy():
    target = target_of("proportion", 4 / 16)
    assert target.log_likelihood(logit(0.4), 1e-9) == pytest.approx(binom.logpmf(4, 16, 0.4))


def test_discrepancy_is_averaged_over():
    target, nodes = target_of("proportion", 4 / 16), np.linspace(-8, 8, 4001)
    density = binom.pmf(4, 16, expit(logit(0.4) + 0.5 * nodes)) * norm.pdf(nodes)
    assert target.log_likelihood(logit(0.4), 0.5) == pytest.approx(np.log(np.trapezoid(density, nodes)), abs=1e-6)


def test_likelihood_of_a_positive_number_by_hand():
    target = target_of("log", 10.0, 20, 0.6)
    assert target.log_likelihood(np.log(20.0), 0.8) == pytest.approx(norm.logpdf(np.log(2), 0, 1.0))


def test_likelihood_of_an_association_is_the_studys_power():
    target = target_of("association", 0.0, 44, 0.5)
    assert target.log_likelihood(0.98, 0.0) == pytest.approx(np.log(0.5))
    assert target.log_likelihood(0.0, 0.0) == pytest.approx(np.log(0.025) + np.log(0.5), rel=1e-3)  # on neither side


def test_what_cannot_be_simulated_is_unlikely_not_an_error():
    assert target_of("proportion").log_likelihood(float("nan")) == -50


def test_the_studys_cll_outcomes_are_held_out():
    held = {t.name for t in HELD_OUT}
    assert {"CLL, CART2: median PFS", "CLL, CART2: median OS"} <= held
    assert not any("CLL, CART2" in t.name for t in CALIBRATED)
    assert len({t.name for t in TARGETS}) == len(TARGETS) == len(CALIBRATED) + len(HELD_OUT)


def test_members_are_at_the_priors_median_where_z_is_0():
    at = members(np.zeros((2, len(UNKNOWNS))))
    assert np.array_equal(at.median[1], PRIOR.median)
    assert np.array_equal(at.cv[0], PRIOR.cv)


def test_an_ensemble_is_read_back_as_written():
    z = np.round(np.random.default_rng(1).standard_normal((3, len(UNKNOWNS))), 4)
    ensemble = Ensemble(z, np.array([-4.0, -3.5, -3.25]))
    again = read(ensemble.frame())
    assert np.array_equal(again.z, z)
    assert np.array_equal(again.intercept, ensemble.intercept)


def test_every_target_can_be_simulated_and_compared():
    ensemble = Ensemble(np.zeros((2, len(UNKNOWNS))), np.zeros(2))
    table = posterior_checks.targets(ensemble, 1, 640)
    assert table["target"].to_list() == [t.name for t in TARGETS]
    assert table["simulated"].is_finite().all()
    study = simulate(PRIOR, 1, 640)
    first = TARGETS[0]
    assert table["simulated"][0] == pytest.approx(first.simulated(study))


def test_an_unknown_that_did_not_move_is_not_informed():
    random = np.random.default_rng(3)
    z = random.standard_normal((400, len(UNKNOWNS)))
    z[:, 0] = 1 + 0.3 * z[:, 0]
    table = posterior_checks.unknowns(Ensemble(z, np.zeros(400)))
    assert table["informed"].to_list() == [True] + [False] * (len(UNKNOWNS) - 1)


def test_the_bundled_tables_are_those_of_the_bundled_ensemble():
    ensemble, table = bundled(), posterior_checks.bundled_targets()
    assert table["target"].to_list() == [t.name for t in TARGETS]
    some = posterior_checks.targets(Ensemble(ensemble.z[::12], ensemble.intercept[::12]), 5, 640)
    wide = (table["high"] - table["low"]).to_numpy() + 1e-9
    off = np.abs(some["simulated"].to_numpy() - table["simulated"].to_numpy()) / wide
    assert np.mean(off < 0.5) > 0.9
    assert {e.group for e in posterior_checks.bundled_ablation()} == {
        "all mechanisms",
        *(f"without {m}" for m in MECHANISMS),
    }


def test_published_directions_are_met_by_as_many_populations_as_the_documentation_says():
    table = posterior_checks.bundled_targets().filter(pl.col("kind") == "association")
    share = dict(zip(table["target"], table["share_above"], strict=True))
    flu = [share.pop(f"CART2: Cy-Flu before CART1 goes with {what}") for what in ("response", "longer PFS")]
    assert len(share) == 3
    assert min(share.values()) > 0.95
    docs = (Path(__file__).parents[2] / "docs" / "virtual.md").read_text(encoding="utf-8").replace("\n", " ")
    assert "in {:.0f} % (response) and {:.0f} % (PFS) of populations".format(*(100 * s for s in flu)) in docs


def test_readme_tells_how_many_published_results_are_met():
    table, root = posterior_checks.bundled_targets(), Path(__file__).parents[2]
    assert f"{table['met'].sum()} of {table.height}" in (root / "README.md").read_text(encoding="utf-8")
    docs = (root / "docs" / "virtual.md").read_text(encoding="utf-8").replace("\n", " ")
    assert posterior_checks.agreement(table) in docs


def test_readme_tells_how_many_are_met_by_the_studies_sampling_errors_alone():
    simulated = dict(posterior_checks.bundled_targets().select("target", "simulated").iter_rows())
    counts = {}
    for target in (t for t in TARGETS if t.kind != "association"):
        value = target.inner_share if target.kind == "proportion" else target.value
        away = target.on_scale(np.float64(simulated[target.name])) - target.on_scale(np.float64(value))
        counts.setdefault(target.role, []).append(bool(abs(away) <= 1.96 * target.spread))
    table = posterior_checks.bundled_targets()
    assert table["within_sampling_error"].drop_nulls().to_list() == [w for r in counts.values() for w in r]
    every = [met for some in counts.values() for met in some]
    told = f"{sum(every)} of {len(every)} (held out: {sum(counts['held out'])} of {len(counts['held out'])})"
    root = Path(__file__).parents[2]
    assert told in " ".join((root / "README.md").read_text(encoding="utf-8").split())
    docs = " ".join((root / "docs" / "virtual.md").read_text(encoding="utf-8").split())
    assert told.replace("of 48", "of the 48") in docs


def test_both_counts_of_what_is_met_by_hand():
    """Of three results one is met by the median, one value lies in the range, and an association, met, has no value."""
    table = pl.DataFrame({"role": ["calibrated", "calibrated", "held out"], "within_error": [True, True, False],
                          "within_sampling_error": [True, None, False], "in_range": [False, None, True],
                          "met": [False, True, False]})  # fmt: skip
    sentence = posterior_checks.agreement(table)
    assert "meets 1 of 3 published results (held out: 0 of 1)" in sentence
    assert "range (1 of the 2 that have a size; held out: 1 of 1)" in sentence
    assert "together (2 of 3; held out: 0 of 1)" in sentence
    assert "in 1 of the 2 (held out: 0 of 1)" in sentence


def test_met_is_both_in_the_bundled_table():
    table = posterior_checks.bundled_targets()
    both = table["within_error"] & table["in_range"].fill_null(True)
    assert table["met"].to_list() == both.to_list()
    assert not (table["within_sampling_error"] & ~table["within_error"]).any()


def test_the_range_holds_what_lies_between_its_limits():
    table = posterior_checks.bundled_targets().filter(pl.col("kind") != "association")
    low, high, rounding = table["predictive_low"] - 1e-4, table["predictive_high"] + 1e-4, 1e-4
    inside = (low <= table["published"]) & (table["published"] <= high)
    assert table["in_range"].to_list() == inside.to_list()
    assert (
        (table["high"] - table["low"]) <= table["predictive_high"] - table["predictive_low"] + rounding
    ).mean() > 0.9
    assert posterior_checks.bundled_targets().filter(pl.col("kind") == "association")["in_range"].null_count() == 5
