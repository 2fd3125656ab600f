"""Habits of centres that were met in books of strangers, each alone: what is proposed, asked and read."""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest
from centres import centre

from reinfuse.sources.follow import follow
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import NOWHERE, answered, questions
from reinfuse.sources.read import read_source
from reinfuse.sources.values import understand

TODAY = date(2026, 11, 29)
DATES = "2020-01-01; 2020-02-02; 2020-03-03; 2020-04-04"
PATIENTS = f"""
ID > - > A1; A2; A3; A4
Dx > - > DLBCL; CLL; ALL; FL
CART1 date > - > {DATES}
CART2 date > - > 2021-01-01; 2021-02-02; 2021-03-03; 2021-04-04
Last contact > - > 2023-01-01; 2023-02-02; 2023-03-03; 2023-04-04
"""


def proposed(columns, **sheets):
    source = centre(
        "x.xlsx", S="\n".join([*PATIENTS.strip().splitlines(), *columns.strip().splitlines()]), **sheets
    ).source
    return source, propose(source, today=TODAY)


def proposal_of(header, columns):
    return next(p for p in proposed(columns)[1].proposals if p.source == header)


def imported(source, source_map, **answers):
    for question in list(questions(source_map)):
        default = "keep" if question.setting == "ids" else "yes"
        source_map = answered(source_map, question, answers.get(question.subject, default))
    return follow(source, source_map)


def rows(table):
    return [dict(zip(table.columns, (c.text for c in row), strict=True)) for row in table.rows]


def book(path, *sheets):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, lines in sheets:
        sheet = workbook.create_sheet(title)
        for line in lines:
            sheet.append(line)
    workbook.save(path)
    return path


LABELS = [
    "Record ID",
    "Primary diagnosis",
    "Agents (choice=Cy) (Infusion 1)",
    "Agents (choice=Flu) (Infusion 1)",
    "Complete?",
]


def test_an_export_of_redcap_that_is_kept_in_a_workbook_is_read_as_one_below_its_title(tmp_path):
    lines = [["Export of May"], LABELS, ["1", "Non-Hodgkin lymphoma (NHL)", "Checked", "Checked", "Complete"],
             ["2", "CLL", "Checked", "Unchecked", "Complete"]]  # fmt: skip
    source = read_source(book(tmp_path / "e.xlsx", ("Key", [["a", "b"]]), ("Export", lines)))
    assert (source.kind, source.problems) == ("redcap", ())
    (table,) = source.tables
    assert [c.header for c in table.columns] == ["Record ID", "Primary diagnosis", "Agents (Infusion 1)"]
    assert table.texts("Agents (Infusion 1)") == ["Cy + Flu", "Cy"]


def test_a_dose_is_read_in_the_unit_that_stands_beside_it_row_by_row():
    source, outcome = proposed("""
CART2 dose > - > 2; 150; 1.5; 300
CART2 dose unit > - > x10^6 cells/kg; x10^6 cells (total); x10^6 cells/kg; x10^6 cells (total)
CART2 weight (kg) > - > 70; 75; 80; 60""")
    given = {r["patient_id"]: r["dose_cells_per_kg"] for r in rows(imported(source, outcome.map).tables["infusions"])
             if r["infusion"] == "2"}  # fmt: skip
    assert given == {"A1": "2000000", "A2": "2000000", "A3": "1500000", "A4": "5000000"}
    assert next(p for p in outcome.proposals if p.source == "CART2 dose").open


def test_an_assessment_that_the_map_places_lies_before_the_next_infusion():
    source, outcome = proposed("CART1 D400 response > - > CR; PD; PR; SD")
    dates = {r["patient_id"]: r["date"] for r in rows(imported(source, outcome.map).tables["responses"])}
    assert dates["A1"] == "2020-12-31"


def test_a_progression_without_a_day_has_the_recorded_one_that_follows_within_a_month():
    source, outcome = proposed("""
CART2 D28 response > - > PD; PD; CR; SD
CART2 PD date > - > 2021-02-01; 2021-06-01; 2021-09-09; -""")
    told = [(r["patient_id"], r["date"]) for r in rows(imported(source, outcome.map).tables["responses"])
            if r["response"] == "PD"]  # fmt: skip
    assert told == [("A1", "2021-02-01"), ("A2", "2021-03-02"), ("A2", "2021-06-01"), ("A3", "2021-09-09")]


@pytest.mark.parametrize(("text", "parts"), [
    ("CMR (D2)", {"response": "CR"}), ("PMD (D5)", {"response": "PD"}), ("CR (D3)", {"response": "CR"}),
    ("PD (D28)", {"response": "PD", "day": "28"}), ("CRi MRD pos 0.2%", {"response": "CRi", "mrd": "detectable"}),
    ("CR MRD -ve", {"response": "CR", "mrd": "undetectable"}),
])  # fmt: skip
def test_a_deauville_score_is_no_day_and_a_level_no_other_response(text, parts):
    assert understand("response", text).parts == parts


def test_a_number_that_may_be_day_or_score_is_asked_about():
    assert understand("response", "PD (D5)") is None


@pytest.mark.parametrize(("column", "text", "parts"), [
    ("death", "12/12/19 (sepsis)", {"death": "2019-12-12"}),
    ("death_cause", "12/12/19 (PD)", {"death_cause": "disease"}),
    ("death_cause", "DNRM", {"death_cause": "treatment"}),
    ("diagnosis", "Acute lymphoblastic leukemia (ALL)", {"diagnosis": "ALL"}),
])  # fmt: skip
def test_words_beside_a_date_or_in_brackets(column, text, parts):
    assert understand(column, text, order="dmy").parts == parts


def test_brackets_that_contradict_are_asked_about():
    assert understand("diagnosis", "Acute lymphoblastic leukemia (CLL)") is None


def test_nd_is_asked_about_beside_detected_alone():
    words = {n: proposed(f"CART2 MRD > - > {texts}")[1].map.values.get("result", {})
             for n, texts in (("detected", "Det; ND; Not detected; ND"), ("positive", "pos; ND; neg; ND"))}  # fmt: skip
    assert "ND" in words["detected"]
    assert "ND" not in words["positive"]


def test_a_and_d_are_alive_and_dead_and_asked_about():
    one = proposal_of("Vital status", "Vital status > - > A; D; A; D")
    assert (one.target, one.open) == ("patients.death", True)


def test_a_flag_of_survival_tells_who_died_and_one_of_progression_without_a_day_is_asked_about():
    flags = "os2_ev > - > 1; 0; 1; 0\npfs2_ev > - > 1; 1; 1; 0"
    source, outcome = proposed(flags)
    assert proposal_of("os2_ev", flags).target == "patients.death"
    asked = [q.subject for q in questions(outcome.map) if q.subject.startswith("pfs2_ev: it tells who progressed")]
    assert len(asked) == 1
    deaths = [r["death"] for r in rows(imported(source, outcome.map).tables["patients"])]
    assert deaths == ["2023-01-01", "", "2023-03-03", ""]


def test_therapies_without_any_date_can_be_left_out():
    source, outcome = proposed("Next therapy > - > R-CHOP; -; pola-BR; -")
    question = next(q for q in questions(outcome.map) if q.line == "therapies.date")
    assert NOWHERE in question.text
    assert "therapies" not in imported(source, outcome.map, date=NOWHERE).tables


def test_a_codebook_explains_the_columns_of_each_infusion_and_separates_its_codes_by_commas(tmp_path):
    lines = [["id", "dx", "date_cart1", "LD_cart1", "resp_cart1"], ["1", "1", "2020-01-01", "1", "1"],
             ["2", "2", "2020-02-02", "2", "2"], ["3", "1", "2020-03-03", "1", "1"]]  # fmt: skip
    codes = [
        ["Variable", "Codes"],
        ["dx", "1 = ALL, 2 = CLL"],
        ["LD", "1 = Flu/Cy, 2 = Cy"],
        ["resp", "1 = CR, 2 = PR"],
    ]
    table = read_source(book(tmp_path / "c.xlsx", ("Data", lines), ("Codebook", codes))).tables[0]
    choices = {c.header: c.choices for c in table.columns if c.choices}
    assert choices == {
        "dx": {"1": "ALL", "2": "CLL"},
        "LD_cart1": {"1": "Flu/Cy", "2": "Cy"},
        "resp_cart1": {"1": "CR", "2": "PR"},
    }


def test_years_between_the_rows_are_headings_and_a_code_in_several_rows_is_the_patients(tmp_path):
    head = ["Infusion date/time", "CT #", "Pt initials", "CAR # (1st/2nd)", "Product", "Lot"]
    lines = [head, ["2019"], ["2019-02-14 14:40", "CT024", "MF", "1st", "axi-cel", "U490318"],
             ["2019-03-10 10:20", "CT018", "VS", "1st", "tisa-cel", "E286988"], ["2020"],
             ["2020-02-14 14:40", "CT024", "MF", "2nd", "axi-cel", "K490318"],
             ["2020-03-31 13:40", "CT018", "VS", "2nd", "liso-cel", "E391412"]]  # fmt: skip
    source = read_source(book(tmp_path / "log.xlsx", ("Log", lines)))
    assert len(source.tables[0].rows) == 4
    targets = {p.source: (p.target, p.open) for p in propose(source, today=TODAY).proposals}
    assert targets["CT #"] == ("patients.patient_id", True)
    assert targets["CAR # (1st/2nd)"] == ("infusions.infusion", False)
    assert targets["Infusion date/time"][0] == "infusions.date"
    assert targets["Pt initials"][0] == "ignore"


def test_a_header_with_a_magnitude_between_lines_below_is_read_as_it_stands(tmp_path):
    source = read_source(
        book(tmp_path / "m.xlsx", ("Data", [["id", "dose_x10e6_kg"], ["1", "2"], ["2", "3"], ["3", "1"]]))
    )
    assert [c.header for c in source.tables[0].columns] == ["id", "dose_x10e6_kg"]
