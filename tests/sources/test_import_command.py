"""`reinfuse map`, `reinfuse import` and `--map`, used as a haematologist would on the tracking sheet of a centre."""

from __future__ import annotations

import csv
import json
import re

import pytest
from workbooks import EXAMPLES

from helpers import QUICK, command

ANSWERS = {
    "source.ids": "keep",
    "values.response.NR": "SD",
    "patients.last_contact": "first",
    "patients.death": "first",
}
"""What only a person can know; all else is right as it is proposed."""
WEIGHT = ', weight = "Patient | Weight (kg)"'
ENDPOINTS = {
    # from CART2: best response; days to PD, or to the last assessment; days to death or last contact; uMRD on day 28
    "P01": ("CR", "28", "no", "1571", "no", ""),
    "P02": ("CRi", "180", "yes", "464", "yes", "yes"),
    "P03": ("PD", "28", "yes", "62", "yes", ""),
    "P04": ("SD", "50", "yes", "227", "no", ""),
    "P05": ("CR", "28", "no", "1036", "no", ""),
    "P06": ("CRi", "61", "yes", "255", "yes", "no"),
    "P07": ("PR", "246", "yes", "805", "no", ""),
    "P08": ("SD", "100", "yes", "831", "no", ""),
}


def run(folder, *arguments, answers=""):
    """Run the command line in a folder."""
    return command(*arguments, cwd=folder, answers=answers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the sheet and its map, every open question answered in the terminal."""
    place = tmp_path_factory.mktemp("centre")
    EXAMPLES["tracking"].write(place)
    (place / "plan.toml").write_text(f"factors = []\nmodels = []\n{QUICK}", encoding="utf-8")
    lines = re.findall(r"^  (\S+?)(?: \(.*\))?: ", run(place, "map", "tracking.xlsx").stdout, flags=re.MULTILINE)
    answers = "".join(f"{ANSWERS.get(line, 'yes')}\n" for line in lines)
    reviewed = run(place, "map", "tracking.xlsx", "--review", answers=answers)
    assert reviewed.returncode == 0, reviewed.stderr
    assert "Nothing is open" in reviewed.stdout
    return place


def test_what_is_left_out_of_a_sheet_is_told_when_it_is_mapped(tmp_path):
    EXAMPLES["tracking"].write(tmp_path)
    lines = run(tmp_path, "map", "tracking.xlsx").stdout.splitlines()
    assert "- sheet 'Legend' is not read: it is a legend by its name" in lines
    assert "- CART pts 2019-24: left out: row 14 ('Total'): a row of totals" in lines


def test_the_proposals_are_the_contract(tmp_path):
    path = EXAMPLES["tracking"].write(tmp_path)
    mapped = run(tmp_path, "map", path, "--out", "map.toml", "--json")
    assert mapped.returncode == 0, mapped.stderr
    proposals = json.loads(mapped.stdout)["proposals"]
    assert {tuple(p) for p in proposals} == {("source", "target", "confidence", "reason", "open")}
    targets = {p["source"]: p["target"] for p in proposals}
    assert targets["CART #2 | Date"] == "infusions[2].date"
    assert targets["CART #2 | CRS"] == "toxicities[2].CRS.grade"
    again = run(tmp_path, "map", path, "--out", "map.toml")
    assert (again.returncode, "holds files of these names" in again.stderr) == (2, True)


def test_the_open_questions_stand_on_standard_output_and_import_refuses_while_they_are(tmp_path):
    path = EXAMPLES["tracking"].write(tmp_path)
    mapped = run(tmp_path, "map", path)
    assert re.search(r"^\d+ open questions; answer in the map", mapped.stdout, flags=re.MULTILINE)
    assert "values.response.NR: What does 'NR' mean as response?" in mapped.stdout
    refused = run(tmp_path, "import", path, "--map", "map.toml", "--json")
    assert refused.returncode == 2
    problems = json.loads(refused.stdout)["problems"]
    assert {"responses[2].date", "patients.death"} < {p["column"].removeprefix("map.") for p in problems}
    [word] = [p for p in problems if p["value"] == "NR"]
    assert (word["table"], word["row"], word["column"]) == ("CART pts 2019-24", 8, "CART #2 | Best resp")
    assert not (tmp_path / "cohort").exists()


def test_a_dose_that_no_answer_settles_is_told_with_its_row_and_the_line_to_add(folder):
    text = (folder / "map.toml").read_text(encoding="utf-8")
    assert text.count(WEIGHT) == 1
    (folder / "unweighed.toml").write_text(text.replace(WEIGHT, ""), encoding="utf-8")
    refused = run(folder, "import", "tracking.xlsx", "--map", "unweighed.toml", "--out", "none")
    assert refused.returncode == 2
    assert "CART pts 2019-24, row 7, CART #1 | Dose (x10^6/kg)" in refused.stderr
    assert 'weight = "header of the body weight"' in refused.stderr
    assert not (folder / "none").exists()


def test_the_imported_cohort_gives_the_endpoints_worked_out_by_hand(folder):
    text = (
        (folder / "map.toml")
        .read_text(encoding="utf-8")
        .replace('unit = "1e6 cells/kg"', f'unit = "1e6 cells/kg"{WEIGHT}')
    )
    (folder / "weighed.toml").write_text(text, encoding="utf-8")
    imported = run(folder, "import", "tracking.xlsx", "--map", "map.toml", "--out", "cohort")
    assert imported.returncode == 0, imported.stderr
    assert "Imported: 8 patients, 16 infusions, 21 responses, 4 mrd, 24 toxicities." in imported.stdout
    assert "left out: row 14 ('Total')" in imported.stdout
    parts = ("--only", "response", "--only", "survival", "--only", "brief")
    analysed = run(folder, "analyze", "cohort", "--plan", "plan.toml", *parts, "--out", "out")
    assert analysed.returncode == 0, analysed.stderr
    with (folder / "out" / "patients.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("response", "pfs_days", "pfs_event", "os_days", "os_event", "umrd_day28")
    assert {r["patient_id"]: tuple(r[c].removesuffix(".0") for c in columns) for r in rows} == ENDPOINTS
    sheet = ("tracking.xlsx", "--map", "map.toml")
    direct = run(folder, "analyze", *sheet, "--plan", "plan.toml", *parts, "--out", "direct")
    assert direct.returncode == 0, direct.stderr
    for name in ("patients.csv", "estimates.csv"):
        assert (folder / "direct" / name).read_bytes() == (folder / "out" / name).read_bytes()
    checked = run(folder, "check", "tracking.xlsx", "--map", "map.toml", "--plan", "plan.toml")
    assert (checked.returncode, "can be analysed" in checked.stdout) == (0, True)


def test_power_and_kinetics_read_a_source_by_its_map(folder):
    power = run(folder, "power", "tracking.xlsx", "--map", "map.toml", "--plan", "plan.toml", "--draws", "40")
    assert power.returncode == 0, power.stderr
    kinetics = run(folder, "kinetics", "tracking.xlsx", "--map", "map.toml", "--no-sampling", "--out", "counts")
    assert (kinetics.returncode, "counts" in kinetics.stderr) == (2, True)


def test_review_goes_on_with_the_map_that_is_there(tmp_path):
    EXAMPLES["ambiguous"].write(tmp_path)
    assert "1 open question;" in run(tmp_path, "map", "ambiguous.csv", "--review", answers="\n").stdout
    again = run(tmp_path, "map", "ambiguous.csv", "--review", answers="dym\ndmy\n")
    assert "answer one of: dmy, mdy, ymd" in again.stderr
    assert "Nothing is open" in again.stdout
    assert 'date_order = "dmy"' in (tmp_path / "map.toml").read_text(encoding="utf-8")
    assert run(tmp_path, "map", "ambiguous.csv", "--kind", "exel").returncode == 2
