"""reinfuse: from a cohort of repeat CAR-T infusions to a report one can trust.

>>> import reinfuse
>>> report = reinfuse.Report(reinfuse.analyze("sheet.csv", "plan.toml"))
>>> report.regression("pfs").save("table2.docx").name
'table2.docx'
>>> report.inline("response")
'100% (95% CI 77% to 100%; 14 of 14 patients)'

docs/python.md shows all of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reinfuse.plan import switches as _switches
from reinfuse.version import __version__

if TYPE_CHECKING:
    from reinfuse import evidence, exceptions, statistics
    from reinfuse.cohort.cohort import Cohort
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.study import Findings, Report, Study, analyze, main_tables, save
    from reinfuse.study.cohort_reading import read_cohort

__all__ = [
    "Cohort", "Findings", "Plan", "Report", "Study", "__version__", "analyze", "evidence", "exceptions", "main_tables",
    "read_cohort", "save", "statistics",
]  # fmt: skip

_WHERE = {"Cohort": "cohort.cohort", "read_cohort": "study.cohort_reading", "Plan": "plan.analysis_plan",
          **dict.fromkeys(("Findings", "Report", "Study", "analyze", "main_tables", "save"), "study")}  # fmt: skip
_ROOMS = ("evidence", "exceptions", "statistics")


def _switches_of_analyses() -> list[_switches.Switch]:
    """Return the settings of a plan that analyses bring along, when a plan first asks."""
    from reinfuse.analyses import registry

    return registry.switches()


_switches.collect_from(_switches_of_analyses)


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import reinfuse` and the command line start at once."""
    if name in _WHERE:
        return getattr(import_module(f"reinfuse.{_WHERE[name]}"), name)
    if name in _ROOMS:
        return import_module(f"reinfuse.{name}")
    raise AttributeError(f"module 'reinfuse' has no attribute {name!r}{_hint(name)}")


def __dir__() -> list[str]:
    return __all__


def _hint(name: str) -> str:
    """Return what a name is a slip of, or the names that there are; nothing for those that Python looks for."""
    if name.startswith("_"):
        return ""
    from reinfuse.exceptions import nearest

    near = nearest(name, __all__, short=3)
    return f"; did you mean {near!r}?" if near else f"; there are {', '.join(n for n in __all__ if n[0] != '_')}"
