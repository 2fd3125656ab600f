"""Tables mode: the estimates of the patients in one table, from one exchange of integers."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import polars as pl
import pytest

from pooling.splits_of_44 import random_site, synthetic_44
from pooling.splitting import in_one_table, pooled, split, study_of
from reinfuse.statistics.event_tables import EventTable
from reinfuse.statistics.likelihood_sums import cox_sums

YES_NO = ("no", "yes")


def assert_as_in_one_table(study, results, values, ends, site):
    """Compare every model that was fitted; return how many there were."""
    fitted = [one for one in results.models if one.fit is not None]
    for one in fitted:
        inside = np.isin(site, [study.centres.index(c) for c in one.centres])
        parts = {e: (x[inside], None if t is None else t[inside]) for e, (x, t) in ends.items()}
        whole = in_one_table(study, one.model, {f: v[inside] for f, v in values.items()}, parts, site[inside])
        assert one.fit.fit.coef == pytest.approx(whole.coef, abs=1e-8, nan_ok=True)
        for name in ("lower", "upper", "p_value"):
            assert getattr(one.fit.fit, name) == pytest.approx(getattr(whole, name), abs=1e-6, nan_ok=True)
    return len(fitted)


@pytest.mark.parametrize(("seed", "centres"), [(1, 3), (3, 6)])
def test_the_44_split_into_centres_give_the_estimates_of_one_table(seed, centres):
    values, ends = synthetic_44()
    values, ends = {"bulky": values["bulky"], "dose_increase": values["dose_increase"]}, {
        "response": ends["response"], "os": ends["os"]}  # fmt: skip
    site = random_site(np.random.default_rng(seed), 44, centres)
    models = [(e, tuple(values)) for e in ends]
    study = study_of(tuple("ABCDEF"[:centres]), dict.fromkeys(values, YES_NO), dict(response="binary", os="time"),
                     models=models)  # fmt: skip
    results, records = pooled(study, split(study, values, ends, site))
    assert assert_as_in_one_table(study, results, values, ends, site) >= 3
    counts = {(e.term, e.level): e.estimate for e in records if e.analysis == "baseline" and e.statistic == "count"}
    assert counts["bulky", "yes"] == (values["bulky"] == 1).sum()


def test_separated_and_empty_cells_give_the_estimates_of_one_table():
    """Who has the factor has the event, in every centre that has the factor; in the third nobody has it."""
    site = np.repeat([0, 1, 2], [8, 9, 10])
    factor = np.concatenate([[1, 1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0], np.zeros(10, dtype=int)])
    event = np.concatenate([[1, 1, 1, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0, 0, 0, 0], [1, 1, 1, *[0] * 7]]).astype(float)
    time = np.arange(27) % 10 + 1.0
    ends = {"x": (event, None), "y": (event, time)}
    study = study_of(("A", "B", "C"), {"f": YES_NO}, {"x": "binary", "y": "time"})
    results, records = pooled(study, split(study, {"f": factor}, ends, site))
    assert assert_as_in_one_table(study, results, {"f": factor}, ends, site) == 2
    note = next(e.note for e in records if e.endpoint == "x" and (e.method or "").startswith("Firth"))
    assert "separation" in note or "infinite" in note
    exact = next(e for e in records if e.endpoint == "x" and (e.method or "").startswith("exact"))
    assert exact.upper is None
    assert exact.p_value is not None


def test_patients_who_have_the_table_have_the_likelihood():
    """Ties, censorings before the first event and after the last, at its time and between two."""
    time = np.array([1.0, 2, 2, 2, 3, 4, 4, 5, 6, 6])
    event = np.array([0.0, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    pattern = np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    table = EventTable.of(time, event, pattern=pattern, patterns=2)
    assert table.events.tolist() == [[1, 1], [0, 1]]
    assert table.at_risk.tolist() == [[4, 5], [2, 3]]
    assert table.sizes.tolist() == [5, 5]
    places, happened, groups = table.patients()
    assert EventTable.of(places, happened, pattern=groups, patterns=2).events.tolist() == table.events.tolist()
    points = np.array([[0.0], [0.7]])
    one, two = (cox_sums(g[:, None] * 1.0, t, e, points=points) for t, e, g in ((time, event, pattern),
                                                                         (places, happened, groups)))  # fmt: skip
    assert one.value == pytest.approx(two.value)
    assert one.cumulants[1] == pytest.approx(two.cumulants[1])
    with pytest.raises(ValueError, match="do not agree"):
        EventTable(table.events, table.at_risk[::-1], table.sizes)


R_DATA = """
library(survival); d <- commandArgs(TRUE)[1]
l <- lung[!is.na(lung$inst), ]; n <- table(l$inst); l <- l[l$inst %in% names(n)[n >= 18], ]
w <- function(x, name) write.csv(x, file.path(d, name), row.names = FALSE)
w(data.frame(time = l$time, event = l$status - 1, f = l$sex - 1, site = as.integer(factor(l$inst)) - 1), "lung.csv")
r <- retinopathy[1:120, ]
w(data.frame(time = r$futime, event = r$status, f = r$trt, site = (seq_len(120) - 1) %% 5), "retinopathy.csv")
k <- colon[colon$etype == 2, ][1:120, ]
w(data.frame(time = k$time, event = k$status, f = k$node4, site = (seq_len(120) - 1) %% 6), "colon.csv")
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Return the folder of data sets that R's survival package holds; they are not distributed with this project."""
    folder = tmp_path_factory.mktemp("r")
    if shutil.which("Rscript") is None:
        pytest.skip("no R here, whose survival package holds the data")
    done = subprocess.run(["Rscript", "-e", R_DATA, folder], capture_output=True, check=False, timeout=60)
    if done.returncode:
        pytest.skip("R without its survival package")
    return folder


@pytest.mark.parametrize("name", ["lung", "retinopathy", "colon"])
def test_real_data_sets_by_centre_give_the_estimates_of_one_table(real, name):
    frame = pl.read_csv(real / f"{name}.csv")
    time, event, factor, site = (frame[c].to_numpy() for c in ("time", "event", "f", "site"))
    ends = {"y": (event.astype(float), time.astype(float))}
    study = study_of(tuple("ABCDEFGHIJ"[: site.max() + 1]), {"f": YES_NO}, {"y": "time"})
    results, _ = pooled(study, split(study, {"f": factor}, ends, site))
    assert assert_as_in_one_table(study, results, {"f": factor}, ends, site) == 1
