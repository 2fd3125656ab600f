"""300 corruptions of messy sheets, each by the map of the unaltered sheet and by a new one: what came of them.

Run: python benchmarks/corrupted_sheets.py [--small]. Each is asked about, refused or read rightly; the counts by kind
go to results/corrupted_sheets.json. The generator stands in tests/sources/corruptions.py.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "sources"), str(HERE.parent / "tests")]

import corruptions_of_cells  # noqa: E402, F401 (registers its kinds)
from corruptions import SEED, VARIANTS, corrupted  # noqa: E402
from sheet_variants import WRONG, outcomes  # noqa: E402

SMALL = 12


def main(count: int) -> int:
    start = time.process_time()
    total: dict[str, Counter[str]] = {"old map": Counter(), "new map": Counter()}
    kinds: dict[str, dict[str, Counter[str]]] = {}
    wrong = []
    for kind, name, number, variant in corrupted(count):
        for which, (outcome, why) in zip(total, outcomes(name, variant), strict=True):
            total[which][outcome] += 1
            kinds.setdefault(kind, {w: Counter() for w in total})[which][outcome] += 1
            if outcome == WRONG:
                wrong.append({"number": number, "kind": kind, "sheet": name, "by": which, "why": why})
    results = {"variants": count, "seed": SEED, "processor_seconds": round(time.process_time() - start, 1),
               "outcomes": total, "read_wrongly": wrong, "by_kind": kinds}  # fmt: skip
    if count == VARIANTS:
        (HERE / "results" / "corrupted_sheets.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: v for k, v in results.items() if k != "by_kind"}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(SMALL if "--small" in sys.argv else VARIANTS))
