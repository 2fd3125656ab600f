"""Endpoints by several rules: eleven patients by hand, medians against R, and what the report concludes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers import plain, read, write_sheet
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses.endpoint_rules import OF_PLAN, side_by_side
from reinfuse.analyses.survival import median
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.cohort.estimands import CENSORED, COMPOSITE, INTERCURRENT, POLICY, WHILE_ON, estimands
from reinfuse.cohort.rule_variants import outcomes, rule_variants, transplanted
from reinfuse.exceptions import PlanRefused
from reinfuse.report.analyses.endpoint_rules import conclusions
from reinfuse.report.tables.study_tables import StudyTables

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "endpoint_rules.json").read_text(encoding="utf-8"))
INFUSIONS = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
PEOPLE = "A,900, B,900, C,900, D,500,500 E,900, F,900, G,300,300 H,150,150 I,900, J,900, K,900,".split()
# Days from the second infusion, which is on day 100.
RESPONSES = {"A": "30 CR 200 PD", "B": "30 CR 150 PD", "C": "30 PR 120 CR 300 PD", "D": "30 SD", "E": "28 PD",
             "F": "30 CR 180 CR", "G": "30 SD", "I": "30 SD 100 PD", "J": "30 PR 100 PR 350 PD",
             "K": "30 SD 120 CR"}  # fmt: skip
THERAPIES = "B 60 anticancer,C 90 allo-HCT,G 70 auto-HCT,G 100 anticancer,I 50 anticancer,I 80 allo-HCT,K 60 allo-HCT"
RULES = {"FDA": "censored at a new therapy (FDA)", "EMA": "followed through a new therapy (EMA)",
         "missed": "FDA, event more than 180 days after the last visit censored there",
         "ignored": "FDA, transplant ignored", "competing": "FDA, transplant a competing event"}  # fmt: skip


def cohort_of(folder, people, responses, therapies):
    ids = [line.split(",")[0] for line in people]
    visits = [(p, r.split()[i : i + 2]) for p, r in responses.items() for i in range(0, len(r.split()), 2)]
    given = [t.split() for t in therapies.split(",") if t]
    return read(
        folder,
        patients="patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},CLL" for p in people),
        infusions=INFUSIONS + "\n".join(f"{i},1,0,2e6,Cy/Flu\n{i},2,100,2e7,Cy/Flu" for i in ids),
        responses="patient_id,day,response\n" + "\n".join(f"{p},{100 + int(d)},{r}" for p, (d, r) in visits),
        therapies="patient_id,day,therapy,kind\n" + "\n".join(f"{p},{100 + int(d)},x,{k}" for p, d, k in given),
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    cohort = cohort_of(tmp_path_factory.mktemp("rules"), PEOPLE, RESPONSES, THERAPIES)
    return Study(cohort, plain(Plan.built_in()))


@pytest.fixture(scope="module")
def records(study):
    return side_by_side(study._inputs())


def of(records, endpoint, rule, statistic):
    return next(e for e in records if (e.endpoint, e.group, e.statistic) == (endpoint, rule, statistic))


@pytest.mark.parametrize("case", GOLDEN["rules"], ids=lambda c: f"{c['endpoint']} {c['rule']}")
def test_times_are_those_by_hand(case, study):
    """Whoever has no response has no duration of it; the times of R's script are derived by hand."""
    rules, cohort = study.plan.rules, study.cohort
    variant = next(v for v in rule_variants(rules, 180) if v.name == RULES[case["rule"]])
    grafts = transplanted(cohort, 2, rules=rules)
    (own,) = outcomes(cohort, study.data, [variant], index=2, rules=rules, grafts=grafts)
    end = own.endpoints[case["endpoint"]]
    status = end.event + (0 if end.competing is None else 2 * end.competing)
    assert end.time[end.known].tolist() == case["time"]
    assert status[end.known].tolist() == case["status"]


@pytest.mark.parametrize("case", GOLDEN["rules"], ids=lambda c: f"{c['endpoint']} {c['rule']}")
def test_medians_are_those_of_r(case, records):
    record = of(records, case["endpoint"], RULES[case["rule"]], "median")
    assert [record.estimate, record.lower, record.upper] == pytest.approx(case["median"])
    assert (record.n, record.events) == (len(case["time"]), case["status"].count(1))


def test_depth_and_duration_of_response_are_those_of_r(study):
    plan = study.plan.replace(rules={"depth": "derived"})
    findings = Study(study.cohort, plan).only("response", "survival")
    every = [e for e in findings.estimates if (e.population, e.group) == ("all", None)]
    for case in GOLDEN["depth"]:
        end = Study(study.cohort, plan).data.endpoint(case["endpoint"])
        assert (end.time[end.known].tolist(), end.event[end.known].tolist()) == (case["time"], case["status"])
        curve = findings.curves[case["endpoint"], "all", None]
        assert median(curve, 0.95, end.name, population="all", group=None).estimate == case["median"][0]
    (share,) = [e for e in every if (e.endpoint, e.statistic) == ("confirmed_response", "proportion")]
    assert [share.events, share.n, share.lower, share.upper] == pytest.approx(GOLDEN["confirmed"])


def test_patients_who_differ_and_proportions_by_hand(records):
    assert [of(records, "pfs", rule, "changed").estimate for rule in RULES.values()] == [0, 5, 2, 2, 3]
    assert [of(records, "dor", rule, "changed").estimate for rule in RULES.values()] == [0, 2, 1, 2, 1]
    assert [(e.group, e.events, e.n) for e in records if e.statistic == "proportion"] == [
        ("patients not assessed are non-responders", 5, 11), ("only patients who were assessed", 5, 10),
        ("confirmed at least 28 days later", 2, 11),
        ("assessments after a transplant count", 6, 11)]  # fmt: skip
    assert of(records, "pfs", RULES["FDA"], "median").note.startswith(OF_PLAN)
    assert not any(e.statistic.endswith("ratio") and e.endpoint == "efs" for e in records)


def test_a_plan_with_another_rule_stands_first(study):
    plan = study.plan.replace(rules={"max_gap_days": 90, "transplant_is_new_therapy": False})
    records = [e for e in side_by_side(Study(study.cohort, plan)._inputs()) if e.statistic == "median"]
    assert next(e.group for e in records if e.endpoint == "pfs") == OF_PLAN
    assert "FDA, event more than 90 days after the last visit censored there" in {e.group for e in records}
    ema = study.plan.replace(rules={"censor_at_new_therapy": False})
    records = [e for e in side_by_side(Study(study.cohort, ema)._inputs()) if e.statistic == "median"]
    planned = {e.endpoint: e.group for e in records if (e.note or "").startswith(OF_PLAN)}
    assert planned == {"pfs": RULES["EMA"], "dor": RULES["FDA"]}


def test_what_the_data_do_not_hold_is_left_out_by_name(tmp_path):
    alone = cohort_of(tmp_path, PEOPLE, RESPONSES, "B 60 anticancer")
    records = side_by_side(Study(alone, plain(Plan.built_in()))._inputs())
    assert [(e.group, e.note) for e in records if e.statistic == "not_compared"] == [
        ("transplant", "no patient had one after the index infusion")]  # fmt: skip
    assert not any("transplant" in str(e.group) for e in records if e.statistic == "median")
    fewer = Plan.built_in().replace(estimands={"compare": ["new therapy"]}, analyses=plain(Plan.built_in()).analyses)
    assert {e.group for e in side_by_side(Study(alone, fewer)._inputs()) if e.endpoint == "pfs"} == {
        RULES["FDA"], RULES["EMA"]}  # fmt: skip


def test_a_wide_sheet_says_why_there_is_none(tmp_path):
    sheet = write_sheet(tmp_path, "patient_id,pfs_days,pfs_event\nA,10,1\nB,20,0\nC,30,1")
    only = plain(Plan.built_in()).analyses.model_copy(update={"endpoint_rules": True})
    findings = Study(read_cohort(sheet), Plan.built_in().replace(analyses=only)).run()
    (text,) = [w["text"] for w in findings.warnings if w["text"].startswith("Endpoint rules")]
    assert "a wide sheet's times are derived already" in text


@pytest.mark.parametrize("settings", [{"compare": ["visits"]}, {"compare": ["transplant"] * 2},
                                      {"missed_visits_days": 0}])  # fmt: skip
def test_what_cannot_be_compared_is_refused(settings):
    with pytest.raises(PlanRefused):
        Plan.of({"estimands": settings})


def test_the_plans_rule_gives_the_effect_of_the_model(quick_findings):
    own = [e for e in quick_findings.estimates if e.analysis == "endpoint_rules" and e.statistic.endswith("_ratio")]
    planned = [e for e in own if e.group == RULES["FDA"] and e.endpoint == "pfs"]
    model = [e for e in quick_findings.estimates if (e.analysis, e.endpoint, e.term, e.model)
             == ("association", "pfs", "cart1_cy_flu", "multivariable")]  # fmt: skip
    assert [(e.estimate, e.lower, e.upper, e.p_value) for e in planned] == [
        (e.estimate, e.lower, e.upper, e.p_value) for e in model]  # fmt: skip


def test_a_conclusion_that_depends_on_the_rule_is_told(quick_findings):
    texts = list(conclusions(StudyTables(quick_findings)))
    assert texts[1] == ("Cy-Flu before CART1 and progression-free survival: by all 5 rules the same direction and side "
                        "of p = 0.05. At most 3 of 44 patients' outcomes differ.")  # fmt: skip

    def changed(e, **values):
        here = (e.analysis, e.endpoint, e.group) == ("endpoint_rules", "pfs", RULES["EMA"])
        return replace(e, **values) if here and e.statistic == "hazard_ratio" else e

    for values, words in (({"p_value": 0.06}, "moves across p = 0.05: "), ({"estimate": 1.2}, "points the other way: "),
                          ({"estimate": None, "p_value": None}, "not estimable: ")):  # fmt: skip
        own = replace(quick_findings, estimates=tuple(changed(e, **values) for e in quick_findings.estimates))
        text = list(conclusions(StudyTables(own)))[1]
        assert f"progression-free survival depends on the rule: {words}{RULES['EMA']}. At most 3 of 44" in text


BASE = {"people": "P,1000,1000", "responses": {"P": "30 CR 150 PD"}}
EVENTS = {"New therapy": "P 60 anticancer", "Transplant": "P 60 allo-HCT"}
WAYS = [{}, {"censor_at_new_therapy": False}, {"censor_dor_at_new_therapy": False},
        {"transplant_is_new_therapy": False}, {"efs": "index day"}, {"depth": "derived"}]  # fmt: skip


@pytest.mark.parametrize("rules", WAYS, ids=str)
@pytest.mark.parametrize("event", EVENTS)
def test_the_strategy_of_an_estimand_is_what_the_derivation_does(rules, event, tmp_path):
    """A patient in response, with the event on day 60, then progression on day 150 and death: with and without it."""
    rows = [derive(cohort_of(tmp_path, [BASE["people"]], BASE["responses"], given), 2, rules=Rules(**rules))
            for given in ("", EVENTS[event])]  # fmt: skip
    without, having = (row.row(0, named=True) for row in rows)
    place, tested = INTERCURRENT.index(event), 0
    for one in estimands(Rules(**rules)):
        if ENDPOINTS[one.name].kind != "time" or ENDPOINTS[one.name].table == "mrd":  # the patient has no MRD test
            continue
        strategy = one.strategies[place].rpartition(", then ")[2]  # the patient had responded
        days, flag = ENDPOINTS[one.name].columns
        outcome = (having[days], having[flag])
        day = 60 - (30 if one.name in ("dor", "docr") else 0)
        expected = {
            POLICY: (without[days], without[flag]),
            WHILE_ON: (without[days], without[flag]),
            COMPOSITE: (day, "yes"),
            CENSORED: (day - 30, "no"),
        }
        assert outcome == expected[strategy], (one.name, strategy)
        tested += 1
    assert tested >= 6


def test_death_is_what_the_estimand_says(tmp_path):
    """Death on day 200 without progression: an event of all but relapse, whose competing event it is."""
    row = derive(cohort_of(tmp_path, ["P,300,300"], {"P": "30 PR"}, ""), 2, rules=Rules()).row(0, named=True)
    says = {e.name: e.strategies[INTERCURRENT.index("Death")] for e in estimands(Rules())}
    assert says == {"response": "composite (no response)", "cr": "composite (no response)",
                    "umrd_day28": "not evaluated", "pfs": "composite", "os": "the event", "dor": "composite",
                    "ttnt": "composite", "relapse": "competing event", "nrm": "the event"}  # fmt: skip
    events = {name: row[f"{name}_event"] for name in says if ENDPOINTS[name].kind == "time"}
    assert events == dict.fromkeys(events, "yes") | {"relapse": "no"}
    assert np.isfinite(row["pfs_days"])
