"""What a reader must know before the numbers of a synthesis are used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from reinfuse.evidence.synthesis import Synthesis
from reinfuse.statistics.binomial_normal import BinomialNormalFit

FEW_STUDIES = 10
"""Studies below which small-study effects cannot be tested (Sterne et al., BMJ 2011;343:d4002)."""
SMALL_STUDY = 20
_MOVED = 0.1
"""Change of the mean by leaving one study out that is told, as a proportion."""


def cautions(synthesis: Synthesis, *, on: date) -> list[str]:
    """Return the cautions, each a sentence.

    Parameters
    ----------
    on
        Today: studies that were to be read again before are named.
    """
    if synthesis.pooled is None or synthesis.mixed is None:
        return [*_provenance(synthesis, on)]
    return [
        *_of_heterogeneity(synthesis, synthesis.mixed),
        *_of_few_and_small(synthesis),
        *_of_one_study(synthesis),
        *_provenance(synthesis, on),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _of_heterogeneity(synthesis: Synthesis, mixed: BinomialNormalFit) -> Iterator[str]:
    tau = synthesis.bayesian[0].heterogeneity(confidence=synthesis.confidence)
    if mixed.studies == 1:
        yield "One study: how far studies differ is not known from data; the prediction rests on its prior."
        return
    if mixed.studies == 2:
        yield (
            "Two studies: a confidence interval would rest on one degree of freedom; the interval given is Bayesian, "
            "and takes from its prior how far studies usually differ."
        )
    if mixed.at_boundary:
        yield (
            f"Between-study variation is estimated as 0, which {mixed.studies} studies cannot establish: a standard "
            f"deviation of the log odds up to {tau.upper:.1f} agrees with them as well. The model's prediction "
            "interval would equal its confidence interval; the Bayesian one is given instead."
        )
    elif mixed.p_value < 0.05:
        yield (
            f"The studies differ by more than chance (likelihood ratio {_p(mixed.p_value)}): their mean describes "
            "no single study, and the prediction interval is what applies to a further cohort."
        )
    if mixed.studies > 2 and np.isfinite(mixed.variance_ratio) and mixed.interval != mixed.scaled:
        yield (
            "The studies agree more closely than expected by chance: the confidence interval is widened to that of "
            "one pooled sample."
        )


def _of_few_and_small(synthesis: Synthesis) -> Iterator[str]:
    sizes = [r.n for r in synthesis.rows]
    small = sum(n < SMALL_STUDY for n in sizes)
    if len(sizes) < FEW_STUDIES:
        yield (
            f"{len(sizes)} {'study' if len(sizes) == 1 else 'studies'}, {small} of fewer than {SMALL_STUDY} patients: "
            "small studies are published more readily when results are good, and so few cannot be tested for it."
        )


def _of_one_study(synthesis: Synthesis) -> Iterator[str]:
    pooled = synthesis.pooled
    if pooled is None or pooled.estimate is None:
        return
    moved = [
        (abs(o.pooled.estimate - pooled.estimate), o) for o in synthesis.without_one if o.pooled.estimate is not None
    ]
    if moved:
        change, most = max(moved, key=lambda m: m[0])
        if change >= _MOVED and most.pooled.estimate is not None:
            yield (
                f"One study weighs heavily: without {most.label} the estimate is {_percent(most.pooled.estimate)} "
                f"instead of {_percent(pooled.estimate)}."
            )


def _provenance(synthesis: Synthesis, on: date) -> Iterator[str]:
    if synthesis.across and any(set(f.differs_in) & {*synthesis.across} for f in synthesis.figures):
        yield f"Pooled across studies that differ in {' and '.join(synthesis.across)}, as requested."
    derived = [s.label for s, f in zip(synthesis.registered, synthesis.figures, strict=True) if f.basis == "derived"]
    if derived:
        yield f"Counts derived from what is printed: {', '.join(derived)}."
    abstracts = [s.label for s in synthesis.registered if s.read_as != "full text"]
    if abstracts:
        yield f"Not read in full text: {', '.join(abstracts)}."
    stale = [f"{s.label} (by {s.review_by})" for s in synthesis.registered if s.is_stale(on)]
    if stale:
        yield f"Out of date, was to be read again: {', '.join(stale)}."
    for study in (e.study for e in synthesis.excluded if e.study.is_retracted):
        yield f"RETRACTED and left out: {study.label} ({', '.join(n.reference for n in study.alarms)})."
    for study in synthesis.registered:
        for notice in study.alarms:
            yield f"A {notice.kind} of {study.label} has been published ({notice.reference}): read it before use."
