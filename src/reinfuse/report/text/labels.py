"""Names as readers see them: terms, groups, populations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from reinfuse.cohort.cohort_summary import DescribedEndpoint, DescribedFactor
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings


def lowered(label: str) -> str:
    """Return a label as it stands inside a sentence: acronyms and names keep their capitals."""
    first = label.split(maxsplit=1)[0] if label else ""
    return label if any(c.isupper() for c in first[1:]) else label[:1].lower() + label[1:]


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


_PER = ", per "
"""Between a number's label and the unit of its effect, which stays where a plan labels the number."""
Labelled = TypeVar("Labelled", DescribedEndpoint, DescribedFactor, EndpointColumn, FactorColumn)


def with_own_labels(findings: Findings) -> Findings:
    """Return findings whose factors and endpoints bear the labels of the plan's `[report.labels]`."""
    own = findings.plan.report.labels
    if not own:
        return findings

    def labelled(items: Iterable[Labelled]) -> tuple[Labelled, ...]:
        return tuple(replace(i, label=own[i.name] + _unit(i.label)) if i.name in own else i for i in items)

    about, data = findings.described, findings.data
    about = replace(about, endpoints=labelled(about.endpoints), factors=labelled(about.factors))
    if data is not None:
        data = replace(data, endpoints=labelled(data.endpoints), factors=labelled(data.factors))
    return replace(findings, described=about, data=data)


def without_unit(label: str) -> str:
    """Return a number's label without the unit of its effect."""
    return label.partition(_PER)[0]


def _unit(label: str) -> str:
    _, per, unit = label.partition(_PER)
    return per + unit


class Labels:
    """The labels of one study's factors and endpoints, and of their levels."""

    def __init__(self, findings: Findings) -> None:
        self._own, self._levels = findings.plan.report.labels, findings.plan.report.levels
        self._factors = {f.name: f for f in findings.described.factors}
        self._endpoints = {e.name: e.label for e in findings.described.endpoints}

    def endpoint(self, name: str) -> str:
        """Return an endpoint's label."""
        return self._endpoints.get(name, name.replace("_", " "))

    def factor(self, name: str) -> str:
        """Return a factor's label."""
        if name in self._factors:
            return self._factors[name].label
        return name[:1].upper() + name[1:].replace("_", " ")

    def term(self, term: str) -> str:
        """Return an effect's label: `Diagnosis: CLL vs NHL`, or the factor's own."""
        name, level = factor_of(term), level_of(term)
        factor = self._factors.get(name)
        if factor is None:
            return term
        if not level:
            return factor.label
        return f"{factor.label}: {self.level_label(name, level)} vs {self.level_label(name, factor.levels[0])}"

    def own_label(self, name: str) -> str | None:
        """Return the label that the plan gives a factor, an endpoint or a variable; None where it gives none."""
        return self._own.get(name)

    def level_label(self, factor: str, level: str) -> str:
        """Return a level's label, by default the level itself."""
        return self._levels.get(factor, {}).get(level, level)

    def per_sd(self, record: Estimate) -> str:
        """Return the label of a power: the effect of a number is per standard deviation."""
        factor = self._factors.get(record.term or "")
        if factor is None or factor.kind != "number":
            return self.term(record.stratum or "")
        return f"{without_unit(factor.label)}, per SD"

    def group(self, group: str) -> str:
        """Return a group's label: `Bulky disease: yes`."""
        name, level = factor_of(group), level_of(group)
        return f"{self.factor(name)}: {self.level_label(name, level)}"

    def level(self, group: str) -> str:
        """Return the level alone, with the factor where the level says nothing by itself."""
        name, level = factor_of(group), level_of(group)
        own = self.level_label(name, level)
        return own if own not in ("yes", "no") else f"{self.factor(name)}: {own}"

    def population(self, population: str) -> str:
        """Return a population's label: `All patients`, `CLL`."""
        return "All patients" if population == "all" else self.level(population)
