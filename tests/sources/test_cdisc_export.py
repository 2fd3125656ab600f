"""A cohort written as ADaM and read again gives the times and events of its analysis set."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cohorts import INFUSIONS, PATIENTS, RESPONSES
from reinfuse.cli.main import app
from reinfuse.cohort.analysis_set import AnalysisSet, analysis_set
from reinfuse.output import Destination
from reinfuse.plan.analysis_plan import Plan
from reinfuse.report.sections.key_findings import KeyFindings
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.runtime import extras
from reinfuse.sources.cohort_folder import checked_cohort
from reinfuse.sources.follow import follow
from reinfuse.sources.imported import Imported
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, questions
from reinfuse.sources.read import read_source
from reinfuse.study.adam import WrittenAdam, export_adam
from reinfuse.study.study import Study
from sources import cdisc_sets

needs_sas = pytest.mark.skipif(
    importlib.util.find_spec("pyreadstat") is None, reason="pyreadstat (sas) is not installed"
)
ENDPOINTS = ("os", "pfs", "dor", "ttnt", "relapse", "nrm")
DAY_0 = date(2020, 1, 1)


def dated(text: str, columns: tuple[str, ...]) -> str:
    """Return a table with dates instead of days."""
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        for column in columns:
            if row[column]:
                row[column] = (DAY_0 + timedelta(days=int(row[column]))).isoformat()
    lines = [",".join("date" if c == "day" else c for c in rows[0]), *(",".join(r.values()) for r in rows)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "patients.csv").write_text(dated(PATIENTS, ("last_contact", "death")))
    (folder / "infusions.csv").write_text(dated(INFUSIONS, ("day",)))
    (folder / "responses.csv").write_text(dated(RESPONSES, ("day",)))
    return folder


def exported(cohort: Path, tmp_path: Path) -> WrittenAdam:
    return export_adam(cohort, place=Destination(tmp_path / "adam", "export", (cohort,)))


def read_again(path: Path, *, first_day: str = "0") -> Imported:
    source = read_source(path)
    source_map = propose(source).map
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, first_day if question.subject == "first_day" else "yes")
    one = follow(source, source_map)
    assert not one.problems
    return one


def by_patient(data: AnalysisSet, name: str) -> dict[str, tuple[float, float]]:
    end = data.endpoint(name)
    assert end is not None
    assert end.time is not None
    return {p: (float(t), float(e)) for p, t, e in zip(data.frame["patient_id"], end.time, end.event, strict=True)
            if not math.isnan(t)}  # fmt: skip


def only(folder: Path, ending: str, tmp_path: Path) -> Path:
    """Return a folder with the files of one format alone."""
    chosen = tmp_path / f"only{ending}"
    chosen.mkdir()
    for file in folder.glob(f"*{ending}"):
        shutil.copy(file, chosen)
    return chosen


@pytest.mark.parametrize("ending", [".json", pytest.param(".xpt", marks=needs_sas)])
def test_times_and_events_are_those_of_the_analysis_set(cohort: Path, tmp_path: Path, ending: str) -> None:
    written = exported(cohort, tmp_path)
    one = read_again(only(written.path, ending, tmp_path))
    plan = Plan.built_in()
    again = checked_cohort(one).cohort
    assert again is not None
    before, after = Study.read(cohort, plan).data, analysis_set(again, plan)
    for name in ENDPOINTS:
        assert by_patient(after, name) == by_patient(before, name), name
        assert by_patient(before, name), name
    best = dict(zip(before.frame["patient_id"], before.frame["response"], strict=True))
    sheet = one.tables["sheet"]
    j, who = sheet.columns.index("response"), sheet.columns.index("patient_id")
    assert {row[who].text: row[j].text or None for row in sheet.rows} == best


def test_one_patient_by_hand(cohort: Path, tmp_path: Path) -> None:
    # P2: CART2 on day 90, progression on day 200, death on day 420, by days from 1 January 2020
    folder = exported(cohort, tmp_path).path
    adtte = json.loads((folder / "adtte.json").read_text())
    names = [c["name"] for c in adtte["columns"]]
    records = [dict(zip(names, row, strict=True)) for row in adtte["rows"]]
    own = {r["PARAMCD"]: r for r in records if r["USUBJID"] == "P2"}
    assert (own["OS"]["STARTDT"], own["OS"]["ADT"]) == ("2020-03-31", "2021-02-24")
    assert (own["OS"]["AVAL"], own["OS"]["AVALU"], own["OS"]["CNSR"]) == (331, "DAYS", 0)  # 420 - 90 + 1
    assert (own["OS"]["EVNTDESC"], own["OS"]["CNSDTDSC"]) == ("Death", None)
    assert (own["PFS"]["ADT"], own["PFS"]["AVAL"], own["PFS"]["CNSR"]) == ("2020-07-19", 111, 0)  # 200 - 90 + 1
    assert own["NRM"]["CNSR"] == 2  # the relapse came first
    assert "DOR" not in own  # stable disease is no response
    # P1: PR on day 148, 28 days after CART2; last assessment on day 600; alive on day 900
    alive = {r["PARAMCD"]: r for r in records if r["USUBJID"] == "P1"}
    assert (alive["OS"]["AVAL"], alive["OS"]["CNSR"], alive["OS"]["CNSDTDSC"]) == (781, 1, "Last contact")
    assert (alive["DOR"]["STARTDT"], alive["DOR"]["AVAL"], alive["DOR"]["CNSR"]) == ("2020-05-28", 453, 1)
    adsl = json.loads((folder / "adsl.json").read_text())
    subject = dict(zip([c["name"] for c in adsl["columns"]], adsl["rows"][1], strict=True))
    assert (subject["USUBJID"], subject["TR02SDT"], subject["DTHDT"]) == ("P2", "2020-03-31", "2021-02-24")
    assert adsl["records"] == len(adsl["rows"]) == 8
    assert adsl["datasetJSONVersion"] == "1.1.0"


def test_without_the_extra_dataset_json_alone_is_written_and_said(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "MODULES", {**extras.MODULES, "sas": ("pyreadstat_that_is_absent",)})
    written = exported(cohort, tmp_path)
    assert not list(written.path.glob("*.xpt"))
    assert {f.stem for f in written.path.glob("*.json")} >= {"adsl", "adtte", "adrs"}
    assert any("XPT is not written" in note for note in written.notes)


def test_a_cohort_by_days_has_no_dates_and_keeps_its_times(tmp_path: Path) -> None:
    folder = tmp_path / "cohort"
    folder.mkdir()
    for name, text in (("patients", PATIENTS), ("infusions", INFUSIONS), ("responses", RESPONSES)):
        (folder / f"{name}.csv").write_text(text + "\n")
    written = exported(folder, tmp_path)
    assert any("no dates" in note for note in written.notes)
    again = checked_cohort(read_again(only(written.path, ".json", tmp_path))).cohort
    assert again is not None
    before, after = Study.read(folder, Plan.built_in()).data, analysis_set(again, Plan.built_in())
    assert by_patient(after, "os") == by_patient(before, "os")


def test_the_command_writes_the_data_sets(cohort: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", "adam", str(cohort), "--out", str(tmp_path / "adam")])
    assert done.exit_code == 0, done.output
    assert "ADSL: 8 records" in done.output
    assert "AVAL = ADT - STARTDT + 1" in done.output


def test_a_trial_is_mapped_checked_and_imported_with_its_own_endpoints(tmp_path: Path) -> None:
    header = ("STUDYID", "USUBJID", "TRTP", "TRTSDT", "PARAM", "PARAMCD", "AVAL", "CNSR", "STARTDT", "ADT")
    rows = [("S", f"{i}", "AB"[i % 2], "2020-01-01", "Time to flare", "TTFLARE", 10 + i, i % 3 and 1, "2020-01-01",
             (date(2020, 1, 1) + timedelta(days=9 + i)).isoformat()) for i in range(12)]  # fmt: skip
    source = cdisc_sets.write(tmp_path, "ADTTE", header, rows)
    map_file, run = tmp_path / "map.toml", CliRunner().invoke
    assert run(app, ["map", str(source), "--out", str(map_file)]).exit_code == 0
    out = str(tmp_path / "cohort2")
    assert run(app, ["import", str(source), "--map", str(map_file), "--out", out]).exception is not None
    assert not Path(out).exists()
    map_file.write_text(map_file.read_text().replace('first_day = "?"', "first_day = 1"))
    done = run(app, ["import", str(source), "--map", str(map_file), "--out", out])
    assert done.exit_code == 0, done.output
    assert "--plan" in done.output
    checked = run(app, ["check", str(source), "--map", str(map_file)])
    assert checked.exit_code == 0, checked.output
    data = Study.read(out, Plan.load(Path(out) / "plan.toml")).data
    assert by_patient(data, "ttflare")["3"] == (13.0, 1.0)
    assert set(data.populations) == {"all", "trtp=A", "trtp=B"}


def test_the_summary_gives_the_median_of_a_trials_own_endpoint_in_each_arm(tmp_path: Path) -> None:
    lines = [f"{i},{'AB'[i % 2]},{10 + i},1" for i in range(1, 13)]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\n".join(["patient_id,trtp,ttflare_days,ttflare_event", *lines]) + "\n")
    settings = {
        "index_infusion": 1, "subgroups": ["trtp"], "factors": [], "models": [],
        "endpoints": [{"name": "ttflare", "label": "Time to flare", "time": "ttflare_days", "event": "ttflare_event"}],
    }  # fmt: skip
    findings = Study.read(sheet, Plan.of(settings)).run()
    sentences = dict(KeyFindings(StudyTables(findings)).statements())["Survival"].split(". ")
    told = [s for s in sentences if s.startswith("Time to flare")]
    # all die: A on days 12, 14, ..., 22 (median 17), B on days 11, 13, ..., 21 (median 16), all on 11 to 22 (16.5)
    assert [s.partition(":")[0] for s in told] == ["Time to flare", "Time to flare, A", "Time to flare, B"]
    assert [s.partition("median ")[2][:10] for s in told] == ["0.5 months", "0.6 months", "0.5 months"]
    assert "n = 6, events 6" in told[1]
