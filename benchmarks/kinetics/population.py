"""The population model beside the same model in PyMC: the answers first, then seconds and effective draws.

44 patients with two infusions of 12 counts, simulated from Stein's values, one yes/no factor and one number. Priors,
likelihood and data are the same (the likelihoods of the counts are compared first, at points drawn at random); PyMC has
NUTS and the usual non-centred parametrisation, and as much warm-up and as small steps as it needs (with 300 iterations
and 0.85 it diverged 88 times, at an R-hat of 1.04); both are held to the program's own bounds before they are compared.
PyMC's chains run in two processes, reinfuse's in two threads. Each runs in a process of its own with nothing compiled
before; reinfuse is run a second time, compiled, so that compiling can be told from sampling.

Needs pymc. Run alone: python benchmarks/kinetics/population.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
from calibration import DAYS, UNIT
from large import add, cohort, processor_seconds

from reinfuse.kinetics.population.diagnostics import MOST_DIVERGENT, WORST_ESS, WORST_RHAT, ess, rhat
from reinfuse.kinetics.population.fit import PopulationFit, fit
from reinfuse.kinetics.population.layout import Layout, layout
from reinfuse.kinetics.population.parameters import (
    ACTED_ON,
    BETWEEN_SPREAD,
    MOST_FB,
    NAMES,
    PARAMETERS,
    RESIDUAL,
    RESIDUAL_SPREAD,
    SHARE,
    centres,
)
from reinfuse.kinetics.population.sampler import Effort

PATIENTS, SEED = 44, 20261123
EFFORT = Effort(chains=4, warmup=500, draws=1000)
THEIRS = Effort(chains=4, warmup=1000, draws=1000)
TARGET = 0.95
POINTS, ALIKE = 20, 1e-8
SITES = ("mu", "tau", "share", "sigma", "coef")
QUANTILES = (0.05, 0.5, 0.95)
FARTHEST = 4.5
"""Monte Carlo standard errors; of 81 differences the greatest of a normal sample is beyond it once in 1,800 times."""


def data() -> tuple[list[object], dict[str, np.ndarray]]:
    return cohort(PATIENTS, 2, DAYS, SEED)


def ours(folder: Path) -> dict[str, object]:
    """Fit twice; return seconds."""
    profiles, factors = data()
    seconds = []
    for seed in (1, 2):
        began = time.perf_counter()
        found = fit(profiles, factors, seed, effort=EFFORT)
        seconds.append(time.perf_counter() - began)
        assert isinstance(found, PopulationFit)
        if seed == 1:
            first, used = found, processor_seconds()
    np.savez(folder / "reinfuse.npz", **{s: first.draws.values[s] for s in SITES})
    return {"seconds": {"compile": seconds[0] - seconds[1], "sample": seconds[1], "all": seconds[0]},
            "processor_seconds": used, "divergences": first.diagnostics.divergences,
            "steps_an_iteration": float(first.draws.steps.mean())}  # fmt: skip


def theirs(folder: Path) -> dict[str, object]:
    """Sample with PyMC; return seconds."""
    import pymc as pm

    made = layout(*data())
    built = pymc_model(made)
    apart = likelihoods_apart(built, made)
    assert apart < ALIKE
    began = time.perf_counter()
    with built, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pm.sample(draws=THEIRS.draws, tune=THEIRS.warmup, chains=THEIRS.chains, cores=2, target_accept=TARGET,
                          random_seed=SEED, progressbar=False, compute_convergence_checks=False)  # fmt: skip
    seconds = time.perf_counter() - began
    np.savez(folder / "PyMC.npz", **{s: found.posterior[s].to_numpy() for s in SITES})
    sampling = float(found.sample_stats.attrs["sampling_time"])
    return {"seconds": {"compile": seconds - sampling, "sample": sampling, "all": seconds},
            "processor_seconds": processor_seconds(), "divergences": int(found.sample_stats["diverging"].sum()),
            "steps_an_iteration": float(found.sample_stats["n_steps"].mean()),
            "at_the_most_steps": float(found.sample_stats["reached_max_treedepth"].mean()),
            "likelihoods_apart": apart}  # fmt: skip


def pymc_model(made: Layout):
    """Return the model in PyMC."""
    import pymc as pm
    import pytensor.tensor as pt

    K, n = len(PARAMETERS), len(made.profiles)
    patient = np.concatenate([np.arange(b) for b in made.blocks])
    spread, between = (np.array([getattr(p, name) for p in PARAMETERS]) for name in ("spread", "between"))
    with pm.Model() as built:
        mu = pm.Normal("mu", centres(made.unit), spread, shape=K)
        tau = pm.LogNormal("tau", np.log(between), BETWEEN_SPREAD, shape=K)
        share = pm.Beta("share", *SHARE, shape=K)
        sigma = pm.LogNormal("sigma", np.log(RESIDUAL), RESIDUAL_SPREAD)
        coef = pm.Normal("coef", 0, np.array([PARAMETERS[k].effect for k in ACTED_ON]), shape=(2, len(ACTED_ON)))
        u = pm.Normal("u", shape=(K, made.patients))
        v = pm.Normal("v", shape=(K, n))
        theta = (mu[:, None] + (tau * pt.sqrt(1 - share))[:, None] * u[:, patient]
                 + (tau * pt.sqrt(share))[:, None] * v)  # fmt: skip
        theta = pt.inc_subtensor(theta[list(ACTED_ON)], pt.dot(made.X, coef).T)
        row, day, value = _long(made.above)
        pm.Normal("seen", log_count(theta, row, day), sigma, observed=value)
        row, day, value = _long(made.below)
        pm.Potential("below", pm.logcdf(pm.Normal.dist(log_count(theta, row, day), sigma), value).sum())
    return built


def likelihoods_apart(built, made: Layout) -> float:
    """Return the greatest difference of the log likelihoods of all counts, at points around where PyMC starts."""
    import jax
    import pymc as pm

    from reinfuse.kinetics.population.curve import log_likelihood
    from reinfuse.kinetics.population.reparameterization import typical_of

    random, patient = np.random.default_rng(SEED), np.concatenate([np.arange(b) for b in made.blocks])
    sites = built.replace_rvs_by_values([built[s] for s in (*SITES, "u", "v")])
    value = pm.pytensorf.compile(built.value_vars, [*sites, built.logp(vars=[built["seen"], *built.potentials])])
    apart = []
    for _ in range(POINTS):
        at = {k: v + 0.3 * random.normal(size=v.shape) for k, v in built.initial_point().items()}
        mu, tau, share, sigma, coef, u, v, theirs = value(*(at[x.name] for x in built.value_vars))
        with jax.enable_x64(True):
            theta = (np.asarray(typical_of(mu, coef, made.X)) + (tau * np.sqrt(1 - share))[:, None] * u[:, patient]
                     + (tau * np.sqrt(share))[:, None] * v)  # fmt: skip
            ours = float(log_likelihood(theta, sigma, made.above, made.below).sum())
        apart.append(abs(ours / float(theirs) - 1))
    return max(apart)


def _long(padded: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    day, value, there = padded
    return np.nonzero(there)[0], day[there > 0], value[there > 0]


def log_count(theta, row: np.ndarray, day: np.ndarray):
    """Return log counts; see `reinfuse.kinetics.population.curve`."""
    import pytensor.tensor as pt

    from reinfuse.kinetics.population.curve import ROUNDED

    loglog, tmax, cmax, alpha, logit, beta = (theta[k][row] for k in range(len(PARAMETERS)))
    since = day - pt.exp(tmax)
    rising = cmax + pt.exp(loglog - tmax) * since
    slow = np.log(MOST_FB) - pt.softplus(-logit)
    fast = pt.log1mexp(slow) - pt.exp(alpha) * since
    falling = cmax + pt.logaddexp(fast, slow - pt.exp(beta) * since)
    near = pt.maximum(ROUNDED - pt.abs(rising - falling), 0)
    return pt.minimum(rising, falling) - near**2 / (4 * ROUNDED)


def named(drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the draws of each population parameter, shape (chains, draws)."""
    labels = {"mu": NAMES, "tau": NAMES, "share": NAMES, "sigma": ("",),
              "coef": [f"{f} on {NAMES[k]}" for f in ("yes", "number") for k in ACTED_ON]}  # fmt: skip
    return {f"{s} {label}".strip(): drawn[s].reshape(*drawn[s].shape[:2], -1)[:, :, j]
            for s in SITES for j, label in enumerate(labels[s])}  # fmt: skip


def compared(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, object]:
    """Return medians and 90 % limits of both, and how far they differ in Monte Carlo standard errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

    away, told = [], {}
    for name, draws in one.items():
        values = [np.quantile(d, QUANTILES) for d in (draws, other[name])]
        errors = [[arviz.mcse(d, method="quantile", prob=q) for q in QUANTILES] for d in (draws, other[name])]
        differ = (values[0] - values[1]) / np.hypot(*np.array(errors))
        away.extend(differ)
        told[name] = {"reinfuse": [round(float(v), 4) for v in values[0]],
                      "PyMC": [round(float(v), 4) for v in values[1]],
                      "standard errors apart": [round(float(v), 2) for v in differ]}  # fmt: skip
    away = np.abs(away)
    return {"numbers": away.size, "greatest": float(away.max()), "beyond_2": int((away > 2).sum()),
            "root_mean_square": float(np.sqrt((away**2).mean())), "parameters": told}  # fmt: skip


def judged(told: dict[str, object], drawn: dict[str, np.ndarray]) -> dict[str, object]:
    """Add R-hat and effective draws, by the same code for both."""
    sizes = {name: ess(d) for name, d in drawn.items()}
    least = min(sizes, key=sizes.get)
    seconds = told["seconds"]
    return told | {"rhat": max(rhat(d) for d in drawn.values()), "effective_draws": sizes[least], "where": least,
                   "effective_draws_a_second": {"sampling": sizes[least] / seconds["sample"],
                                                "with compiling": sizes[least] / seconds["all"]}}  # fmt: skip


def main() -> None:
    programs = ("reinfuse", "PyMC")
    told, drawn = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name in programs:
            own = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={folder}/compiled", "OMP_NUM_THREADS": "1"}
            done = subprocess.run([sys.executable, __file__, name, folder], env=own, check=True, stdout=subprocess.PIPE)
            drawn[name] = named(dict(np.load(Path(folder) / f"{name}.npz")))
            told[name] = judged(json.loads(done.stdout.splitlines()[-1]), drawn[name])
    for name in programs:
        assert told[name]["rhat"] < WORST_RHAT, name
        assert told[name]["effective_draws"] > WORST_ESS, name
        assert told[name]["divergences"] <= MOST_DIVERGENT * THEIRS.chains * THEIRS.draws, name
    agreement = compared(*drawn.values())
    print(json.dumps({k: v for k, v in agreement.items() if k != "parameters"} | told, indent=1))
    assert agreement["greatest"] < FARTHEST
    first, second = (told[name] for name in programs)
    rates = {k: first["effective_draws_a_second"][k] / second["effective_draws_a_second"][k]
             for k in ("sampling", "with compiling")}  # fmt: skip
    add("beside PyMC", {
        "patients": PATIENTS, "infusions": 2 * PATIENTS, "counts_each": len(DAYS), "unit": UNIT,
        "effort": {"reinfuse": asdict(EFFORT), "PyMC": asdict(THEIRS)}, "target_accept_of_pymc": TARGET, **told,
        "ratios": {"effective_draws_a_second": rates,
                   "seconds": {k: second["seconds"][k] / first["seconds"][k] for k in ("compile", "sample", "all")}},
        "agreement": agreement,
        "versions": {p: version(p) for p in ("jax", "numpyro", "pymc", "pytensor", "arviz", "numpy")},
    })  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] in (["reinfuse"], ["PyMC"]):
        print(json.dumps((ours if sys.argv[1] == "reinfuse" else theirs)(Path(sys.argv[2]))))
    else:
        main()
