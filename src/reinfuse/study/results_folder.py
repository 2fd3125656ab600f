"""What a folder of results says of itself: of which plan and data it is, when it was made, and its documents."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.study.plans import plan_of

FORMATS = (".html", ".docx", ".pdf")


@dataclass(frozen=True)
class AboutResults:
    """What a folder of results is of.

    Attributes
    ----------
    made
        When it was written (UTC).
    is_of_plan
        Whether it is of the plan as it is now.
    synthetic
        Whether the data are.
    """

    title: str
    patients: int
    made: datetime
    is_of_plan: bool
    synthetic: bool


def about_results(results: Path, plan: Path) -> AboutResults:
    """Return what a folder of results is of.

    Raises
    ------
    CohortRefused
        If it holds no results.
    PlanRefused
        If the plan cannot be read.
    """
    path = results / "findings.json"
    try:
        of = json.loads(path.read_text(encoding="utf-8"))["provenance"]
        made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return AboutResults(of["title"], int(of["described"]["patients"]), made, of["plan"] == plan_of(plan).digest,
                            bool(of["synthetic"]))  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        rule, remedy = "holds no results that can be read", "run the analysis again"
        raise CohortRefused([Problem(value=str(results), rule=rule, remedy=remedy)]) from None


def documents(results: Path) -> dict[str, tuple[str, ...]]:
    """Return the documents of a folder by name, each with the formats (endings) in which it is there."""
    every = {p.stem: () for p in sorted(results.glob("*.html"))}
    order = {"report": 0, "supplement": 1}
    return {name: tuple(f for f in FORMATS if (results / f"{name}{f}").is_file())
            for name in sorted(every, key=lambda n: (order.get(n, 2), n))}  # fmt: skip
