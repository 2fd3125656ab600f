"""What `reinfuse kinetics` writes, with and without the sampled models, and the report's section on the counts."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from pages import Page
from reinfuse import Plan, Study, read_cohort
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure import suppressed
from reinfuse.report.export.kinetics_folder import write_kinetics
from reinfuse.report.figures.catalog import kinetic_figures
from reinfuse.report.figures.vpc import inside, vpc
from reinfuse.report.sections.contents import kinetic_report
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings


@pytest.fixture(scope="module")
def study():
    return Study(read_cohort(datasets()[DEMO].path), Plan.built_in())


@pytest.fixture(scope="module")
def counted(study):
    """Findings of the counts alone."""
    return study.kinetics(sampling=False)[0]


@pytest.fixture(scope="module")
def folder(study, counted, tmp_path_factory):
    return write_kinetics(counted, study.counts, None, place=tmp_path_factory.mktemp("kinetics") / "out")


def test_the_files(folder):
    assert {p.name for p in folder.iterdir()} == {
        "report.html", "findings.json", "estimates.csv", "kinetics.csv", "figures",
        "reinfuse.manifest.json"}  # fmt: skip
    told = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    assert told["kinetics"]["profiles"] == 86
    assert told["kinetics"]["infusions"] == {"1": 44, "2": 42}
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    for said in ("Exposure after each infusion", "Persistence of CAR-T cells", "Factors associated with exposure",
                 "Only counts by day 28 are used", "Hypothesis-generating", "Pustejovsky", "copies per µg of DNA",
                 "Synthetic data"):  # fmt: skip
        assert said in page.plain, said
    assert "Population model" not in page.plain


def test_every_number_of_it_is_held(folder):
    from drift import Drift

    found = Drift(json.loads((folder / "findings.json").read_text(encoding="utf-8")))
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert found.text(page.plain) == []
    assert [x for table in page.tables for x in found.table(table)] == []


def test_findings_read_back_hold_the_counts(demo_report, demo_findings):
    read_back = Findings.load(demo_report)
    assert read_back.kinetics == json.loads(json.dumps(demo_findings.kinetics))
    names = {name for _, name, _ in kinetic_figures(read_back)}
    assert names == {"forest_auc_0_28", "forest_cmax", "forest_persistence", "population_priors"}


def test_nothing_of_the_counts_is_shared(demo_findings):
    kept, removed = suppressed(demo_findings, 11)
    assert kept.kinetics is None
    assert not {e.analysis for e in kept.estimates} & {"kinetics", "mediation", "population", "joint"}
    assert {"kinetics", "mediation", "summary of the CAR-T counts"} <= {r.what for r in removed}


def sampled_records(refused: bool) -> list[Estimate]:
    """Records as the population model gives them, converged or not."""
    note = "not estimable: sampling did not converge: R-hat 1.30 (mu[0]), above 1.05" if refused else None
    value = (None, None, None) if refused else (9.3, 8.8, 9.9)
    told = {"rhat": 1.3 if refused else 1.004, "effective_draws": 812.0, "divergences": 0.0, "iterations": 4000.0,
            "chains": 4.0, "energy": 0.71}  # fmt: skip
    made = [Estimate("population", "counts", s, estimate=v, unit="ratio", method="m", n=44, events=86, note=note)
            for s, v in told.items()]  # fmt: skip
    for s, (e, lo, hi) in (("typical", value), ("prior_typical", (9.3, 6.3, 13.8)), ("total_sd", value),
                           ("prior_total_sd", (0.4, 0.25, 0.65))):  # fmt: skip
        made.append(Estimate("population", "tmax", s, estimate=e, lower=lo, upper=hi, unit="days", method="m", n=44,
                             events=86, confidence=0.95, note=note if not s.startswith("prior") else None))  # fmt: skip
    made += [Estimate("population", "counts", s, estimate=None if refused else 0.36, lower=None if refused else 0.33,
                      upper=None if refused else 0.4, unit="sd", method="m", n=44, events=86)
             for s in ("residual_sd", "prior_residual_sd")]  # fmt: skip
    return made


@pytest.mark.parametrize("refused", [False, True])
def test_the_population_model_is_shown_with_its_diagnostics(counted, refused):
    findings = replace(counted, estimates=(*counted.estimates, *sampled_records(refused)))
    section = kinetic_report(findings, ()).sections[0]
    part = next(b for b in section.blocks if getattr(b, "name", "") == "kinetics_population")
    tables = {b.name: b for b in part.blocks if hasattr(b, "caption")}
    assert next(iter(tables)) == "sampling"  # judged before the numbers
    assert tables["sampling"].rows[0].cells[:3] == ("4", "4,000", "1.300" if refused else "1.004")
    cells = tables["population"].rows[0].cells
    assert cells[0] == ("not estimable" if refused else "9.3 (8.8 to 9.9)")
    assert cells[1] == "9.3 (6.3 to 13.8)"
    drawn = dict((name, draw()) for _, name, draw in kinetic_figures(findings) if name == "population_priors")
    assert (drawn["population_priors"] is None) == refused


def test_without_its_libraries_the_report_says_what_is_missing(counted):
    note = "not estimable: it needs further libraries"
    findings = replace(counted, estimates=(*counted.estimates, Estimate("population", "counts", "typical", note=note)))
    section = kinetic_report(findings, ()).sections[0]
    said = [b.text for s in section.blocks for b in getattr(s, "blocks", ()) if hasattr(b, "text")]
    assert any(note in str(text) for text in said)


def test_a_predictive_check_is_drawn_with_its_data():
    day = np.array([1.0, 7, 28, 90])
    flat = np.array([[5.0, 50, 20, np.nan], [20, 500, 100, 15], [80, 5000, 900, 60]])
    shares = {"below": np.array([0.4, 0, 0, 0.3]), "below_low": np.zeros(4), "below_high": np.ones(4)}
    check = SimpleNamespace(infusion=1, day=day, counts=np.full(4, 20.0), observed=flat, low=flat * 0.5, high=flat * 2,
                            limit=10.0, **shares)  # fmt: skip
    assert inside([check]) == (4, 4)
    moved = SimpleNamespace(**{**vars(check), "observed": flat * 3})
    assert inside([moved]) == (0, 4)
    drawn = vpc("predictive_check", "Check", [check, moved], unit="copies/ug", synthetic=True)
    assert drawn.data.height == 8
    assert drawn.data["10th_observed"][3] is None
    assert "4 of 8 medians lie within their band" in drawn.alt
    assert drawn.svg == vpc("predictive_check", "Check", [check, moved], unit="copies/ug", synthetic=True).svg


def test_the_figures_hold_what_they_draw(folder):
    pairs = pl.read_csv(folder / "figures" / "exposure_pairs.csv")
    assert pairs.group_by("measure").len()["len"].to_list() == [42, 41, 41] or pairs["measure"].n_unique() == 3
    assert set(pairs["group"]) == {"Response", "No response"}
    by = pl.read_csv(folder / "figures" / "counts_by_cart1_cy_flu.csv")
    assert set(by["group"]) == {"yes", "no"}


def test_of_a_large_group_some_lines_are_drawn_and_all_data_kept():
    from reinfuse.kinetics.profiles import Profile
    from reinfuse.report.figures import spaghetti as drawing

    def group(n):
        days = np.array([7.0, 14.0, 28.0])
        own = [Profile(f"P{i}", 1, "total", "cells/uL", days, days + i, np.array([False, False, i % 2 == 0]))
               for i in range(n)]  # fmt: skip
        return {"CART1": [drawing.Group("all", own, None)]}

    few, many = (drawing.spaghetti("counts", "Counts", group(n), unit="cells/uL", synthetic=False) for n in (150, 151))
    assert drawing._evenly(7) == list(range(7))
    assert (len(drawing._evenly(1000)), drawing._evenly(1000)[-1]) == (150, 999)
    assert many.data["patient"].n_unique() == 151
    assert "Of a larger group 150 patients' lines are drawn" in many.alt
    assert "larger group" not in few.alt
