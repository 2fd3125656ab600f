"""Figures of single patients: what is drawn is the data, and it stays legible where cohorts are unusual."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text

from helpers import plain, read
from reinfuse import Plan, Study
from reinfuse.cohort.patient_courses import Course, Event
from reinfuse.report.figures import doses, missing, swimmer, theme, waterfall
from reinfuse.report.figures.catalog_patients import patient_figures, unknown
from reinfuse.report.figures.doses import Dose

MONTH = 30.4375
HEIGHT = 240


@pytest.fixture
def canvas(monkeypatch):
    """Catch the figure that is finished, so that its parts can be looked at."""
    caught = []

    def finish(figure, *args, **more):
        caught.append(figure)
        return theme.finish(figure, *args, **more)

    for module in (swimmer, waterfall, doses, missing):
        monkeypatch.setattr(module, "finish", finish)
    return caught


def faults(figure):
    """Return the texts that are cut by the page's edge, and the pairs of texts that cover each other."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.canvas.draw()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    found = [(t.get_text(), t.get_window_extent(renderer)) for t in texts]
    page = figure.bbox
    cut = [t for t, b in found if min(b.x0, b.y0) < -0.5 or b.x1 > page.x1 + 0.5 or b.y1 > page.y1 + 0.5]
    covered = [(a, b) for i, (a, x) in enumerate(found) for b, y in found[i + 1 :]
               if min(x.x1, y.x1) - max(x.x0, y.x0) > 0.8 and min(x.y1, y.y1) - max(x.y0, y.y0) > 0.8]  # fmt: skip
    small = [t.get_text() for t in texts if t.get_fontsize() < 6]
    return cut, covered, small


def millimetres(drawn):
    """Return width and height of a figure."""
    return tuple(float(re.search(rf'{side}="([\d.]+)pt"'.encode(), drawn.svg)[1]) / 72 * 25.4
                 for side in ("width", "height"))  # fmt: skip


def legend(figure):
    """Return the words of the legend."""
    return [t.get_text() for t in figure.legends[0].get_texts()]


# Swimmer plot


def lane(name, diagnosis="NHL", start=-61, end=365.25, died: bool | None = True, events=(), responses=()):
    """Return a course with both infusions."""
    given = (Event(start, "infusion", "1"), *events, Event(0, "infusion", "2"))
    return Course(name, diagnosis, start, end, died, given, responses)


FOUR = (
    lane("a", "NHL", events=(Event(30, "NE"), Event(60.875, "CR")), responses=((60.875, 121.75, "CR"),)),
    lane("b", "CLL", end=700, died=False, events=(Event(45, "MRD detectable"), Event(45, "other therapy"))),
    lane("c", "NHL", end=800, died=None),
    lane("d", "NHL", end=400, died=False),
)


def marks(axes, kind):
    """Return the places of one kind of mark, in months and lanes."""
    return [tuple(map(float, p)) for c in axes.collections if c.get_label() == kind for p in c.get_offsets()]


def test_lanes_are_patients_by_diagnosis_the_longest_first(canvas):
    drawn = swimmer.swimmer("Course of 4 patients", FOUR, False)
    axes = canvas[-1].axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["b", "c", "d", "a"]
    bars = axes.collections[0].get_segments()
    months = [(-61 / MONTH, end / MONTH) for end in (700, 800, 400, 365.25)]
    assert [(s[0][0], s[1][0]) for s in bars] == [pytest.approx(m) for m in months]
    assert drawn.patient_level
    assert drawn.alt.startswith("Course of 4 patients. 4 lanes, one a patient.")


def test_marks_stand_at_their_months_and_nothing_that_is_not_drawn_is_told(canvas):
    drawn = swimmer.swimmer("t", FOUR, False)
    axes = canvas[-1].axes[0]
    assert sorted(x for x, _ in marks(axes, "infusion")) == pytest.approx([-61 / MONTH] * 4 + [0] * 4)
    assert [x for x, _ in marks(axes, "CR")] == pytest.approx([2])
    assert [x for x, _ in marks(axes, "death")] == pytest.approx([12])
    assert "NE" not in drawn.alt
    assert "NE" not in drawn.data["what"].to_list()


def test_an_arrow_stands_after_the_lane_only_of_those_alive(canvas):
    swimmer.swimmer("t", FOUR, False)
    axes = canvas[-1].axes[0]
    heads = marks(axes, "alive")
    assert sorted(y for _, y in heads) == pytest.approx(sorted(axes.get_yticks()[[0, 2]]))
    assert all(x > end / MONTH for (x, _), end in zip(sorted(heads, key=lambda p: p[1]), (700, 400), strict=True))


def test_marks_of_one_day_do_not_hide_each_other(canvas):
    """An assessment on the lane, MRD above it, therapies below it."""
    events = tuple(Event(30, k) for k in ("CR", "MRD undetectable", "other therapy"))
    swimmer.swimmer("t", [lane("a", events=events)], False)
    axes = canvas[-1].axes[0]
    heights = [marks(axes, k)[0][1] for k in ("MRD undetectable", "CR", "other therapy")]
    assert heights == sorted(heights)
    assert len(set(heights)) == 3


def test_the_legend_tells_only_what_occurs_and_the_colours_of_lanes(canvas):
    swimmer.swimmer("t", FOUR, False)
    assert legend(canvas[-1]) == ["CAR-T infusion", "CR", "MRD detectable", "other therapy", "death",
                                  "alive at last contact", "time in CR"]  # fmt: skip
    swimmer.swimmer("t", [lane("a", died=None)], False)
    assert legend(canvas[-1]) == ["CAR-T infusion"]


def test_every_kind_looks_different_without_colour():
    shapes = {k: (m[0], m[1] == "white") for k, m in swimmer._MARKS.items() if k != "progression or death"}
    assert len(set(shapes.values())) == len(shapes)


def test_numbers_instead_of_ids(canvas):
    drawn = swimmer.swimmer("t", FOUR, False, ids=False)
    assert [t.get_text() for t in canvas[-1].axes[0].get_yticklabels()] == ["1", "2", "3", "4"]
    assert drawn.data["patient"].unique().sort().to_list() == ["1", "2", "3", "4"]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(("n", "longest"), [(1, 14), (3, 14), (80, 3000)])
def test_swimmers_are_legible_at_any_size(canvas, columns, n, longest):
    groups = ("ALL", "CLL", "NHL", "a diagnosis with a name that is long")
    start = -61 if longest > 61 else 0
    many = [lane(f"PATIENT-{i:03}", groups[i % 4], start, longest * (i + 1) / n, bool(i % 2), (Event(5, "PD"),))
            for i in range(n)]  # fmt: skip
    drawn = swimmer.swimmer(f"Course of {n} patients", many, True, columns=columns)
    width, height = millimetres(drawn)
    assert width == pytest.approx({1: 89, 2: 183}[columns], abs=0.1)
    assert height <= HEIGHT + 0.1
    assert faults(canvas[-1]) == ([], [], [])
    axes = canvas[-1].axes[0]
    assert axes.get_xlim()[1] > max(x for x, _ in [*marks(axes, "alive"), *marks(axes, "death")])
    assert len(axes.get_xticks()) >= 3


def test_above_80_patients_none_is_drawn():
    assert swimmer.swimmer("t", [lane(str(i)) for i in range(81)], False) is None
    assert swimmer.swimmer("t", [], False) is None


def test_follow_up_of_no_days_is_drawn(canvas):
    swimmer.swimmer("t", [lane("a", start=0, end=0)], False)
    low, high = canvas[-1].axes[0].get_xlim()
    assert low < 0 < high


# Waterfall


FALLS = [(-60.0, "PR"), (150.0, "PD"), (0.0, "SD"), (-100.0, "CR"), (-50.0, "not assessed"), (30.0, "SD")]


def test_bars_are_sorted_and_equal_to_the_data(canvas):
    drawn = waterfall.waterfall("t", FALLS, 2, synthetic=False)
    bars = sorted((p.get_x() + p.get_width() / 2, p.get_y(), p.get_height()) for p in canvas[-1].axes[0].patches)
    assert [round(x) for x, _, _ in bars] == [0, 1, 2, 3, 4, 5]
    # 150 is cut at 100; a stub about zero stands for no change
    assert [(y, h) for _, y, h in bars] == [(0, 100), (0, 30), (-1, 2), (0, -50), (0, -60), (0, -100)]
    assert drawn.data.rows() == sorted(FALLS, reverse=True)
    assert drawn.alt == "t. 6 patients, smaller by half or more in 3; 2 without sizes not drawn."
    assert drawn.patient_level


def test_bars_are_told_apart_by_shade_and_hatch(canvas):
    waterfall.waterfall("t", FALLS, 0, synthetic=False)
    axes = canvas[-1].axes[0]
    looks = {(to_hex(p.get_facecolor()), p.get_hatch()) for p in axes.patches}
    assert len(looks) == 5
    assert legend(canvas[-1]) == ["CR", "PR", "SD", "PD", "not assessed"]
    assert sorted(line.get_ydata()[0] for line in axes.lines) == [-50, 0, 50]


def test_cut_bars_bear_their_number_where_it_has_room_and_a_mark_elsewhere(canvas):
    waterfall.waterfall("t", FALLS, 0, synthetic=False)
    assert [t.get_text() for t in canvas[-1].axes[0].texts] == ["+150"]
    many = [(101.0 + i, "PD") for i in range(40)] + [(-20.0, "SD")] * 20
    waterfall.waterfall("t", many, 0, synthetic=False, columns=1)
    axes = canvas[-1].axes[0]
    assert [t.get_text() for t in axes.texts] == []
    (heads,) = axes.collections
    assert [x for x, _ in heads.get_offsets()] == list(range(40))


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("n", [1, 12, 60])
def test_waterfalls_are_legible_at_any_size(canvas, columns, n):
    random = np.random.default_rng(n)
    responses = ("CR", "CRi", "nPR", "PR", "SD", "PD", "NE", "not assessed")
    found = [(float(c), responses[i % 8]) for i, c in enumerate(random.uniform(-100, 2000, n))]
    drawn = waterfall.waterfall(
        f"Best change of the measured disease, {n} patients", found, 1, synthetic=True, columns=columns
    )
    assert faults(canvas[-1]) == ([], [], [])
    assert drawn.data.height == n


# Doses


PLACES = [Dose(1e6, 2e6, "response"), Dose(1e6, 2e6, "response"), Dose(1e6, 2e6, "no response"),
          Dose(2e6, 2e6, "missing"), Dose(2e7, 2e6, "no response")]  # fmt: skip


def test_patients_of_one_place_are_counted_and_kinds_stand_side_by_side(canvas):
    drawn = doses.doses("t", PLACES, 3, index=2, synthetic=False)
    axes = canvas[-1].axes[0]
    at = {kind: np.array(c.get_offsets()) for c in axes.collections if (kind := c.get_label()) in doses.LOOKS}
    assert {k: len(v) for k, v in at.items()} == {"response": 1, "no response": 2, "missing": 1}
    assert at["response"][0][0] < 1e6 < at["no response"][0][0]
    assert at["missing"].tolist() == [[2e6, 2e6]]
    numbers = [t.get_text() for t in axes.texts if t.get_text().isdigit()]
    assert numbers == ["2"]  # a mark without a number is one patient
    assert "number in a mark: patients" in [t.get_text() for t in axes.texts]
    assert drawn.data.rows() == [(1e6, 2e6, "no response", 1), (1e6, 2e6, "response", 2),
                                 (2e6, 2e6, "missing", 1), (2e7, 2e6, "no response", 1)]  # fmt: skip
    assert drawn.alt == "t. 5 patients: higher 3, the same 1, lower 1; 3 without both doses not drawn."
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    (equal,) = axes.lines
    assert list(equal.get_xdata()) == list(equal.get_ydata())


def test_a_legend_of_doses_tells_only_what_occurs(canvas):
    doses.doses("t", PLACES[:2], 0, index=2, synthetic=False)
    assert legend(canvas[-1]) == ["response"]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("n", [1, 200])
def test_doses_that_all_differ_are_legible(canvas, columns, n):
    random = np.random.default_rng(n)
    found = [Dose(float(a), float(b), "response") for a, b in 10 ** random.normal(6, 0.7, (n, 2))]
    doses.doses(f"Dose of CART1 and CART2, {n} patients", found, 0, index=2, synthetic=True, columns=columns)
    assert faults(canvas[-1]) == ([], [], [])
    sizes = {s for c in canvas[-1].axes[0].collections for s in c.get_sizes()}
    assert max(sizes) <= 22


# Missingness map


def masks(**places):
    """Return which of ten patients' values are not known."""
    return {name: np.isin(np.arange(10), found) for name, found in places.items()}


def cells(axes):
    """Return the dark cells of each row."""
    return [len(c.get_paths()) for c in axes.collections]


def test_dark_cells_are_the_missing_values(canvas):
    found = masks(x=[1], y=[0, 1, 2], z=[], w=[])
    drawn = missing.missing("t", found, False)
    axes = canvas[-1].axes[0]
    assert cells(axes) == [3, 1]
    words = [t.get_text() for t in axes.texts]
    assert words == ["3 (30%)", "y", "1 (10%)", "x"]
    assert "Complete: 2 of 4 variables: z; w" in [t.get_text() for t in canvas[-1].texts]
    assert drawn.data.rows() == [("x", 1, 10), ("y", 3, 10), ("z", 0, 10), ("w", 0, 10)]
    assert drawn.alt == "t. Missing: y in 3 of 10; x in 1 of 10."
    assert drawn.patient_level


def test_patients_are_sorted_the_same_in_every_row(canvas):
    """Patient 1 lacks both values: the first cell of both rows is dark."""
    missing.missing("t", masks(x=[1], y=[0, 1, 2]), False)
    starts = [sorted(p.vertices[:, 0].min() for p in c.get_paths()) for c in canvas[-1].axes[0].collections]
    assert starts == [[0, 1, 2], [0]]


def test_nothing_missing_is_not_drawn():
    assert missing.missing("t", masks(x=[], y=[]), False) is None
    assert missing.missing("t", {}, False) is None


def test_shares_of_many_patients_show_none_of_them(canvas):
    drawn = missing.missing("t", {"x": np.arange(201) < 20, "y": np.zeros(201, dtype=bool)}, False)
    assert not drawn.patient_level
    (bar,) = canvas[-1].axes[0].patches[:1]
    assert bar.get_width() == 20
    assert missing.missing("t", {"x": np.arange(200) < 20}, False).patient_level


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(("n", "variables"), [(3, 1), (150, 70), (200, 6), (5000, 6)])
def test_maps_are_legible_at_any_size(canvas, columns, n, variables):
    found = {f"Number {i} of the variables whose names are quite long for a row": np.arange(n) % (i + 2) == 0
             for i in range(variables)}  # fmt: skip
    found |= {f"Known {i}, of everybody": np.zeros(n, dtype=bool) for i in range(9)}
    drawn = missing.missing(f"Missing values, {n} patients", found, True, columns=columns)
    assert millimetres(drawn)[1] <= HEIGHT + 0.1
    assert faults(canvas[-1]) == ([], [], [])
    assert drawn.data.height == variables + 9


SMALL = {
    "patients": """patient_id,last_contact,death,diagnosis
        A,400,,CLL
        B,,130,NHL
        C,300,,NHL
        D,,120,NHL""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
        A,1,0,1e6,Cy
        A,2,100,2e6,Cy/Flu
        B,1,0,2e6,Cy/Flu
        B,2,60,2e6,
        C,1,0,2e6,Cy/Flu
        C,2,50,,Cy/Flu
        D,1,0,,Cy/Flu
        D,2,70,1e6,""",
    "responses": """patient_id,day,response,size
        A,90,PD,50
        A,130,PR,20
        B,60,PD,100
        B,90,PD,210
        C,80,SD,30""",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Study(read(tmp_path_factory.mktemp("small"), **SMALL), plain(Plan.built_in())).run()


def drawn_of(findings, columns=None):
    """Return the figures by name."""
    return {name: draw() for _, name, draw in patient_figures(findings, columns)}


def test_missing_is_counted_by_hand_and_what_does_not_apply_is_not_missing(small):
    gone = {name: int(mask.sum()) for name, mask in unknown(small.data).items()}
    assert gone["Cy-Flu before CART2"] == 2  # B and D
    assert gone["CART2 dose higher than CART1 dose"] == 2  # C and D
    assert gone["Duration of response"] == 0  # of A alone, who responded
    found = drawn_of(small)["missing"]
    assert found.title == "Missing values, 4 patients"
    assert dict(found.data.select("variable", "missing").iter_rows()) == gone


def test_titles_tell_how_many_are_drawn_and_left_out(small):
    titles = {name: d.title for name, d in drawn_of(small).items()}
    assert titles["doses"] == "Dose of CART1 and CART2, 2 patients (2 without both doses)"
    assert titles["swimmer"] == "Course of 4 patients"
    assert titles["waterfall"] == "Best change of the measured disease, 2 patients (2 without sizes)"


def test_the_sections_and_names(small):
    assert [(s, n) for s, n, _ in patient_figures(small, None)] == [
        ("patients", "missing"), ("patients", "doses"), ("course", "swimmer"), ("response", "waterfall")]  # fmt: skip
    assert list(patient_figures(replace(small, cohort=None, data=None), None)) == []


def test_both_widths_of_each(small):
    for columns, width in ((1, 89), (2, 183)):
        for drawn in drawn_of(small, columns).values():
            assert millimetres(drawn)[0] == pytest.approx(width, abs=0.1)
            assert drawn.columns == columns


def test_no_id_is_in_a_title_or_in_the_words_that_tell_of_a_figure(demo_findings):
    ids = demo_findings.patients["patient_id"].to_list()
    for name, drawn in drawn_of(demo_findings).items():
        assert not [i for i in ids if i in drawn.alt or i in drawn.title]
        if name != "swimmer":
            assert not [i for i in ids if i in drawn.data.cast(pl.String).write_csv()]
