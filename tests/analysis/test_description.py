"""Flow, baseline characteristics, best responses and toxicity of five literal patients, counted by hand."""

import pytest

from helpers import plain, read
from reinfuse import Plan, Study

TABLES = {
    "patients": """patient_id,last_contact,death,diagnosis,sex,age_years
        A,300,,CLL,F,50
        B,90,90,CLL,M,60
        C,200,,NHL,M,70
        D,250,,NHL,M,
        E,40,,NHL,F,80""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
        A,1,0,2e6,Cy
        A,2,60,2e7,Cy/Flu
        B,1,0,2e6,Cy/Flu
        B,2,50,2e6,Cy/Flu
        C,1,0,2e6,Cy
        C,2,40,4e6,Cy
        D,1,0,2e6,Cy
        D,2,40,4e6,Cy
        E,1,0,2e6,Cy""",
    "responses": """patient_id,day,response
        A,90,CR
        B,70,PD
        C,70,PR""",
    "toxicities": """patient_id,infusion,kind,grade
        A,2,CRS,1
        B,2,CRS,3
        C,2,CRS,2
        C,2,CRS,4""",
}


@pytest.fixture(scope="module")
def estimates(tmp_path_factory):
    cohort = read(tmp_path_factory.mktemp("five"), **TABLES)
    return Study(cohort, plain(Plan.built_in())).run().estimates


def values(estimates, analysis, statistic, population="all", group=None):
    where = (analysis, statistic, population, group)
    return {(e.term, e.level): (e.estimate, e.n) for e in estimates
            if (e.analysis, e.statistic, e.population, e.group) == where}  # fmt: skip


def test_flow(estimates):
    flow = values(estimates, "flow", "count")
    assert flow["in the cohort", None] == (5, 5)
    assert flow["analysed", None] == (4, 5)
    assert [count for (term, _), count in flow.items() if term == "excluded"] == [(1, 5)]


def test_baseline(estimates):
    assert values(estimates, "baseline", "count")["sex", "M"] == (3, 4)
    assert values(estimates, "baseline", "proportion")["sex", "M"] == (0.75, 4)
    assert values(estimates, "baseline", "count", "diagnosis=NHL")["sex", "M"] == (2, 2)
    assert values(estimates, "baseline", "median")["age_years", None] == (60, 3)
    assert values(estimates, "baseline", "iqr_low")["age_years", None] == (55, 3)
    assert values(estimates, "baseline", "missing")["age_years", None] == (1, 4)


def test_best_responses(estimates):
    best = {("best", level): (1, 4) for level in ("CR", "PR", "PD", "not assessed")}
    counts = values(estimates, "response", "count")
    assert {key: count for key, count in counts.items() if key[0] == "best"} == best
    nhl = values(estimates, "response", "count", "diagnosis=NHL")
    assert (nhl["best", "PR"], nhl["best", "CR"], nhl["best", "not assessed"]) == ((1, 2), (0, 2), (1, 2))


def test_toxicity(estimates):
    """The worst grade of each patient; without a row, grade 0."""
    grades = {("CRS", f"{g}"): (x, 4) for g, x in enumerate([1, 1, 0, 1, 1, 0])}
    grades |= {("CRS", ">=1"): (3, 4), ("CRS", ">=3"): (2, 4)}
    counts = values(estimates, "toxicity", "count")
    assert {key: count for key, count in counts.items() if key[0] == "CRS"} == grades
    assert values(estimates, "toxicity", "proportion") == {("CRS", ">=1"): (0.75, 4), ("CRS", ">=3"): (0.5, 4)}
    [severe] = [
        e
        for e in estimates
        if (e.analysis, e.term, e.level, e.statistic, e.population) == ("toxicity", "CRS", ">=3", "proportion", "all")
    ]
    assert (severe.lower, severe.upper) == pytest.approx((0.0675859, 0.9324141), abs=1e-6)  # binom.test(2, 4)
