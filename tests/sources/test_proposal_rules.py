"""The rules of proposals, each on a few literal columns: what is proposed, what is asked, and what is left out."""

from __future__ import annotations

from datetime import date

import pytest
from centres import columns, table

from reinfuse.sources.propose.names import parse, with_siblings
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import questions
from reinfuse.sources.source_map import BY_DATE, OPEN
from reinfuse.sources.source_table import Source, SourceColumn, SourceRow, SourceTable

TODAY = date(2026, 11, 29)
ID = "ID > - > a; b; c"


def proposed(text, name="CART"):
    """Return the proposals for one sheet, by header, and its map: ``header > - > cell; cell``, a line a column."""
    rows, _ = columns(text)
    outcome = propose(Source("excel", "book.xlsx", (table(name, rows),)), today=TODAY)
    return {p.source: p for p in outcome.proposals}, outcome.map


def line(source_map, table_name, column, k=0):
    """Return the k-th line of a map for a column of a cohort's table."""
    return [b.fields[column] for b in source_map.blocks if b.table == table_name and column in b.fields][k]


@pytest.mark.parametrize(("header", "words", "infusion", "day"), [
    ("CART #1 | Date", "date", 1, None), ("CAR-T 2 LD", "lymphodepletion", 2, None), ("Date of 2nd CAR-T "
                                                                                      "infusion", "date", 2, None),
    ("2. CAR-T Infusion Datum", "date", 2, None), ("CAR-T II | LD", "lymphodepletion", 2, None),
    ("Reinfusion date", "date", 2, None),
    ("ld_cart2", "lymphodepletion", 2, None), ("Segunda infusión | Fecha", "date", 2, None),
    ("First treatment | Best response", "best response", 1, None), ("MRD D28 (CART2)", "mrd", 2, 28),
    ("Response at 3 months", "response", None, 91), ("CAR-T product", "product", None, None),
    ("Dose (x10^6/kg)", "dose", None, None), ("cart2_total_cell_dose_x10e6", "cells dose total", 2, None),
    ("CD19 CAR-T #2 date", "date", 2, None), ("Age at CART1 (years)", "age", 1, None),
])  # fmt: skip
def test_the_words_of_the_infusion_are_taken_out_of_a_header_first(header, words, infusion, day):
    name = parse(header)
    assert (" ".join(name.words), name.infusion, name.day) == (words, infusion, day)


def test_a_bare_number_is_that_of_an_infusion_where_another_header_differs_in_it_alone():
    names = with_siblings([parse(h) for h in ("date_1", "date_2", "Line 2", "CD19")])
    assert [(n.infusion, n.certain) for n in names] == [(1, False), (2, False), (None, True), (None, True)]


def test_each_target_is_proposed_once_and_the_exact_name_wins():
    targets, _ = proposed(f"{ID}\nSex > - > M; F; F\nSex (registry) > - > M; F; M\nGender > - > F; F; M")
    assert [p.target for p in targets.values()].count("patients.sex") == 1
    assert targets["Sex"].target == "patients.sex"


def test_cells_speak_against_a_name_that_fits():
    targets, _ = proposed(f"""{ID}
CART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03
CART1 LD > - > 220; 310; 180
CART1 CRS > - > 2019-01-03; 2019-02-04; 2019-03-05
Diagnosis > - > 2018-01-01; 2018-02-02; 2018-03-03""")
    assert targets["CART1 LD"].target == targets["Diagnosis"].target == "ignore"
    assert targets["CART1 CRS"].target != "toxicities[1].CRS.grade"
    assert targets["CART1 LD"].open
    assert targets["Diagnosis"].open


@pytest.mark.parametrize(("cells", "order", "asked"), [
    ("03/04/2019; 05/06/2019; 07/08/2019", OPEN, True), ("03/04/2019; 25/06/2019; 07/08/2019", "dmy", False),
    ("03/04/2019; 05/25/2019; 07/08/2019", "mdy", False), ("2019-03-04; 2019-05-06; 2019-07-08", "", False),
    ("25.11.19; 26.12.20; 28.01.21", "dmy", False),
])  # fmt: skip
def test_the_order_of_dates_is_decided_by_a_cell_or_asked(cells, order, asked):
    targets, source_map = proposed(f"{ID}\nCART1 date > - > {cells}\nCART1 LD > - > Cy; Cy; Flu/Cy")
    assert (source_map.date_order, targets["CART1 date"].open) == (order, asked)
    assert (("source", "date_order") in source_map.open_questions()) == asked


def test_columns_written_in_different_orders_are_told_apart_and_one_that_mixes_them_is_asked_about():
    text = f"""{ID}
CART1 date > - > 03/04/2019; 25/06/2019; 07/08/2019
CART1 LD > - > Cy; Cy; Flu/Cy
CART2 date > - > 03/04/2020; 06/25/2020; 07/08/2020
Last contact > - > 03/25/2023; 25/06/2023; 07/08/2023"""
    targets, source_map = proposed(text)
    orders = [line(source_map, "infusions", "date", k).order for k in (0, 1)]
    assert (orders, line(source_map, "patients", "last_contact").order) == (["dmy", "mdy"], OPEN)
    assert targets["Last contact"].open


def test_the_header_may_spell_the_order():
    targets, source_map = proposed(f"{ID}\nCART1 date (mm/dd/yyyy) > - > 03/04/2019; 05/06/2019; 07/08/2019")
    assert (source_map.date_order, targets["CART1 date (mm/dd/yyyy)"].open) == ("mdy", False)


def test_a_header_that_spells_another_order_than_its_cells_is_asked_about():
    targets, source_map = proposed(f"{ID}\nCART1 date (mm/dd/yyyy) > - > 03/04/2019; 25/06/2019; 07/08/2019")
    assert (source_map.date_order, targets["CART1 date (mm/dd/yyyy)"].open) == (OPEN, True)


@pytest.mark.parametrize(("header", "cells", "target"), [
    ("DDN", "1960-01-01; 1961-01-01; 1962-01-01", "patients.last_contact"),
    ("CART1 type", "axi-cel; trial; axi-cel", "infusions[1].product"),
    ("CART1 disease status", "PR; PD; SD", "responses[1].response"),
])  # fmt: skip
def test_a_name_that_may_well_be_another_s_is_asked_about(header, cells, target):
    targets, _ = proposed(f"{ID}\nCART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03\n{header} > - > {cells}")
    assert (targets[header].target, targets[header].open) == (target, True)


def test_a_date_without_a_day_is_asked_about():
    targets, source_map = proposed(
        f"{ID}\nDate of death > - > 2019-03; ; \nLast contact > - > 2019-03-04; 2020-01-01; 2021"
    )
    assert line(source_map, "patients", "death").partial == line(source_map, "patients", "last_contact").partial == OPEN
    assert targets["Date of death"].open


def test_a_response_without_a_date_is_placed_by_a_rule_that_a_person_confirms():
    targets, source_map = proposed(f"""{ID}
CART2 date > - > 2019-01-01; 2019-02-02; 2019-03-03
CART2 best response > - > CR; PD (D28); SD
CART2 PD date > - > 2019-06-06; 2019-03-02; """)
    placed = line(source_map, "responses", "date")
    assert (placed.after, placed.day, placed.said, placed.confirm) == ("infusion 2", 28, "not recorded", True)
    assert targets["CART2 best response"].open
    pd = line(source_map, "responses", "response", 1)
    assert (pd.const, targets["CART2 PD date"].target, targets["CART2 PD date"].open) == (
        "PD",
        "responses[2].date",
        False,
    )


def test_a_response_with_a_date_beside_it_is_not_asked_about():
    targets, source_map = proposed(f"""{ID}
CART2 date > - > 2019-01-01; 2019-02-02; 2019-03-03
CART2 best response > - > CR; PD; SD
CART2 date of best response > - > 2019-02-06; 2019-03-02; 2019-04-01""")
    assert line(source_map, "responses", "date").column == "CART2 date of best response"
    assert not targets["CART2 best response"].open


@pytest.mark.parametrize(("header", "cells", "unit", "asked"), [
    ("CART1 dose (x10^6/kg)", "2; 1; 0.5", "1e6 cells/kg", False), ("CART1 dose", "2; 1; 0.5", OPEN, True),
    ("CART1 dose", "2e6; 1e6; 5e5", OPEN, True), ("CART1 dose", "2e6/kg; 1e6/kg; 5e5/kg", "", False),
    ("CART1 dose (cells/kg)", "2e6; 1e6; 5e5", "cells/kg", False), ("CART1 dose (cells/kg)", "2; 1; 0.5", OPEN, True),
    ("CART1 dose (Mio)", "120; 90; 200", OPEN, True), ("CART1 dose (x10^6/kg)", "120; 90; 200", OPEN, True),
    ("CART1 total dose (cells)", "1.2e8; 9e7; 2e8", "cells", False),
])  # fmt: skip
def test_the_unit_of_doses_is_told_by_header_or_cells_or_asked(header, cells, unit, asked):
    days = "CART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03"
    targets, source_map = proposed(f"{ID}\n{days}\nWeight > - > 70; 60; 80\n{header} > - > {cells}")
    dose = line(source_map, "infusions", "dose_cells_per_kg")
    assert (dose.unit, targets[header].open) == (unit, asked)
    assert dose.weight == ("Weight" if unit in ("cells", OPEN) else "")


def test_one_dose_among_those_per_kg_that_may_be_of_all_cells_is_asked_about_with_the_weight():
    targets, source_map = proposed(f"""{ID}
CART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03
Weight > - > 70; 60; 80
CART1 dose (x10^6/kg) > - > 2; 120 Mio; 1""")
    dose = line(source_map, "infusions", "dose_cells_per_kg")
    assert (dose.unit, dose.weight, dose.confirm) == ("1e6 cells/kg", "Weight", True)
    assert "120 Mio" in targets["CART1 dose (x10^6/kg)"].reason


def test_words_that_are_not_understood_stand_once_in_the_dictionary():
    targets, source_map = proposed(f"""{ID}
CART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03
CART1 LD > - > as planned; as planned; Flu/Cy
CART1 response > - > NR; NR; CR
CART1 CRS > - > yes; 1; 0""")
    assert source_map.values == {
        "lymphodepletion": {"as planned": OPEN},
        "response": {"NR": OPEN},
        "grade": {"yes": OPEN},
    }
    assert all(targets[h].open for h in ("CART1 LD", "CART1 response", "CART1 CRS"))


def test_codes_are_asked_about_one_by_one():
    _, source_map = proposed("ID > - > a; b; c; d\nSex > - > 1; 2; 2; 1\nDiagnosis > - > 3; 3; 1; 2")
    assert source_map.values == {"sex": {"1": OPEN, "2": OPEN}, "diagnosis": {"3": OPEN, "1": OPEN, "2": OPEN}}


def test_codes_with_labels_in_a_data_dictionary_are_answered_by_them():
    choices = {"1": "Male", "2": "Female", "3": "not asked"}
    header = (SourceColumn(header="record_id"), SourceColumn(header="sex", label="Sex of the patient", choices=choices))
    rows = tuple(SourceRow(f"record {i}", (str(i), c)) for i, c in enumerate("1221"))
    outcome = propose(Source("csv", "x.csv", (SourceTable("x", "x.csv", header, rows),)), today=TODAY)
    assert outcome.map.values == {"sex": {"1": "M", "2": "F", "3": OPEN}}
    assert line(outcome.map, "patients", "sex").values == "sex"


def test_m_beside_h_is_a_woman_or_a_man_and_asked_about():
    _, source_map = proposed(f"{ID}\nSexo > - > H; M; M")
    assert source_map.values == {"sex": {"M": OPEN, "H": OPEN}}


@pytest.mark.parametrize(("header", "cells", "dead", "asked"), [
    ("Vital status", "alive; dead; alive", ("dead",), True), ("Dead", "0; 1; 0", ("1",), True),
    ("Alive", "yes; no; yes", ("no",), True), ("Vital status", "0; 1; 0", (OPEN,), True),
])  # fmt: skip
def test_death_without_a_date_is_the_last_contact_of_the_dead_and_asked_about(header, cells, dead, asked):
    targets, source_map = proposed(
        f"{ID}\nLast contact > - > 2020-01-01; 2020-02-02; 2020-03-03\n{header} > - > {cells}"
    )
    death = line(source_map, "patients", "death")
    assert (death.column, death.where) == ("Last contact", {header: dead})
    assert (targets[header].target, targets[header].open) == ("patients.death", asked)


def test_a_status_that_knows_of_more_deaths_than_the_dates_is_asked_about():
    text = f"{ID}\nLast contact > - > 2020-01-01; 2020-02-02; 2020-03-03\nDate of death > - > 2020-01-01; ;\n"
    agreeing, _ = proposed(f"{text}Status > - > dead; alive; alive")
    more, _ = proposed(f"{text}Status > - > dead; dead; alive")
    assert agreeing["Status"].target == more["Status"].target == "ignore"
    assert agreeing["Status"].reason == "the date of death says who died"
    assert "row 3" in more["Status"].reason


def test_the_only_date_of_a_table_of_events_is_theirs():
    targets, _ = proposed("ID > - > a; a; b\nDatum > - > 2020-01-01; 2020-02-02; 2020-03-03\nStaging > - > CR; PD; SD")
    assert (targets["Datum"].target, targets["Datum"].open) == ("responses.date", False)


def test_a_column_that_says_it_holds_death_or_last_contact_needs_no_question():
    targets, source_map = proposed(f"{ID}\nDate of death or last contact > - > 2020-01-01; 2020-02-02; 2020-03-03\n"
                                   "Vital status > - > alive; dead; alive")  # fmt: skip
    assert line(source_map, "patients", "death").where == {"Vital status": ("dead",)}
    assert not targets["Vital status"].open


def test_words_beside_the_last_contact_tell_of_death():
    targets, source_map = proposed(f"{ID}\nLast f/u > - > alive 2 Jan 2020; died 3 Feb 2020; alive 4 Mar 2020")
    assert line(source_map, "patients", "death").column == "Last f/u"
    assert (targets["Last f/u"].target, targets["Last f/u"].open) == ("patients.last_contact", False)


def test_nothing_of_death_is_a_question_of_its_own():
    _, source_map = proposed(f"{ID}\nLast contact > - > 2020-01-01; 2020-02-02; 2020-03-03")
    assert line(source_map, "patients", "death").const == OPEN


def test_a_hospital_number_as_identifier_asks_whether_it_is_kept():
    targets, source_map = proposed("MRN > - > 101; 102; 103\nSex > - > M; F; M")
    assert (targets["MRN"].target, targets["MRN"].open, source_map.ids) == ("patients.patient_id", True, OPEN)
    targets, source_map = proposed("MRN > - > 101; 102; 103\nStudy ID > - > a; b; c\nSex > - > M; F; M")
    assert (targets["MRN"].target, targets["Study ID"].target, source_map.ids) == (
        "ignore",
        "patients.patient_id",
        "keep",
    )


def test_the_age_is_reckoned_from_a_date_of_birth_only_where_no_column_holds_it():
    with_age, _ = proposed(f"{ID}\nDOB > - > 1960-01-01; 1961-01-01; 1962-01-01\nAge > - > 60; 61; 62")
    without, _ = proposed(f"{ID}\nDOB > - > 1960-01-01; 1961-01-01; 1962-01-01\nSex > - > M; F; M")
    assert with_age["DOB"].target == "ignore"
    assert (without["DOB"].target, without["DOB"].open) == ("patients.age_years", True)


def test_a_laboratory_value_is_left_out_with_the_line_that_keeps_it():
    targets, _ = proposed(f"{ID}\nCART2 date > - > 2019-01-01; 2019-02-02; 2019-03-03\nCART2 LDH > - > 200; 300; 400")
    assert targets["CART2 LDH"].target == "ignore"
    assert 'infusions.cart2_ldh = "CART2 LDH"' in targets["CART2 LDH"].reason


def test_what_may_be_needed_is_not_left_out_without_a_word():
    targets, source_map = proposed(f"{ID}\nSex > - > M; F; M\nXYZ > - > 2019-01-01; 2019-02-02; 2019-03-03\n"
                                   "Relapse type > - > nodal; marrow; both\nBag > - > 1; 2; 3\nEmpty > - > ; "
                                   ";")  # fmt: skip
    assert [targets[h].open for h in ("XYZ", "Relapse type", "Bag", "Empty")] == [True, True, True, False]
    asked = {q.subject.partition(":")[0]: q.text for q in questions(source_map)
             if q.place == "questions" and not q.subject.startswith("no date of")}  # fmt: skip
    assert list(asked) == ["XYZ", "Relapse type", "left_out"]
    assert asked["left_out"] == "These columns are not read: Bag. Is that right?"


def test_rows_of_infusions_without_a_number_are_numbered_by_date_and_asked_about():
    _, source_map = proposed("""ID > - > a; a; b; b
Infusion date > - > 2019-01-01; 2020-01-01; 2019-02-02; 2020-02-02
LD > - > Cy; Flu/Cy; Cy; Flu/Cy
Age > - > 60; 61; 50; 51
CRS grade > - > 1; 0; 2; 1""")
    number = line(source_map, "infusions", "infusion")
    assert (number.const, number.confirm, line(source_map, "toxicities", "infusion").const) == (BY_DATE, True, BY_DATE)


def test_the_age_at_cart1_is_that_of_the_row_of_the_first_infusion():
    _, source_map = proposed("""ID > - > a; a; b; b
Infusion no > - > 1; 2; 1; 2
Infusion date > - > 2019-01-01; 2020-01-01; 2019-02-02; 2020-02-02
LD > - > Cy; Flu/Cy; Cy; Flu/Cy
Age > - > 60; 61; 50; 51""")
    [block] = [b for b in source_map.blocks if "age_years" in b.fields]
    assert block.where == {"Infusion no": ("1",)}


def test_a_therapy_without_a_date_is_asked_about():
    targets, _ = proposed(
        f"{ID}\nCART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03\nSubsequent therapy > - > RT; ; BV"
    )
    assert (targets["Subsequent therapy"].target, targets["Subsequent therapy"].open) == ("therapies.therapy", True)


def test_times_that_are_derived_already_make_a_wide_sheet():
    targets, source_map = proposed(f"""{ID}
PFS (months) > - > 12; 3.2; 1
PFS event > - > 1; 0; 1
OS > - > 30; 12; 4
OS censored > - > 0; 1; 0""")
    assert [b.table for b in source_map.blocks] == ["sheet"]
    assert line(source_map, "sheet", "pfs_days").unit == "months"
    assert line(source_map, "sheet", "os_days").unit == OPEN
    assert targets["OS censored"].open
    assert not targets["PFS event"].open


def test_derived_times_beside_dates_are_left_out():
    targets, source_map = proposed(f"""{ID}
CART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03
CART1 LD > - > Cy; Cy; Flu/Cy
PFS (months) > - > 12; 3.2; 1
PFS event > - > 1; 0; 1""")
    assert "sheet" not in {b.table for b in source_map.blocks}
    assert targets["PFS (months)"].target == targets["PFS event"].target == "ignore"


def test_what_was_before_an_infusion_is_no_response_to_it():
    targets, _ = proposed(f"""{ID}
CART2 date > - > 2019-01-01; 2019-02-02; 2019-03-03
Response before CART2 > - > PD; PD; SD""")
    assert targets["Response before CART2"].target == "ignore"


def test_an_empty_source_proposes_nothing():
    outcome = propose(Source("excel", "x.xlsx", ()), today=TODAY)
    assert (outcome.proposals, outcome.map.blocks) == ((), ())
