"""A document for Word: real tables, captions, cross-references and alternative texts.

Captions number themselves (SEQ fields), cross-references follow them (REF fields to bookmarks); every field holds its
result already, so that nothing need be updated to be read.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import docx
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Length, Pt, RGBColor

from reinfuse.report.document.docx_grid import (
    HALF,
    WIDTH,
    fill_cell,
    indent_cell,
    rule,
    set_equal_widths,
    set_heads,
    set_widths,
)
from reinfuse.report.document.model import (
    Block,
    Bullets,
    Cite,
    Document,
    Inline,
    Pairs,
    Paragraph,
    Picture,
    Ref,
    Section,
    Table,
    Text,
    beside,
    cited,
)

_SIZES = {1: HALF, 2: WIDTH}
_MANY_COLUMNS = 5
_LONGEST_PROPERTY = 255
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The time of each part of the file: the same document has the same bytes."""


def word(document: Document, pixels: Mapping[str, bytes]) -> bytes:
    """Return a document as .docx.

    Parameters
    ----------
    pixels
        Name of a figure -> PNG.
    """
    return _Word(document, pixels).bytes()


class _Word:
    """One file in the making."""

    def __init__(self, document: Document, pixels: Mapping[str, bytes]) -> None:
        self.document = document
        self.pixels = pixels
        self.file = docx.Document()
        self.place: Any = self.file
        self._bookmarks = 0
        self._styles = {style.name: style.style_id for style in self.file.styles}
        self._set_up()
        if document.look != "alone":
            self._paragraph("Title", document.title)
        for banner in document.banners:
            self._paragraph("Intense Quote").add_run(banner).bold = True
        if document.subtitle:
            self._paragraph("Subtitle", document.subtitle)
        if document.contents and document.look != "alone":
            self._contents()
        for section in document.sections:
            self._section(section, 1)

    def bytes(self) -> bytes:
        saved, fixed = io.BytesIO(), io.BytesIO()
        self.file.save(saved)
        with ZipFile(saved) as parts, ZipFile(fixed, "w") as same:
            for name in parts.namelist():
                entry = ZipInfo(name, _WHEN)  # else the minute of writing stands in every entry
                entry.compress_type = ZIP_STORED if name.endswith(".png") else ZIP_DEFLATED  # pixels are compressed
                entry.create_system = 0
                same.writestr(entry, parts.read(name))
        return fixed.getvalue()

    def _paragraph(self, style: str, text: str = "") -> Any:
        """Add a paragraph; its style by identifier, since looking for its name takes longer than all else."""
        paragraph = self.place.add_paragraph(text)
        paragraph._p.style = self._styles[style]
        return paragraph

    def _set_up(self) -> None:
        """Set page, fonts and properties."""
        page, facts = self.file.sections[0], self.document.facts
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(1.6)
        styles = self.file.styles
        for name, size in {"Normal": 9, "Title": 17, "Subtitle": 9, "Heading 1": 13, "Heading 2": 12,
                           "Heading 3": 10.5, "Caption": 8.5, "Intense Quote": 9.5}.items():  # fmt: skip
            style: Any = styles[name]
            style.paragraph_format.line_spacing = 1.0
            style.paragraph_format.space_after = Pt(3)
            style.font.name, style.font.size, style.font.color.rgb = "Arial", Pt(size), RGBColor(0x1C, 0x27, 0x33)
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
                fonts.attrib.pop(qn(f"w:{theme}"), None)
            for script in ("ascii", "hAnsi", "cs", "eastAsia"):
                fonts.set(qn(f"w:{script}"), "Arial")
        language = styles.element.find(".//" + qn("w:lang"))
        if language is not None:
            language.set(qn("w:val"), {"en": "en-GB", "es": "es-ES"}.get(self.document.language, "en-GB"))
        own = self.file.core_properties
        texts = (self.document.title, facts.get("generator", ""), " ".join(self.document.banners))
        own.title, own.author, own.comments = (text[:_LONGEST_PROPERTY] for text in texts)
        own.language = self.document.language
        when = facts.get("date", "")
        own.created = own.modified = datetime.fromisoformat(when) if len(when) == 10 else datetime(2000, 1, 1)
        footer = page.footer.paragraphs[0]
        footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
        footer.add_run(f"{self.document.words['page']} ")
        _field(footer, "PAGE", result="1")
        footer.add_run(f" {self.document.words['of']} ")
        _field(footer, "NUMPAGES", result="1")

    def _contents(self) -> None:
        """Add a table of contents: links to the headings, which Word makes anew on request."""
        heading = self._paragraph("Subtitle", self.document.words["contents"])
        heading.paragraph_format.keep_with_next = True
        first: Any = None
        for section in self.document.sections:
            line = self.file.add_paragraph()
            line.paragraph_format.space_after = Pt(0)
            if first is None:
                first = line
                _part(line, "begin")
                _instruction(line, r' TOC \o "1-1" \n \h \u ')
                _part(line, "separate")
            _link(line, _bookmark("section", section.name), text=section.title)
        if first is not None:
            _part(line, "end")

    def _section(self, section: Section, level: int) -> None:
        self._heading(section, level)
        for row in beside(section.blocks):
            if len(row) == 1:
                self._block(row[0], level)
            else:
                self._row(row, level)

    def _block(self, block: Block, level: int) -> None:
        match block:
            case Section():
                self._section(block, level + 1)
            case Paragraph():
                self._text(self.file.add_paragraph(), block.text, small=block.look == "aside")
            case Bullets():
                for item in block.items:
                    style = "List Number" if block.numbered else "List Bullet"
                    self._text(self._paragraph(style), item)
            case Pairs():
                for term, meaning in block.items:
                    line = self.file.add_paragraph()
                    line.add_run(f"{term}: ").bold = True
                    self._text(line, meaning)
            case Table():
                self._table(block)
            case Picture():
                self._picture(block)

    def _row(self, blocks: tuple[Block, ...], level: int) -> None:
        """Put tables or figures of one column beside each other, in a table without lines."""
        grid = self.file.add_table(rows=1, cols=len(blocks))
        set_equal_widths(grid)
        for block, cell in zip(blocks, grid.rows[0].cells, strict=True):
            self.place = cell
            self._block(block, level)
            cell._tc.remove(cell.paragraphs[0]._p)  # a new cell holds an empty one
        self.place = self.file
        self.file.add_paragraph().paragraph_format.line_spacing = Pt(3)  # else it would join a table that follows

    def _heading(self, section: Section, level: int) -> None:
        if section.title:
            heading = self._paragraph(f"Heading {min(level, 3)}")
            self._marked(heading, _bookmark("section", section.name), lambda: heading.add_run(section.title))

    def _text(self, paragraph: Any, text: Text, *, small: bool = False) -> None:
        parts: tuple[Inline, ...] = (text,) if isinstance(text, str) else text
        for part in parts:
            if isinstance(part, Ref) and part.kind != "section":
                _field(paragraph, rf"REF {_bookmark(part.kind, part.name)} \h", result=self.document.label(part))
            elif isinstance(part, Ref):
                _link(paragraph, _bookmark("section", part.name), text=self.document.label(part))
            else:
                run = paragraph.add_run(cited(part) if isinstance(part, Cite) else part)
                run.italic = True if small else None

    def _caption(self, kind: str, name: str, *, text: str) -> Any:
        """Add `Table 3. text`, the label a bookmark."""
        label = self.document.words[kind]
        line = self._paragraph("Caption")
        if self.document.look == "alone":
            line.add_run(text)
            return line

        def numbered() -> None:
            line.add_run(f"{label} {self.document.mark}")
            _field(line, rf"SEQ {label} \* ARABIC", result=str(self.document.numbers[kind, name]))

        self._marked(line, _bookmark(kind, name), numbered)
        line.add_run(f"{self.document.words['after_number']}{text}")
        return line

    def _marked(self, paragraph: Any, name: str, make: Any) -> None:
        """Put what `make` adds to a paragraph inside a bookmark."""
        self._bookmarks += 1
        for kind in ("Start", "End"):
            mark = OxmlElement(f"w:bookmark{kind}")
            mark.set(qn("w:id"), str(self._bookmarks))
            if kind == "Start":
                mark.set(qn("w:name"), name)
            paragraph._p.append(mark)
            if kind == "Start":
                make()

    def _table(self, table: Table) -> None:
        self._caption("table", table.name, text=table.caption).paragraph_format.keep_with_next = True
        grid = self.place.add_table(rows=1 + len(table.rows), cols=len(table.head))
        grid.alignment = WD_TABLE_ALIGNMENT.LEFT
        narrow = self.place is not self.file
        if narrow:
            self.place._tc.remove(self.place.paragraphs[-1]._p)  # a cell adds an empty one behind a table
        set_widths(grid, table, whole=HALF if narrow else WIDTH)
        size = Pt(8 if len(table.head) <= _MANY_COLUMNS and not narrow else 7)
        rule(grid, table.caption)
        lines = [(table.head, False), *(((row.head, *row.cells), row.inner) for row in table.rows)]
        for (texts, inner), row in zip(lines, grid._tbl.tr_lst, strict=True):
            for text, cell in zip(texts, row.tc_lst, strict=True):
                fill_cell(cell, text, size, bold=row is grid._tbl.tr_lst[0])
            if inner:
                indent_cell(row.tc_lst[0])
        set_heads(grid)
        if table.notes:
            self.place.add_paragraph().add_run(table.footnote).font.size = Pt(8)
        else:
            self.place.add_paragraph().paragraph_format.space_after = Pt(2)

    def _picture(self, picture: Picture) -> None:
        line = self.place.add_paragraph()
        line.paragraph_format.keep_with_next = True
        shape = line.add_run().add_picture(io.BytesIO(self.pixels[picture.name]), width=_SIZES[picture.drawn.columns])
        if shape.height > Cm(22):
            shape.width, shape.height = Length(shape.width * Cm(22) / shape.height), Cm(22)
        properties = shape._inline.docPr
        properties.set("descr", picture.drawn.alt)
        properties.set("title", picture.drawn.title)
        self._caption("figure", picture.name, text=picture.caption)


def _bookmark(kind: str, name: str) -> str:
    """Return a name that Word takes: letters, digits and _, at most 40 of them."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in f"{kind}_{name}")
    return plain[:40]


def _part(paragraph: Any, kind: str) -> None:
    part = OxmlElement("w:fldChar")
    part.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(part)


def _instruction(paragraph: Any, text: str) -> None:
    instruction = OxmlElement("w:instrText")
    instruction.set(qn("xml:space"), "preserve")
    instruction.text = text
    paragraph.add_run()._r.append(instruction)


def _field(paragraph: Any, instruction: str, *, result: str) -> None:
    _part(paragraph, "begin")
    _instruction(paragraph, f" {instruction} ")
    _part(paragraph, "separate")
    paragraph.add_run(result)
    _part(paragraph, "end")


def _link(paragraph: Any, bookmark: str, *, text: str) -> None:
    link = OxmlElement("w:hyperlink")
    link.set(qn("w:anchor"), bookmark)
    run = paragraph.add_run(text)
    run.font.color.rgb = RGBColor(0x0B, 0x5C, 0x93)
    link.append(run._r)
    paragraph._p.append(link)
