"""The report's sections, in order: what each is called in its heading, in the list of contents and in the checklist."""

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
    """

    name: str
    title: str
    _: KW_ONLY
    short: str = ""
    mention: str = ""

    @property
    def mentioned(self) -> str:
        """What the checklist calls the section."""
        return self.mention or self.title

    def of(self, index_infusion: int) -> Heading:
        """Return the heading in a report on outcomes after this infusion."""
        numbers = {"before": index_infusion - 1, "index": index_infusion}
        return replace(self, title=self.title.format(**numbers), short=self.short.format(**numbers))


_ORDER = (
    Heading("summary", "Key findings"),
    Heading("asked", "Objectives"),
    Heading("patients", "Patients"),
    Heading("course", "Clinical course of each patient", short="Clinical course"),
    Heading("response", "Response"),
    Heading("survival", "Time to event"),
    Heading("toxicity", "Toxicity"),
    Heading("associations", "Factors associated with outcome", short="Associations"),
    Heading("sure", "Robustness and sensitivity analyses", short="Robustness"),
    Heading("power", "Power: smallest detectable effect", short="Power"),
    Heading(
        "later",
        "Post-infusion (post-baseline) factors: landmark and time-dependent analyses",
        short="Post-infusion factors",
        mention="Post-infusion factors",
    ),
    Heading(
        "protocols",
        "Standardised outcomes by protocol (g-computation)",
        short="Standardised outcomes",
        mention="Standardised outcomes",
    ),
    Heading(
        "paired",
        "Within-patient comparison of CART{before} and CART{index}",
        short="CART{before} vs CART{index}",
        mention="Within-patient comparison",
    ),
    Heading("kinetics", "CAR-T cell kinetics", short="Kinetics"),
    Heading("methods", "Methods"),
    Heading("limits", "Limitations"),
    Heading("warnings", "Data quality and warnings"),
    Heading("strobe", "STROBE checklist"),
    Heading("provenance", "Provenance"),
)
HEADINGS = {heading.name: heading for heading in _ORDER}
"""Name -> section, in the order of the report."""
