"""Endpoints and factors from plain lists, for the tests of the analyses."""

import numpy as np
import polars as pl

from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn


def binary(event):
    return EndpointColumn("response", "Overall response", "binary", np.array(event, dtype=float))


def timed(time, event, competing=None, entry=None):
    more = [None if v is None else np.array(v, dtype=float) for v in (competing, entry)]
    return EndpointColumn("pfs", "PFS", "time", np.array(event, dtype=float), np.array(time, dtype=float), *more)


def yes_no(values, name="x"):
    words = [None if v is None else "yes" if v else "no" for v in values]
    return FactorColumn(name, name, "binary", pl.Series(words, dtype=pl.String), ("no", "yes"))


def number(values, name="z"):
    return FactorColumn(name, name, "number", pl.Series(values, dtype=pl.Float64))


def category(values, levels, name="g"):
    return FactorColumn(name, name, "category", pl.Series(values, dtype=pl.String), levels)


def drawn(n, seed=1, prevalence=0.4):
    """Return a factor, a number, a binary outcome, times and events of n patients."""
    rng = np.random.default_rng(seed)
    x = (np.arange(n) < prevalence * n).astype(float)
    z = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(0.5 - x - 0.5 * z))).astype(float)
    time = np.ceil(rng.exponential(100, size=n) * np.exp(-0.7 * x))
    return x, z, y, time, (rng.random(n) < 0.7).astype(float)
