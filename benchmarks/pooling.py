"""A whole study of many centres by files beside the fit of all patients in one table: that the answers agree, then the
time. Run: python benchmarks/pooling.py [CENTRES] [--small].

200 centres (or as many as are named) of 500 patients, a time to an event, ten factors alone and together. The centres'
answers are worked out one after the other here, though they would be on as many machines. Results are kept by the
number of centres.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.output import Destination
from reinfuse.pooling.answering import draft_answer, read_request
from reinfuse.statistics import firth_left_truncated
from reinfuse.study import pooling
from reinfuse.study.cohort_reading import examine
from reinfuse.study.study import Study

NUMBERS = [a for a in sys.argv[1:] if a.isdigit()]
SMALL = "--small" in sys.argv
CENTRES = 3 if SMALL else int(NUMBERS[0]) if NUMBERS else 200
PATIENTS = 40 if SMALL else 500
FACTORS = tuple(f"factor_{i}" for i in (range(5, 7) if SMALL else range(1, 11)))
BINARY = 1 if SMALL else 5
COEFFICIENTS = np.array([0.5, -0.1] if SMALL else [0.3, -0.2, 0.1, 0.0, 0.5, -0.1, 0.2, 0.0, -0.3, 0.15])
APART = 1e6


def sheet_of(centre: int) -> pl.DataFrame:
    """Return the patients of a centre: five factors yes or no, five numbers."""
    rng = np.random.default_rng([18, centre])
    X = rng.normal(size=(PATIENTS, len(FACTORS))).round(2).clip(-4, 4)
    X[:, :BINARY] = X[:, :BINARY] > 0.4
    days = np.ceil(rng.exponential(500 * np.exp(-X @ COEFFICIENTS) * rng.uniform(0.5, 2))) + 1
    until = rng.integers(100, 1500, PATIENTS)
    columns = {name: np.where(X[:, j] > 0, "yes", "no") if j < BINARY else X[:, j] for j, name in enumerate(FACTORS)}
    names = [f"{centre}-{i}" for i in range(PATIENTS)]
    follow = {"os_days": np.minimum(days, until), "os_event": np.where(days <= until, "yes", "no")}
    return pl.DataFrame({"patient_id": names, "diagnosis": "NHL", **columns, **follow})


def study_text() -> str:
    """Return the study as its coordinating centre would write it."""
    lines = [f"centres = {json.dumps([f'C{i}' for i in range(CENTRES)])}", 'endpoints = ["os"]', "[levels]"]
    lines += [f'{name} = ["no", "yes"]' for name in FACTORS[:BINARY]]
    lines += [f'[numbers.{name}]\nunit = "units"\nlowest = -4\nhighest = 4' for name in FACTORS[BINARY:]]
    lines += ["[plan]", "subgroups = []"]
    lines += [f'[[plan.factors]]\nname = "{name}"\ncolumn = "{name}"' for name in FACTORS]
    return "\n".join([*lines, f'[[plan.models]]\nendpoint = "os"\nfactors = {json.dumps(FACTORS)}']) + "\n"


def by_files(folder: Path) -> dict[str, float]:
    """Return the processor's seconds of a whole study: of the coordinating centre, and of all centres."""
    exchange, report = folder / "exchange", folder / "report"
    for i in range(CENTRES):
        sheet_of(i).write_csv(folder / f"C{i}.csv")
    (folder / "study.toml").write_text(study_text(), encoding="utf-8")
    taken = {"coordinating_centre_s": 0.0, "all_centres_s": 0.0, "reading_all_cohorts_once_s": 0.0}
    cohorts: list[AnalysisSet] = []
    started = time.process_time()
    pooling.plan_pool(folder / "study.toml", Destination(exchange, "pool", ()))
    for number in range(1, 41):
        for i in range(CENTRES):
            before = time.process_time()
            os.environ["REINFUSE_RELEASES"] = str(folder / f"log-{i}")
            request = read_request(exchange / f"request-{number}.json")
            if number == 1:
                accepted, _ = examine(folder / f"C{i}.csv", request.study.plan)
                cohorts.append(Study(accepted, request.study.plan).data)
                taken["reading_all_cohorts_once_s"] += time.process_time() - before
            draft = draft_answer(request, f"C{i}", cohorts[i])
            pooling.write_prepared(pooling.PreparedAnswer(draft, ()), Destination(exchange, "pool", ()))
            taken["all_centres_s"] += time.process_time() - before
        combined = pooling.combine_answers(exchange, Destination(report, "pool", ()))
        if combined.report:
            break
    taken["whole_s"] = time.process_time() - started
    taken["coordinating_centre_s"] = taken["whole_s"] - taken["all_centres_s"]
    size = sum(p.stat().st_size for p in exchange.iterdir())
    return {**taken, "exchanges": number, "megabytes_of_files": size / 1e6}


def in_one_table() -> tuple[float, firth_left_truncated.FirthFit]:
    """Return the processor's seconds of the fit of all patients in one table, each centre a stratum, and the fit."""
    frame = pl.concat([sheet_of(i) for i in range(CENTRES)])
    X = np.column_stack([(frame[name] == "yes") if j < BINARY else frame[name] for j, name in enumerate(FACTORS)])
    entry = np.repeat(np.arange(CENTRES), PATIENTS) * APART
    started = time.process_time()
    one = firth_left_truncated.fit(X.astype(float), entry, entry + frame["os_days"].to_numpy(),
                                   (frame["os_event"] == "yes").to_numpy().astype(float), 0.95)  # fmt: skip
    return time.process_time() - started, one


PUBLISHED = {
    "pda (R package, 1.3.2)": "one exchange, a surrogate likelihood: approximate by design; ODAC starts from coxph in "
    "each centre; no Firth penalty, fails in small centres with separated factors. Not run here.",
    "DataSHIELD (dsBase 6.3.4)": "ds.glm exact by rounds through a server; Cox models by meta-analysis of centres; "
    "three coefficients need ten patients a centre (nfilter.glm 0.33). Not run here.",
}


def main() -> None:
    """Measure and write the results."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, threadpool_limits(limits=1):  # as the commands do
        folder = Path(name)
        taken = by_files(folder)
        print(json.dumps(taken), flush=True)
        records = json.loads((folder / "report" / "findings.json").read_text(encoding="utf-8"))["estimates"]
        seconds, one = in_one_table()
    own = {e["term"]: e for e in records if e["analysis"] == "association" and e["model"] == "multivariable"}
    away = {}
    for column, record in (("coef", "estimate"), ("lower", "lower"), ("upper", "upper"), ("p_value", "p_value")):
        values = np.array([own[term][record] for term in FACTORS])
        away[column] = float(np.abs((values if column == "p_value" else np.log(values)) - getattr(one, column)).max())
    if away["coef"] > 1e-8 or max(away.values()) > 1e-6:
        raise SystemExit(f"answers differ: {away}")
    results = {
        "date": date.today().isoformat(), "python": platform.python_version(), "load average before": load,
        "centres": CENTRES, "patients a centre": PATIENTS, "coefficients": len(FACTORS),
        "processor's seconds": {name: round(value, 1) for name, value in taken.items()},
        "processor's seconds, one centre": round(taken["all_centres_s"] / CENTRES, 2),
        "processor's seconds, all factors together in one table": round(seconds, 1),
        "ratio": round(taken["whole_s"] / seconds, 2), "greatest difference from one table": away,
        "as published": PUBLISHED,
    }  # fmt: skip
    print(json.dumps(results, indent=1))
    if SMALL:
        return
    path = Path(__file__).resolve().parent / "results" / "pooling.json"
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**earlier, f"{CENTRES} centres": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
