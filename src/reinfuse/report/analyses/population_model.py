"""The population model in the report: diagnostics, typical values beside their priors, factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.kinetics.infusion_factors import label
from reinfuse.kinetics.population.parameters import ACTED_ON, PARAMETERS
from reinfuse.report.analyses.base import Cite, Part, Shown
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.priors import Pair, priors
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_PLACE = "kinetics_population"
_TEXT = (
    "Each infusion is described by expansion to a peak, contraction and persistence, with random effects of patients "
    "and infusions around typical values and covariate effects of factors. Where the posterior is as wide as the "
    "prior, the counts are uninformative. Check the MCMC diagnostics first."
)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any((e.analysis, e.endpoint, e.statistic) == ("population", "cmax", "typical") for e in findings.estimates):
        yield (
            f"The population model describes expansion, contraction and persistence {cite('stein')}, with random "
            "effects of patients and infusions, log-normal residual error, and a left-censored likelihood below the "
            f"limit of quantification {cite('beal')}; priors are centred on published values. It was sampled by the "
            f"no-U-turn sampler {cite('nuts')}; convergence was assessed by rank-normalised R-hat and effective sample "
            f"size {cite('rhat')}. Visual predictive checks include counts below the limit {cite('vpc')}."
        )


def _parts(tables: StudyTables) -> Iterator[Part]:
    shown = (tables.diagnostics(), tables.population(), tables.population_effects())
    reasons = [f"Population model: {e.note}." for e in tables.look.all("population", "counts", "typical")
               if e.estimate is None and e.note]  # fmt: skip
    unfitted = (_TEXT, *reasons) if reasons else ()
    yield Part(_PLACE, "Population kinetic model", tables=shown, text=(_TEXT,), otherwise=unfitted)


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    """Yield prior beside posterior."""
    if inputs.findings.kinetics is not None:
        yield _PLACE, "population_priors", lambda: _priors(inputs)


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


SHOWN = Shown(
    _methods,
    references=cited("stein", "beal", "nuts", "rhat", "vpc"),
    figures=_figures,
    parts=_parts,
    tables_named=("population", "population_effects", "sampling"),
)
