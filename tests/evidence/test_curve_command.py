"""`reinfuse curve`: figures and points into tables of patients, what is refused, and that nothing of it is shared."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from reinfuse import Plan, Study, read_cohort, save
from reinfuse.evidence.curves import reconstruction
from reinfuse.exceptions import ShareRefused, SourceRefused
from reinfuse.plan.options import Analyses
from reinfuse.report.export.shared_folder import share
from reinfuse.study.curve import CurveOptions, curve_into_patients

LEFT, BOTTOM, MONTH, HEIGHT = 50.0, 300.0, 10.0, 250.0


def km(time, event):
    """Return times and heights of the steps of patients, sorted, and the number at risk before each."""
    n = np.arange(len(time), 0, -1)
    height = np.cumprod(1 - np.array(event) / n)
    steps = np.array(event) == 1
    return np.array(time, float)[steps], height[steps], n[steps]


def path_of(time, event, *, dashed=False):
    """Return a curve as SVG, drawn within a group that moves by (LEFT, BOTTOM) and turns y upwards."""
    steps, height, _ = km(time, event)
    d, level = f"M 0 {HEIGHT:g}", HEIGHT
    for t, h in zip(steps, height, strict=True):
        d += f" L {t * MONTH:.3f} {level:.3f} V {h * HEIGHT:.3f}"
        level = h * HEIGHT
    d += f" H {time[-1] * MONTH:.3f}"
    look = ' stroke-dasharray="4 2"' if dashed else ""
    return f'<path d="{d}" fill="none" stroke="#08f"{look} transform="translate({LEFT:g} {BOTTOM:g}) scale(1,-1)"/>'


def figure(curves, *, labels=True, extra=""):
    """Return a figure of curves with axes: labels as texts beside their ticks, a risk table under it."""
    parts = []
    for month in (0, 6, 12, 18):
        x = LEFT + month * MONTH
        parts.append(f'<line x1="{x}" y1="{BOTTOM}" x2="{x}" y2="{BOTTOM + 4}" stroke="black"/>')
        if labels:
            parts.append(f'<text x="{x}" y="{BOTTOM + 16}" text-anchor="middle">{month}</text>')
            parts.append(f'<text x="{x}" y="{BOTTOM + 40}" text-anchor="middle">{8 - month // 3}</text>')
    for percent in (0, 25, 50, 75, 100):
        y = BOTTOM - HEIGHT * percent / 100
        parts.append(f'<polyline points="{LEFT - 4},{y} {LEFT},{y}" stroke="black"/>')
        if labels:
            parts.append(f'<text x="{LEFT - 8}" y="{y + 3.5}" text-anchor="end">{percent}%</text>')
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400">{"".join([*parts, *curves, extra])}</svg>'


A = ([1.5, 3, 4, 7, 9, 12, 14, 17.5], [1, 1, 0, 1, 0, 1, 1, 0])
B = ([2, 5, 6.5, 8, 11, 13, 16, 18], [0, 1, 0, 1, 1, 0, 1, 0])


def printed(name, arm, months=(0, 6, 12)):
    return f"{name}=" + ",".join(f"{m}:{sum(t >= m for t in arm[0])}" for m in months)


BOTH = ("--at-risk", printed("A", A), "--at-risk", printed("B", B))


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def most_likely(folder, arm):
    return [(float(r["time"]), int(r["at_risk"]), int(r["events"])) for r in rows(folder / "tables.csv")
            if r["arm"] == arm and r["most_likely"] == "yes"]  # fmt: skip


def test_the_curves_of_a_figure_become_their_patients(main, tmp_path):
    limits = [path_of([1.5, 9], [1, 0], dashed=True)]
    (tmp_path / "figure.svg").write_text(figure([path_of(*A), path_of(*B), *limits]), encoding="utf-8")
    status, output, errors = main("curve", "figure.svg", *BOTH, "--at", 12, cwd=tmp_path)
    assert status == 0
    assert "A: 8 patients, 5 events; one table agrees" in output
    assert "can disclose patients" in errors
    folder = tmp_path / "reinfuse-curve"
    for name, arm in (("A", A), ("B", B)):
        time, _, n = km(*arm)
        assert most_likely(folder, name) == [(pytest.approx(t, abs=0.002), k, 1) for t, k in zip(time, n, strict=True)]
    patients = rows(folder / "patients.csv")
    assert len(patients) == 16
    assert sum(r["event"] == "1" for r in patients) == 9
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Keep this folder at the centre" in page
    assert {"report.pdf", "report.docx", "estimates.csv", "KEEP-LOCAL.txt"} <= {p.name for p in folder.iterdir()}
    drawn = rows(folder / "figures" / "curves.csv")
    assert [float(r["least"]) for r in drawn if r["arm"] == "A"] == pytest.approx(km(*A)[1])


def test_a_figure_by_matplotlib_is_read_with_its_labels_as_outlines(tmp_path):
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    steps, height, n = km(*A)
    with rc_context({"svg.fonttype": "path"}):
        drawing = Figure()
        axes = drawing.subplots()
        axes.step([0, *steps, A[0][-1]], [1, *height, height[-1]], where="post")
        axes.plot([4, 9], [0.75, 0.6], "|")
        axes.set_xticks([0, 6, 12, 18])
        FigureCanvasSVG(drawing).print_svg(tmp_path / "figure.svg")
    given = curve_into_patients(tmp_path / "figure.svg", CurveOptions(at_risk=[printed("", A).removeprefix("=")]))
    [arm] = given.study.arms
    assert arm.reading.time == pytest.approx(steps, abs=1e-3)
    assert arm.tables.at_risk[arm.tables.best].tolist() == n.tolist()


def test_axes_without_labels_are_asked_for_and_taken(tmp_path):
    path = tmp_path / "figure.svg"
    path.write_text(figure([path_of(*A)], labels=False), encoding="utf-8")
    options = {"at_risk": [printed("A", A)]}
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(path, CurveOptions(**options))
    assert [p.column for p in refused.value.problems] == ["--x-axis", "--y-axis"]
    given = curve_into_patients(path, CurveOptions(**options, x_axis="50=0,230=18", y_axis="300=0,50=1"))
    assert given.study.arms[0].reading.time == pytest.approx(km(*A)[0])


def test_ticks_without_labels_are_named_and_axes_that_run_the_wrong_way_refused(tmp_path):
    path = tmp_path / "figure.svg"
    path.write_text(figure([path_of(*A)], labels=False), encoding="utf-8")
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(path, CurveOptions(at_risk=["0:8"], x_axis="230=0,50=18"))
    rules = [p.rule for p in refused.value.problems]
    assert rules == ["runs to the left", "the y axis cannot be calibrated by its tick labels"]
    assert "there are ticks at 50.00, 112.50, 175.00, 237.50, 300.00" in refused.value.problems[1].remedy


def test_censoring_marks_of_a_figure_are_read_where_they_are_asked_for(tmp_path):
    path = tmp_path / "figure.svg"
    path.write_text(figure([path_of(*A), path_of(*B), *marks_on(A), *marks_on(B)]), encoding="utf-8")
    options = {"at_risk": ["A=0:8", "B=0:8"], "reading_error": 1.0}
    free = curve_into_patients(path, CurveOptions(**options))
    given = curve_into_patients(path, CurveOptions(**options, marks=True))
    for arm, before, truth in zip(given.study.arms, free.study.arms, (A, B), strict=True):
        assert arm.reading.marks == pytest.approx([t for t, e in zip(*truth, strict=True) if not e])
        assert arm.tables.count <= before.tables.count
        assert arm.tables.at_risk[arm.tables.best].tolist() == km(*truth)[2].tolist()
    path.write_text(figure([path_of(*A)]), encoding="utf-8")
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(path, CurveOptions(at_risk=["0:8"], marks=True))
    assert [p.column for p in refused.value.problems] == ["--marks"]


def marks_on(arm):
    """Return short vertical lines where patients were censored."""
    steps, height, _ = km(*arm)
    for t, e in zip(*arm, strict=True):
        if not e:
            x, y = LEFT + t * MONTH, BOTTOM - HEIGHT * ([1.0, *height][np.searchsorted(steps, t)])
            yield f'<line x1="{x}" y1="{y - 4}" x2="{x}" y2="{y + 4}" stroke="black"/>'


def test_a_figure_with_more_curves_than_arms_lists_them(tmp_path):
    path = tmp_path / "figure.svg"
    path.write_text(figure([path_of(*A), path_of(*B)]), encoding="utf-8")
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(path, CurveOptions(at_risk=[printed("B", B)]))
    [problem] = refused.value.problems
    assert "has 2 step curves, 2 of them taken, for 1 arms" in problem.rule
    assert "2: #08f, from 100.00 to 25.71 at time 18.0" in problem.remedy
    given = curve_into_patients(path, CurveOptions(at_risk=[printed("B", B)], curves="2"))
    assert given.study.arms[0].tables.events.sum() == 4


@pytest.mark.parametrize(("content", "rule"), [
    ("no figure", "is no SVG that can be read"), ("<svg", "is no SVG that can be read"),
    ('<svg xmlns="http://www.w3.org/2000/svg"><path d="M 0 0 L 1e999 1"/></svg>', "is no SVG that can be read"),
    ('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "defines its own entities"),
])  # fmt: skip
def test_what_is_no_figure_is_refused(content, rule, tmp_path):
    (tmp_path / "figure.svg").write_text(content)
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(tmp_path / "figure.svg", CurveOptions(at_risk=["0:8"]))
    assert [p.rule for p in refused.value.problems] == [rule]


def points(tmp_path, *, percent=False):
    """Return a file of both arms' points: those of a spreadsheet in German, if percent."""
    lines = [";".join(("Time", "Percent", "Arm", "Kind")) if percent else "time,survival,arm,kind"]
    for name, arm in (("A", A), ("B", B)):
        steps, height, _ = km(*arm)
        for t, h in [*zip(steps, height, strict=True), (arm[0][-1], height[-1])]:
            cells = (f"{t:g}", f"{100 * h if percent else h:.4f}", name, "")
            lines.append(";".join(cells).replace(".", ",") if percent else ",".join(cells))
        for t, e in zip(*arm, strict=True):
            if not e:
                lines.append((";" if percent else ",").join((f"{t:g}", "", name, "censored")).replace(
                    ".", "," if percent else "."))  # fmt: skip
    path = tmp_path / "points.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("percent", [False, True])
def test_points_with_marks_give_the_patients_and_their_times(tmp_path, percent):
    given = curve_into_patients(points(tmp_path, percent=percent), CurveOptions(at_risk=["A=0:8", "B=0:8"]))
    for arm, truth in zip(given.study.arms, (A, B), strict=True):
        assert arm.tables.at_risk[arm.tables.best].tolist() == km(*truth)[2].tolist()
        assert arm.reading.marks.tolist() == [t for t, e in zip(*truth, strict=True) if not e]


def test_a_mark_that_stands_at_a_step_is_of_a_patient_at_risk_in_it(tmp_path):
    """Four patients: an event and a censoring at 3, then one of two. Were the mark before 3, the step would be 1/3."""
    (tmp_path / "points.csv").write_text(
        "time,survival,kind\n3,0.75,\n6,0.375,\n9,0.375,\n2.9999,,censored\n9,,censored\n"
    )
    given = curve_into_patients(tmp_path / "points.csv", CurveOptions(at_risk=["0:4"]))
    assert given.study.arms[0].reading.marks.tolist() == [3, 9]
    assert given.study.arms[0].tables.at_risk.tolist() == [[4, 2]]


def test_a_curve_without_a_step_is_refused(tmp_path):
    (tmp_path / "points.csv").write_text("time,survival\n0,1\n12,1\n")
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(tmp_path / "points.csv", CurveOptions(at_risk=["0:8"]))
    assert [p.rule for p in refused.value.problems] == ["the curve has no step"]


def test_what_the_tables_do_not_agree_on_is_a_range(tmp_path):
    (tmp_path / "points.csv").write_text("time,survival\n2,0.9\n4,0.79\n6,0.65\n8,0.5\n12,0.5\n")
    given = curve_into_patients(tmp_path / "points.csv",
                                CurveOptions(at_risk=["0:20"], reading_error=2, at="8"))  # fmt: skip
    [arm] = given.study.arms
    assert len(arm.tables.weight) > 10
    row = next(r for r in given.table.rows if r.head.startswith("survival"))
    assert " to " in row.cells[0]
    assert row.cells[2] == "no"


def test_everything_that_is_wrong_with_points_and_numbers_is_said_at_once(main, tmp_path):
    (tmp_path / "points.csv").write_text("time,survival,arm\n2,0.9,A\n1,80,A\nx,0.5,A\n3,0.4,B\n")
    status, output, _ = main("curve", "points.csv", "--at-risk", "A=0:10,6:12", "--at-risk", "C=3:5", "--reading-error",
                             9, "--events", "few", "--json", cwd=tmp_path)  # fmt: skip
    assert status == 2
    problems = json.loads(output)["problems"]
    rules = [p["rule"] for p in problems]
    assert {"has numbers that rise", "begins at time 3", "is not from 0 to 1", "is no number", "is no number of events",
            "is not above 0 and up to 5 (percent)", "an arm has no numbers at risk", "is no arm of these curves",
            "patients are at risk after the end of the curve, time 2"} == set(rules)  # fmt: skip
    assert not (tmp_path / "reinfuse-curve").exists()


def test_a_curve_that_no_whole_numbers_give_says_where_and_with_which_error(tmp_path):
    (tmp_path / "points.csv").write_text("time,survival\n1,0.75\n2,0.6\n3,0.6\n")
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(tmp_path / "points.csv", CurveOptions(at_risk=["0:4"], reading_error=0.1))
    [problem] = refused.value.problems
    assert "the first step without any is at time 2" in problem.rule
    assert "with --reading-error 3.2 some agree" in problem.remedy
    with pytest.raises(SourceRefused) as refused:
        curve_into_patients(tmp_path / "points.csv", CurveOptions(at_risk=[]))
    assert "is missing" in [p.rule for p in refused.value.problems]


def test_a_large_curve_is_made_by_guyots_algorithm(tmp_path, monkeypatch):
    monkeypatch.setattr(reconstruction, "EXACT_UP_TO", 50)
    random = np.random.default_rng(4)
    time = np.sort(random.exponential(10, 60))
    event = random.random(60) < 0.8
    steps, height, _ = km(time, event)
    lines = ["time,survival", *(f"{t:.4f},{h:.4f}" for t, h in zip(steps, height, strict=True))]
    lines.append(f"{time[-1]:.4f},{height[-1]:.4f}")
    (tmp_path / "points.csv").write_text("\n".join(lines))
    risk = ",".join(f"{m}:{int(np.sum(time >= m))}" for m in range(0, 24, 6))
    options = {"at_risk": [risk], "reading_error": 0.1}
    given = curve_into_patients(tmp_path / "points.csv", CurveOptions(**options))
    [arm] = given.study.arms
    assert not arm.searched
    assert abs(int(arm.tables.events[0].sum()) / event.sum() - 1) < 0.1
    assert "Guyot" in given.sentences[0]
    counted = curve_into_patients(tmp_path / "points.csv", CurveOptions(**options, events=[str(event.sum())]))
    assert counted.study.arms[0].tables.events[0].sum() == event.sum()


def test_share_refuses_the_folder_what_lies_in_it_and_results_made_of_it(main, tmp_path):
    path = points(tmp_path)
    assert main("curve", path, "--at-risk", "A=0:8", "--at-risk", "B=0:8", "--quiet", cwd=tmp_path)[0] == 0
    folder = tmp_path / "reinfuse-curve"
    for one in (folder, folder / "inner"):
        one.mkdir(exist_ok=True)
        status, _, errors = main("share", one, cwd=tmp_path)
        assert status == 2
        assert "a small curve can disclose them" in errors
    (folder / "reinfuse.manifest.json").unlink()
    with pytest.raises(ShareRefused):
        share(folder, tmp_path / "shared")
    sheet = tmp_path / "sheet.csv"
    lines = [f"{r['patient_id']},CLL,{1 + 30 * float(r['time']):.0f},{r['event']}"
             for r in rows(folder / "patients.csv")]  # fmt: skip
    sheet.write_text("\n".join(["patient_id,diagnosis,pfs_days,pfs_event", *lines]))
    plan = Plan.built_in().model_copy(update={"analyses": Analyses.none()})
    results = save(Study(read_cohort(sheet), plan).run(), tmp_path / "results")
    with pytest.raises(ShareRefused) as refused:
        share(results, tmp_path / "shared", smallest=3)
    assert "patients behind published curves" in refused.value.problems[0].rule
