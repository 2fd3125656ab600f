"""Whole studies: every further analysis on the bundled cohort, switches, reproducibility, files, the command."""

import json
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from helpers import plain, quick, read, write_sheet
from reinfuse import Plan, Study, read_cohort, save
from reinfuse.analyses.registry import modules
from reinfuse.cohort.paired_outcomes import pairs
from reinfuse.data import DEMO, datasets
from reinfuse.plan.analysis_plan import Analyses, Landmark, Model
from reinfuse.report.document.html import html
from reinfuse.report.figures.catalog import figures
from reinfuse.report.sections.contents import documents

ALL = {"calibrated", "permutation", "averaging", "stability", "influence", "proportional", "sensitivity", "imputation",
       "competing", "landmark", "time_dependent", "standardised", "paired", "power", "published"}  # fmt: skip


def _of(findings, analysis):
    return [e for e in findings.estimates if e.analysis == analysis]


def test_the_reference_design_runs_every_analysis(demo_findings):
    ran = {e.analysis for e in demo_findings.estimates if e.estimate is not None}
    assert ran >= ALL
    for e in demo_findings.estimates:
        no_number = e.analysis in ("flow", "baseline", "toxicity") or e.statistic in ("excluded", "notice")
        assert e.n is not None or no_number, e
        no_events = e.analysis == "kinetics" or e.statistic in ("changed", "at_risk")  # nothing happens there
        assert e.events is not None or no_number or no_events, e
        assert e.method is not None or e.analysis in ("flow", "baseline"), e
        assert e.estimate is not None or e.p_value is not None or e.note, e
        if e.lower is not None and e.upper is not None and e.estimate is not None:
            assert e.lower <= e.estimate <= e.upper, e


def test_the_simulated_answer_is_of_the_same_effect(demo_findings):
    firth = {(e.endpoint, e.stratum): e for e in _of(demo_findings, "association") if e.model == "multivariable"}
    simulated = _of(demo_findings, "calibrated")
    assert len(simulated) == len(firth) == 4
    for e in simulated:
        assert e.estimate == pytest.approx(firth[e.endpoint, e.stratum].estimate, rel=1e-5)
        assert e.p_value == pytest.approx(firth[e.endpoint, e.stratum].p_value, abs=0.05)
    permuted = {
        (e.endpoint, e.stratum): e.p_value for e in _of(demo_findings, "permutation") if e.model == "multivariable"
    }
    assert permuted.keys() == firth.keys()


def test_both_infusions_of_the_bundled_cohort(demo_findings):
    both = pairs(demo_findings.cohort, 2, rules=demo_findings.plan.rules)
    later = int(((both.response[:, 0] == 0) & (both.response[:, 1] == 1)).sum())
    [test] = [e for e in _of(demo_findings, "paired") if e.statistic == "odds_ratio" and e.endpoint == "response"]
    assert f"{later} after the later infusion only" in test.note
    index = next(e for e in demo_findings.estimates if e.analysis == "response" and e.endpoint == "response"
                 and e.statistic == "proportion" and e.population == "all" and e.group is None)  # fmt: skip
    [after] = [e for e in _of(demo_findings, "paired") if e.statistic == "proportion" and e.endpoint == "response"
               and e.group == "infusion=2"]  # fmt: skip
    assert (after.n, after.events) == (index.n, index.events)


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(quick_findings):
    """Of all that is drawn at random; that the rest is the same each time, the other seed shows."""
    one, plan = quick_findings, quick_findings.plan
    cohort = read_cohort(datasets()[DEMO].path)
    drawn = {"calibrated", "permutation", "stability", "power", "standardised", "imputation", "kinetics", "mediation",
             "interaction"}  # fmt: skip
    two = Study(cohort, plan).run(only=[m.name for m in modules().values() if m.records in drawn])
    again = set(two.estimates)
    assert {e.analysis for e in again} >= drawn
    assert [e for e in one.estimates if e in again] == list(two.estimates)
    assert {e.analysis for e in one.estimates if e not in again}.isdisjoint(drawn)
    other = Study(cohort, plan.model_copy(update={"seed": 1})).run()
    for e, o in zip(one.estimates, other.estimates, strict=True):
        assert e.analysis in drawn or replace(e) == o
    assert any(e != o for e, o in zip(one.estimates, other.estimates, strict=True))


def test_a_step_does_not_depend_on_those_before_it(quick_findings):
    plan, cohort = quick_findings.plan, read_cohort(datasets()[DEMO].path)
    alone = plan.model_copy(update={"analyses": plain(plan).analyses.model_copy(update={"power": 20})})
    assert _of(quick_findings, "power") == _of(Study(cohort, alone).run(only=("flow", "power")), "power")


def test_switched_off_analyses_are_not_there(tmp_path):
    off = Analyses(
        calibrated="none",
        permutation=False,
        averaging=False,
        bootstraps=0,
        influence=False,
        proportional_hazards=False,
        sensitivity=False,
        imputations=0,
        competing=False,
        paired=False,
        power=0,
        kinetics=False,
        endpoint_rules=False,
        evidence=False,
    )
    plan = Plan.built_in().model_copy(update={"analyses": off, "landmarks": (), "time_dependent": ()})
    findings = Study(read_cohort(datasets()[DEMO].path), plan).run()
    kept = {e.analysis for e in findings.estimates}
    described = {"flow", "baseline", "response", "survival", "competing", "toxicity"}
    assert kept == {*described, "association", "global_test", "spline", "interaction"}  # of the plan's factors, models
    page = (save(findings, tmp_path / "out") / "supplement.html").read_text(encoding="utf-8")
    assert re.findall('id="(sure_\\w+?)(?:-title)?"', page) == ["sure_estimands"] * 2
    assert "P-values were not adjusted for multiple testing" in page


def test_a_missing_factor_is_imputed_beside_the_complete_cases(demo_findings):
    [e] = [e for e in _of(demo_findings, "imputation") if e.endpoint == "response" and e.term == "cart1_cy_flu"]
    [c] = [e for e in _of(demo_findings, "association") if e.endpoint == "response" and e.term == "cart1_cy_flu"
           and e.model == "multivariable"]  # fmt: skip
    assert (e.n, c.n) == (44, 43)
    assert e.estimate == pytest.approx(c.estimate, rel=0.5)


LATE = """patient_id,os_days,os_event,pfs_days,pfs_event,seen_from,peak,response,response_day
          A,100,1,60,1,0,5,PR,20
          B,200,1,90,1,30,9,PD,
          C,300,0,250,1,10,20,CR,25
          D,400,1,350,0,50,30,CR,40
          E,20,1,15,1,0,3,,
          F,500,0,450,0,100,40,PR,28
          G,150,1,80,1,0,2,SD,
          H,260,1,120,1,20,11,PR,35"""


def test_a_wide_sheet_with_days_has_landmarks_and_late_entry(tmp_path):
    plan = Plan.of(
        {
            "index_infusion": 1,
            "factors": [{"name": "peak", "column": "peak", "known_at": 28}],
            "endpoints": [{"name": "late", "time": "os_days", "event": "os_event", "entry": "seen_from"}],
            "landmarks": [{"factor": "peak"}, {"factor": "response", "day": 30}],
            "analyses": {"draws": 99, "bootstraps": 0},
        }
    )
    path = write_sheet(tmp_path, LATE)
    findings = Study(read_cohort(path, plan.columns, used=plan.used_columns), plan).run()
    marks = {(e.endpoint, e.term, e.at): e for e in _of(findings, "landmark") if e.statistic == "hazard_ratio"}
    assert marks["os", "peak", 42].n == 7  # the default day; known on day 28
    assert marks["os", "response", 30].n == 7
    [waiting] = _of(findings, "time_dependent")
    assert (waiting.endpoint, waiting.n) == ("os", 8)
    at_risk = {e.at: e.estimate for e in _of(findings, "survival") if e.endpoint == "late" and e.statistic == "at_risk"}
    assert at_risk[0.0] == 3
    assert "peak" not in {f.name for f in findings.data.factors}
    assert (save(findings, tmp_path / "out") / "report.html").is_file()


def test_entry_after_the_end_is_refused(tmp_path):
    from reinfuse.exceptions import PlanRefused

    plan = Plan.of(
        {
            "index_infusion": 1,
            "factors": [],
            "endpoints": [{"name": "late", "time": "pfs_days", "event": "pfs_event", "entry": "os_days"}],
        }
    )
    path = write_sheet(tmp_path, LATE)
    with pytest.raises(PlanRefused) as refused:
        Study(read_cohort(path, plan.columns, used=plan.used_columns), plan)
    assert [p.rule for p in refused.value.problems] == ["endpoint late needs an entry before the time in every row"]


def test_tiny_cohorts_go_through_every_analysis(tmp_path):
    """Two and three patients: every record has a number or a reason, and the report is made."""
    tables = {
        "patients": "patient_id,last_contact,death,diagnosis\nA,300,,CLL\nB,90,90,NHL\nC,200,,CLL",
        "infusions": "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,2e6,Cy\nA,2,60,2e7,Cy/Flu\n"
                     "B,1,0,2e6,Cy/Flu\nB,2,50,2e6,Cy/Flu\nC,1,0,2e6,Cy\nC,2,40,4e6,Cy",
        "responses": "patient_id,day,response\nA,30,PD\nA,90,CR\nB,20,PD\nB,70,PD\nC,30,SD\nC,70,PR",
    }  # fmt: skip
    for people in ("AB", "ABC"):
        kept = {name: "\n".join(line for i, line in enumerate(text.splitlines()) if not i or line[0] in people)
                for name, text in tables.items()}  # fmt: skip
        findings = Study(read(tmp_path, **kept), quick(Plan.built_in())).run()
        for e in findings.estimates:
            assert e.estimate is not None or e.p_value is not None or e.note, e
        drawn = [(section, draw()) for section, _, draw in figures(findings)]
        written = documents(findings, [(section, one) for section, one in drawn if one is not None])
        assert all(html(one) for one in written.values())
    assert (save(findings, tmp_path / people) / "report.html").is_file()


def test_power_on_the_command_line(tmp_path, capsys, monkeypatch):
    from reinfuse.cli import main as cli

    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[[factors]]\nname = "cart1_cy_flu"\n[[models]]\nendpoint = "response"\nfactors = ["cart1_cy_flu"]\n'
    )
    monkeypatch.setattr(
        "sys.argv",
        [
            "reinfuse",
            "power",
            str(datasets()[DEMO].path),
            "--plan",
            str(plan),
            "--draws",
            "40",
            "--out",
            str(tmp_path / "out"),
        ],
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "Power and smallest detectable ratio" in said
    table = pl.read_csv(tmp_path / "out" / "power.csv")
    assert set(table["analysis"]) == {"power"}
    assert {"power", "type_1_error", "coverage", "detectable_ratio"} == set(table["statistic"])
    assert (tmp_path / "out" / "figures" / "power_response.svg").is_file()


def test_a_plan_of_another_factor_and_landmark_is_carried_out():
    plan = Plan.built_in().model_copy(update={
        "models": (Model(endpoint="os", factors=("cart1_cy_flu", "age_years")),),
        "landmarks": (Landmark(factor="bulky", day=60, endpoints=("os",), adjust=("age_years",)),),
    })  # fmt: skip
    only = ("associations", "simulated intervals", "landmark")
    findings = Study(read_cohort(datasets()[DEMO].path), quick(plan)).run(only=only)
    marks = [e for e in _of(findings, "landmark") if e.statistic == "hazard_ratio"]
    assert [e.term for e in marks] == ["bulky", "age_years"]
    assert {e.at for e in marks} == {60}
    assert {e.endpoint for e in _of(findings, "calibrated")} == {"os"}


def test_findings_hold_no_number_that_json_does_not(demo_report):
    told = json.loads((demo_report / "findings.json").read_text(encoding="utf-8"))
    values = [e[k] for e in told["estimates"] for k in ("estimate", "lower", "upper", "p_value") if e[k] is not None]
    assert np.isfinite(values).all()
    assert all(0 <= e["p_value"] <= 1 for e in told["estimates"] if e["p_value"] is not None)


def test_where_the_methods_disagree_the_report_says_so(tmp_path):
    """Real patients: a factor that the two likelihood tests find and permutation, given the dose, does not."""
    bundled = datasets()["sheih_2020"]
    findings = Study(
        read_cohort(bundled.path, bundled.plan.columns, used=bundled.plan.used_columns), bundled.plan
    ).run()
    page = (save(findings, tmp_path / "out") / "supplement.html").read_text(encoding="utf-8")
    assert "The methods disagree on: Cy-Flu before CART1 and progression-free survival" in page
    p = {e.analysis: e.p_value for e in findings.estimates if e.model == "multivariable" and e.endpoint == "pfs"
         and e.term == "cart1_cy_flu" and e.analysis in ("calibrated", "permutation")}  # fmt: skip
    assert p["calibrated"] < 0.05 < p["permutation"]
