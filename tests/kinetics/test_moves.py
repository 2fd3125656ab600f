"""The sampler's moves: each leaves a known distribution as it is, alone in its coordinates and out of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("jax", reason="needs the extra kinetics", exc_type=ImportError)
pytest.importorskip("numpyro", reason="needs the extra kinetics", exc_type=ImportError)

import jax
import jax.numpy as jnp
from numpyro.infer.util import log_density

from reinfuse.kinetics.population.individual_updates import MOST_STEP, WANTED, adapted, glide, leap, pace
from reinfuse.kinetics.population.parameters import ACTED_ON, PARAMETERS, centres
from reinfuse.kinetics.population.posterior import given_infusions
from reinfuse.kinetics.population.reparameterization import CountArrays, K, Modes, back, expected, place, refitted
from reinfuse.kinetics.population.two_stage_fit import first_fit

UNIT = "copies/ug"
BLOCKS = (1500, 700)
N = sum(BLOCKS)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def skew(w):
    """Log density of each patient: all coordinates Gumbel, those of a second infusion around the mean of the first."""
    first, second = w[:, : BLOCKS[0]], w[:, BLOCKS[0] :]
    second = second - 0.5 * first[:, : BLOCKS[1]]
    return (-first - jnp.exp(-first)).sum(axis=0) + jnp.zeros(BLOCKS[0]).at[: BLOCKS[1]].add(
        (-second - jnp.exp(-second)).sum(axis=0))  # fmt: skip


def drawn(random):
    w = random.gumbel(size=(K, N))
    w[:, BLOCKS[0] :] += 0.5 * w[:, : BLOCKS[1]]
    return w


def agree(w, start):
    """The moved draws have the distribution, the second infusion's given the first, and are no longer the old ones."""
    w = np.array(w)
    moved = (w != start).mean()
    w[:, BLOCKS[0] :] -= 0.5 * w[:, : BLOCKS[1]]
    assert min(stats.kstest(row, "gumbel_r").pvalue for row in w) > 1e-3
    assert abs(np.corrcoef(w)[np.triu_indices(K, 1)]).max() < 4 / np.sqrt(N)
    assert abs(np.corrcoef(w[:, : BLOCKS[1]].ravel(), w[:, BLOCKS[0] :].ravel())[0, 1]) < 4 / np.sqrt(K * BLOCKS[1])
    return moved


def test_gliding_leaves_a_distribution_as_it_is():
    start = drawn(np.random.default_rng(1))
    w, now, taken = jnp.asarray(start), pace(BLOCKS[0]), []
    move = jax.jit(lambda key, w, now: glide(key, skew, w, now=now, blocks=BLOCKS))
    for key in jax.random.split(jax.random.PRNGKey(1), 30):
        w, accepted = move(key, w, now)
        now = adapted(now, accepted)
        taken.append(float(accepted.mean()))
    assert agree(w, start) > 0.99
    assert np.mean(taken[10:]) == pytest.approx(WANTED, abs=0.1)
    assert float(jnp.exp(now.log_step).max()) <= MOST_STEP


def test_leaping_leaves_a_distribution_as_it_is():
    """Two modes beside the truth, one wide; theta = 2 w + 1."""
    random = np.random.default_rng(2)
    start = drawn(random)
    scale = np.array([3.0, 6.0])
    eye = np.eye(K)[None, :, :, None]
    modes = Modes(1 + 2 * random.gumbel(size=(2, K, N)), eye * scale[:, None, None, None] * np.ones(N),
                  eye / scale[:, None, None, None] * np.ones(N), np.tile(-K * np.log(scale)[:, None], N),
                  np.log(np.tile([[0.3], [0.7]], N)))  # fmt: skip
    maps = (lambda w: 2 * w + 1), (lambda theta: (theta - 1) / 2)
    w, modes = jnp.asarray(start), jax.tree.map(jnp.asarray, modes)
    move = jax.jit(lambda key, w, modes: leap(key, skew, w, maps=maps, modes=modes, blocks=BLOCKS))
    for key in jax.random.split(jax.random.PRNGKey(2), 150):
        w = move(key, w, modes)
    assert agree(w, start) > 0.5


def known(random, n=3):
    """Data without counts, and values of the sites."""
    nothing = tuple(np.zeros((n, 4)) for _ in range(3))
    X = random.normal(size=(n, 1))
    data = CountArrays(nothing, nothing, X, centres(UNIT), np.tile(4 * np.eye(K)[:, :, None], n), np.zeros((K, n)))
    values = {"mu": centres(UNIT) + 0.1, "tau": np.linspace(0.3, 0.9, K), "share": np.full(K, 0.4),
              "coef": random.normal(size=(1, len(ACTED_ON)))}  # fmt: skip
    return jax.tree.map(jnp.asarray, data), jax.tree.map(jnp.asarray, values)


def test_coordinates_fitted_to_draws_make_them_standard_normal():
    random = np.random.default_rng(3)
    blocks = (2, 1)
    data, values = known(random)
    root = np.tril(random.normal(size=(K, K))) * 0.02 + 0.1 * np.eye(K)  # counts tell more than the population
    theta = centres(UNIT)[:, None] + 0.5 + np.einsum("ij,djn->din", root, random.standard_normal((4000, K, 3)))
    many = {s: jnp.broadcast_to(v, (4000, *v.shape)) for s, v in values.items()}
    new = refitted(jnp.asarray(theta), many, data, blocks=blocks)
    among = expected(values, data.X)
    w = np.array([back(t, among, new, blocks) for t in theta[:2000]])
    for i in (0, 1):  # that of a second infusion moves with the first
        assert w[:, :, i].mean(axis=0) == pytest.approx(np.zeros(K), abs=0.1)
        assert np.cov(w[:, :, i].T) == pytest.approx(np.eye(K), abs=0.12)
    assert np.asarray(place(w[0], among, new, blocks)[0]) == pytest.approx(theta[0], abs=1e-9)
    assert np.linalg.eigvalsh(np.asarray(new.curvature).transpose(2, 0, 1)).min() > -1e-9


def test_wide_draws_leave_no_curvature():
    """Draws as wide as the population: the counts tell nothing."""
    random = np.random.default_rng(4)
    data, values = known(random)
    among = expected(values, data.X)
    theta = np.asarray(among.typical) + 1.5 * np.asarray(among.tau)[:, None] * random.standard_normal((500, K, 3))
    new = refitted(
        jnp.asarray(theta), {s: jnp.broadcast_to(v, (500, *v.shape)) for s, v in values.items()}, data, blocks=(3,)
    )
    assert np.abs(np.asarray(new.curvature)).max() < 1e-9


def test_the_population_given_the_infusions_is_the_textbook_density():
    """Patients with two, and one, infusions; each patient's deviations together are normal."""
    random = np.random.default_rng(5)
    data, values = known(random)
    theta = np.asarray(expected(values, data.X).typical) + random.normal(size=(K, 3)) * 0.5
    density, _ = log_density(given_infusions, (data, theta), {"blocks": (2, 1)}, values)
    total = stats.norm.logpdf(values["mu"], centres(UNIT), [p.spread for p in PARAMETERS]).sum()
    total += stats.lognorm.logpdf(values["tau"], 0.25, scale=[p.between for p in PARAMETERS]).sum()
    total += stats.beta.logpdf(values["share"], 2, 2).sum()
    total += stats.norm.logpdf(values["coef"], 0, [PARAMETERS[k].effect for k in ACTED_ON]).sum()
    away = theta - np.asarray(values["mu"])[:, None]
    away[list(ACTED_ON)] -= (data.X @ values["coef"]).T
    for k in range(K):
        tau2, share = float(values["tau"][k]) ** 2, float(values["share"][k])
        both = tau2 * np.array([[1, 1 - share], [1 - share, 1]])
        total += stats.multivariate_normal.logpdf(away[k, [0, 2]], np.zeros(2), both)
        total += stats.norm.logpdf(away[k, 1], 0, np.sqrt(tau2))
    assert float(density) == pytest.approx(total, abs=1e-9)


def test_fits_from_several_starts_find_an_early_peak_and_none():
    """Counts on a plateau from day 5 to 60, then gone: a peak between two counts that fell at once, or none."""
    day = np.array([[1.2, 3, 5, 6.9, 8.9, 11.2, 13.9, 18.3, 21.4, 28, 45, 60, 90, 180, 365]])
    value = np.array([[2.3, 2.4, 8.2, 8.2, 7.3, 7.4, 6.6, 6.7, 7.3, 6, 6.7, 7.3, 5.7, 2.3, 2.3]])
    low = np.array([[1.0] + [0] * 12 + [1, 1]])
    day, value, low = (np.repeat(v, 5, axis=0) for v in (day, value, low))
    modes = first_fit((day, value, 1 - low), (day, value, low), np.zeros((5, 0)), centres(UNIT)).modes
    for spread, whiten, volume in zip(*(np.asarray(m)[..., 0] for m in modes[1:4]), strict=True):
        assert spread @ whiten == pytest.approx(np.eye(K), abs=1e-9)
        assert np.linalg.slogdet(whiten)[1] == pytest.approx(volume)
    assert np.exp(np.asarray(modes.log_weight)).sum(axis=0) == pytest.approx(np.ones(5))
    assert np.ptp(np.asarray(modes.place)[:, 3, 0]) > 1  # rates of contraction
