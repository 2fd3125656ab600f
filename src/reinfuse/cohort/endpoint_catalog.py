"""The built-in endpoints, each declared once: what a reader, a plan, an analysis, a report and disclosure know of it.

How an endpoint is derived from dated tables, and the sentence that says so, stand under its name in
`endpoint_derivation`; what the patients' brief says of it, under its name in the brief's languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

INDEX = "the index infusion"


@dataclass(frozen=True)
class BuiltInEndpoint:
    """One endpoint.

    Attributes
    ----------
    label, abbreviation
        As reports name it.
    kind
        ``binary``, or ``time``: a time to event, in the columns `NAME_days` and `NAME_event`.
    table
        The dated table without which it cannot be derived.
    duration, event
        Of a time: what the two columns of a wide sheet hold.
    competes_with
        The endpoint whose event ends the time at which this one can happen.
    of_best_response
        A binary endpoint that is a set of best responses.
    column
        A binary endpoint has a column of its name in a wide sheet; else it follows from another's.
    part_of
        Endpoints of which a patient has an event, no later, wherever he has one of this endpoint. Where a rule of the
        plan breaks it for some patients (a death after a new therapy is none of PFS), it is a relation all the same:
        of the others it is true.
    among
        The binary endpoint whose patients are the only ones evaluated; this endpoint's events are those of `part_of`
        in them, counted from another day.
    best
        Best responses that are events of this endpoint.
    since
        The day from which its times are counted, as axes and sentences say it.
    lack_of
        The binary endpoint whose lack, by a day of the plan, is an event too: an event that is none of its parts is
        that of a patient without it.
    therapy
        What a new anticancer therapy is to it: the ``event``, the day on which its assessments ``end``, of no concern
        (``ignored``), or the rule of a plan by which it is censored there.
    to_last_contact
        Of a time: who has no event is censored at the last contact, not at the last adequate assessment.
    switch
        The rule of a plan that has it derived; None: it always is.
    modelled
        Associations with factors are estimated, and a plan's models may name it.
    main
        It is modelled where a plan has factors and no models.
    expected
        A report says so where the data do not hold it.
    summarised
        Its proportion or median stands in the summary.
    by_factor
        Its curves are also drawn by the factors of the plan's models, and its table stands in a notebook.
    brief
        The patients' brief tells it; ``by type``: also of each type of cancer.
    shared
        It may leave a centre where small numbers are hidden. Else nothing of it does: it hangs together with others in
        more ways than are declared, so that who has all of them could subtract.
    """

    name: str
    label: str
    abbreviation: str
    kind: Literal["binary", "time"]
    table: str
    duration: str = ""
    event: str = ""
    competes_with: str | None = None
    of_best_response: bool = False
    column: bool = True
    part_of: tuple[str, ...] = ()
    among: str | None = None
    best: tuple[str, ...] = ()
    since: str = INDEX
    lack_of: str | None = None
    therapy: str = "ignored"
    to_last_contact: bool = False
    switch: str | None = None
    modelled: bool = False
    main: bool = False
    expected: bool = False
    summarised: bool = False
    by_factor: bool = False
    brief: Literal["", "all", "by type"] = ""
    shared: bool = True

    @property
    def origin(self) -> str:
        """What is added to its name where its times are not counted from the index infusion."""
        return "" if self.since == INDEX else f", from {self.since}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in a wide sheet and in `patients.csv`; none where it follows from that of another."""
        if self.kind == "time":
            return f"{self.name}_days", f"{self.name}_event"
        return (self.name,) if self.column else ()


_DECLARED = (
    BuiltInEndpoint(
        "response", "Overall response", "ORR", "binary", "responses", of_best_response=True, therapy="end",
        modelled=True, main=True, expected=True, summarised=True, brief="by type",
    ),
    BuiltInEndpoint(
        "cr", "Complete response", "CR", "binary", "responses", of_best_response=True, column=False,
        part_of=("response",), therapy="end", modelled=True, summarised=True, brief="all",
    ),
    BuiltInEndpoint(
        "confirmed_response", "Confirmed response", "confirmed ORR", "binary", "responses", part_of=("response",),
        therapy="end", switch="depth", modelled=True, shared=False,
    ),
    BuiltInEndpoint(
        "umrd_day28", "Undetectable MRD at day 28", "uMRD", "binary", "mrd", part_of=("umrd_best",), therapy="end",
        modelled=True, expected=True, summarised=True, brief="all",
    ),
    BuiltInEndpoint(
        "umrd_best", "Undetectable MRD at any time", "uMRD at any time", "binary", "mrd", therapy="end",
        switch="depth", shared=False,
    ),
    BuiltInEndpoint(
        "pfs", "Progression-free survival", "PFS", "time", "responses", duration="progression-free survival",
        event="progression, relapse or death", part_of=("efs",), best=("PD",), therapy="censor_at_new_therapy",
        modelled=True, main=True, expected=True, summarised=True, by_factor=True, brief="by type",
    ),
    BuiltInEndpoint(
        "efs", "Event-free survival", "EFS", "time", "responses", duration="event-free survival",
        event="no response by the day that the plan says, progression, relapse or death", best=("PD",),
        lack_of="response", therapy="censor_at_new_therapy", switch="efs", modelled=True, summarised=True,
        by_factor=True,
    ),
    BuiltInEndpoint(
        "os", "Overall survival", "OS", "time", "patients", duration="overall survival", event="death",
        to_last_contact=True, part_of=("pfs", "ttnt"), modelled=True, expected=True, summarised=True, by_factor=True,
        brief="all",
    ),
    BuiltInEndpoint(
        "dor", "Duration of response", "DOR", "time", "responses", duration="duration of response, responders only",
        event="as for PFS", part_of=("pfs",), among="response", since="the first response",
        therapy="censor_dor_at_new_therapy", modelled=True, summarised=True, brief="all",
    ),
    BuiltInEndpoint(
        "response_time", "Time to response", "TTR", "time", "responses", duration="time to response, responders only",
        event="first response", part_of=("response",), among="response", therapy="end", switch="depth",
        shared=False,
    ),
    BuiltInEndpoint(
        "docr", "Duration of complete response", "DoCR", "time", "responses",
        duration="duration of complete response, complete responders only", event="as for PFS", part_of=("pfs",),
        among="cr", since="the first complete response", therapy="censor_dor_at_new_therapy", switch="depth",
        shared=False,
    ),
    BuiltInEndpoint(
        "umrd_duration", "Duration of undetectable MRD", "uMRD duration", "time", "mrd",
        duration="duration of undetectable MRD, of who had it", event="detectable MRD, progression, relapse or death",
        part_of=("umrd_best",), among="umrd_best", since="the first undetectable test",
        therapy="censor_dor_at_new_therapy", switch="depth",
        shared=False,
    ),
    BuiltInEndpoint(
        "ttnt", "Time to next treatment", "TTNT", "time", "patients", duration="time to next treatment",
        event="new anticancer therapy or death", therapy="event", to_last_contact=True,
    ),
    BuiltInEndpoint(
        "relapse", "Relapse or progression", "relapse", "time", "responses", duration="time to relapse or progression",
        event="relapse or progression", to_last_contact=True, competes_with="nrm", best=("PD",),
    ),
    BuiltInEndpoint(
        "nrm", "Non-relapse mortality", "NRM", "time", "responses", duration="time to non-relapse mortality",
        event="death without relapse", to_last_contact=True, competes_with="relapse", part_of=("os",),
    ),
)  # fmt: skip

ENDPOINTS: Mapping[str, BuiltInEndpoint] = MappingProxyType({e.name: e for e in _DECLARED})
"""The built-in endpoints by name, in the order of every report."""


def declaration(name: str) -> BuiltInEndpoint:
    """Return the declaration of an endpoint; of a plan's own one, of which nothing is declared, an empty one."""
    return ENDPOINTS.get(name) or BuiltInEndpoint(name, name.replace("_", " "), name, "time", "")


def names(**having: object) -> tuple[str, ...]:
    """Return the names of the endpoints whose declaration has these values; ``True`` stands for any but an empty one.

    `names(kind="time")`, `names(brief=True)`.
    """

    def holds(value: object, wanted: object) -> bool:
        return bool(value) if wanted is True else value == wanted

    return tuple(e.name for e in _DECLARED if all(holds(getattr(e, k), v) for k, v in having.items()))


def wholes(name: str, endpoints: Mapping[str, BuiltInEndpoint] = ENDPOINTS) -> Iterator[str]:
    """Yield all that an endpoint is a part of, directly or through another, once each."""
    waiting, visited = list(endpoints[name].part_of) if name in endpoints else [], {name}
    while waiting:
        outer = waiting.pop(0)
        if outer not in visited:
            visited.add(outer)
            yield outer
            waiting += endpoints[outer].part_of if outer in endpoints else ()
