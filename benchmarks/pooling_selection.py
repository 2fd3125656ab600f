"""What leaving out centres for their outcomes does to an odds ratio, and giving one only where no cell is small.

Simulated centres of equal size, half of the patients with the factor, the same odds ratio in each; a centre tells its
fourfold table only with k patients in each cell. Mean of the log Mantel-Haenszel odds ratio of 20,000 studies.
"""

import sys

import numpy as np

STUDIES = 200 if "--small" in sys.argv else 20_000


def mantel_haenszel(tables, used):
    a, b, c, d = tables
    n = a + b + c + d
    return np.log((a * d / n * used).sum(axis=1) / (b * c / n * used).sum(axis=1))


def simulated(centres, patients, odds_ratio, k, rng):
    """Return the mean odds ratio of all centres, of those that tell, where all tell, and how often all do."""
    shift = np.log(odds_ratio) / 2
    with_factor = rng.binomial(patients, 0.5, (STUDIES, centres))
    without = patients - with_factor
    a, c = rng.binomial(with_factor, 1 / (1 + np.exp(-shift))), rng.binomial(without, 1 / (1 + np.exp(shift)))
    tables = a, with_factor - a, c, without - c
    large = (np.minimum(with_factor, without) >= 2 * k) & (np.minimum(a + c, patients - a - c) >= k)
    told = large & (np.minimum.reduce(tables) >= k)
    enough, every = told.sum(axis=1) >= 3, (told == large).all(axis=1) & (large.sum(axis=1) >= 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole, others = mantel_haenszel(tables, large), mantel_haenszel(tables, told)

    def mean(values, chosen):
        return np.exp(values[chosen & np.isfinite(values)].mean())

    return mean(whole, enough), mean(others, enough), mean(others, every), every.mean()


if __name__ == "__main__":
    rng = np.random.default_rng(18)
    print("centres  patients  odds ratio  k   all   those that tell   where all tell   all tell")
    for centres, patients, odds_ratio, k in (
        (6, 24, 4, 3),
        (10, 40, 4, 5),
        (6, 60, 4, 5),
        (6, 24, 2, 3),
        (6, 24, 1, 3),
    ):
        whole, others, every, share = simulated(centres, patients, odds_ratio, k, rng)
        print(f"{centres:7} {patients:9} {odds_ratio:11} {k:2} {whole:5.2f} {others:17.2f} {every:16.2f} {share:10.0%}")
