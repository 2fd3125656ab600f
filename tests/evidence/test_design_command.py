"""`reinfuse design`: what it writes, what it says, and what it refuses, all at once."""

from __future__ import annotations

import csv
import html
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from reinfuse.evidence import read_register
from reinfuse.evidence.design.dose_finding import DoseRequest, plan_dose
from reinfuse.evidence.design.precision import PrecisionRequest, plan_precision
from reinfuse.evidence.design.published_prior import published_prior
from reinfuse.evidence.design.response_rate import SingleArmRequest, TwoStageRequest, plan_single_arm
from reinfuse.evidence.design.time_to_event import LogRankRequest, plan_log_rank
from reinfuse.exceptions import RequestRefused, SourceRefused
from reinfuse.statistics import one_sample_log_rank
from reinfuse.study import design as study_design
from reinfuse.study.design import design_study, reference_curve

CURVE = "time,survival\n0,1\n3,0.8\n6,0.5\n12,0.3\n40,0.1\n"


def rules_of(refused):
    return [(p.column, p.rule) for p in refused.value.problems]


def test_simons_design_becomes_a_page_of_a_protocol(main, tmp_path):
    status, output, errors = main("design", "simon", "--p0", 0.1, "--p1", 0.3, cwd=tmp_path)
    assert (status, errors) == (0, "")
    assert "treat 10 patients; stop for futility with 1 response or fewer" in output
    folder = tmp_path / "reinfuse-design"
    assert {"protocol.html", "protocol.docx", "protocol.pdf", "rules.csv", "errors.csv", "rates.csv",
            "references.bib"} <= {p.name for p in folder.iterdir()}  # fmt: skip
    page = (folder / "protocol.html").read_text(encoding="utf-8")
    assert "Otherwise treat 29 in all; the treatment is promising with 6 responses or more" in page
    assert "Optimal two-stage designs for phase II clinical trials" in page
    with (folder / "rules.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["Optimal", "10", "≤1 of 10", "29", "≤5 of 29", "≥6 of 29"]


def test_a_page_may_be_written_again_and_no_other_folder(main, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("own")
    status, output, errors = main("design", "dose", "--out", "own", cwd=tmp_path)
    assert (status, output) == (2, "")
    assert "holds files that reinfuse did not write" in errors


def test_everything_that_is_wrong_is_said_at_once_and_nothing_written(main, tmp_path):
    status, output, _ = main("design", "simon", "--p0", 0.4, "--p1", 0.2, "--alpha", 0, "--beta", 20, "--max-n", 1,
                             "--json", cwd=tmp_path)  # fmt: skip
    problems = json.loads(output)["problems"]
    assert status == 2
    assert [p["column"] for p in problems] == ["--p1", "--alpha", "--beta", "--max-n"]
    assert problems[0]["rule"] == "is not above --p0 (0.4)"
    assert list(tmp_path.iterdir()) == []


def test_a_percentage_is_recognised_and_a_design_that_there_is_not_is_refused(main, tmp_path):
    status, _, errors = main("design", "simon", "--p0", 10, "--p1", 0.3, cwd=tmp_path)
    assert status == 2
    assert "write 10 % as 0.1" in errors
    status, _, errors = main("design", "simon", "--p0", 0.2, "--p1", 0.25, cwd=tmp_path)
    assert status == 2
    assert "no two-stage design of 100 patients or fewer has these errors" in errors


SINGLE = SingleArmRequest(p0=0.2, p1=0.4, n=20)


@pytest.mark.parametrize(("changes", "column"), [
    ({"prior": "Gamma(1, 2)"}, "--prior"), ({"prior": "Beta(0, 2)"}, "--prior"),
    ({"prior": "0.5*Beta(1, 1) + 0.4*Beta(2, 1)"}, "--prior"), ({"robust": 1.5}, "--robust"),
    ({"looks": (10, 5)}, "--looks"), ({"looks": (20,)}, "--looks"), ({"futility": 0.5, "efficacy": 0.4},
                                                                     "--futility, --efficacy"),
    ({"n": 0}, "--n"), ({"threshold": 0.3}, "--threshold"), ({"n": 1, "threshold": 0.999}, "--n"),
])  # fmt: skip
def test_a_bayesian_study_that_cannot_be_is_refused(changes, column):
    with pytest.raises(RequestRefused) as refused:
        plan_single_arm(replace(SINGLE, **changes))
    assert [c for c, _ in rules_of(refused)] == [column]


def test_a_mixture_with_a_robust_component_is_the_prior():
    study = plan_single_arm(replace(SINGLE, prior="0.6*Beta(19, 58) + 0.4*Beta(3.5, 9.4)", robust=0.2, looks=(10,)))
    assert study.prior.weights.tolist() == pytest.approx([0.48, 0.32, 0.2])
    assert study.rule.looks == (10, 20)
    assert study.rule.success[0] == 11  # efficacy 1: never early
    assert {0.2, 0.4} <= {c.rate for c in study.characteristics}


def test_the_register_gives_a_robust_prior_and_what_is_to_be_known_of_it(main, tmp_path, monkeypatch):
    prior = published_prior(read_register(), "cr", today=date(2026, 12, 1))
    with monkeypatch.context() as patch:
        patch.setattr(study_design, "published_prior", lambda *_, **__: prior)  # computed once
        status, output, _ = main("design", "bayes", "--p0", 0.2, "--p1", 0.4, "--n", 20, "--map", "cr", cwd=tmp_path)
    assert status == 0
    assert f"mean {100 * prior.mixture.robust(weight=0.2).mean:.1f}%" in output
    page = (tmp_path / "reinfuse-design" / "protocol.html").read_text(encoding="utf-8")
    assert all(html.escape(study) in page for study in prior.studies)
    assert len(prior.cautions) > 0
    assert prior.cautions[0] in html.unescape(page)
    status, _, errors = main("design", "bayes", "--p0", 0.2, "--p1", 0.4, "--n", 20, "--map", "nonsense", cwd=tmp_path)
    assert status == 2
    assert "no comparable study of the register reports 'nonsense'" in errors


def test_a_dose_design_is_refused_with_all_its_problems():
    with pytest.raises(RequestRefused) as refused:
        plan_dose(DoseRequest(target=0.9, doses=("1",), cohort=0, scenarios=((0.3, 0.1), (0.2,))))
    assert [c for c, _ in rules_of(refused)] == ["--target", "--cohort", "--doses", "--rates"]
    with pytest.raises(RequestRefused) as refused:
        plan_dose(DoseRequest(doses=("1", "2"), scenarios=((0.3, 0.1), (0.2, 1.2), (0.1,))))
    assert len(rules_of(refused)) == 3


def test_probabilities_of_a_dose_design_sum_to_one():
    study = plan_dose(DoseRequest(doses=("1", "2", "3"), cohorts=4))
    assert len(study.scenarios) == 4
    for scenario in study.scenarios:
        assert scenario.exact.selected.sum() + scenario.exact.none == pytest.approx(1)
    assert max(study.scenarios[1].exact.selected) == study.scenarios[1].exact.selected[1]


def test_a_reference_curve_is_read_and_one_that_ends_too_early_is_refused(main, tmp_path):
    (tmp_path / "curve.csv").write_text(CURVE)
    common = ("design", "logrank", "--ratio", 0.5, "--accrual", 12, "--curve", "curve.csv")
    status, output, _ = main(*common, "--follow-up", 12, "--out", "out", cwd=tmp_path)
    assert status == 0
    assert "Without that approximation" in output
    status, _, errors = main(*common, "--follow-up", 60, "--out", "late", cwd=tmp_path)
    assert status == 2
    assert "ends at 40 months, and patients are followed for up to 72" in errors
    (tmp_path / "curve.csv").write_text(CURVE.replace("0.5", "50"))
    status, _, errors = main(*common, "--follow-up", 12, "--out", "late", cwd=tmp_path)
    assert status == 2
    assert "name the column `percent` if heights are percentages" in errors


def test_ones_own_curve_of_a_folder_of_results_is_a_reference(tmp_path):
    heads = "endpoint,population,group,n,time,survival\n"
    rows = "os,all,,9,5,0.9\nos,all,,9,50,0.6\npfs,all,,9,3,0.8\npfs,all,,9,30,0.4\n"
    (tmp_path / "curves.csv").write_text(heads + rows)
    with pytest.raises(SourceRefused) as refused:
        reference_curve(tmp_path / "curves.csv")
    assert "choose with --arm; there are: os, all; pfs, all" in refused.value.problems[0].remedy
    time, survival = reference_curve(tmp_path / "curves.csv", name="pfs, all")
    assert (time.tolist(), survival.tolist()) == ([3, 30], [0.8, 0.4])


def test_a_reference_is_given_in_one_way():
    request = LogRankRequest(ratio=0.5, accrual=12, follow_up=12)
    for changes in ({}, {"median": 6.0, "survival": 0.5, "at": 6.0}):
        with pytest.raises(RequestRefused) as refused:
            plan_log_rank(replace(request, **changes))
        assert rules_of(refused)[0][0] == "--median, --survival, --curve"
    with pytest.raises(RequestRefused) as refused:
        plan_log_rank(replace(request, ratio=1.2, survival=0.5, accrual=-1))
    assert [c for c, _ in rules_of(refused)] == ["--ratio", "--accrual", "--at"]
    same = [plan_log_rank(replace(request, median=6.0)), plan_log_rank(replace(request, survival=0.25, at=12.0))]
    assert same[0].size.n == same[1].size.n
    assert same[0].power >= 0.8
    assert same[0].fewest < same[0].size.n
    reference = one_sample_log_rank.weibull_hazard(6 / np.log(2), 1.0, until=24)
    powers = [one_sample_log_rank.probability_of_rejection(reference, 0.5, one_sample_log_rank.FollowUp(12, 12), n=n,
                                                           alpha=0.05)
              for n in (same[0].fewest - 1, same[0].fewest)]  # fmt: skip
    assert powers[0] < 0.8 <= powers[1]


def test_precision_of_a_hazard_ratio_by_hand():
    """(1.96 / log 2)^2 / 0.25 = 31.98 events; to exclude 1 with a true ratio of 1/2: half."""
    request = PrecisionRequest(measure="hazard-ratio", rates=(0.8,), factor=2.0, exclude=1.0, ratio=0.5)
    study = plan_precision(request)
    assert study.events == pytest.approx(31.98, abs=0.01)
    assert study.size.n == 40
    assert study.power == pytest.approx(0.5, abs=0.01)
    worse = plan_precision(replace(request, ratio=2.0))
    assert worse.power == pytest.approx(study.power)
    with pytest.raises(RequestRefused) as refused:
        plan_precision(PrecisionRequest(measure="odds-ratio", rates=(0.3,), factor=0.5, share=0, exclude=1.0))
    assert [c for c, _ in rules_of(refused)] == ["--rates", "--factor", "--share", "--exclude, --ratio"]
    assert np.isnan(study.size.assured)


ESTIMATES = """analysis,endpoint,statistic,group,estimate,lower,upper
virtual,given,proportion,Cy-Flu,0.9,,
virtual,response,proportion,Cy-Flu,0.4,0.2,0.5
virtual,response,proportion,Cy,0.2,,
virtual,response,risk_difference,Cy,0.2,,
"""


def test_arms_of_virtual_patients_are_scenarios(main, tmp_path):
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "estimates.csv").write_text(ESTIMATES)
    command = ("design", "simon", "--p0", 0.2, "--p1", 0.4, "--virtual", "trial")
    assert main(*command, cwd=tmp_path)[0] == 0
    with (tmp_path / "reinfuse-design" / "virtual.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["Cy-Flu", "40.0% (20.0% to 50.0%)", "80.0% (5.0% to 95.3%)", "80.1% (4.6% to 97.3%)"]
    assert rows[2][:2] == ["Cy", "20.0% (20.0% to 20.0%)"]
    study = plan_single_arm(replace(SINGLE, virtual=tmp_path / "trial"))
    assert study.scenarios[0][1][0] == pytest.approx(0.584107, abs=1e-6)
    for content, rule in (("a,b\n1,2\n", "holds no results of a virtual trial"),
                          (ESTIMATES.replace("response", "cr"), "is no proportion of this trial")):  # fmt: skip
        (tmp_path / "trial" / "estimates.csv").write_text(content)
        status, _, errors = main(*command, "--out", "new", cwd=tmp_path)
        assert status == 2
        assert rule in errors


DOCS = Path(__file__).parents[2] / "docs" / "design-a-study.md"
BLOCKS = re.findall(r"```console\n\$ reinfuse (.*)\n((?:.*\n)+?)```", DOCS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command.split()[1] for command, _ in BLOCKS])
def test_the_commands_of_the_page_say_what_stands_under_them(command, shown):
    given = design_study(REQUESTS[command.split()[1]](**_options(command)))
    assert list(given.sentences[: len(shown.splitlines())]) == shown.splitlines()


REQUESTS = {"simon": TwoStageRequest, "bayes": SingleArmRequest, "dose": DoseRequest, "logrank": LogRankRequest,
            "precision": PrecisionRequest}  # fmt: skip


def _options(command):
    """Return the options of a command as a request has them."""
    words = command.split()[2:]
    pairs = {
        name.removeprefix("--").replace("-", "_"): value for name, value in zip(words[::2], words[1::2], strict=True)
    }
    names = {"of": "measure"}
    tuples = {"doses": lambda v: tuple(v.split(",")), "looks": lambda v: tuple(map(int, v.split(","))),
              "rates": lambda v: tuple(map(float, v.split(","))), "n": int, "of": str}  # fmt: skip
    return {names.get(name, name): tuples.get(name, float)(value) for name, value in pairs.items()}
