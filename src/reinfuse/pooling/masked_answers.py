"""Masked mode: what its answers hold, in which order, and their total.

The first request asks for keys. From the second on each centre sends one list of integers under masks: in the second
answer the counts and sums of `centre_tables`, in all of them the sums of the models at the points of the request. Only
what every centre tells is asked for: totals of different centres would tell the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.exceptions import PoolRefused, Problem
from reinfuse.pooling.exchange import Answer, Request
from reinfuse.pooling.exchange_folder import Exchanges
from reinfuse.pooling.fixed_point import MODULUS, decoded, of_text, passes_check
from reinfuse.pooling.masked_exchange import MaskedAnswer
from reinfuse.pooling.masked_tables import asked_tables, filled, numbers_of
from reinfuse.pooling.masks import check_weights
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.statistics.likelihood_sums import DEGREES, LikelihoodSums, entries, numbers_at_a_point


@dataclass(frozen=True)
class _Total(Answer):
    """The total of all centres in the place of an answer, with the SHA-256 of the masked one."""

    of_masked: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the masked answer."""
        return self.of_masked


def told_by_all(study: PooledStudy, withheld: Sequence[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """Return the endpoints and the keys of the models that no centre withholds."""
    hidden = {name for of_centre in withheld for name in of_centre}
    ends = [name for name in study.endpoints if name not in hidden]
    return ends, [m.key for m in study.models if m.key not in hidden and m.endpoint in ends]


def flat(sums: Mapping[str, LikelihoodSums]) -> list[float]:
    """Return sums of models as one list: model by model, point by point."""
    return [
        v for key in sorted(sums) for v in np.column_stack([sums[key].value, *sums[key].cumulants]).ravel().tolist()
    ]


def unflat(numbers: Floats, request: Request) -> dict[str, LikelihoodSums]:
    """Return the sums of the models of a request."""
    sums, at = {}, 0
    for key in sorted(request.points):
        points, k = request.points[key].shape
        widths = [1, *(len(entries(k, degree)) for degree in DEGREES)]
        own = numbers[at : at + points * sum(widths)].reshape(points, -1)
        at += own.size
        value, *cumulants = np.split(own, np.cumsum(widths)[:-1], axis=1)
        sums[key] = LikelihoodSums(value[:, 0], tuple(cumulants))
    return sums


def unmasked(exchanges: Exchanges) -> Exchanges:
    """Return the exchanges from the second on with totals: of the first centre that of all, of the others 0.

    Raises
    ------
    PoolRefused
        If the masks do not cancel, so that nothing can be read.
    """
    problems: list[Problem] = []
    answers: list[dict[str, Answer]] = []
    first = exchanges.answers[0]
    for request, of_centres in zip(exchanges.requests[1:], exchanges.answers[1:], strict=True):
        numbers = _total_of(request, [a for a in of_centres.values() if isinstance(a, MaskedAnswer)])
        if numbers is None:
            rule = "the masks of the answers do not cancel: one was altered, or made with another key or request"
            remedy = "let every centre answer this request again, and compare the fingerprint of the keys"
            problems.append(Problem(table=f"answers to {request.name}", rule=rule, remedy=remedy))
            continue
        order = asked_tables(request)
        totals: dict[str, Answer] = {}
        for place, (centre, own) in enumerate(of_centres.items()):
            at = iter((numbers if place == 0 else np.zeros_like(numbers)).tolist())
            tables = filled(order, at) if order else {}
            if order:
                tables["flow"] = {**tables["flow"], "excluded": {}}
            totals[centre] = _Total(own.study, centre, own.number, own.request, own.before, tables,
                                    unflat(np.array(list(at)), request), first[centre].withheld,
                                    of_masked=own.digest)  # fmt: skip
        answers.append(totals)
    if problems:
        raise PoolRefused(problems)
    return replace(exchanges, requests=exchanges.requests[1:], answers=tuple(answers))


def _total_of(request: Request, answers: Sequence[MaskedAnswer]) -> Floats | None:
    """Return the sum of the numbers of all centres; None where it cannot be one."""
    lists = [of_text(answer.masked) for answer in answers]
    if len({len(of_centre) for of_centre in lists}) != 1:
        return None
    total = [sum(column) % MODULUS for column in zip(*lists, strict=True)]
    if len(total) != size_of(request) + 1 or not passes_check(total, check_weights(request.digest, len(total) - 1)):
        return None
    return decoded(total[:-1])


def size_of(request: Request) -> int:
    """Return how many numbers a request asks for."""
    at = sum(len(points) * numbers_at_a_point(points.shape[1]) for points in request.points.values())
    order = asked_tables(request)
    return at + sum(1 for _ in numbers_of(order, order))
