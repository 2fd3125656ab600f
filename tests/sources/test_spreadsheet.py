"""Sheets as centres keep them: what is header, what is data, what is left out, and that all of it is told."""

from datetime import datetime

import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from helpers import with_part
from reinfuse.sources.read import read_source
from reinfuse.sources.source_table import SheetLayout
from sources.workbooks import EXAMPLES, TRACKING, write_sheets

HEAD = ["ID", "Dx", "Date", "Dose", "CRS"]
ROWS = [
    ["P1", "CLL", datetime(2020, 1, 2), 2.0, 1],
    ["P2", "ALL", datetime(2020, 2, 3), 1.5, 0],
    ["P3", "NHL", datetime(2020, 3, 4), 3.0, 2],
    ["P4", "NHL", datetime(2020, 4, 5), 2.5, 0],
]


def read(tmp_path, rows, *, merges=(), change=None, layouts=None):
    """Read one sheet written to a workbook: its table and all problems."""
    path = write_sheets(tmp_path / "one.xlsx", {"One": (rows, merges)}, change)
    source = read_source(path, layouts=layouts or {})
    return source.table("One"), source


def csv(tmp_path, text, name="one.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_source(path).tables[0]


def headers(table):
    return [c.header for c in table.columns]


def told(table, text):
    """Return the one remark that begins so."""
    (remark,) = [r for r in table.remarks if r.startswith(text)]
    return remark


@pytest.mark.parametrize("name", EXAMPLES)
def test_header_and_data_of_each_example_are_told_apart(name, tmp_path):
    example = EXAMPLES[name]
    source = read_source(example.write(tmp_path))
    assert source.problems == ()
    assert [t.name for t in source.tables] == list(example.sheets)
    for table in source.tables:
        sheet = example.sheets[table.name]
        assert tuple(headers(table)) == sheet.headers
        assert table.layout.header_rows == sheet.header_rows
        assert (table.layout.data_from, table.layout.drop_rows) == (sheet.data_from, sheet.drop_rows)
        filled = [i for i, row in enumerate(sheet.rows, 1) if any(c not in (None, "") for c in row)]
        data = [i for i in filled if i >= sheet.data_from and i not in sheet.left_out]
        assert [row.place for row in table.rows] == [f"row {i}" for i in data]
        for i, row in zip(data, table.rows, strict=True):
            cells = [*sheet.rows[i - 1], *[None] * (len(sheet.headers) - len(sheet.rows[i - 1]))]
            texts = ["" if c is None else c.date().isoformat() if isinstance(c, datetime) else
                     str(int(c)) if isinstance(c, float) and c.is_integer() else str(c) for c in cells]  # fmt: skip
            assert list(row.texts) == texts


def test_what_is_left_out_of_the_tracking_sheet_is_told(tmp_path):
    source = read_source(TRACKING.write(tmp_path))
    table = source.tables[0]
    assert told(table, "left out") == "left out: row 14 ('Total'): a row of totals"
    assert told(table, "not part").startswith("not part of header or data: row 1 ('CAR-T repeat infusions")
    assert source.remarks == ("sheet 'Legend' is not read: it is a legend by its name",)
    assert [c.place for c in table.columns][:3] == ["A", "B", "C"]


def test_the_same_layout_comes_back_when_it_is_given(tmp_path):
    path = TRACKING.write(tmp_path)
    first = read_source(path)
    again = read_source(path, layouts={t.name: t.layout for t in first.tables})
    assert again.problems == ()
    assert [(t.columns, t.rows, t.layout) for t in again.tables] == [
        (t.columns, t.rows, t.layout) for t in first.tables
    ]
    assert "left out: row 14 ('Total'): the map leaves out rows that begin with 'Total'" in again.tables[0].remarks
    assert again.fingerprint == first.fingerprint


def test_a_header_changed_has_another_fingerprint(tmp_path):
    first = read_source(TRACKING.write(tmp_path)).fingerprint
    other = TRACKING.write(tmp_path, lambda book: book.worksheets[0].cell(4, 13, "Dose (x10^8)"))
    assert read_source(other).fingerprint != first


@pytest.mark.parametrize("label", ["Total", "TOTAL:", "Total (n=4)", "Sum", "Summe", "Mean", "Mean ± SD", "Average",
                                   "Median (range)", "N = 4", "Gesamt", "Mittelwert", "Grand total"])  # fmt: skip
def test_rows_of_totals_are_told_by_their_first_text(label, tmp_path):
    table, source = read(tmp_path, [HEAD, *ROWS, [label, None, None, 9.9, 7]])
    assert len(table.rows) == 4
    assert table.layout.drop_rows == (label,)
    assert told(table, "left out") == f"left out: row 6 ({label!r}): a row of totals"
    assert source.problems == ()


@pytest.mark.parametrize("row", [[None, None, None, 9, 3], [None, None, None, 2.25, 0.75], [None, None, None, 4, 4],
                                 ["All", None, None, 9, 3]])  # fmt: skip
def test_rows_of_totals_are_told_by_their_numbers(row, tmp_path):
    table, _ = read(tmp_path, [HEAD, *ROWS, row])
    assert len(table.rows) == 4
    assert "of the other rows" in told(table, "left out")


@pytest.mark.parametrize("rows", [
    [["Summe Pat.", 4]], [["Total perfusions", 4, None]], [["計", "4例"]], [["总计", "4"]],
    [["male", 3], ["female", 1]], [[], ["weiblich", None, 1]], [[], [None, "3 pts"]],
])  # fmt: skip
def test_the_last_rows_that_count_the_others_are_totals(rows, tmp_path):
    table, source = read(tmp_path, [HEAD, *ROWS, *rows])
    assert len(table.rows) == 4
    assert table.layout.drop_rows == tuple(r[0] for r in rows if r and r[0])
    assert "a row of totals" in told(table, "left out")
    assert source.problems == ()


@pytest.mark.parametrize("row", [["female", "NHL", None, 2.0, 1], ["Neu", 40], ["male", "NHL"], [None, 1], ["P5", 2],
                                 ["Sum Wai", "NHL", datetime(2020, 5, 6), 2.0, 1]])  # fmt: skip
def test_last_rows_that_are_full_or_hold_no_counts_stay(row, tmp_path):
    table, _ = read(tmp_path, [HEAD, *ROWS, row])
    assert table.rows[-1].place == "row 6"


@pytest.mark.parametrize(("dose", "crs"), [("=SUM(D2:D5)", "=SUM(E2:E5)"), ("=SUBTOTAL(109,T[Dose])", 3),
                                           ("=AVERAGE(T[Dose])", "=COUNTIF(E$2:E$5,3)")])  # fmt: skip
def test_rows_of_totals_are_told_by_their_formulas(tmp_path, dose, crs):
    rows = [HEAD, *ROWS, ["alle Pat.", None, None, dose, crs]]
    path = write_sheets(tmp_path / "one.xlsx", {"One": (rows, ())})
    (table,) = read_source(path).tables
    assert [r.place for r in table.rows] == ["row 2", "row 3", "row 4", "row 5"]
    assert table.layout.drop_rows == ("alle Pat.",)


@pytest.mark.parametrize("row", [
    ["P5", "NHL", datetime(2020, 5, 6), 9.0, 3],  # numbers that are the sums of the others, but an identifier
    [None, "NHL", datetime(2020, 5, 6), 2.0, 1],  # no identifier, but no totals: the map's follower asks
    ["P5", None, None, None, None],  # a patient of whom nothing is known
    ["Sum, Wai", "NHL", datetime(2020, 5, 6), 2.0, 1],
])  # fmt: skip
def test_rows_of_patients_stay(row, tmp_path):
    table, _ = read(tmp_path, [HEAD, *ROWS, row])
    assert table.rows[-1].place == "row 6"
    assert table.layout.drop_rows == ()


def test_formulas_along_a_row_are_no_totals(tmp_path):
    rows = [["ID", "a", "b", "sum"], *([f"P{i}", i, 2, f"=SUM(B{i}:C{i})"] for i in range(2, 6))]
    table, _ = read(tmp_path, rows)
    assert len(table.rows) == 4
    assert table.layout.drop_rows == ()


def test_a_total_that_the_map_does_not_know_is_a_problem(tmp_path):
    layout = SheetLayout("One", (1,), 2)
    rows = [HEAD, *ROWS, ["Total", None, None, 9.0, 3]]
    table, source = read(tmp_path, rows, layouts={"One": layout})
    (problem,) = source.problems
    assert (problem.table, problem.row, problem.column, problem.value) == ("One", 6, "ID", "Total")
    remedy = "write drop_rows = ['Total'] for this sheet in the map, or keep_rows = ['Total'] if it is a patient"
    assert problem.remedy == remedy
    keep = SheetLayout("One", (1,), 2, keep_rows=("Total",))
    table, source = read(tmp_path, rows, layouts={"One": keep})
    assert (len(table.rows), source.problems) == (5, ())


def test_notes_below_the_table_and_repeated_headers_are_left_out(tmp_path):
    rows = [HEAD, *ROWS[:2], HEAD, *ROWS[2:], [], ["* bridging with steroids"], ["CR = complete remission"]]
    table, _ = read(tmp_path, rows)
    assert [r.place for r in table.rows] == ["row 2", "row 3", "row 5", "row 6"]
    assert "left out: row 4 ('ID'): the header once more" in table.remarks
    notes = "row 8 ('* bridging with steroids'), row 9 ('CR = complete remission'): a note below the table"
    assert f"left out: {notes}" in table.remarks


def test_a_header_of_three_rows_with_units_is_composed(tmp_path):
    rows = [["CAR-T"], ["", "CART #1", None, "CART #2", None], ["ID", "Date", "Dose", "Date", "Dose"],
            [None, None, "x10^6/kg", None, "x10^6/kg"],
            ["P1", datetime(2020, 1, 2), 2, datetime(2020, 9, 2), 4],
            ["P2", datetime(2020, 1, 3), 1, None, None]]  # fmt: skip
    table, _ = read(tmp_path, rows, merges=("B2:C2", "D2:E2"))
    assert headers(table) == ["ID", "CART #1 | Date", "CART #1 | Dose | x10^6/kg", "CART #2 | Date",
                              "CART #2 | Dose | x10^6/kg"]  # fmt: skip
    assert (table.layout.header_rows, table.layout.data_from) == ((2, 3, 4), 5)


def test_groups_that_are_not_merged_stand_over_the_columns_to_their_right(tmp_path):
    table = csv(tmp_path, "My list\n\n,CART 1,,CART 2,,\nID,Date,CRS,Date,CRS,Comment\n"
                          "P1,2020-01-02,1,2020-09-02,0,none\nP2,2020-01-03,2,2020-10-02,1,\n")  # fmt: skip
    assert headers(table) == ["ID", "CART 1 | Date", "CART 1 | CRS", "CART 2 | Date", "CART 2 | CRS", "Comment"]
    assert table.layout.header_rows == (3, 4)
    assert "row 3: 'CART 2' is not merged, and is taken to stand over columns D to E" in table.remarks
    assert [r.place for r in table.rows] == ["row 5", "row 6"]


def test_headers_that_occur_twice_and_columns_without_one_are_named_by_letters(tmp_path):
    table, _ = read(tmp_path, [["ID", "Date", "Date", None], ["P1", datetime(2020, 1, 2), datetime(2020, 1, 3), 5],
                               ["P2", datetime(2020, 1, 2), datetime(2020, 1, 3), 6]])  # fmt: skip
    assert headers(table) == ["ID", "Date (column B)", "Date (column C)", "column D"]
    assert len(set(table.positions)) == 4


def test_merged_cells_of_data_hold_their_text_in_each_and_this_is_told(tmp_path):
    rows = [["ID", "No", "Date"], ["P1", 1, datetime(2020, 1, 2)], [None, 2, datetime(2020, 9, 2)],
            ["P2", 1, datetime(2020, 3, 2)], ["P3", "lost to follow-up", None]]  # fmt: skip
    table, _ = read(tmp_path, rows, merges=("A2:A3", "B5:C5"))
    assert table.texts("ID") == ["P1", "P1", "P2", "P3"]
    assert table.rows[-1].texts == ("P3", "lost to follow-up", "lost to follow-up")
    assert told(table, "merged cells").endswith("A2:A3, B5:C5")


def test_what_a_reader_sees_beside_the_texts_is_told(tmp_path):
    def mark(book):
        sheet = book["One"]
        sheet["B3"].font = Font(strike=True)
        for column in "ABCDE":
            sheet[f"{column}4"].font = Font(strike=True)
        sheet["D2"].comment = Comment("total cells?", "me")
        sheet["E3"].fill = PatternFill("solid", fgColor="FFFF0000")
        sheet.row_dimensions[5].hidden = True
        sheet.column_dimensions["B"].hidden = True
        sheet["D5"].number_format = "0.0,,"

    table, _ = read(tmp_path, [HEAD, *ROWS], change=mark)
    assert len(table.rows) == 4
    assert "struck through, and read as the others are: row 4" in table.remarks
    assert "struck through, and read as the others are: B3" in table.remarks
    assert "comments, which are not carried over: D2" in table.remarks
    assert "colours of cells, which are not carried over: column E ('CRS')" in table.remarks
    assert "hidden and read as the others are: row 5" in table.remarks
    assert "hidden and read as the others are: column B ('Dx')" in table.remarks
    assert "shown in thousands or millions of the number that is read: D5" in table.remarks


def test_coloured_rows_are_told_and_a_sheet_in_one_colour_or_in_bands_is_not(tmp_path):
    def fill(rows):
        def change(book):
            for row in rows:
                for column in "ABCDE":
                    book["One"][f"{column}{row}"].fill = PatternFill("solid", fgColor="FFFFFF00")

        return read(tmp_path, [HEAD, *ROWS], change=change)[0].remarks

    assert fill([3]) == ("colours of whole rows, which are not carried over: row 3",)
    assert fill([2, 4]) == ()
    assert fill([1, 2, 3, 4, 5]) == ()


def test_failed_and_uncalculated_formulas_are_errors_in_their_cells(tmp_path):
    table, _ = read(tmp_path, [HEAD, *ROWS[:2], ["P3", "NHL", "#REF!", "=D2*2", 1]])
    assert table.rows[-1].texts == ("P3", "NHL", "#REF!", "#UNCALCULATED!", "1")
    assert told(table, "formulas that failed") == "formulas that failed: C4 (#REF!)"
    assert "D4" in told(table, "formulas without a stored result")


def test_numbers_and_dates_are_taken_as_they_are_shown(tmp_path):
    rows = [["ID", "Blasts", "First relapse", "Dose", "MRD", "Year"],
            [7, 0.85, datetime(2019, 3, 1), 2, 0.01, datetime(2019, 1, 1)],
            [12, 0.125, datetime(2019, 3, 9), 2.5, 0.02, datetime(2018, 1, 1)]]  # fmt: skip

    def form(book):
        forms = {"A": "0000", "B": "0%", "C": "mmm yyyy", "D": '0.0" x10^6/kg"', "E": '"<"0.00', "F": "yyyy"}
        for column, one in forms.items():
            book["One"][f"{column}2"].number_format = book["One"][f"{column}3"].number_format = one

    table, _ = read(tmp_path, rows, change=form)
    assert table.rows[0].texts == ("0007", "85%", "2019-03", "2 x10^6/kg", "<0.01", "2019")
    assert table.rows[1].texts == ("0012", "12.5%", "2019-03-09", "2.5 x10^6/kg", "<0.02", "2018")


def test_raised_digits_are_a_power_and_a_text_struck_in_part_is_told(tmp_path):
    power = CellRichText("2x10", TextBlock(InlineFont(vertAlign="superscript"), "6"))
    struck = CellRichText("CR ", TextBlock(InlineFont(strike=True), "PD"))
    product = CellRichText("CD19", TextBlock(InlineFont(vertAlign="superscript"), "+"))
    table, _ = read(tmp_path, [["ID", "Dose", "Resp", "Target"], ["P1", power, struck, product],
                               ["P2", "3x10^6", "CR", "CD22"]])  # fmt: skip
    assert table.rows[0].texts == ("P1", "2x10^6", "CR PD", "CD19+")
    assert "struck through, and read as the others are: C2" in table.remarks


def test_all_sheets_with_data_are_read_and_the_others_told(tmp_path):
    sheets = {"A": ([HEAD, *ROWS], ()), "old": ([HEAD, *ROWS], ()), "Codes": ([["1", "CR"], ["2", "PR"]], ()),
              "x": ([["CR = complete remission"], ["PR = partial remission"]], ()), "empty": ([], ())}  # fmt: skip

    def hide(book):
        book["old"].sheet_state = "hidden"

    source = read_source(write_sheets(tmp_path / "many.xlsx", sheets, hide))
    assert [t.name for t in source.tables] == ["A", "old"]
    assert source.table("old").remarks == ("the sheet is hidden",)
    assert source.remarks == (
        "sheet 'Codes' is not read: it is a legend by its name",
        "sheet 'x' is not read: it has one column",
    )


@pytest.mark.parametrize(("text", "name", "encoding"), [
    ("sep=;\nID;Dose;Date\nP1;1,5;2020-01-02\nP2;2,5;2020-01-03\n", "a.csv", "utf-8"),
    ("ID\tDose\tDate\nP1\t1,5\t2020-01-02\nP2\t2,5\t2020-01-03\n", "a.tsv", "utf-16"),
    ("Größe, Stand 2020\nID;Dose;Date\nP1;1,5;2020-01-02\nP2;2,5;2020-01-03\n", "a.csv", "cp1252"),
    ("ID;Dose\nP1;1,5\nP2;2,5\n", "a.txt", "utf-8"),
    ('"a; b"\n"ID","Dose"\n"P1","1,5"\n"P2","2,5"\n', "a.csv", "utf-8"),
])  # fmt: skip
def test_text_files_of_any_separator_and_encoding_are_read(text, name, encoding, tmp_path):
    table = csv(tmp_path, text, name, encoding)
    assert headers(table)[:2] == ["ID", "Dose"]
    assert table.texts("Dose") == ["1,5", "2,5"]


def test_a_file_that_cannot_be_read_is_a_problem_and_no_crash(tmp_path):
    for name, data in {"a.xlsx": b"PK\x03\x04 no", "b.csv": b"\x00\x01", "c.csv": b"", "d.csv": b"a,b\n", "e.xls": b"x",
                       "f.csv": b'ID,x\n"P1,2\n'}.items():  # fmt: skip
        (tmp_path / name).write_bytes(data)
        source = read_source(tmp_path / name)
        assert source.tables == ()
        (problem,) = source.problems
        assert (problem.table, problem.severity) == (name, "error")
    assert [p.rule for p in read_source(tmp_path / "none.xlsx").problems] == ["there is no such file or folder"]


def test_merged_ranges_over_each_other_do_not_take_all_day(tmp_path):
    path = write_sheets(tmp_path / "one.xlsx", {"One": ([["ID", "a"], *([[f"P{i}", i] for i in range(50)])], ())})
    ranges = "".join(f'<mergeCell ref="A{i}:XFD1048576"/>' for i in range(2, 40))
    path = with_part(path, b"</sheetData>", f"</sheetData><mergeCells>{ranges}</mergeCells>".encode())
    (problem,) = read_source(path).problems
    assert problem.rule == "has merged cells that lie over each other"


def test_a_layout_that_does_not_fit_is_a_problem(tmp_path):
    _, source = read(tmp_path, [HEAD, *ROWS], layouts={"One": SheetLayout("One", (9,), 10)})
    assert [p.rule for p in source.problems] == ["has nothing in row 9, where the map looks for its header"]
    _, source = read(tmp_path, [HEAD, *ROWS], layouts={"Two": SheetLayout("Two", (1,), 2)})
    assert [p.rule for p in source.problems] == ["the map names a sheet that is not there, or is empty"]


def test_a_row_that_slipped_between_header_and_data_is_asked_about(tmp_path):
    rows = [HEAD, [], *ROWS]
    layout = SheetLayout("One", (1,), 3)
    table, source = read(tmp_path, rows, layouts={"One": layout})
    assert (len(table.rows), source.problems) == (4, ())
    table, source = read(tmp_path, [HEAD, *ROWS], layouts={"One": layout})
    (problem,) = source.problems
    assert (problem.row, problem.value) == (2, "P1")
    assert problem.remedy.startswith("write data_from = 2 for this sheet")


def test_headings_over_the_whole_table_are_left_out(tmp_path):
    rows = [HEAD, ["Cohort A"], *ROWS[:2], ["Cohort B"], *ROWS[2:]]
    table, source = read(tmp_path, rows, merges=("A2:E2", "A5:E5"))
    assert [r.place for r in table.rows] == ["row 3", "row 4", "row 6", "row 7"]
    assert "left out: row 5 ('Cohort B'): a heading over the rows below it" in table.remarks
    assert source.problems == ()


def test_a_table_may_begin_anywhere_and_its_names_hold_line_ends(tmp_path):
    rows = [[], [None, "Registry"], [], [None, None, "Pat.\nID ", " Date of\nCAR-T", "Dose"],
            [None, 1, "P1", datetime(2020, 1, 2), 2], [None, 2, "P2", datetime(2020, 1, 3), 3]]  # fmt: skip
    table, _ = read(tmp_path, rows)
    assert headers(table) == ["column B", "Pat. ID", "Date of CAR-T", "Dose"]
    assert [c.place for c in table.columns] == ["B", "C", "D", "E"]
    assert [r.place for r in table.rows] == ["row 5", "row 6"]
