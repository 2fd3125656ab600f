"""Does a price on toxicities move the best protocol away from the limits of the design space, and what does it buy?

One set of evaluations (a space-filling design and the optimiser's paths), read with several weights of a toxicity: the
best protocol of each, which of its variables lie at their limits, objective and toxicities, and the frontier.

    python benchmarks/virtual/frontier.py            # a quarter of an hour on one core
    python benchmarks/virtual/frontier.py --small    # few patients and protocols, nothing written
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from reinfuse.simulation.population.ensemble import bundled
from reinfuse.simulation.search.design_space import Question
from reinfuse.simulation.search.search import SearchResult, SearchSize, search, search_key
from reinfuse.simulation.trial.array_store import ArrayStore

SMALL = "--small" in sys.argv
SEED, PATIENTS = 1, 512 if SMALL else 4096
SIZE = SearchSize(4, 2, 2, 2, 5) if SMALL else SearchSize(48, 12, 8, 3, 40)
WEIGHTS = (0.0, 0.02) if SMALL else (0.0, 0.02, 0.05, 0.1, 0.2)
QUESTION = Question(max_crs_rate=0.3 if SMALL else 0.15)
RESULTS = Path(__file__).parents[1] / "results" / "virtual_frontier.json"


def summary(result: SearchResult) -> dict[str, object]:
    """Return the best protocol, and which of its variables lie at their limits."""
    question, best = result.question, result.finalists.protocols[0]
    at = question.by_name(best.point)
    edge = [f"{name} {side}" for name, side in question.at_limits(best.point).items()]
    return {"weight": question.toxicity_weight, "best": question.arm(best.point).name, "at_limits": edge, **at,
            "objective": best.value.mean, "severe_crs": best.toxicity.mean, "toxicities": best.burden.mean,
            "near_optimal": int(result.region.inside.sum()), "evaluated": len(result.region.protocols),
            "frontier": [{"protocol": question.arm(result.region.protocols[k].point).name,
                          "objective": result.region.protocols[k].value.mean,
                          "toxicities": result.region.protocols[k].burden.mean}
                         for k in result.region.frontier]}  # fmt: skip


def main() -> None:
    """Search with each weight, from one store of evaluations; write."""
    ensemble, rows = bundled(), []
    with tempfile.TemporaryDirectory() as folder:
        store = ArrayStore(Path(folder), search_key(QUESTION, ensemble, SEED, PATIENTS))
        for weight in WEIGHTS:
            began = time.process_time()
            asked = replace(QUESTION, toxicity_weight=weight)
            rows.append(summary(search(asked, ensemble, SEED, patients=PATIENTS, size=SIZE, store=store)))
            rows[-1]["processor_seconds"] = time.process_time() - began
            print(json.dumps({k: v for k, v in rows[-1].items() if k != "frontier"}), flush=True)
    if not SMALL:
        results = {"patients": PATIENTS, "members": len(ensemble), "weights": rows}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
