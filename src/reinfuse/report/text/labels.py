"""Names as readers see them: terms, groups, populations."""

from __future__ import annotations

from collections.abc import Sequence

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


class Labels:
    """The labels of one study's factors and endpoints."""

    def __init__(self, findings: Findings) -> None:
        self._factors = {f.name: f for f in findings.described.factors}
        self._endpoints = {e.name: e.label for e in findings.described.endpoints}

    def endpoint(self, name: str) -> str:
        """Return an endpoint's label."""
        return self._endpoints.get(name, name.replace("_", " "))

    def factor(self, name: str) -> str:
        """Return a factor's label."""
        return self._factors[name].label if name in self._factors else name.replace("_", " ").capitalize()

    def term(self, term: str) -> str:
        """Return an effect's label: `Diagnosis: CLL vs NHL`, or the factor's own."""
        name, level = factor_of(term), level_of(term)
        factor = self._factors.get(name)
        if factor is None:
            return term
        return f"{factor.label}: {level} vs {factor.levels[0]}" if level else factor.label

    def per_sd(self, record: Estimate) -> str:
        """Return the label of a power: the effect of a number is per standard deviation."""
        factor = self._factors.get(record.term or "")
        if factor is None or factor.kind != "number":
            return self.term(record.stratum or "")
        return f"{factor.label.split(', per ')[0]}, per SD"

    def group(self, group: str) -> str:
        """Return a group's label: `Bulky disease: yes`."""
        name, level = factor_of(group), level_of(group)
        return f"{self.factor(name)}: {level}"

    def level(self, group: str) -> str:
        """Return the level alone, with the factor where the level says nothing by itself."""
        name, level = factor_of(group), level_of(group)
        return level if level not in ("yes", "no") else f"{self.factor(name)}: {level}"

    def population(self, population: str) -> str:
        """Return a population's label: `All patients`, `CLL`."""
        return "All patients" if population == "all" else self.level(population)
