"""What has been given as a second infusion, by published studies: there the design space ends.

Beyond it no result calibrated the model and no rate of toxicity was observed, so that an optimum there is an
extrapolation and no suggestion. Courses are those of a study's own standard lymphodepletion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats

STUDY_OF_18 = "J Immunother Cancer 2022;10:e004483, table 2"
REINFUSIONS = "Blood Adv 2024;8:2182"
FLU_OF_CY = 1.2
"""Most courses of fludarabine given with one of cyclophosphamide: 1.6 with 1.33, the intensified lymphodepletion of
`STUDY_OF_18` (fludarabine 120 for 75, cyclophosphamide 1200 for 900 mg/m2). None of the studies gave fludarabine alone,
no result that calibrates the model comes from it, the model's split of lymphodepletion between the drugs is assumed,
and their toxicities are charged alike: what the model prefers between them beyond that is no finding."""


@dataclass(frozen=True)
class PublishedRange:
    """Least and greatest value of a variable in published second infusions, and where each is from."""

    low: float
    high: float
    source: str


_CY = PublishedRange(0.0, 4 / 3, f"none: {REINFUSIONS}; intensified: {STUDY_OF_18}")
_FLU = PublishedRange(0.0, 1.6, f"none: {REINFUSIONS}; intensified: {STUDY_OF_18}")
PUBLISHED: Mapping[str, PublishedRange] = {
    "cy": _CY,
    "flu": _FLU,
    "log10_dose": PublishedRange(5.0, float(np.log10(2e7)), "1e5/kg: BMC Cancer 2022, 10.1186/s12885-022-09489-1; "
                                 "2e7/kg: highest dose of NCT01865617, Blood 2018;131:121, table 1"),
    "interval_days": PublishedRange(35.0, 373.0, STUDY_OF_18),
    "cy_cart1": _CY,
    "flu_cart1": _FLU,
}  # fmt: skip
"""Range of each variable; before CART1 as before CART2."""
PAIRS = (("cy", "flu"), ("cy_cart1", "flu_cart1"))
_NEAR = 1e-9


def most_fludarabine(cy: Floats, step: float) -> Floats:
    """Return the most fludarabine, on its steps, that goes with so many courses of cyclophosphamide.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.simulation.search.published_range import most_fludarabine
    >>> most_fludarabine(np.array([0.0, 0.5, 1.0]), 0.05).round(2).tolist()
    [0.0, 0.6, 1.2]
    """
    steps: Floats = np.floor(FLU_OF_CY * cy / step + _NEAR)
    return np.round(steps * step, 6)


def beyond(at: Mapping[str, float], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return in what a protocol lies outside of what has been published; nothing if it does not.

    Parameters
    ----------
    at
        Value of each variable.
    labels
        Name of each variable in words.
    """
    outside = [f"{labels[name]} {'below' if value < PUBLISHED[name].low else 'above'} any published"
               for name, value in at.items()
               if not PUBLISHED[name].low - _NEAR <= value <= PUBLISHED[name].high + _NEAR]  # fmt: skip
    outside += [f"{labels[flu]} with less cyclophosphamide than any published"
                for cy, flu in PAIRS if flu in at and at[flu] > FLU_OF_CY * at[cy] + _NEAR]  # fmt: skip
    return tuple(outside)
