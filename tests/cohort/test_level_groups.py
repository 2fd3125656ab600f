"""Values of a factor that the plan takes together, as factor and as subgroups, and the proposal to do so."""

from __future__ import annotations

import pytest

from helpers import plain, read
from reinfuse import Plan, Study
from reinfuse.exceptions import PlanRefused

DIAGNOSES = ("ALL",) * 6 + ("DLBCL", "DLBCL", "FL", "FL", "MCL", "MM")


def cohort(tmp_path):
    rows = [(f"P{i}", d) for i, d in enumerate(DIAGNOSES)]
    return read(
        tmp_path,
        patients="patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},900,,{d}" for p, d in rows),
        infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
        + "\n".join(f"{p},1,0,1e6,Cy\n{p},2,100,2e6,Cy/Flu" for p, _ in rows),
        responses="patient_id,day,response\n" + "\n".join(f"{p},130,PR" for p, _ in rows),
    )


def settings(**group):
    return {"factors": [{"name": "diagnosis", "group": group}], "subgroups": ["diagnosis"], "landmarks": [],
            "time_dependent": []}  # fmt: skip


def run(tmp_path, plan):
    return Study(cohort(tmp_path), plain(plan)).run()


def test_values_are_taken_together_as_factor_and_as_subgroups(tmp_path):
    findings = run(tmp_path, Plan.of(settings(NHL=["DLBCL", "FL", "MCL"], other=["MM"])))
    assert findings.described.populations == ("all", "diagnosis=ALL", "diagnosis=NHL", "diagnosis=other")
    [factor] = findings.described.factors
    assert factor.levels == ("ALL", "NHL", "other")
    counts = {e.population: (e.events, e.n) for e in findings.estimates
              if (e.endpoint, e.statistic, e.group) == ("response", "proportion", None)}  # fmt: skip
    assert counts == {"all": (6, 12), "diagnosis=ALL": (0, 6), "diagnosis=NHL": (5, 5), "diagnosis=other": (1, 1)}
    notes = " ".join(str(w) for w in findings.warnings)
    assert "DLBCL, FL, MCL are taken together as NHL" in notes
    assert "can be taken together" not in notes


def test_groups_of_rare_diagnoses_are_proposed_as_a_plan_takes_them(tmp_path):
    findings = run(tmp_path, Plan.of(settings()))
    [note] = [str(w) for w in findings.warnings if "can be taken together" in str(w)]
    assert "4 diagnoses have fewer than 5 patients each (DLBCL, FL, MCL, MM)" in note
    assert 'group = { NHL = ["DLBCL", "FL", "MCL"], other = ["MM"] }' in note.replace('\\"', '"')


def test_a_value_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(PlanRefused) as refused:
        run(tmp_path, Plan.of(settings(NHL=["DLBLC", "FL"])))
    [problem] = refused.value.problems
    assert problem.rule == "factor diagnosis groups 'DLBLC', which is none of its values"
    assert problem.remedy.startswith("did you mean 'DLBCL'?")


@pytest.mark.parametrize(
    ("factor", "rule"),
    [({"name": "age_years", "per": 10, "group": {"old": ["80"]}}, "cannot stand together with above, scale or per"),
     ({"name": "diagnosis", "group": {"a": ["FL"], "b": ["FL"]}}, "group holds FL twice")],
)  # fmt: skip
def test_a_group_that_makes_no_sense_is_refused(factor, rule):
    with pytest.raises(PlanRefused) as refused:
        Plan.of({"factors": [factor]})
    [problem] = refused.value.problems
    assert rule in problem.rule
