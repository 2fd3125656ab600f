"""`[report]` of a plan: journals' numbers, labels; what is shown changes, and no result does."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import plain, read
from reinfuse import Plan, Study
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.report_options import Journal, ReportOptions
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Document, Pairs, Paragraph, Table
from reinfuse.report.export.results_folder import briefs
from reinfuse.report.figures.catalog import figures
from reinfuse.report.sections.contents import documents
from reinfuse.report.text import number_format
from reinfuse.report.text.journal_style import declared_journals, printed_as, style_of
from reinfuse.results.estimate import Estimate

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")
EXAMPLE = next(block for block in re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL) if block.startswith("[report]"))
JOURNALS = Journal.__args__
COHORT = {
    "patients": """patient_id,last_contact,death,diagnosis,sex,age_years
        a,400,,CLL,F,60
        b,300,300,CLL,M,50
        c,500,,NHL,F,70
        d,250,250,NHL,M,40
        e,350,350,ALL,F,30
        f,390,,ALL,M,35""",
    "infusions": "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
    + "\n".join(
        f"{p},1,0,2e6,{'Cy/Flu' if p in 'ace' else 'Cy'}\n{p},2,100,{'4e6' if p in 'abcd' else '1e6'},Cy/Flu"
        for p in "abcdef"
    ),
    "responses": "patient_id,day,response\n"
    + "\n".join(f"{p},130,{r}" for p, r in zip("abcdef", ("CR", "PR", "SD", "PD", "CR", "SD"), strict=True)),
}


def options(**settings):
    return Plan.of({"report": settings}).report


def shown(findings, **settings) -> Document:
    """Return report and supplement as one document."""
    own = replace(findings, plan=findings.plan.model_copy(update={"report": options(**settings)}))
    both = documents(own, ()).values()
    return replace(next(iter(both)), sections=tuple(s for one in both for s in one.sections))


def lines(document: Document) -> list[str]:
    """Return every text of a document: paragraphs, terms, captions, heads and cells."""
    texts: list[str] = []
    for block in document.blocks():
        match block:
            case Paragraph():
                texts.append(document.text(block.text))
            case Pairs():
                texts += [f"{term}: {document.text(text)}" for term, text in block.items]
            case Table():
                texts += [block.caption, *block.head, *(c for row in block.rows for c in (row.head, *row.cells))]
    return texts


def refused(**settings) -> list[tuple[str | None, str]]:
    with pytest.raises(PlanRefused) as caught:
        Plan.of({"report": settings})
    return [(p.column, p.rule) for p in caught.value.problems]


def test_the_example_of_the_documents_is_read():
    made = Plan.of(tomllib.loads(EXAMPLE)).report
    assert (made.journal, made.language, made.digits.percent) == ("Lancet", "en", 1)
    assert made.labels["pfs"] == "PFS"
    assert made.levels["cart1_cy_flu"] == {"yes": "Cy-Flu", "no": "Other"}


HAZARD = Estimate("association", "pfs", "hazard_ratio", estimate=0.3159, lower=0.1488, upper=0.6718, confidence=0.95,
                  p_value=0.00284, unit="ratio", n=43, events=37)  # fmt: skip
SHARE = Estimate("response", "response", "proportion", estimate=17 / 44, lower=0.244, upper=0.545, unit="fraction",
                 n=44, events=17)  # fmt: skip


@pytest.mark.parametrize("place", range(4))
def test_the_table_of_journals_in_the_documents(place):
    rows = [[c.strip() for c in row.strip("|").split("|")] for row in DOCS.splitlines() if row.startswith("| ")]
    start = next(i for i, row in enumerate(rows) if row[1:] == ["none (default)", *JOURNALS])
    cells = {row[0]: row[1 + place] for row in rows[start + 1 : start + 6]}
    with printed_as(ReportOptions(journal=(None, *JOURNALS)[place])) as style:
        inside = number_format.level_before(HAZARD.confidence, number_format.interval(HAZARD))
        assert cells["effect"] == f"{number_format.ratio(0.3159)} ({inside}; {number_format.p_equals(HAZARD)})"
        assert cells["share"] == number_format.share(SHARE)
        assert cells["smallest p"] == number_format.p_is(1e-9)
        assert cells["number of patients"] == number_format.count(12345).replace("\u2009", " ")
        assert cells["caption"] == f"Table 1{style.caption}Title"
    assert number_format.share(SHARE) == "39% (24% to 55%)"  # outside, the house's own again


@pytest.mark.parametrize(
    ("journal", "p", "printed"),
    [("NEJM", 0.046, "P=0.05"), ("NEJM", 0.0123, "P=0.01"), ("NEJM", 0.0049, "P=0.005"), ("NEJM", 0.9999, "P>0.99"),
     ("Lancet", 0.00052, "p=0·00052"), ("Lancet", 0.0052, "p=0·0052"), ("Lancet", 0.25, "p=0·25"),
     ("Lancet", 0.00009, "p<0·0001"), ("Blood", 0.046, "P = .046"), ("Blood", 0.044, "P = .04"),
     ("Blood", 0.0052, "P = .005"), ("Blood", 0.9999, "P > .99"), (None, 0.0123, "p = 0.012")],
)  # fmt: skip
def test_p_values_of_journals(journal, p, printed):
    with printed_as(ReportOptions(journal=journal)):
        assert number_format.p_is(p) == printed


def test_intervals_with_a_word_or_a_sign_keep_to():
    with printed_as(ReportOptions(journal="Lancet")):
        assert number_format.limits("1·2", "3·4") == "1·2–3·4"
        assert number_format.limits("1·2", "not reached") == "1·2 to not reached"
        assert number_format.limits("−3%", "4%") == "−3 to 4"
        assert number_format.limits("<0·01", "0·4") == "<0·01 to 0·4"
        assert number_format.count(1234) == "1234"


def test_own_digits_stand_above_the_journal_s():
    with printed_as(options(journal="NEJM", digits={"percent": 2, "ratio": 3, "months": 0, "number": 2, "p": 4})):
        assert number_format.share(SHARE) == "38.64% (24.40 to 54.50)"
        assert number_format.ratio(34.0401) == "34.040"
        assert number_format.ratio(0.0004) == "<0.001"
        assert number_format.months(304.375) == "10"
        assert number_format.plain(55.0) == "55.00"
        assert [number_format.p_is(p) for p in (0.0123, 0.00001, 0.99999)] == ["P=0.0123", "P<0.0001", "P>0.9999"]


def test_every_rule_of_a_journal_has_its_source():
    journals = declared_journals()
    assert set(journals) == {"house", *JOURNALS}
    for name in JOURNALS:
        own = set(journals[name]) - {"source"}
        assert own <= set(journals["house"])
        assert own <= set(journals[name]["source"]), name
        assert all(text.startswith(("stated: ", "seen: ")) for text in journals[name]["source"].values())
        assert style_of(ReportOptions(journal=name)) != style_of(ReportOptions())


@pytest.mark.parametrize("journal", JOURNALS)
def test_the_numbers_of_a_report_are_the_records_in_the_journal_s_form(demo_findings, journal):
    document = shown(demo_findings, journal=journal)
    records = demo_findings.estimates
    with printed_as(ReportOptions(journal=journal)):
        ratios = {f"{number_format.ratio(e.estimate)} ({number_format.interval(e)})" for e in records
                  if e.statistic.endswith("_ratio")}  # fmt: skip
        p = {number_format.p_is(e.p_value) for e in records if e.p_value is not None} | {
            number_format.level_of_test(0.05)
        }
    tables = [b for b in document.blocks() if isinstance(b, Table) and b.name.startswith("association_")]
    rows = [row.cells for table in tables for row in table.rows if row.cells[3] != "not estimable"]
    cells = [effect for _, _, _, effect, *_ in rows if effect]
    joint = [row for row in rows if not row[3]]  # of all levels together: a p alone
    assert len(joint) == 5
    assert all(row[4] for row in joint)
    assert len(cells) > 60
    assert set(cells) <= ratios
    told = [x for text in lines(document) for x in re.findall(r"[pP](?: [=<>] |[=<>])[.\d·]*\d", text)]
    assert len(told) > 8
    assert set(told) <= p


def test_the_lancet_s_points_are_midline_wherever_a_number_stands(demo_findings):
    document = shown(demo_findings, journal="Lancet")
    tables = [b for b in document.blocks() if isinstance(b, Table) and b.name != "strobe"]
    cells = [c for table in tables for row in table.rows for c in (*table.head, *row.cells)]
    assert sum("·" in c for c in cells) > 400
    assert [c for c in cells if re.search(r"\d\.\d", c)] == []
    plan = demo_findings.plan.model_copy(update={"report": options(journal="Lancet")})
    drawn = [
        draw() for _, name, draw in figures(replace(demo_findings, plan=plan)) if name.startswith(("km_", "forest"))
    ]
    assert len(drawn) > 8
    assert [d.alt for d in drawn if d and re.search(r"\d\.\d", d.alt)] == []


def test_labels_stand_in_tables_figures_and_sentences(demo_findings):
    settings = {
        "labels": {"cart1_cy_flu": "Fludarabine first", "pfs": "Time without progression", "age_years": "Age then",
                   "histology": "Type of cell"},
        "levels": {"cart1_cy_flu": {"yes": "Cy-Flu", "no": "No Flu"}, "diagnosis": {"CLL": "Chronic leukaemia"}},
    }  # fmt: skip
    document = shown(demo_findings, **settings)
    text = "\n".join(lines(document))
    assert "Cy-Flu before CART1" not in text.replace("Cy-Flu before CART1, at a later infusion", "")  # of an infusion
    assert "Fludarabine first" in text
    assert "Fludarabine first: No Flu" in text
    assert "Fludarabine first: no" not in text
    assert "Progression-free survival" not in text
    assert "Age then, per 10 years" in text  # the unit of the effect stays
    assert "Type of cell" in text
    assert not re.search(r"\bCLL\b", " ".join(h for b in document.blocks() if isinstance(b, Table) for h in b.head))
    plan = demo_findings.plan.model_copy(update={"report": options(**settings)})
    drawn = {name: draw for _, name, draw in figures(replace(demo_findings, plan=plan))}
    curve = drawn["km_pfs_by_cart1_cy_flu"]()
    assert curve is not None
    assert curve.title == "Time without progression by fludarabine first"
    assert set(curve.data["group"]) == {"Cy-Flu", "No Flu"}


def test_the_report_s_settings_change_no_result(tmp_path):
    cohort = read(tmp_path, **COHORT)
    settings = {"journal": "Blood", "labels": {"pfs": "PFS"}, "levels": {"diagnosis": {"CLL": "Chronic"}}}
    one, other = (Study(cohort, plain(Plan.of(s))).run() for s in ({}, {"report": settings}))
    assert one.estimates == other.estimates
    assert one.warnings == other.warnings
    assert [html(b) for b in briefs(one).values()] == [html(b) for b in briefs(other).values()]
    assert Plan.of({"report": settings}).is_built_in
    assert not other.plan.is_built_in  # `plain` leaves analyses out


def test_a_label_of_a_level_that_no_patient_has_is_told(tmp_path):
    plan = plain(Plan.of({"report": {"levels": {"diagnosis": {"CLLL": "Chronic"}, "sex": {"F": "female"}}}}))
    texts = [w["text"] for w in Study(read(tmp_path, **COHORT), plan).run().warnings]
    assert [t for t in texts if t.startswith("report")] == [
        "report.levels.diagnosis: no analysed patient has CLLL; levels in these data: ALL, CLL, NHL"
    ]


def test_all_that_is_wrong_is_refused_together():
    assert refused(journal="JAMA", language="fr", digits={"percent": 9}, colour="red") == [
        ("report.journal", "Input should be 'Blood', 'NEJM' or 'Lancet'"),
        ("report.language", "reports are written in English (en); the patients' brief alone has languages"),
        ("report.digits.percent", "Input should be less than or equal to 4"),
        ("report.colour", "is not a setting of a plan"),
    ]
    assert refused(labels={"cart1_cyflu": "A", "histology": "B"}, levels={"sexx": {"F": "female"}}) == [
        (None, "report.labels.cart1_cyflu: 'cart1_cyflu' is no factor, endpoint or baseline variable, did you mean "
               "cart1_cy_flu?"),
        (None, "report.levels.sexx: 'sexx' is no factor, endpoint or baseline variable, did you mean sex?"),
    ]  # fmt: skip
    assert refused(labels={"pfs": "A", "os": "A"}, levels={"sex": {"F": "x", "M": "x"}}) == [
        ("report", "labels: 'A' stands for pfs and os; levels.sex: 'x' stands for F and M")
    ]
