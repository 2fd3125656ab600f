"""A figure as SVG: the bytes that matplotlib's own way to write it gives."""

import io

import matplotlib
from matplotlib.figure import Figure

from reinfuse.report.figures.svg_renderer import as_svg
from reinfuse.report.figures.theme import style


def _drawn(word: str) -> Figure:
    with style():
        figure = Figure(figsize=(3, 2))
        axes = figure.add_axes((0.2, 0.2, 0.7, 0.7))
        axes.plot([0, 1, 2], [0, 1, 4], label=word, marker="o")
        axes.set_ylabel(f"{word}\nand a second line", rotation=90)
        axes.text(1, 1, f"{word} {word} < & AVATo Ä…", size=6.0, style="italic")
        axes.text(1, 2, word, size=9.0, weight="bold", alpha=0.5)
        axes.legend()
    return figure


def test_it_is_what_matplotlib_writes():
    with style():
        for word in ("events", "deaths", "events"):  # the third time every text is remembered
            own, other = _drawn(word), io.BytesIO()
            with matplotlib.rc_context({"svg.hashsalt": "salt"}):
                svg = as_svg(own, word)
                _drawn(word).savefig(other, format="svg", metadata={"Date": None, "Title": word})
            assert svg == other.getvalue()
            assert svg.count(b"<use") > 40
            assert own.dpi == Figure().dpi
