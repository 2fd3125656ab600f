"""The next request, or the fits: every model's steps are taken again from the answers, from the first exchange on.

Nothing is kept between two exchanges but the files themselves: whoever has them comes to the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.exceptions import PoolRefused, Problem
from reinfuse.pooling.exchange import MOST_POINTS, Answer, Request
from reinfuse.pooling.exchange_folder import Exchanges
from reinfuse.pooling.left_out import MOST_SEARCHED, fit_without
from reinfuse.pooling.pooled_model import PooledModel
from reinfuse.pooling.pooled_study import FEWEST_CENTRES, FEWEST_IN_ALL, PooledStudy
from reinfuse.statistics.likelihood_sums import LikelihoodSums, full
from reinfuse.statistics.pooled_firth import Fitting, PooledFit, pooled_fit
from reinfuse.statistics.score_homogeneity import score_homogeneity

OTHER_UNIT = 15.0
"""Mean times so many times longer or shorter than in the other centres are taken for another unit."""
_SAME = 1e-9
_AT_SUMMIT = 1e-6
MOST_PATIENTS = 2000
"""Beyond it a fit begins at one point alone, as that of one cohort does."""


@dataclass(frozen=True)
class ModelResult:
    """What became of a model.

    Attributes
    ----------
    centres
        Those whose patients it holds.
    without
        Centre -> the fit without it, coefficients alone.
    homogeneity
        p and degrees of freedom of the test that all centres have the same coefficients; None where there is none.
    why
        Why there is no fit, or None.
    permutation
        p of the test by permutation within centres; None where there is none, as in rounds mode.
    """

    model: PooledModel
    centres: tuple[str, ...]
    fit: PooledFit | None = field(default=None, repr=False)
    without: Mapping[str, PooledFit] = field(default_factory=dict, repr=False)
    homogeneity: tuple[float, int] | None = None
    why: str | None = None
    permutation: float | None = None


@dataclass(frozen=True)
class PooledResults:
    """The end of a study: all that its report needs."""

    exchanges: Exchanges
    models: tuple[ModelResult, ...]
    counted: Mapping[str, Answer] = field(default_factory=dict, repr=False)
    """Of tables mode the answers, with what follows from their integers; of masked mode the totals."""

    @property
    def study(self) -> PooledStudy:
        """What was agreed."""
        return self.exchanges.study

    @property
    def first(self) -> Mapping[str, Answer]:
        """The answers that hold the tables."""
        return self.counted or self.exchanges.answers[0]

    @property
    def totals(self) -> Mapping[str, Any]:
        """The tables of all centres together, of masked mode alone."""
        return next(iter(self.first.values())).tables


def first_request(study: PooledStudy) -> Request:
    """Return the request with which a study begins: counts, and each model's sums where all coefficients are 0."""
    if study.mode != "rounds":
        return Request(study, 1, {})  # for tables, or for keys
    return Request(study, 1, {model.key: np.zeros((1, study.size(model))) for model in study.models})


@dataclass
class Running:
    """A fit on its way: of all centres of a model, or of all but one."""

    model: PooledModel
    centres: tuple[str, ...]
    left_out: str | None
    fitting: Fitting = field(repr=False)
    points: Floats | None = field(repr=False)
    fit: PooledFit | None = field(default=None, repr=False)

    def take(self, sums: LikelihoodSums) -> None:
        """Go on to the next points, or to the end."""
        try:
            self.points = self.fitting.send(sums)
        except StopIteration as end:
            self.points, self.fit = None, end.value


def combine(exchanges: Exchanges, confirmed: Sequence[str] = ()) -> Request | PooledResults:
    """Return the next request, or the results if no more is needed or allowed; of masked mode, given totals.

    Parameters
    ----------
    confirmed
        Centres whose times are right though they differ much from those of the others.

    Raises
    ------
    PoolRefused
        If a centre's times seem to be in another unit, or a request in the folder is not what follows from the answers.
    """
    study = exchanges.study
    check_answers(exchanges, confirmed)
    running = list(begun(study, exchanges.answers[0]))
    for request, answers in zip(exchanges.requests, exchanges.answers, strict=True):
        for one in running:
            if one.points is not None:
                places = _places(one, request)
                parts = [answers[centre].sums[one.model.key].at(places) for centre in one.centres]
                one.take(LikelihoodSums.total(parts))
    wanted = {m.key: _joined([one.points for one in running if one.model == m and one.points is not None])
              for m in study.models}  # fmt: skip
    wanted = {key: points for key, points in wanted.items() if len(points)}
    last = exchanges.requests[-1]
    too_many = any(len(points) > MOST_POINTS for points in wanted.values())
    if wanted and last.number < study.most_exchanges and not too_many:
        digests = {centre: answer.digest for centre, answer in exchanges.answers[-1].items()}
        return Request(study, last.number + 1, wanted, last.digest, digests)
    return PooledResults(exchanges, tuple(_results(study, exchanges, running=running)))


def check_answers(exchanges: Exchanges, confirmed: Sequence[str] = ()) -> None:
    """Refuse answers of too few patients in all, or in another unit.

    Raises
    ------
    PoolRefused
        With all such problems.
    """
    problems = [*_too_few_in_all(exchanges), *_other_units(exchanges, confirmed)]
    if problems:
        raise PoolRefused(problems)


def contributing(model: PooledModel, first: Mapping[str, Answer]) -> tuple[str, ...]:
    """Return the centres that tell of a model."""
    return tuple(centre for centre, answer in first.items() if model.key in answer.tables["models"])


def patients_of(model: PooledModel, centres: Iterable[str], first: Mapping[str, Answer]) -> int:
    """Return how many patients of some centres a model holds."""
    return sum(int(first[c].tables["models"][model.key]["n"]) for c in centres)


def begun(study: PooledStudy, first: Mapping[str, Answer]) -> Iterator[Running]:
    """Yield each model of enough centres at its first points, and without each centre where enough are left."""
    for model in study.models:
        centres = contributing(model, first)
        if len(centres) < FEWEST_CENTRES or patients_of(model, centres, first) < FEWEST_IN_ALL:
            continue
        single = study.mode != "masked" and not model.pair and FEWEST_CENTRES < len(centres) <= MOST_SEARCHED
        for left_out in (None, *(centres if single else ())):
            sizes = [first[c].tables["models"][model.key] for c in centres if c != left_out]
            n, events = (sum(size[what] for size in sizes) for what in ("n", "events"))
            fitting = pooled_fit(study.firth_kind(model), study.size(model), confidence=study.plan.confidence,
                                 tests=left_out is None, alone=n > MOST_PATIENTS, events=max(events, 1))  # fmt: skip
            yield Running(model, tuple(c for c in centres if c != left_out), left_out, fitting, next(fitting))


def _places(one: Running, request: Request) -> list[int]:
    """Return where the points of a fit stand in a request."""
    assert one.points is not None
    given = request.points.get(one.model.key, np.empty((0, one.points.shape[1])))
    places = []
    for point in one.points:
        near = np.flatnonzero((np.abs(given - point) <= _SAME * (1 + np.abs(point))).all(axis=1))
        if not len(near):
            rule = f"does not ask for what follows from the answers (model {one.model.key})"
            remedy = "restore the files as they were written: one of them is of another study"
            raise PoolRefused([Problem(table=request.name, rule=rule, remedy=remedy)])
        places.append(int(near[0]))
    return places


def _joined(batches: Sequence[Floats]) -> Floats:
    return np.unique(np.concatenate(batches), axis=0) if batches else np.empty((0, 0))


def _results(study: PooledStudy, exchanges: Exchanges, *, running: Sequence[Running]) -> Iterator[ModelResult]:
    for model in study.models:
        fits = {one.left_out: one.fit for one in running if one.model == model}
        centres = contributing(model, exchanges.answers[0])
        if not fits:
            why = f"told by {len(centres)} centres, fewer than {FEWEST_CENTRES}"
            if study.mode == "masked":
                why = "not told by every centre, and a total of some would tell of the others"
            if len(centres) >= FEWEST_CENTRES:
                why = f"fewer than {FEWEST_IN_ALL} patients in all centres that tell of it"
            yield ModelResult(model, centres, why=why)
        elif (fit := fits[None]) is None:
            yield ModelResult(model, centres, why=f"no end within {study.most_exchanges} exchanges")
        else:
            summit = None
            if study.mode != "masked" and not model.pair:
                summit = _summit(exchanges, model, centres, fit=fit)
            yield result_of(model, centres, fits, summit=summit)


def result_of(
    model: PooledModel, centres: Sequence[str], fits: Mapping[str | None, PooledFit | None], *,
    summit: tuple[list[LikelihoodSums], Floats] | None, permutation: float | None = None,
) -> ModelResult:  # fmt: skip
    """Return the result of a model: the fit of all centres, and those without each where it was made or follows.

    Parameters
    ----------
    fits
        Of all centres under None, and without each of which one was searched.
    summit
        Each centre's sums where the maximum was found, and that point.
    """
    whole = fits[None]
    without = {centre: fit for centre, fit in fits.items() if centre is not None and fit is not None}
    if summit is not None and whole is not None and len(centres) > MOST_SEARCHED:
        others = zip(centres, fit_without(*summit, whole=whole), strict=True)
        without = {centre: other for centre, other in others if other is not None}
    return ModelResult(model, tuple(centres), whole, without, homogeneity_at(summit), permutation=permutation)


def _summit(
    exchanges: Exchanges, model: PooledModel, centres: Sequence[str], *, fit: PooledFit
) -> tuple[list[LikelihoodSums], Floats] | None:
    """Return each centre's sums where the maximum was found, at the nearest point of all requests, and that point."""
    if fit.summit is None:
        return None
    columns, top = list(fit.columns), fit.summit
    k = exchanges.study.size(model)
    at = np.zeros(k)
    at[columns] = top.at
    nearest = (np.inf, 0, 0)
    for number, request in enumerate(exchanges.requests):
        away = (request.points.get(model.key, np.empty((0, k))) - at)[:, columns]
        distances = np.einsum("mi,ij,mj->m", away, top.information, away)
        if len(distances):
            nearest = min(nearest, (float(distances.min()), number, int(distances.argmin())))
    distance, number, place = nearest
    if distance > _AT_SUMMIT:
        return None
    sums = [exchanges.answers[number][c].sums[model.key].at([place]).of_columns(columns, k) for c in centres]
    return sums, exchanges.requests[number].points[model.key][place][columns]


def homogeneity_at(summit: tuple[list[LikelihoodSums], Floats] | None) -> tuple[float, int] | None:
    """Test that all centres have the same coefficients, by their sums where the maximum was found."""
    if summit is None:
        return None
    sums, at = summit
    scores, information = (np.concatenate([full(s.cumulants[d - 1], len(at), d) for s in sums]) for d in (1, 2))
    return score_homogeneity(scores, information)


def _too_few_in_all(exchanges: Exchanges) -> Iterator[Problem]:
    n = sum(answer.tables["flow"]["analysed"] for answer in exchanges.answers[0].values())
    if n < FEWEST_IN_ALL:
        rule = f"the centres have {n} patients together, and a study needs {FEWEST_IN_ALL}"
        yield Problem(table="guards", rule=rule, remedy="begin a study of more centres, or wait for more patients")


def _other_units(exchanges: Exchanges, confirmed: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each centre whose mean time is far from those of the others."""
    for name in exchanges.study.endpoints:
        means = {centre: end["days"] / end["n"] for centre, answer in exchanges.answers[0].items()
                 if "days" in (end := answer.tables["endpoints"].get(name, {})) and end["n"]}  # fmt: skip
        for centre, mean in means.items():
            others = [m for c, m in means.items() if c != centre]
            usual = median(others) if others else mean
            if centre not in confirmed and not usual / OTHER_UNIT <= mean <= usual * OTHER_UNIT:
                rule = (
                    f"{name}: mean time {mean:,.0f} days in {centre}, {usual:,.0f} in the other centres: another unit?"
                )
                remedy = f"let the centre correct its cohort and answer a new study, or --confirm-unit {centre!r}"
                yield Problem(table=f"answer of {centre}", column=name, rule=rule, remedy=remedy)
