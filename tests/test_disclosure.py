"""Small numbers: hidden, and not to be worked out by somebody who knows all that is shown."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from helpers import plain, read
from reinfuse import Plan, Study, read_cohort
from reinfuse.analysis.estimate import SUPPRESSED
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure import suppressed

BEST = ("CR", "CRi", "nPR", "PR", "SD", "PD", "NE", "none")
POPULATIONS = ("all", "diagnosis=ALL", "diagnosis=CLL", "diagnosis=NHL")


@pytest.fixture(scope="module")
def plain_demo():
    return Study(read_cohort(datasets()[DEMO].path), plain(Plan.built_in())).run()


def shown(findings, analysis, statistic="proportion"):
    return {(e.endpoint, e.population, e.group, e.term): e for e in findings.estimates
            if e.analysis == analysis and e.statistic == statistic}  # fmt: skip


def test_by_hand_at_eleven(plain_demo):
    """44 patients, 17 responders: ALL 3 of 14, CLL 3 of 9, NHL 11 of 21; 9 complete; grade 3 CRS 4."""
    kept, removed = suppressed(plain_demo, 11)
    response = shown(kept, "response")
    every = response["response", "all", None, None]
    assert (every.events, every.n) == (17, 44)  # 17 and 27 are enough
    cr = response["cr", "all", None, None]
    assert (cr.events, cr.estimate, cr.lower, cr.p_value) == (None, None, None, None)
    assert cr.note == "suppressed: fewer than 11"
    cll = response["response", "diagnosis=CLL", None, None]
    assert (cll.n, cll.events) == (None, None)  # 9 patients
    # ALL (14) is the next smallest group: 44 - 21 - 14 would tell the 9
    assert response["response", "diagnosis=ALL", None, None].n is None
    assert response["response", "diagnosis=NHL", None, None].events is None  # 10 of 21 did not respond
    assert not any(
        e.group == "dose_increase=yes" and e.estimate is not None for e in kept.estimates
    )  # 8 had no higher dose
    assert sum(r.count for r in removed) > 100


def test_at_five_more_is_shown(plain_demo):
    kept, _ = suppressed(plain_demo, 5)
    response = shown(kept, "response")
    assert response["response", "diagnosis=NHL", None, None].events == 11
    assert response["response", "diagnosis=ALL", None, None].note == "suppressed: fewer than 5"
    assert response["response", "diagnosis=CLL", None, None].note == "suppressed: fewer than 5"
    toxicity = shown(kept, "toxicity")
    assert toxicity[None, "all", None, "CRS>=3"].note == "suppressed: fewer than 5"


def test_nothing_small_is_left_in_any_record(plain_demo):
    for smallest in (5, 11, 20):
        for e in suppressed(plain_demo, smallest)[0].estimates:
            for number in (e.n, e.events, e.estimate if e.unit == "patients" else None):
                assert number is None or number == 0 or number >= smallest, e
            if e.statistic == "proportion" and e.events is not None:
                assert e.n - e.events == 0 or e.n - e.events >= smallest, e
            if e.note and e.note.startswith(SUPPRESSED):
                assert (e.estimate, e.lower, e.upper, e.p_value, e.events) == (None,) * 5


def test_no_patient_is_left(demo_findings):
    kept, removed = suppressed(demo_findings, 11)
    text = repr([e.as_dict() for e in kept.estimates])
    assert "SYN-" in repr([e.as_dict() for e in demo_findings.estimates])  # the test can fail
    assert "SYN-" not in text
    assert (kept.flow.height, kept.patients.height, kept.cohort, kept.data, kept.warnings) == (0, 0, None, None, ())
    assert {"influence", "power", "row of a patient"} <= {r.what for r in removed}


def test_curves_are_coarse_where_they_are_kept(plain_demo):
    kept, _ = suppressed(plain_demo, 5)
    assert ("pfs", "all", None) in kept.curves
    assert ("pfs", "diagnosis=CLL", None) in plain_demo.curves
    for curve in kept.curves.values():
        assert (curve.events >= 5).all()
        months = curve.time / 30.4375
        assert np.allclose(months, np.round(months))
        left = curve.n - curve.events.cumsum()
        assert (left >= 5).all()


def test_zero_off_and_one_patient():
    one = plain_one()
    kept, _ = suppressed(one, 5)
    assert all(e.estimate is None for e in kept.estimates if e.analysis != "flow" or e.unit == "patients")


def plain_one():
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        cohort = read(Path(folder), patients="patient_id,last_contact,death,diagnosis\nA,100,,CLL",
                      infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,1e6,Cy\nA,2,50,2e6,Cy/Flu")  # fmt: skip
        return Study(cohort, plain(Plan.built_in())).run()


# An attacker who knows the rules and every shown number


def tables(rng):
    """Return counts by diagnosis and best response of a random small cohort."""
    return rng.multinomial(rng.integers(8, 60), rng.dirichlet(np.full(3 * len(BEST), 0.5))).reshape(3, len(BEST))


def findings_of(counts, base):
    """Return findings whose records of response tell these counts, and nothing else."""
    from reinfuse.analysis.estimate import Estimate

    totals = np.vstack([counts.sum(axis=0), counts])
    estimates = [
        Estimate(
            "flow", None, "count", term="analysed", estimate=float(counts.sum()), unit="patients", n=int(counts.sum())
        )
    ]
    for population, row in zip(POPULATIONS, totals, strict=True):
        n = int(row.sum())
        if population != "all" and not n:
            continue
        for endpoint, events in (("response", row[:4].sum()), ("cr", row[:2].sum())):
            estimates.append(Estimate("response", endpoint, "proportion", population, estimate=float(events) / max(n, 1), unit="fraction",
                                      n=n, events=int(events)))  # fmt: skip
        estimates += [Estimate("response", "response", "count", population, term=f"best={b}", estimate=float(c), unit="patients", n=n,
                               events=int(c)) for b, c in zip(BEST, row, strict=True) if totals[0][BEST.index(b)]]  # fmt: skip
    described = replace(base.described, patients=int(counts.sum()))
    return replace(base, estimates=tuple(estimates), curves={}, described=described)


def worked_out(kept, counts, smallest):
    """Return the small numbers that are determined by what is shown: a feasible set of one value."""
    names = list(product(range(3), range(len(BEST))))
    rows, values = [np.zeros(len(names))], [0.0]
    shown_of = {"all": (0, 1, 2), **{p: (i,) for i, p in enumerate(POPULATIONS[1:])}}

    def vector(populations, categories):
        return np.array([float(p in populations and b in categories) for p, b in names])

    for e in kept.estimates:
        if e.analysis == "flow" and e.estimate is not None:
            rows.append(np.ones(len(names)))
            values.append(e.estimate)
        if e.analysis != "response":
            continue
        populations = shown_of[e.population]
        if e.n is not None:
            rows.append(vector(populations, range(len(BEST))))
            values.append(e.n)
        categories = (
            (BEST.index(e.term.partition("=")[2]),) if e.term else range(4) if e.endpoint == "response" else range(2)
        )
        if e.events is not None or (e.estimate is not None and e.unit == "patients"):
            rows.append(vector(populations, categories))
            values.append(e.events if e.events is not None else e.estimate)
    told = LinearConstraint(np.array(rows), values, values)
    found = []
    for populations in shown_of.values():
        for categories in (*((b,) for b in range(len(BEST))), range(2), range(4), range(2, 4), range(4, 8), range(8)):
            target = vector(populations, categories)
            truth = float(target @ counts.ravel())
            if not 0 < truth < smallest:
                continue
            ends = [milp(sign * target, constraints=told, integrality=np.ones(len(names)), bounds=Bounds(0, 200))
                    for sign in (1, -1)]  # fmt: skip
            if round(ends[0].fun) == round(-ends[1].fun):
                found.append((list(populations), list(categories), truth))
    return found


def test_the_attacker_works_out_what_is_not_protected(plain_demo):
    """Without suppression everything is determined: the attack itself can succeed."""
    counts = np.array([[3, 0, 0, 0, 1, 9, 1, 0], [2, 0, 0, 1, 1, 5, 0, 0], [4, 0, 0, 7, 2, 8, 0, 0]])
    assert len(worked_out(findings_of(counts, plain_demo), counts, 11)) > 10


@pytest.mark.parametrize("smallest", [5, 11])
def test_the_attacker_learns_no_small_number(plain_demo, smallest):
    rng = np.random.default_rng(4)
    for _ in range(80):
        counts = tables(rng)
        kept, _ = suppressed(findings_of(counts, plain_demo), smallest)
        assert worked_out(kept, counts, smallest) == [], counts
