"""Restricted mean survival time: against R's `survfit`, a case by hand, and what is not estimable."""

import json
from pathlib import Path

import numpy as np
import pytest
from columns import category, timed, yes_no

from helpers import plain
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses.rmst import by_group
from reinfuse.data import DEMO, datasets
from reinfuse.exceptions import PlanRefused
from reinfuse.results.estimate import NOT_ESTIMABLE

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "rmst.json").read_text(encoding="utf-8"))
MEAN, DIFFERENCE, RATIO = "restricted_mean", "restricted_mean_difference", "restricted_mean_ratio"


def of(records, statistic):
    return [e for e in records if e.statistic == statistic]


def limits(record):
    return [record.estimate, record.lower, record.upper]


@pytest.mark.parametrize("case", GOLDEN["rmst"], ids=lambda c: c["name"])
def test_means_and_contrasts_are_those_of_r(case):
    end, factor = timed(case["time"], case["event"]), yes_no(case["group"])
    records = by_group(end, factor, 0.95, horizon=case["horizon"])
    means = of(records, MEAN)
    assert [e.group for e in means] == ["x=no", "x=yes"]
    for record, mean in zip(means, case["means"], strict=True):
        assert limits(record) == pytest.approx([mean["mean"], mean["lower"],
                                                mean["upper"]], rel=1e-10)  # fmt: skip
        assert (record.n, record.events) == (mean["n"], mean["events"])
    for statistic, key in ((DIFFERENCE, "difference"), (RATIO, "ratio")):
        [record] = of(records, statistic)
        expected = case[key]
        assert [*limits(record), record.p_value] == pytest.approx(
            [expected[k] for k in ("estimate", "lower", "upper", "p")], rel=1e-8
        )
        assert (record.term, record.at, record.n) == ("x", case["horizon"], len(case["time"]))


def test_without_a_horizon_it_is_the_least_of_the_largest_times():
    for case in GOLDEN["rmst"]:
        least = min(max(t for t, g in zip(case["time"], case["group"], strict=True) if g == k) for k in (0, 1))
        records = by_group(timed(case["time"], case["event"]), yes_no(case["group"]), 0.95, horizon=None)
        assert {e.at for e in records} == {least}


TIMES, EVENTS, GROUP = [10, 20, 30, 40, 15, 30, 40], [1, 1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1]


def test_a_case_by_hand():
    """Curves 1, 3/4 from 10, 1/2 from 20; and 1, 2/3 from 15. Areas to 30: 10 + 7.5 + 5 and 15 + 10.

    Variances: (7.5 + 5)^2 / (4 x 3) + 5^2 / (3 x 2) = 17.1875; 10^2 / (3 x 2) = 16.6667, the event on day 30 adds 0.
    """
    records = by_group(timed(TIMES, EVENTS), yes_no(GROUP), 0.95, horizon=30)
    first, second = of(records, MEAN)
    z = 1.959963984540054
    assert limits(first) == pytest.approx([22.5, 22.5 - z * 17.1875**0.5, 22.5 + z * 17.1875**0.5])
    assert limits(second) == pytest.approx([25, 25 - z * (100 / 6) ** 0.5, 25 + z * (100 / 6) ** 0.5])
    assert ((first.n, first.events), (second.n, second.events)) == ((4, 2), (3, 2))
    [difference], [ratio] = of(records, DIFFERENCE), of(records, RATIO)
    assert limits(difference) == pytest.approx(
        [2.5, 2.5 - z * (17.1875 + 100 / 6) ** 0.5, 2.5 + z * (17.1875 + 100 / 6) ** 0.5]
    )
    relative = (17.1875 / 22.5**2 + 100 / 6 / 25**2) ** 0.5
    assert np.log(limits(ratio)) == pytest.approx(np.log(25 / 22.5) + np.array([0, -z, z]) * relative)
    assert "fewer than 5 events" in difference.note
    assert "passes the horizon" in second.note


def test_an_interval_that_passes_0_says_so():
    """Steps of 1/4 on days 1, 2, 3 and 100: 1 + 3/4 + 1/2 + 97/4 = 26.5, with a standard error above 20."""
    first, _ = of(
        by_group(timed([1, 2, 3, 100, 100, 110], [1] * 6), yes_no([0, 0, 0, 0, 1, 1]), 0.95, horizon=100), MEAN
    )
    assert first.estimate == pytest.approx(26.5)
    assert first.lower < 0
    assert "the normal interval passes 0" in first.note


def test_a_horizon_beyond_the_follow_up_of_a_group_is_not_estimable():
    times = [10, 20, 30, 15, 30, 60]
    records = by_group(timed(times, [1, 1, 0, 1, 1, 0]), yes_no([0, 0, 0, 1, 1, 1]), 0.95, horizon=45)
    first, second = of(records, MEAN)
    assert first.estimate is None
    assert first.note == f"{NOT_ESTIMABLE}: the horizon, day 45, is beyond the last follow-up, day 30"
    assert second.estimate == pytest.approx(15 + 15 * 2 / 3 + 15 / 3)
    for record in (*of(records, DIFFERENCE), *of(records, RATIO)):
        assert (record.estimate, record.lower, record.p_value, record.note) == (None, None, None, first.note)


def test_a_curve_at_zero_is_known_beyond_its_last_time():
    records = by_group(timed([10, 20, 30, 60], [1, 1, 1, 0]), yes_no([0, 0, 1, 1]), 0.95, horizon=45)
    assert of(records, MEAN)[0].estimate == pytest.approx(15)


def test_without_events_there_is_no_interval_and_without_any_no_contrast():
    quiet = by_group(timed([10, 20, 30, 40], [0, 0, 1, 0]), yes_no([0, 0, 1, 1]), 0.95, horizon=20)
    assert [(e.estimate, e.lower, e.events) for e in of(quiet, MEAN)] == [(20, None, 0), (20, None, 0)]
    assert all(e.estimate is None and "no event before the horizon" in e.note for e in of(quiet, DIFFERENCE))
    one = by_group(timed([10, 20, 30, 40], [1, 0, 1, 0]), yes_no([0, 0, 1, 1]), 0.95, horizon=20)
    [difference] = of(one, DIFFERENCE)
    assert (difference.estimate, difference.lower, difference.p_value) == (5, None, None)
    assert difference.note == f"no event before the horizon in a group: interval {NOT_ESTIMABLE}"


def test_a_group_followed_on_day_0_alone_and_a_single_group():
    records = by_group(timed([0, 0, 30, 40], [0, 0, 1, 0]), yes_no([0, 0, 1, 1]), 0.95, horizon=None)
    assert all(e.estimate is None and e.note.startswith(NOT_ESTIMABLE) for e in records)
    assert by_group(timed([5, 6], [1, 0]), yes_no([1, 1]), 0.95, horizon=None) == []


def test_each_category_is_compared_with_the_first():
    factor = category(["a", "a", "b", "b", "c", "c", None], ("a", "b", "c", "d"))
    records = by_group(timed([10, 20, 10, 30, 15, 40, 1], [1, 0, 1, 0, 1, 0, 1]), factor, 0.95, horizon=None)
    assert [e.group for e in of(records, MEAN)] == ["g=a", "g=b", "g=c"]
    assert [(e.term, e.level) for e in of(records, RATIO)] == [("g", "b"), ("g", "c")]
    assert {e.at for e in records} == {20}


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(datasets()[DEMO].path)


def estimates(cohort, setting):
    plan = plain(Plan.of({"analyses": {"rmst": setting}}))
    plan = plan.model_copy(update={"analyses": plan.analyses.model_copy(update={"further": {"rmst": setting}})})
    only = ("restricted mean survival time",)
    return [e for e in Study(cohort, plan).run(only=only).estimates if e.analysis == "rmst"]


def test_the_bundled_cohort_to_a_year(cohort):
    records = estimates(cohort, 365.0)
    assert {e.at for e in records} == {365}
    assert {e.endpoint for e in records} >= {"pfs", "os", "dor"}
    assert all(e.n is not None and e.events is not None and e.method for e in records)
    assert any(e.lower is not None and e.lower <= e.estimate <= e.upper for e in records)
    assert all(e.estimate is not None or NOT_ESTIMABLE in e.note for e in records)


def test_it_is_off_unless_a_plan_asks(cohort, plain_findings):
    assert estimates(cohort, False) == []
    assert not [e for e in plain_findings.estimates if e.analysis == "rmst"]
    assert Plan.of({}).analyses.value("rmst") is False


@pytest.mark.parametrize("setting", ["yes", -1, 0, 40_000, [365]])
def test_a_horizon_that_is_none_is_refused(setting):
    with pytest.raises(PlanRefused) as refused:
        Plan.of({"analyses": {"rmst": setting, "powr": 3}})
    problems = {p.column: (p.rule, p.remedy) for p in refused.value.problems}
    assert "neither true nor false nor a number of days" in problems["analyses.rmst"][0]
    assert problems["analyses.powr"] == ("is not a setting of a plan", "did you mean power?")


def test_a_plan_with_it_is_read_back():
    plan = Plan.of({"analyses": {"rmst": 365, "power": 0}})
    assert plan.analyses.value("rmst") == 365
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan
    assert "rmst" not in Plan.of({}).model_dump()["analyses"]
    assert plan.digest != Plan.of({"analyses": {"power": 0}}).digest
