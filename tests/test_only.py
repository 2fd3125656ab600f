"""`analyze --only`: the named analyses and parts alone, the same numbers, and it says that there is more."""

from __future__ import annotations

import json
import sys

import polars as pl
import pytest

from helpers import write_folder
from outputs import MANIFEST
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses.published_synthesis import POSITION
from reinfuse.analyses.registry import modules
from reinfuse.cli import main as cli
from reinfuse.data import DEMO, datasets
from reinfuse.exceptions import RequestRefused
from reinfuse.output import Destination
from reinfuse.plan.options import Analyses
from reinfuse.report.export.results_folder import PARTS, briefs
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.catalog_patients import patient_figures
from reinfuse.report.sections.contents import documents
from reinfuse.study.results import analyze
from reinfuse.study.selection import Selection, selectable, selection
from test_cli import GOOD

FEW = Plan.built_in().model_copy(update={"analyses": Analyses(draws=99, bootstraps=20, imputations=2, power=0)})
ALWAYS = {"findings.json", "estimates.csv", "curves.csv", "patients.csv", MANIFEST}
DOCUMENTS = {f"{name}.{kind}" for name in ("report", "supplement") for kind in ("html", "docx", "pdf")}


@pytest.fixture(scope="module")
def whole():
    """Return all estimates of the demo with few draws."""
    return Study(read_cohort(datasets()[DEMO].path), FEW).run().to_frame()


def names_of(folder):
    return {path.name for path in folder.iterdir()}


def written(tmp_path, *only):
    """Return findings, folder and manifest of a part of the demo."""
    out = tmp_path / "out"
    findings = analyze(datasets()[DEMO].path, FEW, place=Destination(out), only=only).findings
    return findings, out, json.loads((out / MANIFEST).read_text(encoding="utf-8"))


def test_every_analysis_of_a_study_and_every_part_can_be_named():
    assert set(selectable()) == {n for n, a in modules().items() if not a.sampled and n != "flow"} | set(PARTS)
    assert not set(modules()) & set(PARTS)
    assert selection((), FEW) == Selection()
    assert selection(("brief", "brief"), FEW) == Selection(("brief",), (), ("brief",))
    chosen = selection(("survival", "figures", "rmst"), FEW.model_copy(update={"analyses": Analyses(rmst=True)}))
    assert chosen.analyses == ("flow", "survival", "restricted mean survival time")
    assert chosen.parts == ("figures",)
    assert selection(("survival",), FEW).parts == ("report", "supplement", "figures")


def test_what_is_no_name_and_what_the_plan_switches_off_is_refused_at_once():
    with pytest.raises(RequestRefused) as refused:
        selection(("survivl", "power", "rmst", "population_model", "hierarchy"), FEW)
    told = {p.value: f"{p.rule}; {p.remedy}" for p in refused.value.problems}
    assert (
        "is no analysis and no part of the results; did you mean survival? use: baseline, response," in told["survivl"]
    )
    assert told["power"] == "is switched off by the plan; set power under [analyses]"
    assert told["rmst"] == "is switched off by the plan; set rmst under [analyses]"
    assert "is no analysis" in told["population_model"]
    assert told["hierarchy"] == (
        "is not asked for: no primary or secondary hypothesis in the plan; "
        "add [hierarchy] to the plan, as docs/plan.md shows"
    )


def test_named_analyses_alone_with_the_numbers_of_the_whole(whole, tmp_path):
    findings, out, manifest = written(tmp_path, "association", "toxicity")
    alone = pl.read_csv(out / "estimates.csv", infer_schema_length=None)
    assert set(alone["analysis"]) == {"flow", "association", "toxicity"}
    wanted = whole.filter(pl.col("analysis").is_in(["flow", "association", "toxicity"]))
    assert findings.to_frame().equals(wanted)
    assert manifest["only"] == ["association", "toxicity"]
    assert names_of(out) == ALWAYS | DOCUMENTS | {"figures", "references.bib"}
    told = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert told["provenance"]["only"] == ["flow", "associations", "toxicity"]
    assert len(told["estimates"]) == alone.height
    for name in ("report.html", "supplement.html"):
        page = (out / name).read_text(encoding="utf-8")
        assert "Part of an analysis. Nothing was estimated but: flow, associations, toxicity." in page
    assert "All other analyses: not run: asked for were flow, associations, toxicity alone" in page
    figures = {path.stem for path in (out / "figures").glob("*.svg")}
    assert any(name.startswith("forest_") for name in figures)
    assert not any(name.startswith("km_") for name in figures)


def test_what_needs_others_has_their_numbers_and_leaves_them_out(whole, tmp_path):
    findings, _, _ = written(tmp_path, "sensitivity", "figures")
    assert set(findings.to_frame()["analysis"]) == {"flow", "sensitivity"}
    assert findings.to_frame().equals(whole.filter(pl.col("analysis").is_in(["flow", "sensitivity"])))


@pytest.mark.parametrize(("only", "names"), [
    (("brief",), {"brief.html", "brief.pdf"}),
    (("figures", "survival"), {"figures"}),
    (("report", "response"), {"report.html", "report.docx", "report.pdf", "references.bib"}),
])  # fmt: skip
def test_named_parts_alone(tmp_path, only, names):
    cohort, plain = write_folder(tmp_path, **GOOD), Plan.built_in().model_copy(update={"analyses": Analyses.none()})
    results = analyze(cohort, plain, place=Destination(tmp_path / "out"), only=only)
    assert results.failures == ()
    assert names_of(tmp_path / "out") == ALWAYS | names


@pytest.fixture(scope="module")
def study():
    settings = Analyses(draws=99, bootstraps=10, imputations=2, power=20, rmst=True, bayesian=True,
                        centres={"column": "histology"})  # fmt: skip
    return Study(read_cohort(datasets()[DEMO].path), FEW.model_copy(update={"analyses": settings}))


ALONE = [name for name in selectable() if name not in (*PARTS, "sensitivity", "hierarchy")]  # those take all others


@pytest.fixture(scope="module")
def of_patients(study):
    """Return the figures of single patients, drawn once: they are the study's, whatever was estimated."""
    findings = study.run(only=("flow",))
    names = {name for _, name, _ in patient_figures(findings, None)}
    return {name: draw() for _, name, draw in figures(findings) if name in names}


@pytest.mark.parametrize("name", ALONE)
def test_the_documents_of_each_analysis_alone_hold_together(study, of_patients, name):
    """Under test a section or figure that fails for want of another analysis is an error."""
    findings = study.run(only=selection((name,), study.plan).analyses)
    beside = {POSITION} if name == "published_studies" else set()  # the cohort's place, which is not shared
    assert {e.analysis for e in findings.estimates} == {"flow", modules()[name].records} | beside
    own = () if name in ("survival", "association") else figures(findings)  # these are drawn often enough
    drawn = [(section, of_patients[figure] if figure in of_patients else draw()) for section, figure, draw in own]
    by_name = documents(findings, [(section, one) for section, one in drawn if one is not None])
    assert all("Nothing was estimated but: flow" in " ".join(one.banners) for one in by_name.values())
    assert briefs(findings).keys() == {"brief"}


def test_the_command_names_what_it_wrote_and_refuses_the_rest(tmp_path, monkeypatch, capsys):
    cohort = write_folder(tmp_path, **GOOD)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["reinfuse", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as ended:
            return ended.code or 0, *capsys.readouterr()
        return 0, *capsys.readouterr()

    status, output, errors = run("analyze", cohort, "--only", "toxicty", "--out", tmp_path / "out")
    assert (status, output) == (2, "")
    assert "did you mean toxicity?" in errors
    assert not (tmp_path / "out").exists()
    status, output, _ = run("analyze", cohort, "--only", "response", "--only", "report", "--out", tmp_path / "out")
    assert status == 0
    assert "Report: " in output
    assert "brief" not in output
    assert "Supplement" not in output
