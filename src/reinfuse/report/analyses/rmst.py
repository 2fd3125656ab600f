"""Restricted mean survival time in the report: a table an endpoint, under time to event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.text import number_format
from reinfuse.report.text.references import Reference
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.results.findings import Findings

UNO = Reference(
    "Uno H, et al",
    "Moving beyond the hazard ratio in quantifying the between-group difference in survival analysis",
    "J Clin Oncol", 2014, "32", "2380-2385", "22", "10.1200/JCO.2014.55.2208")  # fmt: skip
_TEXT = "Mean time without the event up to the horizon. Differences and ratios are vs the first group of the factor."
_CONTRASTS = ("restricted_mean_difference", "restricted_mean_ratio")


def _tables(tables: ProtocolTables) -> Iterator[Table]:
    for end in tables.findings.described.endpoints:
        means = tables.look.all("rmst", end.name, "restricted_mean")
        lines = [_line(tables, e) for e in means]
        if lines:
            heads = ("Group", "Horizon, months", "n", "Events", f"RMST, months ({tables.ci})",
                     f"Difference, months ({tables.ci})", tables.p, f"Ratio ({tables.ci})", tables.p)  # fmt: skip
            yield tables.marked(heads, f"rmst_{end.name}", f"{end.label}: restricted mean survival time", lines)


def _line(tables: ProtocolTables, mean: Estimate) -> tuple[str, tuple[str, ...], str | None]:
    """Return a group's mean, its contrasts with the first group beside it, and the notes on both."""
    counts = [number_format.count(v) for v in (mean.n, mean.events)]
    cells = [number_format.months(mean.at), *counts, _months(mean)]
    notes = [mean.note]
    for statistic in _CONTRASTS:
        contrast = next(iter(tables.look.all("rmst", mean.endpoint, statistic, group=mean.group)), None)
        if contrast is None:
            cells += ["reference", ""]
            continue
        cells += [_months(contrast) if contrast.unit == "days" else _ratio(contrast),
                  number_format.p_value(contrast.p_value)]  # fmt: skip
        notes.append(contrast.note)
    return tables.labels.group(mean.group or ""), tuple(cells), joined(list(dict.fromkeys(notes)))


def _months(record: Estimate) -> str:
    """Return days as months with their interval."""
    if record.estimate is None:
        return number_format.UNTOLD if number_format.hidden(record) else NOT_ESTIMABLE
    limits = f" ({number_format.interval(record)})" if record.lower is not None else ""
    return f"{number_format.months(record.estimate)}{limits}"


def _ratio(record: Estimate) -> str:
    if record.estimate is None or record.lower is not None:
        return ratio(record)
    return number_format.ratio(record.estimate)


def _methods(findings: Findings, cite: Cite) -> Iterable[str]:
    setting = findings.plan.analyses.value("rmst")
    horizon = (
        "the least of the groups' largest follow-up times"
        if setting is True
        else f"{number_format.months(setting)} months"
    )
    yield (
        f"Restricted mean survival times up to {horizon} are areas under the Kaplan-Meier curves; groups were compared "
        f"by differences and ratios with normal intervals {cite('restricted_mean')}."
    )


def _parts(tables: ProtocolTables) -> Iterator[Part]:
    yield Part("survival_rmst", "Restricted mean survival time", tables=tuple(_tables(tables)), text=(_TEXT,))


SHOWN = Shown(
    _methods,
    references={"restricted_mean": UNO},
    strobe=(Strobe("17", "rmst", "restricted mean survival time"),),
    parts=_parts,
    tables_named=("rmst_{endpoint}",),
)
