"""Endpoints by several rules in the report's supplement, and whether a conclusion depends on the rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.analyses.endpoint_rules import ANALYSED, NOT_COMPARED, OF_PLAN, RATIOS
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.rule_variants import FIRST, TIMES
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.estimands import estimand_table
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import listed, lowered
from reinfuse.report.text.references import Reference
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings

_E9 = Reference(
    "Akacha M, Bretz F, Ruberg S",
    "Estimands in clinical trials: broadening the perspective",
    "Stat Med", 2017, "36", "5-19", "1", "10.1002/sim.7033",
)  # fmt: skip
_PLAN = "the plan's"
_ALWAYS = "Best response is up to a new anticancer therapy by every rule: a response after it may be that therapy's."


def _table(tables: StudyTables) -> Table | None:
    rows: list[Row] = []
    marks: dict[str, int] = {}
    for name in (*FIRST, *TIMES):
        described = [e for s in ("proportion", "median") for e in tables.look.all(ANALYSED, name, s)]
        if described:
            label = f"{_label(tables, name)}{declaration(name).origin}"
            what = "proportion" if described[0].statistic == "proportion" else "median, months"
            rows.append(Row(f"{label}: {what}", ("",) * 9))
            rows += [row for e in described for row in _rows(tables, e, marks=marks)]
    if not rows:
        return None
    effects = [e for s in RATIOS for name in (*FIRST, *TIMES) for e in tables.look.all(ANALYSED, name, s)]
    effect = f"Ratio for {lowered(tables.labels.factor(effects[0].term or ''))} ({tables.ci})" if effects else "Ratio"
    heads = ("Rule", "n", "Events", f"Estimate ({tables.ci})", "Patients who differ", "n, ratio",
             "Events, ratio", effect, tables.p, "Note")  # fmt: skip
    left_out = [f"Not compared, {e.group}: {e.note}." for e in tables.look.all(ANALYSED, None, NOT_COMPARED)]
    notes = (
        "Patients who differ: whose outcome is not that by the plan's rules, or where the plan does not derive the "
        "endpoint, by the first rule. Odds ratio of response, else hazard ratio; subdistribution hazard ratio where a "
        f"transplant competes. {_ALWAYS}",
        *left_out, *(f"({number}) {text}" for text, number in marks.items()),
    )  # fmt: skip
    return Table("endpoint_rules", "Endpoints by several rules of derivation", heads, tuple(rows), notes)


def _rows(tables: StudyTables, described: Estimate, *, marks: dict[str, int]) -> Iterator[Row]:
    """Yield the row of one rule, with a further one for each further level of the factor."""
    name, rule = described.endpoint, described.group
    differ = tables.look.all(ANALYSED, name, "changed", group=rule)
    shown = number_format.share if described.statistic == "proportion" else number_format.time
    cells = (number_format.count(described.n), number_format.count(described.events), shown(described),
             number_format.count(differ[0].estimate if differ else None))  # fmt: skip
    effects = [e for s in RATIOS for e in tables.look.all(ANALYSED, name, s, group=rule)]
    head = f"{rule} ({_PLAN})" if _planned(described) and rule != OF_PLAN else str(rule)
    for place, effect in enumerate(effects or [None]):
        remarks = [*_remarks(described), *_remarks(effect)] if not place else _remarks(effect)
        flags = ",".join(str(marks.setdefault(text, len(marks) + 1)) for text in dict.fromkeys(remarks))
        level = f"{effect.level}: " if effect is not None and effect.level else ""
        value = "–" if effect is None else f"{level}{ratio(effect)}"
        p = number_format.p_value(effect.p_value if effect else None)
        size = (effect.n, effect.events) if effect else (None, None)
        basis = (number_format.count(v) for v in size)
        yield Row("" if place else head, (*(("",) * 4 if place else cells), *basis, value, p, flags), inner=True)


def _remarks(record: Estimate | None) -> list[str]:
    return [part for part in ((record.note if record else None) or "").split("; ") if part and part != OF_PLAN]


def _planned(record: Estimate) -> bool:
    return (record.note or "").split("; ")[0] == OF_PLAN


def _label(tables: StudyTables, name: str) -> str:
    own = {e.name: e.label for e in tables.findings.described.endpoints}
    return own.get(name, declaration(name).label)


def conclusions(tables: StudyTables) -> Iterator[str]:
    """Yield for each endpoint of the plan whether direction or p-value of an effect depends on the rule."""
    for name in (*FIRST, *TIMES):
        effects = [e for s in RATIOS for e in tables.look.all(ANALYSED, name, s)]
        for level in dict.fromkeys(e.level for e in effects):
            own = {str(e.group): e for e in effects if e.level == level}
            described = [e for s in ("proportion", "median") for e in tables.look.all(ANALYSED, name, s)]
            planned = next((own[str(e.group)] for e in described if _planned(e) and str(e.group) in own), None)
            if planned is not None and len(own) > 1:
                yield _conclusion(tables, planned, own=own)


def _conclusion(tables: StudyTables, planned: Estimate, *, own: dict[str, Estimate]) -> str:
    about = tables.named(planned)
    if planned.estimate is None or planned.p_value is None:
        return f"{about[:1].upper()}{about[1:]}: {NOT_ESTIMABLE} by the plan's rules, so that nothing is compared."
    alpha = 1 - tables.findings.plan.confidence
    level = number_format.level_of_test(alpha)
    others = {rule: e for rule, e in own.items() if e is not planned}
    failed = [rule for rule, e in others.items() if e.estimate is None or e.p_value is None]
    crossing = [rule for rule, e in others.items()
                if rule not in failed and ((e.p_value or 0) < alpha) != (planned.p_value < alpha)]  # fmt: skip
    turned = [rule for rule, e in others.items()
              if rule not in failed and ((e.estimate or 1) > 1) != (planned.estimate > 1)]  # fmt: skip
    dependent = [f"not estimable: {'; '.join(failed)}"] if failed else []
    dependent += [f"moves across {level}: {'; '.join(crossing)}"] if crossing else []
    dependent += [f"points the other way: {'; '.join(turned)}"] if turned else []
    differ = _differing(tables, planned, own)
    if dependent:
        return f"{about[:1].upper()}{about[1:]} depends on the rule: {'; '.join(dependent)}. {differ}"
    return f"{about[:1].upper()}{about[1:]}: by all {len(own)} rules the same direction and side of {level}. {differ}"


def _differing(tables: StudyTables, planned: Estimate, own: dict[str, Estimate]) -> str:
    """Say how few patients the rules are about: agreement between rules that change nobody says nothing."""
    counts: Sequence[Estimate] = tables.look.all(ANALYSED, planned.endpoint, "changed")
    most = max((e.estimate or 0 for e in counts if str(e.group) in own), default=0)
    if not most:
        return "No patient's outcome differs between them, so that they are no test of it."
    return f"At most {number_format.count(most)} of {number_format.count(counts[0].n)} patients' outcomes differ."


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    options = findings.plan.estimands
    varied = listed([f"{c} rules" if c == "transplant" else c for c in options.compare]) if options.compare else "none"
    yield (
        f"Endpoints were derived again by other rules for intercurrent events, one at a time {cite('estimands')}: "
        f"{varied}."
    )


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("sure_estimands", "Estimands", tables=(estimand_table(tables.findings),))
    yield Part("sure_rules", "Endpoints by several rules", tables=(_table(tables),), text=tuple(conclusions(tables)))


SHOWN = Shown(
    _methods,
    references={"estimands": _E9},
    strobe=(Strobe("12e", "endpoint_rules changed", "endpoints by several rules"),),
    parts=_parts,
    tables_named=("estimands", "endpoint_rules"),
)
