"""Few patients and events: no median, no test, no normal interval, no adjusted effect, and each says why."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from columns import timed, yes_no

from helpers import plain, read
from reinfuse import Plan, Study
from reinfuse.analyses import competing_risks, rmst, small_groups
from reinfuse.analyses.multiplicity import hypotheses, named_by
from reinfuse.plan.analysis_plan import Model
from reinfuse.report.brief.sentences import tells
from reinfuse.report.sections.key_findings import KeyFindings
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.narrative import Prose
from reinfuse.results.estimate import Estimate


@pytest.mark.parametrize(
    ("n", "events", "why"),
    [(2, 2, "2 patients, fewer than 3"), (3, 1, "1 event, fewer than 2"), (3, 2, None),
     (40, 0, "0 events, fewer than 2")],
)  # fmt: skip
def test_a_median_needs_three_patients_and_two_events(n, events, why):
    median = Estimate("survival", "pfs", "median", estimate=60.9, lower=20.0, unit="days", n=n, events=events, note="x")
    shown = small_groups.median_of_enough(median)
    if why is None:
        assert shown == median
        return
    assert (shown.estimate, shown.lower, shown.upper) == (None, None, None)
    assert shown.note == f"not estimable: {why}"
    assert number_format.time(shown) == "not estimable"
    assert not tells(shown)


def test_a_test_needs_enough_in_each_group():
    test = Estimate("survival", "pfs", "p_value", term="arm", estimate=0.04, p_value=0.04, n=6, events=3)
    event, first = np.array([1.0, 1, 0, 1, 0, 0]), np.arange(6) < 3
    shown = small_groups.groups_of_enough(test, event, groups={"a": first, "b": ~first})
    assert (shown.p_value, shown.note) == (None, "not estimable: group b: 1 event, fewer than 2")
    event[4] = 1
    assert small_groups.groups_of_enough(test, event, groups={"a": first, "b": ~first}) == test


def cohort(tmp_path):
    """Return twelve patients with second infusions who all progress: ten of CLL, two of NHL."""
    rows = [(f"P{i}", "CLL" if i < 10 else "NHL", 30 * (i + 1)) for i in range(12)]
    return read(
        tmp_path,
        patients="patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},900,,{d}" for p, d, _ in rows),
        infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
        + "\n".join(f"{p},1,0,1e6,Cy\n{p},2,100,{1 + i % 2}e6,Cy/Flu" for i, (p, _, _) in enumerate(rows)),
        responses="patient_id,day,response\n"
        + "\n".join(f"{p},{100 + t // 2},{'PR' if t % 60 else 'SD'}\n{p},{100 + t},PD" for p, _, t in rows),
    )


def test_in_a_study_a_group_of_two_has_neither_median_nor_test(tmp_path):
    findings = Study(cohort(tmp_path), plain(Plan.built_in())).run()

    def of(statistic, **where):
        return [e for e in findings.estimates if e.analysis == "survival" and e.endpoint == "pfs"
                and e.statistic == statistic and all(getattr(e, k) == v for k, v in where.items())]  # fmt: skip

    [all_of_them] = of("median", population="all", group=None)
    assert all_of_them.estimate is not None
    medians = [*of("median", population="diagnosis=NHL"), *of("median", group="diagnosis=NHL")]
    assert [(m.estimate, m.note) for m in medians] == [(None, "not estimable: 2 patients, fewer than 3")] * 2
    [test] = of("p_value", term="diagnosis")
    assert (test.p_value, test.note) == (None, "not estimable: group NHL: 2 patients, fewer than 3")
    [other] = of("p_value", term="dose_increase")
    assert other.p_value is not None


def test_fine_gray_with_fewer_than_five_events_a_parameter_is_not_estimable():
    assert small_groups.events_for_normal(5, 1) is None
    why = "4 events for 1 parameter, fewer than 5 for each: a normal interval does not hold"
    assert small_groups.events_for_normal(4, 1) == why
    assert small_groups.events_for_normal(9, 2) is not None
    effect = Estimate("competing", "nrm", "subdistribution_hazard_ratio", term="x", estimate=2.0, lower=0.1, upper=40.0,
                      p_value=0.6, n=20, events=4, note="2 patients excluded, factor missing")  # fmt: skip
    shown = small_groups.withheld(effect, small_groups.events_for_normal(4, 1))
    assert (shown.estimate, shown.lower, shown.p_value) == (None, None, None)
    assert shown.note == f"not estimable: {why}; 2 patients excluded, factor missing"


@pytest.mark.parametrize("events", [4, 5])
def test_in_a_study_of_competing_events_each_parameter_has_five(events):
    """The step of the study, not the method: R's numbers of fewer events stand in the tests of the method."""
    time, event = np.random.default_rng(3).permutation(24) + 1.0, (np.arange(24) < events) * 1.0
    end, factor = timed(time, event, (np.arange(24) >= 18) * 1.0), yes_no(np.arange(24) % 2)

    inputs = SimpleNamespace(data=SimpleNamespace(factors=(factor,)), plan=SimpleNamespace(confidence=0.95))
    records = competing_risks._compared(inputs, end)
    [effect] = [e for e in records if e.statistic == "subdistribution_hazard_ratio"]
    assert (effect.estimate is None) is (events < 5)
    assert ("4 events for 1 parameter" in (effect.note or "")) is (events < 5)


def test_contrasts_of_restricted_means_need_five_events_in_each_group():
    times = [10, 20, 30, 40, 50, 60, 70, 15, 25, 35, 45, 55, 65, 75]
    event = [1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0]
    group = yes_no([0] * 7 + [1] * 7)
    own = rmst.by_group(timed(times, event), group, 0.95, horizon=60)
    assert all(e.p_value is not None for e in own if e.statistic != "restricted_mean")
    shown = rmst.contrasts_of_enough(own)
    for one in (e for e in shown if e.statistic != "restricted_mean"):
        assert (one.estimate, one.p_value) == (None, None)
        assert "fewer than 5 events by the horizon in a group" in one.note
    assert [e for e in shown if e.statistic == "restricted_mean"] == own[:2]
    enough = rmst.by_group(timed(times, [1, 1, 1, 1, 1, 0, 0, *event[7:]]), group, 0.95, horizon=60)
    assert rmst.contrasts_of_enough(enough) == enough


def said(findings):
    return [f"{head}: {text}" for head, text in KeyFindings(StudyTables(findings)).statements()]


def test_a_model_of_one_factor_is_not_called_adjusted(tmp_path):
    plan = plain(Plan.built_in())
    single = plan.model_copy(update={"models": (Model(endpoint="pfs", factors=("dose_increase",)),)})
    findings = Study(cohort(tmp_path), single).run()
    assert {e.model for e in findings.estimates if e.analysis == "association"} == {"univariable"}
    prose = Prose(findings)
    texts = " ".join([*prose.objectives(), *said(findings), *prose.methods()])
    assert "unadjusted hazard ratio" in texts
    assert " adjusted hazard" not in texts
    assert "ultivariable" not in texts
    several = plan.model_copy(update={"models": (Model(endpoint="pfs", factors=("dose_increase", "diagnosis")),)})
    findings = Study(cohort(tmp_path), several).run()
    assert any(" adjusted hazard ratio" in s for s in said(findings))
    assert any("Multivariable model of" in s for s in Prose(findings).objectives())


def test_the_summary_says_how_many_hypotheses_were_tested_and_named(tmp_path):
    findings = Study(cohort(tmp_path), plain(Plan.built_in())).run()
    tests = hypotheses(findings.estimates)
    named = sum(named_by(findings.plan, t) for t in tests)
    [sentence] = [s for s in said(findings) if s.startswith("Multiplicity")]
    assert 0 < named < len(tests)
    assert sentence.startswith(f"Multiplicity: {len(tests)} hypotheses were tested.")
    assert f"names {named} of them" in sentence
