"""One failed analysis, figure or section costs itself alone, and the report says so."""

import json
import re

import pytest

from cohorts import EIGHT
from helpers import plain, quick, read
from reinfuse import Plan, Study, save
from reinfuse.analyses import association
from reinfuse.analyses.registry import analyses, analysis_of
from reinfuse.cli.main import main
from reinfuse.exceptions import CohortRefused
from reinfuse.plan.options import Analyses
from reinfuse.report.analyses import best_responses
from reinfuse.report.export import pictures, results_folder
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.runtime.boundary import STRICT, Boundary, failed, fault


def _fails(*_, **__):
    raise ZeroDivisionError("patient P3 has 98765 days")


@pytest.fixture
def lenient(monkeypatch):
    monkeypatch.delenv(STRICT)


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    return Study(read(tmp_path_factory.mktemp("eight"), **EIGHT), plain(Plan.built_in()))


def test_a_failed_analysis_figure_and_section_are_noted_and_the_rest_is_there(eight, lenient, monkeypatch, tmp_path):
    monkeypatch.setattr(association, "associations", _fails)
    monkeypatch.setattr(best_responses, "_responses", _fails)
    monkeypatch.setattr(ProtocolTables, "toxicity", _fails)
    findings = eight.run()
    out = save(findings, tmp_path / "out")
    told = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    noted = [w for w in told["warnings"] if w["about"] == "failed"]
    assert {w["section"] for w in noted} == {"associations", "response", "toxicity", "kinetics"}
    assert any(w["text"].startswith("Associations, Overall response: failed") for w in noted)
    assert any(w["text"].startswith("Figure response_best: failed") for w in noted)
    assert any(w["text"].startswith("Section Toxicity: failed") for w in noted)
    assert all("P3" not in w["text"] and "ZeroDivisionError" in w["text"] for w in noted)
    for name in ("report", "supplement"):
        page = (out / f"{name}.html").read_text(encoding="utf-8")
        assert all(w["text"].replace("'", "&#39;") in page or w["text"] in page for w in noted)
        assert "98765" not in page
        assert (out / f"{name}.pdf").is_file()
        assert (out / f"{name}.docx").is_file()
    assert any(e["analysis"] == "survival" for e in told["estimates"])


def test_under_test_a_failure_is_an_error(eight, monkeypatch):
    monkeypatch.setattr(association, "associations", _fails)
    with pytest.raises(ZeroDivisionError):
        eight.run()


def test_refusals_and_interruptions_pass(lenient):
    for kind in (CohortRefused([]), KeyboardInterrupt()):
        with pytest.raises(type(kind)):
            Boundary().attempt("anything", "sure", lambda kind=kind: (_ for _ in ()).throw(kind), otherwise=None)


def test_a_fault_names_its_place_in_this_package_alone():
    with pytest.raises(AttributeError) as caught:
        association.associations(None, [None], "univariable", confidence=0.95)
    assert re.fullmatch(r"AttributeError in analyses/design_matrix\.py, line \d+", fault(caught.value))


def test_every_analysis_that_is_not_run_says_so(eight):
    plan = Plan.built_in().model_copy(update={"analyses": Analyses.none(), "landmarks": (), "time_dependent": ()})
    findings = Study(eight.cohort, plan).run()
    said = [w["text"] for w in findings.warnings if w["about"] == "not run"]
    for analysis in analyses():
        if analysis.switches:
            [text] = [t for t in said if t.lower().startswith(f"{analysis.name}:")]
            assert "switched off by the plan (analyses." in text
    assert "Landmark: not run: no planned landmark with its endpoint in the data" in said


def test_every_step_belongs_to_a_known_analysis(eight):
    names = []
    quickly = Study(eight.cohort, quick(Plan.built_in(), draws=19, bootstraps=2))
    quickly.run(lambda name, done, total: names.append(name))
    known = {a.name for a in analyses()}
    assert {analysis_of(n).name for n in names if n != "done"} <= known
    assert len(names) > 30


def test_a_document_or_picture_that_fails_costs_itself_alone(eight, lenient, monkeypatch, tmp_path):
    pixels = pictures.png
    monkeypatch.setattr(results_folder, "word", _fails)
    monkeypatch.setattr(pictures, "png", lambda svg: _fails() if b"Best response" in svg else pixels(svg))
    boundary = Boundary()
    out = results_folder.write(eight.run(), tmp_path / "out", progress=None, boundary=boundary)
    texts = failed(boundary.warnings)
    assert any(t.startswith("report.docx: failed") for t in texts)
    assert any(t.startswith("Figure response_best: failed") for t in texts)
    assert not (out / "report.docx").exists()
    assert not (out / "figures" / "response_best.svg").exists()
    assert (out / "report.pdf").is_file()
    assert (out / "report.html").is_file()
    assert failed(json.loads((out / "findings.json").read_text(encoding="utf-8"))["warnings"]) == texts


def test_the_command_line_says_what_failed(lenient, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(results_folder, "word", _fails)
    monkeypatch.setattr("sys.argv", ["reinfuse", "demo", "--dataset", "sheih_2020", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "WARNING: report.docx: failed and is left out (ZeroDivisionError" in capsys.readouterr().err
