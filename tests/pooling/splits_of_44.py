"""The bundled synthetic 44 as arrays, and random ways to split them into 3 to 6 centres."""

from __future__ import annotations

from functools import cache

import numpy as np

from reinfuse import Plan, Study, read_cohort
from reinfuse.data import dataset


@cache
def synthetic_44():
    """Return factors (places of no and yes, -1 missing) and endpoints of the bundled cohort."""
    data = Study(read_cohort(dataset("synthetic_gauthier_2021").path), Plan.built_in()).data
    values = {}
    for name in ("cart1_cy_flu", "dose_increase", "bulky"):
        texts = data.factor(name).unscaled.to_list()
        values[name] = np.array([-1 if t is None else int(str(t) == "yes") for t in texts])
    ends = {name: (data.endpoint(name).event, data.endpoint(name).time) for name in ("response", "pfs", "os")}
    return values, ends


def random_site(rng, n, centres):
    """Return which centre each patient is in: at least 5 in each."""
    while True:
        site = rng.integers(0, centres, n)
        if np.bincount(site, minlength=centres).min() >= 5:
            return site
