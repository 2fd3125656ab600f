"""Virtual twins of the bundled cohort: do predictions depend on their number, and how good are they?

The synthetic cohort's 44 patients are predicted with 256, 1,024 and 4,096 twins each, by several seeds: what differs
between numbers of twins is set beside what differs between seeds (Monte Carlo error). No response to CART2 enters a
prediction, so each patient's is compared with the patient's own: Brier score beside that of the other patients' rate,
calibration. Of the other bundled cohorts none has second infusions with what came before them. The cohort is synthetic:
its responses were drawn from published margins, not from any mechanism, so that nothing can be learnt from it of
whether the model predicts patients.

    python benchmarks/virtual/twins.py            # half an hour on one core
    python benchmarks/virtual/twins.py --small    # 12 patients, few twins, nothing written
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from reinfuse import Plan, Study, read_cohort
from reinfuse.data import datasets
from reinfuse.simulation.population.ensemble import bundled
from reinfuse.simulation.trial.protocol import FactorialDesign, Protocols
from reinfuse.simulation.twins.patient_data import of_cohort
from reinfuse.simulation.twins.prediction_scores import score_records
from reinfuse.simulation.twins.virtual_twins import MEMBERS, PREDICTED, TwinPredictions, simulate_twins

SMALL = "--small" in sys.argv
TWINS = (2, 4) if SMALL else (16, 64, 256)
"""In each member."""
SEEDS = (2, 1) if SMALL else (8, 5, 3)
"""Seeds of each number of twins."""
RESULTS = Path(__file__).parents[1] / "results" / "virtual_twins.json"
PROTOCOLS = Protocols(grid=FactorialDesign(regimens=(("Cy-Flu", "Cy-Flu"),), cart2_dose_cells_per_kg=(2e7,)),
                      follow_days=56.0)  # fmt: skip


def predicted(patients: tuple, twins: int, seed: int) -> TwinPredictions:
    return simulate_twins(patients, PROTOCOLS, bundled(), seed=seed, members=2 if SMALL else MEMBERS, twins=twins)


def main() -> None:
    """Predict, compare, write."""
    data = datasets()["synthetic_gauthier_2021"]
    plan = data.plan or Plan.built_in()
    study = Study(read_cohort(data.path, plan.columns, used=plan.used_columns), plan)
    patients = of_cohort(study.cohort, study.data, plan=plan, counts=study.counts)[: 12 if SMALL else None]
    rows, scored = [], None
    for twins, seeds in zip(TWINS, SEEDS, strict=True):
        began, each = time.process_time(), []
        for seed in range(1, seeds + 1):
            scored = predicted(patients, twins, seed)
            each.append((float(scored.own.mean()), float(scored.levels[:, 0, 0].mean()), scored.distinct))
        own, given, distinct = np.array(each).T
        rows.append({
            "twins_a_patient": twins * (2 if SMALL else MEMBERS), "seeds": seeds,
            "own_second_infusion": own.mean(), "own_sd_of_seeds": own.std(ddof=1) if seeds > 1 else None,
            "cy_flu_2e7": given.mean(), "cy_flu_2e7_sd_of_seeds": given.std(ddof=1) if seeds > 1 else None,
            "distinct": float(np.median(distinct)), "processor_seconds": (time.process_time() - began) / seeds,
        })  # fmt: skip
        print(json.dumps(rows[-1]), flush=True)
    assert scored is not None
    scores = score_records(scored.expected, scored.responded, population="synthetic", group=PREDICTED)
    left_out = ("analysis", "population")
    records = [{k: v for k, v in e.as_dict().items() if v is not None and k not in left_out} for e in scores]
    results = {"cohort": "synthetic_gauthier_2021 (synthetic)", "members": MEMBERS, "by_number": rows,
               "observed": [int(scored.responded.sum()), len(scored.responded)], "scores": records}  # fmt: skip
    if not SMALL:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
