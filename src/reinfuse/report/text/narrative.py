"""The report's sentences, from the plan and the analyses that were run; each number from a record."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.multiplicity import hypotheses, named_by
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, declaration, names
from reinfuse.cohort.endpoint_derivation import endpoint_rules
from reinfuse.cohort.strata import AT_LEAST, factor_of
from reinfuse.report.analyses.registry import methods, references
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.text import number_format
from reinfuse.report.text.estimate_index import Lookup
from reinfuse.report.text.labels import Labels, lowered
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings

_SUBGROUPS = 6
"""Of a plan's own endpoint, in the summary."""


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
        return text

    def summary(self) -> Iterator[str]:
        """Say the main results, one sentence each."""
        analysed = self.look.one("flow", None, "count", term="analysed")
        total = self.look.one("flow", None, "count", term="in the cohort")
        if analysed and total:
            whole = total.estimate is None or analysed.estimate == total.estimate
            of = "" if whole else f" of {number_format.count(total.estimate)}"
            yield f"{number_format.count(analysed.estimate)}{of} patients were analysed."
        for end in self.findings.described.endpoints:
            if end.kind == "binary":
                record = self.look.one("response", end.name, "proportion")
                if record and record.n:
                    ci = f", {number_format.level(record.confidence)} {number_format.interval(record)}"
                    yield f"{end.label}: {number_format.of(record)}{'' if number_format.hidden(record) else ci}."
            elif not end.competing and (end.name not in ENDPOINTS or declaration(end.name).summarised):
                yield from self._medians(end.name, f"{end.label}{declaration(end.name).origin}")
        for kind in ("CRS", "ICANS", "NT"):
            record = self.look.one("toxicity", None, "proportion", term=kind, level=f"{AT_LEAST}3")
            if record and record.n:
                yield f"{kind} grade ≥3: {number_format.of(record)}."
        yield from self._associated()
        yield from self._multiplicity()

    def _multiplicity(self) -> Iterator[str]:
        """Say how many tests were made, and how many of them the plan names."""
        tests = hypotheses(self.findings.estimates)
        if tests:
            named = sum(named_by(self.plan, t) for t in tests)
            many = number_format.count(len(tests))
            yield (
                f"Multiplicity: {many} hypothes{'is was' if len(tests) == 1 else 'es were'} tested, of which the plan "
                f"names {number_format.count(named)} in its models, landmark and time-dependent analyses; the others "
                f"are exploratory. At a level of 5%, {number_format.plain(0.05 * len(tests))} p-values below 0.05 are "
                "expected where nothing is associated."
            )

    def _medians(self, name: str, label: str) -> Iterator[str]:
        """State the median time to an event; of a plan's own endpoint, in the first subgroups too."""
        populations = [p for p in self.findings.described.populations if p != "all"] if name not in ENDPOINTS else []
        for population in ("all", *populations[:_SUBGROUPS]):
            record = self.look.one("survival", name, "median", population)
            if record and record.n and not number_format.hidden(record):
                among = "" if population == "all" else f", {self.labels.population(population)}"
                yield self._median(f"{label}{among}", record)

    def _median(self, label: str, record: Estimate) -> str:
        if (record.note or "").startswith(NOT_ESTIMABLE):
            return f"{label}: median {record.note} (n = {number_format.count(record.n)})."
        shown = number_format.months(record.estimate)
        unit = " months" if record.estimate is not None else ""
        return (f"{label}: median {shown}{unit} ({number_format.level(record.confidence)} {number_format.interval(record)}; "
                f"n = {number_format.count(record.n)}, events {number_format.count(record.events)}).")  # fmt: skip

    def _associated(self) -> Iterator[str]:
        """State the effects in the plan's models, whatever their p-value."""
        for statistic, what in (("odds_ratio", "odds ratio"), ("hazard_ratio", "hazard ratio")):
            for model in self.plan.models:
                several = len(set(model.factors)) > 1
                where = {"model": "multivariable" if several else "univariable"}
                effects = [e for e in self.look.all("association", model.endpoint, statistic, **where)
                           if e.estimate is not None and e.term in model.factors]  # fmt: skip
                adjusted = "adjusted" if len({e.term for e in effects}) > 1 else "unadjusted"
                for e in effects:
                    own = self.look.all("calibrated", model.endpoint, statistic, term=e.term, level=e.level, **where)
                    simulated = f"; simulated {ratio(own[0])}, {_p(own[0])}" if own and own[0].p_value else ""
                    yield (
                        f"{self.labels.term(e.stratum or '')} and {lowered(self.labels.endpoint(model.endpoint))}: "
                        f"{adjusted} {what} {number_format.ratio(e.estimate)} "
                        f"({number_format.level(e.confidence)} {number_format.interval(e)}; {_p(e)}{simulated}; "
                        f"n = {number_format.count(e.n)}, events {number_format.count(e.events)})."
                    )

    def methods(self) -> list[str]:
        """Describe the analyses that were run, with references."""
        text = []
        index = self.plan.index_infusion
        text.append(
            f"Time zero was the day of infusion {index}. The design follows the reference study {self.cite('study')} "
            f"and the report follows STROBE {self.cite('strobe')}."
        )
        text += [f"{e.label} was counted from {declaration(e.name).since}." for e in self.findings.described.endpoints
                 if declaration(e.name).origin]  # fmt: skip
        text += methods(self.findings, self.cite)
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
        text.append("Many associations were tested; some small p-values are expected by chance (multiplicity).")
        text += list(self.findings.described.about.limits)
        text.append("The report describes groups and gives no advice on the treatment of an individual patient.")
        return text

    def rules(self) -> list[tuple[str, str]]:
        """Return the endpoint rules in force; of a wide sheet only those that apply to it."""
        return list(_rules(self.plan.rules, self.findings.described.wide))


def _p(record: Estimate) -> str:
    p = number_format.p_value(record.p_value)
    return f"p {p[0]} {p[1:]}" if p[0] in "<>" else f"p = {p}"


def _rules(rules: Rules, wide: bool) -> Iterator[tuple[str, str]]:
    if wide:
        yield from endpoint_rules(rules, names(of_best_response=True))
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
    yield from endpoint_rules(rules)
    none = "no row = grade 0" if rules.toxicity_absent == "none" else "no row = missing"
    yield "Toxicity", f"worst grade after the index infusion; {none}"
