"""Virtual twins of the bundled cohort: do predictions depend on their number, and how good are they?

Sixteen of the synthetic cohort's patients are predicted with 256, 1,024 and 4,096 twins each, by several seeds: what
differs between numbers of twins is set beside what differs between seeds (Monte Carlo error). All 44 are predicted
once; no response to CART2 enters a prediction, so each patient's is compared with the patient's own: Brier score beside
that of the other patients' rate, calibration. Of the other bundled cohorts none has second infusions with what came
before them. The cohort is synthetic: its responses were drawn from published margins, not from any mechanism, so that
nothing can be learnt from it of whether the model predicts patients.

    python benchmarks/virtual/twins.py            # minutes of one core
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
from reinfuse.simulation.twins.patient_data import PatientData, of_cohort
from reinfuse.simulation.twins.prediction_scores import score_records
from reinfuse.simulation.twins.virtual_twins import MEMBERS, PREDICTED, TwinPredictions, simulate_twins

SMALL = "--small" in sys.argv
POPULATIONS = 2 if SMALL else MEMBERS
TWINS = (2, 4) if SMALL else (16, 64, 256)
"""In each population."""
SEEDS = (2, 1) if SMALL else (3, 2, 1)
"""Seeds of each number of twins."""
SOME = 16
"""Patients in whom numbers of twins are compared."""
RESULTS = Path(__file__).parents[1] / "results" / "virtual_twins.json"
PROTOCOLS = Protocols(grid=FactorialDesign(regimens=(("Cy-Flu", "Cy-Flu"),), cart2_dose_cells_per_kg=(2e7,)),
                      follow_days=56.0)  # fmt: skip


def predicted(patients: tuple[PatientData, ...], twins: int, seed: int) -> TwinPredictions:
    return simulate_twins(patients, PROTOCOLS, bundled(), seed=seed, members=POPULATIONS, twins=twins)


def by_number(patients: tuple[PatientData, ...], twins: int, seeds: int) -> dict[str, object]:
    """Return predictions with a number of twins, and how they vary between seeds."""
    began = time.process_time()
    every = [predicted(patients, twins, seed) for seed in range(1, seeds + 1)]
    own, given = (np.array([f(one) for one in every])
                  for f in (lambda t: float(t.own.mean()), lambda t: float(t.levels[:, 0, 0].mean())))  # fmt: skip
    return {"twins_a_patient": twins * POPULATIONS, "seeds": seeds, "own_second_infusion": own.tolist(),
            "cy_flu_2e7": given.tolist(), "distinct": float(np.median([t.distinct for t in every])),
            "processor_seconds": (time.process_time() - began) / seeds}  # fmt: skip


def _short(record: dict[str, object]) -> dict[str, object]:
    return {k: v for k, v in record.items() if v is not None and k not in ("analysis", "population")}


def main() -> None:
    """Predict, compare, write."""
    data = datasets()["synthetic_gauthier_2021"]
    plan = data.plan or Plan.built_in()
    study = Study(read_cohort(data.path, plan.columns, used=plan.used_columns), plan)
    patients = of_cohort(study.cohort, study.data, plan=plan, counts=study.counts)[: 12 if SMALL else None]
    began = time.process_time()
    every = predicted(patients, TWINS[0], 1)
    scores = score_records(every.expected, every.responded, population="synthetic", group=PREDICTED)
    results = {"cohort": "synthetic_gauthier_2021 (synthetic)", "populations": POPULATIONS,
               "processor_seconds": time.process_time() - began,
               "observed": [int(every.responded.sum()), len(every.responded)],
               "scores": [_short(e.as_dict()) for e in scores],
               "patients_compared": SOME, "by_number": []}  # fmt: skip
    for twins, seeds in zip(TWINS, SEEDS, strict=True):
        results["by_number"].append(by_number(patients[:SOME], twins, seeds))
        print(json.dumps(results["by_number"][-1]), flush=True)
        if not SMALL:
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
