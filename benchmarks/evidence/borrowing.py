"""Type I error, power, coverage and error of the own rate with borrowed priors, with and without conflict.

``nice python benchmarks/evidence/borrowing.py [--small]``: four published studies of 9 to 44 patients, standard
deviation of their log odds 0.5, whose median lies `drift` log odds from the own true rate. Success is a posterior
probability above 0.95 that the own rate exceeds 30 %; with an own true rate of 30 % its frequency is the type I error,
with 50 % the power. Given the published studies all frequencies are exact sums over the own number of events; 16 sets
of published studies a cell.

Writes results/evidence_borrowing.csv: success, coverage of the 95 % interval, root mean squared error of the mean, and
what the prior is worth (moments), averages over the sets.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.special import expit, logit
from scipy.stats import beta, binom

from reinfuse.evidence.borrowing import DISCOUNT, VAGUE
from reinfuse.statistics.borrowing import commensurate_prior, power_prior
from reinfuse.statistics.conjugate_mixture import BetaMixture
from reinfuse.statistics.effective_sample_size import moment_size
from reinfuse.statistics.meta_analytic_predictive import predictive_distribution
from reinfuse.statistics.mixture_fit import fit_beta_mixture
from reinfuse.statistics.study_likelihood import ProportionCounts

OUT = Path(__file__).resolve().parents[1] / "results" / "evidence_borrowing.csv"
SIZES, TAU, SETS = np.array([44.0, 19.0, 13.0, 9.0]), 0.5, 16
OWN, DRIFTS = (9, 20, 44), (-1.0, 0.0, 1.0)
THRESHOLD, NULL, ALTERNATIVE = 0.95, 0.3, 0.5
LOGITS = np.linspace(-12.0, 12.0, 241)


def mixture_of(distribution) -> BetaMixture:
    return fit_beta_mixture(logits=LOGITS, weights=distribution.density(LOGITS), components=3)[0]


def priors_of(events: np.ndarray) -> dict[str, BetaMixture]:
    """Return the prior of each way of borrowing."""
    counts = ProportionCounts(events, SIZES)
    wide, narrow = (mixture_of(predictive_distribution(counts, tau_scale=s)) for s in (1.0, 0.5))
    total = float(events.sum()), float(SIZES.sum())
    return {
        "no borrowing: Beta(0.5, 0.5)": BetaMixture(np.ones(1), np.full(1, 0.5), np.full(1, 0.5)),
        f"robust, tau HN(1), vague {VAGUE:g} (reported)": wide.robust(weight=VAGUE),
        "robust, tau HN(1), vague 0.5": wide.robust(weight=0.5),
        f"robust, tau HN(0.5), vague {VAGUE:g}": narrow.robust(weight=VAGUE),
        "predictive prior, tau HN(1)": wide,
        "predictive prior, tau HN(0.5)": narrow,
        f"power prior, a0 = {DISCOUNT:g}": power_prior(events=total[0], n=total[1], discount=DISCOUNT),
        "pooled (power prior, a0 = 1)": power_prior(events=total[0], n=total[1], discount=1.0),
        "commensurate, sd HN(1)": mixture_of(commensurate_prior(counts, sd_scale=1.0)),
    }


def exact(prior: BetaMixture, n: int, truth: float) -> tuple[float, float, float]:
    """Return frequency of success, coverage and root mean squared error, sums over the own number of events."""
    chance = binom.pmf(np.arange(n + 1), n, truth)
    success, covered, error = (np.zeros(n + 1) for _ in range(3))
    for y in range(n + 1):
        posterior = prior.posterior(events=y, n=n)
        above = float(posterior.weights @ beta.sf(NULL, posterior.a, posterior.b))
        below_truth = float(posterior.cdf(np.array(truth)))
        success[y], covered[y], error[y] = above > THRESHOLD, 0.025 <= below_truth <= 0.975, posterior.mean - truth
    return float(chance @ success), float(chance @ covered), float(np.sqrt(chance @ error**2))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="one cell of one set, nothing written")
    small = parser.parse_args().small
    alone = BetaMixture(np.ones(1), np.full(1, 0.5), np.full(1, 0.5))
    by_hand = binom.sf(7, 20, 0.2), binom.sf(7, 20, 0.4)  # 8 of 20 or more
    if abs(by_hand[0] - 0.032143) > 1e-6 or abs(by_hand[1] - 0.584107) > 1e-6:
        raise SystemExit("the single-arm rule of the golden file does not agree")
    if (
        not alone.posterior(events=8, n=20).cdf(np.array(0.2))
        < 0.05
        < alone.posterior(events=7, n=20).cdf(np.array(0.2))
    ):
        raise SystemExit("the least number of responses of the golden file does not agree")
    rng, rows = np.random.default_rng(17), []
    for truth in (NULL,) if small else (NULL, ALTERNATIVE):
        for drift in (0.0,) if small else DRIFTS:
            cells: dict[tuple[str, int], list] = {}
            for _ in range(1 if small else SETS):
                theta = logit(truth) + drift + TAU * rng.standard_normal(len(SIZES))
                for method, prior in priors_of(rng.binomial(SIZES.astype(int), expit(theta)).astype(float)).items():
                    size = moment_size(prior)
                    for n in OWN:
                        cells.setdefault((method, n), []).append((*exact(prior, n, truth), size))
            for (method, n), values in cells.items():
                success, covered, error, size = np.mean(values, axis=0)
                rows.append({"own_n": n, "own_rate": truth, "drift": drift, "method": method,
                             "success": round(100 * success, 2), "coverage": round(100 * covered, 2),
                             "rmse": round(float(error), 4), "prior_worth": round(float(size), 1)})  # fmt: skip
            print(truth, drift, {r["method"]: r["success"] for r in rows if (r["own_rate"], r["drift"], r["own_n"]) ==
                                 (truth, drift, 20)}, flush=True)  # fmt: skip
    if not small:
        with OUT.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
