"""Both infusions of a patient: exact tests and ratios by hand."""

import numpy as np
import pytest

from reinfuse.analysis import paired
from reinfuse.cohort.pairs import Pairs


def _pairs(response, days=None, event=None):
    response = np.array(response, dtype=float).reshape(-1, 2)
    shape = response.shape
    days = np.ones(shape) if days is None else np.array(days, dtype=float)
    event = np.zeros(shape) if event is None else np.array(event, dtype=float)
    return Pairs(tuple(f"P{i}" for i in range(len(response))), response, np.zeros(shape), days, event)


def _one(made, statistic, **where):
    found = [e for e in made if e.statistic == statistic and all(getattr(e, k) == v for k, v in where.items())]
    assert len(found) == 1
    return found[0]


def test_discordant_pairs_by_hand():
    """Six responded after the earlier infusion only, one after the later only: p = 2 (1 + 7) / 2^7 = 0.125.

    R: binom.test(1, 7) has the interval 0.003610 to 0.578723, so the ratio 1/6 has 0.003623 to 1.373674.
    """
    made = paired.paired(_pairs([[1, 0]] * 6 + [[0, 1]] + [[1, 1]] * 2 + [[0, 0]] * 3), 0.95, 2)
    test = _one(made, "odds_ratio", endpoint="response")
    assert test.p_value == pytest.approx(0.125)
    assert test.estimate == pytest.approx(1 / 6)
    assert (test.lower, test.upper) == pytest.approx((0.003610 / 0.996390, 0.578723 / 0.421277), rel=1e-4)
    assert (test.n, test.events) == (12, 7)
    counts = {e.group: e.estimate for e in made if "," in (e.group or "") and e.endpoint == "response"}
    assert counts == {"infusion 1 yes, infusion 2 yes": 2, "infusion 1 yes, infusion 2 no": 6,
                      "infusion 1 no, infusion 2 yes": 1, "infusion 1 no, infusion 2 no": 3}  # fmt: skip
    before = _one(made, "proportion", endpoint="response", group="infusion=1")
    assert (before.events, before.n) == (8, 12)


def test_one_kind_of_discordance_has_an_open_interval():
    """All five after the later infusion only: p = 2 / 32; R: binom.test(5, 5) begins at 0.478176."""
    test = _one(paired.paired(_pairs([[0, 1]] * 5), 0.95, 2), "odds_ratio", endpoint="response")
    assert test.p_value == pytest.approx(2 / 32)
    assert test.estimate is None and test.upper is None
    assert test.lower == pytest.approx(0.478176 / 0.521824, rel=1e-5)
    other = _one(paired.paired(_pairs([[1, 0]] * 5), 0.95, 2), "odds_ratio", endpoint="response")
    assert (other.estimate, other.lower) == (0, 0)
    assert other.upper == pytest.approx(0.521824 / 0.478176, rel=1e-5)


def test_no_discordant_pair():
    test = _one(paired.paired(_pairs([[1, 1], [0, 0]]), 0.95, 2), "odds_ratio", endpoint="response")
    assert test.p_value == 1
    assert test.note.startswith("not estimable: no patient responded after one infusion only")


def test_growth_modulation_by_hand():
    """Ratios 1/2, 1, 2 and 4, all observed: median (1 + 2) / 2, half of them at least 1.33."""
    made = paired.paired(_pairs([[0, 0]] * 4, [[60, 30], [50, 50], [30, 60], [20, 80]], [[1, 1]] * 4), 0.95, 2)
    gmi, over = _one(made, "growth_modulation_index"), _one(made, "gmi_at_least")
    assert gmi.estimate == pytest.approx(1.5)
    assert (gmi.n, gmi.events) == (4, 4)
    assert over.estimate == pytest.approx(0.5)
    assert over.lower < 0.5 < over.upper
    assert _one(made, "count", group="known=yes").estimate == 2
    assert _one(made, "count", group="known=no").estimate == 2


def test_a_ratio_of_exactly_the_threshold_counts():
    made = paired.paired(_pairs([[0, 0]] * 2, [[100, 133], [100, 100]], [[1, 1]] * 2), 0.95, 2)
    assert _one(made, "gmi_at_least").estimate == pytest.approx(0.5)
    assert _one(made, "count", group="known=yes").estimate == 1


def test_censored_ratios():
    """Ratios 0.5, 1+ and 2: 2/3 after 0.5, 0 after 2; median 2; 2/3 reach 1.33."""
    made = paired.paired(_pairs([[0, 0]] * 3, [[60, 30], [50, 50], [30, 60]], [[1, 1], [1, 0], [1, 1]]), 0.95, 2)
    assert _one(made, "growth_modulation_index").estimate == pytest.approx(2)
    assert _one(made, "gmi_at_least").estimate == pytest.approx(2 / 3)


def test_who_did_not_progress_before_has_no_ratio():
    made = paired.paired(_pairs([[0, 0]] * 3, [[60, 30], [0, 50], [30, 60]], [[0, 1], [1, 1], [1, 1]]), 0.95, 2)
    gmi = _one(made, "growth_modulation_index")
    assert gmi.n == 1
    assert "2 of 3 patients left out" in gmi.note
    made = paired.paired(_pairs([[0, 0]], [[60, 30]], [[0, 1]]), 0.95, 2)
    assert _one(made, "growth_modulation_index").note.startswith("not estimable: no patient progressed")
    assert paired.paired(_pairs(np.empty((0, 2))), 0.95, 2) == []
