"""Bayesian models in the report: prior beside posterior, and the probabilities of an effect beyond 1 and a margin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses import bayesian
from reinfuse.cohort.strata import level_of
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.figures.densities import EffectDensity, densities
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.robustness import RATIOS, effect_of, ratio
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import Reference
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings

_OWN = {
    "weak_normal": Reference(
        "Greenland S", "Bayesian perspectives for epidemiological research: I. Foundations and basic methods",
        "Int J Epidemiol", 2006, "35", "765-775", "3", "10.1093/ije/dyi312"),
    "weak_t": Reference(
        "Gelman A, Jakulin A, Pittau MG, Su YS",
        "A weakly informative default prior distribution for logistic and other regression models",
        "Ann Appl Stat", 2008, "2", "1360-1383", "4", "10.1214/08-AOAS191"),
    "partial_likelihood": Reference(
        "Sinha D, Ibrahim JG, Chen MH", "A Bayesian justification of Cox's partial likelihood",
        "Biometrika", 2003, "90", "629-641", "3", "10.1093/biomet/90.3.629"),
}  # fmt: skip
_TEXT = (
    "The same models with a prior that holds very large effects for improbable. Intervals are credible intervals; "
    "probabilities hold under this prior and model, and are of associations. A posterior close to the prior says that "
    "these patients tell little."
)
_SURE = 0.005
_GREATEST = 1000
"""Ratio from which a limit of a prior is told as beyond."""


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    options = bayesian.options_of(findings.plan.analyses.value("bayesian"))
    name = {"normal": "normal", "student_t": "Student t (7 degrees of freedom)", "cauchy": "Cauchy"}[options.prior]
    times = any(e.method == bayesian.METHODS["cox"] for e in findings.estimates)
    keys = ("weak_normal", "weak_t", *(("partial_likelihood",) if times else ()))
    yield (
        f"The plan's models were also fitted with {name} priors of the log ratios with scale {options.scale:g}, of "
        f"numbers per two standard deviations {cite(*keys)}."
    )


def _table(tables: StudyTables) -> Table | None:
    lines: list[tuple[str, tuple[str, ...], str | None]] = []
    for end in tables.findings.described.endpoints:
        for e in (e for s in RATIOS for e in tables.look.all("bayesian", end.name, s)):
            firth = next((r for r in tables.look.all("association", end.name, e.statistic, **effect_of(e))), None)
            prior = next(iter(tables.look.all("bayesian", end.name, bayesian.PRIOR, **effect_of(e))), None)
            chances = [_chance(tables, e, statistic=s) for s in (bayesian.ABOVE_1, bayesian.ABOVE, bayesian.BELOW)]
            cells = (
                number_format.count(e.n),
                number_format.count(e.events),
                ratio(firth),
                _wide(prior),
                ratio(e),
                *chances,
            )
            lines.append((f"{tables.labels.endpoint(end.name)}: {tables.labels.term(e.stratum or '')}", cells, e.note))
    if not lines:
        return None
    margin = bayesian.options_of(tables.findings.plan.analyses.value("bayesian")).margin
    above, below = (number_format.ratio(v) for v in (margin, 1 / margin))
    level = f"{100 * tables.findings.plan.confidence:g}%"
    heads = ("Endpoint and factor", "n", "Events", f"Firth ({tables.ci})", f"Prior ({level})", f"Posterior ({level})",
             "Probability above 1", f"Above {above}", f"Below {below}")  # fmt: skip
    return tables.marked(heads, "bayesian", "Bayesian models: prior and posterior odds and hazard ratios", lines)


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    for end in inputs.findings.described.endpoints:
        if inputs.tables.look.all("bayesian", end.name, bayesian.POSTERIOR_DENSITY):
            yield "bayesian", f"bayesian_{end.name}", partial(_densities, inputs, end.name)


def _densities(inputs: FigureInputs, endpoint: str) -> Drawn:
    tables = inputs.tables
    effects = [e for s in RATIOS for e in tables.look.all("bayesian", endpoint, s) if e.estimate is not None]
    what = "Odds ratio" if effects[0].statistic == "odds_ratio" else "Hazard ratio"
    margin = bayesian.options_of(tables.findings.plan.analyses.value("bayesian")).margin
    title = f"Prior and posterior of effects on {lowered(tables.labels.endpoint(endpoint))}"
    return densities(f"bayesian_{endpoint}", title, what, effects=[_density(tables, e, margin) for e in effects],
                     margin=margin, synthetic=inputs.synthetic, columns=inputs.two)  # fmt: skip


def _density(tables: StudyTables, e: Estimate, margin: float) -> EffectDensity:
    after, before = ([(float(level_of(r.group)), r.estimate or 0.0)
                      for r in tables.look.all("bayesian", e.endpoint, s, **effect_of(e))]
                     for s in (bayesian.POSTERIOR_DENSITY, bayesian.PRIOR_DENSITY))  # fmt: skip
    above, below = (number_format.ratio(v) for v in (margin, 1 / margin))
    places = {"above 1": bayesian.ABOVE_1, f"above {above}": bayesian.ABOVE, f"below {below}": bayesian.BELOW}
    chances = "; ".join(f"{what}: {_chance(tables, e, statistic=s)}" for what, s in places.items())
    return EffectDensity(tables.labels.term(e.stratum or ""), chances, after, before)


def _chance(tables: StudyTables, e: Estimate, *, statistic: str) -> str:
    """Return a probability in whole per cent, none of them called impossible or certain."""
    record = next(iter(tables.look.all("bayesian", e.endpoint, statistic, **effect_of(e))), None)
    if record is None or record.estimate is None:
        return ""
    if not _SURE < record.estimate < 1 - _SURE:
        return f"<{number_format.percent(0.01, 0)}" if record.estimate < 0.5 else f">{number_format.percent(0.99, 0)}"
    return number_format.percent(record.estimate, 0)


def _wide(prior: Estimate | None) -> str:
    """Return a prior's median and interval; one whose limits are beyond all reason is told as that."""
    if prior is None:
        return ""
    if prior.upper is None or prior.upper > _GREATEST:
        return f"1 (beyond 1/{_GREATEST} to {_GREATEST})"
    return ratio(prior)


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("bayesian", "Bayesian models", tables=(_table(tables),), text=(_TEXT,))


SHOWN = Shown(
    _methods,
    references=_OWN,
    strobe=(Strobe("12e", "bayesian", "Bayesian models"),),
    figures=_figures,
    parts=_parts,
    figures_named=("bayesian_{endpoint}",),
    tables_named=("bayesian",),
)
