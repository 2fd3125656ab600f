"""A synthesis of published rates, and a borrowing from them, as pages: answer, figure, tables, methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from reinfuse.evidence.borrowing import CONFLICT, Borrowing
from reinfuse.evidence.cautions import cautions
from reinfuse.evidence.hazard_borrowing import HazardBorrowing
from reinfuse.evidence.subgroups import Subgroups
from reinfuse.evidence.synthesis import FLOORED, Synthesis
from reinfuse.report.document.model import Block, Bullets, Document, Paragraph, Picture, Section, Table
from reinfuse.report.figures.published_rates import prior_and_posterior, published_forest
from reinfuse.report.tables import published_rates as tables
from reinfuse.report.text import number_format
from reinfuse.report.text.synthesis_references import BORROWING, SYNTHESIS

SYNTHESIS_METHODS = (
    "One figure of each comparable study was taken, so that no patient counts twice. Proportions of single studies "
    "have exact intervals (Clopper-Pearson). Their mean is the proportion of the median study by a binomial-normal "
    "mixed model, fitted by maximum likelihood with adaptive quadrature. Its interval takes the variance from the "
    "studies' own spread, with Student's t (the idea of Hartung and Knapp), and is never narrower than that of one "
    "pooled sample; of two studies the Bayesian median and interval are given. The prediction for a further study is "
    "Bayesian, with half-normal heterogeneity of scale 1 and a normal prior N(0, 2) of the mean log odds, summed by "
    "quadrature. Profile likelihood, REML with Hartung and Knapp, its modified form and a prior of scale 0.5 are "
    "sensitivity analyses. Heterogeneity was tested by likelihood ratio."
)
BORROWING_METHODS = (
    "The own rate is given without borrowing first. The studies' meta-analytic-predictive prior was brought into the "
    "form of a mixture of Betas by an EM algorithm, and a vague Beta(1, 1) component was added, to which the weight "
    "moves where own data contradict the studies. What the prior is worth was measured by moments and by the expected "
    "local information ratio (ELIR), without the vague component. Conflict is the prior predictive probability of a "
    "number of events no more probable than the observed one. Power priors and a commensurate prior stand beside it."
)


def summary(synthesis: Synthesis) -> list[str]:
    """Return the answer in sentences: mean, prediction, and the own cohort's place."""
    pooled = synthesis.pooled
    name = tables.title_of(synthesis)
    if pooled is None:
        return [f"{name}: no comparable study of the register gives counts."]
    level = number_format.confidence_level(synthesis.confidence)
    number = "1 study" if pooled.studies == 1 else f"{pooled.studies} studies"
    studies = f"{number}, {pooled.events} of {pooled.n} patients"
    if pooled.estimate is None:
        first = f"{name}: {studies}; not estimable ({pooled.reason})."
    elif pooled.interval is None:
        first = f"{name}: {number_format.percent(pooled.estimate, pooled.n)} ({studies}); {pooled.reason}."
    else:
        ends = _limits(pooled.interval, pooled.n)
        inside = number_format.level_before(synthesis.confidence, ends) if pooled.method == FLOORED else (
            f"{level} credible interval {ends}")  # fmt: skip
        first = f"{name}: {number_format.percent(pooled.estimate, pooled.n)} ({inside}; {studies})."
    sentences = [
        first,
        f"A further study may lie between {_between(pooled.prediction, pooled.n)} ({level} prediction interval).",
    ]
    if synthesis.placed is not None:
        own, (low, high) = synthesis.placed.own, synthesis.placed.expected
        share = number_format.percent(own.proportion, own.n)
        where = "within" if synthesis.placed.is_inside else "outside"
        sentences.append(
            f"{own.label}: {own.events} of {own.n} ({share}) lies {where} the {low} to {high} of {own.n} expected of a "
            "further study."
        )
    return sentences


def borrowing_summary(borrowing: Borrowing) -> list[str]:
    """Return the answer in sentences: without borrowing, what the studies are worth, with borrowing, and conflict."""
    own, alone = borrowing.own, borrowing.alone[0]
    inside = number_format.level_before(borrowing.confidence, _limits((alone.lower, alone.upper), own.n))
    sentences = [f"Without borrowing: {own.events} of {own.n}, {number_format.percent(alone.mean, own.n)} ({inside})."]
    if not borrowing.borrowed:
        return [*sentences, "No comparable study of the register gives counts: nothing is borrowed."]
    best = borrowing.borrowed[0]
    level = number_format.confidence_level(borrowing.confidence)
    sentences += [
        borrowing.worth_in_words,
        f"With borrowing (robust): {number_format.percent(best.mean, own.n)} ({level} credible interval "
        f"{_limits((best.lower, best.upper), own.n)}).",
    ]
    p = number_format.p_is(borrowing.conflict)
    vague = f"{number_format.percent(borrowing.vague_before, own.n)} before and {{}} after the own data"
    weights = vague.format(number_format.percent(borrowing.vague_after or 0.0, own.n))
    check = "contradict" if borrowing.is_in_conflict else "do not contradict"
    sentences.append(f"The own data {check} the studies (prior predictive {p}; vague component {weights}).")
    return sentences


def hazard_summary(borrowing: HazardBorrowing) -> list[str]:
    """Return the answer in sentences: without borrowing, what the studies are worth, with borrowing, and conflict."""
    own, number = borrowing.own, number_format.measured

    def shown(value: float, low: float, high: float) -> str:
        return f"{number(value)} (95% interval {number_format.limits(number(low), number(high))})"

    k = len(borrowing.studies)
    studies = "One study is" if k == 1 else f"{k} studies are together"
    exposure = borrowing.worth_exposure
    by_information = "" if exposure is None else f" (by information, ELIR, {exposure:.3g} units of exposure)"
    check = "contradict" if borrowing.conflict < CONFLICT else "do not contradict"
    return [
        f"Without borrowing: {own.events} events in {own.exposure:g}, {shown(own.hazard, own.lower, own.upper)}.",
        f"{studies} worth about {borrowing.worth_events:.0f} events of one's own{by_information}.",
        f"With borrowing (robust): {shown(borrowing.mean, borrowing.lower, borrowing.upper)}.",
        f"The own data {check} the studies (prior predictive {number_format.p_is(borrowing.conflict)}).",
    ]


def _limits(ends: tuple[float, float], n: int) -> str:
    return number_format.limits(*(number_format.percent(x, n) for x in ends))


def _between(ends: tuple[float, float], n: int) -> str:
    low, high = (number_format.percent(x, n) for x in ends)
    return f"{low} and {high}"


def synthesis_blocks(synthesis: Synthesis, groups: Sequence[Subgroups] = (), *, on: date) -> Iterator[Block]:
    """Yield figure, tables and cautions of a synthesis.

    Parameters
    ----------
    groups
        The same endpoint by disease or construct.
    on
        Today, for what is out of date.
    """
    drawn = published_forest(synthesis)
    if drawn is not None:
        yield Picture(drawn, "Squares: studies, exact intervals; diamond: median study; bar: prediction.")
    warnings = cautions(synthesis, on=on)
    if warnings:
        yield Bullets(tuple(warnings))
    by_group = (tables.subgroups(g, confidence=synthesis.confidence) for g in groups)
    every = (tables.pooled(synthesis), tables.left_out(synthesis), *by_group, tables.excluded(synthesis))
    if synthesis.rows:
        yield tables.studies(synthesis)
    yield from (t for t in every if isinstance(t, Table))


def synthesis_document(synthesis: Synthesis, groups: Sequence[Subgroups] = (), *, on: date) -> Document:
    """Return the page of a synthesis."""
    sections = (
        Section("answer", "Answer", tuple(Paragraph(s) for s in summary(synthesis))),
        Section("evidence", "Published studies", tuple(synthesis_blocks(synthesis, groups, on=on))),
        _methods((SYNTHESIS_METHODS,), [*(r.text for r in SYNTHESIS.values()), *_studies_cited(synthesis)]),
    )
    return Document(f"Published evidence: {tables.title_of(synthesis)}", _subtitle(on), sections)


def borrowing_document(borrowing: Borrowing, *, on: date) -> Document:
    """Return the page of a borrowing, the answer without it first."""
    synthesis = borrowing.synthesis
    drawn = prior_and_posterior(borrowing)
    worth = tables.prior_worth(borrowing)
    own: list[Block] = [tables.own_rates(borrowing)]
    own += [worth] if worth is not None else []
    own += [Picture(drawn)] if drawn is not None else []
    cited = [r.text for r in (*SYNTHESIS.values(), *BORROWING.values())]
    sections = (
        Section("answer", "Answer", tuple(Paragraph(s) for s in borrowing_summary(borrowing))),
        Section("own", "Own rate without and with published studies", tuple(own)),
        Section("evidence", "Published studies", tuple(synthesis_blocks(synthesis, on=on))),
        _methods((BORROWING_METHODS, SYNTHESIS_METHODS), [*cited, *_studies_cited(synthesis)]),
    )
    return Document(f"Borrowing from published studies: {tables.title_of(synthesis)}", _subtitle(on), sections)


def _subtitle(on: date) -> str:
    return f"Written on {on.isoformat()} by reinfuse from its register of published studies"


def _methods(texts: Sequence[str], references: Sequence[str]) -> Section:
    return Section("methods", "Methods and references",
                   (*(Paragraph(t) for t in texts), Bullets(tuple(references), numbered=True)))  # fmt: skip


def _studies_cited(synthesis: Synthesis) -> list[str]:
    return [s.reference for s in synthesis.registered]
