"""The report of the synthetic cohort, read back."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from helpers import read
from pages import Page
from reinfuse import Plan, Study, main_tables, save
from reinfuse.analyses.paired import WORTH
from reinfuse.exceptions import CohortRefused, OutputRefused
from reinfuse.plan.options import Analyses
from reinfuse.report.figures import theme
from reinfuse.report.text import number_format
from reinfuse.report.text.narrative import Prose
from reinfuse.results.curves import CURVE_POINTS
from reinfuse.results.estimate import FIELDS
from reinfuse.results.findings import Findings
from test_cli import GOOD

PREDICTIVE = ("c_index", "c_index_corrected", "calibration_slope_corrected")
"""Statistics that are no ratio and are told like one, with an interval."""


@pytest.fixture(scope="module", params=["report", "supplement"])
def page(request, demo_report):
    return Page((demo_report / f"{request.param}.html").read_text(encoding="utf-8"))


def test_every_output_is_there(demo_report):
    assert {p.name for p in demo_report.iterdir()} == {
        "report.html", "report.docx", "report.pdf", "supplement.html", "supplement.docx", "supplement.pdf",
        "brief.html", "brief.pdf", "references.bib", "findings.json",
        "estimates.csv", "curves.csv", "patients.csv", "figures", "reinfuse.manifest.json",
    }  # fmt: skip
    names = sorted(p.name for p in (demo_report / "figures").iterdir())
    assert {n.removesuffix(".svg") for n in names if n.endswith(".svg")} == {
        n.removesuffix(".png") for n in names if n.endswith(".png")
    }
    assert {"flow.svg", "km_pfs.svg", "km_pfs_by_dose_increase.png", "forest_response.svg"} <= set(names)


def test_nothing_is_printed_that_is_no_number(page):
    words = " ".join(page.words)
    assert not re.search(r"\b(nan|inf|NaN|null)\b", words)


def test_synthetic_data_are_said_to_be_so(page, demo_findings):
    words = " ".join(page.words)
    assert "Outcome after a second CAR-T infusion (synthetic data)" in words
    assert "Synthetic data. This report includes no real patient" in words
    assert demo_findings.provenance["synthetic"] is True
    figure = theme.new(1, 2)
    theme.finish(figure, "x", "t", "a", synthetic=True)
    assert [t.get_text() for t in figure.texts] == [theme.SYNTHETIC]


def test_limits_are_said_in_the_report(demo_report):
    words = " ".join(Page((demo_report / "report.html").read_text(encoding="utf-8")).words)
    for said in ("confounding by indication", "associations, not treatment effects", "no advice on the treatment",
                 "cohort is small", "guarantee-time bias"):  # fmt: skip
        assert said in re.sub(r"\s+", " ", words)


def test_findings_json_is_the_contract(demo_report):
    told = json.loads((demo_report / "findings.json").read_text(encoding="utf-8"))
    assert set(told) == {"provenance", "flow", "estimates", "warnings", "kinetics"}
    assert all(tuple(e) == FIELDS for e in told["estimates"])
    assert [f["status"] for f in told["flow"]].count("analysed") == 44
    assert len({f["patient_id"] for f in told["flow"]}) == 44
    assert all(len(digest) == 64 for digest in told["provenance"]["inputs"].values())


def test_estimates_csv_holds_the_same_records(demo_report):
    told = json.loads((demo_report / "findings.json").read_text(encoding="utf-8"))["estimates"]
    table = pl.read_csv(demo_report / "estimates.csv", infer_schema_length=None)
    assert table.columns == list(FIELDS)
    assert table["n"].to_list() == [e["n"] for e in told]
    assert table["estimate"].cast(pl.Float64).to_list() == [e["estimate"] for e in told]


def test_every_percentage_and_ratio_of_the_report_is_a_record(demo_findings, page):
    """Every `x of n (p%)` and every ratio with its interval, in prose and tables, stands in a record."""
    words = " ".join(page.words)
    shares = set(re.findall(r"(\d+) of (\d+) \(\d+%\)", words))
    held = {(str(e.events), str(e.n)) for e in demo_findings.estimates if e.statistic == "proportion"}
    assert shares
    assert shares <= held
    ratios = set(re.findall(r"(\d+\.\d\d) \(", words))
    known = {f"{e.estimate:.2f}" for e in demo_findings.estimates if e.unit == "ratio" and e.estimate is not None}
    known |= {number_format.measured(e.estimate) for e in demo_findings.estimates if e.analysis == "kinetics"}
    known |= {
        f"{e.estimate:.2f}" for e in demo_findings.estimates if e.statistic in PREDICTIVE and e.estimate is not None
    }
    known.add(str(WORTH))  # the threshold of the growth modulation index, in a column's head
    assert ratios
    assert ratios <= known


def test_the_margins_of_the_reference_study(demo_findings):
    from reinfuse.data import DEMO, datasets

    compared = datasets()[DEMO].compare(demo_findings)
    assert len(compared) == 22
    assert [c.here for c in compared] == [pytest.approx(c.published) for c in compared]


def test_methods_name_what_was_run_and_nothing_else(demo_findings):
    prose = Prose(demo_findings)
    text = " ".join(prose.methods())
    assert "Firth's penalised logistic regression" in text
    assert len(prose.references) == len(set(prose.references))
    cited = {int(n) for group in re.findall(r"\[([\d, ]+)\]", text) for n in group.split(", ")}
    assert cited == set(range(1, len(prose.references) + 1))


@pytest.fixture
def few(tmp_path_factory):
    """Return the findings of two patients, by no analysis that a plan can do without."""
    plan = Plan.built_in().model_copy(update={"analyses": Analyses.none()})
    return Study(read(tmp_path_factory.mktemp("two"), **GOOD), plan).run()


def test_saving_twice_leaves_the_later_result_only(few, demo_report, tmp_path):
    out = Path(shutil.copytree(demo_report, tmp_path / "out"))
    (out / "figures" / "old.svg").write_text("x")
    with pytest.raises(OutputRefused):
        save(few, out)
    save(few, out, force=True)
    assert Findings.load(out).estimates == few.estimates
    assert not (out / "figures" / "old.svg").exists()
    aside, _ = sorted(tmp_path.iterdir(), reverse=True)
    assert aside.name.startswith("out-replaced-")
    assert (aside / "figures" / "old.svg").read_text() == "x"


def test_a_failing_figure_leaves_nothing_behind(few, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise OSError("no space")

    monkeypatch.setattr("reinfuse.report.export.results_folder.documents", broken)
    with pytest.raises(OutputRefused):
        save(few, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(demo_findings, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputRefused):
        save(demo_findings, tmp_path / "out")


def test_findings_are_read_back(demo_findings, demo_report, tmp_path):
    read = Findings.load(demo_report)
    assert read.estimates == demo_findings.estimates
    assert read.as_dict()["provenance"] == demo_findings.as_dict()["provenance"]
    assert read.plan == demo_findings.plan
    assert read.described == demo_findings.described
    assert read.cohort is None
    assert list(read.curves) == list(demo_findings.curves)
    for key, curve in read.curves.items():
        for name in CURVE_POINTS:
            np.testing.assert_array_equal(getattr(curve, name), getattr(demo_findings.curves[key], name))
    with pytest.raises(CohortRefused, match="holds no results that can be read"):
        Findings.load(tmp_path)


def test_results_of_an_earlier_version_are_refused_in_words(demo_report, tmp_path):
    old = json.loads((demo_report / "findings.json").read_text(encoding="utf-8"))
    old["provenance"]["strata"] = old["provenance"].pop("parts")
    for record in old["estimates"]:
        record["term"] = record["level"] and f"{record['term']}={record['level']}"
    (tmp_path / "findings.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(CohortRefused) as refused:
        Findings.load(tmp_path)
    assert "earlier version" in refused.value.problems[0].rule


def test_a_notebook_shows_the_main_tables(demo_findings):
    shown = main_tables(demo_findings)._repr_html_()
    assert "17 of 44 (39%)" in shown
    assert "<table>" in shown
    assert repr(demo_findings).startswith("<Findings of 44 patients: ")


def test_the_same_data_give_the_same_bytes(demo_findings, demo_report, tmp_path):
    save(demo_findings, tmp_path / "again")
    for name in (
        "report.html",
        "report.pdf",
        "supplement.html",
        "supplement.pdf",
        "brief.html",
        "findings.json",
        "figures/km_os.svg",
        "figures/forest_pfs.png",
    ):
        assert (tmp_path / "again" / name).read_bytes() == (demo_report / name).read_bytes()
