"""The mathematics of small cohorts: arrays in, results out. Knows no cohort, and can be used by itself.

Modules
-------
firth
    Firth's penalised logistic and Cox models, with likelihood-ratio tests and profile intervals; separation.
firth_batch
    The same models of many data sets at once, for simulation and resampling.
firth_left_truncated
    Firth's Cox model of start-stop rows: delayed entry, time-dependent factors.
fine_gray
    Fine and Gray's model of the subdistribution hazard, as R's ``cmprsk::crr``.
nonparametric
    Kaplan-Meier, log-rank, Aalen-Johansen, Gray's test, scaled Schoenfeld residuals.
turnbull
    Turnbull's estimate of interval-censored times.

Times are in days in reinfuse, and in any one unit here. Each module names its conventions and sources at its head.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reinfuse.statistics import (
        fine_gray,
        firth,
        firth_batch,
        firth_left_truncated,
        nonparametric,
        turnbull,
    )

__all__ = ["fine_gray", "firth", "firth_batch", "firth_left_truncated", "nonparametric", "turnbull"]


def __getattr__(name: str) -> Any:
    """Import a module on first use."""
    if name in __all__:
        return import_module(f"reinfuse.statistics.{name}")
    raise AttributeError(f"module 'reinfuse.statistics' has no attribute {name!r}; there are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
