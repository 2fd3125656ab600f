"""An attacker: tries whether any small number of patients is determined by all that shared findings show.

Unknown are the numbers of patients in each cell of three tables: diagnosis by sex by best response, by grade of CRS,
and by death. Every shown number is an equation, every `fewer than` a pair of limits. A number is worked out if integers
that agree with all of it give it one value only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from reinfuse.analysis.estimate import Estimate
from reinfuse.findings import Findings

DIAGNOSES = ("ALL", "CLL", "NHL")
SEXES = ("F", "M", "")
BEST = ("CR", "CRi", "nPR", "PR", "SD", "PD", "not assessed")
GRADES = ("0", "1", "2", "3", "4", "5", "")
OUTCOMES: dict[str, tuple[str, ...]] = {"best": BEST, "CRS": GRADES, "death": ("1", "0")}
Atom = tuple[str, str, str, str]
Told = tuple[np.ndarray, float | None]
ATOMS: list[Atom] = [(o, d, s, c) for o, of in OUTCOMES.items() for d, s, c in product(DIAGNOSES, SEXES, of)]
PLACE = {atom: i for i, atom in enumerate(ATOMS)}


def vector(outcome: str, categories: tuple[str, ...] | None = None, diagnoses: tuple[str, ...] = DIAGNOSES,
           sexes: tuple[str, ...] = SEXES) -> np.ndarray:  # fmt: skip
    """Return which cells a number of patients adds up."""
    v = np.zeros(len(ATOMS))
    for d, s, c in product(diagnoses, sexes, OUTCOMES[outcome] if categories is None else categories):
        v[PLACE[outcome, d, s, c]] = 1
    return v


def truth(patients: list[Mapping[str, str]]) -> np.ndarray:
    """Return the true cells of patients with `diagnosis`, `sex`, `best`, `CRS` and `death`."""
    v = np.zeros(len(ATOMS))
    for p, outcome in product(patients, OUTCOMES):
        v[PLACE[outcome, p["diagnosis"], p["sex"], p[outcome]]] += 1
    return v


@dataclass
class Attack:
    """What is known: rows, each with the least and the most that it can come to."""

    known: dict[bytes, tuple[np.ndarray, float, float]] = field(default_factory=dict)

    def know(self, row: np.ndarray, least: float, most: float | None = None) -> None:
        """Note a number, or its limits; of two limits of one row the nearer."""
        _, low, high = self.known.get(row.tobytes(), (row, -np.inf, np.inf))
        self.known[row.tobytes()] = row, max(low, least), min(high, least if most is None else most)

    def world(self, wish: np.ndarray, *more: tuple[np.ndarray, float, float]) -> np.ndarray | None:
        """Return integers that agree with all that is known, and with more, and fit a wish; None if there are none."""
        rows, least, most = zip(*self.known.values(), *more, strict=True)
        found = milp(wish, constraints=LinearConstraint(np.array(rows), least, most), bounds=Bounds(0, 1000),
                     integrality=np.ones(len(ATOMS)))  # fmt: skip
        assert found.status in (0, 2), found.message
        return np.round(found.x) if found.status == 0 else None

    def works_out(self, targets: Mapping[str, np.ndarray], cells: np.ndarray) -> list[str]:
        """Return the targets that have their true value in every world that agrees with what is known."""
        left, rng = dict(targets), np.random.default_rng(0)
        for _ in range(8):  # worlds at random show at once that most are open
            world = self.world(rng.normal(size=len(ATOMS)))
            assert world is not None
            left = {name: t for name, t in left.items() if t @ world == t @ cells}
        nothing = np.zeros(len(ATOMS))
        return [name for name, t in left.items() if self.world(nothing, (t, t @ cells + 1, np.inf)) is None
                and self.world(nothing, (t, -np.inf, t @ cells - 1)) is None]  # fmt: skip


def knowledge(findings: Findings, event: str = "os") -> Attack:
    """Return what shared findings show of the three tables; `event` is the endpoint of the third."""
    attack = Attack()
    for d, s in product(DIAGNOSES, SEXES):  # the same patients in each table
        for outcome in ("CRS", "death"):
            attack.know(vector("best", None, (d,), (s,)) - vector(outcome, None, (d,), (s,)), 0)
    for e in findings.estimates:
        where = _where(e)
        for row, value in _numbers(e, where, event) if where is not None else ():
            _learn(attack, e, row, value)
    return attack


def _where(e: Estimate) -> dict[str, tuple[str, ...]] | None:
    """Return the diagnoses and sexes of a record; None of a group of another factor."""
    name, _, level = (e.group or (e.population if e.population != "all" else "")).partition("=")
    if name not in ("", "diagnosis", "sex"):
        return None
    return {"diagnoses": (level,) if name == "diagnosis" else DIAGNOSES, "sexes": (level,) if name == "sex" else SEXES}


def _learn(attack: Attack, e: Estimate, row: np.ndarray, value: float | None) -> None:
    if value is not None:
        if value == value:
            attack.know(row, value)
        return
    said = re.fullmatch(r"suppressed: fewer than (\d+)", e.note or "")
    if said:
        attack.know(row, 1 if e.n else 0, int(said[1]) - 1)


def _numbers(e: Estimate, where: dict[str, tuple[str, ...]], event: str) -> Iterator[Told]:
    """Yield what a record counts: a row, and its value or None."""
    x = e.estimate if e.unit == "patients" else e.events
    if e.analysis == "flow":
        yield vector("best"), e.estimate
    elif e.analysis == "baseline":
        yield from _baseline(e, where, x)
    elif e.analysis == "toxicity" and (e.term or "").startswith("CRS"):
        least = int((e.term or "")[-1])
        most = 6 if ">" in (e.term or "") else least + 1
        yield vector("CRS", GRADES[:-1], **where), _known(e.n)
        yield vector("CRS", tuple(str(g) for g in range(least, most)), **where), x
    elif e.analysis == "response" and e.endpoint in ("response", "cr"):
        categories = (e.term.removeprefix("best="),) if e.term else BEST[:2]
        partial = vector("best", BEST[2:4], **where) * vector("best", None, DIAGNOSES[1:])  # in ALL it is no response
        yield vector("best", **where), _known(e.n)
        yield vector("best", categories, **where) + partial * (e.endpoint == "response" and e.term is None), x
    elif e.analysis == "survival" and e.endpoint == event and e.term is None:
        yield vector("death", **where), _known(e.n)
        if e.statistic in ("median", "median_follow_up"):
            yield vector("death", ("1",) if e.statistic == "median" else ("0",), **where), _known(e.events)


def _known(number: float | None) -> float:
    """Return a number, or NaN where nothing is told of it."""
    return float("nan") if number is None else number


def _baseline(e: Estimate, where: dict[str, tuple[str, ...]], x: float | None) -> Iterator[Told]:
    name, _, level = (e.term or "").partition("=")
    if e.term is None:
        yield vector("best", **where), x
    elif name in ("diagnosis", "sex") and e.statistic in ("count", "proportion", "missing"):
        key = {"diagnosis": "diagnoses", "sex": "sexes"}[name]
        inside = tuple(v for v in where[key] if v == level) if e.statistic != "missing" else ("",) * (name == "sex")
        yield vector("best", **{**where, key: inside}), x
        known = where[key] if e.statistic == "missing" else tuple(v for v in where[key] if v)
        yield vector("best", **{**where, key: known}), _known(e.n)


def targets() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the numbers that an attacker would like to know."""
    sets = [d for k in (1, 2, 3) for d in combinations(DIAGNOSES, k)]
    places = [(d, SEXES) for d in sets] + [(DIAGNOSES, s) for s in (("F",), ("M",), ("",), ("F", ""), ("M", ""))]
    places += [((d,), (s,)) for d, s in product(DIAGNOSES, SEXES)]
    parts = {"best": [(b,) for b in BEST] + [BEST[:2], BEST[:4], BEST[2:4], BEST[2:], BEST[4:], BEST],
             "CRS": [(g,) for g in GRADES] + [GRADES[1:6], GRADES[3:6], GRADES[1:3], GRADES[:3], GRADES[:6]],
             "death": [("1",), ("0",)]}  # fmt: skip
    for (diagnoses, sexes), outcome in product(places, parts):
        for categories in parts[outcome]:
            yield f"{outcome} {categories} {diagnoses} {sexes}", vector(outcome, categories, diagnoses, sexes)


def worked_out(findings: Findings, patients: list[Mapping[str, str]], smallest: int, event: str = "os") -> list[str]:
    """Return the small numbers that can be worked out."""
    attack, cells = knowledge(findings, event), truth(patients)
    for row, least, most in attack.known.values():
        assert least <= row @ cells <= most, "the findings tell something false"
    return attack.works_out({name: t for name, t in targets() if 0 < t @ cells < smallest}, cells)
