"""The STROBE checklist for cohort studies: where each item stands in the report, and what only the authors can fill.

Items: von Elm E, et al. Lancet 2007;370:1453-1457; what each asks is said in our own, shorter words.
"""

from __future__ import annotations

from collections.abc import Callable

from reinfuse.report.document.model import Row, Table
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.results.findings import Findings

AUTHORS = "Only the authors"
_Where = Callable[["_Held"], str]
UNPRINTED = ("averaging", "stability", "paired")
"""Analyses whose section is left out of the report where none of their numbers could be estimated."""
_Place = tuple[str, str, str]
"""An analysis or one statistic of it, the section that shows it, and what it is called there."""


def checklist(findings: Findings) -> Table:
    """Return the checklist, true of exactly what was run."""
    held = _Held(findings)
    rows = tuple(Row(item, (asks, where if isinstance(where, str) else where(held))) for item, asks, where in ITEMS)
    notes = (f"{AUTHORS}: what no software can know; the text after it says what is wanted",)
    return Table("strobe", "STROBE items and where they stand", ("Item", "Asks for", "Where"), rows, notes)


class _Held:
    """What the findings hold: analyses, and statistics of each, that were tried and that gave a number."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        records = [e for e in findings.estimates
                   if e.analysis not in UNPRINTED or e.estimate is not None or number_format.hidden(e)]  # fmt: skip
        self.tried = {k for e in records for k in (e.analysis, f"{e.analysis} {e.statistic}")}
        known = [e for e in records if e.estimate is not None]
        self.known = {k for e in known for k in (e.analysis, f"{e.analysis} {e.statistic}")}
        self.missing = any(e.statistic == "missing" and e.estimate for e in known)
        untold = [e for e in records if number_format.hidden(e)]
        self.untold = {k for e in untold for k in (e.analysis, f"{e.analysis} {e.statistic}")}
        self.excluded = any((e.term or "").startswith("excluded") for e in records if e.analysis == "flow")
        self.follow_up = any(e.n and not number_format.hidden(e) for e in records if e.statistic == "median_follow_up")
        self.models = {e.model for e in records if e.analysis == "association"}

    def sections(self, *places: _Place) -> str:
        """Return the sections whose analyses were run, each with what it shows of them."""
        found: dict[str, list[str]] = {}
        for key, section, what in places:
            if key in self.tried:
                said = what if key in self.known else f"{what} ({self.why(key)})".strip()
                found.setdefault(section, []).extend([said] * bool(said))
        return "; ".join(f"{section}: {', '.join(said)}" if said else section for section, said in found.items())

    def why(self, key: str) -> str:
        """Return why no number of an analysis is there."""
        return number_format.UNTOLD if key in self.untold else NOT_ESTIMABLE

    @property
    def hidden(self) -> bool:
        """Whether any number was suppressed."""
        return bool(self.untold)

    @property
    def none(self) -> str:
        """What is said where nothing is found; small numbers that are not shown may have been."""
        return "None is shown" if self.hidden else "None was asked for"


SURE: tuple[_Place, ...] = (
    ("calibrated", "How sure", "simulated reference distribution"),
    ("sensitivity e_value", "How sure", "E-values"),
    ("influence", "How sure", "single patients"),
    ("proportional", "How sure", "proportional hazards"),
    ("imputation", "How sure", "imputation"),
    ("permutation", "Factors associated with outcome", "permutation"),
)
OTHER: tuple[_Place, ...] = (
    ("averaging", "How sure", "model averaging"),
    ("stability", "How sure", "bootstrap selection"),
    ("landmark", "Factors learnt after the infusion", "landmark"),
    ("time_dependent", "Factors learnt after the infusion", "time-dependent"),
    ("competing p_value", "Time to event", "Gray's test"),
    ("competing subdistribution_hazard_ratio", "Time to event", "Fine and Gray's model"),
    ("standardised", "Combinations of protocols", ""),
    ("paired", "This infusion and the one before", ""),
)
OUTCOMES: tuple[_Place, ...] = (
    ("response", "Response", ""),
    ("survival", "Time to event", ""),
    ("competing rate_at", "Time to event", "competing events too"),
    ("toxicity", "Toxicity", ""),
)
ABSOLUTE: tuple[_Place, ...] = (
    ("response proportion", "Response", "shares of patients"),
    ("survival rate_at", "Time to event", "at set months"),
    ("standardised", "Combinations of protocols", ""),
)
NO_OUTCOME = "No outcome is in these data"


def _outcomes(held: _Held) -> str:
    return held.sections(*OUTCOMES) or NO_OUTCOME


def _bias(held: _Held) -> str:
    return "Limits; How sure" if "How sure" in held.sections(*SURE, *OTHER) else "Limits"


def _models(held: _Held) -> str:
    kinds = {"univariable": "unadjusted", "multivariable": "adjusted"}
    told = [said for model, said in kinds.items() if model in held.models]
    if not told:
        return "No model was asked for"
    known = "" if "association" in held.known else f"; {held.why('association')}"
    return f"Factors associated with outcome ({' and '.join(told)}{known})"


def _excluded(held: _Held) -> str:
    if held.excluded:
        return ", with reasons"
    return "" if held.hidden else "; nobody in the data was excluded"


def _missing(held: _Held) -> str:
    how = "multiple imputation beside complete cases" if "imputation" in held.known else "complete cases"
    return f"Methods: {how}" if held.models else "Patients: those not known are counted"


def _subgroups(held: _Held) -> str:
    if len(held.findings.described.populations) < 2:
        return "No subgroup was asked for"
    found = held.sections(*((key, section, "") for key, section, _ in OUTCOMES))
    return f"By subgroup: {found}. Interactions were not examined" if found else NO_OUTCOME


def _loss(held: _Held) -> str:
    described = held.findings.described
    if not any(e.kind == "time" for e in described.endpoints):
        return "No time to event is in these data"
    return f"{AUTHORS}: times are as the sheet has them" if described.wide else "Methods: Rules (censoring)"


def _numbers(held: _Held) -> str:
    any_number = any(f.kind == "number" for f in held.findings.described.factors)
    return "What was asked: factors, and the step of each ratio" if any_number else "No factor is a number"


def _boundaries(held: _Held) -> str:
    labels = {f.name: f.label for f in held.findings.described.factors}
    cut = [f for f in held.findings.plan.all_factors if f.above is not None and f.name in labels]
    if not cut:
        return "No factor is a grouped number"
    told = all(f"above {f.above:g}" in labels[f.name] for f in cut)
    return "What was asked: factors" if told else f"{AUTHORS}: the boundaries, which the plan holds"


def _power(held: _Held) -> str:
    shown = "What this cohort could have seen; " if "power" in held.known else ""
    return f"{shown}{AUTHORS}: why these patients, and no more"


def _values(held: _Held) -> str:
    return "Patients: rows `not known`" if held.missing or held.hidden else "Patients: no value of the table is missing"


ITEMS: tuple[tuple[str, str, str | _Where], ...] = (
    ("1 Title, abstract", "the design in the title, a balanced summary", f"Summary; {AUTHORS}: the abstract"),
    ("2 Background", "why the study was done", f"{AUTHORS}: what was known before"),
    ("3 Objectives", "what was asked", "What was asked"),
    ("4 Design", "the design, early on", "What was asked; Methods"),
    ("5 Setting", "places, dates of treatment and follow-up", f"{AUTHORS}: centres and years"),
    ("6 Participants", "who could take part, how they were followed", f"{AUTHORS}: criteria and follow-up visits"),
    ("7 Variables", "outcomes, factors, confounders defined", "What was asked; Methods: Rules"),
    ("8 Measurement", "sources and methods of assessment", f"Methods: Rules; {AUTHORS}: assays, imaging, who assessed"),
    ("9 Bias", "what was done about bias", _bias),
    ("10 Study size", "how the size came about", _power),
    ("11 Numbers as factors", "how they were used and grouped", _numbers),
    ("12a Methods", "all statistical methods", "Methods"),
    ("12b Subgroups", "how subgroups and interactions were examined", _subgroups),
    ("12c Missing data", "how missing data were dealt with", _missing),
    ("12d Loss to follow-up", "how it was dealt with", _loss),
    ("12e Sensitivity", "sensitivity analyses", lambda held: held.sections(*SURE) or held.none),
    ("13 Numbers", "patients at each stage, reasons, a diagram",
     lambda held: f"Patients: flow{_excluded(held)}; {AUTHORS}: those screened or treated but not in the data"),
    ("14a Characteristics", "who the patients were", "Patients"),
    ("14b Missing values", "how many for each variable", _values),
    ("14c Follow-up", "how long",
     lambda held: "Time to event: median follow-up" if held.follow_up else f"{AUTHORS}: not in these data"),
    ("15 Outcomes", "numbers of events", _outcomes),
    ("16a Main results", "unadjusted and adjusted estimates with intervals", _models),
    ("16b Categories", "boundaries of grouped numbers", _boundaries),
    ("16c Absolute risk", "relative risks put into absolute ones",
     lambda held: held.sections(*ABSOLUTE) or NO_OUTCOME),
    ("17 Other analyses", "subgroups, sensitivity, others", lambda held: held.sections(*OTHER) or held.none),
    ("18 Key results", "by objective", "Summary"),
    ("19 Limitations", "bias, imprecision, their direction", f"Limits; {AUTHORS}: the direction of bias"),
    ("20 Interpretation", "cautious, with other evidence", f"{AUTHORS}: results of other studies"),
    ("21 Generalisability", "to whom it applies", f"{AUTHORS}: which other patients these are like"),
    ("22 Funding", "source and role of funders", f"{AUTHORS}: money and interests"),
)  # fmt: skip
"""Item, what it asks for, and where it stands."""
