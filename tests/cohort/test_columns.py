"""Outcomes, identifiers and dates divide no patients: not as factors, subgroups, exposures or confounders."""

import pytest

from helpers import read, write_sheet
from reinfuse import read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.baseline_columns import is_identifier, is_post_baseline
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.analysis_plan import Plan

LATE = {"factors": [{"name": "peak", "column": "peak", "known_at": 14}]}
OUTCOME = "is known only after the index infusion and cannot be a baseline factor"
FROM_DAY_0 = "is known on day 14 only and cannot be used in {} from day 0"


def rules_of(told):
    with pytest.raises(PlanRefused) as refused:
        Plan.of(told)
    return [p.rule for p in refused.value.problems]


REFUSED = [
    ("response", {"subgroups": ["response"]}, OUTCOME),
    ("beside another", {"subgroups": ["diagnosis", "crs_grade"]}, OUTCOME),
    ("event of an endpoint", {"subgroups": ["os_event"]}, OUTCOME),
    ("an endpoint", {"subgroups": ["pfs"]}, OUTCOME),
    ("an infection's grade", {"subgroups": ["toxicity_infection_grade"]}, OUTCOME),
    ("the row that decided", {"subgroups": ["pfs_source"]}, OUTCOME),
    ("a column kept apart", {"subgroups": ["response_infusions"]}, OUTCOME),
    ("cause of death", {"subgroups": ["death_cause"]}, OUTCOME),
    ("in other letters", {"subgroups": ["Best Response"], "columns": {"response": "best response"}},
     "the column Best Response is the outcome response"),
    ("of a declared endpoint", {"subgroups": ["left alive"], "endpoints": [
        {"name": "discharge", "time": "days in hospital", "event": "left alive"}]},
     "the column left alive is the outcome discharge"),
    ("an outcome as an exposure", {"standardise": {"exposures": ["response"]}}, "response is known only after"),
    ("known later, as a subgroup", {**LATE, "subgroups": ["peak"]}, FROM_DAY_0.format("the subgroups")),
    ("known later, as a confounder", {**LATE, "standardise": {"confounders": ["peak"]}},
     FROM_DAY_0.format("[standardise]")),
    ("known later, adjusted for", {**LATE, "time_dependent": [{"factor": "response", "adjust": ["peak"]}]},
     FROM_DAY_0.format("a time-dependent analysis")),
    ("known later than the landmark", {**LATE, "landmarks": [{"factor": "response", "day": 7, "adjust": ["peak"]}]},
     "landmark on day 7: factor 'peak' is known on day 14 only"),
    ("the patient's id", {"subgroups": ["patient_id"]}, "patient_id identifies patients and cannot define groups"),
    ("the id as a factor", {"factors": [{"name": "who", "column": "Patient ID"}]},
     "Patient ID identifies patients and cannot define groups"),
    ("an id known later", {"factors": [{"name": "who", "column": "MRN", "known_at": 3}]},
     "MRN identifies patients and cannot define groups"),
    ("an id as a standard column", {"columns": {"diagnosis": "USUBJID"}},
     "USUBJID identifies patients and cannot define groups"),
    ("an id as an endpoint", {"endpoints": [{"name": "x", "value": "MRN"}]},
     "MRN identifies patients and is not an endpoint"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "rule"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_plan_that_divides_patients_by_what_it_cannot_is_refused(told, rule):
    assert any(rule in r for r in rules_of(told)), rules_of(told)


def test_all_of_it_is_told_at_once():
    rules = rules_of({"subgroups": ["response", "patient_id"], "factors": [{"name": "pfs", "column": "x"}]})
    assert [r.partition(":")[0] for r in rules] == ["subgroup 'response'", "subgroup 'patient_id'"]


def test_a_factor_of_the_plan_that_bears_an_outcome_s_name_is_a_subgroup_of_its_own_column():
    told = {"factors": [{"name": "relapse", "column": "relapsed before"}], "subgroups": ["relapse"]}
    assert Plan.of(told).subgroups == ("relapse",)


def test_a_landmark_may_adjust_for_what_is_known_by_then(tmp_path):
    from reinfuse.analyses.base import Inputs
    from reinfuse.analyses.landmark import ANALYSIS
    from reinfuse.results.estimate import NOT_ESTIMABLE

    plan = Plan.of({**LATE, "landmarks": [{"factor": "response", "endpoints": ["os"], "adjust": ["peak"]}]})
    sheet = """patient_id,os_days,os_event,response,response_day,peak
    A,100,1,PR,29,5
    B,200,1,PR,28,2
    C,300,0,PR,31,7
    D,90,1,SD,,1
    E,150,1,SD,,3
    F,400,1,SD,,4"""
    cohort = read_cohort(write_sheet(tmp_path, sheet))
    [step] = ANALYSIS.steps(Inputs(analysis_set(cohort, plan), plan, cohort))
    records, _ = step.work([])
    ratios = [e for e in records if e.statistic == "hazard_ratio"]
    assert [(e.term, e.model, e.at) for e in ratios] == [
        ("response", "multivariable", 42), ("peak", "multivariable", 42),
    ]  # fmt: skip
    assert not any(NOT_ESTIMABLE in (e.note or "") for e in ratios)


SIX = """patient_id,os_days,os_event,centre,code,seen,marker,biopsy
1,100,1,North,a7,2024-03-01,1.5,03/04/2024
2,200,0,North,b2,2024-03-09,2.5,13/05/2024
3,300,1,South,c9,2023-12-01,3.5,01/06/2024
4,400,0,South,d1,2024-05-01,4.5,
5,500,1,South,e4,2024-05-02,5.5,02/06/2024
6,600,1,North,f8,,6.5,05/06/2024"""
DATES = "holds dates; give days from the index infusion, or a year"
BY_VALUES = [
    ({"factors": [{"name": "code", "column": "code"}]},
     "factor code has a different value in each of 6 patients, like an identifier"),
    ({"subgroups": ["code"]}, "the plan's subgroup has a different value in each of 6 patients, like an identifier"),
    ({"subgroups": ["marker"]}, "the plan's subgroup has a different value in each of 6 patients, like an identifier"),
    ({"factors": [{"name": "seen", "column": "seen"}]}, f"factor seen {DATES}"),
    ({"factors": [{"name": "seen", "column": "seen", "above": 3}]}, f"factor seen {DATES}"),
    ({"factors": [{"name": "seen", "column": "seen", "reference": "2024-03-01"}]}, f"factor seen {DATES}"),
    ({"factors": [{"name": "biopsy", "column": "biopsy"}]}, f"factor biopsy {DATES}"),
    ({"subgroups": ["seen"]}, f"the plan's subgroup {DATES}"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "rule"), BY_VALUES)
def test_identifiers_and_dates_are_known_by_their_values(tmp_path, told, rule):
    with pytest.raises(PlanRefused) as refused:
        analysis_set(read_cohort(write_sheet(tmp_path, SIX)), Plan.of({"subgroups": [], "factors": [], **told}))
    assert [p.rule for p in refused.value.problems] == [rule]


def test_what_groups_patients_or_measures_them_is_kept(tmp_path):
    factors = [{"name": "centre", "column": "centre"}, {"name": "marker", "column": "marker"}]
    data = analysis_set(read_cohort(write_sheet(tmp_path, SIX)), Plan.of({"subgroups": ["centre"], "factors": factors}))
    assert [f.name for f in data.factors] == ["centre", "marker"]
    assert list(data.populations) == ["all", "centre=North", "centre=South"]


def test_few_patients_may_all_differ(tmp_path):
    cohort = read(
        tmp_path,
        patients="patient_id,last_contact,death,diagnosis\nA,900,,CLL\nB,900,,ALL\nC,900,,NHL\nD,900,,MM\nE,900,,AML",
        infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
        + "\n".join(f"{p},{i},{day},2e6,Cy" for p in "ABCDE" for i, day in ((1, 0), (2, 100))),
    )
    assert len(analysis_set(cohort, Plan()).populations) == 6


@pytest.mark.parametrize("name", ["patient_id", "Patient-ID", "USUBJID", "mrn", "Date of birth", "initials"])
def test_names_of_identifiers(name):
    assert is_identifier(name)


@pytest.mark.parametrize("name", ["STUDYID", "site", "histology", "idh1", "inpatient"])
def test_names_of_no_identifiers(name):
    assert not is_identifier(name)


@pytest.mark.parametrize("name", ["OS days", "Response", "umrd_day28", "ttnt_event", "nrm", "crs_grade_source"])
def test_names_of_outcomes(name):
    assert is_post_baseline(name)


@pytest.mark.parametrize("name", ["interval_days", "prior_lines", "best_response_before", "ldh", "tumour_grade"])
def test_names_of_no_outcomes(name):
    assert not is_post_baseline(name)
