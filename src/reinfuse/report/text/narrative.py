"""The report's sentences, from the plan and the analyses that were run; each number from a record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_catalog import declaration, names
from reinfuse.cohort.endpoint_derivation import endpoint_rules
from reinfuse.cohort.strata import factor_of
from reinfuse.plan.hierarchy import Ranked
from reinfuse.report.analyses.registry import methods, references
from reinfuse.report.text.estimate_index import Lookup
from reinfuse.report.text.labels import Labels, lowered
from reinfuse.report.text.plan_history import later_changes, when_locked
from reinfuse.results.findings import Findings


class Prose:
    """Writes the paragraphs of one report and collects the references they cite."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.plan = findings.plan
        self.look = Lookup(findings.estimates)
        self.labels = Labels(findings)
        self.methods_used = {e.method for e in findings.estimates}
        self._cited: list[str] = []

    def cite(self, *keys: str) -> str:
        """Return the numbers of references, in the order of first citation."""
        for key in keys:
            if key not in self._cited:
                self._cited.append(key)
        return "[" + ", ".join(str(self._cited.index(k) + 1) for k in keys) + "]"

    @property
    def cited(self) -> tuple[str, ...]:
        """Keys of the references cited so far."""
        return tuple(self._cited)

    @property
    def references(self) -> list[str]:
        """The references cited so far."""
        return [references()[k].text for k in self._cited]

    def objectives(self) -> list[str]:
        """State the objectives of the plan."""
        index = {1: "first", 2: "second", 3: "third"}.get(self.plan.index_infusion, f"{self.plan.index_infusion}th")
        ends = ", ".join(lowered(e.label) for e in self.findings.described.endpoints)
        text = [
            f"To describe outcomes after the {index} CAR-T infusion and the factors associated with them. "
            f"Endpoints in these data: {ends or 'none'}."
        ]
        names = [f.label for f in self.findings.described.factors]
        if names:
            text.append("Factors: " + "; ".join(names) + ".")
        for model in self.plan.models:
            factors = ", ".join(self.labels.factor(f) for f in model.factors)
            kind = "Multivariable model" if len(set(model.factors)) > 1 else "Model of a single factor, unadjusted,"
            text.append(f"{kind} of {lowered(self.labels.endpoint(model.endpoint))}: {factors}.")
        return text + list(self._ranks())

    def _ranks(self) -> Iterator[str]:
        """Yield what the plan calls primary, secondary and exploratory."""
        hierarchy = self.plan.hierarchy
        for rank in ("primary", "secondary", "exploratory") if hierarchy else ():
            of: Ranked = getattr(hierarchy, rank)
            for kind, named in (
                ("endpoints", [lowered(self.labels.endpoint(e)) for e in of.endpoints]),
                ("factors", [self.labels.factor(f) for f in of.factors]),
            ):
                if named:
                    yield f"{rank.capitalize()} {kind}: {', '.join(named)}."

    def methods(self, modules_of: Collection[str] | None = None) -> list[str]:
        """Describe the analyses that were run, with references.

        Parameters
        ----------
        modules_of
            The analyses that are described; default: all.
        """
        text = []
        index = self.plan.index_infusion
        text.append(
            f"Time zero was the day of infusion {index}. The design follows the reference study {self.cite('study')} "
            f"and the report follows STROBE {self.cite('strobe')}."
        )
        text += list(when_locked(self.findings.provenance))
        text += [f"{e.label} was counted from {declaration(e.name).since}." for e in self.findings.described.endpoints
                 if declaration(e.name).origin]  # fmt: skip
        text += methods(self.findings, self.cite, modules_of=modules_of)
        diagnoses = {p for p in self.findings.described.populations if factor_of(p) == "diagnosis"}
        criteria = {"diagnosis=CLL": "iwcll", "diagnosis=NHL": "lugano"}
        keys = [k for d, k in criteria.items() if d in diagnoses]
        if keys:
            text.append(f"Response was recorded by the centre according to the criteria of each disease "
                        f"{self.cite(*keys)}.")  # fmt: skip
        return text

    def limits(self) -> list[str]:
        """State the limitations."""
        n = self.findings.described.patients
        text = []
        if self.findings.provenance["synthetic"]:
            text.append("The data are synthetic and support no clinical conclusion.")
        small = "The cohort is small: confidence intervals are wide and a single patient can change a result. "
        text.append((small if n < 200 else "") + "A large p-value is not evidence of no association.")
        text.append("Clinicians chose regimen and dose for reasons that also affect outcome (confounding by "
                    "indication). The results are associations, not treatment effects.")  # fmt: skip
        if self.plan.index_infusion > 1:
            text.append(
                "Patients had to survive and be fit enough to receive this infusion (selection and guarantee-time "
                "bias); dose and interval depend on the earlier course."
            )
        text += list(later_changes(self.findings.provenance))
        text.append("Many associations were tested; some small p-values are expected by chance (multiplicity).")
        text += list(self.findings.described.about.limits)
        text.append("The report describes groups and gives no advice on the treatment of an individual patient.")
        return text

    def rules(self) -> list[tuple[str, str]]:
        """Return the endpoint rules in force; of a wide sheet only those that apply to it."""
        return list(_rules(self.plan.rules, self.findings.described.wide, own_labels=self.plan.report.labels))


def _rules(rules: Rules, wide: bool, *, own_labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if wide:
        yield from endpoint_rules(rules, names(of_best_response=True), own_labels=own_labels)
        yield "Times", "taken from the wide sheet"
        return
    if rules.split_dose_days:
        yield (
            "Split dose",
            f"an infusion planned within {rules.split_dose_days} days of the previous one is a part of it: day of the "
            "first part, sum of the doses; parts are not counted as infusions",
        )
    new = "any therapy except supportive, and the next CAR-T infusion"
    if not rules.transplant_is_new_therapy:
        new += "; transplant is not counted"
    yield "New anticancer therapy", new
    yield "Best response", "best assessment after day 0, up to progression and new anticancer therapy"
    yield from endpoint_rules(rules, own_labels=own_labels)
    none = "no row = grade 0" if rules.toxicity_absent == "none" else "no row = missing"
    yield "Toxicity", f"worst grade after the index infusion; {none}"
