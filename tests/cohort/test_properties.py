"""What may not matter: order of rows and columns, names of patients, the kind of file, dates or days."""

import random
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohorts import EIGHT
from helpers import cells, estimates_agree, write_folder, write_workbook
from reinfuse import read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.plan.analysis_plan import Factor, Plan, Rules
from reinfuse.plan.options import Analyses
from reinfuse.study import Study
from reinfuse.tabular import cell_parsing

Tables = Mapping[str, list[list[str]]]
PLAN = Plan(factors=(Factor(name="cart1_cy_flu"), Factor(name="ldh_high", column="LDH", above=240)), models=(),
            analyses=Analyses.none().model_copy(update={"kinetics": True, "paired": True}))  # fmt: skip
"""All of a cohort's tables are analysed, by what is neither drawn at random nor made of other analyses."""
EIGHT_CELLS = {name: cells(text) for name, text in EIGHT.items()}
TIMED = ("day", "last_contact", "death")

settings.register_profile(
    "cohort", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("cohort")


def text_of(rows: list[list[str]]) -> str:
    return "\n".join(",".join(f'"{c}"' if c else "" for c in row) for row in rows)


def estimates(tables: Tables, plan: Plan = PLAN) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = write_folder(Path(folder), **{name: text_of(rows) for name, rows in tables.items()})
        return Study(read_cohort(path, used=plan.used_columns), plan).run().to_frame()


@cache
def clean() -> pl.DataFrame:
    return estimates(EIGHT_CELLS)


def in_columns(tables: Tables, names: tuple[str, ...], change) -> dict[str, list[list[str]]]:
    """Return tables with `change(patient, cell)` done to every cell of the named columns."""
    out = {}
    for name, (header, *body) in tables.items():
        where = {j for j, h in enumerate(header) if h in names}
        out[name] = [header, *([change(row[0], c) if j in where else c for j, c in enumerate(row)] for row in body)]
    return out


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_and_columns_does_not_matter(seed):
    shuffled, chance = {}, random.Random(seed)
    for name, (header, *body) in EIGHT_CELLS.items():
        chance.shuffle(body)
        order = chance.sample(range(len(header)), len(header))
        shuffled[name] = [[row[j] for j in order] for row in [header, *body]]
    estimates_agree(clean(), estimates(shuffled))


IDS = (
    st.text(alphabet="aBcd012-_.é ", min_size=1, max_size=6)
    .map(cell_parsing.clean)
    .filter(lambda t: not cell_parsing.is_missing(t))
)


@settings(max_examples=6)
@given(ids=st.lists(IDS, min_size=8, max_size=8, unique=True))
def test_the_names_of_patients_do_not_matter(ids):
    new = {f"P{i}": text for i, text in enumerate(ids, 1)}
    estimates_agree(clean(), estimates(in_columns(EIGHT_CELLS, ("patient_id",), lambda patient, _: new[patient])))


def typed(text: str) -> object:
    """Return what a person would type into a workbook: numbers as numbers, the rest as text."""
    read = cell_parsing.read_number(text)
    return None if not text else read.value if read.rule is None else text


@settings(max_examples=3)
@given(case=st.sampled_from([str.upper, str.title, str.lower]), order=st.permutations(sorted(EIGHT_CELLS)))
def test_a_workbook_is_as_good_as_a_folder(case, order):
    with tempfile.TemporaryDirectory() as folder:
        sheets = {case(name): [[typed(c) for c in row] for row in EIGHT_CELLS[name]] for name in order}
        path = write_workbook(Path(folder), sheets)
        found = Study(read_cohort(path, used=PLAN.used_columns), PLAN).run().to_frame()
    estimates_agree(clean(), found)


def dated(tables: Tables, starts: list[date]) -> dict[str, list[list[str]]]:
    """Return tables with dates instead of days, each patient with the first infusion on a day of its own."""
    start = {f"P{i}": day for i, day in enumerate(starts, 1)}
    out = in_columns(tables, TIMED, lambda p, c: (start[p] + timedelta(days=int(c))).isoformat() if c else "")
    return {name: [["date" if h == "day" else h for h in header], *body] for name, (header, *body) in out.items()}


DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1))


@settings(max_examples=5)
@given(starts=st.lists(DAYS, min_size=8, max_size=8))
def test_dates_are_as_good_as_days(starts):
    estimates_agree(clean(), estimates(dated(EIGHT_CELLS, starts)))


@settings(max_examples=2)
@given(starts=st.lists(DAYS, min_size=8, max_size=8))
def test_dates_of_a_workbook_are_as_good_as_days(starts):
    def cell(text: str) -> object:
        return date.fromisoformat(text) if text.count("-") == 2 and text[:4].isdigit() else typed(text)

    with tempfile.TemporaryDirectory() as folder:
        tables = dated(EIGHT_CELLS, starts)
        path = write_workbook(Path(folder), {n: [[cell(c) for c in row] for row in rows] for n, rows in tables.items()})
        found = Study(read_cohort(path, used=PLAN.used_columns), PLAN).run().to_frame()
    estimates_agree(clean(), found)


# Cohorts drawn at random: nothing fails, and what must hold of every patient holds.

KIND = st.sampled_from(["anticancer", "allo-HCT", "supportive"])
COMPARTMENT = st.sampled_from(["marrow", "blood", ""])
RESPONSE = st.sampled_from(["CR", "CRi", "nPR", "PR", "SD", "PD", "NE"])


@st.composite
def histories(draw):
    """Draw one patient: infusions, end, assessments, tests and therapies, all from the first infusion to the end."""
    steps = draw(st.lists(st.integers(1, 45) | st.integers(1, 300), max_size=2))
    given_days = [0, *(sum(steps[: i + 1]) for i in range(len(steps)))][: draw(st.integers(0, 3))]
    end = (given_days[-1] if given_days else 0) + draw(st.integers(0, 500))
    day = st.integers(0, end)
    return {
        "end": end,
        "died": draw(st.booleans()),
        "diagnosis": draw(st.sampled_from(["ALL", "CLL", "NHL"])),
        "infusions": given_days,
        "reasons": ["", *(draw(st.sampled_from(["planned", "relapse", ""])) for _ in given_days[1:])],
        "cause": draw(st.sampled_from(["disease", "treatment", "unknown", ""])),
        "responses": draw(st.lists(st.tuples(day, RESPONSE), max_size=5)),
        "mrd": draw(st.lists(st.tuples(day, st.sampled_from(["undetectable", "detectable"]), COMPARTMENT), max_size=3)),
        "therapies": draw(
            st.lists(st.tuples(day, st.sampled_from(["anticancer", "allo-HCT", "supportive"])), max_size=2)
        ),
    }


COHORTS = st.lists(histories(), min_size=1, max_size=6).filter(lambda h: any(len(p["infusions"]) > 1 for p in h))


def wholes(one, within=30):
    """Return the first days of the infusions that are no planned part of the one before."""
    given = list(zip(one["infusions"], one["reasons"], strict=False))
    before = [None, *one["infusions"]]
    return [d for (d, why), b in zip(given, before, strict=False) if why != "planned" or b is None or d - b > within]


def written(people) -> dict[str, str]:
    rows = {
        "patients": ["patient_id,last_contact,death,diagnosis,death_cause"],
        "infusions": ["patient_id,infusion,day,dose_cells_per_kg,lymphodepletion,reason"],
        "responses": ["patient_id,day,response"],
        "mrd": ["patient_id,day,result,compartment"],
        "therapies": ["patient_id,day,kind,therapy"],
    }
    for i, one in enumerate(people):
        died = (one["end"], one["cause"]) if one["died"] else ("", "")
        rows["patients"].append(f"H{i},{one['end']},{died[0]},{one['diagnosis']},{died[1]}")
        reasons = zip(one["infusions"], one["reasons"], strict=False)
        rows["infusions"] += [f"H{i},{n},{day},2e6,Cy/Flu,{why}" for n, (day, why) in enumerate(reasons, 1)]
        rows["responses"] += [f"H{i},{day},{what}" for day, what in one["responses"]]
        rows["mrd"] += [f"H{i},{day},{what},{where}" for day, what, where in one["mrd"]]
        rows["therapies"] += [f"H{i},{day},{what},x" for day, what in one["therapies"]]
    return {name: "\n".join(lines) for name, lines in rows.items()}


def drawn(people):
    with tempfile.TemporaryDirectory() as folder:
        return read_cohort(write_folder(Path(folder), **written(people)))


RULES = st.builds(
    Rules,
    censor_at_new_therapy=st.booleans(),
    transplant_is_new_therapy=st.booleans(),
    max_gap_days=st.none() | st.integers(1, 200),
    death_of_disease=st.sampled_from(["relapse", "non-relapse mortality"]),
    split_dose_days=st.sampled_from([0, 14, 30]),
    umrd_compartments=st.permutations(["marrow", "blood", "not recorded"]),
)


@settings(max_examples=60)
@given(people=COHORTS, rules=RULES, index=st.integers(1, 2))
def test_what_must_hold_of_every_patient(people, rules, index):
    frame = derive(drawn(people), index, rules=rules)
    starts = [wholes(p, rules.split_dose_days) for p in people]
    assert frame["patient_id"].to_list() == [f"H{i}" for i, days in enumerate(starts) if len(days) >= index]
    for row in frame.to_dicts():
        one = people[int(row["patient_id"][1:])]
        follow_up = one["end"] - starts[int(row["patient_id"][1:])][index - 1]
        assert (row["os_days"], row["os_event"]) == (follow_up, "yes" if one["died"] else "no")
        assert 0 <= row["pfs_days"] <= row["os_days"]
        assert 0 <= row["relapse_days"] <= row["os_days"]
        assert 0 <= row["ttnt_days"] <= row["os_days"]
        assert not (row["relapse_event"] == row["nrm_event"] == "yes")
        if one["died"]:
            assert "yes" in (row["relapse_event"], row["nrm_event"])
            assert (one["cause"], rules.death_of_disease, row["nrm_event"]) != ("disease", "relapse", "yes")
        assert (row["dor_days"] is None) == (row["dor_event"] is None)
        assert 0 <= (row["dor_days"] or 0) <= row["pfs_days"]
        assert None not in (row["pfs_source"], row["os_source"], row["ttnt_source"], row["relapse_source"])
        assert (row["response"] is None) == (row["response_source"] is None)
        assert (row["umrd_day28"] is None) == (row["umrd_day28_source"] is None)
        assert (row["umrd_day28"] is None) == (row["umrd_day28_compartment"] is None)


@settings(max_examples=30)
@given(people=COHORTS, rules=RULES, index=st.integers(1, 2))
def test_only_progression_free_survival_knows_whether_a_new_therapy_ends_it(people, rules, index):
    cohort = drawn(people)
    one, other = (
        derive(cohort, index, rules=rules.model_copy(update={"censor_at_new_therapy": ends})) for ends in (True, False)
    )
    assert one.drop("pfs_days", "pfs_event", "pfs_source").equals(other.drop("pfs_days", "pfs_event", "pfs_source"))


def _why(index, reached, given, one):
    """Return why a patient without the index infusion is left out."""
    if not given:
        return "no CAR-T infusion"
    return f"no infusion {index}" + (": a planned part (split dose) is none of its own" if given > reached else "")


@settings(max_examples=30)
@given(people=COHORTS, index=st.integers(1, 3))
def test_every_patient_is_in_the_flow_exactly_once(people, index):
    reached = [len(wholes(p)) for p in people]
    cohort = drawn(people)
    plan = Plan.built_in(index if max(reached) >= index else 1)
    flow = analysis_set(cohort, plan).flow
    assert flow["patient_id"].to_list() == [f"H{i}" for i in range(len(people))]
    expected = [
        ("analysed", None) if n >= plan.index_infusion
        else ("excluded", _why(plan.index_infusion, n, len(p["infusions"]), p))
        for n, p in zip(reached, people, strict=True)
    ]  # fmt: skip
    assert flow.select("status", "reason").rows() == expected
