"""Small random cohorts run whole, as in benchmarks/random_cohorts.py: no failure, and limits where they must be."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[1] / "benchmarks" / "random_cohorts.py"
WHOLE = (36, 14, 946, 9000, 9001)
"""Three whose analyses once failed, the first of which has its report made; the others are new."""
LIMITS = (411, 611, 1211, 1295, 443)
"""Four that once had a wrong limit, and one that misled the own maximiser: the analyses alone that fit such models."""
FITTED = ("associations", "cause-specific and subdistribution hazards")
COHORTS = WHOLE + LIMITS


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("random_cohorts", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lines(study):
    whole = [study.one(number, documents=number == WHOLE[0]) for number in WHOLE]
    return whole + [study.one(number, documents=False, only=FITTED) for number in LIMITS]


def test_each_cohort_has_its_report_and_no_analysis_fails(lines):
    """Failures are errors here (`REINFUSE_STRICT`): one shows as `crashed`."""
    assert [(line["cohort"], line["failed"]) for line in lines if line["outcome"] == "crashed"] == []
    done = [line for line in lines if line["outcome"] in ("report", "findings")]
    assert len(done) >= len(COHORTS) - 2
    assert [line["failed"] for line in done if line["failed"]] == []


def test_every_limit_is_on_its_side_with_the_right_fall(lines):
    assert sum(line["limits"] for line in lines) > 20 * len(COHORTS)
    assert sum(line["wrong_side"] for line in lines) == 0
    assert sum(line["checked"] for line in lines) > 8 * len(COHORTS)
    assert sum(line["wrong_fall"] for line in lines) == 0


def test_the_own_maximiser_sees_a_wrong_limit(study):
    """The six patients of the issue, with the limit that once stood there."""
    import numpy as np

    from reinfuse.statistics import firth

    X, y = np.array([0.38, 2.4, 10.84, 2.1, 0.99, 1.11])[:, None], np.array([1.0, 0, 0, 0, 0, 1])
    good = firth.fit("logistic", X, y, None, 0.95)
    wrong = firth.FirthFit(good.coef, good.upper, good.upper, good.p_value, good.infinite, True)
    limits = study.Limits(np.random.default_rng(1))
    limits.fits = [("logistic", X, y, None, good)]
    assert (limits.counts()["wrong_side"], limits.counts()["wrong_fall"]) == (0, 0)
    limits.fits = [("logistic", X, y, None, wrong)]
    assert limits.counts()["wrong_side"] == 1
    limits.fits = [
        ("logistic", X, y, None, firth.FirthFit(good.coef, good.lower / 2, good.upper, *[good.p_value] * 2, True))
    ]
    assert limits.counts()["wrong_fall"] == 1
