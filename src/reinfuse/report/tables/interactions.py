"""Tables of interactions: the test, the effects at each level of the other factor, the patients of each combination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.analyses.interactions import RATIO
from reinfuse.analyses.simulated_inference import METHODS as SIMULATED
from reinfuse.cohort.strata import level_of, parts_of
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.robustness import RATIOS, ratio
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered, without_unit
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

_Line = tuple[str, tuple[str, ...], str | None]


def interactions(tables: StudyTables) -> Iterator[Table]:
    """Yield both tables; nothing where the plan names no interaction."""
    tests = [e for end in tables.findings.described.endpoints for s in (RATIO, "p_value")
             for e in tables.look.all("interaction", end.name, s) if e.method not in SIMULATED.values()]  # fmt: skip
    if not tests:
        return
    lines = [line for test in tests for line in _of_test(tables, test)]
    heads = ("Endpoint and factors", "n", "Events", f"Ratio ({tables.ci})", tables.p, f"Simulated {tables.p}")
    notes = ("First line of each pair: ratio of the two odds or hazard ratios and test of interaction. Indented: odds "
             "or hazard ratio of one factor at a level of the other, from the same model.",)  # fmt: skip
    table = tables.marked(heads, "interactions", "Interactions of factors", lines, notes)
    first = {line[0] for test in tests for line in [_test(tables, test)]}
    yield replace(table, rows=tuple(replace(row, inner=row.head not in first) for row in table.rows))
    rows = [row for test in tests for row in _cells(tables, test)]
    yield Table("interaction_cells", "Patients and events of each combination of interacting factors",
                ("", "n", "Events"), tuple(rows))  # fmt: skip


def _named(tables: StudyTables, test: Estimate) -> str:
    pair = " × ".join(without_unit(tables.labels.factor(part)) for part in parts_of(test.term))
    return f"{tables.labels.endpoint(test.endpoint or '')}: {pair}"


def _test(tables: StudyTables, test: Estimate) -> _Line:
    simulated = [e for e in tables.look.all("interaction", test.endpoint, "p_value", term=test.term)
                 if e.method in SIMULATED.values()]  # fmt: skip
    shown = (
        ratio(test) if test.statistic == RATIO else NOT_ESTIMABLE if test.p_value is None else number_format.NOT_SHOWN
    )
    p = [number_format.p_value(e.p_value) for e in (test, *simulated[:1])]
    notes = dict.fromkeys(part for e in (test, *simulated) for part in (e.note or "").split("; ") if part)
    cells = (number_format.count(test.n), number_format.count(test.events), shown, *p, *[""] * (2 - len(p)))
    return _named(tables, test), cells, "; ".join(notes)


def _of_test(tables: StudyTables, test: Estimate) -> Iterator[_Line]:
    yield _test(tables, test)
    pair = parts_of(test.term)
    for e in (e for s in RATIOS for e in tables.look.all("interaction", test.endpoint, s)):
        other = next((part for part in pair if part != e.term), "")
        if e.term in pair and e.group and e.group.startswith(f"{other}="):
            where = f"{lowered(without_unit(tables.labels.factor(other)))}: {_level(tables, other, e.group)}"
            cells = (number_format.count(e.n), number_format.count(e.events), ratio(e), number_format.NOT_SHOWN, "")
            yield f"{tables.labels.term(e.stratum or '')}, where {where}", cells, e.note


def _cells(tables: StudyTables, test: Estimate) -> Iterator[Row]:
    yield Row(_named(tables, test), ("", ""))
    for e in tables.look.all("interaction", test.endpoint, "count", term=test.term):
        head = "; ".join(f"{without_unit(tables.labels.factor(factor))}: {_level(tables, factor, part)}"
                         for factor, part in zip(parts_of(test.term), parts_of(e.group), strict=True))  # fmt: skip
        yield Row(head, (number_format.count(e.n), number_format.count(e.events)), inner=True)


def _level(tables: StudyTables, factor: str, group: str) -> str:
    return tables.labels.level_label(factor, level_of(group))
