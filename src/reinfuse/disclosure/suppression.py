"""The decisions on the records of one study."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from reinfuse.analyses.registry import records_of
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.raw_tables import About
from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.disclosure.cell_suppression import ALL, SIZE, Group, Hiding, Measure
from reinfuse.disclosure.coarsening import coarse
from reinfuse.disclosure.measures import counted, curve_pairs, evaluated, numbers_of, rules
from reinfuse.disclosure.rounding import nice_steps, rounded, rounded_time
from reinfuse.results.estimate import ROUNDED, SO_THAT, SUPPRESSED, Estimate, joined
from reinfuse.results.findings import Findings

EFFECTS = records_of("effects")
SHARED_ANALYSES = records_of("counts", "effects")
"""Analyses of the cohort of which anything is kept."""
PUBLISHED = records_of("published")
"""Analyses that hold nothing of the cohort; with studies of the centre's own they are not kept."""
SHOWN_FROM = "smallest_number_shown"
"""The name in the provenance of suppressed findings."""
FEWEST = 3
"""Below 3, `fewer than` would tell the number itself."""
_MEDIANS = ("median", "median_follow_up")
_QUARTILES = ("median", "iqr_low", "iqr_high")
_NEVER = frozenset({("baseline", "smd"), ("baseline", "p_value"), ("survival", "cumulative_events"),
                    ("survival", "cumulative_censored")})  # fmt: skip
"""What a plan's table and figures add, and tells small numbers."""
_OF_ONE = f"{SUPPRESSED}the value of one patient"


@dataclass(frozen=True)
class Removed:
    """What was taken away: the kind of thing, why, and how many."""

    what: str
    why: str
    count: int


def suppressed(findings: Findings, smallest: int) -> tuple[Findings, tuple[Removed, ...]]:
    """Return findings without small numbers, without patients' own data, and what was removed.

    Parameters
    ----------
    findings
        As analysed, or read back.
    smallest
        The smallest number of patients that may be shown, at least 3.

    Returns
    -------
    tuple
        Findings, with `smallest` in their provenance, and what was removed; findings that were suppressed for as
        large a number before are returned as they are.

    Raises
    ------
    ValueError
        If `smallest` is below 3, or the findings were suppressed for a smaller number before.
    """
    if smallest < FEWEST:
        raise ValueError(f"the smallest number shown must be {FEWEST} or more")
    already = findings.provenance.get(SHOWN_FROM)
    if already is not None and already >= smallest:
        return findings, ()
    if already is not None:
        raise ValueError(f"numbers below {already} are already suppressed: start from the original results")
    findings, removed = _of_shared_endpoints(findings)
    control = _Control(findings, smallest)
    estimates = tuple(control.estimates())
    removed += [Removed(what, why, n) for (what, why), n in sorted(control.removed.items())]
    curves = control.coarse.curves
    removed.append(Removed("curve", "too few events or patients at risk", len(findings.curves) - len(curves)))
    removed.append(Removed("row of a patient", "single patients", findings.flow.height))
    notes = sum(w["about"] != "rules and data" for w in findings.warnings)
    removed.append(Removed("note on reading or checking", "may quote a value or a row", notes))
    removed.append(Removed("note on rules and data", "may count few patients", len(findings.warnings) - notes))
    removed.append(Removed("summary of the CAR-T counts", "may count few patients", int(findings.kinetics is not None)))
    about, texts = _about(findings.described.about)
    removed.append(Removed("text of the cohort's description", "holds numbers", texts))
    shown = replace(findings, estimates=estimates, curves=curves, flow=findings.flow.clear(), warnings=(),
                    kinetics=None, described=replace(findings.described, about=about), patients=pl.DataFrame(),
                    cohort=None, data=None, provenance={**findings.provenance, SHOWN_FROM: smallest})  # fmt: skip
    return shown, tuple(r for r in removed if r.count)


def _of_shared_endpoints(findings: Findings) -> tuple[Findings, list[Removed]]:
    """Return findings without the endpoints of which nothing may leave a centre, and what is gone with these."""
    described = findings.described
    ends = tuple(e for e in described.endpoints if declaration(e.name).shared)
    estimates = tuple(e for e in findings.estimates if declaration(e.endpoint or "").shared)
    curves = {place: curve for place, curve in findings.curves.items() if declaration(place[0]).shared}
    gone = (("endpoint", len(described.endpoints) - len(ends)),
            ("record of such an endpoint", len(findings.estimates) - len(estimates)),
            ("curve of such an endpoint", len(findings.curves) - len(curves)))  # fmt: skip
    why = "numbers of other endpoints could be subtracted from it"
    left = replace(findings, estimates=estimates, curves=curves, described=replace(described, endpoints=ends))
    return left, [Removed(what, why, count) for what, count in gone]


def _about(about: About) -> tuple[About, int]:
    """Return what the cohort's owner wrote without the texts that hold a digit, but for title and source; how many."""
    limits = tuple(text for text in about.limits if not _has_digit(text))
    description = "" if _has_digit(about.description) else about.description
    gone = len(about.limits) - len(limits) + (description != about.description)
    return replace(about, description=description, limits=limits), gone


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)


class _Control:
    """The decisions on one study."""

    def __init__(self, findings: Findings, smallest: int) -> None:
        self.findings = findings
        self.few = f"{SUPPRESSED}fewer than {smallest}"
        self.removed: Counter[tuple[str, str]] = Counter()
        self.populations = set(findings.described.populations)
        self.published = frozenset() if findings.plan.evidence.registers else PUBLISHED
        self.shared = [e for e in findings.estimates if _is_shared(e)]
        counting = [e for e in self.shared if e.analysis not in EFFECTS]
        cells = numbers_of(counting, findings.described.patients, self.group, plan=findings.plan.rules)
        self.hiding = Hiding(cells, rules(cells), smallest)
        self.hidden = self.hiding.hidden
        ends = {e.name for e in findings.described.endpoints if not e.competing}
        self.coarse = coarse(findings.curves, self.hiding, self.group, endpoints=ends, pairs=curve_pairs(cells))

    def group(self, e: Estimate | tuple[str, str | None]) -> Group:
        """Return the group of a record; the level of a factor that is a population too is that population."""
        population, level = e if isinstance(e, tuple) else (e.population, e.group)
        return (level, None) if population == "all" and level in self.populations else (population, level)

    def estimates(self) -> Iterator[Estimate]:
        """Yield every record that is kept, suppressed where it must be."""
        for e in self.findings.estimates:
            if e.analysis in self.published:
                yield e
                continue
            if not _is_shared(e):
                self.removed[
                    e.analysis, "excludes, pairs or singles out patients, or can be derived from other numbers"
                ] += 1
                continue
            why = self._why(e)
            if why is not None:
                self.removed[e.analysis, why.removeprefix(SUPPRESSED)] += 1
            if why is None or not self._is_late(e):
                yield self._shown(e) if why is None else self._without(e, why)

    # Records

    def _why(self, e: Estimate) -> str | None:
        """Return why a record is suppressed; None if it may be shown."""
        if e.analysis == "flow":
            return self._why_flow(e)
        if e.analysis in EFFECTS or (e.analysis == "survival" and e.statistic == "p_value"):
            return None if self._effect_is_safe(e) else SO_THAT
        group, numbers = self.group(e), counted(e)
        if (SIZE, group) in self.hidden:
            return self._reason(SIZE, e)
        if numbers is not None and e.statistic != "median" and (numbers, group) in self.hidden:
            return self._reason(numbers, e)
        if e.analysis == "survival":
            return None if self._time_is_safe(e) else SO_THAT
        of_one = e.statistic in ("min", "max") or self._coarser(e) is None
        return _OF_ONE if of_one and e.analysis == "baseline" else None

    def _reason(self, measure: Measure, e: Estimate) -> str:
        """Return the reason: `fewer than` of a number of patients only, and where that gives nothing away."""
        small = (measure, self.group(e)) in self.hiding.named_small
        return self.few if small and e.statistic in ("count", "proportion", "missing") else SO_THAT

    def _why_flow(self, e: Estimate) -> str | None:
        out = [x.estimate for x in self.shared if x.analysis == "flow" and x.term == "excluded"]
        if e.term == "analysed":
            return self.few if (SIZE, ALL) in self.hidden else None
        if not any(self.hiding.few(x) for x in out):
            return SO_THAT if (SIZE, ALL) in self.hidden else None
        return self.few if self.hiding.few(e.estimate) and len(out) > 1 else SO_THAT

    @cached_property
    def _groups_of(self) -> dict[str, list[Group]]:
        """The groups of each factor that has levels."""
        groups: dict[str, list[Group]] = defaultdict(list)
        for e in self.shared:
            if e.group is not None and e.population == "all":
                name = factor_of(e.group)
                if self.group(e) not in groups[name]:
                    groups[name].append(self.group(e))
        return groups

    @cached_property
    def _models(self) -> dict[str | None, set[str]]:
        """The factors of each endpoint's multivariable model."""
        factors: dict[str | None, set[str]] = defaultdict(set)
        for e in self.shared:
            if e.analysis == "association" and e.model == "multivariable":
                factors[e.endpoint].add(e.term or "")
        return factors

    def _effect_is_safe(self, e: Estimate) -> bool:
        """Tell whether no number of any level of an effect's factors is hidden."""
        factors = {e.term or ""}
        if e.model == "multivariable":
            factors |= self._models[e.endpoint]
        measures = [(m, e.endpoint) for m in ("response", "survival") if (m, e.endpoint) in self.hiding.cells]
        numbers = {f.name for f in self.findings.described.factors if f.kind == "number"}
        groups = [ALL]
        for factor in factors:
            if factor not in numbers and not self._groups_of[factor]:
                return False
            groups += self._groups_of[factor]
        return bool(measures) and not any((m, g) in self.hidden for m in (SIZE, *measures, ("evaluated", e.endpoint))
                                          for g in groups)  # fmt: skip

    def _time_is_safe(self, e: Estimate) -> bool:
        """Tell whether a time, a rate or a number at risk tells no small number."""
        place = (e.endpoint or "", self.group(e))
        if (("evaluated", *place[:1]), place[1]) in self.hidden:
            return False
        if e.statistic == "at_risk":
            return self.coarse.tells_at_risk(place, e.at or 0)
        if e.statistic == "rate_at":
            return self.coarse.tells_rate(place, e.at or 0)
        return not self.hiding.few(e.events) and self._coarser(e) is not None

    def _is_late(self, e: Estimate) -> bool:
        """Tell whether a number at risk is of a day after the curve that is told: up to which is the last patient's."""
        times = self.coarse.times.get((e.endpoint or "", self.group(e)), ())
        return e.statistic == "at_risk" and (e.at or 0) > max(times, default=0)

    def _coarser(self, e: Estimate) -> Estimate | None:
        """Return a record rounded so that no patient's value is told; None where there is no such number."""
        if e.analysis == "survival" and e.statistic in _MEDIANS:
            curve = self.findings.curves.get((e.endpoint or "", e.population, e.group))
            if curve is None:
                return None
            counts = curve.events if e.statistic == "median" else curve.censored
            return rounded_time(e, np.repeat(curve.time, counts.astype(int)), k=self.hiding.k)
        if e.analysis == "baseline" and e.statistic in _QUARTILES and e.estimate is not None:
            value = rounded(e.estimate, self._values(e), self.hiding.k, steps=nice_steps(e.estimate))
            note = ROUNDED if value != float(f"{e.estimate:.3g}") else None
            return None if value is None else replace(e, estimate=value, note=joined([e.note, note]))
        return _rounded(e)

    def _values(self, e: Estimate) -> Floats:
        """Return what the patients of a record's population and group have of its variable, as far as it is there."""
        frame, strata = self.findings.patients, [s for s in (e.population, e.group) if level_of(s)]
        if not {e.term or "", *map(factor_of, strata)} <= set(frame.columns):
            return np.empty(0)
        of = frame
        for stratum in strata:
            of = of.filter(pl.col(factor_of(stratum)).cast(pl.String) == level_of(stratum))
        return of[e.term or ""].cast(pl.Float64, strict=False).drop_nulls().to_numpy()

    def _n(self, e: Estimate) -> int | None:
        """Return a record's number of patients, if it tells no small one."""
        if e.analysis == "flow":
            return e.n if self._why_flow(replace(e, term="in the cohort", level=None)) is None else None
        measure, group = evaluated(e) or SIZE, self.group(e)
        if e.analysis in EFFECTS or e.statistic == "p_value":
            measure, group = ("evaluated", e.endpoint), ALL
        if (SIZE, group) in self.hidden or (measure, group) in self.hidden:
            return None
        return e.n if self.hiding.cells[measure][group].x == e.n else None

    def _events(self, e: Estimate) -> int | None:
        """Return a record's number of events, if it tells no small one and the number of patients is shown."""
        if e.statistic == "median_follow_up" or self._n(e) is None:
            return None
        effect = e.analysis in EFFECTS or e.statistic == "p_value"
        measures = [(m, e.endpoint) for m in ("response", "survival")] if effect or e.analysis == "survival" else []
        return None if any((m, ALL if effect else self.group(e)) in self.hidden for m in measures) else e.events

    def _shown(self, e: Estimate) -> Estimate:
        """Return a record that is kept: rounded, without numbers that tell others, without notes that count."""
        coarser = self._coarser(e)
        assert coarser is not None
        return replace(coarser, n=self._n(e), events=self._events(e), note=_uncounted(coarser.note))

    def _without(self, e: Estimate, why: str) -> Estimate:
        return replace(e, estimate=None, lower=None, upper=None, p_value=None, events=None, n=self._n(e), note=why)


def _is_shared(e: Estimate) -> bool:
    """Tell whether anything of a record is kept."""
    return e.analysis in SHARED_ANALYSES and (e.analysis, e.statistic) not in _NEVER


def _rounded(e: Estimate) -> Estimate:
    """Return a record with no more digits than a report prints, but for shares, whose numbers are shown."""
    p = None if e.p_value is None else float(f"{e.p_value:.2g}")
    if e.unit == "patients" or e.statistic == "proportion":
        return e
    if e.statistic == "rate_at":
        low, mid, high = (None if v is None else round(v, 2) for v in (e.lower, e.estimate, e.upper))
    else:
        low, mid, high = (None if v is None else float(f"{v:.3g}") for v in (e.lower, e.estimate, e.upper))
    return replace(e, estimate=p if e.statistic == "p_value" else mid, lower=low, upper=high, p_value=p)


def _uncounted(note: str | None) -> str | None:
    """Return the parts of a note before any number."""
    if note is None:
        return None
    parts = [part.split(": ")[0] if _has_digit(part) else part for part in note.split("; ")]
    return "; ".join(part for part in parts if not _has_digit(part)) or None
