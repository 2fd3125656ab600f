"""What takes longer than a click, each by its name: run in a process of its own (`worker`), with JSON in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reinfuse.output import Destination

Tell = Callable[[str, Any], None]
"""Tells what a page shows meanwhile: `step` with what is done, how much of it and of how much; `first` results."""
Arguments = Mapping[str, Any]


def _cohort(given: Arguments) -> tuple[Any, Any]:
    """Return cohort and plan of a project."""
    from reinfuse.study.intake import cohort_and_plan

    paths = {name: Path(given[name]) if given[name] else None for name in ("map", "corrections", "plan")}
    return cohort_and_plan(Path(given["source"]), map_path=paths["map"], plan=paths["plan"],
                           corrections=paths["corrections"])  # fmt: skip


def _analysis(given: Arguments, tell: Tell) -> Any:
    """Analyse a cohort and write its results, as `reinfuse analyze` does."""
    from reinfuse.study.results import analyze

    reads = tuple(Path(given[name]) for name in ("source", "map", "corrections", "plan") if given[name])
    results = analyze(*_cohort(given), place=Destination(Path(given["out"]), "analyze", reads),
                      progress=lambda *step: tell("step", step), first=lambda texts: tell("first", texts))  # fmt: skip
    return {"failures": list(results.failures)}


def _power(given: Arguments, tell: Tell) -> Any:
    """Simulate the power of a cohort: of the table, what tells no outcome."""
    from reinfuse.study.power import estimate_power

    results = estimate_power(*_cohort(given), draws=given["draws"],
                             progress=lambda *step: tell("step", step))  # fmt: skip
    if results.table is None:
        return None
    shown = [k for k, head in enumerate(results.table.head[1:]) if head not in ("n", "Events")]
    return {"head": [results.table.head[0], *(results.table.head[k + 1] for k in shown)],
            "rows": [[row.head, *(row.cells[k] for k in shown)] for row in results.table.rows],
            "notes": results.table.footnote}  # fmt: skip


def _share(given: Arguments, tell: Tell) -> Any:
    """Write the folder that may leave the centre, as `reinfuse share` does."""
    from reinfuse.study.sharing import share

    tell("step", ("report", 0, 1))
    shared = share(Path(given["results"]), Path(given["out"]), smallest=given["smallest"])
    return [{"what": r.what, "why": r.why, "count": r.count} for r in shared.removed]


def _virtual(given: Arguments, tell: Tell) -> Any:
    """Compare two protocols in virtual patients."""
    from reinfuse.study.virtual_comparison import compare

    return compare(given["arms"], patients=given["patients"], progress=lambda *step: tell("step", step))


JOBS: Mapping[str, Callable[[Arguments, Tell], Any]] = {
    "analysis": _analysis, "power": _power, "share": _share, "virtual": _virtual,
}  # fmt: skip
