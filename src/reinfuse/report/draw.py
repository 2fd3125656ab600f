"""Which figures a report has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from reinfuse.analysis import calibrated
from reinfuse.cohort.later import LABELS as LATER
from reinfuse.findings import Findings
from reinfuse.report.figures.flow import flow
from reinfuse.report.figures.forest import forest
from reinfuse.report.figures.influence import influence
from reinfuse.report.figures.km import Arm, kaplan_meier
from reinfuse.report.figures.power import power
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.labels import lowered
from reinfuse.report.tables import Tables

MOST_ARMS = 6
MOST_BARS = 40
MOST_POWERS = 12
FEWEST_IN_ARM = 3


def figures(findings: Findings) -> Iterator[tuple[str, str, Callable[[], Drawn | None]]]:
    """Yield section, name and drawing of each figure.

    Curves of every time to event; for progression-free and overall survival, and a plan's own endpoints, also by
    diagnosis and by the factors of the plan's models.
    """
    tables = Tables(findings)
    synthetic = bool(findings.provenance["synthetic"])
    flows = tables.look.all("flow", None, "count")
    yield "patients", "flow", lambda: flow(flows, findings.plan.index_infusion, synthetic)
    own = {e.name for e in findings.plan.endpoints}
    chosen = dict.fromkeys(f for m in findings.plan.models for f in m.factors)
    factors = [f.name for f in findings.data.factors if f.kind != "number"
               and (f.name in chosen or f.name in findings.plan.subgroups)]  # fmt: skip
    for end in findings.data.endpoints:
        if end.kind != "time" or end.competing is not None:
            continue
        yield end.name, f"km_{end.name}", lambda e=end.name: _curves(tables, e, None, synthetic)  # type: ignore[misc]
        if end.name in ("pfs", "os") or end.name in own:
            for factor in factors:
                draw = lambda e=end.name, f=factor: _curves(tables, e, f, synthetic)  # noqa: E731
                yield end.name, f"km_{end.name}_by_{factor}", draw
    for end in findings.data.endpoints:
        if any(e.estimate is not None for e in tables.effects(end.name)):
            yield f"association_{end.name}", f"forest_{end.name}", lambda e=end.name: _forest(tables, e, synthetic)  # type: ignore[misc]
    for end in findings.data.endpoints:
        yield "sure", f"influence_{end.name}", lambda e=end.name: _influence(tables, e, synthetic)  # type: ignore[misc]
        yield "power", f"power_{end.name}", lambda e=end.name: _power(tables, e, synthetic)  # type: ignore[misc]
    for endpoint, population in dict.fromkeys((e, p) for e, p, _ in findings.curves if p.startswith("landmark=")):
        for factor in dict.fromkeys(_factor_of(g) for e, p, g in findings.curves if (e, p) == (endpoint, population)):
            name = f"{population.replace('=', '_')}_{endpoint}_by_{factor}"
            yield "later", name, partial(_landmark, tables, endpoint, population, factor, synthetic)


def _forest(tables: Tables, endpoint: str, synthetic: bool) -> Drawn:
    title = f"Associations with {lowered(tables.labels.endpoint(endpoint))}"
    records = tables.effects(endpoint)
    if len(records) > MOST_BARS:
        records = [e for e in records if e.model == "multivariable"] or records[:MOST_BARS]
    return forest(f"forest_{endpoint}", title, records, tables.labels, synthetic)


def _factor_of(group: str | None) -> str:
    return (group or "").partition("=")[0]


def _influence(tables: Tables, endpoint: str, synthetic: bool) -> Drawn | None:
    """Draw what single patients change; of a plan without models that is too much to draw."""
    left_out = [e for s in ("odds_ratio", "hazard_ratio") for e in tables.look.all("influence", endpoint, s)
                if e.model == "multivariable"]  # fmt: skip
    full = {e.term: e for e in tables.effects(endpoint) if e.model == "multivariable" and e.term}
    if not left_out:
        return None
    title = f"{tables.labels.endpoint(endpoint)}: the model without one patient"
    return influence(f"influence_{endpoint}", title, full, left_out, tables.labels, synthetic)


def _power(tables: Tables, endpoint: str, synthetic: bool) -> Drawn | None:
    records = [e for e in tables.look.all("power", endpoint, "power") if e.method in calibrated.METHODS.values()]
    model = "multivariable" if any(e.model == "multivariable" for e in records) else "univariable"
    records = [e for e in records if e.model == model]
    false_alarms = tables.look.all("power", endpoint, "type_1_error")
    curves: dict[str, list[tuple[float, float]]] = {}
    for e in (r for r in records if r.estimate is not None and r.group and r.term):
        at_one = [
            (1.0, r.estimate)
            for r in false_alarms
            if (r.term, r.model, r.method) == (e.term, e.model, e.method) and r.estimate is not None
        ]
        points = curves.setdefault(tables.labels.per_sd(e), at_one)
        points.append((float((e.group or "").partition("=")[2]), e.estimate or 0.0))
    if not curves or len(curves) > MOST_POWERS:
        return None
    ordered = {label: sorted(points) for label, points in curves.items()}
    title = f"{tables.labels.endpoint(endpoint)}: what this cohort could have seen"
    what = "odds ratio" if "logistic" in (records[0].method or "") else "hazard ratio"
    return power(f"power_{endpoint}", title, what, ordered, synthetic)


def _landmark(tables: Tables, endpoint: str, population: str, factor: str, synthetic: bool) -> Drawn | None:
    day = float(population.partition("=")[2])
    arms = []
    for key in (k for k in tables.findings.curves if k[:2] == (endpoint, population) and _factor_of(k[2]) == factor):
        median = tables.look.one("landmark", endpoint, "median", population, key[2])
        at_risk = tables.look.all("landmark", endpoint, "at_risk", population=population, group=key[2])
        if median is not None:
            arms.append(Arm((key[2] or "").partition("=")[2], tables.findings.curves[key], median, at_risk))
    if len(arms) < 2 or min(a.curve.n for a in arms) < FEWEST_IN_ARM:
        return None
    known = LATER.get(factor) or tables.labels.factor(factor)
    title = f"{tables.labels.endpoint(endpoint)} from day {day:g}, by {lowered(known)} known then"
    name = f"{population.replace('=', '_')}_{endpoint}_by_{factor}"
    return kaplan_meier(name, title, arms, None, synthetic)


def _curves(tables: Tables, endpoint: str, factor: str | None, synthetic: bool) -> Drawn | None:
    findings, look = tables.findings, tables.look
    label = tables.labels.endpoint(endpoint)
    keys = [k for k in findings.curves if k[0] == endpoint and k[1] == "all"
            and (k[2] is None if factor is None else (k[2] or "").startswith(f"{factor}="))]  # fmt: skip
    arms = []
    for _, population, group in keys:
        median = look.one("survival", endpoint, "median", population, group)
        at_risk = look.all("survival", endpoint, "at_risk", population=population, group=group)
        if median is not None:
            name = "All patients" if group is None else group.partition("=")[2]
            arms.append(Arm(name, findings.curves[endpoint, population, group], median, at_risk))
    if not arms or (factor is not None and not 1 < len(arms) <= MOST_ARMS):
        return None
    if factor is None:
        return kaplan_meier(f"km_{endpoint}", label, arms, None, synthetic)
    test = look.one("survival", endpoint, "p_value", term=factor)
    title = f"{label} by {lowered(tables.labels.factor(factor))}"
    return kaplan_meier(f"km_{endpoint}_by_{factor}", title, arms, test.p_value if test else None, synthetic)
