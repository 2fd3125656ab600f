"""Presets: each by a small export made by hand, asked about what is in doubt, and imported once that is answered."""

from __future__ import annotations

import pytest

from helpers import command
from reinfuse.exceptions import SourceRefused
from reinfuse.sources.follow import follow
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.preset import presets
from reinfuse.sources.questions import answered, questions
from reinfuse.study.sources import fitting, propose_map
from reinfuse.tabular.toml import parse_toml

EXAMPLES = {
    "cibmtr_4000": (
        "4000.csv",
        "CRID,Gender,Primary disease,LD drugs,Systemic therapy given,Actual weight\n"
        "11,female,NHL,Cy/Flu,yes,60\n12,male,ALL,Cy,yes,80\n",
        {"1": "infusions.infusion"},
        {"patients": [("11", "NHL", "F"), ("12", "ALL", "M")],
         "infusions": [("11", "1", "Cy/Flu"), ("12", "1", "Cy")]},
    ),
    "cibmtr_4006": (
        "4006.csv",
        "CRID,Date of infusion,Product,Total number of cells,Actual weight\n"
        "11,2021-03-09,Kymriah,120000000,60\n11,2020-02-11,Kymriah,180000000,60\n12,2020-08-31,Yescarta,160000000,80\n",
        {},
        # total cells by weight: 120e6 / 60, 180e6 / 60, 160e6 / 80; numbered by their dates
        {"infusions": [("11", "1", "2020-02-11", "Kymriah", "3000000"), ("11", "2", "2021-03-09", "Kymriah", "2000000"),
                       ("12", "1", "2020-08-31", "Yescarta", "2000000")]},
    ),
    "cibmtr_4100": (
        "4100.csv",
        "CRID,Date of last contact,Vital status,Best response,Date response established,Date relapse documented\n"
        "11,2022-01-10,Alive,Complete response,2021-04-06,\n12,2021-05-02,Dead,No response,2020-09-28,2020-12-01\n",
        {"No response": "SD", "Continued complete response": ""},
        {"patients": [("11", "2022-01-10", ""), ("12", "2021-05-02", "2021-05-02")],
         "responses": [("11", "CR", "2021-04-06"), ("12", "PD", "2020-12-01"), ("12", "SD", "2020-09-28")]},
    ),
    "ebmt": (
        "ebmt.csv",
        "EBMT CIC patient code,Date of cell therapy,Cell therapy product,CRS maximum grade,ICANS maximum grade,"
        "Best clinical response,Date of best response,Date of last follow-up,Survival status\n"
        "7,2020-03-02,Tecartus,2,0,CR,2020-03-30,2023-01-09,Alive\n8,2020-05-04,Kymriah,0,1,PD,2020-06-01,2020-11-02,Dead\n",
        {},
        {"patients": [("7", "2023-01-09", ""), ("8", "2020-11-02", "2020-11-02")],
         "infusions": [("7", "1", "2020-03-02", "Tecartus"), ("8", "1", "2020-05-04", "Kymriah")],
         "responses": [("7", "CR", "2020-03-30"), ("8", "PD", "2020-06-01")],
         "toxicities": [("7", "1", "CRS", "2"), ("7", "1", "ICANS", "0"), ("8", "1", "CRS", "0"),
                        ("8", "1", "ICANS", "1")]},
    ),
    "epic": (
        "BMT_INFUSIONS.csv",
        "SUMMARY_BLOCK_ID,LINE,PAT_ID,BMT_INFUSION_DT\n901,1,A,2021-02-02\n902,1,A,2022-02-02\n903,1,B,2021-06-07\n",
        {},
        {"infusions": [("A", "1", "2021-02-02"), ("A", "2", "2022-02-02"), ("B", "1", "2021-06-07")]},
    ),
    "cbioportal": (
        "data_clinical_patient.txt",
        "#Patient\tOS\tOS months\tSex\n#Patient\tOS\tOS months\tSex\n#STRING\tSTRING\tNUMBER\tSTRING\n#1\t1\t1\t1\n"
        "PATIENT_ID\tOS_STATUS\tOS_MONTHS\tSEX\nP1\t1:DECEASED\t12\tFemale\nP2\t0:LIVING\t24\tMale\n",
        {},
        # a month has 30.4375 days
        {"sheet": [("P1", "F", "365.25", "1"), ("P2", "M", "730.5", "0")]},
    ),
}  # fmt: skip
COLUMNS = {
    "patients": {"cibmtr_4000": ("patient_id", "diagnosis", "sex"), "": ("patient_id", "last_contact", "death")},
    "infusions": {"cibmtr_4000": ("patient_id", "infusion", "lymphodepletion"),
                  "epic": ("patient_id", "infusion", "date"),
                  "ebmt": ("patient_id", "infusion", "date", "product"),
                  "": ("patient_id", "infusion", "date", "product", "dose_cells_per_kg")},
    "responses": {"": ("patient_id", "response", "date")},
    "toxicities": {"": ("patient_id", "infusion", "kind", "grade")},
    "sheet": {"": ("patient_id", "sex", "os_days", "os_event")},
}  # fmt: skip
DOUBTS = {
    "cibmtr_4000": ("count infusions by the dates of form 4006", "lb"),
    "cibmtr_4006": ("cells in all", "dose_cells_per_kg"),
    "cibmtr_4100": ("No response", "Continued complete response", "not their ASTCT grade"),
    "ebmt": ("highest of a reporting period",),
    "epic": ("day 1", "no patient", "stem cells"),
    "cbioportal": ("first diagnosis",),
}


def written(name, folder):
    """Write the example of a preset."""
    path = folder / EXAMPLES[name][0]
    path.write_text(EXAMPLES[name][1], encoding="utf-8")
    return path


def test_every_preset_has_an_example():
    assert set(EXAMPLES) == set(DOUBTS) == set(presets())


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_preset_is_told_where_the_headers_fit_and_asks_its_doubts(tmp_path, name):
    source, proposed = propose_map(written(name, tmp_path), preset=name)
    assert list(fitting(source)) == [name]
    asked = " ".join(f"{q.line} {q.text}" for q in questions(proposed.map))
    assert all(doubt in asked for doubt in DOUBTS[name])
    assert {p.source for p in proposed.proposals} == {c.header for t in source.tables for c in t.columns}
    again = read_map(parse_toml(map_text(proposed.map, proposed.proposals).encode()))
    assert [b.fields.keys() for b in again.blocks] == [b.fields.keys() for b in proposed.map.blocks]
    assert any(p.table == "map" for p in follow(source, proposed.map).problems)


@pytest.mark.parametrize("name", EXAMPLES)
def test_once_answered_a_preset_gives_the_tables_worked_out_by_hand(tmp_path, name):
    source, proposed = propose_map(written(name, tmp_path), preset=name)
    source_map, answers = proposed.map, EXAMPLES[name][2]
    for question in list(questions(source_map)):
        given = {"ids": "keep", "date_order": "ymd", "const": "1", "confirm": "yes"}.get(question.setting, "yes")
        source_map = answered(source_map, question, answers.get(question.subject, given))
    imported = follow(source, source_map)
    assert not [p for p in imported.problems if p.table != "map"]
    for table, truth in EXAMPLES[name][3].items():
        columns = COLUMNS[table].get(name, COLUMNS[table].get("", ()))
        read = imported.tables[table]
        rows = [dict(zip(read.columns, (c.text for c in row), strict=True)) for row in read.rows]
        assert sorted(tuple(row.get(c, "") for c in columns) for row in rows) == sorted(truth)
    assert set(imported.tables) == set(EXAMPLES[name][3])


def test_the_forms_of_a_folder_are_taken_together(tmp_path):
    for name in ("cibmtr_4006", "cibmtr_4100"):
        written(name, tmp_path)
    _, proposed = propose_map(tmp_path, preset="cibmtr")
    assert {(b.sheet, b.table) for b in proposed.map.blocks} == {
        ("4006", "infusions"), ("4100", "patients"), ("4100", "responses"),
    }  # fmt: skip


def test_another_table_of_the_folder_keeps_its_proposals(tmp_path):
    written("cibmtr_4006", tmp_path)
    own = (
        "Patient ID,Diagnosis,Date of death,Last contact,Ward\n11,NHL,,2023-01-05,B3\n12,ALL,2021-05-02,2021-05-02,B4\n"
    )
    (tmp_path / "patients of ours.csv").write_text(own, encoding="utf-8")
    source, proposed = propose_map(tmp_path, preset="cibmtr_4006")
    blocks = {(b.sheet, b.table): b for b in proposed.map.blocks}
    assert set(blocks) == {("4006", "infusions"), ("patients of ours", "patients")}
    assert blocks["patients of ours", "patients"].fields["diagnosis"].column == "Diagnosis"
    assert [p.source for p in proposed.proposals] == [c.header for t in source.tables for c in t.columns]
    assert {p.source: p.target for p in proposed.proposals}["Last contact"] == "patients.last_contact"


def test_what_a_preset_leaves_out_is_named_with_what_it_would_be_without_it(tmp_path):
    path = written("epic", tmp_path)
    rows = path.read_text(encoding="utf-8").splitlines()
    extra = [f"{row},{more}" for row, more in zip(rows, ("Diagnosis", "NHL", "NHL", "ALL"), strict=True)]
    path.write_text("\n".join(extra) + "\n", encoding="utf-8")
    _, proposed = propose_map(path, preset="epic")
    assert "without it: patients.diagnosis" in proposed.map.ignored["sheet"]["Diagnosis"]


def test_a_preset_that_does_not_fit_or_is_none_is_refused(tmp_path):
    path = written("epic", tmp_path)
    with pytest.raises(SourceRefused, match="1 problem") as caught:
        propose_map(path, preset="ebmt")
    assert "ebmt_id, treatment_date" in caught.value.problems[0].rule
    with pytest.raises(SourceRefused) as caught:
        propose_map(path, preset="epik")
    assert caught.value.problems[0].remedy.startswith("did you mean epic?")


def test_total_cells_without_a_weight_ask_for_it(tmp_path):
    path = written("cibmtr_4006", tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines), encoding="utf-8")
    _, proposed = propose_map(path, preset="cibmtr_4006")
    assert ("infusions.dose_cells_per_kg", "weight") in {(q.line, q.setting) for q in questions(proposed.map)}


def test_the_command_names_a_preset_that_fits_and_takes_it(tmp_path):
    path = written("cibmtr_4006", tmp_path)
    told = command("map", path, "--out", tmp_path / "a.toml").stdout
    assert "--preset cibmtr_4006" in told
    told = command("map", path, "--out", tmp_path / "b.toml", "--preset", "cibmtr_4006").stdout
    assert "Are these CAR-positive viable T cells?" in told
    assert 'weight = "Actual weight"' in (tmp_path / "b.toml").read_text(encoding="utf-8")
