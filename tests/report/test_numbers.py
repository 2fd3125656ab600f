"""Numbers as journals print them."""

import pytest

from reinfuse.report.brief.translation import Words
from reinfuse.report.tables.kinetics import signed
from reinfuse.report.tables.robustness import percent
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0004, "<0.001"), (0.001, "0.001"), (0.0123, "0.012"), (0.0994, "0.099"), (0.0996, "0.10"), (0.25, "0.25"),
     (0.995, ">0.99"), (None, "–")],
)  # fmt: skip
def test_p_values_have_two_significant_digits(p, shown):
    assert number_format.p_value(p) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.004, "<0.01"), (0.146, "0.15"), (5.674, "5.67"), (34.04, "34.0"), (512.3, "512"),
                         (20000, ">9999"), (None, "not estimable")]
)  # fmt: skip
def test_ratios(value, shown):
    assert number_format.ratio(value) == shown


def test_percentages_are_always_x_of_n():
    assert (
        number_format.of(Estimate("response", "cr", "proportion", estimate=17 / 44, n=44, events=17))
        == "17 of 44 (39%)"
    )
    large = Estimate("response", "cr", "proportion", estimate=1 / 3, n=1200, events=400)
    assert number_format.of(large) == "400 of 1,200 (33.3%)"


@pytest.mark.parametrize(
    ("share", "decimals", "shown"),
    [(1 / 8, 0, "13"), (5 / 8, 0, "63"), (9 / 40, 0, "23"), (0.285, 0, "29"), (1 / 400, 1, "0.3"), (1 / 3, 1, "33.3"),
     (-1 / 8, 0, "-13"), (0.0, 0, "0"), (1.0, 1, "100.0")],
)  # fmt: skip
def test_percentages_round_half_away_from_zero(share, decimals, shown):
    assert number_format.hundredths(share, decimals=decimals) == shown


def test_one_of_eight_is_thirteen_percent_wherever_it_stands():
    eighth = Estimate("response", "cr", "proportion", estimate=1 / 8, lower=1 / 8, upper=5 / 8, unit="fraction", n=8,
                      events=1)  # fmt: skip
    assert number_format.of(eighth) == "1 of 8 (13%)"
    assert number_format.share(eighth) == "13% (13% to 63%)"
    assert percent(eighth) == "13%"
    assert signed(1 / 8) == "+13%"
    assert signed(-1 / 8) == "−13%"
    assert Words("en").of_100(1 / 8) == "13"


def test_not_reached_is_written_out():
    record = Estimate("survival", "os", "median", estimate=None, lower=None, upper=None, unit="days", n=9, events=1)
    assert number_format.time(record) == "not reached"
    half = Estimate(
        "survival", "os", "median", estimate=304.375, lower=152.1875, upper=None, unit="days", n=9, events=6
    )
    assert number_format.time(half) == "10.0 (5.0 to not reached)"


def test_doses():
    assert number_format.dose(2e6) == "2 × 10⁶"
    assert number_format.dose(1.25e5) == "1.2 × 10⁵"


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_no_record_holds_inf_or_nan(bad):
    with pytest.raises(ValueError, match="finite"):
        Estimate("response", "cr", "proportion", estimate=bad)
