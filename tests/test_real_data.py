"""Real input: published patients, R's data sets as wide sheets, a workbook; how the synthetic cohort is made."""

import subprocess
import sys

import greenwood as gw
import numpy as np
import polars as pl
import pytest

from helpers import quick
from reinfuse import Plan, Study, read_cohort, save
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.data import DEMO, datasets
from reinfuse.kinetics.nca import nca, persistence
from reinfuse.kinetics.profiles import profiles
from reinfuse.statistics.turnbull import turnbull

SHEIH = {
    "title": "First infusions", "index_infusion": 1,
    "columns": {
        "diagnosis": "disease", "cart1_lymphodepletion": "lymphodepletion", "response": "best_response",
        "cart1_dose_cells_per_kg": "dose_egfrt_pos_cells_per_kg", "nt_grade": "neurotoxicity_grade",
        "pfs_days": "dfs_pfs_time_days", "pfs_event": "dfs_pfs_event",
    },
    "models": [{"endpoint": "pfs", "factors": ["cart1_cy_flu"]}],
    "factors": [{"name": "cart1_cy_flu"}, {"name": "age_years"}, {"name": "diagnosis"}, {"name": "sex"}],
}  # fmt: skip
BRUDNO = {
    "title": "Donor cells", "index_infusion": 1,
    "columns": {"patient_id": "patient_no", "cart1_dose_cells_per_kg": "car_t_cells_per_kg"},
    "factors": [{"name": "log2_dose", "column": "cart1_dose_cells_per_kg", "scale": "log2"}],
    "endpoints": [{"name": "mrd_negative", "value": "mrd_negative_printed"}],
}  # fmt: skip


def _study(path, told):
    plan = quick(Plan.of(told))
    return Study(read_cohort(path, plan.columns, used=plan.used_columns), plan).run()


def _value(findings, **where):
    records = [e for e in findings.estimates if all(getattr(e, k) == v for k, v in where.items())]
    assert len(records) == 1, [e.as_dict() for e in records]
    return records[0]


def test_sheih_as_published(published, tmp_path):
    findings = _study(published / "sheih_2020_natcommun_supptable1.csv", SHEIH)
    assert _value(findings, endpoint="cr", statistic="proportion", population="all", group=None).events == 11
    regimens = {(e.term, e.level): e.estimate for e in findings.estimates
                if e.analysis == "baseline" and e.population == "all" and e.statistic == "count"}  # fmt: skip
    assert (regimens["cart1_regimen", "Cy-Flu"], regimens["cart1_regimen", "Cy"]) == (9, 5)
    pfs = _value(findings, endpoint="pfs", statistic="median", population="all", group=None)
    assert (pfs.n, pfs.events, pfs.estimate) == (14, 9, 279.5)
    ratio = _value(findings, analysis="association", endpoint="pfs", model="univariable", term="cart1_cy_flu")
    assert ratio.estimate < ratio.upper < 1
    assert (save(findings, tmp_path / "out") / "report.html").is_file()


def test_bundled_sheih_is_the_published_file(published):
    bundled = datasets()["sheih_2020"]
    here = Study(read_cohort(bundled.path), bundled.plan).run()
    from_published = _study(published / "sheih_2020_natcommun_supptable1.csv", SHEIH)
    for name in ("pfs_days", "pfs_event", "response", "crs_grade", "nt_grade", "cart1_dose_cells_per_kg"):
        assert here.patients[name].to_list() == from_published.patients[name].to_list()


def test_brudno_as_published(published, tmp_path):
    findings = _study(published / "brudno_2016_jco_table2_rows1to15.csv", BRUDNO)
    response = _value(findings, endpoint="response", statistic="proportion", population="all", group=None)
    assert (response.n, response.events) == (15, 6)
    assert _value(findings, endpoint="cr", statistic="proportion", population="all", group=None).events == 4
    assert _value(findings, endpoint="mrd_negative", statistic="proportion", population="all").events == 3
    assert (
        _value(findings, analysis="association", endpoint="response", model="univariable", term="log2_dose").estimate
        is not None
    )
    assert (save(findings, tmp_path / "out") / "report.html").is_file()


def test_bundled_brudno(tmp_path):
    bundled = datasets()["brudno_2016"]
    findings = Study(read_cohort(bundled.path), bundled.plan).run()
    response = _value(findings, endpoint="response", statistic="proportion", population="all", group=None)
    assert (response.n, response.events) == (15, 6)
    assert findings.provenance["synthetic"] is False


R_DATA = {
    "lung": ({"endpoints": [{"name": "death", "time": "time", "event": "status", "event_value": "2"}],
              "factors": [{"name": "age", "column": "age", "per": 10}, {"name": "women", "column": "sex", "above": 1}]},
             228, 165, 310),
    "veteran": ({"endpoints": [{"name": "death", "time": "time", "event": "status"}],
                 "factors": [{"name": "celltype", "column": "celltype", "reference": "large"},
                             {"name": "karno", "column": "karno", "per": 10}]}, 137, 128, 80),
    "pbc": ({"endpoints": [{"name": "death", "time": "time", "event": "status", "event_value": "2"}],
             "factors": [{"name": "bili", "column": "bili", "scale": "log2"}, {"name": "age", "column": "age"}]},
            418, 161, 3395),
    "mgus2": ({"endpoints": [{"name": "death", "time": "futime", "event": "death", "unit": "months"},
                             {"name": "malignancy", "time": "ptime", "event": "pstat", "competing": "death",
                              "unit": "months"}],
               "factors": [{"name": "age", "column": "age", "per": 10}]}, 1384, 963, 98 * 30.4375),
    "colon": ({"columns": {"patient_id": "id"},
               "endpoints": [{"name": "death", "time": "time", "event": "status"}],
               "factors": [{"name": "rx", "column": "rx", "reference": "Obs"},
                           {"name": "nodes", "column": "nodes"}]}, 929, 452, 2083),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(R_DATA))
def test_data_sets_of_r_survival_as_wide_sheets(name, tmp_path):
    """Numbers of patients, events and medians are those of R's documentation and `survfit`."""
    told, n, events, median = R_DATA[name]
    frame = gw.load_dataset(name, backend="polars")
    if name == "colon":
        frame = frame.filter(pl.col("etype") == 2)  # one row a patient: death
    frame.write_csv(tmp_path / f"{name}.csv")
    findings = _study(tmp_path / f"{name}.csv", {"title": name, "index_infusion": 1, "models": [], **told})
    record = _value(findings, endpoint="death", statistic="median", population="all", group=None)
    assert (record.n, record.events) == (n, events)
    if median is not None and name != "colon":
        assert record.estimate == pytest.approx(median)
    for factor in told["factors"]:
        terms = [e for e in findings.estimates if e.model == "univariable" and e.endpoint == "death"
                 and e.analysis == "association" and e.term == factor["name"]]  # fmt: skip
        assert terms
        assert all(e.estimate is not None and e.lower < e.estimate < e.upper for e in terms)
    assert (save(findings, tmp_path / "out") / "report.html").is_file()


def test_workbook_saved_by_openpyxl_gives_the_same_findings(tmp_path, demo_findings):
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for path in sorted(datasets()[DEMO].path.glob("*.csv")):
        if path.stem == "published":
            continue
        sheet = book.create_sheet(path.stem.upper())
        frame = pl.read_csv(path, infer_schema_length=None)
        sheet.append(frame.columns)
        for row in frame.iter_rows():
            sheet.append(list(row))
    book.save(tmp_path / "cohort.xlsx")
    only = ("flow", "baseline", "response", "survival", "toxicity", "associations", "within patients", "exposure",
            "exposure and outcome")  # fmt: skip
    findings = Study(read_cohort(tmp_path / "cohort.xlsx"), Plan.built_in()).run(only=only)
    estimated = set(findings.estimates)
    assert {e.analysis for e in estimated} >= {
        "flow", "baseline", "response", "survival", "toxicity", "association", "paired", "kinetics"}  # fmt: skip
    assert [e for e in demo_findings.estimates if e in estimated] == list(findings.estimates)
    assert findings.patients.equals(demo_findings.patients)


def test_findings_are_a_frame_of_finite_numbers(demo_findings):
    frame = demo_findings.to_frame()
    assert frame.height == len(demo_findings.estimates)
    assert np.isfinite(frame["estimate"].drop_nulls().to_numpy()).all()


def test_the_synthetic_cohort_is_made_again_byte_for_byte(tmp_path):
    bundled = datasets()[DEMO].path
    subprocess.run([sys.executable, "-m", "reinfuse.data.synthetic_cohort", str(tmp_path)], check=True)
    tables = {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")}
    assert len(tables) == 7
    assert tables == {name: (bundled / name).read_bytes() for name in tables}


def test_the_pattern_of_the_synthetic_counts():
    """Both favourable factors: the cells stay for more than a year, else they go; responders peak higher, not always.

    Two patients have no count after CART2, one none above the limit, one has the peak last, two were counted twice.
    """
    cohort = read_cohort(datasets()[DEMO].path)
    data, of_cohort = analysis_set(cohort, Plan.built_in()).frame, profiles(cohort)
    rows = {r["patient_id"]: r for r in data.iter_rows(named=True)}
    after = {p.patient_id: p for p in of_cohort.profiles if p.infusion == 2}
    ends, peaks = {True: [], False: []}, {True: [], False: []}
    for name, p in after.items():
        row = rows[name]
        raised = row["cart2_dose_cells_per_kg"] > row["cart1_dose_cells_per_kg"]
        ends[row["cart1_lymphodepletion" + CLASS_SUFFIX] == "Cy-Flu" and raised].append(persistence(p))
        peaks[row["response"] in ("CR", "PR")].append(nca(p)[0].value or 0.0)
    low, high = (turnbull(*zip(*ends[both], strict=True)).median() for both in (False, True))
    assert low[1] < 90
    assert high[0] > 365
    assert np.median(peaks[True]) > 3 * np.median(peaks[False])
    assert max(peaks[False]) > np.median(peaks[True])
    assert len(after) == 42
    assert [name for name, p in after.items() if p.below.all()] == ["SYN-33"]
    assert nca(after["SYN-38"])[0].reason == "the peak is the last count: it may lie later"
    assert of_cohort.notes == ("more than one count of a subset and unit on one day, averaged: 2 times",)
