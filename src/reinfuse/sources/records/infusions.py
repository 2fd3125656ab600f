"""From records to infusions: what belongs to one infusion, its day, its lymphodepletion; and what came after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reinfuse.sources.records.clinical import Record, RecordCoding
from reinfuse.sources.records.concept_sets import Role, matches
from reinfuse.sources.records.verdicts import verdict

THERAPY_GAP = 30
"""Days after which the same drug counts as a new therapy (OHDSI's rule for lines of treatment)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenInfusion:
    """One infusion of CAR-T cells.

    Attributes
    ----------
    number
        1, 2, ... in the order of days.
    day
        Of its first drug record; without one, of its first record.
    product
        Several, joined by ``, ``, where records name several.
    routes
        By what it was found: ``drug``, ``procedure``, ``text``.
    records
        How many were taken together.
    other_days
        Whether they have different days.
    """

    patient: str
    number: int
    day: str
    product: str
    routes: tuple[str, ...]
    records: int
    other_days: bool
    lymphodepletion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy:
    """One therapy that is neither a CAR-T infusion nor lymphodepletion of one."""

    patient: str
    day: str
    therapy: str
    kind: str


def days_between(earlier: str, later: str) -> int:
    """Return the days from one ISO date to another.

    Examples
    --------
    >>> days_between("2020-02-28", "2020-03-01")
    2
    """
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def by_patient(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the dated records of each patient in the order of their days."""
    patients: dict[str, list[Record]] = {}
    for record in records:
        if record.day:
            patients.setdefault(record.patient, []).append(record)
    return {p: sorted(patients[p], key=lambda r: (r.day, r.coding.wording)) for p in patients}


def infusions_of(records: Iterable[Record], merge_days: int) -> list[GivenInfusion]:
    """Return the infusions that records are of.

    Parameters
    ----------
    merge_days
        Records at most so many days after the first of them belong to one infusion: a drug and its procedure, the
        parts of a split dose.
    """
    infusions: list[GivenInfusion] = []
    for patient, own in by_patient(records).items():
        clusters: list[list[Record]] = []
        for record in own:
            if clusters and days_between(clusters[-1][0].day, record.day) <= merge_days:
                clusters[-1].append(record)
            else:
                clusters.append([record])
        infusions += [_infusion(patient, i, cluster) for i, cluster in enumerate(clusters, 1)]
    return infusions


def _infusion(patient: str, number: int, cluster: Sequence[Record]) -> GivenInfusion:
    verdicts = [(r, verdict(r.coding)) for r in cluster]
    drugs = [r.day for r, _ in verdicts if r.coding.domain == "drug"]
    products = dict.fromkeys(v.product for _, v in verdicts if v.product)
    routes = {v.route for _, v in verdicts}
    return GivenInfusion(
        patient=patient, number=number, day=min(drugs or [r.day for r in cluster]), product=", ".join(products),
        routes=tuple(r for r in ("drug", "order", "procedure", "text") if r in routes), records=len(cluster),
        other_days=len({r.day for r in cluster}) > 1,
    )  # fmt: skip


def routes_in_words(infusions: Sequence[GivenInfusion]) -> str:
    """Say how many infusions were found by what: ``31 by drug and procedure, 4 by text``."""
    counts = Counter(" and ".join(i.routes) for i in infusions)
    return ", ".join(f"{count} by {routes}" for routes, count in counts.most_common())


class NamesOfCodings:
    """What codings mean in some roles, each looked up once."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles
        self._labels: dict[RecordCoding, str] = {}

    def label(self, coding: RecordCoding) -> str:
        """Return the label of the first set that holds a coding; empty: none does."""
        if coding not in self._labels:
            text = " ".join((coding.name, *coding.codes))
            concepts = coding.concepts | coding.ancestors
            labels = (one.label for role in self.roles for one, _ in matches(role, concepts, coding.codes, text))
            self._labels[coding] = next(labels, "")
        return self._labels[coding]


def lymphodepletion_of(infusion: GivenInfusion, drugs: Sequence[tuple[str, str]], days: int) -> str:
    """Return the drugs in the days before an infusion, joined by `` + ``; empty where none is recorded.

    Parameters
    ----------
    drugs
        Day and drug of those that serve as lymphodepletion.
    days
        So many days before the infusion.
    """
    near = {drug for day, drug in drugs if 0 < days_between(day, infusion.day) <= days}
    return " + ".join(sorted(near))


def therapies_of(infusions: Mapping[str, Sequence[GivenInfusion]], records: Iterable[Record], days: int,
                 names: NamesOfCodings, *, depleting: NamesOfCodings) -> Iterator[Therapy]:  # fmt: skip
    """Yield drugs after the first infusion that are no lymphodepletion of a later one; the days of one therapy once."""
    for patient, own in by_patient(records).items():
        given = infusions.get(patient, ())
        last: dict[str, str] = {}
        for record in own:
            drug = names.label(record.coding)
            is_depletion = bool(depleting.label(record.coding)) and any(
                0 < days_between(record.day, i.day) <= days for i in given
            )
            if not drug or not given or record.day <= given[0].day or is_depletion:
                continue
            if drug not in last or days_between(last[drug], record.day) > THERAPY_GAP:
                yield Therapy(patient=patient, day=record.day, therapy=drug, kind="anticancer")
            last[drug] = record.day
