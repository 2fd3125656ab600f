"""The infusion before against the index infusion within patients: exact McNemar test, growth modulation index.

McNemar, Psychometrika 1947;12:153-157, exact: of the patients who responded once only, those who did so after the index
infusion are binomial with probability one half if the infusions do not differ. The ratio of the two kinds of
discordant pairs has the interval of that probability p by Clopper and Pearson, as p / (1 - p). Growth modulation
index: progression-free survival after the index infusion over that after the one before (Von Hoff, Clin Cancer Res
1998;4:1079-1086); the ratio is censored where the later time is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from reinfuse.analysis import survival
from reinfuse.analysis.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.analysis.proportion import clopper_pearson, proportion
from reinfuse.cohort.pairs import Pairs

Floats = NDArray[np.float64]
MCNEMAR = "exact McNemar test, Clopper-Pearson CI of discordant pairs"
INDEX = "growth modulation index, Kaplan-Meier, log-log CI"
WORTH = 1.33
"""Ratio from which the later time counts as clearly longer (Von Hoff 1998)."""


def paired(pairs: Pairs, confidence: float, index: int) -> list[Estimate]:
    """Compare both infusions.

    Parameters
    ----------
    index
        Number of the index infusion.
    """
    if not pairs.ids:
        return []
    made: list[Estimate] = []
    for endpoint, values in (("response", pairs.response), ("cr", pairs.cr)):
        for column, number in enumerate((index - 1, index)):
            made += proportion(int(values[:, column].sum()), len(values), confidence, "paired", endpoint, "all",
                               f"infusion={number}")  # fmt: skip
        made += _mcnemar(endpoint, values, confidence, index)
    return made + _growth_modulation(pairs, confidence)


def _mcnemar(endpoint: str, values: Floats, confidence: float, index: int) -> list[Estimate]:
    before, after = values[:, 0] == 1, values[:, 1] == 1
    later, earlier = int((~before & after).sum()), int((before & ~after).sum())
    n, discordant = len(values), later + earlier
    cells = {(True, True): int((before & after).sum()), (True, False): earlier, (False, True): later,
             (False, False): int((~before & ~after).sum())}  # fmt: skip
    own = Estimate("paired", endpoint, "count", unit="patients", method="count", n=n)
    made = [
        replace(own, group=f"infusion {index - 1} {_word(a)}, infusion {index} {_word(b)}", estimate=float(c), events=c)
        for (a, b), c in cells.items()
    ]
    test = Estimate("paired", endpoint, "odds_ratio", confidence=confidence, unit="ratio", method=MCNEMAR, n=n,
                    events=discordant)  # fmt: skip
    if not discordant:
        return [
            *made,
            replace(test, p_value=1.0, note=f"{NOT_ESTIMABLE}: no patient responded after one infusion only"),
        ]
    low, high = clopper_pearson(later, discordant, confidence)
    said = [f"{later} after the later infusion only, {earlier} after the earlier only"]
    said += ["no finite ratio"] if not earlier else []
    made.append(replace(test, estimate=later / earlier if earlier else None, lower=low / (1 - low) if later else 0.0,
                        upper=high / (1 - high) if earlier and high < 1 else None,
                        p_value=float(binomtest(later, discordant, 0.5).pvalue), note=joined(said)))  # fmt: skip
    return made


def _word(value: bool) -> str:
    return "yes" if value else "no"


def _growth_modulation(pairs: Pairs, confidence: float) -> list[Estimate]:
    usable = (pairs.event[:, 0] == 1) & (pairs.days[:, 0] > 0) & ~np.isnan(pairs.days[:, 1])
    left_out = int((~usable).sum())
    said = (
        f"{left_out} of {len(usable)} patients left out: no progression after the earlier infusion, or on its very day"
        if left_out
        else None
    )
    own = Estimate("paired", "pfs", "growth_modulation_index", confidence=confidence, unit="ratio", method=INDEX,
                   n=int(usable.sum()), events=int(pairs.event[usable, 1].sum()), note=said)  # fmt: skip
    if not usable.any():
        return [replace(own, note=joined([f"{NOT_ESTIMABLE}: no patient progressed after the earlier infusion", said]))]
    ratio, event = pairs.days[usable, 1] / pairs.days[usable, 0], pairs.event[usable, 1]
    curve = survival.kaplan_meier(ratio, event, confidence)
    middle = survival.median(curve, confidence, "pfs", "all", None)
    made = [
        replace(own, estimate=middle.estimate, lower=middle.lower, upper=middle.upper, note=joined([middle.note, said]))
    ]
    at_least = replace(own, statistic="gmi_at_least", term=f"gmi>={WORTH}", unit="fraction")
    value, lower, upper, why = survival.just_before(curve, WORTH)
    made.append(replace(at_least, estimate=value, lower=lower, upper=upper, note=joined([why, said])))
    for name, known in (("yes", ratio >= WORTH), ("no", (ratio < WORTH) & (event == 1))):
        made.append(replace(at_least, statistic="count", unit="patients", method="count", estimate=float(known.sum()),
                            confidence=None, group=f"known={name}", note=None))  # fmt: skip
    return made
