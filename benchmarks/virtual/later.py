"""Published results that were read after the calibration, beside the bundled ensemble: validation, never fitted.

    python benchmarks/virtual/later.py            (minutes; writes results/virtual_later.csv and .json)

Most are of other products than that of the reference study, several of children, and of best response, which is at
least that of day 28: `later_targets.csv` says which. A median is a result of one half on its day; a curve is what it
says on some days, with as many patients as its standard error has (integers at risk beside). No model: the pooled
results that were known at the calibration.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from reinfuse.simulation.calibration.posterior_checks import Agreement, simulated_targets, table_of_targets, totals
from reinfuse.simulation.calibration.scores import without_model
from reinfuse.simulation.calibration.targets import TARGETS, read
from reinfuse.simulation.population.ensemble import Ensemble, bundled

SMALL = "--small" in sys.argv
SEED, PATIENTS, MEMBERS = 20210122, 352 if SMALL else 1408, 6 if SMALL else 400
ROOM = Path(tempfile.mkdtemp()) if SMALL else Path(__file__).parents[1] / "results"
LATER = read(pl.read_csv(Path(__file__).parent / "later_targets.csv", infer_schema_length=None))


def main() -> None:
    """Simulate, score, write."""
    assert not {t.name for t in LATER} & {t.name for t in TARGETS}
    assert all(t.role == "held out" for t in LATER)
    every = bundled()
    some = np.linspace(0, len(every) - 1, MEMBERS).astype(int)
    ensemble = Ensemble(every.z[some], every.intercept[some], np.broadcast_to(every.discrepancy, len(every))[some])
    values = simulated_targets(ensemble, SEED, PATIENTS, targets=LATER)
    table = table_of_targets(ensemble, values, targets=LATER)
    pooled = [without_model(t, TARGETS) for t in LATER]
    table = table.with_columns(
        pl.Series("reference_log_score", [p and p.log_score for p in pooled], dtype=pl.Float64),
        pl.Series("reference_interval_score", [p and p.interval_score for p in pooled], dtype=pl.Float64),
    )
    table.write_csv(ROOM / "virtual_later.csv", float_precision=4)
    entry = {"members": len(ensemble), "patients": PATIENTS, **vars(Agreement.among(table)),
             "scores": totals(table),
             "not_met": table.filter(~pl.col("met"))["target"].to_list(),
             "out_of_range": table.filter(~pl.col("in_range"))["target"].to_list()}  # fmt: skip
    (ROOM / "virtual_later.json").write_text(json.dumps(entry, indent=1) + "\n")
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
