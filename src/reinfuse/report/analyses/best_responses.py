"""Best responses in the report: a figure of all patients, of each subgroup and of each level of the models' factors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from reinfuse.cohort.strata import Stratum, factor_of, level_of
from reinfuse.report.analyses.base import Shown
from reinfuse.report.document.split import MainItem
from reinfuse.report.figures.figure_spec import MOST_GROUPS, FigureInputs, Planned
from reinfuse.report.figures.response import Bar, response
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.results.estimate import Estimate

_Group = tuple[str, str | None]
"""A population and a group of it."""


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    yield "response", "response_best", lambda: _responses(inputs)


def _responses(inputs: FigureInputs) -> Drawn | None:
    counts: dict[_Group, list[Estimate]] = {}
    for e in (e for e in inputs.tables.look.all("response", "response", "count") if e.term):
        counts.setdefault((e.population, e.group), []).append(e)
    if not any(e.estimate for e in counts.get(("all", None), [])):
        return None
    bars = [Bar("All patients", counts["all", None])]
    for name, members in _sets(inputs).items():
        with_counts = [(g, counts[g]) for g in members if counts.get(g) and counts[g][0].n != 0]
        if 1 < len(with_counts) <= MOST_GROUPS:
            bars.append(Bar(inputs.tables.labels.factor(name)))
            named = inputs.tables.labels.level_label
            bars += [Bar(named(name, level_of(g[1] or g[0])), of_group) for g, of_group in with_counts]
    return response("Best response", bars, inputs.synthetic, columns=inputs.two)


def _sets(inputs: FigureInputs) -> Mapping[str, Sequence[_Group]]:
    """Return the groups of each factor: subgroups of the plan, and levels of the factors of its models."""
    own = [p for p in inputs.tables.populations if p != "all"]
    sets: dict[str, list[_Group]] = {
        factor_of(p): [(q, None) for q in own if factor_of(q) == factor_of(p)] for p in own
    }
    modelled = (f for f in inputs.findings.described.factors if f.name in inputs.modelled and f.name not in sets)
    return sets | {f.name: [("all", Stratum(f.name, level)) for level in f.levels] for f in modelled}


def _main(tables: StudyTables, _: Collection[str]) -> Iterator[MainItem]:
    if any(end.name == "response" for end in tables.findings.described.endpoints):
        yield MainItem("response_best")


SHOWN = Shown(figures=_figures, main=_main)
