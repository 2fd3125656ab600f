"""Which number of patients a record tells, and how these numbers hang together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from reinfuse.analysis.estimate import Estimate
from reinfuse.disclosure.cells import ALL, SIZE, Cell, Group, Key, Measure, Rules

TABLES = frozenset({"baseline", "response", "toxicity"})
UNCOUNTED: Measure = ("best response that is none in its diagnosis",)
Cells = Mapping[Measure, Mapping[Group, Cell]]


def numbers_of(records: Sequence[Estimate], total: int, group_of: Callable[[Estimate], Group],
               responders: Sequence[str] = ()) -> Cells:  # fmt: skip
    """Return every number of patients that records tell, by measure and group.

    Parameters
    ----------
    records
        Of the patients' flow, tables and times; none of an effect.
    total
        Patients analysed.
    responders
        Best responses that count as a response, in most diagnoses.
    """
    cells: dict[Measure, dict[Group, Cell]] = defaultdict(dict)
    sizes = {ALL: total}
    told = [e for e in records if e.n is not None and e.analysis != "flow" and e.statistic != "p_value"]
    for e in told:
        sizes[group_of(e)] = max(sizes.get(group_of(e), 0), e.n or 0)
    cells[SIZE] = {group: Cell(size, total) for group, size in sizes.items()}
    for e in told:
        group, about, counts = group_of(e), evaluated(e), counted(e)
        if about is not None:
            cells[about][group] = Cell(e.n or 0, sizes[group])
        if counts is not None:
            x = e.estimate if e.statistic == "missing" else e.events
            cells[counts][group] = Cell(int(x or 0), sizes[group] if e.analysis == "baseline" else e.n or 0)
    for outer, inner in parts(cells):
        for group, cell in cells[inner].items():
            whole = cells[outer].get(group)
            if whole is not None:
                cells["rest", *outer, *inner][group] = Cell(max(0, whole.x - cell.x), whole.n)
    for group, cell in cells.get(("response", "response"), {}).items():
        best = [cells.get(("response", "response", f"best={r}"), {}).get(group) for r in responders]
        if any(best):
            x = sum(b.x for b in best if b is not None) - cell.x
            cells[UNCOUNTED][group] = Cell(max(0, x), cell.n)
    return dict(cells)


def evaluated(e: Estimate) -> Measure | None:
    """Return the measure of how many patients a record is about."""
    if e.analysis in ("response", "survival") and e.statistic != "p_value":
        return ("evaluated", e.endpoint) if e.term is None else ("evaluated", "best")
    if e.analysis == "toxicity":
        return ("evaluated", "toxicity", variable(e.term))
    if e.analysis == "baseline" and e.statistic != "missing" and e.term is not None:
        return ("known", variable(e.term))
    return None


def counted(e: Estimate) -> Measure | None:
    """Return the measure of the patients that a record counts."""
    if e.analysis in TABLES and e.statistic in ("count", "proportion", "missing") and e.term is not None:
        return (e.analysis, e.endpoint, f"{e.term}=" if e.statistic == "missing" else e.term)
    if e.analysis == "response":
        return ("response", e.endpoint)
    if e.analysis == "survival" and e.statistic == "median":
        return ("survival", e.endpoint)
    return None


def variable(term: str | None) -> str:
    """Return the variable of a term: of `sex=F` sex, of `CRS>=3` CRS."""
    return (term or "").partition("=")[0].removesuffix(">")


def parts(cells: Cells) -> list[tuple[Measure, Measure]]:
    """Return pairs of measures of which the second is a part of the first."""
    pairs: list[tuple[Measure, Measure]] = [(("response", "response"), ("response", "cr")),
                                            (("survival", "pfs"), ("survival", "os"))]  # fmt: skip
    severe = [(m, m[2]) for m in cells if m[0] == "toxicity" and m[2] is not None and m[2].endswith(">=3")]
    pairs += [((*m[:2], term.replace(">=3", ">=1")), m) for m, term in severe]
    return [(outer, inner) for outer, inner in pairs if outer in cells and inner in cells]


def rules(cells: Cells) -> Rules:
    """Return which cells are hidden with which."""
    columns: dict[tuple[str | None, str], list[Measure]] = defaultdict(list)
    for m in cells:
        if m[0] in TABLES and len(m) == 3 and ">=" not in (m[2] or ""):
            columns[m[0], variable(m[2])].append(m)
    sums: list[tuple[Measure, tuple[Measure, ...]]]
    sums = [(m, tuple(columns[m[0], variable(m[2])])) for m in cells if m[0] == "toxicity" and ">=" in (m[2] or "")]
    sums += [(("response", end), tuple(columns["response", "best"])) for end in ("response", "cr")]
    then = [(whole, part) for whole, parts in sums for part in parts]
    for m in cells:
        if m[0] == "evaluated":
            then += [(m, other) for other in cells if _is_about(other, m)]
        if m[0] == "known":
            then += [(m, other) for other in columns["baseline", str(m[1])]]
    together: list[tuple[Measure, ...]] = [(("rest", *outer, *inner), inner) for outer, inner in parts(cells)]
    together += [(("evaluated", "dor"), ("response", "response"))]
    together += [(UNCOUNTED, *columns["response", "best"])] if UNCOUNTED in cells else []
    twins: dict[Measure, Group] = {("baseline", None, _level(g)): g for g in cells[SIZE]}
    outcomes = {m for m in cells if m[0] in ("response", "survival") and len(m) == 2} | {m for m, _ in sums}
    return Rules(tuple(map(tuple, columns.values())), tuple(together), tuple(then), tuple(_cell_by_cell(cells)),
                 tuple(inner for _, inner in parts(cells)), {(m, ALL): (SIZE, g) for m, g in twins.items()},
                 frozenset(outcomes))  # fmt: skip


def _cell_by_cell(cells: Cells) -> Iterator[tuple[Key, Key]]:
    """Yield pairs of cells of which the second is hidden where the first is."""
    for group in cells[SIZE]:  # a level counts the patients of a group
        yield (SIZE, group), (("baseline", None, _level(group)), ALL)
    for outer, inner in parts(cells):  # where they are the same patients, either tells the other
        for group, cell in cells["rest", *outer, *inner].items():
            if cell.x == 0:
                yield (outer, group), (inner, group)
                yield (inner, group), (outer, group)
    for group, cell in cells.get(UNCOUNTED, {}).items():  # it is 0 but in few diagnoses: the total tells it
        if cell.x and _level(group).startswith("diagnosis="):
            yield (UNCOUNTED, group), (UNCOUNTED, ALL)


def _is_about(measure: Measure, evaluated: Measure) -> bool:
    """Tell whether a measure counts some of those evaluated."""
    if evaluated[1] == "toxicity":
        return measure[0] == "toxicity" and variable(measure[2]) == evaluated[2]
    if evaluated[1] == "best":
        return measure[0] == "response" and len(measure) == 3
    return measure[0] in ("response", "survival") and measure[1:] == evaluated[1:]


def _level(group: Group) -> str:
    return group[1] or group[0]
