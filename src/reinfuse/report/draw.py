"""Which figures a report has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reinfuse.report.figures.flow import flow
from reinfuse.report.figures.forest import forest
from reinfuse.report.figures.km import Arm, kaplan_meier
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.labels import lowered
from reinfuse.report.tables import Tables
from reinfuse.study import Findings

MOST_ARMS = 6
MOST_BARS = 40


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


def _forest(tables: Tables, endpoint: str, synthetic: bool) -> Drawn:
    title = f"Associations with {lowered(tables.labels.endpoint(endpoint))}"
    records = tables.effects(endpoint)
    if len(records) > MOST_BARS:
        records = [e for e in records if e.model == "multivariable"] or records[:MOST_BARS]
    return forest(f"forest_{endpoint}", title, records, tables.labels, synthetic)


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
