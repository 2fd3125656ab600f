"""The value of information on the uncertain parameters, for the choice of a protocol.

Expected value of perfect information, and of partial perfect information by regression of members' differences on the
unknowns (Strong, Oakley & Brennan, Med Decis Making 2014;34:311-326). In units of the objective: 0.01 is one more
patient of 100 who reaches it when the parameter is known before the protocol is chosen. What is learnt is a group's
median or its variation between patients, not one patient's value. Toxicity takes no part: all protocols compared are
admissible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.simulation.model.parameters import DISEASES
from reinfuse.simulation.population.parameter_space import UNKNOWNS

MEASUREMENTS: Mapping[str, tuple[str, ...]] = {
    "IL-7 and IL-15 before and after lymphodepletion": ("KI", "kap"),
    "Lymphocyte counts: nadir and recovery": ("cCy", "cFlu", "rL"),
    "Anti-CAR T cells and antibodies before and after CART1": (
        "A0",
        "rA",
        "KA",
        "dA",
        "aH",
        "rmax",
        "KR",
        "sA",
        "kphi",
    ),
    "CAR-T counts: dense in the first month, then for a year": (
        "rho",
        "dE",
        "m",
        "dM",
        "KC",
        "products that fail",
    ),
    "CAR-T phenotype: exhaustion and memory markers": ("x", "dX", "aM"),
    "Antigen load (B cells, tumour) against expansion": ("Ks", "b0"),
    "Tumour response in the first weeks: volume, residual disease": (
        "kk",
        "kB",
        "sT",
        "killing if resistant",
        *(f"resistant in {d}" for d in DISEASES),
    ),
    "Tumour volume twice before treatment, and at death": ("g", "T0", "Tdeath"),
    "Antigen-negative clones before CART1": ("fN", "mu"),
}
"""Measurement in a group of patients -> the parameters whose unknowns it would narrow (assumed, to be argued about)."""
PERMUTATIONS = 400
_LEVEL, _SMALL, _NOTHING = 0.05, 0.1, 1e-12
_PENALTIES = np.append(np.geomspace(1e-4, 1e3, 22), np.inf)
"""Tried in the regression, in units of the variance of one column."""


@dataclass(frozen=True)
class Differences:
    """Differences of protocols to the first of them, in each member.

    Attributes
    ----------
    n
        Patients of each member; (members,). Members weigh by them, as in a trial.
    mean
        Mean difference of each other protocol; (members, protocols - 1).
    within
        Covariance of the differences between patients of a member.
    """

    n: Floats
    mean: Floats
    within: Floats

    @property
    def weight(self) -> Floats:
        """Weights of the members, together 1."""
        weights: Floats = self.n / self.n.sum()
        return weights


def differences(values: Floats, which: np.ndarray, *, members: int) -> tuple[Differences, np.ndarray]:
    """Return the differences from patients' values, (patients, protocols), and the members that have patients."""
    gain = values[:, 1:] - values[:, :1]
    n = np.bincount(which, minlength=members).astype(np.float64)
    populated = np.flatnonzero(n > 0)
    total = np.column_stack([np.bincount(which, weights=g, minlength=members) for g in gain.T])
    mean = total[populated] / n[populated, None]
    rest = gain - (total / np.maximum(n, 1)[:, None])[which]
    free = max(len(gain) - len(populated), 1)
    return Differences(n[populated], mean, rest.T @ rest / free), populated


@dataclass(frozen=True)
class InformationValue:
    """The expected value of knowing a parameter, or the parameters that a measurement informs.

    Attributes
    ----------
    name, unknowns
        Uncertain parameter or measurement; the names of all that it informs.
    value
        Expected value of partial perfect information.
    threshold
        Familywise threshold: in at most 5 % of permutations of the members does any value exceed its own.
    p
        Share of permutations, the observed order among them, in which any of them stands out as much.
    narrows, narrows_p
        Share of the variance between populations of the protocols' differences that goes when it is known, and its p:
        how much narrower the region would be, even where the choice would stay the same.
    """

    name: str
    unknowns: tuple[str, ...]
    value: float
    threshold: float
    p: float
    narrows: float
    narrows_p: float

    @property
    def significant(self) -> bool:
        """Whether it exceeds its familywise threshold."""
        return self.p <= _LEVEL


@dataclass(frozen=True)
class Information:
    """The value of information for the choice between protocols.

    Attributes
    ----------
    perfect
        Expected value of perfect information: of knowing the population.
    unknowns, measurements
        The value of each alone; in the order of their declaration.
    n
        Members of the ensemble.
    """

    perfect: float
    unknowns: tuple[InformationValue, ...]
    measurements: tuple[InformationValue, ...]
    n: int

    def frame(self) -> pl.DataFrame:
        """Return all values as a table, the greatest first."""
        rows = [{"kind": kind, "name": w.name, "value": w.value, "threshold": w.threshold, "p_value": w.p,
                 "stands_out": w.significant, "narrows": w.narrows, "narrows_p_value": w.narrows_p,
                 "unknowns": ", ".join(w.unknowns)}
                for kind, all_of in (("unknown", self.unknowns), ("measurement", self.measurements))
                for w in sorted(all_of, key=lambda w: -w.value)]  # fmt: skip
        return pl.DataFrame(rows)


def _measured(unknown: str) -> str:
    """Return what a measurement of an unknown is of: its parameter, whatever the disease."""
    return unknown.removeprefix("cv of ").split(" of ")[0]


def measured_unknowns() -> dict[str, tuple[str, ...]]:
    """Return the unknowns, medians and variations, that each measurement informs."""
    return {name: tuple(u for u in UNKNOWNS if _measured(u) in of) for name, of in MEASUREMENTS.items()}


def information(of: Differences, z: Floats, seed: int, *, permutations: int = PERMUTATIONS,
                on_permutation: Callable[[int], None] | None = None) -> Information:  # fmt: skip
    """Return the value of information.

    Parameters
    ----------
    z
        The members' points of `parameter_space`, (members, unknowns).
    on_permutation
        Called with the number of permutations completed.
    """
    sets = [(u, (u,)) for u in UNKNOWNS] + list(measured_unknowns().items())
    values, chance = partial_information(
        of,
        z,
        [[UNKNOWNS.index(u) for u in names] for _, names in sets],
        seed=seed,
        permutations=permutations,
        on_permutation=on_permutation,
    )
    entries = list[InformationValue]()
    for kind in (slice(0, len(UNKNOWNS)), slice(len(UNKNOWNS), None)):
        threshold, p = familywise_threshold(values[0, kind], chance[0][:, kind])
        _, narrows_p = familywise_threshold(values[1, kind], chance[1][:, kind])
        columns = zip(sets[kind], values[0, kind], threshold, p, values[1, kind], narrows_p, strict=True)
        entries += [InformationValue(*a, *map(float, numbers)) for a, *numbers in columns]
    unknowns = len(UNKNOWNS)
    return Information(perfect(of), tuple(entries[:unknowns]), tuple(entries[unknowns:]), len(z))


def perfect(of: Differences) -> float:
    """Return the expected value of perfect information, noise-corrected for few patients a member.

    The members' means are drawn together until their covariance is that between populations, by moments.
    """
    weight, centre = of.weight, of.weight @ of.mean
    off, root = of.mean - centre, _root(between(of))
    drawn = np.array([root @ _root(root @ root + of.within / n, inverse=True) @ o
                      for n, o in zip(of.n, off, strict=True)])  # fmt: skip
    return _gain(centre + drawn - weight @ drawn, weight)


def between(of: Differences) -> Floats:
    """Return the covariance of the differences between populations, by moments."""
    off = of.mean - of.weight @ of.mean
    room = of.n.sum() - np.sum(of.n**2) / of.n.sum()
    covariance: Floats = (np.einsum("m,mi,mj->ij", of.n, off, off) - (len(of.n) - 1) * of.within) / room
    return covariance


def _root(matrix: Floats, inverse: bool = False) -> Floats:
    """Return the symmetric root of a covariance, or its (pseudo-)inverse; what is negative by chance counts as 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    positive = values > 1e-12 * max(values[-1], 1e-300)
    power = np.zeros_like(values)
    power[positive] = values[positive] ** (-0.5 if inverse else 0.5)
    root: Floats = (vectors * power) @ vectors.T
    return root


def _gain(means: Floats, weight: Floats) -> float:
    """Return the expected best minus the best of the expected, the first protocol being 0 everywhere."""
    best = np.maximum(means, 0.0).max(axis=1)
    gain = float(weight @ best - max((weight @ means).max(), 0.0))
    return gain if gain > _NOTHING else 0.0


def partial_information(of: Differences, z: Floats, sets: Sequence[Sequence[int]], *, seed: int, permutations: int,
           on_permutation: Callable[[int], None] | None = None) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the value of knowing each set of unknowns and the share of variance it explains, (2, sets), and the same
    in permutations of the members, (2, permutations, sets)."""
    random = np.random.default_rng(seed)
    sd = z.std(axis=0)
    unit = (z - z.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    columns = np.stack([unit, unit**2 - 1], axis=2)
    tables = [columns[:, list(chosen)].reshape(len(z), -1) for chosen in sets]
    weight, root = of.weight, np.sqrt(of.weight)
    centre = weight @ of.mean
    target = (of.mean - centre) * root[:, None]

    spread = float(np.maximum(np.diag(between(of)), 0.0).sum())

    def each(order: np.ndarray) -> Floats:
        fits = [fitted(x[order], root, target) for x in tables]
        taken = [min(float(np.sum(fit**2)) / spread, 1.0) if spread > 0 else 0.0 for fit in fits]
        return np.array([[_gain(centre + fit / root[:, None], weight) for fit in fits], taken])

    observed = each(np.arange(len(z)))
    chance = np.empty((2, permutations, len(sets)))
    for k in range(permutations):
        chance[:, k] = each(random.permutation(len(z)))
        if on_permutation:
            on_permutation(k + 1)
    return observed, chance


def fitted(x: Floats, root: Floats, target: Floats) -> Floats:
    """Return the weighted ridge regression's fit of `target` (already times `root`, the root of the weights) on x.

    The penalty, infinity included, is chosen by generalised cross-validation (Golub 1979, Technometrics 21:215).
    """
    inner = (x - root**2 @ x) * root[:, None]
    u, s, _ = np.linalg.svd(inner, full_matrices=False)
    u, s = u[:, s > 1e-9 * max(s[0], 1e-300)], s[s > 1e-9 * max(s[0], 1e-300)]
    along = u.T @ target
    shrunk = s[:, None] ** 2 / (s[:, None] ** 2 + _PENALTIES)
    total = np.sum(target**2, axis=0)
    total = np.where(total > 0, total, 1.0)
    square = along**2 / total
    rest = 1 - np.einsum("kl,kj->lj", 1 - (1 - shrunk) ** 2, square)
    score = rest.sum(axis=1) / (1 - (1 + shrunk.sum(axis=0)) / len(x)) ** 2
    fit: Floats = u @ (shrunk[:, [int(np.argmin(score))]] * along)
    return fit


def familywise_threshold(values: Floats, chance: Floats) -> tuple[Floats, Floats]:
    """Return thresholds that any of all values passes by chance in 5 % of permutations at most, and p-values.

    The greatest of all values of a permutation, each in units of what it is by chance (root mean square), so that large
    and small sets of unknowns stand on one footing (Westfall & Young, Resampling-based multiple testing, 1993). The
    observed order of the members counts as one of the permutations, in the units too: all m + 1 are as likely where
    nothing is worth anything, and the p-value is a rank among them (Phipson & Smyth, Stat Appl Genet Mol Biol
    2010;9:39). A value passes its threshold where p is 0.05 or less; none can with fewer than 19 permutations.
    """
    every = np.vstack([values, chance])
    unit = np.sqrt(np.mean(every**2, axis=0))
    unit = np.maximum(unit, max(_SMALL * unit.max(), _NOTHING))
    most = np.sort((every / unit).max(axis=1))[::-1]
    p = np.sum(most[:, None] >= values / unit, axis=0) / len(every)
    return unit * float(most[int(_LEVEL * len(every) + 1e-9)]), p
