"""The synthetic 44 split into 3 to 6 centres in many ways: each mode's estimates beside those of one table.

Tables mode by the contents of its files (nothing hidden) in 200 ways, rounds and masked mode by all requests and
answers in memory in fewer. Run: python benchmarks/pooling_splits.py [--small].
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "pooling"))
from splits_of_44 import random_site, synthetic_44
from splitting import answer_of, in_one_table, split, study_of

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.pooling.answering import draft_answer
from reinfuse.pooling.centre_data import CentreData
from reinfuse.pooling.combining import PooledResults, combine, first_request
from reinfuse.pooling.exchange import Answer, Request
from reinfuse.pooling.exchange_folder import Exchanges
from reinfuse.pooling.masked_answering import draft_masked
from reinfuse.pooling.masked_combining import combine_masked
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.table_combining import combine_tables

SMALL = "--small" in sys.argv
SPLITS = {"tables": 1, "rounds": 1, "masked": 1} if SMALL else {"tables": 200, "rounds": 60, "masked": 12}
YES_NO = ("no", "yes")
FACTORS = ("cart1_cy_flu", "dose_increase")
ENDS = {"response": "binary", "os": "time"}


def study_for(mode: str, centres: int) -> PooledStudy:
    """Return a study of two factors alone and together, with their interaction."""
    return study_of(tuple("ABCDEF"[:centres]), dict.fromkeys(FACTORS, YES_NO), ENDS, mode=mode,
                    models=[(e, FACTORS) for e in ENDS], pairs=[FACTORS])  # fmt: skip


def exchanged(study: PooledStudy, patients: Mapping[str, AnalysisSet], folder: Path) -> tuple[PooledResults, int]:
    """Return the results of a study in rounds or masked mode, and its number of exchanges."""
    request, requests, answers = first_request(study), [], []
    masked = study.mode == "masked"
    for _ in range(study.most_exchanges):
        requests.append(request)
        answers.append({})
        for centre, data in patients.items():
            os.environ["REINFUSE_RELEASES"] = str(folder / centre)
            draft = (draft_masked if masked else draft_answer)(request, centre, data)
            draft.note()
            answers[-1][centre] = draft.answer
        combined = (combine_masked if masked else combine)(Exchanges(study, tuple(requests), tuple(answers)))
        if not isinstance(combined, Request):
            return combined, len(requests)
        request = combined
    raise AssertionError("no end")


def one_exchange(study: PooledStudy, centres: Mapping[str, object]) -> PooledResults:
    """Return the results of a study in tables mode."""
    answers = {name: Answer.of(answer_of(study, name, c).contents, study) for name, c in centres.items()}
    return combine_tables(Exchanges(study, (first_request(study),), (answers,)))


def differences(
    study: PooledStudy, results: PooledResults, site: np.ndarray
) -> Iterator[tuple[str, str, float, float]]:
    """Yield kind and key of each model that was fitted, and how far coefficients, and limits and p-values, are off."""
    values, ends = synthetic_44()
    for one in (m for m in results.models if m.fit is not None):
        inside = np.isin(site, [study.centres.index(c) for c in one.centres])
        parts = {e: (x[inside], None if t is None else t[inside]) for e, (x, t) in ends.items()}
        whole = in_one_table(study, one.model, {f: v[inside] for f, v in values.items()}, parts, site[inside])
        own = one.fit.fit
        away = [float(np.nanmax(np.abs(getattr(own, name) - getattr(whole, name)), initial=0.0))
                for name in ("coef", "lower", "upper", "p_value")]  # fmt: skip
        if any((np.isnan(getattr(own, n)) != np.isnan(getattr(whole, n))).any() for n in ("coef", "p_value")):
            away[0] = np.inf
        yield study.kind_of(one.model.endpoint), one.model.key, away[0], max(away[1:])


def takes_part(mode: str, parts: Mapping[str, CentreData]) -> bool:
    """Tell whether every centre may answer; in masked mode, of an endpoint in common."""
    untold = [{*p.withheld()} for p in parts.values()]
    if mode == "masked":
        return any(not any(end in of_centre for of_centre in untold) for end in ENDS)
    return mode == "tables" or all({*ENDS} - of_centre for of_centre in untold)


def of_mode(mode: str) -> dict[str, object]:
    """Return how far the estimates of a mode are from those of one table."""
    values, ends = synthetic_44()
    values, ends = {f: values[f] for f in FACTORS}, {e: ends[e] for e in ENDS}
    rng, rows, exchanges, started = np.random.default_rng(44), [], [], time.process_time()
    for i in range(SPLITS[mode]):
        centres = 3 + i % 4
        study = study_for(mode, centres)
        while True:
            site = random_site(rng, 44, centres)
            parts = split(study, values, ends, site)
            if takes_part(mode, parts):
                break
        if mode == "tables":
            results, number = one_exchange(study, parts), 1
        else:
            with tempfile.TemporaryDirectory() as folder:
                results, number = exchanged(study, {c: p.data for c, p in parts.items()}, Path(folder))
        exchanges.append(number)
        rows += [(i, *row) for row in differences(study, results, site)]
    off = [{"split": i, "model": key, "coefficients": c, "limits and p": w} for i, _, key, c, w in rows
           if c > 1e-8 or w > 1e-6]  # fmt: skip
    inside = [(c, w) for _, _, _, c, w in rows if c <= 1e-8 and w <= 1e-6]
    return {
        "splits": SPLITS[mode], "fits": len(rows), "not within 1e-8 and 1e-6": off,
        "greatest difference of the others": {"coefficients": max(c for c, _ in inside),
                                              "limits and p": max(w for _, w in inside)},
        "exchanges, median and greatest": [float(np.median(exchanges)), max(exchanges)],
        "processor's seconds": round(time.process_time() - started, 1),
    }  # fmt: skip


def main() -> None:
    """Compare and write the results."""
    with threadpool_limits(limits=1):  # as the commands do
        results: dict[str, object] = {"date": date.today().isoformat()}
        for mode in SPLITS:
            results[mode] = of_mode(mode)
            print(json.dumps({mode: results[mode]}, indent=1), flush=True)
    if SMALL:
        if any(results[mode]["not within 1e-8 and 1e-6"] for mode in SPLITS):
            raise SystemExit("answers differ")
        return
    path = Path(__file__).resolve().parent / "results" / "pooling_splits.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
