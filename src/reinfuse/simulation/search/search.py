"""Optimisation of the protocol of the second infusion under a toxicity constraint, with its uncertainty.

Protocols of a space-filling design and of constrained Bayesian optimisation are evaluated in the same patients of all
populations of the ensemble (`evaluation`). The result is the set of near-optimal protocols (`near_optimal`). A few, the
finalists, are evaluated again in independent patients (winner's curse) for the value of information between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial

import numpy as np
from scipy.special import logit
from scipy.stats import qmc

from reinfuse.arrays import Floats
from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.results.estimate import Estimate
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.random_effects import Moments
from reinfuse.simulation.search import bayesian_optimization
from reinfuse.simulation.search.design_space import Question
from reinfuse.simulation.search.evaluation import (
    EvaluatedProtocol,
    EvaluationSample,
    all_patients,
    eligible_patients,
    evaluate,
)
from reinfuse.simulation.search.near_optimal import Region, compared, of_members, toxicity_rates
from reinfuse.simulation.search.search_records import (
    GIVEN,
    candidate_records,
    frontier_records,
    information_records,
    range_records,
    record,
)
from reinfuse.simulation.search.value_of_information import PERMUTATIONS, Information, differences, information
from reinfuse.simulation.trial.array_store import ArrayStore, run_key
from reinfuse.simulation.trial.records import SELECTED
from reinfuse.simulation.trial.toxicity import rates_of_members
from reinfuse.simulation.trial.trial import Runner, in_threads

PATIENTS = 65536
"""Patients: of 100 populations, some hundred in each who need CART2; fewer cannot estimate how much populations
differ."""
_LEAST, _FEWER, _ALL_COUNT = 1e-4, 4, 8
_PATHS = ((1.0, 0.5), (0.0, 0.2), (1 / 3, 0.15), (3.0, 0.15))
"""Weights of toxicities along parts of the optimiser's path, in those of the question, and the shares of its steps."""
_BEYOND = 0.1
"""How far beyond the near-optimal region its neighbourhood is filled, as a share of each coordinate's limits."""


@dataclass(frozen=True)
class SearchResult:
    """The result of a search.

    Attributes
    ----------
    region
        All protocols evaluated, compared with the best.
    finalists
        The best, the usual protocol if it is admissible, and protocols from all over the region, in independent
        patients.
    information
        Its value for the choice between the finalists; None where there is one alone.
    toxicities
        Of each finalist, the rates of toxicities (`trial.toxicity`) in the patients who are given the second infusion.
    observed
        The objective of each finalist as observed in a study: in the patients whom it treats, others for each.
    patients, fresh
        Evaluable virtual patients, in the search and for the finalists.
    """

    question: Question
    region: Region
    finalists: Region
    information: Information | None
    toxicities: tuple[Mapping[str, Moments], ...]
    observed: tuple[Moments, ...]
    patients: int
    fresh: int
    members: int

    def records(self) -> Iterator[Estimate]:
        """Yield the result as records."""
        best = self.question.arm(self.region.protocols[self.region.best].point).name
        yield from range_records(self.region, best)
        for one, rates in zip(self.finalists.protocols, self.toxicities, strict=True):
            name = self.question.arm(one.point).name
            yield from candidate_records(self.question, one, name, best=best)
            for endpoint, rate in rates.items():
                yield record(endpoint, "proportion", name, pooled=rate, model=GIVEN)
        yield from frontier_records(self.region)
        if self.information:
            yield from information_records(self.information, self.question.objective)
        for one, observed in zip(self.finalists.protocols, self.observed, strict=True):
            yield record(self.question.objective, "proportion", self.question.arm(one.point).name, pooled=observed,
                          model=SELECTED)  # fmt: skip


@dataclass(frozen=True)
class SearchSize:
    """How much is evaluated.

    Attributes
    ----------
    design, steps, around
        Protocols of the space-filling design, of the optimiser's path, and of a second design that fills the
        near-optimal region and its neighbourhood.
    finalists
        Protocols evaluated again in independent patients.
    permutations
        Of populations, behind the value of information.
    """

    design: int = 96
    steps: int = 40
    around: int = 32
    finalists: int = 8
    permutations: int = PERMUTATIONS


def search_key(question: Question, ensemble: Ensemble, seed: int, patients: int | None) -> str:
    """Return what distinguishes the evaluations of a search from those of another.

    The weight of toxicities, the constraint and the margin do not count: they choose among the same evaluations.
    """
    choosing = ("toxicity_weight", "fludarabine_auc", "max_crs_rate", "probability", "margin")
    searched = [(f.name, getattr(question, f.name)) for f in fields(Question) if f.name not in choosing]
    return run_key(searched, ensemble.frame().write_csv(), seed, patients)


def search(question: Question, ensemble: Ensemble, seed: int, *, patients: int | None = None,
           size: SearchSize = SearchSize(), runner: Runner | None = None, store: ArrayStore | None = None,
           progress: Progress | None = None) -> SearchResult:  # fmt: skip
    """Return the best protocol, the region around it, and the value of information.

    Parameters
    ----------
    patients
        Virtual patients of the search; those who need a second infusion are evaluable. Default: 65,536; an eighth of it
        if CART1 is searched too, since then all are.
    runner
        Simulates blocks of patients; on this machine's cores by default.
    store
        Keeps what is evaluated, so that an interrupted search goes on.

    Raises
    ------
    PlanRefused
        If nobody needs a second infusion, or no evaluated protocol meets the toxicity constraint.
    """
    runner = runner or in_threads()
    report = progress or (lambda *_: None)
    patients = patients or (PATIENTS // _ALL_COUNT if question.search_cart1 else PATIENTS)
    on = eligible_patients(question, ensemble, seed, first=0, count=patients, runner=runner, store=store)
    if not on.eligible.any():
        raise _refused("patients", str(patients), "none of them needs a second infusion", remedy="more patients")
    most = size.design + 1 + size.steps + size.around
    log = _EvaluationLog(on, runner, store, lambda k: report("protocols evaluated", k, most))
    designed = _explored(log, size.design, steps=size.steps)
    region = log.region(designed)
    if region and size.around:
        _filled(log, region, around=size.around)
        region = log.region(designed)
    if region is None:
        least = min(float(np.mean(w.toxicity[w.exposed])) for w in log.evaluated)
        raise _refused("max_crs_rate", f"{question.max_crs_rate:g}",
                       f"no protocol meets it: the lowest rate was {least:.3f}",
                       remedy="a higher bound, or wider limits")  # fmt: skip
    points = region.points[_finalists(region, size.finalists)]
    independent = eligible_patients(question, ensemble, seed, first=patients, count=patients, runner=runner,
                                    store=store)  # fmt: skip
    evaluated_finalists = list[EvaluatedProtocol]()
    for point in points:
        evaluated_finalists.append(evaluate(independent, question.arm(point), runner, store=store))
        report("finalists in independent patients", len(evaluated_finalists), len(points))
    final = compared(question, points, evaluated_finalists, which=independent.which, members=len(ensemble),
                     designed=0, best=0)  # fmt: skip
    assert final is not None
    value = None
    if len(points) > 1:
        of, populated = differences(
            np.column_stack([w.net(question.toxicity_weight) for w in evaluated_finalists]),
            independent.which,
            members=len(ensemble),
        )
        value = information(
            of,
            ensemble.z[populated],
            seed,
            permutations=size.permutations,
            on_permutation=lambda k: report("permutations of populations", k, size.permutations),
        )
    every = all_patients(question, ensemble, seed, first=patients, count=max(patients // _FEWER, 1))
    observed = tuple(
        _observed(every, evaluate(every, question.arm(point), runner, treated=True, store=store)) for point in points
    )
    toxicities = tuple(_toxicities(question, point, one, on=independent)
                       for point, one in zip(points, evaluated_finalists, strict=True))  # fmt: skip
    return SearchResult(question, region, final, value, toxicities, observed, int(on.eligible.sum()),
                        int(independent.eligible.sum()), len(ensemble))  # fmt: skip


def _observed(on: EvaluationSample, one: EvaluatedProtocol) -> Moments:
    return of_members(one.value[one.given], on.which[one.given], members=len(on.ensemble)).moments


def _toxicities(question: Question, point: Floats, one: EvaluatedProtocol, *,
                on: EvaluationSample) -> Mapping[str, Moments]:  # fmt: skip
    """Return the rates of toxicities of the second infusion in those who are given it."""
    which, members = on.which[one.given], len(on.ensemble)
    rates = rates_of_members(members).of(question.arm(point).infusions[-1])
    return {name: of_members(rate[which], which, members=members).moments for name, rate in rates.items()}


@dataclass
class _EvaluationLog:
    """Evaluated protocols, in order, each once."""

    on: EvaluationSample
    runner: Runner
    store: ArrayStore | None
    report: Callable[[int], None]
    points: list[Floats] = field(default_factory=list)
    evaluated: list[EvaluatedProtocol] = field(default_factory=list)
    calls: int = 0

    def at_unit(self, unit: Floats, weight: float = 0.0) -> bayesian_optimization.Evaluation:
        """Evaluate the protocol at these shares of the way between the limits, unless it was before."""
        question = self.on.question
        return self.at(question.at(unit), weight)

    def at(self, point: Floats, weight: float = 0.0) -> bayesian_optimization.Evaluation:
        """Evaluate the protocol at a point, unless it was before; toxicities are weighed with `weight`."""
        question = self.on.question
        same = [k for k, other in enumerate(self.points) if np.array_equal(other, point)]
        if not same:
            self.points.append(point)
            self.evaluated.append(evaluate(self.on, question.arm(point), self.runner, store=self.store))
        self.calls += 1
        self.report(self.calls)
        return self._evaluation(same[0] if same else len(self.points) - 1, weight)

    def weighed(self, weight: float) -> list[bayesian_optimization.Evaluation]:
        """Return all evaluations, with toxicities weighed."""
        return [self._evaluation(k, weight) for k in range(len(self.points))]

    def _evaluation(self, k: int, weight: float) -> bayesian_optimization.Evaluation:
        question, point, one = self.on.question, self.points[k], self.evaluated[k]
        rates, _ = toxicity_rates(question, one, self.on.which, members=len(self.on.ensemble))
        quantile = np.clip(rates.quantile(question.probability), _LEAST, 1 - _LEAST)
        excess = float(logit(quantile) - logit(question.max_crs_rate))
        return question.unit(point), float(np.mean(one.net(weight))), excess

    def region(self, designed: int) -> Region | None:
        """Return the protocols compared with the best of them."""
        on = self.on
        return compared(
            on.question,
            np.array(self.points),
            self.evaluated,
            which=on.which,
            members=len(on.ensemble),
            designed=designed,
        )


def _explored(log: _EvaluationLog, design: int, *, steps: int) -> int:
    """Evaluate a space-filling design, the usual protocol and the optimiser's path; return the design's size.

    Most of the path weighs toxicities as the question does, the rest otherwise, so that the frontier is explored too
    (Knowles 2006, IEEE Trans Evol Comput 10:50-66).
    """
    question = log.on.question
    free = question.unit(question.usual).size
    if free:
        for unit in _cube(free, design, seed=log.on.seed):
            log.at_unit(unit)
    designed = len(log.points)
    log.at(question.usual)
    if free and any(excess <= 0 for _, _, excess in log.weighed(0.0)):
        for k, (factor, share) in enumerate(_PATHS if question.toxicity_weight else ((1.0, 1.0),)):
            weight, own_steps = factor * question.toxicity_weight, round(share * steps)
            of = partial(log.at_unit, weight=weight)
            bayesian_optimization.maximise(of, log.weighed(weight), own_steps, seed=log.on.seed + k)
    return designed


def _cube(free: int, count: int, *, seed: int) -> Floats:
    """Return points that fill the unit cube."""
    points: Floats = qmc.Sobol(free, rng=np.random.default_rng(seed)).random_base2(max(count - 1, 1).bit_length())[
        :count
    ]
    return points


def _filled(log: _EvaluationLog, region: Region, *, around: int) -> None:
    """Evaluate protocols that fill the box around the near-optimal region."""
    unit = region.question.unit(region.points[region.inside])
    if not unit.size:
        return
    low, high = np.maximum(unit.min(0) - _BEYOND, 0.0), np.minimum(unit.max(0) + _BEYOND, 1.0)
    for share in _cube(unit.shape[1], around, seed=log.on.seed + 1):
        log.at_unit(low + share * (high - low))


def _finalists(region: Region, most: int) -> list[int]:
    """Return the best, the usual protocol if admissible, and near-optimal ones that lie farthest from all chosen."""
    chosen = [region.best]
    usual = [k for k, p in enumerate(region.points) if np.array_equal(p, region.question.usual)]
    chosen += [k for k in usual if region.admissible[k] and k not in chosen]
    unit = region.question.unit(region.points)
    while len(chosen) < most:
        far = np.min(np.linalg.norm(unit[:, None] - unit[None, chosen], axis=2), axis=1)
        far[~region.inside] = 0.0
        if not far.max() > 0:
            break
        chosen.append(int(np.argmax(far)))
    return chosen


def _refused(what: str, value: str, rule: str, *, remedy: str) -> PlanRefused:
    return PlanRefused([Problem(table="search", column=what, value=value, rule=rule, remedy=remedy)])
