"""Figures by their structure: widths, texts that stand apart, numbers under their times, data that are drawn."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from helpers import plain, read
from reinfuse import Plan, Study
from reinfuse.analyses import survival
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.exceptions import FigureRefused, Refused
from reinfuse.report.export.single_figure import enough, names, one, write
from reinfuse.report.figures import (
    doses,
    flow,
    forest,
    incidence,
    influence,
    km,
    missing,
    power,
    response,
    swimmer,
    theme,
    waterfall,
)
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.catalog_patients import unknown
from reinfuse.results.estimate import Estimate

MODULES = (doses, flow, forest, incidence, influence, km, missing, power, response, swimmer, waterfall)
KINDS = ("flow", "response_best", "km_pfs_by_diagnosis", "km_os_by_dose_increase", "incidence", "forest_pfs",
         "forest_umrd_day28", "influence_response", "power_pfs", "swimmer", "doses", "missing")  # fmt: skip


@pytest.fixture
def canvas(monkeypatch):
    """Catch the figure that is finished, so that its parts can be looked at."""
    caught = []

    def finish(figure, *args, **more):
        caught.append(figure)
        return theme.finish(figure, *args, **more)

    for module in MODULES:
        monkeypatch.setattr(module, "finish", finish)
    return caught


def boxes(figure):
    """Return every visible text with its extent in pixels."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    figure.canvas.draw()
    return [(t.get_text(), t.get_window_extent(renderer)) for t in texts]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_fits_its_width_and_no_text_is_cut_or_covered(demo_findings, canvas, kind, columns):
    drawn = one(demo_findings, kind, columns=columns)
    figure = canvas[-1]
    width = {1: 89, 2: 183}[columns] / 25.4 * 72
    assert float(re.search(rb'width="([\d.]+)pt"', drawn.svg)[1]) == pytest.approx(width, abs=0.01)
    whole, found = figure.bbox, boxes(figure)
    cut = [t for t, b in found if b.x0 < -0.5 or b.y0 < -0.5 or b.x1 > whole.x1 + 0.5 or b.y1 > whole.y1 + 0.5]
    assert cut == []
    covered = [(a, b) for i, (a, x) in enumerate(found) for b, y in found[i + 1 :]
               if min(x.x1, y.x1) - max(x.x0, y.x0) > 0.8 and min(x.y1, y.y1) - max(x.y0, y.y0) > 0.8]  # fmt: skip
    assert covered == []
    assert min(t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip()) >= 6
    assert 30 < len(drawn.alt) < 1000
    assert drawn.data.height


@pytest.mark.parametrize("columns", [1, 2])
def test_numbers_at_risk_stand_under_their_times(demo_findings, canvas, columns):
    one(demo_findings, "km_pfs_by_diagnosis", columns=columns)
    figure = canvas[-1]
    top, under = figure.axes
    ticks = list(top.get_xticks())
    shown = [(t.get_position()[0], t.get_text()) for t in under.texts if t.get_text().isdigit()]
    patients = demo_findings.patients
    assert top.get_position().x0 == under.get_position().x0
    assert top.get_xlim() == under.get_xlim()
    for i, name in enumerate(("ALL", "CLL", "NHL")):
        days = patients.filter(pl.col("diagnosis") == name)["pfs_days"].to_numpy()
        row = shown[i * len(ticks) : (i + 1) * len(ticks)]
        assert [x for x, _ in row] == pytest.approx(ticks)
        assert [int(n) for _, n in row] == [int(np.sum(days >= x * DAYS_A_MONTH - 1e-9)) for x, _ in row]


def _following(times, events, n=None):
    curve = survival.kaplan_meier(np.array(times, dtype=float), np.array(events, dtype=float), 0.95)
    median = survival.median(curve, 0.95, "pfs", population="all", group=None)
    marks = survival.axis_marks(np.array(times, dtype=float), np.array(events, dtype=float))
    risk = [Estimate("survival", "pfs", "at_risk", at=t, estimate=float(sum(x >= t for x in times))) for t in marks]
    return km.GroupCurve("All patients", curve, median, risk)


def test_a_median_of_two_months_has_monthly_breaks_and_the_axis_ends_with_five_at_risk(canvas):
    """Forty fail about day 60; of six who go on, the fifth last is followed to day 300, the last to day 1500."""
    times = [*range(40, 80), 300, 300, 900, 1000, 1200, 1500]
    events = [1] * 40 + [0, 0, 1, 1, 0, 0]
    drawn = km.kaplan_meier("km", "PFS", [_following(times, events)], p_value=None, synthetic=False)
    axes = canvas[-1].axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == [str(m) for m in range(10)]
    assert axes.get_xlim()[1] == pytest.approx(300 / DAYS_A_MONTH * 1.02)
    assert "That is month 9.9." in drawn.alt
    note = "Axis ends where fewer than 5 are at risk; later events not drawn: 2."
    assert note in drawn.alt
    assert note in [t.get_text() for t in canvas[-1].texts]
    assert drawn.data["time_days"].max() == 1500


def test_an_axis_that_shows_the_whole_follow_up_says_nothing_of_its_end(canvas):
    drawn = km.kaplan_meier("km", "PFS", [_following([700.0] * 6, [1, 0, 0, 0, 0, 0])], p_value=None, synthetic=False)
    assert "ends" not in drawn.alt
    assert canvas[-1].axes[0].get_xlim()[1] == pytest.approx(700 / DAYS_A_MONTH * 1.02)


def test_of_fewer_patients_than_are_asked_for_the_whole_curve_is_drawn(canvas):
    drawn = km.kaplan_meier("km", "PFS", [_following([30, 60, 90], [1, 1, 0])], p_value=None, synthetic=False)
    assert "ends" not in drawn.alt


def test_duration_of_response_is_drawn_from_the_first_response(demo_findings, canvas):
    drawn = one(demo_findings, "km_dor", columns=1)
    assert canvas[-1].axes[0].get_xlabel() == "Months since the first response"
    assert drawn.title == "Duration of response, from the first response"
    assert "in months since the first response" in drawn.alt
    assert "index infusion" not in drawn.alt
    assert "in months since the index infusion" in one(demo_findings, "km_pfs", columns=1).alt
    assert canvas[-1].axes[0].get_xlabel() == "Months since the index infusion"


def test_the_key_of_curves_tells_n_events_and_medians(demo_findings, canvas):
    one(demo_findings, "km_pfs_by_diagnosis", columns=1)
    texts = [t.get_text() for t in canvas[-1].texts]
    assert "Median, months (95% CI)" in texts
    cll = texts.index("CLL")
    assert texts[cll : cll + 4] == ["CLL", "9", "8", "2.0 (0.9 to 33.9)"]
    top = canvas[-1].axes[0]
    assert {line.get_linestyle() for line in top.lines if len(line.get_xdata()) > 5} == {"-", "--", "-."}


def test_curves_are_the_findings_points(demo_findings):
    data = one(demo_findings, "km_os", columns=1).data
    curve = demo_findings.curves["os", "all", None]
    assert data["survival"].to_list() == curve.survival.tolist()
    assert data["time_months"].to_list() == (curve.time / DAYS_A_MONTH).tolist()
    assert data.columns[:2] == ["group", "time_days"]


def test_incidences_of_competing_events_end_at_their_rates(demo_findings, canvas):
    data = one(demo_findings, "incidence", columns=1).data
    for group, name in (("Relapse or progression", "relapse"), ("Non-relapse mortality", "nrm")):
        mine = data.filter((pl.col("group") == group) & (pl.col("time_days") <= 24 * DAYS_A_MONTH))
        record = next(e for e in demo_findings.estimates if e.analysis == "competing" and e.endpoint == name
                      and e.statistic == "rate_at" and e.population == "all" and e.at == 24 * DAYS_A_MONTH)  # fmt: skip
        assert mine["incidence"][-1] == pytest.approx(record.estimate)
        assert mine["lower"][-1] == pytest.approx(record.lower)
        assert mine["upper"][-1] == pytest.approx(record.upper)
    assert canvas[-1].axes[0].get_ylim()[0] == 0


def effect(estimate, lower, upper, model="univariable", note=None):
    return Estimate("association", "pfs", "hazard_ratio", model=model, term="bulky", estimate=estimate, lower=lower,
                    upper=upper, confidence=0.95, p_value=0.03, n=20, events=9, note=note)  # fmt: skip


def test_intervals_that_leave_the_axis_end_in_arrows(demo_findings, canvas):
    labels = demo_findings_labels(demo_findings)
    forest.forest(
        "f",
        "t",
        [effect(2.0, 0.5, 8.0), effect(9.0, 0.001, None), effect(None, None, None)],
        labels=labels,
        synthetic=False,
    )
    axes = canvas[-1].axes[0]
    marks = [line.get_marker() for line in axes.lines]
    assert (marks.count("<"), marks.count(">"), marks.count("s")) == (1, 1, 2)
    words = [t.get_text() for t in canvas[-1].axes[1].texts]
    assert "not estimable" in words
    assert "2.00 (0.50 to 8.00)" in words
    assert axes.get_xscale() == "log"


def demo_findings_labels(findings):
    from reinfuse.report.text.labels import Labels

    return Labels(findings)


def test_response_bars_add_up_and_are_told_apart_in_grey(demo_findings, canvas):
    data = one(demo_findings, "response_best", columns=2).data
    every = data.filter(pl.col("group") == "All patients")
    assert dict(zip(every["response"], every["patients"], strict=True)) == {
        "CR": 9, "PR": 8, "SD": 12, "PD": 14, "not assessed": 1}  # fmt: skip
    for _, mine in data.group_by("group"):
        assert mine["patients"].sum() == mine["n"][0]
    patches = canvas[-1].axes[0].patches
    looks = {(p.get_hatch(), p.get_facecolor()) for p in patches}
    assert len({p.get_hatch() or p.get_facecolor() for p in patches}) == len(looks) == 5
    assert sum(p.get_width() for p in patches if p.get_y() < 0.5 and p.get_y() > -0.5) == pytest.approx(1)


# Figures of single patients, from literal cohorts


COHORT = {
    "patients": """patient_id,last_contact,death,diagnosis
        A,400,,CLL
        B,,130,NHL
        C,300,,NHL""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
        A,1,0,1e6,Cy
        A,2,100,2e6,Cy/Flu
        B,1,0,2e6,Cy/Flu
        B,2,60,2e6,
        C,1,0,2e6,Cy/Flu
        C,2,50,,Cy/Flu""",
    "responses": """patient_id,day,response,size
        A,90,PD,50
        A,130,PR,20
        A,190,CR,0
        A,280,PD,40
        B,60,PD,100
        B,90,PD,210
        B,120,PD,90
        C,80,SD,30""",
    "mrd": """patient_id,day,result
        A,130,undetectable""",
    "therapies": """patient_id,day,therapy,kind
        A,290,venetoclax,anticancer
        B,100,acyclovir,supportive""",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Study(read(tmp_path_factory.mktemp("small"), **COHORT), plain(Plan.built_in())).run()


def test_size_changes_by_hand(small):
    """A: 50 to 0. B: 100 to 210 at progression; the 90 after it does not count. C: no size before the infusion."""
    changes = dict(small.patients.select("patient_id", "best_size_change").iter_rows())
    assert changes == {"A": pytest.approx(-100), "B": pytest.approx(110), "C": None}


def test_waterfall_bars_are_sorted_capped_and_counted(small, canvas):
    drawn = one(small, "waterfall", columns=2)
    assert drawn.data["best_size_change"].to_list() == pytest.approx([110, -100])
    assert drawn.data["best_response"].to_list() == ["PD", "CR"]
    assert sorted(p.get_height() for p in canvas[-1].axes[0].patches) == pytest.approx([-100, 100])
    assert "+110" in [t.get_text() for t in canvas[-1].axes[0].texts]
    assert "1 without sizes" in drawn.alt


def test_a_sheet_with_size_changes_gives_the_same_waterfall(small, tmp_path):
    from reinfuse import read_cohort

    small.patients.write_csv(tmp_path / "again.csv")
    again = Study(read_cohort(tmp_path / "again.csv"), plain(Plan.built_in())).run()
    assert one(again, "waterfall", columns=1).data.equals(one(small, "waterfall", columns=1).data)


def test_swimmer_lanes_arrows_and_marks(small, canvas):
    drawn = one(small, "swimmer", columns=2)
    axes = canvas[-1].axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["A", "C", "B"]  # by diagnosis, the longest first
    marks = {c.get_label(): c.get_offsets() for c in axes.collections if c.get_label() in swimmer._MARKS}
    arrows = {round(x * DAYS_A_MONTH - 0.6 * DAYS_A_MONTH, 6) for x, _ in marks["alive"]}
    assert arrows == {300, 250}
    assert marks["death"][0][0] * DAYS_A_MONTH == pytest.approx(70)
    assert sorted(x * DAYS_A_MONTH for x, _ in marks["infusion"]) == pytest.approx([-100, -60, -50, 0, 0, 0])
    assert len(marks["other therapy"]) == 1  # a supportive therapy is none
    assert marks["MRD undetectable"][0][0] * DAYS_A_MONTH == pytest.approx(30)
    assert drawn.patient_level
    assert "patient" not in {c for c in drawn.alt.split() if c in ("A", "B", "C")}


def test_marks_of_day_0_are_told_apart(tmp_path, canvas):
    """Response, MRD, another therapy and the index infusion on one day: none lies on another of its size."""
    cohort = COHORT | {
        "responses": "patient_id,day,response\nA,100,PD\nA,130,PR",
        "therapies": "patient_id,day,therapy,kind\nA,100,venetoclax,anticancer",
        "mrd": "patient_id,day,result\nA,100,detectable",
    }
    one(Study(read(tmp_path, **cohort), plain(Plan.built_in())).run(), "swimmer", columns=2)
    axes = canvas[-1].axes[0]
    at_zero = {c.get_label(): (c.get_offsets()[np.abs(c.get_offsets()[:, 0]) < 1e-9][0, 1], c) for c in axes.collections
               if c.get_label() in swimmer._MARKS and (np.abs(c.get_offsets()[:, 0]) < 1e-9).any()}  # fmt: skip
    assert set(at_zero) == {"infusion", "PD", "MRD detectable", "other therapy"}
    _, bar = at_zero.pop("infusion")
    heights = [y for y, _ in at_zero.values()]
    assert min(abs(a - b) for i, a in enumerate(heights) for b in heights[i + 1 :]) > 0.2
    for _, mark in at_zero.values():
        across = mark.get_sizes()[0] ** 0.5
        assert mark.get_zorder() > bar.get_zorder()
        assert bar.get_linewidths()[0] < across / 1.5
        assert bar.get_sizes()[0] ** 0.5 > across


def test_times_in_response_end_at_the_next_assessment(small):
    from reinfuse.cohort.patient_courses import courses

    found = {c.patient_id: c for c in courses(small.cohort, small.data, 2)}
    assert found["A"].responses == ((30, 90, "PR"), (90, 180, "CR"))
    assert found["B"].responses == ()
    assert (found["B"].start, found["B"].end, found["B"].died) == (-60, 70, True)


def test_lanes_can_bear_numbers_and_many_are_not_drawn(small, canvas):
    from reinfuse.cohort.patient_courses import courses

    found = courses(small.cohort, small.data, 2)
    swimmer.swimmer("t", found, False, ids=False)
    assert [t.get_text() for t in canvas[-1].axes[0].get_yticklabels()] == ["1", "2", "3"]
    assert swimmer.swimmer("t", found * 30, False) is None


def test_missing_values_are_those_of_the_data(small):
    found = {name: mask.tolist() for name, mask in unknown(small.data).items()}
    assert found["Cy-Flu before CART2"] == [False, True, False]
    assert found["CART2 dose higher than CART1 dose"] == [False, False, True]
    assert found["Duration of response"] == [False, False, False]  # B and C did not respond: it does not apply
    drawn = one(small, "missing", columns=2)
    assert dict(drawn.data.select("variable", "missing").iter_rows())["Cy-Flu before CART2"] == 1


def test_many_patients_get_bars_of_shares():
    masks = {"x": np.arange(300) < 30, "y": np.zeros(300, dtype=bool)}
    drawn = missing.missing("t", masks, False)
    assert not drawn.patient_level
    assert drawn.data.rows() == [("x", 30, 300), ("y", 0, 300)]
    assert missing.missing("t", {"y": masks["y"]}, False) is None


def test_doses_at_one_place_are_counted(demo_findings, small):
    drawn = one(demo_findings, "doses", columns=1)
    assert drawn.data["patients"].sum() == 44
    assert drawn.data.filter((pl.col("before") == 2e6) & (pl.col("after") == 2e7))["patients"].to_list() == [8, 12]
    assert "1 without both doses" in one(small, "doses", columns=1).alt


# One figure alone


def test_an_unknown_figure_is_refused_with_the_nearest(demo_findings):
    with pytest.raises(FigureRefused) as refused:
        one(demo_findings, "km_pfs_by_diagnose", columns=1)
    assert refused.value.problems[0].remedy == "did you mean km_pfs_by_diagnosis?"


def test_one_figure_is_written_four_times(demo_findings, tmp_path):
    files = write(one(demo_findings, "km_pfs", columns=1), tmp_path / "new")
    assert [f.name for f in files] == ["km_pfs.svg", "km_pfs.pdf", "km_pfs.png", "km_pfs.csv"]
    assert files[1].read_bytes().startswith(b"%PDF")
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refused):
        write(one(demo_findings, "km_pfs", columns=1), tmp_path / "file")


def test_a_figure_needs_no_more_than_it_shows():
    plan = Plan.built_in()
    assert enough(plan, "km_pfs").analyses.power == 0
    assert enough(plan, "power_pfs") == plan


def test_figures_of_findings_read_back_are_the_same_but_for_patients(demo_findings):
    read_back = replace(demo_findings, cohort=None, data=None)
    gone = set(names(demo_findings)) - set(names(read_back))
    counts = {"counts_by_cart1_cy_flu", "counts_by_dose_increase"}
    assert gone == {"missing", "doses", "swimmer", *counts}
    assert one(read_back, "forest_os", columns=2).svg == one(demo_findings, "forest_os", columns=2).svg


def test_every_section_that_has_a_figure_is_one_of_the_report(demo_findings):
    from reinfuse.report.document.model import Picture
    from reinfuse.report.sections.contents import documents

    drawn = [(s, d) for s, _, draw in figures(demo_findings) if (d := draw()) is not None]
    both = documents(demo_findings, drawn).values()
    shown = [b.name for one in both for b in one.blocks() if isinstance(b, Picture)]
    assert sorted(shown) == sorted(d.name for _, d in drawn)
