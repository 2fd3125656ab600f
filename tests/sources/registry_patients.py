"""Twelve generated patients, as OMOP in two vocabularies' spellings, as FHIR, as REDCap and as a sheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

PRODUCTS = {"axicabtagene ciloleucel": (792844, "Q2041"), "tisagenlecleucel": (1510358, "0007-8084619")}
DISEASES = {"CLL": (99001, "C91.1", "Chronic lymphocytic leukemia"), "NHL": (99002, "C83.3", "Diffuse large B-cell"),
            "ALL": (99003, "C91.0", "Acute lymphoblastic leukemia")}  # fmt: skip
DRUGS = {"cyclophosphamide": 1310317, "fludarabine": 1395557, "rituximab": 88001}
RESPONSES = {"CR": (1633954, "iRECIST: complete response"), "PD": (1633423, "iRECIST: progressive disease"),
             "SD": (1635887, "iRECIST: stable disease")}  # fmt: skip


@dataclass(frozen=True)
class Patient:
    """One generated patient."""

    number: int
    sex: str
    birth: date
    disease: str
    product: str
    given: tuple[date, ...]
    depletion: tuple[tuple[str, ...], ...]
    response: str
    died: date | None
    last: date
    rituximab: date | None
    transplant: date | None


def patients() -> Iterator[Patient]:
    """Yield the patients; all of them are told by arithmetic, none at random."""
    for i in range(1, 13):
        first = date(2019, 1, 1) + timedelta(20 * i)
        second = first + timedelta(150 + 7 * i)
        both = (("cyclophosphamide", "fludarabine"), ("cyclophosphamide",))
        yield Patient(
            100 + i, "FM"[i % 2], date(1950 + i, 1 + i % 12, 5 + i), ("CLL", "NHL", "ALL")[i % 3],
            list(PRODUCTS)[i % 2], (first, second) if i % 4 else (first,),
            (both[i % 2], both[0]) if i % 4 else both[:1],
            ("CR", "PD", "SD")[i % 3], second + timedelta(300 + i) if i % 3 == 1 else None,
            second + timedelta(300 + i if i % 3 == 1 else 600 + i), first + timedelta(60) if i % 3 == 0 else None,
            second + timedelta(120) if i == 5 else None,
        )  # fmt: skip


def truth() -> dict[str, list[dict[str, str]]]:
    """Return the rows of the cohort that all writings mean, numbered as `import` numbers patients."""
    tables: dict[str, list[dict[str, str]]] = {"patients": [], "infusions": [], "responses": [], "therapies": []}
    for i, one in enumerate(patients(), 1):
        own, first = {"patient_id": f"P{i:03d}"}, one.given[0]
        age = first.year - one.birth.year - ((first.month, first.day) < (one.birth.month, one.birth.day))
        tables["patients"].append({**own, "last_contact": str(one.last), "death": str(one.died or ""),
                                   "diagnosis": one.disease, "sex": one.sex, "age_years": str(age)})  # fmt: skip
        for k, day in enumerate(one.given):
            tables["infusions"].append({**own, "infusion": str(k + 1), "date": str(day), "product": one.product,
                                        "lymphodepletion": " + ".join(one.depletion[k])})  # fmt: skip
            tables["responses"].append({**own, "date": str(day + timedelta(30)), "response": one.response})
        later = [(one.rituximab, "rituximab", "anticancer"), (one.transplant, "allo-HCT", "allo-HCT")]
        tables["therapies"] += [{**own, "date": str(d), "therapy": t, "kind": k} for d, t, k in later if d]
    return tables


Rows = list[tuple[object, ...]]
Tables = dict[str, tuple[tuple[str, ...], Rows]]
EVENT = ("person_id", "{}_concept_id", "{}_date", "{}_source_value", "{}_source_concept_id")


def omop(spelling: str) -> Tables:
    """Return the tables of OMOP, header and rows.

    Parameters
    ----------
    spelling
        ``standard``: standard concepts with their names, brands as descendants, lower case. ``source``: concepts are 0,
        all is told by source values, in capitals; the infusion by its procedure alone where the product has no code.
    """
    standard = spelling == "standard"
    drugs: Rows = []
    procedures: Rows = []
    conditions: Rows = []
    judged: Rows = []
    for one in patients():
        who = one.number
        for k, day in enumerate(one.given):
            concept, code = PRODUCTS[one.product]
            drugs.append((who, 55001 if standard and concept == 792844 else concept, day, "x", 0) if standard
                         else (who, 0, day, code, 0))  # fmt: skip
            procedures.append((who, 43018384, day + timedelta(1), "p", 0) if standard
                              else (who, 0, day + timedelta(1), "XW033C3", 0))  # fmt: skip
            before = day - timedelta(4)
            drugs += [(who, DRUGS[d], before, "y", 0) if standard
                      else (who, 0, before, f"{d.upper()} 500MG VIAL", 0) for d in one.depletion[k]]  # fmt: skip
            procedures.append((who, 927059, day - timedelta(40), "0537T", 0) if standard
                              else (who, 0, day - timedelta(40), "CAR-T cell HARVEST", 0))  # fmt: skip
            answer = RESPONSES[one.response][0]
            judged.append((who, 700001, day + timedelta(30), "", 0, None, answer, "") if standard
                          else (who, 0, day + timedelta(30), "LOCAL-RESP", 0, None, 0, one.response))  # fmt: skip
        concept, code, _ = DISEASES[one.disease]
        conditions.append(
            (who, concept if standard else 0, one.given[0] - timedelta(400), "z" if standard else code, 0)
        )
        if one.rituximab:
            days = (one.rituximab, one.rituximab + timedelta(21))
            drugs += [(who, DRUGS["rituximab"] if standard else 0, d, "" if standard else "Rituximab inj", 0)
                      for d in days]  # fmt: skip
        if one.transplant:
            procedures.append((who, 4143404, one.transplant, "t", 0) if standard
                              else (who, 0, one.transplant, "Allogeneic stem cell transplantation", 0))  # fmt: skip
    tables = {**_people(standard), **_traps(drugs, procedures)}
    tables["condition_occurrence"] = (_names("condition", "condition_start_date"), conditions)
    value = "value_source_value" if standard else "value_as_string"
    table = "measurement" if standard else "observation"
    tables[table] = ((*_names(table, f"{table}_date"), "value_as_number", "value_as_concept_id", value), judged)
    if standard:
        return tables | _vocabulary()
    return {name.upper(): (tuple(c.upper() for c in head), rows) for name, (head, rows) in tables.items()}


def _names(word: str, day: str) -> tuple[str, ...]:
    return ("person_id", f"{word}_concept_id", day, f"{word}_source_value", f"{word}_source_concept_id")


def _people(standard: bool) -> Tables:
    people = list(patients())
    head = ("person_id", "gender_concept_id", "gender_source_value", "year_of_birth", "month_of_birth", "day_of_birth")
    persons: Rows = [(p.number, (8532 if p.sex == "F" else 8507) if standard else 0, p.sex, p.birth.year, p.birth.month,
                      p.birth.day) for p in people]  # fmt: skip
    persons += [(900, 8507, "M", 1970, 1, 1), (901, 8532, "F", 1970, 1, 1)]
    deaths: Rows = [(p.number, p.died) for p in people if p.died]
    ends: Rows = [(p.number, p.last, 32817) for p in people]
    return {"person": (head, persons), "death": (("person_id", "death_date"), deaths),
            "observation_period": (("person_id", "observation_period_end_date", "period_type_concept_id"),
                                   ends)}  # fmt: skip


def _traps(drugs: Rows, procedures: Rows) -> Tables:
    """Add records of two other persons that are no infusions: old meanings of codes, TIL, the toxin itself."""
    drugs += [(900, 35605867, date(2011, 5, 2), "Q2040", 0), (900, 35605867, date(2020, 5, 2), "BOTOX", 0)]
    procedures += [(901, 0, date(2022, 5, 2), "XW033L7", 0), (901, 0, date(2022, 4, 2), "0538T", 0)]
    return {"drug_exposure": (_names("drug", "drug_exposure_start_date"), drugs),
            "procedure_occurrence": (_names("procedure", "procedure_date"), procedures)}  # fmt: skip


def _vocabulary() -> Tables:
    names: Rows = [(c, n) for n, c in DRUGS.items()]
    names += [(c, n) for n, (c, _) in PRODUCTS.items()]
    names += [(55001, "product of a brand that no list has"), (43018384, "Introduction of engineered autologous cells"),
              (927059, "harvesting of T lymphocytes"), (4143404, "Allogeneic peripheral blood stem cell transplant"),
              (32817, "EHR"), (700001, "Response"), (35605867, "Botulinum toxin type A injection")]  # fmt: skip
    names += [(c, text) for c, _, text in DISEASES.values()]
    names += [(c, text) for c, text in RESPONSES.values()]
    return {
        "concept": (("concept_id", "concept_name"), names),
        "concept_ancestor": (("ancestor_concept_id", "descendant_concept_id"), [(792844, 55001), (792844, 792844)]),
    }


def write_csv_folder(folder: Path, tables: Tables) -> Path:
    """Write tables as a folder of CSV files."""
    folder.mkdir()
    for name, (head, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *rows])
    return folder


def write_duckdb(path: Path, tables: Tables) -> Path:
    """Write tables as a DuckDB file, typed by their values."""
    import duckdb

    with duckdb.connect(str(path)) as connection:
        for statement in statements(tables):
            connection.execute(statement)
    return path


def statements(tables: Tables) -> Iterator[str]:
    """Yield the SQL that makes tables, in words that DuckDB and PostgreSQL both know."""
    for name, (head, rows) in tables.items():
        columns = ", ".join(f"{c} {_kind(c)}" for c in head)
        yield f"CREATE TABLE {name} ({columns})"
        yield f"INSERT INTO {name} VALUES {', '.join(_literal(row) for row in rows)}"


def _kind(column: str) -> str:
    low = column.casefold()
    if low.endswith("_date"):
        return "DATE"
    return "VARCHAR(200)" if low.endswith(("_value", "_name", "_string", "_variant", "_exists")) else "INTEGER"


def _literal(row: tuple[object, ...]) -> str:
    return f"({', '.join('NULL' if v is None else str(v) if isinstance(v, int) else _quoted(str(v)) for v in row)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def fhir() -> dict[str, list[Mapping[str, object]]]:
    """Return the patients as FHIR resources by type; one resource of each trap is among them."""
    out: dict[str, list[Mapping[str, object]]] = {}

    def add(kind: str, who: int, **content: object) -> None:
        number = len(out.setdefault(kind, []))
        subject = {} if kind == "Patient" else {"id": f"{kind}-{number}", "subject": {"reference": f"Patient/{who}"}}
        out[kind].append({"resourceType": kind, **subject, **content})

    for one in patients():
        who = one.number
        death = {"deceasedDateTime": f"{one.died}T23:30:00-05:00"} if one.died else {}
        add(
            "Patient", who, id=str(who), gender={"F": "female", "M": "male"}[one.sex], birthDate=str(one.birth), **death
        )
        add("Condition", who, code=_code("http://hl7.org/fhir/sid/icd-10-cm", DISEASES[one.disease][1]),
            onsetDateTime=str(one.given[0] - timedelta(400)))  # fmt: skip
        for k, day in enumerate(one.given):
            add("MedicationAdministration", who, status="completed", effectiveDateTime=f"{day}T10:00:00+01:00",
                medicationCodeableConcept={"text": one.product})  # fmt: skip
            add("Procedure", who, status="completed", performedPeriod={"start": f"{day + timedelta(1)}T01:00:00Z"},
                code=_code("http://www.cms.gov/Medicare/Coding/ICD10", "XW033C3"))  # fmt: skip
            add("Procedure", who, status="completed", performedDateTime=str(day - timedelta(40)),
                code=_code("http://www.ama-assn.org/go/cpt", "0537T"))  # fmt: skip
            for drug in one.depletion[k]:
                code = {"cyclophosphamide": "3002", "fludarabine": "24698"}[drug]
                add("MedicationAdministration", who, status="completed",
                    effectivePeriod={"start": str(day - timedelta(4))},
                    medicationCodeableConcept=_code("http://www.nlm.nih.gov/research/umls/rxnorm", code))  # fmt: skip
            add("Observation", who, status="final", effectiveDateTime=str(day + timedelta(30)),
                code=_code("urn:site", "LOCAL-RESP"), valueString=one.response)  # fmt: skip
        if one.rituximab:
            add("MedicationAdministration", who, status="completed", effectiveDateTime=str(one.rituximab),
                medicationCodeableConcept={"text": "Rituximab 500 MG Injection"})  # fmt: skip
        if one.transplant:
            add("Procedure", who, status="completed", performedDateTime=str(one.transplant),
                code={"text": "Allogeneic stem cell transplantation"})  # fmt: skip
        add("Observation", who, status="final", effectiveDateTime=str(one.last), code={"text": "seen in clinic"})
    add("Procedure", 101, status="not-done", performedDateTime="2024-01-01", code={"text": "CAR-T infusion"})
    add("Procedure", 901, status="completed", performedDateTime="2022-05-02",
        code=_code("http://www.cms.gov/Medicare/Coding/ICD10", "XW033L7"))  # fmt: skip
    return out


def _code(system: str, code: str) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code}]}


def write_fhir(folder: Path, resources: Mapping[str, list[Mapping[str, object]]]) -> Path:
    """Write resources as a bulk export."""
    folder.mkdir()
    for kind, listed in resources.items():
        lines = "".join(json.dumps(one) + "\n" for one in listed)
        (folder / f"{kind}.000.ndjson").write_text(lines, encoding="utf-8")
    return folder


def write_sheet(path: Path) -> Path:
    """Write the patients as a centre's sheet: infusions side by side, events in columns."""
    head = ["Patient ID", "Sex", "DOB", "Diagnosis", "CART1 date", "CART1 LD", "CART1 product", "CART2 date",
            "CART2 LD", "CART2 product", "Date of death", "Last follow-up"]  # fmt: skip
    short = {"cyclophosphamide": "Cy", "fludarabine": "Flu"}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for one in patients():
            given = [[d, "/".join(short[t] for t in drugs), one.product]
                     for d, drugs in zip(one.given, one.depletion, strict=True)]  # fmt: skip
            two = [*given, ["", "", ""]][:2]
            writer.writerow([one.number, one.sex, one.birth, one.disease, *two[0], *two[1], one.died or "", one.last])
    return path


REDCAP = """patient_id demo text Record
sex demo radio Sex 1,F|2,M
age_years demo text Age_at_first_infusion integer
diagnosis demo radio Diagnosis 1,CLL|2,NHL|3,ALL
death demo text Date_of_death date_ymd
last_contact demo text Date_of_last_contact date_ymd
infusion_date infusion text Date_of_CAR-T_infusion date_ymd
product infusion text CAR-T_product
lymphodepletion infusion radio Lymphodepletion 1,cyclophosphamide|2,cyclophosphamide_+_fludarabine
response_date response text Date_of_response_assessment date_ymd
response response radio Response 1,CR|2,PR|3,SD|4,PD
therapy_date therapy text Date_of_therapy date_ymd
therapy therapy text Therapy"""
"""Field, form, type, label, choices or validation of the project."""
_FORMS = {"patients": "", "infusions": "infusion", "responses": "response", "therapies": "therapy"}


def write_redcap(folder: Path) -> Path:
    """Write the patients as a REDCap project: one form a patient, the others repeated; codes in place of labels."""
    lines = (line.replace("_+_", " + ").split(None, 4) for line in REDCAP.splitlines())
    fields = {name: more for name, *more in lines}
    codes = {name: {label: code for code, label in (choice.split(",") for choice in more[3].split("|"))}
             for name, more in fields.items() if more[1] == "radio"}  # fmt: skip
    head = ["patient_id", "redcap_repeat_instrument", "redcap_repeat_instance", *list(fields)[1:]]
    rows: list[dict[str, str]] = []
    for table, form in _FORMS.items():
        instances: dict[str, int] = {}
        for row in truth()[table]:
            who = row["patient_id"]
            instances[who] = instances.get(who, 0) + 1
            cells = {f"{form}_date" if name == "date" else name: text for name, text in row.items()}
            coded = {name: codes[name][text] if name in codes else text for name, text in cells.items()}
            repeat = {"redcap_repeat_instrument": form, "redcap_repeat_instance": str(instances[who] if form else "")}
            rows.append(repeat | {name: text for name, text in coded.items() if name in head})
    folder.mkdir()
    with (folder / "data.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, head, restval="")
        writer.writeheader()
        writer.writerows(rows)
    with (folder / "dictionary.csv").open("w", newline="", encoding="utf-8") as file:
        writing = csv.writer(file)
        writing.writerow(["Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
                          "Choices, Calculations, OR Slider Labels", "Field Note",
                          "Text Validation Type OR Show Slider Number"])  # fmt: skip
        for name, (form, kind, label, *rest) in fields.items():
            choices = " | ".join(rest[0].replace(",", ", ").split("|")) if name in codes else ""
            validation = rest[0] if rest and name not in codes else ""
            writing.writerow([name, form, "", kind, label.replace("_", " "), choices, "", validation])
    return folder
