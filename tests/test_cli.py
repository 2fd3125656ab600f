"""The command line: what it writes, what it refuses, and what it never shows."""

import json
import subprocess
import sys

import pytest

from helpers import command, write_folder
from reinfuse.cli import main as cli
from reinfuse.data import DEMO, datasets

GOOD = {
    "patients": """patient_id,last_contact,death,diagnosis
                   P1,400,,CLL
                   P2,300,300,NHL""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
                    P1,1,0,2e5,Cy
                    P1,2,100,2e6,Cy/Flu
                    P2,1,0,2e6,Cy/Flu
                    P2,2,90,2e6,Cy/Flu""",
    "responses": """patient_id,day,response
                    P1,128,PR
                    P2,120,PD""",
}
BAD = {**GOOD, "responses": "patient_id,day,response\nSECRETNAME,128,great\nP2,120,PD"}


def _started(*arguments):
    """Run the command line in a process of its own."""
    return subprocess.run([sys.executable, "-m", "reinfuse.cli", *map(str, arguments)], capture_output=True, text=True,
                          check=False)  # fmt: skip


def test_analyze_writes_and_says_where(tmp_path):
    completed = _started("analyze", write_folder(tmp_path, **GOOD), "--out", tmp_path / "out")
    assert completed.returncode == 0, completed.stderr
    assert "2 patients analysed" in completed.stdout
    assert (tmp_path / "out" / "report.html").is_file()


def test_one_figure_of_a_cohort_and_the_references_of_results(tmp_path, demo_report):
    cohort = write_folder(tmp_path, **GOOD)
    completed = command("figure", "km_pfs", cohort, "--columns", "1", "--out", tmp_path / "figures")
    assert completed.returncode == 0, completed.stderr
    made = sorted(p.name for p in (tmp_path / "figures").iterdir())
    assert made == ["km_pfs.csv", "km_pfs.pdf", "km_pfs.png", "km_pfs.svg"]
    wrong = command("figure", "km_pfz", cohort)
    assert wrong.returncode == 2
    assert "did you mean km_pfs?" in wrong.stderr
    cited = command("cite", demo_report)
    assert cited.stdout.startswith("@article{gauthier2021factors,")
    assert cited.stdout == (demo_report / "references.bib").read_text(encoding="utf-8")
    assert len(command("cite").stdout) > len(cited.stdout)


def test_results_are_shared_without_patients_and_a_cohort_is_no_results(tmp_path, demo_report):
    completed = command("share", demo_report, "--out", tmp_path / "shared")
    assert completed.returncode == 0, completed.stderr
    assert "removed: row of a patient" in completed.stdout
    names = {p.name for p in (tmp_path / "shared").rglob("*")}
    assert {
        "report.html",
        "report.docx",
        "report.pdf",
        "supplement.html",
        "supplement.pdf",
        "brief.html",
        "removed.csv",
        "README.txt",
    } <= names
    assert "patients.csv" not in names
    refused = command("share", write_folder(tmp_path, **GOOD))
    assert refused.returncode == 2
    assert "name a folder that `reinfuse analyze` made" in refused.stderr


def test_refused_cohort_exits_2_tells_all_and_writes_nothing(tmp_path):
    completed = _started("analyze", write_folder(tmp_path, **BAD), "--out", tmp_path / "out")
    assert completed.returncode == 2
    assert "responses, row 2 of the sheet, patient_id" in completed.stderr
    assert "responses, row 2 of the sheet, response" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert not (tmp_path / "out").exists()


def test_json_problems_are_the_contract(tmp_path):
    completed = command("check", write_folder(tmp_path, **BAD), "--json")
    assert completed.returncode == 2
    problems = json.loads(completed.stdout)["problems"]
    assert [set(p) for p in problems] == [
        {"table", "row", "column", "value", "rule", "remedy", "severity"} for _ in problems
    ]
    assert ("responses", 1, "response", "great", "error") in {
        (p["table"], p["row"], p["column"], p["value"], p["severity"]) for p in problems
    }


def test_check_of_a_good_cohort(tmp_path):
    completed = command("check", write_folder(tmp_path, **GOOD))
    assert completed.returncode == 0
    assert "can be analysed" in completed.stdout


def test_refused_plan_exits_2(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('titel = "x"\n[[models]]\nendpoint = "pfs"\nfactors = ["cart1_cyflu"]\n')
    completed = command("analyze", write_folder(tmp_path, **GOOD), "--plan", plan, "--out", tmp_path / "out", "--json")
    assert completed.returncode == 2
    rules = {p["column"] or p["rule"]: p for p in json.loads(completed.stdout)["problems"]}
    assert rules["titel"]["remedy"] == "did you mean title?"
    assert not (tmp_path / "out").exists()


def test_no_patient_with_the_index_infusion(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text("index_infusion = 3\n")
    completed = command("analyze", write_folder(tmp_path, **GOOD), "--plan", plan, "--out", tmp_path / "out")
    assert completed.returncode == 2
    assert "no patient has an infusion 3" in completed.stderr


def test_a_fault_exits_1_without_a_trace_or_a_value(tmp_path, monkeypatch, capsys):
    def broken(*_, **__):
        raise KeyError("SECRETNAME")

    monkeypatch.delenv("REINFUSE_DEBUG", raising=False)
    monkeypatch.setattr("reinfuse.study.cohort_reading.examine", broken)
    monkeypatch.setattr(sys, "argv", ["reinfuse", "analyze", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    shown = capsys.readouterr().err
    assert ended.value.code == 1
    assert "KeyError" in shown
    assert "SECRETNAME" not in shown


def test_no_network_is_used(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a network connection was attempted")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with pytest.raises(SystemExit) as ended:
        cli.app(["analyze", str(write_folder(tmp_path, **GOOD)), "--out", str(tmp_path / "out")])
    assert ended.value.code == 0


def test_template_passes_its_own_check_once_filled(tmp_path):
    completed = command("template", tmp_path / "new")
    assert completed.returncode == 0
    written = {p.name for p in (tmp_path / "new").iterdir()}
    assert written == {"patients.csv", "infusions.csv", "responses.csv", "mrd.csv", "counts.csv", "toxicities.csv",
                       "therapies.csv", "cohort.xlsx", "plan.toml", "map.toml"}  # fmt: skip
    empty = command("check", tmp_path / "new", "--json")
    assert empty.returncode == 2
    assert [p["rule"] for p in json.loads(empty.stdout)["problems"]] == ["holds no patient"]
    assert command("check", tmp_path / "new" / "cohort.xlsx", "--json").stdout == empty.stdout
    with (tmp_path / "new" / "patients.csv").open("a") as file:
        file.write("P1,2024-03-01,,,CLL,,F,60\n")
    with (tmp_path / "new" / "infusions.csv").open("a") as file:
        file.write("P1,1,2023-01-01,,2e6,Cy/Flu,,3,no\nP1,2,2023-06-01,,2e7,Cy/Flu,relapse,4,no\n")
    assert command("check", tmp_path / "new").returncode == 0


def test_template_leaves_filled_files_alone(tmp_path):
    (tmp_path / "patients.csv").write_text("mine")
    command("template", tmp_path)
    assert (tmp_path / "patients.csv").read_text() == "mine"


def test_schema_lists_every_declared_column():
    declared = json.loads(command("schema", "--json").stdout)
    assert {"table": "infusions", "column": "dose_cells_per_kg"}.items() <= next(
        t for t in declared if t["column"] == "dose_cells_per_kg"
    ).items()
    assert {t["table"] for t in declared} >= {"patients", "infusions", "responses", "sheet"}


def test_datasets_are_named_with_their_kind():
    shown = command("datasets").stdout
    assert f"{DEMO} (synthetic)" in shown
    assert "sheih_2020 (real, published)" in shown
    assert set(datasets()) == {DEMO, "sheih_2020", "brudno_2016"}


def test_demo_of_an_unknown_cohort_names_the_known_ones():
    completed = command("demo", "--dataset", "gauthier")
    assert completed.returncode == 2
    assert "sheih_2020" in completed.stderr


def test_the_command_line_starts_without_the_heavy_libraries():
    code = "import sys, reinfuse.cli.main; print([m for m in ('polars', 'numpy', 'matplotlib', 'pydantic', 'rich') if m in sys.modules])"  # noqa: E501
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == "[]"


def test_the_documentation_of_the_input_is_the_declaration():
    from pathlib import Path

    from reinfuse.cohort.template import markdown

    docs = Path(__file__).resolve().parents[1] / "docs" / "input.md"
    assert docs.read_text(encoding="utf-8") == markdown()


def test_the_same_warning_is_said_once_with_its_first_rows(tmp_path):
    from reinfuse import Plan, Study, read_cohort

    repeated = GOOD["responses"] + "\n" + "\n".join(["P1,128,PR"] * 8)
    folder = write_folder(tmp_path, **{**GOOD, "responses": repeated})
    warnings = Study(read_cohort(folder), Plan.built_in()).run().warnings
    texts = [w["text"] for w in warnings if w["about"] == "check"]
    assert texts == [
        "responses, patient_id: the row repeats an earlier row (rows 4, 5, 6, 7, 8 and 3 more of the sheet)"
    ]
