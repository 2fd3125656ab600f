"""A sheet's rows are the same however they are read: as plain text, by an XML parser, or by openpyxl itself."""

import random
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.utils.escape import unescape  # openpyxl itself leaves _x000D_ as it stands in the file

from helpers import with_part
from reinfuse.tabular import limits
from reinfuse.tabular.cell_parsing import as_text
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.plain_rows import NotPlain, column_of, read_rows
from reinfuse.tabular.workbook import read_sheets

VALUES = ("P1", "a & b < c > \"d\" 'e'", " spaces ", "line\nbreak", "Größe 漢字", "x_y", 0, 7, -3, 1.5, 1e-7, 2e6,
          1e21, 12345678901234567, True, False, date(2020, 1, 2), datetime(2020, 1, 2, 13, 45), datetime(1900, 1, 5),
          time(8, 30), timedelta(hours=30), "#N/A", "#REF!", "=A1+1", "=SUM(A1:A3)", "", None)  # fmt: skip


def written(tmp_path, seed, *, epoch=None):
    """Write a sheet of random cells."""
    rng = random.Random(seed)
    book = openpyxl.Workbook()
    if epoch:
        book.epoch = epoch
    sheet = book.active
    for i in range(1, 40):
        for j in range(1, 12):
            if (value := rng.choice(VALUES)) is not None:
                sheet.cell(i, rng.choice((j, j + 30)), value)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["C"].hidden = True
    sheet.merge_cells("F5:G6")
    book.save(tmp_path / "random.xlsx")
    return tmp_path / "random.xlsx"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
def test_rows_are_the_same_whoever_reads_them(tmp_path, seed, epoch):
    path = written(tmp_path, seed, epoch=epoch)
    plain = read_sheets(path.read_bytes())
    other = with_part(path, b"<row ", b"\n<row ")  # what stands between the rows is for the XML parser
    assert read_sheets(other.read_bytes()) == plain
    book = openpyxl.load_workbook(path, data_only=True)
    texts = {(c.row - 1, c.column - 1): unescape(as_text(c.value)) for row in book.active.iter_rows() for c in row}
    grid = plain[0].grid
    read = {(i, j): text for i, row in [(0, grid.header), *grid.rows]
            for j, text in zip(grid.columns, row, strict=True) if text}  # fmt: skip
    assert read == {place: text for place, text in texts.items() if text.strip()}
    assert plain[0].hidden_rows == ((2,) if any(i == 2 for i, _ in read) else ())
    assert plain[0].unstored


@pytest.mark.parametrize("rows", [
    '<row r="1"><c r="A1"><v>1</v></c></row><!-- 2 --><row r="2"/>',
    '<row r="1"><c r="A1" t="s"><v>0</v><x/></c></row>',
    '<row r="1"><c r="A2"><v>1</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v>&nbsp;</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v>\x01</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c><row r="2"><c r="A2"><v>1</v></c></row></row>',
    '<row r="1"><c r="A1"><v>1</v></c></row> ',
    '<row><c><v>1</v></c></row>',
    f'<row r="1"><c r="A1" t="str"><v>{"a" * 40_001}</v></c></row>',
])  # fmt: skip
def test_rows_that_are_not_plain_are_left_to_the_parser(rows):
    with pytest.raises(NotPlain):
        list(read_rows(rows.encode()))


def test_plain_rows_in_full():
    rows = ('<row r="2"/><row r="3" spans="1:2" hidden="1"><c r="A3" s="4" t="str"><f>B3&amp;"x"</f><v>a&#10;&lt;b</v>'
            '</c><c r="AA3" s="1"/></row><row r="4"><c r="B4"><f>SUM(B1:B3)</f></c></row>')  # fmt: skip
    (three, hidden, cells), (four, shown, formula) = read_rows(rows.encode())
    assert (three, hidden, four, shown) == (2, True, 3, False)
    assert [(c.column, c.style, c.kind, c.value) for c in cells] == [(0, 4, "str", "a\n<b"), (26, 1, "n", None)]
    assert [(c.column, c.value, c.formula) for c in formula] == [(1, None, "SUM(B1:B3)")]
    assert (column_of("A"), column_of("Z"), column_of("AA"), column_of("XFD")) == (0, 25, 26, 16_383)


def test_elements_are_counted_once_whichever_way_they_are_read(tmp_path, monkeypatch):
    path = written(tmp_path, 1)
    other = with_part(path, b"<row ", b"\n<row ")
    counts = []
    for one in (path, other):
        for most in range(200, 3000, 20):
            monkeypatch.setattr(limits, "ELEMENTS", most)
            try:
                read_sheets(one.read_bytes())
            except Unreadable:
                continue
            counts.append(most)
            break
    assert counts[0] == counts[1]
