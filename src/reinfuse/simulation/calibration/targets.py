"""Published group results that the virtual populations must meet, each with its source and its sampling error.

They are declared in `published.csv`, which also says, since before the calibration, which of them calibrate and which
are held out. A study has the error of its size; besides, populations, products and definitions of the studies differ
from each other and from the model's: a discrepancy, normal on the scale of a target, of a size that is estimated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

import numpy as np
import polars as pl
from scipy.special import betaln, expit, log_ndtr, logit

from reinfuse.arrays import Floats
from reinfuse.simulation.calibration.reference_study import Simulated
from reinfuse.simulation.calibration.summary_statistics import summary
from reinfuse.simulation.model.parameters import Disease
from reinfuse.simulation.population.ensemble import DISCREPANCY

LEAST, SMALLEST_SHARE = 1e-4, 0.002
_SIGNIFICANT = 1.96
_WRONG_SIDE = 0.1
"""A simulated effect that far on the other side of the published one is one error away, whatever the study's size."""
_NODES, _MASSES = np.polynomial.hermite_e.hermegauss(15)
_MASSES = _MASSES / _MASSES.sum()
_NOT_SIMULATED = -50.0
Role = Literal["calibrated", "held out"]
Kind = Literal["proportion", "log", "association"]
_FILE = "published.csv"


@dataclass(frozen=True)
class Target:
    """A published group result.

    Attributes
    ----------
    disease
        Whose patients; None: all, as mixed in the reference study.
    infusions, quantity, day
        What is simulated (`summary_statistics.summary`).
    kind
        `proportion`: compared on the log odds; `log`: a positive number, on its logarithm; `association`: an effect
        that was published as significant and better (above 0), without its size: the likelihood is the power of that
        study, the chance of an estimate beyond 1.96 standard errors, and falls steeply on the other side of 0.
    value, n, error
        What was published; of how many patients ("assumed" in the note where not stated); of a `log`, the standard
        error of its log.
    """

    name: str
    role: Role
    disease: Disease | None
    infusions: str
    quantity: str
    day: float | None
    kind: Kind
    value: float
    n: int
    error: float
    source: str
    unit: str = ""
    note: str = ""

    @property
    def events(self) -> float:
        """Patients with the outcome of a proportion; not whole where it comes from a percentage or a median."""
        return self.value * self.n

    @property
    def spread(self) -> float:
        """Standard error of the study on the target's scale; of none or all of n patients that of half an event."""
        if self.kind != "proportion":
            return self.error
        return float((self.n * self.inner_share * (1 - self.inner_share)) ** -0.5)

    @property
    def inner_share(self) -> float:
        """Return the value of a proportion; of none or all of n patients, half an event away."""
        return float(self.inner(self.value))

    def inner(self, share: float | Floats) -> Floats:
        """Return shares of n patients; of none or all of them, half an event away."""
        near = 0.5 / (self.n + 1)
        return np.clip(share, near, 1 - near)

    @property
    def scaled(self) -> float:
        """Return the published value on the scale; of none or all of n patients, half an event away."""
        return float(self.on_scale(self.inner_share if self.kind == "proportion" else self.value))

    def simulated(self, study: Simulated) -> float:
        """Return the same result of a simulated study."""
        return summary(self.quantity, study.of(self.disease), infusions=self.infusions, day=self.day)

    def on_scale(self, value: float | Floats) -> Floats:
        """Return values on the scale on which they are compared."""
        if self.kind == "proportion":
            scaled: Floats = logit(np.clip(value, SMALLEST_SHARE, 1 - SMALLEST_SHARE))
            return scaled
        return np.log(np.maximum(value, LEAST)) if self.kind == "log" else np.asarray(value, dtype=np.float64)

    def from_scale(self, scaled: Floats) -> Floats:
        """Return values from the scale on which they are compared; the inverse of `on_scale`."""
        if self.kind == "proportion":
            share: Floats = expit(scaled)
            return share
        return np.exp(scaled) if self.kind == "log" else scaled

    def log_likelihood(self, scaled: Floats, discrepancy: float | Floats = DISCREPANCY) -> Floats:
        """Return the log likelihood of the published value, given simulated ones on the scale; -50 where not estimable.

        A proportion is binomial around the simulated log odds and a normal discrepancy, over which it is averaged.
        """
        scaled, spread = np.asarray(scaled, dtype=np.float64), np.asarray(discrepancy, dtype=np.float64)
        if self.kind == "association":
            fit = log_ndtr(scaled / self.error - _SIGNIFICANT) + log_ndtr(scaled / _WRONG_SIDE)
        elif self.kind == "log":
            total = np.hypot(self.error, spread)
            fit = -0.5 * ((scaled - self.on_scale(self.value)) / total) ** 2 - np.log(total * np.sqrt(2 * np.pi))
        else:
            odds = np.clip(scaled[..., None] + spread[..., None] * _NODES, -30, 30)
            parts = np.exp(self.events * odds - self.n * np.log1p(np.exp(odds))) @ _MASSES
            fit = (
                np.log(np.maximum(parts, 1e-300))
                + log_binomial(self.events, self.n, np.array(0.5))
                + (self.n * np.log(2))
            )
        return np.where(np.isfinite(scaled), fit, _NOT_SIMULATED)


def log_binomial(events: float | Floats, n: int, share: Floats) -> Floats:
    """Return the log of a binomial probability, the number of events taken as any number."""
    share = np.clip(share, 1e-9, 1 - 1e-9)
    ways = -betaln(events + 1, n - events + 1) - np.log(n + 1)
    return cast("Floats", ways + events * np.log(share) + (n - events) * np.log1p(-share))


def read(frame: pl.DataFrame) -> tuple[Target, ...]:
    """Return the targets of a table as `published.csv` has it."""
    return tuple(_of_rows(frame.iter_rows(named=True)))


def _of_rows(rows: Iterator[dict[str, object]]) -> Iterator[Target]:
    for row in rows:
        number = {c: None if row[c] is None else float(cast("float", row[c])) for c in ("day", "value", "events", "n",
                                                                                       "error")}  # fmt: skip
        n, value = int(number["n"] or 0), number["value"]
        if value is None:
            value = 0.0 if number["events"] is None else number["events"] / n
        yield Target(str(row["target"]), cast("Role", row["role"]), cast("Disease | None", row["disease"]),
                     str(row["infusions"]), str(row["quantity"]), number["day"], cast("Kind", row["kind"]), value, n,
                     number["error"] or 0.0, str(row["source"]), str(row["unit"] or ""),
                     str(row["note"] or ""))  # fmt: skip


TARGETS = read(pl.read_csv(files("reinfuse.simulation").joinpath(_FILE).read_bytes(), infer_schema_length=None))
CALIBRATED = tuple(t for t in TARGETS if t.role == "calibrated")
HELD_OUT = tuple(t for t in TARGETS if t.role == "held out")


def log_likelihood(study: Simulated) -> float:
    """Return the log likelihood of the calibrated targets."""
    return float(sum(t.log_likelihood(t.on_scale(t.simulated(study))) for t in CALIBRATED))
