"""A document in every format: declared once, read back from HTML, Word and PDF."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter

import docx
import polars as pl
import pytest
from docx.oxml.ns import qn
from pypdf import PdfReader

from pages import Page, contrasts, docx_text, inaccessible, outside, pdf_text
from reinfuse.report.document.docx import word
from reinfuse.report.document.html import html
from reinfuse.report.document.model import (
    Bullets,
    Cite,
    Document,
    Pairs,
    Paragraph,
    Picture,
    Ref,
    Row,
    Section,
    Table,
    beside,
    widths,
    with_citations,
)
from reinfuse.report.document.pdf import pdf
from reinfuse.report.document.typst import png
from reinfuse.report.figures.theme import Drawn

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48" viewBox="0 0 96 48">'
    b'<rect width="96" height="48"/></svg>'
)


def drawn(name, columns=2):
    return Drawn(name, f"Drawing {name}", f"A black box called {name}.", SVG, pl.DataFrame(), columns)


def small():
    """Return a document with one of everything, and texts that no format may take for its own signs."""
    table = Table(
        "one",
        "Doses & <b>counts</b>",
        ("", "n", "Share"),
        (Row("All #patients", ("3", "33% [a]")), Row("*CLL*", ("1", "$x_1$ {{ 7 }}"), inner=True)),
        ("(1) few",),
    )
    inner = Section("inner", "Inside", (Picture(drawn("box"), "Seen once."), Paragraph("small print", "aside")))
    first = Section(
        "first",
        "First & last",
        (
            Paragraph(
                (
                    "See ",
                    Ref("table", "one"),
                    " and ",
                    Ref("figure", "box"),
                    ", ",
                    Ref("section", "inner"),
                    Cite((1, 2)),
                    ".",
                )
            ),
            table,
            inner,
        ),
        "First",
    )
    last = Section("last", "Notes", (Bullets(("a @ref", with_citations("b [2]"))), Pairs((("Rule", "x < y"),)),
                   Section("references", "References", (Bullets(("One.", "Two."), numbered=True),))))  # fmt: skip
    return Document("A title", "2020-01-02", (first, last), banners=("Synthetic",), facts={"date": "2020-01-02"})


def pixels(document):
    return {b.name: png(b.drawn.svg) for b in document.blocks() if isinstance(b, Picture)}


def test_numbers_follow_the_order_and_links_read_them():
    document = small()
    assert document.numbers == {("table", "one"): 1, ("figure", "box"): 1}
    assert document.text(document.sections[0].blocks[0].text) == "See Table 1 and Figure 1, Inside[1, 2]."
    with pytest.raises(KeyError):
        document.label(Ref("table", "two"))


def test_citations_are_found_in_a_text():
    assert with_citations("by Firth [3, 4], in all.") == ("by Firth ", Cite((3, 4)), ", in all.")
    assert with_citations("none [a]") == ("none [a]",)


def test_figures_of_one_column_stand_side_by_side():
    a, b, c = (Picture(drawn(n, columns=1)) for n in "abc")
    wide = Picture(drawn("w"))
    assert list(beside((a, b, c))) == [(a, b), (c,)]
    assert list(beside((a, wide, b, c))) == [(a,), (wide,), (b, c)]


def test_a_column_is_as_wide_as_its_longest_word():
    table = Table("t", "", ("", "n"), (Row("x" * 40, ("3",)), Row("y", ("4",))))
    assert widths(table) == [41.0, 4.0]


def test_texts_are_no_program_in_any_format(tmp_path):
    document = small()
    page = Page(html(document))
    (tmp_path / "d.docx").write_bytes(word(document, pixels(document)))
    (tmp_path / "d.pdf").write_bytes(pdf(document))
    for text in (page.plain, docx_text(tmp_path / "d.docx"), pdf_text(tmp_path / "d.pdf")):
        flat = re.sub(r"\s+", " ", text)
        for said in ("Doses & <b>counts</b>", "33% [a]", "$x_1$ {{ 7 }}", "*CLL*", "All #patients", "a @ref", "x < y",
                     "See Table 1 and Figure 1, Inside[1, 2].", "First & last", "Synthetic"):  # fmt: skip
            assert said in flat, said


def test_html_is_accessible_and_loads_nothing():
    page = Page(html(small()))
    assert inaccessible(page) == []
    assert outside(page) == []


def test_the_checks_of_a_page_find_what_is_wrong():
    """The checks themselves can fail."""
    bad = Page(
        "<html><head><title></title><style>:root{--ink:#777;--paper:#888;--faint:#000;--accent:#000;--tint:#fff;"
        '--warn:#fff;--warn-ink:#000}</style></head><body><h1>a</h1><h3>b</h3><img src="https://x/y.png" alt="">'
        '<table><tr><th>x</th></tr></table><a href="#no">z</a><div><p id="q"></div></p><p id="q" onclick="f()"></p>'
        "<script>1</script></body></html>"
    )
    found = " | ".join(inaccessible(bad))
    for said in (
        "no language",
        "no title",
        "main is there 0 times",
        "heading 3 after 1",
        "image without words",
        "without caption",
        "without scope",
        "id q occurs twice",
        "link #no leads nowhere",
        "closes",
        "ink on paper: contrast 1.3",
    ):
        assert said in found, said
    assert outside(bad) == ["script", "https://x/y.png", "onclick"]
    assert [
        round(c, 1)
        for _, _, c in contrasts(
            ":root{--ink:#000;--paper:#fff;--faint:#767676;--accent:#000;--tint:#fff;--warn:#fff;--warn-ink:#000}"
        )
    ][:2] == [21.0, 4.5]


def test_word_has_real_tables_captions_and_links(tmp_path):
    document = small()
    made = docx.Document(io.BytesIO(word(document, pixels(document))))
    table = made.tables[0]
    assert [[c.text for c in row.cells] for row in table.rows] == [
        ["", "n", "Share"], ["All #patients", "3", "33% [a]"], ["*CLL*", "1", "$x_1$ {{ 7 }}"]]  # fmt: skip
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    xml = made.element.xml
    assert [p.text for p in made.paragraphs if p.style.name == "Caption"] == [
        "Table 1. Doses & <b>counts</b>", "Figure 1. Drawing box. Seen once."]  # fmt: skip
    assert len(re.findall(r"SEQ (?:Table|Figure) \\\* ARABIC", xml)) == 2
    marks = set(re.findall(r'w:bookmarkStart [^>]*w:name="(\w+)"', xml))
    assert set(re.findall(r"REF (\w+) ", xml)) | set(re.findall(r'w:anchor="(\w+)"', xml)) <= marks
    assert marks >= {"table_one", "figure_box", "section_first", "section_inner"}
    assert xml.count('fldCharType="begin"') == xml.count('fldCharType="separate"') == xml.count('fldCharType="end"')
    assert re.findall(r'<wp:docPr [^>]*descr="([^"]*)"', xml) == ["A black box called box."]
    assert [p.text for p in made.paragraphs if p.style.name.startswith("Heading")] == [
        "First & last",
        "Inside",
        "Notes",
        "References",
    ]
    assert made.core_properties.title == "A title"
    assert made.core_properties.language == "en"


def test_pdf_is_tagged_with_bookmarks_and_page_numbers():
    read = PdfReader(io.BytesIO(pdf(small())))
    root = read.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] is True or bool(root["/MarkInfo"]["/Marked"])
    assert root["/Lang"] == "en"
    assert read.metadata.title == "A title"
    assert [str(o["/Title"]) for o in read.outline if not isinstance(o, list)] == ["First & last", "Notes"]
    kinds, alts = Counter(), []
    _structure(root["/StructTreeRoot"], kinds, alts)
    assert kinds["/Table"] == 1
    assert kinds["/TH"] >= 3
    assert kinds["/TR"] == 3
    assert {"/H1", "/H2", "/L", "/LI"} <= set(kinds)
    assert "A black box called box." in alts
    assert "Page 1 of 1" in read.pages[0].extract_text()


def _structure(node, kinds, alts):
    """Count the kinds of a tagged tree's elements, and collect alternative texts."""
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            _structure(one, kinds, alts)
        return
    if not isinstance(node, dict):
        return
    kinds[node.get("/S")] += 1
    if "/Alt" in node:
        alts.append(str(node["/Alt"]))
    if "/K" in node:
        _structure(node["/K"], kinds, alts)


def test_pixels_are_300_an_inch(sharp_pixels):
    made = png(SVG)
    assert (int.from_bytes(made[16:20]), int.from_bytes(made[20:24])) == (300, 150)


def test_the_same_document_gives_the_same_bytes():
    document = small()
    assert html(document) == html(small())
    assert pdf(document) == pdf(small())
    parts = [zipfile.ZipFile(io.BytesIO(word(small(), pixels(document)))).read("word/document.xml") for _ in range(2)]
    assert parts[0] == parts[1]


# Report and supplement of the synthetic cohort, in three formats


@pytest.fixture(scope="module", params=["report", "supplement"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def page(demo_report, name):
    return Page((demo_report / f"{name}.html").read_text(encoding="utf-8"))


def test_the_report_is_accessible_and_loads_nothing(page):
    assert inaccessible(page) == []
    assert outside(page) == []


def test_word_shows_every_table_as_html_does(demo_report, page, name):
    body = docx.Document(str(demo_report / f"{name}.docx")).element.body
    tables = [t for t in body.iter(qn("w:tbl")) if t.tblPr.find(qn("w:tblCaption")) is not None]  # not those of a row
    assert len(tables) == len(page.tables) > 5
    for one, other in zip(tables, page.tables, strict=True):
        assert [[tc.p_lst[0].text for tc in row.tc_lst] for row in one.tr_lst] == other
    captions = [p for p in body.iter(qn("w:p")) if p.style == "Caption"]
    texts = ["".join(t.text or "" for t in p.iter(qn("w:t"))) for p in captions]
    assert [t for t in texts if t.startswith("Table")] == page.captions


def test_word_puts_a_table_and_a_figure_of_one_column_beside_each_other():
    table = Table("one", "Doses", ("", "n"), (Row("All", ("3",)),), ("few",), columns=1)
    first = Section("first", "First", (table, Picture(drawn("box", columns=1)), Paragraph("after")))
    document = Document("A title", "", (first,))
    made = docx.Document(io.BytesIO(word(document, pixels(document))))
    left, right = made.tables[0].rows[0].cells
    assert [p.text for p in left.paragraphs] == ["Table 1. Doses", "few."]
    assert [[c.text for c in row.cells] for row in left.tables[0].rows] == [["", "n"], ["All", "3"]]
    assert [p.text for p in right.paragraphs] == ["", "Figure 1. Drawing box."]
    (width,) = {int(e.get("cx")) for e in right._tc.iter(qn("wp:extent"))}
    assert width < made.tables[0].columns[1].width  # it is not cut
    assert [p.text for p in made.paragraphs][-2:] == ["", "after"]


def test_the_three_formats_show_the_same_numbers(demo_report, page, name):
    """Every number of the HTML stands as often in Word; each of its cells, and each sentence, stands in the PDF."""
    told = docx_text(demo_report / f"{name}.docx")
    numbers = [Counter(re.findall(r"\d+(?:[.,]\d+)*", text)) for text in (page.plain, told)]
    assert sum(numbers[0].values()) > 800
    assert numbers[0] == numbers[1]
    printed = re.sub(r"\s+", "", pdf_text(demo_report / f"{name}.pdf"))
    missing = [
        cell for table in page.tables for row in table for cell in row if re.sub(r"\s+", "", cell) not in printed
    ]
    assert missing == []
    sentences = [re.sub(r"\s+", "", line) for line in page.plain.splitlines() if len(line) > 40]
    assert [s for s in sentences if s not in printed] == []


def test_every_figure_stands_in_one_document(demo_report):
    files = {p.stem for p in (demo_report / "figures").glob("*.svg")}
    pages = [Page((demo_report / f"{name}.html").read_text(encoding="utf-8")) for name in ("report", "supplement")]
    ids = [told["id"] for page in pages for told in page.all("figure")]
    shown = [one.removeprefix("figure-") for one in ids if one.startswith("figure-")]
    assert sorted(shown) == sorted(files)
    assert {p.stem for p in (demo_report / "figures").glob("*.csv")} == files == {
        p.stem for p in (demo_report / "figures").glob("*.png")}  # fmt: skip
    assert all(pl.read_csv(p, infer_schema_length=None).height for p in (demo_report / "figures").glob("*.csv"))


def test_a_table_wider_than_a_phone_says_so(page):
    """390 px show about 48 letters; the cue stands before what scrolls."""
    cues = page.text.count(">Wider than the screen: scroll sideways<")
    wide = sum(told["class"] == "wide" for told in page.all("figure"))
    rows = [sum(map(len, row)) for table in page.tables for row in table]
    assert max(rows) > 48
    assert wide < cues <= wide + len(page.tables)
    for narrow in (Table("n", "Narrow", ("", "n"), (Row("All", ("3",)),)), small().sections[0].blocks[1]):
        assert "scroll sideways" not in html(Document("t", "", (Section("s", "S", (narrow,)),)))
    long = Table("w", "Wide", ("", "n", "m"), (Row("All", ("3 of 9 (33%), 95% CI 7 to 70", "3 of 9 (33%)")),))
    assert html(Document("t", "", (Section("s", "S", (long,)),))).count("scroll sideways") == 1
