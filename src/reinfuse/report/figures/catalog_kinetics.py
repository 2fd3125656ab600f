"""Which figures the sampled models of the CAR-T counts have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from reinfuse.kinetics.infusion_factors import label
from reinfuse.kinetics.population.parameters import ACTED_ON, PARAMETERS
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.priors import Pair, priors
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.labels import lowered


def population_figures(inputs: FigureInputs) -> Iterator[Planned]:
    """Yield prior beside posterior of the population model."""
    if inputs.findings.kinetics is not None:
        yield "kinetics_population", "population_priors", partial(_priors, inputs)


def _priors(inputs: FigureInputs) -> Drawn | None:
    tables = inputs.tables
    posteriors: list[Pair] = []
    for p in PARAMETERS:
        for statistic, what in (("typical", p.label), ("total_sd", f"{p.label}: SD")):
            posteriors += _pair(tables, p.name, statistic, what=what)
    posteriors += _pair(tables, "counts", "residual_sd", what="Residual SD of a log count")
    for k in ACTED_ON:
        for e in tables.look.all("population", PARAMETERS[k].name, "ratio"):
            what = f"{PARAMETERS[k].label}: {lowered(label(e.stratum or ''))}"
            posteriors += _pair(tables, PARAMETERS[k].name, "ratio", what=what, term=e.term, level=e.level)
    if not posteriors:
        return None
    title = "Population model: prior and posterior"
    return priors("population_priors", title, posteriors, synthetic=inputs.synthetic, columns=inputs.two)


def _pair(tables: StudyTables, endpoint: str, statistic: str, *, what: str, term: str | None = None,
          level: str | None = None) -> Sequence[Pair]:  # fmt: skip
    after = tables.look.all("population", endpoint, statistic, term=term, level=level)
    before = tables.look.all("population", endpoint, f"prior_{statistic}", term=term, level=level)
    return [(what, after[0], before[0])] if after and before and after[0].estimate is not None else []
