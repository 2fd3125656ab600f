"""The endpoints of one cohort by other rules than the plan's: new therapy, missed visits, transplant, failure.

Each variant is a full set of rules: the plan's, but for those that the variant names. Where a transplant is a competing
event, patients whose first new therapy it was and who had no event by then have that event on its day; all else is as
where they are censored there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.cohort import endpoint_derivation
from reinfuse.cohort.analysis_set import AnalysisSet, built_in_endpoints
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, names
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.raw_tables import TIME
from reinfuse.cohort.study_days import ID, with_index

Compared = Literal["new therapy", "missed visits", "transplant", "failure date", "not assessed", "confirmation"]
TIMES = tuple(name for name in names(kind="time") if ENDPOINTS[name].therapy in Rules.model_fields)
"""The endpoints that a rule of the plan censors at a new therapy."""
FIRST = names(main=True, of_best_response=True)
_CENSORED = {"censor_at_new_therapy": True, "censor_dor_at_new_therapy": True, "transplant_is_new_therapy": True,
             "max_gap_days": None}  # fmt: skip
_THROUGH = {**_CENSORED, "censor_at_new_therapy": False, "censor_dor_at_new_therapy": False}
_IGNORED = {**_CENSORED, "transplant_is_new_therapy": False}
CONFIRMED = "confirmed_response"
DATED = "index day"
"""When a failure to respond is dated where the plan derives no event-free survival."""
OTHER_DATE = {"index day": "day of failure", "day of failure": "index day"}


@dataclass(frozen=True)
class RuleVariant:
    """A set of rules under which endpoints are derived.

    Attributes
    ----------
    name
        As a table names it.
    compares
        The kind of rule that it varies; empty: the one that the others are compared with.
    endpoints
        Of which it is a rule.
    changes
        Rules that are not the plan's.
    transplant_competes, assessed_only, confirmed
        A transplant is a competing event; only patients with an adequate assessment are evaluated; only a confirmed
        response counts.
    """

    name: str
    compares: Compared | Literal[""]
    endpoints: tuple[str, ...]
    changes: Mapping[str, object]
    transplant_competes: bool = False
    assessed_only: bool = False
    confirmed: bool = False

    def rules(self, plan: Rules) -> Rules:
        """Return the plan's rules with the changes; event-free survival is derived in any case."""
        efs = plan.efs if plan.efs != "none" else DATED
        return plan.model_copy(update={"efs": efs, **self.changes})


def rule_variants(rules: Rules, missed_visits_days: int) -> Iterator[RuleVariant]:
    """Yield the rules that are set side by side; the first of each endpoint is the FDA's."""
    yield RuleVariant("censored at a new therapy (FDA)", "", TIMES, _CENSORED)
    yield RuleVariant("followed through a new therapy (EMA)", "new therapy", TIMES, _THROUGH)
    missed = f"FDA, event more than {missed_visits_days} days after the last visit censored there"
    yield RuleVariant(missed, "missed visits", TIMES, {**_CENSORED, "max_gap_days": missed_visits_days})
    yield RuleVariant("FDA, transplant ignored", "transplant", TIMES, _IGNORED)
    yield RuleVariant("FDA, transplant a competing event", "transplant", TIMES, _CENSORED, transplant_competes=True)
    other = OTHER_DATE[rules.efs if rules.efs != "none" else DATED]
    dated = "FDA, no response dated " + ("day 0" if other == "index day" else "when it was certain")
    yield RuleVariant(dated, "failure date", ("efs",), {**_CENSORED, "efs": other})
    best = {"transplant_is_new_therapy": True}
    yield RuleVariant("patients not assessed are non-responders", "", FIRST, best)
    yield RuleVariant("only patients who were assessed", "not assessed", FIRST, best, assessed_only=True)
    confirmed = f"confirmed at least {rules.confirmation_days} days later"
    yield RuleVariant(confirmed, "confirmation", FIRST, {**best, "depth": "derived"}, confirmed=True)
    yield RuleVariant("assessments after a transplant count", "transplant", FIRST,
                      {"transplant_is_new_therapy": False})  # fmt: skip


def same_rules(endpoint: str, one: RuleVariant, *, plan: Rules) -> bool:
    """Tell whether a variant is the plan's own rule for an endpoint."""
    if one.transplant_competes or one.assessed_only or one.confirmed:
        return False
    declared = ENDPOINTS[endpoint]
    matter = ["transplant_is_new_therapy", *([declared.switch] if declared.switch else [])]
    matter += [declared.therapy, "max_gap_days"] if declared.kind == "time" else []
    own = one.rules(plan)
    return all(getattr(own, name) == getattr(plan, name) for name in matter)


@dataclass(frozen=True)
class VariantOutcomes:
    """The endpoints of one cohort by one set of rules, in the order of the analysed patients."""

    variant: RuleVariant
    endpoints: dict[str, EndpointColumn]


def transplanted(cohort: Cohort, index: int, *, rules: Rules) -> pl.DataFrame:
    """Return the day of the first transplant after the index infusion, allogeneic or autologous, of who had one."""
    therapies = cohort.tables.get("therapies")
    if therapies is None or "kind" not in therapies.columns:
        return pl.DataFrame(schema={ID: pl.String, "graft_t": pl.Int64, "therapy_t": pl.Int64})
    base = with_index(cohort, index, rules=rules.model_copy(update={"transplant_is_new_therapy": True}))
    given = therapies.filter(pl.col("kind").is_in(["allo-HCT", "auto-HCT"])).select(ID, TIME)
    given = given.join(base.select(ID, "_index", "therapy_t"), on=ID).with_columns(t=pl.col(TIME) - pl.col("_index"))
    return given.filter(pl.col("t") > 0).group_by(ID).agg(graft_t=pl.col("t").min(), therapy_t=pl.first("therapy_t"))


def outcomes(cohort: Cohort, data: AnalysisSet, variants: Iterable[RuleVariant], *, index: int, rules: Rules,
             grafts: pl.DataFrame) -> Iterator[VariantOutcomes]:  # fmt: skip
    """Yield the endpoints of a cohort of dated tables by each variant of the plan's rules.

    Parameters
    ----------
    data
        The analysed patients, in whose order the endpoints are.
    rules
        The plan's.
    grafts
        From `transplanted`.
    """
    order = data.frame.select(ID, *(c for c in ("diagnosis",) if c in data.frame.columns))
    derived: dict[str, tuple[pl.DataFrame, dict[str, EndpointColumn]]] = {}
    for variant in variants:
        own = variant.rules(rules)
        key = own.model_dump_json()  # several variants differ in what they count, not in how it is derived
        if key not in derived:
            frame = order
            for more in (endpoint_derivation.derive(cohort, index, rules=own, whole=False), grafts):
                frame = frame.join(more, on=ID, how="left", maintain_order="left")
            derived[key] = frame, {e.name: e for e in built_in_endpoints(frame, own)}
        yield VariantOutcomes(variant, _counted(variant, *derived[key]))


def _counted(
    variant: RuleVariant, frame: pl.DataFrame, every: Mapping[str, EndpointColumn]
) -> dict[str, EndpointColumn]:
    """Return the endpoints of a variant, from all that its rules derive."""
    columns = {name: end for name, end in every.items() if name in variant.endpoints}
    if variant.confirmed:
        columns = {name: replace(end, event=every[CONFIRMED].event) for name, end in columns.items()}
    if variant.transplant_competes:
        columns = {name: _competing(end, frame) for name, end in columns.items()}
    if variant.assessed_only:
        assessed = frame[endpoint_derivation.FIRST_ASSESSED].is_not_null().to_numpy()
        columns = {name: replace(end, event=np.where(assessed, end.event, np.nan)) for name, end in columns.items()}
    return columns


def _competing(end: EndpointColumn, frame: pl.DataFrame) -> EndpointColumn:
    """Return an endpoint with a transplant as a competing event."""

    def days(column: str) -> Floats:
        return frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()

    graft, time = days("graft_t"), np.asarray(end.time)
    since = days("response_day") if ENDPOINTS[end.name].among else np.zeros(len(time))
    first = end.known & (end.event == 0) & (graft == days("therapy_t"))
    return replace(end, time=np.where(first, np.maximum(graft - since, 0), time), competing=first.astype(np.float64))
