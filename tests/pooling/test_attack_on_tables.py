"""An attacker of tables mode, who knows all that centres send and the rules, and solves for the numbers of patients.

Unknown are the patients of each combination of the factors, a missing value among their levels, and of the outcomes. A
number of them is learnt where the integers that agree with everything told leave it one value. Below the threshold
none may be; the same attack on tables of which nothing is hidden succeeds.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from pooling.splitting import answer_of, centre_of, study_of

DOCS = (Path(__file__).parents[2] / "docs" / "pooling.md").read_text(encoding="utf-8")
LEVELS = {"f": ("no", "yes"), "g": ("I", "II", "III")}
ENDS = {"x": "binary", "y": "time"}
OUTCOMES = (1, 0, None)
CELLS = [*product((-1, 0, 1), (-1, 0, 1, 2), OUTCOMES, OUTCOMES)]
"""Places of f and g, outcomes of x and y; -1 and None: missing."""


def random_centre(rng, study):
    n = int(rng.integers(12, 70))
    missing = rng.random(2) * 0.1 * (rng.random(2) < 0.4)
    f = np.where(rng.random(n) < missing[0], -1, rng.integers(0, 2, n))
    g = np.where(rng.random(n) < missing[1], -1, rng.choice(3, n, p=[0.5, 0.35, 0.15]))
    x = (rng.random(n) < rng.uniform(0.2, 0.8)).astype(float)
    x[rng.random(n) < 0.05 * (rng.random() < 0.4)] = np.nan
    y = (rng.random(n) < rng.uniform(0.3, 0.8)).astype(float)
    centre = centre_of(study, {"f": f, "g": g}, {"x": (x, None), "y": (y, rng.integers(1, 2000, n).astype(float))})
    rows = [(a, b, *(None if np.isnan(v) else int(v) for v in (c, d))) for a, b, c, d in zip(f, g, x, y, strict=True)]
    return centre, rows


AXIS = {"f": 0, "g": 1, "x": 2, "y": 3}


def told_numbers(answer, k, left_out):
    """Yield each number that was told: which cells it counts, and its least and greatest value.

    Of patients who were left out for want of a factor it is known how many they are, or that they are 1 to k - 1.
    """
    patients, analysed = (answer.tables["flow"][name] for name in ("patients", "analysed"))
    yield (lambda c: True), *((analysed + 1, analysed + k - 1) if patients is None else (patients, patients))
    for inside, n in constraints(answer):
        yield (lambda c, i=inside: i(c) and all(c[AXIS[f]] >= 0 for f in left_out)), n, n


def constraints(answer):
    """Yield each number that was told: which cells of the patients of the study it counts, and how many."""
    tables, places = answer.tables, {n: {level: i for i, level in enumerate(own)} for n, own in LEVELS.items()}
    axis = AXIS
    yield (lambda c: True), tables["flow"]["analysed"]
    for name, factor in tables["factors"].items():
        for level, count in [*factor["levels"].items(), (None, factor["missing"])]:
            place = -1 if level is None else places[name][level]
            if count is not None:
                yield (lambda c, a=axis[name], p=place: c[a] == p), count
    for name, end in tables["endpoints"].items():
        yield (lambda c, a=axis[name]: c[a] is not None), end["n"]
        yield (lambda c, a=axis[name]: c[a] == 1), end["events"]
    counted = [(key, r["levels"], r["patients"], r["events"]) for key, rows in tables["patterns"].items() for r in rows]
    for key, order in tables["orders"].items():
        events = np.sum([row["events"] for row in order["events"]], axis=0)
        counted += [(key, p["levels"], p["patients"], int(x)) for p, x in zip(order["patterns"], events, strict=True)]
    for key, levels, patients, events in counted:
        end, _, factors = key.partition(": ")
        own = [(axis[n], places[n][level]) for n, level in zip(factors.split(" + "), levels, strict=True)]
        yield (lambda c, o=own, a=axis[end]: all(c[i] == p for i, p in o) and c[a] is not None), patients
        yield (lambda c, o=own, a=axis[end]: all(c[i] == p for i, p in o) and c[a] == 1), events


def learnt(answer, rows, k, left_out=()):
    """Return the numbers from 1 to k - 1, of factors with an outcome, that have one possible value."""
    told = list(told_numbers(answer, k, left_out))
    A = np.array([[float(inside(c)) for c in CELLS] for inside, _, _ in told])
    fixed = LinearConstraint(A, [low for _, low, _ in told], [high for _, _, high in told])
    small = []
    for f, g, end, outcome in product((None, 0, 1), (None, 0, 1, 2), (2, 3), (1, 0)):
        wanted = [(i, v) for i, v in ((0, f), (1, g), (end, outcome)) if v is not None]
        true = sum(all(row[i] == v for i, v in wanted) for row in rows)
        if len(wanted) < 2 or not 0 < true < k:
            continue
        target = np.array([float(all(c[i] == v for i, v in wanted)) for c in CELLS])
        ends = [milp(s * target, constraints=fixed, integrality=np.ones(len(CELLS)), bounds=Bounds(0, np.inf))
                for s in (1, -1)]  # fmt: skip
        least, most = (round(s * e.fun) for s, e in zip((1, -1), ends, strict=True))
        assert least <= true <= most
        if least == most:
            small.append((wanted, true))
    return small


def attacked(k, centres, seed, *, event_order=False, left_out=()):
    """Return in how many random centres a small number is learnt, and how many tables of factors they told."""
    study = study_of(("A", "B", "C"), LEVELS, ENDS, models=[("x", ("f", "g")), ("y", ("f", "g"))], small_cells=k,
                     event_order=event_order, leave_out_missing=left_out)  # fmt: skip
    rng, hits, tables = np.random.default_rng(seed), 0, 0
    for _ in range(centres):
        centre, rows = random_centre(rng, study)
        answer = answer_of(study, "A", centre)
        hits += bool(learnt(answer, rows, k or 5, left_out))
        tables += len(answer.tables["patterns"]) + len(answer.tables["orders"])
    return hits, tables


@pytest.mark.parametrize(("k", "event_order", "left_out"), [(3, False, ()), (5, True, ()), (3, False, ("f", "g"))])
def test_below_the_threshold_nothing_is_learnt(k, event_order, left_out):
    hits, tables = attacked(k, 3, 18, event_order=event_order, left_out=left_out)
    assert hits == 0
    assert tables >= 2


def test_where_nothing_is_hidden_the_attack_succeeds():
    hits, _ = attacked(0, 1, 18)
    assert hits == 1


def test_the_docs_say_what_was_tried():
    assert "looks for integers that agree with all of it" in DOCS
