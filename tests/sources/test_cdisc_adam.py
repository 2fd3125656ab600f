"""ADaM: times to events become a wide sheet with the trial's own endpoints; what could be otherwise is asked."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reinfuse.analyses.survival import kaplan_meier, median
from reinfuse.cohort.analysis_set import AnalysisSet, analysis_set
from reinfuse.exceptions import ExtraMissing
from reinfuse.output import Destination
from reinfuse.plan.analysis_plan import Plan
from reinfuse.runtime import extras
from reinfuse.sources.cdisc import dataset_json
from reinfuse.sources.cdisc.trial_plan import trial_plan
from reinfuse.sources.cohort_folder import checked_cohort, write_cohort
from reinfuse.sources.follow import follow
from reinfuse.sources.imported import Imported
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import MapQuestion, answered, questions
from reinfuse.sources.read import read_source
from reinfuse.sources.recognition import recognise
from reinfuse.sources.source_map import SourceMap
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.toml import parse_toml
from sources import cdisc_sets

PILOT = Path(__file__).parents[3] / "shared" / "data" / "sources" / "dataset_json" / "adam"
needs_pilot = pytest.mark.skipif(not PILOT.is_dir(), reason="the CDISC pilot's files (../shared) are not here")
HAS_SAS = importlib.util.find_spec("pyreadstat") is not None
needs_sas = pytest.mark.skipif(not HAS_SAS, reason="pyreadstat (extra sas) is not installed")
HEADER = ("STUDYID", "USUBJID", "AGE", "SEX", "TRTP", "TRTSDT", "PARAM", "PARAMCD", "AVAL", "AVALU", "CNSR", "STARTDT",
          "ADT", "PARCAT1")  # fmt: skip
# Two patients. OS: 001 dies on the 11th day (10 days after the infusion), 002 is alive on the 31st.
# PFS by investigator: 001 progresses on the 5th day, 002 is censored on the 21st; by the committee: 001 on the 8th.
ONE, TWO = ("S1", "S1-001", 61, "F", "CAR", "2020-01-01"), ("S1", "S1-002", 45, "M", "CAR", "2020-02-01")
OS, PFS = ("Overall survival (days)", "OS"), ("PFS (days)", "PFS")
ROWS: list[tuple[object, ...]] = [
    (*ONE, *OS, 11, "DAYS", 0, "2020-01-01", "2020-01-11", ""),
    (*TWO, *OS, 31, "DAYS", 1, "2020-02-01", "2020-03-02", ""),
    (*ONE, *PFS, 5, "DAYS", 0, "2020-01-01", "2020-01-05", "INVESTIGATOR"),
    (*TWO, *PFS, 21, "DAYS", 2, "2020-02-01", "2020-02-21", "INVESTIGATOR"),
    (*ONE, *PFS, 8, "DAYS", 0, "2020-01-01", "2020-01-08", "IRC"),
    (*TWO, *PFS, 21, "DAYS", 2, "2020-02-01", "2020-02-21", "IRC"),
]
ENDINGS = (".json", ".ndjson", ".zlib.dsjc", ".gzip.dsjc", ".csv", ".parquet")


def confirmed(source_map: SourceMap, answers: dict[str, str]) -> SourceMap:
    """Return a map whose questions are answered; each answer by a part of the question's place."""
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, answer_to(question, answers))
    assert not list(source_map.open_questions())
    return source_map


def answer_to(question: MapQuestion, answers: dict[str, str]) -> str:
    return next(a for part, a in answers.items() if part in question.line)


def imported(path: Path, answers: dict[str, str]) -> Imported:
    source = read_source(path)
    assert not [p for p in source.problems if p.severity == "error"], source.problems
    return follow(source, confirmed(propose(source).map, answers))


def column(one: Imported, name: str, table: str = "sheet") -> dict[str, str]:
    """Return the texts of a column by patient."""
    sheet = one.tables[table]
    j, who = sheet.columns.index(name), sheet.columns.index("patient_id")
    return {row[who].text: row[j].text for row in sheet.rows}


@pytest.mark.parametrize("ending", [*ENDINGS, *(pytest.param(e, marks=needs_sas) for e in (".xpt", ".sas7bdat"))])
def test_every_format_gives_the_same_times(tmp_path: Path, ending: str) -> None:
    path = cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS, ending)
    assert recognise(path).kind == "adam"
    one = imported(path, {"first_day": "0", "where.PARCAT1": "IRC"})
    assert not one.problems
    assert column(one, "os_days") == {"S1-001": "10", "S1-002": "30"}
    assert column(one, "os_event") == {"S1-001": "1", "S1-002": "0"}
    assert column(one, "pfs_days") == {"S1-001": "7", "S1-002": "20"}
    assert column(one, "pfs_event") == {"S1-001": "1", "S1-002": "0"}
    assert column(one, "trtp") == {"S1-001": "CAR", "S1-002": "CAR"}
    assert column(one, "age_years") == {"S1-001": "61", "S1-002": "45"}


def test_the_first_day_and_the_reader_are_asked_and_nothing_is_imported_before(tmp_path: Path) -> None:
    source = read_source(cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS))
    source_map = propose(source).map
    asked = {q.line: q for q in questions(source_map)}
    assert set(asked) == {"questions.first_day", "sheet[3].where.PARCAT1"}
    assert "INVESTIGATOR, IRC" in asked["sheet[3].where.PARCAT1"].about
    problems = follow(source, source_map).problems
    assert {p.column for p in problems} == {"questions.first_day", "sheet[3].where.PARCAT1"}
    investigator = imported(tmp_path / "adtte.json", {"first_day": "1", "where.PARCAT1": "INVESTIGATOR"})
    assert column(investigator, "pfs_days") == {"S1-001": "5", "S1-002": "21"}
    assert column(investigator, "os_days") == {"S1-001": "11", "S1-002": "31"}


def test_a_reader_that_is_not_there_is_told(tmp_path: Path) -> None:
    one = imported(cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS), {"first_day": "0", "where.PARCAT1": "BICR"})
    (problem,) = one.problems
    assert problem.value == "BICR"
    assert "INVESTIGATOR, IRC" in problem.remedy


def test_a_map_of_adam_is_read_again_as_it_was(tmp_path: Path) -> None:
    source_map = propose(read_source(cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS))).map
    again = read_map(parse_toml(map_text(source_map).encode()))
    plain = tuple(
        replace(b, reason="", fields={c: replace(f, reason="", confidence=None) for c, f in b.fields.items()})
        for b in source_map.blocks
    )
    assert again == replace(source_map, blocks=plain)


def test_proposals_name_what_each_variable_becomes(tmp_path: Path) -> None:
    source = read_source(cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS))
    proposals = {p.source: p for p in propose(source).proposals}
    assert proposals["USUBJID"].target == "sheet.patient_id"
    assert not proposals["USUBJID"].open
    assert (proposals["AVAL"].target, proposals["AVAL"].open) == ("sheet.os_days", True)
    assert (proposals["CNSR"].target, proposals["CNSR"].open) == ("sheet.os_event", False)
    assert proposals["SEX"].target == "sheet.sex"
    assert proposals["STUDYID"].target == "ignore"
    assert len(proposals) == len(HEADER)


def without(*names: str) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    kept = [j for j, h in enumerate(HEADER) if h not in names]
    return tuple(HEADER[j] for j in kept), [tuple(r[j] for j in kept) for r in ROWS[:2]]


def test_months_without_dates_are_days_and_a_person_confirms(tmp_path: Path) -> None:
    header, rows = without("ADT", "STARTDT")
    at = {h: j for j, h in enumerate(header)}
    rows = [tuple("MONTHS" if j == at["AVALU"] else 2 if j == at["AVAL"] else v for j, v in enumerate(r)) for r in rows]
    source = read_source(cdisc_sets.write(tmp_path, "ADTTE", header, rows))
    assert {q.line for q in questions(propose(source).map)} == {"questions.first_day", "sheet[2].os_days"}
    one = imported(tmp_path / "adtte.json", {"first_day": "1", "os_days": "yes"})
    assert column(one, "os_days") == {"S1-001": "60.875", "S1-002": "60.875"}  # 2 x 30.4375


def test_days_count_from_the_second_infusion_that_adsl_tells(tmp_path: Path) -> None:
    cdisc_sets.write(tmp_path, "ADTTE", *without("TRTSDT"))
    subjects = [("S1-001", "F", 61, "2020-01-01", "2020-01-04"), ("S1-002", "M", 45, "2020-02-01", "")]
    cdisc_sets.write(tmp_path, "ADSL", ("USUBJID", "SEX", "AGE", "TR01SDT", "TR02SDT"), subjects)
    source = read_source(tmp_path)
    source_map = propose(source).map
    lines = {q.line: q.about for q in questions(source_map)}
    assert "infusion 2" in lines["sheet[2].os_days"]
    assert "another day in 2 of 2" in lines["sheet[2].os_days"]
    one = imported(tmp_path, {"first_day": "0", "os_days": "yes"})
    assert column(one, "os_days") == {"S1-001": "7", "S1-002": ""}  # 4 to 11 January; the other had one infusion
    assert column(one, "os_event") == {"S1-001": "1", "S1-002": ""}
    assert "index_infusion = 2" in trial_plan(one)


def test_a_trials_own_parameters_are_declared_endpoints(tmp_path: Path) -> None:
    rows = [tuple("TTFLARE" if v == "OS" else "Time to flare" if v == "Overall survival (days)" else v for v in r)
            for r in ROWS[:2]]  # fmt: skip
    one = imported(cdisc_sets.write(tmp_path, "ADTTE", HEADER, rows), {"first_day": "1"})
    plan = Plan.of(parse_toml(trial_plan(one).encode()))
    (endpoint,) = plan.endpoints
    assert (endpoint.name, endpoint.label, endpoint.time) == ("ttflare", "Time to flare", "ttflare_days")
    assert plan.subgroups == ("trtp",)
    assert plan.title == "Times to events of S1"


def test_files_that_are_cut_short_or_contradict_each_other_are_refused(tmp_path: Path) -> None:
    whole = cdisc_sets.as_lines("ADTTE", HEADER, ROWS)
    with pytest.raises(Unreadable, match="6 records, and holds 5"):
        dataset_json.read_dataset_json("\n".join(whole.splitlines()[:-1]).encode())
    with pytest.raises(Unreadable, match="has 3 values"):
        dataset_json.read_dataset_json((whole + '["a", "b", "c"]\n').encode())
    with pytest.raises(Unreadable, match="cut short"):
        dataset_json.read_dataset_json(cdisc_sets.write(tmp_path, "ADX", HEADER, ROWS, ".gzip.dsjc").read_bytes()[:200])
    (tmp_path / "adx.dsjc").unlink()
    cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS, ".json")
    cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS, ".ndjson")
    assert any("holds the same" in r for r in read_source(tmp_path).remarks)
    cdisc_sets.write(tmp_path, "ADTTE", HEADER, ROWS[:-1], ".ndjson")
    (problem,) = read_source(tmp_path).problems
    assert "holds something else" in problem.rule


def test_sas_files_without_the_extra_are_refused_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "MODULES", {**extras.MODULES, "sas": ("pyreadstat_that_is_absent",)})
    path = tmp_path / "adtte.xpt"
    path.write_bytes(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!")
    with pytest.raises(ExtraMissing) as refused:
        read_source(path)
    (problem,) = refused.value.problems
    assert "pyreadstat_that_is_absent" in problem.rule
    assert "Dataset-JSON" in problem.remedy


@needs_sas
def test_dates_of_xpt_without_a_format_are_dates(tmp_path: Path) -> None:
    # SAS counts days from 1960-01-01: 21915 is 2020-01-01
    rows = [tuple(21915 if v == "2020-01-01" else 21925 if v == "2020-01-11" else v for v in ROWS[0])]
    source = read_source(cdisc_sets.write(tmp_path, "ADTTE", HEADER, rows, ".xpt"))
    assert source.tables[0].texts("STARTDT") == ["2020-01-01"]
    assert source.tables[0].texts("ADT") == ["2020-01-11"]


def _pilot(path: Path, tmp_path: Path, first_day: str) -> tuple[Path, AnalysisSet]:
    one = imported(path, {"first_day": first_day})
    checked = checked_cohort(one)
    folder = write_cohort(checked, Destination(tmp_path / f"cohort{path.suffix}"))
    plan = Plan.of(parse_toml((folder / "plan.toml").read_bytes()))
    assert checked.cohort is not None
    return folder, analysis_set(checked.cohort, plan)


def _medians(data: AnalysisSet) -> dict[str, tuple[object, ...]]:
    endpoint = data.endpoint("ttde")
    assert endpoint is not None
    assert endpoint.time is not None
    answers: dict[str, tuple[object, ...]] = {}
    for population, mask in data.populations.items():
        inside = np.asarray(mask)
        curve = kaplan_meier(endpoint.time[inside], endpoint.event[inside], 0.95)
        e = median(curve, 0.95, "ttde", population=population, group=None)
        answers[re.sub("trtp=(Xanomeline )?", "", population)] = (e.estimate, e.lower, e.upper, e.events, e.n)
    return answers


@needs_pilot
def test_four_formats_of_the_cdisc_pilot_give_one_cohort_and_the_medians_of_r(tmp_path: Path) -> None:
    endings = ("json", "ndjson", "dsjc", *(["xpt"] if HAS_SAS else []))
    folders = []
    for ending in endings:
        folder, data = _pilot(PILOT / f"adtte.{ending}", tmp_path, "1")
        folders.append(folder)
        medians = _medians(data)
        assert medians["Placebo"][0] is None
        assert medians["Placebo"][3:] == (29, 86)
        assert medians["High Dose"] == (36, 23, 46, 61, 84)
        assert medians["Low Dose"] == (33, 27, 48, 62, 84)
    for name in ("sheet.csv", "plan.toml", "map.toml"):
        assert len({(folder / name).read_bytes() for folder in folders}) == 1, name


@needs_pilot
def test_counted_from_day_0_the_pilots_medians_are_a_day_earlier(tmp_path: Path) -> None:
    _, data = _pilot(PILOT / "adtte.json", tmp_path, "0")
    assert (_medians(data)["High Dose"][0], _medians(data)["Low Dose"][0]) == (35, 32)


@needs_pilot
def test_the_whole_folder_of_the_pilot_is_one_source(tmp_path: Path) -> None:
    source = read_source(PILOT)
    assert {t.name for t in source.tables} == {"ADSL", "ADTTE"}
    assert not source.problems
    one = imported(PILOT, {"first_day": "1"})
    assert not one.problems
    assert len(one.tables["sheet"].rows) == 254
    assert column(one, "trt01p")["01-701-1015"] == "Placebo"
