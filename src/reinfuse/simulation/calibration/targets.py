"""Published group results that the virtual population must meet, each with its source and its sampling error.

A target's error is that of its study (its n) and, added in quadrature, `DISCREPANCY`: the populations, products and
definitions of the studies differ from each other and from the model's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import log_ndtr

from reinfuse.simulation.calibration import summary_statistics
from reinfuse.simulation.calibration.reference_study import Simulated

DISCREPANCY = 0.25
"""On the scale of a target (log odds, log)."""
_LEAST = 1e-4
_SIGNIFICANT = 1.96
_WRONG_SIDE = 0.1
"""A simulated effect that far on the other side of the published one is one error away, whatever the study's size."""
_MONTH = 30.4375
Role = Literal["calibrated", "held out"]
Kind = Literal["proportion", "log", "association"]


@dataclass(frozen=True)
class Target:
    """A published group result.

    Attributes
    ----------
    kind
        `proportion`: compared on the log odds; `log`: a positive number, on its logarithm; `association`: an effect
        that was published as significant and better (above 0), without its size: the likelihood is the power of that
        study, the chance of an estimate beyond 1.96 standard errors, and falls steeply on the other side of 0.
    value, n, error
        What was published; of how many patients ("assumed" in the note where not stated); of a `log`, the standard
        error of its log.
    """

    name: str
    kind: Kind
    value: float
    n: int | None
    error: float | None
    source: str
    simulated: Callable[[Simulated], float]
    role: Role = "calibrated"
    unit: str = ""

    @property
    def spread(self) -> float:
        """Standard error on the target's scale, discrepancy included."""
        if self.kind == "association":
            assert self.error is not None
            return self.error
        if self.kind == "proportion":
            assert self.n is not None
            own = 1 / (self.n * self.value * (1 - self.value))
        else:
            assert self.error is not None
            own = self.error**2
        return float(np.sqrt(own + DISCREPANCY**2))

    def on_scale(self, value: float) -> float:
        """Return a value on the scale on which it is compared."""
        if self.kind == "proportion":
            clipped = min(max(value, 0.002), 0.998)
            return float(np.log(clipped / (1 - clipped)))
        return float(np.log(max(value, _LEAST))) if self.kind == "log" else value

    def log_likelihood(self, simulated: float) -> float:
        """Return the log likelihood of the published value, given the simulated one; -50 where it is not estimable."""
        if not np.isfinite(simulated):
            return -50.0
        if self.kind == "association":
            return float(log_ndtr(simulated / self.spread - _SIGNIFICANT) + log_ndtr(simulated / _WRONG_SIDE))
        z = (self.on_scale(simulated) - self.on_scale(self.value)) / self.spread
        return float(-0.5 * z * z)


_OF_ODDS, _OF_HAZARDS, _OF_DAYS = 0.75, 0.4, 0.5
"""Standard errors of a log odds ratio with 17 responders, a log hazard ratio with about 38 events, a log ratio of
days, in 44 patients
of whom a fifth to a third lack the factor (worked out, rounded)."""
_H1 = "Hirayama 2019, Blood 133:1876"
_K1 = "Kochenderfer 2017, J Clin Oncol 35:1803"
_ZUMA = "Kimmel 2021, Proc R Soc B 288:20210229 (ZUMA-1, one centre)"
_G1 = "Gauthier 2021, Blood 137:323"
_CAR_T = (
    (7.0, 27.5, 16.5, 57.5, 19),
    (14.0, 9.1, 3.8, 31.1, 23),
    (28.0, 2.1, 0.6, 6.1, 22),
    (90.0, 0.1, 0.01, 0.4, 22),
)


def _kinetic() -> Iterator[Target]:
    for day, median, low, high, n in _CAR_T:
        log_sd = float(np.log(high / low)) / 1.349
        of_median, of_ratio = 1.2533 * log_sd / n**0.5, 1.349 * 1.16 * log_sd / n**0.5
        yield Target(f"CART1, Cy-Flu: median CAR-T cells on day {day:g}", "log", median, n, of_median, _ZUMA,
                     partial(summary_statistics.count, day), unit="cells/uL")  # fmt: skip
        yield Target(f"CART1, Cy-Flu: quartile ratio of CAR-T cells on day {day:g}", "log", high / low, n, of_ratio,
                     _ZUMA, partial(summary_statistics.width, day), unit="ratio")  # fmt: skip


_FIRST_RESPONSE, _FIRST_CR = partial(summary_statistics.first, "response"), partial(summary_statistics.first, "cr")
_PATIENTS = "told by a patients' society"
_ASSOCIATIONS = (
    ("Cy-Flu before CART1 goes with response", _OF_ODDS, "flu_response"),
    ("a higher dose goes with response", _OF_ODDS, "dose_response"),
    ("Cy-Flu before CART1 goes with longer PFS", _OF_HAZARDS, "flu_pfs"),
    ("a higher dose goes with longer PFS", _OF_HAZARDS, "dose_pfs"),
    ("both go with longer persistence", _OF_DAYS, "both_persistence"),
)

TARGETS: tuple[Target, ...] = (
    Target("CART1, Cy-Flu: response", "proportion", 0.51, 48, None, f"{_H1}; n assumed", _FIRST_RESPONSE),
    Target("CART1, Cy-Flu: complete response", "proportion", 0.40, 48, None, f"{_H1}; n assumed", _FIRST_CR),
    Target("CART1, low-dose Cy-Flu: response", "proportion", 0.73, 22, None, _K1, _FIRST_RESPONSE),
    Target("CART1, low-dose Cy-Flu: complete response", "proportion", 0.55, 22, None, _K1, _FIRST_CR),
    Target("CART1, Cy-Flu: complete responders without progression at 20.0 months", "proportion", 0.5, 19, None,
           f"{_H1}: median PFS; n assumed", partial(summary_statistics.responders_to_first_free, 20 * _MONTH)),
    Target("CART1, no fludarabine: without progression at 1.5 months", "proportion", 0.5, 12, None,
           "Turtle 2016, Sci Transl Med 8:355ra116: median PFS; n assumed",
           partial(summary_statistics.free_after_cy, 1.5 * _MONTH)),
    Target("CART1: day of the peak", "log", 9.29, 261, 0.05, "Ogasawara 2021, doi 10.1007/s40262-021-01039-5",
           summary_statistics.day_of_peak, unit="days"),
    *_kinetic(),
    Target("CART1: peak of complete responders over the others'", "log", 3.6, 79, 0.35,
           "liso-cel in mantle cell lymphoma, ASCPT 2024 abstract; error assumed",
           summary_statistics.peak_ratio, unit="ratio"),
    Target("CART1: peak in remission over not", "log", 98 / 15, 22, 0.5, f"{_K1}; error assumed",
           summary_statistics.peak_ratio,
           unit="ratio"),
    Target("CART2: response", "proportion", 17 / 44, 44, None, _G1, partial(summary_statistics.second, "response")),
    Target("CART2: complete response", "proportion", 9 / 44, 44, None, _G1, partial(summary_statistics.second, "cr")),
    Target("CART2: responders without progression 6 months later", "proportion", 0.5, 11, None,
           f"{_G1}: median DOR of NHL", partial(summary_statistics.responders_free, 28 + 6 * _MONTH)),
    *(Target(f"CART2: {what}", "association", 0, 44, error, _G1, partial(summary_statistics.effect, name))
      for what, error, name in _ASSOCIATIONS),
    Target("CLL, CART2: median PFS", "log", 61, 9, 0.45, f"{_G1}, {_PATIENTS}; error of an exponential",
           partial(summary_statistics.median_day, "pfs"), "held out", "days"),
    Target("CLL, CART2: median OS", "log", 7 * _MONTH, 9, 0.45, f"{_G1}, {_PATIENTS}; error of an exponential",
           partial(summary_statistics.median_day, "os"), "held out", "days"),
    Target("CLL, CART2: response", "proportion", 3 / 9, 9, None, f"{_G1}, {_PATIENTS}",
           partial(summary_statistics.second, "response"), "held out"),
    Target("CLL, CART1 with ibrutinib: response", "proportion", 0.83, 18, None, "Gauthier 2020, Blood 135:1650",
           _FIRST_RESPONSE, "held out"),
    Target("CLL, CART1: response", "proportion", 0.57, 14, None, "Porter 2015, Sci Transl Med (PMC5909068)",
           _FIRST_RESPONSE, "held out"),
    Target("Lymphoma, early cohort: complete response", "proportion", 0.11, 9, None,
           "Nat Rev Clin Oncol 2017;14:335, table 3; regimen not stated, n of those evaluated worked out", _FIRST_CR,
           "held out"),
)  # fmt: skip
CALIBRATED = tuple(t for t in TARGETS if t.role == "calibrated")
HELD_OUT = tuple(t for t in TARGETS if t.role == "held out")


def log_likelihood(study: Simulated) -> float:
    """Return the log likelihood of the calibrated targets."""
    return sum(t.log_likelihood(t.simulated(study)) for t in CALIBRATED)
