"""Every analysis has each of its parts: none can be added and forgotten somewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import quick
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses import registry
from reinfuse.analyses.documentation import with_tables
from reinfuse.analyses.execution import NOT_RUN
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure import suppressed
from reinfuse.plan.options import Analyses
from reinfuse.plan.report_options import ReportOptions
from reinfuse.plan.switches import declared
from reinfuse.report.analyses.registry import TURNS, methods, of_section, parts, references, shown
from reinfuse.report.document.model import Picture, Table
from reinfuse.report.figures.catalog import figures, kinetic_figures
from reinfuse.report.figures.catalog_patients import patient_figures
from reinfuse.report.figures.figure_spec import FigureInputs
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.choices import wrong_choices
from reinfuse.report.sections.contents import SUPPLEMENT, documents
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.strobe import ITEMS
from reinfuse.report.sections.study_sections import OF_NO_ANALYSIS
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import Reference
from reinfuse.results.estimate import Estimate

TESTS = Path(__file__).resolve().parents[1]
DOCS = TESTS.parent / "docs"
MODULES = registry.modules()
EVERY = [pytest.param(name, id=name) for name in MODULES]
OF_A_STUDY = [pytest.param(name, id=name) for name, analysis in MODULES.items() if not analysis.sampled]
SAMPLED = [name for name, analysis in MODULES.items() if analysis.sampled]
GOLDEN_OR_BY_HAND = {
    "flow": "analysis/test_description.py::test_flow",
    "baseline": "analysis/test_description.py::test_baseline",
    "response": "analysis/test_golden.py::test_clopper_pearson",
    "survival": "analysis/test_golden.py::test_medians_and_follow_up",
    "cumulative_incidence": "analysis/test_golden.py::test_cumulative_incidence",
    "best_responses": "analysis/test_description.py::test_best_responses",
    "toxicity": "analysis/test_description.py::test_toxicity",
    "association": "analysis/test_golden.py::test_firth_logistic",
    "category_tests": "analysis/test_interactions.py::test_all_levels_together",
    "interactions": "analysis/test_interactions.py::test_a_saturated_model_by_hand",
    "splines": "analysis/test_interactions.py::test_splines_and_their_profile_intervals_are_those_of_r",
    "simulated_inference": "analysis/test_calibrated.py::test_the_p_value_is_that_of_all_outcomes",
    "permutation": "analysis/test_permutation.py::test_four_patients_by_hand",
    "model_averaging": "analysis/test_selection.py::test_averaging_of_one_factor_by_hand",
    "bootstrap_stability": "analysis/test_selection.py::test_a_strong_factor_is_selected_and_keeps_its_sign",
    "optimism": "analysis/test_selection.py::test_concordance_by_hand",
    "leave_one_out": "analysis/test_selection.py::test_leaving_one_out_is_fitting_without_that_patient",
    "proportional_hazards": "analysis/test_time.py::test_proportional_hazards",
    "bayesian": "analysis/test_bayesian.py::test_posteriors_are_those_of_rs_integrals",
    "sensitivity": "analysis/test_selection.py::test_e_values_of_the_paper",
    "hierarchy": "analysis/test_hierarchy.py::test_adjusted_p_values_are_those_of_r",
    "endpoint_rules": "analysis/test_rule_variants.py::test_medians_are_those_of_r",
    "multiple_imputation": "analysis/test_imputation.py::test_pooling_by_hand",
    "competing_risks": "analysis/test_time.py::test_fine_gray",
    "centres": "analysis/test_centres.py::test_each_way_is_that_of_r",
    "competing_effects": "analysis/test_competing_groups.py::test_penalised_subdistribution_hazards_are_those_of_r",
    "disease_states": "analysis/test_states.py::test_occupation_is_that_of_r",
    "incidence_groups": "analysis/test_golden.py::test_cumulative_incidence",
    "one_clock": "analysis/test_competing_groups.py::test_the_three_add_up_by_hand",
    "rmst": "analysis/test_rmst.py::test_means_and_contrasts_are_those_of_r",
    "landmark": "analysis/test_time.py::test_a_landmark_leaves_out_who_ended_by_then",
    "time_dependent": "analysis/test_time.py::test_firth_in_counting_process_form",
    "standardization": "analysis/test_protocol_weights.py::test_weights_balance_and_augmented_outcomes_are_those_of_r",
    "published_studies": "evidence/test_published_studies.py::test_numbers_are_those_of_the_register",
    "paired": "analysis/test_paired.py::test_discordant_pairs_by_hand",
    "power": "analysis/test_protocols.py::test_the_null_rejects_about_as_often_as_it_should",
    "exposure": "kinetics/test_exposure.py::test_exposures_by_hand",
    "persistence": "kinetics/test_turnbull.py::test_three_patients_by_hand",
    "exposure_factors": "analysis/test_mixed.py::test_beside_r",
    "persistence_factors": "kinetics/test_weibull.py::test_beside_r",
    "exposure_outcome": "kinetics/test_counts_by_day_28.py::test_areas_by_hand",
    "mediation": "analysis/test_mediation.py::test_effects_of_a_large_sample_are_those_of_its_model",
    "population_model": "kinetics/test_population.py::test_fit_of_a_small_cohort_holds_the_planted_values",
    "joint_model": "kinetics/test_joint.py::test_a_planted_association_is_found_and_told",
}
"""Module -> the test that holds its numbers to R's, to a case by hand or to a known truth."""
UNUSED = {"clopper", "lipsitz", "pustejovsky", "ripatti", "sterzinger"}
"""References of ways to allow for centres that this plan does not take, and one that another sentence cites."""
WITHOUT_A_SENTENCE = {"flow", "best_responses", "optimism", "persistence_factors", "exposure_outcome"}
"""Counts, and what the sentence of another analysis covers."""

FIGURES = {
    "flow": {"flow"},
    "survival": {"km_pfs", "km_pfs_by_cart1_cy_flu", "km_dor"},
    "cumulative_incidence": {"incidence"},
    "disease_states": {"states"},
    "incidence_groups": {"incidence_relapse_by_cart1_cy_flu"},
    "best_responses": {"response_best"},
    "association": {"forest_response", "forest_pfs"},
    "splines": {"shape_response", "shape_pfs"},
    "bayesian": {"bayesian_response", "bayesian_pfs"},
    "leave_one_out": {"influence_pfs"},
    "landmark": {"landmark_42_os_by_response"},
    "power": {"power_pfs"},
    "published_studies": {"published_response", "published_cr"},
    "exposure": {"counts_by_cart1_cy_flu", "exposure_pairs"},
    "exposure_factors": {"forest_auc_0_28", "forest_cmax"},
    "persistence_factors": {"forest_persistence"},
    "population_model": {"population_priors"},
}
"""Module -> some of its figures, those of a report on the counts alone among them; the others have none."""

TABLES = {
    "baseline": {"baseline"},
    "response": {"response"},
    "survival": {"survival_pfs", "survival_os"},
    "cumulative_incidence": {"competing"},
    "toxicity": {"toxicity"},
    "association": {"association_response", "association_pfs"},
    "interactions": {"interactions", "interaction_cells"},
    "splines": {"splines"},
    "simulated_inference": {"small_samples"},
    "model_averaging": {"averaging_pfs"},
    "optimism": {"prediction"},
    "leave_one_out": {"influence"},
    "proportional_hazards": {"proportional"},
    "bayesian": {"bayesian"},
    "sensitivity": {"e_values"},
    "hierarchy": {"hierarchy"},
    "endpoint_rules": {"estimands", "endpoint_rules"},
    "multiple_imputation": {"imputation"},
    "competing_risks": {"fine_gray"},
    "centres": {"centres"},
    "competing_effects": {"competing_effects"},
    "disease_states": {"state_probabilities", "transitions"},
    "incidence_groups": {"incidence_groups_relapse"},
    "one_clock": {"one_clock"},
    "rmst": {"rmst_pfs"},
    "landmark": {"later"},
    "standardization": {"protocols_response", "balance_pfs"},
    "paired": {"paired_response"},
    "power": {"power"},
    "published_studies": {"studies_response", "studies_cr", "studies_crs"},
    "exposure": {"exposure"},
    "persistence": {"persistence"},
    "exposure_factors": {"exposure_factors"},
    "exposure_outcome": {"exposure_outcome"},
    "mediation": {"mediation"},
}
"""Module -> some of its tables; the others are shown in the table of another analysis, or in a figure."""
SAMPLED_RECORD = {"population_model": ("cmax", "typical"), "joint_model": ("pfs", "hazard_ratio")}
"""Module -> endpoint and statistic of a record that its table shows."""


@pytest.fixture(scope="module")
def findings():
    """Findings of the bundled cohort, with every analysis that a plan can ask for."""
    ranks = {"primary": {"endpoints": ["response", "pfs"]}, "secondary": {"endpoints": ["os"]}}
    plan = quick(Plan.built_in().replace(hierarchy=ranks))
    every = {name: True for name in declared()} | {"centres": {"column": "histology"}}
    plan = plan.model_copy(update={"analyses": plan.analyses.model_copy(update={"further": every})})
    compared = ReportOptions(table1={"by": "cart1_cy_flu", "smd": True, "p": True})
    plan = plan.model_copy(update={"report": compared})
    return Study(read_cohort(datasets()[DEMO].path), plan).run()


def tables_of(name, tables):
    """Return the tables that an analysis shows, in its section and in parts of it."""
    of_parts = [t for part in shown()[name].parts(tables) for t in part.tables]
    return [t for t in (*shown()[name].tables(tables), *of_parts) if t is not None]


def test_the_order_names_analyses_that_there_are():
    named = [name for row in registry.ORDER for name in row]
    assert len(named) == len(set(named))
    assert set(named) <= set(MODULES)
    assert len({a.name for a in registry.analyses()}) == len(MODULES)


def test_an_analysis_that_is_in_no_row_follows_its_section():
    places = list(MODULES)
    after = places[places.index("competing_risks") + 1 : places.index("rmst") + 1]
    assert after == sorted(after)
    assert {MODULES[name].section for name in after} == {"survival"}


@pytest.mark.parametrize("name", EVERY)
def test_it_says_what_it_is_what_it_lacks_and_how_the_report_shows_it(name):
    analysis = MODULES[name]
    assert all((analysis.what, analysis.method, analysis.lacking))
    assert analysis.section in HEADINGS
    assert name in shown()
    assert all(isinstance(r, Reference) for r in shown()[name].references.values())
    items = {item.split()[0] for item, _, _ in ITEMS}
    assert {s.item for s in shown()[name].strobe} <= items
    assert all((s.section or analysis.section) in HEADINGS for s in shown()[name].strobe)


@pytest.mark.parametrize("name", EVERY)
def test_its_switches_are_settings_of_a_plan(name):
    analysis = MODULES[name]
    assert set(analysis.switches) <= set(Analyses.model_fields)
    if analysis.own_switch is not None:
        assert declared()[analysis.own_switch.name] == analysis.own_switch
        assert analysis.own_switch.name not in Analyses.model_fields
        assert not analysis.wanted_by(Plan())
        for off in (False, True):
            plan = Plan.of({"analyses": {analysis.own_switch.name: off}})
            assert analysis.wanted_by(plan) is off


def test_the_documents_hold_what_is_declared():
    for name in ("plan.md", "methods.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        assert with_tables(text) == text, f"docs/{name}: run `make docs`"
    plan, table = ((DOCS / n).read_text(encoding="utf-8") for n in ("plan.md", "methods.md"))
    for analysis in registry.analyses():
        switches = (*analysis.switches, *([analysis.own_switch.name] if analysis.own_switch else []))
        assert all(f"| `{s}` |" in plan for s in switches)
        assert f"| {analysis.name} | `{analysis.records}` |" in table


@pytest.mark.parametrize("name", EVERY)
def test_its_numbers_are_held_to_others(name):
    path, _, test = GOLDEN_OR_BY_HAND[name].partition("::")
    assert re.search(rf"^def {test}\(", (TESTS / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", OF_A_STUDY)
def test_it_runs_on_the_bundled_cohort(name, findings):
    analysis = MODULES[name]
    assert any(e.analysis == analysis.records and e.estimate is not None for e in findings.estimates)
    idle = [w["text"].lower() for w in findings.warnings if w["about"] == NOT_RUN]
    assert not [text for text in idle if text.startswith(f"{analysis.name}:")]


@pytest.mark.parametrize("name", OF_A_STUDY)
def test_the_methods_paragraph_says_how_and_cites_what_it_declares(name, findings):
    cited: list[str] = []

    def cite(*keys: str) -> str:
        cited.extend(keys)
        return "[]"

    sentences = list(shown()[name].methods(findings, cite))
    assert bool(sentences) != (name in WITHOUT_A_SENTENCE)
    assert set(cited) <= set(shown()[name].references)
    assert set(shown()[name].references) <= set(references())


@pytest.mark.parametrize("name", EVERY)
def test_its_figures_are_drawn_and_are_those_of_the_report(name, findings):
    section = MODULES[name].section
    declared = {n: draw for alone in (False, True)
                for _, n, draw in shown()[name].figures(FigureInputs(findings, counts_alone=alone))}  # fmt: skip
    assert bool(declared) == (name in FIGURES)
    assert set(declared) >= FIGURES.get(name, set())
    assert all((declared[n]() is None) == (name in SAMPLED) for n in sorted(FIGURES.get(name, set()))[:1])
    planned = {n for _, n, _ in (*figures(findings), *(kinetic_figures(findings) if section == "kinetics" else ()))}
    assert set(declared) <= planned


def test_every_figure_has_one_declaration_and_one_place_in_the_report(findings):
    places = {n: place for place, n, _ in figures(findings)}
    names = [n for _, n, _ in figures(findings)]
    assert len(names) == len(places)
    own = [n for one in shown().values() for _, n, _ in one.figures(FigureInputs(findings))]
    of_patients = [n for _, n, _ in patient_figures(findings, None)]
    assert sorted([*own, *of_patients]) == sorted(names)
    both = documents(findings, [(places[n], Drawn(n, n, n, b"")) for n in names]).values()
    assert sorted(b.name for one in both for b in one.blocks() if isinstance(b, Picture)) == sorted(names)


def test_a_plan_chooses_tables_and_figures_before_there_are_results(findings):
    names = [[b.name for one in documents(findings, [(place, Drawn(n, n, n, b"")) for place, n, _ in figures(findings)])
              .values() for b in one.blocks() if isinstance(b, kind) and b.name != "strobe"]
             for kind in (Table, Picture)]  # fmt: skip
    sections = [*MAIN, *(h for h in HEADINGS if h not in MAIN and h not in OF_NO_ANALYSIS)]
    every = ReportOptions(sections=sections, tables=names[0], figures=names[1])
    before = replace(findings, estimates=(), curves={}, plan=findings.plan.model_copy(update={"report": every}))
    assert not list(wrong_choices(before))


def test_figures_of_an_endpoint_that_belong_together_follow_each_other(findings):
    turns = [n for place, n, _ in figures(findings) if place in TURNS]
    ends = [e.name for e in findings.described.endpoints]
    assert turns == [f"{kind}_{end}" for end in ends for kind in ("influence", "power")]


@pytest.mark.parametrize("name", OF_A_STUDY)
def test_its_tables_are_those_of_the_report(name, findings):
    own = {t.name for t in tables_of(name, StudyTables(findings))}
    assert bool(own) == (name in TABLES)
    assert own >= TABLES.get(name, set())


def test_every_table_of_the_report_is_declared_by_one_analysis(findings):
    tables = StudyTables(findings)
    declared = [t.name for name in MODULES for t in tables_of(name, tables)]
    both = documents(findings, ()).values()
    in_report = [b.name for one in both for b in one.blocks() if isinstance(b, Table)]
    assert sorted(in_report) == sorted([*declared, "outcomes", "strobe"])
    assert len(in_report) == len(set(in_report))


def test_a_part_that_two_analyses_fill_is_one_part_with_one_heading(findings):
    tables = StudyTables(findings)
    for section in {a.section for a in MODULES.values()}:
        titles = [(p.name, p.title) for _, one in of_section(section) for p in one.parts(tables)]
        assert len(dict(titles)) == len(set(titles))
    competing = [p for p in parts("survival", tables) if p.name == "survival_competing"]
    shown_tables = [t.name for t in competing[0].tables if t is not None]
    assert len(competing) == 1
    assert shown_tables == ["competing", "fine_gray", "competing_effects", "incidence_groups_relapse", "one_clock"]


def test_sampled_models_are_declared_but_no_part_of_a_study(findings):
    assert SAMPLED == ["population_model", "joint_model"]
    assert not {MODULES[name].records for name in SAMPLED} & {e.analysis for e in findings.estimates}
    assert not any(MODULES[name].name in w["text"].lower() for name in SAMPLED for w in findings.warnings)


@pytest.mark.parametrize("name", SAMPLED)
def test_a_sampled_model_is_told_shown_and_kept_from_sharing(name, findings):
    record = Estimate(MODULES[name].records, *SAMPLED_RECORD[name], estimate=2.0, n=44, events=86, confidence=0.95)
    own = replace(findings, estimates=(*findings.estimates, record))
    without, with_it = (list(methods(one, lambda *_: "[]", section="kinetics")) for one in (findings, own))
    assert len([sentence for sentence in with_it if sentence not in without]) == 1
    assert {t.name for t in tables_of(name, StudyTables(own))} == {record.analysis}
    assert not any(e.analysis == record.analysis for e in suppressed(own, 5)[0].estimates)


def test_the_report_of_all_analyses_holds_every_sentence_and_table(findings):
    document = documents(findings, ())[SUPPLEMENT]
    of_a_study = [one for name, one in shown().items() if name not in SAMPLED]
    assert set(document.cited) >= {key for one in of_a_study for key in one.references if key not in UNUSED}
    names = {block.name for block in document.blocks() if hasattr(block, "name")}
    assert "rmst_pfs" in names
    assert "survival_rmst" in names


def test_what_is_not_declared_for_sharing_is_not_shared(findings):
    shared = {e.analysis for e in suppressed(findings, 5)[0].estimates}
    assert shared == registry.records_of("counts", "effects", "published")
    assert "rmst" not in shared


def test_a_plan_without_it_has_nothing_of_an_analysis_with_a_switch_of_its_own(plain_findings):
    own = {a.records for a in registry.analyses() if a.own_switch}
    assert own.isdisjoint(e.analysis for e in plain_findings.estimates)
    assert not any("restricted mean" in text for text in methods(plain_findings, lambda *_: "[]"))
