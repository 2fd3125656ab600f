"""Files as programs write them: what is understood is noted, what has no one reading is refused with its line."""

import pytest

from helpers import problems_of, write_workbook
from reinfuse import read_cohort

TEXT = "patient_id,os_days,os_event,centre\nA,900,1,Köln\nB,800,0,Liège\n"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_a_first_line_that_names_the_separator_is_no_header(tmp_path, mark):
    (tmp_path / "a.csv").write_text(f"sep={mark}\r\n" + TEXT.replace(",", mark), encoding="utf-8", newline="")
    (tmp_path / "b.csv").write_text(TEXT.replace(",", mark), encoding="utf-8", newline="")
    one, other = (read_cohort(tmp_path / name) for name in ("a.csv", "b.csv"))
    assert one.tables["sheet"].equals(other.tables["sheet"])
    assert one.readings == other.readings


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (TEXT.encode() + "C,700,1,Lodève\n".encode("cp1252"), 2),
        (TEXT.encode("cp1252") + "C,700,1,Lodève\n".encode(), 4),
        (TEXT.encode("cp1252") + "C,700,1,Clermont – Ferrand\n".encode(), 4),
    ],
)
def test_a_file_in_two_encodings_is_refused_with_its_line(tmp_path, data, line):
    (tmp_path / "sheet.csv").write_bytes(data)
    (problem,) = problems_of(tmp_path / "sheet.csv")
    assert problem.rule == f"is neither UTF-8 nor Windows-1252 throughout: line {line} holds a letter in UTF-8"


def test_a_text_in_windows_1252_with_marks_beside_its_letters_is_read(tmp_path):
    text = TEXT + "C,700,1,“Köln” – Liège’s café\u00a0»\n"
    (tmp_path / "sheet.csv").write_bytes(text.encode("cp1252"))
    assert read_cohort(tmp_path / "sheet.csv").tables["sheet"]["centre"].to_list()[2] == "“Köln” – Liège’s café »"


@pytest.mark.parametrize(("written", "meant"), [("Ulm_x000D_", "Ulm"), ("Ulm_x005F_x000D_", "Ulm_x000D_"),
                                                ("Ulm_x", "Ulm_x"), ("_x00C4_rzte", "Ärzte")])  # fmt: skip
def test_a_mark_that_a_workbook_spells_out_is_that_mark(tmp_path, written, meant):
    rows = [["patient_id", "os_days", "os_event", "centre"], ["A", 9, 1, written], ["B", 8, 0, "Bonn"]]
    path = write_workbook(tmp_path, {"sheet": rows})
    assert read_cohort(path).tables["sheet"]["centre"].to_list() == [meant, "Bonn"]


def test_digits_of_another_script_are_noted(tmp_path):
    (tmp_path / "sheet.csv").write_text("patient_id,os_days,os_event\nA,٣٠,1\nB,８,0\n", encoding="utf-8")
    cohort = read_cohort(tmp_path / "sheet.csv")
    assert cohort.tables["sheet"]["os_days"].to_list() == [30, 8]
    assert [(r.column, r.what, r.count) for r in cohort.readings] == [("os_days", "digits of another script", 2)]
