"""Report and supplement: six pages that answer, and all else, each table and figure once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pypdf import PdfReader

from cohorts import EIGHT, INFUSIONS
from helpers import plain, read
from pages import pdf_text
from reinfuse import Plan, Study
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.analysis_plan import Model
from reinfuse.report.analyses import registry
from reinfuse.report.document.model import Document, Paragraph, Picture, Ref, Row, Section, Table
from reinfuse.report.document.split import items, referring, without
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.catalog_patients import MAIN as OF_PATIENTS
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.contents import REPORT, SUPPLEMENT, documents
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format

PAGES = 6


@pytest.fixture(scope="module")
def drawn(demo_findings):
    """Every figure that the demo may have, blank."""
    return [(place, Drawn(name, name, name, b"")) for place, name, _ in figures(demo_findings)]


@pytest.fixture(scope="module")
def both(demo_findings, drawn):
    return documents(demo_findings, drawn)


def names(document):
    return [b.name for b in document.blocks() if isinstance(b, Table | Picture)]


def test_the_report_of_the_demo_has_six_pages_and_answers_on_the_first(demo_report):
    assert len(PdfReader(demo_report / "report.pdf").pages) <= PAGES
    first = PdfReader(demo_report / "report.pdf").pages[0].extract_text()
    for said in ("Key findings", "Multiplicity", "Table 1. Outcomes of all patients", "Overall response",
                 "Figure 1. Progression-free survival by Cy-Flu before CART1", "not treatment effects"):  # fmt: skip
        assert said in first, said
    assert "Table 2" not in first


def test_the_supplement_lists_its_contents_and_the_report_does_not(demo_report):
    assert "Contents" in PdfReader(demo_report / "supplement.pdf").pages[0].extract_text()
    assert "Contents" not in pdf_text(demo_report / "report.pdf")


def test_every_table_and_figure_stands_in_one_document(demo_findings, drawn, both):
    shown = [name for document in both.values() for name in names(document)]
    assert len(shown) == len(set(shown))
    assert {d.name for _, d in drawn} <= set(shown)
    assert all(names(document) for document in both.values())


def test_the_report_holds_what_the_analyses_declare(demo_findings, drawn, both):
    declared = registry.main_items(StudyTables(demo_findings), {d.name for _, d in drawn})
    expected = {item.name for item in (*declared, *OF_PATIENTS)}
    assert set(names(both[REPORT])) == {*expected, "outcomes"}
    assert {"baseline", "response", "toxicity", "associations", "times", "swimmer"} <= expected
    by_section = {s.name: [one.name for one in items(s)] for s in both[REPORT].sections}
    assert by_section["summary"] == ["outcomes", "km_pfs_by_cart1_cy_flu"]
    assert by_section["survival"] == ["km_os_by_cart1_cy_flu", "times"]
    assert list(by_section) == list(MAIN)


def test_sections_of_the_supplement_are_told_where_their_readers_are(both):
    """Each of its sections is named in a section of the report."""
    said = {s.name: " ".join(str(b.text) for b in s.blocks if isinstance(b, Paragraph)) for s in both[REPORT].sections}
    for section in both[SUPPLEMENT].sections:
        if section.name != "methods":
            heading = HEADINGS[section.name].of(2)
            assert f"section {heading.mentioned}" in said[heading.reader], section.name
    assert "section Methods (in full, with endpoint definitions)" in said["methods"]


def test_numbers_of_the_supplement_are_marked_and_read_in_the_other_document(both):
    assert both[REPORT].numbered("table", "outcomes") == "Table 1"
    assert both[SUPPLEMENT].numbered("table", "survival_pfs").startswith("Table S")
    for document in both.values():
        refs = [p for b in document.blocks() if isinstance(b, Paragraph) and not isinstance(b.text, str)
                for p in b.text if isinstance(p, Ref) and p.kind != "section"]  # fmt: skip
        assert all((ref.kind, ref.name) in document.numbers for ref in refs)


def test_who_was_left_out_is_a_figure_only_where_somebody_was(demo_findings, drawn, tmp_path):
    assert "flow" in names(documents(demo_findings, drawn)[SUPPLEMENT])
    once = "\n".join(line for line in INFUSIONS.splitlines() if not line.startswith("P7,2"))
    findings = Study(read(tmp_path, **{**EIGHT, "infusions": once}), plain(Plan.built_in())).run()
    assert any(e.term == "excluded" for e in findings.estimates if e.analysis == "flow")
    flow = [(place, Drawn(name, name, name, b"")) for place, name, _ in figures(findings)]
    document = documents(findings, flow)[REPORT]
    assert "flow" in names(document)
    patients = next(s for s in document.sections if s.name == "patients")
    assert "Excluded:" in str(patients.blocks[0].text)


def test_a_figure_that_could_not_be_drawn_is_replaced_by_the_curve_of_all(demo_findings, drawn):
    fewer = [(place, d) for place, d in drawn if d.name != "km_pfs_by_cart1_cy_flu"]
    assert names(documents(demo_findings, fewer)[REPORT])[:2] == ["outcomes", "km_pfs"]


def test_a_table_of_associations_has_each_level_with_its_events_and_patients(demo_findings):
    table = StudyTables(demo_findings).associations()
    rows = {}
    for row in table.rows:
        rows.setdefault(row.head, row.cells)
    assert table.head[1:4] == ("Events of n", "Univariable (95% CI)", "p")
    assert rows["Cy-Flu before CART1: no"][:2] == ("2 of 15", "1 (reference)")
    assert rows["Cy-Flu before CART1: yes"][:1] == ("14 of 28",)
    assert rows["Cy-Flu before CART1: yes"][3:5] == ("5.67 (1.34 to 34.0)†", "0.017")
    assert rows["Sex: M"][1:4] == ("1 (reference)", "", "")
    held = {f"{e.events} of {e.n}" for e in demo_findings.estimates if e.n is not None}
    assert {cells[0] for cells in rows.values()} - {""} <= held


def test_without_a_multivariable_model_there_is_no_column_of_it(demo_findings):
    alone = tuple(e for e in demo_findings.estimates if e.model != "multivariable")
    table = StudyTables(replace(demo_findings, estimates=alone)).associations()
    assert not any("Multivariable" in head for head in table.head)
    assert all(len(row.cells) + 1 == len(table.head) for row in table.rows)


def test_two_models_of_one_endpoint_have_columns_of_their_own(demo_findings):
    """None is shown as if it were the other."""
    again = Model(endpoint="response", factors=("cart1_cy_flu", "bulky"))
    plan = demo_findings.plan.model_copy(update={"models": (*demo_findings.plan.models, again)})
    adjusted = [e for e in demo_findings.estimates if e.model == "multivariable" and e.endpoint == "response"
                and e.analysis == "association"]  # fmt: skip
    more = [
        replace(e, term=term, estimate=2.5, lower=2.0, upper=3.0)
        for e, term in zip(adjusted, again.factors, strict=True)
    ]
    findings = replace(demo_findings, plan=plan, estimates=(*demo_findings.estimates, *more))
    table = StudyTables(findings).associations()
    assert [h for h in table.head if h.startswith("Multi")] == ["Multivariable 1 (95% CI)", "Multivariable 2 (95% CI)"]
    row = next(row.cells for row in table.rows if row.head == "Cy-Flu before CART1: yes")
    assert (row[3], row[5]) == ("5.67 (1.34 to 34.0)†", "2.50 (2.00 to 3.00)†")
    assert all(len(r.cells) == len(table.head) - 1 for r in table.rows)


def test_outcomes_are_those_of_the_records(demo_findings):
    rows = {row.head: row.cells for row in StudyTables(demo_findings).outcomes().rows}
    for end, head in (("response", "Overall response"), ("pfs", "Progression-free survival: median, months")):
        analysis, statistic = ("response", "proportion") if end == "response" else ("survival", "median")
        e = next(e for e in demo_findings.estimates if e.endpoint == end and e.analysis == analysis
                 and e.statistic == statistic and (e.population, e.group) == ("all", None))  # fmt: skip
        shown = number_format.share(e) if end == "response" else number_format.time(e)
        assert rows[head] == (str(e.n), str(e.events), shown)


# By hand


def test_a_section_loses_what_stands_elsewhere_and_its_texts_with_the_last_of_it():
    def table(name):
        return Table(name, name, ("",), (Row("x", ()),))

    part = Section("part", "Part", (Paragraph("of b"), table("b")))
    whole = Section("whole", "Whole", (Paragraph("of a"), table("a"), part))
    assert [one.name for one in items(whole)] == ["a", "b"]
    left = without(whole, {"b"})
    assert left is not None
    assert left.blocks == (Paragraph("of a"), table("a"))
    assert without(whole, {"a"}).blocks == (Paragraph("of a"), part)
    assert without(whole, {"a", "b"}) is None
    assert without(Section("text", "Text", (Paragraph("alone"),)), {"a"}) is not None


def test_a_reference_to_another_document_is_a_text():
    table = Table("a", "a", ("",), (Row("x", ()),))
    own = Document(
        "own",
        "",
        (
            Section(
                "s",
                "S",
                (
                    Paragraph(
                        ("See ", Ref("table", "a"), "."),
                    ),
                ),
            ),
        ),
    )
    other = Document("other", "", (Section("s", "S", (table,)),), mark="S")
    assert referring(own, other).sections[0].blocks[0].text == ("See ", "Table S1", ".")
    with pytest.raises(KeyError):
        own.text(own.sections[0].blocks[0].text)


# What a plan chooses


def chosen(findings, drawn, **settings):
    plan = Plan.of({"report": settings})
    return documents(replace(findings, plan=findings.plan.model_copy(update={"report": plan.report})), drawn)


def refused(findings, drawn, **settings):
    with pytest.raises(PlanRefused) as caught:
        chosen(findings, drawn, **settings)
    return {(p.column, p.value): f"{p.rule}; {p.remedy}" for p in caught.value.problems}


def test_sections_stand_in_the_plan_s_order_and_nothing_is_lost(demo_findings, drawn, both):
    order = ["summary", "associations", "kinetics", "patients"]
    documents_of = chosen(demo_findings, drawn, sections=order)
    assert [s.name for s in documents_of[REPORT].sections] == order
    before, after = ([n for d in pair.values() for n in names(d)] for pair in (both, documents_of))
    assert sorted(before) == sorted(after)
    left = {s.name for s in documents_of[SUPPLEMENT].sections}
    assert "kinetics" not in left
    assert {"response", "survival", "toxicity", "course", "limits", "methods"} <= left
    kinetics = next(s for s in documents_of[REPORT].sections if s.name == "kinetics")
    assert [one.name for one in items(kinetics)] == [
        one.name for s in both[SUPPLEMENT].sections if s.name == "kinetics" for one in items(s)]  # fmt: skip
    cautions = [documents_of[REPORT].text(b.text) for b in documents_of[REPORT].blocks() if isinstance(b, Paragraph)]
    assert any("See supplement: Limitations." in text for text in cautions)
    said = str(documents_of[REPORT].sections[-1].blocks[-1].text)
    assert "section Limitations" in said  # where no section is whose readers look for it, the last one tells


def test_tables_and_figures_are_those_that_the_plan_names_in_its_order(demo_findings, drawn, both):
    tables, pictures = ["later", "response", "baseline"], ["km_os", "km_pfs", "forest_pfs"]
    documents_of = chosen(demo_findings, drawn, tables=tables, figures=pictures)
    report = {s.name: [one.name for one in items(s)] for s in documents_of[REPORT].sections}
    assert report["summary"] == ["outcomes", "km_os"]
    assert report["survival"] == ["km_pfs"]
    assert report["associations"] == ["forest_pfs"]
    assert (report["patients"], report["response"], report["later"]) == (["baseline"], ["response"], ["later"])
    kinetics = chosen(demo_findings, drawn, sections=[*MAIN, "kinetics"], figures=["km_os"])[REPORT].sections[-1]
    assert {type(one) for one in items(kinetics)} == {Table}  # its tables, since the plan names figures alone
    assert {"toxicity", "swimmer", "times", "associations"} <= set(names(documents_of[SUPPLEMENT]))
    before, after = ([n for d in pair.values() for n in names(d)] for pair in (both, documents_of))
    assert sorted(before) == sorted(after)
    later = next(s for s in documents_of[REPORT].sections if s.name == "later")
    assert isinstance(later.blocks[0], Paragraph)  # its text comes along


def test_endpoints_and_subgroups_of_the_tables_and_the_whole_in_the_supplement(demo_findings, drawn, both):
    documents_of = chosen(demo_findings, drawn, endpoints=["os", "response"], subgroups=[])
    tables = {b.name: b for b in documents_of[REPORT].blocks() if isinstance(b, Table)}
    assert [row.head for row in tables["outcomes"].rows[:2]] == ["Overall survival: median, months", "Overall response"]
    assert len(tables["baseline"].head) == 2
    assert len(tables["response"].head) == 2
    assert not any(row.head in ("ALL", "CLL", "NHL") for row in tables["response"].rows)
    first = documents_of[REPORT].sections[0].blocks[0]
    assert "Cy-Flu before CART1 and progression-free survival" in dict(first.items)  # the plan's models, all of them
    assert "km_pfs" in names(chosen(demo_findings, drawn, endpoints=["os"], figures=["km_os", "km_pfs"])[REPORT])
    full = {b.name: b for b in documents_of[SUPPLEMENT].blocks() if isinstance(b, Table)}
    own = {b.name: b for b in both[REPORT].blocks() if isinstance(b, Table)}
    narrow = chosen(demo_findings, drawn, endpoints=["os"], sections=["summary", "power", "kinetics"])
    before, after = (set(n for d in pair.values() for n in names(d)) for pair in (both, narrow))
    assert before == after  # a section that is the supplement's by default is whole in the report
    for name in ("baseline", "response", "toxicity"):
        assert full[name].rows == own[name].rows
        assert full[name].caption == f"{own[name].caption}, all endpoints and subgroups"


def test_what_there_is_not_is_refused_with_what_there_is(demo_findings, drawn):
    problems = refused(demo_findings, drawn, sections=["sumary"], tables=["later", "nothing"], figures=["km_oss"])
    assert "did you mean summary? there are: summary, patients" in problems["report.sections", "sumary"]
    assert "there are: outcomes, " in problems["report.tables", "nothing"]
    assert "did you mean km_os?" in problems["report.figures", "km_oss"]
    assert "stands in section later" in problems["report.tables", "later"]
    for settings in ({"endpoints": ["oss"]}, {"subgroups": ["sex"]}):
        with pytest.raises(PlanRefused) as caught:
            Plan.of({"report": settings})
        [setting] = settings
        assert f"report.{setting}" in caught.value.problems[0].rule
        assert "plan: " in caught.value.problems[0].rule
    assert "none of these endpoints" in str(refused(demo_findings, drawn, endpoints=["efs"]))


def test_a_plan_that_chooses_what_there_is_not_is_refused_before_anything_is_estimated(demo_findings):
    settings = {"sections": ["summary", "sumary"], "tables": ["nothing"], "figures": ["km_oss", "forest_efs"],
                "table1": {"variables": ["no_column"]}}  # fmt: skip
    with pytest.raises(PlanRefused) as caught:
        Study(demo_findings.cohort, Plan.of({"report": settings}))
    assert [(p.column, p.value) for p in caught.value.problems] == [
        ("report.table1.variables", "no_column"), ("report.sections", "sumary"), ("report.tables", "nothing"),
        ("report.figures", "km_oss"), ("report.figures", "forest_efs"),
    ]  # fmt: skip
    named = {"tables": ["association_pfs", "exposure"], "figures": ["forest_pfs", "landmark_42_os_by_response"],
             "sections": ["associations", "kinetics", "later"]}  # fmt: skip
    Study(demo_findings.cohort, Plan.of({"report": named}))


def test_drawings_follow_the_endpoints_and_subgroups_that_the_plan_chooses(demo_findings, drawn):
    documents_of = chosen(demo_findings, drawn, endpoints=["os"])
    assert "km_os_by_cart1_cy_flu" in names(documents_of[REPORT])
    assert "response_best" in names(documents_of[SUPPLEMENT])
    plan = demo_findings.plan.replace(report={"subgroups": []})
    draw = {n: d for _, n, d in figures(replace(demo_findings, plan=plan))}["response_best"]
    assert not {"ALL", "CLL", "NHL"} & set(draw().data["group"])


def test_a_figure_that_could_not_be_drawn_is_named_and_shared_results_are_never_refused(demo_findings, drawn):
    fewer = [(place, d) for place, d in drawn if d.name != "km_os"]
    report = chosen(demo_findings, fewer, figures=["km_os", "km_pfs"])[REPORT]
    assert "without anything to show: km_os" in str(report.sections[-1].blocks)
    read_back = replace(demo_findings, cohort=None, data=None)
    assert chosen(read_back, (), figures=["swimmer"], tables=["nothing"])[REPORT].sections
