"""The table of parameters, median curves, and what the command writes; the published counts of 32 patients."""

from __future__ import annotations

import csv

import numpy as np
import polars as pl
import pytest

from helpers import read
from reinfuse import read_cohort
from reinfuse.kinetics.cdisc_pp import NAMES, OWN, SCHEMA, parameters
from reinfuse.kinetics.median_curves import FEWEST, median_curve
from reinfuse.kinetics.profiles import Profile, profiles
from reinfuse.plan.kinetics_rules import NcaRules

COHORT = {
    "patients": "patient_id,last_contact,death,diagnosis\nA,400,,CLL\nB,300,,NHL",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
        A,1,0,1e6,Cy
        A,2,100,2e6,Cy/Flu
        B,1,0,1e6,Cy/Flu
        B,2,60,1e6,Cy/Flu""",
    "counts": """patient_id,day,value,unit,lloq
        A,7,50,cells/uL,1
        A,28,0.5,cells/uL,1
        A,100,0.5,cells/uL,1
        A,107,300,cells/uL,1
        A,114,150,cells/uL,1
        A,121,75,cells/uL,1
        A,128,37.5,cells/uL,1
        B,67,9000,copies/ug,
        B,88,90,copies/ug,""",
}


def at(frame, patient, infusion, code):
    found = frame.filter(
        (pl.col("patient_id") == patient) & (pl.col("infusion") == infusion) & (pl.col("PPTESTCD") == code)
    )
    return found.row(0, named=True)


def test_the_table_under_cdisc_names(tmp_path):
    frame = parameters(profiles(read(tmp_path, **COHORT)), NcaRules(above=40))
    assert dict(frame.schema) == SCHEMA
    assert (at(frame, "A", 2, "CMAX")["PPSTRESN"], at(frame, "A", 2, "CMAX")["PPSTRESU"]) == (300, "cells/uL")
    assert at(frame, "A", 2, "CFOLD")["PPSTRESN"] == pytest.approx(6)
    assert at(frame, "A", 2, "RESIDUE")["PPSTRESN"] == 0
    assert at(frame, "A", 2, "LAMZHL")["PPSTRESN"] == pytest.approx(7)
    area = at(frame, "A", 2, "AUCINT")
    assert (area["PPSTINT"], area["PPENINT"], area["PPTEST"]) == ("P0D", "P28D", "AUC from T1 to T2")
    halves = 7 * (300 - 37.5) / np.log(2)
    assert area["PPSTRESN"] == pytest.approx(7 * 300 / 2 + halves)
    refused = at(frame, "B", 2, "LAMZHL")
    assert (refused["PPSTRESN"], refused["PPSTAT"]) == (None, "NOT DONE")
    assert refused["PPREASND"] == "1 counts after the peak, fewer than 3"
    assert at(frame, "B", 2, "RESIDUE")["PPREASND"] == "no count in the two weeks before the infusion"
    assert "CFOLD" not in frame.filter(pl.col("patient_id") == "B")["PPTESTCD"].to_list()
    assert set(OWN) < set(NAMES)


def test_median_curves_by_hand():
    """Five profiles of constant ratios: at day 5 their medians are those of straight lines of logarithms."""

    def one(top):
        return Profile(
            "P", 1, "total", "cells/uL", np.array([1.0, 9.0]), np.array([top, top / 16]), np.zeros(2, dtype=bool)
        )

    curve = median_curve([one(t) for t in (16, 32, 64, 128, 256)], [1.0, 5.0, 9.0, 10.0])
    assert curve.median[:3].tolist() == pytest.approx([64, 16, 4])
    assert curve.low[1] == pytest.approx(8)
    assert np.isnan(curve.median[3])
    assert curve.followed.tolist() == [5, 5, 5, 0]
    assert np.isnan(median_curve([one(16)] * (FEWEST - 1), [5.0]).median[0])
    assert median_curve([], [1.0]) is None


def test_medians_end_where_fewer_than_half_are_still_sampled():
    """Twelve infusions, of whom six are counted on day 30 and five on day 60: the last five are those who do well."""

    def until(last):
        day = np.array([1.0, last])
        return Profile("P", 1, "total", "cells/uL", day, np.array([10.0, 10.0]), np.zeros(2, dtype=bool))

    curve = median_curve([until(20.0)] * 6 + [until(30.0)] + [until(60.0)] * 5, [20.0, 30.0, 60.0])
    assert curve.followed.tolist() == [12, 6, 5]
    assert np.isfinite(curve.median).tolist() == [True, True, False]
    assert curve.last_day == 30
    assert median_curve([until(20.0)] * (FEWEST - 1), [20.0]).last_day is None


def test_the_published_counts_of_32_patients(published, tmp_path):
    """Medians of peak and its day by outcome, as the README of the published counts tells them (Liu 2022)."""
    source = published.parent / "kinetics" / "ball_cart_timeseries_liu2022.csv"
    with source.open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["analyte"] == "car_t" and "day0_zero" not in r["flag"]]
    group = {r["patient"]: r["response"] for r in rows}
    counts = [
        f"{r['patient']},{round(float(r['day']))},{r['value']},cells/uL,{'yes' if r['blq'] == '1' else 'no'}"
        for r in rows
    ]
    folder = tmp_path / "liu"
    folder.mkdir()
    for name, head, lines in (
        ("patients", "patient_id,last_contact,death,diagnosis", [f"{p},400,,ALL" for p in group]),
        ("infusions", "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion", [f"{p},1,0,," for p in group]),
        ("counts", "patient_id,day,value,unit,below_lloq", counts),
    ):
        (folder / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    frame = parameters(profiles(read_cohort(folder)))
    by = frame.with_columns(group=pl.col("patient_id").replace_strict(group))
    medians = (
        by.group_by("group", "PPTESTCD")
        .agg(pl.col("PPSTRESN").median())
        .rows_by_key(["group", "PPTESTCD"], unique=True)
    )
    peaks = {g: medians[g, "CMAX"][0] for g in set(group.values())}
    assert {g: round(v) for g, v in peaks.items()} == {
        "continuous remission": 481,
        "CD19-positive relapse": 255,
        "CD19-negative relapse": 955,
        "non-response": 1713,
    }
    days = {g: medians[g, "TMAX"][0] for g in set(group.values())}
    assert days["CD19-positive relapse"] == 15
    assert days["non-response"] == 13
