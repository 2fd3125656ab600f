"""A map is followed and nothing else: each cell worked out by hand; what it does not settle is told, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from literal_sources import book, followed, map_of, problems, rows, sheet

from reinfuse.sources.cohort_folder import check
from reinfuse.sources.follow import follow
from reinfuse.sources.source_table import SourceRow

WIDE = """
MRN,Dx,CART1 date,CART1 dose,CART2 date,CART2 dose,Best resp,PD date,Last FU,CRS 2
17,CLL,12/03/2019,2,03/04/2020,2e6,CR MRD-,,alive 01/02/2021,0
23,DLBCL,05/06/2019,1,,,,,died 09/08/2019,
31,CLL,25/06/2019,1.5,13/07/2020,3,PD (D45),27/08/2020,died 30/12/2020,G2
"""
WIDE_MAP = """
date_order = "dmy"
---
[patients]
patient_id = "MRN"
diagnosis = "Dx"
last_contact = { column = "Last FU", pattern = "alive {date}" }
death = { column = "Last FU", pattern = "died {date}" }
[[infusions]]
patient_id = "MRN"
infusion = 1
date = "CART1 date"
dose_cells_per_kg = { column = "CART1 dose", unit = "1e6 cells/kg" }
[[infusions]]
patient_id = "MRN"
infusion = 2
date = "CART2 date"
dose_cells_per_kg = { column = "CART2 dose", unit = "1e6 cells/kg" }
[[responses]]
patient_id = "MRN"
response = "Best resp"
date = { after = "infusion 2", day = 28, said = "not recorded" }
[[responses]]
patient_id = "MRN"
response = { const = "PD" }
date = "PD date"
[mrd]
patient_id = "MRN"
result = { column = "Best resp", part = "mrd" }
date = { after = "infusion 2", day = 28 }
[toxicities]
patient_id = "MRN"
infusion = 2
kind = { const = "CRS" }
grade = "CRS 2"
"""


@pytest.fixture(scope="module")
def wide():
    return followed(WIDE_MAP, sheet(WIDE))


def test_a_wide_sheet_with_dates_becomes_dated_tables(wide):
    assert wide.problems == ()
    assert rows(wide, "patients") == [
        ["patient_id", "last_contact", "death", "diagnosis"],
        ["17", "2021-02-01", "", "CLL"],
        ["23", "", "2019-08-09", "NHL"],
        ["31", "", "2020-12-30", "CLL"],
    ]
    assert rows(wide, "infusions") == [
        ["patient_id", "infusion", "date", "dose_cells_per_kg"],
        ["17", "1", "2019-03-12", "2000000"],
        ["17", "2", "2020-04-03", "2000000"],
        ["23", "1", "2019-06-05", "1000000"],
        ["31", "1", "2019-06-25", "1500000"],
        ["31", "2", "2020-07-13", "3000000"],
    ]


def test_a_best_response_is_placed_by_the_rule_and_a_day_in_its_cell_prevails(wide):
    """28 days after 2020-04-03 is 2020-05-01; 45 days after 2020-07-13 is 2020-08-27, also the date of PD."""
    assert rows(wide, "responses") == [
        ["patient_id", "date", "response"],
        ["17", "2020-05-01", "CR"], ["31", "2020-08-27", "PD"],
    ]  # fmt: skip
    assert rows(wide, "mrd") == [["patient_id", "date", "result"], ["17", "2020-05-01", "undetectable"]]
    assert rows(wide, "toxicities")[1:] == [["17", "2", "CRS", "0"], ["31", "2", "CRS", "2"]]


def test_each_cell_has_its_place_its_text_and_its_rule(wide):
    cells = {(i, c): cell for i, row in enumerate(wide.tables["responses"].rows)
             for c, cell in zip(wide.tables["responses"].columns, row, strict=True)}  # fmt: skip
    response, day = cells[0, "response"], cells[0, "date"]
    assert (response.origin.place(response.row), response.raw) == ("book.xlsx, CART, G2", "CR MRD-")
    assert day.rule == "day 28 after infusion 2; placed by the map; not recorded"
    placed = cells[1, "date"]
    assert (placed.origin.place(placed.row), placed.raw, placed.rule) == (
        "book.xlsx, CART, G4", "PD (D45)", "day 45 after infusion 2",
    )  # fmt: skip
    dose = wide.tables["infusions"].rows[0][3]
    assert (dose.raw, dose.rule) == ("2", "1e6 cells/kg to cells")


LONG = """
ID,Given,Cells,kg,Cy,Flu,Response,Assessed,Dx,Status,Last
A,2020-01-10,140 Mio,70,1,1,PR,2020-02-07,NHL,alive,2021-05-01
A,2020-09-01,1.5 Mio/kg,70,0,1,,,NHL,alive,2021-05-01
B,2020-03-04,80 Mio,80,1,0,SD,2020-04-01,CLL,dead,2020-06-30
"""
LONG_MAP = """
---
[patients]
patient_id = "ID"
diagnosis = "Dx"
last_contact = { column = "Last", where = { Status = ["alive"] } }
death = { column = "Last", where = { Status = ["dead"] } }
[infusions]
patient_id = "ID"
infusion = { const = "by date" }
date = "Given"
dose_cells_per_kg = { column = "Cells", unit = "cells", weight = "kg" }
lymphodepletion = { ticked = { Cy = "Cy", Flu = "Flu" } }
[[responses]]
patient_id = "ID"
response = "Response"
date = "Assessed"
"""


def test_one_row_an_infusion_is_numbered_by_date_and_patients_are_written_once():
    imported = followed(LONG_MAP, sheet(LONG))
    assert problems(imported) == []
    assert rows(imported, "patients")[1:] == [["A", "2021-05-01", "", "NHL"], ["B", "", "2020-06-30", "CLL"]]
    assert rows(imported, "infusions") == [
        ["patient_id", "infusion", "date", "dose_cells_per_kg", "lymphodepletion"],
        ["A", "1", "2020-01-10", "2000000", "Cy + Flu"],
        ["A", "2", "2020-09-01", "1500000", "Flu"],
        ["B", "1", "2020-03-04", "1000000", "Cy"],
    ]
    assert "CART: infusions numbered in the order of their dates" in imported.remarks
    [dose] = [r[3] for r in imported.tables["infusions"].rows if r[0].text == "B"]
    assert dose.rule == "total cells / 80 kg (kg)"


def test_what_belongs_to_the_infusion_of_the_same_row_gets_its_number_and_counts_from_it():
    text = "ID,Given,CRS,D28,End\nA,2020-09-01,2,CR,2021-01-01\nA,2020-01-10,1,PR,2021-01-01\n"
    imported = followed(
        """
        [patients]
        patient_id = "ID"
        death = "End"
        [infusions]
        patient_id = "ID"
        infusion = { const = "by date" }
        date = "Given"
        [responses]
        patient_id = "ID"
        response = "D28"
        date = { after = "infusion", day = 28 }
        [toxicities]
        patient_id = "ID"
        infusion = { const = "by date" }
        kind = { const = "CRS" }
        grade = "CRS"
        """,
        sheet(text),
    )
    assert problems(imported) == []
    assert rows(imported, "toxicities")[1:] == [["A", "1", "CRS", "1"], ["A", "2", "CRS", "2"]]
    assert rows(imported, "responses")[1:] == [["A", "2020-02-07", "PR"], ["A", "2020-09-29", "CR"]]


def test_patients_are_numbered_and_their_own_identifiers_are_not_kept():
    imported = followed('ids = "number"\n' + LONG_MAP, sheet(LONG))
    assert [r[0] for r in rows(imported, "patients")[1:]] == ["P001", "P002"]
    assert [r[0] for r in rows(imported, "infusions")[1:]] == ["P001", "P001", "P002"]
    assert {c.raw for t in imported.tables.values() for row in t.rows for c in row[:1]} == {""}


def test_everything_that_is_open_is_told_at_once_with_the_line_to_add():
    text = """
    ID,Given,Cells,Response,Assessed,Last
    A,03/04/2020,120 Mio,NR,2020-02-07,2021-05-01
    B,13/04/2020,2e6/kg,NR,2020-02-07,03/2021
    C,05/04/2020,#REF!,foo,2020-02-07,unknown
    D,2020-01-01,2e6/kg,CR,2020-02-07,dead
    """
    imported = followed(
        """
        date_order = "?"
        ---
        [values.response]
        "NR" = "?"
        "never" = "?"
        [patients]
        patient_id = "ID"
        death = "Last"
        diagnosis = { column = "ID", confirm = true }
        [infusions]
        patient_id = "ID"
        infusion = 1
        date = "Given"
        dose_cells_per_kg = "Cells"
        [responses]
        patient_id = "ID"
        response = "Response"
        date = "Assessed"
        """,
        sheet(text),
    )
    assert {(p.table, p.row, p.column): (p.rule, p.remedy) for p in imported.problems} == {
        ("map", None, "source.date_order"): ("is open", 'write the answer instead of "?"'),
        ("map", None, "patients.diagnosis"): (
            "is a guess that nobody has confirmed",
            "take `confirm = true` away if the line is right, or correct the line",
        ),
        ("map", None, "values.response.never"): ("is open", 'write the answer instead of "?"'),
        ("CART", None, "Given"): (
            '2 cells, 2 different texts: date that can be read in two ways: "03/04/2020" (row 2), "05/04/2020" (row 4)',
            'add order = "dmy", "mdy" or "ymd" to infusions.date in the map, or date_order to [source]',
        ),
        ("CART", 2, "Cells"): (
            "not known to be total cells or cells per kg",
            'add to infusions.dose_cells_per_kg in the map unit = "cells/kg", or weight = "header of the body weight" '
            "for total cells; where it has a unit, correct the cell; or add the dose per kg of each text: "
            '[values.dose_cells_per_kg] "120 Mio" = "2e6 cells/kg", or "" for an empty cell',
        ),
        ("CART", 4, "Cells"): (
            "error of the spreadsheet program",
            "correct the formula, or enter the value",
        ),
        ("CART", None, "Response"): (
            '2 cells: open in the map: "NR" (2 cells, first row 2)',
            'answer in the map: [values.response] "NR" = "..." instead of "?" (CR, CRi, nPR, PR, SD, PD, NE, or "" for '
            "an empty cell)",
        ),
        ("CART", 4, "Response"): (
            "not understood as response",
            'add to the map, a line a text: [values.response] "foo" = "..." (CR, CRi, nPR, PR, SD, PD, NE, or "" for '
            "an empty cell)",
        ),
        ("CART", 3, "Last"): (
            "date without its day",
            'add partial = "first", "middle" or "last" to patients.death in the map, or complete the dates',
        ),
        ("CART", 4, "Last"): (
            "not understood as death",
            'add to the map, a line a text: [values.death] "unknown" = "..." (alive, a date as 2024-03-15, or "" for '
            "an empty cell)",
        ),
        ("CART", 5, "Last"): (
            "death without its date",
            "enter the date of death, or read it from its column, `where` this one says so",
        ),
    }


def test_a_cell_that_no_pattern_and_no_condition_takes_is_told():
    text = "ID,FU,Status,Last\nA,alive 2021-05-01,alive,2021-05-01\nB,moved away,emigrated,2021-04-01\n"
    lines = """
        [patients]
        patient_id = "ID"
        last_contact = {{ {} }}
        death = {{ {} }}
        [infusions]
        patient_id = "ID"
        infusion = {{ column = "ID", values = "n" }}
        """
    pattern = lines.format('column = "FU", pattern = "alive {date}"', 'column = "FU", pattern = "died {date}"')
    where = lines.format(*(f'column = "Last", where = {{ Status = "{s}" }}' for s in ("alive", "dead")))
    for one, header, value in ((pattern, "FU", "moved away"), (where, "Last", "2021-04-01")):
        [gap] = [p for p in followed(one, sheet(text)).problems if "no line" in p.rule]
        assert (gap.row, gap.column, gap.value) == (3, header, value)


def test_patients_that_differ_between_their_rows_are_a_problem_and_the_latest_contact_is_taken():
    text = "ID,Given,Age,Last\nA,2020-01-10,61,2021-01-01\nA,2020-09-01,62,2021-05-01\n"
    imported = followed(
        """
        [patients]
        patient_id = "ID"
        age_years = "Age"
        last_contact = "Last"
        death = { const = "" }
        [infusions]
        patient_id = "ID"
        infusion = { const = "by date" }
        date = "Given"
        """,
        sheet(text),
    )
    assert problems(imported) == [
        ("CART", 2, "Age", "a patient has several values of age_years: 61 (book.xlsx, CART, C2); 62 (book.xlsx, CART, "
                           "C3)"),
    ]  # fmt: skip
    assert rows(imported, "patients")[1][1] == "2021-05-01"
    assert "patients: of several last contacts of a patient, the latest is taken" in imported.remarks


@pytest.mark.parametrize(("lines", "problem"), [
    ('[patients]\npatient_id = "ID"\n', ("map", None, "patients.death", "has no line in the map")),
    ('[patients]\npatient_id = "Id"\ndeath = "End"\n', ("map", None, "patients.patient_id", "is no column of CART")),
    ('[patients]\nsheet = "Cart"\npatient_id = "ID"\n', ("map", None, "patients.sheet", "is not in the source")),
    ('fingerprint = "old"\n---\n', ("map", None, "source.fingerprint",
     "the headers of the source are not those for which the map was made (not in the map: ID, End)")),
    ('[sheet]\npatient_id = "ID"\n[patients]\npatient_id = "ID"\n',
     ("map", None, "sheet", "stands beside dated tables; only one can be imported")),
])  # fmt: skip
def test_a_map_that_does_not_fit_its_source_is_told(lines, problem):
    assert problem in problems(followed(lines, sheet("ID,End\nA,2021-01-01\n")))


def test_what_is_placed_after_an_infusion_that_was_not_given_is_told_and_other_rows_are_not():
    text = "ID,C2,Best,PD after,End\nA,2020-03-01,CR,,2021-01-01\nB,,PR,12,2021-01-01\nC,,,,2021-01-01\n"
    imported = followed(
        """
        [patients]
        patient_id = "ID"
        last_contact = "End"
        death = { const = "" }
        [infusions]
        patient_id = "ID"
        infusion = 2
        date = "C2"
        [[responses]]
        patient_id = "ID"
        response = "Best"
        date = { after = "infusion 2", day = 28 }
        [[responses]]
        patient_id = "ID"
        response = { const = "PD" }
        date = { column = "PD after", after = "infusion 2", unit = "months" }
        """,
        sheet(text),
    )
    rule = "1 row: counted from infusion 2, which the patient has not had, or not with a date: row 3"
    assert problems(imported) == [("CART", None, "Best", rule), ("CART", None, "PD after", rule)]


def test_rows_without_an_assessment_and_repeated_ones_are_left_out_and_said():
    text = "ID,Given,MRD,Tested\nA,2020-01-10,neg,2020-02-01\nA,2020-09-01,neg,2020-02-01\nB,2020-01-10,,2020-02-01\n"
    imported = followed(
        """
        [patients]
        patient_id = "ID"
        last_contact = "Given"
        death = { const = "" }
        [infusions]
        patient_id = "ID"
        infusion = { const = "by date" }
        date = "Given"
        [mrd]
        patient_id = "ID"
        result = "MRD"
        date = "Tested"
        """,
        sheet(text),
    )
    assert rows(imported, "mrd")[1:] == [["A", "2020-02-01", "undetectable"]]
    assert "mrd: 1 row without result, no row of mrd written" in imported.remarks
    assert "mrd: left out what repeats an earlier row: 1 row" in imported.remarks


def test_data_without_a_patient_are_told():
    text = "ID,Given\nA,2020-01-10\n,2020-09-01\n"
    imported = followed(
        """
        [patients]
        patient_id = "ID"
        death = { const = "" }
        [infusions]
        patient_id = "ID"
        infusion = 1
        date = "Given"
        """,
        sheet(text),
    )
    assert problems(imported) == [
        ("CART", None, "ID", "1 row with data and without a patient identifier: row 3")
    ]  # fmt: skip


def test_a_word_of_the_map_prevails_and_may_have_parts_or_leave_the_cell_empty():
    text = "ID,C2,Best\nA,2020-03-01,nr\nB,2020-03-01,MRD neg CR!\nC,2020-03-01,pending\nD,2020-03-01,CR\n"
    imported = followed(
        """
        [values.response]
        NR = "SD"
        "MRD neg CR!" = { response = "CR", mrd = "undetectable", day = 90 }
        pending = ""
        CR = "PR"
        [patients]
        patient_id = "ID"
        last_contact = "C2"
        death = { const = "" }
        [infusions]
        patient_id = "ID"
        infusion = 2
        date = "C2"
        [responses]
        patient_id = "ID"
        response = "Best"
        date = { after = "infusion 2", day = 28 }
        [mrd]
        patient_id = "ID"
        result = { column = "Best", part = "mrd" }
        date = { after = "infusion 2", day = 28 }
        """,
        sheet(text),
    )
    assert problems(imported) == []
    assert rows(imported, "responses")[1:] == [
        ["A", "2020-03-29", "SD"], ["B", "2020-05-30", "CR"], ["D", "2020-03-29", "PR"],
    ]  # fmt: skip
    assert rows(imported, "mrd")[1:] == [["B", "2020-05-30", "undetectable"]]


DOSES = """
[patients]
patient_id = "ID"
last_contact = "C1"
death = { const = "" }
[infusions]
patient_id = "ID"
infusion = 1
date = "C1"
dose_cells_per_kg = { column = "Dose", unit = "1e6 cells/kg" }
"""


def test_total_cells_among_doses_per_kg_are_asked_about_or_weighed():
    """120e6 cells / 60 kg = 2e6 cells/kg; 1.2 Mio and 3e6 are doses per kg, as their column says."""
    text = "ID,C1,Dose,kg\nA,2020-03-01,2,60\nB,2020-03-01,120 Mio,60\nC,2020-03-01,1.2 Mio,60\nD,2020-03-01,3e6,60\n"
    [gap] = followed(DOSES, sheet(text)).problems
    assert (gap.row, gap.column, gap.value) == (3, "Dose", "120 Mio")
    weighed = DOSES.replace('unit = "1e6 cells/kg"', 'unit = "1e6 cells/kg", weight = "kg"')
    imported = followed(weighed, sheet(text))
    assert problems(imported) == []
    assert [r[3] for r in rows(imported, "infusions")[1:]] == ["2000000", "2000000", "1200000", "3000000"]
    answered = followed('---\n[values.dose_cells_per_kg]\n"120 Mio" = "2e6"\n' + DOSES, sheet(text))
    assert [r[3] for r in rows(answered, "infusions")[1:]] == ["2000000", "2e6", "1200000", "3000000"]


def test_a_weight_that_is_none_is_told():
    text = "ID,C1,Dose,kg\nA,2020-03-01,120 Mio,60 kg\nB,2020-03-01,120 Mio,\nC,2020-03-01,120 Mio,6000\n"
    weighed = DOSES.replace('unit = "1e6 cells/kg"', 'unit = "cells", weight = "kg"')
    imported = followed(weighed, sheet(text))
    [(place, row, column, rule)] = problems(imported)
    assert (place, row, column) == ("CART", 4, "Dose")
    assert rule == "total cells, and the body weight in the row is no number of kg"
    left = "infusions.dose_cells_per_kg: left empty, as they are of all cells and the row holds no body weight: 1"
    assert left in imported.remarks
    assert [r[3] for r in rows(imported, "infusions")[1:]] == ["2000000", "", ""]


@pytest.mark.parametrize("answer", [
    '"foo"', '{ response = "CR", day = "x" }', '{ response = "CR", day = "nan" }', '{ response = "CR", month = "-" }',
    '{ response = "CR", date = "2019-13" }', '{ response = "CR", date = "31.12.2019" }',
    '{ response = "CR", day = 99999999 }',
])  # fmt: skip
def test_a_meaning_that_is_none_never_passes_and_never_stops_the_program(answer):
    """What the map's own dictionary says is looked at as what a cell says: here, or by the cohort's check."""
    text = "ID,C2,Best,Dose,kg\nA,2020-03-01,odd,1e8,60\nB,when?,CR,odd,60\n"
    imported = followed(
        f"""
        [values.response]
        odd = {answer}
        [values.date]
        "when?" = "2020-02-30"
        [values.dose_cells_per_kg]
        odd = {{ dose_cells = "many" }}
        [patients]
        patient_id = "ID"
        last_contact = {{ const = "2021-01-01" }}
        death = {{ const = "" }}
        diagnosis = {{ const = "CLL" }}
        [infusions]
        patient_id = "ID"
        infusion = 2
        date = "C2"
        dose_cells_per_kg = {{ column = "Dose", unit = "cells", weight = "kg" }}
        [responses]
        patient_id = "ID"
        response = "Best"
        date = {{ after = "infusion 2", day = 28 }}
        """,
        sheet(text),
    )
    assert any(p.column == "Dose" and p.row == 3 for p in imported.problems)
    whole = check(replace(imported, problems=()))
    assert {p.row for p in (*imported.problems, *whole.problems) if p.severity == "error"} >= {3}
    assert any(p.column == "Best" for p in (*imported.problems, *whole.problems)) or any(
        p.row == 2 for p in whole.problems
    )


def test_a_dictionary_that_no_line_uses_is_said():
    lines = '[values.respons]\nNR = "SD"\n[patients]\npatient_id = "ID"\ndeath = { const = "" }\n'
    imported = followed(lines, sheet("ID\nA\n"))
    assert any(r.startswith("map: no line reads its texts by [values.respons]") for r in imported.remarks)


@pytest.mark.parametrize(("text", "lines"), [(WIDE, WIDE_MAP), (LONG, LONG_MAP)])
@pytest.mark.parametrize("junk", ["foo", "#REF!", "03/2020"])
def test_no_cell_that_is_read_is_dropped_without_a_word(text, lines, junk):
    """Whichever cell holds nonsense, it is refused, or stands in the cohort as an identifier or a diagnosis."""
    whole, source_map = sheet(text), map_of(lines)
    for i, row in enumerate(whole.rows):
        for j, column in enumerate(whole.columns):
            if column.header in ("MRN", "ID") or (column.header, junk) == ("Dx", "foo") or column.header == "kg":
                continue
            changed = SourceRow(row.place, (*row.texts[:j], junk, *row.texts[j + 1 :]))
            table = replace(whole, rows=(*whole.rows[:i], changed, *whole.rows[i + 1 :]))
            told = {p.row for p in follow(book(table), source_map).problems}
            assert i + 2 in told, (row.place, column.header)


def test_words_for_missing_values_are_said_and_an_unknown_date_is_asked_about():
    text = "ID,C1,C2,Best,PD,FU\nA,2020-03-01,n/a,unknown,unknown,2021-01-01\nB,2020-03-01,-,n/a,n/a,2021-01-01\n"
    imported = followed(
        """
        [patients]
        patient_id = "ID"
        last_contact = "FU"
        death = { const = "" }
        [[infusions]]
        patient_id = "ID"
        infusion = 1
        date = "C1"
        [[infusions]]
        patient_id = "ID"
        infusion = 2
        date = "C2"
        [[responses]]
        patient_id = "ID"
        response = "Best"
        date = { after = "infusion 1", day = 28 }
        [[responses]]
        patient_id = "ID"
        response = { const = "PD" }
        date = "PD"
        """,
        sheet(text),
    )
    assert problems(imported) == [("CART", 2, "PD", "not understood as date")]
    assert "CART: read as missing values: 'n/a' (3), '-' (1), 'unknown' (1)" in imported.remarks
