"""Drawings within a page: few bytes, and the same to see."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from reinfuse.report.document.typst import png
from reinfuse.report.figures.compact_svg import compact, data_uri

PAGE_BYTES = 1_500_000
"""Of a page with all figures of the demo: a mail takes it, a phone opens it."""


def shape(path: str, more: str = "") -> bytes:
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60" viewBox="0 0 60 60"><path d="{path}" '
            f'style="fill: #ff0000" {more}/></svg>').encode()  # fmt: skip


def pixels(svg: bytes, dpi: int = 192) -> np.ndarray:
    return imread(io.BytesIO(png(svg, dpi)), format="png")[..., :3].astype(float)


def alike(one: bytes, other: bytes) -> bool:
    """Tell whether two drawings differ by less than anybody sees: the ends of some hairlines fall on the next pixel."""
    apart = np.abs(pixels(one) - pixels(other)).max(axis=-1)
    return apart.mean() < 0.002 and (apart > 0.4).sum() < 15


def test_a_path_goes_from_point_to_point_without_an_error_that_adds_up():
    assert 'd="m0 10h5.5v-9.12l-5.51-.4z"' in compact(shape("M 0 10 \nL 5.501 10 \nL 5.501 0.884 \nL -0.009 0.484 \nz"))
    steps = " ".join(f"L {i * 0.333333:.6f} {i % 2}" for i in range(1, 100))
    path = ElementTree.fromstring(compact(shape(f"M 0 0 {steps}")))[0].get("d")
    across = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", path)[::2]]
    assert (len(across), sum(across)) == (100, pytest.approx(33.0, abs=0.005))


def test_a_path_of_other_commands_is_kept():
    assert 'd="M 0 0 A 3 3 0 0 1 9 9"' in compact(shape("M 0 0 A 3 3 0 0 1 9 9"))
    letter = shape("M 0 0 H 900 V 900 z", 'transform="scale(0.015625)"')
    assert 'd="M 0 0 H 900 V 900 z"' in compact(letter)
    assert "scale(0.015625)" in compact(letter)


@pytest.mark.parametrize(
    "name", ["km_pfs_by_diagnosis", "forest_pfs", "swimmer", "response_best", "counts_by_dose_increase"]
)
def test_what_is_seen_is_the_same(demo_report, name):
    svg = (demo_report / "figures" / f"{name}.svg").read_bytes()
    assert alike(svg, compact(svg).encode())


def test_that_comparison_sees_a_label_that_is_elsewhere(demo_report):
    svg = (demo_report / "figures" / "km_pfs_by_diagnosis.svg").read_bytes()
    moved = re.sub(r"translate\(([\d.]+) ", lambda m: f"translate({float(m[1]) + 1} ", compact(svg), count=1)
    assert alike(svg, compact(svg).encode())
    assert not alike(svg, moved.encode())


def test_a_hatch_of_dots_is_one_dot_and_places(demo_report):
    svg = (demo_report / "figures" / "response_best.svg").read_bytes()
    assert len(compact(svg)) < 0.25 * len(svg)


def test_an_address_stands_between_double_quotes_and_reads_back():
    svg = shape("M 0 0 L 1 1", """class="a &amp; 'b' &lt;c&gt; 100%\"""")
    address = data_uri(compact(svg))
    assert address.startswith("data:image/svg+xml,")
    assert not {'"', "#", "&", "\n"} & set(address)
    read_back = ElementTree.fromstring(unquote(address.partition(",")[2]))
    assert read_back[0].get("class") == "a & 'b' <c> 100%"
    assert read_back[0].get("style") == "fill:#f00"


def test_every_page_of_the_demo_is_light(demo_report):
    sizes = {page.name: page.stat().st_size for page in demo_report.glob("*.html")}
    assert "report.html" in sizes
    assert max(sizes.values()) < PAGE_BYTES, sizes
