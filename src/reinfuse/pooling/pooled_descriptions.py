"""Worst grades and centre-averaged curves of all centres, tests by permutation, and the price of stratifying."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reinfuse.analyses.proportion import proportion
from reinfuse.analyses.toxicity import SEVERE
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.strata import Stratum
from reinfuse.messages import counted
from reinfuse.pooling.centre_data import FEWEST_PATIENTS
from reinfuse.pooling.combining import PooledResults
from reinfuse.pooling.descriptive_tables import HALF_YEAR, HELD_BACK, KINDS, PARTITIONS, grades_of
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics.information_kept import information_kept, share_kept
from reinfuse.statistics.nonparametric import log_log_limits
from reinfuse.statistics.permutation_within_strata import PERMUTATIONS

CENTRE_AVERAGED = "centre-averaged Kaplan-Meier, weights the centres' patients; log-log CI"
PERMUTED = {"binary": f"Cochran-Mantel-Haenszel, {PERMUTATIONS:,} permutations within centres",
            "time": f"log-rank, {PERMUTATIONS:,} permutations within centres"}  # fmt: skip
NO_INTERVAL = "no interval: all, or none, are without the event"
INFORMATION = "by the centres' sizes: sum of d (1 - H(n)/n), if factor and events are alike in all centres"


def toxicity(results: PooledResults) -> Iterator[Estimate]:
    """Yield patients by grade, with any grade, and with grade 3 or more; nothing of a grade that a centre hides."""
    for kind in KINDS:
        tables, remark = _of_total(results, kind) if results.study.mode == "masked" else _of_centres(results, kind)
        if not tables:
            continue
        groups = [*((Stratum(kind, grade), range(int(grade), int(grade) + 1)) for grade in PARTITIONS[0]),
                  *((Stratum.at_least(kind, least), range(least, 6)) for least in (1, SEVERE))]  # fmt: skip
        for term, grades in groups:
            counts = {c: _patients_with(t, grades) for c, t in tables.items()}
            hidden = [c for c, n in counts.items() if n is None]
            single = len(grades) == 1
            if hidden:
                why = f"small numbers are hidden at {', '.join(hidden)}" if results.study.mode != "masked" else None
                yield Estimate("toxicity", None, "count" if single else "proportion", term=term,
                               unit="patients" if single else "fraction", method="count",
                               note=joined([f"{NOT_ESTIMABLE}: {why or remark}", remark if why else None]))  # fmt: skip
                continue
            x, n = sum(v or 0 for v in counts.values()), sum(t["n"] for t in tables.values())
            if single:
                yield Estimate("toxicity", None, "count", term=term, estimate=float(x), unit="patients",
                               method="count", n=n, events=x, note=remark)  # fmt: skip
            else:
                yield from proportion(x, n, results.study.plan.confidence, analysis="toxicity", endpoint=None,
                                      term=term)  # fmt: skip


_Grades = tuple[dict[str, Mapping[str, Any]], str | None]
"""Tables of worst grades by centre, or of all together, and a remark on them."""


def _of_centres(results: PooledResults, kind: str) -> _Grades:
    tables = {c: a.tables["toxicity"][kind] for c, a in results.first.items() if kind in a.tables["toxicity"]}
    lacking = [c for c in results.study.centres if c not in tables]
    return tables, f"not recorded at {', '.join(lacking)}" if lacking else None


def _of_total(results: PooledResults, kind: str) -> _Grades:
    """Return the total, without grades where a centre holds its own back; nothing where all do."""
    total = results.totals["toxicity"][kind]
    lacking = total[HELD_BACK]
    if lacking == len(results.study.centres):
        return {}, None
    if not lacking:
        return {"all": total}, None
    why = f"not recorded, or in fewer than {FEWEST_PATIENTS} patients, in {counted(lacking, 'centre')}"
    return {"all": {"n": 0, "grades": None}}, why


def _patients_with(table: Mapping[str, Any], grades: range) -> int | None:
    """Return how many patients have one of some grades; None where the parts do not tell."""
    if table["grades"] is None:
        return None
    count = 0
    for part, n in table["grades"].items():
        inside = [grade in grades for grade in grades_of(part)]
        if any(inside) and not all(inside):
            return None
        count += n if all(inside) else 0
    return count


def centre_averaged(results: PooledResults) -> Iterator[Estimate]:
    """Yield survival at the months that every centre tells: sum of n S / sum of n, variance sum of w^2 V."""
    confidence = results.study.plan.confidence
    for name in (e for e in results.study.endpoints if results.study.kind_of(e) == "time"):
        points, why = _averaged_total(results, name) if results.study.mode == "masked" else _averaged(results, name)
        if not results.study.has_curve(name):
            points, why = [], "a competing event would be counted as survival"
        if not points:
            yield Estimate("survival", name, "rate_at", confidence=confidence, unit="fraction",
                           method=CENTRE_AVERAGED, note=f"{NOT_ESTIMABLE}: {why}")  # fmt: skip
        n, events = (sum(a.tables["endpoints"].get(name, {what: 0})[what] for a in results.first.values())
                     for what in ("n", "events"))  # fmt: skip
        for month, survival, error in points:
            lower, upper = _log_log(survival, error, confidence)
            yield Estimate("survival", name, "rate_at", at=month * DAYS_A_MONTH, estimate=survival, lower=lower,
                           upper=upper, confidence=confidence, unit="fraction", method=CENTRE_AVERAGED, n=n,
                           events=events, note=NO_INTERVAL if lower is None else None)  # fmt: skip


_Averaged = tuple[list[tuple[int, float, float]], str]
"""Months with survival and its standard error, and why there are none."""


def _averaged(results: PooledResults, name: str) -> _Averaged:
    curves = {c: a.tables["curves"].get(name) for c, a in results.first.items()}
    lacking = [c for c, curve in curves.items() if curve is None]
    months = set.intersection(*(set((curve or {"months": []})["months"]) for curve in curves.values())) - {0}
    if not months:
        return [], f"no curve from {', '.join(lacking)}" if lacking else "no month is told by every centre"
    sent = [curve for curve in curves.values() if curve is not None]
    n, points = sum(c["n"] for c in sent), []
    for month in sorted(months):
        parts = [(c["n"] / n, c["survival"][c["months"].index(month)], c["se"][c["months"].index(month)])
                 for c in sent]  # fmt: skip
        points.append((month, sum(w * s for w, s, _ in parts), sum((w * e) ** 2 for w, _, e in parts) ** 0.5))
    return points, ""


def _averaged_total(results: PooledResults, name: str) -> _Averaged:
    """Return it from the sums over the centres of n S and of n^2 V, at the months of which no centre holds back."""
    curve, end = results.totals["curves"].get(name), results.totals["endpoints"].get(name)
    if curve is None or end is None:
        return [], "not told by every centre"
    half_years = zip(curve[HELD_BACK], curve["survival"], curve["variance"], strict=True)
    return [(HALF_YEAR * place, survival / end["n"], max(variance, 0.0) ** 0.5 / end["n"])
            for place, (lacking, survival, variance) in enumerate(half_years, 1) if not lacking], \
        "no half-year is told by every centre"  # fmt: skip


def _log_log(survival: float, error: float, confidence: float) -> tuple[float | None, float | None]:
    if not 0 < survival < 1 or error <= 0:
        return None, None
    lower, upper = log_log_limits(np.array([survival]), np.array([error / (survival * -np.log(survival))]), confidence)
    return float(lower[0]), float(upper[0])


def permutations(results: PooledResults) -> Iterator[Estimate]:
    """Yield the tests by permutation within centres, where the tables of all centres are there."""
    for one in (m for m in results.models if m.permutation is not None):
        parts = [results.first[c].tables["models"][one.model.key] for c in one.centres]
        binary = results.study.kind_of(one.model.endpoint) == "binary"
        yield Estimate("calibrated", one.model.endpoint, "p_value", model=one.model.adjustment,
                       term=one.model.factors[0], estimate=one.permutation, p_value=one.permutation,
                       method=PERMUTED["binary" if binary else "time"], n=sum(t["n"] for t in parts),
                       events=sum(t["events"] for t in parts))  # fmt: skip


def price(results: PooledResults) -> Iterator[Estimate]:
    """Yield the share of information that hazard ratios keep though patients are compared within centres alone."""
    for name in (e for e in results.study.endpoints if results.study.kind_of(e) == "time"):
        counts = [a.tables["endpoints"][name] for a in results.first.values() if name in a.tables["endpoints"]]
        n, events = [t["n"] for t in counts], [t["events"] for t in counts]
        share = information_kept(n, events) if counts else None
        if results.study.mode == "masked" and counts:
            share = share_kept(results.totals["endpoints"][name]["information"], sum(n), sum(events))
        if share is not None:
            yield Estimate("price_of_stratifying", name, "information_kept", estimate=share, unit="fraction",
                           method=INFORMATION, n=sum(n), events=sum(events))  # fmt: skip
