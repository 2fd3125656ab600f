"""Estimands: what each endpoint makes of events that come in between, from its declaration and the plan's rules.

Strategies are those of ICH E9(R1), 2019, section A.3.2: treatment policy (it does not matter), composite (it is an
outcome), while on treatment (what came before it counts), hypothetical (censored: as if it had not happened); and a
competing event, which the guideline leaves to the summary measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, INDEX, BuiltInEndpoint, wholes
from reinfuse.cohort.endpoint_derivation import is_derived

INTERCURRENT = ("New therapy", "Transplant", "Next infusion", "Missed visits", "Death")
POLICY, COMPOSITE, WHILE_ON, CENSORED = "treatment policy", "composite", "while on treatment", "hypothetical"
COMPETING, EVENT, UNTESTED = "competing event", "the event", "not evaluated"
NOT_READ = "not read from visits"


@dataclass(frozen=True)
class Estimand:
    """One endpoint's estimand.

    Attributes
    ----------
    name
        Of the endpoint.
    population, variable, summary
        Whose, what, and by which measure of all patients.
    strategies
        Of each of `INTERCURRENT`, in order.
    """

    name: str
    population: str
    variable: str
    summary: str
    strategies: tuple[str, ...]


def estimands(rules: Rules) -> Iterator[Estimand]:
    """Yield the estimand of each endpoint that a plan derives from dated tables."""
    for endpoint in ENDPOINTS.values():
        if is_derived(endpoint, rules):
            yield _estimand(endpoint, rules)


def _estimand(endpoint: BuiltInEndpoint, rules: Rules) -> Estimand:
    therapy = _at_therapy(endpoint, rules)
    transplant = therapy if rules.transplant_is_new_therapy else POLICY
    return Estimand(
        endpoint.name, _population(endpoint), _variable(endpoint), _summary(endpoint),
        (therapy, transplant, therapy, _missed(endpoint, rules), _death(endpoint)),
    )  # fmt: skip


def _population(endpoint: BuiltInEndpoint) -> str:
    if endpoint.among:
        return f"who had {_lowered(ENDPOINTS[endpoint.among].label)}"
    return "who were tested" if endpoint.table == "mrd" else "all who had the index infusion"


def _variable(endpoint: BuiltInEndpoint) -> str:
    if endpoint.kind == "binary":
        return _lowered(endpoint.label)
    event = (ENDPOINTS[endpoint.part_of[0]].event if endpoint.among else "") or endpoint.event
    return f"time from {'infusion' if endpoint.since == INDEX else endpoint.since} to {event}"


def _summary(endpoint: BuiltInEndpoint) -> str:
    if endpoint.kind == "binary":
        return "proportion"
    return "cumulative incidence" if endpoint.competes_with else "survival curve, median"


def _at_therapy(endpoint: BuiltInEndpoint, rules: Rules) -> str:
    fixed = {"event": COMPOSITE, "end": WHILE_ON, "ignored": POLICY}
    if endpoint.therapy in fixed:
        return fixed[endpoint.therapy]
    after = CENSORED if getattr(rules, endpoint.therapy) else POLICY
    return (
        f"{COMPOSITE} before {_lowered(ENDPOINTS[endpoint.lack_of].label)}, then {after}" if endpoint.lack_of else after
    )


def _missed(endpoint: BuiltInEndpoint, rules: Rules) -> str:
    if endpoint.kind == "binary":
        return UNTESTED if endpoint.table == "mrd" else f"{COMPOSITE} (no response)"
    if endpoint.table == "patients":
        return NOT_READ
    if endpoint.table == "mrd" or endpoint.therapy == "end" or endpoint.to_last_contact or rules.max_gap_days is None:
        return POLICY
    return f"{CENSORED} after {rules.max_gap_days} days"


def _death(endpoint: BuiltInEndpoint) -> str:
    """Return what death is: an event of all that holds the events of overall survival, or is counted as these are."""
    of_death = {"os", *wholes("os")}
    if endpoint.kind == "binary":
        return UNTESTED if endpoint.table == "mrd" else f"{COMPOSITE} (no response)"
    if endpoint.name == "os" or (endpoint.competes_with and "os" in endpoint.part_of):
        return EVENT
    if endpoint.competes_with:
        return COMPETING
    if endpoint.therapy == "end":
        return WHILE_ON
    named = "death" in endpoint.event or endpoint.name in of_death or of_death & set(endpoint.part_of)
    return COMPOSITE if named else CENSORED


def _lowered(label: str) -> str:
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
