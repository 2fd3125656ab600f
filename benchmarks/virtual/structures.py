"""Structures that the model does not have, so that they can be compared with it (`candidates.py`).

Each adds unknowns of its own and changes what is simulated of a patient; while one is in use it stands in the place of
the model's own functions. What is found better moves into the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
from products import UNKNOWNS_OF_PRODUCTS
from scipy.special import expit, logit, ndtr

from reinfuse.arrays import Floats
from reinfuse.simulation.calibration import posterior, reference_study
from reinfuse.simulation.calibration.emulator import Emulator
from reinfuse.simulation.calibration.targets import Target
from reinfuse.simulation.model.equations import N, P
from reinfuse.simulation.model.parameters import DISEASES, INDEX, LEAD
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member, RandomNumbers, diseases, fitness, parameters
from reinfuse.simulation.solver.integrate import trace
from reinfuse.simulation.solver.readouts import (
    BURDEN,
    COURSE,
    DAY28,
    DIED,
    END,
    ESCAPED,
    PARTIAL,
    POSITIVE,
    PROGRESSED,
    READ,
    WINDOW,
)
from reinfuse.simulation.trial.protocol import Schedule

VISITS = np.array([28.0, 90.0, 180.0, 270.0, 365.0, 545.0, 730.0])
"""Days of scheduled assessments."""
_BEYOND = 29.5
"""Days after the last infusion to which tumour is followed for its size on day 28."""
_UNUSED = tuple(INDEX[name] for name in ("Tmax", "phi0", "sA"))
"""Standard normal numbers of a patient that no parameter uses, since all patients share these."""
_LOW_DOSE = {"ALL": 26 / 47, "CLL": 4 / 24, "NHL": 5 / 62}
_TENTH = 0.1
"""2e5 in place of 2e6 cells/kg."""


@dataclass(frozen=True)
class StructuredMember(Member):
    """A member, or several, with the values of a structure's own unknowns, shape (..., unknowns)."""

    extra: Floats

    def __getitem__(self, which: int | np.ndarray) -> StructuredMember:
        """Return one of several members, or some of them."""
        return StructuredMember(self.median[which], self.cv[which], self.mixture[which], self.extra[which])


@dataclass(frozen=True)
class Structure:
    """A structure: its unknowns, as (median, spread of the logarithm, or of the log odds of a share), the functions of
    `reference_study` that it replaces, and the parameters whose variation between patients is one of the unknowns."""

    unknowns: Mapping[str, tuple[float, float]]
    replaced: Mapping[str, Callable[..., object]]
    shares: tuple[str, ...] = ()
    varying: tuple[str, ...] = ()
    own_discrepancy: bool = False
    """Whether the last unknown is the discrepancy of positive numbers, most of kinetics, apart from proportions."""
    own_products: bool = False
    """Whether results of another product are simulated with it (`products`)."""

    def members(self, z: Floats) -> StructuredMember:
        """Return the members at points of the model's unknowns and then the structure's own."""
        own, columns = members(z[:, : len(UNKNOWNS)]), []
        for k, (name, (median, spread)) in enumerate(self.unknowns.items(), len(UNKNOWNS)):
            moved = spread * z[:, k]
            columns.append(expit(logit(median) + moved) if name in self.shares else median * np.exp(moved))
        extra = np.column_stack(columns) if columns else np.empty((len(z), 0))
        for name in self.varying:
            own.cv[:, INDEX[name]] *= extra[:, list(self.unknowns).index(f"variation of {name}")]
        return StructuredMember(own.median, own.cv, own.mixture, extra)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Simulate and draw with the structure."""
        with ExitStack() as stack:
            stack.enter_context(patch.object(posterior, "UNKNOWNS", (*UNKNOWNS, *self.unknowns)))
            if self.own_discrepancy:
                stack.enter_context(patch.object(posterior, "likelihood", likelihood_by_kind))
            for name, function in self.replaced.items():
                stack.enter_context(patch.object(reference_study, name, function))
            yield


def discrepancy_of(target: Target, points: Floats, *, own: bool = True) -> Floats:
    """Return the discrepancy of a target at points; `own`: of positive numbers from the last unknown but one."""
    return posterior.discrepancy(points[:, :-1] if own and target.kind == "log" else points)


def likelihood_by_kind(emulator: Emulator, targets: Sequence[Target]) -> Callable[[Floats], Floats]:
    """Return the log likelihood of points as `posterior.likelihood`, with the discrepancy of each target's kind."""
    fitted = [k for k, t in enumerate(targets) if t.role == "calibrated" and np.isfinite(emulator.error[k])]
    surfaces = emulator.only(fitted)

    def judge(points: Floats) -> Floats:
        scaled, total = surfaces(points[:, :-1]), np.zeros(len(points))
        for column, k in enumerate(fitted):
            size = np.hypot(discrepancy_of(targets[k], points), emulator.error[k])
            total += targets[k].log_likelihood(scaled[:, column], size)
        return total

    return judge


_run_protocol = reference_study.run_protocol


def with_dead_tissue(member: StructuredMember, p: Floats, drawn: RandomNumbers, *, schedule: Schedule, day: Floats,
                     follow: float, rtol: float, counted: Floats) -> tuple[Floats, Floats]:  # fmt: skip
    """Return read-outs in which a partial response is one of measured size: viable tumour and dead tissue.

    Complete response and progression stay those of viable tumour. The share of the tumour left at which a response is
    called is changed, so that viable tumour is at most that share of the former if measured size is at most `pr`.
    """
    out, counts = _run_protocol(member, p, drawn, schedule=schedule, day=day, follow=follow, rtol=rtol,
                                counted=counted)  # fmt: skip
    before, after = measured_size(member, p, drawn, schedule=schedule, day=day, rtol=rtol)
    with np.errstate(invalid="ignore", divide="ignore"):
        dead = after - out[:, :, DAY28]
        out[:, :, PARTIAL] = (p[:, None, INDEX["pr"]] * before - dead) / out[:, :, BURDEN]
    return out, counts


def measured_size(member: StructuredMember, p: Floats, drawn: RandomNumbers, *, schedule: Schedule, day: Floats,
                  rtol: float) -> tuple[Floats, Floats]:  # fmt: skip
    """Return measured size before lymphodepletion and on day 28 of each infusion, (patients, infusions).

    Dead tissue D gains what is killed and is cleared with its half-life, so that size V = T + D changes by growth of T
    less clearance d (V - T) a day; by steps of a day, to a hundredth.
    """
    infusions = day.shape[1]
    times = np.arange(-LEAD, np.nanmax(day) + _BEYOND)
    states = np.full((len(p), len(times), 8), np.nan)
    trace(p, fitness(member, drawn, infusions), drawn.least, day=day, course=schedule.course, event=schedule.event,
          follow=_BEYOND, rtol=rtol, times=times, states=states)  # fmt: skip
    tumour, clearance = states[:, :, P] + states[:, :, N], np.log(2) / member.extra[..., 0]
    growth = p[:, INDEX["g"], None] * (1 - tumour / p[:, INDEX["Tmax"], None]) * tumour
    gain, kept = np.expand_dims(clearance, -1) * tumour + growth, np.exp(-clearance)
    size = np.empty_like(tumour)
    size[:, 0] = p[:, INDEX["T0"]]
    for k in range(1, len(times)):
        size[:, k] = size[:, k - 1] * kept + 0.5 * (gain[:, k - 1] * kept + gain[:, k])
    return tuple(np.column_stack([_on(size, times, day[:, i] + since) for i in range(infusions)])
                 for since in (-LEAD, COURSE))  # fmt: skip


def _on(size: Floats, times: Floats, day: Floats) -> Floats:
    place = np.nan_to_num(day - times[0])
    low = np.minimum(place.astype(int), len(times) - 2)
    line, share = np.arange(len(size)), place - low
    value: Floats = (1 - share) * size[line, low] + np.where(share > 0, share * size[line, low + 1], 0.0)
    return np.where(np.isfinite(day), value, np.nan)


def at_visits(run: Callable[..., tuple[Floats, Floats]]) -> Callable[..., tuple[Floats, Floats]]:
    """Return a run of a protocol in which progression is seen at the next scheduled assessment, or by death."""

    def seen(*arguments: object, **named: object) -> tuple[Floats, Floats]:
        out, counts = run(*arguments, **named)
        end, window = out[:, :, END], out[:, :, WINDOW]
        progressed = out[:, :, PROGRESSED] > 0.5
        visit = np.append(VISITS, np.inf)[np.searchsorted(VISITS, np.where(progressed, end, 0.0) - 1e-6)]
        late = progressed & (visit > window)
        out[:, :, END] = np.where(progressed, np.minimum(visit, np.minimum(window, np.maximum(out[:, :, DIED], end))),
                                  end)  # fmt: skip
        out[:, :, PROGRESSED] = np.where(late, 0.0, out[:, :, PROGRESSED])
        return out, counts

    return seen


def in_lymphoma(run: Callable[..., tuple[Floats, Floats]]) -> Callable[..., tuple[Floats, Floats]]:
    """Return a run of a protocol that is changed for patients with lymphoma alone."""

    def only(member: StructuredMember, p: Floats, drawn: RandomNumbers, **named: Any) -> tuple[Floats, Floats]:
        out, counts = _run_protocol(member, p, drawn, **named)
        changed, _ = run(member, p, drawn, **named)
        who = diseases(member, drawn) == DISEASES.index("NHL")
        out[who] = changed[who]
        return out, counts

    return only


def with_trial_doses(member: StructuredMember, p: Floats, drawn: RandomNumbers, *, schedule: Schedule, day: Floats,
                     counted: Floats, **named: Any) -> tuple[Floats, Floats]:  # fmt: skip
    """Return read-outs in which as many patients as in the trial were given 2e5 cells/kg, and ten times as many where
    the others were."""
    shares = np.array([_LOW_DOSE[d] for d in DISEASES])[diseases(member, drawn)]
    low = ndtr(drawn.normal[:, _UNUSED[2]]) < shares
    out = np.full((len(p), day.shape[1], len(READ)), np.nan)
    counts = np.full((len(p), day.shape[1], len(counted)), np.nan)
    fewer = schedule.event * np.array([1.0, 1.0, 1.0, _TENTH])
    for who, event in ((low, fewer), (~low, schedule.event)):
        if who.any():
            out[who], counts[who] = _run_protocol(member.among(who), p[who], drawn[who], day=day[who], counted=counted,
                                                  schedule=replace(schedule, event=event), **named)  # fmt: skip
    return out, counts


def after_a_lag(member: StructuredMember, p: Floats, drawn: RandomNumbers, *, schedule: Schedule,
                **named: Any) -> tuple[Floats, Floats]:  # fmt: skip
    """Return read-outs in which some of the cells given take part in the expansion, as after a lag."""
    share = float(member.extra[0]) if member.extra.ndim == 1 else float(member.extra[0, 0])
    fewer = replace(schedule, event=schedule.event * np.array([1.0, 1.0, 1.0, share]))
    return _run_protocol(member, p, drawn, schedule=fewer, **named)


def with_low_antigen(member: StructuredMember, p: Floats, drawn: RandomNumbers,
                     **named: Any) -> tuple[Floats, Floats]:  # fmt: skip
    """Return read-outs in which the tumour that escapes has little antigen in some patients, not none: it is not killed
    either, but called antigen-positive."""
    out, counts = _run_protocol(member, p, drawn, **named)
    low = ndtr(drawn.normal[:, _UNUSED[2]]) < member.extra[..., -1]
    out[low, :, POSITIVE] = out[low, :, BURDEN]
    out[low, :, ESCAPED] = np.where(np.isnan(out[low, :, ESCAPED]), np.nan, 0.0)
    return out, counts


def immune_in_some(member: StructuredMember, drawn: RandomNumbers) -> Floats:
    """Return parameters of patients of whom some have anti-CAR immunity, and the others none."""
    p = parameters(member, drawn)
    p[ndtr(drawn.normal[:, _UNUSED[1]]) >= member.extra[..., -1], INDEX["rmax"]] = 0.0
    return p


def exhausting_early(member: StructuredMember, drawn: RandomNumbers) -> Floats:
    """Return parameters of patients of whom some have T cells that exhaust early, at every infusion."""
    p = parameters(member, drawn)
    share, factor = member.extra[..., -2], member.extra[..., -1]
    early = ndtr(drawn.normal[:, _UNUSED[0]]) < share
    p[early, INDEX["x"]] *= np.broadcast_to(factor, len(p))[early]
    return p


_DEAD_TISSUE = {"half-life of dead tissue": (17.0, 0.3)}
_EXHAUSTION = {"exhausting early": (0.2, 0.8), "exhaustion if early": (4.0, 0.5)}
_IMMUNITY = {"with immunity": (0.4, 0.8)}
_LAG = {"cells that take part": (0.2, 1.0)}
_VARIATION = {"variation of rho": (1.0, 0.6), "variation of w": (1.0, 0.6)}
_EXPANSION = ("rho", "w")
_LOW = {"low antigen": (0.5, 0.8)}
_SHARE = ("exhausting early", "with immunity", "cells that take part", "low antigen")
STRUCTURES: Mapping[str, Structure] = {
    "dead tissue": Structure(_DEAD_TISSUE, {"run_protocol": with_dead_tissue}),
    "dead tissue, scheduled assessments": Structure(_DEAD_TISSUE, {"run_protocol": at_visits(with_dead_tissue)}),
    "dead tissue in lymphoma": Structure(_DEAD_TISSUE, {"run_protocol": in_lymphoma(with_dead_tissue)}),
    "immunity in some patients": Structure(_IMMUNITY, {"parameters": immune_in_some}, _SHARE),
    "a lag": Structure(_LAG, {"run_protocol": after_a_lag}, _SHARE),
    "uncertain variation of expansion": Structure(_VARIATION, {}, varying=_EXPANSION),
    "a lag, uncertain variation of expansion": Structure(
        _LAG | _VARIATION, {"run_protocol": after_a_lag}, _SHARE, _EXPANSION
    ),
    "a lag, uncertain variation of expansion, immunity in some patients": Structure(
        _LAG | _VARIATION | _IMMUNITY, {"run_protocol": after_a_lag, "parameters": immune_in_some}, _SHARE, _EXPANSION
    ),
    "clones of low antigen": Structure(_LOW, {"run_protocol": with_low_antigen}, _SHARE),
    "a discrepancy of kinetics": Structure({"discrepancy of kinetics": (1.0, 1.0)}, {}, own_discrepancy=True),
    "the trial's doses": Structure({}, {"run_protocol": with_trial_doses}),
    "products of their own": Structure(UNKNOWNS_OF_PRODUCTS, {}, own_products=True),
    "early exhaustion": Structure(_EXHAUSTION, {"parameters": exhausting_early}, _SHARE),
}  # fmt: skip
"""Half-lives and shares with their sources: benchmarks/README.md."""
