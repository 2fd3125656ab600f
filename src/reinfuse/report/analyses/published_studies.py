"""Published studies in the report: the cohort in their light, and how old they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from reinfuse.analyses.published_studies import POOLED_ENDPOINTS
from reinfuse.analyses.published_synthesis import POOLED
from reinfuse.cohort.strata import level_of
from reinfuse.evidence.figures import TOXICITIES
from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.proportions import ProportionRow, proportion_forest
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.published import (
    MEAN,
    PREDICTED,
    THIS,
    PublishedComparison,
    comparisons,
    is_stale,
    notices,
    published_table,
    read_on,
    review_by,
)
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.references import Reference, cited
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings

_STIJNEN = Reference(
    "Stijnen T, Hamza TH, Ozdemir P",
    "Random effects meta-analysis of event outcome in the framework of the generalized linear mixed model with applications in sparse data",  # noqa: E501
    "Stat Med", 2010, "29", "3046-3067", "29", "10.1002/sim.4040")  # fmt: skip
_FRIEDE = Reference(
    "Friede T, Röver C, Wandel S, Neuenschwander B",
    "Meta-analysis of few small studies in orphan diseases",
    "Res Synth Methods", 2017, "8", "79-91", "1", "10.1002/jrsm.1217")  # fmt: skip
_SECTION = "evidence"


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    across = findings.plan.evidence.across
    unless = f", {' or '.join(across)} excepted by the plan" if across else ""
    yield (
        "Published proportions are those of second infusions of the same CD19 CAR T-cell product for active disease; "
        f"studies that differ in antigen, construct, purpose or treatment{unless}, retracted ones and subsets of "
        f"patients are left out. Each has an exact interval {cite('clopper')}."
    )
    if any(e.statistic == POOLED for e in findings.estimates):
        yield (
            f"They were pooled by a binomial-normal mixed model {cite('binomial_normal')}, intervals by their own "
            "spread; two studies by a Bayesian one. The prediction interval of a further study is Bayesian, with a "
            f"half-normal prior of the between-study variation {cite('tau_prior')}."
        )


def _tables(tables: StudyTables) -> Iterator[Table | None]:
    for _, same in groupby(comparisons(tables), key=lambda c: c.name):
        yield published_table(tables, list(same))


def _text(tables: StudyTables) -> Iterator[str]:
    yield from (f"{label}: {notice}. Do not rely on figures of this study." for label, notice in notices(tables))
    every = comparisons(tables)
    yield from (_sentence(one) for one in every if one.population == "all" and one.studies)
    if len({one.population for one in every}) > 1:
        yield "The mix of diagnoses differs between the studies and this cohort: compare within a diagnosis as well."
    studies = {e.group: e for one in every for e in one.studies}
    if studies:
        yield _ages(tables, list(studies.values()))


def _sentence(one: PublishedComparison) -> str:
    """Return in a sentence what studies say of an endpoint, and where the cohort lies."""
    shares = [e.estimate for e in one.studies if e.estimate is not None]
    low, high = (number_format.percent(f(shares), 0) for f in (min, max))
    number = "1 study" if len(shares) == 1 else f"{len(shares)} studies"
    text = f"{one.label}: {low if low == high else f'{low} to {high}'} in {number} of {one.n} patients"
    if one.pooled is not None:
        text += f"; pooled {number_format.share(one.pooled)}"
    if one.prediction is not None:
        text += f"; prediction interval of a further study {number_format.interval(one.prediction)}"
    if one.own is not None:
        text += f"; {THIS.lower()} {number_format.of(one.own)}{_place(one)}"
    return f"{text}."


def _place(one: PublishedComparison) -> str:
    """Return where the cohort lies among what a further study of its size may show."""
    e = one.expected
    if e is None or not one.lies:
        return ""
    span = number_format.limits(number_format.count(e.lower), number_format.count(e.upper))
    return f", {one.lies} expected of as many patients of a further study ({span})"


def _ages(tables: StudyTables, studies: list[Estimate]) -> str:
    """Return when the studies were read and are to be read again; stale ones by name."""
    stale = [level_of(e.group or "") for e in studies if is_stale(tables, e)]
    read = sorted({day for e in studies if (day := read_on(tables, e))})
    due = sorted({day for e in studies if (day := review_by(tables, e))})
    sentences = []
    if read:
        span = f"on {read[0]}" if len(read) == 1 else f"between {read[0]} and {read[-1]}"
        sentences.append(f"The studies were read {span}; the first is to be read again by {due[0]}.")
    if stale:
        sentences.append(f"This evidence is stale and may have changed: {', '.join(stale)}.")
    return " ".join(sentences)


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    for one in comparisons(inputs.tables):
        if one.population == "all" and one.studies and one.name in POOLED_ENDPOINTS:
            yield _SECTION, f"published_{one.name}", partial(_forest, inputs, one)


def _forest(inputs: FigureInputs, one: PublishedComparison) -> Drawn:
    rows = [ProportionRow(level_of(e.group or ""), "study", e.estimate, e.lower, e.upper, e.events, e.n)
            for e in one.studies]  # fmt: skip
    if one.pooled is not None:
        p = one.pooled
        rows.append(ProportionRow(MEAN, "pooled", p.estimate, p.lower, p.upper, None, one.n))
    if one.prediction is not None:
        p = one.prediction
        rows.append(ProportionRow(PREDICTED, "prediction", None, p.lower, p.upper, None, one.n))
    if one.own is not None:
        own = one.own
        rows.append(ProportionRow(THIS, "own", own.estimate, own.lower, own.upper, own.events, own.n))
    title = f"{one.label}: published second infusions and this cohort"
    return proportion_forest(
        f"published_{one.name}", title, rows, ci=inputs.tables.ci, synthetic=inputs.synthetic, columns=inputs.two
    )


SHOWN = Shown(
    _methods,
    references={**cited("clopper"), "binomial_normal": _STIJNEN, "tau_prior": _FRIEDE},
    strobe=(Strobe("20", "published"),),
    tables=_tables,
    figures=_figures,
    text=_text,
    tables_named=("studies_{endpoint}", *(f"studies_{kind.lower()}" for kind in TOXICITIES)),
    figures_named=("published_{endpoint}",),
)
