"""`[report.figure_style]` of a plan: axes, rows under curves, marks, palette, title, height, formats."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image
from test_figures import boxes

from helpers import read
from pages import docx_text
from reinfuse import Plan, Study, read_cohort, save
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure import suppressed
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.figure_options import PALETTES, FigureLook
from reinfuse.plan.options import Analyses
from reinfuse.report.export.single_figure import one
from reinfuse.report.figures import km, theme
from reinfuse.report.figures.postscript import as_eps
from reinfuse.report.figures.theme import COLOURS, drawn_as

COHORT = {
    "patients": """patient_id,last_contact,death,diagnosis,sex
        a,130,130,CLL,F
        b,161,,CLL,M
        c,191,191,NHL,F
        d,222,,NHL,M
        e,700,700,NHL,F
        f,800,,NHL,F""",
    "infusions": "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
    + "\n".join(f"{p},1,0,2e6,Cy\n{p},2,100,2e6,Cy/Flu" for p in "abcdef"),
    "responses": "patient_id,day,response\na,120,CR\nb,120,PD",
}
"""Days of death or last contact after the second infusion: 30 (death), 61, 91 (death), 122, 600 (death), 700."""


def plan_of(**settings) -> Plan:
    plan = Plan.of({"report": {"figure_style": settings}})
    return plan.model_copy(update={"analyses": Analyses.none()})


def findings(folder, **settings):
    return Study(read(folder, **COHORT), plan_of(**settings)).run()


def restyled(shown, **settings):
    """Return findings whose plan has other settings of figures, and the records of none."""
    return replace(shown, plan=shown.plan.replace(report={"figure_style": settings}))


@pytest.fixture(scope="module")
def demo():
    settings = {
        "risk_table": ["at risk", "censored", "events"],
        "only": {"km_os_by_diagnosis": {"x_max": 24, "x_breaks": 6}, "km_pfs": {"x_breaks": [0, 2, 5]},
                 "km_pfs_by_diagnosis": {"x_max": 40}},
    }  # fmt: skip
    return Study(read_cohort(datasets()[DEMO].path), plan_of(**settings)).run()


@pytest.fixture
def canvas(monkeypatch):
    caught: list[Figure] = []

    def finish(figure, *args, **more):
        caught.append(figure)
        return theme.finish(figure, *args, **more)

    monkeypatch.setattr(km, "finish", finish)
    return caught


def under(figure) -> list[str]:
    """Return the texts of the table under the curves, line by line."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for text in figure.axes[1].texts:
        beside = text.get_ha() == "right"
        y = text.xy[1] if beside else text.get_position()[1]
        lines.setdefault(y, []).append((-1.0 if beside else text.get_position()[0], text.get_text()))
    return [" ".join(word for _, word in sorted(lines[y])) for y in sorted(lines)]


def test_rows_under_the_curves_by_hand(tmp_path, canvas):
    rows = {"x_max": 24, "x_breaks": 2, "risk_table": ["at risk", "events", "censored"]}
    shown = findings(tmp_path, only={"km_os": {**rows, "x_max": 4}})
    one(shown, "km_os", columns=1)
    assert [t.get_text() for t in canvas[-1].axes[0].get_xticklabels()] == ["0", "2", "4"]
    # day 60.9 and day 121.75: deaths on days 30 and 91, censored on day 61 and, just after the last tick, on day 122
    assert under(canvas[-1]) == [
        "At risk", "All patients 6 5 3", "Events", "All patients 0 1 2", "Censored", "All patients 0 0 1",
    ]  # fmt: skip
    texts = [t.get_text() for t in canvas[-1].texts]
    assert "Axis ends at month 4; later events not drawn: 1." in texts
    added = {(e.statistic, e.at, e.estimate) for e in shown.estimates
             if e.statistic.startswith("cumulative_") and e.analysis == "survival"}  # fmt: skip
    assert ("cumulative_events", 4 * DAYS_A_MONTH, 2.0) in added


def test_settings_of_figures_add_records_and_change_none(tmp_path):
    settings = {"x_max": 30, "x_breaks": 5, "risk_table": ["at risk", "censored"], "palette": "viridis"}
    without, other = findings(tmp_path), findings(tmp_path, **settings)
    kept = [e for e in other.estimates if e in set(without.estimates)]
    assert kept == list(without.estimates)
    more = {(e.analysis, e.statistic) for e in other.estimates if e not in set(without.estimates)}
    assert more == {("survival", "at_risk"), ("survival", "cumulative_censored")}
    shown_only = findings(tmp_path, palette="grey", title=True, censor_marks=False, median_lines=False, height=60,
                          y_limits=[20, 90], formats=["pdf"])  # fmt: skip
    assert shown_only.estimates == without.estimates


def test_numbers_under_the_curves_are_those_of_the_patients(demo, canvas):
    one(demo, "km_os_by_diagnosis", columns=2)
    lines = under(canvas[-1])
    assert lines[::4] == ["At risk", "Censored", "Events"]
    days = np.array([0, 6, 12, 18, 24]) * DAYS_A_MONTH
    for i, name in enumerate(("ALL", "CLL", "NHL")):
        own = demo.patients.filter(demo.patients["diagnosis"] == name)
        time, died = own["os_days"].to_numpy(), (own["os_event"] == "yes").to_numpy()
        by_hand = [(time[:, None] >= days).sum(axis=0), (~died[:, None] & (time[:, None] <= days)).sum(axis=0),
                   (died[:, None] & (time[:, None] <= days)).sum(axis=0)]  # fmt: skip
        for block, numbers in enumerate(by_hand):
            assert lines[1 + 4 * block + i] == f"{name} {' '.join(str(n) for n in numbers)}"


def test_breaks_and_the_end_of_the_axis(demo, canvas):
    one(demo, "km_pfs", columns=1)
    assert [t.get_text() for t in canvas[-1].axes[0].get_xticklabels()] == ["0", "2", "5"]
    one(demo, "km_pfs_by_diagnosis", columns=1)
    axes = canvas[-1].axes[0]
    assert axes.get_xlim()[1] == pytest.approx(40 * 1.02)
    ticks = [int(t.get_text()) for t in axes.get_xticklabels()]
    assert (ticks[0], len(set(np.diff(ticks)))) == (0, 1)
    assert 36 < ticks[-1] <= 40
    numbers = under(canvas[-1])[1].split()[1:]
    assert len(numbers) == len(ticks)


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("name", ["km_os_by_diagnosis", "km_pfs", "km_dor", "km_pfs_by_cart1_cy_flu"])
@pytest.mark.parametrize("title", [True, False])
def test_nothing_is_cut_or_covered(demo, canvas, columns, name, title):
    options = demo.plan.report.figure_style.model_copy(update={"title": title})
    report = demo.plan.report.model_copy(update={"figure_style": options})
    one(replace(demo, plan=demo.plan.model_copy(update={"report": report})), name, columns=columns)
    whole, found = canvas[-1].bbox, boxes(canvas[-1])
    cut = [t for t, b in found if b.x0 < -0.5 or b.y0 < -0.5 or b.x1 > whole.x1 + 0.5 or b.y1 > whole.y1 + 0.5]
    assert cut == []
    covered = [(a, b) for i, (a, x) in enumerate(found) for b, y in found[i + 1 :]
               if min(x.x1, y.x1) - max(x.x0, y.x0) > 0.8 and min(x.y1, y.y1) - max(x.y0, y.y0) > 0.8]  # fmt: skip
    assert covered == []


def test_the_title_stands_in_the_legend_by_itself_and_in_the_figure_where_asked(demo, canvas):
    drawn = one(restyled(demo), "km_pfs_by_diagnosis", columns=1)
    assert drawn.title == "Progression-free survival by diagnosis"
    assert drawn.title not in [t.get_text() for t in canvas[-1].texts]
    assert canvas[-1].axes[0].get_ylabel() == "Progression-free survival"
    one(restyled(demo, title=True), "km_pfs_by_diagnosis", columns=1)
    assert drawn.title in [t.get_text() for t in canvas[-1].texts]
    assert canvas[-1].axes[0].get_ylabel() == ""


def test_marks_lines_limits_height_and_no_table(demo, canvas):
    one(restyled(demo), "km_pfs_by_diagnosis", columns=1)
    plain_axes = canvas[-1].axes[0]
    assert any(line.get_marker() == "|" for line in plain_axes.lines)
    settings = {"censor_marks": False, "median_lines": False, "y_limits": [25, 75], "height": 80, "risk_table": []}
    one(restyled(demo, **settings), "km_pfs_by_diagnosis", columns=1)
    figure = canvas[-1]
    axes = figure.axes[0]
    assert len(figure.axes) == 1
    assert not any(line.get_marker() == "|" for line in axes.lines)
    assert len(axes.lines) == 3 + 1  # the curves, and the line at one half
    assert [t.get_text() for t in axes.get_yticklabels()] == ["25%", "37.5%", "50%", "62.5%", "75%"]
    assert axes.get_position().height * figure.get_size_inches()[1] * 25.4 == pytest.approx(80)


@pytest.mark.parametrize("palette", [*PALETTES, ["#010203", "#aabbcc"]])
def test_palettes_colour_groups_and_nothing_that_has_a_meaning(demo, canvas, palette):
    one(restyled(demo, palette=palette), "km_pfs_by_diagnosis", columns=1)
    expected = PALETTES[palette] if isinstance(palette, str) else palette
    curves = [line for line in canvas[-1].axes[0].lines if line.get_label() in ("ALL", "CLL", "NHL")]
    assert [to_hex(c.get_color()).upper() for c in curves] == [expected[i % len(expected)].upper() for i in range(3)]
    assert COLOURS[0] == PALETTES["Okabe-Ito"][0]  # outside, the house's own again


def test_neighbouring_colours_of_palettes_differ_in_lightness_or_hue():
    def luminance(colour):
        r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for name, colours in PALETTES.items():
        assert len(set(colours)) == len(colours)
        if name in ("viridis", "cividis", "grey"):
            assert all(abs(luminance(a) - luminance(b)) > 0.12 for a, b in pairwise(colours))


def test_every_format_is_a_file_that_opens(tmp_path, sharp_pixels):
    shown = findings(tmp_path, formats=["svg", "pdf", "tiff", "eps"], risk_table=["at risk", "events"])
    out = save(shown, tmp_path / "out")
    folder = out / "figures"
    for name in ("km_os", "flow") if (folder / "flow.svg").exists() else ("km_os",):
        endings = sorted(p.suffix for p in folder.glob(f"{name}.*"))
        assert endings == [".csv", ".eps", ".pdf", ".svg", ".tiff"]
    with Image.open(folder / "km_os.tiff") as image:
        assert (image.mode, tuple(round(x) for x in image.info["dpi"])) == ("RGB", (300, 300))
        assert image.width == pytest.approx(89 / 25.4 * 300, abs=2)
        assert image.getpixel((0, 0)) == (255, 255, 255)
    eps = (folder / "km_os.eps").read_bytes()
    assert eps.startswith(b"%!PS-Adobe-3.0 EPSF-3.0")
    box = [float(x) for x in re.search(rb"%%HiResBoundingBox: ([\d. ]+)", eps)[1].split()]
    assert box[2] - box[0] == pytest.approx(89 / 25.4 * 72, abs=1)
    assert (folder / "km_os.pdf").read_bytes().startswith(b"%PDF")
    assert "Overall survival" in docx_text(out / "report.docx") + docx_text(out / "supplement.docx")


def test_postscript_is_opaque_and_the_same_each_time():
    def drawing():
        figure = Figure(figsize=(2, 1))
        axes = figure.add_axes((0.2, 0.2, 0.7, 0.7))
        axes.plot([0, 1], [0, 1], color="#0072B2", alpha=0.5)
        axes.fill_between([0, 1], [0, 0], [1, 1], color="#000000", alpha=0.25)
        return figure

    figure = drawing()
    assert as_eps(figure, "A – B") == as_eps(drawing(), "A – B")
    line, band = figure.axes[0].lines[0], figure.axes[0].collections[0]
    assert to_hex(line.get_color()) == "#80b8d8"  # half of the colour, half of white
    assert to_hex(band.get_facecolor()[0]) == "#bfbfbf"
    assert all(artist.get_alpha() is None for artist in figure.findobj())


def test_shared_findings_hold_no_cumulative_numbers(demo):
    shared, _ = suppressed(demo, 5)
    assert not [e for e in shared.estimates if e.statistic.startswith("cumulative_") and e.analysis == "survival"]
    drawn = one(shared, "km_os", columns=1)
    assert drawn.data.height


def test_pngs_are_made_for_word_and_not_written_where_they_are_not_asked_for(tmp_path):
    out = save(findings(tmp_path, formats=["svg"]), tmp_path / "out")
    assert not list((out / "figures").glob("*.png"))
    assert io.BytesIO((out / "report.docx").read_bytes()).getbuffer().nbytes > 20_000


def test_all_that_is_wrong_is_refused_together():
    def rules(**settings):
        with pytest.raises(PlanRefused) as caught:
            Plan.of({"report": {"figure_style": settings}})
        return [f"{p.column or ''}: {p.rule}" for p in caught.value.problems]

    assert rules(palette="viridiss", height=5, formats=["svg", "jpg"], colour="red") == [
        "report.figure_style.palette: 'viridiss' is no palette: did you mean viridis?",
        "report.figure_style.height: Input should be greater than or equal to 20",
        "report.figure_style.formats.1: Input should be 'svg', 'png', 'pdf', 'tiff' or 'eps'",
        "report.figure_style.colour: is not a setting of a plan",
    ]
    with pytest.raises(PlanRefused, match=r"how they look is set in \[report.figure_style\]"):
        Plan.of({"report": {"figures": {"x_max": 12}}})
    assert rules(palette=["red"]) == [
        "report.figure_style.palette: red: a colour is # and six hexadecimal digits, such as #0072B2"
    ]
    assert rules(y_limits=[80, 20], x_max=10, x_breaks=[0, 6, 3, 12], risk_table=["events", "events"]) == [
        "report.figure_style: y_limits begin above their end; risk_table names a row twice; x_breaks are not in order; "
        "x_breaks go beyond x_max"
    ]
    assert rules(only={"km_pfs_by_sexx": {"x_max": 5}}) == [
        ": report.figure_style.only.km_pfs_by_sexx: no figure of curves has this name, did you mean km_pfs_by_sex?"
    ]
    assert Plan.of({"report": {"figure_style": {"only": {"incidence": {"x_max": 5}}}}}).report.figure_style.look_of(
        "incidence"
    ) == FigureLook(x_max=5)


def test_a_context_of_a_look_ends(demo):
    with drawn_as(FigureLook(palette="grey")):
        assert COLOURS[0] == "#000000"
    assert COLOURS[0] == "#0072B2"
