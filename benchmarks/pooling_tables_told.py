"""How many centres tell the table of one factor and the response in tables mode, and what keeps the others back.

Simulated centres of one size: a factor of two levels, half or a third of the patients with it, 50 % respond without it
and with an odds ratio of 1 or 3; a share of the patients lacks the factor. What is told is decided by the code itself.
Run: python benchmarks/pooling_tables_told.py [--small].
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "pooling"))
from splitting import centre_of, study_of

from reinfuse.pooling.table_choice import TableChoice, for_size

SMALL = "--small" in sys.argv
CENTRES = 5 if SMALL else 400
SIZES = (40,) if SMALL else (15, 20, 30, 40, 60, 80, 120)
FACTOR, LEVELS = "f", ("no", "yes")


def why(choice: TableChoice, k: int) -> str:
    """Return what became of the table."""
    if "x" in choice.withheld:
        return "few with or without a response in the centre"
    reason = choice.withheld.get("x: f")
    if reason is None:
        return "told" if len(choice.tables["x: f"].patterns) == len(LEVELS) else "a level is left out"
    return "few at a level" if reason == for_size(k) else "few with or without a response at a level"


def share(patients: int, *, k: int, prevalence: float, odds_ratio: float, missing: float, needed: bool) -> Counter[str]:
    """Return what became of the tables of simulated centres."""
    left_out = (FACTOR,) if needed else ()
    study = study_of(("A", "B", "C"), {FACTOR: LEVELS}, {"x": "binary"}, small_cells=k, leave_out_missing=left_out)
    rng = np.random.default_rng(18)
    became: Counter[str] = Counter()
    for _ in range(CENTRES):
        f = (rng.random(patients) < prevalence).astype(int)
        event = (rng.random(patients) < np.where(f == 1, odds_ratio / (1 + odds_ratio), 0.5)).astype(float)
        f[rng.random(patients) < missing] = -1
        became[why(TableChoice(centre_of(study, {FACTOR: f}, {"x": (event, None)})), k)] += 1
    return became


def main() -> None:
    """Simulate and write the results."""
    rows = []
    settings = [*((0.5, r, 0.0, False) for r in (1.0, 3.0)), *((1 / 3, r, 0.0, False) for r in (1.0, 3.0)),
                *((0.5, 1.0, 0.05, needed) for needed in (False, True))]  # fmt: skip
    for k, (prevalence, odds_ratio, missing, needed), patients in product((3, 5), settings, SIZES):
        became = share(patients, k=k, prevalence=prevalence, odds_ratio=odds_ratio, missing=missing, needed=needed)
        rows.append({"k": k, "patients": patients, "with the factor": round(prevalence, 2), "odds ratio": odds_ratio,
                     "missing": missing, "left out where missing": needed,
                     **{what: round(n / CENTRES, 3) for what, n in sorted(became.items())}})  # fmt: skip
        print(rows[-1])
    if not SMALL:
        path = Path(__file__).resolve().parent / "results" / "pooling_tables_told.json"
        contents = {"date": date.today().isoformat(), "centres a row": CENTRES, "rows": rows}
        path.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
