"""The infusion before against the index infusion within patients: exact McNemar test, growth modulation index.

McNemar, Psychometrika 1947;12:153-157, exact: of the patients who responded once only, those who did so after the
index infusion are binomial with probability one half if the infusions do not differ. The ratio of the two kinds of
discordant pairs has the interval of that probability p by Clopper and Pearson, as p / (1 - p). Growth modulation
index: progression-free survival after the index infusion over that after the one before (Von Hoff, Clin Cancer Res
1998;4:1079-1086); the ratio is censored where the later time is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import comb

import numpy as np

from reinfuse.analyses import survival
from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.analyses.proportion import proportion
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.paired_outcomes import PairedOutcomes
from reinfuse.cohort.paired_outcomes import pairs as pairs_of
from reinfuse.cohort.strata import Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics.clopper_pearson import clopper_pearson

MCNEMAR = "exact McNemar test, Clopper-Pearson CI of discordant pairs"
INDEX = "growth modulation index, Kaplan-Meier, log-log CI"
WORTH = 1.33
"""Ratio from which the later time counts as clearly longer (Von Hoff 1998)."""
NOTE = (
    "an association only: patients had this infusion because the one before failed (regression to the mean), and "
    "lived long enough to have it (guarantee time)"
)
CENSORING = "ratios to a long earlier time are censored sooner, so censoring is informative"


def paired(pairs: PairedOutcomes, confidence: float, *, index: int) -> list[Estimate]:
    """Compare both infusions.

    Parameters
    ----------
    pairs
        Outcomes of the patients who had both; times in days.
    confidence
        Level of the intervals, such as 0.95.
    index
        Number of the index infusion.

    Returns
    -------
    list of Estimate
        Proportions, the four cells and the exact McNemar test of response and complete response; growth modulation
        index of progression-free survival. Empty if nobody had both infusions.
    """
    if not pairs.ids:
        return []
    records: list[Estimate] = []
    for endpoint, values in (("response", pairs.response), ("cr", pairs.cr)):
        for column, number in enumerate((index - 1, index)):
            records += _share(
                endpoint, values[:, column], pairs.assessed[:, column], confidence=confidence, number=number
            )
        records += _cells(endpoint, values, index=index)
        records.append(_mcnemar(endpoint, values, confidence=confidence))
    return records + list(_growth_modulation(pairs, confidence, index=index))


def _share(endpoint: str, values: Floats, assessed: Floats, *, confidence: float, number: int) -> list[Estimate]:
    """Return count and proportion after one infusion, and how many were not assessed."""
    count, share = proportion(
        int(values.sum()),
        len(values),
        confidence,
        analysis="paired",
        endpoint=endpoint,
        population="all",
        group=Stratum("infusion", str(number)),
    )
    without = int((assessed == 0).sum())
    note = f"{without} of {len(values)} without an evaluable assessment, counted as no response" if without else None
    return [replace(count, infusion=number), replace(share, infusion=number, note=note)]


def _cells(endpoint: str, values: Floats, *, index: int) -> list[Estimate]:
    """Return how many patients responded after both, after one, and after neither."""
    own = Estimate("paired", endpoint, "count", unit="patients", method="count", n=len(values))
    records = []
    for before, after in ((1, 1), (1, 0), (0, 1), (0, 0)):
        count = int(((values[:, 0] == before) & (values[:, 1] == after)).sum())
        group = f"infusion {index - 1} {_word(before)}, infusion {index} {_word(after)}"
        records.append(replace(own, group=group, estimate=float(count), events=count))
    return records


def _word(value: int) -> str:
    return "yes" if value else "no"


def _mcnemar(endpoint: str, values: Floats, *, confidence: float) -> Estimate:
    """Return the ratio of discordant pairs, later only over earlier only, with its exact interval and test."""
    later = int(((values[:, 0] == 0) & (values[:, 1] == 1)).sum())
    earlier = int(((values[:, 0] == 1) & (values[:, 1] == 0)).sum())
    own = Estimate("paired", endpoint, "odds_ratio", confidence=confidence, unit="ratio", method=MCNEMAR,
                   n=len(values), events=later + earlier)  # fmt: skip
    if not later + earlier:
        why = f"{NOT_ESTIMABLE}: no patient responded after one infusion only"
        return replace(own, p_value=1.0, note=joined([why, NOTE]))
    low, high = clopper_pearson(later, later + earlier, confidence=confidence)
    discordant = f"{later} after the later infusion only, {earlier} after the earlier only"
    tail = sum(comb(later + earlier, k) for k in range(min(later, earlier) + 1))  # whole numbers: without rounding
    p = min(1.0, 2 * tail / 2 ** (later + earlier))
    test = replace(own, lower=low / (1 - low), p_value=p)
    if not earlier:
        why = f"{NOT_ESTIMABLE}: ratio and upper limit are infinite"
        return replace(test, note=joined([why, discordant, NOTE]))
    return replace(test, estimate=later / earlier, upper=high / (1 - high), note=joined([discordant, NOTE]))


def _growth_modulation(pairs: PairedOutcomes, confidence: float, *, index: int) -> Iterator[Estimate]:
    """Yield the median ratio of the times, the probability that it is at least `WORTH`, and who is known to have it."""
    timed: Bools = ~np.isnan((pairs.pfs_days + pairs.pfs_event).sum(axis=1))
    usable = timed & (pairs.pfs_event[:, 0] == 1) & (pairs.pfs_days[:, 0] > 0)
    left_out = _left_out(pairs, timed, index=index)
    event = pairs.pfs_event[usable, 1]
    own = Estimate("paired", "pfs", "growth_modulation_index", confidence=confidence, unit="ratio", method=INDEX,
                   n=len(event), events=int(event.sum()))  # fmt: skip
    if not usable.any():
        why = f"{NOT_ESTIMABLE}: no patient progressed after the earlier infusion"
        yield replace(own, note=joined([why, left_out]))
        return
    ratio = pairs.pfs_days[usable, 1] / pairs.pfs_days[usable, 0]
    remark = joined([left_out, CENSORING if (event == 0).any() else None, NOTE])
    curve = survival.kaplan_meier(ratio, event, confidence)
    middle = survival.median(curve, confidence, "pfs", population="all", group=None)
    yield replace(own, estimate=middle.estimate, lower=middle.lower, upper=middle.upper,
                  note=joined([middle.note, remark]))  # fmt: skip
    value, lower, upper, why_none = survival.just_before(curve, WORTH)
    if value is None:
        why_none = f"{NOT_ESTIMABLE}: the longest ratio, {ratio.max():.3g}, is censored"
    at_least = replace(own, statistic="gmi_at_least", term=Stratum.at_least("gmi", WORTH), unit="fraction")
    yield replace(at_least, estimate=value, lower=lower, upper=upper, note=joined([why_none, remark]))
    for name, reached in (("yes", ratio >= WORTH), ("no", (ratio < WORTH) & (event == 1))):
        count = int(reached.sum())
        yield replace(at_least, statistic="count", unit="patients", method="count", confidence=None,
                      group=Stratum("known", name), estimate=float(count), events=count)  # fmt: skip


def _left_out(pairs: PairedOutcomes, timed: Bools, *, index: int) -> str | None:
    """Return how many patients have no ratio, and why."""
    event = pairs.pfs_event[:, 0] == 1
    reasons = {
        f"without an event after infusion {index - 1}": timed & ~event,
        f"with an event on the day of infusion {index - 1}": timed & event & (pairs.pfs_days[:, 0] <= 0),
        "with an unknown time": ~timed,
    }
    counts = [f"{int(mask.sum())} {why}" for why, mask in reasons.items() if mask.any()]
    total = sum(int(mask.sum()) for mask in reasons.values())
    return f"{total} of {len(timed)} patients left out: {', '.join(counts)}" if total else None


def _of(inputs: Inputs) -> list[Estimate]:
    plan = inputs.plan
    both = pairs_of(inputs.cohort, plan.index_infusion, rules=plan.rules)
    return [] if both is None else paired(both, plan.confidence, index=plan.index_infusion)


def _steps(inputs: Inputs) -> Iterator[Step]:
    if inputs.plan.index_infusion > 1:
        yield without_curves("within patients", partial(_of, inputs))


ANALYSIS = Analysis(
    "within patients",
    records="paired",
    section="paired",
    steps=_steps,
    what="within-patient comparison of the previous and the index infusion",
    method="exact McNemar; growth modulation index (Clin Cancer Res 1998;4:1079)",
    lacking="no dated tables with the previous infusion of the same patients",
    switches=("paired",),
)
