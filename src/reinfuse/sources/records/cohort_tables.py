"""From a store of records to a source: the tables of a cohort's patients, and what was found, dropped and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reinfuse.exceptions import Problem
from reinfuse.messages import counted
from reinfuse.sources.records.answers import ANSWERS, INFUSION, NO_INFUSION
from reinfuse.sources.records.clinical import (
    CandidateGroup,
    Person,
    ReadingRules,
    Record,
    RecordStore,
    StoreUnreadable,
)
from reinfuse.sources.records.infusions import (
    GivenInfusion,
    NamesOfCodings,
    Therapy,
    by_patient,
    infusions_of,
    lymphodepletion_of,
    routes_in_words,
    therapies_of,
)
from reinfuse.sources.records.reading_rules import written
from reinfuse.sources.records.verdicts import answered_groups, is_too_early, verdict
from reinfuse.sources.source_map import OPEN
from reinfuse.sources.source_table import Source, SourceColumn, SourceKind, SourceRow, SourceTable

NEVER = (
    "left out, as records do not hold it: dose per kg of body weight (they hold products and quantities, not "
    "CAR-positive viable cells per kg), reason of the infusion, prior lines, cause of death"
)
GROUPS = 500
"""Different codings of candidates that a person can be asked about."""
HEADERS: Mapping[str, tuple[str, ...]] = {
    "patients": ("patient", "sex", "birth", "diagnosis", "condition", "death", "observation_end", "last_record"),
    "infusions": ("patient", "infusion", "date", "product", "lymphodepletion", "found_by", "records"),
    "therapies": ("patient", "date", "therapy", "kind"),
    "responses": ("patient", "date", "coding", "value"),
    "mrd": ("patient", "date", "coding", "value"),
    "toxicities": ("patient", "infusion", "date", "kind", "coding", "value"),
}
_TOXICITIES = {"CRS": ("cytokine release",), "ICANS": ("icans", "effector cell-associated", "effector cell associated"),
               "NT": ("neurotoxicity",)}  # fmt: skip


@dataclass
class _Reading:
    """What is read step by step."""

    store: RecordStore
    rules: ReadingRules
    answers: Mapping[str, str]
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_records(store: RecordStore, kind: SourceKind, rules: ReadingRules,
                 answers: Mapping[str, str] | None = None) -> Source:  # fmt: skip
    """Read the patients of a store who were given CAR-T cells.

    Parameters
    ----------
    answers
        Record in words -> whether it is an infusion, of a confirmed map; None: no map is there yet, and what a person
        must answer counts as an infusion meanwhile.

    Returns
    -------
    Source
        With the answer to each record in words: that of the map, or of the concept sets where it has none.

    Raises
    ------
    StoreUnreadable
        If the store cannot be read, or has no record of an infusion.
    """
    reading = _Reading(store, rules, answers or {})
    groups = store.candidates(rules.infusion)
    if not groups:
        raise StoreUnreadable("holds no record that may be a CAR-T infusion, by concept, code or text",
                              "name concepts or codes of your own with --infusion")  # fmt: skip
    if len(groups) > GROUPS:
        raise StoreUnreadable(f"has more than {GROUPS} different codings of what may be a CAR-T infusion",
                              "restrict the database to records with fewer different texts")  # fmt: skip
    verdicts = answered_groups(groups, reading.answers)
    accepted = [g for g in groups if verdicts[g.coding.wording] != NO_INFUSION]
    if answers is not None:
        reading.problems += _unanswered(store.name, groups, answers)
    reading.remarks += _dropped(groups, verdicts)
    tables = _tables(reading, _infusions(reading, accepted)) if accepted else {}
    remarks = (*reading.remarks, *store.remarks(), NEVER)
    source = Source(kind, store.name, tuple(_table(store.name, name, tables.get(name, ())) for name in HEADERS),
                    tuple(reading.problems), store.fingerprints(), remarks)  # fmt: skip
    return replace(source, reading=written(rules), answers=verdicts)


def _unanswered(name: str, groups: Sequence[CandidateGroup], answers: Mapping[str, str]) -> Iterator[Problem]:
    """Yield codings that were not there when the map was confirmed."""
    for group in groups:
        wording = group.coding.wording
        if wording in answers:
            continue
        rule = f"{group.records} records of {group.patients} patients that may be infusions are not in the map"
        yield Problem(table=name, value=wording, rule=rule,
                      remedy=f'add to [values.{ANSWERS}] its words = "{INFUSION}" or "{NO_INFUSION}"')  # fmt: skip


def _dropped(groups: Sequence[CandidateGroup], verdicts: Mapping[str, str]) -> Iterator[str]:
    for group in groups:
        wording, one = group.coding.wording, verdict(group.coding)
        counts = f"{counted(group.records, 'record')} of {counted(group.patients, 'patient')}, {wording}"
        if verdicts[wording] == OPEN:
            yield f"asked about, and counted as infusions until then: {counts}: {one.why}"
        elif verdicts[wording] == NO_INFUSION:
            early = "when it was written its code stood for another drug" * is_too_early(group.coding, group.last_day)
            yield f"dropped, no infusion: {counts}: {early or (one.why if one.answer == NO_INFUSION else 'by the map')}"


def _infusions(reading: _Reading, accepted: Sequence[CandidateGroup]) -> dict[str, list[GivenInfusion]]:
    records = reading.store.records_of([g.coding for g in accepted])
    early = [r for r in records if is_too_early(r.coding, r.day)]
    undated = [r for r in records if not r.day]
    if early:
        days = f"{min(r.day for r in early)} to {max(r.day for r in early)}"
        reading.remarks.append(f"dropped, no infusion: {counted(len(early), 'record')} whose code stood for another "
                               f"drug when they were written ({days})")  # fmt: skip
    if undated:
        remedy = "complete the dates in the source; an infusion without a day cannot be placed"
        reading.problems.append(Problem(table=reading.store.name, remedy=remedy,
                                        rule=f"{len(undated)} records of infusions have no whole date"))  # fmt: skip
    out = {id(r) for r in early}
    infusions = infusions_of((r for r in records if id(r) not in out), reading.rules.merge_days)
    merged = sum(i.records > 1 for i in infusions)
    other = sum(i.other_days for i in infusions)
    patients: dict[str, list[GivenInfusion]] = {}
    for infusion in infusions:
        patients.setdefault(infusion.patient, []).append(infusion)
    reading.remarks.append(f"{counted(len(infusions), 'infusion')} of {counted(len(patients), 'patient')}, "
                           f"{sum(len(i) > 1 for i in patients.values())} with more than one; found: "
                           f"{routes_in_words(infusions)}")  # fmt: skip
    if merged:
        reading.remarks.append(
            f"made of several records within {reading.rules.merge_days} days: {counted(merged, 'infusion')} ({other} "
            "of several days): the day is that of the first drug record, without one of the first record"
        )
    return patients


def _tables(reading: _Reading, infusions: Mapping[str, Sequence[GivenInfusion]]) -> dict[str, list[tuple[str, ...]]]:
    depleting = NamesOfCodings("lymphodepletion")
    drugs = [r for r in reading.store.drugs() if r.patient in infusions]
    flat = list(_with_lymphodepletion(reading, infusions, drugs, depleting))
    therapies = list(therapies_of(infusions, drugs, reading.rules.lymphodepletion_days,
                                  NamesOfCodings("lymphodepletion", "anticancer"), depleting=depleting))  # fmt: skip
    therapies += _procedures(reading, infusions)
    rules = reading.rules
    return {
        "patients": list(_patients(reading, infusions)),
        "infusions": [(i.patient, str(i.number), i.day, i.product, i.lymphodepletion, " and ".join(i.routes),
                       str(i.records)) for i in flat],
        "therapies": [(t.patient, t.day, t.therapy, t.kind) for t in sorted(therapies, key=_in_order)],
        "responses": list(_valued(reading, infusions, rules.response)),
        "mrd": list(_valued(reading, infusions, rules.mrd)),
        "toxicities": list(_toxicities(reading, infusions)),
    }  # fmt: skip


def _in_order(therapy: Therapy) -> tuple[str, str, str]:
    return therapy.patient, therapy.day, therapy.therapy


def _with_lymphodepletion(reading: _Reading, infusions: Mapping[str, Sequence[GivenInfusion]], drugs: Iterable[Record],
                          depleting: NamesOfCodings) -> Iterator[GivenInfusion]:  # fmt: skip
    given: dict[str, list[tuple[str, str]]] = {}
    for patient, records in by_patient(drugs).items():
        given[patient] = [(r.day, label) for r in records if (label := depleting.label(r.coding))]
    days, without = reading.rules.lymphodepletion_days, 0
    for patient in sorted(infusions):
        before = ""
        for infusion in infusions[patient]:
            drugs_before = [(d, n) for d, n in given.get(patient, ()) if d > before]
            one = replace(infusion, lymphodepletion=lymphodepletion_of(infusion, drugs_before, days))
            without += not one.lymphodepletion
            before = infusion.day
            yield one
    if without:
        which = counted(without, "infusion")
        reading.remarks.append(f"no drug of lymphodepletion recorded in the {days} days before {which}: left empty, as "
                               "no record is not none given")  # fmt: skip


def _procedures(reading: _Reading, infusions: Mapping[str, Sequence[GivenInfusion]]) -> Iterator[Therapy]:
    names = NamesOfCodings("transplant")
    latest: dict[tuple[str, str], str] = {}
    for patient, records in by_patient(reading.store.procedures()).items():
        for record in records:
            kind = names.label(record.coding)
            if kind and patient in infusions and latest.get((patient, kind), "") != record.day:
                latest[patient, kind] = record.day
                yield Therapy(patient=patient, day=record.day, therapy=kind, kind=kind)


def _patients(reading: _Reading, infusions: Mapping[str, Sequence[GivenInfusion]]) -> Iterator[tuple[str, ...]]:
    conditions = by_patient(reading.store.conditions())
    diseases = NamesOfCodings("disease")
    several = beyond = 0
    persons = {p.patient: p for p in reading.store.persons()}
    if lacking := sorted(set(infusions) - set(persons)):
        rule = f"{len(lacking)} patients with an infusion have no row among the persons"
        reading.problems.append(Problem(table=reading.store.name, rule=rule, remedy="complete the table of persons"))
    for patient in sorted(set(infusions) & set(persons)):
        person = persons[patient]
        own = [(r.day, label, r.coding.name) for r in conditions.get(patient, ())
               if (label := diseases.label(r.coding))]  # fmt: skip
        several += len({label for _, label, _ in own}) > 1
        before = [c for c in own if c[0] <= infusions[patient][0].day]
        _, disease, condition = before[-1] if before else own[0] if own else ("", "", "")
        ends = [min(d, person.death) if person.death[:1].isdigit() else d
                for d in (person.observation_end, person.last_record)]  # fmt: skip
        beyond += ends != [person.observation_end, person.last_record]
        yield (patient, person.sex, person.birth, disease, condition, person.death, *ends)
    if several:
        reading.remarks.append(f"diagnoses of several diseases: {counted(several, 'patient')}; the one recorded last "
                               "before the first infusion is taken")  # fmt: skip
    if beyond:
        reading.remarks.append("records or an observation period after death: "
                               f"{counted(beyond, 'patient')}, whose last contact is the day of death")  # fmt: skip
    reading.remarks += _contacts([persons[p] for p in sorted(set(infusions) & set(persons))])


def _contacts(persons: Sequence[Person]) -> Iterator[str]:
    """Say how observation ends were told, and of which kind the last records are."""
    for what, kinds in (("observation periods, by their type", Counter(p.observation_type or "not told" for p in persons
                                                                       if p.observation_end)),
                        ("last records, by their kind", Counter(p.last_record_kind for p in persons
                                                                if p.last_record))):  # fmt: skip
        if kinds:
            yield f"{what}: {', '.join(f'{kind} {count}' for kind, count in kinds.most_common())}"


def _valued(reading: _Reading, infusions: Mapping[str, Sequence[GivenInfusion]],
            wanted: Sequence[str]) -> Iterator[tuple[str, ...]]:  # fmt: skip
    for record in reading.store.values(wanted) if wanted else ():
        if record.patient in infusions:
            yield record.patient, record.day, record.coding.wording, record.value or record.coding.name


def _toxicities(reading: _Reading, infusions: Mapping[str, Sequence[GivenInfusion]]) -> Iterator[tuple[str, ...]]:
    wanted = reading.rules.toxicity
    for record in reading.store.values(wanted) if wanted else ():
        given = infusions.get(record.patient, ())
        number = max((i.number for i in given if i.day <= record.day), default=0)
        if given and record.day:
            name = record.coding.name or " / ".join(record.coding.codes)
            kind = next((k for k, ts in _TOXICITIES.items() if any(t in name.casefold() for t in ts)), name)
            yield (record.patient, str(number or ""), record.day, kind, record.coding.wording, record.value)


def _table(file: str, name: str, rows: Iterable[tuple[str, ...]]) -> SourceTable:
    columns = tuple(SourceColumn(header=h, place=h) for h in HEADERS[name])
    return SourceTable(name, file, columns, tuple(SourceRow(f"record {i}", r) for i, r in enumerate(rows, 1)))
