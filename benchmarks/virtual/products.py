"""Products of their own in the published results (`structures.py`): results of another product are simulated with it.

A product's factors, on the expansion, the exhaustion and the killing of its cells, are unknowns around 1: those with
CD28, whose cells expand faster and last less long than those with 4-1BB, and tisagenlecleucel. All other results are of
the reference study's product, or of several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.simulation.calibration.posterior import simulate_targets
from reinfuse.simulation.calibration.targets import Target
from reinfuse.simulation.model.parameters import INDEX
from reinfuse.simulation.population.virtual_patients import Member

PRODUCTS: Mapping[str, tuple[str, ...]] = {
    "CD28": ("Kochenderfer 2017", "Kimmel 2021", "Locke 2020", "Neelapu 2023", "PMC6466472", "mdedge.com",
             "Geyer 2019"),
    "tisagenlecleucel": ("Porter 2015", "Pasquini 2020", "PMC10294746", "Laetsch 2023"),
}  # fmt: skip
"""Sources whose patients were given a product."""
_FACTORS = {"rho": 0.2, "x": 0.5, "kk": 0.5}
UNKNOWNS_OF_PRODUCTS = {f"{name} of {p}": (1.0, spread) for p in PRODUCTS for name, spread in _FACTORS.items()}
"""Factors on maximal proliferation, exhaustion and killing; spread of their logarithms."""


def product_of(target: Target) -> str | None:
    """Return the product of a target's patients; None: the reference study's."""
    return next((p for p, sources in PRODUCTS.items() if target.source.startswith(sources)), None)


def with_product(several: Member, extra: Floats, product: str | None) -> Member:
    """Return members whose cells are those of a product; `extra`: values of `UNKNOWNS_OF_PRODUCTS`."""
    median = several.median.copy()
    for column, name in enumerate(UNKNOWNS_OF_PRODUCTS):
        parameter, _, of = name.partition(" of ")
        if of == product:
            median[:, INDEX[parameter]] *= extra[:, column]
    return replace(several, median=median)


def results_by_product(space: Callable[[Floats], Member], targets: Sequence[Target], *, seed: int, patients: int,
                       cores: int) -> Callable[[Floats], Floats]:  # fmt: skip
    """Return what gives the results of all targets at points, each by its product, on their scales."""
    columns = {p: [k for k, t in enumerate(targets) if product_of(t) == p] for p in (None, *PRODUCTS)}

    def results(z: Floats) -> Floats:
        several, values = space(z), np.full((len(z), len(targets)), np.nan)
        for product, which in columns.items():
            made = with_product(several, several.extra, product)
            some = [targets[k] for k in which]
            values[:, which] = simulate_targets(made, some, seed=seed, patients=patients, cores=cores)
        return values

    return results
