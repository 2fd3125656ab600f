"""Exports of REDCap: what of real ones is read, what is proposed for three projects, and the cohort that follows."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from redcap_projects import BY_EVENT, BY_INSTANCE, BY_SUFFIX, ENDPOINTS, PROGRESSION_DAYS, PROJECTS, truth

from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.sources.cohort_folder import check
from reinfuse.sources.follow import follow
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.read import read_source
from reinfuse.sources.recognition import recognise
from reinfuse.sources.source_map import MISSING_CODES, OPEN

FOREIGN = Path(__file__).resolve().parents[3] / "shared" / "data" / "sources" / "redcap"
TODAY = date(2026, 11, 29)
EXPORTS = ("raw", "labels", "labels as headings")
ANSWERS = {
    "diagnosis": {"ALL, B-cell precursor": "ALL"}, "response": {"Complete (CR), PET-negative": "CR"},
    MISSING_CODES: {"NASK": "", "UNK": ""},
}  # fmt: skip
"""What a person answers of words that are not understood."""


def source_of(project, folder, export="raw", *, dictionary=True):
    text = None if export == "raw" else project.labelled(headings=export == "labels as headings")
    return read_source(project.write(folder, export=text, dictionary=dictionary))


def judged(project, source):
    """Return form, field, proposal and right target of each field but the record's."""
    proposals = iter(propose(source, today=TODAY).proposals)
    every = [(t.name, c.header, next(proposals)) for t in source.tables if t.rows for c in t.columns]
    record = source.tables[0].columns[0].header
    return [(f, h, p, project.targets.get((f, h), "ignore")) for f, h, p in every if h != record]


def confirmed(source_map):
    """Answer what is open, as the person does who keeps the project."""
    blocks = tuple(replace(b, fields={c: replace(f, confirm=False) for c, f in b.fields.items()})
                   for b in source_map.blocks)  # fmt: skip
    values = {name: {w: ANSWERS[name][w] if a == OPEN else a for w, a in words.items()}
              for name, words in source_map.values.items()}  # fmt: skip
    return replace(source_map, blocks=blocks, values=values, questions=dict.fromkeys(source_map.questions, "yes"))


def imported(project, folder, export="raw"):
    source = source_of(project, folder, export)
    return follow(source, confirmed(propose(source, today=TODAY).map))


def table_of(outcome, name, columns):
    """Return the rows of an imported table with some of its columns."""
    table = outcome.tables[name]
    rows = [dict(zip(table.columns, (c.text for c in row), strict=True)) for row in table.rows]
    return sorted((tuple(_spelt(c, row.get(c, "")) for c in columns) for row in rows), key=str)


def _spelt(column, text):
    return regimen_class(text) if column == "lymphodepletion" else text


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("project", PROJECTS, ids=lambda p: p.name)
def test_no_wrong_proposal_goes_unasked_and_nine_in_ten_fields_are_proposed_rightly(project, export, tmp_path):
    every = judged(project, source_of(project, tmp_path / "p", export))
    assert [(f, h, p.target) for f, h, p, right in every if p.target != right and not p.open] == []
    mapped = [p.target == right for _, _, p, right in every if right != "ignore"]
    assert len(mapped) == len(project.targets)
    assert sum(mapped) / len(mapped) >= 0.9


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("project", PROJECTS, ids=lambda p: p.name)
@pytest.mark.parametrize("name", ["patients", "infusions", "responses", "mrd", "toxicities"])
def test_the_cohort_of_each_export_is_the_one_worked_out_by_hand(project, export, name, tmp_path):
    outcome = imported(project, tmp_path / "p", export)
    assert [(p.column, p.value, p.rule) for p in outcome.problems] == []
    rows = truth(name)
    assert table_of(outcome, name, rows[0]) == sorted((tuple(r.values()) for r in rows), key=str)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda p: p.name)
def test_endpoints_after_cart2_are_those_worked_out_by_hand(project, tmp_path):
    checked = check(imported(project, tmp_path / "p"))
    assert [p.rule for p in checked.problems if p.severity == "error"] == []
    derived = {row["patient_id"]: row for row in derive(checked.cohort, 2, rules=Rules()).to_dicts()}
    head, *rows = [line.split() for line in ENDPOINTS.strip().splitlines()]
    for row in rows:
        wanted = dict(zip(head, row, strict=True))
        found = derived[wanted["patient_id"]]
        assert found["os_days"] == int(wanted["os_days"])
        assert [found["os_event"], found["pfs_event"]] == [wanted["os_event"], wanted["pfs_event"]]
        if wanted["patient_id"] in PROGRESSION_DAYS:
            assert found["pfs_days"] == PROGRESSION_DAYS[wanted["patient_id"]]
    assert set(derived) == {row[0] for row in rows}


needs_foreign = pytest.mark.skipif(not FOREIGN.is_dir(), reason="../shared/data/sources/redcap is not there")
SHAPES = {
    "checkboxes-1": {"form_1": 4, "form_2": 4},
    "clinical-trial-1": {"demographics": 500},
    "decimal-comma-and-dot": {"demographics": 4},
    "empty-rows": {},
    "longitudinal": {
        "demographics": 3, "contact_info": 0, "baseline_data": 3, "visit_lab_data": 4,
        "patient_morale_questionnaire": 10, "visit_blood_workup": 4, "visit_observed_behavior": 6,
        "completion_data": 2, "completion_project_questionnaire": 3,
    },
    "potentially-problematic-values": {"form_1": 2},
    "repeating-instruments-sparse": {"demographics": 5, "bp": 4},
}  # fmt: skip
"""Project of others -> form and number of its rows, counted by hand in data.csv."""


@needs_foreign
@pytest.mark.parametrize("name", SHAPES)
def test_projects_of_others_are_read_form_by_form_or_refused_with_a_reason(name):
    assert recognise(FOREIGN / name).kind == "redcap"
    source = read_source(FOREIGN / name)
    assert {t.name: len(t.rows) for t in source.tables} == SHAPES[name]
    refused = [(p.table, p.rule) for p in source.problems]
    assert refused == ([("data.csv", "is empty")] if name == "empty-rows" else [])


@needs_foreign
@pytest.mark.parametrize("name", [n for n in SHAPES if n != "empty-rows"])
def test_a_project_without_car_t_gives_no_infusion_and_its_import_says_so(name):
    source = read_source(FOREIGN / name)
    outcome = propose(source, today=TODAY)
    assert [p.target for p in outcome.proposals if p.target.startswith("infusions")] == []
    rules = {(p.column, p.rule) for p in follow(source, outcome.map).problems}
    assert ("infusions.infusion", "has no line in the map") in rules


@needs_foreign
def test_identifiers_of_a_project_are_left_out_by_name_and_codes_are_labels():
    source = read_source(FOREIGN / "clinical-trial-1")
    (table,) = source.tables
    assert [c.header for c in table.columns] == [
        "record_id", "ethnicity", "race", "gender", "height", "weight", "email",
    ]  # fmt: skip
    assert table.rows[0].texts[:4] == ("1", "Non-Latino", "White", "Female")
    left = "left out, as the data dictionary marks them as identifying a person: name_last, name_first, address, phone"
    assert f"{left}, dob" in table.remarks


def test_rows_have_the_place_at_which_a_person_finds_them_in_redcap(tmp_path):
    by_event = {t.name: [r.place for r in t.rows] for t in source_of(BY_EVENT, tmp_path / "a").tables}
    assert by_event["infusion"][:2] == ["record 101, cart1_arm_1", "record 101, cart2_arm_1"]
    assert by_event["response"][0] == "record 101, cart1_arm_1, response 1"
    by_instance = {t.name: [r.place for r in t.rows] for t in source_of(BY_INSTANCE, tmp_path / "b").tables}
    assert by_instance["cart_infusion"][1] == "record 101, cart_infusion 2"


def test_a_code_of_missing_data_is_asked_about_once_and_its_cells_are_empty_or_what_was_answered(tmp_path):
    source = source_of(BY_EVENT, tmp_path / "p")
    proposed = propose(source, today=TODAY).map
    assert proposed.values[MISSING_CODES] == {"NASK": OPEN, "UNK": OPEN}
    asked = [(p.column, p.rule) for p in follow(source, proposed).problems if "UNK" in f"{p.column}{p.value}{p.rule}"]
    assert asked == [(f"values.{MISSING_CODES}.UNK", "is open")]
    lines = table_of(imported(BY_EVENT, tmp_path / "q"), "infusions", ["patient_id", "infusion"])
    assert len(lines) == 7


def test_without_a_dictionary_forms_are_told_by_their_status_and_codes_are_asked_about(tmp_path):
    source = source_of(BY_EVENT, tmp_path / "p", dictionary=False)
    assert [t.name for t in source.tables] == ["demographics", "infusion", "toxicity", "response", "follow_up"]
    assert any("no data dictionary" in r for r in source.remarks)
    every = judged(BY_EVENT, source)
    coded = {h: p for _, h, p, _ in every if h in ("sex", "crs_max", "icans_max", "resp", "mrd", "dx", "ld")}
    assert {h for h, p in coded.items() if p.target != "ignore" and not p.open} == set()
    wrong = [(h, p.target) for _, h, p, right in every if p.target not in (right, "ignore") and not p.open]
    assert wrong == []


@pytest.mark.parametrize(("project", "asked"), [
    (BY_INSTANCE, {"disease": "patients.diagnosis"}),
    (BY_SUFFIX, {"cart1_ld": "infusions[1].lymphodepletion", "cart2_crs_grade": "toxicities[2].CRS.grade"}),
])  # fmt: skip
def test_codes_that_could_be_words_are_asked_about_without_a_dictionary(project, asked, tmp_path):
    every = {h: p for _, h, p, _ in judged(project, source_of(project, tmp_path / "p", dictionary=False))}
    assert {h: (every[h].target, every[h].open) for h in asked} == {h: (t, True) for h, t in asked.items()}


def test_a_dictionary_beside_the_export_is_used_and_named(tmp_path):
    folder = BY_SUFFIX.write(tmp_path / "p")
    source = read_source(folder / "data.csv")
    assert source.remarks[0] == "read with the data dictionary beside it: dictionary.csv"
    assert source.fingerprint == read_source(folder).fingerprint
    assert sorted(source.files) == ["data.csv", "dictionary.csv"]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda p: p.name)
def test_every_export_of_a_project_is_told_as_one_of_redcap(project, tmp_path):
    for export in EXPORTS:
        text = None if export == "raw" else project.labelled(headings=export == "labels as headings")
        folder = project.write(tmp_path / export, export=text)
        assert [recognise(p).kind for p in (folder, folder / "data.csv", folder / "dictionary.csv")] == ["redcap"] * 3


REFUSED = {
    "two exports": ({"a.csv": "record_id,x_complete\n1,2\n", "b.csv": "record_id,x_complete\n1,2\n"},
                    "holds several exports: a.csv, b.csv"),
    "a dictionary alone": ({"d.csv": "field_name,form_name,field_type\nrecord_id,a,text\n"},
                           "holds a data dictionary and no export"),
    "no records": ({"a.csv": "record_id,redcap_event_name,x_complete\n"}, "has a header and no records"),
    "dictionaries that differ": (
        {"a.csv": "record_id,dx,x_complete\n1,1,2\n",
         "d.csv": "field_name,form_name,field_type,select_choices_or_calculations\nrecord_id,x,text,\n"
                  'dx,x,radio,"1, CLL"\n',
         "e.csv": "field_name,form_name,field_type,select_choices_or_calculations\nrecord_id,x,text,\n"
                  'dx,x,radio,"1, ALL"\n'}, "holds several data dictionaries that differ: d.csv, e.csv"),
}  # fmt: skip


@pytest.mark.parametrize(("texts", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_with_its_reason(texts, rule, tmp_path):
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [p.rule for p in read_source(tmp_path).problems] == [rule]


def test_codes_and_labels_that_cannot_be_told_apart_are_refused(tmp_path):
    (tmp_path / "dictionary.csv").write_text(
        "field_name,form_name,field_type,select_choices_or_calculations\nrecord_id,x,text,\n"
        'crs_grade,x,radio,"1, 0 | 0, 1"\n', encoding="utf-8")  # fmt: skip
    (tmp_path / "data.csv").write_text("record_id,crs_grade\n1,1\n2,0\n", encoding="utf-8")
    assert [p.rule for p in read_source(tmp_path).problems] == [
        "codes and labels cannot be told apart: every cell may be either"
    ]


@pytest.mark.parametrize(("boxes", "texts"), [
    ("1,0,1", "CLL + ALL"), ("Checked,Unchecked,Checked", "CLL + ALL"), ("CLL,,ALL", "CLL + ALL"), ("0,0,0", ""),
])  # fmt: skip
def test_ticked_boxes_are_one_text_however_they_are_exported(boxes, texts, tmp_path):
    (tmp_path / "dictionary.csv").write_text(
        "field_name,form_name,field_type,select_choices_or_calculations\nrecord_id,x,text,\n"
        'dx,x,checkbox,"-1, CLL | a, NHL | B, ALL"\n', encoding="utf-8")  # fmt: skip
    (tmp_path / "data.csv").write_text(f"record_id,dx____1,dx___a,dx___b,x_complete\n7,{boxes},2\n", encoding="utf-8")
    (table,) = read_source(tmp_path).tables
    assert [c.header for c in table.columns] == ["record_id", "dx"]
    assert table.rows[0].texts == ("7", texts)


def test_a_box_that_is_neither_ticked_nor_unticked_is_refused(tmp_path):
    (tmp_path / "data.csv").write_text("record_id,dx___1,dx___2,x_complete\n7,1,perhaps,2\n", encoding="utf-8")
    (problem,) = read_source(tmp_path).problems
    assert (problem.column, problem.value) == ("dx", "perhaps")


def test_instances_against_the_order_of_the_dates_are_asked_about(tmp_path):
    text = BY_INSTANCE.labelled().replace("Cart Infusion,1,,,,,,,2019-03-12", "Cart Infusion,1,,,,,,,2020-05-12")
    source = read_source(BY_INSTANCE.write(tmp_path / "p", export=text))
    number = next(p for _, h, p, _ in judged(BY_INSTANCE, source) if p.target == "infusions.infusion")
    assert number.open
    assert "not in the order of the dates in record 101" in number.reason


def test_ten_thousand_rows_are_mapped_and_imported_within_ten_seconds_of_processor_time(tmp_path):
    head, rows = BY_INSTANCE.raw()
    copies = range(1 + 10_000 // len(rows))
    lines = [[f"{int(row[0]) + 1000 * k}", *row[1:]] for k in copies for row in rows]
    text = "\n".join(",".join(f'"{t}"' for t in line) for line in [head, *lines])
    folder = BY_INSTANCE.write(tmp_path / "p", export=text)
    start = time.process_time()
    source = read_source(folder)
    checked = check(follow(source, confirmed(propose(source, today=TODAY).map)))
    assert time.process_time() - start < 10
    assert len(checked.imported.tables["infusions"].rows) == 7 * len(copies)
    assert checked.cohort is not None


REPEATED = """record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,last_contact,\
date_of_death,demographics_complete,infusion_date,product,crs_grade,best_response,response_date,infusion_complete
1,baseline_arm_1,,,M,2022-01-01,,2,,,,,,
1,infusion_arm_1,,1,,,,,2020-01-05,tisa-cel,2,CR,2020-02-04,2
1,infusion_arm_1,,2,,,,,2021-01-05,axi-cel,0,PR,2021-02-04,2
2,baseline_arm_1,,,F,2021-12-12,2021-12-12,2,,,,,,
2,infusion_arm_1,,1,,,,,2019-03-05,axi-cel,1,PD,2019-04-04,2
2,infusion_arm_1,,2,,,,,2020-05-05,axi-cel,3,CR,2020-06-04,2
""".replace("\\\n", "")


def test_the_instance_of_a_repeated_event_is_the_number_of_the_infusion(tmp_path):
    (tmp_path / "export.csv").write_text(REPEATED, encoding="utf-8")
    source = read_source(tmp_path / "export.csv")
    outcome = follow(source, confirmed(propose(source, today=TODAY).map))
    assert [p.column for p in outcome.problems] == []
    assert table_of(outcome, "infusions", ("patient_id", "infusion", "date")) == [
        ("1", "1", "2020-01-05"), ("1", "2", "2021-01-05"), ("2", "1", "2019-03-05"), ("2", "2", "2020-05-05"),
    ]  # fmt: skip
    assert table_of(outcome, "toxicities", ("patient_id", "infusion", "grade")) == [
        ("1", "1", "2"), ("1", "2", "0"), ("2", "1", "1"), ("2", "2", "3"),
    ]  # fmt: skip
