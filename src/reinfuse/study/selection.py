"""A part of an analysis: the analyses and the parts of the folder of results that somebody names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reinfuse.analyses.registry import modules
from reinfuse.exceptions import Problem, RequestRefused, nearest
from reinfuse.plan.analysis_plan import Plan
from reinfuse.report.export.results_folder import BRIEF, PARTS

ALWAYS = "flow"
"""Run in any case: every document says how many patients there are."""


@dataclass(frozen=True)
class Selection:
    """What was named.

    Attributes
    ----------
    names
        As they were given, each once.
    analyses
        Analyses to run, by `Analysis.name`; empty: all.
    parts
        Parts of the folder to write.
    """

    names: tuple[str, ...] = ()
    analyses: tuple[str, ...] = ()
    parts: tuple[str, ...] = PARTS


def selectable() -> tuple[str, ...]:
    """Return all names, analyses in the order in which they run, then parts of the folder."""
    return (*(name for name, analysis in modules().items() if not analysis.sampled and name != ALWAYS), *PARTS)


def selection(names: Iterable[str], plan: Plan) -> Selection:
    """Return what names stand for; without any, everything.

    The patients' brief tells the whole analysis: of named analyses it is written if it is named too.

    Raises
    ------
    RequestRefused
        With each name that is none, and each analysis that the plan switches off or does not ask for.
    """
    given = tuple(dict.fromkeys(names))
    problems = [problem for name in given for problem in _problems(name, plan)]
    if problems:
        raise RequestRefused(problems)
    analyses = tuple(modules()[name].name for name in given if name in modules())
    parts = tuple(name for name in PARTS if name in given)
    if not parts:
        parts = tuple(name for name in PARTS if name != BRIEF or not analyses)
    return Selection(given, (modules()[ALWAYS].name, *analyses) if analyses else (), parts)


def _problems(name: str, plan: Plan) -> Iterable[Problem]:
    every = selectable()
    if name not in every:
        near = nearest(name, every)
        hint = f"did you mean {near}? " if near else ""
        yield Problem(value=name, rule="is no analysis and no part of the results",
                      remedy=f"{hint}use: {', '.join(every)}")  # fmt: skip
    elif name in modules():
        analysis = modules()[name]
        if analysis.applies is not None and not analysis.applies(plan):
            yield Problem(value=name, rule=f"is not asked for: {analysis.lacking} in the plan",
                          remedy=f"add [{name}] to the plan, as docs/plan.md shows")  # fmt: skip
            return
        off = analysis.off(plan)
        if analysis.own_switch is not None and not analysis.wanted_by(plan):
            off = [analysis.own_switch.name]
        for switch in off[:1]:
            yield Problem(value=name, rule="is switched off by the plan", remedy=f"set {switch} under [analyses]")
