"""The main results are told while the other analyses go on: the same numbers, without how certain they are."""

from __future__ import annotations

import re
import sys

import pytest

from helpers import write_folder
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses.registry import analysis_of, modules
from reinfuse.cli import main as cli
from reinfuse.plan.options import Analyses
from reinfuse.report.sections.key_findings import KeyFindings, first_findings
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import with_own_labels
from reinfuse.study.results import analyze
from test_cli import GOOD

FEW = Plan.built_in().model_copy(update={"analyses": Analyses(draws=99, bootstraps=10, imputations=2, power=20)})


def test_they_come_before_all_other_analyses_and_once(tmp_path):
    order, told = [], []

    def progress(name, finished, total):
        order.append(name)
        assert 0 <= finished <= total

    study = Study(read_cohort(write_folder(tmp_path, **GOOD)), FEW)
    findings = study.run(progress, first=lambda early: (told.append(early), order.append("told")))
    at = order.index("told")
    assert order.count("told") == 1
    first = {analysis_of(name).name for name in order[:at]}
    assert first == {a.name for a in modules().values() if a.first}
    assert not first & {analysis_of(name).name for name in order[at + 1 :] if name != "done"}
    early = told[0].estimates
    assert [e for e in findings.estimates if e in set(early)] == list(early)
    assert len(early) < len(findings.estimates)
    assert study.run().to_frame().equals(findings.to_frame())


def test_they_are_the_key_findings_without_how_certain_they_are(demo_findings):
    early = first_findings(demo_findings)
    with printed_as(demo_findings.plan.report):
        whole = dict(KeyFindings(StudyTables(with_own_labels(demo_findings))).statements())
    assert [head for head, _ in early] == [head for head in whole if head in dict(early)]
    assert all(whole[head] == text for head, text in early)
    assert whole.keys() - dict(early) == {"Question", "Power", "Single patients", "Confounding", "Multiplicity"}


def test_the_words_of_the_early_findings_lack_only_the_simulation(demo_findings):
    told = []
    study = Study(demo_findings.cohort, FEW)
    late = study.run(first=lambda early: told.extend(first_findings(early)))
    without = [
        (head, re.sub(r"; by simulation [^;]*;? ?[^;]*(?=; n = )", "", text)) for head, text in first_findings(late)
    ]
    assert told == without


def test_words_alone_leave_the_service_layer(tmp_path):
    from reinfuse.output import Destination

    told = []
    cohort = write_folder(tmp_path, **GOOD)
    analyze(cohort, FEW, place=Destination(tmp_path / "out"), only=["toxicity", "brief"], first=told.append)
    assert told == []  # a part has no key findings


@pytest.mark.parametrize(("option", "shown"), [("", True), ("--quiet", False), ("--json", False)])
def test_the_command_prints_them_before_it_says_where_the_report_is(tmp_path, monkeypatch, capsys, option, shown):
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[analyses]\ncalibrated = "none"\npermutation = false\nbootstraps = 0\npower = 0\nimputations = 0\n'
    )
    cohort, out = write_folder(tmp_path, **GOOD), tmp_path / "out"
    words = ["reinfuse", "analyze", cohort, "--plan", plan, "--out", out, *([option] if option else [])]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    with pytest.raises(SystemExit):
        cli.main()
    output = capsys.readouterr().out
    assert ("First results" in output) is shown
    assert ("  Patients: 2 patients were analysed" in output) is shown
    if shown:
        assert output.index("First results") < output.index("Report: ")
