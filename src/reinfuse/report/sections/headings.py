"""The sections of report and supplement, in order: what each is called in headings, contents and checklist."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace


@dataclass(frozen=True)
class Heading:
    """What a section is called.

    Attributes
    ----------
    name
        By which analyses and figures name the section where they stand.
    title
        Its heading; `{before}` and `{index}` stand for the numbers of two infusions.
    short
        In the list of contents; empty: the title.
    mention
        Where the checklist names it; empty: the title.
    told_in
        The section of the report at whose end readers are told that the supplement has this one.
    """

    name: str
    title: str
    _: KW_ONLY
    short: str = ""
    mention: str = ""
    told_in: str = ""

    @property
    def mentioned(self) -> str:
        """What the checklist calls the section."""
        return self.mention or self.title

    def of(self, index_infusion: int) -> Heading:
        """Return the heading in a report on outcomes after this infusion."""
        numbers = {"before": index_infusion - 1, "index": index_infusion}
        return replace(self, title=self.title.format(**numbers), short=self.short.format(**numbers))

    @property
    def reader(self) -> str:
        """Return the section of the report whose reader looks for this one."""
        return self.told_in or self.name


_ORDER = (
    Heading("summary", "Key findings"),
    Heading("asked", "Objectives", told_in="methods"),
    Heading("patients", "Patients"),
    Heading("course", "Clinical course of each patient", short="Clinical course"),
    Heading("response", "Response"),
    Heading("survival", "Time to event"),
    Heading("toxicity", "Toxicity"),
    Heading("associations", "Factors associated with outcome", short="Associations"),
    Heading("sure", "Robustness and sensitivity analyses", short="Robustness", told_in="associations"),
    Heading("power", "Power: smallest detectable effect", short="Power", told_in="associations"),
    Heading(
        "later",
        "Post-infusion (post-baseline) factors: landmark and time-dependent analyses",
        short="Post-infusion factors",
        mention="Post-infusion factors",
        told_in="survival",
    ),
    Heading(
        "protocols",
        "Standardised outcomes by protocol (g-computation)",
        short="Standardised outcomes",
        mention="Standardised outcomes",
        told_in="associations",
    ),
    Heading(
        "paired",
        "Within-patient comparison of CART{before} and CART{index}",
        short="CART{before} vs CART{index}",
        mention="Within-patient comparison",
        told_in="response",
    ),
    Heading("kinetics", "CAR-T cell kinetics", short="Kinetics", told_in="response"),
    Heading("evidence", "In the light of published studies", short="Published studies", told_in="response"),
    Heading("limits", "Limitations"),
    Heading("methods", "Methods"),
    Heading("warnings", "Data quality and warnings", told_in="methods"),
    Heading("strobe", "STROBE checklist", told_in="methods"),
    Heading("provenance", "Provenance", told_in="methods"),
)
HEADINGS = {heading.name: heading for heading in _ORDER}
"""Name -> section, in the order of the supplement, and of a report that holds all."""
MAIN = ("summary", "patients", "response", "survival", "toxicity", "associations", "course", "limits", "methods")
"""The sections of the report, in order; all else is the supplement's."""
