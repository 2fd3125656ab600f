"""The groups of the table of patients: R's numbers, and cases solved by hand."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from helpers import plain, read
from reinfuse import Plan, Study
from reinfuse.analyses import group_comparison
from reinfuse.analyses.group_comparison import Groups
from reinfuse.statistics import contingency, standardized_difference
from reinfuse.statistics.contingency import TooManyTables, fisher_exact

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "baseline.json").read_text(encoding="utf-8"))
CATEGORIES = {case["name"]: case for case in GOLDEN["categories"]}
NUMBERS = {case["name"]: case for case in GOLDEN["numbers"]}
RANDOM = np.random.default_rng(1)


def of_table(table):
    """Return a category and the groups, one patient a count."""
    rows = [(f"g{i}", f"v{j}") for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    groups = tuple(f"g{i}" for i in range(len(table)))
    return pl.Series([v for _, v in rows]), Groups("f", groups, pl.Series([g for g, _ in rows]))


def of_samples(samples):
    names = tuple(f"g{i}" for i in range(len(samples)))
    values = pl.Series([float(x) for sample in samples for x in sample])
    return values, Groups("f", names, pl.Series([n for n, s in zip(names, samples, strict=True) for _ in s]))


@pytest.mark.parametrize("name", CATEGORIES)
def test_categories_as_in_r(name):
    case = CATEGORIES[name]
    values, groups = of_table(case["table"])
    first = next(iter(group_comparison.differences("v", values, groups=groups)))
    assert first.estimate == pytest.approx(case["smd"], rel=1e-9)
    assert first.group == "f=g0 vs f=g1"
    tested = group_comparison.test("v", values, groups=groups, random=RANDOM)
    assert tested.p_value == pytest.approx(case["p"], rel=1e-7)
    assert tested.method == "Fisher's exact test"


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_as_in_r(name):
    case = NUMBERS[name]
    values, groups = of_samples(case["groups"])
    first = next(iter(group_comparison.differences("v", values, groups=groups)))
    assert first.estimate == pytest.approx(case["smd"], rel=1e-9)
    tested = group_comparison.test("v", values, groups=groups, random=RANDOM)
    assert tested.p_value == pytest.approx(case["p"], rel=1e-9)
    method = {"no ties": group_comparison.WILCOXON, "three groups": group_comparison.KRUSKAL}
    assert tested.method == method.get(name, group_comparison.WILCOXON_TIES)


def test_differences_by_hand():
    one, two = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    assert standardized_difference.of_numbers(one, two) == pytest.approx(2 / math.sqrt(2.5))  # variances 1 and 4
    half, quarter = np.array([4.0, 4.0]), np.array([6.0, 2.0])
    pooled = math.sqrt((0.5 * 0.5 + 0.25 * 0.75) / 2)
    assert standardized_difference.of_categories(half, quarter) == pytest.approx(0.25 / pooled)
    thirds, other = np.array([1.0, 1.0, 1.0]), np.array([2.0, 1.0, 1.0])
    d = np.array([1 / 3 - 1 / 4, 1 / 3 - 1 / 4])
    s = (np.array([[2, -1], [-1, 2]]) / 9 + np.array([[3, -1], [-1, 3]]) / 16) / 2
    assert standardized_difference.of_categories(thirds, other) == pytest.approx(math.sqrt(d @ np.linalg.inv(s) @ d))


def test_which_level_is_left_out_changes_nothing():
    one, two = np.array([3.0, 5.0, 1.0, 2.0]), np.array([6.0, 1.0, 4.0, 4.0])
    expected = standardized_difference.of_categories(one, two)
    for order in ([1, 0, 2, 3], [3, 2, 1, 0]):
        assert standardized_difference.of_categories(one[order], two[order]) == pytest.approx(expected)


def test_differences_that_are_none_or_cannot_be():
    of_numbers, of_categories = standardized_difference.of_numbers, standardized_difference.of_categories
    assert of_numbers(np.array([2.0, 2.0]), np.array([2.0, 2.0])) == 0
    assert of_numbers(np.array([2.0, 2.0]), np.array([3.0, 3.0])) is None
    assert of_numbers(np.array([2.0]), np.array([3.0, 4.0])) is None
    assert of_categories(np.array([3.0, 0.0]), np.array([5.0, 0.0])) == 0
    assert of_categories(np.array([3.0, 0.0]), np.array([0.0, 5.0])) is None  # apart, and nothing varies
    assert of_categories(np.array([0.0, 0.0]), np.array([0.0, 5.0])) is None


def probability(table):
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    top = sum(math.lgamma(x + 1) for x in (*rows, *columns))
    return math.exp(top - sum(math.lgamma(x + 1) for x in (*table.ravel(), table.sum())))


@pytest.mark.parametrize("table", [[[2, 1, 0], [0, 1, 3]], [[1, 2, 0], [2, 0, 1], [0, 1, 2]], [[3, 0], [1, 4]]])
def test_fisher_goes_through_every_table(table):
    """All tables of the same margins, written out."""
    seen = np.array(table)
    rows, columns = seen.shape
    every = []
    for cells in product(range(int(seen.sum()) + 1), repeat=(rows - 1) * (columns - 1)):
        inner = np.zeros(seen.shape, int)
        inner[:-1, :-1] = np.reshape(cells, (rows - 1, columns - 1))
        inner[:-1, -1] = seen.sum(axis=1)[:-1] - inner[:-1, :-1].sum(axis=1)
        inner[-1] = seen.sum(axis=0) - inner[:-1].sum(axis=0)
        if inner.min() >= 0:
            every.append(probability(inner))
    assert sum(every) == pytest.approx(1)
    assert fisher_exact(seen) == pytest.approx(sum(p for p in every if p <= probability(seen) * (1 + 1e-7)))


def test_too_many_tables_are_simulated_from_the_plan_s_seed(monkeypatch):
    monkeypatch.setattr(contingency, "MOST_PATHS", 10)
    case = CATEGORIES["three by four"]
    with pytest.raises(TooManyTables):
        fisher_exact(np.array(case["table"]))
    values, groups = of_table(case["table"])
    one, again = (group_comparison.test("v", values, groups=groups, random=np.random.default_rng(7)) for _ in range(2))
    assert one.method == "Fisher's exact test, 9,999 simulated tables"
    assert one.p_value == again.p_value
    assert one.p_value == pytest.approx(case["p"], abs=5 * math.sqrt(case["p"] * (1 - case["p"]) / 9999))


def test_small_groups_are_not_tested():
    values, groups = of_samples([[1, 2, 3, 4], [5, 6]])
    record = group_comparison.test("v", values, groups=groups, random=RANDOM)
    assert (record.p_value, record.note) == (None, "not estimable: group g1: 2 patients, fewer than 3")
    values, groups = of_samples([[1, 2, 3], [5]])
    single = next(iter(group_comparison.differences("v", values, groups=groups)))
    assert (single.estimate, single.note) == (None, "not estimable: fewer than 2 patients")


COHORT = {
    "patients": """patient_id,last_contact,death,diagnosis,sex,age_years
        a,400,,CLL,F,60
        b,300,300,CLL,M,50
        c,500,,NHL,F,70
        d,250,250,NHL,M,40
        e,350,350,NHL,F,30
        f,390,,NHL,,35
        g,390,,NHL,M,45""",
    "infusions": "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion,LDH\n"
    + "\n".join(f"{p},1,0,2e6,Cy,\n{p},2,100,2e6,Cy/Flu,{ldh}" for p, ldh in zip("abcdefg", range(200, 270, 10),
                                                                               strict=True)),
    "responses": "patient_id,day,response\na,130,CR\nb,130,PD",
}  # fmt: skip


def findings(folder, **table1):
    return Study(read(folder, **COHORT), plain(Plan.of({"report": {"table1": table1}}))).run()


def test_records_of_groups_by_hand(tmp_path):
    shown = findings(
        tmp_path, by="sex", variables=["age_years", "diagnosis", "LDH"], numbers="mean (SD)", smd=True, p=True
    )
    of = {(e.group, e.statistic, e.term, e.level): e for e in shown.estimates
          if e.analysis == "baseline" and e.population == "all"}  # fmt: skip
    assert of["sex=F", "count", None, None].estimate == 3
    assert of["sex=M", "count", None, None].estimate == 3
    assert of[None, "missing", "sex", None].estimate == 1
    assert of["sex=F", "mean", "age_years", None].estimate == pytest.approx(160 / 3)
    assert of["sex=M", "sd", "age_years", None].estimate == pytest.approx(5.0)
    assert of[None, "sd", "age_years", None].estimate == pytest.approx(np.std([60, 50, 70, 40, 30, 35, 45], ddof=1))
    share = of["sex=F", "proportion", "diagnosis", "NHL"]
    assert (share.estimate, share.n, share.events) == (pytest.approx(2 / 3), 3, 2)
    assert of["sex=M", "median", "LDH", None].estimate == 230
    smd = of["sex=F vs sex=M", "smd", "age_years", None]
    spread = math.sqrt((np.var([60, 70, 30], ddof=1) + 25) / 2)
    assert smd.estimate == pytest.approx((160 / 3 - 45) / spread)
    assert of["sex", "p_value", "diagnosis", None].p_value == 1.0


def test_the_table_of_patients_changes_no_other_record(tmp_path):
    without, options = findings(tmp_path), {"by": "sex", "smd": True, "p": True, "numbers": "mean (SD)"}
    beside = findings(tmp_path, **options)
    left = [e for e in beside.estimates if e in set(without.estimates)]
    assert left == list(without.estimates)
    more = {(e.analysis, e.statistic) for e in beside.estimates} - {
        (e.analysis, e.statistic) for e in without.estimates
    }
    assert more == {("baseline", "sd"), ("baseline", "smd"), ("baseline", "p_value")}
