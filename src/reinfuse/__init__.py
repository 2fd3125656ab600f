"""reinfuse: from a cohort of repeat CAR-T infusions to a report one can trust.

>>> from reinfuse import Plan, Study, read_cohort, save              # doctest: +SKIP
>>> plan = Plan.load("plan.toml")                                    # doctest: +SKIP
>>> findings = Study(read_cohort("cohort/"), plan).run()             # doctest: +SKIP
>>> findings.to_frame()                                              # doctest: +SKIP
>>> save(findings, "report/")                                        # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reinfuse.plan import switches as _switches
from reinfuse.version import __version__

if TYPE_CHECKING:
    from reinfuse.cohort.cohort import Cohort
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.study import Findings, Study, main_tables, save
    from reinfuse.study.cohort_reading import read_cohort

__all__ = ["Cohort", "Findings", "Plan", "Study", "__version__", "main_tables", "read_cohort", "save"]

_WHERE = {"Cohort": "cohort.cohort", "read_cohort": "study.cohort_reading", "Plan": "plan.analysis_plan",
          "Study": "study", "Findings": "study", "main_tables": "study", "save": "study"}  # fmt: skip


def _switches_of_analyses() -> list[_switches.Switch]:
    """Return the settings of a plan that analyses bring along, when a plan first asks."""
    from reinfuse.analyses import registry

    return registry.switches()


_switches.collect_from(_switches_of_analyses)


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import reinfuse` and the command line start at once."""
    if name in _WHERE:
        return getattr(import_module(f"reinfuse.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'reinfuse' has no attribute {name!r}")
