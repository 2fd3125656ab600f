"""Both infusions of a patient: exact tests and ratios by hand."""

import math

import numpy as np
import pytest

from reinfuse import read_cohort
from reinfuse.analyses import paired
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.paired_outcomes import PairedOutcomes, pairs
from reinfuse.data import DEMO, datasets


def _pairs(response, days=None, event=None, cr=None, assessed=None):
    response = np.array(response, dtype=float).reshape(-1, 2)
    shape = response.shape

    def filled(given, value):
        return np.full(shape, value) if given is None else np.array(given, dtype=float)

    return PairedOutcomes(tuple(f"P{i}" for i in range(len(response))), response, filled(cr, 0.0), filled(days, 1.0),
                 filled(event, 0.0), filled(assessed, 1.0))  # fmt: skip


def _times(days, event):
    """Return the records of patients who differ in progression-free survival only."""
    return paired.paired(_pairs([[0, 0]] * len(days), days, event), 0.95, index=2)


def _one(made, statistic, **where):
    found = [e for e in made if e.statistic == statistic and all(getattr(e, k) == v for k, v in where.items())]
    assert len(found) == 1
    return found[0]


def _limits(record):
    return record.estimate, record.lower, record.upper


def test_discordant_pairs_by_hand():
    """Six responded after the earlier infusion only, one after the later only: p = 2 (1 + 7) / 2^7 = 0.125.

    R: b <- binom.test(1, 7)$conf.int; b / (1 - b) is 0.003623378333 to 1.373736206.
    """
    records = paired.paired(_pairs([[1, 0]] * 6 + [[0, 1]] + [[1, 1]] * 2 + [[0, 0]] * 3), 0.95, index=2)
    test = _one(records, "odds_ratio", endpoint="response")
    assert test.p_value == pytest.approx(0.125)
    assert _limits(test) == pytest.approx((1 / 6, 0.003623378333, 1.373736206), rel=1e-9)
    assert (test.n, test.events) == (12, 7)
    assert test.note.startswith("1 after the later infusion only, 6 after the earlier only")
    counts = {
        e.group: (e.estimate, e.n, e.events) for e in records if "," in (e.group or "") and e.endpoint == "response"
    }
    assert counts == {
        "infusion 1 yes, infusion 2 yes": (2, 12, 2),
        "infusion 1 yes, infusion 2 no": (6, 12, 6),
        "infusion 1 no, infusion 2 yes": (1, 12, 1),
        "infusion 1 no, infusion 2 no": (3, 12, 3),
    }


def test_proportions_of_both_infusions():
    """R: binom.test(8, 12)$conf.int is 0.3488755064 to 0.9007539089, binom.test(3, 12) 0.05486064 to 0.57185846."""
    records = paired.paired(_pairs([[1, 0]] * 6 + [[0, 1]] + [[1, 1]] * 2 + [[0, 0]] * 3), 0.95, index=2)
    before = _one(records, "proportion", endpoint="response", group="infusion=1")
    after = _one(records, "proportion", endpoint="response", group="infusion=2")
    assert (before.n, before.events, after.n, after.events) == (12, 8, 12, 3)
    assert _limits(before) == pytest.approx((8 / 12, 0.3488755064, 0.9007539089), rel=1e-9)
    assert _limits(after) == pytest.approx((3 / 12, 0.05486064453, 0.57185846188), rel=1e-9)


P_VALUES = [(0, 7, 0.015625), (1, 6, 0.125), (2, 5, 0.453125), (3, 4, 1), (3, 3, 1), (7, 0, 0.015625)]


@pytest.mark.parametrize(("later", "earlier", "p"), P_VALUES)
def test_the_p_value_is_the_doubled_tail_up_to_one(later, earlier, p):
    """R: binom.test(later, later + earlier)$p.value."""
    records = paired.paired(_pairs([[0, 1]] * later + [[1, 0]] * earlier), 0.95, index=2)
    assert _one(records, "odds_ratio", endpoint="response").p_value == pytest.approx(p)


def test_the_level_of_the_interval():
    """R: b <- binom.test(1, 7, conf.level = 0.9)$conf.int; b / (1 - b) is 0.007354526139 to 1.086388908967."""
    test = _one(paired.paired(_pairs([[1, 0]] * 6 + [[0, 1]]), 0.9, index=2), "odds_ratio", endpoint="response")
    assert (test.lower, test.upper) == pytest.approx((0.007354526139, 1.086388908967), rel=1e-9)
    assert test.confidence == 0.9


def test_complete_response_has_its_own_pairs():
    records = paired.paired(_pairs([[1, 1]] * 3, cr=[[1, 0], [0, 1], [1, 0]]), 0.95, index=3)
    test = _one(records, "odds_ratio", endpoint="cr")
    assert (test.estimate, test.p_value, test.events) == (0.5, 1, 3)
    assert _one(records, "count", endpoint="cr", group="infusion 2 yes, infusion 3 no").estimate == 2
    assert _one(records, "proportion", endpoint="cr", group="infusion=3").events == 1


def test_one_kind_of_discordance_has_an_open_interval():
    """All five after the later infusion only: p = 2 / 32; R: binom.test(5, 5)$conf.int begins at 0.4781762499."""
    test = _one(paired.paired(_pairs([[0, 1]] * 5), 0.95, index=2), "odds_ratio", endpoint="response")
    assert test.p_value == pytest.approx(2 / 32)
    assert test.estimate is None
    assert test.upper is None
    assert test.lower == pytest.approx(0.4781762499 / 0.5218237501, rel=1e-9)
    assert test.note.startswith("not estimable: ratio and upper limit are infinite")
    other = _one(paired.paired(_pairs([[1, 0]] * 5), 0.95, index=2), "odds_ratio", endpoint="response")
    assert _limits(other) == pytest.approx((0, 0, 0.5218237501 / 0.4781762499), rel=1e-9)


def test_no_discordant_pair():
    test = _one(paired.paired(_pairs([[1, 1], [0, 0]]), 0.95, index=2), "odds_ratio", endpoint="response")
    assert (*_limits(test), test.p_value, test.events) == (None, None, None, 1, 0)
    assert test.note.startswith("not estimable: no patient responded after one infusion only")


def test_who_was_not_assessed_is_told():
    records = paired.paired(_pairs([[1, 0]] * 3, assessed=[[1, 0], [1, 1], [1, 0]]), 0.95, index=2)
    notes = [e.note for e in records if e.statistic == "proportion" and e.endpoint == "response"]
    assert notes == [None, "2 of 3 without an evaluable assessment, counted as no response"]


def test_growth_modulation_by_hand():
    """Ratios 1/2, 1, 2 and 4, all observed: median (1 + 2) / 2, half of them at least 1.33.

    R: survfit(Surv(c(.5, 1, 2, 4), rep(1, 4)) ~ 1, conf.type = "log-log"): median 1.5 from 0.5 to NA; after 1, 0.5
    from 0.05784708 to 0.844861.
    """
    made = _times([[60, 30], [50, 50], [30, 60], [20, 80]], [[1, 1]] * 4)
    gmi, over = _one(made, "growth_modulation_index"), _one(made, "gmi_at_least")
    assert _limits(gmi) == (1.5, 0.5, None)
    assert (gmi.n, gmi.events, gmi.unit, gmi.term) == (4, 4, "ratio", None)
    assert gmi.note == f"upper limit not reached; {paired.NOTE}"
    assert _limits(over) == pytest.approx((0.5, 0.05784708, 0.844861), rel=1e-5)
    assert (over.n, over.events, over.unit, over.term, over.level) == (4, 4, "fraction", "gmi", ">=1.33")
    assert _known(made) == (2, 2)


def _known(made):
    """Return how many ratios are known to be at least 1.33, and how many below."""
    found = [_one(made, "count", group=f"known={name}") for name in ("yes", "no")]
    assert all(e.estimate == e.events for e in found)
    return tuple(e.events for e in found)


def test_a_ratio_of_exactly_the_threshold_counts():
    made = _times([[100, 133], [300, 399], [100, 132]], [[1, 1]] * 3)
    assert _one(made, "gmi_at_least").estimate == pytest.approx(2 / 3)
    assert _known(made) == (2, 1)


def test_censored_ratios():
    """Ratios 0.5, 1+ and 2: 2/3 after 0.5, 0 after 2; median 2; 2/3 reach 1.33.

    R: survfit(Surv(c(.5, 1, 2), c(1, 0, 1)) ~ 1, conf.type = "log-log"): 0.0540734 to 0.945206 after 0.5.
    """
    made = _times([[60, 30], [50, 50], [30, 60]], [[1, 1], [1, 0], [1, 1]])
    gmi = _one(made, "growth_modulation_index")
    assert _limits(gmi) == (2, 0.5, None)
    assert (gmi.n, gmi.events) == (3, 2)
    assert paired.CENSORING in gmi.note
    assert _limits(_one(made, "gmi_at_least")) == pytest.approx((2 / 3, 0.0540734, 0.945206), rel=1e-5)
    assert _known(made) == (1, 1)


def test_a_censored_ratio_above_the_threshold_is_known_to_reach_it():
    made = _times([[50, 100], [50, 25]], [[1, 0], [1, 1]])
    assert _one(made, "gmi_at_least").estimate == pytest.approx(0.5)
    assert _known(made) == (1, 1)


def test_no_ratio_followed_up_to_the_threshold():
    made = _times([[50, 60], [50, 25]], [[1, 0], [1, 1]])
    over = _one(made, "gmi_at_least")
    assert _limits(over) == (None, None, None)
    assert over.note.startswith("not estimable: the longest ratio, 1.2, is censored; ")
    assert _known(made) == (0, 1)


def test_who_did_not_progress_before_has_no_ratio():
    made = _times([[60, 30], [0, 50], [30, 60]], [[0, 1], [1, 1], [1, 1]])
    gmi = _one(made, "growth_modulation_index")
    assert (gmi.n, gmi.estimate) == (1, 2)
    assert ("2 of 3 patients left out: 1 without an event after infusion 1, "
            "1 with an event on the day of infusion 1") in gmi.note  # fmt: skip


def test_nobody_progressed_before():
    [gmi] = [e for e in _times([[60, 30]], [[0, 1]]) if e.endpoint == "pfs"]
    assert (*_limits(gmi), gmi.n, gmi.events) == (None, None, None, 0, 0)
    assert gmi.note == ("not estimable: no patient progressed after the earlier infusion; "
                        "1 of 1 patients left out: 1 without an event after infusion 1")  # fmt: skip


DEGENERATE = {
    "one patient": ([[0, 0]], [[10, 20]], [[1, 1]]),
    "one patient, censored": ([[1, 1]], [[10, 20]], [[1, 0]]),
    "never assessed later": ([[1, 0]] * 2, [[10, 0]] * 2, [[1, 0]] * 2),
    "no day at all": ([[0, 0]] * 2, [[0, 0]] * 2, [[0, 0]] * 2),
    "event on day zero": ([[0, 0]] * 2, [[0, 0]] * 2, [[1, 1]] * 2),
    "all concordant and alike": ([[1, 1]] * 6, [[10, 10]] * 6, [[1, 1]] * 6),
    "unknown times": ([[0, 1]] * 2, [[10, np.nan], [np.nan, 10]], [[1, np.nan], [np.nan, 1]]),
}


@pytest.mark.parametrize("given", DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_cohorts_have_numbers_or_reasons(given):
    records = paired.paired(_pairs(*given), 0.95, index=2)
    for e in records:
        assert e.n is not None
        assert e.events is not None
        assert e.method
        assert e.estimate is None or math.isfinite(e.estimate)
        assert e.estimate is not None or "not estimable" in e.note or "not reached" in e.note


def test_nobody_had_both_infusions():
    assert paired.paired(_pairs(np.empty((0, 2))), 0.95, index=2) == []


def test_the_bundled_cohort():
    """R: b <- binom.test(1, 15); p 0.0009765625, b / (1 - b) of its interval 0.001689279093 to 0.469474387924.

    Complete response: binom.test(3, 15), p 0.03515625, 0.04527286361 to 0.92637819372.
    """
    records = paired.paired(pairs(read_cohort(datasets()[DEMO].path), 2, rules=Rules()), 0.95, index=2)
    test, cr = (_one(records, "odds_ratio", endpoint=end) for end in ("response", "cr"))
    assert (*_limits(test), test.p_value) == pytest.approx((1 / 14, 0.001689279093, 0.469474387924, 0.0009765625))
    assert (*_limits(cr), cr.p_value) == pytest.approx((3 / 12, 0.04527286361, 0.92637819372, 0.03515625))
