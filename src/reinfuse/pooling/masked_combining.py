"""The next request of a masked study, or its results: from keys to sums under masks, and on from their totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from reinfuse.exceptions import PoolRefused, Problem
from reinfuse.pooling.combining import PooledResults, combine
from reinfuse.pooling.exchange import Request
from reinfuse.pooling.exchange_folder import Exchanges
from reinfuse.pooling.masked_answers import told_by_all, unmasked
from reinfuse.pooling.masked_exchange import MaskedAnswer


def combine_masked(exchanges: Exchanges, confirmed: Sequence[str] = ()) -> Request | PooledResults:
    """Return the next request, or the results if no more is needed or allowed.

    Raises
    ------
    PoolRefused
        If centres sent the same key, no endpoint is told by all, a request holds other keys than the centres sent, or
        the masks do not cancel.
    """
    problems = list(_wrong_keys(exchanges))
    if problems:
        raise PoolRefused(problems)
    if len(exchanges.requests) == 1:
        return _first_of_sums(exchanges)
    totals = unmasked(exchanges)
    combined = combine(totals, confirmed)
    if isinstance(combined, Request):
        return replace(combined, keys=exchanges.requests[1].keys)
    return replace(combined, exchanges=exchanges, counted=totals.answers[0])


def _keys(exchanges: Exchanges) -> dict[str, str]:
    return {centre: a.key for centre, a in exchanges.answers[0].items() if isinstance(a, MaskedAnswer)}


def _wrong_keys(exchanges: Exchanges) -> Iterator[Problem]:
    keys = _keys(exchanges)
    centres = list(keys)
    for centre, key in keys.items():
        same = [c for c in centres[: centres.index(centre)] if keys[c] == key]
        if same:
            rule = f"{centre} sent the key of {same[0]}"
            yield Problem(table=f"answer of {centre}", rule=rule, remedy="begin a new study, with a key of each centre")
    for request in exchanges.requests[1:]:
        changed = [centre for centre in centres if request.keys.get(centre) != keys[centre]]
        if changed:
            rule = f"holds another key than the centre sent: {', '.join(changed)}"
            yield Problem(table=request.name, rule=rule, remedy="restore the request as it was written")


def _first_of_sums(exchanges: Exchanges) -> Request:
    """Return the request for the totals of all that every centre tells of."""
    study, answers = exchanges.study, exchanges.answers[0]
    _, models = told_by_all(study, [a.withheld for a in answers.values()])
    if not models:
        silent = {name: [c for c, a in answers.items() if name in a.withheld] for name in study.endpoints}
        rule = "no endpoint is told by every centre: " + "; ".join(
            f"{name} not by {', '.join(centres)}" for name, centres in silent.items() if centres)  # fmt: skip
        remedy = "begin a new study without these centres: a total of some alone would tell of the others"
        raise PoolRefused([Problem(table="guards", rule=rule, remedy=remedy)])
    points = {m.key: np.zeros((1, study.size(m))) for m in study.models if m.key in models}
    digests = {centre: a.digest for centre, a in answers.items()}
    return Request(study, 2, points, exchanges.requests[0].digest, digests, keys=_keys(exchanges))
