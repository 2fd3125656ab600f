"""Which number of patients a record tells, and how these numbers hang together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reinfuse.cohort import declarations
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, names, wholes
from reinfuse.cohort.strata import AT_LEAST, Stratum, factor_of, level_of
from reinfuse.disclosure.cell_suppression import ALL, SIZE, Cell, CellRules, Group, Key, Measure
from reinfuse.results.estimate import Estimate

TABLES = frozenset({"baseline", "response", "toxicity"})
UNCOUNTED: Measure = ("best response that is none in its diagnosis",)
PARTIAL: Measure = ("rest", "responses that are not complete, of the diagnoses where there can be such")
Cells = Mapping[Measure, Mapping[Group, Cell]]


@dataclass(frozen=True)
class Difference:
    """Those of one measure who are in none of the parts: anybody can subtract.

    Attributes
    ----------
    parts
        The first is the one to be hidden where the difference is small.
    apart
        True where those whom the parts are about are left out of the number of patients, too.
    """

    whole: Measure
    parts: tuple[Measure, ...]
    apart: bool = False

    @property
    def measure(self) -> Measure:
        """The name of what is left."""
        return ("rest", *self.whole, *(name for part in self.parts for name in part))

    def of(self, cells: Cells, group: Group) -> Cell | None:
        """Return what is left of a group; None where a number is not told."""
        whole, parts = cells[self.whole].get(group), [cells[part].get(group) for part in self.parts]
        if whole is None or any(part is None for part in parts):
            return None
        x = whole.x - sum(part.x for part in parts if part)
        out = sum(part.x if _is_category(m) else part.n for m, part in zip(self.parts, parts, strict=True) if part)
        n = max(0, whole.n - out * self.apart)
        return Cell(min(max(0, x), n), n)


def numbers_of(records: Sequence[Estimate], total: int, group_of: Callable[[Estimate], Group],
               *, plan: declarations.Rules | None = None) -> Cells:  # fmt: skip
    """Return every number of patients that records tell, by measure and group.

    Parameters
    ----------
    records
        Of the patients' flow, tables and times; none of an effect.
    total
        Patients analysed.
    plan
        Which best responses count as a response, and as a complete one.
    """
    cells: dict[Measure, dict[Group, Cell]] = defaultdict(dict)
    sizes = {ALL: total}
    counts_of = [e for e in records if e.n is not None and e.analysis != "flow" and e.statistic != "p_value"]
    for e in counts_of:
        sizes[group_of(e)] = max(sizes.get(group_of(e), 0), e.n or 0)
    cells[SIZE] = {group: Cell(size, total) for group, size in sizes.items()}
    for e in counts_of:
        group, about, counts = group_of(e), evaluated(e), counted(e)
        if about is not None:
            cells[about][group] = Cell(e.n or 0, sizes[group])
        if counts is not None:
            x = e.estimate if e.statistic == "missing" else e.events
            cells[counts][group] = Cell(int(x or 0), sizes[group] if e.analysis == "baseline" else e.n or 0)
    for left in differences(cells):
        every = {group: left.of(cells, group) for group in cells[left.whole]}
        cells[left.measure] = {group: cell for group, cell in every.items() if cell is not None}
    for both, own, other in list(_with_both(cells)):
        groups = {g: (cells[own][g], cells[other][g]) for g in cells[own] if g in cells[other]}
        cells[both] = {g: Cell(min(max(0, e.x + r.x - e.n), r.x), r.x) for g, (e, r) in groups.items()}
    if plan is not None:
        _count_by_rule(cells, plan)
    return dict(cells)


def _count_by_rule(cells: dict[Measure, dict[Group, Cell]], plan: declarations.Rules) -> None:
    """Add what can be worked out by who knows what counts as a response, and in which diagnoses."""
    for group, cell in cells.get(("response", "response"), {}).items():
        best = [cells.get(("response", "response", Stratum("best", r)), {}).get(group) for r in plan.responders]
        if any(best):
            x = sum(b.x for b in best if b is not None) - cell.x
            cells[UNCOUNTED][group] = Cell(max(0, x), cell.n)
    partial = cells.get(Difference(("response", "response"), (("response", "cr"),)).measure, {})
    none = {Stratum("diagnosis", d) for d, of in plan.responders_by_diagnosis.items() if set(of) <= set(plan.complete)}
    out = sum(cell.n for (population, level), cell in partial.items() if population in none and level is None)
    if out and ALL in partial:
        cells[PARTIAL] = {g: c for g, c in partial.items() if factor_of(g[0]) == "diagnosis" and g[0] not in none}
        cells[PARTIAL][ALL] = Cell(partial[ALL].x, max(partial[ALL].x, partial[ALL].n - out))


def evaluated(e: Estimate) -> Measure | None:
    """Return the measure of how many patients a record is about."""
    if e.analysis in ("response", "survival") and e.statistic != "p_value":
        return ("evaluated", e.endpoint) if e.term is None else ("evaluated", "best")
    if e.analysis == "toxicity":
        return ("evaluated", "toxicity", e.term)
    if e.analysis == "baseline" and e.statistic != "missing" and e.term is not None:
        return ("known", e.term)
    return None


def counted(e: Estimate) -> Measure | None:
    """Return the measure of the patients that a record counts."""
    if e.analysis in TABLES and e.statistic in ("count", "proportion", "missing") and e.term is not None:
        return (e.analysis, e.endpoint, Stratum(e.term, e.level or ""))
    if e.analysis == "response":
        return ("response", e.endpoint)
    if e.analysis == "survival" and e.statistic == "median":
        return ("survival", e.endpoint)
    return None


def differences(cells: Cells) -> list[Difference]:
    """Return what follows from what the endpoints are made of, as far as the cells hold it."""
    derived = [Difference(outer, (inner,)) for outer, inner in pairs(cells)]
    for name, endpoint in ENDPOINTS.items():
        own = _measure(cells, name)
        if own is None:
            continue
        derived += [Difference(own, (best,), apart=True) for best in _best(endpoint.best)]
        for outer in wholes(name, ENDPOINTS) if endpoint.among else ():
            whole = _measure(cells, outer)
            if whole is not None:
                best = _best(ENDPOINTS[outer].best)
                derived += [Difference(whole, (own,), True), Difference(whole, (own, *best), True)]
    return [d for d in dict.fromkeys(derived) if all(m in cells for m in (d.whole, *d.parts))]


def _with_both(cells: Cells) -> Iterator[tuple[Measure, Measure, Measure]]:
    """Yield what tells who has an event that is the lack of another, and that one all the same, and both's measures.

    All others without a response have the event: events and responses less patients are the responders with it. Of
    all that the endpoint is a part of, or a plan's own endpoint may hold, the same.
    """
    for endpoint in (e for e in ENDPOINTS.values() if e.lack_of):
        lacking, other = _measure(cells, endpoint.name), _measure(cells, str(endpoint.lack_of))
        if lacking is None or other is None:
            continue
        wider = [m for name in wholes(endpoint.name, ENDPOINTS) if (m := _measure(cells, name)) is not None]
        wider += [m for m in _of_outcomes(cells) if m[1] not in ENDPOINTS and _may_hold(cells[m], cells[lacking])]
        for own in (lacking, *wider):
            yield ("both", other[1], *own), own, other


def _of_outcomes(cells: Cells) -> list[Measure]:
    """Return the measures of who had the event of an endpoint."""
    return [m for m in cells if m[0] in ("response", "survival") and len(m) == 2]


def _best(responses: Sequence[str]) -> list[Measure]:
    """Return the measures of best responses."""
    return [("response", "response", Stratum("best", response)) for response in responses]


def pairs(cells: Cells) -> list[tuple[Measure, Measure]]:
    """Return pairs of measures of which the second is a part of the first.

    Of a plan's own endpoint nobody has declared what it is made of: it may be a part of any other, or any other of it.
    """
    nested = [(_measure(cells, outer), _measure(cells, inner)) for inner, endpoint in ENDPOINTS.items()
              if endpoint.among is None for outer in wholes(inner, ENDPOINTS)]  # fmt: skip
    named = _of_outcomes(cells)
    own = [(m, other) for m in named if m[1] not in ENDPOINTS for other in named if other != m]
    nested += [pair for two in own for pair in (two, two[::-1]) if _may_hold(cells[pair[0]], cells[pair[1]])]
    severe = [m for m in cells if m[0] == "toxicity" and level_of(m[2]) == f"{AT_LEAST}3"]
    nested += [((*m[:2], Stratum.at_least(factor_of(m[2]), 1)), m) for m in severe]
    return [(outer, inner) for outer, inner in dict.fromkeys(nested)
            if outer is not None and inner is not None and outer in cells and inner in cells]  # fmt: skip


def curve_pairs(cells: Cells) -> list[tuple[str, str]]:
    """Return pairs of times to event of which the second's events are a part of the first's, and never earlier."""
    return [(str(outer[1]), str(inner[1])) for outer, inner in pairs(cells) if outer[0] == inner[0] == "survival"]


def _measure(cells: Cells, endpoint: str) -> Measure | None:
    """Return the measure of who had the event of an endpoint."""
    return next((m for m in (("response", endpoint), ("survival", endpoint)) if m in cells), None)


def _may_hold(outer: Mapping[Group, Cell], inner: Mapping[Group, Cell]) -> bool:
    """Tell whether the patients of one measure may all be of another, too."""
    return all(outer[group].x >= cell.x for group, cell in inner.items() if group in outer)


def _is_category(measure: Measure) -> bool:
    return len(measure) == 3


def _is_grade_or_worse(measure: Measure) -> bool:
    return measure[0] == "toxicity" and level_of(measure[2]).startswith(AT_LEAST)


def rules(cells: Cells) -> CellRules:
    """Return which cells are hidden with which."""
    columns: dict[tuple[str | None, str], list[Measure]] = defaultdict(list)
    for m in cells:
        if m[0] in TABLES and len(m) == 3 and not _is_grade_or_worse(m):
            columns[m[0], factor_of(m[2])].append(m)
    sums: list[tuple[Measure, tuple[Measure, ...]]]
    sums = [(m, tuple(columns[m[0], factor_of(m[2])])) for m in cells if _is_grade_or_worse(m)]
    sums += [(("response", end), tuple(columns["response", "best"])) for end in names(of_best_response=True)]
    then = [(whole, part) for whole, parts in sums for part in parts]
    for m in cells:
        if m[0] == "evaluated":
            then += [(m, other) for other in cells if _is_about(other, m)]
        if m[0] == "known":
            then += [(m, other) for other in columns["baseline", str(m[1])]]
    together: list[tuple[Measure, ...]] = [(d.measure, d.parts[0]) for d in differences(cells)]
    together += [(("evaluated", e.name), ("response", e.among)) for e in ENDPOINTS.values() if e.among]
    together += [(UNCOUNTED, *columns["response", "best"])] if UNCOUNTED in cells else []
    together += [(PARTIAL, ("response", "cr"))] if PARTIAL in cells else []
    together += [(both, own) for both, own, _ in _with_both(cells)]
    twins: dict[Measure, Group] = {("baseline", None, _level(g)): g for g in cells[SIZE]}
    outcomes = {m for m in cells if m[0] in ("response", "survival") and len(m) == 2} | {m for m, _ in sums}
    return CellRules(tuple(map(tuple, columns.values())), tuple(together), tuple(then), tuple(_cell_by_cell(cells)),
                     tuple(d.parts[0] for d in differences(cells)), {(m, ALL): (SIZE, g) for m, g in twins.items()},
                     frozenset(outcomes))  # fmt: skip


def _cell_by_cell(cells: Cells) -> Iterator[tuple[Key, Key]]:
    """Yield pairs of cells of which the second is hidden where the first is."""
    for group in cells[SIZE]:  # a level counts the patients of a group
        yield (SIZE, group), (("baseline", None, _level(group)), ALL)
    for outer, inner in pairs(cells):  # where they are the same patients, either tells the other
        for group, cell in cells[Difference(outer, (inner,)).measure].items():
            if cell.x == 0:
                yield (outer, group), (inner, group)
                yield (inner, group), (outer, group)
    for both, own, other in _with_both(cells):  # nobody has both: either tells the other
        for group in (g for g, cell in cells[both].items() if cell.x == 0):
            yield (own, group), (other, group)
            yield (other, group), (own, group)
    for group, cell in cells.get(UNCOUNTED, {}).items():  # it is 0 but in few diagnoses: the total tells it
        if cell.x and factor_of(_level(group)) == "diagnosis":
            yield (UNCOUNTED, group), (UNCOUNTED, ALL)


def _is_about(measure: Measure, evaluated: Measure) -> bool:
    """Tell whether a measure counts some of those evaluated."""
    if evaluated[1] == "toxicity":
        return measure[0] == "toxicity" and factor_of(measure[2]) == evaluated[2]
    if evaluated[1] == "best":
        return measure[0] == "response" and len(measure) == 3
    return measure[0] in ("response", "survival") and measure[1:] == evaluated[1:]


def _level(group: Group) -> str:
    return group[1] or group[0]
