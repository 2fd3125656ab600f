"""Every declared endpoint has each of its parts: none can be added and forgotten somewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import reinfuse
from helpers import plain
from reinfuse import Plan, Study, read_cohort
from reinfuse.cohort.declarations import MODELLED, RESERVED, Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, declaration, names, wholes
from reinfuse.cohort.endpoint_derivation import RULES, endpoint_rules
from reinfuse.cohort.responders import BEST_RESPONSES
from reinfuse.cohort.schema import TABLES, WIDE
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure import suppressed
from reinfuse.disclosure.measures import numbers_of
from reinfuse.report.brief.translation import LANGUAGES, translation
from reinfuse.report.document.model import Pairs, Section
from reinfuse.report.sections.contents import SUPPLEMENT, documents

SOURCE = Path(reinfuse.__file__).parent
DOCS = Path(__file__).resolve().parents[2] / "docs"
EVERY = [pytest.param(e, id=e.name) for e in ENDPOINTS.values()]
SWITCHED_ON: dict[str, object] = {"efs": "index day", "depth": "derived"}
"""Rules of a plan that has every endpoint derived."""


@pytest.fixture(scope="module")
def findings():
    """Findings of the demo with every endpoint, without further analyses."""
    plan = plain(Plan.built_in()).model_copy(update={"rules": Rules(**SWITCHED_ON)})
    return Study(read_cohort(datasets()[DEMO].path), plan).run()


@pytest.mark.parametrize("endpoint", EVERY)
def test_it_is_named_and_related_to_endpoints_that_there_are(endpoint):
    assert endpoint.label
    assert endpoint.abbreviation
    assert endpoint.table in TABLES
    assert set(endpoint.part_of) <= set(ENDPOINTS)
    assert endpoint.name not in set(wholes(endpoint.name))
    if endpoint.competes_with is not None:
        assert ENDPOINTS[endpoint.competes_with].competes_with == endpoint.name
    if endpoint.among is not None:
        assert ENDPOINTS[endpoint.among].kind == "binary"
        assert endpoint.part_of


@pytest.mark.parametrize("endpoint", EVERY)
def test_a_wide_sheet_has_its_columns_and_says_what_they_hold(endpoint):
    assert set(endpoint.columns) <= set(WIDE.names)
    if endpoint.kind == "time":
        assert endpoint.duration
        assert endpoint.event
    assert endpoint.columns or endpoint.of_best_response


@pytest.mark.parametrize("endpoint", EVERY)
def test_the_documents_tell_it(endpoint):
    methods, inputs, plan = ((DOCS / f).read_text(encoding="utf-8") for f in ("methods.md", "input.md", "plan.md"))
    rows = [line for line in methods.splitlines() if line.startswith("|")]
    assert any(f"`{endpoint.name}`" in row.split("|")[1] for row in rows)
    assert all(f"| `{column}` |" in inputs for column in endpoint.columns)
    if endpoint.name in MODELLED:
        assert (
            endpoint.name in next(line for line in plan.splitlines() if line.startswith("endpoint = ")).split("# ")[1]
        )
    if endpoint.switch is not None:
        assert f"\n{endpoint.switch} = " in plan


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("endpoint", [e for e in EVERY if e.values[0].brief])
def test_the_brief_has_its_sentences_in_every_language(endpoint, language):
    words = translation(language)
    if endpoint.kind == "binary":
        assert "{count}" in words["happened"][endpoint.name]
    else:
        assert "{time}" in words["lived"][endpoint.name]
        assert words["lived"][f"{endpoint.name}_not_reached"]


def test_the_plan_knows_which_are_modelled():
    assert set(RESERVED) <= set(MODELLED) == set(names(modelled=True))
    assert all(ENDPOINTS[name].modelled for name in names(main=True))


def test_every_set_of_best_responses_has_its_rule():
    assert set(BEST_RESPONSES) == set(names(of_best_response=True))


def test_the_report_says_how_each_is_derived(findings):
    assert set(RULES) == set(ENDPOINTS)
    rules = dict(endpoint_rules(findings.plan.rules))
    labels = [e.label[1:] for e in ENDPOINTS.values()]
    assert sum(label in head for label in labels for head in rules) >= len(labels)
    sections = {s.name: s for s in documents(findings, [])[SUPPLEMENT].sections}
    inner = {b.name: b for b in sections["methods"].blocks if isinstance(b, Section)}
    shown = dict(next(b for b in inner["rules"].blocks if isinstance(b, Pairs)).items)
    assert rules.items() <= shown.items()


@pytest.mark.parametrize("endpoint", EVERY)
def test_it_is_derived_estimated_and_disclosed_by_its_declaration(endpoint, findings):
    analysis = "response" if endpoint.kind == "binary" else "competing" if endpoint.competes_with else "survival"
    statistic = {"response": "proportion", "competing": "rate_at", "survival": "median"}[analysis]
    records = [e for e in findings.estimates if e.endpoint == endpoint.name and e.analysis == analysis]
    everyone = [e for e in records if e.statistic == statistic and (e.population, e.group) == ("all", None)]
    assert everyone
    assert any(e.name == endpoint.name and e.label == endpoint.label for e in findings.described.endpoints)
    modelled = any(e.endpoint == endpoint.name and e.analysis == "association" for e in findings.estimates)
    assert modelled is endpoint.modelled
    shared = [e for e in suppressed(findings, 5)[0].estimates if e.endpoint == endpoint.name]
    if endpoint.competes_with or not endpoint.shared:
        assert not shared  # one of two events that compete is the rest of the other
    else:
        assert (analysis, endpoint.name) in numbers_of(everyone, 44, lambda e: (e.population, e.group))


def test_of_what_a_plan_declares_itself_nothing_is_declared():
    own = declaration("discharge")
    assert (own.part_of, own.among, own.best, own.modelled, own.competes_with) == ((), None, (), False, None)
    assert list(wholes("discharge")) == []


CHOSEN = {
    "cohort/endpoint_catalog.py": "the declaration itself",
    "cohort/endpoint_derivation.py": "how each is derived",
    "cohort/responders.py": "which are sets of best responses",
    "cohort/declarations.py": "outcomes that can be landmark factors",
    "cohort/post_baseline.py": "outcomes that can be landmark factors",
    "plan/options.py": "the landmark analyses and protocols of the reference study",
    "plan/analysis_plan.py": "the models of the reference study",
    "cohort/paired_outcomes.py": "the outcomes compared between two infusions",
    "report/tables/protocols.py": "the outcomes compared between two infusions",
    "disclosure/measures.py": "in some diagnoses a response can only be complete",
    "sources/values/understanding.py": "cells of columns that have the names of endpoints",
    "report/export/search_folder.py": "outcomes of virtual patients",
    "report/export/trial_folder.py": "outcomes of virtual patients",
    "report/figures/catalog_simulation.py": "outcomes of virtual patients",
    "report/tables/simulation.py": "outcomes of virtual patients",
}
"""Files that name several endpoints because they are about these, and why."""


def test_endpoints_are_listed_in_no_second_place():
    """A tuple, list, set or dict with two or more names of endpoints is knowledge that the catalog holds."""
    lists = []
    for path in sorted(SOURCE.rglob("*.py")):
        file = path.relative_to(SOURCE).as_posix()
        if file.startswith("simulation/") or file in CHOSEN:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            members = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
            texts = {m.value for m in members if isinstance(m, ast.Constant) and isinstance(m.value, str)}
            if len(texts & set(ENDPOINTS)) > 1:
                lists.append(f"{file}:{node.lineno}")
    assert lists == []
