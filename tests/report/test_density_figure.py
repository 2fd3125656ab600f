"""Prior beside posterior: what is drawn is what the records say, in both widths, and no text covers another."""

from collections import Counter

import numpy as np
import pytest
from test_figures import boxes

from reinfuse.report.figures import densities, theme
from reinfuse.report.figures.densities import EffectDensity

AT = np.linspace(-2, 2, 49)
LABELS = (
    "Age, per 10 years",
    "A factor whose label is longer than one line of a panel can hold, in words",
    "Bulky: yes",
)


def normal(middle, sd):
    return [(float(np.exp(b)), float(np.exp(-(((b - middle) / sd) ** 2) / 2))) for b in AT]


def effects(many):
    chances = "above 1: 98%; above 1.50: 91%; below 0.67: <1%"
    return [EffectDensity(LABELS[i], chances, normal(0.8, 0.4), normal(0, 1)) for i in range(many)]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("many", [1, 3])
def test_it_fits_its_width_and_no_text_is_cut_or_covered(monkeypatch, columns, many):
    caught = []

    def finish(figure, *args, **more):
        caught.append(figure)
        return theme.finish(figure, *args, **more)

    monkeypatch.setattr(densities, "finish", finish)
    drawn = densities.densities("bayesian_pfs", "Prior and posterior of effects on survival", "Hazard ratio",
                                effects=effects(many), margin=1.5, synthetic=True, columns=columns)  # fmt: skip
    [figure] = caught
    found = boxes(figure)
    whole = figure.bbox
    assert not [t for t, b in found if b.x0 < 0 or b.y0 < 0 or b.x1 > whole.x1 + 0.5 or b.y1 > whole.y1 + 0.5]
    assert not [(a, b) for i, (a, x) in enumerate(found) for b, y in found[i + 1 :]
                if min(x.x1, y.x1) - max(x.x0, y.x0) > 0.8 and min(x.y1, y.y1) - max(x.y0, y.y0) > 0.8]  # fmt: skip
    assert Counter(drawn.data["of"]) == {"prior": 49 * many, "posterior": 49 * many}
    assert drawn.alt.count("above 1.50: 91%") == many
    margins = [line.get_xdata()[0] for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1]
    assert sorted(margins) == pytest.approx([1 / 1.5, 1, 1.5])


def test_a_posterior_wholly_within_the_margins_shades_nothing(monkeypatch):
    caught = []
    monkeypatch.setattr(densities, "finish", lambda figure, *_, **__: caught.append(figure))
    narrow = [(float(np.exp(b / 100)), 1.0) for b in AT]
    one = EffectDensity("Age", "above 1: 50%", narrow, normal(0, 1))
    densities.densities("bayesian_pfs", "Age", "Hazard ratio", effects=[one], margin=1.5, synthetic=False)
    heights = [path.vertices[:, 1].max() for shade in caught[0].axes[0].collections for path in shade.get_paths()]
    assert heights == pytest.approx([0, 0])
