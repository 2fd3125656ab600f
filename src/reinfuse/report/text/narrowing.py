"""Findings as the report describes them: of the endpoints and subgroups that the plan chooses."""

from __future__ import annotations

from dataclasses import replace

from reinfuse.cohort.strata import factor_of
from reinfuse.results.findings import Findings


def narrowed(findings: Findings) -> Findings:
    """Return findings that describe only the endpoints and subgroups that the plan chooses, endpoints in its order."""
    options, about = findings.plan.report, findings.described
    if options.endpoints is None:
        return of_subgroups(findings)
    places = {name: i for i, name in enumerate(options.endpoints)}
    shown = sorted((e for e in about.endpoints if e.name in places), key=lambda e: places[e.name])
    return of_subgroups(replace(findings, described=replace(about, endpoints=tuple(shown))))


def of_subgroups(findings: Findings) -> Findings:
    """Return findings that describe only the subgroups that the plan chooses."""
    chosen, about = findings.plan.report.subgroups, findings.described
    if chosen is None:
        return findings
    populations = tuple(p for p in about.populations if p == "all" or factor_of(p) in chosen)
    return replace(findings, described=replace(about, populations=populations))
