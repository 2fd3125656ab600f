"""Exposure by infusion, factors of infusions, and the records that a plan asks of the counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from helpers import problems_of, read, write_folder
from reinfuse import Plan, Study
from reinfuse.exceptions import CohortRefused, PlanRefused
from reinfuse.kinetics.cohort_kinetics import cohort_kinetics
from reinfuse.kinetics.extrapolation import within_reach
from reinfuse.kinetics.infusion_factors import declared, factors, label
from reinfuse.plan.kinetics_rules import NcaRules
from reinfuse.results.estimate import Estimate

PATIENTS = "patient_id,last_contact,death,diagnosis\nA,400,,CLL\nB,300,300,NHL\nC,200,,NHL"
INFUSIONS = """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion,bulky
    A,1,0,1e6,Cy,no
    A,2,100,4e6,Cy/Flu,no
    B,1,0,1e6,Cy/Flu,yes
    B,2,60,1e6,,yes
    C,1,0,1e6,Cy/Flu,"""
COUNTS = """patient_id,day,value,unit,lloq,below_lloq
    A,7,50,cells/uL,1,
    A,28,5,cells/uL,1,
    A,107,0.4,cells/uL,1,yes
    A,114,0.4,cells/uL,1,yes
    A,128,0.4,cells/uL,1,yes
    B,7,100,cells/uL,1,
    B,28,50,cells/uL,1,
    B,67,8,cells/uL,1,
    B,90,2,cells/uL,1,
    C,14,90,copies/ug,10,"""
TABLES = {"patients": PATIENTS, "infusions": INFUSIONS, "counts": COUNTS}


def of(tmp_path, unit=None, **tables):
    return cohort_kinetics(read(tmp_path, **{**TABLES, **tables}), unit, rules=NcaRules())


def test_exposures_by_hand(tmp_path):
    rows = {(r["patient_id"], r["infusion"]): r for r in of(tmp_path).exposures.rows(named=True)}
    assert rows["A", 1]["auc_0_28"] == pytest.approx(7 * 50 / 2 + 21 * 45 / np.log(10))
    assert (rows["A", 1]["cmax"], rows["A", 1]["tmax"], rows["A", 1]["tlast"]) == (50, 7, 28)
    assert rows["B", 2]["fold"] == pytest.approx(0.08)
    assert rows["A", 1]["fold"] is None


def test_an_infusion_below_the_limit_had_little_exposure_not_an_unknown_one(tmp_path):
    row = of(tmp_path).exposures.row(by_predicate=(pl.col("patient_id") == "A") & (pl.col("infusion") == 2), named=True)
    assert (row["cmax"], row["auc_0_28"], row["cmax_28"], row["low"]) == (0.5, 14, 0.5, True)
    assert row["tlast"] is None


def test_the_unit_of_most_profiles_is_compared_and_the_others_told(tmp_path):
    section = of(tmp_path).as_dict()
    assert (section["unit"], section["other_units"], section["profiles"]) == ("cells/uL", ["copies/ug"], 4)
    assert (section["all_below_the_limit"], section["residue"], section["residue_known"]) == (1, 0, 0)
    assert of(tmp_path, "copies/ug").as_dict()["patients"] == 1
    no = "patient_id,day,value,unit\nA,7,50,cells/uL"
    assert of(tmp_path, "copies/ug", counts=no) is None


def test_factors_of_infusions(tmp_path):
    counts = of(tmp_path)
    columns = factors(counts.cohort, counts.profiles)
    keys = [(p.patient_id, p.infusion) for p in counts.profiles]
    assert keys == [("A", 1), ("A", 2), ("B", 1), ("B", 2)]
    assert columns["repeat"].tolist() == [0, 1, 0, 1]
    assert np.array_equal(columns["cy_flu"], [0, 1, 1, np.nan], equal_nan=True)
    assert columns["cart1_cy_flu"].tolist() == [0, 0, 0, 1]
    assert columns["log2_dose_ratio"].tolist() == [0, 2, 0, 0]
    assert columns["log10_dose"] == pytest.approx([6, 6 + np.log10(4), 6, 6])
    assert columns["bulky"].tolist() == [0, 0, 1, 1]
    assert columns["diagnosis=NHL"].tolist() == [0, 0, 1, 1]
    assert label(next(name for name in columns if name == "diagnosis=NHL")) == "Diagnosis: NHL"


def test_the_plan_s_own_factors_are_factors_of_exposure(tmp_path):
    infusions = INFUSIONS.replace("bulky\n", "bulky,site\n").replace("1e6,Cy,no", "1e6,Cy,no,X").replace(
        "Cy/Flu,no", "Cy/Flu,no,X").replace("Cy/Flu,yes", "Cy/Flu,yes,Y").replace(",,yes", ",,yes,Y").replace(
        "C,1,0,1e6,Cy/Flu,", "C,1,0,1e6,Cy/Flu,,X")  # fmt: skip
    cohort = read(tmp_path, **{**TABLES, "infusions": infusions})
    plan = Plan.of({"factors": [{"name": "centre", "column": "site"}]})
    study = Study(cohort, plan)
    columns = declared(study.data, study.counts.profiles)
    (values,) = columns.values()
    assert set(values.tolist()) == {0.0, 1.0}


def test_records_of_the_bundled_cohort(demo_findings):
    """The pattern that was built into the synthetic counts is found; each ratio rests on one method."""
    by_term = {(e.endpoint, e.term, e.model): e for e in demo_findings.estimates
             if e.analysis == "kinetics" and e.statistic in ("ratio", "time_ratio")}  # fmt: skip
    for endpoint, term in (("auc_0_28", "cart1_cy_flu"), ("auc_0_28", "log2_dose_ratio"),
                           ("persistence", "cart1_cy_flu"), ("persistence", "dose_increase")):  # fmt: skip
        e = by_term[endpoint, term, "multivariable"]
        assert e.estimate > e.lower > 1
        assert e.p_value < 0.05
        assert e.n
    response = next(e for e in demo_findings.estimates
                    if (e.analysis, e.statistic, e.term) == ("kinetics", "odds_ratio", "log10_cmax"))  # fmt: skip
    assert response.lower > 1
    pfs = next(e for e in demo_findings.estimates
               if (e.analysis, e.statistic, e.term) == ("kinetics", "hazard_ratio", "log10_cmax"))  # fmt: skip
    assert pfs.at == 28
    assert pfs.upper < 1
    assert demo_findings.kinetics["unit"] == "copies/ug"


def test_at_the_landmark_only_what_was_known_then_counts(tmp_path):
    late = COUNTS + "\n    B,95,9000,cells/uL,1,"
    row = of(tmp_path, counts=late).exposures.filter((pl.col("patient_id") == "B") & (pl.col("infusion") == 2))
    assert row["cmax"].item() == 9000
    assert row["cmax_28"].item() == 8


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,10,-3,cells/uL,1,", "outside the possible range"),
        ("A,10,5,cells,1,", "unit"),
        ("A,10,x,cells/uL,1,", "number"),
    ],
)
def test_hostile_counts_are_refused_with_their_row(tmp_path, row, said):
    problems = problems_of(write_folder(tmp_path, **{**TABLES, "counts": f"{COUNTS}\n{row}"}))
    assert [p.row for p in problems if p.severity == "error"] == [11]
    assert any(said in f"{p.rule} {p.column} {p.remedy}" for p in problems)


@pytest.mark.parametrize(
    "counts",
    ["A,7,50,cells/uL,1,", "A,7,0,cells/uL,1,\n    A,14,0,cells/uL,1,\n    A,21,0,cells/uL,1,",
     "A,7,1,cells/uL,1,\n    A,14,5,cells/uL,1,\n    A,21,90,cells/uL,1,",
     "A,107,5,cells/uL,1,\n    A,107,7,cells/uL,1,\n    A,107,9,copies/ug,1,",
     "A,7,0,cells/uL,,\n    B,67,0,cells/uL,,"],
)  # fmt: skip
def test_sparse_counts_give_results_or_reasons(tmp_path, counts):
    """One count; all 0; the peak last; several on a day and in two units; below a limit that is not known."""
    head = "patient_id,day,value,unit,lloq,below_lloq\n    "
    study = Study(read(tmp_path, **{**TABLES, "counts": head + counts}))
    findings, _ = study.kinetics(sampling=False)
    records = [e for e in findings.estimates if e.analysis in ("kinetics", "mediation")]
    assert records
    assert all(e.estimate is not None or e.note for e in records)


def test_without_counts_it_is_refused(tmp_path):
    tables = {k: v for k, v in TABLES.items() if k != "counts"}
    with pytest.raises(CohortRefused, match="counts: holds no count after an infusion"):
        Study(read(tmp_path, **tables)).kinetics(sampling=False)
    assert Study(read(tmp_path, **tables)).run().kinetics is None


def test_rules_of_the_plan(tmp_path):
    plan = Plan.of({"kinetics": {"after": "zero", "area_days": [90], "above": 3, "unit": "cells/uL"}})
    rules = plan.kinetics.rules
    assert (rules.below.after, rules.area_days, rules.above) == ("zero", (28.0, 90.0), 3)
    with pytest.raises(PlanRefused) as refused:
        Plan.of({"kinetics": {"after": "third", "areas": [90]}})
    assert len(refused.value.problems) == 2


def record(statistic, estimate, lower, upper, n, events):
    return Estimate("kinetics", "pfs", statistic, estimate=estimate, lower=lower, upper=upper, p_value=0.5, n=n,
                    events=events, note="as it was")  # fmt: skip


@pytest.mark.parametrize(("given", "why"), [
    (record("hazard_ratio", 3e-20, 1e-108, 3e32, 2, 2), "2 patients, fewer than 5"),
    (record("ratio", 1.5, 1, 2, 8, 4), "4 patients, fewer than 5"),
    (record("odds_ratio", 1.5, 1, 2, 8, 6), "fewer than 3 patients with or without the event"),
    (record("time_ratio", 1.5, 1, 2, 8, 2), "fewer than 3 patients with the event"),
])  # fmt: skip
def test_a_ratio_from_too_few_is_not_estimable(given, why):
    shown = within_reach(given)
    assert (shown.estimate, shown.lower, shown.upper, shown.p_value) == (None, None, None, None)
    assert shown.note == f"not estimable: {why}; as it was"


def test_a_ratio_or_limit_that_is_too_far_is_not_told():
    enough = record("odds_ratio", 1.5, 0.5, 2.5, 6, 3)
    assert within_reach(enough) == enough
    open_ended = within_reach(record("time_ratio", 50.0, 2.0, 3e6, 12, 5))
    assert (open_ended.estimate, open_ended.lower, open_ended.upper, open_ended.p_value) == (50, 2, None, 0.5)
    assert open_ended.note == "a limit is beyond 10,000-fold; as it was"
    far = within_reach(record("time_ratio", 2e-6, 1e-9, 13.6, 12, 5))
    assert (far.estimate, far.lower, far.upper) == (None, None, 13.6)
    assert far.note == "not estimable: the ratio is beyond 10,000-fold; as it was"
    median = replace(enough, statistic="median", estimate=1e9)
    assert within_reach(median) == median


def test_who_has_no_area_is_said_with_early_progression(demo_findings):
    notes = {(e.endpoint, e.statistic): e.note for e in demo_findings.estimates
             if e.analysis in ("kinetics", "mediation") and e.term in ("log10_auc_0_28", "cart1_cy_flu")}  # fmt: skip
    note = "left out: 2 with no count, 2 with no count from day 19 to 28 (1 of these 4 progressed or died by day 28)"
    assert note in notes["response", "odds_ratio"]
    assert note in notes["response", "indirect_effect"]
    assert "left out: 2 with no count, 1 with no count from day 19 to 28" in notes["pfs", "hazard_ratio"]
