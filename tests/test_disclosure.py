"""Small numbers: hidden, and not to be worked out by somebody who knows all that is shown."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import attacker
from attacker import BEST, DIAGNOSES, GRADES, MRD, RULES, SEXES, worked_out
from helpers import plain, read
from reinfuse import Plan, Study, read_cohort
from reinfuse.cohort.declarations import Endpoint
from reinfuse.cohort.declarations import Rules as PlanRules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, BuiltInEndpoint, wholes
from reinfuse.cohort.responders import responder_set
from reinfuse.cohort.strata import Stratum, factor_of, level_of
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure import measures, suppressed
from reinfuse.disclosure.cell_suppression import ALL, SIZE, Cell, CellRules, Hiding
from reinfuse.disclosure.coarsening import coarse
from reinfuse.disclosure.measures import numbers_of, rules
from reinfuse.disclosure.rounding import nice_steps, rounded, rounded_time
from reinfuse.plan.analysis_plan import Analyses
from reinfuse.report.text import number_format
from reinfuse.results.curves import Curve
from reinfuse.results.estimate import SO_THAT, SUPPRESSED, Estimate

ONE = ("one",)
NO_RULES = CellRules()


@pytest.fixture(scope="module")
def plain_demo(plain_findings):
    return plain_findings


def shown(findings, analysis, statistic="proportion"):
    return {(e.endpoint, e.population, e.group, e.stratum): e for e in findings.estimates
            if e.analysis == analysis and e.statistic == statistic}  # fmt: skip


# Cells: hidden by hand


def hiding(k, rules=NO_RULES, **of):
    """Return what is hidden of one measure, 0 to 100 patients a group; `total` names all."""
    cells = {ALL if name == "total" else ("all", Stratum("f", name)): Cell(*cell) for name, cell in of.items()}
    return Hiding({ONE: cells}, rules, k)


def names(found):
    return {"total" if g == ALL else level_of(g[1]) for _, g in found.hidden}


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [
        ({"total": (30, 60), "a": (10, 20), "b": (20, 40)}, set()),
        ({"total": (33, 80), "a": (3, 20), "b": (10, 20), "c": (20, 40)}, {"a", "b"}),  # 33 - 30 would tell the 3
        ({"total": (33, 80), "a": (18, 20), "b": (5, 20), "c": (10, 40)}, {"a", "b"}),  # 2 of 20 without the event
        ({"total": (21, 70), "a": (3, 20), "b": (8, 20), "c": (10, 30)}, {"a", "b"}),
        ({"total": (42, 90), "a": (1, 20), "b": (1, 20), "c": (40, 50)}, {"a", "b", "c"}),  # together they are 2
        ({"total": (28, 70), "a": (4, 20), "b": (4, 20), "c": (20, 30)}, {"a", "b", "c"}),  # 8 would be 4 and 4
        ({"total": (27, 70), "a": (3, 20), "b": (4, 20), "c": (20, 30)}, {"a", "b"}),
        ({"total": (30, 70), "a": (0, 20), "b": (10, 20), "c": (20, 30)}, set()),  # 0 may be shown
        (
            {"total": (29, 70), "a": (3, 20), "b": (0, 20), "c": (26, 30)},
            {"a", "c"},
        ),  # a 0 beside it would hide nothing
        ({"total": (32, 62), "a": (10, 20), "b": (20, 40)}, {"a"}),  # 2 patients of no group: 12 in all
        ({"total": (4, 70), "a": (4, 20), "b": (0, 50)}, {"total", "a"}),
    ],
)
def test_cells_by_hand_at_five(cells, hidden):
    assert names(hiding(5, **cells)) == hidden


def test_of_a_hidden_group_every_cell_is_hidden():
    group = ("all", "f=a")
    found = Hiding({SIZE: {ALL: Cell(30, 30), group: Cell(4, 30)}, ONE: {group: Cell(0, 4)}}, CellRules(), 5)
    assert (ONE, group) in found.hidden


def test_categories_are_hidden_together():
    two, three = ("two",), ("three",)
    cells = {ONE: {ALL: Cell(1, 30)}, two: {ALL: Cell(9, 30)}, three: {ALL: Cell(20, 30)}}
    assert Hiding(cells, CellRules(categories=((ONE, two, three),)), 5).hidden == {(m, ALL) for m in cells}
    assert Hiding(cells, CellRules(categories=((ONE, two, three),)), 5).named_small == set()
    assert Hiding(cells, CellRules(), 5).named_small == {(ONE, ALL)}


def test_an_outcome_of_none_or_all_of_a_group_is_hidden():
    """0 of 20 in b tells the outcome of each; 0 of all 60 may be shown."""
    rules = CellRules(outcomes=frozenset({ONE}))
    assert names(hiding(5, rules, total=(30, 60), a=(30, 40), b=(0, 20))) == {"a", "b"}
    assert names(hiding(5, rules, total=(30, 60), a=(10, 40), b=(20, 20))) == {"a", "b"}
    assert names(hiding(5, rules, total=(30, 70), a=(0, 20), b=(0, 20), c=(30, 30))) == {"a", "b", "c"}
    assert names(hiding(5, rules, total=(0, 60))) == set()


def test_a_level_and_its_group_are_one_number():
    """22 women in all by the group, though the row of the table is hidden: 15 in one diagnosis tell 7 in the other."""
    women, one, other = ("all", Stratum("sex", "F")), (Stratum("d", "1"), None), (Stratum("d", "2"), None)
    cells = {
        SIZE: {ALL: Cell(45, 45), women: Cell(22, 45)},
        ONE: {ALL: Cell(22, 45), one: Cell(7, 17), other: Cell(15, 28)},
    }
    for twins, found in (({}, {one}), ({(ONE, ALL): (SIZE, women)}, {one, other})):
        hiding = Hiding(cells, CellRules(twins=twins), 11, {(ONE, ALL)})
        assert {g for m, g in hiding.hidden if m == ONE} - {ALL} == found


def test_that_a_number_is_small_is_not_told_where_the_others_leave_no_room():
    """32 of 54 in two groups, at most 28 in b: a has 4 or more, so `fewer than 5` would be 4."""
    assert hiding(5, total=(32, 80), a=(4, 26), b=(28, 28), c=(0, 26)).named_small == set()
    assert hiding(5, total=(30, 80), a=(4, 26), b=(26, 28), c=(0, 26)).named_small == {(ONE, ("all", "f=a"))}


def test_that_a_number_is_small_is_not_told_where_it_tells_the_number():
    """At most 4 in all, and 4 groups with at least 1: each has 1."""
    found = hiding(5, total=(4, 90), a=(1, 20), b=(1, 20), c=(1, 20), d=(1, 30))
    assert found.named_small == {(ONE, ALL)}


# Findings by hand


def test_by_hand_at_eleven(plain_demo):
    """44 patients, 17 responders: ALL 3 of 14, CLL 3 of 9, NHL 11 of 21; 9 complete; grade 3 CRS 4."""
    kept, removed = suppressed(plain_demo, 11)
    response = shown(kept, "response")
    every = response["response", "all", None, None]
    assert (every.events, every.n) == (17, 44)  # 17 and 27 are enough
    cr = response["cr", "all", None, None]
    assert (cr.events, cr.estimate, cr.lower, cr.p_value, cr.n) == (None, None, None, None, 44)
    assert cr.note == "suppressed: fewer than 11"
    cll = response["response", "diagnosis=CLL", None, None]
    assert (cll.n, cll.events, cll.note) == (None, None, "suppressed: fewer than 11")  # 9 patients
    # ALL (14) is the next smallest group: 44 - 21 - 14 would tell the 9
    hidden = response["response", "diagnosis=ALL", None, None]
    assert (hidden.n, hidden.note) == (None, SO_THAT)
    assert response["response", "diagnosis=NHL", None, None].events is None  # 10 of 21 did not respond
    assert not any(e.group == "dose_increase=yes" and e.estimate is not None for e in kept.estimates)  # 8 had no higher
    assert sum(r.count for r in removed) > 100


def test_at_five_more_is_shown(plain_demo):
    kept, _ = suppressed(plain_demo, 5)
    response = shown(kept, "response")
    assert response["response", "diagnosis=NHL", None, None].events == 11
    assert response["response", "diagnosis=ALL", None, None].note == "suppressed: fewer than 5"
    assert response["response", "diagnosis=CLL", None, None].note == "suppressed: fewer than 5"
    toxicity = shown(kept, "toxicity")
    assert toxicity[None, "all", None, Stratum.at_least("CRS", 3)].note == "suppressed: fewer than 5"
    assert toxicity[None, "all", None, Stratum.at_least("CRS", 1)].events == 26
    grades = shown(kept, "toxicity", "count")
    assert all(grades[None, "all", None, f"CRS={grade}"].estimate is None for grade in range(6))


def test_one_missing_value_hides_what_tells_it(plain_demo):
    """28 and 15 patients had known regimens, of 44: the one without, and his response, would be told."""
    kept, _ = suppressed(plain_demo, 5)
    response = shown(kept, "response")
    assert response["response", "all", "cart1_cy_flu=no", None].n is None
    odds = [
        e
        for e in kept.estimates
        if e.analysis == "association" and (e.endpoint, e.term) == ("response", "cart1_cy_flu")
    ]
    assert odds
    assert all((e.estimate, e.n, e.note) == (None, None, SO_THAT) for e in odds)


def test_ratios_are_rounded(plain_demo):
    kept, _ = suppressed(plain_demo, 5)
    ratio = shown(kept, "association", "hazard_ratio")["os", "all", None, "age_years"]
    assert (ratio.estimate, ratio.p_value) == (0.983, 0.91)


# Times and values: none of a single patient


TIMES = np.array([10.0, 20, 30, 40, 50, 61, 62, 63, 64, 65, 100, 200, 1004])


@pytest.mark.parametrize(
    ("value", "way", "of_ten", "result"),
    [
        (63, "nearest", (1,), 63),  # 63 alone has the step 1, but so do not 5 others
        (63, "nearest", (5, 10), 65),  # 62.5 to 67.5 holds 63, 64 and 65; 55 to 65 would hold 5
        (64, "down", (4, 7), 63),  # 64 to 68 holds 2, 63 to 70 holds 3
        (63, "down", (10,), None),  # 60 to 70 holds 5, but printed as 2.0 months it is 61, too
        (63, "up", (10,), 70),
        (1004, "up", (10, 100, 1000), None),  # nobody is near
        (1004, "nearest", (100, 500), None),
        (40, "down", (50,), None),  # from 0 on would be no limit
    ],
)
def test_a_value_is_rounded_until_five_patients_share_it(value, way, of_ten, result):
    k = 1 if of_ten == (1,) else 3
    assert rounded(value, TIMES, k, steps=of_ten, way=way) == result


def test_a_value_that_many_share_is_told_as_it_is():
    lines = np.array([5.0] * 12 + [1, 2, 9])
    assert rounded(5.0, lines, 11, steps=nice_steps(5.0)) == 5.0
    assert rounded(0.0, np.zeros(12), 11, steps=nice_steps(1.0)) == 0
    assert rounded(0.0, np.array([0.0] * 4 + [3.0] * 9), 5, steps=nice_steps(1.0)) is None


def test_limits_are_rounded_outwards_and_not_told_of_one_patient():
    """Duration of response: 12 events; the upper limit is the time of one patient, 1,004 days."""
    days = np.array([20, 30, 33, 60, 61, 62, 63, 64, 65, 70, 300, 1004], dtype=np.float64)
    record = Estimate(
        "survival", "dor", "median", estimate=62.0, lower=33.0, upper=1004.0, unit="days", n=17, events=12
    )
    kept = rounded_time(record, days, k=5)
    assert kept.estimate == pytest.approx(2 * 30.4375)  # 1.5 to 2.5 months hold 7
    assert (kept.lower, kept.upper) == (None, None)  # 1 to 2 months hold 33 and 60 alone
    assert kept.note.endswith("lower limit not shown; upper limit not shown")
    assert number_format.time(kept) == "2.0 (not shown)"
    near = rounded_time(replace(record, lower=62.0, upper=64.0), days, k=5)
    assert (near.lower, near.upper) == (None, pytest.approx(2.2 * 30.4375))  # 61 to 65, and none is 2.2 months
    assert number_format.interval(near) == "not shown to 2.2"


def single(curve, statistic, value):
    """Return how many patients of a curve have this time, as printed to 0.1 month."""
    counts = curve.events if statistic == "median" else curve.censored
    return int(counts[np.abs(curve.time - value) <= 30.4375 / 20].sum())


def test_no_limit_in_shared_findings_is_the_time_of_few(plain_demo):
    def few(findings, k):
        found = []
        for e in (e for e in findings.estimates if e.statistic in ("median", "median_follow_up") and e.unit == "days"):
            if e.analysis == "survival":
                curve = plain_demo.curves[e.endpoint, e.population, e.group]
                found += [e for v in (e.lower, e.upper) if v is not None and 0 < single(curve, e.statistic, v) < k]
        return found

    assert len(few(plain_demo, 11)) > 50  # the test can fail
    for k in (5, 11):
        assert few(suppressed(plain_demo, k)[0], k) == []


@pytest.mark.parametrize("k", [5, 11])
def test_quartiles_are_of_several_patients(plain_demo, k):
    """Age 39 is one patient's of 44; told to be about 40."""
    before = {(e.population, e.term, e.statistic): e for e in plain_demo.estimates if e.analysis == "baseline"}
    kept = [e for e in suppressed(plain_demo, k)[0].estimates if e.analysis == "baseline" and e.estimate is not None
            and e.statistic in ("median", "iqr_low", "iqr_high")]  # fmt: skip
    assert kept
    for e in kept:
        was = before[e.population, e.term, e.statistic].estimate
        name, level = factor_of(e.population), level_of(e.population)
        frame = plain_demo.patients
        values = (frame.filter(frame[name] == level) if level else frame)[e.term].drop_nulls()
        # those who could have been the one: as far away as it is, or nearer
        assert int(((values - e.estimate).abs() <= max(abs(was - e.estimate), abs(e.estimate) / 4)).sum()) >= k
    without, _ = suppressed(replace(plain_demo, patients=plain_demo.patients.clear().select("patient_id")), k)
    assert not any(e.estimate for e in without.estimates if e.analysis == "baseline" and e.statistic == "iqr_low")


def test_of_an_endpoint_that_is_not_shared_nothing_is_told():
    """What is shared is the same to the last record, whether or not the plan has them derived."""
    cohort, none = read_cohort(datasets()[DEMO].path), {"models": (), "factors": (), "analyses": Analyses.none()}
    plans = [{**none, "rules": PlanRules(depth=depth)} for depth in ("derived", "none")]
    deep, without = (Study(cohort, Plan.built_in().model_copy(update=plan)).run() for plan in plans)
    names = {e.name for e in ENDPOINTS.values() if not e.shared}
    assert {e.endpoint for e in deep.estimates} >= names
    (kept, removed), (same, _) = suppressed(deep, 5), suppressed(without, 5)
    assert (kept.estimates, kept.curves.keys()) == (same.estimates, same.curves.keys())
    assert kept.described == same.described
    gone = {r.what: r.count for r in removed}
    assert gone["endpoint"] == len(names) == 5
    assert gone["record of such an endpoint"] == sum(e.endpoint in names for e in deep.estimates)
    assert gone["curve of such an endpoint"] == sum(place[0] in names for place in deep.curves) > 0


def test_up_to_which_day_the_last_was_followed_is_not_told(plain_demo):
    """Numbers at risk end with the last patient; that a rate is beyond the last follow-up tells it too."""
    kept, _ = suppressed(plain_demo, 11)
    at = {e.at for e in kept.estimates if e.statistic == "at_risk" and e.endpoint == "os"}
    assert max(e.at for e in plain_demo.estimates if e.statistic == "at_risk" and e.endpoint == "os") > 365
    assert at == {0, 91.3125, 273.9375}  # of the ticks every three months, those between which no fewer than 11 leave
    shown = [e for e in kept.estimates if e.statistic == "at_risk" and e.endpoint == "os" and e.estimate is not None]
    assert min(e.estimate for e in shown) >= 11
    assert not any((e.note or "").startswith("not estimable") for e in kept.estimates if e.statistic == "rate_at")


# What endpoints are made of


def made(endpoint, n, events, group=None):
    """Return a count of a binary endpoint or the median of a time, as far as their numbers are told."""
    best = factor_of(endpoint) == "best"
    binary = endpoint in ("response", "cr", "early") or best
    what = "response" if best else endpoint
    return Estimate("response" if binary else "survival", what, "count" if best else
                    "proportion" if binary else "median", group=group, n=n, events=events,
                    term=endpoint if best else None)  # fmt: skip


def hidden_of(k, *records):
    cells = numbers_of(records, max(r.n for r in records), lambda e: (e.population, e.group))
    return {m[1] if len(m) == 2 else m[2] for m, _ in Hiding(cells, rules(cells), k).hidden if m[0] != "rest"}


def test_three_who_live_with_a_new_therapy_are_not_told():
    """33 of 44 had a new therapy or died, 30 died: 3 live and had one."""
    assert hidden_of(5, made("ttnt", 44, 33), made("os", 44, 30)) == {"os"}
    assert hidden_of(5, made("ttnt", 44, 35), made("os", 44, 30)) == set()


def test_those_without_response_and_event_are_not_told():
    """17 of 44 responded, 5 of them without an event; 8 of all had none: 3 had neither."""
    three = (made("response", 44, 17), made("pfs", 44, 36))
    assert hidden_of(5, *three, made("dor", 17, 12)) == {"dor"}
    assert hidden_of(5, *three, made("dor", 17, 9)) == set()  # all 27 had an event: no small number
    assert hidden_of(5, made("response", 44, 17), made("pfs", 44, 34), made("dor", 17, 12)) == set()


def test_best_responses_tell_events():
    """Of 27 without a response 20 had PD, which is an event; 22 events less 20: 2 of SD and no assessment."""
    best = [made(Stratum("best", b), 44, x) for b, x in (("PR", 17), ("PD", 20), ("SD", 7))]
    assert "pfs" not in hidden_of(5, *best, made("pfs", 44, 30))
    assert {"best=PD", "best=SD", "best=PR"} <= hidden_of(5, *best, made("pfs", 44, 22))
    assert "dor" in hidden_of(5, *best, made("response", 44, 17), made("pfs", 44, 30), made("dor", 17, 8))


def test_a_level_written_as_a_grade_or_worse_is_one_of_its_factor_s_levels():
    """Of 44, 30 and 11 are younger: who has both subtracts the 3 of `>=60`."""
    levels = [Estimate("baseline", None, "count", term=Stratum("age_group", level), estimate=float(x), n=44, events=x)
              for level, x in (("<40", 30), ("40-59", 11), (">=60", 3))]  # fmt: skip
    assert hidden_of(5, *levels) == {Stratum(e.term, e.level) for e in levels}


def test_a_response_that_is_not_complete_is_of_few_diagnoses():
    """Of 69, 44 have ALL, where only CR is a response; 15 of the other 25 had another response: 10 had none, or CR."""

    of_all = Stratum("diagnosis", "ALL")

    def records(x):
        return [replace(made(end, n, x), population=p) for p, n, end, x in
                (("all", 69, "response", 25 + x), ("all", 69, "cr", 25), (of_all, 44, "response", 22),
                 (of_all, 44, "cr", 22))]  # fmt: skip

    for x, hidden in ((15, True), (12, False)):
        cells = numbers_of(records(x), 69, lambda e: (e.population, e.group), plan=PlanRules())
        found = Hiding(cells, rules(cells), 11)
        assert ((("response", "cr"), ALL) in found.hidden) is hidden


def test_an_own_endpoint_may_be_part_of_any():
    """Nobody declares what `own` is made of: 36 of it and 33 of PFS could be 3 of it alone."""
    assert hidden_of(5, made("pfs", 44, 33), made("own", 44, 36)) == {"pfs"}
    assert hidden_of(5, made("pfs", 44, 33), made("own", 44, 31)) == {"own"}
    assert hidden_of(5, made("pfs", 44, 33), made("own", 44, 22)) == set()


@pytest.mark.parametrize("smallest", [5, 11, 20])
def test_nothing_small_is_left_in_any_record(plain_demo, smallest):
    for e in (e for e in suppressed(plain_demo, smallest)[0].estimates if e.analysis != "published"):
        for number in (e.n, e.events, e.estimate if e.unit == "patients" else None):
            assert number is None or number == 0 or number >= smallest, e
        if e.n is not None and e.events is not None:
            assert e.n - e.events == 0 or e.n - e.events >= smallest, e
        if e.note and e.note.startswith(SUPPRESSED):
            assert (e.estimate, e.lower, e.upper, e.p_value, e.events) == (None,) * 5
        else:
            assert not any(c.isdigit() for c in e.note or "")


def test_fewer_than_is_true(plain_demo):
    """What is told to be fewer than 5 is; a share of which the rest is small is not told so."""
    before = {k: e for s in ("count", "proportion") for k, e in shown(plain_demo, "response", s).items()}
    kept, _ = suppressed(plain_demo, 5)
    told = [k for s in ("count", "proportion") for k, e in shown(kept, "response", s).items()
            if (e.note or "").endswith("fewer than 5")]  # fmt: skip
    assert told
    assert all(before[k].events < 5 for k in told)


def test_what_is_kept_is_of_the_same_kind(plain_demo):
    """Suppression takes numbers away; a record keeps what it is."""
    kept, _ = suppressed(plain_demo, 11)
    of = attrgetter("analysis", "endpoint", "population", "group", "model", "term", "level", "infusion", "statistic",
                    "at", "method", "unit")  # fmt: skip
    what, before = [of(e) for e in kept.estimates], {of(e) for e in plain_demo.estimates}
    assert set(what) <= before
    assert len(set(what)) == len(what)


def test_no_patient_is_left(demo_findings):
    kept, removed = suppressed(demo_findings, 11)
    text = repr([e.as_dict() for e in kept.estimates])
    assert "SYN-" in repr([e.as_dict() for e in demo_findings.estimates])  # the test can fail
    assert "SYN-" not in text
    assert (kept.flow.height, kept.patients.height, kept.cohort, kept.data, kept.warnings) == (0, 0, None, None, ())
    assert {"influence", "power", "row of a patient"} <= {r.what for r in removed}


def test_numbers_in_descriptions_go(plain_demo):
    about = replace(plain_demo.described.about, description="Of 9 patients", limits=("3 of 9", "one centre"))
    told = replace(plain_demo, described=replace(plain_demo.described, about=about))
    kept, removed = suppressed(told, 5)
    assert (kept.described.about.description, kept.described.about.limits) == ("", ("one centre",))
    assert [r.count for r in removed if r.what == "text of the cohort's description"] == [2]


def test_an_exclusion_of_few_is_told_by_no_record(plain_demo):
    """46 in the cohort, 2 excluded, 44 analysed: the 46 would tell the 2."""
    rows = (("in the cohort", 46), (Stratum("excluded", "no infusion 2"), 2), ("analysed", 44))
    flow = [
        Estimate("flow", None, "count", term=t, estimate=float(x), unit="patients", n=46, events=x) for t, x in rows
    ]
    others = [e for e in plain_demo.estimates if e.analysis != "flow"]
    kept, _ = suppressed(replace(plain_demo, estimates=(*flow, *others)), 5)
    assert [(e.estimate, e.n) for e in kept.estimates[:3]] == [(None, None), (None, None), (44, None)]


def test_of_fewer_patients_than_may_be_shown_nothing_is(tmp_path):
    infusions = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,1e6,Cy\nA,2,50,2e6,Cy/Flu"
    cohort = read(tmp_path, patients="patient_id,last_contact,death,diagnosis\nA,100,,CLL", infusions=infusions)
    kept, _ = suppressed(Study(cohort, plain(Plan.built_in())).run(), 5)
    assert all((e.estimate, e.n, e.events) == (None, None, None) for e in kept.estimates)
    assert kept.curves == {}


def test_below_three_is_refused(plain_demo):
    """`fewer than 2` would be 1."""
    with pytest.raises(ValueError, match="3 or more"):
        suppressed(plain_demo, 2)


def test_twice_is_once(plain_demo):
    kept, _ = suppressed(plain_demo, 11)
    for smallest in (5, 11):
        assert suppressed(kept, smallest) == (kept, ())
    with pytest.raises(ValueError, match="original results"):
        suppressed(kept, 20)


@pytest.mark.parametrize(
    ("note", "n", "of", "interval", "share"),
    [("suppressed: fewer than 11", 44, "fewer than 11 of 44", "not shown", "not shown"),
     ("suppressed: fewer than 11", None, "fewer than 11", "not shown", "not shown"),
     (SO_THAT, 44, "not shown", "not shown", "not shown"),
     ("suppressed: the value of one patient", 44, "not shown", "not shown", "not shown"),
     ("not estimable: no patient evaluated", 0, "0 of 0", "not estimable", "not estimable")],
)  # fmt: skip
def test_suppressed_records_are_told_in_words(note, n, of, interval, share):
    record = Estimate("response", "cr", "proportion", unit="fraction", n=n, note=note)
    assert (number_format.of(record), number_format.interval(record), number_format.share(record)) == (
        of,
        interval,
        share,
    )


def test_suppressed_times_and_counts_are_told_in_words():
    record = Estimate("survival", "os", "median", unit="days", n=44, note=SO_THAT)
    assert (number_format.time(record), number_format.count(None), number_format.count(0)) == ("not shown", "–", "0")


# Curves


def curve(time, events, censored):
    """Return a curve; its probabilities are the share without an event so far."""
    t, e, c = (np.array(v, dtype=np.float64) for v in (time, events, censored))
    n = int(e.sum() + c.sum())
    s = 1 - e.cumsum() / n
    return Curve(t, s, s, s, n - np.concatenate([[0], (e + c).cumsum()[:-1]]), e, c, n)


def chosen(k, **of):
    """Return the months kept of each curve, and those with numbers at risk."""
    curves = {("pfs", "all", None if name == "total" else Stratum("f", name)): c for name, c in of.items()}
    sizes = {(p, level): Cell(c.n, of["total"].n) for (_, p, level), c in curves.items()}
    found = coarse(curves, Hiding({SIZE: sizes}, CellRules(), k), lambda place: place, endpoints={"pfs"})
    months = {g[1] or "total": [round(t / 30.4375, 6) for t in times] for (_, g), times in found.times.items() if times}
    return months, found


def test_a_curve_is_cut_by_hand():
    """3 events in month 1, 3 in month 2, 6 in month 3, 8 after it, of 30: at 5, month 2 (6) and month 3 (12)."""
    one = curve([20, 50, 80, 200], [3, 3, 6, 8], [0, 0, 0, 10])
    months, found = chosen(5, total=one)
    assert months == {"total": [2, 3]}
    kept = found.curves["pfs", "all", None]
    assert list(kept.survival) == [0.8, 0.6]
    assert np.isnan([kept.events, kept.censored, kept.at_risk]).all()
    assert not found.tells_rate(("pfs", ALL), 30.4375)
    assert found.tells_rate(("pfs", ALL), 60.875)


def test_a_curve_ends_where_few_are_left_or_few_events_come():
    assert chosen(5, total=curve([20, 80], [26, 4], [0, 0]))[0] == {}  # 4 left
    assert chosen(5, total=curve([20, 80], [20, 2], [0, 8]))[0] == {}  # 2 events to come
    assert chosen(5, total=curve([20, 80], [20, 5], [0, 5]))[0] == {"total": [1, 2]} | {"total": [1]}


def test_curves_of_groups_share_their_months():
    """Of 40, 8 have the event in month 1: 6 in a, 2 in b. The curves of all and of a would tell the 2."""
    a, b = curve([20, 50, 99], [6, 4, 10], [0, 0, 0]), curve([20, 50, 99], [2, 6, 12], [0, 0, 0])
    every = curve([20, 50, 99], [8, 10, 22], [0, 0, 0])
    assert chosen(5, total=every)[0] == {"total": [1, 2, 3]} | {"total": [1, 2]}
    assert chosen(5, total=every, a=a, b=b)[0] == {"total": [1, 2], "f=a": [2], "f=b": [2]}


def test_curves_of_a_part_and_its_whole_cannot_be_subtracted():
    """By month 1, 10 of 40 had a new therapy or died and 8 died; by month 2, 20 and 15."""
    whole, part = curve([20, 50, 99], [10, 10, 10], [0, 0, 10]), curve([20, 50, 99], [8, 7, 10], [0, 0, 15])
    curves = {("ttnt", "all", None): whole, ("os", "all", None): part}
    hiding = Hiding({SIZE: {ALL: Cell(40, 40)}}, CellRules(), 5)
    for pairs, months in (((), [1, 2, 3]), ((("ttnt", "os"),), [2, 3])):
        found = coarse(curves, hiding, lambda place: place, endpoints={"ttnt", "os"}, pairs=pairs)
        kept = [round(t / 30.4375, 6) for t in found.times["os", ALL]]
        assert [m for m in months if m <= 2] == [m for m in kept if m <= 2]
        assert found.tells_at_risk(("os", ALL), 30.4375) is not bool(pairs)


def test_numbers_at_risk_tell_no_few_censored():
    """10 of 40 leave in month 1; two of them censored, or none."""
    for censored, told in ((2, False), (0, True)):
        one = curve([20, 50], [10 - censored, 15], [censored, 15])
        assert chosen(5, total=one)[1].tells_at_risk(("pfs", ALL), 30.4375) is told


def test_a_curve_with_later_entry_is_not_kept():
    late = replace(curve([20, 50, 99], [8, 10, 22], [0, 0, 0]), at_risk=np.array([20.0, 30, 22]))
    assert chosen(5, total=late)[0] == {}


def test_curves_are_coarse_where_they_are_kept(plain_demo):
    kept, _ = suppressed(plain_demo, 5)
    assert ("pfs", "all", None) in kept.curves
    assert ("pfs", "diagnosis=CLL", None) in plain_demo.curves
    for one in kept.curves.values():
        months = one.time / 30.4375
        assert np.allclose(months, np.round(months))
        assert np.array_equal(one.survival, np.round(one.survival, 2))
        assert np.isnan([one.events, one.censored, one.at_risk]).all()


# An attacker who knows every shown number, and what `fewer than` says

TIMED = tuple(e.name for e in ENDPOINTS.values() if e.kind == "time" and not e.competes_with and not e.among)
"""Every endpoint that is declared is attacked, by the relations that it is declared with."""
AMONG = tuple(e.name for e in ENDPOINTS.values() if e.kind == "time" and e.among and e.shared)
HEADS = "patient_id,diagnosis,sex,response,crs_grade,umrd_day28"


def random_patients(rng, strict=True):
    """Return 8 to 90 patients; what is rare differs from cohort to cohort.

    Strict: who has no response has the event of the endpoints of which that is one, and no responder by that alone.
    """
    of_diagnosis, of_sex = rng.dirichlet(np.ones(3)), rng.dirichlet([3, 3, rng.choice([0.01, 0.3])])
    of_best, of_grade = [rng.dirichlet(np.full(len(BEST), 0.5)) for _ in DIAGNOSES], rng.dirichlet(np.full(7, 0.6))
    of_mrd = rng.dirichlet([1, 1, 0.5])
    happening = {e: rng.beta(*rng.choice([(1.0, 1.0), (0.7, 0.7), (0.5, 1.0)])) for e in TIMED}
    found = []
    for _ in range(rng.integers(8, 90)):
        d = int(rng.choice(3, p=of_diagnosis))
        best = BEST[rng.choice(len(BEST), p=of_best[d])]
        events = {e for e in TIMED if best in ENDPOINTS[e].best or rng.random() < happening[e]}
        events |= {whole for e in events for whole in wholes(e) if whole in TIMED}
        if strict and best in responder_set(RULES, DIAGNOSES[d]):
            events -= {e for e in TIMED if ENDPOINTS[e].lack_of and not any(e in wholes(part) for part in events)}
        elif strict:
            events |= {e for e in TIMED if ENDPOINTS[e].lack_of}
        found.append({"diagnosis": DIAGNOSES[d], "sex": SEXES[rng.choice(3, p=of_sex)], "best": best,
                      "CRS": GRADES[rng.choice(7, p=of_grade)], "umrd_day28": MRD[rng.choice(3, p=of_mrd)],
                      "events": frozenset(events)})  # fmt: skip
    return found


def analysed(patients, rng, folder: Path, own=(), *, by=None):
    rows, timed = [], (*TIMED, *own)
    for i, p in enumerate(patients):
        first, last = sorted(rng.integers(10, 1500, 2))
        times = [f"{last if e == 'os' else first},{int(e in p['events'])}" for e in timed]
        responded = p["best"] in responder_set(RULES, p["diagnosis"])
        times += [f"{max(first - 9, 0)},{int(ENDPOINTS[e].part_of[0] in p['events'])}" if responded else ","
                  for e in AMONG]  # fmt: skip
        best = p["best"].replace("not assessed", "")
        rows.append(",".join((f"P{i}", p["diagnosis"], p["sex"], best, p["CRS"], p["umrd_day28"], *times)))
    path = folder / "sheet.csv"
    heads = ",".join([HEADS, *(f"{e}_days,{e}_event" for e in (*timed, *AMONG))])
    path.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    ends = tuple(Endpoint(name=e, time=f"{e}_days", event=f"{e}_event") for e in own)
    plan = Plan.built_in().model_copy(update={"models": (), "analyses": Analyses.none(), "endpoints": ends})
    if by is not None:
        table1 = {"by": by, "variables": ["diagnosis", "sex"], "smd": True, "p": True}
        plan = plan.model_copy(update={"report": Plan.of({"report": {"table1": table1}}).report})
    return Study(read_cohort(path), plan).run()


def test_the_attacker_works_out_what_is_not_protected(tmp_path):
    """Without suppression nearly everything is determined: the attack itself can succeed."""
    rng = np.random.default_rng(1)
    patients = random_patients(rng)
    assert len(worked_out(analysed(patients, rng, tmp_path), patients, 11, enough=51)) > 50


def test_the_attacker_works_out_what_only_the_small_number_itself_hides(tmp_path):
    """Where only the small records are emptied, sums tell some of them."""
    rng = np.random.default_rng(1)
    patients = random_patients(rng)
    findings = analysed(patients, rng, tmp_path)
    naive = tuple(replace(e, estimate=None, events=None, n=None) if any(
        x is not None and 0 < x < 11 for x in (e.n, e.events, e.estimate if e.unit == "patients" else None)) else e
        for e in findings.estimates)  # fmt: skip
    assert worked_out(replace(findings, estimates=naive), patients, 11, enough=1)


@pytest.mark.parametrize("seed", range(16))
def test_the_attacker_learns_no_small_number(tmp_path, seed):
    rng = np.random.default_rng(seed)
    patients = random_patients(rng, strict=seed % 2 == 0)
    findings = analysed(patients, rng, tmp_path)
    for smallest in (5, 11):
        assert worked_out(suppressed(findings, smallest)[0], patients, smallest) == []


@pytest.mark.parametrize("seed", range(8))
def test_the_attacker_learns_no_small_number_from_groups_of_the_table_of_patients(tmp_path, seed):
    rng = np.random.default_rng(100 + seed)
    patients = random_patients(rng)
    by = ("sex", "diagnosis")[seed % 2]
    findings = analysed(patients, rng, tmp_path, by=by)
    groups = [e for e in findings.estimates if e.analysis == "baseline" and e.group is not None]
    assert {e.statistic for e in groups} >= {"count", "proportion", "missing", "smd", "p_value"}
    for smallest in (5, 11):
        shared = suppressed(findings, smallest)[0]
        assert not [e for e in shared.estimates if e.analysis == "baseline" and e.statistic in ("smd", "p_value")]
        assert worked_out(shared, patients, smallest) == []


def test_quartiles_of_a_group_are_rounded_among_its_own_patients():
    settings = {"report": {"table1": {"by": "sex", "variables": ["age_years", "interval_days"]}}}
    findings = Study(read_cohort(datasets()[DEMO].path), plain(Plan.of(settings))).run()
    kinds = ("median", "iqr_low", "iqr_high")
    quartiles = {(e.term, e.group, e.statistic): e.estimate for e in findings.estimates
                 if e.analysis == "baseline" and e.group and e.statistic in kinds}  # fmt: skip
    shared = {(e.term, e.group, e.statistic): e.estimate for e in suppressed(findings, 5)[0].estimates
              if e.analysis == "baseline" and e.group}  # fmt: skip
    otherwise = 0
    for (name, group, statistic), value in quartiles.items():
        every = findings.patients[name].drop_nulls().to_numpy()
        own = findings.patients.filter(pl.col("sex") == level_of(group))[name].drop_nulls().to_numpy()
        assert shared[name, group, statistic] == rounded(value, own, 5, steps=nice_steps(value))
        otherwise += shared[name, group, statistic] != rounded(value, every, 5, steps=nice_steps(value))
    assert len(quartiles) == 12
    assert otherwise


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("declared", [True, False])
def test_a_new_endpoint_is_attacked_as_it_is_declared(tmp_path, monkeypatch, seed, declared):
    """Any event at all. Declared, or an own one of the plan of which only the attacker knows."""
    rng = np.random.default_rng(seed)
    patients = [{**p, "events": p["events"] | ({"any"} if p["events"] else set())} for p in random_patients(rng)]
    findings = analysed(patients, rng, tmp_path, ("any",))
    relations = {e: replace(ENDPOINTS[e], part_of=(*ENDPOINTS[e].part_of, "any")) for e in TIMED}
    new = BuiltInEndpoint("any", "Any event", "any", "time", "patients")
    monkeypatch.setattr(attacker, "ENDPOINTS", {**ENDPOINTS, **relations, "any": new})
    if declared:
        monkeypatch.setattr(measures, "ENDPOINTS", {**ENDPOINTS, **relations, "any": new})
    assert "any" in attacker.knowledge(findings, patients, 11).tables.timed
    for smallest in (5, 11):
        assert worked_out(suppressed(findings, smallest)[0], patients, smallest) == []


def patients_of(findings):
    """Return the analysed patients as the attacker's tables tell them apart; without a diagnosis they are one group."""

    def text(row, name, missing):
        return missing if row.get(name) is None else str(row[name])

    timed = [e.name for e in findings.described.endpoints if e.kind == "time" and not e.competing
             and e.name not in AMONG]  # fmt: skip
    return [{"diagnosis": text(r, "diagnosis", "NHL"), "sex": text(r, "sex", ""), "best": text(r, "response", BEST[-1]),
             "CRS": text(r, "crs_grade", ""), "umrd_day28": text(r, "umrd_day28", ""),
             "events": frozenset(e for e in timed if r.get(f"{e}_event") in (1, "yes"))}
            for r in findings.data.frame.to_dicts()]  # fmt: skip


@pytest.mark.parametrize("name", [DEMO, "sheih_2020", "brudno_2016"])
def test_the_attacker_learns_no_small_number_of_the_bundled_cohorts(name):
    cohort = datasets()[name]
    plan = plain(cohort.plan)
    findings = Study(read_cohort(cohort.path, plan.columns, used=plan.used_columns), plan).run()
    patients = patients_of(findings)
    assert worked_out(findings, patients, 5, enough=1)
    for smallest in (5, 11):
        assert worked_out(suppressed(findings, smallest)[0], patients, smallest) == []
