"""What is said of a best protocol that lies where a search, or all that has been published, ends."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.simulation.model.toxicities import NOT_RECOVERED
from reinfuse.simulation.search.near_optimal import Region
from reinfuse.simulation.search.published_range import FLU_OF_CY, PUBLISHED
from reinfuse.simulation.trial.protocol import dose_text

LIMITED = (
    "The search keeps to what published second infusions were given: at most the published courses, dose and interval, "
    f"and at most {FLU_OF_CY:g} courses of fludarabine with one of cyclophosphamide."
)
_NOTHING_TO_STOP = (
    "The model gives no reason to stop there: a limit is where the search ends, not where harm begins, and is no "
    "recommendation."
)
_WAITING = (
    "In the model a wait only lets tumour grow. That marrow may not have recovered from the first infusion is not "
    f"charged, for want of a rate of harm by interval; published is {NOT_RECOVERED}."
)


_RANGES = {"cy": "courses of cyclophosphamide", "flu": "of fludarabine", "log10_dose": "dose",
           "interval_days": "days between infusions"}  # fmt: skip


def value_text(name: str, value: float) -> str:
    """Return the value of a variable in words."""
    return dose_text(float(f"{10**value:.3g}")) if name == "log10_dose" else f"{value:g}"


def limit_sentences(region: Region) -> Iterator[str]:
    """Yield what is to be known of where the best protocol lies: at a limit, or beyond all that has been published."""
    question, best = region.question, region.protocols[region.best]
    labels = {c.name: c.label for c in question.coordinates}
    at = question.by_name(best.point)
    sides = question.at_limits(best.point)
    if sides:
        places = "; ".join(
            f"{labels[n][0].lower()}{labels[n][1:]}, {value_text(n, at[n])} ({side})" for n, side in sides.items()
        )
        yield f"The best lies at a limit of the search: {places}. {_NOTHING_TO_STOP}"
    if sides.get("interval_days") == "lower":
        yield _WAITING
    outside = question.beyond(best.point)
    if outside:
        within = region.best_published
        kept = "none that was evaluated is admissible" if within is None else question.arm(region.points[within]).name
        yield (f"EXTRAPOLATED, not a suggestion: {'; '.join(outside)}. No patient is known to have been given it, and "
               f"nothing is known of its harm. The best within what has been published: {kept}.")  # fmt: skip


def sources() -> str:
    """Return where the published ranges are from."""
    parts = []
    for name, label in _RANGES.items():
        one = PUBLISHED[name]
        high = value_text(name, one.high if name == "log10_dose" else round(one.high, 2))
        parts.append(f"{label}, {value_text(name, one.low)} to {high} ({one.source})")
    return f"Published: {'; '.join(parts)}"
