"""The STROBE checklist for cohort studies: where each item stands, in which document, and what only authors can fill.

Items: von Elm E, et al. Lancet 2007;370:1453-1457; what each asks for is paraphrased.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reinfuse.report.analyses.registry import strobe
from reinfuse.report.document.model import Row, Table
from reinfuse.report.sections.headings import HEADINGS
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.results.findings import Findings

SUMMARY, OBJECTIVES, PATIENTS, ASSOCIATIONS, POWER, METHODS, LIMITS = (
    f"{{{name}}}" for name in ("summary", "asked", "patients", "associations", "power", "methods", "limits")
)
"""Stand for a section with its document."""
FOLLOW_UP = f"Supplement, {HEADINGS['survival'].mentioned}: median follow-up"
AUTHORS = "Authors to complete"
_Where = Callable[["_Held"], str]
UNPRINTED = ("averaging", "stability", "paired")
"""Analyses whose section is left out of the report where none of their numbers could be estimated."""
_Place = tuple[str, str, str]
"""An analysis or one statistic of it, the section that shows it, and what it is called there."""


def checklist(findings: Findings, answered: Mapping[str, str]) -> Table:
    """Return the checklist, true of exactly what was run.

    Parameters
    ----------
    answered
        Name of a section, or module of an analysis -> the document that has it.
    """
    held = _Held(findings, answered)
    places = {name: held.place(name) for name in HEADINGS}
    wheres = ((item, asks, where if isinstance(where, str) else where(held)) for item, asks, where in ITEMS)
    rows = tuple(Row(item, (asks, where.format_map(places))) for item, asks, where in wheres)
    notes = (f"{AUTHORS}: not available to the software; the text after it states what is required",)
    caption = "STROBE items and where report and supplement cover them"
    return Table("strobe", caption, ("Item", "Recommendation", "Where"), rows, notes)


class _Held:
    """What the findings hold: analyses, and statistics of each, that were tried and that gave a number."""

    def __init__(self, findings: Findings, answered: Mapping[str, str]) -> None:
        self.findings, self.answered = findings, answered
        records = [e for e in findings.estimates
                   if e.analysis not in UNPRINTED or e.estimate is not None or number_format.hidden(e)]  # fmt: skip
        self.tried = {k for e in records for k in (e.analysis, f"{e.analysis} {e.statistic}")}
        estimated = [e for e in records if e.estimate is not None]
        self.estimable = {k for e in estimated for k in (e.analysis, f"{e.analysis} {e.statistic}")}
        self.missing = any(e.statistic == "missing" and e.estimate for e in estimated)
        untold = [e for e in records if number_format.hidden(e)]
        self.untold = {k for e in untold for k in (e.analysis, f"{e.analysis} {e.statistic}")}
        self.excluded = any(e.term == "excluded" for e in records if e.analysis == "flow")
        self.follow_up = any(e.n and not number_format.hidden(e) for e in records if e.statistic == "median_follow_up")
        self.models = {e.model for e in records if e.analysis == "association"}

    def place(self, section: str, module: str = "") -> str:
        """Return document and section of an analysis, or of what is of none: `Report, Patients`."""
        document = self.answered.get(module) or self.answered.get(section, "Supplement")
        return f"{document}, {HEADINGS[section].mentioned}"

    def answers(self, item: str) -> tuple[_Place, ...]:
        """Return where the analyses answer an item."""
        return tuple((s.records, self.place(section, module), s.text) for module, section, s in strobe(item))

    def sections(self, *places: _Place) -> str:
        """Return the sections whose analyses were run, each with what it shows of them."""
        by_section: dict[str, list[str]] = {}
        for key, section, what in places:
            if key in self.tried:
                content = what if key in self.estimable else f"{what} ({self.why(key)})".strip()
                by_section.setdefault(section, []).extend([content] * bool(content))
        return "; ".join(
            f"{section}: {', '.join(content)}" if content else section for section, content in by_section.items()
        )

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
        return "None is shown" if self.hidden else "None was planned"


NO_OUTCOME = "No outcome in these data"


def _outcomes(held: _Held) -> str:
    return held.sections(*held.answers("15")) or NO_OUTCOME


def _bias(held: _Held) -> str:
    robustness = held.place("sure")
    return (
        f"{LIMITS}; {robustness}" if robustness in held.sections(*held.answers("12e"), *held.answers("17")) else LIMITS
    )


def _models(held: _Held) -> str:
    kinds = {"univariable": "unadjusted", "multivariable": "adjusted"}
    adjustments = [adjustment for model, adjustment in kinds.items() if model in held.models]
    if not adjustments:
        return "No model was planned"
    reason = "" if "association" in held.estimable else f"; {held.why('association')}"
    return f"{ASSOCIATIONS} ({' and '.join(adjustments)}{reason})"


def _excluded(held: _Held) -> str:
    if held.excluded:
        return ", with reasons"
    return "" if held.hidden else "; no patient was excluded"


def _missing(held: _Held) -> str:
    how = "complete cases and multiple imputation" if "imputation" in held.estimable else "complete cases"
    return f"{METHODS}: {how}" if held.models else f"{PATIENTS}: missing values are counted"


def _subgroups(held: _Held) -> str:
    if len(held.findings.described.populations) < 2:
        return "No subgroup was planned"
    sections = held.sections(*((key, section, "") for key, section, _ in held.answers("15")))
    return f"By subgroup: {sections}. Interactions were not examined" if sections else NO_OUTCOME


def _loss(held: _Held) -> str:
    described = held.findings.described
    if not any(e.kind == "time" for e in described.endpoints):
        return "No time-to-event endpoint in these data"
    return (
        f"{AUTHORS}: times are taken from the wide sheet"
        if described.wide
        else f"{METHODS}: Endpoint definitions (censoring)"
    )


def _numbers(held: _Held) -> str:
    any_number = any(f.kind == "number" for f in held.findings.described.factors)
    return f"{OBJECTIVES}: factors and the unit of each ratio" if any_number else "No quantitative factor"


def _boundaries(held: _Held) -> str:
    labels = {f.name: f.label for f in held.findings.described.factors}
    cut = [f for f in held.findings.plan.all_factors if f.above is not None and f.name in labels]
    if not cut:
        return "No quantitative factor was categorised"
    in_labels = all(f"above {f.above:g}" in labels[f.name] for f in cut)
    return f"{OBJECTIVES}: factors" if in_labels else f"{AUTHORS}: category boundaries (given in the plan)"


def _power(held: _Held) -> str:
    shown = f"{POWER}; " if "power" in held.estimable else ""
    return f"{shown}{AUTHORS}: how the study size was determined"


def _values(held: _Held) -> str:
    return f"{PATIENTS}: rows `missing`" if held.missing or held.hidden else f"{PATIENTS}: no value is missing"


def _other_evidence(held: _Held) -> str:
    return "; ".join(x for x in (f"{AUTHORS}: comparison with other studies", held.sections(*held.answers("20"))) if x)


ITEMS: tuple[tuple[str, str, str | _Where], ...] = (
    ("1 Title, abstract", "design in the title; balanced summary", f"{SUMMARY}; {AUTHORS}: the abstract"),
    ("2 Background", "rationale", f"{AUTHORS}: scientific background"),
    ("3 Objectives", "objectives and hypotheses", OBJECTIVES),
    ("4 Design", "key elements of the design", f"{OBJECTIVES}; {METHODS}"),
    ("5 Setting", "locations, dates of treatment and follow-up", f"{AUTHORS}: centres and dates"),
    ("6 Participants", "eligibility, sources and follow-up", f"{AUTHORS}: eligibility criteria and follow-up schedule"),
    ("7 Variables", "definitions of outcomes, exposures and confounders",
     f"{OBJECTIVES}; {METHODS}: Endpoint definitions"),
    ("8 Measurement", "sources and methods of assessment",
     f"{METHODS}: Endpoint definitions; {AUTHORS}: assays, imaging, assessors"),
    ("9 Bias", "efforts to address bias", _bias),
    ("10 Study size", "how the study size was determined", _power),
    ("11 Quantitative variables", "how they were handled and categorised", _numbers),
    ("12a Methods", "all statistical methods", METHODS),
    ("12b Subgroups", "how subgroups and interactions were examined", _subgroups),
    ("12c Missing data", "how missing data were addressed", _missing),
    ("12d Loss to follow-up", "how loss to follow-up was addressed", _loss),
    ("12e Sensitivity", "sensitivity analyses", lambda held: held.sections(*held.answers("12e")) or held.none),
    ("13 Participants", "numbers at each stage, reasons for exclusion, flow diagram",
     lambda held: f"{PATIENTS}: flow{_excluded(held)}; {AUTHORS}: patients screened or treated but not in the data"),
    ("14a Descriptive data", "characteristics of participants", PATIENTS),
    ("14b Missing data", "number missing for each variable", _values),
    ("14c Follow-up", "duration",
     lambda held: FOLLOW_UP if held.follow_up else f"{AUTHORS}: not in these data"),
    ("15 Outcome data", "numbers of outcome events", _outcomes),
    ("16a Main results", "unadjusted and adjusted estimates with intervals", _models),
    ("16b Categories", "category boundaries of quantitative variables", _boundaries),
    ("16c Absolute risk", "relative risks translated into absolute risks",
     lambda held: held.sections(*held.answers("16c")) or NO_OUTCOME),
    ("17 Other analyses", "subgroups, sensitivity, others",
     lambda held: held.sections(*held.answers("17")) or held.none),
    ("18 Key results", "with reference to the objectives", SUMMARY),
    ("19 Limitations", "bias, imprecision and their direction", f"{LIMITS}; {AUTHORS}: the direction of bias"),
    ("20 Interpretation", "cautious, in view of other evidence", _other_evidence),
    ("21 Generalisability", "external validity", f"{AUTHORS}: external validity"),
    ("22 Funding", "source and role of funders", f"{AUTHORS}: funding and conflicts of interest"),
)  # fmt: skip
"""Item, what it asks for, and where it stands."""
