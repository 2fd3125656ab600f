"""The estimates of a folder of results as a list that can be filtered: each with what it is of, and as a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.notebook.sentence import sentence
from reinfuse.report.text import number_format
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import Labels, with_own_labels
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings


@dataclass(frozen=True)
class ListedEstimate:
    """One estimate in words; `text` holds interval, n and events, `p` is empty where there is none."""

    analysis: str
    endpoint: str
    population: str
    term: str
    statistic: str
    text: str
    p: str
    method: str
    note: str


@dataclass(frozen=True)
class EstimateList:
    """The estimates that were asked for.

    Attributes
    ----------
    shown
        The first of them.
    matching, of
        How many were meant, and of how many.
    analyses, endpoints
        By which one can filter, in order; endpoints by name with their label.
    """

    shown: tuple[ListedEstimate, ...]
    matching: int
    of: int
    analyses: tuple[str, ...]
    endpoints: Mapping[str, str]


def estimate_list(results: Path, *, analysis: str = "", endpoint: str = "", words: Sequence[str] = (),
                  most: int = 200) -> EstimateList:  # fmt: skip
    """Return estimates of a folder of results.

    Parameters
    ----------
    analysis, endpoint
        Name of the only one that is wanted; "": all.
    words
        Each must occur in what an estimate is of, its method or its note.
    most
        As many are written out.

    Raises
    ------
    CohortRefused
        If the folder holds no results.
    """
    findings = with_own_labels(Findings.load(results))
    labels = Labels(findings)
    chosen = [e for e in findings.estimates
              if (not analysis or e.analysis == analysis) and (not endpoint or e.endpoint == endpoint)]  # fmt: skip
    wanted = [w.casefold() for w in words]
    described = ((e, _of(e, labels)) for e in chosen)
    meant = [(e, of) for e, of in described if all(w in " ".join(of.values()).casefold() for w in wanted)]
    with printed_as(findings.plan.report):
        shown = tuple(_listed(e, of, findings.estimates) for e, of in meant[:most])
    ends = {e.name: e.label for e in findings.described.endpoints}
    return EstimateList(shown, len(meant), len(findings.estimates),
                        tuple(dict.fromkeys(e.analysis for e in findings.estimates)), ends)  # fmt: skip


def _of(e: Estimate, labels: Labels) -> dict[str, str]:
    """Return in words what an estimate is of, and how it was made."""
    places = dict.fromkeys(labels.population(p) for p in (e.group, e.population) if p)
    at = f", {e.at / DAYS_A_MONTH:.1f} months".replace(".0 ", " ") if e.at is not None else ""
    infusion = f", infusion {e.infusion}" if e.infusion is not None else ""
    return {"analysis": e.analysis.replace("_", " "), "endpoint": labels.endpoint(e.endpoint) if e.endpoint else "",
            "population": " in ".join(places),
            "term": _term(e, labels) + (f" ({e.model})" if e.model else ""),
            "statistic": f"{e.statistic.replace('_', ' ')}{at}{infusion}", "method": e.method or "",
            "note": e.note or ""}  # fmt: skip


def _term(e: Estimate, labels: Labels) -> str:
    """Return the label of an effect, of one level, or of a factor."""
    if not e.stratum:
        return ""
    is_level = e.level is not None and not any(word in e.statistic for word in ("ratio", "difference"))
    return labels.group(e.stratum) if is_level else labels.term(e.stratum)


def _listed(e: Estimate, of: Mapping[str, str], estimates: Sequence[Estimate]) -> ListedEstimate:
    p = number_format.p_value(e.p_value) if e.p_value is not None else ""
    return ListedEstimate(text=sentence(e, estimates, unit="days"), p=p, **of)
