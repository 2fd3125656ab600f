"""From the register to synthesis and borrowing: one row a study, nothing pooled unasked, what is unsure is told."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import betabinom

from reinfuse.evidence import Notice, read_register
from reinfuse.evidence.borrowing import borrow
from reinfuse.evidence.cautions import cautions
from reinfuse.evidence.figures import PublishedFigure
from reinfuse.evidence.printed_times import printed_numbers
from reinfuse.evidence.records import borrowing_records, synthesis_records
from reinfuse.evidence.register import Register
from reinfuse.evidence.subgroups import synthesize_by
from reinfuse.evidence.synthesis import FLOORED, synthesize

TODAY = date(2026, 11, 29)


@pytest.fixture(scope="module")
def register():
    return read_register()


@pytest.fixture(scope="module")
def across_constructs(register):
    return borrow(register, "cr", events=3, n=9, across=("construct",))


def registry(register, *studies):
    """Return a register of studies (events, n, ...) like the reference study, each with a figure of CR."""
    like = register.study("gauthier2021")
    return Register(tuple(
        replace(like, name=f"study{i}", label=f"Study {i}", is_reference=i == 0, notices=(), overlaps=(),
                figures=(PublishedFigure(study=f"study{i}", endpoint="cr", statistic="proportion", events=y, n=n,
                                         diseases=like.diseases),))
        for i, (y, n) in enumerate(studies)))  # fmt: skip


def test_nothing_is_pooled_across_constructs_unless_asked(register, across_constructs):
    alone = synthesize(register, "cr")
    assert [(r.name, r.events, r.n) for r in alone.rows] == [
        ("gauthier2021", 9, 44), ("zuma1_retreatment2020", 4, 13), ("bloodadv2024_2182", 5, 18),
    ]  # fmt: skip
    assert any(e.study.name == "bmccancer2022" and "construct" in e.reason for e in alone.excluded)
    asked = across_constructs.synthesis
    assert sorted((r.events, r.n) for r in asked.rows) == [(4, 13), (5, 18), (9, 44), (13, 19)]
    assert "Pooled across studies that differ in construct, as requested." in cautions(asked, on=TODAY)


def test_no_patient_counts_twice(register):
    for endpoint, grade in (("cr", ""), ("response", ""), ("CRS", ">=3"), ("NT", ">=3")):
        names = [r.name for r in synthesize(register, endpoint, grade=grade).rows]
        assert len(names) == len(set(names))
    of_disease = synthesize_by(register, "cr", "disease")
    patients = {(r.name, disease): r.n for disease, one in of_disease.groups for r in one.rows}
    of_reference = [n for (name, _), n in patients.items() if name == "gauthier2021"]
    assert sum(of_reference) == 44


def test_four_rates_are_worth_about_four_to_eight_patients(across_constructs):
    assert across_constructs.worth_in_words.startswith(
        "4 published rates of 94 patients are together worth about 4 to 8 patients"
    )
    assert [round(w.moment, 2) for w in across_constructs.worth] == [4.45, 7.80]


def test_the_answer_without_borrowing_stands_first_and_is_exact(across_constructs):
    first, jeffreys = across_constructs.alone
    assert (first.mean, round(first.lower, 4), round(first.upper, 4)) == (3 / 9, 0.0749, 0.7007)
    assert jeffreys.mean == pytest.approx(3.5 / 10)
    assert borrowing_records(across_constructs)[0].method.startswith("no borrowing")
    pooled = next(b for b in across_constructs.borrowed if "pooled" in b.method)
    assert pooled.mean == pytest.approx((0.5 + 31 + 3) / (1 + 94 + 9))


def test_data_in_conflict_move_the_weight_to_the_vague_component(register):
    agreeing, contrary = (borrow(register, "cr", events=y, n=9) for y in (2, 9))
    assert agreeing.vague_after < agreeing.vague_before < contrary.vague_after
    assert (agreeing.is_in_conflict, contrary.is_in_conflict) == (False, True)
    assert contrary.borrowed[0].mean > contrary.borrowed[2].mean  # the robust one follows the own data further


def test_heterogeneity_at_its_boundary_is_told_and_the_prediction_is_the_bayesian_one(register):
    small = synthesize(registry(register, (11, 21), (3, 9), (7, 13)), "cr")
    assert small.mixed.at_boundary
    assert small.pooled.prediction[1] - small.pooled.prediction[0] > np.ptp(
        1 / (1 + np.exp(-np.array(small.mixed.wald)))
    )
    assert any("estimated as 0, which 3 studies cannot establish" in c for c in cautions(small, on=TODAY))


def test_one_study_has_no_pooled_interval_and_says_why(register):
    one = synthesize(registry(register, (3, 9)), "cr", own=(2, 9))
    assert (one.pooled.estimate, one.pooled.interval) == (pytest.approx(1 / 3), None)
    assert "heterogeneity cannot be estimated" in one.pooled.reason
    assert one.normal is None
    reported = next(e for e in synthesis_records(one) if e.statistic == "pooled_proportion")
    assert (reported.lower, reported.note) == (None, one.pooled.reason)


def test_two_studies_have_a_bayesian_interval_and_the_other_beside_it(register):
    two = synthesize(registry(register, (9, 44), (4, 13)), "cr")
    assert cautions(two, on=TODAY)[0].startswith("Two studies: a confidence interval would rest on one degree")
    low, high = two.pooled.interval
    assert 0.05 < low < 9 / 44 < 4 / 13 < high < 0.7
    means = [e for e in synthesis_records(two) if e.statistic == "pooled_proportion"]
    assert (means[0].method, means[1].method) == ("Bayesian, tau half-normal of scale 1", FLOORED)
    assert len({e.method for e in means}) == len(means)
    assert means[0].estimate == two.bayesian[0].average().median


def test_without_a_study_there_is_no_synthesis_and_the_own_answer_remains(register):
    nothing = borrow(register, "efs", events=0, n=4)
    assert (nothing.synthesis.pooled, nothing.borrowed, nothing.worth_in_words) == (None, (), "")
    assert nothing.alone[0].upper == pytest.approx(1 - 0.025 ** (1 / 4))
    assert {e.statistic for e in borrowing_records(nothing)} == {"own_rate"}
    assert synthesis_records(nothing.synthesis) == []


@pytest.mark.parametrize("studies", [[(0, 9), (0, 5)], [(9, 9), (5, 5)], [(0, 9), (8, 8), (0, 7)]])
def test_counts_without_a_finite_estimate_have_a_reason_and_no_number_that_is_not_finite(register, studies):
    synthesis = synthesize(registry(register, *studies), "cr", own=(1, 3))
    assert synthesis.pooled.estimate is None
    assert synthesis.pooled.reason
    synthesis_records(synthesis)  # an Estimate refuses what is not finite
    cautions(synthesis, on=TODAY)


def test_the_own_cohort_is_placed_among_what_a_further_study_may_show(register):
    placed = synthesize(registry(register, (30, 100), (30, 100), (31, 100)), "cr", own=(9, 10)).placed
    assert not placed.is_inside
    assert placed.at_most > 0.975
    inside = synthesize(registry(register, (30, 100), (30, 100), (31, 100)), "cr", own=(3, 10)).placed
    assert inside.is_inside
    one = borrow(registry(register, (30, 100), (30, 100), (31, 100)), "cr", events=3, n=10)
    mixture = one.worth[0].mixture
    direct = sum(w * betabinom.cdf(3, 10, a, b) for w, a, b in zip(mixture.weights, mixture.a, mixture.b, strict=True))
    assert inside.at_most == pytest.approx(direct, abs=5e-3)


def test_leaving_one_study_out_is_the_synthesis_of_the_others(register):
    whole = synthesize(registry(register, (9, 44), (4, 13), (13, 19)), "cr")
    rest = synthesize(registry(register, (9, 44), (4, 13)), "cr")
    assert whole.without_one[2].label == "Study 2"
    assert whole.without_one[2].pooled == rest.pooled


def test_a_study_that_weighs_heavily_is_named(across_constructs):
    heavy = "One study weighs heavily: without BMC Cancer 2022 the estimate is 24% instead of 35%."
    assert heavy in cautions(across_constructs.synthesis, on=TODAY)


def test_a_retracted_study_is_left_out_and_a_correction_is_told(register):
    studies = list(registry(register, (9, 44), (4, 13), (13, 19)).studies)
    for i, kind in ((0, "retraction"), (1, "correction")):
        notice = Notice(study=studies[i].name, kind=kind, reference="Blood 2027", raised_on=TODAY)
        studies[i] = replace(studies[i], notices=(notice,))
    synthesis = synthesize(Register(tuple(studies)), "cr")
    assert [r.name for r in synthesis.rows] == ["study1", "study2"]
    assert any(c.startswith("A correction of Study 1") for c in cautions(synthesis, on=TODAY))
    late = cautions(synthesis, on=date(2030, 1, 1))
    assert any(c.startswith("Out of date") for c in late)


def test_constructs_are_compared_and_not_pooled(register):
    groups = synthesize_by(register, "cr", "construct")
    assert [name for name, _ in groups.groups] == ["same construct", "other construct"]
    assert groups.difference.df == 1
    assert groups.difference.p_value < 0.01
    assert synthesize_by(register, "cr", "disease").difference.df == 2


def test_medians_are_listed_in_months_and_pooled_only_with_intervals(register):
    listed = printed_numbers(register, "dor", "median")
    assert [round(x.value, 2) for x in listed.numbers] == [33, 6, 4, 2.66]  # 81 days
    assert listed.pooled is None
    assert listed.reason == "0 of 4 printed with an interval: two studies are needed"
    studies = registry(register, (9, 44), (4, 13)).studies
    figure = PublishedFigure(study="", endpoint="pfs", statistic="median", value=60.875, lower=30.4375, upper=121.75,
                             unit="days")  # fmt: skip
    with_intervals = Register(tuple(replace(s, figures=(replace(figure, study=s.name),)) for s in studies))
    pooled = printed_numbers(with_intervals, "pfs", "median").pooled
    assert pooled.mean == pytest.approx(np.log(2))


def test_what_are_no_counts_of_the_own_cohort_is_refused(register):
    with pytest.raises(ValueError, match="own events"):
        borrow(register, "cr", events=4, n=3)
