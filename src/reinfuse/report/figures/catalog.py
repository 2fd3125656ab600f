"""Which figures a report has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses import simulated_inference
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.post_baseline import LABELS as LATER
from reinfuse.cohort.strata import Stratum, factor_of, level_of
from reinfuse.report.figures.catalog_kinetics import kinetic_figures
from reinfuse.report.figures.catalog_patients import patient_figures
from reinfuse.report.figures.figure_spec import Planned
from reinfuse.report.figures.flow import flow
from reinfuse.report.figures.forest import forest
from reinfuse.report.figures.incidence import incidence
from reinfuse.report.figures.influence import influence
from reinfuse.report.figures.km import GroupCurve, kaplan_meier
from reinfuse.report.figures.power import power
from reinfuse.report.figures.response import Bar, response
from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.report.tables.results import Tables
from reinfuse.report.text.labels import lowered
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings

MOST_ARMS = 6
MOST_BARS = 40
MOST_POWERS = 12
FEWEST_IN_ARM = 3


def figures(findings: Findings, columns: Columns | None = None) -> Iterator[Planned]:
    """Yield every figure that these findings may have.

    Curves of every time to event; for progression-free and overall survival, and a plan's own endpoints, also by
    diagnosis and by the factors of the plan's models.

    Parameters
    ----------
    columns
        Columns of a journal's page that each spans; default: what suits the figure.
    """
    yield from _Plan(findings, columns).figures()


class _Plan:
    """The figures of one study."""

    def __init__(self, findings: Findings, columns: Columns | None) -> None:
        self.findings = findings
        self.tables = Tables(findings)
        self.synthetic = bool(findings.provenance["synthetic"])
        self.one: Columns = columns or 1
        self.two: Columns = columns or 2
        self.columns = columns

    def figures(self) -> Iterator[Planned]:
        flows = self.tables.look.all("flow", None, "count")
        yield (
            "patients",
            "flow",
            lambda: flow(flows, self.findings.plan.index_infusion, self.synthetic, columns=self.one),
        )
        yield from patient_figures(self.findings, self.columns)
        yield "response", "response_best", lambda: _responses(self.tables, self.synthetic, columns=self.two)
        yield from self._curves()
        yield "competing", "incidence", lambda: _incidence(self.tables, self.synthetic, columns=self.one)
        ends = [e.name for e in self.findings.described.endpoints]
        for end in ends:
            if any(e.estimate is not None for e in self.tables.effects(end)):
                draw = partial(_forest, self.tables, end, self.synthetic, columns=self.two)
                yield f"association_{end}", f"forest_{end}", draw
        for end in ends:
            yield "sure", f"influence_{end}", partial(_influence, self.tables, end, self.synthetic, columns=self.two)
            yield "power", f"power_{end}", partial(_power, self.tables, end, self.synthetic, columns=self.one)
        yield from self._landmarks()
        yield from kinetic_figures(self.findings, self.columns, every=False)

    def _curves(self) -> Iterator[Planned]:
        plan, described = self.findings.plan, self.findings.described
        own = {e.name for e in plan.endpoints}
        chosen = dict.fromkeys(f for m in plan.models for f in m.factors)
        factors = [f.name for f in described.factors if f.kind != "number"
                   and (f.name in chosen or f.name in plan.subgroups)]  # fmt: skip
        for end in (e.name for e in described.endpoints if e.kind == "time" and not e.competing):
            yield end, f"km_{end}", partial(_curves, self.tables, end, None, synthetic=self.synthetic, columns=self.one)
            if declaration(end).by_factor or end in own:
                for factor in factors:
                    draw = partial(_curves, self.tables, end, factor, synthetic=self.synthetic, columns=self.one)
                    yield end, f"km_{end}_by_{factor}", draw

    def _landmarks(self) -> Iterator[Planned]:
        curves = self.findings.curves
        for endpoint, population in dict.fromkeys((e, p) for e, p, _ in curves if factor_of(p) == "landmark"):
            for factor in dict.fromkeys(factor_of(g) for e, p, g in curves if (e, p) == (endpoint, population)):
                name = f"{population.replace('=', '_')}_{endpoint}_by_{factor}"
                draw = partial(
                    _landmark,
                    self.tables,
                    endpoint,
                    population,
                    factor=factor,
                    synthetic=self.synthetic,
                    columns=self.one,
                )
                yield "later", name, draw


def _forest(tables: Tables, endpoint: str, synthetic: bool, *, columns: Columns) -> Drawn:
    title = f"Associations with {lowered(tables.labels.endpoint(endpoint))}"
    records = tables.effects(endpoint)
    if len(records) > MOST_BARS:
        records = [e for e in records if e.model == "multivariable"] or records[:MOST_BARS]
    return forest(f"forest_{endpoint}", title, records, labels=tables.labels, synthetic=synthetic, columns=columns)


def _responses(tables: Tables, synthetic: bool, *, columns: Columns) -> Drawn | None:
    """Draw best responses of all patients, of each subgroup and of each level of the models' factors."""
    counts: dict[tuple[str, str | None], list[Estimate]] = {}
    for e in (e for e in tables.look.all("response", "response", "count") if e.term):
        counts.setdefault((e.population, e.group), []).append(e)
    if not any(e.estimate for e in counts.get(("all", None), [])):
        return None
    bars = [Bar("All patients", counts["all", None])]
    own = [p for p in tables.populations if p != "all"]
    sets: dict[str, list[tuple[str, str | None]]] = {
        factor_of(p): [(q, None) for q in own if factor_of(q) == factor_of(p)] for p in own
    }
    chosen = dict.fromkeys(f for m in tables.findings.plan.models for f in m.factors)
    for factor in (f for f in tables.findings.described.factors if f.name in chosen and f.name not in sets):
        sets[factor.name] = [("all", Stratum(factor.name, level)) for level in factor.levels]
    for name, members in sets.items():
        with_counts = [(g, counts[g]) for g in members if counts.get(g) and counts[g][0].n != 0]
        if 1 < len(with_counts) <= MOST_ARMS:
            bars.append(Bar(tables.labels.factor(name)))
            bars += [Bar(level_of(g[1] or g[0]), of_group) for g, of_group in with_counts]
    return response("Best response", bars, synthetic, columns=columns)


def _incidence(tables: Tables, synthetic: bool, *, columns: Columns) -> Drawn | None:
    """Draw the competing events of all patients together."""
    arms, rates = [], []
    for end in (e for e in tables.findings.described.endpoints if e.competing):
        curve = tables.findings.curves.get((end.name, "all", None))
        rates_at = tables.look.all("competing", end.name, "rate_at", population="all", group=None)
        at_risk = tables.look.all("competing", end.name, "at_risk", population="all", group=None)
        if curve is not None and rates_at and at_risk:
            arms.append(GroupCurve(end.label, curve, rates_at[0], at_risk))
            rates.append([r for r in rates_at if r.estimate is not None])
    if not arms:
        return None
    title = "Cumulative incidence of competing events"
    return incidence("incidence", title, arms, rates=rates, synthetic=synthetic, columns=columns)


def _influence(tables: Tables, endpoint: str, synthetic: bool, *, columns: Columns) -> Drawn | None:
    """Draw what single patients change; of a plan without models that is too much to draw."""
    left_out = [e for s in ("odds_ratio", "hazard_ratio") for e in tables.look.all("influence", endpoint, s)
                if e.model == "multivariable"]  # fmt: skip
    full = {e.term: e for e in tables.effects(endpoint) if e.model == "multivariable" and e.term}
    if not left_out:
        return None
    title = f"{tables.labels.endpoint(endpoint)}: leave-one-out analysis"
    return influence(f"influence_{endpoint}", title, full, left_out=left_out, labels=tables.labels, synthetic=synthetic,
                     columns=columns)  # fmt: skip


def _power(tables: Tables, endpoint: str, synthetic: bool, *, columns: Columns) -> Drawn | None:
    records = [
        e for e in tables.look.all("power", endpoint, "power") if e.method in simulated_inference.METHODS.values()
    ]
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
        points.append((float(level_of(e.group)), e.estimate or 0.0))
    if not curves or len(curves) > MOST_POWERS:
        return None
    ordered = {label: sorted(points) for label, points in curves.items()}
    title = f"{tables.labels.endpoint(endpoint)}: power by true effect"
    what = "odds ratio" if "logistic" in (records[0].method or "") else "hazard ratio"
    return power(f"power_{endpoint}", title, what, curves=ordered, synthetic=synthetic, columns=columns)


def _landmark(tables: Tables, endpoint: str, population: str, *, factor: str, synthetic: bool,
              columns: Columns) -> Drawn | None:  # fmt: skip
    day = float(level_of(population))
    arms = []
    for key in (k for k in tables.findings.curves if k[:2] == (endpoint, population) and factor_of(k[2]) == factor):
        median = tables.look.one("landmark", endpoint, "median", population, key[2])
        at_risk = tables.look.all("landmark", endpoint, "at_risk", population=population, group=key[2])
        if median is not None:
            arms.append(GroupCurve(level_of(key[2]), tables.findings.curves[key], median, at_risk))
    if len(arms) < 2 or min(a.curve.n for a in arms) < FEWEST_IN_ARM:
        return None
    factor_label = LATER.get(factor) or tables.labels.factor(factor)
    title = f"{tables.labels.endpoint(endpoint)} from landmark day {day:g}, by {lowered(factor_label)}"
    name = f"{population.replace('=', '_')}_{endpoint}_by_{factor}"
    return kaplan_meier(name, title, arms, p_value=None, synthetic=synthetic, columns=columns, since=f"day {day:g}")


def _curves(tables: Tables, endpoint: str, factor: str | None, *, synthetic: bool, columns: Columns) -> Drawn | None:
    findings, look = tables.findings, tables.look
    label = tables.labels.endpoint(endpoint)
    keys = [k for k in findings.curves if k[0] == endpoint and k[1] == "all"
            and (k[2] is None if factor is None else factor_of(k[2]) == factor)]  # fmt: skip
    arms = []
    for _, population, group in keys:
        median = look.one("survival", endpoint, "median", population, group)
        at_risk = look.all("survival", endpoint, "at_risk", population=population, group=group)
        if median is not None:
            name = "All patients" if group is None else level_of(group)
            arms.append(GroupCurve(name, findings.curves[endpoint, population, group], median, at_risk))
    if not arms or (factor is not None and not 1 < len(arms) <= MOST_ARMS):
        return None
    if factor is None:
        return kaplan_meier(f"km_{endpoint}", label, arms, p_value=None, synthetic=synthetic, columns=columns)
    test = look.one("survival", endpoint, "p_value", term=factor)
    title = f"{label} by {lowered(tables.labels.factor(factor))}"
    return kaplan_meier(
        f"km_{endpoint}_by_{factor}",
        title,
        arms,
        p_value=test.p_value if test else None,
        synthetic=synthetic,
        columns=columns,
    )
