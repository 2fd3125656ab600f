"""What few patients or events do not carry: medians and tests of groups, and effects with a normal interval.

A median of one or two patients is those patients' own time, and a test in which a group has one event is decided by
that patient. A normal interval needs about five events or more for each parameter (Vittinghoff and McCulloch, Am J
Epidemiol 2007;165:710-718, found coverage below the nominal one and bias there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reinfuse.arrays import Bools, Floats
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined

FEWEST_PATIENTS = 3
FEWEST_EVENTS = 2
FEWEST_EVENTS_A_PARAMETER = 5


def withheld(record: Estimate, why: str | None) -> Estimate:
    """Return the record without its value, and the reason; as it is where there is no reason or no value."""
    if why is None or (record.note or "").startswith(NOT_ESTIMABLE):
        return record
    remarks = [f"{NOT_ESTIMABLE}: {why}", None if record.statistic == "median" else record.note]
    return replace(record, estimate=None, lower=None, upper=None, p_value=None, note=joined(remarks))


def median_of_enough(record: Estimate) -> Estimate:
    """Return a median of a group of enough patients and events; of fewer, it is not estimable."""
    return withheld(record, too_few(record.n or 0, record.events or 0))


def too_few(n: int, events: int) -> str | None:
    """Return why a group is too small for a median or a test; None where it is not."""
    reasons = [fewer(n, FEWEST_PATIENTS, noun="patient"), fewer(events, FEWEST_EVENTS, noun="event")]
    return joined([r for r in reasons[:1] if r] or reasons)


def fewer(number: int, fewest: int, *, noun: str) -> str | None:
    """Return that there are fewer than enough; None where there are not."""
    return f"{number} {noun}{'' if number == 1 else 's'}, fewer than {fewest}" if number < fewest else None


def groups_of_enough(record: Estimate, event: Floats, *, groups: Mapping[str, Bools]) -> Estimate:
    """Return a test of groups of enough patients and events each; else it is not estimable.

    Parameters
    ----------
    groups
        Name -> who is in it, of the groups that are compared.
    """
    reasons = {name: too_few(int(here.sum()), int(event[here].sum())) for name, here in groups.items()}
    return withheld(record, joined([f"group {name}: {why}" for name, why in reasons.items() if why]))


def events_for_normal(events: int, parameters: int) -> str | None:
    """Return why an effect has no normal interval; None where each parameter has enough events."""
    if events >= FEWEST_EVENTS_A_PARAMETER * max(parameters, 1):
        return None
    noun = f"{parameters} parameter{'' if parameters == 1 else 's'}"
    many = f"{events} event{'' if events == 1 else 's'}"
    return f"{many} for {noun}, fewer than {FEWEST_EVENTS_A_PARAMETER} for each: a normal interval does not hold"
