"""An attacker: tries whether any small number of patients is determined by all that shared findings show.

Unknown are the numbers of patients in each cell of three tables: diagnosis by sex by outcome (best response and the
event of each time to event), by grade of CRS, and by MRD. Which outcomes there are follows from `ENDPOINTS`: what an
endpoint is declared to be part of, the attacker knows. Every shown number is an equation, every `fewer than` a pair of
limits. A number is worked out if integers that agree with all of it give it one value only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, BuiltInEndpoint, wholes
from reinfuse.cohort.responders import responder_set
from reinfuse.disclosure import SHOWN_FROM
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings

DIAGNOSES = ("ALL", "CLL", "NHL")
SEXES = ("F", "M", "")
BEST = ("CR", "CRi", "nPR", "PR", "SD", "PD", "not assessed")
GRADES = ("0", "1", "2", "3", "4", "5", "")
MRD = ("yes", "no", "")
TABLES = {"CRS": GRADES, "umrd_day28": MRD}
NOTHING = BuiltInEndpoint("own", "own", "own", "time", "")
RULES = Rules()
Told = tuple[np.ndarray, float | None]
Patient = Mapping[str, object]
"""`diagnosis`, `sex`, `best`, `CRS`, `umrd_day28`, and `events`, the endpoints of which the patient had the event."""


@dataclass(frozen=True)
class Atom:
    """Patients who are alike in one table."""

    table: str
    diagnosis: str
    sex: str
    value: str
    events: frozenset[str] = frozenset()

    @property
    def responded(self) -> bool:
        """Whether the best response counts as a response."""
        return self.value in responder_set(RULES, self.diagnosis)


def breaks(diagnosis: str, best: str, events: frozenset[str], *, timed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the declared relations that an outcome breaks: an endpoint, and what it is said to be part of."""
    for name in timed:
        if name in events:
            yield from ((name, outer) for outer in wholes(name, ENDPOINTS) if outer in timed and outer not in events)
        elif best in ENDPOINTS.get(name, NOTHING).best:
            yield best, name
        lack = ENDPOINTS.get(name, NOTHING).lack_of
        if lack is not None:
            assert lack == "response"
            responded = best in responder_set(RULES, diagnosis)
            if name in events and responded and not any(name in wholes(e, ENDPOINTS) for e in events):
                yield name, "no other event in responders"
            if name not in events and not responded:
                yield name, "every patient without a response"


class Tables:
    """The cells of the tables, given the times to event and the relations that the attacker may rely on."""

    def __init__(self, timed: Sequence[str], patients: Sequence[Patient]) -> None:
        self.timed = tuple(timed)
        outcomes = [(str(p["diagnosis"]), str(p["best"]), frozenset(p["events"])) for p in patients]  # type: ignore[call-overload]
        untrue = {r for outcome in outcomes for r in breaks(*outcome, timed=timed)}
        every = [frozenset(e) for k in range(len(timed) + 1) for e in combinations(timed, k)]
        self.atoms = [Atom("outcome", d, s, b, events) for d, s, b, events in product(DIAGNOSES, SEXES, BEST, every)
                      if set(breaks(d, b, events, timed=timed)) <= untrue]  # fmt: skip
        self.atoms += [Atom(t, d, s, v) for t, of in TABLES.items() for d, s, v in product(DIAGNOSES, SEXES, of)]
        self.place = {atom: i for i, atom in enumerate(self.atoms)}
        self._groups: dict[tuple[tuple[str, ...], tuple[str, ...]], np.ndarray] = {}
        self.true = np.zeros(len(self.atoms))
        for p in patients:
            d, s = str(p["diagnosis"]), str(p["sex"])
            self.true[self.place[Atom("outcome", d, s, str(p["best"]), frozenset(p["events"]))]] += 1  # type: ignore[arg-type]
            for table in TABLES:
                self.true[self.place[Atom(table, d, s, str(p[table]))]] += 1

    def vector(self, table: str, test: Callable[[Atom], bool] = lambda _: True, diagnoses: Sequence[str] = DIAGNOSES,
               sexes: Sequence[str] = SEXES) -> np.ndarray:  # fmt: skip
        """Return which cells a number of patients adds up."""
        return self.cells(table, test) * self.of_group(diagnoses, sexes)

    def cells(self, table: str, test: Callable[[Atom], bool]) -> np.ndarray:
        """Return the cells of a table, of all diagnoses and sexes, that pass a test."""
        return np.array([float(a.table == table and test(a)) for a in self.atoms])

    def of_group(self, diagnoses: Sequence[str], sexes: Sequence[str]) -> np.ndarray:
        """Return the cells of diagnoses and sexes, in every table."""
        group = tuple(diagnoses), tuple(sexes)
        if group not in self._groups:
            of = [float(a.diagnosis in diagnoses and a.sex in sexes) for a in self.atoms]
            self._groups[group] = np.array(of)
        return self._groups[group]


@dataclass
class Attack:
    """What is known: rows, each with the least and the most that it can come to."""

    tables: Tables
    known: dict[bytes, tuple[np.ndarray, float, float]] = field(default_factory=dict)

    def know(self, row: np.ndarray, least: float, most: float | None = None) -> None:
        """Note a number, or its limits; of two limits of one row the nearer."""
        _, low, high = self.known.get(row.tobytes(), (row, -np.inf, np.inf))
        self.known[row.tobytes()] = row, max(low, least), min(high, least if most is None else most)

    def world(self, wish: np.ndarray, *more: tuple[np.ndarray, float, float]) -> np.ndarray | None:
        """Return integers that agree with all that is known, and with more, and fit a wish; None if there are none."""
        rows, least, most = zip(*self.known.values(), *more, strict=True)
        found = milp(wish, constraints=LinearConstraint(np.array(rows), least, most), bounds=Bounds(0, 1000),
                     integrality=np.ones(len(wish)))  # fmt: skip
        assert found.status in (0, 2), found.message
        return np.round(found.x) if found.status == 0 else None

    def works_out(self, targets: Mapping[str, np.ndarray], enough: int) -> list[str]:
        """Return the targets that have their true value in every world that agrees with what is known, or enough."""
        left, rng, cells = dict(targets), np.random.default_rng(0), self.tables.true
        nothing = np.zeros(len(cells))
        for _ in range(12):  # worlds at random show at once that most are open
            world = self.world(rng.normal(size=len(cells)))
            assert world is not None
            left = {name: t for name, t in left.items() if t @ world == t @ cells}
        while left:  # each world that shows one to be open may show more
            t = next(iter(left.values()))
            world = self.world(nothing, (t, t @ cells + 1, np.inf))
            world = self.world(nothing, (t, -np.inf, t @ cells - 1)) if world is None else world
            if world is None:
                break
            left = {n: row for n, row in left.items() if row @ world == row @ cells}
        found: list[str] = []
        for name, t in left.items():
            if len(found) < enough and all(self.world(nothing, (t, low, high)) is None for low, high in
                                           ((t @ cells + 1, np.inf), (-np.inf, t @ cells - 1))):  # fmt: skip
                found.append(name)
        return found


def knowledge(findings: Findings, patients: Sequence[Patient], smallest: int) -> Attack:
    """Return what shared findings show of the tables."""
    timed = [e.name for e in findings.described.endpoints
             if e.kind == "time" and ENDPOINTS.get(e.name, NOTHING).among is None and not e.competing]  # fmt: skip
    attack, control = Attack(Tables(timed, patients)), SHOWN_FROM in findings.provenance
    vector = attack.tables.vector
    for d, s, table in product(DIAGNOSES, SEXES, TABLES):  # the same patients in each table
        attack.know(vector("outcome", diagnoses=(d,), sexes=(s,)) - vector(table, diagnoses=(d,), sexes=(s,)), 0)
    for e in findings.estimates:
        where = _where(e)
        for row, value in _numbers(attack.tables, e, where) if where is not None else ():
            _learn(attack, e, row, value)
        if (
            control
            and where is not None
            and e.analysis == "survival"
            and e.statistic == "median"
            and e.estimate is not None
        ):
            attack.know(_events(attack.tables, str(e.endpoint), where), smallest, np.inf)  # else no median is shown
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


def _numbers(tables: Tables, e: Estimate, where: dict[str, tuple[str, ...]]) -> Iterator[Told]:
    """Yield what a record counts: a row, and its value or None."""
    x = e.estimate if e.unit == "patients" else e.events
    vector = tables.vector
    if e.analysis == "flow":
        yield vector("outcome"), e.estimate
    elif e.analysis == "baseline":
        yield from _baseline(tables, e, where, x)
    elif e.analysis == "toxicity" and e.term == "CRS":
        level = e.level or ""
        least = int(level.removeprefix(">="))
        graded = tuple(str(g) for g in range(least, 6 if level.startswith(">=") else least + 1))
        yield vector("CRS", lambda a: a.value != "", **where), _known(e.n)
        yield vector("CRS", lambda a: a.value in graded, **where), x
    elif e.analysis == "response" and e.endpoint == "umrd_day28":
        yield vector("umrd_day28", lambda a: a.value != "", **where), _known(e.n)
        yield vector("umrd_day28", lambda a: a.value == "yes", **where), x
    elif e.analysis == "response" and e.endpoint in ("response", "cr"):
        yield vector("outcome", **where), _known(e.n)
        if e.term is not None:
            yield vector("outcome", lambda a: a.value == e.level, **where), x
        else:
            yield _events(tables, e.endpoint, where), x
    elif e.analysis == "survival" and e.term is None and e.endpoint is not None and e.statistic != "p_value":
        yield from _times(tables, e, where)


def _evaluated(endpoint: str) -> Callable[[Atom], bool]:
    among = ENDPOINTS.get(endpoint, NOTHING).among
    assert among in (None, "response")
    return lambda a: among is None or a.responded


def _events(tables: Tables, endpoint: str, where: dict[str, tuple[str, ...]]) -> np.ndarray:
    """Return who had the event of an endpoint."""
    made, evaluated = ENDPOINTS.get(endpoint, NOTHING), _evaluated(endpoint)
    if endpoint == "response":
        return tables.vector("outcome", lambda a: a.responded, **where)
    if endpoint == "cr":
        return tables.vector("outcome", lambda a: a.value in RULES.complete, **where)
    event = endpoint if made.among is None else made.part_of[0]
    return tables.vector("outcome", lambda a: evaluated(a) and event in a.events, **where)


def _times(tables: Tables, e: Estimate, where: dict[str, tuple[str, ...]]) -> Iterator[Told]:
    endpoint, evaluated = str(e.endpoint), _evaluated(str(e.endpoint))
    every = tables.vector("outcome", evaluated, **where)
    yield every, _known(e.n)
    if e.statistic == "at_risk" and e.at == 0:
        yield every, e.estimate
    elif e.statistic == "median_follow_up":
        yield every - _events(tables, endpoint, where), _known(e.events)
    elif e.estimate is not None or e.events is not None:
        yield _events(tables, endpoint, where), _known(e.events)


def _known(number: float | None) -> float:
    """Return a number, or NaN where nothing is told of it."""
    return float("nan") if number is None else number


def _baseline(tables: Tables, e: Estimate, where: dict[str, tuple[str, ...]], x: float | None) -> Iterator[Told]:
    name, level = e.term, e.level
    if name is None:
        yield tables.vector("outcome", **where), x
    elif name in ("diagnosis", "sex") and e.statistic in ("count", "proportion", "missing"):
        key = {"diagnosis": "diagnoses", "sex": "sexes"}[name]
        inside = tuple(v for v in where[key] if v == level) if e.statistic != "missing" else ("",) * (name == "sex")
        yield tables.vector("outcome", **{**where, key: inside}), x
        known = where[key] if e.statistic == "missing" else tuple(v for v in where[key] if v)
        yield tables.vector("outcome", **{**where, key: known}), _known(e.n)


def targets(tables: Tables) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the numbers that an attacker would like to know."""
    sets = [d for k in (1, 2, 3) for d in combinations(DIAGNOSES, k)]
    places = [(d, SEXES) for d in sets] + [(DIAGNOSES, s) for s in (("F",), ("M",), ("",), ("F", ""), ("M", ""))]
    places += [((d,), (s,)) for d, s in product(DIAGNOSES, SEXES)]
    asked = [(table, name, tables.cells(table, test)) for table, name, test in _questions(tables.timed)]
    for diagnoses, sexes in places:
        for table, name, cells in asked:
            yield f"{table} {name} {diagnoses} {sexes}", cells * tables.of_group(diagnoses, sexes)


def _questions(timed: Sequence[str]) -> Iterator[tuple[str, object, Callable[[Atom], bool]]]:
    """Yield table, name and test of a number: categories, and every two outcomes together."""
    parts = {"outcome": [(b,) for b in BEST] + [BEST[:2], BEST[:4], BEST[2:4], BEST[2:], BEST[4:], BEST],
             "CRS": [(g,) for g in GRADES] + [GRADES[1:6], GRADES[3:6], GRADES[1:3], GRADES[:3], GRADES[:6]],
             "umrd_day28": [(m,) for m in MRD] + [MRD[:2]]}  # fmt: skip
    for table, categories in parts.items():
        for values in categories:
            yield table, values, lambda a, values=values: a.value in values  # type: ignore[misc]
    one: list[tuple[str, Callable[[Atom], bool]]]
    one = [(e, lambda a, e=e: e in a.events) for e in timed] + [("response", lambda a: a.responded)]  # type: ignore[misc]
    one += [(b, lambda a, b=b: a.value == b) for b in BEST]  # type: ignore[misc]
    for name, has in one[: len(timed) + 1]:
        yield "outcome", name, has
        yield "outcome", f"no {name}", lambda a, has=has: not has(a)  # type: ignore[misc]
    for (first, has), (second, also) in combinations(one, 2):
        for yes, too in product((True, False), repeat=2):
            yield ("outcome", (first, yes, second, too),
                   lambda a, has=has, also=also, yes=yes, too=too: has(a) is yes and also(a) is too)  # type: ignore[misc]  # fmt: skip


def worked_out(findings: Findings, patients: Sequence[Patient], smallest: int, enough: int = 1000) -> list[str]:
    """Return the small numbers that can be worked out, or enough of them."""
    attack = knowledge(findings, patients, smallest)
    cells = attack.tables.true
    for row, least, most in attack.known.values():
        assert least <= row @ cells <= most, "the findings tell something false"
    small = {name: t for name, t in targets(attack.tables) if 0 < t @ cells < smallest}
    return attack.works_out(small, enough)
