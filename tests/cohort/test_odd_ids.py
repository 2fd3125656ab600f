"""Ids that may be no patient of their own are told, and never joined."""

import pytest

from helpers import read, write_sheet
from reinfuse import read_cohort

ALIKE = "the id differs from another one in case, spaces or leading zeros only"
ALONE = "the row holds an id and nothing else, and counts as a patient"


def told(path):
    return [(p.table, p.row, p.value, p.rule) for p in read_cohort(path).warnings]


@pytest.mark.parametrize("twin", ["p1", "P 1", "P-1", "P_1", "P01", "P001", "\uff301"])
def test_ids_that_read_alike_are_told(tmp_path, twin):
    path = write_sheet(tmp_path, f"patient_id,os_days,os_event\nP1,9,1\nP2,8,0\n{twin},7,1")
    assert told(path) == [("sheet", 3, twin, ALIKE)]
    assert read_cohort(path).tables["sheet"].height == 3


@pytest.mark.parametrize("other", ["P10", "P1.0", "P11", "PP1", "P100"])
def test_other_ids_are_other_patients(tmp_path, other):
    assert told(write_sheet(tmp_path, f"patient_id,os_days,os_event\nP1,9,1\n{other},7,1")) == []


def test_numbers_of_centres_and_patients_stay_apart(tmp_path):
    assert told(write_sheet(tmp_path, "patient_id,os_days,os_event\n1-23,9,1\n12-3,7,1\n123,6,1")) == []


def test_patients_of_dated_tables_that_read_alike_are_told(tmp_path):
    cohort = read(
        tmp_path,
        patients="patient_id,last_contact,death,diagnosis\nA01,500,,CLL\na1,500,,CLL",
        infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA01,1,0,2000000,Cy\na1,1,0,2000000,Cy",
    )
    assert [(p.table, p.row, p.value, p.rule) for p in cohort.warnings] == [("patients", 2, "a1", ALIKE)]
    assert cohort.warnings[0].remedy == "correct one of the two if it is the patient 'A01'; else nothing"


def test_a_note_below_the_table_is_told_and_not_counted_in_silence(tmp_path):
    text = "patient_id,os_days,os_event,LDH\nA,9,1,240\nB,8,0,\n,,,\nData as of 2024-03-01,,,"
    assert told(write_sheet(tmp_path, text)) == [("sheet", 4, "Data as of 2024-03-01", ALONE)]


def test_a_sheet_of_ids_alone_is_told_once_elsewhere(tmp_path):
    assert told(write_sheet(tmp_path, "patient_id,os_days,os_event\nA,,\nB,,")) == []
